// Data contracts: files of the Open Data Contract Standard (ODCS 3.1), and the checks they amount
// to.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mesh/mesh_files.h"
#include "quality/quality.h"

namespace meesh::quality {

struct Contract {
  std::string id, name, version, status, product, domain;
  std::vector<Suite> suites;  // one an object of the schema that is a table of the mesh
  /// Rules that no check is made of (texts for people, other engines'), in words.
  std::vector<std::string> unchecked;
};

/// Checked against the published schema first. Nothing if the file has mistakes; they are in
/// files.problems() then.
std::optional<Contract> load_contract(mesh::MeshFiles& files, const std::filesystem::path& relative,
                                      const mesh::Mesh& mesh);

/// The same of a text. `suite`: the name of its suites.
std::optional<Contract> parse_contract(std::string text, const std::string& file,
                                       const std::string& suite, const mesh::Mesh& mesh,
                                       std::vector<Error>& problems);

}  // namespace meesh::quality
