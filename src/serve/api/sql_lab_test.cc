// What the SQL lab keeps and how it writes text; the API itself is tested over HTTP.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "serve/api/sql_export.h"
#include "serve/api/sql_history.h"
#include "serve/api/sql_store.h"

namespace meesh::serve::api {
namespace {

class SqlStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = std::filesystem::temp_directory_path() / ("meesh-sql-" + std::to_string(getpid()));
    database_ = meta::Database::open({.location = file_.string()});
    store_ = std::make_unique<SqlStore>(*database_);
  }
  void TearDown() override {
    store_.reset();
    database_.reset();
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(file_.string() + end);
  }
  void save(const std::string& id, const std::string& owner, bool everyone, int64_t time) {
    SavedQuery query;
    query.id = id;
    query.owner = owner;
    query.name = "Sales of " + id;
    query.statement = "SELECT 100% AS x";
    query.everyone = everyone;
    query.created_ms = query.updated_ms = time;
    store_->add(query);
  }
  std::string saved(const std::string& user, const std::string& search = "",
                    const std::optional<Behind>& behind = {}, int limit = 10) {
    std::string ids;
    for (const auto& query : store_->saved(user, search, behind, limit)) ids += query.id;
    return ids;
  }

  std::filesystem::path file_;
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<SqlStore> store_;
};

TEST_F(SqlStoreTest, OthersSeeOnlyWhatIsForEveryone) {
  save("a", "ann", false, 1);
  save("b", "ann", true, 2);
  save("c", "bob", false, 3);
  EXPECT_EQ(saved("ann"), "ba");
  EXPECT_EQ(saved("bob"), "cb");
  EXPECT_EQ(saved("eve"), "b");
}

TEST_F(SqlStoreTest, PagesGoOnBehindTheLastEvenAtTheSameTime) {
  for (const char* id : {"a", "b", "c"}) save(id, "ann", false, 7);
  save("d", "ann", false, 8);
  EXPECT_EQ(saved("ann", "", {}, 2), "dc");
  EXPECT_EQ(saved("ann", "", Behind{7, "c"}, 2), "ba");
  EXPECT_EQ(saved("ann", "", Behind{7, "a"}, 2), "");
}

TEST_F(SqlStoreTest, SearchedTextIsNoPattern) {
  save("a", "ann", false, 1);
  EXPECT_EQ(saved("ann", "sales OF"), "a");
  EXPECT_EQ(saved("ann", "100%"), "a");
  EXPECT_EQ(saved("ann", "1_0%"), "");
  EXPECT_EQ(saved("ann", "' OR 1=1 --"), "");
}

TEST_F(SqlStoreTest, ReplacingKeepsTheOwner) {
  save("a", "ann", false, 1);
  auto query = *store_->find("a");
  query.owner = "eve";
  query.name = "Other";
  query.everyone = true;
  EXPECT_TRUE(store_->replace(query));
  EXPECT_EQ(store_->find("a")->owner, "ann");
  EXPECT_EQ(store_->find("a")->name, "Other");
  EXPECT_TRUE(store_->remove("a"));
  EXPECT_FALSE(store_->remove("a"));
  EXPECT_FALSE(store_->replace(query));
}

PastStatement past(int64_t number, const std::string& user = "ann") {
  PastStatement statement;
  statement.id = "q" + std::to_string(1'000'000 + number);
  statement.user = user;
  statement.statement = "SELECT " + std::to_string(number);
  statement.state = "FINISHED";
  statement.started_ms = number;
  return statement;
}

TEST_F(SqlStoreTest, TheOldestStatementsLeave) {
  std::vector<PastStatement> many;
  for (int64_t i = 0; i < SqlStore::kMostHistory + 5; ++i) many.push_back(past(i));
  store_->add(many);
  const auto all = store_->history("", "", {}, SqlStore::kMostHistory + 100);
  ASSERT_EQ(all.size(), static_cast<size_t>(SqlStore::kMostHistory));
  EXPECT_EQ(all.back().started_ms, 5);
}

TEST_F(SqlStoreTest, AStatementIsRememberedOnce) {
  store_->add({past(1), past(2, "bob")});
  store_->add({past(1)});
  EXPECT_EQ(store_->history("", "", {}, 10).size(), 2u);
  EXPECT_EQ(store_->history("bob", "", {}, 10).size(), 1u);
  EXPECT_EQ(store_->history("ann", "select 2", {}, 10).size(), 0u);
}

TEST(RememberedText, PasswordsOfCatalogsAreLeftOut) {
  EXPECT_EQ(remembered_text("CREATE  CATALOG x USING postgresql WITH (\"pass\" = 'geheim')"),
            "CREATE  CATALOG x USING postgresql WITH (…)");
  EXPECT_EQ(remembered_text("PREPARE p FROM create catalog x with (a = 'geheim')"),
            "PREPARE p FROM create catalog x with (…)");
  EXPECT_EQ(remembered_text("CREATE /* x */ CATALOG x WITH (a = 'geheim')").find("geheim"),
            std::string::npos);
  EXPECT_EQ(remembered_text("SELECT 'é'"), "SELECT 'é'");
}

TEST(RememberedText, IsAlwaysText) {
  EXPECT_EQ(remembered_text(std::string_view("a\0b", 3)), "ab");
  EXPECT_EQ(remembered_text("SELECT '\xff' || 'x'"), "SELECT '?' || 'x'");
  const std::string cut = remembered_text(std::string(99'999, 'a') + "é");
  EXPECT_EQ(cut.size(), 99'999u);
}

TEST(CsvField, QuotesWhatWouldBreakARow) {
  EXPECT_EQ(csv_field("plain", true), "plain");
  EXPECT_EQ(csv_field("", true), "\"\"");
  EXPECT_EQ(csv_field("a,b", true), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"x\"\n", true), "\"say \"\"x\"\"\n\"");
  EXPECT_EQ(csv_field(" a", true), "\" a\"");
}

TEST(CsvField, FormulasBecomeText) {
  for (const std::string text : {"=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"}) {
    EXPECT_EQ(csv_field(text, true), "\"'" + text + "\"") << text;
    EXPECT_NE(csv_field(text, false).find(text), std::string::npos) << text;
    EXPECT_EQ(csv_field(text, false).find('\''), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace meesh::serve::api
