// A connection to an SFTP server, over libssh.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingest/locations/location.h"

namespace meesh::ingest {

/// sftp://user@host:port/path
struct SftpAddress {
  std::string user, host, path;  // user: "" = not given
  int port = 22;
};
/// Nothing if it is none.
std::optional<SftpAddress> parse_sftp(std::string_view text);

struct SftpEntry {
  std::string name;
  bool is_folder = false;
  uint64_t size = 0;
  int64_t modified = 0;  // seconds since 1970
};

/// One thread at a time.
class SftpSession {
 public:
  /// Throws UNAVAILABLE, EXCEEDED_TIME_LIMIT, PERMISSION_DENIED (another host key, user refused).
  SftpSession(const SftpConfig& config, const SftpAddress& address, const TaskContext& context);
  ~SftpSession();
  SftpSession(const SftpSession&) = delete;
  SftpSession& operator=(const SftpSession&) = delete;

  std::string home();
  /// Nothing if it is not there. Links are followed.
  std::optional<SftpEntry> look(const std::string& path);
  /// Files and folders, sorted; none if there is no such folder.
  std::vector<SftpEntry> list(const std::string& folder);
  void read(const std::string& path, uint64_t size, const TaskContext& context,
            const std::function<void(std::string_view)>& take);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace meesh::ingest
