// `meesh ingest state` and `meesh ingest history`: how far streams were read, and how their runs
// went.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "app/ingest_commands.h"
#include "app/language.h"
#include "app/progress_bar.h"
#include "app/server.h"

namespace meesh::app {
namespace {

namespace json = boost::json;

constexpr const char* kApi = "/api/v1/ingest";

std::string words(std::string_view english, std::string_view french) {
  return std::string(say(english, french));
}

struct StateOptions : ApiOptions {
  std::string target;  // NAME or NAME.table
  std::string position;
  size_t limit = 20;

  std::string source() const { return target.substr(0, target.find('.')); }
  std::string table() const {
    const size_t dot = target.find('.');
    return dot == std::string::npos ? "" : target.substr(dot + 1);
  }
  std::string address() const { return fmt::format("{}/sources/{}/state", kApi, part(source())); }
};

std::string member(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value ? json::serialize(*value) : "";
}

int show(const StateOptions& options) {
  auto found = api_get(options, options.address());
  auto& streams = found.at("streams").as_array();
  if (const auto table = options.table(); !table.empty()) {
    json::array only;
    for (auto& stream : streams)
      if (text_of(stream.as_object(), "stream") == table) only.push_back(stream);
    streams = std::move(only);
  }
  if (options.json) {
    fmt::print("{}\n", json::serialize(found));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : streams) {
    const auto& stream = value.as_object();
    rows.push_back({text_of(stream, "stream"), text_of(stream, "mode"),
                    local_time(number_of(stream, "moved_ms")), member(stream, "position")});
  }
  if (rows.empty()) {
    fmt::print("{}\n", words("Nothing has been read yet.", "Rien n'a encore été lu."));
    return 0;
  }
  print_table({words("stream", "flux"), "mode", words("moved", "avancée"), "position"}, rows);
  return 0;
}

int change(const StateOptions& options, const json::value& position) {
  const auto told =
      api_put(options, options.address(), {{"table", options.table()}, {"position", position}});
  if (options.json) {
    fmt::print("{}\n", json::serialize(told));
    return 0;
  }
  for (const auto& stream : told.at("streams").as_array()) {
    fmt::print("{}.{}: {}\n", options.source(), stream.as_string().c_str(),
               position.is_null()
                   ? words("the next run takes everything", "la prochaine exécution prend tout")
                   : words("the next run goes on from there", "la prochaine exécution part de là"));
  }
  return 0;
}

int set(const StateOptions& options) {
  boost::system::error_code wrong;
  const auto position = json::parse(options.position, wrong);
  if (wrong || !position.is_object()) {
    throw CLI::ValidationError(
        words("the position is a JSON object, such as meesh ingest state show writes it",
              "la position est un objet JSON, comme meesh ingest state show l'écrit"));
  }
  return change(options, position);
}

int history(const StateOptions& options) {
  std::string path = fmt::format("{}/history?limit={}", kApi, options.limit);
  if (!options.target.empty()) path += "&source=" + part(options.source());
  if (const auto table = options.table(); !table.empty()) path += "&table=" + part(table);
  const auto found = api_get(options, path);
  if (options.json) {
    fmt::print("{}\n", json::serialize(found));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : found.at("syncs").as_array()) {
    const auto& sync = value.as_object();
    const int64_t started = number_of(sync, "started_ms"), ended = number_of(sync, "ended_ms");
    rows.push_back({local_time(started), text_of(sync, "source") + "." + text_of(sync, "stream"),
                    text_of(sync, "mode"), text_of(sync, "state"),
                    grouped_digits(static_cast<uint64_t>(number_of(sync, "rows"))),
                    human_bytes(static_cast<double>(number_of(sync, "bytes"))),
                    grouped_digits(static_cast<uint64_t>(number_of(sync, "rejected"))),
                    ended > 0 ? duration_text(ended - started) : "", text_of(sync, "error")});
  }
  if (rows.empty()) {
    fmt::print("{}\n", words("Nothing has been ingested yet.", "Rien n'a encore été ingéré."));
    return 0;
  }
  print_table({words("began", "début"), words("stream", "flux"), "mode", words("state", "état"),
               words("rows", "lignes"), words("size", "taille"), words("rejected", "rejetées"),
               words("took", "durée"), words("error", "erreur")},
              rows);
  return 0;
}

CLI::App* subcommand(CLI::App& app, StateOptions& options, const char* name, std::string about) {
  auto* command = app.add_subcommand(name, std::move(about));
  add_api_options(*command, options);
  return command;
}

std::string example(const std::string& lines) {
  return words("Examples:\n", "Exemples :\n") + lines +
         words("Exit codes: 0 all well, 1 something failed, 2 wrong options, 3 no server.",
               "Codes de sortie : 0 succès, 1 échec, 2 options fausses, 3 pas de serveur.");
}

}  // namespace

void add_ingest_state(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<StateOptions>();
  auto* state =
      app.add_subcommand("state", words("How far streams were read", "Jusqu'où les flux sont lus"));
  state->require_subcommand(1);
  state->footer(words("Examples:\n", "Exemples :\n") +
                "  meesh ingest state show northwind\n  meesh ingest state reset northwind.orders");
  const auto target = [&](CLI::App* command, const std::string& what) {
    return command->add_option("target", options->target, what)->required();
  };
  const auto name_or_table = words("NAME or NAME.table", "NOM ou NOM.table");

  auto* shown = subcommand(*state, *options, "show", words("Show it", "La montrer"));
  target(shown, name_or_table);
  shown->footer(example("  meesh ingest state show northwind\n"));
  shown->callback([options, &exit_code] { exit_code = show(*options); });

  auto* forgotten = subcommand(*state, *options, "reset",
                               words("Forget it: the next run takes everything",
                                     "L'oublier : la prochaine exécution prend tout"));
  target(forgotten, name_or_table);
  forgotten->footer(example("  meesh ingest state reset northwind.orders\n"));
  forgotten->callback([options, &exit_code] { exit_code = change(*options, nullptr); });

  auto* given = subcommand(*state, *options, "set",
                           words("Go on from another position", "Repartir d'une autre position"));
  target(given, words("NAME.table", "NOM.table"));
  given->add_option("position", options->position, words("JSON object", "objet JSON"))->required();
  given->footer(
      example("  meesh ingest state set northwind.orders "
              "'{\"cursor\": \"2025-01-15 00:00:00.000000\"}'\n"));
  given->callback([options, &exit_code] { exit_code = set(*options); });

  auto* past = subcommand(app, *options, "history",
                          words("How runs went, newest first", "Les exécutions, dernière d'abord"));
  past->add_option("target", options->target, name_or_table);
  past->add_option("--limit", options->limit, words("Runs at most", "Exécutions au plus"))
      ->check(CLI::Range(1, 10'000));
  past->footer(example("  meesh ingest history\n  meesh ingest history northwind.orders\n"));
  past->callback([options, &exit_code] { exit_code = history(*options); });
}

}  // namespace meesh::app
