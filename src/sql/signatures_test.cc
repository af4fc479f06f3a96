#include "sql/signatures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sql/explain_error.h"
#include "sql/resolve_test_catalog.h"

namespace meesh::sql {
namespace {

using testing::error_of;
using testing::resolve_text;

TEST(Signatures, AreOneALineAndAscending) {
  const auto& all = signatures();
  ASSERT_GT(all.size(), 600u);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](const Signature& a, const Signature& b) {
    return a.name < b.name;
  }));
  for (const auto& s : all) {
    EXPECT_FALSE(s.name.empty() || s.result.empty());
    EXPECT_NE(std::string_view("sawt").find(s.kind), std::string_view::npos) << s.name;
  }
  EXPECT_FALSE(signatures_of("random").front().deterministic);
}

TEST(Signatures, WhatACallCouldHaveMeant) {
  EXPECT_EQ(expected_signatures("reverse"),
            "reverse(array(e)) E, reverse(char(x)), reverse(varbinary), reverse(varchar(x))");
  EXPECT_EQ(expected_signatures("no_such"), "");
  EXPECT_TRUE(takes_count("concat", 9));
  EXPECT_FALSE(takes_count("abs", 2));
  EXPECT_TRUE(takes_count("no_such", 2));
}

Error refusal(std::string_view text, const Error& error) {
  auto resolved = resolve_text(text);
  return explained(*resolved.statement, error);
}

const Error kOfAbs(Code::kFunctionNotFound,
                   "Unexpected parameters (VARCHAR) for function abs. Expected: abs(T)");

TEST(ExplainError, FindsTheCallHoweverDeep) {
  const auto found =
      refusal("SELECT 1 FROM (SELECT upper('x') || CAST(abs('yz') AS varchar) y)", kOfAbs);
  EXPECT_EQ(found.location().column, 42);
  EXPECT_THAT(found.message(),
              ::testing::StartsWith("Unexpected parameters (varchar(2)) for function abs. "
                                    "Expected: abs(bigint), abs(decimal(p,s)), "));
}

TEST(ExplainError, OtherErrorsStay) {
  const Error other(Code::kDivisionByZero, "Division by zero", {1, 2, {}});
  EXPECT_EQ(refusal("SELECT abs('x')", other).message(), "Division by zero");
  EXPECT_EQ(refusal("SELECT upper('x')", kOfAbs).message(), kOfAbs.message());
}

TEST(ExplainError, TheCastThatFailed) {
  const Error error(Code::kTypeMismatch, "Cannot cast boolean to varbinary");
  EXPECT_EQ(refusal("SELECT 1, CAST(true AS varbinary)", error).location().column, 11);
}

TEST(CheckCount, ComesBeforeAnythingElseAboutTheCall) {
  EXPECT_EQ(error_of("SELECT first_value()"),
            "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters () for function first_value. "
            "Expected: first_value(t) T");
  EXPECT_THAT(error_of("SELECT 1, all_match()"), ::testing::HasSubstr("line 1:11: Unexpected"));
}

}  // namespace
}  // namespace meesh::sql
