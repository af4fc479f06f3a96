// The store's housekeeping thread: removes payload files that nothing refers to any more, soon
// after; runs the buckets' lifecycle and forgets old completions, minutes after the start and then
// once an hour, counted across restarts.
#pragma once

#include <optional>
#include <thread>

#include "base/shutdown.h"
#include "objects/local/core.h"
#include "objects/maintenance.h"

namespace meesh::objects {

class Background {
 public:
  explicit Background(Core& core);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

 private:
  void work();
  void work_hourly();
  /// Ends a run when the store is to be closed.
  Progress going_on();
  std::optional<Time> last_run();

  Core& core_;
  Stop stop_;
  std::thread thread_;
};

/// From the opening of the store to its first run of lifecycles; `last`: the one before, if any.
std::chrono::milliseconds time_to_lifecycle(Time start, std::optional<Time> last);
/// Removes the files that garbage names and nobody has pinned; how many. Progress as in
/// Maintenance.
size_t collect_garbage(Core& core, const Progress& progress);
/// Answers to completions older than a day.
void forget_completions(Core& core, Time now);

}  // namespace meesh::objects
