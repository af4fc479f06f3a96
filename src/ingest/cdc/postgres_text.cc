#include "ingest/cdc/postgres_text.h"

#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <limits>

#include "base/text.h"
#include "lake/types_calendar.h"

namespace meesh::ingest {

using engine::Int128;
using sql::TypeKind;

namespace {

constexpr int kMicroDigits = 6;
constexpr int64_t kMaxYear = 300'000;  // PostgreSQL's end before

/// Takes a text apart from its beginning.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool done() const { return at_ == end_; }
  bool take(char c) {
    if (done() || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool next_is(char c) const { return !done() && *at_ == c; }
  bool take(std::string_view word) {
    if (std::string_view(at_, static_cast<size_t>(end_ - at_)).substr(0, word.size()) != word)
      return false;
    at_ += word.size();
    return true;
  }
  /// Digits, at least and at most so many.
  std::optional<int64_t> digits(int least, int most) {
    int64_t value = 0;
    int count = 0;
    for (; !done() && count < most && *at_ >= '0' && *at_ <= '9'; ++at_, ++count)
      value = value * 10 + (*at_ - '0');
    if (count < least) return std::nullopt;
    return value;
  }
  /// What follows a decimal point, in millionths; further digits are an error.
  std::optional<int64_t> fraction() {
    int64_t value = 0;
    int count = 0;
    for (; !done() && count < kMicroDigits && *at_ >= '0' && *at_ <= '9'; ++at_, ++count)
      value = value * 10 + (*at_ - '0');
    if (count == 0) return std::nullopt;
    for (; count < kMicroDigits; ++count) value *= 10;
    return value;
  }

 private:
  const char* at_;
  const char* end_;
};

struct Date {
  int64_t year = 0;
  int month = 0, day = 0;
  int64_t days(bool before_christ) const {
    return lake::days_of({before_christ ? 1 - year : year, month, day});
  }
};

std::optional<Date> take_date(Scanner& text) {
  const auto year = text.digits(4, 6);
  if (!year || *year == 0 || *year > kMaxYear || !text.take('-')) return std::nullopt;
  const auto month = text.digits(2, 2);
  if (!month || *month < 1 || *month > 12 || !text.take('-')) return std::nullopt;
  const auto day = text.digits(2, 2);
  if (!day || *day < 1 || *day > 31) return std::nullopt;
  return Date{*year, static_cast<int>(*month), static_cast<int>(*day)};
}

/// HH:MM:SS[.ffffff] in µs. Hours up to 24.
std::optional<int64_t> take_time(Scanner& text) {
  const auto hours = text.digits(2, 2);
  if (!hours || *hours > 24 || !text.take(':')) return std::nullopt;
  const auto minutes = text.digits(2, 2);
  if (!minutes || *minutes > 59 || !text.take(':')) return std::nullopt;
  const auto seconds = text.digits(2, 2);
  if (!seconds || *seconds > 60) return std::nullopt;
  int64_t micros = 0;
  if (text.take('.')) {
    const auto fraction = text.fraction();
    if (!fraction) return std::nullopt;
    micros = *fraction;
  }
  return ((*hours * 60 + *minutes) * 60 + *seconds) * lake::kMicrosPerSecond + micros;
}

/// +HH[:MM[:SS]], in µs; 0 if there is none.
std::optional<int64_t> take_offset(Scanner& text) {
  int64_t sign = 0;
  if (text.take('+')) sign = 1;
  if (sign == 0 && text.take('-')) sign = -1;
  if (sign == 0) return 0;
  int64_t seconds = 0, unit = 3600;
  for (; unit > 0; unit /= 60) {
    const auto part = text.digits(2, 2);
    if (!part) return std::nullopt;
    seconds += *part * unit;
    if (!text.take(':')) break;
  }
  return sign * seconds * lake::kMicrosPerSecond;
}

std::optional<int64_t> infinity(std::string_view text, int64_t greatest) {
  if (text == "infinity") return greatest;
  if (text == "-infinity") return -greatest;
  return std::nullopt;
}

Int128 parts(__int128 value) {
  return {static_cast<uint64_t>(static_cast<unsigned __int128>(value)),
          static_cast<int64_t>(value >> 64)};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class T>
std::optional<T> whole(std::string_view text) {
  T value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> real(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return whole<double>(text);
}

/// An array's text as JSON, part by part.
class ArrayText {
 public:
  ArrayText(std::string_view text, TypeKind element, int dimensions)
      : rest_(text), element_(element), dimensions_(dimensions) {}

  std::optional<std::string> json() {
    skip_bounds();
    if (!array(1) || !rest_.empty()) return std::nullopt;
    return std::move(out_);
  }

 private:
  /// "[2:3]=": its elements are counted from 2.
  void skip_bounds() {
    if (!rest_.starts_with('[')) return;
    const size_t sign = rest_.find('=');
    if (sign != std::string_view::npos) rest_.remove_prefix(sign + 1);
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool array(int depth) {
    if (depth > dimensions_ || !take('{')) return false;
    out_ += '[';
    bool first = true;
    while (!take('}')) {
      if (!first && !take(',')) return false;
      if (!std::exchange(first, false)) out_ += ',';
      // An empty array has no dimensions, however many were declared.
      if (rest_.starts_with('{') ? !array(depth + 1) : depth != dimensions_ || !value())
        return false;
    }
    out_ += ']';
    return true;
  }

  bool value() {
    std::string text;
    if (take('"')) {
      while (!rest_.starts_with('"')) {
        if (take('\\') && rest_.empty()) return false;
        if (rest_.empty()) return false;
        text += rest_[0];
        rest_.remove_prefix(1);
      }
      take('"');
      return append(text);
    }
    const size_t end = rest_.find_first_of(",}");
    if (end == std::string_view::npos || end == 0) return false;
    text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (text == "NULL") {
      out_ += "null";
      return true;
    }
    return append(text);
  }

  bool append(const std::string& text) {
    switch (element_) {
      case TypeKind::kBoolean:
        if (text != "t" && text != "f") return false;
        out_ += text == "t" ? "true" : "false";
        return true;
      case TypeKind::kSmallint:
      case TypeKind::kInteger:
      case TypeKind::kBigint:
        if (!whole<int64_t>(text)) return false;
        out_ += text;
        return true;
      default:
        // Numbers with a fraction too: as text they keep their digits, and NaN.
        out_ += boost::json::serialize(boost::json::string_view(text));
        return true;
    }
  }

  std::string_view rest_;
  const TypeKind element_;
  const int dimensions_;
  std::string out_;
};

}  // namespace

std::optional<int64_t> read_postgres_date(std::string_view text) {
  if (const auto end = infinity(text, std::numeric_limits<int32_t>::max())) return end;
  Scanner scanner(text);
  const auto date = take_date(scanner);
  if (!date) return std::nullopt;
  const bool before_christ = scanner.take(" BC");
  if (!scanner.done()) return std::nullopt;
  const int64_t days = date->days(before_christ);
  if (days > std::numeric_limits<int32_t>::max() || days < std::numeric_limits<int32_t>::min())
    return std::nullopt;
  return days;
}

std::optional<int64_t> read_postgres_time(std::string_view text) {
  Scanner scanner(text);
  const auto time = take_time(scanner);
  if (!time || !scanner.done()) return std::nullopt;
  return time;
}

std::optional<int64_t> read_postgres_timestamp(std::string_view text) {
  if (const auto end = infinity(text, std::numeric_limits<int64_t>::max())) return end;
  Scanner scanner(text);
  const auto date = take_date(scanner);
  if (!date || !scanner.take(' ')) return std::nullopt;
  const auto time = take_time(scanner);
  if (!time) return std::nullopt;
  const auto offset = take_offset(scanner);
  if (!offset) return std::nullopt;
  const bool before_christ = scanner.take(" BC");
  if (!scanner.done()) return std::nullopt;
  int64_t micros = 0;
  if (__builtin_mul_overflow(date->days(before_christ), lake::kMicrosPerDay, &micros) ||
      __builtin_add_overflow(micros, *time - *offset, &micros))
    return std::nullopt;
  return micros;
}

std::optional<Int128> read_postgres_decimal(std::string_view text, int precision, int scale) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const size_t point = std::min(text.find('.'), text.size());
  const auto before = text.substr(0, point);
  auto after = point < text.size() ? text.substr(point + 1) : std::string_view();
  if (before.empty() && after.empty()) return std::nullopt;
  for (const auto part : {before, after})
    for (const char c : part)
      if (!is_digit(c)) return std::nullopt;
  constexpr __int128 kLimit = [] {
    __int128 all = 1;
    for (int i = 0; i < 38; ++i) all *= 10;
    return all;
  }();
  __int128 value = 0;
  const auto push = [&](char c) {
    value = value * 10 + (c - '0');
    return value < kLimit;
  };
  for (const char c : before)
    if (!push(c)) return std::nullopt;
  for (int i = 0; i < scale; ++i)
    if (!push(static_cast<size_t>(i) < after.size() ? after[static_cast<size_t>(i)] : '0'))
      return std::nullopt;
  if (after.size() > static_cast<size_t>(scale) && after[static_cast<size_t>(scale)] >= '5')
    ++value;
  __int128 limit = 1;
  for (int i = 0; i < precision; ++i) limit *= 10;
  if (value >= limit) return std::nullopt;
  return parts(negative ? -value : value);
}

std::optional<Int128> read_postgres_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  unsigned __int128 value = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return std::nullopt;
      continue;
    }
    int digit = 0;
    if (c >= '0' && c <= '9')
      digit = c - '0';
    else if (c >= 'a' && c <= 'f')
      digit = c - 'a' + 10;
    else
      return std::nullopt;
    value = value << 4 | static_cast<unsigned>(digit);
  }
  value ^= static_cast<unsigned __int128>(1) << 127;
  return Int128{static_cast<uint64_t>(value), static_cast<int64_t>(value >> 64)};
}

std::optional<std::string> read_postgres_bytes(std::string_view text) {
  if (!text.starts_with("\\x")) return std::nullopt;
  return base::from_hex(text.substr(2));
}

std::optional<std::string> read_postgres_array(std::string_view text, const sql::Type& element,
                                               int dimensions) {
  return ArrayText(text, element.kind, dimensions).json();
}

namespace {

bool put_integer(engine::RowBuffer& rows, size_t column, std::optional<int64_t> value) {
  return value && rows.integer(column, *value);
}

bool put_array(engine::RowBuffer& rows, size_t column, const sql::Type& type,
               std::string_view text) {
  int dimensions = 0;
  const sql::Type* element = &type;
  for (; element->kind == TypeKind::kArray; element = &element->children.at(0)) ++dimensions;
  const auto json = read_postgres_array(text, *element, dimensions);
  if (json) rows.text(column, *json);
  return json.has_value();
}

}  // namespace

bool put_postgres_text(engine::RowBuffer& rows, size_t column, const sql::Type& type,
                       std::string_view text) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      if (text != "t" && text != "f") return false;
      rows.boolean(column, text == "t");
      return true;
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return put_integer(rows, column, whole<int64_t>(text));
    case TypeKind::kReal:
    case TypeKind::kDouble: {
      const auto value = real(text);
      if (value) rows.number(column, *value);
      return value.has_value();
    }
    case TypeKind::kDecimal: {
      const auto value = read_postgres_decimal(text, type.precision, type.scale);
      return value && rows.decimal(column, *value);
    }
    case TypeKind::kDate:
      return put_integer(rows, column, read_postgres_date(text));
    case TypeKind::kTime:
      return put_integer(rows, column, read_postgres_time(text));
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return put_integer(rows, column, read_postgres_timestamp(text));
    case TypeKind::kUuid: {
      const auto value = read_postgres_uuid(text);
      return value && rows.decimal(column, *value);
    }
    case TypeKind::kVarbinary: {
      const auto bytes = read_postgres_bytes(text);
      if (bytes) rows.text(column, *bytes);
      return bytes.has_value();
    }
    case TypeKind::kArray:
      return put_array(rows, column, type, text);
    default:
      rows.text(column, text);
      return true;
  }
}

namespace {

char unescape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return c;
  }
}

}  // namespace

void split_copy_row(std::string_view line, std::vector<pgoutput::Cell>& cells,
                    std::string& unescaped) {
  using Kind = pgoutput::Cell::Kind;
  if (line.ends_with('\n')) line.remove_suffix(1);
  cells.clear();
  unescaped.clear();
  unescaped.reserve(line.size());  // views into it stay where they are
  while (true) {
    const size_t end = std::min(line.find('\t'), line.size());
    const auto cell = line.substr(0, end);
    if (cell == "\\N") {
      cells.push_back({});
    } else if (cell.find('\\') == std::string_view::npos) {
      cells.push_back({Kind::kText, cell});
    } else {
      const size_t begin = unescaped.size();
      for (size_t i = 0; i < cell.size(); ++i)
        unescaped += cell[i] == '\\' && i + 1 < cell.size() ? unescape(cell[++i]) : cell[i];
      cells.push_back({Kind::kText, std::string_view(unescaped).substr(begin)});
    }
    if (end == line.size()) return;
    line.remove_prefix(end + 1);
  }
}

}  // namespace meesh::ingest
