// What a cluster tells about one topic.
#pragma once

#include <chrono>
#include <string>

#include "streams/kafka/kafka_conf.h"

namespace meesh::streams {

enum class Leaders { kAny, kAll };

/// How many partitions the topic has; 0 = there is no such topic. kAll: waits until each has a
/// leader. Throws what kafka_error() makes, when the time is over too.
int partition_count(rd_kafka_t* client, const KafkaSettings& settings, const std::string& topic,
                    Leaders leaders, std::chrono::milliseconds at_most, ClientTrouble& trouble);

}  // namespace meesh::streams
