// JSON Web Tokens (RFC 7519, 7515) as identity providers sign them: RS256, ES256, HS256.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::access {

/// What is taken from a token that holds.
struct WebIdentity {
  std::string issuer, subject;
  std::vector<std::string> policies;  // claim "policy"
};

/// What a trusted issuer signs with, and whom its tokens are for.
struct IssuerKey {
  /// PEM of a public key (RS256, ES256) or, for HS256, "secret:" and the secret of at least 32
  /// bytes.
  std::string key;
  /// Of which a token must name one in "aud"; none = it may name any.
  std::vector<std::string> audiences;
};

/// The keys of trusted issuers. Each fits one algorithm, and a token cannot choose another.
class TrustedIssuers {
 public:
  TrustedIssuers() = default;
  /// See Access::trust_issuers. Throws INVALID_ARGUMENTS.
  explicit TrustedIssuers(const std::map<std::string, IssuerKey>& keys);

  bool trusts(const std::string& issuer) const { return keys_.contains(issuer); }

  /// Checks signature, iss, exp, nbf (a minute of grace), aud (if the issuer's key has audiences),
  /// sub and policy. Throws PERMISSION_DENIED saying what is wrong.
  WebIdentity verify(std::string_view jwt,
                     std::chrono::sys_time<std::chrono::milliseconds> now) const;

 private:
  struct Key;
  std::map<std::string, std::shared_ptr<const Key>> keys_;
};

}  // namespace meesh::access
