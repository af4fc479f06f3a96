#include "lake/types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "base/error.h"

namespace meesh::lake {
namespace {

using testing::HasSubstr;

template <typename F>
Error error_of(F&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(Code::kGenericInternalError, "");
}

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

Schema nested_schema() {
  return parse_schema(R"json({"type":"struct","schema-id":3,"identifier-field-ids":[1],"fields":[
    {"id":1,"name":"id","required":true,"type":"long","doc":"key"},
    {"id":2,"name":"Address","required":false,"type":{"type":"struct","fields":[
      {"id":3,"name":"city","required":false,"type":"string"}]}},
    {"id":4,"name":"points","required":false,"type":{"type":"list","element-id":5,
      "element-required":true,"element":{"type":"struct","fields":[
        {"id":6,"name":"x","required":true,"type":"double"}]}}},
    {"id":7,"name":"tags","required":false,"type":{"type":"map","key-id":8,"key":"string",
      "value-id":9,"value":"decimal(9,2)","value-required":false}},
    {"id":10,"name":"a.b","required":false,"type":"date"}]})json");
}

TEST(Types, NamesAreParsedAndPrinted) {
  for (const std::string name :
       {"boolean", "int", "long", "float", "double", "date", "time", "timestamp", "timestamptz",
        "string", "uuid", "binary", "decimal(38, 10)", "fixed[16]"}) {
    EXPECT_EQ(type_name(parse_type_name(name)), name);
  }
  EXPECT_EQ(parse_type_name("decimal(9,2)"), decimal_type(9, 2));
  EXPECT_EQ(parse_type_name("decimal( 9 , 2 )"), decimal_type(9, 2));
}

TEST(Types, WrongNamesAreRefusedWithTheReason) {
  EXPECT_EQ(error_of([] { parse_type_name("strnig"); }).message(), "unknown type 'strnig'");
  EXPECT_THAT(error_of([] { parse_type_name("strnig"); }).hint(), HasSubstr("'string'"));
  EXPECT_THAT(error_of([] { parse_type_name("decimal(39,2)"); }).message(), HasSubstr("1 to 38"));
  EXPECT_THAT(error_of([] { parse_type_name("decimal(3,5)"); }).message(), HasSubstr("scale"));
  EXPECT_THAT(error_of([] { parse_type_name("fixed[-1]"); }).message(), HasSubstr("negative"));
  EXPECT_THAT(error_of([] { parse_type_name("timestamp_ns"); }).message(), HasSubstr("version 3"));
  EXPECT_THAT(error_of([] { parse_type_name("geometry(srid:4326)"); }).message(),
              HasSubstr("version 3"));
  for (const std::string name : {"decimal", "decimal()", "decimal(9)", "decimal(9,2", "fixed[]",
                                 "fixed[99999999999]", "", "decimal(9,2)x"}) {
    EXPECT_EQ(error_of([&] { parse_type_name(name); }).code(), Code::kIcebergInvalidMetadata);
  }
}

TEST(Types, SchemaGoesThroughJsonUnchanged) {
  const Schema schema = nested_schema();
  EXPECT_EQ(schema.id, 3);
  EXPECT_EQ(schema.fields.size(), 5U);
  EXPECT_EQ(schema.fields[0].doc, "key");
  EXPECT_EQ(parse_schema(schema_json(schema)), schema);
  EXPECT_EQ(type_name(schema.fields[3].type), "map<string, decimal(9, 2)>");
  EXPECT_EQ(type_name(schema.fields[1].type), "struct<3: city: optional string>");
}

TEST(Types, SchemaMistakesNameTheirPlace) {
  const auto message = [](const std::string& fields) {
    return error_of([&] { parse_schema(R"({"type":"struct","fields":)" + fields + "}"); })
        .message();
  };
  EXPECT_EQ(message(R"([{"id":1,"name":"a","required":true,"type":"strnig"}])"),
            "fields[0].type: unknown type 'strnig'");
  EXPECT_EQ(message(R"([{"id":1,"name":"a","type":"int"}])"),
            "fields[0].required: is required and missing");
  EXPECT_EQ(message(R"([{"id":1,"name":"a","required":true,"type":"int"},
                        {"id":1,"name":"b","required":true,"type":"int"}])"),
            "fields: two fields have the id 1");
  EXPECT_EQ(message(R"([{"id":1,"name":"a","required":true,"type":"int"},
                        {"id":2,"name":"a","required":true,"type":"int"}])"),
            "fields[1].name: there are two fields 'a'");
  EXPECT_EQ(message(R"([{"id":1.5,"name":"a","required":true,"type":"int"}])"),
            "fields[0].id: expected a whole number, found the number 1.5");
  EXPECT_EQ(message(R"([{"id":9999999999,"name":"a","required":true,"type":"int"}])"),
            "fields[0].id: 9999999999 is out of range, expected a number of 32 bits");
  EXPECT_EQ(message(R"([{"id":1,"name":"a","required":true,"type":{"type":"list","element-id":2,
              "element-required":true,"element":{"type":"set"}}}])"),
            "fields[0].type.element.type: expected struct, list or map, found 'set'");
  EXPECT_THAT(message(R"([{"id":1,"name":"a","required":true,"type":"int","initial-default":1}])"),
              HasSubstr("version 3"));
  EXPECT_EQ(message(R"({})"), "fields: expected an array, found an object");
}

TEST(Types, DepthIsLimited) {
  std::string json = R"("int")";
  for (int i = 0; i < 300; ++i) {
    json = R"({"type":"list","element-id":1,"element-required":true,"element":)" + json + "}";
  }
  EXPECT_THAT(error_of([&] { parse_type_json(json); }).message(), HasSubstr("not JSON"));
}

TEST(Types, PromotionsAreThoseOfTheSpec) {
  const auto can = [](const char* from, const char* to) {
    return can_promote(parse_type_name(from), parse_type_name(to));
  };
  EXPECT_TRUE(can("int", "long"));
  EXPECT_TRUE(can("int", "int"));
  EXPECT_TRUE(can("float", "double"));
  EXPECT_TRUE(can("decimal(9,2)", "decimal(12,2)"));
  EXPECT_FALSE(can("decimal(9,2)", "decimal(12,3)"));
  EXPECT_FALSE(can("decimal(9,2)", "decimal(8,2)"));
  EXPECT_FALSE(can("long", "int"));
  EXPECT_FALSE(can("int", "double"));
  EXPECT_FALSE(can("date", "timestamp"));
  EXPECT_FALSE(can("fixed[3]", "binary"));
  EXPECT_FALSE(
      can_promote(list_type(1, parse_type_name("int")), list_type(1, parse_type_name("int"))));
}

TEST(Types, FieldsAreFoundByIdAndName) {
  const Schema schema = nested_schema();
  const auto id = [&](std::string_view name, bool case_sensitive = true) {
    const Field* found = find_field(schema, name, case_sensitive);
    return found == nullptr ? 0 : found->id;
  };
  EXPECT_EQ(find_field(schema, 6)->name, "x");
  EXPECT_EQ(find_field(schema, 11), nullptr);
  EXPECT_EQ(id("Address.city"), 3);
  EXPECT_EQ(id("address.city"), 0);
  EXPECT_EQ(id("ADDRESS.City", false), 3);
  EXPECT_EQ(id("points.element"), 5);
  EXPECT_EQ(id("points.element.x"), 6);
  EXPECT_EQ(id("points.x"), 6);
  EXPECT_EQ(id("tags.key"), 8);
  EXPECT_EQ(id("tags.value"), 9);
  EXPECT_EQ(id("a.b"), 10);
  EXPECT_EQ(id("Address."), 0);
  EXPECT_EQ(id(""), 0);
  EXPECT_EQ(field_name(schema, 6), "points.element.x");
  EXPECT_EQ(field_name(schema, 99), "");
  EXPECT_EQ(find_parent(schema, 6)->id, 5);
  EXPECT_EQ(find_parent(schema, 1), nullptr);
  EXPECT_EQ(highest_field_id(schema), 10);
  EXPECT_EQ(highest_field_id(Schema{}), 0);
}

TEST(Types, ValuesAsBytes) {
  const auto check = [](const char* name, const Value& value, const std::string& expected) {
    const Type type = parse_type_name(name);
    EXPECT_EQ(to_bytes(type, value), expected) << name;
    EXPECT_EQ(from_bytes(type, expected), value) << name;
  };
  check("boolean", false, bytes({0}));
  check("boolean", true, bytes({1}));
  check("int", int64_t{-2}, bytes({0xfe, 0xff, 0xff, 0xff}));
  check("long", int64_t{1} << 40, bytes({0, 0, 0, 0, 0, 1, 0, 0}));
  check("float", 1.0, bytes({0, 0, 0x80, 0x3f}));
  check("double", -2.0, bytes({0, 0, 0, 0, 0, 0, 0, 0xc0}));
  check("date", int64_t{17486}, bytes({0x4e, 0x44, 0, 0}));
  check("timestamptz", int64_t{-1}, std::string(8, '\xff'));
  check("string", std::string("ICE"), "ICE");
  check("fixed[2]", bytes({0, 255}), bytes({0, 255}));
  check("binary", bytes({0, 255}), bytes({0, 255}));
  check("uuid", std::string("0123456789abcdef"), "0123456789abcdef");
}

TEST(Types, DecimalsAreShortBigEndianTwosComplement) {
  const Type type = decimal_type(38, 2);
  const auto check = [&](Int128 value, const std::string& expected) {
    EXPECT_EQ(to_bytes(type, value), expected);
    EXPECT_EQ(from_bytes(type, expected), Value(value));
  };
  check(0, bytes({0}));
  check(1420, bytes({0x05, 0x8c}));
  check(127, bytes({0x7f}));
  check(128, bytes({0x00, 0x80}));
  check(-1, bytes({0xff}));
  check(-128, bytes({0x80}));
  check(-129, bytes({0xff, 0x7f}));
  Int128 large = 1;
  for (int i = 0; i < 38; ++i) large *= 10;
  EXPECT_EQ(to_bytes(type, Value(large - 1)).size(), 16U);
  EXPECT_EQ(from_bytes(type, to_bytes(type, Value(1 - large))), Value(1 - large));
  // Longer than need be, as some writers pad it.
  EXPECT_EQ(from_bytes(type, bytes({0, 0, 5})), Value(Int128{5}));
  EXPECT_EQ(from_bytes(type, bytes({0xff, 0xff, 0xfb})), Value(Int128{-5}));
}

TEST(Types, BytesFromBeforeAPromotion) {
  EXPECT_EQ(from_bytes(parse_type_name("long"), bytes({0xfe, 0xff, 0xff, 0xff})),
            Value(int64_t{-2}));
  EXPECT_EQ(from_bytes(parse_type_name("double"), bytes({0, 0, 0x80, 0x3f})), Value(1.0));
}

TEST(Types, BytesOfWrongLengthAreBadData) {
  for (const char* name : {"boolean", "int", "long", "float", "double", "date", "time", "timestamp",
                           "timestamptz", "uuid", "decimal(9,2)", "fixed[2]"}) {
    const Type type = parse_type_name(name);
    const Error error = error_of([&] { from_bytes(type, std::string(17, 'x')); });
    EXPECT_EQ(error.code(), Code::kIcebergBadData) << name;
    EXPECT_THAT(error.message(), HasSubstr("17 bytes"));
  }
  EXPECT_EQ(error_of([] { from_bytes(decimal_type(9, 2), ""); }).code(), Code::kIcebergBadData);
}

TEST(Types, ValuesAsJson) {
  const auto check = [](const char* name, const Value& value, const std::string& expected) {
    const Type type = parse_type_name(name);
    EXPECT_EQ(value_json(type, value), expected) << name;
    EXPECT_EQ(parse_value_json(type, expected), value) << name;
  };
  check("boolean", true, "true");
  check("int", int64_t{34}, "34");
  check("long", int64_t{-34}, "-34");
  check("double", 1.5, "1.5");
  check("double", std::numeric_limits<double>::infinity(), "\"Infinity\"");
  check("decimal(9,2)", Int128{1420}, "\"14.20\"");
  check("decimal(9,2)", Int128{-5}, "\"-0.05\"");
  check("decimal(9,0)", Int128{1420}, "\"1420\"");
  check("date", int64_t{17486}, "\"2017-11-16\"");
  check("date", int64_t{-1}, "\"1969-12-31\"");
  check("date", int64_t{-719529}, "\"-0001-12-31\"");
  check("time", int64_t{81068123456}, "\"22:31:08.123456\"");
  check("timestamp", int64_t{1510871468123456}, "\"2017-11-16T22:31:08.123456\"");
  check("timestamp", int64_t{-1}, "\"1969-12-31T23:59:59.999999\"");
  check("timestamptz", int64_t{1510871468000001}, "\"2017-11-16T22:31:08.000001+00:00\"");
  check("string", std::string("i\"ceberg"), R"("i\"ceberg")");
  check("uuid",
        bytes({0xf7, 0x9c, 0x3e, 0x09, 0x67, 0x7c, 0x4b, 0xbd, 0xa4, 0x79, 0x3f, 0x34, 0x9c, 0xb7,
               0x85, 0xe7}),
        "\"f79c3e09-677c-4bbd-a479-3f349cb785e7\"");
  check("fixed[4]", bytes({0, 1, 2, 255}), "\"000102ff\"");
  check("binary", bytes({0, 1, 2, 255}), "\"000102ff\"");
  check("binary", Value{}, "null");
}

TEST(Types, JsonOfAnotherTypeIsRefused) {
  const std::pair<const char*, const char*> wrong[] = {
      {"int", "3000000000"},
      {"int", "\"1\""},
      {"boolean", "1"},
      {"decimal(3,2)", "\"14.20\""},
      {"decimal(9,2)", "\"14.2\""},
      {"decimal(9,2)", "\"1.4.2\""},
      {"decimal(9,0)", "\"\""},
      {"date", "\"2017-02-29\""},
      {"date", "\"2017-1-1\""},
      {"date", "\"2017-11-16x\""},
      {"time", "\"24:00:00\""},
      {"time", "\"10:00:00.\""},
      {"timestamp", "\"2017-11-16T22:31:08+00:00\""},
      {"timestamptz", "\"2017-11-16T22:31:08\""},
      {"timestamptz", "\"2017-11-16T22:31:08+01:00\""},
      {"timestamp", "\"9999999-01-01T00:00:00\""},
      {"uuid", "\"f79c3e09677c4bbda4793f349cb785e7\""},
      {"fixed[4]", "\"000102\""},
      {"binary", "\"0g\""},
      {"binary", "\"0\""},
  };
  for (const auto& [name, json] : wrong) {
    const Type type = parse_type_name(name);
    EXPECT_THAT(error_of([&] { parse_value_json(type, json); }).message(),
                HasSubstr("is no value of type"))
        << name << " " << json;
  }
}

TEST(Types, DecimalText) {
  EXPECT_EQ(decimal_text(0, 0), "0");
  EXPECT_EQ(decimal_text(0, 2), "0.00");
  EXPECT_EQ(decimal_text(-1, 3), "-0.001");
  EXPECT_EQ(decimal_text(123456, 3), "123.456");
  const auto lowest = static_cast<Int128>(static_cast<unsigned __int128>(1) << 127);
  EXPECT_EQ(decimal_text(lowest, 0), "-170141183460469231731687303715884105728");
}

}  // namespace
}  // namespace meesh::lake
