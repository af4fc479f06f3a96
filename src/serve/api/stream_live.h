// The newest rows of what a stream writes, sent after each commit as server-sent events:
//
//   id: 17
//   event: commit
//   data: {"stream", "state", "batch", "watermark", "table", "columns": [{"name", "type"}],
//          "rows": [[…]], "more": there are older ones}
//
// The first comes at once if anything was committed; a client that comes again with Last-Event-ID
// is sent what is newer. `event: failure` carries an error instead of rows. Between events a
// comment says every few seconds that the server is there.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <stop_token>
#include <string>

#include "engine/engine.h"
#include "net/http.h"
#include "sql/catalog.h"
#include "streams/streams.h"

namespace meesh::serve::api {

constexpr size_t kMostLiveRows = 1000;

/// A table that a stream writes, and how its newest rows are told from others.
struct LiveTable {
  sql::TableName name;
  bool in_memory = false;  // keeps the order in which rows came
  std::string event_time;  // else: a column by which rows are ordered, if the table has it; or ""
};

/// {"columns", "rows", "more"}: at most `most` rows, the newest last. Values as in Trino's
/// protocol: decimals, times and the like as text, numbers that are none as "NaN"; arrays, maps and
/// rows as JSON. Throws the engine's errors.
boost::json::object newest_rows(engine::Engine& engine, const LiveTable& table, size_t most,
                                std::stop_token stop);

struct LiveRequest {
  std::string stream;
  LiveTable table;
  size_t most = kMostLiveRows;
};

/// Answers until the client leaves or `stopping`.
void send_live(streams::Streams& streams, engine::Engine& engine, const LiveRequest& wanted,
               net::Request& request, net::Response& response, const std::stop_token& stopping);

}  // namespace meesh::serve::api
