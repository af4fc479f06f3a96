#include "lake/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace meesh::lake {
namespace {

using testing::HasSubstr;

const Schema kSchema{0,
                     {{1, "ts", primitive_type(TypeKind::kTimestamp), false, ""},
                      {2, "country", primitive_type(TypeKind::kString), false, ""},
                      {3, "born", primitive_type(TypeKind::kDate), false, ""}},
                     {}};

PartitionSpec spec(const char* transform, int source, const char* name) {
  PartitionSpec made;
  made.fields.push_back({.source_id = source,
                         .field_id = 1000,
                         .name = name,
                         .transform = parse_transform(transform)});
  return made;
}

std::string path(const char* layout, const PartitionSpec& spec, const Value& value) {
  return FileLayout(layout, spec, kSchema).path(std::vector{value}, "f1");
}

std::string refusal(const char* layout, const PartitionSpec& spec) {
  try {
    FileLayout(layout, spec, kSchema);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidTableProperty);
    return error.message();
  }
  return "";
}

TEST(FileLayout, PutsPartsOfTimesIntoThePath) {
  const auto day = spec("day", 1, "ts_day");
  EXPECT_EQ(
      path("year={ts_day:%Y}/month={ts_day:%m}/day={ts_day:%d}/data_{file}", day, int64_t{20103}),
      "year=2025/month=01/day=15/data_f1");
  EXPECT_EQ(path("{ts_day}/{file}", day, int64_t{20103}), "2025-01-15/f1");
  EXPECT_EQ(path("{ts_day}/{file}", day, int64_t{-1}), "1969-12-31/f1");
  EXPECT_EQ(path("{ts_day:%Y/%m/%d}/{file}", day, int64_t{20103}), "2025/01/15/f1");
  EXPECT_EQ(path("{h:%Y%m%d}/{h:%H}/{file}", spec("hour", 1, "h"), int64_t{-1}), "19691231/23/f1");
  EXPECT_EQ(path("{m:%Y}/{m:%m}-{file}", spec("month", 1, "m"), int64_t{-1}), "1969/12-f1");
  EXPECT_EQ(path("{y:%Y}/{file}", spec("year", 1, "y"), int64_t{55}), "2025/f1");
  EXPECT_EQ(path("{born:%d.%m}/{file}", spec("identity", 3, "born"), int64_t{20103}), "15.01/f1");
  EXPECT_EQ(path("{ts:%H}/{file}", spec("identity", 1, "ts"), int64_t{3'600'000'000}), "01/f1");
}

TEST(FileLayout, KeepsValuesWithinTheirPart) {
  const auto country = spec("identity", 2, "country");
  EXPECT_EQ(path("c={country}/{file}", country, std::string("a/b é")), "c=a%2Fb+%C3%A9/f1");
  EXPECT_EQ(path("{country}/{file}", country, std::string("..")), "%2E%2E/f1");
  EXPECT_EQ(path("{country}/{file}", country, std::string(".")), "%2E/f1");
  EXPECT_EQ(path("{country}/{file}", country, std::string()), "__HIVE_DEFAULT_PARTITION__/f1");
  EXPECT_EQ(path("{country}/{file}", country, Value()), "__HIVE_DEFAULT_PARTITION__/f1");
}

TEST(FileLayout, RefusesWhatIsNoPath) {
  const auto day = spec("day", 1, "ts_day");
  EXPECT_THAT(refusal("{ts_day}", day), HasSubstr("must have {file}"));
  EXPECT_THAT(refusal("{file}/x", day), HasSubstr("must have {file}"));
  EXPECT_THAT(refusal("{file}/{file}", day), HasSubstr("must have {file}"));
  EXPECT_THAT(refusal("../{file}", day), HasSubstr("'..' part"));
  EXPECT_THAT(refusal("/{file}", day), HasSubstr("empty"));
  EXPECT_THAT(refusal("a//{file}", day), HasSubstr("empty"));
  EXPECT_THAT(refusal("a b/{file}", day), HasSubstr("printable"));
  EXPECT_THAT(refusal("{file", day), HasSubstr("without its }"));
  EXPECT_THAT(refusal("{ts}/{file}", day), HasSubstr("its fields are ts_day"));
  EXPECT_THAT(refusal("{ts}/{file}", {}), HasSubstr("it is not partitioned"));
  EXPECT_THAT(refusal("{ts_day:%H}/{file}", day), HasSubstr("%Y, %m, %d"));
  EXPECT_THAT(refusal("{ts_day:%}/{file}", day), HasSubstr("%Y, %m, %d"));
  EXPECT_THAT(refusal("{ts_day:}/{file}", day), HasSubstr("says nothing"));
  EXPECT_THAT(refusal("{country:%Y}/{file}", spec("identity", 2, "country")),
              HasSubstr("are no times"));
}

}  // namespace
}  // namespace meesh::lake
