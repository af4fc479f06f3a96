// Writes the AST as Trino SQL on one line: print_trino()'s working part, spread over
// print_trino.cc (expressions), print_trino_query.cc and print_trino_statement.cc.
//
// Parentheses: each expression has a binding strength; where it is weaker than its place asks for,
// it gets parentheses, else none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/ast.h"

namespace meesh::sql {

class TrinoPrinter {
 public:
  /// Weakest first.
  enum Strength {
    kAny,
    kOr,
    kAnd,
    kNot,
    kPredicate,
    kConcat,
    kSum,
    kProduct,
    kSign,
    kZone,
    kPrimary
  };

  void statement(const Statement& s);
  void query(const Query& q);
  void expr(const Expr& e, Strength at_least = kAny);
  std::string take() { return std::move(out_); }

 private:
  void put(std::string_view text) { out_ += text; }
  void put_if(bool condition, std::string_view text) {
    if (condition) out_ += text;
  }
  void ident(const Ident& i);
  void name(const Name& n);
  void idents(const std::vector<Ident>& list);
  void string(std::string_view value);
  template <class List, class Print>
  void list(const List& items, Print print) {
    const char* separator = "";
    for (const auto& item : items) {
      put(separator);
      print(item);
      separator = ", ";
    }
  }
  void exprs(const std::vector<ExprPtr>& items, Strength at_least = kAny);

  static Strength strength(const Expr& e);
  void literal(const Expr& e);
  void column(const Expr& e);
  void predicate(const Expr& e);
  void compound(const Expr& e);
  void sign(const Unary& u);
  void case_expression(const Case& c);
  void lambda(const Lambda& l);
  void trim(const Trim& t);
  void base(const Expr& e);
  void call(const FunctionCall& f);
  void special_call(const FunctionCall& f, std::string_view word);
  void call_suffix(const FunctionCall& f);
  void json(const JsonFunction& f);
  void json_clauses(const JsonFunction& f);
  void sort(const std::vector<SortItem>& items);
  void window(const WindowSpec& w);
  void frame(const WindowFrame& f);
  void bound(const FrameBound& b);

  void body(const QueryBody& b);
  void set_operation(const SetOperation& s);
  void select(const Select& s);
  void group_by(const GroupBy& g);
  void grouping_set(const std::vector<ExprPtr>& set, bool alone);
  void relation(const Relation& r);
  void primary_relation(const Relation& r);
  void table(const TableRef& t, bool aliased);
  void join(const Join& j);
  void table_function(const TableFunction& f);

  void session_statement(const Statement& s);
  void show(const Show& s);
  void prepared_statement(const Statement& s);
  void dml_statement(const Statement& s);
  void merge(const Merge& m);
  void create_statement(const Statement& s);
  void create_view(const CreateView& s);
  void drop_statement(const Statement& s);
  void alter_table(const AlterTable& a);
  void column_definition(const ColumnDefinition& c);
  void security_statement(const Statement& s);
  void grant(const Grant& g);
  void role(const RoleStatement& r);
  void properties(const std::vector<Property>& list);
  void with_properties(const std::vector<Property>& list);
  void comment(const std::optional<std::string>& text);
  void call_args(const std::vector<std::pair<std::optional<Ident>, ExprPtr>>& args);
  void assignments(const std::vector<std::pair<Ident, ExprPtr>>& items);

  std::string out_;
};

}  // namespace meesh::sql
