// `meesh ingest connectors`: Airbyte's connectors, found, installed and looked at.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "app/ingest_commands.h"
#include "app/language.h"
#include "app/server.h"

namespace meesh::app {
namespace {

namespace json = boost::json;

constexpr const char* kApi = "/api/v1/ingest/connectors";

std::string words(std::string_view english, std::string_view french) {
  return std::string(say(english, french));
}

struct ConnectorOptions : ApiOptions {
  std::vector<std::string> words;
  std::string connector;  // NAME or NAME==VERSION
};

json::object found(const ConnectorOptions& options) {
  std::string text;
  for (const auto& word : options.words) text += (text.empty() ? "" : " ") + word;
  return api_get(options, kApi + (text.empty() ? "" : "?search=" + part(text)));
}

int search(const ConnectorOptions& options) {
  const auto told = found(options);
  if (options.json) {
    fmt::print("{}\n", json::serialize(told.at("known")));
    return 0;
  }
  std::set<std::string> installed;
  for (const auto& one : told.at("installed").as_array())
    installed.insert(text_of(one.as_object(), "name"));
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : told.at("known").as_array()) {
    const auto& connector = one.as_object();
    const std::string name = text_of(connector, "name");
    rows.push_back({name, text_of(connector, "version"),
                    installed.contains(name) ? words("installed", "installé") : "",
                    text_of(connector, "description")});
  }
  if (rows.empty()) {
    fmt::print("{}\n",
               words("None that this program knows. The package index may have it all the "
                     "same: meesh ingest connectors install source-NAME",
                     "Aucun que ce programme connaisse. L'index des paquets l'a peut-être : "
                     "meesh ingest connectors install source-NOM"));
    return 0;
  }
  print_table(
      {words("connector", "connecteur"), "version", "", words("what it reads", "ce qu'il lit")},
      rows);
  return 0;
}

int list(const ConnectorOptions& options) {
  const auto told = found(options);
  if (options.json) {
    fmt::print("{}\n", json::serialize(told.at("installed")));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : told.at("installed").as_array()) {
    const auto& connector = one.as_object();
    rows.push_back(
        {text_of(connector, "name"), text_of(connector, "version"), text_of(connector, "folder")});
  }
  if (rows.empty()) {
    fmt::print("{}\n", words("No connector is installed.", "Aucun connecteur n'est installé."));
    return 0;
  }
  print_table({words("connector", "connecteur"), "version", words("folder", "dossier")}, rows);
  return 0;
}

int install(const ConnectorOptions& options) {
  bool good = true;
  api_post_stream(options, kApi, {{"connector", options.connector}}, [&](std::string_view line) {
    const auto told = json::parse(line).as_object();
    if (options.json) {
      fmt::print("{}\n", line);
    } else if (const auto* error = told.if_contains("error")) {
      fmt::print(stderr, "✗ {}\n", text_of(error->as_object(), "text"));
    } else if (told.contains("end")) {
      fmt::print("✓ {} {}: {}\n", text_of(told, "end"), text_of(told, "version"),
                 text_of(told, "folder"));
    } else {
      fmt::print("  {}\n", text_of(told, "log"));
    }
    if (told.contains("error")) good = false;
    std::fflush(stdout);
  });
  return good ? 0 : 1;
}

// ---- spec: as a person fills it in

std::string type_of(const json::object& property) {
  const auto* type = property.if_contains("type");
  if (property.contains("oneOf")) return words("one of", "l'un de");
  if (type && type->is_array() && !type->as_array().empty() && type->as_array()[0].is_string())
    return std::string(type->as_array()[0].as_string());
  return type && type->is_string() ? std::string(type->as_string()) : "";
}

std::string note_of(const json::object& property) {
  std::string note = text_of(property, "description");
  note = note.substr(0, note.find_first_of("\n<"));
  if (const auto* value = property.if_contains("default"))
    note = fmt::format("[{}] {}", json::serialize(*value), note);
  if (const auto* secret = property.if_contains("airbyte_secret"); secret && *secret == true)
    note = words("(secret) ", "(secret) ") + note;
  return note;
}

void spec_rows(const json::object& schema, const std::string& prefix,
               std::vector<std::vector<std::string>>& rows, int depth) {
  const auto* properties = schema.if_contains("properties");
  if (!properties || !properties->is_object() || depth > 5) return;
  json::array required;
  if (const auto* needed = schema.if_contains("required"); needed && needed->is_array())
    required = needed->as_array();
  for (const auto& [key, value] : properties->as_object()) {
    if (!value.is_object()) continue;
    const auto& property = value.as_object();
    const bool needed = std::ranges::find(required, json::value(key)) != required.end();
    const std::string name = prefix + std::string(key);
    const auto* fixed = property.if_contains("const");
    rows.push_back({name, fixed ? json::serialize(*fixed) : type_of(property),
                    needed ? words("required", "requis") : "", note_of(property)});
    spec_rows(property, name + ".", rows, depth + 1);
    const auto* forms = property.if_contains("oneOf");
    if (!forms || !forms->is_array()) continue;
    for (const auto& form : forms->as_array()) {
      if (!form.is_object()) continue;
      rows.push_back({name, "· " + text_of(form.as_object(), "title"), "", ""});
      spec_rows(form.as_object(), name + ".", rows, depth + 1);
    }
  }
}

int spec(const ConnectorOptions& options) {
  const size_t pin = options.connector.find("==");
  const std::string version = pin == std::string::npos ? "" : options.connector.substr(pin + 2);
  const auto told =
      api_get(options, std::string(kApi) + "/" + part(options.connector.substr(0, pin)) + "/spec" +
                           (version.empty() ? "" : "?version=" + part(version)));
  if (options.json) {
    fmt::print("{}\n", json::serialize(told));
    return 0;
  }
  fmt::print("{} {}  {}\n", text_of(told, "name"), text_of(told, "version"),
             text_of(told, "documentationUrl"));
  std::vector<std::vector<std::string>> rows;
  if (const auto* schema = told.if_contains("connectionSpecification");
      schema && schema->is_object())
    spec_rows(schema->as_object(), "", rows, 0);
  print_table(
      {words("key of config", "clé de config"), "type", "", words("description", "description")},
      rows);
  return 0;
}

std::string examples(const std::string& lines) {
  return words("Examples:\n", "Exemples :\n") + lines +
         words("Exit codes: 0 all well, 1 something failed, 2 wrong options, 3 no server.",
               "Codes de sortie : 0 succès, 1 échec, 2 options fausses, 3 pas de serveur.");
}

CLI::App* subcommand(CLI::App& app, ConnectorOptions& options, const char* name,
                     std::string about) {
  auto* command = app.add_subcommand(name, std::move(about));
  add_api_options(*command, options);
  return command;
}

}  // namespace

void add_ingest_connectors(CLI::App& ingest, int& exit_code) {
  const auto options = std::make_shared<ConnectorOptions>();
  auto* app = ingest.add_subcommand(
      "connectors", words("Airbyte's connectors: search, install, list, spec",
                          "Les connecteurs d'Airbyte : chercher, installer, lister, spec"));
  app->require_subcommand(1);
  app->footer(
      examples("  meesh ingest connectors search google\n"
               "  meesh ingest connectors install source-faker==6.2.1\n"));

  auto* searched = subcommand(*app, *options, "search",
                              words("Connectors by what they read; all without a word",
                                    "Connecteurs par ce qu'ils lisent ; tous, sans mot"));
  searched->add_option("words", options->words, words("Words", "Mots"));
  searched->footer(examples("  meesh ingest connectors search google\n"));
  searched->callback([options, &exit_code] { exit_code = search(*options); });

  auto* installed = subcommand(*app, *options, "install",
                               words("Install a connector of the package index for this mesh",
                                     "Installer un connecteur de l'index des paquets"));
  installed
      ->add_option("connector", options->connector,
                   words("source-NAME or source-NAME==VERSION; without a version, the newest",
                         "source-NOM ou source-NOM==VERSION ; sans version, la plus récente"))
      ->required();
  installed->footer(examples("  meesh ingest connectors install source-faker==6.2.1\n"));
  installed->callback([options, &exit_code] { exit_code = install(*options); });

  auto* listed = subcommand(*app, *options, "list",
                            words("Connectors that are installed", "Connecteurs installés"));
  listed->callback([options, &exit_code] { exit_code = list(*options); });

  auto* described = subcommand(
      *app, *options, "spec",
      words("What a connector's 'config' takes", "Ce que prend 'config' d'un connecteur"));
  described
      ->add_option("connector", options->connector,
                   words("An installed connector, or NAME==VERSION",
                         "Un connecteur installé, ou NOM==VERSION"))
      ->required();
  described->footer(examples("  meesh ingest connectors spec source-faker\n"));
  described->callback([options, &exit_code] { exit_code = spec(*options); });
}

}  // namespace meesh::app
