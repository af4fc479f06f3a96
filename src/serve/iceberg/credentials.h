#pragma once

#include <boost/json.hpp>
#include <string>

#include "serve/iceberg/call.h"

namespace meesh::serve::iceberg {

/// The `config` every client gets: s3.endpoint, s3.region, s3.path-style-access.
boost::json::object endpoint_config(const Service& service);
/// The table's location, and what its properties name for files elsewhere in the lake.
std::vector<std::string> table_places(const Call& call, const lake::TableMetadata& table);
/// With temporary keys limited to what lies below `places`.
boost::json::object vended_config(const Call& call, const lake::Identifier& name,
                                  const std::vector<std::string>& places);
/// The client asked for keys (X-Iceberg-Access-Delegation: vended-credentials).
bool wants_credentials(const Call& call);
boost::json::array storage_credentials(const boost::json::object& config,
                                       const std::vector<std::string>& places);

}  // namespace meesh::serve::iceberg
