// system.jdbc: what JDBC's DatabaseMetaData asks.
#include <algorithm>

#include "engine/catalog_set.h"
#include "engine/catalogs/system.h"

namespace meesh::engine {
namespace {

using Rows = std::vector<VirtualRow>;
using sql::Type;
using sql::TypeKind;

/// java.sql.Types
int64_t jdbc_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return 16;
    case TypeKind::kTinyint:
      return -6;
    case TypeKind::kSmallint:
      return 5;
    case TypeKind::kInteger:
      return 4;
    case TypeKind::kBigint:
      return -5;
    case TypeKind::kReal:
      return 7;
    case TypeKind::kDouble:
      return 8;
    case TypeKind::kDecimal:
      return 3;
    case TypeKind::kVarchar:
      return 12;
    case TypeKind::kChar:
      return 1;
    case TypeKind::kVarbinary:
      return -3;
    case TypeKind::kDate:
      return 91;
    case TypeKind::kTime:
      return 92;
    case TypeKind::kTimeTz:
      return 2013;
    case TypeKind::kTimestamp:
      return 93;
    case TypeKind::kTimestampTz:
      return 2014;
    case TypeKind::kArray:
      return 2003;
    default:
      return 2000;
  }
}

/// Characters it takes to print seconds' fraction, with its point.
int64_t fraction(const Type& type) { return std::min(type.precision, 1) + type.precision; }

duckdb::Value column_size(const Type& type) {
  constexpr int64_t kLongestZoneName = 32;
  switch (type.kind) {
    case TypeKind::kTinyint:
      return bigint(3);
    case TypeKind::kSmallint:
      return bigint(5);
    case TypeKind::kInteger:
      return bigint(10);
    case TypeKind::kBigint:
      return bigint(19);
    case TypeKind::kReal:
      return bigint(24);
    case TypeKind::kDouble:
      return bigint(53);
    case TypeKind::kDecimal:
    case TypeKind::kVarchar:
    case TypeKind::kChar:
      return bigint(type.precision);
    case TypeKind::kVarbinary:
      return bigint(Type::kUnbounded);
    case TypeKind::kDate:
      return bigint(14);
    case TypeKind::kTime:
      return bigint(8 + fraction(type));
    case TypeKind::kTimeTz:
      return bigint(8 + fraction(type) + 6);
    case TypeKind::kTimestamp:
      return bigint(21 + fraction(type));
    case TypeKind::kTimestampTz:
      return bigint(22 + fraction(type) + 1 + kLongestZoneName);
    default:
      return null_bigint();
  }
}

duckdb::Value decimal_digits(const Type& type) {
  switch (type.kind) {
    case TypeKind::kDecimal:
      return bigint(type.scale);
    case TypeKind::kTime:
    case TypeKind::kTimeTz:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return bigint(type.precision);
    default:
      return null_bigint();
  }
}

duckdb::Value radix(const Type& type) {
  switch (type.kind) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDecimal:
      return bigint(10);
    case TypeKind::kReal:
    case TypeKind::kDouble:
      return bigint(2);
    default:
      return null_bigint();
  }
}

duckdb::Value octet_length(const Type& type) {
  switch (type.kind) {
    case TypeKind::kVarchar:
    case TypeKind::kChar:
      return bigint(type.precision);
    case TypeKind::kVarbinary:
      return bigint(Type::kUnbounded);
    default:
      return null_bigint();
  }
}

Rows catalogs(CatalogSet& set, const TableRequest&) {
  Rows rows;
  for (const auto& name : set.names()) rows.push_back({text(name)});
  return rows;
}

Rows schemas(CatalogSet& set, const TableRequest& request) {
  Rows rows;
  for (const auto& [catalog, schema] : all_schemas(set, request))
    rows.push_back({text(schema), text(catalog)});
  return rows;
}

/// Without remarks, as in Trino: comments are asked for in system.metadata.table_comments.
Rows tables(CatalogSet& set, const TableRequest& request) {
  Rows rows;
  for_each_listed(set, request, [&](const ListedTable& table) {
    const bool view = table.kind == sql::TableInfo::Kind::kView;
    rows.push_back({text(table.name.catalog), text(table.name.schema), text(table.name.table),
                    text(view ? "VIEW" : "TABLE"), null_text(), null_text(), null_text(),
                    null_text(), null_text(), null_text()});
  });
  return rows;
}

Rows table_types(CatalogSet&, const TableRequest&) { return {{text("TABLE")}, {text("VIEW")}}; }

Rows columns(CatalogSet& set, const TableRequest& request) {
  constexpr int64_t kNullable = 1, kNoNulls = 0;
  Rows rows;
  for_each_table(set, request, [&](const sql::TableInfo& table) {
    int64_t position = 0;
    for (const auto& column : table.columns) {
      if (column.hidden) continue;
      const Type& type = column.type;
      rows.push_back({text(table.name.catalog),
                      text(table.name.schema),
                      text(table.name.table),
                      text(column.name),
                      bigint(jdbc_type(type)),
                      text(type.display()),
                      column_size(type),
                      bigint(0),
                      decimal_digits(type),
                      radix(type),
                      bigint(column.nullable ? kNullable : kNoNulls),
                      text_or_null(column.comment),
                      text_or_null(column.default_value),
                      null_bigint(),
                      null_bigint(),
                      octet_length(type),
                      bigint(++position),
                      text(column.nullable ? "YES" : "NO"),
                      null_text(),
                      null_text(),
                      null_text(),
                      null_bigint(),
                      null_text(),
                      null_text()});
    }
  });
  return rows;
}

VirtualRow type_row(const std::string& name, int64_t jdbc, duckdb::Value size, int64_t searchable,
                    duckdb::Value base) {
  constexpr int64_t kNullable = 1;
  const auto no = duckdb::Value::BOOLEAN(false);
  return {text(name),
          bigint(jdbc),
          std::move(size),
          null_text(),
          null_text(),
          null_text(),
          bigint(kNullable),
          no,
          bigint(searchable),
          null_boolean(),
          no,
          null_boolean(),
          null_text(),
          bigint(0),
          bigint(0),
          null_bigint(),
          null_bigint(),
          std::move(base)};
}

/// In Trino's order: by the number of JDBC, and what takes parameters last. Types of geography and
/// machine learning are not there.
Rows types(CatalogSet&, const TableRequest&) {
  constexpr int64_t kNotSearchable = 0, kSearchable = 3;
  Rows rows;
  for (const auto kind :
       {TypeKind::kTinyint, TypeKind::kBigint, TypeKind::kVarbinary, TypeKind::kInteger,
        TypeKind::kSmallint, TypeKind::kReal, TypeKind::kDouble, TypeKind::kBoolean,
        TypeKind::kDate, TypeKind::kJson, TypeKind::kUnknown, TypeKind::kIpaddress,
        TypeKind::kIntervalYearToMonth, TypeKind::kIntervalDayToSecond, TypeKind::kUuid}) {
    const Type type = Type::of(kind);
    rows.push_back(
        type_row(type.display(), jdbc_type(type), column_size(type), kSearchable, radix(type)));
  }
  constexpr int64_t kJavaObject = 2000, kArray = 2003;
  for (const char* name : {"JoniRegExp",
                           "SetDigest",
                           "P4HyperLogLog",
                           "Re2JRegExp",
                           "tdigest",
                           "JsonPath2016",
                           "LikePattern",
                           "time with time zone",
                           "varchar",
                           "qdigest",
                           "timestamp with time zone",
                           "HyperLogLog",
                           "CodePoints",
                           "json2016",
                           "JsonPath",
                           "timestamp",
                           "function",
                           "char",
                           "row",
                           "time",
                           "decimal",
                           "map"}) {
    rows.push_back(type_row(name, kJavaObject, null_bigint(), kNotSearchable, null_bigint()));
  }
  rows.push_back(type_row("array", kArray, null_bigint(), kNotSearchable, null_bigint()));
  return rows;
}

Rows none(CatalogSet&, const TableRequest&) { return {}; }

/// "name" is text, "#name" bigint, "?name" boolean.
std::vector<VirtualColumn> parse_columns(std::initializer_list<const char*> names) {
  std::vector<VirtualColumn> found;
  for (const char* name : names) {
    if (*name == '#') {
      found.push_back(bigint_column(name + 1));
    } else if (*name == '?') {
      found.push_back(boolean_column(name + 1));
    } else {
      found.push_back(text_column(name));
    }
  }
  return found;
}

VirtualTable make(const char* name, Rows (*rows)(CatalogSet&, const TableRequest&),
                  std::initializer_list<const char*> columns_of) {
  VirtualTable table;
  table.schema = "jdbc";
  table.name = name;
  table.columns = parse_columns(columns_of);
  table.rows = rows;
  return table;
}

}  // namespace

std::vector<VirtualTable> system_jdbc_tables() {
  std::vector<VirtualTable> found;
  found.push_back(
      make("attributes", none, {"type_cat",          "type_schem",        "type_name",
                                "attr_name",         "#data_type",        "attr_type_name",
                                "#attr_size",        "#decimal_digits",   "#num_prec_radix",
                                "#nullable",         "remarks",           "attr_def",
                                "#sql_data_type",    "#sql_datetime_sub", "#char_octet_length",
                                "#ordinal_position", "is_nullable",       "scope_catalog",
                                "scope_schema",      "scope_table",       "#source_data_type"}));
  found.push_back(make("catalogs", catalogs, {"table_cat"}));
  found.push_back(
      make("columns", columns,
           {"table_cat",         "table_schem",       "table_name",        "column_name",
            "#data_type",        "type_name",         "#column_size",      "#buffer_length",
            "#decimal_digits",   "#num_prec_radix",   "#nullable",         "remarks",
            "column_def",        "#sql_data_type",    "#sql_datetime_sub", "#char_octet_length",
            "#ordinal_position", "is_nullable",       "scope_catalog",     "scope_schema",
            "scope_table",       "#source_data_type", "is_autoincrement",  "is_generatedcolumn"}));
  found.push_back(make("procedure_columns", none,
                       {"procedure_cat",
                        "procedure_schem",
                        "procedure_name",
                        "column_name",
                        "#column_type",
                        "#data_type",
                        "type_name",
                        "#precision",
                        "#length",
                        "#scale",
                        "#radix",
                        "#nullable",
                        "remarks",
                        "column_def",
                        "#sql_data_type",
                        "#sql_datetime_sub",
                        "#char_octet_length",
                        "#ordinal_position",
                        "is_nullable",
                        "specific_name"}));
  found.push_back(make("procedures", none,
                       {"procedure_cat", "procedure_schem", "procedure_name", "remarks",
                        "#procedure_type", "specific_name"}));
  found.push_back(make("pseudo_columns", none,
                       {"table_cat", "table_schem", "table_name", "column_name", "#data_type",
                        "#column_size", "#decimal_digits", "#num_prec_radix", "column_usage",
                        "remarks", "#char_octet_length", "#is_nullable"}));
  found.push_back(make("schemas", schemas, {"table_schem", "table_catalog"}));
  found.back().catalog_column = "table_catalog";
  found.push_back(
      make("super_tables", none, {"table_cat", "table_schem", "table_name", "supertable_name"}));
  found.push_back(make("super_types", none,
                       {"type_cat", "type_schem", "type_name", "supertype_cat", "supertype_schem",
                        "supertype_name"}));
  found.push_back(make("table_types", table_types, {"table_type"}));
  found.push_back(
      make("tables", tables,
           {"table_cat", "table_schem", "table_name", "table_type", "remarks", "type_cat",
            "type_schem", "type_name", "self_referencing_col_name", "ref_generation"}));
  found.push_back(
      make("types", types,
           {"type_name", "#data_type", "#precision", "literal_prefix", "literal_suffix",
            "create_params", "#nullable", "?case_sensitive", "#searchable", "?unsigned_attribute",
            "?fixed_prec_scale", "?auto_increment", "local_type_name", "#minimum_scale",
            "#maximum_scale", "#sql_data_type", "#sql_datetime_sub", "#num_prec_radix"}));
  found.push_back(make(
      "udts", none,
      {"type_cat", "type_schem", "type_name", "class_name", "data_type", "remarks", "base_type"}));
  for (auto& table : found) {
    if (table.name != "tables" && table.name != "columns") continue;
    table.catalog_column = "table_cat";
    table.schema_column = "table_schem";
    table.table_column = "table_name";
  }
  return found;
}

}  // namespace meesh::engine
