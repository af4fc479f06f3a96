// Avro's JSON schemas, read and written.
#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <limits>
#include <map>
#include <set>

#include "base/error.h"
#include "lake/avro.h"

namespace meesh::lake {
namespace {

namespace json = boost::json;

constexpr int kMaxDepth = 64;
constexpr size_t kMaxNodes = 1 << 17;
constexpr size_t kMaxFixed = 1 << 20;

[[noreturn]] void fail(std::string message) {
  throw Error(Code::kIcebergInvalidMetadata, "the Avro schema is wrong: " + std::move(message));
}

constexpr std::array<std::pair<std::string_view, AvroKind>, 8> kPrimitives{{
    {"null", AvroKind::kNull},
    {"boolean", AvroKind::kBoolean},
    {"int", AvroKind::kInt},
    {"long", AvroKind::kLong},
    {"float", AvroKind::kFloat},
    {"double", AvroKind::kDouble},
    {"bytes", AvroKind::kBytes},
    {"string", AvroKind::kString},
}};

std::string_view text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return value->get_string();
}

/// Reads a schema into nodes; named types that are met again are the same node.
class SchemaParser {
 public:
  AvroSchema parse(std::string_view text) {
    json::parse_options options;
    options.max_depth = 2 * kMaxDepth;
    boost::system::error_code error;
    const json::value value = json::parse(text, error, {}, options);
    if (error) fail(error.message());
    schema_.root = type(value, 0, "");
    return std::move(schema_);
  }

 private:
  int add(AvroKind kind) {
    if (schema_.nodes.size() >= kMaxNodes) fail("it has too many types");
    schema_.nodes.push_back({.kind = kind});
    return static_cast<int>(schema_.nodes.size()) - 1;
  }
  AvroNode& at(int node) { return schema_.nodes[static_cast<size_t>(node)]; }

  int type(const json::value& value, int depth, const std::string& space) {
    if (depth > kMaxDepth) fail("it is nested too deeply");
    if (value.is_string()) return named(value.get_string(), space);
    if (value.is_array()) {
      const int node = add(AvroKind::kUnion);
      for (const json::value& branch : value.get_array()) {
        const int child = type(branch, depth + 1, space);
        at(node).children.push_back(child);
      }
      if (at(node).children.empty()) fail("a union has no branches");
      return node;
    }
    if (!value.is_object()) fail("a type is neither a name, nor a union, nor an object");
    return complex(value.get_object(), depth, space);
  }

  int named(std::string_view name, const std::string& space) {
    for (const auto& [text, kind] : kPrimitives) {
      if (text == name) return add(kind);
    }
    auto found = names_.find(full_name(name, space));
    if (found == names_.end()) found = names_.find(std::string(name));
    if (found == names_.end()) fail(fmt::format("there is no type '{}'", name));
    return found->second;
  }

  static std::string full_name(std::string_view name, std::string_view space) {
    if (space.empty() || name.find('.') != std::string_view::npos) return std::string(name);
    return fmt::format("{}.{}", space, name);
  }

  /// Names a type; the namespace for the types inside it.
  std::string declare(const json::object& object, int node, const std::string& outer) {
    const std::string_view name = text_of(object, "name");
    if (name.empty()) fail("a record, enum or fixed has no name");
    const std::string_view own = text_of(object, "namespace");
    const std::string full = full_name(name, own.empty() ? std::string_view(outer) : own);
    if (!names_.emplace(full, node).second) fail(fmt::format("'{}' is defined twice", full));
    const size_t dot = full.rfind('.');
    return dot == std::string::npos ? std::string() : full.substr(0, dot);
  }

  int complex(const json::object& object, int depth, const std::string& space) {
    const json::value* kind = object.if_contains("type");
    if (kind == nullptr) fail("an object has no \"type\"");
    if (!kind->is_string()) return type(*kind, depth + 1, space);
    const std::string_view name = kind->get_string();
    int node = 0;
    if (name == "record" || name == "error") {
      node = record(object, depth, space);
    } else if (name == "array" || name == "map") {
      const json::value* items = object.if_contains(name == "array" ? "items" : "values");
      if (items == nullptr) fail(fmt::format("the {} has no type inside", name));
      node = add(name == "array" ? AvroKind::kArray : AvroKind::kMap);
      const int child = type(*items, depth + 1, space);
      at(node).children.push_back(child);
    } else if (name == "fixed") {
      const json::value* size = object.if_contains("size");
      if (size == nullptr || !size->is_int64() || size->get_int64() < 0 ||
          size->get_int64() > static_cast<int64_t>(kMaxFixed)) {
        fail("a fixed has no size, or one out of range");
      }
      node = add(AvroKind::kFixed);
      at(node).size = static_cast<size_t>(size->get_int64());
      declare(object, node, space);
    } else if (name == "enum") {
      node = add(AvroKind::kEnum);
      declare(object, node, space);
    } else {
      node = named(name, space);
      // A name that was met before is that type as it stands; its attributes are its own.
      if (at(node).kind >= AvroKind::kFixed) return node;
    }
    at(node).logical = text_of(object, "logicalType");
    return node;
  }

  int record(const json::object& object, int depth, const std::string& space) {
    const int node = add(AvroKind::kRecord);
    const std::string inner = declare(object, node, space);
    const json::value* fields = object.if_contains("fields");
    if (fields == nullptr || !fields->is_array()) fail("a record has no \"fields\"");
    for (const json::value& value : fields->get_array()) {
      if (!value.is_object()) fail("a field is no object");
      const json::object& in = value.get_object();
      AvroField field{.name = std::string(text_of(in, "iceberg-field-name"))};
      if (field.name.empty()) field.name = text_of(in, "name");
      const json::value* type_value = in.if_contains("type");
      if (field.name.empty() || type_value == nullptr) fail("a field has no name or no type");
      const json::value* id = in.if_contains("field-id");
      if (id != nullptr && id->is_int64() && id->get_int64() >= 0 &&
          id->get_int64() <= std::numeric_limits<int>::max()) {
        field.id = static_cast<int>(id->get_int64());
      }
      field.node = type(*type_value, depth + 1, inner);
      at(node).fields.push_back(std::move(field));
    }
    return node;
  }

  AvroSchema schema_;
  std::map<std::string, int, std::less<>> names_;
};

/// Iceberg types as Avro's. Fixed types of one name are written once, then named.
class SchemaWriter {
 public:
  json::object record(std::string_view name, const std::vector<Field>& fields) {
    json::array out;
    for (const Field& field : fields) {
      const std::string avro = avro_name(field.name);
      json::object entry{{"name", avro}, {"type", optional(field)}};
      if (!field.doc.empty()) entry["doc"] = field.doc;
      if (!field.required) entry["default"] = nullptr;
      if (avro != field.name) entry["iceberg-field-name"] = field.name;
      entry["field-id"] = field.id;
      out.push_back(std::move(entry));
    }
    return {{"type", "record"}, {"name", name}, {"fields", std::move(out)}};
  }

 private:
  json::value optional(const Field& field) {
    json::value inner = type(field.type, field.id);
    if (field.required) return inner;
    return json::array{"null", std::move(inner)};
  }

  /// Each under a name of its own: not every reader knows that a name may stand for its type.
  json::value fixed(const std::string& base, int size, json::object attributes) {
    std::string name = base;
    for (int n = 2; !fixed_.insert(name).second; ++n) name = fmt::format("{}_{}", base, n);
    json::object out{{"type", "fixed"}, {"name", name}, {"size", size}};
    for (auto& [key, value] : attributes) out[key] = value;
    return out;
  }

  static json::value logical(std::string_view type, std::string_view name) {
    return json::object{{"type", type}, {"logicalType", name}};
  }

  static json::value timestamp(bool utc) {
    return json::object{
        {"type", "long"}, {"logicalType", "timestamp-micros"}, {"adjust-to-utc", utc}};
  }

  json::value type(const Type& type, int field_id) {
    switch (type.kind) {
      case TypeKind::kBoolean:
        return "boolean";
      case TypeKind::kInt:
        return "int";
      case TypeKind::kLong:
        return "long";
      case TypeKind::kFloat:
        return "float";
      case TypeKind::kDouble:
        return "double";
      case TypeKind::kDate:
        return logical("int", "date");
      case TypeKind::kTime:
        return logical("long", "time-micros");
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampTz:
        return timestamp(type.kind == TypeKind::kTimestampTz);
      case TypeKind::kString:
        return "string";
      case TypeKind::kBinary:
        return "bytes";
      case TypeKind::kUuid:
        return fixed("uuid_fixed", 16, {{"logicalType", "uuid"}});
      case TypeKind::kFixed:
        return fixed(fmt::format("fixed_{}", type.length), type.length, {});
      case TypeKind::kDecimal:
        return fixed(
            fmt::format("decimal_{}_{}", type.precision, type.scale), decimal_bytes(type.precision),
            {{"logicalType", "decimal"}, {"precision", type.precision}, {"scale", type.scale}});
      case TypeKind::kStruct:
        return record(fmt::format("r{}", field_id), type.fields);
      case TypeKind::kList:
        return json::object{{"type", "array"},
                            {"items", optional(type.fields.at(0))},
                            {"element-id", type.fields.at(0).id}};
      case TypeKind::kMap:
        return map(type);
    }
    internal_error("a type without an Avro type");
  }

  json::value map(const Type& type) {
    const Field& key = type.fields.at(0);
    const Field& value = type.fields.at(1);
    if (key.type.kind == TypeKind::kString) {
      return json::object{
          {"type", "map"}, {"values", optional(value)}, {"key-id", key.id}, {"value-id", value.id}};
    }
    return json::object{{"type", "array"},
                        {"items", record(fmt::format("k{}_v{}", key.id, value.id), type.fields)},
                        {"logicalType", "map"}};
  }

  std::set<std::string> fixed_;
};

/// One code point and how many bytes it has; a byte that is no UTF-8 counts as itself.
std::pair<uint32_t, size_t> code_point(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  const size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (size == 1 || size > text.size() || first < 0xC0) return {first, 1};
  uint32_t out = first & (0x7FU >> size);
  for (size_t i = 1; i < size; ++i) out = out << 6 | (byte(i) & 0x3FU);
  return {out, size};
}

}  // namespace

AvroSchema parse_avro_schema(std::string_view text) { return SchemaParser().parse(text); }

std::string avro_schema_json(const std::vector<Field>& fields, std::string_view name) {
  return json::serialize(SchemaWriter().record(name, fields));
}

std::string avro_name(std::string_view name) {
  const auto letter = [](uint32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto digit = [](uint32_t c) { return c >= '0' && c <= '9'; };
  std::string out;
  for (size_t at = 0; at < name.size();) {
    const auto [code, size] = code_point(name.substr(at));
    if (letter(code) || (digit(code) && at > 0)) {
      out += static_cast<char>(code);
    } else if (digit(code)) {
      out += fmt::format("_{}", static_cast<char>(code));
    } else if (code > 0xFFFF) {
      // Java sees two UTF-16 halves.
      const uint32_t rest = code - 0x10000;
      out += fmt::format("_x{:X}_x{:X}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
    } else {
      out += fmt::format("_x{:X}", code);
    }
    at += size;
  }
  return out.empty() ? "_" : out;
}

int decimal_bytes(int precision) {
  // Fewest bytes whose largest signed number has that many nines.
  Int128 nines = 0;
  for (int i = 0; i < precision; ++i) nines = nines * 10 + 9;
  int bytes = 1;
  for (Int128 largest = 127; bytes < 16 && largest < nines; ++bytes) largest = largest * 256 + 255;
  return bytes;
}

}  // namespace meesh::lake
