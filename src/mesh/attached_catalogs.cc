#include "mesh/attached_catalogs.h"

namespace meesh::mesh {
namespace {

engine::MysqlOptions options_of(const std::string& catalog, const Database& database) {
  engine::MysqlOptions options;
  options.name = catalog;
  options.host = database.host;
  options.port = database.port;
  options.database = database.name;
  options.user = database.user;
  options.password = database.password;
  options.tls = database.tls;
  options.ca = database.ca.string();
  options.read_only = database.read_only;
  return options;
}

}  // namespace

std::vector<engine::MysqlOptions> mysql_catalogs(const Mesh& mesh) {
  std::vector<engine::MysqlOptions> all;
  for (const Domain& domain : mesh.domains) {
    if (domain.database.kind == Database::Kind::kMysql)
      all.push_back(options_of(domain.catalog, domain.database));
  }
  for (const ExtraCatalog& extra : mesh.catalogs) {
    if (extra.kind == ExtraCatalog::Kind::kMysql)
      all.push_back(options_of(extra.name, extra.database));
  }
  return all;
}

std::vector<engine::AttachedFile> attached_files(const Mesh& mesh) {
  std::vector<engine::AttachedFile> all;
  for (const ExtraCatalog& extra : mesh.catalogs) {
    using Kind = ExtraCatalog::Kind;
    if (extra.kind != Kind::kSqlite && extra.kind != Kind::kDuckdb) continue;
    const auto kind = extra.kind == Kind::kSqlite ? engine::AttachedFile::Kind::kSqlite
                                                  : engine::AttachedFile::Kind::kDuckdb;
    all.push_back({extra.name, kind, extra.path, extra.read_only});
  }
  return all;
}

}  // namespace meesh::mesh
