#include "engine/catalogs/hive.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "engine/catalogs/hive_changes.h"
#include "engine/catalogs/hive_scan.h"

namespace meesh::engine {
namespace {

using lake::ExternalTable;

constexpr std::string_view kPartitions = "$partitions";

class HiveCatalog : public Catalog {
 public:
  HiveCatalog(std::string name, lake::ExternalTables& tables, objects::Store& store,
              AuthorizeObject authorize)
      : source_{std::move(name), tables, store, std::move(authorize)} {}

  const std::string& name() const override { return source_.name; }
  std::string_view connector() const override { return "hive"; }
  bool writable() const override { return true; }
  bool runs_changes() const override { return true; }

  void open(Duck& duck) override { register_hive_readers(duck); }
  void prepare(Duck&, const std::vector<sql::TableInfo>&) override {}

  std::vector<std::string> schemas() override { return source_.tables.schemas(); }
  bool schema_exists(const std::string& schema) override {
    return source_.tables.has_schema(schema);
  }
  std::vector<std::string> tables(const std::string& schema) override {
    return source_.tables.tables(schema);
  }
  std::optional<sql::TableInfo> table(const std::string& schema, const std::string& table) override;
  std::vector<sql::TableInfo> describe(const std::string& schema) override;

  std::vector<PropertyInfo> properties(PropertyOwner owner) const override {
    if (owner == PropertyOwner::kTable) return hive_table_properties();
    if (owner == PropertyOwner::kSchema)
      return {{"location", "", "varchar", "Folder of the schema's tables"}};
    return {};
  }
  std::optional<int64_t> run(ChangeStatement& change) override {
    return HiveChange(source_, change).run();
  }
  void allow_change(const std::string& user, const std::string& schema,
                    const std::string& table) override {
    if (const auto found = source_.tables.find(schema, table)) source_.allow_change(user, *found);
  }
  void set_comment(const std::string& schema, const std::string& table, const std::string& column,
                   const std::optional<std::string>& comment) override;

  const HiveSource& source() const { return source_; }

 private:
  sql::TableInfo described(const ExternalTable& table) const;
  sql::TableInfo partitions_of(const ExternalTable& table) const;

  const HiveSource source_;
};

sql::ColumnInfo column_info(const lake::ExternalColumn& column) {
  sql::ColumnInfo info;
  info.name = column.name;
  info.type = sql::Type::parse(column.type);
  info.comment = column.comment;
  return info;
}

sql::TableInfo HiveCatalog::described(const ExternalTable& table) const {
  sql::TableInfo info;
  info.name = {source_.name, table.schema, table.name};
  for (const auto& column : table.columns) info.columns.push_back(column_info(column));
  for (const char* hidden : {kHivePath, kHivePartition}) {
    sql::ColumnInfo column;
    column.name = hidden;
    column.type = sql::Type::varchar();
    column.hidden = true;
    info.columns.push_back(std::move(column));
  }
  info.comment = table.comment;
  info.properties = shown_hive_properties(table);
  info.duckdb_target = table.id;  // not DuckDB's to write; not empty, since rows can be added
  return info;
}

sql::TableInfo HiveCatalog::partitions_of(const ExternalTable& table) const {
  sql::TableInfo info;
  info.name = {source_.name, table.schema, table.name + std::string(kPartitions)};
  for (size_t i = data_columns(table); i < table.columns.size(); ++i)
    info.columns.push_back(column_info(table.columns[i]));
  info.duckdb_source = hive_partitions_source(table, source_.tables.partitions(table.id));
  return info;
}

std::optional<sql::TableInfo> HiveCatalog::table(const std::string& schema,
                                                 const std::string& table) {
  if (const auto found = source_.tables.find(schema, table)) {
    auto info = described(*found);
    info.duckdb_source = hive_source(source_, *found);
    return info;
  }
  if (!table.ends_with(kPartitions)) return std::nullopt;
  const auto found =
      source_.tables.find(schema, table.substr(0, table.size() - kPartitions.size()));
  if (!found || found->partitioned_by.empty()) return std::nullopt;
  return partitions_of(*found);
}

std::vector<sql::TableInfo> HiveCatalog::describe(const std::string& schema) {
  std::vector<sql::TableInfo> all;
  for (const auto& name : schema.empty() ? schemas() : std::vector<std::string>{schema}) {
    if (!schema.empty() && !schema_exists(schema)) break;
    for (const auto& table : tables(name))
      if (const auto found = source_.tables.find(name, table)) all.push_back(described(*found));
  }
  return all;
}

void HiveCatalog::set_comment(const std::string& schema, const std::string& table,
                              const std::string& column,
                              const std::optional<std::string>& comment) {
  source_.tables.edit(schema, table, [&](ExternalTable& edited) {
    if (column.empty()) {
      edited.comment = comment.value_or("");
      return;
    }
    for (auto& one : edited.columns)
      if (one.name == column) one.comment = comment.value_or("");
  });
}

}  // namespace

std::unique_ptr<Catalog> make_hive_catalog(std::string name, lake::ExternalTables& tables,
                                           objects::Store& store, AuthorizeObject authorize) {
  return std::make_unique<HiveCatalog>(std::move(name), tables, store, std::move(authorize));
}

void call_hive_procedure(Catalog& catalog, const sql::Call& call, const std::string& user) {
  auto* hive = dynamic_cast<HiveCatalog*>(&catalog);
  if (!hive) internal_error("catalog '" + catalog.name() + "' has no hive procedures");
  run_hive_procedure(hive->source(), call, user);
}

}  // namespace meesh::engine
