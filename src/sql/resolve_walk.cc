#include "sql/resolve_walk.h"

#include "sql/json_table.h"
#include "sql/row_pattern.h"
#include "sql/sql.h"

namespace meesh::sql {
namespace {

void visit_slot(ExprPtr& slot, const ExprSlotFn& fn) {
  if (slot) fn(slot);
}
void visit_all(std::vector<ExprPtr>& slots, const ExprSlotFn& fn) {
  for (auto& slot : slots) visit_slot(slot, fn);
}
void visit_sort(std::vector<SortItem>& items, const ExprSlotFn& fn) {
  for (auto& item : items) visit_slot(item.key, fn);
}
void visit_window(WindowSpec& spec, const ExprSlotFn& fn) {
  visit_all(spec.partition_by, fn);
  visit_sort(spec.order_by, fn);
  if (!spec.frame) return;
  visit_slot(spec.frame->start.value, fn);
  if (spec.frame->end) visit_slot(spec.frame->end->value, fn);
}
void visit_query(QueryPtr& query, const QueryFn& fn) {
  if (query && fn) fn(*query);
}

void visit_json(JsonFunction& json, const ExprSlotFn& fn) {
  visit_slot(json.input, fn);
  for (auto& [value, name] : json.passing) visit_slot(value, fn);
  for (auto& [key, value] : json.members) {
    visit_slot(key, fn);
    visit_slot(value, fn);
  }
  for (auto& [name, value] : json.defaults) visit_slot(value, fn);
}

void visit_call(FunctionCall& call, const ExprSlotFn& fn) {
  visit_all(call.args, fn);
  visit_sort(call.order_by, fn);
  visit_slot(call.filter, fn);
  if (call.over) visit_window(*call.over, fn);
}

void visit_case(Case& node, const ExprSlotFn& fn) {
  visit_slot(node.operand, fn);
  for (auto& [when, then] : node.whens) {
    visit_slot(when, fn);
    visit_slot(then, fn);
  }
  visit_slot(node.otherwise, fn);
}

}  // namespace

void for_each_child(Expr& expr, const ExprSlotFn& on_expr, const QueryFn& on_query) {
  const auto pair = [&](ExprPtr& a, ExprPtr& b) {
    visit_slot(a, on_expr);
    visit_slot(b, on_expr);
  };
  switch (expr.kind) {
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
    case ExprKind::kIdentifier:
    case ExprKind::kColumnRef:
    case ExprKind::kCurrent:
      return;
    case ExprKind::kDereference:
      return visit_slot(as<Dereference>(expr).base, on_expr);
    case ExprKind::kStar:
      return visit_slot(as<Star>(expr).qualifier, on_expr);
    case ExprKind::kSubscript:
      return pair(as<Subscript>(expr).base, as<Subscript>(expr).index);
    case ExprKind::kUnary:
      return visit_slot(as<Unary>(expr).value, on_expr);
    case ExprKind::kBinaryOp:
      return pair(as<BinaryOp>(expr).left, as<BinaryOp>(expr).right);
    case ExprKind::kComparison:
      return pair(as<Comparison>(expr).left, as<Comparison>(expr).right);
    case ExprKind::kLogical:
      return visit_all(as<Logical>(expr).terms, on_expr);
    case ExprKind::kNot:
      return visit_slot(as<Not>(expr).value, on_expr);
    case ExprKind::kIsNull:
      return visit_slot(as<IsNull>(expr).value, on_expr);
    case ExprKind::kIsDistinctFrom:
      return pair(as<IsDistinctFrom>(expr).left, as<IsDistinctFrom>(expr).right);
    case ExprKind::kBetween:
      visit_slot(as<Between>(expr).value, on_expr);
      return pair(as<Between>(expr).low, as<Between>(expr).high);
    case ExprKind::kIn:
      visit_slot(as<In>(expr).value, on_expr);
      return visit_all(as<In>(expr).list, on_expr);
    case ExprKind::kInSubquery:
      visit_slot(as<InSubquery>(expr).value, on_expr);
      return visit_query(as<InSubquery>(expr).query, on_query);
    case ExprKind::kLike:
      pair(as<Like>(expr).value, as<Like>(expr).pattern);
      return visit_slot(as<Like>(expr).escape, on_expr);
    case ExprKind::kExists:
      return visit_query(as<Exists>(expr).query, on_query);
    case ExprKind::kSubquery:
      return visit_query(as<SubqueryExpr>(expr).query, on_query);
    case ExprKind::kQuantified:
      visit_slot(as<Quantified>(expr).value, on_expr);
      return visit_query(as<Quantified>(expr).query, on_query);
    case ExprKind::kCase:
      return visit_case(as<Case>(expr), on_expr);
    case ExprKind::kCast:
      return visit_slot(as<Cast>(expr).value, on_expr);
    case ExprKind::kFunction:
      return visit_call(as<FunctionCall>(expr), on_expr);
    case ExprKind::kLambda:
      return visit_slot(as<Lambda>(expr).body, on_expr);
    case ExprKind::kExtract:
      return visit_slot(as<Extract>(expr).value, on_expr);
    case ExprKind::kAtTimeZone:
      return pair(as<AtTimeZone>(expr).value, as<AtTimeZone>(expr).zone);
    case ExprKind::kArray:
      return visit_all(as<ArrayConstructor>(expr).items, on_expr);
    case ExprKind::kRow:
      return visit_all(as<RowConstructor>(expr).items, on_expr);
    case ExprKind::kTrim:
      return pair(as<Trim>(expr).value, as<Trim>(expr).characters);
    case ExprKind::kJsonFunction:
      return visit_json(as<JsonFunction>(expr), on_expr);
    case ExprKind::kGrouping:
      return visit_all(as<Grouping>(expr).args, on_expr);
  }
}

namespace {

void visit_body(QueryBody& body, const ExprSlotFn& fn) {
  switch (body.kind) {
    case QueryBodyKind::kSelect: {
      auto& select = as<Select>(body);
      for (auto& item : select.items) visit_slot(item.value, fn);
      if (select.from) for_each_expr(*select.from, fn);
      visit_slot(select.where, fn);
      if (select.group_by)
        for (auto& element : select.group_by->elements)
          for (auto& set : element.sets) visit_all(set, fn);
      visit_slot(select.having, fn);
      for (auto& window : select.windows) visit_window(window.spec, fn);
      return;
    }
    case QueryBodyKind::kSetOperation:
      visit_body(*as<SetOperation>(body).left, fn);
      return visit_body(*as<SetOperation>(body).right, fn);
    case QueryBodyKind::kValues:
      return visit_all(as<Values>(body).rows, fn);
    case QueryBodyKind::kTable:
      return for_each_expr(*as<TableBody>(body).table, fn);
    case QueryBodyKind::kQuery:
      return for_each_expr(*as<QueryInParens>(body).query, fn);
  }
}

}  // namespace

namespace {

void visit_json_columns(std::vector<JsonTableColumn>& columns, const ExprSlotFn& fn) {
  for (auto& column : columns) {
    if (column.function)
      for (auto& [event, value] : column.function->defaults) visit_slot(value, fn);
    visit_json_columns(column.columns, fn);
  }
}

}  // namespace

void for_each_expr(Relation& relation, const ExprSlotFn& fn) {
  switch (relation.kind) {
    case RelationKind::kTable:
      return visit_slot(as<TableRef>(relation).version, fn);
    case RelationKind::kAliased:
      return for_each_expr(*as<AliasedRelation>(relation).relation, fn);
    case RelationKind::kJoin: {
      auto& join = as<Join>(relation);
      for_each_expr(*join.left, fn);
      for_each_expr(*join.right, fn);
      return visit_slot(join.on, fn);
    }
    case RelationKind::kSubquery:
      return for_each_expr(*as<SubqueryRelation>(relation).query, fn);
    case RelationKind::kLateral:
      return for_each_expr(*as<Lateral>(relation).query, fn);
    case RelationKind::kUnnest:
      return visit_all(as<Unnest>(relation).items, fn);
    case RelationKind::kTableFunction:
      for (auto& arg : as<TableFunction>(relation).args) {
        visit_slot(arg.value, fn);
        if (arg.table) for_each_expr(*arg.table, fn);
      }
      return;
    case RelationKind::kSampled:
      for_each_expr(*as<Sampled>(relation).relation, fn);
      return visit_slot(as<Sampled>(relation).percentage, fn);
    case RelationKind::kMatchRecognize: {
      auto& match = as<MatchRecognize>(relation);
      if (match.input) for_each_expr(*match.input, fn);
      if (!match.pattern) return;
      if (!match.pattern->program) {  // else they are of slots
        for (auto& measure : match.pattern->measures) visit_slot(measure.value, fn);
        for (auto& definition : match.pattern->definitions) visit_slot(definition.condition, fn);
      }
      visit_all(match.pattern->partition_by, fn);
      visit_sort(match.pattern->order_by, fn);
      return visit_all(match.pattern->inputs, fn);
    }
    case RelationKind::kJsonTable: {
      auto& table = *as<JsonTable>(relation).table;
      if (table.root) visit_json(*table.root, fn);
      return visit_json_columns(table.columns, fn);
    }
  }
}

void for_each_expr(Query& query, const ExprSlotFn& fn) {
  for (auto& named : query.with) for_each_expr(*named.query, fn);
  visit_body(*query.body, fn);
  visit_sort(query.order_by, fn);
  visit_slot(query.offset, fn);
  visit_slot(query.limit, fn);
}

namespace {

void visit_assignments(std::vector<std::pair<Ident, ExprPtr>>& assignments, const ExprSlotFn& fn) {
  for (auto& [name, value] : assignments) visit_slot(value, fn);
}

void visit_merge(Merge& merge, const ExprSlotFn& fn) {
  for_each_expr(*merge.source, fn);
  visit_slot(merge.on, fn);
  for (auto& when : merge.cases) {
    visit_slot(when.condition, fn);
    visit_assignments(when.assignments, fn);
    visit_all(when.insert_values, fn);
  }
}

}  // namespace

void for_each_expr(Statement& s, const ExprSlotFn& fn) {
  switch (s.kind) {
    case StatementKind::kQuery:
      return for_each_expr(*as<QueryStatement>(s).query, fn);
    case StatementKind::kExplain:
      return for_each_expr(*as<Explain>(s).statement, fn);
    case StatementKind::kShow:
      if (as<Show>(s).query) for_each_expr(*as<Show>(s).query, fn);
      return;
    case StatementKind::kInsert:
      return for_each_expr(*as<Insert>(s).query, fn);
    case StatementKind::kDelete:
      return visit_slot(as<Delete>(s).where, fn);
    case StatementKind::kUpdate:
      visit_assignments(as<Update>(s).assignments, fn);
      return visit_slot(as<Update>(s).where, fn);
    case StatementKind::kMerge:
      return visit_merge(as<Merge>(s), fn);
    case StatementKind::kCreateTableAs:
      return for_each_expr(*as<CreateTableAs>(s).query, fn);
    case StatementKind::kCreateView:
      return for_each_expr(*as<CreateView>(s).query, fn);
    case StatementKind::kSetSession:
      return visit_slot(as<SetSession>(s).value, fn);
    case StatementKind::kSetTimeZone:
      return visit_slot(as<SetTimeZone>(s).value, fn);
    case StatementKind::kCall:
      for (auto& [name, value] : as<Call>(s).args) visit_slot(value, fn);
      return;
    default:
      return;
  }
}

int parameter_count(const Statement& statement) {
  int count = 0;
  for_each_expr(const_cast<Statement&>(statement), [&](ExprPtr& expr) {
    walk(*expr, true, [&](const Expr& e) {
      count += e.kind == ExprKind::kParameter;
      return true;
    });
  });
  return count;
}

void walk(const Expr& expr, bool into_queries, const std::function<bool(const Expr&)>& visit) {
  if (!visit(expr)) return;
  const ExprSlotFn on_expr = [&](ExprPtr& child) { walk(*child, into_queries, visit); };
  QueryFn on_query;
  if (into_queries) on_query = [&](Query& query) { for_each_expr(query, on_expr); };
  // Children are only read here; one traversal serves both constnesses.
  for_each_child(const_cast<Expr&>(expr), on_expr, on_query);
}

void set_positions(Expr& expr, Position pos) {
  expr.pos = pos;
  for_each_child(
      expr, [&](ExprPtr& child) { set_positions(*child, pos); },
      [&](Query& query) { set_positions(query, pos); });
}

namespace {

void set_positions(Relation& relation, Position pos);

void set_positions(QueryBody& body, Position pos) {
  body.pos = pos;
  switch (body.kind) {
    case QueryBodyKind::kSelect: {
      auto& select = as<Select>(body);
      for (auto& item : select.items) item.pos = pos;
      if (select.from) set_positions(*select.from, pos);
      return;
    }
    case QueryBodyKind::kSetOperation:
      set_positions(*as<SetOperation>(body).left, pos);
      return set_positions(*as<SetOperation>(body).right, pos);
    case QueryBodyKind::kTable:
      return set_positions(*as<TableBody>(body).table, pos);
    case QueryBodyKind::kQuery:
      return sql::set_positions(*as<QueryInParens>(body).query, pos);
    case QueryBodyKind::kValues:
      return;
  }
}

void set_positions(Relation& relation, Position pos) {
  relation.pos = pos;
  switch (relation.kind) {
    case RelationKind::kTable:
      for (auto& part : as<TableRef>(relation).name) part.pos = pos;
      return;
    case RelationKind::kAliased:
      return set_positions(*as<AliasedRelation>(relation).relation, pos);
    case RelationKind::kJoin:
      set_positions(*as<Join>(relation).left, pos);
      for (auto& column : as<Join>(relation).using_columns) column.pos = pos;
      return set_positions(*as<Join>(relation).right, pos);
    case RelationKind::kSubquery:
      return sql::set_positions(*as<SubqueryRelation>(relation).query, pos);
    case RelationKind::kLateral:
      return sql::set_positions(*as<Lateral>(relation).query, pos);
    case RelationKind::kSampled:
      return set_positions(*as<Sampled>(relation).relation, pos);
    case RelationKind::kTableFunction:
      for (auto& arg : as<TableFunction>(relation).args)
        if (arg.table) set_positions(*arg.table, pos);
      return;
    case RelationKind::kMatchRecognize:
      if (as<MatchRecognize>(relation).input)
        set_positions(*as<MatchRecognize>(relation).input, pos);
      return;
    case RelationKind::kUnnest:
    case RelationKind::kJsonTable:
      return;
  }
}

}  // namespace

void set_positions(Query& query, Position pos) {
  query.pos = pos;
  for (auto& named : query.with) {
    named.pos = named.name.pos = pos;
    set_positions(*named.query, pos);
  }
  set_positions(*query.body, pos);
  for_each_expr(query, [&](ExprPtr& expr) { set_positions(*expr, pos); });
}

}  // namespace meesh::sql
