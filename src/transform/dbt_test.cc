#include "transform/dbt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "transform/dbt_process.h"
#include "transform/dbt_project.h"

namespace meesh::transform {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string failure(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return std::string(code_name(error.code())) + ": " + error.what();
  }
  return "none";
}

class DbtTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/meesh-dbt-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const fs::path& name, const std::string& text) {
    const fs::path file = folder_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file;
  }

  /// A program in the place of Python that does what `script` says.
  fs::path program(const std::string& script) {
    const fs::path file = write("program", "#!/bin/sh\n" + script + "\n");
    fs::permissions(file, fs::perms::owner_all);
    return file;
  }

  DbtOptions options() {
    DbtOptions made;
    made.projects = folder_ / "dbt";
    made.data = folder_ / "data";
    made.python = fs::absolute(".deps/dbt/bin/python");
    made.server = [] { return DbtServer{.port = 1}; };  // nobody listens there
    return made;
  }

  void make_shop() {
    write("dbt/shop/dbt_project.yml", "name: shop\nvars: {run_date: x, shop: {currency: EUR}}\n");
    write("dbt/shop/models/orders.sql", "select 1 as id");
    write("dbt/shop/models/paid.sql",
          "{{ config(materialized='ephemeral') }} select * from "
          "{{ ref('orders') }}");
    write("dbt/shop/models/Totals.sql",
          "{{ config(materialized='table', tags=['mart']) }} select * from {{ ref('paid') }} "
          "cross join {{ source('sales', 'customers') }}");
    write(
        "dbt/shop/models/shop.yml",
        "version: 2\nsources: [{name: sales, database: sales, schema: public, "
        "tables: [{name: customers}]}]\n"
        "models: [{name: orders, description: All., columns: [{name: id, data_tests: [unique]}]}]");
  }

  fs::path folder_;
};

TEST(DbtEvents, AreReadAndNothingElse) {
  const auto event = read_dbt_event(
      R"({"event":"node","id":"model.p.M","type":"model","name":"M","relation":["lake","Gold","M"],)"
      R"("status":"success","message":"CREATE TABLE","seconds":0.5,"rows":7,"failures":null})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, DbtEvent::Kind::kNode);
  EXPECT_EQ(event->node.relation, "lake.gold.m");
  EXPECT_EQ(event->node.rows, 7U);
  EXPECT_EQ(event->node.seconds, 0.5);
  EXPECT_FALSE(event->node.failures || event->node.failed() || event->node.started());
  const auto test = read_dbt_event(
      R"({"event":"node","id":"test.p.t","type":"test","relation":["a","b","c"],"status":"fail",)"
      R"("failures":3,"seconds":-1})");
  EXPECT_TRUE(test->node.failed());
  EXPECT_EQ(test->node.relation, "");
  EXPECT_EQ(test->node.failures, 3U);
  EXPECT_EQ(test->node.seconds, 0);
  EXPECT_EQ(read_dbt_event(R"({"event":"line","level":"warn","text":"x"})")->level,
            log::Level::kWarn);
  EXPECT_TRUE(read_dbt_event(R"({"event":"done","good":true})")->good);
  for (const char* other : {"", "{", "[]", "null", "{}", R"({"event":"other"})",
                            R"({"event":"node","id":"x"})", R"({"event":5})"}) {
    EXPECT_FALSE(read_dbt_event(other)) << other;
  }
}

TEST(DbtManifest, RefusesWhatIsNone) {
  EXPECT_THAT(failure([] { read_manifest("[]"); }), HasSubstr("is not a manifest"));
  EXPECT_THAT(failure([] { read_manifest(R"({"nodes":5})"); }), HasSubstr("is not a manifest"));
  EXPECT_THAT(read_manifest(R"({"nodes":{"model.a":5}})"), IsEmpty());
}

TEST(DbtManifest, TablesAreReadThroughEphemeralModelsEvenInCircles) {
  const auto nodes = read_manifest(
      R"({"nodes":{"model.a":{"resource_type":"model","depends_on":{"nodes":["model.b"]}},)"
      R"("model.b":{"resource_type":"model","depends_on":{"nodes":["model.a","source.s","gone"]}}},)"
      R"("sources":{"source.s":{"resource_type":"source","database":"S","schema":"public",)"
      R"("identifier":"t"}}})");
  ASSERT_EQ(nodes.size(), 3U);
  EXPECT_THAT(tables_read(nodes, nodes[1]), ElementsAre("s.public.t"));
}

TEST_F(DbtTest, ProjectsAndTheirMistakes) {
  make_shop();
  write("dbt/other/readme", "");
  write("dbt/nameless/dbt_project.yml", "version: 1");
  Dbt dbt(options());
  EXPECT_THAT(dbt.projects(), ElementsAre("nameless", "shop"));
  const auto project = DbtProject::read(folder_ / "dbt/shop");
  EXPECT_EQ(project.profile, "shop");
  EXPECT_FALSE(project.own_profiles);
  EXPECT_THAT(project.vars, ElementsAre("currency", "run_date", "shop"));
  EXPECT_THAT(failure([&] { dbt.nodes("nameless"); }),
              HasSubstr("dbt_project.yml:1:1: the project has no name"));
  EXPECT_THAT(failure([&] { dbt.nodes("shup"); }), HasSubstr("did you mean 'shop'?"));
  EXPECT_THAT(failure([&] { dbt.run({.project = "shop", .command = "rum"}, {}); }),
              HasSubstr("did you mean 'run'?"));
}

TEST_F(DbtTest, TheFingerprintSeesFilesOfTheProjectAlone) {
  make_shop();
  const auto number = [&] { return dbt_fingerprint(folder_ / "dbt/shop"); };
  const uint64_t before = number();
  write("dbt/shop/target/manifest.json", "{}");
  write("dbt/shop/.git/HEAD", "x");
  EXPECT_EQ(number(), before);
  write("dbt/shop/models/new.sql", "select 2");
  EXPECT_NE(number(), before);
}

TEST_F(DbtTest, AGeneratedProfileQuotesItsValues) {
  const auto text = profiles_yml("a: b", {"::1", 8443, true, "/c.pem", "us\"er", "lake", "shop"});
  EXPECT_THAT(text, HasSubstr("\"a: b\":\n  target: meesh"));
  EXPECT_THAT(text, HasSubstr("user: \"us\\\"er\""));
  EXPECT_THAT(text, HasSubstr("http_scheme: https"));
  EXPECT_THAT(text, HasSubstr("cert: \"/c.pem\""));
}

TEST_F(DbtTest, RealDbtTellsWhatAProjectIsMadeOf) {
  make_shop();
  Dbt dbt(options());
  const auto nodes = dbt.nodes("shop");
  const auto find = [&](const std::string& id) {
    return *std::ranges::find_if(nodes, [&](const auto& node) { return node.id == id; });
  };
  const auto totals = find("model.shop.Totals");
  EXPECT_EQ(totals.relation, "lake.shop.totals");
  EXPECT_EQ(totals.materialized, "table");
  EXPECT_EQ(totals.file, "models/Totals.sql");
  EXPECT_THAT(totals.tags, ElementsAre("mart"));
  EXPECT_THAT(tables_read(nodes, totals),
              ElementsAre("lake.shop.orders", "sales.public.customers"));
  EXPECT_EQ(find("model.shop.paid").relation, "");
  const auto orders = find("model.shop.orders");
  EXPECT_EQ(orders.description, "All.");
  EXPECT_THAT(orders.columns, ElementsAre("id"));
  EXPECT_THAT(orders.checks, Contains(HasSubstr("unique_orders_id")));
  EXPECT_TRUE(dbt.artifact("shop", "manifest.json"));
  EXPECT_FALSE(dbt.artifact("shop", "index.html"));
  EXPECT_FALSE(dbt.artifact("shop", "../manifest.json"));

  // As when dbt was killed while it wrote: what a new start finds is made again.
  write("data/shop/target/manifest.json", "{\"nodes\": {");
  EXPECT_EQ(Dbt(options()).nodes("shop").size(), nodes.size());

  write("dbt/shop/models/orders.sql", "select {{ nonsense( }} as id");
  EXPECT_THAT(failure([&] { dbt.nodes("shop"); }), HasSubstr("GENERIC_USER_ERROR"));
  write("dbt/shop/models/orders.sql", "select 10 as id");  // and dbt is still there
  EXPECT_EQ(dbt.nodes("shop").size(), nodes.size());
}

TEST_F(DbtTest, AServerThatIsNotThereIsAnError) {
  make_shop();
  Dbt dbt(options());
  EXPECT_THAT(failure([&] { dbt.run({.project = "shop", .command = "run"}, {}); }),
              testing::AllOf(HasSubstr("GENERIC_USER_ERROR"), HasSubstr("refused")));
}

TEST_F(DbtTest, MissingPythonSaysHowToMendIt) {
  DbtProcess process({folder_ / "nosuch", folder_, folder_ / "log"});
  EXPECT_THAT(failure([&] { process.run({}, {}, {}, {}); }),
              testing::AllOf(HasSubstr("UNAVAILABLE"), HasSubstr("setup/setup.sh")));
}

TEST_F(DbtTest, AProcessThatDiesIsAnErrorAndTheNextCommandHasANewOne) {
  DbtProcess process({program("read line; echo '{\"event\":\"plan\",\"total\":1}'; kill -9 $$"),
                      folder_, folder_ / "log"});
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(failure([&] { process.run({}, {}, {}, [](const DbtEvent&) {}); }),
                HasSubstr("dbt ended in the middle of a command, with signal 9"));
  }
}

TEST_F(DbtTest, AnIdleProcessThatEndedIsReplaced) {
  DbtProcess process(
      {program("read line; echo '{\"event\":\"done\",\"good\":true}'"), folder_, folder_ / "log"});
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(process.run({"x"}, {{"A", "b"}}, {}, [](const DbtEvent&) {}).good);
  }
}

TEST_F(DbtTest, AStopEndsTheProcessWithCtrlC) {
  DbtProcess process({program("trap 'echo stopped >&2; exit 1' INT; read line; "
                              "echo '{\"event\":\"plan\",\"total\":1}'; while :; do sleep 1; done"),
                      folder_, folder_ / "log"});
  std::stop_source stop;
  EXPECT_THAT(failure([&] {
                process.run({}, {}, stop.get_token(),
                            [&](const DbtEvent&) { stop.request_stop(); });
              }),
              HasSubstr("USER_CANCELED"));
  std::ifstream log(folder_ / "log");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(log), {}), "stopped\n");
}

}  // namespace
}  // namespace meesh::transform
