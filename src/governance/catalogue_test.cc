// Search, annotations and their files, what flows along lineage, usage.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "base/uuid.h"
#include "governance/annotations.h"
#include "governance/catalogue_difference.h"
#include "governance/catalogue_files.h"
#include "governance/catalogue_propagation.h"
#include "governance/search_index.h"
#include "governance/usage.h"

namespace meesh::governance {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// ---------------------------------------------------------------- search

SearchEntry entry(const std::string& kind, const std::string& name,
                  const std::string& description = "", const std::string& columns = "") {
  SearchEntry out;
  out.kind = kind;
  out.name = name;
  out.description = description;
  out.columns = columns;
  return out;
}

std::vector<std::string> names(const SearchIndex& index, SearchQuery query) {
  std::vector<std::string> out;
  for (const auto& hit : index.search(query).hits) out.push_back(hit.entry.name);
  return out;
}

std::vector<std::string> names(const SearchIndex& index, const std::string& text) {
  SearchQuery query;
  query.text = text;
  return names(index, query);
}

TEST(SearchIndexTest, EveryWordBeginsAWordAndAccentsDoNotMatter) {
  SearchIndex index;
  index.replace(
      "t", {entry("table", "lake.gold.customer_orders", "Commandes des clients privés"),
            entry("table", "sales.public.orders", "What was ordered"), entry("term", "Crédit")});
  EXPECT_THAT(names(index, "cust ord"), ElementsAre("lake.gold.customer_orders"));
  EXPECT_THAT(names(index, "customer_ord"), ElementsAre("lake.gold.customer_orders"));
  EXPECT_THAT(names(index, "lake.gold"), ElementsAre("lake.gold.customer_orders"));
  EXPECT_THAT(names(index, "PRIVES"), ElementsAre("lake.gold.customer_orders"));
  EXPECT_THAT(names(index, "credit"), ElementsAre("Crédit"));
  EXPECT_THAT(names(index, "orders").front(), "sales.public.orders");
  EXPECT_THAT(names(index, "nothing like it"), IsEmpty());
}

TEST(SearchIndexTest, NamesBeforeTagsBeforeDescriptionsBeforeColumns) {
  SearchIndex index;
  SearchEntry tagged = entry("table", "a.b.tagged");
  tagged.tags = {"revenue"};
  index.replace("t", {entry("table", "a.b.columns", "", "revenue day"),
                      entry("table", "a.b.described", "The revenue of a day"), tagged,
                      entry("table", "a.b.revenue")});
  EXPECT_THAT(names(index, "revenue"),
              ElementsAre("a.b.revenue", "a.b.tagged", "a.b.described", "a.b.columns"));
}

TEST(SearchIndexTest, InsideOfWordsIsFoundAfterTheirBeginnings) {
  SearchIndex index;
  index.replace("t", {entry("table", "a.b.mastersales"), entry("table", "a.b.sales_master")});
  EXPECT_THAT(names(index, "sales"), ElementsAre("a.b.sales_master", "a.b.mastersales"));
  EXPECT_THAT(names(index, "tersal"), ElementsAre("a.b.mastersales"));
}

TEST(SearchIndexTest, WhatIsTypedIsNeverSyntax) {
  SearchIndex index;
  index.replace("t", {entry("table", "a.b.c", "NEAR and far")});
  for (const char* text :
       {"\"", "\"\"\"", "name:c", "NEAR(", "c*", "(c", "c OR", "AND", "NOT c", "^c", "{name}: c",
        "-c", "'; DROP TABLE f; --", "\xff\xfe", "*", "+", "\\", "c\" OR \"d"}) {
    SearchQuery query;
    query.text = text;
    EXPECT_NO_THROW(index.search(query)) << text;
  }
  EXPECT_THAT(names(index, "near"), ElementsAre("a.b.c"));
}

TEST(SearchIndexTest, WhatAnOriginHasNoMoreIsGoneAndWhatChangedIsFoundByItsNewWords) {
  SearchIndex index;
  EXPECT_EQ(index.replace("one", {entry("table", "a.b.c", "old"), entry("table", "a.b.d")}), 2u);
  index.replace("two", {entry("bucket", "bronze", "old things")});
  EXPECT_EQ(index.replace("one", {entry("table", "a.b.c", "old"), entry("table", "a.b.d")}), 0u);
  EXPECT_EQ(index.replace("one", {entry("table", "a.b.c", "fresh")}), 2u);
  EXPECT_THAT(names(index, "old"), ElementsAre("bronze"));
  EXPECT_THAT(names(index, "fresh"), ElementsAre("a.b.c"));
  EXPECT_EQ(index.size(), 2u);
  EXPECT_TRUE(index.find("table", "a.b.c"));
  EXPECT_FALSE(index.find("table", "a.b.d"));
}

TEST(SearchIndexTest, FiltersFacetsAndGaps) {
  SearchIndex index;
  SearchEntry owned = entry("table", "a.b.owned", "said");
  owned.domain = "sales";
  owned.owner = "Sales team";
  owned.tags = {"PII.Email"};
  index.replace("t", {owned, entry("table", "a.b.nobodys"), entry("view", "a.b.view")});
  SearchQuery query;
  query.facets = true;
  const auto all = index.search(query);
  EXPECT_EQ(all.total, 3u);
  EXPECT_THAT(all.kinds, ElementsAre(Pair("table", 2u), Pair("view", 1u)));
  EXPECT_THAT(all.domains, ElementsAre(Pair("sales", 1u)));
  EXPECT_THAT(all.tags, ElementsAre(Pair("PII.Email", 1u)));
  query.kind = "table";
  query.without_owner = true;
  EXPECT_THAT(names(index, query), ElementsAre("a.b.nobodys"));
  query = {};
  query.tag = "PII.Email";
  query.text = "owned";
  EXPECT_THAT(names(index, query), ElementsAre("a.b.owned"));
  query.domain = "marketing";
  EXPECT_THAT(names(index, query), IsEmpty());
}

TEST(SearchIndexTest, PagesFollowEachOther) {
  SearchIndex index;
  std::vector<SearchEntry> all;
  for (int i = 0; i < 9000; ++i) all.push_back(entry("table", fmt::format("a.b.t{:05}", i)));
  index.replace("t", all);
  std::set<std::string> seen;
  for (size_t offset = 0; offset < 9000; offset += 1000) {
    SearchQuery query;
    query.text = "b";
    query.offset = offset;
    query.limit = 1000;
    const auto found = index.search(query);
    EXPECT_EQ(found.total, 9000u);
    for (const auto& hit : found.hits) EXPECT_TRUE(seen.insert(hit.entry.name).second);
  }
  EXPECT_EQ(seen.size(), 9000u);
}

TEST(SearchIndexTest, AHitShowsWhereItsWordsStand) {
  SearchIndex index;
  index.replace("t", {entry("table", "a.b.c", std::string(500, 'x') + " the churn of a month é")});
  SearchQuery query;
  query.text = "churn";
  const auto hits = index.search(query).hits;
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_THAT(hits[0].snippet, HasSubstr("the churn of a month é"));
  EXPECT_LT(hits[0].snippet.size(), 250u);
}

// ---------------------------------------------------------------- propagation

ColumnEdge edge(const std::string& from, const std::string& from_column, const std::string& to,
                const std::string& to_column) {
  return {{from, from_column}, {to, to_column}};
}

TEST(PropagationTest, TagsAndTermsFlowToAllThatIsMadeOfAColumn) {
  AssetNotes notes;
  notes["a"].columns["email"] = {"", {"PII.Email"}, {"Customer"}, true, true};
  const std::vector<ColumnEdge> edges{edge("a", "email", "b", "mail"), edge("b", "mail", "c", "m"),
                                      edge("a", "id", "c", "id")};
  const auto inherited = propagate(notes, edges);
  EXPECT_THAT(inherited.at({"b", "mail"}),
              UnorderedElementsAre(Inherited{"PII.Email", false, {"a", "email"}},
                                   Inherited{"Customer", true, {"a", "email"}}));
  EXPECT_EQ(inherited.at({"c", "m"}).size(), 2u);
  EXPECT_FALSE(inherited.contains({"c", "id"}));
  EXPECT_FALSE(inherited.contains({"a", "email"}));
}

TEST(PropagationTest, PropagateFalseStopsHereAndInheritFalseStopsThere) {
  AssetNotes notes;
  notes["a"].columns["x"].tags = {"PII"};
  notes["b"].columns["x"].propagate = false;
  notes["c"].columns["y"].inherit = false;
  const std::vector<ColumnEdge> edges{edge("a", "x", "b", "x"), edge("b", "x", "d", "x"),
                                      edge("a", "x", "c", "y"), edge("c", "y", "e", "y")};
  const auto inherited = propagate(notes, edges);
  EXPECT_TRUE(inherited.contains({"b", "x"}));
  EXPECT_FALSE(inherited.contains({"d", "x"}));
  EXPECT_FALSE(inherited.contains({"c", "y"}));
  EXPECT_FALSE(inherited.contains({"e", "y"}));
  notes["a"].columns["x"].propagate = false;
  EXPECT_THAT(propagate(notes, edges), IsEmpty());
}

TEST(PropagationTest, CirclesEndAndTheNearestOriginIsTold) {
  AssetNotes notes;
  notes["a"].columns["x"].tags = {"T"};
  notes["c"].columns["x"].tags = {"T"};
  const auto inherited = propagate(
      notes, {edge("a", "x", "b", "x"), edge("b", "x", "a", "x"), edge("b", "x", "c", "x"),
              edge("c", "x", "d", "x"), edge("d", "x", "d", "x")});
  EXPECT_THAT(inherited.at({"b", "x"}), ElementsAre(Inherited{"T", false, {"a", "x"}}));
  EXPECT_THAT(inherited.at({"d", "x"}), ElementsAre(Inherited{"T", false, {"c", "x"}}));
  EXPECT_FALSE(inherited.contains({"a", "x"}));
}

// ---------------------------------------------------------------- files

AssetNotes read_back(const std::string& text) {
  yaml::Document document = yaml::parse(text, "catalogue/x.yaml");
  std::vector<Error> problems;
  base::check(catalogue_shape(), document, problems);
  auto assets = problems.empty() ? read_assets(document, problems) : AssetNotes{};
  for (const auto& problem : problems) ADD_FAILURE() << problem.what() << "\n" << text;
  return assets;
}

TEST(AnnotationsTest, WhatIsWrittenReadsAsTheSame) {
  const std::vector<std::string> texts{"plain",
                                       "true",
                                       "null",
                                       "8080",
                                       "1e5",
                                       "~",
                                       "yes",
                                       "two\nlines",
                                       "ends with colon:",
                                       "# not a comment",
                                       "- no list",
                                       "{brace",
                                       "a: b",
                                       "\"quoted\"",
                                       "it's",
                                       "tab\there",
                                       "back\\slash",
                                       "é ü 漢字 🙂",
                                       "${HOME}",
                                       "one\n\n  indented\nthree",
                                       " leading",
                                       "a  \nb",
                                       "line one\n| table | cell |\n|---|---|",
                                       "&anchor *alias",
                                       "!!str x",
                                       "%directive",
                                       "@at",
                                       "`tick`",
                                       "<script>",
                                       "carriage\r\nreturn",
                                       "null\xe2\x80\xa8sep",
                                       "\x7f"};
  AssetNotes notes;
  for (size_t i = 0; i < texts.size(); ++i) {
    AssetNote note;
    note.description = texts[i];
    note.columns[fmt::format("c{}", i)].description = texts[i];
    note.columns["null"].tags = {"true", "PII.Email", "two words", "8080", "# hash"};
    note.columns["with \"quote\""].propagate = false;
    notes[fmt::format("lake.s.t{}", i)] = note;
  }
  notes["bucket:bronze"].owner = "Équipe: données";
  EXPECT_EQ(read_back(write_assets(notes)), notes);
  EXPECT_EQ(read_back(write_assets({})), AssetNotes{});
}

TEST(AnnotationsTest, RandomTextsReadAsTheSame) {
  std::mt19937 random(7);
  const std::string letters = "ab \n:#-'\"|>{}[]&*!%@`\\,?~\t.0é🙂";
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (size_t i = random() % 40; i > 0; --i) {
      size_t at = random() % letters.size();
      while ((static_cast<unsigned char>(letters[at]) & 0xC0) == 0x80) --at;
      text += letters[at];
      while (at + 1 < letters.size() &&
             (static_cast<unsigned char>(letters[at + 1]) & 0xC0) == 0x80)
        text += letters[++at];
    }
    text.erase(text.find_last_not_of(" \t\r\n") + 1);
    AssetNotes notes;
    notes["a.b.c"].description = text;
    notes["a.b.c"].owner = "x";
    ASSERT_EQ(read_back(write_assets(notes)), notes) << '[' << text << "]\n" << write_assets(notes);
  }
}

class CatalogueFilesTest : public ::testing::Test {
 protected:
  CatalogueFilesTest() {
    mesh_.folder = mesh_.shown = fs::temp_directory_path() / ("catalogue-" + base::random_uuid());
    fs::create_directories(mesh_.folder);
    mesh_.secret = [](const std::string&) { return std::nullopt; };
  }
  ~CatalogueFilesTest() override { fs::remove_all(mesh_.folder); }

  void write(const std::string& file, const std::string& text) {
    fs::create_directories((mesh_.folder / file).parent_path());
    std::ofstream(mesh_.folder / file) << text;
  }
  std::string text(const std::string& file) {
    std::ostringstream out;
    out << std::ifstream(mesh_.folder / file).rdbuf();
    return out.str();
  }
  std::string complaint() {
    try {
      CatalogueFiles files(mesh_);
      return "";
    } catch (const mesh::ConfigError& error) {
      return error.report();
    }
  }
  template <class F>
  static Code code_of(F&& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return Code::kNotFound;
  }

  mesh::Mesh mesh_;
};

TEST_F(CatalogueFilesTest, EveryMistakeHasItsPlace) {
  write("catalogue/a.yaml",
        "assets:\n  lake.gold.rfm:\n    ownr: x\n    tags: many\n  short: {}\n");
  write("catalogue/b.yaml", "assets:\n  lake.gold.x: {}\n  LAKE.gold.x: {}\n");
  write("glossary/g.yaml", "terms:\n  Customer: { status: agreed }\n");
  const std::string report = complaint();
  for (const char* part : {"catalogue/a.yaml:3:5", "catalogue/a.yaml:4:11", "catalogue/a.yaml:5:3",
                           "catalogue/b.yaml:3:3", "glossary/g.yaml:2:23", "owner"})
    EXPECT_THAT(report, HasSubstr(part));
}

TEST_F(CatalogueFilesTest, AnAssetIsDescribedInOneFile) {
  write("catalogue/a.yaml", "assets:\n  a.b.c: { owner: x }\n");
  write("catalogue/b.yaml", "assets:\n  a.b.c: { owner: y }\n");
  EXPECT_THAT(complaint(), HasSubstr("as well"));
}

TEST_F(CatalogueFilesTest, TwoEditorsDoNotOverwriteEachOther) {
  write("catalogue/mine.yaml", "assets:\n  a.b.c: { owner: x }\n  a.b.d: { owner: z }\n");
  CatalogueFiles files(mesh_);
  const std::string etag = etag_of("a.b.c", files.now()->asset("a.b.c"));
  AssetNote note = *files.now()->asset("a.b.c");
  note.tags = {"KPI"};
  files.put_asset("A.b.C", note, etag);
  EXPECT_THAT(text("catalogue/mine.yaml"), HasSubstr("KPI"));
  EXPECT_THAT(text("catalogue/mine.yaml"), HasSubstr("a.b.d"));
  EXPECT_EQ(code_of([&] { files.put_asset("a.b.c", note, etag); }), Code::kTransactionConflict);
  // Another asset of the same file is nobody's business.
  files.put_asset("a.b.d", {}, etag_of("a.b.d", files.now()->asset("a.b.d")));
  EXPECT_EQ(files.now()->asset("a.b.d"), nullptr);
  // Somebody's editor is an editor, too.
  const std::string before = etag_of("a.b.c", files.now()->asset("a.b.c"));
  write("catalogue/mine.yaml", "assets:\n  a.b.c: { owner: by hand }\n");
  EXPECT_EQ(code_of([&] { files.put_asset("a.b.c", note, before); }), Code::kTransactionConflict);
  EXPECT_TRUE(files.refresh());
  EXPECT_EQ(files.now()->asset("a.b.c")->owner, "by hand");
  EXPECT_FALSE(files.refresh());
}

TEST_F(CatalogueFilesTest, WhatWouldBeWrongIsNotWritten) {
  CatalogueFiles files(mesh_);
  AssetNote note;
  note.tags = {"with, comma"};
  EXPECT_EQ(code_of([&] { files.put_asset("a.b.c", note, ""); }), Code::kConfigInvalid);
  note.tags = {};
  note.owner = "me";
  EXPECT_EQ(code_of([&] { files.put_asset("nothing", note, ""); }), Code::kConfigInvalid);
  EXPECT_EQ(code_of([&] { files.put_asset("../../etc/passwd", note, ""); }), Code::kConfigInvalid);
  EXPECT_FALSE(fs::exists(mesh_.folder / "catalogue/a.yaml"));
  files.put_asset("we/ird.b.c", note, "");
  EXPECT_TRUE(fs::exists(mesh_.folder / "catalogue/we_ird.yaml"));
  size_t count = 0;
  for (const auto& found : fs::recursive_directory_iterator(mesh_.folder)) {
    if (found.is_regular_file()) ++count;
  }
  EXPECT_EQ(count, 1u);
}

TEST_F(CatalogueFilesTest, BrokenFilesLeaveWhatWasKnown) {
  write("catalogue/a.yaml", "assets:\n  a.b.c: { owner: x }\n");
  CatalogueFiles files(mesh_);
  write("catalogue/a.yaml", "assets: [\n");
  EXPECT_TRUE(files.refresh());
  EXPECT_EQ(files.now()->asset("a.b.c")->owner, "x");
  ASSERT_EQ(files.problems().size(), 1u);
  EXPECT_EQ(code_of([&] { files.put_asset("a.b.c", {}, ""); }), Code::kConfigInvalid);
  EXPECT_EQ(text("catalogue/a.yaml"), "assets: [\n");
}

TEST_F(CatalogueFilesTest, TermsFormATree) {
  CatalogueFiles files(mesh_);
  Term customer{.name = "Customer", .definition = "Who **buys**."};
  files.put_term(customer, "none");
  EXPECT_EQ(code_of([&] { files.put_term(customer, "none"); }), Code::kTransactionConflict);
  Term segment{.name = "Segment", .parent = "Customer"};
  files.put_term(segment, "");
  EXPECT_EQ(code_of([&] { files.put_term({.name = "Lost", .parent = "Custmer"}, ""); }),
            Code::kNotFound);
  customer.parent = "Segment";
  EXPECT_EQ(code_of([&] { files.put_term(customer, ""); }), Code::kConstraintViolation);
  EXPECT_EQ(code_of([&] { files.remove_term("Customer", ""); }), Code::kConstraintViolation);
  files.remove_term("Segment", etag_of(files.now()->term("Segment")));
  files.remove_term("Customer", "");
  EXPECT_THAT(files.now()->terms, IsEmpty());
  EXPECT_EQ(complaint(), "");
}

TEST_F(CatalogueFilesTest, ATermInUseStays) {
  CatalogueFiles files(mesh_);
  files.put_term({.name = "Customer"}, "");
  AssetNote note;
  note.columns["id"].terms = {"Customer"};
  files.put_asset("a.b.c", note, "");
  EXPECT_EQ(code_of([&] { files.remove_term("Customer", ""); }), Code::kConstraintViolation);
  files.put_asset("a.b.c", {}, "");
  files.remove_term("Customer", "");
}

// ---------------------------------------------------------------- differences

TEST(DifferencesTest, ItemsAreKnownByTheirNames) {
  const auto difference = [](const char* before, const char* after) {
    return differences(yaml::parse(before, "a").root, yaml::parse(after, "b").root);
  };
  EXPECT_THAT(
      difference("a: [{name: x, n: 1}, {name: y, n: 2}]", "a: [{name: y, n: 3}, {name: x, n: 1}]"),
      ElementsAre(Difference{"changed", "a[y].n", "2", "3"}));
  EXPECT_THAT(difference("a: 1\nb: 2", "a: 1\nc: 2"),
              ElementsAre(Difference{"removed", "b", "2", ""}, Difference{"added", "c", "", "2"}));
  EXPECT_THAT(difference("a: {b: [1, 1]}", "a: {b: [1, 1]}"), IsEmpty());
}

// ---------------------------------------------------------------- usage

class UsageTest : public ::testing::Test {
 protected:
  UsageTest() {
    folder_ = fs::temp_directory_path() / ("usage-" + base::random_uuid());
    database_ = meta::Database::open(
        {.kind = meta::Backend::kSqlite, .location = (folder_ / "meesh.db").string()});
  }
  ~UsageTest() override {
    database_.reset();
    fs::remove_all(folder_);
  }
  static int64_t now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  fs::path folder_;
  std::unique_ptr<meta::Database> database_;
};

TEST_F(UsageTest, StatementsAreCountedByDayUserAndCompany) {
  const int64_t at = now(), day = 86'400'000;
  {
    Usage usage(*database_);
    usage.count({"a.b.orders", "a.b.customers"}, "ada", at);
    usage.count({"a.b.orders"}, "ada", at - day);
    usage.count({"a.b.orders"}, "bob", at - 100 * day);
    usage.flush();
    usage.count({"a.b.orders", "a.b.items"}, "bob", at);
    usage.flush();
  }
  Usage usage(*database_);
  const auto orders = usage.of("a.b.orders", 30);
  EXPECT_EQ(orders.statements, 3u);
  EXPECT_EQ(orders.last_ms, at);
  ASSERT_EQ(orders.days.size(), 2u);
  EXPECT_EQ(orders.days[0].day_ms, (at / day - 1) * day);
  EXPECT_EQ(orders.days[1].statements, 2u);
  EXPECT_THAT(orders.users, ElementsAre(Pair("ada", 2u), Pair("bob", 1u)));
  EXPECT_THAT(orders.joined_with,
              UnorderedElementsAre(Pair("a.b.customers", 1u), Pair("a.b.items", 1u)));
  EXPECT_EQ(usage.of("a.b.orders", 365).statements, 4u);
  EXPECT_EQ(usage.of("a.b.nothing", 30).last_ms, 0);
  const auto most = usage.most_used(30, 2);
  ASSERT_EQ(most.size(), 2u);
  EXPECT_EQ(most[0].asset, "a.b.orders");
}

TEST_F(UsageTest, OldDaysGo) {
  Usage usage(*database_);
  const int64_t day = 86'400'000;
  usage.count({"a.b.c"}, "ada", now() - 50 * day);
  usage.flush();
  usage.count({"a.b.c"}, "ada", now());
  usage.flush(10);
  EXPECT_EQ(usage.of("a.b.c", 365).statements, 1u);
}

}  // namespace
}  // namespace meesh::governance
