#include "serve/api/admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "access/directory.h"
#include "access/passwords.h"
#include "serve/api/caller.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using access::Access;
using access::SignIns;
using access::User;
using net::Request;
using net::Response;

SignIns& sign_ins(const AdminParts& parts) { return *parts.gate->options().sign_ins; }

json::array list_of(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

json::object user_json(const AdminParts& parts, const User& user) {
  const auto account = sign_ins(parts).account(user.name);
  return {{"name", user.name},
          {"domain", user.domain},
          {"enabled", user.enabled},
          {"role", access::role_name(access::role_of(user))},
          {"has_password", account && account->has_password},
          {"policies", list_of(user.policies)},
          {"access_keys", list_of(user.access_keys)},
          {"created_ms", user.created.time_since_epoch().count()}};
}

User user_of(const AdminParts& parts, const std::string& name) {
  for (auto& user : parts.access->users())
    if (user.name == name) return user;
  throw Error(Code::kNotFound, fmt::format("there is no user '{}'", name));
}

std::string name_of(const Request& request) { return std::string(request.param("name")); }

void tell_user(const AdminParts& parts, const std::string& name, Response& response) {
  answer(response, user_json(parts, user_of(parts, name)));
}

void list_users(const AdminParts& parts, Request&, Response& response) {
  auto users = parts.access->users();
  std::ranges::sort(users, {}, &User::name);
  json::array all;
  for (const auto& user : users) all.push_back(user_json(parts, user));
  answer(response, json::object{{"users", std::move(all)}});
}

/// 409 unless somebody else than `user` could still administer the closed mesh with a password.
void keep_an_administrator(const AdminParts& parts, const std::string& user) {
  if (!sign_ins(parts).any_password()) return;
  const auto all = sign_ins(parts).administrators();
  const bool counts = std::ranges::count(all, user) > 0;
  if (!counts || all.size() > 1) return;
  net::HttpError error(
      409, fmt::format("'{}' is the last administrator who can sign in with a password", user),
      Code::kConstraintViolation);
  error.with_hint("give another user the policy consoleAdmin and a password first");
  throw error;
}

/// The first password closes the mesh: it must be one that opens everything.
void check_first_password(const AdminParts& parts, const User& user) {
  if (!parts.gate->open()) return;
  if (user.enabled && access::role_of(user) == access::AccountRole::kAdministrator) return;
  net::HttpError error(409, "the first user with a password must be an administrator",
                       Code::kConstraintViolation);
  error.with_hint("it closes the mesh for all who do not sign in: attach consoleAdmin first");
  throw error;
}

void audit(const AdminParts& parts, const Request& request, std::string_view action,
           const std::string& about) {
  parts.gate->audit(request, action, about, true);
}

void create_user(const AdminParts& parts, Request& request, Response& response) {
  const json::object body = body_of(request);
  const std::string name = needed_text(body, "name"), password = text(body, "password");
  const auto policies = texts(body, "policies");
  const auto known = parts.access->policies();
  for (const auto& policy : policies)
    if (!known.contains(policy))
      throw Error(Code::kNotFound, fmt::format("there is no policy '{}'", policy));
  if (!password.empty()) {
    access::check_new_password(name, password);
    User made;
    made.policies = policies;
    check_first_password(parts, made);
  }
  parts.access->create_user(name, text(body, "domain"));
  for (const auto& policy : policies) parts.access->attach_policy(name, policy, true);
  sign_ins(parts).users_changed();
  if (!password.empty()) sign_ins(parts).set_password(name, password);
  audit(parts, request, "CreateUser", name);
  response.status = 201;
  tell_user(parts, name, response);
}

void delete_user(const AdminParts& parts, Request& request, Response& response) {
  const std::string name = name_of(request);
  user_of(parts, name);
  keep_an_administrator(parts, name);
  parts.access->delete_user(name);
  sign_ins(parts).users_changed();
  audit(parts, request, "DeleteUser", name);
  response.empty(204);
}

void enable_user(const AdminParts& parts, Request& request, Response& response, bool enabled) {
  const std::string name = name_of(request);
  user_of(parts, name);
  if (!enabled) keep_an_administrator(parts, name);
  parts.access->enable_user(name, enabled);
  sign_ins(parts).users_changed();
  audit(parts, request, enabled ? "EnableUser" : "DisableUser", name);
  tell_user(parts, name, response);
}

void set_password(const AdminParts& parts, Request& request, Response& response) {
  const json::object body = body_of(request);
  const User user = user_of(parts, name_of(request));
  const std::string password = needed_text(body, "password");
  access::check_new_password(user.name, password);
  check_first_password(parts, user);
  sign_ins(parts).set_password(user.name, password,
                               user.name == request.user ? Gate::session_id(request) : "");
  audit(parts, request, "SetPassword", user.name);
  tell_user(parts, user.name, response);
}

void remove_password(const AdminParts& parts, Request& request, Response& response) {
  const std::string name = name_of(request);
  user_of(parts, name);
  keep_an_administrator(parts, name);
  sign_ins(parts).remove_password(name);
  audit(parts, request, "RemovePassword", name);
  tell_user(parts, name, response);
}

void attach(const AdminParts& parts, Request& request, Response& response, bool attached) {
  const std::string name = name_of(request), policy(request.param("policy"));
  const User user = user_of(parts, name);
  if (attached && !parts.access->policies().contains(policy))
    throw Error(Code::kNotFound, fmt::format("there is no policy '{}'", policy));
  if (!attached && std::ranges::count(user.policies, policy) == 0)
    throw Error(Code::kNotFound, fmt::format("'{}' does not have the policy '{}'", name, policy));
  if (!attached && policy == "consoleAdmin") keep_an_administrator(parts, name);
  parts.access->attach_policy(name, policy, attached);
  sign_ins(parts).users_changed();
  audit(parts, request, attached ? "AttachPolicy" : "DetachPolicy", name + " " + policy);
  tell_user(parts, name, response);
}

void create_key(const AdminParts& parts, Request& request, Response& response) {
  const std::string name = name_of(request);
  user_of(parts, name);
  const auto key = parts.access->create_key(name);
  audit(parts, request, "CreateKey", name + " " + key.access_key);
  response.status = 201;
  answer(response, json::object{{"access_key", key.access_key}, {"secret_key", key.secret_key}});
}

void delete_key(const AdminParts& parts, Request& request, Response& response) {
  const std::string name = name_of(request), key(request.param("key"));
  const User user = user_of(parts, name);
  if (std::ranges::count(user.access_keys, key) == 0)
    throw Error(Code::kNotFound, fmt::format("'{}' has no key '{}'", name, key));
  parts.access->delete_key(key);
  audit(parts, request, "DeleteKey", name + " " + key);
  response.empty(204);
}

/// The own one, for which the one before must be known.
void change_password(const AdminParts& parts, Request& request, Response& response) {
  const json::object body = body_of(request);
  const std::string current = needed_text(body, "current"), wanted = needed_text(body, "password");
  const auto account = sign_ins(parts).account(request.user);
  if (!account || request.user == "root")
    throw net::HttpError(409, fmt::format("'{}' has no password here", request.user),
                         Code::kNotSupported);
  if (!parts.gate->sign_in(request, request.user, current))
    throw net::HttpError(403, "the current password is wrong", Code::kPermissionDenied);
  sign_ins(parts).set_password(request.user, wanted, Gate::session_id(request));
  audit(parts, request, "SetPassword", request.user);
  response.empty(204);
}

json::object policy_json(const std::string& name, const std::string& document,
                         const std::vector<User>& users) {
  json::array attached;
  for (const auto& user : users)
    if (std::ranges::count(user.policies, name) > 0) attached.emplace_back(user.name);
  return {{"name", name},
          {"built_in", access::built_in_policies().contains(name)},
          {"document", json::parse(document)},
          {"users", std::move(attached)}};
}

void list_policies(const AdminParts& parts, Request&, Response& response) {
  const auto users = parts.access->users();
  json::array all;
  for (const auto& [name, document] : parts.access->policies())
    all.push_back(policy_json(name, document, users));
  answer(response, json::object{{"policies", std::move(all)}});
}

void show_policy(const AdminParts& parts, const std::string& name, Response& response) {
  const auto all = parts.access->policies();
  const auto found = all.find(name);
  if (found == all.end())
    throw Error(Code::kNotFound, fmt::format("there is no policy '{}'", name));
  answer(response, policy_json(name, found->second, parts.access->users()));
}

void put_policy(const AdminParts& parts, Request& request, Response& response) {
  const json::object body = body_of(request);
  const auto* document = body.if_contains("document");
  if (!document || !document->is_object())
    throw Error(Code::kBadRequest, "'document' is missing or no object");
  const std::string name = name_of(request);
  if (access::built_in_policies().contains(name))
    throw net::HttpError(409, fmt::format("the policy '{}' is built in", name),
                         Code::kAlreadyExists);
  parts.access->put_policy(name, json::serialize(*document));
  sign_ins(parts).users_changed();
  audit(parts, request, "PutPolicy", name);
  show_policy(parts, name, response);
}

void delete_policy(const AdminParts& parts, Request& request, Response& response) {
  const std::string name = name_of(request);
  if (!parts.access->policies().contains(name))
    throw Error(Code::kNotFound, fmt::format("there is no policy '{}'", name));
  try {
    parts.access->delete_policy(name);
  } catch (const Error& error) {
    throw net::HttpError(409, error.message(), error.code());  // built in, or attached
  }
  audit(parts, request, "DeletePolicy", name);
  response.empty(204);
}

/// Adds routes whose handlers are an administrator's alone.
auto adding_to(net::Server& server, const AdminParts& parts) {
  return [&server, parts](const char* method, const std::string& path, auto handler) {
    server.route(method, "/api/v1/admin" + path,
                 guarded([parts, handler](Request& request, Response& response) {
                   need(request, Role::kAdministrator);
                   handler(parts, request, response);
                 }),
                 {.max_body_bytes = kMostBody, .compress = true});
  };
}

}  // namespace

void register_admin_users(net::Server& server, const AdminParts& parts) {
  const auto add = adding_to(server, parts);
  add("GET", "/users", list_users);
  add("POST", "/users", create_user);
  add("GET", "/users/{name}",
      [](const AdminParts& p, Request& q, Response& r) { tell_user(p, name_of(q), r); });
  add("DELETE", "/users/{name}", delete_user);
  add("POST", "/users/{name}/enable",
      [](const AdminParts& p, Request& q, Response& r) { enable_user(p, q, r, true); });
  add("POST", "/users/{name}/disable",
      [](const AdminParts& p, Request& q, Response& r) { enable_user(p, q, r, false); });
  add("PUT", "/users/{name}/password", set_password);
  add("DELETE", "/users/{name}/password", remove_password);
  add("PUT", "/users/{name}/policies/{policy}",
      [](const AdminParts& p, Request& q, Response& r) { attach(p, q, r, true); });
  add("DELETE", "/users/{name}/policies/{policy}",
      [](const AdminParts& p, Request& q, Response& r) { attach(p, q, r, false); });
  add("POST", "/users/{name}/keys", create_key);
  add("DELETE", "/users/{name}/keys/{key}", delete_key);
  server.route("PUT", "/api/v1/account/password",
               guarded([parts](Request& request, Response& response) {
                 change_password(parts, request, response);
               }));
}

void register_admin_policies(net::Server& server, const AdminParts& parts) {
  const auto add = adding_to(server, parts);
  add("GET", "/policies", list_policies);
  add("GET", "/policies/{name}",
      [](const AdminParts& p, Request& q, Response& r) { show_policy(p, name_of(q), r); });
  add("PUT", "/policies/{name}", put_policy);
  add("DELETE", "/policies/{name}", delete_policy);
}

void register_admin(net::Server& server, const AdminParts& parts) {
  register_admin_users(server, parts);
  register_admin_policies(server, parts);
  register_admin_mesh(server, parts);
}

}  // namespace meesh::serve::api
