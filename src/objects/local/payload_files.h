// The files that hold contents: <folder>/<epoch>/<number / 1024>/<number>. An epoch is one opening
// of the store; files of epochs that ended cleanly are all known to the index. A payload's id is
// epoch << 40 | number, never used twice.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "objects/local/disk.h"

namespace meesh::objects {

class PayloadFiles;

/// A file being written, from its beginning to its end. Removed when destroyed, unless kept.
class NewPayload {
 public:
  NewPayload(PayloadFiles& files, uint64_t id, Descriptor file);
  ~NewPayload();
  NewPayload(const NewPayload&) = delete;
  NewPayload& operator=(const NewPayload&) = delete;

  uint64_t id() const { return id_; }
  uint64_t size() const { return size_; }
  void append(std::string_view bytes);
  void reserve(uint64_t bytes);
  /// Content and length are on disk when it returns; its entry was before it was given out.
  void sync();
  /// The index refers to it now.
  void keep() { kept_ = true; }

 private:
  PayloadFiles& files_;
  const uint64_t id_;
  Descriptor file_;
  uint64_t size_ = 0, behind_ = 0;
  bool kept_ = false;
};

/// Keeps files from being removed while somebody reads them.
class Pins {
 public:
  void add(uint64_t id);
  void release(uint64_t id);
  bool pinned(uint64_t id) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, int> counts_;  // guarded
};

/// Thread-safe.
class PayloadFiles {
 public:
  PayloadFiles(std::filesystem::path folder, Disk& disk);

  /// New files go here from now on. Once, before create().
  void begin_epoch(uint64_t epoch);
  uint64_t epoch() const { return epoch_; }

  /// Empty, its entry on disk.
  std::unique_ptr<NewPayload> create();
  /// None if it is not there.
  Descriptor open(uint64_t id) const;
  /// False if it was not there.
  bool unlink(uint64_t id);
  /// And they are gone for good when it returns. How many were there.
  size_t unlink_all(const std::vector<uint64_t>& ids);
  std::filesystem::path path(uint64_t id) const;
  /// Every file of an epoch, in no order.
  void each(uint64_t epoch, const std::function<void(uint64_t id)>& visit) const;
  std::set<uint64_t> epochs() const;
  /// Before the epoch is called clean: what was removed stays removed. Throws IO_ERROR, also if a
  /// file could not be removed.
  void end_epoch();
  /// Removes folders of an epoch that have become empty.
  void remove_empty_folders(uint64_t epoch);

  const std::filesystem::path& folder() const { return folder_; }
  Disk& disk() { return disk_; }
  Pins pins;

 private:
  friend class NewPayload;
  struct Ready {
    uint64_t id = 0;
    Descriptor file;
  };
  std::deque<Ready> make_ready();
  void ensure_folder(const std::filesystem::path& folder);

  const std::filesystem::path folder_;
  Disk& disk_;
  uint64_t epoch_ = 0;
  std::atomic<uint64_t> next_{0};
  std::atomic<bool> left_behind_{false};
  std::mutex mutex_;
  // Empty files whose entries are on disk already: their folder is synced once for many. A file
  // that is used needs but the sync of its content.
  std::deque<Ready> ready_;                  // guarded by mutex_
  std::set<std::filesystem::path> folders_;  // made in this epoch; guarded by mutex_
};

}  // namespace meesh::objects
