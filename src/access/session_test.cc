// Temporary credentials: STS AssumeRole and AssumeRoleWithWebIdentity.
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "access/access.h"
#include "access/access_fixture_test.h"
#include "access/sealing.h"
#include "base/text.h"

namespace meesh::access {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr const char* kGetOnly =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"}})";

class SessionTest : public AccessTest {
 protected:
  void SetUp() override {
    AccessTest::SetUp();
    access_->create_user("ann", "");
    access_->attach_policy("ann", "readwrite", true);
    key_of_ann_ = access_->create_key("ann");
  }
  Credentials ann() const { return *access_->credentials(key_of_ann_.access_key, ""); }
  std::optional<Identity> identity_of_session(const Credentials& c) const {
    const auto found = access_->credentials(c.access_key, c.session_token);
    if (!found) return std::nullopt;
    return found->identity;
  }
  NewKey key_of_ann_;
};

TEST_P(SessionTest, MayDoWhatBothAllow) {
  const Credentials session = access_->assume(ann(), 900s, kGetOnly);
  EXPECT_THAT(session.access_key, MatchesRegex("ASIA[A-Z2-7]{16}"));
  EXPECT_THAT(session.secret_key, MatchesRegex("[A-Za-z0-9+]{40}"));
  EXPECT_THAT(session.session_token, Not(HasSubstr(session.secret_key)));
  EXPECT_EQ(session.expires, now_.load() + 900s);
  const auto found = access_->credentials(session.access_key, session.session_token);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->secret_key, session.secret_key);
  EXPECT_EQ(found->expires, session.expires);
  EXPECT_EQ(found->identity.user, "ann");
  for (const Identity& identity : {found->identity, session.identity}) {
    EXPECT_TRUE(may(identity, "s3:GetObject", "arn:aws:s3:::lake/a"));
    EXPECT_FALSE(may(identity, "s3:PutObject", "arn:aws:s3:::lake/a"));
    EXPECT_FALSE(may(identity, "s3:GetObject", "arn:aws:s3:::other/a"));
  }
  access_->attach_policy("ann", "readwrite", false);
  EXPECT_FALSE(may(*identity_of_session(session), "s3:GetObject", "arn:aws:s3:::lake/a"));
}

TEST_P(SessionTest, WithoutPolicyMayDoAllItsUserMay) {
  const auto identity = identity_of_session(access_->assume(ann(), 12h));
  EXPECT_TRUE(may(*identity, "s3:PutObject", "arn:aws:s3:::other/a"));
  EXPECT_FALSE(may(*identity, "admin:CreateUser", "*"));
}

TEST_P(SessionTest, LimitsABucketsPolicyAndRootToo) {
  const Policy open = Policy::parse(
      R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::lake/*"}})",
      Policy::Kind::kResource);
  const Identity session = *identity_of_session(access_->assume(ann(), 900s, kGetOnly));
  EXPECT_TRUE(may(session, "s3:GetObject", "arn:aws:s3:::lake/a", &open));
  EXPECT_FALSE(may(session, "s3:PutObject", "arn:aws:s3:::lake/a", &open));
  const auto root = *access_->credentials("minioadmin", "");
  const Identity limited = *identity_of_session(access_->assume(root, 900s, kGetOnly));
  EXPECT_TRUE(may(limited, "s3:GetObject", "arn:aws:s3:::lake/a"));
  EXPECT_FALSE(may(limited, "s3:PutObject", "arn:aws:s3:::lake/a"));
}

TEST_P(SessionTest, SurvivesARestartAndEndsInTime) {
  const Credentials session = access_->assume(ann(), 900s);
  start();
  EXPECT_TRUE(known(session));
  EXPECT_FALSE(access_->expired(session.session_token));
  pass(900s - 1ms);
  EXPECT_TRUE(known(session));
  pass(1ms);
  EXPECT_FALSE(known(session));
  EXPECT_TRUE(access_->expired(session.session_token));
  EXPECT_FALSE(access_->expired("nonsense"));
}

TEST_P(SessionTest, IsRevokedWithItsUser) {
  const Credentials session = access_->assume(ann(), 900s);
  access_->enable_user("ann", false);
  EXPECT_FALSE(known(session));
  access_->enable_user("ann", true);
  EXPECT_FALSE(known(session)) << "disabling ended it for good";
  const Credentials next = access_->assume(ann(), 900s);
  EXPECT_TRUE(known(next));
  access_->delete_user("ann");
  EXPECT_FALSE(known(next));
  access_->create_user("ann", "");
  EXPECT_FALSE(known(next)) << "another ann";
}

TEST_P(SessionTest, OfRootAndDomainsEndWithTheirKeys) {
  access_->set_domain("sales", {"sales"});
  const NewKey key = access_->domain_key("sales");
  const Credentials sales = access_->assume(*access_->credentials(key.access_key, ""), 900s);
  EXPECT_TRUE(may(*identity_of_session(sales), "s3:PutObject", "arn:aws:s3:::sales/x"));
  EXPECT_FALSE(may(*identity_of_session(sales), "s3:GetObject", "arn:aws:s3:::supply/x"));
  const Credentials root = access_->assume(*access_->credentials("minioadmin", ""), 900s);
  EXPECT_TRUE(identity_of_session(root)->root);
  access_->set_root("minioadmin", "another-secret");
  EXPECT_FALSE(known(root));
  access_->delete_key(key.access_key);
  EXPECT_FALSE(known(sales));
}

TEST_P(SessionTest, ForgedTokensAreNotKnown) {
  const Credentials session = access_->assume(ann(), 900s, kGetOnly);
  const auto accepts = [&](const std::string& token) {
    return access_->credentials(session.access_key, token).has_value();
  };
  ASSERT_TRUE(accepts(session.session_token));
  for (size_t i = 0; i < session.session_token.size(); ++i) {
    std::string token = session.session_token;
    token[i] = token[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(accepts(token)) << i;
    EXPECT_FALSE(accepts(session.session_token.substr(0, i))) << i;
  }
  EXPECT_FALSE(accepts(session.session_token + "A"));
  EXPECT_FALSE(accepts(std::string(100'000, 'A')));
  EXPECT_FALSE(access_->credentials(key_of_ann_.access_key, session.session_token))
      << "another key's token";
  EXPECT_FALSE(access_->credentials(session.access_key, ""));
  // Sealed by a server with another master key.
  const auto elsewhere =
      meta::Database::open({.kind = meta::Backend::kSqlite, .location = folder_ / "other.db"});
  Access other({.database = elsewhere.get(), .key = std::string(32, 'o'), .clock = [this] {
                  return now_.load();
                }});
  other.create_user("ann", "");
  const NewKey key = other.create_key("ann");
  const Credentials foreign = other.assume(*other.credentials(key.access_key, ""), 900s);
  EXPECT_FALSE(known(foreign));
}

TEST_P(SessionTest, WhatCannotBeAssumed) {
  const auto code = [&](const std::function<void()>& action) { return code_of(action); };
  EXPECT_EQ(code([&] { access_->assume(ann(), 899s); }), Code::kInvalidArguments);
  EXPECT_EQ(code([&] { access_->assume(ann(), 43201s); }), Code::kInvalidArguments);
  EXPECT_EQ(code([&] { access_->assume(ann(), 900s, "{}"); }), Code::kInvalidArguments);
  EXPECT_EQ(code([&] { access_->assume(ann(), 900s, std::string(2049, ' ')); }),
            Code::kInvalidArguments);
  EXPECT_EQ(code([&] { access_->assume({}, 900s); }), Code::kPermissionDenied);
  const Credentials session = access_->assume(ann(), 900s);
  EXPECT_EQ(code([&] { access_->assume(session, 900s); }), Code::kPermissionDenied);
  Credentials disguised = session;
  disguised.session_token.clear();
  EXPECT_EQ(code([&] { access_->assume(disguised, 900s); }), Code::kPermissionDenied);
  const Credentials old = ann();
  access_->enable_user("ann", false);
  EXPECT_EQ(code([&] { access_->assume(old, 900s); }), Code::kPermissionDenied);
}

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::string pem_of(EVP_PKEY* key) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PUBKEY(out.get(), key);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<size_t>(size)};
}

std::string sign(EVP_PKEY* key, const std::string& content) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  size_t size = 1024;
  std::string signature(size, '\0');
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key);
  EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                 reinterpret_cast<const unsigned char*>(content.data()), content.size());
  signature.resize(size);
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return signature;
  const auto* der = reinterpret_cast<const unsigned char*>(signature.data());
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(
      d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size)), &ECDSA_SIG_free);
  std::string raw(64, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), reinterpret_cast<unsigned char*>(raw.data()), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), reinterpret_cast<unsigned char*>(raw.data()) + 32,
               32);
  return raw;
}

class WebIdentityTest : public SessionTest {
 protected:
  static constexpr const char* kSecret = "0123456789abcdef0123456789abcdef";

  void SetUp() override {
    SessionTest::SetUp();
    access_->trust_issuers(issuers());
  }
  static std::map<std::string, IssuerKey> issuers(
      const std::vector<std::string>& audiences_of_shared = {}) {
    return {{"https://rsa.example", {pem_of(rsa()), {}}},
            {"https://ec.example/realm", {pem_of(ec()), {}}},
            {"shared", {std::string("secret:") + kSecret, audiences_of_shared}}};
  }
  static EVP_PKEY* rsa() {
    static const KeyPtr kKey(EVP_RSA_gen(2048), &EVP_PKEY_free);
    return kKey.get();
  }
  static EVP_PKEY* ec() {
    static const KeyPtr kKey(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    return kKey.get();
  }
  static std::string unsigned_part(const std::string& header, const std::string& claims) {
    return base::to_base64url(header) + "." + base::to_base64url(claims);
  }
  static std::string shared(const std::string& claims,
                            const std::string& header = R"({"alg":"HS256","typ":"JWT"})") {
    const std::string content = unsigned_part(header, claims);
    return content + "." + base::to_base64url(hmac_sha256(kSecret, content));
  }
  /// Claims of a good token, with more of them or others.
  std::string claims(const std::string& issuer, const std::string& more = "",
                     const std::string& policy = R"("readonly")") const {
    const auto exp = now_.load().time_since_epoch() / 1s + 300;
    return fmt::format(R"({{"iss":"{}","sub":"7f3a","policy":{},"exp":{}{}}})", issuer, policy, exp,
                       more);
  }
  std::string refusal(const std::string& jwt) {
    EXPECT_EQ(code_of([&] { access_->assume_web_identity(jwt, 900s); }), Code::kPermissionDenied);
    return last_message_;
  }
};

TEST_P(WebIdentityTest, EachAlgorithm) {
  std::string content = unsigned_part(R"({"alg":"RS256"})", claims("https://rsa.example"));
  const Credentials rsa_session =
      access_->assume_web_identity(content + "." + base::to_base64url(sign(rsa(), content)), 900s);
  EXPECT_EQ(rsa_session.identity.user, "web:7f3a@rsa.example");
  content = unsigned_part(R"({"alg":"ES256"})", claims("https://ec.example/realm"));
  const Credentials ec_session = access_->assume_web_identity(
      content + "." + base::to_base64url(sign(ec(), content)), 900s, kGetOnly);
  EXPECT_EQ(ec_session.identity.user, "web:7f3a@ec.example/realm");
  const Credentials shared_session =
      access_->assume_web_identity(shared(claims("shared", "", R"("readonly, writeonly")")), 900s);
  start();
  access_->trust_issuers(issuers());
  EXPECT_TRUE(may(*identity_of_session(rsa_session), "s3:GetObject", "arn:aws:s3:::x/y"));
  EXPECT_FALSE(may(*identity_of_session(rsa_session), "s3:PutObject", "arn:aws:s3:::x/y"));
  EXPECT_TRUE(may(*identity_of_session(ec_session), "s3:GetObject", "arn:aws:s3:::lake/y"));
  EXPECT_FALSE(may(*identity_of_session(ec_session), "s3:GetObject", "arn:aws:s3:::x/y"));
  EXPECT_TRUE(may(*identity_of_session(shared_session), "s3:PutObject", "arn:aws:s3:::x/y"));
  access_->trust_issuers({});
  EXPECT_FALSE(known(rsa_session)) << "its issuer is not trusted any more";
}

TEST_P(WebIdentityTest, EndsWithItsPolicy) {
  access_->put_policy("lake", kGetOnly);
  const Credentials session =
      access_->assume_web_identity(shared(claims("shared", "", R"(["readonly","lake"])")), 900s);
  EXPECT_TRUE(known(session));
  access_->delete_policy("lake");
  EXPECT_FALSE(known(session));
}

TEST_P(WebIdentityTest, WhatIsRefused) {
  const std::string good = shared(claims("shared"));
  EXPECT_TRUE(known(access_->assume_web_identity(good, 900s)));
  EXPECT_THAT(refusal(""), HasSubstr("three parts"));
  EXPECT_THAT(refusal("a.b"), HasSubstr("three parts"));
  EXPECT_THAT(refusal("!.b.c"), HasSubstr("header is not base64url"));
  EXPECT_THAT(refusal("YQ.YQ.YQ"), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal(std::string(20'000, 'a')), HasSubstr("too long"));
  EXPECT_THAT(refusal(good.substr(0, good.size() - 2)), HasSubstr("signature"));
  EXPECT_THAT(refusal(good.substr(0, good.rfind('.') + 1)), HasSubstr("signature"));
  const std::string none = unsigned_part(R"({"alg":"none"})", claims("shared"));
  EXPECT_THAT(refusal(none + "."), HasSubstr("signs with HS256"));
  EXPECT_THAT(refusal(shared(claims("shared"), R"({"typ":"JWT"})")), HasSubstr("HS256"));
  EXPECT_THAT(refusal(shared(claims("shared"), R"({"alg":"HS256","crit":["b64"]})")),
              HasSubstr("extensions"));
  EXPECT_THAT(refusal(shared(claims("stranger"))), HasSubstr("not trusted"));
  EXPECT_THAT(refusal(shared(R"({"sub":"x"})")), HasSubstr("\"iss\""));
  EXPECT_THAT(refusal(shared(R"({"iss":"shared","sub":"x","policy":"readonly"})")),
              HasSubstr("\"exp\""));
  EXPECT_THAT(refusal(shared(R"({"iss":"shared","sub":"x","exp":"soon"})")), HasSubstr("\"exp\""));
  EXPECT_THAT(refusal(shared(R"({"iss":"shared","sub":"x","exp":1000})")), HasSubstr("expired"));
  EXPECT_THAT(refusal(shared(claims("shared", R"(,"nbf":9999999999)"))),
              HasSubstr("not valid yet"));
  EXPECT_THAT(refusal(shared(claims("shared", "", R"("")"))), HasSubstr("names no policy"));
  EXPECT_THAT(refusal(shared(claims("shared", "", "5"))), HasSubstr("policy"));
  EXPECT_THAT(refusal(shared(claims("shared", "", R"("nothere")"))), HasSubstr("does not exist"));
  pass(300s);
  EXPECT_THAT(refusal(good), HasSubstr("expired"));
}

TEST_P(WebIdentityTest, APublicKeyIsNoSecret) {
  // The classic confusion: HS256 with the issuer's public key as the secret.
  const std::string content = unsigned_part(R"({"alg":"HS256"})", claims("https://rsa.example"));
  EXPECT_THAT(refusal(content + "." + base::to_base64url(hmac_sha256(pem_of(rsa()), content))),
              HasSubstr("signs with RS256"));
  const std::string swapped = unsigned_part(R"({"alg":"RS256"})", claims("https://rsa.example"));
  EXPECT_THAT(refusal(swapped + "." + base::to_base64url(sign(ec(), swapped))),
              HasSubstr("signature"));
  const std::string flat = unsigned_part(R"({"alg":"ES256"})", claims("https://ec.example/realm"));
  EXPECT_THAT(refusal(flat + "." + base::to_base64url(std::string(64, '\0'))),
              HasSubstr("signature"));
}

TEST_P(WebIdentityTest, AudienceIsCheckedWhereOneIsDemanded) {
  access_->trust_issuers(issuers({"meesh", "lake"}));
  EXPECT_THAT(refusal(shared(claims("shared"))), HasSubstr("aud"));
  EXPECT_THAT(refusal(shared(claims("shared", R"(,"aud":"shop")"))), HasSubstr("aud"));
  EXPECT_TRUE(
      known(access_->assume_web_identity(shared(claims("shared", R"(,"aud":"lake")")), 900s)));
  EXPECT_TRUE(known(
      access_->assume_web_identity(shared(claims("shared", R"(,"aud":["shop","meesh"])")), 900s)));
  const std::string content = unsigned_part(R"({"alg":"RS256"})", claims("https://rsa.example"));
  EXPECT_TRUE(known(
      access_->assume_web_identity(content + "." + base::to_base64url(sign(rsa(), content)), 900s)))
      << "another issuer's audience is none of its business";
}

TEST_P(WebIdentityTest, KeysThatAreNone) {
  const auto code = [&](const std::string& key) {
    return code_of([&] { access_->trust_issuers({{"x", {key, {}}}}); });
  };
  EXPECT_EQ(code("secret:short"), Code::kInvalidArguments);
  EXPECT_THAT(last_message_, Not(HasSubstr("short")));
  EXPECT_EQ(code("nonsense"), Code::kInvalidArguments);
  const KeyPtr small(EVP_RSA_gen(1024), &EVP_PKEY_free);
  EXPECT_EQ(code(pem_of(small.get())), Code::kInvalidArguments);
  const KeyPtr other(EVP_EC_gen("P-384"), &EVP_PKEY_free);
  EXPECT_EQ(code(pem_of(other.get())), Code::kInvalidArguments);
  EXPECT_TRUE(known(access_->assume_web_identity(shared(claims("shared")), 900s)))
      << "those trusted before stay";
}

INSTANTIATE_TEST_SUITE_P(Backends, SessionTest,
                         ::testing::Values(meta::Backend::kSqlite, meta::Backend::kPostgresql),
                         backend_name);
INSTANTIATE_TEST_SUITE_P(Sqlite, WebIdentityTest, ::testing::Values(meta::Backend::kSqlite),
                         backend_name);

}  // namespace
}  // namespace meesh::access
