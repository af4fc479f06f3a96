// Rows of a query as JSON for the browser: whole numbers up to 2^53 and doubles as numbers,
// decimals and larger ones as text, moments in ISO 8601 ("2026-01-31T08:00:00.5", with zone: in UTC
// with Z), NULL, NaN and infinities as null, binary in base64, arrays, maps and rows as JSON.
#pragma once

#include <string>
#include <string_view>

#include "engine/batch.h"
#include "engine/engine.h"

namespace meesh::dashboards {

/// Appends "…" with what JSON needs escaped.
void append_json_text(std::string& out, std::string_view text);
void append_cell(std::string& out, const engine::ColumnView& column, size_t row);
/// Appends [a,b],[c,d] (no brackets around), with a comma before unless `out` ends in '['.
void append_rows(std::string& out, const engine::Batch& batch, size_t rows);
/// [{"name":…,"type":…}]
std::string columns_json(const std::vector<engine::Column>& columns);

}  // namespace meesh::dashboards
