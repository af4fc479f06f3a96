// How much data is used: statements by day, asset and user, and which tables are read together;
// counted from statements that really ran.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "meta/database.h"

namespace meesh::governance {

struct DayUsage {
  int64_t day_ms = 0;  // since 1970, at midnight UTC
  uint64_t statements = 0;
};

struct AssetUsage {
  std::vector<DayUsage> days;                           // oldest first; days without are left out
  std::vector<std::pair<std::string, uint64_t>> users;  // most first
  std::vector<std::pair<std::string, uint64_t>> joined_with;  // assets, most first
  uint64_t statements = 0;
  int64_t last_ms = 0;  // since 1970; 0 = never
};

struct UsedAsset {
  std::string asset;
  uint64_t statements = 0;
  int64_t last_ms = 0;
};

/// Thread-safe. What is counted is in memory until flush().
class Usage {
 public:
  /// Makes its tables.
  explicit Usage(meta::Database& database);

  /// A statement of `user` that ended at `at_ms` read these (each once).
  void count(const std::vector<std::string>& assets, const std::string& user, int64_t at_ms);
  /// Writes what was counted; days older than `kept_days` go. Throws what the database throws and
  /// has then lost nothing.
  void flush(int kept_days = 400);

  // Of the last `days` days, with what is not flushed.
  AssetUsage of(const std::string& asset, int days);
  std::vector<UsedAsset> most_used(int days, size_t limit);

 private:
  struct Sum {
    uint64_t statements = 0;
    int64_t last_ms = 0;
  };
  struct Pending {
    std::map<std::tuple<int64_t, std::string, std::string>, Sum> uses;        // day, asset, user
    std::map<std::tuple<int64_t, std::string, std::string>, uint64_t> pairs;  // day, asset, asset
    bool empty() const { return uses.empty() && pairs.empty(); }
  };

  void write(soci::session& sql, const Pending& pending, int64_t oldest_day) const;

  meta::Database& database_;
  std::mutex mutex_;
  Pending pending_;      // guarded
  std::mutex flushing_;  // one flush at a time
};

}  // namespace meesh::governance
