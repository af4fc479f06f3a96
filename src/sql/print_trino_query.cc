#include "sql/lexer.h"
#include "sql/print_trino.h"

namespace meesh::sql {
namespace {

/// "", " ALL", " DISTINCT".
std::string_view quantifier_text(SetQuantifier q) {
  return q == SetQuantifier::kAll ? " ALL" : q == SetQuantifier::kDistinct ? " DISTINCT" : "";
}

}  // namespace

void TrinoPrinter::query(const Query& q) {
  if (!q.inline_functions.empty()) put("WITH " + q.inline_functions + " ");
  if (!q.with.empty()) {
    put(q.recursive ? "WITH RECURSIVE " : "WITH ");
    list(q.with, [&](const NamedQuery& named) {
      ident(named.name);
      put(" ");
      if (!named.columns.empty()) {
        idents(named.columns);
        put(" ");
      }
      put("AS (");
      query(*named.query);
      put(")");
    });
    put(" ");
  }
  body(*q.body);
  if (!q.order_by.empty()) {
    put(" ORDER BY ");
    sort(q.order_by);
  }
  if (q.offset) {
    put(" OFFSET ");
    expr(*q.offset);
    put(" ROWS");
  }
  if (q.limit_all) {
    put(" LIMIT ALL");
  } else if (q.fetch_first) {
    put(" FETCH FIRST ");
    if (q.limit) {
      expr(*q.limit);
      put(" ");
    }
    put(q.with_ties ? "ROWS WITH TIES" : "ROWS ONLY");
  } else if (q.limit) {
    put(" LIMIT ");
    expr(*q.limit);
  }
}

void TrinoPrinter::body(const QueryBody& b) {
  switch (b.kind) {
    case QueryBodyKind::kSelect:
      return select(as<Select>(b));
    case QueryBodyKind::kSetOperation:
      return set_operation(as<SetOperation>(b));
    case QueryBodyKind::kValues:
      put("VALUES ");
      return exprs(as<Values>(b).rows);
    case QueryBodyKind::kTable:
      put("TABLE ");
      return table(*as<TableBody>(b).table, true);
    case QueryBodyKind::kQuery:
      put("(");
      query(*as<QueryInParens>(b).query);
      return put(")");
  }
}

/// INTERSECT binds tighter than UNION and EXCEPT; all group from the left.
void TrinoPrinter::set_operation(const SetOperation& s) {
  static constexpr std::string_view kTexts[] = {" UNION", " INTERSECT", " EXCEPT"};
  auto side = [&](const QueryBody& b, bool right) {
    bool parens = false;
    if (b.kind == QueryBodyKind::kSetOperation) {
      const auto& inner = as<SetOperation>(b);
      bool tighter = inner.op == SetOperator::kIntersect && s.op != SetOperator::kIntersect;
      bool looser = inner.op != SetOperator::kIntersect && s.op == SetOperator::kIntersect;
      bool chained =
          inner.balanced && s.balanced && inner.op == s.op && inner.quantifier == s.quantifier;
      // A balanced tree that is only the start of another chain would melt into it.
      bool apart = inner.balanced && !s.balanced && inner.op == s.op &&
                   inner.quantifier == s.quantifier && !s.corresponding;
      parens = !chained && (looser || (right && !tighter) || (!right && apart));
    }
    put_if(parens, "(");
    body(b);
    put_if(parens, ")");
  };
  side(*s.left, false);
  put(kTexts[static_cast<size_t>(s.op)]);
  put(quantifier_text(s.quantifier));
  put_if(s.corresponding, " CORRESPONDING");
  put(" ");
  side(*s.right, true);
}

void TrinoPrinter::select(const Select& s) {
  put("SELECT");
  put(quantifier_text(s.quantifier));
  put(" ");
  list(s.items, [&](const SelectItem& item) {
    expr(*item.value);
    if (!item.alias) return;
    put(" AS ");
    ident(*item.alias);
  });
  if (s.from) {
    put(" FROM ");
    relation(*s.from);
  }
  if (s.where) {
    put(" WHERE ");
    expr(*s.where);
  }
  if (s.group_by) {
    put(" GROUP BY ");
    group_by(*s.group_by);
  }
  if (s.having) {
    put(" HAVING ");
    expr(*s.having);
  }
  if (s.windows.empty()) return;
  put(" WINDOW ");
  list(s.windows, [&](const NamedWindow& w) {
    ident(w.name);
    put(" AS (");
    window(w.spec);
    put(")");
  });
}

void TrinoPrinter::group_by(const GroupBy& g) {
  put_if(g.quantifier == GroupBy::Quantifier::kAll, "ALL ");
  put_if(g.quantifier == GroupBy::Quantifier::kDistinct, "DISTINCT ");
  list(g.elements, [&](const GroupingElement& element) {
    if (element.kind == GroupingElement::Kind::kAuto) return put("AUTO");
    if (element.kind == GroupingElement::Kind::kSimple) return grouping_set(element.sets[0], true);
    put(element.kind == GroupingElement::Kind::kCube     ? "CUBE ("
        : element.kind == GroupingElement::Kind::kRollup ? "ROLLUP ("
                                                         : "GROUPING SETS (");
    list(element.sets, [&](const auto& set) { grouping_set(set, false); });
    put(")");
  });
}

void TrinoPrinter::grouping_set(const std::vector<ExprPtr>& set, bool alone) {
  // A lone column called "auto" must not become GROUP BY AUTO.
  bool named_auto = alone && set.size() == 1 && set[0]->kind == ExprKind::kIdentifier &&
                    !as<Identifier>(*set[0]).name.quoted &&
                    lower(as<Identifier>(*set[0]).name.value) == "auto";
  if (set.size() == 1 && !named_auto) return expr(*set[0]);
  put("(");
  exprs(set);
  put(")");
}

// ---------------------------------------------------------------- relations

void TrinoPrinter::table(const TableRef& t, bool aliased) {
  if (t.resolved && !t.is_cte) {
    const TableName& n = t.resolved->name;
    put(quote_identifier(n.catalog) + "." + quote_identifier(n.schema) + "." +
        quote_identifier(n.table));
  } else {
    name(t.name);
  }
  if (!t.version_kind.empty()) {
    put(" FOR " + upper(t.version_kind) + " AS OF ");
    expr(*t.version, kConcat);
  }
  if (!aliased && !t.alias.empty()) put(" AS " + quote_identifier(t.alias));
}

/// What an alias or MATCH_RECOGNIZE may follow: no join, sample or second alias without
/// parentheses.
void TrinoPrinter::primary_relation(const Relation& r) {
  bool parens = r.kind == RelationKind::kJoin || r.kind == RelationKind::kSampled ||
                r.kind == RelationKind::kAliased;
  if (r.kind == RelationKind::kTable) return table(as<TableRef>(r), true);
  put_if(parens, "(");
  relation(r);
  put_if(parens, ")");
}

void TrinoPrinter::join(const Join& j) {
  relation(*j.left);
  if (j.type == JoinType::kImplicit) {
    put(", ");
    bool nested =
        j.right->kind == RelationKind::kJoin && as<Join>(*j.right).type == JoinType::kImplicit;
    put_if(nested, "(");
    relation(*j.right);
    return put_if(nested, ")");
  }
  put_if(j.natural, " NATURAL");
  switch (j.type) {
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
    default:
      put(" CROSS JOIN ");
      break;
  }
  // Before a condition a join takes every join it can, so parentheses would only add depth.
  bool closed = j.on || !j.using_columns.empty();
  const auto* right = try_as<const Join>(j.right.get());
  bool parens = right && (!closed || right->type == JoinType::kImplicit);
  put_if(parens, "(");
  relation(*j.right);
  put_if(parens, ")");
  if (j.on) {
    put(" ON ");
    expr(*j.on);
  } else if (!j.using_columns.empty()) {
    put(" USING ");
    idents(j.using_columns);
  }
}

void TrinoPrinter::table_function(const TableFunction& f) {
  put("TABLE(");
  name(f.name);
  put("(");
  list(f.args, [&](const TableFunction::Arg& arg) {
    if (arg.name) {
      ident(*arg.name);
      put(" => ");
    }
    if (arg.value) return expr(*arg.value);
    if (arg.descriptor) {
      if (arg.descriptor->empty()) return put("CAST(NULL AS DESCRIPTOR)");
      put("DESCRIPTOR(");
      for (size_t i = 0; i < arg.descriptor->size(); ++i) {
        put_if(i > 0, ", ");
        ident((*arg.descriptor)[i]);
        if (arg.descriptor_types[i]) put(" " + print_type(*arg.descriptor_types[i]));
      }
      return put(")");
    }
    const Relation* inner = arg.table.get();
    const auto* alias = try_as<const AliasedRelation>(inner);
    if (alias) inner = alias->relation.get();
    put("TABLE(");
    if (inner->kind == RelationKind::kSubquery)
      query(*as<SubqueryRelation>(*inner).query);
    else
      table(as<TableRef>(*inner), true);
    put(")");
    if (alias) {
      put(" AS ");
      ident(alias->alias);
      if (!alias->columns.empty()) {
        put(" ");
        idents(alias->columns);
      }
    }
    if (!arg.table_clauses.empty()) put(" " + arg.table_clauses);
  });
  if (!f.copartition.empty()) {
    put_if(!f.args.empty(), " ");
    put(f.copartition);
  }
  put("))");
}

void TrinoPrinter::relation(const Relation& r) {
  switch (r.kind) {
    case RelationKind::kTable:
      return table(as<TableRef>(r), false);
    case RelationKind::kJoin:
      return join(as<Join>(r));
    case RelationKind::kAliased: {
      const auto& a = as<AliasedRelation>(r);
      primary_relation(*a.relation);
      put(" AS ");
      ident(a.alias);
      if (a.columns.empty()) return;
      put(" ");
      return idents(a.columns);
    }
    case RelationKind::kSubquery:
      put("(");
      query(*as<SubqueryRelation>(r).query);
      return put(")");
    case RelationKind::kLateral:
      put("LATERAL (");
      query(*as<Lateral>(r).query);
      return put(")");
    case RelationKind::kUnnest:
      put("UNNEST(");
      exprs(as<Unnest>(r).items);
      put(")");
      return put_if(as<Unnest>(r).with_ordinality, " WITH ORDINALITY");
    case RelationKind::kTableFunction:
      return table_function(as<TableFunction>(r));
    case RelationKind::kSampled: {
      const auto& s = as<Sampled>(r);
      bool parens =
          s.relation->kind == RelationKind::kJoin || s.relation->kind == RelationKind::kSampled;
      put_if(parens, "(");
      relation(*s.relation);
      put_if(parens, ")");
      put(s.bernoulli ? " TABLESAMPLE BERNOULLI (" : " TABLESAMPLE SYSTEM (");
      expr(*s.percentage);
      return put(")");
    }
    case RelationKind::kMatchRecognize: {
      const auto& m = as<MatchRecognize>(r);
      bool parens = m.input->kind == RelationKind::kJoin ||
                    m.input->kind == RelationKind::kSampled ||
                    m.input->kind == RelationKind::kMatchRecognize;
      const auto* alias = try_as<const AliasedRelation>(m.input.get());
      if (alias && alias->relation->kind == RelationKind::kMatchRecognize) parens = true;
      put_if(parens, "(");
      relation(*m.input);
      put_if(parens, ")");
      return put(" " + m.text);
    }
    case RelationKind::kJsonTable:
      return put(as<JsonTable>(r).text);
  }
}

}  // namespace meesh::sql
