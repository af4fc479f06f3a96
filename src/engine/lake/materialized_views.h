// Materialized views of the lake: an Iceberg view that names a storage table, which holds its rows
// as of the last refresh. Both come and go in one commit.
#pragma once

#include <optional>
#include <string>

#include "engine/catalog.h"
#include "engine/lake/scan.h"
#include "lake/refresh_state.h"
#include "sql/sql.h"

namespace meesh::engine {

/// Adds to what view_info says of a materialized view: how fresh its rows are and, unless the
/// query has to be run instead, where they are read (duckdb_source). Trino's rule: rows that were
/// computed once are read while they are fresh or within the grace period, which has no end unless
/// it is told.
void add_materialization(sql::TableInfo& info, LakeSource& source, const lake::View& view);

/// The storage tables that views of the namespace name.
std::vector<std::string> storage_tables(const lake::Catalog& catalog, const lake::Namespace& space);

/// Runs CREATE, REFRESH, DROP and ALTER MATERIALIZED VIEW.
class MaterializedViewChange {
 public:
  MaterializedViewChange(LakeSource& source, const std::string& catalog, ChangeStatement& change)
      : source_(source), catalog_(catalog), change_(change) {}

  /// Whether the statement is one of these.
  static bool takes(const sql::Statement& statement);
  /// The rows that a refresh wrote; 0 if all were fresh.
  std::optional<int64_t> run();

 private:
  void create(sql::CreateView& create);
  void commit(const sql::TableInfo& view, const lake::Table& storage,
              const std::optional<lake::View>& before);
  void drop(const sql::DropView& drop);
  void rename(const sql::AlterView& alter);
  int64_t refresh(sql::RefreshMaterializedView& refresh);
  /// Nothing if somebody else has committed meanwhile.
  std::optional<int64_t> replace_rows(const lake::Table& storage, const lake::RefreshState& state,
                                      const sql::Printed& query);

  const sql::TableInfo& target() const { return change_.analysis.writes.front(); }
  lake::Identifier name() const { return {{target().name.schema}, target().name.table}; }
  void allow(std::string_view action, const std::string& place) const;
  void check_columns(const std::vector<sql::ColumnInfo>& columns, const lake::Schema& schema) const;
  lake::RefreshState state_of_sources(const lake::ViewMetadata& view) const;
  void purge(const lake::Table& storage) const;

  LakeSource& source_;
  const std::string& catalog_;
  ChangeStatement& change_;
};

}  // namespace meesh::engine
