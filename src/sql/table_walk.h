// The tables that a tree names, wherever they stand: in FROM, in subqueries, below samples. Names
// of queries (WITH) are no tables where they are in scope.
//
//   TableWalk walk({.table = [&](TableRef& table) { names.push_back(table.name); }});
//   walk.query(query);
#pragma once

#include <functional>
#include <set>
#include <string>

#include "sql/ast.h"

namespace meesh::sql {

class TableWalk {
 public:
  /// What is told, each before what is below it. All but `table` may be empty.
  struct Hooks {
    std::function<void(TableRef&)> table;
    std::function<void(Expr&)> expression{};
    std::function<void(Query&)> query{};
    /// Samples, table functions, MATCH_RECOGNIZE, JSON_TABLE: rows that are not a table's as it is.
    std::function<void(Relation&)> made{};
  };
  explicit TableWalk(Hooks hooks) : hooks_(std::move(hooks)) {}

  void query(Query& query) { this->query(query, {}); }
  void relation(Relation& relation) { this->relation(relation, {}); }
  void expression(ExprPtr& expr) { expression(expr, {}); }

 private:
  using Scope = std::set<std::string>;  // names of queries, in small letters

  void query(Query& query, Scope scope);
  void body(QueryBody& body, const Scope& scope);
  void select(Select& select, const Scope& scope);
  void relation(Relation& relation, const Scope& scope);
  void expression(ExprPtr& expr, const Scope& scope);

  const Hooks hooks_;
};

}  // namespace meesh::sql
