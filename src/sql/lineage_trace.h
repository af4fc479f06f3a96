// Follows values through a resolved query: which columns of which tables each output comes from.
// After resolution every relation of a statement has a name of its own, so one flat table of them
// is all the state there is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sql/lineage.h"

namespace meesh::sql {

/// Bits of Influence.
using Influences = uint16_t;
constexpr Influences bit(Influence influence) {
  return static_cast<Influences>(1U << static_cast<unsigned>(influence));
}

class LineageTrace {
 public:
  /// A column of a table: its number among tables(), and its name.
  using Origin = std::pair<size_t, std::string>;
  using Origins = std::map<Origin, Influences>;
  struct Value {
    Origins from;
    std::string lost;  // why it is not known where it comes from; "" = it is
  };
  struct Rows {
    std::vector<Value> columns;
    Value chosen_by;  // what decides over which rows there are
  };

  Rows query(const Query& query);
  /// Of an expression that stands outside of queries: SET, WHERE of UPDATE.
  Value expression(const Expr& expr);
  void table(const TableRef& table);
  /// FROM: makes its columns known, and adds what decides over its rows.
  void relation(const Relation& relation, Value& chosen_by);

  void add(Value& to, const Value& from);
  /// Adds `from` with this influence instead of its own if it is an indirect one, else under it: a
  /// sum of a computed value is an aggregation.
  void add(Value& to, const Value& from, Influence influence);

  const std::vector<TableName>& tables() const { return tables_; }

 private:
  struct Known {
    std::optional<size_t> table;  // a table, with all its columns, or
    std::map<std::string, Value> columns;
  };
  using Windows = std::map<std::string, const WindowSpec*>;

  Rows body(const QueryBody& body, const std::vector<SortItem>& order_by);
  Rows select(const Select& select, const std::vector<SortItem>& order_by);
  Rows set_operation(const SetOperation& op);
  Rows values(const Values& values);
  void named_query(const NamedQuery& named, bool recursive);
  void define(const std::string& name, const std::vector<Ident>& columns,
              std::vector<Value> values);
  void aliased(const AliasedRelation& relation, Value& chosen_by);
  std::vector<Value> unnested(const Unnest& unnest);
  std::vector<Value> matched(const MatchRecognize& match, Value& chosen_by);
  void sort(Rows& rows, const std::vector<SortItem>& order_by);

  Value column(const ColumnRef& ref);
  Value call(const FunctionCall& call);
  Value choice(const Case& node);
  Value compared(const Expr& value, const Query& query);
  Value children(const Expr& expr);
  void window(Value& to, const WindowSpec& spec);
  void add_expr(Value& to, const Expr* expr, Influence influence);
  /// Ends a statement whose columns would take too long to follow.
  void work(size_t amount);

  std::vector<TableName> tables_;
  std::map<std::string, size_t> numbers_;    // by display name
  std::map<std::string, Known> relations_;   // by the name the printers call it
  std::map<std::string, Known> named_;       // WITH
  std::map<std::string, Value> named_rows_;  // what decides over theirs
  std::vector<Windows> windows_;             // WINDOW clauses in sight, innermost last
  size_t worked_ = 0;
};

}  // namespace meesh::sql
