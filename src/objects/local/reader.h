// A version found and opened for reading.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "objects/local/core.h"

namespace meesh::objects {

/// The version asked for, conditions and customer key checked, with its layout. Throws what get
/// throws.
Row find_to_read(Core& core, sqlite::Connection& db, const BucketEntry& bucket,
                 const std::string& key, const ReadOptions& options);

/// Contents of one or several files, or of the index, as one run of bytes. Holds pins while it
/// lives; the core outlives it.
class LocalReader final : public Reader {
 public:
  /// `row` with its layout; `inline_bytes` as stored, if kInline. Check open_failed() before use.
  LocalReader(Core& core, Row row, std::string inline_bytes, const ReadOptions& options);
  ~LocalReader() override;

  /// A file was removed before it was pinned: the row has been replaced; look again.
  bool open_failed() const { return open_failed_; }

  const Object& object() const override { return object_; }
  size_t read(uint64_t offset, char* buffer, size_t size) override;
  std::optional<File> file() const override;

 private:
  struct Segment {
    uint64_t begin = 0;  // of its content in the whole
    Piece piece;
    std::shared_ptr<const Descriptor> file;  // guarded by mutex_ where there are several
    std::shared_ptr<const Opener> opener;    // if sealed
  };
  size_t read_segment(size_t which, uint64_t offset, char* buffer, size_t size);
  std::shared_ptr<const Descriptor> file_of(size_t which);
  std::shared_ptr<const Opener> opener_of(size_t which);
  size_t read_stored(size_t which, uint64_t offset, char* buffer, size_t size);

  Core& core_;
  Object object_;
  const std::string inline_bytes_;
  const CustomerKey customer_key_;
  bool is_inline_ = false, open_failed_ = false;
  std::mutex mutex_;
  std::vector<Segment> segments_;
  std::deque<size_t> opened_;  // segments with an open file, oldest first; guarded by mutex_
};

}  // namespace meesh::objects
