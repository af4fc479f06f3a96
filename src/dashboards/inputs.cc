#include "dashboards/inputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/sql.h"
#include "sql/table_walk.h"

namespace meesh::dashboards {
namespace {

using sql::Expr;
using sql::ExprKind;
using sql::Query;

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

  void query(Query& query) {
    sql::TableWalk({.table = [this](sql::TableRef& table) { this->table(table); },
                    .expression = [this](Expr& expr) { expression(expr); },
                    .query =
                        [this](Query& inner) {
                          if (!inner.inline_functions.empty()) to_.repeatable = false;
                        },
                    .made =
                        [this](sql::Relation&) {
                          to_.repeatable = false;
                          to_.versions.reset();
                        }})
        .query(query);
  }

 private:
  void table(sql::TableRef& table) {
    const auto& name = table.name;
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
      inner.depth_ = depth_ + 1;
      inner.catalog_ = state.view_catalog;
      inner.schema_ = state.view_schema;
      if (parsed->kind != sql::StatementKind::kQuery) return to_.versions.reset();
      inner.query(*sql::as<sql::QueryStatement>(*parsed).query);
    } catch (const Error&) {
      to_.versions.reset();  // running it will say why
    }
  }

  void expression(Expr& expr) {
    if (expr.kind == ExprKind::kCurrent) to_.repeatable = false;
    if (expr.kind != ExprKind::kFunction) return;
    const auto& name = sql::as<sql::FunctionCall>(expr).name;
    if (!name.empty() && changes_by_itself(lower(name.back().value))) to_.repeatable = false;
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
  Collector(inputs, states).query(const_cast<Query&>(query));  // NOLINT
  return inputs;
}

}  // namespace meesh::dashboards
