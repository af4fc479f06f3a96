// Users, keys and stored policies: kept in the metadata database, read from memory.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "access/access.h"
#include "access/sealing.h"

namespace soci {
class session;
}

namespace meesh::access {

/// Everything at one moment; never changed once made.
struct Snapshot {
  struct StoredUser {
    User user;
    /// Of the user's sessions: another one after a deletion or a disabling ends them all.
    std::string stamp;
  };
  enum class OwnerKind { kUser, kDomain };
  struct StoredKey {
    OwnerKind kind = OwnerKind::kUser;
    std::string owner, secret;
    /// What is in the database, to tell whether it changed.
    std::string sealed;
  };
  struct StoredPolicy {
    std::string document;
    Policy policy;
  };
  long long version = -1;
  std::map<std::string, StoredUser> users;
  std::unordered_map<std::string, StoredKey> keys;
  std::map<std::string, StoredPolicy> policies;  // built-in ones too

  /// The key of a domain, if it has one: its id.
  std::optional<std::string> key_of_domain(const std::string& domain) const;
};

/// Thread-safe. What a change of this process acknowledged, its next reading sees; changes of other
/// processes are seen within a second or so.
class Directory {
 public:
  /// Migrates the database, and seals its secrets anew if they were sealed with one of `old_keys`.
  /// Throws CONFIG_INVALID if they were sealed with a key that is not given.
  Directory(meta::Database& database, std::string_view key,
            const std::vector<std::string>& old_keys, std::function<Time()> clock);

  std::shared_ptr<const Snapshot> snapshot() const;

  // Errors as in Access.
  void create_user(const std::string& name, const std::string& domain);
  void delete_user(const std::string& name);
  void enable_user(const std::string& name, bool enabled);
  void put_key(Snapshot::OwnerKind kind, const std::string& owner, const NewKey& key);
  /// The key of a domain; made if there is none.
  NewKey domain_key(const std::string& domain);
  void delete_key(const std::string& access_key);
  void put_policy(const std::string& name, const std::string& document);
  void delete_policy(const std::string& name);
  void attach_policy(const std::string& user, const std::string& policy, bool attached);

 private:
  using Work = std::function<void(soci::session&)>;
  void check_key(const std::vector<std::string>& old_keys);
  /// From `old` to the current key; how many secrets.
  size_t seal_anew(soci::session& sql, const Seal& old) const;
  /// Runs `work` and counts the version up in one transaction, then reads everything again.
  void change(const Work& work);
  void insert_key(soci::session& sql, Snapshot::OwnerKind kind, const std::string& owner,
                  const NewKey& key);
  void reload() const;
  void reload_if_changed() const;
  std::shared_ptr<const Snapshot> load(const Snapshot& before) const;
  void load_users(soci::session& sql, Snapshot& into) const;
  void load_keys(soci::session& sql, const Snapshot& before, Snapshot& into) const;
  void load_policies(soci::session& sql, const Snapshot& before, Snapshot& into) const;
  long long now_ms() const;

  meta::Database& database_;
  const Seal seal_;
  const std::function<Time()> clock_;
  mutable std::mutex loading_;  // one reload at a time
  mutable std::mutex looking_;  // whether the version changed
  mutable std::mutex mutex_;    // of current_
  mutable std::shared_ptr<const Snapshot> current_;
  mutable std::atomic<long long> checked_ms_{0};  // when the version was last looked at
};

/// Names of the built-in policies and their documents, as MinIO has them.
const std::map<std::string, std::string>& built_in_policies();

/// Throws INVALID_ARGUMENTS unless it is 1 to 64 letters, digits and + = , . @ _ -
void check_name(std::string_view what, const std::string& name);

}  // namespace meesh::access
