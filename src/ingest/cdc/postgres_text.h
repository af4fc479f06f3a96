// PostgreSQL's text of values, as COPY and logical replication write it with DateStyle ISO,
// TimeZone UTC, extra_float_digits 1 or more and bytea_output hex: read into cells of a RowBuffer.
// Snapshot and stream go the same way, so that equal values land equal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch.h"
#include "engine/catalogs/buffers.h"
#include "ingest/cdc/pgoutput.h"
#include "sql/type.h"

namespace meesh::ingest {

// Each gives nothing for a text that is no such value, or none that fits.

/// Days since 1970-01-01. "infinity" is DuckDB's: the greatest 32-bit number, and its negative.
std::optional<int64_t> read_postgres_date(std::string_view text);
/// µs of the day.
std::optional<int64_t> read_postgres_time(std::string_view text);
/// µs since the epoch; of a text with an offset, in UTC. "infinity" is DuckDB's: the greatest
/// 64-bit number, and its negative.
std::optional<int64_t> read_postgres_timestamp(std::string_view text);
/// The unscaled value, rounded half away from zero where the text has more digits.
std::optional<engine::Int128> read_postgres_decimal(std::string_view text, int precision,
                                                    int scale);
/// As engine/batch.h lays a uuid out.
std::optional<engine::Int128> read_postgres_uuid(std::string_view text);
/// "\x0102" as bytes.
std::optional<std::string> read_postgres_bytes(std::string_view text);
/// "{1,NULL,{…}}" of so many dimensions as JSON text, for an array of `element` values.
std::optional<std::string> read_postgres_array(std::string_view text, const sql::Type& element,
                                               int dimensions);

/// Puts the value into the cell; false, and the cell stays NULL, for a text that is none.
bool put_postgres_text(engine::RowBuffer& rows, size_t column, const sql::Type& type,
                       std::string_view text);

/// A row of COPY … TO STDOUT in text format, taken apart. The cells are views into `line` or into
/// `unescaped`, which must outlive them. `line` may end with its line feed.
void split_copy_row(std::string_view line, std::vector<pgoutput::Cell>& cells,
                    std::string& unescaped);

}  // namespace meesh::ingest
