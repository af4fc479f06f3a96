// Grafana's provisioning: https://grafana.com/docs/grafana/latest/administration/provisioning/
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "dashboards/export.h"
#include "dashboards/statement.h"
#include "dashboards/yaml_json.h"

namespace meesh::dashboards {
namespace {

namespace json = boost::json;

constexpr int kSchemaVersion = 41;
constexpr const char* kSource = "meesh";
constexpr int kGridWidth = 24;  // ours has 12 columns

/// Braces around one value do not make a list.
json::array list_of(json::value only) {
  json::array list;
  list.push_back(std::move(only));
  return list;
}

/// The panel for a kind; a table for those that Grafana does not have.
std::string panel_type(const std::string& kind) {
  static const std::map<std::string, std::string> panels = {{"line", "timeseries"},
                                                            {"area", "timeseries"},
                                                            {"stacked_area", "timeseries"},
                                                            {"step", "timeseries"},
                                                            {"percent_area", "timeseries"},
                                                            {"control", "timeseries"},
                                                            {"bar", "barchart"},
                                                            {"stacked_bar", "barchart"},
                                                            {"grouped_bar", "barchart"},
                                                            {"percent_bar", "barchart"},
                                                            {"horizontal_bar", "barchart"},
                                                            {"pareto", "barchart"},
                                                            {"lollipop", "barchart"},
                                                            {"pie", "piechart"},
                                                            {"donut", "piechart"},
                                                            {"rose", "piechart"},
                                                            {"number", "stat"},
                                                            {"number_trend", "stat"},
                                                            {"gauge", "gauge"},
                                                            {"progress", "bargauge"},
                                                            {"bullet", "bargauge"},
                                                            {"histogram", "histogram"},
                                                            {"heat_map", "heatmap"},
                                                            {"candlestick", "candlestick"},
                                                            {"scatter", "xychart"},
                                                            {"bubble", "xychart"},
                                                            {"text", "text"},
                                                            {"gantt", "state-timeline"},
                                                            {"timeline", "state-timeline"}};
  const auto found = panels.find(kind);
  return found == panels.end() ? "table" : found->second;
}

/// Grafana's name of a number's format.
std::string unit_of(const json::object& chart) {
  const auto* options = chart.if_contains("options");
  if (!options || !options->is_object()) return "";
  const std::string format = text_in(options->get_object(), "format", "en");
  const std::string unit = text_in(options->get_object(), "unit", "en");
  if (format == "currency") return "currency" + (unit.empty() ? "EUR" : unit);
  if (format == "percent") return "percentunit";
  if (format == "bytes") return "bytes";
  if (format == "duration" || unit == "s") return "s";
  return format == "compact" ? "short" : "";
}

/// Parameters as template variables: Grafana writes them into the text in a form that is quoted.
std::string with_variables(const std::string& sql, const Dashboard& dashboard) {
  std::string text = sql;
  const auto put = [&](const std::string& name, const std::string& by) {
    const std::string hole = ":" + name;
    for (size_t at = 0; (at = text.find(hole, at)) != std::string::npos;) {
      const size_t end = at + hole.size();
      const bool longer =
          end < text.size() &&
          (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_');
      if (longer) {
        at = end;
        continue;
      }
      text.replace(at, hole.size(), by);
      at += by.size();
    }
  };
  put("from", "from_unixtime(${__from} / 1000)");
  put("to", "from_unixtime(${__to} / 1000)");
  for (const auto& parameter : dashboard.parameters) {
    const bool number = parameter.kind == ParameterConfig::Kind::kNumber ||
                        parameter.kind == ParameterConfig::Kind::kBoolean;
    put(parameter.name,
        number ? "${" + parameter.name + "}" : "${" + parameter.name + ":sqlstring}");
  }
  return text;
}

json::object source() { return {{"type", "trino-datasource"}, {"uid", kSource}}; }

json::object variable(const ParameterConfig& parameter, const json::object& file,
                      const std::string& language) {
  json::object made{{"name", parameter.name},
                    {"label", text_in(file, "label", language)},
                    {"multi", parameter.multiple},
                    {"includeAll", parameter.multiple},
                    {"hide", 0}};
  if (!parameter.sql.empty()) {
    made["type"] = "query";
    made["datasource"] = source();
    made["query"] = parameter.sql;
    made["definition"] = parameter.sql;
    made["refresh"] = 1;
  } else if (!parameter.options.empty()) {
    std::string all;
    for (const auto& option : parameter.options) {
      const auto& value = option.is_object() ? option.get_object().at("value") : option;
      all += (all.empty() ? "" : ",") + text_in(value, language);
    }
    made["type"] = "custom";
    made["query"] = all;
  } else {
    made["type"] = "textbox";
    made["query"] = text_in(parameter.fallback, language);
  }
  return made;
}

json::object panel(const Dashboard& dashboard, const ChartConfig& chart, const json::object& file,
                   const Models& models, const json::object& place, int id,
                   const std::string& language) {
  json::object made{{"id", id},
                    {"type", panel_type(chart.kind)},
                    {"title", text_in(file, "title", language)},
                    {"description", text_in(file, "description", language)},
                    {"gridPos", place}};
  if (chart.kind == "text") {
    made["options"] = {{"mode", "markdown"}, {"content", text_in(file, "text", language)}};
    return made;
  }
  const std::string sql =
      chart.query ? compile(*chart.query, models) : with_variables(chart.sql, dashboard);
  const bool series = panel_type(chart.kind) == "timeseries";
  made["datasource"] = source();
  json::object target{{"refId", "A"}, {"datasource", source()}, {"rawSQL", sql}};
  target["format"] = series ? 0 : 1;  // time series or table
  made["targets"] = list_of(std::move(target));
  json::object defaults;
  if (const std::string unit = unit_of(file); !unit.empty()) defaults["unit"] = unit;
  json::object custom;
  if (chart.kind.find("area") != std::string::npos) custom["fillOpacity"] = 25;
  if (chart.kind == "step") custom["lineInterpolation"] = "stepAfter";
  if (chart.kind.starts_with("stacked")) custom["stacking"] = {{"mode", "normal"}};
  if (chart.kind.starts_with("percent")) custom["stacking"] = {{"mode", "percent"}};
  if (!custom.empty()) defaults["custom"] = custom;
  made["fieldConfig"] = {{"defaults", defaults}, {"overrides", json::array()}};
  json::object options;
  if (chart.kind == "horizontal_bar") options["orientation"] = "horizontal";
  if (chart.kind == "stacked_bar") options["stacking"] = "normal";
  if (chart.kind == "percent_bar") options["stacking"] = "percent";
  if (chart.kind == "donut") options["pieType"] = "donut";
  const std::string shape = panel_type(chart.kind);
  if (shape == "stat" || shape == "gauge" || shape == "bargauge" || shape == "piechart")
    options["reduceOptions"] = {{"values", shape != "stat" && shape != "gauge"},
                                {"calcs", list_of("lastNotNull")},
                                {"fields", ""}};
  made["options"] = options;
  return made;
}

std::map<std::string, json::object> places_of(const json::object& file) {
  std::map<std::string, json::object> places;
  const auto* layout = file.if_contains("layout");
  if (!layout || !layout->is_array()) return places;
  for (const auto& one : layout->get_array()) {
    const auto& place = one.as_object();
    const auto number = [&](const char* key) { return place.at(key).to_number<int>(); };
    places[text_in(place, "id", "en")] = {{"x", number("x") * 2},
                                          {"y", number("y") * 2},
                                          {"w", number("w") * 2},
                                          {"h", number("h") * 2}};
  }
  return places;
}

json::object dashboard_json(const Dashboard& dashboard, const Models& models,
                            const std::string& language) {
  const auto places = places_of(dashboard.json);
  json::array panels, variables;
  int id = 0, below = 0;
  for (const auto& [name, place] : places)
    below = std::max(below, place.at("y").to_number<int>() + place.at("h").to_number<int>());
  const auto& charts = dashboard.json.at("charts").as_array();
  for (size_t i = 0; i < dashboard.charts.size(); ++i) {
    const auto found = places.find(dashboard.charts[i].id);
    json::object place{{"x", 0}, {"y", below}, {"w", kGridWidth}, {"h", 8}};
    if (found != places.end()) {
      place = found->second;
    } else {
      below += 8;
    }
    panels.push_back(panel(dashboard, dashboard.charts[i], charts[i].as_object(), models, place,
                           ++id, language));
  }
  if (const auto* given = dashboard.json.if_contains("parameters"); given && given->is_array())
    for (size_t i = 0; i < dashboard.parameters.size(); ++i)
      variables.push_back(
          variable(dashboard.parameters[i], given->get_array()[i].as_object(), language));
  const auto* tags = dashboard.json.if_contains("tags");
  json::object made{{"uid", "meesh-" + dashboard.name.substr(0, 34)},
                    {"title", text_in(dashboard.json, "title", language)},
                    {"description", text_in(dashboard.json, "description", language)},
                    {"tags", tags ? *tags : json::array()},
                    {"schemaVersion", kSchemaVersion},
                    {"version", 1},
                    {"editable", true},
                    {"timezone", "utc"},
                    {"panels", panels},
                    {"templating", {{"list", variables}}},
                    {"annotations", {{"list", json::array()}}}};
  if (dashboard.refresh)
    made["refresh"] = fmt::format("{}s", std::max<int64_t>(1, dashboard.refresh->count() / 1000));
  made["time"] = {{"from", "now-5y"}, {"to", "now"}};
  return made;
}

std::string data_sources(const ExportOptions& options) {
  json::array sources;
  sources.push_back({{"name", "DataMeesh"},
                     {"uid", kSource},
                     {"type", "trino-datasource"},
                     {"access", "proxy"},
                     {"isDefault", true},
                     {"url", fmt::format("{}://{}:{}", options.tls ? "https" : "http", options.host,
                                         options.port)},
                     {"jsonData", {{"enableImpersonation", true}}}});
  for (const auto& database : options.databases)
    sources.push_back(
        {{"name", database.catalog},
         {"uid", "meesh-" + database.catalog},
         {"type", "grafana-postgresql-datasource"},
         {"access", "proxy"},
         {"url", fmt::format("{}:{}", database.host, database.port)},
         {"user", database.user},
         {"jsonData", {{"database", database.database}, {"sslmode", "disable"}}},
         {"secureJsonData", {{"password", "$MEESH_" + database.catalog + "_PASSWORD"}}}});
  return to_yaml(json::object{{"apiVersion", 1}, {"datasources", sources}});
}

}  // namespace

ExportFiles export_grafana(const std::vector<Dashboard>& dashboards, const Models& models,
                           const ExportOptions& options) {
  ExportFiles files;
  files["provisioning/datasources/meesh.yaml"] = data_sources(options);
  files["provisioning/dashboards/meesh.yaml"] = to_yaml(json::object{
      {"apiVersion", 1},
      {"providers",
       list_of(json::object{{"name", "DataMeesh"},
                            {"folder", "DataMeesh"},
                            {"type", "file"},
                            {"options", {{"path", "/var/lib/grafana/dashboards"}}}})}});
  for (const auto& dashboard : dashboards)
    files["dashboards/" + dashboard.name + ".json"] =
        json::serialize(dashboard_json(dashboard, models, options.language)) + "\n";
  return files;
}

}  // namespace meesh::dashboards
