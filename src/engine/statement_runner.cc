#include "engine/statement_runner.h"

#include "base/log.h"
#include "duckdb/common/progress_bar/progress_bar.hpp"
#include "duckdb/storage/buffer_manager.hpp"
#include "engine/batch_reader.h"
#include "engine/located_error.h"
#include "engine/object_files.h"
#include "sql/explain_error.h"

namespace meesh::engine {

using sql::StatementKind;

namespace {

bool returns_rows(StatementKind kind) { return kind == StatementKind::kQuery; }

/// What Trino calls the work of an update type when a connector cannot do it.
std::string_view changes_of(const std::string& update_type) {
  static const std::map<std::string_view, std::string_view> words = {
      {"CREATE SCHEMA", "creating schemas"},
      {"DROP SCHEMA", "dropping schemas"},
      {"RENAME SCHEMA", "renaming schemas"},
      {"CREATE TABLE", "creating tables"},
      {"DROP TABLE", "dropping tables"},
      {"RENAME TABLE", "renaming tables"},
      {"ADD COLUMN", "adding columns"},
      {"DROP COLUMN", "dropping columns"},
      {"RENAME COLUMN", "renaming columns"},
      {"SET COLUMN TYPE", "setting column types"},
      {"INSERT", "inserts"},
      {"TRUNCATE TABLE", "truncating tables"},
      {"DELETE", "modifying table rows"},
      {"UPDATE", "modifying table rows"},
      {"MERGE", "modifying table rows"},
      {"CREATE VIEW", "creating views"},
      {"DROP VIEW", "dropping views"},
      {"RENAME VIEW", "renaming views"},
      {"ANALYZE", "analyze"},
      {"CREATE MATERIALIZED VIEW", "creating materialized views"},
  };
  const auto found = words.find(update_type);
  return found == words.end() ? std::string_view(update_type) : found->second;
}

std::vector<sql::TableInfo> touched(const sql::Analysis& analysis) {
  std::vector<sql::TableInfo> tables = analysis.reads;
  tables.insert(tables.end(), analysis.writes.begin(), analysis.writes.end());
  return tables;
}

}  // namespace

bool counts_rows(StatementKind kind) {
  switch (kind) {
    case StatementKind::kInsert:
    case StatementKind::kDelete:
    case StatementKind::kUpdate:
    case StatementKind::kMerge:
    case StatementKind::kCreateTableAs:
      return true;
    default:
      return false;
  }
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

WriteNotice::WriteNotice(Core& core, RunningQuery& query, const sql::Statement& statement,
                         const sql::Analysis& analysis)
    : core_(core), query_(query) {
  if (!core_.observer) return;
  try {
    lineage_ = sql::lineage_of(statement, analysis, core_.catalogs);
  } catch (const std::exception& error) {
    log::warn("the lineage of a statement is not known",
              {{"query", query_.id()}, {"error", error.what()}});
  }
}

void WriteNotice::committing(soci::session& sql) {
  const auto& commit = query_.session().commit;
  if (commit && commit->also) commit->also(sql);
  if (!lineage_) return;
  core_.observer->committing(sql, {query_.info(), query_.session(), *lineage_});
  committed_ = true;
}

void WriteNotice::written(Transaction* transaction) {
  if (!core_.observer || !lineage_ || committed_) return;
  auto tell = [observer = core_.observer, info = query_.info(), session = query_.session(),
               lineage = std::move(*lineage_)] { observer->written({info, session, lineage}); };
  if (!transaction) return tell();
  transaction->once_committed.emplace_back(std::move(tell));
}

void StatementRunner::run() {
  const std::string& id = query_.session().transaction_id;
  if (!id.empty()) {
    transaction_ = core_.transactions.get(id);
    transaction_lock_ = std::unique_lock(transaction_->statement);
  }
  try {
    run_text(query_.text(), {});
  } catch (...) {
    if (transaction_) transaction_->failed = true;
    throw;
  }
}

void StatementRunner::run_text(std::string_view text, const Parameters& parameters) {
  dispatch(sql::parse(text), parameters);
}

void StatementRunner::dispatch(sql::StatementPtr statement, const Parameters& parameters) {
  const bool ends_transaction =
      statement->kind == StatementKind::kRollback || statement->kind == StatementKind::kCommit;
  if (transaction_ && transaction_->failed && !ends_transaction) {
    throw Error(Code::kTransactionAlreadyAborted,
                "Current transaction is aborted, commands ignored until end of transaction block");
  }
  if (run_session_statement(*statement, parameters)) return;
  if (statement->kind == StatementKind::kExplain) {
    return explain(sql::as<sql::Explain>(*statement), parameters);
  }
  if (run_definition(statement)) return;
  run_resolved(std::move(statement), parameters);
}

sql::ResolveContext StatementRunner::context(const Parameters& parameters) const {
  const Session& session = query_.session();
  sql::ResolveContext context;
  context.catalogs = &core_.catalogs;
  context.catalog = session.catalog;
  context.schema = session.schema;
  context.path = session.path;
  context.user = session.user;
  context.time_zone = session.time_zone;
  context.parameters = parameters;
  context.session_properties = &session.properties;
  return context;
}

ConnectionPool::Lease& StatementRunner::connection() {
  if (transaction_) {
    transaction_->connection.set_time_zone(query_.session().time_zone);
    set_caller(*transaction_->connection, query_.session().user);
    return transaction_->connection;
  }
  if (!lease_) {
    lease_ = core_.connections.acquire(query_.session().time_zone);
    set_caller(*lease_, query_.session().user);
  }
  return lease_;
}

void StatementRunner::check_writes(const sql::Analysis& analysis) {
  if (analysis.writes.empty()) return;
  for (const auto& table : analysis.writes) {
    const auto catalog = core_.catalogs.find(table.name.catalog);
    if (!catalog || !catalog->writable()) {
      throw Error(Code::kNotSupported, fmt::format("This connector does not support {}",
                                                   changes_of(analysis.update_type)))
          .with_hint(fmt::format("catalog '{}' is read-only", table.name.catalog));
    }
    if (!transaction_) continue;
    if (transaction_->info.read_only) {
      throw Error(Code::kReadOnlyViolation, "Cannot execute write in a read-only transaction");
    }
    auto& written = transaction_->info.written_catalog;
    if (!written.empty() && written != table.name.catalog) {
      throw Error(Code::kMultiCatalogWriteConflict,
                  fmt::format("Multi-catalog writes not supported in a single transaction. Already "
                              "wrote to catalog {}",
                              written));
    }
    written = table.name.catalog;
  }
}

/// Every catalog reads from a snapshot, which is stricter than the other levels.
void StatementRunner::check_isolation(const sql::Analysis& analysis) const {
  if (!transaction_ || transaction_->info.isolation_level != "SERIALIZABLE") return;
  if (analysis.reads.empty() && analysis.writes.empty()) return;
  throw Error(Code::kUnsupportedIsolationLevel,
              "Connector supported isolation level REPEATABLE READ does not meet requested "
              "isolation level SERIALIZABLE");
}

void StatementRunner::run_resolved(sql::StatementPtr statement, const Parameters& parameters) {
  const auto analysis = sql::resolve(statement, context(parameters));
  check_isolation(analysis);
  const StatementKind kind = statement->kind;  // resolution makes SHOW a query
  query_.set_update_type(analysis.update_type);
  if (is_idle(*statement, analysis)) {
    if (!counts_rows(kind)) return answer_done(analysis.update_type);
    query_.set_update_count(0);
    return answer_count(0);
  }
  check_writes(analysis);
  WriteNotice notice(core_, query_, *statement, analysis);
  if (run_in_catalog(*statement, analysis, notice) || define_in_source(*statement, analysis)) {
    return notice.written();
  }

  std::optional<std::string> remote;
  if (auto* query = sql::try_as<sql::QueryStatement>(statement.get()); query && !transaction_) {
    remote = sql::print_postgres(*query->query, analysis);
  }
  sql::Printed printed;
  if (!remote) printed = sql::print_duckdb(*statement);
  if (remote) {
    printed.text = fmt::format("SELECT * FROM postgres_query({}, {})",
                               quote_string(analysis.reads.front().remote_database),
                               quote_string(source_tag(query_.id()) + *remote));
  }

  const bool existed =
      (kind == StatementKind::kCreateTable || kind == StatementKind::kCreateTableAs) &&
      core_.catalogs.table(analysis.writes.front().name).has_value();
  const bool may_retry = returns_rows(statement->kind) && !transaction_;
  for (int attempt = 0;; ++attempt) {
    CatalogsInUse used;
    try {
      used = core_.catalogs.prepare(core_.duck, touched(analysis));
      execute(printed.text, remote ? nullptr : &printed, analysis, used);
      break;
    } catch (Error& error) {
      CatalogSet::on_error(error, used);
      lease_.discard();
      // A server that was restarted leaves dead connections behind; the catalog has dropped them
      // by now, so a statement that has shown nothing yet is simply asked again, once.
      const bool lost_server = error.kind() == ErrorKind::kExternal && !used.empty();
      if (!may_retry || !lost_server || attempt > 0 || query_.has_output())
        throw sql::explained(*statement, error);
    }
  }
  keep_comments(*statement, analysis, existed);
  notice.written(transaction_.get());
  if (counts_rows(kind) || returns_rows(kind)) {
    if (returns_rows(kind)) return;
  } else {
    answer_done(analysis.update_type);
  }
  if (kind == StatementKind::kInsert || kind == StatementKind::kDelete ||
      kind == StatementKind::kUpdate || kind == StatementKind::kMerge) {
    return;
  }
  invalidate(analysis);
}

/// IF EXISTS, and it does not; IF NOT EXISTS, and it does.
bool StatementRunner::is_idle(const sql::Statement& statement, const sql::Analysis& analysis) {
  if (analysis.writes.empty()) return false;
  const auto& target = analysis.writes.back();
  const auto absent = [&] { return !core_.catalogs.table(target.name); };
  switch (statement.kind) {
    case StatementKind::kDropSchema:
      return sql::as<sql::DropSchema>(statement).if_exists &&
             !core_.catalogs.schema_exists(target.name.catalog, target.name.schema);
    case StatementKind::kCreateTableAs:
      return sql::as<sql::CreateTableAs>(statement).if_not_exists && !absent();
    case StatementKind::kDropTable:
      return sql::as<sql::DropTable>(statement).if_exists && absent();
    case StatementKind::kDropView:
      return sql::as<sql::DropView>(statement).if_exists && absent();
    case StatementKind::kAlterView:
      return sql::as<sql::AlterView>(statement).if_exists && absent();
    case StatementKind::kAlterTable: {
      const auto& alter = sql::as<sql::AlterTable>(statement);
      if (alter.if_exists && absent()) return true;
      if (!alter.column_if_exists || alter.column_name.size() != 1) return false;
      const std::string column = lower_case(alter.column_name.front().value);
      return std::ranges::none_of(target.columns, [&](const auto& c) { return c.name == column; });
    }
    default:
      return false;
  }
}

/// DuckDB's CREATE TABLE and ADD COLUMN take no comments.
void StatementRunner::keep_comments(const sql::Statement& statement, const sql::Analysis& analysis,
                                    bool existed) {
  if (existed || analysis.writes.empty() || !statement.keeps_labels) return;
  const std::string& target = statement.duckdb_target;
  const auto comment = [&](const std::string& on, const std::string& text) {
    const auto result = (*connection()).Query("COMMENT ON " + on + " IS " + quote_string(text));
    if (result->HasError()) throw translate(result->GetErrorObject());
  };
  const auto of_column = [&](const std::string& name, const std::string& text) {
    if (!text.empty()) comment("COLUMN " + target + "." + quote_ident(name), text);
  };
  if (const auto* alter = sql::try_as<const sql::AlterTable>(&statement)) {
    if (alter->column && alter->column->comment)
      of_column(lower_case(alter->column->name.back().value), *alter->column->comment);
    return;
  }
  const auto& table = analysis.writes.back();
  if (statement.kind != StatementKind::kCreateTable &&
      statement.kind != StatementKind::kCreateTableAs)
    return;
  if (!table.comment.empty()) comment("TABLE " + target, table.comment);
  for (const auto& column : table.columns) of_column(column.name, column.comment);
}

void StatementRunner::invalidate(const sql::Analysis& analysis) {
  for (const auto& table : analysis.writes) {
    if (auto catalog = core_.catalogs.find(table.name.catalog)) catalog->invalidate();
  }
}

void StatementRunner::watch(duckdb::Connection& connection) {
  const auto now = RunningQuery::Clock::now();
  if (now - last_watch_ < std::chrono::milliseconds(20)) return;
  last_watch_ = now;
  query_.throw_if_canceled();
  auto progress = connection.context->GetQueryProgress();
  const auto& buffers = duckdb::BufferManager::GetBufferManager(*core_.duck.db->instance);
  query_.set_progress(progress.GetPercentage(), progress.GetRowsProcesseed(),
                      buffers.GetUsedMemory(), buffers.GetUsedSwap());
}

std::unique_ptr<duckdb::QueryResult> StatementRunner::start(duckdb::Connection& connection,
                                                            const std::string& text,
                                                            const sql::Printed* positions) {
  auto pending = connection.PendingQuery(text, duckdb::QueryResultOutputType::ALLOW_STREAMING);
  if (pending->HasError()) throw located(pending->GetErrorObject(), positions);
  constexpr std::chrono::microseconds kShortestPause{20}, kLongestPause{500};
  auto pause = kShortestPause;
  while (true) {
    const auto step = pending->ExecuteTask();
    if (step == duckdb::PendingExecutionResult::EXECUTION_ERROR) {
      throw located(pending->GetErrorObject(), positions);
    }
    if (duckdb::PendingQueryResult::IsResultReady(step)) break;
    if (step == duckdb::PendingExecutionResult::BLOCKED) {
      pending->WaitForTask();
    } else if (step == duckdb::PendingExecutionResult::NO_TASKS_AVAILABLE) {
      // The last tasks run elsewhere; WaitForTask returns at once then, and asking again and again
      // would take a core from them.
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, kLongestPause);
    } else {
      pause = kShortestPause;
    }
    watch(connection);
  }
  auto result = pending->Execute();
  if (result->HasError()) throw located(result->GetErrorObject(), positions);
  return result;
}

void StatementRunner::execute(const std::string& text, const sql::Printed* positions,
                              const sql::Analysis& analysis, const CatalogsInUse& used) {
  auto& lease = connection();
  RunningQuery::Interruptible interruptible(query_, *lease, used);
  query_.enter(QueryState::kRunning);
  try {
    auto result = start(*lease, text, positions);
    if (analysis.update_type.empty()) {
      stream(*result, analysis, &*lease);
    } else {
      report_update(*result, analysis);
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    throw located(duckdb::ErrorData(e), positions);
  }
}

void StatementRunner::stream(duckdb::QueryResult& result, const sql::Analysis& analysis,
                             duckdb::Connection* connection) {
  std::vector<Column> columns;
  std::vector<sql::Type> types;
  for (size_t i = 0; i < result.types.size(); ++i) {
    const bool known = i < analysis.columns.size();
    types.push_back(shown_type(result.types[i],
                               known ? analysis.columns[i].declared : std::optional<sql::Type>{}));
    columns.push_back({known ? analysis.columns[i].name : result.names[i], types.back()});
  }
  const BatchReader reader({result.types.begin(), result.types.end()}, types);
  query_.set_columns(std::move(columns));
  while (auto chunk = result.FetchRaw()) {
    if (chunk->size() == 0) break;
    if (result.type == duckdb::QueryResultType::MATERIALIZED_RESULT) {
      // Its chunks borrow from the result, which dies before the batch does.
      auto copy = duckdb::make_uniq<duckdb::DataChunk>();
      copy->Initialize(duckdb::Allocator::DefaultAllocator(), result.types);
      chunk->Copy(*copy);
      chunk = std::move(copy);
    }
    query_.push(reader.read(std::move(chunk)));
    if (connection) watch(*connection);
  }
  if (result.HasError()) throw located(result.GetErrorObject(), nullptr);
}

void StatementRunner::report_update(duckdb::QueryResult& result, const sql::Analysis& analysis) {
  std::optional<int64_t> count;
  while (auto chunk = result.Fetch()) {
    if (chunk->size() == 0) break;
    if (chunk->ColumnCount() == 1 && chunk->data[0].GetType().IsIntegral()) {
      count = chunk->GetValue(0, 0).GetValue<int64_t>();
    }
  }
  if (result.HasError()) throw located(result.GetErrorObject(), nullptr);
  if (!count || analysis.update_type == "TRUNCATE TABLE") return;  // which tells no count
  query_.set_update_count(static_cast<uint64_t>(*count));
  answer_count(*count);
}

void StatementRunner::answer_done(std::string update_type) {
  query_.set_update_type(std::move(update_type));
  query_.set_columns({});
}

void StatementRunner::answer_count(int64_t rows) {
  auto chunk = duckdb::make_uniq<duckdb::DataChunk>();
  chunk->Initialize(duckdb::Allocator::DefaultAllocator(), {duckdb::LogicalType::BIGINT});
  chunk->SetValue(0, 0, duckdb::Value::BIGINT(rows));
  chunk->SetCardinality(1);
  const sql::Type type = shown_type(duckdb::LogicalType::BIGINT, {});
  query_.set_columns({{"rows", type}});
  query_.push(BatchReader({duckdb::LogicalType::BIGINT}, {type}).read(std::move(chunk)));
}

void StatementRunner::answer_rows(const std::string& duckdb_text) {
  auto lease = core_.connections.acquire("UTC");
  auto result = lease->Query(duckdb_text);
  if (result->HasError()) throw located(result->GetErrorObject(), nullptr);
  stream(*result, {}, nullptr);
}

}  // namespace meesh::engine
