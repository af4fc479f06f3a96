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
      {"percent_bar", "echarts_timeseries_bar"},
      {"scatter", "echarts_timeseries_scatter"},
      {"pie", "pie"},
      {"donut", "pie"},
      {"rose", "pie"},
      {"number", "big_number_total"},
      {"number_trend", "big_number"},
      {"gauge", "gauge_chart"},
      {"dual_axis", "mixed_timeseries"},
      {"funnel", "funnel"},
      {"treemap", "treemap_v2"},
      {"sunburst", "sunburst_v2"},
      {"histogram", "histogram_v2"},
      {"heat_map", "heatmap_v2"},
      {"rfm", "heatmap_v2"},
      {"radar", "radar"},
      {"word_cloud", "word_cloud"},
      {"bubble", "bubble_v2"},
      {"sankey", "sankey_v2"},
      {"pivot", "pivot_table_v2"}};
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

/// A number as the chart's options say it: d3's format.
std::string number_format(const json::object& options) {
  static const std::map<std::string, std::string> formats = {{"percent", ".1%"},
                                                             {"integer", ",d"},
                                                             {"currency", ",.2f"},
                                                             {"number", ",.2f"},
                                                             {"compact", ".3~s"}};
  const auto found = formats.find(text_in(options, "format", "en"));
  return found == formats.end() ? "SMART_NUMBER" : found->second;
}

/// Marks of a treemap or a sunburst are small: long numbers would hide the names.
void add_format(json::object& to, const std::string& type, const json::object& options) {
  const bool small = type == "treemap_v2" || type == "sunburst_v2";
  to["number_format"] = to["y_axis_format"] = small ? "SMART_NUMBER" : number_format(options);
  const std::string unit = text_in(options, "unit", "en");
  if (!small && !unit.empty() && text_in(options, "format", "en") == "currency")
    to["currency_format"] = {{"symbol", unit}, {"symbolPosition", "suffix"}};
}

struct Roles {
  std::vector<std::string> columns, words, series, numbers;
};

/// What a chart that does not say it means by its columns; their types are not known here.
void guess(Roles& roles, const std::string& kind) {
  const auto& columns = roles.columns;
  const bool points = kind == "scatter", many = kind == "radar";
  if (roles.words.empty() && columns.size() > 1) roles.words.push_back(columns.front());
  if (points && roles.series.empty() && roles.numbers.empty() && columns.size() > 2)
    roles.series.push_back(columns[2]);
  const bool split = kind.starts_with("stacked") || kind == "grouped_bar" || kind == "percent_bar";
  if (split && roles.series.empty() && roles.numbers.empty() && columns.size() == 3)
    roles.series.push_back(columns[1]);
  if (!roles.numbers.empty() || columns.empty()) return;
  if (many && columns.size() > 1) {
    roles.numbers.assign(columns.begin() + 1, columns.end());
  } else {
    roles.numbers.push_back(points && columns.size() > 1 ? columns[1] : columns.back());
  }
}

/// Which columns are words and which are numbers: as the file says, else by their places.
Roles roles_of(const std::string& kind, const json::object& encode,
               const std::vector<std::string>& columns) {
  Roles roles{columns, named(encode, "x"), named(encode, "series"), named(encode, "y")};
  for (const char* key : {"label", "path", "series"})
    for (const auto& name : named(encode, key)) roles.words.push_back(name);
  for (const auto& name : named(encode, "value")) roles.numbers.push_back(name);
  guess(roles, kind);
  return roles;
}

json::array metrics_of(const std::vector<std::string>& numbers) {
  json::array metrics;
  for (const auto& number : numbers) metrics.push_back(sum_of(number));
  return metrics;
}

/// Those with an axis of words or time.
void add_axes(json::object& to, const std::string& kind, const Roles& roles,
              const json::object& encode) {
  if (!roles.words.empty()) to["x_axis"] = roles.words.front();
  to["groupby"] = json::array(roles.series.begin(), roles.series.end());
  to["metrics"] = metrics_of(roles.numbers);
  to["x_axis_sort_asc"] = true;
  if (kind.starts_with("stacked") || kind == "percent_bar") to["stack"] = "Stack";
  if (kind == "percent_bar") {
    to["contributionMode"] = "row";
    to["y_axis_format"] = ".0%";
  }
  if (kind == "horizontal_bar") to["orientation"] = "horizontal";
  if (kind != "dual_axis") return;
  to["metrics_b"] = metrics_of(named(encode, "y2"));
  to["groupby_b"] = json::array();
  to["seriesType"] = "bar";
  to["seriesTypeB"] = "line";
  to["yAxisIndexB"] = 1;
}

void add_special(json::object& to, const std::string& kind, const Roles& roles,
                 const json::object& encode) {
  // The column that the file names, else the one at this place.
  const auto column = [&](const char* key, size_t otherwise) {
    if (const auto said = named(encode, key); !said.empty()) return said.front();
    return otherwise < roles.columns.size() ? roles.columns[otherwise] : std::string();
  };
  if (kind == "histogram") {
    to["column"] = roles.numbers.empty() ? "" : roles.numbers.front();
    to["groupby"] = json::array(roles.series.begin(), roles.series.end());
    to["bins"] = 20;
  } else if (kind == "heat_map" || kind == "rfm") {
    // Here `y` is the words beside the rows.
    to["x_axis"] = column("x", 0);
    to["groupby"] = column("y", 1);
    to["metric"] = sum_of(column("value", 2));
    to.erase("metrics");
    to["normalize_across"] = "heatmap";
    if (kind == "rfm") to["sort_x_axis"] = to["sort_y_axis"] = "alpha_asc";  // scores
  } else if (kind == "number_trend") {
    to.erase("groupby");
    if (!roles.words.empty()) to["x_axis"] = to["granularity_sqla"] = roles.words.front();
  } else if (kind == "gauge") {
    to["split_number"] = 2;
  } else if (kind == "bubble") {
    to.erase("groupby");
    to["x"] = sum_of(column("x", 0));
    to["y"] = sum_of(column("y", 1));
    to["size"] = sum_of(column("size", 2));
    to["entity"] = column("label", roles.columns.size() - 1);
    to["series"] =
        roles.series.empty() ? column("label", roles.columns.size() - 1) : roles.series.front();
    to["x_axis_label"] = column("x", 0);
    to["y_axis_label"] = column("y", 1);
  } else if (kind == "sankey") {
    to.erase("groupby");
    to["source"] = column("from", 0);
    to["target"] = column("to", 1);
    to["metric"] = sum_of(column("value", 2));
  } else if (kind == "pivot") {
    to.erase("groupby");
    to["groupbyRows"] = list_of(json::value(column("rows", 0)));
    to["groupbyColumns"] = list_of(json::value(column("columns", 1)));
    to["aggregateFunction"] = "Sum";
    to["valueFormat"] = to["number_format"];
  }
}

json::object parameters_of(const ChartConfig& chart, const json::object& file,
                           const std::vector<std::string>& columns) {
  const auto member = [&](const char* key) {
    const auto* given = file.if_contains(key);
    return given && given->is_object() ? given->get_object() : json::object();
  };
  const json::object encode = member("encode"), options = member("options");
  const std::string type = chart_type(chart.kind);
  json::object made{{"viz_type", type}, {"row_limit", 10000}, {"adhoc_filters", json::array()}};
  if (type == "table") {
    made["query_mode"] = "raw";
    made["all_columns"] = json::array(columns.begin(), columns.end());
    return made;
  }
  const Roles roles = roles_of(chart.kind, encode, columns);
  const json::array groups(roles.words.begin(), roles.words.end());
  const json::array metrics = metrics_of(roles.numbers);
  add_format(made, type, options);
  made["show_legend"] = true;
  made["metric"] = metrics.empty() ? json::value(nullptr) : metrics.front();
  if (type.starts_with("echarts") || type == "mixed_timeseries") {
    add_axes(made, chart.kind, roles, encode);
    return made;
  }
  made["metrics"] = metrics;
  made["groupby"] = groups;
  if (type == "sunburst_v2") made["columns"] = groups;
  if (chart.kind == "donut") made["donut"] = true;
  for (const auto& [from, to] : {std::pair{"min", "min_val"}, {"max", "max_val"}})
    if (const auto* value = options.if_contains(from)) made[to] = *value;
  add_special(made, chart.kind, roles, encode);
  return made;
}

/// The column of time, as far as the kind tells; "" if it does not.
std::string time_column(const ChartConfig& chart, const json::object& file,
                        const std::vector<std::string>& columns) {
  if (chart.kind != "number_trend" || columns.empty()) return "";
  const auto* encode = file.if_contains("encode");
  const auto said =
      encode && encode->is_object() ? named(encode->get_object(), "x") : std::vector<std::string>();
  return said.empty() ? columns.front() : said.front();
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
    const auto time = time_column(config, file, columns);
    for (const auto& column : columns)
      described.push_back({{"column_name", column},
                           {"is_active", true},
                           {"is_dttm", column == time},
                           {"groupby", true},
                           {"filterable", true}});
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
    std::map<int, std::multimap<int, std::string>> rows;  // by y, then x
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
        meta["chartId"] = i + 1;  // Superset puts its own in its place, by the uuid
      } else {
        meta["code"] = text_in(charts[i].as_object(), "text", options.language);
      }
      const std::string row = fmt::format("ROW-{}", y);
      made[id] = {{"id", id},
                  {"type", chart.asks() ? "CHART" : "MARKDOWN"},
                  {"children", json::array()},
                  {"parents", {"ROOT_ID", "GRID_ID", row}},
                  {"meta", meta}};
      rows[y].emplace(number("x", 0), id);
    }
    json::array ids;
    for (const auto& [y, children] : rows) {
      const std::string row = fmt::format("ROW-{}", y);
      ids.emplace_back(row);
      json::array in_order;
      for (const auto& [x, child] : children) in_order.emplace_back(child);
      made[row] = {{"id", row},
                   {"type", "ROW"},
                   {"children", in_order},
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
