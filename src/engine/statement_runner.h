// Runs one statement from text to its last row on the thread that calls run(). Split by kind of
// statement: statement_runner.cc (dispatch, queries, data changes), session_statements.cc (what
// only touches the session or the server), definition_statements.cc (schemas, tables, views).
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
  bool run_session_statement(sql::Statement& statement);
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

  void invalidate(const sql::Analysis& analysis);

  // session_statements.cc
  void use(const sql::Use& statement);
  void set_session(const sql::SetSession& statement);
  void reset_session(const sql::ResetSession& statement);
  void prepare(const sql::Prepare& statement);
  void execute_prepared(const sql::Execute& statement);
  void deallocate(const sql::Deallocate& statement);
  void start_transaction(const sql::StartTransaction& statement);
  void end_transaction(const std::string& command);
  void call(const sql::Call& statement);
  void describe_input(const sql::DescribeInput& statement);
  void describe_output(const sql::DescribeOutput& statement);
  const std::string& prepared_text(const sql::Ident& name) const;

  // definition_statements.cc
  void explain(sql::Explain& statement, const Parameters& parameters);
  /// Tables that their source must define itself, so that types are kept; false: DuckDB does it.
  bool define_in_source(sql::Statement& statement, const sql::Analysis& analysis);
  /// Changes that the catalog runs itself; false: it does not.
  bool run_in_catalog(sql::Statement& statement, const sql::Analysis& analysis,
                      WriteNotice& notice);
  bool create_table_as(sql::CreateTableAs& statement, const sql::Analysis& analysis,
                       Catalog& catalog);
  void create_view(sql::CreateView& statement);
  void drop_view(const sql::DropView& statement);
  void rename_view(const sql::AlterView& statement);
  void comment(const sql::CommentOn& statement);
  void create_catalog(const sql::CreateCatalog& statement);
  void drop_catalog(const sql::DropCatalog& statement);
  sql::TableName full_name(const sql::Name& name) const;
  std::vector<Column> bound_columns(sql::Statement& statement, const sql::Analysis& analysis);

  /// A statement that returns nothing has no columns and no rows.
  void answer_done(std::string update_type);
  void answer_count(int64_t rows);  // of what a statement changed
  void answer_rows(const std::string& duckdb_text);

  sql::ResolveContext context(const Parameters& parameters) const;
  ConnectionPool::Lease& connection();
  void check_writes(const sql::Analysis& analysis);

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

}  // namespace meesh::engine
