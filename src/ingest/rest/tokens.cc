#include "ingest/rest/tokens.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "ingest/rest/http.h"

namespace meesh::ingest {

namespace {

using std::chrono::seconds;

constexpr auto kSpare = seconds(30);       // before its end a token is replaced
constexpr auto kUsual = seconds(30 * 60);  // a token's life, if nobody says
constexpr auto kLongest = seconds(7 * 86400);

std::string sha256(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  return base::to_hex({reinterpret_cast<const char*>(digest), size});
}

/// What tells that the file's first token is another one now.
std::string mark_of(const HttpAuth& auth) {
  return sha256(auth.client_id + "\n" + auth.refresh_token);
}

std::string form(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", net::percent_encode(name),
                        net::percent_encode(value));
  }
  return text;
}

boost::json::object object_of(const std::string& text) {
  boost::json::error_code failed;
  const auto value = boost::json::parse(text, failed);
  return !failed && value.is_object() ? value.as_object() : boost::json::object();
}

std::string text_of(const boost::json::object& object, const char* key) {
  const auto* found = object.if_contains(key);
  return found && found->is_string() ? std::string(found->as_string()) : "";
}

HttpRequest request_of(const HttpAuth& auth, const std::string& refresh_token) {
  HttpRequest request;
  request.method = "POST";
  request.url = *parse_url(auth.token_url);
  request.anonymous = true;
  request.content_type = "application/x-www-form-urlencoded";
  request.also_fine = {400, 401, 403};
  const bool refreshes = auth.kind == HttpAuth::Kind::kRefreshToken;
  std::vector<std::pair<std::string, std::string>> fields = {
      {"grant_type", refreshes ? "refresh_token" : "client_credentials"},
      {"refresh_token", refresh_token},
      {"scope", auth.scope}};
  if (auth.client_in_header) {
    request.headers.emplace_back(
        "Authorization", "Basic " + base::to_base64(net::percent_encode(auth.client_id) + ":" +
                                                    net::percent_encode(auth.client_secret)));
  } else {
    fields.emplace_back("client_id", auth.client_id);
    fields.emplace_back("client_secret", auth.client_secret);
  }
  fields.insert(fields.end(), auth.more.begin(), auth.more.end());
  request.body = form(fields);
  return request;
}

}  // namespace

void Tokens::keep_in(std::filesystem::path file) {
  std::lock_guard lock(mutex_);
  file_ = std::move(file);
}

void Tokens::forget(const std::string& token) {
  std::lock_guard lock(mutex_);
  if (token_ == token) token_.clear();
}

/// The newest one that is known. Caller holds the lock.
std::string Tokens::refresh_token(const HttpAuth& auth) const {
  if (auth.kind != HttpAuth::Kind::kRefreshToken) return "";
  if (!refresh_token_.empty()) return refresh_token_;
  if (!file_.empty()) {
    std::ifstream stream(file_, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto kept = object_of(text);
    const auto token = text_of(kept, "refresh_token");
    if (text_of(kept, "instead_of") == mark_of(auth) && !token.empty()) return token;
  }
  return auth.refresh_token;
}

/// Caller holds the lock.
void Tokens::keep(const HttpAuth& auth, const std::string& refresh_token) {
  refresh_token_ = refresh_token;
  if (file_.empty()) return;
  const std::string text = boost::json::serialize(
      boost::json::object{{"instead_of", mark_of(auth)}, {"refresh_token", refresh_token}});
  std::filesystem::create_directories(file_.parent_path());
  const std::string unfinished = file_.string() + ".new";
  const int fd = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool written = fd >= 0;
  if (written) {
    written =
        write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
    close(fd);
  }
  if (!written || rename(unfinished.c_str(), file_.c_str()) != 0) {
    throw Error(Code::kIoError,
                fmt::format("cannot write {}: the new refresh token is lost", file_.string()));
  }
}

std::string Tokens::get(const HttpAuth& auth, const Send& send) {
  std::lock_guard lock(mutex_);
  if (!token_.empty() && std::chrono::steady_clock::now() < ends_) return token_;
  token_.clear();
  const std::string refresh = refresh_token(auth);
  take_in(auth, send(request_of(auth, refresh)));
  return token_;
}

void Tokens::take_in(const HttpAuth& auth, const HttpAnswer& answer) {
  const auto said = object_of(answer.body);
  const auto token = text_of(said, "access_token");
  if (answer.status >= 400 || token.empty() || token.find_first_of("\r\n") != std::string::npos) {
    std::string why = text_of(said, "error_description");
    if (why.empty()) why = text_of(said, "error");
    if (why.empty()) why = "the answer holds no access_token";
    throw Error(
        Code::kPermissionDenied,
        redacted(fmt::format("{} gives no token: {} ({})", auth.token_url, why, answer.status),
                 {auth.client_secret, auth.refresh_token, refresh_token_}))
        .with_hint("look at 'auth' in the source's file");
  }
  seconds life = kUsual;
  if (const auto* given = said.if_contains("expires_in")) {
    boost::json::error_code inexact;
    const auto number = given->to_number<double>(inexact);
    if (!inexact && number >= 0 && number < kLongest.count())
      life = seconds(static_cast<int64_t>(number));
  }
  token_ = token;
  ends_ = std::chrono::steady_clock::now() + (life > 2 * kSpare ? life - kSpare : life / 2);
  const auto fresh = text_of(said, "refresh_token");
  if (auth.kind == HttpAuth::Kind::kRefreshToken && !fresh.empty() && fresh != refresh_token(auth))
    keep(auth, fresh);
}

}  // namespace meesh::ingest
