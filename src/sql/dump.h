// Writes the AST as one S-expression: dump()'s working part, spread over dump.cc (expressions,
// relations, queries) and dump_statement.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast.h"

namespace meesh::sql {

class Dumper {
 public:
  void statement(const Statement& s);
  void expr(const Expr& e);
  std::string take() { return std::move(out_); }

 private:
  /// Opens `(word` and closes it at the end of the scope.
  class Node {
   public:
    Node(Dumper& dumper, std::string_view word) : out_(dumper.out_) {
      if (!out_.empty() && out_.back() != '(') out_ += ' ';
      out_ += '(';
      out_ += word;
    }
    ~Node() { out_ += ')'; }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

   private:
    std::string& out_;
  };

  void word(std::string_view text);
  void flag(bool value, std::string_view text);
  void text(std::string_view value);
  void optional_text(std::string_view label, const std::string& value);
  void optional_text(std::string_view label, const std::optional<std::string>& value);
  void ident(const Ident& i);
  void ident(std::string_view label, const std::optional<Ident>& i);
  void idents(std::string_view label, const std::vector<Ident>& list);
  void name(const Name& n);
  void type(const TypeNode& t);
  void expr(std::string_view label, const ExprPtr& e);
  void exprs(std::string_view label, const std::vector<ExprPtr>& list);
  void properties(const std::vector<Property>& list);

  void literal(const Expr& e);
  void column(const Expr& e);
  void predicate(const Expr& e);
  void compound(const Expr& e);
  void call(const FunctionCall& f);
  void json(const JsonFunction& f);
  void sort(const std::vector<SortItem>& items);
  void bound(const FrameBound& b);
  void window(const WindowSpec& w);

  void table(const TableRef& t);
  void join(const Join& j);
  void table_function(const TableFunction& f);
  void relation(const Relation& r);

  void select(const Select& s);
  void group_by(const GroupBy& g);
  void body(const QueryBody& b);
  void query(const Query& q);

  void session_statement(const Statement& s);
  void prepared_statement(const Statement& s);
  void dml_statement(const Statement& s);
  void merge(const Merge& m);
  void create_statement(const Statement& s);
  void drop_statement(const Statement& s);
  void alter_table(const AlterTable& a);
  void column_definition(const ColumnDefinition& c);
  void security_statement(const Statement& s);
  void call_args(const std::vector<std::pair<std::optional<Ident>, ExprPtr>>& args);
  void assignments(const std::vector<std::pair<Ident, ExprPtr>>& list);

  std::string out_;
};

}  // namespace meesh::sql
