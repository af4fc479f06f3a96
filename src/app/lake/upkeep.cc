#include "app/lake/upkeep.h"

#include <boost/json.hpp>

#include "app/lake/keys.h"
#include "app/lake/server_upkeep.h"
#include "app/language.h"
#include "app/object_service.h"
#include "app/progress_bar.h"
#include "base/text.h"
#include "objects/maintenance.h"
#include "serve/s3/admin.h"

namespace meesh::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct UpkeepOptions {
  std::string endpoint, region = "us-east-1", mesh, data, folder;
  bool as_json = false, quiet = false;
};
using Options = std::shared_ptr<UpkeepOptions>;

/// Where the work is done: at `server`, or in this process on `mesh`.
struct Where {
  std::optional<ServerAddress> server;
  std::optional<mesh::Mesh> mesh;
};

void must_be_local(const mesh::Mesh& mesh) {
  if (mesh.storage.kind == mesh::Storage::Kind::kS3) {
    throw Error(Code::kNotSupported, "the objects of this mesh lie at another S3")
        .with_hint("whoever runs it keeps it in order");
  }
  const fs::path folder = mesh.data / "objects";
  std::error_code failed;
  const bool there = fs::exists(folder, failed);
  if (failed) {
    throw Error(Code::kIoError,
                fmt::format("cannot look at '{}': {}", folder.string(), failed.message()))
        .with_hint("do it as the user whose data they are");
  }
  if (!there) {
    throw Error(Code::kNotFound,
                fmt::format("there are no objects of this mesh in '{}'", mesh.data.string()))
        .with_hint("give --data, or start the mesh once");
  }
}

/// The server of a mesh that runs, as it told.
ServerAddress server_of(const mesh::Mesh& mesh, const objects::Holder& holder) {
  if (holder.address.empty()) {
    throw Error(Code::kInvalidArguments,
                fmt::format("the objects of this mesh are in use by process {}, which serves no "
                            "port of objects, or not yet",
                            holder.process))
        .with_hint("try again in a moment, set storage.port, or stop the mesh");
  }
  return {holder.address, mesh.storage.region,
          mesh.tls ? mesh.tls->certificate.string() : std::string()};
}

Where find_where(const UpkeepOptions& options) {
  Where where;
  const std::string told = options.endpoint.empty() && options.mesh.empty() && options.data.empty()
                               ? environment("S3_ENDPOINT_URL")
                               : options.endpoint;
  const std::string folder = find_mesh(options.mesh);
  if (!told.empty() || folder.empty()) {
    where.server = ServerAddress{told.empty() ? "http://127.0.0.1:9000" : told, options.region, ""};
    return where;
  }
  where.mesh = mesh::Mesh::load(folder, {.data = options.data});
  must_be_local(*where.mesh);
  if (const auto holder = objects::holder_of(where.mesh->data / "objects")) {
    where.server = server_of(*where.mesh, *holder);
  }
  return where;
}

S3Keys keys_for(const UpkeepOptions& options, const Where& where) {
  if (!where.mesh) return find_keys(options.mesh, options.data);
  const RootKeys root = root_keys(*where.mesh);
  return {root.access_key, root.secret_key, ""};
}

using Amount = std::string (*)(double);
std::string whole(double amount) { return fmt::format("{:.0f}", amount); }

json::object run(const UpkeepOptions& options, std::string_view work, Amount amount) {
  const Where where = find_where(options);
  ProgressBar bar(amount);
  const auto show = [&](uint64_t done, uint64_t total) {
    if (!options.quiet && total > 0) bar.show(done, total);
    return true;
  };
  json::object report;
  if (where.server) {
    report = maintain_at(*where.server, keys_for(options, where), work, options.folder, show);
  } else {
    objects::LocalOptions opening = store_options(*where.mesh);
    opening.housekeeping = false;  // nothing but what was asked for
    const auto store = objects::open_local(opening);
    if (work == "rotate-key") {
      // Opening seals users' secrets with the new key too.
      open_access(*where.mesh, *meta::Database::open(metadata_options(*where.mesh)));
    }
    const fs::path folder =
        options.folder.empty() ? fs::path() : fs::absolute(options.folder).lexically_normal();
    report = serve::s3::maintain(*store, work, folder, show);
  }
  bar.clear();
  if (options.as_json) fmt::print("{}\n", json::serialize(report));
  return report;
}

uint64_t number(const json::object& report, std::string_view name) {
  return report.at(name).to_number<uint64_t>();
}
std::string text(const json::object& report, std::string_view name) {
  return std::string(report.at(name).as_string());
}

/// Columns as wide as their widest text.
void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], base::code_points(row[i]));
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - base::code_points(row[i]) + 2, ' ');
    }
    fmt::print("{}\n", line);
  }
}

int scrub(const UpkeepOptions& options) {
  const json::object report = run(options, "scrub", human_bytes);
  const json::array& damaged = report.at("damaged").as_array();
  const bool whole_store = report.at("complete").as_bool() && damaged.empty();
  if (options.as_json) return whole_store ? 0 : 1;
  if (!damaged.empty()) {
    std::vector<std::vector<std::string>> rows;
    rows.push_back({"BUCKET", std::string(say("KEY", "CLÉ")), "VERSION",
                    std::string(say("DAMAGE", "DOMMAGE"))});
    for (const json::value& item : damaged) {
      const json::object& found = item.as_object();
      rows.push_back(
          {text(found, "bucket"), text(found, "key"), text(found, "version"), text(found, "what")});
    }
    print_table(rows);
  }
  if (options.quiet) return whole_store ? 0 : 1;
  fmt::print("{} {}, {} {}, {} {}\n", number(report, "versions"), say("versions", "versions"),
             human_bytes(static_cast<double>(number(report, "bytes"))), say("read", "lus"),
             damaged.size(), say("damaged", "endommagées"));
  if (const uint64_t sealed = number(report, "sealed_by_customers")) {
    fmt::print("{} {}\n", sealed,
               say("under customers' keys: looked at from outside only",
                   "sous la clé de clients : vues de l'extérieur seulement"));
  }
  if (const size_t orphans = report.at("orphans").as_array().size()) {
    fmt::print("{} {}\n", orphans,
               say("files that nothing refers to (harmless)",
                   "fichiers auxquels rien ne se réfère (sans danger)"));
  }
  return whole_store ? 0 : 1;
}

int backup(const UpkeepOptions& options) {
  const json::object report = run(options, "backup", whole);
  if (!options.as_json && !options.quiet) {
    fmt::print("{}: {} {}, {} {}\n", text(report, "folder"), number(report, "payloads"),
               say("files", "fichiers"), number(report, "linked"),
               say("of them linked, not copied", "d'entre eux liés, non copiés"));
  }
  return 0;
}

int rotate_key(const UpkeepOptions& options) {
  const json::object report = run(options, "rotate-key", whole);
  const bool complete = report.at("complete").as_bool();
  if (options.as_json) return complete ? 0 : 1;
  for (const auto& [id, count] : report.at("missing_keys").as_object()) {
    fmt::print(
        stderr, "{}\n",
        fmt::format(
            fmt::runtime(say("{} contents need the master key '{}', which is not configured: add "
                             "it to storage.old_master_keys in meesh.yaml and start again",
                             "{} contenus ont besoin de la clé maîtresse « {} », non configurée : "
                             "ajoutez-la à storage.old_master_keys dans meesh.yaml et relancez")),
            count.to_number<uint64_t>(), std::string_view(id)));
  }
  if (!options.quiet) {
    fmt::print("{} {}, {} {}\n", number(report, "rewrapped"),
               say("keys wrapped anew", "clés réemballées"), number(report, "sealed"),
               say("encrypted contents in all", "contenus chiffrés en tout"));
  }
  return complete ? 0 : 1;
}

int rebuild(const UpkeepOptions& options) {
  const std::string folder = find_mesh(options.mesh);
  if (folder.empty()) {
    throw Error(Code::kNotFound, "there is no meesh.yaml here").with_hint("give --mesh");
  }
  const mesh::Mesh mesh = mesh::Mesh::load(folder, {.data = options.data});
  must_be_local(mesh);
  if (const auto holder = objects::holder_of(mesh.data / "objects")) {
    throw Error(Code::kConfigInvalid,
                fmt::format("the object store '{}' is in use by process {}",
                            (mesh.data / "objects").string(), holder->process))
        .with_hint("stop that meesh first: an index is only made anew while nobody uses it");
  }
  const objects::RebuildReport report = objects::rebuild_local(store_options(mesh));
  if (options.as_json) {
    fmt::print("{}\n",
               json::serialize(json::object{
                   {"objects", report.objects},
                   {"payloads", report.payloads},
                   {"problems", json::array(report.problems.begin(), report.problems.end())}}));
    return report.problems.empty() ? 0 : 1;
  }
  for (const std::string& problem : report.problems) fmt::print(stderr, "{}\n", problem);
  if (!options.quiet) {
    fmt::print("{} {} {} {} {}\n", report.objects,
               say("versions found in", "versions trouvées dans"), report.payloads,
               say("files; problems:", "fichiers ; problèmes :"), report.problems.size());
  }
  return report.problems.empty() ? 0 : 1;
}

/// A report that lacks a member or has another kind of value.
Error not_understood() {
  return Error(Code::kNotSupported, "the server's report cannot be understood")
      .with_hint("is it of another version of meesh?");
}

CLI::App* add(CLI::App& lake, const Options& options, int& exit_code, const char* name,
              std::string_view help, int (*work)(const UpkeepOptions&), std::string_view examples) {
  auto* command = lake.add_subcommand(name, std::string(help));
  command->add_option("--mesh", options->mesh,
                      std::string(say("Folder with meesh.yaml", "Dossier de meesh.yaml")));
  command->add_option("--data", options->data,
                      std::string(say("Data folder instead of the file's",
                                      "Dossier de données au lieu de celui du fichier")));
  command->add_flag("--json", options->as_json,
                    std::string(say("The report as JSON", "Le rapport en JSON")));
  command->add_flag("-q,--quiet", options->quiet,
                    std::string(say("Problems alone", "Les problèmes seulement")));
  command->footer(std::string(examples));
  command->callback([options, work, &exit_code] {
    try {
      exit_code = work(*options);
    } catch (const std::out_of_range&) {
      throw not_understood();
    } catch (const boost::system::system_error&) {
      throw not_understood();
    }
  });
  return command;
}

void with_server(CLI::App* command, const Options& options) {
  command->add_option(
      "--endpoint", options->endpoint,
      std::string(say("Address of a running server (S3_ENDPOINT_URL); without it, the mesh's own, "
                      "or its data folder if it does not run",
                      "Adresse d'un serveur (S3_ENDPOINT_URL) ; sinon celui du mesh, ou son "
                      "dossier de données s'il ne tourne pas")));
  command->add_option("--region", options->region)->capture_default_str();
}

}  // namespace

void add_upkeep(CLI::App& lake, int& exit_code) {
  const auto options = std::make_shared<UpkeepOptions>();
  with_server(add(lake, options, exit_code, "scrub",
                  say("Read everything and tell what is damaged (then exit code 1)",
                      "Tout lire et dire ce qui est endommagé (code de sortie 1 alors)"),
                  scrub,
                  "meesh lake scrub --mesh demo\n"
                  "meesh lake scrub --json --endpoint https://lake.example.com:9000"),
              options);
  auto* copy =
      add(lake, options, exit_code, "backup",
          say("Copy the store as of this moment, while it is in use, into a new folder of the "
              "server's disks; the keys in the data folder are not in it",
              "Copier le magasin à cet instant, pendant qu'il sert, dans un nouveau dossier des "
              "disques du serveur ; les clés du dossier de données n'y sont pas"),
          backup, "meesh lake backup /backup/2026-11-21 --mesh demo");
  with_server(copy, options);
  copy->add_option(
          "folder", options->folder,
          std::string(say("A folder that does not exist yet; on the store's own disk files "
                          "are linked, not copied",
                          "Un dossier qui n'existe pas encore ; sur le disque du magasin, "
                          "les fichiers sont liés, non copiés")))
      ->required();
  with_server(add(lake, options, exit_code, "rotate-key",
                  say("Wrap the keys of encrypted objects with the current master key",
                      "Emballer les clés des objets chiffrés avec la clé maîtresse actuelle"),
                  rotate_key,
                  "storage:\n  master_key: \"${NEW_KEY}\"\n  old_master_keys: [\"${OLD_KEY}\"]\n\n"
                  "meesh lake rotate-key --mesh demo"),
              options);
  add(lake, options, exit_code, "rebuild",
      say("Make a lost index anew from the files; the mesh must not run",
          "Refaire un index perdu d'après les fichiers ; le mesh ne doit pas tourner"),
      rebuild, "mv data/objects/index.db damaged.db\nmeesh lake rebuild --mesh demo");
}

}  // namespace meesh::app
