// The resolver's state over one statement. Its member functions stand in resolve.cc (entry and
// statements), resolve_query.cc, resolve_relation.cc, resolve_expression.cc, resolve_grouping.cc
// and resolve_write.cc.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

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
  Fields values(Values& values, const Env& env, const Scope* outer);
  void with(Query& query, Env& env, const Scope* outer);
  void named_query(NamedQuery& named, bool recursive, Env& env, const Scope* outer);
  void recursive_query(NamedQuery& named, Env& env, const Scope* outer);
  Cte cte_of(NamedQuery& named, Fields outputs, std::string printed);
  void limits(Query& query, const Env& env);
  void named_windows(Select& select, const Scope& scope, const Env& env);

  // resolve_relation.cc
  /// `lateral` is what LATERAL and UNNEST see; it ends in `outer`.
  Fields relation(RelationPtr& relation, const Env& env, const Scope* outer, const Scope* lateral);
  Fields table(RelationPtr& slot, const Env& env);
  Fields view(RelationPtr& slot, const TableInfo& info);
  /// The query of a view; throws INVALID_VIEW.
  Fields view_query(QueryPtr& query, const TableInfo& info, Position pos);
  Fields aliased(RelationPtr& slot, const Env& env, const Scope* outer, const Scope* lateral);
  Fields join(Join& join, const Env& env, const Scope* outer);
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
  void lambda(Lambda& lambda, const Scope& scope, const Env& env);
  void call(FunctionCall& call, const Scope& scope, const Env& env);
  void window(WindowSpec& spec, const Scope& scope, const Env& env);
  Field subquery(Query& query, const Scope& scope, const Env& env, size_t width);
  void check_form(FunctionCall& call, const std::string& name);
  /// Brings the two sides of IN, ANY and ALL to one type.
  void fit_subquery(const Expr& at, ExprPtr& value, Query& query, const std::optional<Type>& inner);
  void predicate(ExprPtr& slot, const Scope& scope, const Env& env, const char* clause);
  static ExprPtr reference(const Field& field, Position pos, std::string written);

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
  /// What CREATE VIEW and CREATE MATERIALIZED VIEW have in common; resolves the query.
  TableInfo view_of(CreateView& create, const TableName& name, TableInfo::Kind kind);
  void create_view(CreateView& create);
  void create_materialized_view(CreateView& create);
  void refresh(RefreshMaterializedView& refresh);
  TableInfo target(TableRef& table, const char* refusal);
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
  void declare(Fields& fields);
  TableName new_name(const Name& name, Position pos);
  std::optional<TableInfo> existing(const TableName& name, Position pos);
  bool definition(Statement& statement);
  void schema_statement(const Name& name, Position pos, bool exists, bool tolerate,
                        Statement& statement);
  void drop_table(Statement& statement, const Name& name, bool if_exists, TableInfo::Kind kind,
                  const char* word);
  void rename_view(AlterView& alter);
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
  std::vector<std::string> views_;  // being expanded, outermost first
};

/// True for the call of an aggregate function that is not a window.
bool is_aggregate(const Expr& expr);
bool is_window(const Expr& expr);
/// Throws EXPRESSION_NOT_SCALAR when the predicate holds aggregates, windows or GROUPING.
void refuse_aggregates(const Expr& predicate, const char* clause);

/// Where a new table of this name lives in DuckDB: "catalog"."schema"."table".
std::string duckdb_name(const TableName& name);

}  // namespace meesh::sql
