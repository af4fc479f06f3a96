// DuckDB SQL: expressions. Operators become calls of the trino_… functions, whose bind callbacks
// check Trino's types and put the native expression in their place.
#include <fmt/format.h>

#include "sql/print_duckdb_writer.h"
#include "sql/resolve_literals.h"
#include "sql/resolve_types.h"
#include "sql/scope.h"

namespace meesh::sql {
namespace {

const char* function_of(BinaryOperator op) {
  switch (op) {
    case BinaryOperator::kAdd: return "trino_add";
    case BinaryOperator::kSubtract: return "trino_subtract";
    case BinaryOperator::kMultiply: return "trino_multiply";
    case BinaryOperator::kDivide: return "trino_divide";
    case BinaryOperator::kModulus: return "trino_modulus";
    case BinaryOperator::kConcat: return "trino_concat_op";
  }
  return "";
}

const char* function_of(ComparisonOp op) {
  switch (op) {
    case ComparisonOp::kEq: return "trino_eq";
    case ComparisonOp::kNe: return "trino_ne";
    case ComparisonOp::kLt: return "trino_lt";
    case ComparisonOp::kLe: return "trino_le";
    case ComparisonOp::kGt: return "trino_gt";
    case ComparisonOp::kGe: return "trino_ge";
  }
  return "";
}

const char* sign_of(ComparisonOp op) {
  switch (op) {
    case ComparisonOp::kEq: return "=";
    case ComparisonOp::kNe: return "<>";
    case ComparisonOp::kLt: return "<";
    case ComparisonOp::kLe: return "<=";
    case ComparisonOp::kGt: return ">";
    case ComparisonOp::kGe: return ">=";
  }
  return "";
}

std::string decimal_text(const std::string& digits, Position pos) {
  const Type type = type_of_decimal(digits, pos);
  return fmt::format("CAST('{}' AS DECIMAL({},{}))", digits, type.precision, type.scale);
}

}  // namespace

void DuckdbPrinter::list(const std::vector<ExprPtr>& exprs) {
  for (size_t i = 0; i < exprs.size(); ++i) {
    if (i) put(", ");
    expr(*exprs[i]);
  }
}

void DuckdbPrinter::binary(const char* function, const Expr& left, const Expr& right) {
  put(function);
  put("(");
  expr(left);
  put(", ");
  expr(right);
  put(")");
}

// ---------------------------------------------------------------- literals

void DuckdbPrinter::literal(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kNull: return put("NULL");
    case ExprKind::kBoolean: return put(as<BooleanLiteral>(e).value ? "TRUE" : "FALSE");
    case ExprKind::kInteger: {
      const uint64_t value = as<IntegerLiteral>(e).value;
      if (value > INT64_MAX)
        fail(Code::kInvalidLiteral, e.pos, fmt::format("Invalid numeric literal: {}", value));
      return put(std::to_string(value));
    }
    case ExprKind::kDecimal: return put(decimal_text(as<DecimalLiteral>(e).text, e.pos));
    case ExprKind::kDouble: return put("CAST('" + as<DoubleLiteral>(e).text + "' AS DOUBLE)");
    case ExprKind::kString: return put(duckdb_string(as<StringLiteral>(e).value) + "::VARCHAR");
    case ExprKind::kBinary: {
      put("'");
      for (unsigned char c : as<BinaryLiteral>(e).bytes) put(fmt::format("\\x{:02X}", c));
      return put("'::BLOB");
    }
    case ExprKind::kTyped: {
      const auto& typed = as<TypedLiteral>(e);
      const Type type = type_of_literal(typed);
      if (type.kind == TypeKind::kDecimal) return put(decimal_text(typed.value, e.pos));
      if (type.kind == TypeKind::kJson) {
        StringLiteral text;
        text.value = typed.value;
        return named("json_parse", e, {&text});
      }
      return put(fmt::format("trino_cast({}::VARCHAR, '{}')", duckdb_string(typed.value),
                             type.display()));
    }
    case ExprKind::kInterval: {
      const auto& interval = as<IntervalLiteral>(e);
      if (is_year_month(interval))
        return put(fmt::format("trino_interval_year_month({}::INTEGER)",
                               interval_months(interval)));
      return put(fmt::format("trino_interval_day_time({}::BIGINT)", interval_micros(interval)));
    }
    default: internal_error("not a literal");
  }
}

// ---------------------------------------------------------------- operators

void DuckdbPrinter::expr(const Expr& e) {
  mark(e.pos);
  switch (e.kind) {
    case ExprKind::kNull: case ExprKind::kBoolean: case ExprKind::kInteger: case ExprKind::kDecimal:
    case ExprKind::kDouble: case ExprKind::kString: case ExprKind::kBinary: case ExprKind::kTyped:
    case ExprKind::kInterval:
      return literal(e);
    case ExprKind::kParameter: return put("NULL");
    case ExprKind::kColumnRef: {
      const auto& ref = as<ColumnRef>(e);
      if (!ref.relation.empty()) {
        ident(ref.relation);
        put(".");
      }
      return ident(ref.column);
    }
    case ExprKind::kDereference:
      put("struct_extract(");
      expr(*as<Dereference>(e).base);
      return put(", " + duckdb_string(as<Dereference>(e).field.value) + ")");
    case ExprKind::kSubscript:
      return binary("trino_subscript", *as<Subscript>(e).base, *as<Subscript>(e).index);
    case ExprKind::kUnary: {
      const auto& unary = as<Unary>(e);
      if (unary.op == UnaryOp::kPlus) return expr(*unary.value);
      // -2^63 has no positive twin to negate.
      const auto* literal = try_as<const IntegerLiteral>(unary.value.get());
      if (literal && literal->value == static_cast<uint64_t>(INT64_MAX) + 1)
        return put("CAST('-9223372036854775808' AS BIGINT)");
      put("trino_negate(");
      expr(*unary.value);
      return put(")");
    }
    case ExprKind::kBinaryOp: {
      const auto& op = as<BinaryOp>(e);
      return binary(function_of(op.op), *op.left, *op.right);
    }
    case ExprKind::kComparison: {
      const auto& op = as<Comparison>(e);
      return binary(function_of(op.op), *op.left, *op.right);
    }
    case ExprKind::kLogical: return logical(as<Logical>(e));
    case ExprKind::kNot:
      put("(NOT ");
      expr(*as<Not>(e).value);
      return put(")");
    case ExprKind::kIsNull:
      put("(");
      expr(*as<IsNull>(e).value);
      return put(as<IsNull>(e).negated ? " IS NOT NULL)" : " IS NULL)");
    case ExprKind::kIsDistinctFrom: {
      const auto& op = as<IsDistinctFrom>(e);
      put("(");
      expr(*op.left);
      put(op.negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ");
      expr(*op.right);
      return put(")");
    }
    case ExprKind::kBetween: {
      const auto& op = as<Between>(e);
      put(op.negated ? "(NOT trino_between(" : "trino_between(");
      expr(*op.value);
      put(", ");
      expr(*op.low);
      put(", ");
      expr(*op.high);
      return put(op.negated ? "))" : ")");
    }
    case ExprKind::kIn: {
      const auto& op = as<In>(e);
      put(op.negated ? "(NOT trino_in(" : "trino_in(");
      expr(*op.value);
      put(", ");
      list(op.list);
      return put(op.negated ? "))" : ")");
    }
    case ExprKind::kInSubquery: return in_subquery(as<InSubquery>(e));
    case ExprKind::kLike: {
      const auto& op = as<Like>(e);
      put(op.negated ? "(NOT trino_like(" : "trino_like(");
      expr(*op.value);
      put(", ");
      expr(*op.pattern);
      if (op.escape) {
        put(", ");
        expr(*op.escape);
      }
      return put(op.negated ? "))" : ")");
    }
    case ExprKind::kExists:
      put("EXISTS (");
      query(*as<Exists>(e).query);
      return put(")");
    case ExprKind::kSubquery:
      put("(");
      query(*as<SubqueryExpr>(e).query);
      return put(")");
    case ExprKind::kQuantified: {
      const auto& op = as<Quantified>(e);
      put("(");
      expr(*op.value);
      put(fmt::format(" {} {} (", sign_of(op.op),
                      op.quantifier == Quantifier::kAll ? "ALL" : "ANY"));
      query(*op.query);
      return put("))");
    }
    case ExprKind::kCase: return case_of(as<Case>(e));
    case ExprKind::kCast: return cast(as<Cast>(e));
    case ExprKind::kFunction: return call(as<FunctionCall>(e));
    case ExprKind::kLambda: {
      const auto& lambda = as<Lambda>(e);
      // DuckDB's lambdas have at least one argument; Trino's () -> x has none.
      if (lambda.args.empty())
        fail(Code::kNotSupported, e.pos, "Lambdas without arguments are not supported");
      put("lambda ");
      for (size_t i = 0; i < lambda.args.size(); ++i) {
        if (i) put(", ");
        ident(lambda.args[i].value);
      }
      put(": ");
      return expr(*lambda.body);
    }
    case ExprKind::kExtract:
      put("trino_extract(" + duckdb_string(as<Extract>(e).field) + ", ");
      expr(*as<Extract>(e).value);
      return put(")");
    case ExprKind::kAtTimeZone:
      return binary("trino_at_timezone", *as<AtTimeZone>(e).value, *as<AtTimeZone>(e).zone);
    case ExprKind::kCurrent: return current(as<Current>(e));
    case ExprKind::kArray:
      put("[");
      list(as<ArrayConstructor>(e).items);
      return put("]");
    case ExprKind::kRow: return row(as<RowConstructor>(e));
    case ExprKind::kTrim: return trim(as<Trim>(e));
    case ExprKind::kJsonFunction: return json(as<JsonFunction>(e));
    case ExprKind::kGrouping:
      put("CAST(GROUPING(");
      list(as<Grouping>(e).args);
      return put(") AS INTEGER)");
    case ExprKind::kIdentifier: case ExprKind::kStar:
      internal_error("a name was not resolved");
  }
}

void DuckdbPrinter::logical(const Logical& logical) {
  put("(");
  for (size_t i = 0; i < logical.terms.size(); ++i) {
    if (i) put(logical.is_and ? " AND " : " OR ");
    expr(*logical.terms[i]);
  }
  put(")");
}

void DuckdbPrinter::in_subquery(const InSubquery& in) {
  put("(");
  const auto* row = try_as<const RowConstructor>(in.value.get());
  if (row) {
    put("(");
    list(row->items);
    put(")");
  } else {
    expr(*in.value);
  }
  put(in.negated ? " NOT IN (" : " IN (");
  query(*in.query);
  put("))");
}

void DuckdbPrinter::case_of(const Case& node) {
  put("CASE");
  for (const auto& [when, then] : node.whens) {
    put(" WHEN ");
    if (node.operand) binary("trino_eq", *node.operand, *when);
    else expr(*when);
    put(" THEN ");
    expr(*then);
  }
  if (node.otherwise) {
    put(" ELSE ");
    expr(*node.otherwise);
  }
  put(" END");
}

void DuckdbPrinter::cast(const Cast& cast) {
  const Type type = to_type(*cast.type);
  if (cast.store) {
    // What does not fit is refused on the way into a table, where a CAST would cut it.
    put("CASE WHEN length(rtrim(CAST(");
    expr(*cast.value);
    put(fmt::format(" AS VARCHAR), ' ')) > {} THEN error('Cannot truncate non-space characters "
                    "on INSERT') ELSE ",
                    type.precision));
  }
  put(cast.try_cast ? "trino_try_cast(" : "trino_cast(");
  expr(*cast.value);
  put(", " + duckdb_string(type.display()) + ")");
  if (cast.store) put(" END");
}

void DuckdbPrinter::row(const RowConstructor& row) {
  put("{");
  for (size_t i = 0; i < row.items.size(); ++i) {
    if (i) put(", ");
    const bool is_named = i < row.names.size() && row.names[i];
    put(duckdb_string(is_named ? row.names[i]->value : fmt::format("field{}", i)) + ": ");
    expr(*row.items[i]);
  }
  put("}");
}

void DuckdbPrinter::current(const Current& current) {
  if (current.what == "current_date") return put("trino_current_date()");
  const bool known = current.what == "current_timestamp" || current.what == "current_time" ||
                     current.what == "localtime" || current.what == "localtimestamp";
  if (!known) internal_error(current.what + " was not resolved");
  put(fmt::format("trino_{}({})", current.what, current.precision.value_or(3)));
}

// ---------------------------------------------------------------- calls

void DuckdbPrinter::call(const FunctionCall& call) {
  const std::string name = lower(call.name.back().value);
  if (name == "coalesce" || name == "nullif" || name == "if" || name == "try" ||
      name == "position")
    return special_call(name, call);
  const FunctionInfo* info = find_function(name);
  if (!info)
    fail(Code::kFunctionNotFound, call.pos,
         fmt::format("Function '{}' not registered", display_name(call.name)));
  function(*info, call);
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
    put("COALESCE(");
    list(args);
    return put(")");
  }
  if (name == "nullif") {
    expect(2, 2);
    put("CASE WHEN ");
    binary("trino_eq", *args[0], *args[1]);
    put(" THEN NULL ELSE ");
    expr(*args[0]);
    return put(" END");
  }
  if (name == "if") {
    expect(2, 3);
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
    put("TRY(");
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
    if (index < args.size()) expr(*args[index]);
    else put("NULL");
  }
}

void DuckdbPrinter::arguments(const FunctionCall& call) {
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (i) put(", ");
    if (call.args[i]->kind == ExprKind::kStar) put("*");
    else expr(*call.args[i]);
  }
  // Trino's LISTAGG has no separator unless one is written; DuckDB's is a comma.
  if (call.args.size() == 1 && lower(call.name.back().value) == "listagg") put(", ''");
}

void DuckdbPrinter::after_arguments(const FunctionCall& call) {
  if (!call.order_by.empty()) {
    put(" ORDER BY ");
    order_by(call.order_by);
  }
  if (call.nulls == NullTreatment::kIgnore) put(" IGNORE NULLS");
}

void DuckdbPrinter::function(const FunctionInfo& info, const FunctionCall& call) {
  if (call.listagg_overflow.find("TRUNCATE") != std::string::npos ||
      call.listagg_overflow.find("truncate") != std::string::npos)
    fail(Code::kNotSupported, call.pos, "LISTAGG ... ON OVERFLOW TRUNCATE is not supported");
  const bool is_template = info.duckdb.find('$') != std::string_view::npos;
  std::vector<const Expr*> args;
  for (const auto& arg : call.args) args.push_back(arg.get());
  const size_t open = info.duckdb.find('(');
  const size_t close = info.duckdb.rfind(')');
  const auto core = [&] {
    if (!is_template) {
      put(info.duckdb);
      put(call.distinct ? "(DISTINCT " : "(");
      arguments(call);
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
    if (!call.over) return;
    put(" OVER ");
    if (call.over->name_only && call.over->base) return ident(call.over->base->value);
    put("(");
    window(*call.over);
    put(")");
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
    case WindowFrame::Unit::kRows: put("ROWS "); break;
    case WindowFrame::Unit::kRange: put("RANGE "); break;
    case WindowFrame::Unit::kGroups: put("GROUPS "); break;
  }
  // DuckDB's short form means the same: BETWEEN <start> AND CURRENT ROW.
  put("BETWEEN ");
  bound(spec.frame->start);
  put(" AND ");
  if (spec.frame->end) bound(*spec.frame->end);
  else put("CURRENT ROW");
}

void DuckdbPrinter::bound(const FrameBound& bound) {
  switch (bound.kind) {
    case FrameBound::Kind::kUnboundedPreceding: return put("UNBOUNDED PRECEDING");
    case FrameBound::Kind::kCurrentRow: return put("CURRENT ROW");
    case FrameBound::Kind::kUnboundedFollowing: return put("UNBOUNDED FOLLOWING");
    case FrameBound::Kind::kPreceding:
      expr(*bound.value);
      return put(" PRECEDING");
    case FrameBound::Kind::kFollowing:
      expr(*bound.value);
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

void DuckdbPrinter::json(const JsonFunction& json) {
  std::string upper = json.name;
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  fail(Code::kNotSupported, json.pos,
       upper + " is not supported; json_extract, json_extract_scalar and CAST AS JSON are");
}

}  // namespace meesh::sql
