#include "ingest/cdc/batch_queue.h"

namespace meesh::ingest {

namespace {

constexpr auto kIdle = std::chrono::seconds(1);  // between signs of life to the source

}  // namespace

BatchQueue::BatchQueue(ChangeSource& source, const BatchLimits& limits)
    : source_(source), limits_(limits) {
  limits_.wanted = &wanted_;
  thread_ = std::jthread([this](std::stop_token stop) { read(std::move(stop)); });
}

BatchQueue::~BatchQueue() {
  thread_.request_stop();
  changed_.notify_all();
}

void BatchQueue::read(std::stop_token stop) {
  try {
    while (!stop.stop_requested()) {
      auto batch = source_.next(limits_, stop);
      if (!batch) continue;
      std::unique_lock lock(mutex_);
      while (next_ && !stop.stop_requested()) {
        if (changed_.wait_for(lock, stop, kIdle, [&] { return !next_; })) break;
        lock.unlock();
        source_.idle();
        lock.lock();
      }
      if (stop.stop_requested()) return;
      next_ = std::move(batch);
      changed_.notify_all();
    }
  } catch (...) {
    std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

std::optional<ChangeBatch> BatchQueue::take(std::chrono::milliseconds at_most,
                                            std::stop_token stop) {
  std::unique_lock lock(mutex_);
  wanted_ = true;
  changed_.wait_for(lock, stop, at_most, [&] { return next_ || failure_; });
  wanted_ = false;
  if (!next_ && failure_) std::rethrow_exception(failure_);
  auto batch = std::exchange(next_, std::nullopt);
  changed_.notify_all();
  return batch;
}

}  // namespace meesh::ingest
