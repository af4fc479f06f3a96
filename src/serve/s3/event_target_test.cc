#include "serve/s3/event_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>

#include "base/error.h"
#include "base/log.h"
#include "net/http.h"
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
      if (body == "wait") go_on_.get_future().wait();
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
  std::promise<void> go_on_;
  std::unique_ptr<net::Server> server_;
};

TEST_F(WebhookTargetTest, ClosingWaitsForWhatWaits) {
  refusals_ = 1;
  WebhookTarget target("arn", url());
  for (const char* body : {"1", "2", "3"}) target.send({"b/k", body});
  target.close(steady_clock::now() + std::chrono::seconds(20));
  EXPECT_THAT(bodies_, ElementsAre("1", "2", "3"));
  EXPECT_EQ(target.lost(), 0u);
}

TEST_F(WebhookTargetTest, AFullQueueLosesAndCounts) {
  WebhookTarget target("arn", url());
  target.send({"b/k", "wait"});
  for (int i = 0; i < kMostWaitingEvents + 4; ++i) target.send({"b/k", "x"});
  EXPECT_EQ(target.lost(), 5u) << "the one under way still has its place";
  go_on_.set_value();
  target.close(steady_clock::now());
  EXPECT_GT(target.lost(), 5u) << "what nobody waited for";
}

TEST_F(WebhookTargetTest, NobodyListening) {
  WebhookTarget target("arn", fmt::format("http://{}/", kNobody));
  target.send({"b/k", "1"});
  target.close(steady_clock::now());
  EXPECT_EQ(target.lost(), 1u);
}

TEST_F(EventTargetTest, EventsWaitForABroker) {
  KafkaTarget target("arn", {.brokers = kNobody, .topic = "events"});
  for (int i = 0; i < 100; ++i) target.send({"b/k", "{}"});
  EXPECT_EQ(target.lost(), 0u);
  for (int i = 0; i < kMostWaitingEvents; ++i) target.send({"b/k", "{}"});
  EXPECT_EQ(target.lost(), 100u) << "there is no room for more";
  target.close(steady_clock::now());
  EXPECT_EQ(target.lost(), uint64_t{kMostWaitingEvents} + 100);
  target.send({"b/k", "{}"});
  EXPECT_EQ(target.lost(), uint64_t{kMostWaitingEvents} + 101);
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
