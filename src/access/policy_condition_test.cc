#include <fmt/format.h>
#include <gtest/gtest.h>

#include "access/condition_values.h"
#include "access/policy.h"

namespace meesh::access {
namespace {

using Values = std::vector<std::string>;

/// Whether a policy with this condition allows a request with these values of "a:b" (none: the key
/// is absent).
bool holds(const std::string& operation, const std::string& wanted,
           const std::optional<Values>& given, const std::string& user = "ann") {
  const Policy policy = Policy::parse(
      fmt::format(
          R"({{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*",
                      "Condition":{{"{}":{{"A:b":{}}}}}}}}})",
          operation, wanted),
      Policy::Kind::kIdentity);
  std::map<std::string, Values> context;
  if (given) context["a:b"] = *given;
  return policy.evaluate({user, "s3:GetObject", "arn:aws:s3:::x/y", &context}) == Effect::kAllow;
}

struct Case {
  std::string operation, wanted, given;
  bool expected;
};

class OperatorTest : public ::testing::TestWithParam<Case> {};

TEST_P(OperatorTest, OneValue) {
  const Case& c = GetParam();
  EXPECT_EQ(holds(c.operation, c.wanted, Values{c.given}), c.expected)
      << c.operation << " " << c.wanted << " given " << c.given;
}

INSTANTIATE_TEST_SUITE_P(
    Strings, OperatorTest,
    ::testing::Values(
        Case{"StringEquals", R"("x")", "x", true}, Case{"StringEquals", R"("x")", "X", false},
        Case{"StringEquals", R"("x*")", "xy", false}, Case{"StringEquals", R"("x*")", "x*", true},
        Case{"StringEquals", R"(["y","x"])", "x", true}, Case{"StringEquals", R"("")", "", true},
        Case{"StringEquals", R"("${aws:username}")", "ann", true},
        Case{"StringEquals", R"("${aws:username}")", "bob", false},
        Case{"StringEquals", "5", "5", true}, Case{"StringEquals", "true", "true", true},
        Case{"StringNotEquals", R"("x")", "y", true}, Case{"StringNotEquals", R"("x")", "x", false},
        Case{"StringNotEquals", R"(["x","y"])", "y", false},
        Case{"StringEqualsIgnoreCase", R"("xY")", "Xy", true},
        Case{"StringEqualsIgnoreCase", R"("xY")", "Xyz", false},
        Case{"StringNotEqualsIgnoreCase", R"("xY")", "Xy", false},
        Case{"StringNotEqualsIgnoreCase", R"("xY")", "z", true},
        Case{"StringLike", R"("raw/*")", "raw/a/b", true},
        Case{"StringLike", R"("raw/*")", "rawa", false}, Case{"StringLike", R"("?")", "a", true},
        Case{"StringLike", R"(["a","home/${aws:username}/*"])", "home/ann/", true},
        Case{"StringNotLike", R"("raw/*")", "raw/a", false},
        Case{"StringNotLike", R"("raw/*")", "x", true}));

INSTANTIATE_TEST_SUITE_P(Numbers, OperatorTest,
                         ::testing::Values(Case{"NumericEquals", "10", "10", true},
                                           Case{"NumericEquals", R"("10")", "1e1", true},
                                           Case{"NumericEquals", "10", "11", false},
                                           Case{"NumericEquals", "10", "ten", false},
                                           Case{"NumericNotEquals", "10", "11", true},
                                           Case{"NumericNotEquals", "10", "10.0", false},
                                           Case{"NumericLessThan", "10", "9.99", true},
                                           Case{"NumericLessThan", "10", "10", false},
                                           Case{"NumericLessThan", "10", "nan", false},
                                           Case{"NumericLessThanEquals", "10", "10", true},
                                           Case{"NumericLessThanEquals", "10", "10.1", false},
                                           Case{"NumericGreaterThan", "-1", "0", true},
                                           Case{"NumericGreaterThan", "0", "0", false},
                                           Case{"NumericGreaterThanEquals", "0", "0", true},
                                           Case{"NumericGreaterThanEquals", "0", "-0.5", false}));

INSTANTIATE_TEST_SUITE_P(
    Dates, OperatorTest,
    ::testing::Values(
        Case{"DateEquals", R"("2026-05-01T10:00:00Z")", "2026-05-01T12:00:00+02:00", true},
        Case{"DateEquals", R"("2026-05-01")", "2026-05-01T00:00:00.000Z", true},
        Case{"DateEquals", R"("1777593600")", "2026-05-01", true},
        Case{"DateNotEquals", R"("2026-05-01")", "2026-05-02", true},
        Case{"DateNotEquals", R"("2026-05-01")", "2026-05-01T00:00Z", false},
        Case{"DateLessThan", R"("2026-05-01T00:00:00Z")", "2026-04-30T23:59:59.999Z", true},
        Case{"DateLessThan", R"("2026-05-01T00:00:00Z")", "2026-05-01T00:00:00Z", false},
        Case{"DateLessThan", R"("2026-05-01T00:00:00Z")", "yesterday", false},
        Case{"DateLessThanEquals", R"("2026-05")", "2026-05-01", true},
        Case{"DateGreaterThan", R"("2026")", "2026-01-02", true},
        Case{"DateGreaterThan", R"("2026")", "2025-12-31", false},
        Case{"DateGreaterThanEquals", "1777593600", "1777593600", true}));

INSTANTIATE_TEST_SUITE_P(
    Others, OperatorTest,
    ::testing::Values(
        Case{"Bool", "true", "true", true}, Case{"Bool", R"("True")", "true", true},
        Case{"Bool", "false", "true", false}, Case{"Bool", "true", "1", false},
        Case{"BinaryEquals", R"("aGk=")", "hi", true},
        Case{"BinaryEquals", R"("aGk=")", "aGk=", false},
        Case{"IpAddress", R"("10.0.0.0/8")", "10.255.0.1", true},
        Case{"IpAddress", R"("10.0.0.0/8")", "11.0.0.1", false},
        Case{"IpAddress", R"("10.0.0.0/8")", "::ffff:10.1.1.1", true},
        Case{"IpAddress", R"("10.1.2.3")", "10.1.2.3", true},
        Case{"IpAddress", R"("10.1.2.3")", "10.1.2.4", false},
        Case{"IpAddress", R"("10.1.2.128/25")", "10.1.2.127", false},
        Case{"IpAddress", R"("0.0.0.0/0")", "1.2.3.4", true},
        Case{"IpAddress", R"("0.0.0.0/0")", "2001:db8::1", false},
        Case{"IpAddress", R"(["127.0.0.1","2001:db8::/32"])", "2001:db8:1::1", true},
        Case{"IpAddress", R"("2001:db8::/33")", "2001:db8:8000::1", false},
        Case{"IpAddress", R"("10.0.0.0/8")", "nonsense", false},
        Case{"NotIpAddress", R"("10.0.0.0/8")", "11.0.0.1", true},
        Case{"NotIpAddress", R"("10.0.0.0/8")", "10.0.0.1", false},
        Case{"ArnEquals", R"("arn:aws:iam::*:user/ann")", "arn:aws:iam::1:user/ann", true},
        Case{"ArnLike", R"("arn:aws:iam::*:user/*")", "arn:aws:iam::1:user/a:b", true},
        Case{"ArnLike", R"("arn:aws:iam:*:user/ann:*")", "arn:aws:iam::1:user/ann", false},
        Case{"ArnLike", R"("arn:*:s3:::b")", "arn:aws:x:s3:::b", false},
        Case{"ArnLike", R"("arn:aws:s3:::${aws:username}/*")", "arn:aws:s3:::ann/x", true},
        Case{"ArnLike", R"("*")", "anything", true},
        Case{"ArnLike", R"("arn:aws:s3:::b")", "b", false},
        Case{"ArnNotEquals", R"("arn:aws:s3:::b")", "arn:aws:s3:::b", false},
        Case{"ArnNotLike", R"("arn:aws:s3:::b*")", "arn:aws:s3:::c", true},
        Case{"Null", "true", "x", false}, Case{"Null", "false", "x", true}));

TEST(Condition, AbsentKeys) {
  EXPECT_FALSE(holds("StringEquals", R"("x")", std::nullopt));
  EXPECT_FALSE(holds("StringEquals", R"("x")", Values{})) << "no values: absent";
  EXPECT_TRUE(holds("StringEqualsIfExists", R"("x")", std::nullopt));
  EXPECT_FALSE(holds("StringEqualsIfExists", R"("x")", Values{"y"}));
  EXPECT_TRUE(holds("StringNotEquals", R"("x")", std::nullopt));
  EXPECT_TRUE(holds("NotIpAddress", R"("10.0.0.0/8")", std::nullopt));
  EXPECT_FALSE(holds("IpAddress", R"("10.0.0.0/8")", std::nullopt));
  EXPECT_FALSE(holds("Bool", "false", std::nullopt));
  EXPECT_TRUE(holds("BoolIfExists", "false", std::nullopt));
  EXPECT_TRUE(holds("Null", "true", std::nullopt));
  EXPECT_FALSE(holds("Null", R"("false")", std::nullopt));
  EXPECT_TRUE(holds("ForAllValues:StringEquals", R"("x")", std::nullopt));
  EXPECT_FALSE(holds("ForAnyValue:StringEquals", R"("x")", std::nullopt));
  EXPECT_TRUE(holds("ForAnyValue:StringEqualsIfExists", R"("x")", std::nullopt));
}

TEST(Condition, SeveralValuesOfTheRequest) {
  EXPECT_TRUE(holds("ForAnyValue:StringEquals", R"(["x","y"])", Values{"z", "y"}));
  EXPECT_FALSE(holds("ForAnyValue:StringEquals", R"(["x","y"])", Values{"z", "w"}));
  EXPECT_TRUE(holds("ForAllValues:StringLike", R"(["x*","y"])", Values{"x1", "y"}));
  EXPECT_FALSE(holds("ForAllValues:StringLike", R"(["x*","y"])", Values{"x1", "z"}));
  EXPECT_TRUE(holds("ForAnyValue:StringNotEquals", R"("x")", Values{"x", "y"}));
  EXPECT_FALSE(holds("ForAnyValue:StringNotEquals", R"("x")", Values{"x", "x"}));
  EXPECT_FALSE(holds("ForAllValues:StringNotEquals", R"("x")", Values{"x", "y"}));
  EXPECT_TRUE(holds("ForAllValues:StringNotEquals", R"("x")", Values{"y", "z"}));
  EXPECT_TRUE(holds("StringEquals", R"("x")", Values{"y", "x"}));
  EXPECT_FALSE(holds("StringNotEquals", R"("x")", Values{"y", "x"}));
}

TEST(Condition, AllOperatorsAndKeysMustHold) {
  const Policy policy = Policy::parse(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*",
          "Condition":{"StringLike":{"s3:prefix":["raw/*",""],"s3:delimiter":"/"},
                       "NumericLessThanEquals":{"s3:max-keys":10}}}})",
      Policy::Kind::kIdentity);
  const auto allowed = [&](std::map<std::string, Values> context) {
    return policy.evaluate({"ann", "s3:ListBucket", "arn:aws:s3:::x", &context}) == Effect::kAllow;
  };
  EXPECT_TRUE(
      allowed({{"s3:prefix", {"raw/a"}}, {"s3:delimiter", {"/"}}, {"s3:max-keys", {"10"}}}));
  EXPECT_TRUE(allowed({{"s3:prefix", {""}}, {"s3:delimiter", {"/"}}, {"s3:max-keys", {"1"}}}));
  EXPECT_FALSE(
      allowed({{"s3:prefix", {"raw/a"}}, {"s3:delimiter", {"/"}}, {"s3:max-keys", {"11"}}}));
  EXPECT_FALSE(allowed({{"s3:prefix", {"raw/a"}}, {"s3:max-keys", {"10"}}}));
  EXPECT_FALSE(allowed({{"s3:prefix", {"x"}}, {"s3:delimiter", {"/"}}, {"s3:max-keys", {"10"}}}));
}

TEST(Condition, NamesOfTagsKeepTheirCase) {
  const Policy policy = Policy::parse(
      R"({"Statement":{"Effect":"Deny","Action":"*","Resource":"*",
          "Condition":{"StringEquals":{"s3:ExistingObjectTag/Team":"x"}}}})",
      Policy::Kind::kIdentity);
  const auto effect = [&](const std::string& key) {
    const std::map<std::string, Values> context = {{key, {"x"}}};
    return policy.evaluate({"ann", "s3:GetObject", "arn:aws:s3:::x/y", &context});
  };
  EXPECT_EQ(effect("s3:existingobjecttag/Team"), Effect::kDeny);
  EXPECT_EQ(effect("s3:existingobjecttag/team"), Effect::kNone);
}

TEST(Condition, KeysThatFollowFromTheRequest) {
  const auto allowed = [](const std::string& condition, std::string_view user) {
    const Policy policy = Policy::parse(
        R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":)" +
            condition + "}}",
        Policy::Kind::kIdentity);
    return policy.evaluate({user, "s3:GetObject", "arn:aws:s3:::x", nullptr}) == Effect::kAllow;
  };
  EXPECT_TRUE(allowed(R"({"StringEquals":{"aws:username":"ann"}})", "ann"));
  EXPECT_TRUE(allowed(R"({"Null":{"aws:username":true}})", ""));
  EXPECT_TRUE(allowed(R"({"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/an*"}})", "ann"));
  EXPECT_TRUE(allowed(R"({"StringEquals":{"aws:principaltype":"Anonymous"}})", ""));
  EXPECT_TRUE(allowed(R"({"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}})", "ann"));
  EXPECT_FALSE(allowed(R"({"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}})", "ann"));
  EXPECT_TRUE(allowed(R"({"NumericGreaterThan":{"aws:EpochTime":1500000000}})", "ann"));
}

TEST(ConditionValues, DatesThatAreNone) {
  for (const char* text :
       {"", "x", "2026-", "2026-13", "2026-02-30", "2026-05-01T", "2026-05-01T25:00Z",
        "2026-05-01T10:60Z", "2026-05-01T10:00:61Z", "2026-05-01T10:00:00.Z",
        "2026-05-01T10:00:00+2:00", "2026-05-01T10:00:00Zx", "2026-05T10:00Z", "2026-05-01 10:00",
        "99999999999999999999", "-2026-05-01"}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
}

TEST(ConditionValues, AddressesThatAreNone) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                           "10.0/8", "2001:db8::/129", "localhost", "10.0.0.0/8/8"}) {
    EXPECT_FALSE(AddressRange::parse(text)) << text;
  }
}

}  // namespace
}  // namespace meesh::access
