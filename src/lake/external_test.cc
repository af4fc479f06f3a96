#include "lake/external.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "lake/external_files.h"
#include "objects/store.h"

namespace meesh::lake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class ExternalTest : public testing::Test {
 protected:
  ExternalTest() {
    std::string name = (std::filesystem::temp_directory_path() / "meesh_external_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    folder_ = name;
    store_ = objects::open_local({.folder = folder_ / "objects"});
    objects::Bucket bucket;
    bucket.name = "files";
    store_->create_bucket(bucket);
    database_ = meta::Database::open(
        {.kind = meta::Backend::kSqlite, .location = (folder_ / "meta.db").string()});
    tables_ = std::make_unique<ExternalTables>(*database_, Warehouse{"hive", "s3://files/hive"});
  }
  ~ExternalTest() override {
    tables_.reset();
    database_.reset();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  static ExternalTable events() {
    ExternalTable table;
    table.schema = "default";
    table.name = "events";
    table.columns = {{"id", "bigint", "number"}, {"at", "date", ""}};
    table.partitioned_by = {"at"};
    table.format = "CSV";
    table.location = "s3://files/events/";
    table.owner = "ada";
    table.comment = "what happened";
    table.properties = {{"csv_separator", ";"}};
    return table;
  }
  void put(const std::string& key, const std::string& text) {
    const auto writer = store_->put("files", key, {}, {});
    writer->write(text);
    writer->commit({});
  }
  std::vector<std::string> keys(const std::string& prefix) {
    return all_keys(*store_, {"files", prefix});
  }
  static std::string failure(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return std::string(code_name(error.code())) + ": " + error.message();
    }
    return "it did not fail";
  }

  std::filesystem::path folder_;
  std::unique_ptr<objects::Store> store_;
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<ExternalTables> tables_;
};

TEST_F(ExternalTest, DefinitionsOutliveTheProgram) {
  const auto made = tables_->create(events(), {{{"2025-01-01"}, "s3://files/events/at=2025-01-01"},
                                               {{std::nullopt}, "s3://files/elsewhere"}});
  tables_ = std::make_unique<ExternalTables>(*database_, Warehouse{"hive", "s3://files/hive"});
  const auto found = tables_->find("default", "events");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, made.id);
  EXPECT_EQ(found->columns, made.columns);
  EXPECT_THAT(found->partitioned_by, ElementsAre("at"));
  EXPECT_EQ(found->format, "CSV");
  EXPECT_EQ(found->location, "s3://files/events/");
  EXPECT_FALSE(found->managed);
  EXPECT_EQ(found->owner, "ada");
  EXPECT_EQ(found->comment, "what happened");
  EXPECT_EQ(found->properties.at("csv_separator"), ";");
  EXPECT_THAT(tables_->partitions(found->id), SizeIs(2));
  EXPECT_THAT(tables_->schemas(), ElementsAre("default"));
  EXPECT_THAT(tables_->tables("default"), ElementsAre("events"));
}

TEST_F(ExternalTest, CatalogsInOneDatabaseDoNotSeeEachOther) {
  tables_->create(events(), {});
  ExternalTables other(*database_, {"second", "s3://files/second"});
  EXPECT_FALSE(other.find("default", "events"));
  EXPECT_EQ(other.schema_location("default"), "s3://files/second/default");
}

TEST_F(ExternalTest, NamesAreTakenOnce) {
  tables_->create(events(), {});
  EXPECT_EQ(failure([&] { tables_->create(events(), {}); }),
            "TABLE_ALREADY_EXISTS: Table already exists: 'default.events'");
  EXPECT_EQ(failure([&] { tables_->create_schema("default", ""); }),
            "SCHEMA_ALREADY_EXISTS: Schema 'default' already exists");
  EXPECT_EQ(failure([&] { tables_->drop_schema("default"); }),
            "SCHEMA_NOT_EMPTY: Schema not empty: default");
  auto lost = events();
  lost.schema = "nowhere";
  EXPECT_EQ(failure([&] { tables_->create(lost, {}); }),
            "SCHEMA_NOT_FOUND: Schema 'nowhere' does not exist");
  EXPECT_EQ(failure([&] { tables_->drop("default", "nothing"); }),
            "TABLE_NOT_FOUND: Table 'default.nothing' not found");
}

TEST_F(ExternalTest, ARenamedTableKeepsItsPartitions) {
  const auto made = tables_->create(events(), {{{"2025-01-01"}, "s3://files/x"}});
  tables_->create_schema("s", "s3://files/s/");
  tables_->rename("default", "events", "s", "moved");
  EXPECT_FALSE(tables_->find("default", "events"));
  EXPECT_THAT(tables_->partitions(tables_->find("s", "moved")->id), SizeIs(1));
  EXPECT_EQ(tables_->schema_location("s"), "s3://files/s/");
  EXPECT_EQ(tables_->drop("s", "moved").id, made.id);
  EXPECT_THAT(tables_->partitions(made.id), IsEmpty());
  tables_->drop_schema("s");
  EXPECT_THAT(tables_->schemas(), ElementsAre("default"));
}

TEST_F(ExternalTest, EditsChangeTheDefinition) {
  tables_->create(events(), {});
  tables_->edit("default", "events", [](ExternalTable& table) {
    table.columns.insert(table.columns.begin() + 1, {"name", "varchar", ""});
    table.comment = "new";
  });
  const auto found = tables_->find("default", "events");
  EXPECT_THAT(found->columns, SizeIs(3));
  EXPECT_EQ(found->columns[1].name, "name");
  EXPECT_EQ(found->comment, "new");
  EXPECT_EQ(failure([&] {
              tables_->edit("default", "events", [](ExternalTable&) {
                throw Error(Code::kColumnNotFound, "no such column");
              });
            }),
            "COLUMN_NOT_FOUND: no such column");
}

TEST_F(ExternalTest, PartitionsAreAddedOnceAndRemovedByValues) {
  const auto id = tables_->create(events(), {}).id;
  EXPECT_EQ(
      tables_->add_partitions(id, {{{"a"}, "s3://files/1"}, {{std::nullopt}, "s3://files/2"}}), 2u);
  EXPECT_EQ(tables_->add_partitions(id, {{{"a"}, "s3://files/9"}, {{"b"}, "s3://files/3"}}), 1u);
  EXPECT_EQ(tables_->remove_partitions(id, {{{std::nullopt}}, {{"c"}}}), 1u);
  EXPECT_THAT(tables_->partitions(id), ElementsAre(ExternalPartition{{"a"}, "s3://files/1"},
                                                   ExternalPartition{{"b"}, "s3://files/3"}));
}

TEST_F(ExternalTest, PlacesInUseAreKnownFromAboveAndBelow) {
  tables_->create(events(), {});
  EXPECT_TRUE(tables_->location_in_use("s3://files/events"));
  EXPECT_TRUE(tables_->location_in_use("s3://files/events/at=1"));
  EXPECT_TRUE(tables_->location_in_use("s3://files"));
  EXPECT_FALSE(tables_->location_in_use("s3://files/events2"));
}

TEST_F(ExternalTest, FoldersAreReadFromLocations) {
  EXPECT_EQ(parse_folder("s3://files").path(), "s3://files/");
  EXPECT_EQ(parse_folder("s3://files//").path(), "s3://files/");
  EXPECT_EQ(parse_folder("s3a://files/a/b/").path(), "s3://files/a/b/");
  for (const char* wrong : {"", "/tmp/x", "file:///etc", "s3://", "s3:///a", "s3://files/a//b",
                            "s3://files/../x", "s3://files/a/\n/b", "hdfs://files/a"}) {
    EXPECT_THAT(failure([&] { parse_folder(wrong); }),
                testing::StartsWith("INVALID_TABLE_PROPERTY"))
        << wrong;
  }
}

TEST_F(ExternalTest, HiddenEmptyAndDeeperFilesAreNotATables) {
  for (const char* key : {"t/a.csv", "t/b.csv", "t/_SUCCESS", "t/.hidden", "t/deeper/c.csv",
                          "t/p=1/d.csv", "t/p=1/_e", "t/_p=2/f.csv", "t/p=3/q/g.csv", "t2/h.csv"})
    put(key, "x");
  put("t/empty.csv", "");
  put("t/", "");
  const auto folder = parse_folder("s3://files/t");
  EXPECT_THAT(list_files(*store_, folder), ElementsAre("s3://files/t/a.csv", "s3://files/t/b.csv"));
  EXPECT_THAT(list_files(*store_, folder, {"p=1", "p=3"}), ElementsAre("s3://files/t/p=1/d.csv"));
  EXPECT_THAT(list_files(*store_, parse_folder("s3://files/none")), IsEmpty());
  EXPECT_THAT(list_files(*store_, parse_folder("s3://nobucket/none")), IsEmpty());
  EXPECT_TRUE(has_objects(*store_, folder));
  EXPECT_FALSE(has_objects(*store_, parse_folder("s3://files/none")));
}

TEST_F(ExternalTest, PartitionNamesAreHives) {
  const std::vector<std::string> columns = {"day", "place"};
  const PartitionValues values = {"2025-01-01", "a/b=ü%"};
  EXPECT_EQ(partition_name(columns, values), "day=2025-01-01/place=a%2Fb%3Dü%25");
  EXPECT_EQ(parse_partition_name(columns, partition_name(columns, values), true), values);
  const PartitionValues nothing = {std::nullopt, ""};
  EXPECT_EQ(partition_name(columns, {std::nullopt, "x"}), "day=__HIVE_DEFAULT_PARTITION__/place=x");
  EXPECT_EQ(parse_partition_name(columns, "day=__HIVE_DEFAULT_PARTITION__/place=", true), nothing);
  for (const char* wrong :
       {"day=1", "place=1/day=2", "day=1/place=2/x=3", "day=1/place", "", "x", "Day=1/place=2"}) {
    EXPECT_EQ(parse_partition_name(columns, wrong, true), std::nullopt) << wrong;
  }
  EXPECT_TRUE(parse_partition_name(columns, "Day=1/PLACE=2", false));
}

TEST_F(ExternalTest, PartitionsAreFoundByTheirFolders) {
  put("t/p=1/a", "x");
  put("t/p=1/b", "x");
  put("t/p=2/", "");
  put("t/P=3/c", "x");
  put("t/.staged/p=4/d", "x");
  put("t/readme", "x");
  const auto folder = parse_folder("s3://files/t/");
  EXPECT_THAT(find_partitions(*store_, folder, {"p"}, true),
              ElementsAre(ExternalPartition{{"1"}, "s3://files/t/p=1"},
                          ExternalPartition{{"2"}, "s3://files/t/p=2"}));
  EXPECT_THAT(find_partitions(*store_, folder, {"p"}, false), SizeIs(3));
}

TEST_F(ExternalTest, WhatKilledWritesLeftIsRemovedWhenItIsOld) {
  const std::string one = "0d3c9a5e-58a1-4c37-9d3f-0c5c8f7d1a01";
  const std::string other = "0d3c9a5e-58a1-4c37-9d3f-0c5c8f7d1a02";
  const Folder folder = parse_folder("s3://files/t/");
  put(staging_folder(folder, one).prefix + "p=1/a.parquet", "x");
  put(staging_folder(folder, one).prefix + "p=2/b.parquet", "x");
  const std::vector<std::string> theirs = {"t/.meesh-notes/a", "t/.meeshy", "t/p=1/a.parquet",
                                           "t/p=1/.meesh-" + one + "/a", "u/.meesh-" + one + "/a"};
  for (const auto& key : theirs) put(key, "x");
  EXPECT_EQ(remove_stale_staging(*store_, folder), 0u);
  EXPECT_EQ(remove_stale_staging(*store_, parse_folder("s3://nowhere/t")), 0u);
  EXPECT_THAT(keys("t/.meesh-" + one), SizeIs(2));

  put(staging_folder(folder, other).prefix + "p=1/a.parquet", "x");
  EXPECT_EQ(remove_stale_staging(*store_, folder, std::chrono::milliseconds(-1000)), 3u);
  EXPECT_THAT(keys(""), testing::UnorderedElementsAreArray(theirs));
}

TEST_F(ExternalTest, FoldersDirectlyInAFolder) {
  for (const char* key : {"t/a/x", "t/b/c/x", "t/b/y", "t/z", "u/x"}) put(key, "x");
  const auto found = folders_in(*store_, parse_folder("s3://files/t"));
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].path(), "s3://files/t/a/");
  EXPECT_EQ(found[1].path(), "s3://files/t/b/");
  EXPECT_THAT(folders_in(*store_, parse_folder("s3://nowhere/t")), IsEmpty());
}

TEST_F(ExternalTest, AFolderSaysItsPartitionOnlyIfItsNameDoes) {
  const auto table = events();
  EXPECT_EQ(folder_in_table(table, {{"1"}, "s3://files/events/at=1/"}), "at=1");
  EXPECT_EQ(folder_in_table(table, {{"2"}, "s3://files/events/at=1/"}), std::nullopt);
  EXPECT_EQ(folder_in_table(table, {{"1"}, "s3://files/events/At=1/"}), std::nullopt);
  EXPECT_EQ(folder_in_table(table, {{"1"}, "s3://files/other/at=1"}), std::nullopt);
  EXPECT_EQ(folder_in_table(table, {{"1"}, "s3://files/events"}), std::nullopt);
}

}  // namespace
}  // namespace meesh::lake
