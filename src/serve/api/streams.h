// Streams over HTTP: /api/v1/streams, one of them, pause, resume, reset; runs and replays are told
// in lines of JSON, and …/live sends the newest rows after each commit as server-sent events. See
// docs/streams.md.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>

#include "engine/engine.h"
#include "net/http.h"
#include "streams/streams.h"

namespace meesh::serve::api {

struct StreamsApiOptions {
  /// Where the tables of `live` sinks are.
  std::string live_catalog = "live", live_schema = "default";
  /// Each listener occupies one of the server's threads; more are answered 503.
  size_t most_listeners = 32;
  std::stop_token stopping;  // the server stops: listeners are sent away
};

/// `streams` and `engine` outlive the server.
void register_streams(net::Server& server, streams::Streams& streams, engine::Engine& engine,
                      StreamsApiOptions options = {});

}  // namespace meesh::serve::api
