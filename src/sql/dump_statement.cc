#include "sql/dump.h"
#include "sql/lexer.h"

namespace meesh::sql {

void Dumper::statement(const Statement& s) {
  switch (s.kind) {
    case StatementKind::kQuery:
      return query(*as<QueryStatement>(s).query);
    case StatementKind::kExplain:
    case StatementKind::kShow:
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

void Dumper::session_statement(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kExplain: {
      const auto& s = as<Explain>(statement);
      Node node(*this, "explain");
      flag(s.analyze, "analyze");
      flag(s.verbose, "verbose");
      optional_text("type", s.type);
      optional_text("format", s.format);
      this->statement(*s.statement);
      return;
    }
    case StatementKind::kShow: {
      const auto& s = as<Show>(statement);
      Node node(*this, "show");
      text(s.what);
      optional_text("on", s.entity_kind);
      name(s.name);
      optional_text("like", s.like);
      optional_text("escape", s.escape);
      if (s.query) query(*s.query);
      return;
    }
    case StatementKind::kUse: {
      Node node(*this, "use");
      ident("catalog", as<Use>(statement).catalog);
      ident(as<Use>(statement).schema);
      return;
    }
    case StatementKind::kSetSession: {
      Node node(*this, "set-session");
      name(as<SetSession>(statement).name);
      expr(*as<SetSession>(statement).value);
      return;
    }
    case StatementKind::kResetSession: {
      Node node(*this, "reset-session");
      name(as<ResetSession>(statement).name);
      return;
    }
    case StatementKind::kSetTimeZone: {
      Node node(*this, "set-time-zone");
      if (as<SetTimeZone>(statement).value)
        expr(*as<SetTimeZone>(statement).value);
      else
        word("local");
      return;
    }
    case StatementKind::kSetPath: {
      Node node(*this, "set-path");
      for (const Name& element : as<SetPath>(statement).elements) name(element);
      return;
    }
    case StatementKind::kSetRole: {
      const auto& s = as<SetRole>(statement);
      Node node(*this, "set-role");
      word(s.kind_word);
      ident("role", s.role);
      ident("catalog", s.catalog);
      return;
    }
    case StatementKind::kSetSessionAuthorization: {
      Node node(*this, "session-authorization");
      optional_text("user", as<SetSessionAuthorization>(statement).user);
      return;
    }
    case StatementKind::kStartTransaction: {
      const auto& s = as<StartTransaction>(statement);
      Node node(*this, "start-transaction");
      optional_text("isolation", s.isolation);
      if (s.read_only) word(*s.read_only ? "read-only" : "read-write");
      return;
    }
    case StatementKind::kCommit: {
      Node node(*this, "commit");
      return;
    }
    case StatementKind::kRollback: {
      Node node(*this, "rollback");
      return;
    }
    default:
      internal_error("unknown session statement in dump()");
  }
}

void Dumper::call_args(const std::vector<std::pair<std::optional<Ident>, ExprPtr>>& args) {
  for (const auto& [arg_name, value] : args) {
    Node arg(*this, "arg");
    ident("name", arg_name);
    expr(*value);
  }
}

void Dumper::prepared_statement(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kPrepare: {
      Node node(*this, "prepare");
      ident(as<Prepare>(statement).name);
      this->statement(*as<Prepare>(statement).statement);
      return;
    }
    case StatementKind::kExecute: {
      Node node(*this, "execute");
      ident(as<Execute>(statement).name);
      exprs("using", as<Execute>(statement).args);
      return;
    }
    case StatementKind::kExecuteImmediate: {
      Node node(*this, "execute-immediate");
      text(as<ExecuteImmediate>(statement).text);
      exprs("using", as<ExecuteImmediate>(statement).args);
      return;
    }
    case StatementKind::kDeallocate: {
      Node node(*this, "deallocate");
      ident(as<Deallocate>(statement).name);
      return;
    }
    case StatementKind::kDescribeInput: {
      Node node(*this, "describe-input");
      ident(as<DescribeInput>(statement).name);
      return;
    }
    case StatementKind::kDescribeOutput: {
      Node node(*this, "describe-output");
      ident(as<DescribeOutput>(statement).name);
      return;
    }
    case StatementKind::kCall: {
      Node node(*this, "call-procedure");
      name(as<Call>(statement).name);
      call_args(as<Call>(statement).args);
      return;
    }
    default:
      internal_error("unknown prepared statement in dump()");
  }
}

void Dumper::assignments(const std::vector<std::pair<Ident, ExprPtr>>& list) {
  for (const auto& [column_name, value] : list) {
    Node set(*this, "set");
    ident(column_name);
    expr(*value);
  }
}

void Dumper::merge(const Merge& m) {
  Node node(*this, "merge");
  table(*m.table);
  ident("as", m.alias);
  relation(*m.source);
  expr("on", m.on);
  for (const MergeCase& c : m.cases) {
    Node branch(*this, c.matched ? "matched" : "not-matched");
    expr("and", c.condition);
    if (c.action == MergeCase::Action::kDelete) word("delete");
    assignments(c.assignments);
    idents("columns", c.insert_columns);
    exprs("values", c.insert_values);
  }
}

void Dumper::dml_statement(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kInsert: {
      const auto& s = as<Insert>(statement);
      Node node(*this, "insert");
      table(*s.table);
      idents("columns", s.columns);
      query(*s.query);
      return;
    }
    case StatementKind::kDelete: {
      Node node(*this, "delete");
      table(*as<Delete>(statement).table);
      expr("where", as<Delete>(statement).where);
      return;
    }
    case StatementKind::kUpdate: {
      Node node(*this, "update");
      table(*as<Update>(statement).table);
      assignments(as<Update>(statement).assignments);
      expr("where", as<Update>(statement).where);
      return;
    }
    case StatementKind::kMerge:
      return merge(as<Merge>(statement));
    case StatementKind::kTruncate: {
      Node node(*this, "truncate");
      name(as<Truncate>(statement).table);
      return;
    }
    case StatementKind::kAnalyze: {
      Node node(*this, "analyze");
      name(as<Analyze>(statement).table);
      properties(as<Analyze>(statement).properties);
      return;
    }
    default:
      internal_error("unknown DML statement in dump()");
  }
}

void Dumper::column_definition(const ColumnDefinition& c) {
  Node node(*this, "column");
  name(c.name);
  type(*c.type);
  expr("default", c.default_value);
  flag(c.not_null, "not-null");
  optional_text("comment", c.comment);
  properties(c.properties);
}

void Dumper::alter_table(const AlterTable& a) {
  static constexpr std::string_view kActions[] = {
      "rename",         "add-column",        "drop-column",  "rename-column",
      "set-type",       "set-default",       "drop-default", "drop-not-null",
      "set-properties", "set-authorization", "execute"};
  Node node(*this, "alter-table");
  word(kActions[static_cast<size_t>(a.action)]);
  flag(a.if_exists, "if-exists");
  flag(a.column_if_exists, "column-if-exists");
  flag(a.column_if_not_exists, "column-if-not-exists");
  name(a.name);
  name(a.target);
  if (a.column) column_definition(*a.column);
  optional_text("position", a.add_position);
  name(a.column_name);
  ident("new-name", a.new_name);
  if (a.type) type(*a.type);
  expr("value", a.value);
  properties(a.properties);
  optional_text("authorization", a.authorization);
  if (a.action == AlterTable::Action::kExecute) ident(a.procedure);
  call_args(a.args);
  expr("where", a.where);
}

void Dumper::create_statement(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kCreateSchema: {
      const auto& s = as<CreateSchema>(statement);
      Node node(*this, "create-schema");
      flag(s.if_not_exists, "if-not-exists");
      name(s.name);
      optional_text("authorization", s.authorization);
      properties(s.properties);
      return;
    }
    case StatementKind::kCreateTable: {
      const auto& s = as<CreateTable>(statement);
      Node node(*this, "create-table");
      flag(s.if_not_exists, "if-not-exists");
      flag(s.or_replace, "or-replace");
      name(s.name);
      for (const TableElement& element : s.elements) {
        if (element.column) {
          column_definition(*element.column);
          continue;
        }
        Node like(*this, "like");
        name(element.like);
        flag(element.including_properties, "including-properties");
        flag(element.excluding_properties, "excluding-properties");
      }
      optional_text("comment", s.comment);
      properties(s.properties);
      return;
    }
    case StatementKind::kCreateTableAs: {
      const auto& s = as<CreateTableAs>(statement);
      Node node(*this, "create-table-as");
      flag(s.if_not_exists, "if-not-exists");
      flag(s.or_replace, "or-replace");
      name(s.name);
      idents("columns", s.columns);
      optional_text("comment", s.comment);
      properties(s.properties);
      query(*s.query);
      if (s.with_data_written) word(s.with_data ? "with-data" : "with-no-data");
      return;
    }
    case StatementKind::kCreateView: {
      const auto& s = as<CreateView>(statement);
      Node node(*this, s.materialized ? "create-materialized-view" : "create-view");
      flag(s.or_replace, "or-replace");
      flag(s.if_not_exists, "if-not-exists");
      name(s.name);
      optional_text("security", s.security);
      optional_text("comment", s.comment);
      expr("grace-period", s.grace_period);
      optional_text("when-stale", s.when_stale);
      properties(s.properties);
      query(*s.query);
      return;
    }
    case StatementKind::kCreateCatalog: {
      const auto& s = as<CreateCatalog>(statement);
      Node node(*this, "create-catalog");
      flag(s.if_not_exists, "if-not-exists");
      ident(s.name);
      ident(s.connector);
      optional_text("comment", s.comment);
      optional_text("authorization", s.authorization);
      properties(s.properties);
      return;
    }
    case StatementKind::kCreateFunction: {
      Node node(*this, "create-function");
      flag(as<CreateFunction>(statement).or_replace, "or-replace");
      text(as<CreateFunction>(statement).text);
      return;
    }
    case StatementKind::kAlterTable:
      return alter_table(as<AlterTable>(statement));
    case StatementKind::kAlterSchema: {
      const auto& s = as<AlterSchema>(statement);
      Node node(*this, "alter-schema");
      name(s.name);
      ident("rename-to", s.rename_to);
      optional_text("authorization", s.authorization);
      return;
    }
    case StatementKind::kAlterView: {
      const auto& s = as<AlterView>(statement);
      Node node(*this, s.materialized ? "alter-materialized-view" : "alter-view");
      text(s.action);
      flag(s.if_exists, "if-exists");
      name(s.name);
      name(s.target);
      properties(s.properties);
      optional_text("authorization", s.authorization);
      return;
    }
    default:
      internal_error("unknown DDL statement in dump()");
  }
}

void Dumper::drop_statement(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kDropSchema: {
      const auto& s = as<DropSchema>(statement);
      Node node(*this, "drop-schema");
      flag(s.if_exists, "if-exists");
      name(s.name);
      flag(s.cascade, "cascade");
      flag(s.restrict_, "restrict");
      return;
    }
    case StatementKind::kDropTable: {
      Node node(*this, "drop-table");
      flag(as<DropTable>(statement).if_exists, "if-exists");
      name(as<DropTable>(statement).name);
      return;
    }
    case StatementKind::kDropView: {
      const auto& s = as<DropView>(statement);
      Node node(*this, s.materialized ? "drop-materialized-view" : "drop-view");
      flag(s.if_exists, "if-exists");
      name(s.name);
      return;
    }
    case StatementKind::kDropCatalog: {
      const auto& s = as<DropCatalog>(statement);
      Node node(*this, "drop-catalog");
      flag(s.if_exists, "if-exists");
      ident(s.name);
      flag(s.cascade, "cascade");
      flag(s.restrict_, "restrict");
      return;
    }
    case StatementKind::kDropFunction: {
      const auto& s = as<DropFunction>(statement);
      Node node(*this, "drop-function");
      flag(s.if_exists, "if-exists");
      name(s.name);
      for (const TypeNodePtr& t : s.types) type(*t);
      return;
    }
    case StatementKind::kRefreshMaterializedView: {
      Node node(*this, "refresh-materialized-view");
      name(as<RefreshMaterializedView>(statement).name);
      return;
    }
    case StatementKind::kComment: {
      const auto& s = as<CommentOn>(statement);
      Node node(*this, "comment-on");
      word(s.target);
      name(s.name);
      optional_text("is", s.comment);
      return;
    }
    default:
      internal_error("unknown DROP statement in dump()");
  }
}

void Dumper::security_statement(const Statement& statement) {
  auto grant = [&](std::string_view kind) {
    const auto& s = as<Grant>(statement);
    Node node(*this, kind);
    for (const std::string& privilege : s.privileges) text(privilege);
    flag(s.grant_option, "grant-option");
    optional_text("on", s.entity_kind);
    name(s.entity);
    optional_text("kind", s.principal_kind);
    ident(s.principal);
  };
  auto role = [&](std::string_view kind) {
    const auto& s = as<RoleStatement>(statement);
    Node node(*this, kind);
    idents("roles", s.roles);
    for (const auto& [principal_kind, principal] : s.principals) {
      Node p(*this, "principal");
      flag(!principal_kind.empty(), principal_kind);
      ident(principal);
    }
    flag(s.admin_option, "admin-option");
    flag(s.if_exists, "if-exists");
    optional_text("admin", s.admin);
    ident("catalog", s.catalog);
  };
  switch (statement.kind) {
    case StatementKind::kGrant:
      return grant("grant");
    case StatementKind::kRevoke:
      return grant("revoke");
    case StatementKind::kDeny:
      return grant("deny");
    case StatementKind::kCreateRole:
      return role("create-role");
    case StatementKind::kDropRole:
      return role("drop-role");
    case StatementKind::kGrantRole:
      return role("grant-role");
    case StatementKind::kRevokeRole:
      return role("revoke-role");
    default:
      internal_error("unknown security statement in dump()");
  }
}

}  // namespace meesh::sql
