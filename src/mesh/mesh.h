// A mesh as its folder describes it: meesh.yaml and domains/*/domain.yaml, read and checked.
//
//   mesh::Mesh mesh = mesh::Mesh::load("demo");     // throws mesh::ConfigError
//   mesh::RunningMesh running(mesh);                // see running_mesh.h
//
// Nothing is started or created here; loading only reads.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace meesh::mesh {

/// Everything that is wrong with a mesh folder. As an Error it is the first mistake
/// (CONFIG_INVALID, SECRET_MISSING or NOT_SUPPORTED) whose hint counts the others.
class ConfigError : public Error {
 public:
  explicit ConfigError(std::vector<Error> all);  // not empty
  const std::vector<Error>& all() const { return all_; }
  /// One line a mistake.
  std::string report() const;

 private:
  std::vector<Error> all_;
};

struct Listen {
  std::string address = "127.0.0.1";
  int port = 8080;
};

struct Tls {
  std::filesystem::path certificate, key;  // PEM files that exist
};

struct Metadata {
  enum class Kind { kSqlite, kPostgresql };
  Kind kind = Kind::kSqlite;
  std::string url;  // kPostgresql: postgresql://…
};

struct Bucket {
  std::string name;
  bool versioning = false;
  uint64_t quota = 0;          // bytes; 0 = none
  std::filesystem::path seed;  // its files are put into the bucket when it is made; "" = none
};

/// A Kafka topic that buckets may send notifications to.
struct KafkaTopic {
  std::string brokers, topic;
  bool tls = false;
  std::filesystem::path ca, certificate, key;  // PEM files that exist; "" = none
  std::string mechanism, user, password;       // of SASL; mechanism "" = none
};

/// Whose web identity tokens are taken for temporary keys.
struct TrustedIssuer {
  std::string key;                     // PEM of its public key, or "secret:" and what it shares
  std::vector<std::string> audiences;  // of which a token must name one; none = any
};

/// Where objects are kept, and the S3 endpoint over them.
struct Storage {
  enum class Kind { kLocal, kS3 };
  Kind kind = Kind::kLocal;
  std::optional<int> port;  // of the S3 endpoint; nothing = not opened
  std::string access_key,
      secret_key;          // kLocal: the administrator's, "" = made; kS3: to log in with
  std::string master_key;  // kLocal: 32 bytes, "" = made
  std::vector<std::string> old_master_keys;                   // kLocal: used before, 32 bytes each
  std::string endpoint, region = "us-east-1", session_token;  // kS3
  bool path_style = true;
  std::vector<Bucket> buckets;
  std::map<std::string, std::string> webhooks;         // name → URL
  std::map<std::string, KafkaTopic> kafka;             // by name
  std::map<std::string, TrustedIssuer> trust_issuers;  // by "iss"
};

/// A place for Iceberg tables: a catalog in SQL, a warehouse of the Iceberg catalog.
struct Lake {
  std::string catalog;
  std::string location;                        // "s3://bucket/folder", no slash at the end
  std::vector<std::string> allowed_locations;  // where else its tables may lie; written alike

  /// `location` and the others.
  std::vector<std::string> places() const {
    std::vector<std::string> all{location};
    all.insert(all.end(), allowed_locations.begin(), allowed_locations.end());
    return all;
  }
};

/// What is done to the tables of all lakes by itself, and how often.
struct LakeMaintenance {
  std::chrono::seconds every{600};
  bool compaction = true, expire_snapshots = true, orphan_files = true;
};

struct Compute {
  uint64_t memory = 0;     // bytes; 0 = memory_percent or the engine's own choice
  int memory_percent = 0;  // of the machine
  int threads = 0;         // 0 = cores
  std::filesystem::path spill_folder;
  uint64_t spill_limit = 0;  // bytes; 0 = the engine's own choice
  int max_running = 0;
  int max_running_per_user = 0;
};

/// Where a domain's tables are.
struct Database {
  enum class Kind { kManaged, kPostgresql, kMysql };
  Kind kind = Kind::kManaged;
  std::string name;  // the database on the server: sales_db; kMysql: "" = all of the server's
  std::string host;  // kPostgresql, kMysql
  int port = 0;      // kManaged: wished for, 0 = any free one from 15432 on
  std::string user = "admin";
  std::string password;  // kManaged: empty = one is made and kept under the data folder
  std::vector<std::filesystem::path> init;      // kManaged: SQL files, run in this order
  std::map<std::string, std::string> settings;  // kManaged: postgresql.conf settings
  bool read_only = false;                       // kMysql
  std::string tls;                              // kMysql: "off", "required", "verify"
  std::filesystem::path ca;                     // kMysql: PEM file; "" = the system's
};

struct Owner {
  std::string team, email;
};

struct Product {
  std::string name, description, table;
  std::filesystem::path contract;  // an ODCS file, relative to the mesh; "" = none
  std::vector<std::string> tags;
};

struct Domain {
  std::string name, description, catalog;
  Owner owner;
  Database database;
  std::vector<Bucket> buckets;
  std::optional<Lake> lake;
  std::vector<Product> products;
  std::filesystem::path file;
};

/// A catalog that belongs to no domain.
struct ExtraCatalog {
  enum class Kind { kTpch, kMemory, kPostgresql, kMysql, kSqlite, kDuckdb };
  std::string name;
  Kind kind = Kind::kMemory;
  Database database;           // kPostgresql, kMysql
  std::filesystem::path path;  // kSqlite, kDuckdb: absolute
  bool read_only = true;       // kSqlite, kDuckdb
};

/// Where OpenLineage events about this mesh go, and what its jobs are named under.
struct LineageExport {
  std::string url;  // events are POSTed to it; "" = nowhere
  std::string api_key, name_space;
};

/// The mail server that alerts leave by.
struct Smtp {
  std::string host;
  int port = 587;
  std::string tls;  // "none", "starttls", "tls"
  std::string user, password, from;
  std::filesystem::path ca;  // PEM file of trusted authorities instead of the system's; "" = none
};

struct LoadOptions {
  std::filesystem::path data;  // instead of the file's `data`, relative to the working directory
  /// The environment; a test may give its own.
  std::function<std::optional<std::string>(const std::string&)> environment;
};

struct Mesh {
  std::filesystem::path folder;  // absolute
  std::filesystem::path shown;   // the folder as it was given, for messages
  std::filesystem::path data;    // absolute; may not exist yet
  std::string name;
  Listen listen;
  std::optional<Tls> tls;
  Metadata metadata;
  Storage storage;
  Lake lake;
  LakeMaintenance lake_maintenance;
  Compute compute;
  LineageExport lineage;
  std::optional<Smtp> smtp;
  std::vector<ExtraCatalog> catalogs;
  std::vector<Domain> domains;  // by folder name
  std::string language;         // "en" or "fr"
  std::string log_level;        // trace, debug, info, warn, error
  std::string log_format;       // auto, human, json
  /// What ${NAME} stands for, from the environment and the secrets file.
  std::function<std::optional<std::string>(const std::string&)> secret;

  /// Reads `folder`. Throws ConfigError with every mistake of every file.
  static Mesh load(const std::filesystem::path& folder, const LoadOptions& options = {});
};

/// The JSON Schema (Draft 2020-12) of one kind of file: "meesh", "domain", "product", "secrets".
/// Throws NOT_FOUND for another word.
boost::json::value json_schema(std::string_view kind);
std::vector<std::string> schema_kinds();

}  // namespace meesh::mesh
