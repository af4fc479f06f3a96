#include "lake/updates.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/uuid.h"
#include "lake/next_id.h"

namespace meesh::lake {
namespace {

constexpr int kNewestVersion = 2;
constexpr int kNone = -1;
constexpr std::string_view kPreviousVersionsMax = "write.metadata.previous-versions-max";
constexpr int kPreviousVersionsMaxDefault = 100;
constexpr int kHighestFieldId = std::numeric_limits<int>::max() - 200;  // beyond: of the format
constexpr int64_t kClocksApartMs = 10 * 60 * 1000;  // clocks of writers may differ so much

Error refused(std::string message) { return Error(Code::kBadRequest, std::move(message)); }

bool same_uuid(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// The same partitions, whatever the ids.
bool same_fields(const PartitionSpec& a, const PartitionSpec& b) {
  return std::ranges::equal(a.fields, b.fields, [](const auto& x, const auto& y) {
    return x.source_id == y.source_id && x.name == y.name && x.transform == y.transform;
  });
}

void refuse_unknown_transform(const Transform& transform) {
  if (transform.kind != TransformKind::kUnknown) return;
  throw Error(Code::kNotSupported,
              fmt::format("transform '{}' is not supported", transform.name.substr(0, 80)))
      .with_hint("use identity, bucket[N], truncate[W], year, month, day, hour or void");
}

class Builder {
 public:
  Builder(const TableMetadata* base, int64_t now_ms) : base_(base), now_ms_(now_ms) {
    if (base == nullptr) {
      out_.current_schema_id = out_.default_spec_id = out_.default_sort_order_id = kNone;
      return;
    }
    out_ = *base;
  }

  void operator()(const AssignUuid& update);
  void operator()(const UpgradeFormatVersion& update);
  void operator()(const AddSchema& update);
  void operator()(const SetCurrentSchema& update);
  void operator()(const AddPartitionSpec& update);
  void operator()(const SetDefaultSpec& update);
  void operator()(const AddSortOrder& update);
  void operator()(const SetDefaultSortOrder& update);
  void operator()(const AddSnapshot& update);
  void operator()(const SetSnapshotRef& update);
  void operator()(const RemoveSnapshots& update);
  void operator()(const RemoveSnapshotRef& update);
  void operator()(const SetLocation& update);
  void operator()(const SetProperties& update);
  void operator()(const RemoveProperties& update);
  void operator()(const SetStatistics& update);
  void operator()(const RemoveStatistics& update);
  void operator()(const SetPartitionStatistics& update);
  void operator()(const RemovePartitionStatistics& update);
  void operator()(const RemovePartitionSpecs& update);
  void operator()(const RemoveSchemas& update);

  TableMetadata build(std::string_view previous_metadata_file) &&;

 private:
  template <typename T>
  void set(T* member, T value) {
    if (*member == value) return;
    *member = std::move(value);
    changed_ = true;
  }
  const Schema& schema_for(std::string_view what) const;
  void give_field_ids(PartitionSpec* spec) const;
  void complete_new_table();
  void trim_snapshot_log();
  void log_previous_file(std::string_view file);

  const TableMetadata* base_;
  int64_t now_ms_;
  TableMetadata out_;
  bool changed_ = false;
  bool removed_snapshots_ = false;
  std::optional<int64_t> updated_ms_;
  std::optional<int> last_schema_, last_spec_, last_order_;
  std::set<int64_t> added_snapshots_;
  std::set<int64_t> set_as_main_;  // of those added
};

void Builder::operator()(const AssignUuid& update) {
  if (update.uuid.empty()) throw refused("Cannot set uuid to an empty text");
  set(&out_.uuid, update.uuid);
}

void Builder::operator()(const UpgradeFormatVersion& update) {
  if (update.version > kNewestVersion) {
    throw Error(Code::kNotSupported,
                fmt::format("Cannot upgrade table to unsupported format version: v{} (supported: "
                            "v{})",
                            update.version, kNewestVersion))
        .with_hint("use format version 2");
  }
  if (update.version < 1 || (base_ != nullptr && update.version < out_.format_version)) {
    throw refused(
        fmt::format("Cannot downgrade v{} table to v{}", out_.format_version, update.version));
  }
  set(&out_.format_version, kNewestVersion);
}

const Schema& Builder::schema_for(std::string_view what) const {
  const Schema* schema = out_.find_schema(out_.current_schema_id);
  // DuckDB sets the schema of a new table after everything that refers to it.
  if (schema == nullptr && !out_.schemas.empty()) schema = &out_.schemas.back();
  if (schema == nullptr) {
    throw refused(fmt::format("Attempting to add a {} before a schema is set", what));
  }
  return *schema;
}

void Builder::operator()(const AddSchema& update) {
  check_identifier_fields(update.schema);
  const int highest = highest_field_id(update.schema);
  if (highest > kHighestFieldId) {
    throw refused(fmt::format("Cannot add schema: field id {} is reserved (the highest is {})",
                              highest, kHighestFieldId));
  }
  out_.last_column_id = std::max(out_.last_column_id, highest);
  const auto same = std::ranges::find_if(
      out_.schemas, [&](const Schema& schema) { return same_schema(schema, update.schema); });
  if (same != out_.schemas.end()) {
    last_schema_ = same->id;
    return;
  }
  Schema schema = update.schema;
  schema.id = next_id(out_.schemas, std::max(out_.current_schema_id, 0));
  last_schema_ = schema.id;
  out_.schemas.push_back(std::move(schema));
  changed_ = true;
}

void Builder::operator()(const SetCurrentSchema& update) {
  int id = update.id;
  if (id == kLastAdded) {
    if (!last_schema_) throw refused("Cannot set last added schema: no schema has been added");
    id = *last_schema_;
  }
  if (out_.find_schema(id) == nullptr) {
    throw refused(fmt::format("Cannot set current schema to unknown schema: {}", id));
  }
  set(&out_.current_schema_id, id);
}

void Builder::give_field_ids(PartitionSpec* spec) const {
  std::set<int> used;
  for (const PartitionField& field : spec->fields) used.insert(field.field_id);
  int last = out_.last_partition_id;
  for (PartitionField& field : spec->fields) {
    if (field.field_id != 0) continue;
    // The same partition has the same id in all specs of a table.
    for (const PartitionSpec& other : out_.partition_specs) {
      for (const PartitionField& known : other.fields) {
        if (known.source_id == field.source_id && known.transform == field.transform &&
            !used.contains(known.field_id)) {
          field.field_id = known.field_id;
        }
      }
    }
    while (field.field_id == 0) {
      if (last == std::numeric_limits<int>::max()) throw refused("partition ids are used up");
      if (!used.contains(++last)) field.field_id = last;
    }
    used.insert(field.field_id);
  }
}

void Builder::operator()(const AddPartitionSpec& update) {
  const auto same = std::ranges::find_if(out_.partition_specs, [&](const PartitionSpec& spec) {
    return same_fields(spec, update.spec);
  });
  if (same != out_.partition_specs.end()) {
    last_spec_ = same->id;
    return;
  }
  const Schema& schema = schema_for("partition spec");
  check_compatible(update.spec, schema);
  PartitionSpec spec = update.spec;
  for (const PartitionField& field : spec.fields) {
    refuse_unknown_transform(field.transform);
    const Field* column = find_field(schema, field.name);
    if (column != nullptr && column->id != field.source_id) {
      throw refused(
          fmt::format("Cannot create partition from name that exists in schema: {}", field.name));
    }
  }
  give_field_ids(&spec);
  for (const PartitionField& field : spec.fields) {
    out_.last_partition_id = std::max(out_.last_partition_id, field.field_id);
  }
  spec.id = next_id(out_.partition_specs, 0);
  last_spec_ = spec.id;
  out_.partition_specs.push_back(std::move(spec));
  changed_ = true;
}

void Builder::operator()(const SetDefaultSpec& update) {
  int id = update.id;
  if (id == kLastAdded) {
    if (!last_spec_) throw refused("Cannot set last added spec: no spec has been added");
    id = *last_spec_;
  }
  if (out_.find_spec(id) == nullptr) {
    throw refused(fmt::format("Cannot set default partition spec to unknown spec: {}", id));
  }
  set(&out_.default_spec_id, id);
}

void Builder::operator()(const AddSortOrder& update) {
  const auto same = std::ranges::find_if(out_.sort_orders, [&](const SortOrder& order) {
    return order.fields == update.order.fields;
  });
  if (same != out_.sort_orders.end()) {
    last_order_ = same->id;
    return;
  }
  SortOrder order = update.order;
  order.id = 0;
  if (!order.fields.empty()) {
    check_compatible(order, schema_for("sort order"));
    for (const SortField& field : order.fields) refuse_unknown_transform(field.transform);
    order.id = next_id(out_.sort_orders, 1);
  } else if (out_.find_sort_order(0) != nullptr) {
    order.id = next_id(out_.sort_orders, 1);  // another writer used 0 for a sorted one
  }
  last_order_ = order.id;
  out_.sort_orders.push_back(std::move(order));
  changed_ = true;
}

void Builder::operator()(const SetDefaultSortOrder& update) {
  int id = update.id;
  if (id == kLastAdded) {
    if (!last_order_) {
      throw refused("Cannot set last added sort order: no sort order has been added");
    }
    id = *last_order_;
  }
  if (out_.find_sort_order(id) == nullptr) {
    throw refused(fmt::format("Cannot set default sort order to unknown order: {}", id));
  }
  set(&out_.default_sort_order_id, id);
}

void Builder::operator()(const AddSnapshot& update) {
  const Snapshot& snapshot = update.snapshot;
  schema_for("snapshot");
  if (out_.find_snapshot(snapshot.id) != nullptr) {
    throw refused(fmt::format("Snapshot already exists for id: {}", snapshot.id));
  }
  const bool from_version_1 = base_ != nullptr && base_->format_version == 1;
  const bool newer = snapshot.sequence_number > out_.last_sequence_number;
  if (!newer && snapshot.parent_id && !from_version_1) {
    throw Error(Code::kIcebergCommitError,
                fmt::format("Cannot add snapshot with sequence number {} older than last sequence "
                            "number {}",
                            snapshot.sequence_number, out_.last_sequence_number))
        .with_hint("load the table again and retry");
  }
  if (snapshot.timestamp_ms > now_ms_ + kClocksApartMs) {
    throw refused(fmt::format("The timestamp of snapshot {} lies in the future", snapshot.id))
        .with_hint("set the clock of the machine that writes");
  }
  updated_ms_ = snapshot.timestamp_ms;
  out_.last_sequence_number = std::max(out_.last_sequence_number, snapshot.sequence_number);
  out_.snapshots.push_back(snapshot);
  added_snapshots_.insert(snapshot.id);
  changed_ = true;
}

void Builder::operator()(const SetSnapshotRef& update) {
  if (update.name.empty()) throw refused("A branch or tag needs a name");
  const SnapshotRef* existing = out_.find_ref(update.name);
  if (existing != nullptr && *existing == update.ref) return;
  const Snapshot* snapshot = out_.find_snapshot(update.ref.snapshot_id);
  if (snapshot == nullptr) {
    throw refused(
        fmt::format("Cannot set {} to unknown snapshot: {}", update.name, update.ref.snapshot_id));
  }
  const bool added = added_snapshots_.contains(snapshot->id);
  if (added) updated_ms_ = snapshot->timestamp_ms;
  if (update.name == kMainBranch) {
    if (update.ref.tag) throw refused("Cannot make a tag of the branch main");
    out_.current_snapshot_id = snapshot->id;
    if (!updated_ms_) updated_ms_ = now_ms_;
    // Java refuses logs that go back in time; clocks of writers do.
    if (!out_.snapshot_log.empty()) {
      updated_ms_ = std::max(*updated_ms_, out_.snapshot_log.back().timestamp_ms);
    }
    out_.snapshot_log.push_back({*updated_ms_, snapshot->id});
    if (added) set_as_main_.insert(snapshot->id);
  }
  out_.refs[update.name] = update.ref;
  changed_ = true;
}

void Builder::operator()(const RemoveSnapshots& update) {
  const std::set<int64_t> ids(update.ids.begin(), update.ids.end());
  const auto listed = [&](int64_t id) { return ids.contains(id); };
  if (std::erase_if(out_.snapshots, [&](const Snapshot& s) { return listed(s.id); }) == 0) return;
  std::erase_if(out_.statistics, [&](const auto& file) { return listed(file.snapshot_id); });
  std::erase_if(out_.partition_statistics,
                [&](const auto& file) { return listed(file.snapshot_id); });
  std::erase_if(out_.refs, [&](const auto& ref) { return listed(ref.second.snapshot_id); });
  if (!out_.refs.contains(std::string(kMainBranch))) out_.current_snapshot_id.reset();
  removed_snapshots_ = true;
  changed_ = true;
}

void Builder::operator()(const RemoveSnapshotRef& update) {
  if (update.name == kMainBranch) out_.current_snapshot_id.reset();
  if (out_.refs.erase(update.name) > 0) changed_ = true;
}

void Builder::operator()(const SetLocation& update) {
  if (update.location.empty()) throw refused("Cannot set location to an empty text");
  set(&out_.location, update.location);
}

void Builder::operator()(const SetProperties& update) {
  for (const auto& [name, value] : update.updates) {
    out_.properties[name] = value;
    changed_ = true;
  }
}

void Builder::operator()(const RemoveProperties& update) {
  for (const std::string& name : update.removals) {
    out_.properties.erase(name);
    changed_ = true;
  }
}

void Builder::operator()(const SetStatistics& update) {
  (*this)(RemoveStatistics{update.file.snapshot_id});
  out_.statistics.push_back(update.file);
  changed_ = true;
}

void Builder::operator()(const RemoveStatistics& update) {
  const auto same = [&](const auto& file) { return file.snapshot_id == update.snapshot_id; };
  if (std::erase_if(out_.statistics, same) > 0) changed_ = true;
}

void Builder::operator()(const SetPartitionStatistics& update) {
  (*this)(RemovePartitionStatistics{update.file.snapshot_id});
  out_.partition_statistics.push_back(update.file);
  changed_ = true;
}

void Builder::operator()(const RemovePartitionStatistics& update) {
  const auto same = [&](const auto& file) { return file.snapshot_id == update.snapshot_id; };
  if (std::erase_if(out_.partition_statistics, same) > 0) changed_ = true;
}

void Builder::operator()(const RemovePartitionSpecs& update) {
  const std::set<int> ids(update.ids.begin(), update.ids.end());
  const auto listed = [&](int id) { return ids.contains(id); };
  if (listed(out_.default_spec_id)) throw refused("Cannot remove the default partition spec");
  if (std::erase_if(out_.partition_specs, [&](const auto& spec) { return listed(spec.id); }) > 0) {
    changed_ = true;
  }
}

void Builder::operator()(const RemoveSchemas& update) {
  const std::set<int> ids(update.ids.begin(), update.ids.end());
  const auto listed = [&](int id) { return ids.contains(id); };
  if (listed(out_.current_schema_id)) throw refused("Cannot remove the current schema");
  if (std::erase_if(out_.schemas, [&](const auto& schema) { return listed(schema.id); }) > 0) {
    changed_ = true;
  }
}

void Builder::complete_new_table() {
  if (out_.location.empty()) throw refused("A new table needs a location: set-location is missing");
  if (out_.find_schema(out_.current_schema_id) == nullptr) {
    throw refused("A new table needs a schema: set-current-schema is missing");
  }
  if (out_.default_spec_id == kNone) {
    (*this)(AddPartitionSpec{});
    out_.default_spec_id = *last_spec_;
  }
  if (out_.default_sort_order_id == kNone) {
    (*this)(AddSortOrder{});
    out_.default_sort_order_id = *last_order_;
  }
}

/// Snapshots that were main only in the middle of this commit leave the log; where a snapshot was
/// removed, everything before goes too: a gap would make time travel answer wrongly.
void Builder::trim_snapshot_log() {
  std::set<int64_t> existing;
  for (const Snapshot& snapshot : out_.snapshots) existing.insert(snapshot.id);
  std::vector<SnapshotLogEntry> kept;
  for (const SnapshotLogEntry& entry : out_.snapshot_log) {
    if (!existing.contains(entry.snapshot_id)) {
      if (removed_snapshots_) {
        kept.clear();
        continue;
      }
    } else if (set_as_main_.contains(entry.snapshot_id) &&
               out_.current_snapshot_id != entry.snapshot_id) {
      continue;
    }
    kept.push_back(entry);
  }
  out_.snapshot_log = std::move(kept);
}

void Builder::log_previous_file(std::string_view file) {
  if (file.empty() || base_ == nullptr) return;
  int most = kPreviousVersionsMaxDefault;
  const auto found = out_.properties.find(std::string(kPreviousVersionsMax));
  if (found != out_.properties.end()) {
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), most);
    if (error != std::errc() || end != text.data() + text.size()) {
      throw refused(fmt::format("property {} must be a number, found '{}'", kPreviousVersionsMax,
                                text.substr(0, 80)));
    }
  }
  out_.metadata_log.push_back({base_->last_updated_ms, std::string(file)});
  const auto keep = static_cast<size_t>(std::max(most, 1));
  if (out_.metadata_log.size() > keep) {
    out_.metadata_log.erase(out_.metadata_log.begin(),
                            out_.metadata_log.end() - static_cast<std::ptrdiff_t>(keep));
  }
}

TableMetadata Builder::build(std::string_view previous_metadata_file) && {
  if (base_ != nullptr && !changed_ && out_.last_column_id == base_->last_column_id) return *base_;
  if (base_ == nullptr) complete_new_table();
  if (out_.uuid.empty()) out_.uuid = base::random_uuid();
  out_.format_version = kNewestVersion;
  out_.last_updated_ms = updated_ms_.value_or(now_ms_);
  if (base_ != nullptr)
    out_.last_updated_ms = std::max(out_.last_updated_ms, base_->last_updated_ms);
  check_compatible(out_.spec(), out_.schema());
  check_compatible(out_.sort_order(), out_.schema());
  trim_snapshot_log();
  log_previous_file(previous_metadata_file);
  return std::move(out_);
}

[[noreturn]] void fail(std::string what) {
  throw Error(Code::kIcebergCommitError, "Requirement failed: " + what)
      .with_hint("load the table again and retry");
}

void check_ref(const Requirement& requirement, const TableMetadata& metadata) {
  const SnapshotRef* ref = metadata.find_ref(requirement.text);
  if (ref == nullptr) {
    if (!requirement.id) return;
    fail(
        fmt::format("branch or tag {} is missing, expected {}", requirement.text, *requirement.id));
  }
  const std::string_view type = ref->tag ? "tag" : "branch";
  if (!requirement.id) {
    fail(fmt::format("{} {} was created concurrently", type, requirement.text));
  }
  if (*requirement.id != ref->snapshot_id) {
    fail(fmt::format("{} {} has changed: expected id {} != {}", type, requirement.text,
                     *requirement.id, ref->snapshot_id));
  }
}

void check_one(const Requirement& requirement, const TableMetadata& metadata) {
  const auto expect = [&](std::string_view what, int found) {
    if (requirement.id.value_or(kNone) == found) return;
    fail(fmt::format("{} changed: expected id {} != {}", what, requirement.id.value_or(kNone),
                     found));
  };
  switch (requirement.kind) {
    case RequirementKind::kCreate:
      fail("table already exists");
    case RequirementKind::kTableUuid:
      if (same_uuid(requirement.text, metadata.uuid)) return;
      fail(fmt::format("UUID does not match: expected {} != {}", metadata.uuid, requirement.text));
    case RequirementKind::kRefSnapshotId:
      return check_ref(requirement, metadata);
    case RequirementKind::kLastAssignedFieldId:
      return expect("last assigned field id", metadata.last_column_id);
    case RequirementKind::kCurrentSchemaId:
      return expect("current schema", metadata.current_schema_id);
    case RequirementKind::kLastAssignedPartitionId:
      return expect("last assigned partition id", metadata.last_partition_id);
    case RequirementKind::kDefaultSpecId:
      return expect("default partition spec", metadata.default_spec_id);
    case RequirementKind::kDefaultSortOrderId:
      return expect("default sort order", metadata.default_sort_order_id);
  }
}

}  // namespace

void check(std::span<const Requirement> requirements, const TableMetadata* metadata) {
  for (const Requirement& requirement : requirements) {
    if (metadata != nullptr) {
      check_one(requirement, *metadata);
    } else if (requirement.kind != RequirementKind::kCreate) {
      fail("current table metadata is missing");
    }
  }
}

TableMetadata apply(std::span<const Update> updates, const TableMetadata* base, int64_t now_ms,
                    std::string_view previous_metadata_file) {
  Builder builder(base, now_ms);
  for (const Update& update : updates) std::visit(builder, update);
  return std::move(builder).build(previous_metadata_file);
}

}  // namespace meesh::lake
