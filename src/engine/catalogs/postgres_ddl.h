// CREATE TABLE and ALTER TABLE in PostgreSQL's words, for what the DuckDB extension loses (lengths,
// precisions, char(n)) or refuses (column types, defaults, NOT NULL).
#pragma once

#include <map>
#include <string>

#include "sql/ast.h"
#include "sql/catalog.h"

namespace meesh::engine {

/// A table's names as the server spells them; `columns` from lower case, for ALTER.
struct PostgresTarget {
  std::string schema, table;
  std::map<std::string, std::string> columns;
};

/// Whether postgres_definition can say the statement.
bool postgres_defines(const sql::Statement& statement);
/// One or more statements to run as one request, and so in one transaction. Throws NOT_SUPPORTED
/// for types PostgreSQL has not.
std::string postgres_definition(const sql::Statement& statement, const PostgresTarget& target);

/// CREATE TABLE of what `table` describes.
std::string postgres_creation(const sql::TableInfo& table, const PostgresTarget& target);

}  // namespace meesh::engine
