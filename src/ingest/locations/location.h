// Places that files come from: the mesh's own folder and buckets, another S3, web servers, SFTP
// servers.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/task.h"
#include "engine/catalogs/files.h"
#include "ingest/rest/http_config.h"
#include "objects/store.h"

namespace meesh::ingest {

/// Thread-safe. Throws errors of kind kExternal where a server is the matter.
class Location {
 public:
  virtual ~Location() = default;
  /// Files that the pattern names, sorted, empty ones left out.
  virtual std::vector<engine::FileVersion> find(const std::string& pattern,
                                                const TaskContext& context) = 0;
  /// The same files as they are now; without those that are gone.
  virtual std::vector<engine::FileVersion> look_again(
      const std::vector<engine::FileVersion>& files) = 0;
  virtual void fetch(const engine::FileVersion& file, const std::filesystem::path& copy,
                     const TaskContext& context) = 0;
  /// DuckDB reads the files where they are.
  virtual bool here() const { return false; }
};

/// s3://bucket/… of the mesh and files of its folder. `store` outlives it.
std::unique_ptr<Location> own_location(std::shared_ptr<engine::FileTables> files,
                                       objects::Store& store, std::string user, bool outside);
std::unique_ptr<Location> s3_location(const objects::RemoteOptions& options,
                                      const std::filesystem::path& staging);
/// https://host/file.csv: patterns are addresses, credentials go to the address's host.
std::unique_ptr<Location> web_location(HttpConfig config);

struct SftpConfig {
  std::string user;  // for addresses without one
  std::string password;
  std::string key, key_file, passphrase;  // PEM or OpenSSH's form, or a file with it
  std::vector<std::string> host_keys;     // "SHA256:…", one of which the server must have
  std::chrono::milliseconds timeout{30'000};
};
/// sftp://user@host:port/folder/*.csv; a path that begins with /~/ is relative to the home folder.
std::unique_ptr<Location> sftp_location(SftpConfig config);

/// Copies from where the reader gives it.
void copy_object(objects::Store& store, const std::string& path, const std::filesystem::path& copy);

}  // namespace meesh::ingest
