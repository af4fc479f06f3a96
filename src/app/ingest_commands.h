// Parts of `meesh ingest`, each in a file of its own; `app` is that command.
#pragma once

#include <CLI/CLI.hpp>

namespace meesh::app {

/// state, history: how far streams were read, and how their runs went.
void add_ingest_state(CLI::App& app, int& exit_code);
/// connectors: those of Airbyte, found, installed and looked at.
void add_ingest_connectors(CLI::App& app, int& exit_code);

}  // namespace meesh::app
