#include "ingest/sources/postgresql_changes_link.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <charconv>

#include "base/error.h"

namespace meesh::ingest {
namespace {

constexpr auto kPollSlice = std::chrono::milliseconds(100);  // how soon a stop is noticed

// Values must come in one spelling whatever the server or the role prefers.
constexpr const char* kSettings =
    "-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c extra_float_digits=1 -c "
    "bytea_output=hex -c statement_timeout=0 -c lock_timeout=0 -c "
    "idle_in_transaction_session_timeout=0";

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

std::string trimmed(const char* text) {
  std::string message = text == nullptr ? "" : text;
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  return message;
}

/// The server went away, or goes: trying again may help. 55006: somebody else still has the slot.
bool passes(std::string_view state) {
  return state.empty() || state.starts_with("08") || state.starts_with("57P") ||
         state.starts_with("53") || state == "55006";
}

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

}  // namespace

std::string show_lsn(uint64_t lsn) {
  return fmt::format("{:X}/{:X}", lsn >> 32, lsn & 0xffffffffu);
}

std::optional<uint64_t> read_lsn(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  uint64_t parts[2] = {};
  for (const int part : {0, 1}) {
    const auto word = part == 0 ? text.substr(0, slash) : text.substr(slash + 1);
    const auto [end, problem] =
        std::from_chars(word.data(), word.data() + word.size(), parts[part], 16);
    if (problem != std::errc() || end != word.data() + word.size() || parts[part] > 0xffffffffu)
      return std::nullopt;
  }
  return parts[0] << 32 | parts[1];
}

std::string postgres_text(std::string_view text) { return quoted(text, '\''); }
std::string postgres_name(std::string_view name) { return quoted(name, '"'); }

void PostgresLink::Close::operator()(pg_conn* connection) const { PQfinish(connection); }
void PostgresLink::Free::operator()(char* memory) const { PQfreemem(memory); }

PostgresLink::PostgresLink(std::string source, const engine::PostgresOptions& server,
                           Purpose purpose)
    : source_(std::move(source)), where_(fmt::format("{}:{}", server.host, server.port)) {
  const std::string port = std::to_string(server.port);
  std::vector<const char*> keys, values;
  const auto set = [&](const char* key, const char* value) {
    keys.push_back(key), values.push_back(value);
  };
  set("host", server.host.c_str()), set("port", port.c_str());
  set("dbname", server.database.c_str()), set("user", server.user.c_str());
  set("password", server.password.c_str()), set("connect_timeout", "10");
  set("application_name", "meesh"), set("client_encoding", "UTF8");
  set("options", kSettings);
  // A network that is cut is noticed within half a minute.
  set("keepalives_idle", "10"), set("keepalives_interval", "5"), set("keepalives_count", "3");
  set("tcp_user_timeout", "30000");
  if (purpose == Purpose::kReplication) set("replication", "database");
  set(nullptr, nullptr);
  connection_.reset(PQconnectdbParams(keys.data(), values.data(), 0));
  if (connection_ == nullptr) internal_error("out of memory");
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw Error(Code::kUnavailable,
                fmt::format("Source '{}': {}", source_, trimmed(PQerrorMessage(connection_.get()))))
        .with_hint(fmt::format("is PostgreSQL running at {}, and does it let {} in{}?", where_,
                               server.user,
                               purpose == Purpose::kReplication ? " for replication" : ""));
  }
  PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
}

void PostgresLink::fail(pg_result* result) {
  const char* state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
  const char* primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : nullptr;
  const char* detail = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : nullptr;
  state_ = state ? state : "";
  std::string message = primary ? trimmed(primary) : trimmed(PQerrorMessage(connection_.get()));
  if (message.empty()) message = "the connection to " + where_ + " is lost";
  if (detail) message += ": " + trimmed(detail);
  throw Error(passes(state_) ? Code::kUnavailable : Code::kJdbcError,
              fmt::format("Source '{}': {}", source_, message));
}

bool PostgresLink::wait(std::chrono::milliseconds at_most) {
  pollfd waiting{PQsocket(connection_.get()), POLLIN, 0};
  if (waiting.fd < 0) fail(nullptr);
  return poll(&waiting, 1, static_cast<int>(at_most.count())) > 0;
}

pg_result* PostgresLink::result(std::stop_token stop) {
  auto* connection = connection_.get();
  bool cancelled = false;
  while (PQisBusy(connection) == 1) {
    if (stop.stop_requested() && !std::exchange(cancelled, true)) {
      char ignored[256];
      if (PGcancel* cancel = PQgetCancel(connection)) {
        PQcancel(cancel, ignored, sizeof ignored);
        PQfreeCancel(cancel);
      }
    }
    wait(kPollSlice);
    if (PQconsumeInput(connection) == 0) fail(nullptr);
  }
  return PQgetResult(connection);
}

std::vector<PostgresCells> PostgresLink::ask(const std::string& sql, std::stop_token stop) {
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) fail(nullptr);
  std::vector<PostgresCells> rows;
  std::optional<Error> failure;
  while (const Result answer{result(stop)}) {
    const auto status = PQresultStatus(answer.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
      try {
        fail(answer.get());
      } catch (const Error& error) {
        failure = error;  // thrown once the connection is at rest
      }
      continue;
    }
    rows.assign(static_cast<size_t>(PQntuples(answer.get())), {});
    for (int r = 0; r < PQntuples(answer.get()); ++r)
      for (int c = 0; c < PQnfields(answer.get()); ++c)
        rows[static_cast<size_t>(r)].push_back(
            PQgetisnull(answer.get(), r, c) == 1
                ? std::nullopt
                : std::optional<std::string>(PQgetvalue(answer.get(), r, c)));
  }
  if (stop.stop_requested()) throw Error(Code::kUserCanceled, "The task was canceled");
  if (failure) throw *failure;
  return rows;
}

void PostgresLink::begin_copy(const std::string& sql, std::stop_token stop) {
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) fail(nullptr);
  const Result answer(result(stop));
  const auto status = PQresultStatus(answer.get());
  if (status != PGRES_COPY_OUT && status != PGRES_COPY_BOTH) fail(answer.get());
}

PostgresLink::Copied PostgresLink::copied(std::string_view& data,
                                          std::chrono::milliseconds at_most) {
  auto* connection = connection_.get();
  const auto until = std::chrono::steady_clock::now() + at_most;
  while (true) {
    char* row = nullptr;
    const int size = PQgetCopyData(connection, &row, 1);
    row_.reset(row);
    if (size > 0) {
      data = {row, static_cast<size_t>(size)};
      return Copied::kData;
    }
    if (size == -1) {
      const Result end(result({}));
      const auto status = PQresultStatus(end.get());
      if (status != PGRES_COMMAND_OK && status != PGRES_COPY_IN) fail(end.get());
      return Copied::kEnd;
    }
    if (size < -1) fail(nullptr);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !wait(left)) return Copied::kNothingYet;
    if (PQconsumeInput(connection) == 0) fail(nullptr);
  }
}

void PostgresLink::send(std::string_view frame) {
  if (PQputCopyData(connection_.get(), frame.data(), static_cast<int>(frame.size())) != 1 ||
      PQflush(connection_.get()) < 0)
    fail(nullptr);
}

}  // namespace meesh::ingest
