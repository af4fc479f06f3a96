// What is known of one asset.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <climits>
#include <set>

#include "governance/catalogue_lineage.h"
#include "quality/contract.h"
#include "serve/api/catalogue_dashboards.h"
#include "serve/api/catalogue_parts.h"
#include "sql/lexer.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using governance::Catalogue;

/// Of a column in the newest profile; null if there is none.
const json::value* profile_of(const json::value& profile, const std::string& column) {
  if (!profile.is_object()) return nullptr;
  const auto* columns = profile.get_object().if_contains("columns");
  if (!columns || !columns->is_array()) return nullptr;
  for (const auto& one : columns->get_array()) {
    const auto* name = one.is_object() ? one.get_object().if_contains("name") : nullptr;
    if (name && name->is_string() && name->get_string() == column) return &one;
  }
  return nullptr;
}

json::array inherited_json(const governance::Inheritance& all, const std::string& asset,
                           const governance::ColumnNote& note, const std::string& column) {
  json::array out;
  const auto found = all.find({asset, column});
  if (found == all.end()) return out;
  for (const auto& one : found->second) {
    const auto& own = one.is_term ? note.terms : note.tags;
    if (std::ranges::find(own, one.value) != own.end()) continue;
    out.push_back({{"kind", one.is_term ? "term" : "tag"},
                   {"value", one.value},
                   {"from", {{"asset", one.from.asset}, {"column", one.from.column}}}});
  }
  return out;
}

struct ColumnChecks {
  int passed = 0, failed = 0;
};

/// Newest results that name a column, in their check's name.
std::map<std::string, ColumnChecks> checks_by_column(const quality::Quality& quality,
                                                     const std::vector<quality::CheckResult>& all,
                                                     const std::string& table) {
  std::map<std::string, ColumnChecks> out;
  for (const auto* suite : quality.find(table)) {
    for (const auto& check : suite->checks) {
      const auto result = std::ranges::find_if(all, [&](const quality::CheckResult& one) {
        return one.table == table && one.suite == suite->name && one.check == check.name;
      });
      if (result == all.end()) continue;
      for (const auto& column : check.columns) {
        auto& counts = out[sql::lower(column)];
        ++(result->outcome == quality::Outcome::kPass ? counts.passed : counts.failed);
      }
    }
  }
  return out;
}

json::array columns_json(Catalogue& catalogue, const CatalogueRooms& rooms,
                         const governance::TableFact& table, const governance::AssetNote& note,
                         const json::value& profile) {
  static const governance::ColumnNote kNothing;
  const auto inherited = catalogue.inherited();
  const auto checks = checks_by_column(rooms.quality, rooms.quality.history().newest(), table.name);
  json::array out;
  for (const auto& column : table.columns) {
    const auto known = note.columns.find(sql::lower(column.name));
    const auto& said = known == note.columns.end() ? kNothing : known->second;
    json::object one{
        {"name", column.name},
        {"type", column.type},
        {"comment", column.comment},
        {"description", said.description},
        {"tags", json::value_from(said.tags)},
        {"terms", json::value_from(said.terms)},
        {"propagate", said.propagate},
        {"inherit", said.inherit},
        {"inherited", inherited_json(*inherited, table.name, said, sql::lower(column.name))}};
    if (const auto* found = profile_of(profile, column.name)) one["profile"] = *found;
    if (const auto found = checks.find(sql::lower(column.name)); found != checks.end())
      one["checks"] = {{"passed", found->second.passed}, {"failed", found->second.failed}};
    out.push_back(std::move(one));
  }
  return out;
}

/// The pipeline's asset that makes the table, and how it stands.
void add_maker(json::object& out, const CatalogueRooms& rooms, const std::string& table) {
  const auto set = rooms.pipelines.pipelines();
  const auto* node = set->graph->find(table);
  if (!node) return;
  json::object maker{{"pipeline", node->pipeline->name},
                     {"asset", node->asset->name},
                     {"kind", node->asset->kind}};
  if (out["comment"].get_string().empty()) out["comment"] = node->asset->description;
  for (const auto& status : rooms.pipelines.assets(node->pipeline->name)) {
    if (status.name != node->asset->name) continue;
    maker["freshness"] = status.freshness;
    maker["changed_inputs"] = json::value_from(status.changed_inputs);
    if (status.record.succeeded_ms != 0) maker["succeeded_ms"] = status.record.succeeded_ms;
  }
  out["made_by"] = std::move(maker);
}

void add_dbt(json::object& out, Catalogue& catalogue, const std::string& table) {
  governance::SearchQuery query;
  query.text = table;
  query.kind = "dbt_model";
  for (const auto& hit : catalogue.search(query).hits) {
    if (!hit.entry.columns.ends_with(" " + table)) continue;
    out["dbt"] = {{"id", hit.entry.name}, {"url", hit.entry.url}};
    if (out["description"].get_string().empty()) out["comment"] = hit.entry.description;
    return;
  }
}

void add_quality(json::object& out, const CatalogueRooms& rooms, const std::string& table) {
  for (const auto& score : rooms.quality.table_scores()) {
    if (score.name == table) out["quality"] = quality::to_json(score);
  }
  json::array contracts, products;
  std::set<std::string> seen;
  for (const auto* suite : rooms.quality.find(table)) {
    if (suite->name.starts_with("contracts/") && seen.insert(suite->name).second)
      contracts.push_back(json::string(suite->name));
  }
  for (const auto& domain : rooms.mesh.domains) {
    for (const auto& product : domain.products) {
      if (sql::lower(domain.catalog + "." + product.table) == table)
        products.push_back(json::string(domain.name + "/" + product.name));
    }
  }
  out["contracts"] = std::move(contracts);
  out["products"] = std::move(products);
}

bool in_a_lake(const mesh::Mesh& mesh, const std::string& table) {
  const auto of = [&](const mesh::Lake& lake) { return table.starts_with(lake.catalog + "."); };
  return of(mesh.lake) || std::ranges::any_of(mesh.domains, [&](const mesh::Domain& domain) {
           return domain.lake && of(*domain.lake);
         });
}

void add_table(json::object& out, Catalogue& catalogue, const CatalogueRooms& rooms,
               const governance::TableFact& table, const governance::AssetNote& note) {
  json::value profile;
  if (const auto profiles = rooms.quality.history().profiles(table.name, 1); !profiles.empty()) {
    profile = profiles.front();
    json::object summary;
    for (const char* key : {"rows", "at_ms", "sample"}) {
      if (const auto* value = profile.get_object().if_contains(key)) summary[key] = *value;
    }
    out["profile"] = std::move(summary);
  }
  out["columns"] = columns_json(catalogue, rooms, table, note, profile);
  out["lake"] = in_a_lake(rooms.mesh, table.name);
  add_quality(out, rooms, table.name);
  add_maker(out, rooms, table.name);
  add_dbt(out, catalogue, table.name);
}

struct Known {
  std::optional<governance::TableFact> table;
  std::optional<governance::SearchEntry> entry;  // of what is no table
};

Known known_as(Catalogue& catalogue, const std::string& name) {
  Known known;
  known.table = catalogue.find_table(name);
  if (const size_t colon = name.find(':'); !known.table && colon != std::string::npos)
    known.entry = catalogue.entry(name.substr(0, colon), name.substr(colon + 1));
  return known;
}

}  // namespace

json::object asset_json(Catalogue& catalogue, const CatalogueRooms& rooms, const std::string& name,
                        bool may_edit) {
  static const governance::AssetNote kNothing;
  const Known known = known_as(catalogue, name);
  const auto notes = catalogue.files().now();
  const auto* said = notes->asset(name);
  if (!known.table && !known.entry && !said) {
    throw Error(Code::kNotFound, fmt::format("the catalogue has no '{}'", name))
        .with_hint(catalogue.ready() ? "look for it by GET /api/v1/search?q="
                                     : "the catalogue is being filled; try again in a moment");
  }
  const governance::AssetNote& note = said ? *said : kNothing;
  const auto ownership = catalogue.ownership(name);
  json::object out{{"name", name},
                   {"kind", known.table   ? known.table->kind
                            : known.entry ? known.entry->kind
                                          : "gone"},
                   {"title", known.entry ? known.entry->shown() : name},
                   {"description", note.description},
                   {"comment", known.table ? known.table->comment : ""},
                   {"domain", ownership.domain},
                   {"owner", ownership.owner},
                   {"owner_of_domain", ownership.of_domain},
                   {"tier", note.tier},
                   {"tags", json::value_from(note.tags)},
                   {"terms", json::value_from(note.terms)},
                   {"etag", governance::etag_of(name, said)},
                   {"may_edit", may_edit},
                   {"columns", json::array()}};
  if (known.entry) {
    out["url"] = known.entry->url;
    if (note.description.empty()) out["comment"] = known.entry->description;
    if (ownership.owner.empty()) out["owner"] = known.entry->owner;
    if (ownership.domain.empty()) out["domain"] = known.entry->domain;
  }
  if (const auto file = notes->asset_files.find(name); file != notes->asset_files.end())
    out["file"] = file->second.string();
  if (known.table) add_table(out, catalogue, rooms, *known.table, note);
  const auto used = catalogue.usage().of(name, 30);
  out["usage"] = {{"statements", used.statements}, {"last_ms", used.last_ms}};
  return out;
}

std::vector<std::string> files_of(Catalogue& catalogue, const CatalogueRooms& rooms,
                                  const std::string& asset) {
  std::set<std::string> files;
  const auto notes = catalogue.files().now();
  if (const auto file = notes->asset_files.find(asset); file != notes->asset_files.end())
    files.insert(file->second.string());
  const std::string shown = (rooms.mesh.shown / "").string();
  const auto add = [&](std::string file) {
    if (file.starts_with(shown)) file.erase(0, shown.size());
    if (!file.empty() && file.front() != '/' && file.find("..") == std::string::npos)
      files.insert(std::move(file));
  };
  const size_t colon = asset.find(':');
  const std::string plain = colon == std::string::npos ? asset : asset.substr(colon + 1);
  const std::string kind = colon == std::string::npos ? "" : asset.substr(0, colon);
  const auto set = rooms.pipelines.pipelines();
  if (const auto* node = set->graph->find(plain); node && (kind.empty() || kind == "asset")) {
    bool own_file = false;
    for (const auto& use : node->asset->asset->inputs()) {
      if (use.where.file != node->asset->where.file) {
        add(use.where.file);
        own_file = true;
      }
    }
    if (!own_file) add(node->asset->where.file);
  }
  if (kind == "dashboard") add("dashboards/" + plain + ".yaml");
  if (kind == "pipeline") add("pipelines/" + plain + ".yaml");
  if (kind == "stream") add("streams/" + plain + ".yaml");
  if (kind == "source") add("sources/" + plain + ".yaml");
  if (kind == "feed") add("feeds/active/" + plain + ".json");
  for (const auto& domain : rooms.mesh.domains) {
    for (const auto& product : domain.products) {
      if (sql::lower(domain.catalog + "." + product.table) == asset ||
          (kind == "product" && plain == domain.name + "/" + product.name))
        add("domains/" + domain.name + "/domain.yaml");
    }
  }
  return {files.begin(), files.end()};
}

json::object impact_json(Catalogue& catalogue, const CatalogueRooms& rooms,
                         const std::string& asset, const std::string& column) {
  std::map<std::string, int> distances{{asset, 0}};
  json::array items;
  bool truncated = false;
  try {
    governance::GraphQuery query;
    query.of = rooms.lineage.dataset_of(asset);
    query.column = column;
    query.down = 100;
    const auto graph = rooms.lineage.graph(query).as_object();
    truncated = graph.at("truncated").as_bool();
    for (const auto& value : graph.at("nodes").as_array()) {
      const auto& node = value.as_object();
      const std::string name(node.at("table").as_string());
      const int distance = node.at("distance").to_number<int>();
      if (distance <= 0 || node.contains("dropped_at")) continue;
      distances.try_emplace(name, distance);
      const auto table = catalogue.table(name);
      json::object item{
          {"kind", table ? table->kind : "dataset"}, {"name", name}, {"distance", distance}};
      if (!column.empty()) item["column"] = node.at("column");
      if (table) item["url"] = "/catalogue/" + net::percent_encode(name);
      items.push_back(std::move(item));
    }
  } catch (const Error& error) {
    // Lineage has never heard of it: nothing was made of it.
    if (error.code() != Code::kTableNotFound && error.code() != Code::kColumnNotFound) throw;
  }
  const auto show = [&](const char* kind, const std::string& name, const std::string& title,
                        const std::string& url, const std::vector<std::string>& tables) {
    int nearest = INT_MAX;
    std::string via;
    for (const auto& table : tables) {
      const auto found = distances.find(table);
      if (found == distances.end() || found->second >= nearest) continue;
      nearest = found->second;
      via = table;
    }
    if (via.empty()) return;
    items.push_back({{"kind", kind},
                     {"name", name},
                     {"title", title},
                     {"distance", nearest + 1},
                     {"url", url},
                     {"via", via}});
  };
  for (const auto& dashboard : read_dashboards(rooms.mesh))
    show("dashboard", dashboard.name, dashboard.title,
         "/dashboards/" + net::percent_encode(dashboard.name), dashboard.tables);
  for (const auto& feed : rooms.feeds.list())
    show("feed", feed.config.name, feed.config.name,
         "/feeds/" + net::percent_encode(feed.config.name), {feed.origin});
  std::ranges::sort(items, [](const json::value& a, const json::value& b) {
    const int left = a.at("distance").to_number<int>(), right = b.at("distance").to_number<int>();
    return left != right ? left < right : a.at("name").as_string() < b.at("name").as_string();
  });
  const size_t total = items.size();
  json::object out{{"asset", asset}, {"items", std::move(items)}, {"total", total}};
  if (!column.empty()) out["column"] = column;
  out["truncated"] = truncated;
  return out;
}

json::object product_json(Catalogue& catalogue, const CatalogueRooms& rooms,
                          const mesh::Domain& domain, const mesh::Product& product) {
  const std::string table = sql::lower(domain.catalog + "." + product.table);
  json::array ports;
  ports.push_back({{"kind", "sql"}, {"address", table}});
  if (!domain.database.name.empty())
    ports.push_back(
        {{"kind", "postgresql"}, {"address", domain.database.name + "." + product.table}});
  json::object out{{"name", product.name},
                   {"domain", domain.name},
                   {"description", product.description},
                   {"owner", domain.owner.team},
                   {"email", domain.owner.email},
                   {"tags", json::value_from(product.tags)},
                   {"table", table},
                   {"exists", catalogue.table(table).has_value()},
                   {"ports", std::move(ports)}};
  if (!product.contract.empty()) out["contract"] = product.contract.string();
  for (const auto& score : rooms.quality.table_scores()) {
    if (score.name == table) out["score"] = quality::to_json(score);
  }
  const auto used = catalogue.usage().of(table, 30);
  out["usage"] = {{"statements", used.statements}, {"last_ms", used.last_ms}};
  return out;
}

}  // namespace meesh::serve::api
