// Messages into Kafka topics, by librdkafka's idempotent producer; with a transactional id, in
// transactions that carry a number, so that whoever begins again can ask which was the last.
//
//   KafkaProducer producer(settings, {.transactional_id = "meesh-sales"});
//   producer.create_topic("totals", 1);
//   if (producer.last_number() >= number) return;   // it was committed, and nobody could say so
//   producer.begin();
//   producer.send("totals", key, value);
//   producer.commit(number, "totals");
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "streams/stream_config.h"

namespace meesh::streams {

struct ProducerOptions {
  std::string transactional_id;  // "" = no transactions
};

/// Used by one thread. Errors are of kind kExternal and name brokers and topic.
class KafkaProducer {
 public:
  /// With a transactional id: waits for the cluster, and ends what an earlier producer of this id
  /// left open.
  KafkaProducer(const KafkaSettings& settings, ProducerOptions options);
  ~KafkaProducer();
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;

  /// Makes the topic if it is not there, with as many replicas as the cluster gives by default.
  void create_topic(const std::string& topic, int partitions);

  /// The number that the last committed transaction of this id carried (kept as the metadata of an
  /// offset in a consumer group of the id's name, of a topic that create_topic() was called for);
  /// nothing before the first, or when the brokers have forgotten the group
  /// (offsets.retention.minutes after the last commit, a week by default).
  std::optional<int64_t> last_number();
  /// After an error of a transaction last_number() is to be asked first: it takes a new producer of
  /// the id, which ends what is open.
  void begin();
  /// Waits while librdkafka's queue is full. `key`, `value`: nothing = null. `timestamp_ms` 0: now.
  void send(const std::string& topic, std::optional<std::string_view> key,
            std::optional<std::string_view> value, int64_t timestamp_ms = 0);
  /// All that was sent since begin() and the number, or nothing of it; after an error last_number()
  /// tells which.
  void commit(int64_t number, const std::string& topic);
  /// Nothing outside of a transaction.
  void abort();
  /// How many the brokers have not confirmed yet. Throws if some were not delivered in time.
  uint64_t unconfirmed();
  /// Outside of transactions: waits until all is confirmed; throws if some was not in time.
  void flush(std::chrono::milliseconds at_most);

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace meesh::streams
