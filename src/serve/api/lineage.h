// Lineage over HTTP: OpenLineage events come in at POST /api/v1/lineage as at any collector of
// theirs, GET /api/v1/lineage tells the graph and GET /api/v1/lineage/events the events. See
// docs/lineage.md.
#pragma once

#include "governance/lineage_store.h"
#include "net/http.h"

namespace meesh::serve::api {

/// `lineage` outlives the server.
void register_lineage(net::Server& server, governance::LineageStore& lineage);

}  // namespace meesh::serve::api
