#include "access/sign_ins.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <unordered_map>

#include "access/passwords.h"
#include "access/sealing.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "meta/database.h"
#include "net/aws_signature.h"

namespace meesh::access {
namespace {

constexpr int64_t kLookEveryMs = 1000, kTouchEveryMs = 60'000, kRememberMs = 300'000;
constexpr size_t kMostRemembered = 1000, kMostTokens = 100, kLongestName = 100;
constexpr const char* kRoot = "root";

// `stamp` says which holder of a name something belongs to.
const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> kMigrations = {
      {1,
       "passwords, tokens, sessions",
       {"CREATE TABLE sign_in_password (user_name TEXT PRIMARY KEY, stamp TEXT NOT NULL, "
        "hash TEXT NOT NULL)",
        "CREATE TABLE sign_in_token (digest TEXT PRIMARY KEY, id TEXT NOT NULL, "
        "owner TEXT NOT NULL, stamp TEXT NOT NULL, name TEXT NOT NULL, "
        "created_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL)",
        "CREATE TABLE sign_in_session (digest TEXT PRIMARY KEY, user_name TEXT NOT NULL, "
        "stamp TEXT NOT NULL, created_ms BIGINT NOT NULL, used_ms BIGINT NOT NULL)"}}};
  return kMigrations;
}

std::string digest_of(std::string_view secret) { return net::sha256_hex(secret); }

/// 256 bits in 43 letters and digits.
std::string random_word() {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string word;
  while (word.size() < 43) {
    for (const char c : random_bytes(64)) {
      const auto byte = static_cast<unsigned char>(c);
      // The bytes above would make some digits likelier than others.
      if (byte < 4 * kDigits.size() && word.size() < 43) word += kDigits[byte % kDigits.size()];
    }
  }
  return word;
}

/// Follows from the session's id, which nobody but the browser knows.
std::string csrf_of(const std::string& id) { return digest_of("meesh csrf " + id).substr(0, 32); }

Error no_user(const std::string& user) {
  return Error(Code::kNotFound, fmt::format("there is no user '{}'", user));
}

}  // namespace

AccountRole role_of(const User& user) {
  const auto& all = user.policies;
  if (std::ranges::count(all, "consoleAdmin") > 0) return AccountRole::kAdministrator;
  const bool looks = std::ranges::all_of(all, [](const auto& name) { return name == "readonly"; });
  return looks ? AccountRole::kViewer : AccountRole::kEditor;
}

std::string_view role_name(AccountRole role) {
  switch (role) {
    case AccountRole::kViewer:
      return "viewer";
    case AccountRole::kEditor:
      return "editor";
    case AccountRole::kAdministrator:
      return "administrator";
  }
  internal_error("an account has no such role");
}

struct SignIns::Impl {
  struct Holder {
    std::string stamp;
    AccountRole role = AccountRole::kViewer;
    std::string hash;  // "" = no password
  };
  struct KeptToken {
    Token token;
    std::string stamp;
  };
  /// Everything at one moment but sessions; never changed once made.
  struct Snapshot {
    std::map<std::string, Holder> holders;              // enabled users, and root
    std::unordered_map<std::string, KeptToken> tokens;  // by digest
    bool any_password = false;
  };
  struct KeptSession {
    std::string user, stamp;
    int64_t created_ms = 0, used_ms = 0, looked_ms = 0;
  };
  struct Remembered {
    std::string hash;  // that the password fitted
    int64_t until_ms = 0;
  };

  explicit Impl(SignInOptions given) : options(std::move(given)), pepper(random_bytes(32)) {
    meta::migrate(*options.database, "sign_in", migrations());
    nobodys_hash();
    reload();
  }

  int64_t now() const { return options.now_ms ? options.now_ms() : base::now_ms(); }

  std::optional<Credentials> root() const {
    if (options.root_access_key.empty()) return std::nullopt;
    auto found = options.access->credentials(options.root_access_key, "");
    return found && found->identity.root ? found : std::nullopt;
  }

  std::shared_ptr<const Snapshot> snapshot() const {
    const int64_t looked = looked_ms.load(), at = now();
    if (at < looked || at - looked >= kLookEveryMs) {
      const std::unique_lock look(looking, std::try_to_lock);
      if (look.owns_lock()) {
        looked_ms = at;
        try {
          reload();
        } catch (const Error& error) {
          log::warn("cannot look for changes of passwords and tokens; the known ones count",
                    {{"error", error.what()}});
        }
      }
    }
    const std::lock_guard lock(mutex);
    return current;
  }

  void reload() const {
    auto loaded = std::make_shared<Snapshot>();
    for (const auto& user : options.access->users()) {
      if (!user.enabled) continue;
      loaded->holders[user.name] = {std::to_string(user.created.time_since_epoch().count()),
                                    role_of(user), ""};
    }
    if (const auto key = root()) {
      loaded->holders[kRoot] = {digest_of("meesh root " + key->secret_key).substr(0, 16),
                                AccountRole::kAdministrator, ""};
    }
    options.database->read([&](soci::session& sql) {
      loaded->tokens.clear();  // the transaction may run again
      read_passwords(sql, *loaded);
      read_tokens(sql, *loaded);
    });
    const std::lock_guard lock(mutex);
    current = std::move(loaded);
  }

  static void read_passwords(soci::session& sql, Snapshot& into) {
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT user_name, stamp, hash FROM sign_in_password");
    for (const soci::row& row : rows) {
      const auto found = into.holders.find(row.get<std::string>(0));
      if (found == into.holders.end() || found->second.stamp != row.get<std::string>(1)) continue;
      found->second.hash = row.get<std::string>(2);
      into.any_password = true;
    }
  }

  static void read_tokens(soci::session& sql, Snapshot& into) {
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT digest, id, owner, stamp, name, CAST(created_ms AS TEXT), "
                        "CAST(expires_ms AS TEXT) FROM sign_in_token");
    for (const soci::row& row : rows) {
      KeptToken kept;
      kept.token.id = row.get<std::string>(1);
      kept.token.owner = row.get<std::string>(2);
      kept.stamp = row.get<std::string>(3);
      kept.token.name = row.get<std::string>(4);
      kept.token.created_ms = std::stoll(row.get<std::string>(5));
      kept.token.expires_ms = std::stoll(row.get<std::string>(6));
      const auto owner = into.holders.find(kept.token.owner);
      if (owner == into.holders.end() || owner->second.stamp != kept.stamp) continue;
      into.tokens.emplace(row.get<std::string>(0), std::move(kept));
    }
  }

  void change(const std::function<void(soci::session&)>& work) {
    options.database->write(work);
    reload();
  }

  static std::optional<Account> account_of(const Snapshot& now, const std::string& user) {
    const auto found = now.holders.find(user);
    if (found == now.holders.end()) return std::nullopt;
    return Account{user, found->second.role, !found->second.hash.empty() || user == kRoot};
  }

  const Holder& holder(const Snapshot& now, const std::string& user) const {
    const auto found = now.holders.find(user);
    if (found == now.holders.end()) throw no_user(user);
    return found->second;
  }

  bool fits(const std::string& user, const std::string& hash, const std::string& password) const {
    // Under a key of this process: what is remembered tells nobody anything.
    const std::string name = hmac_sha256(pepper, user + '\n' + password);
    {
      const std::lock_guard lock(remembering);
      const auto found = remembered.find(name);
      if (found != remembered.end() && found->second.hash == hash && now() < found->second.until_ms)
        return true;
    }
    if (!password_fits(hash, password)) return false;
    const std::lock_guard lock(remembering);
    if (remembered.size() >= kMostRemembered) remembered.clear();
    remembered[name] = {hash, now() + kRememberMs};
    return true;
  }

  std::optional<KeptSession> read_session(const std::string& digest) const {
    std::optional<KeptSession> found;
    options.database->read([&](soci::session& sql) {
      KeptSession kept;
      long long created = 0, used = 0;
      sql << "SELECT user_name, stamp, created_ms, used_ms FROM sign_in_session WHERE digest = "
             ":digest",
          soci::into(kept.user), soci::into(kept.stamp), soci::into(created), soci::into(used),
          soci::use(digest);
      found.reset();
      if (!sql.got_data()) return;
      kept.created_ms = created;
      kept.used_ms = used;
      found = kept;
    });
    return found;
  }

  /// From memory, looking into the database once a second.
  std::optional<KeptSession> known_session(const std::string& digest) const {
    const int64_t at = now();
    std::optional<KeptSession> known;
    {
      const std::lock_guard lock(remembering);
      const auto found = sessions.find(digest);
      if (found != sessions.end()) known = found->second;
    }
    if (known && at >= known->looked_ms && at - known->looked_ms < kLookEveryMs) return known;
    try {
      auto read = read_session(digest);
      if (read && known) read->used_ms = std::max(read->used_ms, known->used_ms);
      known = std::move(read);
    } catch (const Error& error) {
      if (!known) throw;
      log::warn("cannot look for a session; the known one counts", {{"error", error.what()}});
    }
    const std::lock_guard lock(remembering);
    if (known) {
      if (sessions.size() >= kMostRemembered) sessions.clear();
      known->looked_ms = at;
      sessions[digest] = *known;
    } else {
      sessions.erase(digest);
    }
    return known;
  }

  /// Says that it was used, in the database once a minute.
  void touch(const std::string& digest, const KeptSession& session) const {
    const long long at = now();
    if (at - session.used_ms < kTouchEveryMs) return;
    {
      const std::lock_guard lock(remembering);
      if (const auto found = sessions.find(digest); found != sessions.end())
        found->second.used_ms = at;
    }
    try {
      options.database->write([&](soci::session& sql) {
        sql << "UPDATE sign_in_session SET used_ms = :used WHERE digest = :digest", soci::use(at),
            soci::use(digest);
      });
    } catch (const Error& error) {
      log::warn("cannot write down that a session was used", {{"error", error.what()}});
    }
  }

  bool over(const KeptSession& session, int64_t at) const {
    return at >= session.used_ms + options.idle.count() ||
           at >= session.created_ms + options.longest.count();
  }

  void forget_sessions() {
    const std::lock_guard lock(remembering);
    sessions.clear();
  }

  const SignInOptions options;
  const std::string pepper;
  mutable std::atomic<int64_t> looked_ms{0};
  mutable std::mutex looking;  // one reload a second
  mutable std::mutex mutex;    // of current
  mutable std::shared_ptr<const Snapshot> current;
  mutable std::mutex remembering;  // of the two below
  mutable std::unordered_map<std::string, Remembered> remembered;
  mutable std::unordered_map<std::string, KeptSession> sessions;  // by digest
};

SignIns::SignIns(SignInOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
SignIns::~SignIns() = default;

bool SignIns::any_password() const { return impl_->snapshot()->any_password; }

std::optional<Account> SignIns::account(const std::string& user) const {
  return Impl::account_of(*impl_->snapshot(), user);
}

std::vector<std::string> SignIns::administrators() const {
  std::vector<std::string> all;
  for (const auto& [name, holder] : impl_->snapshot()->holders)
    if (holder.role == AccountRole::kAdministrator && !holder.hash.empty()) all.push_back(name);
  return all;
}

void SignIns::users_changed() {
  impl_->reload();
  impl_->forget_sessions();
}

void SignIns::set_password(const std::string& user, const std::string& password,
                           const std::string& keep) {
  users_changed();
  const std::string stamp = impl_->holder(*impl_->snapshot(), user).stamp;
  if (user == kRoot) throw Error(Code::kInvalidArguments, "root's password is its secret key");
  check_new_password(user, password);
  const std::string hash = hash_password(password), kept = digest_of(keep);
  impl_->change([&](soci::session& sql) {
    sql << "INSERT INTO sign_in_password (user_name, stamp, hash) VALUES (:user, :stamp, :hash) "
           "ON CONFLICT (user_name) DO UPDATE SET stamp = excluded.stamp, hash = excluded.hash",
        soci::use(user), soci::use(stamp), soci::use(hash);
    sql << "DELETE FROM sign_in_session WHERE user_name = :user AND digest <> :kept",
        soci::use(user), soci::use(kept);
  });
  impl_->forget_sessions();
}

void SignIns::remove_password(const std::string& user) {
  if (user == kRoot) throw Error(Code::kInvalidArguments, "root's password is its secret key");
  impl_->change([&](soci::session& sql) {
    sql << "DELETE FROM sign_in_password WHERE user_name = :user", soci::use(user);
    sql << "DELETE FROM sign_in_session WHERE user_name = :user", soci::use(user);
  });
  impl_->forget_sessions();
}

std::optional<Account> SignIns::check_password(const std::string& user,
                                               const std::string& password) const {
  const auto now = impl_->snapshot();
  const auto root = impl_->root();
  if (root && (user == kRoot || user == root->access_key)) {
    return same_secret(root->secret_key, password) ? Impl::account_of(*now, kRoot) : std::nullopt;
  }
  const auto found = now->holders.find(user);
  const bool known = found != now->holders.end() && !found->second.hash.empty();
  const bool right = impl_->fits(user, known ? found->second.hash : nobodys_hash(), password);
  return known && right ? Impl::account_of(*now, user) : std::nullopt;
}

NewToken SignIns::create_token(const std::string& owner, const std::string& name,
                               std::chrono::milliseconds lifetime) {
  if (name.empty() || base::code_points(name) > kLongestName || !base::valid_utf8(name))
    throw Error(Code::kInvalidArguments, "a token's name has 1 to 100 characters");
  users_changed();
  const std::string stamp = impl_->holder(*impl_->snapshot(), owner).stamp;
  if (tokens(owner).size() >= kMostTokens)
    throw Error(Code::kInvalidArguments, fmt::format("'{}' has {} tokens", owner, kMostTokens))
        .with_hint("revoke one that is not used any more");
  NewToken made;
  made.secret = std::string(kTokenPrefix) + random_word();
  made.token.id = base::to_hex(random_bytes(8));
  made.token.name = name;
  made.token.owner = owner;
  made.token.created_ms = impl_->now();
  if (lifetime.count() > 0) made.token.expires_ms = made.token.created_ms + lifetime.count();
  const std::string digest = digest_of(made.secret);
  const long long created = made.token.created_ms, expires = made.token.expires_ms;
  impl_->change([&](soci::session& sql) {
    sql << "INSERT INTO sign_in_token (digest, id, owner, stamp, name, created_ms, expires_ms) "
           "VALUES (:digest, :id, :owner, :stamp, :name, :created, :expires)",
        soci::use(digest), soci::use(made.token.id), soci::use(owner), soci::use(stamp),
        soci::use(name), soci::use(created), soci::use(expires);
  });
  return made;
}

std::vector<Token> SignIns::tokens(const std::string& owner) const {
  std::vector<Token> all;
  for (const auto& [digest, kept] : impl_->snapshot()->tokens)
    if (kept.token.owner == owner) all.push_back(kept.token);
  std::ranges::sort(all, [](const Token& one, const Token& other) {
    return std::tie(one.created_ms, one.id) > std::tie(other.created_ms, other.id);
  });
  return all;
}

void SignIns::revoke_token(const std::string& owner, const std::string& id) {
  bool gone = false;
  impl_->change([&](soci::session& sql) {
    soci::statement remove =
        (sql.prepare << "DELETE FROM sign_in_token WHERE owner = :owner AND id = :id",
         soci::use(owner), soci::use(id));
    remove.execute(true);
    gone = remove.get_affected_rows() > 0;
  });
  if (!gone) throw Error(Code::kNotFound, fmt::format("there is no token '{}'", id));
}

std::optional<Account> SignIns::check_token(const std::string& secret) const {
  const auto now = impl_->snapshot();
  // Found by its digest: the time this takes tells nothing of the secret.
  const auto found = now->tokens.find(digest_of(secret));
  if (found == now->tokens.end()) return std::nullopt;
  const Token& token = found->second.token;
  if (token.expires_ms != 0 && impl_->now() >= token.expires_ms) return std::nullopt;
  return Impl::account_of(*now, token.owner);
}

NewSession SignIns::open_session(const std::string& user) {
  const std::string stamp = impl_->holder(*impl_->snapshot(), user).stamp;
  NewSession made;
  made.id = random_word();
  const long long at = impl_->now(), idle = at - impl_->options.idle.count(),
                  oldest = at - impl_->options.longest.count();
  const std::string digest = digest_of(made.id);
  impl_->options.database->write([&](soci::session& sql) {
    sql << "DELETE FROM sign_in_session WHERE used_ms <= :idle OR created_ms <= :oldest",
        soci::use(idle), soci::use(oldest);
    sql << "INSERT INTO sign_in_session (digest, user_name, stamp, created_ms, used_ms) VALUES "
           "(:digest, :user, :stamp, :created, :used)",
        soci::use(digest), soci::use(user), soci::use(stamp), soci::use(at), soci::use(at);
  });
  made.session = {user, csrf_of(made.id), at, at + impl_->options.longest.count()};
  return made;
}

std::optional<SignInSession> SignIns::session(const std::string& id) const {
  if (id.empty() || id.size() > 100) return std::nullopt;
  const std::string digest = digest_of(id);
  const auto kept = impl_->known_session(digest);
  if (!kept || impl_->over(*kept, impl_->now())) return std::nullopt;
  const auto now = impl_->snapshot();
  const auto holder = now->holders.find(kept->user);
  if (holder == now->holders.end() || holder->second.stamp != kept->stamp) return std::nullopt;
  impl_->touch(digest, *kept);
  return SignInSession{kept->user, csrf_of(id), kept->created_ms,
                       kept->created_ms + impl_->options.longest.count()};
}

void SignIns::close_session(const std::string& id) {
  const std::string digest = digest_of(id);
  impl_->options.database->write([&](soci::session& sql) {
    sql << "DELETE FROM sign_in_session WHERE digest = :digest", soci::use(digest);
  });
  impl_->forget_sessions();
}

}  // namespace meesh::access
