#include "mesh/running_mesh.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>

#include "base/text.h"
#include "mesh/private_files.h"

namespace meesh::mesh {

namespace fs = std::filesystem;

namespace {

engine::PostgresOptions external(const std::string& catalog, const Database& database) {
  engine::PostgresOptions options;
  options.name = catalog;
  options.host = database.host;
  options.port = database.port;
  options.database = database.name;
  options.user = database.user;
  options.password = database.password;
  return options;
}

}  // namespace

RunningMesh::RunningMesh(const Mesh& mesh, std::function<void(const std::string&)> report)
    : mesh_(mesh), report_(report ? std::move(report) : [](const std::string&) {}) {}

RunningMesh::~RunningMesh() {
  stop();
  if (lock_ >= 0) ::close(lock_);
}

void RunningMesh::lock_data() {
  const fs::path path = mesh_.data / "meesh.lock";
  lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0)
    throw Error(Code::kIoError,
                fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = {};
    [[maybe_unused]] const ssize_t got = ::pread(lock_, holder, sizeof holder - 1, 0);
    ::close(std::exchange(lock_, -1));
    throw Error(Code::kAlreadyExists,
                fmt::format("another meesh (process {}) uses {}", std::strtol(holder, nullptr, 10),
                            mesh_.data.string()))
        .with_hint("stop it, or give this one another data folder with --data");
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(lock_, 0) != 0 || ::pwrite(lock_, pid.data(), pid.size(), 0) < 0) {
    throw Error(errno == ENOSPC ? Code::kDiskFull : Code::kIoError,
                fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  }
}

void RunningMesh::take_data() {
  if (lock_ >= 0) return;
  const bool any_managed = std::ranges::any_of(mesh_.domains, [](const Domain& domain) {
    return domain.database.kind == Database::Kind::kManaged;
  });
  std::error_code failure;
  fs::create_directories(mesh_.data.parent_path(), failure);
  if (failure) {
    throw Error(Code::kIoError, fmt::format("cannot make the folder {}: {}",
                                            mesh_.data.parent_path().string(), failure.message()));
  }
  make_folder(mesh_.data, ::geteuid() == 0 && any_managed ? 0711 : 0700);
  lock_data();
}

void RunningMesh::start() {
  take_data();
  servers_.clear();
  std::vector<int> taken{mesh_.listen.port};
  for (const Domain& domain : mesh_.domains) {
    servers_.emplace_back();
    if (domain.database.kind != Database::Kind::kManaged) continue;
    servers_.back() = std::make_unique<ManagedPostgres>(domain, mesh_.data, report_);
    servers_.back()->choose_port(taken);
  }
  std::vector<std::exception_ptr> failures(servers_.size());
  {
    std::vector<std::jthread> starters;
    for (size_t i = 0; i < servers_.size(); ++i) {
      if (!servers_[i]) continue;
      starters.emplace_back([this, i, &failures] {
        try {
          servers_[i]->start();
        } catch (...) {
          failures[i] = std::current_exception();
        }
      });
    }
  }
  for (const std::exception_ptr& first : failures) {
    if (!first) continue;
    stop();
    std::rethrow_exception(first);
  }
}

void RunningMesh::start_or_join() {
  try {
    return start();
  } catch (const Error& error) {
    if (error.code() != Code::kAlreadyExists) throw;
  }
  servers_.clear();
  for (const Domain& domain : mesh_.domains) {
    servers_.emplace_back();
    if (domain.database.kind != Database::Kind::kManaged) continue;
    servers_.back() = std::make_unique<ManagedPostgres>(domain, mesh_.data, report_);
    servers_.back()->join();
  }
}

void RunningMesh::stop() {
  std::vector<std::jthread> stoppers;
  for (const auto& server : servers_) {
    if (server) stoppers.emplace_back([&server] { server->stop(); });
  }
}

std::vector<engine::PostgresOptions> RunningMesh::catalogs() const {
  std::vector<engine::PostgresOptions> all;
  for (const Domain& domain : mesh_.domains) {
    if (domain.database.kind != Database::Kind::kMysql) all.push_back(database_of(domain.name));
  }
  for (const ExtraCatalog& extra : mesh_.catalogs) {
    if (extra.kind == ExtraCatalog::Kind::kPostgresql)
      all.push_back(external(extra.name, extra.database));
  }
  return all;
}

std::vector<RunningDatabase> RunningMesh::databases() const {
  std::vector<RunningDatabase> all;
  for (size_t i = 0; i < mesh_.domains.size(); ++i) {
    const Domain& domain = mesh_.domains[i];
    const bool managed = i < servers_.size() && servers_[i] != nullptr;
    all.push_back({domain.name, domain.catalog, domain.owner.team, managed,
                   managed ? "127.0.0.1" : domain.database.host,
                   managed ? servers_[i]->port() : domain.database.port, domain.database.name,
                   domain.database.user});
  }
  return all;
}

engine::PostgresOptions RunningMesh::database_of(const std::string& name) const {
  std::vector<std::string> names;
  for (size_t i = 0; i < mesh_.domains.size(); ++i) {
    const Domain& domain = mesh_.domains[i];
    names.push_back(domain.name);
    if (domain.name != name) continue;
    if (domain.database.kind == Database::Kind::kPostgresql)
      return external(domain.catalog, domain.database);
    if (domain.database.kind == Database::Kind::kMysql) {
      throw Error(Code::kNotSupported,
                  fmt::format("the domain '{}' is on a MySQL server, not on PostgreSQL", name));
    }
    if (i >= servers_.size() || !servers_[i]) internal_error("the mesh is not started");
    return servers_[i]->options();
  }
  throw Error(Code::kNotFound, fmt::format("the mesh has no domain '{}'", name))
      .with_hint(base::did_you_mean(name, names, "its domains: "));
}

}  // namespace meesh::mesh
