#include "access/jwt.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "access/sealing.h"
#include "base/error.h"
#include "base/text.h"

namespace meesh::access {
namespace {

namespace json = boost::json;

constexpr size_t kMostTokenBytes = 16 * 1024;
constexpr size_t kLeastSecretBytes = 32;  // RFC 7518, 3.2
constexpr int kLeastRsaBits = 2048;       // RFC 7518, 3.3
constexpr size_t kEs256Half = 32;
constexpr double kGraceSeconds = 60;
constexpr size_t kMostSubjectBytes = 255;  // OpenID Connect Core, 2
constexpr size_t kMostPolicies = 20;

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Code::kPermissionDenied, "the web identity token is not accepted: " + why);
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// r and s side by side, as JWTs have them, in the form OpenSSL reads.
std::optional<std::string> der_of_es256(std::string_view raw) {
  if (raw.size() != 2 * kEs256Half) return std::nullopt;
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(ECDSA_SIG_new(),
                                                                        &ECDSA_SIG_free);
  BIGNUM* r = BN_bin2bn(bytes(raw), kEs256Half, nullptr);
  BIGNUM* s = BN_bin2bn(bytes(raw) + kEs256Half, kEs256Half, nullptr);
  if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return std::nullopt;
  }
  unsigned char* out = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &out);
  if (length <= 0) return std::nullopt;
  std::string der(reinterpret_cast<const char*>(out), static_cast<size_t>(length));
  OPENSSL_free(out);
  return der;
}

json::object part(std::string_view encoded, const char* what) {
  const auto text = base::from_base64url(encoded);
  if (!text) refuse(fmt::format("its {} is not base64url", what));
  json::error_code failed;
  const json::value value = json::parse(*text, failed);
  if (failed || !value.is_object()) refuse(fmt::format("its {} is not a JSON object", what));
  return value.as_object();
}

std::string text_claim(const json::object& claims, std::string_view name) {
  const json::value* value = claims.if_contains(name);
  if (!value || !value->is_string() || value->as_string().empty()) {
    refuse(fmt::format("it has no \"{}\"", name));
  }
  return std::string(value->as_string());
}

/// Seconds since 1970; nothing if absent.
std::optional<double> time_claim(const json::object& claims, std::string_view name) {
  const json::value* value = claims.if_contains(name);
  if (!value) return std::nullopt;
  if (!value->is_number()) refuse(fmt::format("its \"{}\" is not a number", name));
  return value->to_number<double>();
}

/// A text or an array of texts; texts are parted at the signs in `separators`.
std::vector<std::string> list_claim(const json::object& claims, std::string_view name,
                                    std::string_view separators) {
  const json::value* value = claims.if_contains(name);
  if (!value) return {};
  std::vector<std::string> items;
  const auto add = [&](const json::value& item) {
    if (!item.is_string()) refuse(fmt::format("its \"{}\" is not a text or a list of them", name));
    const std::string_view text = item.as_string();
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find_first_of(separators, at), text.size());
      if (end > at) items.emplace_back(text.substr(at, end - at));
      at = end + 1;
    }
  };
  if (value->is_array()) {
    for (const json::value& item : value->as_array()) add(item);
  } else {
    add(*value);
  }
  return items;
}

}  // namespace

struct TrustedIssuers::Key {
  std::string algorithm;
  std::string secret;  // HS256
  std::vector<std::string> audiences;
  KeyPtr key{nullptr, &EVP_PKEY_free};

  bool fits(std::string_view content, std::string_view signature) const {
    if (algorithm == "HS256") return same_secret(hmac_sha256(secret, content), signature);
    std::string der(signature);
    if (algorithm == "ES256") {
      const auto converted = der_of_es256(signature);
      if (!converted) return false;
      der = *converted;
    }
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    return context &&
           EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes(der), der.size(), bytes(content),
                            content.size()) == 1;
  }
};

TrustedIssuers::TrustedIssuers(const std::map<std::string, IssuerKey>& keys) {
  for (const auto& [issuer, given] : keys) {
    const std::string& text = given.key;
    const auto wrong = [name = issuer](const std::string& why) {
      return Error(Code::kInvalidArguments, fmt::format("the key of issuer '{}' {}", name, why));
    };
    auto key = std::make_shared<Key>();
    key->audiences = given.audiences;
    constexpr std::string_view kSecret = "secret:";
    if (text.starts_with(kSecret)) {
      key->algorithm = "HS256";
      key->secret = text.substr(kSecret.size());
      if (key->secret.size() < kLeastSecretBytes) {
        throw wrong(fmt::format("is a secret of less than {} bytes", kLeastSecretBytes));
      }
    } else {
      const std::unique_ptr<BIO, decltype(&BIO_free)> in(
          BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
      key->key.reset(PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr));
      if (!key->key) {
        throw wrong("cannot be read").with_hint("expected PEM (BEGIN PUBLIC KEY) or secret:…");
      }
      char curve[32] = {};
      if (EVP_PKEY_get_base_id(key->key.get()) == EVP_PKEY_RSA) {
        key->algorithm = "RS256";
        if (EVP_PKEY_get_bits(key->key.get()) < kLeastRsaBits) {
          throw wrong(fmt::format("has less than {} bits", kLeastRsaBits));
        }
      } else if (EVP_PKEY_get_base_id(key->key.get()) == EVP_PKEY_EC &&
                 EVP_PKEY_get_group_name(key->key.get(), curve, sizeof curve, nullptr) == 1 &&
                 std::string_view(curve) == "prime256v1") {
        key->algorithm = "ES256";
      } else {
        throw wrong("is of a kind that is not supported").with_hint("expected RSA or EC P-256");
      }
    }
    keys_[issuer] = std::move(key);
  }
}

WebIdentity TrustedIssuers::verify(std::string_view jwt,
                                   std::chrono::sys_time<std::chrono::milliseconds> now) const {
  if (jwt.size() > kMostTokenBytes) refuse("it is too long");
  const size_t first = jwt.find('.');
  const size_t second = first == std::string_view::npos ? first : jwt.find('.', first + 1);
  if (second == std::string_view::npos || jwt.find('.', second + 1) != std::string_view::npos) {
    refuse("it has not three parts");
  }
  const json::object header = part(jwt.substr(0, first), "header");
  const json::object claims = part(jwt.substr(first + 1, second - first - 1), "content");
  const auto signature = base::from_base64url(jwt.substr(second + 1));

  // Nothing of the claims but the issuer, which says whose key it is, is looked at before the
  // signature holds.
  const std::string issuer = text_claim(claims, "iss");
  const auto trusted = keys_.find(issuer);
  if (trusted == keys_.end()) refuse("its issuer is not trusted");
  const Key& key = *trusted->second;
  const json::value* algorithm = header.if_contains("alg");
  if (!algorithm || !algorithm->is_string() ||
      std::string_view(algorithm->as_string()) != key.algorithm) {
    refuse(fmt::format("its issuer signs with {}", key.algorithm));
  }
  if (header.contains("crit")) refuse("its header demands extensions that are not supported");
  if (!signature || !key.fits(jwt.substr(0, second), *signature)) {
    refuse("its signature does not fit");
  }

  const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
  const auto expiry = time_claim(claims, "exp");
  if (!expiry) refuse("it has no \"exp\"");
  if (seconds >= *expiry) refuse("it has expired");
  if (const auto start = time_claim(claims, "nbf"); start && seconds + kGraceSeconds < *start) {
    refuse("it is not valid yet");
  }
  const auto& audiences = key.audiences;
  if (!audiences.empty()) {
    const auto meant = list_claim(claims, "aud", "");
    if (std::find_first_of(meant.begin(), meant.end(), audiences.begin(), audiences.end()) ==
        meant.end()) {
      refuse("it is meant for others (\"aud\")");
    }
  }
  WebIdentity identity{issuer, text_claim(claims, "sub"), list_claim(claims, "policy", " ,")};
  if (identity.subject.size() > kMostSubjectBytes) refuse("its \"sub\" is too long");
  if (identity.policies.size() > kMostPolicies) refuse("it names too many policies");
  return identity;
}

}  // namespace meesh::access
