// Iceberg's types and single values. Source: the Iceberg table spec, "Schemas and Data Types" and
// appendices C (JSON) and D (single-value serialization).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace meesh::lake {

enum class TypeKind {
  kBoolean, kInt, kLong, kFloat, kDouble, kDecimal, kDate, kTime, kTimestamp, kTimestampTz,
  kString, kUuid, kFixed, kBinary, kStruct, kList, kMap,
};

struct Field;

struct Type {
  TypeKind kind = TypeKind::kString;
  int precision = 0, scale = 0;  // kDecimal: 1 to 38 digits
  int length = 0;                // kFixed: bytes
  /// kStruct: its fields. kList: one, named "element". kMap: two, "key" (required) and "value".
  std::vector<Field> fields;

  bool nested() const { return kind >= TypeKind::kStruct; }
  bool operator==(const Type& other) const;
};

/// A column, or a field inside one. `id` is unique in a table for ever.
struct Field {
  int id = 0;
  std::string name;
  Type type;
  bool required = false;
  std::string doc;

  bool operator==(const Field& other) const = default;
};

struct Schema {
  int id = 0;
  std::vector<Field> fields;
  std::vector<int> identifier_field_ids;

  bool operator==(const Schema& other) const = default;
};

using Int128 = __int128;

/// One primitive value; monostate = null. kBoolean: bool. kInt, kLong, kDate (days since 1970),
/// kTime (µs of the day), kTimestamp and kTimestampTz (µs since 1970): int64_t. kFloat, kDouble:
/// double. kDecimal: Int128, unscaled. kString (UTF-8), kUuid (16 bytes), kFixed, kBinary: bytes.
using Value = std::variant<std::monostate, bool, int64_t, double, Int128, std::string>;

inline bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value); }

}  // namespace meesh::lake
