// The mesh's dashboards as they run: what their answers depend on is read off the lake's catalogs,
// rights and streams of this server.
#pragma once

#include <memory>
#include <stop_token>

#include "app/lake_service.h"
#include "app/object_service.h"
#include "dashboards/dashboards.h"
#include "engine/engine.h"
#include "mesh/mesh.h"
#include "meta/database.h"
#include "net/http.h"
#include "serve/api/metrics_text.h"
#include "streams/streams.h"

namespace meesh::app {

class DashboardService {
 public:
  struct Parts {
    const mesh::Mesh& mesh;
    meta::Database& database;
    ObjectService& objects;
    LakeService& lakes;
    engine::Engine& engine;
    streams::Streams& streams;
    std::function<std::string()> address;
    std::string holder;
  };
  /// All outlive this.
  explicit DashboardService(Parts parts);

  void serve(net::Server& server);
  void add_metrics(serve::api::MetricsText& text);
  void start() { dashboards_->start(); }
  void stop();
  /// Quick.
  void tables_changed() { dashboards_->tables_changed(); }

 private:
  std::optional<dashboards::TableState> find(const sql::TableName& name) const;
  std::string rights(const std::string& user) const;
  std::string changes(const sql::TableName& name) const;

  const Parts parts_;
  std::unique_ptr<dashboards::Dashboards> dashboards_;
  std::stop_source stopping_;
};

}  // namespace meesh::app
