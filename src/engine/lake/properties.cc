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

/// Reads one property's value.
class Reader {
 public:
  Reader(const sql::Property& property, const std::string& catalog)
      : property_(property), catalog_(catalog) {}

  std::string text() const { return text_of(property_.value.get()); }

  std::vector<std::string> texts() const { return texts_of(property_.value.get()); }

  int number() const {
    const auto* value = sql::try_as<const sql::IntegerLiteral>(property_.value.get());
    if (!value || value->value > 1'000'000) refuse("it must be a whole number");
    return static_cast<int>(value->value);
  }
  bool boolean() const {
    const auto* value = sql::try_as<const sql::BooleanLiteral>(property_.value.get());
    if (!value) refuse("it must be true or false");
    return value->value;
  }
  std::map<std::string, std::string> map() const {
    const auto* call = sql::try_as<const sql::FunctionCall>(property_.value.get());
    if (!call || lower_case(call->name.back().value) != "map" || call->args.size() != 2)
      refuse("it must be MAP(ARRAY['key'], ARRAY['value'])");
    const auto keys = texts_of(call->args[0].get()), values = texts_of(call->args[1].get());
    if (keys.size() != values.size()) refuse("it must be as many keys as values");
    std::map<std::string, std::string> out;
    for (size_t i = 0; i < keys.size(); ++i) out[keys[i]] = values[i];
    return out;
  }

  /// INVALID_TABLE_PROPERTY.
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(Code::kInvalidTableProperty,
                fmt::format("Invalid value for catalog '{}' table property '{}': {}", catalog_,
                            lower_case(property_.name.value), why),
                at(property_.name.pos));
  }
  [[noreturn]] void unsupported(const std::string& message) const {
    throw Error(Code::kNotSupported, message, at(property_.name.pos));
  }

 private:
  std::string text_of(const sql::Expr* value) const {
    if (const auto* literal = sql::try_as<const sql::StringLiteral>(value)) return literal->value;
    refuse("it must be text in quotes");
  }
  std::vector<std::string> texts_of(const sql::Expr* value) const {
    const auto* array = sql::try_as<const sql::ArrayConstructor>(value);
    if (!array) refuse("it must be ARRAY['…']");
    std::vector<std::string> out;
    for (const auto& item : array->items) out.push_back(text_of(item.get()));
    return out;
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

std::string data_format(const Reader& value) {
  std::string format = value.text();
  const std::string name = lower_case(format);
  if (name == "orc" || name == "avro")
    value.unsupported("Tables of format " + format +
                      " are not supported: files are written as "
                      "PARQUET");
  if (name != "parquet") value.refuse("'" + format + "' is not PARQUET");
  return format;
}

int format_version(const Reader& value) {
  const int version = value.number();
  if (version != 2)
    value.unsupported(fmt::format(
        "Tables of format version {} are not supported: what is written is version 2", version));
  return version;
}

struct KnownProperty {
  PropertyInfo info;
  void (*take)(TableProperties&, const Reader&);
};

const std::vector<KnownProperty>& known_properties() {
  using Out = TableProperties;
  static const std::vector<KnownProperty> all = {
      {{"format", "PARQUET", "varchar", "Format of new data files: PARQUET"},
       [](Out& out, const Reader& value) { out.format = data_format(value); }},
      {{"partitioning", "[]", "array(varchar)",
        "Partition transforms: column, year, month, day or hour(column), bucket(column, n), "
        "truncate(column, n)"},
       [](Out& out, const Reader& value) { out.partitioning = value.texts(); }},
      {{"sorted_by", "[]", "array(varchar)",
        "Columns by which rows are sorted in new files: column [ASC | DESC] [NULLS FIRST | LAST]"},
       [](Out& out, const Reader& value) { out.sorted_by = value.texts(); }},
      {{"location", "", "varchar", "Folder of the table"},
       [](Out& out, const Reader& value) { out.location = value.text(); }},
      {{"data_location", "", "varchar", "Folder of new data files, if not below the table's own"},
       [](Out& out, const Reader& value) { out.data_location = value.text(); }},
      {{"data_layout", "", "varchar",
        "Path of a new data file in its folder, such as "
        "year={ts_day:%Y}/data_{file}"},
       [](Out& out, const Reader& value) { out.data_layout = value.text(); }},
      {{"format_version", "2", "integer", "Version of the Iceberg table format: 2"},
       [](Out& out, const Reader& value) { out.format_version = format_version(value); }},
      {{"max_commit_retry", "4", "integer",
        "Times that other engines try a commit again that lost a race"},
       [](Out& out, const Reader& value) { out.max_commit_retry = value.number(); }},
      {{"object_store_layout_enabled", "false", "boolean",
        "Whether a hash spreads data files over folders; true is not supported"},
       [](Out&, const Reader& value) {
         if (value.boolean()) value.unsupported("object_store_layout_enabled is not supported");
       }},
      {{"extra_properties", "", "map(varchar, varchar)", "Iceberg properties by their own names"},
       [](Out& out, const Reader& value) { out.extra = value.map(); }},
  };
  return all;
}

/// Trino's, which files written here do not have.
bool is_bloom_filter(const std::string& property) {
  return property.starts_with("orc_bloom_filter_") || property == "parquet_bloom_filter_columns";
}

void read_one(TableProperties& out, const sql::Property& property, const std::string& catalog) {
  const std::string name = lower_case(property.name.value);
  const Reader value(property, catalog);
  const auto& all = known_properties();
  const auto known =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.info.name == name; });
  if (known == all.end() && !is_bloom_filter(name)) {
    throw Error(Code::kInvalidTableProperty,
                fmt::format("Catalog '{}' table property '{}' does not exist", catalog, name),
                at(property.name.pos));
  }
  if (!property.value) return out.defaults.push_back(name);
  if (known == all.end()) value.unsupported(name + " is not supported");
  known->take(out, value);
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

std::vector<PropertyInfo> table_properties() {
  std::vector<PropertyInfo> out;
  for (const auto& known : known_properties()) out.push_back(known.info);
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
