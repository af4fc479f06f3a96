// version and schema: what needs no server.
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "app/commands.h"
#include "app/language.h"
#include "base/json_schema.h"
#include "dashboards/dashboard_shape.h"
#include "governance/annotations.h"
#include "ingest/source_config.h"
#include "mesh/mesh.h"
#include "pipelines/kinds/kinds.h"
#include "pipelines/pipeline_file.h"
#include "quality/quality.h"
#include "streams/feeds/feed_config.h"
#include "streams/stream_shape.h"

namespace meesh::app {
namespace {

std::vector<std::string> schema_kinds() {
  std::vector<std::string> kinds = mesh::schema_kinds();
  kinds.insert(kinds.end(), {"source", "stream", "feed", "feed-settings", "pipeline", "pools",
                             "checks", "dashboard", "semantic", "catalogue", "glossary"});
  return kinds;
}

boost::json::value schema_of(const std::string& kind) {
  if (kind == "source") return base::json_schema(ingest::source_shape(), kind);
  if (kind == "stream") return base::json_schema(streams::stream_shape(), kind);
  if (kind == "feed") return base::json_schema(streams::feed_shape(), kind);
  if (kind == "feed-settings") return base::json_schema(streams::feed_settings_shape(), kind);
  if (kind == "pipeline") return pipelines::pipeline_schema();
  if (kind == "pools") return base::json_schema(pipelines::pools_shape(), kind);
  if (kind == "checks") return base::json_schema(quality::checks_file_shape(), kind);
  if (kind == "dashboard") return base::json_schema(dashboards::dashboard_shape(), kind);
  if (kind == "semantic") return base::json_schema(dashboards::model_shape(), kind);
  if (kind == "catalogue") return base::json_schema(governance::catalogue_shape(), kind);
  if (kind == "glossary") return base::json_schema(governance::glossary_shape(), kind);
  return mesh::json_schema(kind);
}

}  // namespace

void add_version(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("version", std::string(say("Print the version", "Afficher la version")));
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "JSON");
  command->callback([json, &exit_code] {
    if (*json) {
      fmt::print("{{\"version\":\"{}\",\"duckdb\":\"{}\",\"trino_protocol\":\"{}\"}}\n",
                 MEESH_VERSION, MEESH_DUCKDB_VERSION, MEESH_TRINO_VERSION);
    } else {
      fmt::print("meesh {} (DuckDB {}, {} {})\n", MEESH_VERSION, MEESH_DUCKDB_VERSION,
                 say("speaks Trino", "parle Trino"), MEESH_TRINO_VERSION);
    }
    exit_code = 0;
  });
}

void add_schema(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "schema", std::string(say("Write the JSON Schemas of the mesh's files",
                                "Écrire les schémas JSON des fichiers du mesh")));
  auto kind = std::make_shared<std::string>();
  auto folder = std::make_shared<std::string>();
  command
      ->add_option(
          "kind", *kind,
          std::string(say("One kind, to standard output", "Un seul type, sur la sortie standard")))
      ->check(CLI::IsMember(schema_kinds()));
  command->add_option("-o,--output", *folder,
                      std::string(say("Folder that receives every KIND.schema.json",
                                      "Dossier qui reçoit chaque TYPE.schema.json")));
  command->footer(std::string(say("Examples:\n", "Exemples :\n")) +
                  "  meesh schema domain > domain.schema.json\n"
                  "  meesh schema -o .schemas\n"
                  "  # yaml-language-server: $schema=.schemas/domain.schema.json");
  command->callback([kind, folder, &exit_code] {
    exit_code = 0;
    if (!kind->empty()) {
      fmt::print("{}\n", boost::json::serialize(schema_of(*kind)));
      return;
    }
    const std::filesystem::path target(folder->empty() ? "." : *folder);
    std::filesystem::create_directories(target);
    for (const auto& name : schema_kinds()) {
      const auto file = target / (name + ".schema.json");
      std::ofstream out(file);
      out << boost::json::serialize(schema_of(name)) << "\n";
      if (!out.flush())
        throw Error(Code::kIoError, fmt::format("cannot write '{}'", file.string()));
      fmt::print("{}\n", file.string());
    }
  });
}

}  // namespace meesh::app
