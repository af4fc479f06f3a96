#include "lake/avro.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <limits>

#include "base/error.h"

namespace meesh::lake {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

constexpr std::string_view kPairSchema = R"({"type": "record", "name": "pair", "fields": [
    {"name": "id", "type": "long", "field-id": 1},
    {"name": "text", "type": ["null", "string"], "default": null, "field-id": 2}]})";

std::string pairs(AvroCodec codec, int count) {
  AvroWriter writer(kPairSchema, {{"key", "value"}}, codec);
  for (int i = 0; i < count; ++i) {
    AvroEncoder out = writer.encoder();
    out.put_long(i);
    out.put_present();
    out.put_bytes("row " + std::to_string(i));
    writer.end_record();
  }
  return writer.finish();
}

template <typename Function>
std::string error_of(Function&& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST(AvroNumbers, ZigzagRoundTrip) {
  for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{1}, int64_t{63}, int64_t{64},
                              int64_t{-65}, int64_t{1} << 40, std::numeric_limits<int64_t>::max(),
                              std::numeric_limits<int64_t>::min()}) {
    std::string bytes;
    AvroEncoder(bytes).put_long(value);
    AvroCursor in(bytes);
    EXPECT_EQ(in.read_long(), value);
    EXPECT_TRUE(in.done());
  }
  std::string bytes;
  AvroEncoder(bytes).put_long(-64);
  EXPECT_EQ(bytes, "\x7F");
}

TEST(AvroNumbers, BadBytesAreErrors) {
  const auto read = [](std::string bytes) {
    return error_of([&] { AvroCursor(bytes).read_long(); });
  };
  EXPECT_THAT(read(""), HasSubstr("cut short"));
  EXPECT_THAT(read("\x80"), HasSubstr("cut short"));
  EXPECT_THAT(read(std::string(10, '\xFF')), HasSubstr("64 bits"));
  EXPECT_THAT(read(std::string(9, '\xFF') + "\x02"), HasSubstr("64 bits"));
  EXPECT_THAT(error_of([] {
                AvroCursor(
                    "\x08"
                    "abc")
                    .read_bytes();
              }),
              HasSubstr("cut short"));
  EXPECT_THAT(error_of([] { AvroCursor("\x01").read_bytes(); }), HasSubstr("length"));
  EXPECT_THAT(error_of([] { AvroCursor("\x02").read_boolean(); }), HasSubstr("boolean"));
  EXPECT_THAT(error_of([] { AvroCursor("\x04").read_branch(2); }), HasSubstr("branch 2"));
  EXPECT_THAT(error_of([] { AvroCursor("\x14").read_block(); }), HasSubstr("10 items"));
}

TEST(AvroNumbers, BlockWithItsSize) {
  std::string bytes;
  AvroEncoder out(bytes);
  out.put_long(-2);
  out.put_long(3);
  bytes += "abc";
  AvroCursor in(bytes);
  EXPECT_EQ(in.read_block(), 2);
  EXPECT_EQ(in.remaining(), 3U);
}

TEST(AvroContainer, EveryCodecRoundTrips) {
  for (const AvroCodec codec :
       {AvroCodec::kNull, AvroCodec::kDeflate, AvroCodec::kSnappy, AvroCodec::kZstandard}) {
    const std::string file = pairs(codec, 20000);
    AvroReader reader(file);
    EXPECT_EQ(*reader.find("key"), "value");
    EXPECT_EQ(reader.find("nothing"), nullptr);
    AvroReader::Block block;
    int64_t rows = 0;
    int blocks = 0;
    while (reader.next(block)) {
      ++blocks;
      AvroCursor in(block.bytes);
      for (int64_t i = 0; i < block.records; ++i, ++rows) {
        ASSERT_EQ(in.read_long(), rows);
        ASSERT_EQ(in.read_branch(2), 1);
        ASSERT_EQ(in.read_bytes(), "row " + std::to_string(rows));
      }
      EXPECT_TRUE(in.done());
    }
    EXPECT_EQ(rows, 20000);
    EXPECT_GT(blocks, 1);
  }
}

TEST(AvroContainer, WithoutRecords) {
  const std::string file = pairs(AvroCodec::kDeflate, 0);
  AvroReader reader(file);
  AvroReader::Block block;
  EXPECT_FALSE(reader.next(block));
}

TEST(AvroContainer, DamageIsFound) {
  const std::string good = pairs(AvroCodec::kDeflate, 100);
  const auto read = [](const std::string& file, AvroLimits limits = {}) {
    return error_of([&] {
      AvroReader reader(file, limits);
      AvroReader::Block block;
      while (reader.next(block)) continue;
    });
  };
  EXPECT_EQ(read(good), "no error");
  EXPECT_THAT(read("PAR1"), HasSubstr("no Avro file"));
  EXPECT_THAT(read(good.substr(0, 40)), HasSubstr("cut short"));
  EXPECT_THAT(read(good.substr(0, good.size() - 5)), HasSubstr("cut short"));
  std::string sync = good;
  sync.back() = static_cast<char>(sync.back() ^ 1);
  EXPECT_THAT(read(sync), HasSubstr("sync marker"));
  // After the header's sync marker: the count and the size, two bytes each, then deflate data.
  std::string packed = good;
  packed[good.find(good.substr(good.size() - 16)) + 20] = '\xFF';
  EXPECT_THAT(read(packed), HasSubstr("no good deflate data"));
  EXPECT_THAT(read(good, {.unpacked = 100}), HasSubstr("more than 100 bytes"));
  EXPECT_THAT(read(pairs(AvroCodec::kZstandard, 100), {.unpacked = 100}),
              HasSubstr("more than 100 bytes"));
  EXPECT_THAT(read(pairs(AvroCodec::kSnappy, 100), {.unpacked = 100}),
              HasSubstr("more than 100 bytes"));
  EXPECT_THAT(read(good, {.header = 3}), HasSubstr("too long"));
  std::string codec = good;
  codec.replace(codec.find("deflate"), 7, "xeflate");
  EXPECT_THAT(read(codec), HasSubstr("'xeflate'"));
  std::string snappy = pairs(AvroCodec::kSnappy, 100);
  snappy[snappy.size() - 17] = static_cast<char>(snappy[snappy.size() - 17] ^ 1);
  EXPECT_THAT(read(snappy), HasSubstr("checksum"));
}

TEST(AvroSchemas, NamesAndAttributes) {
  const AvroSchema schema = parse_avro_schema(R"({"type": "record", "name": "outer",
    "namespace": "a.b", "fields": [
      {"name": "x_x20y", "iceberg-field-name": "x y", "field-id": 7,
       "type": {"type": "fixed", "name": "d", "size": 3, "logicalType": "decimal"}},
      {"name": "again", "type": ["null", "d"]},
      {"name": "full", "type": "a.b.d"},
      {"name": "self", "type": ["null", "outer"]}]})");
  const AvroNode& root = schema[schema.root];
  ASSERT_EQ(root.fields.size(), 4U);
  EXPECT_EQ(root.fields[0].name, "x y");
  EXPECT_EQ(root.fields[0].id, 7);
  EXPECT_EQ(root.fields[1].id, -1);
  EXPECT_EQ(schema[root.fields[0].node].logical, "decimal");
  EXPECT_EQ(schema[root.fields[0].node].size, 3U);
  EXPECT_EQ(root.fields[2].node, root.fields[0].node);
  EXPECT_EQ(schema[root.fields[1].node].children[1], root.fields[0].node);
  EXPECT_EQ(schema[root.fields[3].node].children[1], schema.root);
}

TEST(AvroSchemas, MistakesAreErrors) {
  const auto parse = [](std::string_view text) {
    return error_of([&] { parse_avro_schema(text); });
  };
  EXPECT_THAT(parse("{"), HasSubstr("Avro schema is wrong"));
  EXPECT_THAT(parse("17"), HasSubstr("neither"));
  EXPECT_THAT(parse(R"("strnig")"), HasSubstr("'strnig'"));
  EXPECT_THAT(parse(R"({"type": "record", "name": "a"})"), HasSubstr("fields"));
  EXPECT_THAT(parse(R"({"type": "fixed", "name": "a", "size": -1})"), HasSubstr("size"));
  EXPECT_THAT(parse("[]"), HasSubstr("branches"));
  EXPECT_THAT(parse(R"({"type": "array"})"), HasSubstr("inside"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += R"({"type": "array", "items": )";
  EXPECT_NE(parse(deep + "\"int\"" + std::string(100, '}')), "no error");
}

TEST(AvroSkip, EveryType) {
  const AvroSchema schema = parse_avro_schema(R"({"type": "record", "name": "r", "fields": [
      {"name": "a", "type": "boolean"}, {"name": "b", "type": "int"},
      {"name": "c", "type": "float"}, {"name": "d", "type": "double"},
      {"name": "e", "type": "bytes"},
      {"name": "f", "type": {"type": "fixed", "name": "f3", "size": 3}},
      {"name": "g", "type": {"type": "enum", "name": "e1", "symbols": ["A", "B"]}},
      {"name": "h", "type": {"type": "array", "items": "string"}},
      {"name": "i", "type": {"type": "map", "values": "long"}},
      {"name": "j", "type": ["null", "long"]}, {"name": "k", "type": "null"}]})");
  std::string bytes;
  AvroEncoder out(bytes);
  out.put_boolean(true);
  out.put_long(5);
  out.put_float(1);
  out.put_double(2);
  out.put_bytes("xyz");
  out.put_fixed("abc");
  out.put_long(1);
  out.put_long(2);
  out.put_bytes("one");
  out.put_bytes("two");
  out.put_long(0);
  out.put_long(1);
  out.put_bytes("key");
  out.put_long(7);
  out.put_long(0);
  out.put_present();
  out.put_long(9);
  AvroCursor in(bytes);
  in.skip(schema, schema.root);
  EXPECT_TRUE(in.done());
}

// Each record holds the one before twice: 2^40 values and not one byte.
TEST(AvroSkip, RecordsOfNothingHaveAnEnd) {
  std::string text = R"({"type": "record", "name": "r0", "fields": []})";
  for (int i = 1; i <= 20; ++i) {
    text = R"({"type": "record", "name": "r)" + std::to_string(i) +
           R"(", "fields": [{"name": "a", "type": )" + text + R"(}, {"name": "b", "type": "r)" +
           std::to_string(i - 1) + R"("}]})";
  }
  const AvroSchema schema = parse_avro_schema(text);
  EXPECT_THAT(error_of([&] { AvroCursor("").skip(schema, schema.root); }),
              HasSubstr("without bytes"));
}

TEST(AvroSchemaJson, AsIcebergWritesIt) {
  const Type integer = primitive_type(TypeKind::kInt);
  const std::string text = avro_schema_json(
      {{1, "id", primitive_type(TypeKind::kLong), true, "the key"},
       {2, "a b", primitive_type(TypeKind::kTimestamp), false, ""},
       {3, "price", decimal_type(9, 2), false, ""},
       {4, "again", decimal_type(9, 2), true, ""},
       {5, "uuid", primitive_type(TypeKind::kUuid), true, ""},
       {6, "counts", map_type(7, integer, 8, primitive_type(TypeKind::kLong), true), false, ""},
       {9, "offsets", list_type(10, integer, true), false, ""},
       {11, "tags", map_type(12, primitive_type(TypeKind::kString), 13, integer), true, ""},
       {14, "inner", struct_type({{15, "9z", primitive_type(TypeKind::kDate), true, ""}}), true,
        ""}},
      "row");
  EXPECT_EQ(json::parse(text), json::parse(R"({"type": "record", "name": "row", "fields": [
      {"name": "id", "type": "long", "doc": "the key", "field-id": 1},
      {"name": "a_x20b", "type": ["null", {"type": "long", "logicalType": "timestamp-micros",
       "adjust-to-utc": false}], "default": null, "iceberg-field-name": "a b", "field-id": 2},
      {"name": "price", "type": ["null", {"type": "fixed", "name": "decimal_9_2", "size": 4,
       "logicalType": "decimal", "precision": 9, "scale": 2}], "default": null, "field-id": 3},
      {"name": "again", "type": {"type": "fixed", "name": "decimal_9_2_2", "size": 4,
       "logicalType": "decimal", "precision": 9, "scale": 2}, "field-id": 4},
      {"name": "uuid", "type": {"type": "fixed", "name": "uuid_fixed", "size": 16,
       "logicalType": "uuid"}, "field-id": 5},
      {"name": "counts", "type": ["null", {"type": "array", "items": {"type": "record",
       "name": "k7_v8", "fields": [{"name": "key", "type": "int", "field-id": 7},
       {"name": "value", "type": "long", "field-id": 8}]}, "logicalType": "map"}],
       "default": null, "field-id": 6},
      {"name": "offsets", "type": ["null", {"type": "array", "items": "int", "element-id": 10}],
       "default": null, "field-id": 9},
      {"name": "tags", "type": {"type": "map", "values": ["null", "int"], "key-id": 12,
       "value-id": 13}, "field-id": 11},
      {"name": "inner", "type": {"type": "record", "name": "r14", "fields": [
       {"name": "_9z", "type": {"type": "int", "logicalType": "date"},
        "iceberg-field-name": "9z", "field-id": 15}]}, "field-id": 14}]})"));
  EXPECT_NO_THROW(parse_avro_schema(text));
}

TEST(AvroSchemaJson, Names) {
  EXPECT_EQ(avro_name("plain_1"), "plain_1");
  EXPECT_EQ(avro_name("1st"), "_1st");
  EXPECT_EQ(avro_name("a b"), "a_x20b");
  EXPECT_EQ(avro_name("a#b"), "a_x23b");
  EXPECT_EQ(avro_name("ü"), "_xFC");
  EXPECT_EQ(avro_name("\U0001F600"), "_xD83D_xDE00");
  EXPECT_EQ(avro_name("\xFF"), "_xFF");
}

TEST(AvroSchemaJson, DecimalBytes) {
  EXPECT_EQ(decimal_bytes(1), 1);
  EXPECT_EQ(decimal_bytes(2), 1);
  EXPECT_EQ(decimal_bytes(3), 2);
  EXPECT_EQ(decimal_bytes(9), 4);
  EXPECT_EQ(decimal_bytes(10), 5);
  EXPECT_EQ(decimal_bytes(18), 8);
  EXPECT_EQ(decimal_bytes(19), 9);
  EXPECT_EQ(decimal_bytes(38), 16);
}

}  // namespace
}  // namespace meesh::lake
