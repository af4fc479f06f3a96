// Python environments of connectors, each made once: <data>/connectors/<name>-<version>/, with pip
// from the package index. An environment that others share may lie in a folder that the environment
// variable MEESH_CONNECTORS names.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"

namespace meesh::ingest {

/// A connector of the package index, "source-faker" of airbyte-source-faker.
struct ConnectorPackage {
  std::string name, version;
  std::string folder() const { return name + "-" + version; }
};

struct ConnectorEnvironment {
  ConnectorPackage package;
  std::filesystem::path folder;
  std::filesystem::path python() const { return folder / "bin" / "python"; }
};

/// What "source-faker==6.2.1" names; the version may be absent. Throws INVALID_ARGUMENTS.
ConnectorPackage parse_package(const std::string& text);
inline constexpr const char* kConnectorPattern = "^(source-[a-z0-9][a-z0-9-]*|airbyte-cdk)$";
inline constexpr const char* kVersionPattern = "^[0-9][0-9A-Za-z.+!-]*$";

/// Thread-safe; several may work on the same folders within a process.
class ConnectorEnvironments {
 public:
  /// `data`, `mesh`: folders of the mesh.
  ConnectorEnvironments(std::filesystem::path data, std::filesystem::path mesh);

  std::optional<ConnectorEnvironment> find(const ConnectorPackage& package) const;
  /// All there are, by name.
  std::vector<ConnectorEnvironment> list() const;
  /// That one; makes it if it is not there, telling what it does. Without a version, the newest of
  /// the index. With a file connectors/<name>-<version>.lock in the mesh, exactly what that lists,
  /// checked by its hashes. Throws NOT_FOUND, UNAVAILABLE with what pip says.
  ConnectorEnvironment install(ConnectorPackage package, const TaskContext& context) const;

  /// Of ours, made when it is needed: <data>/connectors.
  std::filesystem::path folder() const { return data_ / "connectors"; }

 private:
  std::string newest(const std::string& name, const TaskContext& context) const;
  void build(const ConnectorPackage& package, const std::filesystem::path& unfinished,
             const TaskContext& context) const;

  const std::filesystem::path data_, mesh_;
};

/// A connector that search finds.
struct KnownConnector {
  std::string name, version, description;
};
/// Those known to this program whose name or description has every word of the text.
std::vector<KnownConnector> search_connectors(const std::string& words);
/// The version a connector is proposed with; "" if it is not known.
std::string known_version(const std::string& name);

}  // namespace meesh::ingest
