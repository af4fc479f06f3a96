#include "app/dashboard_service.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "lake/catalog.h"
#include "serve/api/dashboards.h"

namespace meesh::app {
namespace {

constexpr size_t kMostMemory = size_t{256} << 20;  // of answers that are kept
constexpr uint64_t kMemoryPart = 20;               // and this part of what statements may use
constexpr const char* kLiveCatalog = "live";
constexpr const char* kDialect = "trino";
constexpr const char* kGracePeriod = "meesh.grace-period-ms";

/// A view by its newest text; a materialized one by its rows as well.
dashboards::TableState view_state(const lake::Catalog& catalog, const lake::View& view) {
  dashboards::TableState state;
  state.version = view.metadata_location;
  const auto& version = view.metadata->version();
  state.view_catalog = version.default_catalog.value_or(catalog.warehouse().name);
  state.view_schema = version.default_namespace.empty() ? "" : version.default_namespace[0];
  if (const auto* text = view.metadata->sql(kDialect)) state.view_sql = text->sql;
  if (state.view_sql.empty()) {
    state.version.clear();
    return state;
  }
  if (const auto& storage = version.storage_table) {
    const auto rows = catalog.find({storage->space, storage->name});
    state.version += "+" + (rows ? rows->metadata_location : "");
    // Stored rows that are good for a while are not the query's answer in the end.
    state.changes_with_time = view.metadata->properties.contains(kGracePeriod);
  }
  return state;
}

}  // namespace

DashboardService::DashboardService(Parts parts) : parts_(std::move(parts)) {
  dashboards::Environment environment{parts_.engine, parts_.database, parts_.mesh, {}};
  environment.answers.find = [this](const sql::TableName& name) { return find(name); };
  environment.answers.rights = [this](const std::string& user) { return rights(user); };
  const uint64_t limit = parts_.engine.options().memory_limit;
  if (limit > 0) environment.answers.memory = std::min<size_t>(kMostMemory, limit / kMemoryPart);
  environment.changes = [this](const sql::TableName& name) { return changes(name); };
  environment.store = &parts_.objects.store();
  environment.authorize = [this](const std::string& user, std::string_view action,
                                 const std::string& bucket, const std::string& key) {
    parts_.objects.authorize(user, action, bucket, key);
  };
  environment.holder = parts_.holder;
  environment.address = parts_.address;
  dashboards_ = std::make_unique<dashboards::Dashboards>(std::move(environment));
}

/// By the place of its newest metadata, which no two commits share. Of catalogs other than the
/// lake's nobody knows.
std::optional<dashboards::TableState> DashboardService::find(const sql::TableName& name) const {
  for (const auto& extra : parts_.mesh.catalogs)
    if (extra.name == name.catalog && extra.kind == mesh::ExtraCatalog::Kind::kTpch &&
        name.schema != "information_schema")
      return dashboards::TableState{"generated", "", "", "", false};
  for (const auto* catalog : parts_.lakes.catalogs()) {
    if (catalog->warehouse().name != name.catalog) continue;
    const lake::Identifier id{{name.schema}, name.table};
    if (const auto table = catalog->find(id)) {
      dashboards::TableState state;
      state.version = table->metadata_location;
      return state;
    }
    if (const auto view = catalog->find_view(id)) return view_state(*catalog, *view);
    return std::nullopt;
  }
  return dashboards::TableState{};
}

/// Users that the object store does not know all have the rights of the SQL port.
std::string DashboardService::rights(const std::string& user) const {
  const auto& access = parts_.objects.access();
  const auto users = access.users();
  const auto found = std::ranges::find(users, user, &access::User::name);
  if (found == users.end()) return access.identity(user) ? user : "";
  std::string all = fmt::format("{}:{}:{}", user, found->domain, found->enabled);
  const auto documents = access.policies();
  for (const auto& name : found->policies) {
    const auto document = documents.find(name);
    all += fmt::format(":{}={:016x}", name,
                       document == documents.end() ? 0 : base::checksum(document->second));
  }
  return all;
}

/// A stream's table in memory: how often the stream has committed.
std::string DashboardService::changes(const sql::TableName& name) const {
  if (name.catalog != kLiveCatalog) return "";
  for (const auto& config : parts_.streams.configs())
    for (const auto& sink : config.sinks)
      if (sink.kind == streams::SinkConfig::Kind::kLive && sink.target == name.table)
        return std::to_string(
            parts_.streams.wait_for_commit(config.name, 0, std::chrono::milliseconds(0)));
  return "";
}

void DashboardService::serve(net::Server& server) {
  serve::api::DashboardsApiOptions options;
  options.stopping = stopping_.get_token();
  serve::api::register_dashboards(server, *dashboards_, options);
}

void DashboardService::add_metrics(serve::api::MetricsText& text) {
  serve::api::add_dashboards(text, *dashboards_);
}

void DashboardService::stop() {
  stopping_.request_stop();
  dashboards_->stop();
}

}  // namespace meesh::app
