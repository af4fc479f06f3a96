// What runs, what failed and what is stale in a mesh, and how much it holds: GET /api/v1/overview.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "serve/api/inventory.h"

namespace meesh::serve::api {

/// Thread-safe.
class Overview {
 public:
  explicit Overview(const MeshParts& parts) : parts_(parts) {}
  Overview(const Overview&) = delete;
  Overview& operator=(const Overview&) = delete;

  /// Soon: what cannot be read is told in `unreadable`, what is not known yet in `pending`.
  boost::json::object read();

 private:
  /// What pipelines' files make, read on a thread of its own: it takes a dbt project as long as
  /// half a minute to be read for the first time. Nothing: it was not read yet. Throws what was
  /// wrong with it.
  std::optional<boost::json::array> stale_assets();
  void read_assets();

  const MeshParts parts_;
  std::mutex mutex_;
  std::condition_variable read_;
  std::optional<boost::json::array> stale_;  // guarded by mutex_, as all below
  std::optional<Error> wrong_;               // with the last reading
  bool reading_ = false;
  std::chrono::steady_clock::time_point read_at_{};
  std::jthread reader_;  // last: it uses the rest
};

}  // namespace meesh::serve::api
