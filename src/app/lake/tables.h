// `meesh lake tables`, `describe`, `history`, `rollback`, `optimize`, `import` and `export`:
// Iceberg tables from the terminal. Each is a statement or two that a running server is asked in
// SQL; import and export copy files besides if a folder is this machine's (local_tables.h).
#pragma once

#include <CLI/CLI.hpp>

namespace meesh::app {

void add_tables(CLI::App& lake, int& exit_code);

}  // namespace meesh::app
