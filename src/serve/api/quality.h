// Quality over HTTP: /api/v1/quality/checks, results, scores, profiles; running checks and taking
// profiles, whose answers come as lines of JSON while the work goes on. See docs/quality.md.
#pragma once

#include "net/http.h"
#include "quality/quality.h"

namespace meesh::serve::api {

/// `quality` outlives the server.
void register_quality(net::Server& server, quality::Quality& quality);

}  // namespace meesh::serve::api
