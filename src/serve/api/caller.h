// Who asks, as the server's guard found out (net::Request::user and role), and what that allows.
#pragma once

#include <fmt/format.h>

#include "net/http.h"

namespace meesh::serve::api {

/// Ordered: each may do what those before it may. A viewer looks, an editor changes what is in the
/// mesh (statements, dashboards, tags, runs), an administrator users, keys and settings.
enum class Role { kViewer, kEditor, kAdministrator };

inline Role role_of(const net::Request& request) {
  if (request.role == "administrator") return Role::kAdministrator;
  return request.role == "viewer" ? Role::kViewer : Role::kEditor;
}

/// Throws PERMISSION_DENIED (403).
inline void need(const net::Request& request, Role role) {
  if (role_of(request) >= role) return;
  throw Error(Code::kPermissionDenied,
              fmt::format("'{}' may not do this: it takes {}", request.user,
                          role == Role::kEditor ? "an editor" : "an administrator"));
}

}  // namespace meesh::serve::api
