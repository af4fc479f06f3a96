// Views in the lake: Trino text inside Iceberg views, which Trino itself reads as its own.
#pragma once

#include "lake/catalog.h"
#include "sql/catalog.h"

namespace meesh::engine {

sql::TableInfo view_info(const std::string& catalog, const lake::View& view);
/// Metadata of a new view, or of `base` with this as its newest version.
lake::ViewMetadata view_metadata(const sql::TableInfo& view, const std::string& location,
                                 const lake::ViewMetadata* base);
/// The comment of the view or, if `column` is not empty, of one of its columns.
lake::ViewMetadata commented(const lake::ViewMetadata& base, const std::string& column,
                             const std::optional<std::string>& comment);

}  // namespace meesh::engine
