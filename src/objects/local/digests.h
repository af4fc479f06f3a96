// MD5 and the checksums asked for, of one stream. MD5 is much slower than everything else that
// happens to a byte on its way in: for long streams it moves to a thread of its own if one is free.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "objects/checksum.h"
#include "objects/payload.h"

namespace meesh::objects {

using Block = std::shared_ptr<const std::string>;

/// One thread at a time.
class Digests {
 public:
  Digests() = default;
  ~Digests();
  Digests(const Digests&) = delete;
  Digests& operator=(const Digests&) = delete;

  /// Before the first block.
  void add(ChecksumKind kind);
  bool has(ChecksumKind kind) const { return running_.contains(kind); }
  void update(const Block& block);
  void finish();
  // After finish().
  const std::string& md5() const { return md5_value_; }
  const Checksums& checksums() const { return values_; }

 private:
  void move_md5_to_a_thread();
  void hash_what_comes();
  void stop_thread();

  Md5 md5_;
  std::map<ChecksumKind, std::unique_ptr<Checksum>> running_;
  uint64_t seen_ = 0;
  std::string md5_value_;
  Checksums values_;

  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Block> waiting_;  // guarded
  bool ended_ = false;         // guarded
};

}  // namespace meesh::objects
