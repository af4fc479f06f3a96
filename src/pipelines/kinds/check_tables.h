// The tables that checks read beside the one they are about.
#pragma once

#include <string>
#include <vector>

#include "pipelines/asset_kind.h"
#include "quality/check.h"

namespace meesh::pipelines {

/// Adds each table that is not there yet to `uses`: those of relationships, of custom queries, and
/// of queries within conditions. `own`: the table the checks are about. Throws SYNTAX_ERROR at the
/// check's place.
void add_check_tables(const std::vector<quality::Check>& checks, const std::string& own,
                      std::vector<TableUse>& uses);

/// The same of one SQL condition.
void add_condition_tables(const std::string& condition, const Location& where,
                          const std::string& own, std::vector<TableUse>& uses);

}  // namespace meesh::pipelines
