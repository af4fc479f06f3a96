// The engine's surface: every statement of every protocol enters at Engine::submit and comes back
// as batches of rows from a Query.
//
//   auto query = engine.submit("SELECT 1", session);
//   while (auto batch = query->next()) encode(*batch);     // blocks; throws meesh::Error
//
// Life of a query: QUEUED (admission) → PLANNING → RUNNING → FINISHED | FAILED | CANCELED. One
// engine thread produces batches into a bounded buffer; consumers drain it (back-pressure). A query
// nobody reads for Options::client_timeout is abandoned.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/batch.h"
#include "engine/catalog.h"
#include "sql/lineage.h"
#include "sql/sql.h"

namespace soci {
class session;
}
namespace meesh::objects {
class Store;
}

namespace meesh::engine {

/// What a statement that changes a table of the lake takes along in its commit; for statements of
/// our own rooms. Statements that change nothing else leave it alone.
struct LakeCommit {
  /// Runs in the transaction of the metadata database that publishes the change: where the rows
  /// came from, how far a run is. Also when no row came.
  std::function<void(soci::session&)> also;
  /// INSERT: the files of this partition leave in the same commit, so that running it again gives
  /// the same table. Columns that the table is partitioned by as they are, and their values as
  /// people write them; together they may leave columns of the partition open.
  std::vector<std::pair<std::string, std::string>> replaced_partition;
  std::map<std::string, std::string> summary;  // of the snapshot
  /// Write, audit, publish: called when the rows are written and nobody sees them yet. `candidate`
  /// is the SQL name under which other statements can read the table as it would be. What it throws
  /// ends the statement, and nothing has changed.
  std::function<void(const std::string& candidate)> audit;
  /// CREATE OR REPLACE TABLE: takes the place of a view of this name in the same commit.
  bool instead_of_view = false;
};

/// Who asks and with what defaults; protocols fill it from headers for each statement.
struct Session {
  std::string user;
  std::string original_user;
  std::string source, client_info, trace_token, language;
  std::vector<std::string> client_tags;
  std::vector<std::string> client_capabilities;  // "PATH", "SESSION_AUTHORIZATION", …
  std::string catalog, schema, path;
  std::string time_zone = "UTC";
  std::map<std::string, std::string> properties;           // SET SESSION name → value text
  std::map<std::string, std::string> prepared_statements;  // name → SQL text
  std::string transaction_id;                              // "" = autocommit
  std::string remote_address, user_agent;
  std::shared_ptr<const LakeCommit> commit;  // null for clients' statements
};

/// What a statement changed in the client's session; the protocol tells the client.
struct SessionChanges {
  std::optional<std::string> set_catalog, set_schema, set_path;
  std::map<std::string, std::string> set_properties;
  std::vector<std::string> reset_properties;
  std::map<std::string, std::string> added_prepare;
  std::vector<std::string> deallocated_prepare;
  std::map<std::string, std::string> set_roles;  // catalog → role text
  std::optional<std::string> started_transaction_id;
  bool clear_transaction_id = false;
  std::optional<std::string> set_authorization_user;
  bool reset_authorization_user = false;
};

struct Column {
  std::string name;
  sql::Type type;
};

enum class QueryState { kQueued, kPlanning, kRunning, kFinishing, kFinished, kFailed };
std::string_view state_name(QueryState state);  // "QUEUED", …

/// A consistent reading of a query, taken under its lock.
struct QueryInfo {
  std::string id, text, user, source, catalog, schema, trace_token;
  QueryState state{};
  std::chrono::system_clock::time_point created, ended;  // ended: epoch while running
  int64_t queued_ms = 0, planning_ms = 0, elapsed_ms = 0, cpu_ms = 0;
  double progress = 0;  // 0..100
  bool progress_known = false;
  uint64_t rows_out = 0, bytes_out = 0;
  uint64_t rows_read = 0, bytes_read = 0;
  uint64_t peak_memory = 0, spilled = 0;
  std::string update_type;
  std::optional<uint64_t> update_count;
  std::optional<Error> error;
};

class Query {
 public:
  virtual ~Query() = default;
  virtual const std::string& id() const = 0;
  virtual QueryInfo info() const = 0;
  virtual const Session& session() const = 0;
  /// Waits until the columns are known, the query ended, or the time is over; true if columns are
  /// known (a statement without result has none and ends).
  virtual bool wait_for_columns(std::chrono::milliseconds at_most) = 0;
  virtual std::vector<Column> columns() const = 0;
  /// Next batch if one comes within `at_most`; null if not (look at finished()). Throws the query's
  /// Error once the batches before it are drained.
  virtual BatchPtr next(std::chrono::milliseconds at_most) = 0;
  /// Ended and every batch handed out.
  virtual bool finished() const = 0;
  virtual SessionChanges changes() const = 0;
  /// Ends it with USER_CANCELED (or ADMINISTRATIVELY_KILLED with a message). Idempotent, quick.
  virtual void cancel(Code code = Code::kUserCanceled,
                      std::string message = "Query was canceled") = 0;
};
using QueryPtr = std::shared_ptr<Query>;

struct Options {
  std::string spill_directory;      // created if missing, emptied at start
  std::string extension_directory;  // holds NAME.duckdb_extension
  uint64_t memory_limit = 0;        // bytes; 0 = 60 % of the machine (or cgroup)
  uint64_t spill_limit = 0;         // bytes on disk; 0 = 80 % of what is free
  int threads = 0;                  // 0 = cores
  int max_running = 0;              // 0 = max(4, 2 × cores)
  int max_running_per_user = 0;     // 0 = no limit of its own
  int max_queued = 5000;
  uint64_t result_buffer = 32u << 20;  // bytes a query may hold for its consumer
  std::chrono::seconds client_timeout{300};
  std::string node_version = "476";  // what version() and /v1/info tell Trino clients
  std::string environment = "production";
};

/// A statement that wrote, and what went where.
struct WriteEvent {
  QueryInfo query;
  const Session& session;
  const sql::Lineage& lineage;
};

/// Told of every statement that writes. Both are called on query threads, several at a time.
class StatementObserver {
 public:
  virtual ~StatementObserver() = default;
  /// In the transaction that publishes a change of the lake: what it writes there is true exactly
  /// when the change is. It may be called again after a conflict, and what it throws ends the
  /// change.
  virtual void committing(soci::session& sql, const WriteEvent& event) = 0;
  /// After any other write; of a transaction, once it is committed. Must not throw.
  virtual void written(const WriteEvent& event) = 0;
};

/// Throws PERMISSION_DENIED unless the user may do "s3:GetObject", "s3:PutObject",
/// "s3:DeleteObject" or "s3:ListBucket" there.
using AuthorizeObject = std::function<void(const std::string& user, std::string_view action,
                                           const std::string& bucket, const std::string& key)>;

class Engine {
 public:
  static std::unique_ptr<Engine> open(Options options);
  virtual ~Engine() = default;

  /// Never throws for the statement's sake: errors come out of the Query. Throws QUERY_QUEUE_FULL
  /// and SERVER_SHUTTING_DOWN.
  virtual QueryPtr submit(std::string sql, Session session) = 0;
  virtual QueryPtr find(const std::string& id) = 0;  // null if unknown (kept 15 min after its end)
  virtual std::vector<QueryInfo> queries() const = 0;  // newest first

  /// From then on s3:// names objects of this store, read and written with the rights of the user
  /// whose statement asks. It outlives the engine. Called once, before the first statement.
  virtual void use_objects(objects::Store& store, AuthorizeObject authorize) = 0;

  /// It outlives the engine. Called once at most, before the first statement.
  virtual void observe(StatementObserver& observer) = 0;

  /// Catalogs can come and go while queries run.
  virtual void add_catalog(std::unique_ptr<Catalog> catalog) = 0;
  virtual bool drop_catalog(const std::string& name) = 0;
  virtual std::vector<std::string> catalogs() const = 0;

  /// Loads extensions and warms what first use would wait for; runs in the background.
  virtual void warm_up() = 0;
  /// Loads one DuckDB extension now; throws what a statement that needs it would fail with.
  virtual void load_extension(const std::string& name) = 0;
  /// No new queries; running ones get until the deadline, then are cancelled.
  virtual void shutdown(std::chrono::milliseconds grace) = 0;
  virtual const Options& options() const = 0;
};

}  // namespace meesh::engine
