// What a query's answer depends on: the versions of all tables below it, through views, or that
// nobody can tell. Two equal descriptions mean equal answers; a table that has changed since has
// another version.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sql/ast.h"
#include "sql/catalog.h"

namespace meesh::dashboards {

/// What a name stands for now.
struct TableState {
  std::string version;  // never the same again after a change; "" = nobody knows
  /// Views: their text, and where short names in it belong to.
  std::string view_sql, view_catalog, view_schema;
  /// What changes with time alone: stored rows that are good for a while.
  bool changes_with_time = false;
};
/// Nothing for a name that is not there.
using FindTable = std::function<std::optional<TableState>(const sql::TableName&)>;

struct Inputs {
  std::set<std::string> tables;  // "catalog.schema.table", views and what is below them
  /// "lake.gold.orders=s3://…;…": the state of all of them. Nothing if one's is not known.
  std::optional<std::string> versions;
  /// The same question has the same answer while the tables stay: no now(), random(),
  /// current_user, no table functions.
  bool repeatable = true;

  bool cacheable() const { return repeatable && versions.has_value(); }
};

/// Asks for the state of a table once, however many charts read it. For one request: what it says
/// is never older than its making.
class TableStates {
 public:
  explicit TableStates(const FindTable& find) : find_(find) {}
  const std::optional<TableState>& of(const sql::TableName& name);

 private:
  const FindTable& find_;
  std::map<std::string, std::optional<TableState>> known_;
};

Inputs inputs_of(const sql::Query& query, TableStates& states);

}  // namespace meesh::dashboards
