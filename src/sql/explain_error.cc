#include "sql/explain_error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sql/function_binding.h"
#include "sql/resolve_types.h"
#include "sql/resolve_walk.h"
#include "sql/scope.h"
#include "sql/signatures.h"

namespace meesh::sql {
namespace {

constexpr std::string_view kUnexpected = "Unexpected parameters (";

/// A call as Trino sees it: `||` and TRIM are calls, too.
struct Called {
  std::string name;  // small letters; empty for no call
  std::vector<const Expr*> arguments;
  Position pos;
};

Called called(const Expr& e) {
  Called out;
  out.pos = e.pos;
  if (e.kind == ExprKind::kFunction) {
    const auto& call = as<FunctionCall>(e);
    out.name = lower(call.name.back().value);
    for (const auto& arg : call.args) {
      if (arg->kind == ExprKind::kStar) return {};
      out.arguments.push_back(arg.get());
    }
  } else if (e.kind == ExprKind::kBinaryOp && as<BinaryOp>(e).op == BinaryOperator::kConcat) {
    out.name = "concat";
    out.arguments = {as<BinaryOp>(e).left.get(), as<BinaryOp>(e).right.get()};
  }
  return out;
}

/// The types of the arguments; where ours are not known, those that the engine told, in order.
std::string types_text(const Called& call, const std::vector<std::string>& told) {
  std::vector<std::string> types;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    const Expr& argument = *call.arguments[i];
    const auto type = argument.kind == ExprKind::kLambda ? std::nullopt : infer_type(argument);
    if (type)
      types.push_back(signature_text(*type));
    else if (argument.kind == ExprKind::kLambda)
      types.push_back("<function>");
    else if (told.size() == call.arguments.size())
      types.push_back(told[i]);
    else
      return {};
  }
  return fmt::format("({})", fmt::join(types, ", "));
}

Error unexpected(const Called& call, const std::string& types) {
  return {Code::kFunctionNotFound,
          fmt::format("Unexpected parameters {} for function {}. Expected: {}", types, call.name,
                      expected_signatures(call.name)),
          {call.pos.line, call.pos.column, {}}};
}

/// Calls `visit` for every expression of the statement, operands before what they are in.
class Expressions {
 public:
  explicit Expressions(std::function<void(Expr&)> visit) : visit_(std::move(visit)) {}
  void of(Statement& statement) { for_each_expr(statement, slot_); }

 private:
  std::function<void(Expr&)> visit_;
  ExprSlotFn slot_ = [this](ExprPtr& slot) {
    for_each_child(*slot, slot_, [this](Query& query) { for_each_expr(query, slot_); });
    visit_(*slot);
  };
};

/// What stands between the parentheses that open at `from`, in its top-level parts.
std::vector<std::string> told_types(std::string_view message, size_t from) {
  std::vector<std::string> out;
  std::string part;
  int depth = 0;
  for (size_t i = from; i < message.size(); ++i) {
    const char c = message[i];
    if (c == ')' && depth-- == 0) break;
    depth += c == '(';
    if (c == ',' && depth == 0) {
      out.push_back(std::move(part));
      part.clear();
    } else if (!part.empty() || c != ' ') {
      part += c;
    }
  }
  if (!part.empty()) out.push_back(std::move(part));
  return out;
}

/// "abs" of "… for function abs. Expected: …".
std::string told_name(const std::string& message) {
  constexpr std::string_view kFor = " for function ";
  const auto at = message.find(kFor);
  if (at == std::string::npos) return {};
  const auto start = at + kFor.size();
  return message.substr(start, message.find('.', start) - start);
}

/// Whether the engine means this call by the name it tells.
bool goes_by(const Called& call, const std::string& name) {
  if (call.name == name) return true;
  const FunctionInfo* info = find_function(call.name);
  return info && !name.empty() && info->duckdb.find(name) != std::string_view::npos;
}

std::optional<Error> explained_call(Statement& statement, const Error& error) {
  const bool tells = error.message().starts_with(kUnexpected);
  const std::string name = tells ? told_name(error.message()) : std::string();
  const auto told =
      tells ? told_types(error.message(), kUnexpected.size()) : std::vector<std::string>();
  std::optional<Error> meant, other, perhaps;
  Expressions([&](Expr& e) {
    const Called call = called(e);
    if (meant || call.name.empty() || signatures_of(call.name).empty()) return;
    const bool named = tells && goes_by(call, name);
    const Fit fit = fits_signature(call.name, call.arguments);
    auto& found = fit != Fit::kNo ? perhaps : named ? meant : other;
    if (found || (fit != Fit::kNo && !named)) return;
    if (const auto types = types_text(call, told); !types.empty()) found = unexpected(call, types);
  }).of(statement);
  if (meant) return meant;
  return other ? other : perhaps;
}

/// The innermost cast to the type that the message names; the engine's own type of the value has no
/// length.
std::optional<Error> explained_cast(Statement& statement, const Error& error) {
  std::optional<Error> out;
  Expressions([&](Expr& e) {
    const auto* cast = try_as<Cast>(&e);
    if (out || !cast) return;
    const std::string target = to_type(*cast->type).display();
    if (!error.message().ends_with(" to " + target)) return;
    const auto type = infer_type(*cast->value);
    out =
        Error(error.code(),
              type ? fmt::format("Cannot cast {} to {}", type->display(), target) : error.message(),
              {e.pos.line, e.pos.column, {}});
  }).of(statement);
  return out;
}

bool holds_unknown(const Type& type) {
  return type.kind == TypeKind::kUnknown ||
         std::any_of(type.children.begin(), type.children.end(), holds_unknown);
}

/// Whether values of the expression may have no type, or hold such; far cheaper than its type.
bool may_be_untyped(const Expr& e) {
  const auto any = [](const auto& exprs) {
    return std::any_of(exprs.begin(), exprs.end(),
                       [](const auto& one) { return may_be_untyped(*one); });
  };
  switch (e.kind) {
    case ExprKind::kNull:
      return true;
    case ExprKind::kArray:
      return as<ArrayConstructor>(e).items.empty() || any(as<ArrayConstructor>(e).items);
    case ExprKind::kRow:
      return any(as<RowConstructor>(e).items);
    case ExprKind::kFunction:
      return as<FunctionCall>(e).args.empty()
                 ? lower(as<FunctionCall>(e).name.back().value) == "map"
                 : any(as<FunctionCall>(e).args);
    case ExprKind::kSubscript:
      return may_be_untyped(*as<Subscript>(e).base);
    case ExprKind::kDereference:
      return may_be_untyped(*as<Dereference>(e).base);
    case ExprKind::kBinaryOp:
      return may_be_untyped(*as<BinaryOp>(e).left) || may_be_untyped(*as<BinaryOp>(e).right);
    case ExprKind::kColumnRef: {
      const auto& column = as<ColumnRef>(e);
      const auto& type = column.type ? column.type : column.inferred;
      return type && holds_unknown(*type);
    }
    case ExprKind::kCase:
    case ExprKind::kSubquery:
      return true;
    default:
      return false;
  }
}

}  // namespace

void check_ambiguity(const Expr& expr) {
  const Called call = called(expr);
  if (call.name.empty() || signatures_of(call.name).size() < 2) return;
  const auto untyped = [](const Expr* argument) { return may_be_untyped(*argument); };
  if (!call.arguments.empty() &&
      std::none_of(call.arguments.begin(), call.arguments.end(), untyped))
    return;
  std::vector<Type> types;
  bool unknown = call.arguments.empty();
  for (const Expr* argument : call.arguments) {
    const auto type = infer_type(*argument);
    if (!type) return;
    unknown = unknown || holds_unknown(*type);
    types.push_back(*type);
  }
  if (!unknown) return;
  const auto candidates = ambiguous_signatures(call.name, types);
  if (candidates.empty()) return;
  fail(Code::kAmbiguousFunctionCall, call.pos,
       fmt::format("Could not choose a best candidate operator. Explicit type casts must be "
                   "added.\nCandidates are:\n\t * {}\n",
                   fmt::join(candidates, "\n\t * ")));
}

void check_count(const FunctionCall& call) {
  const std::string name = lower(call.name.back().value);
  if (takes_count(name, call.args.size())) return;
  if (name == "concat_ws" && call.args.size() == 1)
    throw Error(Code::kInvalidFunctionArgument, "There must be two or more arguments");
  const Called made = called(call);
  if (made.name.empty()) return;
  const std::string types = types_text(made, {});
  if (!types.empty()) throw unexpected(made, types);
}

void check_lambdas(const FunctionCall& call) {
  bool any = false;
  for (size_t i = 0; i < call.args.size(); ++i) {
    const auto* lambda = try_as<Lambda>(call.args[i].get());
    if (!lambda) continue;
    any = true;
    const auto taken = lambda_size(lower(call.name.back().value), call.args.size(), i);
    if (taken && *taken != lambda->args.size())
      fail(Code::kInvalidParameterUsage, lambda->pos,
           fmt::format("Expected a lambda that takes {} argument(s) but got {}", *taken,
                       lambda->args.size()));
  }
  if (!any) return;
  const Called made = called(call);
  if (fits_signature(made.name, made.arguments) != Fit::kNo) return;
  const std::string types = types_text(made, {});
  if (!types.empty()) throw unexpected(made, types);
}

Error explained(Statement& statement, const Error& error) {
  const auto code = error.code();
  std::optional<Error> out;
  if ((code == Code::kFunctionNotFound && error.message().starts_with(kUnexpected)) ||
      code == Code::kGenericUserError || code == Code::kGenericInternalError)
    out = explained_call(statement, error);
  else if (code == Code::kTypeMismatch && error.message().starts_with("Cannot cast "))
    out = explained_cast(statement, error);
  return out ? *out : error;
}

}  // namespace meesh::sql
