// Catalogs over databases of others, beside PostgreSQL: MySQL and MariaDB servers, and files of
// SQLite and DuckDB. Schemas of a MySQL server are its databases; an SQLite file has one, `main`.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "engine/catalog.h"

namespace meesh::engine {

struct MysqlOptions {
  std::string name;  // the catalog's
  std::string host;  // a name, an address, or the path of a socket
  int port = 3306;
  std::string database;  // the only one that is shown; "" = all
  std::string user, password;
  std::string tls = "off";  // "off", "required", "verify"
  std::string ca;           // PEM file; "" = the system's
  bool read_only = true;
};

struct AttachedFile {
  enum class Kind { kSqlite, kDuckdb };
  std::string name;  // the catalog's
  Kind kind = Kind::kSqlite;
  std::filesystem::path path;  // made on first use if it is not there and may be written
  bool read_only = true;
};

std::unique_ptr<Catalog> make_mysql_catalog(MysqlOptions options);
std::unique_ptr<Catalog> make_file_catalog(AttachedFile file);

}  // namespace meesh::engine
