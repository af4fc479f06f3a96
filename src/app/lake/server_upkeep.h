// The operator's calls to a running server; the protocol is told in serve/s3/admin.h.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "app/lake/keys.h"
#include "objects/maintenance.h"

namespace meesh::app {

struct ServerAddress {
  std::string endpoint, region;
  std::string certificate;  // PEM, the server's own; "" = one that the system trusts
};

/// The report of the work done there. `folder`: relative to the working directory, or "". Throws
/// the server's error, UNAVAILABLE if the answer ends before its report.
boost::json::object maintain_at(const ServerAddress& server, const S3Keys& keys,
                                std::string_view work, const std::string& folder,
                                const objects::Progress& progress);

}  // namespace meesh::app
