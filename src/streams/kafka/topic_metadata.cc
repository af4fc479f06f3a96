#include "streams/kafka/topic_metadata.h"

#include <algorithm>
#include <span>
#include <thread>

namespace meesh::streams {
namespace {

using Clock = std::chrono::steady_clock;
using Metadata = std::unique_ptr<const struct rd_kafka_metadata, Freed<&rd_kafka_metadata_destroy>>;

constexpr std::chrono::milliseconds kPause{100};

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
  return static_cast<int>(std::max<int64_t>(left.count(), 1));
}

bool all_led(const rd_kafka_metadata_topic& topic) {
  const std::span partitions(topic.partitions, static_cast<size_t>(topic.partition_cnt));
  return std::ranges::all_of(partitions, [](const auto& one) { return one.leader >= 0; });
}

}  // namespace

int partition_count(rd_kafka_t* client, const KafkaSettings& settings, const std::string& topic,
                    Leaders leaders, std::chrono::milliseconds at_most, ClientTrouble& trouble) {
  const auto end = Clock::now() + at_most;
  const KafkaTopic handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  if (!handle) throw kafka_error(settings, topic, rd_kafka_last_error(), trouble);
  while (true) {
    const struct rd_kafka_metadata* answer = nullptr;
    auto error = rd_kafka_metadata(client, 0, handle.get(), &answer, milliseconds_until(end));
    const Metadata owner(answer);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && answer->topic_cnt == 1) {
      const rd_kafka_metadata_topic& found = answer->topics[0];
      error = found.err;
      if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return 0;
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR && found.partition_cnt > 0 &&
          (leaders == Leaders::kAny || all_led(found))) {
        return found.partition_cnt;
      }
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    }
    rd_kafka_poll(client, 0);  // a refusal is told there
    if (const auto why = trouble.take_refusal(); !why.empty()) {
      throw kafka_error(settings, topic, RD_KAFKA_RESP_ERR__AUTHENTICATION, trouble, why);
    }
    if (!passes(error) || Clock::now() + kPause > end) {
      throw kafka_error(settings, topic, error, trouble);
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace meesh::streams
