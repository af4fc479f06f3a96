#include "sql/format_query.h"

#include <fmt/format.h>

#include <optional>

#include "sql/lexer.h"
#include "sql/resolve_text.h"
#include "sql/resolve_walk.h"
#include "sql/sql.h"

namespace meesh::sql {
namespace {

/// Thrown for what is not laid out.
struct Unknown {};

std::string written(const Ident& name) {
  return name.quoted ? quote_identifier(name.value) : name.value;
}

std::string listed(const std::vector<Ident>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + written(name);
  return out;
}

/// Expressions with queries of their own are shown to people without those.
std::string text_of(const Expr& expr) {
  bool nested = false;
  walk(expr, false, [&](const Expr& e) {
    nested = nested || e.kind == ExprKind::kSubquery || e.kind == ExprKind::kExists ||
             e.kind == ExprKind::kInSubquery || e.kind == ExprKind::kQuantified;
    return !nested;
  });
  if (nested) throw Unknown();
  return shown(expr);
}

std::string texts_of(const std::vector<ExprPtr>& exprs) {
  std::string out;
  for (const auto& e : exprs) out += (out.empty() ? "" : ", ") + text_of(*e);
  return out;
}

class Layout {
 public:
  void query(const Query& q, int depth);
  std::string take() { return std::move(out_); }

 private:
  void line(int depth, std::string_view text) { out_ += indented(depth, text); }
  static std::string indented(int depth, std::string_view text) {
    return std::string(static_cast<size_t>(depth) * 3, ' ') + std::string(text);
  }
  void with(const Query& q, int depth);
  void subquery(const Query& q, int depth);
  void body(const QueryBody& b, int depth);
  void select(const Select& s, int depth);
  void set_operation(const SetOperation& s, int depth);
  void relation(const Relation& r, int depth);
  void join(const Join& j, int depth);
  void aliased(const AliasedRelation& a, int depth);
  static std::string group_by(const GroupBy& g);
  static std::string sort(const std::vector<SortItem>& items);

  std::string out_;
};

void Layout::subquery(const Query& q, int depth) {
  out_ += "(\n";
  query(q, depth + 1);
  line(depth, ") ");
}

void Layout::with(const Query& q, int depth) {
  line(depth, q.recursive ? "WITH RECURSIVE\n  " : "WITH\n  ");
  for (const auto& named : q.with) {
    if (&named != &q.with.front()) out_ += ", ";
    out_ += written(named.name);
    if (!named.columns.empty()) out_ += " (" + listed(named.columns) + ")";
    out_ += " AS ";
    subquery(*named.query, depth);
    out_ += '\n';
  }
}

void Layout::query(const Query& q, int depth) {
  if (!q.inline_functions.empty()) throw Unknown();
  if (!q.with.empty()) with(q, depth);
  body(*q.body, depth);
  if (!q.order_by.empty()) line(depth, "ORDER BY " + sort(q.order_by) + "\n");
  if (q.offset) line(depth, "OFFSET " + text_of(*q.offset) + " ROWS\n");
  if (q.fetch_first) {
    const std::string count = q.limit ? text_of(*q.limit) + " " : "";
    line(depth, "FETCH FIRST " + count + (q.with_ties ? "ROWS WITH TIES\n" : "ROWS ONLY\n"));
  } else if (q.limit_all) {
    line(depth, "LIMIT ALL\n");
  } else if (q.limit) {
    line(depth, "LIMIT " + text_of(*q.limit) + "\n");
  }
}

void Layout::body(const QueryBody& b, int depth) {
  switch (b.kind) {
    case QueryBodyKind::kSelect:
      return select(as<Select>(b), depth);
    case QueryBodyKind::kSetOperation:
      return set_operation(as<SetOperation>(b), depth);
    case QueryBodyKind::kQuery:
      return subquery(*as<QueryInParens>(b).query, depth);
    case QueryBodyKind::kValues: {
      out_ += " VALUES ";
      const auto& rows = as<Values>(b).rows;
      for (const auto& row : rows)
        out_ += '\n' + indented(depth, &row == &rows.front() ? "  " : ", ") + text_of(*row);
      out_ += '\n';
      return;
    }
    case QueryBodyKind::kTable:
      throw Unknown();
  }
}

void Layout::set_operation(const SetOperation& s, int depth) {
  static constexpr std::string_view kWords[] = {"UNION ", "INTERSECT ", "EXCEPT "};
  if (s.corresponding) throw Unknown();
  body(*s.left, depth);
  line(depth, kWords[static_cast<size_t>(s.op)]);
  if (s.quantifier == SetQuantifier::kAll) out_ += "ALL ";
  out_ += '\n';
  body(*s.right, depth);
}

void Layout::select(const Select& s, int depth) {
  line(depth, s.quantifier == SetQuantifier::kDistinct ? "SELECT DISTINCT" : "SELECT");
  for (const auto& item : s.items) {
    if (s.items.size() > 1)
      out_ += '\n' + indented(depth, &item == &s.items.front() ? "  " : ", ");
    else
      out_ += ' ';
    out_ += text_of(*item.value);
    if (item.alias) out_ += ' ' + written(*item.alias);
  }
  out_ += '\n';
  if (s.from) {
    line(depth, "FROM\n");
    line(depth, "  ");
    relation(*s.from, depth);
    out_ += '\n';
  }
  if (s.where) line(depth, "WHERE " + text_of(*s.where) + "\n");
  if (s.group_by) line(depth, "GROUP BY " + group_by(*s.group_by) + "\n");
  if (s.having) line(depth, "HAVING " + text_of(*s.having) + "\n");
  if (!s.windows.empty()) throw Unknown();
}

std::string Layout::group_by(const GroupBy& g) {
  std::string out = g.quantifier == GroupBy::Quantifier::kDistinct ? "DISTINCT " : "";
  for (const auto& element : g.elements) {
    if (element.kind != GroupingElement::Kind::kSimple || element.sets.size() != 1) throw Unknown();
    if (&element != &g.elements.front()) out += ", ";
    const auto& keys = element.sets.front();
    out += keys.size() == 1 ? text_of(*keys.front()) : "(" + texts_of(keys) + ")";
  }
  return out;
}

std::string Layout::sort(const std::vector<SortItem>& items) {
  std::string out;
  for (const auto& item : items) {
    out += (out.empty() ? "" : ", ") + text_of(*item.key) + (item.descending ? " DESC" : " ASC");
    if (item.nulls == SortItem::Nulls::kFirst) out += " NULLS FIRST";
    if (item.nulls == SortItem::Nulls::kLast) out += " NULLS LAST";
  }
  return out;
}

void Layout::relation(const Relation& r, int depth) {
  switch (r.kind) {
    case RelationKind::kTable: {
      const auto& table = as<TableRef>(r);
      if (!table.version_kind.empty()) throw Unknown();
      for (const auto& part : table.name)
        out_ += (&part == &table.name.front() ? "" : ".") + written(part);
      return;
    }
    case RelationKind::kAliased:
      return aliased(as<AliasedRelation>(r), depth);
    case RelationKind::kJoin:
      return join(as<Join>(r), depth);
    case RelationKind::kSubquery:
      return subquery(*as<SubqueryRelation>(r).query, depth);
    case RelationKind::kLateral:
      out_ += "LATERAL ";
      return subquery(*as<Lateral>(r).query, depth);
    case RelationKind::kUnnest:
      out_ += "UNNEST(" + texts_of(as<Unnest>(r).items) + ")";
      if (as<Unnest>(r).with_ordinality) out_ += " WITH ORDINALITY";
      return;
    default:
      throw Unknown();
  }
}

void Layout::aliased(const AliasedRelation& a, int depth) {
  relation(*a.relation, depth);
  out_ += ' ' + written(a.alias);
  if (!a.columns.empty()) out_ += " (" + listed(a.columns) + ")";
}

void Layout::join(const Join& j, int depth) {
  static constexpr std::string_view kWords[] = {"INNER JOIN ", "LEFT JOIN ",  "RIGHT JOIN ",
                                                "FULL JOIN ",  "CROSS JOIN ", ", "};
  const bool comma = j.type == JoinType::kImplicit;
  if (!comma) out_ += '(';
  relation(*j.left, depth);
  out_ += '\n';
  line(depth, j.natural ? "NATURAL " : "");
  out_ += kWords[static_cast<size_t>(j.type)];
  relation(*j.right, depth);
  if (!j.using_columns.empty()) out_ += " USING (" + listed(j.using_columns) + ")";
  if (j.on) out_ += " ON " + text_of(*j.on);
  if (!comma) out_ += ')';
}

std::optional<std::string> laid_out(std::string_view text) {
  try {
    const auto statement = parse(text);
    const auto* query = try_as<const QueryStatement>(statement.get());
    if (!query) return std::nullopt;
    Layout layout;
    layout.query(*query->query, 0);
    std::string out = layout.take();
    out.erase(out.find_last_not_of(" \n") + 1);
    if (print_trino(*parse(out)) != print_trino(*statement)) return std::nullopt;
    return out;
  } catch (const Unknown&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // it does not read, or reads as something else
  }
}

}  // namespace

std::string formatted_query(std::string_view text) {
  return laid_out(text).value_or(std::string(text));
}

}  // namespace meesh::sql
