#include "engine/catalogs/postgres_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <charconv>
#include <set>

#include "engine/catalogs/postgres_errors.h"

namespace meesh::engine {
namespace {

/// A server that hangs must not hold a metadata call for ever.
constexpr std::chrono::seconds kStatementDeadline{30};

std::string address_of(const PostgresOptions& options) {
  return options.host + ":" + std::to_string(options.port);
}

/// Waits for the answer; null with `failure` set when it does not come.
PGresult* wait_for_result(PGconn* connection, std::string& failure) {
  const auto deadline = std::chrono::steady_clock::now() + kStatementDeadline;
  PGresult* last = nullptr;
  while (true) {
    while (PQisBusy(connection)) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      pollfd socket{PQsocket(connection), POLLIN, 0};
      const int ready = left.count() <= 0 ? 0 : poll(&socket, 1, static_cast<int>(left.count()));
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0 || !PQconsumeInput(connection)) {
        failure = ready <= 0 ? "timeout expired" : PQerrorMessage(connection);
        PQclear(last);
        return nullptr;
      }
    }
    PGresult* result = PQgetResult(connection);
    if (!result) return last;
    // The first error is the one that tells.
    if (last && PQresultStatus(last) == PGRES_FATAL_ERROR) {
      PQclear(result);
    } else {
      PQclear(last);
      last = result;
    }
  }
}

}  // namespace

void PostgresRows::clear(pg_result* result) { PQclear(result); }
int PostgresRows::columns() const { return PQnfields(result_.get()); }

std::string PostgresRows::column_name(int column) const { return PQfname(result_.get(), column); }

int64_t PostgresRows::column_type(int column) const { return PQftype(result_.get(), column); }

int PostgresRows::column_modifier(int column) const { return PQfmod(result_.get(), column); }

int PostgresRows::count() const { return PQntuples(result_.get()); }
bool PostgresRows::is_null(int row, int column) const {
  return PQgetisnull(result_.get(), row, column);
}
std::string PostgresRows::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}
int64_t PostgresRows::number(int row, int column) const {
  const char* begin = PQgetvalue(result_.get(), row, column);
  int64_t value = 0;
  std::from_chars(begin, begin + PQgetlength(result_.get(), row, column), value);
  return value;
}
bool PostgresRows::flag(int row, int column) const {
  return *PQgetvalue(result_.get(), row, column) == 't';
}

struct PostgresPool::Connection {
  explicit Connection(PGconn* raw) : handle(raw, &PQfinish) {}
  std::unique_ptr<PGconn, void (*)(PGconn*)> handle;
  std::set<std::string> prepared;
};

PostgresPool::PostgresPool(PostgresOptions options)
    : options_(std::move(options)), address_(address_of(options_)) {}

PostgresPool::~PostgresPool() = default;

std::unique_ptr<PostgresPool::Connection> PostgresPool::connect() {
  const std::string port = std::to_string(options_.port);
  const std::string timeout = std::to_string(kConnectTimeout.count());
  const char* keys[] = {"host",
                        "port",
                        "dbname",
                        "user",
                        "password",
                        "connect_timeout",
                        "application_name",
                        "client_encoding",
                        "tcp_user_timeout",
                        nullptr};
  const char* values[] = {options_.host.c_str(),
                          port.c_str(),
                          options_.database.c_str(),
                          options_.user.c_str(),
                          options_.password.c_str(),
                          timeout.c_str(),
                          "meesh",
                          "UTF8",
                          "30000",
                          nullptr};
  auto connection = std::make_unique<Connection>(PQconnectdbParams(keys, values, 0));
  if (!connection->handle) internal_error("libpq has no memory for a connection");
  if (PQstatus(connection->handle.get()) != CONNECTION_OK) {
    throw unreachable(options_.name, address_, PQerrorMessage(connection->handle.get()));
  }
  PQsetNoticeProcessor(connection->handle.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

std::unique_ptr<PostgresPool::Connection> PostgresPool::acquire(bool& kept) {
  std::unique_lock lock(mutex_);
  if (!freed_.wait_for(lock, kStatementDeadline,
                       [&] { return !idle_.empty() || open_ < kMaxConnections; })) {
    throw unreachable(options_.name, address_, "timeout expired");
  }
  kept = !idle_.empty();
  if (kept) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }
  ++open_;
  lock.unlock();
  try {
    return connect();
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

/// Null tells that the connection is gone.
void PostgresPool::give_back(std::unique_ptr<Connection> connection) {
  std::lock_guard lock(mutex_);
  if (connection && PQstatus(connection->handle.get()) == CONNECTION_OK) {
    idle_.push_back(std::move(connection));
  } else {
    --open_;
  }
  freed_.notify_one();
}

std::optional<PostgresRows> PostgresPool::attempt(Connection& connection, const char* name,
                                                  const std::string& sql,
                                                  const std::vector<std::string>& parameters,
                                                  std::string& failure) {
  PGconn* handle = connection.handle.get();
  std::vector<const char*> values;
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  const int count = static_cast<int>(values.size());
  const auto finish = [&](int sent) -> PGresult* {
    if (!sent) {
      failure = PQerrorMessage(handle);
      return nullptr;
    }
    PGresult* result = wait_for_result(handle, failure);
    if (!result) return nullptr;
    const auto status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return result;
    failure = PQresultErrorMessage(result);
    PQclear(result);
    return nullptr;
  };
  PGresult* result = nullptr;
  if (*name == '\0') {
    result = finish(count == 0 ? PQsendQuery(handle, sql.c_str())
                               : PQsendQueryParams(handle, sql.c_str(), count, nullptr,
                                                   values.data(), nullptr, nullptr, 0));
  } else {
    if (!connection.prepared.contains(name)) {
      PGresult* ready = finish(PQsendPrepare(handle, name, sql.c_str(), 0, nullptr));
      if (!ready) return std::nullopt;
      PQclear(ready);
      connection.prepared.insert(name);
    }
    result = finish(PQsendQueryPrepared(handle, name, count, values.data(), nullptr, nullptr, 0));
  }
  if (!result) return std::nullopt;
  return PostgresRows(result);
}

PostgresRows PostgresPool::query(const char* name, const std::string& sql,
                                 const std::vector<std::string>& parameters) {
  while (true) {
    bool kept = false;
    auto connection = acquire(kept);
    std::string failure;
    auto rows = attempt(*connection, name, sql, parameters, failure);
    if (rows) {
      give_back(std::move(connection));
      return std::move(*rows);
    }
    const bool lost =
        PQstatus(connection->handle.get()) != CONNECTION_OK || tells_of_lost_server(failure);
    const bool hung = failure == "timeout expired";
    if (lost || hung) {
      connection.reset();
      give_back(nullptr);
      // Each turn uses up one kept connection. What is not prepared may change things: it runs
      // once.
      if (kept && !hung && *name != '\0') continue;
      throw unreachable(options_.name, address_, failure);
    }
    give_back(std::move(connection));
    throw Error(Code::kJdbcError, "Catalog '" + options_.name + "': " + plain_reason(failure));
  }
}

bool PostgresPool::answers() {
  try {
    query("ping", "SELECT 1");
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace meesh::engine
