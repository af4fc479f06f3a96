#include "dashboards/cells.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "base/text.h"

namespace meesh::dashboards {
namespace {

using engine::ColumnView;
using engine::Layout;
using sql::TypeKind;

constexpr int64_t kExact = int64_t{1} << 53;  // doubles hold whole numbers up to here
constexpr int64_t kMicrosOfDay = 86'400'000'000;

__int128 whole_number(const ColumnView& column, size_t row) {
  switch (column.layout) {
    case Layout::kInt8:
      return column.at<int8_t>(row);
    case Layout::kInt16:
      return column.at<int16_t>(row);
    case Layout::kInt32:
      return column.at<int32_t>(row);
    case Layout::kInt64:
      return column.at<int64_t>(row);
    case Layout::kInt128: {
      const auto& value = column.at<engine::Int128>(row);
      return (static_cast<__int128>(value.high) << 64) | static_cast<__int128>(value.low);
    }
    default:
      internal_error("a whole number has no such layout");
  }
}

/// Microseconds since the epoch of a timestamp of any precision, with or without zone.
int64_t micros_of(const engine::ColumnView& column, size_t row) {
  if (column.layout == Layout::kInt128) {
    const auto& value = column.at<engine::Int128>(row);
    const auto wide = static_cast<__int128>(
        static_cast<unsigned __int128>(static_cast<uint64_t>(value.high)) << 64 | value.low);
    const bool zoned = column.type.kind == TypeKind::kTimestampTz;  // its zone's number is below
    return static_cast<int64_t>((zoned ? wide >> 16 : wide) / 1000000);
  }
  const bool nanos = column.type.kind == TypeKind::kTimestamp && column.type.precision > 6;
  return column.at<int64_t>(row) / (nanos ? 1000 : 1);
}

void append_integer(std::string& out, int64_t value) {
  const bool exact = value >= -kExact && value <= kExact;
  if (!exact) out += '"';
  fmt::format_to(std::back_inserter(out), "{}", value);
  if (!exact) out += '"';
}

void append_decimal(std::string& out, __int128 value, int scale) {
  const bool negative = value < 0;
  std::string digits;
  for (__int128 rest = value; rest != 0; rest /= 10) {
    const int digit = static_cast<int>(rest % 10);
    digits += static_cast<char>('0' + (digit < 0 ? -digit : digit));
  }
  while (digits.size() <= static_cast<size_t>(scale)) digits += '0';
  out += negative ? "\"-" : "\"";
  for (size_t i = digits.size(); i-- > 0;) {
    out += digits[i];
    if (i == static_cast<size_t>(scale) && scale > 0) out += '.';
  }
  out += '"';
}

void append_double(std::string& out, double value) {
  if (std::isfinite(value)) {
    fmt::format_to(std::back_inserter(out), "{}", value);
  } else {
    out += "null";
  }
}

void append_date(std::string& out, int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

void append_time(std::string& out, int64_t micros) {
  const int64_t seconds = micros / 1'000'000, rest = micros % 1'000'000;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  if (rest == 0) return;
  std::string digits = fmt::format("{:06}", rest);
  digits.erase(digits.find_last_not_of('0') + 1);
  out += '.' + digits;
}

void append_moment(std::string& out, int64_t micros, bool zone) {
  int64_t day = micros / kMicrosOfDay, rest = micros % kMicrosOfDay;
  if (rest < 0) {
    --day;
    rest += kMicrosOfDay;
  }
  out += '"';
  append_date(out, day);
  out += 'T';
  append_time(out, rest);
  out += zone ? "Z\"" : "\"";
}

void append_uuid(std::string& out, const engine::Int128& value) {
  const uint64_t high = static_cast<uint64_t>(value.high) ^ (uint64_t{1} << 63);
  const std::string hex = fmt::format("{:016x}{:016x}", high, value.low);
  fmt::format_to(std::back_inserter(out), "\"{}-{}-{}-{}-{}\"", hex.substr(0, 8), hex.substr(8, 4),
                 hex.substr(12, 4), hex.substr(16, 4), hex.substr(20));
}

void append_interval(std::string& out, const engine::Interval& value) {
  append_json_text(out, fmt::format("P{}M{}DT{}S", value.months, value.days,
                                    static_cast<double>(value.micros) / 1e6));
}

void append_items(std::string& out, const ColumnView& column, size_t row) {
  const auto& entry = column.at<engine::ListEntry>(row);
  out += '[';
  for (uint64_t i = 0; i < entry.length; ++i) {
    if (i > 0) out += ',';
    append_cell(out, column.children.at(0), entry.offset + i);
  }
  out += ']';
}

void append_map(std::string& out, const ColumnView& column, size_t row) {
  const auto& entry = column.at<engine::ListEntry>(row);
  const ColumnView& pairs = column.children.at(0);
  out += '{';
  for (uint64_t i = 0; i < entry.length; ++i) {
    if (i > 0) out += ',';
    std::string key;
    append_cell(key, pairs.children.at(0), entry.offset + i);
    if (key.starts_with('"')) {
      out += key;
    } else {
      append_json_text(out, key);
    }
    out += ':';
    append_cell(out, pairs.children.at(1), entry.offset + i);
  }
  out += '}';
}

void append_struct(std::string& out, const ColumnView& column, size_t row) {
  out += '[';
  for (size_t i = 0; i < column.children.size(); ++i) {
    if (i > 0) out += ',';
    append_cell(out, column.children[i], row);
  }
  out += ']';
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  size_t plain = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    }
  }
  out.append(text, plain);
  out += '"';
}

void append_cell(std::string& out, const ColumnView& column, size_t row) {
  if (column.is_null(row)) {
    out += "null";
    return;
  }
  switch (column.type.kind) {
    case TypeKind::kBoolean:
      out += column.at<uint8_t>(row) != 0 ? "true" : "false";
      return;
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return append_integer(out, static_cast<int64_t>(whole_number(column, row)));
    case TypeKind::kDecimal:
      return append_decimal(out, whole_number(column, row), column.type.scale);
    case TypeKind::kReal: {
      const float value = column.at<float>(row);
      if (!std::isfinite(value)) return append_double(out, value);
      fmt::format_to(std::back_inserter(out), "{}", value);
      return;
    }
    case TypeKind::kDouble:
      return append_double(out, column.at<double>(row));
    case TypeKind::kDate:
      out += '"';
      append_date(out, column.at<int32_t>(row));
      out += '"';
      return;
    case TypeKind::kTime:
      out += '"';
      append_time(out, column.at<int64_t>(row) / (column.type.precision > 6 ? 1000000 : 1));
      out += '"';
      return;
    case TypeKind::kTimeTz:  // 40 bits of microseconds, then the zone
      out += '"';
      append_time(out, static_cast<int64_t>(column.at<uint64_t>(row) >> 24));
      out += '"';
      return;
    case TypeKind::kTimestamp:
      return append_moment(out, micros_of(column, row), false);
    case TypeKind::kTimestampTz:
      return append_moment(out, micros_of(column, row), true);
    case TypeKind::kUuid:
      return append_uuid(out, column.at<engine::Int128>(row));
    case TypeKind::kIntervalYearToMonth:
    case TypeKind::kIntervalDayToSecond:
      return append_interval(out, column.at<engine::Interval>(row));
    case TypeKind::kVarbinary:
      return append_json_text(out, base::to_base64(column.string(row)));
    case TypeKind::kArray:
      return append_items(out, column, row);
    case TypeKind::kMap:
      return append_map(out, column, row);
    case TypeKind::kRow:
      return append_struct(out, column, row);
    case TypeKind::kUnknown:
      out += "null";
      return;
    default:
      return append_json_text(out, column.string(row));
  }
}

void append_rows(std::string& out, const engine::Batch& batch, size_t rows) {
  for (size_t row = 0; row < std::min(rows, batch.rows); ++row) {
    if (!out.ends_with('[')) out += ',';
    out += '[';
    for (size_t i = 0; i < batch.columns.size(); ++i) {
      if (i > 0) out += ',';
      append_cell(out, batch.columns[i], row);
    }
    out += ']';
  }
}

std::string columns_json(const std::vector<engine::Column>& columns) {
  std::string out = "[";
  for (const auto& column : columns) {
    if (out.size() > 1) out += ',';
    out += "{\"name\":";
    append_json_text(out, column.name);
    out += ",\"type\":";
    append_json_text(out, column.type.display());
    out += '}';
  }
  return out + "]";
}

}  // namespace meesh::dashboards
