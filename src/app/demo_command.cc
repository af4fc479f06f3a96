// `meesh demo`: fill the demo's databases, send events, run its pipelines, ask its queries.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "app/ask_file.h"
#include "app/commands.h"
#include "app/demo_produce.h"
#include "app/demo_run.h"
#include "app/language.h"
#include "app/progress_bar.h"
#include "mesh/demo_data.h"
#include "mesh/northwind_data.h"
#include "mesh/running_mesh.h"

namespace meesh::app {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct DemoOptions {
  std::string mesh = "demo", data, server = "http://127.0.0.1:8080";
  std::optional<double> scale;
  uint64_t seed = 1;
  std::optional<uint64_t> customers, orders, leads, campaigns;
  bool northwind = false, replace = false;
  std::vector<std::string> pipelines;  // none = all
  std::string run_date;
  std::string sql;  // a file to write instead of loading; "-" is standard output
};

std::atomic<bool> interrupted = false;

mesh::Mesh mesh_of(const DemoOptions& options) {
  mesh::LoadOptions given;
  given.data = options.data;
  return mesh::Mesh::load(options.mesh, given);
}

/// Fills something with a bar on the terminal; the seconds it took.
double with_progress(const std::function<void(const mesh::DemoProgress&)>& fill) {
  std::signal(SIGINT, [](int) { interrupted = true; });
  ProgressBar bar(
      [](double rows) { return fmt::format("{:.0f} {}", rows, say("rows", "lignes")); });
  const auto start = Clock::now();
  fill([&](uint64_t done, uint64_t total) {
    bar.show(done, total);
    return !interrupted;
  });
  bar.clear();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void load_retail(const DemoOptions& options) {
  const auto mesh = mesh_of(options);
  mesh::RunningMesh running(mesh);
  running.start_or_join();
  mesh::DemoLoad load;
  load.counts = mesh::DemoCounts::scaled(options.scale.value_or(0.1));
  load.counts.customers = options.customers.value_or(load.counts.customers);
  load.counts.orders = options.orders.value_or(load.counts.orders);
  load.counts.leads = options.leads.value_or(load.counts.leads);
  load.counts.campaigns = options.campaigns.value_or(load.counts.campaigns);
  load.seed = options.seed;
  const double seconds = with_progress([&](const mesh::DemoProgress& progress) {
    mesh::load_demo_data(running.database_of("sales"), running.database_of("marketing"), load,
                         progress);
  });
  fmt::print("{} {}: {} customers, {} orders, {} leads, {} campaigns, {:.1f} s\n",
             load.counts.total(), say("rows loaded", "lignes chargées"), load.counts.customers,
             load.counts.orders, load.counts.leads, load.counts.campaigns, seconds);
}

void write_sql(const std::string& file, const mesh::NorthwindRows& rows) {
  if (file == "-") {
    mesh::write_northwind_sql(rows, std::cout);
    return;
  }
  std::ofstream out(file);
  mesh::write_northwind_sql(rows, out);
  if (!out.flush()) throw Error(Code::kIoError, "cannot write " + file);
}

void load_northwind(const DemoOptions& options) {
  mesh::NorthwindLoad load;
  load.counts = mesh::NorthwindCounts::scaled(options.scale.value_or(1));
  load.seed = options.seed;
  load.replace = options.replace;
  if (!options.sql.empty()) {
    write_sql(options.sql, mesh::NorthwindRows(load.seed, load.counts));
    return;
  }
  const auto mesh = mesh_of(options);
  mesh::RunningMesh running(mesh);
  running.start_or_join();
  uint64_t rows = 0;
  const double seconds = with_progress([&](const mesh::DemoProgress& progress) {
    rows = mesh::load_northwind(running.database_of("northwind"), load, progress);
  });
  fmt::print("{} {}: {} customers, {} orders, {} products, {:.1f} s\n", rows,
             say("rows loaded", "lignes chargées"), load.counts.customers, load.counts.orders,
             load.counts.products, seconds);
}

/// The remarks at the head of a query say what it is for.
std::string remarks(const fs::path& file) {
  std::ifstream in(file);
  std::string line, out;
  while (std::getline(in, line) && line.starts_with("--")) out += line.substr(2) + "\n";
  return out;
}

int ask(const DemoOptions& options) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(options.mesh) / "queries")) {
    if (entry.path().extension() == ".sql") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  bool good = true;
  for (const auto& file : files) {
    fmt::print("{}\n{}\n", file.filename().string(), remarks(file));
    good &= ask_file(file.string(), options.server);
    fmt::print("\n");
  }
  return good ? 0 : 1;
}

void add_load(CLI::App& demo, const std::shared_ptr<DemoOptions>& options, int& exit_code) {
  auto* load = demo.add_subcommand(
      "load",
      std::string(say("Generate customers, orders, leads and campaigns, or Northwind's rows",
                      "Générer clients, commandes, prospects et campagnes, ou les lignes "
                      "de Northwind")));
  load->add_option("--mesh", options->mesh,
                   std::string(say("Folder with meesh.yaml", "Dossier de meesh.yaml")))
      ->capture_default_str();
  load->add_option("--data", options->data,
                   std::string(say("Data folder instead of the file's",
                                   "Dossier de données au lieu de celui du fichier")));
  load->add_option("--scale", options->scale,
                   std::string(say("1 = 200 k customers, 2 M orders, 300 k leads (default 0.1); of "
                                   "Northwind 91 customers, 830 orders (default 1)",
                                   "1 = 200 k clients, 2 M commandes, 300 k prospects (0.1 par "
                                   "défaut) ; de Northwind 91 clients, 830 commandes (1 par "
                                   "défaut)")))
      ->check(CLI::Range(0.0001, 1000.0));
  load->add_option("--seed", options->seed,
                   std::string(say("Same seed, same rows", "Même graine, mêmes lignes")))
      ->capture_default_str();
  std::vector<CLI::Option*> retail{load->add_option("--customers", options->customers),
                                   load->add_option("--orders", options->orders),
                                   load->add_option("--leads", options->leads),
                                   load->add_option("--campaigns", options->campaigns)};
  auto* northwind = load->add_flag(
      "--northwind", options->northwind,
      std::string(say("Rows of the domain northwind", "Les lignes du domaine northwind")));
  for (CLI::Option* option : retail) option->excludes(northwind);
  load->add_flag("--replace", options->replace,
                 std::string(say("With --northwind: also rows that were not generated",
                                 "Avec --northwind : aussi des lignes non générées")))
      ->needs(northwind);
  load->add_option("--sql", options->sql,
                   std::string(say("With --northwind: write SQL into this file instead (- is "
                                   "standard output)",
                                   "Avec --northwind : écrire du SQL dans ce fichier (- est la "
                                   "sortie standard)")))
      ->needs(northwind);
  load->footer(std::string(say("Examples:\n", "Exemples :\n")) +
               "  meesh demo load --scale 1\n"
               "  meesh demo load --customers 1000 --orders 50000 --seed 7\n"
               "  meesh demo load --northwind --scale 100");
  load->callback([options, &exit_code] {
    options->northwind ? load_northwind(*options) : load_retail(*options);
    exit_code = 0;
  });
}

void add_run(CLI::App& demo, const std::shared_ptr<DemoOptions>& options, int& exit_code) {
  auto* run = demo.add_subcommand(
      "run", std::string(say("Run the demo's pipelines on a server and show what they made",
                             "Exécuter les pipelines de la démonstration sur un serveur et montrer "
                             "leur résultat")));
  run->add_option("pipeline", options->pipelines,
                  std::string(say("northwind, retail; both without a name",
                                  "northwind, retail ; les deux sans nom")))
      ->check(CLI::IsMember({"northwind", "retail"}));
  run->add_option("--run-date", options->run_date,
                  std::string(say("Date that the run is for (today): 2025-07-01",
                                  "Date de l'exécution (aujourd'hui) : 2025-07-01")));
  run->add_option("--mesh", options->mesh,
                  std::string(say("Folder with meesh.yaml", "Dossier de meesh.yaml")))
      ->capture_default_str();
  run->add_option("--server", options->server,
                  std::string(say("Address of the server (MEESH_SERVER)",
                                  "Adresse du serveur (MEESH_SERVER)")))
      ->capture_default_str();
  run->footer(std::string(say("Examples:\n", "Exemples :\n")) +
              "  meesh demo run\n  meesh demo run northwind --run-date 2025-07-01\n" +
              std::string(say("Exit codes: 0 all well, 1 a run failed, 2 wrong options, 3 no "
                              "server, 130 canceled.",
                              "Codes de sortie : 0 succès, 1 une exécution a échoué, 2 options "
                              "fausses, 3 pas de serveur, 130 annulé.")));
  run->callback([options, &exit_code] {
    if (options->pipelines.empty()) options->pipelines = {"northwind", "retail"};
    const std::string queries = (fs::path(options->mesh) / "queries").string();
    exit_code = 0;
    for (const std::string& pipeline : options->pipelines) {
      exit_code =
          std::max(exit_code, run_demo({pipeline, options->server, queries, options->run_date}));
    }
  });
}

}  // namespace

void add_demo(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<DemoOptions>();
  if (const char* server = std::getenv("MEESH_SERVER")) options->server = server;
  auto* command = app.add_subcommand(
      "demo", std::string(say("Fill the demo mesh, run its pipelines, ask its queries",
                              "Remplir le mesh de démonstration, exécuter ses pipelines, poser ses "
                              "requêtes")));
  command->require_subcommand(1);
  add_load(*command, options, exit_code);
  add_run(*command, options, exit_code);
  add_demo_produce(*command, exit_code);
  auto* queries = command->add_subcommand(
      "ask", std::string(say("Ask the demo's queries", "Poser les requêtes de la démonstration")));
  queries
      ->add_option("--mesh", options->mesh,
                   std::string(say("Folder with meesh.yaml", "Dossier de meesh.yaml")))
      ->capture_default_str();
  queries
      ->add_option("--server", options->server,
                   std::string(say("Address of the server (MEESH_SERVER)",
                                   "Adresse du serveur (MEESH_SERVER)")))
      ->capture_default_str();
  queries->footer(std::string(say("Example:\n", "Exemple :\n")) + "  meesh demo ask");
  queries->callback([options, &exit_code] { exit_code = ask(*options); });
}

}  // namespace meesh::app
