// What people are told of alerts: kept in the metadata database until it has arrived, by webhook or
// e-mail; tried again with growing waits for three days.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "dashboards/dashboard.h"
#include "mesh/mesh.h"
#include "meta/database.h"

namespace meesh::dashboards {

struct Notice {
  std::string id, channel;   // "webhook:NAME", "email:ana@example.com"
  boost::json::object body;  // with "subject" and "text"
  int64_t created_ms = 0, next_ms = 0;
  int attempts = 0;
};

class Notices {
 public:
  /// Creates its table. Both outlive this.
  Notices(meta::Database& database, const mesh::Mesh& mesh);

  /// One for each receiver, in a transaction of the caller's.
  void add(soci::session& sql, const Receivers& to, const boost::json::object& body);
  /// Sends what is due; when the next one is (ms since 1970, INT64_MAX = none waits).
  int64_t send_due(const std::stop_token& stop);
  /// Throws what keeps it from arriving.
  void send(const std::string& channel, const boost::json::object& body) const;

 private:
  meta::Database& database_;
  const mesh::Mesh& mesh_;
};

/// "webhook:NAME", "email:…" of each receiver.
std::vector<std::string> channels(const Receivers& to);

}  // namespace meesh::dashboards
