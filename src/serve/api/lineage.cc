#include "serve/api/lineage.h"

#include <boost/json.hpp>
#include <charconv>

#include "governance/open_lineage.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using governance::LineageStore;
using net::Request;
using net::Response;

constexpr size_t kLongestEvent = 16 << 20;
constexpr int kDepth = 5, kMostDepth = 100;

json::object error_json(const Error& error, const std::string* pointer) {
  json::object object{{"code", code_name(error.code())}, {"message", error.message()}};
  if (!error.hint().empty()) object["hint"] = error.hint();
  if (pointer) object["pointer"] = *pointer;
  return object;
}

/// A handler whose errors are answered as JSON; a malformed event is 422.
net::Handler guarded(std::function<void(Request&, Response&)> handler) {
  return [handler = std::move(handler)](Request& request, Response& response) {
    const auto refuse = [&](int status, const Error& error, const std::string* pointer = nullptr) {
      response.status = status;
      response.json(json::serialize(json::object{{"error", error_json(error, pointer)}}));
    };
    try {
      handler(request, response);
    } catch (const governance::EventError& error) {
      refuse(422, error, &error.pointer());
    } catch (const Error& error) {
      refuse(net::http_status(error), error);
    }
  };
}

json::value body_of(Request& request) {
  const auto type = request.headers.get("Content-Type").value_or("");
  if (!type.starts_with("application/json")) {
    throw net::HttpError(415, "send lineage events as application/json");
  }
  json::error_code malformed;
  json::stream_parser parser;
  const std::string text = request.body(kLongestEvent);
  parser.write(text, malformed);
  if (!malformed) parser.finish(malformed);
  if (malformed) throw net::HttpError(400, "the body is not JSON: " + malformed.message());
  return parser.release();
}

/// Takes all that are well-formed; answers with the mistakes of the others.
void accept_all(LineageStore& lineage, const json::array& events, Response& response) {
  json::array errors;
  for (size_t i = 0; i < events.size(); ++i) {
    try {
      lineage.accept(events[i]);
    } catch (const governance::EventError& error) {
      const std::string pointer = "/" + std::to_string(i) + error.pointer();
      errors.push_back(error_json(error, &pointer));
    }
  }
  response.status = errors.empty() ? 200 : 422;
  response.json(json::serialize(
      json::object{{"accepted", events.size() - errors.size()}, {"errors", std::move(errors)}}));
}

int number(const Request& request, std::string_view name, int otherwise, int most) {
  const auto text = request.query_param(name);
  if (!text) return otherwise;
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 1 || value > most) {
    throw Error(Code::kInvalidArguments,
                std::string(name) + " must be a number from 1 to " + std::to_string(most));
  }
  return value;
}

void graph(LineageStore& lineage, const Request& request, Response& response) {
  governance::GraphQuery query;
  const auto table = request.query_param("table");
  if (!table || table->empty()) {
    throw Error(Code::kInvalidArguments, "table is required")
        .with_hint("?table=catalog.schema.table, and &column=, &direction=, &depth=, &at=");
  }
  query.of = lineage.dataset_of(*table);
  query.column = std::string(request.query_param("column").value_or(""));
  const int depth = number(request, "depth", kDepth, kMostDepth);
  const std::string direction(request.query_param("direction").value_or("both"));
  if (direction != "upstream" && direction != "downstream" && direction != "both") {
    throw Error(Code::kInvalidArguments, "direction must be upstream, downstream or both");
  }
  if (direction != "downstream") query.up = depth;
  if (direction != "upstream") query.down = depth;
  if (const auto at = request.query_param("at")) {
    query.at = governance::parse_time(*at);
    if (!query.at) {
      throw Error(Code::kInvalidArguments,
                  "at must be a time with its offset, such as 2025-01-15T14:30:00Z");
    }
  }
  response.json(json::serialize(lineage.graph(query)));
}

void events(LineageStore& lineage, const Request& request, Response& response) {
  governance::EventQuery query;
  if (const auto table = request.query_param("table")) query.of = lineage.dataset_of(*table);
  query.job = std::string(request.query_param("job").value_or(""));
  query.run_id = std::string(request.query_param("run").value_or(""));
  query.limit = static_cast<size_t>(number(request, "limit", 100, 1000));
  response.json(json::serialize(json::object{{"events", lineage.events(query)}}));
}

}  // namespace

void register_lineage(net::Server& server, LineageStore& lineage) {
  const net::RouteOptions large{kLongestEvent, true};
  server.route("POST", "/api/v1/lineage", guarded([&](Request& request, Response& response) {
                 const auto body = body_of(request);
                 if (body.is_array()) return accept_all(lineage, body.get_array(), response);
                 lineage.accept(body);
                 response.empty(201);
               }),
               large);
  server.route("POST", "/api/v1/lineage/batch", guarded([&](Request& request, Response& response) {
                 const auto body = body_of(request);
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
