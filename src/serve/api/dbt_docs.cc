#include "serve/api/dbt_docs.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/html.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using base::html_text;
using transform::Dbt;

bool known(const Dbt& dbt, const std::string& project) {
  const auto all = dbt.projects();
  return std::ranges::find(all, project) != all.end();
}

std::string project_of(const Dbt& dbt, const net::Request& request) {
  std::string project(request.param("project"));
  if (!known(dbt, project))
    throw net::HttpError(404, "there is no such dbt project", Code::kNotFound);
  return project;
}

void list(const Dbt& dbt, net::Response& response) {
  std::string page =
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>dbt</title>"
      "<h1>dbt projects</h1><ul>";
  for (const auto& project : dbt.projects()) {
    page += dbt.artifact(project, "index.html")
                ? fmt::format("<li><a href=\"/dbt/{0}/\">{0}</a>", html_text(project))
                : fmt::format("<li>{} (no documentation yet)", html_text(project));
  }
  response.text(page + "</ul></html>", "text/html; charset=utf-8");
}

void file(const Dbt& dbt, const std::string& project, const std::string& name,
          net::Response& response) {
  const auto content = dbt.artifact(project, name);
  if (!content) {
    throw net::HttpError(404, fmt::format("'{}' of the dbt project '{}' was not made yet: run its "
                                          "command docs generate",
                                          name, project));
  }
  response.headers.set("Cache-Control", "no-cache");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.text(*content,
                name.ends_with(".html") ? "text/html; charset=utf-8" : "application/json");
}

json::object counts(const std::map<std::string, uint64_t>& by_status) {
  json::object out;
  for (const auto& [status, count] : by_status) out[status] = count;
  return out;
}

json::value totals(const Dbt& dbt) {
  const auto all = dbt.totals();
  json::array out;
  for (const auto& project : dbt.projects()) {
    json::object one = {{"project", project},
                        {"docs", dbt.artifact(project, "index.html").has_value()}};
    if (const auto found = all.find(project); found != all.end()) {
      const auto& sums = found->second;
      one["commands"] = sums.commands;
      one["failed_commands"] = sums.failed_commands;
      one["last_seconds"] = sums.last_seconds;
      one["models"] = counts(sums.models);
      one["tests"] = counts(sums.tests);
    }
    out.push_back(std::move(one));
  }
  return out;
}

json::value nodes(Dbt& dbt, const std::string& project) {
  json::array out;
  for (const auto& node : dbt.nodes(project)) {
    out.push_back({{"id", node.id},
                   {"type", node.resource_type},
                   {"name", node.name},
                   {"table", node.relation},
                   {"materialized", node.materialized},
                   {"depends_on", json::value_from(node.depends_on)},
                   {"file", node.file},
                   {"description", node.description},
                   {"tags", json::value_from(node.tags)},
                   {"columns", json::value_from(node.columns)},
                   {"checks", json::value_from(node.checks)}});
  }
  return out;
}

}  // namespace

void register_dbt_docs(net::Server& server, Dbt& dbt) {
  server.route("GET", "/dbt/",
               [&dbt](net::Request&, net::Response& response) { list(dbt, response); });
  // The page asks for its data relative to its own address, which must end in a slash.
  server.route("GET", "/dbt/{project}", [&dbt](net::Request& request, net::Response& response) {
    response.headers.set("Location", fmt::format("/dbt/{}/", project_of(dbt, request)));
    response.empty(308);
  });
  server.route("GET", "/dbt/{project}/{file...}",
               [&dbt](net::Request& request, net::Response& response) {
                 const std::string name(request.param("file"));
                 file(dbt, project_of(dbt, request), name.empty() ? "index.html" : name, response);
               });
  server.route("GET", "/api/v1/dbt", guarded([&dbt](net::Request&, net::Response& response) {
                 response.json(json::serialize(totals(dbt)));
               }));
  server.route("GET", "/api/v1/dbt/{project}",
               guarded([&dbt](net::Request& request, net::Response& response) {
                 response.json(json::serialize(nodes(dbt, project_of(dbt, request))));
               }));
}

}  // namespace meesh::serve::api
