// What the catalogue reads off dashboards/*.yaml: what they are about and which tables they show.
#pragma once

#include <string>
#include <vector>

#include "mesh/mesh.h"

namespace meesh::serve::api {

struct DashboardFacts {
  std::string name, title, description, owner;
  std::vector<std::string> tags;
  std::vector<std::string> charts;  // their titles
  std::vector<std::string> tables;  // catalog.schema.table, of statements that can be read
  std::string file;                 // relative to the mesh
};

/// Files that are no dashboards are left out: whoever owns them complains.
std::vector<DashboardFacts> read_dashboards(const mesh::Mesh& mesh);

}  // namespace meesh::serve::api
