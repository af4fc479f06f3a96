#include "ingest/sources/mysql.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "engine/ask.h"
#include "engine/catalogs/attached.h"
#include "ingest/lake_types.h"
#include "ingest/sources/mysql_changes.h"
#include "mesh/attached_catalogs.h"

namespace meesh::ingest {

using base::Shape;
using engine::mysql_name;
using engine::mysql_text;
using engine::MysqlTable;
using sql::TypeKind;

namespace {

constexpr auto kPortOfServer = 3306;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// What is worth telling of how a column is kept.
std::string note_of(const engine::MysqlColumn& column) {
  static const std::set<std::string> kPlain = {
      "tinyint",   "smallint", "mediumint", "int",        "bigint",    "decimal",
      "float",     "double",   "date",      "datetime",   "timestamp", "char",
      "varchar",   "tinytext", "text",      "mediumtext", "longtext",  "binary",
      "varbinary", "tinyblob", "blob",      "mediumblob", "longblob",  "uuid"};
  const auto landed = landed_type(column.type).display();
  if (column.data_type == "time") return "what is no time of a day is NULL";
  if (kPlain.contains(column.data_type) && !column.is_unsigned &&
      (column.data_type != "decimal" || column.type.kind == TypeKind::kDecimal))
    return "";
  return fmt::format("{} is kept as {}", column.shown.size() > 60 ? column.data_type : column.shown,
                     landed);
}

class MysqlSource : public Source, public RowsServer {
 public:
  MysqlSource(engine::Engine& engine, std::shared_ptr<engine::BufferTables> buffers,
              SourceConfig config, engine::MysqlOptions options)
      : engine_(engine),
        buffers_(std::move(buffers)),
        config_(std::move(config)),
        options_(std::move(options)),
        database_(mysql_options(config_).database),
        metadata_(options_) {}

  std::string_view kind() const override { return "mysql"; }
  std::string check() override;
  std::vector<Stream> discover() override;
  Stream describe(const TableConfig& table) override;
  std::unique_ptr<Reader> read(ReadRequest request) override {
    return read_database_rows(*this, std::move(request), PortionRules());
  }
  std::shared_ptr<ChangeSource> changes() override;

  engine::Engine& engine() override { return engine_; }
  std::string table_sql(const std::string& stream) const override {
    return engine::quote_table({options_.name, lower(database_), stream});
  }
  std::string horizon(const sql::Type& type) override;
  std::string portion_end(const Stream& stream, const StreamColumn& column,
                          const std::string& after, double rows) override;

 private:
  /// Errors name the source, not the catalog that only we know.
  template <class F>
  auto named(F&& work) const {
    try {
      return work();
    } catch (const Error& error) {
      const std::string catalog = fmt::format("Catalog '{}'", options_.name);
      if (!error.message().starts_with(catalog)) throw;
      const bool lost = error.message().find("cannot be reached") != std::string::npos;
      throw Error(
          lost ? Code::kUnavailable : error.code(),
          fmt::format("Source '{}'{}", config_.name, error.message().substr(catalog.size())))
          .with_hint(lost ? fmt::format("is MySQL running at {}, and does it let {} in?",
                                        mysql_address(options_), options_.user)
                          : "");
    }
  }
  MysqlTable table_named(const std::string& stream);

  engine::Engine& engine_;
  const std::shared_ptr<engine::BufferTables> buffers_;
  const SourceConfig config_;
  const engine::MysqlOptions options_;
  const std::string database_;
  engine::MysqlMetadata metadata_;
};

std::string MysqlSource::check() {
  return named([&] {
    const std::string version = metadata_.version();
    if (!metadata_.real_schema(lower(database_))) {
      throw Error(Code::kSchemaNotFound,
                  fmt::format("Source '{}': there is no database '{}', or {} may not see it",
                              config_.name, database_, options_.user));
    }
    for (const auto& [name, table] : config_.tables) describe(table);
    return fmt::format("{} {}, database {}, {} tables",
                       version.find("MariaDB") == std::string::npos ? "MySQL" : "MariaDB",
                       version.substr(0, version.find('-')), database_,
                       metadata_.tables(lower(database_)).size());
  });
}

std::vector<Stream> MysqlSource::discover() {
  return named([&] {
    std::vector<Stream> streams;
    for (const auto& table : metadata_.describe(lower(database_)))
      streams.push_back(mysql_stream(config_, options_, table));
    std::ranges::sort(streams, {}, &Stream::name);
    return streams;
  });
}

MysqlTable MysqlSource::table_named(const std::string& stream) {
  auto found = named([&] { return metadata_.table(lower(database_), stream); });
  if (found) return std::move(*found);
  throw Error(Code::kTableNotFound,
              fmt::format("Source '{}' has no table '{}' in the database '{}'", config_.name,
                          stream, database_));
}

Stream MysqlSource::describe(const TableConfig& table) {
  try {
    return mysql_stream(config_, options_, table_named(table.name));
  } catch (const Error& error) {
    if (error.code() != Code::kTableNotFound) throw;
    throw Error(error.code(), error.message(), {table.line, table.column, config_.file.string()})
        .with_hint("meesh ingest discover " + config_.name + " lists those there are");
  }
}

std::shared_ptr<ChangeSource> MysqlSource::changes() {
  MysqlChangesOptions options;
  options.source = config_.name;
  options.server = options_;
  options.database = database_;
  options.server_id = mysql_options(config_).server_id;
  // Large enough that no replica which was numbered by hand has it.
  if (options.server_id == 0)
    options.server_id =
        static_cast<uint32_t>(base::checksum(config_.name) % 3'000'000'000) + 1'000'000'000;
  options.buffers = buffers_;
  return make_mysql_changes(std::move(options));
}

/// Nobody says whose time a datetime is in: the earlier of the server's and UTC is safe. Open
/// transactions are seen by who has the right PROCESS.
std::string MysqlSource::horizon(const sql::Type& type) {
  return named([&] {
    engine::MysqlConnection connection(options_);
    const std::string zoned = "CONVERT_TZ({}, 'SYSTEM', '+00:00')";
    const auto open = connection.try_query(
        "SELECT CONVERT_TZ(min(trx_started), 'SYSTEM', '+00:00'), min(trx_started) FROM "
        "information_schema.innodb_trx WHERE trx_rows_modified > 0");
    std::string utc = "UTC_TIMESTAMP(6)",
                local = "CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', 'SYSTEM')";
    if (open && open->at(0).at(0)) {
      utc = fmt::format("LEAST({}, {})", utc, mysql_text(*open->at(0).at(0)));
      local = fmt::format("LEAST({}, {})", local, mysql_text(*open->at(0).at(1)));
    }
    const std::string moment = type.kind == TypeKind::kTimestampTz
                                   ? utc
                                   : fmt::format("LEAST({}, COALESCE({}, {}))", utc, local, utc);
    const char* format = type.kind == TypeKind::kDate ? "%Y-%m-%d" : "%Y-%m-%d %H:%i:%s.%f";
    const auto rows = connection.query(fmt::format("SELECT date_format({}, '{}')", moment, format));
    return rows.at(0).at(0).value_or("");
  });
}

std::string MysqlSource::portion_end(const Stream& stream, const StreamColumn& column,
                                     const std::string& after, double rows) {
  const auto table = table_named(stream.name);
  const auto found = std::ranges::find(table.columns, column.name, &engine::MysqlColumn::name);
  if (found == table.columns.end()) return "";
  const std::string name = mysql_name(found->real_name);
  return named([&] {
    engine::MysqlConnection connection(options_);
    const auto last = connection.query(fmt::format(
        "SELECT {0} FROM {1}.{2} {3} ORDER BY {0} LIMIT 1 OFFSET {4:.0f}", name,
        mysql_name(table.real_schema), mysql_name(table.real_table),
        after.empty() ? "" : fmt::format("WHERE {} > {}", name, mysql_text(after)), rows - 1));
    return last.empty() ? "" : last[0].at(0).value_or("");
  });
}

Shape connection_shape() {
  return base::object(
      "A server that is no catalog of the mesh.",
      {base::required("host", base::matching("Host name or address, or the path of a socket.",
                                             "^[A-Za-z0-9:._/-]+$", "a host name or address", 255)),
       base::optional("port", base::integer("Port.", 1, 65535), "3306"),
       base::required("user", base::text("User to connect as.")),
       base::required("password",
                      base::secret_text("Its password; write ${NAME} to keep it out of git.")),
       base::optional("tls",
                      base::choice("off, required, or verify: its certificate is checked too.",
                                   {"off", "required", "verify"}),
                      "off"),
       base::optional("ca", base::text("PEM file of who signed its certificate."))});
}

engine::MysqlOptions read_connection(const yaml::Node& node, const std::string& source) {
  engine::MysqlOptions server;
  server.name = "$" + source;
  server.host = node.find("host")->text;
  server.port = static_cast<int>(node.find("port")->integer().value_or(kPortOfServer));
  server.user = node.find("user")->text;
  server.password = node.find("password")->text;
  server.tls = text_or(node, "tls", "off");
  server.ca = text_or(node, "ca");
  return server;
}

void read_options(const ConfigReader& reader, SourceConfig& config) {
  const auto& root = reader.root();
  auto options = std::make_shared<MysqlSourceOptions>();
  options->catalog = text_or(root, "catalog");
  options->database = text_or(root, "database");
  const auto* connection = root.find("connection");
  if (options->catalog.empty() == (connection == nullptr)) {
    reader.complain(root, "a source of kind mysql needs one of 'catalog' and 'connection'",
                    "catalog: the name of a domain or of a catalog in meesh.yaml of kind mysql");
  }
  if (connection) options->connection = read_connection(*connection, config.name);
  if (const auto* id = root.find("server_id"); id && id->integer())
    options->server_id = static_cast<uint32_t>(*id->integer());
  config.options = std::move(options);
}

void read_table(const ConfigReader& reader, const yaml::Node& node, const SourceConfig&,
                TableConfig& table) {
  need_cursor(reader, node, table);
}

}  // namespace

const MysqlSourceOptions& mysql_options(const SourceConfig& config) {
  return dynamic_cast<const MysqlSourceOptions&>(*config.options);
}

engine::MysqlOptions mysql_server(const SourceConfig& config, const mesh::Mesh& mesh) {
  const auto& options = mysql_options(config);
  if (options.connection) return *options.connection;
  std::vector<std::string> names;
  for (auto& server : mesh::mysql_catalogs(mesh)) {
    if (server.name == options.catalog) return server;
    names.push_back(server.name);
  }
  throw Error(Code::kConfigInvalid,
              fmt::format("there is no catalog '{}' of kind mysql", options.catalog),
              {1, 1, config.file.string()})
      .with_hint(base::did_you_mean(options.catalog, names, "catalogs: "));
}

Stream mysql_stream(const SourceConfig& config, const engine::MysqlOptions& server,
                    const MysqlTable& table) {
  Stream stream;
  stream.name = table.table;
  stream.origin = fmt::format("{}.{}.{}", config.name, table.schema, table.table);
  stream.address =
      fmt::format("mysql://{}:{}/{}.{}", server.host.starts_with('/') ? "localhost" : server.host,
                  server.port, table.real_schema, table.real_table);
  stream.is_view = table.is_view;
  stream.key = table.key;
  stream.unique_key = true;
  stream.estimated_rows = table.rows;
  for (const auto& column : table.columns)
    stream.columns.push_back({column.name, column.type, note_of(column)});
  for (const auto& unread : table.unread)
    stream.notes.push_back(fmt::format("column {} cannot be read", unread));
  stream.cursors = likely_database_cursors(stream);
  return stream;
}

Kind mysql_kind() {
  Kind kind;
  kind.word = "mysql";
  kind.doc = "Tables of a MySQL or MariaDB server.";
  kind.keys = {
      base::optional("catalog",
                     base::matching("A catalog of the mesh, of kind mysql.", "^[a-z][a-z0-9_]*$",
                                    "a name (lower-case letters, digits and _, "
                                    "beginning with a letter)")),
      base::optional("connection", connection_shape()),
      base::required("database", base::text("Database of the tables.")),
      base::optional("server_id",
                     base::integer("Number that changes are asked for with; no other replica of "
                                   "the server may have it. Without it, one made of the name.",
                                   1, 4294967295))};
  kind.modes = {"full_refresh", "incremental", "cdc"};
  kind.table_name_pattern = "^[^\\s\"/]{1,128}$";
  kind.table_name_means = "a table's name";
  kind.read = read_options;
  kind.read_table = read_table;
  kind.open = [](const SourceConfig& config,
                 const Resources& resources) -> std::unique_ptr<Source> {
    return std::make_unique<MysqlSource>(resources.engine, resources.buffers, config,
                                         mysql_server(config, resources.mesh));
  };
  kind.attach = [](const SourceConfig& config, const Resources& resources) {
    if (const auto& connection = mysql_options(config).connection)
      resources.engine.add_catalog(engine::make_mysql_catalog(*connection));
  };
  kind.detach = [](const SourceConfig& config, const Resources& resources) {
    if (const auto& connection = mysql_options(config).connection)
      resources.engine.drop_catalog(connection->name);
  };
  return kind;
}

}  // namespace meesh::ingest
