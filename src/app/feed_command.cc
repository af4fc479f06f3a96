// `meesh feed`: exports of streams and tables into the data lake, through the running server.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <memory>

#include "app/commands.h"
#include "app/feeds/export_view.h"
#include "app/feeds/feed_report.h"
#include "app/language.h"
#include "app/progress_bar.h"
#include "app/server.h"
#include "base/clock.h"

namespace meesh::app {
namespace {

namespace json = boost::json;

constexpr const char* kApi = "/api/v1/data-lake";

std::string words(std::string_view english, std::string_view french) {
  return std::string(say(english, french));
}

struct FeedOptions : ApiOptions {
  std::string name, type, source, description, event_time, cursor, permissions, now, csv, html;
  std::vector<std::string> names;
  int retention_days = 0, retention_versions = 0;
  int64_t version = 0;
  bool all = false, disable = false, enable = false, dry_run = false;
};

uint64_t count_of(const json::object& object, std::string_view key) {
  return static_cast<uint64_t>(number_of(object, key));
}
std::string size_of(const json::object& object) {
  return human_bytes(static_cast<double>(count_of(object, "bytes")));
}

std::string address_of(const std::string& name) { return kApi + ("/feeds/" + part(name)); }

void print_json(const json::value& value) { fmt::print("{}\n", json::serialize(value)); }

/// What --now says, in milliseconds since 1970: "2025-01-15", "2025-01-15T14:30:00Z".
int64_t moment(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const int read = std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2dZ", &year, &month, &day, &hour,
                               &minute, &second);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if ((read != 3 && read != 6) || !date.ok())
    throw CLI::ValidationError("--now", words("2025-01-15, or 2025-01-15T14:30:00Z",
                                              "2025-01-15, ou 2025-01-15T14:30:00Z"));
  const auto days = std::chrono::sys_days(date).time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(days).count() +
         ((hour * 60 + minute) * 60 + second) * int64_t{1000};
}

json::object body_of(const FeedOptions& options) {
  json::object body;
  if (!options.names.empty())
    body["feeds"] = json::array(options.names.begin(), options.names.end());
  if (!options.type.empty()) body["type"] = options.type;
  if (!options.now.empty()) body["now_ms"] = moment(options.now);
  return body;
}

// ---- add, update, archive, sync

/// The keys of a feed's file that options give.
json::object keys_of(const FeedOptions& options) {
  json::object keys;
  const auto put = [&](const char* key, const std::string& value) {
    if (!value.empty()) keys[key] = value;
  };
  put("feed_type", options.type);
  if (!options.source.empty()) {
    const bool table = options.source.find('.') != std::string::npos;
    keys[table ? "source" : "ksqldb_source"] = options.source;
  }
  put("description", options.description);
  put("event_time", options.event_time);
  put("cursor", options.cursor);
  put("permissions", options.permissions);
  if (options.retention_days > 0) keys["retention_days"] = options.retention_days;
  if (options.retention_versions > 0) keys["retention_versions"] = options.retention_versions;
  if (options.disable) keys["enabled"] = false;
  if (options.enable) keys["enabled"] = true;
  return keys;
}

int add(const FeedOptions& options) {
  const auto told = api_put(options, address_of(options.name), keys_of(options));
  if (options.json) {
    print_json(told);
    return 0;
  }
  fmt::print("feeds/active/{}.json\n{}\n", options.name, text_of(told, "folder"));
  return 0;
}

int update(const FeedOptions& options) {
  auto keys = keys_of(options);
  if (keys.empty())
    throw CLI::ValidationError(words("nothing to change is given", "rien à changer"));
  // The one takes the other's place.
  if (keys.contains("source"))
    keys["ksqldb_source"] = nullptr;
  else if (keys.contains("ksqldb_source"))
    keys["source"] = nullptr;
  const auto told = api_post(options, address_of(options.name), keys);
  if (options.json) print_json(told);
  if (!options.json) fmt::print("feeds/active/{}.json\n", options.name);
  return 0;
}

int archive(const FeedOptions& options) {
  const auto told = api_post(options, address_of(options.name) + "/archive");
  if (options.json) print_json(told);
  if (!options.json) fmt::print("feeds/archived/{}.json\n", options.name);
  return 0;
}

int sync(const FeedOptions& options) {
  const auto told = api_post(options, std::string(kApi) + "/sync");
  const bool good = told.at("errors").as_array().empty();
  if (options.json) {
    print_json(told);
    return good ? 0 : 1;
  }
  const auto print = [&](const char* key, const std::string& word) {
    for (const auto& name : told.at(key).as_array())
      fmt::print("{:<10} {}\n", word, name.as_string().c_str());
  };
  print("added", words("new", "nouveau"));
  print("changed", words("changed", "changé"));
  print("archived", words("archived", "archivé"));
  print("unchanged", words("unchanged", "inchangé"));
  for (const auto& error : told.at("errors").as_array())
    fmt::print(stderr, "{}\n", error.as_string().c_str());
  return good ? 0 : 1;
}

// ---- list, show, stats

std::string retention_of(const json::object& feed) {
  if (const int64_t versions = number_of(feed, "retention_versions"); versions > 0)
    return fmt::format("{} {}", versions, words("versions", "versions"));
  const int64_t days = number_of(feed, "retention_days");
  return days == 0 ? words("for ever", "sans fin")
                   : fmt::format("{} {}", days, words("days", "jours"));
}

std::string state_of(const json::object& feed) {
  if (feed.contains("error")) return words("broken", "en erreur");
  const auto* enabled = feed.if_contains("enabled");
  if (enabled && !enabled->as_bool()) return words("disabled", "désactivé");
  const auto* last = feed.if_contains("last");
  return last ? text_of(last->as_object(), "state") : words("new", "nouveau");
}

int list(const FeedOptions& options) {
  const auto told = api_get(options, std::string(kApi) + "/feeds");
  if (options.json) {
    print_json(told);
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : told.at("feeds").as_array()) {
    const auto& feed = value.as_object();
    rows.push_back({text_of(feed, "name"), text_of(feed, "type"), text_of(feed, "source"),
                    text_of(feed, "storage_mode"), retention_of(feed),
                    grouped_digits(count_of(feed, "records")), size_of(feed),
                    local_time(number_of(feed, "last_export_ms")), state_of(feed)});
  }
  if (rows.empty()) {
    fmt::print("{}\n", words("There are no feeds: meesh feed add.",
                             "Il n'y a pas de feed : meesh feed add."));
    return 0;
  }
  print_table({"feed", "type", "source", "mode", words("retention", "rétention"),
               words("records", "enregistrements"), words("size", "taille"),
               words("last export", "dernier export"), words("state", "état")},
              rows);
  for (const auto& value : told.at("feeds").as_array())
    if (const auto error = text_of(value.as_object(), "error"); !error.empty())
      fmt::print("{}\n", error);
  return 0;
}

void print_events(const json::array& events) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : events) {
    const auto& event = value.as_object();
    const std::string error = text_of(event, "error");
    rows.push_back({local_time(number_of(event, "started_ms")), text_of(event, "feed"),
                    text_of(event, "kind"), state_text(text_of(event, "state"), 9),
                    grouped_digits(count_of(event, "rows")),
                    error.empty() ? text_of(event, "detail") : error});
  }
  print_table({words("time", "heure"), "feed", words("what", "quoi"), words("state", "état"),
               words("rows", "lignes"), words("remarks", "remarques")},
              rows);
}

int show(const FeedOptions& options) {
  const auto feed = api_get(options, address_of(options.name));
  if (options.json) {
    print_json(feed);
    return 0;
  }
  const auto line = [](const std::string& key, const std::string& value) {
    if (!value.empty()) fmt::print("{:<16} {}\n", key, value);
  };
  line("feed", text_of(feed, "name"));
  line("description", text_of(feed, "description"));
  line("type", text_of(feed, "type") + ", " + text_of(feed, "storage_mode") + ", " +
                   text_of(feed, "partitioning"));
  line("source", text_of(feed, "origin"));
  line("table", text_of(feed, "table"));
  line(words("view", "vue"), text_of(feed, "view"));
  line(words("folder", "dossier"),
       text_of(feed, "folder") + " (" + text_of(feed, "permissions") + ")");
  line(words("retention", "rétention"), retention_of(feed));
  line(words("records", "enregistrements"), grouped_digits(count_of(feed, "records")));
  line(words("size", "taille"), size_of(feed));
  line(words("last export", "dernier export"), local_time(number_of(feed, "last_export_ms")));
  if (const auto* position = feed.if_contains("position"))
    line("position", json::serialize(*position));
  std::vector<std::vector<std::string>> rows;
  if (const auto* versions = feed.if_contains("versions")) {
    for (const auto& value : versions->as_array()) {
      const auto& version = value.as_object();
      rows.push_back({fmt::format("v{}", number_of(version, "version")),
                      local_time(number_of(version, "written_ms")),
                      grouped_digits(count_of(version, "rows")),
                      version.at("current").as_bool()   ? words("current", "actuelle")
                      : version.at("removed").as_bool() ? words("removed", "supprimée")
                                                        : ""});
    }
    fmt::print("\n");
    print_table(
        {"version", words("written", "écrite"), words("rows", "lignes"), words("state", "état")},
        rows);
  } else {
    for (const auto& value : feed.at("partitions").as_array()) {
      const auto& one = value.as_object();
      rows.push_back(
          {text_of(one, "path"), grouped_digits(count_of(one, "records")), size_of(one)});
    }
    fmt::print("\n");
    print_table({"partition", words("records", "enregistrements"), words("size", "taille")}, rows);
  }
  fmt::print("\n");
  print_events(feed.at("events").as_array());
  return 0;
}

int stats(const FeedOptions& options) {
  const auto told = api_get(options, std::string(kApi) + "/feeds");
  uint64_t streams = 0, tables = 0, records = 0, bytes = 0, partitions = 0;
  for (const auto& value : told.at("feeds").as_array()) {
    const auto& feed = value.as_object();
    (text_of(feed, "type") == "table" ? tables : streams) += feed.contains("error") ? 0 : 1;
    records += count_of(feed, "records");
    bytes += count_of(feed, "bytes");
    partitions += count_of(feed, "partition_count");
  }
  if (options.json) {
    print_json(json::object{{"streams", streams},
                            {"tables", tables},
                            {"records", records},
                            {"bytes", bytes},
                            {"partitions", partitions},
                            {"feeds", told.at("feeds")}});
    return 0;
  }
  list(options);
  fmt::print("\n{} streams, {} tables, {} {}, {} {}, {}\n{}\n", streams, tables,
             grouped_digits(records), words("records", "enregistrements"),
             grouped_digits(partitions), words("partitions", "partitions"),
             human_bytes(static_cast<double>(bytes)), text_of(told, "folder"));
  return 0;
}

// ---- export

int export_feeds(const FeedOptions& options) {
  if (options.names.empty() && !options.all && options.type.empty())
    throw CLI::ValidationError(words("name feeds, or --all", "nommer des feeds, ou --all"));
  ExportView view(options.json);
  api_post_stream(options, std::string(kApi) + "/export", body_of(options),
                  [&](std::string_view line) { view.take(line); });
  if (!view.any() && !options.json)
    fmt::print("{}\n", words("There are no feeds to export.", "Il n'y a pas de feed à exporter."));
  return view.failed() ? 1 : 0;
}

// ---- retain, rollback

int retain(const FeedOptions& options) {
  auto body = body_of(options);
  body["dry_run"] = options.dry_run;
  const auto told = api_post(options, std::string(kApi) + "/retain", body);
  if (options.json) {
    print_json(told);
    return 0;
  }
  bool any = false;
  for (const auto& value : told.at("feeds").as_array()) {
    const auto& feed = value.as_object();
    for (const auto& partition : feed.at("removed").as_array()) {
      const auto& one = partition.as_object();
      fmt::print(
          "{} {}/{}: {} {}, {}\n",
          options.dry_run ? words("would go:", "partirait :") : words("removed:", "supprimé :"),
          text_of(feed, "feed"), text_of(one, "path"), grouped_digits(count_of(one, "records")),
          words("records", "enregistrements"), size_of(one));
      any = true;
    }
  }
  if (!any)
    fmt::print("{}\n",
               words("Nothing is older than its retention.", "Rien n'a dépassé sa rétention."));
  return 0;
}

int rollback(const FeedOptions& options) {
  const auto told =
      api_post(options, address_of(options.name) + "/rollback", {{"version", options.version}});
  if (options.json) print_json(told);
  if (!options.json)
    fmt::print("{}: v{} {}\n", options.name, number_of(told, "current_version"),
               words("is current", "est la version actuelle"));
  return 0;
}

// ---- report

ReportedFeed reported(const json::object& feed) {
  ReportedFeed out;
  out.name = text_of(feed, "name");
  out.type = text_of(feed, "type");
  out.storage_mode = text_of(feed, "storage_mode");
  out.source = text_of(feed, "source");
  out.table = text_of(feed, "table");
  out.permissions = text_of(feed, "permissions");
  out.retention = feed.contains("error") ? "" : retention_of(feed);
  const auto* enabled = feed.if_contains("enabled");
  out.enabled = enabled && enabled->as_bool();
  out.records = count_of(feed, "records");
  out.bytes = count_of(feed, "bytes");
  out.partitions = count_of(feed, "partition_count");
  out.current_version = number_of(feed, "current_version");
  out.last_export_ms = number_of(feed, "last_export_ms");
  out.state = state_of(feed);
  return out;
}

ReportedEvent reported_event(const json::object& event) {
  ReportedEvent out;
  out.feed = text_of(event, "feed");
  out.kind = text_of(event, "kind");
  out.state = text_of(event, "state");
  out.detail = text_of(event, "detail");
  out.error = text_of(event, "error");
  out.at_ms = number_of(event, "started_ms");
  out.took_ms = std::max<int64_t>(0, number_of(event, "ended_ms") - out.at_ms);
  out.rows = count_of(event, "rows");
  out.records = count_of(event, "records");
  out.bytes = count_of(event, "bytes");
  return out;
}

void write_file(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw Error(Code::kIoError, fmt::format("cannot write '{}'", file));
}

int report(const FeedOptions& options) {
  const auto feeds = api_get(options, std::string(kApi) + "/feeds");
  const auto events = api_get(options, std::string(kApi) + "/events?limit=10000");
  FeedReport made{
      .made_ms = base::now_ms(), .folder = text_of(feeds, "folder"), .feeds = {}, .events = {}};
  for (const auto& feed : feeds.at("feeds").as_array())
    made.feeds.push_back(reported(feed.as_object()));
  for (const auto& event : events.at("events").as_array())
    made.events.push_back(reported_event(event.as_object()));
  std::ranges::reverse(made.events);
  if (!options.csv.empty()) write_file(options.csv, report_csv(made));
  if (!options.html.empty()) write_file(options.html, report_html(made));
  if (options.json) {
    print_json(json::object{{"feeds", feeds.at("feeds")}, {"events", events.at("events")}});
    return 0;
  }
  for (const auto& file : {options.csv, options.html})
    if (!file.empty()) fmt::print("{}\n", file);
  if (!options.csv.empty() || !options.html.empty()) return 0;
  stats(options);
  fmt::print("\n");
  json::array newest = events.at("events").as_array();
  if (newest.size() > 20) newest.resize(20);
  print_events(newest);
  return 0;
}

// ---- the command line

std::string examples(const std::string& lines) {
  return words("Examples:\n", "Exemples :\n") + lines +
         words("Exit codes: 0 all well, 1 something failed, 2 wrong options, 3 no server.",
               "Codes de sortie : 0 succès, 1 échec, 2 options fausses, 3 pas de serveur.");
}

using Shared = std::shared_ptr<FeedOptions>;

CLI::App* subcommand(CLI::App& app, const Shared& options, int& exit_code,
                     int (*run)(const FeedOptions&), const char* name, std::string about,
                     const std::string& lines) {
  auto* command = app.add_subcommand(name, std::move(about));
  add_api_options(*command, *options);
  command->footer(examples(lines));
  command->callback([options, run, &exit_code] { exit_code = run(*options); });
  return command;
}

void add_name(CLI::App* command, const Shared& options) {
  command->add_option("name", options->name, words("Name", "Nom"))->required();
}
void add_now(CLI::App* command, const Shared& options) {
  // For trials of days that have not come yet.
  command->add_option("--now", options->now, "2025-01-15")->group("");
}

void add_keys(CLI::App* command, const Shared& options, bool fresh) {
  add_name(command, options);
  auto* type = command->add_option("--type", options->type, "stream, table")
                   ->check(CLI::IsMember({"stream", "table"}));
  auto* source =
      command->add_option("--source", options->source,
                          words("Stream or table of ksqlDB, or a table catalog.schema.table",
                                "Stream ou table de ksqlDB, ou une table catalogue.schéma.table"));
  if (fresh) type->required(), source->required();
  command->add_option("--description", options->description, words("For people", "Pour les gens"));
  command
      ->add_option("--retention-days", options->retention_days,
                   words("Streams: days that are kept", "Streams : jours gardés"))
      ->check(CLI::Range(1, 36500));
  command
      ->add_option("--retention-versions", options->retention_versions,
                   words("Tables: versions that are kept", "Tables : versions gardées"))
      ->check(CLI::Range(1, 1000));
  command->add_option("--event-time", options->event_time,
                      words("Streams: column whose date says where a row lies",
                            "Streams : colonne dont la date range la ligne"));
  command->add_option(
      "--cursor", options->cursor,
      words("Streams: column that grows with new rows", "Streams : colonne qui croît"));
  command
      ->add_option("--permissions", options->permissions,
                   words("Of the folders: 750, 755", "Des dossiers : 750, 755"))
      ->check(CLI::IsMember({"750", "755"}));
  auto* disable =
      command->add_flag("--disable", options->disable,
                        words("Exports of all leave it out", "Les exports de tous le laissent"));
  if (fresh) return;
  command
      ->add_flag("--enable", options->enable,
                 words("Exports of all take it along", "Les exports de tous le prennent"))
      ->excludes(disable);
}

void add_files(CLI::App& feed, const Shared& options, int& exit_code) {
  auto* added = subcommand(
      feed, options, exit_code, add, "add",
      words("Write feeds/active/NAME.json and make its folder",
            "Écrire feeds/active/NOM.json et créer son dossier"),
      "  meesh feed add new_stream --type stream --source new_stream --description \"…\"\n"
      "  meesh feed add customers --type table --source sales.public.customers\n");
  add_keys(added, options, true);
  auto* updated = subcommand(feed, options, exit_code, update, "update",
                             words("Change keys of its file", "Changer des clés de son fichier"),
                             "  meesh feed update new_stream --retention-days 730\n"
                             "  meesh feed update new_stream --disable\n");
  add_keys(updated, options, false);
  add_name(subcommand(feed, options, exit_code, archive, "archive",
                      words("Move its file to feeds/archived; rows and files stay",
                            "Ranger son fichier dans feeds/archived ; les données restent"),
                      "  meesh feed archive new_stream\n"),
           options);
  subcommand(feed, options, exit_code, sync, "sync",
             words("Find new, changed and removed files, and make folders",
                   "Trouver les fichiers nouveaux, changés, supprimés, et créer les dossiers"),
             "  meesh feed sync\n");
}

void add_work(CLI::App& feed, const Shared& options, int& exit_code) {
  auto* exported = subcommand(feed, options, exit_code, export_feeds, "export",
                              words("Export what is new", "Exporter ce qui est nouveau"),
                              "  meesh feed export --all\n"
                              "  meesh feed export transaction_stream_anonymized\n"
                              "  meesh feed export --type table\n");
  exported->add_option("names", options->names, words("Feeds", "Feeds"));
  exported->add_flag("--all", options->all,
                     words("All that are enabled", "Tous ceux qui sont activés"));
  exported->add_option("--type", options->type, "stream, table")
      ->check(CLI::IsMember({"stream", "table"}));
  add_now(exported, options);

  auto* retained =
      subcommand(feed, options, exit_code, retain, "retain",
                 words("Remove what is older than its retention (exports do it too)",
                       "Supprimer ce qui a dépassé sa rétention (les exports le font aussi)"),
                 "  meesh feed retain --dry-run\n  meesh feed retain transaction_stream\n");
  retained->add_option("names", options->names, words("Feeds; all without", "Feeds ; sinon tous"));
  retained->add_flag("--dry-run", options->dry_run, words("Only tell", "Dire seulement"));
  add_now(retained, options);

  auto* back = subcommand(feed, options, exit_code, rollback, "rollback",
                          words("Make an older version of a table current again",
                                "Remettre une version antérieure d'une table"),
                          "  meesh feed rollback user_transaction_summary --to 3\n");
  add_name(back, options);
  back->add_option("--to,--version", options->version, words("Version", "Version"))
      ->required()
      ->check(CLI::Range(int64_t{1}, int64_t{INT32_MAX}));
}

}  // namespace

void add_feed(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<FeedOptions>();
  auto* feed =
      app.add_subcommand("feed", words("Feeds: streams and tables exported into the data lake",
                                       "Feeds : streams et tables exportés vers le data lake"));
  feed->require_subcommand(1);
  add_files(*feed, options, exit_code);
  add_work(*feed, options, exit_code);
  subcommand(*feed, options, exit_code, list, "list",
             words("The feeds and how they are", "Les feeds et leur état"),
             "  meesh feed list --json\n");
  add_name(subcommand(*feed, options, exit_code, show, "show",
                      words("One feed: partitions or versions, what happened last",
                            "Un feed : partitions ou versions, derniers événements"),
                      "  meesh feed show transaction_stream\n"),
           options);
  subcommand(*feed, options, exit_code, stats, "stats",
             words("Records and sizes, of each and of all",
                   "Enregistrements et tailles, de chacun et de tous"),
             "  meesh feed stats --json\n");
  auto* told = subcommand(*feed, options, exit_code, report, "report",
                          words("Sizes, growth and last exports: as text, CSV or a page",
                                "Tailles, croissance et derniers exports : texte, CSV ou page"),
                          "  meesh feed report\n"
                          "  meesh feed report --csv report.csv --html report.html\n");
  told->add_option("--csv", options->csv, words("Write this file", "Écrire ce fichier"));
  told->add_option("--html", options->html, words("Write this file", "Écrire ce fichier"));
}

}  // namespace meesh::app
