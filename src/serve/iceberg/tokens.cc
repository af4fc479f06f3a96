// Bearer tokens: a session of the object store's access control in one word. Nothing is kept here.
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <array>

#include "base/text.h"
#include "net/aws_signature.h"
#include "serve/iceberg/call.h"

namespace meesh::serve::iceberg {
namespace {

constexpr auto kLifetime = std::chrono::hours(1);
constexpr size_t kMostForm = 64 << 10;
constexpr std::string_view kExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr std::string_view kAccessToken = "urn:ietf:params:oauth:token-type:access_token";

/// "<access key it was made for>.<seal>.<session's key>.<session's token>". The seal, by the secret
/// of the access key, says that it was made here: sessions of the object store, such as those that
/// the catalog vends for one table, are no tokens.
struct Token {
  std::string base_key, seal, session_key, session_token;
};

std::optional<Token> read_token(std::string_view text) {
  std::array<std::string, 4> parts;
  for (size_t n = 0; n < 3; ++n) {
    const size_t dot = text.find('.');
    if (dot == text.npos) return std::nullopt;
    parts[n] = text.substr(0, dot);
    text.remove_prefix(dot + 1);
  }
  parts[3] = text;
  return Token{parts[0], parts[1], parts[2], parts[3]};
}

std::string seal_of(const access::Credentials& base, const access::Credentials& session) {
  return base::to_hex(net::hmac_sha256(
      base.secret_key, fmt::format("meesh iceberg token\n{}\n{}\n{}", base.access_key,
                                   session.access_key, session.session_token)));
}

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool is_loopback(std::string_view name) {
  return name.starts_with("127.") || name == "::1" || name.starts_with("[::1]") ||
         name == "localhost" || name.starts_with("localhost:");
}

/// A program on this machine asks for itself: no page in a browser, nothing passed on by a proxy.
bool from_here(const net::Request& request) {
  for (const char* header : {"Origin", "Forwarded", "X-Forwarded-For"}) {
    if (request.headers.get(header)) return false;
  }
  return is_loopback(request.remote_address) &&
         is_loopback(request.headers.get("Host").value_or(""));
}

std::optional<access::Credentials> by_secret(const access::Access& access, const std::string& id,
                                             const std::string& secret) {
  auto found = access.credentials(id, "");
  // Compared also for unknown keys, so that they cannot be told from wrong secrets by the time.
  const bool right = equal(found ? found->secret_key : std::string(secret.size(), '\0'), secret);
  if (!found || !right) return std::nullopt;
  return found;
}

std::string_view bearer(const net::Request& request) {
  const std::string_view header = request.headers.get("Authorization").value_or("");
  constexpr std::string_view kScheme = "bearer ";
  const auto lower = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  };
  if (header.size() < kScheme.size() || !std::equal(kScheme.begin(), kScheme.end(), header.begin(),
                                                    [&](char b, char a) { return lower(a, b); })) {
    return {};
  }
  return header.substr(kScheme.size());
}

/// An OAuth error (RFC 6749, 5.2).
struct OAuthError {
  int status;
  const char* error;
  std::string description;
};

using Form = std::vector<std::pair<std::string, std::string>>;

std::string field(const Form& form, std::string_view name) {
  for (const auto& [key, value] : form) {
    if (key == name) return value;
  }
  return {};
}

access::Credentials client_of(const net::Request& request, const Form& form,
                              const access::Access& access) {
  std::string id = field(form, "client_id"), secret = field(form, "client_secret");
  const std::string_view header = request.headers.get("Authorization").value_or("");
  if (id.empty() && header.starts_with("Basic ")) {
    const std::string pair = base::from_base64(header.substr(6)).value_or("");
    const size_t colon = pair.find(':');
    id = pair.substr(0, colon);
    secret = colon == pair.npos ? "" : pair.substr(colon + 1);
  }
  auto found = by_secret(access, id, secret);
  if (!found) throw OAuthError{401, "invalid_client", "Credentials given were invalid"};
  return std::move(*found);
}

/// The key a token was made for, while both are valid.
std::optional<access::Credentials> base_of(std::string_view text, const access::Access& access) {
  const auto token = read_token(text);
  const auto session =
      token ? access.credentials(token->session_key, token->session_token) : std::nullopt;
  auto base = token ? access.credentials(token->base_key, "") : std::nullopt;
  if (!session || !base || !equal(seal_of(*base, *session), token->seal)) return std::nullopt;
  return base;
}

access::Credentials exchanged(const Form& form, const access::Access& access) {
  auto base = base_of(field(form, "subject_token"), access);
  if (!base) throw OAuthError{401, "invalid_grant", "the token is not valid (any more)"};
  return std::move(*base);
}

std::string grant(net::Request& request, const access::Access& access) {
  const auto form = net::parse_query(request.body(kMostForm));
  if (!form) throw OAuthError{400, "invalid_request", "the body is not a form"};
  const std::string kind = field(*form, "grant_type");
  if (kind != "client_credentials" && kind != kExchange) {
    throw OAuthError{
        400, "unsupported_grant_type",
        fmt::format("grant_type '{}' is not client_credentials or {}", kind, kExchange)};
  }
  const access::Credentials base =
      kind == kExchange ? exchanged(*form, access) : client_of(request, *form, access);
  const access::Credentials session = access.assume(base, kLifetime);
  const boost::json::object answer = {
      {"access_token", fmt::format("{}.{}.{}.{}", base.access_key, seal_of(base, session),
                                   session.access_key, session.session_token)},
      {"token_type", "bearer"},
      {"expires_in", std::chrono::seconds(kLifetime).count()},
      {"issued_token_type", boost::json::string(kAccessToken)}};
  return boost::json::serialize(answer);
}

}  // namespace

access::Credentials identify(const net::Request& request, const Service& service) {
  const std::string_view header = request.headers.get("Authorization").value_or("");
  // PyIceberg without credentials sends a token all the same: "None".
  if (header.empty() || header == "Bearer None") {
    auto root = from_here(request) ? service.access->credentials(service.root_access_key, "")
                                   : std::nullopt;
    if (!root) {
      throw net::HttpError(401,
                           "Not authorized: a bearer token of /iceberg/v1/oauth/tokens is needed",
                           Code::kPermissionDenied);
    }
    return std::move(*root);
  }
  auto found = base_of(bearer(request), *service.access);
  if (!found) {
    throw net::HttpError(401, "Not authorized: the token is not valid (any more)",
                         Code::kPermissionDenied);
  }
  return std::move(*found);
}

void oauth_tokens(net::Request& request, net::Response& response, const Service& service) {
  response.headers.set("Cache-Control", "no-store");
  try {
    response.json(grant(request, *service.access));
  } catch (const OAuthError& error) {
    response.status = error.status;
    response.json(boost::json::serialize(
        boost::json::object{{"error", error.error}, {"error_description", error.description}}));
  }
}

}  // namespace meesh::serve::iceberg
