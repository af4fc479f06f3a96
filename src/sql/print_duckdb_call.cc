// DuckDB SQL: calls of functions, aggregates and windows.
#include <fmt/format.h>

#include "sql/functions.h"
#include "sql/print_duckdb_writer.h"
#include "sql/resolve_types.h"
#include "sql/routine.h"
#include "sql/scope.h"

namespace meesh::sql {
namespace {

/// What DuckDB counts apart by their bits are the same moments, each in its own zone.
bool counts_instants(const FunctionInfo& info, const FunctionCall& call) {
  if (!call.distinct || info.name != "count" || call.args.size() != 1) return false;
  const auto type = infer_type(*call.args[0]);
  return type && type->kind == TypeKind::kTimestampTz;
}

}  // namespace

void DuckdbPrinter::call(const FunctionCall& call) {
  if (call.routine) return routine_call(call);
  const std::string name = lower(call.name.back().value);
  if (name == "coalesce" || name == "nullif" || name == "if" || name == "try" || name == "position")
    return special_call(name, call);
  if (name == "typeof" && call.args.size() == 1) {
    if (const auto type = infer_type(*call.args[0])) {
      // DuckDB checks the argument and does not run it.
      put("CASE WHEN FALSE THEN trino_typeof(");
      expr(*call.args[0]);
      return put(fmt::format(") ELSE {}::VARCHAR END", duckdb_string(type->display())));
    }
  }
  if (name == kRecursionStep) {
    put("meesh_recursion_step(");
    list(call.args);
    return put(")");
  }
  const FunctionInfo* info = find_function(name);
  if (!info)
    fail(Code::kFunctionNotFound, call.pos,
         fmt::format("Function '{}' not registered", display_name(call.name)));
  if (lambda_call(name, *info, call)) return;
  function(*info, call);
}

void DuckdbPrinter::routine_call(const FunctionCall& call) {
  put(fmt::format("trino_routine({}", call.routine->id));
  for (const auto& arg : call.args) {
    put(", ");
    expr(*arg);
  }
  put(")");
}

/// The overloads that take a lambda where others of the name take a value.
bool DuckdbPrinter::lambda_call(const std::string& name, const FunctionInfo& info,
                                const FunctionCall& call) {
  std::vector<const Expr*> args;
  for (const auto& arg : call.args) args.push_back(arg.get());
  const auto is_lambda = [&](size_t i) {
    return i < args.size() && args[i]->kind == ExprKind::kLambda;
  };
  if (name == "array_sort" && args.size() == 2 && is_lambda(1)) {
    expand("trino_sorted($1, trino_pairs(trino_all_pairs($1), $2))", args);
    return true;
  }
  if (name == "regexp_replace" && args.size() == 3 && is_lambda(2)) {
    expand("trino_regexp_joined($1, $2, list_transform(trino_regexp_groups($1, $2), $3))", args);
    return true;
  }
  if (name == "reduce_agg") {
    if (args.size() != 4 || !is_lambda(2) || !is_lambda(3))
      fail(Code::kFunctionNotFound, call.pos,
           "Unexpected parameters for function reduce_agg. Expected: reduce_agg(T, S, "
           "function(S,T,S), function(S,S,S)) T, S");
    reduce_agg(info, call);
    return true;
  }
  return false;
}

/// The values of the group as an array, reduced. NULLs are left out, and no rows give NULL.
void DuckdbPrinter::reduce_agg(const FunctionInfo& info, const FunctionCall& call) {
  put("trino_reduce(");
  put(info.duckdb);
  put(call.distinct ? "(DISTINCT " : "(");
  expr(*call.args[0]);
  after_arguments(call);
  put(") FILTER (WHERE (");
  expr(*call.args[0]);
  put(") IS NOT NULL");
  if (call.filter) {
    put(" AND ");
    expr(*call.filter);
  }
  put(")");
  over(call);
  put(", ");
  expr(*call.args[2]);
  put(", ");
  expr(*call.args[1]);
  put(")");
}

void DuckdbPrinter::over(const FunctionCall& call) {
  if (!call.over) return;
  put(" OVER ");
  if (call.over->name_only && call.over->base) return ident(call.over->base->value);
  put("(");
  window(*call.over);
  put(")");
}

void DuckdbPrinter::special_call(const std::string& name, const FunctionCall& call) {
  const auto& args = call.args;
  const auto expect = [&](size_t low, size_t high) {
    if (args.size() < low || args.size() > high)
      fail(Code::kInvalidArguments, call.pos,
           fmt::format("Invalid number of arguments for '{}' function", name));
  };
  if (name == "coalesce") {
    expect(2, SIZE_MAX);
    keep_zones(args);
    put("COALESCE(");
    list(args);
    return put(")");
  }
  if (name == "nullif") {
    expect(2, 2);
    return binary("trino_nullif", *args[0], *args[1]);
  }
  if (name == "if") {
    expect(2, 3);
    keep_zones(std::span(args).subspan(1));
    put("CASE WHEN ");
    expr(*args[0]);
    put(" THEN ");
    expr(*args[1]);
    if (args.size() == 3) {
      put(" ELSE ");
      expr(*args[2]);
    }
    return put(" END");
  }
  if (name == "try") {
    expect(1, 1);
    put("trino_try(");
    expr(*args[0]);
    return put(")");
  }
  // POSITION(needle IN haystack)
  expect(2, 2);
  named("strpos", call, {args[1].get(), args[0].get()});
}

void DuckdbPrinter::named(std::string_view name, const Expr& at,
                          const std::vector<const Expr*>& args) {
  const FunctionInfo* info = find_function(name);
  if (!info)
    fail(Code::kFunctionNotFound, at.pos, fmt::format("Function '{}' not registered", name));
  if (info->duckdb.find('$') != std::string_view::npos) return expand(info->duckdb, args);
  put(info->duckdb);
  put("(");
  for (size_t i = 0; i < args.size(); ++i) {
    if (i) put(", ");
    expr(*args[i]);
  }
  put(")");
}

/// $1 … $9 are the arguments, $* all of them.
void DuckdbPrinter::expand(std::string_view text, const std::vector<const Expr*>& args) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      put(text.substr(i, 1));
      continue;
    }
    const char which = text[++i];
    if (which == '*') {
      for (size_t a = 0; a < args.size(); ++a) {
        if (a) put(", ");
        expr(*args[a]);
      }
      continue;
    }
    const auto index = static_cast<size_t>(which - '1');
    if (index < args.size())
      expr(*args[index]);
    else
      put("NULL");
  }
}

namespace {

/// Around the second argument of a window function that says how far it reaches.
const char* offset_check(std::string_view name) {
  if (name == "lag" || name == "lead") return "trino_row_offset($1)";
  return name == "nth_value" ? "trino_place_offset($1)" : nullptr;
}

}  // namespace

void DuckdbPrinter::arguments(const FunctionCall& call) {
  const char* offset = offset_check(lower(call.name.back().value));
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (i) put(", ");
    if (call.args[i]->kind == ExprKind::kStar) {
      put("*");
    } else if (i == 1 && offset) {
      expand(offset, {call.args[i].get()});
    } else {
      expr(*call.args[i]);
    }
  }
  // Trino's LISTAGG has no separator unless one is written; DuckDB's is a comma.
  if (call.args.size() == 1 && lower(call.name.back().value) == "listagg") put(", ''");
  const std::string overflow = lower(call.listagg_overflow);
  if (overflow.starts_with("truncate")) {
    const auto open = overflow.find('\''), close = overflow.rfind('\'');
    const bool filler = open != std::string::npos;
    put(", " + (filler ? call.listagg_overflow.substr(open, close - open + 1) : "'...'"));
    put(overflow.ends_with("without count") ? ", FALSE" : ", TRUE");
  }
}

void DuckdbPrinter::after_arguments(const FunctionCall& call) {
  if (!call.order_by.empty()) {
    put(" ORDER BY ");
    order_by(call.order_by);
  }
  if (call.nulls == NullTreatment::kIgnore) put(" IGNORE NULLS");
}

void DuckdbPrinter::function(const FunctionInfo& info, const FunctionCall& call) {
  const bool is_template = info.duckdb.find('$') != std::string_view::npos;
  std::vector<const Expr*> args;
  for (const auto& arg : call.args) args.push_back(arg.get());
  const size_t open = info.duckdb.find('(');
  const size_t close = info.duckdb.rfind(')');
  const auto core = [&] {
    if (!is_template) {
      put(info.duckdb);
      put(call.distinct ? "(DISTINCT " : "(");
      if (counts_instants(info, call)) {
        expand("trino_instant_of($1)", args);
      } else {
        arguments(call);
      }
      after_arguments(call);
      put(")");
    } else if (open == std::string_view::npos) {
      expand(info.duckdb, args);
    } else {
      expand(info.duckdb.substr(0, open + 1), args);
      if (call.distinct) put("DISTINCT ");
      expand(info.duckdb.substr(open + 1, close - open - 1), args);
      after_arguments(call);
      expand(info.duckdb.substr(close), args);
    }
    if (call.filter) {
      put(" FILTER (WHERE ");
      expr(*call.filter);
      put(")");
    }
    over(call);
  };
  if (info.wrapper.empty()) return core();
  const size_t hole = info.wrapper.find("$1");
  if (hole == std::string_view::npos) {
    put(info.wrapper);
    put("(");
    core();
    return put(")");
  }
  put(info.wrapper.substr(0, hole));
  core();
  put(info.wrapper.substr(hole + 2));
}

void DuckdbPrinter::window(const WindowSpec& spec) {
  bool first = true;
  const auto part = [&] {
    if (!first) put(" ");
    first = false;
  };
  if (spec.base) {
    part();
    ident(spec.base->value);
  }
  if (!spec.partition_by.empty()) {
    part();
    put("PARTITION BY ");
    list(spec.partition_by);
  }
  if (!spec.order_by.empty()) {
    part();
    put("ORDER BY ");
    order_by(spec.order_by);
  }
  if (!spec.frame) return;
  part();
  switch (spec.frame->unit) {
    case WindowFrame::Unit::kRows:
      put("ROWS ");
      break;
    case WindowFrame::Unit::kRange:
      put("RANGE ");
      break;
    case WindowFrame::Unit::kGroups:
      put("GROUPS ");
      break;
  }
  // DuckDB's short form means the same: BETWEEN <start> AND CURRENT ROW.
  const bool counts = spec.frame->unit != WindowFrame::Unit::kRange;
  put("BETWEEN ");
  bound(spec.frame->start, counts);
  put(" AND ");
  if (spec.frame->end)
    bound(*spec.frame->end, counts);
  else
    put("CURRENT ROW");
}

void DuckdbPrinter::bound(const FrameBound& bound, bool counts) {
  const bool literal = bound.value && bound.value->kind == ExprKind::kInteger;
  const auto value = [&] {
    if (counts && !literal) return expand("trino_frame_offset($1)", {bound.value.get()});
    expr(*bound.value);
  };
  switch (bound.kind) {
    case FrameBound::Kind::kUnboundedPreceding:
      return put("UNBOUNDED PRECEDING");
    case FrameBound::Kind::kCurrentRow:
      return put("CURRENT ROW");
    case FrameBound::Kind::kUnboundedFollowing:
      return put("UNBOUNDED FOLLOWING");
    case FrameBound::Kind::kPreceding:
      value();
      return put(" PRECEDING");
    case FrameBound::Kind::kFollowing:
      value();
      return put(" FOLLOWING");
  }
}

void DuckdbPrinter::trim(const Trim& trim) {
  const char* name = trim.side == Trim::Side::kBoth      ? "trim"
                     : trim.side == Trim::Side::kLeading ? "ltrim"
                                                         : "rtrim";
  std::vector<const Expr*> args = {trim.value.get()};
  if (trim.characters) args.push_back(trim.characters.get());
  named(name, trim, args);
}

}  // namespace meesh::sql
