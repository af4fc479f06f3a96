#include "serve/trino/value_encoder.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/calendar.h"
#include "serve/trino/fakes_test.h"

namespace meesh::serve::trino {
namespace {

using engine::Int128;
using engine::Interval;
using engine::Layout;
using engine::ListEntry;
using sql::Type;
using sql::TypeKind;

/// The cells of a column, joined by spaces.
std::string cells(const FakeColumn& column, size_t rows,
                  DateTimes date_times = DateTimes::kParametric, const char* zone = "UTC") {
  ValueEncoder encoder(column.view.type, date_times, TimeZone::find(zone));
  encoder.begin(column.view);
  JsonText out;
  for (size_t row = 0; row < rows; ++row) {
    if (row > 0) out.raw(' ');
    encoder.write(column.view, row, out);
  }
  return out.str();
}

template <class T>
std::string cell(TypeKind kind, Layout layout, T value, int precision = 0,
                 DateTimes date_times = DateTimes::kParametric) {
  return cells(FakeColumn::of<T>(Type::of(kind, precision), layout, {value}), 1, date_times);
}

std::string real(double value) { return cell(TypeKind::kDouble, Layout::kDouble, value); }
std::string text(std::string value) {
  return cells(FakeColumn::strings(Type::varchar(), {std::move(value)}), 1);
}

TEST(ValueEncoder, Integers) {
  EXPECT_EQ(cells(FakeColumn::of<int64_t>(Type::of(TypeKind::kBigint), Layout::kInt64,
                                          {std::numeric_limits<int64_t>::min(), std::nullopt,
                                           std::numeric_limits<int64_t>::max()}),
                  3),
            "-9223372036854775808 null 9223372036854775807");
  EXPECT_EQ(cell<int32_t>(TypeKind::kInteger, Layout::kInt32, -7), "-7");
  EXPECT_EQ(cell<int16_t>(TypeKind::kSmallint, Layout::kInt16, 32767), "32767");
  EXPECT_EQ(cell<int8_t>(TypeKind::kTinyint, Layout::kInt8, -128), "-128");
  EXPECT_EQ(cells(FakeColumn::booleans({1, 0, std::nullopt}), 3), "true false null");
  EXPECT_EQ(cells(FakeColumn::of<int32_t>(Type::of(TypeKind::kUnknown), Layout::kInt32,
                                          {std::nullopt, 5}),
                  2),
            "null null");
}

TEST(ValueEncoder, FloatingPointIsNeverAnIntegerToken) {
  EXPECT_EQ(real(1), "1.0");
  EXPECT_EQ(real(-0.0), "-0.0");
  EXPECT_EQ(real(0.1), "0.1");
  EXPECT_EQ(real(1e22), "1e+22");
  EXPECT_EQ(real(123456789), "123456789.0");
  EXPECT_EQ(real(5e-324), "5e-324");
  EXPECT_EQ(real(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(real(std::numeric_limits<double>::quiet_NaN()), "\"NaN\"");
  EXPECT_EQ(real(std::numeric_limits<double>::infinity()), "\"Infinity\"");
  EXPECT_EQ(real(-std::numeric_limits<double>::infinity()), "\"-Infinity\"");
  EXPECT_EQ(cell(TypeKind::kReal, Layout::kFloat, 0.1f), "0.1");
  EXPECT_EQ(cell(TypeKind::kReal, Layout::kFloat, 16777216.0f), "1.6777216e+07");
}

TEST(ValueEncoder, Decimals) {
  const auto decimal = [](auto value, Layout layout, int precision, int scale) {
    return cells(FakeColumn::of<decltype(value)>(Type::decimal(precision, scale), layout, {value}),
                 1);
  };
  EXPECT_EQ(decimal(int16_t{-5}, Layout::kInt16, 4, 2), "\"-0.05\"");
  EXPECT_EQ(decimal(int32_t{123456}, Layout::kInt32, 9, 3), "\"123.456\"");
  EXPECT_EQ(decimal(int64_t{0}, Layout::kInt64, 18, 0), "\"0\"");
  EXPECT_EQ(decimal(int64_t{0}, Layout::kInt64, 18, 4), "\"0.0000\"");
  EXPECT_EQ(decimal(int64_t{-999999999999999999}, Layout::kInt64, 18, 18),
            "\"-0.999999999999999999\"");
  // 10^38 - 1 and its negation.
  EXPECT_EQ(decimal(Int128{0x098A223FFFFFFFFF, 0x4B3B4CA85A86C47A}, Layout::kInt128, 38, 0),
            "\"99999999999999999999999999999999999999\"");
  EXPECT_EQ(decimal(Int128{~uint64_t{0x098A223FFFFFFFFF} + 1, ~int64_t{0x4B3B4CA85A86C47A}},
                    Layout::kInt128, 38, 10),
            "\"-9999999999999999999999999999.9999999999\"");
  EXPECT_EQ(decimal(Int128{~uint64_t{0}, -1}, Layout::kInt128, 20, 2), "\"-0.01\"");
}

TEST(ValueEncoder, Strings) {
  EXPECT_EQ(text(""), "\"\"");
  EXPECT_EQ(text("plain and a good deal longer than twelve"),
            "\"plain and a good deal longer than twelve\"");
  EXPECT_EQ(text("a\"b\\c/d\n\r\t\b\f\x01\x1f\x7f"),
            "\"a\\\"b\\\\c/d\\n\\r\\t\\b\\f\\u0001\\u001f\x7f\"");
  EXPECT_EQ(text(std::string("nul\0nul", 7)), "\"nul\\u0000nul\"");
  EXPECT_EQ(text("été 日本 😀"), "\"été 日本 😀\"");
  EXPECT_EQ(cells(FakeColumn::strings(Type::of(TypeKind::kChar, 5), {"ab   "}), 1), "\"ab   \"");
  EXPECT_EQ(cells(FakeColumn::strings(Type::of(TypeKind::kJson), {"{\"a\":1}"}), 1),
            "\"{\\\"a\\\":1}\"");
  const std::string address("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
  EXPECT_EQ(cells(FakeColumn::strings(Type::of(TypeKind::kIpaddress), {address}), 1),
            "\"2001:db8::1\"");
}

TEST(ValueEncoder, InvalidUtf8BecomesReplacementCharacters) {
  EXPECT_EQ(text("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(text("\xC3"), "\"\xEF\xBF\xBD\"");                                  // cut short
  EXPECT_EQ(text("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // overlong
  EXPECT_EQ(text("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // surrogate
  EXPECT_EQ(text("\xF4\x90\x80\x80"),
            "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // beyond U+10FFFF
  EXPECT_EQ(text("\xE2\x82"
                 "12345678"),
            "\"\xEF\xBF\xBD\xEF\xBF\xBD"
            "12345678\"");
}

TEST(ValueEncoder, Varbinary) {
  const auto binary = [](std::string bytes) {
    return cells(FakeColumn::strings(Type::of(TypeKind::kVarbinary), {std::move(bytes)}), 1);
  };
  EXPECT_EQ(binary(""), "\"\"");
  EXPECT_EQ(binary("A"), "\"QQ==\"");
  EXPECT_EQ(binary("AB"), "\"QUI=\"");
  EXPECT_EQ(binary("ABC"), "\"QUJD\"");
  EXPECT_EQ(binary("\xFF\xFE\xFD\xFC"), "\"//79/A==\"");
}

TEST(ValueEncoder, Dates) {
  const auto date = [](int32_t days) { return cell(TypeKind::kDate, Layout::kInt32, days); };
  EXPECT_EQ(date(0), "\"1970-01-01\"");
  EXPECT_EQ(date(-1), "\"1969-12-31\"");
  EXPECT_EQ(date(11016), "\"2000-02-29\"");
  EXPECT_EQ(date(2932896), "\"9999-12-31\"");
  EXPECT_EQ(date(2932897), "\"+10000-01-01\"");
  EXPECT_EQ(date(-719528), "\"0000-01-01\"");
  EXPECT_EQ(date(-719529), "\"-0001-12-31\"");
  for (int64_t days = -1000000; days < 1000000; days += 997) {
    const auto civil = civil_from_days(days);
    EXPECT_EQ(days_from_civil(civil.year, civil.month, civil.day), days);
  }
}

TEST(ValueEncoder, Times) {
  const int64_t micros = 3723004567;  // 01:02:03.004567
  const auto time = [&](int precision, DateTimes d = DateTimes::kParametric) {
    const int64_t unit = precision > 6 ? 1000000 : 1;  // finer times count picoseconds
    return cell(TypeKind::kTime, Layout::kInt64, micros * unit, precision, d);
  };
  EXPECT_EQ(time(0), "\"01:02:03\"");
  EXPECT_EQ(time(3), "\"01:02:03.004\"");
  EXPECT_EQ(time(6), "\"01:02:03.004567\"");
  EXPECT_EQ(time(9), "\"01:02:03.004567000\"");
  EXPECT_EQ(time(12), "\"01:02:03.004567000000\"");
  EXPECT_EQ(time(6, DateTimes::kMilliseconds), "\"01:02:03.005\"");
  EXPECT_EQ(
      cell(TypeKind::kTime, Layout::kInt64, int64_t{86399999999}, 6, DateTimes::kMilliseconds),
      "\"00:00:00.000\"");
  const auto zoned = [](int64_t offset) {
    const auto bits = uint64_t{3723000000} << 24 | static_cast<uint64_t>(57599 - offset);
    return cell(TypeKind::kTimeTz, Layout::kInt64, bits, 3);
  };
  EXPECT_EQ(zoned(3600), "\"01:02:03.000+01:00\"");
  EXPECT_EQ(zoned(-5 * 3600 - 1800), "\"01:02:03.000-05:30\"");
  EXPECT_EQ(zoned(0), "\"01:02:03.000+00:00\"");
}

TEST(ValueEncoder, Timestamps) {
  const int64_t micros = 1577836800123567;  // 2020-01-01 00:00:00.123567
  const auto timestamp = [&](int64_t value, int precision, DateTimes d = DateTimes::kParametric) {
    return cell(TypeKind::kTimestamp, Layout::kInt64, value, precision, d);
  };
  EXPECT_EQ(timestamp(micros, 0), "\"2020-01-01 00:00:00\"");
  EXPECT_EQ(timestamp(micros, 3), "\"2020-01-01 00:00:00.123\"");
  EXPECT_EQ(timestamp(micros, 6), "\"2020-01-01 00:00:00.123567\"");
  EXPECT_EQ(timestamp(1577836800123456789, 9), "\"2020-01-01 00:00:00.123456789\"");
  EXPECT_EQ(timestamp(1577836800123456700, 7), "\"2020-01-01 00:00:00.1234567\"");
  EXPECT_EQ(timestamp(-1, 6), "\"1969-12-31 23:59:59.999999\"");
  EXPECT_EQ(timestamp(micros, 6, DateTimes::kMilliseconds), "\"2020-01-01 00:00:00.124\"");
  EXPECT_EQ(timestamp(1577836800123456, 0, DateTimes::kMilliseconds),
            "\"2020-01-01 00:00:00.123\"");
  EXPECT_EQ(timestamp(-1, 6, DateTimes::kMilliseconds), "\"1970-01-01 00:00:00.000\"");
  EXPECT_EQ(timestamp(-1, 9, DateTimes::kMilliseconds), "\"1970-01-01 00:00:00.000\"");
}

TEST(ValueEncoder, TimestampsWithTimeZone) {
  auto column = FakeColumn::of<int64_t>(Type::of(TypeKind::kTimestampTz, 3), Layout::kInt64,
                                        {1577836800123000, 1593561600000000, std::nullopt, -1});
  EXPECT_EQ(cells(column, 4),
            "\"2020-01-01 00:00:00.123 UTC\" \"2020-07-01 00:00:00.000 UTC\" null "
            "\"1969-12-31 23:59:59.999 UTC\"");
  EXPECT_EQ(cells(column, 2, DateTimes::kParametric, "Europe/Paris"),
            "\"2020-01-01 01:00:00.123 Europe/Paris\" \"2020-07-01 02:00:00.000 Europe/Paris\"");
  column.view.zone = "America/New_York";
  EXPECT_EQ(cells(column, 2, DateTimes::kParametric, "Europe/Paris"),
            "\"2019-12-31 19:00:00.123 America/New_York\" "
            "\"2020-06-30 20:00:00.000 America/New_York\"");
  column.view.zone = "+05:30";
  EXPECT_EQ(cells(column, 1), "\"2020-01-01 05:30:00.123 +05:30\"");
}

TEST(ValueEncoder, Intervals) {
  const auto months = [](int32_t value) {
    return cell(TypeKind::kIntervalYearToMonth, Layout::kInterval, Interval{value, 0, 0});
  };
  EXPECT_EQ(months(14), "\"1-2\"");
  EXPECT_EQ(months(-14), "\"-1-2\"");
  EXPECT_EQ(months(0), "\"0-0\"");
  EXPECT_EQ(months(std::numeric_limits<int32_t>::min()), "\"-178956970-8\"");
  const auto days = [](int32_t d, int64_t micros) {
    return cell(TypeKind::kIntervalDayToSecond, Layout::kInterval, Interval{0, d, micros});
  };
  EXPECT_EQ(days(1, 7384005000), "\"1 02:03:04.005\"");
  EXPECT_EQ(days(-1, -7384005000), "\"-1 02:03:04.005\"");
  EXPECT_EQ(days(0, 90061001000), "\"1 01:01:01.001\"");
  EXPECT_EQ(days(1, -1000), "\"0 23:59:59.999\"");
}

TEST(ValueEncoder, Uuid) {
  EXPECT_EQ(cell(TypeKind::kUuid, Layout::kInt128,
                 Int128{0x8A0B1C2D3E4F5061,
                        static_cast<int64_t>(0x12151FD2758649AFu | uint64_t{1} << 63)}),
            "\"12151fd2-7586-49af-8a0b-1c2d3e4f5061\"");
  EXPECT_EQ(cell(TypeKind::kUuid, Layout::kInt128, Int128{0, 0}),
            "\"80000000-0000-0000-0000-000000000000\"");
}

FakeColumn integers(std::vector<std::optional<int32_t>> values) {
  return FakeColumn::of<int32_t>(Type::of(TypeKind::kInteger), Layout::kInt32, std::move(values));
}

TEST(ValueEncoder, Arrays) {
  const auto type = Type::array(Type::of(TypeKind::kInteger));
  const auto column =
      FakeColumn::lists(type, integers({1, std::nullopt, 3}),
                        {ListEntry{0, 2}, ListEntry{2, 0}, std::nullopt, ListEntry{2, 1}});
  EXPECT_EQ(cells(column, 4), "[1,null] [] null [3]");
  EXPECT_EQ(cells(FakeColumn::lists(Type::array(type), column, {ListEntry{1, 3}}), 1),
            "[[],null,[3]]");
}

TEST(ValueEncoder, Rows) {
  const auto type = Type::row({"x", ""}, {Type::of(TypeKind::kInteger), Type::varchar()});
  const auto column = FakeColumn::rows(
      type,
      {integers({1, std::nullopt}), FakeColumn::strings(Type::varchar(), {"a", std::nullopt})});
  EXPECT_EQ(cells(column, 2), "[1,\"a\"] [null,null]");
}

TEST(ValueEncoder, MapKeysAreStrings) {
  const auto map = [](FakeColumn keys, FakeColumn values, uint64_t length) {
    const Type pair = Type::row({"key", "value"}, {keys.view.type, values.view.type});
    const Type type = Type::map(keys.view.type, values.view.type);
    std::vector<FakeColumn> fields;
    fields.push_back(std::move(keys));
    fields.push_back(std::move(values));
    return cells(
        FakeColumn::lists(type, FakeColumn::rows(pair, std::move(fields)), {ListEntry{0, length}}),
        1);
  };
  EXPECT_EQ(map(integers({1, 2}), integers({10, std::nullopt}), 2), "{\"1\":10,\"2\":null}");
  EXPECT_EQ(map(FakeColumn::strings(Type::varchar(), {"a\"b"}), integers({1}), 1),
            "{\"a\\\"b\":1}");
  EXPECT_EQ(map(FakeColumn::booleans({1}), integers({1}), 1), "{\"true\":1}");
  EXPECT_EQ(map(FakeColumn::of<double>(Type::of(TypeKind::kDouble), Layout::kDouble,
                                       {0.5, std::numeric_limits<double>::quiet_NaN()}),
                integers({1, 2}), 2),
            "{\"0.5\":1,\"NaN\":2}");
  EXPECT_EQ(map(FakeColumn::of<int32_t>(Type::of(TypeKind::kDate), Layout::kInt32, {0}),
                integers({1}), 1),
            "{\"1970-01-01\":1}");
  EXPECT_EQ(map(FakeColumn::lists(Type::array(Type::of(TypeKind::kInteger)), integers({1, 2}),
                                  {ListEntry{0, 2}}),
                integers({7}), 1),
            "{\"[1, 2]\":7}");
  EXPECT_EQ(map(integers({}), integers({}), 0), "{}");
}

TEST(ValueEncoder, DateTimesInsideAreRoundedToo) {
  const auto element = FakeColumn::of<int64_t>(Type::of(TypeKind::kTimestamp, 6), Layout::kInt64,
                                               {1577836800123567});
  const auto column = FakeColumn::lists(Type::array(element.view.type), element, {ListEntry{0, 1}});
  EXPECT_EQ(cells(column, 1), "[\"2020-01-01 00:00:00.123567\"]");
  EXPECT_EQ(cells(column, 1, DateTimes::kMilliseconds), "[\"2020-01-01 00:00:00.124\"]");
}

}  // namespace
}  // namespace meesh::serve::trino
