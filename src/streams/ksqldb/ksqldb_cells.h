// A value of a ksqlDB row as a cell of a buffer.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/catalogs/buffers.h"
#include "sql/type.h"

namespace meesh::streams {

/// What the cells of a column of this type are kept as: itself, or varchar with JSON text.
sql::Type stored_ksqldb_type(const sql::Type& type);

/// Null leaves the cell NULL. False, and `wrong` says why ("'abc' is no date"), if the value is not
/// of the type. `type` is one of type_of_ksqldb().
bool set_ksqldb_cell(engine::RowBuffer& rows, size_t column, const sql::Type& type,
                     const boost::json::value& value, std::string& wrong);

/// The pieces of it that read text; nothing if it is not of the form.
std::optional<int64_t> date_of_ksqldb(std::string_view text);       // "2024-02-29" → days
std::optional<int64_t> time_of_ksqldb(std::string_view text);       // "10:30:05.123" → µs
std::optional<int64_t> timestamp_of_ksqldb(std::string_view text);  // "…T10:30:05.123" → µs
/// The unscaled value. Digits behind `scale` must be zeros.
std::optional<__int128> decimal_of_ksqldb(std::string_view text, int scale);

}  // namespace meesh::streams
