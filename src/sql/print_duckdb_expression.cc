// DuckDB SQL: expressions. Operators become calls of the trino_… functions, whose bind callbacks
// check Trino's types and put the native expression in their place.
#include <fmt/format.h>

#include "sql/print_duckdb_writer.h"
#include "sql/resolve_literals.h"
#include "sql/resolve_types.h"
#include "sql/scope.h"

namespace meesh::sql {
namespace {

/// -2147483648 is an integer, 2147483648 is none.
constexpr uint64_t kIntegerMinimum = 2147483648;

const char* function_of(BinaryOperator op) {
  switch (op) {
    case BinaryOperator::kAdd:
      return "trino_add";
    case BinaryOperator::kSubtract:
      return "trino_subtract";
    case BinaryOperator::kMultiply:
      return "trino_multiply";
    case BinaryOperator::kDivide:
      return "trino_divide";
    case BinaryOperator::kModulus:
      return "trino_modulus";
    case BinaryOperator::kConcat:
      return "trino_concat_op";
  }
  return "";
}

const char* function_of(ComparisonOp op) {
  switch (op) {
    case ComparisonOp::kEq:
      return "trino_eq";
    case ComparisonOp::kNe:
      return "trino_ne";
    case ComparisonOp::kLt:
      return "trino_lt";
    case ComparisonOp::kLe:
      return "trino_le";
    case ComparisonOp::kGt:
      return "trino_gt";
    case ComparisonOp::kGe:
      return "trino_ge";
  }
  return "";
}

const char* sign_of(ComparisonOp op) {
  switch (op) {
    case ComparisonOp::kEq:
      return "=";
    case ComparisonOp::kNe:
      return "<>";
    case ComparisonOp::kLt:
      return "<";
    case ComparisonOp::kLe:
      return "<=";
    case ComparisonOp::kGt:
      return ">";
    case ComparisonOp::kGe:
      return ">=";
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

/// Literals whose text the resolver has read already.
static bool is_checked(TypeKind kind) {
  switch (kind) {
    case TypeKind::kVarchar:
    case TypeKind::kChar:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimeTz:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return true;
    default:
      return false;
  }
}

void DuckdbPrinter::literal(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kNull:
      return put("NULL");
    case ExprKind::kBoolean:
      return put(as<BooleanLiteral>(e).value ? "TRUE" : "FALSE");
    case ExprKind::kInteger: {
      const uint64_t value = as<IntegerLiteral>(e).value;
      if (value > INT64_MAX)
        fail(Code::kInvalidLiteral, e.pos, fmt::format("Invalid numeric literal: {}", value));
      return put(std::to_string(value));
    }
    case ExprKind::kDecimal:
      return put(decimal_text(as<DecimalLiteral>(e).text, e.pos));
    case ExprKind::kDouble:
      return put("CAST('" + as<DoubleLiteral>(e).text + "' AS DOUBLE)");
    case ExprKind::kString:
      return put(duckdb_string(as<StringLiteral>(e).value) + "::VARCHAR");
    case ExprKind::kBinary: {
      put("'");
      for (unsigned char c : as<BinaryLiteral>(e).bytes) put(fmt::format("\\x{:02X}", c));
      return put("'::BLOB");
    }
    case ExprKind::kTyped: {
      const auto& typed = as<TypedLiteral>(e);
      const Type type = type_of_literal(typed);
      if (type.kind == TypeKind::kDecimal) return put(decimal_text(typed.value, e.pos));
      return put(fmt::format("{}({}::VARCHAR, '{}')",
                             is_checked(type.kind) ? "trino_cast" : "trino_literal",
                             duckdb_string(typed.value), type.display()));
    }
    case ExprKind::kInterval: {
      const auto& interval = as<IntervalLiteral>(e);
      if (is_year_month(interval))
        return put(
            fmt::format("trino_interval_year_month({}::INTEGER)", interval_months(interval)));
      return put(fmt::format("trino_interval_day_time({}::BIGINT)", interval_micros(interval)));
    }
    default:
      internal_error("not a literal");
  }
}

// ---------------------------------------------------------------- operators

void DuckdbPrinter::expr(const Expr& e) {
  if (!zoned_.empty() && zoned_.erase(&e) > 0) {
    put("trino_zoned(");
    expr(e);
    return put(")");
  }
  mark(e.pos);
  switch (e.kind) {
    case ExprKind::kNull:
    case ExprKind::kBoolean:
    case ExprKind::kInteger:
    case ExprKind::kDecimal:
    case ExprKind::kDouble:
    case ExprKind::kString:
    case ExprKind::kBinary:
    case ExprKind::kTyped:
    case ExprKind::kInterval:
      return literal(e);
    case ExprKind::kParameter: {
      const auto& type = as<Parameter>(e).type;
      return put(type ? fmt::format("trino_cast(NULL, {})", duckdb_string(type->display()))
                      : "NULL");
    }
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
      if (unary.op == UnaryOp::kPlus) {
        put("trino_plus(");
        expr(*unary.value);
        return put(")");
      }
      // -2^63 has no positive twin to negate.
      const auto* literal = try_as<const IntegerLiteral>(unary.value.get());
      if (literal && literal->value == static_cast<uint64_t>(INT64_MAX) + 1)
        return put("CAST('-9223372036854775808' AS BIGINT)");
      if (literal && literal->value == kIntegerMinimum) return put("CAST(-2147483648 AS INTEGER)");
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
    case ExprKind::kLogical:
      return logical(as<Logical>(e));
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
      return binary(op.negated ? "trino_not_distinct" : "trino_distinct", *op.left, *op.right);
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
    case ExprKind::kInSubquery:
      return in_subquery(as<InSubquery>(e));
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
    case ExprKind::kCase:
      return case_of(as<Case>(e));
    case ExprKind::kCast:
      return cast(as<Cast>(e));
    case ExprKind::kFunction:
      return call(as<FunctionCall>(e));
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
    case ExprKind::kCurrent:
      return current(as<Current>(e));
    case ExprKind::kArray:
      keep_zones(as<ArrayConstructor>(e).items);
      put("[");
      list(as<ArrayConstructor>(e).items);
      return put("]");
    case ExprKind::kRow:
      return row(as<RowConstructor>(e));
    case ExprKind::kTrim:
      return trim(as<Trim>(e));
    case ExprKind::kJsonFunction:
      return json(as<JsonFunction>(e));
    case ExprKind::kGrouping:
      put("CAST(GROUPING(");
      list(as<Grouping>(e).args);
      return put(") AS INTEGER)");
    case ExprKind::kIdentifier:
    case ExprKind::kStar:
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
  keep_zones(node);
  put("CASE");
  for (const auto& [when, then] : node.whens) {
    put(" WHEN ");
    if (node.operand)
      binary("trino_eq", *node.operand, *when);
    else
      expr(*when);
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
  put(cast.try_cast ? "trino_try_cast(" : "trino_cast(");
  if (cast.store) {
    // What does not fit is refused on the way into a table, where a CAST would cut it.
    const auto from = infer_type(*cast.value);
    put("meesh_fitting(CAST(");
    expr(*cast.value);
    put(fmt::format(
        " AS VARCHAR), {}, {})", type.precision,
        duckdb_string(fmt::format("Cannot truncate non-space characters when casting "
                                  "from {} to {} on INSERT",
                                  (from ? *from : Type::varchar()).display(), type.display()))));
  } else {
    expr(*cast.value);
  }
  put(", " + duckdb_string(type.display()) + ")");
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

}  // namespace meesh::sql
