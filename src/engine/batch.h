// Rows as the engine hands them out: a few thousand at a time, column by column, no copies. This is
// the narrow view of DuckDB's vectors that protocols encode from; DuckDB's own headers stay inside
// the engine.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/type.h"

namespace meesh::engine {

/// Physical layout of ColumnView::data. Trino type → layout:
/// boolean kBool; tinyint…bigint kInt8…kInt64; real kFloat; double kDouble; decimal kInt16…kInt128
/// (unscaled value); varchar, char, json, ipaddress, varbinary kString; uuid kInt128 (high bit
/// flipped, big-endian order); date kInt32 (days since 1970-01-01); time kInt64 (µs of the day, or
/// ps when precision > 6); timestamp kInt64 (µs, or ns when precision > 6, since the epoch, local)
/// or kInt128 (ps, when precision > 9); timestamp with zone kInt64 (µs since the epoch, UTC) or
/// kInt128 (ps << 16 | number of the value's zone); intervals kInterval; array kList; map kList of
/// kStruct{key, value}; row kStruct.
enum class Layout {
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kInt128,
  kFloat,
  kDouble,
  kString,
  kInterval,
  kList,
  kStruct
};

struct Int128 {
  uint64_t low;
  int64_t high;
};
struct Interval {
  int32_t months, days;
  int64_t micros;
};
struct ListEntry {
  uint64_t offset, length;  // into children[0]
};
/// 16 bytes: length, then up to 12 bytes inline, or 4 bytes of prefix and a pointer.
struct StringCell {
  uint32_t length;
  char inlined[12];
  std::string_view view() const {
    if (length <= 12) return {inlined, length};
    const char* p;
    std::memcpy(&p, inlined + 4, sizeof p);
    return {p, length};
  }
};
static_assert(sizeof(StringCell) == 16);

/// The name of the zone that a kInt128 timestamp with zone has by this number; "" = the session's.
std::string numbered_zone(int32_t number);

struct ColumnView {
  sql::Type type;
  Layout layout{};
  std::string zone;  // timestamp with time zone: zone to show, "" = the session's
  const void* data = nullptr;
  const uint64_t* validity = nullptr;  // bit i set = row i valid; null = all valid
  std::vector<ColumnView> children;

  bool is_null(size_t row) const { return validity && !(validity[row >> 6] >> (row & 63) & 1); }
  template <class T>
  const T& at(size_t row) const {
    return static_cast<const T*>(data)[row];
  }
  std::string_view string(size_t row) const { return at<StringCell>(row).view(); }
};

class Batch {
 public:
  size_t rows = 0;
  std::vector<ColumnView> columns;
  size_t bytes = 0;                   // estimate, for back-pressure
  std::shared_ptr<const void> owner;  // keeps the vectors alive
};
using BatchPtr = std::shared_ptr<const Batch>;

}  // namespace meesh::engine
