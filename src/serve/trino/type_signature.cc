#include "serve/trino/type_signature.h"

#include <fmt/format.h>

#include <algorithm>

namespace meesh::serve::trino {
namespace {

using sql::Type;
using sql::TypeKind;

bool is_plain_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9');
  });
}

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

/// "time" and "with time zone" around the precision, or without one.
std::string date_time(std::string_view name, bool zone, const Type& type, DateTimes date_times) {
  std::string out(name);
  if (date_times == DateTimes::kParametric) out += fmt::format("({})", type.precision);
  if (zone) out += " with time zone";
  return out;
}

std::string_view raw_name(TypeKind kind) {
  switch (kind) {
    case TypeKind::kUnknown:
      return "unknown";
    case TypeKind::kBoolean:
      return "boolean";
    case TypeKind::kTinyint:
      return "tinyint";
    case TypeKind::kSmallint:
      return "smallint";
    case TypeKind::kInteger:
      return "integer";
    case TypeKind::kBigint:
      return "bigint";
    case TypeKind::kReal:
      return "real";
    case TypeKind::kDouble:
      return "double";
    case TypeKind::kDecimal:
      return "decimal";
    case TypeKind::kVarchar:
      return "varchar";
    case TypeKind::kChar:
      return "char";
    case TypeKind::kVarbinary:
      return "varbinary";
    case TypeKind::kDate:
      return "date";
    case TypeKind::kTime:
      return "time";
    case TypeKind::kTimeTz:
      return "time with time zone";
    case TypeKind::kTimestamp:
      return "timestamp";
    case TypeKind::kTimestampTz:
      return "timestamp with time zone";
    case TypeKind::kIntervalYearToMonth:
      return "interval year to month";
    case TypeKind::kIntervalDayToSecond:
      return "interval day to second";
    case TypeKind::kUuid:
      return "uuid";
    case TypeKind::kIpaddress:
      return "ipaddress";
    case TypeKind::kJson:
      return "json";
    case TypeKind::kArray:
      return "array";
    case TypeKind::kMap:
      return "map";
    case TypeKind::kRow:
      return "row";
    case TypeKind::kHyperLogLog:
      return "HyperLogLog";
    case TypeKind::kP4HyperLogLog:
      return "P4HyperLogLog";
    case TypeKind::kSetDigest:
      return "SetDigest";
    case TypeKind::kTdigest:
      return "tdigest";
    case TypeKind::kQdigest:
      return "qdigest";
    case TypeKind::kColor:
      return "color";
    case TypeKind::kJsonPath:
      return "JsonPath";
  }
  return "unknown";
}

void write_long(int64_t value, JsonText& out) {
  out.raw("{\"kind\":\"LONG\",\"value\":");
  out.integer(value);
  out.raw("},");
}

/// An anonymous field has no fieldName at all: clients test for its presence.
void write_fields(const Type& type, DateTimes date_times, JsonText& out) {
  for (size_t i = 0; i < type.children.size(); ++i) {
    out.raw("{\"kind\":\"NAMED_TYPE\",\"value\":{");
    if (i < type.field_names.size() && !type.field_names[i].empty()) {
      out.raw("\"fieldName\":{\"name\":");
      out.string(type.field_names[i]);
      out.raw("},");
    }
    out.raw("\"typeSignature\":");
    write_type_signature(type.children[i], date_times, out);
    out.raw("}},");
  }
}

}  // namespace

std::string protocol_type(const Type& type, DateTimes date_times) {
  const auto child = [&](size_t i) { return protocol_type(type.children.at(i), date_times); };
  switch (type.kind) {
    case TypeKind::kDecimal:
      return fmt::format("decimal({}, {})", type.precision, type.scale);
    case TypeKind::kVarchar:
      return type.precision == Type::kUnbounded ? "varchar"
                                                : fmt::format("varchar({})", type.precision);
    case TypeKind::kChar:
      return fmt::format("char({})", type.precision);
    case TypeKind::kTime:
      return date_time("time", false, type, date_times);
    case TypeKind::kTimeTz:
      return date_time("time", true, type, date_times);
    case TypeKind::kTimestamp:
      return date_time("timestamp", false, type, date_times);
    case TypeKind::kTimestampTz:
      return date_time("timestamp", true, type, date_times);
    case TypeKind::kIntervalYearToMonth:
      return "INTERVAL YEAR TO MONTH";
    case TypeKind::kIntervalDayToSecond:
      return "INTERVAL DAY TO SECOND";
    case TypeKind::kArray:
      return fmt::format("array({})", child(0));
    case TypeKind::kQdigest:
      return fmt::format("qdigest({})", child(0));
    case TypeKind::kMap:
      return fmt::format("map({}, {})", child(0), child(1));
    case TypeKind::kRow: {
      std::string out = "row(";
      for (size_t i = 0; i < type.children.size(); ++i) {
        if (i > 0) out += ", ";
        if (i < type.field_names.size() && !type.field_names[i].empty()) {
          const auto& name = type.field_names[i];
          out += (is_plain_name(name) ? name : quoted(name)) + " ";
        }
        out += child(i);
      }
      return out + ")";
    }
    default:
      return std::string(raw_name(type.kind));
  }
}

void write_type_signature(const Type& type, DateTimes date_times, JsonText& out) {
  out.raw("{\"rawType\":\"");
  out.raw(raw_name(type.kind));
  out.raw("\",\"arguments\":[");
  switch (type.kind) {
    case TypeKind::kDecimal:
      write_long(type.precision, out);
      write_long(type.scale, out);
      break;
    case TypeKind::kVarchar:
    case TypeKind::kChar:
      write_long(type.precision, out);
      break;
    case TypeKind::kTime:
    case TypeKind::kTimeTz:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      if (date_times == DateTimes::kParametric) write_long(type.precision, out);
      break;
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kQdigest:
      for (const auto& child : type.children) {
        out.raw("{\"kind\":\"TYPE\",\"value\":");
        write_type_signature(child, date_times, out);
        out.raw("},");
      }
      break;
    case TypeKind::kRow:
      write_fields(type, date_times, out);
      break;
    default:
      break;
  }
  out.close(']');
  out.raw('}');
}

std::string columns_json(const std::vector<engine::Column>& columns, DateTimes date_times) {
  JsonText out;
  out.raw('[');
  for (const auto& column : columns) {
    out.raw('{');
    out.member("name", column.name);
    out.member("type", protocol_type(column.type, date_times));
    out.key("typeSignature");
    write_type_signature(column.type, date_times, out);
    out.raw("},");
  }
  out.close(']');
  return out.str();
}

}  // namespace meesh::serve::trino
