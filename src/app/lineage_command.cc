// `meesh lineage`: where a table or a column comes from and what comes from it, as a tree.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <map>
#include <set>

#include "app/commands.h"
#include "app/language.h"
#include "app/server.h"
#include "net/http.h"

namespace meesh::app {
namespace {

namespace json = boost::json;

struct LineageOptions {
  ApiOptions api;
  std::string table, column, at;
  int depth = 5;
  bool up = false, down = false;
};

std::string words(std::string_view english, std::string_view french) {
  return std::string(say(english, french));
}

std::string text(const json::value& object, std::string_view key) {
  const auto* value = object.as_object().if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : "";
}

json::value ask(const LineageOptions& options) {
  const bool both = options.up == options.down;
  std::string target = fmt::format("/api/v1/lineage?table={}&depth={}&direction={}",
                                   net::percent_encode(options.table), options.depth,
                                   both ? "both" : (options.up ? "upstream" : "downstream"));
  if (!options.column.empty()) target += "&column=" + net::percent_encode(options.column);
  if (!options.at.empty()) target += "&at=" + net::percent_encode(options.at);
  return api_get(options.api, target);
}

/// "sales.public.orders", or with its column.
std::string place(const json::value& end, bool of_column) {
  if (!of_column) return std::string(end.as_string());
  return text(end, "table") + "." + text(end, "column");
}

std::string how(const json::value& edge, bool of_column) {
  if (!of_column) {
    std::set<std::string> jobs;
    for (const auto& job : edge.at("jobs").as_array()) jobs.insert(text(job, "name"));
    return fmt::format("{}", fmt::join(jobs, ", "));
  }
  std::vector<std::string> out;
  for (const auto& one : edge.at("influences").as_array()) {
    std::string word(one.as_string());
    for (char& c : word) c = c == '_' ? ' ' : static_cast<char>(std::tolower(c));
    out.push_back(std::move(word));
  }
  return fmt::format("{}", fmt::join(out, ", "));
}

/// One direction of a graph, drawn.
class Tree {
 public:
  Tree(const json::value& graph, bool up, bool of_column) {
    for (const auto& edge : graph.at("edges").as_array()) {
      const std::string from = place(edge.at("from"), of_column);
      const std::string to = place(edge.at("to"), of_column);
      branches_[up ? to : from][up ? from : to] = how(edge, of_column);
    }
    for (const auto& node : graph.at("nodes").as_array()) {
      if (node.as_object().contains("dropped_at")) dropped_.insert(text(node, "table"));
    }
  }

  void draw(const std::string& root) {
    fmt::print("{}\n", root);
    drawn_ = {root};
    branch(root, "");
  }
  bool empty(const std::string& root) const { return !branches_.contains(root); }

 private:
  void branch(const std::string& name, const std::string& indent) {
    const auto found = branches_.find(name);
    if (found == branches_.end()) return;
    size_t left = found->second.size();
    for (const auto& [next, note] : found->second) {
      const bool last = --left == 0;
      const bool known = !drawn_.insert(next).second && branches_.contains(next);
      fmt::print("{}{} {}{}{}{}\n", indent, last ? "└──" : "├──", next,
                 note.empty() ? "" : "  (" + note + ")",
                 dropped_.contains(next) ? words("  dropped", "  supprimée") : "",
                 known ? "  …" : "");
      if (!known) branch(next, indent + (last ? "    " : "│   "));
    }
  }

  std::map<std::string, std::map<std::string, std::string>> branches_;
  std::set<std::string> dropped_, drawn_;
};

void print_rest(const json::value& graph) {
  if (const auto* rows = graph.as_object().if_contains("rows"); rows && !rows->as_array().empty()) {
    fmt::print("\n{}\n", say("Which rows there are depends on", "Les lignes dépendent de"));
    for (const auto& row : rows->as_array()) {
      fmt::print("  {}.{}  ({})\n", text(row, "table"), text(row, "column"), how(row, true));
    }
  }
  if (const auto* unknown = graph.as_object().if_contains("unknown")) {
    fmt::print("\n{}\n", say("Not known", "Inconnu"));
    for (const auto& one : unknown->as_array()) {
      fmt::print("  {}: {}\n", text(one, "column").empty() ? "*" : text(one, "column"),
                 text(one, "reason"));
    }
  }
  if (graph.at("truncated").as_bool()) {
    fmt::print("\n{}\n", say("There is more: ask with a smaller --depth, or for one direction.",
                             "Il y en a plus : réduisez --depth ou demandez une seule direction."));
  }
}

void run(const LineageOptions& options) {
  const auto graph = ask(options);
  if (options.api.json) return fmt::print("{}\n", json::serialize(graph));
  const bool of_column = !options.column.empty();
  const std::string root =
      of_column ? text(graph, "table") + "." + text(graph, "column") : text(graph, "table");
  const bool both = options.up == options.down;
  if (both || options.up) {
    Tree tree(graph, true, of_column);
    fmt::print("{}\n", tree.empty(root)
                           ? say("Comes from nothing that is known:", "Origine inconnue :")
                           : say("Comes from:", "Provient de :"));
    tree.draw(root);
  }
  if (both) fmt::print("\n");
  if (both || options.down) {
    Tree tree(graph, false, of_column);
    fmt::print("{}\n", tree.empty(root)
                           ? say("Feeds nothing that is known:", "N'alimente rien de connu :")
                           : say("Feeds:", "Alimente :"));
    tree.draw(root);
  }
  print_rest(graph);
}

}  // namespace

void add_lineage(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<LineageOptions>();
  auto* command = app.add_subcommand(
      "lineage", words("Where a table or column comes from, and what comes from it",
                       "D'où vient une table ou une colonne, et ce qu'elle alimente"));
  command
      ->add_option("table", options->table,
                   words("catalog.schema.table, or an OpenLineage address",
                         "catalogue.schéma.table, ou une adresse OpenLineage"))
      ->required();
  command->add_option("-c,--column", options->column,
                      words("One column of it", "Une de ses colonnes"));
  command->add_flag("--up", options->up, words("Only where it comes from", "Seulement l'origine"));
  command->add_flag("--down", options->down,
                    words("Only what comes from it", "Seulement ce qu'elle alimente"));
  command->add_option("--depth", options->depth, words("How many steps away", "Nombre d'étapes"))
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_option(
      "--at", options->at,
      words("As it was then: 2025-01-15T14:30:00Z", "Telle qu'elle était : 2025-01-15T14:30:00Z"));
  add_api_options(*command, options->api);
  command->footer(
      words("Examples:\n"
            "  meesh lineage lake.gold.rfm\n"
            "  meesh lineage lake.gold.rfm --column segment --up\n"
            "  meesh lineage sales.public.orders --down --json",
            "Exemples :\n"
            "  meesh lineage lake.gold.rfm\n"
            "  meesh lineage lake.gold.rfm --column segment --up\n"
            "  meesh lineage sales.public.orders --down --json"));
  command->callback([options, &exit_code] {
    run(*options);
    exit_code = 0;
  });
}

}  // namespace meesh::app
