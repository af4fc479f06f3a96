#include "access/policy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/policy_pattern.h"
#include "base/error.h"

namespace meesh::access {
namespace {

using ::testing::HasSubstr;
using Context = std::map<std::string, std::vector<std::string>>;

Effect ask(const Policy& policy, std::string_view principal, std::string_view action,
           std::string_view resource, const Context& context = {}) {
  return policy.evaluate(
      {.principal = principal, .action = action, .resource = resource, .context = &context});
}

std::string statement(const std::string& inside) {
  return R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",)" + inside + "}}";
}
Policy identity(const std::string& inside) {
  return Policy::parse(statement(inside), Policy::Kind::kIdentity);
}
Policy bucket_policy(const std::string& inside) {
  return Policy::parse(statement(inside), Policy::Kind::kResource);
}

/// What parsing complains of, with line:column.
std::string complaint(const std::string& json, Policy::Kind kind = Policy::Kind::kIdentity) {
  try {
    Policy::parse(json, kind);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArguments);
    return error.what();
  }
  return "none";
}

TEST(Policy, AllowsWhatItNamesAndNothingElse) {
  const Policy policy = identity(
      R"("Action":["s3:GetObject","s3:List*"],"Resource":["arn:aws:s3:::lake/raw/*","arn:aws:s3:::lake"])");
  EXPECT_EQ(ask(policy, "ann", "s3:GetObject", "arn:aws:s3:::lake/raw/a"), Effect::kAllow);
  EXPECT_EQ(ask(policy, "ann", "s3:getobject", "arn:aws:s3:::lake/raw/"), Effect::kAllow);
  EXPECT_EQ(ask(policy, "ann", "s3:ListBucket", "arn:aws:s3:::lake"), Effect::kAllow);
  EXPECT_EQ(ask(policy, "ann", "s3:PutObject", "arn:aws:s3:::lake/raw/a"), Effect::kNone);
  EXPECT_EQ(ask(policy, "ann", "s3:GetObject", "arn:aws:s3:::lake/RAW/a"), Effect::kNone);
  EXPECT_EQ(ask(policy, "ann", "s3:GetObject", "arn:aws:s3:::lake2/raw/a"), Effect::kNone);
}

TEST(Policy, DenyWinsWhereverItStands) {
  for (
      const char* order :
      {R"([{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::lake/secret*"},{"Effect":"Allow","Action":"*","Resource":"*"}])",
       R"([{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::lake/secret*"}])"}) {
    const Policy policy =
        Policy::parse(fmt::format(R"({{"Version":"2012-10-17","Statement":{}}})", order),
                      Policy::Kind::kIdentity);
    EXPECT_EQ(ask(policy, "ann", "s3:GetObject", "arn:aws:s3:::lake/secret/a"), Effect::kDeny);
    EXPECT_EQ(ask(policy, "ann", "s3:GetObject", "arn:aws:s3:::lake/open/a"), Effect::kAllow);
  }
  EXPECT_EQ(ask(Policy(), "ann", "s3:GetObject", "arn:aws:s3:::lake/a"), Effect::kNone);
}

TEST(Policy, NotActionAndNotResource) {
  const Policy policy =
      identity(R"("NotAction":"s3:Delete*","NotResource":"arn:aws:s3:::lake/x/*")");
  EXPECT_EQ(ask(policy, "a", "s3:GetObject", "arn:aws:s3:::lake/y"), Effect::kAllow);
  EXPECT_EQ(ask(policy, "a", "s3:DeleteObject", "arn:aws:s3:::lake/y"), Effect::kNone);
  EXPECT_EQ(ask(policy, "a", "s3:GetObject", "arn:aws:s3:::lake/x/y"), Effect::kNone);
}

TEST(Policy, Principals) {
  const std::string rest = R"(,"Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*")";
  const auto answers = [&](const std::string& principal, std::string_view who) {
    return ask(bucket_policy(principal + rest), who, "s3:GetObject", "arn:aws:s3:::lake/a") ==
           Effect::kAllow;
  };
  EXPECT_TRUE(answers(R"("Principal":"*")", ""));
  EXPECT_TRUE(answers(R"("Principal":{"AWS":"*"})", "ann"));
  EXPECT_TRUE(answers(R"("Principal":{"AWS":["*"]})", ""));
  EXPECT_TRUE(answers(R"("Principal":{"AWS":"ann"})", "ann"));
  EXPECT_FALSE(answers(R"("Principal":{"AWS":"ann"})", "Ann"));
  EXPECT_FALSE(answers(R"("Principal":{"AWS":"ann"})", ""));
  EXPECT_TRUE(
      answers(R"("Principal":{"AWS":["bob","arn:aws:iam::123456789012:user/ann"]})", "ann"));
  EXPECT_TRUE(answers(R"("Principal":{"AWS":"arn:aws:iam:::user/ann"})", "ann"));
  EXPECT_FALSE(answers(R"("NotPrincipal":{"AWS":["ann"]})", "ann"));
  EXPECT_TRUE(answers(R"("NotPrincipal":{"AWS":["ann"]})", "bob"));
  EXPECT_TRUE(answers(R"("NotPrincipal":{"AWS":["ann"]})", ""));
}

TEST(Policy, VariablesOfTheCaller) {
  const std::string rest = R"("Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*")";
  const Policy policy = identity(rest);
  EXPECT_EQ(ask(policy, "ann", "s3:GetObject", "arn:aws:s3:::home/ann/x"), Effect::kAllow);
  EXPECT_EQ(ask(policy, "ann", "s3:GetObject", "arn:aws:s3:::home/bob/x"), Effect::kNone);
  // A name is text, whatever it holds; who has none matches nothing.
  EXPECT_EQ(ask(policy, "*", "s3:GetObject", "arn:aws:s3:::home/bob/x"), Effect::kNone);
  EXPECT_EQ(ask(policy, "", "s3:GetObject", "arn:aws:s3:::home//x"), Effect::kNone);
  // The context cannot lie about who asks.
  EXPECT_EQ(
      ask(policy, "ann", "s3:GetObject", "arn:aws:s3:::home/bob/x", {{"aws:username", {"bob"}}}),
      Effect::kNone);
  const Policy literal =
      identity(R"("Action":"s3:*","Resource":"arn:aws:s3:::home/${*}${?}${$}{aws:userid}/*")");
  EXPECT_EQ(ask(literal, "ann", "s3:GetObject", "arn:aws:s3:::home/*?${aws:userid}/x"),
            Effect::kAllow);
  EXPECT_EQ(ask(literal, "ann", "s3:GetObject", "arn:aws:s3:::home/ab${aws:userid}/x"),
            Effect::kNone);
}

TEST(Policy, TheOldVersionHasNoVariables) {
  for (const char* version : {R"("Version":"2008-10-17",)", ""}) {
    const Policy policy = Policy::parse(
        fmt::format(
            R"({{{}"Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${{aws:username}}"}}}})",
            version),
        Policy::Kind::kIdentity);
    EXPECT_EQ(ask(policy, "ann", "s3:GetObject", "arn:aws:s3:::home/ann"), Effect::kNone);
    EXPECT_EQ(ask(policy, "ann", "s3:GetObject", "arn:aws:s3:::home/${aws:username}"),
              Effect::kAllow);
  }
}

TEST(Policy, ServerActionsMayGoWithoutResource) {
  const Policy policy = identity(R"("Action":["admin:*","kms:*"])");
  EXPECT_EQ(ask(policy, "ann", "admin:CreateUser", "*"), Effect::kAllow);
  EXPECT_THAT(complaint(statement(R"("Action":["admin:*","s3:*"])")), HasSubstr("no Resource"));
}

TEST(Policy, MistakesAreToldWithTheirPlace) {
  struct Case {
    std::string json, line_column, what;
    Policy::Kind kind = Policy::Kind::kIdentity;
  };
  const auto in = [](const std::string& inside) { return statement(inside); };
  const std::string good = R"("Action":"s3:*","Resource":"*")";
  const auto bucket = Policy::Kind::kResource;
  const std::vector<Case> cases = {
      {"", "line 1:1", "not JSON"},
      {"{", "line 1:2", "not JSON"},
      {"[]", "line 1:1", "expected a policy, an object"},
      {"{}", "line 1:1", "no Statement"},
      {"{\n  \"Version\": \"2012-10-18\"}", "line 2:14", "the version '2012-10-17'"},
      {"{\n  \"Sttement\": []}", "line 2:3", "did you mean 'Statement'?"},
      {"{\"Statement\": []}", "line 1:15", "at least one statement"},
      {"{\"Statement\": [1]}", "line 1:16", "not the number 1"},
      {"{\"Statement\": {\"Action\": \"s3:*\"}}", "line 1:15", "no Effect"},
      {"{\"Statement\": {\"Effect\": \"allow\"}}", "line 1:26", "'Allow' or 'Deny'"},
      {"{\"Statement\": {}, \"Statement\": {}}", "line 1:19", "stands twice"},
      {"{\"Statement\": {}} x", "line 1:19", "not JSON"},
      {in(R"("Resource":"*")"), "line 1:37", "no Action"},
      {in(R"("Action":"s3:*")"), "line 1:37", "no Resource"},
      {in(R"("Action":"s3:*","NotAction":"s3:*","Resource":"*")"), "line 1:83", "not both"},
      {in(R"("Action":"GetObject","Resource":"*")"), "line 1:64", "such as s3:GetObject"},
      {in(R"("Action":["s3:Get Object"],"Resource":"*")"), "line 1:65", "s3:Get Object"},
      {in(R"("Action":[],"Resource":"*")"), "line 1:64", "empty array"},
      {in(R"("Action":"s3:*","Resource":"lake/*")"), "line 1:82", "arn:aws:s3:::bucket"},
      {in(R"("Action":"s3:*","Resource":"arn:aws:s3::lake")"), "line 1:82", "arn:aws:s3::lake"},
      {in(R"("Action":"s3:*","Resource":{})"), "line 1:82", "not an object"},
      {in(R"("Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/x}")"), "line 1:82",
       "${aws:PrincipalTag/x} is not supported"},
      {in(R"("Action":"s3:*","Resource":"arn:aws:s3:::${aws:username")"), "line 1:82", "no end"},
      {in(good + R"(,"Principal":"*")"), "line 1:98", "no Principal"},
      {in(good + R"(,"Condtion":{})"), "line 1:86", "did you mean 'Condition'?"},
      {in(good), "line 1:37", "no Principal", bucket},
      {in(good + R"(,"Principal":"ann")"), "line 1:98", "the text 'ann'", bucket},
      {in(good + R"(,"Principal":{})"), "line 1:98", R"({"AWS": …})", bucket},
      {in(good + R"(,"Principal":{"Service":"x"})"), "line 1:99", "'Service'", bucket},
      {in(good + R"(,"Principal":{"AWS":"an*"})"), "line 1:105", "user's name", bucket},
      {in(good + R"(,"Principal":{"AWS":"arn:aws:iam::1:role/x"})"), "line 1:105", "role/x",
       bucket},
      {in(good + R"(,"NotPrincipal":"*")"), "line 1:101", "nobody", bucket},
      {in(good + R"(,"Condition":[])"), "line 1:98", "not an array"},
      {in(good + R"(,"Condition":{"StringLik":{}})"), "line 1:99", "did you mean 'StringLike'?"},
      {in(good + R"(,"Condition":{"NullIfExists":{}})"), "line 1:99", "NullIfExists"},
      {in(good + R"(,"Condition":{"Bool":1})"), "line 1:106", "not the number 1"},
      {in(good + R"(,"Condition":{"Bool":{"x":true}})"), "line 1:107", "condition key"},
      {in(good + R"(,"Condition":{"Bool":{"a:b":"no"}})"), "line 1:113", "true or false"},
      {in(good + R"(,"Condition":{"Bool":{"a:b":[]}})"), "line 1:113", "at least one"},
      {in(good + R"(,"Condition":{"Bool":{"a:b":null}})"), "line 1:113", "not null"},
      {in(good + R"(,"Condition":{"IpAddress":{"a:b":["1.2.3.4","1.2.3/8"]}})"), "line 1:129",
       "an address or a range"},
      {in(good + R"(,"Condition":{"DateLessThan":{"a:b":"soon"}})"), "line 1:121", "a date"},
      {in(good + R"(,"Condition":{"NumericEquals":{"a:b":"1x"}})"), "line 1:122", "a number"},
      {in(good + R"(,"Condition":{"BinaryEquals":{"a:b":"*"}})"), "line 1:121", "base64"},
      {in(good + R"(,"Condition":{"ArnLike":{"a:b":"arn:aws:s3"}})"), "line 1:116", "not an ARN"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(complaint(c.json, c.kind),
                ::testing::AllOf(::testing::StartsWith(c.line_column + ":"), HasSubstr(c.what)))
        << c.json;
  }
  EXPECT_THAT(complaint(std::string(kMostPolicyBytes + 1, ' ')), HasSubstr("20481 bytes"));
  EXPECT_THAT(complaint(std::string(100, '[')), HasSubstr("not JSON"));
}

TEST(Policy, PublicMeansThatStrangersGetIn) {
  const std::string rest = R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*")";
  const auto is_public = [&](const std::string& more) {
    return bucket_policy(rest + more).is_public();
  };
  const std::string all = R"(,"Principal":"*")";
  EXPECT_TRUE(is_public(all));
  EXPECT_TRUE(is_public(R"(,"NotPrincipal":{"AWS":"ann"})"));
  EXPECT_FALSE(is_public(R"(,"Principal":{"AWS":"ann"})"));
  EXPECT_FALSE(is_public(all + R"(,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}})"));
  EXPECT_TRUE(is_public(all + R"(,"Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}})"));
  EXPECT_TRUE(is_public(all + R"(,"Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}})"));
  EXPECT_TRUE(
      is_public(all + R"(,"Condition":{"IpAddressIfExists":{"aws:SourceIp":"10.0.0.0/8"}})"));
  EXPECT_TRUE(is_public(all + R"(,"Condition":{"Bool":{"aws:SecureTransport":true}})"));
  EXPECT_FALSE(is_public(all + R"(,"Condition":{"StringEquals":{"aws:username":"ann"}})"));
  EXPECT_TRUE(is_public(all + R"(,"Condition":{"StringLike":{"aws:username":"*"}})"));
  EXPECT_FALSE(Policy::parse(R"({"Statement":{"Effect":"Deny","Principal":"*",)" + rest + "}}",
                             Policy::Kind::kResource)
                   .is_public());
}

TEST(Policy, OnlyAboutItsBucket) {
  const auto only = [](const std::string& resources) {
    return bucket_policy(R"("Principal":"*","Action":"s3:*","Resource":)" + resources)
        .only_about("lake");
  };
  EXPECT_TRUE(only(R"(["arn:aws:s3:::lake","arn:aws:s3:::lake/*","arn:aws:s3:::lake*"])"));
  EXPECT_FALSE(only(R"(["arn:aws:s3:::lake","arn:aws:s3:::lake2/*"])"));
  EXPECT_FALSE(only(R"("arn:aws:s3:::*")"));
  EXPECT_FALSE(only(R"("arn:aws:s3:::lak?/x")"));
  EXPECT_FALSE(only(R"("*")"));
}

bool glob(std::string_view pattern, std::string_view text) {
  const PolicyRequest nobody;
  return Pattern::compile(pattern, {}).matches(text, Facts(nobody));
}

TEST(Pattern, StarsAndQuestionMarks) {
  EXPECT_TRUE(glob("", ""));
  EXPECT_FALSE(glob("", "a"));
  EXPECT_TRUE(glob("*", ""));
  EXPECT_TRUE(glob("**", "abc"));
  EXPECT_TRUE(glob("a*", "a"));
  EXPECT_TRUE(glob("*a", "aaa"));
  EXPECT_FALSE(glob("a*a", "a"));
  EXPECT_TRUE(glob("a*a", "aa"));
  EXPECT_TRUE(glob("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(glob("a*bb*c", "abc"));
  EXPECT_FALSE(glob("ab*bc", "abc"));
  EXPECT_TRUE(glob("?", "a"));
  EXPECT_FALSE(glob("?", ""));
  EXPECT_FALSE(glob("?", "ab"));
  EXPECT_TRUE(glob("a?c*?e", "abcdde"));
  EXPECT_FALSE(glob("a?c*?e", "abce"));
  EXPECT_TRUE(glob("*b?d*", "abcbxd"));
  EXPECT_TRUE(glob("*?*?*", "ab"));
  EXPECT_FALSE(glob("*?*?*", "a"));
  EXPECT_TRUE(glob("x?y", "xéy")) << "one character, not one byte";
  EXPECT_TRUE(glob("x?y", "x\xffy"));
  EXPECT_FALSE(glob("x??y", "xéy"));
  EXPECT_TRUE(glob("a\\*", "a\\b")) << "a backslash is a character";
  EXPECT_TRUE(glob("a$b$", "a$b$"));
}

TEST(Pattern, LongSegmentsWithQuestionMarksCrossWords) {
  const std::string part = std::string(150, 'a') + "?" + std::string(50, 'b');
  const std::string text = std::string(700, 'a') + "x" + std::string(60, 'b') + "end";
  EXPECT_TRUE(glob("*" + part + "*", text));
  EXPECT_FALSE(glob("*" + part + "x*", text));
  EXPECT_FALSE(glob("*" + std::string(701, 'a') + "?" + "*", text));
}

/// The definition, in quadratic time.
bool reference(std::string_view pattern, std::string_view text) {
  std::vector<char> row(text.size() + 1);
  row[0] = 1;
  for (const char p : pattern) {
    std::vector<char> next(text.size() + 1);
    next[0] = p == '*' && row[0];
    for (size_t i = 1; i <= text.size(); ++i) {
      next[i] = p == '*' ? row[i] || next[i - 1] : row[i - 1] && (p == '?' || p == text[i - 1]);
    }
    row = std::move(next);
  }
  return row.back() != 0;
}

TEST(Pattern, AgreesWithTheDefinition) {
  // Every pattern of up to five signs against every text of up to five.
  const std::string_view signs = "ab*?";
  const auto word = [](std::string_view alphabet, size_t number) {
    std::string out;
    for (; number > 0; number /= alphabet.size() + 1) {
      if (const size_t digit = number % (alphabet.size() + 1)) out += alphabet[digit - 1];
    }
    return out;
  };
  for (size_t p = 0; p < 3125; ++p) {
    for (size_t t = 0; t < 243; ++t) {
      const std::string pattern = word(signs, p);
      const std::string text = word("ab", t);
      ASSERT_EQ(glob(pattern, text), reference(pattern, text)) << pattern << " " << text;
    }
  }
}

}  // namespace
}  // namespace meesh::access
