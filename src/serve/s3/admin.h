// The operator's calls to a running server, beside S3 on the same port and signed like its calls:
//
//   POST /meesh/admin/v1/scrub
//   POST /meesh/admin/v1/backup?folder=/a/new/folder        on the server's own disks
//   POST /meesh/admin/v1/collect-garbage
//   POST /meesh/admin/v1/lifecycle
//   POST /meesh/admin/v1/rotate-key
//
// For the administrator, and for users whose policies allow admin:Scrub, admin:Backup,
// admin:CollectGarbage, admin:RunLifecycle, admin:RotateKey. The answer is JSON lines:
// {"done": 5, "total": 9} about once a second while the work goes on, at last {"report": {…}} or
// {"error": {"code": …, "message": …, "hint": …}}. Who hangs up ends the work, and so does the end
// of the server. A backup leaves a line with its folder in the audit trail before it begins.
//
// A bucket may be called "meesh": S3 has no POST to an object without one of its subresources.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <string_view>

#include "objects/maintenance.h"
#include "serve/s3/call.h"

namespace meesh::serve::s3 {

inline constexpr std::string_view kAdminPath = "/meesh/admin/v1/";

/// The operation that a request of this protocol asks for, whose target is no bucket then; null for
/// all other requests.
const Operation* find_admin_operation(Call& call);

/// Does what the last part of the path says ("scrub") and gives its report. Progress ends it as in
/// objects::Maintenance. Throws what the work throws; kNotImplemented for a store elsewhere.
boost::json::object maintain(objects::Store& store, std::string_view work,
                             const std::filesystem::path& folder,
                             const objects::Progress& progress);

}  // namespace meesh::serve::s3
