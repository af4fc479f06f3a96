// `meesh check`, `meesh profile`, `meesh contract check`.
#include <fmt/color.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "app/commands.h"
#include "app/language.h"
#include "app/progress_bar.h"
#include "app/server.h"
#include "mesh/mesh_files.h"
#include "quality/contract.h"

namespace meesh::app {
namespace {

namespace json = boost::json;

std::string words(std::string_view english, std::string_view french) {
  return std::string(say(english, french));
}

std::string text(const json::value& object, std::string_view key) {
  const auto* value = object.as_object().if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : "";
}

/// Progress shows as a bar and is kept from `line`.
void ask_lines(const ApiOptions& options, const std::string& path, const json::object& body,
               const std::function<void(const json::object&)>& line) {
  ProgressBar bar([](double steps) { return fmt::format("{:.0f}", steps); });
  std::optional<Error> failed;
  api_post_stream(options, path, body, [&](std::string_view one) {
    const auto value = json::parse(one).as_object();
    if (const auto* progress = value.if_contains("progress"))
      return bar.show(progress->at(0).to_number<uint64_t>(), progress->at(1).to_number<uint64_t>());
    bar.clear();
    if (const auto* error = value.if_contains("error"))
      failed.emplace(Code::kGenericUserError, text(*error, "text"));
    else
      line(value);
  });
  bar.clear();
  if (failed) throw *failed;
}

// ---- check

void print_sample(const json::value& sample) {
  std::string columns;
  for (const auto& column : sample.at("columns").as_array())
    columns += (columns.empty() ? "" : " | ") + std::string(column.as_string());
  fmt::print("        {}\n", columns);
  for (const auto& row : sample.at("rows").as_array()) {
    std::string cells;
    bool first = true;
    for (const auto& cell : row.as_array()) {
      cells += first ? "" : " | ";
      cells += cell.is_string() ? std::string_view(cell.get_string()) : std::string_view("NULL");
      first = false;
    }
    fmt::print("        {}\n", cells);
  }
}

void print_result(const json::value& result, std::string& table) {
  const std::string of = fmt::format("{}  ({})", text(result, "table"), text(result, "suite"));
  if (of != table) fmt::print("{}\n", table = of);
  const std::string outcome = text(result, "outcome");
  const bool good = outcome == "pass", warning = text(result, "severity") == "warn";
  const std::string mark = good ? "✓" : warning ? "!" : "✗";
  const auto colour = good ? fmt::color::green : warning ? fmt::color::orange : fmt::color::red;
  fmt::print("  {} {:<44} {}\n", colours() ? fmt::format(fmt::fg(colour), "{}", mark) : mark,
             text(result, "check"), text(result, "message"));
  if (const auto* sample = result.as_object().if_contains("sample")) print_sample(*sample);
  std::fflush(stdout);
}

int check(const ApiOptions& options, const std::string& what) {
  std::string table;
  int passed = 0, warnings = 0, failures = 0;
  ask_lines(options, "/api/v1/quality/run", {{"what", what}}, [&](const json::object& line) {
    if (options.json && !line.contains("done")) fmt::print("{}\n", json::serialize(line));
    if (const auto* result = line.if_contains("result")) {
      if (!options.json) print_result(*result, table);
      const bool good = text(*result, "outcome") == "pass";
      ++(good ? passed : text(*result, "severity") == "warn" ? warnings : failures);
    } else if (const auto* broken = line.if_contains("unreadable")) {
      ++failures;
      if (!options.json)
        fmt::print("{}  ({})\n  ✗ {}\n", text(*broken, "table"), text(*broken, "suite"),
                   text(broken->at("error"), "detail"));
    }
  });
  if (!options.json)
    fmt::print("{}\n", fmt::format(fmt::runtime(say("{} passed, {} warnings, {} failed",
                                                    "{} réussis, {} avertissements, {} échoués")),
                                   passed, warnings, failures));
  return failures > 0 ? 1 : 0;
}

// ---- profile

/// ▁ to █ by the share of the greatest.
std::string bars(const json::array& counts) {
  static const char* const kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  uint64_t most = 1;
  for (const auto& count : counts) most = std::max(most, count.to_number<uint64_t>());
  std::string drawn;
  for (const auto& count : counts) {
    const uint64_t rows = count.to_number<uint64_t>();
    drawn += rows == 0 ? " " : kBars[std::min<uint64_t>(7, rows * 7 / most)];
  }
  return drawn;
}

std::string shortened(const std::string& text) {
  if (text.size() <= 22) return text;
  size_t end = 20;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string number(const json::object& column, std::string_view key) {
  const auto* value = column.if_contains(key);
  if (!value || !value->is_number()) return "";
  return value->is_double() ? fmt::format("{:.6g}", value->get_double())
                            : fmt::format("{}", value->to_number<uint64_t>());
}

void print_profile(const json::value& profile) {
  fmt::print("{}: {} {}\n", text(profile, "table"), profile.at("rows").to_number<uint64_t>(),
             say("rows", "lignes"));
  fmt::print("{:<24} {:<16} {:>10} {:>10} {:<22} {:<22} {:>12}  {}\n", say("column", "colonne"),
             "type", say("nulls", "nuls"), say("distinct", "distincts"), "min", "max",
             say("mean", "moyenne"), say("distribution", "répartition"));
  for (const auto& item : profile.at("columns").as_array()) {
    const auto& column = item.as_object();
    std::string mean = number(column, "mean");
    if (mean.empty() && column.contains("mean_length"))
      mean = fmt::format("{} {}", say("length", "long."), number(column, "mean_length"));
    std::string shape;
    if (const auto* histogram = column.if_contains("histogram"))
      shape = bars(histogram->as_array());
    else if (const auto* top = column.if_contains("top"))
      for (size_t i = 0; i < std::min<size_t>(3, top->as_array().size()); ++i)
        shape += fmt::format("{}{} ({})", i > 0 ? ", " : "", shortened(text(top->at(i), "value")),
                             top->at(i).at("rows").to_number<uint64_t>());
    fmt::print("{:<24} {:<16} {:>10} {:>10} {:<22} {:<22} {:>12}  {}\n", text(item, "name"),
               shortened(text(item, "type")), number(column, "nulls"), number(column, "distinct"),
               shortened(text(item, "min")), shortened(text(item, "max")), mean, shape);
  }
}

// ---- contract

int check_contracts(const std::string& folder, const std::vector<std::string>& given,
                    bool as_json) {
  const auto mesh = mesh::Mesh::load(folder);
  mesh::MeshFiles files(mesh);
  std::vector<std::filesystem::path> found;
  for (const auto& file : given)
    found.push_back(std::filesystem::relative(std::filesystem::absolute(file), mesh.folder));
  if (given.empty()) found = files.list("contracts", ".yaml");
  json::array told;
  for (const auto& file : found) {
    const auto contract = quality::load_contract(files, file, mesh);
    if (!contract) continue;
    size_t checks = 0;
    std::string tables;
    for (const auto& suite : contract->suites) {
      checks += suite.checks.size();
      tables += (tables.empty() ? "" : ", ") + suite.table;
    }
    told.push_back({{"file", files.shown(file)},
                    {"id", contract->id},
                    {"version", contract->version},
                    {"status", contract->status},
                    {"tables", tables},
                    {"checks", checks},
                    {"unchecked", json::value_from(contract->unchecked)}});
    if (as_json) continue;
    fmt::print("✓ {}  {} {}  {}: {}\n", files.shown(file), contract->id, contract->version, tables,
               fmt::format(fmt::runtime(say("{} checks", "{} contrôles")), checks));
    for (const auto& rule : contract->unchecked)
      fmt::print("  {}: {}\n", say("not checked", "non contrôlé"), rule);
  }
  if (as_json) {
    json::array mistakes;
    for (const auto& problem : files.problems()) mistakes.emplace_back(problem.what());
    fmt::print("{}\n", json::serialize(json::object{{"contracts", told}, {"mistakes", mistakes}}));
    return files.problems().empty() ? 0 : 1;
  }
  for (const auto& problem : files.problems()) fmt::print(stderr, "{}\n", problem.what());
  return files.problems().empty() ? 0 : 1;
}

void add_check(CLI::App& app, int& exit_code) {
  struct Options : ApiOptions {
    std::string what;
  };
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand(
      "check", words("Check the quality of tables", "Contrôler la qualité des tables"));
  command->add_option(
      "what", options->what,
      words("A table, or a file of checks or a contract; without it, all",
            "Une table, ou un fichier de contrôles ou un contrat ; sans lui, tout"));
  add_api_options(*command, *options);
  command->footer(
      words("Examples:\n"
            "  meesh check\n"
            "  meesh check lake.silver.sales_master\n"
            "  meesh check contracts/orders.yaml --json\n"
            "Exit codes: 0 no check of severity error failed, 1 one failed, 2 wrong "
            "options, 3 no server.",
            "Exemples :\n"
            "  meesh check\n"
            "  meesh check lake.silver.sales_master\n"
            "  meesh check contracts/orders.yaml --json\n"
            "Codes de sortie : 0 aucun contrôle de gravité error n'a échoué, 1 l'un a "
            "échoué, 2 options fausses, 3 pas de serveur."));
  command->callback([options, &exit_code] { exit_code = check(*options, options->what); });
}

void add_profile(CLI::App& app, int& exit_code) {
  struct Options : ApiOptions {
    std::string table;
    double sample = 100;
    bool files_only = false;
  };
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand(
      "profile", words("Show what is in a table", "Montrer ce que contient une table"));
  command
      ->add_option("table", options->table, words("catalog.schema.table", "catalogue.schéma.table"))
      ->required();
  command
      ->add_option("--sample", options->sample,
                   words("Percent of the rows to look at", "Pourcentage des lignes à regarder"))
      ->check(CLI::Range(0.0, 100.0));
  command->add_flag("--files-only", options->files_only,
                    words("Only what the files of a lake's table tell, without reading rows",
                          "Seulement ce que disent les fichiers d'une table du lake"));
  add_api_options(*command, *options);
  command->footer(
      words("Examples:\n"
            "  meesh profile lake.silver.sales_master\n"
            "  meesh profile sales.public.orders --sample 10 --json",
            "Exemples :\n"
            "  meesh profile lake.silver.sales_master\n"
            "  meesh profile sales.public.orders --sample 10 --json"));
  command->callback([options, &exit_code] {
    const json::object asked{{"table", options->table},
                             {"sample", options->sample},
                             {"files_only", options->files_only}};
    ask_lines(*options, "/api/v1/quality/profile", asked, [&](const json::object& line) {
      const auto* profile = line.if_contains("profile");
      if (!profile) return;
      if (options->json)
        fmt::print("{}\n", json::serialize(*profile));
      else
        print_profile(*profile);
    });
    exit_code = 0;
  });
}

void add_contract(CLI::App& app, int& exit_code) {
  struct Options {
    std::string mesh = ".";
    std::vector<std::string> files;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  auto* contract = app.add_subcommand("contract", words("Data contracts", "Contrats de données"));
  contract->require_subcommand(1);
  auto* command = contract->add_subcommand(
      "check", words("Check contracts against the standard (ODCS 3.1); needs no server",
                     "Contrôler les contrats selon le standard (ODCS 3.1) ; sans serveur"));
  command->add_option(
      "files", options->files,
      words("Files; without them, contracts/*.yaml", "Fichiers ; sans eux, contracts/*.yaml"));
  command
      ->add_option("--mesh", options->mesh,
                   words("Folder with meesh.yaml", "Dossier de meesh.yaml"))
      ->capture_default_str();
  command->add_flag("--json", options->json, "JSON");
  command->footer(
      words("Examples:\n"
            "  meesh contract check --mesh demo\n"
            "  meesh contract check contracts/orders.yaml\n"
            "`meesh check contracts/orders.yaml` holds the data against it.",
            "Exemples :\n"
            "  meesh contract check --mesh demo\n"
            "  meesh contract check contracts/orders.yaml\n"
            "`meesh check contracts/orders.yaml` y confronte les données."));
  command->callback([options, &exit_code] {
    exit_code = check_contracts(options->mesh, options->files, options->json);
  });
}

}  // namespace

void add_quality(CLI::App& app, int& exit_code) {
  add_check(app, exit_code);
  add_profile(app, exit_code);
  add_contract(app, exit_code);
}

}  // namespace meesh::app
