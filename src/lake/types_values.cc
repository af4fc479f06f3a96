// Single values as bytes and as text: appendix D of the table spec.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "lake/metadata_json.h"
#include "lake/types.h"
#include "lake/types_calendar.h"

namespace meesh::lake {
namespace {

namespace json = boost::json;

static_assert(std::endian::native == std::endian::little, "values are copied as they lie");

template <typename T>
std::string raw(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

template <typename T>
T from_raw(std::string_view bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

template <typename T>
const T& get(const Type& type, const Value& value) {
  const T* held = std::get_if<T>(&value);
  if (held == nullptr) internal_error("a value that is no " + type_name(type));
  return *held;
}

std::string decimal_bytes(Int128 unscaled) {
  std::string bytes;
  while (true) {
    const auto low = static_cast<uint8_t>(unscaled & 0xff);
    bytes.push_back(static_cast<char>(low));
    unscaled >>= 8;
    if ((unscaled == 0 && low < 0x80) || (unscaled == -1 && low >= 0x80)) break;
  }
  std::ranges::reverse(bytes);
  return bytes;
}

Int128 decimal_of(std::string_view bytes) {
  unsigned __int128 bits =
      static_cast<signed char>(bytes[0]) < 0 ? ~static_cast<unsigned __int128>(0) : 0;
  for (const char byte : bytes) bits = (bits << 8) | static_cast<uint8_t>(byte);
  return static_cast<Int128>(bits);
}

[[noreturn]] void wrong_length(const Type& type, std::string_view bytes) {
  throw Error(Code::kIcebergBadData,
              fmt::format("{} bytes are no value of type {}", bytes.size(), type_name(type)));
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  return text;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    uint8_t byte = 0;
    const char* end = text.data() + i + 2;
    if (std::from_chars(text.data() + i, end, byte, 16).ptr != end) return std::nullopt;
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

std::string uuid_text(std::string_view bytes) {
  if (bytes.size() != 16) internal_error("a uuid that has not 16 bytes");
  const std::string digits = hex(bytes);
  return fmt::format("{}-{}-{}-{}-{}", digits.substr(0, 8), digits.substr(8, 4),
                     digits.substr(12, 4), digits.substr(16, 4), digits.substr(20));
}

std::optional<std::string> uuid_of(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return std::nullopt;
    if (!dash) digits.push_back(text[i]);
  }
  return from_hex(digits);
}

std::string year_text(int64_t year) {
  if (year > 9999) return fmt::format("+{}", year);
  return year < 0 ? fmt::format("-{:04}", -year) : fmt::format("{:04}", year);
}

std::string date_text(int64_t days) {
  const CivilDate date = civil_date(days);
  return fmt::format("{}-{:02}-{:02}", year_text(date.year), date.month, date.day);
}

std::string time_text(int64_t micros) {
  const int64_t seconds = floor_div(micros, kMicrosPerSecond);
  return fmt::format("{:02}:{:02}:{:02}.{:06}", seconds / 3600, seconds / 60 % 60, seconds % 60,
                     micros - seconds * kMicrosPerSecond);
}

std::string timestamp_text(int64_t micros) {
  const int64_t days = floor_div(micros, kMicrosPerDay);
  return date_text(days) + "T" + time_text(micros - days * kMicrosPerDay);
}

std::string number_text(double value, bool narrow) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return narrow ? fmt::format("{}", static_cast<float>(value)) : fmt::format("{}", value);
}

/// Takes `count` digits off the front.
std::optional<int64_t> take_digits(std::string_view* text, size_t count) {
  if (text->size() < count) return std::nullopt;
  int64_t number = 0;
  for (const char c : text->substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text->remove_prefix(count);
  return number;
}

bool take(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

std::optional<int64_t> take_date(std::string_view* text) {
  const bool negative = take(text, '-');
  if (!negative) take(text, '+');
  size_t digits = 0;
  while (digits < text->size() && (*text)[digits] >= '0' && (*text)[digits] <= '9') ++digits;
  if (digits < 4 || digits > 7) return std::nullopt;
  const auto year = take_digits(text, digits);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || *month < 1 || *month > 12 || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const CivilDate date{negative ? -*year : *year, static_cast<int>(*month), static_cast<int>(*day)};
  const int64_t days = days_of(date);
  const CivilDate back = civil_date(days);  // another day for the 30th of February
  if (back.month != date.month || back.day != date.day || days != static_cast<int32_t>(days)) {
    return std::nullopt;
  }
  return days;
}

std::optional<int64_t> take_time(std::string_view* text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int64_t micros = (*hour * 60 + *minute) * 60 * kMicrosPerSecond;
  if (!take(text, ':')) return micros;
  const auto second = take_digits(text, 2);
  if (!second || *second > 59) return std::nullopt;
  micros += *second * kMicrosPerSecond;
  if (!take(text, '.')) return micros;
  int64_t unit = kMicrosPerSecond;
  size_t digits = 0;
  while (const auto digit = take_digits(text, 1)) {
    unit /= 10;
    if (++digits > 6) return std::nullopt;
    micros += *digit * unit;
  }
  return digits == 0 ? std::nullopt : std::optional(micros);
}

/// The zone of a timestamptz: "Z" or "+00:00"; the spec allows no other.
bool take_zone(std::string_view* text) {
  if (*text != "Z" && *text != "+00:00" && *text != "-00:00") return false;
  *text = {};
  return true;
}

std::optional<Value> parse_date_or_time(const Type& type, std::string_view text) {
  std::optional<int64_t> result;
  if (type.kind == TypeKind::kDate) {
    result = take_date(&text);
  } else if (type.kind == TypeKind::kTime) {
    result = take_time(&text);
  } else if (const auto days = take_date(&text); days && take(&text, 'T')) {
    // Years beyond ±292,000 do not fit in microseconds.
    constexpr int64_t kMostDays = std::numeric_limits<int64_t>::max() / kMicrosPerDay - 1;
    if (*days > kMostDays || *days < -kMostDays) return std::nullopt;
    result = take_time(&text);
    if (result) *result += *days * kMicrosPerDay;
    if (type.kind == TypeKind::kTimestampTz && !take_zone(&text)) return std::nullopt;
  }
  if (!result || !text.empty()) return std::nullopt;
  return Value(*result);
}

std::optional<Value> parse_decimal(const Type& type, std::string_view text) {
  const bool negative = take(&text, '-');
  Int128 unscaled = 0;
  int digits = 0;
  int after_point = -1;
  for (const char c : text) {
    if (c == '.' && after_point < 0) {
      after_point = 0;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    unscaled = unscaled * 10 + (c - '0');
    if (unscaled != 0) ++digits;
    if (after_point >= 0) ++after_point;
    if (digits > type.precision) return std::nullopt;
  }
  if (text.empty() || text == "." || std::max(after_point, 0) != type.scale) return std::nullopt;
  return Value(negative ? -unscaled : unscaled);
}

std::optional<Value> parse_number(const Type& type, const json::value& value) {
  if (type.kind == TypeKind::kInt || type.kind == TypeKind::kLong) {
    if (!value.is_int64()) return std::nullopt;
    const int64_t number = value.get_int64();
    if (type.kind == TypeKind::kInt && number != static_cast<int32_t>(number)) return std::nullopt;
    return Value(number);
  }
  if (value.is_int64()) return Value(static_cast<double>(value.get_int64()));
  if (value.is_uint64()) return Value(static_cast<double>(value.get_uint64()));
  if (value.is_double()) return Value(value.get_double());
  if (!value.is_string()) return std::nullopt;
  if (value.get_string() == "NaN") return Value(std::numeric_limits<double>::quiet_NaN());
  if (value.get_string() == "Infinity") return Value(std::numeric_limits<double>::infinity());
  if (value.get_string() == "-Infinity") return Value(-std::numeric_limits<double>::infinity());
  return std::nullopt;
}

std::optional<Value> parse_text(const Type& type, const std::string& text) {
  switch (type.kind) {
    case TypeKind::kString:
      return Value(text);
    case TypeKind::kDecimal:
      return parse_decimal(type, text);
    case TypeKind::kUuid:
      if (auto bytes = uuid_of(text)) return Value(std::move(*bytes));
      return std::nullopt;
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      if (auto bytes = from_hex(text);
          bytes &&
          (type.kind == TypeKind::kBinary || bytes->size() == static_cast<size_t>(type.length))) {
        return Value(std::move(*bytes));
      }
      return std::nullopt;
    default:
      return parse_date_or_time(type, text);
  }
}

std::optional<Value> read_value(const Type& type, const json::value& value) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return value.is_bool() ? std::optional(Value(value.get_bool())) : std::nullopt;
    case TypeKind::kInt:
    case TypeKind::kLong:
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return parse_number(type, value);
    default:
      break;
  }
  if (!value.is_string() || type.nested()) return std::nullopt;
  return parse_text(type, std::string(value.get_string().data(), value.get_string().size()));
}

}  // namespace

std::string to_bytes(const Type& type, const Value& value) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return {get<bool>(type, value) ? '\1' : '\0'};
    case TypeKind::kInt:
    case TypeKind::kDate:
      return raw(static_cast<int32_t>(get<int64_t>(type, value)));
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return raw(get<int64_t>(type, value));
    case TypeKind::kFloat:
      return raw(static_cast<float>(get<double>(type, value)));
    case TypeKind::kDouble:
      return raw(get<double>(type, value));
    case TypeKind::kDecimal:
      return decimal_bytes(get<Int128>(type, value));
    case TypeKind::kString:
    case TypeKind::kUuid:
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return get<std::string>(type, value);
    default:
      internal_error("nested types have no single-value bytes");
  }
}

Value from_bytes(const Type& type, std::string_view bytes) {
  const size_t size = bytes.size();
  const auto expect = [&](bool good) {
    if (!good) wrong_length(type, bytes);
  };
  switch (type.kind) {
    case TypeKind::kBoolean:
      expect(size == 1);
      return bytes[0] != '\0';
    case TypeKind::kInt:
    case TypeKind::kDate:
      expect(size == 4);
      return int64_t{from_raw<int32_t>(bytes)};
    case TypeKind::kLong:
      expect(size == 4 || size == 8);
      return size == 4 ? int64_t{from_raw<int32_t>(bytes)} : from_raw<int64_t>(bytes);
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      expect(size == 8);
      return from_raw<int64_t>(bytes);
    case TypeKind::kFloat:
      expect(size == 4);
      return double{from_raw<float>(bytes)};
    case TypeKind::kDouble:
      expect(size == 4 || size == 8);
      return size == 4 ? double{from_raw<float>(bytes)} : from_raw<double>(bytes);
    case TypeKind::kDecimal:
      expect(size >= 1 && size <= 16);
      return decimal_of(bytes);
    case TypeKind::kUuid:
      expect(size == 16);
      return std::string(bytes);
    // Bounds of fixed columns may be cut short.
    case TypeKind::kFixed:
      expect(size <= static_cast<size_t>(type.length));
      return std::string(bytes);
    case TypeKind::kString:
    case TypeKind::kBinary:
      return std::string(bytes);
    default:
      throw Error(Code::kIcebergBadData,
                  fmt::format("type {} has no single-value bytes", type_name(type)));
  }
}

std::string decimal_text(Int128 unscaled, int scale) {
  const bool negative = unscaled < 0;
  auto rest = static_cast<unsigned __int128>(unscaled);
  if (negative) rest = ~rest + 1;
  std::string digits;
  for (int i = 0; rest != 0 || i <= scale; ++i) {
    if (scale > 0 && i == scale) digits.push_back('.');
    digits.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  }
  if (negative) digits.push_back('-');
  std::ranges::reverse(digits);
  return digits;
}

std::string value_text(const Type& type, const Value& value) {
  if (is_null(value)) return "null";
  switch (type.kind) {
    case TypeKind::kBoolean:
      return get<bool>(type, value) ? "true" : "false";
    case TypeKind::kInt:
    case TypeKind::kLong:
      return fmt::format("{}", get<int64_t>(type, value));
    case TypeKind::kFloat:
      return number_text(get<double>(type, value), true);
    case TypeKind::kDouble:
      return number_text(get<double>(type, value), false);
    case TypeKind::kDecimal:
      return decimal_text(get<Int128>(type, value), type.scale);
    case TypeKind::kDate:
      return date_text(get<int64_t>(type, value));
    case TypeKind::kTime:
      return time_text(get<int64_t>(type, value));
    case TypeKind::kTimestamp:
      return timestamp_text(get<int64_t>(type, value));
    case TypeKind::kTimestampTz:
      return timestamp_text(get<int64_t>(type, value)) + "+00:00";
    case TypeKind::kString:
      return get<std::string>(type, value);
    case TypeKind::kUuid:
      return uuid_text(get<std::string>(type, value));
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return hex(get<std::string>(type, value));
    default:
      internal_error("nested types have no single values");
  }
}

std::string value_json(const Type& type, const Value& value) {
  if (is_null(value)) return "null";
  const std::string text = value_text(type, value);
  switch (type.kind) {
    case TypeKind::kBoolean:
    case TypeKind::kInt:
    case TypeKind::kLong:
      return text;
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      if (std::isfinite(get<double>(type, value))) return text;
      break;
    default:
      break;
  }
  return json::serialize(json::value(text));
}

Value parse_value_json(const Type& type, std::string_view text) {
  Value result;
  read_json(text, Code::kIcebergInvalidMetadata, [&](const JsonNode& root) {
    if (root.value().is_null()) return;
    std::optional<Value> value = read_value(type, root.value());
    if (!value) {
      root.fail(fmt::format("{} is no value of type {}", text.substr(0, 80), type_name(type)));
    }
    result = std::move(*value);
  });
  return result;
}

}  // namespace meesh::lake
