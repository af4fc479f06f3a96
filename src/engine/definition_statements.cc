#include "engine/batch_reader.h"
#include "engine/duck_types.h"
#include "engine/located_error.h"
#include "engine/statement_runner.h"

namespace meesh::engine {

using sql::as;
using sql::StatementKind;

namespace {

Location at(const sql::Position& position) { return {position.line, position.column, {}}; }

[[noreturn]] void refuse(std::string_view what, const sql::Statement& statement) {
  throw Error(Code::kNotSupported, fmt::format("{} is not supported", what), at(statement.pos));
}

/// Key → text of WITH (…) properties.
std::map<std::string, std::string> property_texts(const std::vector<sql::Property>& properties) {
  std::map<std::string, std::string> out;
  for (const auto& property : properties) {
    const std::string key = lower_case(property.name.value);
    if (!out.emplace(key, literal_text(property.value.get(), "Property value")).second) {
      throw Error(Code::kDuplicateProperty, fmt::format("Duplicate property: {}", key),
                  at(property.name.pos));
    }
  }
  return out;
}

/// Trino's connector.properties for PostgreSQL: connection-url (jdbc:postgresql://host:port/db),
/// connection-user, connection-password.
PostgresOptions postgres_options(const std::string& name,
                                 std::map<std::string, std::string> properties,
                                 const Location& where) {
  PostgresOptions options;
  options.name = name;
  const std::string url = properties["connection-url"];
  constexpr std::string_view kScheme = "jdbc:postgresql://";
  const size_t slash = url.find('/', std::min(url.size(), kScheme.size()));
  if (!url.starts_with(kScheme) || slash == std::string::npos) {
    throw Error(Code::kInvalidCatalogProperty, fmt::format("connection-url '{}' is not valid", url),
                where)
        .with_hint("jdbc:postgresql://host:port/database");
  }
  std::string address = url.substr(kScheme.size(), slash - kScheme.size());
  options.database = url.substr(slash + 1, url.find('?', slash) - slash - 1);
  if (const size_t colon = address.rfind(':'); colon != std::string::npos) {
    options.port = std::atoi(address.c_str() + colon + 1);
    address.resize(colon);
  }
  options.host = address;
  options.user = properties["connection-user"];
  options.password = properties["connection-password"];
  return options;
}

}  // namespace

bool StatementRunner::run_definition(sql::StatementPtr& statement) {
  switch (statement->kind) {
    case StatementKind::kCreateView:
      if (as<sql::CreateView>(*statement).materialized) return false;
      create_view(as<sql::CreateView>(*statement));
      return true;
    case StatementKind::kDropView:
      if (as<sql::DropView>(*statement).materialized) return false;
      drop_view(as<sql::DropView>(*statement));
      return true;
    case StatementKind::kAlterView:
      if (as<sql::AlterView>(*statement).materialized) return false;
      rename_view(as<sql::AlterView>(*statement));
      return true;
    case StatementKind::kComment:
      comment(as<sql::CommentOn>(*statement));
      return true;
    case StatementKind::kCreateCatalog:
      create_catalog(as<sql::CreateCatalog>(*statement));
      return true;
    case StatementKind::kDropCatalog:
      drop_catalog(as<sql::DropCatalog>(*statement));
      return true;
    case StatementKind::kAlterSchema:
      refuse("ALTER SCHEMA", *statement);
    case StatementKind::kSetSessionAuthorization:
      refuse("SET SESSION AUTHORIZATION", *statement);
    case StatementKind::kGrant:
    case StatementKind::kRevoke:
    case StatementKind::kDeny:
    case StatementKind::kGrantRole:
    case StatementKind::kRevokeRole:
    case StatementKind::kCreateRole:
    case StatementKind::kDropRole:
      refuse("Managing privileges and roles", *statement);
    case StatementKind::kCreateFunction:
    case StatementKind::kDropFunction:
      refuse("Defining functions", *statement);
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
  if (prepared->HasError()) throw located(prepared->error, &printed);
  std::vector<Column> columns;
  for (size_t i = 0; i < prepared->ColumnCount(); ++i) {
    const bool known = i < analysis.columns.size();
    columns.push_back({known ? analysis.columns[i].name : prepared->GetNames()[i],
                       shown_type(prepared->GetTypes()[i], known ? analysis.columns[i].declared
                                                                 : std::optional<sql::Type>{})});
  }
  return columns;
}

void StatementRunner::explain(sql::Explain& statement, const Parameters& parameters) {
  if (statement.type == "io") refuse("EXPLAIN (TYPE IO)", statement);
  auto inner = std::move(statement.statement);
  const auto analysis = sql::resolve(inner, context(parameters));
  if (statement.type == "validate") return answer_rows("SELECT true AS \"Valid\"");
  if (statement.analyze) check_writes(analysis);
  std::vector<sql::TableInfo> tables = analysis.reads;
  tables.insert(tables.end(), analysis.writes.begin(), analysis.writes.end());
  const auto used = core_.catalogs.prepare(core_.duck, tables);
  if (!analysis.writes.empty() &&
      core_.catalogs.runs_changes(analysis.writes.front().name.catalog)) {
    // What DuckDB has to do with it is the query.
    auto source = std::make_unique<sql::QueryStatement>();
    if (auto* insert = sql::try_as<sql::Insert>(inner.get())) {
      source->query = std::move(insert->query);
    } else if (auto* create = sql::try_as<sql::CreateTableAs>(inner.get())) {
      source->query = std::move(create->query);
    } else {
      refuse("EXPLAIN of this statement on such a catalog", statement);
    }
    if (statement.analyze) refuse("EXPLAIN ANALYZE of a change", statement);
    inner = std::move(source);
  }
  std::string plan;
  if (auto* query = sql::try_as<sql::QueryStatement>(inner.get())) {
    if (const auto remote = sql::print_postgres(*query->query, analysis)) {
      plan = fmt::format("Pushed down to {} as one statement:\n{}\n\n",
                         analysis.reads.front().remote_database, *remote);
    }
  }
  const auto printed = sql::print_duckdb(*inner);
  auto& lease = connection();
  RunningQuery::Interruptible interruptible(query_, *lease, used);
  query_.enter(QueryState::kRunning);
  const char* prefix = statement.analyze ? "EXPLAIN ANALYZE " : "EXPLAIN ";
  auto result = lease->Query(prefix + printed.text);
  if (result->HasError()) throw located(result->GetErrorObject(), nullptr);
  for (auto& row : *result) plan += row.GetValue<std::string>(1);
  answer_rows("SELECT " + quote_string(plan) + " AS \"Query Plan\"");
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

void StatementRunner::create_view(sql::CreateView& statement) {
  const auto name = full_name(statement.name);
  auto catalog = core_.catalogs.get(name.catalog);
  if (!catalog->schema_exists(name.schema)) {
    throw Error(Code::kSchemaNotFound, fmt::format("Schema '{}' does not exist", name.schema),
                at(statement.pos));
  }
  const auto existing = catalog->table(name.schema, name.table);
  if (existing && existing->kind == sql::TableInfo::Kind::kMaterializedView) {
    throw Error(Code::kTableAlreadyExists,
                fmt::format("Materialized view already exists: '{}'", name.display()),
                at(statement.pos));
  }
  if (existing && existing->kind == sql::TableInfo::Kind::kView && !statement.or_replace) {
    throw Error(Code::kTableAlreadyExists, fmt::format("View already exists: '{}'", name.display()),
                at(statement.pos));
  }
  sql::TableInfo view;
  view.name = name;
  view.kind = sql::TableInfo::Kind::kView;
  view.view_sql = statement.query_text;
  view.view_catalog = query_.session().catalog;
  view.view_schema = query_.session().schema;
  view.view_owner = query_.session().user;
  view.view_runs_as_invoker = statement.security == "invoker";
  view.comment = statement.comment.value_or("");
  auto body = sql::parse(statement.query_text);
  const auto analysis = sql::resolve(body, context({}));
  for (auto& column : bound_columns(*body, analysis)) {
    sql::ColumnInfo info;
    info.name = lower_case(column.name);
    info.type = column.type;
    view.columns.push_back(std::move(info));
  }
  catalog->allow_change(query_.session().user, name.schema, name.table);
  catalog->create_view(view, statement.or_replace);
  catalog->invalidate();
  WriteNotice(core_, query_, sql::lineage_of_view(*body, analysis, view)).written();
  answer_done("CREATE VIEW");
}

void StatementRunner::drop_view(const sql::DropView& statement) {
  const auto name = full_name(statement.name);
  const char* type = "DROP VIEW";
  auto catalog = core_.catalogs.get(name.catalog);
  const auto table = catalog->table(name.schema, name.table);
  if (table && table->kind == sql::TableInfo::Kind::kMaterializedView) {
    throw Error(Code::kGenericUserError,
                fmt::format("View '{0}' does not exist, but a materialized view with that name "
                            "exists. Did you mean DROP MATERIALIZED VIEW {0}?",
                            name.display()),
                at(statement.pos));
  }
  if (!table || table->kind != sql::TableInfo::Kind::kView) {
    if (statement.if_exists && !table) return answer_done(type);
    throw Error(Code::kGenericUserError, fmt::format("View '{}' does not exist", name.display()),
                at(statement.pos));
  }
  catalog->allow_change(query_.session().user, name.schema, name.table);
  catalog->drop_view(name.schema, name.table);
  catalog->invalidate();
  WriteNotice(core_, query_, sql::lineage_of_drop(type, name)).written();
  answer_done(type);
}

void StatementRunner::rename_view(const sql::AlterView& statement) {
  if (statement.action != "rename") refuse("ALTER VIEW of this kind", statement);
  const auto from = full_name(statement.name);
  auto to = full_name(statement.target);
  if (statement.target.size() < 3) to.catalog = from.catalog;
  if (statement.target.size() < 2) to.schema = from.schema;
  if (to.catalog != from.catalog) refuse("Renaming a view across catalogs", statement);
  auto catalog = core_.catalogs.get(from.catalog);
  if (const auto found = catalog->table(from.schema, from.table);
      found && found->kind == sql::TableInfo::Kind::kMaterializedView) {
    throw Error(Code::kGenericUserError,
                fmt::format("View '{0}' does not exist, but a materialized view with that name "
                            "exists. Did you mean ALTER MATERIALIZED VIEW {0} RENAME TO ...?",
                            from.display()),
                at(statement.pos));
  }
  catalog->allow_change(query_.session().user, from.schema, from.table);
  catalog->allow_change(query_.session().user, to.schema, to.table);
  catalog->rename_view(from.schema, from.table, to.schema, to.table);
  catalog->invalidate();
  WriteNotice(core_, query_, sql::lineage_of_rename("RENAME VIEW", from, to)).written();
  answer_done("RENAME VIEW");
}

void StatementRunner::comment(const sql::CommentOn& statement) {
  sql::Name table = statement.name;
  std::string column;
  if (statement.target == "column") {
    if (table.size() < 2) {
      throw Error(Code::kMissingTable, "Table must be specified: COMMENT ON COLUMN table.column",
                  at(statement.pos));
    }
    column = lower_case(table.back().value);
    table.pop_back();
  }
  const auto name = full_name(table);
  auto catalog = core_.catalogs.get(name.catalog);
  const auto info = catalog->table(name.schema, name.table);
  if (!info) {
    throw Error(Code::kTableNotFound, fmt::format("Table '{}' does not exist", name.display()),
                at(statement.pos));
  }
  if (column.empty() && info->kind == sql::TableInfo::Kind::kMaterializedView) {
    throw Error(Code::kTableNotFound,
                fmt::format("{} '{}' does not exist, but a materialized view with that name "
                            "exists. Setting comments on materialized views is unsupported.",
                            statement.target == "view" ? "View" : "Table", name.display()),
                at(statement.pos));
  }
  const auto matches = [&](const sql::ColumnInfo& c) { return c.name == column; };
  if (!column.empty() && std::none_of(info->columns.begin(), info->columns.end(), matches)) {
    throw Error(Code::kColumnNotFound, fmt::format("Column '{}' does not exist", column),
                at(statement.pos));
  }
  core_.catalogs.prepare(core_.duck, {*info});
  catalog->allow_change(query_.session().user, name.schema, name.table);
  catalog->set_comment(name.schema, name.table, column, statement.comment);
  catalog->invalidate();
  answer_done("COMMENT");
}

void StatementRunner::create_catalog(const sql::CreateCatalog& statement) {
  const std::string name = lower_case(statement.name.value);
  if (core_.catalogs.catalog_exists(name)) {
    if (statement.if_not_exists) return answer_done("CREATE CATALOG");
    throw Error(Code::kAlreadyExists, fmt::format("Catalog '{}' already exists", name),
                at(statement.name.pos));
  }
  const std::string connector = lower_case(statement.connector.value);
  auto properties = property_texts(statement.properties);
  std::unique_ptr<Catalog> catalog;
  if (connector == "memory") catalog = make_memory_catalog(name);
  if (connector == "tpch") catalog = make_tpch_catalog(name);
  if (connector == "postgresql") {
    catalog =
        make_postgresql_catalog(postgres_options(name, std::move(properties), at(statement.pos)));
  }
  if (!catalog) {
    throw Error(Code::kNotFound, fmt::format("No factory for connector '{}'", connector),
                at(statement.connector.pos))
        .with_hint("memory, postgresql and tpch are available");
  }
  core_.catalogs.add(std::move(catalog));
  answer_done("CREATE CATALOG");
}

void StatementRunner::drop_catalog(const sql::DropCatalog& statement) {
  const std::string name = lower_case(statement.name.value);
  if (!core_.catalogs.drop(name) && !statement.if_exists) {
    throw Error(Code::kCatalogNotFound, fmt::format("Catalog '{}' not found", name),
                at(statement.name.pos));
  }
  answer_done("DROP CATALOG");
}

}  // namespace meesh::engine
