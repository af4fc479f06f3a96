#include "lake/transaction_validate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "base/error.h"
#include "lake/scan.h"
#include "lake/scan_deletes.h"

namespace meesh::lake {
namespace {

using Kind = Predicate::Kind;

constexpr size_t kMostNamed = 5;  // paths in a message

Error conflict(std::string message) {
  return Error(Code::kIcebergCommitError, std::move(message))
      .with_hint("another statement changed the table meanwhile: run this one again");
}

std::string paths_text(const std::vector<std::string_view>& paths) {
  const std::span named(paths.data(), std::min(paths.size(), kMostNamed));
  const std::string more =
      paths.size() > kMostNamed ? fmt::format(" and {} more", paths.size() - kMostNamed) : "";
  return fmt::format("[{}{}]", fmt::join(named, ", "), more);
}

class Validator {
 public:
  Validator(ManifestCache& cache, const SnapshotChange& change, const TableMetadata& table,
            const Snapshot& parent)
      : cache_(cache), change_(change), table_(table), parent_(parent) {}

  void run() {
    if (change_.adopted) check_adopted_files();
    const bool replaces = !change_.removed.empty() && (!change_.data.empty() || change_.same_rows);
    if (!change_.conflict && change_.referenced.empty() && !replaces) return;
    find_history();
    if (change_.conflict) check_added_files();
    if (!change_.referenced.empty() || replaces) check_touched_files(replaces);
  }

 private:
  void check_adopted_files() {
    std::unordered_set<std::string_view> paths;
    for (const NewFile& added : change_.data) paths.insert(added.file.path);
    const ManifestList list = cache_.list(table_, parent_);
    for (const ManifestFile& manifest : *list) {
      if (manifest.content != ManifestContent::kData || !manifest.may_have_live_files()) continue;
      const Manifest entries = cache_.manifest(table_, manifest);
      for (const ManifestEntry& entry : *entries) {
        if (!entry.live() || !paths.contains(entry.file.path)) continue;
        throw Error(Code::kAlreadyExists, "File already exists: " + entry.file.path)
            .with_hint("another statement added it to the table meanwhile");
      }
    }
  }

  /// The snapshots since the one that was read.
  void find_history() {
    const Snapshot* at = &parent_;
    while (at != nullptr && at->id != change_.read_snapshot_id) {
      history_.push_back(at);
      const auto next = at->parent_id;
      at = next ? table_.find_snapshot(*next) : nullptr;
      if (at == nullptr && (next || change_.read_snapshot_id)) {
        throw conflict(
            fmt::format("Cannot determine history between starting snapshot {} and the last known "
                        "ancestor {}",
                        change_.read_snapshot_id ? std::to_string(*change_.read_snapshot_id)
                                                 : std::string("null"),
                        history_.back()->id));
      }
    }
    read_ = at;
  }

  void check_added_files() {
    const Predicate& predicate = *change_.conflict;
    const Schema& schema = table_.schema();
    const MetricsFilter metrics(predicate, schema);
    std::map<int, PartitionFilter> filters;
    std::vector<std::string_view> found;
    std::vector<Manifest> held;
    for (const Snapshot* snapshot : history_) {
      const auto operation = snapshot->summary.find("operation");
      if (operation != snapshot->summary.end() && operation->second == "replace") continue;
      const ManifestList list = cache_.list(table_, *snapshot);
      for (const ManifestFile& manifest : *list) {
        if (manifest.content != ManifestContent::kData || manifest.added_files == 0 ||
            manifest.added_snapshot_id != snapshot->id) {
          continue;
        }
        const PartitionFilter& partitions = filter(filters, manifest.spec_id);
        if (!partitions.might_match(manifest)) continue;
        held.push_back(cache_.manifest(table_, manifest));
        for (const ManifestEntry& entry : *held.back()) {
          if (entry.status == EntryStatus::kAdded && entry.snapshot_id == snapshot->id &&
              partitions.might_match(entry.file.partition) && metrics.might_match(entry.file)) {
            found.push_back(entry.file.path);
          }
        }
      }
    }
    if (found.empty()) return;
    throw conflict(fmt::format("Found conflicting files that can contain records matching {}: {}",
                               predicate_text(predicate, schema), paths_text(found)));
  }

  const PartitionFilter& filter(std::map<int, PartitionFilter>& filters, int spec_id) const {
    const auto known = filters.find(spec_id);
    if (known != filters.end()) return known->second;
    const PartitionSpec* spec = table_.find_spec(spec_id);
    if (spec == nullptr) {
      throw Error(Code::kIcebergInvalidMetadata,
                  fmt::format("table {}: a manifest has the unknown partition spec {}",
                              table_.location, spec_id));
    }
    return filters.emplace(spec_id, PartitionFilter(*change_.conflict, *spec, table_.schema()))
        .first->second;
  }

  /// Data files that the change is about must be there, and without deletes that it did not see.
  void check_touched_files(bool replaces) {
    std::unordered_set<std::string_view> wanted(change_.referenced.begin(),
                                                change_.referenced.end());
    std::unordered_set<std::string_view> missing = wanted;
    if (replaces) wanted.insert(change_.removed.begin(), change_.removed.end());
    std::vector<ScanFile> touched;
    std::vector<ScanDelete> deletes;
    const int64_t seen = read_ == nullptr ? -1 : read_->sequence_number;
    const ManifestList list = cache_.list(table_, parent_);
    for (const ManifestFile& manifest : *list) {
      if (!manifest.may_have_live_files()) continue;
      const bool data = manifest.content == ManifestContent::kData;
      if (!data && manifest.sequence_number <= seen) continue;
      const Manifest entries = cache_.manifest(table_, manifest);
      for (const ManifestEntry& entry : *entries) {
        if (!entry.live()) continue;
        const int64_t number = entry.sequence_number.value_or(0);
        std::shared_ptr<const DataFile> file(entries, &entry.file);
        if (!data && number > seen) {
          deletes.push_back({std::move(file), manifest.spec_id, number});
        } else if (data && wanted.contains(entry.file.path)) {
          missing.erase(entry.file.path);
          touched.push_back({std::move(file), manifest.spec_id, number, {}});
        }
      }
    }
    if (!missing.empty()) {
      throw conflict(fmt::format("Cannot commit, missing data files: {}",
                                 paths_text({missing.begin(), missing.end()})));
    }
    if (replaces || change_.no_new_deletes) check_new_deletes(touched, deletes);
  }

  void check_new_deletes(const std::vector<ScanFile>& touched,
                         const std::vector<ScanDelete>& deletes) {
    if (deletes.empty()) return;
    const DeleteIndex index(table_, deletes);
    for (const ScanFile& file : touched) {
      const auto found = index.find(*file.file, file.spec_id, file.sequence_number);
      // Equality deletes still reach compacted files, which keep the number of what was read.
      const bool harmless = std::ranges::all_of(found, [&](uint32_t place) {
        return change_.same_rows && deletes[place].file->content == FileContent::kEqualityDeletes;
      });
      if (harmless) continue;
      throw conflict(fmt::format("Cannot commit, found new {} for replaced data file: {}",
                                 change_.same_rows ? "position delete" : "delete",
                                 file.file->path));
    }
  }

  ManifestCache& cache_;
  const SnapshotChange& change_;
  const TableMetadata& table_;
  const Snapshot& parent_;
  const Snapshot* read_ = nullptr;
  std::vector<const Snapshot*> history_;
};

const char* operator_text(Kind kind) {
  switch (kind) {
    case Kind::kEqual:
      return "=";
    case Kind::kNotEqual:
      return "<>";
    case Kind::kLess:
      return "<";
    case Kind::kLessEqual:
      return "<=";
    case Kind::kGreater:
      return ">";
    case Kind::kGreaterEqual:
      return ">=";
    case Kind::kIn:
      return "in";
    case Kind::kNotIn:
      return "not in";
    case Kind::kStartsWith:
      return "starts with";
    case Kind::kNotStartsWith:
      return "does not start with";
    default:
      return "?";
  }
}

std::string leaf_text(const Predicate& predicate, const Schema& schema) {
  const Field* field = find_field(schema, predicate.field_id);
  if (field == nullptr) return fmt::format("field {}", predicate.field_id);
  const std::string name = field_name(schema, field->id);
  if (predicate.kind == Kind::kIsNull) return name + " is null";
  if (predicate.kind == Kind::kNotNull) return name + " is not null";
  std::vector<std::string> values;
  for (const Value& value : predicate.values) {
    if (values.size() == kMostNamed) {
      values.emplace_back("…");
      break;
    }
    values.push_back(value_fits(field->type, value) ? value_text(field->type, value) : "?");
  }
  const bool list = predicate.kind == Kind::kIn || predicate.kind == Kind::kNotIn;
  return fmt::format("{} {} {}{}{}", name, operator_text(predicate.kind), list ? "(" : "",
                     fmt::join(values, ", "), list ? ")" : "");
}

}  // namespace

std::string predicate_text(const Predicate& predicate, const Schema& schema) {
  switch (predicate.kind) {
    case Kind::kTrue:
      return "true";
    case Kind::kFalse:
      return "false";
    case Kind::kNot:
      return fmt::format("not ({})", predicate_text(predicate.children.front(), schema));
    case Kind::kAnd:
    case Kind::kOr: {
      std::vector<std::string> parts;
      for (const Predicate& child : predicate.children) {
        const bool nested = child.kind == Kind::kAnd || child.kind == Kind::kOr;
        const std::string text = predicate_text(child, schema);
        parts.push_back(nested ? "(" + text + ")" : text);
      }
      return fmt::format("{}", fmt::join(parts, predicate.kind == Kind::kAnd ? " and " : " or "));
    }
    default:
      return leaf_text(predicate, schema);
  }
}

void validate(ManifestCache& cache, const SnapshotChange& change, const TableMetadata& table,
              const Snapshot* parent) {
  if (change.from_nothing) return;
  if (parent == nullptr) {
    // Whatever was read is gone: a branch never loses its head by a commit.
    if (!change.read_snapshot_id && change.referenced.empty()) return;
    throw conflict(fmt::format("Cannot commit, branch {} was removed or emptied", change.branch));
  }
  if (parent->id == change.read_snapshot_id) return;
  Validator(cache, change, table, *parent).run();
}

}  // namespace meesh::lake
