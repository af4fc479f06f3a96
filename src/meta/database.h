// The metadata database: SQLite in a file, or PostgreSQL when several servers share one mesh. What
// is written here survives the process; everything else in `meesh` may be lost and made again.
//
//   auto db = meta::Database::open({.kind = Backend::kSqlite, .location = "data/meesh.db"});
//   meta::migrate(*db, kMigrations);
//   db->write([&](soci::session& sql) { sql << "INSERT INTO …", soci::use(x); });
//
// SQL written against it keeps to what both backends read: BIGINT, TEXT, DOUBLE PRECISION columns,
// `:name` parameters, INSERT … ON CONFLICT.
#pragma once

#include <soci/soci.h>

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"

namespace meesh::meta {

enum class Backend { kSqlite, kPostgresql };

struct DatabaseOptions {
  Backend kind = Backend::kSqlite;
  std::string location;  // SQLite: file path. PostgreSQL: URL (postgresql://…)
  size_t connections = 4;
};

class Database {
 public:
  /// Creates the SQLite file (mode 0600) and its folder if missing. Throws UNAVAILABLE, IO_ERROR.
  static std::unique_ptr<Database> open(const DatabaseOptions& options);

  Backend backend() const { return backend_; }

  /// Runs `work` in one transaction that commits when it returns and rolls back when it throws.
  /// SQLite: takes the write lock at once (BEGIN IMMEDIATE), so it never fails half-way on a
  /// conflict. PostgreSQL: SERIALIZABLE, and `work` is run again after a serialization failure: it
  /// must not have effects outside the database. TRANSACTION_CONFLICT: it was in vain 30 times, and
  /// nothing is done. UNAVAILABLE: the database was lost, and perhaps it is done nevertheless.
  void write(const std::function<void(soci::session&)>& work);
  /// A consistent reading; nothing is committed.
  void read(const std::function<void(soci::session&)>& work);

  /// SQL expression for the database's own clock, in milliseconds since 1970: servers that share a
  /// database share its time, whatever theirs is.
  std::string now_ms() const;

 private:
  explicit Database(const DatabaseOptions& options);
  void run(const char* begin, const char* end, const std::function<void(soci::session&)>& work);

  const Backend backend_;
  const std::string file_;  // of SQLite
  soci::connection_pool pool_;
};

/// One step of the schema's history. Steps are never edited once released, only added.
struct Migration {
  int version;  // 1, 2, 3 …
  std::string name;
  std::vector<std::string> statements;
};

/// Brings the schema of `room` up to the last migration, each in its own transaction; safe when
/// several servers start at once. Throws CONFIG_INVALID if the database is newer than the program.
void migrate(Database& database, const std::string& room, const std::vector<Migration>& migrations);

}  // namespace meesh::meta
