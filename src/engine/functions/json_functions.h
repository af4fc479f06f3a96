// What the SQL/JSON functions share.
#pragma once

#include "engine/functions/json_path.h"
#include "engine/functions/rules.h"

namespace meesh::engine {

/// The input as text: text is, bytes are read in the encoding of the FORMAT clause. Throws
/// TYPE_MISMATCH.
ExprPtr json_input(const Build& build, ExprPtr input, const std::string& format);
/// name, value, format, … from `from` on, as one JSON object. Every variable of the path must be
/// among them: INVALID_PATH.
ExprPtr json_variables(const Build& build, Exprs& args, size_t from, const JsonPath& path);

ExprPtr json_table_hook(const Build& build, Exprs args);  // json_table.cc

}  // namespace meesh::engine
