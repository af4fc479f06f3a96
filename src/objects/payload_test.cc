#include "objects/payload.h"

#include <gmock/gmock.h>

#include <limits>

#include "base/text.h"

namespace meesh::objects {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

PayloadDescription description_of_everything() {
  PayloadDescription d;
  d.kind = PayloadKind::kManifest;
  d.payload = std::numeric_limits<uint64_t>::max();
  d.bucket = "datalake";
  Object& o = d.object;
  o.key = "raw/été \"quoted\"\\ \x01\n.csv";
  o.version = "01J9ZV";
  o.size = 5ull << 40;
  o.etag = "0123456789abcdef0123456789abcdef-2";
  o.modified = Time(1700000000123ms);
  o.checksums = {{ChecksumKind::kCrc64Nvme, "AAAAAAAAAAA="}, {ChecksumKind::kSha256, "x-2"}};
  o.composite = true;
  Attributes& a = o.attributes;
  a.content_type = "text/csv";
  a.cache_control = "no-cache";
  a.content_disposition = "attachment; filename=\"a\"";
  a.content_encoding = "gzip";
  a.content_language = "fr";
  a.expires = "Thu, 01 Dec 1994 16:00:00 GMT";
  a.metadata = {{"note", "caf\xE9 in Latin-1"}, {"empty", ""}};
  a.tags = {{"team", "lake"}};
  a.storage_class = "STANDARD_IA";
  a.acl = "public-read";
  a.owner = "etl";
  a.retention = {LockMode::kCompliance, Time(-1ms)};
  a.legal_hold = true;
  o.encryption = Encryption::kCustomer;
  o.customer_key_md5 = "I3Rp1Xtgem+KoCgm5YqGmw==";
  d.stored = 123456;
  d.data_key = {"2026", std::string("\0\xFF\x80 bytes", 9)};
  d.upload = "upload-1";
  d.part_number = 7;
  d.parts = {{41, {1, 5 << 20, "aa", {{ChecksumKind::kCrc32, "AAAAAA=="}}, Time(1ms)}},
             {42, {10000, 1, "bb", {}, Time(2ms)}}};
  return d;
}

TEST(PayloadFooter, KeepsEverything) {
  const PayloadDescription d = description_of_everything();
  std::string footer = payload_footer(d);
  auto parsed = parse_payload_footer(footer);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->kind, d.kind);
  EXPECT_EQ(parsed->payload, d.payload);
  EXPECT_EQ(parsed->bucket, d.bucket);
  EXPECT_EQ(parsed->object.key, d.object.key);
  EXPECT_EQ(parsed->object.version, d.object.version);
  EXPECT_EQ(parsed->object.size, d.object.size);
  EXPECT_EQ(parsed->object.etag, d.object.etag);
  EXPECT_EQ(parsed->object.modified, d.object.modified);
  EXPECT_EQ(parsed->object.checksums, d.object.checksums);
  EXPECT_EQ(parsed->object.composite, d.object.composite);
  const Attributes &a = parsed->object.attributes, &b = d.object.attributes;
  EXPECT_EQ(a.content_type, b.content_type);
  EXPECT_EQ(a.cache_control, b.cache_control);
  EXPECT_EQ(a.content_disposition, b.content_disposition);
  EXPECT_EQ(a.content_encoding, b.content_encoding);
  EXPECT_EQ(a.content_language, b.content_language);
  EXPECT_EQ(a.expires, b.expires);
  EXPECT_EQ(a.metadata, b.metadata);
  EXPECT_EQ(a.tags, b.tags);
  EXPECT_EQ(a.storage_class, b.storage_class);
  EXPECT_EQ(a.acl, b.acl);
  EXPECT_EQ(a.owner, b.owner);
  EXPECT_EQ(a.retention.mode, b.retention.mode);
  EXPECT_EQ(a.retention.until, b.retention.until);
  EXPECT_EQ(a.legal_hold, b.legal_hold);
  EXPECT_EQ(parsed->object.encryption, d.object.encryption);
  EXPECT_EQ(parsed->object.customer_key_md5, d.object.customer_key_md5);
  EXPECT_EQ(parsed->stored, d.stored);
  EXPECT_EQ(parsed->data_key.master_key, d.data_key.master_key);
  EXPECT_EQ(parsed->data_key.bytes, d.data_key.bytes);
  EXPECT_EQ(parsed->upload, d.upload);
  EXPECT_EQ(parsed->part_number, d.part_number);
  ASSERT_EQ(parsed->parts.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(parsed->parts[i].payload, d.parts[i].payload);
    EXPECT_EQ(parsed->parts[i].part.number, d.parts[i].part.number);
    EXPECT_EQ(parsed->parts[i].part.size, d.parts[i].part.size);
    EXPECT_EQ(parsed->parts[i].part.etag, d.parts[i].part.etag);
    EXPECT_EQ(parsed->parts[i].part.checksums, d.parts[i].part.checksums);
    EXPECT_EQ(parsed->parts[i].part.modified, d.parts[i].part.modified);
  }
  EXPECT_EQ(payload_footer(*parsed), footer);
}

TEST(PayloadFooter, WhatIsUsualIsKeptToo) {
  PayloadDescription d;
  d.object.key = "k";
  auto parsed = parse_payload_footer(payload_footer(d));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->kind, PayloadKind::kObject);
  EXPECT_EQ(parsed->object.version, kNullVersion);
  EXPECT_EQ(parsed->object.attributes.storage_class, "STANDARD");
  EXPECT_EQ(parsed->object.attributes.acl, "private");
  EXPECT_EQ(parsed->object.attributes.retention.mode, LockMode::kNone);
  EXPECT_EQ(parsed->object.encryption, Encryption::kNone);
  EXPECT_TRUE(parsed->data_key.bytes.empty());
  EXPECT_TRUE(parsed->parts.empty());
}

TEST(PayloadFooter, TellsItsSizeByItsEnd) {
  std::string footer = payload_footer(description_of_everything());
  std::string_view trailer = std::string_view(footer).substr(footer.size() - kPayloadTrailerBytes);
  EXPECT_EQ(payload_footer_size(trailer), footer.size());
  EXPECT_FALSE(payload_footer_size(trailer.substr(1)));
  EXPECT_FALSE(payload_footer_size(""));
  EXPECT_FALSE(payload_footer_size(std::string(kPayloadTrailerBytes, 'x')));
}

TEST(PayloadFooter, RefusesEveryDamagedByte) {
  const std::string footer = payload_footer(description_of_everything());
  for (size_t at = 0; at < footer.size(); ++at) {
    std::string damaged = footer;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    ASSERT_FALSE(parse_payload_footer(damaged)) << at;
    ASSERT_FALSE(parse_payload_footer(footer.substr(at + 1))) << at;
    ASSERT_FALSE(parse_payload_footer(footer.substr(0, at))) << at;
  }
  EXPECT_FALSE(parse_payload_footer("content" + footer));
}

TEST(Md5, KnownAnswers) {
  Md5 empty;
  EXPECT_EQ(base::to_hex(empty.raw()), "d41d8cd98f00b204e9800998ecf8427e");
  Md5 md5;
  md5.update("a");
  md5.update("bc");
  Md5 moved = std::move(md5);
  EXPECT_EQ(base::to_hex(moved.raw()), "900150983cd24fb0d6963f7d28e17f72");
}

}  // namespace
}  // namespace meesh::objects
