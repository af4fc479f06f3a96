#include "ingest/decode/cell.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "engine/functions/text.h"
#include "ingest/decode/json_values.h"
#include "ingest/decode/numbers.h"
#include "ingest/decode/text_forms.h"
#include "lake/types.h"
#include "lake/types_calendar.h"

namespace meesh::ingest {
namespace {

using engine::RowBuffer;
using lake::kMicrosPerDay;
using sql::TypeKind;

constexpr size_t kMostShown = 60;

bool same_letters(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  });
}

std::optional<double> read_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// As JSON and as Java write those that are no numbers.
std::optional<double> read_special(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

bool fits_float(double value) {
  return !std::isfinite(value) || std::isfinite(static_cast<float>(value));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// 8-4-4-4-12 hexadecimal digits as the engine holds them (batch.h).
std::optional<engine::Int128> read_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::array<uint64_t, 2> halves{};
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int digit = hex_digit(text[i]);
    if (digit < 0) return std::nullopt;
    auto& half = halves[digits++ / 16];
    half = half << 4 | static_cast<uint64_t>(digit);
  }
  return engine::Int128{halves[1], static_cast<int64_t>(halves[0] ^ (uint64_t{1} << 63))};
}

engine::Int128 uuid_of_bytes(std::string_view bytes) {
  std::array<uint64_t, 2> halves{};
  for (size_t i = 0; i < 16; ++i)
    halves[i / 8] = halves[i / 8] << 8 | static_cast<uint8_t>(bytes[i]);
  return engine::Int128{halves[1], static_cast<int64_t>(halves[0] ^ (uint64_t{1} << 63))};
}

bool is_supported(TypeKind kind) {
  switch (kind) {
    case TypeKind::kUnknown:
    case TypeKind::kChar:
    case TypeKind::kTimeTz:
    case TypeKind::kIntervalYearToMonth:
    case TypeKind::kIntervalDayToSecond:
    case TypeKind::kIpaddress:
      return false;
    default:
      return true;
  }
}

}  // namespace

Cell::Cell(const DecodedColumn& config)
    : config_(config),
      kind_(config.type.kind),
      has_parts_(kind_ == TypeKind::kArray || kind_ == TypeKind::kMap || kind_ == TypeKind::kRow) {
  if (!is_supported(kind_)) {
    throw Error(Code::kConfigInvalid,
                fmt::format("column '{}': messages have no {}", config.name, config.type.display()))
        .with_hint("take varchar and CAST it in the stream's SQL");
  }
}

bool Cell::put_varchar(std::string_view text, RowBuffer& rows, size_t at) const {
  const auto most = static_cast<size_t>(config_.type.precision);
  if (config_.type.precision != sql::Type::kUnbounded && text.size() > most &&
      base::code_points(text) > most)
    return false;
  rows.text(at, text);
  return true;
}

bool Cell::put_scaled(__int128 unscaled, RowBuffer& rows, size_t at) const {
  return rows.decimal(at, {static_cast<uint64_t>(unscaled), static_cast<int64_t>(unscaled >> 64)});
}

bool Cell::put_micros(int64_t micros, RowBuffer& rows, size_t at) const {
  switch (kind_) {
    case TypeKind::kDate:
      return sensible_moment(micros) && rows.integer(at, lake::floor_div(micros, kMicrosPerDay));
    case TypeKind::kTime:
      return micros >= 0 && micros < kMicrosPerDay && rows.integer(at, micros);
    default:
      return sensible_moment(micros) && rows.integer(at, micros);
  }
}

bool Cell::put_text(std::string_view text, RowBuffer& rows, size_t at) const {
  std::optional<int64_t> time;
  switch (kind_) {
    case TypeKind::kVarchar:
      return put_varchar(text, rows, at);
    case TypeKind::kBoolean:
      if (!same_letters(text, "true") && !same_letters(text, "false")) return false;
      rows.boolean(at, text.size() == 4);
      return true;
    case TypeKind::kReal:
    case TypeKind::kDouble:
      if (const auto special = read_special(text)) return put_double(*special, rows, at);
      return is_number(text) && put_number(text, rows, at);
    case TypeKind::kVarbinary: {
      const auto bytes = base::from_base64(text);
      if (bytes) rows.text(at, *bytes);
      return bytes.has_value();
    }
    case TypeKind::kUuid: {
      const auto uuid = read_uuid(text);
      return uuid && rows.decimal(at, *uuid);
    }
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      if (config_.time != TimeFormat::kText && is_number(text)) return put_number(text, rows, at);
      if (kind_ == TypeKind::kDate) {
        time = read_day(text);
      } else if (kind_ == TypeKind::kTime) {
        time = read_time_of_day(text, config_.type.precision);
      } else {
        time = read_instant(text, config_.type.precision);
      }
      return time && rows.integer(at, *time);
    case TypeKind::kJson:
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow: {
      const auto json = compact_json(text);
      return json && put_json(*json, rows, at);
    }
    default:
      return is_number(text) && put_number(text, rows, at);
  }
}

bool Cell::put_number(std::string_view number, RowBuffer& rows, size_t at) const {
  switch (kind_) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint: {
      const auto value = whole(number);
      return value && rows.integer(at, *value);
    }
    case TypeKind::kReal:
    case TypeKind::kDouble: {
      const auto value = read_number(number);
      return value && put_double(*value, rows, at);
    }
    case TypeKind::kDecimal: {
      const auto value = scaled(number, config_.type.scale);
      return value && put_scaled(*value, rows, at);
    }
    case TypeKind::kVarchar:
      return put_varchar(number, rows, at);
    case TypeKind::kJson:
      return put_json(number, rows, at);
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz: {
      const auto micros = micros_of(number, config_.time);
      return micros && put_micros(*micros, rows, at);
    }
    default:
      return false;
  }
}

bool Cell::put_integer(int64_t value, RowBuffer& rows, size_t at) const {
  switch (kind_) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return rows.integer(at, value);
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz: {
      const auto micros = micros_of(value, config_.time);
      return micros && put_micros(*micros, rows, at);
    }
    default: {
      const fmt::format_int text(value);
      return put_number({text.data(), text.size()}, rows, at);
    }
  }
}

bool Cell::put_double(double value, RowBuffer& rows, size_t at) const {
  if (kind_ == TypeKind::kDouble || (kind_ == TypeKind::kReal && fits_float(value))) {
    rows.number(at, value);
    return true;
  }
  if (kind_ == TypeKind::kReal) return false;
  if (std::isfinite(value)) return put_number(fmt::format("{}", value), rows, at);
  const std::string_view text = std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  if (kind_ == TypeKind::kVarchar) return put_varchar(text, rows, at);
  return kind_ == TypeKind::kJson && put_json(fmt::format("\"{}\"", text), rows, at);
}

bool Cell::put_float(float value, RowBuffer& rows, size_t at) const {
  if (kind_ == TypeKind::kReal || kind_ == TypeKind::kDouble || !std::isfinite(value))
    return put_double(value, rows, at);
  return put_number(fmt::format("{}", value), rows, at);
}

bool Cell::put_symbol(std::string_view symbol, RowBuffer& rows, size_t at) const {
  if (kind_ == TypeKind::kVarchar) return put_varchar(symbol, rows, at);
  return kind_ == TypeKind::kJson && put_json(fmt::format("\"{}\"", symbol), rows, at);
}

bool Cell::put_boolean(bool value, RowBuffer& rows, size_t at) const {
  const std::string_view text = value ? "true" : "false";
  if (kind_ == TypeKind::kVarchar) return put_varchar(text, rows, at);
  if (kind_ == TypeKind::kJson) return put_json(text, rows, at);
  if (kind_ != TypeKind::kBoolean) return false;
  rows.boolean(at, value);
  return true;
}

bool Cell::put_bytes(std::string_view bytes, RowBuffer& rows, size_t at) const {
  if (kind_ == TypeKind::kVarbinary) {
    rows.text(at, bytes);
    return true;
  }
  if (kind_ == TypeKind::kUuid && bytes.size() == 16) return rows.decimal(at, uuid_of_bytes(bytes));
  return base::valid_utf8(bytes) && put_text(bytes, rows, at);
}

bool Cell::put_decimal(__int128 unscaled, int scale, RowBuffer& rows, size_t at) const {
  if (kind_ == TypeKind::kDecimal && scale == config_.type.scale)
    return put_scaled(unscaled, rows, at);
  return put_number(lake::decimal_text(unscaled, scale), rows, at);
}

bool Cell::put_date(int64_t days, RowBuffer& rows, size_t at) const {
  if (!sensible_day(days)) return false;
  switch (kind_) {
    case TypeKind::kDate:
      return rows.integer(at, days);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return rows.integer(at, days * kMicrosPerDay);
    case TypeKind::kVarchar:
      return put_varchar(day_text(days), rows, at);
    default:
      return false;
  }
}

bool Cell::put_time(int64_t micros, RowBuffer& rows, size_t at) const {
  if (micros < 0 || micros >= kMicrosPerDay) return false;
  if (kind_ == TypeKind::kTime) return rows.integer(at, micros);
  return kind_ == TypeKind::kVarchar && put_varchar(time_text(micros), rows, at);
}

bool Cell::put_instant(int64_t micros, RowBuffer& rows, size_t at) const {
  if (!sensible_moment(micros)) return false;
  switch (kind_) {
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return rows.integer(at, micros);
    case TypeKind::kDate:  // of midnights alone: the time would be lost
      return micros % kMicrosPerDay == 0 && put_micros(micros, rows, at);
    case TypeKind::kVarchar:
      return put_varchar(instant_text(micros), rows, at);
    default:
      return false;
  }
}

bool Cell::put_json(std::string_view json, RowBuffer& rows, size_t at) const {
  switch (kind_) {
    case TypeKind::kJson:
      // JSON values of the engine are compared as text: members in the order it has them.
      if (json.starts_with('{') || json.starts_with('[')) {
        const auto canonical = engine::canonical_json(json);
        if (canonical) rows.text(at, *canonical);
        return canonical.has_value();
      }
      rows.text(at, json);
      return true;
    case TypeKind::kVarchar:
      return put_varchar(json, rows, at);
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow:
      // A row may be written as an array of its fields, as Trino's CAST takes it.
      if (!json.starts_with('[') && (kind_ == TypeKind::kArray || !json.starts_with('{')))
        return false;
      if (kind_ == TypeKind::kMap && json.starts_with('[')) return false;
      rows.text(at, json);
      return true;
    default:
      return false;
  }
}

std::string Cell::complaint(std::string_view found) const {
  return fmt::format("column '{}': expected {}, found {}", config_.name, config_.type.display(),
                     shortened(found));
}

std::string Cell::missing() const {
  return fmt::format("column '{}' is required and has no value", config_.name);
}

std::string shortened(std::string_view text) {
  std::string out;
  size_t points = 0;
  for (size_t at = 0; at < text.size(); ++points) {
    if (points == kMostShown) return out + "…";
    size_t size = 1;
    const auto first = static_cast<uint8_t>(text[at]);
    if (first >= 0xC0) size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    const std::string_view point = text.substr(at, size);
    if (point.size() < size || !base::valid_utf8(point) || first < 0x20 || first == 0x7F) {
      out += '?';
      ++at;
    } else {
      out += point;
      at += size;
    }
  }
  return out;
}

}  // namespace meesh::ingest
