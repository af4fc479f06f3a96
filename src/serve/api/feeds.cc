#include "serve/api/feeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using net::Request;
using net::Response;
using streams::Feeds;

constexpr size_t kMostEvents = 10'000;
constexpr int64_t kMostVersion = INT32_MAX;

json::array list_of(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

json::object event_json(const streams::FeedEvent& event) {
  json::object told{{"id", event.id},
                    {"feed", event.feed},
                    {"kind", event.kind},
                    {"state", event.state},
                    {"started_ms", event.started_ms},
                    {"ended_ms", event.ended_ms},
                    {"rows", event.rows},
                    {"records", event.records},
                    {"bytes", event.bytes}};
  if (event.version > 0) told["version"] = event.version;
  if (!event.detail.empty()) told["detail"] = event.detail;
  if (!event.error.empty()) told["error"] = event.error;
  return told;
}

json::array partitions_json(const std::vector<streams::FeedPartition>& partitions) {
  json::array all;
  for (const auto& one : partitions)
    all.push_back(json::object{{"path", one.path}, {"records", one.records}, {"bytes", one.bytes}});
  return all;
}

json::object config_json(const streams::FeedConfig& feed) {
  const bool stream = feed.type == streams::FeedType::kStream;
  json::object told{{"description", feed.description},
                    {"type", streams::type_name(feed.type)},
                    {"source", feed.source ? feed.source->display() : feed.ksqldb_source},
                    {"storage_mode", streams::storage_mode(feed.type)},
                    {"partitioning", streams::partitioning_name(feed.type)},
                    {"permissions", feed.permissions == 0755 ? "755" : "750"},
                    {"enabled", feed.enabled}};
  if (stream) told["retention_days"] = feed.retention_days;
  if (!stream) told["retention_versions"] = feed.retention_versions;
  if (!feed.event_time.empty()) told["event_time"] = feed.event_time;
  if (!feed.cursor.empty()) told["cursor"] = feed.cursor;
  return told;
}

json::object status_json(const streams::FeedStatus& status, bool everything) {
  json::object told{{"name", status.config.name}};
  if (!status.error.empty()) {
    told["error"] = status.error;
    return told;
  }
  for (auto& [key, value] : config_json(status.config)) told[key] = value;
  const auto& state = status.state;
  told["origin"] = status.origin;
  told["table"] = status.table;
  told["folder"] = status.folder;
  told["records"] = state.records;
  told["bytes"] = state.bytes;
  told["partition_count"] = status.partitions.size();
  told["last_export_ms"] = state.last_export_ms;
  if (state.current_version > 0) told["current_version"] = state.current_version;
  if (state.published_version > 0) told["view"] = status.table + "_current";
  if (status.last) told["last"] = event_json(*status.last);
  if (!everything) return told;
  told["partitions"] = partitions_json(status.partitions);
  if (!state.position.is_null()) told["position"] = state.position;
  json::array versions;
  for (const auto& version : status.versions) {
    versions.push_back(json::object{{"version", version.version},
                                    {"written_ms", version.written_ms},
                                    {"rows", version.rows},
                                    {"removed", version.removed},
                                    {"current", version.version == state.current_version}});
  }
  if (!versions.empty()) told["versions"] = std::move(versions);
  return told;
}

std::string name_of(const Request& request) { return std::string(request.param("name")); }

/// Milliseconds since 1970 instead of the clock; for days that have not come yet.
std::optional<int64_t> now_of(const json::object& body) {
  const auto* value = body.if_contains("now_ms");
  if (!value || value->is_null()) return std::nullopt;
  if (!value->is_int64() || value->get_int64() < 0)
    throw Error(Code::kBadRequest, "'now_ms' is no number of milliseconds since 1970");
  return value->get_int64();
}

void list_feeds(const Feeds& feeds, Response& response) {
  json::array all;
  for (const auto& status : feeds.list()) all.push_back(status_json(status, false));
  answer(response,
         json::object{{"feeds", std::move(all)}, {"folder", feeds.settings().folder.string()}});
}

void show_feed(const Feeds& feeds, const std::string& name, Response& response) {
  json::object told = status_json(feeds.show(name), true);
  json::array events;
  for (const auto& event : feeds.events(name, 20)) events.push_back(event_json(event));
  told["events"] = std::move(events);
  answer(response, told);
}

void tell_events(const Feeds& feeds, const Request& request, Response& response) {
  json::array events;
  for (const auto& event : feeds.events(query_text(request, "feed"),
                                        query_number(request, "limit", 100, 1, kMostEvents)))
    events.push_back(event_json(event));
  answer(response, json::object{{"events", std::move(events)}});
}

void sync_files(Feeds& feeds, Response& response) {
  const auto told = feeds.sync();
  answer(response, json::object{{"added", list_of(told.added)},
                                {"changed", list_of(told.changed)},
                                {"archived", list_of(told.archived)},
                                {"unchanged", list_of(told.unchanged)},
                                {"errors", list_of(told.errors)}});
}

/// What a request names, or all feeds that are enabled, of `type` if that is not "".
std::vector<std::string> feeds_of(const Feeds& feeds, const json::object& asked) {
  auto names = texts(asked, "feeds");
  if (!names.empty()) return names;
  const std::string type = text(asked, "type");
  for (const auto& status : feeds.list()) {
    const bool wanted = type.empty() || type == streams::type_name(status.config.type);
    if (status.config.enabled && wanted) names.push_back(status.config.name);
  }
  return names;
}

void export_one(Feeds& feeds, const std::string& name, std::optional<int64_t> now_ms,
                const std::stop_token& stop, Lines& out) {
  TaskContext context;
  context.stop = stop;
  context.log = [&](log::Level level, const std::string& line) {
    out.send({{"log", line}, {"warning", level >= log::Level::kWarn}});
  };
  context.progress = [&](uint64_t done, uint64_t total) {
    out.progress({{"feed", name}, {"progress", {done, total}}});
  };
  out.send({{"begin", name}});
  try {
    const auto done = feeds.export_feed(name, now_ms, context);
    json::object told{{"end", name},
                      {"table", done.table},
                      {"folder", done.folder},
                      {"rows", done.rows},
                      {"records", done.records},
                      {"bytes", done.bytes},
                      {"removed_rows", done.removed_rows},
                      {"removed", list_of(done.removed)},
                      {"notes", list_of(done.notes)},
                      {"seconds", done.seconds}};
    if (done.version > 0) told["version"] = done.version;
    out.send(told);
  } catch (const Error& error) {
    auto told = error_json(error);
    told["end"] = name;
    out.send(told);
  }
}

/// One after another, told in lines as they go.
void export_feeds(Feeds& feeds, Request& request, Response& response) {
  const auto asked = body_of(request);
  const auto now_ms = now_of(asked);
  const auto names = feeds_of(feeds, asked);
  const std::string type = text(asked, "type");
  for (const auto& name : texts(asked, "feeds")) {  // before anything is answered
    const auto status = feeds.show(name);
    if (type.empty() || type == streams::type_name(status.config.type)) continue;
    throw Error(Code::kInvalidArguments,
                fmt::format("the feed '{}' is a {}", name, streams::type_name(status.config.type)));
  }
  Lines().run(request, response, [&](const std::stop_token& stop, Lines& out) {
    for (const auto& name : names)
      if (!stop.stop_requested()) export_one(feeds, name, now_ms, stop, out);
  });
}

void retain(Feeds& feeds, Request& request, Response& response) {
  const auto asked = body_of(request);
  const auto now_ms = now_of(asked);
  json::array told;
  for (const auto& name : feeds_of(feeds, asked)) {
    const auto gone = feeds.retain(name, now_ms, flag(asked, "dry_run"), {});
    told.push_back(json::object{
        {"feed", name}, {"rows", gone.rows}, {"removed", partitions_json(gone.removed)}});
  }
  answer(response, json::object{{"feeds", std::move(told)}});
}

}  // namespace

void register_feeds(net::Server& server, Feeds& feeds) {
  const std::string base = "/api/v1/data-lake";
  const auto route = [&](const char* method, const std::string& path, auto handler) {
    server.route(method, base + path, guarded(std::move(handler)));
  };
  const auto tell = [&feeds](const std::string& name, Response& response) {
    answer(response, status_json(feeds.show(name), true));
  };
  route("GET", "/feeds", [&](Request&, Response& response) { list_feeds(feeds, response); });
  route("POST", "/sync", [&](Request&, Response& response) { sync_files(feeds, response); });
  route("POST", "/retain",
        [&](Request& request, Response& response) { retain(feeds, request, response); });
  route("GET", "/events",
        [&](Request& request, Response& response) { tell_events(feeds, request, response); });
  server.route("POST", base + "/export", guarded([&](Request& request, Response& response) {
                 export_feeds(feeds, request, response);
               }),
               {.max_body_bytes = kMostBody, .compress = false});
  route("GET", "/feeds/{name}", [&](Request& request, Response& response) {
    show_feed(feeds, name_of(request), response);
  });
  route("PUT", "/feeds/{name}", [&feeds, tell](Request& request, Response& response) {
    feeds.add(name_of(request), body_of(request));
    tell(name_of(request), response);
  });
  route("POST", "/feeds/{name}", [&feeds, tell](Request& request, Response& response) {
    feeds.update(name_of(request), body_of(request));
    tell(name_of(request), response);
  });
  route("POST", "/feeds/{name}/archive", [&](Request& request, Response& response) {
    feeds.archive(name_of(request));
    answer(response, json::object{{"archived", name_of(request)}});
  });
  route("POST", "/feeds/{name}/rollback", [&feeds, tell](Request& request, Response& response) {
    const int64_t version = number(body_of(request), "version", 0, kMostVersion);
    if (version == 0) throw Error(Code::kBadRequest, "'version' is missing");
    feeds.roll_back(name_of(request), version, {});
    tell(name_of(request), response);
  });
}

}  // namespace meesh::serve::api
