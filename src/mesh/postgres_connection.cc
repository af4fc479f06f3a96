#include "mesh/postgres_connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <cstdlib>

namespace meesh::mesh {
namespace {

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

std::string trimmed(const char* text) {
  std::string message = text == nullptr ? "" : text;
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  return message;
}

// The byte at which the n-th character (1-based) begins.
size_t byte_offset(std::string_view text, size_t character) {
  size_t byte = 0;
  for (size_t n = 1; byte < text.size(); ++byte) {
    if ((static_cast<unsigned char>(text[byte]) & 0xC0) == 0x80) continue;
    if (n++ == character) break;
  }
  return byte;
}

}  // namespace

void PostgresConnection::Close::operator()(pg_conn* connection) const { PQfinish(connection); }

PostgresConnection::PostgresConnection(const engine::PostgresOptions& options) {
  const std::string port = std::to_string(options.port);
  const char* keys[] = {"host",
                        "port",
                        "dbname",
                        "user",
                        "password",
                        "connect_timeout",
                        "application_name",
                        "client_encoding",
                        nullptr};
  const char* values[] = {options.host.c_str(),
                          port.c_str(),
                          options.database.c_str(),
                          options.user.c_str(),
                          options.password.c_str(),
                          "10",
                          "meesh",
                          "UTF8",
                          nullptr};
  connection_.reset(PQconnectdbParams(keys, values, 0));
  if (connection_ == nullptr) internal_error("out of memory");
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw PostgresError(trimmed(PQerrorMessage(connection_.get())), "08006", std::nullopt);
  }
  PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
}

void PostgresConnection::fail(pg_result* result, std::string_view sql) const {
  const char* primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : nullptr;
  std::string message = primary ? trimmed(primary) : trimmed(PQerrorMessage(connection_.get()));
  const char* detail = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : nullptr;
  const char* state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
  const char* position = result ? PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION) : nullptr;
  if (detail != nullptr) message += fmt::format(": {}", trimmed(detail));
  std::optional<size_t> offset;
  if (position != nullptr) offset = byte_offset(sql, std::strtoul(position, nullptr, 10));
  throw PostgresError(std::move(message), state ? state : "08006", offset);
}

std::vector<std::vector<std::string>> PostgresConnection::execute(const std::string& sql) {
  const Result result(PQexec(connection_.get(), sql.c_str()));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
    fail(result.get(), sql);
  }
  std::vector<std::vector<std::string>> rows(static_cast<size_t>(PQntuples(result.get())));
  for (size_t r = 0; r < rows.size(); ++r) {
    for (int c = 0; c < PQnfields(result.get()); ++c) {
      rows[r].emplace_back(PQgetvalue(result.get(), static_cast<int>(r), c));
    }
  }
  return rows;
}

void PostgresConnection::begin_copy(const std::string& sql) {
  const Result result(PQexec(connection_.get(), sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_COPY_IN) fail(result.get(), sql);
}

void PostgresConnection::put(std::string_view bytes) {
  if (PQputCopyData(connection_.get(), bytes.data(), static_cast<int>(bytes.size())) == 1) return;
  // The server's own reason, if it gave one.
  const Result result(PQgetResult(connection_.get()));
  fail(result.get(), "");
}

uint64_t PostgresConnection::end_copy() {
  if (PQputCopyEnd(connection_.get(), nullptr) != 1) fail(nullptr, "");
  const Result result(PQgetResult(connection_.get()));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) fail(result.get(), "");
  const uint64_t rows = std::strtoull(PQcmdTuples(result.get()), nullptr, 10);
  while (PGresult* rest = PQgetResult(connection_.get())) PQclear(rest);
  return rows;
}

std::string PostgresConnection::quoted_identifier(const std::string& name) const {
  const std::unique_ptr<char, void (*)(void*)> quoted(
      PQescapeIdentifier(connection_.get(), name.data(), name.size()), PQfreemem);
  if (quoted == nullptr) fail(nullptr, "");
  return quoted.get();
}

std::string PostgresConnection::quoted_scram(const std::string& user,
                                             const std::string& password) const {
  const std::unique_ptr<char, void (*)(void*)> scram(
      PQencryptPasswordConn(connection_.get(), password.c_str(), user.c_str(), "scram-sha-256"),
      PQfreemem);
  if (scram == nullptr) fail(nullptr, "");
  return fmt::format("'{}'", scram.get());
}

}  // namespace meesh::mesh
