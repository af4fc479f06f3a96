// A feed as its file describes it, feeds/active/<name>.json, and what holds for all of them,
// feeds/settings.yaml.
//
//   { "feed_name": "transaction_stream", "feed_type": "stream",
//     "ksqldb_source": "transaction_stream", "description": "Every transaction",
//     "partitioning": { "type": "date", "columns": ["year", "month", "day"] },
//     "storage_mode": "append", "format": "parquet", "retention_days": 365, "enabled": true }
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json_schema.h"
#include "mesh/mesh_files.h"
#include "sql/catalog.h"
#include "streams/ksqldb/client.h"

namespace meesh::streams {

inline constexpr const char* kFeedsFolder = "feeds";
inline constexpr const char* kActiveFeeds = "feeds/active";
inline constexpr const char* kArchivedFeeds = "feeds/archived";

/// A stream's events are added, by date; of a table each export is a version of the whole.
enum class FeedType { kStream, kTable };
std::string_view type_name(FeedType type);          // "stream", "table"
std::string_view storage_mode(FeedType type);       // "append", "overwrite"
std::string_view partitioning_name(FeedType type);  // "date", "version"

struct FeedConfig {
  std::string name;
  FeedType type = FeedType::kStream;
  std::string ksqldb_source;             // one of the two is ""
  std::optional<sql::TableName> source;  // a table of SQL
  std::string description;
  /// Streams: the column whose date tells the partition; "" = found by its name.
  std::string event_time;
  std::string cursor;          // streams: the column that tells what is new; "" = none
  int retention_days = 0;      // streams; 0: for ever
  int retention_versions = 7;  // tables
  int permissions = 0750;      // of folders
  bool enabled = true;
  std::string text;  // of the file

  /// "ksqldb:transaction_stream", "sales.public.orders".
  std::string origin() const;
};

/// What all feeds have in common.
struct FeedSettings {
  std::string catalog = "lake", schema = "data_lake";  // of their tables
  std::string location = "s3://data-lake";             // folder of `streams` and `tables`
  std::filesystem::path folder;                        // of this machine, absolute
  /// Without ksqlDB, a ksqldb_source is a table of this schema.
  std::string streams_catalog = "lake", streams_schema = "payments";
  std::optional<KsqldbSettings> ksqldb;
};

const base::Shape& feed_shape();
const base::Shape& feed_settings_shape();

/// Names of feeds: lower-case letters, digits and _, beginning with a letter.
bool valid_feed_name(std::string_view text);

/// Reads a checked document; adds what only the whole can tell to `problems`.
FeedConfig read_feed(const yaml::Document& document, std::vector<Error>& problems);
/// The text of a file; throws ConfigError with every mistake. `file`: as messages name it.
FeedConfig parse_feed(const std::string& text, const std::string& file);
/// Defaults without the file; problems are left in `files`.
FeedSettings load_feed_settings(mesh::MeshFiles& files, const mesh::Mesh& mesh);

/// The feeds of feeds/active, by name; those with mistakes are left out and told of.
struct LoadedFeeds {
  std::map<std::string, FeedConfig> feeds;
  std::map<std::string, std::vector<Error>> problems;  // by the file's name without its ending
};
LoadedFeeds load_feeds(const mesh::Mesh& mesh);

/// A JSON text for people: a member a line, short lists in one.
std::string pretty_json(const boost::json::value& value);

}  // namespace meesh::streams
