#include "sql/function_binding.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "sql/resolve_overload.h"
#include "sql/resolve_types.h"
#include "sql/scope.h"
#include "sql/signatures.h"

namespace meesh::sql {
namespace {

using Types = std::vector<Type>;

bool is_unknown(const Type& type) { return type.kind == TypeKind::kUnknown; }

/// Types that only functions have; a text is read as one.
bool is_pattern(std::string_view formal) {
  static const std::set<std::string_view> kPatterns = {"joniregexp", "jsonpath", "codepoints"};
  return kPatterns.contains(formal);
}

/// "varchar" of "varchar(x)", "timestamp" of "timestamp(p) with time zone".
std::string_view base_of(std::string_view formal) { return formal.substr(0, formal.find('(')); }
std::vector<std::string_view> parameters_of(std::string_view formal) {
  const size_t open = formal.find('('), close = formal.rfind(')');
  if (open == std::string_view::npos || close < open) return {};
  return parts_of(formal.substr(open + 1, close - open - 1), ',');
}

/// The kind of varchar(x), decimal(p,s) and the like; nullopt for other formals.
std::optional<TypeKind> measured_kind(std::string_view formal) {
  if (formal.find('(') == std::string_view::npos) return std::nullopt;
  const std::string_view base = base_of(formal);
  const bool zoned = formal.ends_with(" with time zone");
  if (base == "varchar") return TypeKind::kVarchar;
  if (base == "char") return TypeKind::kChar;
  if (base == "decimal") return TypeKind::kDecimal;
  if (base == "timestamp") return zoned ? TypeKind::kTimestampTz : TypeKind::kTimestamp;
  if (base == "time") return zoned ? TypeKind::kTimeTz : TypeKind::kTime;
  return std::nullopt;
}

/// What NULL is as varchar(x), decimal(p,s) and the like.
Type least_of(TypeKind kind) {
  switch (kind) {
    case TypeKind::kVarchar:
    case TypeKind::kChar:
      return Type::of(kind, 0);
    case TypeKind::kDecimal:
      return Type::decimal(1, 0);
    default:
      return Type::of(kind, 3);
  }
}

/// The type as one of the kind, if an implicit coercion leads there.
std::optional<Type> as_kind(const Type& type, TypeKind kind) {
  constexpr int32_t kLongestChar = 65536;
  if (type.kind == kind) return type;
  if (kind == TypeKind::kDecimal) return as_decimal(type);
  if (kind == TypeKind::kChar && type.kind == TypeKind::kVarchar)
    return Type::of(kind, std::min(type.precision, kLongestChar));
  const bool local = type.kind == TypeKind::kDate || type.kind == TypeKind::kTimestamp;
  if ((kind == TypeKind::kTimestamp && type.kind == TypeKind::kDate) ||
      (kind == TypeKind::kTimestampTz && local) ||
      (kind == TypeKind::kTimeTz && type.kind == TypeKind::kTime))
    return Type::of(kind, type.precision);
  return std::nullopt;
}

/// Whether an implicit coercion leads to the type, which has no parameters that stand open.
bool coerces(const Type& from, const Type& to) {
  if (from == to || is_unknown(from)) return true;
  if (from.kind == TypeKind::kChar) return false;
  if (to == Type::varchar()) return from.kind == TypeKind::kVarchar;
  const auto common = common_type(from, to);
  return common && *common == to;
}

/// One signature while a call's arguments are held against it.
class Binding {
 public:
  Binding(const Signature& signature, bool coerce) : signature_(&signature), coerce_(coerce) {
    for (auto constraint : parts_of(signature.constraints, ',')) {
      const auto colon = std::min(constraint.find(':'), constraint.size());
      variables_[lower(constraint.substr(0, colon))] = {
          constraint.substr(std::min(colon + 1, constraint.size())), std::nullopt};
    }
  }
  bool take(const Types& actual);

  const Signature& signature() const { return *signature_; }
  bool takes_null(size_t i) const;
  /// The argument's type with everything put in; text for a pattern.
  Type argument(size_t i) const { return *made(formals_[i]); }
  size_t size() const { return formals_.size(); }
  Type result() const;
  std::string text() const;  // "(varchar(0),bigint):varchar(0)"

 private:
  struct Variable {
    std::string_view constraint;
    std::optional<Type> type;
  };
  bool take_one(std::string_view formal, const Type& actual);
  bool take_variable(Variable& variable, const Type& actual);
  bool take_measured(std::string_view formal, TypeKind kind, const Type& actual);
  bool take_nested(std::string_view formal, const Type& actual);
  /// The size that a letter or digits stand for.
  std::optional<int32_t> size_of(std::string_view text) const;
  std::optional<Type> made_measured(std::string_view formal, TypeKind kind) const;
  /// nullopt when a size is computed.
  std::optional<Type> made(std::string_view formal) const;

  const Signature* signature_;
  bool coerce_;
  std::vector<std::string_view> formals_;
  std::map<std::string, Variable> variables_;
  std::map<std::string_view, Type> measured_;  // by formal
  std::map<std::string_view, int32_t> sizes_;
};

bool Binding::take(const Types& actual) {
  auto formals = formals_of(*signature_, actual.size());
  if (!formals) return false;
  formals_ = std::move(*formals);
  for (size_t i = 0; i < actual.size(); ++i)
    if (!take_one(formals_[i], actual[i])) return false;
  // Without a bound that tells it, a variable can be anything, but not nothing at all.
  return !formals_.empty() || variables_.empty();
}

bool Binding::take_one(std::string_view formal, const Type& actual) {
  if (const auto found = variables_.find(lower(formal)); found != variables_.end())
    return take_variable(found->second, actual);
  if (formal.starts_with("function(")) return false;
  if (is_unknown(actual)) return coerce_ || formal == "unknown";
  if (const auto kind = measured_kind(formal)) return take_measured(formal, *kind, actual);
  if (!parameters_of(formal).empty()) return take_nested(formal, actual);
  if (is_pattern(formal)) return coerce_ && actual.kind == TypeKind::kVarchar;
  if (formal == lower(actual.base_name()) && actual.kind != TypeKind::kVarchar) return true;
  try {
    const Type wanted = Type::parse(formal);
    return coerce_ ? coerces(actual, wanted) : actual == wanted;
  } catch (const Error&) {
    return false;  // a type that no value of ours has
  }
}

bool Binding::take_variable(Variable& variable, const Type& actual) {
  const bool ordered = variable.constraint == "orderable";
  if ((ordered || variable.constraint == "comparable") && !is_comparable(actual, ordered))
    return false;
  if (!variable.type) {
    variable.type = actual;
    return true;
  }
  if (!coerce_) return *variable.type == actual;
  variable.type = common_type(*variable.type, actual);
  return variable.type.has_value();
}

bool Binding::take_measured(std::string_view formal, TypeKind kind, const Type& actual) {
  if (!coerce_ && actual.kind != kind) return false;
  const auto given = as_kind(actual, kind);
  if (!given) return false;
  const auto parameters = parameters_of(formal);
  const auto fixed = size_of(parameters[0]);
  if (parameters[0][0] >= '0' && parameters[0][0] <= '9')
    return coerce_ ? given->precision <= *fixed : given->precision == *fixed;
  const auto [found, fresh] = measured_.emplace(formal, *given);
  if (!fresh) {
    if (!coerce_ && found->second != *given) return false;
    found->second = *common_type(found->second, *given);
  }
  sizes_[parameters[0]] = found->second.precision;
  if (parameters.size() > 1) sizes_[parameters[1]] = found->second.scale;
  return true;
}

bool Binding::take_nested(std::string_view formal, const Type& actual) {
  const auto parameters = parameters_of(formal);
  if (lower(actual.base_name()) != base_of(formal) || actual.children.size() != parameters.size())
    return false;
  for (size_t i = 0; i < parameters.size(); ++i)
    if (!take_one(parameters[i], actual.children[i])) return false;
  return true;
}

std::optional<int32_t> Binding::size_of(std::string_view text) const {
  if (text[0] >= '0' && text[0] <= '9') return std::stoi(std::string(text));
  const auto found = sizes_.find(text);
  return found == sizes_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Type> Binding::made_measured(std::string_view formal, TypeKind kind) const {
  if (const auto found = measured_.find(formal); found != measured_.end()) return found->second;
  const auto parameters = parameters_of(formal);
  const auto size = size_of(parameters[0]);
  Type out = least_of(kind);
  if (!size) {
    const bool argument = std::find(formals_.begin(), formals_.end(), formal) != formals_.end();
    return argument ? std::optional(out) : std::nullopt;
  }
  out.precision = *size;
  if (parameters.size() > 1) out.scale = size_of(parameters[1]).value_or(0);  // of NULL as decimal
  return out;
}

std::optional<Type> Binding::made(std::string_view formal) const {
  if (const auto found = variables_.find(lower(formal)); found != variables_.end())
    return found->second.type.value_or(Type());
  if (is_pattern(formal)) return Type::varchar();
  const auto parameters = parameters_of(formal);
  if (const auto kind = measured_kind(formal)) return made_measured(formal, *kind);
  if (parameters.empty()) return Type::parse(formal);
  Types inside;
  for (const auto parameter : parameters) {
    auto child = made(parameter);
    if (!child) return std::nullopt;
    inside.push_back(std::move(*child));
  }
  const std::string_view base = base_of(formal);
  if (base == "array") return Type::array(inside[0]);
  if (base == "map") return Type::map(inside[0], inside[1]);
  if (base == "row") return Type::row(std::vector<std::string>(inside.size()), inside);
  Type digest = Type::of(TypeKind::kQdigest);
  digest.children = std::move(inside);
  return digest;
}

bool Binding::takes_null(size_t i) const {
  if (signature_->kind != 's') return false;  // aggregates and windows leave NULLs out
  if (signature_->name == "concat") return variables_.contains(lower(formals_[i]));
  return signature_->name == "concat_ws" && i > 0 && formals_[i] == "varchar";
}

Type Binding::result() const {
  if (auto type = made(signature_->result)) return *type;
  std::vector<std::optional<Type>> types;
  for (const auto formal : formals_) types.push_back(made(formal));
  return computed_result(signature_->name, types).value_or(Type());
}

std::string Binding::text() const {
  std::vector<std::string> types;
  for (const auto formal : formals_)
    types.push_back(is_pattern(formal) ? std::string(formal) : signature_text(*made(formal)));
  return fmt::format("({}):{}", fmt::join(types, ","), signature_text(result()));
}

using Bindings = std::vector<Binding>;

Bindings fitting(std::string_view name, const Types& actual, bool coerce, auto&& wanted) {
  Bindings out;
  for (const auto& signature : signatures_of(name)) {
    if (!wanted(signature)) continue;
    Binding binding(signature, coerce);
    if (binding.take(actual)) out.push_back(std::move(binding));
  }
  return out;
}

bool more_specific(const Binding& left, const Binding& right) {
  Types types;
  for (size_t i = 0; i < left.size(); ++i) types.push_back(left.argument(i));
  return Binding(right.signature(), true).take(types);
}

Bindings most_specific(const Bindings& all) {
  Bindings chosen;
  for (const auto& current : all) {
    bool related = false;
    for (auto& one : chosen) {
      if (more_specific(current, one)) one = current;
      related = more_specific(current, one) || more_specific(one, current);
      if (related) break;
    }
    if (!related) chosen.push_back(current);
  }
  return chosen;
}

bool casts_nulls_alone(const Binding& binding, const Types& actual) {
  for (size_t i = 0; i < actual.size(); ++i)
    if (!is_unknown(actual[i]) && binding.argument(i) != actual[i]) return false;
  return true;
}

/// Whether it does not matter which is called: all tell NULL, of one type.
bool same_for_nulls(const Bindings& all, const Types& actual) {
  return std::all_of(all.begin(), all.end(), [&](const Binding& one) {
    for (size_t i = 0; i < actual.size(); ++i)
      if (is_unknown(actual[i]) && one.takes_null(i)) return false;
    return one.result() == all.front().result();
  });
}

Bindings with_coercion(std::string_view name, const Types& actual) {
  const Bindings all = fitting(name, actual, true, [](const Signature&) { return true; });
  Bindings chosen = most_specific(all);
  if (chosen.size() < 2 || std::none_of(actual.begin(), actual.end(), is_unknown)) return chosen;
  Bindings exact_but_nulls;
  for (const auto& one : all)
    if (casts_nulls_alone(one, actual)) exact_but_nulls.push_back(one);
  if (!exact_but_nulls.empty()) chosen = std::move(exact_but_nulls);
  if (same_for_nulls(chosen, actual)) chosen.resize(1, chosen.front());
  return chosen;
}

}  // namespace

std::vector<std::string> ambiguous_signatures(std::string_view name, const Types& arguments) {
  const auto generic = [](const Signature& s) { return !s.constraints.empty(); };
  Bindings chosen =
      fitting(name, arguments, false, [&](const Signature& s) { return !generic(s); });
  if (chosen.empty()) chosen = fitting(name, arguments, false, generic);
  if (chosen.empty()) chosen = with_coercion(name, arguments);
  std::vector<std::string> out;
  if (chosen.size() < 2) return out;
  for (const auto& one : chosen) out.push_back(one.text());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace meesh::sql
