// Feeds: streams and tables exported into a data lake of Parquet files, by date or by version, each
// row once, with what is in them told beside them and old ones removed in time. See docs/feeds.md.
//
//   Feeds feeds(environment);                       // reads feeds/, throws mesh::ConfigError
//   feeds.start();
//   auto result = feeds.export_feed("transaction_stream", {}, context);
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "engine/catalogs/buffers.h"
#include "engine/engine.h"
#include "governance/lineage_store.h"
#include "mesh/mesh.h"
#include "meta/database.h"
#include "objects/store.h"
#include "streams/feeds/feed_config.h"
#include "streams/feeds/feed_folder.h"
#include "streams/feeds/feed_store.h"

namespace meesh::streams {

/// All outlive the Feeds.
struct FeedEnvironment {
  engine::Engine& engine;
  meta::Database& database;
  const mesh::Mesh& mesh;
  objects::Store& store;
  /// What rows of ksqlDB are read through; the engine has its catalog. Null: there is no ksqlDB.
  std::shared_ptr<engine::BufferTables> buffers;
  governance::LineageStore* lineage = nullptr;  // hears of exports that fail; may be null
  std::string holder;                           // this server's name, the same after a restart
  std::function<int64_t()> now_ms;              // since 1970; empty: the system's clock
};

/// A feed as it stands. Sums are as of the last export.
struct FeedStatus {
  FeedConfig config;
  std::string table;   // "lake.data_lake.transaction_stream"
  std::string folder;  // of this machine
  std::string origin;  // where its rows come from: "lake.payments.transaction_stream"
  std::string error;  // what is wrong with its file; "" = nothing. Then `config` has its name alone
  FeedState state;
  std::vector<FeedPartition> partitions;
  std::vector<FeedVersion> versions;  // newest first, those removed as well
  std::optional<FeedEvent> last;      // what happened last
};

struct FeedSync {
  std::vector<std::string> added, changed, archived, unchanged;
  std::vector<std::string> errors;  // files that cannot be read, a mistake each
};

struct ExportResult {
  std::string feed, table;
  uint64_t rows = 0;                 // exported now
  int64_t version = 0;               // of tables
  uint64_t removed_rows = 0;         // by retention
  std::vector<std::string> removed;  // partitions
  uint64_t records = 0, bytes = 0;   // of the whole feed
  std::string folder;
  double seconds = 0;
  std::vector<std::string> notes;  // columns added, types widened
};

struct RetainResult {
  std::string feed;
  std::vector<FeedPartition> removed;
  uint64_t rows = 0;
};

/// Thread-safe. One piece of work on a feed at a time: ALREADY_EXISTS. Names that are not there:
/// NOT_FOUND that names those there are.
class Feeds {
 public:
  /// Throws mesh::ConfigError with every mistake of feeds/.
  explicit Feeds(const FeedEnvironment& environment);
  ~Feeds();
  Feeds(const Feeds&) = delete;
  Feeds& operator=(const Feeds&) = delete;

  /// Puts right what exports that were killed have left; then, and once an hour, makes folders for
  /// new files and applies retention.
  void start();
  void stop();

  std::vector<FeedStatus> list() const;  // by name, archived ones left out
  FeedStatus show(const std::string& name) const;
  /// Newest first; "" = of all.
  std::vector<FeedEvent> events(const std::string& feed, size_t limit) const;

  // Files. They throw ConfigError for what the feed would be.
  void add(const std::string& name, const boost::json::object& keys);
  /// Replaces the keys that are given; null takes one away.
  void update(const std::string& name, const boost::json::object& keys);
  /// Its file goes to feeds/archived; its rows and files stay.
  void archive(const std::string& name);
  /// Looks at the files, remembers what changed, makes folders.
  FeedSync sync();

  /// `now_ms`: instead of the clock, for days that have not come yet. Throws what went wrong after
  /// it is among the events; what was committed before stays.
  ExportResult export_feed(const std::string& name, std::optional<int64_t> now_ms,
                           const TaskContext& context);
  /// `dry_run` only tells.
  RetainResult retain(const std::string& name, std::optional<int64_t> now_ms, bool dry_run,
                      const TaskContext& context);
  /// Makes an older version of a table current again.
  void roll_back(const std::string& name, int64_t version, const TaskContext& context);

  const FeedSettings& settings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace meesh::streams
