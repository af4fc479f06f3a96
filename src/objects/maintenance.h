// What keeps a local object store in order. The store does the first two by itself in the
// background; an operator asks for the others.
//
//   objects::maintenance(*store).scrub({});
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "objects/store.h"

namespace meesh::objects {

struct LifecycleReport {
  uint64_t expired = 0;             // current versions deleted or hidden by a delete marker
  uint64_t noncurrent_removed = 0;  // older versions removed for good
  uint64_t markers_removed = 0;     // delete markers without anything behind them
  uint64_t uploads_aborted = 0;
  bool complete = false;              // false: ended by `progress`
  std::vector<std::string> problems;  // documents that could not be read
};

/// Told again and again, on the caller's thread, how much is done of about how much; false ends the
/// work. May be empty.
using Progress = std::function<bool(uint64_t done, uint64_t total)>;

struct ScrubReport {
  uint64_t versions = 0, bytes = 0;
  bool complete = false;  // false: ended by `progress`
  /// Versions encrypted with a customer's key: only that their files are there and whole in length
  /// could be checked.
  uint64_t sealed_by_customers = 0;
  struct Damage {
    std::string bucket, key, version, what;
  };
  std::vector<Damage> damaged;
  /// Payload files nothing refers to; harmless, e.g. after a power cut during a removal.
  std::vector<std::filesystem::path> orphans;
};

struct RotateReport {
  uint64_t sealed = 0;     // contents under a master key: objects' and those of parts
  uint64_t rewrapped = 0;  // of them, now under the current key
  bool complete = false;   // false: ended by `progress`, or some could not be opened
  /// Master keys that are not configured, by id, and how many contents need each.
  std::map<std::string, uint64_t> missing_keys;
};

struct BackupReport {
  uint64_t payloads = 0;  // files, hard-linked where the file system allows, otherwise copied
  uint64_t linked = 0;
};

struct RebuildReport {
  uint64_t objects = 0, payloads = 0;
  std::vector<std::string> problems;  // files that could not be understood, objects lacking a part
};

class Maintenance {
 public:
  virtual ~Maintenance() = default;
  /// Applies every bucket's lifecycle document as if it were `now`. Progress in keys of the buckets
  /// that have one, a page at a time.
  virtual LifecycleReport run_lifecycle(Time now, const Progress& progress) = 0;
  /// Reads every version and holds it against its MD5 and checksums.
  /// Progress in bytes.
  virtual ScrubReport scrub(const Progress& progress) = 0;
  /// A copy of the store as of one moment, while it is in use, in a folder that does not exist yet.
  /// It can be opened by open_local. The folder appears when all is in it: <folder>.part before.
  /// Progress in files, also told while a large one is copied. Throws IO_ERROR, ALREADY_EXISTS,
  /// USER_CANCELED (ended by `progress`).
  virtual BackupReport backup(const std::filesystem::path& folder, const Progress& progress) = 0;
  /// Wraps every data key under the current master key, all versions and uploads under way, a page
  /// at a time; may end or die at any moment and be run again. Descriptions beside payload files
  /// keep the key of their making: rebuild_local needs that master key still. Progress in versions.
  virtual RotateReport rotate_key(const Progress& progress) = 0;
  /// Removes payload files that nothing refers to and nobody reads; how many. Progress in files of
  /// those there are; it may end early.
  virtual size_t collect_garbage(const Progress& progress) = 0;
  /// Where other processes of this machine reach the process that has the store open
  /// ("http://127.0.0.1:9000"): told to those who ask holder_of().
  virtual void tell_address(const std::string& address) = 0;
};

/// Throws kNotImplemented for stores that are not local.
Maintenance& maintenance(Store& store);

/// Who has a store open, as it told.
struct Holder {
  std::string process;  // its id; "?" if it has not told yet
  std::string address;  // as tell_address() had it; "" if it serves none, or not yet
};
/// The process that has the store of this folder open; nothing if none has. Throws IO_ERROR if that
/// cannot be found out.
std::optional<Holder> holder_of(const std::filesystem::path& folder);

/// Makes a new index from the footers of the payload files, in a folder whose index is lost (a file
/// index.db must not be there). What lives in the index alone is not coming back: objects up to
/// LocalOptions::inline_bytes, empty ones, settings of buckets, delete markers, tags and locks set
/// later, uploads under way. Buckets are made anew, with versioning if a version is not "null".
/// What was deleted comes back if its file still lies there: because a copy shares it, or because
/// it was not removed yet.
///
/// An index that is not whole says so: open_local refuses it, and this makes it anew from the
/// beginning. Throws ALREADY_EXISTS (a whole index is there), NOT_FOUND (no payload files),
/// IO_ERROR, CONFIG_INVALID (the store is in use).
RebuildReport rebuild_local(const LocalOptions& options);

}  // namespace meesh::objects
