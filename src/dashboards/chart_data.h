// Rows of charts: a chart's query with the parameters, the time, the clicks and the level that a
// viewer has chosen.
#pragma once

#include <boost/json/object.hpp>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "dashboards/answers.h"
#include "dashboards/dashboard.h"
#include "dashboards/semantic.h"
#include "dashboards/statement.h"

namespace meesh::dashboards {

/// Inside a chart: how deep, and what was chosen on the levels above.
struct DrillStep {
  size_t level = 0;
  std::vector<boost::json::value> values;
};

struct DataRequest {
  std::optional<std::vector<std::string>> charts;  // nothing = all that ask something
  boost::json::object parameters;                  // values by name
  boost::json::value time;                         // as time_range() takes it; null = the default
  std::vector<ClickFilter> filters;
  /// By column: the chart that was clicked, which its own filter leaves alone.
  std::map<std::string, std::string> filter_sources;
  std::map<std::string, DrillStep> drill;
  std::string user, language = "en";
  bool any_parameter = false;    // a preview: parameters that are not declared have no value
  bool hide_statements = false;  // from a viewer who may not know the SQL, nor where it stands
};

struct ChartAnswer {
  std::string id;
  AnswerPtr answer;            // null: `failure`
  std::exception_ptr failure;  // an Error
  bool cached = false;
  int64_t elapsed_ms = 0;
  std::string statement;             // as it ran
  std::vector<std::string> ignored;  // columns of filters that say nothing about this chart
};

class ChartData {
 public:
  /// Both outlive this.
  ChartData(Answers& answers, SemanticLayer& semantic) : answers_(answers), semantic_(semantic) {}

  /// Gives each chart's answer as it is done, those that are kept first; on the caller's thread,
  /// which asks `gone` (may be empty) a few times a second whether anybody still waits.
  /// Throws NOT_FOUND for charts that are not there, BAD_REQUEST.
  void run(const Dashboard& dashboard, const DataRequest& request, const std::stop_token& stop,
           const std::function<void(const ChartAnswer&)>& done,
           const std::function<bool()>& gone = {});
  /// One, which need not be part of the dashboard.
  ChartAnswer one(const Dashboard& dashboard, const ChartConfig& chart, const DataRequest& request,
                  const std::stop_token& stop);
  /// What a choice is chosen from: [{value, label}].
  boost::json::array options(const Dashboard& dashboard, const std::string& parameter,
                             const DataRequest& request, const std::stop_token& stop);

  /// The names of tables below a chart, as far as they are known.
  std::set<std::string> tables(const Dashboard& dashboard, const ChartConfig& chart,
                               TableStates& states);

 private:
  struct Prepared {
    std::optional<Statement> statement;
    std::vector<std::string> ignored;
  };
  /// What all charts of a request share.
  struct Shared {
    const Dashboard& dashboard;
    const DataRequest& request;
    BoundValues values;
    ModelsPtr models;  // null: none was needed, or they have mistakes
  };

  Shared share(const Dashboard& dashboard, const DataRequest& request);
  Statement base_statement(const Shared& shared, const ChartConfig& chart,
                           std::vector<ClickFilter>& filters);
  Prepared prepare(const Shared& shared, const ChartConfig& chart, TableStates& states,
                   const std::stop_token& stop);
  /// The names of all columns that some chart of the dashboard shows.
  std::set<std::string> shown_columns(const Shared& shared, TableStates& states,
                                      const std::stop_token& stop);
  bool may_filter_source(const Shared& shared, const ChartConfig& chart, const ClickFilter& filter,
                         TableStates& states, const std::stop_token& stop);
  AnswerPtr columns_of(const Shared& shared, Statement statement, TableStates& states,
                       const std::stop_token& stop);
  ChartAnswer answer(const Shared& shared, const ChartConfig& chart, TableStates& states,
                     const std::stop_token& stop);
  /// Nothing if it is not kept.
  std::optional<ChartAnswer> kept(const Shared& shared, const ChartConfig& chart,
                                  TableStates& states);
  Question question(const Shared& shared, const Statement& statement) const;

  Answers& answers_;
  SemanticLayer& semantic_;
};

/// Values of a dashboard's parameters, with :from and :to; throws BAD_REQUEST.
BoundValues bound_values(const Dashboard& dashboard, const DataRequest& request, int64_t now_ms);

}  // namespace meesh::dashboards
