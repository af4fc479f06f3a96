#include "serve/trino/value_encoder.h"

#include <array>
#include <charconv>
#include <limits>

#include "base/calendar.h"
#include "base/error.h"
#include "engine/functions/addresses.h"

namespace meesh::serve::trino {

using engine::ColumnView;
using engine::Layout;
using sql::TypeKind;

namespace {

constexpr int64_t kMicrosPerDay = 86400000000;

/// 10^n for n in 0..18.
constexpr std::array<int64_t, 19> kPowersOfTen = [] {
  std::array<int64_t, 19> powers{};
  int64_t power = 1;
  for (size_t i = 0; i < powers.size(); ++i) {
    powers[i] = power;
    if (i + 1 < powers.size()) power *= 10;
  }
  return powers;
}();

int64_t read_integer(const ColumnView& column, size_t row) {
  switch (column.layout) {
    case Layout::kInt8:
      return column.at<int8_t>(row);
    case Layout::kInt16:
      return column.at<int16_t>(row);
    case Layout::kInt32:
      return column.at<int32_t>(row);
    case Layout::kInt64:
      return column.at<int64_t>(row);
    default:
      internal_error("an integer column has no integer layout");
  }
}

char* two_digits(char* p, unsigned value) {
  p[0] = static_cast<char>('0' + value / 10);
  p[1] = static_cast<char>('0' + value % 10);
  return p + 2;
}

/// `value` in exactly `width` digits.
char* padded(char* p, uint64_t value, int width) {
  for (int i = width - 1; i >= 0; --i) {
    p[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return p + width;
}

/// As java.time: four digits, more with a sign, negative years with one.
char* write_date(char* p, int64_t days) {
  const CivilDate date = civil_from_days(days);
  if (date.year >= 0 && date.year <= 9999) {
    p = padded(p, static_cast<uint64_t>(date.year), 4);
  } else {
    *p++ = date.year < 0 ? '-' : '+';
    const auto year = static_cast<uint64_t>(date.year < 0 ? -date.year : date.year);
    if (year <= 9999) {
      p = padded(p, year, 4);
    } else {
      p = std::to_chars(p, p + 20, year).ptr;
    }
  }
  *p++ = '-';
  p = two_digits(p, date.month);
  *p++ = '-';
  return two_digits(p, date.day);
}

/// hh:mm:ss and `digits` (0..12) of the fraction, which counts nanoseconds.
char* write_time(char* p, int64_t second_of_day, int64_t nanos, int digits) {
  const auto seconds = static_cast<unsigned>(second_of_day);
  p = two_digits(p, seconds / 3600);
  *p++ = ':';
  p = two_digits(p, seconds / 60 % 60);
  *p++ = ':';
  p = two_digits(p, seconds % 60);
  if (digits == 0) return p;
  *p++ = '.';
  if (digits <= 9) {
    return padded(p, static_cast<uint64_t>(nanos / kPowersOfTen[static_cast<size_t>(9 - digits)]),
                  digits);
  }
  p = padded(p, static_cast<uint64_t>(nanos), 9);
  for (int i = 9; i < digits; ++i) *p++ = '0';
  return p;
}

/// Half up, as Trino rounds a value it cannot show in full.
int64_t round_to(int64_t value, int64_t unit) {
  return floor_divide(value + unit / 2, unit) * unit;
}

char* write_offset(char* p, int32_t seconds) {
  *p++ = seconds < 0 ? '-' : '+';
  const auto minutes = static_cast<unsigned>((seconds < 0 ? -seconds : seconds) / 60);
  p = two_digits(p, minutes / 60 % 100);
  *p++ = ':';
  return two_digits(p, minutes % 60);
}

char* write_timestamp(char* p, int64_t seconds, int64_t nanos, int digits) {
  const int64_t days = floor_divide(seconds, 86400);
  p = write_date(p, days);
  *p++ = ' ';
  return write_time(p, seconds - days * 86400, nanos, digits);
}

char* write_decimal(char* p, unsigned __int128 magnitude, bool negative, int scale) {
  char digits[40];
  char* const end = digits + sizeof digits;
  char* first = end;
  while (magnitude > std::numeric_limits<uint64_t>::max()) {
    *--first = static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  }
  auto small = static_cast<uint64_t>(magnitude);
  while (small > 0) {
    *--first = static_cast<char>('0' + small % 10);
    small /= 10;
  }
  while (end - first <= scale) *--first = '0';
  if (negative) *p++ = '-';
  const auto whole = static_cast<size_t>(end - first - scale);
  std::memcpy(p, first, whole);
  p += whole;
  if (scale == 0) return p;
  *p++ = '.';
  std::memcpy(p, first + whole, static_cast<size_t>(scale));
  return p + scale;
}

}  // namespace

struct CellWriters {
  using Encoder = ValueEncoder;

  static void integer(const Encoder&, const ColumnView& c, size_t row, JsonText& out) {
    out.integer(read_integer(c, row));
  }
  static void boolean(const Encoder&, const ColumnView& c, size_t row, JsonText& out) {
    out.boolean(c.at<uint8_t>(row) != 0);
  }
  static void real(const Encoder&, const ColumnView& c, size_t row, JsonText& out) {
    out.real(c.at<float>(row));
  }
  static void real_double(const Encoder&, const ColumnView& c, size_t row, JsonText& out) {
    out.real(c.at<double>(row));
  }
  static void text(const Encoder&, const ColumnView& c, size_t row, JsonText& out) {
    out.string(c.string(row));
  }
  static void binary(const Encoder&, const ColumnView& c, size_t row, JsonText& out) {
    out.raw('"');
    out.base64_body(c.string(row));
    out.raw('"');
  }

  static void decimal(const Encoder& e, const ColumnView& c, size_t row, JsonText& out) {
    bool negative;
    unsigned __int128 magnitude;
    if (c.layout == Layout::kInt128) {
      const auto& value = c.at<engine::Int128>(row);
      negative = value.high < 0;
      magnitude =
          static_cast<unsigned __int128>(static_cast<uint64_t>(value.high)) << 64 | value.low;
      if (negative) magnitude = ~magnitude + 1;
    } else {
      const int64_t value = read_integer(c, row);
      negative = value < 0;
      magnitude = negative ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
    }
    char* p = out.reserve(48);
    *p++ = '"';
    p = write_decimal(p, magnitude, negative, e.type_.scale);
    *p++ = '"';
    out.commit(p);
  }

  static void date(const Encoder&, const ColumnView& c, size_t row, JsonText& out) {
    char* p = out.reserve(32);
    *p++ = '"';
    p = write_date(p, c.at<int32_t>(row));
    *p++ = '"';
    out.commit(p);
  }

  static char* time_of_day(char* p, const Encoder& e, int64_t micros) {
    if (e.round_to_millis_) micros = round_to(micros, 1000) % kMicrosPerDay;
    return write_time(p, micros / 1000000, micros % 1000000 * 1000, e.digits_);
  }
  static void time(const Encoder& e, const ColumnView& c, size_t row, JsonText& out) {
    char* p = out.reserve(48);
    *p++ = '"';
    if (e.type_.precision > 6) {
      int64_t second;
      Fraction fraction = fraction_of(e, c.at<int64_t>(row), second);
      p = write_fine_time(p, second % 86400, fraction, e.digits_);
    } else {
      p = time_of_day(p, e, c.at<int64_t>(row));
    }
    *p++ = '"';
    out.commit(p);
  }
  /// 40 bits of microseconds, then 24 bits of 57599 - offset in seconds.
  static void time_with_zone(const Encoder& e, const ColumnView& c, size_t row, JsonText& out) {
    const auto bits = c.at<uint64_t>(row);
    char* p = out.reserve(64);
    *p++ = '"';
    p = time_of_day(p, e, static_cast<int64_t>(bits >> 24));
    p = write_offset(p, 57599 - static_cast<int32_t>(bits & 0xFFFFFF));
    *p++ = '"';
    out.commit(p);
  }

  /// Splits a timestamp of the column's unit into seconds and nanoseconds, rounded if need be.
  static void split(const Encoder& e, int64_t value, int64_t& seconds, int64_t& nanos) {
    const int64_t unit = e.type_.precision > 6 ? 1 : 1000;  // nanoseconds in one
    const int64_t per_second = 1000000000 / unit;
    seconds = floor_divide(value, per_second);
    nanos = (value - seconds * per_second) * unit;
    if (!e.round_to_millis_) return;
    nanos = round_to(nanos, 1000000);
    if (nanos == 1000000000) {
      ++seconds;
      nanos = 0;
    }
  }
  static void timestamp(const Encoder& e, const ColumnView& c, size_t row, JsonText& out) {
    if (c.layout == Layout::kInt128) return fine_timestamp(e, c, row, out);
    int64_t seconds, nanos;
    split(e, c.at<int64_t>(row), seconds, nanos);
    char* p = out.reserve(64);
    *p++ = '"';
    p = write_timestamp(p, seconds, nanos, e.digits_);
    *p++ = '"';
    out.commit(p);
  }
  static void timestamp_with_zone(const Encoder& e, const ColumnView& c, size_t row,
                                  JsonText& out) {
    if (c.layout == Layout::kInt128) return zoned_timestamp(e, c, row, out);
    int64_t seconds = floor_divide(c.at<int64_t>(row), 1000000);
    int64_t nanos = (c.at<int64_t>(row) - seconds * 1000000) * 1000;
    if (e.round_to_millis_) {
      nanos = round_to(nanos, 1000000);
      if (nanos == 1000000000) {
        ++seconds;
        nanos = 0;
      }
    }
    if (seconds < e.span_.from || seconds >= e.span_.to) e.span_ = e.zone_->span_at(seconds);
    char* p = out.reserve(64 + e.zone_->id().size());
    *p++ = '"';
    p = write_timestamp(p, seconds + e.span_.offset, nanos, e.digits_);
    *p++ = ' ';
    std::memcpy(p, e.zone_->id().data(), e.zone_->id().size());
    p += e.zone_->id().size();
    *p++ = '"';
    out.commit(p);
  }

  /// Picoseconds since the epoch as whole seconds and the rest, rounded if need be.
  struct Fraction {
    int64_t picos;
  };
  static Fraction fraction_of(const Encoder& e, __int128 picos, int64_t& seconds) {
    constexpr __int128 kSecond = 1000000000000;
    if (e.round_to_millis_) picos += 500000000;  // half a millisecond; the rest is not shown
    seconds = static_cast<int64_t>(picos / kSecond - (picos % kSecond < 0 ? 1 : 0));
    return {static_cast<int64_t>(picos - seconds * kSecond)};
  }
  static char* write_fine_time(char* p, int64_t second_of_day, Fraction fraction, int digits) {
    p = write_time(p, second_of_day, 0, 0);
    if (digits == 0) return p;
    *p++ = '.';
    char all[12];
    padded(all, static_cast<uint64_t>(fraction.picos), 12);
    std::memcpy(p, all, static_cast<size_t>(digits));
    return p + digits;
  }
  static char* write_fine_timestamp(char* p, int64_t seconds, Fraction fraction, int digits) {
    const int64_t days = floor_divide(seconds, 86400);
    p = write_date(p, days);
    *p++ = ' ';
    return write_fine_time(p, seconds - days * 86400, fraction, digits);
  }
  static __int128 int128(const ColumnView& c, size_t row) {
    const auto& value = c.at<engine::Int128>(row);
    return static_cast<__int128>(
        static_cast<unsigned __int128>(static_cast<uint64_t>(value.high)) << 64 | value.low);
  }
  static void fine_timestamp(const Encoder& e, const ColumnView& c, size_t row, JsonText& out) {
    int64_t seconds;
    const Fraction fraction = fraction_of(e, int128(c, row), seconds);
    char* p = out.reserve(64);
    *p++ = '"';
    p = write_fine_timestamp(p, seconds, fraction, e.digits_);
    *p++ = '"';
    out.commit(p);
  }
  /// Values that have each their zone: its number stands in the lower 16 bits.
  static void zoned_timestamp(const Encoder& e, const ColumnView& c, size_t row, JsonText& out) {
    const __int128 value = int128(c, row);
    const auto number = static_cast<int32_t>(static_cast<uint64_t>(value) & 0xFFFF);
    if (number != e.zone_number_) {
      const std::string name = engine::numbered_zone(number);
      e.value_zone_ = name.empty() ? e.session_zone_ : TimeZone::find(name);
      if (!e.value_zone_) e.value_zone_ = TimeZone::utc();
      e.zone_number_ = number;
    }
    int64_t seconds;
    const Fraction fraction = fraction_of(e, value >> 16, seconds);
    const std::string& id = e.value_zone_->id();
    char* p = out.reserve(64 + id.size());
    *p++ = '"';
    p = write_fine_timestamp(p, seconds + e.value_zone_->span_at(seconds).offset, fraction,
                             e.digits_);
    *p++ = ' ';
    std::memcpy(p, id.data(), id.size());
    p += id.size();
    *p++ = '"';
    out.commit(p);
  }

  static void year_to_month(const Encoder&, const ColumnView& c, size_t row, JsonText& out) {
    const int64_t months = c.at<engine::Interval>(row).months;
    const auto magnitude = static_cast<uint64_t>(months < 0 ? -months : months);
    char* p = out.reserve(32);
    *p++ = '"';
    if (months < 0) *p++ = '-';
    p = std::to_chars(p, p + 20, magnitude / 12).ptr;
    *p++ = '-';
    p = std::to_chars(p, p + 4, magnitude % 12).ptr;
    *p++ = '"';
    out.commit(p);
  }
  /// Milliseconds in all; a month counts 30 days, as everywhere in DuckDB's arithmetic.
  static void day_to_second(const Encoder&, const ColumnView& c, size_t row, JsonText& out) {
    const auto& interval = c.at<engine::Interval>(row);
    const int64_t millis =
        (int64_t{interval.months} * 30 + interval.days) * 86400000 + interval.micros / 1000;
    const auto magnitude = static_cast<uint64_t>(millis < 0 ? -millis : millis);
    char* p = out.reserve(48);
    *p++ = '"';
    if (millis < 0) *p++ = '-';
    p = std::to_chars(p, p + 20, magnitude / 86400000).ptr;
    *p++ = ' ';
    const auto of_day = static_cast<int64_t>(magnitude % 86400000);
    p = write_time(p, of_day / 1000, of_day % 1000 * 1000000, 3);
    *p++ = '"';
    out.commit(p);
  }

  static void uuid(const Encoder&, const ColumnView& c, size_t row, JsonText& out) {
    static constexpr char kHex[] = "0123456789abcdef";
    const auto& value = c.at<engine::Int128>(row);
    const uint64_t halves[2] = {static_cast<uint64_t>(value.high) ^ (uint64_t{1} << 63), value.low};
    char* p = out.reserve(40);
    *p++ = '"';
    for (int i = 0; i < 32; ++i) {
      if (i == 8 || i == 12 || i == 16 || i == 20) *p++ = '-';
      *p++ = kHex[halves[i / 16] >> (60 - i % 16 * 4) & 15];
    }
    *p++ = '"';
    out.commit(p);
  }

  static void address(const Encoder&, const ColumnView& c, size_t row, JsonText& out) {
    out.string(engine::address_text(c.string(row)));
  }

  static void array(const Encoder& e, const ColumnView& c, size_t row, JsonText& out) {
    const auto& entry = c.at<engine::ListEntry>(row);
    out.raw('[');
    for (uint64_t i = 0; i < entry.length; ++i) {
      if (i > 0) out.raw(',');
      e.children_[0].write(c.children[0], entry.offset + i, out);
    }
    out.raw(']');
  }
  static void row_value(const Encoder& e, const ColumnView& c, size_t row, JsonText& out) {
    out.raw('[');
    for (size_t i = 0; i < e.children_.size(); ++i) {
      if (i > 0) out.raw(',');
      e.children_[i].write(c.children[i], row, out);
    }
    out.raw(']');
  }
  static void map(const Encoder& e, const ColumnView& c, size_t row, JsonText& out) {
    const auto& entry = c.at<engine::ListEntry>(row);
    const ColumnView& pairs = c.children[0];
    JsonText scratch;
    out.raw('{');
    for (uint64_t i = 0; i < entry.length; ++i) {
      if (i > 0) out.raw(',');
      map_key(e.children_[0], pairs.children[0], entry.offset + i, scratch, out);
      out.raw(':');
      e.children_[1].write(pairs.children[1], entry.offset + i, out);
    }
    out.raw('}');
  }
  /// Strings as they are, everything else as its text in quotes.
  static void map_key(const Encoder& e, const ColumnView& c, size_t row, JsonText& scratch,
                      JsonText& out) {
    if (!e.children_.empty()) {
      std::string text;
      append_text(e, c, row, text);
      out.string(text);
      return;
    }
    scratch.commit(scratch.reserve(0) - scratch.size());
    e.write(c, row, scratch);
    if (scratch.view().starts_with('"')) {
      out.raw(scratch.view());
    } else {
      out.string(scratch.view());
    }
  }
  /// As Java writes lists and maps: [1, 2], {a=1}.
  static void append_text(const Encoder& e, const ColumnView& c, size_t row, std::string& out) {
    if (c.is_null(row)) {
      out += "null";
    } else if (e.type_.kind == TypeKind::kArray) {
      const auto& entry = c.at<engine::ListEntry>(row);
      out += '[';
      for (uint64_t i = 0; i < entry.length; ++i) {
        if (i > 0) out += ", ";
        append_text(e.children_[0], c.children[0], entry.offset + i, out);
      }
      out += ']';
    } else if (e.type_.kind == TypeKind::kMap) {
      const auto& entry = c.at<engine::ListEntry>(row);
      out += '{';
      for (uint64_t i = 0; i < entry.length; ++i) {
        if (i > 0) out += ", ";
        append_text(e.children_[0], c.children[0].children[0], entry.offset + i, out);
        out += '=';
        append_text(e.children_[1], c.children[0].children[1], entry.offset + i, out);
      }
      out += '}';
    } else if (e.type_.kind == TypeKind::kRow) {
      out += '[';
      for (size_t i = 0; i < e.children_.size(); ++i) {
        if (i > 0) out += ", ";
        append_text(e.children_[i], c.children[i], row, out);
      }
      out += ']';
    } else if (c.layout == Layout::kString && e.type_.kind != TypeKind::kIpaddress) {
      out += c.string(row);
    } else {
      JsonText text;
      e.write(c, row, text);
      const bool quoted = text.view().starts_with('"');
      out += text.view().substr(quoted, text.view().size() - 2 * quoted);
    }
  }

  static void unknown(const Encoder&, const ColumnView&, size_t, JsonText& out) { out.raw("null"); }

  static Encoder::Writer for_kind(TypeKind kind) {
    switch (kind) {
      case TypeKind::kUnknown:
        return unknown;
      case TypeKind::kBoolean:
        return boolean;
      case TypeKind::kTinyint:
      case TypeKind::kSmallint:
      case TypeKind::kInteger:
      case TypeKind::kBigint:
        return integer;
      case TypeKind::kReal:
        return real;
      case TypeKind::kDouble:
        return real_double;
      case TypeKind::kDecimal:
        return decimal;
      case TypeKind::kVarchar:
      case TypeKind::kChar:
      case TypeKind::kJson:
      case TypeKind::kColor:
      case TypeKind::kJsonPath:
        return text;
      case TypeKind::kVarbinary:
      case TypeKind::kHyperLogLog:
      case TypeKind::kP4HyperLogLog:
      case TypeKind::kSetDigest:
      case TypeKind::kTdigest:
      case TypeKind::kQdigest:
        return binary;
      case TypeKind::kDate:
        return date;
      case TypeKind::kTime:
        return time;
      case TypeKind::kTimeTz:
        return time_with_zone;
      case TypeKind::kTimestamp:
        return timestamp;
      case TypeKind::kTimestampTz:
        return timestamp_with_zone;
      case TypeKind::kIntervalYearToMonth:
        return year_to_month;
      case TypeKind::kIntervalDayToSecond:
        return day_to_second;
      case TypeKind::kUuid:
        return uuid;
      case TypeKind::kIpaddress:
        return address;
      case TypeKind::kArray:
        return array;
      case TypeKind::kMap:
        return map;
      case TypeKind::kRow:
        return row_value;
    }
    internal_error("a type without an encoder");
  }
};

ValueEncoder::ValueEncoder(const sql::Type& type, DateTimes date_times,
                           std::shared_ptr<const TimeZone> session_zone)
    : write_(CellWriters::for_kind(type.kind)),
      type_(type),
      round_to_millis_(date_times == DateTimes::kMilliseconds),
      digits_(round_to_millis_ ? 3 : type.precision),
      session_zone_(std::move(session_zone)),
      zone_(session_zone_) {
  for (const auto& child : type.children) children_.emplace_back(child, date_times, session_zone_);
}

void ValueEncoder::begin(const ColumnView& column) {
  if (type_.kind == TypeKind::kTimestampTz && column.zone != zone_name_) {
    zone_name_ = column.zone;
    zone_ = zone_name_.empty() ? session_zone_ : TimeZone::find(zone_name_);
    if (!zone_) zone_ = TimeZone::utc();
    span_ = {0, 0, 0};
  }
  // A map's entries are one child, a row of key and value.
  const auto& parts = type_.kind == TypeKind::kMap && !column.children.empty()
                          ? column.children[0].children
                          : column.children;
  for (size_t i = 0; i < children_.size() && i < parts.size(); ++i) children_[i].begin(parts[i]);
}

}  // namespace meesh::serve::trino
