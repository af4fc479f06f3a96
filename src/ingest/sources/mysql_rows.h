// Rows of one MySQL table, put into a buffer of changes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/catalogs/mysql_metadata.h"
#include "ingest/cdc/change_source.h"
#include "ingest/sources/mysql_binlog.h"

namespace meesh::ingest {

/// What is taken of a table.
struct MysqlShape {
  std::shared_ptr<const TableShape> shape;
  std::vector<engine::MysqlColumn> columns;  // parallel to the shape's
  bool own_key = false;                      // the key is the table's primary key
};
MysqlShape mysql_shape(const std::string& source, const engine::MysqlTable& table,
                       const TableConfig& config);

class MysqlRows {
 public:
  struct Change {
    ChangePosition at;
    std::string_view transaction;
    int64_t committed = 0;  // µs since 1970
  };
  using Cells = std::vector<binlog::Cell>;

  MysqlRows(engine::BufferTables& buffers, MysqlShape shape);

  const MysqlShape& shape() const { return shape_; }
  uint64_t rows() const { return sequence_; }

  /// A row of a SELECT of the shape's columns.
  void add_read(const Change& change, char** cells, const unsigned long* lengths);
  // Rows of the binlog. `numbers`: where each column of the shape is among the cells; -1: it was
  // not there yet.
  void add_insert(const Change& change, const binlog::TableMap& map,
                  const std::vector<int>& numbers, const Cells& row);
  void add_update(const Change& change, const binlog::TableMap& map,
                  const std::vector<int>& numbers, const Cells& before, const Cells& row);
  void add_delete(const Change& change, const binlog::TableMap& map,
                  const std::vector<int>& numbers, const Cells& before);
  /// Only as the first row.
  void add_truncate(const Change& change);

  /// Nothing is added after it.
  TableChanges finish();

 private:
  void begin(std::string_view op, const Change& change);
  void put(size_t to, size_t own, const binlog::TableMap& map, const std::vector<int>& numbers,
           const Cells& row);
  void put_all(const binlog::TableMap& map, const std::vector<int>& numbers, const Cells& row);
  void wrong(size_t own, std::string_view bytes);
  void end();

  const MysqlShape shape_;
  TableChanges changes_;
  binlog::TextReader texts_;
  uint64_t sequence_ = 0;
  bool only_inserts_ = true;
  std::string error_, raw_;  // of the row
};

}  // namespace meesh::ingest
