#include "streams/feeds/feed_folder.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "base/uuid.h"

namespace meesh::streams {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr size_t kPiece = 1 << 20;
constexpr double kMegabyte = 1'000'000;
constexpr mode_t kOpen = 0755;
constexpr const char* kMetadata = "_metadata.json";
constexpr const char* kCurrent = "_current";
constexpr const char* kStaging = ".staging";

[[noreturn]] void fail(const char* what, const fs::path& path) {
  const int reason = errno;
  const bool full = reason == ENOSPC || reason == EDQUOT;
  throw Error(full ? Code::kDiskFull : Code::kIoError,
              fmt::format("cannot {} '{}': {}", what, path.string(), std::strerror(reason)))
      .with_hint(full ? "free some space there" : "");
}

/// A descriptor that is closed.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0) : path_(path) {
    descriptor_ = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (descriptor_ < 0) fail("open", path);
  }
  ~Descriptor() { ::close(descriptor_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("write", path_);
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }
  void set_mode(mode_t mode) const {
    if (::fchmod(descriptor_, mode) != 0) fail("set the permissions of", path_);
  }
  void sync() const {
    if (::fsync(descriptor_) != 0) fail("write", path_);
  }

 private:
  const fs::path path_;
  int descriptor_;
};

void sync_folder(const fs::path& folder) { Descriptor(folder, O_RDONLY | O_DIRECTORY).sync(); }

/// The folder with these permissions, whatever the umask is. Its parent is there.
void make_folder(const fs::path& folder, mode_t mode) {
  if (::mkdir(folder.c_str(), mode) != 0 && errno != EEXIST) fail("make", folder);
  struct stat now{};
  if (::stat(folder.c_str(), &now) != 0) fail("look at", folder);
  if (!S_ISDIR(now.st_mode)) {
    errno = ENOTDIR;
    fail("make", folder);
  }
  if ((now.st_mode & 07777) != mode && ::chmod(folder.c_str(), mode) != 0)
    fail("set the permissions of", folder);
}

/// All of them from `top`, which is there, down to `path` below it.
void make_folders(const fs::path& top, const fs::path& path, mode_t mode) {
  fs::path at = top;
  for (const auto& part : path) make_folder(at /= part, mode);
}

void move_to(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail("rename", from);
}

mode_t folder_mode(const FeedConfig& feed) { return static_cast<mode_t>(feed.permissions); }
/// What may enter the folder may read its files.
mode_t file_mode(const FeedConfig& feed) { return folder_mode(feed) & 0666; }

/// With three digits behind the point.
double megabytes(uint64_t bytes) {
  return std::round(static_cast<double>(bytes) / kMegabyte * 1000) / 1000;
}

/// Parquet files below the folder, relative to it, with their sizes.
std::map<std::string, uint64_t> files_below(const fs::path& folder) {
  std::map<std::string, uint64_t> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".parquet")
      found[entry.path().lexically_relative(folder).string()] = entry.file_size();
  }
  return found;
}

/// Takes away folders that nothing is left in, from `folder` up to `top`, which stays.
void remove_empty(const fs::path& top, fs::path folder) {
  while (folder != top && ::rmdir(folder.c_str()) == 0) folder = folder.parent_path();
}

}  // namespace

std::vector<FeedPartition> partitions_of(const std::vector<FeedFile>& files) {
  std::map<std::string, FeedPartition> sums;
  for (const auto& file : files) {
    const std::string folder = fs::path(file.path).parent_path().string();
    auto& sum = sums[folder];
    sum.path = folder;
    sum.records += file.records;
    sum.bytes += file.bytes;
  }
  std::vector<FeedPartition> all;
  for (auto& [path, sum] : sums) all.push_back(std::move(sum));
  return all;
}

json::object feed_metadata(const FeedConfig& feed, int64_t last_export_ms,
                           const std::vector<FeedPartition>& partitions) {
  uint64_t records = 0, bytes = 0;
  json::array folders;
  for (const auto& one : partitions) {
    records += one.records;
    bytes += one.bytes;
    folders.push_back(json::object{
        {"path", one.path}, {"records", one.records}, {"size_mb", megabytes(one.bytes)}});
  }
  return {{"source", feed.source ? feed.source->display() : feed.ksqldb_source},
          {"type", type_name(feed.type)},
          {"storage_mode", storage_mode(feed.type)},
          {"format", "parquet"},
          {"partitioning", partitioning_name(feed.type)},
          {"last_export",
           last_export_ms == 0 ? json::value(nullptr) : json::value(iso_time(last_export_ms))},
          {"total_records", records},
          {"total_size_mb", megabytes(bytes)},
          {"partitions", std::move(folders)}};
}

std::string iso_time(int64_t ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> moment{std::chrono::milliseconds(ms)};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(moment);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

std::string iso_date(int64_t ms) { return iso_time(ms).substr(0, 10); }

FeedFolder::FeedFolder(fs::path root, objects::Store& store)
    : root_(std::move(root)), store_(store) {}

void FeedFolder::make_root(const fs::path& feeds_folder) const {
  std::error_code failed;
  fs::create_directories(root_.parent_path(), failed);
  make_folder(root_, kOpen);
  for (const char* name : {"streams", "tables", "logs"}) make_folder(root_ / name, kOpen);
  make_folder(root_ / kStaging, 0700);
  if (!fs::is_symlink(fs::symlink_status(root_ / "feeds", failed)) &&
      !fs::exists(root_ / "feeds", failed)) {
    fs::create_directory_symlink(feeds_folder, root_ / "feeds", failed);
  }
}

fs::path FeedFolder::of(const FeedConfig& feed) const {
  return root_ / (feed.type == FeedType::kStream ? "streams" : "tables") / feed.name;
}

fs::path FeedFolder::staging(const FeedConfig& feed) const { return root_ / kStaging / feed.name; }

void FeedFolder::make(const FeedConfig& feed) const {
  const fs::path folder = of(feed);
  make_folder(folder, folder_mode(feed));
  // Those of before, if the permissions were changed.
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const mode_t wanted = entry.is_directory() ? folder_mode(feed) : file_mode(feed);
    if (static_cast<mode_t>(entry.status().permissions()) != wanted &&
        ::chmod(entry.path().c_str(), wanted) != 0)
      fail("set the permissions of", entry.path());
  }
}

void FeedFolder::fetch(const FeedFile& file, const fs::path& to, mode_t mode) const {
  const auto reader = store_.get(file.bucket, file.key, {});
  const Descriptor target(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::string buffer(kPiece, '\0');
  for (uint64_t at = 0; at < reader->object().size;) {
    const size_t count = reader->read(at, buffer.data(), buffer.size());
    if (count == 0) throw Error(Code::kIoError, fmt::format("'{}' ends too early", file.key));
    target.write(std::string_view(buffer).substr(0, count));
    at += count;
  }
  target.set_mode(mode);
  target.sync();
}

void FeedFolder::replace(const fs::path& file, const std::string& text,
                         const FeedConfig& feed) const {
  make_folder(staging(feed), 0700);
  const fs::path part = staging(feed) / base::random_uuid();
  {
    const Descriptor target(part, O_WRONLY | O_CREAT | O_EXCL, 0600);
    target.write(text);
    target.set_mode(file_mode(feed));
    target.sync();
  }
  move_to(part, file);
  sync_folder(file.parent_path());
}

void FeedFolder::add_files(const FeedConfig& feed, const std::string& folder,
                           const std::vector<const FeedFile*>& files,
                           const std::stop_token& stop) const {
  make_folders(of(feed), folder, folder_mode(feed));
  for (const auto* file : files) {
    if (stop.stop_requested()) throw Error(Code::kUserCanceled, "The export was canceled");
    const fs::path part = staging(feed) / fs::path(file->path).filename();
    fetch(*file, part, file_mode(feed));
    move_to(part, of(feed) / file->path);
  }
  sync_folder(of(feed) / folder);
}

void FeedFolder::add_version(const FeedConfig& feed, const std::string& folder,
                             const std::vector<const FeedFile*>& files,
                             const std::stop_token& stop) const {
  const fs::path part = staging(feed) / folder;
  make_folder(part, folder_mode(feed));
  for (const auto* file : files) {
    if (stop.stop_requested()) throw Error(Code::kUserCanceled, "The export was canceled");
    fetch(*file, part / fs::path(file->path).filename(), file_mode(feed));
  }
  sync_folder(part);
  move_to(part, of(feed) / folder);
  sync_folder(of(feed));
}

FeedFolder::Changed FeedFolder::bring_in_line(const FeedConfig& feed,
                                              const std::vector<FeedFile>& files, int64_t current,
                                              std::stop_token stop) const {
  make(feed);
  fs::remove_all(staging(feed));  // what was killed half-way
  make_folder(staging(feed), 0700);
  const auto there = files_below(of(feed));
  std::set<std::string> wanted;
  std::map<std::string, std::vector<const FeedFile*>> missing;
  Changed changed;
  for (const auto& file : files) {
    wanted.insert(file.path);
    const auto found = there.find(file.path);
    if (found != there.end() && found->second == file.bytes) continue;
    missing[fs::path(file.path).parent_path().string()].push_back(&file);
    ++changed.added;
  }
  for (const auto& [folder, list] : missing) {
    const bool whole =
        feed.type == FeedType::kTable && !fs::exists(of(feed) / folder) && !folder.empty();
    (whole ? add_version(feed, folder, list, stop) : add_files(feed, folder, list, stop));
  }
  if (current > 0) replace(of(feed) / kCurrent, fmt::format("version=v{}\n", current), feed);
  std::map<std::string, std::vector<std::string>> leaving;
  for (const auto& [path, size] : there)
    if (!wanted.contains(path)) leaving[fs::path(path).parent_path().string()].push_back(path);
  std::set<std::string> kept;
  for (const auto& path : wanted) kept.insert(fs::path(path).parent_path().string());
  for (const auto& [folder, paths] : leaving) {
    changed.removed += paths.size();
    if (!folder.empty() && !kept.contains(folder)) {
      const fs::path gone = staging(feed) / base::random_uuid();
      move_to(of(feed) / folder, gone);
      fs::remove_all(gone);
      remove_empty(of(feed), (of(feed) / folder).parent_path());
    } else {
      for (const auto& path : paths) fs::remove(of(feed) / path);
    }
  }
  fs::remove_all(staging(feed));
  return changed;
}

void FeedFolder::write_metadata(const FeedConfig& feed, const json::object& metadata) const {
  replace(of(feed) / kMetadata, pretty_json(metadata), feed);
  fs::remove_all(staging(feed));
}

void FeedFolder::log(int64_t now_ms, const std::string& level, const std::string& feed,
                     const std::string& line) const {
  const fs::path file = root_ / "logs" / fmt::format("export_{}.log", iso_date(now_ms));
  // One write a line: lines of several exports do not mix.
  Descriptor(file, O_WRONLY | O_CREAT | O_APPEND, 0644)
      .write(fmt::format("{} {:<5} {} {}\n", iso_time(now_ms), level, feed, line));
}

}  // namespace meesh::streams
