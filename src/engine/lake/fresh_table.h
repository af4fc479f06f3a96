// Metadata of a table that a statement makes, and the rights that it takes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/lake/properties.h"
#include "engine/lake/scan.h"
#include "lake/metadata.h"
#include "sql/catalog.h"

namespace meesh::engine {

/// PERMISSION_DENIED unless the user may do this below the place, which may end in slashes.
void allow_below(const LakeSource& source, const std::string& user, std::string_view action,
                 const std::string& place);
/// Folders for files that table properties name must be the warehouse's, and the user must be
/// allowed to write there.
void allow_places(const LakeSource& source, const std::string& user,
                  const lake::Properties& properties);

/// Nothing is written yet. `location`: where the table goes unless `asked` says otherwise.
/// NOT_SUPPORTED for types that Iceberg has not; the rest as in properties.h and above.
lake::TableMetadata fresh_table(const LakeSource& source, const std::string& user,
                                const std::vector<sql::ColumnInfo>& columns,
                                const TableProperties& asked, std::string location,
                                const std::optional<std::string>& comment);

}  // namespace meesh::engine
