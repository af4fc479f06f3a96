// What names mean to each other: tables, views, namespaces. Commits are tested with transactions.
#include "lake/catalog.h"

#include "lake/transaction_test_lake.h"

namespace meesh::lake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

class CatalogTest : public LakeTest {
 protected:
  static ViewMetadata view(const std::string& sql, const Properties& properties = {}) {
    ViewVersion version{.id = 1,
                        .timestamp_ms = 1,
                        .schema_id = kLastAdded,
                        .summary = {},
                        .default_catalog = std::nullopt,
                        .default_namespace = {"s"},
                        .representations = {{"sql", sql, "trino", ""}}};
    Schema schema;
    schema.fields = {{1, "a", primitive_type(TypeKind::kInt), false, ""}};
    const std::vector<ViewUpdate> updates{
        SetLocation{std::string(kTestPlace) + "/s/v"}, SetProperties{properties}, AddSchema{schema},
        AddViewVersion{std::move(version)}, SetCurrentViewVersion{kLastAdded}};
    return apply(updates, nullptr, 1);
  }

  Catalog& catalog() { return lake_.catalog(); }

  const Identifier t_{{"s"}, "t"}, v_{{"s"}, "v"};
};

// Spark asks for the table `files` of the namespace s.t before it looks for the metadata table.
TEST_F(CatalogTest, WhatIsNoTableIsNotFoundWhateverItsNamespace) {
  const Identifier files{{"s", "t"}, "files"};
  const char* text = "Table does not exist: s.t.files";
  EXPECT_LAKE_ERROR(Code::kTableNotFound, text, catalog().load(files));
  EXPECT_LAKE_ERROR(Code::kTableNotFound, text, catalog().drop(files));
  EXPECT_LAKE_ERROR(Code::kTableNotFound, text, (catalog().rename(files, t_), 0));
  EXPECT_LAKE_ERROR(Code::kTableNotFound, "View does not exist: x.v",
                    catalog().load_view({{"x"}, "v"}));
  EXPECT_LAKE_ERROR(Code::kSchemaNotFound, "Namespace does not exist: s.t",
                    catalog().create(files, lake_.fresh(t_, false)));
  EXPECT_LAKE_ERROR(Code::kSchemaNotFound, "Namespace does not exist: s.t",
                    (catalog().check_new(files), 0));
}

TEST_F(CatalogTest, ANameIsTheTablesOrTheViews) {
  lake_.create("t");
  catalog().create_view(v_, view("SELECT 1"));
  EXPECT_LAKE_ERROR(Code::kTableAlreadyExists, "Table already exists: s.t",
                    (catalog().check_new(t_), 0));
  EXPECT_LAKE_ERROR(Code::kTableAlreadyExists, "View with same name already exists: s.v",
                    catalog().create(v_, lake_.fresh(v_, false)));
  EXPECT_LAKE_ERROR(Code::kTableAlreadyExists, "View with same name already exists: s.v",
                    catalog().register_table(v_, lake_.load(t_).metadata_location, true));
  EXPECT_LAKE_ERROR(Code::kTableAlreadyExists, "View already exists: s.v",
                    catalog().create_view(v_, view("SELECT 1")));
  EXPECT_LAKE_ERROR(Code::kTableAlreadyExists, "Table with same name already exists: s.t",
                    catalog().create_view(t_, view("SELECT 1")));
  EXPECT_LAKE_ERROR(Code::kTableAlreadyExists, "Cannot rename s.t to s.v. View already exists",
                    (catalog().rename(t_, v_), 0));
  EXPECT_LAKE_ERROR(Code::kTableAlreadyExists, "Cannot rename s.v to s.t. Table already exists",
                    (catalog().rename_view(v_, t_), 0));
  EXPECT_LAKE_ERROR(Code::kSchemaNotFound, "Namespace does not exist: x",
                    (catalog().rename(t_, {{"x"}, "t"}), 0));
  EXPECT_THAT(catalog().tables({"s"}), ElementsAre("t"));
  EXPECT_THAT(catalog().views({"s"}), ElementsAre("v"));
}

TEST_F(CatalogTest, ATableTakesThePlaceOfAView) {
  catalog().create_view(v_, view("SELECT 1"));
  const Table made = catalog().create(v_, lake_.fresh(v_, false), nullptr, true);
  EXPECT_EQ(catalog().load(v_).metadata_location, made.metadata_location);
  EXPECT_FALSE(catalog().find_view(v_));
  EXPECT_LAKE_ERROR(Code::kTableAlreadyExists, "Table already exists: s.v",
                    catalog().create(v_, lake_.fresh(v_, false), nullptr, true));
  catalog().create({{"s"}, "new"}, lake_.fresh({{"s"}, "new"}, false), nullptr, true);
  EXPECT_THAT(catalog().tables({"s"}), ElementsAre("new", "v"));
}

TEST_F(CatalogTest, TheMetadataOfAViewGoesWhereItsPropertySays) {
  const std::string folder = std::string(kTestPlace) + "/elsewhere";
  const View made =
      catalog().create_view(v_, view("SELECT 1", {{"write.metadata.path", folder + "/"}}));
  EXPECT_THAT(made.metadata_location, StartsWith(folder + "/00000-"));
  const auto back = [](ViewMetadata metadata) {
    metadata.properties.clear();
    return metadata;
  };
  const View moved = catalog().commit_view(v_, back);
  EXPECT_THAT(moved.metadata_location,
              StartsWith(std::string(kTestPlace) + "/s/v/metadata/00001-"));
  EXPECT_LAKE_ERROR(
      Code::kPermissionDenied, "outside the warehouse",
      catalog().create_view({{"s"}, "w"}, view("SELECT 1", {{"write.metadata.path", "s3://x/y"}})));
}

TEST_F(CatalogTest, AViewThatWasDroppedIsRegisteredAgain) {
  const View made = catalog().create_view(v_, view("SELECT 1"));
  EXPECT_LAKE_ERROR(Code::kTableAlreadyExists, "View already exists: s.v",
                    catalog().register_view(v_, made.metadata_location));
  catalog().drop_view(v_);
  EXPECT_THAT(catalog().views({"s"}), IsEmpty());
  EXPECT_EQ(*catalog().register_view(v_, made.metadata_location).metadata, *made.metadata);
  EXPECT_EQ(catalog().load_view(v_).metadata_location, made.metadata_location);
  lake_.create("t");
  EXPECT_LAKE_ERROR(Code::kTableAlreadyExists, "Table with same name already exists: s.t",
                    catalog().register_view(t_, made.metadata_location));
  EXPECT_LAKE_ERROR(Code::kSchemaNotFound, "Namespace does not exist: x",
                    catalog().register_view({{"x"}, "v"}, made.metadata_location));
  EXPECT_LAKE_ERROR(Code::kPermissionDenied, "outside the warehouse",
                    catalog().register_view({{"s"}, "w"}, "s3://other/v.metadata.json"));
}

TEST_F(CatalogTest, AnObserverHearsOfEveryChangeThatIsDurable) {
  std::vector<std::string> heard;
  catalog().observe([&](const Identifier& name) { heard.push_back(name.display()); });
  lake_.create("t");
  catalog().commit({{t_, [](const Table& base) {
                       TableMetadata next = *base.metadata;
                       next.properties["a"] = "1";
                       return next;
                     }}});
  EXPECT_THAT(heard, ElementsAre("s.t", "s.t"));
  heard.clear();
  catalog().create_view(v_, view("SELECT 1"));
  catalog().rename(t_, {{"s"}, "u"});
  catalog().drop({{"s"}, "u"});
  EXPECT_THAT(heard, ElementsAre("s.v", "s.t", "s.u", "s.u"));
  heard.clear();
  const auto fails = [](soci::session&) { throw Error(Code::kDiskFull, "on purpose"); };
  EXPECT_THROW(catalog().drop_view(v_, fails), Error);
  EXPECT_THROW(catalog().create(t_, lake_.fresh(t_, false), fails), Error);
  EXPECT_THAT(heard, IsEmpty());
}

}  // namespace
}  // namespace meesh::lake
