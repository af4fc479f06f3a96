// What the mesh does with its data by itself, as it runs: ingestion, streams, feeds, models, dbt,
// checks, lineage and the pipelines that join them; and their REST API.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "app/dashboard_service.h"
#include "app/lake_service.h"
#include "app/object_service.h"
#include "engine/engine.h"
#include "governance/catalogue.h"
#include "governance/lineage_store.h"
#include "ingest/ingest.h"
#include "mesh/mesh.h"
#include "meta/database.h"
#include "net/http.h"
#include "pipelines/pipelines.h"
#include "quality/quality.h"
#include "streams/feeds/feeds.h"
#include "streams/streams.h"
#include "transform/dbt.h"
#include "transform/sql_model.h"

namespace meesh::serve::api {
class SqlStore;
class StatementHistory;
class FilePreview;
struct CatalogueRooms;
}  // namespace meesh::serve::api

namespace meesh::app {

class PlatformService {
 public:
  /// Reads the folders sources, streams, feeds, pipelines, checks and contracts of the mesh; throws
  /// ConfigError with every mistake. The engine has its catalogs already and has run no statement
  /// yet. `port`: where the server listens, 0 = not yet. All outlive this.
  PlatformService(const mesh::Mesh& mesh, meta::Database& database, ObjectService& objects,
                  LakeService& lakes, engine::Engine& engine,
                  std::vector<engine::PostgresOptions> catalogs, std::function<int()> port);
  ~PlatformService();

  /// The engine; what clients' protocols submit here stands in the history of statements.
  engine::Engine& recorded();
  /// What the programs it starts (dbt, Python steps) prove themselves with to our server.
  void use_token(std::string token) { token_ = std::move(token); }
  /// Adds the REST API to a server that has not started.
  void serve(net::Server& server);
  /// Resumes what a killed server left, and schedules.
  void start();
  /// Runs under way are left to be resumed.
  void stop();

 private:
  /// What a table's rows are made of now, for what runs when that changes.
  std::string version(const std::string& table) const;
  bool exists(const std::string& table) const;
  /// For programs on this machine; "" before the server listens.
  std::string address() const;
  transform::DbtOptions dbt_options() const;
  governance::LineageOptions lineage_options(
      const std::vector<engine::PostgresOptions>& catalogs) const;
  pipelines::PipelinesOptions pipelines_options() const;
  pipelines::AssetKinds kinds();
  void open_streams(const mesh::Mesh& mesh, meta::Database& database);
  void serve_lake(net::Server& server);
  serve::api::CatalogueRooms catalogue_rooms();

  const mesh::Mesh& mesh_;
  meta::Database& database_;
  ObjectService& objects_;
  LakeService& lakes_;
  engine::Engine& engine_;
  const std::function<int()> port_;
  std::string token_;
  const std::vector<engine::PostgresOptions> catalogs_;
  std::unique_ptr<governance::LineageStore> lineage_;
  std::unique_ptr<quality::Quality> quality_;
  std::unique_ptr<ingest::Ingest> ingest_;
  std::unique_ptr<streams::Streams> streams_;
  std::unique_ptr<streams::Feeds> feeds_;
  std::unique_ptr<transform::Models> models_;
  std::unique_ptr<transform::Dbt> dbt_;
  std::unique_ptr<pipelines::Pipelines> pipelines_;
  std::unique_ptr<serve::api::FilePreview> preview_;
  std::unique_ptr<serve::api::SqlStore> sql_store_;
  std::unique_ptr<serve::api::StatementHistory> history_;
  std::unique_ptr<governance::Catalogue> catalogue_;  // stops before what it reads
  std::unique_ptr<DashboardService> dashboards_;
  std::stop_source stopping_;
};

}  // namespace meesh::app
