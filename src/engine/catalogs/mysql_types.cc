#include "engine/catalogs/mysql_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>

#include "base/error.h"
#include "engine/catalogs/mysql_connection.h"

namespace meesh::engine {

using sql::Type;
using sql::TypeKind;

namespace {

constexpr int kMostDigits = 38;
constexpr int64_t kMicros = 1000000;

/// 'a','b''c' of enum('a','b''c').
std::vector<std::string> labels_of(const std::string& shown) {
  std::vector<std::string> labels;
  for (size_t at = shown.find('\''); at < shown.size(); at = shown.find('\'', at)) {
    std::string& label = labels.emplace_back();
    for (++at; at < shown.size(); ++at) {
      if (shown[at] == '\'') {
        if (at + 1 >= shown.size() || shown[at + 1] != '\'') break;
        ++at;
      }
      label += shown[at];
    }
    ++at;
  }
  return labels;
}

TypeKind integer_kind(const std::string& type, bool is_unsigned) {
  static const std::map<std::string, int> kSizes = {{"tinyint", 0},   {"year", 1}, {"smallint", 1},
                                                    {"mediumint", 2}, {"int", 2},  {"bigint", 3}};
  static constexpr TypeKind kKinds[] = {TypeKind::kTinyint, TypeKind::kSmallint, TypeKind::kInteger,
                                        TypeKind::kBigint, TypeKind::kDecimal};
  // A mediumint has three bytes: its unsigned one fits too.
  const bool wider = is_unsigned && type != "mediumint" && type != "year";
  return kKinds[kSizes.at(type) + (wider ? 1 : 0)];
}

void set(MysqlColumn& column, Type type, MysqlCell cell) {
  column.type = std::move(type);
  column.cell = cell;
}

void set_integer(MysqlColumn& column) {
  const auto kind = integer_kind(column.data_type, column.is_unsigned);
  if (kind == TypeKind::kDecimal)
    set(column, Type::decimal(20, 0), MysqlCell::kDecimal);
  else
    set(column, Type::of(kind), MysqlCell::kInteger);
}

void set_bit(MysqlColumn& column, int64_t width) {
  if (width == 1) return set(column, Type::of(TypeKind::kBoolean), MysqlCell::kBoolean);
  if (width < 64) return set(column, Type::of(TypeKind::kBigint), MysqlCell::kInteger);
  set(column, Type::decimal(20, 0), MysqlCell::kDecimal);
}

void set_decimal(MysqlColumn& column, const MysqlTypeFacts& facts) {
  if (facts.precision < 1 || facts.precision > kMostDigits)
    return set(column, Type::varchar(), MysqlCell::kText);
  set(column,
      Type::decimal(static_cast<int>(facts.precision),
                    static_cast<int>(std::max<int64_t>(facts.scale, 0))),
      MysqlCell::kDecimal);
}

void set_text(MysqlColumn& column, const MysqlTypeFacts& facts) {
  if (facts.json) return set(column, Type::of(TypeKind::kJson), MysqlCell::kText);
  const int64_t length = facts.length;
  const bool bounded = length > 0 && column.data_type != "longtext";
  set(column, bounded ? Type::varchar(static_cast<int>(length)) : Type::varchar(),
      MysqlCell::kText);
}

/// `count` digits; -1 if there is anything else.
int64_t digits(const char* at, int count) {
  int64_t value = 0;
  for (int i = 0; i < count; ++i) {
    const unsigned digit = static_cast<unsigned char>(at[i]) - '0';
    if (digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/// ".123" → 123000; -1 if it is no fraction.
int64_t fraction(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] != '.' || text.size() > 7) return -1;
  int64_t value = digits(text.data() + 1, static_cast<int>(text.size()) - 1);
  for (size_t i = text.size(); i < 7 && value >= 0; ++i) value *= 10;
  return value;
}

}  // namespace

bool set_mysql_type(MysqlColumn& column, const MysqlTypeFacts& facts) {
  const std::string& type = column.data_type;
  const int fraction = static_cast<int>(std::clamp<int64_t>(facts.fraction, 0, 6));
  column.is_unsigned = column.shown.find("unsigned") != std::string::npos;
  static const std::vector<std::string> kIntegers = {"tinyint", "smallint", "mediumint",
                                                     "int",     "bigint",   "year"};
  static const std::vector<std::string> kTexts = {"char",       "varchar",  "tinytext", "text",
                                                  "mediumtext", "longtext", "json"};
  static const std::vector<std::string> kBytes = {"binary", "varbinary",  "tinyblob",
                                                  "blob",   "mediumblob", "longblob"};
  static const std::vector<std::string> kSpatial = {
      "geometry",        "point",        "linestring",         "polygon",       "multipoint",
      "multilinestring", "multipolygon", "geometrycollection", "geomcollection"};
  if (std::ranges::count(kIntegers, type) > 0) {
    set_integer(column);
  } else if (std::ranges::count(kTexts, type) > 0) {
    MysqlTypeFacts known = facts;
    known.json |= type == "json";
    set_text(column, known);
  } else if (std::ranges::count(kBytes, type) > 0) {
    set(column, Type::of(TypeKind::kVarbinary), MysqlCell::kBytes);
  } else if (std::ranges::count(kSpatial, type) > 0) {
    set(column, Type::of(TypeKind::kVarbinary), MysqlCell::kGeometry);
  } else if (type == "bit") {
    set_bit(column, facts.precision);
  } else if (type == "decimal") {
    set_decimal(column, facts);
  } else if (type == "float") {
    set(column, Type::of(TypeKind::kReal), MysqlCell::kFloat);
  } else if (type == "double") {
    set(column, Type::of(TypeKind::kDouble), MysqlCell::kFloat);
  } else if (type == "date") {
    set(column, Type::of(TypeKind::kDate), MysqlCell::kDate);
  } else if (type == "time") {
    set(column, Type::of(TypeKind::kTime, fraction), MysqlCell::kTime);
  } else if (type == "datetime") {
    set(column, Type::of(TypeKind::kTimestamp, fraction), MysqlCell::kDatetime);
  } else if (type == "timestamp") {
    set(column, Type::of(TypeKind::kTimestampTz, fraction), MysqlCell::kDatetime);
  } else if (type == "uuid") {
    set(column, Type::of(TypeKind::kUuid), MysqlCell::kUuid);
  } else if (type == "enum" || type == "set") {
    column.labels = labels_of(column.shown);
    set(column, Type::varchar(), MysqlCell::kText);
  } else if (type == "inet4" || type == "inet6") {
    set(column, Type::varchar(), MysqlCell::kText);
  } else {
    return false;
  }
  return true;
}

std::string mysql_expression(const MysqlColumn& column) {
  const std::string name = mysql_name(column.real_name);
  if (column.data_type == "float") return "(" + name + " + 0e0)";  // as text it has six digits
  if (column.data_type == "bit") return "(" + name + " + 0)";
  return name;
}

std::string mysql_type_name(const sql::Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return "bit(1)";
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kBigint:
    case TypeKind::kDouble:
    case TypeKind::kDate:
    case TypeKind::kJson:
      return type.display();
    case TypeKind::kInteger:
      return "int";
    case TypeKind::kReal:
      return "float";
    case TypeKind::kDecimal:
      return fmt::format("decimal({},{})", type.precision, std::min(type.scale, 30));
    case TypeKind::kVarchar:
      if (type.precision <= 16383) return fmt::format("varchar({})", type.precision);
      return type.precision <= 4194303 ? "mediumtext" : "longtext";
    case TypeKind::kChar:
      return type.precision <= 255 ? fmt::format("char({})", type.precision)
                                   : fmt::format("varchar({})", type.precision);
    case TypeKind::kVarbinary:
      return "longblob";
    case TypeKind::kTime:
      return fmt::format("time({})", std::min(type.precision, 6));
    case TypeKind::kTimestamp:
      return fmt::format("datetime({})", std::min(type.precision, 6));
    case TypeKind::kTimestampTz:
      return fmt::format("timestamp({}) NULL", std::min(type.precision, 6));
    case TypeKind::kUuid:
      return "char(36)";
    default:
      throw Error(Code::kNotSupported, "Unsupported column type: " + type.display());
  }
}

std::optional<int64_t> parse_mysql_integer(std::string_view text) {
  int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Int128> parse_mysql_decimal(std::string_view text, int scale) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  __int128 value = 0;
  int behind = -1, count = 0;
  for (const char c : text) {
    if (c == '.' && behind < 0) {
      behind = 0;
      continue;
    }
    const unsigned digit = static_cast<unsigned char>(c) - '0';
    if (digit > 9 || ++count > kMostDigits + 1) return std::nullopt;
    value = value * 10 + digit;
    if (behind >= 0) ++behind;
  }
  behind = std::max(behind, 0);
  if (count == 0 || behind > scale || count + scale - behind > kMostDigits + 1) return std::nullopt;
  for (; behind < scale; ++behind) value *= 10;
  if (negative) value = -value;
  return Int128{static_cast<uint64_t>(value), static_cast<int64_t>(value >> 64)};
}

std::optional<int64_t> mysql_days(int64_t year, unsigned month, unsigned day) {
  if (year < 1 || year > 9999) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::optional<int64_t> parse_mysql_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int64_t year = digits(text.data(), 4), month = digits(text.data() + 5, 2),
                day = digits(text.data() + 8, 2);
  if (year < 0 || month < 0 || day < 0) return std::nullopt;
  return mysql_days(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
}

std::optional<int64_t> parse_mysql_time(std::string_view text) {
  // "-838:59:59.999999" to "838:59:59.999999"; a day has those of two digits of hours.
  if (text.size() < 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const int64_t hour = digits(text.data(), 2), minute = digits(text.data() + 3, 2),
                second = digits(text.data() + 6, 2), micros = fraction(text.substr(8));
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || micros < 0)
    return std::nullopt;
  return ((hour * 60 + minute) * 60 + second) * kMicros + micros;
}

std::optional<int64_t> parse_mysql_datetime(std::string_view text) {
  if (text.size() < 19 || text[10] != ' ') return std::nullopt;
  const auto days = parse_mysql_date(text.substr(0, 10));
  const auto time = parse_mysql_time(text.substr(11));
  if (!days || !time) return std::nullopt;
  return *days * 86400 * kMicros + *time;
}

std::optional<Int128> parse_mysql_uuid(std::string_view text) {
  uint64_t words[2] = {0, 0};
  int count = 0;
  for (const char c : text) {
    if (c == '-') continue;
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0 || count >= 32) return std::nullopt;
    words[count / 16] = words[count / 16] << 4 | static_cast<uint64_t>(digit);
    ++count;
  }
  if (count != 32) return std::nullopt;
  return Int128{words[1], static_cast<int64_t>(words[0] ^ (uint64_t{1} << 63))};
}

double parse_mysql_number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace meesh::engine
