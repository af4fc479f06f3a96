// DuckDB SQL: queries.
#include <fmt/format.h>

#include <algorithm>

#include "sql/print_duckdb_writer.h"
#include "sql/resolve_text.h"
#include "sql/scope.h"

namespace meesh::sql {

std::string duckdb_ident(std::string_view name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string duckdb_string(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}

Position Printed::position_at(size_t offset) const {
  const auto after =
      std::upper_bound(map.begin(), map.end(), offset,
                       [](size_t at, const auto& entry) { return at < entry.first; });
  return after == map.begin() ? Position() : std::prev(after)->second;
}

Printed print_duckdb(const Statement& statement) {
  DuckdbPrinter printer;
  printer.statement(statement);
  return printer.take();
}

// ---------------------------------------------------------------- queries

void DuckdbPrinter::columns(const std::vector<Ident>& columns) {
  put("(");
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i) put(", ");
    ident(columns[i].value);
  }
  put(")");
}

void DuckdbPrinter::with(const Query& query) {
  if (query.with.empty()) return;
  put(query.recursive ? "WITH RECURSIVE " : "WITH ");
  for (size_t i = 0; i < query.with.size(); ++i) {
    if (i) put(", ");
    const auto& named = query.with[i];
    mark(named.pos);
    ident(named.name.value);
    columns(named.columns);
    put(" AS (");
    this->query(*named.query);
    put(")");
  }
  put(" ");
}

void DuckdbPrinter::query(const Query& query) {
  with(query);
  if (query.with_ties) return with_ties(query);
  body(*query.body, false);
  if (!query.order_by.empty()) {
    put(" ORDER BY ");
    order_by(query.order_by);
  }
  if (query.limit) {
    put(" LIMIT ");
    expr(*query.limit);
  } else if (query.fetch_first) {
    put(" LIMIT 1");
  }
  if (query.offset) {
    put(" OFFSET ");
    expr(*query.offset);
  }
}

void DuckdbPrinter::body(const QueryBody& body, bool nested) {
  switch (body.kind) {
    case QueryBodyKind::kSelect:
      return select(as<Select>(body));
    case QueryBodyKind::kValues:
      return values(as<Values>(body));
    case QueryBodyKind::kSetOperation:
      if (nested) put("(");
      if (!nested) keep_zones(as<SetOperation>(body));
      set_operation(as<SetOperation>(body));
      if (nested) put(")");
      return;
    case QueryBodyKind::kQuery:
      put("(");
      query(*as<QueryInParens>(body).query);
      put(")");
      return;
    case QueryBodyKind::kTable:
      internal_error("TABLE t is resolved to a SELECT");
  }
}

void DuckdbPrinter::set_operation(const SetOperation& op) {
  // Chains of one operator lean left; they need no parentheses, however long.
  const auto* left = try_as<const SetOperation>(op.left.get());
  body(*op.left, left && (left->op != op.op || left->quantifier != op.quantifier));
  switch (op.op) {
    case SetOperator::kUnion:
      put(" UNION ");
      break;
    case SetOperator::kIntersect:
      put(" INTERSECT ");
      break;
    case SetOperator::kExcept:
      put(" EXCEPT ");
      break;
  }
  if (op.quantifier == SetQuantifier::kAll) put("ALL ");
  body(*op.right, true);
}

void DuckdbPrinter::values(const Values& values) {
  keep_zones(values);
  put("VALUES ");
  for (size_t i = 0; i < values.rows.size(); ++i) {
    if (i) put(", ");
    put("(");
    const auto* row = try_as<const RowConstructor>(values.rows[i].get());
    if (row)
      list(row->items);
    else
      expr(*values.rows[i]);
    put(")");
  }
}

void DuckdbPrinter::select(const Select& select, const std::vector<const Expr*>& hidden) {
  put(select.quantifier == SetQuantifier::kDistinct ? "SELECT DISTINCT " : "SELECT ");
  for (size_t i = 0; i < select.items.size(); ++i) {
    if (i) put(", ");
    expr(*select.items[i].value);
    if (!select.items[i].alias) continue;
    put(" AS ");
    ident(select.items[i].alias->value);
  }
  for (const Expr* key : hidden) {
    put(", ");
    expr(*key);
  }
  if (select.from) {
    put(" FROM ");
    relation(*select.from);
  }
  if (select.where) {
    put(" WHERE ");
    expr(*select.where);
  }
  if (select.group_by) group_by(*select.group_by);
  if (select.having) {
    put(" HAVING ");
    expr(*select.having);
  }
  for (size_t i = 0; i < select.windows.size(); ++i) {
    put(i ? ", " : " WINDOW ");
    ident(select.windows[i].name.value);
    put(" AS (");
    window(select.windows[i].spec);
    put(")");
  }
}

void DuckdbPrinter::group_by(const GroupBy& group_by) {
  const auto& elements = group_by.elements;
  put(" GROUP BY ");
  for (size_t i = 0; i < elements.size(); ++i) {
    if (i) put(", ");
    const auto& element = elements[i];
    if (element.kind == GroupingElement::Kind::kSimple) {
      if (element.sets.empty() || element.sets.front().empty())
        put("()");
      else
        list(element.sets.front());
      continue;
    }
    put(element.kind == GroupingElement::Kind::kCube     ? "CUBE ("
        : element.kind == GroupingElement::Kind::kRollup ? "ROLLUP ("
                                                         : "GROUPING SETS (");
    for (size_t s = 0; s < element.sets.size(); ++s) {
      if (s) put(", ");
      if (element.sets[s].size() == 1) {
        expr(*element.sets[s].front());
        continue;
      }
      put("(");
      list(element.sets[s]);
      put(")");
    }
    put(")");
  }
}

void DuckdbPrinter::sort_direction(const SortItem& item) {
  put(item.descending ? " DESC" : " ASC");
  put(item.nulls == SortItem::Nulls::kFirst ? " NULLS FIRST" : " NULLS LAST");
}

void DuckdbPrinter::order_by(const std::vector<SortItem>& items) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (i) put(", ");
    expr(*items[i].key);
    sort_direction(items[i]);
  }
}

// FETCH FIRST n ROWS WITH TIES keeps every row whose first peer is among the first n: rank() <= n,
// counted behind the OFFSET.
void DuckdbPrinter::with_ties(const Query& query) {
  const auto* select = try_as<const Select>(query.body.get());
  std::vector<std::string> names;
  if (select) {
    for (const auto& item : select->items) names.push_back(item.alias->value);
  } else {
    throw Error(Code::kNotSupported, "FETCH FIRST WITH TIES is only supported after a SELECT",
                {query.pos.line, query.pos.column, {}});
  }
  std::vector<const Expr*> hidden;
  std::string keys;
  for (const auto& item : query.order_by) {
    if (!keys.empty()) keys += ", ";
    if (const auto* literal = try_as<const IntegerLiteral>(item.key.get())) {
      keys += fmt::format("\"$c{}\"", literal->value - 1);
    } else {
      keys += fmt::format("\"$c{}\"", names.size() + hidden.size());
      hidden.push_back(item.key.get());
    }
    keys += item.descending ? " DESC" : " ASC";
    keys += item.nulls == SortItem::Nulls::kFirst ? " NULLS FIRST" : " NULLS LAST";
  }
  put("SELECT ");
  for (size_t i = 0; i < names.size(); ++i) {
    if (i) put(", ");
    put(fmt::format("\"$c{}\" AS ", i));
    ident(names[i]);
  }
  put(
      fmt::format(" FROM (SELECT *, rank() OVER (ORDER BY {0}) AS \"$rank\", row_number() OVER "
                  "(ORDER BY {0}) AS \"$row\" FROM (",
                  keys));
  this->select(*select, hidden);
  put(") AS \"$all\"(");
  for (size_t i = 0; i < names.size() + hidden.size(); ++i)
    put(fmt::format("{}\"$c{}\"", i ? ", " : "", i));
  put(")) AS \"$ranked\" WHERE \"$rank\" <= ");
  if (query.limit)
    expr(*query.limit);
  else
    put("1");
  if (query.offset) {
    put(" + ");
    expr(*query.offset);
    put(" AND \"$row\" > ");
    expr(*query.offset);
  }
  put(" ORDER BY \"$row\"");
}

}  // namespace meesh::sql
