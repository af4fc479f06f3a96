// What `meesh feed report` writes: the feeds of the data lake with their sizes, their growth and
// their last exports, as text, as CSV and as a page.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace meesh::app {

struct ReportedFeed {
  std::string name, type, storage_mode, source, table, retention, permissions, state;
  bool enabled = true;
  uint64_t records = 0, bytes = 0, partitions = 0;
  int64_t current_version = 0, last_export_ms = 0;  // 0: none
};

/// Something that happened to a feed; sums are of the whole feed after it.
struct ReportedEvent {
  std::string feed, kind, state, detail, error;
  int64_t at_ms = 0, took_ms = 0;
  uint64_t rows = 0, records = 0, bytes = 0;
};

struct FeedReport {
  int64_t made_ms = 0;
  std::string folder;
  std::vector<ReportedFeed> feeds;    // by name
  std::vector<ReportedEvent> events;  // oldest first
};

/// One line a feed, with a header; times in ISO 8601, UTC.
std::string report_csv(const FeedReport& report);
/// One file, in the language of the terminal: no script, nothing from elsewhere.
std::string report_html(const FeedReport& report);
/// How the lake grew: a point an event that changed a sum.
struct GrowthPoint {
  int64_t at_ms = 0;
  uint64_t records = 0, bytes = 0;
};
std::vector<GrowthPoint> growth_of(const FeedReport& report);

/// "2025-01-15T14:30:00Z"; "" for 0.
std::string utc_time(int64_t ms);

}  // namespace meesh::app
