#include "dashboards/dashboard.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "dashboards/dashboard_store.h"
#include "dashboards/html_report.h"
#include "dashboards/yaml_json.h"
#include "mesh/mesh.h"

namespace meesh::dashboards {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kNow = 1'763'821'845'123;  // 2025-11-22 14:30:45.123 UTC, a Saturday

std::string report(const std::string& text) {
  try {
    read_dashboard("d", text, "dashboards/d.yaml");
    return "";
  } catch (const mesh::ConfigError& error) {
    return error.report();
  }
}

TEST(Dashboard, MistakesHaveTheirPlace) {
  EXPECT_THAT(report("title: a\ncharts:\n  - {id: a, kind: bar, slq: SELECT 1}\n"),
              HasSubstr("dashboards/d.yaml:3:24"));
  EXPECT_THAT(report("title: a\ncharts:\n  - {id: a, kind: bar}\n"), HasSubstr("asks for nothing"));
  EXPECT_THAT(report("title: a\ncharts:\n  - {id: a, kind: text, text: x}\n  - {id: a, kind: text, "
                     "text: y}\n"),
              HasSubstr("'a' is in 'charts' twice"));
  EXPECT_THAT(report("title: a\ncharts: []\nlayout: [{id: b, x: 0, y: 0, w: 1, h: 1}]\n"),
              HasSubstr("there is no chart 'b'"));
  EXPECT_THAT(
      report("title: a\ncharts: []\nreports: [{name: r, cron: 'x', to: {email: [a@b.c]}}]\n"),
      HasSubstr("d.yaml:3:"));
  EXPECT_THAT(report("title: {de: Titel}\ncharts: []\n"), HasSubstr("'title' is text"));
  EXPECT_THAT(report("title: a\ncharts: []\ntime: {default: last 3 moons}\n"),
              HasSubstr("no stretch of time"));
  EXPECT_EQ(report("title: a\ncharts: [{id: a, kind: bar, sql: SELECT 1}]\n"), "");
}

TEST(Dashboard, PlacesOfSqlAreThoseOfTheFile) {
  const auto dashboard = read_dashboard(
      "d", "title: a\ncharts:\n  - id: a\n    kind: bar\n    sql: |\n      SELECT\n        x\n",
      "d.yaml");
  Error error(Code::kColumnNotFound, "no x", {2, 3, ""});
  error = dashboard.charts.at(0).sql_place.in_file(error);
  EXPECT_EQ(error.location().line, 7);
  EXPECT_EQ(error.location().column, 9);
}

TEST(Dashboard, JsonBecomesYamlAndTheSameJson) {
  const json::value value = json::parse(R"({
    "title": {"en": "Don't: #1", "fr": "« Déjà »"}, "numbers": [1, 2.5, -3, 1e300],
    "texts": ["true", "8080", "~", "", " x", "a: b", "- c", "${HOME}", "null", "0x1f", "\ttab"],
    "sql": "SELECT 1\nFROM t -- c\nWHERE a = 'b'\n", "deep": {"a": {"b": [{"c": null}, {"d": []}]}},
    "lines": "a \nb", "unicode": "\u2028\u0007é", "flag": true, "empty": {}})");
  EXPECT_EQ(to_json(yaml::parse(to_yaml(value), "x").root), value) << to_yaml(value);
  EXPECT_THAT(to_yaml(value), HasSubstr("sql: |\n"));
}

TEST(TimeRange, WholeDaysSoThatTheSameQuestionIsTheSame) {
  const auto range = time_range("last 90 days", kNow);
  EXPECT_EQ(range.from, "2025-08-24 00:00:00");
  EXPECT_EQ(range.to, "2025-11-23 00:00:00");
  EXPECT_EQ(time_range("last 90 days", kNow + 3'600'000).from, range.from);
}

TEST(TimeRange, Words) {
  const auto both = [](const char* said) {
    const auto range = time_range(said, kNow);
    return range.from + "/" + range.to;
  };
  EXPECT_EQ(both("last 15 minutes"), "2025-11-22 14:16:00/2025-11-22 14:31:00");
  EXPECT_EQ(both("last 1 month"), "2025-10-22 00:00:00/2025-11-23 00:00:00");
  EXPECT_EQ(both("today"), "2025-11-22 00:00:00/2025-11-23 00:00:00");
  EXPECT_EQ(both("this week"), "2025-11-17 00:00:00/2025-11-24 00:00:00");
  EXPECT_EQ(both("this quarter"), "2025-10-01 00:00:00/2026-01-01 00:00:00");
  EXPECT_EQ(both("this year"), "2025-01-01 00:00:00/2026-01-01 00:00:00");
  EXPECT_TRUE(time_range("all", kNow).all());
  EXPECT_EQ(time_range(json::object{{"from", "2025-02-28T10:00:00Z"}}, kNow).from,
            "2025-02-28 10:00:00");
  for (const json::value& wrong :
       {json::value("last week's"), json::value("2025-02-30"), json::value(5),
        json::value(json::object{{"from", "2025-02-30"}}),
        json::value(json::object{{"from", "2025-01-01' OR 1=1"}})})
    EXPECT_THROW(time_range(wrong, kNow), Error) << wrong;
}

TEST(TimeRange, AMonthBeforeTheThirtyFirst) {
  EXPECT_EQ(time_range("last 1 month", 1'743'379'200'000).from, "2025-02-28 00:00:00");  // 31 March
}

class Store : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "dashboards_" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
  const std::string text_ = "title: a\ncharts: []\n";
};

TEST_F(Store, NamesThatLeadOutAreNotThere) {
  DashboardStore store(folder_, "mesh");
  for (const char* name : {"../meesh", "a/b", "..", ".", "", "A", "é", "a.yaml", "%2e%2e"}) {
    EXPECT_THROW(store.get(name), Error) << name;
    EXPECT_THROW(store.put(name, text_, ""), Error) << name;
    EXPECT_THROW(store.remove(name, ""), Error) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "dashboards"));
}

TEST_F(Store, TheSecondOfTwoEditorsIsTold) {
  DashboardStore store(folder_, "mesh");
  const auto first = store.put("a", text_, "new");
  const auto second = store.put("a", text_ + "tags: [x]\n", first->etag);
  EXPECT_NE(first->etag, second->etag);
  EXPECT_THROW(store.put("a", text_ + "tags: [y]\n", first->etag), DashboardStore::Conflict);
  EXPECT_THROW(store.remove("a", first->etag), DashboardStore::Conflict);
  EXPECT_THROW(store.put("a", text_, "new"), Error);
  EXPECT_EQ(store.get("a")->etag, second->etag);
  store.remove("a", second->etag);
  EXPECT_THROW(store.get("a"), Error);
}

TEST_F(Store, AWrongTextLeavesTheFileAsItIs) {
  DashboardStore store(folder_, "mesh");
  store.put("a", text_, "new");
  EXPECT_THROW(store.put("a", "titel: b\n", ""), mesh::ConfigError);
  EXPECT_EQ(store.text("a"), text_);
}

TEST(HtmlReport, NothingOfTheDataIsMarkup) {
  Dashboard dashboard = read_dashboard(
      "d",
      "title: <script>alert(1)</script>\ncharts:\n  - {id: a, kind: bar, title: \"<img src=x "
      "onerror=alert(1)>\", sql: SELECT 1}\n  - {id: t, kind: text, text: \"<b>x</b>\"}\n",
      "d.yaml");
  Answer answer;
  answer.columns = {{"<i>c</i>", sql::Type::varchar()},
                    {"n", sql::Type::of(sql::TypeKind::kBigint)}};
  answer.rows_text = R"([["</svg><script>alert(2)</script>",1],["\"'&",2]])";
  answer.rows = 2;
  ChartAnswer told;
  told.id = "a";
  told.answer = std::make_shared<Answer>(answer);
  const std::string html = html_report(dashboard, {told}, "en", "now");
  for (const char* bad : {"<script>alert", "<img", "<i>", "<b>"})
    EXPECT_THAT(html, Not(HasSubstr(bad)));
  EXPECT_THAT(html, HasSubstr("<svg"));
  EXPECT_THAT(html, HasSubstr("&lt;/svg&gt;&lt;sc"));
}

}  // namespace
}  // namespace meesh::dashboards
