#include "objects/local/buckets.h"

#include "objects/index/record.h"

namespace meesh::objects {

void Buckets::load(sqlite::Connection& db) {
  for (sqlite::Query query(db, "SELECT id, name, record FROM buckets"); query.next();) {
    auto entry = std::make_shared<BucketEntry>();
    entry->id = query.number(0);
    entry->bucket = decode_bucket(query.text(1), query.bytes(2));
    put(std::move(entry));
  }
}

BucketPointer Buckets::find(const std::string& name) const {
  const std::shared_lock lock(mutex_);
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second;
}

BucketPointer Buckets::get(const std::string& name) const {
  if (auto found = find(name)) return found;
  throw ObjectError(Reason::kNoSuchBucket, "The specified bucket does not exist");
}

std::vector<BucketPointer> Buckets::all() const {
  const std::shared_lock lock(mutex_);
  std::vector<BucketPointer> found;
  for (const auto& [name, entry] : entries_) found.push_back(entry);
  return found;
}

void Buckets::put(BucketPointer entry) {
  const std::unique_lock lock(mutex_);
  entries_[entry->bucket.name] = std::move(entry);
}

void Buckets::erase(const std::string& name) {
  const std::unique_lock lock(mutex_);
  entries_.erase(name);
}

void check_bucket_change(const Bucket& before, const Bucket& after) {
  if (after.name != before.name) {
    throw ObjectError(Reason::kInvalidArgument, "A bucket keeps its name.");
  }
  if (before.versioning != Versioning::kNever && after.versioning == Versioning::kNever) {
    throw ObjectError(Reason::kInvalidBucketState,
                      "Versioning can be suspended but not taken away.");
  }
  if (before.lock_enabled && !after.lock_enabled) {
    throw ObjectError(Reason::kInvalidBucketState, "Object Lock cannot be taken away.");
  }
  if (after.lock_enabled && after.versioning != Versioning::kEnabled) {
    throw ObjectError(Reason::kInvalidBucketState,
                      "An Object Lock configuration is present on this bucket, so the versioning "
                      "state cannot be changed.");
  }
  const DefaultRetention& kept = after.default_retention;
  if (kept.mode == LockMode::kNone) return;
  if (!after.lock_enabled) {
    throw ObjectError(Reason::kInvalidBucketState,
                      "Object Lock configuration cannot be enabled on existing buckets");
  }
  if (kept.days < 0 || kept.years < 0 || (kept.days > 0) == (kept.years > 0)) {
    throw ObjectError(Reason::kInvalidArgument,
                      "Default retention period must be a positive integer value.");
  }
}

}  // namespace meesh::objects
