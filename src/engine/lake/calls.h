// CALL lake.system.…: tables get and lose their names, with the names, arguments and texts of
// Trino's Iceberg connector; import_table is our own.
#pragma once

#include <string>

#include "engine/lake/scan.h"
#include "engine/lake/write.h"
#include "sql/ast.h"

namespace meesh::engine {

/// For the user, whose rights `run` has too. Throws PROCEDURE_NOT_FOUND,
/// INVALID_PROCEDURE_ARGUMENT.
void run_lake_procedure(LakeSource& source, const sql::Call& call, const std::string& user,
                        const std::string& query_id, const RunDuck& run);

}  // namespace meesh::engine
