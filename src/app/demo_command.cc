// `meesh demo`: fill the demo's databases, ask its queries.
#include <csignal>
#include <filesystem>
#include <fstream>

#include "app/ask_file.h"
#include "app/commands.h"
#include "app/language.h"
#include "app/progress_bar.h"
#include "mesh/demo_data.h"
#include "mesh/running_mesh.h"

namespace meesh::app {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct DemoOptions {
  std::string mesh = "demo", data, server = "http://127.0.0.1:8080";
  double scale = 0.1;
  uint64_t seed = 1;
  std::optional<uint64_t> customers, orders, leads, campaigns;
};

std::atomic<bool> interrupted = false;

void load(const DemoOptions& options) {
  mesh::LoadOptions given;
  given.data = options.data;
  const auto mesh = mesh::Mesh::load(options.mesh, given);
  mesh::RunningMesh running(mesh);
  running.start_or_join();
  mesh::DemoLoad load;
  load.counts = mesh::DemoCounts::scaled(options.scale);
  load.counts.customers = options.customers.value_or(load.counts.customers);
  load.counts.orders = options.orders.value_or(load.counts.orders);
  load.counts.leads = options.leads.value_or(load.counts.leads);
  load.counts.campaigns = options.campaigns.value_or(load.counts.campaigns);
  load.seed = options.seed;
  std::signal(SIGINT, [](int) { interrupted = true; });
  ProgressBar bar(
      [](double rows) { return fmt::format("{:.0f} {}", rows, say("rows", "lignes")); });
  const auto start = Clock::now();
  mesh::load_demo_data(running.database_of("sales"), running.database_of("marketing"), load,
                       [&](uint64_t done, uint64_t total) {
                         bar.show(done, total);
                         return !interrupted;
                       });
  bar.clear();
  fmt::print("{} {}: {} customers, {} orders, {} leads, {} campaigns, {:.1f} s\n",
             load.counts.total(), say("rows loaded", "lignes chargées"), load.counts.customers,
             load.counts.orders, load.counts.leads, load.counts.campaigns,
             std::chrono::duration<double>(Clock::now() - start).count());
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

}  // namespace

void add_demo(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<DemoOptions>();
  auto* command = app.add_subcommand(
      "demo", std::string(say("Fill the demo mesh, ask its queries",
                              "Remplir le mesh de démonstration, poser ses requêtes")));
  command->require_subcommand(1);
  auto* fill = command->add_subcommand(
      "load", std::string(say("Generate customers, orders, leads and campaigns",
                              "Générer clients, commandes, prospects et campagnes")));
  fill->add_option("--mesh", options->mesh,
                   std::string(say("Folder with meesh.yaml", "Dossier de meesh.yaml")))
      ->capture_default_str();
  fill->add_option("--data", options->data,
                   std::string(say("Data folder instead of the file's",
                                   "Dossier de données au lieu de celui du fichier")));
  fill->add_option("--scale", options->scale,
                   std::string(say("1 = 200 k customers, 2 M orders, 300 k leads",
                                   "1 = 200 k clients, 2 M commandes, 300 k prospects")))
      ->capture_default_str()
      ->check(CLI::Range(0.0001, 1000.0));
  fill->add_option("--seed", options->seed,
                   std::string(say("Same seed, same rows", "Même graine, mêmes lignes")))
      ->capture_default_str();
  fill->add_option("--customers", options->customers);
  fill->add_option("--orders", options->orders);
  fill->add_option("--leads", options->leads);
  fill->add_option("--campaigns", options->campaigns);
  fill->footer(
      "meesh demo load --scale 1\nmeesh demo load --customers 1000 --orders 50000 --seed 7");
  fill->callback([options, &exit_code] {
    load(*options);
    exit_code = 0;
  });
  auto* queries = command->add_subcommand(
      "ask", std::string(say("Ask the demo's queries", "Poser les requêtes de la démonstration")));
  queries->add_option("--mesh", options->mesh)->capture_default_str();
  queries->add_option("--server", options->server)->capture_default_str();
  queries->callback([options, &exit_code] { exit_code = ask(*options); });
}

}  // namespace meesh::app
