// Buckets, held in memory: every request asks for one. The index's writer changes them in
// transactions of their own, so that inside a change what is here is what is in the tables.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "objects/index/sqlite.h"
#include "objects/store.h"

namespace meesh::objects {

struct BucketEntry {
  int64_t id = 0;
  Bucket bucket;
};
using BucketPointer = std::shared_ptr<const BucketEntry>;

/// Thread-safe.
class Buckets {
 public:
  void load(sqlite::Connection& db);
  /// Throws kNoSuchBucket.
  BucketPointer get(const std::string& name) const;
  BucketPointer find(const std::string& name) const;
  std::vector<BucketPointer> all() const;  // by name

  void put(BucketPointer entry);
  void erase(const std::string& name);

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, BucketPointer, std::less<>> entries_;
};

/// Throws kInvalidArgument, kInvalidBucketState for what S3 does not let a bucket become.
void check_bucket_change(const Bucket& before, const Bucket& after);

}  // namespace meesh::objects
