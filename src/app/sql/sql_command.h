// `meesh sql`: a terminal client for any server that speaks the Trino protocol.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/sql/result_printer.h"
#include "app/sql/trino_client.h"

namespace meesh::app {

struct SqlOptions {
  ClientSession session;
  std::vector<std::string> execute;    // -e, in order
  std::string file;                    // -f; "-" is standard input
  std::optional<OutputFormat> format;  // absent: aligned on a terminal, csv otherwise
  bool ignore_errors = false;
  bool quiet = false;  // no summaries, no progress
};

/// The name that the system knows this user by; "meesh" if it knows none.
std::string system_user();

/// 0 all well, 1 a statement failed, 3 no server, 130 interrupted.
int run_sql(const SqlOptions& options);

}  // namespace meesh::app
