// Puts generated Northwind rows into a database, or writes them down as SQL.
//
//   load_northwind(running.database_of("northwind"), {NorthwindCounts::scaled(10), 1}, {});
//
// One transaction: whoever reads sees the old rows or the new ones. Tables of generated rows carry
// that in the comment of `orders`; others are not overwritten unless it is asked for.
#pragma once

#include <ostream>

#include "engine/catalog.h"
#include "mesh/demo_data.h"
#include "mesh/northwind_rows.h"

namespace meesh::mesh {

struct NorthwindLoad {
  NorthwindCounts counts;
  uint64_t seed = 1;
  bool replace = false;  // rows that were not generated too
};

/// The number of rows. Keys that outgrow `smallint` make their columns `integer`. Throws
/// USER_CANCELED (nothing changed), ALREADY_EXISTS (somebody else's rows), NOT_FOUND (no such
/// tables), PostgresError.
uint64_t load_northwind(const engine::PostgresOptions& database, const NorthwindLoad& load,
                        const DemoProgress& progress = {});

/// One statement that fills empty tables and leaves others alone.
void write_northwind_sql(const NorthwindRows& rows, std::ostream& out);

}  // namespace meesh::mesh
