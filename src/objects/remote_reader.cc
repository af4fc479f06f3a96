#include "objects/remote_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "objects/remote_answers.h"

namespace meesh::objects {

RemoteReader::RemoteReader(RemoteConnection& connection, std::string bucket, Object object,
                           uint64_t first, const ReadOptions& options)
    : connection_(connection),
      bucket_(std::move(bucket)),
      object_(std::move(object)),
      first_(first),
      version_(options.version),
      customer_key_(options.customer_key) {}

size_t RemoteReader::fetch(uint64_t offset, char* buffer, size_t size) {
  RemoteRequest request{.method = "GET", .bucket = bucket_, .key = object_.key};
  if (!version_.empty()) request.query.emplace_back("versionId", version_);
  request.headers.add("Range",
                      fmt::format("bytes={}-{}", first_ + offset, first_ + offset + size - 1));
  // The content that was opened, or none.
  request.headers.add("If-Match", "\"" + object_.etag + "\"");
  add_customer_key_headers(customer_key_, "x-amz-", request.headers);
  size_t got = connection_.read(request, buffer, size);
  if (got != size) {
    throw ObjectError(Reason::kInternalError, "The S3 behind this one gave less than was asked.");
  }
  return got;
}

size_t RemoteReader::read(uint64_t offset, char* buffer, size_t size) {
  if (offset >= object_.size || size == 0) return 0;
  size = static_cast<size_t>(std::min<uint64_t>(size, object_.size - offset));
  {
    const std::lock_guard lock(mutex_);
    bool in_order = offset == next_;
    next_ = offset + size;
    bool at_hand = offset >= at_ && offset < at_ + ahead_.size();
    if (!at_hand && in_order && size < kAhead) {
      std::string fresh(std::min<uint64_t>(kAhead, object_.size - offset), '\0');
      fetch(offset, fresh.data(), fresh.size());
      ahead_ = std::move(fresh);
      at_ = offset;
      at_hand = true;
    }
    if (at_hand) {
      auto from = static_cast<size_t>(offset - at_);
      size_t count = std::min(size, ahead_.size() - from);
      std::memcpy(buffer, ahead_.data() + from, count);
      if (count < size) count += fetch(offset + count, buffer + count, size - count);
      return count;
    }
  }
  return fetch(offset, buffer, size);
}

}  // namespace meesh::objects
