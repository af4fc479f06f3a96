#include "serve/api/ingest.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "mesh/mesh.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using ingest::Ingest;
using net::Request;
using net::Response;

constexpr size_t kMaxBody = 1 << 20;
constexpr auto kBeat = std::chrono::milliseconds(200);  // between two words on the progress
constexpr size_t kHistory = 50;

json::object error_json(const Error& error) {
  json::object told{{"code", code_name(error.code())}, {"message", error.what()}};
  if (const auto* config = dynamic_cast<const mesh::ConfigError*>(&error))
    told["message"] = config->report();
  return {{"error", std::move(told)}};
}

net::Handler guarded(std::function<void(Request&, Response&)> handler) {
  return [handler = std::move(handler)](Request& request, Response& response) {
    try {
      handler(request, response);
    } catch (const Error& error) {
      response.status = net::http_status(error);
      response.json(json::serialize(error_json(error)));
    }
  };
}

/// A page of another site cannot send this type without asking first, which nobody grants.
json::object body(Request& request) {
  const auto type = request.headers.get("Content-Type").value_or("");
  if (!type.starts_with("application/json"))
    throw net::HttpError(415, "the body is not of type application/json");
  boost::system::error_code failure;
  const auto value = json::parse(request.body(kMaxBody), failure);
  if (failure || !value.is_object())
    throw Error(Code::kBadRequest, "the body is not a JSON object");
  return value.get_object();
}

std::string text(const json::object& object, std::string_view key, bool required = false) {
  const auto* value = object.if_contains(key);
  if (value && value->is_string()) return std::string(value->get_string());
  if (!value && !required) return "";
  throw Error(Code::kBadRequest, fmt::format("'{}' is {}", key, value ? "no text" : "missing"));
}

bool flag(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (!value) return false;
  if (!value->is_bool()) throw Error(Code::kBadRequest, fmt::format("'{}' is no boolean", key));
  return value->get_bool();
}

json::array list_of(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

json::object record_json(const ingest::SyncRecord& record) {
  json::object told{{"id", record.id},
                    {"source", record.source},
                    {"stream", record.stream},
                    {"table", record.table},
                    {"run_id", record.run_id},
                    {"run_date", record.run_date},
                    {"mode", record.mode},
                    {"state", record.state},
                    {"started_ms", record.started_ms},
                    {"ended_ms", record.ended_ms},
                    {"rows", record.rows},
                    {"bytes", record.bytes},
                    {"rejected", record.rejected}};
  if (!record.error.empty()) told["error"] = record.error;
  return told;
}

json::object stream_json(const ingest::Stream& stream) {
  json::array columns;
  for (const auto& column : stream.columns) {
    json::object told{{"name", column.name}, {"type", column.type.display()}};
    if (!column.note.empty()) told["note"] = column.note;
    columns.push_back(std::move(told));
  }
  return {{"name", stream.name},
          {"origin", stream.origin},
          {"view", stream.is_view},
          {"columns", std::move(columns)},
          {"key", list_of(stream.key)},
          {"cursors", list_of(stream.cursors)},
          {"estimated_rows", stream.estimated_rows},
          {"notes", list_of(stream.notes)}};
}

void list_sources(const Ingest& ingest, Response& response) {
  json::array sources;
  for (const auto& config : ingest.sources()) {
    json::array tables;
    for (const auto& [name, table] : config.tables) {
      tables.push_back({{"stream", name},
                        {"table", config.full_name(table)},
                        {"mode", ingest::mode_name(table.mode)}});
    }
    sources.push_back({{"name", config.name},
                       {"kind", config.kind},
                       {"file", config.file.string()},
                       {"all_tables", config.all_tables},
                       {"tables", std::move(tables)}});
  }
  response.json(json::serialize(json::object{{"sources", std::move(sources)}}));
}

/// Of each stream and of all: how many syncs ended well, how long they took, how many rows came.
void tell_status(const Ingest& ingest, Response& response) {
  json::array streams;
  uint64_t syncs = 0, succeeded = 0, rows = 0, rejected = 0;
  double seconds = 0;
  const auto rate = [](uint64_t good, uint64_t all) {
    return all == 0 ? json::value(nullptr)
                    : json::value(static_cast<double>(good) / static_cast<double>(all));
  };
  for (const auto& one : ingest.status()) {
    json::object told{{"source", one.source},
                      {"stream", one.stream},
                      {"table", one.table},
                      {"mode", one.mode},
                      {"syncs", one.syncs},
                      {"success_rate", rate(one.succeeded, one.syncs)},
                      {"mean_seconds", one.mean_seconds},
                      {"rows", one.rows},
                      {"rejected", one.rejected}};
    if (!one.position.empty()) told["position"] = json::parse(one.position);
    if (one.last) told["last"] = record_json(*one.last);
    streams.push_back(std::move(told));
    syncs += one.syncs;
    succeeded += one.succeeded;
    rows += one.rows;
    rejected += one.rejected;
    seconds += one.mean_seconds * static_cast<double>(one.succeeded);
  }
  const double mean = succeeded == 0 ? 0 : seconds / static_cast<double>(succeeded);
  response.json(json::serialize(json::object{{"streams", std::move(streams)},
                                             {"metrics",
                                              {{"syncs", syncs},
                                               {"success_rate", rate(succeeded, syncs)},
                                               {"mean_seconds", mean},
                                               {"rows", rows},
                                               {"rejected", rejected}}}}));
}

void tell_history(const Ingest& ingest, const Request& request, Response& response) {
  size_t limit = kHistory;
  if (const auto text = request.query_param("limit")) {
    const auto end = text->data() + text->size();
    if (std::from_chars(text->data(), end, limit).ptr != end || limit < 1 || limit > 10'000)
      throw Error(Code::kBadRequest, "limit is a number from 1 to 10000");
  }
  json::array syncs;
  for (const auto& record :
       ingest.history(std::string(request.query_param("source").value_or("")), limit))
    syncs.push_back(record_json(record));
  response.json(json::serialize(json::object{{"syncs", std::move(syncs)}}));
}

/// The syncs that one request asks for, one after another on a thread of its own, told in lines as
/// they go. Whoever stops listening cancels what is left.
class Syncs {
 public:
  Syncs(Ingest& ingest, const json::object& asked)
      : ingest_(ingest), source_(text(asked, "source", true)), only_(text(asked, "table")) {
    options_.full_refresh = flag(asked, "full_refresh");
    options_.run_date = text(asked, "run_date");
    ingest_.source(source_);  // before anything is answered
  }

  void answer(Request& request, Response& response) {
    response.headers.set("Content-Type", "application/x-ndjson");
    std::stop_source stop;
    std::jthread worker([&] { work(stop.get_token()); });
    try {
      while (pass_on(response))
        if (request.client_gone()) stop.request_stop();
    } catch (...) {
      stop.request_stop();
      throw;
    }
  }

 private:
  void work(const std::stop_token& stop) {
    try {
      std::vector<std::string> streams;
      for (const auto& table : ingest_.streams(source_))
        if (only_.empty() || table.name == only_) streams.push_back(table.name);
      if (streams.empty() && !only_.empty()) streams.push_back(only_);  // to be told what there is
      for (const auto& stream : streams)
        if (!stop.stop_requested()) sync(stream, stop);
    } catch (const Error& error) {
      send(error_json(error));
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  void sync(const std::string& stream, const std::stop_token& stop) {
    TaskContext context;
    context.stop = stop;
    context.log = [&](log::Level level, const std::string& line) {
      send({{"log", line}, {"warning", level >= log::Level::kWarn}});
    };
    context.progress = [&](uint64_t done, uint64_t total) {
      const std::lock_guard lock(mutex_);
      progress_ = {{"stream", stream}, {"progress", {done, total}}};
    };
    send({{"begin", stream}});
    try {
      const auto done = ingest_.sync(source_, stream, options_, context);
      send({{"end", stream},
            {"table", done.table},
            {"run_date", done.run_date},
            {"mode", ingest::mode_name(done.mode)},
            {"rows", done.rows},
            {"bytes", done.bytes},
            {"rejected", done.rejected},
            {"seconds", done.seconds}});
    } catch (const Error& error) {
      auto told = error_json(error);
      told["end"] = stream;
      send(std::move(told));
    }
  }

  void send(json::object line) {
    const std::lock_guard lock(mutex_);
    lines_ += json::serialize(line) + "\n";
    progress_.clear();
    changed_.notify_all();
  }

  /// False when the last line went out.
  bool pass_on(Response& response) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kBeat, [&] { return !lines_.empty() || ended_; });
    std::string lines = std::exchange(lines_, {});
    const bool more = !ended_;
    if (more && !progress_.empty()) lines += json::serialize(std::exchange(progress_, {})) + "\n";
    lock.unlock();
    if (lines.empty()) return more;
    response.write(lines);
    response.flush();
    return more;
  }

  Ingest& ingest_;
  const std::string source_, only_;
  ingest::SyncOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string lines_;      // guarded by mutex_, as all below
  json::object progress_;  // the newest, not told yet
  bool ended_ = false;
};

std::string name_of(const Request& request) { return std::string(request.param("name")); }

}  // namespace

void register_ingest(net::Server& server, Ingest& ingest) {
  const std::string base = "/api/v1/ingest";
  server.route("GET", base + "/sources",
               guarded([&](Request&, Response& response) { list_sources(ingest, response); }));
  server.route("GET", base + "/sources/{name}/streams",
               guarded([&](Request& request, Response& response) {
                 json::array streams;
                 for (const auto& stream : ingest.discover(name_of(request)))
                   streams.push_back(stream_json(stream));
                 response.json(json::serialize(json::object{{"streams", std::move(streams)}}));
               }));
  server.route("GET", base + "/sources/{name}/proposal",
               guarded([&](Request& request, Response& response) {
                 response.text(ingest.propose(name_of(request)), "application/yaml");
               }));
  server.route(
      "GET", base + "/sources/{name}/check", guarded([&](Request& request, Response& response) {
        response.json(json::serialize(json::object{{"message", ingest.check(name_of(request))}}));
      }));
  server.route("PUT", base + "/sources/{name}", guarded([&](Request& request, Response& response) {
                 const auto asked = body(request);
                 response.json(json::serialize(json::object{
                     {"message", ingest.add(name_of(request), text(asked, "yaml", true))}}));
               }));
  server.route("POST", base + "/sync", guarded([&](Request& request, Response& response) {
                 Syncs(ingest, body(request)).answer(request, response);
               }),
               {.max_body_bytes = kMaxBody, .compress = false});
  server.route("GET", base + "/status",
               guarded([&](Request&, Response& response) { tell_status(ingest, response); }));
  server.route("GET", base + "/history", guarded([&](Request& request, Response& response) {
                 tell_history(ingest, request, response);
               }));
}

}  // namespace meesh::serve::api
