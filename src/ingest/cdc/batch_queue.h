// Batches of changes between the thread that reads a source and the one that lands them: one waits
// while another is landed, and the one that is read meanwhile grows.
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "ingest/cdc/change_source.h"

namespace meesh::ingest {

/// Reads in a thread of its own as long as it lives.
class BatchQueue {
 public:
  BatchQueue(ChangeSource& source, const BatchLimits& limits);
  ~BatchQueue();
  BatchQueue(const BatchQueue&) = delete;
  BatchQueue& operator=(const BatchQueue&) = delete;

  /// The next batch; nothing if none came in `at_most`. Throws what ended the reading, after what
  /// was read before.
  std::optional<ChangeBatch> take(std::chrono::milliseconds at_most, std::stop_token stop);

 private:
  void read(std::stop_token stop);

  ChangeSource& source_;
  BatchLimits limits_;
  std::atomic<bool> wanted_ = false;  // somebody waits in take()
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<ChangeBatch> next_;  // guarded by mutex_
  std::exception_ptr failure_;       // guarded by mutex_
  std::jthread thread_;              // last: it uses all the others
};

}  // namespace meesh::ingest
