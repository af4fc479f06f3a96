// `meesh lake scrub`, `backup`, `rotate-key` and `rebuild`: the store kept in order, over a running
// server or, when none runs, on the data folder itself.
#pragma once

#include <CLI/CLI.hpp>

namespace meesh::app {

void add_upkeep(CLI::App& lake, int& exit_code);

}  // namespace meesh::app
