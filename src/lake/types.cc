#include "lake/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <functional>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace meesh::lake {
namespace {

constexpr std::array<std::pair<std::string_view, TypeKind>, 12> kPlainTypes{{
    {"boolean", TypeKind::kBoolean},
    {"int", TypeKind::kInt},
    {"long", TypeKind::kLong},
    {"float", TypeKind::kFloat},
    {"double", TypeKind::kDouble},
    {"date", TypeKind::kDate},
    {"time", TypeKind::kTime},
    {"timestamp", TypeKind::kTimestamp},
    {"timestamptz", TypeKind::kTimestampTz},
    {"string", TypeKind::kString},
    {"uuid", TypeKind::kUuid},
    {"binary", TypeKind::kBinary},
}};

constexpr std::array<std::string_view, 6> kVersion3Types{
    "timestamp_ns", "timestamptz_ns", "variant", "unknown", "geometry", "geography"};

/// The numbers between brackets: "decimal(9, 2)" → {9, 2}; nothing if it is not of that form.
std::optional<std::vector<int>> arguments(std::string_view text, std::string_view name, char open,
                                          char close) {
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  if (text.size() < 2 || text.front() != open || text.back() != close) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<int> numbers;
  while (true) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    int number = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    numbers.push_back(number);
    if (comma == text.size()) return numbers;
    text.remove_prefix(comma + 1);
  }
}

Error invalid(std::string message) {
  return Error(Code::kIcebergInvalidMetadata, std::move(message));
}

bool same_name(std::string_view a, std::string_view b, bool case_sensitive) {
  if (case_sensitive) return a == b;
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) ==
                  std::tolower(static_cast<unsigned char>(y));
         });
}

const Field* find_by_name(const std::vector<Field>& fields, std::string_view name,
                          bool case_sensitive, bool short_names) {
  for (const Field& field : fields) {
    if (same_name(field.name, name, case_sensitive)) return &field;
  }
  for (const Field& field : fields) {
    const size_t length = field.name.size();
    if (!field.type.nested() || name.size() <= length || name[length] != '.' ||
        !same_name(field.name, name.substr(0, length), case_sensitive)) {
      continue;
    }
    const std::string_view rest = name.substr(length + 1);
    if (const Field* found = find_by_name(field.type.fields, rest, case_sensitive, short_names)) {
      return found;
    }
    if (!short_names || field.type.kind == TypeKind::kStruct) continue;
    const Type& inner = field.type.fields.back().type;
    if (inner.kind != TypeKind::kStruct) continue;
    if (const Field* found = find_by_name(inner.fields, rest, case_sensitive, short_names)) {
      return found;
    }
  }
  return nullptr;
}

const Field* find_by_id(const std::vector<Field>& fields, int id) {
  for (const Field& field : fields) {
    if (field.id == id) return &field;
    if (const Field* found = find_by_id(field.type.fields, id)) return found;
  }
  return nullptr;
}

/// Every field with its full name, parents before children.
void visit(const std::vector<Field>& fields, const std::string& prefix,
           const std::function<void(const Field&, const std::string&)>& see) {
  for (const Field& field : fields) {
    const std::string name = prefix.empty() ? field.name : prefix + "." + field.name;
    see(field, name);
    visit(field.type.fields, name, see);
  }
}

std::string fields_name(const std::vector<Field>& fields) {
  std::string text;
  for (const Field& field : fields) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{}: {}: {} {}", field.id, field.name,
                        field.required ? "required" : "optional", type_name(field.type));
  }
  return text;
}

}  // namespace

bool Type::operator==(const Type& other) const {
  return kind == other.kind && precision == other.precision && scale == other.scale &&
         length == other.length && fields == other.fields;
}

Type primitive_type(TypeKind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Type decimal_type(int precision, int scale) {
  Type type = primitive_type(TypeKind::kDecimal);
  type.precision = precision;
  type.scale = scale;
  return type;
}

Type fixed_type(int length) {
  Type type = primitive_type(TypeKind::kFixed);
  type.length = length;
  return type;
}

Type struct_type(std::vector<Field> fields) {
  Type type = primitive_type(TypeKind::kStruct);
  type.fields = std::move(fields);
  return type;
}

Type list_type(int element_id, Type element, bool element_required) {
  Type type = primitive_type(TypeKind::kList);
  type.fields.push_back({element_id, "element", std::move(element), element_required, ""});
  return type;
}

Type map_type(int key_id, Type key, int value_id, Type value, bool value_required) {
  Type type = primitive_type(TypeKind::kMap);
  type.fields.push_back({key_id, "key", std::move(key), true, ""});
  type.fields.push_back({value_id, "value", std::move(value), value_required, ""});
  return type;
}

std::string type_name(const Type& type) {
  switch (type.kind) {
    case TypeKind::kDecimal:
      return fmt::format("decimal({}, {})", type.precision, type.scale);
    case TypeKind::kFixed:
      return fmt::format("fixed[{}]", type.length);
    case TypeKind::kStruct:
      return fmt::format("struct<{}>", fields_name(type.fields));
    case TypeKind::kList:
      return fmt::format("list<{}>", type_name(type.fields[0].type));
    case TypeKind::kMap:
      return fmt::format("map<{}, {}>", type_name(type.fields[0].type),
                         type_name(type.fields[1].type));
    default:
      break;
  }
  for (const auto& [name, kind] : kPlainTypes) {
    if (kind == type.kind) return std::string(name);
  }
  internal_error("a type without a name");
}

Type parse_type_name(std::string_view name) {
  for (const auto& [plain, kind] : kPlainTypes) {
    if (plain == name) return primitive_type(kind);
  }
  if (const auto numbers = arguments(name, "decimal", '(', ')'); numbers && numbers->size() == 2) {
    const int precision = (*numbers)[0];
    const int scale = (*numbers)[1];
    if (precision < 1 || precision > 38) {
      throw invalid(fmt::format("'{}' has a precision outside of 1 to 38", name));
    }
    if (scale < 0 || scale > precision) {
      throw invalid(fmt::format("'{}' has a scale outside of 0 to its precision", name));
    }
    return decimal_type(precision, scale);
  }
  if (const auto numbers = arguments(name, "fixed", '[', ']'); numbers && numbers->size() == 1) {
    if ((*numbers)[0] < 0) throw invalid(fmt::format("'{}' has a negative length", name));
    return fixed_type((*numbers)[0]);
  }
  for (const std::string_view later : kVersion3Types) {
    if (name.substr(0, name.find('(')) == later) {
      throw invalid(
          fmt::format("type '{}' belongs to format version 3, which is not supported yet", name))
          .with_hint("use a type of format version 2");
    }
  }
  std::vector<std::string> known{"decimal(9,2)", "fixed[16]"};
  for (const auto& plain : kPlainTypes) known.emplace_back(plain.first);
  const std::string shown(name.substr(0, 80));
  throw invalid(fmt::format("unknown type '{}'", shown))
      .with_hint(base::did_you_mean(shown, known, "types are "));
}

bool can_promote(const Type& from, const Type& to) {
  if (from.nested() || to.nested()) return false;
  if (from == to) return true;
  if (from.kind == TypeKind::kInt) return to.kind == TypeKind::kLong;
  if (from.kind == TypeKind::kFloat) return to.kind == TypeKind::kDouble;
  return from.kind == TypeKind::kDecimal && to.kind == TypeKind::kDecimal &&
         from.scale == to.scale && from.precision <= to.precision;
}

const Field* find_field(const Schema& schema, int id) { return find_by_id(schema.fields, id); }

const Field* find_field(const Schema& schema, std::string_view name, bool case_sensitive) {
  const Field* found = find_by_name(schema.fields, name, case_sensitive, false);
  return found != nullptr ? found : find_by_name(schema.fields, name, case_sensitive, true);
}

std::map<int, std::string> field_names(const Schema& schema) {
  std::map<int, std::string> names;
  visit(schema.fields, "",
        [&](const Field& field, const std::string& name) { names.emplace(field.id, name); });
  return names;
}

std::string field_name(const Schema& schema, int id) {
  const auto names = field_names(schema);
  const auto found = names.find(id);
  return found == names.end() ? "" : found->second;
}

const Field* find_parent(const Schema& schema, int id) {
  const Field* parent = nullptr;
  visit(schema.fields, "", [&](const Field& field, const std::string&) {
    for (const Field& child : field.type.fields) {
      if (child.id == id && parent == nullptr) parent = &field;
    }
  });
  return parent;
}

int highest_field_id(const Schema& schema) {
  int highest = 0;
  visit(schema.fields, "",
        [&](const Field& field, const std::string&) { highest = std::max(highest, field.id); });
  return highest;
}

bool same_schema(const Schema& a, const Schema& b) {
  return a.fields == b.fields && a.identifier_field_ids == b.identifier_field_ids;
}

}  // namespace meesh::lake
