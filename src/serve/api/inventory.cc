#include "serve/api/inventory.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "engine/ask.h"
#include "mesh/postgres_connection.h"
#include "serve/api/json_api.h"
#include "serve/api/overview.h"
#include "serve/api/service_probes.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using net::Request;
using net::Response;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kPingSeconds = "2";  // for a PostgreSQL server that does not answer
constexpr auto kCached = seconds(1);
/// Of checks that are statements, which stand in the list of statements for a quarter of an hour.
constexpr auto kSeldom = seconds(60);

/// What is known of a service without asking it.
struct Service {
  std::string name{}, kind{}, domain{};
  std::string address{};  // as a client uses it; "" = it has none of its own
  int port = 0;           // 0 = none
  std::string replaces{};
  std::string page{};  // of the console; "" = none
};

using Listing = std::vector<std::pair<Service, size_t>>;  // with the place of its probe

/// The port of "http://localhost:9000" or "host:9092,other:9092"; 0 if it names none.
int port_of(const std::string& address) {
  const std::string first = address.substr(0, address.find(','));
  const size_t colon = first.rfind(':');
  if (colon == std::string::npos) return 0;
  const std::string digits = first.substr(colon + 1);
  const bool all_digits = !digits.empty() && digits.size() <= 5 &&
                          digits.find_first_not_of("0123456789") == std::string::npos;
  return all_digits ? std::stoi(digits) : 0;
}

/// Of a server on this machine the folder of its socket is known; people use its port.
std::string host_of(const engine::PostgresOptions& options) {
  return options.host.starts_with('/') ? "localhost" : options.host;
}

engine::Session own_session() {
  engine::Session session;
  session.user = session.original_user = "meesh";
  session.source = "health";
  return session;
}

// ---- what each kind of service is asked

/// No login is needed to know that a server takes connections.
PGPing ping(const engine::PostgresOptions& options) {
  const std::string port = std::to_string(options.port);
  const char* keys[] = {"host", "port", "dbname", "user", "password", "connect_timeout", nullptr};
  const char* values[] = {options.host.c_str(),
                          port.c_str(),
                          options.database.c_str(),
                          options.user.c_str(),
                          options.password.c_str(),
                          kPingSeconds,
                          nullptr};
  return PQpingParams(keys, values, 0);
}

/// Keeps the version, for which it logs in once.
ServiceProbes::Ask ask_postgres(engine::PostgresOptions options) {
  return [options = std::move(options),
          version = std::string()](const std::stop_token&) mutable -> Finding {
    switch (ping(options)) {
      case PQPING_OK:
        break;
      case PQPING_REJECT:
        return {ServiceState::kDegraded, "it takes no connections now: starting, or stopping",
                "starting"};
      default:
        version.clear();
        return {ServiceState::kFailed,
                fmt::format("no answer from {}:{}", host_of(options), options.port), "no_answer"};
    }
    if (version.empty())
      version = mesh::PostgresConnection(options).execute("SHOW server_version").at(0).at(0);
    return {ServiceState::kRunning, "PostgreSQL " + version.substr(0, version.find(' '))};
  };
}

ServiceProbes::Ask ask_sql(engine::Engine& engine, std::string statement, std::string detail) {
  return [&engine, statement = std::move(statement),
          detail = std::move(detail)](const std::stop_token& stop) -> Finding {
    engine::ask(engine, statement, own_session(), stop);
    return {ServiceState::kRunning, detail};
  };
}

Finding ask_metadata(meta::Database& database) {
  std::string version;
  const bool sqlite = database.backend() == meta::Backend::kSqlite;
  database.read([&](soci::session& sql) {
    sql << (sqlite ? "SELECT sqlite_version()" : "SHOW server_version"), soci::into(version);
  });
  return {ServiceState::kRunning, (sqlite ? "SQLite " : "PostgreSQL ") + version};
}

/// "failed sync" → "failed_syncs".
std::string message_word(std::string_view what) {
  std::string word(what);
  std::ranges::replace(word, ' ', '_');
  return word + "s";
}

/// "1 bucket", "3 buckets".
Finding counted(ServiceState state, size_t count, std::string_view what) {
  return {state, fmt::format("{} {}{}", count, what, count == 1 ? "" : "s"), message_word(what),
          count};
}

Finding without(std::string_view files, std::string message) {
  return {ServiceState::kOff, fmt::format("no {}", files), std::move(message)};
}

Finding ask_objects(const MeshParts& parts) {
  const std::string address = parts.s3_address();
  const auto found = counted(ServiceState::kRunning, parts.store.buckets().size(), "bucket");
  if (address.empty()) return found;
  net::ClientOptions options;
  options.timeout = seconds(2);
  if (parts.mesh.tls) options.server_certificate = parts.mesh.tls->certificate.string();
  net::Client client(address, options);
  const auto answered = client.request("GET", "/minio/health/live", {}, "");
  if (answered.status != 200)
    return {ServiceState::kFailed, fmt::format("the endpoint answers {}", answered.status)};
  return found;
}

/// Its files are only counted: reading them may take as long as dbt takes to read a project.
size_t files_in(const std::filesystem::path& folder) {
  std::error_code none;
  const std::filesystem::directory_iterator all(folder, none);
  return static_cast<size_t>(std::count_if(
      begin(all), end(all), [](const auto& one) { return one.path().extension() == ".yaml"; }));
}

Finding ask_pipelines(const MeshParts& parts) {
  const size_t all = files_in(parts.mesh.folder / "pipelines");
  pipelines::RunFilter filter;
  filter.state = pipelines::RunState::kRunning;
  filter.limit = 1000;
  const size_t running = parts.pipelines.runs(filter).size();
  if (all == 0) return without("pipelines/*.yaml", "no_pipelines");
  auto found = counted(ServiceState::kRunning, all, "pipeline");
  found.detail += fmt::format(", {} running", running);
  found.of = running;
  return found;
}

/// By the last sync of each stream.
Finding ask_ingestion(const ingest::Ingest& ingest) {
  const size_t sources = ingest.sources().size();
  if (sources == 0) return without("sources/*.yaml", "no_sources");
  size_t failed = 0;
  for (const auto& stream : ingest.status())
    failed += stream.last && stream.last->state == "failed";
  if (failed > 0) return counted(ServiceState::kDegraded, failed, "failed sync");
  return counted(ServiceState::kRunning, sources, "source");
}

/// Of some streams: all well, some not, none.
Finding of_streams(const std::vector<streams::StreamStatus>& all) {
  using streams::StreamState;
  size_t failed = 0, resting = 0;
  std::string error;
  for (const auto& one : all) {
    failed += one.state == StreamState::kFailed;
    resting += one.state == StreamState::kPaused || one.state == StreamState::kFinished;
    if (one.state == StreamState::kFailed && error.empty()) error = one.name + ": " + one.error;
  }
  if (failed == all.size()) return {ServiceState::kFailed, error};
  if (failed > 0) return {ServiceState::kDegraded, error};
  if (resting == all.size()) return {ServiceState::kOff, "no stream reads now", "streams_rest"};
  const size_t reading = all.size() - resting;
  return {ServiceState::kRunning, fmt::format("{} of {} streams read", reading, all.size()),
          "streams_read", reading, all.size()};
}

/// What librdkafka found out about a cluster shows in the streams that read it.
Finding ask_kafka(const streams::Streams& streams, const std::set<std::string>& readers) {
  auto all = streams.status();
  std::erase_if(all, [&](const auto& one) { return !readers.contains(one.name); });
  return of_streams(all);
}

Finding ask_feeds(const streams::Feeds& feeds) {
  const auto all = feeds.list();
  if (all.empty()) return without("feeds/active/*.yaml", "no_feeds");
  const auto wrong = static_cast<size_t>(
      std::ranges::count_if(all, [](const auto& one) { return !one.error.empty(); }));
  if (wrong > 0) return counted(ServiceState::kDegraded, wrong, "wrong file");
  return counted(ServiceState::kRunning, all.size(), "feed");
}

Finding ask_dbt(const transform::Dbt& dbt) {
  const auto projects = dbt.projects();
  if (projects.empty()) return without("dbt/*/dbt_project.yml", "no_projects");
  if (!std::filesystem::exists(dbt.options().python))
    return {ServiceState::kFailed, "its Python environment is missing: setup/setup.sh",
            "no_python"};
  return counted(ServiceState::kRunning, projects.size(), "project");
}

Finding ask_quality(quality::Quality& quality) {
  size_t checks = 0, failing = 0;
  for (const auto& result : quality.history().newest()) {
    ++checks;
    failing += result.outcome != quality::Outcome::kPass;
  }
  if (failing > 0) return counted(ServiceState::kDegraded, failing, "failing check");
  return counted(ServiceState::kRunning, checks, "passed check");
}

// ---- the list

class Inventory {
 public:
  explicit Inventory(const MeshParts& parts) : parts_(parts) {
    add_own();
    add_databases();
    add_kafka();
    add_work();
    add_catalogs();
  }

  json::object services() {
    const auto readings = probes_.read();
    json::array all;
    for (const auto& [service, place] : listing()) all.push_back(told(service, readings.at(place)));
    return {{"mesh", parts_.mesh.name}, {"services", std::move(all)}};
  }

 private:
  void add(Service service, ServiceProbes::Ask ask, milliseconds every = kCached) {
    services_.emplace_back(std::move(service), probes_.add(every, std::move(ask)));
  }

  void add_own() {
    add({.name = "console", .kind = "console", .replaces = "Superset, Grafana, OpenMetadata"},
        [](const std::stop_token&) -> Finding { return {ServiceState::kRunning, "/api/v1"}; });
    add({.name = "sql", .kind = "sql", .replaces = "Trino, Dremio, Spark SQL", .page = "/sql"},
        ask_sql(parts_.engine, "SELECT 1", "Trino " + parts_.engine.options().node_version),
        kSeldom);
    add({.name = "objects", .kind = "objects", .replaces = "MinIO", .page = "/lake"},
        [this](const std::stop_token&) { return ask_objects(parts_); });
    add({.name = parts_.mesh.lake.catalog,
         .kind = "iceberg",
         .replaces = "Hive Metastore, Polaris",
         .page = "/lake/tables"},
        ask_sql(parts_.engine, "SHOW SCHEMAS FROM " + engine::quote_name(parts_.mesh.lake.catalog),
                parts_.mesh.lake.location),
        kSeldom);
    add({.name = "metadata", .kind = "metadata", .replaces = "PostgreSQL of the tools"},
        [this](const std::stop_token&) { return ask_metadata(parts_.database); });
  }

  void add_databases() {
    for (const auto& options : parts_.catalogs) {
      const auto domain =
          std::ranges::find(parts_.mesh.domains, options.name, &mesh::Domain::catalog);
      add({.name = options.name,
           .kind = "postgresql",
           .domain = domain == parts_.mesh.domains.end() ? "" : domain->name,
           .address = fmt::format("postgresql://{}@{}:{}/{}", options.user, host_of(options),
                                  options.port, options.database),
           .port = options.port,
           .replaces = "PostgreSQL"},
          ask_postgres(options));
    }
  }

  void add_kafka() {
    std::map<std::string, std::set<std::string>> clusters;  // → streams
    for (const auto& stream : parts_.streams.configs())
      for (const auto& source : stream.sources) clusters[source.kafka.brokers].insert(stream.name);
    for (const auto& [brokers, readers] : clusters) {
      add({.name = "kafka",
           .kind = "kafka",
           .address = brokers,
           .port = port_of(brokers),
           .replaces = "Kafka UI",
           .page = "/streams"},
          [this, known = readers](const std::stop_token&) {
            return ask_kafka(parts_.streams, known);
          });
    }
  }

  void add_work() {
    add({.name = "pipelines", .kind = "pipelines", .replaces = "Dagster", .page = "/pipelines"},
        [this](const std::stop_token&) { return ask_pipelines(parts_); });
    add({.name = "ingestion", .kind = "ingestion", .replaces = "Airbyte", .page = "/ingestion"},
        [this](const std::stop_token&) { return ask_ingestion(parts_.ingest); });
    add({.name = "streams",
         .kind = "streams",
         .replaces = "Spark Structured Streaming, ksqlDB",
         .page = "/streams"},
        [this](const std::stop_token&) -> Finding {
          const auto all = parts_.streams.status();
          if (all.empty()) return without("streams/*.yaml", "no_streams");
          return of_streams(all);
        });
    add({.name = "feeds", .kind = "feeds", .replaces = "export scripts", .page = "/feeds"},
        [this](const std::stop_token&) { return ask_feeds(parts_.feeds); });
    add({.name = "dbt", .kind = "dbt", .replaces = "dbt", .page = "/catalogue/dbt"},
        [this](const std::stop_token&) { return ask_dbt(parts_.dbt); });
    add({.name = "quality",
         .kind = "quality",
         .replaces = "Great Expectations",
         .page = "/quality"},
        [this](const std::stop_token&) { return ask_quality(parts_.quality); });
  }

  /// What a catalog is, for people and for the console.
  static std::pair<std::string, std::string> words_of(const mesh::ExtraCatalog& catalog) {
    using Kind = mesh::ExtraCatalog::Kind;
    switch (catalog.kind) {
      case Kind::kTpch:
        return {"TPC-H, generated", "tpch"};
      case Kind::kMysql:
        return {fmt::format("{}:{}", catalog.database.host, catalog.database.port), "mysql"};
      case Kind::kSqlite:
        return {catalog.path.string(), "sqlite"};
      case Kind::kDuckdb:
        return {catalog.path.string(), "duckdb"};
      default:
        return {"tables in memory", "memory"};
    }
  }

  /// Those that are no server of their own.
  void add_catalogs() {
    for (const auto& extra : parts_.mesh.catalogs) {
      if (extra.kind == mesh::ExtraCatalog::Kind::kPostgresql) continue;
      add({.name = extra.name, .kind = "catalog", .page = "/sql"},
          [this, name = extra.name, what = words_of(extra)](const std::stop_token&) -> Finding {
            const auto all = parts_.engine.catalogs();
            if (std::ranges::count(all, name) == 0)
              return {ServiceState::kFailed, "the engine does not have it"};
            return {ServiceState::kRunning, what.first, what.second};
          });
    }
  }

  /// Addresses of our own are known only once the server listens.
  Listing listing() const {
    const std::string here = parts_.address(), s3 = parts_.s3_address();
    Listing all = services_;
    for (auto& [service, place] : all) {
      if (service.kind == "objects") service.address = s3;
      if (service.kind == "iceberg") service.address = here + "/iceberg";
      if (service.kind == "dbt") service.address = here + "/dbt/";
      if (service.kind == "feeds") service.address = parts_.feeds.settings().folder.string();
      if (service.kind == "console" || service.kind == "sql") service.address = here;
      if (service.kind != "feeds" && service.port == 0) service.port = port_of(service.address);
      if (service.kind == "iceberg" || service.kind == "dbt") service.port = port_of(here);
    }
    return all;
  }

  static json::object told(const Service& service, const ProbeReading& reading) {
    json::object object{{"name", service.name},
                        {"kind", service.kind},
                        {"state", word(reading.state)},
                        {"detail", reading.detail},
                        {"replaces", service.replaces}};
    if (!reading.message.empty())
      object["message"] = {{"key", reading.message}, {"count", reading.count}, {"of", reading.of}};
    if (!service.domain.empty()) object["domain"] = service.domain;
    if (!service.address.empty()) object["address"] = service.address;
    if (service.port > 0) object["port"] = service.port;
    if (!service.page.empty()) object["page"] = service.page;
    if (reading.latency_ms >= 0) object["latency_ms"] = reading.latency_ms;
    if (reading.checked_ms > 0) object["checked_ms"] = reading.checked_ms;
    return object;
  }

  const MeshParts parts_;
  Listing services_;
  ServiceProbes probes_;  // last: its threads use the rest
};

/// Whoever is not known has to sign in first, and a health check is content with being told so.
void dremio_login(const Request& request, Response& response) {
  if (request.user.empty()) {
    response.status = 401;
    answer(response, json::object{{"errorMessage", "sign in: POST /api/v1/session"}});
    return;
  }
  answer(response,
         json::object{{"userName", request.user}, {"admin", request.role == "administrator"}});
}

}  // namespace

void register_inventory(net::Server& server, const MeshParts& parts) {
  const auto inventory = std::make_shared<Inventory>(parts);
  const auto get = [&](const char* path, net::Handler handler) {
    server.route("GET", path, guarded(std::move(handler)));
  };
  get("/api/v1/services",
      [inventory](Request&, Response& response) { answer(response, inventory->services()); });
  const auto overview = std::make_shared<Overview>(parts);
  get("/api/v1/overview",
      [overview](Request&, Response& response) { answer(response, overview->read()); });
  get("/api/v1/health",
      [](Request&, Response& response) { answer(response, json::object{{"available", true}}); });
  get("/health", [](Request&, Response& response) { response.text("OK"); });
  get("/apiv2/login", dremio_login);
}

}  // namespace meesh::serve::api
