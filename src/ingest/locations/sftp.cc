// Files of SFTP servers.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>

#include "engine/catalogs/files_pattern.h"
#include "ingest/locations/sftp_session.h"
#include "ingest/rest/pace.h"

namespace meesh::ingest {

using engine::FileVersion;

namespace fs = std::filesystem;

namespace {

constexpr int kTries = 4;
constexpr std::chrono::milliseconds kFirstWait{500};

class SftpLocation : public Location {
 public:
  explicit SftpLocation(SftpConfig config) : config_(std::move(config)) {}

  std::vector<FileVersion> find(const std::string& pattern, const TaskContext& context) override {
    const auto address = parse_sftp(pattern);
    if (!address) {
      throw Error(Code::kInvalidArguments, "a file's address is malformed")
          .with_hint("path: sftp://user@host/folder/*.csv; a password goes under 'sftp'");
    }
    std::lock_guard lock(mutex_);
    return tried<std::vector<FileVersion>>(*address, context, [&](SftpSession& session) {
      return matching(session, *address, pattern);
    });
  }

  std::vector<FileVersion> look_again(const std::vector<FileVersion>& files) override {
    std::lock_guard lock(mutex_);
    std::vector<FileVersion> now;
    for (const auto& file : files) {
      const auto address = *parse_sftp(file.path);
      const auto entry = tried<std::optional<SftpEntry>>(
          address, TaskContext{},
          [&](SftpSession& session) { return session.look(path_of(session, address)); });
      if (entry) now.push_back({file.path, version_of(*entry), entry->size});
    }
    return now;
  }

  void fetch(const FileVersion& file, const fs::path& copy, const TaskContext& context) override {
    std::lock_guard lock(mutex_);
    const auto address = *parse_sftp(file.path);
    tried<bool>(address, context, [&](SftpSession& session) {
      std::ofstream out(copy, std::ios::binary | std::ios::trunc);
      session.read(path_of(session, address), file.size, context, [&](std::string_view piece) {
        out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
      });
      out.close();
      if (!out) throw Error(Code::kIoError, fmt::format("cannot write {}", copy.string()));
      return true;
    });
  }

 private:
  static std::string version_of(const SftpEntry& entry) {
    return fmt::format("{}-{}", entry.modified, entry.size);
  }

  /// Connections that are lost are made anew.
  template <class T, class F>
  T tried(const SftpAddress& address, const TaskContext& context, F&& work) {
    auto& session = sessions_[{address.user, address.host, address.port}];
    auto wait = kFirstWait;
    for (int tries = 1;; ++tries) {
      try {
        if (!session) session = std::make_unique<SftpSession>(config_, address, context);
        return work(*session);
      } catch (const Error& error) {
        session.reset();
        context.check();
        const bool passes =
            error.code() == Code::kUnavailable || error.code() == Code::kExceededTimeLimit;
        if (!passes || tries == kTries) throw;
        context.info(fmt::format("{}; again in {:.1f} s", error.message(),
                                 static_cast<double>(wait.count()) / 1000));
      }
      wait_for(wait, context);
      wait *= 2;
    }
  }

  static std::string path_of(SftpSession& session, const SftpAddress& address) {
    if (!address.path.starts_with("/~/")) return address.path;
    return session.home() + address.path.substr(2);
  }

  static std::vector<FileVersion> matching(SftpSession& session, const SftpAddress& address,
                                           const std::string& pattern) {
    const std::string path = path_of(session, address);
    // Files are known by the address as it was written, whatever the home folder is.
    const std::string place = pattern.substr(0, pattern.size() - address.path.size());
    const auto shown = [&](const std::string& found) {
      const std::string home = path.substr(0, path.size() - (address.path.size() - 2));
      return place + (address.path.starts_with("/~/") ? "/~" + found.substr(home.size()) : found);
    };
    std::vector<FileVersion> files;
    const auto take = [&](const std::string& found, const SftpEntry& entry) {
      if (entry.size > 0) files.push_back({shown(found), version_of(entry), entry.size});
    };
    const size_t wild = path.find_first_of("*?[");
    if (wild == std::string::npos) {
      const auto entry = session.look(path);
      if (entry && !entry->is_folder) take(path, *entry);
      return files;
    }
    const size_t slash = path.rfind('/', wild);
    const std::string rest = path.substr(slash + 1);
    const bool any_depth = rest.find("**") != std::string::npos;
    const auto depth = static_cast<size_t>(std::ranges::count(rest, '/'));
    walk(session, path.substr(0, slash), "", any_depth ? SIZE_MAX : depth,
         [&](const std::string& below, const SftpEntry& entry) {
           if (engine::file_matches(rest, below)) take(path.substr(0, slash + 1) + below, entry);
         });
    return files;
  }

  /// Calls `use(path below the top folder, entry)` for each file.
  template <class F>
  static void walk(SftpSession& session, const std::string& top, const std::string& below,
                   size_t depth, F&& use) {
    const std::string folder =
        top.empty() && below.empty() ? "/" : top + (below.empty() ? "" : "/") + below;
    for (const auto& entry : session.list(folder)) {
      const std::string path = below.empty() ? entry.name : below + "/" + entry.name;
      if (!entry.is_folder) {
        use(path, entry);
      } else if (depth > 0) {
        walk(session, top, path, depth == SIZE_MAX ? depth : depth - 1, use);
      }
    }
  }

  const SftpConfig config_;
  std::mutex mutex_;
  /// By user, host and port; guarded by mutex_.
  std::map<std::tuple<std::string, std::string, int>, std::unique_ptr<SftpSession>> sessions_;
};

}  // namespace

std::unique_ptr<Location> sftp_location(SftpConfig config) {
  return std::make_unique<SftpLocation>(std::move(config));
}

}  // namespace meesh::ingest
