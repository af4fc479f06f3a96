#include "engine/catalogs/hive_changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/uuid.h"
#include "engine/duck.h"
#include "engine/statement_runner.h"
#include "objects/error.h"

namespace meesh::engine {
namespace {

using lake::ExternalTable;
using sql::as;
using sql::StatementKind;
using Action = sql::AlterTable::Action;

Location at(const sql::Position& position) { return {position.line, position.column, {}}; }

[[noreturn]] void unsupported(const std::string& what, const sql::Position& position) {
  throw Error(Code::kNotSupported, what, at(position));
}

/// Whether the mesh has the bucket.
void check_bucket(const HiveSource& source, const lake::Folder& folder) {
  try {
    source.store.bucket(folder.bucket);
  } catch (const objects::ObjectError& error) {
    if (error.reason() != objects::Reason::kNoSuchBucket) throw;
    throw Error(Code::kInvalidTableProperty,
                fmt::format("The mesh's object store has no bucket '{}'", folder.bucket))
        .with_hint("create the bucket first");
  }
}

std::vector<lake::ExternalColumn>::iterator column_named(ExternalTable& table,
                                                         const std::string& name) {
  return std::find_if(table.columns.begin(), table.columns.end(),
                      [&](const auto& column) { return column.name == name; });
}

bool partitioned_by(const ExternalTable& table, const std::string& name) {
  const auto& by = table.partitioned_by;
  return std::find(by.begin(), by.end(), name) != by.end();
}

void add_column(ExternalTable& table, const sql::AlterTable& alter) {
  const auto& column = *alter.column;
  if (column.name.size() > 1)
    unsupported("This connector does not support adding fields", column.pos);
  if (column.not_null)
    unsupported("This connector does not support adding not null columns", column.pos);
  if (column.default_value)
    unsupported("This connector does not support default values", column.pos);
  if (!alter.add_position.empty() && alter.add_position != "last")
    unsupported("ADD COLUMN FIRST and AFTER are not supported", column.pos);
  const std::string name = lower_case(column.name.back().value);
  if (column_named(table, name) != table.columns.end()) {
    if (alter.column_if_not_exists) return;
    throw Error(Code::kColumnAlreadyExists, "Column '" + name + "' already exists", at(column.pos));
  }
  table.columns.insert(table.columns.end() - static_cast<ptrdiff_t>(table.partitioned_by.size()),
                       {name, sql::to_type(*column.type).display(), column.comment.value_or("")});
}

void change_columns(ExternalTable& table, const sql::AlterTable& alter) {
  if (alter.action == Action::kAddColumn) return add_column(table, alter);
  if (alter.column_name.size() != 1)
    unsupported("This connector does not support changing fields", alter.pos);
  const std::string name = lower_case(alter.column_name.back().value);
  const auto column = column_named(table, name);
  if (column == table.columns.end()) {
    if (alter.column_if_exists) return;
    throw Error(Code::kColumnNotFound, "Column '" + name + "' does not exist", at(alter.pos));
  }
  const bool partition = partitioned_by(table, name);
  switch (alter.action) {
    case Action::kDropColumn:
      if (partition) unsupported("Cannot drop partition column", alter.pos);
      if (data_columns(table) == 1)
        unsupported("Cannot drop the only non-partition column in a table", alter.pos);
      table.columns.erase(column);
      return;
    case Action::kRenameColumn:
      if (partition) unsupported("Renaming partition columns is not supported", alter.pos);
      column->name = lower_case(alter.new_name->value);
      return;
    default:
      unsupported("This connector does not support setting column types", alter.pos);
  }
}

}  // namespace

std::optional<int64_t> HiveChange::run() {
  auto& statement = change_.statement;
  switch (statement.kind) {
    case StatementKind::kCreateSchema:
      create_schema(as<sql::CreateSchema>(statement));
      return std::nullopt;
    case StatementKind::kDropSchema:
      drop_schema(as<sql::DropSchema>(statement));
      return std::nullopt;
    case StatementKind::kCreateTable:
      create_table(as<sql::CreateTable>(statement));
      return std::nullopt;
    case StatementKind::kCreateTableAs:
      return create_table_as(as<sql::CreateTableAs>(statement));
    case StatementKind::kDropTable:
      if (source_.tables.find(name().schema, name().table)) drop_table(name().schema, name().table);
      return std::nullopt;
    case StatementKind::kAlterTable:
      alter_table(as<sql::AlterTable>(statement));
      return std::nullopt;
    case StatementKind::kTruncate:
      truncate();
      return std::nullopt;
    case StatementKind::kInsert:
      return insert(as<sql::Insert>(statement));
    default:
      throw Error(Code::kNotSupported, "Modifying Hive table rows is not supported",
                  at(statement.pos))
          .with_hint("rows of Iceberg tables can be changed");
  }
}

ExternalTable HiveChange::table() const {
  auto found = source_.tables.find(name().schema, name().table);
  if (!found) {
    throw Error(Code::kTableNotFound,
                fmt::format("Table '{}.{}' does not exist", name().schema, name().table));
  }
  return std::move(*found);
}

// ---------------------------------------------------------------- schemas

void HiveChange::create_schema(const sql::CreateSchema& create) {
  if (create.if_not_exists && source_.tables.has_schema(name().schema)) return;
  std::string location;
  for (const auto& property : create.properties) {
    const std::string key = lower_case(property.name.value);
    if (key != "location") {
      throw Error(
          Code::kInvalidSchemaProperty,
          fmt::format("Catalog '{}' schema property '{}' does not exist", source_.name, key),
          at(property.name.pos));
    }
    if (property.value) location = literal_text(property.value.get(), "Property value");
  }
  if (!location.empty()) check_bucket(source_, lake::parse_folder(location));
  source_.allow(change_.user, "s3:PutObject",
                lake::parse_folder(location.empty()
                                       ? source_.tables.warehouse().location + "/" + name().schema
                                       : location));
  source_.tables.create_schema(name().schema, location);
}

void HiveChange::drop_schema(const sql::DropSchema& drop) {
  const std::string& schema = name().schema;
  if (!source_.tables.has_schema(schema)) return;  // IF EXISTS, or the resolver had refused it
  source_.allow(change_.user, "s3:PutObject",
                lake::parse_folder(source_.tables.schema_location(schema)));
  if (drop.cascade) {
    for (const auto& table : source_.tables.tables(schema)) drop_table(schema, table);
  }
  source_.tables.drop_schema(schema);
}

// ---------------------------------------------------------------- tables

void HiveChange::place(ExternalTable& table) const {
  if (!table.location.empty()) {
    const auto folder = lake::parse_folder(table.location);
    check_bucket(source_, folder);
    source_.allow(change_.user, "s3:GetObject", folder);
    return;
  }
  table.managed = true;
  std::string base = source_.tables.schema_location(table.schema);
  while (base.ends_with('/')) base.pop_back();
  const std::string wanted = base + "/" + table.name;
  table.location = wanted;
  // What is there belongs to somebody else: a table that was renamed, or an older one's leavings.
  if (source_.tables.location_in_use(wanted) ||
      lake::has_objects(source_.store, lake::parse_folder(wanted))) {
    table.location = fmt::format("{}-{}", wanted, base::random_uuid());
  }
  source_.allow(change_.user, "s3:PutObject", lake::parse_folder(table.location));
}

ExternalTable HiveChange::planned(const std::vector<sql::ColumnInfo>& columns,
                                  const std::vector<sql::Property>& properties,
                                  const std::optional<std::string>& comment) const {
  ExternalTable made;
  made.schema = name().schema;
  made.name = name().table;
  made.owner = change_.user;
  made.comment = comment.value_or("");
  for (const auto& column : columns) {
    if (!column.nullable) {
      throw Error(Code::kNotSupported,
                  fmt::format("Catalog '{}' does not support non-null column for column name '{}'",
                              source_.name, column.name));
    }
    made.columns.push_back({lower_case(column.name), column.type.display(), column.comment});
  }
  read_hive_properties(made, properties, source_.name);
  check_hive_columns(made);
  place(made);
  return made;
}

void HiveChange::create_table(const sql::CreateTable& create) {
  if (create.or_replace)
    unsupported("This connector does not support replacing tables", create.pos);
  if (create.if_not_exists && source_.tables.find(name().schema, name().table)) return;
  for (const auto& element : create.elements) {
    if (!element.column || !element.column->default_value) continue;
    unsupported(fmt::format("Catalog '{}' does not support default value for column name '{}'",
                            source_.name, lower_case(element.column->name.back().value)),
                element.column->pos);
  }
  const auto made =
      planned(change_.analysis.writes.front().columns, create.properties, create.comment);
  // Folders that are there already are known at once.
  std::vector<lake::ExternalPartition> partitions;
  if (!made.partitioned_by.empty()) {
    partitions = lake::find_partitions(source_.store, lake::parse_folder(made.location),
                                       made.partitioned_by, true);
  }
  source_.tables.create(made, partitions);
}

int64_t HiveChange::create_table_as(sql::CreateTableAs& create) {
  if (create.or_replace)
    unsupported("This connector does not support replacing tables", create.pos);
  if (source_.tables.find(name().schema, name().table)) {
    if (create.if_not_exists) return 0;
    throw Error(Code::kTableAlreadyExists,
                fmt::format("Table '{}' already exists", name().display()), at(create.pos));
  }
  sql::QueryStatement query;
  query.query = std::move(create.query);
  auto columns = change_.columns_of(query);
  for (size_t i = 0; i < columns.size() && i < create.columns.size(); ++i)
    columns[i].name = create.columns[i].value;
  const auto printed = sql::print_duckdb(query);
  create.query = std::move(query.query);
  const auto made = planned(columns, create.properties, create.comment);
  sweep_staging(source_, lake::parse_folder(made.location));
  if (lake::has_objects(source_.store, lake::parse_folder(made.location))) {
    throw Error(Code::kAlreadyExists,
                fmt::format("Target directory for table '{}' already exists: {}", made.display(),
                            made.location))
        .with_hint("CREATE TABLE over the folder, then INSERT, adds to what is there");
  }
  HiveFiles files;
  if (create.with_data) files = write(made, printed);
  try {
    source_.tables.create(made, files.partitions);
  } catch (...) {
    remove_hive(source_, files);
    throw;
  }
  return files.rows;
}

void HiveChange::drop_table(const std::string& schema, const std::string& table_name) {
  const auto found = source_.tables.find(schema, table_name);
  if (!found) return;
  source_.allow_change(change_.user, *found);
  const auto folder = lake::parse_folder(found->location);
  if (found->managed) source_.allow(change_.user, "s3:DeleteObject", folder);
  source_.tables.drop(schema, table_name);
  if (!found->managed) return;
  try {
    lake::remove_keys(source_.store, folder.bucket, lake::all_keys(source_.store, folder));
  } catch (const Error& error) {
    // The table is gone already.
    log::warn("files of a dropped table stay",
              {{"table", found->display()}, {"folder", folder.path()}, {"error", error.what()}});
  }
}

void HiveChange::alter_table(const sql::AlterTable& alter) {
  const auto found = source_.tables.find(name().schema, name().table);
  if (!found) return;  // IF EXISTS, or the resolver had refused it
  source_.allow_change(change_.user, *found);
  switch (alter.action) {
    case Action::kRename:
      return source_.tables.rename(name().schema, name().table,
                                   lower_case(alter.target.at(alter.target.size() - 2).value),
                                   lower_case(alter.target.back().value));
    case Action::kAddColumn:
    case Action::kDropColumn:
    case Action::kRenameColumn:
    case Action::kSetType:
      return source_.tables.edit(name().schema, name().table, [&](ExternalTable& edited) {
        change_columns(edited, alter);
        check_hive_columns(edited);
      });
    case Action::kSetProperties:
      unsupported("This connector does not support setting table properties", alter.pos);
    case Action::kExecute:
      unsupported(
          fmt::format("Table procedure '{}' is not supported", lower_case(alter.procedure.value)),
          alter.pos);
    default:
      unsupported("This connector does not support this change of a table", alter.pos);
  }
}

// ---------------------------------------------------------------- rows

void HiveChange::truncate() {
  const auto found = table();
  if (!found.managed) unsupported("Cannot truncate non-managed Hive table", change_.statement.pos);
  const auto folder = lake::parse_folder(found.location);
  source_.allow(change_.user, "s3:DeleteObject", folder);
  lake::remove_keys(source_.store, folder.bucket, lake::all_keys(source_.store, folder));
}

HiveFiles HiveChange::write(const ExternalTable& written, const sql::Printed& query) const {
  return write_hive(source_, written, query, change_.user, change_.run);
}

int64_t HiveChange::insert(sql::Insert& insert) {
  const auto found = table();
  sql::QueryStatement query;
  query.query = std::move(insert.query);
  sql::Printed printed = sql::print_duckdb(query);
  insert.query = std::move(query.query);
  std::string given, stored;
  for (size_t i = 0; i < insert.columns.size(); ++i)
    given += fmt::format("{}i{}", i ? ", " : "", i);
  for (const auto& column : found.columns) {
    const auto there = std::find_if(
        insert.columns.begin(), insert.columns.end(),
        [&](const sql::Ident& named) { return lower_case(named.value) == column.name; });
    stored += stored.empty() ? "" : ", ";
    stored +=
        there == insert.columns.end() ? "NULL" : fmt::format("i{}", there - insert.columns.begin());
  }
  const std::string before = "SELECT " + stored + " FROM (";
  for (auto& [offset, position] : printed.map) offset += before.size();
  printed.text = before + printed.text + ") AS i(" + given + ")";
  const HiveFiles files = write(found, printed);
  try {
    source_.tables.add_partitions(found.id, files.partitions);
  } catch (...) {
    remove_hive(source_, files);
    throw;
  }
  return files.rows;
}

}  // namespace meesh::engine
