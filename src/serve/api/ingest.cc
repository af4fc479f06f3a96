#include "serve/api/ingest.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "serve/api/caller.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using ingest::Ingest;
using net::Request;
using net::Response;

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

json::array streams_json(const std::vector<ingest::Stream>& streams) {
  json::array all;
  for (const auto& stream : streams) all.push_back(stream_json(stream));
  return all;
}

/// What a source's file may say, by kind, as JSON Schemas that a form can be made of.
void list_kinds(Response& response) {
  const auto shape = base::json_schema(ingest::source_shape(), "source");
  json::array kinds;
  for (const auto& one : shape.at("oneOf").as_array()) {
    const auto& schema = one.as_object();
    kinds.push_back(json::object{{"kind", schema.at("properties").at("kind").at("const")},
                                 {"description", schema.at("description")},
                                 {"schema", schema}});
  }
  answer(response, json::object{{"kinds", std::move(kinds)}});
}

/// A source that is not there yet: whether it can be reached, and what it has.
void try_out(Ingest& ingest, Request& request, Response& response) {
  need(request, Role::kEditor);
  const auto asked = body_of(request);
  const auto trial = ingest.try_out(needed_text(asked, "name"), needed_text(asked, "yaml"));
  answer(response,
         json::object{{"message", trial.message}, {"streams", streams_json(trial.streams)}});
}

/// How far behind each source is whose changes are followed.
json::array changes_json(const Ingest& ingest) {
  json::array all;
  for (const auto& config : ingest.sources()) {
    const auto status = ingest.changes(config.name);
    if (!status) continue;
    json::array tables;
    for (const auto& table : status->tables) {
      tables.push_back({{"stream", table.stream},
                        {"table", table.table},
                        {"position", table.position},
                        {"rows", table.rows},
                        {"rejected", table.rejected}});
    }
    all.push_back(json::object{{"source", config.name},
                               {"continuous", config.continuous},
                               {"running", status->running},
                               {"caught_up", status->caught_up},
                               {"phase", status->phase},
                               {"lag_bytes", status->lag_bytes},
                               {"lag_seconds", status->lag_seconds},
                               {"tables", std::move(tables)},
                               {"warnings", list_of(status->warnings)}});
  }
  return all;
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
                                             {"changes", changes_json(ingest)},
                                             {"metrics",
                                              {{"syncs", syncs},
                                               {"success_rate", rate(succeeded, syncs)},
                                               {"mean_seconds", mean},
                                               {"rows", rows},
                                               {"rejected", rejected}}}}));
}

void tell_history(const Ingest& ingest, const Request& request, Response& response) {
  json::array syncs;
  const auto limit = query_number(request, "limit", 50, 1, 10'000);
  for (const auto& record :
       ingest.history(query_text(request, "source"), query_text(request, "table"), limit))
    syncs.push_back(record_json(record));
  response.json(json::serialize(json::object{{"syncs", std::move(syncs)}}));
}

void tell_state(const Ingest& ingest, const std::string& source, Response& response) {
  json::array streams;
  const auto parsed = [](const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::parse(text);
  };
  for (const auto& one : ingest.state(source)) {
    json::object told{{"stream", one.stream},
                      {"table", one.table},
                      {"mode", one.mode},
                      {"configured", one.configured},
                      {"position", parsed(one.position)},
                      {"moved_ms", one.moved_ms}};
    if (!one.merged.empty()) told["merged"] = parsed(one.merged);
    streams.push_back(std::move(told));
  }
  answer(response, json::object{{"streams", std::move(streams)}});
}

/// Of one table or, to forget it, of all.
void change_state(Ingest& ingest, const std::string& source, Request& request, Response& response) {
  need(request, Role::kEditor);
  const auto asked = body_of(request);
  const std::string table = text(asked, "table");
  const auto* position = asked.if_contains("position");
  const bool forget = !position || position->is_null();
  if (table.empty() && !forget) {
    throw Error(Code::kInvalidArguments, "a position is that of one table")
        .with_hint("name it: source.table");
  }
  json::array streams;
  for (const auto& one : ingest.state(source)) {
    if (table.empty() ? one.position.empty() : one.stream != table) continue;
    ingest.set_state(source, one.stream, forget ? "" : json::serialize(*position));
    streams.push_back(json::value(one.stream));
  }
  if (streams.empty() && !table.empty()) {
    ingest.set_state(source, table, forget ? "" : json::serialize(*position));
    streams.push_back(json::value(table));
  }
  answer(response, json::object{{"streams", std::move(streams)}});
}

void sync_stream(Ingest& ingest, const std::string& source, const std::string& stream,
                 const ingest::SyncOptions& options, const std::stop_token& stop, Lines& out) {
  TaskContext context;
  context.stop = stop;
  context.log = [&](log::Level level, const std::string& line) {
    out.send({{"log", line}, {"warning", level >= log::Level::kWarn}});
  };
  context.progress = [&](uint64_t done, uint64_t total) {
    out.progress({{"stream", stream}, {"progress", {done, total}}});
  };
  out.send({{"begin", stream}});
  try {
    const auto done = ingest.sync(source, stream, options, context);
    out.send({{"end", stream},
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
    out.send(told);
  }
}

/// One after another, told in lines as they go.
void sync(Ingest& ingest, Request& request, Response& response) {
  need(request, Role::kEditor);
  const auto asked = body_of(request);
  const std::string source = needed_text(asked, "source"), only = text(asked, "table");
  ingest::SyncOptions options;
  options.full_refresh = flag(asked, "full_refresh");
  options.run_date = text(asked, "run_date");
  ingest.source(source);  // before anything is answered
  Lines().run(request, response, [&](const std::stop_token& stop, Lines& out) {
    std::vector<std::string> streams;
    for (const auto& table : ingest.streams(source))
      if (only.empty() || table.name == only) streams.push_back(table.name);
    if (streams.empty() && !only.empty()) streams.push_back(only);  // to be told what there is
    for (const auto& stream : streams)
      if (!stop.stop_requested()) sync_stream(ingest, source, stream, options, stop, out);
  });
}

std::string name_of(const Request& request) { return std::string(request.param("name")); }

}  // namespace

void register_ingest(net::Server& server, Ingest& ingest) {
  const std::string base = "/api/v1/ingest";
  server.route("GET", base + "/sources",
               guarded([&](Request&, Response& response) { list_sources(ingest, response); }));
  server.route("GET", base + "/sources/{name}/streams",
               guarded([&](Request& request, Response& response) {
                 answer(response,
                        json::object{{"streams", streams_json(ingest.discover(name_of(request)))}});
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
                 need(request, Role::kEditor);
                 const auto asked = body_of(request);
                 response.json(json::serialize(json::object{
                     {"message", ingest.add(name_of(request), needed_text(asked, "yaml"))}}));
               }));
  server.route("GET", base + "/sources/{name}", guarded([&](Request& request, Response& response) {
                 need(request, Role::kEditor);  // a file may hold what is secret
                 answer(response, json::object{{"name", name_of(request)},
                                               {"yaml", ingest.file(name_of(request))}});
               }));
  server.route(
      "POST", base + "/sources/{name}", guarded([&](Request& request, Response& response) {
        need(request, Role::kEditor);
        const auto asked = body_of(request);
        answer(
            response,
            json::object{{"message", ingest.change(name_of(request), needed_text(asked, "yaml"))}});
      }));
  server.route("GET", base + "/sources/{name}/state",
               guarded([&](Request& request, Response& response) {
                 tell_state(ingest, name_of(request), response);
               }));
  server.route("PUT", base + "/sources/{name}/state",
               guarded([&](Request& request, Response& response) {
                 change_state(ingest, name_of(request), request, response);
               }));
  server.route("GET", base + "/kinds",
               guarded([](Request&, Response& response) { list_kinds(response); }));
  server.route("POST", base + "/trial", guarded([&](Request& request, Response& response) {
                 try_out(ingest, request, response);
               }));
  server.route("POST", base + "/sync", guarded([&](Request& request, Response& response) {
                 sync(ingest, request, response);
               }),
               {.max_body_bytes = kMostBody, .compress = false});
  server.route("GET", base + "/status",
               guarded([&](Request&, Response& response) { tell_status(ingest, response); }));
  server.route("GET", base + "/history", guarded([&](Request& request, Response& response) {
                 tell_history(ingest, request, response);
               }));
}

}  // namespace meesh::serve::api
