#include "ingest/sources/postgresql.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "engine/ask.h"
#include "ingest/lake_types.h"
#include "ingest/landing.h"
#include "ingest/sources/database_rows.h"
#include "ingest/sources/postgresql_changes.h"
#include "mesh/postgres_connection.h"

namespace meesh::ingest {

using base::Shape;
using engine::quote_name;
using engine::quote_text;
using sql::TypeKind;

namespace {

// Types whose text says all there is to them, or that come as what they are.
const std::set<std::string>& plain_types() {
  static const std::set<std::string> types = {
      "bool",   "int2", "int4", "int8",      "float4",      "float8", "numeric", "text", "varchar",
      "bpchar", "date", "time", "timestamp", "timestamptz", "uuid",   "bytea",   "name", "oid"};
  return types;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// A relation as PostgreSQL's own catalog has it.
struct Relation {
  std::string name;  // real, perhaps of mixed case
  char kind = 'r';
  double rows = -1;
  std::vector<std::string> key;
  struct Column {
    std::string name, type, shown;  // "int4", "integer"; arrays end in []
  };
  std::vector<Column> columns;
};

class PostgresSource : public Source, private RowsServer {
 public:
  PostgresSource(const SourceConfig& config, const Resources& resources)
      : engine_(resources.engine),
        buffers_(resources.buffers),
        config_(config),
        options_(postgresql_server(config, resources)),
        schema_(postgresql_options(config_).schema) {}

  std::string_view kind() const override { return "postgresql"; }
  std::string check() override;
  std::vector<Stream> discover() override;
  Stream describe(const TableConfig& table) override;
  std::unique_ptr<Reader> read(ReadRequest request) override;
  std::shared_ptr<ChangeSource> changes() override;

 private:
  engine::Engine& engine() override { return engine_; }
  std::string table_sql(const std::string& stream) const override {
    return engine::quote_table({options_.name, schema_, stream});
  }
  std::string horizon(const sql::Type& type) override;
  std::string portion_end(const Stream& stream, const StreamColumn& column,
                          const std::string& after, double rows) override;

  /// The stream's table as the server names it, of whatever case; and a column of it.
  std::string table_on_server(const std::string& stream) const;
  std::string name_on_server(const std::string& table, const std::string& column) const;
  /// Rows on the server; throws an Error that names the source.
  std::vector<std::vector<std::string>> ask_server(const std::string& sql) const;
  std::string address(const std::string& table) const;
  std::map<std::string, Relation> relations(const std::string& only) const;
  std::vector<Stream> streams(const std::string& only);

  engine::Engine& engine_;
  const std::shared_ptr<engine::BufferTables> buffers_;
  const SourceConfig config_;
  const engine::PostgresOptions options_;
  const std::string schema_;
};

std::vector<std::vector<std::string>> PostgresSource::ask_server(const std::string& sql) const {
  try {
    return mesh::PostgresConnection(options_).execute(sql);
  } catch (const mesh::PostgresError& error) {
    const bool lost = error.sql_state().starts_with("08");
    throw Error(lost ? Code::kUnavailable : Code::kJdbcError,
                fmt::format("Source '{}': {}", config_.name, error.message()))
        .with_hint(lost ? fmt::format("is PostgreSQL running at {}:{}, and does it let {} in?",
                                      options_.host, options_.port, options_.user)
                        : "");
  }
}

std::string PostgresSource::table_on_server(const std::string& stream) const {
  const auto found = ask_server(fmt::format(
      "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c JOIN "
      "pg_namespace n ON n.oid = c.relnamespace WHERE lower(n.nspname) = {} AND lower(c.relname) = "
      "{} AND c.relkind IN ('r', 'p', 'f', 'm', 'v')",
      quote_text(schema_), quote_text(stream)));
  return found.at(0).at(0);
}

std::string PostgresSource::name_on_server(const std::string& table,
                                           const std::string& column) const {
  const auto found = ask_server(
      fmt::format("SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = {}::regclass AND "
                  "lower(attname) = {} AND attnum > 0 AND NOT attisdropped",
                  quote_text(table), quote_text(column)));
  return found.at(0).at(0);
}

std::string PostgresSource::horizon(const sql::Type& type) {
  const bool zoned = type.kind == TypeKind::kTimestampTz;
  const std::string now =
      "least(now(), (SELECT min(xact_start) FROM pg_stat_activity WHERE backend_xid IS NOT NULL "
      "AND pid <> pg_backend_pid()))";
  // Nobody says whose time a column without zone is in: the earlier one is safe.
  const std::string moment =
      zoned ? now + " AT TIME ZONE 'UTC'"
            : fmt::format("least({0} AT TIME ZONE 'UTC', ({0})::timestamp)", now);
  const auto row = ask_server(
      fmt::format("SELECT to_char({}, '{}')", moment,
                  type.kind == TypeKind::kDate ? "YYYY-MM-DD" : "YYYY-MM-DD HH24:MI:SS.US"));
  return row.at(0).at(0);
}

std::string PostgresSource::portion_end(const Stream& stream, const StreamColumn& column,
                                        const std::string& after, double rows) {
  const std::string table = table_on_server(stream.name);
  const std::string name = name_on_server(table, column.name);
  const auto kind = column.type.kind;
  std::string text = name + "::text";
  if (kind == TypeKind::kDate) text = fmt::format("to_char({}, 'YYYY-MM-DD')", name);
  const bool zoned = kind == TypeKind::kTimestampTz;
  if (zoned || kind == TypeKind::kTimestamp) {
    text = fmt::format("to_char({}{}, 'YYYY-MM-DD HH24:MI:SS.US')", name,
                       zoned ? " AT TIME ZONE 'UTC'" : "");
  }
  const std::string where =
      after.empty() ? "" : fmt::format("WHERE {} > '{}{}'", name, after, zoned ? " UTC" : "");
  const auto found =
      ask_server(fmt::format("SELECT {} AS bound FROM {} {} ORDER BY {} OFFSET {:.0f} LIMIT 1",
                             text, table, where, name, rows - 1));
  return found.empty() ? "" : found[0].at(0);
}

std::unique_ptr<Reader> PostgresSource::read(ReadRequest request) {
  const auto& options = postgresql_options(request.table);
  const PortionRules rules{options.chunk_rows, options.consistent};
  return read_database_rows(*this, std::move(request), rules);
}

std::shared_ptr<ChangeSource> PostgresSource::changes() {
  const auto& given = postgresql_options(config_);
  PostgresChangesOptions options;
  options.source = config_.name;
  options.server = options_;
  options.schema = schema_;
  options.slot = given.slot;
  options.publication = given.publication;
  options.buffers = buffers_;
  return make_postgres_changes(std::move(options));
}

std::string PostgresSource::check() {
  const auto found = ask_server(fmt::format(
      "SELECT current_setting('server_version'), (SELECT count(*) FROM pg_namespace WHERE "
      "lower(nspname) = {0}), (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = "
      "c.relnamespace WHERE lower(n.nspname) = {0} AND c.relkind IN ('r', 'p', 'f') AND NOT "
      "c.relispartition)",
      quote_text(schema_)));
  const auto& row = found.at(0);
  if (row.at(1) == "0") {
    throw Error(Code::kSchemaNotFound, fmt::format("Source '{}': there is no schema '{}' in {}",
                                                   config_.name, schema_, options_.database));
  }
  for (const auto& [name, table] : config_.tables) describe(table);
  return fmt::format("PostgreSQL {}, schema {}, {} tables", row.at(0), schema_, row.at(2));
}

std::map<std::string, Relation> PostgresSource::relations(const std::string& only) const {
  const std::string which = fmt::format(
      "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace {{}} WHERE lower(n.nspname) = "
      "{} AND c.relkind IN ('r', 'p', 'f', 'm', 'v') AND NOT c.relispartition{}",
      quote_text(schema_),
      only.empty() ? "" : fmt::format(" AND lower(c.relname) = {}", quote_text(only)));
  std::map<std::string, Relation> found;
  for (auto& row : ask_server("SELECT c.relname, c.relkind, c.reltuples " +
                              fmt::format(fmt::runtime(which), ""))) {
    Relation relation;
    relation.name = row.at(0);
    relation.kind = row.at(1).at(0);
    relation.rows = std::stod(row.at(2));
    found.emplace(lower(row.at(0)), std::move(relation));
  }
  const std::string keys =
      "SELECT c.relname, a.attname " +
      fmt::format(fmt::runtime(which),
                  "JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary CROSS JOIN LATERAL "
                  "unnest(i.indkey) WITH ORDINALITY AS k(number, place) JOIN pg_attribute a ON "
                  "a.attrelid = c.oid AND a.attnum = k.number") +
      " ORDER BY c.relname, k.place";
  for (const auto& row : ask_server(keys))
    if (const auto at = found.find(lower(row.at(0))); at != found.end())
      at->second.key.push_back(lower(row.at(1)));
  const std::string columns =
      "SELECT c.relname, a.attname, t.typname, format_type(a.atttypid, a.atttypmod) " +
      fmt::format(fmt::runtime(which),
                  "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT "
                  "a.attisdropped JOIN pg_type t ON t.oid = a.atttypid") +
      " ORDER BY c.relname, a.attnum";
  for (auto& row : ask_server(columns))
    if (const auto at = found.find(lower(row.at(0))); at != found.end())
      at->second.columns.push_back({lower(row.at(1)), row.at(2), row.at(3)});
  return found;
}

std::string PostgresSource::address(const std::string& table) const {
  const bool socket = options_.host.starts_with('/');
  return fmt::format("postgres://{}:{}/{}.{}.{}", socket ? "localhost" : options_.host,
                     options_.port, options_.database, schema_, table);
}

std::vector<Stream> PostgresSource::streams(const std::string& only) {
  const auto known = relations(only);
  const auto columns = engine::ask(
      engine_,
      fmt::format("SELECT table_name, column_name, data_type FROM {}.information_schema.columns "
                  "WHERE table_schema = {}{} ORDER BY table_name, ordinal_position",
                  quote_name(options_.name), quote_text(schema_),
                  only.empty() ? "" : fmt::format(" AND table_name = {}", quote_text(only))),
      ingest_session());
  std::map<std::string, Stream> streams;
  for (const auto& [name, relation] : known) {
    Stream& stream = streams[name];
    stream.name = name;
    stream.origin = fmt::format("{}.{}.{}", config_.name, schema_, name);
    stream.address = address(relation.name);
    stream.is_view = relation.kind == 'v' || relation.kind == 'm';
    stream.key = relation.key;
    stream.unique_key = true;
    stream.estimated_rows = relation.rows;
  }
  for (const auto& row : columns.rows) {
    const auto at = streams.find(row.at(0).value_or(""));
    if (at == streams.end()) continue;
    at->second.columns.push_back(
        {row.at(1).value_or(""), sql::Type::parse(row.at(2).value_or("")), ""});
  }
  std::vector<Stream> all;
  for (auto& [name, stream] : streams) {
    for (const auto& column : known.at(name).columns) {
      const auto at = std::ranges::find(stream.columns, column.name, &StreamColumn::name);
      if (at == stream.columns.end()) {
        stream.notes.push_back(
            fmt::format("column {} of type {} cannot be read", column.name, column.shown));
      } else if (!plain_types().contains(column.type) && column.type[0] != '_') {
        at->note = fmt::format("{} is kept as {}", column.shown, landed_type(at->type).display());
      }
    }
    stream.cursors = likely_database_cursors(stream);
    all.push_back(std::move(stream));
  }
  return all;
}

std::vector<Stream> PostgresSource::discover() { return streams(""); }

Stream PostgresSource::describe(const TableConfig& table) {
  auto found = streams(table.name);
  if (found.size() == 1) return std::move(found[0]);
  throw Error(Code::kTableNotFound,
              fmt::format("Source '{}' has no table '{}' in the schema '{}'", config_.name,
                          table.name, schema_),
              {table.line, table.column, config_.file.string()})
      .with_hint("meesh ingest discover " + config_.name + " lists those there are");
}

Shape connection_shape() {
  return base::object(
      "A server that is no catalog of the mesh.",
      {base::required("host", base::matching("Host name or address.", "^[A-Za-z0-9:._/-]+$",
                                             "a host name or address", 255)),
       base::optional("port", base::integer("Port.", 1, 65535), "5432"),
       base::required("name", base::text("Name of the database.")),
       base::required("user", base::text("User to connect as.")),
       base::required("password",
                      base::secret_text("Its password; write ${NAME} to keep it out of git."))});
}

Shape server_name(std::string doc) {
  return base::matching(std::move(doc), "^[a-z_][a-z0-9_]*$",
                        "a name (lower-case letters, digits and _)", 63);
}

void read_options(const ConfigReader& reader, SourceConfig& config) {
  const auto& root = reader.root();
  auto options = std::make_shared<PostgresqlOptions>();
  options->catalog = text_or(root, "catalog");
  options->schema = lower(text_or(root, "schema", "public"));
  options->slot = text_or(root, "slot");
  options->publication = text_or(root, "publication");
  const auto* connection = root.find("connection");
  if (options->catalog.empty() == (connection == nullptr)) {
    reader.complain(root, "a source of kind postgresql needs one of 'catalog' and 'connection'",
                    "catalog: the name of a domain or of a catalog in meesh.yaml");
  }
  if (connection) {
    auto& server = options->connection.emplace();
    server.name = "$" + config.name;
    server.host = connection->find("host")->text;
    server.port = static_cast<int>(connection->find("port")->integer().value_or(5432));
    server.database = connection->find("name")->text;
    server.user = connection->find("user")->text;
    server.password = connection->find("password")->text;
    server.read_only = true;
  }
  config.options = std::move(options);
}

void read_table(const ConfigReader& reader, const yaml::Node& node, const SourceConfig&,
                TableConfig& table) {
  need_cursor(reader, node, table);
  auto options = std::make_shared<PostgresqlTableOptions>();
  if (const auto* rows = node.find("chunk_rows"); rows && rows->integer())
    options->chunk_rows = *rows->integer();
  options->consistent = flag(node, "consistent");
  table.options = std::move(options);
}

}  // namespace

const PostgresqlOptions& postgresql_options(const SourceConfig& config) {
  return dynamic_cast<const PostgresqlOptions&>(*config.options);
}

const PostgresqlTableOptions& postgresql_options(const TableConfig& table) {
  static const PostgresqlTableOptions none;
  return table.options ? dynamic_cast<const PostgresqlTableOptions&>(*table.options) : none;
}

engine::PostgresOptions postgresql_server(const SourceConfig& config, const Resources& resources) {
  const auto& options = postgresql_options(config);
  if (options.connection) return *options.connection;
  const auto& catalogs = resources.catalogs;
  const auto found = std::ranges::find(catalogs, options.catalog, &engine::PostgresOptions::name);
  if (found != catalogs.end()) return *found;
  std::vector<std::string> names;
  for (const auto& catalog : catalogs) names.push_back(catalog.name);
  throw Error(Code::kConfigInvalid,
              fmt::format("there is no catalog '{}' of kind postgresql", options.catalog),
              {1, 1, config.file.string()})
      .with_hint(base::did_you_mean(options.catalog, names, "catalogs: "));
}

Kind postgresql_kind() {
  Kind kind;
  kind.word = "postgresql";
  kind.doc = "Tables of a PostgreSQL server.";
  kind.keys = {
      base::optional("catalog", base::matching("A catalog of the mesh, of kind postgresql.",
                                               "^[a-z][a-z0-9_]*$",
                                               "a name (lower-case letters, digits and _, "
                                               "beginning with a letter)")),
      base::optional("connection", connection_shape()),
      base::optional("schema", base::text("Schema of the tables."), "public"),
      base::optional("slot", server_name("cdc: the replication slot; without it, meesh_<source>.")),
      base::optional("publication",
                     server_name("cdc: the publication; without it, meesh_<source>."))};
  kind.table_keys = {
      base::optional("chunk_rows",
                     base::integer("A table of more rows is read in portions of about so many, by "
                                   "its primary key, and a run that was killed goes on where it "
                                   "was.",
                                   1, 1'000'000'000'000),
                     "5000000"),
      base::optional("consistent",
                     base::boolean("Read in one portion, as it is at one moment, however large."),
                     "false")};
  kind.modes = {"full_refresh", "incremental", "cdc"};
  kind.table_name_pattern = "^[^\\s\"/]{1,128}$";
  kind.table_name_means = "a table's name";
  kind.read = read_options;
  kind.read_table = read_table;
  kind.open = [](const SourceConfig& config,
                 const Resources& resources) -> std::unique_ptr<Source> {
    return std::make_unique<PostgresSource>(config, resources);
  };
  kind.attach = [](const SourceConfig& config, const Resources& resources) {
    if (const auto& connection = postgresql_options(config).connection)
      resources.engine.add_catalog(engine::make_postgresql_catalog(*connection));
  };
  kind.detach = [](const SourceConfig& config, const Resources& resources) {
    if (const auto& connection = postgresql_options(config).connection)
      resources.engine.drop_catalog(connection->name);
  };
  return kind;
}

}  // namespace meesh::ingest
