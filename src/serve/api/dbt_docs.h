// dbt's own documentation of its projects, served as dbt made it (command "docs"):
//
//   GET /dbt/                     the projects
//   GET /dbt/{project}/           index.html, which reads manifest.json and catalog.json beside it
//   GET /api/v1/dbt               projects with what their commands came to since the start
//   GET /api/v1/dbt/{project}     what a project is made of: id, table, what it reads, tests …
#pragma once

#include "net/http.h"
#include "transform/dbt.h"

namespace meesh::serve::api {

/// `dbt` outlives the server.
void register_dbt_docs(net::Server& server, transform::Dbt& dbt);

}  // namespace meesh::serve::api
