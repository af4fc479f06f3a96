// `meesh demo run`: a pipeline of the demo on a running server, and the marts it made.
#pragma once

#include <string>

namespace meesh::app {

struct DemoRun {
  std::string pipeline;
  std::string server;
  std::string queries;   // folder whose folder <pipeline> holds the queries that show the marts
  std::string run_date;  // "" = the server's today
};

/// Runs the pipeline, shows its steps as they end, then the marts. The exit code: as
/// follow_run()'s, and 1 if a query failed. Throws UNAVAILABLE (no server) and what the server
/// refuses.
int run_demo(const DemoRun& wanted);

}  // namespace meesh::app
