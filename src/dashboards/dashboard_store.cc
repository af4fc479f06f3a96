#include "dashboards/dashboard_store.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "mesh/mesh.h"
#include "mesh/private_files.h"

namespace meesh::dashboards {

namespace fs = std::filesystem;

namespace {

std::string etag_of(const std::string& text) {
  return fmt::format("{:016x}", base::checksum(text));
}

Error not_found(const std::string& name) {
  return Error(Code::kNotFound, fmt::format("there is no dashboard '{}'", name));
}

int64_t changed_ms(const fs::path& file) {
  struct stat found{};
  if (stat(file.c_str(), &found) != 0) return 0;
  return static_cast<int64_t>(found.st_mtim.tv_sec) * 1000 + found.st_mtim.tv_nsec / 1'000'000;
}

}  // namespace

DashboardStore::DashboardStore(fs::path folder, fs::path shown)
    : folder_(std::move(folder) / "dashboards"), shown_(std::move(shown) / "dashboards") {}

/// Only names are joined to the folder: no path leads out of it.
fs::path DashboardStore::path(const std::string& name) const {
  if (!is_id(name)) throw not_found(name);
  return folder_ / (name + ".yaml");
}

std::optional<std::string> DashboardStore::read(const std::string& name) const {
  std::ifstream stream(path(name), std::ios::binary);
  if (!stream) return std::nullopt;
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

std::vector<DashboardStore::Entry> DashboardStore::list() {
  std::vector<std::string> names;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder_, failure)) {
    const std::string stem = entry.path().stem().string();
    if (entry.path().extension() == ".yaml" && is_id(stem)) names.push_back(stem);
  }
  std::ranges::sort(names);
  std::vector<Entry> all;
  for (const auto& name : names) {
    try {
      all.push_back({name, get(name), ""});
    } catch (const mesh::ConfigError& error) {
      all.push_back({name, nullptr, error.report()});
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) all.push_back({name, nullptr, error.what()});
    }
  }
  return all;
}

DashboardPtr DashboardStore::get(const std::string& name) {
  auto text = read(name);
  if (!text) throw not_found(name);
  const std::string etag = etag_of(*text);
  {
    const std::lock_guard lock(mutex_);
    const auto found = read_.find(name);
    if (found != read_.end() && found->second->etag == etag) return found->second;
  }
  auto made = std::make_shared<Dashboard>(
      read_dashboard(name, std::move(*text), (shown_ / (name + ".yaml")).string()));
  made->updated_ms = changed_ms(path(name));
  const std::lock_guard lock(mutex_);
  read_[name] = made;
  return made;
}

std::string DashboardStore::text(const std::string& name) {
  auto text = read(name);
  if (!text) throw not_found(name);
  return *text;
}

void DashboardStore::check_etag(const std::string& name, const std::optional<std::string>& text,
                                const std::string& etag) const {
  if (etag == "new") {
    if (text)
      throw Error(Code::kAlreadyExists, fmt::format("there is a dashboard '{}' already", name));
    return;
  }
  if (!text) throw not_found(name);
  if (etag.empty() || etag == etag_of(*text)) return;
  Conflict conflict(Code::kTransactionConflict,
                    fmt::format("somebody has changed the dashboard '{}' meanwhile", name));
  conflict.with_hint("load it again, then make your changes on what is there now");
  throw conflict;
}

DashboardPtr DashboardStore::put(const std::string& name, const std::string& text,
                                 const std::string& etag) {
  const fs::path file = path(name);
  read_dashboard(name, text, (shown_ / (name + ".yaml")).string());
  {
    const std::lock_guard lock(writing_);
    check_etag(name, read(name), etag);
    std::error_code failure;
    fs::create_directories(folder_, failure);
    mesh::write_file(file, text);
    // As other files of the mesh folder, which people and git read.
    fs::permissions(file,
                    fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read |
                        fs::perms::others_read,
                    failure);
  }
  return get(name);
}

void DashboardStore::remove(const std::string& name, const std::string& etag) {
  const fs::path file = path(name);
  const std::lock_guard lock(writing_);
  check_etag(name, read(name), etag);
  std::error_code failure;
  if (!fs::remove(file, failure) && failure)
    throw Error(Code::kIoError,
                fmt::format("{} cannot be deleted: {}", file.string(), failure.message()));
  const std::lock_guard also(mutex_);
  read_.erase(name);
}

}  // namespace meesh::dashboards
