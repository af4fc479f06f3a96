#include "sql/dump.h"

#include "sql/lexer.h"
#include "sql/sql.h"

namespace meesh::sql {

void Dumper::word(std::string_view text) {
  out_ += ' ';
  out_ += text;
}

void Dumper::flag(bool value, std::string_view text) {
  if (value) word(text);
}

void Dumper::text(std::string_view value) { word(quote_string(value)); }

void Dumper::optional_text(std::string_view label, const std::string& value) {
  if (value.empty()) return;
  Node node(*this, label);
  text(value);
}

void Dumper::optional_text(std::string_view label, const std::optional<std::string>& value) {
  if (!value) return;
  Node node(*this, label);
  text(*value);
}

void Dumper::ident(const Ident& i) { word(i.quoted ? quote_identifier(i.value) : lower(i.value)); }

void Dumper::ident(std::string_view label, const std::optional<Ident>& i) {
  if (!i) return;
  Node node(*this, label);
  ident(*i);
}

void Dumper::idents(std::string_view label, const std::vector<Ident>& list) {
  if (list.empty()) return;
  Node node(*this, label);
  for (const Ident& i : list) ident(i);
}

void Dumper::name(const Name& n) { idents("name", n); }

void Dumper::type(const TypeNode& t) {
  Node node(*this, "type");
  word(quote_identifier(t.name));
  for (const TypeNode::Param& p : t.params) {
    if (p.field_name) ident(*p.field_name);
    if (p.number)
      word(std::to_string(*p.number));
    else
      type(*p.type);
  }
  flag(t.with_time_zone, "tz");
  optional_text("from", t.interval_from);
  optional_text("to", t.interval_to);
}

void Dumper::expr(std::string_view label, const ExprPtr& e) {
  if (!e) return;
  Node node(*this, label);
  expr(*e);
}

void Dumper::exprs(std::string_view label, const std::vector<ExprPtr>& list) {
  if (list.empty()) return;
  Node node(*this, label);
  for (const ExprPtr& e : list) expr(*e);
}

void Dumper::properties(const std::vector<Property>& list) {
  for (const Property& p : list) {
    Node node(*this, "property");
    ident(p.name);
    if (p.value)
      expr(*p.value);
    else
      word("default");
  }
}

// ---------------------------------------------------------------- expressions

void Dumper::literal(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kNull:
      word("null");
      return;
    case ExprKind::kBoolean:
      word(as<BooleanLiteral>(e).value ? "true" : "false");
      return;
    case ExprKind::kInteger:
      word(std::to_string(as<IntegerLiteral>(e).value));
      return;
    case ExprKind::kDecimal: {
      Node node(*this, "decimal");
      word(as<DecimalLiteral>(e).text);
      return;
    }
    case ExprKind::kDouble: {
      Node node(*this, "double");
      word(as<DoubleLiteral>(e).text);
      return;
    }
    case ExprKind::kString:
      text(as<StringLiteral>(e).value);
      return;
    case ExprKind::kBinary: {
      static constexpr char kHex[] = "0123456789ABCDEF";
      std::string digits;
      for (char c : as<BinaryLiteral>(e).bytes) {
        digits += kHex[static_cast<unsigned char>(c) >> 4];
        digits += kHex[static_cast<unsigned char>(c) & 15];
      }
      Node node(*this, "binary");
      word(digits);
      return;
    }
    case ExprKind::kTyped: {
      Node node(*this, "typed");
      word(quote_identifier(as<TypedLiteral>(e).type));
      text(as<TypedLiteral>(e).value);
      return;
    }
    case ExprKind::kInterval: {
      const auto& i = as<IntervalLiteral>(e);
      Node node(*this, "interval");
      flag(i.negative, "-");
      text(i.value);
      word(i.from);
      flag(!i.to.empty(), i.to);
      return;
    }
    case ExprKind::kParameter:
      word("?" + std::to_string(as<Parameter>(e).index));
      return;
    default:
      internal_error("not a literal");
  }
}

void Dumper::column(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kIdentifier: {
      Node node(*this, "id");
      ident(as<Identifier>(e).name);
      return;
    }
    case ExprKind::kDereference: {
      Node node(*this, ".");
      expr(*as<Dereference>(e).base);
      ident(as<Dereference>(e).field);
      return;
    }
    case ExprKind::kColumnRef: {
      Node node(*this, "column");
      text(as<ColumnRef>(e).relation);
      text(as<ColumnRef>(e).column);
      return;
    }
    case ExprKind::kStar: {
      Node node(*this, "*");
      if (as<Star>(e).qualifier) expr(*as<Star>(e).qualifier);
      idents("as", as<Star>(e).aliases);
      return;
    }
    default:
      internal_error("not a column");
  }
}

namespace {
constexpr std::string_view kComparisonTexts[] = {"=", "<>", "<", "<=", ">", ">="};
constexpr std::string_view kOperatorTexts[] = {"+", "-", "*", "/", "%", "||"};
constexpr std::string_view kQuantifierTexts[] = {"all", "any", "some"};
}  // namespace

void Dumper::predicate(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kComparison: {
      const auto& c = as<Comparison>(e);
      Node node(*this, kComparisonTexts[static_cast<size_t>(c.op)]);
      expr(*c.left);
      expr(*c.right);
      return;
    }
    case ExprKind::kIsNull: {
      Node node(*this, as<IsNull>(e).negated ? "is-not-null" : "is-null");
      expr(*as<IsNull>(e).value);
      return;
    }
    case ExprKind::kIsDistinctFrom: {
      const auto& d = as<IsDistinctFrom>(e);
      Node node(*this, d.negated ? "is-not-distinct" : "is-distinct");
      expr(*d.left);
      expr(*d.right);
      return;
    }
    case ExprKind::kBetween: {
      const auto& b = as<Between>(e);
      Node node(*this, b.negated ? "not-between" : "between");
      expr(*b.value);
      expr(*b.low);
      expr(*b.high);
      return;
    }
    case ExprKind::kIn: {
      const auto& i = as<In>(e);
      Node node(*this, i.negated ? "not-in" : "in");
      expr(*i.value);
      exprs("list", i.list);
      return;
    }
    case ExprKind::kInSubquery: {
      const auto& i = as<InSubquery>(e);
      Node node(*this, i.negated ? "not-in" : "in");
      expr(*i.value);
      query(*i.query);
      return;
    }
    case ExprKind::kLike: {
      const auto& l = as<Like>(e);
      Node node(*this, l.negated ? "not-like" : "like");
      expr(*l.value);
      expr(*l.pattern);
      expr("escape", l.escape);
      return;
    }
    case ExprKind::kQuantified: {
      const auto& q = as<Quantified>(e);
      Node node(*this, kComparisonTexts[static_cast<size_t>(q.op)]);
      word(kQuantifierTexts[static_cast<size_t>(q.quantifier)]);
      expr(*q.value);
      query(*q.query);
      return;
    }
    default:
      internal_error("not a predicate");
  }
}

void Dumper::expr(const Expr& e) {
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
    case ExprKind::kFunction:
      return call(as<FunctionCall>(e));
    case ExprKind::kJsonFunction:
      return json(as<JsonFunction>(e));
    default:
      return compound(e);
  }
}

void Dumper::compound(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kSubscript: {
      Node node(*this, "[]");
      expr(*as<Subscript>(e).base);
      expr(*as<Subscript>(e).index);
      return;
    }
    case ExprKind::kUnary: {
      Node node(*this, as<Unary>(e).op == UnaryOp::kMinus ? "neg" : "pos");
      expr(*as<Unary>(e).value);
      return;
    }
    case ExprKind::kBinaryOp: {
      Node node(*this, kOperatorTexts[static_cast<size_t>(as<BinaryOp>(e).op)]);
      expr(*as<BinaryOp>(e).left);
      expr(*as<BinaryOp>(e).right);
      return;
    }
    case ExprKind::kLogical:
      exprs(as<Logical>(e).is_and ? "and" : "or", as<Logical>(e).terms);
      return;
    case ExprKind::kNot: {
      Node node(*this, "not");
      expr(*as<Not>(e).value);
      return;
    }
    case ExprKind::kExists: {
      Node node(*this, "exists");
      query(*as<Exists>(e).query);
      return;
    }
    case ExprKind::kSubquery: {
      Node node(*this, "subquery");
      query(*as<SubqueryExpr>(e).query);
      return;
    }
    case ExprKind::kCase: {
      const auto& c = as<Case>(e);
      Node node(*this, "case");
      expr("of", c.operand);
      for (const auto& [when, then] : c.whens) {
        Node branch(*this, "when");
        expr(*when);
        expr(*then);
      }
      expr("else", c.otherwise);
      return;
    }
    case ExprKind::kCast: {
      Node node(*this, as<Cast>(e).try_cast ? "try-cast" : "cast");
      expr(*as<Cast>(e).value);
      type(*as<Cast>(e).type);
      return;
    }
    case ExprKind::kLambda: {
      Node node(*this, "->");
      idents("args", as<Lambda>(e).args);
      expr(*as<Lambda>(e).body);
      return;
    }
    case ExprKind::kExtract: {
      Node node(*this, "extract");
      word(quote_identifier(as<Extract>(e).field));
      expr(*as<Extract>(e).value);
      return;
    }
    case ExprKind::kAtTimeZone: {
      Node node(*this, "at-time-zone");
      expr(*as<AtTimeZone>(e).value);
      expr(*as<AtTimeZone>(e).zone);
      return;
    }
    case ExprKind::kCurrent: {
      Node node(*this, as<Current>(e).what);
      if (as<Current>(e).precision) word(std::to_string(*as<Current>(e).precision));
      return;
    }
    case ExprKind::kArray: {
      Node node(*this, "array");
      for (const ExprPtr& item : as<ArrayConstructor>(e).items) expr(*item);
      return;
    }
    case ExprKind::kRow: {
      const auto& r = as<RowConstructor>(e);
      Node node(*this, "row");
      for (size_t i = 0; i < r.items.size(); ++i) {
        expr(*r.items[i]);
        if (i < r.names.size()) ident("as", r.names[i]);
      }
      return;
    }
    case ExprKind::kTrim: {
      const auto& t = as<Trim>(e);
      Node node(*this, "trim");
      word(t.side == Trim::Side::kBoth      ? "both"
           : t.side == Trim::Side::kLeading ? "leading"
                                            : "trailing");
      expr(*t.value);
      expr("characters", t.characters);
      return;
    }
    case ExprKind::kGrouping: {
      Node node(*this, "grouping");
      for (const ExprPtr& item : as<Grouping>(e).args) expr(*item);
      return;
    }
    default:
      internal_error("unknown expression in dump()");
  }
}

void Dumper::call(const FunctionCall& f) {
  Node node(*this, f.measure ? "measure" : "call");
  name(f.name);
  flag(f.distinct, "distinct");
  exprs("args", f.args);
  if (f.within_group) word("within-group");
  sort(f.order_by);
  expr("filter", f.filter);
  flag(f.nulls == NullTreatment::kIgnore, "ignore-nulls");
  flag(f.nulls == NullTreatment::kRespect, "respect-nulls");
  optional_text("overflow", f.listagg_overflow);
  optional_text("mode", f.processing_mode);
  if (f.over) window(*f.over);
}

void Dumper::json(const JsonFunction& f) {
  Node node(*this, f.name);
  expr("input", f.input);
  optional_text("format", f.input_format);
  if (f.input) text(f.path);
  ident("path-name", f.path_name);
  for (size_t i = 0; i < f.passing.size(); ++i) {
    Node passing(*this, "passing");
    expr(*f.passing[i].first);
    optional_text("format", f.passing_formats[i]);
    text(f.passing[i].second);
  }
  for (size_t i = 0; i < f.members.size(); ++i) {
    Node member(*this, "member");
    if (f.members[i].first) expr(*f.members[i].first);
    expr(*f.members[i].second);
    optional_text("format", f.member_formats[i]);
  }
  if (f.returning) type(*f.returning);
  for (const std::string& clause : f.clauses) text(clause);
  for (const auto& [when, value] : f.defaults) {
    Node node_default(*this, "default-on-" + lower(when));
    expr(*value);
  }
}

void Dumper::sort(const std::vector<SortItem>& items) {
  for (const SortItem& item : items) {
    Node node(*this, "order");
    expr(*item.key);
    flag(item.descending, "desc");
    flag(item.nulls == SortItem::Nulls::kFirst, "nulls-first");
    flag(item.nulls == SortItem::Nulls::kLast, "nulls-last");
  }
}

void Dumper::bound(const FrameBound& b) {
  static constexpr std::string_view kTexts[] = {"unbounded-preceding", "preceding", "current-row",
                                                "following", "unbounded-following"};
  Node node(*this, kTexts[static_cast<size_t>(b.kind)]);
  if (b.value) expr(*b.value);
}

void Dumper::window(const WindowSpec& w) {
  Node node(*this, w.name_only ? "over-name" : "over");
  ident("base", w.base);
  exprs("partition", w.partition_by);
  sort(w.order_by);
  if (!w.frame) return;
  static constexpr std::string_view kUnits[] = {"rows", "range", "groups"};
  Node frame(*this, kUnits[static_cast<size_t>(w.frame->unit)]);
  bound(w.frame->start);
  if (w.frame->end) bound(*w.frame->end);
  optional_text("measures", w.frame->measures);
  optional_text("pattern", w.frame->pattern);
}

// ---------------------------------------------------------------- relations

void Dumper::table(const TableRef& t) {
  Node node(*this, "table");
  name(t.name);
  if (!t.version_kind.empty()) expr(t.version_kind, t.version);
  if (t.resolved) optional_text("resolved", t.resolved->name.display());
  flag(t.is_cte, "cte");
  optional_text("alias", t.alias);
}

void Dumper::join(const Join& j) {
  static constexpr std::string_view kTexts[] = {"inner", "left", "right", "full", "cross", "comma"};
  Node node(*this, "join");
  word(kTexts[static_cast<size_t>(j.type)]);
  flag(j.natural, "natural");
  relation(*j.left);
  relation(*j.right);
  expr("on", j.on);
  idents("using", j.using_columns);
}

void Dumper::table_function(const TableFunction& f) {
  Node node(*this, "table-function");
  name(f.name);
  for (const TableFunction::Arg& arg : f.args) {
    Node a(*this, "arg");
    ident("name", arg.name);
    if (arg.value) expr(*arg.value);
    if (arg.table) relation(*arg.table);
    optional_text("clauses", arg.table_clauses);
    if (!arg.descriptor) continue;
    Node descriptor(*this, "descriptor");
    for (size_t i = 0; i < arg.descriptor->size(); ++i) {
      ident((*arg.descriptor)[i]);
      if (arg.descriptor_types[i]) type(*arg.descriptor_types[i]);
    }
  }
  optional_text("copartition", f.copartition);
}

void Dumper::relation(const Relation& r) {
  switch (r.kind) {
    case RelationKind::kTable:
      return table(as<TableRef>(r));
    case RelationKind::kJoin:
      return join(as<Join>(r));
    case RelationKind::kTableFunction:
      return table_function(as<TableFunction>(r));
    case RelationKind::kAliased: {
      const auto& a = as<AliasedRelation>(r);
      Node node(*this, "as");
      relation(*a.relation);
      ident(a.alias);
      idents("columns", a.columns);
      return;
    }
    case RelationKind::kSubquery: {
      Node node(*this, "subquery");
      query(*as<SubqueryRelation>(r).query);
      return;
    }
    case RelationKind::kLateral: {
      Node node(*this, "lateral");
      query(*as<Lateral>(r).query);
      return;
    }
    case RelationKind::kUnnest: {
      Node node(*this, "unnest");
      exprs("items", as<Unnest>(r).items);
      flag(as<Unnest>(r).with_ordinality, "with-ordinality");
      return;
    }
    case RelationKind::kSampled: {
      const auto& s = as<Sampled>(r);
      Node node(*this, s.bernoulli ? "bernoulli" : "system");
      relation(*s.relation);
      expr(*s.percentage);
      return;
    }
    case RelationKind::kMatchRecognize: {
      Node node(*this, "match-recognize");
      relation(*as<MatchRecognize>(r).input);
      text(as<MatchRecognize>(r).text);
      return;
    }
    case RelationKind::kJsonTable: {
      Node node(*this, "json-table");
      text(as<JsonTable>(r).text);
      return;
    }
  }
}

// ---------------------------------------------------------------- queries

namespace {
constexpr std::string_view kSetQuantifiers[] = {"", "all", "distinct"};
}  // namespace

void Dumper::select(const Select& s) {
  Node node(*this, "select");
  flag(s.quantifier != SetQuantifier::kNone, kSetQuantifiers[static_cast<size_t>(s.quantifier)]);
  for (const SelectItem& item : s.items) {
    Node i(*this, "item");
    expr(*item.value);
    ident("as", item.alias);
  }
  if (s.from) {
    Node from(*this, "from");
    relation(*s.from);
  }
  expr("where", s.where);
  if (s.group_by) group_by(*s.group_by);
  expr("having", s.having);
  for (const NamedWindow& w : s.windows) {
    Node named(*this, "window");
    ident(w.name);
    window(w.spec);
  }
}

void Dumper::group_by(const GroupBy& g) {
  static constexpr std::string_view kKinds[] = {"simple", "grouping-sets", "cube", "rollup",
                                                "auto"};
  static constexpr std::string_view kQuantifiers[] = {"", "all", "distinct"};
  Node node(*this, "group-by");
  flag(g.quantifier != GroupBy::Quantifier::kNone, kQuantifiers[static_cast<size_t>(g.quantifier)]);
  for (const GroupingElement& element : g.elements) {
    Node e(*this, kKinds[static_cast<size_t>(element.kind)]);
    for (const auto& set : element.sets) {
      Node s(*this, "set");
      for (const ExprPtr& item : set) expr(*item);
    }
  }
}

void Dumper::body(const QueryBody& b) {
  switch (b.kind) {
    case QueryBodyKind::kSelect:
      return select(as<Select>(b));
    case QueryBodyKind::kSetOperation: {
      static constexpr std::string_view kTexts[] = {"union", "intersect", "except"};
      const auto& s = as<SetOperation>(b);
      Node node(*this, kTexts[static_cast<size_t>(s.op)]);
      flag(s.quantifier != SetQuantifier::kNone,
           kSetQuantifiers[static_cast<size_t>(s.quantifier)]);
      flag(s.corresponding, "corresponding");
      body(*s.left);
      body(*s.right);
      return;
    }
    case QueryBodyKind::kValues:
      exprs("values", as<Values>(b).rows);
      return;
    case QueryBodyKind::kTable:
      table(*as<TableBody>(b).table);
      return;
    case QueryBodyKind::kQuery:
      query(*as<QueryInParens>(b).query);
      return;
  }
}

void Dumper::query(const Query& q) {
  Node node(*this, "query");
  optional_text("with-function", q.inline_functions);
  flag(q.recursive, "recursive");
  for (const NamedQuery& named : q.with) {
    Node with(*this, "with");
    ident(named.name);
    idents("columns", named.columns);
    query(*named.query);
  }
  body(*q.body);
  sort(q.order_by);
  expr("offset", q.offset);
  expr("limit", q.limit);
  flag(q.limit_all, "limit-all");
  flag(q.fetch_first, "fetch-first");
  flag(q.with_ties, "with-ties");
}

std::string dump(const Statement& statement) {
  Dumper dumper;
  dumper.statement(statement);
  return dumper.take();
}

}  // namespace meesh::sql
