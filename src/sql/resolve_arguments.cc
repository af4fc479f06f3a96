// What a function takes where a parameter stands, read from the signatures of its overloads.
#include <algorithm>
#include <map>

#include "sql/resolve_check.h"
#include "sql/resolve_types.h"
#include "sql/sql.h"

namespace meesh::sql {
namespace {

using Variables = std::map<std::string_view, Type>;

/// "array(E), map(K,V)" → "array(E)", "map(K,V)".
std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> out;
  int depth = 0;
  size_t start = 0;
  for (size_t i = 0; i <= list.size(); ++i) {
    if (i == list.size() || (list[i] == ',' && depth == 0)) {
      std::string_view part = list.substr(start, i - start);
      part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
      if (!part.empty()) out.push_back(part);
      start = i + 1;
    } else {
      depth += list[i] == '(' ? 1 : list[i] == ')' ? -1 : 0;
    }
  }
  return out;
}

/// What stands in the parentheses of array(…) and map(…); empty for other formals.
std::vector<std::string_view> children(std::string_view formal) {
  if (!formal.starts_with("array(") && !formal.starts_with("map(")) return {};
  const auto open = formal.find('(');
  return split(formal.substr(open + 1, formal.size() - open - 2));
}

bool is_moment(std::string_view formal) { return formal == "local" || formal == "moment"; }
/// T, V1, T:number; dates and times of any kind are one type in a call, too.
bool is_variable(std::string_view formal) {
  return (formal[0] >= 'A' && formal[0] <= 'Z') || is_moment(formal);
}
bool says_nothing(std::string_view formal) {
  return formal == "any" || formal == "row" || formal.starts_with("function(");
}

bool fits(std::string_view formal, const Type& actual, Variables& variables) {
  const auto kind = actual.kind;
  if (kind == TypeKind::kUnknown || says_nothing(formal)) return true;
  const bool moment =
      kind == TypeKind::kDate || kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampTz;
  if (const auto parts = children(formal); !parts.empty()) {
    if (kind != (formal[0] == 'a' ? TypeKind::kArray : TypeKind::kMap)) return false;
    for (size_t i = 0; i < parts.size(); ++i)
      if (!fits(parts[i], actual.children[i], variables)) return false;
    return true;
  }
  if (is_variable(formal)) {
    if (is_moment(formal) && !moment) return false;
    if (formal.ends_with(":number") && !is_numeric(actual)) return false;
    if (formal.ends_with(":integral") && !is_integral(actual)) return false;
    if (formal.ends_with(":decimal") && kind != TypeKind::kDecimal) return false;
    auto& bound = variables[formal.substr(0, formal.find(':'))];  // unknown at first
    const auto common = common_type(bound, actual);
    if (common) bound = *common;
    return common.has_value();
  }
  if (formal == "varchar") return kind == TypeKind::kVarchar || kind == TypeKind::kChar;
  if (formal == "timestamptz") return moment;
  if (formal.starts_with("decimal")) return kind == TypeKind::kDecimal;
  const Type wanted = Type::parse(formal);
  const auto common = common_type(actual, wanted);
  return common && common->kind == wanted.kind;
}

Type type_of(std::string_view formal, const Variables& variables) {
  if (says_nothing(formal) || formal.starts_with("decimal")) return {};
  if (const auto parts = children(formal); !parts.empty()) {
    const Type first = type_of(parts[0], variables);
    return parts.size() == 1 ? Type::array(first) : Type::map(first, type_of(parts[1], variables));
  }
  if (is_variable(formal)) {
    const auto bound = variables.find(formal.substr(0, formal.find(':')));
    if (bound != variables.end()) return bound->second;
    return is_moment(formal) ? Type::of(TypeKind::kTimestamp, 3) : Type();
  }
  if (formal == "timestamptz") return Type::of(TypeKind::kTimestampTz, 3);
  return Type::parse(formal);
}

/// Whether the call can mean the overload; settles its parameters if so.
bool settle_for(const FunctionInfo& overload, FunctionCall& call) {
  std::string_view list = overload.argument_types;
  const bool variadic = list.ends_with("...");
  if (variadic) list.remove_suffix(3);
  const auto formals = split(list);
  const size_t given = call.args.size(), taken = formals.size();
  // lag and lead may leave their last arguments out.
  const bool leaves_out = overload.kind == FunctionInfo::Kind::kWindow && given < taken;
  if (variadic ? given + 1 < taken : given != taken && !leaves_out) return false;
  const auto formal = [&](size_t i) { return formals[std::min(i, taken - 1)]; };
  Variables variables;
  for (size_t i = 0; i < given; ++i)
    if (!fits(formal(i), infer_type(*call.args[i]).value_or(Type()), variables)) return false;
  for (size_t i = 0; i < given; ++i) settle(*call.args[i], type_of(formal(i), variables));
  return true;
}

}  // namespace

void settle_arguments(FunctionCall& call) {
  const auto is_parameter = [](const ExprPtr& e) { return e->kind == ExprKind::kParameter; };
  if (std::none_of(call.args.begin(), call.args.end(), is_parameter)) return;
  const FunctionInfo* named = find_function(call.name.back().value);
  if (!named) return;  // COALESCE and such
  for (const auto& overload : functions())
    if (overload.name == named->name && settle_for(overload, call)) return;
}

}  // namespace meesh::sql
