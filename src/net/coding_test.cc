#include "net/coding.h"

#include <gmock/gmock.h>

#include "net/test_peer.h"

namespace meesh::net {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string pack(Coding coding, std::string_view text) {
  EncoderLease encoder(coding);
  std::string out;
  encoder->write(text, out);
  encoder->finish(out);
  return out;
}

std::string sample(size_t size) {
  std::string text;
  for (size_t i = 0; text.size() < size; ++i) text += fmt::format("[{},\"row {}\"],", i, i * 7919);
  text.resize(size);
  return text;
}

int status_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const HttpError& e) {
    return e.status();
  }
  return 0;
}

class CodingTest : public testing::TestWithParam<Coding> {};

TEST_P(CodingTest, RoundTrip) {
  for (size_t size : {0, 1, 1000, 40000, 3000000}) {
    std::string text = sample(size);
    EXPECT_EQ(decode(GetParam(), pack(GetParam(), text), size), text) << size;
  }
}

TEST_P(CodingTest, FlushMakesThePartReadable) {
  EncoderLease encoder(GetParam());
  std::string out;
  encoder->write("first part", out);
  encoder->flush(out);
  EXPECT_EQ(status_of([&] { decode(GetParam(), out, 100); }), 400);  // begun, not ended
  encoder->write(" second", out);
  encoder->finish(out);
  EXPECT_EQ(decode(GetParam(), out, 100), "first part second");
}

TEST_P(CodingTest, RefusesBombsCutAndGarbage) {
  std::string packed = pack(GetParam(), std::string(1 << 20, 'x'));
  EXPECT_EQ(status_of([&] { decode(GetParam(), packed, 1000); }), 413);
  std::string_view cut(packed.data(), packed.size() - 1);
  EXPECT_EQ(status_of([&] { decode(GetParam(), cut, 2 << 20); }), 400);
  EXPECT_EQ(status_of([&] { decode(GetParam(), "not packed at all", 1000); }), 400);
}

INSTANTIATE_TEST_SUITE_P(All, CodingTest, testing::Values(Coding::kGzip, Coding::kZstd));

TEST(ChooseCoding, ByQuality) {
  EXPECT_EQ(choose_coding(""), Coding::kIdentity);
  EXPECT_EQ(choose_coding("identity"), Coding::kIdentity);
  EXPECT_EQ(choose_coding("gzip, deflate"), Coding::kGzip);
  EXPECT_EQ(choose_coding("gzip, deflate, br, zstd"), Coding::kZstd);
  EXPECT_EQ(choose_coding("zstd;q=0.5, GZIP;q=0.8"), Coding::kGzip);
  EXPECT_EQ(choose_coding("gzip;q=0, zstd; q=0"), Coding::kIdentity);
  EXPECT_EQ(choose_coding("*"), Coding::kZstd);
  EXPECT_EQ(choose_coding("zstd;q=0, *;q=0.1"), Coding::kGzip);
  EXPECT_EQ(choose_coding("br;q=,;;,=q"), Coding::kIdentity);
}

class CompressionTest : public testing::Test {
 protected:
  void SetUp() override {
    text_ = sample(200000);
    auto whole = [this](Request&, Response& r) { r.json(text_); };
    server_.route("GET", "/whole", whole);
    server_.route("GET", "/never", whole, {.compress = false});
    server_.route("GET", "/small", [](Request&, Response& r) { r.json("{}"); });
    server_.route("GET", "/image", [this](Request&, Response& r) { r.text(text_, "image/png"); });
    server_.route("GET", "/part", [this](Request&, Response& r) {
      r.status = 206;
      r.headers.set("Content-Range", "bytes 0-199999/300000");
      r.json(text_);
    });
    server_.route("GET", "/stream", [this](Request&, Response& r) {
      r.headers.set("Content-Type", "application/json");
      r.headers.set("ETag", "\"e\"");
      for (size_t i = 0; i < text_.size(); i += 1000) {
        r.write(std::string_view(text_).substr(i, 1000));
        if (i % 50000 == 0) r.flush();
      }
    });
    server_.route("POST", "/size",
                  [](Request& q, Response& r) { r.text(std::to_string(q.body(500000).size())); });
    server_.start();
    client_ = std::make_unique<Client>(fmt::format("http://127.0.0.1:{}", server_.port()));
  }
  ClientResponse ask(std::string_view path, const char* accept) {
    Headers headers;
    if (accept != nullptr) headers.add("Accept-Encoding", accept);
    return client_->request("GET", path, headers, "");
  }

  std::string text_;
  Server server_{test_options()};
  std::unique_ptr<Client> client_;
};

TEST_F(CompressionTest, PacksWhatTheClientTakes) {
  for (const char* path : {"/whole", "/stream"}) {
    for (auto [name, coding] : {std::pair{"gzip", Coding::kGzip}, {"zstd", Coding::kZstd}}) {
      auto answer = ask(path, name);
      EXPECT_EQ(answer.headers.get("Content-Encoding"), name) << path;
      EXPECT_EQ(answer.headers.get("Vary"), "Accept-Encoding");
      EXPECT_LT(answer.body.size(), text_.size() / 2);
      EXPECT_EQ(decode(coding, answer.body, text_.size()), text_) << path << name;
    }
  }
  EXPECT_EQ(ask("/stream", "gzip").headers.get("ETag"), "W/\"e\"");
  EXPECT_EQ(ask("/stream", nullptr).headers.get("ETag"), "\"e\"");
}

TEST_F(CompressionTest, LeavesTheRestAlone) {
  for (auto [path, accept] : {std::pair<const char*, const char*>{"/whole", nullptr},
                              {"/whole", "br"},
                              {"/never", "gzip"},
                              {"/image", "gzip"},
                              {"/part", "gzip"}}) {
    auto answer = ask(path, accept);
    EXPECT_FALSE(answer.headers.get("Content-Encoding")) << path;
    EXPECT_EQ(answer.body, text_) << path;
  }
  EXPECT_FALSE(ask("/small", "gzip").headers.get("Content-Encoding"));
  EXPECT_EQ(ask("/whole", nullptr).headers.get("Vary"), "Accept-Encoding");
}

TEST_F(CompressionTest, UnpacksRequestBodies) {
  auto post = [&](const char* coding, const std::string& body) {
    Headers headers;
    headers.add("Content-Encoding", coding);
    return client_->request("POST", "/size", headers, body);
  };
  EXPECT_EQ(post("gzip", pack(Coding::kGzip, text_)).body, "200000");
  EXPECT_EQ(post("zstd", pack(Coding::kZstd, text_)).body, "200000");
  EXPECT_EQ(post("identity", text_).body, "200000");
  EXPECT_EQ(post("br", text_).status, 415);
  EXPECT_EQ(post("gzip", "rubbish").status, 400);
  EXPECT_EQ(post("gzip", pack(Coding::kGzip, std::string(600000, 'x'))).status, 413);
}

}  // namespace
}  // namespace meesh::net
