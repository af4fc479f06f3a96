// What is told of a query besides its rows: statistics, errors, the entries of /v1/query.
#pragma once

#include <string>

#include "engine/engine.h"
#include "serve/trino/json_text.h"

namespace meesh::serve::trino {

/// The StatementStats object. `progressPercentage` is absent while nothing is known. Splits are
/// hundredths of the progress: there are no real ones.
void write_statement_stats(const engine::QueryInfo& info, JsonText& out);

/// The QueryError object: message with "line 1:15: ", Trino's code, name and type, errorLocation,
/// failureInfo. A hint goes into the message of anything but a user's mistake (whose texts are
/// Trino's to the letter) and always into the member `hint`.
void write_error(const Error& error, JsonText& out);

/// An element of GET /v1/query, and with `full` the answer of GET /v1/query/{id}.
void write_query_info(const engine::QueryInfo& info, const std::string& base_uri, bool full,
                      JsonText& out);

/// "1.50s", "250.00ms", "2.00m": two decimals in the largest unit that keeps it at 1 or more.
std::string succinct_duration(int64_t milliseconds);

}  // namespace meesh::serve::trino
