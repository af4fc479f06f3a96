// The store's housekeeping thread: removes payload files that nothing refers to any more, soon
// after; runs the buckets' lifecycle and forgets old completions, once an hour.
#pragma once

#include <thread>

#include "base/shutdown.h"
#include "objects/local/core.h"

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

  Core& core_;
  Stop stop_;
  std::thread thread_;
};

/// Removes the files that garbage names and nobody has pinned; how many.
size_t collect_garbage(Core& core);
/// Answers to completions older than a day.
void forget_completions(Core& core, Time now);

}  // namespace meesh::objects
