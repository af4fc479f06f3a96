#include "meta/database.h"

#include <fcntl.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

namespace meesh::meta {
namespace {

constexpr int kMostRetries = 30;

/// Serialization failure and deadlock: the transaction did nothing and may be run again.
bool may_retry(const soci::soci_error& error) {
  const auto* postgres = dynamic_cast<const soci::postgresql_soci_error*>(&error);
  return postgres && (postgres->sqlstate() == "40001" || postgres->sqlstate() == "40P01");
}

/// Those who clashed do not clash again at once.
void wait_a_moment(int attempt) {
  thread_local std::minstd_rand random(std::random_device{}());
  const int most = 1 << std::min(attempt, 6);
  std::this_thread::sleep_for(
      std::chrono::milliseconds(std::uniform_int_distribution<int>(0, most)(random)));
}

/// `connected`: after it. `file`: of SQLite.
Error as_error(const soci::soci_error& error, bool connected, const std::string& file) {
  if (const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
    constexpr int kSqliteFull = 13, kSqliteConstraint = 19;
    if ((sqlite->result() & 0xff) == kSqliteConstraint) {
      return Error(Code::kAlreadyExists, error.get_error_message());
    }
    if ((sqlite->result() & 0xff) == kSqliteFull) {
      return Error(Code::kDiskFull,
                   fmt::format("the disk of the metadata database '{}' is full", file))
          .with_hint("free some space; nothing was written");
    }
  }
  if (!connected || error.get_error_category() == soci::soci_error::connection_error) {
    return Error(Code::kUnavailable, fmt::format("the metadata database does not answer: {}",
                                                 error.get_error_message()));
  }
  if (error.get_error_category() == soci::soci_error::constraint_violation) {
    return Error(Code::kAlreadyExists, error.get_error_message());
  }
  return Error(Code::kIoError, fmt::format("metadata database: {}", error.get_error_message()));
}

/// SOCI takes connection strings apart at '=' and cannot put a bare URL together again.
std::string soci_url(const std::string& url) {
  return url + (url.find('?') == std::string::npos ? "?" : "&") + "application_name=meesh";
}

/// SQLite would create the file for everybody to read.
void create_private(const std::filesystem::path& file) {
  std::error_code failed;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), failed);
  const int descriptor = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    throw Error(Code::kIoError, fmt::format("cannot open the metadata database '{}': {}",
                                            file.string(), std::strerror(errno)));
  }
  ::close(descriptor);
}

}  // namespace

Database::Database(const DatabaseOptions& options)
    : backend_(options.kind),
      file_(options.kind == Backend::kSqlite ? options.location : ""),
      pool_(options.connections) {}

std::unique_ptr<Database> Database::open(const DatabaseOptions& options) {
  const bool sqlite = options.kind == Backend::kSqlite;
  if (sqlite) create_private(options.location);
  std::unique_ptr<Database> database(new Database(options));
  try {
    for (size_t i = 0; i < options.connections; ++i) {
      soci::session& sql = database->pool_.at(i);
      if (!sqlite) {
        sql.open(soci::postgresql, soci_url(options.location));
        continue;
      }
      sql.open(soci::sqlite3, fmt::format("dbname=\"{}\" timeout=30", options.location));
      // WAL: readers do not wait for the writer. FULL: a commit is on disk when it returns.
      std::string mode;
      sql << "PRAGMA journal_mode = WAL", soci::into(mode);
      sql << "PRAGMA synchronous = FULL";
      sql << "PRAGMA foreign_keys = ON";
    }
  } catch (const soci::soci_error& error) {
    if (sqlite) throw as_error(error, true, options.location);
    throw Error(Code::kUnavailable,
                fmt::format("cannot reach the metadata database: {}", error.get_error_message()));
  }
  return database;
}

void Database::run(const char* begin, const char* end,
                   const std::function<void(soci::session&)>& work) {
  for (int attempt = 1;; ++attempt) {
    bool connected = false;
    try {
      soci::session sql(pool_);
      // When it fails it leaves a session that must not be asked anything, not even is_connected().
      if (!sql.is_connected()) sql.reconnect();
      connected = true;
      try {
        sql << begin;
        work(sql);
        sql << end;
      } catch (...) {
        try {
          sql << "ROLLBACK";
        } catch (const soci::soci_error&) {
          // The connection is gone, and the transaction with it.
        }
        connected = sql.is_connected();
        throw;
      }
      return;
    } catch (const soci::soci_error& error) {
      if (!may_retry(error)) throw as_error(error, connected, file_);
      if (attempt == kMostRetries) {
        throw Error(Code::kTransactionConflict,
                    "too many others change the same in the metadata database; nothing was done")
            .with_hint("try again");
      }
    }
    wait_a_moment(attempt);
  }
}

void Database::write(const std::function<void(soci::session&)>& work) {
  run(backend_ == Backend::kSqlite ? "BEGIN IMMEDIATE" : "BEGIN ISOLATION LEVEL SERIALIZABLE",
      "COMMIT", work);
}

void Database::read(const std::function<void(soci::session&)>& work) {
  run(backend_ == Backend::kSqlite ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
      "ROLLBACK", work);
}

std::string Database::now_ms() const {
  return backend_ == Backend::kSqlite
             ? "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
             : "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";
}

/// Two servers that start together: PostgreSQL reports clashes of their definitions in several
/// ways, and the second attempt finds the work done.
static void write_with_patience(Database& database,
                                const std::function<void(soci::session&)>& work) {
  for (int attempt = 0;; ++attempt) {
    try {
      return database.write(work);
    } catch (const Error& error) {
      if (attempt >= 5 || error.code() == Code::kConfigInvalid) throw;
    }
  }
}

void migrate(Database& database, const std::string& room,
             const std::vector<Migration>& migrations) {
  const std::string create =
      "CREATE TABLE IF NOT EXISTS schema_history (room TEXT NOT NULL, version BIGINT NOT NULL, "
      "name TEXT NOT NULL, applied_ms BIGINT NOT NULL, PRIMARY KEY (room, version))";
  write_with_patience(database, [&](soci::session& sql) { sql << create; });
  const int last = migrations.empty() ? 0 : migrations.back().version;
  for (bool more = true; more;) {
    write_with_patience(database, [&](soci::session& sql) {
      more = false;
      int applied = 0;
      sql << "SELECT coalesce(max(version), 0) FROM schema_history WHERE room = :room",
          soci::into(applied), soci::use(room);
      if (applied > last) {
        throw Error(Code::kConfigInvalid,
                    fmt::format("the metadata database is of a newer meesh ({} is at version {}, "
                                "this program knows {})",
                                room, applied, last))
            .with_hint("upgrade meesh, or restore an older copy of the database");
      }
      for (const auto& migration : migrations) {
        if (migration.version <= applied) continue;
        for (const auto& statement : migration.statements) sql << statement;
        sql << "INSERT INTO schema_history VALUES (:room, :version, :name, " + database.now_ms() +
                   ")",
            soci::use(room), soci::use(migration.version), soci::use(migration.name);
        more = migration.version < last;
        break;
      }
    });
  }
}

}  // namespace meesh::meta
