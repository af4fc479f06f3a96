// The tables of all lakes and what is known of each without reading a row: what SQL would take one
// statement a table for, and snapshots with their numbers exact.
//
//   GET /api/v1/lake/tables     ?catalog=&schema=&search=&cursor=&limit=
//   GET /api/v1/lake/tables/{catalog}/{schema}/{table}
#pragma once

#include <vector>

#include "access/access.h"
#include "lake/catalog.h"
#include "lake/external.h"
#include "net/http.h"
#include "objects/store.h"

namespace meesh::serve::api {

/// All outlive the server. A table is told of to who may read the objects at its location.
struct LakeTablesOptions {
  std::vector<const lake::Catalog*> catalogs;
  const lake::ExternalTables* external = nullptr;
  objects::Store* store = nullptr;
  access::Access* access = nullptr;
};

void register_lake_tables(net::Server& server, const LakeTablesOptions& options);

}  // namespace meesh::serve::api
