#include "lake/storage_tables.h"

#include <fmt/format.h>

#include "base/uuid.h"
#include "lake/catalog_names.h"

namespace meesh::lake {
namespace {

constexpr const char* kSuffix = "__storage";

}  // namespace

bool may_be_storage(const std::string& name) { return name.find(kSuffix) != std::string::npos; }

Identifier free_storage_name(const Catalog& catalog, const Identifier& view) {
  Identifier name{view.space, view.name + kSuffix};
  for (int n = 2; catalog.find(name) || catalog.find_view(name); ++n)
    name.name = fmt::format("{}{}_{}", view.name, kSuffix, n);
  return name;
}

Table stage_table(const Catalog& catalog, const Identifier& name, const TableMetadata& metadata) {
  check_name(name);
  check_location(metadata.location);
  catalog.files().check(metadata.location + "/metadata");
  Table table{
      name,
      fmt::format("{}/metadata/00000-{}.metadata.json", metadata.location, base::random_uuid()),
      std::make_shared<const TableMetadata>(metadata)};
  catalog.files().write(table.metadata_location, metadata_json(metadata), "application/json");
  return table;
}

void name_table(soci::session& sql, const Catalog& catalog, const Table& table) {
  const std::string& warehouse = catalog.warehouse().name;
  const std::string space = joined(table.name.space), kind = "table";
  std::string there;
  sql << "SELECT kind FROM lake_table WHERE warehouse = :warehouse AND namespace = :namespace AND "
         "name = :name",
      soci::use(warehouse), soci::use(space), soci::use(table.name.name), soci::into(there);
  if (sql.got_data()) throw already_exists(table.name, false, there == "view");
  sql << "INSERT INTO lake_table VALUES (:warehouse, :namespace, :name, :kind, :location)",
      soci::use(warehouse), soci::use(space), soci::use(table.name.name), soci::use(kind),
      soci::use(table.metadata_location);
}

void unname_table(soci::session& sql, const Catalog& catalog, const Identifier& name) {
  const std::string& warehouse = catalog.warehouse().name;
  const std::string space = joined(name.space);
  sql << "DELETE FROM lake_table WHERE warehouse = :warehouse AND namespace = :namespace AND "
         "name = :name AND kind = 'table'",
      soci::use(warehouse), soci::use(space), soci::use(name.name);
}

}  // namespace meesh::lake
