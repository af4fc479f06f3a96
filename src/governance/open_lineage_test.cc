// What OpenLineage events say, and what of them is ours.
#include "governance/open_lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "governance/known_test.h"
#include "governance/lineage_tables.h"

namespace meesh::governance {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::known;

constexpr const char* kRun = "0190b8a0-1111-7000-8000-0123456789ab";

TEST(OpenLineage, WhatIsWrittenReadsBack) {
  const DatasetNames names(known());
  JobRun run;
  run.job = "northwind.orders";
  run.type = "INGESTION";
  run.run_id = "query-1";
  run.parent_run = kRun;
  run.parent_job = "nightly";
  run.state = RunState::kFail;
  run.time = from_ms(1736951400123);
  run.sql = "SELECT 1";
  run.error = "no";
  run.inputs = {{{"postgres://db:5432", "shop.public.orders"}, {{"id", "int"}}}};
  OutputData output;
  output.dataset = {"", "lake.bronze.orders"};
  output.fields = {{"id", "integer"}};
  output.lineage = {{"id", {{run.inputs[0].dataset, "id", {sql::Influence::kIdentity}}}, ""},
                    {"lost", {}, "nobody knows"}};
  output.rows = {{run.inputs[0].dataset, "day", {sql::Influence::kFilter}}};
  output.row_count = 7;
  output.bytes = 99;
  output.replaced = true;
  run.outputs = {output};
  const auto written = write_event(run, names, "meesh://test");
  EXPECT_EQ(written.at("outputs").at(0).at("namespace").as_string(), "trino://localhost:8080");
  EXPECT_EQ(written.at("eventTime").as_string(), "2025-01-15T14:30:00.123Z");
  EXPECT_THAT(json::serialize(written.at("run").at("facets").at("extractionError")),
              HasSubstr("nobody knows"));
  const auto back = read_event(written, names).run;
  EXPECT_EQ(back.run_id, uuid_of("query-1"));
  EXPECT_EQ(back.parent_run, kRun);
  EXPECT_EQ(back.parent_job, "nightly");
  EXPECT_EQ(back.name_space, "meesh://test");
  EXPECT_EQ(back.job, run.job);
  EXPECT_EQ(back.type, run.type);
  EXPECT_EQ(back.state, run.state);
  EXPECT_EQ(back.time, run.time);
  EXPECT_EQ(back.sql, run.sql);
  EXPECT_EQ(back.error, run.error);
  EXPECT_EQ(back.inputs.at(0).dataset, run.inputs[0].dataset);
  const auto& out = back.outputs.at(0);
  EXPECT_EQ(out.dataset, output.dataset);
  EXPECT_EQ(out.fields, output.fields);
  EXPECT_EQ(out.row_count, output.row_count);
  EXPECT_EQ(out.bytes, output.bytes);
  EXPECT_TRUE(out.replaced);
  ASSERT_EQ(out.lineage.size(), 1u) << "what is not known is not told";
  EXPECT_EQ(out.lineage[0].sources.at(0).influences, output.lineage[0].sources[0].influences);
  EXPECT_EQ(out.rows.at(0).field, "day");
}

TEST(OpenLineage, NamesAreTakenForOursOnlyWhenThatIsCertain) {
  const DatasetNames names(known());
  const auto resolved = [&](const char* space, const char* name) {
    return names.resolve({space, name}).display();
  };
  EXPECT_EQ(resolved("trino://localhost:8080", "Lake.S.T"), "lake.s.t");
  EXPECT_EQ(resolved("trino://127.0.0.1:8080", "sales.public.x"), "sales.public.x");
  EXPECT_EQ(resolved("trino://localhost:9090", "lake.s.t"), "trino://localhost:9090/lake.s.t");
  EXPECT_EQ(resolved("trino://elsewhere:8080", "lake.s.t"), "trino://elsewhere:8080/lake.s.t");
  EXPECT_EQ(resolved("trino://localhost:8080", "s.t"), "trino://localhost:8080/s.t");
  EXPECT_EQ(resolved("trino://localhost:8080", "unknown.s.t"),
            "trino://localhost:8080/unknown.s.t");
  EXPECT_EQ(resolved("postgres://localhost:15432", "sales_db.public.x"), "sales.public.x");
  EXPECT_EQ(resolved("postgresql://db.example.com", "shop.public.x"), "shop.public.x");
  EXPECT_EQ(resolved("postgres://db.example.com:5433", "shop.public.x"),
            "postgres://db.example.com:5433/shop.public.x");
  EXPECT_EQ(resolved("postgres://twice.example.com:5432", "x.public.y"),
            "postgres://twice.example.com:5432/x.public.y");
  EXPECT_EQ(resolved("s3a://silver", "/orders/"), "lake.silver.orders");
  EXPECT_EQ(resolved("s3://silver", "other"), "s3://silver/other");
  EXPECT_EQ(resolved("nonsense", "x"), "nonsense/x");
  EXPECT_EQ(names.parse("Lake.S.T").display(), "lake.s.t");
  EXPECT_EQ(names.parse("s3://silver/orders").display(), "lake.silver.orders");
  EXPECT_EQ(names.parse("postgres://db:1/a.b.c").display(), "postgres://db:1/a.b.c");
}

TEST(OpenLineage, TimesNeedAnOffset) {
  const auto ms = [](const char* text) {
    const auto time = parse_time(text);
    return time ? to_ms(*time) : -1;
  };
  EXPECT_EQ(ms("1970-01-01T00:00:01Z"), 1000);
  EXPECT_EQ(ms("1970-01-01T01:00:00.5+01:00"), 500);
  EXPECT_EQ(ms("1970-01-01 00:00:00.123456789-00:01"), 60123);
  for (const char* text : {"", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00:00.Z",
                           "1970-13-01T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:00:00Zx",
                           "9999-01-01T00:00:00Z", "1970-01-01T00:00:00+25:00"}) {
    EXPECT_EQ(ms(text), -1) << text;
  }
}

TEST(OpenLineage, InfluencesComposeAsValuesDo) {
  using sql::Influence;
  const auto composed = [](Influence a, Influence b) {
    return influences_of(governance::composed(bits_of({a}), bits_of({b})));
  };
  EXPECT_THAT(composed(Influence::kIdentity, Influence::kAggregation),
              ElementsAre(Influence::kAggregation));
  EXPECT_THAT(composed(Influence::kAggregation, Influence::kIdentity),
              ElementsAre(Influence::kAggregation));
  EXPECT_THAT(composed(Influence::kConditional, Influence::kIdentity),
              ElementsAre(Influence::kConditional));
  EXPECT_THAT(composed(Influence::kIdentity, Influence::kFilter), ElementsAre(Influence::kFilter));
  EXPECT_EQ(governance::composed(0, bits_of({Influence::kIdentity})), 0);
}

}  // namespace
}  // namespace meesh::governance
