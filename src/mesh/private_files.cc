#include "mesh/private_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace meesh::mesh {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const std::string& what, const fs::path& path) {
  const int error = errno;
  throw Error(error == ENOSPC || error == EDQUOT ? Code::kDiskFull : Code::kIoError,
              fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error)));
}

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

void write_all(int fd, const std::string& text, const fs::path& path) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = ::write(fd, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const int error = errno;
      ::close(fd);
      ::unlink(path.c_str());
      errno = error;
      fail("write", path);
    }
    done += static_cast<size_t>(wrote);
  }
}

}  // namespace

void make_folder(const fs::path& folder, mode_t mode,
                 const std::optional<process::Identity>& owner) {
  if (::mkdir(folder.c_str(), mode) != 0) {
    std::error_code ignored;
    if (errno == EEXIST && fs::is_directory(folder, ignored)) return;
    fail("make the folder", folder);
  }
  if (::chmod(folder.c_str(), mode) != 0) fail("set the mode of", folder);
  if (owner && ::chown(folder.c_str(), owner->uid, owner->gid) != 0)
    fail("set the owner of", folder);
  sync_folder(folder.parent_path());
}

std::optional<std::string> read_file(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return std::nullopt;
    fail("read", path);
  }
  std::string text;
  char buffer[16384];
  ssize_t got = 0;
  while ((got = ::read(fd, buffer, sizeof buffer)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      ::close(fd);
      errno = error;
      fail("read", path);
    }
    text.append(buffer, static_cast<size_t>(got));
  }
  ::close(fd);
  return text;
}

void write_file(const fs::path& path, const std::string& text,
                const std::optional<process::Identity>& owner) {
  const fs::path fresh = path.string() + ".new";
  ::unlink(fresh.c_str());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) fail("write", fresh);
  write_all(fd, text, fresh);
  const bool good = (!owner || ::fchown(fd, owner->uid, owner->gid) == 0) && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  errno = error;
  if (!good || ::rename(fresh.c_str(), path.c_str()) != 0) fail("write", path);
  sync_folder(path.parent_path());
}

void sync_tree(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool good = fd >= 0 && ::syncfs(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  errno = error;
  if (!good) fail("write", folder);
}

std::optional<fs::path> blocked_folder(const fs::path& folder, const process::Identity& user) {
  fs::path way;
  for (const fs::path& part : folder) {
    way /= part;
    struct stat status{};
    if (part.empty() || ::stat(way.c_str(), &status) != 0) continue;
    const bool in_group = status.st_gid == user.gid ||
                          std::ranges::find(user.groups, status.st_gid) != user.groups.end();
    const mode_t bit = status.st_uid == user.uid ? 0100 : in_group ? 0010 : 0001;
    if ((status.st_mode & bit) == 0) return way;
  }
  return std::nullopt;
}

std::string random_password() {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string password;
  while (password.size() < 32) {
    unsigned char bytes[64];
    if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
      internal_error("the kernel gives no random bytes");
    }
    for (const unsigned char byte : bytes) {
      // Bytes past the last whole multiple are dropped, or some letters would come more often.
      if (byte < 248 && password.size() < 32) password += kLetters[byte % kLetters.size()];
    }
  }
  return password;
}

}  // namespace meesh::mesh
