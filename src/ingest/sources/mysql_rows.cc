#include "ingest/sources/mysql_rows.h"

#include <fmt/format.h>

#include <algorithm>

namespace meesh::ingest {

MysqlShape mysql_shape(const std::string& source, const engine::MysqlTable& table,
                       const TableConfig& config) {
  MysqlShape found;
  TableShape shape;
  shape.table = config.name;
  shape.origin = fmt::format("{}.{}.{}", source, table.schema, table.table);
  for (const auto& column : table.columns) {
    if (!config.takes(column.name)) continue;
    shape.columns.push_back({column.name, column.type, ""});
    found.columns.push_back(column);
  }
  const auto& key = config.key.empty() ? table.key : config.key;
  for (const auto& name : key) {
    const auto at = std::ranges::find(shape.columns, name, &StreamColumn::name);
    if (at == shape.columns.end()) {
      shape.key.clear();
      break;
    }
    shape.key.push_back(static_cast<size_t>(at - shape.columns.begin()));
  }
  found.own_key = !shape.key.empty() && key == table.key;
  found.shape = std::make_shared<const TableShape>(std::move(shape));
  return found;
}

MysqlRows::MysqlRows(engine::BufferTables& buffers, MysqlShape shape) : shape_(std::move(shape)) {
  changes_.rows = buffers.buffer(change_columns(*shape_.shape));
  changes_.shape = shape_.shape;
}

void MysqlRows::begin(std::string_view op, const Change& change) {
  if (sequence_ == 0) changes_.first = change.at;
  changes_.last = change.at;
  auto& rows = *changes_.rows;
  (void)rows.integer(kSeqColumn, static_cast<int64_t>(++sequence_));
  rows.text(kOpColumn, op);
  (void)rows.integer(kMajorColumn, static_cast<int64_t>(change.at.major));
  (void)rows.integer(kMinorColumn, static_cast<int64_t>(change.at.minor));
  rows.text(kTxColumn, change.transaction);
  (void)rows.integer(kCommittedColumn, change.committed);
  only_inserts_ = only_inserts_ && op == kOpCreate;
  error_.clear();
  raw_.clear();
}

void MysqlRows::wrong(size_t own, std::string_view bytes) {
  const auto& column = shape_.shape->columns[own];
  const auto value = binlog::shown(bytes);
  error_ += fmt::format("{}column {}: '{}' is no {}", error_.empty() ? "" : "; ", column.name,
                        value.substr(0, 100), column.type.display());
  raw_ += fmt::format("{}{}={}", raw_.empty() ? "" : "; ", column.name, value);
}

void MysqlRows::put(size_t to, size_t own, const binlog::TableMap& map,
                    const std::vector<int>& numbers, const Cells& row) {
  if (numbers[own] < 0) return;
  const auto at = static_cast<size_t>(numbers[own]);
  const auto& cell = row[at];
  if (!cell.present || cell.null) return;
  if (!binlog::put_cell(*changes_.rows, to, shape_.columns[own], map, at, cell.bytes, texts_))
    wrong(own, cell.bytes);
}

void MysqlRows::put_all(const binlog::TableMap& map, const std::vector<int>& numbers,
                        const Cells& row) {
  for (size_t i = 0; i < shape_.columns.size(); ++i) put(kFirstOwnColumn + i, i, map, numbers, row);
}

void MysqlRows::end() {
  auto& rows = *changes_.rows;
  if (!error_.empty()) {
    rows.text(kErrorColumn, error_);
    rows.text(kRawColumn, raw_);
    ++changes_.poison;
  }
  rows.end_row();
}

void MysqlRows::add_read(const Change& change, char** cells, const unsigned long* lengths) {
  begin(kOpRead, change);
  for (size_t i = 0; i < shape_.columns.size(); ++i) {
    if (!cells[i]) continue;
    const std::string_view text(cells[i], lengths[i]);
    if (!put_mysql_text(*changes_.rows, kFirstOwnColumn + i, shape_.columns[i], text))
      wrong(i, text);
  }
  end();
}

void MysqlRows::add_insert(const Change& change, const binlog::TableMap& map,
                           const std::vector<int>& numbers, const Cells& row) {
  begin(kOpCreate, change);
  put_all(map, numbers, row);
  end();
}

void MysqlRows::add_update(const Change& change, const binlog::TableMap& map,
                           const std::vector<int>& numbers, const Cells& before, const Cells& row) {
  const auto& key = shape_.shape->key;
  const bool moved = std::ranges::any_of(key, [&](size_t own) {
    return numbers[own] >= 0 &&
           before[static_cast<size_t>(numbers[own])] != row[static_cast<size_t>(numbers[own])];
  });
  if (moved) {
    begin(kOpMoved, change);
    for (const size_t own : key) put(kFirstOwnColumn + own, own, map, numbers, before);
    end();
    changes_.moved = true;
  }
  begin(kOpUpdate, change);
  put_all(map, numbers, row);
  if (moved) {
    const size_t first = kFirstOwnColumn + shape_.columns.size();
    for (size_t i = 0; i < key.size(); ++i) put(first + i, key[i], map, numbers, before);
  }
  end();
}

void MysqlRows::add_delete(const Change& change, const binlog::TableMap& map,
                           const std::vector<int>& numbers, const Cells& before) {
  begin(kOpDelete, change);
  put_all(map, numbers, before);
  end();
}

void MysqlRows::add_truncate(const Change& change) {
  begin(kOpTruncate, change);
  changes_.truncated = true;
  changes_.rows->end_row();
}

TableChanges MysqlRows::finish() {
  changes_.creates = sequence_ > 0 && only_inserts_ && shape_.own_key;
  changes_.rows->finish();
  return std::move(changes_);
}

}  // namespace meesh::ingest
