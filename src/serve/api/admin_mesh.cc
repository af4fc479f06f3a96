// Of the mesh as it runs: the audit trail, statements, settings, the log.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "base/log_ring.h"
#include "base/text.h"
#include "serve/api/admin.h"
#include "serve/api/audit_files.h"
#include "serve/api/caller.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using engine::QueryInfo;
using engine::QueryState;
using net::Request;
using net::Response;

constexpr uint64_t kMostMs = 253'402'300'799'999;  // the year 9999
constexpr size_t kMostText = 20'000;               // bytes of a statement in a list
constexpr auto kLook = std::chrono::milliseconds(1000);
constexpr auto kSilence = std::chrono::seconds(5);
constexpr auto kBreath = std::chrono::milliseconds(100);
constexpr size_t kMostLines = 5000;

// ---- audit

void list_audit(const AdminParts& parts, const Request& request, Response& response) {
  AuditQuery query;
  query.user = query_text(request, "user");
  query.action = query_text(request, "action");
  query.outcome = query_text(request, "outcome");
  query.from_ms = static_cast<int64_t>(query_number(request, "from_ms", 0, 0, kMostMs));
  query.to_ms = static_cast<int64_t>(query_number(request, "to_ms", kMostMs, 0, kMostMs));
  query.limit = query_number(request, "limit", 100, 1, 1000);
  query.cursor = query_text(request, "cursor");
  auto page = read_audit(parts.mesh->data / "audit", query);
  json::object told{{"events", std::move(page.events)}};
  if (!page.next.empty()) told["next"] = page.next;
  answer(response, told);
}

// ---- statements

int64_t ms_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

bool ended(QueryState state) {
  return state == QueryState::kFinished || state == QueryState::kFailed;
}

/// The beginning of a text, no character cut apart.
std::string beginning(const std::string& text, size_t most) {
  std::string cut = text.substr(0, most);
  for (int i = 0; i < 3 && !base::valid_utf8(cut) && !cut.empty(); ++i) cut.pop_back();
  return cut;
}

json::object query_json(const QueryInfo& query, bool whole) {
  json::object told{{"id", query.id},
                    {"user", query.user},
                    {"source", query.source},
                    {"state", engine::state_name(query.state)},
                    {"statement", beginning(query.text, whole ? query.text.size() : kMostText)},
                    {"created_ms", ms_of(query.created)},
                    {"queued_ms", query.queued_ms},
                    {"elapsed_ms", query.elapsed_ms},
                    {"cpu_ms", query.cpu_ms},
                    {"rows", query.rows_out},
                    {"bytes", query.bytes_out},
                    {"rows_read", query.rows_read},
                    {"bytes_read", query.bytes_read},
                    {"peak_memory_bytes", query.peak_memory},
                    {"spilled_bytes", query.spilled}};
  if (query.text.size() > kMostText && !whole) told["cut"] = true;
  if (!query.catalog.empty()) told["catalog"] = query.catalog;
  if (!query.schema.empty()) told["schema"] = query.schema;
  if (ended(query.state)) told["ended_ms"] = ms_of(query.ended);
  if (query.progress_known) told["progress"] = query.progress;
  if (!query.update_type.empty()) told["update_type"] = query.update_type;
  if (query.update_count) told["update_count"] = *query.update_count;
  if (query.error) told["error"] = problem_json(*query.error);
  return told;
}

bool may_see(const Request& request, const QueryInfo& query) {
  return role_of(request) == Role::kAdministrator || query.user == request.user;
}

void list_queries(const AdminParts& parts, const Request& request, Response& response) {
  const std::string user = query_text(request, "user"), state = query_text(request, "state");
  const std::string cursor = query_text(request, "cursor");
  const size_t limit = query_number(request, "limit", 100, 1, 1000);
  json::array all;
  std::string next;
  bool reached = cursor.empty();
  for (const auto& query : parts.engine->queries()) {  // newest first
    const bool here = reached;
    reached = reached || query.id == cursor;
    const bool right_state = state.empty() || (state == "running" && !ended(query.state)) ||
                             (state == "finished" && query.state == QueryState::kFinished) ||
                             (state == "failed" && query.state == QueryState::kFailed);
    if (!here || !right_state || !may_see(request, query)) continue;
    if (!user.empty() && query.user != user) continue;
    if (all.size() == limit) {
      next = all.back().at("id").as_string();
      break;
    }
    all.push_back(query_json(query, false));
  }
  json::object told{{"queries", std::move(all)}};
  if (!next.empty()) told["next"] = next;
  answer(response, told);
}

/// Throws NOT_FOUND also for those of others, which are nobody's business.
engine::QueryPtr query_of(const AdminParts& parts, const Request& request) {
  const std::string id(request.param("id"));
  auto query = parts.engine->find(id);
  if (query && may_see(request, query->info())) return query;
  throw Error(Code::kNotFound, fmt::format("there is no statement '{}' (any more)", id));
}

void cancel_query(const AdminParts& parts, const Request& request, Response& response) {
  const auto query = query_of(parts, request);
  const auto before = query->info();
  if (before.user == request.user) {
    query->cancel();
  } else {
    query->cancel(Code::kAdministrativelyKilled, fmt::format("Query killed by {}.", request.user));
    parts.gate->audit(request, "CancelQuery", query->id(), true, "of " + before.user);
  }
  answer(response, query_json(query->info(), true));
}

// ---- settings

json::array buckets_json(const std::vector<mesh::Bucket>& buckets) {
  json::array all;
  for (const auto& bucket : buckets)
    all.push_back(json::object{
        {"name", bucket.name}, {"versioning", bucket.versioning}, {"quota_bytes", bucket.quota}});
  return all;
}

json::object database_json(const mesh::Database& database) {
  const bool managed = database.kind == mesh::Database::Kind::kManaged;
  json::object told{{"kind", managed                                         ? "managed"
                             : database.kind == mesh::Database::Kind::kMysql ? "mysql"
                                                                             : "postgresql"},
                    {"name", database.name}};
  if (!managed) {
    told["host"] = database.host;
    told["user"] = database.user;
  }
  if (database.port > 0) told["port"] = database.port;
  return told;
}

json::array domains_json(const mesh::Mesh& mesh) {
  json::array all;
  for (const auto& domain : mesh.domains) {
    json::object told{{"name", domain.name},
                      {"description", domain.description},
                      {"catalog", domain.catalog},
                      {"team", domain.owner.team},
                      {"database", database_json(domain.database)},
                      {"buckets", buckets_json(domain.buckets)},
                      {"products", domain.products.size()}};
    if (domain.lake) told["lake"] = domain.lake->location;
    all.push_back(std::move(told));
  }
  return all;
}

json::array catalogs_json(const AdminParts& parts) {
  json::array all;
  for (const auto& name : parts.engine->catalogs())
    if (!name.starts_with("_")) all.emplace_back(name);
  return all;
}

json::object storage_json(const mesh::Storage& storage) {
  const bool local = storage.kind == mesh::Storage::Kind::kLocal;
  json::object told{{"kind", local ? "local" : "s3"},
                    {"region", storage.region},
                    {"buckets", buckets_json(storage.buckets)},
                    {"webhooks", storage.webhooks.size()},
                    {"kafka_topics", storage.kafka.size()},
                    {"trusted_issuers", storage.trust_issuers.size()}};
  if (!local) told["endpoint"] = storage.endpoint;
  if (storage.port) told["port"] = *storage.port;
  return told;
}

/// What the mesh's files say; no secret, and no address that may hold one.
void show_settings(const AdminParts& parts, const Request&, Response& response) {
  const mesh::Mesh& mesh = *parts.mesh;
  const bool sqlite = mesh.metadata.kind == mesh::Metadata::Kind::kSqlite;
  json::object told{
      {"name", mesh.name},
      {"version", parts.gate->options().version},
      {"folder", mesh.folder.string()},
      {"data", mesh.data.string()},
      {"mode", parts.gate->open() ? "open" : "closed"},
      {"listen", json::object{{"address", mesh.listen.address},
                              {"port", mesh.listen.port},
                              {"tls", mesh.tls.has_value()}}},
      {"metadata", json::object{{"kind", sqlite ? "sqlite" : "postgresql"}}},
      {"storage", storage_json(mesh.storage)},
      {"lake", json::object{{"catalog", mesh.lake.catalog}, {"location", mesh.lake.location}}},
      {"upkeep", json::object{{"every_seconds", mesh.lake_maintenance.every.count()},
                              {"compaction", mesh.lake_maintenance.compaction},
                              {"expire_snapshots", mesh.lake_maintenance.expire_snapshots},
                              {"orphan_files", mesh.lake_maintenance.orphan_files}}},
      {"compute", json::object{{"memory_bytes", mesh.compute.memory},
                               {"memory_percent", mesh.compute.memory_percent},
                               {"threads", mesh.compute.threads},
                               {"spill_limit_bytes", mesh.compute.spill_limit},
                               {"max_running", mesh.compute.max_running},
                               {"max_running_per_user", mesh.compute.max_running_per_user}}},
      {"catalogs", catalogs_json(parts)},
      {"domains", domains_json(mesh)},
      {"lineage_export", !mesh.lineage.url.empty()},
      {"language", mesh.language},
      {"log", json::object{{"level", mesh.log_level}, {"format", mesh.log_format}}}};
  if (mesh.smtp)
    told["smtp"] = json::object{
        {"host", mesh.smtp->host}, {"port", mesh.smtp->port}, {"from", mesh.smtp->from}};
  answer(response, told);
}

// ---- log

log::Level level_of(const Request& request) {
  const std::string name = query_text(request, "level", "trace");
  const auto level = log::parse_level(name);
  if (level && *level != log::Level::kOff) return *level;
  throw Error(Code::kBadRequest, fmt::format("'{}' is no level of the log", name))
      .with_hint("trace, debug, info, warn, error");
}

json::object line_json(const log::KeptLine& line) {
  json::object told{{"id", line.id}};
  json::error_code malformed;
  const json::value value = json::parse(line.json, malformed);
  if (malformed || !value.is_object()) return told;
  json::object fields;
  for (const auto& [name, field] : value.get_object()) {
    if (name == "time" || name == "level" || name == "message")
      told[name] = field;
    else
      fields[name] = field;
  }
  told["fields"] = std::move(fields);
  return told;
}

void list_log(const AdminParts&, const Request& request, Response& response) {
  json::array all;
  for (const auto& line : log::recent().after(0, level_of(request), query_text(request, "search"),
                                              query_number(request, "limit", 500, 1, kMostLines)))
    all.push_back(line_json(line));
  answer(response, json::object{{"lines", std::move(all)}});
}

uint64_t last_event(const Request& request) {
  const auto given = request.headers.get("Last-Event-ID");
  uint64_t id = 0;
  if (given) std::from_chars(given->data(), given->data() + given->size(), id);
  return id;
}

/// Server-sent events: `line`, from those after Last-Event-ID on, or the newest so many.
void follow_log(const AdminParts& parts, Request& request, Response& response) {
  const log::Level least = level_of(request);
  const std::string search = query_text(request, "search");
  const size_t most = query_number(request, "limit", 200, 1, kMostLines);
  response.headers.set("Content-Type", "text/event-stream; charset=utf-8");
  response.headers.set("X-Accel-Buffering", "no");  // for proxies that gather first
  const auto send = [&](const std::string& text) {
    response.write(text);
    response.flush();
  };
  send(": log\n\n");
  uint64_t seen = last_event(request);
  if (seen > log::recent().wait(UINT64_MAX, {})) seen = 0;  // of the process before
  auto sent = std::chrono::steady_clock::now();
  while (!parts.stopping.stop_requested() && !request.client_gone()) {
    std::string out;
    uint64_t newest = log::recent().wait(seen, kLook);
    for (const auto& line : log::recent().after(seen, least, search, most)) {
      newest = std::max(newest, line.id);
      out += fmt::format("id: {}\nevent: line\ndata: {}\n\n", line.id,
                         json::serialize(line_json(line)));
    }
    seen = newest;
    const auto now = std::chrono::steady_clock::now();
    if (out.empty() && now - sent >= kSilence) out = ": still here\n\n";
    if (out.empty()) continue;
    send(out);
    sent = now;
    std::this_thread::sleep_for(kBreath);
  }
}

}  // namespace

void register_admin_mesh(net::Server& server, const AdminParts& parts) {
  const auto add = [&](const char* method, const char* path, Role role, bool compress,
                       auto handler) {
    server.route(method, path,
                 guarded([parts, role, handler](Request& request, Response& response) {
                   need(request, role);
                   handler(parts, request, response);
                 }),
                 {.max_body_bytes = kMostBody, .compress = compress});
  };
  const Role all = Role::kAdministrator;
  add("GET", "/api/v1/admin/audit", all, true, list_audit);
  add("GET", "/api/v1/admin/settings", all, true, show_settings);
  add("GET", "/api/v1/admin/log", all, true, list_log);
  add("GET", "/api/v1/admin/log/live", all, false, follow_log);
  add("GET", "/api/v1/queries", Role::kViewer, true, list_queries);
  add("GET", "/api/v1/queries/{id}", Role::kViewer, true,
      [](const AdminParts& p, const Request& q, Response& r) {
        answer(r, query_json(query_of(p, q)->info(), true));
      });
  add("POST", "/api/v1/queries/{id}/cancel", Role::kViewer, true, cancel_query);
}

}  // namespace meesh::serve::api
