// Rows of one table as PostgreSQL sends them, put into a buffer of changes.
#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "ingest/cdc/change_source.h"
#include "ingest/cdc/pgoutput.h"

namespace meesh::ingest {

/// µs between 1970 and 2000, where PostgreSQL's times begin.
inline constexpr int64_t kPostgresEpoch = 946'684'800'000'000;

class PostgresRows {
 public:
  using Cells = std::vector<pgoutput::Cell>;
  struct Change {
    ChangePosition at;
    std::string_view transaction;
    int64_t committed = 0;  // µs since 1970
  };

  /// `numbers`: where each column of the shape is among a row's cells.
  PostgresRows(engine::BufferTables& buffers, std::shared_ptr<const TableShape> shape,
               std::vector<size_t> numbers);

  const std::shared_ptr<const TableShape>& shape() const { return changes_.shape; }
  const std::vector<size_t>& numbers() const { return numbers_; }

  /// The row must begin another batch: which value an unchanged cell of it has depends on rows that
  /// are in this one under another key.
  bool must_wait(const Cells& before, const Cells& row) const;

  void add_read(const Change& change, const Cells& row);
  void add_insert(const Change& change, const Cells& row);
  /// `before`: the old row or its key alone; none: the key is as it was. `whole`: it has all cells.
  void add_update(const Change& change, const Cells& row, const Cells* before, bool whole);
  void add_delete(const Change& change, const Cells& before);
  /// Only as the first row.
  void add_truncate(const Change& change);

  /// Nothing is added after it.
  TableChanges finish();

 private:
  void begin(std::string_view op, const Change& change);
  void put(size_t column, size_t own, const pgoutput::Cell& cell);
  void end(const Cells& row);
  bool same_key(const Cells& before, const Cells& row) const;
  uint64_t key_of(const Cells& row) const;
  void touch(const Cells& row);

  TableChanges changes_;
  const std::vector<size_t> numbers_;
  bool may_keep_ = false;  // there are columns whose cells may come unchanged
  uint64_t sequence_ = 0;
  std::string error_;
  std::string unchanged_;                 // of the row: JSON text without its end; "" = none
  std::unordered_set<uint64_t> touched_;  // keys, hashed
};

}  // namespace meesh::ingest
