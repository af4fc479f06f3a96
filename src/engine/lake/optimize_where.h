// ALTER TABLE … EXECUTE optimize WHERE …: which data files are meant.
#pragma once

#include <set>
#include <string>

#include "engine/lake/write.h"
#include "lake/maintenance.h"
#include "lake/metadata.h"
#include "sql/ast.h"
#include "sql/catalog.h"

namespace meesh::engine {

/// Paths of the data files whose rows the predicate selects. It may speak of what the table is
/// partitioned by and of "$path", "$partition" and "$file_modified_time": NOT_SUPPORTED for other
/// columns, and for a predicate that selects some rows of a file and not others. `table` is
/// `metadata` as the statement's names were looked up in it.
std::set<std::string> files_where(const sql::TableInfo& table, const lake::TableMetadata& metadata,
                                  const sql::Expr& where, const RunDuck& run);

/// Leaves in the group the files that are chosen; false if they are not worth a commit.
bool narrow_group(lake::CompactionGroup& group, const std::set<std::string>& chosen);

}  // namespace meesh::engine
