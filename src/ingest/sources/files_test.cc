// Files to the lake, end to end in one process.
#include "ingest/ingest_fixture_test.h"

namespace meesh::ingest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FileIngestTest : public IngestTest {};

constexpr const char* kLeads = "kind: files\ntables:\n  leads: { path: \"data/leads*.csv\" }\n";

TEST_F(FileIngestTest, TakesCsvFilesOfTheMeshFolder) {
  write("data/leads1.csv", "id,Name,score\n1,\"Ann, A.\",1.5\n2,,\n");
  write("data/leads2.csv", "Name;id;extra\nBob;3;x\n");  // other order, other delimiter
  write("sources/uploads.yaml", kLeads);
  EXPECT_EQ(sync("uploads", "leads").rows, 3u);
  EXPECT_THAT(rows("SELECT id, name, score, extra, _source FROM lake.bronze.leads ORDER BY id"),
              ElementsAre("1|Ann, A.|1.5|NULL|uploads.leads", "2|NULL|NULL|NULL|uploads.leads",
                          "3|Bob|NULL|x|uploads.leads"));
}

TEST_F(FileIngestTest, TakesObjectsOfBucketsInAnyFormat) {
  put("datalake", "raw/a.json", "{\"ID\": 1, \"tags\": [\"x\"], \"at\": {\"City\": \"Oslo\"}}\n");
  put("datalake", "raw/b.json", "[{\"ID\": 2, \"tags\": null}]");
  put("datalake", "raw/c/d.csv", "id\n7\n");
  write("sources/s.yaml",
        "kind: files\ntables:\n  j: { path: s3://datalake/raw/*.json }\n  c: { path: "
        "s3://datalake/raw/**/*.csv }\n");
  EXPECT_EQ(sync("s", "j").rows, 2u);
  EXPECT_THAT(rows("SELECT id, tags[1], at.city FROM lake.bronze.j WHERE id = 1"),
              ElementsAre("1|x|Oslo"));
  EXPECT_EQ(sync("s", "c").rows, 1u);
  rows(
      "CREATE TABLE lake.bronze.p WITH (data_location = 's3://bronze/in') AS SELECT 1 AS "
      "a, DATE '2024-02-29' AS d");
  write("sources/p.yaml", "kind: files\ntables:\n  q: { path: \"s3://bronze/in/**/*.parquet\" }\n");
  ingest_.reset();
  EXPECT_EQ(sync("p", "q").rows, 1u);
  EXPECT_EQ(one("SELECT a, CAST(d AS varchar) FROM lake.bronze.q"), "1|2024-02-29");
}

TEST_F(FileIngestTest, AnIncrementalRunTakesNewAndChangedFiles) {
  write("sources/s.yaml", "kind: files\ntables:\n  l: { path: \"in/*.csv\", mode: incremental }\n");
  write("in/a.csv", "id\n1\n");
  EXPECT_EQ(sync("s", "l").rows, 1u);
  EXPECT_EQ(sync("s", "l").rows, 0u);
  write("in/b.csv", "id\n2\n3\n");
  EXPECT_EQ(sync("s", "l").rows, 2u);
  write("in/a.csv", "id\n1\n4\n");
  EXPECT_EQ(sync("s", "l").rows, 2u);
  EXPECT_THAT(log_, testing::Contains(HasSubstr("has changed and is taken again")));
  EXPECT_EQ(sync("s", "l").rows, 0u);
}

/// 100 rows, of which 5 are malformed in three ways.
std::string malformed_csv() {
  std::string text = "id,name,amount\n";
  for (int i = 1; i <= 100; ++i) {
    if (i == 10) {
      text += "10,too,1.0,many\n";
    } else if (i == 20) {
      text += "20,few\n";
    } else if (i == 30 || i == 40 || i == 50) {
      text += fmt::format("{},\"n\",x{}\n", i, i);
    } else {
      text += fmt::format("{},\"name {}\",{}.25\n", i, i, i);
    }
  }
  return text;
}
constexpr const char* kMalformed =
    "kind: files\nmalformed: {}\nmax_malformed: {}\ntables:\n  l: {{ path: l.csv, columns: {{ id: "
    "bigint, amount: 'decimal(10,2)' }}, mode: {} }}\n";

TEST_F(FileIngestTest, MalformedRowsArePutAsideAndTheOthersLand) {
  write("l.csv", malformed_csv());
  write("sources/s.yaml", fmt::format(kMalformed, "quarantine", "5%", "full_refresh"));
  for (int run = 0; run < 2; ++run) {  // the second time they are replaced, not doubled
    const auto result = sync("s", "l");
    EXPECT_EQ(result.rows, 95u);
    EXPECT_EQ(result.rejected, 5u);
  }
  EXPECT_EQ(one("SELECT count(*), sum(amount) FROM lake.bronze.l"),
            fmt::format("95|{:.2f}", 5050 - 150 + 95 * 0.25));
  EXPECT_THAT(rows("SELECT _line, _column, _text FROM lake.bronze.l__rejected ORDER BY _line"),
              ElementsAre("11|NULL|10,too,1.0,many", "21|amount|20,few", "31|amount|30,\"n\",x30",
                          "41|amount|40,\"n\",x40", "51|amount|50,\"n\",x50"));
  EXPECT_EQ(
      one("SELECT count(*) FROM lake.bronze.l__rejected WHERE _error IS NULL OR _file NOT LIKE "
          "'%/l.csv'"),
      "0");
}

TEST_F(FileIngestTest, MalformedRowsAreLandedOnceByIncrementalRuns) {
  write("l.csv", malformed_csv());
  write("sources/s.yaml", fmt::format(kMalformed, "quarantine", "5%", "incremental"));
  EXPECT_EQ(sync("s", "l").rows, 95u);
  EXPECT_EQ(sync("s", "l").rows, 0u);
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.l__rejected"), "5");
}

TEST_F(FileIngestTest, MalformedRowsCanBeCountedAlone) {
  write("l.csv", malformed_csv());
  write("sources/s.yaml", fmt::format(kMalformed, "skip", "5%", "full_refresh"));
  const auto result = sync("s", "l");
  EXPECT_EQ(result.rows, 95u);
  EXPECT_EQ(result.rejected, 5u);
  EXPECT_THAT(failure([&] { rows("SELECT * FROM lake.bronze.l__rejected"); }),
              HasSubstr("TABLE_NOT_FOUND"));
}

TEST_F(FileIngestTest, AMalformedRowFailsTheRunWithItsPlace) {
  write("l.csv", malformed_csv());
  write("sources/s.yaml", fmt::format(kMalformed, "fail", "5%", "full_refresh"));
  EXPECT_THAT(failure([&] { sync("s", "l"); }),
              testing::AllOf(HasSubstr("/l.csv:11:1: s.l: "), HasSubstr("5 of 100 rows")));
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.l"), "0");
}

TEST_F(FileIngestTest, TooManyMalformedRowsFailTheRun) {
  write("l.csv", malformed_csv());
  write("sources/s.yaml", fmt::format(kMalformed, "quarantine", "4.9%", "full_refresh"));
  EXPECT_THAT(failure([&] { sync("s", "l"); }), HasSubstr("more than 4.9%"));
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.l"), "0");
}

TEST_F(FileIngestTest, MalformedJsonIsPutAsideToo) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += i == 7    ? "{\"id\": 7, \n"
            : i == 8  ? "\n"
            : i == 9  ? "{\"id\": \"nine\"}\n"
            : i == 11 ? "[1]\n"
                      : fmt::format("{{\"id\": {}, \"n\": \"x\"}}\n", i);
  }
  write("j.json", text);
  write("sources/s.yaml", "kind: files\ntables:\n  j: { path: j.json, columns: { id: bigint } }\n");
  const auto result = sync("s", "j");
  EXPECT_EQ(result.rows, 96u);
  EXPECT_EQ(result.rejected, 3u);
  EXPECT_THAT(rows("SELECT _line, _column FROM lake.bronze.j__rejected ORDER BY _line"),
              ElementsAre("8|NULL", "10|id", "12|NULL"));
}

TEST_F(FileIngestTest, ASampleThatLooksOtherDoesNotChangeTheTable) {
  write("sources/s.yaml", "kind: files\ntables:\n  l: { path: l.csv }\nmax_malformed: 50%\n");
  write("l.csv", "code,n\nA1,1\nB2,2\n");
  sync("s", "l");
  write("l.csv", "code,n\n17,1.5\n18,2\n");
  EXPECT_THAT(failure([&] { sync("s", "l", "2025-01-16"); }), HasSubstr("'n'"));
  write("l.csv", "code,n\n17,3\n18,4\n");
  EXPECT_EQ(sync("s", "l", "2025-01-16").rows, 2u);
  EXPECT_EQ(one("SELECT max(code), max(n) FROM lake.bronze.l"), "B2|4");
}

TEST_F(FileIngestTest, FilesOutsideOfTheMeshFolderAreRefused) {
  std::filesystem::create_directories(folder_ / "elsewhere");
  std::ofstream(folder_ / "elsewhere" / "x.csv") << "id\n1\n";
  write("in/ok.csv", "id\n1\n");
  std::filesystem::create_symlink(folder_ / "elsewhere" / "x.csv",
                                  mesh_.folder / "in" / "link.csv");
  const std::string yaml = fmt::format(
      "kind: files\ntables:\n  up: {{ path: ../elsewhere/x.csv }}\n  abs: {{ path: {} }}\n  link: "
      "{{ "
      "path: in/*.csv }}\n",
      (folder_ / "elsewhere" / "*.csv").string());
  write("sources/s.yaml", yaml);
  for (const char* stream : {"up", "abs", "link"})
    EXPECT_THAT(failure([&] { sync("s", stream); }), HasSubstr("PERMISSION_DENIED")) << stream;
  write("sources/open.yaml", yaml + "allow_outside: true\n");
  ingest_.reset();
  for (const char* stream : {"up", "abs"}) EXPECT_EQ(sync("open", stream).rows, 1u) << stream;
  EXPECT_EQ(sync("open", "link").rows, 2u);
  EXPECT_THAT(failure([&] { ingest().add("sly", yaml + "allow_outside: true\n"); }),
              HasSubstr("allow_outside"));
}

TEST_F(FileIngestTest, NoFileIsAnErrorThatNamesThePattern) {
  write("sources/uploads.yaml", kLeads);
  EXPECT_THAT(failure([&] { sync("uploads", "leads"); }),
              HasSubstr("mesh/sources/uploads.yaml:3:3: no file matches 'data/leads*.csv'"));
}

TEST_F(FileIngestTest, MistakesInSourcesAreToldTogetherWithTheirPlaces) {
  write("sources/a.yaml", "kind: postgresql\ntables:\n  t: { mode: incremental }\n");
  write("sources/b.yaml",
        "kind: files\ntables:\n  x: { path: a.csv, into: y }\n  y: { path: b.csv, "
        "columns: { c: strange } }\n");
  write("sources/c.yaml", "kind: files\nname: other\ntabels: {}\n");
  const auto said = [&]() -> std::string {
    try {
      ingest();
    } catch (const mesh::ConfigError& error) {
      return error.report();
    }
    return "nothing";
  }();
  EXPECT_THAT(said, HasSubstr("mesh/sources/a.yaml:1:1: a source of kind postgresql needs one of"));
  EXPECT_THAT(said, HasSubstr("mesh/sources/a.yaml:3:6: 't' is incremental and has no cursor"));
  EXPECT_THAT(said, HasSubstr("mesh/sources/b.yaml:4:6: the table 'y' is taken"));
  EXPECT_THAT(said, HasSubstr("mesh/sources/b.yaml:4:35: "));
  EXPECT_THAT(said, HasSubstr("mesh/sources/c.yaml:3:1: "));
}

}  // namespace
}  // namespace meesh::ingest
