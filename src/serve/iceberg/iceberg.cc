#include "serve/iceberg/iceberg.h"

#include <fmt/format.h>

#include "base/log.h"
#include "serve/iceberg/call.h"

namespace meesh::serve::iceberg {
namespace {

constexpr std::string_view kRoot = "/iceberg";
constexpr uint64_t kMostBody = 16 << 20;

struct Route {
  const char* method;
  const char* pattern;  // without kRoot
  Operation operation;
  bool told;  // among the endpoints of the configuration
};

constexpr Route kRoutes[] = {
    {"GET", "/v1/config", get_config, false},
    {"GET", "/v1/{prefix}/namespaces", list_namespaces, true},
    {"POST", "/v1/{prefix}/namespaces", create_namespace, true},
    {"GET", "/v1/{prefix}/namespaces/{namespace}", load_namespace, true},
    {"HEAD", "/v1/{prefix}/namespaces/{namespace}", load_namespace, true},
    {"DELETE", "/v1/{prefix}/namespaces/{namespace}", drop_namespace, true},
    {"POST", "/v1/{prefix}/namespaces/{namespace}/properties", update_properties, true},
    {"GET", "/v1/{prefix}/namespaces/{namespace}/tables", list_tables, true},
    {"POST", "/v1/{prefix}/namespaces/{namespace}/tables", create_table, true},
    {"GET", "/v1/{prefix}/namespaces/{namespace}/tables/{table}", load_table, true},
    {"HEAD", "/v1/{prefix}/namespaces/{namespace}/tables/{table}", load_table, true},
    {"POST", "/v1/{prefix}/namespaces/{namespace}/tables/{table}", commit_table, true},
    {"DELETE", "/v1/{prefix}/namespaces/{namespace}/tables/{table}", drop_table, true},
    {"GET", "/v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials", load_credentials,
     true},
    {"POST", "/v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics", report_metrics, true},
    {"POST", "/v1/{prefix}/namespaces/{namespace}/register", register_table, true},
    {"POST", "/v1/{prefix}/tables/rename", rename_table, true},
    {"POST", "/v1/{prefix}/transactions/commit", commit_transaction, true},
    {"GET", "/v1/{prefix}/namespaces/{namespace}/views", list_views, true},
    {"POST", "/v1/{prefix}/namespaces/{namespace}/views", create_view, true},
    {"GET", "/v1/{prefix}/namespaces/{namespace}/views/{view}", load_view, true},
    {"HEAD", "/v1/{prefix}/namespaces/{namespace}/views/{view}", load_view, true},
    {"POST", "/v1/{prefix}/namespaces/{namespace}/views/{view}", replace_view, true},
    {"DELETE", "/v1/{prefix}/namespaces/{namespace}/views/{view}", drop_view, true},
    {"POST", "/v1/{prefix}/namespaces/{namespace}/register-view", register_view, true},
    {"POST", "/v1/{prefix}/views/rename", rename_view, true},
};

bool reads(const std::string& method) { return method == "GET" || method == "HEAD"; }

void audit(const Call& call, const std::string& reason) {
  if (reads(call.request.method) && reason.empty()) return;
  access::AuditEvent event;
  event.request_id = call.request.id;
  event.user = call.who.identity.user;
  event.access_key = call.who.access_key;
  event.remote_address = call.request.remote_address;
  event.action = "iceberg:" + call.request.method;
  event.resource = call.request.path;
  event.status = call.response.status;
  event.outcome = call.response.status == 401 || call.response.status == 403 ? "denied" : "allowed";
  event.reason = reason;
  call.service.access->audit(std::move(event));
}

void run(Call& call, Operation operation) {
  std::string reason;
  try {
    call.who = identify(call.request, call.service);
    const std::string prefix(call.request.param("prefix"));
    if (!prefix.empty()) {
      const auto found = call.service.warehouses.find(prefix);
      if (found == call.service.warehouses.end()) {
        throw net::HttpError(404, fmt::format("Warehouse does not exist: {}", prefix),
                             Code::kNotFound);
      }
      call.catalog = found->second;
    }
    operation(call);
  } catch (const Error& error) {
    const bool view = call.request.path.find("/views") != std::string::npos;
    const Refusal how = refusal(error, view);
    if (how.status >= 500) {
      log::error("an Iceberg request failed",
                 {{"id", call.request.id}, {"path", call.request.path}, {"error", error.what()}});
    }
    reason = error.message();
    answer_error(call.response, how, error.message());
  }
  audit(call, reason);
}

}  // namespace

void get_config(Call& call) {
  const std::string asked(call.request.query_param("warehouse").value_or(""));
  const std::string name = asked.empty() ? call.service.default_warehouse : asked;
  // Clients of other catalogs give a location where this one has a name.
  const auto fits = [&](const auto& one) {
    return one.first == name || one.second->warehouse().location == name;
  };
  const auto& all = call.service.warehouses;
  const auto found = std::find_if(all.begin(), all.end(), fits);
  if (found == all.end()) {
    throw net::HttpError(404, fmt::format("Warehouse does not exist: {}", name), Code::kNotFound);
  }
  boost::json::array endpoints;
  for (const Route& route : kRoutes) {
    if (route.told)
      endpoints.push_back(boost::json::value(fmt::format("{} {}", route.method, route.pattern)));
  }
  boost::json::object defaults;
  if (!call.service.s3_endpoint.empty()) defaults["s3.endpoint"] = call.service.s3_endpoint;
  defaults["s3.region"] = call.service.s3_region;
  defaults["client.region"] = call.service.s3_region;
  defaults["s3.path-style-access"] = call.service.path_style ? "true" : "false";
  call.answer(boost::json::object{{"defaults", defaults},
                                  {"overrides", {{"prefix", found->first}}},
                                  {"endpoints", endpoints},
                                  {"idempotency-key-lifetime", "PT30M"}});
}

void register_iceberg(net::Server& server, Service service) {
  prepare_idempotency(*service.database);
  const auto shared = std::make_shared<const Service>(std::move(service));
  for (const Route& route : kRoutes) {
    server.route(
        route.method, std::string(kRoot) + route.pattern,
        [shared, operation = route.operation](net::Request& request, net::Response& response) {
          Call call{request, response, *shared, {}, nullptr};
          run(call, operation);
        },
        {.max_body_bytes = kMostBody});
  }
  server.route("POST", std::string(kRoot) + "/v1/oauth/tokens",
               [shared](net::Request& request, net::Response& response) {
                 oauth_tokens(request, response, *shared);
               });
}

}  // namespace meesh::serve::iceberg
