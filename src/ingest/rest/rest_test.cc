// The parts of a REST source that read what servers and people write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ingest/rest/cursor_value.h"
#include "ingest/rest/http_config.h"
#include "ingest/rest/link_header.h"
#include "ingest/rest/record_path.h"
#include "ingest/rest/record_set.h"
#include "ingest/rest/url.h"

namespace meesh::ingest {
namespace {

using testing::ElementsAre;

std::string resolved(const char* base, const char* reference) {
  const auto url = resolve(*parse_url(base), reference);
  return url ? url->text() : "none";
}

TEST(Url, IsTakenApartAndCleaned) {
  EXPECT_EQ(parse_url("HTTPS://Api.Example.com:443/a b?q=é#x")->text(),
            "https://api.example.com/a%20b?q=%C3%A9");
  EXPECT_EQ(parse_url("http://[::1]:8080?x")->text(), "http://[::1]:8080/?x");
  for (const char* bad : {"ftp://h/", "http://", "http:///x", "http://u:p@h/", "http://h:port/",
                          "http://h\r\nX: y/", "//h/x", "", "http://[::1/"})
    EXPECT_FALSE(parse_url(bad)) << bad;
}

TEST(Url, ReferencesAreMeantFromTheirPage) {
  const char* base = "https://h/v1/items?page=1";
  EXPECT_EQ(resolved(base, "?page=2"), "https://h/v1/items?page=2");
  EXPECT_EQ(resolved(base, "/x"), "https://h/x");
  EXPECT_EQ(resolved(base, "more?a=/../b"), "https://h/v1/more?a=/../b");
  EXPECT_EQ(resolved(base, "../../../up"), "https://h/up");
  EXPECT_EQ(resolved(base, "//other/x"), "https://other/x");
  EXPECT_EQ(resolved(base, "http://other/x"), "http://other/x");
  EXPECT_EQ(resolved(base, "javascript:x"), "none");
  EXPECT_EQ(resolved(base, ""), base);
}

TEST(Url, ParametersAreSetAndLeftOut) {
  EXPECT_EQ(with_parameter("/a?page=1&x=y&page=2", "page", "3&"), "/a?x=y&page=3%26");
  EXPECT_EQ(without_parameters("/a?api%5Fkey=s&b", {"api_key"}), "/a?b");
  EXPECT_EQ(without_parameters("/a?api_key=s", {"api_key"}), "/a");
}

TEST(LinkHeader, GivesTheTargetOfTheRelation) {
  EXPECT_EQ(linked("<https://h/?p=1>; rel=\"prev\", <https://h/?p=3>; rel=\"next\"", "next"),
            "https://h/?p=3");
  EXPECT_EQ(linked("</a,b>;title=\"x, <y>; \\\"rel=next\"; REL=Next", "next"), "/a,b");
  EXPECT_EQ(linked("</a>; rel=\"first next\"", "next"), "/a");
  EXPECT_EQ(linked("</a>; rel=last; rel=next", "next"), std::nullopt);
  for (const char* none : {"", "<", "</a", "</a>", "</a>; rel", "</a>; rel=\"next", "a; rel=next"})
    EXPECT_EQ(linked(none, "next"), std::nullopt) << none;
}

std::vector<std::string> records(const char* path, const char* page) {
  std::vector<std::string> found;
  if (!RecordPath::parse(path).each(page, [&](auto record) { found.emplace_back(record); }))
    found.emplace_back("nothing there");
  return found;
}

TEST(RecordPath, LeadsToRecords) {
  const char* page = R"({"a":{"b.c":[{"x":1},null,5],"l":[{"r":[{"y":1}]},{"r":[{"y":2}]}]}})";
  EXPECT_THAT(records("a.\"b.c\"", page), ElementsAre("{\"x\":1}", "{\"value\":5}"));
  EXPECT_THAT(records("$.a.l[*].r", page), ElementsAre("{\"y\":1}", "{\"y\":2}"));
  EXPECT_THAT(records("$['a'].l[1].r", page), ElementsAre("{\"y\":2}"));
  EXPECT_THAT(records("a.l.*.r.*", page), ElementsAre("{\"y\":1}", "{\"y\":2}"));
  EXPECT_THAT(records("", "[{\"x\":\"}],\"}]"), ElementsAre("{\"x\":\"}],\"}"));
  EXPECT_THAT(records("a.z", page), ElementsAre("nothing there"));
  EXPECT_THAT(records("a", "{\"a\":[]}"), ElementsAre());
  EXPECT_EQ(RecordPath::parse("m.next").text(R"({"m":{"next":"a\"\u00e9"}})"), "a\"é");
  EXPECT_EQ(RecordPath::parse("m.next").text(R"({"m":{"next":null}})"), std::nullopt);
  for (const char* bad : {"a..b", ".a", "a.", "a[", "a[x]", "a['']", "a['b]", "$a", "a]"})
    EXPECT_THROW(RecordPath::parse(bad), Error) << bad;
}

TEST(RecordPath, IsFoundWhereThereIsOneList) {
  EXPECT_EQ(likely_records("[1]"), "$");
  EXPECT_EQ(likely_records(R"({"meta":{},"errors":[],"data":[{"a":1}]})"), "$[\"data\"]");
  EXPECT_EQ(likely_records(R"({"id":1})"), "$");
  EXPECT_THROW(likely_records(R"({"a":[{"x":1}],"b":[{"x":1}]})"), Error);
}

TEST(CursorValue, IsComparedByWhatItIs) {
  const auto of = [](const char* json) { return *CursorValue::of(json); };
  EXPECT_TRUE(of("9") < of("10"));
  EXPECT_TRUE(of("9223372036854775806") < of("9223372036854775807"));
  EXPECT_TRUE(of("\"2025-01-01T01:00:00+02:00\"") < of("\"2025-01-01T00:00:00Z\""));
  EXPECT_FALSE(of("\"2025-01-01T02:00:00+02:00\"") < of("\"2025-01-01T00:00:00Z\""));
  for (const char* none : {"null", "true", "{}", "[]", "\"\""}) EXPECT_FALSE(CursorValue::of(none));
  for (const char* json : {"7", "\"2025-01-01\"", "\"2025-01-01T00:00:00.5Z\"", "\"abc\""}) {
    const auto again = CursorValue::of_position(of(json).position());
    ASSERT_TRUE(again) << json;
    EXPECT_FALSE(*again < of(json) || of(json) < *again) << json;
  }
}

TEST(CursorValue, IsWrittenAsRequestsWantIt) {
  const auto moment = *CursorValue::of("\"2025-01-01T00:10:00.9Z\"");
  EXPECT_EQ(moment.text(""), "2025-01-01T00:10:00Z");
  EXPECT_EQ(moment.behind({}).text("iso8601"), "2025-01-01T00:05:00Z");
  EXPECT_EQ(moment.text("date"), "2025-01-01");
  EXPECT_EQ(moment.text("epoch"), "1735690200");
  EXPECT_EQ(moment.text("epoch_ms"), "1735690200900");
  EXPECT_EQ(moment.text("%d.%m.%Y"), "01.01.2025");
  EXPECT_EQ(CursorValue::of("\"2025-01-02\"")->behind({}).text(""), "2025-01-01");
  EXPECT_EQ(CursorValue::of("5000")->behind({}).text(""), "4000");
  EXPECT_EQ(CursorValue::of("5000")->behind({.time = {}, .number = 10}).text(""), "4990");
}

TEST(RecordSet, KnowsWhatColumnsHold) {
  RecordSet set(testing::TempDir(), true, "at");
  std::vector<std::string> watched;
  const auto take = [&](auto value) {
    watched.emplace_back(value.value_or("-"));
    return watched.size() != 2;
  };
  set.begin_page("p1");
  set.add(R"({"ID":1,"at":"2025-01-01","o":{"A":1,"b":{"c":2}},"n":null})", take);
  set.add(R"({"ID":1.5,"at":null,"x":true})", take);
  set.add(R"({"at":"2025-01-01T00:00:00","id":"x","o":null})", take);
  EXPECT_THAT(watched, ElementsAre("\"2025-01-01\"", "-", "\"2025-01-01T00:00:00\""));
  EXPECT_EQ(set.size(), 2u);
  std::string shown;
  for (const auto& column : set.columns())
    shown += column.name + " " + column.type().display() + ";";
  EXPECT_EQ(shown,
            "id varchar;at timestamp(6);o__a bigint;o__b varchar;n varchar;x boolean;o varchar;");
  std::vector<std::string> read;
  set.each([&](auto record, const auto& page, uint64_t number) {
    read.push_back(page + std::to_string(number) + std::string(record.substr(0, 8)));
  });
  EXPECT_THAT(read, ElementsAre("p11{\"ID\":1,", "p12{\"at\":\"2"));
}

TEST(Secrets, AreLeftOutHoweverTheyAreWritten) {
  const std::vector<std::string> secrets = {"ab", "s3&/\"x", "s3&/\"x-long"};
  EXPECT_EQ(redacted("s3&/\"x-long s3%26%2F%22x ab s3&/\\\"x s3&\\/\\\"x", secrets),
            "*** *** ab *** ***");
}

}  // namespace
}  // namespace meesh::ingest
