// One run of PostgreSQL's logical replication: what comes over the wire, by table and in batches.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ingest/cdc/pgoutput.h"
#include "ingest/cdc/postgres_rows.h"
#include "ingest/sources/postgresql_changes.h"
#include "ingest/sources/postgresql_changes_link.h"
#include "ingest/sources/postgresql_changes_tables.h"

namespace meesh::ingest {

/// One thread, but for confirm().
class PostgresStream {
 public:
  /// Begins to stream. `tables`: those that are followed. Throws UNAVAILABLE while another
  /// connection still has the slot.
  PostgresStream(const PostgresChangesOptions& options, const std::vector<TableConfig>& tables,
                 boost::json::value log, uint64_t from, std::stop_token stop);

  std::optional<ChangeBatch> next(const BatchLimits& limits, std::stop_token stop);
  /// Answers the server, so that it does not think us dead.
  void idle();
  /// All before this LSN is kept.
  void confirm(uint64_t lsn) { confirmed_ = std::max(confirmed_.load(), lsn); }

 private:
  using Clock = std::chrono::steady_clock;
  using Message = pgoutput::Message;
  struct Relation {
    const TableConfig* config = nullptr;  // null: nobody wants its changes
    bool whole = false;                   // old rows come with all columns
    size_t columns = 0;
    std::shared_ptr<const TableShape> shape;
    std::vector<size_t> numbers;  // of the shape's columns among the relation's
  };

  void begin_batch();
  std::optional<ChangeBatch> finish_batch();
  bool full(const BatchLimits& limits) const;
  /// False: the batch must end before this frame, which comes again.
  bool take(std::string_view bytes);
  bool take_message();
  bool take_relation();
  bool take_row();
  bool take_truncate();
  void keepalive(const pgoutput::Frame& frame);
  void answer(bool ask_back);
  void wait_for_server(bool pending);
  const Relation* find(uint32_t oid) const;
  PostgresRows& rows_of(const Relation& relation);
  PostgresRows::Change change() const;
  void counted(size_t bytes);
  std::shared_ptr<const TableShape> shape_of(const TableConfig& config, Relation& relation);

  const PostgresChangesOptions options_;
  const std::vector<TableConfig> tables_;
  const boost::json::value log_;  // of every position
  PostgresLink link_, facts_;
  PostgresTypes types_;
  std::map<uint32_t, Relation> relations_;                           // by OID
  std::map<std::string, std::shared_ptr<const TableShape>> shapes_;  // the last one of each table
  std::atomic<uint64_t> confirmed_;
  uint64_t answered_ = 0;  // what the server was told last
  Clock::time_point answered_at_, heard_at_, asked_at_;
  std::chrono::milliseconds patience_{20};  // before the server is asked how far it is

  Message message_;
  std::string held_;  // a frame that waits for the next batch
  bool in_transaction_ = false;
  uint64_t transaction_ = 0;  // LSN of its commit
  uint64_t number_ = 0;       // of the last change within it
  int64_t committed_ = 0;     // µs since 1970
  std::string xid_;
  ChangePosition reached_, told_;  // told_: the end of the last batch

  std::map<std::string, std::unique_ptr<PostgresRows>> pending_;  // of the batch, by table
  uint64_t changes_ = 0, bytes_ = 0;
  int64_t last_committed_ = 0;  // of the batch's last change, µs since 1970; 0: it has none
  Clock::time_point begun_;     // its first change
};

}  // namespace meesh::ingest
