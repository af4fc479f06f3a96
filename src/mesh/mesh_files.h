// Reads the files of a mesh folder, each against its shape, and collects what is wrong with them,
// so that a person sees every mistake of every file at once.
//
//   MeshFiles files(mesh);
//   for (const auto& file : files.list("sources", ".yaml"))
//     if (auto document = files.read(file, source_shape())) use(document->root);
//   files.finish();                                   // throws ConfigError
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_schema.h"
#include "base/yaml.h"
#include "mesh/mesh.h"

namespace meesh::mesh {

class MeshFiles {
 public:
  explicit MeshFiles(const Mesh& mesh);
  /// `shown`: the folder as messages name it.
  MeshFiles(std::filesystem::path folder, std::filesystem::path shown,
            yaml::Document::Lookup secret);

  /// Files right in a folder of the mesh whose names end so, relative to the mesh, sorted; none if
  /// there is no such folder. Hidden ones are left out.
  std::vector<std::filesystem::path> list(const std::filesystem::path& folder,
                                          std::string_view ending) const;
  /// With secrets put in (unless `literal`) and defaults filled in. Nothing if the file has
  /// mistakes; they are in problems() then.
  std::optional<yaml::Document> read(const std::filesystem::path& relative,
                                     const base::Shape& shape, bool literal = false);
  /// Throws CONFIG_INVALID if it cannot be read.
  std::string text(const std::filesystem::path& relative) const;
  /// As messages name it.
  std::string shown(const std::filesystem::path& relative) const;

  /// Found so far; whoever reads a file adds its own.
  std::vector<Error>& problems() { return problems_; }
  /// Throws ConfigError if there are any.
  void finish();

 private:
  std::filesystem::path folder_, shown_;
  yaml::Document::Lookup secret_;
  std::vector<Error> problems_;
};

}  // namespace meesh::mesh
