#include "serve/console/console.h"

#include <gmock/gmock.h>

#include "net/coding.h"

namespace meesh::serve::console {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;

std::string gzip(std::string_view text) {
  std::string packed;
  net::EncoderLease encoder(net::Coding::kGzip);
  encoder->write(text, packed);
  encoder->finish(packed);
  return packed;
}

/// A server with a small console of its own.
class ConsoleTest : public testing::Test {
 protected:
  ConsoleTest() {
    const std::string page = "<meta content=\"{{nonce}}\">", script = gzip("let a = 1");
    packed_ = fmt::format(
        R"({{"pages":["sql"],"files":[{{"path":"/index.html","type":"text/html","offset":0,)"
        R"("size":{0},"coding":"","etag":"a"}},{{"path":"/assets/x.js","type":"text/javascript",)"
        R"("offset":{0},"size":{1},"coding":"gzip","etag":"b"}}]}})",
        page.size(), script.size());
    packed_ += "\n" + page + script;
    pack_ = std::make_unique<Pack>(packed_);
    net::ServerOptions options;
    options.port = 0;
    options.access_log = false;
    server_ = std::make_unique<net::Server>(options);
    register_console(*server_, *pack_);
    server_->start();
  }

  net::ClientResponse get(const std::string& path, net::Headers headers = {}) {
    net::Client client(fmt::format("http://127.0.0.1:{}", server_->port()));
    return client.request("GET", path, headers, "");
  }

  std::string packed_;
  std::unique_ptr<Pack> pack_;
  std::unique_ptr<net::Server> server_;
};

TEST_F(ConsoleTest, PagesHaveANonceOfTheirOwn) {
  const auto first = get("/"), second = get("/sql/a%2Fb?tab=x");
  ASSERT_EQ(first.status, 200);
  ASSERT_EQ(second.status, 200);
  EXPECT_THAT(first.body, Not(HasSubstr("{{nonce}}")));
  EXPECT_NE(first.body, second.body);
  const std::string nonce = first.body.substr(15, 32);
  const std::string policy(*first.headers.get("Content-Security-Policy"));
  EXPECT_THAT(policy, HasSubstr("'nonce-" + nonce + "'"));
  EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'self';"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

TEST_F(ConsoleTest, FilesComePackedAndOnce) {
  net::Headers accepts;
  accepts.set("Accept-Encoding", "gzip");
  const auto packed = get("/assets/x.js", accepts);
  EXPECT_EQ(packed.headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(net::decode(net::Coding::kGzip, packed.body, 100), "let a = 1");
  EXPECT_EQ(get("/assets/x.js").body, "let a = 1");
  net::Headers known;
  known.set("If-None-Match", "\"b\"");
  EXPECT_EQ(get("/assets/x.js", known).status, 304);
}

TEST_F(ConsoleTest, WhatIsNoPageIsNotFound) {
  EXPECT_EQ(get("/elsewhere").status, 404);
  EXPECT_EQ(get("/assets/y.js").status, 404);
  EXPECT_EQ(get("/index.html").status, 404);
}

TEST(BuiltInPack, HoldsTheConsole) {
  const Pack& pack = built_in_pack();
  EXPECT_THAT(pack.files(), Contains(Key("/index.html")));
  EXPECT_THAT(pack.pages(), Contains("dashboards"));
  const auto page = pack.files().at("/index.html").bytes;
  // Nothing comes from elsewhere, and nothing in the page is what the policy forbids.
  for (const char* forbidden : {"http://", "https://", " style=", " onclick=", "<style"})
    EXPECT_THAT(std::string(page), Not(HasSubstr(forbidden)));
}

}  // namespace
}  // namespace meesh::serve::console
