// A catalog: one data source under one name. A new kind of source is a new file in
// engine/catalogs/ that implements Catalog; nothing else changes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "sql/catalog.h"

namespace duckdb {
class MaterializedQueryResult;
class Value;
}  // namespace duckdb

namespace soci {
class session;
}

namespace meesh::sql {
struct Analysis;
struct Printed;
struct Statement;
}  // namespace meesh::sql

namespace meesh::engine {

struct LakeCommit;  // engine/engine.h

struct Duck;  // the DuckDB instance, see engine/duck.h; catalogs' own sources include it

/// A resolved statement that changes a catalog's tables or schemas, with what it takes to run it.
struct ChangeStatement {
  sql::Statement& statement;
  const sql::Analysis& analysis;
  std::string user, query_id;
  /// Runs DuckDB SQL on the statement's connection with its user's rights, until it is canceled.
  std::function<std::unique_ptr<duckdb::MaterializedQueryResult>(const sql::Printed&)> run{};
  /// The columns that a resolved query gives.
  std::function<std::vector<sql::ColumnInfo>(sql::Statement& query)> columns_of{};
  const LakeCommit* commit = nullptr;  // what the session asked for; may be null
  /// For the transaction that publishes the change. Never empty.
  std::function<void(soci::session&)> also{};
  /// Told how many rows it is about before `also` is called. Never empty.
  std::function<void(int64_t)> counted = [](int64_t) {};
};

/// A property that WITH (…) may name, as system.metadata tells it.
struct PropertyInfo {
  std::string name, default_value, type, description;  // default "" = none
};
/// What a statement's WITH (…) is about.
enum class PropertyOwner { kTable, kMaterializedView, kSchema, kColumn, kAnalyze };

/// Thread-safe. Names are lower case. Metadata calls may block on the network; an unreachable
/// source throws an Error of kind kExternal that names the catalog and how to reach it.
class Catalog {
 public:
  virtual ~Catalog() = default;
  virtual const std::string& name() const = 0;
  virtual std::string_view connector() const = 0;  // "postgresql", "memory", "tpch", "system"

  virtual std::vector<std::string> schemas() = 0;
  virtual bool schema_exists(const std::string& schema) = 0;
  /// Tables and views of one schema.
  virtual std::vector<std::string> tables(const std::string& schema) = 0;
  virtual std::optional<sql::TableInfo> table(const std::string& schema,
                                              const std::string& table) = 0;
  /// The table as it was (FOR … AS OF). `version`: the snapshot's number (BIGINT), a branch or tag
  /// (VARCHAR), or, if `of_time`, a TIMESTAMPTZ. Default: NOT_SUPPORTED.
  virtual std::optional<sql::TableInfo> table_as_of(const std::string& schema,
                                                    const std::string& table, bool of_time,
                                                    const duckdb::Value& version);
  /// For SHOW STATS, of a table as table() gave it. Throws PERMISSION_DENIED unless the user may
  /// read it. Nothing: only what is in `table` is known.
  virtual std::optional<sql::TableStatistics> statistics(const sql::TableInfo& table,
                                                         const std::string& user) {
    (void)table, (void)user;
    return std::nullopt;
  }
  /// Everything at once, for information_schema; empty schema = all. Default: the calls above.
  virtual std::vector<sql::TableInfo> describe(const std::string& schema);

  /// What WITH (…) may name. Default: nothing.
  virtual std::vector<PropertyInfo> properties(PropertyOwner owner) const {
    (void)owner;
    return {};
  }

  /// Makes `duckdb_source` of its tables usable: attaches, generates, refreshes. Called on the
  /// query's thread before execution for every catalog the statement touches, with the tables it
  /// reads or writes. Idempotent, quick when nothing is to do.
  virtual void prepare(Duck& duck, const std::vector<sql::TableInfo>& tables) = 0;
  /// Called once, when the catalog joins a CatalogSet and before anything else. Must not wait for
  /// the network. `duck` outlives the catalog.
  virtual void open(Duck& duck) { (void)duck; }
  /// The catalog was dropped: lets go of what it attached. Statements that run keep their
  /// transaction's hold on it; called once, prepare is not called after it.
  virtual void release(Duck& duck) { (void)duck; }
  /// Gives the catalog a look at an error raised while its tables were used: it may turn it into a
  /// better one (a lost server: EXTERNAL) and mark itself for re-attachment.
  virtual void on_error(Error& error) { (void)error; }

  /// Cancels what the canceled query with this id has at work in the source: statements that carry
  /// its source_tag() and, when it is `alone` at work in this catalog, whatever has been at work
  /// for a moment. Called again until the query's thread is done; may wait for the network.
  virtual void cancel(const std::string& query_id, bool alone) { (void)query_id, (void)alone; }

  virtual bool writable() const { return false; }
  /// Its tables hold columns of labelled types (engine/duck_types.h) as they are.
  virtual bool keeps_labels() const { return false; }
  /// Chance to run a resolved CREATE TABLE or ALTER TABLE of `target` in the source's own words,
  /// with the exact types that DuckDB does not keep. False: DuckDB is to run it. Not called inside
  /// an explicit transaction; invalidate() follows.
  virtual bool define(const sql::Statement& statement, const sql::TableName& target) {
    (void)statement, (void)target;
    return false;
  }
  /// Chance to create an empty table with exactly these columns and comment, for CREATE TABLE AS:
  /// the engine inserts into it afterwards, and drops it again if that fails. False: DuckDB is to
  /// run the whole statement. Same conditions as define().
  virtual bool create_table(const sql::TableInfo& table) {
    (void)table;
    return false;
  }
  /// Whether run() takes all statements that change its tables and schemas, views and comments
  /// aside; DuckDB never sees them then. Explicit transactions are refused.
  virtual bool runs_changes() const { return false; }
  /// Runs CREATE, ALTER and DROP TABLE, CREATE TABLE AS, CREATE and DROP SCHEMA, INSERT, UPDATE,
  /// DELETE, MERGE, TRUNCATE or ANALYZE. Gives the rows changed, where Trino counts them. If it
  /// throws, nothing has changed.
  virtual std::optional<int64_t> run(ChangeStatement& change);
  /// Throws PERMISSION_DENIED unless the user may change this table or view: asked before the calls
  /// below, which do not know who asks. Default: everybody may.
  virtual void allow_change(const std::string& user, const std::string& schema,
                            const std::string& table) {
    (void)user, (void)schema, (void)table;
  }
  /// Views, stored as Trino text. Default: NOT_SUPPORTED.
  virtual void create_view(const sql::TableInfo& view, bool or_replace);
  virtual void drop_view(const std::string& schema, const std::string& view);
  virtual void rename_view(const std::string& schema, const std::string& view,
                           const std::string& to_schema, const std::string& to);
  /// Both schemas' existence has been looked at. Default: NOT_SUPPORTED.
  virtual void rename_schema(const std::string& schema, const std::string& to);
  /// Functions written in SQL, each as CREATE FUNCTION's specification. Default: none.
  virtual std::vector<std::string> routines(const std::string& schema) {
    (void)schema;
    return {};
  }
  /// `signature` is "name(integer, varchar)". Defaults: NOT_SUPPORTED.
  virtual void create_routine(const std::string& schema, const std::string& signature,
                              const std::string& text, bool or_replace);
  virtual void drop_routine(const std::string& schema, const std::string& signature);
  /// See sql::CatalogReader.
  virtual std::optional<sql::TableInfo> pass_through(const std::string& query) {
    (void)query;
    return std::nullopt;
  }
  /// Called after a DDL statement on this catalog succeeded, so that caches are dropped.
  virtual void invalidate() {}
  virtual void set_comment(const std::string& schema, const std::string& table,
                           const std::string& column, const std::optional<std::string>& comment);
};

/// A comment in front of text that is handed to a source whole: tells whose it is.
std::string source_tag(const std::string& query_id);

struct PostgresOptions {
  std::string name;
  std::string host, database, user, password;  // host may be a socket folder
  int port = 5432;
  int connections = 0;  // 0 = engine threads
  bool read_only = false;
};
std::unique_ptr<Catalog> make_postgresql_catalog(PostgresOptions options);
std::unique_ptr<Catalog> make_memory_catalog(std::string name);
std::unique_ptr<Catalog> make_tpch_catalog(std::string name);

}  // namespace meesh::engine
