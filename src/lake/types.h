// Iceberg's types and single values. Source: the Iceberg table spec, "Schemas and Data Types" and
// appendices C (JSON) and D (single-value serialization).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace meesh::lake {

enum class TypeKind {
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kDecimal,
  kDate,
  kTime,
  kTimestamp,
  kTimestampTz,
  kString,
  kUuid,
  kFixed,
  kBinary,
  kStruct,
  kList,
  kMap,
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

// --- Types ---------------------------------------------------------------------------------------

Type primitive_type(TypeKind kind);
Type decimal_type(int precision, int scale);
Type fixed_type(int length);
Type struct_type(std::vector<Field> fields);
/// Names the parts "element", "key" and "value" itself; a key is always required.
Type list_type(int element_id, Type element, bool element_required = false);
Type map_type(int key_id, Type key, int value_id, Type value, bool value_required = false);

/// "decimal(9, 2)", "fixed[16]", "timestamptz", "list<int>", "struct<1: a: required int>".
std::string type_name(const Type& type);

/// A primitive type from its name ("decimal(9,2)", with or without blanks). Types of format
/// version 3 and unknown ones: Error(kIcebergInvalidMetadata).
Type parse_type_name(std::string_view name);

/// Schemas and types as JSON ("schemas" of the table metadata). Mistakes are
/// Error(kIcebergInvalidMetadata) that name the place: "fields[2].type: unknown type 'strnig'".
std::string schema_json(const Schema& schema);
Schema parse_schema(std::string_view json);
std::string type_json(const Type& type);
Type parse_type_json(std::string_view json);

/// A column of type `from` may become `to` without rewriting files: the same type, int to long,
/// float to double, decimals of more digits and the same scale. Nested types never.
bool can_promote(const Type& from, const Type& to);

// --- Fields --------------------------------------------------------------------------------------

/// Nested fields included; null if there is none.
const Field* find_field(const Schema& schema, int id);

/// By name, nested ones dotted: "address.city", "points.element.x", "tags.value". "element" and
/// "value" may be left out before a struct's field ("points.x"). Null if there is none; with
/// `case_sensitive` false the first of several.
const Field* find_field(const Schema& schema, std::string_view name, bool case_sensitive = true);

/// The full dotted name of every field, nested ones too, by id.
std::map<int, std::string> field_names(const Schema& schema);

/// The full dotted name of one; "" if there is none.
std::string field_name(const Schema& schema, int id);

/// The parent of a nested field; null for columns and unknown ids.
const Field* find_parent(const Schema& schema, int id);

/// 0 without fields.
int highest_field_id(const Schema& schema);

/// Equal but for the schema's id.
bool same_schema(const Schema& a, const Schema& b);

// --- Single values -------------------------------------------------------------------------------

/// The binary form of appendix D, as in lower_bounds. Value is neither null nor of another type.
std::string to_bytes(const Type& type, const Value& value);

/// Back. Bytes written before a promotion are understood (4 bytes in a long or double column).
/// Wrong lengths are Error(kIcebergBadData).
Value from_bytes(const Type& type, std::string_view bytes);

/// The JSON form of appendix D: 34, "2017-11-16", "f79c3e09-…", "000102ff"; null is null.
std::string value_json(const Type& type, const Value& value);
Value parse_value_json(const Type& type, std::string_view json);

/// The same without JSON's quotes ("2017-11-16T22:31:08.000001"); null is "null".
std::string value_text(const Type& type, const Value& value);

/// "12.34" of 1234 with scale 2; never an exponent.
std::string decimal_text(Int128 unscaled, int scale);

}  // namespace meesh::lake
