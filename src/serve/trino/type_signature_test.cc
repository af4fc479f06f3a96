#include "serve/trino/type_signature.h"

#include <gtest/gtest.h>

namespace meesh::serve::trino {
namespace {

using sql::Type;
using sql::TypeKind;

std::string signature(const Type& type, DateTimes date_times = DateTimes::kParametric) {
  JsonText out;
  write_type_signature(type, date_times, out);
  return out.str();
}

TEST(TypeSignature, Plain) {
  EXPECT_EQ(signature(Type::of(TypeKind::kBigint)), R"({"rawType":"bigint","arguments":[]})");
  EXPECT_EQ(protocol_type(Type::of(TypeKind::kBigint), DateTimes::kParametric), "bigint");
  EXPECT_EQ(protocol_type(Type::of(TypeKind::kUnknown), DateTimes::kParametric), "unknown");
  EXPECT_EQ(signature(Type::of(TypeKind::kIntervalDayToSecond)),
            R"({"rawType":"interval day to second","arguments":[]})");
}

TEST(TypeSignature, Numbers) {
  EXPECT_EQ(protocol_type(Type::varchar(), DateTimes::kParametric), "varchar");
  EXPECT_EQ(signature(Type::varchar()),
            R"({"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]})");
  EXPECT_EQ(protocol_type(Type::varchar(10), DateTimes::kParametric), "varchar(10)");
  EXPECT_EQ(protocol_type(Type::decimal(10, 2), DateTimes::kParametric), "decimal(10, 2)");
  EXPECT_EQ(
      signature(Type::decimal(10, 2)),
      R"({"rawType":"decimal","arguments":[{"kind":"LONG","value":10},{"kind":"LONG","value":2}]})");
}

TEST(TypeSignature, DateTimesByCapability) {
  const auto type = Type::of(TypeKind::kTimestampTz, 6);
  EXPECT_EQ(protocol_type(type, DateTimes::kParametric), "timestamp(6) with time zone");
  EXPECT_EQ(signature(type),
            R"({"rawType":"timestamp with time zone","arguments":[{"kind":"LONG","value":6}]})");
  EXPECT_EQ(protocol_type(type, DateTimes::kMilliseconds), "timestamp with time zone");
  EXPECT_EQ(signature(type, DateTimes::kMilliseconds),
            R"({"rawType":"timestamp with time zone","arguments":[]})");
  EXPECT_EQ(protocol_type(Type::array(Type::of(TypeKind::kTime, 9)), DateTimes::kMilliseconds),
            "array(time)");
  EXPECT_EQ(protocol_type(Type::of(TypeKind::kTimeTz, 3), DateTimes::kParametric),
            "time(3) with time zone");
}

TEST(TypeSignature, Nested) {
  const auto type = Type::map(
      Type::varchar(), Type::row({"x", "", "odd name"},
                                 {Type::of(TypeKind::kInteger), Type::of(TypeKind::kTimestamp, 3),
                                  Type::of(TypeKind::kBoolean)}));
  EXPECT_EQ(protocol_type(type, DateTimes::kParametric),
            "map(varchar, row(x integer, timestamp(3), \"odd name\" boolean))");
  EXPECT_EQ(
      signature(type),
      R"({"rawType":"map","arguments":[)"
      R"({"kind":"TYPE","value":{"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}},)"
      R"({"kind":"TYPE","value":{"rawType":"row","arguments":[)"
      R"({"kind":"NAMED_TYPE","value":{"fieldName":{"name":"x"},"typeSignature":{"rawType":"integer","arguments":[]}}},)"
      R"({"kind":"NAMED_TYPE","value":{"typeSignature":{"rawType":"timestamp","arguments":[{"kind":"LONG","value":3}]}}},)"
      R"({"kind":"NAMED_TYPE","value":{"fieldName":{"name":"odd name"},"typeSignature":{"rawType":"boolean","arguments":[]}}})"
      R"(]}}]})");
}

TEST(TypeSignature, Columns) {
  EXPECT_EQ(columns_json({{"a\"b", Type::of(TypeKind::kDate)}}, DateTimes::kParametric),
            R"([{"name":"a\"b","type":"date","typeSignature":{"rawType":"date","arguments":[]}}])");
}

}  // namespace
}  // namespace meesh::serve::trino
