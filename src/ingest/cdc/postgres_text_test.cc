#include "ingest/cdc/postgres_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meesh::ingest {
namespace {

constexpr int64_t kDay = 86'400'000'000;

std::string shown(const std::optional<engine::Int128>& value) {
  if (!value) return "none";
  const auto wide = static_cast<__int128>(
      (static_cast<unsigned __int128>(static_cast<uint64_t>(value->high)) << 64) | value->low);
  if (wide == 0) return "0";
  std::string digits;
  for (auto rest = wide < 0 ? -wide : wide; rest > 0; rest /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  return (wide < 0 ? "-" : "") + digits;
}

TEST(PostgresText, Dates) {
  EXPECT_EQ(read_postgres_date("1970-01-01"), 0);
  EXPECT_EQ(read_postgres_date("2000-02-29"), 11016);
  EXPECT_EQ(read_postgres_date("0001-01-01"), -719162);
  EXPECT_EQ(read_postgres_date("0001-12-31 BC"), -719163);
  EXPECT_EQ(read_postgres_date("12345-01-01"), 3789391);
  EXPECT_EQ(read_postgres_date("infinity"), INT32_MAX);
  for (const char* wrong : {"", "2000-13-01", "2000-1-1", "2000-01-01x", "x", "0000-01-01"})
    EXPECT_FALSE(read_postgres_date(wrong)) << wrong;
}

TEST(PostgresText, TimesAndMoments) {
  EXPECT_EQ(read_postgres_time("23:59:59.5"), kDay - 500'000);
  EXPECT_EQ(read_postgres_time("24:00:00"), kDay);
  EXPECT_EQ(read_postgres_timestamp("1970-01-02 00:00:00.000001"), kDay + 1);
  EXPECT_EQ(read_postgres_timestamp("1970-01-01 05:30:00+05:30"), 0);
  EXPECT_EQ(read_postgres_timestamp("1970-01-01 00:00:00-01"), 3'600'000'000);
  EXPECT_EQ(read_postgres_timestamp("1969-12-31 23:59:59.999999+00"), -1);
  EXPECT_EQ(read_postgres_timestamp("0001-12-31 00:00:00+00 BC"), -719163 * kDay);
  EXPECT_EQ(read_postgres_timestamp("-infinity"), -INT64_MAX);
  for (const char* wrong : {"1970-01-01", "1970-01-01 1:00:00", "1970-01-01 00:00:00.1234567", ""})
    EXPECT_FALSE(read_postgres_timestamp(wrong)) << wrong;
}

TEST(PostgresText, Decimals) {
  EXPECT_EQ(shown(read_postgres_decimal("-12.345", 12, 3)), "-12345");
  EXPECT_EQ(shown(read_postgres_decimal("1.005", 12, 2)), "101");
  EXPECT_EQ(shown(read_postgres_decimal("0.9996", 3, 3)), "none");
  EXPECT_EQ(shown(read_postgres_decimal(".5", 3, 1)), "5");
  EXPECT_EQ(shown(read_postgres_decimal("99999999999999999999999999999999999999", 38, 0)),
            "99999999999999999999999999999999999999");
  for (const char* wrong :
       {"NaN", "Infinity", "", "-", "1e5", "100000000000000000000000000000000000000"})
    EXPECT_EQ(shown(read_postgres_decimal(wrong, 38, 0)), "none") << wrong;
}

TEST(PostgresText, Arrays) {
  const auto json = [](const char* text, const char* element, int dimensions) {
    return read_postgres_array(text, sql::Type::parse(element), dimensions).value_or("none");
  };
  EXPECT_EQ(json("{}", "bigint", 2), "[]");
  EXPECT_EQ(json("{1,NULL,-3}", "bigint", 1), "[1,null,-3]");
  EXPECT_EQ(json("[2:3]={t,f}", "boolean", 1), "[true,false]");
  EXPECT_EQ(json("{{1,2},{3,4}}", "bigint", 2), "[[1,2],[3,4]]");
  EXPECT_EQ(json(R"({a,"b,\"c\\","NULL",""})", "varchar", 1), R"(["a","b,\"c\\","NULL",""])");
  for (const char* wrong : {"", "{", "{1", "{1,}", "{{1}}", "1", "{1}x", "{a}"})
    EXPECT_EQ(json(wrong, "bigint", 1), "none") << wrong;
}

TEST(PostgresText, RowsOfCopy) {
  std::vector<pgoutput::Cell> cells;
  std::string unescaped;
  split_copy_row("1\t\\N\t\ta\\tb\\\\c\\n\n", cells, unescaped);
  ASSERT_EQ(cells.size(), 4);
  EXPECT_EQ(cells[0].text, "1");
  EXPECT_EQ(cells[1].kind, pgoutput::Cell::Kind::kNull);
  EXPECT_EQ(cells[2].kind, pgoutput::Cell::Kind::kText);
  EXPECT_EQ(cells[3].text, "a\tb\\c\n");
}

TEST(PostgresText, UuidsAndBytes) {
  EXPECT_TRUE(read_postgres_uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"));
  EXPECT_FALSE(read_postgres_uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1x"));
  EXPECT_EQ(read_postgres_bytes("\\x00ff"), std::string("\0\xff", 2));
  EXPECT_FALSE(read_postgres_bytes("00ff"));
}

}  // namespace
}  // namespace meesh::ingest
