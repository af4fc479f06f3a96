#include "access/sign_ins.h"

#include "access/access_fixture_test.h"

namespace meesh::access {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class SignInsTest : public AccessTest {
 protected:
  void SetUp() override {
    AccessTest::SetUp();
    access_->create_user("ann", "");
    access_->attach_policy("ann", "consoleAdmin", true);
    access_->create_user("bob", "");
    access_->attach_policy("bob", "readwrite", true);
    access_->create_user("vera", "");
    access_->attach_policy("vera", "readonly", true);
    open();
  }
  void TearDown() override {
    sign_ins_.reset();
    AccessTest::TearDown();
  }
  void open() {
    sign_ins_.reset();
    SignInOptions options;
    options.database = database_.get();
    options.access = access_.get();
    options.root_access_key = "minioadmin";
    options.now_ms = [this] { return now_.load().time_since_epoch().count(); };
    sign_ins_ = std::make_unique<SignIns>(std::move(options));
  }
  /// What another process would see.
  void restart() {
    sign_ins_.reset();
    start();
    open();
  }

  std::unique_ptr<SignIns> sign_ins_;
};

TEST_P(SignInsTest, RolesFollowPolicies) {
  EXPECT_EQ(sign_ins_->account("ann")->role, AccountRole::kAdministrator);
  EXPECT_EQ(sign_ins_->account("bob")->role, AccountRole::kEditor);
  EXPECT_EQ(sign_ins_->account("vera")->role, AccountRole::kViewer);
  EXPECT_EQ(sign_ins_->account("root")->role, AccountRole::kAdministrator);
  EXPECT_FALSE(sign_ins_->account("nobody"));
  access_->attach_policy("bob", "readwrite", false);
  sign_ins_->users_changed();
  EXPECT_EQ(sign_ins_->account("bob")->role, AccountRole::kViewer) << "who has no policy looks";
}

TEST_P(SignInsTest, PasswordsOutliveRestartsAndEndWithTheUser) {
  EXPECT_FALSE(sign_ins_->any_password());
  sign_ins_->set_password("bob", "bob's own words");
  EXPECT_TRUE(sign_ins_->any_password());
  restart();
  EXPECT_TRUE(sign_ins_->any_password());
  EXPECT_EQ(sign_ins_->check_password("bob", "bob's own words")->user, "bob");
  EXPECT_EQ(sign_ins_->check_password("bob", "bob's own words")->user, "bob") << "remembered";
  EXPECT_FALSE(sign_ins_->check_password("bob", "bob's own word"));
  EXPECT_FALSE(sign_ins_->check_password("ann", "bob's own words"));
  EXPECT_FALSE(sign_ins_->check_password("nobody", "bob's own words"));

  access_->enable_user("bob", false);
  sign_ins_->users_changed();
  EXPECT_FALSE(sign_ins_->check_password("bob", "bob's own words"));
  access_->enable_user("bob", true);
  sign_ins_->users_changed();
  EXPECT_TRUE(sign_ins_->check_password("bob", "bob's own words"));

  access_->delete_user("bob");
  pass(seconds(5));
  access_->create_user("bob", "");
  sign_ins_->users_changed();
  EXPECT_FALSE(sign_ins_->check_password("bob", "bob's own words")) << "of the bob before";
  EXPECT_FALSE(sign_ins_->any_password());
}

TEST_P(SignInsTest, RootsPasswordIsItsSecretKey) {
  EXPECT_EQ(sign_ins_->check_password("root", "minioadmin")->user, "root");
  EXPECT_EQ(sign_ins_->check_password("minioadmin", "minioadmin")->user, "root");
  EXPECT_FALSE(sign_ins_->check_password("root", "minioadmim"));
  EXPECT_FALSE(sign_ins_->any_password()) << "it does not close the mesh";
  EXPECT_EQ(code_of([&] { sign_ins_->set_password("root", "another word"); }),
            Code::kInvalidArguments);
}

TEST_P(SignInsTest, AChangedPasswordEndsTheOldOneAndItsSessions) {
  sign_ins_->set_password("bob", "first password");
  ASSERT_TRUE(sign_ins_->check_password("bob", "first password"));
  const auto here = sign_ins_->open_session("bob"), there = sign_ins_->open_session("bob");
  sign_ins_->set_password("bob", "second password", here.id);
  EXPECT_FALSE(sign_ins_->check_password("bob", "first password"));
  EXPECT_TRUE(sign_ins_->session(here.id));
  EXPECT_FALSE(sign_ins_->session(there.id));
  sign_ins_->remove_password("bob");
  EXPECT_FALSE(sign_ins_->check_password("bob", "second password"));
  EXPECT_FALSE(sign_ins_->session(here.id));
}

TEST_P(SignInsTest, SessionsLastAsLongAsTheyAreUsed) {
  const auto made = sign_ins_->open_session("ann");
  EXPECT_EQ(made.id.size(), 43U);
  EXPECT_EQ(sign_ins_->session(made.id)->csrf, made.session.csrf);
  EXPECT_NE(sign_ins_->open_session("ann").session.csrf, made.session.csrf);
  restart();
  EXPECT_EQ(sign_ins_->session(made.id)->user, "ann");
  for (int i = 0; i < 15; ++i) {  // used every eleven hours: until the seventh day
    pass(hours(11));
    ASSERT_TRUE(sign_ins_->session(made.id)) << i;
  }
  pass(hours(3));
  EXPECT_FALSE(sign_ins_->session(made.id)) << "a week is the longest";

  const auto idle = sign_ins_->open_session("ann");
  pass(hours(12));
  EXPECT_FALSE(sign_ins_->session(idle.id));
  EXPECT_FALSE(sign_ins_->session(""));
  EXPECT_FALSE(sign_ins_->session(std::string(43, 'x')));
  EXPECT_FALSE(sign_ins_->session(std::string(100'000, 'x')));
}

TEST_P(SignInsTest, SessionsEndWithSigningOutAndWithTheUser) {
  const auto made = sign_ins_->open_session("ann"), other = sign_ins_->open_session("ann");
  sign_ins_->close_session(made.id);
  EXPECT_FALSE(sign_ins_->session(made.id));
  EXPECT_TRUE(sign_ins_->session(other.id));
  access_->enable_user("ann", false);
  sign_ins_->users_changed();
  EXPECT_FALSE(sign_ins_->session(other.id));
}

TEST_P(SignInsTest, SessionsOfRootEndWithItsKey) {
  const auto made = sign_ins_->open_session("root");
  ASSERT_TRUE(sign_ins_->session(made.id));
  access_->set_root("minioadmin", "another-secret");
  sign_ins_->users_changed();
  EXPECT_FALSE(sign_ins_->session(made.id));
}

TEST_P(SignInsTest, Tokens) {
  const auto made = sign_ins_->create_token("bob", "nightly", minutes(10));
  EXPECT_TRUE(made.secret.starts_with("meesh_"));
  EXPECT_EQ(made.secret.size(), 6 + 43U);
  restart();
  EXPECT_EQ(sign_ins_->check_token(made.secret)->user, "bob");
  EXPECT_FALSE(sign_ins_->check_token(made.secret + "x"));
  EXPECT_FALSE(sign_ins_->check_token(""));
  ASSERT_EQ(sign_ins_->tokens("bob").size(), 1U);
  EXPECT_EQ(sign_ins_->tokens("bob").at(0).name, "nightly");
  EXPECT_TRUE(sign_ins_->tokens("ann").empty());
  EXPECT_EQ(code_of([&] { sign_ins_->revoke_token("ann", made.token.id); }), Code::kNotFound);
  pass(minutes(10));
  EXPECT_FALSE(sign_ins_->check_token(made.secret)) << "expired";
  const auto forever = sign_ins_->create_token("bob", "forever", {});
  pass(hours(24 * 1000));
  EXPECT_TRUE(sign_ins_->check_token(forever.secret));
  sign_ins_->revoke_token("bob", forever.token.id);
  EXPECT_FALSE(sign_ins_->check_token(forever.secret));
  EXPECT_EQ(code_of([&] { sign_ins_->create_token("bob", "", {}); }), Code::kInvalidArguments);
  EXPECT_EQ(code_of([&] { sign_ins_->create_token("none", "x", {}); }), Code::kNotFound);
}

TEST_P(SignInsTest, AdministratorsAreThoseWhoCanSignIn) {
  EXPECT_TRUE(sign_ins_->administrators().empty());
  sign_ins_->set_password("ann", "ann's own words");
  sign_ins_->set_password("bob", "bob's own words");
  EXPECT_EQ(sign_ins_->administrators(), std::vector<std::string>{"ann"});
  access_->enable_user("ann", false);
  sign_ins_->users_changed();
  EXPECT_TRUE(sign_ins_->administrators().empty());
}

TEST_P(SignInsTest, ChangesOfAnotherProcessAreSeenWithinASecond) {
  SignInOptions options;
  options.database = database_.get();
  options.access = access_.get();
  options.now_ms = [this] { return now_.load().time_since_epoch().count(); };
  SignIns other(std::move(options));
  const auto session = sign_ins_->open_session("ann");
  ASSERT_TRUE(other.session(session.id));
  other.set_password("bob", "bob's own words");
  other.close_session(session.id);
  pass(seconds(1));
  EXPECT_TRUE(sign_ins_->check_password("bob", "bob's own words"));
  EXPECT_FALSE(sign_ins_->session(session.id));
}

TEST_P(SignInsTest, NothingSecretIsKept) {
  sign_ins_->set_password("bob", "bob's own words");
  const auto token = sign_ins_->create_token("bob", "x", {});
  const auto session = sign_ins_->open_session("bob");
  std::string all;
  database_->read([&](soci::session& sql) {
    for (const char* table :
         {"SELECT hash FROM sign_in_password", "SELECT digest FROM sign_in_token",
          "SELECT digest FROM sign_in_session"}) {
      std::string value;
      sql << table, soci::into(value);
      all += value + "\n";
    }
  });
  EXPECT_EQ(all.find("bob's own words"), std::string::npos);
  EXPECT_EQ(all.find(token.secret.substr(6)), std::string::npos);
  EXPECT_EQ(all.find(session.id), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Backends, SignInsTest,
                         ::testing::Values(meta::Backend::kSqlite, meta::Backend::kPostgresql));

}  // namespace
}  // namespace meesh::access
