// Finding the files worth rewriting.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "lake/maintenance.h"
#include "lake/scan_deletes.h"
#include "lake/transaction_merge.h"

namespace meesh::lake {
namespace {

constexpr int64_t kTargetBytes = int64_t{512} << 20;

class Planner {
 public:
  Planner(const CompactionOptions& options, CompactionPlan& plan, const ScanPlan& whole)
      : options_(options), plan_(plan) {
    for (const ScanFile& file : whole.files) {
      for (const uint32_t place : file.deletes) ++uses_[whole.deletes[place].file->path];
    }
    threshold_ =
        options.file_size_threshold > 0 ? options.file_size_threshold : plan.target_bytes / 4 * 3;
  }

  /// The files of one partition.
  void add(const std::vector<ScanFile>& files) {
    std::vector<ScanFile> small, worn;
    int64_t bytes = 0;
    for (const ScanFile& file : files) {
      const bool is_worn = worn_out(file);
      if (is_worn) worn.push_back(file);
      if (!is_worn && file.file->bytes >= threshold_) continue;
      small.push_back(file);
      bytes += file.file->bytes;
    }
    const bool enough = static_cast<int64_t>(small.size()) >= options_.min_input_files ||
                        (small.size() > 1 && bytes >= plan_.target_bytes);
    pack(enough ? small : worn, enough);
  }

 private:
  /// Deletes hide so many of its rows that it is worth rewriting alone.
  bool worn_out(const ScanFile& file) const {
    double hidden = 0;
    for (const uint32_t place : file.deletes) {
      const DataFile& deletes = *plan_.deletes[place].file;
      const bool shared = deletes.content == FileContent::kPositionDeletes;
      const auto files = uses_.find(deletes.path);
      const int64_t of = shared && files != uses_.end() ? files->second : 1;
      hidden += static_cast<double>(deletes.records) / static_cast<double>(of);
    }
    return hidden > 0 && hidden >= options_.delete_ratio * static_cast<double>(file.file->records);
  }

  /// Groups of limited size; a lone small file without deletes is not worth a group.
  void pack(const std::vector<ScanFile>& files, bool small) {
    std::vector<ScanFile> group;
    int64_t bytes = 0;
    const auto close = [&] {
      if (!group.empty() && (!small || group.size() > 1 || worn_out(group.front()))) {
        finish(std::move(group));
      }
      group.clear();
      bytes = 0;
    };
    for (const ScanFile& file : files) {
      if (!group.empty() && file.file->bytes > options_.most_group_bytes - bytes) close();
      group.push_back(file);
      bytes += file.file->bytes;
    }
    close();
  }

  void finish(std::vector<ScanFile> files) {
    CompactionGroup& group = plan_.groups.emplace_back();
    group.spec_id = files.front().spec_id;
    group.partition = files.front().file->partition;
    std::map<uint32_t, int64_t> uses;
    for (const ScanFile& file : files) {
      group.records += file.file->records;
      group.bytes += file.file->bytes;
      for (const uint32_t place : file.deletes) ++uses[place];
    }
    for (const auto& [place, count] : uses) {
      const DataFile& deletes = *plan_.deletes[place].file;
      // Those of one data file leave with it in any case.
      if (!referenced_file(deletes).empty()) continue;
      if (uses_.at(deletes.path) == count) group.obsolete_deletes.push_back(deletes.path);
    }
    group.output_files =
        std::max<int64_t>(1, (group.bytes + plan_.target_bytes - 1) / plan_.target_bytes);
    group.files = std::move(files);
  }

  const CompactionOptions& options_;
  CompactionPlan& plan_;
  int64_t threshold_ = 0;
  std::unordered_map<std::string, int64_t> uses_;  // data files by delete file, in all the table
};

}  // namespace

CompactionPlan plan_compaction(ManifestCache& cache, const TableMetadata& table,
                               const Snapshot* snapshot, const CompactionOptions& options) {
  CompactionPlan plan;
  plan.target_bytes =
      options.target_bytes > 0
          ? options.target_bytes
          : number_property(table.properties, "write.target-file-size-bytes", kTargetBytes, 1);
  if (snapshot == nullptr) return plan;
  plan.snapshot_id = snapshot->id;
  const ScanPlan whole = plan_scan(cache, table, snapshot, {});
  ScanPlan wanted = options.where.kind == Predicate::Kind::kTrue
                        ? whole
                        : plan_scan(cache, table, snapshot, options.where);
  plan.deletes = std::move(wanted.deletes);
  std::map<std::string, std::vector<ScanFile>> of_partition;
  for (ScanFile& file : wanted.files) {
    const std::string key = partition_key(file.spec_id, file.file->partition);
    of_partition[key].push_back(std::move(file));
  }
  Planner planner(options, plan, whole);
  for (const auto& [key, files] : of_partition) planner.add(files);
  return plan;
}

}  // namespace meesh::lake
