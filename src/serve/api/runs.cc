#include "serve/api/runs.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <thread>

#include "base/clock.h"
#include "mesh/mesh.h"
#include "serve/api/run_json.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using net::Request;
using net::Response;
using pipelines::Pipelines;

constexpr size_t kMostBody = 1 << 20;
constexpr auto kLook = std::chrono::milliseconds(200);    // at a log that is followed
constexpr auto kBreath = std::chrono::milliseconds(100);  // between two changes that are told
constexpr auto kSilence = std::chrono::seconds(5);

json::object error_json(const Error& error) {
  const auto one = [](const Error& e) {
    json::object object{{"code", code_name(e.code())}, {"message", e.message()}};
    if (!e.hint().empty()) object["hint"] = e.hint();
    if (e.location().known()) {
      object["file"] = e.location().file;
      object["line"] = e.location().line;
      object["column"] = e.location().column;
    }
    object["text"] = e.what();
    return object;
  };
  json::object object = one(error);
  if (const auto* config = dynamic_cast<const mesh::ConfigError*>(&error)) {
    json::array all;
    for (const Error& e : config->all()) all.push_back(one(e));
    object["errors"] = std::move(all);
  }
  return {{"error", std::move(object)}};
}

/// A handler whose errors are answered as JSON.
net::Handler guarded(std::function<void(Request&, Response&)> handler) {
  return [handler = std::move(handler)](Request& request, Response& response) {
    try {
      handler(request, response);
    } catch (const Error& e) {
      response.status = e.code() == Code::kConfigInvalid ? 422 : net::http_status(e);
      response.json(json::serialize(error_json(e)));
    }
  };
}

void answer(Response& response, const json::value& value) { response.json(json::serialize(value)); }

/// The request's JSON object; {} without a body.
json::object body_of(Request& request) {
  const std::string text = request.body(kMostBody);
  if (text.empty()) return {};
  boost::system::error_code failed;
  json::value value = json::parse(text, failed);
  if (failed || !value.is_object()) {
    throw Error(Code::kBadRequest, "the body is no JSON object");
  }
  return std::move(value).as_object();
}

std::string text(const json::object& body, std::string_view key, std::string otherwise = "") {
  const json::value* value = body.if_contains(key);
  if (value == nullptr || value->is_null()) return otherwise;
  if (!value->is_string()) throw Error(Code::kBadRequest, fmt::format("'{}' is no text", key));
  return std::string(value->get_string());
}

std::vector<std::string> texts(const json::object& body, std::string_view key) {
  std::vector<std::string> all;
  const json::value* value = body.if_contains(key);
  if (value == nullptr || value->is_null()) return all;
  if (!value->is_array()) throw Error(Code::kBadRequest, fmt::format("'{}' is no list", key));
  for (const json::value& item : value->get_array()) {
    if (!item.is_string()) {
      throw Error(Code::kBadRequest, fmt::format("'{}' is no list of texts", key));
    }
    all.emplace_back(item.get_string());
  }
  return all;
}

std::map<std::string, std::string> map_of(const json::object& body, std::string_view key) {
  std::map<std::string, std::string> all;
  const json::value* value = body.if_contains(key);
  if (value == nullptr || value->is_null()) return all;
  if (!value->is_object()) throw Error(Code::kBadRequest, fmt::format("'{}' is no object", key));
  for (const auto& [name, item] : value->get_object()) {
    if (!item.is_string()) {
      throw Error(Code::kBadRequest, fmt::format("'{}.{}' is no text", key, std::string(name)));
    }
    all.emplace(name, item.get_string());
  }
  return all;
}

int64_t number(const json::object& body, std::string_view key, int64_t otherwise, int64_t most) {
  const json::value* value = body.if_contains(key);
  if (value == nullptr || value->is_null()) return otherwise;
  if (!value->is_int64() || value->get_int64() < 1 || value->get_int64() > most) {
    throw Error(Code::kBadRequest, fmt::format("'{}' is no number from 1 to {}", key, most));
  }
  return value->get_int64();
}

uint64_t query_number(const Request& request, std::string_view key, uint64_t otherwise,
                      uint64_t most) {
  const auto given = request.query_param(key);
  if (!given) return otherwise;
  uint64_t value = 0;
  const auto [end, failed] = std::from_chars(given->data(), given->data() + given->size(), value);
  if (failed != std::errc{} || end != given->data() + given->size() || value > most) {
    throw Error(Code::kBadRequest, fmt::format("'{}' is no number up to {}", key, most));
  }
  return value;
}

std::string query_text(const Request& request, std::string_view key) {
  return std::string(request.query_param(key).value_or(""));
}

bool flag(const Request& request, std::string_view key) {
  const auto given = request.query_param(key);
  return given && *given != "0" && *given != "false";
}

void launch(Pipelines& pipelines, Request& request, Response& response) {
  const json::object body = body_of(request);
  pipelines::LaunchRequest launch;
  launch.pipeline = std::string(request.param("name"));
  launch.select = texts(body, "select");
  launch.exclude = texts(body, "exclude");
  launch.parameters = map_of(body, "parameters");
  launch.partition = text(body, "partition");
  launch.requested_by = text(body, "user", "anonymous");
  const std::string id = pipelines.launch(launch);
  response.status = 201;
  answer(response, json::object{{"id", id}});
}

void backfill(Pipelines& pipelines, Request& request, Response& response) {
  const json::object body = body_of(request);
  pipelines::BackfillRequest wanted;
  wanted.pipeline = std::string(request.param("name"));
  wanted.first = text(body, "from");
  wanted.last = text(body, "to");
  wanted.select = texts(body, "select");
  wanted.exclude = texts(body, "exclude");
  wanted.parameters = map_of(body, "parameters");
  wanted.concurrency = static_cast<int>(number(body, "concurrency", 1, 100));
  wanted.requested_by = text(body, "user", "anonymous");
  const std::string id = pipelines.backfill(wanted);
  response.status = 201;
  answer(response, json::object{{"id", id}});
}

void list_runs(Pipelines& pipelines, Request& request, Response& response) {
  pipelines::RunFilter filter;
  filter.pipeline = query_text(request, "pipeline");
  filter.backfill = query_text(request, "backfill");
  filter.limit = query_number(request, "limit", 50, 10'000);
  if (const std::string state = query_text(request, "state"); !state.empty()) {
    filter.state = pipelines::run_state(state);
    if (!filter.state) {
      throw Error(Code::kBadRequest, fmt::format("'{}' is no state of a run", state))
          .with_hint("queued, running, succeeded, failed, canceled");
    }
  }
  json::array all;
  for (const auto& run : pipelines.runs(filter)) all.push_back(to_json(run));
  answer(response, json::object{{"runs", std::move(all)}});
}

/// A line of JSON whenever something about the run changes, the whole of it each time; the last one
/// when it has ended.
void follow_run(Pipelines& pipelines, Request& request, Response& response) {
  const std::string id = pipelines.run(std::string(request.param("id"))).record.id;
  response.headers.set("Content-Type", "application/x-ndjson");
  uint64_t seen = 0;
  std::string last;
  while (true) {
    const uint64_t now = pipelines.wait_for_change(id, seen, kSilence);
    const pipelines::Run run = pipelines.run(id);
    const std::string line = json::serialize(to_json(run)) + "\n";
    // The same line again: a proxy sees that somebody is there, and we that nobody is.
    if (line != last || now == seen) response.write(line);
    response.flush();
    last = line;
    seen = now;
    if (ended(run.record.state) || request.client_gone()) return;
    std::this_thread::sleep_for(kBreath);  // many changes in a moment are one line
  }
}

void send_log(Pipelines& pipelines, Request& request, Response& response) {
  const std::string id = pipelines.run(std::string(request.param("id"))).record.id;
  const std::string step = query_text(request, "step");
  const bool follow = flag(request, "follow");
  uint64_t offset = query_number(request, "offset", 0, UINT64_MAX);
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  uint64_t seen = 0;
  while (true) {
    // Asked before the text is read: what came until the end is in it.
    const bool over = ended(pipelines.run(id).record.state);
    const uint64_t before = offset;
    do {
      const auto part = pipelines.log(id, step, offset);
      response.write(part.text);
      if (part.next == offset) break;
      offset = part.next;
    } while (!request.client_gone());
    response.flush();
    if (!follow || over || request.client_gone()) return;
    if (offset == before) seen = pipelines.wait_for_change(id, seen, kLook);
  }
}

void list_pipelines(Pipelines& pipelines, Request&, Response& response) {
  const auto set = pipelines.pipelines();
  json::array all;
  for (const auto& pipeline : set->graph->pipelines()) all.push_back(to_json(*pipeline));
  json::object pools;
  for (const auto& [name, limit] : set->pools) pools[name] = limit;
  answer(response, json::object{{"pipelines", std::move(all)}, {"pools", std::move(pools)}});
}

void show_pipeline(Pipelines& pipelines, Request& request, Response& response) {
  const auto set = pipelines.pipelines();
  const std::string name(request.param("name"));
  const auto* pipeline = set->graph->pipeline(name);
  if (pipeline == nullptr) pipelines::no_pipeline(*set->graph, name);
  json::object object = to_json(*pipeline);
  json::array nodes;
  for (const auto& node : set->graph->nodes()) {
    if (node.pipeline == pipeline) nodes.push_back(to_json(*set->graph, node));
  }
  object["graph"] = std::move(nodes);
  answer(response, object);
}

void register_reading(net::Server& server, Pipelines& pipelines) {
  const auto get = [&](const char* pattern, auto handler) {
    server.route("GET", pattern, guarded([&pipelines, handler](Request& q, Response& r) {
                   handler(pipelines, q, r);
                 }));
  };
  get("/api/v1/pipelines", list_pipelines);
  get("/api/v1/pipelines/{name}", show_pipeline);
  get("/api/v1/runs", list_runs);
  get("/api/v1/runs/{id}", [](Pipelines& p, Request& q, Response& r) {
    answer(r, to_json(p.run(std::string(q.param("id")))));
  });
  get("/api/v1/runs/{id}/changes", follow_run);
  get("/api/v1/runs/{id}/logs", send_log);
  get("/api/v1/backfills", [](Pipelines& p, Request& q, Response& r) {
    json::array all;
    for (const auto& one : p.backfills(query_text(q, "pipeline"))) all.push_back(to_json(one));
    answer(r, json::object{{"backfills", std::move(all)}});
  });
  get("/api/v1/schedules", [](Pipelines& p, Request& q, Response& r) {
    json::array all;
    for (const auto& one : p.schedules(query_number(q, "next", 1, 1000))) {
      all.push_back(to_json(one));
    }
    answer(r, json::object{{"schedules", std::move(all)}});
  });
  get("/api/v1/assets", [](Pipelines& p, Request& q, Response& r) {
    json::array all;
    for (const auto& one : p.assets(query_text(q, "pipeline"))) all.push_back(to_json(one));
    answer(r, json::object{{"assets", std::move(all)}});
  });
  get("/api/v1/alerts", [](Pipelines& p, Request& q, Response& r) {
    json::array all;
    for (const auto& one : p.alerts(query_number(q, "limit", 50, 1000))) {
      all.push_back(to_json(one));
    }
    answer(r, json::object{{"alerts", std::move(all)}});
  });
  get("/api/v1/pipelines/metrics", [](Pipelines& p, Request& q, Response& r) {
    const uint64_t hours = query_number(q, "hours", 24 * 7, 24 * 366);
    answer(r, p.metrics(base::now_ms() - static_cast<int64_t>(hours) * 3'600'000));
  });
}

}  // namespace

void register_runs(net::Server& server, Pipelines& pipelines) {
  register_reading(server, pipelines);
  const auto post = [&](const char* pattern, auto handler) {
    server.route("POST", pattern, guarded([&pipelines, handler](Request& q, Response& r) {
                   handler(pipelines, q, r);
                 }));
  };
  post("/api/v1/pipelines/{name}/runs", launch);
  post("/api/v1/pipelines/{name}/backfills", backfill);
  post("/api/v1/pipelines/{name}/pause", [](Pipelines& p, Request& q, Response& r) {
    p.pause(std::string(q.param("name")), true);
    answer(r, json::object{{"paused", true}});
  });
  post("/api/v1/pipelines/{name}/resume", [](Pipelines& p, Request& q, Response& r) {
    p.pause(std::string(q.param("name")), false);
    answer(r, json::object{{"paused", false}});
  });
  post("/api/v1/runs/{id}/cancel", [](Pipelines& p, Request& q, Response& r) {
    p.cancel(std::string(q.param("id")));
    answer(r, json::object{{"canceling", true}});
  });
  post("/api/v1/runs/{id}/rerun", [](Pipelines& p, Request& q, Response& r) {
    const json::object body = body_of(q);
    const json::value* all = body.if_contains("all");
    const bool whole = all != nullptr && all->is_bool() && all->get_bool();
    const std::string id =
        p.rerun(std::string(q.param("id")), !whole, text(body, "user", "anonymous"));
    r.status = 201;
    answer(r, json::object{{"id", id}});
  });
  post("/api/v1/backfills/{id}/cancel", [](Pipelines& p, Request& q, Response& r) {
    p.cancel_backfill(std::string(q.param("id")));
    answer(r, json::object{{"canceling", true}});
  });
}

}  // namespace meesh::serve::api
