// A feed's files as plain files of this machine, for those who read folders without the table:
//
//   data_lake/streams/<feed>/year=2025/month=01/day=15/data_….parquet
//   data_lake/tables/<feed>/version=v1/snapshot_….parquet, and `_current`, which names a version
//   data_lake/<streams or tables>/<feed>/_metadata.json
//   data_lake/logs/export_2025-01-15.log
//
// A file is whole or not there: it is written in data_lake/.staging, synced and renamed; a version
// appears and leaves as a folder at once. What is killed half-way is put right by the next call.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "objects/store.h"
#include "streams/feeds/feed_config.h"

namespace meesh::streams {

/// A data file of the feed's table.
struct FeedFile {
  std::string bucket, key;
  std::string path;  // below the feed's folder: "year=2025/month=01/day=15/data_….parquet"
  uint64_t records = 0, bytes = 0;
};

/// A folder of the feed, "year=2025/month=01/day=15" or "version=v1".
struct FeedPartition {
  std::string path;
  uint64_t records = 0, bytes = 0;
};
/// Sums of the files, by path.
std::vector<FeedPartition> partitions_of(const std::vector<FeedFile>& files);

/// What _metadata.json says. Megabytes are 1,000,000 bytes. `last_export_ms` 0: null.
boost::json::object feed_metadata(const FeedConfig& feed, int64_t last_export_ms,
                                  const std::vector<FeedPartition>& partitions);

/// "2025-01-15T14:30:00Z"
std::string iso_time(int64_t ms);
/// "2025-01-15", of UTC.
std::string iso_date(int64_t ms);

class FeedFolder {
 public:
  /// `root`: data_lake; made when it is needed.
  FeedFolder(std::filesystem::path root, objects::Store& store);

  /// streams, tables, logs and a way to the feeds' files (`feeds`, a link to `feeds_folder`).
  void make_root(const std::filesystem::path& feeds_folder) const;
  /// The feed's own, with its permissions.
  void make(const FeedConfig& feed) const;
  std::filesystem::path of(const FeedConfig& feed) const;

  /// Makes the folder hold exactly these files. How many were added and removed.
  struct Changed {
    size_t added = 0, removed = 0;
  };
  /// `current`: the version that `_current` names; 0: none.
  Changed bring_in_line(const FeedConfig& feed, const std::vector<FeedFile>& files, int64_t current,
                        std::stop_token stop) const;
  void write_metadata(const FeedConfig& feed, const boost::json::object& metadata) const;
  /// A line of logs/export_<date>.log.
  void log(int64_t now_ms, const std::string& level, const std::string& feed,
           const std::string& line) const;

 private:
  std::filesystem::path staging(const FeedConfig& feed) const;
  void fetch(const FeedFile& file, const std::filesystem::path& to, mode_t mode) const;
  void replace(const std::filesystem::path& file, const std::string& text,
               const FeedConfig& feed) const;
  void add_version(const FeedConfig& feed, const std::string& folder,
                   const std::vector<const FeedFile*>& files, const std::stop_token& stop) const;
  void add_files(const FeedConfig& feed, const std::string& folder,
                 const std::vector<const FeedFile*>& files, const std::stop_token& stop) const;

  const std::filesystem::path root_;
  objects::Store& store_;
};

}  // namespace meesh::streams
