// What ingestion knows of itself, in the metadata database: how far each stream was read, and how
// its syncs went.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ingest/sync_record.h"
#include "meta/database.h"

namespace meesh::ingest {

/// How far a stream was read.
struct Position {
  boost::json::value value;  // null: nothing was read
  int64_t version = 0;       // grows with every commit; 0: there was none
  int64_t moved_ms = 0;      // when it was written; 0: never
};

/// Thread-safe.
class Ledger {
 public:
  /// `server` tells servers that share a database apart.
  Ledger(meta::Database& database, std::string server);

  Position position(const std::string& source, const std::string& stream) const;
  /// In the transaction of a commit: moves the position from `before`. Throws TRANSACTION_CONFLICT
  /// if another sync has moved it.
  static void move(soci::session& sql, const std::string& source, const std::string& stream,
                   const Position& before, const boost::json::value& after, int64_t now_ms);

  /// By hand, whatever it was: `value` from now on, null = nothing was read.
  void set(const std::string& source, const std::string& stream, const boost::json::value& value);
  void forget(const std::string& source, const std::string& stream);
  /// Of a source: stream → position, for those that have one.
  std::map<std::string, Position> positions(const std::string& source) const;

  /// Rejected rows land apart from their portion: whether those of `batch` have, and in the
  /// transaction of a commit that they do.
  bool rejected_landed(const std::string& source, const std::string& stream,
                       const std::string& batch) const;
  static void rejected_land(soci::session& sql, const std::string& source,
                            const std::string& stream, const std::string& batch);

  void begin(const SyncRecord& record);
  /// Its end; also drops what is too old of the stream's history.
  void end(const SyncRecord& record);
  /// Newest first; "" = all.
  std::vector<SyncRecord> history(const std::string& source, const std::string& stream,
                                  size_t limit) const;
  /// Counts and means of what is kept, without position and mode.
  std::vector<StreamStatus> status() const;

 private:
  meta::Database& database_;
  const std::string server_;
};

}  // namespace meesh::ingest
