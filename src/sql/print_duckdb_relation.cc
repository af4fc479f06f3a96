// DuckDB SQL: FROM.
#include <fmt/format.h>

#include "sql/print_duckdb_writer.h"
#include "sql/resolve_text.h"
#include "sql/row_pattern.h"
#include "sql/scope.h"

namespace meesh::sql {

void DuckdbPrinter::relation(const Relation& relation) {
  mark(relation.pos);
  switch (relation.kind) {
    case RelationKind::kTable:
      return table(as<TableRef>(relation));
    case RelationKind::kAliased:
      return aliased(as<AliasedRelation>(relation));
    case RelationKind::kJoin:
      return join(as<Join>(relation));
    case RelationKind::kSampled:
      return sampled(as<Sampled>(relation));
    case RelationKind::kSubquery:
      put("(");
      query(*as<SubqueryRelation>(relation).query);
      put(")");
      return;
    case RelationKind::kLateral:
      put("LATERAL (");
      query(*as<Lateral>(relation).query);
      put(")");
      return;
    case RelationKind::kUnnest:
      return unnest(as<Unnest>(relation));
    case RelationKind::kTableFunction:
      put("meesh_sequence(");
      for (const auto& arg : as<TableFunction>(relation).args) {
        if (&arg != &as<TableFunction>(relation).args.front()) put(", ");
        expr(*arg.value);
      }
      return put(")");
    case RelationKind::kMatchRecognize:
      return match_recognize(as<MatchRecognize>(relation));
    case RelationKind::kJsonTable:
      fail(Code::kNotSupported, relation.pos, "JSON_TABLE is not supported");
  }
}

/// The rows of each partition become one list, which trino_match_rows turns into the rows of its
/// matches.
void DuckdbPrinter::match_recognize(const MatchRecognize& match) {
  using From = RowPattern::Output::From;
  const auto& pattern = *match.pattern;
  put("(SELECT ");
  bool first = true;
  for (const auto& output : pattern.outputs) {
    if (!first) put(", ");
    first = false;
    if (output.from == From::kPartition)
      put(fmt::format("\"$p{}\"", output.number));
    else
      put(fmt::format("struct_extract(\"$r\", '{}{}')", output.from == From::kInput ? 'i' : 'm',
                      output.number));
  }
  put(" FROM (SELECT * EXCLUDE \"$rows\", unnest(\"$rows\") AS \"$r\" FROM (SELECT ");
  for (size_t i = 0; i < pattern.partition_by.size(); ++i) {
    expr(*pattern.partition_by[i]);
    put(fmt::format(" AS \"$p{}\", ", i));
  }
  put(fmt::format("trino_match_rows({}, list({{'any': true", pattern.program->id));
  for (size_t i = 0; i < pattern.inputs.size(); ++i) {
    put(fmt::format(", 'i{}': ", i));
    expr(*pattern.inputs[i]);
  }
  put("}");
  if (!pattern.order_by.empty()) put(" ORDER BY ");
  order_by(pattern.order_by);
  put(")) AS \"$rows\" FROM ");
  relation(*match.input);
  for (size_t i = 0; i < pattern.partition_by.size(); ++i)
    put((i ? ", " : " GROUP BY ") + std::to_string(i + 1));
  put(")))");
}

void DuckdbPrinter::table(const TableRef& table) {
  if (table.is_cte)
    ident(table.name.front().value);
  else if (table.resolved)
    put(table.resolved->duckdb_source);
  else
    internal_error("a table was not resolved");
  put(" AS ");
  ident(table.alias);
}

void DuckdbPrinter::aliased(const AliasedRelation& aliased) {
  relation(*aliased.relation);
  put(" AS ");
  ident(aliased.alias.value);
  if (!aliased.columns.empty()) columns(aliased.columns);
}

static const char* outer_function_of(ComparisonOp op) {
  switch (op) {
    case ComparisonOp::kEq:
      return "trino_on_eq";
    case ComparisonOp::kLt:
      return "trino_on_lt";
    case ComparisonOp::kLe:
      return "trino_on_le";
    case ComparisonOp::kGt:
      return "trino_on_gt";
    case ComparisonOp::kGe:
      return "trino_on_ge";
    case ComparisonOp::kNe:
      break;
  }
  return "trino_ne";
}

void DuckdbPrinter::join(const Join& join) {
  relation(*join.left);
  switch (join.type) {
    case JoinType::kInner:
      put(" JOIN ");
      break;
    case JoinType::kLeft:
      put(" LEFT JOIN ");
      break;
    case JoinType::kRight:
      put(" RIGHT JOIN ");
      break;
    case JoinType::kFull:
      put(" FULL JOIN ");
      break;
    case JoinType::kCross:
    case JoinType::kImplicit:
      put(" CROSS JOIN ");
      break;
  }
  const bool nested = join.right->kind == RelationKind::kJoin;
  if (nested) put("(");
  relation(*join.right);
  if (nested) put(")");
  if (join.type == JoinType::kCross || join.type == JoinType::kImplicit) return;
  put(" ON ");
  if (!join.on)
    put("TRUE");
  else if (join.type == JoinType::kInner)
    expr(*join.on);
  else
    outer_condition(*join.on);
}

void DuckdbPrinter::outer_condition(const Expr& condition) {
  if (const auto* all = try_as<const Logical>(&condition); all && all->is_and) {
    put("(");
    for (size_t i = 0; i < all->terms.size(); ++i) {
      if (i) put(" AND ");
      outer_condition(*all->terms[i]);
    }
    return put(")");
  }
  const auto* comparison = try_as<const Comparison>(&condition);
  const auto* between = try_as<const Between>(&condition);
  mark(condition.pos);
  if (between && !between->negated && between->value->kind == ExprKind::kColumnRef) {
    put("(");
    binary("trino_on_ge", *between->value, *between->low);
    put(" AND ");
    binary("trino_on_le", *between->value, *between->high);
    return put(")");
  }
  if (!comparison) return expr(condition);
  binary(outer_function_of(comparison->op), *comparison->left, *comparison->right);
}

void DuckdbPrinter::sampled(const Sampled& sampled) {
  const Expr& value = *sampled.percentage;
  const bool number = value.kind == ExprKind::kInteger || value.kind == ExprKind::kDecimal ||
                      value.kind == ExprKind::kDouble;
  if (!number)
    fail(Code::kNotSupported, value.pos,
         "TABLESAMPLE takes a number between 0 and 100, not " + shown(value));
  relation(*sampled.relation);
  put(sampled.bernoulli ? " TABLESAMPLE bernoulli(" : " TABLESAMPLE system(");
  if (value.kind == ExprKind::kInteger)
    put(std::to_string(as<IntegerLiteral>(value).value));
  else if (value.kind == ExprKind::kDecimal)
    put(as<DecimalLiteral>(value).text);
  else
    put(as<DoubleLiteral>(value).text);
  put("%)");
}

// One array unfolds natively. Otherwise the items are computed once ($items), unfolded side by side
// ($rows: DuckDB pads the shorter ones with NULL, as Trino does), and rows are taken apart.
void DuckdbPrinter::unnest(const Unnest& unnest) {
  using Kind = Unnest::Shape::Kind;
  const auto& items = unnest.items;
  if (items.size() == 1 && unnest.shapes[0].kind == Kind::kElements) {
    put("unnest(");
    expr(*items[0]);
    put(unnest.with_ordinality ? ") WITH ORDINALITY" : ")");
    return;
  }
  std::string outer, inner, lengths;
  const auto add = [](std::string& to, const std::string& text) {
    to += (to.empty() ? "" : ", ") + text;
  };
  for (size_t i = 0; i < items.size(); ++i) {
    switch (unnest.shapes[i].kind) {
      case Kind::kElements:
        add(inner, fmt::format("unnest(\"$i{0}\") AS \"$e{0}\"", i));
        add(outer, fmt::format("\"$e{}\"", i));
        break;
      case Kind::kEntries:
        add(inner, fmt::format("unnest(map_keys(\"$i{0}\")) AS \"$e{0}\", "
                               "unnest(map_values(\"$i{0}\")) AS \"$v{0}\"",
                               i));
        add(outer, fmt::format("\"$e{0}\", \"$v{0}\"", i));
        break;
      case Kind::kFields:
        add(inner, fmt::format("unnest(\"$i{0}\") AS \"$e{0}\"", i));
        for (size_t f = 0; f < unnest.shapes[i].width; ++f)
          add(outer, fmt::format("struct_extract_at(\"$e{}\", {})", i, f + 1));
        break;
    }
    const char* length = unnest.shapes[i].kind == Kind::kEntries ? "cardinality" : "len";
    add(lengths, fmt::format("coalesce({}(\"$i{}\")::BIGINT, 0)", length, i));
  }
  if (unnest.with_ordinality) {
    add(inner, fmt::format("unnest(range(1, 1 + greatest({}))) AS \"$ordinal\"", lengths));
    add(outer, "\"$ordinal\"");
  }
  put(fmt::format("LATERAL (SELECT {} FROM (SELECT {} FROM (SELECT ", outer, inner));
  for (size_t i = 0; i < items.size(); ++i) {
    if (i) put(", ");
    expr(*items[i]);
    put(fmt::format(" AS \"$i{}\"", i));
  }
  put(") AS \"$items\") AS \"$rows\")");
}

}  // namespace meesh::sql
