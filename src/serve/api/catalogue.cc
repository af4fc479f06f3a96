#include "serve/api/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <chrono>

#include "base/text.h"
#include "governance/catalogue_lineage.h"
#include "serve/api/caller.h"
#include "serve/api/catalogue_commits.h"
#include "serve/api/catalogue_parts.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using governance::Catalogue;
using net::Request;
using net::Response;

constexpr size_t kMostHits = 1000, kMostOffset = 1'000'000;

json::array facet_json(const governance::Facet& facet) {
  json::array out;
  for (const auto& [value, count] : facet) out.push_back({{"value", value}, {"count", count}});
  return out;
}

json::object hit_json(const governance::SearchHit& hit) {
  json::object out = entry_json(hit.entry);
  out["snippet"] = hit.snippet;
  return out;
}

governance::SearchQuery query_of(const Request& request) {
  governance::SearchQuery query;
  query.text = query_text(request, "q");
  query.kind = query_text(request, "kind");
  query.domain = query_text(request, "domain");
  query.owner = query_text(request, "owner");
  query.tag = query_text(request, "tag");
  query.facets = query_flag(request, "facets");
  const std::string missing = query_text(request, "missing");
  if (missing != "" && missing != "owner" && missing != "description")
    throw Error(Code::kBadRequest, "'missing' is owner or description");
  query.without_owner = missing == "owner";
  query.without_description = missing == "description";
  query.limit = query_number(request, "limit", 20, 1, kMostHits);
  query.offset = query_number(request, "cursor", 0, 0, kMostOffset);
  return query;
}

void search(Catalogue& catalogue, const Request& request, Response& response) {
  const auto query = query_of(request);
  const auto begin = std::chrono::steady_clock::now();
  const auto found = catalogue.search(query);
  const auto took = std::chrono::steady_clock::now() - begin;
  json::array hits;
  for (const auto& hit : found.hits) hits.push_back(hit_json(hit));
  json::object out{
      {"hits", std::move(hits)},
      {"total", found.total},
      {"elapsed_us", std::chrono::duration_cast<std::chrono::microseconds>(took).count()}};
  if (query.facets) {
    out["facets"] = {{"kinds", facet_json(found.kinds)},
                     {"domains", facet_json(found.domains)},
                     {"owners", facet_json(found.owners)},
                     {"tags", facet_json(found.tags)}};
  }
  const size_t next = query.offset + query.limit;
  if (next < found.total && next <= kMostOffset) out["next"] = std::to_string(next);
  answer(response, out);
}

json::array used_json(Catalogue& catalogue) {
  json::array out;
  for (const auto& one : catalogue.usage().most_used(30, 10)) {
    const auto table = catalogue.table(one.asset);
    if (!table) continue;
    out.push_back({{"name", one.asset},
                   {"kind", table->kind},
                   {"statements", one.statements},
                   {"last_ms", one.last_ms}});
  }
  return out;
}

void home(Catalogue& catalogue, meta::Database& database, Response& response) {
  const auto gap = [&](bool owner) {
    governance::SearchQuery query;
    query.kind = "table";
    (owner ? query.without_owner : query.without_description) = true;
    query.limit = 8;
    const auto found = catalogue.search(query);
    json::array items;
    for (const auto& hit : found.hits) items.push_back(entry_json(hit.entry));
    return json::object{{"total", found.total}, {"items", std::move(items)}};
  };
  governance::SearchQuery all;
  all.facets = true;
  all.limit = 1;
  const auto found = catalogue.search(all);
  json::array recent, problems;
  for (const auto& one : governance::recently_written(database, "", 30)) {
    const auto table = catalogue.table(one.asset);
    if (!table || recent.size() == 10) continue;
    recent.push_back({{"name", one.asset}, {"kind", table->kind}, {"written_ms", one.written_ms}});
  }
  for (const auto& problem : catalogue.files().problems())
    problems.push_back(problem_json(problem));
  answer(response, json::object{{"total", found.total},
                                {"ready", catalogue.ready()},
                                {"kinds", facet_json(found.kinds)},
                                {"domains", facet_json(found.domains)},
                                {"tags", facet_json(found.tags)},
                                {"recent", std::move(recent)},
                                {"most_used", used_json(catalogue)},
                                {"without_owner", gap(true)},
                                {"without_description", gap(false)},
                                {"problems", std::move(problems)}});
}

/// The name of the path or the query.
std::string name_of(std::string_view given) {
  if (given.empty() || given.size() > 600 || !base::valid_utf8(given))
    throw Error(Code::kBadRequest, "the asset is not named")
        .with_hint("catalog.schema.table, or kind:name such as bucket:bronze");
  return governance::asset_name(given);
}

bool flag_or(const json::object& object, std::string_view key, bool otherwise) {
  const auto* value = object.if_contains(key);
  if (!value || value->is_null()) return otherwise;
  if (!value->is_bool())
    throw Error(Code::kBadRequest, fmt::format("'{}' is neither true nor false", key));
  return value->get_bool();
}

std::vector<std::string> words_of(const json::object& object, std::string_view key) {
  auto words = texts(object, key);
  for (const auto& word : words) {
    if (word.empty()) throw Error(Code::kBadRequest, fmt::format("'{}' has an empty word", key));
  }
  return words;
}

governance::AssetNote note_of(const json::object& body) {
  governance::AssetNote note;
  note.description = text(body, "description");
  note.owner = text(body, "owner");
  note.tier = text(body, "tier");
  note.tags = words_of(body, "tags");
  note.terms = words_of(body, "terms");
  const auto* columns = body.if_contains("columns");
  if (!columns || columns->is_null()) return note;
  if (!columns->is_object()) throw Error(Code::kBadRequest, "'columns' is no object");
  for (const auto& [name, value] : columns->get_object()) {
    if (!value.is_object())
      throw Error(Code::kBadRequest,
                  fmt::format("the column '{}' is no object", std::string(name)));
    const auto& one = value.get_object();
    note.columns[std::string(name)] = {text(one, "description"), words_of(one, "tags"),
                                       words_of(one, "terms"), flag_or(one, "propagate", true),
                                       flag_or(one, "inherit", true)};
  }
  return note;
}

void put_asset(Catalogue& catalogue, const CatalogueRooms& rooms, Request& request,
               Response& response) {
  need(request, Role::kEditor);
  const std::string name = name_of(request.param("name"));
  const auto note = note_of(body_of(request));
  if (!catalogue.files().now()->asset(name)) asset_json(catalogue, rooms, name, true);
  changing([&] { catalogue.files().put_asset(name, note, if_match(request)); });
  catalogue.noted(name);
  answer(response, asset_json(catalogue, rooms, name, true));
}

void usage(Catalogue& catalogue, const Request& request, Response& response) {
  const std::string name = name_of(query_text(request, "asset"));
  const int days = static_cast<int>(query_number(request, "days", 30, 1, 365));
  const auto usage = catalogue.usage().of(name, days);
  json::array by_day, users, joined;
  for (const auto& day : usage.days)
    by_day.push_back({{"day_ms", day.day_ms}, {"statements", day.statements}});
  for (const auto& [user, count] : usage.users)
    users.push_back({{"user", user}, {"statements", count}});
  for (const auto& [asset, count] : usage.joined_with)
    joined.push_back({{"name", asset}, {"statements", count}});
  json::object out{{"asset", name},
                   {"days", std::move(by_day)},
                   {"users", std::move(users)},
                   {"joined_with", std::move(joined)},
                   {"statements", usage.statements}};
  if (usage.last_ms != 0) out["last_ms"] = usage.last_ms;
  answer(response, out);
}

void commits(Catalogue& catalogue, const CatalogueRooms& rooms, const Request& request,
             Response& response) {
  const auto files = files_of(catalogue, rooms, name_of(query_text(request, "asset")));
  const auto limit = query_number(request, "limit", 20, 1, 200);
  json::array all;
  bool repository = false;
  if (!files.empty()) {
    const auto found = commits_of(rooms.mesh.folder, files, limit);
    repository = found.repository;
    for (const auto& one : found.commits) {
      all.push_back({{"id", one.id},
                     {"author", one.author},
                     {"time_ms", one.time_ms},
                     {"subject", one.subject}});
    }
  }
  answer(response, json::object{{"files", json::value_from(files)},
                                {"repository", repository},
                                {"commits", std::move(all)}});
}

void products(Catalogue& catalogue, const CatalogueRooms& rooms, Response& response) {
  json::array all;
  for (const auto& domain : rooms.mesh.domains) {
    for (const auto& product : domain.products)
      all.push_back(product_json(catalogue, rooms, domain, product));
  }
  answer(response, json::object{{"products", std::move(all)}});
}

}  // namespace

json::object entry_json(const governance::SearchEntry& entry) {
  json::object out{{"kind", entry.kind},     {"name", entry.name},
                   {"title", entry.shown()}, {"description", entry.description},
                   {"url", entry.url},       {"domain", entry.domain},
                   {"owner", entry.owner},   {"tags", json::value_from(entry.tags)}};
  if (entry.changed_ms != 0) out["changed_ms"] = entry.changed_ms;
  return out;
}

std::string if_match(const Request& request) {
  std::string etag(request.headers.get("If-Match").value_or(""));
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return etag == "*" ? "" : etag;
}

void changing(const std::function<void()>& change) {
  try {
    change();
  } catch (const Error& error) {
    if (error.code() != Code::kTransactionConflict) throw;
    net::HttpError conflict(412, error.message(), Code::kTransactionConflict);
    conflict.with_hint(error.hint());
    throw conflict;
  }
}

void register_catalogue(net::Server& server, Catalogue& catalogue, meta::Database& database,
                        const CatalogueRooms& rooms) {
  const auto get = [&](const char* path, auto handler) {
    server.route("GET", path, guarded(handler));
  };
  get("/api/v1/search",
      [&catalogue](Request& request, Response& response) { search(catalogue, request, response); });
  get("/api/v1/catalogue/home", [&catalogue, &database](Request&, Response& response) {
    home(catalogue, database, response);
  });
  get("/api/v1/catalogue/assets/{name...}",
      [&catalogue, rooms](Request& request, Response& response) {
        answer(response, asset_json(catalogue, rooms, name_of(request.param("name")),
                                    role_of(request) >= Role::kEditor));
      });
  server.route("PUT", "/api/v1/catalogue/assets/{name...}",
               guarded([&catalogue, rooms](Request& request, Response& response) {
                 put_asset(catalogue, rooms, request, response);
               }));
  get("/api/v1/catalogue/usage",
      [&catalogue](Request& request, Response& response) { usage(catalogue, request, response); });
  get("/api/v1/catalogue/impact", [&catalogue, rooms](Request& request, Response& response) {
    answer(response, impact_json(catalogue, rooms, name_of(query_text(request, "asset")),
                                 query_text(request, "column")));
  });
  get("/api/v1/catalogue/commits", [&catalogue, rooms](Request& request, Response& response) {
    commits(catalogue, rooms, request, response);
  });
  get("/api/v1/catalogue/products",
      [&catalogue, rooms](Request&, Response& response) { products(catalogue, rooms, response); });
  register_glossary(server, catalogue);
  register_contracts(server, catalogue, rooms);
  register_system_status(server, catalogue, database, rooms);
}

}  // namespace meesh::serve::api
