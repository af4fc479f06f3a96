// One sync: a stream's rows from its source into its table.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "governance/work.h"
#include "ingest/ingest.h"
#include "ingest/landing.h"
#include "ingest/ledger.h"
#include "ingest/policies.h"

namespace meesh::ingest {

/// Used once. Leaves the history to its caller.
class Sync {
 public:
  /// `table.mode` is the configured one. `salt`: as Policies take it.
  Sync(const Environment& environment, Ledger& ledger, Source& source, const SourceConfig& config,
       TableConfig table, std::string run_date, std::string salt, const TaskContext& context);

  /// Fills in what happened as it happens, so that it tells also what a sync that threw has done.
  void run(bool full_refresh, SyncResult& result);

 private:
  void look_at_the_tables();
  void take(bool full_refresh, SyncResult& result);
  void land(Portion& portion, bool replace, SyncResult& result);
  /// What becomes of rows that do not land: throws if they are too many.
  void put_aside(const Portion& portion, const Intake& intake, bool replace, SyncResult& result);
  void need_few(const Portion& portion, const Intake& intake, uint64_t rejected,
                const SyncResult& result);
  std::string rejected_query(const Portion& portion, const Intake& intake) const;
  void land_rejected(const Portion& portion, const std::string& query, uint64_t rows, bool replace);
  /// After the last portion: current rows follow what was appended, and those that a full refresh
  /// did not meet go.
  void merge_changes(SyncResult& result);
  void sweep(SyncResult& result);

  std::string statement(const Intake& intake, const Portion& portion) const;
  Newest newest(const Portion& portion) const;
  /// A commit of the merged table: `#current` moves along.
  std::shared_ptr<engine::LakeCommit> current_commit(const boost::json::value& after) const;
  /// The bytes that the commit called `mark` added.
  uint64_t bytes_of(const sql::TableName& table, const std::string& mark) const;
  ReadRequest request() const;
  engine::Session session() const;
  std::string folder(const std::string& table) const;
  /// The table with one row a key; null: the stream has none.
  Landing* current();

  const Environment& environment_;
  Ledger& ledger_;
  Source& source_;
  const SourceConfig& config_;
  const TableConfig table_;
  const std::string run_date_;
  const TaskContext& context_;
  const Policies policies_;
  governance::Work work_;
  Position position_;  // read before the table is looked at, which is then as new or newer
  /// Of the table with one row a key: {"moment": rows before it are merged, "began": rows that
  /// landed before it go when everything has come}.
  Position merged_;
  const std::string moment_;        // of this run's rows; after those of all runs before
  Landing landing_;                 // where portions go
  std::optional<Landing> current_;  // of kBoth
  Stream stream_;
  std::vector<std::string> key_;
  std::vector<StreamColumn> before_;  // the table's columns when the run began
  bool fresh_ = false;                // nothing had landed when the reading of everything began
  bool everything_ = false;
  uint64_t read_ = 0;  // rows of the portions before
};

/// A sync of the table, as lineage knows it.
governance::Work work_of(const SourceConfig& config, const TableConfig& table);

/// The name of the position of a stream's merged table.
std::string current_of(const std::string& stream);

/// Folder of the folders of a source's tables: "s3://bronze". Throws CONFIG_INVALID for one that
/// the lake may not use.
std::string landing_place(const mesh::Mesh& mesh, const SourceConfig& config);

/// Nothing, or YYYY-MM-DD of a day there is; else throws INVALID_ARGUMENTS. Nothing means today.
std::string checked_run_date(const std::string& text);

}  // namespace meesh::ingest
