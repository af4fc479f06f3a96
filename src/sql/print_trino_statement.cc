#include "sql/lexer.h"
#include "sql/print_trino.h"

namespace meesh::sql {

void TrinoPrinter::statement(const Statement& s) {
  switch (s.kind) {
    case StatementKind::kQuery:
      return query(*as<QueryStatement>(s).query);
    case StatementKind::kExplain:
    case StatementKind::kUse:
    case StatementKind::kSetSession:
    case StatementKind::kResetSession:
    case StatementKind::kSetTimeZone:
    case StatementKind::kSetPath:
    case StatementKind::kSetRole:
    case StatementKind::kSetSessionAuthorization:
    case StatementKind::kStartTransaction:
    case StatementKind::kCommit:
    case StatementKind::kRollback:
      return session_statement(s);
    case StatementKind::kShow:
      return show(as<Show>(s));
    case StatementKind::kPrepare:
    case StatementKind::kExecute:
    case StatementKind::kExecuteImmediate:
    case StatementKind::kDeallocate:
    case StatementKind::kDescribeInput:
    case StatementKind::kDescribeOutput:
    case StatementKind::kCall:
      return prepared_statement(s);
    case StatementKind::kInsert:
    case StatementKind::kDelete:
    case StatementKind::kUpdate:
    case StatementKind::kMerge:
    case StatementKind::kTruncate:
    case StatementKind::kAnalyze:
      return dml_statement(s);
    case StatementKind::kCreateSchema:
    case StatementKind::kCreateTable:
    case StatementKind::kCreateTableAs:
    case StatementKind::kCreateView:
    case StatementKind::kCreateCatalog:
    case StatementKind::kCreateFunction:
    case StatementKind::kAlterTable:
    case StatementKind::kAlterSchema:
    case StatementKind::kAlterView:
      return create_statement(s);
    case StatementKind::kDropSchema:
    case StatementKind::kDropTable:
    case StatementKind::kDropView:
    case StatementKind::kDropCatalog:
    case StatementKind::kDropFunction:
    case StatementKind::kRefreshMaterializedView:
    case StatementKind::kComment:
      return drop_statement(s);
    case StatementKind::kGrant:
    case StatementKind::kRevoke:
    case StatementKind::kDeny:
    case StatementKind::kCreateRole:
    case StatementKind::kDropRole:
    case StatementKind::kGrantRole:
    case StatementKind::kRevokeRole:
      return security_statement(s);
  }
}

void TrinoPrinter::session_statement(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kExplain: {
      const auto& s = as<Explain>(statement);
      put("EXPLAIN ");
      put_if(s.analyze, "ANALYZE ");
      put_if(s.verbose, "VERBOSE ");
      if (!s.type.empty() || !s.format.empty()) {
        put("(");
        if (!s.type.empty()) put("TYPE " + upper(s.type));
        put_if(!s.type.empty() && !s.format.empty(), ", ");
        if (!s.format.empty()) put("FORMAT " + upper(s.format));
        put(") ");
      }
      return this->statement(*s.statement);
    }
    case StatementKind::kUse:
      put("USE ");
      if (as<Use>(statement).catalog) {
        ident(*as<Use>(statement).catalog);
        put(".");
      }
      return ident(as<Use>(statement).schema);
    case StatementKind::kSetSession:
      put("SET SESSION ");
      name(as<SetSession>(statement).name);
      put(" = ");
      return expr(*as<SetSession>(statement).value);
    case StatementKind::kResetSession:
      put("RESET SESSION ");
      return name(as<ResetSession>(statement).name);
    case StatementKind::kSetTimeZone:
      put("SET TIME ZONE ");
      if (!as<SetTimeZone>(statement).value) return put("LOCAL");
      return expr(*as<SetTimeZone>(statement).value);
    case StatementKind::kSetPath:
      put("SET PATH ");
      return list(as<SetPath>(statement).elements, [&](const Name& n) { name(n); });
    case StatementKind::kSetRole: {
      const auto& s = as<SetRole>(statement);
      put("SET ROLE ");
      if (s.role)
        ident(*s.role);
      else
        put(upper(s.kind_word));
      if (!s.catalog) return;
      put(" IN ");
      return ident(*s.catalog);
    }
    case StatementKind::kSetSessionAuthorization:
      if (!as<SetSessionAuthorization>(statement).user) return put("RESET SESSION AUTHORIZATION");
      put("SET SESSION AUTHORIZATION ");
      return string(*as<SetSessionAuthorization>(statement).user);
    case StatementKind::kStartTransaction: {
      const auto& s = as<StartTransaction>(statement);
      put("START TRANSACTION");
      if (!s.isolation.empty()) put(" ISOLATION LEVEL " + upper(s.isolation));
      if (!s.read_only) return;
      put_if(!s.isolation.empty(), ",");
      return put(*s.read_only ? " READ ONLY" : " READ WRITE");
    }
    case StatementKind::kCommit:
      return put("COMMIT");
    case StatementKind::kRollback:
      return put("ROLLBACK");
    default:
      internal_error("unknown session statement in print_trino()");
  }
}

void TrinoPrinter::show(const Show& s) {
  if (s.what.starts_with("create ") || s.what == "stats" || s.what == "stats for") {
    put(s.what.starts_with("create") ? "SHOW " + upper(s.what) + " " : "SHOW STATS FOR ");
    if (!s.query) return name(s.name);
    put("(");
    query(*s.query);
    return put(")");
  }
  put("SHOW " + upper(s.what));
  if (!s.name.empty()) {
    put(s.what == "grants" ? " ON " : " FROM ");
    if (!s.entity_kind.empty()) put(upper(s.entity_kind) + " ");
    name(s.name);
  }
  if (s.like) {
    put(" LIKE ");
    string(*s.like);
  }
  if (s.escape) {
    put(" ESCAPE ");
    string(*s.escape);
  }
}

void TrinoPrinter::call_args(const std::vector<std::pair<std::optional<Ident>, ExprPtr>>& args) {
  put("(");
  list(args, [&](const auto& arg) {
    if (arg.first) {
      ident(*arg.first);
      put(" => ");
    }
    expr(*arg.second);
  });
  put(")");
}

void TrinoPrinter::prepared_statement(const Statement& statement) {
  auto using_args = [&](const std::vector<ExprPtr>& args) {
    if (args.empty()) return;
    put(" USING ");
    exprs(args);
  };
  switch (statement.kind) {
    case StatementKind::kPrepare:
      put("PREPARE ");
      ident(as<Prepare>(statement).name);
      put(" FROM ");
      return this->statement(*as<Prepare>(statement).statement);
    case StatementKind::kExecute:
      put("EXECUTE ");
      ident(as<Execute>(statement).name);
      return using_args(as<Execute>(statement).args);
    case StatementKind::kExecuteImmediate:
      put("EXECUTE IMMEDIATE ");
      string(as<ExecuteImmediate>(statement).text);
      return using_args(as<ExecuteImmediate>(statement).args);
    case StatementKind::kDeallocate:
      put("DEALLOCATE PREPARE ");
      return ident(as<Deallocate>(statement).name);
    case StatementKind::kDescribeInput:
      put("DESCRIBE INPUT ");
      return ident(as<DescribeInput>(statement).name);
    case StatementKind::kDescribeOutput:
      put("DESCRIBE OUTPUT ");
      return ident(as<DescribeOutput>(statement).name);
    case StatementKind::kCall:
      put("CALL ");
      name(as<Call>(statement).name);
      return call_args(as<Call>(statement).args);
    default:
      internal_error("unknown prepared statement in print_trino()");
  }
}

void TrinoPrinter::assignments(const std::vector<std::pair<Ident, ExprPtr>>& items) {
  list(items, [&](const auto& item) {
    ident(item.first);
    put(" = ");
    expr(*item.second);
  });
}

void TrinoPrinter::merge(const Merge& m) {
  put("MERGE INTO ");
  table(*m.table, true);
  if (m.alias) {
    put(" AS ");
    ident(*m.alias);
  } else if (!m.table->alias.empty()) {
    put(" AS " + quote_identifier(m.table->alias));
  }
  put(" USING ");
  relation(*m.source);
  put(" ON ");
  expr(*m.on);
  for (const MergeCase& c : m.cases) {
    put(c.matched ? " WHEN MATCHED" : " WHEN NOT MATCHED");
    if (c.condition) {
      put(" AND ");
      expr(*c.condition);
    }
    switch (c.action) {
      case MergeCase::Action::kDelete:
        put(" THEN DELETE");
        break;
      case MergeCase::Action::kUpdate:
        put(" THEN UPDATE SET ");
        assignments(c.assignments);
        break;
      case MergeCase::Action::kInsert:
        put(" THEN INSERT ");
        if (!c.insert_columns.empty()) {
          idents(c.insert_columns);
          put(" ");
        }
        put("VALUES (");
        exprs(c.insert_values);
        put(")");
        break;
    }
  }
}

void TrinoPrinter::dml_statement(const Statement& statement) {
  auto where = [&](const ExprPtr& condition) {
    if (!condition) return;
    put(" WHERE ");
    expr(*condition);
  };
  switch (statement.kind) {
    case StatementKind::kInsert: {
      const auto& s = as<Insert>(statement);
      put("INSERT INTO ");
      table(*s.table, true);
      put(" ");
      if (!s.columns.empty()) {
        idents(s.columns);
        put(" ");
      }
      return query(*s.query);
    }
    case StatementKind::kDelete:
      put("DELETE FROM ");
      table(*as<Delete>(statement).table, true);
      return where(as<Delete>(statement).where);
    case StatementKind::kUpdate:
      put("UPDATE ");
      table(*as<Update>(statement).table, true);
      put(" SET ");
      assignments(as<Update>(statement).assignments);
      return where(as<Update>(statement).where);
    case StatementKind::kMerge:
      return merge(as<Merge>(statement));
    case StatementKind::kTruncate:
      put("TRUNCATE TABLE ");
      return name(as<Truncate>(statement).table);
    case StatementKind::kAnalyze:
      put("ANALYZE ");
      name(as<Analyze>(statement).table);
      return with_properties(as<Analyze>(statement).properties);
    default:
      internal_error("unknown DML statement in print_trino()");
  }
}

}  // namespace meesh::sql
