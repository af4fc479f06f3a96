// Entry of the resolver: which statement needs what.
#include <fmt/format.h>

#include "sql/resolve_types.h"
#include "sql/resolve_walk.h"
#include "sql/resolver.h"
#include "sql/rewrite.h"

namespace meesh::sql {
namespace {

/// What Trino calls a statement whose result is not rows of a query.
std::string update_type(const Statement& s) {
  switch (s.kind) {
    case StatementKind::kUse:
      return "USE";
    case StatementKind::kSetSession:
      return "SET SESSION";
    case StatementKind::kResetSession:
      return "RESET SESSION";
    case StatementKind::kSetTimeZone:
      return "SET TIME ZONE";
    case StatementKind::kSetPath:
      return "SET PATH";
    case StatementKind::kSetRole:
      return "SET ROLE";
    case StatementKind::kSetSessionAuthorization:
      return as<SetSessionAuthorization>(s).user ? "SET SESSION AUTHORIZATION"
                                                 : "RESET SESSION AUTHORIZATION";
    case StatementKind::kPrepare:
      return "PREPARE";
    case StatementKind::kDeallocate:
      return "DEALLOCATE";
    case StatementKind::kStartTransaction:
      return "START TRANSACTION";
    case StatementKind::kCommit:
      return "COMMIT";
    case StatementKind::kRollback:
      return "ROLLBACK";
    case StatementKind::kCall:
      return "CALL";
    case StatementKind::kInsert:
      return "INSERT";
    case StatementKind::kDelete:
      return "DELETE";
    case StatementKind::kUpdate:
      return "UPDATE";
    case StatementKind::kMerge:
      return "MERGE";
    case StatementKind::kTruncate:
      return "TRUNCATE TABLE";
    case StatementKind::kAnalyze:
      return "ANALYZE";
    case StatementKind::kCreateSchema:
      return "CREATE SCHEMA";
    case StatementKind::kDropSchema:
      return "DROP SCHEMA";
    case StatementKind::kAlterSchema:
      return as<AlterSchema>(s).rename_to ? "RENAME SCHEMA" : "SET AUTHORIZATION";
    case StatementKind::kCreateTable:
    case StatementKind::kCreateTableAs:
      return "CREATE TABLE";
    case StatementKind::kDropTable:
      return "DROP TABLE";
    case StatementKind::kAlterTable:
      switch (as<AlterTable>(s).action) {
        case AlterTable::Action::kRename:
          return "RENAME TABLE";
        case AlterTable::Action::kAddColumn:
          return "ADD COLUMN";
        case AlterTable::Action::kDropColumn:
          return "DROP COLUMN";
        case AlterTable::Action::kRenameColumn:
          return "RENAME COLUMN";
        case AlterTable::Action::kSetType:
          return "SET COLUMN TYPE";
        case AlterTable::Action::kSetDefault:
          return "SET DEFAULT";
        case AlterTable::Action::kDropDefault:
          return "DROP DEFAULT";
        case AlterTable::Action::kDropNotNull:
          return "DROP NOT NULL";
        case AlterTable::Action::kSetProperties:
          return "SET PROPERTIES";
        case AlterTable::Action::kSetAuthorization:
          return "SET AUTHORIZATION";
        case AlterTable::Action::kExecute:
          return "ALTER TABLE EXECUTE";
      }
      return "ALTER TABLE";
    case StatementKind::kCreateView:
      return as<CreateView>(s).materialized ? "CREATE MATERIALIZED VIEW" : "CREATE VIEW";
    case StatementKind::kDropView:
      return as<DropView>(s).materialized ? "DROP MATERIALIZED VIEW" : "DROP VIEW";
    case StatementKind::kAlterView: {
      const auto& view = as<AlterView>(s);
      const std::string word = view.materialized ? "MATERIALIZED VIEW" : "VIEW";
      if (view.action == "rename") return "RENAME " + word;
      return view.action == "set properties" ? "SET PROPERTIES" : "SET AUTHORIZATION";
    }
    case StatementKind::kRefreshMaterializedView:
      return "REFRESH MATERIALIZED VIEW";
    case StatementKind::kComment:
      return "COMMENT";
    case StatementKind::kGrant:
      return "GRANT";
    case StatementKind::kRevoke:
      return "REVOKE";
    case StatementKind::kDeny:
      return "DENY";
    case StatementKind::kCreateRole:
      return "CREATE ROLE";
    case StatementKind::kDropRole:
      return "DROP ROLE";
    case StatementKind::kGrantRole:
      return "GRANT ROLE";
    case StatementKind::kRevokeRole:
      return "REVOKE ROLE";
    case StatementKind::kCreateCatalog:
      return "CREATE CATALOG";
    case StatementKind::kDropCatalog:
      return "DROP CATALOG";
    case StatementKind::kCreateFunction:
      return "CREATE FUNCTION";
    case StatementKind::kDropFunction:
      return "DROP FUNCTION";
    case StatementKind::kQuery:
    case StatementKind::kExplain:
    case StatementKind::kShow:
    case StatementKind::kExecute:
    case StatementKind::kExecuteImmediate:
    case StatementKind::kDescribeInput:
    case StatementKind::kDescribeOutput:
      return "";
  }
  return "";
}

}  // namespace

std::string Resolver::unique(const std::string& base) {
  std::string name = base;
  for (int n = 2; !aliases_.insert(lower(name)).second; ++n) name = fmt::format("{}_{}", base, n);
  return name;
}

void Resolver::columns_of(const Fields& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    auto type = outputs[i].type;
    // Lengths of text, the type of NULL and digits of seconds inside arrays are known here only;
    // DuckDB's labels tell the rest better than inference.
    const auto& inferred = outputs[i].inferred;
    if (!type && inferred) {
      const std::string text = inferred->display();
      if (text.find("varchar") != std::string::npos || text.find("unknown") != std::string::npos ||
          text.starts_with("array(timestamp"))
        type = inferred;
    }
    analysis_.columns.push_back(
        {outputs[i].name ? *outputs[i].name : fmt::format("_col{}", i), std::move(type)});
  }
}

void Resolver::statement(StatementPtr& slot) {
  switch (slot->kind) {
    case StatementKind::kQuery:
      columns_of(query(*as<QueryStatement>(*slot).query, top(), nullptr));
      break;
    case StatementKind::kShow: {
      const Position pos = slot->pos;
      slot = rewrite_show(as<Show>(*slot), context_);
      auto& rewritten = *as<QueryStatement>(*slot).query;
      slot->pos = pos;
      set_positions(rewritten, pos);
      return statement(slot);
    }
    case StatementKind::kExplain:
      statement(as<Explain>(*slot).statement);
      analysis_.columns = {
          {as<Explain>(*slot).type == "validate" ? "Valid" : "Query Plan", std::nullopt}};
      break;
    case StatementKind::kCreateFunction:
      create_function(as<CreateFunction>(*slot));
      break;
    case StatementKind::kInsert:
      insert(as<Insert>(*slot));
      break;
    case StatementKind::kDelete:
      remove(as<Delete>(*slot));
      break;
    case StatementKind::kUpdate:
      update(as<Update>(*slot));
      break;
    case StatementKind::kMerge:
      merge(as<Merge>(*slot));
      break;
    case StatementKind::kCreateTable:
      create_table(as<CreateTable>(*slot));
      break;
    case StatementKind::kCreateTableAs:
      create_table_as(as<CreateTableAs>(*slot));
      break;
    case StatementKind::kCreateView:
      create_view(as<CreateView>(*slot));
      break;
    default:
      definition(*slot);
  }
  analysis_.update_type = update_type(*slot);
}

Analysis resolve(StatementPtr& statement, const ResolveContext& context) {
  Analysis analysis;
  const auto expected = static_cast<size_t>(parameter_count(*statement));
  analysis.parameters.resize(expected, Type::of(TypeKind::kUnknown));
  if (!context.parameters_unknown && expected != context.parameters.size())
    fail(Code::kInvalidParameterUsage, statement->pos,
         fmt::format("Incorrect number of parameters: expected {} but found {}", expected,
                     context.parameters.size()));
  Resolver(context, analysis).statement(statement);
  if (!context.parameters_unknown) return analysis;
  for_each_expr(*statement, [&](ExprPtr& expr) {
    walk(*expr, true, [&](const Expr& e) {
      const auto* parameter = try_as<const Parameter>(&e);
      if (parameter && parameter->type) analysis.parameters[parameter->index] = *parameter->type;
      return true;
    });
  });
  return analysis;
}

}  // namespace meesh::sql
