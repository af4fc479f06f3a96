#include "dashboards/chart_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <deque>
#include <thread>

#include "base/clock.h"
#include "sql/sql.h"

namespace meesh::dashboards {

namespace json = boost::json;

namespace {

constexpr size_t kMostRows = 10'000;
constexpr size_t kMostOptions = 1'000;
constexpr Millis kLook{200};
constexpr size_t kAtOnce = 8;  // queries of one request; the engine has limits of its own

bool is_numeric(sql::TypeKind kind) {
  switch (kind) {
    case sql::TypeKind::kTinyint:
    case sql::TypeKind::kSmallint:
    case sql::TypeKind::kInteger:
    case sql::TypeKind::kBigint:
    case sql::TypeKind::kReal:
    case sql::TypeKind::kDouble:
    case sql::TypeKind::kDecimal:
      return true;
    default:
      return false;
  }
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

BoundValue::Kind kind_of(ParameterConfig::Kind kind) {
  switch (kind) {
    case ParameterConfig::Kind::kText:
      return BoundValue::Kind::kText;
    case ParameterConfig::Kind::kNumber:
      return BoundValue::Kind::kNumber;
    case ParameterConfig::Kind::kDate:
      return BoundValue::Kind::kDate;
    case ParameterConfig::Kind::kBoolean:
      return BoundValue::Kind::kBoolean;
    case ParameterConfig::Kind::kChoice:
      return BoundValue::Kind::kByValue;
  }
  return BoundValue::Kind::kByValue;
}

/// null, "" and [] are no value.
void add_values(std::vector<json::value>& to, const json::value& value) {
  if (value.is_array()) {
    for (const auto& one : value.get_array()) add_values(to, one);
  } else if (!value.is_null() && !(value.is_string() && value.get_string().empty())) {
    to.push_back(value);
  }
}

json::value option(const json::value& given) {
  if (given.is_object()) return given;
  return json::object{{"value", given}, {"label", text_in(given, "en")}};
}

}  // namespace

BoundValues bound_values(const Dashboard& dashboard, const DataRequest& request, int64_t now_ms) {
  BoundValues bound;
  for (const auto& parameter : dashboard.parameters) {
    BoundValue value;
    value.kind = kind_of(parameter.kind);
    const auto* given = request.parameters.if_contains(parameter.name);
    add_values(value.values, given ? *given : parameter.fallback);
    if (value.values.size() > 1 && !parameter.multiple)
      throw Error(Code::kBadRequest, fmt::format("'{}' has one value", parameter.name));
    for (const auto& one : value.values) {
      try {
        literal(one, value.kind);
      } catch (Error& error) {
        throw error.prefixed(fmt::format("the parameter '{}'", parameter.name));
      }
    }
    bound[parameter.name] = std::move(value);
  }
  const TimeRange range =
      time_range(request.time.is_null() ? dashboard.time : request.time, now_ms);
  const auto moment = [](const std::string& text) {
    BoundValue value{BoundValue::Kind::kTimestamp, {}};
    if (!text.empty()) value.values.emplace_back(text);
    return value;
  };
  bound["from"] = moment(range.from);
  bound["to"] = moment(range.to);
  return bound;
}

ChartData::Shared ChartData::share(const Dashboard& dashboard, const DataRequest& request) {
  Shared shared{dashboard, request, bound_values(dashboard, request, base::now_ms()), nullptr};
  return shared;
}

Question ChartData::question(const Shared& shared, const Statement& statement) const {
  Question question;
  question.text = statement.text();
  question.query = &statement.query();
  question.user = shared.request.user;
  question.language = shared.request.language;
  question.most_rows = kMostRows;
  return question;
}

/// Filters that a model's dimensions take are taken out of `filters`.
Statement ChartData::base_statement(const Shared& shared, const ChartConfig& chart,
                                    std::vector<ClickFilter>& filters) {
  if (!chart.query) {
    Statement statement = Statement::parse(chart.sql, chart.sql_place);
    BoundValues values = shared.values;
    if (shared.request.any_parameter)
      for (const auto& name : statement.parameters()) values.try_emplace(name);
    statement.bind(values);
    return statement;
  }
  const ModelsPtr models = semantic_.models();
  MetricQuery query = *chart.query;
  std::erase_if(filters, [&](const ClickFilter& filter) {
    if (!has_dimension(query, *models, filter.column)) return false;
    // A clicked mark of a grain is a stretch of time, which the answer's column tells.
    for (const auto& use : query.dimensions)
      if (use.name == filter.column && !use.grain.empty()) return false;
    query.filters.push_back(
        {filter.column, filter.op == "between" ? "between" : "in", filter.values});
    return true;
  });
  return Statement::parse(compile(query, *models), {});
}

AnswerPtr ChartData::columns_of(const Shared& shared, Statement statement, TableStates& states,
                                const std::stop_token& stop) {
  statement.only_columns();
  Question asked = question(shared, statement);
  return answers_.ask(asked, states, stop).answer;
}

bool ChartData::may_filter_source(const Shared& shared, const ChartConfig& chart,
                                  const ClickFilter& filter, TableStates& states,
                                  const std::stop_token& stop) {
  std::vector<ClickFilter> none;
  Statement trial = base_statement(shared, chart, none);
  if (!trial.filter_source({filter})) return false;
  try {
    columns_of(shared, std::move(trial), states, stop);
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUser || error.code() == Code::kUserCanceled) throw;
    return false;  // no such column there, or two of them, or of a type that does not compare
  }
}

std::set<std::string> ChartData::shown_columns(const Shared& shared, TableStates& states,
                                               const std::stop_token& stop) {
  std::set<std::string> names;
  for (const auto& chart : shared.dashboard.charts) {
    if (!chart.asks()) continue;
    try {
      std::vector<ClickFilter> none;
      const auto answer = columns_of(shared, base_statement(shared, chart, none), states, stop);
      for (const auto& column : answer->columns) names.insert(lower(column.name));
    } catch (const Error&) {
      continue;  // it shows nothing
    }
  }
  return names;
}

ChartData::Prepared ChartData::prepare(const Shared& shared, const ChartConfig& chart,
                                       TableStates& states, const std::stop_token& stop) {
  Prepared prepared;
  std::vector<ClickFilter> filters;
  for (const auto& filter : shared.request.filters) {
    const auto source = shared.request.filter_sources.find(filter.column);
    if (source == shared.request.filter_sources.end() || source->second != chart.id)
      filters.push_back(filter);
  }
  // Through a link nobody asks by what the dashboard does not show.
  if (!filters.empty() && shared.request.hide_statements) {
    const auto shown = shown_columns(shared, states, stop);
    std::erase_if(filters, [&](const ClickFilter& filter) {
      const bool hidden = !shown.contains(lower(filter.column));
      if (hidden) prepared.ignored.push_back(filter.column);
      return hidden;
    });
  }
  Statement statement = base_statement(shared, chart, filters);
  std::vector<std::string> columns;
  std::vector<std::string> numbers;
  const bool levels = !chart.drill.by.empty();
  if (!filters.empty() || levels) {
    const auto known = statement.columns();
    if (known && !levels) {
      columns = *known;
    } else {
      std::vector<ClickFilter> none = shared.request.filters;
      const auto answer = columns_of(shared, base_statement(shared, chart, none), states, stop);
      for (const auto& column : answer->columns) {
        columns.push_back(lower(column.name));
        if (is_numeric(column.type.kind) && std::ranges::count(chart.drill.by, column.name) == 0)
          numbers.push_back(column.name);
      }
    }
  }
  std::vector<ClickFilter> of_answer, of_source;
  for (auto& filter : filters) {
    if (std::ranges::count(columns, lower(filter.column)) > 0) {
      of_answer.push_back(filter);
    } else if (!chart.query && may_filter_source(shared, chart, filter, states, stop)) {
      of_source.push_back(filter);
    } else {
      prepared.ignored.push_back(filter.column);
    }
  }
  if (!of_source.empty()) statement.filter_source(of_source);
  statement.filter_answer(of_answer);
  if (levels) {
    const auto step = shared.request.drill.find(chart.id);
    const DrillStep chosen = step == shared.request.drill.end() ? DrillStep{} : step->second;
    statement.drill(chart.drill, numbers, chosen.level, chosen.values);
  }
  statement.limit_rows(kMostRows + 1);
  prepared.statement = std::move(statement);
  return prepared;
}

ChartAnswer ChartData::answer(const Shared& shared, const ChartConfig& chart, TableStates& states,
                              const std::stop_token& stop) {
  const auto begin = std::chrono::steady_clock::now();
  ChartAnswer told;
  told.id = chart.id;
  try {
    auto prepared = prepare(shared, chart, states, stop);
    told.ignored = std::move(prepared.ignored);
    told.statement = prepared.statement->text();
    try {
      const Asked asked = answers_.ask(question(shared, *prepared.statement), states, stop);
      told.answer = asked.answer;
      told.cached = asked.cached;
    } catch (const Error& error) {
      throw prepared.statement->located(error);
    }
  } catch (const Error& error) {
    told.failure = std::current_exception();
    if (shared.request.hide_statements)
      told.failure = std::make_exception_ptr(Error(error.code(), "this chart cannot be shown now"));
  }
  if (shared.request.hide_statements) told.statement.clear();
  told.elapsed_ms =
      std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - begin).count();
  return told;
}

std::optional<ChartAnswer> ChartData::kept(const Shared& shared, const ChartConfig& chart,
                                           TableStates& states) {
  // Whatever has to be asked first is not at hand.
  if (!shared.request.filters.empty() || !chart.drill.by.empty()) return std::nullopt;
  try {
    std::vector<ClickFilter> none;
    Statement statement = base_statement(shared, chart, none);
    statement.limit_rows(kMostRows + 1);
    ChartAnswer told;
    told.id = chart.id;
    if (!shared.request.hide_statements) told.statement = statement.text();
    told.answer = answers_.kept(question(shared, statement), states);
    told.cached = true;
    if (!told.answer) return std::nullopt;
    return told;
  } catch (const Error&) {
    return std::nullopt;  // told by answer()
  }
}

ChartAnswer ChartData::one(const Dashboard& dashboard, const ChartConfig& chart,
                           const DataRequest& request, const std::stop_token& stop) {
  TableStates states(answers_.find());
  return answer(share(dashboard, request), chart, states, stop);
}

void ChartData::run(const Dashboard& dashboard, const DataRequest& request,
                    const std::stop_token& stop,
                    const std::function<void(const ChartAnswer&)>& done,
                    const std::function<bool()>& gone) {
  std::vector<const ChartConfig*> charts, asked;
  if (request.charts) {
    for (const auto& id : *request.charts) charts.push_back(&dashboard.chart(id));
  } else {
    for (const auto& chart : dashboard.charts)
      if (chart.asks()) charts.push_back(&chart);
  }
  const Shared shared = share(dashboard, request);
  TableStates states(answers_.find());
  for (const auto* chart : charts) {
    if (!chart->asks()) continue;
    if (const auto told = kept(shared, *chart, states)) {
      done(*told);
    } else {
      asked.push_back(chart);
    }
  }
  if (asked.empty()) return;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<ChartAnswer> answers;
  std::atomic<size_t> next = 0;
  std::stop_source stopping;
  const std::stop_callback pass_on(stop, [&] { stopping.request_stop(); });
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < std::min(kAtOnce, asked.size()); ++i) {
    threads.emplace_back([&] {
      TableStates own(answers_.find());
      for (size_t at = next++; at < asked.size(); at = next++) {
        ChartAnswer told = answer(shared, *asked[at], own, stopping.get_token());
        const std::lock_guard lock(mutex);
        answers.push_back(std::move(told));
        changed.notify_one();
      }
    });
  }
  try {
    for (size_t left = asked.size(); left > 0; --left) {
      std::unique_lock lock(mutex);
      while (!changed.wait_for(lock, kLook, [&] { return !answers.empty(); }))
        if (gone && gone()) stopping.request_stop();
      const ChartAnswer told = std::move(answers.front());
      answers.pop_front();
      lock.unlock();
      done(told);
    }
  } catch (...) {
    stopping.request_stop();  // nobody listens any more
    throw;
  }
}

json::array ChartData::options(const Dashboard& dashboard, const std::string& name,
                               const DataRequest& request, const std::stop_token& stop) {
  const auto found = std::ranges::find(dashboard.parameters, name, &ParameterConfig::name);
  if (found == dashboard.parameters.end())
    throw Error(Code::kNotFound,
                fmt::format("the dashboard '{}' has no parameter '{}'", dashboard.name, name));
  json::array all;
  for (const auto& one : found->options) all.push_back(option(one));
  if (found->sql.empty()) return all;
  const Shared shared = share(dashboard, request);
  Statement statement = Statement::parse(found->sql, found->sql_place);
  statement.bind(shared.values);
  statement.limit_rows(kMostOptions);
  TableStates states(answers_.find());
  try {
    const auto answer = answers_.ask(question(shared, statement), states, stop).answer;
    const json::value rows = json::parse(answer->rows_text);
    for (const auto& row : rows.as_array()) {
      const auto& cells = row.as_array();
      if (cells.empty() || cells[0].is_null()) continue;
      all.push_back(json::object{{"value", cells[0]},
                                 {"label", text_in(cells[cells.size() > 1 ? 1 : 0], "en")}});
    }
  } catch (const Error& error) {
    throw statement.located(error);
  }
  return all;
}

std::set<std::string> ChartData::tables(const Dashboard& dashboard, const ChartConfig& chart,
                                        TableStates& states) {
  if (!chart.asks()) return {};
  try {
    DataRequest request;
    const Shared shared = share(dashboard, request);
    std::vector<ClickFilter> none;
    const Statement statement = base_statement(shared, chart, none);
    return inputs_of(statement.query(), states).tables;
  } catch (const Error&) {
    return {};
  }
}

}  // namespace meesh::dashboards
