// The Iceberg table that a feed's rows land in: lake.data_lake.<feed>, made on first use and grown
// with the source. A stream's has the columns _event_date, which it is partitioned by, and
// _exported_at; a table's has _version, which it is partitioned by, and _exported_at. Neither is
// named year, month, day or version: readers of the folders get these from the paths, and a column
// of the same name in the files would be in their way.
#pragma once

#include <string>
#include <vector>

#include "engine/ask.h"
#include "streams/feeds/feed_folder.h"
#include "streams/feeds/feed_source.h"

namespace meesh::streams {

inline constexpr const char* kEventDate = "_event_date";
inline constexpr const char* kVersion = "_version";
inline constexpr const char* kExportedAt = "_exported_at";

class FeedTable {
 public:
  /// `session`: of its statements; `settings` and `feed` outlive it.
  FeedTable(engine::Engine& engine, const FeedSettings& settings, const FeedConfig& feed,
            engine::Session session = feed_session());

  bool exists() const { return !columns_.empty(); }
  sql::TableName name() const;
  sql::TableName view() const;  // of a table's current version
  /// The source's own columns, in the types of this table.
  Landed landed() const;

  /// Makes the table, or adds and widens columns. What it changed, a line each.
  std::vector<std::string> prepare(const std::vector<FeedColumn>& columns,
                                   const TaskContext& context);
  /// INSERT of the query's rows, whose columns are those given to prepare(). `version` of tables.
  std::string insert(const std::string& query, const std::vector<FeedColumn>& columns,
                     int64_t now_ms, int64_t version) const;
  /// DELETE of days before `date` ("2025-01-15"), and of versions.
  std::string delete_before(const std::string& date) const;
  std::string delete_versions(const std::vector<int64_t>& versions) const;
  /// The view shows that version alone.
  void show_version(int64_t version, const TaskContext& context) const;

  /// Live data files, those of deleted rows rewritten.
  std::vector<FeedFile> files(const TaskContext& context) const;

 private:
  std::vector<std::string> grow(const std::vector<FeedColumn>& columns, const TaskContext& context);
  void create(const std::vector<FeedColumn>& columns, const TaskContext& context);
  engine::Answer run(const std::string& sql, const TaskContext& context) const;
  void read_columns();
  const FeedColumn* find(const std::string& name) const;
  std::string place() const;
  std::string event_date(const std::vector<FeedColumn>& columns, const std::string& today) const;

  engine::Engine& engine_;
  const FeedSettings& settings_;
  const FeedConfig& feed_;
  const engine::Session session_;
  std::vector<FeedColumn> columns_;  // all of the table's; none: there is no table
};

/// The column whose date tells a row's day; null: there is none, and the export's day counts.
/// COLUMN_NOT_FOUND, TYPE_MISMATCH if the feed names one that will not do.
const FeedColumn* event_column(const FeedConfig& feed, const std::vector<FeedColumn>& columns);
/// Its date (UTC) as SQL, NULL where the value is none.
std::string date_of(const FeedColumn& column, const std::string& qualifier);

}  // namespace meesh::streams
