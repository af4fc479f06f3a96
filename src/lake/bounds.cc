#include "lake/bounds.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/error.h"

namespace meesh::lake {
namespace {

constexpr std::string_view kColumnProperty = "write.metadata.metrics.column.";
constexpr std::string_view kDefaultProperty = "write.metadata.metrics.default";
constexpr std::string_view kInferredProperty =
    "write.metadata.metrics.max-inferred-column-defaults";
constexpr int kInferredColumns = 100;
constexpr uint32_t kFirstSurrogate = 0xD800, kLastSurrogate = 0xDFFF, kLastCodePoint = 0x10FFFF;

struct CodePoint {
  uint32_t value = 0;
  size_t size = 0;  // bytes; 0: no UTF-8
};

/// The code point at the start of text that is not empty.
CodePoint decode(std::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return {first, 1};
  const size_t size = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (size == 0 || size > text.size()) return {};
  uint32_t value = first & (0x7FU >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xC0) != 0x80) return {};
    value = value << 6 | (byte & 0x3FU);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[size] || value > kLastCodePoint ||
      (value >= kFirstSurrogate && value <= kLastSurrogate)) {
    return {};
  }
  return {value, size};
}

void encode(uint32_t value, std::string& out) {
  const auto rest = [&](int shift) { return static_cast<char>(0x80 | ((value >> shift) & 0x3F)); };
  if (value < 0x80) {
    out += static_cast<char>(value);
  } else if (value < 0x800) {
    out += {static_cast<char>(0xC0 | value >> 6), rest(0)};
  } else if (value < 0x10000) {
    out += {static_cast<char>(0xE0 | value >> 12), rest(6), rest(0)};
  } else {
    out += {static_cast<char>(0xF0 | value >> 18), rest(12), rest(6), rest(0)};
  }
}

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = decode(text);
    if (point.size == 0) return false;
    text.remove_prefix(point.size);
  }
  return true;
}

bool is_text(const Type& type) { return type.kind == TypeKind::kString; }
bool is_binary(const Type& type) {
  return type.kind == TypeKind::kBinary || type.kind == TypeKind::kFixed;
}

/// Whether a value can be a bound at all.
bool bounds_something(const Type& type, const Value& value, const MetricsMode& mode) {
  if (mode.kind == MetricsMode::Kind::kNone || mode.kind == MetricsMode::Kind::kCounts) {
    return false;
  }
  if (is_null(value) || type.nested()) return false;
  if (const double* number = std::get_if<double>(&value)) return !std::isnan(*number);
  return !is_text(type) || valid_utf8(std::get<std::string>(value));
}

/// A zero of the given sign for any zero, so that a file with both zeros lies within its bounds.
Value with_zero(const Value& value, double zero) {
  const double* number = std::get_if<double>(&value);
  return number != nullptr && *number == 0 ? Value(zero) : value;
}

int number_in(std::string_view text, std::string_view what) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    throw Error(Code::kInvalidTableProperty, fmt::format("{} is not a number: '{}'", what, text));
  }
  return value;
}

/// How many columns, nested ones included, come before one in the schema's order; -1: not there.
int place_of(const std::vector<Field>& fields, int id, int& before) {
  for (const Field& field : fields) {
    if (field.id == id) return before;
    if (!field.type.nested()) ++before;
    if (place_of(field.type.fields, id, before) >= 0) return before;
  }
  return -1;
}

}  // namespace

int compare_values(const Value& a, const Value& b) {
  if (const double* x = std::get_if<double>(&a)) {
    const double y = std::get<double>(b);
    if (*x != y) return *x < y ? -1 : 1;
    return static_cast<int>(std::signbit(y)) - static_cast<int>(std::signbit(*x));
  }
  if (a == b) return 0;
  return a < b ? -1 : 1;
}

MetricsMode parse_metrics_mode(std::string_view text) {
  using Kind = MetricsMode::Kind;
  if (text == "none") return {.kind = Kind::kNone};
  if (text == "counts") return {.kind = Kind::kCounts};
  if (text == "full") return {.kind = Kind::kFull};
  constexpr std::string_view kStart = "truncate(";
  if (text.starts_with(kStart) && text.ends_with(')')) {
    const int length =
        number_in(text.substr(kStart.size(), text.size() - kStart.size() - 1), "truncate's length");
    if (length > 0) return {.kind = Kind::kTruncate, .length = length};
  }
  throw Error(Code::kInvalidTableProperty, fmt::format("unknown metrics mode '{}'", text))
      .with_hint("it is none, counts, truncate(16) or full");
}

MetricsMode metrics_mode(const Properties& properties, const Schema& schema, int field_id) {
  const auto column =
      properties.find(fmt::format("{}{}", kColumnProperty, field_name(schema, field_id)));
  if (column != properties.end()) return parse_metrics_mode(column->second);
  const auto all = properties.find(std::string(kDefaultProperty));
  if (all != properties.end()) return parse_metrics_mode(all->second);
  const auto limit = properties.find(std::string(kInferredProperty));
  const int inferred =
      limit == properties.end() ? kInferredColumns : number_in(limit->second, kInferredProperty);
  int before = 0;
  const int place = place_of(schema.fields, field_id, before);
  if (place >= inferred) return {.kind = MetricsMode::Kind::kNone};
  return {};
}

std::string truncate_text(std::string_view text, int length) {
  size_t end = 0;
  for (int i = 0; i < length && end < text.size(); ++i) {
    const CodePoint point = decode(text.substr(end));
    end += point.size == 0 ? 1 : point.size;
  }
  return std::string(text.substr(0, end));
}

std::string truncate_binary(std::string_view bytes, int length) {
  return std::string(bytes.substr(0, static_cast<size_t>(length)));
}

std::optional<std::string> truncate_text_up(std::string_view text, int length) {
  if (!valid_utf8(text)) return std::nullopt;
  std::string out = truncate_text(text, length);
  if (out.size() == text.size()) return out;
  while (!out.empty()) {
    size_t start = out.size() - 1;
    while ((static_cast<uint8_t>(out[start]) & 0xC0) == 0x80) --start;
    uint32_t value = decode(std::string_view(out).substr(start)).value;
    out.resize(start);
    if (value == kLastCodePoint) continue;
    // Surrogates are no code points of text.
    value = value + 1 == kFirstSurrogate ? kLastSurrogate + 1 : value + 1;
    encode(value, out);
    return out;
  }
  return std::nullopt;
}

std::optional<std::string> truncate_binary_up(std::string_view bytes, int length) {
  std::string out = truncate_binary(bytes, length);
  if (out.size() == bytes.size()) return out;
  while (!out.empty()) {
    const auto last = static_cast<uint8_t>(out.back());
    out.pop_back();
    if (last == 0xFF) continue;
    out.push_back(static_cast<char>(last + 1));
    return out;
  }
  return std::nullopt;
}

std::optional<std::string> lower_bound_bytes(const Type& type, const Value& min,
                                             const MetricsMode& mode) {
  if (!bounds_something(type, min, mode)) return std::nullopt;
  if (mode.kind == MetricsMode::Kind::kTruncate) {
    if (is_text(type)) return truncate_text(std::get<std::string>(min), mode.length);
    if (is_binary(type)) return truncate_binary(std::get<std::string>(min), mode.length);
  }
  return to_bytes(type, with_zero(min, -0.0));
}

std::optional<std::string> upper_bound_bytes(const Type& type, const Value& max,
                                             const MetricsMode& mode) {
  if (!bounds_something(type, max, mode)) return std::nullopt;
  if (mode.kind == MetricsMode::Kind::kTruncate) {
    if (is_text(type)) return truncate_text_up(std::get<std::string>(max), mode.length);
    if (is_binary(type)) return truncate_binary_up(std::get<std::string>(max), mode.length);
  }
  return to_bytes(type, with_zero(max, 0.0));
}

void add_metrics(FileMetrics& metrics, const Type& type, const ColumnStatistics& statistics,
                 const MetricsMode& mode) {
  // The size is kept in every mode, as Iceberg's own writers do.
  ColumnMetrics column{.id = statistics.id, .size = statistics.size};
  if (mode.kind != MetricsMode::Kind::kNone) {
    column.values = statistics.values;
    column.nulls = statistics.nulls;
    column.nans = statistics.nans;
  }
  const std::optional<std::string> lower = lower_bound_bytes(type, statistics.min, mode);
  const std::optional<std::string> upper = upper_bound_bytes(type, statistics.max, mode);
  if (lower) column.lower = *lower;
  if (upper) column.upper = *upper;
  metrics.set(column);
}

}  // namespace meesh::lake
