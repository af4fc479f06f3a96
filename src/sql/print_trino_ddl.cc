#include "sql/lexer.h"
#include "sql/print_trino.h"

namespace meesh::sql {

void TrinoPrinter::properties(const std::vector<Property>& items) {
  list(items, [&](const Property& p) {
    ident(p.name);
    put(" = ");
    if (!p.value) return put("DEFAULT");
    // A column called "default" is not the word.
    bool word = p.value->kind == ExprKind::kIdentifier && !as<Identifier>(*p.value).name.quoted &&
                lower(as<Identifier>(*p.value).name.value) == "default";
    put_if(word, "(");
    expr(*p.value);
    put_if(word, ")");
  });
}

void TrinoPrinter::with_properties(const std::vector<Property>& items) {
  if (items.empty()) return;
  put(" WITH (");
  properties(items);
  put(")");
}

void TrinoPrinter::comment(const std::optional<std::string>& text) {
  if (!text) return;
  put(" COMMENT ");
  string(*text);
}

void TrinoPrinter::column_definition(const ColumnDefinition& c) {
  name(c.name);
  put(" " + print_type(*c.type));
  if (c.default_value) {
    put(" DEFAULT ");
    // NOT would be read as the start of NOT NULL only behind a value, so any expression is safe.
    expr(*c.default_value, kConcat);
  }
  put_if(c.not_null, " NOT NULL");
  comment(c.comment);
  with_properties(c.properties);
}

void TrinoPrinter::alter_table(const AlterTable& a) {
  using Action = AlterTable::Action;
  put("ALTER TABLE ");
  put_if(a.if_exists, "IF EXISTS ");
  name(a.name);
  auto column = [&](std::string_view verb) {
    put(verb);
    put_if(a.column_if_exists, "IF EXISTS ");
    name(a.column_name);
  };
  switch (a.action) {
    case Action::kRename:
      put(" RENAME TO ");
      return name(a.target);
    case Action::kAddColumn:
      put(" ADD COLUMN ");
      put_if(a.column_if_not_exists, "IF NOT EXISTS ");
      column_definition(*a.column);
      if (!a.add_position.empty()) put(" " + upper(a.add_position));
      if (a.add_position != "after") return;
      put(" ");
      return ident(*a.new_name);
    case Action::kDropColumn:
      return column(" DROP COLUMN ");
    case Action::kRenameColumn:
      column(" RENAME COLUMN ");
      put(" TO ");
      return ident(*a.new_name);
    case Action::kSetType:
      column(" ALTER COLUMN ");
      return put(" SET DATA TYPE " + print_type(*a.type));
    case Action::kSetDefault:
      column(" ALTER COLUMN ");
      put(" SET DEFAULT ");
      return expr(*a.value);
    case Action::kDropDefault:
      column(" ALTER COLUMN ");
      return put(" DROP DEFAULT");
    case Action::kDropNotNull:
      column(" ALTER COLUMN ");
      return put(" DROP NOT NULL");
    case Action::kSetProperties:
      put(" SET PROPERTIES ");
      return properties(a.properties);
    case Action::kSetAuthorization:
      return put(" SET AUTHORIZATION " + a.authorization);
    case Action::kExecute:
      put(" EXECUTE ");
      ident(a.procedure);
      if (!a.args.empty()) call_args(a.args);
      if (!a.where) return;
      put(" WHERE ");
      return expr(*a.where);
  }
}

void TrinoPrinter::create_view(const CreateView& s) {
  put(s.or_replace ? "CREATE OR REPLACE " : "CREATE ");
  put(s.materialized ? "MATERIALIZED VIEW " : "VIEW ");
  put_if(s.if_not_exists, "IF NOT EXISTS ");
  name(s.name);
  if (s.grace_period) {
    put(" GRACE PERIOD ");
    expr(*s.grace_period);
  }
  if (!s.when_stale.empty()) put(" WHEN STALE " + upper(s.when_stale));
  comment(s.comment);
  if (!s.security.empty()) put(" SECURITY " + upper(s.security));
  with_properties(s.properties);
  put(" AS ");
  query(*s.query);
}

void TrinoPrinter::create_statement(const Statement& statement) {
  auto authorization = [&](const std::string& text) {
    if (!text.empty()) put(" AUTHORIZATION " + text);
  };
  switch (statement.kind) {
    case StatementKind::kCreateSchema: {
      const auto& s = as<CreateSchema>(statement);
      put(s.if_not_exists ? "CREATE SCHEMA IF NOT EXISTS " : "CREATE SCHEMA ");
      name(s.name);
      authorization(s.authorization);
      return with_properties(s.properties);
    }
    case StatementKind::kCreateTable: {
      const auto& s = as<CreateTable>(statement);
      put(s.or_replace ? "CREATE OR REPLACE TABLE " : "CREATE TABLE ");
      put_if(s.if_not_exists, "IF NOT EXISTS ");
      name(s.name);
      put(" (");
      list(s.elements, [&](const TableElement& element) {
        if (element.column) return column_definition(*element.column);
        put("LIKE ");
        name(element.like);
        put_if(element.including_properties, " INCLUDING PROPERTIES");
        put_if(element.excluding_properties, " EXCLUDING PROPERTIES");
      });
      put(")");
      comment(s.comment);
      return with_properties(s.properties);
    }
    case StatementKind::kCreateTableAs: {
      const auto& s = as<CreateTableAs>(statement);
      put(s.or_replace ? "CREATE OR REPLACE TABLE " : "CREATE TABLE ");
      put_if(s.if_not_exists, "IF NOT EXISTS ");
      name(s.name);
      if (!s.columns.empty()) {
        put(" ");
        idents(s.columns);
      }
      comment(s.comment);
      with_properties(s.properties);
      put(" AS ");
      query(*s.query);
      if (s.with_data_written) put(s.with_data ? " WITH DATA" : " WITH NO DATA");
      return;
    }
    case StatementKind::kCreateView:
      return create_view(as<CreateView>(statement));
    case StatementKind::kCreateCatalog: {
      const auto& s = as<CreateCatalog>(statement);
      put(s.if_not_exists ? "CREATE CATALOG IF NOT EXISTS " : "CREATE CATALOG ");
      ident(s.name);
      put(" USING ");
      ident(s.connector);
      comment(s.comment);
      authorization(s.authorization);
      return with_properties(s.properties);
    }
    case StatementKind::kCreateFunction:
      put(as<CreateFunction>(statement).or_replace ? "CREATE OR REPLACE " : "CREATE ");
      return put(as<CreateFunction>(statement).text);
    case StatementKind::kAlterTable:
      return alter_table(as<AlterTable>(statement));
    case StatementKind::kAlterSchema: {
      const auto& s = as<AlterSchema>(statement);
      put("ALTER SCHEMA ");
      name(s.name);
      if (!s.rename_to) return put(" SET AUTHORIZATION " + s.authorization);
      put(" RENAME TO ");
      return ident(*s.rename_to);
    }
    case StatementKind::kAlterView: {
      const auto& s = as<AlterView>(statement);
      put(s.materialized ? "ALTER MATERIALIZED VIEW " : "ALTER VIEW ");
      put_if(s.if_exists, "IF EXISTS ");
      name(s.name);
      if (s.action == "set authorization") return put(" SET AUTHORIZATION " + s.authorization);
      if (s.action == "rename") {
        put(" RENAME TO ");
        return name(s.target);
      }
      put(" SET PROPERTIES ");
      return properties(s.properties);
    }
    default:
      internal_error("unknown DDL statement in print_trino()");
  }
}

void TrinoPrinter::drop_statement(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kDropSchema: {
      const auto& s = as<DropSchema>(statement);
      put(s.if_exists ? "DROP SCHEMA IF EXISTS " : "DROP SCHEMA ");
      name(s.name);
      put_if(s.cascade, " CASCADE");
      return put_if(s.restrict_, " RESTRICT");
    }
    case StatementKind::kDropTable:
      put(as<DropTable>(statement).if_exists ? "DROP TABLE IF EXISTS " : "DROP TABLE ");
      return name(as<DropTable>(statement).name);
    case StatementKind::kDropView: {
      const auto& s = as<DropView>(statement);
      put(s.materialized ? "DROP MATERIALIZED VIEW " : "DROP VIEW ");
      put_if(s.if_exists, "IF EXISTS ");
      return name(s.name);
    }
    case StatementKind::kDropCatalog: {
      const auto& s = as<DropCatalog>(statement);
      put(s.if_exists ? "DROP CATALOG IF EXISTS " : "DROP CATALOG ");
      ident(s.name);
      put_if(s.cascade, " CASCADE");
      return put_if(s.restrict_, " RESTRICT");
    }
    case StatementKind::kDropFunction: {
      const auto& s = as<DropFunction>(statement);
      put(s.if_exists ? "DROP FUNCTION IF EXISTS " : "DROP FUNCTION ");
      name(s.name);
      put("(");
      list(s.types, [&](const TypeNodePtr& t) { put(print_type(*t)); });
      return put(")");
    }
    case StatementKind::kRefreshMaterializedView:
      put("REFRESH MATERIALIZED VIEW ");
      return name(as<RefreshMaterializedView>(statement).name);
    case StatementKind::kComment: {
      const auto& s = as<CommentOn>(statement);
      put("COMMENT ON " + upper(s.target) + " ");
      name(s.name);
      put(" IS ");
      if (!s.comment) return put("NULL");
      return string(*s.comment);
    }
    default:
      internal_error("unknown DROP statement in print_trino()");
  }
}

void TrinoPrinter::grant(const Grant& g) {
  bool revoke = g.kind == StatementKind::kRevoke;
  put(revoke ? "REVOKE " : g.kind == StatementKind::kDeny ? "DENY " : "GRANT ");
  put_if(revoke && g.grant_option, "GRANT OPTION FOR ");
  list(g.privileges, [&](const std::string& privilege) { put(upper(privilege)); });
  put(" ON ");
  if (!g.entity_kind.empty()) put(upper(g.entity_kind) + " ");
  name(g.entity);
  put(revoke ? " FROM " : " TO ");
  if (!g.principal_kind.empty()) put(upper(g.principal_kind) + " ");
  ident(g.principal);
  put_if(!revoke && g.grant_option, " WITH GRANT OPTION");
}

void TrinoPrinter::role(const RoleStatement& r) {
  bool revoke = r.kind == StatementKind::kRevokeRole;
  switch (r.kind) {
    case StatementKind::kCreateRole:
      put("CREATE ROLE ");
      break;
    case StatementKind::kDropRole:
      put("DROP ROLE ");
      break;
    case StatementKind::kGrantRole:
      put("GRANT ");
      break;
    default:
      put("REVOKE ");
      break;
  }
  put_if(r.if_exists, "IF EXISTS ");
  put_if(revoke && r.admin_option, "ADMIN OPTION FOR ");
  list(r.roles, [&](const Ident& i) { ident(i); });
  if (!r.principals.empty()) {
    put(revoke ? " FROM " : " TO ");
    list(r.principals, [&](const auto& principal) {
      if (!principal.first.empty()) put(upper(principal.first) + " ");
      ident(principal.second);
    });
  }
  put_if(!revoke && r.admin_option, " WITH ADMIN OPTION");
  if (!r.admin.empty())
    put((r.kind == StatementKind::kCreateRole ? " WITH ADMIN " : " GRANTED BY ") + r.admin);
  if (!r.catalog) return;
  put(" IN ");
  ident(*r.catalog);
}

void TrinoPrinter::security_statement(const Statement& s) {
  switch (s.kind) {
    case StatementKind::kGrant:
    case StatementKind::kRevoke:
    case StatementKind::kDeny:
      return grant(as<Grant>(s));
    default:
      return role(as<RoleStatement>(s));
  }
}

}  // namespace meesh::sql
