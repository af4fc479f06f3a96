#include "dashboards/inputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/resolve_walk.h"
#include "sql/sql.h"

namespace meesh::dashboards {
namespace {

using sql::Expr;
using sql::ExprKind;
using sql::ExprPtr;
using sql::Query;
using sql::QueryBody;
using sql::Relation;

constexpr int kMostViews = 50;  // one inside the other

/// Functions whose answer is not that of their arguments.
bool changes_by_itself(std::string_view name) {
  static const std::set<std::string, std::less<>> all = {"now",
                                                         "random",
                                                         "rand",
                                                         "uuid",
                                                         "shuffle",
                                                         "current_date",
                                                         "current_time",
                                                         "current_user",
                                                         "localtimestamp",
                                                         "localtime",
                                                         "current_timestamp",
                                                         "current_timezone",
                                                         "current_groups",
                                                         "version",
                                                         "from_unixtime_now",
                                                         "table_changes",
                                                         "arbitrary_now",
                                                         "last_query_id",
                                                         "current_schema",
                                                         "current_catalog",
                                                         "secure_random",
                                                         "secure_rand"};
  return all.contains(name);
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

class Collector {
 public:
  Collector(Inputs& to, TableStates& states) : to_(to), states_(states) {}

  void query(Query& query, std::set<std::string> scope) {
    if (!query.inline_functions.empty()) to_.repeatable = false;
    for (auto& named : query.with) {
      const std::string name = lower(named.name.value);
      auto inner = scope;
      if (query.recursive) inner.insert(name);
      this->query(*named.query, inner);
      scope.insert(name);
    }
    body(*query.body, scope);
    for (auto& item : query.order_by) expression(item.key, scope);
    expression(query.limit, scope);
    expression(query.offset, scope);
  }

  void inside(std::string catalog, std::string schema) {
    catalog_ = std::move(catalog);
    schema_ = std::move(schema);
    ++depth_;
  }

 private:
  using Scope = std::set<std::string>;

  void body(QueryBody& body, const Scope& scope) {
    switch (body.kind) {
      case sql::QueryBodyKind::kSelect:
        return select(sql::as<sql::Select>(body), scope);
      case sql::QueryBodyKind::kSetOperation:
        this->body(*sql::as<sql::SetOperation>(body).left, scope);
        return this->body(*sql::as<sql::SetOperation>(body).right, scope);
      case sql::QueryBodyKind::kValues:
        for (auto& row : sql::as<sql::Values>(body).rows) expression(row, scope);
        return;
      case sql::QueryBodyKind::kTable:
        return relation(*sql::as<sql::TableBody>(body).table, scope);
      case sql::QueryBodyKind::kQuery:
        return query(*sql::as<sql::QueryInParens>(body).query, scope);
    }
  }

  void select(sql::Select& select, const Scope& scope) {
    if (select.from) relation(*select.from, scope);
    for (auto& item : select.items) expression(item.value, scope);
    expression(select.where, scope);
    if (select.group_by)
      for (auto& element : select.group_by->elements)
        for (auto& set : element.sets)
          for (auto& key : set) expression(key, scope);
    expression(select.having, scope);
    for (auto& window : select.windows) {
      for (auto& key : window.spec.partition_by) expression(key, scope);
      for (auto& item : window.spec.order_by) expression(item.key, scope);
    }
  }

  void relation(Relation& relation, const Scope& scope) {
    switch (relation.kind) {
      case sql::RelationKind::kTable:
        return table(sql::as<sql::TableRef>(relation), scope);
      case sql::RelationKind::kAliased:
        return this->relation(*sql::as<sql::AliasedRelation>(relation).relation, scope);
      case sql::RelationKind::kJoin: {
        auto& join = sql::as<sql::Join>(relation);
        this->relation(*join.left, scope);
        this->relation(*join.right, scope);
        return expression(join.on, scope);
      }
      case sql::RelationKind::kSubquery:
        return query(*sql::as<sql::SubqueryRelation>(relation).query, scope);
      case sql::RelationKind::kLateral:
        return query(*sql::as<sql::Lateral>(relation).query, scope);
      case sql::RelationKind::kUnnest:
        for (auto& item : sql::as<sql::Unnest>(relation).items) expression(item, scope);
        return;
      case sql::RelationKind::kSampled:
      case sql::RelationKind::kTableFunction:
      case sql::RelationKind::kMatchRecognize:
      case sql::RelationKind::kJsonTable:
        to_.repeatable = false;
        to_.versions.reset();
        return;
    }
  }

  void table(sql::TableRef& table, const Scope& scope) {
    const auto& name = table.name;
    if (name.size() == 1 && scope.contains(lower(name[0].value))) return;
    expression(table.version, scope);
    sql::TableName full;
    full.table = name.empty() ? "" : lower(name.back().value);
    full.schema = name.size() >= 2 ? lower(name[name.size() - 2].value) : schema_;
    full.catalog = name.size() == 3 ? lower(name[0].value) : catalog_;
    if (name.empty() || name.size() > 3 || full.schema.empty() || full.catalog.empty())
      return to_.versions.reset();
    if (!to_.tables.insert(full.display()).second) return;
    const auto& state = states_.of(full);
    if (!state || state->version.empty() || state->changes_with_time) {
      to_.versions.reset();
      if (!state || state->view_sql.empty()) return;
    } else if (to_.versions) {
      *to_.versions += fmt::format("{}={};", full.display(), state->version);
    }
    if (!state->view_sql.empty()) view(*state);
  }

  void view(const TableState& state) {
    if (depth_ >= kMostViews) return to_.versions.reset();
    try {
      const auto parsed = sql::parse(state.view_sql);
      Collector inner(to_, states_);
      inner.depth_ = depth_;
      inner.inside(state.view_catalog, state.view_schema);
      if (parsed->kind != sql::StatementKind::kQuery) return to_.versions.reset();
      inner.query(*sql::as<sql::QueryStatement>(*parsed).query, {});
    } catch (const Error&) {
      to_.versions.reset();  // running it will say why
    }
  }

  void expression(ExprPtr& expr, const Scope& scope) {
    if (!expr) return;
    if (expr->kind == ExprKind::kCurrent) to_.repeatable = false;
    if (expr->kind == ExprKind::kFunction) {
      const auto& name = sql::as<sql::FunctionCall>(*expr).name;
      if (!name.empty() && changes_by_itself(lower(name.back().value))) to_.repeatable = false;
    }
    sql::for_each_child(
        *expr, [&](ExprPtr& child) { expression(child, scope); },
        [&](Query& inner) { query(inner, scope); });
  }

  Inputs& to_;
  TableStates& states_;
  std::string catalog_, schema_;
  int depth_ = 0;
};

}  // namespace

const std::optional<TableState>& TableStates::of(const sql::TableName& name) {
  const auto [place, fresh] = known_.try_emplace(name.display());
  if (fresh) {
    try {
      place->second = find_(name);
    } catch (const Error&) {
      place->second.reset();  // not known; running the statement says why
    }
  }
  return place->second;
}

Inputs inputs_of(const Query& query, TableStates& states) {
  Inputs inputs;
  inputs.versions.emplace();
  // The walk shares its functions with what changes trees; it changes nothing.
  Collector(inputs, states).query(const_cast<Query&>(query), {});  // NOLINT
  return inputs;
}

}  // namespace meesh::dashboards
