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

bool has_column(const TableInfo& info, const std::string& name) {
  for (const auto& column : info.columns)
    if (!column.hidden && lower(column.name) == lower(name)) return true;
  return false;
}

}  // namespace

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
  if (!context_.catalogs->catalog_exists(full.catalog))
    fail(Code::kCatalogNotFound, pos, fmt::format("Catalog '{}' not found", full.catalog));
  const bool found = context_.catalogs->schema_exists(full.catalog, full.schema);
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
  if (!context_.catalogs->catalog_exists(full.catalog)) {
    if (!if_exists)
      fail(Code::kCatalogNotFound, statement.pos,
           fmt::format("Catalog '{}' not found", full.catalog));
  }
  auto info = context_.catalogs->table(full);
  const bool view = kind != TableInfo::Kind::kTable;
  if (info && info->kind != kind) {
    const std::string found = kind_name(info->kind);
    fail(Code::kGenericUserError, statement.pos,
         fmt::format("{} '{}' does not exist, but a {} with that name exists.{}", kind_name(kind),
                     full.display(), lower(found),
                     std::string_view(word) == "DROP"
                         ? fmt::format(" Did you mean DROP {} {}?", upper(found), full.display())
                         : std::string()));
  }
  if (!info && !if_exists)
    fail(
        kind == TableInfo::Kind::kMaterializedView ? Code::kGenericUserError : Code::kTableNotFound,
        statement.pos, fmt::format("{} '{}' does not exist", kind_name(kind), full.display()));
  if (!info) {
    info.emplace();
    info->name = full;
    info->kind = kind;
    info->duckdb_target = duckdb_name(full);
  } else if (!view && info->duckdb_target.empty()) {
    fail(Code::kNotSupported, statement.pos, "This connector does not support changing its tables");
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
  const auto missing = [&](const Name& column) {
    if (itself && column.size() > 1) return;
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
      if (full.catalog != info.name.catalog)
        fail(Code::kNotSupported, alter.pos, "Table rename across catalogs is not supported");
      if (!context_.catalogs->schema_exists(full.catalog, full.schema))
        fail(Code::kSchemaNotFound, alter.pos,
             fmt::format("Schema '{}' does not exist", full.schema));
      if (full.schema != info.name.schema && !itself)
        fail(Code::kNotSupported, alter.pos, "Table rename across schemas is not supported");
      if (context_.catalogs->table(full))
        fail(Code::kTableAlreadyExists, alter.pos,
             fmt::format("Target table '{}' already exists", full.display()));
      alter.target = qualified(full, alter.pos);
      return;
    }
    case AlterTable::Action::kAddColumn: {
      if (!alter.add_position.empty() && alter.add_position != "last" && !itself)
        fail(Code::kNotSupported, alter.pos, "ADD COLUMN FIRST and AFTER are not supported");
      if (alter.column->name.size() > 1 && !itself)
        fail(Code::kNotSupported, alter.column->pos, "Adding fields to rows is not supported");
      to_type(*alter.column->type);
      if (alter.column->name.size() == 1 && has_column(info, alter.column->name.back().value) &&
          !alter.column_if_not_exists)
        fail(Code::kColumnAlreadyExists, alter.column->pos,
             fmt::format("Column '{}' already exists", lower(alter.column->name.back().value)));
      if (alter.column->default_value) {
        const Scope nothing;
        expr(alter.column->default_value, nothing, top());
      }
      return;
    }
    case AlterTable::Action::kDropColumn:
    case AlterTable::Action::kDropNotNull:
    case AlterTable::Action::kDropDefault:
      return missing(alter.column_name);
    case AlterTable::Action::kRenameColumn:
      missing(alter.column_name);
      if (alter.column_name.size() == 1 && has_column(info, alter.new_name->value))
        fail(Code::kColumnAlreadyExists, alter.pos,
             fmt::format("Column '{}' already exists", lower(alter.new_name->value)));
      return;
    case AlterTable::Action::kSetType:
      missing(alter.column_name);
      to_type(*alter.type);
      return;
    case AlterTable::Action::kSetDefault: {
      missing(alter.column_name);
      const Scope nothing;
      expr(alter.value, nothing, top());
      return;
    }
    case AlterTable::Action::kSetProperties:
      if (itself) return;
      fail(Code::kNotSupported, alter.pos,
           "This connector does not support setting table properties");
    case AlterTable::Action::kSetAuthorization:
      fail(Code::kNotSupported, alter.pos, "Setting the owner of a table is not supported");
    case AlterTable::Action::kExecute:
      if (itself) return;
      fail(Code::kNotSupported, alter.pos,
           fmt::format("Table procedure '{}' is not supported", alter.procedure.value));
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
  if (!info || (comment.target == "view" && info->kind != TableInfo::Kind::kView))
    fail(Code::kTableNotFound, comment.pos,
         fmt::format("{} does not exist: {}", comment.target == "view" ? "View" : "Table",
                     full.display()));
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
  if (alter.action != "rename" && alter.action != "set properties")
    fail(Code::kNotSupported, alter.pos,
         fmt::format("ALTER {}VIEW ... {} is not supported",
                     alter.materialized ? "MATERIALIZED " : "", alter.action));
  drop_table(alter, alter.name, alter.if_exists, kind, "ALTER");
  const TableName from = analysis_.writes.back().name;
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
  if (context_.catalogs->table(to))
    fail(Code::kTableAlreadyExists, alter.pos,
         fmt::format("Target {} '{}' already exists",
                     alter.materialized ? "materialized view" : "view", to.display()));
  alter.target = qualified(to, alter.pos);
}

bool Resolver::definition(Statement& s) {
  switch (s.kind) {
    case StatementKind::kCreateSchema: {
      auto& create = as<CreateSchema>(s);
      schema_statement(create.name, s.pos, false, create.if_not_exists, s);
      return true;
    }
    case StatementKind::kDropSchema: {
      auto& drop = as<DropSchema>(s);
      schema_statement(drop.name, s.pos, true, drop.if_exists, s);
      const TableName& schema = analysis_.writes.back().name;
      if (!drop.cascade && context_.catalogs->schema_in_use(schema.catalog, schema.schema))
        fail(Code::kSchemaNotEmpty, s.pos,
             fmt::format("Cannot drop non-empty schema '{}'", schema.schema));
      return true;
    }
    case StatementKind::kAlterSchema:
      schema_statement(as<AlterSchema>(s).name, s.pos, true, false, s);
      fail(Code::kNotSupported, s.pos, "This connector does not support renaming schemas");
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
      if (info.duckdb_target.empty() || !context_.catalogs->runs_changes(info.name.catalog))
        fail(Code::kNotSupported, s.pos, "This connector does not support analyze");
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
