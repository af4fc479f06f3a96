// `meesh demo produce`: generated events into a Kafka topic, at a rate or as fast as it goes.
#pragma once

#include <CLI/CLI.hpp>

namespace meesh::app {

/// Adds the subcommand to `demo`; `exit_code` receives what running it gave.
void add_demo_produce(CLI::App& demo, int& exit_code);

}  // namespace meesh::app
