#include <fmt/format.h>

#include <clocale>
#include <cstdio>

#include "app/commands.h"
#include "app/language.h"
#include "app/server.h"
#include "mesh/mesh.h"

/// jemalloc's settings, where the program is linked with it: what is freed goes back to the system
/// within a second, by a thread of its own. https://jemalloc.net/jemalloc.3.html
extern "C" const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000";

namespace meesh::app {
namespace {

/// Texts are made before options are read: help is in this language too.
void take_language(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::string_view value = word.starts_with("--lang=")        ? word.substr(7)
                                   : word == "--lang" && i + 1 < argc ? argv[i + 1]
                                                                      : "";
    if (!value.empty()) set_language(value == "fr" ? Language::kFrench : Language::kEnglish);
  }
}

int run(int argc, char** argv) {
  take_language(argc, argv);
  CLI::App app(std::string(say("meesh: a data mesh in one program",
                               "meesh : un data mesh en un seul programme")),
               "meesh");
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", std::string(say("This help", "Cette aide")));
  app.set_help_all_flag(
      "--help-all", std::string(say("Help of every command", "L'aide de toutes les commandes")));
  std::string language;  // take_language() has read it
  app.add_option("--lang", language, std::string(say("Language: en or fr", "Langue : en ou fr")))
      ->check(CLI::IsMember({"en", "fr"}));
  app.footer(std::string(
      say("Examples:\n"
          "  meesh serve --mesh demo                   start the mesh in the folder demo\n"
          "  meesh sql -e \"SHOW CATALOGS\"              ask it\n"
          "  meesh doctor                              check the installation",
          "Exemples :\n"
          "  meesh serve --mesh demo                   démarre le mesh du dossier demo\n"
          "  meesh sql -e \"SHOW CATALOGS\"              l'interroge\n"
          "  meesh doctor                              vérifie l'installation")));
  int exit_code = 0;
  add_serve(app, exit_code);
  add_sql(app, exit_code);
  add_lake(app, exit_code);
  add_access(app, exit_code);
  add_demo(app, exit_code);
  add_ingest(app, exit_code);
  add_streams(app, exit_code);
  add_feed(app, exit_code);
  add_lineage(app, exit_code);
  add_quality(app, exit_code);
  add_pipelines(app, exit_code);
  add_export(app, exit_code);
  add_doctor(app, exit_code);
  add_schema(app, exit_code);
  add_version(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const mesh::ConfigError& error) {
    fmt::print(stderr, "{}\n", error.report());
    return 2;
  } catch (const NoServer& error) {
    fmt::print(stderr, "meesh: {}\n{}\n", error.what(),
               say("Is it running? Start it with ./run or `meesh serve`.",
                   "Est-il démarré ? Lancez-le avec ./run ou `meesh serve`."));
    return 3;
  } catch (const Error& error) {
    fmt::print(stderr, "meesh: {}\n", error.what());
    return 1;
  } catch (const std::exception& error) {
    // What a library found wrong, such as a folder that may not be read.
    fmt::print(stderr, "meesh: {}\n", error.what());
    return 1;
  }
  return exit_code;
}

}  // namespace
}  // namespace meesh::app

int main(int argc, char** argv) {
  std::setlocale(LC_ALL, "");
  // Number texts are part of protocols: they never depend on the locale.
  std::setlocale(LC_NUMERIC, "C");
  return meesh::app::run(argc, argv);
}
