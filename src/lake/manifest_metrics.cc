// FileMetrics: the columns of a data file.
#include <algorithm>

#include "lake/manifest.h"

namespace meesh::lake {

ColumnMetrics FileMetrics::at(size_t index) const {
  const Column& column = columns_.at(index);
  ColumnMetrics out{.id = column.id,
                    .size = column.size,
                    .values = column.values,
                    .nulls = column.nulls,
                    .nans = column.nans};
  const auto bound = [&](uint32_t at, int32_t size) {
    return std::string_view(bounds_).substr(at, static_cast<size_t>(size));
  };
  if (column.lower_size >= 0) out.lower = bound(column.lower_at, column.lower_size);
  if (column.upper_size >= 0) out.upper = bound(column.upper_at, column.upper_size);
  return out;
}

std::optional<ColumnMetrics> FileMetrics::find(int id) const {
  const auto found = std::ranges::lower_bound(columns_, id, {}, &Column::id);
  if (found == columns_.end() || found->id != id) return std::nullopt;
  return at(static_cast<size_t>(found - columns_.begin()));
}

FileMetrics::Column& FileMetrics::column(int id) {
  const auto found = std::ranges::lower_bound(columns_, id, {}, &Column::id);
  if (found != columns_.end() && found->id == id) return *found;
  return *columns_.insert(found, Column{.id = id});
}

void FileMetrics::set_bound(uint32_t& at, int32_t& size, std::string_view value) {
  at = static_cast<uint32_t>(bounds_.size());
  size = static_cast<int32_t>(value.size());
  bounds_.append(value);
}

void FileMetrics::set(const ColumnMetrics& metrics) {
  Column& out = column(metrics.id);
  out = {.id = metrics.id,
         .size = metrics.size,
         .values = metrics.values,
         .nulls = metrics.nulls,
         .nans = metrics.nans};
  if (metrics.lower) set_bound(out.lower_at, out.lower_size, *metrics.lower);
  if (metrics.upper) set_bound(out.upper_at, out.upper_size, *metrics.upper);
}

bool FileMetrics::operator==(const FileMetrics& other) const {
  if (size() != other.size()) return false;
  for (size_t i = 0; i < size(); ++i) {
    if (at(i) != other.at(i)) return false;
  }
  return true;
}

}  // namespace meesh::lake
