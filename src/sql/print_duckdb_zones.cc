// A column of DuckDB shows its timestamps in one zone, told by its type. Where a statement itself
// puts values of different zones together, they are printed as values that carry each their zone.
#include <map>

#include "sql/print_duckdb_writer.h"
#include "sql/resolve_types.h"
#include "sql/scope.h"

namespace meesh::sql {
namespace {

/// What names the zone of a timestamp, as it is written: "" is the session's, "?" is told by rows.
std::string zone_written(const Expr& e) {
  if (const auto* literal = try_as<const TypedLiteral>(&e)) {
    const auto end = literal->value.find_last_not_of(' ');
    const auto space = literal->value.find_last_of(' ', end);
    return space == std::string::npos ? "" : literal->value.substr(space + 1, end - space);
  }
  const Expr* zone = nullptr;
  if (const auto* at = try_as<const AtTimeZone>(&e)) {
    zone = at->zone.get();
  } else if (const auto* call = try_as<const FunctionCall>(&e)) {
    const std::string name = lower(call->name.back().value);
    if (name != "at_timezone" && name != "with_timezone" && name != "from_unixtime") return "";
    if (call->args.size() > 1) zone = call->args[1].get();
  }
  if (!zone) return "";
  const auto* text = try_as<const StringLiteral>(zone);
  return text ? text->value : "?";
}

/// The expressions that one column of a query body is made of.
void gather(const QueryBody& body, std::vector<std::vector<const Expr*>>& columns) {
  const auto add = [&](size_t column, const Expr& e) {
    if (columns.size() <= column) columns.resize(column + 1);
    columns[column].push_back(&e);
  };
  if (const auto* op = try_as<const SetOperation>(&body)) {
    gather(*op->left, columns);
    gather(*op->right, columns);
  } else if (const auto* select = try_as<const Select>(&body)) {
    for (size_t i = 0; i < select->items.size(); ++i) add(i, *select->items[i].value);
  } else if (const auto* values = try_as<const Values>(&body)) {
    for (const auto& value : values->rows) {
      const auto* row = try_as<const RowConstructor>(value.get());
      for (size_t i = 0; row && i < row->items.size(); ++i) add(i, *row->items[i]);
      if (!row) add(0, *value);
    }
  }
}

}  // namespace

void DuckdbPrinter::keep_zones(const std::vector<const Expr*>& exprs) {
  std::set<std::string> zones;
  std::vector<const Expr*> moments;
  for (const Expr* e : exprs) {
    // Most columns are told by their first value.
    const auto type = infer_type(*e);
    if (type && type->kind == TypeKind::kUnknown) continue;
    if (!type || type->kind != TypeKind::kTimestampTz) return;
    moments.push_back(e);
    zones.insert(zone_written(*e));
  }
  if (zones.size() > 1) zoned_.insert(moments.begin(), moments.end());
}

void DuckdbPrinter::keep_zones(std::span<const ExprPtr> exprs) {
  if (exprs.size() < 2) return;
  std::vector<const Expr*> all;
  for (const auto& e : exprs) all.push_back(e.get());
  keep_zones(all);
}

void DuckdbPrinter::keep_zones(const Values& values) {
  if (values.rows.size() < 2) return;
  std::vector<std::vector<const Expr*>> columns;
  gather(values, columns);
  for (const auto& column : columns) keep_zones(column);
}

void DuckdbPrinter::keep_zones(const SetOperation& op) {
  std::vector<std::vector<const Expr*>> columns;
  gather(op, columns);
  for (const auto& column : columns) keep_zones(column);
}

void DuckdbPrinter::keep_zones(const Case& node) {
  std::vector<const Expr*> results;
  for (const auto& [when, then] : node.whens) results.push_back(then.get());
  if (node.otherwise) results.push_back(node.otherwise.get());
  if (results.size() > 1) keep_zones(results);
}

}  // namespace meesh::sql
