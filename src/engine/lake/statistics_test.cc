#include "engine/lake/statistics.h"

#include "engine/catalogs/lake_fixture_test.h"
#include "lake/puffin.h"
#include "lake/theta_sketch.h"

namespace meesh::engine {
namespace {

using lake::TypeKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

lake::Field field_of(int id, const std::string& name, lake::Type type) {
  lake::Field field;
  field.id = id;
  field.name = name;
  field.type = std::move(type);
  return field;
}

class StatisticsTest : public LakeTest {
 protected:
  lake::Table table() { return catalog_->load({{"s"}, "t"}); }
  /// The newest sketch of the column, unpacked.
  std::string sketch(const std::string& column) {
    const auto found = table();
    const int id = lake::find_field(found.metadata->schema(), column)->id;
    const std::string file = files_->read(found.metadata->statistics.back().path);
    for (const auto& blob : lake::parse_puffin(file).blobs)
      if (blob.about.fields == std::vector{id}) return lake::unpacked(blob);
    return "none";
  }
  static std::string sketch_of(const lake::Type& type, const std::vector<lake::Value>& values) {
    lake::ThetaSketch sketch;
    for (const auto& value : values) sketch.add(lake::to_bytes(type, value));
    return sketch.compact();
  }
};

TEST_F(StatisticsTest, ValuesAreHashedInIcebergsForm) {
  run("CREATE TABLE t AS SELECT * FROM (VALUES "
      "(true, 1, BIGINT '2', REAL '1.5', 2.5E0, DECIMAL '3.25', DECIMAL '-12345678.50', "
      "DECIMAL '-17000000000000000000000000000000000000', DATE '2025-01-15', "
      "TIME '01:02:03.000004', TIMESTAMP '2025-01-15 10:11:12.000013', "
      "TIMESTAMP '2025-01-15 10:11:12.000013 UTC', 'é', "
      "UUID '82151fd2-7586-11e9-8f9e-2a86e4085a59', X'00ff'), "
      "(false, -1, BIGINT '-2', REAL '-1.5', -2.5E0, DECIMAL '-0.01', DECIMAL '0.00', "
      "DECIMAL '99999999999999999999999999999999999999', DATE '1969-12-31', "
      "TIME '00:00:00.000000', TIMESTAMP '1900-01-01 00:00:00.000000', "
      "TIMESTAMP '1900-01-01 00:00:00.000000 UTC', '', "
      "UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59', X''), "
      "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) "
      "AS v(b, i, l, r, d, dec, mid, wide, dt, tm, ts, tz, v, u, bin)");
  EXPECT_EQ(run("ANALYZE t").changed, std::nullopt);
  const auto found = table();
  ASSERT_THAT(found.metadata->statistics, SizeIs(1));
  EXPECT_THAT(found.metadata->statistics[0].blobs, SizeIs(15));
  const auto rows_of = [&](const std::string& column, const std::vector<lake::Value>& values) {
    const auto& type = lake::find_field(found.metadata->schema(), column)->type;
    EXPECT_EQ(sketch(column), sketch_of(type, values)) << column;
  };
  rows_of("b", {true, false});
  rows_of("i", {int64_t{1}, int64_t{-1}});
  rows_of("l", {int64_t{2}, int64_t{-2}});
  rows_of("r", {1.5, -1.5});
  rows_of("d", {2.5, -2.5});
  rows_of("dec", {lake::Int128{325}, lake::Int128{-1}});
  rows_of("mid", {lake::Int128{-1234567850}, lake::Int128{0}});
  lake::Int128 low = -17, high = 99;
  for (int i = 0; i < 36; ++i) low *= 10;
  for (int i = 0; i < 36; ++i) high = high * 10 + 9;
  rows_of("wide", {low, high});
  rows_of("dt", {int64_t{20103}, int64_t{-1}});
  rows_of("tm", {int64_t{3723000004}, int64_t{0}});
  rows_of("ts", {int64_t{1736935872000013}, int64_t{-2208988800000000}});
  rows_of("tz", {int64_t{1736935872000013}, int64_t{-2208988800000000}});
  rows_of("v", {std::string("é"), std::string()});
  const auto uuid = [](const std::string& text) {
    return lake::parse_value_json(lake::primitive_type(TypeKind::kUuid), '"' + text + '"');
  };
  rows_of("u", {uuid("82151fd2-7586-11e9-8f9e-2a86e4085a59"),
                uuid("12151fd2-7586-11e9-8f9e-2a86e4085a59")});
  rows_of("bin", {std::string("\0\xff", 2), std::string()});
}

TEST_F(StatisticsTest, ThreadsMakeOneSketch) {
  run("CREATE TABLE t AS SELECT a * 1000 + b AS id FROM UNNEST(sequence(0, 299)) AS s(a) "
      "CROSS JOIN UNNEST(sequence(1, 1000)) AS u(b)");
  run("ANALYZE t");
  std::vector<lake::Value> values;
  for (int64_t i = 1; i <= 300'000; ++i) values.emplace_back(i);
  EXPECT_EQ(sketch("id"), sketch_of(lake::primitive_type(TypeKind::kLong), values));
}

TEST_F(StatisticsTest, RightsAreThoseOfTheTable) {
  run("CREATE TABLE t AS SELECT 1 AS id");
  const auto error_of = [&](const std::string& text, const std::string& user) -> std::string {
    try {
      run(text, user);
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  };
  EXPECT_THAT(error_of("ANALYZE t", "reader"), HasSubstr("reader may not do s3:PutObject"));
  EXPECT_THAT(error_of("ALTER TABLE t EXECUTE drop_extended_stats", "reader"),
              HasSubstr("reader may not do s3:PutObject"));
  EXPECT_EQ(error_of("SHOW STATS FOR t", "reader"), "no error");
  EXPECT_THAT(error_of("SHOW STATS FOR t", "nobody"), HasSubstr("nobody may not do s3:GetObject"));
  EXPECT_THAT(table().metadata->statistics, IsEmpty());
}

TEST(ShownStatistics, NumbersLookAsJavaWritesThem) {
  const auto doubles = [](std::vector<double> values) {
    std::vector<std::string> texts;
    for (const double value : values) texts.push_back(java_text(value));
    return texts;
  };
  EXPECT_THAT(doubles({0, -0.0, 1, -1.5, 100, 12345.678, 9999999, 1e7, 1.5e10, -1e300}),
              ElementsAre("0.0", "-0.0", "1.0", "-1.5", "100.0", "12345.678", "9999999.0", "1.0E7",
                          "1.5E10", "-1.0E300"));
  EXPECT_THAT(doubles({0.1, 0.001, 0.00123, 0.000999, 1e-5, 1.5e-300}),
              ElementsAre("0.1", "0.001", "0.00123", "9.99E-4", "1.0E-5", "1.5E-300"));
  EXPECT_EQ(java_text(0.1F), "0.1");
  EXPECT_EQ(java_text(16777216.0F), "1.6777216E7");
}

TEST(ShownStatistics, NumbersAgreeWithEachOther) {
  lake::Schema schema;
  schema.fields = {field_of(1, "Id", lake::primitive_type(TypeKind::kLong)),
                   field_of(2, "name", lake::primitive_type(TypeKind::kString)),
                   field_of(3, "fix", lake::fixed_type(16)),
                   field_of(4, "unknown", lake::primitive_type(TypeKind::kDouble)),
                   field_of(5, "at", lake::primitive_type(TypeKind::kTimestampTz))};
  lake::TableSummary summary;
  summary.files = 1;
  summary.records = 10;
  summary.columns[1] = {80, 0, int64_t{4}, int64_t{6}};
  summary.columns[2] = {100, 4, std::string("a"), std::string("z")};
  summary.columns[3] = {160, 10, {}, {}};
  summary.columns[5] = {80, 0, int64_t{-1}, int64_t{1'500}};
  const auto shown = shown_statistics(schema, summary, {{1, 8}, {2, 8}, {5, 50}});
  ASSERT_THAT(shown.columns, SizeIs(5));
  EXPECT_EQ(shown.rows, 10);
  const auto& id = shown.columns[0];
  EXPECT_EQ(id.name, "id");
  EXPECT_EQ(id.distinct_values, 3);  // 4, 5 and 6
  EXPECT_EQ(id.data_size, std::nullopt);
  EXPECT_EQ(id.low, "4");
  EXPECT_EQ(id.high, "6");
  const auto& name = shown.columns[1];
  EXPECT_EQ(name.distinct_values, 7);  // 8 in 6 rows: the truth is assumed to be in the middle
  EXPECT_DOUBLE_EQ(*name.nulls_fraction, 0.3);
  EXPECT_DOUBLE_EQ(*name.data_size, 270.0 / 6 * 7);
  EXPECT_EQ(name.low, std::nullopt);
  const auto& fix = shown.columns[2];
  EXPECT_EQ(fix.nulls_fraction, 1);
  EXPECT_EQ(fix.data_size, 0);
  EXPECT_EQ(fix.distinct_values, std::nullopt);
  const auto& unknown = shown.columns[3];
  EXPECT_EQ(unknown.nulls_fraction, std::nullopt);
  EXPECT_EQ(unknown.distinct_values, std::nullopt);
  EXPECT_EQ(unknown.high, std::nullopt);
  const auto& at = shown.columns[4];
  EXPECT_EQ(at.distinct_values, 10);
  EXPECT_EQ(at.low, "1969-12-31 23:59:59.999 UTC");
  EXPECT_EQ(at.high, "1970-01-01 00:00:00.001 UTC");
}

}  // namespace
}  // namespace meesh::engine
