// The mesh's Iceberg tables as they run: one catalog for the mesh, one for each domain that has a
// lake of its own, and the REST catalog over them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/object_service.h"
#include "lake/catalog.h"
#include "mesh/mesh.h"
#include "meta/database.h"
#include "net/http.h"

namespace meesh::app {

class LakeService {
 public:
  /// Opens the catalogs; buckets of their locations are made if they are missing. All three outlive
  /// this.
  LakeService(const mesh::Mesh& mesh, meta::Database& database, ObjectService& objects);

  /// Adds /iceberg to the server. `s3_address`: how clients reach the objects ("" = they cannot).
  void serve(net::Server& server, const std::string& s3_address);

  /// The mesh's own first.
  std::vector<lake::Catalog*> catalogs() const;

 private:
  struct One {
    std::unique_ptr<lake::Files> files;
    std::unique_ptr<lake::Catalog> catalog;
  };
  void open(const mesh::Lake& lake, const std::string& owner);

  const mesh::Mesh& mesh_;
  meta::Database& database_;
  ObjectService& objects_;
  std::vector<One> lakes_;
};

}  // namespace meesh::app
