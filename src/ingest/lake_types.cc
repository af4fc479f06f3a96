#include "ingest/lake_types.h"

#include <fmt/format.h>

namespace meesh::ingest {

using sql::Type;
using sql::TypeKind;

namespace {

constexpr int kMicroseconds = 6;

/// Of a whole number: at most so many digits.
int digits(TypeKind kind) { return kind == TypeKind::kInteger ? 10 : 19; }
bool whole(const Type& type) {
  return type.kind == TypeKind::kInteger || type.kind == TypeKind::kBigint;
}

std::string value_at_depth(const std::string& value, const Type& from, int depth);

std::string array_value(const std::string& value, const Type& from, int depth) {
  const std::string item = fmt::format("v{}", depth);
  return fmt::format("transform({}, {} -> {})", value, item,
                     value_at_depth(item, from.children.at(0), depth + 1));
}

std::string value_at_depth(const std::string& value, const Type& from, int depth) {
  const Type to = landed_type(from);
  if (to == from) return value;
  if (from.kind == TypeKind::kJson) return fmt::format("json_format({})", value);
  if (from.kind == TypeKind::kArray && from.children.at(0).kind == TypeKind::kJson)
    return array_value(value, from, depth);
  return fmt::format("CAST({} AS {})", value, to.display());
}

bool decimal_holds(const Type& table, const Type& values) {
  const int room = table.precision - table.scale;
  if (whole(values)) return room >= digits(values.kind);
  return values.kind == TypeKind::kDecimal && table.scale >= values.scale &&
         room >= values.precision - values.scale;
}

bool nested(const Type& type) { return !type.children.empty(); }

}  // namespace

Type landed_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
      return Type::of(TypeKind::kInteger);
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return Type::of(type.kind, kMicroseconds);
    case TypeKind::kBoolean:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kReal:
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
    case TypeKind::kVarbinary:
    case TypeKind::kDate:
    case TypeKind::kUuid:
      return type;
    case TypeKind::kArray:
      return Type::array(landed_type(type.children.at(0)));
    case TypeKind::kMap:
      return Type::map(landed_type(type.children.at(0)), landed_type(type.children.at(1)));
    case TypeKind::kRow: {
      Type row = type;
      for (auto& field : row.children) field = landed_type(field);
      return row;
    }
    default:
      return Type::varchar();
  }
}

std::string landed_value(const std::string& value, const Type& from) {
  return value_at_depth(value, from, 1);
}

Fit fit(const Type& table, const Type& values) {
  if (table == values) return Fit::kSame;
  if (nested(table) || nested(values)) return Fit::kConflict;
  switch (table.kind) {
    case TypeKind::kVarchar:
      return values.kind == TypeKind::kVarbinary ? Fit::kConflict : Fit::kCast;
    case TypeKind::kInteger:
      return values.kind == TypeKind::kBigint ? Fit::kWiden : Fit::kConflict;
    case TypeKind::kBigint:
      return values.kind == TypeKind::kInteger ? Fit::kCast : Fit::kConflict;
    case TypeKind::kReal:
      return values.kind == TypeKind::kDouble ? Fit::kWiden : Fit::kConflict;
    case TypeKind::kDouble:
      return values.kind == TypeKind::kReal || values.kind == TypeKind::kInteger ? Fit::kCast
                                                                                 : Fit::kConflict;
    case TypeKind::kDecimal:
      if (decimal_holds(table, values)) return Fit::kCast;
      return values.kind == TypeKind::kDecimal && values.scale == table.scale &&
                     values.precision > table.precision
                 ? Fit::kWiden
                 : Fit::kConflict;
    case TypeKind::kTimestamp:
      return values.kind == TypeKind::kDate ? Fit::kCast : Fit::kConflict;
    default:
      return Fit::kConflict;
  }
}

}  // namespace meesh::ingest
