// Airbyte's protocol: what a connector writes, one JSON object a line.
//
//   MessageReader reader;
//   const Message& message = reader.read(line, capacity);
//   if (message.type == Message::Type::kRecord) rows.put(message.data, …);
#pragma once

#include <simdjson.h>

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace meesh::ingest {

struct Message {
  enum class Type {
    kNone,  // not of the protocol: something printed it
    kRecord,
    kBroken,  // a record that is no JSON
    kState,
    kLog,
    kTrace,
    kControl,
    kSpec,
    kCatalog,
    kStatus,  // CONNECTION_STATUS
  };
  Type type = Type::kNone;
  // Of a record; valid as long as its line, and until the next one is read:
  std::string_view stream, name_space;
  std::string_view data;  // the object's text; of a broken one, the line
  /// Of all others, what stands under their own key: "state", "log", "trace", …
  boost::json::object body;
};

/// Used by one thread.
class MessageReader {
 public:
  /// `capacity`: bytes that may be read from the line's beginning, simdjson::SIMDJSON_PADDING more
  /// than it has.
  const Message& read(std::string_view line, size_t capacity);

 private:
  bool read_record(std::string_view line, size_t capacity);
  void read_other(std::string_view line);

  simdjson::ondemand::parser parser_;
  Message message_;
  std::string stream_, name_space_;
};

/// A member's text, number or object; "", nothing or an empty one if there is none such.
std::string text_of(const boost::json::object& object, std::string_view key);
double number_of(const boost::json::object& object, std::string_view key, double otherwise);
boost::json::object object_of(const boost::json::object& object, std::string_view key);

}  // namespace meesh::ingest
