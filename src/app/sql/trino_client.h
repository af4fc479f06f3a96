// A client of the Trino statement protocol, for `meesh sql` and `meesh demo`: keeps the session the
// server asks it to keep (catalog, schema, properties, prepared statements, transaction).
#pragma once

#include <atomic>
#include <boost/json.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/http.h"

namespace meesh::app {

struct ClientSession {
  std::string server = "http://127.0.0.1:8080";
  std::string user, catalog, schema, time_zone, source = "meesh-sql";
  std::map<std::string, std::string> properties, prepared;
  std::string transaction_id;
};

struct ClientColumn {
  std::string name, type;
  bool numeric() const;
};

struct Progress {
  std::string state;
  double percent = -1;  // -1: unknown
  uint64_t rows = 0, bytes = 0;
  int64_t elapsed_ms = 0;
};

/// What a server answered an SQL error with; `code` is Trino's name.
struct RemoteError {
  std::string message, name, type, hint;
  int line = 0, column = 0;
};

struct Outcome {
  std::string query_id, update_type;
  std::optional<uint64_t> update_count;
  std::optional<RemoteError> error;
  bool canceled = false;
  uint64_t rows = 0;
  int64_t elapsed_ms = 0;
};

class TrinoClient {
 public:
  struct Callbacks {
    std::function<void(const std::vector<ClientColumn>&)> columns;
    std::function<void(const boost::json::array& rows)> rows;
    std::function<void(const Progress&)> progress;
    std::function<bool()> canceled;  // asked between pages
  };

  explicit TrinoClient(ClientSession session);
  /// Throws only when the server cannot be reached or answers nonsense (UNAVAILABLE).
  Outcome run(std::string_view sql, const Callbacks& callbacks);
  const ClientSession& session() const { return session_; }

 private:
  net::Headers request_headers() const;
  void take_session(const net::Headers& headers);
  net::ClientResponse call(std::string_view method, const std::string& target,
                           std::string_view body);

  ClientSession session_;
  net::Client http_;
  std::string token_;  // "" = none
};

}  // namespace meesh::app
