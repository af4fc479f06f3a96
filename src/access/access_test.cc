#include "access/access.h"

#include <fstream>
#include <iterator>

#include "access/access_fixture_test.h"

namespace meesh::access {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr const char* kLakeOnly =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::lake","arn:aws:s3:::lake/*"]}})";
constexpr const char* kNoDeletes =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}})";

TEST_P(AccessTest, KeysAreMadeAtRandomAndSurviveRestarts) {
  access_->create_user("ann", "");
  access_->attach_policy("ann", "readwrite", true);
  const NewKey key = access_->create_key("ann");
  EXPECT_THAT(key.access_key, MatchesRegex("AKIA[A-Z2-7]{16}"));
  EXPECT_THAT(key.secret_key, MatchesRegex("[A-Za-z0-9+]{40}"));
  EXPECT_NE(access_->create_key("ann").secret_key, key.secret_key);
  start();
  const auto found = access_->credentials(key.access_key, "");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->secret_key, key.secret_key);
  EXPECT_EQ(found->identity.user, "ann");
  EXPECT_FALSE(found->expires);
  EXPECT_TRUE(may(found->identity, "s3:PutObject", "arn:aws:s3:::lake/a"));
  EXPECT_FALSE(access_->credentials("AKIAUNKNOWN", ""));
  EXPECT_FALSE(access_->credentials("", ""));
}

TEST_P(AccessTest, TellsItsUsers) {
  access_->create_user("ann", "sales");
  access_->create_user("bob", "");
  const NewKey key = access_->create_key("ann", "ann-key", "ann-secret");
  EXPECT_EQ(key.access_key, "ann-key");
  access_->attach_policy("ann", "readonly", true);
  access_->attach_policy("ann", "writeonly", true);
  access_->attach_policy("ann", "writeonly", true);
  access_->enable_user("bob", false);
  start();
  const auto users = access_->users();
  ASSERT_EQ(users.size(), 2u);
  EXPECT_EQ(users[0].name, "ann");
  EXPECT_EQ(users[0].domain, "sales");
  EXPECT_EQ(users[0].created, now_.load());
  EXPECT_THAT(users[0].access_keys, ElementsAre("ann-key"));
  EXPECT_THAT(users[0].policies, ElementsAre("readonly", "writeonly"));
  EXPECT_TRUE(users[0].enabled);
  EXPECT_FALSE(users[1].enabled);
}

TEST_P(AccessTest, RefusesWhatCannotBe) {
  access_->create_user("ann", "");
  const auto code = [&](const std::function<void(Access&)>& action) {
    return code_of([&] { action(*access_); });
  };
  EXPECT_EQ(code([](Access& a) { a.create_user("ann", ""); }), Code::kAlreadyExists);
  EXPECT_EQ(code([](Access& a) { a.create_user("root", ""); }), Code::kAlreadyExists);
  for (const char* name : {"", "a b", "a/b", "domain:x", "web:x", "é", "*"}) {
    EXPECT_EQ(code([&](Access& a) { a.create_user(name, ""); }), Code::kInvalidArguments) << name;
  }
  EXPECT_EQ(code([](Access& a) { a.create_user(std::string(65, 'a'), ""); }),
            Code::kInvalidArguments);
  EXPECT_EQ(code([](Access& a) { a.delete_user("bob"); }), Code::kNotFound);
  EXPECT_EQ(code([](Access& a) { a.enable_user("bob", true); }), Code::kNotFound);
  EXPECT_EQ(code([](Access& a) { a.create_key("bob"); }), Code::kNotFound);
  EXPECT_EQ(code([](Access& a) { a.create_key("ann", "a/b"); }), Code::kInvalidArguments);
  EXPECT_EQ(code([](Access& a) { a.create_key("ann", "key", "short"); }), Code::kInvalidArguments);
  EXPECT_EQ(code([](Access& a) { a.create_key("ann", "minioadmin"); }), Code::kAlreadyExists);
  access_->create_key("ann", "ann-key");
  EXPECT_EQ(code([](Access& a) { a.create_key("ann", "ann-key"); }), Code::kAlreadyExists);
  EXPECT_EQ(code([](Access& a) { a.delete_key("bob-key"); }), Code::kNotFound);
  EXPECT_EQ(code([](Access& a) { a.attach_policy("ann", "none", true); }), Code::kNotFound);
  EXPECT_EQ(code([](Access& a) { a.attach_policy("bob", "readonly", true); }), Code::kNotFound);
  EXPECT_EQ(code([](Access& a) { a.put_policy("p", "{}"); }), Code::kInvalidArguments);
  EXPECT_THAT(last_message_, HasSubstr("line 1:1"));
  EXPECT_EQ(code([](Access& a) { a.put_policy("readonly", kLakeOnly); }), Code::kInvalidArguments);
  EXPECT_EQ(code([](Access& a) { a.delete_policy("readonly"); }), Code::kInvalidArguments);
  EXPECT_EQ(code([](Access& a) { a.delete_policy("none"); }), Code::kNotFound);
  access_->put_policy("lake", kLakeOnly);
  access_->attach_policy("ann", "lake", true);
  EXPECT_EQ(code([](Access& a) { a.delete_policy("lake"); }), Code::kInvalidArguments);
  access_->attach_policy("ann", "lake", false);
  access_->delete_policy("lake");
  EXPECT_EQ(code([](Access& a) { a.domain_key("none"); }), Code::kNotFound);
  EXPECT_EQ(code([](Access& a) { a.set_domain("sales", {"*"}); }), Code::kInvalidArguments);
  EXPECT_EQ(code([](Access& a) { a.set_root("", ""); }), Code::kInvalidArguments);
}

TEST_P(AccessTest, DisabledAndDeletedUsersAreStrangers) {
  access_->create_user("ann", "");
  const NewKey key = access_->create_key("ann");
  access_->enable_user("ann", false);
  EXPECT_FALSE(access_->credentials(key.access_key, ""));
  access_->enable_user("ann", true);
  EXPECT_TRUE(access_->credentials(key.access_key, ""));
  access_->delete_user("ann");
  EXPECT_FALSE(access_->credentials(key.access_key, ""));
  access_->create_user("ann", "");
  EXPECT_FALSE(access_->credentials(key.access_key, "")) << "another ann";
  EXPECT_THAT(access_->users()[0].policies, ::testing::IsEmpty());
  const NewKey other = access_->create_key("ann");
  access_->delete_key(other.access_key);
  EXPECT_FALSE(access_->credentials(other.access_key, ""));
}

TEST_P(AccessTest, PoliciesCountAtOnce) {
  access_->create_user("ann", "");
  const NewKey key = access_->create_key("ann");
  EXPECT_FALSE(may(identity_of(key), "s3:GetObject", "arn:aws:s3:::lake/a"));
  access_->put_policy("mine", kLakeOnly);
  access_->attach_policy("ann", "mine", true);
  EXPECT_TRUE(may(identity_of(key), "s3:DeleteObject", "arn:aws:s3:::lake/a"));
  access_->put_policy("careful", kNoDeletes);
  access_->attach_policy("ann", "careful", true);
  EXPECT_FALSE(may(identity_of(key), "s3:DeleteObject", "arn:aws:s3:::lake/a"));
  EXPECT_TRUE(may(identity_of(key), "s3:GetObject", "arn:aws:s3:::lake/a"));
  access_->put_policy("careful", kLakeOnly);
  EXPECT_TRUE(may(identity_of(key), "s3:DeleteObject", "arn:aws:s3:::lake/a"));
  start();
  EXPECT_TRUE(may(identity_of(key), "s3:DeleteObject", "arn:aws:s3:::lake/a"));
  EXPECT_EQ(access_->policies().at("mine"), kLakeOnly);
}

TEST_P(AccessTest, BuiltInPolicies) {
  const auto can = [&](const std::string& policy, const std::string& action) {
    const std::string user = "u-" + policy;
    try {
      access_->create_user(user, "");
      access_->attach_policy(user, policy, true);
      access_->create_key(user, user + "-key");
    } catch (const Error&) {
      // Made before.
    }
    return may(access_->credentials(user + "-key", "")->identity, action,
               action == "s3:ListAllMyBuckets" ? "*" : "arn:aws:s3:::lake/a");
  };
  EXPECT_TRUE(can("readonly", "s3:GetObject"));
  EXPECT_FALSE(can("readonly", "s3:PutObject"));
  EXPECT_FALSE(can("readonly", "s3:ListBucket"));
  EXPECT_TRUE(can("writeonly", "s3:PutObject"));
  EXPECT_FALSE(can("writeonly", "s3:GetObject"));
  EXPECT_TRUE(can("readwrite", "s3:DeleteObject"));
  EXPECT_TRUE(can("readwrite", "s3:ListAllMyBuckets"));
  EXPECT_FALSE(can("readwrite", "admin:CreateUser"));
  EXPECT_TRUE(can("consoleAdmin", "admin:CreateUser"));
  EXPECT_THAT(access_->policies(), ::testing::SizeIs(4));
}

TEST_P(AccessTest, SecretsAreSealedAtRest) {
  access_->create_user("ann", "");
  const NewKey key = access_->create_key("ann", "", "a-secret-to-look-for");
  std::string stored;
  database_->read([&](soci::session& sql) {
    sql << "SELECT secret FROM access_key WHERE id = :id", soci::into(stored),
        soci::use(key.access_key);
  });
  EXPECT_THAT(stored, Not(HasSubstr("look-for")));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    EXPECT_EQ(bytes.find("look-for"), std::string::npos) << entry.path();
  }
}

TEST_P(AccessTest, ASealedSecretCannotBeMovedOrChanged) {
  access_->create_user("ann", "");
  const NewKey mine = access_->create_key("ann", "mine");
  access_->create_key("ann", "yours");
  database_->write([](soci::session& sql) {
    sql << "UPDATE access_key SET secret = (SELECT secret FROM access_key WHERE id = 'mine') "
           "WHERE id = 'yours'";
  });
  start();
  EXPECT_TRUE(access_->credentials("mine", ""));
  EXPECT_FALSE(access_->credentials("yours", ""));
}

TEST_P(AccessTest, AnotherMasterKeyIsRefused) {
  key_ = std::string(32, 'x');
  EXPECT_EQ(code_of([&] { Access other(options()); }), Code::kConfigInvalid);
  EXPECT_THAT(last_message_, HasSubstr("storage.old_master_keys"));
  Options with_others = options();
  with_others.old_keys = {std::string(32, 'y'), std::string(32, 'z')};
  EXPECT_EQ(code_of([&] { Access other(with_others); }), Code::kConfigInvalid);
  key_ = "short";
  EXPECT_EQ(code_of([&] { Access other(options()); }), Code::kInvalidArguments);
}

TEST_P(AccessTest, SecretsOfAnOldMasterKeyAreSealedAnew) {
  access_->create_user("ann", "");
  const NewKey key = access_->create_key("ann", "", "a-secret-that-stays");
  access_->set_domain("sales", {"sales-*"});
  const NewKey domain = access_->domain_key("sales");
  const Credentials session =
      access_->assume(*access_->credentials(key.access_key, ""), std::chrono::hours(1));
  const std::string old = std::exchange(key_, std::string(32, 'n'));
  access_.reset();
  Options rotated = options();
  rotated.old_keys = {std::string(32, 'y'), old};
  access_ = std::make_unique<Access>(rotated);
  EXPECT_EQ(access_->credentials(key.access_key, "")->secret_key, "a-secret-that-stays");
  EXPECT_FALSE(known(session)) << "who has the old key could have made it";
  start();  // with the new key alone
  EXPECT_EQ(access_->credentials(key.access_key, "")->secret_key, "a-secret-that-stays");
  access_->set_domain("sales", {"sales-*"});
  EXPECT_EQ(access_->domain_key("sales").secret_key, domain.secret_key);
  key_ = old;
  EXPECT_EQ(code_of([&] { Access other(options()); }), Code::kConfigInvalid);
}

TEST_P(AccessTest, AStoredPolicyThatCannotBeReadDenies) {
  access_->create_user("ann", "");
  access_->attach_policy("ann", "readwrite", true);
  access_->put_policy("odd", kLakeOnly);
  access_->attach_policy("ann", "odd", true);
  const NewKey key = access_->create_key("ann");
  database_->write([](soci::session& sql) {
    sql << "UPDATE access_policy SET document = 'of the future' WHERE name = 'odd'";
  });
  start();
  EXPECT_FALSE(may(identity_of(key), "s3:GetObject", "arn:aws:s3:::lake/a"));
}

TEST_P(AccessTest, ChangesOfAnotherProcessAreSeen) {
  const auto elsewhere = meta::Database::open(location_);
  Access other({.database = elsewhere.get(), .key = key_, .clock = [this] { return now_.load(); }});
  access_->users();  // both have looked just now
  other.users();
  other.create_user("ann", "");
  const NewKey key = other.create_key("ann");
  EXPECT_TRUE(other.credentials(key.access_key, ""));
  pass(1s);
  EXPECT_TRUE(access_->credentials(key.access_key, ""));
  access_->enable_user("ann", false);
  pass(1s);
  EXPECT_FALSE(other.credentials(key.access_key, ""));
  pass(-1h);  // a clock set back
  access_->enable_user("ann", true);
  EXPECT_TRUE(other.credentials(key.access_key, ""));
}

TEST_P(AccessTest, RootPassesAllButADenyOfTheBucketsPolicy) {
  const Identity root = access_->credentials("minioadmin", "")->identity;
  EXPECT_TRUE(root.root);
  EXPECT_TRUE(may(root, "s3:GetObject", "arn:aws:s3:::any/thing"));
  EXPECT_TRUE(may(root, "admin:CreateUser", "*"));
  const Policy deny = Policy::parse(
      R"({"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}})",
      Policy::Kind::kResource);
  EXPECT_FALSE(may(root, "s3:GetObject", "arn:aws:s3:::b/x", &deny));
  EXPECT_TRUE(may(root, "s3:PutBucketPolicy", "arn:aws:s3:::b", &deny)) << "nobody is locked out";
  access_->set_root("another", "administrator");
  EXPECT_FALSE(access_->credentials("minioadmin", ""));
}

TEST_P(AccessTest, BucketPoliciesAllowAlone) {
  access_->create_user("ann", "");
  access_->create_user("bob", "");
  access_->put_policy("careful", kNoDeletes);
  access_->attach_policy("ann", "careful", true);
  const Identity ann = identity_of(access_->create_key("ann"));
  const Identity bob = identity_of(access_->create_key("bob"));
  const Identity nobody;
  const Policy policy = Policy::parse(
      R"({"Version":"2012-10-17","Statement":[
          {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam:::user/ann"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"},
          {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/open/*"}]})",
      Policy::Kind::kResource);
  EXPECT_TRUE(may(ann, "s3:PutObject", "arn:aws:s3:::b/x", &policy));
  EXPECT_FALSE(may(ann, "s3:DeleteObject", "arn:aws:s3:::b/x", &policy)) << "her own Deny counts";
  EXPECT_FALSE(may(bob, "s3:PutObject", "arn:aws:s3:::b/x", &policy));
  EXPECT_TRUE(may(nobody, "s3:GetObject", "arn:aws:s3:::b/open/x", &policy));
  EXPECT_FALSE(may(nobody, "s3:GetObject", "arn:aws:s3:::b/x", &policy));
  EXPECT_FALSE(access_->decide({.action = "s3:GetObject", .resource = "arn:aws:s3:::b/x"}).allowed);
  Question question{.identity = &nobody,
                    .action = "s3:GetObject",
                    .resource = "arn:aws:s3:::b/x",
                    .resource_public = true};
  EXPECT_TRUE(access_->decide(question).allowed);
  const Policy deny = Policy::parse(
      R"({"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}})",
      Policy::Kind::kResource);
  question.resource_policy = &deny;
  EXPECT_FALSE(access_->decide(question).allowed);
  EXPECT_THAT(access_->decide(question).reason, HasSubstr("denies"));
}

TEST_P(AccessTest, DomainsReachTheirOwnBucketsAlone) {
  access_->set_domain("sales", {"sales", "sales-*"});
  access_->set_domain("supply", {"supply"});
  const NewKey key = access_->domain_key("sales");
  EXPECT_EQ(access_->domain_key("sales").access_key, key.access_key);
  EXPECT_EQ(access_->domain_key("sales").secret_key, key.secret_key);
  EXPECT_NE(access_->domain_key("supply").access_key, key.access_key);
  const Identity sales = identity_of(key);
  EXPECT_EQ(sales.user, "domain:sales");
  EXPECT_EQ(sales.domain, "sales");
  for (const char* resource :
       {"arn:aws:s3:::sales", "arn:aws:s3:::sales/a/b", "arn:aws:s3:::sales-raw/x"}) {
    EXPECT_TRUE(may(sales, "s3:DeleteObject", resource)) << resource;
  }
  for (const char* resource :
       {"arn:aws:s3:::supply/a", "arn:aws:s3:::sales2/a", "arn:aws:s3:::sale", "*"}) {
    EXPECT_FALSE(may(sales, "s3:GetObject", resource)) << resource;
  }
  EXPECT_TRUE(may(sales, "s3:ListAllMyBuckets", "*"));
  EXPECT_FALSE(may(sales, "admin:CreateUser", "*"));
  const Policy shared = Policy::parse(
      R"({"Statement":{"Effect":"Allow","Principal":{"AWS":"domain:sales"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::supply/*"}})",
      Policy::Kind::kResource);
  EXPECT_TRUE(may(sales, "s3:GetObject", "arn:aws:s3:::supply/a", &shared)) << "as its owner wants";

  start();
  EXPECT_FALSE(access_->credentials(key.access_key, "")) << "the domain is not set any more";
  access_->set_domain("sales", {"sales"});
  EXPECT_EQ(access_->domain_key("sales").secret_key, key.secret_key);
  access_->delete_key(key.access_key);
  EXPECT_FALSE(access_->credentials(key.access_key, ""));
  EXPECT_NE(access_->domain_key("sales").access_key, key.access_key);
}

TEST_P(AccessTest, PoliciesOfADomainsUserEndAtItsBuckets) {
  access_->set_domain("sales", {"sales"});
  access_->create_user("ann", "sales");
  access_->attach_policy("ann", "readwrite", true);
  const Identity ann = identity_of(access_->create_key("ann"));
  EXPECT_TRUE(may(ann, "s3:PutObject", "arn:aws:s3:::sales/x"));
  EXPECT_FALSE(may(ann, "s3:GetObject", "arn:aws:s3:::supply/x"));
  EXPECT_THAT(
      access_
          ->decide(
              {.identity = &ann, .action = "s3:GetObject", .resource = "arn:aws:s3:::supply/x"})
          .reason,
      HasSubstr("outside the domain"));
  access_->create_user("bob", "unknown");
  access_->attach_policy("bob", "readwrite", true);
  EXPECT_FALSE(may(identity_of(access_->create_key("bob")), "s3:GetObject", "arn:aws:s3:::x/y"));
}

TEST_P(AccessTest, ManyThreadsAtOnce) {
  access_->create_user("ann", "");
  access_->attach_policy("ann", "readwrite", true);
  const NewKey key = access_->create_key("ann");
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> conflicts = 0;
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 3; ++reader) {
    threads.emplace_back([&] {
      while (!done) {
        pass(400ms);
        const auto found = access_->credentials(key.access_key, "");
        if (!found || found->secret_key != key.secret_key ||
            !may(found->identity, "s3:GetObject", "arn:aws:s3:::lake/a")) {
          ++wrong;
        }
      }
    });
  }
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 8; ++i) {
        const std::string name = fmt::format("user-{}-{}", writer, i);
        // PostgreSQL tells a conflict past the retries; the caller asks again.
        const auto insist = [&](const std::function<void()>& action) {
          for (bool again = true; again;) {
            try {
              action();
              again = false;
            } catch (const Error& error) {
              if (error.code() == Code::kAlreadyExists) return;
              ++conflicts;
            }
          }
        };
        insist([&] { access_->create_user(name, ""); });
        insist([&] { access_->create_key(name, name + "-key"); });
        if (!access_->credentials(name + "-key", "")) ++wrong;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  done = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0) << conflicts << " conflicts";
  EXPECT_EQ(access_->users().size(), 25u);
}

INSTANTIATE_TEST_SUITE_P(Backends, AccessTest,
                         ::testing::Values(meta::Backend::kSqlite, meta::Backend::kPostgresql),
                         backend_name);

}  // namespace
}  // namespace meesh::access
