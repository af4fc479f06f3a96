#include "sql/rewrite.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "sql/format_query.h"
#include "sql/routine.h"
#include "sql/scope.h"
#include "sql/session_properties.h"
#include "sql/signatures.h"

namespace meesh::sql {
namespace {

std::string quote(std::string_view text, char with) {
  std::string out(1, with);
  for (char c : text) {
    if (c == with) out += with;
    out += c;
  }
  return out + with;
}
std::string literal(std::string_view text) { return quote(text, '\''); }
std::string ident(std::string_view text) { return quote(text, '"'); }

/// "varchar", "decimal(5,2)": the types of the parameters as SHOW FUNCTIONS lists them.
std::string parameter_types(const Routine& routine) {
  std::vector<std::string> types;
  for (const auto& parameter : routine.parameters)
    types.push_back(to_type(*parameter.type).display());
  return fmt::format("{}", fmt::join(types, ", "));
}

/// A type as statements are laid out: "decimal(10, 2)", "ROW(x integer)".
std::string type_text(const Type& type) {
  switch (type.kind) {
    case TypeKind::kDecimal:
      return fmt::format("decimal({}, {})", type.precision, type.scale);
    case TypeKind::kIntervalDayToSecond:
      return "INTERVAL DAY TO SECOND";
    case TypeKind::kIntervalYearToMonth:
      return "INTERVAL YEAR TO MONTH";
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow:
      break;
    default:
      return type.display();
  }
  const bool row = type.kind == TypeKind::kRow;
  std::string out = row ? "ROW(" : type.kind == TypeKind::kMap ? "map(" : "array(";
  for (size_t i = 0; i < type.children.size(); ++i) {
    if (i) out += ", ";
    if (row && !type.field_names[i].empty()) out += shown_ident(type.field_names[i]) + ' ';
    out += type_text(type.children[i]);
  }
  return out + ')';
}

/// Part of the grammar more than functions, or nobody's business: Trino does not list them either.
bool is_unlisted(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "coalesce", "fail", "format", "if", "nullif", "position", "try", "version"};
  return std::ranges::find(kNames, name) != kNames.end();
}

/// A row of SHOW FUNCTIONS for each of Trino's own functions, and for those that are only ours.
std::vector<std::vector<std::string>> function_lines() {
  const auto kind = [](char letter) {
    return letter == 'a'   ? "aggregate"
           : letter == 'w' ? "window"
           : letter == 't' ? "table"
                           : "scalar";
  };
  std::vector<std::vector<std::string>> lines;
  for (const auto& s : signatures())
    for (int n = 0; n < s.shown; ++n)
      lines.push_back({std::string(s.name), std::string(s.result), std::string(s.arguments),
                       kind(s.kind), s.deterministic ? "true" : "false",
                       std::string(s.description)});
  for (const auto& f : functions())
    if (signatures_of(f.name).empty() && !is_unlisted(f.name))
      lines.push_back({std::string(f.name), std::string(f.return_type),
                       std::string(f.argument_types),
                       kind(f.kind == FunctionInfo::Kind::kScalar      ? 's'
                            : f.kind == FunctionInfo::Kind::kAggregate ? 'a'
                                                                       : 'w'),
                       "true", std::string(f.description)});
  return lines;
}

/// Letters of the longest text of a column.
size_t longest(const std::vector<std::vector<std::string>>& rows, size_t column) {
  size_t width = 0;
  for (const auto& row : rows) {
    size_t length = 0;
    for (char c : row[column]) length += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    width = std::max(width, length);
  }
  return width;
}

class Rewriter {
 public:
  Rewriter(const Show& show, const ResolveContext& context) : show_(show), context_(context) {}
  std::string text();

 private:
  [[noreturn]] void refuse(Code code, const std::string& message) const {
    fail(code, show_.pos, message);
  }
  std::string like(std::string_view column) const {
    if (!show_.like) return "";
    const auto is_start = [](char c) { return (c & 0xC0) != 0x80; };
    if (show_.escape && std::ranges::count_if(*show_.escape, is_start) != 1)
      throw Error(Code::kInvalidFunctionArgument, "Escape string must be a single character");
    return fmt::format("{} LIKE {}{}", column, literal(*show_.like),
                       show_.escape ? " ESCAPE " + literal(*show_.escape) : "");
  }
  std::string where(std::string_view column) const {
    const std::string condition = like(column);
    return condition.empty() ? "" : " WHERE " + condition;
  }

  std::string catalog_or_session(size_t parts_behind) const;
  void check_catalog(const std::string& catalog, const char* text) const;
  TableName schema_name() const;
  TableName table_name() const;
  TableInfo table() const;
  /// SELECT the rows as varchar columns of these names; no rows is fine. `bounded`: each column is
  /// as wide as its longest text, whatever `rest` leaves of the rows.
  static std::string rows(const std::vector<std::string>& columns,
                          const std::vector<std::vector<std::string>>& rows,
                          const std::string& rest, bool bounded = false);

  std::string catalogs() const;
  std::string schemas() const;
  std::string tables() const;
  std::string columns() const;
  std::string functions_list() const;
  std::vector<std::vector<std::string>> routine_lines(const std::string& catalog,
                                                      const std::string& schema) const;
  std::string create_function() const;
  std::string session() const;
  std::string create_table() const;
  std::string create_view() const;
  std::string create_materialized_view() const;
  std::string create_schema() const;
  std::string stats() const;
  std::string grants() const;
  std::string roles() const;

  const Show& show_;
  const ResolveContext& context_;
};

std::string Rewriter::rows(const std::vector<std::string>& columns,
                           const std::vector<std::vector<std::string>>& rows,
                           const std::string& rest, bool bounded) {
  std::vector<std::string> casts, names, nothing, lines;
  for (const auto& column : columns) {
    const size_t width = bounded ? longest(rows, casts.size()) : 0;
    casts.push_back(fmt::format("CAST({0} AS varchar{1}) AS {0}", ident(column),
                                bounded ? fmt::format("({})", width) : ""));
    names.push_back(ident(column));
    nothing.push_back("CAST(NULL AS varchar)");
  }
  for (const auto& row : rows) {
    std::vector<std::string> cells;
    for (const auto& cell : row) cells.push_back(literal(cell));
    lines.push_back(fmt::format("({})", fmt::join(cells, ", ")));
  }
  if (rows.empty()) lines.push_back(fmt::format("({})", fmt::join(nothing, ", ")));
  // The casts come first, so that LIKE and ORDER BY see plain varchar columns.
  return fmt::format("SELECT * FROM (SELECT {} FROM (VALUES {}) AS t({}){}) AS result{}",
                     fmt::join(casts, ", "), fmt::join(lines, ", "), fmt::join(names, ", "),
                     rows.empty() ? " WHERE false" : "", rest);
}

std::string Rewriter::catalog_or_session(size_t parts_behind) const {
  const std::string catalog =
      show_.name.size() > parts_behind ? lower(show_.name[0].value) : lower(context_.catalog);
  if (catalog.empty())
    refuse(Code::kMissingCatalogName, "Catalog must be specified when session catalog is not set");
  return catalog;
}

void Rewriter::check_catalog(const std::string& catalog, const char* text) const {
  if (!context_.catalogs->catalog_exists(catalog))
    refuse(Code::kCatalogNotFound, fmt::format(fmt::runtime(text), catalog));
}

/// The schema that FROM names, or the session's; it exists.
TableName Rewriter::schema_name() const {
  if (show_.name.size() > 2)
    refuse(Code::kSyntaxError,
           fmt::format("Too many parts in schema name: {}", display_name(show_.name)));
  TableName name;
  name.catalog = catalog_or_session(1);
  name.schema = show_.name.empty() ? lower(context_.schema) : lower(show_.name.back().value);
  if (name.schema.empty())
    refuse(Code::kMissingSchemaName, "Schema must be specified when session schema is not set");
  const bool definition = show_.what == "create schema";
  if (!definition) check_catalog(name.catalog, "Catalog '{}' not found");
  if (!context_.catalogs->catalog_exists(name.catalog) ||
      !context_.catalogs->schema_exists(name.catalog, name.schema))
    refuse(Code::kSchemaNotFound,
           definition ? fmt::format("Schema '{}.{}' does not exist", name.catalog, name.schema)
                      : fmt::format("Schema '{}' does not exist", name.schema));
  return name;
}

TableName Rewriter::table_name() const {
  const Name& parts = show_.name;
  if (parts.size() > 3)
    throw Error(Code::kSyntaxError,
                fmt::format("Too many dots in table name: {}", display_name(parts)));
  TableName name;
  name.table = lower(parts.back().value);
  name.schema = parts.size() > 1 ? lower(parts[parts.size() - 2].value) : lower(context_.schema);
  if (name.schema.empty())
    refuse(Code::kMissingSchemaName, "Schema must be specified when session schema is not set");
  name.catalog = catalog_or_session(2);
  return name;
}

TableInfo Rewriter::table() const {
  const TableName name = table_name();
  if (auto info = context_.catalogs->table(name)) return std::move(*info);
  // Of statistics Trino tells no place.
  const auto missing = [&](Code code, const std::string& message) {
    if (show_.what != "stats") refuse(code, message);
    throw Error(code, message);
  };
  if (!context_.catalogs->catalog_exists(name.catalog))
    missing(Code::kCatalogNotFound, fmt::format("Catalog '{}' not found", name.catalog));
  if (!context_.catalogs->schema_exists(name.catalog, name.schema))
    missing(Code::kSchemaNotFound, fmt::format("Schema '{}' does not exist", name.schema));
  const char* kind = show_.what == "create view"                ? "View"
                     : show_.what == "create materialized view" ? "Materialized view"
                                                                : "Table";
  missing(Code::kTableNotFound, fmt::format("{} '{}' does not exist", kind, name.display()));
  internal_error("a missing table is refused");
}

std::string Rewriter::catalogs() const {
  return "SELECT catalog_name AS \"Catalog\" FROM system.metadata.catalogs" +
         where("catalog_name") + " ORDER BY 1";
}

std::string Rewriter::schemas() const {
  const std::string catalog = catalog_or_session(0);
  if (!context_.catalogs->catalog_exists(catalog))
    throw Error(Code::kCatalogNotFound, fmt::format("Catalog '{}' not found", catalog));
  return fmt::format(
      "SELECT schema_name AS \"Schema\" FROM {}.information_schema.schemata{} "
      "ORDER BY 1",
      ident(catalog), where("schema_name"));
}

std::string Rewriter::tables() const {
  const TableName name = schema_name();
  const std::string condition = like("table_name");
  return fmt::format(
      "SELECT table_name AS \"Table\" FROM {}.information_schema.tables WHERE "
      "table_schema = {}{}{} ORDER BY 1",
      ident(name.catalog), literal(name.schema), condition.empty() ? "" : " AND ", condition);
}

std::string Rewriter::columns() const {
  const TableInfo info = table();
  std::vector<std::vector<std::string>> lines;
  for (const auto& column : info.columns)
    if (!column.hidden) lines.push_back({column.name, column.type.display(), "", column.comment});
  return rows({"Column", "Type", "Extra", "Comment"}, lines, where("\"Column\""));
}

std::vector<std::vector<std::string>> Rewriter::routine_lines(const std::string& catalog,
                                                              const std::string& schema) const {
  std::vector<std::vector<std::string>> lines;
  for (const auto& text : context_.catalogs->routines(catalog, schema)) {
    const auto routine = parse_routine(text);
    lines.push_back({lower(routine->name.back().value), to_type(*routine->returns).display(),
                     parameter_types(*routine), "scalar",
                     routine->deterministic.value_or(true) ? "true" : "false",
                     routine->comment.value_or("")});
  }
  return lines;
}

std::string Rewriter::create_function() const {
  if (show_.name.size() != 3)
    refuse(Code::kNotSupported,
           "Catalog and schema must be specified when function schema is not configured");
  std::vector<std::string> lines;
  for (const auto& text :
       context_.catalogs->routines(lower(show_.name[0].value), lower(show_.name[1].value))) {
    const auto routine = parse_routine(text);
    if (lower(routine->name.back().value) == lower(show_.name[2].value))
      lines.push_back(literal(format_routine(*routine)));
  }
  if (lines.empty()) refuse(Code::kNotFound, "Function not found");
  return fmt::format("SELECT * FROM (VALUES {}) AS t(\"Create Function\")", fmt::join(lines, ", "));
}

std::string Rewriter::functions_list() const {
  // Ours are all in system.builtin; another schema has those written in SQL.
  const std::string schema = show_.name.empty() ? "" : lower(show_.name.back().value);
  const bool ours = schema.empty() || (schema == "builtin" && catalog_or_session(1) == "system");
  std::vector<std::vector<std::string>> lines;
  if (ours) lines = function_lines();
  if (!ours) lines = routine_lines(catalog_or_session(1), schema);
  const std::vector<std::string> names = {"Function",      "Return Type",   "Argument Types",
                                          "Function Type", "Deterministic", "Description"};
  // Each column is as wide as its longest text, whatever LIKE leaves of the rows; Deterministic is
  // a boolean.
  std::vector<std::string> columns;
  for (size_t i = 0; i < names.size(); ++i) {
    size_t width = 0;
    for (const auto& line : lines) width = std::max(width, line[i].size());
    const std::string length = lines.empty() ? "" : fmt::format("({})", width);
    columns.push_back(names[i] == "Deterministic"
                          ? fmt::format("{0} = 'true' AS {0}", ident(names[i]))
                          : fmt::format("CAST({0} AS varchar{1}) AS {0}", ident(names[i]), length));
  }
  return fmt::format("SELECT {} FROM ({}) AS f ORDER BY 1, 2, 3, 4", fmt::join(columns, ", "),
                     rows(names, lines, where("\"Function\"")));
}

std::string Rewriter::session() const {
  std::vector<std::vector<std::string>> lines;
  for (const auto& property : session_properties()) {
    if (property.hidden) continue;
    lines.push_back({std::string(property.name),
                     session_property(context_.session_properties, property.name),
                     std::string(property.value), property_type(property).display(),
                     std::string(property.description)});
  }
  return rows({"Name", "Value", "Default", "Type", "Description"}, lines,
              where("\"Name\"") + " ORDER BY 1", true);
}

std::string Rewriter::create_table() const {
  const TableInfo info = table();
  if (info.kind != TableInfo::Kind::kTable)
    refuse(Code::kNotSupported,
           fmt::format("Relation '{}' is a {}view, not a table", info.name.display(),
                       info.kind == TableInfo::Kind::kView ? "" : "materialized "));
  std::vector<std::string> lines;
  for (const auto& column : info.columns) {
    if (column.hidden) continue;
    lines.push_back(
        fmt::format("   {} {}{}{}", shown_ident(column.name), type_text(column.type),
                    column.nullable ? "" : " NOT NULL",
                    column.comment.empty() ? "" : " COMMENT " + literal(column.comment)));
  }
  std::vector<std::string> properties;
  for (const auto& [name, value] : info.properties)
    properties.push_back(fmt::format("   {} = {}", name, value));
  const std::string text = fmt::format(
      "CREATE TABLE {}.{}.{} (\n{}\n){}{}", shown_ident(info.name.catalog),
      shown_ident(info.name.schema), shown_ident(info.name.table), fmt::join(lines, ",\n"),
      info.comment.empty() ? "" : "\nCOMMENT " + literal(info.comment),
      properties.empty() ? "" : fmt::format("\nWITH (\n{}\n)", fmt::join(properties, ",\n")));
  return rows({"Create Table"}, {{text}}, "", true);
}

std::string Rewriter::create_view() const {
  const TableInfo info = table();
  if (info.kind != TableInfo::Kind::kView)
    refuse(Code::kNotSupported,
           fmt::format("Relation '{}' is a {}, not a view", info.name.display(),
                       info.kind == TableInfo::Kind::kTable ? "table" : "materialized view"));
  const std::string text = fmt::format(
      "CREATE VIEW {}.{}.{}{} SECURITY {} AS\n{}", shown_ident(info.name.catalog),
      shown_ident(info.name.schema), shown_ident(info.name.table),
      info.comment.empty() ? "" : " COMMENT " + literal(info.comment),
      info.view_runs_as_invoker ? "INVOKER" : "DEFINER", formatted_query(info.view_sql));
  return rows({"Create View"}, {{text}}, "", true);
}

std::string Rewriter::create_materialized_view() const {
  const TableInfo info = table();
  if (info.kind != TableInfo::Kind::kMaterializedView)
    refuse(Code::kNotSupported,
           fmt::format("Relation '{}' is a {}, not a materialized view", info.name.display(),
                       info.kind == TableInfo::Kind::kTable ? "table" : "view"));
  std::string text =
      fmt::format("CREATE MATERIALIZED VIEW {}.{}.{}", shown_ident(info.name.catalog),
                  shown_ident(info.name.schema), shown_ident(info.name.table));
  if (const auto grace = info.materialization->grace_period_ms)
    text += fmt::format("\nGRACE PERIOD INTERVAL '{}.{:03}' SECOND", *grace / 1000, *grace % 1000);
  if (info.materialization->fails_when_stale) text += "\nWHEN STALE FAIL";
  if (!info.comment.empty()) text += "\nCOMMENT " + literal(info.comment);
  std::vector<std::string> properties;
  for (const auto& [name, value] : info.properties)
    properties.push_back(fmt::format("   {} = {}", name, value));
  if (!properties.empty()) text += fmt::format("\nWITH (\n{}\n)", fmt::join(properties, ",\n"));
  text += " AS\n" + formatted_query(info.view_sql);
  return rows({"Create Materialized View"}, {{text}}, "", true);
}

std::string Rewriter::create_schema() const {
  const TableName name = schema_name();
  return rows(
      {"Create Schema"},
      {{fmt::format("CREATE SCHEMA {}.{}", shown_ident(name.catalog), shown_ident(name.schema))}},
      "", true);
}

std::string Rewriter::stats() const {
  if (show_.query)
    refuse(Code::kNotSupported, "SHOW STATS FOR (query) is not supported; name a table");
  const TableInfo info = table();
  auto known = context_.catalogs->statistics(info, context_.user);
  if (!known) {
    known.emplace();
    for (const auto& column : info.columns) {
      if (column.hidden) continue;
      known->columns.emplace_back();
      known->columns.back().name = column.name;
    }
    if (info.estimated_rows >= 0) known->rows = info.estimated_rows;
  }
  const auto number = [](const std::optional<double>& value) {
    return value ? fmt::format("CAST('{}' AS double)", *value) : std::string("NULL");
  };
  const auto text = [](const std::optional<std::string>& value) {
    return value ? literal(*value) : std::string("NULL");
  };
  std::vector<std::string> lines;
  for (const auto& column : known->columns) {
    lines.push_back(fmt::format("({}, {}, {}, {}, NULL, {}, {})", literal(column.name),
                                number(column.data_size), number(column.distinct_values),
                                number(column.nulls_fraction), text(column.low),
                                text(column.high)));
  }
  lines.push_back(fmt::format("(NULL, NULL, NULL, NULL, {}, NULL, NULL)", number(known->rows)));
  return fmt::format(
      "SELECT CAST(c AS varchar) AS column_name, CAST(s AS double) AS data_size, "
      "CAST(d AS double) AS distinct_values_count, CAST(n AS double) AS nulls_fraction, "
      "CAST(r AS double) AS row_count, CAST(l AS varchar) AS low_value, "
      "CAST(h AS varchar) AS high_value FROM (VALUES {}) AS t(c, s, d, n, r, l, h)",
      fmt::join(lines, ", "));
}

std::string Rewriter::grants() const {
  std::string catalog, condition;
  if (show_.name.empty()) {
    catalog = catalog_or_session(0);
    check_catalog(catalog, "Catalog '{}' not found");
  } else {
    const TableInfo info = table();
    catalog = info.name.catalog;
    condition = fmt::format(" WHERE table_schema = {} AND table_name = {}",
                            literal(info.name.schema), literal(info.name.table));
  }
  if (!context_.catalogs->table({catalog, "information_schema", "table_privileges"}))
    return rows({"Grantor", "Grantor Type", "Grantee", "Grantee Type", "Catalog", "Schema", "Table",
                 "Privilege", "Grantable", "With Hierarchy"},
                {}, "");
  return fmt::format(
      "SELECT grantor AS \"Grantor\", grantor_type AS \"Grantor Type\", grantee AS \"Grantee\", "
      "grantee_type AS \"Grantee Type\", table_catalog AS \"Catalog\", table_schema AS \"Schema\", "
      "table_name AS \"Table\", privilege_type AS \"Privilege\", is_grantable AS \"Grantable\", "
      "with_hierarchy AS \"With Hierarchy\" FROM {}.information_schema.table_privileges{}",
      ident(catalog), condition);
}

/// There are none: what a user may do is decided by the mesh's policies.
std::string Rewriter::roles() const {
  if (!show_.name.empty()) {
    const std::string catalog = lower(show_.name[0].value);
    check_catalog(catalog, "Catalog '{}' not found");
    refuse(Code::kNotSupported,
           fmt::format("Catalog '{}' does not support role management", catalog));
  }
  return rows({show_.what == "role grants" ? "Role Grants" : "Role"}, {}, "");
}

std::string Rewriter::text() {
  const std::string& what = show_.what;
  if (what == "catalogs") return catalogs();
  if (what == "schemas") return schemas();
  if (what == "tables") return tables();
  if (what == "columns") return columns();
  if (what == "functions") return functions_list();
  if (what == "create function") return create_function();
  if (what == "session") return session();
  if (what == "create table") return create_table();
  if (what == "create view") return create_view();
  if (what == "create materialized view") return create_materialized_view();
  if (what == "create schema") return create_schema();
  if (what == "stats" || what == "stats for") return stats();
  if (what == "grants") return grants();
  if (what.ends_with("roles") || what == "role grants") return roles();
  std::string upper = what;
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  refuse(Code::kNotSupported, fmt::format("SHOW {} is not supported", upper));
}

}  // namespace

std::string shown_ident(std::string_view name) {
  bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9');
  for (char c : name)
    plain = plain && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
  return plain ? std::string(name) : ident(name);
}

StatementPtr rewrite_show(const Show& show, const ResolveContext& context) {
  return parse(Rewriter(show, context).text());
}

}  // namespace meesh::sql
