#include "streams/decode/avro_values.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "ingest/decode/json_text.h"
#include "ingest/decode/numbers.h"
#include "ingest/decode/text_forms.h"
#include "lake/types.h"

namespace meesh::streams {
namespace {

using ingest::append_json_number;
using ingest::append_quoted;
using ingest::day_text;
using ingest::instant_text;
using ingest::is_time_of_day;
using ingest::micros_of;
using ingest::sensible_day;
using ingest::sensible_moment;
using ingest::time_text;
using ingest::uuid_text;
using lake::AvroCursor;
using lake::AvroKind;

constexpr int kMaxDepth = 64;

[[noreturn]] void fail(std::string message) { throw Error(Code::kBadRequest, std::move(message)); }

void check_utf8(std::string_view text) {
  if (!base::valid_utf8(text)) fail("a string is not UTF-8");
}

}  // namespace

std::optional<__int128> read_unscaled(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  const bool negative = (static_cast<uint8_t>(bytes[0]) & 0x80) != 0;
  const char filler = negative ? '\xFF' : '\0';
  while (bytes.size() > 16) {
    if (bytes[0] != filler || ((static_cast<uint8_t>(bytes[1]) & 0x80) != 0) != negative)
      return std::nullopt;
    bytes.remove_prefix(1);
  }
  unsigned __int128 value = negative ? ~static_cast<unsigned __int128>(0) : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return static_cast<__int128>(value);
}

std::optional<int64_t> micros_of_logical(AvroLogical logical, int64_t value) {
  switch (logical) {
    case AvroLogical::kTimeMillis:
    case AvroLogical::kTimestampMillis:
      return micros_of(value, TimeFormat::kMillis);
    case AvroLogical::kTimestampNanos:
      return value / 1000 - (value % 1000 < 0 ? 1 : 0);
    default:
      return value;
  }
}

void AvroValues::enter(int depth) {
  if (depth > kMaxDepth) fail("it is nested too deeply");
  if (left_ == 0) fail("it has too many values without bytes");
  --left_;
}

template <class Item>
void AvroValues::each_item(AvroCursor& cursor, bool is_map, Item&& item) {
  while (const int64_t count = cursor.read_block()) {
    for (int64_t i = 0; i < count; ++i) {
      // Each item must take a byte, else a small message could keep us busy for long.
      const size_t before = cursor.remaining();
      item(is_map ? cursor.read_bytes() : std::string_view());
      if (cursor.remaining() == before) fail("an array's items have no bytes");
    }
  }
}

void AvroValues::skip(AvroCursor& cursor, int node, int depth) {
  enter(depth);
  const AvroType& type = schema_[node];
  switch (type.kind) {
    case AvroKind::kNull:
      return;
    case AvroKind::kBoolean:
      cursor.read_boolean();
      return;
    case AvroKind::kInt:
      cursor.read_int();
      return;
    case AvroKind::kLong:
      cursor.read_long();
      return;
    case AvroKind::kEnum:
      cursor.read_branch(type.symbols.size());
      return;
    case AvroKind::kFloat:
      cursor.read_fixed(4);
      return;
    case AvroKind::kDouble:
      cursor.read_fixed(8);
      return;
    case AvroKind::kBytes:
      cursor.read_bytes();
      return;
    case AvroKind::kString:
      check_utf8(cursor.read_bytes());
      return;
    case AvroKind::kFixed:
      cursor.read_fixed(type.size);
      return;
    case AvroKind::kRecord:
      for (const auto& field : type.fields) skip(cursor, field.node, depth + 1);
      return;
    case AvroKind::kArray:
    case AvroKind::kMap:
      each_item(cursor, type.kind == AvroKind::kMap, [&](std::string_view key) {
        check_utf8(key);
        skip(cursor, type.children[0], depth + 1);
      });
      return;
    case AvroKind::kUnion:
      skip(cursor, type.children[static_cast<size_t>(cursor.read_branch(type.children.size()))],
           depth + 1);
  }
}

void AvroValues::append_json(AvroCursor& cursor, int node, std::string& out, int depth) {
  enter(depth);
  const AvroType& type = schema_[node];
  switch (type.kind) {
    case AvroKind::kNull:
      out += "null";
      return;
    case AvroKind::kBoolean:
      out += cursor.read_boolean() ? "true" : "false";
      return;
    case AvroKind::kInt:
    case AvroKind::kLong:
      return append_number(cursor, type, out);
    case AvroKind::kEnum:
      return append_quoted(
          type.symbols[static_cast<size_t>(cursor.read_branch(type.symbols.size()))], out);
    case AvroKind::kFloat:
      return append_json_number(cursor.read_float(), out);
    case AvroKind::kDouble:
      return append_json_number(cursor.read_double(), out);
    case AvroKind::kBytes:
      return append_bytes(cursor.read_bytes(), type, out);
    case AvroKind::kFixed:
      return append_bytes(cursor.read_fixed(type.size), type, out);
    case AvroKind::kString: {
      const auto text = cursor.read_bytes();
      check_utf8(text);
      return append_quoted(text, out);
    }
    case AvroKind::kRecord:
      out += '{';
      for (const auto& field : type.fields) {
        if (&field != type.fields.data()) out += ',';
        append_quoted(field.name, out);
        out += ':';
        append_json(cursor, field.node, out, depth + 1);
      }
      out += '}';
      return;
    case AvroKind::kArray:
    case AvroKind::kMap: {
      const bool is_map = type.kind == AvroKind::kMap;
      bool begun = false;
      out += is_map ? '{' : '[';
      each_item(cursor, is_map, [&](std::string_view key) {
        if (std::exchange(begun, true)) out += ',';
        if (is_map) {
          check_utf8(key);
          append_quoted(key, out);
          out += ':';
        }
        append_json(cursor, type.children[0], out, depth + 1);
      });
      out += is_map ? '}' : ']';
      return;
    }
    case AvroKind::kUnion:
      append_json(cursor,
                  type.children[static_cast<size_t>(cursor.read_branch(type.children.size()))], out,
                  depth + 1);
  }
}

void AvroValues::append_number(AvroCursor& cursor, const AvroType& type, std::string& out) {
  const int64_t value = type.kind == AvroKind::kInt ? cursor.read_int() : cursor.read_long();
  if (type.logical == AvroLogical::kNone) {
    out += fmt::format_int(value).c_str();
    return;
  }
  if (type.logical == AvroLogical::kDate) {
    if (!sensible_day(value)) fail(fmt::format("{} is no date", value));
    return append_quoted(day_text(value), out);
  }
  const auto micros = micros_of_logical(type.logical, value);
  if (type.logical == AvroLogical::kTimeMillis || type.logical == AvroLogical::kTimeMicros) {
    if (!micros || !is_time_of_day(*micros)) fail(fmt::format("{} is no time of day", value));
    return append_quoted(time_text(*micros), out);
  }
  if (!micros || !sensible_moment(*micros)) fail(fmt::format("{} is no timestamp", value));
  append_quoted(instant_text(*micros), out);
}

void AvroValues::append_bytes(std::string_view bytes, const AvroType& type, std::string& out) {
  if (type.logical == AvroLogical::kDecimal) {
    const auto unscaled = read_unscaled(bytes);
    if (!unscaled) fail("a decimal has no bytes, or more than 16");
    out += lake::decimal_text(*unscaled, type.scale);
  } else if (type.logical == AvroLogical::kUuid) {
    append_quoted(uuid_text(bytes), out);
  } else {
    append_quoted(base::to_base64(bytes), out);
  }
}

}  // namespace meesh::streams
