#include "engine/object_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "objects/store.h"

namespace meesh::engine {
namespace {

using testing::HasSubstr;

TEST(KeyMatches, AsAShellWouldWithTwoStarsForAnyDepth) {
  EXPECT_TRUE(key_matches("raw/*.csv", "raw/a.csv"));
  EXPECT_FALSE(key_matches("raw/*.csv", "raw/sales/a.csv"));
  EXPECT_TRUE(key_matches("raw/**/*.csv", "raw/a.csv"));
  EXPECT_TRUE(key_matches("raw/**/*.csv", "raw/sales/2024/a.csv"));
  EXPECT_TRUE(key_matches("raw/**", "raw/sales/2024/a.csv"));
  EXPECT_TRUE(key_matches("year=202?/[ab].parquet", "year=2024/a.parquet"));
  EXPECT_FALSE(key_matches("year=202?/[ab].parquet", "year=2024/c.parquet"));
  EXPECT_FALSE(key_matches("a", "a/b"));
}

class ObjectFilesTest : public testing::Test {
 protected:
  ObjectFilesTest() {
    folder_ = std::filesystem::temp_directory_path() /
              ("meesh-object-files-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    store_ = objects::open_local({.folder = folder_});
    objects::Bucket bucket;
    bucket.name = "datalake";
    store_->create_bucket(bucket);
    duck_.db = std::make_unique<duckdb::DuckDB>(nullptr);
    register_object_files(duck_, *store_,
                          [](const std::string& user, std::string_view action, const std::string&,
                             const std::string& key) {
                            if (user == "reader" && action == "s3:GetObject") return;
                            throw Error(Code::kPermissionDenied,
                                        user + " may not " + std::string(action) + " " + key);
                          });
  }
  ~ObjectFilesTest() override {
    duck_.db.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  int64_t number(const std::string& sql) {
    return duck_.run(sql)->GetValue(0, 0).GetValue<int64_t>();
  }

  std::filesystem::path folder_;
  std::unique_ptr<objects::Store> store_;
  Duck duck_;
};

TEST_F(ObjectFilesTest, ParquetWrittenByOneStatementIsReadByAnother) {
  duck_.run(
      "COPY (SELECT i, i * 2 AS twice, repeat('x', 50) AS pad FROM range(200000) t(i)) TO "
      "'s3://datalake/raw/numbers.parquet' (FORMAT parquet)");
  EXPECT_EQ(number("SELECT sum(twice) FROM 's3://datalake/raw/numbers.parquet'"), 39999800000);
  EXPECT_EQ(number("SELECT twice FROM 's3://datalake/raw/numbers.parquet' WHERE i = 77777"),
            155554);
  const auto object = store_->head("datalake", "raw/numbers.parquet", {});
  EXPECT_EQ(number("SELECT file_size_bytes FROM parquet_file_metadata("
                   "'s3://datalake/raw/numbers.parquet')"),
            static_cast<int64_t>(object.size));
}

TEST_F(ObjectFilesTest, PatternsFindAllFilesUnderAPrefix) {
  for (const char* year : {"2023", "2024"}) {
    duck_.run(std::string("COPY (SELECT 1 AS n) TO 's3://datalake/events/year=") + year +
              "/a.csv' (HEADER)");
  }
  EXPECT_EQ(number("SELECT count(*) FROM 's3://datalake/events/**/*.csv'"), 2);
  EXPECT_EQ(number("SELECT sum(year) FROM read_csv('s3://datalake/events/*/*.csv', "
                   "hive_partitioning = true)"),
            4047);
}

TEST_F(ObjectFilesTest, AFailedWriteLeavesNothing) {
  EXPECT_THROW(duck_.run("COPY (SELECT CASE WHEN i < 150000 THEN i ELSE error('stop') END FROM "
                         "range(200000) t(i)) TO 's3://datalake/broken.csv'"),
               Error);
  EXPECT_THROW(store_->head("datalake", "broken.csv", {}), objects::ObjectError);
}

TEST_F(ObjectFilesTest, MissingFilesAndBucketsAreNamed) {
  try {
    duck_.run("SELECT * FROM read_parquet('s3://nowhere/a.parquet')");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("s3://nowhere/a.parquet"));
  }
}

TEST_F(ObjectFilesTest, TheCallersRightsCount) {
  duck_.run("COPY (SELECT 42 AS n) TO 's3://datalake/a.csv' (HEADER)");
  duckdb::Connection connection(*duck_.db);
  set_caller(connection, "reader");
  EXPECT_FALSE(connection.Query("SELECT n FROM 's3://datalake/a.csv'")->HasError());
  const auto written = connection.Query("COPY (SELECT 1) TO 's3://datalake/b.csv'");
  ASSERT_TRUE(written->HasError());
  EXPECT_THAT(written->GetError(), HasSubstr("reader may not s3:PutObject b.csv"));
  set_caller(connection, "stranger");
  EXPECT_TRUE(connection.Query("SELECT n FROM 's3://datalake/a.csv'")->HasError());
}

}  // namespace
}  // namespace meesh::engine
