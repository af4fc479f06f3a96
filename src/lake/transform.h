// Partition and sort transforms. Source: the Iceberg table spec, "Partition Transforms" and
// appendix B (32-bit hash requirements).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lake/types.h"

namespace meesh::lake {

enum class TransformKind {
  kIdentity,
  kBucket,
  kTruncate,
  kYear,
  kMonth,
  kDay,
  kHour,
  kVoid,
  kUnknown,
};

struct Transform {
  TransformKind kind = TransformKind::kIdentity;
  int argument = 0;  // kBucket: how many; kTruncate: the width
  std::string name;  // kUnknown: as written; such tables can be read but not written

  bool operator==(const Transform& other) const = default;
};

/// "identity", "bucket[16]", "truncate[4]", "year", …; others become kUnknown. bucket and truncate
/// without a positive number: Error(kIcebergInvalidMetadata).
Transform parse_transform(std::string_view text);
std::string transform_name(const Transform& transform);

/// Whether it takes values of this type (kUnknown takes all).
bool can_transform(const Transform& transform, const Type& source);

/// int for bucket, year, month and hour, date for day, else the source's; string for kUnknown.
Type result_type(const Transform& transform, const Type& source);

/// Null stays null. Days come as dates (days since 1970), months, years and hours since 1970,
/// rounded down. A pair that can_transform refuses: Error(kInvalidArguments).
Value apply_transform(const Transform& transform, const Type& source, const Value& value);

/// murmur3_x86_32, seed 0, of the value as appendix B prescribes. int, long, date, time, timestamps
/// by 8 bytes; decimals by their shortest big-endian bytes; text and bytes as they are.
int32_t bucket_hash(const Type& source, const Value& value);

/// A transformed value for people and paths: "2025", "2025-01", "2025-01-15", "2025-01-15-08",
/// identity as value_text (binary as base64, as Java does), "null".
std::string transformed_text(const Transform& transform, const Type& source, const Value& value);

}  // namespace meesh::lake
