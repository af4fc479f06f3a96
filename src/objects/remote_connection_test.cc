// Another S3 that is out of order in every way a network allows.
#include "objects/remote_connection.h"

#include <gmock/gmock.h>

#include "base/log.h"
#include "base/text.h"
#include "objects/payload.h"
#include "objects/remote_answers.h"
#include "objects/remote_store.h"

namespace meesh::objects {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using testing::ElementsAre;
using testing::HasSubstr;

class RemoteConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    log::configure({log::Level::kOff, log::Format::kJson, nullptr});
    net::ServerOptions options;
    options.port = 0;
    options.access_log = false;
    server_ = std::make_unique<net::Server>(options);
    for (const char* method : {"GET", "PUT", "POST", "HEAD", "DELETE"}) {
      server_->route(method, "/{path...}", [this](net::Request& request, net::Response& response) {
        seen_.push_back(request.method + " " + request.target);
        authorization_ = request.headers.get("Authorization").value_or("");
        std::string body, piece(4096, '\0');  // as sent, whatever its Content-Encoding
        while (size_t got = request.read(piece.data(), piece.size())) body.append(piece, 0, got);
        if (!answer_) return response.empty(200);
        answer_(request, response, body);
      });
    }
    server_->start();
  }
  void TearDown() override {
    server_.reset();
    log::configure({});
  }

  std::string endpoint() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }
  RemoteConnection::Pause pause() {
    return [this](std::chrono::milliseconds time) { pauses_.push_back(time); };
  }
  std::unique_ptr<RemoteConnection> connection() {
    return std::make_unique<RemoteConnection>(
        RemoteOptions{.endpoint = endpoint(), .access_key = "AK", .secret_key = "top secret"},
        pause());
  }
  // Answers by number of the request, the last one for all further.
  void answer(std::vector<std::pair<int, std::string>> answers) {
    answer_ = [answers = std::move(answers), i = size_t{0}](net::Request&, net::Response& response,
                                                            const std::string&) mutable {
      const auto& [status, body] = answers[std::min(i++, answers.size() - 1)];
      response.status = status;
      response.text(body, "application/xml");
    };
  }
  static std::string error(const std::function<void()>& call) {
    try {
      call();
      return "done";
    } catch (const ObjectError& e) {
      return fmt::format("{}: {}", reason_name(e.reason()), e.message());
    }
  }

  std::unique_ptr<net::Server> server_;
  std::function<void(net::Request&, net::Response&, const std::string&)> answer_;
  std::vector<std::string> seen_;
  std::string authorization_;
  std::vector<std::chrono::milliseconds> pauses_;
};

TEST_F(RemoteConnectionTest, ComesAgainLaterAndLater) {
  answer({{503, ""}, {500, ""}, {429, ""}, {200, "<Ok/>"}});
  int attempts = 0;
  auto response = connection()->call({.method = "GET", .bucket = "b", .key = "k"}, &attempts);
  EXPECT_EQ(response.body, "<Ok/>");
  EXPECT_EQ(attempts, 4);
  EXPECT_THAT(pauses_, ElementsAre(50ms, 100ms, 200ms));
}

TEST_F(RemoteConnectionTest, GivesUpAfterFive) {
  answer({{503, "<Error><Code>SlowDown</Code></Error>"}});
  EXPECT_THAT(error([&] { connection()->call({.method = "GET", .bucket = "b"}); }),
              HasSubstr("ServiceUnavailable: The S3 behind this one is out of order: it answers "
                        "503"));
  EXPECT_EQ(seen_.size(), 5u);
  EXPECT_EQ(pauses_.size(), 4u);
}

TEST_F(RemoteConnectionTest, NobodyThere) {
  auto lost = connection();
  server_->stop(1s);
  EXPECT_THAT(error([&] { lost->call({.method = "GET", .bucket = "b"}); }),
              HasSubstr("ServiceUnavailable"));
  EXPECT_EQ(pauses_.size(), 4u);
}

TEST_F(RemoteConnectionTest, DoesNotRepeatWhatIsRefused) {
  const std::pair<std::pair<int, std::string>, std::string> cases[] = {
      {{404, "<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>"}, "NoSuchKey: gone"},
      {{404, "<Error><Code>NoSuchUpload</Code></Error>"},
       "NoSuchUpload: The S3 behind this one "
       "answers 404."},
      {{403, "<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message></Error>"},
       "AccessDenied: m (SignatureDoesNotMatch)"},
      {{412, ""}, "PreconditionFailed: The S3 behind this one answers 412."},
      {{409, ""}, "ConditionalRequestConflict: The S3 behind this one answers 409."},
      {{404, ""}, "NoSuchKey: The S3 behind this one answers 404."},
      {{301, "<Error><Code>PermanentRedirect</Code><Message>there</Message></Error>"},
       "InvalidRequest: there (PermanentRedirect)"},
      {{400, "not XML"}, "InvalidRequest: The S3 behind this one answers 400."},
      {{507, ""}, "XMinioStorageFull: The S3 behind this one answers 507."},
  };
  for (const auto& [given, expected] : cases) {
    answer({given});
    EXPECT_EQ(error([&] { connection()->call({.method = "GET", .bucket = "b", .key = "k"}); }),
              expected);
  }
  EXPECT_EQ(seen_.size(), std::size(cases));
}

TEST_F(RemoteConnectionTest, WritesPathAndQueryAsTheySignThem) {
  connection()->call(
      {.method = "GET", .bucket = "b", .key = "a b/+é//..", .query = {{"z", "1 2"}, {"acl", ""}}});
  EXPECT_THAT(seen_, ElementsAre("GET /b/a%20b/%2B%C3%A9//..?acl=&z=1%202"));
  EXPECT_THAT(authorization_, HasSubstr("AWS4-HMAC-SHA256 Credential=AK/"));
  EXPECT_THAT(authorization_, testing::Not(HasSubstr("secret")));
}

TEST_F(RemoteConnectionTest, Addresses) {
  auto refused = [&](const std::string& given) {
    try {
      RemoteConnection made({.endpoint = given}, pause());
    } catch (const Error& e) {
      return e.code() == Code::kConfigInvalid;
    }
    return false;
  };
  for (const char* bad : {"", "localhost:9000", "ftp://a", "http://", "http://a/path"}) {
    EXPECT_TRUE(refused(bad)) << bad;
  }
  EXPECT_FALSE(refused("https://s3.example/"));
}

TEST_F(RemoteConnectionTest, AnAnswerTooLongIsNoContent) {
  answer({{206, "12345678"}});
  char buffer[8];
  EXPECT_EQ(connection()->read({.method = "GET", .bucket = "b", .key = "k"}, buffer, 8), 8u);
  EXPECT_THAT(
      error([&] { connection()->read({.method = "GET", .bucket = "b", .key = "k"}, buffer, 7); }),
      HasSubstr("InternalError"));
  answer({{404, "<Error><Code>NoSuchVersion</Code><Message>none</Message></Error>"}});
  EXPECT_EQ(
      error([&] { connection()->read({.method = "GET", .bucket = "b", .key = "k"}, buffer, 8); }),
      "NoSuchVersion: none");
}

TEST_F(RemoteConnectionTest, StreamsInSignedChunks) {
  std::string body;
  answer_ = [&](net::Request& request, net::Response& response, const std::string& sent) {
    body = sent;
    EXPECT_EQ(request.headers.get("x-amz-decoded-content-length"), "300000");
    EXPECT_EQ(request.headers.get("x-amz-content-sha256"), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    response.empty(200);
  };
  auto stream = connection();
  auto upload = stream->stream({.method = "PUT", .bucket = "b", .key = "k"}, 300000);
  const std::string content(300000, 'x');
  for (size_t at = 0; at < content.size(); at += 70000) {
    upload->write(std::string_view(content).substr(at, 70000));
  }
  EXPECT_EQ(upload->finish().status, 200);
  EXPECT_THAT(body, testing::StartsWith("40000;chunk-signature="));
  EXPECT_THAT(body, HasSubstr("\r\n93e0;chunk-signature="));
  EXPECT_THAT(body, HasSubstr("\r\n0;chunk-signature="));
}

// The answer to a PUT was lost; the one to its repetition says that somebody was faster. It was us.
TEST_F(RemoteConnectionTest, AConditionalPutThatIsRepeatedKnowsItsOwn) {
  for (bool ours : {true, false}) {
    Md5 md5;
    md5.update("content");
    std::string etag = ours ? base::to_hex(md5.raw()) : std::string(32, '0');
    answer_ = [etag, i = 0](net::Request& request, net::Response& response,
                            const std::string&) mutable {
      if (request.method == "HEAD") {
        response.headers.set("ETag", "\"" + etag + "\"");
        response.headers.set("Content-Length", "7");
        return response.empty(200);
      }
      response.empty(++i == 1 ? 500 : 412);
    };
    RemoteStore store({.endpoint = endpoint(), .access_key = "AK", .secret_key = "s"}, pause());
    auto writer = store.put("b", "k", {}, {});
    writer->write("content");
    EXPECT_THAT(error([&] { writer->commit({.if_none_match = "*"}); }),
                HasSubstr(ours ? "done" : "PreconditionFailed"));
  }
}

TEST_F(RemoteConnectionTest, AnswersThatAreNoneAreErrors) {
  RemoteStore store({.endpoint = endpoint(), .access_key = "AK", .secret_key = "s"}, pause());
  for (const char* text : {"", "no XML", "<a", "<Error><Code>X</Code></Error>"}) {
    answer({{200, text}});
    EXPECT_THAT(error([&] { store.list("bucket", {}); }), HasSubstr("InternalError")) << text;
  }
  answer({{200,
           "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%zz</Key>"
           "</Contents></ListBucketResult>"}});
  EXPECT_THAT(error([&] { store.list("bucket", {}); }), HasSubstr("does not decode"));
  // One that ignores encoding-type does not say so.
  answer({{200, "<ListBucketResult><Contents><Key>a+b%20c</Key></Contents></ListBucketResult>"}});
  EXPECT_EQ(store.list("bucket", {}).objects.at(0).key, "a+b%20c");
  // The same part again and again would never end.
  answer({{200, "<R><IsTruncated>true</IsTruncated><Part><PartNumber>1</PartNumber></Part></R>"}});
  EXPECT_THAT(error([&] { store.parts("bucket", "k", "u", 0, 5000); }), HasSubstr("twice"));
  // Copies and completions begin with 200 and may fail all the same.
  answer({{200, "<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>"}});
  EXPECT_EQ(error([&] { store.complete_upload("bucket", "k", "u", {}, {}, {}); }),
            "NoSuchUpload: gone");
}

TEST(RemoteAnswers, Dates) {
  Time time = *parse_iso_date("2013-05-24T01:02:03.450Z");
  EXPECT_EQ(iso_date(time), "2013-05-24T01:02:03.450Z");
  EXPECT_EQ(http_date(time), "Fri, 24 May 2013 01:02:03 GMT");
  EXPECT_EQ(*parse_http_date(http_date(time)) + 450ms, time);
  EXPECT_EQ(*parse_iso_date("2013-05-24T01:02:03Z") + 450ms, time);
  for (const char* bad : {"", "2013-05-24", "2013-13-24T01:02:03Z", "Fri, 24 May 2013"}) {
    EXPECT_FALSE(parse_iso_date(bad)) << bad;
    EXPECT_FALSE(parse_http_date(bad)) << bad;
  }
}

}  // namespace
}  // namespace meesh::objects
