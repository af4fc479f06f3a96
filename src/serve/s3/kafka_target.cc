#include "serve/s3/kafka_target.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"

namespace meesh::serve::s3 {
namespace {

constexpr int kPollMilliseconds = 100;
constexpr std::chrono::milliseconds kPause{500};  // before a producer takes another's place

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
      // Never reached: a message counts here until shortly after it was reported.
      {"queue.buffering.max.messages", std::to_string(2 * kMostWaitingEvents)},
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

// Not for what the message is: the next producer may send it.
bool taken_back(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__PURGE_QUEUE || error == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT ||
         error == RD_KAFKA_RESP_ERR__FATAL;
}

// Why the producer can go on no more; "" as long as it can.
std::string fatal_error(rd_kafka_t* handle) {
  Text text{};
  if (rd_kafka_fatal_error(handle, text.data(), text.size()) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    return "";
  }
  return text[0] == 0 ? "a fatal error" : text.data();
}

}  // namespace

struct KafkaTarget::Calls {
  static void delivered(rd_kafka_t* handle, const rd_kafka_message_t* message, void* opaque) {
    auto& target = *static_cast<KafkaTarget*>(opaque);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (target.away_.exchange(false)) {
        log::info("Kafka takes events again", {{"target", target.arn_}});
      }
    } else if (rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_PERSISTED) {
      if (taken_back(message->err) || !fatal_error(handle).empty()) return;
      target.loss_.add(rd_kafka_err2str(message->err));
    }
    target.forget(static_cast<uint64_t>(reinterpret_cast<uintptr_t>(message->_private)));
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
  ~Producer() {
    rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(handle, 1000);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
  }
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

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

KafkaTarget::~KafkaTarget() { close(); }

void KafkaTarget::send(const EventMessage& message) {
  std::lock_guard lock(mutex_);
  if (closed_) {
    loss_.add("the producer is gone");
  } else if (waiting_.size() >= kMostWaitingEvents) {
    loss_.add("its queue is full");
  } else {
    auto added = waiting_.emplace(++last_number_, message).first;
    if (producer_) hand_over(added);
  }
}

void KafkaTarget::hand_over(Waiting::iterator message) {
  auto& [number, content] = *message;
  // librdkafka copies the content and never writes into what it is given.
  if (rd_kafka_produce(producer_->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                       content.body.data(), content.body.size(), content.key.data(),
                       content.key.size(),
                       reinterpret_cast<void*>(static_cast<uintptr_t>(number))) == 0) {
    return;
  }
  rd_kafka_resp_err_t error = rd_kafka_last_error();
  if (taken_back(error)) return;
  loss_.add(rd_kafka_err2str(error));
  waiting_.erase(message);
}

void KafkaTarget::forget(uint64_t number) {
  std::lock_guard lock(mutex_);
  waiting_.erase(number);
  forgotten_.notify_all();
}

// Serves librdkafka's calls.
void KafkaTarget::poll_loop() {
  while (!stop_.requested()) {
    rd_kafka_poll(producer_->handle, kPollMilliseconds);
    if (!fatal_error(producer_->handle).empty()) replace_producer();
  }
}

void KafkaTarget::replace_producer() {
  if (!away_.exchange(true)) {
    log::warn("Kafka's producer cannot go on; events wait for another",
              {{"target", arn_}, {"error", fatal_error(producer_->handle)}});
  }
  std::unique_ptr<Producer> broken;
  {
    std::lock_guard lock(mutex_);
    broken = std::move(producer_);
  }
  broken.reset();  // no report comes after this
  while (!stop_.sleep_for(kPause)) {
    try {
      auto fresh = std::make_unique<Producer>(*this);
      std::lock_guard lock(mutex_);
      producer_ = std::move(fresh);
      for (auto it = waiting_.begin(); it != waiting_.end();) hand_over(it++);
      return;
    } catch (const Error& e) {
      log::warn("Kafka's producer cannot be made anew", {{"target", arn_}, {"error", e.what()}});
    }
  }
}

void KafkaTarget::drain(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  forgotten_.wait_until(lock, until, [&] { return waiting_.empty(); });
}

void KafkaTarget::close() {
  if (!thread_.joinable()) return;
  stop();
  thread_.join();
  std::unique_ptr<Producer> last;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    last = std::move(producer_);
  }
  last.reset();  // its reports take the lock
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < waiting_.size(); ++i) loss_.add("the server ends");
  waiting_.clear();
}

}  // namespace meesh::serve::s3
