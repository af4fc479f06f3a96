// What the other rooms have, as entries of the catalogue.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "base/text.h"
#include "ingest/sources/postgresql.h"
#include "mesh/mesh_files.h"
#include "pipelines/sql_tables.h"
#include "serve/api/catalogue.h"
#include "serve/api/catalogue_dashboards.h"
#include "transform/dbt_manifest.h"

namespace meesh::serve::api {
namespace {

using governance::SearchEntry;
using net::percent_encode;

constexpr int kMostQueries = 10'000;
constexpr size_t kMostText = 10'000;  // bytes of a statement that are searched

SearchEntry entry(std::string kind, std::string name, std::string description, std::string url) {
  SearchEntry out;
  out.kind = std::move(kind);
  out.name = std::move(name);
  out.description = std::move(description);
  out.url = std::move(url);
  return out;
}

/// So much of a text as is searched, whole characters.
std::string beginning(const std::string& text) {
  size_t end = std::min(text.size(), kMostText);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  return text.substr(0, end);
}

std::vector<SearchEntry> buckets(const CatalogueRooms& rooms) {
  std::vector<SearchEntry> all;
  for (const auto& bucket : rooms.store.buckets()) {
    all.push_back(entry("bucket", bucket.name, "", "/lake/buckets/" + percent_encode(bucket.name)));
    for (const auto& domain : rooms.mesh.domains) {
      if (std::ranges::find(domain.buckets, bucket.name, &mesh::Bucket::name) ==
          domain.buckets.end())
        continue;
      all.back().domain = domain.name;
      all.back().owner = domain.owner.team;
    }
  }
  return all;
}

std::vector<SearchEntry> products(const CatalogueRooms& rooms) {
  std::vector<SearchEntry> all;
  for (const auto& domain : rooms.mesh.domains) {
    for (const auto& product : domain.products) {
      all.push_back(
          entry("product", domain.name + "/" + product.name, product.description,
                "/catalogue/products?product=" + percent_encode(domain.name + "/" + product.name)));
      all.back().title = product.name;
      all.back().domain = domain.name;
      all.back().owner = domain.owner.team;
      all.back().tags = product.tags;
      all.back().columns = product.table;
    }
  }
  return all;
}

std::vector<SearchEntry> pipelines_and_assets(const CatalogueRooms& rooms) {
  std::vector<SearchEntry> all;
  const auto set = rooms.pipelines.pipelines();
  for (const auto& pipeline : set->graph->pipelines()) {
    const std::string url = "/pipelines/" + percent_encode(pipeline->name);
    all.push_back(entry("pipeline", pipeline->name, pipeline->description, url));
    for (const auto& asset : pipeline->assets) {
      all.push_back(entry("asset", asset.name, asset.description,
                          url + "?asset=" + percent_encode(asset.name)));
      all.back().tags = asset.tags;
      all.back().columns = asset.kind + " " + base::join(asset.asset->outputs(), " ");
    }
  }
  return all;
}

std::vector<SearchEntry> streams_of(const CatalogueRooms& rooms) {
  std::vector<SearchEntry> all;
  for (const auto& stream : rooms.streams.status()) {
    all.push_back(entry("stream", stream.name, stream.description,
                        "/streams/" + percent_encode(stream.name)));
    all.back().columns = base::join(stream.sources, " ") + " " + base::join(stream.sinks, " ");
  }
  return all;
}

std::vector<SearchEntry> feeds_of(const CatalogueRooms& rooms) {
  std::vector<SearchEntry> all;
  for (const auto& feed : rooms.feeds.list()) {
    all.push_back(entry("feed", feed.config.name, feed.config.description,
                        "/feeds/" + percent_encode(feed.config.name)));
    all.back().columns = feed.table + " " + feed.origin;
  }
  return all;
}

std::vector<SearchEntry> sources_of(const CatalogueRooms& rooms) {
  std::vector<SearchEntry> all;
  for (const auto& source : rooms.ingest.sources()) {
    all.push_back(
        entry("source", source.name, "", "/ingestion/sources/" + percent_encode(source.name)));
    all.back().columns = source.kind;
    if (source.kind == "postgresql")
      all.back().columns += " " + ingest::postgresql_options(source).catalog;
    for (const auto& [stream, table] : source.tables)
      all.back().columns += " " + stream + " " + source.full_name(table);
  }
  return all;
}

/// Models of projects whose documentation was made, as dbt told then.
std::vector<SearchEntry> dbt_models(const CatalogueRooms& rooms) {
  std::vector<SearchEntry> all;
  for (const auto& project : rooms.dbt.projects()) {
    const auto manifest = rooms.dbt.artifact(project, "manifest.json");
    if (!manifest) continue;
    for (const auto& node : transform::read_manifest(*manifest)) {
      static const std::set<std::string> kShown{"model", "seed", "snapshot", "source", "exposure"};
      if (!kShown.contains(node.resource_type)) continue;
      all.push_back(entry("dbt_model", node.id, node.description,
                          fmt::format("/dbt/{}/#!/{}/{}", percent_encode(project),
                                      node.resource_type, percent_encode(node.id))));
      all.back().title = node.name;
      all.back().tags = node.tags;
      all.back().columns = base::join(node.columns, " ") + " " + node.relation;
    }
  }
  return all;
}

std::vector<SearchEntry> dashboards_of(const CatalogueRooms& rooms) {
  std::vector<SearchEntry> all;
  for (const auto& dashboard : read_dashboards(rooms.mesh)) {
    all.push_back(entry("dashboard", dashboard.name, dashboard.description,
                        "/dashboards/" + percent_encode(dashboard.name)));
    all.back().title = dashboard.title;
    all.back().owner = dashboard.owner;
    all.back().tags = dashboard.tags;
    all.back().columns = base::join(dashboard.charts, " ");
  }
  return all;
}

/// Saved queries for everyone; others are their owners' alone.
std::vector<SearchEntry> queries_of(const CatalogueRooms& rooms) {
  std::vector<SearchEntry> all;
  std::set<std::string> names;
  for (const auto& query : rooms.queries.for_everyone(kMostQueries)) {
    std::string name = query.owner + "/" + query.name;
    if (!names.insert(name).second) name += " " + query.id;
    all.push_back(entry("query", name, query.description, "/sql/" + percent_encode(query.id)));
    all.back().title = query.name;
    all.back().owner = query.owner;
    all.back().columns = beginning(query.statement);
    all.back().changed_ms = query.updated_ms;
  }
  return all;
}

}  // namespace

governance::CatalogueOptions catalogue_options(const CatalogueRooms& rooms) {
  governance::CatalogueOptions options;
  const auto add = [&](const char* origin, auto read) {
    options.origins[origin] = [rooms, read] { return read(rooms); };
  };
  add("buckets", buckets);
  add("products", products);
  add("pipelines", pipelines_and_assets);
  add("streams", streams_of);
  add("feeds", feeds_of);
  add("sources", sources_of);
  add("dbt", dbt_models);
  add("dashboards", dashboards_of);
  add("queries", queries_of);
  options.tables_read = [](const std::string& sql, const std::string& catalog,
                           const std::string& schema) {
    std::vector<std::string> tables;
    for (const auto& use : pipelines::tables_in(sql, "", catalog, schema).reads)
      tables.push_back(use.table);
    return tables;
  };
  return options;
}

}  // namespace meesh::serve::api
