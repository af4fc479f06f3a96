// Statements that change a MySQL server's tables and schemas.
#pragma once

#include <optional>
#include <string>

#include "engine/catalog.h"
#include "engine/catalogs/mysql_metadata.h"
#include "sql/sql.h"

namespace meesh::engine {

/// Runs one statement. Rows change in one transaction; definitions are as lasting as MySQL makes
/// them, one by one.
class MysqlChange {
 public:
  MysqlChange(MysqlMetadata& metadata, ChangeStatement& change)
      : metadata_(metadata), change_(change) {}

  /// The rows changed, where Trino counts them.
  std::optional<int64_t> run();

 private:
  void create_table(const sql::CreateTable& create);
  int64_t create_table_as(sql::CreateTableAs& create);
  void alter_table(const sql::AlterTable& alter);
  int64_t insert(sql::Insert& insert);
  /// Adds the rows of a query whose columns are those named.
  int64_t add_rows(const std::string& table, const std::vector<std::string>& columns,
                   const sql::Printed& query);

  const sql::TableName& name() const { return change_.analysis.writes.front().name; }
  std::string schema() const;  // quoted; throws SCHEMA_NOT_FOUND
  std::optional<MysqlTable> found() const;
  MysqlTable table() const;
  std::string made(const std::vector<sql::ColumnInfo>& columns,
                   const std::optional<std::string>& comment) const;

  MysqlMetadata& metadata_;
  ChangeStatement& change_;
};

}  // namespace meesh::engine
