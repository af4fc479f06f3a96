#include "serve/api/lineage.h"

#include <boost/json.hpp>

#include "governance/open_lineage.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using governance::LineageStore;
using net::Request;
using net::Response;

constexpr size_t kLongestEvent = 16 << 20;
constexpr int kDepth = 5, kMostDepth = 100;

/// With the place of the mistake in the body.
json::object event_error_json(const governance::EventError& error, const std::string& before = "") {
  json::object object = problem_json(error);
  object["status"] = 422;
  object["title"] = net::reason_phrase(422);
  object["pointer"] = before + error.pointer();
  return object;
}

/// A malformed event is 422.
net::Handler accepting(net::Handler handler) {
  return guarded([handler = std::move(handler)](Request& request, Response& response) {
    try {
      handler(request, response);
    } catch (const governance::EventError& error) {
      answer_problem(response, event_error_json(error));
    }
  });
}

/// Takes all that are well-formed; answers with the mistakes of the others.
void accept_all(LineageStore& lineage, const json::array& events, Response& response) {
  json::array errors;
  for (size_t i = 0; i < events.size(); ++i) {
    try {
      lineage.accept(events[i]);
    } catch (const governance::EventError& error) {
      auto told = event_error_json(error, "/" + std::to_string(i));
      told["message"] = error.message();
      errors.push_back(std::move(told));
    }
  }
  response.status = errors.empty() ? 200 : 422;
  response.json(json::serialize(
      json::object{{"accepted", events.size() - errors.size()}, {"errors", std::move(errors)}}));
}

void graph(LineageStore& lineage, const Request& request, Response& response) {
  governance::GraphQuery query;
  const auto table = request.query_param("table");
  if (!table || table->empty()) {
    throw Error(Code::kBadRequest, "table is required")
        .with_hint("?table=catalog.schema.table, and &column=, &direction=, &depth=, &at=");
  }
  query.of = lineage.dataset_of(*table);
  query.column = query_text(request, "column");
  const int depth = static_cast<int>(query_number(request, "depth", kDepth, 1, kMostDepth));
  const std::string direction = query_text(request, "direction", "both");
  if (direction != "upstream" && direction != "downstream" && direction != "both") {
    throw Error(Code::kBadRequest, "direction must be upstream, downstream or both");
  }
  if (direction != "downstream") query.up = depth;
  if (direction != "upstream") query.down = depth;
  if (const auto at = request.query_param("at")) {
    query.at = governance::parse_time(*at);
    if (!query.at) {
      throw Error(Code::kBadRequest,
                  "at must be a time with its offset, such as 2025-01-15T14:30:00Z");
    }
  }
  response.json(json::serialize(lineage.graph(query)));
}

void events(LineageStore& lineage, const Request& request, Response& response) {
  governance::EventQuery query;
  if (const auto table = request.query_param("table")) query.of = lineage.dataset_of(*table);
  query.job = query_text(request, "job");
  query.run_id = query_text(request, "run");
  query.limit = query_number(request, "limit", 100, 1, 1000);
  response.json(json::serialize(json::object{{"events", lineage.events(query)}}));
}

}  // namespace

void register_lineage(net::Server& server, LineageStore& lineage) {
  const net::RouteOptions large{kLongestEvent, true};
  server.route("POST", "/api/v1/lineage", accepting([&](Request& request, Response& response) {
                 const auto body = json_of(request, kLongestEvent);
                 if (body.is_array()) return accept_all(lineage, body.get_array(), response);
                 lineage.accept(body);
                 response.empty(201);
               }),
               large);
  server.route("POST", "/api/v1/lineage/batch",
               accepting([&](Request& request, Response& response) {
                 const auto body = json_of(request, kLongestEvent);
                 if (!body.is_array())
                   throw governance::EventError("", "must be an array of events");
                 accept_all(lineage, body.get_array(), response);
               }),
               large);
  server.route("GET", "/api/v1/lineage", guarded([&](Request& request, Response& response) {
                 graph(lineage, request, response);
               }));
  server.route("GET", "/api/v1/lineage/events", guarded([&](Request& request, Response& response) {
                 events(lineage, request, response);
               }));
}

}  // namespace meesh::serve::api
