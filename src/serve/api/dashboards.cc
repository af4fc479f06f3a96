#include "serve/api/dashboards.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <set>

#include "dashboards/yaml_json.h"
#include "serve/api/caller.h"
#include "serve/api/dashboards_handlers.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using dashboards::Dashboard;
using dashboards::Dashboards;
using net::Request;
using net::Response;

constexpr size_t kMostDashboard = 1 << 20;  // bytes of a file

std::string name_of(const Request& request) { return std::string(request.param("name")); }

/// The etag of If-Match, without quotes; "" without one, and for *.
std::string wanted_etag(const Request& request) {
  std::string etag(request.headers.get("If-Match").value_or(""));
  if (etag.starts_with("W/")) etag.erase(0, 2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return etag == "*" || etag == "new" ? "" : etag;
}

json::object whole_json(const Dashboard& dashboard, const Request& request) {
  return {{"name", dashboard.name},
          {"dashboard", dashboard.json},
          {"yaml", dashboard.yaml},
          {"etag", dashboard.etag},
          {"updated_ms", dashboard.updated_ms},
          {"may_edit", role_of(request) >= Role::kEditor}};
}

void answer_whole(const Dashboard& dashboard, const Request& request, Response& response) {
  response.headers.set("ETag", fmt::format("\"{}\"", dashboard.etag));
  answer(response, whole_json(dashboard, request));
}

void list(Dashboards& dashboards, Request& request, Response& response) {
  const bool may_edit = role_of(request) >= Role::kEditor;
  json::array all;
  for (const auto& entry : dashboards.store().list()) {
    json::object told;
    if (entry.dashboard) {
      told = summary_json(*entry.dashboard);
    } else {
      told = {
          {"name", entry.name},     {"title", entry.name}, {"tags", json::array()},   {"charts", 0},
          {"kinds", json::array()}, {"updated_ms", 0},     {"mistake", entry.mistake}};
    }
    told["may_edit"] = may_edit;
    all.push_back(std::move(told));
  }
  answer(response, json::object{{"dashboards", std::move(all)}});
}

void show(Dashboards& dashboards, Request& request, Response& response) {
  const std::string name = name_of(request);
  try {
    answer_whole(*dashboards.store().get(name), request, response);
  } catch (const Error& error) {
    // A file with mistakes can still be mended.
    if (error.code() != Code::kConfigInvalid) throw;
    json::object told = problem_json(error);
    told["yaml"] = dashboards.store().text(name);
    answer_problem(response, told);
  }
}

/// `yaml`, or `dashboard` written as YAML.
std::string text_of(const json::object& body) {
  const auto* yaml = body.if_contains("yaml");
  const auto* given = body.if_contains("dashboard");
  if (yaml && yaml->is_string()) return std::string(yaml->get_string());
  if (given && given->is_object()) return dashboards::to_yaml(*given);
  throw Error(Code::kBadRequest, "the body has neither 'yaml' nor 'dashboard'");
}

/// A conflict is a failed precondition (412).
template <typename Work>
void conditional(Work work) {
  try {
    work();
  } catch (const dashboards::DashboardStore::Conflict& conflict) {
    net::HttpError error(412, conflict.message(), conflict.code());
    error.with_hint(conflict.hint());
    throw error;
  }
}

std::string caller(const Request& request) { return request.user.empty() ? "local" : request.user; }

void put(Dashboards& dashboards, Request& request, Response& response) {
  need(request, Role::kEditor);
  const auto body = json_of(request, kMostDashboard);
  if (!body.is_object()) throw Error(Code::kBadRequest, "the body is no JSON object");
  const std::string text = text_of(body.get_object());
  conditional([&] {
    answer_whole(*dashboards.save(name_of(request), text, wanted_etag(request), caller(request)),
                 request, response);
  });
}

void create(Dashboards& dashboards, Request& request, Response& response) {
  need(request, Role::kEditor);
  const auto body = body_of(request);
  const std::string name = needed_text(body, "name");
  if (!dashboards::is_id(name))
    throw Error(Code::kBadRequest, fmt::format("'{}' is no name of a dashboard", name))
        .with_hint("small letters, digits, _ and -");
  std::string text;
  if (body.contains("yaml") || body.contains("dashboard")) {
    text = text_of(body);
  } else {
    const auto* title = body.if_contains("title");
    text = dashboards::to_yaml(json::object{{"title", title ? *title : json::value(name)},
                                            {"charts", json::array()},
                                            {"layout", json::array()}});
  }
  const auto made = dashboards.save(name, text, "new", caller(request));
  response.status = 201;
  response.headers.set("Location", "/api/v1/dashboards/" + name);
  answer_whole(*made, request, response);
}

void remove(Dashboards& dashboards, Request& request, Response& response) {
  need(request, Role::kEditor);
  conditional([&] { dashboards.store().remove(name_of(request), wanted_etag(request)); });
  dashboards.watch().wake();
  response.empty(204);
}

void data(Dashboards& dashboards, Request& request, Response& response) {
  const auto dashboard = dashboards.store().get(name_of(request));
  send_data(dashboards, *dashboard, data_request(body_of(request), caller(request)), request,
            response);
}

/// A chart as it is in the editor, with the parameters of its dashboard if that is there.
void preview(Dashboards& dashboards, Request& request, Response& response) {
  need(request, Role::kEditor);
  const json::object body = body_of(request);
  const auto* given = body.if_contains("chart");
  if (!given || !given->is_object()) throw Error(Code::kBadRequest, "'chart' is missing");
  const auto chart = dashboards::read_chart(json::serialize(*given), "chart");
  auto wanted = data_request(body, caller(request));
  wanted.any_parameter = true;
  Dashboard around;
  if (const std::string name = text(body, "dashboard"); !name.empty()) {
    try {
      around = *dashboards.store().get(name);
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound && error.code() != Code::kConfigInvalid) throw;
    }
  }
  // Parameters that are not saved yet are bound by the values' own types.
  for (const auto& [name, value] : wanted.parameters) {
    dashboards::ParameterConfig parameter;
    parameter.name = std::string(name);
    parameter.kind = dashboards::ParameterConfig::Kind::kChoice;
    parameter.multiple = true;
    const bool known = std::ranges::count(around.parameters, parameter.name,
                                          &dashboards::ParameterConfig::name) > 0;
    if (!known) around.parameters.push_back(std::move(parameter));
  }
  if (!chart.asks()) throw Error(Code::kBadRequest, "this chart asks for nothing");
  const auto told = dashboards.data().one(around, chart, wanted, {});
  response.headers.set("Content-Type", "application/json");
  response.write(chart_line(told));
}

void parameter(Dashboards& dashboards, Request& request, Response& response) {
  const auto dashboard = dashboards.store().get(name_of(request));
  dashboards::DataRequest wanted;
  wanted.user = caller(request);
  wanted.language = query_text(request, "language", "en");
  answer(response, json::object{{"options", dashboards.data().options(
                                                *dashboard, std::string(request.param("parameter")),
                                                wanted, {})}});
}

void semantic(Dashboards& dashboards, Request&, Response& response) {
  const auto models = dashboards.semantic().models();
  json::array all;
  for (const auto& [name, model] : *models) all.push_back(dashboards::to_json(model, *models));
  answer(response, json::object{{"models", std::move(all)}});
}

}  // namespace

json::object summary_json(const Dashboard& dashboard) {
  const json::object& file = dashboard.json;
  json::object told{
      {"name", dashboard.name},
      {"title", file.contains("title") ? file.at("title") : json::value(dashboard.name)}};
  for (const char* key : {"description", "owner"})
    if (const auto* value = file.if_contains(key)) told[key] = *value;
  const auto* tags = file.if_contains("tags");
  told["tags"] = tags && tags->is_array() ? *tags : json::array();
  told["charts"] = dashboard.charts.size();
  json::array kinds;
  std::set<std::string> seen;
  for (const auto& chart : dashboard.charts)
    if (seen.insert(chart.kind).second) kinds.emplace_back(chart.kind);
  told["kinds"] = std::move(kinds);
  told["alerts"] = dashboard.alerts.size();
  told["reports"] = dashboard.reports.size();
  told["updated_ms"] = dashboard.updated_ms;
  return told;
}

void register_dashboards(net::Server& server, Dashboards& dashboards,
                         DashboardsApiOptions options) {
  const std::string base = "/api/v1/dashboards", one = base + "/{name}";
  const auto viewers = std::make_shared<Viewers>();
  viewers->options = std::move(options);
  const auto route = [&](const char* method, const std::string& path, auto handler) {
    server.route(method, path, guarded([&dashboards, handler](Request& q, Response& r) {
                   handler(dashboards, q, r);
                 }),
                 {.max_body_bytes = 2 * kMostDashboard, .compress = true});
  };
  route("GET", base, list);
  route("POST", base, create);
  route("GET", one, show);
  route("PUT", one, put);
  route("DELETE", one, remove);
  route("POST", one + "/data", data);
  route("POST", "/api/v1/charts/data", preview);
  route("GET", one + "/parameters/{parameter}", parameter);
  route("GET", "/api/v1/semantic", semantic);
  server.route("GET", one + "/events", guarded([&dashboards, viewers](Request& q, Response& r) {
                 send_events(dashboards, *viewers, dashboards.store().get(name_of(q))->name, q, r);
               }),
               {.max_body_bytes = {}, .compress = false});
  register_dashboard_shares(server, dashboards, viewers);
  register_dashboard_alerts(server, dashboards);
}

void add_dashboards(MetricsText& text, Dashboards& dashboards) {
  const auto counts = dashboards.answers().counts();
  text.family("meesh_dashboard_answers_total", "counter",
              "Answers of charts: kept ones, computed ones, computed for several at once, and "
              "those that are never kept");
  text.sample({{"result", "hit"}}, static_cast<double>(counts.hits));
  text.sample({{"result", "miss"}}, static_cast<double>(counts.misses));
  text.sample({{"result", "shared"}}, static_cast<double>(counts.shared));
  text.sample({{"result", "not_kept"}}, static_cast<double>(counts.not_kept));
  text.family("meesh_dashboard_viewers", "gauge", "Who follows the changes of a dashboard now");
  text.sample(static_cast<double>(dashboards.watch().viewers()));
}

}  // namespace meesh::serve::api
