#include "lake/puffin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace meesh::lake {
namespace {

using testing::HasSubstr;

PuffinBlob blob_of(std::string_view bytes, std::string codec = "") {
  PuffinBlob blob;
  blob.about = {"some-blob", 7, 3, {1, 2}, {{"key", "value"}}};
  blob.codec = std::move(codec);
  blob.bytes = bytes;
  return blob;
}

/// A file with this footer behind a body of ten bytes.
std::string with_footer(const std::string& json, char flags = 0) {
  std::string file = "PFA1abcdef";
  file += "PFA1" + json;
  for (int shift = 0; shift < 32; shift += 8)
    file += static_cast<char>(json.size() >> shift & 0xff);
  file += flags;
  return file + std::string(3, '\0') + "PFA1";
}

std::string error_of(const std::string& file) {
  try {
    for (const PuffinBlob& blob : parse_puffin(file).blobs) unpacked(blob);
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST(Puffin, WhatIsWrittenIsReadBack) {
  const std::string text(5000, 'x');
  const std::string packed = packed_zstd(text);
  EXPECT_LT(packed.size(), 100U);
  const std::vector<PuffinBlob> blobs = {blob_of("plain"), blob_of(packed, "zstd"), blob_of("")};
  const WrittenPuffin written = write_puffin(blobs, {{"created-by", "test"}});
  const Puffin read = parse_puffin(written.bytes);
  ASSERT_EQ(read.blobs.size(), 3U);
  for (size_t i = 0; i < blobs.size(); ++i) {
    EXPECT_EQ(read.blobs[i].about, blobs[i].about);
    EXPECT_EQ(read.blobs[i].codec, blobs[i].codec);
    EXPECT_EQ(read.blobs[i].bytes, blobs[i].bytes);
  }
  EXPECT_EQ(unpacked(read.blobs[0]), "plain");
  EXPECT_EQ(unpacked(read.blobs[1]), text);
  EXPECT_EQ(read.properties.at("created-by"), "test");
  const auto footer = static_cast<size_t>(written.footer_size);
  EXPECT_EQ(written.bytes.substr(written.bytes.size() - footer, 4), "PFA1");
  EXPECT_EQ(written.bytes.size() - footer, 4 + 5 + packed.size());
}

/// The files that come with Iceberg's own tests look so.
TEST(Puffin, AFileWithoutBlobsIsTheSpecsOne) {
  const WrittenPuffin written = write_puffin({}, {});
  EXPECT_EQ(written.bytes, std::string("PFA1PFA1{\"blobs\":[]}\x0c\0\0\0\0\0\0\0PFA1", 32));
  EXPECT_EQ(written.footer_size, 28);
  EXPECT_TRUE(parse_puffin(written.bytes).blobs.empty());
}

TEST(Puffin, FootersPackedWithZstdAreRead) {
  EXPECT_TRUE(parse_puffin(with_footer(packed_zstd(R"({"blobs":[]})"), 1)).blobs.empty());
  EXPECT_THAT(error_of(with_footer("\x04\x22\x4d\x18lz4", 1)), HasSubstr("packed with lz4"));
  EXPECT_THAT(error_of(with_footer(R"({"blobs":[]})", 2)), HasSubstr("flags that are not known"));
}

TEST(Puffin, WrongFilesAreRefused) {
  const std::string good = with_footer(R"({"blobs":[]})");
  EXPECT_EQ(error_of(good), "no error");
  EXPECT_THAT(error_of(""), HasSubstr("cut short"));
  EXPECT_THAT(error_of("PFA1PFA1"), HasSubstr("cut short"));
  EXPECT_THAT(error_of(good.substr(0, good.size() - 1)), HasSubstr("begin and end with PFA1"));
  EXPECT_THAT(error_of("X" + good.substr(1)), HasSubstr("begin and end with PFA1"));
  const auto with_size = [&](char low, char high) {
    std::string file = good;
    file[file.size() - 12] = low;
    file[file.size() - 9] = high;
    return error_of(file);
  };
  EXPECT_THAT(with_size(12, '\xff'), HasSubstr("cannot have a footer"));
  EXPECT_THAT(with_size(11, 0), HasSubstr("no PFA1 before its footer"));
  EXPECT_THAT(error_of(with_footer("{}")), HasSubstr("blobs"));
  EXPECT_NE(error_of(with_footer("{")), "no error");
}

TEST(Puffin, BlobsLieBeforeTheFooter) {
  const auto blob = [](const std::string& place) {
    return with_footer(
        R"({"blobs":[{"type":"t","fields":[1],"snapshot-id":1,"sequence-number":1,)" + place +
        "}]}");
  };
  EXPECT_EQ(error_of(blob(R"("offset":4,"length":6)")), "no error");
  EXPECT_EQ(error_of(blob(R"("offset":10,"length":0)")), "no error");
  for (const char* wrong :
       {R"("offset":3,"length":1)", R"("offset":-1,"length":1)", R"("offset":11,"length":0)",
        R"("offset":4,"length":7)", R"("offset":4,"length":-1)",
        R"("offset":9223372036854775807,"length":9223372036854775807)"}) {
    EXPECT_THAT(error_of(blob(wrong)), HasSubstr("before the footer")) << wrong;
  }
  EXPECT_THAT(error_of(blob(R"("offset":4,"length":6,"compression-codec":"zstd")")),
              HasSubstr("zstd data"));
  EXPECT_THAT(error_of(blob(R"("offset":4,"length":6,"compression-codec":"lz4")")),
              HasSubstr("packed with 'lz4'"));
}

TEST(Puffin, DataThatUnpacksToTooMuchIsRefused) {
  const std::string packed = packed_zstd(std::string((size_t{64} << 20) + 1, 'x'));
  const std::vector<PuffinBlob> blobs = {blob_of(packed, "zstd")};
  EXPECT_THAT(error_of(write_puffin(blobs, {}).bytes), HasSubstr("more than"));
  EXPECT_THAT(error_of(write_puffin(std::vector{blob_of(packed.substr(0, 20), "zstd")}, {}).bytes),
              HasSubstr("more than"));
  const std::string cut = packed_zstd("short");
  EXPECT_THAT(
      error_of(write_puffin(std::vector{blob_of(std::string_view(cut).substr(0, 10), "zstd")}, {})
                   .bytes),
      HasSubstr("no good zstd data"));
}

}  // namespace
}  // namespace meesh::lake
