// `meesh doctor`: is everything there, and if not, what to do.
#include <sys/statvfs.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "app/commands.h"
#include "app/language.h"
#include "engine/engine.h"
#include "mesh/managed_postgres.h"
#include "mesh/mesh.h"
#include "net/http.h"

namespace meesh::app {
namespace {

namespace fs = std::filesystem;

struct Finding {
  enum class Level { kGood, kWarning, kBad } level = Level::kGood;
  std::string what, detail, advice;
};

class Examination {
 public:
  /// Runs a check that returns its detail; what it throws is the finding.
  void check(std::string_view what, const std::function<std::string()>& look) {
    try {
      findings_.push_back({Finding::Level::kGood, std::string(what), look(), ""});
    } catch (const mesh::ConfigError& error) {
      findings_.push_back({Finding::Level::kBad, std::string(what), error.report(), ""});
    } catch (const Error& error) {
      findings_.push_back({Finding::Level::kBad, std::string(what), error.message(), error.hint()});
    } catch (const std::exception& error) {
      findings_.push_back({Finding::Level::kBad, std::string(what), error.what(), ""});
    }
  }
  void warn(std::string_view what, std::string detail, std::string_view advice) {
    findings_.push_back(
        {Finding::Level::kWarning, std::string(what), std::move(detail), std::string(advice)});
  }
  bool good() const {
    return std::none_of(findings_.begin(), findings_.end(),
                        [](const Finding& f) { return f.level == Finding::Level::kBad; });
  }
  void print() const {
    const bool colour = isatty(STDOUT_FILENO) != 0;
    const char* marks[] = {"✓", "!", "✗"};
    const char* colours[] = {"32", "33", "31"};
    for (const auto& finding : findings_) {
      const auto level = static_cast<size_t>(finding.level);
      fmt::print(
          "{} {}: {}\n",
          colour ? fmt::format("\x1b[{}m{}\x1b[0m", colours[level], marks[level]) : marks[level],
          finding.what, finding.detail);
      if (!finding.advice.empty()) fmt::print("    → {}\n", finding.advice);
    }
    fmt::print("\n{}\n",
               good() ? say("✓ Installation validated successfully!",
                            "✓ Installation validée avec succès!")
                      : say("✗ The installation is not complete: see above what to do.",
                            "✗ L'installation n'est pas complète : voyez ci-dessus quoi faire."));
  }
  void print_json() const {
    const char* levels[] = {"good", "warning", "bad"};
    boost::json::array checks;
    for (const auto& finding : findings_) {
      checks.push_back({{"check", finding.what},
                        {"level", levels[static_cast<size_t>(finding.level)]},
                        {"detail", finding.detail},
                        {"advice", finding.advice}});
    }
    fmt::print("{}\n",
               boost::json::serialize(boost::json::object{{"ok", good()}, {"checks", checks}}));
  }

 private:
  std::vector<Finding> findings_;
};

std::string extension_folder() {
  const char* given = std::getenv("MEESH_EXTENSIONS");
  return given ? given : MEESH_EXTENSION_DIR;
}

/// One statement through the whole path: parser, DuckDB, rows.
std::string ask_engine(engine::Engine& engine) {
  engine::Session session;
  session.user = "doctor";
  auto query = engine.submit("SELECT 7 / 2", session);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!query->finished() && std::chrono::steady_clock::now() < deadline) {
    if (auto batch = query->next(std::chrono::milliseconds(100))) {
      if (batch->rows != 1 || batch->columns.at(0).at<int32_t>(0) != 3) {
        throw Error(Code::kGenericInternalError, "7 / 2 is not 3");
      }
    }
  }
  if (!query->finished()) throw Error(Code::kUnavailable, "no answer within 20 s");
  return fmt::format("DuckDB {}, SELECT 7 / 2 = 3", MEESH_DUCKDB_VERSION);
}

void examine_engine(Examination& examination) {
  engine::Options options;
  options.extension_directory = extension_folder();
  std::unique_ptr<engine::Engine> engine;
  examination.check(say("SQL engine", "Moteur SQL"), [&] {
    engine = engine::Engine::open(options);
    return ask_engine(*engine);
  });
  if (!engine) return;
  for (const char* name : {"postgres_scanner", "tpch"}) {
    examination.check(fmt::format("{} {}", say("Extension", "Extension"), name), [&] {
      engine->load_extension(name);
      return extension_folder();
    });
  }
}

std::string look_at_data(const fs::path& data) {
  fs::path existing = data;
  while (!fs::exists(existing) && existing.has_parent_path() &&
         existing != existing.parent_path()) {
    existing = existing.parent_path();
  }
  if (access(existing.c_str(), W_OK) != 0) {
    throw Error(Code::kIoError,
                fmt::format("{} {}", existing.string(),
                            say("cannot be written", "n'est pas accessible en écriture")))
        .with_hint(std::string(
            say("choose another folder with --data", "choisissez un autre dossier avec --data")));
  }
  struct statvfs disk{};
  statvfs(existing.c_str(), &disk);
  const double free_gb =
      static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize) / 1e9;
  if (free_gb < 1) {
    throw Error(Code::kDiskFull,
                fmt::format("{}: {:.1f} GB {}", data.string(), free_gb, say("free", "libres")))
        .with_hint(std::string(say("keep at least 1 GB free", "gardez au moins 1 Go libre")));
  }
  return fmt::format("{} ({:.0f} GB {})", data.string(), free_gb, say("free", "libres"));
}

void look_at_server(Examination& examination, const std::string& address) {
  try {
    net::Client client(address, std::chrono::seconds(2));
    const auto response = client.request("GET", "/v1/info", {}, {});
    examination.check(say("Server", "Serveur"), [&] {
      if (response.status != 200)
        throw Error(Code::kUnavailable, fmt::format("{}: HTTP {}", address, response.status));
      return fmt::format("{} {}", address, say("answers", "répond"));
    });
  } catch (const Error&) {
    examination.warn(
        say("Server", "Serveur"),
        fmt::format("{} {}", address, say("is not running", "n'est pas démarré")),
        say("start it with ./run or `meesh serve`", "démarrez-le avec ./run ou `meesh serve`"));
  }
}

int examine(const std::string& folder, const std::string& data, bool json) {
  Examination examination;
  examine_engine(examination);
  examination.check("PostgreSQL", [] { return mesh::find_postgres().string(); });
  examination.check(say("Service user", "Utilisateur de service"), [] {
    const auto user = mesh::service_user();
    return user ? user->name : std::string(say("yourself", "vous-même"));
  });
  std::string address = "http://127.0.0.1:8080";
  if (!folder.empty()) {
    examination.check(say("Mesh", "Mesh"), [&] {
      mesh::LoadOptions load;
      load.data = data;
      const auto mesh = mesh::Mesh::load(folder, load);
      address = fmt::format("http://{}:{}", mesh.listen.address, mesh.listen.port);
      examination.check(say("Data folder", "Dossier de données"),
                        [&] { return look_at_data(mesh.data); });
      return fmt::format("{}: '{}', {} {}", folder, mesh.name, mesh.domains.size(),
                         say("domains", "domaines"));
    });
  }
  look_at_server(examination, address);
  json ? examination.print_json() : examination.print();
  return examination.good() ? 0 : 1;
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("doctor", std::string(say("Check the installation and say what to do",
                                                   "Vérifier l'installation et dire quoi faire")));
  auto folder = std::make_shared<std::string>();
  auto data = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("--mesh", *folder,
                      std::string(say("Folder with meesh.yaml to check too",
                                      "Dossier de meesh.yaml à vérifier aussi")));
  command->add_option("--data", *data,
                      std::string(say("Data folder instead of the file's",
                                      "Dossier de données au lieu de celui du fichier")));
  command->add_flag("--json", *json, "JSON");
  command->footer("meesh doctor\nmeesh --lang fr doctor --mesh demo");
  command->callback([=, &exit_code] { exit_code = examine(*folder, *data, *json); });
}

}  // namespace meesh::app
