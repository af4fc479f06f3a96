#include "streams/decode/avro_schema.h"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <map>
#include <set>

#include "base/error.h"
#include "streams/decode/member_tree.h"

namespace meesh::streams {
namespace {

namespace json = boost::json;
using lake::AvroKind;

constexpr int kMaxDepth = 64;
constexpr size_t kMaxNodes = 1 << 16;
constexpr int64_t kMaxFixed = 1 << 20;
constexpr int kMostDigits = 38;

[[noreturn]] void fail(std::string message) {
  throw Error(Code::kConfigInvalid, "the Avro schema is wrong: " + std::move(message));
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
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

int64_t number_of(const json::object& object, std::string_view key, int64_t otherwise) {
  const json::value* value = object.if_contains(key);
  return value && value->is_int64() ? value->get_int64() : otherwise;
}

std::vector<std::string> texts_of(const json::object& object, std::string_view key) {
  std::vector<std::string> out;
  const json::value* value = object.if_contains(key);
  if (!value || !value->is_array()) return out;
  for (const auto& one : value->get_array())
    if (one.is_string()) out.emplace_back(one.get_string());
  return out;
}

/// The logical type, if it is one that stands on this kind.
AvroLogical logical_of(std::string_view name, AvroKind kind, size_t size) {
  const bool is_long = kind == AvroKind::kLong;
  if (name == "decimal" && (kind == AvroKind::kBytes || kind == AvroKind::kFixed))
    return AvroLogical::kDecimal;
  if (name == "uuid" && (kind == AvroKind::kString || (kind == AvroKind::kFixed && size == 16)))
    return AvroLogical::kUuid;
  if (kind == AvroKind::kInt) {
    if (name == "date") return AvroLogical::kDate;
    if (name == "time-millis") return AvroLogical::kTimeMillis;
  }
  if (!is_long) return AvroLogical::kNone;
  if (name.starts_with("local-timestamp-")) name.remove_prefix(6);
  if (name == "time-micros") return AvroLogical::kTimeMicros;
  if (name == "timestamp-millis") return AvroLogical::kTimestampMillis;
  if (name == "timestamp-micros") return AvroLogical::kTimestampMicros;
  if (name == "timestamp-nanos") return AvroLogical::kTimestampNanos;
  return AvroLogical::kNone;
}

/// Reads schemas into nodes; a named type that is met again is the same node.
class SchemaParser {
 public:
  AvroMessageSchema parse(const RegisteredSchema& schema) {
    for (const auto& [name, text] : schema.references) type(value_of(text), 0, "");
    schema_.root = type(value_of(schema.text), 0, "");
    return std::move(schema_);
  }

 private:
  static json::value value_of(std::string_view text) {
    json::parse_options options;
    options.max_depth = 2 * kMaxDepth;
    json::error_code error;
    json::value value = json::parse(text, error, {}, options);
    // A schema may be a bare name: registries give "string" with or without its quotes.
    if (error && !text.empty() && text.find_first_not_of("abcdefghilnorstuy") == text.npos)
      return json::value(text);
    if (error) fail(error.message());
    return value;
  }

  int add(AvroKind kind) {
    if (schema_.nodes.size() >= kMaxNodes) fail("it has too many types");
    schema_.nodes.push_back({.kind = kind});
    return static_cast<int>(schema_.nodes.size()) - 1;
  }
  AvroType& at(int node) { return schema_.nodes[static_cast<size_t>(node)]; }

  int type(const json::value& value, int depth, const std::string& space) {
    if (depth > kMaxDepth) fail("it is nested too deeply");
    if (value.is_string()) return named(value.get_string(), space);
    if (value.is_object()) return complex(value.get_object(), depth, space);
    if (!value.is_array()) fail("a type is neither a name, nor a union, nor an object");
    const int node = add(AvroKind::kUnion);
    for (const json::value& branch : value.get_array()) {
      const int child = type(branch, depth + 1, space);
      if (at(child).kind == AvroKind::kUnion) fail("a union stands in a union");
      at(node).children.push_back(child);
    }
    if (at(node).children.empty()) fail("a union has no branches");
    return node;
  }

  int named(std::string_view name, const std::string& space) {
    for (const auto& [text, kind] : kPrimitives)
      if (text == name) return add(kind);
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
    if (name == "record" || name == "error") return record(object, depth, space);
    if (name == "array" || name == "map") {
      const json::value* items = object.if_contains(name == "array" ? "items" : "values");
      if (items == nullptr) fail(fmt::format("the {} has no type inside", name));
      const int node = add(name == "array" ? AvroKind::kArray : AvroKind::kMap);
      const int child = type(*items, depth + 1, space);
      at(node).children.push_back(child);
      return node;
    }
    int node = 0;
    if (name == "enum") {
      node = add(AvroKind::kEnum);
      declare(object, node, space);
      at(node).symbols = texts_of(object, "symbols");
      if (at(node).symbols.empty()) fail("an enum has no symbols");
      return node;
    }
    if (name == "fixed") {
      const int64_t size = number_of(object, "size", -1);
      if (size < 0 || size > kMaxFixed) fail("a fixed has no size, or one out of range");
      node = add(AvroKind::kFixed);
      at(node).size = static_cast<size_t>(size);
      declare(object, node, space);
    } else {
      node = named(name, space);
      // A name that was met before is that type as it stands.
      if (at(node).kind >= AvroKind::kFixed) return node;
    }
    set_logical(at(node), object);
    return node;
  }

  static void set_logical(AvroType& type, const json::object& object) {
    type.logical = logical_of(text_of(object, "logicalType"), type.kind, type.size);
    if (type.logical != AvroLogical::kDecimal) return;
    const int64_t precision = number_of(object, "precision", 0);
    const int64_t scale = number_of(object, "scale", 0);
    if (precision < 1 || precision > kMostDigits || scale < 0 || scale > precision) {
      type.logical = AvroLogical::kNone;
      return;
    }
    type.precision = static_cast<int>(precision);
    type.scale = static_cast<int>(scale);
  }

  int record(const json::object& object, int depth, const std::string& space) {
    const int node = add(AvroKind::kRecord);
    const std::string inner = declare(object, node, space);
    const json::value* fields = object.if_contains("fields");
    if (fields == nullptr || !fields->is_array()) fail("a record has no \"fields\"");
    for (const json::value& value : fields->get_array()) {
      if (!value.is_object()) fail("a field is no object");
      const json::object& in = value.get_object();
      AvroMember field{.name = std::string(text_of(in, "name")),
                       .aliases = texts_of(in, "aliases")};
      const json::value* type_value = in.if_contains("type");
      if (field.name.empty() || type_value == nullptr) fail("a field has no name or no type");
      if (const auto* otherwise = in.if_contains("default")) field.otherwise = *otherwise;
      field.node = type(*type_value, depth + 1, inner);
      at(node).fields.push_back(std::move(field));
    }
    return node;
  }

  AvroMessageSchema schema_;
  std::map<std::string, int, std::less<>> names_;
};

/// The bytes of a default: code points up to 255 stand for bytes.
std::string bytes_of_default(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte < 0x80) {
      out += text[i];
    } else if ((byte == 0xC2 || byte == 0xC3) && i + 1 < text.size()) {
      out += static_cast<char>((byte & 3) << 6 | (static_cast<uint8_t>(text[++i]) & 0x3F));
    } else {
      fail("a default of bytes has characters beyond 255");
    }
  }
  return out;
}

class DefaultWriter {
 public:
  DefaultWriter(const AvroMessageSchema& schema, std::string& out) : schema_(schema), to_(out) {}

  void put(int node, const json::value& value, int depth = 0) {
    if (depth > kMaxDepth) fail("a default is nested too deeply");
    const AvroType& type = schema_[node];
    switch (type.kind) {
      case AvroKind::kNull:
        return expect(value.is_null());
      case AvroKind::kBoolean:
        expect(value.is_bool());
        return to_.put_boolean(value.get_bool());
      case AvroKind::kInt:
      case AvroKind::kLong:
        expect(value.is_int64());
        return to_.put_long(value.get_int64());
      case AvroKind::kFloat:
        return to_.put_float(static_cast<float>(number(value)));
      case AvroKind::kDouble:
        return to_.put_double(number(value));
      case AvroKind::kBytes:
        return to_.put_bytes(bytes_of_default(text(value)));
      case AvroKind::kString:
        return to_.put_bytes(text(value));
      case AvroKind::kFixed: {
        const std::string bytes = bytes_of_default(text(value));
        expect(bytes.size() == type.size);
        return to_.put_fixed(bytes);
      }
      case AvroKind::kEnum: {
        const auto found = std::ranges::find(type.symbols, text(value));
        expect(found != type.symbols.end());
        return to_.put_long(found - type.symbols.begin());
      }
      case AvroKind::kUnion:
        return put_union(type, value, depth);
      default:
        return put_composite(type, value, depth);
    }
  }

 private:
  static void expect(bool fits) {
    if (!fits) fail("a default is not of its field's type");
  }
  static std::string_view text(const json::value& value) {
    expect(value.is_string());
    return value.get_string();
  }
  static double number(const json::value& value) {
    expect(value.is_number());
    return value.to_number<double>();
  }

  /// Of the first branch; since 1.12 of any, and null is always tried.
  void put_union(const AvroType& type, const json::value& value, int depth) {
    size_t branch = 0;
    for (size_t i = 0; i < type.children.size(); ++i) {
      if (value.is_null() == (schema_[type.children[i]].kind == AvroKind::kNull)) {
        branch = i;
        break;
      }
    }
    to_.put_long(static_cast<int64_t>(branch));
    put(type.children[branch], value, depth + 1);
  }

  void put_composite(const AvroType& type, const json::value& value, int depth) {
    if (type.kind == AvroKind::kRecord) {
      expect(value.is_object());
      for (const auto& field : type.fields) {
        const auto* given = value.get_object().if_contains(field.name);
        expect(given != nullptr || field.otherwise.has_value());
        put(field.node, given ? *given : *field.otherwise, depth + 1);
      }
    } else if (type.kind == AvroKind::kArray) {
      expect(value.is_array());
      if (!value.get_array().empty()) to_.put_long(static_cast<int64_t>(value.get_array().size()));
      for (const auto& item : value.get_array()) put(type.children[0], item, depth + 1);
      to_.put_long(0);
    } else {
      expect(value.is_object());
      if (!value.get_object().empty())
        to_.put_long(static_cast<int64_t>(value.get_object().size()));
      for (const auto& [key, item] : value.get_object()) {
        to_.put_bytes(key);
        put(type.children[0], item, depth + 1);
      }
      to_.put_long(0);
    }
  }

  const AvroMessageSchema& schema_;
  lake::AvroEncoder to_;
};

/// SQL's type of a schema's; types inside themselves, and unions of several, are json.
class TypeReader {
 public:
  explicit TypeReader(const AvroMessageSchema& schema) : schema_(schema) {}

  sql::Type of(int node) {
    using sql::Type, sql::TypeKind;
    const AvroType& type = schema_[node];
    switch (type.logical) {
      case AvroLogical::kDecimal:
        return Type::decimal(type.precision, type.scale);
      case AvroLogical::kDate:
        return Type::of(TypeKind::kDate);
      case AvroLogical::kTimeMillis:
        return Type::of(TypeKind::kTime, 3);
      case AvroLogical::kTimeMicros:
        return Type::of(TypeKind::kTime, 6);
      case AvroLogical::kTimestampMillis:
        return Type::of(TypeKind::kTimestamp, 3);
      case AvroLogical::kTimestampMicros:
      case AvroLogical::kTimestampNanos:
        return Type::of(TypeKind::kTimestamp, 6);
      case AvroLogical::kUuid:
        return Type::of(TypeKind::kUuid);
      case AvroLogical::kNone:
        break;
    }
    switch (type.kind) {
      case AvroKind::kBoolean:
        return Type::of(TypeKind::kBoolean);
      case AvroKind::kInt:
        return Type::of(TypeKind::kInteger);
      case AvroKind::kLong:
        return Type::of(TypeKind::kBigint);
      case AvroKind::kFloat:
        return Type::of(TypeKind::kReal);
      case AvroKind::kDouble:
        return Type::of(TypeKind::kDouble);
      case AvroKind::kBytes:
      case AvroKind::kFixed:
        return Type::of(TypeKind::kVarbinary);
      case AvroKind::kNull:
      case AvroKind::kString:
      case AvroKind::kEnum:
        return Type::varchar();
      default:
        return of_composite(type, node);
    }
  }

 private:
  sql::Type of_composite(const AvroType& type, int node) {
    using sql::Type, sql::TypeKind;
    if (type.kind == AvroKind::kUnion) {
      std::vector<int> others;
      for (const int branch : type.children)
        if (schema_[branch].kind != AvroKind::kNull) others.push_back(branch);
      return others.size() == 1 ? of(others[0])
                                : Type::of(others.empty() ? TypeKind::kVarchar : TypeKind::kJson);
    }
    if (!inside_.insert(node).second) return Type::of(TypeKind::kJson);
    Type out;
    if (type.kind == AvroKind::kArray) {
      out = Type::array(of(type.children[0]));
    } else if (type.kind == AvroKind::kMap) {
      out = Type::map(Type::varchar(), of(type.children[0]));
    } else if (type.fields.empty()) {
      out = Type::of(TypeKind::kJson);
    } else {
      std::vector<std::string> names;
      std::vector<Type> types;
      for (const auto& field : type.fields) {
        names.push_back(field.name);
        types.push_back(of(field.node));
      }
      out = Type::row(std::move(names), std::move(types));
    }
    inside_.erase(node);
    return out;
  }

  const AvroMessageSchema& schema_;
  std::set<int> inside_;
};

}  // namespace

AvroMessageSchema parse_avro_messages(const RegisteredSchema& schema) {
  if (schema.type != "AVRO")
    throw Error(Code::kConfigInvalid, fmt::format("the schema is {}, not Avro", schema.type));
  return SchemaParser().parse(schema);
}

std::string encode_default(const AvroMessageSchema& schema, int node, const json::value& value) {
  std::string out;
  DefaultWriter(schema, out).put(node, value);
  return out;
}

std::vector<ColumnConfig> columns_of_avro(const RegisteredSchema& schema) {
  const auto parsed = parse_avro_messages(schema);
  const AvroType& root = parsed[parsed.root];
  if (root.kind != AvroKind::kRecord || root.fields.empty())
    fail("only a record's fields are columns");
  TypeReader types(parsed);
  std::vector<ColumnConfig> columns;
  for (const auto& field : root.fields)
    columns.push_back(column_of_member(field.name, types.of(field.node)));
  check_names(columns);
  return columns;
}

}  // namespace meesh::streams
