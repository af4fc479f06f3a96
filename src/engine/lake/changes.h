// Statements that change Iceberg tables and schemas.
#pragma once

#include <optional>
#include <string>

#include "engine/catalog.h"
#include "engine/lake/scan.h"
#include "engine/lake/write.h"

namespace meesh::engine {

/// What the statement's session wants looked at before a change is published; null: nothing.
lake::Audit audit_of(LakeSource& source, const std::string& catalog, const ChangeStatement& change);

/// Runs one statement. Of its parts, rows are written first and one commit makes them the table's;
/// if anything throws, nothing has changed.
class LakeChange {
 public:
  LakeChange(LakeSource& source, const std::string& catalog, ChangeStatement& change)
      : source_(source), catalog_(catalog), change_(change) {}

  /// The rows changed, where Trino counts them.
  std::optional<int64_t> run();

 private:
  // changes.cc
  void create_schema(const sql::CreateSchema& create);
  void drop_schema(const sql::DropSchema& drop);
  void create_table(const sql::CreateTable& create);
  int64_t create_table_as(sql::CreateTableAs& create);
  void drop_table(const sql::DropTable& drop);
  int64_t insert(sql::Insert& insert);
  void truncate();
  // changes_alter.cc
  void alter_table(const sql::AlterTable& alter);
  void alter_schema(const sql::AlterTable& alter, const lake::Identifier& name);
  void set_properties(const sql::AlterTable& alter, const lake::Identifier& name);
  // procedures.cc
  void execute(const sql::AlterTable& alter);
  void optimize(const sql::AlterTable& alter);
  // statistics.cc
  void analyze(const sql::Analyze& analyze);
  // changes_rows.cc
  int64_t remove(sql::Delete& remove);
  int64_t update(sql::Update& update);
  int64_t merge(sql::Merge& merge);
  struct RowChange;
  struct Leaving;
  int64_t commit_rows(const RowChange& change);
  void refuse_repeated(const std::string& stage);
  std::vector<Leaving> leaving(const std::string& stage, const lake::TableMetadata& table,
                               lake::SnapshotChange& snapshot);
  std::unique_ptr<duckdb::MaterializedQueryResult> ask(const std::string& text);

  const sql::TableInfo& target() const { return change_.analysis.writes.front(); }
  lake::Identifier name() const { return {{target().name.schema}, target().name.table}; }
  /// The table as the statement's names were looked up in it.
  std::shared_ptr<const lake::TableMetadata> pinned() const;
  /// Throws PERMISSION_DENIED unless the user may do this below the place.
  void allow(std::string_view action, const std::string& place) const;
  lake::Properties summary() const;
  lake::Audit audit() const { return audit_of(source_, catalog_, change_); }
  /// One commit of the statement's table, with what the session takes along.
  void publish(lake::SnapshotChange snapshot);
  /// A change that came to nothing: what goes along with it is done all the same.
  void publish_nothing();
  void leave_replaced_partition(const lake::TableMetadata& table, lake::SnapshotChange& snapshot);
  int64_t create(const lake::TableMetadata& fresh, const RowsToWrite* query, bool or_replace);
  int64_t replace(const lake::Table& before, const lake::TableMetadata& fresh,
                  const RowsToWrite* query);
  lake::TableMetadata fresh(const std::vector<sql::ColumnInfo>& columns,
                            const std::vector<sql::Property>& properties,
                            const std::optional<std::string>& comment) const;

  LakeSource& source_;
  const std::string& catalog_;
  ChangeStatement& change_;
};

/// Milliseconds since 1970, never before the table's own last change.
int64_t commit_time(const lake::TableMetadata& base);

}  // namespace meesh::engine
