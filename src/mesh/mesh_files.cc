#include "mesh/mesh_files.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace meesh::mesh {

namespace fs = std::filesystem;

MeshFiles::MeshFiles(const Mesh& mesh) : MeshFiles(mesh.folder, mesh.shown, mesh.secret) {}

MeshFiles::MeshFiles(fs::path folder, fs::path shown, yaml::Document::Lookup secret)
    : folder_(std::move(folder)), shown_(std::move(shown)), secret_(std::move(secret)) {}

std::vector<fs::path> MeshFiles::list(const fs::path& folder, std::string_view ending) const {
  std::vector<fs::path> found;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder_ / folder, failure)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && name.ends_with(ending) && !entry.is_directory(failure)) {
      found.push_back(folder / name);
    }
  }
  std::ranges::sort(found);
  return found;
}

std::optional<yaml::Document> MeshFiles::read(const fs::path& relative, const base::Shape& shape,
                                              bool literal) {
  const size_t before = problems_.size();
  try {
    yaml::Document document = yaml::parse(text(relative), shown(relative));
    if (!literal) document.substitute(secret_, problems_);
    base::check(shape, document, problems_);
    if (problems_.size() > before) return std::nullopt;
    return document;
  } catch (const Error& e) {
    problems_.push_back(e);
    return std::nullopt;
  }
}

std::string MeshFiles::text(const fs::path& relative) const {
  std::error_code ignored;
  std::ifstream stream(folder_ / relative, std::ios::binary);
  if (fs::is_directory(folder_ / relative, ignored) || !stream) {
    throw Error(Code::kConfigInvalid, "the file cannot be read", {0, 0, shown(relative)});
  }
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

std::string MeshFiles::shown(const fs::path& relative) const {
  return (shown_ / relative).string();
}

void MeshFiles::finish() {
  if (!problems_.empty()) throw ConfigError(std::move(problems_));
}

}  // namespace meesh::mesh
