// Streams as the API tells of them, and the moments that requests name.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "streams/streams.h"

namespace meesh::serve::api {

/// What is not known (lag, watermark) is null.
boost::json::object to_json(const streams::StreamStatus& status);
/// What its file says, without how clusters are reached: no passwords.
boost::json::object to_json(const streams::StreamConfig& config);

/// "2025-01-15T06:00:00.250Z"; milliseconds since 1970.
std::string instant_text(int64_t ms);
/// "2025-01-15", "2025-01-15 06:00", with or without seconds and an offset (without: UTC), or
/// milliseconds since 1970. Throws BAD_REQUEST that names `what`.
int64_t instant_of(const std::string& text, std::string_view what);

/// "earliest", "latest", a moment, or offsets: "orders:0=1500,orders:1=980". Throws BAD_REQUEST.
streams::ResetTo reset_to(const std::string& text);

}  // namespace meesh::serve::api
