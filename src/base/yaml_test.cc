#include "base/yaml.h"

#include <gtest/gtest.h>

namespace meesh::yaml {
namespace {

std::string failure(const std::string& text) {
  try {
    parse(text, "f.yaml");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kConfigInvalid);
    return e.what();
  }
  return "";
}

TEST(Yaml, KeepsThePlaceOfKeysAndValues) {
  const Document document = parse("a: 1\nbé:\n  - x\n  - {k: [1, 2]}\n", "f.yaml");
  ASSERT_EQ(document.root.keys.size(), 2u);
  EXPECT_EQ(document.root.keys[1].line, 2);
  EXPECT_EQ(document.root.keys[1].column, 1);
  const Node& list = *document.root.find("bé");
  EXPECT_EQ(list.items[0].line, 3);
  EXPECT_EQ(list.items[0].column, 5);
  const Node& second = list.items[1].find("k")->items[1];
  EXPECT_EQ(second.line, 4);
  EXPECT_EQ(second.column, 13);
  EXPECT_EQ(second.integer(), 2);
}

TEST(Yaml, CountsColumnsInCodePointsOnALongLine) {
  const Document document = parse("{é: ü, ö: ä}", "f.yaml");
  EXPECT_EQ(document.root.keys[1].column, 8);
  EXPECT_EQ(document.root.items[1].column, 11);
}

TEST(Yaml, TypesOfTheCoreSchema) {
  const std::pair<const char*, Node::Kind> cases[] = {
      {"true", Node::Kind::kBoolean}, {"yes", Node::Kind::kText},
      {"12", Node::Kind::kInteger},   {"-0x1", Node::Kind::kText},
      {"0x1F", Node::Kind::kInteger}, {"1.5e3", Node::Kind::kNumber},
      {".inf", Node::Kind::kNumber},  {"1.2.3", Node::Kind::kText},
      {"~", Node::Kind::kNull},       {"null", Node::Kind::kNull},
      {"\"12\"", Node::Kind::kText},  {"!!str 12", Node::Kind::kText},
      {".", Node::Kind::kText},       {"12:30", Node::Kind::kText},
  };
  for (const auto& [text, kind] : cases) {
    EXPECT_EQ(parse(std::string("v: ") + text, "f").root.find("v")->kind, kind) << text;
  }
}

TEST(Yaml, SaysWhereItIsBroken) {
  EXPECT_EQ(failure("a: [1, 2\nb: 3\n").substr(0, 9), "f.yaml:2:");
  EXPECT_EQ(failure("a: 1\n---\nb: 2\n"), "f.yaml:2:1: a second document in one file");
  EXPECT_EQ(failure("? [a]\n: 1\n"), "f.yaml:1:3: a key must be text");
  EXPECT_EQ(failure("a: !wrong 1\n"), "f.yaml:1:4: the tag '!wrong' is not understood here");
  EXPECT_EQ(failure(std::string("a: 1\nb: \0", 9)), "f.yaml:2:4: a NUL character");
  EXPECT_EQ(failure("a: \xFF\n"), "f.yaml:1:1: the file is not UTF-8 text");
}

TEST(Yaml, AliasesWorkAndCannotExplode) {
  const Document document = parse("a: &x {k: 1}\nb: *x\n", "f");
  EXPECT_EQ(document.root.find("b")->find("k")->text, "1");
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_NE(failure(bomb).find("too many values"), std::string::npos);
}

TEST(Yaml, DeepNestingIsAnError) {
  EXPECT_NE(failure("a: " + std::string(5000, '[')).find("f.yaml:1:"), std::string::npos);
}

TEST(Yaml, SubstitutesNames) {
  Document document = parse("a: ${X}\nb: \"p ${X}${Y}\"\nc: $${X}\nd: ${N}\n", "f");
  std::vector<Error> problems;
  document.substitute(
      [](const std::string& name) -> std::optional<std::string> {
        if (name == "N") return "42";
        return name == "X"   ? std::optional<std::string>("${Y}")
               : name == "Y" ? std::optional<std::string>("y")
                             : std::nullopt;
      },
      problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(document.root.find("a")->text, "${Y}");  // values are not looked into again
  EXPECT_EQ(document.root.find("b")->text, "p ${Y}y");
  EXPECT_EQ(document.root.find("c")->text, "${X}");
  EXPECT_FALSE(document.root.find("c")->substituted);
  EXPECT_EQ(document.root.find("d")->integer(), 42);
  EXPECT_EQ(describe(*document.root.find("a")), "some other text");  // not shown
}

TEST(Yaml, AMissingNameIsToldWithItsPlace) {
  Document document =
      parse("a: 1\nb: \"é ${GONE}\"\nc: |\n  one\n  ${LOST}\nd: ${bad name}\n", "f");
  std::vector<Error> problems;
  document.substitute([](const std::string&) { return std::nullopt; }, problems);
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(problems[0].code(), Code::kSecretMissing);
  EXPECT_STREQ(problems[0].what(),
               "f:2:7: ${GONE} has no value (set GONE in the environment or in secrets.yaml)");
  EXPECT_EQ(problems[1].location().line, 5);
  EXPECT_EQ(problems[1].location().column, 3);
  EXPECT_EQ(problems[2].code(), Code::kConfigInvalid);
  EXPECT_EQ(problems[2].location().line, 6);
}

}  // namespace
}  // namespace meesh::yaml
