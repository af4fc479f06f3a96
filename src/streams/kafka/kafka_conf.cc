#include "streams/kafka/kafka_conf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.h"

namespace meesh::streams {
namespace {

using Text = std::array<char, 512>;

constexpr int kSyslogError = 3;  // as syslog numbers them: less is worse

// They name code that librdkafka loads, or hold pointers; no file of a mesh has to do that.
constexpr std::string_view kForbidden[] = {"plugin.library.paths", "ssl.engine.location"};

// Kafka 4 checks in SCRAM what librdkafka gets wrong before this version.
constexpr int kScramMended = 0x020601ff;

// Of "[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Connect to … failed: … (after 0ms in
// state CONNECT)" what stands between is for people.
std::string_view of_interest(std::string_view text) {
  if (const auto at = text.find("]: "); text.starts_with("[thrd:") && at != text.npos) {
    text.remove_prefix(at + 3);
  }
  if (const auto at = text.find(" (after "); at != text.npos) text = text.substr(0, at);
  return text;
}

void told(const rd_kafka_t* client, int level, const char* facility, const char* text) {
  auto* trouble = static_cast<ClientTrouble*>(rd_kafka_opaque(client));
  if (trouble && level <= kSyslogError) trouble->set(text);
  if (log::enabled(log::Level::kDebug)) {
    log::debug("librdkafka", {{"facility", facility}, {"text", text}});
  }
}

// Connections that are lost come back, and the log has them; a password does not become right.
void failed(rd_kafka_t*, int code, const char* reason, void* opaque) {
  if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
    static_cast<ClientTrouble*>(opaque)->set_refusal(reason);
  }
}

void set(rd_kafka_conf_t* conf, const KafkaSettings& settings, const std::string& name,
         const std::string& value) {
  Text why{};
  const auto answer = rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size());
  if (answer == RD_KAFKA_CONF_OK) return;
  if (answer == RD_KAFKA_CONF_UNKNOWN) {
    throw Error(Code::kConfigInvalid, fmt::format("{}: librdkafka has no property '{}'",
                                                  kafka_place(settings, ""), name));
  }
  // librdkafka repeats the value, which may be a secret.
  throw Error(Code::kConfigInvalid, fmt::format("{}: librdkafka does not take this value of '{}'",
                                                kafka_place(settings, ""), name));
}

KafkaProperties connection(const KafkaSettings& settings) {
  const bool sasl = !settings.mechanism.empty();
  const char* protocol =
      settings.tls ? (sasl ? "sasl_ssl" : "ssl") : (sasl ? "sasl_plaintext" : "plaintext");
  KafkaProperties all = {{"client.id", "meesh"},
                         {"reconnect.backoff.max.ms", "2000"},
                         {"socket.keepalive.enable", "true"},
                         {"security.protocol", protocol}};
  const std::pair<const char*, std::string> given[] = {
      {"ssl.ca.location", settings.ca.string()},
      {"ssl.certificate.location", settings.certificate.string()},
      {"ssl.key.location", settings.key.string()},
      {"sasl.mechanisms", settings.mechanism},
      {"sasl.username", settings.user},
      {"sasl.password", settings.password}};
  for (const auto& [name, value] : given) {
    if (!value.empty()) all.emplace_back(name, value);
  }
  return all;
}

void check_properties(const KafkaSettings& settings, const KafkaProperties& fixed) {
  for (const auto& [name, value] : settings.properties) {
    const auto same = [&](const auto& one) { return one.first == name; };
    if (std::any_of(fixed.begin(), fixed.end(), same) || name == "bootstrap.servers" ||
        name == "metadata.broker.list") {
      throw Error(Code::kConfigInvalid, fmt::format("{}: '{}' is not a property to be set",
                                                    kafka_place(settings, ""), name))
          .with_hint("meesh sets it itself");
    }
    if (std::ranges::find(kForbidden, name) != std::end(kForbidden)) {
      throw Error(Code::kConfigInvalid, fmt::format("{}: '{}' is not a property to be set",
                                                    kafka_place(settings, ""), name))
          .with_hint("it loads code into this program");
    }
  }
}

}  // namespace

std::string ClientTrouble::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

void ClientTrouble::set(std::string_view text) {
  text = of_interest(text);
  const std::lock_guard lock(mutex_);
  last_ = text;
}

std::string ClientTrouble::take_refusal() {
  const std::lock_guard lock(mutex_);
  return std::exchange(refusal_, "");
}

void ClientTrouble::set_refusal(std::string_view text) {
  text = of_interest(text);
  const std::lock_guard lock(mutex_);
  last_ = refusal_ = text;
}

std::string kafka_place(const KafkaSettings& settings, std::string_view topic) {
  return topic.empty() ? fmt::format("Kafka at {}", settings.brokers)
                       : fmt::format("Kafka at {}, topic '{}'", settings.brokers, topic);
}

KafkaConf kafka_conf(const KafkaSettings& settings, const KafkaProperties& defaults,
                     const KafkaProperties& fixed, ClientTrouble& trouble) {
  if (settings.brokers.empty()) {
    throw Error(Code::kConfigInvalid, "Kafka's brokers are missing").with_hint("host:9092");
  }
  check_properties(settings, fixed);
  KafkaConf conf(rd_kafka_conf_new());
  for (const auto& [name, value] : connection(settings)) set(conf.get(), settings, name, value);
  for (const auto& [name, value] : defaults) set(conf.get(), settings, name, value);
  for (const auto& [name, value] : settings.properties) set(conf.get(), settings, name, value);
  for (const auto& [name, value] : fixed) set(conf.get(), settings, name, value);
  set(conf.get(), settings, "bootstrap.servers", settings.brokers);
  rd_kafka_conf_set_opaque(conf.get(), &trouble);
  rd_kafka_conf_set_log_cb(conf.get(), &told);
  rd_kafka_conf_set_error_cb(conf.get(), &failed);
  return conf;
}

KafkaHandle new_client(rd_kafka_type_t type, KafkaConf conf, const KafkaSettings& settings) {
  Text why{};
  KafkaHandle client(rd_kafka_new(type, conf.get(), why.data(), why.size()));
  if (!client) {
    throw Error(Code::kConfigInvalid, fmt::format("{}: {}", kafka_place(settings, ""), why.data()));
  }
  static_cast<void>(conf.release());  // the client's now
  return client;
}

bool passes(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR__RETRY:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
      return true;
    default:
      return false;
  }
}

Error kafka_error(const KafkaSettings& settings, std::string_view topic, rd_kafka_resp_err_t error,
                  const ClientTrouble& trouble, std::string_view detail) {
  const bool silent =
      error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT ||
      error == RD_KAFKA_RESP_ERR__RESOLVE || error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
  std::string text = silent ? "no broker answers" : rd_kafka_err2str(error);
  const std::string why = silent ? trouble.last() : std::string(detail);
  if (!why.empty()) text += fmt::format(" ({})", why);
  Error made(silent ? Code::kUnavailable : Code::kGenericExternal,
             fmt::format("{}: {}", kafka_place(settings, topic), text));
  if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION && settings.mechanism.starts_with("SCRAM") &&
      rd_kafka_version() < kScramMended) {
    made.with_hint(
        fmt::format("if the password is right: librdkafka {} cannot sign in to Kafka 4 with {}, "
                    "2.6.1 can; PLAIN over TLS and certificates work",
                    rd_kafka_version_str(), settings.mechanism));
  }
  return made;
}

}  // namespace meesh::streams
