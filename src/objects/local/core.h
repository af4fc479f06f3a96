// What the parts of the local store share: folders, keys, index, buckets, listeners.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "objects/encryption.h"
#include "objects/index/index.h"
#include "objects/local/buckets.h"
#include "objects/local/content_writer.h"
#include "objects/local/payload_files.h"
#include "objects/store.h"

namespace meesh::objects {

/// Tells the listener of every change in the order of the commits, on threads that made changes:
/// whoever comes first tells what waits, and nobody's call returns before its own was told.
class Events {
 public:
  void listen(std::function<void(const Event&)> listener) { listener_ = std::move(listener); }
  /// From Index::change's `committed`.
  void add(std::vector<Event> events);
  /// After Index::change. Exceptions of the listener are logged.
  void tell();

 private:
  std::function<void(const Event&)> listener_;  // set before use
  std::mutex telling_;
  std::mutex mutex_;
  std::deque<Event> waiting_;  // guarded by mutex_
};

/// Holds the folder for this process; the file tells others what holder_of() gives them.
class FolderLock {
 public:
  /// Throws CONFIG_INVALID if another process has it, IO_ERROR.
  explicit FolderLock(const std::filesystem::path& folder);
  /// One line; "": none.
  void tell_address(const std::string& address) const;

 private:
  Descriptor file_;
};

/// What a store is opened for. kRebuild: an index that was lost, or not rebuilt to the end, is made
/// anew, empty and marked as not whole. kUse refuses an index with this mark.
enum class Opening { kUse, kRebuild };

/// A data key and how it is kept; both empty without encryption.
struct DataKey {
  std::string key;
  WrappedKey wrapped;
};

struct Core {
  /// Throws IO_ERROR, CONFIG_INVALID; ALREADY_EXISTS for kRebuild if an index without mark is
  /// there.
  Core(const LocalOptions& options, std::shared_ptr<Disk> disk, Opening opening = Opening::kUse);
  ~Core();

  DataKey new_key(Encryption encryption, const CustomerKey& customer_key) const;
  /// Throws kInvalidRequest (no customer key), kAccessDenied (another one), kInternalError.
  std::string open_key(Encryption encryption, const WrappedKey& wrapped,
                       const CustomerKey& customer_key) const;
  /// Index::change with the events it causes: `work` adds to them; the caller of this is theirs.
  void change(const std::function<void(sqlite::Connection&, std::vector<Event>&)>& work);

  const LocalOptions options;
  const std::shared_ptr<Disk> disk;
  const FolderLock lock;
  const MasterKeys keys;
  PayloadFiles files;
  Index index;
  Buckets buckets;
  Events events;
  /// Held while payload files are removed; a backup holds it while it links them.
  std::mutex removing;

 private:
  void must_be_whole();
  void recover();
};

/// Takes the mark of Opening::kRebuild away.
void call_whole(sqlite::Connection& db);

std::filesystem::path index_file(const std::filesystem::path& folder);
std::filesystem::path payload_folder(const std::filesystem::path& folder);
/// Created with its ancestors, for the owner alone, entries synced. Throws IO_ERROR.
const std::filesystem::path& make_store_folder(const std::filesystem::path& folder, Disk& disk);

}  // namespace meesh::objects
