#include "serve/s3/chunked_body.h"

#include <gmock/gmock.h>

#include "serve/s3/error.h"

namespace meesh::serve::s3 {
namespace {

using objects::ChecksumKind;
using testing::ElementsAre;
using testing::Pair;

constexpr char kTimestamp[] = "20130524T000000Z";
const net::SigningScope kScope = {"20130524", "us-east-1", "s3"};
const std::string kKey = net::signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", kScope);

ByteSource pieces_of(const std::string& bytes, size_t piece) {
  return [&bytes, piece, at = size_t{0}](char* buffer, size_t size) mutable {
    size_t count = std::min({size, piece, bytes.size() - at});
    bytes.copy(buffer, count, at);
    at += count;
    return count;
  };
}

std::string read_all(Body& body, size_t size) {
  std::string out, buffer(size, '\0');
  while (size_t got = body.read(buffer.data(), size)) out.append(buffer, 0, got);
  EXPECT_EQ(body.read(buffer.data(), size), 0u);
  return out;
}

struct Outcome {
  std::string content, error;
  objects::Checksums trailers;
};
// What a reader gets that asks for `ask` bytes at a time while `piece` bytes come at a time.
Outcome decode(const std::string& framed, const ChunkedOptions& options, size_t piece = SIZE_MAX,
               size_t ask = 100000) {
  auto body = chunked_body(pieces_of(framed, piece), options);
  EXPECT_EQ(body->length(), options.length);
  Outcome out;
  std::string buffer(ask, '\0');
  try {
    while (size_t got = body->read(buffer.data(), ask)) out.content.append(buffer, 0, got);
    out.trailers = body->trailers();
  } catch (const S3Error& e) {
    out.error = e.name();
    EXPECT_LT(out.content.size(), std::max<uint64_t>(options.length, 1)) << "all was given out";
    EXPECT_THROW(body->read(buffer.data(), ask), S3Error) << "an error is forgotten";
  }
  return out;
}

ChunkSigning signing(const std::string& seed) { return {kKey, kTimestamp, kScope, seed}; }

// A body as a client would frame it.
std::string frame(const std::vector<std::string>& chunks, const std::string& seed,
                  const std::string& trailer_line = "", const std::string& line_end = "\r\n") {
  std::string out, previous = seed;
  auto head = [&](const std::string& bytes) {
    previous = net::chunk_signature(kKey, kTimestamp, kScope, previous, net::sha256_hex(bytes));
    out += fmt::format("{:x};chunk-signature={}\r\n", bytes.size(), previous);
  };
  for (const std::string& bytes : chunks) {
    head(bytes);
    out += bytes + "\r\n";
  }
  head("");
  if (!trailer_line.empty()) {
    out += trailer_line + line_end + "x-amz-trailer-signature:" +
           net::trailer_signature(kKey, kTimestamp, kScope, previous,
                                  net::sha256_hex(trailer_line + "\n")) +
           "\r\n";
  }
  return out + "\r\n";
}

const std::string kSeed(64, '5');
constexpr char kTrailer[] = "x-amz-checksum-crc32c:sOO8/Q==";

TEST(ChunkedBody, TheExampleOfTheReference) {
  std::string framed =
      "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
      std::string(65536, 'a') +
      "\r\n400;chunk-signature="
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
      std::string(1024, 'a') +
      "\r\n0;chunk-signature="
      "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
  EXPECT_EQ(framed.size(), 66824u);
  ChunkedOptions options{
      .signing = signing("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"),
      .length = 66560};
  for (size_t piece : {size_t{1}, size_t{7}, size_t{4096}, SIZE_MAX}) {
    Outcome out = decode(framed, options, piece);
    EXPECT_EQ(out.error, "");
    EXPECT_EQ(out.content, std::string(66560, 'a'));
  }
  options.signing = signing(std::string(64, '0'));
  EXPECT_EQ(decode(framed, options).error, "SignatureDoesNotMatch");
}

TEST(ChunkedBody, TheTrailerExampleOfTheReference) {
  std::string framed =
      "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" +
      std::string(65536, 'a') +
      "\r\n400;chunk-signature="
      "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" +
      std::string(1024, 'a') +
      "\r\n0;chunk-signature="
      "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
      kTrailer +
      "\r\nx-amz-trailer-signature:"
      "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
  ChunkedOptions options{
      .signing = signing("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"),
      .trailer = true,
      .announced = {ChecksumKind::kCrc32c},
      .length = 66560};
  Outcome out = decode(framed, options);
  EXPECT_EQ(out.error, "");
  EXPECT_EQ(out.content.size(), 66560u);
  EXPECT_THAT(out.trailers, ElementsAre(Pair(ChecksumKind::kCrc32c, "sOO8/Q==")));
}

TEST(ChunkedBody, AnyPiecesGiveTheSame) {
  const std::string framed = frame({"hello", " ", "world"}, kSeed, kTrailer);
  ChunkedOptions options{.signing = signing(kSeed),
                         .trailer = true,
                         .announced = {ChecksumKind::kCrc32c},
                         .length = 11};
  for (size_t piece = 1; piece < 30; ++piece) {
    for (size_t ask = 1; ask < 14; ++ask) {
      Outcome out = decode(framed, options, piece, ask);
      ASSERT_EQ(out.error, "");
      ASSERT_EQ(out.content, "hello world") << piece << " " << ask;
    }
  }
}

TEST(ChunkedBody, EveryChangedByteOfASignedBodyIsNoticed) {
  for (bool trailer : {false, true}) {
    const std::string framed = frame({"hello", "world"}, kSeed, trailer ? kTrailer : "");
    ChunkedOptions options{.signing = signing(kSeed), .trailer = trailer, .length = 10};
    if (trailer) options.announced = {ChecksumKind::kCrc32c};
    ASSERT_EQ(decode(framed, options).error, "");
    for (size_t at = 0; at < framed.size(); ++at) {
      std::string changed = framed;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      ASSERT_NE(decode(changed, options).error, "") << at << ": " << changed;
      // The trailer's end may be missing: some clients leave it off.
      if (!trailer || at < framed.size() - 4) {
        ASSERT_NE(decode(framed.substr(0, at), options).error, "") << at;
      }
    }
  }
}

TEST(ChunkedBody, ChunksChangedAboutOrLeftOut) {
  const std::string framed = frame({"aaaa", "bbbb", "cccc"}, kSeed);
  size_t chunk = framed.size() / 4;
  ChunkedOptions options{.signing = signing(kSeed), .length = 12};
  size_t size = framed.find("\r\nbbbb") - framed.find("\r\naaaa");
  ASSERT_GT(size, chunk / 2);
  std::string a = framed.substr(0, size), b = framed.substr(size, size),
              c = framed.substr(2 * size, size), end = framed.substr(3 * size);
  ASSERT_EQ(decode(a + b + c + end, options).error, "");
  EXPECT_EQ(decode(b + a + c + end, options).error, "SignatureDoesNotMatch");
  EXPECT_EQ(decode(a + c + b + end, options).error, "SignatureDoesNotMatch");
  EXPECT_EQ(decode(a + a + b + end, options).error, "SignatureDoesNotMatch");
  options.length = 8;
  EXPECT_EQ(decode(a + b + end, options).error, "SignatureDoesNotMatch");
  EXPECT_EQ(decode(b + c + end, options).error, "SignatureDoesNotMatch");
}

TEST(ChunkedBody, TheLengthToldCounts) {
  const std::string framed = frame({"hello", "world"}, kSeed);
  for (uint64_t length : {0, 4, 5, 9, 11, 1000}) {
    ChunkedOptions options{.signing = signing(kSeed), .length = length};
    EXPECT_EQ(decode(framed, options).error, length < 10 ? "InvalidRequest" : "IncompleteBody")
        << length;
  }
  ChunkedOptions empty{.signing = signing(kSeed), .length = 0};
  EXPECT_EQ(decode(frame({}, kSeed), empty).error, "");
}

ChunkedOptions unsigned_options(uint64_t length, std::vector<ChecksumKind> announced = {}) {
  return {.trailer = true, .announced = std::move(announced), .length = length};
}

TEST(ChunkedBody, UnsignedWithTrailerAsClientsWriteIt) {
  auto options = unsigned_options(5, {ChecksumKind::kCrc32});
  for (const char* end : {
           "x-amz-checksum-crc32:NhCmhg==\r\n\r\n",    // the reference, botocore
           "x-amz-checksum-crc32:NhCmhg==\n\r\n\r\n",  // minio-go
           "x-amz-checksum-crc32:NhCmhg==\r\n",        // some leave the end off
           "x-amz-checksum-crc32:NhCmhg==",
           "X-Amz-Checksum-Crc32: NhCmhg== \r\n\r\n",
           "\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
       }) {
    Outcome out = decode(std::string("5\r\nhello\r\n0\r\n") + end, options);
    EXPECT_EQ(out.error, "") << end;
    EXPECT_EQ(out.content, "hello");
    EXPECT_THAT(out.trailers, ElementsAre(Pair(ChecksumKind::kCrc32, "NhCmhg=="))) << end;
  }
  EXPECT_EQ(decode("5\r\nhello\r\n0\r\n\r\n", unsigned_options(5)).content, "hello");
  // minio-go, with signatures.
  auto with_signature = options;
  with_signature.signing = signing(kSeed);
  EXPECT_EQ(
      decode(frame({"hello"}, kSeed, "x-amz-checksum-crc32:NhCmhg==", "\n\r\n"), with_signature)
          .error,
      "");
}

TEST(ChunkedBody, TrailersMustBeThoseAnnounced) {
  const std::string data = "5\r\nhello\r\n0\r\n";
  const std::string crc = "x-amz-checksum-crc32:NhCmhg==\r\n";
  const auto one = unsigned_options(5, {ChecksumKind::kCrc32});
  const auto two = unsigned_options(5, {ChecksumKind::kCrc32, ChecksumKind::kSha1});
  EXPECT_EQ(decode(data + "\r\n", one).error, "MalformedTrailerError");
  EXPECT_EQ(decode(data + crc + "\r\n", unsigned_options(5)).error, "MalformedTrailerError");
  EXPECT_EQ(decode(data + crc + crc + "\r\n", one).error, "MalformedTrailerError");
  EXPECT_EQ(decode(data + crc + "\r\n", two).error, "MalformedTrailerError");
  EXPECT_EQ(decode(data + crc + "x-amz-checksum-sha1:x\r\n\r\n", two).error, "");
  EXPECT_EQ(decode(data + crc + "x-amz-meta-a:b\r\n\r\n", one).error, "MalformedTrailerError");
  EXPECT_EQ(decode(data + crc + "\r\nmore bytes", one).error, "MalformedTrailerError");
  EXPECT_EQ(decode(data + crc + "x-amz-trailer-signature:00\r\n\r\n", one).error,
            "MalformedTrailerError");
  EXPECT_EQ(decode(data + crc + std::string(9000, '\n'), one).error, "MalformedTrailerError");
}

TEST(ChunkedBody, SignedTrailersMustBeSigned) {
  ChunkedOptions options{.signing = signing(kSeed),
                         .trailer = true,
                         .announced = {ChecksumKind::kCrc32c},
                         .length = 5};
  std::string framed = frame({"hello"}, kSeed, kTrailer);
  std::string without = framed.substr(0, framed.find("x-amz-trailer-signature")) + "\r\n";
  EXPECT_EQ(decode(without, options).error, "MalformedTrailerError");
  std::string behind = framed.substr(0, framed.size() - 2) + kTrailer + "\r\n\r\n";
  EXPECT_EQ(decode(behind, options).error, "MalformedTrailerError");
  // Chunks signed for a body without trailer do not do for one with.
  options.announced.clear();
  EXPECT_EQ(decode(frame({"hello"}, kSeed), options).error, "MalformedTrailerError");
}

TEST(ChunkedBody, MalformedFraming) {
  struct Case {
    const char* framed;
    const char* error;
  };
  const Case cases[] = {
      {"", "IncompleteBody"},
      {"5", "IncompleteBody"},
      {"5\r\nhel", "IncompleteBody"},
      {"5\r\nhello", "IncompleteBody"},
      {"5\r\nhello\r\n", "IncompleteBody"},
      {"5\r\nhello\r\n0", "IncompleteBody"},
      {"0\r\n\r\n", "IncompleteBody"},
      {"3\r\nhel\r\n0\r\n\r\n", "IncompleteBody"},
      {"5\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"5\rhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"5\r\nhello0\r\n\r\n", "InvalidRequest"},
      {"5\r\nhello\n0\r\n\r\n", "InvalidRequest"},
      {"5\r\nhellooo\r\n0\r\n\r\n", "InvalidRequest"},
      {"6\r\nhello!\r\n0\r\n\r\n", "InvalidRequest"},
      {"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "InvalidRequest"},
      {"\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"-5\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"+5\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"0x5\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {" 5\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"5 \r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"5;\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"5;chunk-signature=00\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"ffffffffffffffff\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"10000000000000005\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"00000000000000005\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
  };
  for (const Case& c : cases) {
    for (size_t piece : {size_t{1}, SIZE_MAX}) {
      EXPECT_EQ(decode(c.framed, unsigned_options(5), piece).error, c.error) << c.framed;
    }
  }
  EXPECT_EQ(decode(std::string(300, '0') + "5\r\nhello\r\n0\r\n\r\n", unsigned_options(5)).error,
            "InvalidRequest");
  EXPECT_EQ(decode("0000000000000005\r\nhello\r\n0\r\n\r\n", unsigned_options(5)).error, "");
  ChunkedOptions with_signature{.signing = signing(kSeed), .length = 5};
  EXPECT_EQ(decode("5\r\nhello\r\n0\r\n\r\n", with_signature).error, "InvalidRequest");
  EXPECT_EQ(decode("5;a=b\r\nhello\r\n0\r\n\r\n", with_signature).error, "InvalidRequest");
  EXPECT_EQ(decode("5;chunk-signature=\r\nhello\r\n0\r\n\r\n", with_signature).error,
            "SignatureDoesNotMatch");
  EXPECT_EQ(decode(frame({"hello"}, kSeed) + "x", with_signature).error, "InvalidRequest");
}

TEST(HashedBody, HoldsTheLastByteBackUntilAllIsRight) {
  const std::string content = "The quick brown fox";
  for (size_t piece = 1; piece < 25; ++piece) {
    for (size_t ask = 1; ask < 25; ++ask) {
      auto right = hashed_body(pieces_of(content, piece), std::nullopt, net::sha256_hex(content));
      ASSERT_EQ(read_all(*right, ask), content);
      auto wrong = hashed_body(pieces_of(content, piece), content.size(), net::sha256_hex("other"));
      std::string got, buffer(ask, '\0');
      try {
        while (size_t count = wrong->read(buffer.data(), ask)) got.append(buffer, 0, count);
        FAIL() << "accepted";
      } catch (const S3Error& e) {
        ASSERT_EQ(e.name(), "XAmzContentSHA256Mismatch");
      }
      ASSERT_LT(got.size(), content.size());
    }
  }
  const std::string nothing;
  auto empty = hashed_body(pieces_of(nothing, 1), 0, std::string(net::kEmptySha256));
  EXPECT_EQ(read_all(*empty, 10), "");
  auto not_empty = hashed_body(pieces_of(nothing, 1), 0, net::sha256_hex("x"));
  char c = 0;
  EXPECT_THROW(not_empty->read(&c, 1), S3Error);
  // A body that fails does not pass when read on, even if its hash should be that of nothing.
  auto failed = hashed_body(pieces_of(content, 5), std::nullopt, std::string(net::kEmptySha256));
  std::string buffer(100, '\0');
  EXPECT_THROW(while (failed->read(buffer.data(), 100) > 0){}, S3Error);
  EXPECT_THROW(failed->read(buffer.data(), 100), S3Error);
}

}  // namespace
}  // namespace meesh::serve::s3
