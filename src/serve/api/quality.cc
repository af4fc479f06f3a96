#include "serve/api/quality.h"

#include <boost/json.hpp>

#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using net::Request;
using net::Response;
using quality::Quality;

TaskContext context_of(const std::stop_token& stop, Lines& out) {
  TaskContext context;
  context.stop = stop;
  context.progress = [&out](uint64_t done, uint64_t total) {
    out.progress({{"progress", {done, total}}});
  };
  return context;
}

void list_checks(const Quality& quality, Response& response) {
  json::array suites;
  for (const auto& suite : quality.suites()) {
    json::array checks;
    for (const auto& check : suite.checks)
      checks.push_back({{"check", check.name},
                        {"kind", quality::kind_name(check.kind)},
                        {"severity", quality::severity_name(check.severity)},
                        {"expected", check.bound.words()},
                        {"line", check.location.line}});
    suites.push_back(
        {{"suite", suite.name}, {"table", suite.table}, {"checks", std::move(checks)}});
  }
  response.json(json::serialize(json::object{{"suites", std::move(suites)}}));
}

void list_results(Quality& quality, Request& request, Response& response) {
  json::array results;
  for (const auto& result :
       quality.history().results(query_text(request, "table"), query_text(request, "suite"),
                                 query_number(request, "limit", 100, 1, 10'000)))
    results.push_back(quality::to_json(result));
  response.json(json::serialize(json::object{{"results", std::move(results)}}));
}

void list_scores(Quality& quality, Response& response) {
  json::array tables, products;
  for (const auto& score : quality.table_scores()) tables.push_back(quality::to_json(score));
  for (const auto& score : quality.product_scores()) products.push_back(quality::to_json(score));
  response.json(json::serialize(
      json::object{{"products", std::move(products)}, {"tables", std::move(tables)}}));
}

void run_checks(Quality& quality, Request& request, Response& response) {
  const std::string what = text(body_of(request), "what");
  std::vector<const quality::Suite*> suites;
  if (what.empty())
    for (const auto& suite : quality.suites()) suites.push_back(&suite);
  else
    suites = quality.find(what);
  if (suites.empty())
    throw Error(Code::kNotFound,
                what.empty() ? "this mesh has no checks" : "there are no checks of '" + what + "'")
        .with_hint("checks stand in checks/*.yaml and contracts/*.yaml of the mesh");
  Lines().run(request, response, [&](const std::stop_token& stop, Lines& out) {
    for (const auto* suite : suites) {
      try {
        quality.run(*suite, context_of(stop, out), "", [&](const quality::CheckResult& result) {
          out.send({{"result", quality::to_json(result)}});
        });
      } catch (const Error& error) {
        if (stop.stop_requested()) throw;
        json::object line = error_json(error);
        line["table"] = suite->table;
        line["suite"] = suite->name;
        out.send({{"unreadable", std::move(line)}});
      }
    }
    out.send({{"done", true}});
  });
}

void take_profile(Quality& quality, Request& request, Response& response) {
  const auto asked = body_of(request);
  const std::string table = needed_text(asked, "table");
  quality::ProfileOptions options;
  if (const auto* sample = asked.if_contains("sample")) {
    if (!sample->is_number()) throw Error(Code::kBadRequest, "'sample' is no number");
    options.sample = sample->to_number<double>();
  }
  options.files_only = flag(asked, "files_only");
  Lines().run(request, response, [&](const std::stop_token& stop, Lines& out) {
    out.send(
        {{"profile", quality::to_json(quality.profile(table, options, context_of(stop, out)))}});
    out.send({{"done", true}});
  });
}

}  // namespace

void register_quality(net::Server& server, Quality& quality) {
  const auto route = [&](const char* method, const char* path, auto handler) {
    server.route(method, path, guarded([&quality, handler](Request& request, Response& response) {
                   handler(quality, request, response);
                 }));
  };
  route("GET", "/api/v1/quality/checks",
        [](Quality& q, Request&, Response& response) { list_checks(q, response); });
  route("GET", "/api/v1/quality/results", list_results);
  route("GET", "/api/v1/quality/scores",
        [](Quality& q, Request&, Response& response) { list_scores(q, response); });
  route("POST", "/api/v1/quality/run", run_checks);
  route("POST", "/api/v1/quality/profile", take_profile);
  route("GET", "/api/v1/quality/profiles", [](Quality& q, Request& request, Response& response) {
    json::array profiles;
    for (auto& profile : q.history().profiles(query_text(request, "table"),
                                              query_number(request, "limit", 10, 1, 10'000)))
      profiles.push_back(std::move(profile));
    response.json(json::serialize(json::object{{"profiles", std::move(profiles)}}));
  });
}

}  // namespace meesh::serve::api
