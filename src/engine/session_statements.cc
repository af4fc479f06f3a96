#include "engine/catalogs/hive.h"
#include "engine/catalogs/lake.h"
#include "engine/duck_types.h"
#include "engine/statement_runner.h"

namespace meesh::engine {

using sql::as;
using sql::StatementKind;

namespace {

Location at(const sql::Position& position) { return {position.line, position.column, {}}; }

std::string joined(const sql::Name& name) {
  std::string out;
  for (const auto& part : name) {
    if (!out.empty()) out += '.';
    out += lower_case(part.value);
  }
  return out;
}

}  // namespace

std::string literal_text(const sql::Expr* expression, std::string_view what) {
  if (expression) {
    if (auto* e = sql::try_as<const sql::StringLiteral>(expression)) return e->value;
    if (auto* e = sql::try_as<const sql::IntegerLiteral>(expression))
      return std::to_string(e->value);
    if (auto* e = sql::try_as<const sql::DecimalLiteral>(expression)) return e->text;
    if (auto* e = sql::try_as<const sql::DoubleLiteral>(expression)) return e->text;
    if (auto* e = sql::try_as<const sql::BooleanLiteral>(expression))
      return e->value ? "true" : "false";
    if (auto* e = sql::try_as<const sql::Unary>(expression); e && e->op == sql::UnaryOp::kMinus) {
      return "-" + literal_text(e->value.get(), what);
    }
  }
  throw Error(Code::kNotSupported, fmt::format("{} must be a literal", what),
              expression ? at(expression->pos) : Location{});
}

bool StatementRunner::run_session_statement(sql::Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kUse:
      use(as<sql::Use>(statement));
      return true;
    case StatementKind::kSetSession:
      set_session(as<sql::SetSession>(statement));
      return true;
    case StatementKind::kResetSession:
      reset_session(as<sql::ResetSession>(statement));
      return true;
    case StatementKind::kPrepare:
      prepare(as<sql::Prepare>(statement));
      return true;
    case StatementKind::kExecute:
      execute_prepared(as<sql::Execute>(statement));
      return true;
    case StatementKind::kExecuteImmediate: {
      auto& immediate = as<sql::ExecuteImmediate>(statement);
      Parameters parameters;
      for (auto& arg : immediate.args) parameters.push_back(arg.get());
      run_text(immediate.text, parameters);
      return true;
    }
    case StatementKind::kDeallocate:
      deallocate(as<sql::Deallocate>(statement));
      return true;
    case StatementKind::kDescribeInput:
      describe_input(as<sql::DescribeInput>(statement));
      return true;
    case StatementKind::kDescribeOutput:
      describe_output(as<sql::DescribeOutput>(statement));
      return true;
    case StatementKind::kStartTransaction:
      start_transaction(as<sql::StartTransaction>(statement));
      return true;
    case StatementKind::kCommit:
      end_transaction("COMMIT");
      return true;
    case StatementKind::kRollback:
      end_transaction("ROLLBACK");
      return true;
    case StatementKind::kCall:
      call(as<sql::Call>(statement));
      return true;
    case StatementKind::kSetTimeZone: {
      auto& zone = as<sql::SetTimeZone>(statement);
      query_.change([&](SessionChanges& changes) {
        if (zone.value) {
          changes.set_properties["time_zone_id"] = literal_text(zone.value.get(), "Time zone");
        } else {
          changes.reset_properties.push_back("time_zone_id");
        }
      });
      answer_done("SET TIME ZONE");
      return true;
    }
    case StatementKind::kSetPath: {
      std::string path;
      for (const auto& element : as<sql::SetPath>(statement).elements) {
        path += (path.empty() ? "" : ", ") + joined(element);
      }
      query_.change([&](SessionChanges& changes) { changes.set_path = path; });
      answer_done("SET PATH");
      return true;
    }
    case StatementKind::kSetRole: {
      auto& role = as<sql::SetRole>(statement);
      if (role.kind_word == "role") {
        throw Error(Code::kRoleNotFound,
                    fmt::format("Role '{}' does not exist", role.role ? role.role->value : ""));
      }
      query_.change([&](SessionChanges& changes) {
        changes.set_roles[role.catalog ? lower_case(role.catalog->value) : "system"] =
            role.kind_word == "all" ? "ALL" : "NONE";
      });
      answer_done("SET ROLE");
      return true;
    }
    default:
      return false;
  }
}

void StatementRunner::use(const sql::Use& statement) {
  const std::string catalog =
      statement.catalog ? lower_case(statement.catalog->value) : query_.session().catalog;
  const std::string schema = lower_case(statement.schema.value);
  if (catalog.empty()) {
    throw Error(Code::kMissingCatalogName,
                "Catalog must be specified when session catalog is not set", at(statement.pos));
  }
  if (!core_.catalogs.catalog_exists(catalog)) {
    throw Error(Code::kCatalogNotFound, fmt::format("Catalog '{}' not found", catalog),
                at(statement.pos));
  }
  if (!core_.catalogs.schema_exists(catalog, schema)) {
    throw Error(Code::kSchemaNotFound, fmt::format("Schema does not exist: {}.{}", catalog, schema),
                at(statement.pos));
  }
  query_.change([&](SessionChanges& changes) {
    if (statement.catalog) changes.set_catalog = catalog;
    changes.set_schema = schema;
  });
  answer_done("USE");
}

void StatementRunner::set_session(const sql::SetSession& statement) {
  const std::string name = joined(statement.name);
  const std::string value = literal_text(statement.value.get(), "Session property value");
  if (statement.name.size() > 2) {
    throw Error(Code::kInvalidSessionProperty, fmt::format("Invalid session property '{}'", name),
                at(statement.pos));
  }
  if (statement.name.size() == 2 &&
      !core_.catalogs.catalog_exists(lower_case(statement.name[0].value))) {
    throw Error(Code::kCatalogNotFound,
                fmt::format("Catalog '{}' not found", lower_case(statement.name[0].value)),
                at(statement.pos));
  }
  if (statement.name.size() == 1 && !sql::is_session_property(name)) {
    throw Error(Code::kInvalidSessionProperty,
                fmt::format("Session property '{}' does not exist", name), at(statement.pos))
        .with_hint("SHOW SESSION lists them");
  }
  query_.change([&](SessionChanges& changes) { changes.set_properties[name] = value; });
  answer_done("SET SESSION");
}

void StatementRunner::reset_session(const sql::ResetSession& statement) {
  query_.change(
      [&](SessionChanges& changes) { changes.reset_properties.push_back(joined(statement.name)); });
  answer_done("RESET SESSION");
}

void StatementRunner::prepare(const sql::Prepare& statement) {
  query_.change([&](SessionChanges& changes) {
    changes.added_prepare[statement.name.value] = statement.text;
  });
  answer_done("PREPARE");
}

const std::string& StatementRunner::prepared_text(const sql::Ident& name) const {
  const auto& prepared = query_.session().prepared_statements;
  auto found = prepared.find(name.value);
  if (found == prepared.end()) found = prepared.find(lower_case(name.value));
  if (found == prepared.end()) {
    throw Error(Code::kNotFound, fmt::format("Prepared statement not found: {}", name.value),
                at(name.pos));
  }
  return found->second;
}

void StatementRunner::execute_prepared(const sql::Execute& statement) {
  Parameters parameters;
  for (auto& arg : statement.args) parameters.push_back(arg.get());
  run_text(prepared_text(statement.name), parameters);
}

void StatementRunner::deallocate(const sql::Deallocate& statement) {
  prepared_text(statement.name);
  query_.change([&](SessionChanges& changes) {
    changes.deallocated_prepare.push_back(statement.name.value);
  });
  answer_done("DEALLOCATE");
}

void StatementRunner::start_transaction(const sql::StartTransaction& statement) {
  if (transaction_) throw Error(Code::kNotSupported, "Nested transactions not supported");
  const std::string isolation = lower_case(statement.isolation);
  // Every catalog reads from a snapshot, which is stricter than the first three levels.
  if (isolation == "serializable") {
    throw Error(Code::kUnsupportedIsolationLevel, "Isolation level SERIALIZABLE is not supported")
        .with_hint("REPEATABLE READ and below are");
  }
  auto begun = core_.transactions.begin(core_.connections.acquire(query_.session().time_zone),
                                        query_.session().user, statement.isolation,
                                        statement.read_only.value_or(false));
  query_.change([&](SessionChanges& changes) { changes.started_transaction_id = begun->info.id; });
  answer_done("START TRANSACTION");
}

void StatementRunner::end_transaction(const std::string& command) {
  if (!transaction_) throw Error(Code::kNotInTransaction, "No transaction in progress");
  const bool was_failed = transaction_->failed;
  const std::string run = was_failed ? "ROLLBACK" : command;
  core_.transactions.remove(transaction_->info.id);
  query_.change([](SessionChanges& changes) { changes.clear_transaction_id = true; });
  auto result = transaction_->connection->Query(run);
  if (result->HasError() && !was_failed) {
    Error error = translate(result->GetErrorObject());
    transaction_->connection.discard();
    throw error;
  }
  if (command == "COMMIT" && was_failed) {
    throw Error(Code::kTransactionAlreadyAborted,
                "Current transaction is aborted and has been rolled back");
  }
  if (command == "COMMIT") {
    for (const auto& done : transaction_->once_committed) done();
  }
  answer_done(command);
}

void StatementRunner::call(const sql::Call& statement) {
  const std::string name = joined(statement.name);
  if (const auto owner = core_.catalogs.find(full_name(statement.name).catalog);
      owner && (owner->connector() == "hive" || owner->connector() == "iceberg")) {
    if (transaction_) {
      throw Error(Code::kNotSupported, "Procedures cannot be called within a transaction",
                  at(statement.pos));
    }
    const std::string& user = query_.session().user;
    if (owner->connector() == "hive") {
      call_hive_procedure(*owner, statement, user);
    } else {
      auto& lease = connection();
      const RunningQuery::Interruptible interruptible(query_, *lease, {owner});
      query_.enter(QueryState::kRunning);
      try {
        call_lake_procedure(*owner, statement, user, query_.id(),
                            [&](const sql::Printed& text) { return materialized(*lease, text); });
      } catch (...) {
        lease_.discard();
        throw;
      }
    }
    owner->invalidate();
    return answer_done("CALL");
  }
  if (name != "system.runtime.kill_query") {
    throw Error(Code::kProcedureNotFound, fmt::format("Procedure not registered: {}", name),
                at(statement.pos));
  }
  std::map<std::string, std::string> args;
  const char* positional[] = {"query_id", "message"};
  for (size_t i = 0; i < statement.args.size(); ++i) {
    const auto& [key, value] = statement.args[i];
    if (!key && i >= 2)
      throw Error(Code::kInvalidProcedureArgument, "Too many arguments", at(statement.pos));
    args[key ? lower_case(key->value) : positional[i]] = literal_text(value.get(), "Argument");
  }
  if (args["query_id"].empty()) {
    throw Error(Code::kInvalidProcedureArgument,
                "Required procedure argument 'QUERY_ID' is missing", at(statement.pos));
  }
  auto target = core_.find_query(args["query_id"]);
  if (!target || target->ended()) {
    throw Error(Code::kNotFound, fmt::format("Target query is not running: {}", args["query_id"]));
  }
  target->cancel(
      Code::kAdministrativelyKilled,
      fmt::format("Query killed. Message: {}", args["message"].empty() ? "None" : args["message"]));
  answer_done("CALL");
}

void StatementRunner::describe_input(const sql::DescribeInput& statement) {
  auto inner = sql::parse(prepared_text(statement.name));
  auto unknown = context({});
  unknown.parameters_unknown = true;
  const auto analysis = sql::resolve(inner, unknown);
  std::string types;
  for (const auto& type : analysis.parameters)
    types += (types.empty() ? "" : ", ") + quote_string(type.display());
  answer_rows(
      fmt::format("SELECT (i - 1)::BIGINT AS \"Position\", ([{}]::VARCHAR[])[i] AS \"Type\" "
                  "FROM range(1, {}) t(i) ORDER BY i",
                  types, analysis.parameters.size() + 1));
}

void StatementRunner::describe_output(const sql::DescribeOutput& statement) {
  auto inner = sql::parse(prepared_text(statement.name));
  // Parameters have no values yet.
  auto unknown = context({});
  unknown.parameters_unknown = true;
  const auto analysis = sql::resolve(inner, unknown);
  std::vector<Column> columns;
  if (analysis.update_type.empty()) {
    columns = bound_columns(*inner, analysis);
  } else {
    columns.push_back({"rows", sql::Type::of(sql::TypeKind::kBigint)});
  }
  std::string rows;
  for (const auto& column : columns) {
    rows += fmt::format("{}({}, '', '', '', {}, 0::BIGINT, true)", rows.empty() ? "" : ", ",
                        quote_string(column.name), quote_string(column.type.display()));
  }
  answer_rows("SELECT * FROM (VALUES " + rows +
              ") t(\"Column Name\", \"Catalog\", \"Schema\", \"Table\", \"Type\", \"Type Size\", "
              "\"Aliased\")");
}

}  // namespace meesh::engine
