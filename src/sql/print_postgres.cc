// PostgreSQL text of whole queries. A statement is pushed down only when two questions are answered
// with yes:
//
// 1. Does it mean the same there? Only constructs whose PostgreSQL result is bit for bit Trino's
// are
//    printed; the first that is not throws Refused and the whole statement runs in DuckDB.
//    Left out on purpose: comparisons of floating point (NaN), division, functions, char(n), times
//    with zones, anything whose type is not known for certain.
//
// 2. Does it pay? pushdown_pays() says why and when.
#include <fmt/format.h>

#include <cctype>

#include "sql/pushdown_cost.h"
#include "sql/resolve_literals.h"
#include "sql/resolve_types.h"
#include "sql/resolve_walk.h"
#include "sql/resolver.h"

namespace meesh::sql {
namespace {

struct Refused {};
[[noreturn]] void refuse() { throw Refused{}; }

std::string quote(std::string_view name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string text_literal(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\0') refuse();
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

bool exact(const Type& t) { return is_integral(t) || t.kind == TypeKind::kDecimal; }
bool is_varchar(const Type& t) { return t.kind == TypeKind::kVarchar; }
bool keeps_microseconds(const Type& t) {
  return t.kind == TypeKind::kDate || (t.kind == TypeKind::kTimestamp && t.precision <= 6);
}

class PostgresPrinter {
 public:
  std::string query(const Query& query);

 private:
  void body(const Query& query, const Select& select);
  void items(const Select& select);
  void group_by(const Select& select);
  void order_by(const Query& query, const Select& select);
  void relation(const Relation& relation);
  void join(const Join& join);
  void expr(const Expr& expr);
  void comparison(const Comparison& node);
  void comparable(const Expr& left, const Expr& right, bool ordered);
  void arithmetic(const BinaryOp& node);
  void literal(const Expr& expr);
  void typed(const TypedLiteral& literal);
  void column(const ColumnRef& ref);
  void like(const Like& like);
  void call(const FunctionCall& call);
  void sum(const FunctionCall& call, const Type& type);
  void list(const std::vector<ExprPtr>& exprs, const char* between);
  static Type known(const Expr& expr);
  static void check_type(const Type& type);
  void put(std::string_view text) { out_ += text; }

  std::string out_;
};

Type PostgresPrinter::known(const Expr& expr) {
  auto type = infer_type(expr);
  if (!type) refuse();
  return std::move(*type);
}

void PostgresPrinter::check_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDouble:
    case TypeKind::kVarchar:
    case TypeKind::kDate:
    case TypeKind::kDecimal:
      return;
    case TypeKind::kTimestamp:
      if (type.precision <= 6) return;
      break;
    default:
      break;
  }
  refuse();
}

// ---------------------------------------------------------------- expressions

void PostgresPrinter::list(const std::vector<ExprPtr>& exprs, const char* between) {
  for (size_t i = 0; i < exprs.size(); ++i) {
    if (i) put(between);
    expr(*exprs[i]);
  }
}

void PostgresPrinter::column(const ColumnRef& ref) {
  if (!ref.type && !ref.inferred) refuse();
  const Type& type = ref.type ? *ref.type : *ref.inferred;
  check_type(type);
  put(quote(ref.relation) + "." + quote(ref.column));
  // Enums and domains arrive as varchar too; on varchar and text this costs nothing.
  if (is_varchar(type)) put("::text");
}

void PostgresPrinter::typed(const TypedLiteral& literal) {
  const Type type = type_of_literal(literal);
  const std::string& text = literal.value;
  // Years of four digits are written the same everywhere.
  const bool plain = text.size() >= 10 && std::isdigit(static_cast<unsigned char>(text[0])) &&
                     text[4] == '-' && text[7] == '-';
  if (!plain || !keeps_microseconds(type)) refuse();
  put(type.kind == TypeKind::kDate ? "DATE " : "TIMESTAMP ");
  put(text_literal(text));
}

void PostgresPrinter::literal(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kBoolean:
      return put(as<BooleanLiteral>(e).value ? "TRUE" : "FALSE");
    case ExprKind::kInteger:
      if (as<IntegerLiteral>(e).value > INT64_MAX) refuse();
      return put(std::to_string(as<IntegerLiteral>(e).value));
    case ExprKind::kDecimal:
      type_of_decimal(as<DecimalLiteral>(e).text, e.pos);
      return put(as<DecimalLiteral>(e).text);
    case ExprKind::kString:
      return put(text_literal(as<StringLiteral>(e).value) + "::text");
    case ExprKind::kTyped:
      return typed(as<TypedLiteral>(e));
    default:
      refuse();
  }
}

void PostgresPrinter::comparable(const Expr& left, const Expr& right, bool ordered) {
  const Type a = known(left), b = known(right);
  check_type(a);
  check_type(b);
  const bool same = (exact(a) && exact(b)) || (is_varchar(a) && is_varchar(b)) ||
                    (keeps_microseconds(a) && keeps_microseconds(b)) ||
                    (!ordered && a.kind == TypeKind::kBoolean && b.kind == TypeKind::kBoolean);
  if (!same) refuse();
}

void PostgresPrinter::comparison(const Comparison& node) {
  const bool ordered = node.op != ComparisonOp::kEq && node.op != ComparisonOp::kNe;
  comparable(*node.left, *node.right, ordered);
  put("(");
  expr(*node.left);
  // Trino orders text by code points, whatever the server's collation is.
  if (ordered && is_varchar(known(*node.left))) put(" COLLATE \"C\"");
  switch (node.op) {
    case ComparisonOp::kEq:
      put(" = ");
      break;
    case ComparisonOp::kNe:
      put(" <> ");
      break;
    case ComparisonOp::kLt:
      put(" < ");
      break;
    case ComparisonOp::kLe:
      put(" <= ");
      break;
    case ComparisonOp::kGt:
      put(" > ");
      break;
    case ComparisonOp::kGe:
      put(" >= ");
      break;
  }
  expr(*node.right);
  put(")");
}

void PostgresPrinter::arithmetic(const BinaryOp& node) {
  const Type a = known(*node.left), b = known(*node.right);
  if (!exact(a) || !exact(b)) refuse();
  const Type result = known(node);
  // A decimal that would not fit has an error of its own in Trino.
  if (result.kind == TypeKind::kDecimal && result.precision >= 38) refuse();
  const char* sign = node.op == BinaryOperator::kAdd        ? " + "
                     : node.op == BinaryOperator::kSubtract ? " - "
                     : node.op == BinaryOperator::kMultiply ? " * "
                                                            : nullptr;
  if (!sign) refuse();
  put("(");
  expr(*node.left);
  put(sign);
  expr(*node.right);
  put(")");
}

void PostgresPrinter::like(const Like& like) {
  const auto* pattern = try_as<const StringLiteral>(like.pattern.get());
  if (!pattern || like.escape || !is_varchar(known(*like.value))) refuse();
  put("(");
  expr(*like.value);
  put(like.negated ? " NOT LIKE " : " LIKE ");
  put(text_literal(pattern->value));
  // PostgreSQL's LIKE has an escape character unless told otherwise.
  if (pattern->value.find('\\') != std::string::npos) put(" ESCAPE ''");
  put(")");
}

void PostgresPrinter::expr(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kBoolean:
    case ExprKind::kInteger:
    case ExprKind::kDecimal:
    case ExprKind::kString:
    case ExprKind::kTyped:
      return literal(e);
    case ExprKind::kColumnRef:
      return column(as<ColumnRef>(e));
    case ExprKind::kComparison:
      return comparison(as<Comparison>(e));
    case ExprKind::kLogical:
      put("(");
      list(as<Logical>(e).terms, as<Logical>(e).is_and ? " AND " : " OR ");
      return put(")");
    case ExprKind::kNot:
      put("(NOT ");
      expr(*as<Not>(e).value);
      return put(")");
    case ExprKind::kIsNull:
      put("(");
      expr(*as<IsNull>(e).value);
      return put(as<IsNull>(e).negated ? " IS NOT NULL)" : " IS NULL)");
    case ExprKind::kBetween: {
      const auto& b = as<Between>(e);
      comparable(*b.value, *b.low, true);
      comparable(*b.value, *b.high, true);
      put("(");
      expr(*b.value);
      if (is_varchar(known(*b.value))) put(" COLLATE \"C\"");
      put(b.negated ? " NOT BETWEEN " : " BETWEEN ");
      expr(*b.low);
      put(" AND ");
      expr(*b.high);
      return put(")");
    }
    case ExprKind::kIn: {
      const auto& in = as<In>(e);
      for (const auto& item : in.list) comparable(*in.value, *item, false);
      put("(");
      expr(*in.value);
      put(in.negated ? " NOT IN (" : " IN (");
      list(in.list, ", ");
      return put("))");
    }
    case ExprKind::kLike:
      return like(as<Like>(e));
    case ExprKind::kUnary: {
      if (!exact(known(*as<Unary>(e).value))) refuse();
      put(as<Unary>(e).op == UnaryOp::kMinus ? "(- " : "(");
      expr(*as<Unary>(e).value);
      return put(")");
    }
    case ExprKind::kBinaryOp:
      return arithmetic(as<BinaryOp>(e));
    case ExprKind::kFunction:
      return call(as<FunctionCall>(e));
    default:
      refuse();
  }
}

void PostgresPrinter::sum(const FunctionCall& call, const Type& type) {
  const auto argument = [&] {
    put(call.distinct ? "DISTINCT " : "");
    expr(*call.args[0]);
  };
  const bool average = lower(call.name.back().value) == "avg";
  if (is_integral(type) && average) {
    put("(sum(");
    argument();
    put(")::double precision / nullif(count(");
    argument();
    return put("), 0))");
  }
  if (is_integral(type)) {
    put("sum(");
    argument();
    return put(")::bigint");
  }
  if (type.kind == TypeKind::kDecimal && !average) {
    put("sum(");
    argument();
    return put(fmt::format(")::numeric(38,{})", type.scale));
  }
  // avg(decimal) rounds in its own way.
  if (type.kind != TypeKind::kDouble) refuse();
  put(average ? "avg(" : "sum(");
  argument();
  put(")");
}

void PostgresPrinter::call(const FunctionCall& call) {
  const std::string name = lower(call.name.back().value);
  if (call.over || call.filter || !call.order_by.empty() || call.args.size() > 1) refuse();
  if (call.routine) refuse();
  if (name == "count") {
    put(call.distinct ? "count(DISTINCT " : "count(");
    if (call.args.empty() || call.args[0]->kind == ExprKind::kStar) {
      put("*");
    } else {
      // NaN equals itself in PostgreSQL.
      if (call.distinct && known(*call.args[0]).kind == TypeKind::kDouble) refuse();
      expr(*call.args[0]);
    }
    return put(")");
  }
  if (call.args.size() != 1) refuse();
  const Type type = known(*call.args[0]);
  check_type(type);
  if (name == "sum" || name == "avg") return sum(call, type);
  if (name != "min" && name != "max") refuse();
  if (!exact(type) && !is_varchar(type) && !keeps_microseconds(type)) refuse();
  put(name + "(");
  expr(*call.args[0]);
  put(is_varchar(type) ? " COLLATE \"C\")" : ")");
}

// ---------------------------------------------------------------- relations

void PostgresPrinter::join(const Join& join) {
  relation(*join.left);
  switch (join.type) {
    case JoinType::kInner:
      put(" JOIN ");
      break;
    case JoinType::kLeft:
      put(" LEFT JOIN ");
      break;
    case JoinType::kCross:
    case JoinType::kImplicit:
      put(" CROSS JOIN ");
      break;
    case JoinType::kRight:
    case JoinType::kFull:
      refuse();
  }
  const bool nested = join.right->kind == RelationKind::kJoin;
  if (nested) put("(");
  relation(*join.right);
  if (nested) put(")");
  if (join.type == JoinType::kCross || join.type == JoinType::kImplicit) return;
  put(" ON ");
  if (join.on)
    expr(*join.on);
  else
    put("TRUE");
}

void PostgresPrinter::relation(const Relation& relation) {
  switch (relation.kind) {
    case RelationKind::kJoin:
      return join(as<Join>(relation));
    case RelationKind::kTable: {
      const auto& table = as<TableRef>(relation);
      // A source that is a SELECT converts or renames columns on the way.
      if (!table.resolved || table.resolved->duckdb_source.starts_with("(")) refuse();
      return put(quote(table.resolved->remote_schema) + "." + quote(table.resolved->remote_table) +
                 " AS " + quote(table.alias));
    }
    case RelationKind::kAliased: {
      const auto& aliased = as<AliasedRelation>(relation);
      const auto* sub = try_as<const SubqueryRelation>(aliased.relation.get());
      if (!sub) refuse();
      put("(");
      PostgresPrinter inner;
      put(inner.query(*sub->query));
      put(") AS " + quote(aliased.alias.value) + "(");
      for (size_t i = 0; i < aliased.columns.size(); ++i)
        put((i ? ", " : "") + quote(aliased.columns[i].value));
      return put(")");
    }
    default:
      refuse();
  }
}

// ---------------------------------------------------------------- the query

void PostgresPrinter::items(const Select& select) {
  for (size_t i = 0; i < select.items.size(); ++i) {
    if (i) put(", ");
    const Expr& value = *select.items[i].value;
    const Type type = known(value);
    check_type(type);
    // A computed numeric has no precision of its own there; a column's is the table's.
    const bool computed = type.kind == TypeKind::kDecimal && value.kind != ExprKind::kColumnRef;
    if (computed) put("CAST(");
    expr(value);
    if (computed) put(fmt::format(" AS numeric({},{}))", type.precision, type.scale));
    if (select.items[i].alias) put(" AS " + quote(select.items[i].alias->value));
  }
}

void PostgresPrinter::group_by(const Select& select) {
  if (!select.group_by) return;
  if (select.group_by->quantifier != GroupBy::Quantifier::kNone) refuse();
  put(" GROUP BY ");
  bool first = true;
  for (const auto& element : select.group_by->elements) {
    if (element.kind != GroupingElement::Kind::kSimple || element.sets.size() != 1) refuse();
    for (const auto& key : element.sets.front()) {
      if (!first) put(", ");
      first = false;
      const auto* ordinal = try_as<const IntegerLiteral>(key.get());
      const Expr& value = ordinal ? *select.items[ordinal->value - 1].value : *key;
      // Constants would be read as ordinals; NaN is a group of its own there.
      if (value.kind != ExprKind::kColumnRef || known(value).kind == TypeKind::kDouble) refuse();
      expr(value);
    }
  }
  if (first) refuse();
}

void PostgresPrinter::order_by(const Query& query, const Select& select) {
  for (size_t i = 0; i < query.order_by.size(); ++i) {
    const SortItem& item = query.order_by[i];
    put(i ? ", " : " ORDER BY ");
    const auto* ordinal = try_as<const IntegerLiteral>(item.key.get());
    const Expr& key = ordinal ? *select.items[ordinal->value - 1].value : *item.key;
    const Type type = known(key);
    if (!exact(type) && !is_varchar(type) && !keeps_microseconds(type) &&
        type.kind != TypeKind::kBoolean)
      refuse();
    if (is_varchar(type)) {
      // DISTINCT allows no key beside the columns themselves.
      if (select.quantifier == SetQuantifier::kDistinct) refuse();
      expr(key);
      put(" COLLATE \"C\"");
    } else if (ordinal) {
      put(std::to_string(ordinal->value));
    } else {
      if (key.kind != ExprKind::kColumnRef && key.kind != ExprKind::kFunction) refuse();
      expr(key);
    }
    put(item.descending ? " DESC" : " ASC");
    put(item.nulls == SortItem::Nulls::kFirst ? " NULLS FIRST" : " NULLS LAST");
  }
}

void PostgresPrinter::body(const Query& query, const Select& select) {
  if (!select.from || !select.windows.empty()) refuse();
  put(select.quantifier == SetQuantifier::kDistinct ? "SELECT DISTINCT " : "SELECT ");
  items(select);
  put(" FROM ");
  relation(*select.from);
  if (select.where) {
    put(" WHERE ");
    expr(*select.where);
  }
  group_by(select);
  if (select.having) {
    put(" HAVING ");
    expr(*select.having);
  }
  order_by(query, select);
}

std::string PostgresPrinter::query(const Query& query) {
  const auto* select = try_as<const Select>(query.body.get());
  if (!select || !query.with.empty() || query.with_ties) refuse();
  if (select->quantifier == SetQuantifier::kDistinct)
    for (const auto& item : select->items)
      if (known(*item.value).kind == TypeKind::kDouble) refuse();
  body(query, *select);
  const auto number = [&](const ExprPtr& value, const char* word) {
    if (!value) return;
    const auto* literal = try_as<const IntegerLiteral>(value.get());
    if (!literal) refuse();
    put(word + std::to_string(literal->value));
  };
  number(query.limit, " LIMIT ");
  if (query.fetch_first && !query.limit) put(" LIMIT 1");
  number(query.offset, " OFFSET ");
  return std::move(out_);
}

}  // namespace

std::optional<std::string> print_postgres(const Query& query, const Analysis& analysis) {
  std::string database;
  for (const auto& table : analysis.reads) {
    if (table.kind == TableInfo::Kind::kView) continue;
    if (table.remote_database.empty()) return std::nullopt;
    if (database.empty()) database = table.remote_database;
    if (table.remote_database != database) return std::nullopt;
  }
  if (database.empty()) return std::nullopt;
  const auto* select = try_as<const Select>(query.body.get());
  if (!select || !select->from) return std::nullopt;
  try {
    if (!pushdown_pays(query, *select)) return std::nullopt;
    return PostgresPrinter().query(query);
  } catch (const Refused&) {
    return std::nullopt;
  }
}

}  // namespace meesh::sql
