// What Prometheus scrapes: GET /metrics. Of streams, statements, pipelines, ingestion, dbt,
// quality, the HTTP server and the process; see docs/streams.md and docs/console.md.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "net/http.h"
#include "serve/api/inventory.h"
#include "serve/api/metrics_text.h"

namespace meesh::serve::api {

/// Metrics of parts that are not among MeshParts, each with a name of its own.
using MoreMetrics = std::vector<std::pair<const char*, std::function<void(MetricsText&)>>>;

void register_metrics(net::Server& server, const MeshParts& parts, MoreMetrics more = {});

}  // namespace meesh::serve::api
