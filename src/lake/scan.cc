#include "lake/scan.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "base/error.h"
#include "lake/scan_deletes.h"

namespace meesh::lake {
namespace {

class Planner {
 public:
  Planner(ManifestCache& cache, const TableMetadata& table, const Predicate& predicate,
          const Schema& schema)
      : cache_(cache),
        table_(table),
        predicate_(predicate),
        schema_(schema),
        metrics_(predicate, schema) {}

  ScanPlan plan(const Snapshot& snapshot) {
    const ManifestList list = cache_.list(table_, snapshot);
    std::vector<const ManifestFile*> wanted;
    for (const ManifestFile& manifest : *list) {
      const bool data = manifest.content == ManifestContent::kData;
      plan_.manifests += data ? 1 : 0;
      if (manifest.may_have_live_files() && filter(manifest.spec_id).might_match(manifest)) {
        wanted.push_back(&manifest);
      } else {
        plan_.manifests_skipped += data ? 1 : 0;
      }
    }
    const std::vector<Manifest> manifests = cache_.manifests(table_, wanted);
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i]->content == ManifestContent::kData) {
        add_files(wanted[i]->spec_id, manifests[i]);
      } else {
        add_deletes(wanted[i]->spec_id, manifests[i]);
      }
    }
    apply_deletes();
    const bool all = predicate_.kind == Predicate::Kind::kTrue;
    if (all && plan_.deletes.empty()) plan_.rows = plan_.records;
    return std::move(plan_);
  }

 private:
  const PartitionFilter& filter(int spec_id) {
    const auto known = filters_.find(spec_id);
    if (known != filters_.end()) return known->second;
    const PartitionSpec* spec = table_.find_spec(spec_id);
    if (spec == nullptr) {
      throw Error(Code::kIcebergInvalidMetadata,
                  fmt::format("table {}: a manifest has the unknown partition spec {}",
                              table_.location, spec_id));
    }
    return filters_.emplace(spec_id, PartitionFilter(predicate_, *spec, schema_)).first->second;
  }

  void add_deletes(int spec_id, const Manifest& entries) {
    const PartitionFilter& partitions = filter(spec_id);
    for (const ManifestEntry& entry : *entries) {
      if (!entry.live() || !partitions.might_match(entry.file.partition)) continue;
      deletes_.push_back({std::shared_ptr<const DataFile>(entries, &entry.file), spec_id,
                          entry.sequence_number.value_or(0)});
    }
  }

  void add_files(int spec_id, const Manifest& entries) {
    const PartitionFilter& partitions = filter(spec_id);
    for (const ManifestEntry& entry : *entries) {
      if (!entry.live()) continue;
      if (!partitions.might_match(entry.file.partition) || !metrics_.might_match(entry.file)) {
        ++plan_.files_skipped;
        continue;
      }
      plan_.records += entry.file.records;
      plan_.bytes += entry.file.bytes;
      plan_.files.push_back({std::shared_ptr<const DataFile>(entries, &entry.file),
                             spec_id,
                             entry.sequence_number.value_or(0),
                             {}});
    }
  }

  /// Delete files that apply to none of the files are left out.
  void apply_deletes() {
    if (deletes_.empty()) return;
    const DeleteIndex index(table_, deletes_);
    constexpr uint32_t kUnused = UINT32_MAX;
    std::vector<uint32_t> places(deletes_.size(), kUnused);
    for (ScanFile& file : plan_.files) {
      file.deletes = index.find(*file.file, file.spec_id, file.sequence_number);
      for (const uint32_t place : file.deletes) places[place] = 0;
    }
    for (size_t i = 0; i < deletes_.size(); ++i) {
      if (places[i] == kUnused) continue;
      places[i] = static_cast<uint32_t>(plan_.deletes.size());
      plan_.delete_bytes += deletes_[i].file->bytes;
      plan_.deletes.push_back(deletes_[i]);
    }
    for (ScanFile& file : plan_.files) {
      for (uint32_t& place : file.deletes) place = places[place];
    }
  }

  ManifestCache& cache_;
  const TableMetadata& table_;
  const Predicate& predicate_;
  const Schema& schema_;
  const MetricsFilter metrics_;
  std::map<int, PartitionFilter> filters_;
  std::vector<ScanDelete> deletes_;
  ScanPlan plan_;
};

/// As Java's Instant prints: fractions only if there are any.
std::string instant_text(int64_t timestamp_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{
      std::chrono::milliseconds(timestamp_ms)};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = (time - seconds).count();
  const std::string text = fmt::format("{:%Y-%m-%dT%H:%M:%S}", seconds);
  return rest == 0 ? text + "Z" : fmt::format("{}.{:03}Z", text, rest);
}

}  // namespace

ScanPlan plan_scan(ManifestCache& cache, const TableMetadata& table, const Snapshot* snapshot,
                   const Predicate& predicate, const Schema* schema) {
  if (snapshot == nullptr) {
    ScanPlan empty;
    empty.rows = 0;
    return empty;
  }
  return Planner(cache, table, predicate, schema != nullptr ? *schema : table.schema())
      .plan(*snapshot);
}

std::vector<std::pair<int, Value>> identity_values(const PartitionSpec& spec,
                                                   const DataFile& file) {
  std::vector<std::pair<int, Value>> values;
  for (size_t i = 0; i < spec.fields.size() && i < file.partition.size(); ++i) {
    if (spec.fields[i].transform.kind != TransformKind::kIdentity) continue;
    values.emplace_back(spec.fields[i].source_id, file.partition[i]);
  }
  return values;
}

bool same_partition(int spec_a, const DataFile& a, int spec_b, const DataFile& b) {
  return partition_key(spec_a, a.partition) == partition_key(spec_b, b.partition);
}

const Snapshot& snapshot_by_id(const TableMetadata& table, int64_t id) {
  if (const Snapshot* found = table.find_snapshot(id)) return *found;
  throw Error(Code::kInvalidArguments, fmt::format("Iceberg snapshot ID does not exists: {}", id))
      .with_hint("the table's \"$snapshots\" lists those there are; older ones may have expired");
}

const Snapshot& snapshot_by_ref(const TableMetadata& table, std::string_view ref) {
  const SnapshotRef* found = table.find_ref(ref);
  if (found == nullptr) {
    throw Error(Code::kInvalidArguments,
                fmt::format("Cannot find snapshot with reference name: {}", ref))
        .with_hint("the table's \"$refs\" lists its branches and tags");
  }
  return snapshot_by_id(table, found->snapshot_id);
}

const Snapshot& snapshot_by_time(const TableMetadata& table, std::string_view name,
                                 int64_t timestamp_ms) {
  if (const Snapshot* found = table.snapshot_at(timestamp_ms)) return *found;
  throw Error(Code::kInvalidArguments, fmt::format("No version history table {} at or before {}",
                                                   name, instant_text(timestamp_ms)))
      .with_hint("the table's \"$history\" tells since when there are versions");
}

}  // namespace meesh::lake
