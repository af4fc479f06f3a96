// The table beside a materialized view: it comes and goes in the commit that makes, replaces or
// drops the view.
//
//   const Table storage = stage_table(catalog, free_storage_name(catalog, view), metadata);
//   catalog.create_view(view, …, [&](soci::session& sql) { name_table(sql, catalog, storage); });
#pragma once

#include "lake/catalog.h"

namespace meesh::lake {

/// Whether a table of this name may be one of them.
bool may_be_storage(const std::string& name);
/// <view>__storage or, if that is taken, <view>__storage_2, …
Identifier free_storage_name(const Catalog& catalog, const Identifier& view);

/// Writes the metadata of a table that has no name yet. The file is the caller's until it has one.
Table stage_table(const Catalog& catalog, const Identifier& name, const TableMetadata& metadata);

// Within an AlsoCommit of this catalog.
/// TABLE_ALREADY_EXISTS.
void name_table(soci::session& sql, const Catalog& catalog, const Table& table);
/// Nothing if there is no table of this name.
void unname_table(soci::session& sql, const Catalog& catalog, const Identifier& name);

}  // namespace meesh::lake
