#include "sql/type.h"

#include <algorithm>
#include <array>

#include "sql/lexer.h"

namespace meesh::sql {
namespace {

struct TypeName {
  TypeKind kind;
  std::string_view name;
};

/// Base names as Trino shows them.
constexpr auto kTypeNames = std::to_array<TypeName>({
    {TypeKind::kUnknown, "unknown"},
    {TypeKind::kBoolean, "boolean"},
    {TypeKind::kTinyint, "tinyint"},
    {TypeKind::kSmallint, "smallint"},
    {TypeKind::kInteger, "integer"},
    {TypeKind::kBigint, "bigint"},
    {TypeKind::kReal, "real"},
    {TypeKind::kDouble, "double"},
    {TypeKind::kDecimal, "decimal"},
    {TypeKind::kVarchar, "varchar"},
    {TypeKind::kChar, "char"},
    {TypeKind::kVarbinary, "varbinary"},
    {TypeKind::kDate, "date"},
    {TypeKind::kTime, "time"},
    {TypeKind::kTimeTz, "time with time zone"},
    {TypeKind::kTimestamp, "timestamp"},
    {TypeKind::kTimestampTz, "timestamp with time zone"},
    {TypeKind::kIntervalYearToMonth, "interval year to month"},
    {TypeKind::kIntervalDayToSecond, "interval day to second"},
    {TypeKind::kUuid, "uuid"},
    {TypeKind::kIpaddress, "ipaddress"},
    {TypeKind::kJson, "json"},
    {TypeKind::kArray, "array"},
    {TypeKind::kMap, "map"},
    {TypeKind::kRow, "row"},
    {TypeKind::kHyperLogLog, "HyperLogLog"},
    {TypeKind::kP4HyperLogLog, "P4HyperLogLog"},
    {TypeKind::kSetDigest, "SetDigest"},
    {TypeKind::kTdigest, "tdigest"},
    {TypeKind::kQdigest, "qdigest"},
    {TypeKind::kColor, "color"},
    {TypeKind::kJsonPath, "JsonPath"},
});

[[noreturn]] void bad_type(const TypeNode& node) {
  throw Error(Code::kTypeNotFound, "Unknown type: " + print_type(node),
              {node.pos.line, node.pos.column, {}});
}

[[noreturn]] void bad_parameter(const TypeNode& node, std::string message) {
  throw Error(Code::kInvalidFunctionArgument, std::move(message),
              {node.pos.line, node.pos.column, {}});
}

/// The n-th parameter as a number in [low, high]; `missing` when it is not written.
/// `named` stands for the upper end in the error.
int32_t number(const TypeNode& node, size_t n, int64_t low, int64_t high, int32_t missing,
               const char* what, const std::string& named = "") {
  if (n >= node.params.size()) return missing;
  const auto& value = node.params[n].number;
  if (!value) bad_type(node);
  if (*value < low || *value > high)
    bad_parameter(node, std::string(what) + " must be in range [" + std::to_string(low) + ", " +
                            (named.empty() ? std::to_string(high) : named) +
                            "]: " + std::to_string(*value));
  return static_cast<int32_t>(*value);
}

void at_most(const TypeNode& node, size_t count) {
  if (node.params.size() > count) bad_type(node);
}

Type interval_type(const TypeNode& node) {
  auto is_one_of = [](const std::string& field, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), field) != names.end();
  };
  if (node.interval_from == "year" && node.interval_to == "month")
    return Type::of(TypeKind::kIntervalYearToMonth);
  if (node.interval_from == "day" && node.interval_to == "second")
    return Type::of(TypeKind::kIntervalDayToSecond);
  if (node.interval_to.empty() && is_one_of(node.interval_from, {"year", "month"}))
    return Type::of(TypeKind::kIntervalYearToMonth);
  if (node.interval_to.empty()) return Type::of(TypeKind::kIntervalDayToSecond);
  bad_type(node);
}

Type row_type(const TypeNode& node) {
  std::vector<std::string> names;
  std::vector<Type> types;
  if (node.params.empty()) bad_type(node);
  for (const TypeNode::Param& param : node.params) {
    if (!param.type) bad_type(node);
    names.emplace_back();
    if (param.field_name)
      names.back() =
          param.field_name->quoted ? param.field_name->value : lower(param.field_name->value);
    types.push_back(to_type(*param.type));
  }
  return Type::row(std::move(names), std::move(types));
}

/// Words of the type grammar stand bare only in the shape that the grammar gives them.
bool needs_quotes(const TypeNode& node) {
  if (!is_plain_identifier(node.name) || lower(node.name) != node.name) return true;
  switch (find_keyword(node.name)) {
    case Kw::kNone:
    case Kw::kDATE:
    case Kw::kJSON:
    case Kw::kARRAY:
    case Kw::kMAP:
    case Kw::kDOUBLE:
      return false;
    case Kw::kTIME:
    case Kw::kTIMESTAMP:
      return node.params.size() > 1;
    case Kw::kROW:
      return node.params.empty() ||
             std::any_of(node.params.begin(), node.params.end(),
                         [](const TypeNode::Param& p) { return p.number.has_value(); });
    default:
      return true;
  }
}

Type child(const TypeNode& node, size_t n) {
  if (!node.params[n].type) bad_type(node);
  return to_type(*node.params[n].type);
}

Type qdigest_type(const TypeNode& node) {
  if (node.params.size() != 1) bad_type(node);
  Type type = Type::of(TypeKind::kQdigest);
  type.children.push_back(child(node, 0));
  const TypeKind kind = type.children[0].kind;
  if (kind != TypeKind::kBigint && kind != TypeKind::kDouble && kind != TypeKind::kReal)
    bad_type(node);
  return type;
}

}  // namespace

Type Type::of(TypeKind kind, int32_t precision, int32_t scale) {
  Type type;
  type.kind = kind;
  type.precision = precision;
  type.scale = scale;
  return type;
}

Type Type::array(Type element) {
  Type type = of(TypeKind::kArray);
  type.children.push_back(std::move(element));
  return type;
}

Type Type::map(Type key, Type value) {
  Type type = of(TypeKind::kMap);
  type.children.push_back(std::move(key));
  type.children.push_back(std::move(value));
  return type;
}

Type Type::row(std::vector<std::string> names, std::vector<Type> types) {
  Type type = of(TypeKind::kRow);
  names.resize(types.size());
  type.field_names = std::move(names);
  type.children = std::move(types);
  return type;
}

std::string Type::base_name() const {
  for (const TypeName& entry : kTypeNames)
    if (entry.kind == kind) return std::string(entry.name);
  return "unknown";
}

std::string Type::display() const {
  auto with = [&](const std::string& inside) { return base_name() + "(" + inside + ")"; };
  switch (kind) {
    case TypeKind::kDecimal:
      return with(std::to_string(precision) + "," + std::to_string(scale));
    case TypeKind::kVarchar:
      return precision == kUnbounded ? base_name() : with(std::to_string(precision));
    case TypeKind::kChar:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
      return with(std::to_string(precision));
    case TypeKind::kTimeTz:
      return "time(" + std::to_string(precision) + ") with time zone";
    case TypeKind::kTimestampTz:
      return "timestamp(" + std::to_string(precision) + ") with time zone";
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow:
    case TypeKind::kQdigest:
      break;
    default:
      return base_name();
  }
  std::string inside;
  for (size_t i = 0; i < children.size(); ++i) {
    if (i > 0) inside += ", ";
    if (i < field_names.size() && !field_names[i].empty()) {
      const std::string& name = field_names[i];
      bool plain = is_plain_identifier(name) && lower(name) == name;
      inside += (plain ? name : quote_identifier(name)) + " ";
    }
    inside += children[i].display();
  }
  return with(inside);
}

Type Type::parse(std::string_view text) {
  try {
    return to_type(*parse_type(text));
  } catch (const Error& e) {
    if (e.code() == Code::kTypeNotFound) throw;
    Error error(Code::kTypeNotFound, "Unknown type: " + std::string(text));
    error.with_hint(e.message());
    throw error;
  }
}

Type to_type(const TypeNode& node) {
  if (node.name == "interval" && !node.interval_from.empty()) return interval_type(node);
  std::string name = lower(node.name);
  if (name == "int") name = "integer";
  if (node.with_time_zone) name += " with time zone";
  const auto* entry =
      std::find_if(kTypeNames.begin(), kTypeNames.end(),
                   [&](const TypeName& candidate) { return lower(candidate.name) == name; });
  if (entry == kTypeNames.end()) bad_type(node);
  switch (entry->kind) {
    case TypeKind::kDecimal: {
      at_most(node, 2);
      int32_t precision = number(node, 0, 1, 38, 38, "DECIMAL precision");
      const std::string upper = "precision (" + std::to_string(precision) + ")";
      int32_t scale = number(node, 1, 0, precision, 0, "DECIMAL scale", upper);
      return Type::decimal(precision, scale);
    }
    case TypeKind::kVarchar:
      at_most(node, 1);
      return Type::varchar(
          number(node, 0, 0, Type::kUnbounded, Type::kUnbounded, "VARCHAR length"));
    case TypeKind::kChar:
      at_most(node, 1);
      return Type::of(entry->kind, number(node, 0, 0, 65536, 1, "CHAR length"));
    case TypeKind::kTime:
    case TypeKind::kTimeTz:
      at_most(node, 1);
      return Type::of(entry->kind, number(node, 0, 0, 12, 3, "TIME precision"));
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      at_most(node, 1);
      return Type::of(entry->kind, number(node, 0, 0, 12, 3, "TIMESTAMP precision"));
    case TypeKind::kArray:
      if (node.params.size() != 1) bad_type(node);
      return Type::array(child(node, 0));
    case TypeKind::kMap:
      if (node.params.size() != 2) bad_type(node);
      return Type::map(child(node, 0), child(node, 1));
    case TypeKind::kRow:
      return row_type(node);
    case TypeKind::kQdigest:
      return qdigest_type(node);
    default:
      at_most(node, 0);
      return Type::of(entry->kind);
  }
}

std::string print_type(const TypeNode& node) {
  if (node.name == "interval" && !node.interval_from.empty()) {
    std::string text = "interval " + node.interval_from;
    return node.interval_to.empty() ? text : text + " to " + node.interval_to;
  }
  std::string text = needs_quotes(node) ? quote_identifier(node.name) : node.name;
  const char* separator = "(";
  for (const TypeNode::Param& param : node.params) {
    text += separator;
    if (param.field_name) text += print_identifier(*param.field_name) + " ";
    text += param.number ? std::to_string(*param.number) : print_type(*param.type);
    separator = ", ";
  }
  if (!node.params.empty()) text += ")";
  return node.with_time_zone ? text + " with time zone" : text;
}

}  // namespace meesh::sql
