// WITH RECURSIVE: what a recursive query may look like, and its form for DuckDB.
//
//   t(n) AS (<base> UNION ALL <step>)   becomes
//   t(n, "$depth") AS (SELECT b.n, 0 FROM (<base>) b
//     UNION ALL SELECT s.n, "$recursion_step"(d."$depth", <limit>)
//               FROM (<step>) s CROSS JOIN (SELECT "$depth" FROM t LIMIT 1) d)
//
// All rows a step reads have one depth, so any of them tells it; the function raises beyond the
// limit, which only a row that comes of such a step makes it do. With UNION (DISTINCT) Trino leaves
// out duplicates at the end, not on the way: another query does so.
#include <fmt/format.h>

#include "sql/functions.h"
#include "sql/resolve_check.h"
#include "sql/resolve_types.h"
#include "sql/resolver.h"
#include "sql/session_properties.h"
#include "sql/table_walk.h"

namespace meesh::sql {
namespace {

constexpr const char* kDepth = "$depth";

[[noreturn]] void bad_reference(const Relation& reference, const char* message) {
  fail(Code::kInvalidRecursiveReference, reference.pos, message);
}

using References = std::vector<TableRef*>;

TableWalk::Hooks collect(References& found, const std::string& name) {
  return {.table = [&found, name](TableRef& table) {
    if (table.name.size() == 1 && lower(table.name[0].value) == name) found.push_back(&table);
  }};
}

/// Where a table named `name` stands in what is below, expressions included.
References references(QueryBodyPtr& body, const std::string& name) {
  References found;
  TableWalk walk(collect(found, name));
  Query query;
  query.body = std::move(body);
  walk.query(query);
  body = std::move(query.body);
  return found;
}

References references(Query& query, const std::string& name) {
  References found;
  TableWalk(collect(found, name)).query(query);
  return found;
}

References references(Relation& relation, const std::string& name) {
  References found;
  TableWalk(collect(found, name)).relation(relation);
  return found;
}

bool mentions(Relation& relation, const std::string& name) {
  return !references(relation, name).empty();
}

void check_from(Relation& relation, const std::string& name);

void check_body(QueryBody& body, const std::string& name) {
  if (auto* inner = try_as<QueryInParens>(&body)) return check_body(*inner->query->body, name);
  if (auto* select = try_as<Select>(&body)) {
    if (select->from) check_from(*select->from, name);
    return;
  }
  auto* op = try_as<SetOperation>(&body);
  if (!op) return;
  const auto left = references(op->left, name), right = references(op->right, name);
  const bool all = op->quantifier == SetQuantifier::kAll;
  if (op->op == SetOperator::kExcept && !right.empty())
    bad_reference(*right.front(), all ? "recursive reference in right relation of EXCEPT ALL"
                                      : "recursive reference in right relation of EXCEPT DISTINCT");
  if (op->op == SetOperator::kExcept && all && !left.empty())
    bad_reference(*left.front(), "recursive reference in left relation of EXCEPT ALL");
  if (op->op == SetOperator::kIntersect && all && !(left.empty() && right.empty()))
    bad_reference(left.empty() ? *right.front() : *left.front(),
                  "recursive reference in INTERSECT ALL");
  check_body(*op->left, name);
  check_body(*op->right, name);
}

/// Rows of the recursion must not be needed as a whole: no outer join's other side, no difference.
void check_from(Relation& relation, const std::string& name) {
  switch (relation.kind) {
    case RelationKind::kAliased:
      return check_from(*as<AliasedRelation>(relation).relation, name);
    case RelationKind::kSampled:
      return check_from(*as<Sampled>(relation).relation, name);
    case RelationKind::kSubquery:
      return check_body(*as<SubqueryRelation>(relation).query->body, name);
    case RelationKind::kLateral:
      return check_body(*as<Lateral>(relation).query->body, name);
    case RelationKind::kJoin: {
      auto& join = as<Join>(relation);
      const auto left = references(*join.left, name), right = references(*join.right, name);
      if (join.type == JoinType::kLeft && !right.empty())
        bad_reference(*right.front(), "recursive reference in right source of LEFT join");
      if (join.type == JoinType::kRight && !left.empty())
        bad_reference(*left.front(), "recursive reference in left source of RIGHT join");
      if (join.type == JoinType::kFull && !left.empty())
        bad_reference(*left.front(), "recursive reference in left source of FULL join");
      if (join.type == JoinType::kFull && !right.empty())
        bad_reference(*right.front(), "recursive reference in right source of FULL join");
      check_from(*join.left, name);
      return check_from(*join.right, name);
    }
    default:
      return;
  }
}

/// A long chain of one operator stands as a balanced tree: (a, (b, c)) becomes ((a, b), c).
void last_alone(SetOperation& op) {
  while (op.balanced) {
    auto* right = try_as<SetOperation>(op.right.get());
    if (!right || right->op != op.op || right->quantifier != op.quantifier) return;
    auto left = std::make_unique<SetOperation>();
    left->pos = op.pos;
    left->op = op.op;
    left->quantifier = op.quantifier;
    left->balanced = true;
    left->left = std::move(op.left);
    left->right = std::move(right->left);
    QueryBodyPtr last = std::move(right->right);
    op.left = std::move(left);
    op.right = std::move(last);
  }
}

RelationPtr subquery_of(QueryBodyPtr body) {
  auto relation = std::make_unique<SubqueryRelation>();
  relation->pos = body->pos;
  relation->query = std::make_unique<Query>();
  relation->query->pos = body->pos;
  relation->query->body = std::move(body);
  return relation;
}

ExprPtr number(uint64_t value, Position pos) {
  auto literal = std::make_unique<IntegerLiteral>();
  literal->value = value;
  literal->pos = pos;
  return literal;
}

ExprPtr column(const std::string& relation, const std::string& name, Position pos) {
  auto ref = std::make_unique<ColumnRef>();
  ref->relation = relation;
  ref->column = name;
  ref->written = name;
  ref->inferred = Type::of(TypeKind::kInteger);
  ref->pos = pos;
  return ref;
}

/// (SELECT "$depth" FROM recursion LIMIT 1) AS `alias`
RelationPtr depth_of(const std::string& recursion, const std::string& inner,
                     const std::string& alias, Position pos) {
  auto table = std::make_unique<TableRef>();
  table->pos = pos;
  table->name = {{recursion, true, pos}};
  table->is_cte = true;
  table->alias = inner;
  auto select = std::make_unique<Select>();
  select->pos = pos;
  select->items.push_back({column(inner, kDepth, pos), Ident{kDepth, true, pos}, pos});
  select->from = std::move(table);
  RelationPtr query = subquery_of(std::move(select));
  as<SubqueryRelation>(*query).query->limit = number(1, pos);
  auto aliased = std::make_unique<AliasedRelation>();
  aliased->pos = pos;
  aliased->relation = std::move(query);
  aliased->alias = {alias, true, pos};
  aliased->columns = {{kDepth, true, pos}};
  return aliased;
}

/// How many steps the session allows.
uint64_t depth_limit(const ResolveContext& context) {
  const auto value = session_property(context.session_properties, "max_recursion_depth");
  return std::strtoull(value.c_str(), nullptr, 10);
}

}  // namespace

bool Resolver::is_recursion(NamedQuery& named) {
  const std::string name = lower(named.name.value);
  if (named.columns.empty())
    fail(Code::kMissingColumnAliases, named.pos, "missing column aliases in recursive WITH query");
  TableWalk({.table = [](TableRef&) {},
             .query =
                 [](Query& query) {
                   if (query.recursive)
                     fail(Code::kNestedRecursive, query.pos, "nested recursive WITH query");
                 }})
      .query(*named.query);
  auto* body = try_as<SetOperation>(named.query->body.get());
  if (body && body->op == SetOperator::kUnion) {
    last_alone(*body);
    const auto base = references(body->left, name);
    if (!base.empty())
      bad_reference(*base.front(),
                    "WITH table name is referenced in the base relation of recursion");
    const auto step = references(body->right, name);
    if (step.size() > 1)
      bad_reference(*step[1], "multiple recursive references in the step relation of recursion");
    if (step.size() == 1) {
      check_recursion(*named.query, *body->right, *step.front(), name);
      return true;
    }
  }
  const auto all = references(*named.query, name);
  if (!all.empty()) bad_reference(*all.front(), "recursive reference not allowed in this context");
  return false;
}

void Resolver::check_recursion(Query& query, QueryBody& step, TableRef& reference,
                               const std::string& name) {
  QueryBody* specification = &step;
  while (auto* inner = try_as<QueryInParens>(specification))
    specification = inner->query->body.get();
  auto* select = try_as<Select>(specification);
  if (!select || !select->from || !mentions(*select->from, name))
    bad_reference(reference,
                  "recursive reference outside of FROM clause of the step relation of recursion");
  if (!query.with.empty())
    fail(Code::kNotSupported, query.pos, "immediate WITH clause in recursive query");
  if (!query.order_by.empty())
    fail(Code::kNotSupported, query.order_pos, "immediate ORDER BY clause in recursive query");
  if (query.offset)
    fail(Code::kNotSupported, query.offset_pos, "immediate OFFSET clause in recursive query");
  if (query.limit || query.fetch_first)
    fail(Code::kInvalidLimitClause, query.limit_pos,
         "immediate FETCH FIRST / LIMIT clause in recursive query");
  check_from(*select->from, name);
}

std::vector<NamedQuery> Resolver::recursive_query(NamedQuery named, Env& env, const Scope* outer) {
  const std::string name = lower(named.name.value);
  const Position pos = named.pos;
  auto& body = as<SetOperation>(*named.query->body);
  Fields base = this->body(body.left, env, outer);
  const Position step_pos = body.right->pos;
  const Cte cte = cte_of(named, base, unique(named.name.value));
  env.ctes[name] = cte;
  Fields step = this->body(body.right, env, outer);
  check_step(base, step, step_pos);

  const auto list = [&](Select& select, const Fields& fields) {
    for (size_t i = 0; i < fields.size(); ++i) {
      ExprPtr value = reference(fields[i], pos, named.columns[i].value);
      const auto& to = base[i].known_type();
      const auto& from = fields[i].known_type();
      if (to && from && differ(*from, *to)) coerce(value, *to);
      select.items.push_back({std::move(value), named.columns[i], pos});
    }
  };
  RelationPtr start = subquery_of(std::move(body.left));
  auto first = std::make_unique<Select>();
  first->pos = pos;
  const Fields base_columns = wrap(start, base, "base");
  list(*first, base_columns);
  first->from = std::move(start);
  first->items.push_back({number(0, pos), Ident{kDepth, true, pos}, pos});

  auto both = std::make_unique<Join>();
  both->pos = pos;
  both->type = JoinType::kCross;
  both->left = subquery_of(std::move(body.right));
  const Fields step_columns = wrap(both->left, std::move(step), "step");
  const std::string depth = unique("depth");
  both->right = depth_of(cte.printed, unique(name), depth, pos);
  auto next = std::make_unique<Select>();
  next->pos = pos;
  list(*next, step_columns);
  next->from = std::move(both);
  auto deeper = std::make_unique<FunctionCall>();
  deeper->pos = pos;
  deeper->name = {{kRecursionStep, true, pos}};
  deeper->args.push_back(column(depth, kDepth, pos));
  deeper->args.push_back(number(depth_limit(context_), pos));
  next->items.push_back({std::move(deeper), Ident{kDepth, true, pos}, pos});

  const bool distinct = body.quantifier != SetQuantifier::kAll;
  body.left = std::move(first);
  body.right = std::move(next);
  body.quantifier = SetQuantifier::kAll;
  const std::vector<Ident> columns = named.columns;
  named.columns.push_back({kDepth, true, pos});
  std::vector<NamedQuery> out;
  out.push_back(std::move(named));
  if (distinct) out.push_back(distinct_rows(env.ctes[name], columns, pos));
  return out;
}

void Resolver::check_step(const Fields& base, const Fields& step, Position pos) {
  if (step.size() != base.size())
    fail(Code::kTypeMismatch, pos,
         fmt::format("base and step relations of recursion have different number of fields: {}, {}",
                     base.size(), step.size()));
  for (size_t i = 0; i < base.size(); ++i) {
    const auto& from = step[i].known_type();
    const auto& to = base[i].known_type();
    if (!from || !to) continue;
    const auto common = common_type(*from, *to);
    if (!common || *common != *to)
      fail(Code::kTypeMismatch, pos,
           fmt::format("recursion step relation output type ({}) is not coercible to recursion "
                       "base relation output type ({}) at column {}",
                       from->display(), to->display(), i + 1));
  }
}

NamedQuery Resolver::distinct_rows(Cte& cte, const std::vector<Ident>& columns, Position pos) {
  NamedQuery named;
  named.pos = pos;
  auto table = std::make_unique<TableRef>();
  table->pos = pos;
  table->name = {{cte.printed, true, pos}};
  table->is_cte = true;
  table->alias = unique(cte.printed);
  auto select = std::make_unique<Select>();
  select->pos = pos;
  select->quantifier = SetQuantifier::kDistinct;
  for (size_t i = 0; i < columns.size(); ++i) {
    Field field = cte.columns[i];
    field.sources[0].first = table->alias;
    select->items.push_back({reference(field, pos, columns[i].value), columns[i], pos});
  }
  select->from = std::move(table);
  named.query = std::make_unique<Query>();
  named.query->pos = pos;
  named.query->body = std::move(select);
  cte.printed = unique(cte.printed);
  named.name = {cte.printed, true, pos};
  named.columns = columns;
  return named;
}

}  // namespace meesh::sql
