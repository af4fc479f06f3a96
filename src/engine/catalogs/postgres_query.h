// A query in PostgreSQL's own words as a table: TABLE(catalog.system.query(query => '…')).
#pragma once

#include <string>

#include "engine/catalogs/postgres_connection.h"
#include "sql/catalog.h"

namespace meesh::engine {

/// Asks the server which columns the query gives. It has to be one statement that can stand in
/// FROM. Throws kJdbcError with what the server says, NOT_SUPPORTED for a column of a type that
/// cannot be read.
sql::TableInfo postgres_query_table(PostgresPool& pool, const std::string& catalog,
                                    const std::string& query);

}  // namespace meesh::engine
