// The catalogs of a mesh whose data lie elsewhere than in PostgreSQL: MySQL servers, and files of
// SQLite and DuckDB.
#pragma once

#include <vector>

#include "engine/catalogs/attached.h"
#include "mesh/mesh.h"

namespace meesh::mesh {

/// One for each domain and each extra catalog of kind mysql, named by catalog.
std::vector<engine::MysqlOptions> mysql_catalogs(const Mesh& mesh);
std::vector<engine::AttachedFile> attached_files(const Mesh& mesh);

}  // namespace meesh::mesh
