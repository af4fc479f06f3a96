// Messages of Kafka topics, by librdkafka. Which partitions are read from where is the caller's
// business alone (the lake has the offsets); a consumer group is only told how far it came, for
// those who watch.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "streams/message.h"
#include "streams/stream_config.h"

namespace meesh::streams {

struct ConsumerOptions {
  std::vector<std::string> topics;
  std::string group;                  // "" = none is told
  bool headers = false;               // whether messages come with them
  uint64_t queued_bytes = 64u << 20;  // that wait in memory for poll()
};

/// Used by one thread, except for interrupt(). Sees only what transactions have committed. Calls
/// that ask the cluster throw errors of kind kExternal that name the brokers and the topic.
class KafkaConsumer {
 public:
  /// Connects in the background. Throws CONFIG_INVALID for settings that librdkafka does not take.
  KafkaConsumer(const KafkaSettings& settings, ConsumerOptions options);
  ~KafkaConsumer();
  KafkaConsumer(const KafkaConsumer&) = delete;
  KafkaConsumer& operator=(const KafkaConsumer&) = delete;

  /// All partitions the topics have now. NOT_FOUND for a topic that is not there.
  std::vector<TopicPartition> partitions();
  Offsets beginnings();  // the oldest message that is kept
  Offsets ends();        // behind the newest
  /// The first message at or after the time; ends() where there is none.
  Offsets at_time(int64_t ms);

  /// From now on poll() gives the messages of these partitions from these offsets on.
  void assign(const Offsets& from);
  /// Hands over what is there, at most `most` messages; waits for the first at most that long. How
  /// many there were. Throws what broke (kExternal), and OFFSET_OUT_OF_RANGE-like trouble as
  /// DataLoss. Short losses of the brokers are none: it waits, and so it does for a topic that was
  /// deleted, of which partitions() tells.
  size_t poll(std::chrono::milliseconds at_most, size_t most,
              const std::function<void(const Message&)>& take);
  /// By partition, where poll() is: behind the last message it gave, and behind what stands after
  /// it that is no message (ends of transactions) once the partition's end was seen.
  const Offsets& positions() const;
  /// Every partition's end was seen since its last message.
  bool at_end() const;

  /// Tells the group; in the background, no error if it fails.
  void tell_group(const Offsets& offsets);
  /// A poll() that waits returns.
  void interrupt();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

/// Offsets that were asked for are not there (any more): retention, a topic made anew.
class DataLoss : public Error {
 public:
  using Error::Error;
};

}  // namespace meesh::streams
