// What PostgreSQL's own catalog says of the tables whose changes are followed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalogs/postgres_types.h"
#include "ingest/cdc/change_source.h"
#include "ingest/sources/postgresql_changes_link.h"

namespace meesh::ingest {

/// A table as it is now.
struct PostgresTable {
  uint32_t oid = 0;
  std::string schema, name;  // real, perhaps of mixed case
  char kind = 'r';           // relkind: r(elation), p(artitioned), …
  char identity = 'd';       // relreplident: d(efault), n(othing), f(ull), i(ndex)
  bool permanent = true;     // not temporary, not unlogged
  bool mine = false;         // the role may put it into a publication
  double rows = -1;          // about
  struct Column {
    std::string name;
    uint32_t type = 0;
    int modifier = -1, dimensions = 0;
    bool generated = false, not_null = false;
  };
  std::vector<Column> columns;
  std::vector<std::string> primary;         // of the primary key, real names
  std::vector<std::string> identity_index;  // of the index of REPLICA IDENTITY USING INDEX

  std::string quoted() const { return postgres_name(schema) + "." + postgres_name(name); }
};

/// A column of a relation, as the server's catalog or its stream tells.
struct PostgresColumn {
  std::string name;
  uint32_t type = 0;
  int modifier = -1, dimensions = 0;
};

/// Types by OID, asked for as they are met.
class PostgresTypes {
 public:
  /// Trino's type of the column; nothing if it cannot be had. Arrays whose elements JSON cannot
  /// carry are arrays of varchar.
  std::optional<sql::Type> type_of(PostgresLink& link, const PostgresColumn& column);

 private:
  void load(PostgresLink& link, uint32_t oid);
  std::map<uint32_t, engine::PostgresColumnType> known_;
};

/// Throws TABLE_NOT_FOUND.
PostgresTable read_postgres_table(PostgresLink& link, const std::string& source,
                                  const std::string& schema, const TableConfig& table);

/// The columns that tell rows apart when they change, lower case; none: nothing does. A key of the
/// configuration comes first, then the primary key, then that of the identity; of REPLICA IDENTITY
/// FULL without any, all columns.
std::vector<std::string> postgres_key(const PostgresTable& table, const TableConfig& config);

/// Columns that are told of changes and wanted, in order, with their key. `numbers`: where each is
/// among `columns`.
TableShape postgres_shape(PostgresLink& link, PostgresTypes& types, const TableConfig& config,
                          const std::string& origin, const std::vector<PostgresColumn>& columns,
                          const std::vector<std::string>& key, std::vector<size_t>& numbers);

std::string lower_case_name(std::string_view name);

}  // namespace meesh::ingest
