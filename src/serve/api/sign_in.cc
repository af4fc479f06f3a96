#include "serve/api/sign_in.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using net::Request;
using net::Response;

constexpr int64_t kMostDays = 3650;

json::object session_json(const Gate& gate, const std::string& user, const std::string& role,
                          const std::string& csrf) {
  json::object told{{"user", user},
                    {"role", role},
                    {"mode", gate.open() ? "open" : "closed"},
                    {"mesh", gate.options().mesh},
                    {"version", gate.options().version},
                    {"language", gate.options().language}};
  if (!csrf.empty()) told["csrf"] = csrf;
  return told;
}

void show(const Gate& gate, const Request& request, Response& response) {
  if (request.user.empty()) {
    net::HttpError error(401, "nobody is signed in", Code::kPermissionDenied);
    json::object problem = problem_json(error);
    problem["mesh"] = gate.options().mesh;
    problem["version"] = gate.options().version;
    problem["language"] = gate.options().language;
    return answer_problem(response, problem);
  }
  const auto session = gate.options().sign_ins->session(Gate::session_id(request));
  const bool own = session && session->user == request.user && !gate.open();
  answer(response, session_json(gate, request.user, request.role, own ? session->csrf : ""));
}

std::string cookie(const Request& request, const std::string& id, int64_t seconds) {
  // What a proxy says of the way to it can only make the cookie stricter.
  const bool tls = request.tls || request.headers.get("X-Forwarded-Proto").value_or("") == "https";
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}", kCookie, id, seconds,
                     tls ? "; Secure" : "");
}

void sign_in(Gate& gate, Request& request, Response& response) {
  const json::object body = body_of(request);
  const std::string user = needed_text(body, "user"), password = needed_text(body, "password");
  if (gate.open())
    throw net::HttpError(409, "the mesh is open: nobody has to sign in", Code::kNotSupported);
  const auto account = gate.sign_in(request, user, password);
  if (!account)
    throw net::HttpError(401, "the name or the password is wrong", Code::kPermissionDenied);
  auto& sign_ins = *gate.options().sign_ins;
  // The session there was ends: an id from before the sign-in is worth nothing after it.
  if (const auto before = Gate::session_id(request); sign_ins.session(before))
    sign_ins.close_session(before);
  const auto made = sign_ins.open_session(account->user);
  request.user = account->user;
  gate.audit(request, "SignIn", "", true);
  const int64_t seconds = (made.session.expires_ms - made.session.created_ms) / 1000;
  response.headers.add("Set-Cookie", cookie(request, made.id, seconds));
  answer(response, session_json(gate, account->user, std::string(access::role_name(account->role)),
                                made.session.csrf));
}

void sign_out(Gate& gate, const Request& request, Response& response) {
  const std::string id = Gate::session_id(request);
  if (!gate.open() && gate.options().sign_ins->session(id)) {
    gate.check_csrf(request, id);
    gate.options().sign_ins->close_session(id);
    gate.audit(request, "SignOut", "", true);
  }
  response.headers.add("Set-Cookie", cookie(request, "", 0));
  response.empty(204);
}

json::object token_json(const access::Token& token) {
  json::object told{{"id", token.id}, {"name", token.name}, {"created_ms", token.created_ms}};
  if (token.expires_ms > 0) told["expires_ms"] = token.expires_ms;
  return told;
}

/// Tokens belong to accounts: neither `local` of an open mesh nor `meesh` has any.
void need_account(const Gate& gate, const Request& request) {
  if (gate.options().sign_ins->account(request.user)) return;
  net::HttpError error(409, fmt::format("'{}' is no user who could have tokens", request.user),
                       Code::kNotSupported);
  error.with_hint("an open mesh needs none; meesh access token NAME makes one for a user");
  throw error;
}

void list_tokens(const Gate& gate, const Request& request, Response& response) {
  json::array all;
  for (const auto& token : gate.options().sign_ins->tokens(request.user))
    all.push_back(token_json(token));
  answer(response, json::object{{"tokens", std::move(all)}});
}

void create_token(const Gate& gate, Request& request, Response& response) {
  const json::object body = body_of(request);
  need_account(gate, request);
  const int64_t days = number(body, "days", 0, kMostDays);
  const auto made = gate.options().sign_ins->create_token(request.user, needed_text(body, "name"),
                                                          std::chrono::days(days));
  gate.audit(request, "CreateToken", made.token.id, true);
  json::object told = token_json(made.token);
  told["token"] = made.secret;
  response.status = 201;
  answer(response, told);
}

void revoke_token(const Gate& gate, const Request& request, Response& response) {
  const std::string id(request.param("id"));
  gate.options().sign_ins->revoke_token(request.user, id);
  gate.audit(request, "RevokeToken", id, true);
  response.empty(204);
}

}  // namespace

void register_sign_in(net::Server& server, Gate& gate) {
  const auto route = [&](const char* method, const char* path, auto handler) {
    server.route(method, path, guarded([&gate, handler](Request& request, Response& response) {
                   handler(gate, request, response);
                 }),
                 {.max_body_bytes = 64 << 10, .compress = false});
  };
  route("GET", "/api/v1/session", show);
  route("POST", "/api/v1/session", sign_in);
  route("DELETE", "/api/v1/session", sign_out);
  route("GET", "/api/v1/tokens", list_tokens);
  route("POST", "/api/v1/tokens", create_token);
  route("DELETE", "/api/v1/tokens/{id}", revoke_token);
}

}  // namespace meesh::serve::api
