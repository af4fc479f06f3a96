// A dbt project's own files, as far as they matter to whoever runs it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

namespace meesh::transform {

struct DbtProject {
  std::filesystem::path folder;
  std::string profile;         // the name its profile goes by
  bool own_profiles = false;   // it has a profiles.yml
  std::set<std::string> vars;  // names that dbt_project.yml declares under `vars`

  /// Throws CONFIG_INVALID with file, line and column.
  static DbtProject read(const std::filesystem::path& folder);
};

/// Where a generated profile leads.
struct DbtTarget {
  std::string host;
  int port = 0;
  bool tls = false;
  std::filesystem::path certificate;
  std::string user, catalog, schema;
};
/// The text of a profiles.yml with one target, `meesh`.
std::string profiles_yml(const std::string& profile, const DbtTarget& target);

/// Changes when a file of the project is made, changed, renamed or removed. Leaves out what dbt
/// itself writes (target, logs, dbt_packages) and hidden files.
uint64_t dbt_fingerprint(const std::filesystem::path& folder);

}  // namespace meesh::transform
