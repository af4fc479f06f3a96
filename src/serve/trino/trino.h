// The Trino client protocol over HTTP: POST /v1/statement and the pages that follow, the segments
// of spooled results, /v1/query, /v1/info and /v1/status.
//
//   net::Server server(options);
//   serve::trino::register_trino(server, *engine, {});
//   server.start();
//
// It translates and keeps nothing but the page last sent of every query, so that a client whose
// answer got lost can ask for it again, and the segments that clients have not read yet.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/engine.h"
#include "net/http.h"
#include "serve/trino/segment_store.h"

namespace meesh::serve::trino {

struct Options {
  std::string node_id = "meesh";
  uint64_t default_page_bytes = 1 << 20;
  uint64_t max_page_bytes = 128 << 20;
  uint64_t max_statement_bytes = 16 << 20;
  std::chrono::milliseconds max_wait{1000};
  /// A page goes out this long after its first row even if it is small.
  std::chrono::milliseconds gather{5};
  /// Requests that may wait for their query at the same time, each on a worker thread of the
  /// server; more than that wait `crowded_wait` only, so that workers stay free.
  size_t max_waiting = 40;
  std::chrono::milliseconds crowded_wait{50};
  /// Statements whose last page was sent stay known for a repeated request, the latest so many.
  size_t max_ended = 2000;
  /// Where segments of large results wait for clients that ask for the spooled protocol; emptied at
  /// the start. Without a folder rows always stand in the pages.
  std::optional<SegmentOptions> segments{};
};

/// `engine` must outlive the server.
void register_trino(net::Server& server, engine::Engine& engine, Options options);

}  // namespace meesh::serve::trino
