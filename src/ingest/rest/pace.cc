#include "ingest/rest/pace.h"

#include <algorithm>
#include <condition_variable>

namespace meesh::ingest {

using std::chrono::steady_clock;

void wait_for(std::chrono::milliseconds time, const TaskContext& context) {
  context.check();
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, context.stop, time, [] { return false; });
  context.check();
}

void Pace::take(const TaskContext& context) {
  steady_clock::time_point mine;
  {
    std::lock_guard lock(mutex_);
    mine = std::max(next_, steady_clock::now());
    if (per_second_ > 0) {
      next_ = mine + std::chrono::duration_cast<steady_clock::duration>(
                         std::chrono::duration<double>(1 / per_second_));
    }
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(mine - steady_clock::now());
  if (left.count() > 0) wait_for(left, context);
}

void Pace::hold(std::chrono::milliseconds time) {
  std::lock_guard lock(mutex_);
  next_ = std::max(next_, steady_clock::now() + time);
}

}  // namespace meesh::ingest
