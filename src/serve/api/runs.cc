#include "serve/api/runs.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <thread>

#include "base/clock.h"
#include "serve/api/caller.h"
#include "serve/api/json_api.h"
#include "serve/api/run_json.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using net::Request;
using net::Response;
using pipelines::Pipelines;

constexpr auto kLook = std::chrono::milliseconds(200);    // at a log that is followed
constexpr auto kBreath = std::chrono::milliseconds(100);  // between two changes that are told
constexpr auto kSilence = std::chrono::seconds(5);

/// Who asks for a run. Only an administrator, and anybody in an open mesh, may speak for another.
std::string asker(const Request& request, const json::object& body) {
  const bool for_others = request.user.empty() || role_of(request) == Role::kAdministrator;
  const std::string known = request.user.empty() ? "anonymous" : request.user;
  return for_others ? text(body, "user", known) : known;
}

void launch(Pipelines& pipelines, Request& request, Response& response) {
  const json::object body = body_of(request);
  pipelines::LaunchRequest launch;
  launch.pipeline = std::string(request.param("name"));
  launch.select = texts(body, "select");
  launch.exclude = texts(body, "exclude");
  launch.parameters = text_map(body, "parameters");
  launch.partition = text(body, "partition");
  launch.requested_by = asker(request, body);
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
  wanted.parameters = text_map(body, "parameters");
  wanted.concurrency = static_cast<int>(number(body, "concurrency", 1, 100));
  wanted.requested_by = asker(request, body);
  const std::string id = pipelines.backfill(wanted);
  response.status = 201;
  answer(response, json::object{{"id", id}});
}

void list_runs(Pipelines& pipelines, Request& request, Response& response) {
  pipelines::RunFilter filter;
  filter.pipeline = query_text(request, "pipeline");
  filter.backfill = query_text(request, "backfill");
  filter.limit = query_number(request, "limit", 50, 1, 10'000);
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
  const bool follow = query_flag(request, "follow");
  uint64_t offset = query_number(request, "offset", 0, 0, UINT64_MAX);
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
    for (const auto& one : p.schedules(query_number(q, "next", 1, 1, 1000))) {
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
    for (const auto& one : p.alerts(query_number(q, "limit", 50, 1, 1000))) {
      all.push_back(to_json(one));
    }
    answer(r, json::object{{"alerts", std::move(all)}});
  });
  get("/api/v1/pipelines/metrics", [](Pipelines& p, Request& q, Response& r) {
    const uint64_t hours = query_number(q, "hours", 24 * 7, 1, 24 * 366);
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
    const std::string id =
        p.rerun(std::string(q.param("id")), !flag(body, "all"), text(body, "user", "anonymous"));
    r.status = 201;
    answer(r, json::object{{"id", id}});
  });
  post("/api/v1/backfills/{id}/cancel", [](Pipelines& p, Request& q, Response& r) {
    p.cancel_backfill(std::string(q.param("id")));
    answer(r, json::object{{"canceling", true}});
  });
}

}  // namespace meesh::serve::api
