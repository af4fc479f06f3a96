// `meesh lake`: files and objects from the terminal, over any S3 endpoint.
#include <fmt/chrono.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <iostream>

#include "app/commands.h"
#include "app/lake/keys.h"
#include "app/lake/places.h"
#include "app/lake/tables.h"
#include "app/lake/transfer.h"
#include "app/lake/upkeep.h"
#include "app/language.h"
#include "app/progress_bar.h"
#include "serve/s3/authentication.h"

namespace meesh::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct LakeOptions {
  std::string endpoint = "http://127.0.0.1:9000", region = "us-east-1", mesh;
  std::string from, to, version;
  bool recursive = false, as_json = false, quiet = false, remove_extra = false, put = false,
       dry = false;
  int jobs = 8;
  std::string expires = "1h";
};

std::unique_ptr<objects::Store> open(const LakeOptions& options) {
  const S3Keys keys = find_keys(options.mesh);
  return objects::open_remote({.endpoint = options.endpoint,
                               .region = options.region,
                               .access_key = keys.access_key,
                               .secret_key = keys.secret_key,
                               .session_token = keys.session_token});
}

std::string date(objects::Time time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(
                         std::chrono::time_point_cast<std::chrono::seconds>(time))));
}

json::object describe(const objects::Object& object) {
  json::object out{{"key", object.key},
                   {"size", object.size},
                   {"etag", object.etag},
                   {"modified", date(object.modified)},
                   {"version", object.version},
                   {"latest", object.latest},
                   {"delete_marker", object.delete_marker}};
  if (!object.attributes.content_type.empty()) {
    out["content_type"] = object.attributes.content_type;
  }
  for (const auto& [name, value] : object.attributes.metadata) out["x-amz-meta-" + name] = value;
  for (const auto& [kind, value] : object.checksums) {
    out[std::string(objects::checksum_name(kind))] = value;
  }
  return out;
}

void print_json(const json::object& object) { fmt::print("{}\n", json::serialize(object)); }

int list_buckets(objects::Store& store, const LakeOptions& options) {
  for (const auto& bucket : store.buckets()) {
    if (options.as_json) {
      print_json({{"bucket", bucket.name}, {"created", date(bucket.created)}});
    } else {
      fmt::print("{}  s3://{}\n", date(bucket.created), bucket.name);
    }
  }
  return 0;
}

int list(const LakeOptions& options) {
  const auto store = open(options);
  if (options.from.empty() || options.from == "s3://") return list_buckets(*store, options);
  const Place place = parse_remote(options.from, false);
  objects::ListOptions wanted;
  wanted.prefix = place.key;
  if (!options.recursive) wanted.delimiter = "/";
  while (true) {
    const auto page = store->list(place.bucket, wanted);
    for (const auto& prefix : page.common_prefixes) {
      if (options.as_json) {
        print_json({{"prefix", prefix}});
      } else {
        fmt::print("{:>19}  {:>10}  {}\n", "", say("folder", "dossier"), prefix);
      }
    }
    for (const auto& object : page.objects) {
      if (options.as_json) {
        print_json(describe(object));
      } else {
        fmt::print("{}  {:>10}  {}\n", date(object.modified),
                   human_bytes(static_cast<double>(object.size)), object.key);
      }
    }
    if (!page.truncated) return 0;
    wanted.after = page.next;
  }
}

/// Where each thing found goes: into a folder or prefix under its own name, or to the name given.
std::vector<Transfer> plan(objects::Store& store, const LakeOptions& options, const Place& from,
                           const Place& to) {
  if (!from.remote && from.path == "-") {
    return {{{"-", from, 0, {}}, parse_remote(to.text(), true)}};
  }
  const bool folder = options.recursive;
  const bool into =
      folder || (to.remote ? to.key.empty() || to.key.ends_with('/') : fs::is_directory(to.path));
  std::vector<Transfer> transfers;
  for (auto& found : find_all(store, from, folder)) {
    Place target = to;
    if (into && to.remote) {
      if (!target.key.empty() && !target.key.ends_with('/')) target.key += '/';
      target.key += found.name;
    } else if (into) {
      target.path /= found.name;
      const fs::path outside = fs::relative(target.path, to.path);
      if (outside.empty() || *outside.begin() == "..") {
        throw Error(Code::kInvalidArguments,
                    fmt::format("the key '{}' would be written outside of '{}'", found.place.key,
                                to.path.string()));
      }
    }
    transfers.push_back({std::move(found), std::move(target)});
  }
  return transfers;
}

int copy(const LakeOptions& options, bool move) {
  const auto store = open(options);
  const Place from = parse_place(options.from), to = parse_place(options.to);
  if (!from.remote && !to.remote) {
    throw Error(Code::kInvalidArguments, "one side must be s3://");
  }
  const auto transfers = plan(*store, options, from, to);
  TransferOptions how{options.jobs, move, options.quiet};
  return run_transfers(*store, transfers, how) > 0 ? 1 : 0;
}

/// Same size and not older than the source: nothing to do.
bool is_current(const Found& source, const std::map<std::string, Found>& there) {
  const auto found = there.find(source.name);
  return found != there.end() && found->second.size == source.size &&
         found->second.modified >= source.modified;
}

int remove_extra(objects::Store& store, const std::vector<Transfer>& wanted,
                 const std::map<std::string, Found>& there, bool quiet) {
  std::map<std::string, Found> extra = there;
  for (const auto& transfer : wanted) extra.erase(transfer.from.name);
  for (const auto& [name, found] : extra) {
    if (found.place.remote) {
      store.remove(found.place.bucket, found.place.key, {});
    } else {
      fs::remove(found.place.path);
    }
    if (!quiet) fmt::print("{} {}\n", say("removed", "supprimé"), found.place.text());
  }
  return 0;
}

int sync(LakeOptions options) {
  options.recursive = true;
  const auto store = open(options);
  const Place from = parse_place(options.from), to = parse_place(options.to);
  if (!from.remote && !to.remote) throw Error(Code::kInvalidArguments, "one side must be s3://");
  if (!to.remote) fs::create_directories(to.path);
  std::map<std::string, Found> there;
  for (auto& found : find_all(*store, to, true)) there.emplace(found.name, found);
  const auto wanted = plan(*store, options, from, to);
  std::vector<Transfer> transfers;
  for (const auto& transfer : wanted) {
    if (!is_current(transfer.from, there)) transfers.push_back(transfer);
  }
  const int failed = run_transfers(*store, transfers, {options.jobs, false, options.quiet});
  if (options.remove_extra && failed == 0) {
    remove_extra(*store, wanted, there, options.quiet);
  }
  if (!options.quiet) {
    fmt::print("{} {}, {} {}\n", transfers.size() - static_cast<size_t>(failed),
               say("copied", "copiés"), wanted.size() - transfers.size(),
               say("already there", "déjà là"));
  }
  return failed > 0 ? 1 : 0;
}

int remove(const LakeOptions& options) {
  const auto store = open(options);
  const Place place = parse_remote(options.from, !options.recursive);
  if (!options.recursive) {
    store->remove(place.bucket, place.key, {.version = options.version});
    return 0;
  }
  std::vector<std::pair<std::string, objects::DeleteOptions>> keys;
  int failed = 0;
  uint64_t removed = 0;
  const auto flush = [&] {
    if (keys.empty()) return;
    const auto outcomes = store->remove_all(place.bucket, keys);
    for (size_t i = 0; i < outcomes.size(); ++i) {
      if (outcomes[i].error) {
        fmt::print(stderr, "s3://{}/{}: {}\n", place.bucket, keys[i].first,
                   outcomes[i].error->what());
        ++failed;
      } else {
        ++removed;
      }
    }
    keys.clear();
  };
  each_object(*store, place.bucket, place.key, [&](const objects::Object& object) {
    keys.emplace_back(object.key, objects::DeleteOptions{});
    if (keys.size() == 1000) flush();
  });
  flush();
  if (!options.quiet) fmt::print("{} {}\n", removed, say("removed", "supprimés"));
  return failed ? 1 : 0;
}

int cat(const LakeOptions& options) {
  const auto store = open(options);
  const Place place = parse_remote(options.from, true);
  Place out;
  out.path = "-";
  return run_transfers(*store, {{find_all(*store, place, false).front(), out}}, {1, false, true});
}

int stat(const LakeOptions& options) {
  const auto store = open(options);
  const Place place = parse_remote(options.from, true);
  const auto described =
      describe(store->head(place.bucket, place.key, {.version = options.version}));
  if (options.as_json) {
    print_json(described);
    return 0;
  }
  for (const auto& [name, value] : described) {
    fmt::print("{:<16} {}\n", std::string(name),
               value.is_string() ? std::string(value.as_string()) : json::serialize(value));
  }
  return 0;
}

int usage(const LakeOptions& options) {
  const auto store = open(options);
  const Place place = parse_remote(options.from, false);
  uint64_t count = 0, bytes = 0;
  each_object(*store, place.bucket, place.key, [&](const objects::Object& object) {
    ++count;
    bytes += object.size;
  });
  if (options.as_json) {
    print_json({{"objects", count}, {"bytes", bytes}});
  } else {
    fmt::print("{}  {} {}\n", human_bytes(static_cast<double>(bytes)), count,
               say("objects", "objets"));
  }
  return 0;
}

int make_bucket(const LakeOptions& options) {
  objects::Bucket bucket;
  bucket.name = parse_remote(options.from, false).bucket;
  bucket.region = options.region;
  open(options)->create_bucket(bucket);
  return 0;
}

int versions(const LakeOptions& options) {
  const auto store = open(options);
  const Place place = parse_remote(options.from, false);
  objects::VersionListOptions wanted;
  wanted.prefix = place.key;
  while (true) {
    const auto page = store->list_versions(place.bucket, wanted);
    for (const auto& object : page.versions) {
      if (options.as_json) {
        print_json(describe(object));
        continue;
      }
      fmt::print("{}  {:>10}  {:<34} {} {}\n", date(object.modified),
                 object.delete_marker ? say("deleted", "supprimé")
                                      : human_bytes(static_cast<double>(object.size)),
                 object.version, object.latest ? "*" : " ", object.key);
    }
    if (!page.truncated) return 0;
    wanted.key_marker = page.next_key;
    wanted.version_marker = page.next_version;
  }
}

/// Makes an old version the current one: the one named, or the newest before the current.
int restore(const LakeOptions& options) {
  const auto store = open(options);
  const Place place = parse_remote(options.from, true);
  std::string version = options.version;
  objects::VersionListOptions wanted;
  wanted.prefix = place.key;
  for (const auto& object : store->list_versions(place.bucket, wanted).versions) {
    if (object.key != place.key || object.latest || object.delete_marker || !version.empty()) {
      continue;
    }
    version = object.version;
  }
  if (version.empty()) {
    throw Error(Code::kNotFound, fmt::format("'{}' has no version to go back to", place.text()));
  }
  store->copy(place.bucket, place.key, {.version = version}, place.bucket, place.key, std::nullopt,
              {}, {});
  if (!options.quiet) {
    fmt::print("{}: {} {}\n", place.text(), say("restored version", "version rétablie"), version);
  }
  return 0;
}

std::chrono::seconds parse_lifetime(const std::string& text) {
  size_t end = 0;
  const long count = std::strtol(text.c_str(), nullptr, 10);
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  const std::map<std::string, long> units = {
      {"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
  const auto unit = units.find(text.substr(end));
  if (end == 0 || end > 7 || unit == units.end() || count * unit->second < 1 ||
      count * unit->second > 7 * 86400) {
    throw Error(Code::kInvalidArguments, fmt::format("'{}' is not a time up to 7 days", text))
        .with_hint("write 15m, 1h or 7d");
  }
  return std::chrono::seconds(count * unit->second);
}

int presign(const LakeOptions& options) {
  const Place place = parse_remote(options.from, true);
  const S3Keys keys = find_keys(options.mesh);
  access::Credentials credentials;
  credentials.access_key = keys.access_key;
  credentials.secret_key = keys.secret_key;
  credentials.session_token = keys.session_token;
  fmt::print("{}\n",
             serve::s3::presign(options.put ? "PUT" : "GET", options.endpoint,
                                fmt::format("/{}/{}", place.bucket, place.key), {}, credentials,
                                options.region, parse_lifetime(options.expires),
                                std::chrono::system_clock::now()));
  return 0;
}

using Options = std::shared_ptr<LakeOptions>;
using Command = int (*)(const LakeOptions&);

CLI::App* add(CLI::App& lake, const Options& options, int& exit_code, const char* name,
              std::string_view help, std::function<int(const LakeOptions&)> run) {
  auto* command = lake.add_subcommand(name, std::string(help));
  command
      ->add_option("--endpoint", options->endpoint,
                   std::string(say("Address of the S3 endpoint (S3_ENDPOINT_URL)",
                                   "Adresse du service S3 (S3_ENDPOINT_URL)")))
      ->capture_default_str();
  command->add_option("--region", options->region)->capture_default_str();
  command->add_option("--mesh", options->mesh,
                      std::string(say("Use the administrator's key of this mesh folder",
                                      "Employer la clé d'administration de ce mesh")));
  command->callback([options, run = std::move(run), &exit_code] { exit_code = run(*options); });
  return command;
}

void add_transfers(CLI::App& lake, const Options& options, int& exit_code) {
  for (const auto& [name, help, run] :
       {std::tuple{"cp", say("Copy files and objects", "Copier fichiers et objets"),
                   std::function<int(const LakeOptions&)>(
                       [](const LakeOptions& o) { return copy(o, false); })},
        std::tuple{"mv", say("Move files and objects", "Déplacer fichiers et objets"),
                   std::function<int(const LakeOptions&)>(
                       [](const LakeOptions& o) { return copy(o, true); })},
        std::tuple{"sync",
                   say("Copy what is new or changed", "Copier ce qui est nouveau ou changé"),
                   std::function<int(const LakeOptions&)>(sync)}}) {
    auto* command = add(lake, options, exit_code, name, help, run);
    command->add_option("from", options->from, "path or s3://bucket/key")->required();
    command->add_option("to", options->to, "path or s3://bucket/key")->required();
    command
        ->add_option("-j,--jobs", options->jobs,
                     std::string(say("Transfers at once", "Transferts simultanés")))
        ->capture_default_str()
        ->check(CLI::Range(1, 256));
    command->add_flag("-q,--quiet", options->quiet,
                      std::string(say("Errors alone", "Les erreurs seulement")));
    if (std::string_view(name) == "sync") {
      command->add_flag("--delete", options->remove_extra,
                        std::string(say("Remove what is not at the source",
                                        "Supprimer ce qui n'est pas à la source")));
    } else {
      command->add_flag("-r,--recursive", options->recursive,
                        std::string(say("A whole folder or prefix", "Tout un dossier ou préfixe")));
    }
  }
}

void add_questions(CLI::App& lake, const Options& options, int& exit_code) {
  const auto with_place = [&](CLI::App* command, bool required = true) {
    auto* place = command->add_option("place", options->from, "s3://bucket/key");
    if (required) place->required();
    return command;
  };
  const auto with_json = [&](CLI::App* command) {
    command->add_flag("--json", options->as_json,
                      std::string(say("A JSON object a line", "Un objet JSON par ligne")));
    return command;
  };
  const auto with_version = [&](CLI::App* command) {
    command->add_option("--version-id", options->version,
                        std::string(say("This version", "Cette version")));
    return command;
  };
  const auto recursive = [&](CLI::App* command) {
    command->add_flag("-r,--recursive", options->recursive,
                      std::string(say("Everything under the prefix", "Tout sous le préfixe")));
  };
  recursive(with_json(with_place(
      add(lake, options, exit_code, "ls", say("List buckets or objects", "Lister"), list), false)));
  recursive(with_version(with_place(
      add(lake, options, exit_code, "rm", say("Remove objects", "Supprimer des objets"), remove))));
  with_place(add(lake, options, exit_code, "cat",
                 say("Write an object to standard output", "Écrire un objet sur la sortie"), cat));
  with_version(with_json(with_place(
      add(lake, options, exit_code, "stat", say("What is known of an object", "Détails"), stat))));
  with_json(with_place(add(lake, options, exit_code, "du",
                           say("Count objects and bytes", "Compter objets et octets"), usage)));
  with_place(
      add(lake, options, exit_code, "mb", say("Make a bucket", "Créer un bucket"), make_bucket));
  with_json(with_place(add(lake, options, exit_code, "versions",
                           say("List versions", "Lister les versions"), versions)));
  with_version(with_place(
      add(lake, options, exit_code, "restore",
          say("Make an old version the current one", "Rétablir une ancienne version"), restore)));
  auto* url =
      with_place(add(lake, options, exit_code, "presign",
                     say("A link that works for a while", "Un lien valable un temps"), presign));
  url->add_option("--expires", options->expires, "15m, 1h, 7d")->capture_default_str();
  url->add_flag("--put", options->put, std::string(say("For uploading", "Pour téléverser")));
}

}  // namespace

void add_lake(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<LakeOptions>();
  if (const auto endpoint = environment("S3_ENDPOINT_URL"); !endpoint.empty()) {
    options->endpoint = endpoint;
  }
  auto* lake = app.add_subcommand("lake", std::string(say("Files, objects and tables of the lake",
                                                          "Fichiers, objets et tables du lac")));
  lake->require_subcommand(1);
  add_transfers(*lake, options, exit_code);
  add_questions(*lake, options, exit_code);
  add_upkeep(*lake, exit_code);
  add_tables(*lake, exit_code);
  lake->footer(
      "meesh lake ls s3://datalake/raw/\n"
      "meesh lake cp report.csv s3://datalake/raw/report.csv\n"
      "meesh lake sync ./export s3://datalake/export --delete\n"
      "meesh lake presign s3://datalake/raw/report.csv --expires 7d\n"
      "meesh lake tables\n"
      "meesh lake history sales.orders\n"
      "meesh lake import ./orders sales.orders\n"
      "meesh lake scrub --mesh demo\n"
      "meesh lake backup /backup/today --mesh demo");
}

}  // namespace meesh::app
