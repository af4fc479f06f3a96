#include "lake/external.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/uuid.h"

namespace meesh::lake {
namespace {

namespace json = boost::json;

constexpr const char* kFirstSchema = "default";

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> kMigrations = {
      {1,
       "schemas, tables and partitions",
       {"CREATE TABLE external_schema (warehouse TEXT NOT NULL, name TEXT NOT NULL, "
        "location TEXT NOT NULL, PRIMARY KEY (warehouse, name))",
        "CREATE TABLE external_table (warehouse TEXT NOT NULL, namespace TEXT NOT NULL, "
        "name TEXT NOT NULL, id TEXT NOT NULL, location TEXT NOT NULL, definition TEXT NOT NULL, "
        "PRIMARY KEY (warehouse, namespace, name))",
        "CREATE TABLE external_partition (table_id TEXT NOT NULL, partition_values TEXT NOT NULL, "
        "location TEXT NOT NULL, PRIMARY KEY (table_id, partition_values))"}}};
  return kMigrations;
}

void check_name(const std::string& name, const char* what) {
  const bool wrong =
      name.empty() || name.size() > 255 || std::any_of(name.begin(), name.end(), [](char c) {
        return c == '/' || static_cast<unsigned char>(c) < 0x20;
      });
  if (!wrong) return;
  throw Error(Code::kInvalidArguments, fmt::format("Invalid {} name: '{}'", what, name))
      .with_hint("a name has 1 to 255 bytes and no slash");
}

std::string text_of(const ExternalTable& table) {
  json::array columns, by;
  for (const auto& column : table.columns)
    columns.push_back({{"name", column.name}, {"type", column.type}, {"comment", column.comment}});
  for (const auto& name : table.partitioned_by) by.emplace_back(name);
  json::object properties;
  for (const auto& [key, value] : table.properties) properties[key] = value;
  return json::serialize(json::object{{"columns", std::move(columns)},
                                      {"partitioned_by", std::move(by)},
                                      {"format", table.format},
                                      {"managed", table.managed},
                                      {"owner", table.owner},
                                      {"comment", table.comment},
                                      {"properties", std::move(properties)}});
}

std::string text_at(const json::object& object, const char* key) {
  return std::string(object.at(key).as_string());
}

void read_definition(ExternalTable& table, const std::string& text) {
  const json::value parsed = json::parse(text);
  const auto& object = parsed.as_object();
  for (const auto& column : object.at("columns").as_array()) {
    const auto& one = column.as_object();
    table.columns.push_back({text_at(one, "name"), text_at(one, "type"), text_at(one, "comment")});
  }
  for (const auto& name : object.at("partitioned_by").as_array())
    table.partitioned_by.emplace_back(name.as_string());
  table.format = text_at(object, "format");
  table.managed = object.at("managed").as_bool();
  table.owner = text_at(object, "owner");
  table.comment = text_at(object, "comment");
  for (const auto& [key, value] : object.at("properties").as_object())
    table.properties[key] = std::string(value.as_string());
}

std::string text_of(const PartitionValues& values) {
  json::array list;
  for (const auto& value : values)
    list.push_back(value ? json::value(json::string(*value)) : json::value(nullptr));
  return json::serialize(list);
}

PartitionValues parse_values(const std::string& text) {
  PartitionValues values;
  const json::value parsed = json::parse(text);
  for (const auto& value : parsed.as_array()) {
    if (value.is_null())
      values.emplace_back();
    else
      values.emplace_back(std::string(value.as_string()));
  }
  return values;
}

[[noreturn]] void no_schema(const std::string& schema) {
  throw Error(Code::kSchemaNotFound, fmt::format("Schema '{}' does not exist", schema));
}

[[noreturn]] void no_table(const std::string& schema, const std::string& name) {
  throw Error(Code::kTableNotFound, fmt::format("Table '{}.{}' not found", schema, name));
}

std::optional<std::string> location_of_schema(soci::session& sql, const std::string& warehouse,
                                              const std::string& schema) {
  std::string location;
  sql << "SELECT location FROM external_schema WHERE warehouse = :warehouse AND name = :name",
      soci::use(warehouse), soci::use(schema), soci::into(location);
  return sql.got_data() ? std::optional(location) : std::nullopt;
}

bool table_exists(soci::session& sql, const std::string& warehouse, const std::string& schema,
                  const std::string& name) {
  int count = 0;
  sql << "SELECT count(*) FROM external_table WHERE warehouse = :warehouse AND namespace = "
         ":namespace AND name = :name",
      soci::use(warehouse), soci::use(schema), soci::use(name), soci::into(count);
  return count > 0;
}

void check_free(soci::session& sql, const std::string& warehouse, const std::string& schema,
                const std::string& name) {
  check_name(name, "table");
  if (!location_of_schema(sql, warehouse, schema)) no_schema(schema);
  if (table_exists(sql, warehouse, schema, name)) {
    throw Error(Code::kTableAlreadyExists,
                fmt::format("Table already exists: '{}.{}'", schema, name));
  }
}

size_t insert_partitions(soci::session& sql, const std::string& table_id,
                         const std::vector<ExternalPartition>& partitions) {
  size_t added = 0;
  for (const auto& partition : partitions) {
    const std::string values = text_of(partition.values);
    soci::statement insertion =
        (sql.prepare << "INSERT INTO external_partition VALUES (:table, :values, :location) ON "
                        "CONFLICT (table_id, partition_values) DO NOTHING",
         soci::use(table_id), soci::use(values), soci::use(partition.location));
    insertion.execute(true);
    added += static_cast<size_t>(insertion.get_affected_rows());
  }
  return added;
}

std::string slashed(std::string location) {
  if (!location.ends_with('/')) location += '/';
  return location;
}

}  // namespace

ExternalTables::ExternalTables(meta::Database& database, Warehouse warehouse)
    : database_(database), warehouse_(std::move(warehouse)) {
  meta::migrate(database_, "lake_external", migrations());
  database_.write([&](soci::session& sql) {
    const std::string name = kFirstSchema, nowhere;
    sql << "INSERT INTO external_schema VALUES (:warehouse, :name, :location) ON CONFLICT "
           "(warehouse, name) DO NOTHING",
        soci::use(warehouse_.name), soci::use(name), soci::use(nowhere);
  });
}

// Schemas

std::vector<std::string> ExternalTables::schemas() const {
  std::vector<std::string> found;
  database_.read([&](soci::session& sql) {
    const soci::rowset<std::string> rows =
        (sql.prepare << "SELECT name FROM external_schema WHERE warehouse = :warehouse ORDER BY "
                        "name",
         soci::use(warehouse_.name));
    found.assign(rows.begin(), rows.end());
  });
  return found;
}

bool ExternalTables::has_schema(const std::string& schema) const {
  bool there = false;
  database_.read([&](soci::session& sql) {
    there = location_of_schema(sql, warehouse_.name, schema).has_value();
  });
  return there;
}

std::string ExternalTables::schema_location(const std::string& schema) const {
  std::optional<std::string> location;
  database_.read(
      [&](soci::session& sql) { location = location_of_schema(sql, warehouse_.name, schema); });
  if (!location) no_schema(schema);
  return location->empty() ? warehouse_.location + "/" + schema : *location;
}

void ExternalTables::create_schema(const std::string& schema, const std::string& location) {
  check_name(schema, "schema");
  database_.write([&](soci::session& sql) {
    if (location_of_schema(sql, warehouse_.name, schema)) {
      throw Error(Code::kSchemaAlreadyExists, fmt::format("Schema '{}' already exists", schema));
    }
    sql << "INSERT INTO external_schema VALUES (:warehouse, :name, :location)",
        soci::use(warehouse_.name), soci::use(schema), soci::use(location);
  });
}

void ExternalTables::drop_schema(const std::string& schema) {
  database_.write([&](soci::session& sql) {
    if (!location_of_schema(sql, warehouse_.name, schema)) no_schema(schema);
    int tables = 0;
    sql << "SELECT count(*) FROM external_table WHERE warehouse = :warehouse AND namespace = :name",
        soci::use(warehouse_.name), soci::use(schema), soci::into(tables);
    if (tables > 0) {
      throw Error(Code::kSchemaNotEmpty, fmt::format("Schema not empty: {}", schema));
    }
    sql << "DELETE FROM external_schema WHERE warehouse = :warehouse AND name = :name",
        soci::use(warehouse_.name), soci::use(schema);
  });
}

// Tables

std::vector<std::string> ExternalTables::tables(const std::string& schema) const {
  std::vector<std::string> found;
  database_.read([&](soci::session& sql) {
    if (!location_of_schema(sql, warehouse_.name, schema)) no_schema(schema);
    const soci::rowset<std::string> rows =
        (sql.prepare << "SELECT name FROM external_table WHERE warehouse = :warehouse AND "
                        "namespace = :namespace ORDER BY name",
         soci::use(warehouse_.name), soci::use(schema));
    found.assign(rows.begin(), rows.end());
  });
  return found;
}

ExternalTable ExternalTables::load(soci::session& sql, const std::string& schema,
                                   const std::string& name) const {
  ExternalTable table;
  std::string definition;
  sql << "SELECT id, location, definition FROM external_table WHERE warehouse = :warehouse AND "
         "namespace = :namespace AND name = :name",
      soci::use(warehouse_.name), soci::use(schema), soci::use(name), soci::into(table.id),
      soci::into(table.location), soci::into(definition);
  if (!sql.got_data()) no_table(schema, name);
  table.schema = schema;
  table.name = name;
  read_definition(table, definition);
  return table;
}

std::optional<ExternalTable> ExternalTables::find(const std::string& schema,
                                                  const std::string& name) const {
  std::optional<ExternalTable> found;
  database_.read([&](soci::session& sql) {
    found.reset();
    if (table_exists(sql, warehouse_.name, schema, name)) found = load(sql, schema, name);
  });
  return found;
}

ExternalTable ExternalTables::create(ExternalTable table,
                                     const std::vector<ExternalPartition>& partitions) {
  table.id = base::random_uuid();
  const std::string definition = text_of(table);
  database_.write([&](soci::session& sql) {
    check_free(sql, warehouse_.name, table.schema, table.name);
    sql << "INSERT INTO external_table VALUES (:warehouse, :namespace, :name, :id, :location, "
           ":definition)",
        soci::use(warehouse_.name), soci::use(table.schema), soci::use(table.name),
        soci::use(table.id), soci::use(table.location), soci::use(definition);
    insert_partitions(sql, table.id, partitions);
  });
  return table;
}

void ExternalTables::edit(const std::string& schema, const std::string& name,
                          const std::function<void(ExternalTable&)>& edit) {
  database_.write([&](soci::session& sql) {
    ExternalTable table = load(sql, schema, name);
    edit(table);
    const std::string definition = text_of(table);
    sql << "UPDATE external_table SET location = :location, definition = :definition WHERE "
           "warehouse = :warehouse AND namespace = :namespace AND name = :name",
        soci::use(table.location), soci::use(definition), soci::use(warehouse_.name),
        soci::use(schema), soci::use(name);
  });
}

void ExternalTables::rename(const std::string& schema, const std::string& name,
                            const std::string& to_schema, const std::string& to) {
  database_.write([&](soci::session& sql) {
    if (!table_exists(sql, warehouse_.name, schema, name)) no_table(schema, name);
    check_free(sql, warehouse_.name, to_schema, to);
    sql << "UPDATE external_table SET namespace = :to_schema, name = :to WHERE warehouse = "
           ":warehouse AND namespace = :namespace AND name = :name",
        soci::use(to_schema), soci::use(to), soci::use(warehouse_.name), soci::use(schema),
        soci::use(name);
  });
}

ExternalTable ExternalTables::drop(const std::string& schema, const std::string& name) {
  ExternalTable table;
  database_.write([&](soci::session& sql) {
    table = load(sql, schema, name);
    sql << "DELETE FROM external_partition WHERE table_id = :id", soci::use(table.id);
    sql << "DELETE FROM external_table WHERE warehouse = :warehouse AND namespace = :namespace AND "
           "name = :name",
        soci::use(warehouse_.name), soci::use(schema), soci::use(name);
  });
  return table;
}

bool ExternalTables::location_in_use(const std::string& location) const {
  const std::string wanted = slashed(location);
  bool used = false;
  database_.read([&](soci::session& sql) {
    const soci::rowset<std::string> rows =
        (sql.prepare << "SELECT location FROM external_table WHERE warehouse = :warehouse",
         soci::use(warehouse_.name));
    used = std::any_of(rows.begin(), rows.end(), [&](const std::string& known) {
      const std::string other = slashed(known);
      return other.starts_with(wanted) || wanted.starts_with(other);
    });
  });
  return used;
}

// Partitions

std::vector<ExternalPartition> ExternalTables::partitions(const std::string& table_id) const {
  std::vector<ExternalPartition> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT partition_values, location FROM external_partition WHERE table_id "
                        "= :id ORDER BY partition_values",
         soci::use(table_id));
    for (const auto& row : rows)
      found.push_back({parse_values(row.get<std::string>(0)), row.get<std::string>(1)});
  });
  return found;
}

size_t ExternalTables::add_partitions(const std::string& table_id,
                                      const std::vector<ExternalPartition>& partitions) {
  size_t added = 0;
  if (partitions.empty()) return added;
  database_.write(
      [&](soci::session& sql) { added = insert_partitions(sql, table_id, partitions); });
  return added;
}

size_t ExternalTables::remove_partitions(const std::string& table_id,
                                         const std::vector<PartitionValues>& values) {
  size_t removed = 0;
  if (values.empty()) return removed;
  database_.write([&](soci::session& sql) {
    removed = 0;
    for (const auto& one : values) {
      const std::string text = text_of(one);
      soci::statement removal =
          (sql.prepare << "DELETE FROM external_partition WHERE table_id = :id AND "
                          "partition_values = :values",
           soci::use(table_id), soci::use(text));
      removal.execute(true);
      removed += static_cast<size_t>(removal.get_affected_rows());
    }
  });
  return removed;
}

}  // namespace meesh::lake
