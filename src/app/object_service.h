// The mesh's objects as they run: the store, who may reach it, and the S3 endpoint over it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "access/access.h"
#include "mesh/mesh.h"
#include "meta/database.h"
#include "net/http.h"
#include "objects/store.h"

namespace meesh::app {

class ObjectService {
 public:
  /// Opens the store and makes what the mesh names and is missing: keys, buckets, their seeds. The
  /// data folder is there and this process's own.
  ObjectService(const mesh::Mesh& mesh, meta::Database& database);

  /// Opens the endpoint if the mesh has a port for it; `port` instead of the mesh's.
  void listen(std::optional<int> port);
  /// "http://localhost:9000", "" while there is no endpoint.
  const std::string& address() const { return address_; }
  void stop(std::chrono::milliseconds grace);

  /// What SQL users may do with objects: those that are users of the store have their own rights,
  /// any other name has the rights the SQL port itself gives.
  void authorize(const std::string& user, std::string_view action, const std::string& bucket,
                 const std::string& key) const;

  /// Makes it, with its seed, unless it is there.
  void make_bucket(const mesh::Bucket& bucket, const std::string& owner);

  objects::Store& store() { return *store_; }
  access::Access& access() { return *access_; }

 private:
  const mesh::Mesh& mesh_;
  std::unique_ptr<objects::Store> store_;
  std::unique_ptr<access::Access> access_;
  std::unique_ptr<net::Server> server_;
  std::string address_;
};

/// Where the objects of a mesh lie and the keys to them; the key is made if there is none.
objects::LocalOptions store_options(const mesh::Mesh& mesh);
/// Of the mesh's metadata.
meta::DatabaseOptions metadata_options(const mesh::Mesh& mesh);
/// Opens who may do what of a mesh that runs or ran: its own part of `database`.
std::unique_ptr<access::Access> open_access(const mesh::Mesh& mesh, meta::Database& database);

/// The administrator's key pair of a mesh: the file's, or the one made at its first start. Throws
/// NOT_FOUND before that.
struct RootKeys {
  std::string access_key, secret_key;
};
RootKeys root_keys(const mesh::Mesh& mesh);

}  // namespace meesh::app
