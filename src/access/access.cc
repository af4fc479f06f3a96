#include "access/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <shared_mutex>

#include "access/audit_trail.h"
#include "access/directory.h"
#include "access/jwt.h"
#include "access/session_token.h"

namespace meesh::access {
namespace {

constexpr auto kShortestSession = std::chrono::seconds(900);
constexpr auto kLongestSession = std::chrono::hours(12);
constexpr size_t kMostSessionPolicyBytes = 2048;  // STS's own limit
constexpr size_t kMostKeptPolicies = 1024;

std::string domain_user(const std::string& domain) { return "domain:" + domain; }

/// Access keys stand between slashes and commas in a signature; MinIO's users have short ones.
void check_key(const std::string& access_key, const std::string& secret_key) {
  const bool id = access_key.size() >= 3 && access_key.size() <= 128 &&
                  std::all_of(access_key.begin(), access_key.end(), [](char c) {
                    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') ||
                           std::string_view("_.@+-").find(c) != std::string_view::npos;
                  });
  if (!id) {
    throw Error(Code::kInvalidArguments, "an access key of this form is not possible")
        .with_hint("expected 3 to 128 letters, digits and _ . @ + -");
  }
  if (secret_key.size() < 8 || secret_key.size() > 128 ||
      !std::all_of(secret_key.begin(), secret_key.end(),
                   [](char c) { return c > ' ' && c < 127; })) {
    throw Error(Code::kInvalidArguments, "a secret key of this form is not possible")
        .with_hint("expected 8 to 128 printable ASCII characters without spaces");
  }
}

/// What a domain may do: everything in its buckets.
Policy policy_of_domain(const std::vector<std::string>& buckets) {
  boost::json::array resources;
  for (const std::string& bucket : buckets) {
    std::string_view name = bucket;
    if (name.ends_with('*')) name.remove_suffix(1);
    if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") !=
                            std::string_view::npos) {
      throw Error(Code::kInvalidArguments, fmt::format("'{}' cannot be a bucket", bucket))
          .with_hint("expected a bucket's name, or its beginning and *");
    }
    resources.emplace_back("arn:aws:s3:::" + bucket);
    resources.emplace_back("arn:aws:s3:::" + bucket + "/*");
  }
  boost::json::array statements;
  statements.push_back(
      {{"Effect", "Allow"}, {"Action", {"s3:ListAllMyBuckets", "sts:*"}}, {"Resource", "*"}});
  if (!resources.empty()) {
    statements.push_back({{"Effect", "Allow"}, {"Action", "s3:*"}, {"Resource", resources}});
  }
  return Policy::parse(
      boost::json::serialize(boost::json::object{{"Statement", std::move(statements)}}),
      Policy::Kind::kIdentity);
}

bool about_bucket_policy(std::string_view action) {
  return action == "s3:GetBucketPolicy" || action == "s3:PutBucketPolicy" ||
         action == "s3:DeleteBucketPolicy";
}

Error denied(std::string message) { return Error(Code::kPermissionDenied, std::move(message)); }

std::function<Time()> clock_of(const Options& options) {
  if (options.clock) return options.clock;
  return [] {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  };
}

}  // namespace

struct Access::Impl {
  explicit Impl(Options given)
      : options(std::move(given)),
        clock(clock_of(options)),
        sessions(options.key, "meesh access: sessions"),
        directory(*options.database, options.key, options.old_keys, clock) {
    if (!options.audit_folder.empty()) trail = std::make_unique<AuditTrail>(options.audit_folder);
  }

  std::string root_stamp() const {
    return sessions.fingerprint(root.access_key + "\n" + root.secret_key);
  }

  Identity root_identity() const {
    Identity identity;
    identity.user = "root";
    identity.root = true;
    return identity;
  }
  /// Nothing for a domain that was not set.
  std::optional<Identity> domain_identity(const std::string& domain) const {
    const auto found = domains.find(domain);
    if (found == domains.end()) return std::nullopt;
    Identity identity;
    identity.user = domain_user(domain);
    identity.domain = domain;
    identity.policies.push_back(found->second);
    return identity;
  }
  static Identity user_identity(const Snapshot& now, const User& user) {
    Identity identity;
    identity.user = user.name;
    identity.domain = user.domain;
    for (const std::string& name : user.policies) {
      const auto policy = now.policies.find(name);
      if (policy != now.policies.end()) identity.policies.push_back(policy->second.policy);
    }
    return identity;
  }
  /// Nothing if one of the policies is gone: it may have been what denies.
  static std::optional<Identity> web_identity(const Snapshot& now, const Session& session) {
    Identity identity;
    identity.user = session.name;
    for (const std::string& name : session.policies) {
      const auto policy = now.policies.find(name);
      if (policy == now.policies.end()) return std::nullopt;
      identity.policies.push_back(policy->second.policy);
    }
    return identity;
  }

  /// `lock` on configuration is held.
  std::optional<Credentials> of_key(const Snapshot& now, const std::string& access_key) const {
    if (!root.access_key.empty() && access_key == root.access_key) {
      return Credentials{access_key, root.secret_key, {}, {}, root_identity()};
    }
    const auto key = now.keys.find(access_key);
    if (key == now.keys.end()) return std::nullopt;
    const Snapshot::StoredKey& stored = key->second;
    if (stored.kind == Snapshot::OwnerKind::kDomain) {
      auto identity = domain_identity(stored.owner);
      if (!identity) return std::nullopt;
      return Credentials{access_key, stored.secret, {}, {}, std::move(*identity)};
    }
    const auto user = now.users.find(stored.owner);
    if (user == now.users.end() || !user->second.user.enabled) return std::nullopt;
    return Credentials{access_key, stored.secret, {}, {}, user_identity(now, user->second.user)};
  }

  /// Who a session is now; nothing if it was revoked.
  std::optional<Identity> identity_of(const Snapshot& now, const Session& session) const {
    switch (session.kind) {
      case Session::Kind::kRoot:
        if (root.access_key.empty() || session.stamp != root_stamp()) return std::nullopt;
        return root_identity();
      case Session::Kind::kUser: {
        const auto user = now.users.find(session.name);
        if (user == now.users.end() || !user->second.user.enabled ||
            user->second.stamp != session.stamp) {
          return std::nullopt;
        }
        return user_identity(now, user->second.user);
      }
      case Session::Kind::kDomain:
        if (now.key_of_domain(session.name) != session.stamp) return std::nullopt;
        return domain_identity(session.name);
      case Session::Kind::kWeb:
        if (!issuers.trusts(session.stamp)) return std::nullopt;
        return web_identity(now, session);
    }
    return std::nullopt;
  }

  std::optional<Credentials> of_session(const Snapshot& now, const std::string& access_key,
                                        const std::string& token) {
    const auto session = read_session(token, sessions);
    if (!session || session->access_key != access_key || session->expires <= clock()) {
      return std::nullopt;
    }
    auto identity = identity_of(now, *session);
    if (!identity) return std::nullopt;
    if (!session->session_policy.empty()) {
      identity->session_policy = parsed(session->session_policy);
    }
    return Credentials{access_key, session->secret_key, token, session->expires,
                       std::move(*identity)};
  }

  /// Session policies come with every request of a session: the last ones are kept.
  Policy parsed(const std::string& document) {
    {
      const std::lock_guard lock(parsed_mutex);
      const auto known = parsed_policies.find(document);
      if (known != parsed_policies.end()) return known->second;
    }
    Policy policy = Policy::parse(document, Policy::Kind::kIdentity);
    const std::lock_guard lock(parsed_mutex);
    if (parsed_policies.size() >= kMostKeptPolicies) parsed_policies.clear();
    parsed_policies.emplace(document, policy);
    return policy;
  }

  /// Completes and seals a session for `identity`.
  Credentials start(Session session, Identity identity, std::chrono::seconds duration,
                    const std::string& session_policy) {
    if (duration < kShortestSession || duration > kLongestSession) {
      throw Error(Code::kInvalidArguments,
                  fmt::format("a session of {} s is not possible", duration.count()))
          .with_hint("expected 900 to 43200 s");
    }
    if (session_policy.size() > kMostSessionPolicyBytes) {
      throw Error(Code::kInvalidArguments,
                  fmt::format("the session policy has {} bytes, more than {}",
                              session_policy.size(), kMostSessionPolicyBytes));
    }
    if (!session_policy.empty()) identity.session_policy = parsed(session_policy);
    session.access_key = random_key_id("ASIA");
    session.secret_key = random_secret();
    session.session_policy = session_policy;
    session.expires = clock() + duration;
    return {session.access_key, session.secret_key, write_session(session, sessions),
            session.expires, std::move(identity)};
  }

  const Options options;
  const std::function<Time()> clock;
  const Seal sessions;
  Directory directory;
  std::unique_ptr<AuditTrail> trail;

  mutable std::shared_mutex configuration;  // of the next three
  NewKey root;
  std::map<std::string, Policy> domains;
  TrustedIssuers issuers;

  std::mutex parsed_mutex;
  std::unordered_map<std::string, Policy> parsed_policies;
};

Access::Access(Options options) {
  if (!options.database) internal_error("access without a metadata database");
  impl_ = std::make_unique<Impl>(std::move(options));
}

Access::~Access() = default;

void Access::set_root(std::string access_key, std::string secret_key) {
  check_key(access_key, secret_key);
  const std::unique_lock lock(impl_->configuration);
  impl_->root = {std::move(access_key), std::move(secret_key)};
}

void Access::set_domain(const std::string& domain, const std::vector<std::string>& buckets) {
  check_name("domain", domain);
  Policy policy = policy_of_domain(buckets);
  const std::unique_lock lock(impl_->configuration);
  impl_->domains[domain] = std::move(policy);
}

NewKey Access::domain_key(const std::string& domain) {
  {
    const std::shared_lock lock(impl_->configuration);
    if (!impl_->domains.contains(domain)) {
      throw Error(Code::kNotFound, fmt::format("there is no domain '{}'", domain));
    }
  }
  return impl_->directory.domain_key(domain);
}

void Access::create_user(const std::string& name, const std::string& domain) {
  if (!domain.empty()) check_name("domain", domain);
  impl_->directory.create_user(name, domain);
}
void Access::delete_user(const std::string& name) { impl_->directory.delete_user(name); }
void Access::enable_user(const std::string& name, bool enabled) {
  impl_->directory.enable_user(name, enabled);
}

std::vector<User> Access::users() const {
  std::vector<User> all;
  const auto now = impl_->directory.snapshot();
  for (const auto& [name, stored] : now->users) all.push_back(stored.user);
  return all;
}

NewKey Access::create_key(const std::string& user, std::string access_key, std::string secret_key) {
  if (access_key.empty()) access_key = random_key_id("AKIA");
  if (secret_key.empty()) secret_key = random_secret();
  check_key(access_key, secret_key);
  {
    const std::shared_lock lock(impl_->configuration);
    if (access_key == impl_->root.access_key) {
      throw Error(Code::kAlreadyExists, "this access key is the administrator's");
    }
  }
  const NewKey key{std::move(access_key), std::move(secret_key)};
  impl_->directory.put_key(Snapshot::OwnerKind::kUser, user, key);
  return key;
}

void Access::delete_key(const std::string& access_key) { impl_->directory.delete_key(access_key); }

void Access::put_policy(const std::string& name, const std::string& document) {
  check_name("policy", name);
  if (built_in_policies().contains(name)) {
    throw Error(Code::kInvalidArguments, fmt::format("the policy '{}' is built in", name));
  }
  Policy::parse(document, Policy::Kind::kIdentity);
  impl_->directory.put_policy(name, document);
}

void Access::delete_policy(const std::string& name) {
  if (built_in_policies().contains(name)) {
    throw Error(Code::kInvalidArguments, fmt::format("the policy '{}' is built in", name));
  }
  impl_->directory.delete_policy(name);
}

std::map<std::string, std::string> Access::policies() const {
  std::map<std::string, std::string> all;
  const auto now = impl_->directory.snapshot();
  for (const auto& [name, stored] : now->policies) all[name] = stored.document;
  return all;
}

void Access::attach_policy(const std::string& user, const std::string& policy, bool attached) {
  impl_->directory.attach_policy(user, policy, attached);
}

std::optional<Credentials> Access::credentials(const std::string& access_key,
                                               const std::string& session_token) const {
  const auto now = impl_->directory.snapshot();
  const std::shared_lock lock(impl_->configuration);
  if (session_token.empty()) return impl_->of_key(*now, access_key);
  return impl_->of_session(*now, access_key, session_token);
}

std::optional<Identity> Access::identity(const std::string& user) const {
  const auto now = impl_->directory.snapshot();
  const auto found = now->users.find(user);
  if (found == now->users.end()) return std::nullopt;
  Identity identity = Impl::user_identity(*now, found->second.user);
  if (!found->second.user.enabled) identity.policies.clear();
  return identity;
}

bool Access::expired(const std::string& session_token) const {
  const auto session = read_session(session_token, impl_->sessions);
  return session && session->expires <= impl_->clock();
}

Credentials Access::assume(const Credentials& base, std::chrono::seconds duration,
                           const std::string& session_policy) const {
  if (!base.session_token.empty()) {
    throw denied("temporary credentials cannot ask for others");
  }
  const auto now = impl_->directory.snapshot();
  const std::shared_lock lock(impl_->configuration);
  // What `base` says may be old or somebody's invention: the key says who it is.
  auto current = impl_->of_key(*now, base.access_key);
  if (base.access_key.empty() || !current)
    throw denied("only known users have temporary credentials");
  Identity& identity = current->identity;
  Session session;
  if (identity.root) {
    session.kind = Session::Kind::kRoot;
    session.name = identity.user;
    session.stamp = impl_->root_stamp();
  } else if (now->keys.at(base.access_key).kind == Snapshot::OwnerKind::kDomain) {
    session.kind = Session::Kind::kDomain;
    session.name = identity.domain;
    session.stamp = base.access_key;
  } else {
    session.name = identity.user;
    session.stamp = now->users.at(identity.user).stamp;
  }
  return impl_->start(std::move(session), std::move(identity), duration, session_policy);
}

Credentials Access::assume_web_identity(const std::string& jwt, std::chrono::seconds duration,
                                        const std::string& session_policy) const {
  const auto now = impl_->directory.snapshot();
  const std::shared_lock lock(impl_->configuration);
  const WebIdentity web = impl_->issuers.verify(jwt, impl_->clock());
  if (web.policies.empty()) {
    throw denied("the web identity token is not accepted: it names no policy (claim \"policy\")");
  }
  std::string_view issuer = web.issuer;
  if (issuer.starts_with("https://")) issuer.remove_prefix(std::string_view("https://").size());
  Session session;
  session.kind = Session::Kind::kWeb;
  session.name = fmt::format("web:{}@{}", web.subject, issuer);
  session.stamp = web.issuer;
  session.policies = web.policies;
  auto identity = Impl::web_identity(*now, session);
  if (!identity) {
    throw denied("the web identity token is not accepted: it names a policy that does not exist");
  }
  return impl_->start(std::move(session), std::move(*identity), duration, session_policy);
}

void Access::trust_issuers(const std::map<std::string, IssuerKey>& issuers) {
  TrustedIssuers trusted(issuers);
  const std::unique_lock lock(impl_->configuration);
  impl_->issuers = std::move(trusted);
}

Decision Access::decide(const Question& question) const {
  static const Identity kAnonymous;
  const Identity& who = question.identity ? *question.identity : kAnonymous;
  const PolicyRequest request{.principal = who.user,
                              .action = question.action,
                              .resource = question.resource.empty() || question.resource == "*"
                                              ? std::string_view("arn:aws:s3:::*")
                                              : std::string_view(question.resource),
                              .context = &question.context};

  const Effect by_bucket =
      question.resource_policy ? question.resource_policy->evaluate(request) : Effect::kNone;
  if (by_bucket == Effect::kDeny && !(who.root && about_bucket_policy(question.action))) {
    return {false, "the bucket's policy denies it"};
  }
  Effect by_own = Effect::kNone;
  for (const Policy& policy : who.policies) {
    const Effect effect = policy.evaluate(request);
    if (effect == Effect::kDeny) return {false, "a policy of the user denies it"};
    if (effect == Effect::kAllow) by_own = effect;
  }
  if (who.session_policy) {
    const Effect effect = who.session_policy->evaluate(request);
    if (effect == Effect::kDeny) return {false, "the session's policy denies it"};
    if (effect != Effect::kAllow) return {false, "the session's policy does not allow it"};
  }
  if (who.root) return {true, "the administrator"};

  bool outside = false;
  if (by_own == Effect::kAllow && !who.domain.empty()) {
    const std::shared_lock lock(impl_->configuration);
    const auto domain = impl_->domains.find(who.domain);
    outside = domain == impl_->domains.end() || domain->second.evaluate(request) != Effect::kAllow;
  }
  if (by_own == Effect::kAllow && !outside) return {true, "a policy of the user"};
  if (by_bucket == Effect::kAllow) return {true, "the bucket's policy"};
  if (question.resource_public) return {true, "the bucket or object is public"};
  if (outside) return {false, fmt::format("it is outside the domain '{}'", who.domain)};
  return {false, "no policy allows it"};
}

void Access::audit(AuditEvent event) {
  if (!impl_->trail) return;
  if (event.time == Time{}) event.time = impl_->clock();
  impl_->trail->add(event);
}

}  // namespace meesh::access
