#include "objects/local/disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "objects/error.h"

namespace meesh::objects {
namespace {

[[noreturn]] void fail(const char* doing, const std::filesystem::path& file) {
  const int number = errno;
  if (number == ENOSPC || number == EDQUOT) {
    ObjectError full(Reason::kStorageFull,
                     fmt::format("No space left on the disk of '{}'", file.string()));
    full.with_hint("free some space there; nothing was written");
    throw full;
  }
  throw Error(Code::kIoError, fmt::format("cannot {} '{}': {}", doing, file.string(),
                                          std::generic_category().message(number)));
}

/// Its path, for people; errno stays.
std::filesystem::path name_of(const Descriptor& file) {
  const int number = errno;
  std::error_code unknown;
  auto path =
      std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", file.number()), unknown);
  errno = number;
  return unknown ? "a payload file" : path;
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

void Disk::make_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) fail("make", folder);
}

Descriptor Disk::create(const std::filesystem::path& file) {
  Descriptor made(::open(file.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
  if (!made.open()) fail("create", file);
  return made;
}

Descriptor Disk::open(const std::filesystem::path& file) {
  Descriptor found(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!found.open() && errno != ENOENT) fail("open", file);
  return found;
}

void Disk::reserve(const Descriptor& file, uint64_t bytes) {
  if (bytes == 0) return;
  if (::fallocate(file.number(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) != 0 &&
      errno != EOPNOTSUPP && errno != EINTR) {
    fail("reserve space for", name_of(file));
  }
}

void Disk::write(const Descriptor& file, uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(file.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("write to", name_of(file));
    }
    offset += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void Disk::write_behind(const Descriptor& file, uint64_t offset, uint64_t bytes) {
  // A hint: what goes wrong is told by sync.
  ::sync_file_range(file.number(), static_cast<off_t>(offset), static_cast<off_t>(bytes),
                    SYNC_FILE_RANGE_WRITE);
}

void Disk::sync(const Descriptor& file, const std::filesystem::path& name) {
  if (::fdatasync(file.number()) != 0) fail("sync", name);
}

void Disk::sync_folder(const std::filesystem::path& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.open() || ::fsync(opened.number()) != 0) fail("sync", folder);
}

bool Disk::unlink(const std::filesystem::path& file) {
  if (::unlink(file.c_str()) == 0) return true;
  if (errno != ENOENT) fail("remove", file);
  return false;
}

bool Disk::link(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return true;
  if (errno != EXDEV && errno != EPERM && errno != EMLINK && errno != EOPNOTSUPP) fail("link", to);
  return false;
}

size_t read_at(const Descriptor& file, uint64_t offset, char* buffer, size_t size) {
  size_t filled = 0;
  while (filled < size) {
    const ssize_t got =
        ::pread(file.number(), buffer + filled, size - filled, static_cast<off_t>(offset + filled));
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      fail("read", name_of(file));
    }
    filled += static_cast<size_t>(got);
  }
  return filled;
}

uint64_t size_of(const Descriptor& file) {
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) fail("look at", name_of(file));
  return static_cast<uint64_t>(status.st_size);
}

bool is_there(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno != ENOENT && errno != ENOTDIR) fail("look at", path);
  return false;
}

}  // namespace meesh::objects
