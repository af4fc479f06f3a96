#include "objects/local/versions.h"

#include "objects/index/rows.h"

namespace meesh::objects {
namespace {

using sqlite::Connection;

[[noreturn]] void precondition_failed() {
  throw ObjectError(Reason::kPreconditionFailed,
                    "At least one of the pre-conditions you specified did not hold");
}

bool etag_matches(const std::string& wanted, const std::string& etag) {
  return wanted == "*" || wanted == etag;
}

/// HTTP dates have no fractions.
std::chrono::sys_seconds seconds_of(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

/// What the removal of versions takes from a bucket's usage.
struct Freed {
  int64_t objects = 0, versions = 0, bytes = 0;
};

/// A version goes for good. Delete markers count as versions, not as objects.
void discard(Connection& db, int64_t bucket, Row& row, Freed& freed) {
  rows::erase(db, bucket, row);
  rows::drop_content(db, row);
  ++freed.versions;
  freed.bytes += static_cast<int64_t>(row.object.size);
}

/// Versions that give way when a null version is made: one at most, current or not.
std::optional<Row> replaced_null(Connection& db, int64_t bucket, std::string_view key,
                                 const std::optional<Row>& current) {
  if (current && current->null_version()) return current;
  return rows::null_noncurrent(db, bucket, key);
}

void check_quota(Connection& db, const BucketEntry& bucket, uint64_t added, uint64_t freed) {
  const uint64_t quota = bucket.bucket.quota;
  if (quota == 0 || added == 0) return;
  const uint64_t used = rows::usage(db, bucket.id).bytes;
  if (used - std::min(used, freed) + added > quota) {
    throw ObjectError(Reason::kQuotaExceeded, "The quota of the bucket is exceeded.");
  }
}

}  // namespace

Time now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

void check_write_condition(const WriteCondition& condition, const std::optional<Row>& current) {
  const bool exists = current && !current->marker();
  if (condition.if_match) {
    if (!exists) throw ObjectError(Reason::kNoSuchKey, "The specified key does not exist.");
    if (!etag_matches(*condition.if_match, current->object.etag)) precondition_failed();
  }
  if (condition.if_none_match && exists &&
      etag_matches(*condition.if_none_match, current->object.etag)) {
    precondition_failed();
  }
}

void check_read_condition(const ReadCondition& condition, const Object& object) {
  const auto modified = seconds_of(object.modified);
  if (condition.if_match) {
    if (!etag_matches(*condition.if_match, object.etag)) precondition_failed();
  } else if (condition.if_unmodified_since &&
             modified > seconds_of(*condition.if_unmodified_since)) {
    precondition_failed();
  }
  const bool unchanged =
      condition.if_none_match
          ? etag_matches(*condition.if_none_match, object.etag)
          : condition.if_modified_since && modified <= seconds_of(*condition.if_modified_since);
  if (unchanged) throw ObjectError(Reason::kNotModified, "Not Modified");
}

void name_version(Index& index, const Bucket& bucket, Row& row) {
  row.seq = index.next_seq();
  if (bucket.versioning == Versioning::kEnabled) {
    row.flags &= ~static_cast<uint32_t>(Row::kNull);
    row.object.version = make_id(row.seq);
  } else {
    row.flags |= Row::kNull;
    row.object.version = kNullVersion;
  }
}

void install(Index& index, Connection& db, const BucketEntry& bucket, Row& row,
             std::string_view inline_bytes, const WriteCondition& condition) {
  const std::string& key = row.object.key;
  auto current = rows::current(db, bucket.id, key);
  check_write_condition(condition, current);
  const bool versioned = bucket.bucket.versioning == Versioning::kEnabled;
  std::optional<Row> replaced;
  if (!versioned) replaced = replaced_null(db, bucket.id, key, current);
  check_quota(db, bucket, row.object.size, replaced ? replaced->object.size : 0);

  const bool existed = current && !current->marker();
  Freed freed;
  if (replaced) discard(db, bucket.id, *replaced, freed);
  if (current && !(replaced && replaced->seq == current->seq)) {
    rows::retire(db, bucket.id, *current);
  }
  if (row.seq == 0 || row.null_version() == versioned || (current && row.seq < current->seq)) {
    name_version(index, bucket.bucket, row);
  }
  row.object.latest = true;
  row.object.delete_marker = row.marker();
  rows::insert(db, bucket.id, row);
  if (!row.marker()) rows::add_content(db, row, inline_bytes);
  rows::count(db, bucket.id, (row.marker() ? 0 : 1) - (existed ? 1 : 0), 1 - freed.versions,
              static_cast<int64_t>(row.object.size) - freed.bytes);
}

namespace {

Deleted remove_one_version(Connection& db, const BucketEntry& bucket, std::string_view key,
                           const DeleteOptions& options, Time time, std::vector<Event>& events) {
  if (options.version != kNullVersion && !seq_of_id(options.version)) {
    throw ObjectError(Reason::kInvalidArgument, "Invalid version id specified");
  }
  auto row = rows::version(db, bucket.id, key, options.version);
  if (!row) return {.version = options.version};
  if (options.condition.if_match &&
      (row->marker() || !etag_matches(*options.condition.if_match, row->object.etag))) {
    precondition_failed();
  }
  check_unlocked(row->object, options.bypass_governance, time);
  Freed freed;
  discard(db, bucket.id, *row, freed);
  int64_t objects = row->object.latest && !row->marker() ? -1 : 0;
  if (row->object.latest) {
    if (auto next = rows::newest_noncurrent(db, bucket.id, key)) {
      rows::promote(db, bucket.id, *next);
      if (!next->marker()) ++objects;
    }
  }
  rows::count(db, bucket.id, objects, -freed.versions, -freed.bytes);
  events.push_back({"s3:ObjectRemoved:Delete", bucket.bucket.name, row->object});
  return {.delete_marker = row->marker(), .version = row->object.version};
}

}  // namespace

Deleted remove(Index& index, Connection& db, const BucketEntry& bucket, std::string_view key,
               const DeleteOptions& options, Time time, std::vector<Event>& events) {
  if (!options.version.empty()) {
    return remove_one_version(db, bucket, key, options, time, events);
  }
  auto current = rows::current(db, bucket.id, key);
  if (options.condition.if_match) {
    if (!current) throw ObjectError(Reason::kNoSuchKey, "The specified key does not exist.");
    if (current->marker()) precondition_failed();
    check_write_condition(options.condition, current);
  }
  if (bucket.bucket.versioning == Versioning::kNever) {
    if (!current) return {};
    check_unlocked(current->object, options.bypass_governance, time);
    Freed freed;
    discard(db, bucket.id, *current, freed);
    rows::count(db, bucket.id, current->marker() ? 0 : -1, -freed.versions, -freed.bytes);
    events.push_back({"s3:ObjectRemoved:Delete", bucket.bucket.name, current->object});
    return {};
  }
  if (bucket.bucket.versioning == Versioning::kSuspended) {
    if (const auto replaced = replaced_null(db, bucket.id, key, current)) {
      check_unlocked(replaced->object, options.bypass_governance, time);
    }
  }
  Row marker;
  marker.flags = Row::kMarker;
  marker.object.key = key;
  marker.object.modified = time;
  install(index, db, bucket, marker, {}, {});
  events.push_back({"s3:ObjectRemoved:DeleteMarkerCreated", bucket.bucket.name, marker.object});
  return {.delete_marker = true, .version = marker.object.version};
}

void check_unlocked(const Object& object, bool bypass_governance, Time time) {
  const Retention& retention = object.attributes.retention;
  const bool retained =
      retention.until > time && (retention.mode == LockMode::kCompliance ||
                                 (retention.mode == LockMode::kGovernance && !bypass_governance));
  if (object.attributes.legal_hold || retained) {
    throw ObjectError(Reason::kAccessDenied,
                      "Access Denied because object protected by object lock.");
  }
}

void check_retention_change(const Retention& before, const Retention& after, bool bypass_governance,
                            Time time) {
  if (after.mode != LockMode::kNone && after.until <= time) {
    throw ObjectError(Reason::kInvalidArgument, "The retain until date must be in the future!");
  }
  if (before.mode == LockMode::kNone || before.until <= time) return;
  const bool stronger =
      after.until >= before.until &&
      (after.mode == before.mode || (before.mode == LockMode::kGovernance &&
                                     after.mode == LockMode::kCompliance && bypass_governance));
  const bool bypassed = before.mode == LockMode::kGovernance && bypass_governance;
  if (!stronger && !bypassed) {
    throw ObjectError(Reason::kAccessDenied,
                      "Access Denied because object protected by object lock.");
  }
}

void apply_lock_defaults(const Bucket& bucket, Attributes& attributes, Time time) {
  const bool asked = attributes.retention.mode != LockMode::kNone || attributes.legal_hold;
  if (asked && !bucket.lock_enabled) {
    throw ObjectError(Reason::kInvalidRequest, "Bucket is missing Object Lock Configuration");
  }
  if (attributes.retention.mode != LockMode::kNone) {
    return check_retention_change({}, attributes.retention, false, time);
  }
  const DefaultRetention& usual = bucket.default_retention;
  if (!bucket.lock_enabled || usual.mode == LockMode::kNone) return;
  attributes.retention.mode = usual.mode;
  if (usual.days > 0) {
    attributes.retention.until = time + std::chrono::days(usual.days);
    return;
  }
  const auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  date += std::chrono::years(usual.years);
  if (!date.ok()) date = date.year() / date.month() / std::chrono::last;  // 29 February
  attributes.retention.until = std::chrono::sys_days(date) + (time - day);
}

}  // namespace meesh::objects
