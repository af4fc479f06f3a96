#include "engine/lake/statistics.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "base/uuid.h"
#include "engine/lake/changes.h"
#include "engine/statement_runner.h"
#include "lake/types_calendar.h"

namespace meesh::engine {
namespace {

using lake::TypeKind;

// ---------------------------------------------------------------- ANALYZE

[[noreturn]] void invalid(const sql::Property& property, const std::string& message) {
  throw Error(Code::kInvalidAnalyzeProperty, message,
              {property.name.pos.line, property.name.pos.column, {}});
}

std::vector<std::string> named_columns(const sql::Property& property, const std::string& catalog) {
  if (sql::try_as<const sql::NullLiteral>(property.value.get())) {
    invalid(property, fmt::format("Invalid null value for catalog '{}' analyze property 'columns' "
                                  "from [null]",
                                  catalog));
  }
  const auto refuse = [&] {
    invalid(property, fmt::format("Unable to set catalog '{}' analyze property 'columns': it must "
                                  "be ARRAY['a', 'b'], names of columns",
                                  catalog));
  };
  const auto* array = sql::try_as<const sql::ArrayConstructor>(property.value.get());
  if (!array) refuse();
  if (array->items.empty()) invalid(property, "Cannot specify empty list of columns for analysis");
  std::vector<std::string> names;
  for (const auto& item : array->items) {
    const auto* text = sql::try_as<const sql::StringLiteral>(item.get());
    if (!text) refuse();
    names.push_back(text->value);
  }
  return names;
}

// ---------------------------------------------------------------- SHOW STATS

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// A column as Trino's planner sees it: NaN is what is not known.
struct Estimate {
  double nulls_fraction = kUnknown, distinct = kUnknown, row_size = kUnknown;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  bool ranged() const { return std::isfinite(low) && std::isfinite(high); }
};

/// Of a column without a value.
Estimate nothing() {
  Estimate out;
  out.nulls_fraction = 1;
  out.distinct = out.row_size = 0;
  out.low = out.high = kUnknown;
  return out;
}

/// Trino's numbers for values that have an order which planning knows of; NaN for the others.
double planner_number(const lake::Type& type, const lake::Value& value) {
  if (lake::is_null(value)) return kUnknown;
  switch (type.kind) {
    case TypeKind::kBoolean:
      return std::get<bool>(value) ? 1 : 0;
    case TypeKind::kInt:
    case TypeKind::kLong:
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
      return static_cast<double>(std::get<int64_t>(value));
    case TypeKind::kTimestampTz:
      return static_cast<double>(lake::floor_div(std::get<int64_t>(value), 1000));
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return std::get<double>(value);
    case TypeKind::kDecimal:
      return std::strtod(lake::decimal_text(std::get<lake::Int128>(value), type.scale).c_str(),
                         nullptr);
    default:
      return kUnknown;
  }
}

std::string time_text(int64_t micros, bool zoned) {
  const int64_t days = lake::floor_div(micros, lake::kMicrosPerDay);
  const auto date = lake::civil_date(days);
  const int64_t of_day = micros - days * lake::kMicrosPerDay;
  const int64_t seconds = of_day / lake::kMicrosPerSecond;
  const int64_t rest = of_day % lake::kMicrosPerSecond;
  const auto text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", date.year, date.month,
                                date.day, seconds / 3600, seconds / 60 % 60, seconds % 60);
  return zoned ? fmt::format("{}.{:03} UTC", text, rest / 1000)
               : fmt::format("{}.{:06}", text, rest);
}

/// `value` is a planner_number() of the type.
std::optional<std::string> shown_bound(const lake::Type& type, double value) {
  if (!std::isfinite(value)) return std::nullopt;
  switch (type.kind) {
    case TypeKind::kBoolean:
      return value == 0 ? "false" : "true";
    case TypeKind::kInt:
    case TypeKind::kLong:
      // Rounded, the greatest long is one too many.
      return value >= 0x1p63 ? std::to_string(std::numeric_limits<int64_t>::max())
                             : std::to_string(static_cast<int64_t>(value));
    case TypeKind::kDate:
      return lake::value_text(type, static_cast<int64_t>(value));
    case TypeKind::kTimestamp:
      return time_text(static_cast<int64_t>(value), false);
    case TypeKind::kTimestampTz:
      return time_text(static_cast<int64_t>(value) * 1000, true);
    case TypeKind::kFloat:
      return java_text(static_cast<float>(value));
    default:
      return java_text(value);
  }
}

/// Bytes in memory, for types whose values differ in length. The factors are Trino's: it has only
/// what they take up on disk too.
double memory_size(const lake::Type& type, const lake::ColumnSummary& column) {
  if (type.kind == TypeKind::kFixed) return type.length;
  if (!column.bytes) return kUnknown;
  const auto bytes = static_cast<double>(*column.bytes);
  if (type.kind == TypeKind::kString) return std::trunc(bytes * 2.7);
  if (type.kind == TypeKind::kBinary) return std::trunc(bytes * 1.4);
  return type.nested() ? bytes : kUnknown;
}

/// How many different values there can be between the bounds; NaN if that is not known.
double most_distinct(const lake::Type& type, const Estimate& column) {
  if (!column.ranged()) return kUnknown;
  double length = column.high - column.low;
  if (length == 0) return 1;
  switch (type.kind) {
    case TypeKind::kBoolean:
    case TypeKind::kInt:
    case TypeKind::kLong:
    case TypeKind::kDate:
      break;
    case TypeKind::kDecimal:
      length *= std::pow(10, type.scale);
      break;
    default:
      return kUnknown;
  }
  return std::floor(length + 1);
}

/// The numbers made to agree with each other, as Trino's planner does.
Estimate agreeing(const lake::Type& type, Estimate column, double rows) {
  if (rows == 0) return nothing();
  if (!std::isnan(column.distinct)) {
    const double most = most_distinct(type, column);
    if (column.distinct > most) column.distinct = most;
    column.distinct = std::min(column.distinct, rows);
    const double values = rows * (1 - column.nulls_fraction);
    if (column.distinct > values) {
      const double difference = column.distinct - values;
      column.distinct -= difference / 2;
      column.nulls_fraction = 1 - (values + difference / 2) / rows;
    }
  }
  return column.distinct == 0 ? nothing() : column;
}

Estimate estimate(const lake::Type& type, const lake::ColumnSummary& column,
                  std::optional<int64_t> ndv, double rows) {
  Estimate out;
  if (column.nulls) out.nulls_fraction = static_cast<double>(*column.nulls) / rows;
  const double values = rows * (1 - out.nulls_fraction);
  out.row_size = values == 0 ? 0 : memory_size(type, column) / values;
  const double low = planner_number(type, column.low), high = planner_number(type, column.high);
  if (low <= high) {  // neither is NaN
    out.low = low;
    out.high = high;
  }
  if (ndv) out.distinct = static_cast<double>(*ndv);
  return agreeing(type, out, rows);
}

std::optional<double> known(double value) {
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

template <class T>
std::string java_number(T value) {
  char buffer[64] = {};
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  const size_t e = text.find('e');
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  const std::string sign = text.starts_with('-') ? "-" : "";
  const int exponent = std::atoi(buffer + e + 1);  // to_chars ends with two digits at least
  if (exponent < -3 || exponent >= 7) {
    return fmt::format("{}{}.{}E{}", sign, digits[0],
                       digits.size() > 1 ? digits.substr(1) : std::string("0"), exponent);
  }
  if (exponent < 0)
    return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  const size_t whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole) digits.append(whole + 1 - digits.size(), '0');
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

}  // namespace

std::string java_text(double value) { return java_number(value); }
std::string java_text(float value) { return java_number(value); }

std::vector<const lake::Field*> fields_to_analyze(const std::vector<sql::Property>& properties,
                                                  const lake::Schema& schema,
                                                  const std::string& catalog) {
  std::map<std::string, const lake::Field*> by_name;
  std::vector<const lake::Field*> all;
  for (const auto& field : schema.fields) {
    if (field.type.nested()) continue;
    by_name.emplace(lower_case(field.name), &field);
    all.push_back(&field);
  }
  const sql::Property* given = nullptr;
  for (const auto& property : properties) {
    const std::string key = lower_case(property.name.value);
    if (key != "columns") {
      invalid(property,
              fmt::format("Catalog '{}' analyze property '{}' does not exist", catalog, key));
    }
    if (given) {
      throw Error(Code::kDuplicateProperty, "Duplicate property: columns",
                  {property.name.pos.line, property.name.pos.column, {}});
    }
    given = &property;
  }
  if (!given || !given->value) return all;  // DEFAULT
  std::set<std::string> wanted, unknown;
  for (auto& name : named_columns(*given, catalog)) {
    if (!by_name.contains(name)) unknown.insert(name);
    wanted.insert(std::move(name));
  }
  if (!unknown.empty()) {
    invalid(*given,
            fmt::format("Invalid columns specified for analysis: [{}]", fmt::join(unknown, ", ")));
  }
  std::erase_if(all, [&](const auto* field) { return !wanted.contains(lower_case(field->name)); });
  return all;
}

sql::TableStatistics shown_statistics(const lake::Schema& schema, const lake::TableSummary& summary,
                                      const std::map<int, int64_t>& ndvs) {
  sql::TableStatistics out;
  const auto rows = static_cast<double>(summary.records);
  out.rows = rows;
  for (const auto& field : schema.fields) {
    const auto column = summary.columns.find(field.id);
    const auto ndv = ndvs.find(field.id);
    const Estimate found = estimate(
        field.type, column == summary.columns.end() ? lake::ColumnSummary{} : column->second,
        ndv == ndvs.end() ? std::nullopt : std::optional<int64_t>(ndv->second), rows);
    sql::TableStatistics::Column shown;
    shown.name = lower_case(field.name);
    shown.data_size = known(found.row_size * rows * (1 - found.nulls_fraction));
    shown.distinct_values = known(found.distinct);
    shown.nulls_fraction = known(found.nulls_fraction);
    shown.low = shown_bound(field.type, found.low);
    shown.high = shown_bound(field.type, found.high);
    out.columns.push_back(std::move(shown));
  }
  return out;
}

void LakeChange::analyze(const sql::Analyze& analyze) {
  const auto table = pinned();
  const auto fields = fields_to_analyze(analyze.properties, table->schema(), catalog_);
  allow("s3:PutObject", table->location);
  const lake::Snapshot* snapshot = table->current_snapshot();
  if (!snapshot || fields.empty()) return;
  std::string sketches;
  for (const auto* field : fields) {
    sketches += sketches.empty() ? "" : ", ";
    sketches += sketch_call(quote_ident(lower_case(field->name)));
  }
  sql::Printed query;
  query.text = fmt::format("SELECT {} FROM {}", sketches, target().duckdb_source);
  const auto found = change_.run(query);
  lake::NewStatistics statistics;
  statistics.path = fmt::format("{}/metadata/{}-{}.stats", table->location, change_.query_id,
                                base::random_uuid());
  statistics.table_uuid = table->uuid;
  statistics.snapshot_id = snapshot->id;
  for (size_t i = 0; i < fields.size(); ++i)
    statistics.sketches[fields[i]->id] = duckdb::StringValue::Get(found->GetValue(i, 0));
  lake::set_statistics(source_.catalog, name(), statistics);
}

}  // namespace meesh::engine
