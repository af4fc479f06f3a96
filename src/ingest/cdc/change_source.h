// A source of changes: what a database writes down of its rows as they change (PostgreSQL's logical
// replication, MySQL's binlog), in the order of commits, and its tables as they were at one place
// in that order. Each kind of database implements this interface; how changes land, where positions
// are kept and how a killed run goes on is the same for all (ingest/cdc/capture.h).
//
//   auto changes = source.changes();
//   for (const auto& note : changes->check(tables)) …          // throws what is wrong
//   changes->begin(tables, positions);                         // slot, publication, …
//   auto reader = changes->snapshot(table, nullptr);           // of tables that have nothing yet
//   while (auto portion = reader->next(…)) land(*portion);
//   changes->follow(from);
//   while (auto batch = changes->next(limits, stop)) { land(*batch); changes->confirm(batch->end);
//   }
//
// Rows travel in RowBuffers in the engine's memory; columns whose type has parts (array, row, map)
// are JSON text in a varchar there, as engine/catalogs/buffers.h says.
#pragma once

#include <atomic>
#include <boost/json/value.hpp>
#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/task.h"
#include "engine/catalogs/buffers.h"
#include "ingest/source.h"

namespace meesh::ingest {

/// Where in the order of changes, growing with each change and unique to it. Both fit in 63 bits.
/// PostgreSQL: the LSN of the commit, and the number of the change within its transaction, from 1.
/// MySQL: the number in the binlog file's name, and offset of the event × 2^20 + row within it + 1.
struct ChangePosition {
  uint64_t major = 0, minor = 0;
  auto operator<=>(const ChangePosition&) const = default;
};

/// What reading goes on from: a position, and what the source needs beside it.
struct StreamPosition {
  ChangePosition at;
  /// The source's own: the identity of the log ("system"), GTIDs, the name of the binlog file. It
  /// is kept with the table's rows and comes back in begin(). Small.
  boost::json::value log;
};

/// As Debezium names them.
inline constexpr std::string_view kOpCreate = "c", kOpUpdate = "u", kOpDelete = "d",
                                  kOpTruncate = "t", kOpRead = "r";
/// The old key of a row whose key changed: comes right before its kOpUpdate. Current state loses
/// that key; the history does not have it as a row.
inline constexpr std::string_view kOpMoved = "m";

/// Columns of every buffer of changes, in this order; then the table's own, then those of the key
/// once more, each with kBeforePrefix.
///   _seq bigint         order within the buffer, from 1
///   _op varchar         one of the above
///   _major, _minor      bigint: ChangePosition; of snapshots, where they were taken
///   _tx varchar         transaction: PostgreSQL's xid, MySQL's GTID or ""
///   _committed          timestamp(6) with time zone; of snapshots, when they were taken
///   _unchanged varchar  ["body","notes"]: columns whose cells the source did not send because they
///                       did not change; NULL: there are none
///   _error varchar      why a cell of the row makes no sense; NULL: all do. Such rows are poison.
///   _raw varchar        of a row with _error, as the source sent it
/// A kOpDelete and kOpMoved have values in the key's columns at least. The key's before-columns
/// have values in a kOpUpdate that changed the key, and are NULL else.
inline constexpr std::string_view kBeforePrefix = "_before_";
enum ChangeColumn : size_t {
  kSeqColumn,
  kOpColumn,
  kMajorColumn,
  kMinorColumn,
  kTxColumn,
  kCommittedColumn,
  kUnchangedColumn,
  kErrorColumn,
  kRawColumn,
  kFirstOwnColumn,
};

/// A table's columns and key, as a run of changes has them.
struct TableShape {
  std::string table;                  // the stream's name, lower case
  std::string origin;                 // what "_source" says: "shop.public.orders"
  std::vector<StreamColumn> columns;  // without those the configuration excludes
  /// Numbers in `columns`; none: rows cannot be told apart, and only a history can be kept.
  std::vector<size_t> key;
  bool operator==(const TableShape& other) const;
};

/// The columns of a buffer for such rows.
std::vector<engine::BufferColumn> change_columns(const TableShape& shape);

/// Changes of one table, in order, all of one shape.
struct TableChanges {
  std::shared_ptr<const TableShape> shape;
  /// The table was emptied at `first`, before the rows, the first of which is the kOpTruncate.
  bool truncated = false;
  std::shared_ptr<engine::RowBuffer> rows;  // finished
  ChangePosition first, last;               // of the rows
  std::set<size_t> unchanged;               // numbers of all columns that stand in _unchanged
  bool moved = false;                       // there are rows kOpMoved
  /// There are rows with before-values and _unchanged at once: of no such row was the old key
  /// touched earlier in the same buffer.
  bool moved_unchanged = false;
  uint64_t poison = 0;   // rows with _error
  bool creates = false;  // all rows are kOpCreate, of keys that the table did not have
};

struct ChangeBatch {
  std::vector<TableChanges> tables;  // at most one of each table
  StreamPosition end;                // all changes up to here are in this batch or in those before
  std::chrono::system_clock::time_point committed;  // of the last change; epoch: no change
  uint64_t changes = 0, bytes = 0;                  // bytes: about, as they came
};

/// A batch ends with a transaction once it has `changes` or `bytes`, or is `time` old and wanted,
/// and within a transaction at four times as many.
struct BatchLimits {
  uint64_t changes = 250'000;
  uint64_t bytes = 128u << 20;
  std::chrono::milliseconds time{1000};
  /// False while whoever takes batches is busy with one: it may grow meanwhile. Null: always
  /// wanted.
  const std::atomic<bool>* wanted = nullptr;
};

struct SnapshotPortion {
  TableChanges rows;  // kOpRead
  /// Once these rows are committed, snapshot() goes on after them with this; null: it cannot, and a
  /// table that was not finished begins anew.
  boost::json::value resume;
  bool last = false;  // that was all; there is one such portion, perhaps without rows
};

/// One thread at a time.
class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  /// Where in the order of changes the rows are from: changes after it are not in them, those
  /// before are.
  virtual StreamPosition position() const = 0;
  /// After the last portion: nothing.
  virtual std::optional<SnapshotPortion> next(const BatchLimits& limits, std::stop_token stop) = 0;
  virtual double estimated_rows() const { return -1; }
};

/// How far the source is ahead.
struct ChangeLag {
  uint64_t bytes = 0;  // of the log, between what is confirmed and what is written
  double seconds = 0;  // age of the oldest change that is not confirmed; 0: none is open
  /// What keeps the log (a slot, the expiry of binlogs) is near its end: what, and how to mend it.
  std::vector<std::string> warnings;
};

/// Thrown errors are of kind kExternal and name the source; Code::kUnavailable: trying again later
/// may help. LOST_POSITION is told by lost(): nothing but a new snapshot helps.
/// confirm() and lag() may be called by any thread, all else by one at a time.
class ChangeSource {
 public:
  virtual ~ChangeSource() = default;

  /// Looks whether changes of these tables can be followed, before anything is made on the server:
  /// settings, rights, keys. Throws the first thing that cannot be, with what to do; what is worth
  /// telling comes back, a line each.
  virtual std::vector<std::string> check(const std::vector<TableConfig>& tables) = 0;

  /// Makes what following needs (slot, publication, server id) unless it is there. `known`: where
  /// tables stand that have rows already; throws an Error that lost_position() knows if the log
  /// does not reach back to one of them.
  virtual void begin(const std::vector<TableConfig>& tables,
                     const std::vector<StreamPosition>& known) = 0;

  /// The table's rows as they are at one place of the order, after begin(). `resume`: of the last
  /// portion that was committed; null: from its beginning.
  virtual std::unique_ptr<SnapshotReader> snapshot(const TableConfig& table,
                                                   const boost::json::value& resume) = 0;

  /// The order's present end, to know when a run has caught up.
  virtual StreamPosition end() = 0;
  /// Opens the stream: next() gives changes after `from` (and may give some before it). Called
  /// again after an error.
  virtual void follow(const StreamPosition& from) = 0;
  /// The next batch; one without changes and with a later end when the log went on without us. When
  /// there is nothing yet: nothing, after limits.time at most or when `stop` is asked for. Keeps
  /// the connection alive while it waits; whoever does not call it for long calls idle().
  virtual std::optional<ChangeBatch> next(const BatchLimits& limits, std::stop_token stop) = 0;
  virtual void idle() {}
  /// All changes up to here are committed: the source may forget them.
  virtual void confirm(const StreamPosition& position) = 0;

  virtual ChangeLag lag() = 0;
  /// "0/16B3748", "binlog.000003:1547"
  virtual std::string show(const StreamPosition& position) const = 0;
  /// Lets go of what begin() made on the server; after it nothing can be gone on with. Idempotent.
  virtual void drop() = 0;
};

/// The log is gone from where a table stands. `what`: "the slot 'x' is gone".
Error lost_position(const std::string& source, const std::string& what);
bool is_lost_position(const Error& error);

}  // namespace meesh::ingest
