// A connection to a PostgreSQL server for following changes: statements, COPY … TO STDOUT and
// streaming replication over libpq, each of which ends when a stop is asked for.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"

struct pg_conn;
struct pg_result;

namespace meesh::ingest {

/// "0/16B3748"
std::string show_lsn(uint64_t lsn);
/// Nothing for a text that is none.
std::optional<uint64_t> read_lsn(std::string_view text);

using PostgresCells = std::vector<std::optional<std::string>>;

class PostgresLink {
 public:
  enum class Purpose { kStatements, kReplication };
  /// Throws UNAVAILABLE when the server cannot be reached or refuses the login. Errors name the
  /// source. Values come as text with ISO dates, in UTC.
  PostgresLink(std::string source, const engine::PostgresOptions& server, Purpose purpose);

  /// Rows as text. Throws USER_CANCELED when `stop` is asked for, after it has cancelled.
  std::vector<PostgresCells> ask(const std::string& sql, std::stop_token stop = {});
  /// COPY … TO STDOUT, START_REPLICATION.
  void begin_copy(const std::string& sql, std::stop_token stop = {});
  enum class Copied { kData, kNothingYet, kEnd };
  /// The next row or frame; it is valid until the next call. Waits for it as long as said.
  Copied copied(std::string_view& data, std::chrono::milliseconds at_most);
  /// To the server while it streams.
  void send(std::string_view frame);
  /// SQLSTATE of the last statement that failed; "" if none did, or the connection broke.
  const std::string& state() const { return state_; }

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  struct Free {
    void operator()(char* memory) const;
  };
  [[noreturn]] void fail(pg_result* result);
  /// Readable, or the time is over.
  bool wait(std::chrono::milliseconds at_most);
  /// Waits for a result without ever blocking for good; null: there are no more.
  pg_result* result(std::stop_token stop);

  const std::string source_, where_;
  std::unique_ptr<pg_conn, Close> connection_;
  std::unique_ptr<char, Free> row_;
  std::string state_;
};

/// 'text' and "name" as PostgreSQL reads them.
std::string postgres_text(std::string_view text);
std::string postgres_name(std::string_view name);

}  // namespace meesh::ingest
