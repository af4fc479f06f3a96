// The mesh's lake as it runs: a catalog of Iceberg tables for the mesh, one for each domain that
// has a lake of its own, the REST catalog over them, and external tables (catalog `hive`).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/lake/table_upkeep.h"
#include "app/object_service.h"
#include "engine/engine.h"
#include "lake/catalog.h"
#include "lake/external.h"
#include "lake/manifest_cache.h"
#include "mesh/mesh.h"
#include "meta/database.h"
#include "net/http.h"

namespace meesh::app {

class LakeService {
 public:
  /// Opens the catalogs; buckets of their locations are made if they are missing. All three outlive
  /// this.
  LakeService(const mesh::Mesh& mesh, meta::Database& database, ObjectService& objects);

  /// Adds the catalogs to the engine, which must know the objects already.
  void add_to(engine::Engine& engine);
  /// From then on `changed` is called after every change of a table of a lake, SQL's or another
  /// engine's through the catalog's REST API. Quick, and does not throw.
  void observe(const std::function<void()>& changed);
  /// Adds /iceberg to the server. `s3_address`: how clients reach the objects ("" = they cannot).
  void serve(net::Server& server, const std::string& s3_address);
  /// The snapshot a table has now; "" for one without any, and for tables of other catalogs.
  std::string snapshot_of(const sql::TableName& table) const;
  /// The table that lies there ("s3://bucket/folder"), if there is one.
  std::optional<sql::TableName> table_at(const std::string& location) const;
  /// The mesh's own first.
  std::vector<const lake::Catalog*> catalogs() const;
  const lake::ExternalTables& external() const { return external_; }
  /// Keeps the tables in order as long as it is held, which the engine must outlive.
  [[nodiscard]] std::unique_ptr<TableUpkeep> maintain(engine::Engine& engine);

 private:
  struct One {
    std::unique_ptr<lake::Files> files;
    std::unique_ptr<lake::Catalog> catalog;
    std::unique_ptr<lake::ManifestCache> cache;
  };
  void open(const mesh::Lake& lake, const std::string& owner);

  const mesh::Mesh& mesh_;
  meta::Database& database_;
  ObjectService& objects_;
  std::vector<One> lakes_;  // the mesh's own first
  lake::ExternalTables external_;
};

}  // namespace meesh::app
