// Alerts and reports of dashboards.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "serve/api/caller.h"
#include "serve/api/dashboards_handlers.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using dashboards::AlertState;
using dashboards::Dashboards;
using net::Request;
using net::Response;

std::string caller(const Request& request) { return request.user.empty() ? "local" : request.user; }

json::object to_json(const AlertState& state) {
  json::object told{{"dashboard", state.dashboard}, {"name", state.name},
                    {"state", state.state},         {"message", state.message},
                    {"since_ms", state.since_ms},   {"last_ms", state.last_ms}};
  told["value"] = state.value ? json::value(*state.value) : json::value(nullptr);
  return told;
}

void alerts(Dashboards& dashboards, Request&, Response& response) {
  json::array all;
  for (const auto& state : dashboards.alerts().list()) all.push_back(to_json(state));
  answer(response, json::object{{"alerts", std::move(all)}});
}

void history(Dashboards& dashboards, Request& request, Response& response) {
  json::array all;
  for (const auto& event :
       dashboards.alerts().history(query_text(request, "dashboard"), query_text(request, "name"),
                                   query_number(request, "limit", 100, 1, 1000))) {
    json::object told{{"dashboard", event.dashboard},
                      {"name", event.name},
                      {"state", event.state},
                      {"message", event.message},
                      {"at_ms", event.at_ms}};
    told["value"] = event.value ? json::value(*event.value) : json::value(nullptr);
    all.push_back(std::move(told));
  }
  answer(response, json::object{{"history", std::move(all)}});
}

void test(Dashboards& dashboards, Request& request, Response& response) {
  need(request, Role::kEditor);
  const json::object body = body_of(request);
  answer(response, to_json(dashboards.alerts().test(std::string(request.param("dashboard")),
                                                    std::string(request.param("name")),
                                                    caller(request), flag(body, "notify"))));
}

void reports(Dashboards& dashboards, Request&, Response& response) {
  json::array all;
  for (const auto& status : dashboards.reports().list()) {
    json::object told{{"dashboard", status.dashboard}, {"name", status.name},
                      {"cron", status.cron},           {"format", status.format},
                      {"state", status.state},         {"message", status.message},
                      {"last_ms", status.last_ms}};
    if (status.next_ms != 0) told["next_ms"] = status.next_ms;
    all.push_back(std::move(told));
  }
  answer(response, json::object{{"reports", std::move(all)}});
}

/// ?download: the file itself; else it goes to its receivers.
void run_report(Dashboards& dashboards, Request& request, Response& response) {
  need(request, Role::kEditor);
  const std::string name(request.param("name")), report(request.param("report"));
  const auto file = dashboards.reports().make(name, report, caller(request), {});
  if (query_flag(request, "download")) {
    response.headers.set("Content-Disposition",
                         fmt::format("attachment; filename=\"{}\"", file.name));
    response.headers.set("Content-Security-Policy", "sandbox");
    if (!file.note.empty()) response.headers.set("X-Meesh-Note", "html instead of " + report);
    return response.text(file.content, file.content_type);
  }
  json::array went;
  for (const auto& place : dashboards.reports().deliver(name, report, file, caller(request)))
    went.emplace_back(place);
  json::object told{{"file", file.name},
                    {"content_type", file.content_type},
                    {"bytes", file.content.size()},
                    {"went", std::move(went)}};
  if (!file.note.empty()) told["note"] = file.note;
  answer(response, told);
}

}  // namespace

void register_dashboard_alerts(net::Server& server, Dashboards& dashboards) {
  const std::string base = "/api/v1/dashboard-alerts";
  const auto route = [&](const char* method, const std::string& path, auto handler) {
    server.route(method, path, guarded([&dashboards, handler](Request& q, Response& r) {
                   handler(dashboards, q, r);
                 }),
                 {.max_body_bytes = kMostBody, .compress = true});
  };
  route("GET", base, alerts);
  route("GET", base + "/history", history);
  route("POST", base + "/{dashboard}/{name}/test", test);
  route("GET", "/api/v1/dashboard-reports", reports);
  route("POST", "/api/v1/dashboards/{name}/reports/{report}/run", run_report);
}

}  // namespace meesh::serve::api
