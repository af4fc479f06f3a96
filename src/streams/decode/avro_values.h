// Values of Avro messages: passed over, and as JSON text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "streams/decode/avro_schema.h"

namespace meesh::streams {

/// A decimal's unscaled value, big-endian two's complement; nothing beyond 128 bits.
std::optional<__int128> read_unscaled(std::string_view bytes);

/// µs since 1970, or of the day, of a logical type that is a time; nothing if that is out of range.
std::optional<int64_t> micros_of_logical(AvroLogical logical, int64_t value);

/// Reads one message. Whatever is wrong with it is an Error. Nothing in it, however few bytes it
/// has, keeps us busy for long or fills the memory.
class AvroValues {
 public:
  AvroValues(const AvroMessageSchema& schema, size_t message_bytes)
      : schema_(schema), left_(message_bytes * 8 + 100'000) {}

  void skip(lake::AvroCursor& cursor, int node, int depth = 0);

  /// Records and maps as objects, bytes as base64, dates and times as ISO 8601, decimals as
  /// numbers, numbers that are none as text; a union's value as it stands, without its branch.
  void append_json(lake::AvroCursor& cursor, int node, std::string& out, int depth = 0);

 private:
  template <class Item>
  void each_item(lake::AvroCursor& cursor, bool is_map, Item&& item);
  void enter(int depth);
  void append_number(lake::AvroCursor& cursor, const AvroType& type, std::string& out);
  void append_bytes(std::string_view bytes, const AvroType& type, std::string& out);

  const AvroMessageSchema& schema_;
  size_t left_;  // values that may still come: records of records of nothing would have no end
};

}  // namespace meesh::streams
