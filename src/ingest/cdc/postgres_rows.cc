#include "ingest/cdc/postgres_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/text.h"
#include "ingest/cdc/postgres_text.h"

namespace meesh::ingest {

using pgoutput::Cell;
using sql::TypeKind;

namespace {

constexpr size_t kShownOfValue = 100;  // bytes of a value that an error tells

/// Values of such columns may lie apart from their row (TOAST), and do not come when they are as
/// they were.
bool may_lie_apart(const sql::Type& type) {
  switch (type.kind) {
    case TypeKind::kVarchar:
    case TypeKind::kChar:
    case TypeKind::kVarbinary:
    case TypeKind::kJson:
    case TypeKind::kDecimal:
    case TypeKind::kArray:
      return true;
    default:
      return false;
  }
}

std::string json_text(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text));
}

/// The row as it came, for people.
std::string raw_text(const TableShape& shape, const std::vector<size_t>& numbers,
                     const std::vector<Cell>& row) {
  boost::json::object all;
  for (size_t i = 0; i < shape.columns.size(); ++i) {
    const auto& cell = row.at(numbers[i]);
    if (cell.kind == Cell::Kind::kText) all[shape.columns[i].name] = cell.text;
    if (cell.kind == Cell::Kind::kNull) all[shape.columns[i].name] = nullptr;
  }
  return boost::json::serialize(all);
}

}  // namespace

PostgresRows::PostgresRows(engine::BufferTables& buffers, std::shared_ptr<const TableShape> shape,
                           std::vector<size_t> numbers)
    : numbers_(std::move(numbers)) {
  changes_.rows = buffers.buffer(change_columns(*shape));
  for (size_t i = 0; i < shape->columns.size(); ++i)
    if (may_lie_apart(shape->columns[i].type) && std::ranges::count(shape->key, i) == 0)
      may_keep_ = true;
  changes_.shape = std::move(shape);
}

void PostgresRows::begin(std::string_view op, const Change& change) {
  if (sequence_ == 0) changes_.first = change.at;
  changes_.creates = op == kOpCreate && (sequence_ == 0 || changes_.creates);
  changes_.last = change.at;
  auto& rows = *changes_.rows;
  (void)rows.integer(kSeqColumn, static_cast<int64_t>(++sequence_));
  rows.text(kOpColumn, op);
  (void)rows.integer(kMajorColumn, static_cast<int64_t>(change.at.major));
  (void)rows.integer(kMinorColumn, static_cast<int64_t>(change.at.minor));
  rows.text(kTxColumn, change.transaction);
  (void)rows.integer(kCommittedColumn, change.committed);
  error_.clear();
  unchanged_.clear();
}

/// `own`: the number of the column in the shape.
void PostgresRows::put(size_t column, size_t own, const Cell& cell) {
  const auto& what = changes_.shape->columns[own];
  if (cell.kind == Cell::Kind::kUnchanged) {
    unchanged_ += (unchanged_.empty() ? '[' : ',') + json_text(what.name);
    changes_.unchanged.insert(own);
    return;
  }
  if (cell.kind == Cell::Kind::kNull) return;
  if (put_postgres_text(*changes_.rows, column, what.type, cell.text)) return;
  auto shown = std::string(cell.text.substr(0, kShownOfValue));
  if (!base::valid_utf8(shown)) shown = "…";
  error_ += fmt::format("{}column {}: '{}' is no {}", error_.empty() ? "" : "; ", what.name, shown,
                        what.type.display());
}

void PostgresRows::end(const Cells& row) {
  auto& rows = *changes_.rows;
  if (!unchanged_.empty()) rows.text(kUnchangedColumn, unchanged_ + "]");
  if (!error_.empty()) {
    rows.text(kErrorColumn, error_);
    rows.text(kRawColumn, raw_text(*changes_.shape, numbers_, row));
    ++changes_.poison;
  }
  rows.end_row();
}

bool PostgresRows::same_key(const Cells& before, const Cells& row) const {
  return std::ranges::all_of(changes_.shape->key, [&](size_t own) {
    const auto &was = before.at(numbers_[own]), &is = row.at(numbers_[own]);
    return is.kind == Cell::Kind::kUnchanged || (was.kind == is.kind && was.text == is.text);
  });
}

uint64_t PostgresRows::key_of(const Cells& row) const {
  uint64_t hash = 0;
  for (const size_t own : changes_.shape->key) {
    const auto& cell = row.at(numbers_[own]);
    hash = hash * 1'000'003 + (cell.kind == Cell::Kind::kText ? base::checksum(cell.text) : 1);
  }
  return hash;
}

void PostgresRows::touch(const Cells& row) {
  if (may_keep_) touched_.insert(key_of(row));
}

bool PostgresRows::must_wait(const Cells& before, const Cells& row) const {
  if (!may_keep_ || sequence_ == 0 || same_key(before, row)) return false;
  const bool keeps = std::ranges::any_of(
      row, [](const Cell& cell) { return cell.kind == Cell::Kind::kUnchanged; });
  return keeps && touched_.contains(key_of(before));
}

void PostgresRows::add_read(const Change& change, const Cells& row) {
  begin(kOpRead, change);
  for (size_t i = 0; i < numbers_.size(); ++i) put(kFirstOwnColumn + i, i, row.at(numbers_[i]));
  end(row);
}

void PostgresRows::add_insert(const Change& change, const Cells& row) {
  begin(kOpCreate, change);
  for (size_t i = 0; i < numbers_.size(); ++i) put(kFirstOwnColumn + i, i, row.at(numbers_[i]));
  touch(row);
  end(row);
}

void PostgresRows::add_update(const Change& change, const Cells& row, const Cells* before,
                              bool whole) {
  const auto& key = changes_.shape->key;
  const bool moved = before && !key.empty() && !same_key(*before, row);
  if (moved) {
    begin(kOpMoved, change);
    for (const size_t own : key) put(kFirstOwnColumn + own, own, before->at(numbers_[own]));
    touch(*before);
    end(*before);
    changes_.moved = true;
  }
  begin(kOpUpdate, change);
  for (size_t i = 0; i < numbers_.size(); ++i) {
    const auto* cell = &row.at(numbers_[i]);
    if (cell->kind == Cell::Kind::kUnchanged && whole) cell = &before->at(numbers_[i]);
    put(kFirstOwnColumn + i, i, *cell);
  }
  if (moved) {
    const size_t first = kFirstOwnColumn + numbers_.size();
    for (size_t i = 0; i < key.size(); ++i) put(first + i, key[i], before->at(numbers_[key[i]]));
    changes_.moved_unchanged = changes_.moved_unchanged || !unchanged_.empty();
  }
  touch(row);
  end(row);
}

void PostgresRows::add_delete(const Change& change, const Cells& before) {
  begin(kOpDelete, change);
  for (size_t i = 0; i < numbers_.size(); ++i) put(kFirstOwnColumn + i, i, before.at(numbers_[i]));
  touch(before);
  end(before);
}

void PostgresRows::add_truncate(const Change& change) {
  begin(kOpTruncate, change);
  changes_.truncated = true;
  changes_.rows->end_row();
}

TableChanges PostgresRows::finish() {
  changes_.rows->finish();
  return std::move(changes_);
}

}  // namespace meesh::ingest
