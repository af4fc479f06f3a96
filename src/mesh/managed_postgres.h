// A real PostgreSQL server that belongs to one domain: made under the mesh's data folder, run by
// meesh, reachable on 127.0.0.1 and a unix socket only.
//
//   <data>/postgres/<domain>/        owned by the service user, mode 0700
//     cluster/                       the server's data (initdb: UTF-8, C collation, checksums)
//     run/                           its socket, unless that path is too long for one
//     port                           the wished-for and the actual port, kept across restarts
//     init                           checksum of the schema files that ran last
//   <data>/secrets/postgres-<domain>-superuser, …-<user>   made passwords, mode 0600
//   <data>/logs/postgres-<domain>.log                      mode 0600
//
// The server never runs as root: root drops to $MEESH_SERVICE_USER or `postgres`. The domain's user
// owns the database and is no superuser. The server dies with meesh (fast shutdown, by the kernel's
// parent-death signal); one that is still dying is waited for, so there are never two.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/process.h"
#include "engine/catalog.h"
#include "mesh/mesh.h"

namespace meesh::mesh {

/// Where initdb and postgres are: $MEESH_POSTGRES_BIN, else the newest /usr/lib/postgresql/*/bin of
/// at least 14 (or exactly `major`, if given), else PATH. Throws NOT_FOUND saying what to install.
std::filesystem::path find_postgres(std::optional<int> major = std::nullopt);

/// The user servers run as: nothing unless we are root. Throws NOT_FOUND if root has none.
std::optional<process::Identity> service_user();

class ManagedPostgres {
 public:
  /// `port` is a free port or 0; see choose_port().
  ManagedPostgres(const Domain& domain, std::filesystem::path data,
                  std::function<void(const std::string&)> report);
  ~ManagedPostgres();  // stops it

  /// Picks a port that is neither in `taken` nor in use: the one of last time, else the wished-for
  /// one, else the next free ones. Before start().
  void choose_port(std::vector<int>& taken);

  /// Makes the server if need be, starts it and waits until it answers, makes user and database and
  /// runs schema files that are new. Throws CONFIG_INVALID (folder out of reach, SQL mistake with
  /// file:line:column), IO_ERROR, NOT_FOUND.
  void start();
  /// Uses the server that another process runs on the same folder; start() and stop() do nothing to
  /// it. Throws UNAVAILABLE if it never ran.
  void join();
  /// Fast shutdown: clients are cut off, everything committed is kept. Idempotent.
  void stop();

  /// How to reach it, through its socket.
  engine::PostgresOptions options() const;
  int port() const { return port_; }
  const std::string& password() const { return password_; }
  pid_t pid() const;
  int restarts() const;

 private:
  void prepare_folders();
  void choose_sockets();
  void make_cluster();
  void end_old_server();
  std::unique_ptr<process::Process> launch();
  void wait_ready();
  void provision();
  void run_schema_files();
  process::Command command(std::vector<std::string> arguments) const;
  std::string made_password(const std::string& user);

  const Domain domain_;
  const std::filesystem::path data_, home_, cluster_, log_;
  const std::function<void(const std::string&)> report_;
  std::optional<process::Identity> user_;
  std::filesystem::path binaries_, sockets_;
  std::string password_, superuser_password_;
  int port_ = 0;
  std::unique_ptr<process::Supervised> server_;
};

}  // namespace meesh::mesh
