#include "objects/local/core.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/log.h"
#include "objects/caller.h"
#include "objects/index/rows.h"
#include "objects/maintenance.h"

namespace meesh::objects {

void Events::add(std::vector<Event> events) {
  if (!listener_ || events.empty()) return;
  const std::lock_guard lock(mutex_);
  for (Event& event : events) waiting_.push_back(std::move(event));
}

void Events::tell() {
  if (!listener_) return;
  const std::lock_guard telling(telling_);
  while (true) {
    Event event;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) return;
      event = std::move(waiting_.front());
      waiting_.pop_front();
    }
    try {
      listener_(event);
    } catch (const std::exception& error) {
      log::error("a listener of the object store failed",
                 {{"event", event.name}, {"bucket", event.bucket}, {"error", error.what()}});
    }
  }
}

namespace {

constexpr size_t kMostOfLockFile = 1024;
/// Who asks with holder_of() has the lock for a moment.
constexpr int kLockTries = 50;
constexpr auto kBetweenTries = std::chrono::milliseconds(10);

std::filesystem::path lock_file(const std::filesystem::path& folder) { return folder / "lock"; }

Error lock_failed(const char* doing, const std::filesystem::path& folder) {
  const int number = errno;
  Error error(Code::kIoError, fmt::format("cannot {} '{}': {}", doing, lock_file(folder).string(),
                                          std::generic_category().message(number)));
  if (number == EACCES) error.with_hint("do it as the user who runs the mesh");
  return error;
}

/// False if another process has it. Throws IO_ERROR.
bool take_lock(const Descriptor& file, int kind, const std::filesystem::path& folder) {
  while (::flock(file.number(), kind | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) throw lock_failed("lock", folder);
  }
  return true;
}

/// The file's lines: the process, its address if it has one.
Holder holder_told(const Descriptor& file) {
  std::string text(kMostOfLockFile, '\0');
  text.resize(read_at(file, 0, text.data(), text.size()));
  const size_t line = std::min(text.find('\n'), text.size());
  Holder holder{.process = text.substr(0, line), .address = ""};
  if (holder.process.empty()) holder.process = "?";
  if (line == text.size()) return holder;
  text.erase(0, line + 1);
  holder.address = text.substr(0, text.find('\n'));
  return holder;
}

}  // namespace

std::optional<Holder> holder_of(const std::filesystem::path& folder) {
  const Descriptor file(::open(lock_file(folder).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) {
    if (errno == ENOENT) return std::nullopt;
    throw lock_failed("open", folder);
  }
  // A lock got here goes with the descriptor.
  if (take_lock(file, LOCK_SH, folder)) return std::nullopt;
  return holder_told(file);
}

FolderLock::FolderLock(const std::filesystem::path& folder)
    : file_(::open(lock_file(folder).c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
  if (!file_.open()) throw lock_failed("open", folder);
  for (int tries = 1; !take_lock(file_, LOCK_EX, folder); ++tries) {
    if (tries == kLockTries) {
      throw Error(Code::kConfigInvalid, fmt::format("the object store '{}' is in use by process {}",
                                                    folder.string(), holder_told(file_).process))
          .with_hint("stop the other meesh, or give this one a folder of its own");
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
  tell_address("");
}

void FolderLock::tell_address(const std::string& address) const {
  const std::string text = fmt::format("{}\n{}\n", getpid(), address);
  // Never empty in between: somebody may be reading.
  if (::pwrite(file_.number(), text.data(), text.size(), 0) < 0 ||
      ::ftruncate(file_.number(), static_cast<off_t>(text.size())) != 0) {
    log::warn("the lock file of the object store does not tell who holds it",
              {{"error", std::generic_category().message(errno)}});
  }
}

std::filesystem::path index_file(const std::filesystem::path& folder) {
  return folder / "index.db";
}
std::filesystem::path payload_folder(const std::filesystem::path& folder) {
  return folder / "payload";
}

const std::filesystem::path& make_store_folder(const std::filesystem::path& folder, Disk& disk) {
  std::vector<std::filesystem::path> missing;
  for (auto at = std::filesystem::absolute(folder); !is_there(at); at = at.parent_path()) {
    missing.push_back(at);
  }
  for (; !missing.empty(); missing.pop_back()) {
    disk.make_folder(missing.back());
    disk.sync_folder(missing.back().parent_path());
  }
  if (::chmod(folder.c_str(), 0700) != 0) {
    throw Error(Code::kIoError, fmt::format("cannot keep others out of '{}': {}", folder.string(),
                                            std::generic_category().message(errno)));
  }
  disk.make_folder(payload_folder(folder));
  disk.sync_folder(folder);
  return folder;
}

namespace {

constexpr const char* kIsRebuilding = "SELECT 1 FROM meta WHERE name = 'rebuilding'";

std::filesystem::path beside(const std::filesystem::path& file, const char* ending) {
  return file.string() + ending;
}

/// False also for a file that is no index that can be read: it is not ours to remove.
bool is_half_rebuilt(const std::filesystem::path& file) {
  try {
    sqlite::Connection db(file, sqlite::Mode::kRead);
    return sqlite::Query(db, kIsRebuilding).next();
  } catch (const std::exception&) {
    return false;
  }
}

/// An empty index with the mark, at once: without it there is never one that passes as whole.
void begin_rebuild(const std::filesystem::path& file, Disk& disk) {
  if (is_there(file) && !is_half_rebuilt(file)) {
    throw Error(Code::kAlreadyExists,
                fmt::format("'{}' is there: nothing needs to be rebuilt", file.string()))
        .with_hint("move it away if it is damaged");
  }
  const auto made = beside(file, ".new");
  for (const char* ending : {"", "-wal", "-shm"}) disk.unlink(beside(made, ending));
  {
    sqlite::Connection db(made, sqlite::Mode::kWrite);
    create_schema(db);
    db.run("INSERT INTO meta VALUES ('rebuilding', 1)");
  }
  const Descriptor written = disk.open(made);
  disk.sync(written, made);
  // A log left beside the lost index is not the new one's.
  for (const char* ending : {"-wal", "-shm"}) disk.unlink(beside(file, ending));
  std::error_code failed;
  std::filesystem::rename(made, file, failed);
  if (failed) {
    throw Error(Code::kIoError,
                fmt::format("cannot make '{}': {}", file.string(), failed.message()));
  }
  disk.sync_folder(file.parent_path());
}

std::filesystem::path index_for(const std::filesystem::path& folder, Opening opening, Disk& disk) {
  auto file = index_file(folder);
  if (opening == Opening::kRebuild) begin_rebuild(file, disk);
  return file;
}

}  // namespace

void call_whole(sqlite::Connection& db) { db.run("DELETE FROM meta WHERE name = 'rebuilding'"); }

Core::Core(const LocalOptions& given, std::shared_ptr<Disk> given_disk, Opening opening)
    : options(given),
      disk(std::move(given_disk)),
      lock(make_store_folder(options.folder, *disk)),
      keys(options.master_keys, options.current_master_key),
      files(payload_folder(options.folder), *disk),
      index(index_for(options.folder, opening, *disk)) {
  if (opening == Opening::kUse) must_be_whole();
  recover();
}

void Core::must_be_whole() {
  Index::Reading reading = index.read();
  if (!sqlite::Query(reading.db(), kIsRebuilding).next()) return;
  throw Error(Code::kConfigInvalid, fmt::format("'{}' is not whole: making it anew was interrupted",
                                                index_file(options.folder).string()))
      .with_hint("run meesh lake rebuild again, to its end");
}

/// Files of unclean epochs that the index does not know were never acknowledged: they go. Then
/// this opening becomes an unclean epoch itself until it ends.
void Core::recover() {
  std::vector<uint64_t> unclean;
  uint64_t last = 0;
  {
    Index::Reading reading = index.read();
    buckets.load(reading.db());
    for (sqlite::Query query(reading.db(), "SELECT id FROM epochs"); query.next();) {
      unclean.push_back(static_cast<uint64_t>(query.number(0)));
    }
    std::vector<uint64_t> unknown;
    for (const uint64_t epoch : unclean) {
      files.each(epoch, [&](uint64_t id) {
        sqlite::Query known(reading.db(), "SELECT 1 FROM payloads WHERE id = ?", id);
        if (!known.next()) unknown.push_back(id);
      });
    }
    if (const size_t removed = files.unlink_all(unknown)) {
      log::info("removed what an interrupted run of the object store had not finished",
                {{"files", removed}});
    }
    sqlite::Query query(reading.db(), "SELECT value FROM meta WHERE name = 'epoch'");
    if (query.next()) last = static_cast<uint64_t>(query.number(0));
  }
  for (const uint64_t epoch : files.epochs()) last = std::max(last, epoch);
  files.begin_epoch(last + 1);
  index.change([&](sqlite::Connection& db) {
    db.run("DELETE FROM epochs");
    db.run("INSERT INTO epochs VALUES (?)", last + 1);
    db.run("INSERT INTO meta VALUES ('epoch', ?) ON CONFLICT (name) DO UPDATE SET value = ?",
           last + 1, last + 1);
  });
  // The index's own files may be new.
  disk->sync_folder(options.folder);
}

Core::~Core() {
  try {
    files.end_epoch();
    index.change([](sqlite::Connection& db) { db.run("DELETE FROM epochs"); });
    files.remove_empty_folders(files.epoch());
  } catch (const std::exception& error) {
    log::warn("the object store ends as if interrupted", {{"error", error.what()}});
  }
}

DataKey Core::new_key(Encryption encryption, const CustomerKey& customer_key) const {
  if (encryption == Encryption::kNone) return {};
  DataKey made{.key = new_data_key()};
  made.wrapped = encryption == Encryption::kS3 ? keys.wrap(made.key)
                                               : wrap_with_customer_key(made.key, customer_key);
  return made;
}

std::string Core::open_key(Encryption encryption, const WrappedKey& wrapped,
                           const CustomerKey& customer_key) const {
  if (encryption != Encryption::kCustomer) {
    if (!customer_key.empty()) {
      throw ObjectError(Reason::kInvalidRequest,
                        "The encryption parameters are not applicable to this object.");
    }
    return encryption == Encryption::kNone ? std::string() : keys.unwrap(wrapped);
  }
  if (customer_key.empty()) {
    throw ObjectError(Reason::kInvalidRequest,
                      "The object was stored using a form of Server Side Encryption. The correct "
                      "parameters must be provided to retrieve the object.");
  }
  return unwrap_with_customer_key(wrapped, customer_key);
}

void Core::change(const std::function<void(sqlite::Connection&, std::vector<Event>&)>& work) {
  std::vector<Event> made;
  const std::shared_ptr<const Caller> caller = ActingFor::current();
  index.change(
      [&](sqlite::Connection& db) {
        work(db, made);  // on the index's thread
        for (Event& event : made) event.caller = caller;
      },
      [&] { events.add(std::move(made)); });
  events.tell();
}

}  // namespace meesh::objects
