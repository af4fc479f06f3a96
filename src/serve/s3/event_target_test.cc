#include "serve/s3/event_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <future>
#include <mutex>

#include "base/error.h"
#include "base/log.h"
#include "net/http.h"
#include "serve/s3/error.h"
#include "serve/s3/kafka_target.h"
#include "serve/s3/notifications.h"
#include "serve/s3/webhook_target.h"

namespace meesh::serve::s3 {
namespace {

using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr const char* kNobody = "127.0.0.1:1";
constexpr std::chrono::seconds kPatience{60};

class EventTargetTest : public testing::Test {
 protected:
  void SetUp() override { log::configure({log::Level::kOff, log::Format::kJson, nullptr}); }
  void TearDown() override { log::configure({}); }
};

class WebhookTargetTest : public EventTargetTest {
 protected:
  void SetUp() override {
    EventTargetTest::SetUp();
    net::ServerOptions options;
    options.port = 0;
    options.access_log = false;
    server_ = std::make_unique<net::Server>(options);
    server_->route("POST", "/events", [this](net::Request& request, net::Response& response) {
      std::string body = request.body(1 << 20);
      if (body == "wait") {
        waits_.set_value();
        go_on_.get_future().wait();
      }
      std::lock_guard lock(mutex_);
      bool takes = refusals_ == 0;
      if (!takes) --refusals_;
      if (takes) bodies_.push_back(std::move(body));
      response.empty(takes ? 200 : 503);
    });
    server_->start();
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}/events", server_->port()); }

  std::mutex mutex_;
  std::vector<std::string> bodies_;
  int refusals_ = 0;
  std::promise<void> waits_, go_on_;
  std::unique_ptr<net::Server> server_;
};

TEST_F(WebhookTargetTest, ClosingWaitsForWhatWaits) {
  refusals_ = 1;
  WebhookTarget target("arn", url());
  for (const char* body : {"1", "2", "3"}) target.send({"b/k", body});
  target.drain(steady_clock::now() + kPatience);
  target.close();
  EXPECT_THAT(bodies_, ElementsAre("1", "2", "3"));
  EXPECT_EQ(target.lost(), 0u);
}

TEST_F(WebhookTargetTest, AFullQueueLosesAndCounts) {
  WebhookTarget target("arn", url());
  target.send({"b/k", "wait"});
  for (int i = 0; i < kMostWaitingEvents + 4; ++i) target.send({"b/k", "x"});
  EXPECT_EQ(target.lost(), 5u) << "the one under way still has its place";
  go_on_.set_value();
  target.close();
  EXPECT_GT(target.lost(), 5u) << "what nobody waited for";
}

TEST_F(WebhookTargetTest, WhatWasUnderWayAtTheEndAndArrivedIsNoLoss) {
  WebhookTarget target("arn", url());
  for (const char* body : {"wait", "2", "3"}) target.send({"b/k", body});
  waits_.get_future().wait();
  target.stop();
  go_on_.set_value();
  target.close();
  EXPECT_THAT(bodies_, ElementsAre("wait"));
  EXPECT_EQ(target.lost(), 2u);
}

TEST_F(WebhookTargetTest, NobodyListening) {
  WebhookTarget target("arn", fmt::format("http://{}/", kNobody));
  target.send({"b/k", "1"});
  target.drain(steady_clock::now());
  target.close();
  EXPECT_EQ(target.lost(), 1u);
}

// Writes down what it is told.
class NotedTarget final : public EventTarget {
 public:
  NotedTarget(std::string name, std::vector<std::string>& notes)
      : name_(std::move(name)), notes_(notes) {}
  void send(const EventMessage&) override {}
  void drain(steady_clock::time_point) override { notes_.push_back("drain " + name_); }
  void stop() override { notes_.push_back("stop " + name_); }
  void close() override { notes_.push_back("close " + name_); }
  uint64_t lost() const override { return 0; }

 private:
  const std::string name_;
  std::vector<std::string>& notes_;
};

TEST_F(EventTargetTest, AtTheEndTargetsDoNotWaitForEachOther) {
  net::ServerOptions options;
  options.port = 0;
  options.access_log = false;
  net::Server other(options);
  other.route("GET", "/", [](net::Request&, net::Response& response) {
    response.write("<ListAllMyBucketsResult/>");
  });
  other.start();
  auto store = objects::open_remote({.endpoint = fmt::format("http://127.0.0.1:{}", other.port()),
                                     .access_key = "key",
                                     .secret_key = "secret"});
  std::vector<std::string> notes;
  Notifications::Targets targets;
  for (const char* name : {"a", "b"}) targets[name] = std::make_unique<NotedTarget>(name, notes);
  {
    Notifications notifications(*store, std::move(targets), "us-east-1");
  }
  EXPECT_THAT(notes, ElementsAre("drain a", "drain b", "stop a", "stop b", "close a", "close b"));
}

TEST_F(EventTargetTest, EventsWaitForABroker) {
  KafkaTarget target("arn", {.brokers = kNobody, .topic = "events"});
  for (int i = 0; i < 100; ++i) target.send({"b/k", "{}"});
  EXPECT_EQ(target.lost(), 0u);
  for (int i = 0; i < kMostWaitingEvents; ++i) target.send({"b/k", "{}"});
  EXPECT_EQ(target.lost(), 100u) << "there is no room for more";
  target.close();
  EXPECT_EQ(target.lost(), uint64_t{kMostWaitingEvents} + 100);
  target.send({"b/k", "{}"});
  EXPECT_EQ(target.lost(), uint64_t{kMostWaitingEvents} + 101);
}

// librdkafka's own broker, in this process, with one topic of one partition.
class KafkaBroker {
 public:
  KafkaBroker() : handle_(make(RD_KAFKA_PRODUCER, "")) {
    cluster_ = rd_kafka_mock_cluster_new(handle_, 1);
    rd_kafka_mock_topic_create(cluster_, "events", 1, 1);
  }
  ~KafkaBroker() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(handle_);
  }
  KafkaSettings settings() const {
    return {.brokers = rd_kafka_mock_cluster_bootstraps(cluster_), .topic = "events"};
  }
  /// Answers the next messages so.
  void refuse(rd_kafka_resp_err_t error) {
    constexpr int16_t kProduce = 0;
    rd_kafka_mock_push_request_errors(cluster_, kProduce, 1, error);
  }
  void delay(int milliseconds) { rd_kafka_mock_broker_set_rtt(cluster_, 1, milliseconds); }
  void go() { rd_kafka_mock_broker_set_down(cluster_, 1); }
  void come_back() { rd_kafka_mock_broker_set_up(cluster_, 1); }
  /// What the topic holds until `last` came, once each.
  std::vector<std::string> messages_until(const std::string& last) const {
    rd_kafka_t* consumer = make(RD_KAFKA_CONSUMER, rd_kafka_mock_cluster_bootstraps(cluster_));
    rd_kafka_topic_t* topic = rd_kafka_topic_new(consumer, "events", nullptr);
    rd_kafka_consume_start(topic, 0, RD_KAFKA_OFFSET_BEGINNING);
    std::vector<std::string> found;
    auto until = steady_clock::now() + kPatience;
    while ((found.empty() || found.back() != last) && steady_clock::now() < until) {
      rd_kafka_message_t* message = rd_kafka_consume(topic, 0, 100);
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        std::string body(static_cast<const char*>(message->payload), message->len);
        if (std::find(found.begin(), found.end(), body) == found.end()) found.push_back(body);
      }
      rd_kafka_message_destroy(message);
    }
    rd_kafka_consume_stop(topic, 0);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(consumer);
    return found;
  }

 private:
  static rd_kafka_t* make(rd_kafka_type_t type, const char* brokers) {
    rd_kafka_conf_t* configuration = rd_kafka_conf_new();
    rd_kafka_conf_set(configuration, "log_level", "0", nullptr, 0);
    if (*brokers != 0) {
      rd_kafka_conf_set(configuration, "bootstrap.servers", brokers, nullptr, 0);
    }
    return rd_kafka_new(type, configuration, nullptr, 0);
  }

  rd_kafka_t* handle_;
  rd_kafka_mock_cluster_t* cluster_;
};

std::vector<std::string> numbers(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
  return all;
}

TEST_F(EventTargetTest, AFatalErrorOfKafkasProducerLosesNothing) {
  KafkaBroker broker;
  KafkaTarget target("arn", broker.settings());
  for (int i = 0; i < 400; ++i) {
    if (i % 100 == 50) {
      target.drain(steady_clock::now() + kPatience);
      broker.refuse(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    }
    target.send({"b/k", std::to_string(i)});
  }
  target.drain(steady_clock::now() + kPatience);
  target.close();
  EXPECT_EQ(target.lost(), 0u);
  EXPECT_EQ(broker.messages_until("399"), numbers(400));
}

TEST_F(EventTargetTest, ABrokerThatDiesWithMessagesUnderWayLosesNothing) {
  KafkaBroker broker;
  broker.delay(50);
  KafkaTarget target("arn", broker.settings());
  for (int i = 0; i < 1000; ++i) {
    if (i % 200 == 100) broker.go();
    target.send({"b/k", std::to_string(i)});
    if (i % 200 == 150) broker.come_back();
    if (i % 200 == 0) target.drain(steady_clock::now() + kPatience);
  }
  target.drain(steady_clock::now() + kPatience);
  target.close();
  EXPECT_EQ(target.lost(), 0u);
  EXPECT_EQ(broker.messages_until("999"), numbers(1000));
}

TEST_F(EventTargetTest, KafkaSettingsThatAreNone) {
  auto refusal = [](KafkaSettings settings) {
    try {
      KafkaTarget target("arn:minio:sqs::desk:kafka", std::move(settings));
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kConfigInvalid);
      return std::string(e.message());
    }
    return std::string("taken");
  };
  KafkaSettings good{.brokers = kNobody, .topic = "events"};
  EXPECT_EQ(refusal(good), "taken");
  KafkaSettings no_file = good;
  no_file.tls = true;
  no_file.ca_file = "/nowhere/ca.pem";
  EXPECT_THAT(refusal(no_file), HasSubstr("desk:kafka"));
  KafkaSettings login = good;
  login.mechanism = "SCRAM-SHA-512";
  login.user = "meesh";
  login.password = "never-told";
  EXPECT_EQ(refusal(login), "taken");
  login.mechanism = "NONSENSE";
  EXPECT_THAT(refusal(login), testing::Not(HasSubstr("never-told")));
  EXPECT_NE(refusal(login), "taken");
}

std::string notification(const std::string& queue) {
  return fmt::format(
      "<NotificationConfiguration><QueueConfiguration><Queue>{}</Queue>"
      "<Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>",
      queue);
}

TEST(NotificationRules, NameTheirTargetsByKind) {
  Options options;
  options.webhooks = {{"desk", "http://desk.example/"}};
  options.kafka = {{"desk", {.brokers = kNobody, .topic = "a"}},
                   {"lake", {.brokers = kNobody, .topic = "b"}}};
  auto targets = target_names(options);
  EXPECT_THAT(targets, UnorderedElementsAre("desk:webhook", "desk:kafka", "lake:kafka"));
  auto target = [&](const std::string& arn) {
    return parse_notification(notification(arn), targets).at(0).target;
  };
  EXPECT_EQ(target("arn:minio:sqs::desk:webhook"), "desk:webhook");
  EXPECT_EQ(target("arn:minio:sqs::desk:kafka"), "desk:kafka");
  EXPECT_EQ(target("arn:minio:sqs:us-east-1:lake:kafka"), "lake:kafka");
  auto refusal = [&](const std::string& arn) {
    try {
      return target(arn);
    } catch (const S3Error& e) {
      return e.name();
    }
  };
  EXPECT_EQ(refusal("arn:minio:sqs::lake:webhook"), "InvalidArgument");
  EXPECT_EQ(refusal("arn:minio:sqs::lake:nats"), "NotImplemented");
  EXPECT_EQ(refusal("arn:minio:sqs:lake:kafka"), "InvalidArgument");
  EXPECT_EQ(refusal("arn:aws:sqs::lake:kafka"), "InvalidArgument");
  EXPECT_EQ(refusal("arn:minio:sqs:"), "InvalidArgument");
}

}  // namespace
}  // namespace meesh::serve::s3
