// The parser behind sql.h's parse(): one class, its methods spread over parser_*.cc by theme.
//
// Recursive descent with one token of lookahead (more only where Trino's non-reserved words need
// it), never backtracking: `(` is settled by parsing what is inside first. When a token does not
// fit, the same text is parsed once more, this time noting what would have been accepted at that
// token: the list behind "Expecting:".
//
// Depth: every nested expression, query, relation, type and pattern goes through a Nesting, and
// every loop that makes a tree taller (a + b + …, joins, set operations) through grow(), so that no
// tree is ever taller than kMaxDepth and recursion over it is safe.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/ast.h"
#include "sql/json_table.h"
#include "sql/lexer.h"
#include "sql/routine.h"
#include "sql/row_pattern.h"
#include "sql/sql.h"

namespace meesh::sql {

class Parser {
 public:
  /// Thrown when a token does not fit; never leaves the room.
  struct Mismatch {
    size_t token;
  };
  static constexpr size_t kNowhere = static_cast<size_t>(-1);

  /// `collect_at`: the token for which expectations are noted.
  Parser(std::string_view text, const std::vector<Token>& tokens, size_t collect_at = kNowhere)
      : text_(text), tokens_(tokens), collect_at_(collect_at) {}

  StatementPtr single_statement();
  ExprPtr single_expression();
  /// Reserved words are taken as row field names, as in Type::display().
  TypeNodePtr single_type();

  const std::set<std::string>& expected() const { return expected_; }

 private:
  using enum Kw;

  /// One level of the tree; its height is known when it ends.
  class Nesting {
   public:
    /// With `keep` the level starts with a part that was parsed just before.
    explicit Nesting(Parser& parser, bool keep = false) : parser_(parser), outer_(parser.tallest_) {
      if (++parser.depth_ > kMaxDepth) parser.too_deep();
      if (!keep) parser.tallest_ = 0;
    }
    ~Nesting() {
      --parser_.depth_;
      parser_.tallest_ = std::max(outer_, parser_.tallest_ + 1);
    }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    Parser& parser_;
    int outer_;
  };
  /// One operand among several: keeps its own height apart from its siblings'. With `keep` the
  /// operand starts with a part that was parsed just before.
  class Operand {
   public:
    Operand(Parser& parser, bool keep) : parser_(parser), outer_(parser.tallest_) {
      if (!keep) parser.tallest_ = 0;
    }
    ~Operand() { parser_.tallest_ = std::max(outer_, parser_.tallest_); }
    Operand(const Operand&) = delete;
    Operand& operator=(const Operand&) = delete;

   private:
    Parser& parser_;
    int outer_;
  };
  /// A node was put above everything made so far in the innermost Nesting.
  void grow() {
    if (++tallest_ + depth_ > kMaxDepth) too_deep();
  }
  [[noreturn]] void too_deep() const;

  // Tokens (parser.cc)
  const Token& token(size_t ahead = 0) const {
    size_t i = at_ + ahead;
    return tokens_[i < tokens_.size() ? i : tokens_.size() - 1];
  }
  std::string_view token_text(const Token& t) const { return text_.substr(t.offset, t.length); }
  Position pos() const { return token().pos; }
  bool is(Kw keyword, size_t ahead = 0) const { return token(ahead).keyword == keyword; }
  bool is(Symbol symbol, size_t ahead = 0) const { return token(ahead).symbol == symbol; }
  bool is(TokenKind kind, size_t ahead = 0) const { return token(ahead).kind == kind; }
  /// `is`, and an expectation when it is not.
  bool at(Kw keyword) {
    if (token().keyword == keyword) return true;
    if (at_ == collect_at_) note(keyword);
    return false;
  }
  bool at(Symbol symbol) {
    if (token().symbol == symbol) return true;
    if (at_ == collect_at_) note(symbol);
    return false;
  }
  bool accept(Kw keyword) { return at(keyword) && (++at_, true); }
  bool accept(Symbol symbol) { return at(symbol) && (++at_, true); }
  bool accept(Kw first, Kw second) {
    if (!at(first) || !is(second, 1)) return false;
    at_ += 2;
    return true;
  }
  void expect(Kw keyword) {
    if (!accept(keyword)) mismatch();
  }
  void expect(Symbol symbol) {
    if (!accept(symbol)) mismatch();
  }
  void expect(Kw first, Kw second) {
    expect(first);
    expect(second);
  }
  void note(Kw keyword);
  void note(Symbol symbol);
  void note(std::string_view what) {
    if (at_ == collect_at_) expected_.emplace(what);
  }
  /// What was noted so far at the token does not count: Trino has left those parts behind when it
  /// looks for what comes now.
  void forget() {
    if (at_ == collect_at_) expected_.clear();
  }
  /// The operators that may follow a value.
  void note_operators(int min_precedence);
  [[noreturn]] void mismatch();
  [[noreturn]] void fail(Position pos, std::string message) const;
  /// Source between a token and the last one taken, as written.
  std::string written_since(size_t first) const;
  /// Tokens between, joined anew without comments: the same tokens always give the same text.
  std::string canonical_since(size_t first) const;

  // Words and literals (parser.cc)
  bool at_identifier(size_t ahead = 0) const;
  Ident identifier();
  Name qualified_name();
  std::vector<Ident> identifiers_in_parens();
  bool at_string() const { return is(TokenKind::kString) || is(TokenKind::kUnicodeString); }
  std::string string();
  std::string decode_unicode(const Token& literal, char escape) const;
  uint64_t integer();
  uint64_t integer_value(const Token& literal) const;
  static std::string unquoted(std::string_view literal);

  // Types (parser_type.cc)
  TypeNodePtr type();
  TypeNodePtr base_type();
  TypeNode::Param type_parameter();
  TypeNodePtr datetime_type();
  TypeNodePtr row_type();
  bool row_field_is_named() const;
  bool at_interval_field(size_t ahead = 0) const;
  std::string interval_field();

  // Expressions (parser_expression.cc)
  ExprPtr expression(ExprPtr first = nullptr);
  ExprPtr conjunction(ExprPtr first);
  ExprPtr negatable(ExprPtr first);
  ExprPtr predicate(ExprPtr value);
  ExprPtr quantified_or_comparison(ExprPtr value);
  ExprPtr in_predicate(ExprPtr value, bool negated, Position at);
  ExprPtr value_expression(int min_precedence = 0, ExprPtr first = nullptr);
  ExprPtr operand(ExprPtr first);
  ExprPtr postfix(ExprPtr base);
  ExprPtr primary();
  ExprPtr keyword_primary();
  ExprPtr parenthesized();
  ExprPtr number_literal();
  ExprPtr binary_literal();
  ExprPtr interval_literal();
  ExprPtr name_or_call();
  ExprPtr lambda();
  bool at_lambda() const;
  ExprPtr case_expression();
  ExprPtr cast();
  ExprPtr array();
  ExprPtr row_constructor();
  ExprPtr row_rest(ExprPtr first, Position at);
  ExprPtr current(bool with_precision);
  bool at_query_start(size_t ahead = 0) const;
  bool at_typed_literal() const;

  /// What stood between parentheses: a query or an expression.
  struct Group {
    QueryPtr query;
    ExprPtr expr;  // when query is null
  };
  Group group();
  ExprPtr group_as_expression(Group g, Position at);
  bool continues_query() const;

  // Calls (parser_function.cc)
  ExprPtr call(Name name, Position at);
  void call_suffix(FunctionCall& f);
  void call_arguments(FunctionCall& f);
  ExprPtr listagg();
  std::string listagg_overflow();
  ExprPtr trim();
  ExprPtr substring();
  ExprPtr position_in();
  ExprPtr normalize();
  ExprPtr extract();
  ExprPtr grouping();
  bool at_over(size_t ahead = 0) const;
  void window_over(FunctionCall& f);

  // JSON (parser_json.cc)
  ExprPtr json_path_function(const char* name);
  ExprPtr json_object();
  ExprPtr json_array();
  void json_path_invocation(JsonFunction& f);
  std::string json_format();
  void json_returning(JsonFunction& f, bool format);
  bool json_value_behavior(JsonFunction& f);
  bool json_query_behavior(JsonFunction& f);
  void json_wrapper_and_quotes(JsonFunction& f);
  void json_null_on_null(JsonFunction& f);
  RelationPtr json_table();
  std::vector<JsonTableColumn> json_table_columns();
  JsonTableColumn json_table_column();
  void json_table_value(JsonTableColumn& column);
  void json_table_plan_clause(JsonTableNode& table);
  std::unique_ptr<JsonTablePlan> json_table_plan();

  // Queries (parser_query.cc)
  QueryPtr root_query();
  QueryPtr query();
  QueryPtr query_from(QueryBodyPtr first, Position start);
  void query_tail(Query& q);
  void with_clause(Query& q);
  QueryBodyPtr query_body(QueryBodyPtr first = nullptr);
  QueryBodyPtr intersections(QueryBodyPtr first);
  QueryBodyPtr body_primary();
  [[noreturn]] void expect_body();
  QueryBodyPtr as_body(QueryPtr inner) const;
  struct SetHead {
    SetOperator op{};
    SetQuantifier quantifier = SetQuantifier::kNone;
    bool corresponding = false;
    Position pos;
    bool same(const SetHead& o) const {
      return op == o.op && quantifier == o.quantifier && corresponding == o.corresponding;
    }
  };
  QueryBodyPtr fold(QueryBodyPtr left, std::vector<QueryBodyPtr> rest, const SetHead& head);
  QueryBodyPtr chain(QueryBodyPtr left, bool intersect);
  std::optional<SetHead> set_operator(bool intersect);
  QueryBodyPtr select();
  SelectItem select_item();
  QueryBodyPtr values();
  QueryBodyPtr table_body();
  GroupBy group_by();
  GroupingElement grouping_element();
  std::vector<ExprPtr> grouping_set();
  std::vector<SortItem> sort_items();
  SortItem sort_item();
  ExprPtr row_count();
  bool at_all_quantifier() const;
  bool at_alias() const;
  bool keyword_starts_clause() const;
  std::vector<ExprPtr> expressions();

  // Windows and row patterns (parser_window.cc)
  WindowSpec window_specification();
  bool at_frame() const;
  WindowFrame window_frame();
  FrameBound frame_bound();
  void pattern_clauses(RowPattern& pattern, bool definitions_required);
  void measures(RowPattern& pattern);
  void after_match(RowPattern& pattern);
  void rows_per_match(RowPattern& pattern);
  std::unique_ptr<PatternTerm> row_pattern();
  std::unique_ptr<PatternTerm> row_pattern_sequence();
  std::unique_ptr<PatternTerm> row_pattern_term();
  std::unique_ptr<PatternTerm> pattern_quantifier(std::unique_ptr<PatternTerm> term);
  RelationPtr match_recognize(RelationPtr input);

  // Relations (parser_relation.cc)
  RelationPtr from_list();
  RelationPtr relation(RelationPtr first = nullptr);
  RelationPtr join_rest(RelationPtr left);
  bool join_type(Join& join);
  RelationPtr sampled_relation(RelationPtr first = nullptr);
  RelationPtr alias_of(RelationPtr relation);
  RelationPtr relation_primary();
  RelationPtr relation_in_parens();
  RelationPtr unnest();
  RelationPtr lateral();
  RelationPtr table_function();
  TableFunction::Arg table_function_argument();
  void table_argument(TableFunction::Arg& arg);
  std::unique_ptr<TableRef> table_ref();

  // Statements (parser_statement.cc, parser_ddl.cc, parser_security.cc, parser_dml.cc)
  StatementPtr statement();
  StatementPtr statement_by_keyword();
  StatementPtr query_statement();
  StatementPtr explain();
  StatementPtr show();
  void like_clause(Show& show);
  StatementPtr describe();
  StatementPtr use();
  StatementPtr set();
  StatementPtr reset();
  StatementPtr prepare();
  StatementPtr execute();
  StatementPtr start_transaction();
  StatementPtr call_statement();
  std::pair<std::optional<Ident>, ExprPtr> call_argument();
  std::vector<std::pair<std::optional<Ident>, ExprPtr>> call_arguments_in_parens();

  StatementPtr insert();
  StatementPtr delete_statement();
  StatementPtr update();
  std::pair<Ident, ExprPtr> assignment();
  StatementPtr merge();
  MergeCase merge_case();
  StatementPtr truncate();
  StatementPtr analyze();

  StatementPtr create();
  StatementPtr create_catalog();
  StatementPtr create_schema();
  StatementPtr create_table(bool or_replace);
  StatementPtr create_table_as(CreateTableAs created);
  StatementPtr create_view(bool or_replace, bool materialized);
  StatementPtr create_function(bool or_replace);
  StatementPtr create_role();
  StatementPtr drop();
  StatementPtr drop_function();
  StatementPtr alter();
  StatementPtr alter_schema();
  StatementPtr alter_table();
  void alter_column(AlterTable& a);
  void add_column(AlterTable& a);
  StatementPtr alter_view(bool materialized);
  StatementPtr comment_on();
  TableElement table_element();
  ColumnDefinition column_definition(bool nested_name);
  std::optional<std::string> comment_clause();
  std::vector<Property> with_properties();
  std::vector<Property> property_assignments();
  bool if_exists();
  bool if_not_exists();

  StatementPtr grant();
  StatementPtr revoke();
  StatementPtr deny();
  std::vector<Ident> privileges_or_roles();
  void grant_object(Grant& g);
  std::pair<std::string, Ident> principal();
  std::string principal_text();
  std::string grantor_text();
  StatementPtr grant_privileges(StatementKind kind, std::vector<Ident> names, bool all,
                                bool option);

  // SQL routines (parser_routine.cc)
  std::shared_ptr<Routine> function_specification();
  Routine::Parameter parameter_declaration();
  bool routine_characteristic(Routine& routine);
  std::unique_ptr<RoutineStatement> control_statement();
  void control_if(RoutineStatement& s);
  void control_case(RoutineStatement& s);
  void control_compound(RoutineStatement& s);
  void control_loop(RoutineStatement& s);
  RoutineStatements control_statements();

  std::string_view text_;
  const std::vector<Token>& tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  int tallest_ = 0;
  int parameters_ = 0;
  bool reserved_field_names_ = false;
  size_t collect_at_;
  std::set<std::string> expected_;
};

}  // namespace meesh::sql
