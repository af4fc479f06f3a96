// The parts of meesh.yaml and domain.yaml about Iceberg tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "mesh/mesh.h"

namespace meesh::mesh {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class LakeConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "meesh-lake-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  Mesh load(const std::string& more) {
    std::ofstream(folder_ / "meesh.yaml") << "name: test\n" + more;
    return Mesh::load(folder_);
  }
  std::string complaint(const std::string& more) {
    try {
      load(more);
      return "";
    } catch (const ConfigError& e) {
      EXPECT_EQ(e.all().size(), 1u) << e.report();
      return e.report();
    }
  }

  fs::path folder_;
};

TEST_F(LakeConfigTest, TablesAreKeptInOrderUnlessTold) {
  for (const char* text : {"", "lake: {catalog: ice}\n", "lake: {maintenance: {}}\n"}) {
    const Mesh mesh = load(text);
    EXPECT_EQ(mesh.lake.location, "s3://lake");
    EXPECT_EQ(mesh.lake_maintenance.every, std::chrono::minutes(10));
    EXPECT_TRUE(mesh.lake_maintenance.compaction);
    EXPECT_TRUE(mesh.lake_maintenance.expire_snapshots);
    EXPECT_TRUE(mesh.lake_maintenance.orphan_files);
  }
  const LakeMaintenance found =
      load("lake: {maintenance: {every: 90s, compaction: false, expire_snapshots: false}}\n")
          .lake_maintenance;
  EXPECT_EQ(found.every, std::chrono::seconds(90));
  EXPECT_FALSE(found.compaction);
  EXPECT_FALSE(found.expire_snapshots);
  EXPECT_TRUE(found.orphan_files);
  EXPECT_FALSE(load("lake: {maintenance: {orphan_files: false}}\n").lake_maintenance.orphan_files);
}

TEST_F(LakeConfigTest, TimesBetweenRounds) {
  const auto every = [&](const std::string& text) {
    return load("lake: {maintenance: {every: " + text + "}}\n").lake_maintenance.every.count();
  };
  EXPECT_EQ(every("1s"), 1);
  EXPECT_EQ(every("15m"), 900);
  EXPECT_EQ(every("2h"), 7200);
  EXPECT_EQ(every("9999d"), int64_t{9999} * 86400);
}

TEST_F(LakeConfigTest, Mistakes) {
  EXPECT_THAT(complaint("lake:\n  maintenance:\n    every: soon\n"),
              HasSubstr("meesh.yaml:4:12: expected a duration such as 30s, 10m, 1h or 1d for "
                        "'lake.maintenance.every'"));
  EXPECT_THAT(complaint("lake:\n  maintenance:\n    every: 0s\n"), HasSubstr(":4:12: expected"));
  EXPECT_THAT(complaint("lake:\n  maintenance:\n    every: 10000d\n"),
              HasSubstr(":4:12: expected"));
  EXPECT_THAT(complaint("lake:\n  maintenance:\n    compaction: yes\n"),
              HasSubstr(":4:17: expected true or false"));
  EXPECT_THAT(
      complaint("lake:\n  maintenance:\n    compactions: true\n"),
      HasSubstr(
          ":4:5: unknown key 'compactions' in 'lake.maintenance' (did you mean 'compaction'?)"));
}

TEST_F(LakeConfigTest, PlacesOfSeveralBuckets) {
  EXPECT_THAT(load("").lake.allowed_locations, testing::IsEmpty());
  const Lake lake =
      load("lake: {location: s3://lake/t, allowed_locations: [s3://bronze, s3://silver/clean]}\n")
          .lake;
  EXPECT_THAT(lake.places(),
              testing::ElementsAre("s3://lake/t", "s3://bronze", "s3://silver/clean"));
  EXPECT_THAT(complaint("lake:\n  allowed_locations:\n    - s3://bronze\n    - bronze\n"),
              HasSubstr("meesh.yaml:5:7: expected a place such as s3://lake/warehouse"));
}

TEST_F(LakeConfigTest, APlaceIsOneLakesAlone) {
  const auto domain = [&](const std::string& name, const std::string& lake) {
    fs::create_directories(folder_ / "domains" / name);
    std::ofstream(folder_ / "domains" / name / "domain.yaml")
        << "owner: {team: t}\ndatabase: {kind: postgresql, host: h, port: 5432, name: n, user: u, "
           "password: p}\nlake:\n" +
               lake;
  };
  const std::string mesh = "lake: {allowed_locations: [s3://bronze, s3://gold/a]}\n";
  domain("sales", "  location: s3://sales\n  allowed_locations: [s3://gold/ab, s3://sales/x]\n");
  EXPECT_EQ(load(mesh).domains.at(0).lake->places().size(), 3u);
  domain("sales", "  location: s3://sales\n  allowed_locations: [s3://bronze/sales]\n");
  EXPECT_THAT(complaint(mesh), HasSubstr("domain.yaml:5:23: the place 's3://bronze/sales' is "
                                         "another lake's already ('s3://bronze' of the lake "
                                         "'lake' at "));
  domain("sales", "  location: s3://gold\n");
  EXPECT_THAT(complaint(mesh), HasSubstr("domain.yaml:4:13: the place 's3://gold'"));
  domain("sales", "  location: s3://sales\n");
  domain("stock", "  location: s3://sales/stock\n");
  EXPECT_THAT(complaint(mesh), HasSubstr("stock/domain.yaml:4:13: the place"));
}

TEST_F(LakeConfigTest, OnlyTheMeshHasMaintenance) {
  const auto has = [](const char* kind) {
    return boost::json::serialize(json_schema(kind)).find("\"maintenance\"") != std::string::npos;
  };
  EXPECT_TRUE(has("meesh"));
  EXPECT_FALSE(has("domain"));
}

}  // namespace
}  // namespace meesh::mesh
