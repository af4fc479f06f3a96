// Data and events of dashboards.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "dashboards/cells.h"
#include "serve/api/dashboards_handlers.h"
#include "serve/api/json_api.h"

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using dashboards::ChartAnswer;
using dashboards::ClickFilter;
using dashboards::Dashboard;
using dashboards::Dashboards;
using dashboards::DataRequest;
using net::Request;
using net::Response;

constexpr dashboards::Millis kLook{1000};     // for a client that left, for a server that stops
constexpr std::chrono::seconds kSilence{15};  // after it a comment goes out
constexpr size_t kMostFilters = 50, kMostValues = 10'000;

Error not_a(std::string_view key, std::string_view what) {
  return Error(Code::kBadRequest, fmt::format("'{}' is no {}", key, what));
}

std::vector<json::value> values_of(const json::object& object) {
  std::vector<json::value> all;
  const auto* values = object.if_contains("values");
  if (!values) return all;
  if (!values->is_array() || values->get_array().size() > kMostValues)
    throw not_a("values", fmt::format("list of at most {}", kMostValues));
  for (const auto& value : values->get_array()) {
    if (value.is_object() || value.is_array()) throw not_a("values", "list of values");
    all.push_back(value);
  }
  return all;
}

void read_filters(const json::object& body, DataRequest& to) {
  const auto* filters = body.if_contains("filters");
  if (!filters || filters->is_null()) return;
  if (!filters->is_array() || filters->get_array().size() > kMostFilters)
    throw not_a("filters", fmt::format("list of at most {}", kMostFilters));
  for (const auto& given : filters->get_array()) {
    if (!given.is_object()) throw not_a("filters", "list of { column, op, values }");
    const auto& object = given.get_object();
    ClickFilter filter{needed_text(object, "column"), text(object, "op", "in"), values_of(object)};
    if (const std::string source = text(object, "source"); !source.empty())
      to.filter_sources[filter.column] = source;
    to.filters.push_back(std::move(filter));
  }
}

void read_drill(const json::object& body, DataRequest& to) {
  const auto* drill = body.if_contains("drill");
  if (!drill || drill->is_null()) return;
  if (!drill->is_object()) throw not_a("drill", "object");
  for (const auto& [id, given] : drill->get_object()) {
    if (!given.is_object()) throw not_a("drill", "object of { level, values }");
    const auto& object = given.get_object();
    const auto* level = object.if_contains("level");
    if (level && (!level->is_int64() || level->get_int64() < 0 || level->get_int64() > 100))
      throw not_a("level", "number from 0 to 100");
    to.drill[std::string(id)] = {level ? static_cast<size_t>(level->get_int64()) : 0,
                                 values_of(object)};
  }
}

/// Counts as long as it is held; throws 503 when there are too many.
class Seat {
 public:
  explicit Seat(Viewers& viewers) : viewers_(viewers) {
    if (++viewers_.now <= viewers_.options.most_viewers) return;
    --viewers_.now;
    throw net::HttpError(503, fmt::format("{} viewers of dashboards are served already",
                                          viewers_.options.most_viewers));
  }
  ~Seat() { --viewers_.now; }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

 private:
  Viewers& viewers_;
};

json::object problem_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return problem_json(error);
  }
}

}  // namespace

DataRequest data_request(const json::object& body, const std::string& user) {
  DataRequest wanted;
  wanted.user = user;
  wanted.language = text(body, "language", "en");
  if (const auto* charts = body.if_contains("charts"); charts && !charts->is_null())
    wanted.charts = texts(body, "charts");
  if (const auto* parameters = body.if_contains("parameters");
      parameters && !parameters->is_null()) {
    if (!parameters->is_object()) throw not_a("parameters", "object");
    wanted.parameters = parameters->get_object();
  }
  const auto* from = body.if_contains("from");
  const auto* to = body.if_contains("to");
  const auto* time = body.if_contains("time");
  if (time && !time->is_null()) {
    wanted.time = *time;
  } else if ((from && !from->is_null()) || (to && !to->is_null())) {
    wanted.time = json::object{{"from", text(body, "from")}, {"to", text(body, "to")}};
  }
  read_filters(body, wanted);
  read_drill(body, wanted);
  return wanted;
}

std::string chart_line(const ChartAnswer& told) {
  std::string line = "{\"id\":";
  dashboards::append_json_text(line, told.id);
  if (!told.answer) {
    line += ",\"problem\":" + json::serialize(problem_of(told.failure));
  } else {
    line += ",\"columns\":" + told.answer->columns_text + ",\"rows\":" + told.answer->rows_text;
    line += fmt::format(",\"cached\":{},\"version_ms\":{}", told.cached, told.answer->computed_ms);
    if (told.answer->truncated) line += ",\"truncated\":true";
  }
  line += fmt::format(",\"elapsed_ms\":{}", told.elapsed_ms);
  if (!told.ignored.empty()) {
    json::array ignored(told.ignored.begin(), told.ignored.end());
    line += ",\"ignored\":" + json::serialize(ignored);
  }
  if (!told.statement.empty()) {
    line += ",\"statement\":";
    dashboards::append_json_text(line, told.statement);
  }
  return line + "}\n";
}

void send_data(Dashboards& dashboards, const Dashboard& dashboard, const DataRequest& wanted,
               Request& request, Response& response) {
  // Mistakes of the request are answered as such before the first line.
  if (wanted.charts)
    for (const auto& id : *wanted.charts) dashboard.chart(id);
  dashboards::bound_values(dashboard, wanted, 0);
  response.headers.set("Content-Type", "application/x-ndjson");
  std::string lines;  // of kept answers, which go out together
  const auto done = [&](const ChartAnswer& told) {
    lines += chart_line(told);
    if (told.cached) return;
    response.write(std::exchange(lines, {}));
    response.flush();
  };
  // Queries of a viewer who left are cancelled, unless others wait for them.
  dashboards.data().run(dashboard, wanted, {}, done, [&] { return request.client_gone(); });
  response.write(lines);
}

void send_events(Dashboards& dashboards, Viewers& viewers, const std::string& name,
                 Request& request, Response& response) {
  const Seat seat(viewers);
  const auto viewer = dashboards.watch().watch(name);
  response.headers.set("Content-Type", "text/event-stream; charset=utf-8");
  response.headers.set("Cache-Control", "no-cache");
  response.headers.set("X-Accel-Buffering", "no");  // for proxies that gather first
  auto sent = std::chrono::steady_clock::now();
  const auto send = [&](const std::string& text) {
    response.write(text);
    response.flush();
    sent = std::chrono::steady_clock::now();
  };
  send(": " + name + "\n\n");
  while (!viewers.options.stopping.stop_requested() && !request.client_gone()) {
    const auto event = viewer->next(kLook);
    if (event && event->kind == dashboards::WatchEvent::Kind::kEdited) {
      send("event: edited\ndata: {}\n\n");
    } else if (event) {
      const json::array charts(event->charts.begin(), event->charts.end());
      send(fmt::format("event: changed\ndata: {}\n\n",
                       json::serialize(json::object{{"charts", charts}})));
    } else if (std::chrono::steady_clock::now() - sent >= kSilence) {
      send(": still here\n\n");
    }
  }
}

}  // namespace meesh::serve::api
