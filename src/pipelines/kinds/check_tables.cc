#include "pipelines/kinds/check_tables.h"

#include <algorithm>

#include "pipelines/sql_tables.h"
#include "quality/parameters.h"

namespace meesh::pipelines {
namespace {

void add(TableUse use, const std::string& own, std::vector<TableUse>& uses) {
  if (use.table == own || use.table == quality::kTablePlaceholder) return;
  if (std::ranges::find(uses, use.table, &TableUse::table) != uses.end()) return;
  uses.push_back(std::move(use));
}

void add_query(const std::string& sql, const Location& where, const std::string& own,
               std::vector<TableUse>& uses) {
  for (TableUse& use : tables_at(sql, where).reads) add(std::move(use), own, uses);
}

/// "\"lake\".\"silver\".\"orders\"" as names of assets are written.
std::string plain(std::string name) {
  std::erase(name, '"');
  return name;
}

}  // namespace

void add_condition_tables(const std::string& condition, const Location& where,
                          const std::string& own, std::vector<TableUse>& uses) {
  if (!condition.empty()) add_query("SELECT 1 WHERE (" + condition + "\n)", where, own, uses);
}

void add_check_tables(const std::vector<quality::Check>& checks, const std::string& own,
                      std::vector<TableUse>& uses) {
  for (const quality::Check& check : checks) {
    if (!check.to_table.empty()) add({plain(check.to_table), check.location}, own, uses);
    add_condition_tables(check.where, check.location, own, uses);
    if (check.kind == quality::CheckKind::kExpression) {
      add_condition_tables(check.sql, check.location, own, uses);
    } else if (!check.sql.empty()) {
      add_query(check.sql, check.location, own, uses);
    }
  }
}

}  // namespace meesh::pipelines
