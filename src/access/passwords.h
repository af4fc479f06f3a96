// Passwords as they are kept: Argon2id in the PHC string format, which holds its own parameters.
#pragma once

#include <string>

namespace meesh::access {

/// 8 to 1,024 bytes of UTF-8 without control characters, and not the user's own name; else
/// INVALID_ARGUMENTS, saying which.
void check_new_password(const std::string& user, const std::string& password);

/// "$argon2id$v=19$m=47104,t=1,p=1$<salt>$<hash>": some 40 ms and 46 MiB. Not more than two are
/// made at a time, the others wait.
std::string hash_password(const std::string& password);
/// As slow for a wrong password. False also for a hash that is none.
bool password_fits(const std::string& hash, const std::string& password);

/// A hash that no password fits, to spend the same time on users that do not exist.
const std::string& nobodys_hash();

}  // namespace meesh::access
