// Airbyte's jobs: syncs of all streams of a source, as the history has them, and those that were
// begun over Airbyte's API and run now.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "ingest/ingest.h"

namespace meesh::serve::api {

/// The same UUID for the same text.
std::string airbyte_id(std::string_view kind, std::string_view name);

struct AirbyteJob {
  int64_t id = 0;
  std::string source;
  std::string status;  // "running", "succeeded", "failed", "cancelled"
  int64_t started_ms = 0, ended_ms = 0;
  std::vector<ingest::SyncRecord> streams;
  std::string error;  // of what failed before any stream
};

/// Thread-safe. Destroying it stops what it has begun.
class AirbyteJobs {
 public:
  explicit AirbyteJobs(ingest::Ingest& ingest) : ingest_(ingest) {}
  ~AirbyteJobs();

  /// Newest first; "" = of all sources.
  std::vector<AirbyteJob> list(const std::string& source) const;
  /// Throws NOT_FOUND.
  AirbyteJob get(int64_t id) const;
  /// Begins to sync all streams. Throws NOT_FOUND, and ALREADY_EXISTS while it runs.
  AirbyteJob begin(const std::string& source);
  /// Throws NOT_FOUND.
  AirbyteJob cancel(int64_t id);

 private:
  struct Running {
    AirbyteJob job;
    bool done = false;
    std::jthread thread;
  };
  void run(Running& running, const std::stop_token& stop);
  /// A sync belongs to the job whose id its run has, or is one of its own.
  static std::string run_id(int64_t id) { return "airbyte-" + std::to_string(id); }

  ingest::Ingest& ingest_;
  mutable std::mutex mutex_;
  std::map<int64_t, Running> running_;  // guarded by mutex_, but for the thread's own work
};

boost::json::object job_json(const AirbyteJob& job);       // {"job", "attempts"} of jobs/list
boost::json::object job_info_json(const AirbyteJob& job);  // with logs, of jobs/get

}  // namespace meesh::serve::api
