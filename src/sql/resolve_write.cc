// Statements that change tables.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "sql/resolve_check.h"
#include "sql/resolve_literals.h"
#include "sql/resolve_types.h"
#include "sql/resolver.h"

namespace meesh::sql {
namespace {

std::string quote(const std::string& name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

const ColumnInfo* find_column(const TableInfo& info, const std::string& name) {
  for (const auto& column : info.columns)
    if (lower(column.name) == lower(name)) return &column;
  return nullptr;
}

std::vector<ColumnInfo> visible_columns(const TableInfo& info) {
  std::vector<ColumnInfo> out;
  for (const auto& column : info.columns)
    if (!column.hidden) out.push_back(column);
  return out;
}

}  // namespace

std::string duckdb_name(const TableName& name) {
  std::string out = quote(name.catalog) + '.' + quote(name.schema);
  return name.table.empty() ? out : out + '.' + quote(name.table);
}

// ---------------------------------------------------------------- targets

TableInfo Resolver::target(TableRef& table, const char* refusal, Position pos) {
  // Trino speaks of the statement here, not of the name in it.
  const bool inserts = std::string_view(refusal) == "Inserting into";
  const TableName name = full_name(table.name, top(), pos);
  auto found = context_.catalogs->table(name);
  if (!found)
    fail(Code::kTableNotFound, pos, fmt::format("Table '{}' does not exist", name.display()));
  TableInfo info = std::move(*found);
  if (info.kind != TableInfo::Kind::kTable)
    fail(Code::kNotSupported, pos,
         fmt::format("{} {}views is not supported", refusal,
                     info.kind == TableInfo::Kind::kView ? "" : "materialized "));
  if (info.duckdb_target.empty())
    throw Error(Code::kNotSupported, inserts
                                         ? "This connector does not support inserts"
                                         : "This connector does not support modifying table rows");
  if (info.insert_only && std::string_view(refusal) != "Inserting into")
    fail(Code::kNotSupported, table.pos,
         fmt::format("Rows of '{}' can be added but not changed: it is partitioned, inherited from "
                     "or foreign",
                     info.name.display()));
  table.resolved = info;
  table.alias = unique(info.name.table);
  analysis_.writes.push_back(info);
  return info;
}

Resolver::Fields Resolver::target_fields(const TableInfo& info, const std::string& alias,
                                         const std::optional<Ident>& name) {
  Fields fields;
  for (const auto& column : info.columns) {
    Field field;
    field.name = column.name;
    if (name)
      field.qualifier = {lower(name->value)};
    else
      field.qualifier = {info.name.catalog, info.name.schema, info.name.table};
    field.sources = {{alias, column.name}};
    field.type = column.type;
    field.hidden = column.hidden;
    fields.push_back(std::move(field));
  }
  return fields;
}

void Resolver::store(ExprPtr& value, const Type& type) {
  settle(*value, type);
  const auto from = infer_type(*value);
  if (from && *from == type) return;
  const bool short_enough = from && from->kind == TypeKind::kVarchar &&
                            type.kind == TypeKind::kVarchar && from->precision <= type.precision;
  if (short_enough) return;
  const bool cuts = (type.kind == TypeKind::kVarchar && type.precision != Type::kUnbounded) ||
                    type.kind == TypeKind::kChar;
  auto cast = std::make_unique<Cast>();
  cast->pos = value->pos;
  cast->store =
      cuts && !(from && from->kind == TypeKind::kVarchar && from->precision <= type.precision);
  cast->value = std::move(value);
  cast->type = parse_type(type.display());
  value = std::move(cast);
}

// ---------------------------------------------------------------- INSERT

void Resolver::insert(Insert& insert) {
  Fields outputs = query(*insert.query, top(), nullptr);
  const TableInfo info = target(*insert.table, "Inserting into", insert.pos);
  insert.duckdb_target = info.duckdb_target;
  std::vector<ColumnInfo> columns = visible_columns(info);
  if (!insert.columns.empty()) {
    std::vector<ColumnInfo> chosen;
    std::set<std::string> seen;
    for (const auto& name : insert.columns) {
      const ColumnInfo* column = find_column(info, name.value);
      if (!column || column->hidden)
        fail(Code::kColumnNotFound, insert.pos,
             fmt::format("Insert column name does not exist in target table: {}",
                         lower(name.value)));
      if (!seen.insert(lower(name.value)).second)
        fail(Code::kDuplicateColumnName, insert.pos,
             fmt::format("Insert column name is specified more than once: {}", lower(name.value)));
      chosen.push_back(*column);
    }
    columns = std::move(chosen);
  }
  insert.columns.clear();
  for (const auto& column : columns) insert.columns.push_back({column.name, true, insert.pos});

  check_insert(outputs, columns, insert.pos);
  fit(insert.query, std::move(outputs), columns);
}

void Resolver::check_insert(const Fields& outputs, const std::vector<ColumnInfo>& columns,
                            Position pos) {
  bool fits = outputs.size() == columns.size();
  for (size_t i = 0; fits && i < columns.size(); ++i) {
    const auto& from = outputs[i].known_type();
    fits = !from || store_assignable(*from, columns[i].type);
  }
  if (fits) return;
  std::vector<std::string> wanted, given;
  for (const auto& column : columns) wanted.push_back(column.type.display());
  for (const auto& output : outputs)
    given.push_back(output.known_type() ? output.known_type()->display() : "unknown");
  fail(Code::kTypeMismatch, pos,
       fmt::format("Insert query has mismatched column types: Table: [{}], Query: [{}]",
                   fmt::join(wanted, ", "), fmt::join(given, ", ")));
}

void Resolver::fit(QueryPtr& query, Fields outputs, const std::vector<ColumnInfo>& columns,
                   bool exactly) {
  bool same = true;
  for (size_t i = 0; i < columns.size(); ++i)
    same = same && outputs[i].known_type() == columns[i].type;
  if (same) return;
  auto inner = std::make_unique<SubqueryRelation>();
  inner->pos = query->pos;
  inner->query = std::move(query);
  RelationPtr slot = std::move(inner);
  outputs = wrap(slot, std::move(outputs), "query");
  auto select = std::make_unique<Select>();
  const Position pos = slot->pos;
  select->pos = pos;
  for (size_t i = 0; i < columns.size(); ++i) {
    ExprPtr value = reference(outputs[i], pos, columns[i].name);
    store(value, columns[i].type);
    if (exactly && infer_type(*value) != columns[i].type) {
      auto cast = std::make_unique<Cast>();
      cast->pos = pos;
      cast->value = std::move(value);
      cast->type = parse_type(columns[i].type.display());
      value = std::move(cast);
    }
    select->items.push_back({std::move(value), Ident{columns[i].name, true, pos}, pos});
  }
  select->from = std::move(slot);
  query = std::make_unique<Query>();
  query->pos = pos;
  query->body = std::move(select);
}

// ---------------------------------------------------------------- DELETE, UPDATE, MERGE

void Resolver::remove(Delete& remove) {
  const TableInfo info = target(*remove.table, "Deleting from", remove.pos);
  remove.duckdb_target = info.duckdb_target;
  const Scope scope{nullptr, target_fields(info, remove.table->alias, std::nullopt)};
  if (!remove.where) return;
  predicate(remove.where, scope, top(), "WHERE clause");
  refuse_aggregates(*remove.where, "WHERE clause");
}

void Resolver::assign(std::vector<std::pair<Ident, ExprPtr>>& assignments, const TableInfo& info,
                      const Scope& scope, const char* verb) {
  std::set<std::string> seen;
  for (auto& [name, value] : assignments) {
    const ColumnInfo* column = find_column(info, name.value);
    if (!column || column->hidden)
      fail(Code::kColumnNotFound, name.pos,
           fmt::format("The {} SET target column {} doesn't exist", verb, lower(name.value)));
    if (!seen.insert(lower(name.value)).second)
      fail(Code::kDuplicateColumnName, name.pos,
           fmt::format("The {} SET target column {} is assigned more than once", verb,
                       lower(name.value)));
    expr(value, scope, top());
    refuse_aggregates(*value, "SET expression");
    const auto from = infer_type(*value);
    if (from && !store_assignable(*from, column->type))
      fail(Code::kTypeMismatch, value->pos,
           fmt::format("{} table column types don't match SET expressions: Table: [{}], "
                       "Expressions: [{}]",
                       verb, column->type.display(), from->display()));
    store(value, column->type);
    name = {column->name, true, name.pos};
  }
}

void Resolver::update(Update& update) {
  const TableInfo info = target(*update.table, "Updating", update.pos);
  update.duckdb_target = info.duckdb_target;
  const Scope scope{nullptr, target_fields(info, update.table->alias, std::nullopt)};
  assign(update.assignments, info, scope, "UPDATE");
  if (!update.where) return;
  predicate(update.where, scope, top(), "WHERE clause");
  refuse_aggregates(*update.where, "WHERE clause");
}

void Resolver::merge(Merge& merge) {
  const TableInfo info = target(*merge.table, "Merging into", merge.pos);
  merge.duckdb_target = info.duckdb_target;
  Scope scope{nullptr, target_fields(info, merge.table->alias, merge.alias)};
  const Scope source{nullptr, relation(merge.source, top(), nullptr, nullptr)};
  scope.fields.insert(scope.fields.end(), source.fields.begin(), source.fields.end());
  predicate(merge.on, scope, top(), "MERGE ON clause");
  const std::vector<ColumnInfo> columns = visible_columns(info);
  for (auto& when : merge.cases) {
    if (when.condition) predicate(when.condition, scope, top(), "WHEN clause");
    if (when.action == MergeCase::Action::kUpdate) assign(when.assignments, info, scope, "MERGE");
    if (when.action != MergeCase::Action::kInsert) continue;
    if (when.insert_columns.empty())
      for (const auto& column : columns)
        when.insert_columns.push_back({column.name, true, when.pos});
    if (when.insert_columns.size() != when.insert_values.size())
      fail(Code::kTypeMismatch, when.pos,
           fmt::format("MERGE INSERT names {} columns but gives {} values",
                       when.insert_columns.size(), when.insert_values.size()));
    for (size_t i = 0; i < when.insert_columns.size(); ++i) {
      const ColumnInfo* column = find_column(info, when.insert_columns[i].value);
      if (!column || column->hidden)
        fail(Code::kColumnNotFound, when.insert_columns[i].pos,
             fmt::format("Insert column name does not exist in target table: {}",
                         lower(when.insert_columns[i].value)));
      when.insert_columns[i] = {column->name, true, when.insert_columns[i].pos};
      expr(when.insert_values[i], source, top());
      store(when.insert_values[i], column->type);
    }
  }
}

// ---------------------------------------------------------------- CREATE TABLE, CREATE VIEW

TableName Resolver::new_name(const Name& name, Position pos) {
  const TableName full = full_name(name, top(), pos);
  if (!context_.catalogs->catalog_exists(full.catalog))
    fail(Code::kCatalogNotFound, pos, fmt::format("Catalog '{}' not found", full.catalog));
  if (!context_.catalogs->schema_exists(full.catalog, full.schema))
    throw Error(Code::kNotFound, fmt::format("Schema {} not found", full.schema));
  return full;
}

std::optional<TableInfo> Resolver::existing(const TableName& name, Position) {
  return context_.catalogs->table(name);
}

namespace {

/// LIKE … INCLUDING PROPERTIES: what WITH (…) does not name is as in the other table. Its place is
/// its own. `inherits`: whether another LIKE of the statement has done so.
void inherit_properties(CreateTable& create, const TableInfo& like, const TableName& name,
                        bool& inherits) {
  if (like.name.catalog != name.catalog)
    fail(Code::kNotSupported, create.pos,
         "CREATE TABLE LIKE table INCLUDING PROPERTIES across catalogs is not supported");
  if (inherits)
    fail(Code::kNotSupported, create.pos, "Only one LIKE clause can specify INCLUDING PROPERTIES");
  inherits = true;
  static const std::set<std::string> kPlaces = {"location", "data_location", "external_location"};
  std::set<std::string> said = kPlaces;
  for (const auto& property : create.properties) said.insert(lower(property.name.value));
  for (const auto& [property, value] : like.properties) {
    if (said.contains(property)) continue;
    create.properties.push_back({{property, true, create.pos}, parse_expression(value)});
  }
}

}  // namespace

namespace {

template <class Create>
void check_creation(const Create& create) {
  if (create.or_replace && create.if_not_exists)
    fail(Code::kSyntaxError, create.pos,
         "'OR REPLACE' and 'IF NOT EXISTS' clauses can not be used together");
}

}  // namespace

void Resolver::create_table(CreateTable& create) {
  const TableName name = new_name(create.name, create.pos);
  if (existing(name, create.pos) && !create.if_not_exists && !create.or_replace)
    fail(Code::kTableAlreadyExists, create.pos,
         fmt::format("Table '{}' already exists", name.display()));
  check_creation(create);
  const bool itself = context_.catalogs->runs_changes(name.catalog);
  if (!itself) refuse_properties(create.properties, name.catalog, "table");
  TableInfo info;
  info.name = name;
  info.comment = create.comment.value_or("");
  info.duckdb_target = create.duckdb_target = duckdb_name(name);
  create.keeps_labels = context_.catalogs->keeps_labels(name.catalog);
  std::vector<TableElement> elements;
  bool inherits = false;
  for (auto& element : create.elements) {
    if (element.column) {
      elements.push_back(std::move(element));
      continue;
    }
    const TableName other = full_name(element.like, top(), create.pos);
    const auto found = context_.catalogs->table(other);
    if (!found)
      fail(Code::kTableNotFound, create.pos,
           fmt::format("LIKE table '{}' does not exist", other.display()));
    const TableInfo like = *found;
    note_read(like);
    if (element.including_properties) inherit_properties(create, like, name, inherits);
    for (const auto& column : visible_columns(like)) {
      TableElement copy;
      copy.column.emplace();
      copy.column->name = {{column.name, true, create.pos}};
      copy.column->type = parse_type(column.type.display());
      copy.column->not_null = !column.nullable;
      if (!column.comment.empty()) copy.column->comment = column.comment;
      copy.column->pos = create.pos;
      elements.push_back(std::move(copy));
    }
  }
  create.elements = std::move(elements);
  std::set<std::string> seen;
  for (auto& element : create.elements) {
    ColumnDefinition& column = *element.column;
    const std::string column_name = lower(column.name.back().value);
    check_column_type(*column.type, column.name.back().value, column.pos);
    if (!itself) refuse_properties(column.properties, name.catalog, "column");
    if (!seen.insert(column_name).second)
      fail(Code::kDuplicateColumnName, column.pos,
           fmt::format("Column name '{}' specified more than once", column_name));
    if (column.default_value) {
      const Scope nothing;
      expr(column.default_value, nothing, top());
    }
    column.name = {{column_name, true, column.pos}};
    info.columns.push_back({column_name, to_type(*column.type), !column.not_null,
                            column.comment.value_or(""), "", false});
  }
  analysis_.writes.push_back(std::move(info));
}

void Resolver::declare(Fields& fields, Position pos) {
  std::set<std::string> seen;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].name)
      fail(Code::kMissingColumnName, pos,
           fmt::format("Column name not specified at position {}", i + 1));
    if (!seen.insert(lower(*fields[i].name)).second)
      fail(Code::kDuplicateColumnName, pos,
           fmt::format("Column name '{}' specified more than once", *fields[i].name));
    const auto& type = fields[i].known_type();
    if (type && type->kind == TypeKind::kUnknown)
      fail(Code::kColumnTypeUnknown, pos,
           fmt::format("Column type is unknown: {}", *fields[i].name));
  }
}

/// Text of a known length keeps it in a table that DuckDB makes of a query: only a cast tells it.
void Resolver::label(QueryPtr& query, Fields outputs, const std::vector<ColumnInfo>& columns) {
  const auto is_labelled = [](const ColumnInfo& column) {
    return column.type.display().find("varchar(") != std::string::npos;
  };
  if (std::ranges::none_of(columns, is_labelled)) return;
  const Position pos = query->pos;
  auto inner = std::make_unique<SubqueryRelation>();
  inner->pos = pos;
  inner->query = std::move(query);
  RelationPtr slot = std::move(inner);
  outputs = wrap(slot, std::move(outputs), "query");
  auto select = std::make_unique<Select>();
  select->pos = pos;
  for (size_t i = 0; i < columns.size(); ++i) {
    ExprPtr value = reference(outputs[i], pos, columns[i].name);
    if (is_labelled(columns[i])) {
      auto cast = std::make_unique<Cast>();
      cast->pos = pos;
      cast->value = std::move(value);
      cast->type = parse_type(columns[i].type.display());
      value = std::move(cast);
    }
    select->items.push_back({std::move(value), Ident{columns[i].name, true, pos}, pos});
  }
  select->from = std::move(slot);
  query = std::make_unique<Query>();
  query->pos = pos;
  query->body = std::move(select);
}

void Resolver::create_table_as(CreateTableAs& create) {
  const TableName name = new_name(create.name, create.pos);
  const auto before = existing(name, create.pos);
  if (before && create.if_not_exists) {  // the query is not looked at
    analysis_.writes.push_back(*before);
    return;
  }
  if (before && !create.or_replace)
    fail(Code::kTableAlreadyExists, create.pos,
         fmt::format("Destination table '{}' already exists", name.display()));
  check_creation(create);
  Fields outputs = query(*create.query, top(), nullptr);
  if (!create.columns.empty()) {
    if (create.columns.size() != outputs.size())
      fail(Code::kMismatchedColumnAliases, create.columns.front().pos,
           fmt::format("Column alias list has {} entries but relation has {} columns",
                       create.columns.size(), outputs.size()));
    for (size_t i = 0; i < outputs.size(); ++i) outputs[i].name = create.columns[i].value;
  }
  declare(outputs, create.pos);
  if (!context_.catalogs->runs_changes(name.catalog))
    refuse_properties(create.properties, name.catalog, "table");
  TableInfo info;
  info.name = name;
  info.duckdb_target = create.duckdb_target = duckdb_name(name);
  info.comment = create.comment.value_or("");
  create.columns.clear();
  bool known = true;
  for (const auto& output : outputs) {
    create.columns.push_back({lower(*output.name), true, create.pos});
    known = known && output.known_type();
    info.columns.push_back(
        {lower(*output.name), output.known_type().value_or(Type()), true, "", "", false});
  }
  create.keeps_labels = context_.catalogs->keeps_labels(name.catalog);
  if (create.keeps_labels && known) label(create.query, std::move(outputs), info.columns);
  analysis_.writes.push_back(std::move(info));
}

TableInfo Resolver::view_of(CreateView& create, const TableName& name, TableInfo::Kind kind) {
  if (!create.query->functions.empty())
    fail(Code::kNotSupported, create.query->functions.front()->pos,
         "Views cannot contain inline functions");
  views_.push_back(name.display());
  Fields outputs = query(*create.query, top(), nullptr);
  views_.pop_back();
  declare(outputs, create.pos);
  create.duckdb_target = duckdb_name(name);
  TableInfo info;
  info.name = name;
  info.kind = kind;
  info.comment = create.comment.value_or("");
  info.view_sql = create.query_text;
  info.view_catalog = context_.catalog;
  info.view_schema = context_.schema;
  info.view_owner = context_.user;
  for (const auto& output : outputs)
    info.columns.push_back(
        {lower(*output.name), output.known_type().value_or(Type()), true, "", "", false});
  return info;
}

void Resolver::create_view(CreateView& create) {
  if (create.materialized) return create_materialized_view(create);
  const TableName name = new_name(create.name, create.pos);
  const auto before = existing(name, create.pos);
  if (before && before->kind == TableInfo::Kind::kMaterializedView)
    fail(Code::kTableAlreadyExists, create.pos,
         fmt::format("Materialized view already exists: '{}'", name.display()));
  if (before && before->kind != TableInfo::Kind::kView)
    fail(Code::kTableAlreadyExists, create.pos,
         fmt::format("Table already exists: '{}'", name.display()));
  if (before && !create.or_replace && !create.if_not_exists)
    fail(Code::kTableAlreadyExists, create.pos,
         fmt::format("View already exists: '{}'", name.display()));
  TableInfo info = view_of(create, name, TableInfo::Kind::kView);
  info.view_runs_as_invoker = create.security == "invoker";
  analysis_.writes.push_back(std::move(info));
}

// ---------------------------------------------------------------- materialized views

namespace {

std::optional<int64_t> grace_period_ms(const CreateView& create) {
  if (!create.grace_period) return std::nullopt;
  const auto& interval = as<IntervalLiteral>(*create.grace_period);
  if (interval.from == "year" || interval.from == "month")
    fail(Code::kTypeMismatch, interval.pos,
         "Unsupported grace period type interval year to month, expected interval day to second");
  const int64_t micros = interval_micros(interval);
  if (micros < 0)
    fail(Code::kNumericValueOutOfRange, interval.pos, "Grace period cannot be negative");
  return micros / 1000;
}

}  // namespace

void Resolver::create_materialized_view(CreateView& create) {
  const TableName name = new_name(create.name, create.pos);
  if (create.or_replace && create.if_not_exists)
    fail(Code::kNotSupported, create.pos,
         "'CREATE OR REPLACE' and 'IF NOT EXISTS' clauses can not be used together");
  if (!context_.catalogs->runs_changes(name.catalog))
    throw Error(Code::kNotSupported, "This connector does not support creating materialized views");
  const auto before = existing(name, create.pos);
  if (before && before->kind != TableInfo::Kind::kMaterializedView)
    fail(Code::kTableAlreadyExists, create.pos,
         fmt::format("{} already exists: '{}'",
                     before->kind == TableInfo::Kind::kView ? "View" : "Table", name.display()));
  if (before && !create.or_replace && !create.if_not_exists)
    fail(Code::kAlreadyExists, create.pos,
         fmt::format("Materialized view already exists: '{}'", name.display()));
  TableInfo info = view_of(create, name, TableInfo::Kind::kMaterializedView);
  info.materialization.emplace();
  info.materialization->grace_period_ms = grace_period_ms(create);
  info.materialization->fails_when_stale = create.when_stale == "fail";
  analysis_.writes.push_back(std::move(info));
}

void Resolver::refresh(RefreshMaterializedView& refresh) {
  const TableName name = full_name(refresh.name, top(), refresh.pos);
  auto info = context_.catalogs->table(name);
  if (!info || info->kind != TableInfo::Kind::kMaterializedView)
    fail(Code::kTableNotFound, refresh.pos,
         fmt::format("Materialized view '{}' does not exist", name.display()));
  Fields outputs = view_query(refresh.query, *info, refresh.pos);
  check_insert(outputs, info->columns, refresh.pos);
  fit(refresh.query, std::move(outputs), info->columns, true);
  analysis_.writes.push_back(std::move(*info));
}

}  // namespace meesh::sql
