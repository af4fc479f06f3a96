#include "lake/table_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <list>
#include <set>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "lake/puffin.h"
#include "lake/scan.h"
#include "lake/theta_sketch.h"
#include "lake/updates.h"

namespace meesh::lake {
namespace {

constexpr uint64_t kLongestFile = uint64_t{1} << 28;

/// One column over all files. The rules are those of Trino's IcebergStatistics.
class Gathering {
 public:
  void add_bytes(int64_t bytes) { bytes_ = bytes_.value_or(0) + bytes; }
  /// Negative: not known.
  void add_nulls(int64_t nulls) {
    if (nulls < 0) nulls_known_ = false;
    nulls_ += std::max<int64_t>(nulls, 0);
  }
  void add_range(const Value& low, const Value& high) {
    narrow(low_, low, [](const Value& a, const Value& b) { return a < b; });
    narrow(high_, high, [](const Value& a, const Value& b) { return b < a; });
    seen_ = true;
  }
  ColumnSummary summary() const {
    ColumnSummary out;
    out.bytes = bytes_;
    if (nulls_known_) out.nulls = nulls_;
    out.low = low_;
    out.high = high_;
    return out;
  }

 private:
  template <class Before>
  void narrow(Value& kept, const Value& value, Before before) {
    if (!seen_) {
      kept = value;
    } else if (!is_null(kept) && (is_null(value) || before(value, kept))) {
      kept = value;
    }
  }

  std::optional<int64_t> bytes_;
  int64_t nulls_ = 0;
  bool nulls_known_ = true, seen_ = false;
  Value low_, high_;
};

Value bound(const Type& type, const std::optional<std::string_view>& bytes) {
  return bytes ? from_bytes(type, *bytes) : Value();
}

/// The value that all rows of the file have in the column by its partition; null if it has none.
const Value* identity_value(const PartitionSpec& spec, const DataFile& file, int field_id) {
  for (size_t i = 0; i < spec.fields.size() && i < file.partition.size(); ++i) {
    const PartitionField& field = spec.fields[i];
    if (field.source_id == field_id && field.transform.kind == TransformKind::kIdentity) {
      return &file.partition[i];
    }
  }
  return nullptr;
}

void add_file(Gathering& column, const Field& field, const PartitionSpec& spec,
              const DataFile& file) {
  const auto known = file.metrics.find(field.id);
  if (known && known->size >= 0) column.add_bytes(known->size);
  if (const Value* same = identity_value(spec, file, field.id)) {
    column.add_nulls(is_null(*same) ? file.records : 0);
    if (!is_null(*same)) column.add_range(*same, *same);
    return;
  }
  const int64_t nulls = known ? known->nulls : -1;
  column.add_nulls(nulls);
  if (field.type.nested() || nulls == file.records) return;
  column.add_range(known ? bound(field.type, known->lower) : Value(),
                   known ? bound(field.type, known->upper) : Value());
}

/// The field that a blob is a theta sketch of.
std::optional<int> sketched_field(const BlobMetadata& blob) {
  if (blob.type != kThetaBlob || blob.fields.size() != 1) return std::nullopt;
  return blob.fields.front();
}

std::optional<int64_t> told_ndv(const BlobMetadata& blob) {
  const auto found = blob.properties.find(kNdvProperty);
  if (found == blob.properties.end()) return std::nullopt;
  const std::string& text = found->second;
  int64_t ndv = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), ndv);
  if (problem != std::errc() || end != text.data() + text.size() || ndv < 0) return std::nullopt;
  return ndv;
}

std::string read_file(const Files& files, const StatisticsFile& statistics) {
  if (statistics.key_metadata) {
    throw Error(Code::kNotSupported,
                fmt::format("the statistics file '{}' is encrypted", statistics.path));
  }
  return files.read(statistics.path, kLongestFile);
}

/// Adds what the sketches themselves say of these fields.
void estimate(const Files& files, const StatisticsFile& statistics, const std::set<int>& fields,
              std::map<int, int64_t>& out) {
  const std::string bytes = read_file(files, statistics);
  for (const PuffinBlob& blob : parse_puffin(bytes).blobs) {
    const auto field = sketched_field(blob.about);
    if (!field || !fields.contains(*field)) continue;
    out[*field] = static_cast<int64_t>(theta_estimate(unpacked(blob)));
  }
}

void warn_unread(const StatisticsFile& statistics, const Error& error) {
  log::warn("a statistics file of a table cannot be read",
            {{"file", statistics.path}, {"error", error.what()}});
}

/// A statistics file in the making; holds what its blobs are made of.
class Blobs {
 public:
  /// Blobs of another file; of theta sketches those of fields in `kept`.
  void copy(const Files& files, const StatisticsFile& from, const std::set<int>& kept) {
    const auto stays = [&](const BlobMetadata& blob) {
      const auto field = sketched_field(blob);
      return !field || kept.contains(*field);
    };
    if (std::ranges::none_of(from.blobs, stays)) return;
    try {
      copied_ = read_file(files, from);
      for (PuffinBlob& blob : parse_puffin(copied_).blobs) {
        if (stays(blob.about)) blobs_.push_back(std::move(blob));
      }
    } catch (const Error& error) {
      warn_unread(from, error);
      blobs_.clear();
    }
  }

  void add_sketch(int field, const std::string& compact, const Snapshot& snapshot) {
    packed_.push_back(packed_zstd(compact));
    PuffinBlob blob;
    blob.about.type = kThetaBlob;
    blob.about.fields = {field};
    blob.about.snapshot_id = snapshot.id;
    blob.about.sequence_number = snapshot.sequence_number;
    const auto ndv = static_cast<int64_t>(theta_estimate(compact));
    blob.about.properties[kNdvProperty] = std::to_string(ndv);
    blob.codec = "zstd";
    blob.bytes = packed_.back();
    blobs_.push_back(std::move(blob));
  }

  StatisticsFile write(const Files& files, const std::string& path, int64_t snapshot_id) const {
    const WrittenPuffin written = write_puffin(blobs_, {{"created-by", "meesh"}});
    files.write(path, written.bytes, "application/octet-stream");
    StatisticsFile file;
    file.snapshot_id = snapshot_id;
    file.path = path;
    file.size = static_cast<int64_t>(written.bytes.size());
    file.footer_size = written.footer_size;
    for (const PuffinBlob& blob : blobs_) file.blobs.push_back(blob.about);
    return file;
  }

 private:
  std::string copied_;
  std::list<std::string> packed_;  // stays where it is
  std::vector<PuffinBlob> blobs_;
};

[[noreturn]] void overtaken(const Identifier& name, const char* what) {
  throw Error(Code::kIcebergCommitError,
              fmt::format("Cannot set statistics of {}: {} meanwhile", name.display(), what))
      .with_hint("analyze it again");
}

const Snapshot& analyzed(const Identifier& name, const TableMetadata& table,
                         const NewStatistics& statistics) {
  if (table.uuid != statistics.table_uuid) overtaken(name, "another table has taken its place");
  const Snapshot* snapshot = table.find_snapshot(statistics.snapshot_id);
  if (snapshot == nullptr) overtaken(name, "the snapshot has expired");
  return *snapshot;
}

TableMetadata updated(const Table& base, const std::vector<Update>& updates) {
  return apply(updates, base.metadata.get(),
               std::max(base::now_ms(), base.metadata->last_updated_ms), base.metadata_location);
}

void remove_written(const Files& files, const std::string& path) {
  try {
    files.remove({path});
  } catch (const std::exception& error) {
    log::warn("the statistics file of a failed commit stays",
              {{"file", path}, {"error", error.what()}});
  }
}

/// Fields of all depths, but those with a new sketch.
std::set<int> fields_to_keep(const Schema& schema, const NewStatistics& statistics) {
  std::set<int> kept;
  for (const auto& [id, unused] : field_names(schema)) {
    if (!statistics.sketches.contains(id)) kept.insert(id);
  }
  return kept;
}

}  // namespace

TableSummary summarize(ManifestCache& cache, const TableMetadata& table, const Snapshot& snapshot) {
  const ScanPlan plan = plan_scan(cache, table, &snapshot, {});
  const Schema& schema = table.schema();
  std::vector<Gathering> columns(schema.fields.size());
  TableSummary out;
  for (const ScanFile& file : plan.files) {
    ++out.files;
    out.records += file.file->records;
    const PartitionSpec* spec = table.find_spec(file.spec_id);
    for (size_t i = 0; i < columns.size(); ++i) {
      add_file(columns[i], schema.fields[i], spec != nullptr ? *spec : PartitionSpec{}, *file.file);
    }
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    out.columns[schema.fields[i].id] = columns[i].summary();
  }
  return out;
}

const StatisticsFile* newest_statistics(const TableMetadata& table, const Snapshot& snapshot) {
  std::set<int64_t> seen;
  for (const Snapshot* at = &snapshot; at != nullptr && seen.insert(at->id).second;
       at = at->parent_id ? table.find_snapshot(*at->parent_id) : nullptr) {
    for (const StatisticsFile& file : table.statistics) {
      if (file.snapshot_id == at->id) return &file;
    }
  }
  return nullptr;
}

std::map<int, int64_t> distinct_values(const Files& files, const TableMetadata& table,
                                       const Snapshot& snapshot) {
  std::map<int, int64_t> out;
  const StatisticsFile* statistics = newest_statistics(table, snapshot);
  if (statistics == nullptr) return out;
  std::set<int> untold;
  for (const BlobMetadata& blob : statistics->blobs) {
    const auto field = sketched_field(blob);
    if (!field) continue;
    if (const auto ndv = told_ndv(blob)) {
      out[*field] = *ndv;
    } else {
      untold.insert(*field);
    }
  }
  if (untold.empty()) return out;
  try {
    estimate(files, *statistics, untold, out);
  } catch (const Error& error) {
    warn_unread(*statistics, error);
  }
  return out;
}

Table set_statistics(Catalog& catalog, const Identifier& name, const NewStatistics& statistics) {
  const Table before = catalog.load(name);
  const TableMetadata& table = *before.metadata;
  const Snapshot& snapshot = analyzed(name, table, statistics);
  Blobs blobs;
  if (const StatisticsFile* old = newest_statistics(table, snapshot)) {
    blobs.copy(catalog.files(), *old, fields_to_keep(table.schema(), statistics));
  }
  for (const auto& [field, sketch] : statistics.sketches) {
    blobs.add_sketch(field, sketch, snapshot);
  }
  const StatisticsFile file = blobs.write(catalog.files(), statistics.path, snapshot.id);
  try {
    return catalog
        .commit({{name,
                  [&](const Table& base) {
                    analyzed(name, *base.metadata, statistics);
                    return updated(base, {SetStatistics{file}});
                  }}})
        .front();
  } catch (const CommitStateUnknown&) {
    throw;
  } catch (...) {
    remove_written(catalog.files(), file.path);
    throw;
  }
}

Table drop_statistics(Catalog& catalog, const Identifier& name) {
  const auto make = [](const Table& base) {
    std::vector<Update> updates;
    for (const StatisticsFile& file : base.metadata->statistics) {
      updates.emplace_back(RemoveStatistics{file.snapshot_id});
    }
    return updated(base, updates);
  };
  return catalog.commit({{name, make}}).front();
}

}  // namespace meesh::lake
