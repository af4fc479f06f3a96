#include "app/lake_service.h"

#include <unistd.h>

#include "engine/catalogs/hive.h"
#include "engine/catalogs/lake.h"
#include "lake/maintenance.h"
#include "serve/iceberg/iceberg.h"

namespace meesh::app {
namespace {

constexpr std::string_view kHive = "hive";

/// The data folder is one process's own.
std::string server_name(const mesh::Mesh& mesh) {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return fmt::format("{}:{}", host, mesh.data.string());
}

}  // namespace

LakeService::LakeService(const mesh::Mesh& mesh, meta::Database& database, ObjectService& objects)
    : mesh_(mesh),
      database_(database),
      objects_(objects),
      external_(database, {std::string(kHive), mesh.lake.location + "/hive"}) {
  open(mesh.lake, "root");
  for (const auto& domain : mesh.domains) {
    if (domain.lake) open(*domain.lake, domain.name);
  }
}

void LakeService::open(const mesh::Lake& lake, const std::string& owner) {
  for (const auto& place : lake.places()) {
    const std::string bucket = lake::parse_path(place + "/-").bucket;
    objects_.make_bucket({.name = bucket}, owner);
  }
  One one;
  one.files = std::make_unique<lake::Files>(objects_.store(), lake.places());
  one.catalog = std::make_unique<lake::Catalog>(database_, *one.files,
                                                lake::Warehouse{lake.catalog, lake.location});
  one.cache = std::make_unique<lake::ManifestCache>(*one.files);
  lakes_.push_back(std::move(one));
}

void LakeService::add_to(engine::Engine& engine) {
  const engine::AuthorizeObject authorize =
      [this](const std::string& user, std::string_view action, const std::string& bucket,
             const std::string& key) { objects_.authorize(user, action, bucket, key); };
  for (const auto& one : lakes_) {
    engine.add_catalog(engine::make_lake_catalog(one.catalog->warehouse().name, *one.catalog,
                                                 *one.cache, authorize));
  }
  engine.add_catalog(
      engine::make_hive_catalog(std::string(kHive), external_, objects_.store(), authorize));
}

void LakeService::observe(const std::function<void()>& changed) {
  for (auto& one : lakes_) {
    one.catalog->observe([changed](const lake::Identifier&) { changed(); });
  }
}

void LakeService::serve(net::Server& server, const std::string& s3_address) {
  serve::iceberg::Service service;
  for (const auto& one : lakes_) {
    service.warehouses[one.catalog->warehouse().name] = one.catalog.get();
  }
  service.default_warehouse = mesh_.lake.catalog;
  service.access = &objects_.access();
  service.root_access_key = root_keys(mesh_).access_key;
  service.s3_endpoint = s3_address;
  if (mesh_.storage.kind == mesh::Storage::Kind::kS3) {
    service.s3_region = mesh_.storage.region;
    service.path_style = mesh_.storage.path_style;
    if (s3_address.empty()) service.s3_endpoint = mesh_.storage.endpoint;
  }
  service.database = &database_;
  service.purge = [this](lake::Catalog& catalog, const lake::Table& dropped) {
    for (const auto& one : lakes_) {
      if (one.catalog.get() == &catalog) lake::purge(*one.cache, dropped);
    }
  };
  serve::iceberg::register_iceberg(server, std::move(service));
}

std::string LakeService::snapshot_of(const sql::TableName& table) const {
  for (const auto& one : lakes_) {
    if (one.catalog->warehouse().name != table.catalog) continue;
    const auto found = one.catalog->find({{table.schema}, table.table});
    if (!found || !found->metadata->current_snapshot_id) return "";
    return std::to_string(*found->metadata->current_snapshot_id);
  }
  return "";
}

std::optional<sql::TableName> LakeService::table_at(const std::string& location) const {
  for (const auto& one : lakes_) {
    for (const auto& space : one.catalog->namespaces({})) {
      for (const auto& name : one.catalog->tables(space)) {
        const auto found = one.catalog->find({space, name});
        if (found && found->metadata->location == location) {
          return sql::TableName{one.catalog->warehouse().name, space.back(), name};
        }
      }
    }
  }
  return std::nullopt;
}

std::vector<const lake::Catalog*> LakeService::catalogs() const {
  std::vector<const lake::Catalog*> all;
  for (const auto& one : lakes_) all.push_back(one.catalog.get());
  return all;
}

std::unique_ptr<TableUpkeep> LakeService::maintain(engine::Engine& engine) {
  std::vector<TableUpkeep::Warehouse> warehouses;
  for (const auto& one : lakes_) warehouses.push_back({*one.catalog, *one.cache});
  return std::make_unique<TableUpkeep>(mesh_.lake_maintenance, std::move(warehouses),
                                       TableUpkeep::External{external_, objects_.store()},
                                       database_, engine, server_name(mesh_));
}

}  // namespace meesh::app
