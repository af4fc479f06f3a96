// Requests that two HTTP programs could read differently. Each is refused with 400 and the
// connection is closed, so that nothing behind it is taken for another request.
#include <gmock/gmock.h>

#include "net/test_peer.h"

namespace meesh::net {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Shape {
  const char* name;
  std::string bytes;
  int status = 400;
};

std::string with(std::string_view fields, std::string_view body = "") {
  return "POST /echo HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}
std::string chunked(std::string_view body) { return with("Transfer-Encoding: chunked\r\n", body); }

class Smuggling : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    server_.route("POST", "/echo",
                  [](Request& q, Response& r) { r.text("<" + q.body(1000) + ">"); });
    server_.route("GET", "/secret", [](Request&, Response& r) { r.text("smuggled"); });
    server_.start();
  }
  Server server_{test_options()};
};

TEST_P(Smuggling, IsRefused) {
  RawPeer peer(server_.port());
  peer.send(GetParam().bytes + get("/secret"));
  std::string answer = peer.rest();  // also: the server closes
  EXPECT_THAT(answer, StartsWith(fmt::format("HTTP/1.1 {} ", GetParam().status)));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("smuggled")));
}

const std::string kNul("\0", 1);  // NOLINT(runtime/string)

INSTANTIATE_TEST_SUITE_P(
    Shapes, Smuggling,
    testing::Values(
        Shape{"LengthAndChunked",
              with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
        Shape{"ChunkedAndLength",
              with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
        Shape{"TwoLengths", with("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")},
        Shape{"LengthRepeated", with("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")},
        Shape{"LengthList", with("Content-Length: 3, 3\r\n", "abc")},
        Shape{"LengthPlus", with("Content-Length: +3\r\n", "abc")},
        Shape{"LengthMinus", with("Content-Length: -3\r\n", "abc")},
        Shape{"LengthHex", with("Content-Length: 0x3\r\n", "abc")},
        Shape{"LengthEmpty", with("Content-Length: \r\n", "abc")},
        Shape{"LengthOverflow", with("Content-Length: 18446744073709551619\r\n", "abc")},
        Shape{"LengthHuge", with("Content-Length: 9223372036854775808\r\n", "abc")},
        Shape{"LengthInnerSpace", with("Content-Length: 1 1\r\n", "abc")},
        Shape{"CodingGzip", with("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
        Shape{"CodingIdentity", with("Transfer-Encoding: identity\r\n")},
        Shape{"CodingTwice",
              with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
        Shape{"CodingObfuscated", with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")},
        Shape{"CodingVerticalTab", with("Transfer-Encoding: \x0b"
                                        "chunked\r\n",
                                        "0\r\n\r\n")},
        Shape{"CodingInOldHttp",
              "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        Shape{"BareLineFeed", "POST /echo HTTP/1.1\nHost: a\n\n"},
        Shape{"BareLineFeedInFields", with("X: a\nContent-Length: 3\r\n", "abc")},
        Shape{"BareCarriageReturn", with("X: a\rContent-Length: 3\r\n", "abc")},
        Shape{"FoldedLine", with("X: a\r\n Transfer-Encoding: chunked\r\n")},
        Shape{"FoldedFirstLine", "POST /echo HTTP/1.1\r\n Host: a\r\n\r\n"},
        Shape{"SpaceBeforeColon", with("Content-Length : 3\r\n", "abc")},
        Shape{"NoColon", with("Content-Length\r\n", "abc")}, Shape{"EmptyName", with(": x\r\n")},
        Shape{"NulInName", with("X" + kNul + "Y: a\r\n")},
        Shape{"NulInValue", with("X: a" + kNul + "\r\n")},
        Shape{"NulInTarget", "GET /a" + kNul + " HTTP/1.1\r\nHost: a\r\n\r\n"},
        Shape{"EncodedNul", get("/a%00b")}, Shape{"BadEscape", get("/a%zz")},
        Shape{"NoHost", "GET /secret HTTP/1.1\r\n\r\n"},
        Shape{"TwoHosts", "GET /secret HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
        Shape{"NoVersion", "GET /secret\r\n\r\n"},
        Shape{"TwoSpaces", "GET  /secret HTTP/1.1\r\nHost: a\r\n\r\n"},
        Shape{"SpaceInTarget", "GET /sec ret HTTP/1.1\r\nHost: a\r\n\r\n"},
        Shape{"LeadingSpace", " GET /secret HTTP/1.1\r\nHost: a\r\n\r\n"},
        Shape{"LowerCaseHttp", "GET /secret http/1.1\r\nHost: a\r\n\r\n"},
        Shape{"RelativeTarget", "GET secret HTTP/1.1\r\nHost: a\r\n\r\n"},
        Shape{"Fragment", get("/secret#x")}, Shape{"UserInTarget", get("http://user@a/secret")},
        Shape{"TlsHello", "\x16\x03\x01\x02" + kNul + "\x01\r\n"},
        Shape{"ManyEmptyLines", "\r\n\r\n\r\n" + get("/secret")},
        Shape{"NewHttp", "GET /secret HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        Shape{"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Shape{"Connect", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501},
        Shape{"ChunkNoSize", chunked("\r\nabc\r\n0\r\n\r\n")},
        Shape{"ChunkSizeGarbage", chunked("3g\r\nabc\r\n0\r\n\r\n")},
        Shape{"ChunkSizeHexPrefix", chunked("0x3\r\nabc\r\n0\r\n\r\n")},
        Shape{"ChunkSizeNegative", chunked("-3\r\nabc\r\n0\r\n\r\n")},
        Shape{"ChunkSizeSpace", chunked("3 \r\nabc\r\n0\r\n\r\n")},
        Shape{"ChunkSizeOverflow", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n")},
        Shape{"ChunkSizeHuge", chunked("ffffffffffffffff\r\nabc\r\n0\r\n\r\n")},
        Shape{"ChunkBareLineFeed", chunked("3\nabc\r\n0\r\n\r\n")},
        Shape{"ChunkBareCarriageReturn", chunked("3\rabc\r\n0\r\n\r\n")},
        Shape{"ChunkExtensionLineFeed", chunked("3;a\nabc\r\n0\r\n\r\n")},
        Shape{"ChunkTooLong", chunked("3\r\nabcd\r\n0\r\n\r\n")},
        Shape{"ChunkTooShort", chunked("5\r\nabc\r\n0\r\n\r\n")},
        Shape{"ChunkDataEndBare", chunked("3\r\nabc\n0\r\n\r\n")},
        Shape{"TrailerFolded", chunked("0\r\n X: a\r\n\r\n")},
        Shape{"TrailerLineFeed", chunked("0\r\nX: a\n\r\n")},
        Shape{"TrailerNul", chunked("0\r\nX: " + kNul + "\r\n\r\n")}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_P(Smuggling, IsRefusedByteByByte) {
  RawPeer peer(server_.port());
  std::string bytes = GetParam().bytes + get("/secret");
  for (char c : bytes) peer.send({&c, 1});
  EXPECT_THAT(peer.rest(),
              testing::AllOf(StartsWith(fmt::format("HTTP/1.1 {} ", GetParam().status)),
                             Not(HasSubstr("smuggled"))));
}

class Strict : public Smuggling {};

TEST_P(Strict, IsAccepted) {
  RawPeer peer(server_.port());
  peer.send(GetParam().bytes + get("/secret"));
  EXPECT_THAT(peer.answer(), testing::AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("<abc>")));
  EXPECT_THAT(peer.answer(), HasSubstr("smuggled"));  // the next request, rightly
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Strict,
    testing::Values(Shape{"Length", with("Content-Length: 3\r\n", "abc")},
                    Shape{"LengthSpaces", with("content-length:\t 3 \t\r\n", "abc")},
                    Shape{"LengthZeros", with("Content-Length: 0003\r\n", "abc")},
                    Shape{"Chunked", chunked("3\r\nabc\r\n0\r\n\r\n")},
                    Shape{"ChunkedZeros", chunked("0003\r\nabc\r\n000\r\n\r\n")},
                    Shape{"ChunkedExtension", chunked("3;a=\"b\"\r\nabc\r\n0;c\r\nX: y\r\n\r\n")},
                    Shape{"OneEmptyLine", "\r\n" + with("Content-Length: 3\r\n", "abc")},
                    Shape{"Obs", with("X: \xff\xc3\xbc\r\nContent-Length: 3\r\n", "abc")}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace meesh::net
