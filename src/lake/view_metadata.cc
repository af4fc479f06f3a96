#include "lake/view_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"
#include "lake/next_id.h"

namespace meesh::lake {
namespace {

constexpr int kNone = -1;
constexpr std::string_view kHistorySize = "version.history.num-entries";
constexpr int kHistorySizeDefault = 10;
constexpr std::string_view kDropDialectAllowed = "replace.drop-dialect.allowed";

Error refused(std::string message) { return Error(Code::kBadRequest, std::move(message)); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::set<std::string> dialects(const ViewVersion& version) {
  std::set<std::string> out;
  for (const ViewRepresentation& item : version.representations) {
    if (item.other.empty()) out.insert(lower(item.dialect));
  }
  return out;
}

/// Whatever their ids and times.
bool same_version(ViewVersion a, const ViewVersion& b) {
  a.id = b.id;
  a.timestamp_ms = b.timestamp_ms;
  return a == b;
}

class Builder {
 public:
  Builder(const ViewMetadata* base, int64_t now_ms) : base_(base), now_ms_(now_ms) {
    if (base == nullptr) {
      out_.current_version_id = kNone;
    } else {
      out_ = *base;
    }
  }

  void operator()(const AssignUuid& update);
  void operator()(const UpgradeFormatVersion& update);
  void operator()(const AddSchema& update);
  void operator()(const SetLocation& update);
  void operator()(const SetProperties& update);
  void operator()(const RemoveProperties& update);
  void operator()(const AddViewVersion& update);
  void operator()(const SetCurrentViewVersion& update);

  ViewMetadata build() &&;

 private:
  void refuse_lost_dialects() const;
  void forget_versions();

  const ViewMetadata* base_;
  int64_t now_ms_;
  ViewMetadata out_;
  std::optional<int> last_schema_, last_version_;
  std::set<int> added_versions_;
};

void Builder::operator()(const AssignUuid& update) {
  if (update.uuid.empty()) throw refused("Cannot set uuid to an empty text");
  if (!out_.uuid.empty() && lower(out_.uuid) != lower(update.uuid)) {
    throw refused("Cannot reassign uuid");
  }
  if (out_.uuid.empty()) out_.uuid = update.uuid;
}

void Builder::operator()(const UpgradeFormatVersion& update) {
  if (update.version == 1) return;
  throw Error(Code::kNotSupported,
              fmt::format("Cannot upgrade view to unsupported format version: v{} (supported: v1)",
                          update.version));
}

void Builder::operator()(const AddSchema& update) {
  const auto same = std::ranges::find_if(
      out_.schemas, [&](const Schema& schema) { return same_schema(schema, update.schema); });
  if (same != out_.schemas.end()) {
    last_schema_ = same->id;
    return;
  }
  Schema schema = update.schema;
  schema.id = next_id(out_.schemas, 0);
  last_schema_ = schema.id;
  out_.schemas.push_back(std::move(schema));
}

void Builder::operator()(const SetLocation& update) {
  std::string location = update.location;
  while (location.ends_with('/') && !location.ends_with("://")) location.pop_back();
  if (location.empty()) throw refused("Cannot set location to an empty text");
  out_.location = std::move(location);
}

void Builder::operator()(const SetProperties& update) {
  for (const auto& [name, value] : update.updates) out_.properties[name] = value;
}

void Builder::operator()(const RemoveProperties& update) {
  for (const std::string& name : update.removals) out_.properties.erase(name);
}

void Builder::operator()(const AddViewVersion& update) {
  ViewVersion version = update.version;
  if (version.schema_id == kLastAdded) {
    if (!last_schema_) throw refused("Cannot set last added schema: no schema has been added");
    version.schema_id = *last_schema_;
  }
  if (out_.find_schema(version.schema_id) == nullptr) {
    throw refused(fmt::format("Cannot add version with unknown schema: {}", version.schema_id));
  }
  std::set<std::string> seen;
  for (const ViewRepresentation& item : version.representations) {
    if (item.other.empty() && !seen.insert(lower(item.dialect)).second) {
      throw Error(Code::kInvalidArguments,
                  fmt::format("Invalid view version: Cannot add multiple queries for dialect {}",
                              item.dialect));
    }
  }
  const auto same = std::ranges::find_if(
      out_.versions, [&](const ViewVersion& known) { return same_version(known, version); });
  if (same != out_.versions.end()) {
    last_version_ = same->id;
    return;
  }
  // The id asked for where it is free.
  if (version.id < 1 || out_.find_version(version.id) != nullptr) {
    version.id = next_id(out_.versions, 1);
  }
  last_version_ = version.id;
  added_versions_.insert(version.id);
  out_.versions.push_back(std::move(version));
}

void Builder::operator()(const SetCurrentViewVersion& update) {
  int id = update.id;
  if (id == kLastAdded) {
    if (!last_version_) {
      throw refused("Cannot set last version id: no current version id has been set");
    }
    id = *last_version_;
  }
  const ViewVersion* version = out_.find_version(id);
  if (version == nullptr) {
    throw refused(fmt::format("Cannot set current version to unknown version: {}", id));
  }
  if (out_.current_version_id == id) return;
  out_.current_version_id = id;
  out_.version_log.push_back({added_versions_.contains(id) ? version->timestamp_ms : now_ms_, id});
}

void Builder::refuse_lost_dialects() const {
  if (base_ == nullptr || base_->current_version_id == out_.current_version_id) return;
  const auto allowed = out_.properties.find(std::string(kDropDialectAllowed));
  if (allowed != out_.properties.end() && lower(allowed->second) == "true") return;
  const std::set<std::string> before = dialects(base_->version());
  const std::set<std::string> after = dialects(out_.version());
  if (std::ranges::includes(after, before)) return;
  const auto listed = [](const std::set<std::string>& names) {
    return base::join(std::vector<std::string>(names.begin(), names.end()), ", ");
  };
  throw refused(
      fmt::format("Cannot replace view due to loss of view dialects ({}=false):\nPrevious "
                  "dialects: [{}]\nNew dialects: [{}]",
                  kDropDialectAllowed, listed(before), listed(after)));
}

void Builder::forget_versions() {
  int most = kHistorySizeDefault;
  const auto found = out_.properties.find(std::string(kHistorySize));
  if (found != out_.properties.end()) {
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), most);
    if (error != std::errc() || end != text.data() + text.size() || most <= 0) {
      throw refused(fmt::format("{} must be positive but was {}", kHistorySize, text));
    }
  }
  // Those of this commit stay whatever the limit.
  const size_t keep = std::max(static_cast<size_t>(most), added_versions_.size());
  std::vector<int> ids;
  for (const ViewVersion& version : out_.versions) {
    if (version.id != out_.current_version_id) ids.push_back(version.id);
  }
  std::ranges::sort(ids);
  std::set<int> gone;
  for (size_t i = 0; i + keep < ids.size() + 1; ++i) gone.insert(ids[i]);
  std::erase_if(out_.versions, [&](const ViewVersion& v) { return gone.contains(v.id); });
  std::vector<ViewLogEntry> log;
  for (const ViewLogEntry& entry : out_.version_log) {
    // What comes before a forgotten version goes too: no gaps in the history.
    if (out_.find_version(entry.version_id) == nullptr) {
      log.clear();
    } else {
      log.push_back(entry);
    }
  }
  out_.version_log = std::move(log);
}

ViewMetadata Builder::build() && {
  if (out_.location.empty()) throw refused("A new view needs a location: set-location is missing");
  if (out_.current_version_id == kNone) {
    throw refused("A new view needs a version: set-current-view-version is missing");
  }
  if (out_.uuid.empty()) out_.uuid = base::random_uuid();
  refuse_lost_dialects();
  forget_versions();
  return std::move(out_);
}

}  // namespace

const ViewVersion* ViewMetadata::find_version(int id) const {
  const auto found = std::ranges::find(versions, id, &ViewVersion::id);
  return found == versions.end() ? nullptr : &*found;
}

const Schema* ViewMetadata::find_schema(int id) const {
  const auto found = std::ranges::find(schemas, id, &Schema::id);
  return found == schemas.end() ? nullptr : &*found;
}

const ViewVersion& ViewMetadata::version() const {
  const ViewVersion* found = find_version(current_version_id);
  if (found == nullptr) internal_error("view metadata without its current version");
  return *found;
}

const Schema& ViewMetadata::schema() const {
  const Schema* found = find_schema(version().schema_id);
  if (found == nullptr) internal_error("view metadata without its current schema");
  return *found;
}

const ViewRepresentation* ViewMetadata::sql(std::string_view dialect) const {
  for (const ViewRepresentation& item : version().representations) {
    if (item.other.empty() && lower(item.dialect) == lower(dialect)) return &item;
  }
  return nullptr;
}

void check(std::span<const ViewRequirement> requirements, const ViewMetadata* metadata) {
  const auto fail = [](const std::string& what) {
    throw Error(Code::kIcebergCommitError, "Requirement failed: " + what);
  };
  for (const ViewRequirement& requirement : requirements) {
    if (!requirement.uuid) {
      if (metadata != nullptr) fail("view already exists");
    } else if (metadata == nullptr) {
      fail("current view metadata is missing");
    } else if (lower(*requirement.uuid) != lower(metadata->uuid)) {
      fail(fmt::format("view UUID does not match: expected {} != {}", metadata->uuid,
                       *requirement.uuid));
    }
  }
}

ViewMetadata apply(std::span<const ViewUpdate> updates, const ViewMetadata* base, int64_t now_ms) {
  Builder builder(base, now_ms);
  for (const ViewUpdate& update : updates) std::visit(builder, update);
  return std::move(builder).build();
}

}  // namespace meesh::lake
