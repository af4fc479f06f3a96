// The mesh's sign-in as it runs: who has passwords, tokens and sessions, the gate before the HTTP
// endpoint, and the token of the mesh's own programs.
#pragma once

#include <stop_token>
#include <string>

#include "access/sign_ins.h"
#include "app/object_service.h"
#include "app/server_token.h"
#include "engine/engine.h"
#include "mesh/mesh.h"
#include "meta/database.h"
#include "serve/api/gate.h"

namespace meesh::app {

/// Passwords, tokens and sessions of a mesh that runs or ran.
std::unique_ptr<access::SignIns> open_sign_ins(const mesh::Mesh& mesh, meta::Database& database,
                                               const access::Access& access);

class SignInService {
 public:
  /// All outlive this.
  SignInService(const mesh::Mesh& mesh, meta::Database& database, ObjectService& objects,
                engine::Engine& engine);

  /// For net::ServerOptions::before; this outlives the server.
  net::Guard guard();
  /// Adds sign-in and administration to a server that has not started.
  void serve(net::Server& server);
  /// `engine` for clients' protocols: users of a closed mesh who may only look change nothing.
  /// Once; `engine` outlives this.
  engine::Engine& guarded(engine::Engine& engine);
  /// The server listens there: commands on this machine may find the token.
  void listening(int port);
  /// Sends away who follows the log.
  void stop() { stopping_.request_stop(); }

  serve::api::Gate& gate() { return gate_; }
  access::SignIns& sign_ins() { return *sign_ins_; }
  /// Of the programs that the mesh starts itself; another one each time.
  const std::string& token() const { return gate_.options().local_token; }

 private:
  const mesh::Mesh& mesh_;
  ObjectService& objects_;
  engine::Engine& engine_;
  const std::unique_ptr<access::SignIns> sign_ins_;
  serve::api::Gate gate_;
  std::unique_ptr<engine::Engine> guarded_;
  std::stop_source stopping_;
  TokenFile file_;
};

}  // namespace meesh::app
