// What a PostgreSQL server's own catalog says of its tables, as sql::TableInfo.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/catalogs/postgres_connection.h"
#include "sql/catalog.h"

namespace meesh::engine {

struct RemoteTable {
  sql::TableInfo info;
  std::vector<std::string> real_columns;  // parallel to info.columns
  /// Text that changes when anything changes that the extension keeps of the table.
  std::string fingerprint;
};

/// Stateless over the pool. Names go in and come out with A-Z lowered; the exact spelling wins when
/// several names are the same without case, then the first in name order.
class PostgresMetadata {
 public:
  PostgresMetadata(PostgresPool& pool, std::string catalog, bool read_only)
      : pool_(pool), catalog_(std::move(catalog)), read_only_(read_only) {}

  std::vector<std::string> schemas();
  bool schema_exists(const std::string& schema);
  /// The spelling the server has, nothing if there is no such schema.
  std::optional<std::string> real_schema(const std::string& schema);
  std::vector<std::string> tables(const std::string& schema);
  std::optional<RemoteTable> table(const std::string& schema, const std::string& table);
  /// Empty schema = all.
  std::vector<RemoteTable> describe(const std::string& schema);
  using Key = std::pair<std::string, std::string>;  // schema, table
  /// Of every table that is not the server's own.
  std::map<Key, std::string> fingerprints();

 private:
  std::vector<RemoteTable> assemble(const PostgresRows& rows) const;
  void finish(RemoteTable& table, const std::string& kind, bool has_children, bool all_plain,
              const std::vector<std::string>& sources) const;

  PostgresPool& pool_;
  const std::string catalog_;
  const bool read_only_;
};

}  // namespace meesh::engine
