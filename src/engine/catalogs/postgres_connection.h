// Our own connections to a PostgreSQL server, for metadata and for DDL that the DuckDB extension
// cannot say. A small pool over libpq; rows come back as text.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalog.h"

struct pg_conn;
struct pg_result;

namespace meesh::engine {

/// A result held until it dies. Cells are views into it.
class PostgresRows {
 public:
  explicit PostgresRows(pg_result* result) : result_(result, &clear) {}

  int count() const;
  bool is_null(int row, int column) const;
  std::string text(int row, int column) const;  // "" for NULL
  int64_t number(int row, int column) const;    // 0 for NULL
  bool flag(int row, int column) const;         // false for NULL
  int columns() const;
  std::string column_name(int column) const;
  int64_t column_type(int column) const;  // pg_type.oid
  int column_modifier(int column) const;  // typmod, -1 = none

 private:
  static void clear(pg_result* result);
  std::unique_ptr<pg_result, void (*)(pg_result*)> result_;
};

/// Thread-safe. At most kMaxConnections are open; who finds all of them busy waits, never longer
/// than the statement deadline.
class PostgresPool {
 public:
  static constexpr int kMaxConnections = 4;
  static constexpr std::chrono::seconds kConnectTimeout{5};

  explicit PostgresPool(PostgresOptions options);
  ~PostgresPool();

  /// One statement with text parameters; `name` is the one it is prepared under once a connection,
  /// "" = not prepared. Prepared ones are read-only: a kept connection that turns out dead is
  /// replaced silently. Others run at most once.
  /// Throws EXTERNAL (kJdbcError): unreachable, or what the server said.
  PostgresRows query(const char* name, const std::string& sql,
                     const std::vector<std::string>& parameters = {});
  /// Whether the server answers now.
  bool answers();

  const std::string& address() const { return address_; }  // "host:port", never a secret

 private:
  struct Connection;
  std::unique_ptr<Connection> acquire(bool& kept);
  std::unique_ptr<Connection> connect();
  void give_back(std::unique_ptr<Connection> connection);
  std::optional<PostgresRows> attempt(Connection& connection, const char* name,
                                      const std::string& sql,
                                      const std::vector<std::string>& parameters,
                                      std::string& failure);

  const PostgresOptions options_;
  const std::string address_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
  int open_ = 0;                                   // guarded by mutex_; idle ones included
};

}  // namespace meesh::engine
