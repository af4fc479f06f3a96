#include "app/lake/tables.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <memory>

#include "app/lake/keys.h"
#include "app/lake/local_tables.h"
#include "app/language.h"
#include "app/sql/sql_command.h"
#include "base/error.h"
#include "base/uuid.h"
#include "sql/lexer.h"

namespace meesh::app {
namespace {

struct TableOptions {
  SqlOptions sql;
  std::string catalog = "lake", table, snapshot, threshold, where, place;
  bool as_json = false, recursive = false, quiet = false;
  std::string endpoint = "http://127.0.0.1:9000", region = "us-east-1", mesh;
  int jobs = 8;
};

/// Catalog, schema and table of "schema.table" or "catalog.schema.table".
std::array<std::string, 3> name_parts(const TableOptions& options) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= options.table.size();) {
    const size_t end = std::min(options.table.find('.', at), options.table.size());
    parts.push_back(options.table.substr(at, end - at));
    at = end + 1;
  }
  if (parts.size() == 2) parts.insert(parts.begin(), options.catalog);
  if (parts.size() != 3 || parts[0].empty() || parts[1].empty() || parts[2].empty()) {
    throw Error(Code::kInvalidArguments, fmt::format("'{}' is not a table's name", options.table))
        .with_hint("write schema.table, such as sales.orders");
  }
  return {parts[0], parts[1], parts[2]};
}

/// The quoted name; `suffix` is a metadata table's ("$snapshots").
std::string table_name(const TableOptions& options, std::string_view suffix = {}) {
  const auto [catalog, schema, table] = name_parts(options);
  return fmt::format("{}.{}.{}", sql::quote_identifier(catalog), sql::quote_identifier(schema),
                     sql::quote_identifier(table + std::string(suffix)));
}

void check_place(const TableOptions& options) {
  if (options.place.starts_with("s3://") && options.place.size() > 5) return;
  throw Error(Code::kInvalidArguments, fmt::format("'{}' is not s3://bucket/folder", options.place))
      .with_hint("write s3://bucket/folder, or a path of this machine");
}

std::string size_of(const TableOptions& options) {
  return fmt::format(
      "SELECT count(*) AS files, sum(record_count) AS \"rows\", "
      "sum(file_size_in_bytes) AS bytes FROM {} WHERE content = 0",
      table_name(options, "$files"));
}

std::vector<std::string> list(const TableOptions& options) {
  const std::string one =
      options.table.empty() ? "" : " AND table_schema = " + sql::quote_string(options.table);
  return {
      fmt::format("SELECT table_schema AS \"schema\", table_name AS \"table\", table_type AS "
                  "type FROM {}.information_schema.tables WHERE table_schema <> "
                  "'information_schema'{} ORDER BY 1, 2",
                  sql::quote_identifier(options.catalog), one)};
}

std::vector<std::string> describe(const TableOptions& options) {
  return {"SHOW CREATE TABLE " + table_name(options), size_of(options)};
}

std::vector<std::string> history(const TableOptions& options) {
  return {
      fmt::format("SELECT committed_at, snapshot_id, operation, "
                  "element_at(summary, 'added-records') AS added, "
                  "element_at(summary, 'deleted-records') AS deleted, "
                  "element_at(summary, 'total-records') AS total FROM {} ORDER BY "
                  "committed_at",
                  table_name(options, "$snapshots"))};
}

std::vector<std::string> rollback(const TableOptions& options) {
  if (options.snapshot.empty() ||
      options.snapshot.find_first_not_of("0123456789") != std::string::npos) {
    throw Error(Code::kInvalidArguments, fmt::format("'{}' is not a snapshot", options.snapshot))
        .with_hint("meesh lake history shows the numbers of a table's snapshots");
  }
  return {fmt::format("ALTER TABLE {} EXECUTE rollback_to_snapshot({})", table_name(options),
                      options.snapshot)};
}

std::vector<std::string> optimize(const TableOptions& options) {
  const std::string threshold =
      options.threshold.empty()
          ? ""
          : fmt::format("(file_size_threshold => {})", sql::quote_string(options.threshold));
  const std::string where = options.where.empty() ? "" : " WHERE " + options.where;
  return {
      fmt::format("ALTER TABLE {} EXECUTE optimize{}{}", table_name(options), threshold, where)};
}

std::vector<std::string> import_folder(const TableOptions& options) {
  check_place(options);
  const auto [catalog, schema, table] = name_parts(options);
  return {fmt::format("CALL {}.system.import_table(schema_name => {}, table_name => {}, location "
                      "=> {}, recursive_directory => '{}')",
                      sql::quote_identifier(catalog), sql::quote_string(schema),
                      sql::quote_string(table), sql::quote_string(options.place),
                      options.recursive ? "true" : "fail"),
          size_of(options)};
}

/// An external table that takes the rows and is forgotten: its files stay.
std::vector<std::string> export_table(const TableOptions& options) {
  check_place(options);
  std::string id = base::random_uuid();
  std::erase(id, '-');
  const std::string external = "hive.\"default\".export_" + id;
  return {
      fmt::format(
          "CREATE TABLE {} WITH (external_location = {}, format = 'PARQUET') AS SELECT * FROM {}",
          external, sql::quote_string(options.place), table_name(options)),
      "DROP TABLE " + external};
}

/// "./orders" and "/tmp/orders", unlike "s3://lake/orders" or "gs://lake/orders".
bool on_this_machine(const TableOptions& options) {
  return options.place.find("://") == std::string::npos;
}

LocalTable local_table(const TableOptions& options) {
  const auto [catalog, schema, table] = name_parts(options);
  return {.sql = options.sql,
          .catalog = catalog,
          .schema = schema,
          .table = table,
          .folder = options.place,
          .endpoint = options.endpoint,
          .region = options.region,
          .mesh = options.mesh,
          .jobs = options.jobs,
          .recursive = options.recursive,
          .quiet = options.quiet || options.as_json};
}

using Statements = std::vector<std::string> (*)(const TableOptions&);

CLI::App* add(CLI::App& lake, int& exit_code, const std::shared_ptr<TableOptions>& options,
              const char* name, std::string_view help, Statements statements) {
  auto* command = lake.add_subcommand(name, std::string(help));
  command
      ->add_option("--server", options->sql.session.server,
                   std::string(say("Address of the server (MEESH_SERVER)",
                                   "Adresse du serveur (MEESH_SERVER)")))
      ->capture_default_str();
  command
      ->add_option("--catalog", options->catalog,
                   std::string(say("Catalog of the lake", "Catalogue du lac")))
      ->capture_default_str();
  command->add_option("--user", options->sql.session.user,
                      std::string(say("User name", "Nom d'utilisateur")));
  command->add_flag("--json", options->as_json,
                    std::string(say("A JSON object a line", "Un objet JSON par ligne")));
  command->callback([options, statements, &exit_code] {
    options->sql.execute = statements(*options);
    if (options->as_json) options->sql.format = OutputFormat::kJson;
    exit_code = run_sql(options->sql);
  });
  return command;
}

/// As add(), for a command that works with a folder of this machine too.
CLI::App* add_folder(CLI::App& lake, int& exit_code, const std::shared_ptr<TableOptions>& options,
                     const char* name, std::string_view help, Statements statements,
                     int (*local)(const LocalTable&)) {
  auto* command = add(lake, exit_code, options, name, help, statements);
  command
      ->add_option("--endpoint", options->endpoint,
                   std::string(say("Address of the S3 endpoint (S3_ENDPOINT_URL)",
                                   "Adresse du service S3 (S3_ENDPOINT_URL)")))
      ->capture_default_str();
  command->add_option("--region", options->region)->capture_default_str();
  command->add_option("--mesh", options->mesh,
                      std::string(say("Use the administrator's key of this mesh folder",
                                      "Employer la clé d'administration de ce mesh")));
  command
      ->add_option("-j,--jobs", options->jobs,
                   std::string(say("Transfers at once", "Transferts simultanés")))
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  command->add_flag(
      "-q,--quiet", options->quiet,
      std::string(say("No line for each file copied", "Sans une ligne par fichier copié")));
  command->callback([options, statements, local, &exit_code] {
    if (options->as_json) options->sql.format = OutputFormat::kJson;
    if (on_this_machine(*options)) {
      exit_code = local(local_table(*options));
      return;
    }
    options->sql.execute = statements(*options);
    exit_code = run_sql(options->sql);
  });
  return command;
}

/// import and export.
void add_folders(CLI::App& lake, int& exit_code, const std::shared_ptr<TableOptions>& options) {
  const std::string about_folder(
      say("s3://bucket/folder, or a folder of this machine whose files are copied",
          "s3://bucket/dossier, ou un dossier de cette machine dont les fichiers sont copiés"));
  auto* taking = add_folder(lake, exit_code, options, "import",
                            say("Make a table of a folder of Parquet files: of the lake, where it "
                                "lies, or of this machine",
                                "Faire une table d'un dossier de fichiers Parquet : du lac, sur "
                                "place, ou de cette machine"),
                            import_folder, import_local);
  taking->add_option("folder", options->place, about_folder)->required();
  taking->add_option("table", options->table, std::string(say("schema.table", "schéma.table")))
      ->required();
  taking->add_flag("-r,--recursive", options->recursive,
                   std::string(say("Files of folders that are no partitions (year=2026) too",
                                   "Aussi les fichiers des dossiers qui ne sont pas des "
                                   "partitions (year=2026)")));
  taking->footer(
      "meesh lake import s3://lake/raw/orders sales.orders\n"
      "meesh lake import -r s3://lake/raw/orders lake.sales.orders\n"
      "meesh lake import ./orders sales.orders");
  auto* giving = add_folder(
      lake, exit_code, options, "export",
      say("Write a table's rows as Parquet files", "Écrire les lignes d'une table en Parquet"),
      export_table, export_local);
  giving->add_option("table", options->table, std::string(say("schema.table", "schéma.table")))
      ->required();
  giving
      ->add_option("folder", options->place,
                   std::string(say("s3://bucket/folder, or a new folder of this machine",
                                   "s3://bucket/dossier, ou un nouveau dossier de cette machine")))
      ->required();
  giving->footer(
      "meesh lake export sales.orders s3://exports/orders\n"
      "meesh lake export sales.orders ./orders");
}

}  // namespace

void add_tables(CLI::App& lake, int& exit_code) {
  auto options = std::make_shared<TableOptions>();
  options->sql.session.user = system_user();
  if (const char* server = std::getenv("MEESH_SERVER")) options->sql.session.server = server;
  if (const auto endpoint = environment("S3_ENDPOINT_URL"); !endpoint.empty())
    options->endpoint = endpoint;
  const std::string_view about_table = say("schema.table", "schéma.table");
  add(lake, exit_code, options, "tables", say("List Iceberg tables", "Lister les tables Iceberg"),
      list)
      ->add_option("schema", options->table,
                   std::string(say("Of this schema alone", "De ce schéma seulement")));
  for (const auto& [name, help, statements] :
       {std::tuple{"describe",
                   say("A table's columns, properties and size",
                       "Colonnes, propriétés et taille d'une table"),
                   Statements(describe)},
        std::tuple{"history", say("A table's snapshots", "Les instantanés d'une table"),
                   Statements(history)},
        std::tuple{"rollback",
                   say("Make an old snapshot the current one", "Rétablir un ancien instantané"),
                   Statements(rollback)},
        std::tuple{
            "optimize",
            say("Rewrite small files into large ones", "Réécrire les petits fichiers en grands"),
            Statements(optimize)}}) {
    auto* command = add(lake, exit_code, options, name, help, statements);
    command->add_option("table", options->table, std::string(about_table))->required();
    if (std::string_view(name) == "rollback") {
      command->add_option("snapshot", options->snapshot, "snapshot_id")->required();
    }
    if (std::string_view(name) == "optimize") {
      command->add_option("--threshold", options->threshold,
                          std::string(say("Files smaller than this (100MB)",
                                          "Les fichiers plus petits que cela (100MB)")));
      command->add_option("--where", options->where,
                          std::string(say("Of these partitions alone, as in SQL",
                                          "De ces partitions seulement, comme en SQL")));
      command->footer(
          "meesh lake optimize sales.orders\n"
          "meesh lake optimize sales.orders --where \"day >= DATE '2026-01-01'\"");
    }
  }
  add_folders(lake, exit_code, options);
}

}  // namespace meesh::app
