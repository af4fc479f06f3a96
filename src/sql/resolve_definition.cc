// Statements that define things: schemas, DROP, ALTER, COMMENT, TRUNCATE.
#include <fmt/format.h>

#include "sql/resolve_types.h"
#include "sql/resolver.h"

namespace meesh::sql {
namespace {

Name qualified(const TableName& name, Position pos) {
  return {{name.catalog, true, pos}, {name.schema, true, pos}, {name.table, true, pos}};
}

const char* kind_name(TableInfo::Kind kind) {
  switch (kind) {
    case TableInfo::Kind::kTable:
      return "Table";
    case TableInfo::Kind::kView:
      return "View";
    case TableInfo::Kind::kMaterializedView:
      return "Materialized view";
  }
  internal_error("unknown kind of table");
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

/// "This connector does not support …"
const char* action_of(const Statement& statement) {
  using Action = AlterTable::Action;
  if (statement.kind == StatementKind::kDropTable) return "dropping tables";
  if (statement.kind == StatementKind::kTruncate) return "truncating tables";
  if (statement.kind != StatementKind::kAlterTable) return "changing its tables";
  switch (as<AlterTable>(statement).action) {
    case Action::kRename:
      return "renaming tables";
    case Action::kAddColumn:
      return "adding columns";
    case Action::kDropColumn:
      return "dropping columns";
    case Action::kRenameColumn:
      return "renaming columns";
    case Action::kSetType:
      return "setting column types";
    case Action::kDropNotNull:
      return "dropping a not null constraint";
    case Action::kSetProperties:
      return "setting table properties";
    default:
      return "changing its tables";
  }
}

bool has_column(const TableInfo& info, const std::string& name) {
  for (const auto& column : info.columns)
    if (!column.hidden && lower(column.name) == lower(name)) return true;
  return false;
}

}  // namespace

void refuse_properties(const std::vector<Property>& properties, const std::string& catalog,
                       const std::string& kind) {
  if (properties.empty()) return;
  const Code code = kind == "schema"    ? Code::kInvalidSchemaProperty
                    : kind == "column"  ? Code::kInvalidColumnProperty
                    : kind == "analyze" ? Code::kInvalidAnalyzeProperty
                    : kind == "table"   ? Code::kInvalidTableProperty
                                        : Code::kInvalidMaterializedViewProperty;
  const Ident& name = properties.front().name;
  fail(code, name.pos,
       fmt::format("Catalog '{}' {} property '{}' does not exist", catalog, kind,
                   lower(name.value)));
}

void check_column_type(const TypeNode& type, const std::string& column, Position pos) {
  try {
    to_type(type);
  } catch (const Error& error) {
    if (error.code() != Code::kTypeNotFound) throw;
    constexpr std::string_view kUnknown = "Unknown type: ";
    std::string name = error.message();
    if (name.starts_with(kUnknown)) name.erase(0, kUnknown.size());
    fail(Code::kTypeNotFound, pos, fmt::format("Unknown type '{}' for column '{}'", name, column));
  }
}

void Resolver::schema_statement(const Name& name, Position pos, bool exists, bool tolerate,
                                Statement& statement) {
  if (name.size() > 2)
    fail(Code::kSyntaxError, pos,
         fmt::format("Too many parts in schema name: {}", display_name(name)));
  TableName full;
  full.schema = lower(name.back().value);
  full.catalog = name.size() > 1 ? lower(name[0].value) : lower(context_.catalog);
  if (full.catalog.empty())
    fail(Code::kMissingCatalogName, pos,
         "Catalog must be specified when session catalog is not set");
  const bool catalog = context_.catalogs->catalog_exists(full.catalog);
  if (!catalog && !exists)
    fail(Code::kCatalogNotFound, pos, fmt::format("Catalog '{}' not found", full.catalog));
  const bool found = catalog && context_.catalogs->schema_exists(full.catalog, full.schema);
  if (found && !exists && !tolerate)
    fail(Code::kSchemaAlreadyExists, pos,
         fmt::format("Schema '{}.{}' already exists", full.catalog, full.schema));
  if (!found && exists && !tolerate)
    fail(Code::kSchemaNotFound, pos,
         fmt::format("Schema '{}.{}' does not exist", full.catalog, full.schema));
  statement.duckdb_target = duckdb_name(full);
  TableInfo info;
  info.name = full;
  info.duckdb_target = statement.duckdb_target;
  analysis_.writes.push_back(std::move(info));
}

void Resolver::drop_table(Statement& statement, const Name& name, bool if_exists,
                          TableInfo::Kind kind, const char* word) {
  const TableName full = full_name(name, top(), statement.pos);
  // Of EXECUTE Trino tells the place of TABLE.
  Position place = statement.pos;
  if (const auto* alter = try_as<AlterTable>(&statement);
      alter && alter->action == AlterTable::Action::kExecute)
    place.column += static_cast<int>(std::string_view("ALTER ").size());
  auto info = context_.catalogs->table(full);
  const bool view = kind != TableInfo::Kind::kTable;
  const bool drops = std::string_view(word) == "DROP";
  const bool alters_view = view && !drops;
  const std::string shown_kind = alters_view && kind == TableInfo::Kind::kMaterializedView
                                     ? "Materialized View"
                                     : kind_name(kind);
  if (info && info->kind != kind) {
    const std::string found = kind_name(info->kind);
    if (std::string_view(word) == "TRUNCATE")
      fail(Code::kNotSupported, statement.pos, fmt::format("Cannot truncate a {}", lower(found)));
    const std::string instead =
        drops ? fmt::format("DROP {} {}", upper(found), full.display())
              : fmt::format("ALTER {} {} RENAME TO ...", upper(found), full.display());
    fail(alters_view ? Code::kTableNotFound : Code::kGenericUserError, statement.pos,
         fmt::format("{} '{}' does not exist, but a {} with that name exists. Did you mean {}?",
                     shown_kind, full.display(), lower(found), instead));
  }
  if (!info && !if_exists)
    fail(view && drops ? Code::kGenericUserError : Code::kTableNotFound, place,
         fmt::format("{} '{}' does not exist", shown_kind, full.display()));
  if (!info) {
    info.emplace();
    info->name = full;
    info->kind = kind;
    info->duckdb_target = duckdb_name(full);
  } else if (!view && info->duckdb_target.empty()) {
    throw Error(Code::kNotSupported,
                fmt::format("This connector does not support {}", action_of(statement)));
  }
  statement.duckdb_target = view ? duckdb_name(full) : info->duckdb_target;
  analysis_.writes.push_back(std::move(*info));
}

void Resolver::alter_table(AlterTable& alter) {
  drop_table(alter, alter.name, alter.if_exists, TableInfo::Kind::kTable, "ALTER");
  const TableInfo info = analysis_.writes.back();
  alter.name = qualified(info.name, alter.pos);
  alter.keeps_labels = context_.catalogs->keeps_labels(info.name.catalog);
  const bool known = !info.columns.empty();
  const bool itself = context_.catalogs->runs_changes(info.name.catalog);
  const auto missing = [&](const Name& column, const char* fields) {
    if (itself && column.size() > 1) return;
    if (column.size() > 1 && has_column(info, column.front().value))
      throw Error(Code::kNotSupported,
                  fmt::format("This connector does not support {} fields", fields));
    if (known && !has_column(info, column.back().value) && !alter.column_if_exists)
      fail(Code::kColumnNotFound, alter.pos,
           fmt::format("Column '{}' does not exist", lower(column.back().value)));
  };
  switch (alter.action) {
    case AlterTable::Action::kRename: {
      Name to = alter.target;
      if (to.size() < 3)
        to.insert(to.begin(), alter.name.begin(),
                  alter.name.begin() + static_cast<std::ptrdiff_t>(3 - to.size()));
      const TableName full = full_name(to, top(), alter.pos);
      if (!context_.catalogs->catalog_exists(full.catalog))
        fail(Code::kCatalogNotFound, alter.pos,
             fmt::format("Target catalog '{}' not found", full.catalog));
      if (full.catalog != info.name.catalog)
        fail(Code::kNotSupported, alter.pos, "Table rename across catalogs is not supported");
      if (!context_.catalogs->schema_exists(full.catalog, full.schema))
        throw Error(Code::kNotFound, fmt::format("Schema {} not found", full.schema));
      if (full.schema != info.name.schema && !itself)
        fail(Code::kNotSupported, alter.pos, "Table rename across schemas is not supported");
      if (context_.catalogs->table(full))
        fail(Code::kTableAlreadyExists, alter.pos,
             fmt::format("Target table '{}' already exists", full.display()));
      alter.target = qualified(full, alter.pos);
      return;
    }
    case AlterTable::Action::kAddColumn: {
      const auto& name = alter.column->name;
      if (name.size() == 1 && has_column(info, name.back().value) && !alter.column_if_not_exists)
        fail(Code::kColumnAlreadyExists, alter.pos,
             fmt::format("Column '{}' already exists", lower(name.back().value)));
      if (name.size() > 1 && known && !has_column(info, name.front().value))
        fail(Code::kColumnNotFound, alter.pos,
             fmt::format("Column '{}' does not exist", lower(name.front().value)));
      if (alter.add_position == "after" && known && alter.new_name &&
          !has_column(info, alter.new_name->value))
        fail(Code::kColumnNotFound, alter.pos,
             fmt::format("Column '{}' does not exist", lower(alter.new_name->value)));
      if (!itself && name.size() > 1)
        throw Error(Code::kNotSupported, "This connector does not support adding fields");
      if (!itself && !alter.add_position.empty() && alter.add_position != "last")
        throw Error(Code::kNotSupported,
                    fmt::format("This connector does not support adding columns with {} clause",
                                upper(alter.add_position)));
      check_column_type(*alter.column->type, name.back().value, alter.column->pos);
      if (!itself) refuse_properties(alter.column->properties, info.name.catalog, "column");
      if (alter.column->default_value) {
        const Scope nothing;
        expr(alter.column->default_value, nothing, top());
      }
      return;
    }
    case AlterTable::Action::kDropColumn:
    case AlterTable::Action::kDropDefault:
      return missing(alter.column_name, "dropping");
    case AlterTable::Action::kDropNotNull:
      missing(alter.column_name, "changing");
      for (const auto& column : info.columns)
        if (lower(column.name) == lower(alter.column_name.back().value) && column.nullable)
          fail(Code::kNotSupported, alter.pos, "Column is already nullable");
      return;
    case AlterTable::Action::kRenameColumn:
      missing(alter.column_name, "renaming");
      if (alter.column_name.size() == 1 && has_column(info, alter.new_name->value))
        fail(Code::kColumnAlreadyExists, alter.pos,
             fmt::format("Column '{}' already exists", lower(alter.new_name->value)));
      return;
    case AlterTable::Action::kSetType:
      missing(alter.column_name, "setting types of");
      check_column_type(*alter.type, alter.column_name.back().value, alter.type->pos);
      return;
    case AlterTable::Action::kSetDefault: {
      missing(alter.column_name, "changing");
      const Scope nothing;
      expr(alter.value, nothing, top());
      return;
    }
    case AlterTable::Action::kSetProperties:
      if (itself) return;
      refuse_properties(alter.properties, info.name.catalog, "table");
      throw Error(Code::kNotSupported, "This connector does not support setting table properties");
    case AlterTable::Action::kSetAuthorization:
      throw Error(
          Code::kNotSupported,
          fmt::format("Catalog does not support permission management: {}", info.name.catalog));
    case AlterTable::Action::kExecute:
      if (itself) return;
      throw Error(Code::kProcedureNotFound,
                  fmt::format("Table procedure not registered: {}", upper(alter.procedure.value)));
  }
}

void Resolver::comment(CommentOn& comment) {
  const bool column = comment.target == "column";
  Name table = comment.name;
  if (column) {
    if (table.size() < 2) fail(Code::kMissingTable, comment.pos, "Table must be specified");
    table.pop_back();
  }
  const TableName full = full_name(table, top(), comment.pos);
  auto info = context_.catalogs->table(full);
  const std::string kind = comment.target == "view" ? "View" : "Table";
  const auto wanted = kind == "View" ? TableInfo::Kind::kView : TableInfo::Kind::kTable;
  if (!info)
    fail(Code::kTableNotFound, comment.pos,
         kind == "View" ? fmt::format("View '{}' does not exist", full.display())
                        : fmt::format("Table does not exist: {}", full.display()));
  if (!column && info->kind == TableInfo::Kind::kMaterializedView)
    fail(Code::kTableNotFound, comment.pos,
         fmt::format("{} '{}' does not exist, but a materialized view with that name exists. "
                     "Setting comments on materialized views is unsupported.",
                     kind, full.display()));
  if (!column && info->kind != wanted) {
    const std::string found = kind_name(info->kind);
    fail(Code::kTableNotFound, comment.pos,
         fmt::format("{0} '{1}' does not exist, but a {2} with that name exists. Did you mean "
                     "COMMENT ON {3} {1} IS ...?",
                     kind, full.display(), lower(found), upper(found)));
  }
  Name name = qualified(full, comment.pos);
  if (column) {
    if (!has_column(*info, comment.name.back().value))
      fail(Code::kColumnNotFound, comment.pos,
           fmt::format("Column does not exist: {}", lower(comment.name.back().value)));
    name.push_back({lower(comment.name.back().value), true, comment.pos});
  }
  comment.name = std::move(name);
  comment.duckdb_target = info->duckdb_target;
  analysis_.writes.push_back(std::move(*info));
}

void Resolver::rename_view(AlterView& alter) {
  const auto kind =
      alter.materialized ? TableInfo::Kind::kMaterializedView : TableInfo::Kind::kView;
  if (alter.action == "set properties" && alter.materialized) {
    const std::string catalog = full_name(alter.name, top(), alter.pos).catalog;
    if (!context_.catalogs->runs_changes(catalog))
      refuse_properties(alter.properties, catalog, "materialized view");
  }
  drop_table(alter, alter.name, alter.if_exists, kind, "ALTER");
  const TableName from = analysis_.writes.back().name;
  if (alter.action == "set authorization")
    throw Error(Code::kNotSupported,
                fmt::format("Catalog does not support permission management: {}", from.catalog));
  alter.name = qualified(from, alter.pos);
  if (alter.action == "set properties")
    fail(Code::kNotSupported, alter.pos,
         "This connector does not support setting materialized view properties");
  Name target = alter.target;
  if (alter.materialized && target.size() < 3)
    target.insert(target.begin(), alter.name.begin(),
                  alter.name.begin() + static_cast<std::ptrdiff_t>(3 - target.size()));
  const TableName to = full_name(target, top(), alter.pos);
  if (to.catalog != from.catalog)
    fail(Code::kNotSupported, alter.pos,
         fmt::format("{} rename across catalogs is not supported",
                     alter.materialized ? "Materialized View" : "View"));
  if (alter.materialized && !context_.catalogs->schema_exists(to.catalog, to.schema))
    fail(Code::kSchemaNotFound, alter.pos,
         fmt::format("Schema '{}.{}' does not exist", to.catalog, to.schema));
  if (!alter.materialized && !context_.catalogs->schema_exists(to.catalog, to.schema))
    throw Error(Code::kNotFound, fmt::format("Schema {} not found", to.schema));
  if (const auto taken = context_.catalogs->table(to)) {
    const char* word = alter.materialized ? "materialized view" : "view";
    if (taken->kind == kind)
      fail(Code::kTableAlreadyExists, alter.pos,
           fmt::format("Target {} '{}' already exists", word, to.display()));
    fail(Code::kTableAlreadyExists, alter.pos,
         fmt::format("Target {} '{}' does not exist, but a {} with that name exists.", word,
                     to.display(), lower(kind_name(taken->kind))));
  }
  alter.target = qualified(to, alter.pos);
}

void Resolver::alter_schema(AlterSchema& alter) {
  schema_statement(alter.name, alter.pos, true, false, alter);
  const TableName from = analysis_.writes.back().name;
  alter.name = {{from.catalog, true, alter.pos}, {from.schema, true, alter.pos}};
  if (!alter.rename_to)
    throw Error(Code::kNotSupported,
                fmt::format("Catalog does not support permission management: {}", from.catalog));
  const std::string to = lower(alter.rename_to->value);
  if (context_.catalogs->schema_exists(from.catalog, to))
    fail(Code::kSchemaAlreadyExists, alter.pos,
         fmt::format("Target schema '{}.{}' already exists", from.catalog, to));
  alter.rename_to->value = to;
}

bool Resolver::definition(Statement& s) {
  switch (s.kind) {
    case StatementKind::kCreateSchema: {
      auto& create = as<CreateSchema>(s);
      schema_statement(create.name, s.pos, false, create.if_not_exists, s);
      const TableName& schema = analysis_.writes.back().name;
      if (!context_.catalogs->runs_changes(schema.catalog))
        refuse_properties(create.properties, schema.catalog, "schema");
      return true;
    }
    case StatementKind::kDropSchema: {
      auto& drop = as<DropSchema>(s);
      schema_statement(drop.name, s.pos, true, drop.if_exists, s);
      const TableName& schema = analysis_.writes.back().name;
      const bool there = context_.catalogs->schema_exists(schema.catalog, schema.schema);
      if (there && !drop.cascade && context_.catalogs->schema_in_use(schema.catalog, schema.schema))
        fail(Code::kSchemaNotEmpty, s.pos,
             fmt::format("Cannot drop non-empty schema '{}'", schema.schema));
      return true;
    }
    case StatementKind::kAlterSchema:
      alter_schema(as<AlterSchema>(s));
      return true;
    case StatementKind::kDropTable: {
      auto& drop = as<DropTable>(s);
      drop_table(s, drop.name, drop.if_exists, TableInfo::Kind::kTable, "DROP");
      return true;
    }
    case StatementKind::kDropView: {
      auto& drop = as<DropView>(s);
      drop_table(s, drop.name, drop.if_exists,
                 drop.materialized ? TableInfo::Kind::kMaterializedView : TableInfo::Kind::kView,
                 "DROP");
      return true;
    }
    case StatementKind::kAlterView: {
      rename_view(as<AlterView>(s));
      return true;
    }
    case StatementKind::kRefreshMaterializedView:
      refresh(as<RefreshMaterializedView>(s));
      return true;
    case StatementKind::kAlterTable:
      alter_table(as<AlterTable>(s));
      return true;
    case StatementKind::kTruncate:
      drop_table(s, as<Truncate>(s).table, false, TableInfo::Kind::kTable, "TRUNCATE");
      return true;
    case StatementKind::kAnalyze: {
      TableInfo info = table_info(as<Analyze>(s).table, top(), s.pos);
      if (info.kind != TableInfo::Kind::kTable)
        fail(Code::kNotSupported, s.pos, "Analyzing views is not supported");
      if (info.duckdb_target.empty() || !context_.catalogs->runs_changes(info.name.catalog)) {
        refuse_properties(as<Analyze>(s).properties, info.name.catalog, "analyze");
        throw Error(Code::kNotSupported, "This connector does not support analyze");
      }
      analysis_.writes.push_back(std::move(info));
      return true;
    }
    case StatementKind::kComment:
      comment(as<CommentOn>(s));
      return true;
    default:
      return false;
  }
}

}  // namespace meesh::sql
