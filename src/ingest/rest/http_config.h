// What a source's file says of HTTP: address, headers, who asks, how fast, how patiently. Sources
// of kind rest and files at https:// share it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ingest/kinds.h"
#include "ingest/rest/url.h"

namespace meesh::ingest {

struct HttpAuth {
  enum class Kind { kNone, kApiKey, kBearer, kBasic, kClientCredentials, kRefreshToken };
  Kind kind = Kind::kNone;
  // kApiKey: a header or a parameter of this name. kBearer: the token.
  bool in_query = false;
  std::string name, secret;
  std::string user, password;  // kBasic
  // OAuth 2.0, RFC 6749:
  std::string token_url, client_id, client_secret, refresh_token, scope;
  bool client_in_header = false;  // client_id and client_secret by Basic, not in the form
  std::vector<std::pair<std::string, std::string>> more;  // further fields of the form
};

struct Retries {
  int most = 5;                                 // after the first try
  std::chrono::milliseconds first{1000};        // doubled each time
  std::chrono::milliseconds longest{60'000};    // of the doubled ones
  std::chrono::milliseconds patience{600'000};  // the longest wait a server may ask for
};

class Pace;
class Tokens;

/// Copies share the pace and the tokens.
struct HttpConfig {
  Url base;  // without / at its end
  std::vector<std::pair<std::string, std::string>> headers;
  HttpAuth auth;
  Retries retries;
  std::chrono::milliseconds timeout{60'000};  // connecting; each wait for bytes
  std::string ca_file;                        // PEM; "" = the system's
  /// What must not be shown: values of ${NAME}s and everything of `auth`.
  std::vector<std::string> secrets;
  std::shared_ptr<Pace> pace;      // never null
  std::shared_ptr<Tokens> tokens;  // of OAuth; null without
};

/// Keys headers, auth, rate_limit, retries, timeout, ca_file of an object.
std::vector<base::Shape> http_keys();
/// Reads them from `node`; the base stays empty.
HttpConfig read_http(const ConfigReader& reader, const yaml::Node& node);
/// Adds what ${NAME}s stand for in a scalar, and in those below it.
void add_secrets(const ConfigReader& reader, const yaml::Node& node,
                 std::vector<std::string>& secrets);
/// The text without the secrets, however they are encoded.
std::string redacted(std::string text, const std::vector<std::string>& secrets);
/// "500ms", "30s", "5m", "1h"; checked by its shape.
std::chrono::milliseconds duration_of(const std::string& text);
base::Shape duration(std::string doc);

}  // namespace meesh::ingest
