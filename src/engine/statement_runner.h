// Runs one statement from text to its last row on the thread that calls run(). Split by kind of
// statement: statement_runner.cc (dispatch, queries, data changes), session_statements.cc (what
// only touches the session or the server), prepared_statements.cc, explain_statements.cc,
// definition_statements.cc (schemas, tables, views).
#pragma once

#include "engine/catalog_set.h"
#include "engine/connections.h"
#include "engine/duck.h"
#include "engine/running_query.h"
#include "engine/transactions.h"

namespace meesh::engine {

/// What statements need of the engine.
struct Core {
  const Options& options;
  Duck& duck;
  CatalogSet& catalogs;
  ConnectionPool& connections;
  Transactions& transactions;
  std::function<std::shared_ptr<RunningQuery>(const std::string&)> find_query;
  StatementObserver* observer = nullptr;
};

/// Tells the observer of one statement: in the transaction of a lake's commit if it has one, else
/// when it is done, and in a client's transaction when that is committed. What went where is taken
/// from the statement before it runs, which uses it up.
class WriteNotice {
 public:
  WriteNotice(Core& core, RunningQuery& query, std::optional<sql::Lineage> lineage)
      : core_(core), query_(query), lineage_(std::move(lineage)) {}
  WriteNotice(Core& core, RunningQuery& query, const sql::Statement& statement,
              const sql::Analysis& analysis);
  /// Within the commit; also does what the session asked for there.
  void committing(soci::session& sql);
  /// The statement has ended well; in `transaction`, if there is one.
  void written(Transaction* transaction = nullptr);

 private:
  Core& core_;
  RunningQuery& query_;
  std::optional<sql::Lineage> lineage_;
  bool committed_ = false;
};

class StatementRunner {
 public:
  StatementRunner(Core& core, RunningQuery& query) : core_(core), query_(query) {}
  /// Throws what the query fails with.
  void run();

 private:
  using Parameters = std::vector<const sql::Expr*>;

  void run_text(std::string_view text, const Parameters& parameters);
  void dispatch(sql::StatementPtr statement, const Parameters& parameters);
  /// USE, SET SESSION, PREPARE, transactions, CALL …; false if the kind is none of them.
  bool run_session_statement(sql::Statement& statement, const Parameters& parameters);
  /// Views, comments, catalogs, what is refused; false if the kind is none of them.
  bool run_definition(sql::StatementPtr& statement);

  void run_resolved(sql::StatementPtr statement, const Parameters& parameters);
  void execute(const std::string& text, const sql::Printed* positions,
               const sql::Analysis& analysis, const CatalogsInUse& used);
  void stream(duckdb::QueryResult& result, const sql::Analysis& analysis,
              duckdb::Connection* connection);
  void report_update(duckdb::QueryResult& result, const sql::Analysis& analysis);
  std::unique_ptr<duckdb::QueryResult> start(duckdb::Connection& connection,
                                             const std::string& text,
                                             const sql::Printed* positions);
  std::unique_ptr<duckdb::MaterializedQueryResult> materialized(duckdb::Connection& connection,
                                                                const sql::Printed& text);
  void watch(duckdb::Connection& connection);

  bool is_idle(const sql::Statement& statement, const sql::Analysis& analysis);
  void keep_comments(const sql::Statement& statement, const sql::Analysis& analysis, bool existed);
  void invalidate(const sql::Analysis& analysis);

  // session_statements.cc
  struct Constant {
    sql::Type type;
    std::optional<std::string> text;  // minutes for an interval; nothing for NULL
  };
  Constant constant(const sql::Expr& expression, const Parameters& parameters);
  void use(const sql::Use& statement);
  void check_property(const sql::Name& written, const Location& where);
  void set_session(const sql::SetSession& statement, const Parameters& parameters);
  void check_zone(const std::string& zone, const Location& where);
  void reset_session(const sql::ResetSession& statement);
  void set_time_zone(const sql::SetTimeZone& statement, const Parameters& parameters);
  /// NOT_SUPPORTED unless the client says that it has it.
  void require_capability(const char* capability, const char* statement) const;
  void set_path(const sql::SetPath& statement);
  /// Refuses the catalog of a statement about roles; none is fine.
  void check_role_catalog(const std::optional<sql::Ident>& written, const sql::Position& pos) const;
  void set_role(const sql::SetRole& statement);
  void set_authorization(const sql::SetSessionAuthorization& statement);
  void start_transaction(const sql::StartTransaction& statement);
  void end_transaction(const std::string& command);
  void call(const sql::Call& statement);
  void kill_query(const sql::Call& statement);

  // prepared_statements.cc
  void prepare(const sql::Prepare& statement);
  void execute_prepared(const sql::Execute& statement);
  void execute_immediate(const sql::ExecuteImmediate& statement);
  void deallocate(const sql::Deallocate& statement);
  void describe_input(const sql::DescribeInput& statement);
  void describe_output(const sql::DescribeOutput& statement);
  const std::string& prepared_text(const sql::Ident& name) const;

  // explain_statements.cc
  void explain(sql::Explain& statement, const Parameters& given);
  void explain_resolved(const sql::Explain& statement, sql::StatementPtr inner,
                        const sql::Analysis& analysis);
  void answer_plan(const std::string& plan, bool measured = false);

  // definition_statements.cc
  /// Tables that their source must define itself, so that types are kept; false: DuckDB does it.
  bool define_in_source(sql::Statement& statement, const sql::Analysis& analysis);
  /// Changes that the catalog runs itself; false: it does not.
  bool run_in_catalog(sql::Statement& statement, const sql::Analysis& analysis,
                      WriteNotice& notice);
  bool create_table_as(sql::CreateTableAs& statement, const sql::Analysis& analysis,
                       Catalog& catalog);
  void create_view(sql::StatementPtr& statement);
  void drop_view(sql::StatementPtr& statement);
  void rename_view(sql::StatementPtr& statement);
  void comment(sql::StatementPtr& statement);
  void rename_schema(sql::StatementPtr& statement);
  [[noreturn]] void refuse_grant(const sql::Grant& grant);
  void change_role(const sql::RoleStatement& role);
  void create_function(sql::StatementPtr& statement);
  void drop_function(const sql::DropFunction& statement);
  sql::TableName full_name(const sql::Name& name) const;
  std::vector<Column> bound_columns(sql::Statement& statement, const sql::Analysis& analysis);

  /// A statement that returns nothing has no columns and no rows.
  void answer_done(std::string update_type);
  void answer_count(int64_t rows);  // of what a statement changed
  void answer_rows(const std::string& duckdb_text);

  sql::ResolveContext context(const Parameters& parameters) const;
  ConnectionPool::Lease& connection();
  void check_writes(const sql::Analysis& analysis);
  void check_isolation(const sql::Analysis& analysis) const;

  Core& core_;
  RunningQuery& query_;
  std::shared_ptr<Transaction> transaction_;
  std::unique_lock<std::mutex> transaction_lock_;
  ConnectionPool::Lease lease_;  // autocommit
  RunningQuery::Clock::time_point last_watch_{};
};

/// A property value or call argument: the text of a literal; NOT_SUPPORTED for expressions.
std::string literal_text(const sql::Expr* expression, std::string_view what);
std::string lower_case(std::string_view text);
/// Whether the statement tells how many rows it has changed.
bool counts_rows(sql::StatementKind kind);

}  // namespace meesh::engine
