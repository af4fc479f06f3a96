// Deep copies of expressions.
#include "sql/resolve_walk.h"

namespace meesh::sql {

TypeNodePtr clone(const TypeNode& type) {
  auto copy = std::make_unique<TypeNode>();
  copy->pos = type.pos;
  copy->name = type.name;
  copy->with_time_zone = type.with_time_zone;
  copy->interval_from = type.interval_from;
  copy->interval_to = type.interval_to;
  for (const auto& param : type.params) {
    auto& p = copy->params.emplace_back();
    if (param.type) p.type = clone(*param.type);
    p.number = param.number;
    p.field_name = param.field_name;
  }
  return copy;
}

namespace {

/// Copies nodes; `failed` is set when a subquery was met.
struct Cloner {
  bool failed = false;

  ExprPtr copy(const ExprPtr& expr) { return expr ? copy(*expr) : nullptr; }
  std::vector<ExprPtr> copy(const std::vector<ExprPtr>& exprs) {
    std::vector<ExprPtr> out;
    out.reserve(exprs.size());
    for (const auto& e : exprs) out.push_back(copy(e));
    return out;
  }
  std::vector<SortItem> copy(const std::vector<SortItem>& items) {
    std::vector<SortItem> out;
    for (const auto& i : items) out.push_back({copy(i.key), i.descending, i.nulls, i.pos});
    return out;
  }
  WindowSpec copy(const WindowSpec& spec) {
    WindowSpec out;
    out.base = spec.base;
    out.name_only = spec.name_only;
    out.partition_by = copy(spec.partition_by);
    out.order_by = copy(spec.order_by);
    out.pos = spec.pos;
    if (spec.frame) {
      out.frame.emplace();
      out.frame->unit = spec.frame->unit;
      out.frame->start = {spec.frame->start.kind, copy(spec.frame->start.value)};
      if (spec.frame->end)
        out.frame->end.emplace(FrameBound{spec.frame->end->kind, copy(spec.frame->end->value)});
    }
    return out;
  }

  template <class T>
  std::unique_ptr<T> fresh(const Expr& from) {
    auto node = std::make_unique<T>();
    node->pos = from.pos;
    return node;
  }
  /// For nodes without children.
  template <class T>
  ExprPtr leaf(const Expr& from) {
    return std::make_unique<T>(as<T>(from));
  }
  template <class T>
  ExprPtr two(const Expr& from, ExprPtr T::* a, ExprPtr T::* b) {
    auto node = fresh<T>(from);
    (*node).*a = copy(as<T>(from).*a);
    (*node).*b = copy(as<T>(from).*b);
    return node;
  }

  ExprPtr copy_call(const FunctionCall& from) {
    auto node = fresh<FunctionCall>(from);
    node->routine = from.routine;
    node->name = from.name;
    node->args = copy(from.args);
    node->distinct = from.distinct;
    node->order_by = copy(from.order_by);
    node->within_group = from.within_group;
    node->filter = copy(from.filter);
    if (from.over) node->over = copy(*from.over);
    node->nulls = from.nulls;
    node->listagg_overflow = from.listagg_overflow;
    node->processing_mode = from.processing_mode;
    return node;
  }

  ExprPtr copy_json(const JsonFunction& from) {
    auto node = fresh<JsonFunction>(from);
    node->name = from.name;
    node->input = copy(from.input);
    node->path = from.path;
    for (const auto& [value, name] : from.passing) node->passing.emplace_back(copy(value), name);
    for (const auto& [key, value] : from.members)
      node->members.emplace_back(copy(key), copy(value));
    if (from.returning) node->returning = clone(*from.returning);
    node->clauses = from.clauses;
    for (const auto& [name, value] : from.defaults) node->defaults.emplace_back(name, copy(value));
    return node;
  }

  ExprPtr copy(const Expr& e);
};

ExprPtr Cloner::copy(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kNull:
      return leaf<NullLiteral>(e);
    case ExprKind::kBoolean:
      return leaf<BooleanLiteral>(e);
    case ExprKind::kInteger:
      return leaf<IntegerLiteral>(e);
    case ExprKind::kDecimal:
      return leaf<DecimalLiteral>(e);
    case ExprKind::kDouble:
      return leaf<DoubleLiteral>(e);
    case ExprKind::kString:
      return leaf<StringLiteral>(e);
    case ExprKind::kBinary:
      return leaf<BinaryLiteral>(e);
    case ExprKind::kTyped:
      return leaf<TypedLiteral>(e);
    case ExprKind::kInterval:
      return leaf<IntervalLiteral>(e);
    case ExprKind::kParameter:
      return leaf<Parameter>(e);
    case ExprKind::kIdentifier:
      return leaf<Identifier>(e);
    case ExprKind::kColumnRef:
      return leaf<ColumnRef>(e);
    case ExprKind::kCurrent:
      return leaf<Current>(e);
    case ExprKind::kDereference: {
      auto node = fresh<Dereference>(e);
      node->base = copy(as<Dereference>(e).base);
      node->field = as<Dereference>(e).field;
      return node;
    }
    case ExprKind::kStar: {
      auto node = fresh<Star>(e);
      node->qualifier = copy(as<Star>(e).qualifier);
      node->aliases = as<Star>(e).aliases;
      return node;
    }
    case ExprKind::kSubscript:
      return two<Subscript>(e, &Subscript::base, &Subscript::index);
    case ExprKind::kUnary: {
      auto node = fresh<Unary>(e);
      node->op = as<Unary>(e).op;
      node->value = copy(as<Unary>(e).value);
      return node;
    }
    case ExprKind::kBinaryOp: {
      auto node = two<BinaryOp>(e, &BinaryOp::left, &BinaryOp::right);
      as<BinaryOp>(*node).op = as<BinaryOp>(e).op;
      return node;
    }
    case ExprKind::kComparison: {
      auto node = two<Comparison>(e, &Comparison::left, &Comparison::right);
      as<Comparison>(*node).op = as<Comparison>(e).op;
      return node;
    }
    case ExprKind::kLogical: {
      auto node = fresh<Logical>(e);
      node->is_and = as<Logical>(e).is_and;
      node->terms = copy(as<Logical>(e).terms);
      return node;
    }
    case ExprKind::kNot: {
      auto node = fresh<Not>(e);
      node->value = copy(as<Not>(e).value);
      return node;
    }
    case ExprKind::kIsNull: {
      auto node = fresh<IsNull>(e);
      node->value = copy(as<IsNull>(e).value);
      node->negated = as<IsNull>(e).negated;
      return node;
    }
    case ExprKind::kIsDistinctFrom: {
      auto node = two<IsDistinctFrom>(e, &IsDistinctFrom::left, &IsDistinctFrom::right);
      as<IsDistinctFrom>(*node).negated = as<IsDistinctFrom>(e).negated;
      return node;
    }
    case ExprKind::kBetween: {
      auto node = fresh<Between>(e);
      const auto& from = as<Between>(e);
      node->value = copy(from.value);
      node->low = copy(from.low);
      node->high = copy(from.high);
      node->negated = from.negated;
      return node;
    }
    case ExprKind::kIn: {
      auto node = fresh<In>(e);
      node->value = copy(as<In>(e).value);
      node->list = copy(as<In>(e).list);
      node->negated = as<In>(e).negated;
      return node;
    }
    case ExprKind::kLike: {
      auto node = fresh<Like>(e);
      const auto& from = as<Like>(e);
      node->value = copy(from.value);
      node->pattern = copy(from.pattern);
      node->escape = copy(from.escape);
      node->negated = from.negated;
      return node;
    }
    case ExprKind::kCase: {
      auto node = fresh<Case>(e);
      const auto& from = as<Case>(e);
      node->operand = copy(from.operand);
      for (const auto& [when, then] : from.whens) node->whens.emplace_back(copy(when), copy(then));
      node->otherwise = copy(from.otherwise);
      return node;
    }
    case ExprKind::kCast: {
      auto node = fresh<Cast>(e);
      node->value = copy(as<Cast>(e).value);
      node->type = clone(*as<Cast>(e).type);
      node->try_cast = as<Cast>(e).try_cast;
      return node;
    }
    case ExprKind::kFunction:
      return copy_call(as<FunctionCall>(e));
    case ExprKind::kLambda: {
      auto node = fresh<Lambda>(e);
      node->args = as<Lambda>(e).args;
      node->resolved = as<Lambda>(e).resolved;
      node->body = copy(as<Lambda>(e).body);
      return node;
    }
    case ExprKind::kExtract: {
      auto node = fresh<Extract>(e);
      node->field = as<Extract>(e).field;
      node->value = copy(as<Extract>(e).value);
      return node;
    }
    case ExprKind::kAtTimeZone:
      return two<AtTimeZone>(e, &AtTimeZone::value, &AtTimeZone::zone);
    case ExprKind::kArray: {
      auto node = fresh<ArrayConstructor>(e);
      node->items = copy(as<ArrayConstructor>(e).items);
      return node;
    }
    case ExprKind::kRow: {
      auto node = fresh<RowConstructor>(e);
      node->items = copy(as<RowConstructor>(e).items);
      node->names = as<RowConstructor>(e).names;
      return node;
    }
    case ExprKind::kTrim: {
      auto node = two<Trim>(e, &Trim::value, &Trim::characters);
      as<Trim>(*node).side = as<Trim>(e).side;
      return node;
    }
    case ExprKind::kJsonFunction:
      return copy_json(as<JsonFunction>(e));
    case ExprKind::kGrouping: {
      auto node = fresh<Grouping>(e);
      node->args = copy(as<Grouping>(e).args);
      return node;
    }
    case ExprKind::kInSubquery:
    case ExprKind::kExists:
    case ExprKind::kSubquery:
    case ExprKind::kQuantified:
      failed = true;
      return std::make_unique<NullLiteral>();
  }
  internal_error("unknown expression kind");
}

}  // namespace

ExprPtr clone(const Expr& expr) {
  Cloner cloner;
  ExprPtr copy = cloner.copy(expr);
  return cloner.failed ? nullptr : std::move(copy);
}

ExprPtr field_of(const Expr& row, size_t index, Position pos) {
  auto field = std::make_unique<Subscript>();
  field->base = clone(row);
  if (!field->base) return nullptr;
  auto number = std::make_unique<IntegerLiteral>();
  number->value = index;
  field->pos = number->pos = pos;
  field->index = std::move(number);
  return field;
}

}  // namespace meesh::sql
