#include "lake/transaction_summary.h"

#include <charconv>

namespace meesh::lake {
namespace {

void put_if_any(Properties& summary, const char* name, int64_t count) {
  if (count > 0) summary[name] = std::to_string(count);
}

/// Nothing if the parent does not say it, or says nonsense.
void put_total(Properties& summary, const char* name, const Properties* parent, int64_t change) {
  int64_t total = 0;
  if (parent != nullptr) {
    const auto before = parent->find(name);
    if (before == parent->end()) return;
    const char* end = before->second.data() + before->second.size();
    const auto parsed = std::from_chars(before->second.data(), end, total);
    if (parsed.ec != std::errc() || parsed.ptr != end) return;
  }
  if (__builtin_add_overflow(total, change, &total) || total < 0) return;
  summary[name] = std::to_string(total);
}

}  // namespace

void SummaryCounts::Sum::count(const DataFile& file) {
  bytes += file.bytes;
  switch (file.content) {
    case FileContent::kData:
      ++data_files;
      records += file.records;
      break;
    case FileContent::kPositionDeletes:
      ++position_files;
      position_deletes += file.records;
      break;
    case FileContent::kEqualityDeletes:
      ++equality_files;
      equality_deletes += file.records;
      break;
  }
}

void SummaryCounts::partition(const TableMetadata& table, int spec_id, const DataFile& file) {
  const PartitionSpec* spec = table.find_spec(spec_id);
  if (spec == nullptr || file.partition.size() != spec->fields.size()) return;
  partitions_.insert(partition_path(*spec, table.schema(), file.partition));
}

void SummaryCounts::added(const TableMetadata& table, int spec_id, const DataFile& file) {
  added_.count(file);
  partition(table, spec_id, file);
}

void SummaryCounts::removed(const TableMetadata& table, int spec_id, const DataFile& file) {
  removed_.count(file);
  partition(table, spec_id, file);
}

std::string SummaryCounts::operation() const {
  const bool adds_data = added_.data_files > 0, adds_deletes = added_.delete_files() > 0;
  const bool removes = removed_.data_files > 0 || removed_.delete_files() > 0;
  if (!adds_data && (adds_deletes || removes)) return "delete";
  return adds_deletes || removes ? "overwrite" : "append";
}

void SummaryCounts::write(Properties& summary, const Properties* parent) const {
  put_if_any(summary, "added-data-files", added_.data_files);
  put_if_any(summary, "deleted-data-files", removed_.data_files);
  put_if_any(summary, "added-equality-delete-files", added_.equality_files);
  put_if_any(summary, "removed-equality-delete-files", removed_.equality_files);
  put_if_any(summary, "added-position-delete-files", added_.position_files);
  put_if_any(summary, "removed-position-delete-files", removed_.position_files);
  put_if_any(summary, "added-delete-files", added_.delete_files());
  put_if_any(summary, "removed-delete-files", removed_.delete_files());
  put_if_any(summary, "added-records", added_.records);
  put_if_any(summary, "deleted-records", removed_.records);
  put_if_any(summary, "added-files-size", added_.bytes);
  put_if_any(summary, "removed-files-size", removed_.bytes);
  put_if_any(summary, "added-position-deletes", added_.position_deletes);
  put_if_any(summary, "removed-position-deletes", removed_.position_deletes);
  put_if_any(summary, "added-equality-deletes", added_.equality_deletes);
  put_if_any(summary, "removed-equality-deletes", removed_.equality_deletes);
  summary["changed-partition-count"] = std::to_string(partitions_.size());

  put_total(summary, "total-records", parent, added_.records - removed_.records);
  put_total(summary, "total-files-size", parent, added_.bytes - removed_.bytes);
  put_total(summary, "total-data-files", parent, added_.data_files - removed_.data_files);
  put_total(summary, "total-delete-files", parent, added_.delete_files() - removed_.delete_files());
  put_total(summary, "total-position-deletes", parent,
            added_.position_deletes - removed_.position_deletes);
  put_total(summary, "total-equality-deletes", parent,
            added_.equality_deletes - removed_.equality_deletes);
}

}  // namespace meesh::lake
