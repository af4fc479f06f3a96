// Ingestion over HTTP: /api/v1/ingest/sources, status, history; a sync's answer comes as lines of
// JSON while it runs. See docs/ingestion.md.
#pragma once

#include "ingest/ingest.h"
#include "net/http.h"

namespace meesh::serve::api {

/// `ingest` outlives the server.
void register_ingest(net::Server& server, ingest::Ingest& ingest);

}  // namespace meesh::serve::api
