// The dashboards of a mesh: files dashboards/<name>.yaml, read when they change, written whole.
//
//   DashboardStore store(mesh.folder, mesh.shown);
//   auto dashboard = store.get("customers");                 // throws NOT_FOUND, ConfigError
//   store.put("customers", text, dashboard->etag);           // throws TRANSACTION_CONFLICT (412)
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dashboards/dashboard.h"

namespace meesh::dashboards {

using DashboardPtr = std::shared_ptr<const Dashboard>;

class DashboardStore {
 public:
  /// `shown`: the mesh's folder as messages name it.
  DashboardStore(std::filesystem::path folder, std::filesystem::path shown);

  /// Sorted. A file that cannot be read is there with its mistakes instead.
  struct Entry {
    std::string name;
    DashboardPtr dashboard;  // null: it has mistakes
    std::string mistake;
  };
  std::vector<Entry> list();
  /// Throws NOT_FOUND, also for names that are none, and ConfigError.
  DashboardPtr get(const std::string& name);
  /// The file's text even if it has mistakes.
  std::string text(const std::string& name);
  /// Checks the text and replaces the file. `etag` "": whatever is there; "new": nothing may be
  /// there. Throws ConfigError, ALREADY_EXISTS, NOT_FOUND, and Conflict.
  DashboardPtr put(const std::string& name, const std::string& text, const std::string& etag);
  void remove(const std::string& name, const std::string& etag);

  /// Somebody else has changed it meanwhile.
  class Conflict : public Error {
   public:
    using Error::Error;
  };

 private:
  std::filesystem::path path(const std::string& name) const;
  std::optional<std::string> read(const std::string& name) const;
  void check_etag(const std::string& name, const std::optional<std::string>& text,
                  const std::string& etag) const;

  const std::filesystem::path folder_, shown_;
  std::mutex writing_;
  std::mutex mutex_;
  std::map<std::string, DashboardPtr> read_;  // guarded; as long as the text is the same
};

}  // namespace meesh::dashboards
