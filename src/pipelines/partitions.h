// Partitions of time that a pipeline's runs are for: days, hours or months.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/cron.h"

namespace meesh::pipelines {

struct Partitions {
  enum class By { kHour, kDay, kMonth };
  By by = By::kDay;
  std::string from;  // the first one: a key

  /// "2025-01-15T06", "2025-01-15", "2025-01". Throws BAD_REQUEST for another text, or one before
  /// `from`.
  std::string key(std::string_view text) const;
  /// The partition a local time lies in.
  std::string key_at(std::chrono::local_seconds time) const;
  /// All from `first` to `last`, both included. Throws BAD_REQUEST: more than 100 000, or
  /// backwards.
  std::vector<std::string> range(std::string_view first, std::string_view last) const;
  /// partition, run_date (its day), partition_start and partition_end ("2025-01-15 00:00:00").
  std::map<std::string, std::string> parameters(const std::string& key) const;
};

/// "2025-01-15"; throws BAD_REQUEST for anything else.
std::string checked_date(std::string_view text);
std::string date_of(std::chrono::local_seconds time);

}  // namespace meesh::pipelines
