#include "net/aws_signature.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <shared_mutex>

#include "base/error.h"
#include "base/text.h"

namespace meesh::net {
namespace {

constexpr size_t kHashBytes = 32;
constexpr size_t kMaxCachedKeys = 4096;

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

// A context that knows its algorithm and wants a key: copied for each use, which is far cheaper
// than making one.
const EVP_MAC_CTX* hmac_template() {
  static const MacContext kTemplate = [] {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    MacContext made(EVP_MAC_CTX_new(mac));
    EVP_MAC_free(mac);
    char digest[] = "SHA256";
    const std::array<OSSL_PARAM, 2> params = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    if (!made || EVP_MAC_CTX_set_params(made.get(), params.data()) != 1) {
      internal_error("OpenSSL has no HMAC-SHA256");
    }
    return made;
  }();
  return kTemplate.get();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

std::string chained(std::string_view algorithm, std::string_view timestamp,
                    const SigningScope& scope, std::string_view previous) {
  std::string out(algorithm);
  out.append("\n").append(timestamp).append("\n").append(scope.text()).append("\n");
  return out.append(previous).append("\n");
}

SigningScope scope_at(AwsTime now, const std::string& region) {
  return {amz_timestamp(now).substr(0, 8), region, "s3"};
}

}  // namespace

std::string SigningScope::text() const {
  return date + "/" + region + "/" + service + "/aws4_request";
}

std::string amz_timestamp(AwsTime time) {
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<AwsTime> parse_amz_timestamp(std::string_view t) {
  if (t.size() != 16 || t[8] != 'T' || t[15] != 'Z') return std::nullopt;
  for (size_t i = 0; i < 15; ++i) {
    if (i != 8 && (t[i] < '0' || t[i] > '9')) return std::nullopt;
  }
  auto number = [&](size_t at, size_t count) {
    int value = 0;
    for (size_t i = at; i < at + count; ++i) value = value * 10 + (t[i] - '0');
    return value;
  };
  std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                   std::chrono::month(static_cast<unsigned>(number(4, 2))),
                                   std::chrono::day(static_cast<unsigned>(number(6, 2)))};
  int hour = number(9, 2), minute = number(11, 2), second = number(13, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* held) const { EVP_MD_CTX_free(held); }
  };
  void begin() const {
    static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (!context || EVP_DigestInit_ex2(context.get(), kSha256, nullptr) != 1) {
      internal_error("OpenSSL has no SHA-256");
    }
  }
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) { state_->begin(); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  if (EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) != 1) {
    internal_error("OpenSSL cannot hash");
  }
}

std::string Sha256::hex() {
  std::array<unsigned char, kHashBytes> digest;
  unsigned size = 0;
  if (EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size) != 1) {
    internal_error("OpenSSL cannot end a hash");
  }
  state_->begin();
  return base::to_hex({reinterpret_cast<char*>(digest.data()), size});
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  MacContext context(EVP_MAC_CTX_dup(hmac_template()));
  std::string out(kHashBytes, '\0');
  size_t size = 0;
  // A key of no bytes must still be one: OpenSSL takes a null pointer for "the key of before".
  const char* key_bytes = key.empty() ? "" : key.data();
  if (!context ||
      EVP_MAC_init(context.get(), reinterpret_cast<const unsigned char*>(key_bytes), key.size(),
                   nullptr) != 1 ||
      EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size()) != 1 ||
      EVP_MAC_final(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                    out.size()) != 1) {
    internal_error("OpenSSL cannot do HMAC-SHA256");
  }
  return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string canonical_path(std::string_view decoded) {
  if (decoded.empty()) return "/";
  std::string out;
  for (size_t at = 0; at <= decoded.size();) {
    size_t slash = std::min(decoded.find('/', at), decoded.size());
    out += percent_encode(decoded.substr(at, slash - at));
    if (slash < decoded.size()) out += '/';
    at = slash + 1;
  }
  return out;
}

std::string canonical_query(const std::vector<std::pair<std::string, std::string>>& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(query.size());
  for (const auto& [name, value] : query) {
    encoded.emplace_back(percent_encode(name), percent_encode(value));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string canonical_value(std::string_view value) {
  std::string out;
  for (char c : value) {
    bool space = c == ' ' || c == '\t';
    if (!space) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string signed_header_names(const CanonicalParts& parts) {
  std::string out;
  for (const auto& [name, value] : parts.headers) {
    if (!out.empty()) out += ';';
    out += name;
  }
  return out;
}

std::string canonical_request(const CanonicalParts& parts) {
  std::string out(parts.method);
  out.append("\n").append(parts.path).append("\n").append(parts.query).append("\n");
  for (const auto& [name, value] : parts.headers) {
    out.append(name).append(":").append(value).append("\n");
  }
  out.append("\n").append(signed_header_names(parts)).append("\n");
  return out.append(parts.payload_hash);
}

std::string signing_key(std::string_view secret_key, const SigningScope& scope) {
  std::string key = hmac_sha256("AWS4" + std::string(secret_key), scope.date);
  key = hmac_sha256(key, scope.region);
  key = hmac_sha256(key, scope.service);
  return hmac_sha256(key, "aws4_request");
}

std::string cached_signing_key(std::string_view secret_key, const SigningScope& scope) {
  static std::shared_mutex mutex;
  static std::unordered_map<std::string, std::string>& keys =
      *new std::unordered_map<std::string, std::string>;
  std::string name = scope.text();
  name.append("\n").append(secret_key);
  {
    std::shared_lock lock(mutex);
    if (auto found = keys.find(name); found != keys.end()) return found->second;
  }
  std::string key = signing_key(secret_key, scope);
  std::unique_lock lock(mutex);
  if (keys.size() >= kMaxCachedKeys) keys.clear();
  keys[name] = key;
  return key;
}

std::string string_to_sign(std::string_view timestamp, const SigningScope& scope,
                           std::string_view canonical) {
  std::string out(kAwsAlgorithm);
  out.append("\n").append(timestamp).append("\n").append(scope.text()).append("\n");
  return out.append(sha256_hex(canonical));
}

std::string sign(std::string_view signing_key, std::string_view text) {
  return base::to_hex(hmac_sha256(signing_key, text));
}

std::string chunk_signature(std::string_view signing_key, std::string_view timestamp,
                            const SigningScope& scope, std::string_view previous,
                            std::string_view hash) {
  std::string text = chained("AWS4-HMAC-SHA256-PAYLOAD", timestamp, scope, previous);
  text.append(kEmptySha256).append("\n").append(hash);
  return sign(signing_key, text);
}

std::string trailer_signature(std::string_view signing_key, std::string_view timestamp,
                              const SigningScope& scope, std::string_view previous,
                              std::string_view hash) {
  std::string text = chained("AWS4-HMAC-SHA256-TRAILER", timestamp, scope, previous);
  return sign(signing_key, text.append(hash));
}

void sign_request(const RequestToSign& request, const AwsCredentials& credentials,
                  const std::string& region, AwsTime now, Headers& headers) {
  SigningScope scope = scope_at(now, region);
  std::string timestamp = amz_timestamp(now);
  headers.set("Host", std::string(request.host));
  headers.set("x-amz-date", timestamp);
  headers.set("x-amz-content-sha256", std::string(request.payload_hash));
  if (!credentials.session_token.empty()) {
    headers.set("x-amz-security-token", credentials.session_token);
  }
  std::string path = canonical_path(request.path);
  std::string query = request.query != nullptr ? canonical_query(*request.query) : "";
  CanonicalParts parts{request.method, path, query, {}, request.payload_hash};
  std::map<std::string, std::string> sorted;
  for (const auto& [name, value] : headers.items()) {
    std::string small = lower(name);
    if (small != "host" && !small.starts_with("x-amz-")) continue;
    auto [found, first] = sorted.emplace(std::move(small), canonical_value(value));
    if (!first) found->second += "," + canonical_value(value);
  }
  parts.headers.assign(sorted.begin(), sorted.end());
  std::string signature = sign(cached_signing_key(credentials.secret_key, scope),
                               string_to_sign(timestamp, scope, canonical_request(parts)));
  headers.set("Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}",
                                           kAwsAlgorithm, credentials.access_key, scope.text(),
                                           signed_header_names(parts), signature));
}

std::string presigned_target(const RequestToSign& request, const AwsCredentials& credentials,
                             const std::string& region, std::chrono::seconds lifetime,
                             AwsTime now) {
  SigningScope scope = scope_at(now, region);
  std::string timestamp = amz_timestamp(now);
  std::vector<std::pair<std::string, std::string>> query;
  if (request.query != nullptr) query = *request.query;
  query.emplace_back("X-Amz-Algorithm", kAwsAlgorithm);
  query.emplace_back("X-Amz-Credential", credentials.access_key + "/" + scope.text());
  query.emplace_back("X-Amz-Date", timestamp);
  query.emplace_back("X-Amz-Expires", std::to_string(lifetime.count()));
  query.emplace_back("X-Amz-SignedHeaders", "host");
  if (!credentials.session_token.empty()) {
    query.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  std::string path = canonical_path(request.path);
  std::string sorted = canonical_query(query);
  std::string canonical = canonical_request(
      {request.method, path, sorted, {{"host", std::string(request.host)}}, kUnsignedPayload});
  std::string signature = sign(cached_signing_key(credentials.secret_key, scope),
                               string_to_sign(timestamp, scope, canonical));
  return fmt::format("{}?{}&X-Amz-Signature={}", path, sorted, signature);
}

}  // namespace meesh::net
