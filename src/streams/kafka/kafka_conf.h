// From the settings of a cluster to librdkafka's configuration, and from its errors to ours. What
// librdkafka logs goes to our log at debug level.
//
//   ClientTrouble trouble;
//   auto conf = kafka_conf(settings, {{"linger.ms", "20"}}, {{"acks", "all"}}, trouble);
//   KafkaHandle handle = new_client(RD_KAFKA_PRODUCER, std::move(conf), settings);
//   …
//   throw kafka_error(settings, "orders", error, trouble);
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "streams/stream_config.h"

namespace meesh::streams {

/// A C function that frees, as a deleter.
template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using KafkaConf = std::unique_ptr<rd_kafka_conf_t, Freed<&rd_kafka_conf_destroy>>;
/// Ends a client. Without a consumer's farewell (RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) librdkafka
/// 2.0.2 sometimes waits for its own thread for ever.
inline void end_client(rd_kafka_t* client) { rd_kafka_destroy(client); }
using KafkaHandle = std::unique_ptr<rd_kafka_t, Freed<&end_client>>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, Freed<&rd_kafka_queue_destroy>>;
using KafkaTopic = std::unique_ptr<rd_kafka_topic_t, Freed<&rd_kafka_topic_destroy>>;
using KafkaEvent = std::unique_ptr<rd_kafka_event_t, Freed<&rd_kafka_event_destroy>>;
using KafkaPartitions =
    std::unique_ptr<rd_kafka_topic_partition_list_t, Freed<&rd_kafka_topic_partition_list_destroy>>;
using KafkaFailure = std::unique_ptr<rd_kafka_error_t, Freed<&rd_kafka_error_destroy>>;

/// Why a broker was not reached last, in librdkafka's words ("Connect to ipv4#127.0.0.1:9092
/// failed: Connection refused"); its calls tell only that they timed out. Thread-safe; outlives the
/// client.
class ClientTrouble {
 public:
  ClientTrouble() = default;
  ClientTrouble(const ClientTrouble&) = delete;
  ClientTrouble& operator=(const ClientTrouble&) = delete;
  std::string last() const;
  void set(std::string_view text);
  /// The brokers refuse who we are: waiting does not help. "" if they do not, or when it was asked
  /// before and they did not say so again.
  std::string take_refusal();
  void set_refusal(std::string_view text);

 private:
  mutable std::mutex mutex_;
  std::string last_, refusal_;  // guarded by mutex_
};

using KafkaProperties = std::vector<std::pair<std::string, std::string>>;

/// `settings` with what the caller chose: `defaults` give way to the settings' own properties,
/// `fixed` may not be among those. Throws CONFIG_INVALID that names the property, never a secret's
/// value. The configuration's opaque is `trouble`.
KafkaConf kafka_conf(const KafkaSettings& settings, const KafkaProperties& defaults,
                     const KafkaProperties& fixed, ClientTrouble& trouble);

/// Connects in the background. Throws CONFIG_INVALID, for files that cannot be read for one.
KafkaHandle new_client(rd_kafka_type_t type, KafkaConf conf, const KafkaSettings& settings);

/// Goes by itself: a broker that is away, an election, a coordinator that moves.
bool passes(rd_kafka_resp_err_t error);

/// "Kafka at host:9092, topic 'orders': what (detail)": UNAVAILABLE if nobody answered, with what
/// `trouble` knows, else GENERIC_EXTERNAL. `topic`, `detail`: "" = none.
Error kafka_error(const KafkaSettings& settings, std::string_view topic, rd_kafka_resp_err_t error,
                  const ClientTrouble& trouble, std::string_view detail = {});
/// The text before what happened: "Kafka at host:9092, topic 'orders'".
std::string kafka_place(const KafkaSettings& settings, std::string_view topic);

}  // namespace meesh::streams
