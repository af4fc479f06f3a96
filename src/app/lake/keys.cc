#include "app/lake/keys.h"

#include <cstdlib>

#include "app/object_service.h"

namespace meesh::app {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value ? value : "";
}

std::string find_mesh(const std::string& given) {
  if (!given.empty()) return given;
  for (const char* guess : {".", "demo"}) {
    if (std::filesystem::exists(std::filesystem::path(guess) / "meesh.yaml")) return guess;
  }
  return "";
}

S3Keys find_keys(const std::string& mesh_folder, const std::string& data_folder) {
  S3Keys keys{environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"),
              environment("AWS_SESSION_TOKEN")};
  if (mesh_folder.empty() && data_folder.empty() && !keys.access_key.empty()) return keys;
  const std::string folder = find_mesh(mesh_folder);
  if (folder.empty()) {
    throw Error(Code::kSecretMissing, "no key for the object store")
        .with_hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --mesh");
  }
  const RootKeys root = root_keys(mesh::Mesh::load(folder, {.data = data_folder}));
  return {root.access_key, root.secret_key, ""};
}

}  // namespace meesh::app
