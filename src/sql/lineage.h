// Where the rows and columns of a statement that writes come from, read off its resolved tree.
//
// The kinds are those of OpenLineage's columnLineage facet 1-2: a DIRECT source gives the value
// itself, an INDIRECT one decides over it (a CASE) or over which rows there are (WHERE, JOIN …).
// What decides over rows stands once, in Lineage::rows, not at every column.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sql/sql.h"

namespace meesh::sql {

enum class Influence {
  kIdentity,        // direct: the value as it is
  kTransformation,  // direct: computed from it, or a part of it; a cast, too
  kAggregation,     // direct: computed from it over several rows
  kConditional,     // indirect: the condition of CASE or IF
  kWindow,          // indirect: PARTITION BY, ORDER BY and frame of OVER
  kJoin,            // indirect: ON, USING, MERGE … ON
  kGroupBy,         // indirect: GROUP BY, DISTINCT, UNION without ALL
  kFilter,          // indirect: WHERE, HAVING, FILTER, IN and EXISTS, MERGE … WHEN … AND
  kSort,            // indirect: ORDER BY
};
bool is_direct(Influence influence);
/// "IDENTITY", "GROUP_BY" …
std::string_view influence_name(Influence influence);
std::optional<Influence> influence_of(std::string_view name);

struct ColumnSource {
  TableName table;
  std::string column;
  std::set<Influence> influences;  // never empty
};

struct ColumnLineage {
  std::string column;
  std::vector<ColumnSource> sources;  // none: a constant, count(*), now() …
  std::string reason;                 // why they are not known; "" = they are
};

/// Columns and their types as Trino text ("" = not known before the statement has run).
struct TableColumns {
  TableName table;
  std::vector<std::pair<std::string, std::string>> columns;
};

struct Lineage {
  std::string statement;           // "INSERT", "CREATE TABLE AS SELECT", "RENAME COLUMN" …
  std::vector<TableName> inputs;   // base tables whose rows or values it reads, through views too
  std::vector<TableName> views;    // the views it read them through
  std::vector<TableName> outputs;  // DROP SCHEMA: catalog and schema alone
  std::vector<ColumnLineage> columns;
  std::vector<ColumnSource> rows;  // what decides over the rows
  std::string rows_reason;         // why that is not known; "" = it is
  std::vector<TableColumns> tables;
  /// The statement leaves nothing of what the outputs held before: CREATE, REFRESH, TRUNCATE.
  bool replaces = false;
};

/// Of a resolved statement: INSERT, UPDATE, DELETE, MERGE, TRUNCATE, CREATE TABLE [AS], CREATE
/// [MATERIALIZED] VIEW, REFRESH, DROP of a table, view or schema, RENAME of one or of a column,
/// DROP COLUMN; nothing for all others, and for IF NOT EXISTS of what is there. Call it right after
/// sql::resolve: whoever runs a statement may take the query out of it. RENAME has the old name as
/// its input and the new one as its output.
std::optional<Lineage> lineage_of(const Statement& statement, const Analysis& analysis,
                                  CatalogReader& catalogs);
/// Of a view whose query was resolved by itself (`body` is a QueryStatement).
Lineage lineage_of_view(const Statement& body, const Analysis& analysis, const TableInfo& view);
/// Of DROP VIEW and RENAME VIEW, which are run without resolution.
Lineage lineage_of_drop(std::string statement, TableName name);
Lineage lineage_of_rename(std::string statement, TableName from, TableName to);

}  // namespace meesh::sql
