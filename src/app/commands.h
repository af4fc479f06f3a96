// The commands of `meesh`, each a function from its options to an exit code.
#pragma once

#include <CLI/CLI.hpp>

namespace meesh::app {

/// Each adds its subcommand; `exit_code` receives what running it gave.
void add_serve(CLI::App& app, int& exit_code);
void add_sql(CLI::App& app, int& exit_code);
void add_lake(CLI::App& app, int& exit_code);
void add_access(CLI::App& app, int& exit_code);
void add_demo(CLI::App& app, int& exit_code);
void add_ingest(CLI::App& app, int& exit_code);
void add_streams(CLI::App& app, int& exit_code);
void add_feed(CLI::App& app, int& exit_code);
void add_lineage(CLI::App& app, int& exit_code);
void add_quality(CLI::App& app, int& exit_code);    // check, profile, contract
void add_pipelines(CLI::App& app, int& exit_code);  // run, runs, backfill, logs, schedule, assets
void add_export(CLI::App& app, int& exit_code);     // to Grafana, Superset
void add_doctor(CLI::App& app, int& exit_code);
void add_schema(CLI::App& app, int& exit_code);
void add_version(CLI::App& app, int& exit_code);

}  // namespace meesh::app
