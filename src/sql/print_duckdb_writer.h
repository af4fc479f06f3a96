// The DuckDB printer's state. Its member functions stand in print_duckdb.cc (entry, queries),
// print_duckdb_expression.cc, print_duckdb_call.cc, print_duckdb_json.cc, print_duckdb_relation.cc
// and print_duckdb_statement.cc.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/sql.h"

namespace meesh::sql {

std::string duckdb_ident(std::string_view name);
std::string duckdb_string(std::string_view text);
/// The type of a column in CREATE TABLE as DuckDB reads it ("VARCHAR", "DECIMAL(10,2)",
/// "STRUCT(a INTEGER)[]"). DuckDB has no lengths of text and few precisions of time: those are
/// dropped. Throws NOT_SUPPORTED for digits of a second beyond 9.
std::string duckdb_column_type(const Type& type);
/// The same with lengths and precisions kept, for tables that hold labelled types.
std::string duckdb_labelled_type(const Type& type);

class DuckdbPrinter {
 public:
  Printed take() { return std::move(printed_); }

  void statement(const Statement& statement);

 private:
  // print_duckdb.cc
  void query(const Query& query);
  void body(const QueryBody& body, bool nested);
  /// `hidden` are keys selected behind the items, for FETCH WITH TIES.
  void select(const Select& select, const std::vector<const Expr*>& hidden = {});
  void set_operation(const SetOperation& op);
  void values(const Values& values);
  void group_by(const GroupBy& group_by);
  void order_by(const std::vector<SortItem>& items);
  void sort_direction(const SortItem& item);
  void with(const Query& query);
  void with_ties(const Query& query);
  void columns(const std::vector<Ident>& columns);

  // print_duckdb_relation.cc
  void relation(const Relation& relation);
  void table(const TableRef& table);
  void aliased(const AliasedRelation& aliased);
  void join(const Join& join);
  /// The condition of an outer join: its comparisons are marked as such, because DuckDB hashes only
  /// what is one comparison of its own.
  void outer_condition(const Expr& condition);
  void unnest(const Unnest& unnest);
  void match_recognize(const MatchRecognize& match);
  void sampled(const Sampled& sampled);

  // print_duckdb_expression.cc and print_duckdb_call.cc
  void expr(const Expr& expr);
  void list(const std::vector<ExprPtr>& exprs);
  void literal(const Expr& expr);
  void binary(const char* function, const Expr& left, const Expr& right);
  void logical(const Logical& logical);
  void in_subquery(const InSubquery& in);
  void case_of(const Case& node);
  void cast(const Cast& cast);
  void call(const FunctionCall& call);
  void routine_call(const FunctionCall& call);
  void special_call(const std::string& name, const FunctionCall& call);
  void function(const FunctionInfo& info, const FunctionCall& call);
  bool lambda_call(const std::string& name, const FunctionInfo& info, const FunctionCall& call);
  void reduce_agg(const FunctionInfo& info, const FunctionCall& call);
  void over(const FunctionCall& call);
  void arguments(const FunctionCall& call);
  void after_arguments(const FunctionCall& call);
  /// Calls the function of the table that has this Trino name.
  void named(std::string_view name, const Expr& at, const std::vector<const Expr*>& args);
  void expand(std::string_view text, const std::vector<const Expr*>& args);
  void window(const WindowSpec& spec);
  /// `counts`: rows or groups, not a distance of values.
  void bound(const FrameBound& bound, bool counts);
  void current(const Current& current);
  void row(const RowConstructor& row);
  void trim(const Trim& trim);

  // print_duckdb_json.cc
  void json(const JsonFunction& json);
  void json_passing(const JsonFunction& json);
  void json_member(const Expr& value, const std::string& format);

  // print_duckdb_statement.cc
  void insert(const Insert& insert);
  void remove(const Delete& remove);
  void update(const Update& update);
  void merge(const Merge& merge);
  void create_table(const CreateTable& create);
  void create_table_as(const CreateTableAs& create);
  void alter_table(const AlterTable& alter);
  void comment(const CommentOn& comment);
  void assignments(const std::vector<std::pair<Ident, ExprPtr>>& assignments);

  // print_duckdb_zones.cc
  /// Marks the timestamps with time zone among expressions that make one column or one value, when
  /// they name different zones: each of their values is to keep its own.
  void keep_zones(const std::vector<const Expr*>& exprs);
  void keep_zones(const Values& values);
  void keep_zones(const SetOperation& op);
  void keep_zones(const Case& node);
  /// Items of an array, results of COALESCE or IF.
  void keep_zones(std::span<const ExprPtr> exprs);

  void put(std::string_view text) { printed_.text += text; }
  void ident(std::string_view name) { printed_.text += duckdb_ident(name); }
  void mark(Position pos) {
    if (pos.line > 0) printed_.map.emplace_back(printed_.text.size(), pos);
  }

  Printed printed_;
  std::set<const Expr*> zoned_;  // marked by keep_zones and not yet printed
};

}  // namespace meesh::sql
