#include "objects/local/core.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
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

std::string holder_told(const Descriptor& lock_file) {
  char text[32] = {};
  const size_t size = read_at(lock_file, 0, text, sizeof text - 1);
  return size ? std::string(text, size) : "?";
}

}  // namespace

std::optional<std::string> holder_of(const std::filesystem::path& folder) {
  const Descriptor file(::open((folder / "lock").c_str(), O_RDONLY | O_CLOEXEC));
  // A lock got here goes with the descriptor.
  if (!file.open() || ::flock(file.number(), LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  return holder_told(file);
}

FolderLock::FolderLock(const std::filesystem::path& folder)
    : file_(::open((folder / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
  if (!file_.open()) {
    throw Error(Code::kIoError, fmt::format("cannot open '{}': {}", (folder / "lock").string(),
                                            std::generic_category().message(errno)));
  }
  if (::flock(file_.number(), LOCK_EX | LOCK_NB) != 0) {
    throw Error(Code::kConfigInvalid, fmt::format("the object store '{}' is in use by process {}",
                                                  folder.string(), holder_told(file_)))
        .with_hint("stop the other meesh, or give this one a folder of its own");
  }
  const std::string pid = std::to_string(getpid());
  if (::ftruncate(file_.number(), 0) != 0 ||
      ::pwrite(file_.number(), pid.data(), pid.size(), 0) < 0) {
    log::debug("the lock file of the object store does not tell who holds it");
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
  for (auto at = std::filesystem::absolute(folder); !std::filesystem::exists(at);
       at = at.parent_path()) {
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

Core::Core(const LocalOptions& given, std::shared_ptr<Disk> given_disk)
    : options(given),
      disk(std::move(given_disk)),
      lock(make_store_folder(options.folder, *disk)),
      keys(options.master_keys, options.current_master_key),
      files(payload_folder(options.folder), *disk),
      index(index_file(options.folder)) {
  recover();
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
  index.change([&](sqlite::Connection& db) { work(db, made); },
               [&] { events.add(std::move(made)); });
  events.tell();
}

}  // namespace meesh::objects
