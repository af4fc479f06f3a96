// The catalog kind `postgresql`: rows through DuckDB's postgres extension, metadata through our own
// connections, fresh for every statement.
//
// The extension keeps what it has read of the server's catalog. We keep a fingerprint of each table
// as of the time the extension may have read it; a table whose fingerprint is another one now makes
// us clear the extension's cache, so tables changed from outside a moment ago are seen.
#include <fmt/format.h>

#include <map>
#include <mutex>
#include <random>

#include "base/log.h"
#include "duckdb/main/secret/secret.hpp"
#include "duckdb/main/secret/secret_manager.hpp"
#include "engine/catalog.h"
#include "engine/catalogs/postgres_connection.h"
#include "engine/catalogs/postgres_ddl.h"
#include "engine/catalogs/postgres_errors.h"
#include "engine/catalogs/postgres_metadata.h"
#include "engine/catalogs/postgres_query.h"
#include "engine/duck.h"

namespace meesh::engine {
namespace {

constexpr const char* kExtension = "postgres_scanner";

using Key = PostgresMetadata::Key;

class PostgresCatalog : public Catalog {
 public:
  explicit PostgresCatalog(PostgresOptions options)
      : options_(std::move(options)),
        pool_(options_),
        metadata_(pool_, options_.name, options_.read_only) {}

  const std::string& name() const override { return options_.name; }
  std::string_view connector() const override { return "postgresql"; }
  bool writable() const override { return !options_.read_only; }

  std::vector<std::string> schemas() override { return metadata_.schemas(); }
  bool schema_exists(const std::string& schema) override { return metadata_.schema_exists(schema); }
  std::vector<std::string> tables(const std::string& schema) override {
    return metadata_.tables(schema);
  }
  std::optional<sql::TableInfo> table(const std::string& schema, const std::string& table) override;
  std::vector<sql::TableInfo> describe(const std::string& schema) override;

  void prepare(Duck& duck, const std::vector<sql::TableInfo>& tables) override;
  void on_error(Error& error) override;
  void release(Duck& duck) override;
  void cancel(const std::string& query_id, bool alone) override;
  std::optional<sql::TableInfo> pass_through(const std::string& query) override {
    return postgres_query_table(pool_, options_.name, query);
  }
  void invalidate() override;
  bool define(const sql::Statement& statement, const sql::TableName& target) override;
  bool create_table(const sql::TableInfo& table) override;
  void set_comment(const std::string& schema, const std::string& table, const std::string& column,
                   const std::optional<std::string>& comment) override;

 private:
  void attach(Duck& duck);
  void put_secret(Duck& duck);
  std::string secret_name() const { return "meesh_" + options_.name; }
  bool is_about_me(const std::string& message);

  const PostgresOptions options_;
  const std::string application_ = fmt::format("meesh-{:08x}", std::random_device()());
  PostgresPool pool_;
  PostgresMetadata metadata_;

  std::mutex attach_mutex_;  // taken before mutex_; held while talking to DuckDB
  std::mutex mutex_;
  bool attached_ = false;  // guarded by attach_mutex_
  // Guarded by mutex_:
  bool cache_unknown_ = false;  // the extension may hold anything: clear it before the next use
  bool cache_empty_ = true;     // nothing read yet since the attachment
  std::map<Key, std::string> current_;  // fingerprints as last read from the server
  std::map<Key, std::string> cached_;   // fingerprints the extension's cache answers to
};

std::optional<sql::TableInfo> PostgresCatalog::table(const std::string& schema,
                                                     const std::string& table) {
  auto found = metadata_.table(schema, table);
  if (!found) return std::nullopt;
  std::lock_guard lock(mutex_);
  current_[{schema, table}] = std::move(found->fingerprint);
  return std::move(found->info);
}

std::vector<sql::TableInfo> PostgresCatalog::describe(const std::string& schema) {
  std::vector<sql::TableInfo> infos;
  for (auto& table : metadata_.describe(schema)) infos.push_back(std::move(table.info));
  return infos;
}

/// The password goes into DuckDB's secret store as a value, never as text of a statement.
void PostgresCatalog::put_secret(Duck& duck) {
  duckdb::Connection connection(*duck.db);
  auto& context = *connection.context;
  duckdb::CreateSecretInput input;
  input.type = "postgres";
  input.provider = "config";
  input.storage_type = "memory";
  input.name = secret_name();
  input.on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
  input.persist_type = duckdb::SecretPersistType::TEMPORARY;
  input.options["host"] = duckdb::Value(options_.host);
  input.options["port"] = duckdb::Value(std::to_string(options_.port));
  input.options["dbname"] = duckdb::Value(options_.database);
  input.options["user"] = duckdb::Value(options_.user);
  if (!options_.password.empty()) input.options["password"] = duckdb::Value(options_.password);
  context.RunFunctionInTransaction(
      [&] { duckdb::SecretManager::Get(context).CreateSecret(context, input); });
}

/// Caller holds attach_mutex_.
void PostgresCatalog::attach(Duck& duck) {
  duck.load_extension(kExtension);
  try {
    put_secret(duck);
    duck.run(fmt::format(
        "ATTACH 'connect_timeout={} application_name={}' AS {} (TYPE postgres, SECRET {}{})",
        PostgresPool::kConnectTimeout.count(), application_, quote_ident(options_.name),
        quote_ident(secret_name()), options_.read_only ? ", READ_ONLY" : ""));
    if (options_.connections > 0) {
      duck.run(fmt::format("FROM postgres_configure_pool(catalog_name = {}, max_connections = {})",
                           quote_string(options_.name), options_.connections));
    }
  } catch (const Error& error) {
    if (!tells_of_lost_server(error.message())) throw;
    throw unreachable(options_.name, pool_.address(), error.message());
  }
  attached_ = true;
  std::lock_guard lock(mutex_);
  cache_empty_ = true;
  cache_unknown_ = false;
  cached_.clear();
}

void PostgresCatalog::prepare(Duck& duck, const std::vector<sql::TableInfo>& tables) {
  std::lock_guard attaching(attach_mutex_);
  if (!attached_) attach(duck);
  bool clear = false;
  {
    std::lock_guard lock(mutex_);
    clear = cache_unknown_;
    for (const auto& table : tables) {
      if (table.name.table.empty() || table.name.schema == "pg_catalog") continue;
      const Key key{table.name.schema, table.name.table};
      const auto now = current_.find(key);
      if (now == current_.end()) continue;  // created by this very statement
      const auto cached = cached_.find(key);
      if (cached != cached_.end() && cached->second == now->second) continue;
      if (cache_empty_) {
        cached_[key] = now->second;
      } else {
        clear = true;
      }
    }
    cache_empty_ = cache_empty_ && tables.empty();
    if (!clear) return;
    cache_unknown_ = false;
  }
  // Read first, clear then: what the extension reads later is as new or newer.
  auto fingerprints = metadata_.fingerprints();
  duck.run("CALL pg_clear_cache()");
  std::lock_guard lock(mutex_);
  cached_ = fingerprints;
  current_ = std::move(fingerprints);
}

bool PostgresCatalog::is_about_me(const std::string& message) {
  const std::string port = std::to_string(options_.port);
  if (message.find("port " + port) != std::string::npos &&
      message.find("\"" + options_.host + "\"") != std::string::npos) {
    return true;
  }
  if (message.find("/.s.PGSQL." + port + "\"") != std::string::npos &&
      message.find(options_.host) != std::string::npos) {
    return true;
  }
  return !pool_.answers();
}

void PostgresCatalog::on_error(Error& error) {
  const std::string& message = error.message();
  if (message.starts_with("Catalog '")) return;  // already in our words
  if (tells_of_lost_server(message)) {
    if (!is_about_me(message)) return;
    const Location at = error.location();
    Error better = unreachable(options_.name, pool_.address(), message);
    error =
        at.known() ? Error(better.code(), better.message(), at).with_hint(better.hint()) : better;
    invalidate();
    return;
  }
  if (said_by_server(error)) {
    const std::string reason = plain_reason(message);
    if (reason.find("does not exist") != std::string::npos) invalidate();
    error = Error(Code::kJdbcError, "PostgreSQL: " + reason, error.location());
  }
}

void PostgresCatalog::invalidate() {
  std::lock_guard lock(mutex_);
  cache_unknown_ = true;
}

void PostgresCatalog::release(Duck& duck) {
  std::lock_guard attaching(attach_mutex_);
  if (!attached_) return;
  attached_ = false;
  try {
    duck.run("DETACH DATABASE IF EXISTS " + quote_ident(options_.name));
    duck.run("DROP SECRET IF EXISTS " + quote_ident(secret_name()));
  } catch (const Error& error) {
    log::warn("cannot detach a dropped catalog",
              {{"catalog", options_.name}, {"error", error.what()}});
  }
}

/// The extension's connections go by a name of their own, so no one else's statement is met; one
/// that began within the last moment may belong to a query that came after the look around.
void PostgresCatalog::cancel(const std::string& query_id, bool alone) {
  pool_.query("cancel",
              "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
              "WHERE application_name = $1 AND state = 'active' AND (strpos(query, $2) > 0 "
              "OR $3 = 'alone' AND query_start < clock_timestamp() - interval '100 milliseconds')",
              {application_, source_tag(query_id), alone ? "alone" : "not alone"});
}

bool PostgresCatalog::define(const sql::Statement& statement, const sql::TableName& target) {
  if (!postgres_defines(statement)) return false;
  PostgresTarget names;
  if (const auto existing = metadata_.table(target.schema, target.table)) {
    names = {existing->info.remote_schema, existing->info.remote_table, {}};
    for (size_t i = 0; i < existing->real_columns.size(); ++i) {
      names.columns[existing->info.columns[i].name] = existing->real_columns[i];
    }
  } else {
    const auto schema = metadata_.real_schema(target.schema);
    if (!schema)
      throw Error(Code::kSchemaNotFound, "Schema '" + target.schema + "' does not exist");
    names = {*schema, target.table, {}};
  }
  pool_.query("", postgres_definition(statement, names));
  return true;
}

bool PostgresCatalog::create_table(const sql::TableInfo& table) {
  const auto schema = metadata_.real_schema(table.name.schema);
  if (!schema)
    throw Error(Code::kSchemaNotFound, "Schema '" + table.name.schema + "' does not exist");
  pool_.query("", postgres_creation(table, {*schema, table.name.table, {}}));
  return true;
}

void PostgresCatalog::set_comment(const std::string& schema, const std::string& table,
                                  const std::string& column,
                                  const std::optional<std::string>& comment) {
  const auto found = metadata_.table(schema, table);
  const std::string shown = options_.name + "." + schema + "." + table;
  if (!found) throw Error(Code::kTableNotFound, "Table '" + shown + "' does not exist");
  if (options_.read_only)
    throw Error(Code::kPermissionDenied, "Catalog '" + options_.name + "' is read-only");
  std::string target =
      quote_ident(found->info.remote_schema) + "." + quote_ident(found->info.remote_table);
  std::string kind = "TABLE";
  switch (found->fingerprint[0]) {  // pg_class.relkind
    case 'v':
      kind = "VIEW";
      break;
    case 'm':
      kind = "MATERIALIZED VIEW";
      break;
    case 'f':
      kind = "FOREIGN TABLE";
      break;
    default:
      break;
  }
  if (!column.empty()) {
    kind = "COLUMN";
    size_t at = 0;
    while (at < found->info.columns.size() && found->info.columns[at].name != column) ++at;
    if (at == found->info.columns.size())
      throw Error(Code::kColumnNotFound, "Column does not exist: " + column);
    target += "." + quote_ident(found->real_columns[at]);
  }
  // A backslash is plain text in a standard-conforming string, which the server's default is.
  pool_.query("", "COMMENT ON " + kind + " " + target + " IS " +
                      (comment ? quote_string(*comment) : "NULL"));
}

}  // namespace

std::unique_ptr<Catalog> make_postgresql_catalog(PostgresOptions options) {
  return std::make_unique<PostgresCatalog>(std::move(options));
}

}  // namespace meesh::engine
