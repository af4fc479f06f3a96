// The catalog kind `lake`: Iceberg tables and views of a lake::Catalog. Schemas are its namespaces
// of one level.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/catalog.h"
#include "engine/engine.h"

namespace meesh::lake {
class Catalog;
class ManifestCache;
}  // namespace meesh::lake
namespace meesh::sql {
struct Call;
}  // namespace meesh::sql

namespace meesh::engine {

/// `catalog` and `cache` outlive the engine. `authorize` is asked for "s3:GetObject",
/// "s3:PutObject" or "s3:DeleteObject" on <a table's place>/* before a statement reads or changes
/// the table; empty: everybody may do everything. The engine must know the objects
/// (Engine::use_objects) before the first statement.
std::unique_ptr<Catalog> make_lake_catalog(std::string name, lake::Catalog& catalog,
                                           lake::ManifestCache& cache, AuthorizeObject authorize);

/// Runs DuckDB SQL with the rights of the statement's user, until it is canceled.
using RunProcedure =
    std::function<std::unique_ptr<duckdb::MaterializedQueryResult>(const sql::Printed&)>;

/// CALL <catalog>.system.register_table, unregister_table and import_table for the user. `catalog`
/// is one of make_lake_catalog. Throws PROCEDURE_NOT_FOUND, INVALID_PROCEDURE_ARGUMENT.
void call_lake_procedure(Catalog& catalog, const sql::Call& call, const std::string& user,
                         const std::string& query_id, const RunProcedure& run);

}  // namespace meesh::engine
