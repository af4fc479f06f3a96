// The catalog kind `hive`: external tables over folders of Parquet, CSV, text and JSON files, as
// Trino's Hive connector has them. Definitions are those of lake::ExternalTables.
#pragma once

#include <memory>
#include <string>

#include "engine/catalog.h"
#include "engine/engine.h"

namespace meesh::lake {
class ExternalTables;
}
namespace meesh::objects {
class Store;
}
namespace meesh::sql {
struct Call;
}

namespace meesh::engine {

/// `tables` and `store` outlive the engine, which must know the same store (Engine::use_objects)
/// before the first statement. `authorize` is asked before a statement changes a table or its
/// files; empty: everybody may do everything. Who may read a file is asked when it is opened.
std::unique_ptr<Catalog> make_hive_catalog(std::string name, lake::ExternalTables& tables,
                                           objects::Store& store, AuthorizeObject authorize = {});

/// CALL <catalog>.system.sync_partition_metadata, register_partition and unregister_partition for
/// the user. `catalog` is one of make_hive_catalog. Throws PROCEDURE_NOT_FOUND,
/// INVALID_PROCEDURE_ARGUMENT.
void call_hive_procedure(Catalog& catalog, const sql::Call& call, const std::string& user);

}  // namespace meesh::engine
