// The resolver's state over one statement. Its member functions stand in resolve.cc (entry and
// statements), resolve_query.cc, resolve_recursive.cc, resolve_relation.cc, resolve_expression.cc,
// resolve_grouping.cc, resolve_definition.cc and resolve_write.cc.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sql/routine.h"
#include "sql/scope.h"
#include "sql/sql.h"

namespace meesh::sql {

class Resolver {
 public:
  Resolver(const ResolveContext& context, Analysis& analysis)
      : context_(context), analysis_(analysis) {}

  void statement(StatementPtr& statement);

 private:
  struct Cte {
    std::string printed;         // unique in the statement
    std::vector<Field> columns;  // names and types only
  };
  /// Where names of tables are looked up: common table expressions, then the session's defaults.
  struct Env {
    const Env* parent = nullptr;
    std::map<std::string, Cte> ctes;
    std::string catalog, schema;

    const Cte* find(const std::string& name) const;
    Env inner() const { return {this, {}, catalog, schema}; }
  };
  using Fields = std::vector<Field>;

  // resolve_query.cc
  Fields query(Query& query, const Env& env, const Scope* outer);
  Fields body(QueryBodyPtr& body, const Env& env, const Scope* outer);
  Fields select(Select& select, std::vector<SortItem>* order_by, const Env& env,
                const Scope* outer);
  Fields select_items(Select& select, const Scope& scope, const Env& env);
  void expand_star(SelectItem& item, const Scope& scope, const Env& env,
                   std::vector<SelectItem>& items, Fields& outputs);
  void order_select(Select& select, const Fields& outputs, std::vector<SortItem>& order_by,
                    const Scope& scope, const Env& env);
  /// Replaces output names inside an ORDER BY expression by what they stand for.
  static void substitute_outputs(ExprPtr& slot, const Select& select, const Scope& outputs,
                                 bool in_aggregate);
  void order_outputs(Query& query, const Fields& outputs, const Env& env, const Scope* outer);
  Fields set_operation(SetOperation& op, const Env& env, const Scope* outer);
  void correspond(SetOperation& op, Fields& left, Fields& right);
  /// A SELECT of some of a body's outputs, which become those.
  QueryBodyPtr choose(QueryBodyPtr body, Fields& outputs, const std::vector<size_t>& chosen);
  Fields values(Values& values, const Env& env, const Scope* outer);
  void with(Query& query, Env& env, const Scope* outer);
  Cte cte_of(NamedQuery& named, Fields outputs, std::string printed);
  void limits(Query& query, const Env& env);
  void named_windows(Select& select, const Scope& scope, const Env& env);

  // resolve_subquery.cc
  /// Of several columns: a row of them.
  void scalar_subquery(ExprPtr& slot, const Scope& scope, const Env& env);
  void in_subquery(InSubquery& node, const Scope& scope, const Env& env);
  void quantified(Quantified& node, const Scope& scope, const Env& env);
  /// Brings the two sides of IN, ANY and ALL to one type.
  void compare_subquery(const Expr& at, ExprPtr& value, QueryPtr& query, Fields outputs);
  /// Puts the query under one that gives its columns as one row; its type, if it is known.
  std::optional<Type> as_one_row(QueryPtr& query, Fields outputs);

  // resolve_recursive.cc
  /// Throws unless the query is a recursion that Trino takes, or none.
  static bool is_recursion(NamedQuery& named);
  static void check_recursion(Query& query, QueryBody& step, TableRef& reference,
                              const std::string& name);
  /// What stands in its place in WITH; `env` knows its name afterwards.
  std::vector<NamedQuery> recursive_query(NamedQuery named, Env& env, const Scope* outer);
  static void check_step(const Fields& base, const Fields& step, Position pos);
  /// A query of the different rows of another, which `cte` then stands for.
  NamedQuery distinct_rows(Cte& cte, const std::vector<Ident>& columns, Position pos);

  // resolve_relation.cc
  /// `lateral` is what LATERAL and UNNEST see; it ends in `outer`.
  Fields relation(RelationPtr& relation, const Env& env, const Scope* outer, const Scope* lateral);
  Fields table(RelationPtr& slot, const Env& env);
  Fields view(RelationPtr& slot, const TableInfo& info);
  /// The query of a view; throws INVALID_VIEW.
  Fields view_query(QueryPtr& query, const TableInfo& info, Position pos);
  Fields aliased(RelationPtr& slot, const Env& env, const Scope* outer, const Scope* lateral);
  /// Makes it a number from 0 to 100.
  void sample_size(ExprPtr& slot, const Env& env);
  Fields join(Join& join, const Env& env, const Scope* outer);
  static void check_lateral(Join& join, const Fields& left);
  void join_using(Join& join, Fields& left, Fields& right, Fields& joined);
  Fields unnest(Unnest& unnest, const Env& env, const Scope* lateral);
  /// Puts a relation that has no name of its own under one: the printed columns are unique.
  Fields wrap(RelationPtr& slot, Fields columns, const std::string& alias_base);
  TableInfo table_info(const Name& name, const Env& env, Position pos,
                       const TableVersion* version = nullptr);
  TableName full_name(const Name& name, const Env& env, Position pos);
  void note_read(const TableInfo& info);

  // resolve_expression.cc
  void expr(ExprPtr& slot, const Scope& scope, const Env& env);
  void children(Expr& expr, const Scope& scope, const Env& env);
  bool name(ExprPtr& slot, const Scope& scope);
  void parameter(ExprPtr& slot, const Scope& scope, const Env& env);
  void current(ExprPtr& slot);
  void lambda(Lambda& lambda, const std::vector<std::optional<Type>>& types, const Scope& scope,
              const Env& env);
  void call(FunctionCall& call, const Scope& scope, const Env& env);
  void window(WindowSpec& spec, const Scope& scope, const Env& env);
  void check_form(FunctionCall& call, const std::string& name);
  void predicate(ExprPtr& slot, const Scope& scope, const Env& env, const char* clause);
  static ExprPtr reference(const Field& field, Position pos, std::string written);

  // routine_resolve.cc
  /// A function written in SQL. Its body is resolved when it is first called.
  struct Callable {
    std::shared_ptr<Routine> routine;
    std::shared_ptr<RoutineProgram> program;
    enum class State { kDeclared, kCompiling, kReady } state = State::kDeclared;
  };
  using Callables = std::vector<std::shared_ptr<Callable>>;
  /// WITH FUNCTION: from then on the statement can call them.
  void inline_functions(Query& query);
  /// Checks all but the body.
  static std::shared_ptr<Callable> declare(std::shared_ptr<Routine> routine,
                                           const std::string& name);
  void compile(Callable& callable, const Env& env);
  /// What the name may mean; empty: one of Trino's own functions, if any.
  const Callables& routines_named(const Name& name, const Env& env);
  const Callables& stored_routines(const std::string& catalog, const std::string& schema,
                                   const std::string& name);
  /// False when the call means none of them.
  bool routine_call(FunctionCall& call, const Scope& scope, const Env& env);
  void create_function(CreateFunction& create);
  friend class RoutineCompiler;

  // resolve_table_function.cc
  Fields table_function(RelationPtr& slot, const Env& env);
  Fields sequence(TableFunction& function, const Env& env);
  Fields exclude_columns(RelationPtr& slot, const Env& env);
  Fields pass_through(RelationPtr& slot, const std::string& catalog);

  // resolve_json_table.cc
  Fields json_table(RelationPtr& slot, const Env& env, const Scope* outer, const Scope* lateral);

  // resolve_row_pattern.cc
  Fields match_recognize(RelationPtr& slot, const Env& env, const Scope* outer,
                         const Scope* lateral);
  friend class RowPatternCompiler;

  // resolve_grouping.cc
  void group_by(Select& select, const Scope& scope, const Env& env, std::set<std::string>& keys);
  void check_grouping(const Select& select, const std::vector<SortItem>* order_by,
                      const Scope& scope, const std::set<std::string>& keys);

  // resolve_write.cc
  void insert(Insert& insert);
  void remove(Delete& remove);
  void update(Update& update);
  void merge(Merge& merge);
  void create_table(CreateTable& create);
  void create_table_as(CreateTableAs& create);
  void label(QueryPtr& query, Fields outputs, const std::vector<ColumnInfo>& columns);
  /// What CREATE VIEW and CREATE MATERIALIZED VIEW have in common; resolves the query.
  TableInfo view_of(CreateView& create, const TableName& name, TableInfo::Kind kind);
  void create_view(CreateView& create);
  void create_materialized_view(CreateView& create);
  void refresh(RefreshMaterializedView& refresh);
  TableInfo target(TableRef& table, const char* refusal, Position pos);
  Fields target_fields(const TableInfo& info, const std::string& alias,
                       const std::optional<Ident>& name);
  void assign(std::vector<std::pair<Ident, ExprPtr>>& assignments, const TableInfo& info,
              const Scope& scope, const char* verb);
  void store(ExprPtr& value, const Type& type);
  /// TYPE_MISMATCH unless the columns can hold the outputs.
  static void check_insert(const Fields& outputs, const std::vector<ColumnInfo>& columns,
                           Position pos);
  /// Puts the query under one that gives its outputs as these columns, in their types.
  /// `exactly`: varchar(5) is not good enough for varchar.
  void fit(QueryPtr& query, Fields outputs, const std::vector<ColumnInfo>& columns,
           bool exactly = false);
  static void declare(Fields& fields, Position pos);
  TableName new_name(const Name& name, Position pos);
  std::optional<TableInfo> existing(const TableName& name, Position pos);
  bool definition(Statement& statement);
  void schema_statement(const Name& name, Position pos, bool exists, bool tolerate,
                        Statement& statement);
  void drop_table(Statement& statement, const Name& name, bool if_exists, TableInfo::Kind kind,
                  const char* word);
  void rename_view(AlterView& alter);
  void alter_schema(AlterSchema& alter);
  void alter_table(AlterTable& alter);
  void comment(CommentOn& comment);

  // resolve.cc
  void substatement(StatementPtr& statement) { this->statement(statement); }
  Env top() const { return {nullptr, {}, context_.catalog, context_.schema}; }
  void columns_of(const Fields& outputs);
  /// A relation name nobody else in the statement has.
  std::string unique(const std::string& base);

  const ResolveContext& context_;
  Analysis& analysis_;
  std::set<std::string> aliases_;
  std::optional<Position> select_at_;        // where the SELECT begins that is being resolved
  std::vector<std::string> views_;           // being expanded, outermost first
  std::map<std::string, Callables> inline_;  // WITH FUNCTION, by name
  std::map<std::string, Callables> stored_;  // by catalog.schema.name, once looked for
};

/// True for the call of an aggregate function that is not a window.
bool is_aggregate(const Expr& expr);
bool is_window(const Expr& expr);
/// Throws EXPRESSION_NOT_SCALAR when the predicate holds aggregates, windows or GROUPING.
void refuse_aggregates(const Expr& predicate, const char* clause);

/// The value of a resolved expression of numbers alone; nothing if it is another.
std::optional<double> number_of(const Expr& expr);

/// For catalogs that have no properties of this kind ("table", "schema", "column", "analyze",
/// "materialized view"): refuses the first.
void refuse_properties(const std::vector<Property>& properties, const std::string& catalog,
                       const std::string& kind);
/// TYPE_NOT_FOUND in the words that Trino has for columns.
void check_column_type(const TypeNode& type, const std::string& column, Position pos);

/// Where a new table of this name lives in DuckDB: "catalog"."schema"."table".
std::string duckdb_name(const TableName& name);

}  // namespace meesh::sql
