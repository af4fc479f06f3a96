// A dashboard as its file describes it: dashboards/<name>.yaml. See docs/dashboards.md.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/yaml.h"

namespace meesh::dashboards {

using Millis = std::chrono::milliseconds;

/// Where a text of SQL stands in a file: what comes before its first character there, and how far
/// its other lines are indented.
struct TextPlace {
  std::string file;
  int lines_before = 0, columns_before = 0, indent = 0;

  /// The error with its place in the text moved to its place in the file.
  Error in_file(Error error) const;
};

struct ParameterConfig {
  enum class Kind { kText, kNumber, kDate, kChoice, kBoolean };
  std::string name;
  Kind kind = Kind::kText;
  bool multiple = false;
  std::string sql;  // of the options; "" = `options` are all
  TextPlace sql_place;
  std::vector<boost::json::value> options;  // values, or {value, label}
  boost::json::value fallback;              // null = none
};

struct DimensionUse {
  std::string name, grain;  // grain "" = as it is
};
struct FilterConfig {
  std::string dimension, op = "=";
  std::vector<boost::json::value> values;
};
/// Metrics of a model by its dimensions.
struct MetricQuery {
  std::string model;
  std::vector<std::string> metrics;
  std::vector<DimensionUse> dimensions;
  std::vector<FilterConfig> filters;
  std::vector<std::string> order;  // "-revenue"
  std::optional<int64_t> limit;
  Location where;
};

struct DrillConfig {
  std::vector<std::string> by;  // levels; none = no drilling inside the chart
  std::string aggregate = "sum";
};

struct ChartConfig {
  std::string id, kind;
  std::string sql;  // or `query`; a chart of text has neither
  TextPlace sql_place;
  std::optional<MetricQuery> query;
  DrillConfig drill;
  bool live = false;

  bool asks() const { return !sql.empty() || query; }
};

struct Receivers {
  std::string webhook;  // a name of the mesh's webhooks; "" = none
  std::vector<std::string> email;
  std::string bucket;  // "s3://bucket/folder"; "" = none
};

struct AlertConfig {
  std::string name, chart, sql, column;  // one of chart and sql
  TextPlace sql_place;
  std::optional<double> above, below, change_percent;
  int64_t change_periods = 1;
  bool no_data = false;
  Millis every{300'000};
  std::string cron, timezone = "UTC";  // cron "" = every
  std::optional<Millis> repeat;
  Receivers to;
};

struct ReportConfig {
  std::string name, cron, timezone = "UTC", format = "html", language = "en";
  Receivers to;
};

/// A stretch of time as it is asked for: "last 90 days", "all", or two dates.
struct TimeRange {
  std::string from, to;  // "2026-01-01 00:00:00", UTC; both "" = all
  bool all() const { return from.empty() && to.empty(); }
};

struct Dashboard {
  std::string name;
  boost::json::object json;  // the file, as it is
  std::string yaml;          // its text
  std::string etag;
  int64_t updated_ms = 0;

  std::vector<ParameterConfig> parameters;
  std::vector<ChartConfig> charts;
  std::vector<AlertConfig> alerts;
  std::vector<ReportConfig> reports;
  std::optional<Millis> refresh;
  boost::json::value time;  // what `time.default` says; null = all

  /// Throws NOT_FOUND.
  const ChartConfig& chart(const std::string& id) const;
};

/// Reads a dashboard's text; throws mesh::ConfigError with every mistake and its place. `file`: as
/// messages name it.
Dashboard read_dashboard(const std::string& name, std::string text, const std::string& file);
/// One chart, given as JSON or YAML.
ChartConfig read_chart(std::string text, const std::string& file);

/// "30s", "5m", "1h", "7d"; nothing for other texts.
std::optional<Millis> parse_duration(std::string_view text);

/// The range that a word or {from, to} means now: whole days for days and longer, so that the same
/// question asked twice on a day is the same question. Throws BAD_REQUEST.
TimeRange time_range(const boost::json::value& said, int64_t now_ms);

/// Text in a language: a string as it is, of {en, fr} that language's, else English, else any.
std::string text_in(const boost::json::value& words, std::string_view language);
/// The same of a member of an object; "" if there is none.
std::string text_in(const boost::json::object& object, std::string_view key,
                    std::string_view language);

/// Names of dashboards, shares and the like: small letters, digits, _ and -.
bool is_id(std::string_view text);

}  // namespace meesh::dashboards
