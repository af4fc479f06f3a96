// The operator's calls.
#include "serve/s3/admin.h"

#include <boost/json.hpp>
#include <fstream>

#include "serve/s3/s3_fixture_test.h"

namespace meesh::serve::s3 {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

class AdminTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    ASSERT_EQ(ask("PUT", "/lake").status, 200);
    ASSERT_EQ(put("/lake/a", std::string(50'000, 'a')).status, 200);
    ASSERT_EQ(put("/lake/b", std::string(60'000, 'b'), {{"x-amz-server-side-encryption", "AES256"}})
                  .status,
              200);
  }
  Answer admin(const std::string& work, const Query& query = {}) {
    return ask("POST", "/meesh/admin/v1/" + work, query);
  }
  /// The last line's member.
  static json::object last(const Answer& answer, const char* member) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::string_view text = answer.body;
    EXPECT_TRUE(text.ends_with('\n')) << text;
    text.remove_suffix(1);
    text.remove_prefix(text.rfind('\n') + 1);
    const json::object line = json::parse(text).as_object();
    const auto* found = line.if_contains(member);
    if (!found) {
      ADD_FAILURE() << text;
      return {};
    }
    return found->as_object();
  }
  std::filesystem::path payload_of(size_t bytes) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(folder_ / "objects" / "payload")) {
      if (entry.is_regular_file() && entry.file_size() > bytes &&
          entry.file_size() < bytes + 9000) {
        return entry.path();
      }
    }
    ADD_FAILURE() << "no such file";
    return {};
  }
  std::string trail() {
    access_.reset();  // what it keeps for a moment goes to disk
    std::string text;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "audit")) {
      std::ifstream file(entry.path());
      text.append(std::istreambuf_iterator<char>(file), {});
    }
    return text;
  }
};

TEST_F(AdminTest, ScrubTellsWhatIsDamaged) {
  const json::object whole = last(admin("scrub"), "report");
  EXPECT_EQ(whole.at("versions"), 2);
  EXPECT_EQ(whole.at("bytes"), 110'000);
  EXPECT_TRUE(whole.at("damaged").as_array().empty());
  {
    std::fstream file(payload_of(50'000), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(7);
    file.put('x');
  }
  const json::object found = last(admin("scrub"), "report");
  ASSERT_EQ(found.at("damaged").as_array().size(), 1u);
  const json::object damage = found.at("damaged").as_array()[0].as_object();
  EXPECT_EQ(damage.at("bucket"), "lake");
  EXPECT_EQ(damage.at("key"), "a");
  EXPECT_EQ(damage.at("what"), "its MD5 does not fit");
}

TEST_F(AdminTest, BackupIsMadeInANewFolder) {
  const auto folder = folder_ / "copy";
  EXPECT_EQ(last(admin("backup", {{"folder", folder.string()}}), "report").at("payloads"), 2);
  EXPECT_TRUE(std::filesystem::exists(folder / "index.db"));
  const json::object again = last(admin("backup", {{"folder", folder.string()}}), "error");
  EXPECT_EQ(again.at("code"), "ALREADY_EXISTS");
  EXPECT_EQ(admin("backup", {{"folder", "relative"}}).code(), "InvalidArgument");
  EXPECT_EQ(admin("backup").code(), "InvalidArgument");
}

TEST_F(AdminTest, TheAuditTrailTellsWhereABackupWentBeforeItBegins) {
  const auto folder = folder_ / "copy";
  last(admin("backup", {{"folder", folder.string()}}), "report");
  const std::string lines = trail();
  const size_t begun = lines.find("AdminBackup begins");
  const size_t done = lines.find(R"("reason":"AdminBackup")");
  ASSERT_NE(begun, std::string::npos) << lines;
  ASSERT_NE(done, std::string::npos) << lines;
  EXPECT_LT(begun, done);
  const size_t start = lines.rfind('\n', begun) + 1;  // npos + 1 = 0
  const json::object line =
      json::parse(lines.substr(start, lines.find('\n', begun) - start)).as_object();
  EXPECT_EQ(line.at("action"), "admin:Backup");
  EXPECT_EQ(line.at("resource").as_string(), folder.c_str());
}

TEST_F(AdminTest, TheOthersAnswerWithTheirReports) {
  EXPECT_EQ(last(admin("collect-garbage"), "report").at("removed"), 0);
  EXPECT_EQ(last(admin("lifecycle"), "report").at("expired"), 0);
  const json::object rotated = last(admin("rotate-key"), "report");
  EXPECT_EQ(rotated.at("sealed"), 1);
  EXPECT_EQ(rotated.at("rewrapped"), 0);
  EXPECT_EQ(admin("format-disks").code(), "MethodNotAllowed");
}

TEST_F(AdminTest, OnlyThoseWhoMay) {
  const std::string path = "/meesh/admin/v1/collect-garbage";
  EXPECT_EQ(ask_anonymously("POST", path).status, 403);
  const auto reader = user("reader", R"({"Statement":{"Effect":"Allow","Action":"s3:*",
                                         "Resource":"*"}})");
  EXPECT_EQ(ask_as(reader, "POST", path).code(), "AccessDenied");
  const auto keeper = user("keeper", R"({"Statement":{"Effect":"Allow","Action":"admin:*"}})");
  EXPECT_EQ(ask_as(keeper, "POST", path).status, 200);
  EXPECT_EQ(ask_as(keeper, "GET", "/lake/a").code(), "AccessDenied");
  const auto scrubber =
      user("scrubber", R"({"Statement":{"Effect":"Allow","Action":"admin:Scrub"}})");
  EXPECT_EQ(ask_as(scrubber, "POST", path).code(), "AccessDenied");
  EXPECT_EQ(ask_as(scrubber, "POST", "/meesh/admin/v1/scrub").status, 200);
  EXPECT_EQ(ask_as({"AKIDROOT", "wrong", ""}, "POST", path).code(), "SignatureDoesNotMatch");

  const std::string lines = trail();
  EXPECT_THAT(lines, HasSubstr(R"("user":"keeper")"));
  EXPECT_THAT(lines, HasSubstr(R"("action":"admin:CollectGarbage")"));
  EXPECT_THAT(lines, HasSubstr(R"("outcome":"denied")"));
}

TEST_F(AdminTest, ABucketMayHaveItsName) {
  ASSERT_EQ(ask("PUT", "/meesh").status, 200);
  EXPECT_EQ(put("/meesh/admin/v1/scrub", "an object").status, 200);
  EXPECT_EQ(ask("GET", "/meesh/admin/v1/scrub").body, "an object");
  const Answer begun = ask("POST", "/meesh/admin/v1/scrub", {{"uploads", ""}});
  EXPECT_EQ(begun.at("Key"), "admin/v1/scrub");
}

TEST_F(AdminTest, AStoreElsewhereMaintainsItself) {
  auto remote = objects::open_remote({.endpoint = "http://127.0.0.1:1"});
  EXPECT_THROW(maintain(*remote, "scrub", {}, {}), objects::ObjectError);
}

// Tags, ACL, retention and legal hold are no part of what a customer's key hides.
TEST_F(AdminTest, WhatIsKnownOfAnObjectUnderACustomersKeyNeedsNoKey) {
  ASSERT_EQ(ask("PUT", "/locked", {}, {{"x-amz-bucket-object-lock-enabled", "true"}}).status, 200);
  // Beside the endpoint, which takes such keys over TLS alone.
  objects::Attributes attributes;
  attributes.tags = {{"team", "sales"}};
  attributes.retention = {objects::LockMode::kGovernance, now() + std::chrono::hours(1)};
  attributes.legal_hold = true;
  const auto writer = store_->put("locked", "k", attributes,
                                  {.encryption = objects::Encryption::kCustomer,
                                   .customer_key = objects::CustomerKey(32, 'c')});
  writer->write("hidden");
  writer->commit({});
  EXPECT_EQ(ask("GET", "/locked/k").status, 400);
  EXPECT_EQ(ask("HEAD", "/locked/k").status, 400);
  const Answer tags = ask("GET", "/locked/k", {{"tagging", ""}});
  EXPECT_EQ(tags.at("TagSet/Tag/Value"), "sales");
  EXPECT_NE(tags.header("x-amz-version-id"), "");
  EXPECT_EQ(ask("GET", "/locked/k", {{"acl", ""}}).status, 200);
  EXPECT_EQ(ask("GET", "/locked/k", {{"retention", ""}}).at("Mode"), "GOVERNANCE");
  EXPECT_EQ(ask("GET", "/locked/k", {{"legal-hold", ""}}).at("Status"), "ON");
}

}  // namespace
}  // namespace meesh::serve::s3
