// What Prometheus scrapes: GET /metrics. Of streams, statements, pipelines, the HTTP server and the
// process; see docs/streams.md.
#pragma once

#include "engine/engine.h"
#include "net/http.h"
#include "pipelines/pipelines.h"
#include "streams/streams.h"

namespace meesh::serve::api {

/// All outlive the server.
void register_metrics(net::Server& server, streams::Streams& streams, engine::Engine& engine,
                      pipelines::Pipelines& pipelines);

}  // namespace meesh::serve::api
