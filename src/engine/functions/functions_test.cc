// Printed-style SQL over the registered functions: value and Trino type of each expression.
#include <gtest/gtest.h>

#include "base/error.h"
#include "duckdb.hpp"
#include "engine/duck.h"
#include "engine/duck_types.h"
#include "sql/sql.h"

namespace meesh::engine {
namespace {

class Session {
 public:
  Session() : db_(nullptr), connection_(db_) {
    register_functions(*db_.instance);
    connection_.Query("SET TimeZone = 'UTC'");
  }
  duckdb::unique_ptr<duckdb::MaterializedQueryResult> run(const std::string& sql) {
    return connection_.Query(sql);
  }

 private:
  duckdb::DuckDB db_;
  duckdb::Connection connection_;
};

Session& session() {
  static auto* made = new Session;
  return *made;
}

/// "type | value" of the only cell, or "CODE: message".
std::string evaluate(const std::string& sql) {
  auto result = session().run(sql);
  if (result->HasError()) {
    const Error error = translate(result->GetErrorObject());
    return std::string(code_name(error.code())) + ": " + error.message();
  }
  return from_duckdb(result->types[0]).display() + " | " + result->GetValue(0, 0).ToString();
}

struct Case {
  const char* expression;
  const char* expected;
};

void check(std::initializer_list<Case> cases) {
  for (auto& [expression, expected] : cases) {
    const std::string sql = std::string_view(expression).starts_with("SELECT")
                                ? expression
                                : "SELECT " + std::string(expression);
    EXPECT_EQ(evaluate(sql), expected) << sql;
  }
}

TEST(Arithmetic, Integers) {
  check({
      {"trino_divide(7, 2)", "integer | 3"},
      {"trino_divide(-7, 2)", "integer | -3"},
      {"trino_divide(7::BIGINT, i) FROM (VALUES (2)) t(i)", "bigint | 3"},
      {"trino_divide(7, i) FROM (VALUES (0)) t(i)", "DIVISION_BY_ZERO: Division by zero"},
      {"trino_divide(1, 0)", "DIVISION_BY_ZERO: Division by zero"},
      {"trino_modulus(7, 0)", "DIVISION_BY_ZERO: Division by zero"},
      {"trino_modulus(-7, 2)", "integer | -1"},
      {"trino_add(1, 2::BIGINT)", "bigint | 3"},
      {"trino_add(1::TINYINT, 2::TINYINT)", "tinyint | 3"},
      {"trino_add(1, NULL)", "integer | NULL"},
      {"trino_add(i, 1) FROM (VALUES (2147483647)) t(i)",
       "NUMERIC_VALUE_OUT_OF_RANGE: integer addition overflow: 2147483647 + 1"},
      {"trino_multiply(i, 2::BIGINT) FROM (VALUES (9223372036854775807)) t(i)",
       "NUMERIC_VALUE_OUT_OF_RANGE: bigint multiplication overflow: 9223372036854775807 * 2"},
      {"trino_negate(i) FROM (VALUES ((-2147483648)::INTEGER)) t(i)",
       "NUMERIC_VALUE_OUT_OF_RANGE: integer negation overflow: -2147483648"},
      {"trino_negate(5)", "integer | -5"},
      {"trino_add(1, 'a'::VARCHAR)", "TYPE_MISMATCH: Cannot apply operator: integer + varchar"},
      {"trino_negate('a'::VARCHAR)", "TYPE_MISMATCH: Cannot negate varchar"},
  });
}

TEST(Arithmetic, Floating) {
  check({
      {"trino_divide(1e0::DOUBLE, 0)", "double | inf"},
      {"trino_divide(1::REAL, 2)", "real | 0.5"},
      {"trino_add(1.5::DECIMAL(2,1), 1::DOUBLE)", "double | 2.5"},
      {"trino_add(1::REAL, 1.5::DECIMAL(2,1))", "real | 2.5"},
  });
}

TEST(Arithmetic, Decimals) {
  check({
      {"trino_divide(1.0::DECIMAL(2,1), 3::DECIMAL(1,0))", "decimal(2,1) | 0.3"},
      {"trino_divide(10::DECIMAL(10,2), 3::DECIMAL(10,2))", "decimal(12,2) | 3.33"},
      {"trino_divide(2::DECIMAL(10,2), 3::DECIMAL(10,2))", "decimal(12,2) | 0.67"},
      {"trino_divide(-2::DECIMAL(10,2), 3::DECIMAL(10,2))", "decimal(12,2) | -0.67"},
      {"trino_divide(1::DECIMAL(5,2), 0::DECIMAL(5,2))", "DIVISION_BY_ZERO: Division by zero"},
      {"trino_add(1.5::DECIMAL(3,1), 2.25::DECIMAL(5,2))", "decimal(6,2) | 3.75"},
      {"trino_subtract(1.5::DECIMAL(3,1), 1)", "decimal(12,1) | 0.5"},
      {"trino_multiply(1.5::DECIMAL(3,1), 2.25::DECIMAL(5,2))", "decimal(8,3) | 3.375"},
      {"trino_multiply(-999999999999999.99::DECIMAL(17,2), 99.99::DECIMAL(4,2))",
       "decimal(21,4) | -99989999999999999.0001"},
      {"trino_multiply(1.5::DECIMAL(3,1), -12345678901234567890.5::DECIMAL(21,1))",
       "decimal(24,2) | -18518518351851851835.75"},
      {"trino_multiply(12345678901234567890::DECIMAL(20,0), 3::DECIMAL(18,0))",
       "decimal(38,0) | 37037036703703703670"},
      {"trino_multiply(-10000000000000000000::DECIMAL(20,0), -10000000000000000000::DECIMAL(20,0))",
       "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow"},
      {"trino_multiply(-10000000000000000000::DECIMAL(20,0), 9999999999999999999::DECIMAL(19,0))",
       "decimal(38,0) | -99999999999999999990000000000000000000"},
      {"trino_multiply(99999999999999999999999999999999999999::DECIMAL(38,0), 10)",
       "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow"},
      {"trino_multiply(99999999999999999999999999999999999999::DECIMAL(38,0), -1)",
       "decimal(38,0) | -99999999999999999999999999999999999999"},
      {"trino_multiply(99999999999999999999999999999999999999::DECIMAL(38,0), 0)",
       "decimal(38,0) | 0"},
      {"trino_modulus(7.5::DECIMAL(3,1), 2::DECIMAL(1,0))", "decimal(2,1) | 1.5"},
      {"trino_add(99999999999999999999999999999999999999::DECIMAL(38,0), 1)",
       "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow"},
      {"trino_divide(12345678901234567890123456789012345678::DECIMAL(38,0), 0.1::DECIMAL(38,38))",
       "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow"},
      {"trino_divide(1::DECIMAL(38,37), 3::DECIMAL(38,37))",
       "decimal(38,37) | 0.3333333333333333333333333333333333333"},
  });
}

TEST(Arithmetic, DatesAndIntervals) {
  check({
      {"trino_add(DATE '2024-01-31', trino_interval_year_month(1))", "date | 2024-02-29"},
      {"trino_add(DATE '2024-01-31', trino_interval_day_time(86400000000))", "date | 2024-02-01"},
      {"trino_subtract(DATE '2024-03-01', trino_interval_day_time(86400000000))",
       "date | 2024-02-29"},
      {"trino_add(DATE '2024-01-31', trino_interval_day_time(3600000000))",
       "INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date"},
      {"trino_cast(trino_subtract(DATE '2024-03-01', DATE '2024-02-01'), 'varchar')",
       "varchar | 29 00:00:00.000"},
      {"trino_subtract(DATE '2024-03-01', DATE '2024-02-01')", "interval day to second | 29 days"},
      {"trino_add(trino_cast('2024-01-31 10:00:00'::VARCHAR, 'timestamp(0)'), "
       "trino_interval_year_month(1))",
       "timestamp(0) | 2024-02-29 10:00:00"},
      {"trino_add(trino_cast('2024-01-31 10:00:00'::VARCHAR, 'timestamp(0)'), "
       "trino_interval_day_time(1500000))",
       "timestamp(3) | 2024-01-31 10:00:01.5"},
      {"trino_cast(trino_subtract(TIMESTAMP '2024-01-02 01:00:00', TIMESTAMP '2024-01-01 "
       "00:00:00'), 'varchar')",
       "varchar | 1 01:00:00.000"},
      {"trino_cast(trino_multiply(trino_interval_day_time(1000000), 90), 'varchar')",
       "varchar | 0 00:01:30.000"},
      {"trino_cast(trino_negate(trino_interval_year_month(14)), 'varchar')", "varchar | -1-2"},
      {"trino_add(trino_cast('2024-01-01 00:00:00.123456789'::VARCHAR, 'timestamp(9)'), "
       "trino_interval_day_time(1000000))",
       "timestamp(9) | 2024-01-01 00:00:01.123456789"},
  });
}

TEST(Comparisons, Types) {
  check({
      {"trino_eq(1, '1'::VARCHAR)", "TYPE_MISMATCH: Cannot apply operator: integer = varchar"},
      {"trino_lt(DATE '2020-01-01', '2020-01-01'::VARCHAR)",
       "TYPE_MISMATCH: Cannot apply operator: date < varchar"},
      {"trino_eq(1, 1::BIGINT)", "boolean | true"},
      {"trino_eq(1, 1.0::DECIMAL(2,1))", "boolean | true"},
      {"trino_lt(1, 1.5e0::DOUBLE)", "boolean | true"},
      {"trino_eq(1, NULL)", "boolean | NULL"},
      {"trino_eq(trino_cast('a'::VARCHAR, 'char(5)'), 'a'::VARCHAR)", "boolean | true"},
      {"trino_eq(trino_cast('a'::VARCHAR, 'varchar(5)'), 'a'::VARCHAR)", "boolean | true"},
      {"trino_ge(TIMESTAMP '2020-01-01 00:00:00', DATE '2020-01-01')", "boolean | true"},
      {"trino_in(2, 1, 2::BIGINT)", "boolean | true"},
      {"trino_in(2, 1, NULL)", "boolean | NULL"},
      {"trino_in(2, 'a'::VARCHAR)",
       "TYPE_MISMATCH: IN value and list items must be the same type or coercible to a common "
       "type. Cannot "
       "find common type between integer and varchar"},
      {"trino_between(2, 1, 3.5::DECIMAL(2,1))", "boolean | true"},
      {"trino_between(2, 'a'::VARCHAR, 3)",
       "TYPE_MISMATCH: Cannot check if integer is BETWEEN varchar and integer"},
      {"trino_like('a%b'::VARCHAR, 'a#%b'::VARCHAR, '#'::VARCHAR)", "boolean | true"},
      {"trino_like('abc'::VARCHAR, 'a%'::VARCHAR)", "boolean | true"},
      {"trino_like(1, 'a%'::VARCHAR)",
       "TYPE_MISMATCH: Left side of LIKE expression must evaluate to a varchar (actual: integer)"},
  });
}

TEST(Comparisons, JoinsHashAndFiltersPushDown) {
  session().run(
      "CREATE OR REPLACE TEMP TABLE a AS SELECT i::INTEGER x, i::VARCHAR s FROM range(10) t(i)");
  session().run("CREATE OR REPLACE TEMP TABLE b AS SELECT i::BIGINT x FROM range(10) t(i)");
  auto plan = [](const std::string& sql) {
    return session().run("EXPLAIN " + sql)->GetValue(1, 0).ToString();
  };
  EXPECT_NE(plan("SELECT * FROM a JOIN b ON trino_eq(a.x, b.x)").find("HASH_JOIN"),
            std::string::npos);
  EXPECT_NE(plan("SELECT * FROM b WHERE trino_eq(x, 5)").find("Filters"), std::string::npos);
  EXPECT_NE(plan("SELECT * FROM a WHERE trino_eq(s, trino_cast('5'::VARCHAR, 'varchar(3)'))")
                .find("Filters"),
            std::string::npos);
  EXPECT_NE(plan("SELECT * FROM a WHERE trino_between(x, 3, 4)").find("Filters"),
            std::string::npos);
  EXPECT_NE(plan("SELECT * FROM a WHERE trino_in(x, 3, 4)").find("Filters"), std::string::npos);
  EXPECT_EQ(plan("SELECT trino_add(1, trino_length('abc'::VARCHAR)) FROM a").find("trino_add"),
            std::string::npos);
}

TEST(Casts, Text) {
  check({
      {"trino_cast('2.5'::VARCHAR, 'integer')", "INVALID_CAST_ARGUMENT: Cannot cast '2.5' to INT"},
      {"trino_cast('abc'::VARCHAR, 'bigint')",
       "INVALID_CAST_ARGUMENT: Cannot cast 'abc' to BIGINT"},
      {"trino_try_cast('abc'::VARCHAR, 'bigint')", "bigint | NULL"},
      {"trino_cast('+12'::VARCHAR, 'integer')", "integer | 12"},
      {"trino_cast('128'::VARCHAR, 'tinyint')",
       "INVALID_CAST_ARGUMENT: Cannot cast '128' to TINYINT"},
      {"trino_cast('T'::VARCHAR, 'boolean')", "boolean | true"},
      {"trino_cast('yes'::VARCHAR, 'boolean')",
       "INVALID_CAST_ARGUMENT: Cannot cast 'yes' to BOOLEAN"},
      {"trino_cast(' 1.5e3 '::VARCHAR, 'double')", "double | 1500.0"},
      {"trino_cast('x'::VARCHAR, 'double')", "INVALID_CAST_ARGUMENT: Cannot cast 'x' to DOUBLE"},
      {"trino_cast('1.005'::VARCHAR, 'decimal(5,2)')", "decimal(5,2) | 1.01"},
      {"trino_cast('-0.5'::VARCHAR, 'decimal(3,0)')", "decimal(3,0) | -1"},
      {"trino_cast('1234'::VARCHAR, 'decimal(3,0)')",
       "INVALID_CAST_ARGUMENT: Cannot cast VARCHAR '1234' to DECIMAL(3, 0). Value too large."},
      {"trino_cast('2024-02-30'::VARCHAR, 'date')",
       "INVALID_CAST_ARGUMENT: Value cannot be cast to date: 2024-02-30"},
      {"trino_cast('2024-2-3'::VARCHAR, 'date')", "date | 2024-02-03"},
      {"trino_cast('hello'::VARCHAR, 'varchar(3)')", "varchar(3) | hel"},
      {"trino_cast('ab'::VARCHAR, 'char(4)')", "char(4) | ab  "},
      {"trino_cast('abcdef'::VARCHAR, 'char(4)')", "char(4) | abcd"},
      {"trino_cast('a'::VARCHAR, 'varbinary')", "varbinary | a"},
      {"trino_cast(NULL, 'varchar(3)')", "varchar(3) | NULL"},
  });
}

TEST(Casts, ToText) {
  check({
      {"trino_cast(1e0::DOUBLE, 'varchar')", "varchar | 1.0E0"},
      {"trino_cast(12345.678e0::DOUBLE, 'varchar')", "varchar | 1.2345678E4"},
      {"trino_cast(0.001e0::DOUBLE, 'varchar')", "varchar | 1.0E-3"},
      {"trino_cast('NaN'::DOUBLE, 'varchar')", "varchar | NaN"},
      {"trino_cast('-Infinity'::DOUBLE, 'varchar')", "varchar | -Infinity"},
      {"trino_cast(0.1::REAL, 'varchar')", "varchar | 1.0E-1"},
      {"trino_cast(1.50::DECIMAL(5,2), 'varchar')", "varchar | 1.50"},
      {"trino_cast(true, 'varchar')", "varchar | true"},
      {"trino_cast(DATE '2024-02-03', 'varchar')", "varchar | 2024-02-03"},
      {"trino_cast(TIMESTAMP '2024-02-03 04:05:06', 'varchar')",
       "varchar | 2024-02-03 04:05:06.000000"},
      {"trino_cast(trino_cast('2024-02-03 04:05:06'::VARCHAR, 'timestamp(3)'), 'varchar')",
       "varchar | 2024-02-03 04:05:06.000"},
      {"trino_cast(12345, 'varchar(3)')",
       "INVALID_CAST_ARGUMENT: Value 12345 cannot be represented as varchar(3)"},
      {"trino_cast([1,2], 'varchar')", "TYPE_MISMATCH: Cannot cast array(integer) to varchar"},
      {"trino_cast(trino_cast('2024-02-03 04:05:06 Europe/Paris'::VARCHAR, 'timestamp(0) with time "
       "zone'), 'varchar')",
       "varchar | 2024-02-03 04:05:06 Europe/Paris"},
      {"trino_cast(trino_cast('01:02:03.4'::VARCHAR, 'time(3)'), 'varchar')",
       "varchar | 01:02:03.400"},
  });
}

TEST(Casts, Numbers) {
  check({
      {"trino_cast(2.5e0::DOUBLE, 'integer')", "integer | 3"},
      {"trino_cast(-2.5e0::DOUBLE, 'integer')", "integer | -3"},
      {"trino_cast(2.5::DECIMAL(2,1), 'integer')", "integer | 3"},
      {"trino_cast(1e10::DOUBLE, 'integer')",
       "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for integer: 1.0E10"},
      {"trino_cast(300, 'tinyint')", "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for tinyint: 300"},
      {"trino_cast(1.255::DECIMAL(4,3), 'decimal(3,2)')", "decimal(3,2) | 1.26"},
      {"trino_cast(1, 'date')", "TYPE_MISMATCH: Cannot cast integer to date"},
      {"trino_cast(5, 'boolean')", "boolean | true"},
      {"trino_cast(true, 'integer')", "integer | 1"},
      {"trino_cast([1,2], 'array(varchar)')", "array(varchar) | [1, 2]"},
      {"trino_cast(['1','x'], 'array(integer)')", "INVALID_CAST_ARGUMENT: Cannot cast 'x' to INT"},
      {"trino_cast({'field0': 1, 'field1': 2.5e0::DOUBLE}, 'row(a bigint, b integer)')",
       "row(a bigint, b integer) | {'a': 1, 'b': 3}"},
      {"trino_cast(map([1],[2]), 'map(bigint, varchar)')", "map(bigint, varchar) | {1=2}"},
      {"trino_cast(['a'], 'json')", "json | [\"a\"]"},
      {"trino_cast(trino_json_parse('\"x\"'::VARCHAR), 'varchar')", "varchar | x"},
  });
}

TEST(Times, PrecisionIsKept) {
  check({
      {"trino_cast('2024-01-01 00:00:00.123456789'::VARCHAR, 'timestamp(9)')",
       "timestamp(9) | 2024-01-01 00:00:00.123456789"},
      {"trino_cast('2024-01-01 00:00:00.1234567'::VARCHAR, 'timestamp(7)')",
       "timestamp(7) | 2024-01-01 00:00:00.1234567"},
      {"trino_cast('2024-01-01 00:00:00.1235'::VARCHAR, 'timestamp(3)')",
       "timestamp(3) | 2024-01-01 00:00:00.124"},
      {"trino_cast('2024-01-01 00:00:00'::VARCHAR, 'timestamp(12)')",
       "timestamp(12) | 1704067200000000000000"},
      {"trino_cast(TIMESTAMP '2024-01-01 23:59:59.9996', 'timestamp(3)')",
       "timestamp(3) | 2024-01-02 00:00:00"},
      {"SELECT x FROM (SELECT trino_cast('2024-01-01 00:00:00'::VARCHAR, 'timestamp(3)') x UNION "
       "ALL SELECT trino_cast('2024-01-01 00:00:00'::VARCHAR, 'timestamp(3)'))",
       "timestamp(3) | 2024-01-01 00:00:00"},
  });
}

TEST(Times, Zones) {
  session().run("SET TimeZone = 'America/New_York'");
  check({
      {"trino_cast(trino_at_timezone(TIMESTAMP '2024-01-01 00:00:00', 'Europe/Paris'::VARCHAR), "
       "'varchar')",
       "varchar | 2024-01-01 06:00:00.000000 Europe/Paris"},
      {"trino_at_timezone(trino_cast('2024-01-01 00:00:00'::VARCHAR, 'timestamp(3)'), "
       "'Asia/Tokyo'::VARCHAR)",
       "timestamp(3) with time zone | 2024-01-01 05:00:00+00"},
      {"trino_cast(trino_at_timezone(trino_cast('2024-01-01 00:00:00 UTC'::VARCHAR, 'timestamp(0) "
       "with time zone'), '+05:30'::VARCHAR), 'varchar')",
       "varchar | 2024-01-01 05:30:00 +05:30"},
      {"trino_cast(trino_cast('2024-01-01 00:00:00-0'::VARCHAR, 'timestamp(0) with time zone'), "
       "'varchar')",
       "varchar | 2024-01-01 00:00:00 UTC"},
      {"trino_cast(trino_cast('2024-01-01 00:00:00 +5'::VARCHAR, 'timestamp(0) with time zone'), "
       "'varchar')",
       "varchar | 2024-01-01 00:00:00 +05:00"},
      {"trino_hour(trino_cast('2024-01-01 12:00:00 UTC'::VARCHAR, 'timestamp(0) with time zone'))",
       "bigint | 12"},
      {"trino_cast(trino_cast('2024-01-01 12:00:00 UTC'::VARCHAR, 'timestamp(0) with time zone'), "
       "'timestamp(0)')",
       "timestamp(0) | 2024-01-01 12:00:00"},
      {"trino_cast(trino_cast(x, 'timestamp(3) with time zone'), 'varchar') FROM (VALUES "
       "('2024-01-01 12:00:00 +02:00'::VARCHAR)) t(x)",
       "varchar | 2024-01-01 12:00:00.000 +02:00"},
      {"trino_current_timezone()", "varchar | America/New_York"},
      {"trino_at_timezone(TIMESTAMP '2024-01-01 00:00:00', 'Nowhere/X'::VARCHAR)",
       "INVALID_FUNCTION_ARGUMENT: 'Nowhere/X' is not a valid time zone"},
      {"trino_cast(trino_with_timezone(TIMESTAMP '2024-07-01 00:00:00', 'Europe/Paris'::VARCHAR), "
       "'varchar')",
       "varchar | 2024-07-01 00:00:00.000000 Europe/Paris"},
      {"trino_cast(trino_add(trino_cast('2024-03-09 12:00:00 America/New_York'::VARCHAR, "
       "'timestamp(0) with time zone'), trino_interval_day_time(86400000000)), 'varchar')",
       "varchar | 2024-03-10 13:00:00.000 America/New_York"},
      {"trino_cast(trino_date_trunc('day'::VARCHAR, trino_cast('2024-01-01 01:00:00 "
       "Asia/Tokyo'::VARCHAR, 'timestamp(0) with time zone')), 'varchar')",
       "varchar | 2024-01-01 00:00:00 Asia/Tokyo"},
      {"trino_timezone_hour(trino_cast('2024-01-01 01:00:00 Asia/Tokyo'::VARCHAR, 'timestamp(0) "
       "with time zone'))",
       "bigint | 9"},
      {"trino_to_iso8601(trino_cast('2024-01-01 01:00:00 +05:30'::VARCHAR, 'timestamp(3) with time "
       "zone'))",
       "varchar(32) | 2024-01-01T01:00:00.000+05:30"},
      {"trino_typeof(trino_current_timestamp(3))", "varchar | timestamp(3) with time zone"},
      {"trino_typeof(trino_localtimestamp(3))", "varchar | timestamp(3)"},
      {"trino_typeof(trino_current_date())", "varchar | date"},
      {"trino_typeof(trino_localtime(3))", "varchar | time(3)"},
      {"trino_typeof(trino_now())", "varchar | timestamp(3) with time zone"},
  });
  session().run("SET TimeZone = 'UTC'");
}

TEST(Times, Functions) {
  check({
      {"trino_date_diff('month'::VARCHAR, DATE '2024-01-31', DATE '2024-02-01')", "bigint | 0"},
      {"trino_date_diff('day'::VARCHAR, TIMESTAMP '2024-01-01 12:00:00', TIMESTAMP '2024-01-02 "
       "11:00:00')",
       "bigint | 0"},
      {"trino_date_diff('year'::VARCHAR, DATE '2020-02-29', DATE '2021-02-28')", "bigint | 1"},
      {"trino_date_diff('month'::VARCHAR, DATE '2024-01-31', DATE '2024-02-29')", "bigint | 1"},
      {"trino_date_diff('month'::VARCHAR, DATE '2024-02-29', DATE '2024-01-31')", "bigint | -1"},
      {"trino_date_diff('quarter'::VARCHAR, DATE '2024-01-31', DATE '2024-04-30')", "bigint | 1"},
      {"trino_date_add('month'::VARCHAR, 1, DATE '2024-01-31')", "date | 2024-02-29"},
      {"trino_date_add('hour'::VARCHAR, 1, DATE '2024-01-31')",
       "INVALID_FUNCTION_ARGUMENT: 'hour' is not a valid DATE field"},
      {"trino_date_add('hour'::VARCHAR, -1, TIMESTAMP '2024-01-31 00:00:00')",
       "timestamp(6) | 2024-01-30 23:00:00"},
      {"trino_date_trunc('month'::VARCHAR, DATE '2024-01-31')", "date | 2024-01-01"},
      {"trino_date_trunc('month'::VARCHAR, DATE '2024-02-29')", "date | 2024-02-01"},
      {"trino_date_trunc('month'::VARCHAR, DATE '1969-12-31')", "date | 1969-12-01"},
      {"trino_date_trunc('year'::VARCHAR, DATE '2024-12-31')", "date | 2024-01-01"},
      {"trino_date_trunc('year'::VARCHAR, DATE '0001-03-01')", "date | 0001-01-01"},
      {"trino_date_trunc('quarter'::VARCHAR, DATE '2024-06-30')", "date | 2024-04-01"},
      {"trino_date_trunc('week'::VARCHAR, DATE '2024-01-07')", "date | 2024-01-01"},
      {"trino_date_trunc('month'::VARCHAR, CAST(NULL AS DATE))", "date | NULL"},
      {"trino_date_trunc('hour'::VARCHAR, trino_cast('2024-01-31 10:20:30'::VARCHAR, "
       "'timestamp(0)'))",
       "timestamp(0) | 2024-01-31 10:00:00"},
      {"trino_date_trunc('eon'::VARCHAR, DATE '2024-01-31')",
       "INVALID_FUNCTION_ARGUMENT: 'eon' is not a valid DATE field"},
      {"trino_year(DATE '2024-01-31')", "bigint | 2024"},
      {"trino_day_of_week(DATE '2024-01-07')", "bigint | 7"},
      {"trino_week(DATE '2024-12-30')", "bigint | 1"},
      {"trino_yow(DATE '2024-12-30')", "bigint | 2025"},
      {"trino_millisecond(TIMESTAMP '2024-01-01 00:00:12.345')", "bigint | 345"},
      {"trino_extract('dow'::VARCHAR, DATE '2024-01-07')", "bigint | 7"},
      {"trino_hour(trino_interval_day_time(90000000000))", "bigint | 1"},
      {"trino_last_day_of_month(DATE '2024-02-03')", "date | 2024-02-29"},
      {"trino_date_format(TIMESTAMP '2024-02-03 14:05:06.789', '%Y-%m-%d %H:%i:%s %p %W %M %j %f "
       "%h'::VARCHAR)",
       "varchar | 2024-02-03 14:05:06 PM Saturday February 034 789000 02"},
      {"trino_date_parse('03/Feb/2024 02:05 PM'::VARCHAR, '%d/%b/%Y %h:%i %p'::VARCHAR)",
       "timestamp(3) | 2024-02-03 14:05:00"},
      {"trino_date_parse('x'::VARCHAR, '%Y'::VARCHAR)",
       "INVALID_FUNCTION_ARGUMENT: Invalid format: \"x\""},
      {"trino_format_datetime(TIMESTAMP '2024-02-03 14:05:06', 'yyyy-MM-dd''T''HH:mm:ss EEE MMM "
       "a'::VARCHAR)",
       "varchar | 2024-02-03T14:05:06 Sat Feb PM"},
      {"trino_cast(trino_parse_datetime('2024-02-03 04:05 +02:00'::VARCHAR, 'yyyy-MM-dd HH:mm "
       "Z'::VARCHAR), 'varchar')",
       "varchar | 2024-02-03 04:05:00.000 +02:00"},
      {"trino_cast(trino_parse_datetime(x, 'yyyy-MM-dd HH:mm Z'::VARCHAR), 'varchar') FROM (VALUES "
       "('2024-02-03 04:05 +02:00'::VARCHAR)) t(x)",
       "varchar | 2024-02-03 04:05:00.000 +02:00"},
      {"trino_from_unixtime(1.5)", "timestamp(3) with time zone | 1970-01-01 00:00:01.5+00"},
      {"trino_to_unixtime(TIMESTAMP '1970-01-01 00:00:01.5')", "double | 1.5"},
      {"trino_from_iso8601_date('2024-02-03'::VARCHAR)", "date | 2024-02-03"},
      {"trino_cast(trino_from_iso8601_timestamp('2024-02-03T04:05:06Z'::VARCHAR), 'varchar')",
       "varchar | 2024-02-03 04:05:06.000 UTC"},
      {"trino_cast(trino_parse_duration('1.5m'::VARCHAR), 'varchar')", "varchar | 0 00:01:30.000"},
      {"trino_human_readable_seconds(3661)", "varchar | 1 hour, 1 minute, 1 second"},
  });
}

TEST(Text, Functions) {
  check({
      {"trino_concat('a'::VARCHAR, NULL)", "varchar | NULL"},
      {"trino_concat_op('a'::VARCHAR, 'b'::VARCHAR)", "varchar | ab"},
      {"trino_concat_op('a'::VARCHAR, 1)",
       "FUNCTION_NOT_FOUND: Unexpected parameters (varchar, integer) for function concat. "
       "Expected: "
       "concat(char(x), char(y)), concat(array(E), E), concat(E, array(E)), concat(array(E)), "
       "concat(varchar), concat(varbinary)"},
      {"trino_concat_op([1], [2])", "array(integer) | [1, 2]"},
      {"trino_concat_op([1], 2::BIGINT)", "array(bigint) | [1, 2]"},
      {"trino_concat_op([1], NULL::INTEGER[])", "array(integer) | NULL"},
      {"trino_concat_op(trino_cast('a'::VARCHAR, 'char(2)'), 'b'::VARCHAR)", "varchar | a b"},
      {"trino_substr('hello'::VARCHAR, 0)", "varchar | "},
      {"trino_substr('hello'::VARCHAR, -3)", "varchar | llo"},
      {"trino_substr('hello'::VARCHAR, -6)", "varchar | "},
      {"trino_substr('hello'::VARCHAR, 2, 3)", "varchar | ell"},
      {"trino_substr('héllo'::VARCHAR, 2, 2)", "varchar | él"},
      {"trino_regexp_replace('1a 2b'::VARCHAR, '(\\d)([ab])'::VARCHAR, '$2$1'::VARCHAR)",
       "varchar | a1 b2"},
      {"trino_regexp_replace('banana'::VARCHAR, 'a'::VARCHAR)", "varchar | bnn"},
      {"trino_regexp_extract('1a 2b'::VARCHAR, '(\\d)([a-z])'::VARCHAR, 2)", "varchar | a"},
      {"trino_regexp_extract('x'::VARCHAR, '\\d'::VARCHAR)", "varchar | NULL"},
      {"trino_regexp_extract('x'::VARCHAR, '\\d'::VARCHAR, 3)",
       "INVALID_FUNCTION_ARGUMENT: Pattern has 0 groups. Cannot access group 3"},
      {"trino_regexp_extract_all('1a 2b'::VARCHAR, '\\d'::VARCHAR)", "array(varchar) | [1, 2]"},
      {"trino_regexp_split('1a2b3'::VARCHAR, '[a-z]'::VARCHAR)", "array(varchar) | [1, 2, 3]"},
      {"trino_regexp_count('banana'::VARCHAR, 'a'::VARCHAR)", "bigint | 3"},
      {"trino_regexp_position('banana'::VARCHAR, 'n'::VARCHAR, 4)", "integer | 5"},
      {"trino_regexp_like('banana'::VARCHAR, '^b.*a$'::VARCHAR)", "boolean | true"},
      {"trino_split_part('a,b'::VARCHAR, ','::VARCHAR, 3)", "varchar | NULL"},
      {"trino_split('a,b,c'::VARCHAR, ','::VARCHAR, 2)", "array(varchar) | [a, 'b,c']"},
      {"trino_strpos('banana'::VARCHAR, 'an'::VARCHAR)", "bigint | 2"},
      {"trino_lpad('7'::VARCHAR, 3, '0'::VARCHAR)", "varchar | 007"},
      {"trino_rpad('abcd'::VARCHAR, 2, ' '::VARCHAR)", "varchar | ab"},
      {"trino_trim('  a\t'::VARCHAR)", "varchar | a"},
      {"trino_reverse('añb'::VARCHAR)", "varchar | bña"},
      {"trino_reverse([1, 2])", "array(integer) | [2, 1]"},
      {"trino_from_base64('YWI'::VARCHAR)", "varbinary | ab"},
      {"trino_concat_ws(','::VARCHAR, 'a'::VARCHAR, NULL, 'b'::VARCHAR)", "varchar | a,b"},
      {"trino_length(trino_cast('añ'::VARCHAR, 'varchar(9)'))", "bigint | 2"},
      {"trino_levenshtein_distance('kitten'::VARCHAR, 'sitting'::VARCHAR)", "bigint | 3"},
      {"trino_soundex('Robert'::VARCHAR)", "varchar | R163"},
      {"trino_mask('My Test $123'::VARCHAR)", "varchar | Xx-Xxxx--nnn"},
      {"trino_mask('My Test $123'::VARCHAR, '*'::VARCHAR, NULL, '1'::VARCHAR, NULL)",
       "varchar | *y *est $111"},
      {"trino_mask_left('My Test $123'::VARCHAR, 4)", "varchar | Xx-Xest $123"},
      {"trino_mask_right('My Test $123'::VARCHAR, 4)", "varchar | My Test -nnn"},
      {"trino_mask_keep_left('My Test $123'::VARCHAR, 4)", "varchar | My Txxx--nnn"},
      {"trino_mask_keep_right('My Test $123'::VARCHAR, 4)", "varchar | Xx-Xxxx-$123"},
      {"trino_mask_keep_right('4111'::VARCHAR, 9)", "varchar | 4111"},
      {"trino_mask_right('4111'::VARCHAR, 9)", "varchar | nnnn"},
      {"trino_mask_keep_right('Éléonore Ñ7٣'::VARCHAR, 0)", "varchar | Xxxxxxxx-Xnn"},
      {"trino_mask(NULL::VARCHAR)", "varchar | NULL"},
      {"trino_mask_left('a'::VARCHAR, -1)",
       "INVALID_FUNCTION_ARGUMENT: The number of characters to mask must not be negative"},
      {"trino_to_hex(trino_md5(trino_to_utf8('abc'::VARCHAR)))",
       "varchar | 900150983CD24FB0D6963F7D28E17F72"},
      {"trino_to_hex(trino_sha512(trino_to_utf8(''::VARCHAR)))",
       "varchar | "
       "CF83E1357EEFB8BDF1542850D66D8007D620E4050B5715DC83F4A921D36CE9CE47D0D13C5D85F2B0FF8318D2877"
       "EEC2F63B931BD47417A81A538327AF927DA3E"},
      {"trino_to_hex(trino_xxhash64(trino_to_utf8(''::VARCHAR)))", "varchar | EF46DB3751D8E999"},
      {"trino_crc32(trino_to_utf8('123456789'::VARCHAR))", "bigint | 3421780262"},
      {"trino_from_utf8(trino_from_hex('C3A9'::VARCHAR))", "varchar | é"},
      {"trino_to_base64(trino_to_utf8('abc'::VARCHAR))", "varchar | YWJj"},
      {"trino_url_extract_host('https://u@example.org:8080/a/b?x=1&y=2#f'::VARCHAR)",
       "varchar | example.org"},
      {"trino_url_extract_port('https://example.org:8080/a'::VARCHAR)", "bigint | 8080"},
      {"trino_url_extract_parameter('https://e.org/a?x=1&y=a%20b'::VARCHAR, 'y'::VARCHAR)",
       "varchar | a b"},
      {"trino_url_encode('a b&c'::VARCHAR)", "varchar | a+b%26c"},
      {"trino_url_decode('a+b%26c'::VARCHAR)", "varchar | a b&c"},
      {"trino_format('%s is %.2f and %,d'::VARCHAR, 'x'::VARCHAR, 1.5::DECIMAL(2,1), 1234567)",
       "varchar | x is 1.50 and 1,234,567"},
      {"trino_abs('a'::VARCHAR)",
       "FUNCTION_NOT_FOUND: Unexpected parameters (varchar) for function abs. Expected: abs(T)"},
      {"trino_codepoint('é'::VARCHAR)", "integer | 233"},
      {"trino_translate('abcd'::VARCHAR, 'abc'::VARCHAR, 'xy'::VARCHAR)", "varchar | xyd"},
  });
}

TEST(Nested, ArraysAndMaps) {
  check({
      {"trino_array_position([1,2], 3)", "bigint | 0"},
      {"trino_subscript([10,20], 2)", "integer | 20"},
      {"trino_subscript([10,20], 10)",
       "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: 10 "
       "> 2"},
      {"trino_subscript([10,20], 0)", "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1"},
      {"trino_subscript([10,20], -1)",
       "INVALID_FUNCTION_ARGUMENT: Array subscript is negative: -1"},
      {"trino_subscript(map(['a','b'],[1,2]), 'b'::VARCHAR)", "integer | 2"},
      {"trino_subscript(map(['a'],[1]), 'x'::VARCHAR)",
       "INVALID_FUNCTION_ARGUMENT: Key not present in map: x"},
      {"trino_subscript({'field0': 1, 'field1': 'x'}, 2)", "varchar | x"},
      {"trino_element_at([10,20], 5)", "integer | NULL"},
      {"trino_element_at([10,20], -1)", "integer | 20"},
      {"trino_element_at(map(['a'],[1]), 'x'::VARCHAR)", "integer | NULL"},
      {"trino_cardinality([1,2,3])", "bigint | 3"},
      {"trino_contains([1,NULL], 2)", "boolean | NULL"},
      {"trino_contains([1,2], 2::BIGINT)", "boolean | true"},
      {"trino_array_distinct([1,NULL,1,NULL,2])", "array(integer) | [1, NULL, 2]"},
      {"trino_array_sort([3,NULL,1])", "array(integer) | [1, 3, NULL]"},
      {"trino_array_max([3,NULL,1])", "integer | NULL"},
      {"trino_array_max([3,1])", "integer | 3"},
      {"trino_array_join([1,NULL,3], '-'::VARCHAR)", "varchar | 1-3"},
      {"trino_array_join([1,NULL,3], '-'::VARCHAR, 'x'::VARCHAR)", "varchar | 1-x-3"},
      {"trino_array_intersect([1,2,2,3], [2,3,4])", "array(integer) | [2, 3]"},
      {"trino_array_except([1,2,2,3], [2])", "array(integer) | [1, 3]"},
      {"trino_array_union([1,2], [2,3::BIGINT])", "array(bigint) | [1, 2, 3]"},
      {"trino_array_remove([1,2,1], 1)", "array(integer) | [2]"},
      {"trino_arrays_overlap([1,2], [2,3])", "boolean | true"},
      {"trino_sequence(1, 5, 2)", "array(bigint) | [1, 3, 5]"},
      {"trino_sequence(3, 1)", "array(bigint) | [3, 2, 1]"},
      {"trino_sequence(DATE '2024-01-31', DATE '2024-04-01', trino_interval_year_month(1))",
       "array(date) | [2024-01-31, 2024-02-29, 2024-03-31]"},
      {"trino_repeat('a'::VARCHAR, 2)", "array(varchar) | [a, a]"},
      {"trino_flatten([[1],[2,3]])", "array(integer) | [1, 2, 3]"},
      {"trino_slice([1,2,3,4], 2, 2)", "array(integer) | [2, 3]"},
      {"trino_slice([1,2,3,4], -2, 2)", "array(integer) | [3, 4]"},
      {"trino_trim_array([1,2,3], 2)", "array(integer) | [1]"},
      {"trino_zip([1,2], ['a'])",
       "array(row(integer, varchar)) | [{'field0': 1, 'field1': a}, {'field0': 2, 'field1': "
       "NULL}]"},
      {"trino_map(['a'], [1])", "map(varchar, integer) | {a=1}"},
      {"trino_map_keys(map(['a'],[1]))", "array(varchar) | [a]"},
      {"trino_map_concat(map(['a'],[1]), map(['b'],[2]))", "map(varchar, integer) | {a=1, b=2}"},
      {"trino_map_entries(map(['a'],[1]))",
       "array(row(varchar, integer)) | [{'field0': a, 'field1': 1}]"},
      {"trino_map_from_entries([{'field0': 'a', 'field1': 1}])", "map(varchar, integer) | {a=1}"},
      {"trino_any_match_result([true, NULL])", "boolean | true"},
      {"trino_all_match_result([true, NULL])", "boolean | NULL"},
      {"trino_greatest(1, NULL)", "integer | NULL"},
      {"trino_least(2, 1.5::DECIMAL(2,1))", "decimal(11,1) | 1.5"},
      {"trino_coalesce(NULL, 1, 2::BIGINT)", "bigint | 1"},
      {"trino_nullif(1, 1)", "integer | NULL"},
      {"trino_if(true, 1, 'a'::VARCHAR)",
       "TYPE_MISMATCH: Result types for IF must be the same type or coercible to a common type. "
       "Cannot find common type between integer and varchar"},
      {"trino_typeof([1.5::DECIMAL(2,1)])", "varchar | array(decimal(2,1))"},
  });
}

TEST(Nested, Json) {
  check({
      {"trino_json_extract_scalar('{\"a\":{\"b\":\"x\"}}'::VARCHAR, '$.a.b'::VARCHAR)",
       "varchar | x"},
      {"trino_json_extract_scalar('{\"a\":{\"b\":\"x\"}}'::VARCHAR, '$.a'::VARCHAR)",
       "varchar | NULL"},
      {"trino_json_extract_scalar('nope'::VARCHAR, '$.a'::VARCHAR)", "varchar | NULL"},
      {"trino_json_extract_scalar('{\"a\": 1.50}'::VARCHAR, '$.a'::VARCHAR)", "varchar | 1.50"},
      {"trino_json_extract_scalar('{\"x\": {\"a\": 7}, \"a\\u0062\": [1, [2.5], 1e5 ]}'::VARCHAR, "
       "'$[\"ab\"][2]'::VARCHAR)",
       "varchar | 1e5"},
      {"trino_json_extract_scalar('[[], {\"k\": [0.10]}]'::VARCHAR, '$[1].k[0]'::VARCHAR)",
       "varchar | 0.10"},
      {"trino_json_extract_scalar('-2.0'::VARCHAR, '$'::VARCHAR)", "varchar | -2.0"},
      {"trino_json_extract('{\"a\":[1,2]}'::VARCHAR, '$.a'::VARCHAR)", "json | [1,2]"},
      {"trino_json_array_length('[1,2,3]'::VARCHAR)", "bigint | 3"},
      {"trino_json_parse('{'::VARCHAR)",
       "INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '{'"},
      {"trino_json_format(trino_json_parse('[1]'::VARCHAR))", "varchar | [1]"},
      {"trino_json_size('{\"a\":{\"x\":1,\"y\":2}}'::VARCHAR, '$.a'::VARCHAR)", "bigint | 2"},
      {"trino_is_json_scalar('1'::VARCHAR)", "boolean | true"},
  });
}

TEST(Math, Functions) {
  check({
      {"trino_round(2.5e0::DOUBLE)", "double | 3.0"},
      {"trino_round(1.255::DECIMAL(4,3), 2)", "decimal(5,3) | 1.260"},
      {"trino_round(15, -1)", "integer | 20"},
      {"trino_truncate(1.59::DECIMAL(3,2), 1)", "decimal(3,2) | 1.50"},
      {"trino_ceil(1.1::DECIMAL(2,1))", "decimal(2,0) | 2"},
      {"trino_floor(-1.5e0::DOUBLE)", "double | -2.0"},
      {"trino_abs(-5)", "integer | 5"},
      {"trino_mod(7, 2::BIGINT)", "bigint | 1"},
      {"trino_power(2, 10)", "double | 1024.0"},
      {"trino_sqrt(-1)", "double | nan"},
      {"trino_ln(0)", "double | -inf"},
      {"trino_log(2, 8)", "double | 3.0"},
      {"trino_to_base(255, 16)", "varchar | ff"},
      {"trino_from_base('ff'::VARCHAR, 16)", "bigint | 255"},
      {"trino_width_bucket(3.5, 0, 10, 5)", "bigint | 2"},
      {"trino_bitwise_and(12, 10)", "bigint | 8"},
      {"trino_bitwise_left_shift(1::TINYINT, 7)", "tinyint | -128"},
      {"trino_bitwise_right_shift(-8::BIGINT, 1)", "bigint | 9223372036854775804"},
      {"trino_bit_count(-7, 64)", "bigint | 62"},
      {"trino_sign(-3)", "integer | -1"},
      {"trino_is_nan(trino_nan())", "boolean | true"},
      {"trino_typeof(trino_random(10))", "varchar | integer"},
  });
}

TEST(Aggregates, Sums) {
  check({
      {"SELECT trino_sum_result(trino_sum(x)) FROM (VALUES (1), (2)) t(x)", "bigint | 3"},
      {"SELECT trino_sum_result(trino_sum(x)) FROM (VALUES (9223372036854775807), (1)) t(x)",
       "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow"},
      {"SELECT trino_sum_result(trino_sum(x::DECIMAL(5,2))) FROM (VALUES (1.25), (2)) t(x)",
       "decimal(38,2) | 3.25"},
      {"SELECT trino_sum_result(trino_sum(x::REAL)) FROM (VALUES (1.5), (2)) t(x)", "real | 3.5"},
      {"SELECT trino_sum_result(trino_sum(x::DOUBLE)) FROM (VALUES (1.5), (2)) t(x)",
       "double | 3.5"},
      {"SELECT trino_sum_result(trino_sum('a'::VARCHAR))",
       "FUNCTION_NOT_FOUND: Unexpected parameters (varchar) for function sum. Expected: "
       "sum(bigint), sum(decimal(p,s)), sum(double), "
       "sum(interval day to second), sum(interval year to month), sum(real)"},
      {"SELECT trino_sum_result(trino_sum(x)) FROM (SELECT 1 x WHERE false)", "bigint | NULL"},
      {"SELECT trino_avg_result(trino_avg(x)) FROM (VALUES (1), (2)) t(x)", "double | 1.5"},
      {"SELECT trino_avg_result(trino_avg(x::DECIMAL(5,2))) FROM (VALUES (1), (2), (2)) t(x)",
       "decimal(5,2) | 1.67"},
      {"SELECT trino_avg_result(trino_avg(x::DECIMAL(38,2))) FROM (VALUES (-1), (-2), (-2)) t(x)",
       "decimal(38,2) | -1.67"},
      {"SELECT trino_avg_result(trino_avg(x::DECIMAL(5,2)) OVER ()) FROM (VALUES (1), (2), (2)) "
       "t(x)",
       "decimal(5,2) | 1.67"},
      {"SELECT trino_avg_result(trino_avg(DISTINCT x::DECIMAL(5,2)) FILTER (WHERE x > 1)) FROM "
       "(VALUES (1), (2), (2)) t(x)",
       "decimal(5,2) | 2.00"},
      {"SELECT trino_avg_result(trino_avg(x::REAL)) FROM (VALUES (1), (2)) t(x)", "real | 1.5"},
  });
}

TEST(Aggregates, Others) {
  check({
      {"SELECT trino_min(trino_cast(x, 'varchar(3)')) FROM (VALUES ('b'), ('a')) t(x)",
       "varchar(3) | a"},
      {"SELECT trino_max(x, 2) FROM (VALUES (1), (3), (2)) t(x)", "array(integer) | [3, 2]"},
      {"SELECT trino_max_by(x, y) FROM (VALUES (NULL, 2), (1, 1)) t(x, y)", "integer | NULL"},
      {"SELECT trino_min_by(x, y) FROM (VALUES ('a', 2), ('b', 1)) t(x, y)", "varchar | b"},
      {"SELECT trino_any_value(x) FROM (VALUES (NULL), (5)) t(x)", "integer | 5"},
      {"SELECT trino_array_agg(x ORDER BY x DESC) FROM (VALUES (1), (NULL), (2)) t(x)",
       "array(integer) | [2, 1, NULL]"},
      {"SELECT trino_listagg(x, ','::VARCHAR ORDER BY x) FROM (VALUES ('b'), ('a')) t(x)",
       "varchar | a,b"},
      {"SELECT trino_map_agg_result(trino_map_agg(x, y)) FROM (VALUES ('a', 1), ('a', 1), ('b', "
       "2)) t(x, y)",
       "map(varchar, integer) | {a=1, b=2}"},
      {"SELECT trino_map_agg_result(trino_map_agg(x, y)) FROM (VALUES (NULL::VARCHAR, 1)) t(x, y)",
       "map(varchar, integer) | NULL"},
      {"SELECT trino_multimap_agg_result(trino_map_agg(x, y ORDER BY y)) FROM (VALUES ('a', 1), "
       "('a', 2)) t(x, y)",
       "map(varchar, array(integer)) | {a=[1, 2]}"},
      {"SELECT trino_histogram_result(trino_histogram(x)) FROM (VALUES (1), (1), (2)) t(x)",
       "map(integer, bigint) | {1=2, 2=1}"},
      {"SELECT trino_approx_distinct(x) FROM (VALUES (1), (1), (2)) t(x)", "bigint | 2"},
      {"SELECT trino_approx_percentile(x, 0.5) FROM range(101) t(x)", "bigint | 50"},
      {"SELECT trino_bool_and(x) FROM (VALUES (true), (false)) t(x)", "boolean | false"},
      {"SELECT trino_bool_and(x) FROM (VALUES (1)) t(x)",
       "FUNCTION_NOT_FOUND: Unexpected parameters (integer) for function bool_and. Expected: "
       "bool_and(boolean)"},
      {"SELECT trino_stddev_pop(x) FROM (VALUES (1), (3)) t(x)", "double | 1.0"},
      {"SELECT trino_exp(trino_geometric_mean(x)) FROM (VALUES (1), (4)) t(x)", "double | 2.0"},
      {"SELECT trino_bit_or(x) FROM (VALUES (1), (4)) t(x)", "bigint | 5"},
      {"SELECT trino_to_bigint(count_if(x > 1)) FROM (VALUES (1), (4)) t(x)", "bigint | 1"},
      {"SELECT trino_corr(x, y) FROM (VALUES (1, 2), (2, 4)) t(x, y)", "double | 1.0"},
  });
}

TEST(Functions, TryAndLambdas) {
  check({
      {"TRY(trino_divide(1, 0))", "integer | NULL"},
      {"TRY(trino_cast('x'::VARCHAR, 'integer'))", "integer | NULL"},
      {"TRY(trino_subscript([1], x)) FROM (VALUES (5)) t(x)", "integer | NULL"},
      {"list_transform([1, 2], lambda x: trino_add(x, 1))", "array(integer) | [2, 3]"},
      {"list_transform([1, 2], lambda x: trino_concat_op(trino_cast(x, 'varchar'), '!'::VARCHAR))",
       "array(varchar) | [1!, 2!]"},
      {"trino_pairs(list_zip([1, 2], [10, 20]), lambda x, y: trino_add(x, y))",
       "array(integer) | [11, 22]"},
      {"trino_pairs(list_zip([i, 2], ['a', 'b']), lambda x, y: trino_concat_op(y, "
       "trino_cast(trino_add(x, i), 'varchar'))) FROM (VALUES (5)) t(i)",
       "array(varchar) | [a10, b7]"},
      {"trino_map(map_keys(m), trino_pairs(map_entries(m), lambda k, v: trino_add(k, v))) FROM "
       "(SELECT map([1, 2], [3, 4]) m)",
       "map(integer, integer) | {1=4, 2=6}"},
      {"trino_map_filter_result(m, trino_pairs(map_entries(m), lambda k, v: trino_gt(v, 3))) FROM "
       "(SELECT map([1, 2], [3, 4]) m)",
       "map(integer, integer) | {2=4}"},
      {"list_filter([1, 2], lambda x: trino_gt(x, 1))", "array(integer) | [2]"},
      {"list_transform([list_reduce([1, 2, 3], lambda s, x: trino_add(s, x), 0)], lambda s: "
       "trino_multiply(s, 2))[1]",
       "integer | 12"},
  });
}

/// A plausible argument for a declared type; calls may fail on the value, never on binding.
std::string sample(std::string type) {
  const bool variadic = type.ends_with("...");
  if (variadic) type.resize(type.size() - 3);
  if (type.size() == 1) return "1::BIGINT";
  if (type.size() > 2 && type[1] == ':')
    return type.ends_with("decimal") ? "1.5::DECIMAL(5,2)" : "1::INTEGER";
  static const std::map<std::string, std::string> samples = {
      {"varchar", "'1'::VARCHAR"},
      {"any", "1::BIGINT"},
      {"boolean", "true"},
      {"tinyint", "1::TINYINT"},
      {"integer", "1::INTEGER"},
      {"bigint", "1::BIGINT"},
      {"real", "1::REAL"},
      {"double", "0.5::DOUBLE"},
      {"varbinary", "'a'::BLOB"},
      {"date", "DATE '2024-01-01'"},
      {"time", "TIME '01:02:03'"},
      {"timestamp", "TIMESTAMP '2024-01-01 00:00:00'"},
      {"local", "DATE '2024-01-01'"},
      {"moment", "DATE '2024-01-01'"},
      {"timestamptz", "trino_now()"},
      {"json", "trino_json_parse('[1]'::VARCHAR)"},
      {"decimal", "1.5::DECIMAL(5,2)"},
      {"char", "trino_cast(' a'::VARCHAR, 'char(4)')"},
      {"color", "trino_color('red'::VARCHAR)"},
      {"ipaddress", "trino_cast('10.0.0.1'::VARCHAR, 'ipaddress')"},
      {"time with time zone", "trino_cast(NULL, 'time(3) with time zone')"},
      {"hyperloglog", "trino_empty_approx_set()"},
      {"setdigest", "trino_cast(NULL, 'setdigest')"},
      {"tdigest", "trino_cast(NULL, 'tdigest')"},
      {"qdigest(bigint)", "trino_cast(NULL, 'qdigest(bigint)')"},
      {"qdigest(double)", "trino_cast(NULL, 'qdigest(double)')"},
      {"qdigest(real)", "trino_cast(NULL, 'qdigest(real)')"},
      {"array(E:orderable)", "[1::BIGINT]"},
      {"uuid", "uuid()"},
      {"interval day to second", "trino_interval_day_time(1000000::BIGINT)"},
      {"interval year to month", "trino_interval_year_month(1::INTEGER)"},
      {"array(varchar)", "['a']"},
      {"array(double)", "[1::DOUBLE]"},
      {"array(array(E))", "[[1::BIGINT]]"},
      {"array(boolean)", "[true]"},
      {"array(E)", "[1::BIGINT]"},
      {"array(K)", "[1::BIGINT]"},
      {"array(V)", "[1::BIGINT]"},
      {"array(T)", "[1::BIGINT]"},
      {"map(varchar,double)", "map(['a'],[1::DOUBLE])"},
      {"map(K,V)", "map([1::BIGINT],[1::BIGINT])"}};
  auto found = samples.find(type);
  EXPECT_NE(found, samples.end()) << type;
  return found == samples.end() ? "NULL" : found->second;
}

std::vector<std::string> split_types(std::string_view text) {
  std::vector<std::string> out;
  int depth = 0;
  std::string part;
  for (char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      out.push_back(part);
      part.clear();
    } else if (c != ' ' || !part.empty()) {
      part += c;
    }
  }
  if (!part.empty()) out.push_back(part);
  return out;
}

TEST(Functions, EveryBodyBinds) {
  for (auto& info : sql::functions()) {
    if (info.kind != sql::FunctionInfo::Kind::kScalar ||
        info.duckdb.find('(') != std::string_view::npos)
      continue;
    if (info.name == "zip" || info.name == "map_from_entries" ||
        info.name == "multimap_from_entries")
      continue;  // rows: tested above
    std::string sql = "SELECT " + std::string(info.duckdb) + "(";
    bool first = true;
    for (auto& type : split_types(info.argument_types)) {
      std::string value = sample(type);
      if (first && info.argument_types.starts_with("varchar, moment")) value = "'day'::VARCHAR";
      if (first && info.argument_types.starts_with("varchar, bigint, moment"))
        value = "'day'::VARCHAR";
      if (first && (info.argument_types.starts_with("varchar, time") ||
                    info.argument_types.starts_with("varchar, bigint, time")))
        value = "'hour'::VARCHAR";
      if (info.name == "concat") value = "'a'::VARCHAR, 'b'::VARCHAR";
      if (!first && type == "varchar" &&
          (info.name == "at_timezone" || info.name == "with_timezone" ||
           info.name == "from_unixtime"))
        value = "'UTC'::VARCHAR";
      sql += (first ? "" : ", ") + value;
      first = false;
    }
    sql += ")";
    auto result = session().run(sql);
    if (!result->HasError()) continue;
    const Error error = translate(result->GetErrorObject());
    const bool by_value =
        error.code() == Code::kInvalidFunctionArgument || error.code() == Code::kGenericUserError ||
        error.code() == Code::kInvalidCastArgument || error.code() == Code::kNotSupported;
    EXPECT_TRUE(by_value &&
                result->GetErrorObject().ExtraInfo().count("trino_code") +
                    (result->GetErrorObject().Type() == duckdb::ExceptionType::CONVERSION))
        << sql << ": " << error.what();
  }
}

/// NULL is a value of every type: it may be refused in Trino's words, never an internal error.
TEST(Functions, EveryBodyTakesNulls) {
  for (auto& info : sql::functions()) {
    if (info.kind != sql::FunctionInfo::Kind::kScalar ||
        info.duckdb.find('(') != std::string_view::npos)
      continue;
    std::string sql = "SELECT " + std::string(info.duckdb) + "(";
    const size_t count = split_types(info.argument_types).size();
    for (size_t i = 0; i < count; ++i) sql += i ? ", NULL" : "NULL";
    auto result = session().run(sql + ")");
    if (!result->HasError()) continue;
    const auto& error = result->GetErrorObject();
    EXPECT_TRUE(error.ExtraInfo().count("trino_code") &&
                translate(error).code() != Code::kGenericInternalError)
        << sql << "): " << translate(error).what();
  }
}

TEST(Labels, NativeSqlAcceptsThem) {
  session().run(
      "CREATE OR REPLACE TEMP TABLE plain (t TIMESTAMP, n TIMESTAMP_NS, v VARCHAR, z TIMESTAMPTZ, "
      "i TIME)");
  auto inserted = session().run(
      "INSERT INTO plain SELECT trino_cast('2024-01-01 00:00:00.123'::VARCHAR, 'timestamp(3)'), "
      "trino_cast('2024-01-01 00:00:00.12345678'::VARCHAR, 'timestamp(8)'), "
      "trino_cast('abc'::VARCHAR, 'varchar(5)'), "
      "trino_cast('2024-01-01 00:00:00 UTC'::VARCHAR, 'timestamp(0) with time zone'), "
      "trino_cast('01:02:03'::VARCHAR, 'time(0)')");
  EXPECT_FALSE(inserted->HasError()) << inserted->GetError();
  check({
      {"SELECT t FROM plain", "timestamp(6) | 2024-01-01 00:00:00.123"},
      {"SELECT n FROM plain", "timestamp(9) | 2024-01-01 00:00:00.12345678"},
      {"SELECT lower(trino_cast('A'::VARCHAR, 'varchar(5)'))", "varchar | a"},
      {"SELECT t FROM plain UNION ALL SELECT trino_cast('2024-01-01 00:00:00.1'::VARCHAR, "
       "'timestamp(3)')",
       "timestamp(3) | 2024-01-01 00:00:00.123"},
      {"SELECT t FROM plain UNION ALL SELECT trino_cast('2024-01-01 00:00:00'::VARCHAR, "
       "'timestamp(0)')",
       "timestamp(0) | 2024-01-01 00:00:00.123"},
      {"SELECT CASE WHEN true THEN trino_cast('a'::VARCHAR, 'varchar(5)') ELSE v END FROM plain",
       "varchar(5) | a"},
      {"SELECT COALESCE(trino_cast(NULL, 'timestamp(3)'), t) IS NULL FROM plain",
       "boolean | false"},
      {"SELECT count(*) FROM plain WHERE trino_plain(trino_cast(t, 'timestamp(3)')) IN (SELECT "
       "trino_plain(t) FROM plain)",
       "bigint | 1"},
      {"SELECT count(*) FROM plain GROUP BY trino_cast(t, 'timestamp(3)')", "bigint | 1"},
      {"SELECT count(DISTINCT trino_cast(v, 'varchar(2)')) FROM plain", "bigint | 1"},
      {"SELECT lag(trino_cast(v, 'varchar(2)'), 1, trino_cast('x'::VARCHAR, 'varchar(2)')) OVER () "
       "FROM plain",
       "varchar(2) | x"},
  });
}

/// Every row of the table parses, and every scalar that is not a printed template has a rule:
/// calling it with impossible arguments must be refused in Trino's words, never as an internal
/// error.
TEST(Functions, EveryScalarOfTheTableBinds) {
  int scalars = 0;
  for (auto& info : sql::functions()) {
    if (info.kind != sql::FunctionInfo::Kind::kScalar ||
        info.duckdb.find('(') != std::string_view::npos)
      continue;
    ++scalars;
    auto result = session().run("SELECT " + std::string(info.duckdb) +
                                "(INTERVAL 1 DAY, INTERVAL 1 DAY, 1, 2, 3, 4, 5)");
    if (!result->HasError()) continue;
    const Error error = translate(result->GetErrorObject());
    EXPECT_NE(error.code(), Code::kGenericInternalError) << info.name << ": " << error.message();
    EXPECT_EQ(error.message().find("meesh_"), std::string::npos)
        << info.name << ": " << error.message();
  }
  EXPECT_GT(scalars, 250);
  EXPECT_EQ(sql::find_function("LOWER")->duckdb, "trino_lower");
  EXPECT_EQ(sql::find_function("no_such"), nullptr);
}

}  // namespace
}  // namespace meesh::engine
