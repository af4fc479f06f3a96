// Work on one feed: exports, retention, rollback.
#pragma once

#include <string>
#include <vector>

#include "governance/work.h"
#include "streams/feeds/feed_table.h"
#include "streams/feeds/feeds.h"

namespace meesh::streams {

/// As lineage knows exports of the feed. `address`: of what is behind the buffers; "" = none.
governance::Work work_of(const FeedSettings& settings, const FeedConfig& feed,
                         const std::string& address);

/// Used once. Leaves the events to its caller.
class FeedWork {
 public:
  /// All outlive it.
  FeedWork(const FeedEnvironment& environment, FeedStore& store, const FeedFolder& folder,
           const FeedSettings& settings, const FeedConfig& feed, int64_t now_ms,
           const TaskContext& context);

  /// Fills in what happened as it happens, so that it tells also what one that threw has done.
  void run_export(ExportResult& result);
  RetainResult retain(bool dry_run);
  /// Makes view, folder and metadata say what the table says.
  void settle(uint64_t& records, uint64_t& bytes);

 private:
  std::unique_ptr<FeedSource> open_source() const;
  void land(FeedTable& table, const FeedPortion& portion, const std::vector<FeedColumn>& columns,
            const FeedState& before, ExportResult& result);
  RetainResult retain_days(const FeedTable& table, bool dry_run);
  RetainResult retain_versions(const FeedTable& table, bool dry_run);
  void remove(const std::string& statement, const std::function<void(soci::session&)>& also);
  engine::Session session(const std::string& address) const;

  const FeedEnvironment& environment_;
  FeedStore& store_;
  const FeedFolder& folder_;
  const FeedSettings& settings_;
  const FeedConfig& feed_;
  const int64_t now_ms_;
  const TaskContext& context_;
  std::string address_;
  uint64_t read_ = 0;  // rows of the portions before
};

}  // namespace meesh::streams
