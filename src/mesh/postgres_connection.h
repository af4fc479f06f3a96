// One libpq connection of the mesh's own: provisioning and loading, not queries.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"

struct pg_conn;
struct pg_result;

namespace meesh::mesh {

/// A failed statement. SQLSTATE tells what; `offset` is where in the statement's text (bytes), if
/// the server said.
class PostgresError : public Error {
 public:
  PostgresError(std::string message, std::string sql_state, std::optional<size_t> offset)
      : Error(Code::kGenericExternal, std::move(message)),
        sql_state_(std::move(sql_state)),
        offset_(offset) {}
  const std::string& sql_state() const { return sql_state_; }
  std::optional<size_t> offset() const { return offset_; }

 private:
  std::string sql_state_;
  std::optional<size_t> offset_;
};

class PostgresConnection {
 public:
  /// Throws PostgresError (SQLSTATE 08006 if the server cannot be reached or the login fails).
  explicit PostgresConnection(const engine::PostgresOptions& options);

  /// One or several statements; the rows of the last one, as text (NULL as "").
  std::vector<std::vector<std::string>> execute(const std::string& sql);
  /// COPY … FROM STDIN: begin, any number of put, end (the number of rows). An exception between
  /// begin and end leaves the connection unusable.
  void begin_copy(const std::string& sql);
  void put(std::string_view bytes);
  uint64_t end_copy();

  std::string quoted_identifier(const std::string& name) const;
  /// A password as the server keeps it (SCRAM), quoted, so that it never travels or is logged.
  std::string quoted_scram(const std::string& user, const std::string& password) const;

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  [[noreturn]] void fail(pg_result* result, std::string_view sql) const;

  std::unique_ptr<pg_conn, Close> connection_;
};

}  // namespace meesh::mesh
