// The catalog kind `lake`: Iceberg tables and views of a lake::Catalog. Schemas are its namespaces
// of one level.
#pragma once

#include <memory>
#include <string>

#include "engine/catalog.h"
#include "engine/engine.h"

namespace meesh::lake {
class Catalog;
class ManifestCache;
}  // namespace meesh::lake

namespace meesh::engine {

/// `catalog` and `cache` outlive the engine. `authorize` is asked for "s3:GetObject",
/// "s3:PutObject" or "s3:DeleteObject" on <a table's place>/* before a statement reads or changes
/// the table; empty: everybody may do everything. The engine must know the objects
/// (Engine::use_objects) before the first statement.
std::unique_ptr<Catalog> make_lake_catalog(std::string name, lake::Catalog& catalog,
                                           lake::ManifestCache& cache, AuthorizeObject authorize);

}  // namespace meesh::engine
