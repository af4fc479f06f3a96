#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>

#include "app/commands.h"
#include "app/language.h"
#include "dashboards/dashboard_store.h"
#include "dashboards/export.h"
#include "mesh/mesh.h"

namespace meesh::app {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string mesh = ".", out, host = "localhost";
  std::optional<int> port;
  bool force = false;
};

/// Throws ConfigError if a dashboard has mistakes.
std::vector<dashboards::Dashboard> all_dashboards(const mesh::Mesh& mesh) {
  dashboards::DashboardStore store(mesh.folder, mesh.shown);
  std::vector<dashboards::Dashboard> all;
  for (const auto& entry : store.list()) all.push_back(*store.get(entry.name));
  return all;
}

dashboards::ExportOptions options_of(const mesh::Mesh& mesh, const Options& given) {
  dashboards::ExportOptions options;
  options.host = given.host;
  options.port = given.port.value_or(mesh.listen.port);
  options.tls = mesh.tls.has_value();
  options.language = language() == Language::kFrench ? "fr" : "en";
  for (const auto& domain : mesh.domains) {
    const auto& database = domain.database;
    const bool own = database.kind == mesh::Database::Kind::kManaged;
    options.databases.push_back(
        {domain.catalog, own || database.host.empty() ? given.host : database.host, database.name,
         database.user, database.port == 0 ? 5432 : database.port});
  }
  return options;
}

void write(const fs::path& folder, const dashboards::ExportFiles& files, bool force) {
  if (fs::exists(folder) && !fs::is_empty(folder) && !force)
    throw Error(Code::kAlreadyExists, fmt::format("the folder '{}' is not empty", folder.string()))
        .with_hint("--force replaces its files");
  for (const auto& [name, text] : files) {
    const fs::path file = folder / name;
    fs::create_directories(file.parent_path());
    std::ofstream stream(file, std::ios::binary);
    stream << text;
    if (!stream.flush())
      throw Error(Code::kIoError, fmt::format("'{}' cannot be written", file.string()));
  }
}

int run(bool grafana, const Options& given) {
  const auto mesh = mesh::Mesh::load(given.mesh);
  const auto dashboards = all_dashboards(mesh);
  dashboards::SemanticLayer semantic(mesh.folder, mesh.shown);
  const auto options = options_of(mesh, given);
  const auto files = grafana ? export_grafana(dashboards, *semantic.models(), options)
                             : export_superset(dashboards, *semantic.models(), options);
  write(given.out, files, given.force);
  fmt::print("{} {}, {} {}: {}\n", dashboards.size(), say("dashboards", "tableaux de bord"),
             files.size(), say("files", "fichiers"), given.out);
  if (grafana) {
    fmt::print(
        "  {}\n  docker run -p 3000:3000 -e GF_INSTALL_PLUGINS=trino-datasource \\\n    -v "
        "{}/provisioning:/etc/grafana/provisioning -v "
        "{}/dashboards:/var/lib/grafana/dashboards grafana/grafana\n",
        say("try it:", "pour essayer :"), given.out, given.out);
  } else {
    fmt::print(
        "  {}\n  (cd {}/.. && zip -r meesh.zip {}) && superset import-dashboards -p "
        "meesh.zip -u admin\n",
        say("try it:", "pour essayer :"), given.out, fs::path(given.out).filename().string());
  }
  return 0;
}

void add_one(CLI::App& parent, const char* name, std::string doc, bool grafana, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = parent.add_subcommand(name, std::move(doc));
  command
      ->add_option("--mesh", options->mesh,
                   std::string(say("Folder with meesh.yaml", "Dossier de meesh.yaml")))
      ->capture_default_str();
  command
      ->add_option("--out", options->out,
                   std::string(say("Folder the files go into", "Dossier où vont les fichiers")))
      ->required();
  command
      ->add_option("--host", options->host,
                   std::string(say("How the other program reaches this mesh",
                                   "Comment l'autre programme atteint ce mesh")))
      ->capture_default_str();
  command
      ->add_option(
          "--port", options->port,
          std::string(say("Port instead of the file's", "Port au lieu de celui du fichier")))
      ->check(CLI::Range(1, 65535));
  command->add_flag(
      "--force", options->force,
      std::string(say("Into a folder that is not empty", "Dans un dossier qui n'est pas vide")));
  command->callback([options, grafana, &exit_code] { exit_code = run(grafana, *options); });
}

}  // namespace

void add_export(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "export",
      std::string(say("Write this mesh's dashboards for Grafana or Superset",
                      "Écrire les tableaux de bord de ce mesh pour Grafana ou Superset")));
  command->require_subcommand(1);
  add_one(
      *command, "grafana",
      std::string(say("Provisioning files of Grafana", "Fichiers de provisionnement de Grafana")),
      true, exit_code);
  add_one(*command, "superset",
          std::string(say("Superset's import format", "Format d'import de Superset")), false,
          exit_code);
  command->footer(
      "meesh export grafana --mesh demo --out grafana\nmeesh export superset --mesh demo "
      "--out superset");
}

}  // namespace meesh::app
