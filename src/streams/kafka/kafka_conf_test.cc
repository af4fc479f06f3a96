#include "streams/kafka/kafka_conf.h"

#include <gmock/gmock.h>

#include <array>
#include <map>

#include "streams/kafka/consumer.h"
#include "streams/kafka/producer.h"

namespace meesh::streams {
namespace {

using testing::HasSubstr;
using testing::Not;

KafkaSettings cluster(const std::string& brokers,
                      const std::map<std::string, std::string>& properties = {}) {
  KafkaSettings settings;
  settings.brokers = brokers;
  settings.properties = properties;
  return settings;
}

std::string value_of(const KafkaConf& conf, const char* name) {
  std::array<char, 256> text{};
  size_t size = text.size();
  return rd_kafka_conf_get(conf.get(), name, text.data(), &size) == RD_KAFKA_CONF_OK ? text.data()
                                                                                     : "unknown";
}

std::string refusal_of(const KafkaSettings& settings) {
  ClientTrouble trouble;
  try {
    new_client(RD_KAFKA_CONSUMER, kafka_conf(settings, {}, {{"group.id", "g"}}, trouble), settings);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConfigInvalid);
    return error.what();
  }
  return "";
}

TEST(KafkaConf, SaysHowTheClusterIsReached) {
  ClientTrouble trouble;
  KafkaSettings settings = cluster("a:1,b:2");
  EXPECT_EQ(value_of(kafka_conf(settings, {}, {}, trouble), "bootstrap.servers"), "a:1,b:2");
  EXPECT_EQ(value_of(kafka_conf(settings, {}, {}, trouble), "security.protocol"), "plaintext");
  settings.tls = true;
  settings.ca = "/ca.pem";
  EXPECT_EQ(value_of(kafka_conf(settings, {}, {}, trouble), "security.protocol"), "ssl");
  settings.mechanism = "SCRAM-SHA-512";
  settings.user = "ana";
  const KafkaConf conf = kafka_conf(settings, {}, {}, trouble);
  EXPECT_EQ(value_of(conf, "security.protocol"), "sasl_ssl");
  EXPECT_EQ(value_of(conf, "sasl.mechanisms"), "SCRAM-SHA-512");
  EXPECT_EQ(value_of(conf, "sasl.username"), "ana");
  EXPECT_EQ(value_of(conf, "ssl.ca.location"), "/ca.pem");
  settings.tls = false;
  EXPECT_EQ(value_of(kafka_conf(settings, {}, {}, trouble), "security.protocol"), "sasl_plaintext");
}

TEST(KafkaConf, PropertiesPrevailOverDefaultsOnly) {
  ClientTrouble trouble;
  const KafkaSettings settings = cluster("a:1", {{"linger.ms", "7"}, {"client.id", "me"}});
  const KafkaConf conf = kafka_conf(settings, {{"linger.ms", "5"}, {"batch.size", "99"}},
                                    {{"enable.idempotence", "true"}}, trouble);
  EXPECT_EQ(value_of(conf, "linger.ms"), "7");
  EXPECT_EQ(value_of(conf, "client.id"), "me");
  EXPECT_EQ(value_of(conf, "batch.size"), "99");
  EXPECT_THAT(refusal_of(cluster("a:1", {{"group.id", "x"}})),
              HasSubstr("'group.id' is not a property to be set (meesh sets it itself)"));
  EXPECT_THAT(refusal_of(cluster("a:1", {{"bootstrap.servers", "x"}})),
              HasSubstr("meesh sets it itself"));
}

TEST(KafkaConf, MistakesNameThePropertyAndNoValue) {
  EXPECT_THAT(refusal_of(cluster("")), HasSubstr("brokers are missing"));
  EXPECT_THAT(refusal_of(cluster("a:1", {{"fetch.mni.bytes", "1"}})),
              HasSubstr("librdkafka has no property 'fetch.mni.bytes'"));
  const std::string value = refusal_of(cluster("a:1", {{"fetch.min.bytes", "hunter2"}}));
  EXPECT_THAT(value, HasSubstr("'fetch.min.bytes'"));
  EXPECT_THAT(value, Not(HasSubstr("hunter2")));
  KafkaSettings no_file = cluster("a:1");
  no_file.tls = true;
  no_file.ca = "/no/such/file.pem";
  EXPECT_THAT(refusal_of(no_file), HasSubstr("ssl.ca.location"));
  EXPECT_THAT(refusal_of(cluster("a:1", {{"plugin.library.paths", "/x.so"}})),
              HasSubstr("it loads code"));
}

TEST(KafkaConf, ErrorsSayWhereAndWhy) {
  ClientTrouble trouble;
  const KafkaSettings settings = cluster("a:1");
  trouble.set(
      "[thrd:a:1/bootstrap]: a:1/bootstrap: Connect to ipv4#1.2.3.4:1 failed: Connection "
      "refused (after 0ms in state CONNECT)");
  const Error silent =
      kafka_error(settings, "orders", RD_KAFKA_RESP_ERR__TRANSPORT, trouble, "ignored");
  EXPECT_EQ(silent.code(), Code::kUnavailable);
  EXPECT_EQ(silent.message(),
            "Kafka at a:1, topic 'orders': no broker answers (a:1/bootstrap: Connect to "
            "ipv4#1.2.3.4:1 failed: Connection refused)");
  trouble.set_refusal("a:1/bootstrap: SASL authentication error: no");
  EXPECT_EQ(trouble.take_refusal(), "a:1/bootstrap: SASL authentication error: no");
  EXPECT_EQ(trouble.take_refusal(), "");  // the next attempt may succeed
  const Error refused =
      kafka_error(settings, "", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, trouble, "told");
  EXPECT_EQ(refused.code(), Code::kGenericExternal);
  EXPECT_EQ(refused.kind(), ErrorKind::kExternal);
  EXPECT_EQ(refused.message(), "Kafka at a:1: Broker: Topic authorization failed (told)");
  KafkaSettings scram = cluster("a:1");
  scram.mechanism = "SCRAM-SHA-512";
  const Error wrong = kafka_error(scram, "", RD_KAFKA_RESP_ERR__AUTHENTICATION, trouble, "no");
  EXPECT_EQ(wrong.hint().empty(), rd_kafka_version() >= 0x020601ff) << wrong.hint();
}

TEST(KafkaConf, ClientsEndWithoutABroker) {
  const KafkaSettings settings = cluster("127.0.0.1:1");
  ConsumerOptions options;
  options.topics = {"t"};
  KafkaConsumer consumer(settings, options);
  consumer.assign({{{"t", 0}, 5}});
  EXPECT_EQ(consumer.poll(std::chrono::milliseconds(1), 10, [](const Message&) {}), 0u);
  EXPECT_FALSE(consumer.at_end());
  EXPECT_EQ(consumer.positions(), (Offsets{{{"t", 0}, 5}}));
  KafkaProducer producer(settings, {});
  producer.send("t", "key", std::nullopt);
  try {
    producer.flush(std::chrono::milliseconds(1));
    ADD_FAILURE() << "nobody confirmed it";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("1 messages not confirmed"));
    EXPECT_EQ(error.kind(), ErrorKind::kExternal);
  }
}

}  // namespace
}  // namespace meesh::streams
