#include "mesh/mesh.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <fstream>

namespace meesh::mesh {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

constexpr const char* kMesh = "name: test\n";
constexpr const char* kDomain =
    "owner: {team: Sales team, email: sales@example.com}\n"
    "database: {kind: managed, name: sales_db}\n";

class MeshTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/meesh-mesh-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const fs::path& relative, const std::string& text, mode_t mode = 0644) {
    fs::create_directories((folder_ / relative).parent_path());
    std::ofstream(folder_ / relative) << text;
    ::chmod((folder_ / relative).c_str(), mode);
  }

  Mesh load(std::map<std::string, std::string> environment = {}) {
    LoadOptions options;
    options.environment = [environment](const std::string& name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      return found == environment.end() ? std::nullopt : std::optional(found->second);
    };
    return Mesh::load(folder_, options);
  }

  // What is wrong, without the folder's own name.
  std::vector<std::string> complaints(std::map<std::string, std::string> environment = {}) {
    std::vector<std::string> all;
    try {
      load(std::move(environment));
    } catch (const ConfigError& e) {
      for (const Error& one : e.all()) {
        std::string text = one.what();
        const std::string prefix = folder_.string() + "/";
        for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
          text.erase(at, prefix.size());
        all.push_back(text);
      }
    }
    return all;
  }

  fs::path folder_;
};

TEST_F(MeshTest, SmallestMeshHasTheDefaults) {
  write("meesh.yaml", kMesh);
  const Mesh mesh = load();
  EXPECT_EQ(mesh.name, "test");
  EXPECT_EQ(mesh.data, folder_ / "data");
  EXPECT_EQ(mesh.listen.address, "127.0.0.1");
  EXPECT_EQ(mesh.listen.port, 8080);
  EXPECT_FALSE(mesh.tls);
  EXPECT_EQ(mesh.metadata.kind, Metadata::Kind::kSqlite);
  EXPECT_EQ(mesh.compute.memory_percent, 60);
  EXPECT_EQ(mesh.compute.spill_folder, folder_ / "data" / "spill");
  EXPECT_EQ(mesh.language, "en");
  EXPECT_EQ(mesh.log_level, "info");
  EXPECT_TRUE(mesh.domains.empty());
}

TEST_F(MeshTest, ReadsEverything) {
  write("cert.pem", "x");
  write("key.pem", "x");
  write("lake/raw/a.csv", "x");
  write("meesh.yaml",
        "name: Big mesh\ndata: ../elsewhere\nlisten: {address: 0.0.0.0, port: 9999}\n"
        "tls: {certificate: cert.pem, key: key.pem}\n"
        "metadata: {kind: postgresql, url: \"postgresql://u:${PW}@h/d\"}\n"
        "storage: {port: 9000, root: {access_key: root, secret_key: \"${PW}\"}, master_key: "
        "\"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\", "
        "old_master_keys: [\"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\"], "
        "buckets: {datalake: {seed: lake}, archive: {versioning: true, quota: 50GB}}, "
        "webhooks: {desk: \"http://localhost:9999/${PW}\"}}\n"
        "compute: {memory: 4GB, threads: 3, spill: {folder: /spill, limit: 10GiB}, max_running: 7, "
        "max_running_per_user: 2}\n"
        "catalogs:\n  tpch: {kind: tpch}\n  scratch: {kind: memory}\n"
        "  old: {kind: postgresql, host: db.example.com, name: old_db, user: reader, password: "
        "\"${PW}\"}\n"
        "language: fr\nlog: {level: debug, format: json}\n");
  write(
      "domains/sales/domain.yaml",
      std::string(kDomain) +
          "catalog: verkauf\nproducts:\n  - {name: orders, table: public.orders, tags: [a, b]}\n");
  write("domains/sales/products/customers.yaml", "name: customers\ndescription: People.\n");
  write(
      "domains/web-shop/domain.yaml",
      "owner: {team: Web}\ndatabase:\n  kind: managed\n  name: shop\n  port: 20000\n  user: shop\n"
      "  password: pw\n  init: [a.sql]\n  settings: {work_mem: 64MB}\n");
  write("domains/web-shop/a.sql", "");
  const Mesh mesh = load({{"PW", "s3cret"}});
  EXPECT_EQ(mesh.data, folder_.parent_path() / "elsewhere");
  EXPECT_EQ(mesh.listen.port, 9999);
  EXPECT_EQ(mesh.tls->key, folder_ / "key.pem");
  EXPECT_EQ(mesh.metadata.url, "postgresql://u:s3cret@h/d");
  EXPECT_EQ(mesh.storage.port, 9000);
  EXPECT_EQ(mesh.storage.access_key, "root");
  EXPECT_EQ(mesh.storage.secret_key, "s3cret");
  EXPECT_EQ(mesh.storage.master_key, "01234567890123456789012345678901");
  EXPECT_EQ(mesh.storage.old_master_keys, std::vector<std::string>{std::string(32, 'a')});
  ASSERT_EQ(mesh.storage.buckets.size(), 2u);
  EXPECT_EQ(mesh.storage.buckets[0].seed, folder_ / "lake");
  EXPECT_EQ(mesh.storage.buckets[1].name, "archive");
  EXPECT_TRUE(mesh.storage.buckets[1].versioning);
  EXPECT_EQ(mesh.storage.buckets[1].quota, 50'000'000'000u);
  EXPECT_EQ(mesh.storage.webhooks.at("desk"), "http://localhost:9999/s3cret");
  EXPECT_EQ(mesh.compute.memory, 4'000'000'000u);
  EXPECT_EQ(mesh.compute.spill_limit, 10ull << 30);
  EXPECT_EQ(mesh.compute.max_running_per_user, 2);
  ASSERT_EQ(mesh.catalogs.size(), 3u);
  EXPECT_EQ(mesh.catalogs[2].database.port, 5432);
  EXPECT_EQ(mesh.catalogs[2].database.password, "s3cret");
  ASSERT_EQ(mesh.domains.size(), 2u);
  EXPECT_EQ(mesh.domains[0].catalog, "verkauf");
  EXPECT_EQ(mesh.domains[0].owner.team, "Sales team");
  EXPECT_EQ(mesh.domains[0].database.user, "admin");
  EXPECT_EQ(mesh.domains[0].products.size(), 2u);
  EXPECT_EQ(mesh.domains[1].name, "web-shop");
  EXPECT_EQ(mesh.domains[1].catalog, "web_shop");
  EXPECT_EQ(mesh.domains[1].database.port, 20000);
  EXPECT_THAT(mesh.domains[1].database.settings,
              ElementsAre(std::pair<const std::string, std::string>("work_mem", "64MB")));
  EXPECT_EQ(mesh.domains[1].database.init[0], folder_ / "domains/web-shop/a.sql");
}

TEST_F(MeshTest, TheDemoLoads) {
  const Mesh mesh = Mesh::load("demo");
  ASSERT_EQ(mesh.domains.size(), 3u);
  EXPECT_EQ(mesh.domains[0].owner.team, "Marketing team");
  EXPECT_EQ(mesh.domains[1].database.name, "northwind");
  EXPECT_EQ(mesh.domains[2].owner.team, "Sales team");
  EXPECT_EQ(mesh.domains[2].database.name, "sales_db");
}

struct Mistake {
  const char* mesh;
  const char* domain;
  std::vector<std::string> expected;
};

TEST_F(MeshTest, MistakesAreToldWithTheirPlace) {
  const std::string d = "domains/sales/domain.yaml:";
  const Mistake mistakes[] = {
      {"nmae: x\n",
       kDomain,
       {"meesh.yaml:1:1: unknown key 'nmae' (did you mean 'name'?)",
        "meesh.yaml:1:1: the key 'name' is missing (The mesh's name.)"}},
      {"name: x\nlisten:\n  port: eighty\n",
       kDomain,
       {"meesh.yaml:3:9: expected an integer from 1 to 65535 for 'listen.port', found text "
        "'eighty'"}},
      {"name: x\nlisten:\n  port: 0\n  adress: ::1\n",
       kDomain,
       {"meesh.yaml:3:9: expected an integer from 1 to 65535 for 'listen.port', found the integer "
        "0",
        "meesh.yaml:4:3: unknown key 'adress' in 'listen' (did you mean 'address'?)"}},
      {"name: x\ntls: {certificate: c.pem}\n",
       kDomain,
       {"meesh.yaml:2:6: the key 'key' is missing in 'tls' (PEM file.)"}},
      {"name: x\ntls: {certificate: c.pem, key: k.pem}\n",
       kDomain,
       {"meesh.yaml:2:20: there is no file 'c.pem' (looked for c.pem)",
        "meesh.yaml:2:32: there is no file 'k.pem' (looked for k.pem)"}},
      {"name: x\nlanguage: de\n",
       kDomain,
       {"meesh.yaml:2:11: expected one of en, fr for 'language', found text 'de'"}},
      {"name: x\ncompute: {kind: trino}\n",
       kDomain,
       {"meesh.yaml:2:17: 'compute.kind: trino' is not supported yet (supported: duckdb)"}},
      {"name: x\nstorage: {buckets: {Big: {}}}\n",
       kDomain,
       {"meesh.yaml:2:21: the key 'Big' is not a bucket name (3 to 63 lower-case letters, digits, "
        ". "
        "and -)"}},
      {"name: x\nstorage: {master_key: c2hvcnQ=, buckets: {lake: {seed: nowhere}}}\n",
       kDomain,
       {"meesh.yaml:2:56: there is no folder 'nowhere' (looked for nowhere)",
        "meesh.yaml:2:23: the master key is not 32 bytes in base64 (openssl rand -base64 32 makes "
        "one)"}},
      {"name: x\nstorage: {old_master_keys: [c2hvcnQ=]}\n",
       kDomain,
       {"meesh.yaml:2:29: the master key is not 32 bytes in base64 (openssl rand -base64 32 makes "
        "one)"}},
      {"name: x\nstorage: {buckets: {lake: {}}}\n",
       "owner: {team: T}\ndatabase: {kind: managed, name: sales_db}\nbuckets: {lake: {}}\n",
       {d + "3:11: the bucket name 'lake' is taken (by meesh.yaml:2)"}},
      {"name: x\nmetadata: {kind: postgresql}\n",
       kDomain,
       {"meesh.yaml:2:11: the key 'url' is missing in 'metadata' "
        "(postgresql://user:password@host/database)"}},
      {"name: x\ncatalogs:\n  Big: {kind: tpch}\n  b: {kind: tpcds}\n  c: {}\n",
       kDomain,
       {"meesh.yaml:3:3: the key 'Big' is not a catalog name (lower-case letters, digits and _, "
        "beginning with a letter)",
        "meesh.yaml:4:13: expected one of tpch, memory, postgresql, mysql, sqlite, duckdb for "
        "'catalogs.b.kind', found "
        "text 'tpcds' (did you mean 'tpch'?)",
        "meesh.yaml:5:6: the key 'kind' is missing in 'catalogs.c' (one of tpch, memory, "
        "postgresql, mysql, sqlite, duckdb)"}},
      {"name: x\ncatalogs: {sales: {kind: memory}, system: {kind: memory}}\n",
       kDomain,
       {"meesh.yaml:2:35: the catalog name 'system' is taken (by meesh itself)",
        d + "1:1: the catalog name 'sales' is taken (by meesh.yaml:2)"}},
      {"name: [x\n", kDomain, {"meesh.yaml:2:1: not valid YAML: end of sequence flow not found"}},
      {kMesh,
       "",
       {d + "1:1: the key 'owner' is missing (Who answers for the domain's data.)",
        d + "1:1: the key 'database' is missing (Where the domain's tables are.)"}},
      {kMesh,
       "onwer: {team: T}\ndatabase: {kind: embedded}\n",
       {d + "1:1: unknown key 'onwer' (did you mean 'owner'?)",
        d + "1:1: the key 'owner' is missing (Who answers for the domain's data.)",
        d + "2:18: 'database.kind: embedded' is not supported yet (supported: managed, postgresql, "
            "mysql)"}},
      {kMesh,
       "owner: Sales\ndatabase: {kind: managed, name: s, host: h}\n",
       {d + "1:8: expected a mapping for 'owner', found text 'Sales' (its keys are team, email)",
        d + "2:36: unknown key 'host' in 'database' ('host' belongs to kind postgresql)"}},
      {kMesh,
       "owner: {team: T, email: nobody}\ndatabase:\n  kind: postgresql\n  name: s\n  host: a b\n  "
       "user: u\n  init: [x]\n",
       {d + "1:25: expected an e-mail address for 'owner.email', found text 'nobody'",
        d + "3:3: the key 'password' is missing in 'database' (Its password; write ${NAME} to keep "
            "it out of git.)",
        d + "5:9: expected a host name or address for 'database.host', found text 'a b'",
        d + "7:3: unknown key 'init' in 'database' (schema files and settings are for managed "
            "databases; run yours with psql)"}},
      {kMesh,
       "owner: {team: T}\ndatabase:\n  kind: managed\n  name: postgres\n  user: meesh\n  init: "
       "[no.sql]\n  settings: {port: \"1\"}\n",
       {d + "6:10: there is no file 'no.sql' (looked for domains/sales/no.sql)",
        d + "4:9: the database 'postgres' is the server's own",
        d + "5:9: the user 'meesh' is the server's own (take another name, such as admin)",
        d + "7:14: 'port' is set by meesh"}},
      {kMesh,
       "owner: {team: T}\ndatabase: {kind: managed, name: s}\nproducts: [{name: p}, {name: p}, "
       "{nome: q}]\n",
       {d + "3:34: the key 'name' is missing in 'products[2]' (The product's name, unique in its "
            "domain.)",
        d + "3:35: unknown key 'nome' in 'products[2]' (did you mean 'name'?)"}},
  };
  for (const Mistake& mistake : mistakes) {
    write("meesh.yaml", mistake.mesh);
    write("domains/sales/domain.yaml", mistake.domain);
    EXPECT_THAT(complaints(), testing::UnorderedElementsAreArray(mistake.expected))
        << mistake.mesh << mistake.domain;
  }
}

TEST_F(MeshTest, MistakesOfAllFilesComeTogether) {
  write("meesh.yaml", "name: x\nport: 1\n");
  write("domains/a/domain.yaml", "owner: 1\n");
  write("domains/b/domain.yaml", kDomain);
  write("domains/b/products/p.yaml", "nam: p\n");
  write("domains/c/other.txt", "");
  const auto all = complaints();
  EXPECT_EQ(all.size(), 6u);
  try {
    load();
    FAIL();
  } catch (const ConfigError& e) {
    EXPECT_EQ(e.code(), Code::kConfigInvalid);
    EXPECT_THAT(e.what(), testing::HasSubstr("meesh.yaml:2:1: unknown key 'port'"));
    EXPECT_THAT(e.what(), testing::HasSubstr("5 more mistakes"));
    EXPECT_EQ(std::ranges::count(e.report(), '\n'), 5);
  }
}

TEST_F(MeshTest, TwoDomainsOfOneName) {
  write("meesh.yaml", kMesh);
  write("domains/a/domain.yaml", kDomain);
  write("domains/b/domain.yaml", std::string("name: a\ncatalog: c\n") + kDomain);
  EXPECT_THAT(
      complaints(),
      ElementsAre(
          "domains/b/domain.yaml:1:7: the domain name 'a' is taken (by domains/a/domain.yaml)"));
}

TEST_F(MeshTest, SecretsComeFromTheEnvironmentOrTheirFile) {
  write("meesh.yaml", "name: x\n");
  write("domains/sales/domain.yaml",
        "owner: {team: T}\ndatabase: {kind: managed, name: s, user: \"${DB_USER}\", password: "
        "\"${DB_PASSWORD}\"}\n");
  EXPECT_THAT(complaints({{"DB_USER", "u"}}),
              ElementsAre("domains/sales/domain.yaml:2:67: ${DB_PASSWORD} has no value "
                          "(set DB_PASSWORD in the environment or in secrets.yaml)"));
  write("secrets.yaml", "DB_PASSWORD: from-file\nDB_USER: file-user\n", 0600);
  const Mesh mesh = load({{"DB_USER", "environment-user"}});
  EXPECT_EQ(mesh.domains[0].database.password, "from-file");
  EXPECT_EQ(mesh.domains[0].database.user, "environment-user");
}

TEST_F(MeshTest, SecretsFileThatOthersReadIsRefused) {
  write("meesh.yaml", "name: x\n");
  write("secrets.yaml", "A: b\n", 0640);
  EXPECT_THAT(
      complaints(),
      ElementsAre(
          "secrets.yaml: others may read this file (its mode is 0640) (chmod 600 secrets.yaml)"));
}

TEST_F(MeshTest, AWrongSecretIsNotShown) {
  write("meesh.yaml", "name: x\nlisten: {port: \"${PORT}\"}\n");
  const auto all = complaints({{"PORT", "hunter2"}});
  EXPECT_THAT(all, ElementsAre("meesh.yaml:2:16: expected an integer from 1 to 65535 for "
                               "'listen.port', found some other text"));
}

TEST_F(MeshTest, NotAMeshFolder) {
  EXPECT_THAT(complaints(), ElementsAre("meesh.yaml: there is no such file (a mesh is a folder "
                                        "with a meesh.yaml; demo/ is one)"));
}

TEST_F(MeshTest, SwitchingADomainToAnExternalServerKeepsItsCatalog) {
  write("meesh.yaml", kMesh);
  write("domains/sales/domain.yaml", kDomain);
  const std::string before = load().domains[0].catalog;
  write("domains/sales/domain.yaml",
        "owner: {team: T}\ndatabase: {kind: postgresql, host: "
        "sales.abc.us-east-1.rds.amazonaws.com, name: sales_db, "
        "user: admin, password: \"${P}\"}\n");
  const Mesh mesh = load({{"P", "p"}});
  EXPECT_EQ(mesh.domains[0].catalog, before);
  EXPECT_EQ(mesh.domains[0].database.kind, Database::Kind::kPostgresql);
}

TEST(MeshSchemas, OneForEachFileKind) {
  for (const std::string& kind : schema_kinds()) {
    const boost::json::object schema = json_schema(kind).as_object();
    EXPECT_EQ(schema.at("title").as_string(), kind.c_str());
    EXPECT_EQ(schema.at("type").as_string(), "object");
  }
  EXPECT_THROW(json_schema("other"), Error);
}

}  // namespace
}  // namespace meesh::mesh
