#include "app/sign_in_service.h"

#include "access/sealing.h"
#include "base/log.h"
#include "base/text.h"
#include "net/coding.h"
#include "serve/api/admin.h"
#include "serve/api/openapi.h"
#include "serve/api/sign_in.h"
#include "serve/api/viewer_engine.h"
#include "serve/console/console.h"

namespace meesh::app {
namespace {

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

serve::api::GateOptions gate_options(const mesh::Mesh& mesh, access::SignIns& sign_ins,
                                     ObjectService& objects, engine::Engine& engine) {
  serve::api::GateOptions options;
  options.sign_ins = &sign_ins;
  options.access = &objects.access();
  options.loopback = is_loopback(mesh.listen.address);
  options.local_token =
      std::string(access::kTokenPrefix) + "local_" + base::to_base64url(access::random_bytes(32));
  options.token_file = mesh.data / "token";
  options.owner_of_query = [&engine](const std::string& id) -> std::optional<std::string> {
    const auto query = engine.find(id);
    return query ? std::optional(query->info().user) : std::nullopt;
  };
  options.mesh = mesh.name;
  options.version = MEESH_VERSION;
  options.language = mesh.language;
  return options;
}

/// As the console's build left it; "" in a program that was built without the console.
std::string api_document() {
  constexpr size_t kMost = 16 << 20;
  const auto& files = serve::console::built_in_pack().files();
  const auto found = files.find("/openapi.json");
  if (found == files.end()) return "";
  const auto& file = found->second;
  return file.gzip ? net::decode(net::Coding::kGzip, file.bytes, kMost) : std::string(file.bytes);
}

}  // namespace

std::unique_ptr<access::SignIns> open_sign_ins(const mesh::Mesh& mesh, meta::Database& database,
                                               const access::Access& access) {
  access::SignInOptions options;
  options.database = &database;
  options.access = &access;
  options.root_access_key = root_keys(mesh).access_key;
  return std::make_unique<access::SignIns>(std::move(options));
}

SignInService::SignInService(const mesh::Mesh& mesh, meta::Database& database,
                             ObjectService& objects, engine::Engine& engine)
    : mesh_(mesh),
      objects_(objects),
      engine_(engine),
      sign_ins_(open_sign_ins(mesh, database, objects.access())),
      gate_(gate_options(mesh, *sign_ins_, objects, engine)),
      file_(mesh.data / "token") {
  if (!gate_.options().loopback && !mesh.tls)
    log::warn(
        "passwords and tokens travel unencrypted: give the mesh a certificate (tls) or put "
        "it behind a proxy that has one",
        {{"address", mesh.listen.address}});
}

net::Guard SignInService::guard() {
  return [this](net::Request& request, net::Response& response) {
    return gate_.admit(request, response);
  };
}

void SignInService::serve(net::Server& server) {
  serve::api::register_sign_in(server, gate_);
  serve::api::AdminParts parts;
  parts.gate = &gate_;
  parts.access = &objects_.access();
  parts.engine = &engine_;
  parts.mesh = &mesh_;
  parts.stopping = stopping_.get_token();
  serve::api::register_admin(server, parts);
  if (auto document = api_document(); !document.empty())
    serve::api::register_openapi(server, std::move(document));
}

engine::Engine& SignInService::guarded(engine::Engine& engine) {
  guarded_ = serve::api::guard_viewers(engine, [this](const std::string& user) {
    if (gate_.open()) return false;
    const auto account = sign_ins_->account(user);
    return account && account->role == access::AccountRole::kViewer;
  });
  return *guarded_;
}

void SignInService::listening(int port) { file_.write(port, token()); }

}  // namespace meesh::app
