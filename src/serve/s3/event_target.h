// Where the events of buckets go: each target has a queue and a thread of its own, so that one that
// does not answer holds up neither requests nor other targets.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace meesh::serve::s3 {

struct EventMessage {
  std::string key;   // "bucket/key", not encoded: messages with one key keep their order
  std::string body;  // JSON
};

/// As many messages wait in memory for one target; more are lost.
inline constexpr int kMostWaitingEvents = 10000;

/// Counts what a target lost; the log is told of the first and of every thousandth. Thread-safe.
class LossCount {
 public:
  explicit LossCount(std::string arn) : arn_(std::move(arn)) {}
  void add(std::string_view why);
  uint64_t total() const { return total_; }

 private:
  const std::string arn_;
  std::atomic<uint64_t> total_ = 0;
};

/// Thread-safe. At the end, of all targets: drain(), then stop(), then close(), each once and by
/// one thread; nothing is sent behind.
class EventTarget {
 public:
  virtual ~EventTarget() = default;
  /// Never waits. A message that finds the queue full is lost.
  virtual void send(const EventMessage& message) = 0;
  /// Returns when nothing waits any more, at `until` at the latest.
  virtual void drain(std::chrono::steady_clock::time_point until) = 0;
  /// Begins no delivery any more, and waits for none under way.
  virtual void stop() = 0;
  /// stop(), and waits for what is under way. What waits still is lost.
  virtual void close() = 0;
  /// Messages that were not and will not be delivered, whole after close().
  virtual uint64_t lost() const = 0;
};

}  // namespace meesh::serve::s3
