// Types of results as typeof tells them: the printer writes them as text.
#include <gtest/gtest.h>

#include "sql/resolve_test_catalog.h"

namespace meesh::sql {
namespace {

/// What typeof(expression) says; "" when it is left to DuckDB.
std::string type_of(const std::string& expression) {
  const std::string text = testing::duckdb("SELECT typeof(" + expression + ")");
  const std::string before = "ELSE '", after = "'::VARCHAR END";
  const auto from = text.rfind(before), to = text.rfind(after);
  if (from == std::string::npos || to == std::string::npos) return "";
  return text.substr(from + before.size(), to - from - before.size());
}

struct Told {
  const char* expression;
  const char* type;
};
class CallTypes : public ::testing::TestWithParam<Told> {};

TEST_P(CallTypes, AreTrinos) {
  EXPECT_EQ(type_of(GetParam().expression), GetParam().type) << GetParam().expression;
}

INSTANTIATE_TEST_SUITE_P(
    Unknown, CallTypes,
    ::testing::Values(
        Told{"NULL", "unknown"}, Told{"ARRAY[ARRAY[1], ARRAY[]]", "array(array(integer))"},
        Told{"map_entries(MAP())", "array(row(unknown, unknown))"}, Told{"abs(NULL)", "tinyint"},
        Told{"upper(NULL)", "varchar(0)"}, Told{"contains(NULL, 2)", "boolean"},
        Told{"map(NULL, ARRAY[1])", "map(unknown, integer)"},
        Told{"mod(DECIMAL '12345678.90', NULL)", "decimal(3,2)"},
        Told{"flatten(ARRAY[])", "array(unknown)"}, Told{"'a' || NULL", "array(varchar(1))"}));

INSTANTIATE_TEST_SUITE_P(Lengths, CallTypes,
                         ::testing::Values(Told{"array_max(ARRAY['a', 'bcd'])", "varchar(3)"},
                                           Told{"replace('abc', 'b', 'xy')", "varchar(11)"},
                                           Told{"url_encode('ab')", "varchar(24)"},
                                           Told{"to_iso8601(TIMESTAMP '2024-01-01 00:00:00.123')",
                                                "varchar(26)"},
                                           Told{"upper(CAST('a' AS char(4)))", "char(4)"},
                                           Told{"CAST('a' AS char(3)) || 'b'", "char(4)"},
                                           Told{"substr(X'0102', 1)", "varbinary"},
                                           Told{"split('a,b', ',')", "array(varchar(3))"}));

INSTANTIATE_TEST_SUITE_P(
    Lambdas, CallTypes,
    ::testing::Values(Told{"transform(ARRAY['a'], x -> length(x))", "array(bigint)"},
                      Told{"zip_with(ARRAY[1], ARRAY['ab'], (x, y) -> (y, x))",
                           "array(row(varchar(2), integer))"},
                      Told{"transform_keys(MAP(ARRAY[1], ARRAY['a']), (k, v) -> k + 1E0)",
                           "map(double, varchar(1))"},
                      Told{"reduce(ARRAY[1], '', (s, x) -> s || CAST(x AS varchar), s -> s)",
                           "varchar"},
                      Told{"map_filter(MAP(), (k, v) -> true)", "map(unknown, unknown)"}));

INSTANTIATE_TEST_SUITE_P(Numbers, CallTypes,
                         ::testing::Values(Told{"ceil(DECIMAL '99.01')", "decimal(3,0)"},
                                           Told{"truncate(DECIMAL '2.99')", "decimal(1,0)"},
                                           Told{"truncate(5)", "decimal(10,0)"},
                                           Told{"round(DECIMAL '1234.567', 2)", "decimal(8,3)"},
                                           Told{"sign(DECIMAL '-12.50')", "decimal(1,0)"},
                                           Told{"corr(1, REAL '2')", "real"},
                                           Told{"corr(1, 2E0)", "double"},
                                           Told{"geometric_mean(1)", "double"},
                                           Told{"INTERVAL '1' DAY * 2", "interval day to second"}));

// ---------------------------------------------------------------- keys of ORDER BY

TEST(SortKeys, AreOfTypesThatCanBeOrdered) {
  const std::string refusal = "TYPE_MISMATCH: line 1:1: Type ";
  const std::string end = " is not orderable, and therefore cannot be used in ORDER BY: ";
  EXPECT_EQ(testing::error_of("SELECT x FROM (VALUES JSON '1') t(x) ORDER BY x"),
            refusal + "json" + end + "x");
  EXPECT_EQ(testing::error_of("SELECT 1, ARRAY[MAP()] UNION SELECT 2, ARRAY[MAP()] ORDER BY 2"),
            refusal + "array(map(unknown, unknown))" + end + ":input(1)");
  EXPECT_EQ(testing::error_of("SELECT array_agg(x ORDER BY x) FROM (VALUES JSON '1') t(x)"),
            "TYPE_MISMATCH: line 1:8: ORDER BY can only be applied to orderable types (actual: "
            "json)");
  EXPECT_EQ(testing::error_of("SELECT x FROM (VALUES ARRAY[1]) t(x) ORDER BY x"), "");
}

// ---------------------------------------------------------------- rows as columns, names

std::vector<std::string> names_of(const std::string& query) {
  std::vector<std::string> out;
  for (const auto& column : testing::resolve_text(query).analysis.columns)
    out.push_back(column.name);
  return out;
}

TEST(ResultNames, ARowInValuesIsItsFieldsWithoutTheirNames) {
  const std::string row = "CAST(ROW(1, 2) AS row(a integer, b integer))";
  EXPECT_EQ(names_of("SELECT * FROM (VALUES " + row + ") t"),
            (std::vector<std::string>{"_col0", "_col1"}));
  EXPECT_EQ(testing::error_of("VALUES (1, 2, 3), " + row),
            "TYPE_MISMATCH: line 1:1: Values rows have mismatched sizes: 3 vs 2");
}

TEST(ResultNames, OfAFieldIsShownForPathsOnly) {
  const std::string row = "CAST(ROW(1) AS row(a integer))";
  EXPECT_EQ(names_of("SELECT " + row + ".a, r.a FROM (SELECT " + row + " AS r)"),
            (std::vector<std::string>{"_col0", "a"}));
  EXPECT_EQ(names_of("SELECT (" + row + ").* AS (b), (" + row + ").* AS (\"c\")"),
            (std::vector<std::string>{"B", "c"}));
}

}  // namespace
}  // namespace meesh::sql
