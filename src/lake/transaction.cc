#include "lake/transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/uuid.h"
#include "lake/maintenance_reach.h"
#include "lake/scan.h"
#include "lake/transaction_merge.h"
#include "lake/transaction_summary.h"
#include "lake/transaction_validate.h"
#include "objects/crash_points.h"

namespace meesh::lake {
namespace {

constexpr const char* kAvro = "application/avro";
/// About as many bytes before compression make a manifest of the target size.
constexpr int64_t kCompression = 4;

/// How many bytes an entry takes, about.
int64_t encoded_bytes(const DataFile& file) {
  constexpr size_t kEntry = 80, kColumn = 16;
  size_t bytes = kEntry + file.path.size() + file.metrics.size() * kColumn;
  for (size_t i = 0; i < file.metrics.size(); ++i) {
    const ColumnMetrics column = file.metrics.at(i);
    bytes += column.lower.value_or("").size() + column.upper.value_or("").size();
  }
  return static_cast<int64_t>(bytes);
}

/// The newest schema with the columns that the spec is over: only that one knows their types.
const Schema& schema_for(const TableMetadata& table, const PartitionSpec& spec) {
  const auto complete = [&](const Schema& schema) {
    return std::ranges::all_of(spec.fields, [&](const PartitionField& field) {
      return find_field(schema, field.source_id) != nullptr;
    });
  };
  if (complete(table.schema())) return table.schema();
  const Schema* newest = nullptr;
  for (const Schema& schema : table.schemas) {
    if (complete(schema) && (newest == nullptr || schema.id > newest->id)) newest = &schema;
  }
  return newest != nullptr ? *newest : table.schema();
}

const PartitionSpec& writable_spec(const TableMetadata& table, int id) {
  const PartitionSpec* spec = table.find_spec(id);
  if (spec == nullptr) {
    throw Error(Code::kIcebergCommitError,
                fmt::format("Cannot find partition spec {} in table {}", id, table.location))
        .with_hint("the spec was removed meanwhile: run the statement again");
  }
  for (const PartitionField& field : spec->fields) {
    if (field.transform.kind != TransformKind::kUnknown) continue;
    throw Error(Code::kNotSupported,
                fmt::format("Cannot write to table {}: its partition field {} has the unknown "
                            "transform '{}'",
                            table.location, field.name, field.transform.name));
  }
  return *spec;
}

/// Lists of format version 1 may leave the counts out, version 2 needs them.
void complete_counts(ManifestFile& file, const std::vector<ManifestEntry>& entries) {
  file.added_files = file.existing_files = file.deleted_files = 0;
  file.added_rows = file.existing_rows = file.deleted_rows = 0;
  for (const ManifestEntry& entry : entries) {
    const bool added = entry.status == EntryStatus::kAdded, live = entry.live();
    ++*(added ? file.added_files : live ? file.existing_files : file.deleted_files);
    *(added  ? file.added_rows
      : live ? file.existing_rows
             : file.deleted_rows) += entry.file.records;
  }
}

}  // namespace

struct SnapshotWriter::Attempt {
  const TableMetadata& table;  // with the change's updates
  const Snapshot* parent;      // null: none
  int64_t timestamp_ms;
  int64_t sequence_number;
  std::vector<Part> data, deletes;  // what stays, removed entries marked
  SummaryCounts counts;
  std::unordered_set<std::string_view> missing;       // of the removed files, not found yet
  std::unordered_set<std::string_view> removed_data;  // found
};

SnapshotWriter::SnapshotWriter(ManifestCache& cache, SnapshotChange change)
    : cache_(cache),
      change_(std::move(change)),
      snapshot_id_(base::random_id()),
      write_id_(base::random_uuid()) {}

SnapshotWriter::~SnapshotWriter() {
  if (settled_) return;
  std::vector<std::string> paths = std::move(written_);
  if (!change_.adopted) {
    for (const NewFile& added : change_.data) paths.push_back(added.file.path);
    for (const NewFile& added : change_.deletes) paths.push_back(added.file.path);
  }
  try {
    cache_.files().remove(removable(cache_.files(), std::move(paths)));
  } catch (const std::exception& error) {  // orphan removal finds them
    log::warn("files of a failed commit could not be removed", {{"error", error.what()}});
  }
}

void SnapshotWriter::unknown() { settled_ = true; }

void SnapshotWriter::committed() {
  settled_ = true;
  std::vector<std::string> unused;
  for (const std::string& path : written_) {
    if (!used_.contains(path)) unused.push_back(path);
  }
  try {
    cache_.files().remove(unused);
  } catch (const std::exception& error) {
    log::warn("manifests of an earlier attempt could not be removed", {{"error", error.what()}});
  }
}

TableChange SnapshotWriter::change(Identifier table) {
  return {std::move(table), [this](const Table& base) { return make(base); }};
}

void SnapshotWriter::check_base(const TableMetadata& base) const {
  if (!change_.table_uuid.empty() && change_.table_uuid != base.uuid) {
    throw Error(Code::kIcebergCommitError,
                fmt::format("Requirement failed: UUID does not match: expected table {} != {}",
                            change_.table_uuid, base.uuid))
        .with_hint("the table was dropped and created anew: run the statement again");
  }
  for (const NewFile& added : change_.data) {
    cache_.files().check(added.file.path);
    writable_spec(base, added.spec_id);
  }
  for (const NewFile& added : change_.deletes) {
    cache_.files().check(added.file.path);
    writable_spec(base, added.spec_id);
  }
}

const Snapshot* SnapshotWriter::parent_of(const TableMetadata& base) const {
  const SnapshotRef* ref = base.find_ref(change_.branch);
  if (ref == nullptr) {
    if (change_.branch == kMainBranch) return base.current_snapshot();
    throw Error(Code::kInvalidArguments,
                fmt::format("Cannot find snapshot with reference name: {}", change_.branch));
  }
  if (ref->tag) {
    throw Error(Code::kInvalidArguments,
                fmt::format("{} is a tag, not a branch. Tags cannot be targets for producing "
                            "snapshots",
                            change_.branch));
  }
  return change_.from_nothing ? nullptr : base.find_snapshot(ref->snapshot_id);
}

TableMetadata SnapshotWriter::make(const Table& base) {
  check(change_.requirements, base.metadata.get());
  const int64_t now = std::max(base::now_ms(), base.metadata->last_updated_ms);
  TableMetadata updated;
  if (!change_.updates.empty()) updated = apply(change_.updates, base.metadata.get(), now);
  const TableMetadata& table = change_.updates.empty() ? *base.metadata : updated;
  check_base(table);
  Attempt attempt{table, parent_of(table), now, table.last_sequence_number + 1, {}, {}, {}, {}, {}};
  validate(cache_, change_, table, attempt.parent);
  if (!added_) {
    added_data_ = write_added(table, change_.data, ManifestContent::kData);
    added_deletes_ = write_added(table, change_.deletes, ManifestContent::kDeletes);
    added_ = true;
  }
  ManifestList list = std::make_shared<const std::vector<ManifestFile>>();
  if (attempt.parent != nullptr) list = cache_.list(table, *attempt.parent);
  attempt.missing.insert(change_.removed.begin(), change_.removed.end());
  filter_data(attempt, list);
  filter_deletes(attempt, list);
  if (!attempt.missing.empty()) {
    throw Error(Code::kIcebergCommitError,
                fmt::format("Missing required files to delete: {}", *attempt.missing.begin()))
        .with_hint("another statement removed them meanwhile: run this one again");
  }

  std::vector<Update> updates = change_.updates;
  updates.emplace_back(AddSnapshot{write_snapshot(attempt)});
  const SnapshotRef* existing = table.find_ref(change_.branch);
  SnapshotRef ref = existing != nullptr ? *existing : SnapshotRef{};
  ref.snapshot_id = snapshot_id_;
  updates.emplace_back(SetSnapshotRef{change_.branch, ref});
  return apply(updates, base.metadata.get(), now, base.metadata_location);
}

// Manifests

std::string SnapshotWriter::folder(const TableMetadata& table) const {
  const auto given = table.properties.find("write.metadata.path");
  return given != table.properties.end() ? given->second : table.location + "/metadata";
}

SnapshotWriter::Part SnapshotWriter::write_manifest_file(const TableMetadata& table, int spec_id,
                                                         ManifestContent content,
                                                         std::vector<ManifestEntry> entries) {
  const PartitionSpec& spec = writable_spec(table, spec_id);
  const WrittenManifest made =
      write_manifest(entries, schema_for(table, spec), spec,
                     {fmt::format("{}/{}-m{}.avro", folder(table), write_id_, manifests_++),
                      snapshot_id_, content});
  written_.push_back(made.file.path);
  cache_.files().write(made.file.path, made.bytes, kAvro);
  objects::crash_point("lake.manifest_written");
  return {made.file, std::make_shared<const std::vector<ManifestEntry>>(std::move(entries))};
}

std::vector<SnapshotWriter::Part> SnapshotWriter::write_added(const TableMetadata& table,
                                                              const std::vector<NewFile>& files,
                                                              ManifestContent content) {
  std::optional<int64_t> number;
  if (change_.same_rows && content == ManifestContent::kData) {
    // Equality deletes that came after what was read still have to reach the rows.
    const Snapshot* read =
        change_.read_snapshot_id ? table.find_snapshot(*change_.read_snapshot_id) : nullptr;
    if (read == nullptr) internal_error("a compaction without the snapshot that it read");
    number = read->sequence_number;
  }
  const int64_t most = merge_settings(table.properties).target_bytes * kCompression;
  std::map<int, std::vector<ManifestEntry>> of_spec;
  std::map<int, int64_t> bytes;
  std::vector<Part> parts;
  const auto write = [&](int spec_id) {
    parts.push_back(write_manifest_file(table, spec_id, content, std::move(of_spec[spec_id])));
    of_spec.erase(spec_id);
    bytes.erase(spec_id);
  };
  for (const NewFile& added : files) {
    ManifestEntry& entry = of_spec[added.spec_id].emplace_back();
    entry.sequence_number = number;
    entry.file = added.file;
    if ((bytes[added.spec_id] += encoded_bytes(added.file)) >= most) write(added.spec_id);
  }
  while (!of_spec.empty()) write(of_spec.begin()->first);
  return parts;
}

SnapshotWriter::Part SnapshotWriter::without(Attempt& attempt, const ManifestFile& file,
                                             const std::vector<const ManifestEntry*>& leaving,
                                             const Manifest& entries) {
  std::string key = file.path;
  for (const ManifestEntry* entry : leaving) {
    attempt.counts.removed(attempt.table, file.spec_id, entry->file);
    key += "\n-" + entry->file.path;
  }
  const auto known = made_of_.find(key);
  if (known != made_of_.end()) return known->second;
  std::vector<ManifestEntry> kept;
  auto next = leaving.begin();
  for (const ManifestEntry& entry : *entries) {
    if (!entry.live()) continue;
    ManifestEntry& copy = kept.emplace_back(entry);
    copy.status = EntryStatus::kExisting;
    if (next == leaving.end() || *next != &entry) continue;
    copy.status = EntryStatus::kDeleted;
    copy.snapshot_id = snapshot_id_;
    ++next;
  }
  const Part part = write_manifest_file(attempt.table, file.spec_id, file.content, std::move(kept));
  return made_of_.emplace(std::move(key), part).first->second;
}

void SnapshotWriter::filter_data(Attempt& attempt, const ManifestList& list) {
  for (const ManifestFile& file : *list) {
    if (file.content != ManifestContent::kData || !file.may_have_live_files()) continue;
    if (attempt.missing.empty()) {
      attempt.data.push_back({file, nullptr});
      continue;
    }
    const Manifest entries = cache_.manifest(attempt.table, file);
    std::vector<const ManifestEntry*> leaving;
    for (const ManifestEntry& entry : *entries) {
      if (!entry.live()) continue;
      const auto found = attempt.missing.find(entry.file.path);
      if (found == attempt.missing.end()) continue;
      leaving.push_back(&entry);
      attempt.removed_data.insert(*found);
      attempt.missing.erase(found);
    }
    attempt.data.push_back(leaving.empty() ? Part{file, nullptr}
                                           : without(attempt, file, leaving, entries));
  }
}

void SnapshotWriter::filter_deletes(Attempt& attempt, const ManifestList& list) {
  // Deletes older than all data apply to nothing any more.
  int64_t oldest = attempt.sequence_number;
  for (const auto* parts : {&attempt.data, &added_data_}) {
    for (const Part& part : *parts) {
      if (part.file.added_files == 0 && part.file.existing_files == 0) continue;
      if (part.file.min_sequence_number == kUnassignedSequenceNumber) continue;
      oldest = std::min(oldest, part.file.min_sequence_number);
    }
  }
  for (const ManifestFile& file : *list) {
    if (file.content != ManifestContent::kDeletes || !file.may_have_live_files()) continue;
    if (change_.removed.empty()) {
      attempt.deletes.push_back({file, nullptr});
      continue;
    }
    const Manifest entries = cache_.manifest(attempt.table, file);
    std::vector<const ManifestEntry*> leaving;
    for (const ManifestEntry& entry : *entries) {
      if (!entry.live()) continue;
      const bool asked = attempt.missing.erase(entry.file.path) > 0;
      if (asked || attempt.removed_data.contains(referenced_file(entry.file)) ||
          entry.sequence_number.value_or(0) < oldest) {
        leaving.push_back(&entry);
      }
    }
    attempt.deletes.push_back(leaving.empty() ? Part{file, nullptr}
                                              : without(attempt, file, leaving, entries));
  }
}

SnapshotWriter::Part SnapshotWriter::merge_bin(Attempt& attempt, std::span<const Part> bin) {
  std::string key;
  for (const Part& part : bin) key += part.file.path + "\n";
  const auto known = made_of_.find(key);
  if (known != made_of_.end()) return known->second;
  std::vector<ManifestEntry> entries;
  for (const Part& part : bin) {
    const Manifest source =
        part.entries != nullptr ? part.entries : cache_.manifest(attempt.table, part.file);
    const bool own = part.entries != nullptr;
    for (const ManifestEntry& entry : *source) {
      // What earlier snapshots deleted is told by their manifests.
      if (!entry.live() && !own) continue;
      ManifestEntry& copy = entries.emplace_back(entry);
      if (!own) copy.status = EntryStatus::kExisting;
    }
  }
  const ManifestFile& first = bin.front().file;
  const Part part =
      write_manifest_file(attempt.table, first.spec_id, first.content, std::move(entries));
  return made_of_.emplace(std::move(key), part).first->second;
}

std::vector<ManifestFile> SnapshotWriter::merged(Attempt& attempt, const std::vector<Part>& parts) {
  const MergeSettings settings = merge_settings(attempt.table.properties);
  std::vector<ManifestFile> files;
  for (const Part& part : parts) files.push_back(part.file);
  std::vector<ManifestFile> out;
  for (const std::vector<size_t>& bin : merge_bins(files, settings)) {
    std::vector<Part> merging;
    for (const size_t place : bin) merging.push_back(parts[place]);
    if (merging.size() > 1) merging = {merge_bin(attempt, merging)};
    ManifestFile& file = out.emplace_back(merging.front().file);
    if (!file.added_files || !file.existing_files || !file.deleted_files || !file.added_rows ||
        !file.existing_rows || !file.deleted_rows) {
      complete_counts(file, *cache_.manifest(attempt.table, file));
    }
  }
  return out;
}

Snapshot SnapshotWriter::write_snapshot(Attempt& attempt) {
  std::vector<Part> data = added_data_, deletes = added_deletes_;
  data.insert(data.end(), attempt.data.begin(), attempt.data.end());
  deletes.insert(deletes.end(), attempt.deletes.begin(), attempt.deletes.end());
  std::vector<ManifestFile> manifests = merged(attempt, data);
  std::ranges::copy(merged(attempt, deletes), std::back_inserter(manifests));

  for (const NewFile& added : change_.data) {
    attempt.counts.added(attempt.table, added.spec_id, added.file);
  }
  for (const NewFile& added : change_.deletes) {
    attempt.counts.added(attempt.table, added.spec_id, added.file);
  }
  Snapshot snapshot;
  snapshot.id = snapshot_id_;
  if (attempt.parent != nullptr) snapshot.parent_id = attempt.parent->id;
  snapshot.sequence_number = attempt.sequence_number;
  snapshot.timestamp_ms = attempt.timestamp_ms;
  snapshot.schema_id = attempt.table.current_schema_id;
  snapshot.summary = change_.summary;
  snapshot.summary["operation"] = change_.same_rows ? "replace" : attempt.counts.operation();
  attempt.counts.write(snapshot.summary, attempt.parent ? &attempt.parent->summary : nullptr);
  snapshot.manifest_list = fmt::format("{}/snap-{}-{}-{}.avro", folder(attempt.table), snapshot_id_,
                                       ++lists_, write_id_);
  written_.push_back(snapshot.manifest_list);
  cache_.files().write(
      snapshot.manifest_list,
      write_manifest_list(manifests, snapshot_id_, snapshot.parent_id, attempt.sequence_number),
      kAvro);
  objects::crash_point("lake.list_written");
  used_ = {snapshot.manifest_list};
  for (const ManifestFile& file : manifests) used_.insert(file.path);
  return snapshot;
}

}  // namespace meesh::lake
