// One table of the lake that a stream's changes land in: the current state or the history. It knows
// how far it is, and moves that in the commits that land its rows.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/catalogs/buffers.h"
#include "governance/work.h"
#include "ingest/cdc/change_source.h"
#include "ingest/cdc/change_sql.h"
#include "ingest/landing.h"
#include "ingest/ledger.h"

namespace meesh::ingest {

/// What landing needs of the house. All outlive the targets.
struct CaptureEnvironment {
  engine::Engine& engine;
  Ledger& ledger;
  std::shared_ptr<engine::BufferTables> buffers;
  std::string place;  // folder of the tables' folders: "s3://bronze"
  /// SQL of the key of a table's hashes; "" = there is none. May be empty.
  std::function<std::string(const TableConfig&)> salt;
  uint64_t snapshot_rows = 1'000'000;  // of a snapshot in one commit
};

/// A portion of rows or of changes, as a table that statements can read while this lives.
class OfferedChanges {
 public:
  OfferedChanges(engine::BufferTables& tables, const TableChanges& changes);
  const TableChanges& changes() const { return changes_; }
  std::string sql() const { return engine::quote_table(table_->name()); }

 private:
  const TableChanges& changes_;
  const std::unique_ptr<engine::BufferTables::Registration> table_;
};

class ChangeTarget {
 public:
  enum class Kind { kCurrent, kHistory };

  /// `stream`: under which its position is kept.
  ChangeTarget(const CaptureEnvironment& environment, const SourceConfig& config,
               const TableConfig& table, Kind kind, std::string stream, const TaskContext& context);

  const TableConfig& table() const { return table_; }
  const std::string& stream() const { return stream_; }
  Kind kind() const { return kind_; }
  const sql::TableName& landed() const { return landing_.table(); }

  /// Reads from the ledger how far it is. A table that was dropped is nowhere.
  void look();
  /// All rows of a snapshot have landed, and changes follow.
  bool has_snapshot() const { return state_.whole; }
  /// Changes after it are to come.
  const StreamPosition& at() const { return state_.at; }
  /// What a snapshot that is under way goes on with; null: from its beginning.
  const boost::json::value& resume() const { return state_.resume; }
  /// It needs a new snapshot.
  void forget();
  /// Changes of others up to here were none of its own.
  void advance(const StreamPosition& to) { state_.at = std::max(state_.at, to, earlier); }

  /// Rows of a snapshot that was taken at `taken`. `first`: of those of one reader.
  uint64_t land_snapshot(const OfferedChanges& rows, const SnapshotPortion& portion,
                         const StreamPosition& taken, bool first);
  /// Changes up to `end`; those it has already are left out.
  uint64_t land_changes(const OfferedChanges& rows, const StreamPosition& end);

 private:
  struct State {
    bool whole = false;
    StreamPosition at;
    ChangePosition settled;     // of the last part of the snapshot: changes before may be in it
    boost::json::value resume;  // of a snapshot under way
    std::string
        began;  // rows that landed before go when the snapshot is whole; "" = there are none
  };
  static bool earlier(const StreamPosition& a, const StreamPosition& b) { return a.at < b.at; }

  boost::json::value json(const State& state) const;
  State read(const boost::json::value& value) const;
  void prepare(const ChangeSql& sql, const std::string& origin);
  /// One statement, and the state in its commit.
  uint64_t commit(const std::string& sql, State after);
  void begin_snapshot(State& state, const StreamPosition& taken);
  uint64_t land_rows(const OfferedChanges& rows, const ChangeSql& sql, const State& after);
  LandingMark mark() const;
  engine::Session session() const;

  const CaptureEnvironment& environment_;
  const SourceConfig& config_;
  const TableConfig table_;
  const Kind kind_;
  const std::string stream_;
  const TaskContext& context_;
  const Policies policies_;
  const governance::Work work_;
  Landing landing_;
  Position position_;
  State state_;
};

/// "2026-01-31 12:00:00.123456 UTC"
std::string change_moment();

}  // namespace meesh::ingest
