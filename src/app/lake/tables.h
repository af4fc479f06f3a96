// `meesh lake tables`, `describe`, `history`, `rollback` and `optimize`: Iceberg tables from the
// terminal. Each is one statement that a running server is asked in SQL.
#pragma once

#include <CLI/CLI.hpp>

namespace meesh::app {

void add_tables(CLI::App& lake, int& exit_code);

}  // namespace meesh::app
