#include "sql/print_trino.h"

#include "sql/lexer.h"
#include "sql/sql.h"

namespace meesh::sql {
namespace {

constexpr std::string_view kComparisonTexts[] = {" = ", " <> ", " < ", " <= ", " > ", " >= "};
constexpr std::string_view kOperatorTexts[] = {" + ", " - ", " * ", " / ", " % ", " || "};
constexpr std::string_view kQuantifierTexts[] = {"ALL", "ANY", "SOME"};

}  // namespace

std::string print_trino(const Statement& statement) {
  TrinoPrinter printer;
  printer.statement(statement);
  return printer.take();
}
std::string print_trino(const Expr& expression) {
  TrinoPrinter printer;
  printer.expr(expression);
  return printer.take();
}
std::string print_trino(const Query& query) {
  TrinoPrinter printer;
  printer.query(query);
  return printer.take();
}

void TrinoPrinter::ident(const Ident& i) { put(print_identifier(i)); }
void TrinoPrinter::name(const Name& n) { put(print_name(n)); }
void TrinoPrinter::string(std::string_view value) { put(quote_string(value)); }

void TrinoPrinter::idents(const std::vector<Ident>& items) {
  put("(");
  list(items, [&](const Ident& i) { ident(i); });
  put(")");
}

void TrinoPrinter::exprs(const std::vector<ExprPtr>& items, Strength at_least) {
  list(items, [&](const ExprPtr& e) { expr(*e, at_least); });
}

TrinoPrinter::Strength TrinoPrinter::strength(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kLambda:
      return kAny;
    case ExprKind::kLogical:
      return as<Logical>(e).is_and ? kAnd : kOr;
    case ExprKind::kNot:
      return kNot;
    case ExprKind::kComparison:
    case ExprKind::kIsNull:
    case ExprKind::kIsDistinctFrom:
    case ExprKind::kBetween:
    case ExprKind::kIn:
    case ExprKind::kInSubquery:
    case ExprKind::kLike:
    case ExprKind::kQuantified:
      return kPredicate;
    case ExprKind::kUnary:
      return kSign;
    case ExprKind::kAtTimeZone:
      return kZone;
    case ExprKind::kBinaryOp:
      break;
    default:
      return kPrimary;
  }
  switch (as<BinaryOp>(e).op) {
    case BinaryOperator::kConcat:
      return kConcat;
    case BinaryOperator::kAdd:
    case BinaryOperator::kSubtract:
      return kSum;
    default:
      return kProduct;
  }
}

void TrinoPrinter::expr(const Expr& e, Strength at_least) {
  if (strength(e) < at_least) {
    put("(");
    expr(e);
    put(")");
    return;
  }
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
    case ExprKind::kParameter:
      return literal(e);
    case ExprKind::kIdentifier:
    case ExprKind::kDereference:
    case ExprKind::kColumnRef:
    case ExprKind::kStar:
    case ExprKind::kSubscript:
      return column(e);
    case ExprKind::kComparison:
    case ExprKind::kIsNull:
    case ExprKind::kIsDistinctFrom:
    case ExprKind::kBetween:
    case ExprKind::kIn:
    case ExprKind::kInSubquery:
    case ExprKind::kLike:
    case ExprKind::kQuantified:
      return predicate(e);
    case ExprKind::kUnary:
      return sign(as<Unary>(e));
    case ExprKind::kCase:
      return case_expression(as<Case>(e));
    case ExprKind::kLambda:
      return lambda(as<Lambda>(e));
    case ExprKind::kTrim:
      return trim(as<Trim>(e));
    case ExprKind::kFunction:
      return call(as<FunctionCall>(e));
    case ExprKind::kJsonFunction:
      return json(as<JsonFunction>(e));
    default:
      return compound(e);
  }
}

void TrinoPrinter::literal(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kNull:
      return put("NULL");
    case ExprKind::kBoolean:
      return put(as<BooleanLiteral>(e).value ? "TRUE" : "FALSE");
    case ExprKind::kInteger:
      return put(std::to_string(as<IntegerLiteral>(e).value));
    case ExprKind::kDecimal:
      return put(as<DecimalLiteral>(e).text);
    case ExprKind::kDouble:
      return put(as<DoubleLiteral>(e).text);
    case ExprKind::kString:
      return string(as<StringLiteral>(e).value);
    case ExprKind::kParameter:
      return put("?");
    case ExprKind::kBinary: {
      static constexpr char kHex[] = "0123456789ABCDEF";
      put("X'");
      for (char c : as<BinaryLiteral>(e).bytes) {
        out_ += kHex[static_cast<unsigned char>(c) >> 4];
        out_ += kHex[static_cast<unsigned char>(c) & 15];
      }
      return put("'");
    }
    case ExprKind::kTyped: {
      const auto& t = as<TypedLiteral>(e);
      bool bare = is_plain_identifier(t.type) && lower(t.type) == t.type && t.type != "interval";
      put(bare ? upper(t.type) : quote_identifier(t.type));
      put(" ");
      return string(t.value);
    }
    case ExprKind::kInterval: {
      const auto& i = as<IntervalLiteral>(e);
      put(i.negative ? "INTERVAL -" : "INTERVAL ");
      string(i.value);
      put(" " + upper(i.from));
      if (!i.to.empty()) put(" TO " + upper(i.to));
      return;
    }
    default:
      internal_error("not a literal");
  }
}

/// What a `.` or `[` is put behind; a number there would swallow the dot.
void TrinoPrinter::base(const Expr& e) {
  bool number =
      e.kind == ExprKind::kInteger || e.kind == ExprKind::kDecimal || e.kind == ExprKind::kDouble;
  if (number) put("(");
  expr(e, kPrimary);
  if (number) put(")");
}

void TrinoPrinter::column(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kIdentifier:
      return ident(as<Identifier>(e).name);
    case ExprKind::kDereference:
      base(*as<Dereference>(e).base);
      put(".");
      return ident(as<Dereference>(e).field);
    case ExprKind::kColumnRef: {
      const auto& c = as<ColumnRef>(e);
      if (!c.relation.empty()) put(quote_identifier(c.relation) + ".");
      return put(quote_identifier(c.column));
    }
    case ExprKind::kStar: {
      const auto& s = as<Star>(e);
      if (s.qualifier) {
        base(*s.qualifier);
        put(".");
      }
      put("*");
      if (s.aliases.empty()) return;
      put(" AS ");
      return idents(s.aliases);
    }
    case ExprKind::kSubscript: {
      const Expr& of = *as<Subscript>(e).base;
      // A column called "array" is no array constructor.
      bool array = of.kind == ExprKind::kIdentifier && !as<Identifier>(of).name.quoted &&
                   lower(as<Identifier>(of).name.value) == "array";
      put_if(array, "(");
      base(of);
      put(array ? ")[" : "[");
      expr(*as<Subscript>(e).index, kConcat);
      return put("]");
    }
    default:
      internal_error("not a column");
  }
}

void TrinoPrinter::predicate(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kComparison: {
      const auto& c = as<Comparison>(e);
      expr(*c.left, kConcat);
      put(kComparisonTexts[static_cast<size_t>(c.op)]);
      return expr(*c.right, kConcat);
    }
    case ExprKind::kIsNull:
      expr(*as<IsNull>(e).value, kConcat);
      return put(as<IsNull>(e).negated ? " IS NOT NULL" : " IS NULL");
    case ExprKind::kIsDistinctFrom: {
      const auto& d = as<IsDistinctFrom>(e);
      expr(*d.left, kConcat);
      put(d.negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ");
      return expr(*d.right, kConcat);
    }
    case ExprKind::kBetween: {
      const auto& b = as<Between>(e);
      expr(*b.value, kConcat);
      put(b.negated ? " NOT BETWEEN " : " BETWEEN ");
      expr(*b.low, kConcat);
      put(" AND ");
      return expr(*b.high, kConcat);
    }
    case ExprKind::kIn: {
      const auto& i = as<In>(e);
      expr(*i.value, kConcat);
      put(i.negated ? " NOT IN (" : " IN (");
      exprs(i.list);
      return put(")");
    }
    case ExprKind::kInSubquery: {
      const auto& i = as<InSubquery>(e);
      expr(*i.value, kConcat);
      put(i.negated ? " NOT IN (" : " IN (");
      query(*i.query);
      return put(")");
    }
    case ExprKind::kLike: {
      const auto& l = as<Like>(e);
      expr(*l.value, kConcat);
      put(l.negated ? " NOT LIKE " : " LIKE ");
      expr(*l.pattern, kConcat);
      if (!l.escape) return;
      put(" ESCAPE ");
      return expr(*l.escape, kConcat);
    }
    case ExprKind::kQuantified: {
      const auto& q = as<Quantified>(e);
      expr(*q.value, kConcat);
      put(kComparisonTexts[static_cast<size_t>(q.op)]);
      put(kQuantifierTexts[static_cast<size_t>(q.quantifier)]);
      put(" (");
      query(*q.query);
      return put(")");
    }
    default:
      internal_error("not a predicate");
  }
}

void TrinoPrinter::sign(const Unary& u) {
  put(u.op == UnaryOp::kMinus ? "-" : "+");
  // Two minus signs in a row would start a comment.
  if (u.value->kind == ExprKind::kUnary) put(" ");
  expr(*u.value, kSign);
}

void TrinoPrinter::case_expression(const Case& c) {
  put("CASE");
  if (c.operand) {
    put(" ");
    expr(*c.operand);
  }
  for (const auto& [when, then] : c.whens) {
    put(" WHEN ");
    expr(*when);
    put(" THEN ");
    expr(*then);
  }
  if (c.otherwise) {
    put(" ELSE ");
    expr(*c.otherwise);
  }
  put(" END");
}

void TrinoPrinter::lambda(const Lambda& l) {
  if (l.args.size() == 1)
    ident(l.args[0]);
  else
    idents(l.args);
  put(" -> ");
  expr(*l.body);
}

void TrinoPrinter::trim(const Trim& t) {
  put("TRIM(");
  bool both = t.side == Trim::Side::kBoth;
  if (both && !t.characters) {
    TrinoPrinter inside;
    inside.expr(*t.value, kConcat);
    std::string value = inside.take();
    std::string word = upper(value.substr(0, 8));
    bool side_word = word.starts_with("BOTH") || word.starts_with("LEADING") || word == "TRAILING";
    put_if(side_word, "BOTH FROM ");
    put(value);
    return put(")");
  }
  put(both ? "BOTH " : t.side == Trim::Side::kLeading ? "LEADING " : "TRAILING ");
  if (t.characters) {
    TrinoPrinter inside;
    inside.expr(*t.characters, kConcat);
    std::string characters = inside.take();
    // `LEADING - 1` would be a difference.
    bool parens = characters[0] == '-' || characters[0] == '+';
    put(parens ? "(" + characters + ") " : characters + " ");
  }
  put("FROM ");
  expr(*t.value, kConcat);
  put(")");
}

void TrinoPrinter::compound(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kBinaryOp: {
      const auto& b = as<BinaryOp>(e);
      Strength own = strength(e);
      expr(*b.left, own);
      put(kOperatorTexts[static_cast<size_t>(b.op)]);
      return expr(*b.right, static_cast<Strength>(own + 1));
    }
    case ExprKind::kLogical: {
      const auto& l = as<Logical>(e);
      const char* separator = "";
      for (const ExprPtr& term : l.terms) {
        put(separator);
        expr(*term, l.is_and ? kNot : kAnd);
        separator = l.is_and ? " AND " : " OR ";
      }
      return;
    }
    case ExprKind::kNot:
      put("NOT ");
      return expr(*as<Not>(e).value, kNot);
    case ExprKind::kExists:
      put("EXISTS (");
      query(*as<Exists>(e).query);
      return put(")");
    case ExprKind::kSubquery:
      put("(");
      query(*as<SubqueryExpr>(e).query);
      return put(")");
    case ExprKind::kCast:
      put(as<Cast>(e).try_cast ? "TRY_CAST(" : "CAST(");
      expr(*as<Cast>(e).value);
      put(" AS " + print_type(*as<Cast>(e).type));
      return put(")");
    case ExprKind::kExtract:
      put("EXTRACT(");
      put(is_plain_identifier(as<Extract>(e).field) ? upper(as<Extract>(e).field)
                                                    : quote_identifier(as<Extract>(e).field));
      put(" FROM ");
      expr(*as<Extract>(e).value, kConcat);
      return put(")");
    case ExprKind::kAtTimeZone:
      expr(*as<AtTimeZone>(e).value, kZone);
      put(" AT TIME ZONE ");
      return expr(*as<AtTimeZone>(e).zone, kPrimary);
    case ExprKind::kCurrent:
      put(upper(as<Current>(e).what));
      if (as<Current>(e).precision) put("(" + std::to_string(*as<Current>(e).precision) + ")");
      return;
    case ExprKind::kArray:
      put("ARRAY[");
      exprs(as<ArrayConstructor>(e).items);
      return put("]");
    case ExprKind::kRow: {
      const auto& r = as<RowConstructor>(e);
      put("ROW(");
      for (size_t i = 0; i < r.items.size(); ++i) {
        put_if(i > 0, ", ");
        expr(*r.items[i]);
        if (i >= r.names.size() || !r.names[i]) continue;
        put(" AS ");
        ident(*r.names[i]);
      }
      return put(")");
    }
    case ExprKind::kGrouping:
      put("GROUPING(");
      exprs(as<Grouping>(e).args);
      return put(")");
    default:
      internal_error("unknown expression in print_trino()");
  }
}

// ---------------------------------------------------------------- calls

void TrinoPrinter::call(const FunctionCall& f) {
  if (f.measure) {
    name(f.name);
    return call_suffix(f);
  }
  if (!f.processing_mode.empty()) put(upper(f.processing_mode) + " ");
  if (f.name.size() == 1 && !f.name[0].quoted) {
    std::string word = lower(f.name[0].value);
    if (word == "listagg" || word == "normalize" ||
        (word == "position" && f.args.size() == 2 && !f.distinct && f.order_by.empty()))
      return special_call(f, word);
  }
  name(f.name);
  put("(");
  put_if(f.distinct, "DISTINCT ");
  // position(a IN (b)) is a search, position((a IN (b))) a call.
  bool search = f.name.size() == 1 && !f.args.empty() && lower(f.name[0].value) == "position";
  exprs(f.args, search ? kConcat : kAny);
  if (!f.order_by.empty()) {
    put_if(!f.args.empty(), " ");
    put("ORDER BY ");
    sort(f.order_by);
  }
  put(")");
  call_suffix(f);
}

/// Calls whose arguments are not a plain list.
void TrinoPrinter::special_call(const FunctionCall& f, std::string_view word) {
  put(upper(word));
  put("(");
  if (word == "position") {
    expr(*f.args[0], kConcat);
    put(" IN ");
    expr(*f.args[1], kConcat);
    put(")");
  } else if (word == "normalize") {
    expr(*f.args[0], kConcat);
    if (f.args.size() > 1) put(", " + as<StringLiteral>(*f.args[1]).value);
    put(")");
  } else {
    put_if(f.distinct, "DISTINCT ");
    exprs(f.args);
    if (!f.listagg_overflow.empty()) put(" ON OVERFLOW " + f.listagg_overflow);
    put(") WITHIN GROUP (ORDER BY ");
    sort(f.order_by);
    put(")");
  }
  call_suffix(f);
}

void TrinoPrinter::call_suffix(const FunctionCall& f) {
  if (f.filter) {
    put(" FILTER (WHERE ");
    expr(*f.filter);
    put(")");
  }
  put_if(f.nulls == NullTreatment::kIgnore, " IGNORE NULLS");
  put_if(f.nulls == NullTreatment::kRespect, " RESPECT NULLS");
  if (!f.over) return;
  put(" OVER ");
  if (f.over->name_only) return ident(*f.over->base);
  put("(");
  window(*f.over);
  put(")");
}

void TrinoPrinter::json(const JsonFunction& f) {
  put(upper(f.name));
  put("(");
  auto formatted = [&](const std::string& format) {
    if (!format.empty()) put(" " + format);
  };
  if (f.input) {
    expr(*f.input);
    formatted(f.input_format);
    put(", ");
    string(f.path);
    if (f.path_name) {
      put(" AS ");
      ident(*f.path_name);
    }
    const char* separator = " PASSING ";
    for (size_t i = 0; i < f.passing.size(); ++i) {
      put(separator);
      expr(*f.passing[i].first);
      formatted(f.passing_formats[i]);
      put(" AS " + f.passing[i].second);
      separator = ", ";
    }
  }
  for (size_t i = 0; i < f.members.size(); ++i) {
    put_if(i > 0, ", ");
    if (f.members[i].first) {
      put("KEY ");
      expr(*f.members[i].first, kConcat);
      put(" VALUE ");
    }
    expr(*f.members[i].second);
    formatted(f.member_formats[i]);
  }
  json_clauses(f);
  put(")");
}

/// Clauses in the order of the grammar, whatever order they are kept in.
void TrinoPrinter::json_clauses(const JsonFunction& f) {
  auto ends = [](const std::string& clause, std::string_view end) { return clause.ends_with(end); };
  auto is_format = [](const std::string& clause) { return clause.starts_with("FORMAT"); };
  auto print = [&](auto accept) {
    for (const std::string& clause : f.clauses) {
      if (!accept(clause)) continue;
      put_if(out_.back() != '(', " ");
      put(clause);
    }
  };
  auto behavior = [&](const std::string& when) {
    print([&](const std::string& c) { return ends(c, " ON " + when); });
    for (const auto& [on, value] : f.defaults) {
      if (on != when) continue;
      put(" DEFAULT ");
      expr(*value);
      put(" ON " + when);
    }
  };
  print([&](const std::string& c) { return ends(c, "ON NULL") || ends(c, "UNIQUE KEYS"); });
  if (f.returning) {
    put_if(out_.back() != '(', " ");
    put("RETURNING " + print_type(*f.returning));
  }
  print(is_format);
  print([&](const std::string& c) { return ends(c, "WRAPPER"); });
  print([&](const std::string& c) { return ends(c, "QUOTES") || ends(c, "SCALAR STRING"); });
  behavior("EMPTY");
  behavior("ERROR");
}

void TrinoPrinter::sort(const std::vector<SortItem>& items) {
  list(items, [&](const SortItem& item) {
    expr(*item.key);
    put_if(item.descending, " DESC");
    put_if(item.nulls == SortItem::Nulls::kFirst, " NULLS FIRST");
    put_if(item.nulls == SortItem::Nulls::kLast, " NULLS LAST");
  });
}

void TrinoPrinter::bound(const FrameBound& b) {
  switch (b.kind) {
    case FrameBound::Kind::kUnboundedPreceding:
      return put("UNBOUNDED PRECEDING");
    case FrameBound::Kind::kUnboundedFollowing:
      return put("UNBOUNDED FOLLOWING");
    case FrameBound::Kind::kCurrentRow:
      return put("CURRENT ROW");
    case FrameBound::Kind::kPreceding:
    case FrameBound::Kind::kFollowing:
      expr(*b.value);
      return put(b.kind == FrameBound::Kind::kPreceding ? " PRECEDING" : " FOLLOWING");
  }
}

void TrinoPrinter::window(const WindowSpec& w) {
  const char* separator = "";
  if (w.base) {
    ident(*w.base);
    separator = " ";
  }
  if (!w.partition_by.empty()) {
    put(separator);
    put("PARTITION BY ");
    exprs(w.partition_by);
    separator = " ";
  }
  if (!w.order_by.empty()) {
    put(separator);
    put("ORDER BY ");
    sort(w.order_by);
    separator = " ";
  }
  if (!w.frame) return;
  put(separator);
  frame(*w.frame);
}

void TrinoPrinter::frame(const WindowFrame& f) {
  if (!f.measures.empty()) put(f.measures + " ");
  put(f.unit == WindowFrame::Unit::kRows     ? "ROWS "
      : f.unit == WindowFrame::Unit::kGroups ? "GROUPS "
                                             : "RANGE ");
  put_if(f.end.has_value(), "BETWEEN ");
  bound(f.start);
  if (f.end) {
    put(" AND ");
    bound(*f.end);
  }
  if (!f.pattern.empty()) put(" " + f.pattern);
}

}  // namespace meesh::sql
