#include "dashboards/dashboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <set>

#include "base/text.h"
#include "dashboards/dashboard_shape.h"
#include "dashboards/yaml_json.h"
#include "mesh/mesh.h"
#include "pipelines/cron.h"

namespace meesh::dashboards {

namespace json = boost::json;
using yaml::Node;

namespace {

constexpr size_t kMostCharts = 200;

std::string text_or(const Node& node, std::string_view key, std::string otherwise = "") {
  const Node* found = node.find(key);
  return found && found->is_scalar() ? found->text : otherwise;
}

bool flag(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  return found && found->boolean();
}

std::vector<std::string> texts(const Node& node, std::string_view key) {
  std::vector<std::string> all;
  if (const Node* found = node.find(key))
    for (const Node& item : found->items) all.push_back(item.text);
  return all;
}

std::vector<json::value> values(const Node& node, std::string_view key) {
  std::vector<json::value> all;
  if (const Node* found = node.find(key))
    for (const Node& item : found->items) all.push_back(to_json(item));
  return all;
}

/// A block (`|`) begins on the line below, behind its indentation.
TextPlace place_of(const yaml::Document& document, const Node& text) {
  TextPlace place{document.file, text.line - 1, text.column - 1 + (text.plain ? 0 : 1), 0};
  size_t at = 0;
  for (int line = 1; line < text.line && at != std::string::npos; ++line) {
    at = document.source.find('\n', at);
    if (at != std::string::npos) ++at;
  }
  const size_t mark = at == std::string::npos ? at : at + static_cast<size_t>(text.column) - 1;
  if (mark >= document.source.size()) return place;
  if (document.source[mark] != '|' && document.source[mark] != '>') return place;
  const size_t below = document.source.find('\n', mark);
  if (below == std::string::npos) return place;
  const size_t first = document.source.find_first_not_of(" \n", below);
  if (first == std::string::npos) return place;
  place.lines_before = text.line;
  place.indent = static_cast<int>(first - document.source.rfind('\n', first) - 1);
  place.columns_before = place.indent;
  return place;
}

class Reader {
 public:
  Reader(const yaml::Document& document, std::vector<Error>& problems)
      : document_(document), problems_(problems) {}

  void read(Dashboard& to) {
    const Node& root = document_.root;
    words(root, "title");
    words(root, "description");
    if (const Node* refresh = root.find("refresh")) to.refresh = duration(*refresh, 1000);
    read_time(root, to);
    each(root, "parameters",
         [&](const Node& node) { to.parameters.push_back(read_parameter(node)); });
    unique(root, "parameters", "name");
    each(root, "charts", [&](const Node& node) { to.charts.push_back(read_chart(node)); });
    unique(root, "charts", "id");
    if (to.charts.size() > kMostCharts)
      complain(*root.find("charts"), fmt::format("a dashboard has at most {} charts", kMostCharts));
    for (const auto& chart : to.charts) ids_.insert(chart.id);
    each(root, "layout", [&](const Node& node) { check_place(node); });
    unique(root, "layout", "id");
    each(root, "alerts", [&](const Node& node) { to.alerts.push_back(read_alert(node)); });
    unique(root, "alerts", "name");
    each(root, "reports", [&](const Node& node) { to.reports.push_back(read_report(node)); });
    unique(root, "reports", "name");
  }

  ChartConfig read_chart(const Node& node) {
    ChartConfig chart;
    chart.id = text_or(node, "id");
    chart.kind = text_or(node, "kind");
    words(node, "title");
    words(node, "description");
    words(node, "text");
    map(node, "encode");
    map(node, "options");
    if (const Node* sql = node.find("sql")) {
      chart.sql = sql->text;
      chart.sql_place = place_of(document_, *sql);
    }
    if (const Node* query = node.find("query")) chart.query = read_query(*query);
    if (!chart.sql.empty() && chart.query)
      complain(*node.find("query"), "a chart has one of 'sql' and 'query'");
    if (!chart.asks() && chart.kind != "text")
      complain(node, fmt::format("the chart '{}' asks for nothing", chart.id),
               "sql: SELECT …, or query: {model: …, metrics: […]}");
    if (const Node* drill = node.find("drill")) {
      chart.drill.by = texts(*drill, "by");
      chart.drill.aggregate = text_or(*drill, "aggregate", "sum");
    }
    chart.live = flag(node, "live");
    return chart;
  }

 private:
  void complain(const Node& at, std::string message, std::string hint = "") {
    Error error = document_.error(Code::kConfigInvalid, std::move(message), at.line, at.column);
    if (!hint.empty()) error.with_hint(std::move(hint));
    problems_.push_back(std::move(error));
  }

  template <typename Each>
  static void each(const Node& node, std::string_view key, Each function) {
    if (const Node* found = node.find(key))
      for (const Node& item : found->items) function(item);
  }

  void unique(const Node& root, std::string_view list, std::string_view key) {
    std::set<std::string> seen;
    each(root, list, [&](const Node& item) {
      const Node* found = item.find(key);
      if (found && !seen.insert(found->text).second)
        complain(*found, fmt::format("'{}' is in '{}' twice", found->text, list));
    });
  }

  /// Text, or {en, fr}.
  void words(const Node& node, std::string_view key) {
    const Node* found = node.find(key);
    if (!found || found->kind == Node::Kind::kNull) return;
    if (found->kind == Node::Kind::kSequence)
      return complain(*found, fmt::format("'{}' is text, or {{ en: …, fr: … }}", key));
    for (size_t i = 0; i < found->keys.size(); ++i)
      if ((found->keys[i].name != "en" && found->keys[i].name != "fr") ||
          !found->items[i].is_scalar())
        complain(*found, fmt::format("'{}' is text, or {{ en: …, fr: … }}", key));
  }

  void map(const Node& node, std::string_view key) {
    const Node* found = node.find(key);
    if (found && found->kind != Node::Kind::kMap && found->kind != Node::Kind::kNull)
      complain(*found, fmt::format("'{}' is a mapping", key));
  }

  std::optional<Millis> duration(const Node& node, int64_t least_ms) {
    const auto read = parse_duration(node.text);
    if (read && read->count() >= least_ms) return read;
    complain(node,
             fmt::format("'{}' is no duration of at least {}", node.text,
                         least_ms >= 1000 ? fmt::format("{} s", least_ms / 1000) : "1 ms"),
             "30s, 5m, 1h, 1d");
    return std::nullopt;
  }

  void read_time(const Node& root, Dashboard& to) {
    const Node* time = root.find("time");
    const Node* fallback = time ? time->find("default") : nullptr;
    if (!fallback) return;
    to.time = to_json(*fallback);
    try {
      time_range(to.time, 0);
    } catch (const Error& error) {
      complain(*fallback, error.message(), error.hint());
    }
  }

  ParameterConfig read_parameter(const Node& node) {
    ParameterConfig parameter;
    parameter.name = text_or(node, "name");
    words(node, "label");
    if (parameter.name == "from" || parameter.name == "to")
      complain(*node.find("name"), "':from' and ':to' are the time range");
    using Kind = ParameterConfig::Kind;
    const std::string kind = text_or(node, "kind", "text");
    parameter.kind = kind == "number"    ? Kind::kNumber
                     : kind == "date"    ? Kind::kDate
                     : kind == "choice"  ? Kind::kChoice
                     : kind == "boolean" ? Kind::kBoolean
                                         : Kind::kText;
    parameter.multiple = flag(node, "multiple");
    if (const Node* sql = node.find("sql")) {
      parameter.sql = sql->text;
      parameter.sql_place = place_of(document_, *sql);
    }
    parameter.options = values(node, "options");
    if (parameter.kind == Kind::kChoice && parameter.sql.empty() && parameter.options.empty())
      complain(node, fmt::format("the choice '{}' has nothing to choose from", parameter.name),
               "options: [a, b], or sql: SELECT DISTINCT …");
    if (const Node* fallback = node.find("default")) parameter.fallback = to_json(*fallback);
    return parameter;
  }

  MetricQuery read_query(const Node& node) {
    MetricQuery query;
    query.where = {node.line, node.column, document_.file};
    query.model = text_or(node, "model");
    query.metrics = texts(node, "metrics");
    if (query.metrics.empty()) complain(node, "a query has at least one metric");
    each(node, "dimensions", [&](const Node& item) {
      if (item.is_scalar()) return query.dimensions.push_back({item.text, ""});
      const DimensionUse use{text_or(item, "name"), text_or(item, "grain")};
      if (use.name.empty()) complain(item, "a dimension is a name, or { name, grain }");
      query.dimensions.push_back(use);
    });
    each(node, "filters", [&](const Node& item) {
      FilterConfig filter;
      filter.dimension = text_or(item, "dimension");
      filter.op = text_or(item, "op", "=");
      filter.values = values(item, "values");
      if (const Node* value = item.find("value"))
        filter.values.insert(filter.values.begin(), to_json(*value));
      query.filters.push_back(std::move(filter));
    });
    query.order = texts(node, "order");
    if (const Node* limit = node.find("limit")) query.limit = limit->integer();
    return query;
  }

  void check_place(const Node& node) {
    const std::string id = text_or(node, "id");
    if (!ids_.contains(id)) complain(*node.find("id"), fmt::format("there is no chart '{}'", id));
    const auto x = node.find("x")->integer().value_or(0), w = node.find("w")->integer().value_or(1);
    if (x + w > 12) complain(node, fmt::format("the chart '{}' is wider than 12 columns", id));
  }

  std::optional<double> number(const Node& node, std::string_view key) {
    const Node* found = node.find(key);
    if (!found) return std::nullopt;
    double value = 0;
    const char* begin = found->text.data() + (found->text.starts_with('+') ? 1 : 0);
    const char* last = found->text.data() + found->text.size();
    const auto [end, failed] = std::from_chars(begin, last, value);
    if (failed == std::errc{} && end == last && found->is_scalar()) return value;
    complain(*found, fmt::format("'{}' is a number", key));
    return std::nullopt;
  }

  void check_cron(const Node& node) {
    try {
      if (const Node* cron = node.find("cron")) pipelines::Cron::parse(cron->text);
    } catch (const Error& error) {
      complain(*node.find("cron"), error.message(), error.hint());
    }
    try {
      pipelines::TimeZone::find(text_or(node, "timezone", "UTC"));
    } catch (const Error& error) {
      complain(*node.find("timezone"), error.message(), error.hint());
    }
  }

  Receivers read_receivers(const Node& node) {
    Receivers to;
    const Node* found = node.find("to");
    if (!found) return to;
    to.webhook = text_or(*found, "webhook");
    to.email = texts(*found, "email");
    to.bucket = text_or(*found, "bucket");
    for (const auto& address : to.email)
      if (address.find('@') == std::string::npos ||
          address.find_first_of(" \r\n<>,") != std::string::npos)
        complain(*found, fmt::format("'{}' is no e-mail address", address));
    return to;
  }

  AlertConfig read_alert(const Node& node) {
    AlertConfig alert;
    alert.name = text_or(node, "name");
    alert.chart = text_or(node, "chart");
    alert.sql = text_or(node, "sql");
    if (const Node* sql = node.find("sql")) alert.sql_place = place_of(document_, *sql);
    if (alert.chart.empty() == alert.sql.empty())
      complain(node, "an alert has one of 'chart' and 'sql'");
    if (!alert.chart.empty() && !ids_.contains(alert.chart))
      complain(*node.find("chart"), fmt::format("there is no chart '{}'", alert.chart));
    alert.column = text_or(node, "column");
    alert.above = number(node, "above");
    alert.below = number(node, "below");
    if (const Node* change = node.find("change")) {
      alert.change_percent = number(*change, "percent");
      if (const Node* periods = change->find("periods"))
        alert.change_periods = periods->integer().value_or(1);
    }
    alert.no_data = flag(node, "no_data");
    if (!alert.above && !alert.below && !alert.change_percent && !alert.no_data)
      complain(node, fmt::format("the alert '{}' never fires", alert.name),
               "above, below, change or no_data");
    if (const Node* every = node.find("every"))
      alert.every = duration(*every, 1000).value_or(alert.every);
    alert.cron = text_or(node, "cron");
    alert.timezone = text_or(node, "timezone", "UTC");
    check_cron(node);
    if (const Node* repeat = node.find("repeat")) alert.repeat = duration(*repeat, 1000);
    alert.to = read_receivers(node);
    return alert;
  }

  ReportConfig read_report(const Node& node) {
    ReportConfig report;
    report.name = text_or(node, "name");
    report.cron = text_or(node, "cron");
    report.timezone = text_or(node, "timezone", "UTC");
    report.format = text_or(node, "format", "html");
    report.language = text_or(node, "language", "en");
    check_cron(node);
    report.to = read_receivers(node);
    if (report.to.email.empty() && report.to.bucket.empty())
      complain(node, fmt::format("the report '{}' goes nowhere", report.name),
               "to: { email: [ana@example.com] } or to: { bucket: s3://reports }");
    return report;
  }

  const yaml::Document& document_;
  std::vector<Error>& problems_;
  std::set<std::string> ids_;
};

/// Parses and checks; throws ConfigError.
yaml::Document checked(std::string text, const std::string& file, const base::Shape& shape) {
  std::vector<Error> problems;
  try {
    yaml::Document document = yaml::parse(std::move(text), file);
    base::check(shape, document, problems);
    if (problems.empty()) return document;
  } catch (const Error& error) {
    problems.push_back(error);
  }
  throw mesh::ConfigError(std::move(problems));
}

}  // namespace

Error TextPlace::in_file(Error error) const {
  if (file.empty() || !error.location().known()) return error;
  const int line = error.location().line, column = error.location().column;
  return error.at(file, lines_before + line, (line == 1 ? columns_before : indent) + column);
}

const ChartConfig& Dashboard::chart(const std::string& id) const {
  for (const auto& chart : charts)
    if (chart.id == id) return chart;
  throw Error(Code::kNotFound, fmt::format("the dashboard '{}' has no chart '{}'", name, id));
}

Dashboard read_dashboard(const std::string& name, std::string text, const std::string& file) {
  Dashboard dashboard;
  dashboard.name = name;
  dashboard.yaml = text;
  dashboard.etag = fmt::format("{:016x}", base::checksum(text));
  // Defaults are filled in where the text is read from, not in what is shown.
  try {
    dashboard.json = to_json(yaml::parse(text, file).root).is_object()
                         ? to_json(yaml::parse(text, file).root).get_object()
                         : json::object();
  } catch (const Error& error) {
    throw mesh::ConfigError({error});
  }
  const yaml::Document document = checked(std::move(text), file, dashboard_shape());
  std::vector<Error> problems;
  Reader(document, problems).read(dashboard);
  if (!problems.empty()) throw mesh::ConfigError(std::move(problems));
  return dashboard;
}

ChartConfig read_chart(std::string text, const std::string& file) {
  const yaml::Document document = checked(std::move(text), file, chart_shape());
  std::vector<Error> problems;
  ChartConfig chart = Reader(document, problems).read_chart(document.root);
  if (!problems.empty()) throw mesh::ConfigError(std::move(problems));
  return chart;
}

std::optional<Millis> parse_duration(std::string_view text) {
  int64_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (failed != std::errc() || count < 0 || count > 1'000'000'000) return std::nullopt;
  if (unit == "ms") return std::chrono::milliseconds(count);
  if (unit == "s") return std::chrono::seconds(count);
  if (unit == "m") return std::chrono::minutes(count);
  if (unit == "h") return std::chrono::hours(count);
  if (unit == "d") return std::chrono::days(count);
  return std::nullopt;
}

std::string text_in(const json::value& words, std::string_view language) {
  if (words.is_string()) return std::string(words.get_string());
  if (!words.is_object()) return words.is_null() ? "" : json::serialize(words);
  const auto& all = words.get_object();
  for (const std::string_view key : {language, std::string_view("en"), std::string_view("fr")})
    if (const auto* found = all.if_contains(key); found && found->is_string())
      return std::string(found->get_string());
  return "";
}

std::string text_in(const json::object& object, std::string_view key, std::string_view language) {
  const auto* found = object.if_contains(key);
  return found ? text_in(*found, language) : "";
}

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 100 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace meesh::dashboards
