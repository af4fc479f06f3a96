// X-Trino-* headers in both directions: a request's into an engine session, a statement's session
// changes into a response. What is malformed throws net::HttpError, which clients treat as fatal.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time_zone.h"
#include "engine/engine.h"
#include "net/http.h"
#include "serve/trino/data_encoding.h"
#include "serve/trino/value_encoder.h"

namespace meesh::serve::trino {

/// What the headers of POST /v1/statement say.
struct ClientContext {
  engine::Session session;
  DateTimes date_times = DateTimes::kMilliseconds;
  std::shared_ptr<const TimeZone> zone;
  std::optional<DataEncoding> encoding;  // none: rows stand in the pages
};

/// Throws net::HttpError: 401 without a user, 400 for anything malformed, naming the header.
ClientContext read_client_context(const net::Request& request);

/// Scheme and authority under which the client sees this server, without a trailing slash:
/// X-Forwarded-Proto, -Host and -Port win over Host. Throws net::HttpError 400 for a Host that is
/// none.
std::string base_uri(const net::Request& request);

/// Adds Set-Catalog … Clear-Transaction-Id.
void add_session_changes(const engine::SessionChanges& changes, net::Headers& headers);

/// "1s", "250ms", "0.5m"; throws net::HttpError 400.
std::chrono::milliseconds parse_duration(std::string_view text);
/// "10MB", "1kB", "512B", powers of 1024; throws net::HttpError 400.
uint64_t parse_data_size(std::string_view text);

}  // namespace meesh::serve::trino
