// Protobuf messages as JSON text.
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <optional>
#include <string>

namespace meesh::streams {

/// A google.protobuf.Timestamp as µs since 1970; nothing outside of the years 1 to 9999.
std::optional<int64_t> micros_of_timestamp(const google::protobuf::Message& timestamp);
/// A confluent.type.Decimal as a number's text; nothing if it is none.
std::optional<std::string> decimal_of(const google::protobuf::Message& decimal);

/// As Protobuf's JSON mapping, with the fields' names of the .proto and 64-bit integers as numbers.
/// Fields without a value are left out. Throws BAD_REQUEST for what cannot be written.
void append_message(const google::protobuf::Message& message, std::string& out);
/// Lists, maps and messages of one field; a field with a single scalar too.
void append_field(const google::protobuf::Message& message,
                  const google::protobuf::FieldDescriptor& field, std::string& out);

}  // namespace meesh::streams
