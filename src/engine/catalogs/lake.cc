#include "engine/catalogs/lake.h"

#include <algorithm>

#include "base/log.h"
#include "duckdb.hpp"
#include "engine/lake/calls.h"
#include "engine/lake/changes.h"
#include "engine/lake/materialized_views.h"
#include "engine/lake/metadata_tables.h"
#include "engine/lake/properties.h"
#include "engine/lake/scan.h"
#include "engine/lake/statistics.h"
#include "engine/lake/values.h"
#include "engine/lake/views.h"
#include "engine/statement_runner.h"
#include "engine/table_listing.h"
#include "lake/schema_change.h"
#include "lake/storage_tables.h"
#include "sql/ast.h"

namespace meesh::engine {
namespace {

class LakeCatalog : public Catalog, public TableLister {
 public:
  LakeCatalog(std::string name, lake::Catalog& catalog, lake::ManifestCache& cache,
              AuthorizeObject authorize)
      : name_(std::move(name)),
        catalog_(catalog),
        source_(std::make_shared<LakeSource>(catalog, cache, std::move(authorize))) {}

  const std::string& name() const override { return name_; }
  std::string_view connector() const override { return "iceberg"; }
  bool writable() const override { return true; }
  bool runs_changes() const override { return true; }

  void open(Duck& duck) override {
    add_lake_source(duck, name_, source_);
    register_statistics_functions(*duck.db->instance);
  }
  void release(Duck& duck) override { drop_lake_source(duck, name_); }
  void prepare(Duck&, const std::vector<sql::TableInfo>&) override {}

  std::vector<std::string> schemas() override;
  bool schema_exists(const std::string& schema) override {
    return catalog_.has_namespace({schema});
  }
  std::vector<std::string> tables(const std::string& schema) override;
  std::optional<sql::TableInfo> table(const std::string& schema, const std::string& table) override;
  std::optional<sql::TableInfo> table_as_of(const std::string& schema, const std::string& table,
                                            bool of_time, const duckdb::Value& version) override;
  std::optional<sql::TableStatistics> statistics(const sql::TableInfo& table,
                                                 const std::string& user) override;
  std::vector<sql::TableInfo> describe(const std::string& schema) override;
  std::vector<ListedTable> list(const std::string& schema) override;

  std::vector<PropertyInfo> properties(PropertyOwner owner) const override;
  std::optional<int64_t> run(ChangeStatement& change) override;
  void allow_change(const std::string& user, const std::string& schema,
                    const std::string& table) override;
  void create_view(const sql::TableInfo& view, bool or_replace) override;
  void drop_view(const std::string& schema, const std::string& view) override {
    catalog_.drop_view({{schema}, view});
  }
  void rename_view(const std::string& schema, const std::string& view, const std::string& to_schema,
                   const std::string& to) override {
    catalog_.rename_view({{schema}, view}, {{to_schema}, to});
  }
  void set_comment(const std::string& schema, const std::string& table, const std::string& column,
                   const std::optional<std::string>& comment) override;

  LakeSource& source() { return *source_; }

 private:
  sql::TableInfo table_info(const lake::Table& table, const lake::Schema& schema,
                            const lake::Snapshot* snapshot) const;
  std::optional<sql::TableInfo> find(const std::string& schema, const std::string& table) const;
  /// Of the schema, without those that hold the rows of materialized views.
  std::vector<std::string> base_tables(const std::string& schema) const;
  bool is_storage(const std::string& schema, const std::string& table) const;

  const std::string name_;
  lake::Catalog& catalog_;
  const LakeSourcePtr source_;
};

std::vector<std::string> LakeCatalog::schemas() {
  std::vector<std::string> names;
  for (const auto& space : catalog_.namespaces({})) names.push_back(space.back());
  return names;
}

std::vector<std::string> LakeCatalog::base_tables(const std::string& schema) const {
  auto names = catalog_.tables({schema});
  if (std::any_of(names.begin(), names.end(), lake::may_be_storage)) {
    const auto hidden = storage_tables(catalog_, {schema});
    std::erase_if(names, [&](const std::string& name) {
      return std::find(hidden.begin(), hidden.end(), name) != hidden.end();
    });
  }
  return names;
}

std::vector<std::string> LakeCatalog::tables(const std::string& schema) {
  auto names = base_tables(schema);
  for (auto& view : catalog_.views({schema})) names.push_back(std::move(view));
  std::sort(names.begin(), names.end());
  return names;
}

/// Tables by their names alone; of views it must be known which ones are materialized.
std::vector<ListedTable> LakeCatalog::list(const std::string& schema) {
  std::vector<ListedTable> found;
  for (const auto& space : schema.empty() ? schemas() : std::vector<std::string>{schema}) {
    if (!schema.empty() && !schema_exists(schema)) break;
    for (auto& name : base_tables(space)) {
      found.push_back({{name_, space, std::move(name)}, sql::TableInfo::Kind::kTable});
    }
    for (const auto& name : catalog_.views({space})) {
      if (const auto view = catalog_.find_view({{space}, name})) {
        const auto info = view_info(name_, *view);
        found.push_back({info.name, info.kind});
      }
    }
  }
  return found;
}

sql::TableInfo LakeCatalog::table_info(const lake::Table& table, const lake::Schema& schema,
                                       const lake::Snapshot* snapshot) const {
  const auto& metadata = *table.metadata;
  sql::TableInfo info;
  info.name = {name_, table.name.space.at(0), table.name.name};
  for (const auto& field : schema.fields) {
    sql::ColumnInfo column;
    column.name = lower_case(field.name);
    column.type = sql_type(field.type);
    column.nullable = !field.required;
    column.comment = field.doc;
    info.columns.push_back(std::move(column));
  }
  const auto hidden = [&](const char* column_name, sql::Type type) {
    sql::ColumnInfo column;
    column.name = column_name;
    column.type = std::move(type);
    column.hidden = true;
    info.columns.push_back(std::move(column));
  };
  hidden(kPathColumn, sql::Type::varchar());
  hidden(kPartitionColumn, sql::Type::varchar());
  hidden(kModifiedColumn, sql::Type::of(sql::TypeKind::kTimestampTz, 3));
  const auto comment = metadata.properties.find("comment");
  if (comment != metadata.properties.end()) info.comment = comment->second;
  info.properties = shown_properties(metadata);
  info.duckdb_source = scan_call(name_, table.metadata_location, schema, snapshot);
  info.estimated_rows = 0;
  if (snapshot) {
    const auto rows = snapshot->summary.find("total-records");
    info.estimated_rows =
        rows == snapshot->summary.end() ? -1 : std::strtod(rows->second.c_str(), nullptr);
  }
  return info;
}

std::optional<sql::TableInfo> LakeCatalog::find(const std::string& schema,
                                                const std::string& table) const {
  if (const auto found = catalog_.find({{schema}, table})) {
    source_->keep(*found);
    auto info = table_info(*found, found->metadata->schema(), found->metadata->current_snapshot());
    // Changes start from what the statement's names were looked up in.
    info.duckdb_target = found->metadata_location;
    return info;
  }
  if (const auto view = catalog_.find_view({{schema}, table})) {
    auto info = view_info(name_, *view);
    if (info.materialization) add_materialization(info, *source_, *view);
    return info;
  }
  if (const auto candidate = source_->candidate(schema, table)) {
    const auto& metadata = *candidate->metadata;
    return table_info(*candidate, metadata.schema(), metadata.current_snapshot());
  }
  const auto parts = split_metadata_name(table);
  if (!parts) return std::nullopt;
  const auto found = catalog_.find({{schema}, parts->first});
  if (!found) return std::nullopt;
  source_->keep(*found);
  return metadata_table_info(name_, *found, parts->second);
}

std::optional<sql::TableInfo> LakeCatalog::table(const std::string& schema,
                                                 const std::string& table) {
  auto found = find(schema, table);
  if (found && found->kind != sql::TableInfo::Kind::kTable && found->view_sql.empty()) {
    throw Error(Code::kNotSupported,
                "View '" + found->name.display() + "' has no text in Trino's dialect");
  }
  return found;
}

std::optional<sql::TableInfo> LakeCatalog::table_as_of(const std::string& schema,
                                                       const std::string& table, bool of_time,
                                                       const duckdb::Value& version) {
  const auto found = catalog_.find({{schema}, table});
  if (!found) {
    auto other = this->table(schema, table);
    if (other)
      throw Error(Code::kNotSupported, "Only tables have versions: " + other->name.display());
    return std::nullopt;
  }
  source_->keep(*found);
  const auto& metadata = *found->metadata;
  const lake::Snapshot* snapshot = nullptr;
  if (of_time) {
    const auto micros = version.GetValue<duckdb::timestamp_tz_t>().value;
    const int64_t ms = micros / 1000 - (micros % 1000 < 0 ? 1 : 0);
    snapshot = &lake::snapshot_by_time(metadata, schema + "." + table, ms);
  } else if (version.type().id() == duckdb::LogicalTypeId::VARCHAR) {
    snapshot = &lake::snapshot_by_ref(metadata, duckdb::StringValue::Get(version));
  } else {
    snapshot = &lake::snapshot_by_id(metadata, version.GetValue<int64_t>());
  }
  return table_info(*found, metadata.schema_of(*snapshot), snapshot);
}

std::optional<sql::TableStatistics> LakeCatalog::statistics(const sql::TableInfo& table,
                                                            const std::string& user) {
  if (table.kind != sql::TableInfo::Kind::kTable || table.duckdb_target.empty())
    return std::nullopt;  // of a metadata table nothing is known
  const auto metadata = source_->metadata(table.duckdb_target);
  source_->allow(user, "s3:GetObject", metadata->location + "/*");
  lake::TableSummary summary;
  std::map<int, int64_t> ndvs;
  if (const auto* snapshot = metadata->current_snapshot()) {
    summary = lake::summarize(source_->cache, *metadata, *snapshot);
    ndvs = lake::distinct_values(catalog_.files(), *metadata, *snapshot);
  }
  return shown_statistics(metadata->schema(), summary, ndvs);
}

std::vector<sql::TableInfo> LakeCatalog::describe(const std::string& schema) {
  std::vector<sql::TableInfo> found;
  for (const auto& name : schema.empty() ? schemas() : std::vector<std::string>{schema}) {
    if (!schema.empty() && !schema_exists(schema)) break;
    for (const auto& table : tables(name)) {
      try {
        if (auto info = find(name, table)) found.push_back(std::move(*info));
      } catch (const Error& error) {
        // One broken table must not hide the others.
        log::warn("a table is left out of a listing",
                  {{"table", name_ + "." + name + "." + table}, {"error", error.what()}});
      }
    }
  }
  return found;
}

bool LakeCatalog::is_storage(const std::string& schema, const std::string& table) const {
  if (!lake::may_be_storage(table) || !catalog_.has_namespace({schema})) return false;
  const auto of_views = storage_tables(catalog_, {schema});
  return std::find(of_views.begin(), of_views.end(), table) != of_views.end();
}

std::vector<PropertyInfo> LakeCatalog::properties(PropertyOwner owner) const {
  switch (owner) {
    case PropertyOwner::kTable:
      return table_properties();
    case PropertyOwner::kMaterializedView: {
      auto all = table_properties();
      all.push_back({"storage_schema", "", "varchar",
                     "Schema of the table that holds the rows: the view's own"});
      return all;
    }
    case PropertyOwner::kSchema:
      return {{"location", "", "varchar", "Folder of the schema's tables"}};
    case PropertyOwner::kColumn:
      return {};
    case PropertyOwner::kAnalyze:
      return {{"columns", "", "array(varchar)", "Columns to be analyzed; all if not said"}};
  }
  internal_error("unknown owner of properties");
}

std::optional<int64_t> LakeCatalog::run(ChangeStatement& change) {
  if (MaterializedViewChange::takes(change.statement))
    return MaterializedViewChange(*source_, name_, change).run();
  const auto& target = change.analysis.writes.front().name;
  const auto* alter = sql::try_as<sql::AlterTable>(&change.statement);
  const bool upkeep = alter && alter->action == sql::AlterTable::Action::kExecute;
  if (!upkeep && is_storage(target.schema, target.table)) {
    throw Error(Code::kNotSupported, "Table '" + target.display() +
                                         "' holds the rows of a materialized view and is changed "
                                         "by REFRESH MATERIALIZED VIEW alone");
  }
  return LakeChange(*source_, name_, change).run();
}

void LakeCatalog::allow_change(const std::string& user, const std::string& schema,
                               const std::string& table) {
  const lake::Identifier id = {{schema}, table};
  std::string location;
  if (const auto found = catalog_.find(id)) {
    location = found->metadata->location;
  } else if (const auto view = catalog_.find_view(id)) {
    location = view->metadata->location;
  } else {
    location = catalog_.default_location(id);
  }
  source_->allow(user, "s3:PutObject", location + "/*");
}

void LakeCatalog::create_view(const sql::TableInfo& view, bool or_replace) {
  const lake::Identifier id = {{view.name.schema}, view.name.table};
  const std::string location = catalog_.default_location(id);
  if (or_replace && catalog_.find_view(id)) {
    catalog_.commit_view(
        id, [&](const lake::ViewMetadata& base) { return view_metadata(view, location, &base); });
    return;
  }
  catalog_.create_view(id, view_metadata(view, location, nullptr));
}

void LakeCatalog::set_comment(const std::string& schema, const std::string& table,
                              const std::string& column,
                              const std::optional<std::string>& comment) {
  const lake::Identifier id = {{schema}, table};
  if (!catalog_.find(id)) {
    catalog_.commit_view(
        id, [&](const lake::ViewMetadata& base) { return commented(base, column, comment); });
    return;
  }
  catalog_.commit({{id, [&](const lake::Table& base) {
                      std::vector<lake::Update> updates;
                      if (!column.empty()) {
                        lake::SchemaChange change(*base.metadata);
                        change.set_doc(column, comment.value_or(""));
                        updates = change.updates();
                      } else if (comment) {
                        updates.emplace_back(lake::SetProperties{{{"comment", *comment}}});
                      } else {
                        updates.emplace_back(lake::RemoveProperties{{"comment"}});
                      }
                      return lake::apply(updates, base.metadata.get(), commit_time(*base.metadata),
                                         base.metadata_location);
                    }}});
}

}  // namespace

std::unique_ptr<Catalog> make_lake_catalog(std::string name, lake::Catalog& catalog,
                                           lake::ManifestCache& cache, AuthorizeObject authorize) {
  return std::make_unique<LakeCatalog>(std::move(name), catalog, cache, std::move(authorize));
}

void call_lake_procedure(Catalog& catalog, const sql::Call& call, const std::string& user,
                         const std::string& query_id, const RunProcedure& run) {
  auto* lake = dynamic_cast<LakeCatalog*>(&catalog);
  if (!lake) internal_error("catalog '" + catalog.name() + "' has no lake procedures");
  run_lake_procedure(lake->source(), call, user, query_id, run);
}

}  // namespace meesh::engine
