#include "serve/s3/kafka_target.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"

namespace meesh::serve::s3 {
namespace {

constexpr int kPollMilliseconds = 100;

using Text = std::array<char, 512>;
using Setting = std::pair<const char*, std::string>;

std::vector<Setting> properties(const KafkaSettings& settings) {
  bool sasl = !settings.mechanism.empty();
  const char* plain = sasl ? "sasl_plaintext" : "plaintext";
  const char* sealed = sasl ? "sasl_ssl" : "ssl";
  std::vector<Setting> all = {
      {"bootstrap.servers", settings.brokers},
      {"client.id", "meesh"},
      {"enable.idempotence", "true"},
      {"queue.buffering.max.messages", std::to_string(kMostWaitingEvents)},
      {"reconnect.backoff.max.ms", "5000"},
      // For ever: how many wait is what bounds them.
      {"message.timeout.ms", "0"},
      // As Java's clients choose the partition of a key.
      {"partitioner", "murmur2_random"},
      {"security.protocol", settings.tls ? sealed : plain},
  };
  const Setting optional[] = {{"ssl.ca.location", settings.ca_file},
                              {"ssl.certificate.location", settings.certificate_file},
                              {"ssl.key.location", settings.key_file},
                              {"sasl.mechanisms", settings.mechanism},
                              {"sasl.username", settings.user},
                              {"sasl.password", settings.password}};
  for (const Setting& one : optional) {
    if (!one.second.empty()) all.push_back(one);
  }
  return all;
}

}  // namespace

struct KafkaTarget::Calls {
  static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    auto& target = *static_cast<KafkaTarget*>(opaque);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      target.loss_.add(rd_kafka_err2str(message->err));
    } else if (target.away_.exchange(false)) {
      log::info("Kafka takes events again", {{"target", target.arn_}});
    }
  }
  static void failed(rd_kafka_t*, int code, const char* reason, void* opaque) {
    auto& target = *static_cast<KafkaTarget*>(opaque);
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || target.away_.exchange(true)) return;
    log::warn("no broker of Kafka answers; events wait",
              {{"target", target.arn_}, {"error", reason}});
  }
  static void told(const rd_kafka_t*, int, const char*, const char* text) {
    log::debug("librdkafka", {{"text", text}});
  }
};

struct KafkaTarget::Producer {
  explicit Producer(KafkaTarget& target) {
    Text problem{};
    std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)> configuration(
        rd_kafka_conf_new(), &rd_kafka_conf_destroy);
    for (const auto& [name, value] : properties(target.settings_)) {
      if (rd_kafka_conf_set(configuration.get(), name, value.c_str(), problem.data(),
                            problem.size()) != RD_KAFKA_CONF_OK) {
        throw refused(target, problem);
      }
    }
    rd_kafka_conf_set_opaque(configuration.get(), &target);
    rd_kafka_conf_set_dr_msg_cb(configuration.get(), &Calls::delivered);
    rd_kafka_conf_set_error_cb(configuration.get(), &Calls::failed);
    rd_kafka_conf_set_log_cb(configuration.get(), &Calls::told);
    handle = rd_kafka_new(RD_KAFKA_PRODUCER, configuration.get(), problem.data(), problem.size());
    if (handle == nullptr) throw refused(target, problem);
    static_cast<void>(configuration.release());  // the handle's now
    topic = rd_kafka_topic_new(handle, target.settings_.topic.c_str(), nullptr);
    if (topic == nullptr) {
      rd_kafka_destroy(handle);
      throw refused(target, "the topic's name");
    }
  }
  // What still waits is reported as lost.
  ~Producer() {
    rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(handle, 1000);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
  }
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  bool broken() const {
    Text text{};
    return rd_kafka_fatal_error(handle, text.data(), text.size()) != RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  template <typename Why>
  static Error refused(const KafkaTarget& target, const Why& why) {
    return Error(Code::kConfigInvalid, fmt::format("the Kafka target '{}' is not possible: {}",
                                                   target.arn_, static_cast<const char*>(&why[0])));
  }

  rd_kafka_t* handle = nullptr;
  rd_kafka_topic_t* topic = nullptr;
};

KafkaTarget::KafkaTarget(std::string arn, KafkaSettings settings)
    : arn_(std::move(arn)), settings_(std::move(settings)), loss_(arn_) {
  producer_ = std::make_unique<Producer>(*this);
  thread_ = std::thread([this] { poll_loop(); });
}

KafkaTarget::~KafkaTarget() { close(std::chrono::steady_clock::now()); }

void KafkaTarget::send(const EventMessage& message) {
  std::shared_lock lock(mutex_);
  if (!producer_) {
    loss_.add("the producer is gone");
    return;
  }
  // librdkafka copies the content and never writes into what it is given.
  if (rd_kafka_produce(producer_->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                       const_cast<char*>(message.body.data()), message.body.size(),
                       message.key.data(), message.key.size(), nullptr) != 0) {
    loss_.add(rd_kafka_err2str(rd_kafka_last_error()));
  }
}

// Serves librdkafka's calls; a producer that can go on no more is replaced.
void KafkaTarget::poll_loop() {
  while (!stop_.requested()) {
    rd_kafka_poll(producer_->handle, kPollMilliseconds);
    if (!producer_->broken()) continue;
    std::unique_ptr<Producer> broken;
    try {
      auto fresh = std::make_unique<Producer>(*this);
      std::unique_lock lock(mutex_);
      broken = std::exchange(producer_, std::move(fresh));
    } catch (const Error& e) {
      log::warn("Kafka's producer cannot be made anew", {{"target", arn_}, {"error", e.what()}});
      if (stop_.sleep_for(std::chrono::seconds(1))) return;
    }
  }
}

void KafkaTarget::close(std::chrono::steady_clock::time_point until) {
  if (!thread_.joinable()) return;
  stop_.request();
  thread_.join();
  using std::chrono::milliseconds;
  auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
  rd_kafka_flush(producer_->handle, static_cast<int>(std::max(left, milliseconds(0)).count()));
  std::unique_ptr<Producer> closed;
  std::unique_lock lock(mutex_);
  closed = std::move(producer_);
}

}  // namespace meesh::serve::s3
