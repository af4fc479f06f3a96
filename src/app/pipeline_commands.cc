// run, runs, backfill, logs, schedule, assets: pipelines from the terminal, through the running
// server.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "app/commands.h"
#include "app/language.h"
#include "app/pipelines/run_view.h"
#include "app/server.h"
#include "app/sql/sql_command.h"
#include "base/error.h"

namespace meesh::app {
namespace {

namespace json = boost::json;

std::string words(std::string_view english, std::string_view french) {
  return std::string(say(english, french));
}

/// What part of a pipeline runs, and with what.
struct Wanted {
  std::string pipeline, partition;
  std::vector<std::string> select, exclude, parameters;
  bool full_refresh = false;
};

void add_wanted(CLI::App& command, Wanted& wanted) {
  command.add_option("-s,--select", wanted.select,
                     words("Only these assets: name, +name, name+, tag:word, lake.gold.*",
                           "Seulement ces éléments : nom, +nom, nom+, tag:mot, lake.gold.*"));
  command.add_option("--exclude", wanted.exclude, words("Not these assets", "Sans ces éléments"));
  command.add_option("--param", wanted.parameters,
                     words("name=value, over the file's", "nom=valeur, au lieu du fichier"));
  command.add_flag("--full-refresh", wanted.full_refresh,
                   words("Make incremental models anew, take whole tables",
                         "Refaire les modèles incrémentaux, reprendre les tables entières"));
}

json::object body_of(const Wanted& wanted) {
  json::object parameters;
  for (const std::string& one : wanted.parameters) {
    const size_t equal = one.find('=');
    if (equal == std::string::npos || equal == 0) {
      throw CLI::ValidationError(
          "--param",
          fmt::format(fmt::runtime(say("'{}' is not name=value", "'{}' n'est pas nom=valeur")),
                      one));
    }
    parameters[one.substr(0, equal)] = one.substr(equal + 1);
  }
  if (wanted.full_refresh) parameters["full_refresh"] = "true";
  json::array select, exclude;
  for (const std::string& one : wanted.select) select.emplace_back(one);
  for (const std::string& one : wanted.exclude) exclude.emplace_back(one);
  json::object body{{"select", select},
                    {"exclude", exclude},
                    {"parameters", parameters},
                    {"user", system_user()}};
  if (!wanted.partition.empty()) body["partition"] = wanted.partition;
  return body;
}

// ---- run

struct RunOptions {
  ApiOptions api;
  Wanted wanted;
  std::string rerun;
  bool all = false, detach = false;
};

int run(const RunOptions& options) {
  json::object made;
  if (!options.rerun.empty()) {
    const Wanted& wanted = options.wanted;
    if (!wanted.parameters.empty() || !wanted.select.empty() || !wanted.exclude.empty() ||
        !wanted.partition.empty() || wanted.full_refresh) {
      throw Error(Code::kBadRequest, "--rerun repeats a run with what it was given")
          .with_hint("for other assets or parameters: meesh run PIPELINE --select … --param …");
    }
    made = api_post(options.api, "/api/v1/runs/" + part(options.rerun) + "/rerun",
                    {{"all", options.all}, {"user", system_user()}});
  } else if (options.wanted.pipeline.empty()) {
    throw CLI::ValidationError(words("Which pipeline? (meesh schedule names them)",
                                     "Quel pipeline ? (meesh schedule les nomme)"));
  } else {
    made = api_post(options.api, "/api/v1/pipelines/" + part(options.wanted.pipeline) + "/runs",
                    body_of(options.wanted));
  }
  const std::string id = text_of(made, "id");
  if (options.detach) {
    fmt::print("{}\n", options.api.json ? json::serialize(made) : id);
    return 0;
  }
  if (!options.api.json) fmt::print("{} {}\n", say("run", "exécution"), id);
  return follow_run(options.api, id);
}

// ---- runs

struct RunsOptions {
  ApiOptions api;
  std::string run, pipeline, state;
  int limit = 20;
  bool cancel = false;
};

void print_run(const json::object& run) {
  fmt::print("{} {}  {}  {}\n", say("run", "exécution"), text_of(run, "id"),
             text_of(run, "pipeline"), state_text(text_of(run, "state")));
  for (const char* key :
       {"partition", "trigger", "requested_by", "rerun_of", "backfill", "error"}) {
    if (const std::string text = text_of(run, key); !text.empty()) {
      fmt::print("  {:<14}{}\n", key, text);
    }
  }
  fmt::print("  {:<14}{}\n\n", "started", local_time(number_of(run, "started_ms")));
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : run.at("steps").as_array()) {
    const json::object& step = value.as_object();
    const int64_t from = number_of(step, "started_ms"), to = number_of(step, "ended_ms");
    const std::string error = text_of(step, "error");
    rows.push_back({(text_of(step, "part_of").empty() ? "" : "  ") + text_of(step, "name"),
                    text_of(step, "state"), std::to_string(number_of(step, "attempt")),
                    from > 0 && to >= from ? duration_text(to - from) : "",
                    step.contains("rows") ? std::to_string(number_of(step, "rows")) : "",
                    error.empty() ? text_of(step, "message") : error});
  }
  print_table({words("step", "étape"), words("state", "état"), words("tries", "essais"),
               words("time", "durée"), words("rows", "lignes"), ""},
              rows);
}

int runs(const RunsOptions& options) {
  if (!options.run.empty()) {
    const std::string path = "/api/v1/runs/" + part(options.run);
    if (options.cancel) api_post(options.api, path + "/cancel");
    const json::object run = api_get(options.api, path);
    if (options.api.json) {
      fmt::print("{}\n", json::serialize(run));
    } else {
      print_run(run);
    }
    return 0;
  }
  const json::object answer =
      api_get(options.api, fmt::format("/api/v1/runs?limit={}&pipeline={}&state={}", options.limit,
                                       part(options.pipeline), part(options.state)));
  if (options.api.json) {
    fmt::print("{}\n", json::serialize(answer));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : answer.at("runs").as_array()) {
    const json::object& run = value.as_object();
    const int64_t from = number_of(run, "started_ms"), to = number_of(run, "ended_ms");
    rows.push_back({text_of(run, "id"), text_of(run, "pipeline"), text_of(run, "state"),
                    text_of(run, "partition"), text_of(run, "trigger"),
                    local_time(number_of(run, "created_ms")),
                    from > 0 && to >= from ? duration_text(to - from) : "", text_of(run, "error")});
  }
  if (rows.empty()) {
    fmt::print("{}\n", say("There are no such runs.", "Il n'y a pas de telle exécution."));
    return 0;
  }
  print_table({"run", "pipeline", words("state", "état"), "partition", "cause",
               words("created", "créée"), words("time", "durée"), ""},
              rows);
  return 0;
}

// ---- backfill

struct BackfillOptions {
  ApiOptions api;
  Wanted wanted;
  std::string from, to, cancel;
  int concurrency = 1;
  bool detach = false;
};

/// Its counts of runs by state, until none is left to run.
int follow_backfill(const ApiOptions& api, const std::string& pipeline, const std::string& id) {
  std::string told;
  while (true) {
    const json::object answer = api_get(api, "/api/v1/backfills?pipeline=" + part(pipeline));
    for (const auto& value : answer.at("backfills").as_array()) {
      const json::object& one = value.as_object();
      if (text_of(one, "id") != id) continue;
      const json::object& runs = one.at("runs").as_object();
      std::string line;
      for (const auto& [state, count] : runs) {
        line += fmt::format("{}{} {}", line.empty() ? "" : ", ", count.to_number<int64_t>(),
                            std::string_view(state));
      }
      if (line != told && !api.json) fmt::print("  {}\n", line);
      std::fflush(stdout);
      told = line;
      if (runs.contains("queued") || runs.contains("running")) break;
      if (api.json) fmt::print("{}\n", json::serialize(one));
      return runs.contains("failed") || runs.contains("canceled") ? 1 : 0;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
}

int backfill(const BackfillOptions& options) {
  if (!options.cancel.empty()) {
    api_post(options.api, "/api/v1/backfills/" + part(options.cancel) + "/cancel");
    return 0;
  }
  if (options.wanted.pipeline.empty() || options.from.empty() || options.to.empty()) {
    throw CLI::ValidationError(
        words("Which pipeline, from when, to when?", "Quel pipeline, de quand à quand ?") +
        " (meesh backfill northwind --from 2025-01-01 --to 2025-01-31)");
  }
  json::object body = body_of(options.wanted);
  body["from"] = options.from;
  body["to"] = options.to;
  body["concurrency"] = options.concurrency;
  const json::object made = api_post(
      options.api, "/api/v1/pipelines/" + part(options.wanted.pipeline) + "/backfills", body);
  const std::string id = text_of(made, "id");
  if (options.detach) {
    fmt::print("{}\n", options.api.json ? json::serialize(made) : id);
    return 0;
  }
  if (!options.api.json) fmt::print("backfill {}\n", id);
  return follow_backfill(options.api, options.wanted.pipeline, id);
}

// ---- logs

struct LogsOptions {
  ApiOptions api;
  std::string run, step;
  bool follow = false;
};

int logs(const LogsOptions& options) {
  const auto print = [&](std::string_view line) {
    if (options.api.json) {
      json::object object;
      size_t at = 0;
      for (const char* key : {"time", "level", "step"}) {
        const size_t tab = std::min(line.find('\t', at), line.size());
        object[key] = line.substr(at, tab - at);
        at = std::min(tab + 1, line.size());
      }
      object["text"] = line.substr(at);
      fmt::print("{}\n", json::serialize(object));
      return;
    }
    std::string shown(line);
    for (int i = 0; i < 3; ++i) {
      if (const size_t tab = shown.find('\t'); tab != std::string::npos) {
        shown.replace(tab, 1, i == 2 ? "  " : " ");
      }
    }
    fmt::print("{}\n", shown);
  };
  api_stream(options.api,
             fmt::format("/api/v1/runs/{}/logs?step={}&follow={}", part(options.run),
                         part(options.step), options.follow ? 1 : 0),
             [&](std::string_view line) {
               print(line);
               std::fflush(stdout);
             });
  return 0;
}

// ---- schedule

struct ScheduleOptions {
  ApiOptions api;
  std::string action = "list", pipeline;
  int count = 5;
};

int schedule(const ScheduleOptions& options) {
  if (options.action == "pause" || options.action == "resume") {
    if (options.pipeline.empty())
      throw CLI::ValidationError(words("Which pipeline?", "Quel pipeline ?"));
    api_post(options.api,
             fmt::format("/api/v1/pipelines/{}/{}", part(options.pipeline), options.action));
  }
  const bool next = options.action == "next";
  const json::object answer =
      api_get(options.api, fmt::format("/api/v1/schedules?next={}", next ? options.count : 1));
  if (options.api.json) {
    fmt::print("{}\n", json::serialize(answer));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : answer.at("schedules").as_array()) {
    const json::object& one = value.as_object();
    const std::string name = text_of(one, "pipeline");
    if (!options.pipeline.empty() && name != options.pipeline) continue;
    std::vector<std::string> times;
    for (const auto& at : one.at("next_ms").as_array()) {
      times.push_back(local_time(at.to_number<int64_t>()));
    }
    if (times.empty())
      times.emplace_back(one.at("paused").as_bool() ? words("paused", "en pause") : "");
    rows.push_back({name, text_of(one, "schedule"), text_of(one, "timezone"),
                    local_time(number_of(one, "last_ms")), times.front()});
    for (size_t i = 1; i < times.size(); ++i) rows.push_back({"", "", "", "", times[i]});
  }
  if (rows.empty()) {
    fmt::print("{}\n", say("There are no pipelines.", "Il n'y a pas de pipeline."));
    return 0;
  }
  print_table({"pipeline", words("schedule", "planification"), words("zone", "fuseau"),
               words("last", "dernière"), words("next (your time)", "prochaine (votre heure)")},
              rows);
  return 0;
}

// ---- assets

struct AssetsOptions {
  ApiOptions api;
  std::string pipeline;
};

int assets(const AssetsOptions& options) {
  const json::object answer =
      api_get(options.api, "/api/v1/assets?pipeline=" + part(options.pipeline));
  if (options.api.json) {
    fmt::print("{}\n", json::serialize(answer));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : answer.at("assets").as_array()) {
    const json::object& one = value.as_object();
    std::string changed;
    for (const auto& input : one.at("changed_inputs").as_array()) {
      changed += (changed.empty() ? words("newer: ", "plus récent : ") : ", ") +
                 std::string(input.as_string());
    }
    rows.push_back({text_of(one, "name"), text_of(one, "kind"), text_of(one, "pipeline"),
                    text_of(one, "state"), local_time(number_of(one, "succeeded_ms")),
                    one.contains("rows") ? std::to_string(number_of(one, "rows")) : "", changed});
  }
  print_table({words("asset", "élément"), words("kind", "genre"), "pipeline",
               words("state", "état"), words("made", "fait"), words("rows", "lignes"), ""},
              rows);
  return 0;
}

constexpr const char* kCodes =
    "Exit codes: 0 all well, 1 a run failed, 2 wrong options, 3 no "
    "server, 130 canceled.";
constexpr const char* kCodesFrench =
    "Codes de sortie : 0 succès, 1 une exécution a échoué, 2 "
    "options fausses, 3 pas de serveur, 130 annulé.";

std::string footer(const std::string& examples) {
  return words("Examples:\n", "Exemples :\n") + examples + words(kCodes, kCodesFrench);
}

void add_run(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<RunOptions>();
  auto* command = app.add_subcommand("run", words("Run a pipeline", "Exécuter un pipeline"));
  command->add_option("pipeline", options->wanted.pipeline, words("Its name", "Son nom"));
  add_wanted(*command, options->wanted);
  command->add_option("--run-date,--partition", options->wanted.partition,
                      words("What it runs for: 2025-01-15; without it, today",
                            "Pour quand : 2025-01-15 ; sinon, aujourd'hui"));
  command->add_option("--rerun", options->rerun,
                      words("A run, whose steps that did not succeed run again",
                            "Une exécution, dont les étapes non réussies sont reprises"));
  command->add_flag("--all", options->all,
                    words("With --rerun: all its steps", "Avec --rerun : toutes ses étapes"));
  command->add_flag("--detach", options->detach,
                    words("Do not wait for its end", "Ne pas attendre la fin"));
  add_api_options(*command, options->api);
  command->footer(
      footer("  meesh run northwind\n"
             "  meesh run northwind --select lake.gold.rfm+ --run-date 2025-01-15\n"
             "  meesh run --rerun 20250115-060000-3f9a2c81\n"));
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

void add_runs(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<RunsOptions>();
  auto* command = app.add_subcommand(
      "runs", words("Runs of pipelines, or the steps of one", "Exécutions, ou les étapes d'une"));
  command->add_option("run", options->run, words("One run", "Une exécution"));
  command->add_option("--pipeline", options->pipeline, words("Only of this", "Seulement de"));
  command->add_option("--state", options->state, "queued, running, succeeded, failed, canceled");
  command->add_option("--limit", options->limit, words("At most", "Au plus"))
      ->capture_default_str();
  command->add_flag("--cancel", options->cancel, words("Cancel that run", "Annuler l'exécution"));
  add_api_options(*command, options->api);
  command->footer(footer("  meesh runs --state failed\n  meesh runs 20250115-060000-3f9a2c81\n"));
  command->callback([options, &exit_code] { exit_code = runs(*options); });
}

void add_backfill(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<BackfillOptions>();
  auto* command =
      app.add_subcommand("backfill", words("Run a pipeline for a range of its partitions",
                                           "Exécuter un pipeline pour une série de partitions"));
  command->add_option("pipeline", options->wanted.pipeline, words("Its name", "Son nom"));
  command->add_option("--from", options->from, words("First partition", "Première partition"));
  command->add_option("--to", options->to, words("Last partition", "Dernière partition"));
  command->add_option("--concurrency", options->concurrency, words("Runs at once", "À la fois"))
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  add_wanted(*command, options->wanted);
  command->add_option("--cancel", options->cancel, words("Cancel this one", "Annuler celui-ci"));
  command->add_flag("--detach", options->detach,
                    words("Do not wait for its end", "Ne pas attendre la fin"));
  add_api_options(*command, options->api);
  command->footer(
      footer("  meesh backfill northwind --from 2025-01-01 --to 2025-01-31 --concurrency 4\n"));
  command->callback([options, &exit_code] { exit_code = backfill(*options); });
}

void add_logs(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<LogsOptions>();
  auto* command = app.add_subcommand(
      "logs", words("What the steps of a run said", "Ce que les étapes ont dit"));
  command->add_option("run", options->run, words("The run", "L'exécution"))->required();
  command->add_option("step", options->step, words("Only this step", "Seulement cette étape"));
  command->add_flag("-f,--follow", options->follow,
                    words("Until the run has ended", "Jusqu'à la fin de l'exécution"));
  add_api_options(*command, options->api);
  command->footer(
      footer("  meesh logs 20250115-060000-3f9a2c81 lake.gold.rfm\n"
             "  meesh logs 20250115 -f\n"));
  command->callback([options, &exit_code] { exit_code = logs(*options); });
}

void add_schedule(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ScheduleOptions>();
  auto* command = app.add_subcommand(
      "schedule", words("When pipelines run by themselves", "Quand les pipelines s'exécutent"));
  command->add_option("action", options->action, "list, next, pause, resume")
      ->check(CLI::IsMember({"list", "next", "pause", "resume"}))
      ->capture_default_str();
  command->add_option("pipeline", options->pipeline, words("Only this one", "Seulement celui-ci"));
  command->add_option("-n", options->count, words("With next: how many", "Avec next : combien"))
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  add_api_options(*command, options->api);
  command->footer(
      footer("  meesh schedule next northwind -n 10\n"
             "  meesh schedule pause northwind\n"));
  command->callback([options, &exit_code] { exit_code = schedule(*options); });
}

void add_assets(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<AssetsOptions>();
  auto* command = app.add_subcommand("assets", words("What pipelines make, and how fresh it is",
                                                     "Ce que font les pipelines, et sa fraîcheur"));
  command->add_option("pipeline", options->pipeline, words("Only of this one", "De celui-ci"));
  add_api_options(*command, options->api);
  command->footer(footer("  meesh assets\n  meesh assets northwind --json\n"));
  command->callback([options, &exit_code] { exit_code = assets(*options); });
}

}  // namespace

void add_pipelines(CLI::App& app, int& exit_code) {
  add_run(app, exit_code);
  add_runs(app, exit_code);
  add_backfill(app, exit_code);
  add_logs(app, exit_code);
  add_schedule(app, exit_code);
  add_assets(app, exit_code);
}

}  // namespace meesh::app
