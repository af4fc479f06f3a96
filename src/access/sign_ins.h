// Who signs in, and stays so: passwords, API tokens and sessions of the users of Access, and of
// its root under the name "root". Kept in the metadata database, so that they survive restarts and
// hold for all servers of a mesh; only hashes of secrets are kept.
//
//   access::SignIns sign_ins({.database = &db, .access = &access, .root_access_key = "…"});
//   sign_ins.set_password("ann", "…");
//   if (auto account = sign_ins.check_password("ann", given)) {
//     auto session = sign_ins.open_session(account->user);     // session.id goes into a cookie
//   }
//
// What belongs to a user ends with the user: somebody later of the same name has none of it, and a
// disabled user is not let in. Thread-safe. What this process changed it sees at once; changes of
// other processes (`meesh access`) are seen within a second or so.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "access/access.h"

namespace meesh::access {

/// What an account may do on the HTTP endpoint beside objects, by its policies: consoleAdmin (or
/// root) administers; one with other policies than `readonly` changes; the others look.
enum class AccountRole { kViewer, kEditor, kAdministrator };
std::string_view role_name(AccountRole role);  // "viewer", "editor", "administrator"
AccountRole role_of(const User& user);

struct Account {
  std::string user;
  AccountRole role = AccountRole::kViewer;
  bool has_password = false;
};

struct Token {
  std::string id, name, owner;
  int64_t created_ms = 0, expires_ms = 0;  // 0: never
};
struct NewToken {
  Token token;
  std::string secret;  // "meesh_…", told once
};

struct SignInSession {
  std::string user;
  std::string csrf;  // what requests with the session's cookie carry beside it
  int64_t created_ms = 0, expires_ms = 0;
};
struct NewSession {
  std::string id;  // for the cookie; kept nowhere
  SignInSession session;
};

struct SignInOptions {
  meta::Database* database = nullptr;  // migrated by SignIns itself
  const Access* access = nullptr;      // both outlive this
  std::string root_access_key;         // "" = no root
  std::chrono::milliseconds idle = std::chrono::hours(12);
  std::chrono::milliseconds longest = std::chrono::hours(24 * 7);
  std::function<int64_t()> now_ms;  // tests; empty = the system's
};

inline constexpr std::string_view kTokenPrefix = "meesh_";

class SignIns {
 public:
  explicit SignIns(SignInOptions options);
  ~SignIns();
  SignIns(const SignIns&) = delete;
  SignIns& operator=(const SignIns&) = delete;

  /// Some user has a password: whoever comes must say who.
  bool any_password() const;
  /// Nothing for unknown and disabled ones. "root" is an account.
  std::optional<Account> account(const std::string& user) const;
  /// Users (no root) that may sign in with a password and administer.
  std::vector<std::string> administrators() const;

  /// Errors: NOT_FOUND, INVALID_ARGUMENTS (check_new_password). The user's sessions end, but for
  /// the one with the id `keep`.
  void set_password(const std::string& user, const std::string& password,
                    const std::string& keep = {});
  void remove_password(const std::string& user);
  /// Root's password is its secret key, its name "root" or its access key. As slow for users that
  /// do not exist. A right password is known for five minutes, so that clients which send it with
  /// each request (Basic) do not pay each time.
  std::optional<Account> check_password(const std::string& user, const std::string& password) const;

  /// Expires after `lifetime`; 0: never. Throws NOT_FOUND, INVALID_ARGUMENTS (a name of 1 to 100
  /// characters, at most 100 tokens a user).
  NewToken create_token(const std::string& owner, const std::string& name,
                        std::chrono::milliseconds lifetime);
  std::vector<Token> tokens(const std::string& owner) const;  // newest first
  /// Throws NOT_FOUND, also for a token of another owner.
  void revoke_token(const std::string& owner, const std::string& id);
  std::optional<Account> check_token(const std::string& secret) const;

  NewSession open_session(const std::string& user);
  /// Nothing for one that is not there, was idle for too long or is too old.
  std::optional<SignInSession> session(const std::string& id) const;
  void close_session(const std::string& id);

  /// Users or their policies were changed through Access: looks again at once.
  void users_changed();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace meesh::access
