// `meesh ingest`: sources of a running mesh, tried, looked at, run and watched.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "app/commands.h"
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

struct IngestOptions : ApiOptions {
  bool yaml = false, full_refresh = false;
  std::string target;  // NAME or NAME.table
  std::string run_date;
  std::string kind, catalog, schema, path, table, file;
  size_t limit = 0;
};

uint64_t count_of(const json::object& object, std::string_view key) {
  return static_cast<uint64_t>(number_of(object, key));
}
double real(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_number() ? value->to_number<double>() : 0;
}

json::object get(const IngestOptions& options, const std::string& path) {
  return api_get(options, kApi + path);
}

/// That one, or all of the server's if it is "".
std::vector<std::string> sources_of(const IngestOptions& options, const std::string& one) {
  if (!one.empty()) return {one};
  std::vector<std::string> names;
  const auto found = get(options, "/sources");
  for (const auto& source : found.at("sources").as_array())
    names.push_back(text_of(source.as_object(), "name"));
  return names;
}

std::string address_of(const std::string& source) { return "/sources/" + part(source); }

// ---- add, check, discover

std::string yaml_text(const std::string& value) { return json::serialize(json::value(value)); }

std::string new_file(const IngestOptions& options) {
  std::string yaml = fmt::format("name: {}\nkind: {}\n", options.target, options.kind);
  if (options.kind == "files") {
    const std::string table = options.table.empty() ? options.target : options.table;
    return yaml + fmt::format("tables:\n  {}: {{ path: {} }}\n", table, yaml_text(options.path));
  }
  yaml += fmt::format("catalog: {}\n", options.catalog);
  if (!options.schema.empty()) yaml += fmt::format("schema: {}\n", yaml_text(options.schema));
  return yaml;
}

int put(const IngestOptions& options, const std::string& yaml) {
  const auto told = api_put(options, kApi + address_of(options.target), {{"yaml", yaml}});
  if (options.json) {
    fmt::print("{}\n", json::serialize(told));
    return 0;
  }
  fmt::print("{}\nsources/{}.yaml:\n{}", text_of(told, "message"), options.target, yaml);
  return 0;
}

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    throw CLI::ValidationError(
        fmt::format("{} {}", words("cannot read", "lecture impossible :"), path));
  }
  return text;
}

int add(IngestOptions options) {
  if (!options.file.empty()) return put(options, file_text(options.file));
  if (options.kind.empty()) options.kind = options.path.empty() ? "postgresql" : "files";
  const bool files = options.kind == "files";
  if ((files ? options.path : options.catalog).empty())
    throw CLI::ValidationError(
        files ? words("--path is needed", "--path est nécessaire")
              : words("--catalog or --path is needed", "--catalog ou --path est nécessaire"));
  return put(options, new_file(options));
}

int check(const IngestOptions& options) {
  const auto names = sources_of(options, options.target);
  int failed = 0;
  const auto tell = [&](const std::string& name, const char* key, const std::string& text) {
    if (options.json) {
      fmt::print("{}\n", json::serialize(json::object{{"source", name}, {key, text}}));
    } else {
      fmt::print("{}: {}\n", name, text);
    }
  };
  for (const auto& name : names) {
    try {
      const auto told = get(options, address_of(name) + "/check");
      tell(name, "message", text_of(told, "message"));
    } catch (const NoServer&) {
      throw;
    } catch (const Error& error) {
      if (names.size() == 1) throw;
      tell(name, "error", error.what());
      failed = 1;
    }
  }
  if (names.empty() && !options.json)
    fmt::print("{}\n", words("There are no sources.", "Il n'y a pas de source."));
  return failed;
}

int discover(const IngestOptions& options) {
  const std::string path = address_of(options.target);
  if (options.yaml) {
    fmt::print("{}", api_text(options, kApi + path + "/proposal"));
    return 0;
  }
  const auto found = get(options, path + "/streams");
  if (options.json) {
    fmt::print("{}\n", json::serialize(found));
    return 0;
  }
  const auto joined = [](const json::value& texts) {
    std::vector<std::string> all;
    for (const auto& one : texts.as_array()) all.emplace_back(one.as_string());
    return fmt::format("{}", fmt::join(all, ", "));
  };
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : found.at("streams").as_array()) {
    const auto& stream = value.as_object();
    const double estimate = real(stream, "estimated_rows");
    rows.push_back({text_of(stream, "name"), std::to_string(stream.at("columns").as_array().size()),
                    estimate < 0 ? "" : "~" + grouped_digits(static_cast<uint64_t>(estimate)),
                    joined(stream.at("key")), joined(stream.at("cursors"))});
  }
  print_table({words("stream", "flux"), words("columns", "colonnes"), words("rows", "lignes"),
               words("key", "clé"), words("cursors", "curseurs")},
              rows);
  for (const auto& stream : found.at("streams").as_array()) {
    for (const auto& note : stream.at("notes").as_array())
      fmt::print("{}: {}\n", text_of(stream.as_object(), "name"), note.as_string().c_str());
    for (const auto& column : stream.at("columns").as_array())
      if (const auto note = text_of(column.as_object(), "note"); !note.empty())
        fmt::print("{}.{}: {}\n", text_of(stream.as_object(), "name"),
                   text_of(column.as_object(), "name"), note);
  }
  return 0;
}

// ---- run

/// Lines of a run as they come.
class RunView {
 public:
  explicit RunView(bool json) : json_(json) {}

  void take(std::string_view line) {
    const auto value = json::parse(line).as_object();
    if (const auto* progress = value.if_contains("progress")) {
      if (!json_)
        bar_.show(progress->at(0).to_number<uint64_t>(), progress->at(1).to_number<uint64_t>());
      return;
    }
    bar_.clear();
    if (value.contains("error")) failed_ = true;
    if (json_) {
      fmt::print("{}\n", line);
    } else if (value.contains("error")) {
      const auto stream = text_of(value, "end");
      fmt::print(stderr, "✗ {}{}{}\n", stream, stream.empty() ? "" : ": ",
                 text_of(value.at("error").as_object(), "text"));
    } else if (value.contains("end")) {
      print_end(value);
    } else if (value.contains("log")) {
      fmt::print("  {}\n", text_of(value, "log"));
    }
    std::fflush(stdout);
  }
  bool failed() const { return failed_; }

 private:
  static void print_end(const json::object& end) {
    const uint64_t rows = count_of(end, "rows"), rejected = count_of(end, "rejected");
    const double seconds = real(end, "seconds");
    std::string rate;
    if (rows > 0 && seconds > 0.1) {
      rate = fmt::format(", {} {}",
                         grouped_digits(static_cast<uint64_t>(static_cast<double>(rows) / seconds)),
                         words("rows/s", "lignes/s"));
    }
    if (rejected > 0)
      rate += fmt::format(", {} {}", grouped_digits(rejected), words("rejected", "rejetées"));
    fmt::print("✓ {} → {}: {} {} ({}), {}, {:.1f} s{}\n", text_of(end, "end"),
               text_of(end, "table"), grouped_digits(rows), words("rows", "lignes"),
               text_of(end, "run_date"), human_bytes(real(end, "bytes")), seconds, rate);
  }

  const bool json_;
  bool failed_ = false;
  ProgressBar bar_{[](double rows) { return grouped_digits(static_cast<uint64_t>(rows)); }};
};

bool run_one(const IngestOptions& options, const std::string& source, const std::string& table) {
  json::object body{{"source", source}, {"full_refresh", options.full_refresh}};
  if (!table.empty()) body["table"] = table;
  if (!options.run_date.empty()) body["run_date"] = options.run_date;
  RunView view(options.json);
  api_post_stream(options, std::string(kApi) + "/sync", body,
                  [&](std::string_view line) { view.take(line); });
  return !view.failed();
}

int run(const IngestOptions& options) {
  const size_t dot = options.target.find('.');
  const std::string table = dot == std::string::npos ? "" : options.target.substr(dot + 1);
  const auto sources = sources_of(options, options.target.substr(0, dot));
  if (sources.empty())
    fmt::print("{}\n", words("There are no sources.", "Il n'y a pas de source."));
  bool good = true;
  for (const auto& source : sources) good = run_one(options, source, table) && good;
  return good ? 0 : 1;
}

// ---- status

/// How far behind each source is whose changes are followed.
void tell_lag(const json::array& sources) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : sources) {
    const auto& source = value.as_object();
    rows.push_back({text_of(source, "source"), text_of(source, "phase"),
                    fmt::format("{:.1f} s", real(source, "lag_seconds")),
                    human_bytes(real(source, "lag_bytes"))});
    for (const auto& warning : source.at("warnings").as_array())
      rows.push_back({"", std::string(warning.as_string()), "", ""});
  }
  if (rows.empty()) return;
  fmt::print("\n");
  print_table({words("changes of", "changements de"), words("state", "état"),
               words("behind", "retard"), ""},
              rows);
}

int status(const IngestOptions& options) {
  const auto found = get(options, "/status");
  if (options.json) {
    fmt::print("{}\n", json::serialize(found));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> errors;
  for (const auto& value : found.at("streams").as_array()) {
    const auto& stream = value.as_object();
    const auto* last = stream.if_contains("last");
    const json::object nothing;
    const auto& newest = last ? last->as_object() : nothing;
    const auto name = text_of(stream, "source") + "." + text_of(stream, "stream");
    const auto* rate = stream.if_contains("success_rate");
    rows.push_back(
        {name, text_of(stream, "table"), text_of(stream, "mode"), text_of(newest, "state"),
         local_time(number_of(newest, "started_ms")), grouped_digits(count_of(newest, "rows")),
         grouped_digits(count_of(newest, "rejected")),
         rate && rate->is_number() ? fmt::format("{:.0f}%", real(stream, "success_rate") * 100)
                                   : "",
         fmt::format("{:.1f} s", real(stream, "mean_seconds"))});
    if (const auto error = text_of(newest, "error"); !error.empty())
      errors.push_back(name + ": " + error);
  }
  if (rows.empty()) {
    fmt::print("{}\n", words("Nothing has been ingested yet.", "Rien n'a encore été ingéré."));
    return 0;
  }
  print_table(
      {words("stream", "flux"), "table", "mode", words("state", "état"),
       words("last run", "dernière fois"), words("rows", "lignes"), words("rejected", "rejetées"),
       words("success", "réussite"), words("mean time", "durée moyenne")},
      rows);
  for (const auto& error : errors) fmt::print("{}\n", error);
  tell_lag(found.at("changes").as_array());
  return 0;
}

// ---- the command line

CLI::App* subcommand(CLI::App& app, IngestOptions& options, const char* name, std::string about) {
  auto* command = app.add_subcommand(name, std::move(about));
  add_api_options(*command, options);
  return command;
}

std::string examples(const std::string& lines) {
  return words("Examples:\n", "Exemples :\n") + lines +
         words("Exit codes: 0 all well, 1 something failed, 2 wrong options, 3 no server.",
               "Codes de sortie : 0 succès, 1 échec, 2 options fausses, 3 pas de serveur.");
}

void add_add(CLI::App& app, const std::shared_ptr<IngestOptions>& options, int& exit_code) {
  auto* command = subcommand(
      app, *options, "add",
      words("Write sources/NAME.yaml, after trying it", "Écrire sources/NOM.yaml, après un essai"));
  command->add_option("name", options->target, words("Name", "Nom"))->required();
  command->add_option("--kind", options->kind, "postgresql, files; others by --file")
      ->check(CLI::IsMember({"postgresql", "files"}));
  auto* catalog = command->add_option(
      "--catalog", options->catalog,
      words("postgresql: a catalog of the mesh", "postgresql : un catalogue du mesh"));
  command
      ->add_option("--schema", options->schema, words("postgresql: schema", "postgresql : schéma"))
      ->needs(catalog);
  auto* path = command->add_option(
      "--path", options->path,
      words("files: s3://bucket/folder/*.csv, or relative to the mesh's folder",
            "fichiers : s3://bucket/dossier/*.csv, ou relatif au dossier du mesh"));
  command->add_option("--table", options->table, words("files: table's name", "fichiers : table"))
      ->needs(path);
  catalog->excludes(path);
  command
      ->add_option("--file", options->file,
                   words("its file, of any kind, as it is to be written",
                         "son fichier, de toute sorte, tel qu'il sera écrit"))
      ->excludes(catalog)
      ->excludes(path);
  command->footer(
      examples("  meesh ingest add northwind --catalog northwind\n"
               "  meesh ingest add leads --path 's3://datalake/raw/marketing/leads*.csv'\n"
               "  meesh ingest add shop --file shop.yaml\n"));
  command->callback([options, &exit_code] { exit_code = add(*options); });
}

void add_run(CLI::App& app, const std::shared_ptr<IngestOptions>& options, int& exit_code) {
  auto* command = subcommand(app, *options, "run",
                             words("Take rows of a source, a table of it, or all sources",
                                   "Prendre les lignes d'une source, d'une de ses tables, ou de "
                                   "toutes"));
  command->add_option("target", options->target, words("NAME or NAME.table", "NOM ou NOM.table"));
  command->add_flag(
      "--full-refresh", options->full_refresh,
      words("Forget how far it was and take everything", "Oublier la position et tout prendre"));
  command->add_option("--run-date", options->run_date,
                      words("Partition that is written, such as 2025-01-15; today in UTC",
                            "Partition écrite, comme 2025-01-15 ; aujourd'hui en UTC"));
  command->footer(words("Ctrl-C cancels it; what is committed stays.\n",
                        "Ctrl-C l'annule ; ce qui est validé reste.\n") +
                  examples("  meesh ingest run northwind --run-date 2025-01-15\n"
                           "  meesh ingest run northwind.orders --full-refresh\n"));
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace

void add_ingest(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<IngestOptions>();
  auto* ingest = app.add_subcommand(
      "ingest", words("Sources: rows from databases and files into the lake",
                      "Sources : des lignes de bases et de fichiers vers le lac"));
  ingest->require_subcommand(1);
  ingest->footer(
      examples("  meesh ingest add northwind --catalog northwind\n"
               "  meesh ingest run northwind\n  meesh ingest status\n"));
  add_add(*ingest, options, exit_code);

  auto* checked = subcommand(*ingest, *options, "check",
                             words("Try a source, or all", "Essayer une source, ou toutes"));
  checked->add_option("name", options->target, words("Name", "Nom"));
  checked->footer(examples("  meesh ingest check\n  meesh ingest check northwind\n"));
  checked->callback([options, &exit_code] { exit_code = check(*options); });

  auto* discovered = subcommand(*ingest, *options, "discover",
                                words("What a source has to give", "Ce qu'une source peut donner"));
  discovered->add_option("name", options->target, words("Name", "Nom"))->required();
  discovered->add_flag("--yaml", options->yaml,
                       words("As a file for sources/", "Comme un fichier pour sources/"));
  discovered->footer(
      examples("  meesh ingest discover northwind\n  meesh ingest discover northwind --yaml\n"));
  discovered->callback([options, &exit_code] { exit_code = discover(*options); });

  add_run(*ingest, options, exit_code);

  auto* told = subcommand(*ingest, *options, "status",
                          words("How the streams' syncs went", "Comment se passent les flux"));
  told->footer(examples("  meesh ingest status --json\n"));
  told->callback([options, &exit_code] { exit_code = status(*options); });
  add_ingest_state(*ingest, exit_code);
  add_ingest_connectors(*ingest, exit_code);
}

}  // namespace meesh::app
