// A sync as it is or was, for people and programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace meesh::ingest {

struct SyncRecord {
  std::string id, source, stream, table, run_id, run_date, mode;
  std::string state;  // "running", "succeeded", "failed", "canceled", "interrupted"
  int64_t started_ms = 0, ended_ms = 0;
  uint64_t rows = 0, bytes = 0, rejected = 0;
  std::string error;
};

/// How the syncs of one stream went, over what is kept of them.
struct StreamStatus {
  std::string source, stream, table, mode;
  std::string position;  // JSON; "" = none
  std::optional<SyncRecord> last;
  uint64_t syncs = 0, succeeded = 0, rows = 0, rejected = 0;  // syncs: those that ended
  double mean_seconds = 0;                                    // of those that succeeded
};

/// How far a stream was read.
struct StreamState {
  std::string stream, table, mode;
  std::string position;    // JSON; "" = nothing was read
  std::string merged;      // JSON: of its table with one row a key; "" = it has none
  int64_t moved_ms = 0;    // 0: never
  bool configured = true;  // the file takes it
};

}  // namespace meesh::ingest
