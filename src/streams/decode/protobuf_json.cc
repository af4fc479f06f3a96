#include "streams/decode/protobuf_json.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include "base/error.h"
#include "base/text.h"
#include "ingest/decode/json_text.h"
#include "ingest/decode/numbers.h"
#include "ingest/decode/text_forms.h"
#include "lake/types.h"
#include "streams/decode/avro_values.h"
#include "streams/decode/protobuf_schema.h"

namespace meesh::streams {
namespace {

using ingest::append_json_number;
using ingest::append_quoted;
using ingest::instant_text;
using ingest::micros_of;
using ingest::sensible_moment;

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

constexpr int kMostScale = 1000;

[[noreturn]] void fail(std::string message) { throw Error(Code::kBadRequest, std::move(message)); }

void append_text(const Field& field, const std::string& value, std::string& out) {
  if (field.type() == Field::TYPE_BYTES) return append_quoted(base::to_base64(value), out);
  if (!base::valid_utf8(value)) fail(fmt::format("'{}' is not UTF-8", field.name()));
  append_quoted(value, out);
}

void append_enum(const Field& field, int number, std::string& out) {
  const auto* value = field.enum_type()->FindValueByNumber(number);
  if (value) return append_quoted(value->name(), out);
  out += std::to_string(number);  // of a newer schema
}

void append_special(const pb::Message& message, std::string& out) {
  std::string text;
  if (!pb::util::MessageToJsonString(message, &text).ok())
    fail(fmt::format("a {} cannot be written as JSON", message.GetDescriptor()->full_name()));
  out += text;
}

/// The value of a field that is no list; `index` is its place in one, or -1.
void append_one(const pb::Message& message, const Field& field, int index, std::string& out) {
  const auto& reflection = *message.GetReflection();
  const bool item = index >= 0;
  std::string scratch;
  switch (field.cpp_type()) {
    case Field::CPPTYPE_INT32:
      out += std::to_string(item ? reflection.GetRepeatedInt32(message, &field, index)
                                 : reflection.GetInt32(message, &field));
      return;
    case Field::CPPTYPE_INT64:
      out += std::to_string(item ? reflection.GetRepeatedInt64(message, &field, index)
                                 : reflection.GetInt64(message, &field));
      return;
    case Field::CPPTYPE_UINT32:
      out += std::to_string(item ? reflection.GetRepeatedUInt32(message, &field, index)
                                 : reflection.GetUInt32(message, &field));
      return;
    case Field::CPPTYPE_UINT64:
      out += std::to_string(item ? reflection.GetRepeatedUInt64(message, &field, index)
                                 : reflection.GetUInt64(message, &field));
      return;
    case Field::CPPTYPE_DOUBLE:
      return append_json_number(item ? reflection.GetRepeatedDouble(message, &field, index)
                                     : reflection.GetDouble(message, &field),
                                out);
    case Field::CPPTYPE_FLOAT:
      return append_json_number(item ? reflection.GetRepeatedFloat(message, &field, index)
                                     : reflection.GetFloat(message, &field),
                                out);
    case Field::CPPTYPE_BOOL:
      out += (item ? reflection.GetRepeatedBool(message, &field, index)
                   : reflection.GetBool(message, &field))
                 ? "true"
                 : "false";
      return;
    case Field::CPPTYPE_ENUM:
      return append_enum(field,
                         item ? reflection.GetRepeatedEnumValue(message, &field, index)
                              : reflection.GetEnumValue(message, &field),
                         out);
    case Field::CPPTYPE_STRING:
      return append_text(
          field,
          item ? reflection.GetRepeatedStringReference(message, &field, index, &scratch)
               : reflection.GetStringReference(message, &field, &scratch),
          out);
    case Field::CPPTYPE_MESSAGE:
      append_message(item ? reflection.GetRepeatedMessage(message, &field, index)
                          : reflection.GetMessage(message, &field),
                     out);
  }
}

/// JSON's member names are text, whatever the key's type.
void append_map(const pb::Message& message, const Field& field, std::string& out) {
  const auto& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, &field);
  out += '{';
  for (int i = 0; i < size; ++i) {
    const auto& entry = reflection.GetRepeatedMessage(message, &field, i);
    const auto& type = *field.message_type();
    std::string key;
    append_one(entry, *type.map_key(), -1, key);
    if (i > 0) out += ',';
    out += key.starts_with('"') ? key : '"' + key + '"';
    out += ':';
    append_one(entry, *type.map_value(), -1, out);
  }
  out += '}';
}

}  // namespace

std::optional<int64_t> micros_of_timestamp(const pb::Message& timestamp) {
  const auto& type = *timestamp.GetDescriptor();
  const auto& reflection = *timestamp.GetReflection();
  const auto* seconds = type.FindFieldByNumber(1);
  const auto* nanos = type.FindFieldByNumber(2);
  if (!seconds || !nanos || seconds->cpp_type() != Field::CPPTYPE_INT64 ||
      nanos->cpp_type() != Field::CPPTYPE_INT32)
    return std::nullopt;
  const auto whole = micros_of(reflection.GetInt64(timestamp, seconds), TimeFormat::kSeconds);
  const int32_t rest = reflection.GetInt32(timestamp, nanos);
  if (!whole || !sensible_moment(*whole) || rest < 0 || rest > 999'999'999) return std::nullopt;
  return *whole + rest / 1000;
}

std::optional<std::string> decimal_of(const pb::Message& decimal) {
  const auto& type = *decimal.GetDescriptor();
  const auto& reflection = *decimal.GetReflection();
  const auto* value = type.FindFieldByNumber(1);
  const auto* scale = type.FindFieldByNumber(3);
  if (!value || !scale || value->type() != Field::TYPE_BYTES ||
      scale->cpp_type() != Field::CPPTYPE_INT32)
    return std::nullopt;
  std::string scratch;
  const auto unscaled = read_unscaled(reflection.GetStringReference(decimal, value, &scratch));
  const int32_t digits = reflection.GetInt32(decimal, scale);
  if (!unscaled || digits < -kMostScale || digits > kMostScale) return std::nullopt;
  if (digits >= 0) return lake::decimal_text(*unscaled, digits);
  return *unscaled == 0
             ? "0"
             : lake::decimal_text(*unscaled, 0) + std::string(static_cast<size_t>(-digits), '0');
}

void append_message(const pb::Message& message, std::string& out) {
  const auto& type = *message.GetDescriptor();
  switch (meaning_of(type)) {
    case ProtobufMeaning::kTimestamp: {
      const auto micros = micros_of_timestamp(message);
      if (!micros) fail("a google.protobuf.Timestamp is out of range");
      return append_quoted(instant_text(*micros), out);
    }
    case ProtobufMeaning::kWrapper:
      return append_one(message, *type.field(0), -1, out);
    case ProtobufMeaning::kDecimal: {
      const auto text = decimal_of(message);
      if (!text) fail("a confluent.type.Decimal is none");
      out += *text;
      return;
    }
    case ProtobufMeaning::kDuration:
    case ProtobufMeaning::kJson:
      return append_special(message, out);
    case ProtobufMeaning::kMessage:
      break;
  }
  bool begun = false;
  out += '{';
  for (int i = 0; i < type.field_count(); ++i) {
    const Field& field = *type.field(i);
    if (field.has_presence() && !field.has_default_value() &&
        !message.GetReflection()->HasField(message, &field))
      continue;
    if (std::exchange(begun, true)) out += ',';
    append_quoted(field.name(), out);
    out += ':';
    append_field(message, field, out);
  }
  out += '}';
}

void append_field(const pb::Message& message, const Field& field, std::string& out) {
  if (field.is_map()) return append_map(message, field, out);
  if (!field.is_repeated()) return append_one(message, field, -1, out);
  const int size = message.GetReflection()->FieldSize(message, &field);
  out += '[';
  for (int i = 0; i < size; ++i) {
    if (i > 0) out += ',';
    append_one(message, field, i, out);
  }
  out += ']';
}

}  // namespace meesh::streams
