#include "engine/lake/properties.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/error.h"
#include "engine/statement_runner.h"
#include "lake/layout.h"

namespace meesh::engine {
namespace {

using lake::TransformKind;

constexpr const char* kRetries = "commit.retry.num-retries";
constexpr const char* kDataPath = "write.data.path";
constexpr const char* kFormat = "write.format.default";
constexpr const char* kObjectStore = "write.object-storage.enabled";

Location at(const sql::Position& position) { return {position.line, position.column, {}}; }

[[noreturn]] void invalid(const sql::Property& property, const std::string& catalog,
                          const std::string& why) {
  throw Error(Code::kInvalidTableProperty,
              fmt::format("Invalid value for catalog '{}' table property '{}': {}", catalog,
                          lower_case(property.name.value), why),
              at(property.name.pos));
}

/// Reads one property's value.
class Reader {
 public:
  Reader(const sql::Property& property, const std::string& catalog)
      : property_(property), catalog_(catalog) {}

  std::string text() const { return text_of(property_.value.get()); }

  std::vector<std::string> texts() const { return texts_of(property_.value.get()); }

  int number() const {
    const auto* value = sql::try_as<const sql::IntegerLiteral>(property_.value.get());
    if (!value || value->value > 1'000'000) refuse("a whole number");
    return static_cast<int>(value->value);
  }
  bool boolean() const {
    const auto* value = sql::try_as<const sql::BooleanLiteral>(property_.value.get());
    if (!value) refuse("true or false");
    return value->value;
  }
  std::map<std::string, std::string> map() const {
    const auto* call = sql::try_as<const sql::FunctionCall>(property_.value.get());
    if (!call || lower_case(call->name.back().value) != "map" || call->args.size() != 2)
      refuse("MAP(ARRAY['key'], ARRAY['value'])");
    const auto keys = texts_of(call->args[0].get()), values = texts_of(call->args[1].get());
    if (keys.size() != values.size()) refuse("as many keys as values");
    std::map<std::string, std::string> out;
    for (size_t i = 0; i < keys.size(); ++i) out[keys[i]] = values[i];
    return out;
  }

 private:
  std::string text_of(const sql::Expr* value) const {
    if (const auto* literal = sql::try_as<const sql::StringLiteral>(value)) return literal->value;
    refuse("text in quotes");
  }
  std::vector<std::string> texts_of(const sql::Expr* value) const {
    const auto* array = sql::try_as<const sql::ArrayConstructor>(value);
    if (!array) refuse("ARRAY['…']");
    std::vector<std::string> out;
    for (const auto& item : array->items) out.push_back(text_of(item.get()));
    return out;
  }
  [[noreturn]] void refuse(const char* wanted) const {
    invalid(property_, catalog_, fmt::format("it must be {}", wanted));
  }

  const sql::Property& property_;
  const std::string& catalog_;
};

/// A column by the name that a property gives it: "a", "\"A b\"", "a.b".
const lake::Field& named_column(const lake::Schema& schema, std::string name) {
  if (name.size() >= 2 && name.front() == '"') {
    name = name.substr(1, name.size() - 2);
    RE2::GlobalReplace(&name, "\"\"", "\"");
  }
  if (const auto* field = lake::find_field(schema, lower_case(name), false)) return *field;
  throw Error(Code::kInvalidTableProperty, "Column '" + name + "' does not exist");
}

const char* kIdentifier = R"re([a-zA-Z_][a-zA-Z0-9_.]*|"(?:""|[^"])*")re";

std::string quoted_name(const std::string& name) {
  static const RE2 plain("[a-z_][a-z0-9_.]*");
  if (RE2::FullMatch(name, plain)) return name;
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

std::string sql_text(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + '\'';
}

std::string sql_array(const std::vector<std::string>& items) {
  std::string out = "ARRAY[";
  for (size_t i = 0; i < items.size(); ++i) out += (i ? "," : "") + sql_text(items[i]);
  return out + "]";
}

/// As the Java library names the fields of a spec.
std::string field_suffix(const lake::Transform& transform) {
  switch (transform.kind) {
    case TransformKind::kBucket:
      return "_bucket";
    case TransformKind::kTruncate:
      return "_trunc";
    case TransformKind::kYear:
      return "_year";
    case TransformKind::kMonth:
      return "_month";
    case TransformKind::kDay:
      return "_day";
    case TransformKind::kHour:
      return "_hour";
    case TransformKind::kVoid:
      return "_null";
    default:
      return "";
  }
}

lake::PartitionField partition_field(const std::string& text, const lake::Schema& schema) {
  static const RE2 call(
      fmt::format(R"re((?i)\s*(year|month|day|hour|void)\(\s*({})\s*\)\s*)re", kIdentifier));
  static const RE2 sized(
      fmt::format(R"re((?i)\s*(bucket|truncate)\(\s*({})\s*,\s*(\d+)\s*\)\s*)re", kIdentifier));
  static const RE2 plain(fmt::format(R"re(\s*({})\s*)re", kIdentifier));
  std::string function, column, size;
  lake::PartitionField field;
  if (RE2::FullMatch(text, sized, &function, &column, &size)) {
    if (size.size() > 9) size = "0";  // refused by parse_transform
    field.transform = lake::parse_transform(fmt::format("{}[{}]", lower_case(function), size));
  } else if (RE2::FullMatch(text, call, &function, &column)) {
    field.transform = lake::parse_transform(lower_case(function));
  } else if (!RE2::FullMatch(text, plain, &column)) {
    throw Error(Code::kInvalidTableProperty, "Invalid partition field declaration: " + text);
  }
  const auto& source = named_column(schema, column);
  if (!lake::can_transform(field.transform, source.type)) {
    throw Error(Code::kInvalidTableProperty,
                fmt::format("{} cannot partition a column of type {}",
                            lake::transform_name(field.transform), lake::type_name(source.type)));
  }
  field.source_id = source.id;
  field.name = lake::field_name(schema, source.id) + field_suffix(field.transform);
  return field;
}

std::string shown_partition(const lake::PartitionField& field, const lake::Schema& schema) {
  const std::string column = quoted_name(lake::field_name(schema, field.source_id));
  switch (field.transform.kind) {
    case TransformKind::kIdentity:
      return column;
    case TransformKind::kBucket:
      return fmt::format("bucket({}, {})", column, field.transform.argument);
    case TransformKind::kTruncate:
      return fmt::format("truncate({}, {})", column, field.transform.argument);
    default:
      return fmt::format("{}({})", lake::transform_name(field.transform), column);
  }
}

void check_format(const std::string& format, const sql::Property& property,
                  const std::string& catalog) {
  const std::string name = lower_case(format);
  if (name == "parquet") return;
  if (name == "orc" || name == "avro") {
    throw Error(Code::kNotSupported,
                "Tables of format " + format + " are not supported: files are written as PARQUET",
                at(property.name.pos));
  }
  invalid(property, catalog, "'" + format + "' is not PARQUET");
}

void read_one(TableProperties& out, const sql::Property& property, const std::string& catalog) {
  const std::string name = lower_case(property.name.value);
  const Reader value(property, catalog);
  const bool reset = !property.value;
  if (reset) out.defaults.push_back(name);
  if (name == "format") {
    if (!reset) check_format(*(out.format = value.text()), property, catalog);
  } else if (name == "partitioning") {
    if (!reset) out.partitioning = value.texts();
  } else if (name == "sorted_by") {
    if (!reset) out.sorted_by = value.texts();
  } else if (name == "location") {
    if (!reset) out.location = value.text();
  } else if (name == "data_location") {
    if (!reset) out.data_location = value.text();
  } else if (name == "data_layout") {
    if (!reset) out.data_layout = value.text();
  } else if (name == "format_version") {
    if (!reset) out.format_version = value.number();
    if (out.format_version && *out.format_version != 2) {
      throw Error(Code::kNotSupported,
                  fmt::format("Tables of format version {} are not supported: what is written is "
                              "version 2",
                              *out.format_version),
                  at(property.name.pos));
    }
  } else if (name == "max_commit_retry") {
    if (!reset) out.max_commit_retry = value.number();
  } else if (name == "object_store_layout_enabled") {
    if (!reset) out.object_store_layout = value.boolean();
    if (out.object_store_layout.value_or(false)) {
      throw Error(Code::kNotSupported, "object_store_layout_enabled is not supported",
                  at(property.name.pos));
    }
  } else if (name == "extra_properties") {
    if (!reset) out.extra = value.map();
  } else if (name.starts_with("orc_bloom_filter_") || name == "parquet_bloom_filter_columns") {
    if (!reset) throw Error(Code::kNotSupported, name + " is not supported", at(property.name.pos));
  } else {
    throw Error(Code::kInvalidTableProperty,
                fmt::format("Catalog '{}' table property '{}' does not exist", catalog, name),
                at(property.name.pos));
  }
}

}  // namespace

bool TableProperties::names(const std::string& property) const {
  if (std::find(defaults.begin(), defaults.end(), property) != defaults.end()) return true;
  return (property == "partitioning" && partitioning) || (property == "sorted_by" && sorted_by) ||
         (property == "location" && location);
}

TableProperties read_properties(const std::vector<sql::Property>& properties,
                                const std::string& catalog) {
  TableProperties out;
  std::vector<std::string> seen;
  for (const auto& property : properties) {
    const std::string name = lower_case(property.name.value);
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      throw Error(Code::kDuplicateProperty, "Duplicate property: " + name, at(property.name.pos));
    }
    seen.push_back(name);
    read_one(out, property, catalog);
  }
  // Names of Iceberg's own that have a property of their own here.
  for (const auto& [key, value] : out.extra) {
    if (key != kFormat && key != "format-version") continue;
    throw Error(Code::kInvalidTableProperty,
                fmt::format("Illegal keys in extra_properties: [{}]", key));
  }
  return out;
}

lake::Properties iceberg_properties(const TableProperties& properties) {
  lake::Properties out(properties.extra.begin(), properties.extra.end());
  if (properties.format) out[kFormat] = "PARQUET";
  if (properties.max_commit_retry) out[kRetries] = std::to_string(*properties.max_commit_retry);
  if (properties.data_location) out[kDataPath] = *properties.data_location;
  if (properties.data_layout) out[lake::kLayoutProperty] = *properties.data_layout;
  return out;
}

lake::PartitionSpec partition_spec(const std::vector<std::string>& partitioning,
                                   const lake::Schema& schema) {
  lake::PartitionSpec spec;
  for (const auto& text : partitioning) {
    try {
      spec.fields.push_back(partition_field(text, schema));
    } catch (const Error& error) {
      throw Error(Code::kInvalidTableProperty,
                  "Unable to parse partitioning value: " + error.message());
    }
    const auto& made = spec.fields.back();
    for (size_t i = 0; i + 1 < spec.fields.size(); ++i) {
      if (spec.fields[i].name != made.name) continue;
      throw Error(Code::kInvalidTableProperty,
                  "Invalid partition field declaration: " + text + " is there twice");
    }
  }
  return spec;
}

void check_new_names(const lake::PartitionSpec& spec, const lake::Schema& schema) {
  for (const auto& field : spec.fields) {
    const auto* column = lake::find_field(schema, field.name);
    if (field.field_id != 0 || !column || column->id == field.source_id) continue;
    throw Error(Code::kInvalidTableProperty,
                fmt::format("Unable to parse partitioning value: {} makes a partition field of the "
                            "name '{}', which a column has already",
                            shown_partition(field, schema), field.name))
        .with_hint("give the column another name, or partition by another transform of " +
                   quoted_name(lake::field_name(schema, field.source_id)));
  }
}

lake::SortOrder sort_order(const std::vector<std::string>& sorted_by, const lake::Schema& schema) {
  static const RE2 pattern(fmt::format(
      R"re(\s*({})(?:\s+(?i:(ASC|DESC)))?(?:\s+(?i:NULLS\s+(FIRST|LAST)))?\s*)re", kIdentifier));
  lake::SortOrder order;
  for (const auto& text : sorted_by) {
    std::string column, direction, nulls;
    if (!RE2::FullMatch(text, pattern, &column, &direction, &nulls)) {
      throw Error(
          Code::kInvalidTableProperty,
          fmt::format("Invalid sorted_by definition: Unable to parse sort field: [{}]", text));
    }
    lake::SortField field;
    field.source_id = named_column(schema, column).id;
    const bool descending = lower_case(direction) == "desc";
    if (descending) field.direction = lake::SortDirection::kDescending;
    const bool last = nulls.empty() ? descending : lower_case(nulls) == "last";
    field.nulls = last ? lake::NullOrder::kLast : lake::NullOrder::kFirst;
    order.fields.push_back(field);
  }
  if (!order.fields.empty()) order.id = 1;
  return order;
}

std::vector<std::pair<std::string, std::string>> shown_properties(
    const lake::TableMetadata& table) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto property = [&](const char* key) -> const std::string* {
    const auto found = table.properties.find(key);
    return found == table.properties.end() ? nullptr : &found->second;
  };
  if (const auto* layout = property(lake::kLayoutProperty))
    out.emplace_back("data_layout", sql_text(*layout));
  if (const auto* place = property(kDataPath)) out.emplace_back("data_location", sql_text(*place));
  std::string format = property(kFormat) ? *property(kFormat) : "PARQUET";
  for (char& c : format) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  out.emplace_back("format", sql_text(format));
  out.emplace_back("format_version", std::to_string(table.format_version));
  out.emplace_back("location", sql_text(table.location));
  if (const auto* retries = property(kRetries)) out.emplace_back("max_commit_retry", *retries);
  if (const auto* layout = property(kObjectStore); layout && *layout == "true")
    out.emplace_back("object_store_layout_enabled", "true");
  std::vector<std::string> partitioning, sorted;
  for (const auto& field : table.spec().fields)
    partitioning.push_back(shown_partition(field, table.schema()));
  for (const auto& field : table.sort_order().fields) {
    sorted.push_back(fmt::format(
        "{} {} NULLS {}", quoted_name(lake::field_name(table.schema(), field.source_id)),
        field.direction == lake::SortDirection::kAscending ? "ASC" : "DESC",
        field.nulls == lake::NullOrder::kFirst ? "FIRST" : "LAST"));
  }
  if (!partitioning.empty()) out.emplace_back("partitioning", sql_array(partitioning));
  if (!sorted.empty()) out.emplace_back("sorted_by", sql_array(sorted));
  return out;
}

}  // namespace meesh::engine
