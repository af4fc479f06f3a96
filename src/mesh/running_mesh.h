// A mesh whose managed databases run, for as long as the object lives.
//
//   mesh::RunningMesh running(mesh, report);
//   running.start();                                   // all servers at once
//   for (const auto& options : running.catalogs())
//   engine.add_catalog(make_postgresql_catalog(options));
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "mesh/managed_postgres.h"
#include "mesh/mesh.h"

namespace meesh::mesh {

/// What a person needs to know of one domain's database.
struct RunningDatabase {
  std::string domain, catalog, owner;
  bool managed = false;
  std::string host;  // 127.0.0.1 for a managed one
  int port = 0;
  std::string database, user;
};

class RunningMesh {
 public:
  /// `report` gets one line for each event worth logging (no secrets); from any thread.
  explicit RunningMesh(const Mesh& mesh, std::function<void(const std::string&)> report = {});
  ~RunningMesh();  // stops

  /// Makes the data folder and takes it for this process; ALREADY_EXISTS if another meesh has it.
  void take_data();
  /// Takes the data folder if that was not done and starts the managed servers side by side. Throws
  /// the first failure, everything stopped again.
  void start();
  /// As start(), but uses the servers of the meesh that has the folder, if one has.
  void start_or_join();
  /// Stops the servers side by side. Idempotent.
  void stop();

  /// One for each domain and each extra catalog of kind postgresql, named by catalog.
  std::vector<engine::PostgresOptions> catalogs() const;
  std::vector<RunningDatabase> databases() const;
  /// Throws NOT_FOUND naming the domains there are, NOT_SUPPORTED for one that is not on
  /// PostgreSQL.
  engine::PostgresOptions database_of(const std::string& domain) const;

 private:
  void lock_data();

  const Mesh mesh_;
  const std::function<void(const std::string&)> report_;
  std::vector<std::unique_ptr<ManagedPostgres>>
      servers_;  // in the order of mesh_.domains; null if external
  int lock_ = -1;
};

}  // namespace meesh::mesh
