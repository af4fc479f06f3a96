// Who may do what: users, their keys, policies, temporary credentials and the audit trail. First
// used by the object store; the words are IAM's, so that policies people have keep working.
//
//   access::Access access({.database = &db, .key = master_key, .audit_folder = data / "audit"});
//   auto found = access.credentials(access_key, session_token);   // to verify a signature with
//   auto decision = access.decide({.identity = found->identity, .action = "s3:GetObject",
//                                  .resource = "arn:aws:s3:::datalake/raw/a.csv", …});
//
// Thread-safe; reads are answered from memory.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/jwt.h"
#include "access/policy.h"
#include "base/error.h"

namespace meesh::meta {
class Database;
}

namespace meesh::access {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

/// Who asks. Anonymous has no user and no policies; root passes every check but a Deny of a bucket
/// policy, which cannot keep it from reading and replacing that policy itself.
///
/// `user`, the name that Principal and ${aws:username} know: a user's own; "root"; "domain:NAME"
/// for a domain's key; "web:SUBJECT@ISSUER" (without https://) for a web identity.
///
/// What policies of its own allow an identity with a domain ends at the buckets of that domain; a
/// bucket policy or a public ACL of another bucket may let it in there.
struct Identity {
  std::string user;    // "" = anonymous
  std::string domain;  // the domain it belongs to, "" = none
  bool root = false;
  std::vector<Policy> policies;          // its own and its groups'
  std::optional<Policy> session_policy;  // of temporary credentials: both must allow
};

struct Credentials {
  std::string access_key, secret_key, session_token;  // token: temporary ones only
  std::optional<Time> expires;
  Identity identity;
};

struct User {
  std::string name, domain;
  bool enabled = true;
  std::vector<std::string> policies;     // names of stored policies
  std::vector<std::string> access_keys;  // ids alone
  Time created{};
};

struct NewKey {
  std::string access_key, secret_key;  // told once
};

/// One question.
struct Question {
  const Identity* identity = nullptr;
  std::string action;    // "s3:GetObject"
  std::string resource;  // "arn:aws:s3:::bucket/key"
  /// Condition keys, lower case but for what stands behind a slash ("aws:sourceip", "s3:prefix",
  /// "s3:existingobjecttag/Team"), each with its values.
  std::map<std::string, std::vector<std::string>> context;
  const Policy* resource_policy = nullptr;  // the bucket's
  bool resource_public = false;             // a canned ACL grants it to everybody
};
struct Decision {
  bool allowed = false;
  std::string reason;  // for the audit trail and the operator, not for the client
};

/// One line of the trail.
struct AuditEvent {
  Time time{};
  std::string request_id, user, access_key, remote_address, action, resource,
      outcome;  // "allowed",
                // "denied"
  int status = 0;
  std::string reason;
};

struct Options {
  meta::Database* database = nullptr;  // migrated by Access itself
  std::string key;                     // 32 bytes: seals secrets at rest and session tokens
  /// Keys used before: secrets sealed with one of them are sealed anew with `key`. Sessions of an
  /// old key end.
  std::vector<std::string> old_keys;
  std::filesystem::path audit_folder;  // "" = no trail
  std::function<Time()> clock;         // tests; empty = the system's
};

class Access {
 public:
  /// Throws INVALID_ARGUMENTS (no 32 bytes of key), CONFIG_INVALID (secrets of the database were
  /// sealed with a key that is not given), UNAVAILABLE.
  explicit Access(Options options);
  ~Access();
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  /// The built-in administrator, from the configuration; not stored.
  void set_root(std::string access_key, std::string secret_key);
  /// The buckets of a domain, from the configuration; not stored. A bucket may end in *
  /// ("sales-*").
  void set_domain(const std::string& domain, const std::vector<std::string>& buckets);
  /// A domain's own key pair, made when first asked for and kept; its identity may do everything in
  /// the domain's buckets and list all buckets (callers leave out those it cannot list). Delete the
  /// key to have a new one made. Throws NOT_FOUND for a domain that was not set.
  NewKey domain_key(const std::string& domain);

  // Users. Errors: ALREADY_EXISTS, NOT_FOUND, INVALID_ARGUMENTS. Names: 1 to 64 letters, digits and
  // any of + = , . @ _ - ; "root" is taken. Built-in policies (readwrite, readonly, writeonly,
  // consoleAdmin) cannot be replaced or deleted, and attached ones not deleted.
  void create_user(const std::string& name, const std::string& domain);
  void delete_user(const std::string& name);
  void enable_user(const std::string& name, bool enabled);
  std::vector<User> users() const;
  /// Random ids and secrets where none are given (20 and 40 characters, as AWS makes them).
  NewKey create_key(const std::string& user, std::string access_key = {},
                    std::string secret_key = {});
  void delete_key(const std::string& access_key);
  void put_policy(const std::string& name, const std::string& document);
  void delete_policy(const std::string& name);
  std::map<std::string, std::string> policies() const;  // name → document, built-in ones too
  void attach_policy(const std::string& user, const std::string& policy, bool attached);

  /// Whose key this is. Nothing for unknown keys, disabled users, expired or forged tokens, and a
  /// token that does not belong to the key.
  std::optional<Credentials> credentials(const std::string& access_key,
                                         const std::string& session_token) const;
  /// A stored user as one who asks; nothing for other names. A disabled user may do nothing.
  std::optional<Identity> identity(const std::string& user) const;
  /// True for a token of ours whose time is over: clients are told so and ask for another.
  bool expired(const std::string& session_token) const;
  /// STS AssumeRole: 900 s to 12 h; the session may do what the identity may and the policy allows.
  /// No state is kept: the token, sealed, says all; it survives restarts. It ends early when the
  /// user is disabled or deleted. Throws INVALID_ARGUMENTS (duration, policy, more than 2,048 bytes
  /// of policy), PERMISSION_DENIED (anonymous or itself temporary).
  Credentials assume(const Credentials& base, std::chrono::seconds duration,
                     const std::string& session_policy = {}) const;
  /// STS AssumeRoleWithWebIdentity: a JWT of a trusted issuer; claims "sub" and "policy" (names of
  /// stored policies, space or comma between). Throws PERMISSION_DENIED saying what is wrong.
  Credentials assume_web_identity(const std::string& jwt, std::chrono::seconds duration,
                                  const std::string& session_policy = {}) const;
  /// By issuer ("iss"). Replaces those trusted before, whose sessions end. Throws
  /// INVALID_ARGUMENTS.
  void trust_issuers(const std::map<std::string, IssuerKey>& issuers);

  /// In this order: a Deny of any policy; root; temporary credentials need their session policy's
  /// Allow; an Allow of the identity's policies (within its domain) or of the bucket's policy, or a
  /// public ACL. What is about no bucket has the resource "*" or "arn:aws:s3:::*".
  Decision decide(const Question& question) const;
  /// Kept in memory for a moment (200 ms) and then appended to <folder>/YYYY-MM-DD.jsonl. Without a
  /// time: now.
  void audit(AuditEvent event);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace meesh::access
