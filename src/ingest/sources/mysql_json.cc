#include "ingest/sources/mysql_json.h"

#include <fmt/format.h>

#include <bit>
#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>
#include <cstdint>

#include "base/text.h"
#include "engine/catalogs/mysql_types.h"

namespace meesh::ingest::binlog {
namespace {

enum Kind : uint8_t {
  kSmallObject,
  kLargeObject,
  kSmallArray,
  kLargeArray,
  kLiteral,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kDouble,
  kString,
  kOpaque = 15,
};

constexpr int kDeepest = 100;

struct Malformed {};

std::string_view part(std::string_view bytes, size_t at, size_t count) {
  if (at > bytes.size() || count > bytes.size() - at) throw Malformed();
  return bytes.substr(at, count);
}

uint64_t little(std::string_view bytes, size_t at, size_t count) {
  uint64_t value = 0;
  const auto taken = part(bytes, at, count);
  for (size_t i = count; i > 0; --i) value = value << 8 | static_cast<unsigned char>(taken[i - 1]);
  return value;
}

std::string quoted(std::string_view text) {
  if (!base::valid_utf8(text)) throw Malformed();
  return boost::json::serialize(boost::json::string_view(text));
}

/// A text or opaque value with its length before it, seven bits a byte.
std::string_view sized(std::string_view bytes) {
  uint64_t length = 0;
  for (size_t i = 0; i < 5; ++i) {
    const uint64_t byte = little(bytes, i, 1);
    length |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return part(bytes, i + 1, length);
  }
  throw Malformed();
}

class Writer {
 public:
  void value(uint8_t kind, std::string_view bytes, int depth);
  std::string text;

 private:
  void container(bool object, bool large, std::string_view bytes, int depth);
  void entry(std::string_view bytes, size_t at, bool large, int depth);
  void literal(uint64_t word);
  void number(std::string_view bytes);
};

void Writer::literal(uint64_t word) {
  if (word > 2) throw Malformed();
  text += word == 0 ? "null" : word == 1 ? "true" : "false";
}

void Writer::number(std::string_view bytes) {
  text += fmt::format("{}", std::bit_cast<double>(little(bytes, 0, 8)));
  if (text.back() == 'f' || text.back() == 'n') throw Malformed();  // inf, nan
}

void Writer::value(uint8_t kind, std::string_view bytes, int depth) {
  if (depth > kDeepest) throw Malformed();
  switch (kind) {
    case kSmallObject:
    case kLargeObject:
    case kSmallArray:
    case kLargeArray:
      return container(kind <= kLargeObject, kind % 2 == 1, bytes, depth);
    case kLiteral:
      return literal(little(bytes, 0, 1));
    case kInt16:
      text += std::to_string(static_cast<int16_t>(little(bytes, 0, 2)));
      return;
    case kUint16:
      text += std::to_string(little(bytes, 0, 2));
      return;
    case kInt32:
      text += std::to_string(static_cast<int32_t>(little(bytes, 0, 4)));
      return;
    case kUint32:
      text += std::to_string(little(bytes, 0, 4));
      return;
    case kInt64:
      text += std::to_string(static_cast<int64_t>(little(bytes, 0, 8)));
      return;
    case kUint64:
      text += std::to_string(little(bytes, 0, 8));
      return;
    case kDouble:
      return number(bytes);
    case kString:
      text += quoted(sized(bytes));
      return;
    default:
      // Decimals and times, which JSON has no word for, and bytes: as hexadecimal digits.
      if (kind != kOpaque) throw Malformed();
      text +=
          quoted("base16:" + base::to_hex(sized(bytes.substr(std::min<size_t>(1, bytes.size())))));
  }
}

/// What stands in a container: small values themselves, others by their offset in it.
void Writer::entry(std::string_view bytes, size_t at, bool large, int depth) {
  const auto kind = static_cast<uint8_t>(little(bytes, at, 1));
  const bool here = kind == kLiteral || kind == kInt16 || kind == kUint16 ||
                    (large && (kind == kInt32 || kind == kUint32));
  if (here) return value(kind, part(bytes, at + 1, large ? 4 : 2), depth);
  const uint64_t offset = little(bytes, at + 1, large ? 4 : 2);
  // A value lies behind what tells of it: nothing can go round in circles.
  if (offset <= at || offset > bytes.size()) throw Malformed();
  value(kind, bytes.substr(offset), depth);
}

void Writer::container(bool object, bool large, std::string_view bytes, int depth) {
  const size_t word = large ? 4 : 2;
  const uint64_t count = little(bytes, 0, word), size = little(bytes, word, word);
  bytes = part(bytes, 0, size);
  const size_t keys = 2 * word, key_entry = word + 2, value_entry = 1 + word;
  const size_t values = keys + (object ? count * key_entry : 0);
  if (count > bytes.size() || text.size() > (64u << 20)) throw Malformed();
  text += object ? "{" : "[";
  for (uint64_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    if (object) {
      const uint64_t at = little(bytes, keys + i * key_entry, word);
      text += quoted(part(bytes, at, little(bytes, keys + i * key_entry + word, 2))) + ": ";
    }
    entry(bytes, values + i * value_entry, large, depth + 1);
  }
  text += object ? "}" : "]";
}

}  // namespace

std::optional<std::string> mysql_json_text(std::string_view bytes) {
  if (bytes.empty()) return "null";
  Writer writer;
  try {
    writer.value(static_cast<uint8_t>(bytes[0]), bytes.substr(1), 0);
  } catch (const Malformed&) {
    return std::nullopt;
  }
  return std::move(writer.text);
}

}  // namespace meesh::ingest::binlog
