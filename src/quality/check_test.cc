#include "quality/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quality/check_sql.h"
#include "quality/parameters.h"

namespace meesh::quality {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Read {
  std::vector<Check> checks;
  std::vector<std::string> problems;
};

/// As a file of checks is read: against the shape first.
Read read(const std::string& text) {
  yaml::Document document = yaml::parse(text, "checks/t.yaml");
  std::vector<Error> problems;
  base::check(checks_shape(), document, problems);
  Read read;
  if (problems.empty()) read.checks = parse_checks(document, document.root, problems);
  for (const auto& problem : problems) read.problems.push_back(problem.what());
  return read;
}

Target orders() {
  return {"\"lake\".\"silver\".\"orders\"",
          {{"id", sql::Type::parse("bigint")},
           {"status", sql::Type::parse("varchar")},
           {"placed", sql::Type::parse("date")},
           {"note", sql::Type::parse("varchar(20)")},
           {"price", sql::Type::parse("decimal(10,2)")}},
          {{"run_date", "2025-01-15"}}};
}

Measure compiled(const std::string& item) {
  const auto one = read("- " + item);
  EXPECT_THAT(one.problems, IsEmpty());
  return compile(one.checks.at(0), orders());
}

TEST(Checks, one_item_of_not_null_makes_a_check_a_column) {
  const auto all = read("- { kind: not_null, columns: [id, status], severity: warn }\n");
  EXPECT_THAT(all.problems, IsEmpty());
  ASSERT_EQ(all.checks.size(), 2u);
  EXPECT_EQ(all.checks[0].name, "not_null(id)");
  EXPECT_EQ(all.checks[1].name, "not_null(status)");
  EXPECT_EQ(all.checks[1].severity, Severity::kWarn);
}

TEST(Checks, equal_names_are_numbered) {
  const auto all = read(
      "- { kind: range, column: id, min: 1 }\n- { kind: range, column: id, max: 9 }\n"
      "- { kind: unique, columns: [id, status], name: key }\n");
  EXPECT_EQ(all.checks[1].name, "range(id) #2");
  EXPECT_EQ(all.checks[2].name, "key");
}

TEST(Checks, mistakes_have_their_place) {
  EXPECT_THAT(read("- { kind: not_nul, columns: [id] }\n").problems,
              ElementsAre(HasSubstr("checks/t.yaml:1:11")));
  EXPECT_THAT(read("- { kind: not_null, column: id }\n").problems,
              ::testing::Contains(HasSubstr("write columns: [NAME]")));
  EXPECT_THAT(read("- kind: range\n  column: id\n").problems,
              ElementsAre(HasSubstr("checks/t.yaml:1:3: a range has 'min', 'max' or both")));
  EXPECT_THAT(read("- { kind: unique, columns: [id], at_most: 101% }\n").problems,
              ElementsAre(HasSubstr("failing rows such as 5 or 1%")));
  EXPECT_THAT(read("- { kind: relationships, column: id, to: customers.id }\n").problems,
              ElementsAre(HasSubstr("write catalog.schema.table.column")));
  EXPECT_THAT(read("- { kind: expression, sql: 'price > ' }\n").problems,
              ElementsAre(HasSubstr("checks/t.yaml:1:28")));
  EXPECT_THAT(read("- { kind: not_null, columns: [id], where: '1=1) OR (1=1' }\n").problems,
              ElementsAre(HasSubstr("checks/t.yaml:1:43")));
  EXPECT_THAT(read("- { kind: schema, columns: { id: bigitn } }\n").problems,
              ElementsAre(HasSubstr("checks/t.yaml:1:34")));
  EXPECT_THAT(read("- { kind: row_count, min: 5, max: 2 }\n").problems,
              ElementsAre(HasSubstr("'min' is greater than 'max'")));
  EXPECT_THAT(read("- { kind: anomaly, metric: mean }\n").problems,
              ElementsAre(HasSubstr("'column' is missing")));
}

TEST(Checks, a_bound_says_what_it_is) {
  EXPECT_EQ(read("- { kind: unique, columns: [id], at_most: 1.5% }").checks[0].bound.words(),
            "at most 1.5 %");
  EXPECT_EQ(read("- { kind: row_count, min: 2, max: 9 }").checks[0].bound.words(),
            "between 2 and 9");
  EXPECT_EQ(Bound{}.words(), "0");
  Bound open = Bound::between(5, Bound::kNone);
  open.low_open = true;
  EXPECT_EQ(open.words(), "more than 5");
  EXPECT_FALSE(open.holds(5));
  EXPECT_TRUE(open.holds(5.1));
  open.negated = true;
  EXPECT_TRUE(open.holds(5));
}

TEST(Checks, ages) {
  EXPECT_EQ(parse_age("36h"), 36 * 3600);
  EXPECT_EQ(parse_age("7d"), 7 * 86400);
  EXPECT_EQ(parse_age("7w"), std::nullopt);
  EXPECT_EQ(parse_age("99999999999999999d"), std::nullopt);
  EXPECT_EQ(age_words(93600), "1 d 2 h");
}

TEST(Checks, names_of_tables_become_sql) {
  EXPECT_EQ(table_sql("lake.silver.Orders"), "\"lake\".\"silver\".\"orders\"");
  EXPECT_EQ(table_sql("lake.silver.\"a.b\""), "\"lake\".\"silver\".\"a.b\"");
  EXPECT_EQ(table_sql("silver.orders"), std::nullopt);
  EXPECT_EQ(table_sql("lake..orders"), std::nullopt);
  EXPECT_EQ(table_sql("lake.silver.\"x"), std::nullopt);
}

TEST(CheckSql, values_take_the_type_of_their_column) {
  EXPECT_THAT(compiled("{ kind: range, column: placed, min: '2024-01-01' }").aggregates[1],
              HasSubstr("NOT (\"placed\" >= CAST('2024-01-01' AS date))"));
  EXPECT_THAT(compiled("{ kind: range, column: price, min: 0, max: 9.5 }").aggregates[1],
              HasSubstr("\"price\" >= 0 AND \"price\" <= 9.5"));
  EXPECT_THAT(
      compiled("{ kind: accepted_values, column: status, values: [1, it's] }").aggregates[1],
      HasSubstr("\"status\" NOT IN ('1', 'it''s')"));
}

TEST(CheckSql, filters_and_parameters_go_along) {
  const auto measure =
      compiled("{ kind: not_null, columns: [note], where: \"placed = DATE '{{ run_date }}'\" }");
  EXPECT_THAT(measure.aggregates[0], HasSubstr("count_if((placed = DATE '2025-01-15'))"));
  EXPECT_THAT(measure.sample, HasSubstr("\"note\" IS NULL"));
}

TEST(CheckSql, a_comment_ends_where_the_condition_ends) {
  EXPECT_THAT(compiled("{ kind: expression, sql: \"id > 0 -- always\" }").aggregates[1],
              HasSubstr("(NOT (id > 0))"));
}

TEST(CheckSql, all_checks_of_rows_are_one_scan) {
  const auto first = compiled("{ kind: not_null, columns: [id] }"),
             second = compiled("{ kind: unique, columns: [id, status] }"),
             third = compiled("{ kind: row_count }");
  const auto query = scan_query({&first, &second, &third}, orders());
  EXPECT_THAT(query, HasSubstr("count(DISTINCT CASE WHEN"));
  EXPECT_THAT(query, HasSubstr("THEN ROW(\"id\", \"status\") END)"));
  EXPECT_EQ(query.find(" FROM "), query.rfind(" FROM "));
}

TEST(CheckSql, an_unknown_column_is_told_with_what_was_meant) {
  const auto one = read("- { kind: not_null, columns: [statsu] }");
  try {
    compile(one.checks[0], orders());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kColumnNotFound);
    EXPECT_THAT(e.hint(), HasSubstr("'status'"));
  }
}

TEST(CheckSql, differences_of_a_schema) {
  const auto one = read(
      "- { kind: schema, exact: true, columns: { id: bigint, status: any, price: double, gone: any "
      "} }");
  EXPECT_THAT(schema_differences(one.checks.at(0), orders()),
              ElementsAre("column 'price' is decimal(10,2), not double", "column 'gone' is missing",
                          "column 'note' (varchar(20)) is not expected",
                          "column 'placed' (date) is not expected"));
}

TEST(Parameters, are_filled_in_or_told) {
  EXPECT_EQ(fill_parameters("a {{ x }} b {{y}}", {{"x", "1"}, {"y", "2"}}), "a 1 b 2");
  EXPECT_EQ(fill_parameters("no {{ end", {}), "no {{ end");
  try {
    fill_parameters("SELECT\n  {{ run_dat }}", {{"run_date", "x"}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("line 2:3: parameter 'run_dat' has no value"));
    EXPECT_THAT(e.hint(), HasSubstr("run_date"));
  }
  EXPECT_THROW(check_parameters({{"x", "'; DROP"}}), Error);
  EXPECT_NO_THROW(check_parameters({{"x", "2025-01-15 10:00:00.5+02 a_B"}}));
}

}  // namespace
}  // namespace meesh::quality
