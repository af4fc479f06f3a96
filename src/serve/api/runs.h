// Pipelines over HTTP: /api/v1/pipelines, runs, backfills, schedules, assets, alerts. JSON; logs
// and changes of a run are streamed.
#pragma once

#include "net/http.h"
#include "pipelines/pipelines.h"

namespace meesh::serve::api {

/// `pipelines` outlives the server.
void register_runs(net::Server& server, pipelines::Pipelines& pipelines);

}  // namespace meesh::serve::api
