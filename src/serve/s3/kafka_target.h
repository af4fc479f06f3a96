// Events as messages of a Kafka topic, by librdkafka's idempotent producer: the messages of one key
// stand in one partition, once and in order. They wait, in memory, as long as no broker answers.
//
// After an error that a producer cannot go on from, another takes its place and sends again, in
// order, all that Kafka did not confirm: what was confirmed on a line that broke then stands twice.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/shutdown.h"
#include "serve/s3/event_target.h"
#include "serve/s3/kafka_settings.h"

namespace meesh::serve::s3 {

class KafkaTarget final : public EventTarget {
 public:
  /// Connects in the background. Throws CONFIG_INVALID for settings librdkafka does not take, such
  /// as files that cannot be read.
  KafkaTarget(std::string arn, KafkaSettings settings);
  ~KafkaTarget() override;  // what waits is lost
  void send(const EventMessage& message) override;
  void drain(std::chrono::steady_clock::time_point until) override;
  void stop() override { stop_.request(); }
  void close() override;
  uint64_t lost() const override { return loss_.total(); }

 private:
  struct Producer;
  struct Calls;  // librdkafka's, back to us

  using Waiting = std::map<uint64_t, EventMessage>;  // by their numbers, which grow

  void poll_loop();
  void replace_producer();
  /// Under mutex_, with a producer.
  void hand_over(Waiting::iterator message);
  void forget(uint64_t number);

  const std::string arn_;
  const KafkaSettings settings_;
  LossCount loss_;
  std::atomic<bool> away_ = false;  // the log knows that events wait
  std::mutex mutex_;
  std::condition_variable forgotten_;
  Waiting waiting_;           // guarded by mutex_: all without an answer of Kafka
  uint64_t last_number_ = 0;  // guarded by mutex_
  bool closed_ = false;       // guarded by mutex_
  /// Set by the thread alone, under mutex_; null while one takes the place of another.
  std::unique_ptr<Producer> producer_;
  Stop stop_;
  std::thread thread_;
};

}  // namespace meesh::serve::s3
