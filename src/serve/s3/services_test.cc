// Browsers' forms, STS, notifications and slow answers.
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>

#include "base/text.h"
#include "serve/s3/call.h"
#include "serve/s3/fake_request_test.h"
#include "serve/s3/form_parser.h"
#include "serve/s3/notifications.h"
#include "serve/s3/s3_fixture_test.h"

namespace meesh::serve::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class FormTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    ASSERT_EQ(ask("PUT", "/lake").status, 200);
  }
  static std::string form(const Fields& fields, std::string_view file) {
    std::string body;
    for (const auto& [name, value] : fields) {
      body += fmt::format("--xyz\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n",
                          name, value);
    }
    return body + fmt::format(
                      "--xyz\r\nContent-Disposition: form-data; name=\"file\"; "
                      "filename=\"f.txt\"\r\nContent-Type: text/plain\r\n\r\n{}"
                      "\r\n--xyz--\r\n",
                      file);
  }
  Answer post(const Fields& fields, std::string_view file) {
    return ask_anonymously("POST", "/lake", {},
                           {{"Content-Type", "multipart/form-data; boundary=xyz"}},
                           form(fields, file));
  }
  // The fields of a signed policy whose conditions are `conditions` and what the signature needs.
  Fields policy(const std::string& conditions) const {
    auto at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    std::string stamp = net::amz_timestamp(at);
    net::SigningScope scope{stamp.substr(0, 8), "us-east-1", "s3"};
    std::string credential = root_.access_key + "/" + scope.text();
    std::string text = fmt::format(
        R"({{"expiration":"2100-01-01T00:00:00Z","conditions":[{},{{"bucket":"lake"}},
            {{"x-amz-algorithm":"AWS4-HMAC-SHA256"}},{{"x-amz-credential":"{}"}},
            {{"x-amz-date":"{}"}}]}})",
        conditions, credential, stamp);
    std::string encoded = base::to_base64(text);
    return {{"policy", encoded},
            {"x-amz-algorithm", "AWS4-HMAC-SHA256"},
            {"x-amz-credential", credential},
            {"x-amz-date", stamp},
            {"x-amz-signature", net::sign(net::signing_key(root_.secret_key, scope), encoded)}};
  }
};

TEST_F(FormTest, UploadsWithAPolicy) {
  Fields fields = policy(R"(["starts-with","$key","in/"],{"success_action_status":"201"},
                            ["starts-with","$x-amz-meta-a",""],["content-length-range",1,20])");
  fields.insert(
      fields.begin(),
      {{"key", "in/${filename}"}, {"success_action_status", "201"}, {"x-amz-meta-a", "b"}});
  auto made = post(fields, "hello\r\n--xy");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("Key"), "in/f.txt");
  auto got = ask("GET", "/lake/in/f.txt");
  EXPECT_EQ(got.body, "hello\r\n--xy");
  EXPECT_EQ(got.header("x-amz-meta-a"), "b");
  EXPECT_EQ(post(fields, std::string(21, 'x')).code(), "EntityTooLarge");
  EXPECT_EQ(post(fields, "").code(), "EntityTooSmall");
  fields[0].second = "out/x";
  EXPECT_EQ(post(fields, "hello").code(), "AccessDenied");
  fields[0].second = "in/x";
  fields.back().second[0] ^= 1;
  EXPECT_EQ(post(fields, "hello").status, 403);
  EXPECT_EQ(ask("GET", "/lake/in/x").code(), "NoSuchKey");
}

TEST_F(FormTest, StrangersNeedAPublicBucket) {
  EXPECT_EQ(post({{"key", "a"}}, "x").code(), "AccessDenied");
  ask("PUT", "/lake", {{"acl", ""}}, {{"x-amz-acl", "public-read-write"}});
  EXPECT_EQ(post({{"key", "a"}, {"Content-Type", "text/csv"}}, "x").status, 204);
  EXPECT_EQ(ask("GET", "/lake/a").header("Content-Type"), "text/csv");
  EXPECT_EQ(post({}, "x").code(), "InvalidArgument");
  EXPECT_EQ(post({{"key", "a"}, {"x-amz-meta-a", "x\r\nEvil: 1"}}, "x").code(), "InvalidArgument");
  auto redirected =
      post({{"key", "a"}, {"success_action_redirect", "http://app.example/done"}}, "x");
  EXPECT_EQ(redirected.status, 303);
  EXPECT_THAT(redirected.header("Location"),
              StartsWith("http://app.example/done?bucket=lake&key=a&etag="));
  EXPECT_EQ(post({{"key", "a"}, {"big", std::string(30000, 'x')}}, "x").code(),
            "MaxPostPreDataLengthExceededError");
  auto cut =
      ask_anonymously("POST", "/lake", {}, {{"Content-Type", "multipart/form-data; boundary=xyz"}},
                      form({{"key", "cut"}}, "content").substr(0, 150));
  EXPECT_EQ(cut.code(), "MalformedPOSTRequest");
  EXPECT_EQ(ask("GET", "/lake/cut").code(), "NoSuchKey");
}

class StsTest : public S3Test {};

TEST_F(StsTest, AssumesARole) {
  ask("PUT", "/lake");
  put("/lake/a", "x");
  put("/lake/b", "x");
  Fields type = {{"Content-Type", "application/x-www-form-urlencoded"}};
  std::string policy = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",
                           "Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/a"}]})";
  auto made = ask("POST", "/", {}, type,
                  "Action=AssumeRole&Version=2011-06-15&DurationSeconds=900&RoleSessionName=s"
                  "&Policy=" +
                      net::percent_encode(policy));
  ASSERT_EQ(made.status, 200) << made.body;
  net::AwsCredentials session{made.at("AssumeRoleResult/Credentials/AccessKeyId"),
                              made.at("AssumeRoleResult/Credentials/SecretAccessKey"),
                              made.at("AssumeRoleResult/Credentials/SessionToken")};
  EXPECT_EQ(ask_as(session, "GET", "/lake/a").body, "x");
  EXPECT_EQ(ask_as(session, "GET", "/lake/b").status, 403);
  auto identity = ask("POST", "/", {}, type, "Action=GetCallerIdentity&Version=2011-06-15");
  EXPECT_EQ(identity.status, 200) << identity.body;
  auto refused = [&](const std::string& form) {
    return ask("POST", "/", {}, type, form).at("Error/Code");
  };
  EXPECT_EQ(refused("Action=AssumeRole&Version=2011-06-15&DurationSeconds=5"), "ValidationError");
  EXPECT_EQ(refused("Action=Nothing&Version=2011-06-15"), "InvalidAction");
  EXPECT_EQ(refused("Action=AssumeRole"), "MissingParameter");
  EXPECT_EQ(refused("Action=AssumeRole&Version=2011-06-15&Policy=%7B"), "ValidationError");
  EXPECT_EQ(refused("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&WebIdentityToken=a.b.c"),
            "InvalidIdentityToken");
  auto stranger = ask_anonymously("POST", "/", {}, type, "Action=AssumeRole&Version=2011-06-15");
  EXPECT_EQ(stranger.status, 403);
  EXPECT_EQ(stranger.at("Error/Code"), "AccessDenied");
}

TEST_F(StsTest, TellsWhenASessionIsOver) {
  std::atomic<access::Time> at = now();
  server_.reset();
  access_.reset();
  access_ = std::make_unique<access::Access>(access::Options{.database = database_.get(),
                                                             .key = std::string(32, 'k'),
                                                             .clock = [&] { return at.load(); }});
  access_->set_root(root_.access_key, root_.secret_key);
  start({});
  auto root = access_->credentials(root_.access_key, "");
  ASSERT_TRUE(root);
  auto lent = access_->assume(*root, std::chrono::seconds(900));
  net::AwsCredentials session{lent.access_key, lent.secret_key, lent.session_token};
  EXPECT_EQ(ask_as(session, "GET", "/").status, 200);
  at = at.load() + std::chrono::seconds(900);
  auto late = ask_as(session, "GET", "/");
  EXPECT_EQ(late.code(), "ExpiredToken");
  EXPECT_EQ(late.status, 400);
  session.session_token = "nonsense";
  EXPECT_EQ(ask_as(session, "GET", "/").code(), "InvalidToken");
}

class NotificationTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    net::ServerOptions options;
    options.port = 0;
    options.access_log = false;
    hook_ = std::make_unique<net::Server>(options);
    hook_->route("POST", "/events", [this](net::Request& q, net::Response& r) {
      std::string body = q.body(1 << 20);
      std::lock_guard lock(mutex_);
      if (refuse_next_ > 0) {
        --refuse_next_;
        r.empty(500);
        return;
      }
      bodies_.push_back(std::move(body));
      arrived_.notify_all();
      r.empty(200);
    });
    hook_->start();
    Options with;
    with.webhooks = {{"hook", fmt::format("http://127.0.0.1:{}/events", hook_->port())}};
    start(with);
    ASSERT_EQ(ask("PUT", "/lake").status, 200);
  }
  void TearDown() override {
    S3Test::TearDown();
    hook_.reset();
  }
  Answer configure(const std::string& queue, const std::string& events,
                   const std::string& filter = "") {
    return ask("PUT", "/lake", {{"notification", ""}}, {},
               fmt::format("<NotificationConfiguration><QueueConfiguration><Id>1</Id><Queue>{}"
                           "</Queue>{}{}</QueueConfiguration></NotificationConfiguration>",
                           queue, events, filter));
  }
  std::vector<std::string> wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::seconds(20), [&] { return bodies_.size() >= count; });
    return bodies_;
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::string> bodies_;
  int refuse_next_ = 0;
  std::unique_ptr<net::Server> hook_;
};

TEST_F(NotificationTest, TellsWhatFits) {
  refuse_next_ = 1;  // delivered all the same
  auto set =
      configure("arn:minio:sqs::hook:webhook",
                "<Event>s3:ObjectCreated:*</Event><Event>s3:ObjectRemoved:*</Event>",
                "<Filter><S3Key><FilterRule><Name>prefix</Name><Value>raw/</Value></FilterRule>"
                "<FilterRule><Name>suffix</Name><Value>.csv</Value></FilterRule></S3Key></Filter>");
  ASSERT_EQ(set.status, 200) << set.body;
  auto made = put("/lake/raw/a.csv", "1,2");
  put("/lake/raw/a.txt", "1,2");
  put("/lake/a.csv", "1,2");
  auto ann = user("ann", R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}})");
  auto removed = ask_as(ann, "DELETE", "/lake/raw/a.csv");
  auto bodies = wait_for(2);
  ASSERT_EQ(bodies.size(), 2u);
  EXPECT_THAT(bodies[0], HasSubstr("\"EventName\":\"s3:ObjectCreated:Put\""));
  EXPECT_THAT(bodies[0], HasSubstr("\"Key\":\"lake/raw/a.csv\""));
  EXPECT_THAT(bodies[0], HasSubstr("\"size\":3"));
  EXPECT_THAT(bodies[0], HasSubstr("\"sourceIPAddress\":\"127.0.0.1\""));
  EXPECT_THAT(bodies[0], HasSubstr(made.header("x-amz-request-id")));
  EXPECT_THAT(bodies[1], HasSubstr("s3:ObjectRemoved:Delete"));
  EXPECT_THAT(bodies[1], HasSubstr("\"principalId\":\"ann\""));
  EXPECT_THAT(bodies[1], HasSubstr(removed.header("x-amz-request-id")));
}

TEST_F(NotificationTest, RefusesWhatIsNotThere) {
  std::string event = "<Event>s3:ObjectCreated:*</Event>";
  EXPECT_EQ(configure("arn:minio:sqs::other:webhook", event).code(), "InvalidArgument");
  EXPECT_EQ(configure("arn:minio:sqs::hook:kafka", event).code(), "InvalidArgument");
  EXPECT_EQ(configure("arn:minio:sqs::hook:amqp", event).code(), "NotImplemented");
  EXPECT_EQ(configure("nonsense", event).code(), "InvalidArgument");
  EXPECT_EQ(configure("arn:minio:sqs::hook:webhook", "<Event>s3:Nothing</Event>").code(),
            "InvalidArgument");
  EXPECT_EQ(ask("PUT", "/lake", {{"notification", ""}}, {}, "<NotificationConfiguration/>").status,
            200);
}

class SlowResponse final : public net::Response {
 public:
  void write(std::string_view data) override { text += data; }
  void flush() override {
    if (text.find("?>\n ") != std::string::npos && !std::exchange(told_, true)) spaced.set_value();
  }
  std::string text;
  std::promise<void> spaced;  // the second piece is white space

 private:
  bool told_ = false;
};

class SlowAnswerTest : public S3Test {
 protected:
  // Answers slowly with `work`, which runs on when white space has been sent.
  std::string answer(const std::function<XmlAnswer()>& work) {
    Options options;
    options.store = store_.get();
    options.access = access_.get();
    Service service(options);
    service.patience = std::chrono::milliseconds(1);
    FakeRequest request("POST", "/lake/a?uploadId=1");
    SlowResponse response;
    Call call(service, request, response);
    auto spaced = response.spaced.get_future();
    bool waited = false;
    answer_slowly(call, [&](net::Headers&) {
      waited = spaced.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
      return work();
    });
    EXPECT_TRUE(waited);
    return response.text;
  }
};

TEST_F(SlowAnswerTest, SendsWhiteSpaceMeanwhile) {
  std::string text = answer([] {
    XmlAnswer xml("CompleteMultipartUploadResult");
    add(xml.root(), "Key", std::string_view("a"));
    return xml;
  });
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(text.c_str()));
  EXPECT_STREQ(document.document_element().child("Key").text().get(), "a");
}

TEST_F(SlowAnswerTest, TellsAnErrorInTheBody) {
  std::string text = answer([]() -> XmlAnswer {
    throw objects::ObjectError(objects::Reason::kInvalidPart, "no such part");
  });
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(text.c_str()));
  EXPECT_STREQ(document.document_element().child("Code").text().get(), "InvalidPart");
}

TEST(FormParser, GivesFieldsAndFile) {
  std::string body =
      "--b\r\nContent-Disposition: form-data; name=\"A\"\r\n\r\n1\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x \\\"y\\\"\"\r\n\r\n"
      "one\r\n--\r\n-b\r\n--b--\r\n";
  for (size_t piece : {size_t{1}, size_t{7}, body.size()}) {
    std::string_view rest = body;
    FormParser form("multipart/form-data; boundary=\"b\"", [&](char* buffer, size_t size) {
      size_t got = std::min({size, piece, rest.size()});
      std::memcpy(buffer, rest.data(), got);
      rest.remove_prefix(got);
      return got;
    });
    ASSERT_TRUE(form.read_fields());
    EXPECT_EQ(form.fields().at("a"), "1");
    EXPECT_EQ(form.file_name(), "x \"y\"");
    std::string file;
    for (auto part = form.file_piece(); !part.empty(); part = form.file_piece()) file += part;
    EXPECT_EQ(file, "one\r\n--\r\n-b");
  }
}

TEST(FormParser, RefusesAFileThatHoldsItsBoundary) {
  std::string body =
      "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\none\r\n--bogus\r\n--b--\r\n";
  bool given = false;
  FormParser form("multipart/form-data; boundary=b", [&](char* buffer, size_t) {
    if (std::exchange(given, true)) return size_t{0};
    std::memcpy(buffer, body.data(), body.size());
    return body.size();
  });
  ASSERT_TRUE(form.read_fields());
  EXPECT_EQ(form.file_piece(), "one");
  EXPECT_THROW(form.file_piece(), S3Error);
}

}  // namespace
}  // namespace meesh::serve::s3
