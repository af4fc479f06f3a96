#include <algorithm>

#include "engine/catalogs/hive.h"
#include "engine/catalogs/lake.h"
#include "engine/duck_types.h"
#include "engine/statement_runner.h"
#include "sql/resolve_types.h"
#include "sql/resolve_walk.h"
#include "sql/session_properties.h"

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

std::string upper_case(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
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

bool StatementRunner::run_session_statement(sql::Statement& statement,
                                            const Parameters& parameters) {
  switch (statement.kind) {
    case StatementKind::kUse:
      use(as<sql::Use>(statement));
      return true;
    case StatementKind::kSetSession:
      set_session(as<sql::SetSession>(statement), parameters);
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
    case StatementKind::kExecuteImmediate:
      execute_immediate(as<sql::ExecuteImmediate>(statement));
      return true;
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
    case StatementKind::kSetTimeZone:
      set_time_zone(as<sql::SetTimeZone>(statement), parameters);
      return true;
    case StatementKind::kSetPath:
      set_path(as<sql::SetPath>(statement));
      return true;
    case StatementKind::kSetRole:
      set_role(as<sql::SetRole>(statement));
      return true;
    case StatementKind::kSetSessionAuthorization:
      set_authorization(as<sql::SetSessionAuthorization>(statement));
      return true;
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
  if (!core_.catalogs.catalog_exists(catalog))
    throw Error(Code::kCatalogNotFound, fmt::format("Catalog '{}' not found", catalog));
  if (!core_.catalogs.schema_exists(catalog, schema))
    throw Error(Code::kNotFound, fmt::format("Schema does not exist: {}.{}", catalog, schema));
  query_.change([&](SessionChanges& changes) {
    if (statement.catalog) changes.set_catalog = catalog;
    changes.set_schema = schema;
  });
  answer_done("USE");
}

StatementRunner::Constant StatementRunner::constant(const sql::Expr& expression,
                                                    const Parameters& parameters) {
  auto value = sql::clone(expression);
  if (!value)
    throw Error(Code::kExpressionNotConstant, "Constant expression cannot contain a subquery");
  auto select = std::make_unique<sql::Select>();
  select->items.push_back({std::move(value), std::nullopt, expression.pos});
  auto query = std::make_unique<sql::QueryStatement>();
  query->query = std::make_unique<sql::Query>();
  query->query->body = std::move(select);
  sql::StatementPtr statement = std::move(query);
  const auto analysis = sql::resolve(statement, context(parameters));
  Constant out{bound_columns(*statement, analysis).front().type, std::nullopt};
  const auto result = materialized(*connection(), sql::print_duckdb(*statement));
  const auto cell = result->GetValue(0, 0);
  if (cell.IsNull()) return out;
  if (out.type.kind == sql::TypeKind::kIntervalDayToSecond) {
    const auto interval = cell.DefaultCastAs(duckdb::LogicalType::INTERVAL);
    out.text = std::to_string(duckdb::Interval::GetMicro(interval.GetValue<duckdb::interval_t>()) /
                              60'000'000);
  } else {
    out.text = cell.ToString();
  }
  return out;
}

/// Where a property is looked for; throws unless its name has one part, or two and a catalog.
void StatementRunner::check_property(const sql::Name& written, const Location& where) {
  const std::string name = joined(written);
  if (written.size() > 2)
    throw Error(Code::kInvalidSessionProperty, fmt::format("Invalid session property '{}'", name));
  const std::string first = lower_case(written.front().value);
  if (written.size() == 2 && !core_.catalogs.catalog_exists(first))
    throw Error(Code::kCatalogNotFound, fmt::format("Catalog '{}' not found", first), where);
  const bool known = written.size() == 2 ? sql::is_catalog_property(core_.catalogs.connector(first),
                                                                    written.back().value)
                                         : sql::find_session_property(name) != nullptr;
  if (!known) {
    throw Error(Code::kInvalidSessionProperty,
                fmt::format("Session property '{}' does not exist", name), where)
        .with_hint("SHOW SESSION lists them");
  }
}

void StatementRunner::set_session(const sql::SetSession& statement, const Parameters& parameters) {
  const std::string name = joined(statement.name);
  const Location where = at(statement.value->pos);
  check_property(statement.name, where);
  const auto refuse = [&](const std::string& why) {
    throw Error(Code::kInvalidSessionProperty,
                fmt::format("Unable to set session property '{}' to '{}': {}", name,
                            sql::print_trino(*statement.value), why));
  };
  Constant value;
  try {
    value = constant(*statement.value, parameters);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUser) throw;
    refuse(error.message());
  }
  if (!value.text) refuse("Session property value must not be null");
  if (const auto* property =
          statement.name.size() == 1 ? sql::find_session_property(name) : nullptr) {
    const sql::Type wanted = sql::property_type(*property);
    const auto common = sql::common_type(value.type, wanted);
    if (!common || common->kind != wanted.kind)
      refuse(fmt::format("Cannot cast type {} to {}", value.type.display(), wanted.display()));
    if (wanted.kind == sql::TypeKind::kDouble && sql::is_integral(value.type)) *value.text += ".0";
    if (property->check == sql::SessionProperty::Check::kTimeZone) check_zone(*value.text, where);
    if (const auto problem = property->problem(*value.text))
      throw Error(Code::kInvalidSessionProperty, *problem, where);
  }
  query_.change([&](SessionChanges& changes) { changes.set_properties[name] = *value.text; });
  answer_done("SET SESSION");
}

void StatementRunner::check_zone(const std::string& zone, const Location& where) {
  try {
    core_.connections.acquire(zone);
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidSessionProperty) throw;
    throw Error(error.code(), fmt::format("Time zone not supported: {}", zone), where);
  }
}

void StatementRunner::reset_session(const sql::ResetSession& statement) {
  if (statement.name.size() > 2)
    throw Error(Code::kInvalidSessionProperty,
                fmt::format("Invalid session property '{}'", joined(statement.name)),
                at(statement.pos));
  check_property(statement.name, at(statement.pos));
  query_.change(
      [&](SessionChanges& changes) { changes.reset_properties.push_back(joined(statement.name)); });
  answer_done("RESET SESSION");
}

void StatementRunner::set_time_zone(const sql::SetTimeZone& statement,
                                    const Parameters& parameters) {
  constexpr long kMostMinutes = 14 * 60;
  std::string zone;
  if (statement.value) {
    const Constant value = constant(*statement.value, parameters);
    const bool interval = value.type.kind == sql::TypeKind::kIntervalDayToSecond;
    if (!interval && value.type.kind != sql::TypeKind::kVarchar) {
      throw Error(Code::kTypeMismatch,
                  fmt::format("Expected expression of varchar or interval day-time type, but '{}' "
                              "has {} type",
                              sql::print_trino(*statement.value), value.type.display()));
    }
    if (!value.text) throw Error(Code::kInvalidFunctionArgument, "Time zone must not be null");
    zone = *value.text;
    if (interval) {
      const long minutes = std::strtol(zone.c_str(), nullptr, 10);
      if (std::labs(minutes) > kMostMinutes)
        throw Error(Code::kInvalidFunctionArgument,
                    fmt::format("Invalid offset minutes {}", minutes));
      zone = fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', std::labs(minutes) / 60,
                         std::labs(minutes) % 60);
    }
    try {
      check_zone(zone, {});
    } catch (const Error& error) {
      if (error.code() != Code::kInvalidSessionProperty) throw;
      throw Error(Code::kNotSupported, error.message());
    }
  }
  query_.change([&](SessionChanges& changes) {
    if (statement.value) {
      changes.set_properties["time_zone_id"] = zone;
    } else {
      changes.reset_properties.emplace_back("time_zone_id");
    }
  });
  answer_done("SET TIME ZONE");
}

void StatementRunner::require_capability(const char* capability, const char* statement) const {
  const auto& has = query_.session().client_capabilities;
  if (std::ranges::find(has, capability) == has.end())
    throw Error(Code::kNotSupported, fmt::format("{} not supported by client", statement));
}

void StatementRunner::set_path(const sql::SetPath& statement) {
  require_capability("PATH", "SET PATH");
  std::string path;
  for (const auto& element : statement.elements)
    path += (path.empty() ? "" : ", ") + joined(element);
  query_.change([&](SessionChanges& changes) { changes.set_path = path; });
  answer_done("SET PATH");
}

/// There are no roles: what a user may do is decided by the mesh's policies.
void StatementRunner::check_role_catalog(const std::optional<sql::Ident>& written,
                                         const sql::Position& pos) const {
  if (!written) return;
  const std::string catalog = lower_case(written->value);
  if (!core_.catalogs.catalog_exists(catalog))
    throw Error(Code::kCatalogNotFound, fmt::format("Catalog '{}' not found", catalog), at(pos));
  throw Error(Code::kNotSupported,
              fmt::format("Catalog '{}' does not support role management", catalog), at(pos));
}

void StatementRunner::set_role(const sql::SetRole& role) {
  check_role_catalog(role.catalog, role.pos);
  if (role.kind_word == "role") {
    throw Error(
        Code::kRoleNotFound,
        fmt::format("Role '{}' does not exist", role.role ? lower_case(role.role->value) : ""),
        at(role.pos));
  }
  query_.change([&](SessionChanges& changes) {
    changes.set_roles["system"] = role.kind_word == "all" ? "ALL" : "NONE";
  });
  answer_done("SET ROLE");
}

/// Nobody speaks for another: that would go past the mesh's policies.
void StatementRunner::set_authorization(const sql::SetSessionAuthorization& statement) {
  require_capability("SESSION_AUTHORIZATION",
                     statement.user ? "SET SESSION AUTHORIZATION" : "RESET SESSION AUTHORIZATION");
  const std::string& user = query_.session().original_user;
  if (statement.user && *statement.user != user) {
    throw Error(
        Code::kPermissionDenied,
        fmt::format("Access Denied: User {} cannot impersonate user {}", user, *statement.user));
  }
  query_.change([&](SessionChanges& changes) {
    if (statement.user) {
      changes.set_authorization_user = *statement.user;
    } else {
      changes.reset_authorization_user = true;
    }
  });
  answer_done(statement.user ? "SET SESSION AUTHORIZATION" : "RESET SESSION AUTHORIZATION");
}

void StatementRunner::start_transaction(const sql::StartTransaction& statement) {
  if (transaction_) throw Error(Code::kNotSupported, "Nested transactions not supported");
  auto begun = core_.transactions.begin(core_.connections.acquire(query_.session().time_zone),
                                        query_.session().user, upper_case(statement.isolation),
                                        statement.read_only.value_or(false));
  query_.change([&](SessionChanges& changes) { changes.started_transaction_id = begun->info.id; });
  answer_done("START TRANSACTION");
}

void StatementRunner::end_transaction(const std::string& command) {
  if (!transaction_) throw Error(Code::kNotInTransaction, "No transaction in progress");
  // ROLLBACK is left to it.
  if (command == "COMMIT" && transaction_->failed) {
    throw Error(Code::kTransactionAlreadyAborted, "Current transaction has already been aborted");
  }
  core_.transactions.remove(transaction_->info.id);
  query_.change([](SessionChanges& changes) { changes.clear_transaction_id = true; });
  auto result = transaction_->connection->Query(command);
  if (result->HasError() && !transaction_->failed) {
    Error error = translate(result->GetErrorObject());
    transaction_->connection.discard();
    throw error;
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
  const std::string catalog = full_name(statement.name).catalog;
  if (!core_.catalogs.catalog_exists(catalog))
    throw Error(Code::kCatalogNotFound, fmt::format("Catalog '{}' not found", catalog),
                at(statement.pos));
  if (name != "system.runtime.kill_query") {
    const auto written = full_name(statement.name);
    throw Error(Code::kProcedureNotFound,
                fmt::format("Procedure not registered: {}.{}", written.schema, written.table));
  }
  kill_query(statement);
}

void StatementRunner::kill_query(const sql::Call& statement) {
  const char* parameters[] = {"query_id", "message"};
  std::map<std::string, std::optional<std::string>> args;
  const auto is_named = [](const auto& arg) { return arg.first.has_value(); };
  const auto named = std::ranges::count_if(statement.args, is_named);
  if (named > 0 && static_cast<size_t>(named) < statement.args.size())
    throw Error(Code::kInvalidArguments, "Named and positional arguments cannot be mixed",
                at(statement.pos));
  if (statement.args.size() > std::size(parameters) && named == 0)
    throw Error(Code::kInvalidArguments, "Too many arguments for procedure", at(statement.pos));
  for (size_t i = 0; i < statement.args.size(); ++i) {
    const auto& [key, value] = statement.args[i];
    const std::string parameter = key ? lower_case(key->value) : parameters[i];
    const Location where = at(key ? key->pos : value->pos);
    if (std::ranges::find(parameters, parameter) == std::end(parameters))
      throw Error(Code::kInvalidArguments,
                  fmt::format("Unknown argument name: {}", upper_case(parameter)), where);
    if (args.contains(parameter))
      throw Error(Code::kInvalidArguments,
                  fmt::format("Duplicate procedure argument: {}", upper_case(parameter)), where);
    const Constant constant = this->constant(*value, {});
    if (constant.text && constant.type.kind != sql::TypeKind::kVarchar)
      throw Error(Code::kTypeMismatch,
                  fmt::format("Cannot cast type {} to varchar", constant.type.display()),
                  at(value->pos));
    args[parameter] = constant.text;
  }
  if (!args.contains("query_id"))
    throw Error(Code::kInvalidArguments, "Required procedure argument 'QUERY_ID' is missing",
                at(statement.pos));
  const auto& id = args["query_id"];
  if (!id) throw Error(Code::kInvalidProcedureArgument, "query_id cannot be null");
  auto target = core_.find_query(*id);
  if (!target) throw Error(Code::kNotFound, fmt::format("Target query not found: {}", *id));
  if (target->ended())
    throw Error(Code::kNotSupported, fmt::format("Target query is not running: {}", *id));
  target->cancel(Code::kAdministrativelyKilled,
                 fmt::format("Query killed. Message: {}", args["message"].value_or("None")));
  answer_done("CALL");
}

}  // namespace meesh::engine
