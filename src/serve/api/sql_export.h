// A statement's whole result as a file: CSV and JSON go out row by row as the engine finds them,
// Parquet and Excel are written to a file first and sent then.
#pragma once

#include <string>

#include "engine/engine.h"
#include "net/http.h"

namespace meesh::serve::api {

struct ExportRequest {
  enum class Format { kCsv, kJson, kParquet, kXlsx };
  std::string statement;
  engine::Session session;
  Format format = Format::kCsv;
  /// CSV: text that a spreadsheet would take for a formula gets a ' before it.
  bool guard_formulas = true;
  std::string name = "result";  // of the file, without its ending
};

/// Throws before the first byte: SYNTAX_ERROR, BAD_REQUEST for what is no query (an export never
/// changes anything), and what the query fails with. An error after it cuts the connection.
void export_rows(engine::Engine& engine, const ExportRequest& asked, net::Request& request,
                 net::Response& response);

/// One field of CSV; `guard` as above.
std::string csv_field(std::string_view text, bool guard);

}  // namespace meesh::serve::api
