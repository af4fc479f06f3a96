// Links to one dashboard for people without an account: a random token, of which only the hash is
// kept, with an end and perhaps fixed parameters. Whoever has the link sees what the one who made
// it would see on that dashboard, and nothing else.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "meta/database.h"

namespace meesh::dashboards {

struct Share {
  std::string id, dashboard, creator;
  boost::json::object parameters;          // fixed; others keep their default
  int64_t created_ms = 0, expires_ms = 0;  // expires_ms 0: never
};

class Shares {
 public:
  /// Creates its table. The database outlives this.
  explicit Shares(meta::Database& database);

  /// The token is told once. Throws BAD_REQUEST for an end that is over.
  struct Made {
    Share share;
    std::string token;
  };
  Made make(const std::string& dashboard, const std::string& creator,
            const boost::json::object& parameters, int64_t expires_ms);
  /// Those of a dashboard that are not over, newest first.
  std::vector<Share> list(const std::string& dashboard);
  /// Throws NOT_FOUND.
  void revoke(const std::string& dashboard, const std::string& id);
  /// What the token opens; throws NOT_FOUND for any that opens nothing (any more).
  Share open(const std::string& token);

 private:
  meta::Database& database_;
};

}  // namespace meesh::dashboards
