// Feeds over HTTP: /api/v1/data-lake; the answer of an export comes as lines of JSON while it runs.
// See docs/feeds.md.
#pragma once

#include "net/http.h"
#include "streams/feeds/feeds.h"

namespace meesh::serve::api {

/// `feeds` outlives the server.
void register_feeds(net::Server& server, streams::Feeds& feeds);

}  // namespace meesh::serve::api
