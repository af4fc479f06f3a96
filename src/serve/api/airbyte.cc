#include "serve/api/airbyte.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>

#include "base/clock.h"
#include "ingest/airbyte/environments.h"
#include "ingest/sources/airbyte.h"
#include "serve/api/airbyte_jobs.h"
#include "serve/api/caller.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using ingest::Ingest;
using ingest::SourceConfig;
using net::Request;
using net::Response;

json::array list_of(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

/// What a source's kind is to Airbyte: the connector, or our own.
struct Definition {
  std::string name, version;
};
Definition definition_of(const SourceConfig& config) {
  if (config.kind != "airbyte") return {"source-" + config.kind, ""};
  const auto& options = ingest::airbyte_options(config);
  if (!options.manifest.empty()) return {options.manifest, options.package.version};
  return {options.package.name, options.package.version};
}

json::object definition_json(const Definition& definition, const std::string& description) {
  return {{"sourceDefinitionId", airbyte_id("definition", definition.name)},
          {"name", definition.name},
          {"dockerRepository", "airbyte/" + definition.name},
          {"dockerImageTag", definition.version},
          {"documentationUrl", ""},
          {"description", description},
          {"sourceType", "custom"},
          {"releaseStage", "custom"}};
}

class AirbyteApi {
 public:
  AirbyteApi(Ingest& ingest, const mesh::Mesh& mesh)
      : ingest_(ingest), mesh_(mesh), jobs_(ingest), environments_(mesh.data, mesh.folder) {}

  json::object workspace() const {
    return {{"workspaceId", workspace_id()}, {"name", mesh_.name},          {"slug", mesh_.name},
            {"initialSetupComplete", true},  {"displaySetupWizard", false}, {"tombstone", false}};
  }
  json::object definitions() const;
  json::object sources() const;
  json::object source(const json::object& asked) const { return source_json(found(asked)); }
  json::object check(const json::object& asked);
  json::object discover(const json::object& asked);
  json::object destinations() const { return {{"destinations", json::array{destination()}}}; }
  json::object connections() const;
  json::object connection(const json::object& asked) const {
    return connection_json(connected(asked));
  }
  json::object state(const json::object& asked) const;
  json::object jobs(const json::object& asked) const;
  AirbyteJobs& running() { return jobs_; }
  SourceConfig connected(const json::object& asked) const {
    return by_id(asked, "connectionId", "connection");
  }

  json::object connectors(const std::string& words) const;
  json::object connector_spec(const std::string& name, const std::string& version) const;
  void install(Request& request, Response& response) const;

 private:
  std::string workspace_id() const { return airbyte_id("workspace", mesh_.name); }
  SourceConfig found(const json::object& asked) const { return by_id(asked, "sourceId", "source"); }
  SourceConfig by_id(const json::object& asked, std::string_view key, std::string_view kind) const;
  json::object source_json(const SourceConfig& config) const;
  json::object destination() const;
  json::object connection_json(const SourceConfig& config) const;
  json::array catalog_of(const SourceConfig& config) const;

  Ingest& ingest_;
  const mesh::Mesh& mesh_;
  AirbyteJobs jobs_;
  const ingest::ConnectorEnvironments environments_;
};

SourceConfig AirbyteApi::by_id(const json::object& asked, std::string_view key,
                               std::string_view kind) const {
  const std::string id = needed_text(asked, key);
  for (auto& config : ingest_.sources())
    if (airbyte_id(kind, config.name) == id) return config;
  throw Error(Code::kNotFound, fmt::format("there is no {} {}", kind, id));
}

json::object AirbyteApi::definitions() const {
  std::map<std::string, json::object> all;
  for (const auto& known : ingest::search_connectors(""))
    if (known.name.starts_with("source-"))
      all[known.name] = definition_json({known.name, known.version}, known.description);
  for (const auto& config : ingest_.sources()) {
    const auto definition = definition_of(config);
    all[definition.name] = definition_json(definition, "");
  }
  json::array list;
  for (auto& [name, definition] : all) list.push_back(std::move(definition));
  return {{"sourceDefinitions", std::move(list)}};
}

json::object AirbyteApi::source_json(const SourceConfig& config) const {
  const auto definition = definition_of(config);
  // Its configuration stays in the source's file: it may hold secrets.
  return {{"sourceDefinitionId", airbyte_id("definition", definition.name)},
          {"sourceId", airbyte_id("source", config.name)},
          {"workspaceId", workspace_id()},
          {"connectionConfiguration", json::object()},
          {"name", config.name},
          {"sourceName", definition.name}};
}

json::object AirbyteApi::sources() const {
  json::array list;
  for (const auto& config : ingest_.sources()) list.push_back(source_json(config));
  return {{"sources", std::move(list)}};
}

/// A call that answers with how it went, as a job of its own.
json::object job_info(const char* type, int64_t begun, bool succeeded) {
  return {{"id", airbyte_id(type, std::to_string(begun))},
          {"configType", type},
          {"createdAt", begun / 1000},
          {"endedAt", base::now_ms() / 1000},
          {"succeeded", succeeded},
          {"logs", {{"logLines", json::array()}}}};
}

json::object AirbyteApi::check(const json::object& asked) {
  const auto config = found(asked);
  const int64_t begun = base::now_ms();
  try {
    const std::string told = ingest_.check(config.name);
    return {{"status", "succeeded"},
            {"message", told},
            {"jobInfo", job_info("check_connection_source", begun, true)}};
  } catch (const Error& error) {
    return {{"status", "failed"},
            {"message", error.what()},
            {"jobInfo", job_info("check_connection_source", begun, true)}};
  }
}

/// A stream as Airbyte tells of it; the connector's own words if there are some.
json::object stream_json(const ingest::Stream& stream, const json::object& own) {
  json::object properties;
  for (const auto& column : stream.columns)
    properties[column.name] = json::object{{"description", column.type.display()}};
  json::array key;
  for (const auto& name : stream.key) key.push_back(json::array{json::value(name)});
  const auto or_else = [&](const char* theirs, json::value ours) {
    const auto* value = own.if_contains(theirs);
    return value ? *value : std::move(ours);
  };
  return {{"name", stream.name},
          {"jsonSchema",
           or_else("json_schema", json::object{{"type", "object"}, {"properties", properties}})},
          {"supportedSyncModes",
           or_else("supported_sync_modes", json::array{"full_refresh", "incremental"})},
          {"sourceDefinedCursor", or_else("source_defined_cursor", false)},
          {"defaultCursorField", or_else("default_cursor_field", list_of(stream.cursors))},
          {"sourceDefinedPrimaryKey", or_else("source_defined_primary_key", std::move(key))}};
}

/// Of a connector's catalog, by the names that streams have here.
std::map<std::string, json::object> own_streams(const json::object& catalog) {
  std::map<std::string, json::object> own;
  if (!catalog.contains("streams")) return own;
  for (const auto& one : ingest::read_catalog(catalog)) own[one.table] = one.described;
  return own;
}

json::object AirbyteApi::discover(const json::object& asked) {
  const auto config = found(asked);
  const int64_t begun = base::now_ms();
  json::array streams;
  const auto all = ingest_.discover(config.name);
  const auto own = own_streams(ingest::airbyte_last_catalog(config.name, mesh_));
  for (const auto& stream : all) {
    const auto theirs = own.find(stream.name);
    streams.push_back(
        {{"stream", stream_json(stream, theirs == own.end() ? json::object() : theirs->second)},
         {"config",
          {{"syncMode", "full_refresh"},
           {"destinationSyncMode", "overwrite"},
           {"cursorField", json::array()},
           {"primaryKey", json::array()},
           {"aliasName", stream.name},
           {"selected", config.table(stream.name).has_value()}}}});
  }
  return {{"catalog", json::object{{"streams", std::move(streams)}}},
          {"catalogId", airbyte_id("catalog", config.name)},
          {"jobInfo", job_info("discover_schema", begun, true)}};
}

json::object AirbyteApi::destination() const {
  return {{"destinationDefinitionId", airbyte_id("definition", "lake")},
          {"destinationId", airbyte_id("destination", mesh_.lake.catalog)},
          {"workspaceId", workspace_id()},
          {"connectionConfiguration", json::object()},
          {"name", mesh_.lake.catalog},
          {"destinationName", "Iceberg"}};
}

json::array AirbyteApi::catalog_of(const SourceConfig& config) const {
  json::array streams;
  const auto own = own_streams(ingest::airbyte_last_catalog(config.name, mesh_));
  for (const auto& [name, table] : config.tables) {
    ingest::Stream stream;
    stream.name = name;
    stream.key = table.key;
    const bool incremental = table.mode != ingest::Mode::kFullRefresh;
    const bool merged = table.write != ingest::Write::kAppend;
    json::array key;
    for (const auto& column : table.key) key.push_back(json::array{json::value(column)});
    const auto theirs = own.find(name);
    streams.push_back(
        {{"stream", stream_json(stream, theirs == own.end() ? json::object() : theirs->second)},
         {"config",
          {{"syncMode", incremental ? "incremental" : "full_refresh"},
           {"destinationSyncMode", !incremental ? "overwrite"
                                   : merged     ? "append_dedup"
                                                : "append"},
           {"cursorField", table.cursor.empty() ? json::array() : list_of({table.cursor})},
           {"primaryKey", std::move(key)},
           {"aliasName", table.into},
           {"selected", true}}}});
  }
  return streams;
}

json::object AirbyteApi::connection_json(const SourceConfig& config) const {
  return {{"connectionId", airbyte_id("connection", config.name)},
          {"name", config.name + " → " + config.into_catalog + "." + config.into_schema},
          {"namespaceDefinition", "customformat"},
          {"namespaceFormat", config.into_catalog + "." + config.into_schema},
          {"prefix", ""},
          {"sourceId", airbyte_id("source", config.name)},
          {"destinationId", airbyte_id("destination", mesh_.lake.catalog)},
          {"workspaceId", workspace_id()},
          {"operationIds", json::array()},
          {"syncCatalog", json::object{{"streams", catalog_of(config)}}},
          {"scheduleType", config.schedule ? "cron" : "manual"},
          {"status", "active"}};
}

json::object AirbyteApi::connections() const {
  json::array list;
  for (const auto& config : ingest_.sources()) list.push_back(connection_json(config));
  return {{"connections", std::move(list)}};
}

json::object AirbyteApi::state(const json::object& asked) const {
  const auto config = connected(asked);
  json::array streams;
  for (const auto& one : ingest_.status()) {
    if (one.source != config.name || one.position.empty()) continue;
    auto position = json::parse(one.position);
    const auto* kept = position.is_object() ? position.as_object().if_contains("state") : nullptr;
    streams.push_back(
        {{"streamDescriptor", {{"name", one.stream}}}, {"streamState", kept ? *kept : position}});
  }
  return {{"stateType", streams.empty() ? "not_set" : "stream"},
          {"connectionId", airbyte_id("connection", config.name)},
          {"streamState", std::move(streams)}};
}

json::object AirbyteApi::jobs(const json::object& asked) const {
  std::string source;
  if (const std::string id = text(asked, "configId"); !id.empty())
    source = connected({{"connectionId", id}}).name;
  const auto* pages = asked.if_contains("pagination");
  const json::object page = pages && pages->is_object() ? pages->as_object() : json::object();
  const auto size = static_cast<size_t>(number(page, "pageSize", 200, 10'000));
  const auto* skipped = page.if_contains("rowOffset");
  const size_t first = skipped && skipped->is_int64() && skipped->as_int64() > 0
                           ? static_cast<size_t>(skipped->as_int64())
                           : 0;
  const auto all = jobs_.list(source);
  json::array list;
  for (size_t i = first; i < all.size() && list.size() < size; ++i)
    list.push_back(job_json(all[i]));
  return {{"jobs", std::move(list)}, {"totalJobCount", all.size()}};
}

// ---- connectors

json::object AirbyteApi::connectors(const std::string& words) const {
  json::array known, installed;
  for (const auto& one : ingest::search_connectors(words))
    known.push_back(
        {{"name", one.name}, {"version", one.version}, {"description", one.description}});
  for (const auto& one : environments_.list())
    installed.push_back({{"name", one.package.name},
                         {"version", one.package.version},
                         {"folder", one.folder.string()}});
  return {{"known", std::move(known)}, {"installed", std::move(installed)}};
}

json::object AirbyteApi::connector_spec(const std::string& name, const std::string& version) const {
  auto package = ingest::parse_package(version.empty() ? name : name + "==" + version);
  const auto installed = environments_.list();
  std::optional<ingest::ConnectorPackage> found;
  for (const auto& one : installed)
    if (one.package.name == package.name &&
        (package.version.empty() || one.package.version == package.version))
      found = one.package;
  if (!found) {
    throw Error(Code::kNotFound, fmt::format("the connector '{}' is not installed", name))
        .with_hint(fmt::format("meesh ingest connectors install {}", name));
  }
  auto spec = ingest::airbyte_spec(*found, mesh_, {});
  spec["name"] = found->name;
  spec["version"] = found->version;
  return spec;
}

void AirbyteApi::install(Request& request, Response& response) const {
  need(request, Role::kAdministrator);  // it runs programs of others
  const auto package = ingest::parse_package(needed_text(body_of(request), "connector"));
  Lines().run(request, response, [&](const std::stop_token& stop, Lines& out) {
    TaskContext context;
    context.stop = stop;
    context.log = [&](log::Level level, const std::string& line) {
      out.send({{"log", line}, {"warning", level >= log::Level::kWarn}});
    };
    const auto made = environments_.install(package, context);
    out.send({{"end", made.package.name},
              {"version", made.package.version},
              {"folder", made.folder.string()},
              {"lock", (made.folder / "requirements.lock").string()}});
  });
}

int64_t job_id(const json::object& asked) {
  const auto* id = asked.if_contains("id");
  if (id && id->is_int64()) return id->as_int64();
  throw Error(Code::kBadRequest, "'id' is the number of a job");
}

}  // namespace

void register_airbyte(net::Server& server, Ingest& ingest, const mesh::Mesh& mesh) {
  const auto api = std::make_shared<AirbyteApi>(ingest, mesh);
  const auto post = [&](const std::string& path, auto act) {
    server.route("POST", "/api/v1/" + path,
                 guarded([api, act](Request& request, Response& response) {
                   const auto asked = body_of(request);
                   answer(response, act(*api, request, asked));
                 }));
  };
  const auto look = [&](const std::string& path, auto act) {
    post(path,
         [act](AirbyteApi& one, Request&, const json::object& asked) { return act(one, asked); });
  };
  using Asked = const json::object&;
  look("workspaces/list", [](AirbyteApi& one, Asked) {
    return json::object{{"workspaces", json::array{one.workspace()}}};
  });
  look("source_definitions/list", [](AirbyteApi& one, Asked) { return one.definitions(); });
  look("sources/list", [](AirbyteApi& one, Asked) { return one.sources(); });
  look("sources/get", [](AirbyteApi& one, Asked asked) { return one.source(asked); });
  look("sources/check_connection", [](AirbyteApi& one, Asked asked) { return one.check(asked); });
  look("sources/discover_schema", [](AirbyteApi& one, Asked asked) { return one.discover(asked); });
  look("destinations/list", [](AirbyteApi& one, Asked) { return one.destinations(); });
  look("connections/list", [](AirbyteApi& one, Asked) { return one.connections(); });
  look("connections/get", [](AirbyteApi& one, Asked asked) { return one.connection(asked); });
  look("state/get", [](AirbyteApi& one, Asked asked) { return one.state(asked); });
  look("jobs/list", [](AirbyteApi& one, Asked asked) { return one.jobs(asked); });
  look("jobs/get", [](AirbyteApi& one, Asked asked) {
    return job_info_json(one.running().get(job_id(asked)));
  });
  post("connections/sync", [](AirbyteApi& one, Request& request, Asked asked) {
    need(request, Role::kEditor);
    return job_info_json(one.running().begin(one.connected(asked).name));
  });
  post("jobs/cancel", [](AirbyteApi& one, Request& request, Asked asked) {
    need(request, Role::kEditor);
    return job_info_json(one.running().cancel(job_id(asked)));
  });
  const std::string connectors = "/api/v1/ingest/connectors";
  server.route("GET", connectors, guarded([api](Request& request, Response& response) {
                 answer(response, api->connectors(query_text(request, "search")));
               }));
  server.route("GET", connectors + "/{name}/spec",
               guarded([api](Request& request, Response& response) {
                 answer(response, api->connector_spec(std::string(request.param("name")),
                                                      query_text(request, "version")));
               }));
  server.route("POST", connectors, guarded([api](Request& request, Response& response) {
                 api->install(request, response);
               }),
               {.max_body_bytes = kMostBody, .compress = false});
}

}  // namespace meesh::serve::api
