#include "streams/ksqldb/ksqldb_cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "lake/types_calendar.h"
#include "streams/ksqldb/exact_json.h"

namespace meesh::streams {
namespace {

namespace json = boost::json;
using sql::Type;
using sql::TypeKind;

constexpr size_t kShown = 100;  // bytes of a value in an error
constexpr int kDecimalDigits = 38;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// All of `text` as a number of `digits` decimal digits.
std::optional<int64_t> digits_of(std::string_view text, size_t digits) {
  int64_t value = 0;
  if (text.size() != digits) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// As text where it is a number that keeps its digits, or text already.
std::optional<std::string> number_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (!value.is_number()) return std::nullopt;
  std::string text;
  write_json(value, text);
  return text;
}

std::optional<int64_t> integer_of(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  // 5.0 is how some formats write 5.
  if (value.is_double() && value.get_double() == std::trunc(value.get_double()) &&
      std::abs(value.get_double()) < 9.0e15) {
    return static_cast<int64_t>(value.get_double());
  }
  return std::nullopt;
}

std::optional<double> double_of(const json::value& value) {
  const auto text = number_text(value);
  if (!text) return std::nullopt;
  double number = 0;
  // Takes "NaN" and "Infinity" too, which ksqlDB writes as text.
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

/// Days, milliseconds of the day or milliseconds since 1970 if it is a number, else text.
std::optional<int64_t> moment_of(const json::value& value, TypeKind kind) {
  if (value.is_int64()) {
    const int64_t number = value.get_int64();
    if (kind == TypeKind::kDate) return number;
    if (number > INT64_MAX / 1000 || number < INT64_MIN / 1000) return std::nullopt;
    return number * 1000;
  }
  if (!value.is_string()) return std::nullopt;
  const std::string_view text = value.get_string();
  switch (kind) {
    case TypeKind::kDate:
      return date_of_ksqldb(text);
    case TypeKind::kTime:
      return time_of_ksqldb(text);
    default:
      return timestamp_of_ksqldb(text);
  }
}

bool set_text(engine::RowBuffer& rows, size_t column, const Type& type, const json::value& value) {
  if (!value.is_string()) return false;
  if (type.kind == TypeKind::kVarchar) return rows.text(column, value.get_string()), true;
  const auto bytes = base::from_base64(value.get_string());
  if (bytes) rows.text(column, *bytes);
  return bytes.has_value();
}

bool write_parts(const json::value& value, const Type& type, std::string& out);

bool write_members(const json::object& object, const Type& type, std::string& out) {
  out += '{';
  for (const auto& member : object) {
    if (out.back() != '{') out += ',';
    std::string name(member.key());
    const Type* part = type.kind == TypeKind::kMap ? &type.children[1] : nullptr;
    if (part == nullptr) {
      name = lower(name);
      const auto field = std::ranges::find(type.field_names, name);
      if (field == type.field_names.end()) return false;
      part = &type.children[static_cast<size_t>(field - type.field_names.begin())];
    }
    out += json::serialize(name) + ":";
    if (!write_parts(member.value(), *part, out)) return false;
  }
  out += '}';
  return true;
}

/// As JSON that CAST(json_parse(…) AS …) takes: fields of rows in lower case, as they are in the
/// type, and decimals as numbers whatever their digits. False if it is not of the type's shape.
bool write_parts(const json::value& value, const Type& type, std::string& out) {
  if (!value.is_null()) {
    switch (type.kind) {
      case TypeKind::kMap:
      case TypeKind::kRow:
        return value.is_object() && write_members(value.get_object(), type, out);
      case TypeKind::kArray: {
        if (!value.is_array()) return false;
        out += '[';
        for (const json::value& element : value.get_array()) {
          if (out.back() != '[') out += ',';
          if (!write_parts(element, type.children[0], out)) return false;
        }
        out += ']';
        return true;
      }
      case TypeKind::kDecimal:
        if (!value.is_string()) break;
        if (!decimal_of_ksqldb(value.get_string(), type.scale)) return false;
        out += std::string_view(value.get_string());
        return true;
      default:
        break;
    }
  }
  write_json(value, out);
  return true;
}

bool set_json(engine::RowBuffer& rows, size_t column, const Type& type, const json::value& value) {
  std::string text;
  if (!write_parts(value, type, text)) return false;
  return rows.text(column, text), true;
}

bool set_number(engine::RowBuffer& rows, size_t column, const Type& type,
                const json::value& value) {
  if (type.kind == TypeKind::kDouble) {
    const auto number = double_of(value);
    if (number) rows.number(column, *number);
    return number.has_value();
  }
  if (type.kind == TypeKind::kDecimal) {
    const auto text = number_text(value);
    const auto unscaled = text ? decimal_of_ksqldb(*text, type.scale) : std::nullopt;
    return unscaled && rows.decimal(column, {static_cast<uint64_t>(*unscaled),
                                             static_cast<int64_t>(*unscaled >> 64)});
  }
  const auto number = integer_of(value);
  return number && rows.integer(column, *number);
}

bool set_value(engine::RowBuffer& rows, size_t column, const Type& type, const json::value& value) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      if (!value.is_bool()) return false;
      return rows.boolean(column, value.get_bool()), true;
    case TypeKind::kVarchar:
    case TypeKind::kVarbinary:
      return set_text(rows, column, type, value);
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp: {
      const auto moment = moment_of(value, type.kind);
      return moment && rows.integer(column, *moment);
    }
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow:
      return set_json(rows, column, type, value);
    default:
      return set_number(rows, column, type, value);
  }
}

}  // namespace

Type stored_ksqldb_type(const Type& type) {
  const bool has_parts =
      type.kind == TypeKind::kArray || type.kind == TypeKind::kMap || type.kind == TypeKind::kRow;
  return has_parts ? Type::varchar() : type;
}

bool set_ksqldb_cell(engine::RowBuffer& rows, size_t column, const Type& type,
                     const json::value& value, std::string& wrong) {
  if (value.is_null() || set_value(rows, column, type, value)) return true;
  std::string text;
  write_json(value, text);
  if (text.size() > kShown) text = text.substr(0, kShown) + "…";
  wrong = fmt::format("{} is no {}", text, type.display());
  return false;
}

std::optional<int64_t> date_of_ksqldb(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits_of(text.substr(0, 4), 4), month = digits_of(text.substr(5, 2), 2),
             day = digits_of(text.substr(8, 2), 2);
  if (!year || !month || !day) return std::nullopt;
  const lake::CivilDate date{*year, static_cast<int>(*month), static_cast<int>(*day)};
  const int64_t days = lake::days_of(date);
  const lake::CivilDate back = lake::civil_date(days);  // another one for 2023-02-30
  if (back.year != date.year || back.month != date.month || back.day != date.day) {
    return std::nullopt;
  }
  return days;
}

std::optional<int64_t> time_of_ksqldb(std::string_view text) {
  // Java leaves out seconds that are zero: "10:30".
  if (text.size() < 5 || text[2] != ':') return std::nullopt;
  const auto hour = digits_of(text.substr(0, 2), 2), minute = digits_of(text.substr(3, 2), 2);
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  int64_t micros = (*hour * 60 + *minute) * 60 * lake::kMicrosPerSecond;
  if (text.size() == 5) return micros;
  if (text.size() < 8 || text[5] != ':') return std::nullopt;
  const auto second = digits_of(text.substr(6, 2), 2);
  if (!second || *second > 59) return std::nullopt;
  micros += *second * lake::kMicrosPerSecond;
  if (text.size() == 8) return micros;
  std::string fraction(text.substr(9));
  if (text[8] != '.' || fraction.empty() || fraction.size() > 9) return std::nullopt;
  fraction.resize(9, '0');
  const auto nanos = digits_of(fraction, 9);
  if (!nanos) return std::nullopt;
  return micros + *nanos / 1000;
}

std::optional<int64_t> timestamp_of_ksqldb(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  if (text.size() < 11 || (text[10] != 'T' && text[10] != ' ')) return std::nullopt;
  const auto days = date_of_ksqldb(text.substr(0, 10));
  const auto micros = time_of_ksqldb(text.substr(11));
  if (!days || !micros) return std::nullopt;
  return *days * lake::kMicrosPerDay + *micros;
}

std::optional<__int128> decimal_of_ksqldb(std::string_view text, int scale) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int64_t exponent = 0;
  if (const size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view power = text.substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    const auto [end, error] = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (error != std::errc() || end != power.data() + power.size()) return std::nullopt;
    if (std::abs(exponent) > 1000) return std::nullopt;
    text = text.substr(0, e);
  }
  const size_t point = text.find('.');
  std::string digits(text.substr(0, point));
  int64_t zeros = scale + exponent;  // that follow the digits in the unscaled value
  if (point != std::string_view::npos) {
    digits += text.substr(point + 1);
    zeros -= static_cast<int64_t>(text.size() - point - 1);
  }
  if (digits.empty()) return std::nullopt;
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  digits.erase(0, digits.find_first_not_of('0'));
  if (digits.empty()) return 0;
  for (; zeros < 0 && digits.ends_with('0'); ++zeros) digits.pop_back();
  if (zeros < 0 || static_cast<int64_t>(digits.size()) + zeros > kDecimalDigits) {
    return std::nullopt;
  }
  digits.append(static_cast<size_t>(zeros), '0');
  __int128 value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return negative ? -value : value;
}

}  // namespace meesh::streams
