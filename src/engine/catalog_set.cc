#include "engine/catalog_set.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "engine/catalogs/postgres_errors.h"
#include "engine/duck.h"
#include "engine/duck_types.h"
#include "engine/virtual_table.h"

namespace meesh::engine {
namespace {

constexpr const char* kSystem = "system";
constexpr const char* kInformationSchema = "information_schema";

void check_name(const std::string& name) {
  const bool upper =
      std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (name.empty() || upper) {
    throw Error(Code::kInvalidArguments,
                "catalog name '" + name + "' is not a non-empty lower-case name");
  }
  if (name == "temp") throw Error(Code::kInvalidArguments, "catalog name 'temp' is reserved");
  if (name.starts_with("meesh_")) {
    throw Error(Code::kInvalidArguments,
                "catalog names that begin with 'meesh_' are reserved: '" + name + "'");
  }
}

/// A BIGINT or VARCHAR; a TIMESTAMPTZ for times, in the session's time zone.
duckdb::Value value_of(Duck& duck, const sql::TableVersion& version) {
  duckdb::Connection connection(*duck.db);
  connection.Query("SET TimeZone = " + quote_string(version.time_zone));
  const auto result = connection.Query(fmt::format("SELECT {} FROM ({}) AS v(x)",
                                                   version.of_time ? "CAST(x AS TIMESTAMPTZ)" : "x",
                                                   version.duckdb_query));
  if (result->HasError()) throw translate(result->GetErrorObject());
  const auto value = result->GetValue(0, 0);
  if (value.IsNull()) throw Error(Code::kInvalidArguments, "Pointer value cannot be NULL");
  if (version.of_time || value.type().id() == duckdb::LogicalTypeId::VARCHAR) return value;
  if (value.type().IsIntegral()) return value.DefaultCastAs(duckdb::LogicalType::BIGINT);
  throw Error(Code::kInvalidArguments,
              "Unsupported type for table version: " + from_duckdb(value.type()).display());
}

}  // namespace

CatalogSet::CatalogSet(SystemHooks hooks) : hooks_(std::move(hooks)) {}

CatalogSet::~CatalogSet() = default;

void CatalogSet::register_with(Duck& duck) {
  std::lock_guard lock(mutex_);
  if (duck_) internal_error("a CatalogSet is registered twice");
  register_virtual_tables(*duck.db->instance, *this);
  duck_ = &duck;
  for (auto& [name, catalog] : catalogs_) catalog->open(duck);
}

void CatalogSet::add(std::shared_ptr<Catalog> catalog) {
  const std::string name = catalog->name();
  check_name(name);
  std::lock_guard lock(mutex_);
  if (name == kSystem || catalogs_.contains(name)) {
    throw Error(Code::kAlreadyExists, "Catalog '" + name + "' already exists");
  }
  if (duck_) catalog->open(*duck_);
  catalogs_.emplace(name, std::move(catalog));
}

bool CatalogSet::drop(const std::string& name) {
  std::lock_guard lock(mutex_);
  const auto found = catalogs_.find(name);
  if (found == catalogs_.end()) return false;
  // Under the lock: a new catalog of this name must find the name in DuckDB free.
  if (duck_) found->second->release(*duck_);
  catalogs_.erase(found);
  return true;
}

std::shared_ptr<Catalog> CatalogSet::find(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = catalogs_.find(name);
  return found == catalogs_.end() ? nullptr : found->second;
}

std::shared_ptr<Catalog> CatalogSet::get(const std::string& name) const {
  if (auto catalog = find(name)) return catalog;
  throw Error(Code::kCatalogNotFound, "Catalog '" + name + "' not found");
}

std::vector<std::string> CatalogSet::names() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names{kSystem};
  for (const auto& [name, catalog] : catalogs_)
    if (!name.starts_with('$')) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

bool CatalogSet::catalog_exists(const std::string& catalog) {
  return catalog == kSystem || find(catalog);
}

std::vector<std::string> CatalogSet::schemas(const std::string& catalog) {
  std::set<std::string> found{kInformationSchema};
  if (catalog == kSystem) {
    for (const auto& table : system_tables()) found.insert(table.schema);
  } else {
    for (auto& schema : get(catalog)->schemas()) found.insert(std::move(schema));
  }
  return {found.begin(), found.end()};
}

bool CatalogSet::schema_exists(const std::string& catalog, const std::string& schema) {
  if (schema == kInformationSchema) return catalog_exists(catalog);
  if (catalog == kSystem) {
    return std::any_of(system_tables().begin(), system_tables().end(),
                       [&](const VirtualTable& table) { return table.schema == schema; });
  }
  const auto found = find(catalog);
  return found && found->schema_exists(schema);
}

std::optional<sql::TableInfo> CatalogSet::table(const sql::TableName& name) {
  if (name.schema == kInformationSchema || name.catalog == kSystem) {
    const VirtualTable* found = find_virtual_table(name.catalog, name.schema, name.table);
    if (!found || !catalog_exists(name.catalog)) return std::nullopt;
    return found->describe(name.catalog);
  }
  const auto catalog = find(name.catalog);
  if (!catalog) return std::nullopt;
  return catalog->table(name.schema, name.table);
}

std::optional<sql::TableStatistics> CatalogSet::statistics(const sql::TableInfo& table,
                                                           const std::string& user) {
  const auto catalog = find(table.name.catalog);
  return catalog ? catalog->statistics(table, user) : std::nullopt;
}

std::vector<std::string> CatalogSet::routines(const std::string& catalog,
                                              const std::string& schema) {
  const auto found = find(catalog);
  return found ? found->routines(schema) : std::vector<std::string>{};
}

std::optional<sql::TableInfo> CatalogSet::pass_through(const std::string& catalog,
                                                       const std::string& query) {
  const auto found = find(catalog);
  return found ? found->pass_through(query) : std::nullopt;
}

bool CatalogSet::schema_in_use(const std::string& catalog, const std::string& schema) {
  const auto found = find(catalog);
  return found && !found->tables(schema).empty();
}

bool CatalogSet::keeps_labels(const std::string& catalog) {
  const auto found = find(catalog);
  return found && found->keeps_labels();
}

std::string CatalogSet::connector(const std::string& catalog) {
  const auto found = find(catalog);
  return found ? std::string(found->connector()) : catalog == kSystem ? kSystem : "";
}

bool CatalogSet::writable(const std::string& catalog) {
  const auto found = find(catalog);
  return found && found->writable();
}

bool CatalogSet::runs_changes(const std::string& catalog) {
  const auto found = find(catalog);
  return found && found->runs_changes();
}

std::optional<sql::TableInfo> CatalogSet::table_as_of(const sql::TableName& name,
                                                      const sql::TableVersion& version) {
  const auto catalog = find(name.catalog);
  if (!catalog || name.schema == kInformationSchema) {
    if (!table(name)) return std::nullopt;
    throw Error(Code::kNotSupported, "This connector does not support versioned tables");
  }
  Duck* duck = nullptr;
  {
    std::lock_guard lock(mutex_);
    duck = duck_;
  }
  if (!duck) internal_error("a CatalogSet is asked for a version before it is registered");
  return catalog->table_as_of(name.schema, name.table, version.of_time, value_of(*duck, version));
}

CatalogsInUse CatalogSet::prepare(Duck& duck, const std::vector<sql::TableInfo>& tables) {
  // Virtual tables pin their catalog but need nothing attached.
  std::map<std::string, std::vector<sql::TableInfo>> by_catalog;
  std::set<std::string> virtual_only;
  for (const auto& table : tables) {
    if (table.name.catalog.empty() || table.name.catalog == kSystem) continue;
    if (table.name.schema == kInformationSchema) {
      virtual_only.insert(table.name.catalog);
    } else {
      by_catalog[table.name.catalog].push_back(table);
    }
  }
  CatalogsInUse used;
  for (const auto& name : virtual_only) {
    if (!by_catalog.contains(name)) used.push_back(get(name));
  }
  for (const auto& [name, of_catalog] : by_catalog) {
    used.push_back(get(name));
    used.back()->prepare(duck, of_catalog);
  }
  return used;
}

void CatalogSet::on_error(Error& error, const CatalogsInUse& used) {
  for (const auto& catalog : used) catalog->on_error(error);
  name_lost_server(error, used);
}

}  // namespace meesh::engine
