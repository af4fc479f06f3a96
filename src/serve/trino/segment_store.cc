#include "serve/trino/segment_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace meesh::serve::trino {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// 192 random bits.
std::string make_id() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 6; ++i) id += fmt::format("{:08x}", random());
  return id;
}

/// Writes a new file; the error's number, 0 if it went well.
int write_file(const fs::path& path, std::string_view bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (::close(fd) != 0 && error == 0) error = errno;
  return error;
}

void remove_file(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) log::warn("cannot remove a segment", {{"file", path.string()}});
}

/// Only files that this store makes: the folder's name is a setting.
bool is_segment(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.size() == make_id().size() &&
         name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void make_empty(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  std::error_code listing;
  for (const auto& entry : fs::directory_iterator(folder, listing)) {
    if (is_segment(entry.path())) fs::remove(entry.path(), error);
  }
  if (!error) error = listing;
  if (error) {
    throw Error(Code::kIoError, fmt::format("cannot empty the folder of spooled results '{}': {}",
                                            folder.string(), error.message()));
  }
}

}  // namespace

OpenSegment::OpenSegment(OpenSegment&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

OpenSegment::~OpenSegment() {
  if (fd_ >= 0) ::close(fd_);
}

SegmentStore::SegmentStore(SegmentOptions options) : options_(std::move(options)) {
  make_empty(options_.folder);
  sweeper_ = std::jthread([this](const std::stop_token& stop) { sweep(stop); });
}

SegmentStore::~SegmentStore() {
  sweeper_ = {};
  for (auto at = segments_.begin(); at != segments_.end();) at = erase(at);
}

std::optional<std::string> SegmentStore::put(std::string_view bytes, const std::string& owner,
                                             const std::string& query) {
  std::string id = make_id();
  {
    const std::lock_guard lock(mutex_);
    if (bytes_ + bytes.size() > options_.max_bytes) return std::nullopt;
    bytes_ += bytes.size();
  }
  if (const int error = write_file(file(id), bytes); error != 0) {
    log::warn(
        "a segment of a result is not spooled",
        {{"folder", options_.folder.string()}, {"error", std::generic_category().message(error)}});
    remove_file(file(id));
    const std::lock_guard lock(mutex_);
    bytes_ -= bytes.size();
    return std::nullopt;
  }
  const std::lock_guard lock(mutex_);
  segments_.emplace(id, Segment{owner, query, bytes.size(), Clock::now() + options_.keep});
  changed_.notify_all();
  return id;
}

std::optional<OpenSegment> SegmentStore::open(const std::string& id, std::string_view asker) const {
  const std::lock_guard lock(mutex_);
  const auto found = segments_.find(id);
  if (found == segments_.end()) return std::nullopt;
  if (!asker.empty() && asker != found->second.owner) return std::nullopt;
  const int fd = ::open(file(id).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  return OpenSegment(fd, found->second.size);
}

bool SegmentStore::remove(const std::string& id, std::string_view asker) {
  const std::lock_guard lock(mutex_);
  const auto found = segments_.find(id);
  if (found == segments_.end()) return false;
  if (!asker.empty() && asker != found->second.owner) return false;
  erase(found);
  return true;
}

void SegmentStore::remove_of(const std::string& query) {
  const std::lock_guard lock(mutex_);
  for (auto at = segments_.begin(); at != segments_.end();) {
    at = at->second.query == query ? erase(at) : std::next(at);
  }
}

uint64_t SegmentStore::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

SegmentStore::Segments::iterator SegmentStore::erase(Segments::iterator at) {
  remove_file(file(at->first));
  bytes_ -= at->second.size;
  return segments_.erase(at);
}

void SegmentStore::sweep(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    auto next = Clock::time_point::max();
    const auto now = Clock::now();
    for (auto at = segments_.begin(); at != segments_.end();) {
      if (at->second.until <= now) {
        at = erase(at);
      } else {
        next = std::min(next, at->second.until);
        ++at;
      }
    }
    if (next == Clock::time_point::max()) {
      changed_.wait(lock, stop, [this] { return !segments_.empty(); });
    } else {
      changed_.wait_until(lock, stop, next, [] { return false; });
    }
  }
}

}  // namespace meesh::serve::trino
