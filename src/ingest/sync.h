// One sync: a stream's rows from its source into its table.
#pragma once

#include <memory>
#include <string>

#include "governance/work.h"
#include "ingest/ingest.h"
#include "ingest/landing.h"
#include "ingest/ledger.h"

namespace meesh::ingest {

/// Used once. Leaves the history to its caller.
class Sync {
 public:
  /// `table.mode` is the configured one.
  Sync(const Environment& environment, Ledger& ledger, Source& source, const SourceConfig& config,
       TableConfig table, std::string run_date, const TaskContext& context);

  /// Fills in what happened as it happens, so that it tells also what a sync that threw has done.
  void run(bool full_refresh, SyncResult& result);

 private:
  void land(Portion& portion, bool replace, SyncResult& result);
  void land_rejected(const Portion& portion, bool replace, SyncResult& result);
  /// The bytes that the commit called `mark` added.
  uint64_t bytes_of(const sql::TableName& table, const std::string& mark) const;
  ReadRequest request() const;
  engine::Session session() const;
  std::string folder(const std::string& table) const;

  const Environment& environment_;
  Ledger& ledger_;
  Source& source_;
  const SourceConfig& config_;
  const TableConfig table_;
  const std::string run_date_, moment_;
  const TaskContext& context_;
  governance::Work work_;
  Position position_;  // read before the table is looked at, which is then as new or newer
  Landing landing_;
  Stream stream_;
  uint64_t read_ = 0;  // rows of the portions before
};

/// A sync of the table, as lineage knows it.
governance::Work work_of(const SourceConfig& config, const TableConfig& table);

/// Nothing, or YYYY-MM-DD of a day there is; else throws INVALID_ARGUMENTS. Nothing means today.
std::string checked_run_date(const std::string& text);

}  // namespace meesh::ingest
