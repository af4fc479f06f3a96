#include "objects/local/payload_files.h"

#include <unistd.h>

#include <charconv>

#include "base/error.h"
#include "base/log.h"
#include "objects/crash_points.h"

namespace meesh::objects {
namespace {

constexpr int kNumberBits = 40;
constexpr uint64_t kFilesInFolder = 1024;
/// Made together; divides kFilesInFolder.
constexpr uint64_t kFilesAtOnce = 16;
/// Written back while more is coming, so that the sync at the end has little left to do.
constexpr uint64_t kBehindBytes = 8 << 20;

std::optional<uint64_t> number_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace

NewPayload::NewPayload(PayloadFiles& files, uint64_t id, Descriptor file)
    : files_(files), id_(id), file_(std::move(file)) {}

NewPayload::~NewPayload() {
  if (kept_) return;
  try {
    files_.unlink(id_);
  } catch (const std::exception& error) {
    files_.left_behind_ = true;
    log::warn("a payload file that is not needed stays until the next start",
              {{"error", error.what()}});
  }
}

void NewPayload::append(std::string_view bytes) {
  files_.disk_.write(file_, size_, bytes);
  size_ += bytes.size();
  if (size_ - behind_ >= kBehindBytes) {
    files_.disk_.write_behind(file_, behind_, size_ - behind_);
    behind_ = size_;
  }
}

void NewPayload::reserve(uint64_t bytes) { files_.disk_.reserve(file_, bytes); }

void NewPayload::sync() { files_.disk_.sync(file_, files_.path(id_)); }

void Pins::add(uint64_t id) {
  const std::lock_guard lock(mutex_);
  ++counts_[id];
}

void Pins::release(uint64_t id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = counts_.find(id); found != counts_.end() && --found->second == 0) {
    counts_.erase(found);
  }
}

bool Pins::pinned(uint64_t id) const {
  const std::lock_guard lock(mutex_);
  return counts_.contains(id);
}

PayloadFiles::PayloadFiles(std::filesystem::path folder, Disk& disk)
    : folder_(std::move(folder)), disk_(disk) {}

void PayloadFiles::begin_epoch(uint64_t epoch) {
  epoch_ = epoch;
  const auto mine = folder_ / std::to_string(epoch);
  disk_.make_folder(mine);
  disk_.sync_folder(folder_);
}

std::filesystem::path PayloadFiles::path(uint64_t id) const {
  const uint64_t number = id & ((uint64_t{1} << kNumberBits) - 1);
  return folder_ / std::to_string(id >> kNumberBits) / std::to_string(number / kFilesInFolder) /
         std::to_string(number);
}

std::unique_ptr<NewPayload> PayloadFiles::create() {
  std::unique_lock lock(mutex_);
  if (ready_.empty()) {
    // Others may be making some too: then there are more.
    lock.unlock();
    std::deque<Ready> made = make_ready();
    lock.lock();
    std::move(made.begin(), made.end(), std::back_inserter(ready_));
  }
  Ready next = std::move(ready_.front());
  ready_.pop_front();
  lock.unlock();
  auto payload = std::make_unique<NewPayload>(*this, next.id, std::move(next.file));
  crash_point("put.file_created");
  return payload;
}

std::deque<PayloadFiles::Ready> PayloadFiles::make_ready() {
  std::deque<Ready> made;
  const uint64_t first = next_.fetch_add(kFilesAtOnce);
  const auto folder = path(epoch_ << kNumberBits | first).parent_path();
  ensure_folder(folder);
  for (uint64_t number = first; number < first + kFilesAtOnce; ++number) {
    const uint64_t id = epoch_ << kNumberBits | number;
    made.push_back({id, disk_.create(path(id))});
  }
  disk_.sync_folder(folder);
  return made;
}

/// A new folder's own entry is synced at once: it happens once in kFilesInFolder files.
void PayloadFiles::ensure_folder(const std::filesystem::path& folder) {
  const std::lock_guard lock(mutex_);
  if (folders_.contains(folder)) return;
  disk_.make_folder(folder);
  disk_.sync_folder(folder.parent_path());
  folders_.insert(folder);
}

Descriptor PayloadFiles::open(uint64_t id) const { return disk_.open(path(id)); }

bool PayloadFiles::unlink(uint64_t id) { return disk_.unlink(path(id)); }

size_t PayloadFiles::unlink_all(const std::vector<uint64_t>& ids) {
  std::set<std::filesystem::path> folders;
  size_t removed = 0;
  for (const uint64_t id : ids) {
    if (!disk_.unlink(path(id))) continue;
    ++removed;
    folders.insert(path(id).parent_path());
  }
  for (const auto& folder : folders) disk_.sync_folder(folder);
  return removed;
}

void PayloadFiles::end_epoch() {
  if (left_behind_) throw Error(Code::kIoError, "a payload file could not be removed");
  const std::lock_guard lock(mutex_);
  for (; !ready_.empty(); ready_.pop_front()) unlink(ready_.front().id);
  for (const auto& folder : folders_) disk_.sync_folder(folder);
}

std::set<uint64_t> PayloadFiles::epochs() const {
  std::set<uint64_t> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (const auto number = number_of(entry.path())) found.insert(*number);
  }
  return found;
}

void PayloadFiles::each(uint64_t epoch, const std::function<void(uint64_t id)>& visit) const {
  const auto root = folder_ / std::to_string(epoch);
  if (!std::filesystem::exists(root)) return;
  for (const auto& part : std::filesystem::directory_iterator(root)) {
    if (!part.is_directory()) continue;
    for (const auto& entry : std::filesystem::directory_iterator(part.path())) {
      if (const auto number = number_of(entry.path())) visit(epoch << kNumberBits | *number);
    }
  }
}

void PayloadFiles::remove_empty_folders(uint64_t epoch) {
  if (epoch == epoch_) return;
  const auto root = folder_ / std::to_string(epoch);
  std::error_code ignored;  // a folder that is not empty stays, and that is all we ask
  if (!std::filesystem::exists(root, ignored)) return;
  std::vector<std::filesystem::path> parts;
  for (const auto& part : std::filesystem::directory_iterator(root, ignored)) {
    parts.push_back(part.path());
  }
  for (const auto& part : parts) ::rmdir(part.c_str());
  ::rmdir(root.c_str());
}

}  // namespace meesh::objects
