#include "engine/batch_reader.h"
#include "engine/duck_types.h"
#include "engine/located_error.h"
#include "engine/statement_runner.h"
#include "sql/explain_error.h"
#include "sql/routine.h"

namespace meesh::engine {

using sql::as;
using sql::StatementKind;

namespace {

Location at(const sql::Position& position) { return {position.line, position.column, {}}; }

Error no_rights(const std::string& catalog) {
  return Error(Code::kNotSupported,
               fmt::format("Catalog does not support permission management: {}", catalog))
      .with_hint("the mesh's policies say who may do what");
}

}  // namespace

bool StatementRunner::run_definition(sql::StatementPtr& statement) {
  switch (statement->kind) {
    case StatementKind::kCreateView:
      if (as<sql::CreateView>(*statement).materialized) return false;
      create_view(statement);
      return true;
    case StatementKind::kDropView:
      if (as<sql::DropView>(*statement).materialized) return false;
      drop_view(statement);
      return true;
    case StatementKind::kAlterView:
      if (as<sql::AlterView>(*statement).materialized) return false;
      rename_view(statement);
      return true;
    case StatementKind::kComment:
      comment(statement);
      return true;
    case StatementKind::kCreateCatalog:
    case StatementKind::kDropCatalog:
      // The mesh's files say which catalogs there are.
      throw Error(
          Code::kNotSupported,
          fmt::format("{} CATALOG is not supported by the static catalog store",
                      statement->kind == StatementKind::kCreateCatalog ? "CREATE" : "DROP"));
    case StatementKind::kAlterSchema:
      rename_schema(statement);
      return true;
    case StatementKind::kGrant:
    case StatementKind::kRevoke:
    case StatementKind::kDeny:
      refuse_grant(static_cast<const sql::Grant&>(*statement));
    case StatementKind::kGrantRole:
    case StatementKind::kRevokeRole:
    case StatementKind::kCreateRole:
    case StatementKind::kDropRole:
      change_role(static_cast<const sql::RoleStatement&>(*statement));
      return true;
    case StatementKind::kCreateFunction:
      create_function(statement);
      return true;
    case StatementKind::kDropFunction:
      drop_function(as<sql::DropFunction>(*statement));
      return true;
    default:
      return false;
  }
}

sql::TableName StatementRunner::full_name(const sql::Name& name) const {
  const Session& session = query_.session();
  const Location where = name.empty() ? Location{} : at(name.front().pos);
  if (name.empty() || name.size() > 3) {
    throw Error(Code::kSyntaxError, "A name has one to three parts: catalog.schema.table", where);
  }
  sql::TableName out{session.catalog, session.schema, lower_case(name.back().value)};
  if (name.size() >= 2) out.schema = lower_case(name[name.size() - 2].value);
  if (name.size() == 3) out.catalog = lower_case(name[0].value);
  if (out.catalog.empty()) {
    throw Error(Code::kMissingCatalogName,
                "Catalog must be specified when session catalog is not set", where);
  }
  if (out.schema.empty()) {
    throw Error(Code::kMissingSchemaName, "Schema must be specified when session schema is not set",
                where);
  }
  return out;
}

std::vector<Column> StatementRunner::bound_columns(sql::Statement& statement,
                                                   const sql::Analysis& analysis) {
  const auto used = core_.catalogs.prepare(core_.duck, analysis.reads);
  const auto printed = sql::print_duckdb(statement);
  auto prepared = (*connection()).Prepare(printed.text);
  if (prepared->HasError()) throw sql::explained(statement, located(prepared->error, &printed));
  std::vector<Column> columns;
  for (size_t i = 0; i < prepared->ColumnCount(); ++i) {
    const bool known = i < analysis.columns.size();
    columns.push_back({known ? analysis.columns[i].name : prepared->GetNames()[i],
                       shown_type(prepared->GetTypes()[i], known ? analysis.columns[i].declared
                                                                 : std::optional<sql::Type>{})});
  }
  return columns;
}

bool StatementRunner::run_in_catalog(sql::Statement& statement, const sql::Analysis& analysis,
                                     WriteNotice& notice) {
  if (analysis.writes.empty()) return false;
  const auto catalog = core_.catalogs.get(analysis.writes.front().name.catalog);
  if (!catalog->runs_changes()) return false;
  if (transaction_) {
    throw Error(Code::kAutocommitWriteConflict,
                "Catalog only supports writes using autocommit: " + catalog->name());
  }
  std::vector<sql::TableInfo> tables = analysis.reads;
  tables.insert(tables.end(), analysis.writes.begin(), analysis.writes.end());
  CatalogsInUse used;
  std::optional<int64_t> rows;
  try {
    used = core_.catalogs.prepare(core_.duck, tables);
    auto& lease = connection();
    RunningQuery::Interruptible interruptible(query_, *lease, used);
    query_.enter(QueryState::kRunning);
    ChangeStatement change{statement, analysis, query_.session().user, query_.id()};
    change.commit = query_.session().commit.get();
    change.also = [&notice](soci::session& sql) { notice.committing(sql); };
    change.counted = [this](int64_t count) {
      query_.set_update_count(static_cast<uint64_t>(count));
    };
    change.run = [&](const sql::Printed& text) { return materialized(*lease, text); };
    change.columns_of = [&](sql::Statement& query) {
      std::vector<sql::ColumnInfo> columns;
      for (const auto& column : bound_columns(query, analysis)) {
        columns.emplace_back();
        columns.back().name = column.name;
        columns.back().type = column.type;
      }
      return columns;
    };
    rows = catalog->run(change);
  } catch (Error& error) {
    CatalogSet::on_error(error, used);
    lease_.discard();
    throw;
  }
  catalog->invalidate();
  if (!rows) {
    answer_done(analysis.update_type);
    return true;
  }
  query_.set_update_count(static_cast<uint64_t>(*rows));
  answer_count(*rows);
  return true;
}

std::unique_ptr<duckdb::MaterializedQueryResult> StatementRunner::materialized(
    duckdb::Connection& connection, const sql::Printed& text) {
  try {
    auto result = start(connection, text.text, &text);
    if (result->type == duckdb::QueryResultType::STREAM_RESULT) {
      auto whole = result->Cast<duckdb::StreamQueryResult>().Materialize();
      if (whole->HasError()) throw located(whole->GetErrorObject(), &text);
      return std::unique_ptr<duckdb::MaterializedQueryResult>(whole.release());
    }
    return std::unique_ptr<duckdb::MaterializedQueryResult>(
        &result.release()->Cast<duckdb::MaterializedQueryResult>());
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    throw located(duckdb::ErrorData(e), &text);
  }
}

bool StatementRunner::define_in_source(sql::Statement& statement, const sql::Analysis& analysis) {
  if (transaction_ || analysis.writes.empty()) return false;
  const auto catalog = core_.catalogs.get(analysis.writes.front().name.catalog);
  switch (statement.kind) {
    case StatementKind::kCreateTable:
    case StatementKind::kAlterTable:
      if (!catalog->define(statement, analysis.writes.front().name)) return false;
      invalidate(analysis);
      answer_done(analysis.update_type);
      return true;
    case StatementKind::kCreateTableAs:
      return create_table_as(as<sql::CreateTableAs>(statement), analysis, *catalog);
    default:
      return false;
  }
}

bool StatementRunner::create_table_as(sql::CreateTableAs& statement, const sql::Analysis& analysis,
                                      Catalog& catalog) {
  sql::TableInfo table = analysis.writes.front();
  const auto existing = catalog.table(table.name.schema, table.name.table);
  if (statement.or_replace || (existing && !statement.if_not_exists)) return false;
  if (existing) {
    query_.set_update_count(0);
    answer_count(0);
    return true;
  }
  // The query alone tells the columns; it is put back for DuckDB if the source does not take part.
  sql::QueryStatement source;
  source.query = std::move(statement.query);
  const auto columns = bound_columns(source, analysis);
  table.columns.clear();
  for (size_t i = 0; i < columns.size(); ++i) {
    sql::ColumnInfo column;
    column.name =
        lower_case(statement.columns.empty() ? columns[i].name : statement.columns[i].value);
    column.type = columns[i].type;
    table.columns.push_back(std::move(column));
  }
  table.comment = statement.comment.value_or("");
  const auto printed = sql::print_duckdb(source);
  statement.query = std::move(source.query);
  if (!catalog.create_table(table)) return false;
  catalog.invalidate();
  const auto created = catalog.table(table.name.schema, table.name.table);
  if (!created) internal_error("a table just created is not there: " + table.name.display());
  CatalogsInUse used;
  try {
    std::vector<sql::TableInfo> used_tables = analysis.reads;
    used_tables.push_back(*created);
    used = core_.catalogs.prepare(core_.duck, used_tables);
    const std::string limit = statement.with_data ? "" : " LIMIT 0";
    execute(fmt::format("INSERT INTO {} SELECT * FROM ({}){}", created->duckdb_target, printed.text,
                        limit),
            nullptr, analysis, used);
  } catch (Error& error) {
    CatalogSet::on_error(error, used);
    try {
      used = core_.catalogs.prepare(core_.duck, {*created});
      core_.connections.acquire("UTC")->Query("DROP TABLE " + created->duckdb_target);
    } catch (const Error&) {
      // The server is gone; the empty table stays.
    }
    catalog.invalidate();
    throw;
  }
  return true;
}

/// Binds the body too, so that what is wrong in it is told now.
void StatementRunner::create_function(sql::StatementPtr& statement) {
  sql::resolve(statement, context({}));
  const auto& create = as<sql::CreateFunction>(*statement);
  const auto& name = create.routine->name;
  const std::string schema = lower_case(name[1].value), base = lower_case(name[2].value);
  const auto catalog = core_.catalogs.get(lower_case(name[0].value));
  const auto& program = *create.routine->program;
  std::string call = fmt::format("SELECT trino_routine({}", program.id);
  for (size_t i = 0; i < program.parameters; ++i) call += ", NULL";
  auto prepared = (*connection()).Prepare(call + ")");
  if (prepared->HasError()) throw located(prepared->error, nullptr);
  catalog->allow_change(query_.session().user, schema, base);
  try {
    const std::string signature = program.signature();
    catalog->create_routine(schema, signature.substr(signature.find(base + "(")), create.text,
                            create.or_replace);
  } catch (const Error& error) {
    if (error.code() != Code::kAlreadyExists) throw;
    throw Error(error.code(), error.message(), at(create.pos));
  }
  answer_done("CREATE FUNCTION");
}

void StatementRunner::drop_function(const sql::DropFunction& statement) {
  const auto& name = statement.name;
  if (name.size() != 3)
    throw Error(Code::kNotSupported,
                "Catalog and schema must be specified when function schema is not configured",
                at(statement.pos));
  std::string signature = lower_case(name[2].value) + "(";
  try {
    for (const auto& type : statement.types)
      signature += (signature.back() == '(' ? "" : ", ") + sql::to_type(*type).display();
  } catch (const Error& error) {
    throw Error(error.code(), error.message());  // as in Trino, without a place
  }
  signature += ")";
  const std::string schema = lower_case(name[1].value);
  const auto catalog = core_.catalogs.find(lower_case(name[0].value));
  bool known = false;
  if (catalog) {
    for (const auto& text : catalog->routines(schema))
      known = known || sql::routine_signature(*sql::parse_routine(text)) == signature;
  }
  if (known) {
    catalog->allow_change(query_.session().user, schema, lower_case(name[2].value));
    catalog->drop_routine(schema, signature);
  } else if (!statement.if_exists) {
    throw Error(Code::kNotFound, "Function not found", at(statement.pos));
  }
  answer_done("DROP FUNCTION");
}

void StatementRunner::create_view(sql::StatementPtr& statement) {
  auto analysis = sql::resolve(statement, context({}));
  auto& create = as<sql::CreateView>(*statement);
  query_.set_update_type(analysis.update_type);
  check_writes(analysis);
  sql::TableInfo view = std::move(analysis.writes.back());
  analysis.writes.pop_back();
  auto catalog = core_.catalogs.get(view.name.catalog);
  auto body = std::make_unique<sql::QueryStatement>();
  body->query = std::move(create.query);
  analysis.columns.clear();
  for (const auto& column : view.columns) {
    const bool known = column.type.kind != sql::TypeKind::kUnknown;
    analysis.columns.push_back({column.name, known ? std::optional(column.type) : std::nullopt});
  }
  const auto columns = bound_columns(*body, analysis);
  for (size_t i = 0; i < columns.size(); ++i) view.columns.at(i).type = columns[i].type;
  catalog->allow_change(query_.session().user, view.name.schema, view.name.table);
  catalog->create_view(view, create.or_replace);
  catalog->invalidate();
  WriteNotice(core_, query_, sql::lineage_of_view(*body, analysis, view)).written();
  answer_done("CREATE VIEW");
}

void StatementRunner::drop_view(sql::StatementPtr& statement) {
  const auto analysis = sql::resolve(statement, context({}));
  const auto& name = analysis.writes.back().name;
  const auto catalog = core_.catalogs.find(name.catalog);
  if (catalog && catalog->table(name.schema, name.table)) {
    catalog->allow_change(query_.session().user, name.schema, name.table);
    catalog->drop_view(name.schema, name.table);
    catalog->invalidate();
    WriteNotice(core_, query_, sql::lineage_of_drop("DROP VIEW", name)).written();
  }
  answer_done("DROP VIEW");
}

void StatementRunner::rename_view(sql::StatementPtr& statement) {
  const auto analysis = sql::resolve(statement, context({}));
  const auto& from = analysis.writes.back().name;
  const auto catalog = core_.catalogs.find(from.catalog);
  if (catalog && catalog->table(from.schema, from.table)) {
    const auto to = full_name(as<sql::AlterView>(*statement).target);
    catalog->allow_change(query_.session().user, from.schema, from.table);
    catalog->allow_change(query_.session().user, to.schema, to.table);
    catalog->rename_view(from.schema, from.table, to.schema, to.table);
    catalog->invalidate();
    WriteNotice(core_, query_, sql::lineage_of_rename("RENAME VIEW", from, to)).written();
  }
  answer_done("RENAME VIEW");
}

void StatementRunner::comment(sql::StatementPtr& statement) {
  const auto analysis = sql::resolve(statement, context({}));
  const auto& comment = as<sql::CommentOn>(*statement);
  const auto& info = analysis.writes.back();
  const std::string column = comment.target == "column" ? comment.name.back().value : "";
  auto catalog = core_.catalogs.get(info.name.catalog);
  core_.catalogs.prepare(core_.duck, {info});
  catalog->allow_change(query_.session().user, info.name.schema, info.name.table);
  catalog->set_comment(info.name.schema, info.name.table, column, comment.comment);
  catalog->invalidate();
  answer_done("COMMENT");
}

void StatementRunner::rename_schema(sql::StatementPtr& statement) {
  const auto analysis = sql::resolve(statement, context({}));
  const auto& name = analysis.writes.back().name;
  const std::string& to = as<sql::AlterSchema>(*statement).rename_to->value;
  check_writes(analysis);
  if (transaction_)
    throw Error(Code::kAutocommitWriteConflict,
                "Catalog only supports writes using autocommit: " + name.catalog);
  auto catalog = core_.catalogs.get(name.catalog);
  core_.catalogs.prepare(core_.duck, analysis.writes);
  catalog->allow_change(query_.session().user, name.schema, "");
  catalog->allow_change(query_.session().user, to, "");
  catalog->rename_schema(name.schema, to);
  catalog->invalidate();
  answer_done("RENAME SCHEMA");
}

void StatementRunner::refuse_grant(const sql::Grant& grant) {
  sql::TableName name;
  if (grant.entity_kind == "schema") {
    const bool full = grant.entity.size() > 1;
    name.catalog = full ? lower_case(grant.entity[0].value) : query_.session().catalog;
    name.schema = lower_case(grant.entity.back().value);
    if (!core_.catalogs.schema_exists(name.catalog, name.schema))
      throw Error(Code::kSchemaNotFound,
                  fmt::format("Schema '{}.{}' does not exist", name.catalog, name.schema),
                  at(grant.pos));
  } else {
    name = full_name(grant.entity);
    if (!core_.catalogs.table(name))
      throw Error(Code::kTableNotFound, fmt::format("Table '{}' does not exist", name.display()),
                  at(grant.pos));
  }
  static const std::set<std::string> known = {"select", "insert", "update",
                                              "delete", "create", "all privileges"};
  for (std::string privilege : grant.privileges) {
    if (known.contains(privilege)) continue;
    for (char& c : privilege) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    throw Error(Code::kInvalidPrivilege, fmt::format("Unknown privilege: '{}'", privilege),
                at(grant.pos));
  }
  throw no_rights(name.catalog);
}

/// There are no roles, so only one thing can be done with them: drop what is not there.
void StatementRunner::change_role(const sql::RoleStatement& role) {
  check_role_catalog(role.catalog, role.pos);
  if (role.kind == StatementKind::kCreateRole)
    throw Error(Code::kNotSupported, "System roles are not enabled")
        .with_hint("the mesh's policies say who may do what");
  if (role.kind != StatementKind::kDropRole || !role.if_exists)
    throw Error(Code::kRoleNotFound,
                fmt::format("Role '{}' does not exist", lower_case(role.roles.front().value)),
                at(role.pos));
  answer_done("DROP ROLE");
}

}  // namespace meesh::engine
