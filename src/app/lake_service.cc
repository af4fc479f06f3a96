#include "app/lake_service.h"

#include "serve/iceberg/iceberg.h"

namespace meesh::app {

LakeService::LakeService(const mesh::Mesh& mesh, meta::Database& database, ObjectService& objects)
    : mesh_(mesh), database_(database), objects_(objects) {
  open(mesh.lake, "root");
  for (const auto& domain : mesh.domains) {
    if (domain.lake) open(*domain.lake, domain.name);
  }
}

void LakeService::open(const mesh::Lake& lake, const std::string& owner) {
  const std::string bucket = lake::parse_path(lake.location + "/-").bucket;
  objects_.make_bucket({.name = bucket}, owner);
  One one;
  one.files = std::make_unique<lake::Files>(objects_.store(), std::vector{lake.location});
  one.catalog = std::make_unique<lake::Catalog>(database_, *one.files,
                                                lake::Warehouse{lake.catalog, lake.location});
  lakes_.push_back(std::move(one));
}

std::vector<lake::Catalog*> LakeService::catalogs() const {
  std::vector<lake::Catalog*> all;
  for (const auto& one : lakes_) all.push_back(one.catalog.get());
  return all;
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
  serve::iceberg::register_iceberg(server, std::move(service));
}

}  // namespace meesh::app
