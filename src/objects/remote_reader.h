// A version at another S3, open for reading.
#pragma once

#include <mutex>
#include <string>

#include "objects/remote_store.h"

namespace meesh::objects {

class RemoteReader final : public Reader {
 public:
  /// `object` as head() gave it; `first`: where the content read (a part) begins in the whole.
  RemoteReader(RemoteConnection& connection, std::string bucket, Object object, uint64_t first,
               const ReadOptions& options);
  const Object& object() const override { return object_; }
  /// Reads in order are asked for ahead, kAhead bytes at a time; others are asked for as they are.
  size_t read(uint64_t offset, char* buffer, size_t size) override;

 private:
  static constexpr size_t kAhead = 4 << 20;
  size_t fetch(uint64_t offset, char* buffer, size_t size);

  RemoteConnection& connection_;
  const std::string bucket_;
  const Object object_;
  const uint64_t first_;
  const std::string version_;
  const CustomerKey customer_key_;

  std::mutex mutex_;
  uint64_t next_ = 0;  // where the last read ended
  uint64_t at_ = 0;    // of what was read ahead
  std::string ahead_;
};

}  // namespace meesh::objects
