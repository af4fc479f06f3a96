// Leases: of several servers on one metadata database, one at a time does a job (schedules, say).
//
//   if (auto lease = leases.acquire("scheduler", "host-1:4711", 15s)) {
//     while (working) if (!leases.renew(*lease, 15s)) break;   // lost it: stop at once
//   }
//
// A lease not renewed in time is anybody's. Each new holder gets a higher `token`; what a holder
// writes elsewhere should carry it, so that a late write of an old holder can be told (fencing).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "meta/database.h"

namespace meesh::meta {

struct Lease {
  std::string name, holder;
  long long token = 0;
};

class Leases {
 public:
  /// Creates its table.
  explicit Leases(Database& database);

  /// The lease if it is free, expired or already `holder`'s (then the token stays).
  std::optional<Lease> acquire(const std::string& name, const std::string& holder,
                               std::chrono::milliseconds time_to_live);
  /// False if it has been lost meanwhile.
  bool renew(const Lease& lease, std::chrono::milliseconds time_to_live);
  /// Gives it back early; no effect if it was lost.
  void release(const Lease& lease);
  /// Who holds it now, if anybody.
  std::optional<Lease> current(const std::string& name);

 private:
  Database& database_;
};

}  // namespace meesh::meta
