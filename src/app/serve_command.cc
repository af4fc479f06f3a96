#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "app/ask_file.h"
#include "app/commands.h"
#include "app/lake_service.h"
#include "app/language.h"
#include "app/object_service.h"
#include "app/platform_service.h"
#include "app/sign_in_service.h"
#include "base/log.h"
#include "engine/catalogs/attached.h"
#include "engine/engine.h"
#include "mesh/attached_catalogs.h"
#include "mesh/running_mesh.h"
#include "meta/leases.h"
#include "serve/console/console.h"
#include "serve/trino/trino.h"

namespace meesh::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kDrain = std::chrono::seconds(10);

struct ServeOptions {
  std::string mesh = ".", data;
  std::optional<int> port, s3_port;
  std::string show;
};

/// SIGINT and SIGTERM are taken by the main thread alone, when it asks for them.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

engine::Options engine_options(const mesh::Mesh& mesh) {
  engine::Options options;
  const char* extensions = std::getenv("MEESH_EXTENSIONS");
  options.extension_directory = extensions ? extensions : MEESH_EXTENSION_DIR;
  options.spill_directory = mesh.compute.spill_folder.empty() ? (mesh.data / "spill").string()
                                                              : mesh.compute.spill_folder.string();
  options.spill_limit = mesh.compute.spill_limit;
  options.memory_limit = mesh.compute.memory;
  if (options.memory_limit == 0 && mesh.compute.memory_percent > 0) {
    options.memory_limit = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                           static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) / 100 *
                           static_cast<uint64_t>(mesh.compute.memory_percent);
  }
  options.threads = mesh.compute.threads;
  options.max_running = mesh.compute.max_running;
  options.max_running_per_user = mesh.compute.max_running_per_user;
  options.node_version = MEESH_TRINO_VERSION;
  options.environment = mesh.name;
  return options;
}

void add_catalogs(engine::Engine& engine, const mesh::Mesh& mesh,
                  const mesh::RunningMesh& running) {
  for (auto& options : running.catalogs()) {
    engine.add_catalog(engine::make_postgresql_catalog(options));
  }
  for (auto& options : mesh::mysql_catalogs(mesh))
    engine.add_catalog(engine::make_mysql_catalog(options));
  for (auto& file : mesh::attached_files(mesh)) engine.add_catalog(engine::make_file_catalog(file));
  bool has_memory = false;
  for (const auto& extra : mesh.catalogs) {
    if (extra.kind == mesh::ExtraCatalog::Kind::kTpch) {
      engine.add_catalog(engine::make_tpch_catalog(extra.name));
    } else if (extra.kind == mesh::ExtraCatalog::Kind::kMemory) {
      engine.add_catalog(engine::make_memory_catalog(extra.name));
    }
    has_memory |= extra.name == "memory";
  }
  if (!has_memory) engine.add_catalog(engine::make_memory_catalog("memory"));
}

void print_banner(const mesh::Mesh& mesh, const std::string& address, int port,
                  const mesh::RunningMesh& running, const std::string& s3, double seconds) {
  fmt::print("\n{} '{}' {} {:.2f} s:  {}\n", say("The mesh", "Le mesh"), mesh.name,
             say("is up after", "est prêt après"), seconds, address);
  for (const auto& database : running.databases()) {
    fmt::print("  {:<12} {}:{}/{}  ({})\n", database.catalog, database.host, database.port,
               database.database, database.owner);
  }
  fmt::print("\n  {:<14} {}\n", say("console", "console"),
             say("open the address in a browser", "ouvrez l'adresse dans un navigateur"));
  fmt::print("  {:<14} meesh sql --server {}\n", "terminal", address);
  // Its pipelines, and how to go on.
  const auto pipelines = mesh.folder / "pipelines";
  if (std::filesystem::exists(pipelines / "northwind.yaml") &&
      std::filesystem::exists(pipelines / "retail.yaml")) {
    fmt::print("  {:<14} meesh demo run --server {}\n", "pipelines", address);
  } else if (std::filesystem::exists(pipelines)) {
    fmt::print("  {:<14} meesh schedule --server {}\n", "pipelines", address);
  }
  if (!s3.empty()) fmt::print("  {:<14} {}\n", "S3", s3);
  fmt::print("  {:<14} trino.dbapi.connect(host='localhost', port={}, user='{}')\n", "Python", port,
             say("you", "vous"));
  fmt::print("  {}\n\n", say("Ctrl-C stops everything.", "Ctrl-C arrête tout."));
  std::fflush(stdout);
}

void configure_log(const mesh::Mesh& mesh) {
  log::Options options;
  if (!std::getenv("MEESH_LOG")) options.level = log::parse_level(mesh.log_level);
  if (mesh.log_format == "json") options.format = log::Format::kJson;
  if (mesh.log_format == "human") options.format = log::Format::kHuman;
  log::configure(options);
}

/// Every connection is a descriptor; the soft limit of 1024 is a relic.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(const ServeOptions& given) {
  const auto start = Clock::now();
  raise_descriptor_limit();
  const sigset_t signals = block_stop_signals();
  mesh::LoadOptions load;
  load.data = given.data;
  const auto mesh = mesh::Mesh::load(given.mesh, load);
  configure_log(mesh);

  mesh::RunningMesh running(mesh, [](const std::string& line) { log::info(line); });
  running.take_data();
  // The engine opens while the databases start.
  std::exception_ptr failed;
  std::thread databases([&] {
    try {
      running.start();
    } catch (...) {
      failed = std::current_exception();
    }
  });
  std::unique_ptr<meta::Database> metadata;
  std::unique_ptr<ObjectService> objects;
  std::unique_ptr<LakeService> lakes;
  std::unique_ptr<engine::Engine> engine;
  try {
    engine = engine::Engine::open(engine_options(mesh));
    engine->warm_up();
    metadata = meta::Database::open(metadata_options(mesh));
    objects = std::make_unique<ObjectService>(mesh, *metadata);
    lakes = std::make_unique<LakeService>(mesh, *metadata, *objects);
    engine->use_objects(
        objects->store(),
        [&objects](const std::string& user, std::string_view action, const std::string& bucket,
                   const std::string& key) { objects->authorize(user, action, bucket, key); });
  } catch (...) {
    if (!failed) failed = std::current_exception();
  }
  databases.join();
  if (failed) std::rethrow_exception(failed);
  add_catalogs(*engine, mesh, running);
  lakes->add_to(*engine);
  SignInService sign_in(mesh, *metadata, *objects, *engine);
  std::atomic<int> port = 0;
  PlatformService platform(mesh, *metadata, *objects, *lakes, *engine, running.catalogs(),
                           [&port] { return port.load(); });

  net::ServerOptions options;
  options.address = mesh.listen.address;
  options.port = given.port.value_or(mesh.listen.port);
  options.workers = 256;  // a client that waits for its rows holds one; they start on need
  if (mesh.tls)
    options.tls = net::TlsOptions{mesh.tls->certificate.string(), mesh.tls->key.string()};
  options.before = sign_in.guard();
  net::Server server(options);
  serve::trino::Options trino;
  trino.segments = serve::trino::SegmentOptions{.folder = mesh.data / "spooled"};
  serve::trino::register_trino(server, sign_in.guarded(platform.recorded()), std::move(trino));
  serve::console::register_console(server);
  objects->listen(given.s3_port);
  lakes->serve(server, objects->address());
  sign_in.serve(server);
  platform.use_token(sign_in.token());
  platform.serve(server);
  server.start();
  port = server.port();
  sign_in.listening(port);
  auto upkeep = lakes->maintain(*engine);
  const std::string address =
      fmt::format("{}://{}:{}", mesh.tls ? "https" : "http",
                  options.address == "127.0.0.1" ? "localhost" : options.address, server.port());
  platform.start();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  log::info("the mesh is up", {{"mesh", mesh.name},
                               {"address", address},
                               {"s3", objects->address()},
                               {"seconds", seconds}});
  print_banner(mesh, address, server.port(), running, objects->address(), seconds);
  if (!given.show.empty()) {
    try {
      fmt::print("{}\n", given.show);
      ask_file(given.show, address);
    } catch (const Error& error) {
      fmt::print("{}\n", error.what());
    }
  }

  int signal = 0;
  sigwait(&signals, &signal);
  // A second signal while stopping ends the wait at once.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  log::info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  platform.stop();
  sign_in.stop();
  server.stop(kDrain);
  objects->stop(kDrain);
  upkeep.reset();
  engine->shutdown(std::chrono::milliseconds(0));
  running.stop();
  log::info("stopped");
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ServeOptions>();
  auto* command = app.add_subcommand(
      "serve", std::string(say("Start a mesh and serve it", "Démarrer un mesh et le servir")));
  command
      ->add_option("--mesh", options->mesh,
                   std::string(say("Folder with meesh.yaml", "Dossier de meesh.yaml")))
      ->capture_default_str();
  command
      ->add_option("--port", options->port,
                   std::string(say("HTTP port instead of the file's; 0 takes a free one",
                                   "Port HTTP au lieu de celui du fichier ; 0 en prend un libre")))
      ->check(CLI::Range(0, 65535));
  command
      ->add_option(
          "--s3-port", options->s3_port,
          std::string(say("Port of the S3 endpoint instead of the file's; 0 takes a free one",
                          "Port du service S3 au lieu de celui du fichier ; 0 en prend un "
                          "libre")))
      ->check(CLI::Range(0, 65535));
  command->add_option("--data", options->data,
                      std::string(say("Data folder instead of the file's",
                                      "Dossier de données au lieu de celui du fichier")));
  command->add_option(
      "--show", options->show,
      std::string(say("Once up, run this SQL file and print the answer",
                      "Une fois prêt, exécuter ce fichier SQL et afficher la réponse")));
  command->footer(
      "meesh serve --mesh demo --show demo/queries/query_a.sql\nmeesh serve --mesh /srv/mesh "
      "--port 8443 --data /var/lib/meesh");
  command->callback([options, &exit_code] { exit_code = serve(*options); });
}

}  // namespace meesh::app
