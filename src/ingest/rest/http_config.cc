#include "ingest/rest/http_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/text.h"
#include "ingest/rest/pace.h"
#include "ingest/rest/tokens.h"
#include "net/http.h"

namespace meesh::ingest {

using base::Shape;
using yaml::Node;

namespace {

constexpr size_t kShortestSecret = 3;  // what is shorter stands in too many texts
constexpr const char* kHeaderName = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

Shape headers() {
  return base::map("Headers of each request to the base address.", kHeaderName, "a header's name",
                   base::matching("", "^[^\\r\\n]*$", "one line", 8192));
}

Shape token_url() {
  return base::matching("Where tokens are given out.", "^https?://[^\\s]+$",
                        "an address such as https://auth.example.com/oauth/token", 1024);
}

/// What both grants of OAuth have.
std::vector<Shape> oauth(std::vector<Shape> own) {
  std::vector<Shape> keys = {base::required("token_url", token_url()),
                             base::required("client_id", base::text("The client's id."))};
  keys.insert(keys.end(), own.begin(), own.end());
  keys.push_back(base::optional("scope", base::text("What the token is to allow.")));
  keys.push_back(base::optional(
      "client_in", base::choice("Where id and secret of the client are sent.", {"body", "header"}),
      "body"));
  keys.push_back(base::optional("parameters",
                                base::map("Further fields of the request for a token.", "^[^\\s]+$",
                                          "a field's name", base::secret_text(""))));
  return keys;
}

Shape auth() {
  const auto secret = [](const char* doc) {
    return base::secret_text(std::string(doc) + " Write ${NAME} to keep it out of git.");
  };
  return base::kinds(
      "Who asks.",
      {base::kind(
           "api_key",
           base::object(
               "A key in a header or a parameter.",
               {base::required("key", secret("The key.")),
                base::optional("name",
                               base::matching("The header's or parameter's name.", "^[^\\s:]+$",
                                              "a name", 255),
                               "X-API-Key"),
                base::optional("in", base::choice("Where it is sent.", {"header", "query"}),
                               "header"),
                base::optional("prefix", base::text("Before the key, such as \"Token \"."))})),
       base::kind("bearer", base::object("A token that does not end.",
                                         {base::required("token", secret("The token."))})),
       base::kind("basic", base::object("A user and a password.",
                                        {base::required("user", base::text("The user.")),
                                         base::optional("password", secret("The password."))})),
       base::kind("oauth2_client_credentials",
                  base::object("A token that the client gets for itself.",
                               oauth({base::required("client_secret", secret("Its secret."))}))),
       base::kind(
           "oauth2_refresh_token",
           base::object("A token for a person who allowed it once. If the server gives a "
                        "new refresh token each time, it is kept in the data folder.",
                        oauth({base::optional("client_secret", secret("Its secret.")),
                               base::required("refresh_token", secret("The first one."))})))},
      "");
}

Shape retries() {
  return base::object(
      "What happens to requests that fail for now: connections that are lost, 408, 429, 500, 502, "
      "503, 504.",
      {base::optional("most", base::integer("Tries after the first.", 0, 100), "5"),
       base::optional("first_wait", duration("Before the second try; doubled each time."), "1s"),
       base::optional("longest_wait", duration("The longest of these waits."), "1m"),
       base::optional("patience",
                      duration("The longest wait that a server may ask for (Retry-After)."),
                      "10m")});
}

void read_oauth(const Node& node, HttpAuth& auth) {
  auth.token_url = text_or(node, "token_url");
  auth.client_id = text_or(node, "client_id");
  auth.client_secret = text_or(node, "client_secret");
  auth.refresh_token = text_or(node, "refresh_token");
  auth.scope = text_or(node, "scope");
  auth.client_in_header = text_or(node, "client_in") == "header";
  if (const Node* more = node.find("parameters"))
    for (size_t i = 0; i < more->keys.size(); ++i)
      auth.more.emplace_back(more->keys[i].name, more->items[i].text);
}

HttpAuth read_auth(const ConfigReader& reader, const Node& node,
                   std::vector<std::string>& secrets) {
  HttpAuth auth;
  const std::string kind = text_or(node, "kind");
  if (kind == "api_key") {
    auth.kind = HttpAuth::Kind::kApiKey;
    auth.name = text_or(node, "name", "X-API-Key");
    auth.in_query = text_or(node, "in") == "query";
    auth.secret = text_or(node, "prefix") + text_or(node, "key");
    secrets.push_back(text_or(node, "key"));
  } else if (kind == "bearer") {
    auth.kind = HttpAuth::Kind::kBearer;
    auth.secret = text_or(node, "token");
  } else if (kind == "basic") {
    auth.kind = HttpAuth::Kind::kBasic;
    auth.user = text_or(node, "user");
    auth.password = text_or(node, "password");
    secrets.push_back(auth.user + ":" + auth.password);  // whose base64 is sent
  } else {
    auth.kind = kind == "oauth2_refresh_token" ? HttpAuth::Kind::kRefreshToken
                                               : HttpAuth::Kind::kClientCredentials;
    read_oauth(node, auth);
    if (!parse_url(auth.token_url)) {
      reader.complain(*node.find("token_url"),
                      fmt::format("'{}' is no http:// or https:// address", auth.token_url));
    }
    for (const auto& [name, value] : auth.more) secrets.push_back(value);
  }
  for (const auto& value : {auth.secret, auth.password, auth.client_secret, auth.refresh_token})
    secrets.push_back(value);
  for (const auto& value : {auth.secret, auth.name, auth.user}) {
    if (value.find_first_of("\r\n") != std::string::npos)
      reader.complain(node, "a key, a token or a name is one line");
  }
  return auth;
}

/// A scalar's line as it stands in the file, from the scalar on.
std::string_view written(std::string_view source, const Node& node) {
  for (int line = 1; line < node.line; ++line) {
    const size_t end = source.find('\n');
    if (end == std::string_view::npos) return "";
    source.remove_prefix(end + 1);
  }
  source = source.substr(0, source.find_first_of("\r\n"));
  size_t at = 0;
  for (int column = 1; column < node.column && at < source.size(); ++column) do
      ++at;
    while (at < source.size() && (static_cast<unsigned char>(source[at]) & 0xC0) == 0x80);
  source.remove_prefix(at);
  if (source.starts_with('"') || source.starts_with('\'')) source.remove_prefix(1);
  return source;
}

/// What stands in `text` for the ${NAME}s of `raw`, which goes on behind the scalar; the whole text
/// if that cannot be told.
std::vector<std::string> substituted(std::string_view raw, std::string_view text) {
  std::vector<std::string> values;
  const std::vector<std::string> whole = {std::string(text)};
  while (true) {
    const size_t begin = raw.find("${");
    const size_t end = begin == std::string_view::npos ? begin : raw.find('}', begin);
    if (end == std::string_view::npos) break;
    if (!text.starts_with(raw.substr(0, begin))) return values.empty() ? whole : values;
    text.remove_prefix(begin);
    raw.remove_prefix(end + 1);
    const size_t next = raw.find("${");
    // Up to the text between this and the next one, or up to the scalar's end.
    std::string_view after = raw.substr(0, std::min(next, raw.find_first_of("\"', #}]")));
    const size_t stop = next != std::string_view::npos && after.size() == next
                            ? text.find(after)
                            : (text.ends_with(after) ? text.size() - after.size() : text.size());
    if (stop == std::string_view::npos || (after.empty() && next == 0)) return whole;
    values.emplace_back(text.substr(0, stop));
    text.remove_prefix(stop);
  }
  return values.empty() ? whole : values;
}

void replace_all(std::string& text, const std::string& what, std::string_view with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

}  // namespace

Shape duration(std::string doc) {
  return base::matching(std::move(doc), "^[0-9]{1,7}(ms|s|m|h)$",
                        "a duration such as 500ms, 30s, 5m or 1h", 10);
}

std::chrono::milliseconds duration_of(const std::string& text) {
  const int64_t count = std::stoll(text);
  if (text.ends_with("ms")) return std::chrono::milliseconds(count);
  if (text.ends_with('m')) return std::chrono::minutes(count);
  if (text.ends_with('h')) return std::chrono::hours(count);
  return std::chrono::seconds(count);
}

std::vector<Shape> http_keys() {
  return {base::optional("headers", headers()),
          base::optional("auth", auth()),
          base::optional("rate_limit",
                         base::matching("Requests a second at most, of all tables together.",
                                        "^(0\\.[0-9]*[1-9][0-9]*|[1-9][0-9]{0,4}(\\.[0-9]+)?)$",
                                        "a number such as 5 or 0.5", 16)),
          base::optional("retries", retries()),
          base::optional("timeout", duration("The longest wait for a connection, and for bytes."),
                         "1m"),
          base::optional("ca_file", base::text("Certificates (PEM) to trust instead of the "
                                               "system's."))};
}

HttpConfig read_http(const ConfigReader& reader, const Node& node) {
  HttpConfig config;
  add_secrets(reader, node, config.secrets);
  if (const Node* headers = node.find("headers"))
    for (size_t i = 0; i < headers->keys.size(); ++i)
      config.headers.emplace_back(headers->keys[i].name, headers->items[i].text);
  if (const Node* found = node.find("auth"))
    config.auth = read_auth(reader, *found, config.secrets);
  if (const Node* found = node.find("retries")) {
    config.retries.most = static_cast<int>(found->find("most")->integer().value_or(5));
    config.retries.first = duration_of(text_or(*found, "first_wait", "1s"));
    config.retries.longest = duration_of(text_or(*found, "longest_wait", "1m"));
    config.retries.patience = duration_of(text_or(*found, "patience", "10m"));
  }
  config.timeout = duration_of(text_or(node, "timeout", "1m"));
  config.ca_file = text_or(node, "ca_file");
  config.pace = std::make_shared<Pace>(std::stod(text_or(node, "rate_limit", "0")));
  if (!config.auth.token_url.empty()) config.tokens = std::make_shared<Tokens>();
  return config;
}

void add_secrets(const ConfigReader& reader, const Node& node, std::vector<std::string>& secrets) {
  if (node.substituted)
    for (auto& value : substituted(written(reader.source(), node), node.text))
      if (value.size() >= kShortestSecret) secrets.push_back(std::move(value));
  for (const Node& item : node.items) add_secrets(reader, item, secrets);
}

std::string redacted(std::string text, const std::vector<std::string>& secrets) {
  // Longer ones first: one may be the beginning of another.
  auto sorted = secrets;
  std::ranges::sort(sorted, std::greater(), &std::string::size);
  for (const auto& secret : sorted) {
    if (secret.size() < kShortestSecret) continue;
    // As JSON has it, with and without a backslash before each slash.
    std::string json = boost::json::serialize(boost::json::value(secret));
    json = json.substr(1, json.size() - 2);
    std::string slashed = json;
    replace_all(slashed, "/", "\\/");
    for (const auto& form :
         {secret, net::percent_encode(secret), base::to_base64(secret), json, slashed})
      replace_all(text, form, "***");
  }
  return text;
}

}  // namespace meesh::ingest
