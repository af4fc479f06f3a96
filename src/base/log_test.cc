#include "base/log.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <boost/json.hpp>

#include "base/error.h"

namespace meesh::log {
namespace {

using testing::HasSubstr;
using testing::Not;

class LogTest : public testing::Test {
 protected:
  void capture(Format format, Level level = Level::kInfo) {
    configure({level, format, [this](std::string_view line) { lines.emplace_back(line); }});
  }
  void TearDown() override { configure({Level::kWarn, Format::kJson, nullptr}); }
  std::vector<std::string> lines;
};

TEST_F(LogTest, JsonKeepsFieldsTyped) {
  capture(Format::kJson);
  info("it \"works\"\n",
       {{"port", 8080}, {"ok", true}, {"ms", 1.5}, {"name", "a b"}, {"big", UINT64_MAX}});
  ASSERT_EQ(lines.size(), 1U);
  auto object = boost::json::parse(lines[0]).as_object();
  EXPECT_EQ(object["message"], "it \"works\"\n");
  EXPECT_EQ(object["level"], "info");
  EXPECT_EQ(object["port"], 8080);
  EXPECT_EQ(object["ok"], true);
  EXPECT_EQ(object["ms"], 1.5);
  EXPECT_EQ(object["name"], "a b");
  EXPECT_EQ(object["big"].as_uint64(), UINT64_MAX);
  EXPECT_THAT(std::string(object["time"].as_string()), testing::EndsWith("Z"));
}

TEST_F(LogTest, JsonStaysValidForAnyBytes) {
  capture(Format::kJson);
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  info(all, {{"bytes", all}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].find('\n'), std::string::npos);
  EXPECT_NO_THROW(boost::json::parse(lines[0]));
}

TEST_F(LogTest, HumanLineIsOneLine) {
  capture(Format::kHuman);
  warn("gone\nforged line", {{"path", "/a b"}, {"n", -1}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("gone\\nforged line path=\"/a b\" n=-1"));
  EXPECT_THAT(lines[0], HasSubstr("warn"));
}

TEST_F(LogTest, LevelFilters) {
  capture(Format::kJson, Level::kWarn);
  EXPECT_FALSE(enabled(Level::kInfo));
  info("no");
  error("yes");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("yes"));
}

TEST_F(LogTest, SecretsAreMasked) {
  capture(Format::kJson);
  info("connect postgresql://joe:hunter2@db:5432/x host=a password='hun ter2' user=b",
       {{"db_password", "hunter2"},
        {"Authorization", "Basic hunter2"},
        {"header", "authorization: Bearer hunter2"},
        {"json", R"({"token": "hunter2", "n": 1})"}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], Not(HasSubstr("hunter2")));
  EXPECT_THAT(lines[0], Not(HasSubstr("ter2")));
  EXPECT_THAT(lines[0], HasSubstr("user=b"));
  EXPECT_THAT(lines[0], HasSubstr("joe:***@db:5432/x"));
}

TEST_F(LogTest, RedactLeavesOrdinaryTextAlone) {
  EXPECT_EQ(redact("GET http://host:80/a?b=c at 12:30"), "GET http://host:80/a?b=c at 12:30");
  EXPECT_EQ(redact("unexpected token ')'"), "unexpected token ')'");
}

TEST_F(LogTest, EnvironmentChoosesTheLevel) {
  setenv("MEESH_LOG", "error", 1);
  configure({std::nullopt, Format::kJson, nullptr});
  EXPECT_FALSE(enabled(Level::kWarn));
  EXPECT_TRUE(enabled(Level::kError));
  setenv("MEESH_LOG", "loud", 1);
  try {
    configure({});
    ADD_FAILURE() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kConfigInvalid);
    EXPECT_THAT(e.what(), HasSubstr("'loud'"));
  }
  unsetenv("MEESH_LOG");
}

}  // namespace
}  // namespace meesh::log
