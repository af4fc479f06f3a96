#include "app/platform_service.h"

#include <unistd.h>

#include <algorithm>

#include "engine/ask.h"
#include "engine/catalogs/buffers.h"
#include "mesh/mesh_files.h"
#include "pipelines/kinds/kinds.h"
#include "serve/api/airbyte.h"
#include "serve/api/catalogue.h"
#include "serve/api/dbt_docs.h"
#include "serve/api/feeds.h"
#include "serve/api/ingest.h"
#include "serve/api/inventory.h"
#include "serve/api/lake_tables.h"
#include "serve/api/lineage.h"
#include "serve/api/metrics.h"
#include "serve/api/objects.h"
#include "serve/api/quality.h"
#include "serve/api/runs.h"
#include "serve/api/sql_lab.h"
#include "serve/api/streams.h"
#include "streams/batch_work.h"

namespace meesh::app {
namespace {

/// "lake.gold.rfm", as names of assets are written.
std::optional<sql::TableName> table_name(const std::string& text) {
  const size_t first = text.find('.');
  const size_t second = first == std::string::npos ? first : text.find('.', first + 1);
  if (second == std::string::npos) return std::nullopt;
  return sql::TableName{text.substr(0, first), text.substr(first + 1, second - first - 1),
                        text.substr(second + 1)};
}

engine::Session own_session(const std::string& source) {
  engine::Session session;
  session.user = session.original_user = "meesh";
  session.source = source;
  return session;
}

/// The same after a restart: the data folder is one process's own.
std::string server_name(const mesh::Mesh& mesh) {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return fmt::format("{}:{}", host, mesh.data.string());
}

}  // namespace

PlatformService::PlatformService(const mesh::Mesh& mesh, meta::Database& database,
                                 ObjectService& objects, LakeService& lakes, engine::Engine& engine,
                                 std::vector<engine::PostgresOptions> catalogs,
                                 std::function<int()> port)
    : mesh_(mesh),
      database_(database),
      objects_(objects),
      lakes_(lakes),
      engine_(engine),
      port_(std::move(port)),
      catalogs_(catalogs) {
  lineage_ = std::make_unique<governance::LineageStore>(database, lineage_options(catalogs));
  mesh::MeshFiles files(mesh);
  auto suites = quality::load_suites(files, mesh);
  files.finish();
  quality_ = std::make_unique<quality::Quality>(engine, database, mesh, std::move(suites));
  ingest_ = std::make_unique<ingest::Ingest>(ingest::Environment{
      engine, database, mesh, objects.store(), std::move(catalogs), lineage_.get()});
  open_streams(mesh, database);
  preview_ =
      std::make_unique<serve::api::FilePreview>(engine, objects.store(), mesh.data / "preview");
  models_ = std::make_unique<transform::Models>(engine, *quality_, "meesh", lineage_.get());
  dbt_ = std::make_unique<transform::Dbt>(dbt_options());
  pipelines_ = std::make_unique<pipelines::Pipelines>(database, mesh, kinds(), pipelines_options());
  sql_store_ = std::make_unique<serve::api::SqlStore>(database);
  history_ = std::make_unique<serve::api::StatementHistory>(engine, *sql_store_);
  engine.observe(*lineage_);
  catalogue_ = std::make_unique<governance::Catalogue>(
      engine, database, mesh, serve::api::catalogue_options(catalogue_rooms()));
  sql_store_->on_change([this] { catalogue_->origin_changed("queries"); });
  dashboards_ = std::make_unique<DashboardService>(
      DashboardService::Parts{mesh, database, objects, lakes, engine, *streams_,
                              [this] { return address(); }, server_name(mesh)});
  lakes.observe([this] {
    pipelines_->tables_changed();
    dashboards_->tables_changed();
    catalogue_->changed();
  });
}

PlatformService::~PlatformService() { stop(); }

serve::api::CatalogueRooms PlatformService::catalogue_rooms() {
  return {mesh_, objects_.store(), *lineage_,   *quality_,    *ingest_, *streams_, *feeds_,
          *dbt_, *pipelines_,      *sql_store_, MEESH_VERSION};
}

engine::Engine& PlatformService::recorded() { return history_->recorded(); }

void PlatformService::open_streams(const mesh::Mesh& mesh, meta::Database& database) {
  const auto buffers = std::make_shared<engine::BufferTables>(streams::kBuffersCatalog);
  engine_.add_catalog(engine::make_buffers_catalog(buffers));
  engine_.add_catalog(engine::make_memory_catalog(streams::kWorkCatalog));
  constexpr const char* kLive = "live";
  const auto all = engine_.catalogs();
  if (std::ranges::count(all, kLive) == 0) engine_.add_catalog(engine::make_memory_catalog(kLive));
  streams_ = std::make_unique<streams::Streams>(
      streams::Environment{engine_, database, mesh, buffers, kLive, server_name(mesh)});
  streams::FeedEnvironment feeds{engine_, database, mesh, objects_.store()};
  feeds.buffers = buffers;
  feeds.lineage = lineage_.get();
  feeds.holder = server_name(mesh);
  feeds_ = std::make_unique<streams::Feeds>(feeds);
}

std::string PlatformService::address() const {
  const int port = port_();
  if (port == 0) return "";
  return fmt::format("{}://localhost:{}", mesh_.tls ? "https" : "http", port);
}

governance::LineageOptions PlatformService::lineage_options(
    const std::vector<engine::PostgresOptions>& catalogs) const {
  governance::LineageOptions options;
  options.url = mesh_.lineage.url;
  options.api_key = mesh_.lineage.api_key;
  options.name_space = mesh_.lineage.name_space;
  options.known.address = [this] { return address(); };
  for (const auto& catalog : catalogs) {
    options.known.databases.push_back({catalog.host, catalog.port, catalog.database, catalog.name});
  }
  options.known.has_catalog = [this](const std::string& name) {
    const auto all = engine_.catalogs();
    return std::find(all.begin(), all.end(), name) != all.end();
  };
  options.known.table_at = [this](const std::string& location) {
    return lakes_.table_at(location);
  };
  return options;
}

transform::DbtOptions PlatformService::dbt_options() const {
  transform::DbtOptions options;
  options.projects = mesh_.folder / "dbt";
  options.data = mesh_.data / "dbt";
  const char* python = std::getenv("MEESH_DBT_PYTHON");
  options.python = python ? python : MEESH_DBT_PYTHON;
  options.server = [this] {
    transform::DbtServer server;
    server.port = port_();
    server.token = token_;
    server.tls = mesh_.tls.has_value();
    if (mesh_.tls) server.certificate = mesh_.tls->certificate;
    return server;
  };
  options.catalog = mesh_.lake.catalog;
  options.store = &objects_.store();
  options.lineage = lineage_.get();
  return options;
}

pipelines::PipelinesOptions PlatformService::pipelines_options() const {
  pipelines::PipelinesOptions options;
  options.logs = mesh_.data / "logs" / "runs";
  options.holder = server_name(mesh_);
  options.address = [this] { return address(); };
  options.version = [this](const std::string& table) { return version(table); };
  options.exists = [this](const std::string& table) { return exists(table); };
  return options;
}

pipelines::AssetKinds PlatformService::kinds() {
  pipelines::AssetKinds kinds;
  kinds.push_back(pipelines::ingest_kind(*ingest_));
  kinds.push_back(pipelines::stream_kind(*streams_));
  kinds.push_back(pipelines::feed_kind(*feeds_));
  kinds.push_back(pipelines::sql_kind(*models_));
  kinds.push_back(pipelines::dbt_kind(*dbt_));
  kinds.push_back(pipelines::check_kind(*quality_));
  kinds.push_back(pipelines::statement_kind(engine_));
  kinds.push_back(pipelines::maintenance_kind(engine_));
  kinds.push_back(pipelines::export_kind(
      {.engine = engine_, .store = objects_.store(), .folder = mesh_.folder / "data" / "exports"}));
  kinds.push_back(pipelines::python_kind(
      {.mesh = mesh_.folder, .environments = mesh_.data / "python", .environment = [this] {
         return std::map<std::string, std::string>{{"MEESH_URL", address()},
                                                   {"MEESH_TOKEN", token_},
                                                   {"MEESH_S3_URL", objects_.address()}};
       }}));
  return kinds;
}

std::string PlatformService::version(const std::string& table) const {
  const auto name = table_name(table);
  if (!name) return "";
  try {
    return lakes_.snapshot_of(*name);
  } catch (const Error& error) {
    log::warn("the version of a table is not known", {{"table", table}, {"error", error.what()}});
    return "";
  }
}

bool PlatformService::exists(const std::string& table) const {
  const auto name = table_name(table);
  if (!name) return true;
  try {
    engine::ask(engine_, "DESCRIBE " + engine::quote_table(*name), own_session("pipelines"));
    return true;
  } catch (const Error& error) {
    return error.code() != Code::kTableNotFound && error.code() != Code::kSchemaNotFound &&
           error.code() != Code::kCatalogNotFound;
  }
}

void PlatformService::serve(net::Server& server) {
  serve::api::register_lineage(server, *lineage_);
  serve::api::register_quality(server, *quality_);
  serve::api::register_ingest(server, *ingest_);
  serve::api::register_airbyte(server, *ingest_, mesh_);
  serve::api::register_dbt_docs(server, *dbt_);
  serve::api::register_runs(server, *pipelines_);
  serve::api::StreamsApiOptions options;
  options.stopping = stopping_.get_token();
  serve::api::register_streams(server, *streams_, engine_, options);
  serve::api::register_feeds(server, *feeds_);
  serve::api::register_sql_lab(server, *sql_store_, *history_);
  const serve::api::MeshParts parts{mesh_,
                                    database_,
                                    objects_.store(),
                                    engine_,
                                    *ingest_,
                                    *streams_,
                                    *feeds_,
                                    *quality_,
                                    *dbt_,
                                    *pipelines_,
                                    catalogs_,
                                    [this] { return address(); },
                                    [this] { return objects_.address(); }};
  serve::api::register_inventory(server, parts);
  serve_lake(server);
  serve::api::register_catalogue(server, *catalogue_, database_, catalogue_rooms());
  dashboards_->serve(server);
  serve::api::register_metrics(
      server, parts,
      {{"dashboards", [this](serve::api::MetricsText& text) { dashboards_->add_metrics(text); }}});
}

void PlatformService::serve_lake(net::Server& server) {
  serve::api::ObjectsOptions objects;
  objects.store = &objects_.store();
  objects.access = &objects_.access();
  objects.preview = preview_.get();
  objects.tell_usage = mesh_.storage.kind == mesh::Storage::Kind::kLocal;
  objects.region = mesh_.storage.region;
  if (mesh_.storage.kind == mesh::Storage::Kind::kLocal)
    objects.root_access_key = root_keys(mesh_).access_key;
  objects.s3_address = [this] { return objects_.address(); };
  serve::api::register_objects(server, objects);
  serve::api::register_lake_tables(server, {.catalogs = lakes_.catalogs(),
                                            .external = &lakes_.external(),
                                            .store = &objects_.store(),
                                            .access = &objects_.access()});
}

void PlatformService::start() {
  ingest_->start();
  pipelines_->start();
  streams_->start();
  feeds_->start();
  catalogue_->start();
  dashboards_->start();
}

void PlatformService::stop() {
  stopping_.request_stop();
  dashboards_->stop();
  catalogue_->stop();
  feeds_->stop();
  streams_->stop();
  pipelines_->stop();
  ingest_->stop();
}

}  // namespace meesh::app
