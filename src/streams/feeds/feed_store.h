// What feeds know of themselves, in the metadata database: how far each was exported, its versions,
// and all that happened to it.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "meta/database.h"

namespace meesh::streams {

/// A feed's row. Versions are those of tables, from 1 on; 0: none.
struct FeedState {
  std::string config;             // the file's text when it was last seen; "" = never
  bool active = true;             // its file lies among the active ones
  boost::json::value position;    // of streams; null: nothing was exported
  int64_t moves = 0;              // grows with every commit; guards them against each other
  int64_t current_version = 0;    // what readers are to see
  int64_t published_version = 0;  // what the view shows; follows the current one
  int64_t last_version = 0;
  int64_t last_export_ms = 0;       // since 1970; 0: never
  uint64_t records = 0, bytes = 0;  // as of the last look at the table
  std::string partitions;           // JSON, as _metadata.json has them; "" = not looked at yet
};

struct FeedVersion {
  int64_t version = 0, written_ms = 0;
  uint64_t rows = 0;
  bool removed = false;  // by retention
};

/// Something that happened to a feed.
struct FeedEvent {
  std::string id, feed;
  std::string kind;   // "export", "retain", "rollback", "add", "update", "archive"
  std::string state;  // "running", "succeeded", "failed", "canceled", "interrupted"
  int64_t started_ms = 0, ended_ms = 0;
  uint64_t rows = 0;                // added by exports, removed by retention
  uint64_t records = 0, bytes = 0;  // of the whole feed after it
  int64_t version = 0;
  std::string detail, error;
};

/// Thread-safe.
class FeedStore {
 public:
  /// Events that the last process of this name left running are marked interrupted; `interrupted()`
  /// names their feeds.
  FeedStore(meta::Database& database, std::string server);

  const std::vector<std::string>& interrupted() const { return interrupted_; }

  /// A fresh one if the feed was never seen.
  FeedState state(const std::string& feed) const;
  std::vector<std::string> known() const;  // names, sorted
  void see(const std::string& feed, const std::string& config, bool active, int64_t now_ms);
  /// What a look at the table gave.
  void totals(const std::string& feed, uint64_t records, uint64_t bytes,
              const std::string& partitions);
  void exported(const std::string& feed, int64_t now_ms);
  void published(const std::string& feed, int64_t version);

  // In the transaction of a commit. They throw TRANSACTION_CONFLICT if another commit was faster
  // than this one, which began at `moves`.
  static void move(soci::session& sql, const std::string& feed, int64_t moves,
                   const boost::json::value& position);
  /// Makes `version`, which is new, the current one.
  static void add_version(soci::session& sql, const std::string& feed, int64_t moves,
                          int64_t version, int64_t now_ms);
  static void remove_versions(soci::session& sql, const std::string& feed, int64_t moves,
                              const std::vector<int64_t>& versions);
  void count_rows(const std::string& feed, int64_t version, uint64_t rows);
  /// Makes an older version current again, and writes that down. CONSTRAINT_VIOLATION if there is
  /// none such, or no more.
  void roll_back(const FeedEvent& event);
  /// Newest first.
  std::vector<FeedVersion> versions(const std::string& feed) const;

  /// One that runs, or that took no time.
  void begin(const FeedEvent& event);
  void end(const FeedEvent& event);
  /// Newest first; "" = of all feeds.
  std::vector<FeedEvent> events(const std::string& feed, size_t limit) const;

 private:
  meta::Database& database_;
  const std::string server_;
  std::vector<std::string> interrupted_;
};

}  // namespace meesh::streams
