// What administrators see and change, under /api/v1/admin: users, their keys and passwords,
// policies, the audit trail, statements, the mesh's settings, the log. Statements and the own
// password (/api/v1/account) are everybody's.
#pragma once

#include <stop_token>

#include "access/access.h"
#include "engine/engine.h"
#include "mesh/mesh.h"
#include "net/http.h"
#include "serve/api/gate.h"

namespace meesh::serve::api {

/// All outlive the server.
struct AdminParts {
  Gate* gate = nullptr;
  access::Access* access = nullptr;
  engine::Engine* engine = nullptr;
  const mesh::Mesh* mesh = nullptr;
  /// Whoever follows the log is sent away when it is requested.
  std::stop_token stopping;
};

void register_admin(net::Server& server, const AdminParts& parts);

// The parts of it.
void register_admin_users(net::Server& server, const AdminParts& parts);
void register_admin_policies(net::Server& server, const AdminParts& parts);
void register_admin_mesh(net::Server& server, const AdminParts& parts);

}  // namespace meesh::serve::api
