#include "lake/scan_deletes.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace meesh::lake {
namespace {

constexpr int kDeleteFilePathId = 2147483546;  // "file_path" of position delete files

void append(std::string& key, const void* bytes, size_t size) {
  key.append(static_cast<const char*>(bytes), size);
}

template <typename T>
void append_number(std::string& key, T number) {
  append(key, &number, sizeof number);
}

/// By its bounds; files that say nothing may be about any data file.
bool may_name(const DataFile& deletes, std::string_view path) {
  const auto column = deletes.metrics.find(kDeleteFilePathId);
  if (!column) return true;
  return !(column->lower && path < *column->lower) && !(column->upper && path > *column->upper);
}

bool applies(const ScanDelete& one, const DataFile& file, int64_t sequence_number) {
  if (one.file->content == FileContent::kEqualityDeletes) {
    return one.sequence_number > sequence_number;
  }
  return one.sequence_number >= sequence_number && may_name(*one.file, file.path);
}

}  // namespace

std::string partition_key(int spec_id, std::span<const Value> partition) {
  std::string key;
  append_number(key, spec_id);
  for (const Value& value : partition) {
    key.push_back(static_cast<char>(value.index()));
    if (const auto* flag = std::get_if<bool>(&value)) {
      key.push_back(*flag ? 1 : 0);
    } else if (const auto* number = std::get_if<int64_t>(&value)) {
      append_number(key, *number);
    } else if (const auto* real = std::get_if<double>(&value)) {
      append_number(key, std::isnan(*real) ? std::numeric_limits<double>::quiet_NaN() : *real);
    } else if (const auto* decimal = std::get_if<Int128>(&value)) {
      append_number(key, *decimal);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      append_number(key, text->size());
      key += *text;
    }
  }
  return key;
}

DeleteIndex::DeleteIndex(const TableMetadata& table, const std::vector<ScanDelete>& deletes)
    : deletes_(deletes) {
  for (uint32_t i = 0; i < deletes.size(); ++i) {
    const ScanDelete& one = deletes[i];
    const PartitionSpec* spec = table.find_spec(one.spec_id);
    const std::string_view referenced = referenced_file(*one.file);
    if (!referenced.empty()) {
      of_file_[referenced].push_back(i);
    } else if (one.file->content == FileContent::kEqualityDeletes && spec != nullptr &&
               spec->unpartitioned()) {
      everywhere_.push_back(i);
    } else {
      of_partition_[partition_key(one.spec_id, one.file->partition)].push_back(i);
    }
  }
}

void DeleteIndex::collect(const Places& places, const DataFile& file, int64_t sequence_number,
                          Places& out) const {
  std::ranges::copy_if(places, std::back_inserter(out), [&](uint32_t place) {
    return applies(deletes_[place], file, sequence_number);
  });
}

std::vector<uint32_t> DeleteIndex::find(const DataFile& file, int spec_id,
                                        int64_t sequence_number) const {
  Places out;
  collect(everywhere_, file, sequence_number, out);
  if (!of_file_.empty()) {
    const auto found = of_file_.find(file.path);
    if (found != of_file_.end()) collect(found->second, file, sequence_number, out);
  }
  if (!of_partition_.empty()) {
    const auto found = of_partition_.find(partition_key(spec_id, file.partition));
    if (found != of_partition_.end()) collect(found->second, file, sequence_number, out);
  }
  std::ranges::sort(out);
  return out;
}

std::string_view referenced_file(const DataFile& deletes) {
  if (deletes.content != FileContent::kPositionDeletes) return {};
  if (!deletes.referenced_data_file.empty()) return deletes.referenced_data_file;
  const auto column = deletes.metrics.find(kDeleteFilePathId);
  if (!column || !column->lower || column->lower != column->upper) return {};
  return *column->lower;
}

}  // namespace meesh::lake
