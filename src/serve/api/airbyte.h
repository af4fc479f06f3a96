// Airbyte's own API over the mesh's sources, with its shapes, for programs that speak it:
// /api/v1/sources, connections, jobs, source_definitions, destinations, workspaces, state; and the
// connectors themselves: /api/v1/ingest/connectors. (/api/v1/health is in inventory.h.)
//
// A source of the mesh is a source and the connection from it into the lake; what is changed, is
// changed in sources/*.yaml. A job is a sync of all streams of a connection. See docs/airbyte.md.
#pragma once

#include "ingest/ingest.h"
#include "mesh/mesh.h"
#include "net/http.h"

namespace meesh::serve::api {

/// Both outlive the server; syncs that were begun here end with it.
void register_airbyte(net::Server& server, ingest::Ingest& ingest, const mesh::Mesh& mesh);

}  // namespace meesh::serve::api
