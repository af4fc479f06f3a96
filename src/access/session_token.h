// Temporary credentials without state: everything about a session is in its token, sealed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/access.h"
#include "access/sealing.h"

namespace meesh::access {

/// What a token says.
struct Session {
  enum class Kind { kRoot, kUser, kDomain, kWeb };
  std::string access_key, secret_key;
  Kind kind = Kind::kUser;
  std::string name;   // of the user or domain; a web identity's name
  std::string stamp;  // must still be the user's; web: the issuer, which must still be trusted
  std::vector<std::string> policies;  // web: names of stored policies
  std::string session_policy;         // "" = none
  Time expires{};
};

/// JSON {"a","s","k","n","t","l","p","x"} (the members above, in order), sealed.
std::string write_session(const Session& session, const Seal& seal);
/// Nothing for what write_session did not make with the same key. Does not look at the time.
std::optional<Session> read_session(const std::string& token, const Seal& seal);

}  // namespace meesh::access
