// The newest lines of the log, kept in memory for people who look at them in the console.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"

namespace meesh::log {

struct KeptLine {
  uint64_t id = 0;  // counts up from 1
  Level level = Level::kInfo;
  std::string json;  // one object: "time", "level", "message", and the fields
};

/// Thread-safe. Whichever comes first: so many lines, so many bytes.
class Ring {
 public:
  explicit Ring(size_t most_lines = 5000, size_t most_bytes = 4 << 20)
      : most_lines_(most_lines), most_bytes_(most_bytes) {}

  void add(Level level, std::string json);
  /// Lines after `id` of at least this level whose text contains `search` (letters' case does not
  /// matter), oldest first; the newest `most` of them.
  std::vector<KeptLine> after(uint64_t id, Level least, const std::string& search,
                              size_t most) const;
  /// The id of the newest line; waits until it is another than `id`, or the time is over.
  uint64_t wait(uint64_t id, std::chrono::milliseconds at_most) const;

 private:
  const size_t most_lines_, most_bytes_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::deque<KeptLine> lines_;  // guarded
  size_t bytes_ = 0;            // guarded
  uint64_t newest_ = 0;         // guarded
};

/// What this process wrote, whatever format it goes out in.
Ring& recent();

}  // namespace meesh::log
