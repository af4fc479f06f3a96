#include "engine/catalogs/hive_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "engine/duck_types.h"
#include "engine/statement_runner.h"

namespace meesh::engine {
namespace {

using lake::ExternalTable;
using sql::TypeKind;

constexpr const char* kHeader = "skip_header_line_count";

Location at(const sql::Position& position) { return {position.line, position.column, {}}; }

[[noreturn]] void invalid(const sql::Property& property, const std::string& catalog,
                          const std::string& why) {
  throw Error(Code::kInvalidTableProperty,
              fmt::format("Invalid value for catalog '{}' table property '{}': {}", catalog,
                          lower_case(property.name.value), why),
              at(property.name.pos));
}

[[noreturn]] void unsupported(const sql::Property& property, const std::string& what) {
  throw Error(Code::kNotSupported, what + " is not supported", at(property.name.pos));
}

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

std::string text_value(const sql::Property& property, const std::string& catalog) {
  if (const auto* text = sql::try_as<const sql::StringLiteral>(property.value.get()))
    return text->value;
  invalid(property, catalog, "it must be text in quotes");
}

uint64_t number_value(const sql::Property& property, const std::string& catalog) {
  const auto* number = sql::try_as<const sql::IntegerLiteral>(property.value.get());
  if (!number || number->value > 1'000'000) invalid(property, catalog, "it must be a whole number");
  return number->value;
}

std::vector<std::string> names_value(const sql::Property& property, const std::string& catalog) {
  const auto* array = sql::try_as<const sql::ArrayConstructor>(property.value.get());
  if (!array) invalid(property, catalog, "it must be ARRAY['column', …]");
  std::vector<std::string> names;
  for (const auto& item : array->items) {
    const auto* text = sql::try_as<const sql::StringLiteral>(item.get());
    if (!text) invalid(property, catalog, "it must be ARRAY['column', …]");
    names.push_back(lower_case(text->value));
  }
  return names;
}

void read_format(ExternalTable& table, const sql::Property& property, const std::string& catalog) {
  const std::string format = upper(text_value(property, catalog));
  static const std::set<std::string> kKnown = {"PARQUET", "CSV", "TEXTFILE", "JSON"};
  static const std::set<std::string> kOthers = {"ORC",      "AVRO",         "RCBINARY",   "RCTEXT",
                                                "REGEX",    "SEQUENCEFILE", "OPENX_JSON", "ESRI",
                                                "SEQUENCE", "ION"};
  if (kOthers.contains(format)) {
    throw Error(Code::kNotSupported, "Tables of format " + format + " are not supported",
                at(property.name.pos))
        .with_hint("PARQUET, CSV, TEXTFILE and JSON are");
  }
  if (!kKnown.contains(format))
    invalid(property, catalog, "'" + format + "' is none of PARQUET, CSV, TEXTFILE and JSON");
  table.format = format;
}

/// Properties of one format, with what may be said.
void read_format_property(ExternalTable& table, const std::string& name,
                          const sql::Property& property, const std::string& catalog) {
  if (name == kHeader) {
    table.properties[name] = std::to_string(number_value(property, catalog));
    return;
  }
  const std::string text = text_value(property, catalog);
  if (name != "null_format" &&
      (text.size() != 1 || text == "\n" || text == "\r" || (text[0] & 0x80))) {
    throw Error(Code::kInvalidTableProperty,
                fmt::format("{} must be a single character string, but was: '{}'", name, text),
                at(property.name.pos));
  }
  if (name == "null_format" && text.find_first_of("\n\r") != std::string::npos)
    invalid(property, catalog, "it must not hold line ends");
  table.properties[name] = text;
}

void read_one(ExternalTable& table, const sql::Property& property, const std::string& catalog) {
  const std::string name = lower_case(property.name.value);
  static const std::set<std::string> kRefused = {"bucketed_by",
                                                 "bucket_count",
                                                 "bucketing_version",
                                                 "sorted_by",
                                                 "transactional",
                                                 "auto_purge",
                                                 "avro_schema_url",
                                                 "avro_schema_literal",
                                                 "orc_bloom_filter_columns",
                                                 "orc_bloom_filter_fpp",
                                                 "parquet_bloom_filter_columns",
                                                 "textfile_field_separator_escape",
                                                 "regex",
                                                 "regex_case_insensitive",
                                                 "extra_properties"};
  if (!property.value) return;  // DEFAULT
  if (name == "format") {
    read_format(table, property, catalog);
  } else if (name == "external_location") {
    table.location = text_value(property, catalog);
    lake::parse_folder(table.location);
  } else if (name == "partitioned_by") {
    table.partitioned_by = names_value(property, catalog);
  } else if (name == "skip_footer_line_count") {
    if (number_value(property, catalog) > 0) unsupported(property, name);
  } else if (std::ranges::count(hive_table_properties(), name, &PropertyInfo::name) > 0) {
    read_format_property(table, name, property, catalog);
  } else if (kRefused.contains(name) || name.starts_with("partition_projection_")) {
    unsupported(property, "The table property " + name);
  } else {
    throw Error(Code::kInvalidTableProperty,
                fmt::format("Catalog '{}' table property '{}' does not exist", catalog, name),
                at(property.name.pos));
  }
}

void check_format_properties(const ExternalTable& table) {
  for (const auto& [name, value] : table.properties) {
    const bool fits =
        (name.starts_with("csv_") && table.format == "CSV") ||
        ((name.starts_with("textfile_") || name == "null_format") && table.format == "TEXTFILE") ||
        (name == kHeader && (table.format == "CSV" || table.format == "TEXTFILE"));
    if (fits) continue;
    throw Error(
        Code::kInvalidTableProperty,
        fmt::format("Cannot specify {} table property for storage format: {}", name, table.format));
  }
  const std::string separator = hive_property(table, "csv_separator", ",");
  if (table.format == "CSV" && (separator == hive_property(table, "csv_quote", "\"") ||
                                separator == hive_property(table, "csv_escape", "\""))) {
    throw Error(Code::kInvalidTableProperty,
                "csv_separator must differ from csv_quote and csv_escape");
  }
}

std::string sql_text(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

/// Control characters as Trino writes them in U&'…'.
std::string sql_character(const std::string& text) {
  if (text.size() != 1 || static_cast<unsigned char>(text[0]) >= 0x20) return sql_text(text);
  return fmt::format("U&'\\{:04X}'", static_cast<unsigned char>(text[0]));
}

/// Whether the format's files can hold a column of this type.
bool can_hold(const std::string& format, const sql::Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kReal:
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
    case TypeKind::kVarchar:
    case TypeKind::kChar:
    case TypeKind::kDate:
      return true;
    case TypeKind::kTimestamp:
      return type.precision <= 6;
    case TypeKind::kVarbinary:
      return format == "PARQUET";
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow:
      return format != "TEXTFILE" &&
             std::all_of(type.children.begin(), type.children.end(),
                         [&](const auto& child) { return can_hold(format, child); });
    default:
      return false;
  }
}

bool can_partition(const sql::Type& type) {
  return can_hold("TEXTFILE", type) && type.kind != TypeKind::kReal &&
         type.kind != TypeKind::kDouble;
}

void check_partition_columns(const ExternalTable& table) {
  const auto& by = table.partitioned_by;
  if (by.empty()) return;
  std::vector<std::string> names, missing;
  for (const auto& column : table.columns) names.push_back(column.name);
  for (const auto& name : by)
    if (std::find(names.begin(), names.end(), name) == names.end()) missing.push_back(name);
  if (!missing.empty()) {
    throw Error(
        Code::kInvalidTableProperty,
        fmt::format("Partition columns [{}] not present in schema", fmt::join(missing, ", ")));
  }
  if (by.size() == names.size())
    throw Error(Code::kInvalidTableProperty, "Table contains only partition columns");
  if (by.size() > names.size() || !std::equal(by.rbegin(), by.rend(), names.rbegin())) {
    throw Error(Code::kInvalidTableProperty,
                fmt::format("Partition keys must be the last columns in the table and in the same "
                            "order as the table properties: [{}]",
                            fmt::join(by, ", ")));
  }
}

}  // namespace

void HiveSource::allow(const std::string& user, std::string_view action,
                       const lake::Folder& folder) const {
  if (authorize && !user.empty()) authorize(user, action, folder.bucket, folder.prefix + "*");
}

void HiveSource::allow_change(const std::string& user, const ExternalTable& table) const {
  if (user != table.owner) allow(user, "s3:PutObject", lake::parse_folder(table.location));
}

std::vector<PropertyInfo> hive_table_properties() {
  return {
      {"format", "PARQUET", "varchar", "Format of the files: PARQUET, CSV, TEXTFILE or JSON"},
      {"external_location", "", "varchar", "Folder of the files"},
      {"partitioned_by", "[]", "array(varchar)",
       "Columns that folders are named after, the table's last"},
      {"csv_separator", ",", "varchar", "Character between fields of CSV"},
      {"csv_quote", "\"", "varchar", "Character around fields of CSV"},
      {"csv_escape", "\"", "varchar", "Character before a quote in a field of CSV"},
      {"textfile_field_separator", "\x01", "varchar", "Character between fields of TEXTFILE"},
      {"null_format", "\\N", "varchar", "What stands for NULL in TEXTFILE"},
      {kHeader, "0", "integer", "Lines to skip at the start of each file"},
      {"skip_footer_line_count", "0", "integer",
       "Lines to skip at the end; more than 0 is not "
       "supported"},
  };
}

void read_hive_properties(ExternalTable& table, const std::vector<sql::Property>& properties,
                          const std::string& catalog) {
  table.format = "PARQUET";
  std::set<std::string> seen;
  for (const auto& property : properties) {
    const std::string name = lower_case(property.name.value);
    if (!seen.insert(name).second) {
      throw Error(Code::kDuplicateProperty, "Duplicate property: " + name, at(property.name.pos));
    }
    read_one(table, property, catalog);
  }
  check_format_properties(table);
}

std::vector<std::pair<std::string, std::string>> shown_hive_properties(const ExternalTable& table) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, value] : table.properties) {
    const bool number = name == kHeader;
    out.emplace_back(name, number                  ? value
                           : name == "null_format" ? sql_text(value)
                                                   : sql_character(value));
  }
  if (!table.managed) out.emplace_back("external_location", sql_text(table.location));
  out.emplace_back("format", sql_text(table.format));
  if (!table.partitioned_by.empty()) {
    std::vector<std::string> names;
    for (const auto& name : table.partitioned_by) names.push_back(sql_text(name));
    out.emplace_back("partitioned_by", fmt::format("ARRAY[{}]", fmt::join(names, ",")));
  }
  std::sort(out.begin(), out.end());
  return out;
}

void check_hive_columns(const ExternalTable& table) {
  check_partition_columns(table);
  const size_t data = data_columns(table);
  std::vector<std::string> not_text;
  std::set<std::string> names;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    if (!names.insert(column.name).second || column.name.starts_with('$')) {
      throw Error(Code::kNotSupported,
                  "A column cannot be named '" + column.name + "': the name is taken");
    }
    const auto type = sql::Type::parse(column.type);
    if (i >= data) {
      if (can_partition(type)) continue;
      throw Error(Code::kNotSupported, fmt::format("Partition column '{}' cannot be of type {}",
                                                   column.name, column.type));
    }
    if (table.format == "CSV" && type != sql::Type::varchar())
      not_text.push_back(column.name + " " + column.type);
    if (table.format == "CSV" || can_hold(table.format, type)) continue;
    throw Error(Code::kNotSupported,
                fmt::format("Column '{}' of type {} is not supported by storage format {}",
                            column.name, column.type, table.format));
  }
  if (not_text.empty()) return;
  throw Error(Code::kNotSupported,
              fmt::format("Hive CSV storage format only supports VARCHAR (unbounded). Unsupported "
                          "columns: {}",
                          fmt::join(not_text, ", ")));
}

size_t data_columns(const ExternalTable& table) {
  return table.columns.size() - std::min(table.columns.size(), table.partitioned_by.size());
}

int header_lines(const ExternalTable& table) {
  return std::stoi(hive_property(table, kHeader, "0"));
}

std::string hive_property(const ExternalTable& table, const std::string& name,
                          const std::string& otherwise) {
  const auto found = table.properties.find(name);
  return found == table.properties.end() ? otherwise : found->second;
}

namespace {

sql::Type without_labels(sql::Type type) {
  if (type.kind == TypeKind::kChar || type.kind == TypeKind::kVarchar) return sql::Type::varchar();
  if (type.kind == TypeKind::kTimestamp) type.precision = 6;
  for (auto& child : type.children) child = without_labels(std::move(child));
  return type;
}

}  // namespace

std::string stored_type(const sql::Type& type) {
  return to_duckdb(without_labels(type)).ToString();
}

}  // namespace meesh::engine
