#include "sql/lineage_trace.h"

#include "sql/resolve_walk.h"
#include "sql/resolver.h"
#include "sql/row_pattern.h"
#include "sql/scope.h"

namespace meesh::sql {
namespace {

constexpr Influences kDirect =
    bit(Influence::kIdentity) | bit(Influence::kTransformation) | bit(Influence::kAggregation);
/// Entries of origins that one statement may copy about: a second's work.
constexpr size_t kMostWork = 2'000'000;

/// A value that came directly and is put under one more direct step.
Influences deeper(Influences from, Influence step) {
  const Influences indirect = from & static_cast<Influences>(~kDirect);
  if ((from & kDirect) == 0) return indirect;
  Influences out = indirect;
  for (const auto one :
       {Influence::kIdentity, Influence::kTransformation, Influence::kAggregation}) {
    if (from & bit(one)) out |= bit(std::max(one, step));
  }
  return out;
}

}  // namespace

void LineageTrace::work(size_t amount) {
  worked_ += amount;
  if (worked_ > kMostWork) {
    throw Error(Code::kNotSupported, "the statement is too large to follow its columns");
  }
}

void LineageTrace::add(Value& to, const Value& from) {
  work(from.from.size() + 1);
  if (to.lost.empty()) to.lost = from.lost;
  for (const auto& [origin, influences] : from.from) to.from[origin] |= influences;
}

void LineageTrace::add(Value& to, const Value& from, Influence influence) {
  work(from.from.size() + 1);
  if (to.lost.empty()) to.lost = from.lost;
  for (const auto& [origin, influences] : from.from) {
    to.from[origin] |= is_direct(influence) ? deeper(influences, influence) : bit(influence);
  }
}

void LineageTrace::add_expr(Value& to, const Expr* expr, Influence influence) {
  if (expr) add(to, expression(*expr), influence);
}

// ---------------------------------------------------------------- queries

LineageTrace::Rows LineageTrace::query(const Query& query) {
  for (const auto& named : query.with) named_query(named, query.recursive);
  return body(*query.body, query.order_by);
}

void LineageTrace::define(const std::string& name, const std::vector<Ident>& columns,
                          std::vector<Value> values) {
  Known known;
  for (size_t i = 0; i < columns.size() && i < values.size(); ++i) {
    known.columns[columns[i].value] = std::move(values[i]);
  }
  named_[name] = std::move(known);
}

void LineageTrace::named_query(const NamedQuery& named, bool recursive) {
  const std::string& name = named.name.value;
  const auto* steps = try_as<const SetOperation>(named.query->body.get());
  if (!recursive || !steps) {
    Rows rows = query(*named.query);
    define(name, named.columns, std::move(rows.columns));
    named_rows_[name] = std::move(rows.chosen_by);
    return;
  }
  // What the steps add is found by taking them until nothing new comes.
  Rows rows = body(*steps->left, {});
  while (true) {
    define(name, named.columns, rows.columns);
    named_rows_[name] = rows.chosen_by;
    Rows next = body(*steps, {});
    for (size_t i = 0; i < next.columns.size() && i < rows.columns.size(); ++i) {
      add(next.columns[i], rows.columns[i]);
    }
    add(next.chosen_by, rows.chosen_by);
    bool same = next.chosen_by.from == rows.chosen_by.from;
    for (size_t i = 0; i < rows.columns.size(); ++i) {
      same = same && next.columns.at(i).from == rows.columns[i].from;
    }
    rows = std::move(next);
    if (same) break;
  }
  define(name, named.columns, std::move(rows.columns));
  named_rows_[name] = std::move(rows.chosen_by);
}

LineageTrace::Rows LineageTrace::body(const QueryBody& body,
                                      const std::vector<SortItem>& order_by) {
  Rows rows;
  switch (body.kind) {
    case QueryBodyKind::kSelect:
      return select(as<Select>(body), order_by);
    case QueryBodyKind::kSetOperation:
      rows = set_operation(as<SetOperation>(body));
      break;
    case QueryBodyKind::kValues:
      rows = values(as<Values>(body));
      break;
    case QueryBodyKind::kQuery:
      rows = query(*as<QueryInParens>(body).query);
      break;
    case QueryBodyKind::kTable:  // the resolver makes SELECT * of it
      internal_error("an unresolved TABLE has no lineage");
  }
  sort(rows, order_by);
  return rows;
}

void LineageTrace::sort(Rows& rows, const std::vector<SortItem>& order_by) {
  for (const auto& item : order_by) {
    const auto* ordinal = try_as<const IntegerLiteral>(item.key.get());
    if (!ordinal) {
      add_expr(rows.chosen_by, item.key.get(), Influence::kSort);
    } else if (ordinal->value >= 1 && ordinal->value <= rows.columns.size()) {
      add(rows.chosen_by, rows.columns[ordinal->value - 1], Influence::kSort);
    }
  }
}

LineageTrace::Rows LineageTrace::select(const Select& select,
                                        const std::vector<SortItem>& order_by) {
  Rows rows;
  if (select.from) relation(*select.from, rows.chosen_by);
  Windows windows;
  for (const auto& named : select.windows) windows[lower(named.name.value)] = &named.spec;
  windows_.push_back(std::move(windows));
  add_expr(rows.chosen_by, select.where.get(), Influence::kFilter);
  for (const auto& item : select.items) rows.columns.push_back(expression(*item.value));
  if (select.group_by) {
    for (const auto& element : select.group_by->elements) {
      for (const auto& set : element.sets) {
        for (const auto& key : set) {
          const auto* ordinal = try_as<const IntegerLiteral>(key.get());
          if (!ordinal) {
            add_expr(rows.chosen_by, key.get(), Influence::kGroupBy);
          } else if (ordinal->value >= 1 && ordinal->value <= rows.columns.size()) {
            add(rows.chosen_by, rows.columns[ordinal->value - 1], Influence::kGroupBy);
          }
        }
      }
    }
  }
  add_expr(rows.chosen_by, select.having.get(), Influence::kFilter);
  if (select.quantifier == SetQuantifier::kDistinct) {
    for (const auto& column : rows.columns) add(rows.chosen_by, column, Influence::kGroupBy);
  }
  sort(rows, order_by);
  windows_.pop_back();
  return rows;
}

LineageTrace::Rows LineageTrace::set_operation(const SetOperation& op) {
  Rows rows = body(*op.left, {});
  const Rows right = body(*op.right, {});
  add(rows.chosen_by, right.chosen_by);
  for (size_t i = 0; i < rows.columns.size() && i < right.columns.size(); ++i) {
    // What EXCEPT takes away is in no row that stays.
    if (op.op == SetOperator::kExcept) {
      add(rows.chosen_by, right.columns[i], Influence::kFilter);
    } else {
      add(rows.columns[i], right.columns[i]);
    }
    if (op.op != SetOperator::kUnion) {
      add(rows.chosen_by, rows.columns[i], Influence::kFilter);
    } else if (op.quantifier != SetQuantifier::kAll) {
      add(rows.chosen_by, rows.columns[i], Influence::kGroupBy);
    }
  }
  return rows;
}

LineageTrace::Rows LineageTrace::values(const Values& values) {
  Rows rows;
  for (const auto& row : values.rows) {
    std::vector<const Expr*> cells;
    if (const auto* items = try_as<const RowConstructor>(row.get())) {
      for (const auto& item : items->items) cells.push_back(item.get());
    } else {
      cells.push_back(row.get());
    }
    rows.columns.resize(std::max(rows.columns.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); ++i) add(rows.columns[i], expression(*cells[i]));
  }
  return rows;
}

// ---------------------------------------------------------------- relations

void LineageTrace::table(const TableRef& table) {
  if (!table.resolved) internal_error("an unresolved table has no lineage");
  const auto [found, made] = numbers_.try_emplace(table.resolved->name.display(), tables_.size());
  if (made) tables_.push_back(table.resolved->name);
  relations_[table.alias] = {found->second, {}};
}

void LineageTrace::relation(const Relation& relation, Value& chosen_by) {
  switch (relation.kind) {
    case RelationKind::kTable: {
      const auto& ref = as<TableRef>(relation);
      if (!ref.is_cte) return table(ref);
      const std::string& name = ref.name.at(0).value;
      work(named_[name].columns.size());
      relations_[ref.alias] = named_[name];
      return add(chosen_by, named_rows_[name]);
    }
    case RelationKind::kAliased:
      return aliased(as<AliasedRelation>(relation), chosen_by);
    case RelationKind::kJoin: {
      const auto& join = as<Join>(relation);
      this->relation(*join.left, chosen_by);
      this->relation(*join.right, chosen_by);
      return add_expr(chosen_by, join.on.get(), Influence::kJoin);
    }
    case RelationKind::kSampled:
      return this->relation(*as<Sampled>(relation).relation, chosen_by);
    // The resolver gives the first three a name and refuses the others.
    case RelationKind::kSubquery:
    case RelationKind::kLateral:
    case RelationKind::kUnnest:
    case RelationKind::kTableFunction:
    case RelationKind::kMatchRecognize:
    case RelationKind::kJsonTable:
      internal_error("an unresolved relation has no lineage");
  }
}

/// Which rows there are depends on all that the pattern looks at; a measure is computed from any of
/// it.
std::vector<LineageTrace::Value> LineageTrace::matched(const MatchRecognize& match,
                                                       Value& chosen_by) {
  using From = RowPattern::Output::From;
  const auto& pattern = *match.pattern;
  relation(*match.input, chosen_by);
  for (const auto& key : pattern.partition_by) add_expr(chosen_by, key.get(), Influence::kGroupBy);
  for (const auto& item : pattern.order_by) add_expr(chosen_by, item.key.get(), Influence::kSort);
  Value measure;
  for (const auto& input : pattern.inputs) {
    add_expr(chosen_by, input.get(), Influence::kFilter);
    add_expr(measure, input.get(), Influence::kAggregation);
  }
  std::vector<Value> columns;
  for (const auto& output : pattern.outputs) {
    Value value;
    if (output.from == From::kPartition)
      add_expr(value, pattern.partition_by[output.number].get(), Influence::kIdentity);
    else if (output.from == From::kInput)
      add_expr(value, pattern.inputs[output.number].get(), Influence::kIdentity);
    else
      value = measure;
    columns.push_back(std::move(value));
  }
  return columns;
}

void LineageTrace::aliased(const AliasedRelation& relation, Value& chosen_by) {
  std::vector<Value> columns;
  switch (relation.relation->kind) {
    case RelationKind::kSubquery:
    case RelationKind::kLateral: {
      const Query& inner = relation.relation->kind == RelationKind::kLateral
                               ? *as<Lateral>(*relation.relation).query
                               : *as<SubqueryRelation>(*relation.relation).query;
      Rows rows = query(inner);
      add(chosen_by, rows.chosen_by);
      columns = std::move(rows.columns);
      break;
    }
    case RelationKind::kUnnest:
      columns = unnested(as<Unnest>(*relation.relation));
      break;
    case RelationKind::kTableFunction:  // sequence: its numbers come from nowhere
      columns.resize(1);
      break;
    case RelationKind::kMatchRecognize:
      columns = matched(as<MatchRecognize>(*relation.relation), chosen_by);
      break;
    default:
      internal_error("an unresolved alias has no lineage");
  }
  Known known;
  for (size_t i = 0; i < relation.columns.size() && i < columns.size(); ++i) {
    known.columns[relation.columns[i].value] = std::move(columns[i]);
  }
  relations_[relation.alias.value] = std::move(known);
}

std::vector<LineageTrace::Value> LineageTrace::unnested(const Unnest& unnest) {
  std::vector<Value> columns;
  Value counted;
  for (size_t i = 0; i < unnest.items.size(); ++i) {
    Value value;
    add_expr(value, unnest.items[i].get(), Influence::kTransformation);
    add(counted, value);
    columns.insert(columns.end(), unnest.shapes.at(i).width, value);
  }
  if (unnest.with_ordinality) columns.push_back(std::move(counted));
  return columns;
}

// ---------------------------------------------------------------- expressions

LineageTrace::Value LineageTrace::column(const ColumnRef& ref) {
  if (ref.relation.empty()) return {};  // a lambda's argument: what it runs over is counted there
  const auto found = relations_.find(ref.relation);
  if (found != relations_.end() && found->second.table) {
    return {{{{*found->second.table, ref.column}, bit(Influence::kIdentity)}}, {}};
  }
  if (found != relations_.end()) {
    const auto column = found->second.columns.find(ref.column);
    if (column != found->second.columns.end()) {
      work(column->second.from.size());
      return column->second;
    }
  }
  return {{}, "it is not known what '" + ref.written + "' stands for"};
}

LineageTrace::Value LineageTrace::expression(const Expr& expr) {
  work(1);
  switch (expr.kind) {
    case ExprKind::kColumnRef:
      return column(as<ColumnRef>(expr));
    case ExprKind::kCase:
      return choice(as<Case>(expr));
    case ExprKind::kFunction:
      return call(as<FunctionCall>(expr));
    case ExprKind::kSubquery: {
      Rows rows = query(*as<SubqueryExpr>(expr).query);
      Value value = std::move(rows.columns.at(0));
      add(value, rows.chosen_by);
      return value;
    }
    case ExprKind::kExists:
      return query(*as<Exists>(expr).query).chosen_by;
    case ExprKind::kInSubquery:
      return compared(*as<InSubquery>(expr).value, *as<InSubquery>(expr).query);
    case ExprKind::kQuantified:
      return compared(*as<Quantified>(expr).value, *as<Quantified>(expr).query);
    case ExprKind::kGrouping:
      return {};  // which keys are grouped by, whatever their values
    default:
      return children(expr);
  }
}

LineageTrace::Value LineageTrace::children(const Expr& expr) {
  Value value;
  // Only read here; one traversal serves both constnesses.
  for_each_child(const_cast<Expr&>(expr),
                 [&](ExprPtr& child) { add_expr(value, child.get(), Influence::kTransformation); },
                 {});
  return value;
}

LineageTrace::Value LineageTrace::compared(const Expr& value, const Query& query) {
  Value out;
  add_expr(out, &value, Influence::kTransformation);
  const Rows rows = this->query(query);
  for (const auto& column : rows.columns) add(out, column, Influence::kTransformation);
  add(out, rows.chosen_by);
  return out;
}

LineageTrace::Value LineageTrace::choice(const Case& node) {
  Value value;
  add_expr(value, node.operand.get(), Influence::kConditional);
  for (const auto& [when, then] : node.whens) {
    add_expr(value, when.get(), Influence::kConditional);
    add_expr(value, then.get(), Influence::kTransformation);
  }
  add_expr(value, node.otherwise.get(), Influence::kTransformation);
  return value;
}

LineageTrace::Value LineageTrace::call(const FunctionCall& call) {
  Value value;
  const std::string name = lower(call.name.back().value);
  const FunctionInfo* info = find_function(name);
  const bool aggregate = info && info->kind == FunctionInfo::Kind::kAggregate;
  const auto step = aggregate ? Influence::kAggregation : Influence::kTransformation;
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (call.args[i]->kind == ExprKind::kStar) continue;  // count(*)
    add_expr(value, call.args[i].get(), name == "if" && i == 0 ? Influence::kConditional : step);
  }
  for (const auto& item : call.order_by) add_expr(value, item.key.get(), Influence::kSort);
  add_expr(value, call.filter.get(), Influence::kFilter);
  if (call.over) window(value, *call.over);
  return value;
}

void LineageTrace::window(Value& to, const WindowSpec& spec) {
  if (spec.base) {
    for (auto level = windows_.rbegin(); level != windows_.rend(); ++level) {
      const auto found = level->find(lower(spec.base->value));
      if (found == level->end()) continue;
      if (found->second != &spec) window(to, *found->second);
      break;
    }
  }
  for (const auto& key : spec.partition_by) add_expr(to, key.get(), Influence::kWindow);
  for (const auto& item : spec.order_by) add_expr(to, item.key.get(), Influence::kWindow);
  if (!spec.frame) return;
  add_expr(to, spec.frame->start.value.get(), Influence::kWindow);
  if (spec.frame->end) add_expr(to, spec.frame->end->value.get(), Influence::kWindow);
}

}  // namespace meesh::sql
