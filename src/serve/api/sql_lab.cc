#include "serve/api/sql_lab.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>

#include "base/clock.h"
#include "base/text.h"
#include "base/time_zone.h"
#include "base/uuid.h"
#include "serve/api/caller.h"
#include "serve/api/json_api.h"
#include "serve/api/sql_export.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using net::Request;
using net::Response;

constexpr size_t kMostName = 200, kMostDescription = 10'000;  // characters

std::string caller(const Request& request) { return request.user.empty() ? "local" : request.user; }

// ---- cursors: time and id of the last entry of a page

std::string cursor_text(int64_t time_ms, const std::string& id) {
  return base::to_base64url(fmt::format("{}:{}", time_ms, id));
}

std::optional<Behind> cursor_of(const Request& request) {
  const auto given = request.query_param("cursor");
  if (!given) return std::nullopt;
  const auto text = base::from_base64url(*given);
  const size_t colon = text ? text->find(':') : std::string::npos;
  Behind behind;
  if (colon != std::string::npos) {
    const char* end = text->data() + colon;
    const auto read = std::from_chars(text->data(), end, behind.time_ms);
    behind.id = text->substr(colon + 1);
    const bool clean = base::valid_utf8(behind.id) && behind.id.find('\0') == std::string::npos;
    if (read.ec == std::errc() && read.ptr == end && clean) return behind;
  }
  throw Error(Code::kBadRequest, "'cursor' is not one that this list has given");
}

/// Text that a database takes.
std::string clean(std::string text, std::string_view key, size_t most) {
  if (text.find('\0') != std::string::npos || !base::valid_utf8(text))
    throw Error(Code::kBadRequest, fmt::format("'{}' has characters that text has not", key));
  if (base::code_points(text) > most)
    throw Error(Code::kBadRequest, fmt::format("'{}' has more than {} characters", key, most));
  return text;
}

std::string search_of(const Request& request) {
  return clean(query_text(request, "q"), "q", kMostName);
}

/// The page's entries, of one more than asked for.
template <class Entry, class Json, class Time>
json::object page_of(const char* key, std::vector<Entry> all, size_t limit, Json&& told,
                     Time&& time) {
  json::object page;
  const bool more = all.size() > limit;
  if (more) all.resize(limit);
  json::array entries;
  for (const auto& entry : all) entries.push_back(told(entry));
  page[key] = std::move(entries);
  if (more) page["next"] = cursor_text(time(all.back()), all.back().id);
  return page;
}

// ---- saved queries

bool may_edit(const Request& request, const SavedQuery& query) {
  if (role_of(request) < Role::kEditor) return false;
  return query.owner == caller(request) ||
         (query.everyone && role_of(request) == Role::kAdministrator);
}

json::object saved_json(const Request& request, const SavedQuery& query) {
  json::object told{{"id", query.id},
                    {"owner", query.owner},
                    {"name", query.name},
                    {"description", query.description},
                    {"statement", query.statement},
                    {"everyone", query.everyone},
                    {"may_edit", may_edit(request, query)},
                    {"created_ms", query.created_ms},
                    {"updated_ms", query.updated_ms}};
  if (!query.catalog.empty()) told["catalog"] = query.catalog;
  if (!query.schema.empty()) told["schema"] = query.schema;
  return told;
}

/// Fills in what a body says.
void read_saved(const json::object& body, SavedQuery& query) {
  query.name = clean(needed_text(body, "name"), "name", kMostName);
  query.statement = clean(needed_text(body, "statement"), "statement", kMostBody);
  if (query.name.find_first_not_of(" \t\r\n") == std::string::npos)
    throw Error(Code::kBadRequest, "'name' is empty")
        .with_hint("say in a few words what it answers");
  if (query.statement.find_first_not_of(" \t\r\n") == std::string::npos)
    throw Error(Code::kBadRequest, "'statement' is empty");
  query.description = clean(text(body, "description"), "description", kMostDescription);
  query.catalog = clean(text(body, "catalog"), "catalog", kMostName);
  query.schema = clean(text(body, "schema"), "schema", kMostName);
  query.everyone = flag(body, "everyone");
  query.updated_ms = base::now_ms();
}

/// Who may not see it is told that there is none.
SavedQuery saved_of(const SqlStore& store, const Request& request) {
  const std::string id(request.param("id"));
  const bool odd = id.find('\0') != std::string::npos || !base::valid_utf8(id);
  const auto found = odd ? std::nullopt : store.find(id);
  if (!found || (found->owner != caller(request) && !found->everyone))
    throw Error(Code::kNotFound, "there is no such saved query")
        .with_hint("its owner may have deleted it, or not share it");
  return *found;
}

SavedQuery own_saved(const SqlStore& store, const Request& request) {
  need(request, Role::kEditor);
  auto query = saved_of(store, request);
  if (!may_edit(request, query))
    throw Error(Code::kPermissionDenied,
                fmt::format("the saved query '{}' belongs to '{}'", query.name, query.owner))
        .with_hint("save it under a name of your own");
  return query;
}

void list_saved(const SqlStore& store, const Request& request, Response& response) {
  const auto limit = query_number(request, "limit", 100, 1, 1000);
  auto all = store.saved(caller(request), search_of(request), cursor_of(request),
                         static_cast<int>(limit) + 1);
  answer(response, page_of(
                       "queries", std::move(all), limit,
                       [&](const SavedQuery& query) { return saved_json(request, query); },
                       [](const SavedQuery& query) { return query.updated_ms; }));
}

void save(SqlStore& store, Request& request, Response& response) {
  need(request, Role::kEditor);
  SavedQuery query;
  read_saved(body_of(request), query);
  query.id = base::random_uuid();
  query.owner = caller(request);
  query.created_ms = query.updated_ms;
  store.add(query);
  response.status = 201;
  response.headers.set("Location", "/api/v1/sql/saved/" + query.id);
  answer(response, saved_json(request, query));
}

void save_again(SqlStore& store, Request& request, Response& response) {
  auto query = own_saved(store, request);
  read_saved(body_of(request), query);
  if (!store.replace(query)) throw Error(Code::kNotFound, "there is no such saved query");
  answer(response, saved_json(request, query));
}

// ---- history

json::object past_json(const PastStatement& past) {
  json::object told{{"id", past.id},
                    {"user", past.user},
                    {"statement", past.statement},
                    {"state", past.state},
                    {"started_ms", past.started_ms},
                    {"elapsed_ms", past.elapsed_ms},
                    {"rows", past.rows}};
  const auto if_known = [&](const char* key, const std::string& value) {
    if (!value.empty()) told[key] = value;
  };
  if_known("source", past.source);
  if_known("catalog", past.catalog);
  if_known("schema", past.schema);
  if_known("error", past.error);
  if_known("error_code", past.error_code);
  return told;
}

void tell_history(const SqlStore& store, StatementHistory& history, const Request& request,
                  Response& response) {
  const auto limit = query_number(request, "limit", 100, 1, 1000);
  const bool everyone = query_flag(request, "everyone");
  if (everyone) need(request, Role::kAdministrator);
  const auto behind = cursor_of(request);
  if (!behind) history.flush();  // who looks right after a statement finds it
  auto all = store.history(everyone ? "" : caller(request), search_of(request), behind,
                           static_cast<int>(limit) + 1);
  answer(response, page_of("statements", std::move(all), limit, past_json,
                           [](const PastStatement& past) { return past.started_ms; }));
}

// ---- exports

ExportRequest::Format format_of(const std::string& word) {
  if (word == "csv") return ExportRequest::Format::kCsv;
  if (word == "json") return ExportRequest::Format::kJson;
  if (word == "parquet") return ExportRequest::Format::kParquet;
  if (word == "xlsx") return ExportRequest::Format::kXlsx;
  throw Error(Code::kBadRequest, "'format' is none of csv, json, parquet and xlsx");
}

void export_statement(StatementHistory& history, Request& request, Response& response) {
  const auto body = body_of(request);
  ExportRequest asked;
  asked.statement = needed_text(body, "statement");
  asked.format = format_of(needed_text(body, "format"));
  asked.name = clean(text(body, "name", "result"), "name", kMostName);
  asked.guard_formulas = !body.contains("guard_formulas") || flag(body, "guard_formulas");
  auto& session = asked.session;
  session.user = session.original_user = caller(request);
  session.source = "console export";
  session.catalog = text(body, "catalog");
  session.schema = text(body, "schema");
  session.remote_address = request.remote_address;
  const std::string zone = text(body, "time_zone", "UTC");
  const auto known = TimeZone::find(zone);
  if (!known) throw Error(Code::kBadRequest, fmt::format("Time zone not supported: {}", zone));
  session.time_zone = known->id();
  export_rows(history.recorded(), asked, request, response);
}

}  // namespace

void register_sql_lab(net::Server& server, SqlStore& store, StatementHistory& history) {
  const std::string base = "/api/v1/sql";
  const auto route = [&](const char* method, const std::string& path, auto handler) {
    server.route(method, base + path, guarded(std::move(handler)));
  };
  route("GET", "/saved",
        [&](Request& request, Response& response) { list_saved(store, request, response); });
  route("POST", "/saved",
        [&](Request& request, Response& response) { save(store, request, response); });
  route("GET", "/saved/{id}", [&](Request& request, Response& response) {
    answer(response, saved_json(request, saved_of(store, request)));
  });
  route("PUT", "/saved/{id}",
        [&](Request& request, Response& response) { save_again(store, request, response); });
  route("DELETE", "/saved/{id}", [&](Request& request, Response& response) {
    store.remove(own_saved(store, request).id);
    response.empty(204);
  });
  route("GET", "/history", [&](Request& request, Response& response) {
    tell_history(store, history, request, response);
  });
  server.route("POST", base + "/export", guarded([&](Request& request, Response& response) {
                 export_statement(history, request, response);
               }),
               {.max_body_bytes = kMostBody, .compress = false});
}

}  // namespace meesh::serve::api
