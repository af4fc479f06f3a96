#include "streams/feeds/feed_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "streams/feeds/feed_folder.h"
#include "streams/feeds/feed_table.h"

namespace meesh::streams {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kExample = R"({
  "feed_name": "payment_stream", "feed_type": "stream", "ksqldb_source": "payment_stream",
  "description": "Payments", "partitioning": {"type": "date", "columns": ["year","month","day"]},
  "storage_mode": "append", "format": "parquet", "retention_days": 365, "enabled": true
})";

std::string mistakes(const std::string& text, const std::string& file = "feeds/active/f.json") {
  try {
    parse_feed(text, file);
  } catch (const mesh::ConfigError& error) {
    return error.report();
  }
  return "none";
}

TEST(FeedConfig, ReadsTheDocumentsExample) {
  const auto feed = parse_feed(kExample, "feeds/active/payment_stream.json");
  EXPECT_EQ(feed.name, "payment_stream");
  EXPECT_EQ(feed.type, FeedType::kStream);
  EXPECT_EQ(feed.origin(), "ksqldb:payment_stream");
  EXPECT_EQ(feed.retention_days, 365);
  EXPECT_EQ(feed.permissions, 0750);
  EXPECT_TRUE(feed.enabled);
}

TEST(FeedConfig, TablesKeepSevenVersionsAndAreOpen) {
  const auto feed =
      parse_feed(R"({"feed_name": "f", "feed_type": "table", "source": "sales.public.orders"})",
                 "feeds/active/f.json");
  EXPECT_EQ(feed.retention_versions, 7);
  EXPECT_EQ(feed.permissions, 0755);
  EXPECT_EQ(feed.origin(), "sales.public.orders");
}

TEST(FeedConfig, MistakesNameTheirPlaceAndWhatToDo) {
  EXPECT_EQ(mistakes(kExample),
            "feeds/active/f.json:2:16: the feed 'payment_stream' is in the file 'f.json' (name the "
            "file payment_stream.json)");
  EXPECT_THAT(mistakes(R"({"feed_name": "f", "feed_type": "queue", "source": "a.b.c"})"),
              HasSubstr("f.json:1:33"));
  EXPECT_THAT(mistakes(R"({"feed_name": "f", "feed_type": "stream"})"),
              HasSubstr("one of 'ksqldb_source' and 'source'"));
  EXPECT_THAT(mistakes(R"({"feed_name": "f", "feed_type": "stream", "ksqldb_source": "s",
                           "source": "a.b.c"})"),
              HasSubstr("one of 'ksqldb_source' and 'source'"));
  EXPECT_THAT(mistakes(R"({"feed_name": "f", "feed_type": "table", "source": "a.b.c",
                           "storage_mode": "append"})"),
              HasSubstr("f.json:2:44: the storage_mode of a table is overwrite"));
  EXPECT_THAT(mistakes(R"({"feed_name": "f", "feed_type": "table", "source": "a.b.c",
                           "partitioning": {"type": "date", "columns": ["version"]}})"),
              HasSubstr("the partitioning of a table is version"));
  EXPECT_THAT(mistakes(R"({"feed_name": "f", "feed_type": "stream", "source": "a.b.c",
                           "partitioning": {"type": "date", "columns": ["day"]}})"),
              HasSubstr("the columns of a stream are [year, month, day]"));
  EXPECT_THAT(mistakes(R"({"feed_name": "f", "feed_type": "table", "source": "a.b.c",
                           "retention_days": 5, "cursor": "id"})"),
              testing::AllOf(HasSubstr("tables keep versions"), HasSubstr("streams alone")));
  EXPECT_THAT(mistakes(R"({"feed_name": "f_current", "feed_type": "table", "source": "a.b.c"})",
                       "feeds/active/f_current.json"),
              HasSubstr("does not end in _current"));
  EXPECT_THAT(mistakes(R"({"feed_name": "f", "feed_type": "stream", "source": "a.b"})"),
              HasSubstr("a table such as"));
  EXPECT_THAT(mistakes(R"({"feed_name": "f", "feed_type": "stream", "source": "a.b.c",
                           "retention_day": 5})"),
              HasSubstr("did you mean 'retention_days'?"));
}

TEST(FeedConfig, NamesAreFilesOfOneFolder) {
  EXPECT_TRUE(valid_feed_name("transaction_stream_2"));
  for (const char* name : {"", "../x", "a/b", "A", "2a", ".a", "a b", "a.json"})
    EXPECT_FALSE(valid_feed_name(name)) << name;
}

TEST(FeedConfig, JsonForPeople) {
  const auto value = boost::json::parse(
      R"({"a": [1, 2], "b": {"c": 45.2, "d": []}, "e": [{"f": 0.01}], "g": {}})");
  EXPECT_EQ(
      pretty_json(value),
      "{\n  \"a\": [1,2],\n  \"b\": {\n    \"c\": 45.2,\n    \"d\": []\n  },\n  \"e\": [\n    "
      "{\n      \"f\": 0.01\n    }\n  ],\n  \"g\": {}\n}\n");
  EXPECT_EQ(boost::json::parse(pretty_json(value)), value);
}

TEST(FeedMetadata, HasTheKeysOfTheDocuments) {
  const auto feed = parse_feed(kExample, "feeds/active/payment_stream.json");
  const std::vector<FeedFile> files = {
      {"data-lake", "k1", "year=2025/month=01/day=15/data_1.parquet", 3000, 1'000'000},
      {"data-lake", "k2", "year=2025/month=01/day=15/data_2.parquet", 2000, 500'000},
      {"data-lake", "k3", "year=2025/month=01/day=16/data_3.parquet", 145000, 43'700'000}};
  const auto metadata = feed_metadata(feed, 1736951400000, partitions_of(files));
  EXPECT_EQ(boost::json::value(metadata), boost::json::parse(R"({
    "source": "payment_stream", "type": "stream", "storage_mode": "append", "format": "parquet",
    "partitioning": "date", "last_export": "2025-01-15T14:30:00Z", "total_records": 150000,
    "total_size_mb": 45.2, "partitions": [
      {"path": "year=2025/month=01/day=15", "records": 5000, "size_mb": 1.5},
      {"path": "year=2025/month=01/day=16", "records": 145000, "size_mb": 43.7}]})"));
  EXPECT_TRUE(feed_metadata(feed, 0, {}).at("last_export").is_null());
}

TEST(FeedTimes, AreOfUtc) {
  EXPECT_EQ(iso_time(1736951400123), "2025-01-15T14:30:00Z");
  EXPECT_EQ(iso_date(1736951400123), "2025-01-15");
  EXPECT_EQ(iso_date(0), "1970-01-01");
}

TEST(FeedTable, FindsTheColumnThatTellsTheTime) {
  FeedConfig feed;
  feed.name = "f";
  const auto text = sql::Type::varchar();
  const auto time = sql::Type::of(sql::TypeKind::kTimestamp, 3);
  EXPECT_EQ(event_column(feed, {{"id", text}, {"at", time}}), nullptr);
  const std::vector<FeedColumn> both = {{"created_at", time}, {"timestamp", time}};
  EXPECT_EQ(event_column(feed, both)->name, "timestamp");
  feed.event_time = "created_at";
  EXPECT_EQ(event_column(feed, both)->name, "created_at");
  feed.event_time = "creatd_at";
  EXPECT_THROW(event_column(feed, both), Error);
  feed.event_time = "id";
  EXPECT_THROW(event_column(feed, {{"id", sql::Type::of(sql::TypeKind::kBoolean)}}), Error);
}

}  // namespace
}  // namespace meesh::streams
