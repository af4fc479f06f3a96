// Which data sets of OpenLineage events are tables of the mesh. Only what is certain is taken for
// one: an address that is ours, and a name that leaves one table only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "governance/job_run.h"

namespace meesh::governance {

/// A PostgreSQL database that is a catalog of the mesh.
struct KnownDatabase {
  std::string host;
  int port = 0;
  std::string database, catalog;
};

struct Known {
  /// "http://localhost:8080": where the mesh's server listens. Called when needed; "" = not yet.
  std::function<std::string()> address = [] { return std::string(); };
  std::vector<KnownDatabase> databases;
  std::function<bool(const std::string& catalog)> has_catalog = [](const std::string&) {
    return false;
  };
  /// The lake's table whose files lie there ("s3://bucket/folder"), if there is one.
  std::function<std::optional<sql::TableName>(const std::string& location)> table_at =
      [](const std::string&) { return std::nullopt; };
};

/// "postgres://host:5432/shop.public.orders" as namespace and name. Files of this machine are of
/// the namespace "file" by their path.
Dataset split_address(std::string_view address);

class DatasetNames {
 public:
  explicit DatasetNames(Known known) : known_(std::move(known)) {}

  /// The table of the mesh if it is one, else the data set as it is.
  Dataset resolve(const Dataset& written) const;
  /// As others should read it: tables of the mesh are "trino://host:port" and their full name.
  Dataset shown(const Dataset& dataset) const;
  /// "catalog.schema.table", or an address.
  Dataset parse(std::string_view written) const;

 private:
  Known known_;
};

}  // namespace meesh::governance
