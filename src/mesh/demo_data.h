// Fills the demo's four tables with generated rows, at any size.
//
//   load_demo_data(running.database_of("sales"), running.database_of("marketing"),
//                  {DemoCounts::scaled(1), 1}, [](uint64_t done, uint64_t total) { return
//                  draw(done, total); });
//
// Generated rows come after all others (the sample rows, what people added) in the ids' order. A
// second load replaces the first one's rows and leaves the others. The rows depend on seed and
// counts only. One transaction a server, committed when both are filled: whoever reads sees the old
// rows or the new ones.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/catalog.h"
#include "mesh/demo_rows.h"

namespace meesh::mesh {

struct DemoLoad {
  DemoCounts counts;
  uint64_t seed = 1;
};

/// Rows sent so far and in all; false cancels. Called a few times a second, by one thread at a
/// time.
using DemoProgress = std::function<bool(uint64_t done, uint64_t total)>;

/// Throws USER_CANCELED (nothing changed), INVALID_ARGUMENTS (counts beyond the tables' ids),
/// NOT_FOUND (the demo's tables are not there), PostgresError.
void load_demo_data(const engine::PostgresOptions& sales, const engine::PostgresOptions& marketing,
                    const DemoLoad& load, const DemoProgress& progress = {});

}  // namespace meesh::mesh
