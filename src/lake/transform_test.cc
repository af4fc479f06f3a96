#include "lake/transform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/error.h"
#include "lake/metadata.h"
#include "lake/types_calendar.h"

namespace meesh::lake {
namespace {

Value value(const char* type, const char* json) {
  return parse_value_json(parse_type_name(type), json);
}

Value applied(const char* transform, const char* type, const char* json) {
  return apply_transform(parse_transform(transform), parse_type_name(type), value(type, json));
}

std::string text(const char* transform, const char* type, const char* json) {
  const Type source = parse_type_name(type);
  const Transform parsed = parse_transform(transform);
  return transformed_text(parsed, source, apply_transform(parsed, source, value(type, json)));
}

TEST(Transform, NamesAreParsedAndPrinted) {
  for (const char* name :
       {"identity", "bucket[16]", "truncate[4]", "year", "month", "day", "hour", "void"}) {
    EXPECT_EQ(transform_name(parse_transform(name)), name);
    EXPECT_NE(parse_transform(name).kind, TransformKind::kUnknown);
  }
  EXPECT_EQ(parse_transform("zorder(3)").kind, TransformKind::kUnknown);
  EXPECT_EQ(transform_name(parse_transform("zorder(3)")), "zorder(3)");
  for (const char* name : {"bucket[0]", "bucket[-1]", "bucket[]", "bucket[4", "truncate[x]",
                           "truncate[99999999999]", "bucket[4]]"}) {
    EXPECT_THROW(parse_transform(name), Error) << name;
  }
}

// The spec's appendix B.
TEST(Transform, HashesOfTheSpec) {
  const auto hash = [](const char* type, const char* json) {
    return bucket_hash(parse_type_name(type), value(type, json));
  };
  EXPECT_EQ(hash("int", "34"), 2017239379);
  EXPECT_EQ(hash("long", "34"), 2017239379);
  EXPECT_EQ(hash("decimal(9,2)", "\"14.20\""), -500754589);
  EXPECT_EQ(hash("date", "\"2017-11-16\""), -653330422);
  EXPECT_EQ(hash("time", "\"22:31:08\""), -662762989);
  EXPECT_EQ(hash("timestamp", "\"2017-11-16T22:31:08\""), -2047944441);
  EXPECT_EQ(hash("timestamp", "\"2017-11-16T22:31:08.000001\""), -1207196810);
  EXPECT_EQ(hash("timestamptz", "\"2017-11-16T22:31:08+00:00\""), -2047944441);
  EXPECT_EQ(hash("timestamptz", "\"2017-11-16T22:31:08.000001+00:00\""), -1207196810);
  EXPECT_EQ(hash("string", "\"iceberg\""), 1210000089);
  EXPECT_EQ(hash("uuid", "\"f79c3e09-677c-4bbd-a479-3f349cb785e7\""), 1488055340);
  EXPECT_EQ(hash("fixed[4]", "\"00010203\""), -188683207);
  EXPECT_EQ(hash("binary", "\"00010203\""), -188683207);
  EXPECT_EQ(hash("boolean", "true"), 1392991556);
  EXPECT_EQ(hash("float", "1.0"), -142385009);
  EXPECT_EQ(hash("double", "1.0"), -142385009);
  EXPECT_EQ(hash("double", "-0.0"), hash("double", "0.0"));
}

TEST(Transform, BucketIsNeverNegative) {
  EXPECT_EQ(applied("bucket[16]", "int", "34"), Value(int64_t{2017239379 % 16}));
  EXPECT_EQ(applied("bucket[16]", "decimal(9,2)", "\"14.20\""),
            Value(int64_t{(-500754589 & 0x7fffffff) % 16}));
  EXPECT_EQ(applied("bucket[16]", "string", "null"), Value{});
}

TEST(Transform, TruncatesNumbersDownwards) {
  EXPECT_EQ(applied("truncate[10]", "int", "1"), Value(int64_t{0}));
  EXPECT_EQ(applied("truncate[10]", "int", "-1"), Value(int64_t{-10}));
  EXPECT_EQ(applied("truncate[10]", "long", "-10"), Value(int64_t{-10}));
  EXPECT_EQ(applied("truncate[50]", "decimal(9,2)", "\"10.65\""), Value(Int128{1050}));
  EXPECT_EQ(applied("truncate[50]", "decimal(9,2)", "\"-0.05\""), Value(Int128{-50}));
  // Goes round like Java's int.
  EXPECT_EQ(applied("truncate[10]", "int", "-2147483648"), Value(int64_t{2147483646}));
}

TEST(Transform, TruncatesTextByCodePointsAndBytesByBytes) {
  EXPECT_EQ(applied("truncate[3]", "string", "\"iceberg\""), Value(std::string("ice")));
  EXPECT_EQ(applied("truncate[3]", "string", "\"ic\""), Value(std::string("ic")));
  EXPECT_EQ(applied("truncate[2]", "string", "\"é😀x\""), Value(std::string("é😀")));
  EXPECT_EQ(applied("truncate[2]", "binary", "\"000102\""), Value(std::string("\0\1", 2)));
}

TEST(Transform, DatesAndTimesBeforeAndAfter1970) {
  EXPECT_EQ(applied("year", "date", "\"2017-11-16\""), Value(int64_t{47}));
  EXPECT_EQ(applied("month", "date", "\"2017-11-16\""), Value(int64_t{574}));
  EXPECT_EQ(applied("day", "date", "\"2017-11-16\""), Value(int64_t{17486}));
  EXPECT_EQ(applied("year", "date", "\"1969-12-31\""), Value(int64_t{-1}));
  EXPECT_EQ(applied("month", "date", "\"1969-12-31\""), Value(int64_t{-1}));
  EXPECT_EQ(applied("month", "date", "\"1969-01-01\""), Value(int64_t{-12}));
  EXPECT_EQ(applied("day", "timestamp", "\"1969-12-31T23:59:59.999999\""), Value(int64_t{-1}));
  EXPECT_EQ(applied("hour", "timestamp", "\"1969-12-31T23:59:59.999999\""), Value(int64_t{-1}));
  EXPECT_EQ(applied("hour", "timestamptz", "\"2017-11-16T22:31:08+00:00\""),
            Value(int64_t{419686}));
  EXPECT_EQ(applied("year", "timestamp", "\"1970-01-01T00:00:00\""), Value(int64_t{0}));
}

TEST(Transform, SourceTypesAreThoseOfTheSpec) {
  const auto can = [](const char* transform, const char* type) {
    return can_transform(parse_transform(transform), parse_type_name(type));
  };
  EXPECT_TRUE(can("identity", "uuid"));
  EXPECT_TRUE(can("bucket[2]", "time"));
  EXPECT_FALSE(can("bucket[2]", "double"));
  EXPECT_FALSE(can("bucket[2]", "boolean"));
  EXPECT_FALSE(can("truncate[2]", "fixed[4]"));
  EXPECT_FALSE(can("truncate[2]", "date"));
  EXPECT_FALSE(can("hour", "date"));
  EXPECT_FALSE(can("day", "time"));
  EXPECT_TRUE(can("void", "boolean"));
  EXPECT_FALSE(can_transform(parse_transform("identity"), list_type(1, primitive_type({}))));
  EXPECT_THROW(applied("hour", "date", "\"2017-11-16\""), Error);
  EXPECT_THROW(applied("zorder", "int", "1"), Error);
  EXPECT_EQ(type_name(result_type(parse_transform("day"), parse_type_name("timestamp"))), "date");
  EXPECT_EQ(type_name(result_type(parse_transform("hour"), parse_type_name("timestamp"))), "int");
  EXPECT_EQ(type_name(result_type(parse_transform("truncate[3]"), parse_type_name("string"))),
            "string");
}

TEST(Transform, TextForPeople) {
  EXPECT_EQ(text("year", "date", "\"2025-01-15\""), "2025");
  EXPECT_EQ(text("month", "date", "\"2025-01-15\""), "2025-01");
  EXPECT_EQ(text("month", "date", "\"1969-12-31\""), "1969-12");
  EXPECT_EQ(text("day", "timestamp", "\"2025-01-15T08:00:00\""), "2025-01-15");
  EXPECT_EQ(text("hour", "timestamp", "\"2025-01-15T08:59:00\""), "2025-01-15-08");
  EXPECT_EQ(text("hour", "timestamp", "\"1969-12-31T23:00:00\""), "1969-12-31-23");
  EXPECT_EQ(text("identity", "timestamp", "\"2017-12-01T10:12:55.038194\""),
            "2017-12-01T10:12:55.038194");
  EXPECT_EQ(text("identity", "timestamptz", "\"2017-12-01T10:12:55.038+00:00\""),
            "2017-12-01T10:12:55.038Z");
  EXPECT_EQ(text("identity", "timestamp", "\"2017-12-01T10:12:00\""), "2017-12-01T10:12");
  EXPECT_EQ(text("identity", "time", "\"10:12:55\""), "10:12:55");
  EXPECT_EQ(text("identity", "binary", "\"010203\""), "AQID");
  EXPECT_EQ(text("identity", "binary", "\"0102\""), "AQI=");
  EXPECT_EQ(text("identity", "double", "1"), "1.0");
  EXPECT_EQ(text("identity", "decimal(9,2)", "\"-1.20\""), "-1.20");
  EXPECT_EQ(text("identity", "boolean", "true"), "true");
  EXPECT_EQ(text("identity", "string", "null"), "null");
  EXPECT_EQ(text("void", "int", "5"), "null");
}

TEST(Transform, PartitionPathsAreFormEncoded) {
  Schema schema;
  schema.fields = {{1, "country", parse_type_name("string"), false, ""},
                   {2, "at", parse_type_name("timestamp"), false, ""}};
  PartitionSpec spec;
  spec.fields = {{2, 1000, "at_day", parse_transform("day")},
                 {1, 1001, "the country", parse_transform("identity")},
                 {9, 1002, "gone", parse_transform("void")}};
  const std::vector<Value> values{Value(int64_t{20103}), Value(std::string("d e/é=*")), Value{}};
  EXPECT_EQ(partition_path(spec, schema, values),
            "at_day=2025-01-15/the+country=d+e%2F%C3%A9%3D*/gone=null");
  const Type type = partition_type(spec, schema);
  EXPECT_EQ(type_name(type),
            "struct<1000: at_day: optional date, 1001: the country: optional string, 1002: gone: "
            "optional string>");
}

TEST(Transform, CalendarHoldsForAllDays) {
  for (const int64_t days : {int64_t{0}, int64_t{-1}, int64_t{11016}, int64_t{-719468},
                             int64_t{std::numeric_limits<int32_t>::max()},
                             int64_t{std::numeric_limits<int32_t>::min()}}) {
    EXPECT_EQ(days_of(civil_date(days)), days);
  }
  CivilDate last = civil_date(-800001);
  for (int64_t days = -800000; days < 100000; ++days) {
    const CivilDate date = civil_date(days);
    ASSERT_EQ(days_of(date), days);
    const bool next_day = date.day == last.day + 1 && date.month == last.month;
    ASSERT_TRUE(next_day || date.day == 1) << days;
    last = date;
  }
}

}  // namespace
}  // namespace meesh::lake
