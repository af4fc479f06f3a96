#include "quality/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "quality/contract_schema.h"

namespace meesh::quality {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr const char* kHead = R"(apiVersion: v3.1.0
kind: DataContract
id: orders-contract
version: 1.0.0
status: active
servers:
  - { server: mesh, type: trino, host: localhost, port: 8080, catalog: lake, schema: silver }
)";

struct Read {
  std::optional<Contract> contract;
  std::vector<std::string> problems;
};

Read read(const std::string& text) {
  static const mesh::Mesh mesh;
  std::vector<Error> problems;
  Read read;
  read.contract = parse_contract(text, "contracts/c.yaml", "contracts/c.yaml", mesh, problems);
  for (const auto& problem : problems) read.problems.push_back(problem.what());
  return read;
}

std::vector<std::string> names(const Read& read) {
  std::vector<std::string> names;
  for (const auto& check : read.contract->suites.at(0).checks) names.push_back(check.name);
  return names;
}

TEST(Contract, becomes_checks_of_its_table) {
  const auto one = read(std::string(kHead) + R"(schema:
  - name: orders
    properties:
      - { name: id, logicalType: integer, physicalType: BIGINT, primaryKey: true }
      - name: email
        logicalType: string
        required: true
        unique: true
        logicalTypeOptions: { maxLength: 50, pattern: "@" }
        quality:
          - { metric: nullValues, mustBeLessThan: 5, unit: percent, severity: warning }
          - { metric: invalidValues, arguments: { validValues: [a@b, c@d] }, mustBe: 0 }
    quality:
      - { metric: rowCount, mustBeBetween: [1, 100] }
      - { type: sql, query: "SELECT max(id) FROM {object}", mustBeLessOrEqualTo: 7 }
      - { type: text, description: Looked at by people. }
slaProperties:
  - { property: latency, value: 2, unit: d, element: orders.placed }
)");
  ASSERT_THAT(one.problems, IsEmpty());
  EXPECT_EQ(one.contract->suites.at(0).table, "lake.silver.orders");
  EXPECT_THAT(names(one),
              ElementsAre("not_null(email)", "unique(email)", "regex(email)", "maxLength(email)",
                          "not_null(email) #2", "accepted_values(email)", "schema", "not_null(id)",
                          "unique(id)", "row_count", "measure", "freshness(placed)"));
  const auto& checks = one.contract->suites[0].checks;
  EXPECT_EQ(checks[4].bound.words(), "less than 5 %");
  EXPECT_EQ(checks[4].severity, Severity::kWarn);
  EXPECT_EQ(checks[6].expected[0], (std::pair<std::string, std::string>("id", "bigint")));
  EXPECT_EQ(checks[10].sql, "SELECT max(id) FROM {{ table }}");
  EXPECT_EQ(checks[11].bound.high, 2 * 86400);
  EXPECT_THAT(one.contract->unchecked, ElementsAre(HasSubstr("Looked at by people.")));
}

TEST(Contract, mistakes_have_their_place) {
  EXPECT_THAT(read("apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\n").problems,
              ElementsAre("contracts/c.yaml:1:1: the key 'status' is missing"));
  EXPECT_THAT(read(std::string(kHead) + "ownr: me\n").problems,
              Contains(HasSubstr("contracts/c.yaml:8:1: unknown key 'ownr'")));
  EXPECT_THAT(
      read(std::string(kHead) +
           "schema:\n  - name: t\n    properties:\n      - { name: a, logicalType: text }\n")
          .problems,
      Contains(HasSubstr("contracts/c.yaml:11:33")));
  EXPECT_THAT(read(std::string(kHead) + "schema:\n  - name: t\n    proprties: []\n").problems,
              Contains(HasSubstr("contracts/c.yaml:10:5: unknown key 'proprties' (did you mean "
                                 "'properties'?)")));
  EXPECT_THAT(read(std::string(kHead) + "schema:\n  - name: t\n    properties:\n      - name: a\n"
                                        "        required: 'yes'\n")
                  .problems,
              Contains(HasSubstr("contracts/c.yaml:12:19: expected true or false, found text")));
  EXPECT_THAT(read("apiVersion: [v3.1.0\n").problems, Contains(HasSubstr("contracts/c.yaml:")));
}

TEST(Contract, rules_that_cannot_be_are_told) {
  const auto with = [](const std::string& rule) {
    return read(std::string(kHead) + "schema:\n  - name: t\n    quality:\n      - " + rule + "\n")
        .problems;
  };
  EXPECT_THAT(with("{ metric: nullValues, mustBe: 0 }"), Contains(HasSubstr("about a column")));
  EXPECT_THAT(with("{ type: sql, query: 'SELEC 1', mustBe: 0 }"),
              Contains(HasSubstr("contracts/c.yaml:11:29")));
  EXPECT_THAT(with("{ metric: rowCount }"), Contains(HasSubstr("one of the keys")));
  EXPECT_THAT(with("{ metric: rowCount, mustBe: 1, mustNotBe: 2 }"),
              Contains(HasSubstr("only one of several")));
}

TEST(Contract, the_table_needs_a_place) {
  EXPECT_THAT(read("apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: draft\n"
                   "schema:\n  - name: t\n")
                  .problems,
              Contains(HasSubstr("it is not told which table 't' is")));
}

std::vector<std::string> checked(const char* schema, const std::string& text) {
  std::vector<Error> problems;
  check_schema(boost::json::parse(schema), yaml::parse(text, "f"), problems);
  std::vector<std::string> told;
  for (const auto& problem : problems) told.push_back(problem.what());
  return told;
}

TEST(ContractSchema, unevaluated_keys_are_those_no_part_knows) {
  constexpr const char* kSchema = R"({"allOf": [{"properties": {"a": true}}],
    "if": {"properties": {"kind": {"const": "x"}}, "required": ["kind"]},
    "then": {"properties": {"b": {"type": "integer"}}},
    "properties": {"kind": {"type": "string"}}, "unevaluatedProperties": false})";
  EXPECT_THAT(checked(kSchema, "{a: 1, kind: x, b: 2}"), IsEmpty());
  EXPECT_THAT(checked(kSchema, "{a: 1, kind: y, b: 2}"), ElementsAre("f:1:17: unknown key 'b'"));
  EXPECT_THAT(checked(kSchema, "{kind: x, b: no}"), ElementsAre(HasSubstr("expected an integer")));
}

TEST(ContractSchema, lists_and_numbers) {
  constexpr const char* kSchema =
      R"({"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 2,
          "uniqueItems": true})";
  EXPECT_THAT(checked(kSchema, "[1, 2.5]"), IsEmpty());
  EXPECT_THAT(checked(kSchema, "[1, 1.0]"), ElementsAre("f:1:5: it stands in the list twice"));
  EXPECT_THAT(checked(kSchema, "[0]"),
              UnorderedElementsAre(HasSubstr("f:1:1: at least 2 items"),
                                   HasSubstr("f:1:2: it is not more than 0")));
}

}  // namespace
}  // namespace meesh::quality
