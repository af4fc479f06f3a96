#include "engine/located_error.h"

#include <algorithm>
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
  const duckdb::Exception plain(error.ExtraInfo(), error.Type(), std::string(message->as_string()));
  return duckdb::ErrorData(plain);
}

/// Functions and casts that do not take their argument are found at the argument; Trino names the
/// call.
bool speaks_of_call(const Error& error) {
  return error.code() == Code::kFunctionNotFound ||
         (error.code() == Code::kTypeMismatch && error.message().starts_with("Cannot cast "));
}

/// The node printed just before the one at the offset: what it is the first argument of.
sql::Position call_at(const sql::Printed& printed, size_t offset) {
  const auto after =
      std::upper_bound(printed.map.begin(), printed.map.end(), offset,
                       [](size_t at, const auto& entry) { return at < entry.first; });
  const auto here = after - printed.map.begin();
  return here < 2 ? printed.position_at(offset) : (after - 2)->second;
}

}  // namespace

Error located(const duckdb::ErrorData& error, const sql::Printed* positions) {
  Error out = translate(unwrapped(error));
  if (!positions || out.location().known()) return out;
  // A value that overflows is met while the statement runs, even if DuckDB meets it while it binds.
  if (out.code() == Code::kNumericValueOutOfRange) return out;
  const auto found = error.ExtraInfo().find("position");
  if (found == error.ExtraInfo().end()) return out;
  const size_t offset = std::strtoull(found->second.c_str(), nullptr, 10);
  const auto position =
      speaks_of_call(out) ? call_at(*positions, offset) : positions->position_at(offset);
  if (position.line > 0) out.at("", position.line, position.column);
  return out;
}

}  // namespace meesh::engine
