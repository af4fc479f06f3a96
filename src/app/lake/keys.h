// With which key and for which mesh `meesh lake` works.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace meesh::app {

struct S3Keys {
  std::string access_key, secret_key, session_token;
};

/// The environment's, as the AWS tools read it, else the administrator's of the mesh; with a mesh
/// or data folder given, always that one's. Throws SECRET_MISSING.
S3Keys find_keys(const std::string& mesh_folder, const std::string& data_folder = {});
/// The folder given, else the current one or ./demo if a mesh is there; "" if none is.
std::string find_mesh(const std::string& given);

/// "" if it is not set.
std::string environment(const char* name);

}  // namespace meesh::app
