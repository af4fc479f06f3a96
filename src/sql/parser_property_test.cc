// Random trees, printed and parsed back: the printer's parentheses and the parser's precedences
// must agree on every combination.
#include <gtest/gtest.h>

#include <random>

#include "sql/lexer.h"
#include "sql/sql.h"

namespace meesh::sql {
namespace {

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  StatementPtr statement() {
    switch (pick(6)) {
      case 0: {
        auto s = std::make_unique<Insert>();
        s->table = table();
        if (flip()) s->columns = idents();
        s->query = query(3);
        return s;
      }
      case 1: {
        auto s = std::make_unique<Update>();
        s->table = table();
        for (int i = 0; i <= pick(2); ++i) s->assignments.emplace_back(ident(), expr(3));
        if (flip()) s->where = expr(3);
        return s;
      }
      case 2:
        return merge();
      default: {
        auto s = std::make_unique<QueryStatement>();
        s->query = query(4);
        return s;
      }
    }
  }

 private:
  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  bool flip() { return pick(2) == 0; }

  template <class T>
  static std::unique_ptr<T> make() {
    return std::make_unique<T>();
  }

  Ident ident() {
    static const char* const kPlain[] = {"a",        "b",      "limit",    "over",    "row",
                                         "interval", "at",     "first",    "rows",    "map",
                                         "array",    "filter", "position", "key",     "date",
                                         "if",       "json",   "value",    "leading", "auto"};
    static const char* const kQuoted[] = {"select", "A b", "x\"y", "é", "1", "limit", "$", ""};
    Ident i;
    i.quoted = pick(5) == 0;
    i.value = i.quoted ? kQuoted[pick(7)] : kPlain[pick(20)];
    return i;
  }
  std::vector<Ident> idents() {
    std::vector<Ident> list;
    for (int i = 0; i <= pick(3); ++i) list.push_back(ident());
    return list;
  }
  Name name() {
    Name n;
    for (int i = 0; i <= pick(3); ++i) n.push_back(ident());
    return n;
  }
  std::unique_ptr<TableRef> table() {
    auto t = make<TableRef>();
    t->name = name();
    return t;
  }
  std::string text() {
    static const char* const kTexts[] = {"",   "x",  "it's", "'",  "é🦆",
                                         "--", "/*", "a\nb", "\\", "?"};
    return kTexts[pick(10)];
  }

  std::vector<ExprPtr> exprs(int depth, int at_least = 1) {
    std::vector<ExprPtr> list;
    for (int i = 0, n = at_least + pick(3); i < n; ++i) list.push_back(expr(depth));
    return list;
  }

  ExprPtr leaf() {
    switch (pick(11)) {
      case 0:
        return make<NullLiteral>();
      case 1: {
        auto e = make<IntegerLiteral>();
        e->value = flip() ? static_cast<uint64_t>(pick(100)) : uint64_t{INT64_MAX};
        return e;
      }
      case 2: {
        auto e = make<DecimalLiteral>();
        e->text = flip() ? "1.50" : ".5";
        return e;
      }
      case 3: {
        auto e = make<DoubleLiteral>();
        e->text = flip() ? "1E5" : "2.5E-3";
        return e;
      }
      case 4: {
        auto e = make<StringLiteral>();
        e->value = text();
        return e;
      }
      case 5: {
        auto e = make<TypedLiteral>();
        static const char* const kTypes[] = {"date", "timestamp", "double", "My T", "json", "year"};
        e->type = kTypes[pick(6)];
        e->value = text();
        return e;
      }
      case 6: {
        auto e = make<IntervalLiteral>();
        e->negative = flip();
        e->value = "1";
        e->from = flip() ? "day" : "year";
        if (flip()) e->to = e->from == "day" ? "second" : "month";
        return e;
      }
      case 7: {
        auto e = make<BinaryLiteral>();
        e->bytes = std::string("\x00\xffz", 3);
        return e;
      }
      case 8: {
        auto e = make<Current>();
        e->what = flip() ? "current_date" : "localtimestamp";
        if (e->what == "localtimestamp" && flip()) e->precision = pick(13);
        return e;
      }
      default: {
        auto e = make<Identifier>();
        e->name = ident();
        return e;
      }
    }
  }

  ExprPtr expr(int depth) {
    if (depth <= 0) return leaf();
    int d = depth - 1;
    switch (pick(30)) {
      case 0:
      case 1: {
        auto e = make<BinaryOp>();
        e->op = static_cast<BinaryOperator>(pick(6));
        e->left = expr(d);
        e->right = expr(d);
        return e;
      }
      case 2: {
        auto e = make<Unary>();
        e->op = flip() ? UnaryOp::kMinus : UnaryOp::kPlus;
        e->value = expr(d);
        return e;
      }
      case 3: {
        auto e = make<Comparison>();
        e->op = static_cast<ComparisonOp>(pick(6));
        e->left = expr(d);
        e->right = expr(d);
        return e;
      }
      case 4:
      case 5: {
        auto e = make<Logical>();
        e->is_and = flip();
        e->terms = exprs(d, 2);
        return e;
      }
      case 6: {
        auto e = make<Not>();
        e->value = expr(d);
        return e;
      }
      case 7: {
        auto e = make<IsNull>();
        e->value = expr(d);
        e->negated = flip();
        return e;
      }
      case 8: {
        auto e = make<IsDistinctFrom>();
        e->left = expr(d);
        e->right = expr(d);
        e->negated = flip();
        return e;
      }
      case 9: {
        auto e = make<Between>();
        e->value = expr(d);
        e->low = expr(d);
        e->high = expr(d);
        e->negated = flip();
        return e;
      }
      case 10: {
        auto e = make<In>();
        e->value = expr(d);
        e->list = exprs(d);
        e->negated = flip();
        return e;
      }
      case 11: {
        auto e = make<InSubquery>();
        e->value = expr(d);
        e->query = query(d);
        e->negated = flip();
        return e;
      }
      case 12: {
        auto e = make<Like>();
        e->value = expr(d);
        e->pattern = expr(d);
        if (flip()) e->escape = expr(d);
        e->negated = flip();
        return e;
      }
      case 13: {
        auto e = make<Exists>();
        e->query = query(d);
        return e;
      }
      case 14: {
        auto e = make<SubqueryExpr>();
        e->query = query(d);
        return e;
      }
      case 15: {
        auto e = make<Quantified>();
        e->op = static_cast<ComparisonOp>(pick(6));
        e->quantifier = static_cast<Quantifier>(pick(3));
        e->value = expr(d);
        e->query = query(d);
        return e;
      }
      case 16: {
        auto e = make<Case>();
        if (flip()) e->operand = expr(d);
        for (int i = 0; i <= pick(2); ++i) {
          ExprPtr when = expr(d);
          e->whens.emplace_back(std::move(when), expr(d));
        }
        if (flip()) e->otherwise = expr(d);
        return e;
      }
      case 17: {
        auto e = make<Cast>();
        e->value = expr(d);
        e->type = type(2);
        e->try_cast = flip();
        return e;
      }
      case 18: {
        auto e = make<Lambda>();
        if (pick(4) != 0) e->args = idents();
        e->body = expr(d);
        return e;
      }
      case 19: {
        auto e = make<Extract>();
        e->field = flip() ? "year" : "day_of_week";
        e->value = expr(d);
        return e;
      }
      case 20: {
        auto e = make<AtTimeZone>();
        e->value = expr(d);
        auto zone = make<StringLiteral>();
        zone->value = "UTC";
        e->zone = std::move(zone);
        return e;
      }
      case 21: {
        auto e = make<ArrayConstructor>();
        e->items = exprs(d, 0);
        return e;
      }
      case 22: {
        auto e = make<RowConstructor>();
        e->items = exprs(d);
        if (pick(3) == 0) {
          e->names.resize(e->items.size());
          e->names[0] = ident();
        }
        return e;
      }
      case 23: {
        auto e = make<Trim>();
        e->side = static_cast<Trim::Side>(pick(3));
        e->value = expr(d);
        if (flip()) e->characters = expr(d);
        return e;
      }
      case 24: {
        auto e = make<Dereference>();
        e->base = expr(d);
        e->field = ident();
        return e;
      }
      case 25: {
        auto e = make<Subscript>();
        e->base = expr(d);
        e->index = expr(d);
        return e;
      }
      default:
        return call(d);
    }
  }

  ExprPtr call(int d) {
    auto f = make<FunctionCall>();
    static const char* const kNames[] = {"f", "count", "if", "position", "substring", "map"};
    f->name.push_back({kNames[pick(6)], false, {}});
    f->args = exprs(d, 0);
    f->distinct = !f->args.empty() && pick(4) == 0;
    if (pick(4) == 0) f->order_by = sort(d);
    if (pick(4) == 0) f->filter = expr(d);
    if (pick(3) == 0) {
      f->over = window(d);
      if (flip()) f->nulls = flip() ? NullTreatment::kIgnore : NullTreatment::kRespect;
    }
    return f;
  }

  std::vector<SortItem> sort(int d) {
    std::vector<SortItem> items(static_cast<size_t>(1 + pick(2)));
    for (SortItem& item : items) {
      item.key = expr(d);
      item.descending = flip();
      item.nulls = static_cast<SortItem::Nulls>(pick(3));
    }
    return items;
  }

  /// `first`: of the kinds from there on three; a frame's end is never before its start.
  FrameBound bound(int d, int first) {
    FrameBound b;
    b.kind = static_cast<FrameBound::Kind>(first + static_cast<int>(pick(3)));
    if (b.kind == FrameBound::Kind::kPreceding || b.kind == FrameBound::Kind::kFollowing)
      b.value = expr(d);
    return b;
  }

  WindowSpec window(int d) {
    WindowSpec w;
    if (pick(4) == 0) {
      w.base = ident();
      w.name_only = flip();
      if (w.name_only) return w;
    }
    if (flip()) w.partition_by = exprs(d);
    if (flip()) w.order_by = sort(d);
    if (flip()) {
      w.frame.emplace();
      w.frame->unit = static_cast<WindowFrame::Unit>(pick(3));
      w.frame->start = bound(d, 0);
      if (flip()) w.frame->end = bound(d, 2);
    }
    return w;
  }

  TypeNodePtr type(int depth) {
    auto t = std::make_unique<TypeNode>();
    auto param = [&](TypeNodePtr inner) {
      TypeNode::Param p;
      p.type = std::move(inner);
      t->params.push_back(std::move(p));
    };
    switch (pick(depth > 0 ? 8 : 4)) {
      case 0:
        t->name = "integer";
        break;
      case 1:
        t->name = "My Type";
        break;
      case 2:
        t->name = flip() ? "time" : "timestamp";
        t->with_time_zone = flip();
        break;
      case 3:
        t->name = "interval";
        t->interval_from = "day";
        t->interval_to = "second";
        break;
      case 4: {
        t->name = "decimal";
        TypeNode::Param p;
        p.number = 10;
        t->params.push_back(std::move(p));
        break;
      }
      case 5:
        t->name = "array";
        param(type(depth - 1));
        break;
      case 6:
        t->name = "map";
        param(type(depth - 1));
        param(type(depth - 1));
        break;
      default:
        t->name = "row";
        for (int i = 0; i <= pick(3); ++i) {
          param(type(depth - 1));
          if (flip()) t->params.back().field_name = Ident{"x", flip(), {}};
        }
    }
    return t;
  }

  RelationPtr primary_relation(int d) {
    switch (pick(d > 0 ? 5 : 1)) {
      case 1: {
        auto r = make<SubqueryRelation>();
        r->query = query(d - 1);
        return r;
      }
      case 2: {
        auto r = make<Lateral>();
        r->query = query(d - 1);
        return r;
      }
      case 3: {
        auto r = make<Unnest>();
        r->items = exprs(d - 1);
        r->with_ordinality = flip();
        return r;
      }
      default:
        return table();
    }
  }

  RelationPtr relation(int depth) {
    if (depth <= 0) return primary_relation(0);
    int d = depth - 1;
    switch (pick(5)) {
      case 0: {
        auto r = make<AliasedRelation>();
        r->relation = relation(d);
        r->alias = ident();
        if (flip()) r->columns = idents();
        return r;
      }
      case 1: {
        auto r = make<Sampled>();
        r->relation = relation(d);
        r->bernoulli = flip();
        r->percentage = expr(d);
        return r;
      }
      case 2:
      case 3: {
        auto j = make<Join>();
        j->type = static_cast<JoinType>(pick(5));
        j->left = relation(d);
        j->right = relation(d);
        if (j->type == JoinType::kCross) return j;
        switch (pick(3)) {
          case 0:
            j->on = expr(d);
            break;
          case 1:
            j->using_columns = idents();
            break;
          default:
            j->natural = true;
        }
        return j;
      }
      default:
        return primary_relation(d);
    }
  }

  std::unique_ptr<Select> select(int d) {
    auto s = make<Select>();
    s->quantifier = static_cast<SetQuantifier>(pick(3));
    for (int i = 0; i <= pick(3); ++i) {
      SelectItem item;
      if (pick(5) == 0) {
        auto star = make<Star>();
        if (flip()) {
          star->qualifier = leaf();
          if (flip()) star->aliases = idents();
        }
        item.value = std::move(star);
      } else {
        item.value = expr(d);
        if (flip()) item.alias = ident();
      }
      s->items.push_back(std::move(item));
    }
    if (flip()) {
      s->from = relation(d);
      for (int i = pick(3); i > 0; --i) {
        auto comma = make<Join>();
        comma->type = JoinType::kImplicit;
        comma->left = std::move(s->from);
        comma->right = relation(d);
        s->from = std::move(comma);
      }
    }
    if (flip()) s->where = expr(d);
    if (pick(3) == 0) s->group_by = group_by(d);
    if (pick(3) == 0) s->having = expr(d);
    if (pick(4) == 0) {
      NamedWindow w;
      w.name = ident();
      do w.spec = window(d);
      while (w.spec.name_only);
      s->windows.push_back(std::move(w));
    }
    return s;
  }

  GroupBy group_by(int d) {
    GroupBy g;
    g.quantifier = static_cast<GroupBy::Quantifier>(pick(3));
    for (int i = 0; i <= pick(3); ++i) {
      GroupingElement e;
      e.kind = static_cast<GroupingElement::Kind>(pick(4));
      size_t sets = e.kind == GroupingElement::Kind::kSimple ? 1 : static_cast<size_t>(1 + pick(3));
      for (size_t j = 0; j < sets; ++j) e.sets.push_back(exprs(d, 0));
      g.elements.push_back(std::move(e));
    }
    return g;
  }

  QueryBodyPtr body(int d) {
    switch (pick(d > 0 ? 6 : 1)) {
      case 1: {
        auto v = make<Values>();
        v->rows = exprs(d - 1);
        return v;
      }
      case 2: {
        auto t = make<TableBody>();
        t->table = table();
        return t;
      }
      case 3:
      case 4: {
        auto s = make<SetOperation>();
        s->op = static_cast<SetOperator>(pick(3));
        s->quantifier = static_cast<SetQuantifier>(pick(3));
        s->corresponding = pick(4) == 0;
        s->left = operand(d - 1);
        s->right = operand(d - 1);
        return s;
      }
      default:
        return select(d - 1);
    }
  }

  /// A side of a set operation: parentheses stay only around queries with clauses of their own.
  QueryBodyPtr operand(int d) {
    if (pick(4) != 0) return body(d);
    auto q = make<QueryInParens>();
    q->query = query(d);
    if (q->query->order_by.empty()) q->query->order_by = sort(0);
    return q;
  }

  QueryPtr query(int d) {
    auto q = std::make_unique<Query>();
    if (pick(5) == 0) {
      q->recursive = flip();
      for (int i = 0; i <= pick(2); ++i) {
        NamedQuery named;
        named.name = ident();
        if (flip()) named.columns = idents();
        named.query = query(d - 1);
        q->with.push_back(std::move(named));
      }
    }
    q->body = body(d);
    if (pick(3) == 0) q->order_by = sort(d - 1);
    auto number = [&] {
      auto n = make<IntegerLiteral>();
      n->value = static_cast<uint64_t>(pick(100));
      return n;
    };
    if (pick(4) == 0) q->offset = number();
    switch (pick(6)) {
      case 0:
        q->limit = number();
        break;
      case 1:
        q->limit_all = true;
        break;
      case 2:
        q->fetch_first = true;
        if (flip()) q->limit = number();
        q->with_ties = flip();
        break;
      default:
        break;
    }
    return q;
  }

  StatementPtr merge() {
    auto m = std::make_unique<Merge>();
    m->table = table();
    if (flip()) m->alias = ident();
    m->source = relation(2);
    m->on = expr(3);
    for (int i = 0; i <= pick(2); ++i) {
      MergeCase c;
      c.matched = flip();
      if (flip()) c.condition = expr(2);
      if (!c.matched) {
        c.action = MergeCase::Action::kInsert;
        if (flip()) c.insert_columns = idents();
        c.insert_values = exprs(2);
      } else if (flip()) {
        c.action = MergeCase::Action::kDelete;
      } else {
        c.action = MergeCase::Action::kUpdate;
        c.assignments.emplace_back(ident(), expr(2));
      }
      m->cases.push_back(std::move(c));
    }
    return m;
  }

  std::mt19937 random_;
};

TEST(ParserProperty, RandomTreesPrintAndParseBack) {
  int failures = 0;
  for (uint32_t seed = 1; seed <= 4000 && failures < 3; ++seed) {
    StatementPtr tree = Generator(seed).statement();
    std::string text = print_trino(*tree), expected = dump(*tree), actual;
    try {
      actual = dump(*parse(text));
    } catch (const Error& e) {
      actual = e.what();
    }
    if (actual == expected) continue;
    ++failures;
    ADD_FAILURE() << "seed " << seed << "\n"
                  << text << "\nwanted " << expected << "\ngot    " << actual;
  }
}

}  // namespace
}  // namespace meesh::sql
