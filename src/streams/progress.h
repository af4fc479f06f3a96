// How far each stream has come, in the metadata database: the offsets its batches were read up to,
// the batch that is under way, and which of its sinks have taken which batch.
//
// A batch that needs one commit moves the offsets in that very commit. One that needs several (more
// sinks, state, messages for the dead-letter table) is written down first: after a crash it is read
// again up to the same offsets, and whoever has taken it before does not take it twice.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "meta/database.h"
#include "streams/message.h"

namespace meesh::streams {

struct Progress {
  int64_t generation = 1;
  int64_t batch = 0;                           // the last that is done
  std::map<std::string, Offsets> offsets;      // by source: what is read next
  std::map<std::string, int64_t> event_times;  // by source: the newest there was, ms since 1970
  std::optional<int64_t> watermark_ms;
  uint64_t messages = 0, rows = 0, malformed = 0, late = 0, duplicates = 0;
  int64_t committed_ms = 0;
  int64_t version = 0;  // grows with every change; 0: the stream never ran
};

/// A batch that is under way.
struct Plan {
  int64_t batch = 0;
  std::map<std::string, Offsets> ends;  // by source: behind its last message
};

/// Thread-safe.
class ProgressStore {
 public:
  explicit ProgressStore(meta::Database& database);

  Progress progress(const std::string& stream) const;
  /// In the transaction of a commit: what was `before` is `after` now, and no batch is under way.
  /// Throws TRANSACTION_CONFLICT if another server has moved it.
  static void advance(soci::session& sql, const std::string& stream, const Progress& before,
                      const Progress& after);
  void advance(const std::string& stream, const Progress& before, const Progress& after);

  std::optional<Plan> plan(const std::string& stream) const;
  void plan(const std::string& stream, const Plan& plan);

  /// The last batch that a sink took, in this generation; 0: none.
  int64_t taken(const std::string& stream, const std::string& sink, int64_t generation) const;
  static void take(soci::session& sql, const std::string& stream, const std::string& sink,
                   int64_t generation, int64_t batch);

  /// A new generation that begins there (by source; sources that are not named begin as their
  /// configuration says).
  void reset(const std::string& stream, const std::map<std::string, Offsets>& offsets);

  bool paused(const std::string& stream, bool otherwise) const;
  void pause(const std::string& stream, bool paused);

 private:
  meta::Database& database_;
};

boost::json::object offsets_json(const std::map<std::string, Offsets>& offsets);

}  // namespace meesh::streams
