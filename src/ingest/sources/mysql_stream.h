// One run of a binlog: events as they come over the wire, by table and in batches.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/catalogs/mysql_metadata.h"
#include "ingest/sources/mysql_changes.h"
#include "ingest/sources/mysql_events.h"
#include "ingest/sources/mysql_place.h"
#include "ingest/sources/mysql_rows.h"

struct st_mariadb_rpl;

namespace meesh::ingest {

/// One thread.
class MysqlStream {
 public:
  /// Begins at a place between transactions: by file and offset, or, if `by_gtid`, by GTID. Throws
  /// what lost_position() makes if the binlog is gone.
  MysqlStream(const MysqlChangesOptions& options, const std::vector<TableConfig>& tables,
              MysqlPlace from, bool by_gtid);
  ~MysqlStream();

  std::optional<ChangeBatch> next(const BatchLimits& limits, std::stop_token stop);

 private:
  using Clock = std::chrono::steady_clock;
  struct Followed {
    const TableConfig* config = nullptr;
    MysqlShape shape;
    bool known = false;  // the shape is that of the table as the binlog has it now
  };
  struct Mapped {
    binlog::TableMap map;
    Followed* table = nullptr;  // null: nobody wants its rows
    std::vector<int> numbers;   // of the shape's columns among the map's
  };

  void open(bool by_gtid);
  /// False: nothing came for a moment.
  bool take_event();
  [[noreturn]] void fail();
  void take_table_map(const binlog::Event& event);
  void take_rows(const binlog::Event& event);
  void take_statement(const binlog::Event& event, std::string statement,
                      const std::string& database);
  void begin_transaction(const binlog::Event& event, std::string name);
  void end_transaction(const binlog::Event& event);
  /// Tables that a statement empties or drops.
  void truncate(const std::vector<std::string>& words, size_t first, const std::string& database,
                const binlog::Event& event);
  void learn(Mapped& mapped);
  bool number_columns(const MysqlShape& shape, const engine::MysqlTable& table,
                      Mapped& mapped) const;
  Followed* followed(const std::string& database, const std::string& table);
  MysqlRows& rows_of(const Followed& table);
  /// The batch so far ends before what comes next, which does not fit in with it.
  void cut();

  void counted(size_t bytes, int64_t committed);
  bool full(const BatchLimits& limits) const;
  std::optional<ChangeBatch> finish_batch();

  const MysqlChangesOptions options_;
  const std::vector<TableConfig> tables_;
  engine::MysqlMetadata metadata_;
  std::unique_ptr<engine::MysqlConnection> connection_;
  std::unique_ptr<st_mariadb_rpl, void (*)(st_mariadb_rpl*)> stream_;

  MysqlPlace place_;  // where the transaction under way, or the next one, begins
  std::map<std::string, std::string> gtids_;  // by domain, at place_
  std::string file_;                          // that events come from
  bool in_transaction_ = false;
  bool begun_by_word_ = false;  // it ends with a commit; else with its only statement
  std::string transaction_, domain_;
  ChangePosition reached_, told_;  // told_: the end of the last batch

  std::map<std::string, Followed> followed_;  // by table
  std::map<std::string, engine::MysqlTable> facts_;
  std::map<uint64_t, Mapped> mapped_;                          // by the binlog's number
  std::map<std::string, std::unique_ptr<MysqlRows>> pending_;  // of the batch, by table
  std::deque<ChangeBatch> ready_;                              // that were cut off
  uint64_t changes_ = 0, bytes_ = 0;
  int64_t last_committed_ = 0;  // µs since 1970; 0: the batch has no change
  Clock::time_point begun_;     // its first change
};

}  // namespace meesh::ingest
