// Trino's types as the rest of the program sees them: result columns, catalog columns, casts.
//
// A Type is a value; nested types own their children. Display text is Trino's ("varchar(10)",
// "timestamp(3) with time zone", "row(x integer)", "array(varchar)"): it is what
// information_schema, DESCRIBE and the protocol's `type` field show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::sql {

enum class TypeKind {
  kUnknown,  // the type of NULL
  kBoolean,
  kTinyint,
  kSmallint,
  kInteger,
  kBigint,
  kReal,
  kDouble,
  kDecimal,  // precision 1..38, scale 0..precision
  kVarchar,  // precision = length in code points, kUnbounded for varchar
  kChar,     // precision = length
  kVarbinary,
  kDate,
  kTime,         // precision 0..12
  kTimeTz,       // precision 0..12
  kTimestamp,    // precision 0..12
  kTimestampTz,  // precision 0..12
  kIntervalYearToMonth,
  kIntervalDayToSecond,
  kUuid,
  kIpaddress,
  kJson,
  kArray,  // children[0] = element
  kMap,    // children[0] = key, children[1] = value
  kRow,    // children = fields, field_names parallel ("" = anonymous)
  // Summaries of many values; in memory the bytes that a cast to varbinary gives.
  kHyperLogLog,
  kP4HyperLogLog,
  kSetDigest,
  kTdigest,
  kQdigest,  // children[0] = bigint, double or real
  kColor,    // text: a name or #rrggbb
  kJsonPath,
};

struct Type {
  static constexpr int32_t kUnbounded = 2147483647;

  TypeKind kind = TypeKind::kUnknown;
  int32_t precision = 0;  // length, decimal precision or fractional digits of seconds
  int32_t scale = 0;      // decimal only
  std::vector<Type> children;
  std::vector<std::string> field_names;

  bool operator==(const Type&) const = default;

  static Type of(TypeKind kind, int32_t precision = 0, int32_t scale = 0);
  static Type varchar(int32_t length = kUnbounded) { return of(TypeKind::kVarchar, length); }
  static Type decimal(int32_t precision, int32_t scale) {
    return of(TypeKind::kDecimal, precision, scale);
  }
  static Type array(Type element);
  static Type map(Type key, Type value);
  static Type row(std::vector<std::string> names, std::vector<Type> types);

  /// "decimal(10,2)", "timestamp(3) with time zone", "array(row(x integer, y varchar))".
  std::string display() const;
  /// Base name without parameters, the protocol's rawType: "varchar", "timestamp with time zone".
  std::string base_name() const;
  /// Inverse of display(); also accepts Trino's aliases (int, string is not one). Throws
  /// TYPE_NOT_FOUND.
  static Type parse(std::string_view text);
};

}  // namespace meesh::sql
