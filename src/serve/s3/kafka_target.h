// Events as messages of a Kafka topic, by librdkafka's idempotent producer: the messages of one key
// stand in one partition, once and in order. They wait, in memory, as long as no broker answers.
#pragma once

#include <atomic>
#include <memory>
#include <shared_mutex>
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
  void close(std::chrono::steady_clock::time_point until) override;
  uint64_t lost() const override { return loss_.total(); }

 private:
  struct Producer;
  struct Calls;  // librdkafka's, back to us

  void poll_loop();

  const std::string arn_;
  const KafkaSettings settings_;
  LossCount loss_;
  std::atomic<bool> away_ = false;  // the log knows that no broker answers
  std::shared_mutex mutex_;         // of the pointer, not of what it points to
  std::unique_ptr<Producer> producer_;
  Stop stop_;
  std::thread thread_;
};

}  // namespace meesh::serve::s3
