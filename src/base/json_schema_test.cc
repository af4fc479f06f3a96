#include "base/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace meesh::base {
namespace {

using testing::ElementsAre;

Shape sample() {
  return object(
      "A sample.",
      {
          required("name", matching("Its name.", "^[a-z]+$", "a lower-case word")),
          optional("port", integer("Port.", 1, 65535), "8080"),
          optional("mode", choice("Mode.", {"fast", "safe"}, {"odd"}), "safe"),
          optional("on", boolean("Switch.")),
          optional("memory", size("Memory.", true)),
          optional("words", list("Words.", text("Word."))),
          optional("secret", secret_text("Password.")),
          optional("store",
                   kinds("Store.",
                         {kind("local", object("Here.", {})),
                          kind("remote", object("There.", {required("host", text("Host."))}))},
                         "local", {"tape"})),
      });
}

std::vector<std::string> complaints(const std::string& text) {
  yaml::Document document = yaml::parse(text, "f");
  std::vector<Error> problems;
  check(sample(), document, problems);
  std::vector<std::string> all;
  for (const Error& e : problems) all.emplace_back(e.what());
  return all;
}

TEST(JsonSchema, FillsInDefaults) {
  yaml::Document document = yaml::parse("name: x\n", "f");
  std::vector<Error> problems;
  check(sample(), document, problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(document.root.find("port")->integer(), 8080);
  EXPECT_EQ(document.root.find("mode")->text, "safe");
  EXPECT_EQ(document.root.find("store")->find("kind")->text, "local");
  EXPECT_EQ(document.root.find("on"), nullptr);
}

TEST(JsonSchema, CollectsEveryMistakeInOrder) {
  EXPECT_THAT(
      complaints("prot: 80\nmode: fsat\nport: 70000\nname: 7\non: yes\nmemory: 4XB\nwords: one\n"
                 "store: {kind: remote, hots: x}\nport: \"80\"\n"),
      ElementsAre(
          "f:1:1: unknown key 'prot' (did you mean 'port'?)",
          "f:2:7: expected one of fast, safe for 'mode', found text 'fsat' (did you mean 'fast'?)",
          "f:3:7: expected an integer from 1 to 65535 for 'port', found the integer 70000",
          "f:4:7: expected a lower-case word for 'name', found the integer 7 (put it in quotes: "
          "\"7\")",
          "f:5:5: expected true or false for 'on', found text 'yes' (write true)",
          "f:6:9: expected a size such as 4GB, 512MB or 60% for 'memory', found text '4XB'",
          "f:7:8: expected a list for 'words', found text 'one' (write [value], or '- value' on a "
          "line of its own)",
          "f:8:8: the key 'host' is missing in 'store' (Host.)",
          "f:8:23: unknown key 'hots' in 'store' (did you mean 'host'?)",
          "f:9:1: the key 'port' is given twice (first on line 3)",
          "f:9:7: expected an integer from 1 to 65535 for 'port', found text '80' (leave out the "
          "quotes)"));
}

TEST(JsonSchema, EmptyFileMissesItsKeys) {
  EXPECT_THAT(complaints(""), ElementsAre("f:1:1: the key 'name' is missing (Its name.)"));
  EXPECT_THAT(complaints("[1]"),
              ElementsAre(testing::HasSubstr("f:1:1: expected a mapping, found a list")));
}

TEST(JsonSchema, WhatIsNotBuiltYetSaysSo) {
  yaml::Document document = yaml::parse("name: x\nmode: odd\nstore: {kind: tape}\n", "f");
  std::vector<Error> problems;
  check(sample(), document, problems);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].code(), Code::kNotSupported);
  EXPECT_STREQ(problems[1].what(),
               "f:3:15: 'store.kind: tape' is not supported yet (supported: local, remote)");
}

TEST(JsonSchema, ASecretIsNeverShown) {
  const auto all = complaints("name: x\nsecret: 12345\n");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].find("12345"), std::string::npos) << all[0];
}

TEST(JsonSchema, KeyOfAnotherKindIsRecognised) {
  EXPECT_THAT(complaints("name: x\nstore: {host: h}\n"),
              ElementsAre("f:2:9: unknown key 'host' in 'store' ('host' belongs to kind remote)"));
}

TEST(JsonSchema, Sizes) {
  EXPECT_EQ(parse_size("4GB"), 4'000'000'000u);
  EXPECT_EQ(parse_size("512MiB"), 536'870'912u);
  EXPECT_EQ(parse_size("1.5 k"), 1500u);
  EXPECT_EQ(parse_size("1024"), 1024u);
  for (const char* bad :
       {"", "GB", "1.5", "4 XB", "-1GB", "1..2GB", "99999999TB", "4GiBB", "1e3"}) {
    EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
  }
}

TEST(JsonSchema, WritesDraft202012) {
  const boost::json::object schema = json_schema(sample(), "sample").as_object();
  EXPECT_EQ(schema.at("$schema"), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema.at("additionalProperties"), false);
  EXPECT_EQ(boost::json::serialize(schema.at("required")), R"(["name"])");
  const auto& properties = schema.at("properties").as_object();
  EXPECT_EQ(
      boost::json::serialize(properties.at("port")),
      R"({"anyOf":[{"type":"integer","minimum":1,"maximum":65535},)"
      R"({"type":"string","pattern":"\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}"}],"description":"Port.","default":8080})");
  EXPECT_EQ(properties.at("secret").at("writeOnly"), true);
  EXPECT_EQ(properties.at("store").at("oneOf").as_array().size(),
            2u);  // what is not built is not offered
}

}  // namespace
}  // namespace meesh::base
