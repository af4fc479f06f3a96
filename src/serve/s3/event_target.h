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

/// Thread-safe but for close().
class EventTarget {
 public:
  virtual ~EventTarget() = default;
  /// Never waits. A message that finds the queue full is lost.
  virtual void send(const EventMessage& message) = 0;
  /// Delivers what waits, not longer than `until`; the rest is lost. Once; nothing is sent behind.
  virtual void close(std::chrono::steady_clock::time_point until) = 0;
  /// Messages that were not and will not be delivered.
  virtual uint64_t lost() const = 0;
};

}  // namespace meesh::serve::s3
