#include "engine/located_error.h"

#include <boost/json.hpp>

#include "engine/duck.h"

namespace meesh::engine {
namespace {

/// The error as it was before DuckDB wrapped it into a JSON object.
duckdb::ErrorData unwrapped(const duckdb::ErrorData& error) {
  const std::string& raw = error.RawMessage();
  if (!raw.starts_with('{')) return error;
  boost::system::error_code failed;
  const auto parsed = boost::json::parse(raw, failed);
  if (failed || !parsed.is_object()) return error;
  const auto* message = parsed.as_object().if_contains("exception_message");
  if (!message || !message->is_string()) return error;
  const duckdb::Exception plain(error.ExtraInfo(), error.Type(),
                                std::string(message->as_string()));
  return duckdb::ErrorData(plain);
}

}  // namespace

Error located(const duckdb::ErrorData& error, const sql::Printed* positions) {
  Error out = translate(unwrapped(error));
  if (!positions || out.location().known()) return out;
  const auto found = error.ExtraInfo().find("position");
  if (found == error.ExtraInfo().end()) return out;
  const auto position = positions->position_at(std::strtoull(found->second.c_str(), nullptr, 10));
  if (position.line > 0) out.at("", position.line, position.column);
  return out;
}

}  // namespace meesh::engine
