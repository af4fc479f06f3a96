// system.metadata: what the catalogs hold.
#include <optional>

#include "engine/catalog_set.h"
#include "engine/catalogs/system.h"
#include "engine/functions/zones.h"

namespace meesh::engine {
namespace {

using Rows = std::vector<VirtualRow>;

Rows catalogs(CatalogSet& set, const TableRequest&) {
  Rows rows;
  for (const auto& name : set.names()) {
    const auto catalog = set.find(name);
    if (!catalog && name != "system") continue;  // dropped meanwhile
    rows.push_back(
        {text(name), text(name), text(catalog ? std::string(catalog->connector()) : "system")});
  }
  return rows;
}

Rows table_comments(CatalogSet& set, const TableRequest& request) {
  Rows rows;
  for_each_table(set, request, [&](const sql::TableInfo& table) {
    rows.push_back({text(table.name.catalog), text(table.name.schema), text(table.name.table),
                    text_or_null(table.comment)});
  });
  return rows;
}

/// Milliseconds since the epoch as the timestamp(9) with time zone that Trino tells.
duckdb::Value moment(std::optional<int64_t> millis) {
  if (!millis) return duckdb::Value(duckdb::LogicalType::HUGEINT);
  constexpr int64_t kPicos = 1'000'000'000;  // of a millisecond
  return duckdb::Value::HUGEINT(zoned_value(static_cast<__int128>(*millis) * kPicos, "UTC"));
}

Rows materialized_views(CatalogSet& set, const TableRequest& request) {
  Rows rows;
  for_each_listed(set, request, [&](const ListedTable& listed) {
    if (listed.kind != sql::TableInfo::Kind::kMaterializedView) return;
    const auto found = set.get(listed.name.catalog)->table(listed.name.schema, listed.name.table);
    if (!found || !found->materialization) return;  // dropped meanwhile
    const sql::TableInfo& table = *found;
    const auto& stored = *table.materialization;
    rows.push_back({text(table.name.catalog), text(table.name.schema), text(table.name.table),
                    text(stored.storage.catalog), text(stored.storage.schema),
                    text(stored.storage.table), text(stored.freshness),
                    moment(stored.last_fresh_ms), text_or_null(table.comment),
                    text(table.view_sql)});
  });
  return rows;
}

/// What WITH (…) may name, of every catalog.
template <PropertyOwner owner>
Rows properties(CatalogSet& set, const TableRequest&) {
  Rows rows;
  for (const auto& name : set.names()) {
    const auto catalog = set.find(name);
    if (!catalog) continue;
    for (const auto& property : catalog->properties(owner)) {
      rows.push_back({text(name), text(property.name), text(property.default_value),
                      text(property.type), text(property.description)});
    }
  }
  return rows;
}

using MakeRows = Rows (*)(CatalogSet&, const TableRequest&);

VirtualTable make(const char* name, MakeRows rows, std::vector<VirtualColumn> columns) {
  VirtualTable table;
  table.schema = "metadata";
  table.name = name;
  table.columns = std::move(columns);
  table.rows = rows;
  return table;
}

}  // namespace

std::vector<VirtualTable> system_metadata_tables() {
  std::vector<VirtualTable> found;
  for (const auto& [name, rows] : std::initializer_list<std::pair<const char*, MakeRows>>{
           {"analyze_properties", properties<PropertyOwner::kAnalyze>},
           {"column_properties", properties<PropertyOwner::kColumn>},
           {"materialized_view_properties", properties<PropertyOwner::kMaterializedView>},
           {"schema_properties", properties<PropertyOwner::kSchema>},
           {"table_properties", properties<PropertyOwner::kTable>}}) {
    found.push_back(make(
        name, rows,
        text_columns({"catalog_name", "property_name", "default_value", "type", "description"})));
  }
  found.push_back(
      make("catalogs", catalogs, text_columns({"catalog_name", "connector_id", "connector_name"})));
  auto views = text_columns({"catalog_name", "schema_name", "name", "storage_catalog",
                             "storage_schema", "storage_table", "freshness"});
  views.push_back({"last_fresh_time", sql::Type::of(sql::TypeKind::kTimestampTz, 9)});
  views.push_back(text_column("comment"));
  views.push_back(text_column("definition"));
  found.push_back(make("materialized_views", materialized_views, std::move(views)));
  found.back().catalog_column = "catalog_name";
  found.back().schema_column = "schema_name";
  found.back().table_column = "name";
  found.push_back(make("table_comments", table_comments,
                       text_columns({"catalog_name", "schema_name", "table_name", "comment"})));
  found.back().catalog_column = "catalog_name";
  found.back().schema_column = "schema_name";
  found.back().table_column = "table_name";
  return found;
}

}  // namespace meesh::engine
