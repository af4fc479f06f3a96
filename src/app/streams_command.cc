// `meesh streams`: the streams of a running mesh, looked at, paused, begun anew, run and replayed.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <iostream>
#include <memory>
#include <thread>

#include "app/commands.h"
#include "app/language.h"
#include "app/progress_bar.h"
#include "app/server.h"
#include "app/streams/stream_view.h"

namespace meesh::app {
namespace {

namespace json = boost::json;

constexpr const char* kApi = "/api/v1/streams";

std::string words(std::string_view english, std::string_view french) {
  return std::string(say(english, french));
}

struct StreamsOptions : ApiOptions {
  std::string stream;
  std::string to, into, from, until, table;
  bool truncate = false, yes = false;
  int times = 0;  // drawings of watch; 0: until Ctrl-C
  double every = 1;
  size_t rows = 20;
};

std::string address(const StreamsOptions& options, const char* what = "") {
  return std::string(kApi) + "/" + part(options.stream) + what;
}

void print_json(const json::object& object) {
  fmt::print("{}\n", json::serialize(object));
  std::fflush(stdout);
}

int list(const StreamsOptions& options) {
  const auto answer = api_get(options, kApi);
  options.json ? print_json(answer) : print_streams(answer);
  return 0;
}

int show(const StreamsOptions& options) {
  const auto answer = api_get(options, address(options));
  options.json ? print_json(answer) : print_stream(answer);
  return 0;
}

int pause(const StreamsOptions& options, bool paused) {
  const auto answer = api_post(options, address(options, paused ? "/pause" : "/resume"));
  if (options.json) {
    print_json(answer);
  } else {
    fmt::print("{}: {}\n", options.stream,
               paused ? say("paused", "en pause") : say("goes on", "repris"));
  }
  return 0;
}

// ---- reset

/// Asks whoever sits at the terminal; without one, --yes must have been given.
bool agreed(const StreamsOptions& options) {
  if (options.yes) return true;
  if (isatty(STDIN_FILENO) == 0)
    throw CLI::ValidationError(
        "--yes", words("is needed where nobody can be asked: what the stream has computed is "
                       "forgotten",
                       "est nécessaire quand personne ne peut répondre : ce que le flux a calculé "
                       "est oublié"));
  fmt::print("{} '{}' {} {}{}. {} ", words("Stream", "Le flux"), options.stream,
             words("forgets its state and begins at", "oublie son état et recommence à"),
             options.to,
             options.truncate ? words("; its tables are emptied", " ; ses tables sont vidées") : "",
             words("Go on? [y/N]", "Continuer ? [o/N]"));
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return !answer.empty() && std::string_view("yYoO").find(answer[0]) != std::string_view::npos;
}

int reset(const StreamsOptions& options) {
  if (!agreed(options)) {
    fmt::print("{}\n", words("Nothing was changed.", "Rien n'a changé."));
    return 1;
  }
  const auto answer = api_post(options, address(options, "/reset"),
                               {{"to", options.to}, {"truncate", options.truncate}});
  if (options.json) {
    print_json(answer);
  } else {
    fmt::print("{}: {} {}, {} {}\n", options.stream, words("begins at", "recommence à"), options.to,
               words("generation", "génération"), number_of(answer, "generation"));
  }
  return 0;
}

// ---- run, replay

void show_line(const StreamsOptions& options, const json::object& line) {
  if (line.contains("error"))
    fmt::print(stderr, "✗ {}: {}\n", options.stream, text_of(line.at("error").as_object(), "text"));
  if (line.contains("log")) fmt::print("  {}\n", text_of(line, "log"));
  if (line.contains("end"))
    fmt::print("✓ {}{}: {}\n", options.stream, options.into.empty() ? "" : " → " + options.into,
               done_text(line));
}

/// A bar, or how many messages are done where nobody knows how many there are.
void show_progress(ProgressBar& bar, uint64_t done, uint64_t total) {
  if (total > 0) return bar.show(done, total);
  if (isatty(STDERR_FILENO) == 1) fmt::print(stderr, "\r\x1b[K  {} messages", grouped_digits(done));
}

void clear_progress(ProgressBar& bar) {
  bar.clear();
  if (isatty(STDERR_FILENO) == 1) fmt::print(stderr, "\r\x1b[K");
}

/// Lines of long work as they come; the exit code.
int follow(const StreamsOptions& options, const std::string& path, const json::object& body) {
  ProgressBar bar([](double messages) { return grouped_digits(static_cast<uint64_t>(messages)); });
  bool failed = true;  // until its end is told
  api_post_stream(options, path, body, [&](std::string_view line) {
    const auto value = json::parse(line).as_object();
    if (value.contains("end")) failed = false;
    if (options.json) {
      fmt::print("{}\n", line);
    } else if (const auto* progress = value.if_contains("progress")) {
      show_progress(bar, progress->at(0).to_number<uint64_t>(),
                    progress->at(1).to_number<uint64_t>());
    } else {
      clear_progress(bar);
      show_line(options, value);
    }
    std::fflush(stdout);
  });
  return failed ? 1 : 0;
}

int run(const StreamsOptions& options) {
  return follow(options, address(options, "/run"), json::object{});
}

int replay(const StreamsOptions& options) {
  json::object body{{"into", options.into}};
  if (!options.from.empty()) body["from"] = options.from;
  if (!options.until.empty()) body["to"] = options.until;
  return follow(options, address(options, "/replay"), body);
}

// ---- watch

/// Ends what is followed; no error.
struct Enough {};

void watch_all(const StreamsOptions& options) {
  Redrawn screen;
  for (int drawn = 0; options.times == 0 || drawn < options.times; ++drawn) {
    if (drawn > 0) std::this_thread::sleep_for(std::chrono::duration<double>(options.every));
    const auto answer = api_get(options, kApi);
    options.json ? print_json(answer) : screen.show([&] { print_streams(answer); });
  }
}

/// One event of …/live.
void show_event(const StreamsOptions& options, std::string_view event, std::string_view data,
                Redrawn& screen) {
  const auto value = json::parse(data).as_object();
  if (event == "failure") {
    fmt::print(stderr, "{}: {}\n", options.stream, text_of(value.at("error").as_object(), "text"));
  } else if (options.json) {
    print_json(value);
  } else {
    screen.show([&] { print_live_rows(value, options.rows); });
  }
}

void watch_rows(const StreamsOptions& options) {
  Redrawn screen;
  std::string event, data;
  int drawn = 0;
  api_stream(options, address(options, "/live") + "?table=" + part(options.table),
             [&](std::string_view line) {
               if (line.starts_with("event: ")) event = line.substr(7);
               if (line.starts_with("data: ")) data = line.substr(6);
               if (!line.empty() || data.empty()) return;
               show_event(options, event, data, screen);
               data.clear();
               if (event == "commit" && ++drawn == options.times) throw Enough();
             });
  throw NoServer(Code::kUnavailable,
                 fmt::format("'{}' {}", options.server, say("has stopped", "s'est arrêté")));
}

int watch(const StreamsOptions& options) {
  try {
    options.stream.empty() ? watch_all(options) : watch_rows(options);
  } catch (const Enough&) {
  }
  return 0;
}

// ---- the command line

using Shared = std::shared_ptr<StreamsOptions>;

std::string examples(const std::string& lines) {
  return words("Examples:\n", "Exemples :\n") + lines +
         words("Exit codes: 0 all well, 1 something failed, 2 wrong options, 3 no server.",
               "Codes de sortie : 0 succès, 1 échec, 2 options fausses, 3 pas de serveur.");
}

CLI::App* subcommand(CLI::App& app, const Shared& options, const char* name, std::string about) {
  auto* command = app.add_subcommand(name, std::move(about));
  add_api_options(*command, *options);
  return command;
}

void needs_name(CLI::App& command, const Shared& options) {
  command.add_option("name", options->stream, words("Its name", "Son nom"))->required();
}

void add_looking(CLI::App& app, const Shared& options, int& exit_code) {
  auto* listed = subcommand(app, options, "list",
                            words("All streams, a line each", "Tous les flux, une ligne chacun"));
  listed->footer(examples("  meesh streams\n  meesh streams list --json\n"));
  listed->callback([options, &exit_code] { exit_code = list(*options); });

  auto* shown = subcommand(app, options, "show",
                           words("One: partitions, counters, last error, SQL",
                                 "Un seul : partitions, compteurs, dernière erreur, SQL"));
  needs_name(*shown, options);
  shown->footer(examples("  meesh streams show ventes_live\n"));
  shown->callback([options, &exit_code] { exit_code = show(*options); });

  auto* watched =
      subcommand(app, options, "watch",
                 words("All streams as they go, or the newest rows of what one writes",
                       "Tous les flux en continu, ou les dernières lignes de ce que l'un écrit"));
  watched->add_option("name", options->stream, words("Its name", "Son nom"));
  watched->add_option("--table", options->table,
                      words("Which of its tables; its live one, or the first of the lake",
                            "Laquelle de ses tables ; celle en direct, ou la première du lac"));
  watched->add_option("--rows", options->rows, words("At most so many", "Au plus tant"))
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  watched
      ->add_option("--every", options->every,
                   words("Without a name: seconds between two looks",
                         "Sans nom : secondes entre deux regards"))
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  watched->add_option("--times", options->times,
                      words("End after so many drawings; else with Ctrl-C",
                            "Finir après tant d'affichages ; sinon par Ctrl-C"));
  watched->footer(
      examples("  meesh streams watch\n"
               "  meesh streams watch ventes_live\n"
               "  meesh streams watch ventes_live --json --times 1\n"));
  watched->callback([options, &exit_code] { exit_code = watch(*options); });
}

void add_steering(CLI::App& app, const Shared& options, int& exit_code) {
  for (const bool paused : {true, false}) {
    auto* command = subcommand(
        app, options, paused ? "pause" : "resume",
        paused ? words("Stop reading after the batch under way; remembered over restarts",
                       "Ne plus lire après le lot en cours ; retenu après un redémarrage")
               : words("Go on where it was", "Reprendre où il en était"));
    needs_name(*command, options);
    command->footer(
        examples(fmt::format("  meesh streams {} ventes_live\n", paused ? "pause" : "resume")));
    command->callback([options, paused, &exit_code] { exit_code = pause(*options, paused); });
  }
  auto* command = subcommand(
      app, options, "reset",
      words("Begin anew from elsewhere: state and progress are forgotten, rows that are there stay",
            "Recommencer ailleurs : état et progression sont oubliés, les lignes écrites restent"));
  needs_name(*command, options);
  command
      ->add_option("--to", options->to,
                   words("earliest, latest, a moment (UTC unless it says otherwise), or offsets: "
                         "topic:0=1500,topic:1=980",
                         "earliest, latest, un moment (UTC sauf mention contraire), ou des "
                         "positions : topic:0=1500,topic:1=980"))
      ->required();
  command->add_flag("--truncate", options->truncate,
                    words("Empty the tables that it writes", "Vider les tables qu'il écrit"));
  command->add_flag("--yes", options->yes, words("Do not ask", "Ne pas demander"));
  command->footer(
      examples("  meesh streams reset ventes_live --to earliest --truncate\n"
               "  meesh streams reset ventes_live --to 2025-01-15T06:00:00Z --yes\n"
               "  meesh streams reset ventes_live --to ventes-temps-reel:0=1500 --yes\n"));
  command->callback([options, &exit_code] { exit_code = reset(*options); });
}

void add_work(CLI::App& app, const Shared& options, int& exit_code) {
  auto* ran = subcommand(app, options, "run",
                         words("Do now all that waits in its topics, and wait for it",
                               "Traiter tout ce qui attend dans ses topics, et attendre la fin"));
  needs_name(*ran, options);
  ran->footer(examples("  meesh streams run ventes_live\n"));
  ran->callback([options, &exit_code] { exit_code = run(*options); });

  auto* replayed = subcommand(
      app, options, "replay",
      words("Its SQL over the messages that Kafka still has, into a new table of the lake",
            "Son SQL sur les messages que Kafka garde encore, vers une nouvelle table du lac"));
  needs_name(*replayed, options);
  replayed
      ->add_option("--into", options->into,
                   words("catalog.schema.table, which must not exist yet",
                         "catalogue.schéma.table, qui ne doit pas encore exister"))
      ->required();
  replayed->add_option("--from", options->from,
                       words("Only messages from this moment on", "Dès ce moment seulement"));
  replayed->add_option("--to", options->until,
                       words("Only messages before this moment", "Avant ce moment seulement"));
  replayed->footer(
      examples("  meesh streams replay ventes_live --into lake.gold.ventes_again\n"
               "  meesh streams replay ventes_live --into lake.gold.ventes_15 --from 2025-01-15 "
               "--to 2025-01-16\n"));
  replayed->callback([options, &exit_code] { exit_code = replay(*options); });
}

}  // namespace

void add_streams(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<StreamsOptions>();
  auto* streams = subcommand(app, options, "streams",
                             words("Streams: messages of Kafka through SQL, live",
                                   "Flux : des messages de Kafka à travers SQL, en direct"));
  streams->require_subcommand(0, 1);
  add_looking(*streams, options, exit_code);
  add_steering(*streams, options, exit_code);
  add_work(*streams, options, exit_code);
  streams->footer(
      examples("  meesh streams\n  meesh streams show ventes_live\n"
               "  meesh streams watch ventes_live\n"));
  // Also called when a command below it was given.
  streams->callback([streams, options, &exit_code] {
    if (streams->get_subcommands().empty()) exit_code = list(*options);
  });
}

}  // namespace meesh::app
