// How often requests may be sent, by all readers of a source together.
#pragma once

#include <chrono>
#include <mutex>

#include "base/task.h"

namespace meesh::ingest {

/// Waits; throws USER_CANCELED once a stop is asked for.
void wait_for(std::chrono::milliseconds time, const TaskContext& context);

/// Thread-safe.
class Pace {
 public:
  /// Requests a second; 0: as many as can be.
  explicit Pace(double per_second) : per_second_(per_second) {}
  /// Waits for this request's turn.
  void take(const TaskContext& context);
  /// Nobody's turn comes before that much time has passed: a server has asked for it.
  void hold(std::chrono::milliseconds time);

 private:
  const double per_second_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point next_{};  // guarded by mutex_
};

}  // namespace meesh::ingest
