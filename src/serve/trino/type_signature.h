// Result columns as the protocol describes them: display text and type signature.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "serve/trino/json_text.h"
#include "serve/trino/value_encoder.h"

namespace meesh::serve::trino {

/// The `type` of a column: "decimal(10, 2)", "timestamp(3) with time zone", "row(x integer)".
/// Without parametric date-times "timestamp with time zone" stands for every precision.
std::string protocol_type(const sql::Type& type, DateTimes date_times);

/// {"rawType": …, "arguments": […]}
void write_type_signature(const sql::Type& type, DateTimes date_times, JsonText& out);

/// [{"name": …, "type": …, "typeSignature": …}, …]
std::string columns_json(const std::vector<engine::Column>& columns, DateTimes date_times);

}  // namespace meesh::serve::trino
