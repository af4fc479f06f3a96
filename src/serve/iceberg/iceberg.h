// The Iceberg REST catalog under /iceberg: PyIceberg, Spark, Trino and DuckDB find the lake's
// tables here and commit to them. Source: Apache Iceberg's rest-catalog-open-api.yaml.
//
//   serve::iceberg::register_iceberg(server, {.warehouses = {{"main", &catalog}}, …});
//
// Who asks: a bearer token of POST /iceberg/v1/oauth/tokens (client id and secret are an access key
// of the object store). Without a token, callers on this machine have the rights that the SQL port
// gives; others are refused. What an identity may do with a table follows from what its policies
// allow it to do with the objects at the table's location.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "access/access.h"
#include "lake/catalog.h"
#include "net/http.h"

namespace meesh::serve::iceberg {

struct Service {
  std::map<std::string, lake::Catalog*, std::less<>>
      warehouses;  // by name; they outlive the server
  std::string default_warehouse;
  access::Access* access = nullptr;
  std::string root_access_key;  // the administrator's
  std::string s3_endpoint;      // as clients reach the files: "http://localhost:9000"
  std::string s3_region = "us-east-1";
  bool path_style = true;
  meta::Database* database = nullptr;  // answers by Idempotency-Key
  /// Removes the files of a table that was dropped with purge.
  std::function<void(lake::Catalog&, const lake::Table&)> purge;
};

/// Adds the routes; everything in `service` outlives the server. Throws what the database throws.
void register_iceberg(net::Server& server, Service service);

}  // namespace meesh::serve::iceberg
