#include <pwd.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/language.h"
#include "app/sql/sql_command.h"

namespace meesh::app {

std::string system_user() {
  if (const char* user = std::getenv("USER"); user && *user) return user;
  if (const passwd* entry = getpwuid(getuid())) return entry->pw_name;
  return "meesh";
}

void add_sql(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SqlOptions>();
  options->session.user = system_user();
  auto format = std::make_shared<std::string>();
  auto* command = app.add_subcommand(
      "sql", std::string(say("Ask a server in SQL", "Interroger un serveur en SQL")));
  auto& session = options->session;
  if (const char* server = std::getenv("MEESH_SERVER")) session.server = server;
  command
      ->add_option("--server", session.server,
                   std::string(say("Address of the server (MEESH_SERVER)",
                                   "Adresse du serveur (MEESH_SERVER)")))
      ->capture_default_str();
  command->add_option("--user", session.user, std::string(say("User name", "Nom d'utilisateur")))
      ->capture_default_str();
  command->add_option("--catalog", session.catalog,
                      std::string(say("Default catalog", "Catalogue par défaut")));
  command->add_option("--schema", session.schema,
                      std::string(say("Default schema", "Schéma par défaut")));
  command->add_option("--time-zone", session.time_zone,
                      std::string(say("Session time zone", "Fuseau horaire de la session")));
  command->add_option(
      "-e,--execute", options->execute,
      std::string(say("Statements to run, then leave", "Instructions à exécuter, puis quitter")));
  command->add_option("-f,--file", options->file,
                      std::string(say("File of statements; - is standard input",
                                      "Fichier d'instructions ; - est l'entrée standard")));
  command->add_option("-o,--output-format", *format, "aligned, vertical, csv, tsv, json, markdown")
      ->check(CLI::IsMember({"aligned", "vertical", "csv", "tsv", "json", "markdown"}));
  command->add_flag("--ignore-errors", options->ignore_errors,
                    std::string(say("Go on after a failed statement",
                                    "Continuer après une instruction en échec")));
  command->add_flag("-q,--quiet", options->quiet,
                    std::string(say("Rows only", "Les lignes seulement")));
  command->footer(
      std::string(say("Examples:\n"
                      "  meesh sql                                                  interactive\n"
                      "  meesh sql --catalog sales --schema public -e \"SHOW TABLES\"\n"
                      "  meesh sql -o json -f report.sql > report.jsonl\n"
                      "Exit codes: 0 all well, 1 a statement failed, 2 wrong options, 3 no server, "
                      "130 interrupted.",
                      "Exemples :\n"
                      "  meesh sql                                                  interactif\n"
                      "  meesh sql --catalog sales --schema public -e \"SHOW TABLES\"\n"
                      "  meesh sql -o json -f rapport.sql > rapport.jsonl\n"
                      "Codes de sortie : 0 succès, 1 instruction en échec, 2 options fausses, 3 "
                      "pas de serveur, 130 interrompu.")));
  command->callback([options, format, &exit_code] {
    options->format = parse_output_format(*format);
    exit_code = run_sql(*options);
  });
}

}  // namespace meesh::app
