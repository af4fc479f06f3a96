#include "sql/resolve_text.h"

#include <fmt/format.h>

#include "sql/scope.h"

namespace meesh::sql {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

std::string ident(const Ident& name) { return name.quoted ? '"' + name.value + '"' : name.value; }

const char* op_text(BinaryOperator op) {
  switch (op) {
    case BinaryOperator::kAdd:
      return "+";
    case BinaryOperator::kSubtract:
      return "-";
    case BinaryOperator::kMultiply:
      return "*";
    case BinaryOperator::kDivide:
      return "/";
    case BinaryOperator::kModulus:
      return "%";
    case BinaryOperator::kConcat:
      return "||";
  }
  return "?";
}
const char* op_text(ComparisonOp op) {
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
  return "?";
}

std::string type_text(const TypeNode& type) {
  std::string out = type.name;
  if (type.name == "interval")
    return fmt::format("interval {} to {}", type.interval_from, type.interval_to);
  if (!type.params.empty()) {
    out += '(';
    for (size_t i = 0; i < type.params.size(); ++i) {
      const auto& param = type.params[i];
      if (i) out += ", ";
      if (param.field_name) out += param.field_name->value + ' ';
      if (param.type) out += type_text(*param.type);
      if (param.number) out += std::to_string(*param.number);
    }
    out += ')';
  }
  if (type.with_time_zone) out += " with time zone";
  return out;
}

class Text {
 public:
  explicit Text(bool bound) : bound_(bound) {}

  std::string of(const ExprPtr& e) const { return e ? of(*e) : std::string(); }
  std::string of(const Expr& e) const;

 private:
  std::string list(const std::vector<ExprPtr>& items) const {
    std::string out;
    for (const auto& item : items) out += (out.empty() ? "" : ", ") + of(item);
    return out;
  }
  std::string sort(const std::vector<SortItem>& items) const {
    std::string out = "ORDER BY ";
    for (const auto& item : items) {
      if (&item != &items.front()) out += ", ";
      out += of(item.key) + (item.descending ? " DESC" : " ASC");
      if (item.nulls == SortItem::Nulls::kFirst) out += " NULLS FIRST";
      if (item.nulls == SortItem::Nulls::kLast) out += " NULLS LAST";
    }
    return out;
  }
  std::string bound(const FrameBound& b) const {
    switch (b.kind) {
      case FrameBound::Kind::kUnboundedPreceding:
        return "UNBOUNDED PRECEDING";
      case FrameBound::Kind::kPreceding:
        return of(b.value) + " PRECEDING";
      case FrameBound::Kind::kCurrentRow:
        return "CURRENT ROW";
      case FrameBound::Kind::kFollowing:
        return of(b.value) + " FOLLOWING";
      case FrameBound::Kind::kUnboundedFollowing:
        return "UNBOUNDED FOLLOWING";
    }
    return "";
  }
  std::string window(const WindowSpec& w) const {
    if (w.name_only && w.base) return w.base->value;
    std::string out = "(";
    const auto add = [&](const std::string& part) { out += (out == "(" ? "" : " ") + part; };
    if (w.base) add(w.base->value);
    if (!w.partition_by.empty()) add("PARTITION BY " + list(w.partition_by));
    if (!w.order_by.empty()) add(sort(w.order_by));
    if (w.frame) {
      const char* unit = w.frame->unit == WindowFrame::Unit::kRows    ? "ROWS"
                         : w.frame->unit == WindowFrame::Unit::kRange ? "RANGE"
                                                                      : "GROUPS";
      add(w.frame->end ? fmt::format("{} BETWEEN {} AND {}", unit, bound(w.frame->start),
                                     bound(*w.frame->end))
                       : fmt::format("{} {}", unit, bound(w.frame->start)));
    }
    return out + ")";
  }
  std::string call(const FunctionCall& c) const {
    std::string out = display_name(c.name) + '(' + (c.distinct ? "DISTINCT " : "") + list(c.args);
    if (!c.order_by.empty()) out += ' ' + sort(c.order_by);
    out += ')';
    if (c.nulls == NullTreatment::kIgnore) out += " IGNORE NULLS";
    if (c.filter) out += " FILTER (WHERE " + of(c.filter) + ')';
    if (c.over) out += " OVER " + window(*c.over);
    return out;
  }
  std::string case_text(const Case& c) const {
    std::string out = "(CASE";
    if (c.operand) out += ' ' + of(c.operand);
    for (const auto& [when, then] : c.whens) out += " WHEN " + of(when) + " THEN " + of(then);
    if (c.otherwise) out += " ELSE " + of(c.otherwise);
    return out + " END)";
  }
  std::string interval(const IntervalLiteral& i) const {
    return fmt::format("INTERVAL {}'{}' {}{}", i.negative ? "-" : "", i.value, i.from,
                       i.to.empty() ? "" : " TO " + i.to);
  }
  /// A subquery: "(SELECT ...)" for people, its address for equality.
  std::string subquery(const QueryPtr& query) const {
    return bound_ ? fmt::format("<{}>", static_cast<const void*>(query.get())) : "(SELECT ...)";
  }
  std::string column(const ColumnRef& c) const {
    if (!bound_ && !c.written.empty()) return c.written;
    return c.relation.empty() ? c.column : c.relation + '\1' + c.column;
  }
  std::string row(const RowConstructor& r) const {
    if (r.names.empty()) return "ROW (" + list(r.items) + ')';
    std::string out = "ROW (";
    for (size_t i = 0; i < r.items.size(); ++i) {
      if (i) out += ", ";
      out += of(r.items[i]);
      if (r.names[i]) out += " AS " + ident(*r.names[i]);
    }
    return out + ')';
  }

  bool bound_;
};

std::string Text::of(const Expr& e) const {
  switch (e.kind) {
    case ExprKind::kNull:
      return "null";
    case ExprKind::kBoolean:
      return as<BooleanLiteral>(e).value ? "true" : "false";
    case ExprKind::kInteger:
      return std::to_string(as<IntegerLiteral>(e).value);
    case ExprKind::kDecimal:
      return "DECIMAL '" + as<DecimalLiteral>(e).text + '\'';
    case ExprKind::kDouble:
      return as<DoubleLiteral>(e).text;
    case ExprKind::kString:
      return quoted(as<StringLiteral>(e).value);
    case ExprKind::kBinary: {
      std::string out = "X'";
      for (unsigned char c : as<BinaryLiteral>(e).bytes) out += fmt::format("{:02X}", c);
      return out + '\'';
    }
    case ExprKind::kTyped:
      return as<TypedLiteral>(e).type + ' ' + quoted(as<TypedLiteral>(e).value);
    case ExprKind::kInterval:
      return interval(as<IntervalLiteral>(e));
    case ExprKind::kParameter:
      return "?";
    case ExprKind::kIdentifier:
      return ident(as<Identifier>(e).name);
    case ExprKind::kDereference:
      return of(as<Dereference>(e).base) + '.' +
             (bound_ ? lower(as<Dereference>(e).field.value) : ident(as<Dereference>(e).field));
    case ExprKind::kColumnRef:
      return column(as<ColumnRef>(e));
    case ExprKind::kStar:
      return as<Star>(e).qualifier ? of(as<Star>(e).qualifier) + ".*" : std::string("*");
    case ExprKind::kSubscript:
      return of(as<Subscript>(e).base) + '[' + of(as<Subscript>(e).index) + ']';
    case ExprKind::kUnary:
      return (as<Unary>(e).op == UnaryOp::kMinus ? "-" : "+") + of(as<Unary>(e).value);
    case ExprKind::kBinaryOp: {
      const auto& b = as<BinaryOp>(e);
      return fmt::format("({} {} {})", of(b.left), op_text(b.op), of(b.right));
    }
    case ExprKind::kComparison: {
      const auto& c = as<Comparison>(e);
      return fmt::format("({} {} {})", of(c.left), op_text(c.op), of(c.right));
    }
    case ExprKind::kLogical: {
      const auto& l = as<Logical>(e);
      std::string out = "(";
      for (const auto& term : l.terms)
        out += (out == "(" ? "" : l.is_and ? " AND " : " OR ") + of(term);
      return out + ')';
    }
    case ExprKind::kNot:
      return "(NOT " + of(as<Not>(e).value) + ')';
    case ExprKind::kIsNull:
      return '(' + of(as<IsNull>(e).value) +
             (as<IsNull>(e).negated ? " IS NOT NULL)" : " IS NULL)");
    case ExprKind::kIsDistinctFrom: {
      const auto& d = as<IsDistinctFrom>(e);
      return fmt::format("({} IS {}DISTINCT FROM {})", of(d.left), d.negated ? "NOT " : "",
                         of(d.right));
    }
    case ExprKind::kBetween: {
      const auto& b = as<Between>(e);
      return fmt::format("({} {}BETWEEN {} AND {})", of(b.value), b.negated ? "NOT " : "",
                         of(b.low), of(b.high));
    }
    case ExprKind::kIn: {
      const auto& i = as<In>(e);
      return fmt::format("({} {}IN ({}))", of(i.value), i.negated ? "NOT " : "", list(i.list));
    }
    case ExprKind::kInSubquery: {
      const auto& i = as<InSubquery>(e);
      return fmt::format("({} {}IN {})", of(i.value), i.negated ? "NOT " : "", subquery(i.query));
    }
    case ExprKind::kLike: {
      const auto& l = as<Like>(e);
      return fmt::format("({} {}LIKE {}{})", of(l.value), l.negated ? "NOT " : "", of(l.pattern),
                         l.escape ? " ESCAPE " + of(l.escape) : "");
    }
    case ExprKind::kExists:
      return "(EXISTS " + subquery(as<Exists>(e).query) + ')';
    case ExprKind::kSubquery:
      return subquery(as<SubqueryExpr>(e).query);
    case ExprKind::kQuantified: {
      const auto& q = as<Quantified>(e);
      return fmt::format("({} {} {} {})", of(q.value), op_text(q.op),
                         q.quantifier == Quantifier::kAll ? "ALL" : "ANY", subquery(q.query));
    }
    case ExprKind::kCase:
      return case_text(as<Case>(e));
    case ExprKind::kCast: {
      const auto& c = as<Cast>(e);
      return fmt::format("{}({} AS {})", c.try_cast ? "TRY_CAST" : "CAST", of(c.value),
                         type_text(*c.type));
    }
    case ExprKind::kFunction:
      return call(as<FunctionCall>(e));
    case ExprKind::kLambda: {
      std::string args;
      for (const auto& a : as<Lambda>(e).args) args += (args.empty() ? "" : ", ") + a.value;
      return fmt::format("({}) -> {}", args, of(as<Lambda>(e).body));
    }
    case ExprKind::kExtract:
      return fmt::format("EXTRACT({} FROM {})", as<Extract>(e).field, of(as<Extract>(e).value));
    case ExprKind::kAtTimeZone:
      return of(as<AtTimeZone>(e).value) + " AT TIME ZONE " + of(as<AtTimeZone>(e).zone);
    case ExprKind::kCurrent: {
      const auto& c = as<Current>(e);
      return c.precision ? fmt::format("{}({})", c.what, *c.precision) : c.what;
    }
    case ExprKind::kArray:
      return "ARRAY[" + list(as<ArrayConstructor>(e).items) + ']';
    case ExprKind::kRow:
      return row(as<RowConstructor>(e));
    case ExprKind::kTrim: {
      const auto& t = as<Trim>(e);
      const char* side = t.side == Trim::Side::kBoth      ? "BOTH"
                         : t.side == Trim::Side::kLeading ? "LEADING"
                                                          : "TRAILING";
      return fmt::format("trim({} {} FROM {})", side, of(t.characters), of(t.value));
    }
    case ExprKind::kJsonFunction: {
      const auto& j = as<JsonFunction>(e);
      std::string out = j.name + '(' + of(j.input) + ", " + quoted(j.path);
      for (const auto& [value, name] : j.passing) out += ", " + of(value) + " AS " + name;
      for (const auto& [key, value] : j.members) out += ", " + of(key) + " : " + of(value);
      for (const auto& clause : j.clauses) out += ' ' + clause;
      for (const auto& [on, value] : j.defaults) out += " DEFAULT " + of(value) + " ON " + on;
      if (j.returning) out += " RETURNING " + type_text(*j.returning);
      return out + ')';
    }
    case ExprKind::kGrouping:
      return "GROUPING (" + list(as<Grouping>(e).args) + ')';
  }
  internal_error("unknown expression kind");
}

}  // namespace

std::string shown(const Expr& expr) { return Text(false).of(expr); }
std::string fingerprint(const Expr& expr) { return Text(true).of(expr); }

}  // namespace meesh::sql
