// Links to dashboards: making them, and what they open.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "serve/api/caller.h"
#include "serve/api/dashboards_handlers.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using dashboards::Dashboards;
using dashboards::Share;
using net::Request;
using net::Response;

std::string name_of(const Request& request) { return std::string(request.param("name")); }

json::object to_json(const Share& share) {
  json::object told{{"id", share.id},
                    {"dashboard", share.dashboard},
                    {"creator", share.creator},
                    {"parameters", share.parameters},
                    {"created_ms", share.created_ms}};
  if (share.expires_ms != 0) told["expires_ms"] = share.expires_ms;
  return told;
}

void list(Dashboards& dashboards, Request& request, Response& response) {
  need(request, Role::kEditor);
  const auto dashboard = dashboards.store().get(name_of(request));
  json::array all;
  for (const auto& share : dashboards.shares().list(dashboard->name)) all.push_back(to_json(share));
  answer(response, json::object{{"shares", std::move(all)}});
}

void make(Dashboards& dashboards, Request& request, Response& response) {
  need(request, Role::kEditor);
  const auto dashboard = dashboards.store().get(name_of(request));
  const json::object body = body_of(request);
  const int64_t expires = number(body, "expires_ms", 0, int64_t{1} << 52);
  dashboards::DataRequest fixed;
  if (const auto* parameters = body.if_contains("parameters");
      parameters && !parameters->is_null()) {
    if (!parameters->is_object()) throw Error(Code::kBadRequest, "'parameters' is no object");
    fixed.parameters = parameters->get_object();
  }
  dashboards::bound_values(*dashboard, fixed, 0);  // throws for values that do not fit
  const std::string user = request.user.empty() ? "local" : request.user;
  const auto made = dashboards.shares().make(dashboard->name, user, fixed.parameters, expires);
  json::object told = to_json(made.share);
  told["url"] = "/shared/" + made.token;
  response.status = 201;
  answer(response, told);
}

void revoke(Dashboards& dashboards, Request& request, Response& response) {
  need(request, Role::kEditor);
  dashboards.shares().revoke(name_of(request), std::string(request.param("id")));
  response.empty(204);
}

// ---- what a link opens: one dashboard, with the rights of the one who made it

Share open(Dashboards& dashboards, const Request& request) {
  return dashboards.shares().open(std::string(request.param("token")));
}

/// That it asks something stays known.
void hide_query(json::object& chart) {
  const bool asks = chart.contains("sql") || chart.contains("query");
  chart.erase("sql");
  chart.erase("query");
  if (asks) chart["sql"] = "-- not shown";
}

/// What a stranger may know of it: no queries, no receivers.
json::object public_json(const dashboards::Dashboard& dashboard, const Share& share) {
  json::object file = dashboard.json;
  file.erase("alerts");
  file.erase("reports");
  if (auto* charts = file.if_contains("charts"); charts && charts->is_array())
    for (auto& chart : charts->get_array())
      if (chart.is_object()) hide_query(chart.get_object());
  if (auto* parameters = file.if_contains("parameters"); parameters && parameters->is_array()) {
    json::array left;
    for (auto& parameter : parameters->get_array()) {
      if (!parameter.is_object()) continue;
      parameter.get_object().erase("sql");
      const std::string name = dashboards::text_in(parameter.get_object(), "name", "en");
      if (!share.parameters.contains(name)) left.push_back(parameter);
    }
    *parameters = std::move(left);
  }
  return file;
}

void show_shared(Dashboards& dashboards, Request& request, Response& response) {
  const Share share = open(dashboards, request);
  const auto dashboard = dashboards.store().get(share.dashboard);
  json::object told{{"name", dashboard->name},        {"dashboard", public_json(*dashboard, share)},
                    {"etag", dashboard->etag},        {"updated_ms", dashboard->updated_ms},
                    {"parameters", share.parameters}, {"may_edit", false}};
  if (share.expires_ms != 0) told["expires_ms"] = share.expires_ms;
  answer(response, told);
}

void shared_data(Dashboards& dashboards, Request& request, Response& response) {
  const Share share = open(dashboards, request);
  const auto dashboard = dashboards.store().get(share.dashboard);
  auto wanted = data_request(body_of(request), share.creator);
  for (const auto& [name, value] : share.parameters) wanted.parameters[name] = value;
  wanted.hide_statements = true;
  send_data(dashboards, *dashboard, wanted, request, response);
}

void shared_parameter(Dashboards& dashboards, Request& request, Response& response) {
  const Share share = open(dashboards, request);
  const auto dashboard = dashboards.store().get(share.dashboard);
  const std::string name(request.param("parameter"));
  if (share.parameters.contains(name))
    throw Error(Code::kNotFound, fmt::format("the parameter '{}' is fixed", name));
  dashboards::DataRequest wanted;
  wanted.user = share.creator;
  wanted.parameters = share.parameters;
  wanted.language = query_text(request, "language", "en");
  answer(response,
         json::object{{"options", dashboards.data().options(*dashboard, name, wanted, {})}});
}

}  // namespace

void register_dashboard_shares(net::Server& server, Dashboards& dashboards,
                               const std::shared_ptr<Viewers>& viewers) {
  const std::string of_one = "/api/v1/dashboards/{name}/shares";
  const std::string shared = "/api/v1/shares/{token}";
  const auto route = [&](const char* method, const std::string& path, auto handler) {
    server.route(method, path, guarded([&dashboards, handler](Request& q, Response& r) {
                   handler(dashboards, q, r);
                 }),
                 {.max_body_bytes = kMostBody, .compress = true});
  };
  route("GET", of_one, list);
  route("POST", of_one, make);
  route("DELETE", of_one + "/{id}", revoke);
  route("GET", shared, show_shared);
  route("POST", shared + "/data", shared_data);
  route("GET", shared + "/parameters/{parameter}", shared_parameter);
  server.route("GET", shared + "/events", guarded([&dashboards, viewers](Request& q, Response& r) {
                 send_events(dashboards, *viewers, open(dashboards, q).dashboard, q, r);
               }),
               {.max_body_bytes = {}, .compress = false});
}

}  // namespace meesh::serve::api
