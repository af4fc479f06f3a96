// Superset's import format, version 1.0.0 of its metadata.yaml.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/clock.h"
#include "base/text.h"
#include "dashboards/chart_data.h"
#include "dashboards/export.h"
#include "dashboards/statement.h"
#include "dashboards/yaml_json.h"

namespace meesh::dashboards {
namespace {

namespace json = boost::json;

/// Braces around one value do not make a list.
json::array list_of(json::value only) {
  json::array list;
  list.push_back(std::move(only));
  return list;
}

/// The same for the same name, so that importing again replaces: RFC 9562's version 8.
std::string uuid_of(const std::string& name) {
  const uint64_t high = base::checksum("meesh/" + name), low = base::checksum(name + "/superset");
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xfff, 0x8000 | ((low >> 48) & 0x3fff), low & 0xffff'ffff'ffff);
}

std::string chart_type(const std::string& kind) {
  static const std::map<std::string, std::string> kinds = {
      {"line", "echarts_timeseries_line"},
      {"area", "echarts_area"},
      {"stacked_area", "echarts_area"},
      {"step", "echarts_timeseries_step"},
      {"bar", "echarts_timeseries_bar"},
      {"stacked_bar", "echarts_timeseries_bar"},
      {"grouped_bar", "echarts_timeseries_bar"},
      {"horizontal_bar", "echarts_timeseries_bar"},
      {"scatter", "echarts_timeseries_scatter"},
      {"pie", "pie"},
      {"donut", "pie"},
      {"rose", "pie"},
      {"number", "big_number_total"},
      {"gauge", "gauge_chart"},
      {"funnel", "funnel"},
      {"treemap", "treemap_v2"},
      {"sunburst", "sunburst_v2"},
      {"histogram", "histogram_v2"},
      {"heat_map", "heatmap_v2"},
      {"radar", "radar"},
      {"word_cloud", "word_cloud"}};
  const auto found = kinds.find(kind);
  return found == kinds.end() ? "table" : found->second;
}

std::vector<std::string> named(const json::object& encode, const char* key) {
  std::vector<std::string> all;
  const auto* value = encode.if_contains(key);
  if (!value) return all;
  if (value->is_array()) {
    for (const auto& one : value->get_array()) all.push_back(text_in(one, "en"));
  } else {
    all.push_back(text_in(*value, "en"));
  }
  return all;
}

/// SUM of a column, as Superset writes a metric that is not saved with the dataset.
json::object sum_of(const std::string& column) {
  return {{"expressionType", "SIMPLE"},
          {"column", {{"column_name", column}}},
          {"aggregate", "SUM"},
          {"label", column},
          {"optionName", "metric_" + column}};
}

json::object parameters_of(const ChartConfig& chart, const json::object& file,
                           const std::vector<std::string>& columns) {
  const auto* given = file.if_contains("encode");
  const json::object encode = given && given->is_object() ? given->get_object() : json::object();
  const std::string type = chart_type(chart.kind);
  json::object made{{"viz_type", type}, {"row_limit", 10000}, {"adhoc_filters", json::array()}};
  auto words = named(encode, "x");
  for (const char* key : {"label", "path", "series"})
    for (const auto& name : named(encode, key)) words.push_back(name);
  auto numbers = named(encode, "y");
  for (const auto& name : named(encode, "value")) numbers.push_back(name);
  if (numbers.empty() && !columns.empty()) numbers.push_back(columns.back());
  if (words.empty() && columns.size() > 1) words.push_back(columns.front());
  json::array metrics;
  for (const auto& number : numbers) metrics.push_back(sum_of(number));
  const json::array groups(words.begin(), words.end());
  if (type == "table") {
    made["query_mode"] = "raw";
    made["all_columns"] = json::array(columns.begin(), columns.end());
  } else if (type.starts_with("echarts")) {
    const auto series = named(encode, "series");
    if (!words.empty()) made["x_axis"] = words.front();
    made["metrics"] = metrics;
    made["groupby"] = json::array(series.begin(), series.end());
    if (chart.kind.starts_with("stacked")) made["stack"] = "Stack";
    if (chart.kind == "horizontal_bar") made["orientation"] = "horizontal";
  } else {
    made["metric"] = metrics.empty() ? json::value(nullptr) : metrics.front();
    made["metrics"] = metrics;
    made["groupby"] = groups;
    if (type == "sunburst_v2") made["columns"] = groups;
    if (chart.kind == "donut") made["donut"] = true;
  }
  return made;
}

/// The query with the defaults of its parameters.
Statement asked(const Dashboard& dashboard, const ChartConfig& chart, const Models& models) {
  DataRequest request;
  Statement statement =
      Statement::parse(chart.query ? compile(*chart.query, models) : chart.sql, chart.sql_place);
  statement.bind(bound_values(dashboard, request, base::now_ms()));
  return statement;
}

struct Exporter {
  const Models& models;
  const ExportOptions& options;
  ExportFiles files{};

  void database() {
    files["databases/DataMeesh.yaml"] = to_yaml(json::object{
        {"database_name", "DataMeesh"},
        {"sqlalchemy_uri", fmt::format("trino://superset@{}:{}/lake", options.host, options.port)},
        {"cache_timeout", nullptr},
        {"expose_in_sqllab", true},
        {"allow_run_async", false},
        {"allow_ctas", false},
        {"allow_cvas", false},
        {"allow_dml", false},
        {"extra", options.tls ? json::object{{"engine_params",
                                              {{"connect_args", {{"http_scheme", "https"}}}}}}
                              : json::object()},
        {"uuid", uuid_of("database")},
        {"version", "1.0.0"}});
  }

  void chart(const Dashboard& dashboard, const ChartConfig& config, const json::object& file) {
    const Statement statement = asked(dashboard, config, models);
    const auto columns = statement.columns().value_or(std::vector<std::string>{});
    const std::string name = dashboard.name + "_" + config.id;
    json::array described;
    for (const auto& column : columns)
      described.push_back(
          {{"column_name", column}, {"is_active", true}, {"groupby", true}, {"filterable", true}});
    files["datasets/DataMeesh/" + name + ".yaml"] = to_yaml(json::object{
        {"table_name", name},
        {"schema", nullptr},
        {"catalog", nullptr},
        {"sql", statement.text() + "\n"},
        {"columns", described},
        {"metrics", list_of(json::object{{"metric_name", "count"}, {"expression", "COUNT(*)"}})},
        {"uuid", uuid_of("dataset/" + name)},
        {"database_uuid", uuid_of("database")},
        {"version", "1.0.0"}});
    std::string title = text_in(file, "title", options.language);
    files["charts/" + name + ".yaml"] =
        to_yaml(json::object{{"slice_name", title.empty() ? config.id : title},
                             {"viz_type", chart_type(config.kind)},
                             {"params", parameters_of(config, file, columns)},
                             {"cache_timeout", nullptr},
                             {"uuid", uuid_of("chart/" + name)},
                             {"dataset_uuid", uuid_of("dataset/" + name)},
                             {"version", "1.0.0"}});
  }

  /// Rows of charts as they stand in the layout, each chart or text as wide as there.
  json::object position(const Dashboard& dashboard, const json::array& charts) const {
    json::object made{
        {"DASHBOARD_VERSION_KEY", "v2"},
        {"ROOT_ID", {{"id", "ROOT_ID"}, {"type", "ROOT"}, {"children", list_of("GRID_ID")}}}};
    std::map<std::string, json::object> places;
    if (const auto* layout = dashboard.json.if_contains("layout"); layout && layout->is_array())
      for (const auto& place : layout->get_array())
        places[text_in(place.as_object(), "id", "en")] = place.as_object();
    std::map<int, json::array> rows;
    int below = 100'000;
    for (size_t i = 0; i < dashboard.charts.size(); ++i) {
      const auto& chart = dashboard.charts[i];
      const auto found = places.find(chart.id);
      const auto number = [&](const char* key, int otherwise) {
        return found == places.end() ? otherwise : found->second.at(key).to_number<int>();
      };
      const int y = number("y", below++);
      const std::string id = fmt::format("{}-{}", chart.asks() ? "CHART" : "MARKDOWN", chart.id);
      json::object meta{{"width", number("w", 12)}, {"height", number("h", 5) * 8}};
      if (chart.asks()) {
        meta["uuid"] = uuid_of("chart/" + dashboard.name + "_" + chart.id);
      } else {
        meta["code"] = text_in(charts[i].as_object(), "text", options.language);
      }
      const std::string row = fmt::format("ROW-{}", y);
      made[id] = {{"id", id},
                  {"type", chart.asks() ? "CHART" : "MARKDOWN"},
                  {"children", json::array()},
                  {"parents", {"ROOT_ID", "GRID_ID", row}},
                  {"meta", meta}};
      rows[y].emplace_back(id);
    }
    json::array ids;
    for (const auto& [y, children] : rows) {
      const std::string row = fmt::format("ROW-{}", y);
      ids.emplace_back(row);
      made[row] = {{"id", row},
                   {"type", "ROW"},
                   {"children", children},
                   {"parents", {"ROOT_ID", "GRID_ID"}},
                   {"meta", {{"background", "BACKGROUND_TRANSPARENT"}}}};
    }
    made["GRID_ID"] = {
        {"id", "GRID_ID"}, {"type", "GRID"}, {"children", ids}, {"parents", list_of("ROOT_ID")}};
    return made;
  }

  void dashboard(const Dashboard& one) {
    const auto& charts = one.json.at("charts").as_array();
    for (size_t i = 0; i < one.charts.size(); ++i)
      if (one.charts[i].asks()) chart(one, one.charts[i], charts[i].as_object());
    files["dashboards/" + one.name + ".yaml"] =
        to_yaml(json::object{{"dashboard_title", text_in(one.json, "title", options.language)},
                             {"description", text_in(one.json, "description", options.language)},
                             {"css", ""},
                             {"slug", "meesh-" + one.name},
                             {"uuid", uuid_of("dashboard/" + one.name)},
                             {"position", position(one, charts)},
                             {"metadata", {{"color_scheme", "supersetColors"}}},
                             {"version", "1.0.0"}});
  }
};

}  // namespace

ExportFiles export_superset(const std::vector<Dashboard>& dashboards, const Models& models,
                            const ExportOptions& options) {
  Exporter exporter{models, options};
  exporter.files["metadata.yaml"] = to_yaml(json::object{
      {"version", "1.0.0"}, {"type", "Dashboard"}, {"timestamp", "2026-01-01T00:00:00+00:00"}});
  exporter.database();
  for (const auto& dashboard : dashboards) exporter.dashboard(dashboard);
  return std::move(exporter.files);
}

}  // namespace meesh::dashboards
