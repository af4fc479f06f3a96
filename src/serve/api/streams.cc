#include "serve/api/streams.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/json.hpp>
#include <memory>

#include "serve/api/json_api.h"
#include "serve/api/stream_json.h"
#include "serve/api/stream_live.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using net::Request;
using net::Response;
using streams::SinkConfig;
using streams::Streams;

std::string name_of(const Request& request) { return std::string(request.param("name")); }

const streams::StreamConfig& config_of(const std::vector<streams::StreamConfig>& configs,
                                       const std::string& name) {
  for (const auto& one : configs)
    if (one.name == name) return one;
  internal_error("a stream has a status and no configuration");
}

void list(Streams& streams, Request&, Response& response) {
  json::array all;
  for (const auto& status : streams.status()) all.push_back(to_json(status));
  answer(response, json::object{{"streams", std::move(all)}});
}

void show(Streams& streams, Request& request, Response& response) {
  const std::string name = name_of(request);
  json::object told = to_json(streams.status(name));
  told["config"] = to_json(config_of(streams.configs(), name));
  answer(response, told);
}

void pause(Streams& streams, Request& request, Response& response, bool paused) {
  streams.pause(name_of(request), paused);
  answer(response, json::object{{"paused", paused}});
}

/// `to` as text, or milliseconds as a number.
std::string where_to(const json::object& body) {
  const auto* to = body.if_contains("to");
  if (to && to->is_int64()) return std::to_string(to->get_int64());
  return needed_text(body, "to");
}

void reset(Streams& streams, Request& request, Response& response) {
  const std::string name = name_of(request);
  const json::object body = body_of(request);
  streams.reset(name, reset_to(where_to(body)), flag(body, "truncate"));
  answer(response, to_json(streams.status(name)));
}

using LongWork = std::function<json::object(const TaskContext&)>;

/// {"begin"}, lines of the log and the progress, {"end", …} with what it gave, or {"error"}.
void tell_work(const std::string& stream, Request& request, Response& response,
               const LongWork& work) {
  Lines().run(request, response, [&](const std::stop_token& stop, Lines& out) {
    TaskContext context;
    context.stop = stop;
    context.log = [&](log::Level level, const std::string& line) {
      out.send({{"log", line}, {"warning", level >= log::Level::kWarn}});
    };
    context.progress = [&](uint64_t done, uint64_t total) {
      out.progress({{"stream", stream}, {"progress", {done, total}}});
    };
    out.send({{"begin", stream}});
    json::object end = work(context);
    end["end"] = stream;
    out.send(end);
  });
}

void run(Streams& streams, Request& request, Response& response) {
  const std::string name = streams.status(name_of(request)).name;  // before anything is answered
  body_of(request);
  tell_work(name, request, response,
            [&](const TaskContext& context) { return streams.run(name, context); });
}

void replay(Streams& streams, Request& request, Response& response) {
  const json::object body = body_of(request);
  streams::ReplayRequest wanted;
  wanted.stream = streams.status(name_of(request)).name;
  wanted.into = needed_text(body, "into");
  if (const auto from = text(body, "from"); !from.empty())
    wanted.from_ms = instant_of(from, "from");
  if (const auto to = text(body, "to"); !to.empty()) wanted.to_ms = instant_of(to, "to");
  tell_work(wanted.stream, request, response,
            [&](const TaskContext& context) { return streams.replay(wanted, context); });
}

// ---- …/live

/// "lake.gold.sales"; nothing for a name of other parts.
std::optional<sql::TableName> table_name(const std::string& text) {
  const size_t first = text.find('.');
  const size_t second = first == std::string::npos ? first : text.find('.', first + 1);
  if (second == std::string::npos || text.find('.', second + 1) != std::string::npos)
    return std::nullopt;
  return sql::TableName{text.substr(0, first), text.substr(first + 1, second - first - 1),
                        text.substr(second + 1)};
}

std::optional<LiveTable> table_of(const streams::StreamConfig& config, const SinkConfig& sink,
                                  const StreamsApiOptions& options) {
  if (sink.kind == SinkConfig::Kind::kLive)
    return LiveTable{.name = {options.live_catalog, options.live_schema, sink.target},
                     .in_memory = true,
                     .event_time = ""};
  if (sink.kind != SinkConfig::Kind::kLake) return std::nullopt;
  const auto name = table_name(sink.target);
  if (!name) return std::nullopt;
  return LiveTable{
      .name = *name, .in_memory = false, .event_time = config.sources.at(0).event_time};
}

/// The stream's first live table, or its first of the lake; or the one that is asked for.
LiveTable table_to_show(const streams::StreamConfig& config, const std::string& asked,
                        const StreamsApiOptions& options) {
  std::optional<LiveTable> chosen;
  std::string names;
  for (const auto& sink : config.sinks) {
    const auto table = table_of(config, sink, options);
    if (!table) continue;
    if (asked == sink.target || asked == table->name.display()) return *table;
    if (!chosen || (table->in_memory && !chosen->in_memory)) chosen = table;
    names += (names.empty() ? "" : ", ") + sink.target;
  }
  if (asked.empty() && chosen) return *chosen;
  if (names.empty())
    throw Error(Code::kBadRequest,
                fmt::format("stream '{}' writes no table that can be shown", config.name))
        .with_hint("a sink `live: NAME` or `lake: CATALOG.SCHEMA.TABLE`");
  throw Error(Code::kNotFound, fmt::format("stream '{}' does not write '{}'", config.name, asked))
      .with_hint("it writes " + names);
}

/// Counts as long as it is held; throws 503 when there are too many.
class Listener {
 public:
  Listener(std::atomic<size_t>& all, size_t most) : all_(all) {
    if (++all_ <= most) return;
    --all_;
    throw net::HttpError(503, fmt::format("{} listeners of live tables are served already", most));
  }
  ~Listener() { --all_; }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  std::atomic<size_t>& all_;
};

void live(Streams& streams, engine::Engine& engine, const StreamsApiOptions& options,
          std::atomic<size_t>& listeners, Request& request, Response& response) {
  LiveRequest wanted;
  wanted.stream = streams.status(name_of(request)).name;
  wanted.table = table_to_show(config_of(streams.configs(), wanted.stream),
                               query_text(request, "table"), options);
  wanted.most = query_number(request, "limit", kMostLiveRows, 1, kMostLiveRows);
  const Listener listener(listeners, options.most_listeners);
  send_live(streams, engine, wanted, request, response, options.stopping);
}

}  // namespace

void register_streams(net::Server& server, Streams& streams, engine::Engine& engine,
                      StreamsApiOptions options) {
  const std::string base = "/api/v1/streams", one = base + "/{name}";
  const auto route = [&](const char* method, const std::string& path, auto handler) {
    server.route(method, path, guarded([&streams, handler](Request& request, Response& response) {
                   handler(streams, request, response);
                 }),
                 {.max_body_bytes = kMostBody, .compress = method[0] == 'G'});
  };
  route("GET", base, list);
  route("GET", one, show);
  route("POST", one + "/pause", [](Streams& s, Request& q, Response& r) { pause(s, q, r, true); });
  route("POST", one + "/resume",
        [](Streams& s, Request& q, Response& r) { pause(s, q, r, false); });
  route("POST", one + "/reset", reset);
  route("POST", one + "/run", run);
  route("POST", one + "/replay", replay);
  const auto listeners = std::make_shared<std::atomic<size_t>>(0);
  server.route("GET", one + "/live",
               guarded([&streams, &engine, options = std::move(options), listeners](
                           Request& request, Response& response) {
                 live(streams, engine, options, *listeners, request, response);
               }),
               {.max_body_bytes = {}, .compress = false});
}

}  // namespace meesh::serve::api
