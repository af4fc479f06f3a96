#include "serve/api/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "access/sealing.h"
#include "base/text.h"
#include "serve/api/caller.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

using access::Account;
using net::HttpError;
using net::Request;
using net::Response;

constexpr std::string_view kAdministrator = "administrator";

bool under(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool reads(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

/// What only somebody known may have; the rest is the console's own files.
bool guarded_path(std::string_view path) {
  return std::ranges::any_of(std::array{"/api", "/v1", "/metrics", "/dbt"},
                             [&](std::string_view folder) { return under(path, folder); });
}

/// What it tells or takes is nobody's secret, or it has keys of its own.
bool public_path(const Request& request) {
  const std::string_view path = request.path;
  if (path == "/api/v1/session" || under(path, "/api/v1/shares")) return true;
  if (!reads(request)) return false;
  return path == "/api/v1/health" || path == "/api/v1/openapi.json" || under(path, "/v1/info") ||
         under(path, "/v1/spooled") || (request.method == "HEAD" && path == "/v1/status");
}

bool loopback_name(std::string_view authority) {
  std::string_view name = authority;
  if (name.starts_with('[')) {
    name = name.substr(0, name.find(']') + 1);
  } else {
    name = name.substr(0, name.find(':'));
  }
  const bool digits =
      std::ranges::all_of(name, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return name == "localhost" || name.ends_with(".localhost") || name == "[::1]" ||
         (name.starts_with("127.") && digits);
}

bool from_this_machine(const Request& request) {
  const std::string_view address = request.remote_address;
  const bool near = address.starts_with("127.") || address == "::1" ||
                    address.starts_with("[::1]") || address.starts_with("::ffff:127.");
  return near && !request.headers.get("Forwarded") && !request.headers.get("X-Forwarded-For") &&
         loopback_name(request.headers.get("Host").value_or(""));
}

bool browser(const Request& request) {
  return request.headers.get("User-Agent").value_or("").starts_with("Mozilla/") ||
         request.headers.get("Origin") || request.headers.get("Sec-Fetch-Site");
}

/// Subjects whose handlers ask nobody for a role: who may only look changes nothing there.
bool changes_the_mesh(const Request& request) {
  constexpr std::array kSubjects{"pipelines", "runs",   "backfills", "streams",
                                 "data-lake", "ingest", "quality",   "lineage"};
  return !reads(request) && std::ranges::any_of(kSubjects, [&](const char* subject) {
    return under(request.path, fmt::format("/api/v1/{}", subject));
  });
}

/// A person typed the address or followed a link.
bool navigation(const Request& request) {
  return request.method == "GET" && browser(request) &&
         request.headers.get("Accept").value_or("").find("text/html") != std::string_view::npos;
}

/// What follows the scheme, whose letters' case does not matter; nothing for another one.
std::optional<std::string_view> credential(std::string_view header, std::string_view scheme) {
  const bool same =
      header.size() > scheme.size() && header[scheme.size()] == ' ' &&
      std::equal(scheme.begin(), scheme.end(), header.begin(), [](char wanted, char given) {
        return wanted == std::tolower(static_cast<unsigned char>(given));
      });
  if (!same) return std::nullopt;
  header.remove_prefix(scheme.size() + 1);
  return header;
}

HttpError wrong_credentials() {
  return HttpError(401, "the name or the password is wrong", Code::kPermissionDenied);
}

}  // namespace

bool Gate::open() const { return options_.loopback && !options_.sign_ins->any_password(); }

bool Gate::admit(Request& request, Response& response) {
  if (under(request.path, "/api")) {
    response.headers.set("Cache-Control", "no-store");
    response.headers.set("X-Content-Type-Options", "nosniff");
    response.headers.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  }
  try {
    check(request, response);
    return true;
  } catch (const Error& error) {
    refuse(request, response, error);
    return false;
  }
}

void Gate::check(Request& request, Response&) {
  if (under(request.path, "/iceberg")) return check_iceberg(request);
  if (!guarded_path(request.path)) return;
  check_browser(request);
  if (open()) {
    request.user = "local";
    request.role = kAdministrator;
    return;
  }
  const bool anyone = public_path(request);
  request.role = "viewer";
  const auto caller = identify(request);
  if (!caller && !anyone) {
    auto error = HttpError(401, "sign in first", Code::kPermissionDenied);
    if (!options_.sign_ins->any_password())
      error.with_hint(
          "nobody has a password yet: on the server, meesh access add NAME --policy consoleAdmin "
          "and meesh access password NAME; or sign in as root with the administrator's secret key");
    throw error;
  }
  if (!caller) return;
  request.user = caller->user;
  request.role = caller->role;
  if (caller->by_cookie && !reads(request) && !anyone) check_csrf(request, session_id(request));
  if (changes_the_mesh(request)) need(request, Role::kEditor);
  if (request.method == "POST" && request.path == "/v1/statement") check_statement(request);
  if (under(request.path, "/v1/query")) check_query(request);
  // Trino's endpoint knows no passwords; who asks is found out.
  if (under(request.path, "/v1")) request.headers.remove("Authorization");
}

/// What browsers send for pages of other sites.
void Gate::check_browser(const Request& request) const {
  const bool elsewhere = from_elsewhere(request);
  if (elsewhere && !reads(request))
    throw HttpError(403, "a page of another site may not change anything here",
                    Code::kPermissionDenied);
  if (elsewhere && request.headers.get("Sec-Fetch-Mode").value_or("navigate") != "navigate")
    throw HttpError(403, "a page of another site may not read anything here",
                    Code::kPermissionDenied);
  // A name of another site may be made to lead here.
  if (browser(request) && open() && !loopback_name(request.headers.get("Host").value_or(""))) {
    auto error = HttpError(403, "an open mesh answers browsers under the name localhost alone",
                           Code::kPermissionDenied);
    error.with_hint("give a user a password (meesh access password NAME) to use other names");
    throw error;
  }
}

std::optional<Gate::Caller> Gate::identify(const Request& request) {
  const auto caller = [](const Account& account) {
    return Caller{account.user, std::string(access::role_name(account.role)), false};
  };
  if (const auto header = request.headers.get("Authorization")) {
    if (const auto token = credential(*header, "bearer")) {
      if (!options_.local_token.empty() && access::same_secret(*token, options_.local_token))
        return Caller{"meesh", std::string(kAdministrator), false};
      if (const auto account = options_.sign_ins->check_token(std::string(*token)))
        return caller(*account);
      throw HttpError(401, "the token is not valid (any more)", Code::kPermissionDenied);
    }
    if (const auto pair = credential(*header, "basic")) {
      const std::string text = base::from_base64(*pair).value_or("");
      const size_t colon = text.find(':');
      if (colon == std::string::npos || colon + 1 == text.size()) throw wrong_credentials();
      const auto account = sign_in(request, text.substr(0, colon), text.substr(colon + 1));
      if (!account) throw wrong_credentials();
      return caller(*account);
    }
    throw HttpError(401, "Authorization is neither Bearer nor Basic", Code::kPermissionDenied);
  }
  const auto session = options_.sign_ins->session(session_id(request));
  const auto account = session ? options_.sign_ins->account(session->user) : std::nullopt;
  if (!account) return std::nullopt;
  Caller found = caller(*account);
  found.by_cookie = true;
  return found;
}

std::optional<Account> Gate::sign_in(const Request& request, const std::string& user,
                                     const std::string& password) {
  const auto wait = throttle_.wait(user, request.remote_address);
  if (wait.count() > 0) {
    auto error =
        HttpError(429, fmt::format("too many wrong passwords: try again in {} s", wait.count()),
                  Code::kPermissionDenied);
    throw error;
  }
  auto account = options_.sign_ins->check_password(user, password);
  if (account) {
    throttle_.succeeded(user, request.remote_address);
    return account;
  }
  throttle_.failed(user, request.remote_address);
  access::AuditEvent event;
  event.user = user.substr(0, 64);
  event.request_id = request.id;
  event.remote_address = request.remote_address;
  event.action = "console:SignIn";
  event.outcome = "denied";
  event.status = 401;
  event.reason = "wrong name or password";
  options_.access->audit(std::move(event));
  return std::nullopt;
}

std::string Gate::session_id(const Request& request) {
  for (const std::string_view header : request.headers.all("Cookie")) {
    for (size_t at = 0; at < header.size();) {
      const size_t end = std::min(header.find(';', at), header.size());
      std::string_view one = header.substr(at, end - at);
      one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
      at = end + 1;
      if (one.size() > kCookie.size() && one.starts_with(kCookie) && one[kCookie.size()] == '=')
        return std::string(one.substr(kCookie.size() + 1));
    }
  }
  return "";
}

void Gate::check_csrf(const Request& request, const std::string& session_id) const {
  const auto session = options_.sign_ins->session(session_id);
  const auto given = request.headers.get(kCsrfHeader);
  if (session && given && access::same_secret(*given, session->csrf)) return;
  HttpError error(403,
                  given ? "the header X-Meesh-Csrf is not this session's"
                        : "the header X-Meesh-Csrf is missing",
                  Code::kPermissionDenied);
  error.with_hint("GET /api/v1/session tells it; programs use a token instead of a cookie");
  throw error;
}

/// The statement's user is the one who is signed in; an administrator may name another.
void Gate::check_statement(Request& request) const {
  const std::string_view named = request.headers.get("X-Trino-User").value_or("");
  if (request.role == kAdministrator && !named.empty()) return;
  if (!named.empty() && named != request.user)
    throw HttpError(403, fmt::format("User {} cannot impersonate user {}", request.user, named),
                    Code::kPermissionDenied);
  request.headers.set("X-Trino-User", request.user);
  request.headers.remove("X-Trino-Original-User");
}

/// Statements of others are an administrator's business.
void Gate::check_query(const Request& request) const {
  if (request.role == kAdministrator) return;
  constexpr std::string_view kFolder = "/v1/query/";
  if (!request.path.starts_with(kFolder))
    throw HttpError(403, "the statements of all are for administrators", Code::kPermissionDenied);
  const std::string rest = request.path.substr(kFolder.size());
  const auto owner = options_.owner_of_query(rest.substr(0, rest.find('/')));
  if (owner != request.user) throw HttpError(410, "Query not found", Code::kNotFound);
}

/// The Iceberg catalog has tokens of its own; in an open mesh it also takes who comes without from
/// this machine, which is over when the mesh is closed.
void Gate::check_iceberg(Request& request) {
  const std::string_view header = request.headers.get("Authorization").value_or("");
  const bool none = header.empty() || header == "Bearer None";
  const bool ours = header.find(access::kTokenPrefix) != std::string_view::npos;
  if (request.path.ends_with("/oauth/tokens") || (!none && !ours) || open()) return;
  const auto caller = ours ? identify(request) : std::nullopt;
  if (caller && caller->role == kAdministrator && from_this_machine(request)) {
    request.headers.remove("Authorization");
    return;
  }
  throw HttpError(401, "Not authorized: a bearer token of /iceberg/v1/oauth/tokens is needed",
                  Code::kPermissionDenied);
}

void Gate::refuse(const Request& request, Response& response, const Error& error) const {
  auto problem = problem_json(error);
  const auto status = static_cast<int>(problem.at("status").as_int64());
  if (status == 401 && navigation(request)) {
    response.headers.set("Location", "/sign-in?to=" + net::percent_encode(request.target));
    return response.empty(302);
  }
  if (status == 401) {
    // A browser would ask for name and password itself, where the console has its own page.
    response.headers.set("WWW-Authenticate",
                         browser(request) ? "Bearer realm=\"meesh\"" : "Basic realm=\"meesh\"");
    if (from_this_machine(request) && !options_.token_file.empty())
      response.headers.set(std::string(kTokenFileHeader), options_.token_file);
    problem["mesh"] = options_.mesh;
    problem["version"] = options_.version;
    problem["language"] = options_.language;
  }
  if (under(request.path, "/v1")) {
    response.status = status;
    return response.text(error.what());
  }
  if (under(request.path, "/iceberg")) {
    response.status = status;
    return answer(response, boost::json::object{
                                {"error", boost::json::object{{"message", error.message()},
                                                              {"type", "NotAuthorizedException"},
                                                              {"code", status}}}});
  }
  answer_problem(response, problem);
}

void Gate::audit(const Request& request, std::string_view action, std::string resource,
                 bool allowed, std::string reason) const {
  access::AuditEvent event;
  event.user = request.user;
  event.request_id = request.id;
  event.remote_address = request.remote_address;
  event.action = fmt::format("console:{}", action);
  event.resource = std::move(resource);
  event.outcome = allowed ? "allowed" : "denied";
  event.reason = std::move(reason);
  options_.access->audit(std::move(event));
}

}  // namespace meesh::serve::api
