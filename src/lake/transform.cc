#include "lake/transform.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "lake/types_calendar.h"

namespace meesh::lake {
namespace {

constexpr std::array<std::pair<std::string_view, TransformKind>, 6> kPlain{{
    {"identity", TransformKind::kIdentity},
    {"year", TransformKind::kYear},
    {"month", TransformKind::kMonth},
    {"day", TransformKind::kDay},
    {"hour", TransformKind::kHour},
    {"void", TransformKind::kVoid},
}};

bool temporal(TypeKind kind) {
  return kind == TypeKind::kDate || kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampTz;
}

/// MurmurHash3, x86, 32 bits, seed 0.
int32_t murmur3(std::string_view bytes) {
  constexpr uint32_t kFirst = 0xcc9e2d51;
  constexpr uint32_t kSecond = 0x1b873593;
  const auto mix = [](uint32_t block) { return std::rotl(block * kFirst, 15) * kSecond; };
  uint32_t hash = 0;
  size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    uint32_t block = 0;
    std::memcpy(&block, bytes.data() + i, 4);
    hash = std::rotl(hash ^ mix(block), 13) * 5 + 0xe6546b64;
  }
  uint32_t tail = 0;
  for (size_t j = bytes.size(); j > i; --j) {
    tail = (tail << 8) | static_cast<uint8_t>(bytes[j - 1]);
  }
  hash ^= mix(tail) ^ static_cast<uint32_t>(bytes.size());
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return static_cast<int32_t>(hash ^ (hash >> 16));
}

int32_t hash_long(int64_t value) {
  std::array<char, sizeof(value)> bytes{};
  std::memcpy(bytes.data(), &value, sizeof(value));
  return murmur3({bytes.data(), bytes.size()});
}

/// The first `width` code points of well-formed UTF-8.
std::string_view first_code_points(std::string_view text, int width) {
  int seen = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool starts = (static_cast<uint8_t>(text[i]) & 0xc0) != 0x80;
    if (starts && seen++ == width) return text.substr(0, i);
  }
  return text;
}

Value truncate(int width, const Type& source, const Value& value) {
  if (source.kind == TypeKind::kString) {
    return std::string(first_code_points(std::get<std::string>(value), width));
  }
  if (source.kind == TypeKind::kBinary) {
    return std::get<std::string>(value).substr(0, static_cast<size_t>(width));
  }
  if (source.kind == TypeKind::kDecimal) {
    const Int128 unscaled = std::get<Int128>(value);
    return unscaled - (((unscaled % width) + width) % width);
  }
  const int64_t number = std::get<int64_t>(value);
  const int64_t down = ((number % width) + width) % width;
  // Next to the lowest number this goes round, as Java's arithmetic does.
  const auto result =
      static_cast<int64_t>(static_cast<uint64_t>(number) - static_cast<uint64_t>(down));
  return source.kind == TypeKind::kInt ? int64_t{static_cast<int32_t>(result)} : result;
}

int64_t days_in(const Type& source, int64_t value) {
  return source.kind == TypeKind::kDate ? value : floor_div(value, kMicrosPerDay);
}

Value calendar(TransformKind kind, const Type& source, int64_t value) {
  if (kind == TransformKind::kHour) return floor_div(value, kMicrosPerHour);
  const int64_t days = days_in(source, value);
  if (kind == TransformKind::kDay) return days;
  const CivilDate date = civil_date(days);
  const int64_t years = date.year - 1970;
  return kind == TransformKind::kYear ? years : years * 12 + date.month - 1;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j) {
      group = (group << 8) | (j < count ? static_cast<uint8_t>(bytes[i + j]) : 0U);
    }
    for (size_t j = 0; j < 4; ++j) {
      text.push_back(j <= count ? kDigits[(group >> (18 - 6 * j)) & 63] : '=');
    }
  }
  return text;
}

std::string day_text(int64_t days) {
  const CivilDate date = civil_date(days);
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

/// As java.time prints: no seconds if they and their fraction are zero, three or six digits.
std::string short_time(int64_t micros) {
  std::string text =
      fmt::format("{:02}:{:02}", micros / kMicrosPerHour, micros / (60 * kMicrosPerSecond) % 60);
  const int64_t seconds = micros / kMicrosPerSecond % 60;
  const int64_t fraction = micros % kMicrosPerSecond;
  if (seconds != 0 || fraction != 0) text += fmt::format(":{:02}", seconds);
  if (fraction % 1000 != 0) return text + fmt::format(".{:06}", fraction);
  return fraction == 0 ? text : text + fmt::format(".{:03}", fraction / 1000);
}

std::string identity_text(const Type& type, const Value& value) {
  switch (type.kind) {
    case TypeKind::kDate:
      return day_text(std::get<int64_t>(value));
    case TypeKind::kTime:
      return short_time(std::get<int64_t>(value));
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz: {
      const int64_t micros = std::get<int64_t>(value);
      const int64_t days = floor_div(micros, kMicrosPerDay);
      const std::string_view zone = type.kind == TypeKind::kTimestampTz ? "Z" : "";
      return fmt::format("{}T{}{}", day_text(days), short_time(micros - days * kMicrosPerDay),
                         zone);
    }
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return base64(std::get<std::string>(value));
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      std::string text = value_text(type, value);
      if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
      return text;
    }
    default:
      return value_text(type, value);
  }
}

}  // namespace

Transform parse_transform(std::string_view text) {
  for (const auto& [name, kind] : kPlain) {
    if (name == text) return {.kind = kind, .argument = 0, .name = ""};
  }
  for (const auto& [name, kind] :
       {std::pair{std::string_view("bucket["), TransformKind::kBucket},
        std::pair{std::string_view("truncate["), TransformKind::kTruncate}}) {
    if (!text.starts_with(name)) continue;
    const std::string_view rest = text.substr(name.size());
    int number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc() || number <= 0 ||
        std::string_view(end, rest.data() + rest.size()) != "]") {
      throw Error(
          Code::kIcebergInvalidMetadata,
          fmt::format("transform '{}' needs a positive number in brackets", text.substr(0, 80)));
    }
    return {.kind = kind, .argument = number, .name = ""};
  }
  return {.kind = TransformKind::kUnknown, .argument = 0, .name = std::string(text)};
}

std::string transform_name(const Transform& transform) {
  switch (transform.kind) {
    case TransformKind::kBucket:
      return fmt::format("bucket[{}]", transform.argument);
    case TransformKind::kTruncate:
      return fmt::format("truncate[{}]", transform.argument);
    case TransformKind::kUnknown:
      return transform.name;
    default:
      break;
  }
  for (const auto& [name, kind] : kPlain) {
    if (kind == transform.kind) return std::string(name);
  }
  internal_error("a transform without a name");
}

bool can_transform(const Transform& transform, const Type& source) {
  const TypeKind kind = source.kind;
  switch (transform.kind) {
    case TransformKind::kIdentity:
      return !source.nested();
    case TransformKind::kBucket:
      return !source.nested() && kind != TypeKind::kBoolean && kind != TypeKind::kFloat &&
             kind != TypeKind::kDouble;
    case TransformKind::kTruncate:
      return kind == TypeKind::kInt || kind == TypeKind::kLong || kind == TypeKind::kDecimal ||
             kind == TypeKind::kString || kind == TypeKind::kBinary;
    case TransformKind::kYear:
    case TransformKind::kMonth:
    case TransformKind::kDay:
      return temporal(kind);
    case TransformKind::kHour:
      return temporal(kind) && kind != TypeKind::kDate;
    case TransformKind::kVoid:
    case TransformKind::kUnknown:
      return true;
  }
  return false;
}

Type result_type(const Transform& transform, const Type& source) {
  switch (transform.kind) {
    case TransformKind::kIdentity:
    case TransformKind::kTruncate:
    case TransformKind::kVoid:
      return source;
    case TransformKind::kDay:
      return primitive_type(TypeKind::kDate);
    case TransformKind::kUnknown:
      return primitive_type(TypeKind::kString);
    default:
      return primitive_type(TypeKind::kInt);
  }
}

Value apply_transform(const Transform& transform, const Type& source, const Value& value) {
  if (transform.kind == TransformKind::kUnknown || !can_transform(transform, source)) {
    throw Error(Code::kInvalidArguments, fmt::format("transform {} cannot be applied to type {}",
                                                     transform_name(transform), type_name(source)));
  }
  if (is_null(value)) return {};
  switch (transform.kind) {
    case TransformKind::kIdentity:
      return value;
    case TransformKind::kBucket:
      return int64_t{(bucket_hash(source, value) & 0x7fffffff) % transform.argument};
    case TransformKind::kTruncate:
      return truncate(transform.argument, source, value);
    case TransformKind::kVoid:
      return {};
    default:
      return calendar(transform.kind, source, std::get<int64_t>(value));
  }
}

int32_t bucket_hash(const Type& source, const Value& value) {
  switch (source.kind) {
    case TypeKind::kBoolean:
      return hash_long(std::get<bool>(value) ? 1 : 0);
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      // One hash for both zeros and one for every NaN.
      double number = std::get<double>(value);
      if (number == 0) number = 0;
      return hash_long(std::isnan(number) ? 0x7ff8000000000000 : std::bit_cast<int64_t>(number));
    }
    case TypeKind::kDecimal:
    case TypeKind::kString:
    case TypeKind::kUuid:
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return murmur3(to_bytes(source, value));
    default:
      return hash_long(std::get<int64_t>(value));
  }
}

std::string transformed_text(const Transform& transform, const Type& source, const Value& value) {
  if (is_null(value)) return "null";
  const auto number = [&] { return std::get<int64_t>(value); };
  switch (transform.kind) {
    case TransformKind::kYear:
      return fmt::format("{:04}", 1970 + number());
    case TransformKind::kMonth: {
      const int64_t years = floor_div(number(), 12);
      return fmt::format("{:04}-{:02}", 1970 + years, number() - years * 12 + 1);
    }
    case TransformKind::kDay:
      return day_text(number());
    case TransformKind::kHour: {
      const int64_t days = floor_div(number(), 24);
      return fmt::format("{}-{:02}", day_text(days), number() - days * 24);
    }
    case TransformKind::kBucket:
      return fmt::format("{}", number());
    default:
      return identity_text(result_type(transform, source), value);
  }
}

}  // namespace meesh::lake
