#include "access/directory.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "meta/database.h"

namespace meesh::access {
namespace {

constexpr long long kCheckEveryMs = 1000;
constexpr std::string_view kPurpose = "meesh access: secrets at rest";
constexpr std::string_view kKeyCheck = "these secrets were sealed with this key";
constexpr std::string_view kAboutKeyCheck = "key check";

// access_state has one row. Booleans are 0 and 1. owner_kind: 'user' or 'domain'.
const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> kMigrations = {
      {1,
       "users, keys, policies",
       {"CREATE TABLE access_state (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, "
        "key_check TEXT NOT NULL)",
        "INSERT INTO access_state VALUES (1, 0, '')",
        "CREATE TABLE access_user (name TEXT PRIMARY KEY, domain TEXT NOT NULL, "
        "enabled BIGINT NOT NULL, stamp TEXT NOT NULL, created_ms BIGINT NOT NULL)",
        "CREATE TABLE access_key (id TEXT PRIMARY KEY, owner_kind TEXT NOT NULL, "
        "owner TEXT NOT NULL, secret TEXT NOT NULL, created_ms BIGINT NOT NULL)",
        "CREATE TABLE access_policy (name TEXT PRIMARY KEY, document TEXT NOT NULL)",
        "CREATE TABLE access_attachment (user_name TEXT NOT NULL, policy TEXT NOT NULL, "
        "PRIMARY KEY (user_name, policy))"}}};
  return kMigrations;
}

const char* kind_text(Snapshot::OwnerKind kind) {
  return kind == Snapshot::OwnerKind::kUser ? "user" : "domain";
}

Error already_exists(const std::string& what, const std::string& name) {
  return Error(Code::kAlreadyExists, fmt::format("the {} '{}' exists already", what, name));
}
Error not_found(const std::string& what, const std::string& name) {
  return Error(Code::kNotFound, fmt::format("there is no {} '{}'", what, name));
}

/// Rows of `table` whose `column` is `value`.
long long count(soci::session& sql, const std::string& table, const std::string& column,
                const std::string& value) {
  long long rows = 0;
  sql << "SELECT count(*) FROM " + table + " WHERE " + column + " = :value", soci::into(rows),
      soci::use(value);
  return rows;
}

}  // namespace

std::optional<std::string> Snapshot::key_of_domain(const std::string& domain) const {
  for (const auto& [id, key] : keys) {
    if (key.kind == OwnerKind::kDomain && key.owner == domain) return id;
  }
  return std::nullopt;
}

void check_name(std::string_view what, const std::string& name) {
  const bool fine =
      !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("+=,.@_-").find(c) != std::string_view::npos;
      });
  if (fine) return;
  throw Error(Code::kInvalidArguments,
              fmt::format("'{}' cannot be the name of a {}", name.substr(0, 64), what))
      .with_hint("expected 1 to 64 letters, digits and + = , . @ _ -");
}

Directory::Directory(meta::Database& database, std::string_view key,
                     const std::vector<std::string>& old_keys, std::function<Time()> clock)
    : database_(database), seal_(key, kPurpose), clock_(std::move(clock)) {
  meta::migrate(database_, "access", migrations());
  check_key(old_keys);
  reload();
}

void Directory::check_key(const std::vector<std::string>& old_keys) {
  bool fits = false;
  std::optional<size_t> sealed_anew;
  database_.write([&](soci::session& sql) {
    sealed_anew.reset();  // the transaction may run again
    std::string sealed;
    sql << "SELECT key_check FROM access_state WHERE id = 1", soci::into(sealed);
    if (sealed.empty()) {
      sealed = seal_.seal(kKeyCheck, kAboutKeyCheck);
      sql << "UPDATE access_state SET key_check = :sealed WHERE id = 1", soci::use(sealed);
    }
    fits = seal_.open(sealed, kAboutKeyCheck) == kKeyCheck;
    for (size_t i = 0; !fits && i < old_keys.size(); ++i) {
      const Seal old(old_keys[i], kPurpose);
      if (old.open(sealed, kAboutKeyCheck) != kKeyCheck) continue;
      sealed_anew = seal_anew(sql, old);
      fits = true;
    }
  });
  if (sealed_anew) {
    log::info("the secrets of access keys were sealed anew with the current master key",
              {{"keys", *sealed_anew}});
  }
  if (fits) return;
  throw Error(Code::kConfigInvalid,
              "the secrets in the metadata database were sealed with another master key")
      .with_hint(
          "add the key that was used before to storage.old_master_keys in meesh.yaml; one that "
          "meesh made lies in keys/master.key of the data folder");
}

size_t Directory::seal_anew(soci::session& sql, const Seal& old) const {
  std::vector<std::pair<std::string, std::string>> secrets;  // by id
  {
    const soci::rowset<soci::row> keys = (sql.prepare << "SELECT id, secret FROM access_key");
    for (const soci::row& row : keys) {
      const auto id = row.get<std::string>(0);
      // What no key opens stays as it is; loading tells of it.
      if (auto secret = old.open(row.get<std::string>(1), id)) {
        secrets.emplace_back(id, std::move(*secret));
      }
    }
  }
  for (const auto& [id, secret] : secrets) {
    const std::string sealed = seal_.seal(secret, id);
    sql << "UPDATE access_key SET secret = :sealed WHERE id = :id", soci::use(sealed),
        soci::use(id);
  }
  const std::string check = seal_.seal(kKeyCheck, kAboutKeyCheck);
  sql << "UPDATE access_state SET key_check = :sealed, version = version + 1 WHERE id = 1",
      soci::use(check);
  return secrets.size();
}

long long Directory::now_ms() const { return clock_().time_since_epoch().count(); }

std::shared_ptr<const Snapshot> Directory::snapshot() const {
  reload_if_changed();
  const std::lock_guard lock(mutex_);
  return current_;
}

void Directory::reload_if_changed() const {
  const long long checked = checked_ms_.load();
  const long long now = now_ms();
  // A clock set back counts as time gone by.
  if (now >= checked && now - checked < kCheckEveryMs) return;
  // One thread looks; the others do not wait for a slow database.
  const std::unique_lock looking(looking_, std::try_to_lock);
  if (!looking.owns_lock()) return;
  checked_ms_ = now;
  try {
    long long version = 0;
    database_.read([&](soci::session& sql) {
      sql << "SELECT version FROM access_state WHERE id = 1", soci::into(version);
    });
    {
      const std::lock_guard lock(mutex_);
      if (current_->version == version) return;
    }
    reload();
  } catch (const Error& error) {
    log::warn("cannot look for changes of users and policies; the known ones count",
              {{"error", error.what()}});
  }
}

void Directory::reload() const {
  const std::lock_guard loading(loading_);
  std::shared_ptr<const Snapshot> before;
  {
    const std::lock_guard lock(mutex_);
    before = current_;
  }
  auto after = load(before ? *before : Snapshot());
  const std::lock_guard lock(mutex_);
  current_ = std::move(after);
}

std::shared_ptr<const Snapshot> Directory::load(const Snapshot& before) const {
  auto loaded = std::make_shared<Snapshot>();
  database_.read([&](soci::session& sql) {
    *loaded = Snapshot();  // the transaction may run again
    sql << "SELECT version FROM access_state WHERE id = 1", soci::into(loaded->version);
    load_policies(sql, before, *loaded);
    load_users(sql, *loaded);
    load_keys(sql, before, *loaded);
  });
  return loaded;
}

void Directory::load_users(soci::session& sql, Snapshot& into) const {
  const soci::rowset<soci::row> users =
      (sql.prepare << "SELECT name, domain, CAST(enabled AS TEXT), stamp, CAST(created_ms AS TEXT) "
                      "FROM access_user");
  for (const soci::row& row : users) {
    Snapshot::StoredUser stored;
    stored.user.name = row.get<std::string>(0);
    stored.user.domain = row.get<std::string>(1);
    stored.user.enabled = row.get<std::string>(2) == "1";
    stored.stamp = row.get<std::string>(3);
    stored.user.created = Time(std::chrono::milliseconds(std::stoll(row.get<std::string>(4))));
    into.users.emplace(stored.user.name, std::move(stored));
  }
  const soci::rowset<soci::row> attachments =
      (sql.prepare << "SELECT user_name, policy FROM access_attachment ORDER BY user_name, policy");
  for (const soci::row& row : attachments) {
    const auto user = into.users.find(row.get<std::string>(0));
    if (user != into.users.end()) user->second.user.policies.push_back(row.get<std::string>(1));
  }
}

void Directory::load_keys(soci::session& sql, const Snapshot& before, Snapshot& into) const {
  const soci::rowset<soci::row> keys =
      (sql.prepare << "SELECT id, owner_kind, owner, secret FROM access_key ORDER BY id");
  for (const soci::row& row : keys) {
    const auto id = row.get<std::string>(0);
    Snapshot::StoredKey key;
    key.kind = row.get<std::string>(1) == "domain" ? Snapshot::OwnerKind::kDomain
                                                   : Snapshot::OwnerKind::kUser;
    key.owner = row.get<std::string>(2);
    key.sealed = row.get<std::string>(3);
    const auto known = before.keys.find(id);
    if (known != before.keys.end() && known->second.sealed == key.sealed) {
      key.secret = known->second.secret;
    } else if (auto secret = seal_.open(key.sealed, id)) {
      key.secret = std::move(*secret);
    } else {
      log::error("the secret of an access key cannot be opened; the key is not accepted",
                 {{"key_id", id}, {"owner", key.owner}});
      continue;
    }
    if (key.kind == Snapshot::OwnerKind::kUser) {
      const auto owner = into.users.find(key.owner);
      if (owner == into.users.end()) continue;
      owner->second.user.access_keys.push_back(id);
    }
    into.keys.emplace(id, std::move(key));
  }
}

void Directory::load_policies(soci::session& sql, const Snapshot& before, Snapshot& into) const {
  const auto add = [&](const std::string& name, const std::string& document) {
    const auto known = before.policies.find(name);
    if (known != before.policies.end() && known->second.document == document) {
      into.policies[name] = known->second;
      return;
    }
    into.policies[name] = {document, Policy::parse(document, Policy::Kind::kIdentity)};
  };
  const soci::rowset<soci::row> policies =
      (sql.prepare << "SELECT name, document FROM access_policy");
  for (const soci::row& row : policies) {
    const auto name = row.get<std::string>(0);
    try {
      add(name, row.get<std::string>(1));
    } catch (const Error& error) {
      // What another version of meesh wrote. Leaving out a Deny would open doors.
      log::error("a stored policy cannot be read; it denies everything",
                 {{"policy", name}, {"error", error.what()}});
      into.policies[name] = {
          row.get<std::string>(1),
          Policy::parse(R"({"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}})",
                        Policy::Kind::kIdentity)};
    }
  }
  for (const auto& [name, document] : built_in_policies()) add(name, document);
}

void Directory::change(const Work& work) {
  database_.write([&](soci::session& sql) {
    work(sql);
    sql << "UPDATE access_state SET version = version + 1 WHERE id = 1";
  });
  reload();
}

void Directory::create_user(const std::string& name, const std::string& domain) {
  check_name("user", name);
  if (name == "root") throw already_exists("user", name);
  const std::string stamp = base::to_base64url(random_bytes(12));
  const long long created = now_ms();
  change([&](soci::session& sql) {
    if (count(sql, "access_user", "name", name) > 0) throw already_exists("user", name);
    sql << "INSERT INTO access_user (name, domain, enabled, stamp, created_ms) "
           "VALUES (:name, :domain, 1, :stamp, :created)",
        soci::use(name), soci::use(domain), soci::use(stamp), soci::use(created);
  });
}

void Directory::delete_user(const std::string& name) {
  change([&](soci::session& sql) {
    if (count(sql, "access_user", "name", name) == 0) throw not_found("user", name);
    sql << "DELETE FROM access_attachment WHERE user_name = :name", soci::use(name);
    sql << "DELETE FROM access_key WHERE owner_kind = 'user' AND owner = :name", soci::use(name);
    sql << "DELETE FROM access_user WHERE name = :name", soci::use(name);
  });
}

void Directory::enable_user(const std::string& name, bool enabled) {
  const std::string stamp = base::to_base64url(random_bytes(12));
  const int value = enabled ? 1 : 0;
  change([&](soci::session& sql) {
    if (count(sql, "access_user", "name", name) == 0) throw not_found("user", name);
    sql << "UPDATE access_user SET enabled = :enabled WHERE name = :name", soci::use(value),
        soci::use(name);
    if (enabled) return;
    sql << "UPDATE access_user SET stamp = :stamp WHERE name = :name", soci::use(stamp),
        soci::use(name);
  });
}

void Directory::insert_key(soci::session& sql, Snapshot::OwnerKind kind, const std::string& owner,
                           const NewKey& key) {
  if (count(sql, "access_key", "id", key.access_key) > 0) {
    throw already_exists("access key", key.access_key);
  }
  const std::string type = kind_text(kind);
  const std::string sealed = seal_.seal(key.secret_key, key.access_key);
  const long long created = now_ms();
  sql << "INSERT INTO access_key (id, owner_kind, owner, secret, created_ms) "
         "VALUES (:id, :kind, :owner, :secret, :created)",
      soci::use(key.access_key), soci::use(type), soci::use(owner), soci::use(sealed),
      soci::use(created);
}

void Directory::put_key(Snapshot::OwnerKind kind, const std::string& owner, const NewKey& key) {
  change([&](soci::session& sql) {
    if (kind == Snapshot::OwnerKind::kUser && count(sql, "access_user", "name", owner) == 0) {
      throw not_found("user", owner);
    }
    insert_key(sql, kind, owner, key);
  });
}

NewKey Directory::domain_key(const std::string& domain) {
  const auto known = [&]() -> std::optional<NewKey> {
    const auto now = snapshot();
    const auto id = now->key_of_domain(domain);
    if (!id) return std::nullopt;
    return NewKey{*id, now->keys.at(*id).secret};
  };
  if (auto key = known()) return *key;
  const NewKey made{random_key_id("AKIA"), random_secret()};
  change([&](soci::session& sql) {
    long long rows = 0;  // of another process, since
    sql << "SELECT count(*) FROM access_key WHERE owner_kind = 'domain' AND owner = :domain",
        soci::into(rows), soci::use(domain);
    if (rows == 0) insert_key(sql, Snapshot::OwnerKind::kDomain, domain, made);
  });
  if (auto key = known()) return *key;
  internal_error("the key of a domain was made and is not there");
}

void Directory::delete_key(const std::string& access_key) {
  change([&](soci::session& sql) {
    if (count(sql, "access_key", "id", access_key) == 0) throw not_found("access key", access_key);
    sql << "DELETE FROM access_key WHERE id = :id", soci::use(access_key);
  });
}

void Directory::put_policy(const std::string& name, const std::string& document) {
  change([&](soci::session& sql) {
    sql << "INSERT INTO access_policy (name, document) VALUES (:name, :document) "
           "ON CONFLICT (name) DO UPDATE SET document = excluded.document",
        soci::use(name), soci::use(document);
  });
}

void Directory::delete_policy(const std::string& name) {
  change([&](soci::session& sql) {
    if (count(sql, "access_policy", "name", name) == 0) throw not_found("policy", name);
    if (const long long users = count(sql, "access_attachment", "policy", name)) {
      throw Error(Code::kInvalidArguments, fmt::format("the policy '{}' is attached to {} user{}",
                                                       name, users, users == 1 ? "" : "s"))
          .with_hint("detach it first");
    }
    sql << "DELETE FROM access_policy WHERE name = :name", soci::use(name);
  });
}

void Directory::attach_policy(const std::string& user, const std::string& policy, bool attached) {
  change([&](soci::session& sql) {
    if (count(sql, "access_user", "name", user) == 0) throw not_found("user", user);
    if (!built_in_policies().contains(policy) && count(sql, "access_policy", "name", policy) == 0) {
      throw not_found("policy", policy);
    }
    if (attached) {
      sql << "INSERT INTO access_attachment (user_name, policy) VALUES (:user, :policy) "
             "ON CONFLICT (user_name, policy) DO NOTHING",
          soci::use(user), soci::use(policy);
    } else {
      sql << "DELETE FROM access_attachment WHERE user_name = :user AND policy = :policy",
          soci::use(user), soci::use(policy);
    }
  });
}

}  // namespace meesh::access
