// A copy of the store while it is in use. First the index, as of one moment; then the payload files
// it knows, none of which can go meanwhile, because removing waits.
#include <fcntl.h>
#include <fmt/format.h>

#include <system_error>

#include "base/error.h"
#include "objects/local/local_store.h"

namespace meesh::objects {
namespace {

constexpr size_t kCopyBytes = 1 << 20;

void copy_index(Index& index, const std::filesystem::path& to) {
  Index::Reading reading = index.read();
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(to.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  const std::unique_ptr<sqlite3, sqlite::CloseConnection> target(opened);
  if (code != SQLITE_OK) {
    throw Error(Code::kIoError,
                fmt::format("cannot create '{}': {}", to.string(), sqlite3_errstr(code)));
  }
  sqlite3_backup* backup = sqlite3_backup_init(target.get(), "main", reading.db().handle(), "main");
  if (!backup) {
    throw Error(Code::kIoError,
                fmt::format("cannot copy the object index: {}", sqlite3_errmsg(target.get())));
  }
  // What finish() does not tell: a step that found one of the two locked.
  const int step = sqlite3_backup_step(backup, -1);
  const int finish = sqlite3_backup_finish(backup);
  if (step != SQLITE_DONE || finish != SQLITE_OK) {
    throw Error(Code::kIoError, fmt::format("cannot copy the object index to '{}': {}", to.string(),
                                            sqlite3_errstr(step != SQLITE_DONE ? step : finish)));
  }
}

class PayloadCopy {
 public:
  PayloadCopy(PayloadFiles& from, const std::filesystem::path& folder, uint64_t total,
              const Progress& progress, BackupReport& report)
      : from_(from),
        to_(folder, from.disk()),
        total_(total),
        progress_(progress),
        report_(report) {}

  void add(uint64_t id) {
    const auto target = to_.path(id);
    make_folder(target.parent_path().parent_path());
    make_folder(target.parent_path());
    if (linkable_ && link(id, target)) {
      ++report_.linked;
    } else {
      copy(id, target);
    }
    ++report_.payloads;
    go_on();
  }
  void sync() {
    for (const auto& folder : folders_) from_.disk().sync_folder(folder);
    from_.disk().sync_folder(to_.folder());
  }

 private:
  void make_folder(const std::filesystem::path& folder) {
    if (folders_.insert(folder).second) from_.disk().make_folder(folder);
  }
  bool link(uint64_t id, const std::filesystem::path& target) {
    linkable_ = from_.disk().link(from_.path(id), target);
    return linkable_;
  }
  void go_on() const {
    if (progress_ && !progress_(report_.payloads, total_)) {
      throw Error(Code::kUserCanceled, "the backup was given up");
    }
  }
  void copy(uint64_t id, const std::filesystem::path& target) {
    const Descriptor source = from_.open(id);
    if (!source.open()) {
      throw Error(Code::kIoError, fmt::format("'{}' is missing", from_.path(id).string()));
    }
    const Descriptor made = from_.disk().create(target);
    std::string buffer(kCopyBytes, '\0');
    uint64_t done = 0;
    while (const size_t got = read_at(source, done, buffer.data(), buffer.size())) {
      from_.disk().write(made, done, {buffer.data(), got});
      done += got;
      go_on();
    }
    from_.disk().sync(made, target);
  }

  PayloadFiles& from_;
  PayloadFiles to_;
  const uint64_t total_;
  const Progress& progress_;
  BackupReport& report_;
  std::set<std::filesystem::path> folders_;
  bool linkable_ = true;
};

void must_be_new(const std::filesystem::path& folder, const char* hint) {
  if (!is_there(folder)) return;
  throw Error(Code::kAlreadyExists, fmt::format("'{}' is there already", folder.string()))
      .with_hint(hint);
}

/// A folder under a name that tells that it is not whole; goes unless kept.
class Unfinished {
 public:
  explicit Unfinished(std::filesystem::path folder) : folder_(std::move(folder)) {}
  ~Unfinished() {
    std::error_code ignored;
    if (!kept_) std::filesystem::remove_all(folder_, ignored);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  void become(const std::filesystem::path& name) {
    // Never onto something that came meanwhile: rename() would replace an empty folder.
    must_be_new(name, "name a new folder for every backup");
    std::error_code failed;
    std::filesystem::rename(folder_, name, failed);
    if (failed) {
      throw Error(Code::kIoError, fmt::format("cannot call '{}' '{}': {}", folder_.string(),
                                              name.string(), failed.message()));
    }
    kept_ = true;
  }

 private:
  const std::filesystem::path folder_;
  bool kept_ = false;
};

}  // namespace

BackupReport LocalStore::backup(const std::filesystem::path& wanted, const Progress& progress) {
  auto target = std::filesystem::absolute(wanted).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  must_be_new(target, "name a new folder for every backup");
  const std::filesystem::path folder = target.string() + ".part";
  must_be_new(folder, "a backup under way, or one that was interrupted: then remove it");
  BackupReport report;
  make_store_folder(folder, *core_.disk);
  Unfinished unfinished(folder);
  const std::lock_guard removing(core_.removing);
  copy_index(core_.index, index_file(folder));
  {
    sqlite::Connection copied(index_file(folder), sqlite::Mode::kRead);
    uint64_t total = 0;
    if (sqlite::Query count(copied, "SELECT count(*) FROM payloads"); count.next()) {
      total = static_cast<uint64_t>(count.number(0));
    }
    PayloadCopy payloads(core_.files, payload_folder(folder), total, progress, report);
    for (sqlite::Query query(copied, "SELECT id FROM payloads"); query.next();) {
      payloads.add(static_cast<uint64_t>(query.number(0)));
    }
    payloads.sync();
  }
  core_.disk->sync_folder(folder);
  unfinished.become(target);
  core_.disk->sync_folder(target.parent_path());
  return report;
}

}  // namespace meesh::objects
