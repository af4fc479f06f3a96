#include "sql/resolve_overload.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "sql/resolve_check.h"
#include "sql/resolve_types.h"
#include "sql/scope.h"
#include "sql/sql.h"

namespace meesh::sql {
namespace {

using Types = std::vector<std::optional<Type>>;

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

/// What stands in the parentheses of array(…), map(…), row(…), function(…); empty for others.
std::vector<std::string_view> children(std::string_view formal) {
  for (const std::string_view outer : {"array(", "map(", "row(", "function("})
    if (formal.starts_with(outer))
      return split(formal.substr(outer.size(), formal.size() - outer.size() - 1));
  return {};
}

bool is_function(std::string_view formal) { return formal.starts_with("function("); }
bool is_moment(std::string_view formal) { return formal == "local" || formal == "moment"; }
/// T, V1, T:number; dates and times of any kind are one type in a call, too.
bool is_variable(std::string_view formal) {
  return (formal[0] >= 'A' && formal[0] <= 'Z') || is_moment(formal);
}
std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find(':'));
}
/// Formals that take what their name says and more, and tell no type.
bool is_loose(std::string_view formal) {
  return formal == "any" || formal == "row" || formal.starts_with("decimal(p");
}

bool satisfies(const Type& type, std::string_view formal) {
  if (is_moment(formal) || formal.ends_with(":moment")) return is_dated(type);
  if (formal.ends_with(":number")) return is_numeric(type);
  if (formal.ends_with(":integral")) return is_integral(type);
  if (formal.ends_with(":decimal")) return type.kind == TypeKind::kDecimal;
  return true;
}

int rank(const Type& type) {
  switch (type.kind) {
    case TypeKind::kDecimal:
      return 5;
    case TypeKind::kReal:
      return 6;
    case TypeKind::kDouble:
      return 7;
    default:
      return is_integral(type)
                 ? 1 + static_cast<int>(type.kind) - static_cast<int>(TypeKind::kTinyint)
                 : 0;
  }
}

/// Steps from one type to the other, 0 = same; nullopt if it does not coerce.
std::optional<int> coercion_cost(const Type& from, const Type& to) {
  if (from == to) return 0;
  if (from.kind == TypeKind::kUnknown) return 1;
  if (from.kind == TypeKind::kChar && to.kind == TypeKind::kVarchar) return 2;
  const auto common = common_type(from, to);
  if (!common) return std::nullopt;
  if (rank(from) && rank(to)) {
    if (rank(from) > rank(to)) return std::nullopt;
    if (to.kind == TypeKind::kDecimal && *common != to) return std::nullopt;
    return 1 + rank(to) - rank(from);
  }
  if (from.kind == to.kind) return 1;
  return *common == to ? std::optional(2) : std::nullopt;
}

/// An overload's formals, the last repeated where it is variadic.
struct Formals {
  const FunctionInfo* overload;
  std::vector<std::string_view> list;
  bool variadic = false;
  bool may_omit = false;  // lag and lead may leave their last arguments out

  explicit Formals(const FunctionInfo& info) : overload(&info) {
    std::string_view text = info.argument_types;
    variadic = text.ends_with("...");
    if (variadic) text.remove_suffix(3);
    list = split(text);
    may_omit = info.kind == FunctionInfo::Kind::kWindow;
  }
  bool takes(size_t given) const {
    if (variadic) return given + 1 >= list.size();
    return given == list.size() || (may_omit && given < list.size());
  }
  std::string_view at(size_t i) const { return list[std::min(i, list.size() - 1)]; }
};

/// The function table taken apart once.
struct Table {
  std::unordered_map<std::string_view, std::vector<Formals>> by_name;  // in the table's order
  std::unordered_map<std::string_view, Type> types;  // of formals that are types as they stand

  Table() {
    for (const auto& info : functions()) {
      const auto& formals = by_name[info.name].emplace_back(info);
      for (const auto formal : formals.list) add(formal);
      add(info.return_type);
    }
  }
  void add(std::string_view formal) {
    const auto parts = children(formal);
    for (const auto part : parts) add(part);
    if (!parts.empty() || is_variable(formal) || is_loose(formal) || types.count(formal)) return;
    try {
      types.emplace(formal, Type::parse(formal));
    } catch (const Error&) {
      // A type of its own, such as a JSON path: no argument is known to fit it.
    }
  }
};

const Table& table() {
  static const Table* made = new Table;
  return *made;
}

const Type* written_type(std::string_view formal) {
  const auto found = table().types.find(formal);
  return found == table().types.end() ? nullptr : &found->second;
}

/// The overloads of the call's name.
const std::vector<Formals>& overloads_of(const FunctionCall& call) {
  static const std::vector<Formals> none;
  const auto found = table().by_name.find(lower(call.name.back().value));
  return found == table().by_name.end() ? none : found->second;
}

/// One overload while the arguments of a call are held against it.
class Match {
 public:
  /// What it costs to take the argument; nullopt if it does not fit.
  std::optional<int> cost(std::string_view formal, const Type& actual);
  /// Tells what a lambda gives.
  void result_of(std::string_view function, const std::optional<Type>& given);
  /// The formal's type with the variables put in; nullopt if it has none or that is not known.
  std::optional<Type> type(std::string_view formal) const;
  /// The same for a parameter, which may turn out to be of any type that fits.
  std::optional<Type> parameter_type(std::string_view formal) const;

 private:
  std::optional<int> variable_cost(std::string_view formal, const Type& actual);
  std::optional<int> nested_cost(std::string_view formal, const Type& actual);

  std::map<std::string_view, std::optional<Type>> variables_;
};

std::optional<int> Match::variable_cost(std::string_view formal, const Type& actual) {
  if (actual.kind == TypeKind::kUnknown) return 1;
  if (!satisfies(actual, formal)) return std::nullopt;
  auto& bound = variables_[name_of(formal)];
  if (!bound || *bound == actual) {
    bound = actual;
    return 0;
  }
  const auto common = common_type(*bound, actual);
  if (!common) return std::nullopt;
  bound = common;
  return 1;
}

std::optional<int> Match::nested_cost(std::string_view formal, const Type& actual) {
  const auto parts = children(formal);
  const TypeKind kind = formal[0] == 'a'   ? TypeKind::kArray
                        : formal[0] == 'm' ? TypeKind::kMap
                                           : TypeKind::kRow;
  if (actual.kind != kind || actual.children.size() != parts.size()) return std::nullopt;
  int all = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto one = cost(parts[i], actual.children[i]);
    if (!one) return std::nullopt;
    all += *one;
  }
  return all;
}

std::optional<int> Match::cost(std::string_view formal, const Type& actual) {
  const auto kind = actual.kind;
  if (is_function(formal)) return std::nullopt;
  if (is_variable(formal)) return variable_cost(formal, actual);
  if (kind == TypeKind::kUnknown) return 1;
  if (!children(formal).empty()) return nested_cost(formal, actual);
  if (formal == "any") return 0;
  if (formal == "row") return kind == TypeKind::kRow ? std::optional(0) : std::nullopt;
  if (formal == "varchar")
    return is_text(actual) ? std::optional(kind == TypeKind::kChar ? 2 : 0) : std::nullopt;
  if (formal.starts_with("decimal(p") || formal == "decimal")
    return kind == TypeKind::kDecimal ? std::optional(0)
           : is_integral(actual)      ? std::optional(4)
                                      : std::nullopt;
  const int moment = kind == TypeKind::kDate          ? 2
                     : kind == TypeKind::kTimestamp   ? 1
                     : kind == TypeKind::kTimestampTz ? 0
                                                      : -1;
  if (formal == "timestamptz") return moment >= 0 ? std::optional(moment) : std::nullopt;
  if (formal == "timestamp") return moment >= 1 ? std::optional(moment - 1) : std::nullopt;
  const Type* written = written_type(formal);
  return written ? coercion_cost(actual, *written) : std::nullopt;
}

void Match::result_of(std::string_view function, const std::optional<Type>& given) {
  const auto result = children(function).back();
  if (!is_variable(result)) return;
  const auto [bound, fresh] = variables_.emplace(name_of(result), given);
  if (fresh || !bound->second || !given) return;
  if (const auto common = common_type(*bound->second, *given)) bound->second = common;
}

std::optional<Type> Match::type(std::string_view formal) const {
  if (is_loose(formal) || formal == "decimal" || is_function(formal)) return std::nullopt;
  if (is_variable(formal)) {
    const auto bound = variables_.find(name_of(formal));
    if (bound != variables_.end()) return bound->second;
    // Of the types that NULL coerces to, the one that coerces to all others.
    if (is_moment(formal) || formal.ends_with(":moment")) return Type::of(TypeKind::kDate);
    if (formal.ends_with(":number") || formal.ends_with(":integral"))
      return Type::of(TypeKind::kTinyint);
    return formal.ends_with(":decimal") ? Type::decimal(1, 0) : Type();
  }
  if (const auto parts = children(formal); !parts.empty()) {
    std::vector<Type> inside;
    for (const auto part : parts) {
      const auto one = type(part);
      if (!one) return std::nullopt;
      inside.push_back(*one);
    }
    if (formal[0] == 'a') return Type::array(inside[0]);
    if (formal[0] == 'm') return Type::map(inside[0], inside[1]);
    return Type::row({}, std::move(inside));
  }
  if (formal == "timestamptz") return Type::of(TypeKind::kTimestampTz, 3);
  const Type* written = written_type(formal);
  return written ? std::optional(*written) : std::nullopt;
}

std::optional<Type> Match::parameter_type(std::string_view formal) const {
  if (!is_variable(formal) || variables_.count(name_of(formal))) return type(formal);
  return is_moment(formal) ? Type::of(TypeKind::kTimestamp, 3) : Type();
}

const Lambda* lambda_at(const FunctionCall& call, size_t i) {
  return try_as<const Lambda>(call.args[i].get());
}

/// What taking all arguments costs.
std::optional<int> match_all(Match& match, const Formals& formals, const FunctionCall& call,
                             const Types& types) {
  int all = formals.variadic ? 1 : 0;
  for (size_t i = 0; i < call.args.size(); ++i) {
    const bool lambda = lambda_at(call, i) != nullptr;
    if (lambda != is_function(formals.at(i))) return std::nullopt;
    if (lambda) continue;
    const auto one = match.cost(formals.at(i), *types[i]);
    if (!one) return std::nullopt;
    all += *one;
  }
  return all;
}

Overload settled(Match match, const Formals& formals, const FunctionCall& call,
                 const Types& types) {
  Overload out;
  for (size_t i = 0; i < call.args.size(); ++i)
    if (const auto* lambda = lambda_at(call, i))
      match.result_of(formals.at(i), infer_type(*lambda->body));
  for (size_t i = 0; i < call.args.size(); ++i) {
    auto type = match.type(formals.at(i));
    // Text of no length is what NULL as text is.
    if (formals.at(i) == "varchar")
      type = types[i] && is_text(*types[i]) ? *types[i] : Type::varchar(0);
    out.arguments.push_back(std::move(type));
  }
  out.result = match.type(formals.overload->return_type);
  return out;
}

/// The result when it is one whatever the arguments are.
std::optional<Overload> shared_result(const FunctionCall& call) {
  std::optional<std::string_view> result;
  for (const auto& formals : overloads_of(call)) {
    if (!formals.takes(call.args.size())) continue;
    if (result && *result != formals.overload->return_type) return std::nullopt;
    result = formals.overload->return_type;
  }
  const auto depends = [](std::string_view text) {
    return is_loose(text) || text == "decimal" ||
           std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  };
  if (!result || depends(*result)) return std::nullopt;
  Overload out;
  out.arguments.resize(call.args.size());
  out.result = Match().type(*result);
  return out;
}

}  // namespace

std::optional<Overload> overload_of(const FunctionCall& call, const Types& types) {
  for (size_t i = 0; i < call.args.size(); ++i)
    if (!types[i] && !lambda_at(call, i)) return shared_result(call);
  const Formals* best = nullptr;
  Match chosen;
  int least = 0;
  for (const auto& formals : overloads_of(call)) {
    if (!formals.takes(call.args.size())) continue;
    Match match;
    const auto cost = match_all(match, formals, call, types);
    if (!cost || (best && *cost >= least)) continue;
    best = &formals;
    least = *cost;
    chosen = std::move(match);
  }
  if (!best) return std::nullopt;
  return settled(std::move(chosen), *best, call, types);
}

Types lambda_types(const FunctionCall& call, size_t index) {
  const size_t count = lambda_at(call, index)->args.size();
  Types given;
  for (size_t i = 0; i < call.args.size(); ++i) {
    given.push_back(lambda_at(call, i) ? std::nullopt : infer_type(*call.args[i]));
    if (!given[i] && !lambda_at(call, i)) return Types(count);
  }
  for (const auto& formals : overloads_of(call)) {
    if (!formals.takes(call.args.size()) || !is_function(formals.at(index))) continue;
    const auto taken = children(formals.at(index));
    Match match;
    if (taken.size() != count + 1 || !match_all(match, formals, call, given)) continue;
    // What the lambdas before it give counts, too: the state of reduce.
    for (size_t i = 0; i < index; ++i)
      if (const auto* before = lambda_at(call, i))
        match.result_of(formals.at(i), infer_type(*before->body));
    Types out;
    for (size_t i = 0; i < count; ++i) out.push_back(match.type(taken[i]));
    return out;
  }
  return Types(count);
}

// ---------------------------------------------------------------- what the engine takes and gives

namespace {

void put_cast(ExprPtr& slot, const Type& to) {
  auto cast = std::make_unique<Cast>();
  cast->pos = slot->pos;
  cast->value = std::move(slot);
  cast->type = parse_type(to.display());
  slot = std::move(cast);
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Of the type's kind, whether the engine tells the call's result in another.
bool gives_other(std::string_view name, TypeKind kind) {
  switch (kind) {
    case TypeKind::kChar:
      return is_one_of(name, {"upper", "lower", "reverse", "concat"});
    case TypeKind::kDecimal:
      return is_one_of(name, {"ceil", "ceiling", "floor", "round", "truncate", "sign"});
    case TypeKind::kReal:
      return is_one_of(name, {"corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept",
                              "geometric_mean"});
    default:
      return false;
  }
}

/// A cast around the call where its result has another type in the engine.
void fit_result(ExprPtr& slot, std::string_view name) {
  constexpr std::array kKinds = {TypeKind::kChar, TypeKind::kDecimal, TypeKind::kReal};
  if (std::none_of(kKinds.begin(), kKinds.end(),
                   [&](TypeKind kind) { return gives_other(name, kind); }))
    return;
  const auto type = infer_type(*slot);
  if (type && gives_other(name, type->kind)) put_cast(slot, *type);
}

/// What NULL beside a value of the type is to an operator or to concat; nullopt = left to it.
std::optional<Type> null_beside(std::string_view name, const std::optional<Type>& other) {
  if (!other || other->kind == TypeKind::kUnknown) return std::nullopt;
  if (name == "concat") {
    const auto both = concat_type(*other, Type());
    return both && both->kind == TypeKind::kArray && other->kind != TypeKind::kArray ? both
                                                                                     : std::nullopt;
  }
  return other->kind == TypeKind::kDecimal ? Type::decimal(1, 0) : *other;
}

void fit_nulls(std::string_view name, ExprPtr& left, ExprPtr& right) {
  if ((left->kind == ExprKind::kNull) == (right->kind == ExprKind::kNull)) return;
  ExprPtr& null = left->kind == ExprKind::kNull ? left : right;
  const ExprPtr& other = left->kind == ExprKind::kNull ? right : left;
  if (const auto type = null_beside(name, infer_type(*other))) put_cast(null, *type);
}

void fit_arguments(FunctionCall& call, const std::string& name) {
  if ((name == "mod" || name == "concat") && call.args.size() == 2)
    return fit_nulls(name, call.args[0], call.args[1]);
  const bool nulls = std::any_of(call.args.begin(), call.args.end(),
                                 [](const ExprPtr& arg) { return arg->kind == ExprKind::kNull; });
  if (!nulls && name != "truncate") return;
  Types types;
  for (const auto& arg : call.args)
    types.push_back(arg->kind == ExprKind::kLambda ? std::nullopt : infer_type(*arg));
  if (name == "truncate" && types[0] && is_integral(*types[0]))
    put_cast(call.args[0], *as_decimal(*types[0]));
  const auto overload = overload_of(call, types);
  if (!overload) return;
  for (size_t i = 0; i < call.args.size(); ++i) {
    const auto& type = overload->arguments[i];
    if (call.args[i]->kind == ExprKind::kNull && type && type->kind != TypeKind::kUnknown)
      put_cast(call.args[i], *type);
  }
}

}  // namespace

void fit_call(ExprPtr& slot) {
  if (auto* op = try_as<BinaryOp>(slot.get())) {
    if (op->op != BinaryOperator::kConcat) return;
    fit_nulls("concat", op->left, op->right);
    const auto type = infer_type(*slot);
    if (type && type->kind == TypeKind::kChar) put_cast(slot, *type);
    return;
  }
  auto& call = as<FunctionCall>(*slot);
  const FunctionInfo* info = find_function(call.name.back().value);
  if (!info || call.routine || call.args.empty()) return;
  const std::string name = lower(call.name.back().value);
  if (info->kind == FunctionInfo::Kind::kScalar) fit_arguments(call, name);
  fit_result(slot, name);
}

// ---------------------------------------------------------------- parameters

namespace {

/// Whether the call can mean the overload; settles its parameters if so.
bool settle_for(const Formals& formals, FunctionCall& call) {
  if (!formals.takes(call.args.size())) return false;
  Match match;
  for (size_t i = 0; i < call.args.size(); ++i) {
    const bool lambda = lambda_at(call, i) != nullptr;
    if (lambda != is_function(formals.at(i))) return false;
    if (!lambda && !match.cost(formals.at(i), infer_type(*call.args[i]).value_or(Type())))
      return false;
  }
  for (size_t i = 0; i < call.args.size(); ++i) {
    settle(*call.args[i], match.parameter_type(formals.at(i)).value_or(Type()));
  }
  return true;
}

}  // namespace

void settle_arguments(FunctionCall& call) {
  const auto is_parameter = [](const ExprPtr& e) { return e->kind == ExprKind::kParameter; };
  if (std::none_of(call.args.begin(), call.args.end(), is_parameter)) return;
  for (const auto& formals : overloads_of(call))
    if (settle_for(formals, call)) return;
}

}  // namespace meesh::sql
