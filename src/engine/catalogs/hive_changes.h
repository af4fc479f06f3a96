// Statements that change hive tables and schemas.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "engine/catalogs/hive_tables.h"
#include "engine/catalogs/hive_write.h"

namespace meesh::engine {

/// Runs one statement; if it throws, nothing has changed.
class HiveChange {
 public:
  HiveChange(const HiveSource& source, ChangeStatement& change)
      : source_(source), change_(change) {}

  /// The rows changed, where Trino counts them.
  std::optional<int64_t> run();

 private:
  void create_schema(const sql::CreateSchema& create);
  void drop_schema(const sql::DropSchema& drop);
  void create_table(const sql::CreateTable& create);
  int64_t create_table_as(sql::CreateTableAs& create);
  void drop_table(const std::string& schema, const std::string& name);
  void alter_table(const sql::AlterTable& alter);
  void truncate();
  int64_t insert(sql::Insert& insert);

  const sql::TableName& name() const { return change_.analysis.writes.front().name; }
  lake::ExternalTable table() const;
  /// A definition checked and placed, not kept yet.
  lake::ExternalTable planned(const std::vector<sql::ColumnInfo>& columns,
                              const std::vector<sql::Property>& properties,
                              const std::optional<std::string>& comment) const;
  void place(lake::ExternalTable& table) const;
  HiveFiles write(const lake::ExternalTable& table, const sql::Printed& query) const;

  const HiveSource& source_;
  ChangeStatement& change_;
};

/// CALL of a procedure in the schema `system`.
void run_hive_procedure(const HiveSource& source, const sql::Call& call, const std::string& user);

}  // namespace meesh::engine
