#include "ingest/airbyte/messages.h"

#include <array>
#include <boost/json.hpp>
#include <utility>

namespace meesh::ingest {
namespace {

namespace json = boost::json;
using Type = Message::Type;

struct Kind {
  std::string_view word, key;
  Type type;
};
constexpr std::array<Kind, 8> kKinds = {{
    {"RECORD", "record", Type::kRecord},
    {"STATE", "state", Type::kState},
    {"LOG", "log", Type::kLog},
    {"TRACE", "trace", Type::kTrace},
    {"CONTROL", "control", Type::kControl},
    {"SPEC", "spec", Type::kSpec},
    {"CATALOG", "catalog", Type::kCatalog},
    {"CONNECTION_STATUS", "connectionStatus", Type::kStatus},
}};

/// Messages beside records are read as a tree; one that nests deeper is none.
constexpr size_t kMaxDepth = 100;

/// A row must not be lost as something that was only printed.
bool is_like_a_record(std::string_view line) {
  constexpr size_t kHead = 100;
  return line.substr(0, kHead).find("\"RECORD\"") != std::string_view::npos;
}

}  // namespace

const Message& MessageReader::read(std::string_view line, size_t capacity) {
  message_.type = Type::kNone;
  message_.body.clear();
  if (!line.starts_with('{')) return message_;
  if (!read_record(line, capacity)) read_other(line);
  if (message_.type == Type::kNone && is_like_a_record(line)) {
    message_.type = Type::kBroken;
    message_.data = line;
  }
  return message_;
}

/// Nearly all messages are records. False if this is none, or not well-formed as far as that shows.
bool MessageReader::read_record(std::string_view line, size_t capacity) {
  simdjson::ondemand::document document;
  std::string_view type;
  simdjson::ondemand::object record, data;
  if (parser_.iterate(line.data(), line.size(), capacity).get(document) ||
      document.find_field_unordered("type").get_string().get(type) || type != "RECORD")
    return false;
  if (document.find_field_unordered("record").get_object().get(record)) return false;
  std::string_view text;
  if (record.find_field_unordered("stream").get_string().get(text)) return false;
  stream_ = text;
  name_space_.clear();
  if (record.find_field_unordered("namespace").get_string().get(text) == simdjson::SUCCESS)
    name_space_ = text;
  if (record.find_field_unordered("data").get_object().get(data) ||
      data.raw_json().get(message_.data))
    return false;
  message_.type = Type::kRecord;
  message_.stream = stream_;
  message_.name_space = name_space_;
  return true;
}

void MessageReader::read_other(std::string_view line) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code malformed;
  const auto value = json::parse(line, malformed, {}, options);
  if (malformed || !value.is_object()) return;
  const auto& object = value.as_object();
  const auto* type = object.if_contains("type");
  if (!type || !type->is_string()) return;
  for (const auto& kind : kKinds) {
    if (type->as_string() != kind.word || kind.type == Type::kRecord) continue;
    const auto* body = object.if_contains(kind.key);
    if (!body || !body->is_object()) return;
    message_.type = kind.type;
    message_.body = body->as_object();
  }
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->as_string()) : "";
}

double number_of(const json::object& object, std::string_view key, double otherwise) {
  const auto* value = object.if_contains(key);
  return value && value->is_number() ? value->to_number<double>() : otherwise;
}

json::object object_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_object() ? value->as_object() : json::object();
}

}  // namespace meesh::ingest
