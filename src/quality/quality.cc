#include "quality/quality.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/ask.h"
#include "quality/check_sql.h"
#include "quality/parameters.h"

namespace meesh::quality {
namespace {

// A failed check of severity error weighs as much as three of severity warn.
constexpr double kErrorWeight = 3, kWarnWeight = 1;

/// A column as text, whatever its type.
std::string as_text(const engine::Column& column) {
  const std::string name = engine::quote_name(column.name);
  switch (column.type.kind) {
    case sql::TypeKind::kArray:
    case sql::TypeKind::kMap:
    case sql::TypeKind::kRow:
      return fmt::format("json_text({0}) AS {0}", name);
    case sql::TypeKind::kJson:
      return fmt::format("json_format({0}) AS {0}", name);
    case sql::TypeKind::kVarbinary:
      return fmt::format("to_hex({0}) AS {0}", name);
    default:
      return fmt::format("CAST({0} AS varchar) AS {0}", name);
  }
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::optional<double> number(const std::optional<std::string>& cell) {
  if (!cell) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(cell->c_str(), &end);
  if (end == cell->c_str() || *end != 0)
    throw Error(Code::kTypeMismatch, fmt::format("'{}' is no number", *cell));
  return value;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// How many robust standard deviations `value` lies from the median. A history that hardly moves
/// counts as if it moved by a hundredth of its median.
double robust_z(double value, const std::vector<double>& history) {
  const double middle = median(history);
  std::vector<double> distances;
  for (const double one : history) distances.push_back(std::abs(one - middle));
  const double spread =
      std::max({1.4826 * median(std::move(distances)), std::abs(middle) * 0.01, 1e-9});
  return std::abs(value - middle) / spread;
}

/// One run of one suite.
class Run {
 public:
  Run(engine::Engine& engine, std::string user, History& history, const Suite& suite,
      const TaskContext& context, const std::string& candidate,
      const std::function<void(const CheckResult&)>& each)
      : engine_(engine), history_(history), suite_(suite), context_(context), each_(each) {
    session_.user = session_.original_user = std::move(user);
    session_.source = "quality";
    check_parameters(context.parameters);
    target_.parameters = context.parameters;
    const auto sql = table_sql(suite.table);
    if (!sql)
      throw Error(Code::kBadRequest, fmt::format("'{}' is no table", suite.table))
          .with_hint("write catalog.schema.table");
    target_.sql = candidate.empty() ? *sql : candidate;
    for (const auto& column : ask(fmt::format("SELECT * FROM {} LIMIT 0", target_.sql)).columns)
      target_.columns[lower(column.name)] = column.type;
  }

  std::vector<CheckResult> results() {
    const size_t count = suite_.checks.size();
    results_.resize(count);
    measures_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      results_[i] = blank(suite_.checks[i]);
      if (suite_.checks[i].kind == CheckKind::kSchema)
        schema(i);
      else
        guarded(i, [&] { measures_[i] = compile(suite_.checks[i], target_); });
    }
    scan();
    for (size_t i = 0; i < count; ++i)
      if (measures_[i] && !measures_[i]->query.empty())
        guarded(i, [&] { take(i, ask(measures_[i]->query), 0, true); });
    return std::move(results_);
  }

 private:
  engine::Answer ask(const std::string& sql) const {
    return engine::ask(engine_, sql, session_, context_.stop);
  }

  CheckResult blank(const Check& check) const {
    CheckResult result;
    result.table = suite_.table;
    result.suite = suite_.name;
    result.check = check.name;
    result.kind = kind_name(check.kind);
    result.description = check.description;
    result.severity = check.severity;
    result.run_id = context_.run_id;
    result.at_ms = now_ms();
    result.expected = check.kind == CheckKind::kFreshness ? "at most " + age_words(check.bound.high)
                      : check.kind == CheckKind::kAnomaly
                          ? fmt::format("a robust z-score of at most {}", check.bound.high)
                          : check.bound.words();
    return result;
  }

  /// What concerns this check alone becomes its outcome.
  template <class F>
  void guarded(size_t i, F&& work) {
    try {
      work();
    } catch (const Error& e) {
      if (context_.stop.stop_requested() || e.kind() != ErrorKind::kUser) throw;
      measures_[i].reset();
      results_[i].outcome = Outcome::kError;
      results_[i].message = e.sql_message();
      if (!e.hint().empty()) results_[i].message += fmt::format(" ({})", e.hint());
      tell(i);
    }
  }

  /// All aggregates in one query; if it fails, one by one, to see whose fault it is.
  void scan() {
    std::vector<size_t> together;
    for (size_t i = 0; i < measures_.size(); ++i)
      if (measures_[i] && !measures_[i]->aggregates.empty()) together.push_back(i);
    if (together.empty()) return;
    std::vector<const Measure*> measures;
    for (const size_t i : together) measures.push_back(&*measures_[i]);
    std::optional<engine::Answer> answer;
    try {
      answer = ask(scan_query(measures, target_));
    } catch (const Error& e) {
      if (context_.stop.stop_requested() || e.kind() != ErrorKind::kUser) throw;
    }
    size_t column = 0;
    for (const size_t i : together) {
      if (answer) {
        const size_t width = measures_[i]->aggregates.size();
        guarded(i, [&] { take(i, *answer, column, false); });
        column += width;
      } else {
        guarded(i, [&] { take(i, ask(scan_query({&*measures_[i]}, target_)), 0, false); });
      }
    }
  }

  /// The measured cells of check i stand in the answer's first row from `column` on.
  void take(size_t i, const engine::Answer& answer, size_t column, bool own_query) {
    const Check& check = suite_.checks[i];
    CheckResult& result = results_[i];
    if (own_query && !measures_[i]->of_rows &&
        (answer.rows.size() != 1 || answer.columns.size() != 1))
      throw Error(Code::kInvalidArguments,
                  fmt::format("the query gives {} rows of {} columns, not one number",
                              answer.rows.size(), answer.columns.size()));
    const auto& row = answer.rows.at(0);
    if (measures_[i]->of_rows) {
      result.of_rows = true;
      result.checked = static_cast<uint64_t>(number(row.at(column)).value_or(0));
      result.failing = static_cast<uint64_t>(number(row.at(column + 1)).value_or(0));
      result.value = static_cast<double>(result.failing);
      if (check.bound.percent)
        result.value = result.checked == 0 ? 0.0
                                           : 100.0 * static_cast<double>(result.failing) /
                                                 static_cast<double>(result.checked);
    } else {
      result.value = number(row.at(column));
    }
    judge(i);
    tell(i);
  }

  void judge(size_t i) {
    const Check& check = suite_.checks[i];
    CheckResult& result = results_[i];
    if (check.kind == CheckKind::kAnomaly) return judge_anomaly(check, result);
    if (result.value && check.bound.holds(*result.value)) return;
    result.outcome = Outcome::kFail;
    if (result.of_rows) {
      result.message = fmt::format("{} of {} rows fail", result.failing, result.checked);
      if (check.kind == CheckKind::kSql) result.message = fmt::format("{} rows", result.failing);
    } else if (check.kind == CheckKind::kFreshness) {
      result.message = result.value
                           ? fmt::format("the newest row is {} old", age_words(*result.value))
                           : "there is no row with a time up to now";
    } else {
      result.message = result.value ? fmt::format("it is {}", *result.value) : "it is NULL";
    }
    if (!measures_[i]->sample.empty()) sample(i);
  }

  void judge_anomaly(const Check& check, CheckResult& result) {
    const auto history = history_.values(suite_.table, suite_.name, check.name, check.window);
    if (!result.value) {
      result.outcome = Outcome::kFail;
      result.message = "there is nothing to measure";
      return;
    }
    if (history.size() < static_cast<size_t>(check.least)) {
      result.message = fmt::format("{} results so far, {} are needed", history.size(), check.least);
      return;
    }
    const double z = robust_z(*result.value, history);
    if (check.bound.holds(z)) return;
    result.outcome = Outcome::kFail;
    result.message =
        fmt::format("{} is {}; the median of the last {} results is {} (z-score {:.1f})",
                    check.metric, *result.value, history.size(), median(history), z);
  }

  /// Rows to show are a help, not the result: without them the check has failed all the same.
  void sample(size_t i) {
    try {
      const std::string query = fmt::format("({})", measures_[i]->sample);
      std::string cells;
      for (const auto& column : ask(fmt::format("SELECT * FROM {} LIMIT 0", query)).columns)
        cells += (cells.empty() ? "" : ", ") + as_text(column);
      const auto answer = ask(fmt::format("SELECT {} FROM {}", cells, query));
      for (const auto& column : answer.columns) results_[i].sample.columns.push_back(column.name);
      results_[i].sample.rows = answer.rows;
    } catch (const Error& e) {
      if (context_.stop.stop_requested()) throw;
      context_.info(fmt::format("no sample for {}: {}", results_[i].check, e.message()));
    }
  }

  void schema(size_t i) {
    const auto differences = schema_differences(suite_.checks[i], target_);
    results_[i].value = static_cast<double>(differences.size());
    if (!differences.empty()) {
      results_[i].outcome = Outcome::kFail;
      results_[i].message = base::join(differences, "; ");
    }
    tell(i);
  }

  void tell(size_t i) {
    const CheckResult& result = results_[i];
    if (each_) each_(result);
    const bool good = result.outcome == Outcome::kPass;
    const std::string line =
        fmt::format("{} {}{}{}", good ? "pass" : outcome_name(result.outcome), result.check,
                    result.message.empty() ? "" : ": ", result.message);
    context_.log(good                                 ? log::Level::kInfo
                 : result.severity == Severity::kWarn ? log::Level::kWarn
                                                      : log::Level::kError,
                 line);
    context_.progress(++told_, suite_.checks.size());
  }

  engine::Engine& engine_;
  engine::Session session_;
  History& history_;
  const Suite& suite_;
  const TaskContext& context_;
  const std::function<void(const CheckResult&)>& each_;
  Target target_;
  std::vector<CheckResult> results_;
  std::vector<std::optional<Measure>> measures_;  // nothing: it has its outcome already
  uint64_t told_ = 0;
};

void count(Score& score, const CheckResult& result, double& weight, double& good) {
  const double own = result.severity == Severity::kError ? kErrorWeight : kWarnWeight;
  weight += own;
  ++score.checks;
  if (result.outcome == Outcome::kPass) {
    good += own;
    ++score.passed;
  } else {
    ++(result.severity == Severity::kError ? score.failures : score.warnings);
  }
  score.at_ms = std::max(score.at_ms, result.at_ms);
}

}  // namespace

bool blocks(const std::vector<CheckResult>& results) {
  return std::ranges::any_of(results, [](const CheckResult& result) {
    return result.severity == Severity::kError && result.outcome != Outcome::kPass;
  });
}

Error failure(const std::vector<CheckResult>& results) {
  std::string words;
  int failed = 0;
  for (const auto& result : results) {
    if (result.severity != Severity::kError || result.outcome == Outcome::kPass) continue;
    if (++failed <= 3)
      words += fmt::format("{}{}: {}", failed > 1 ? "; " : "", result.check, result.message);
  }
  if (failed > 3) words += fmt::format("; and {} more", failed - 3);
  return Error(Code::kConstraintViolation,
               fmt::format("{} of {} checks of '{}' failed: {}", failed, results.size(),
                           results.empty() ? "" : results.front().table, words));
}

Quality::Quality(engine::Engine& engine, meta::Database& database, const mesh::Mesh& mesh,
                 std::vector<Suite> suites, std::string user)
    : engine_(engine),
      mesh_(mesh),
      suites_(std::move(suites)),
      user_(std::move(user)),
      history_(database) {}

std::vector<CheckResult> Quality::run(const Suite& suite, const TaskContext& context,
                                      const std::string& candidate,
                                      const std::function<void(const CheckResult&)>& each) {
  auto results = Run(engine_, user_, history_, suite, context, candidate, each).results();
  history_.keep(results);
  return results;
}

Profile Quality::profile(const std::string& table, const ProfileOptions& options,
                         const TaskContext& context) {
  Profile profile = take_profile(engine_, user_, table, options, context);
  history_.keep_profile(profile.table, profile.at_ms, to_json(profile));
  return profile;
}

std::vector<const Suite*> Quality::find(const std::string& table_or_name) const {
  std::vector<const Suite*> found;
  for (const auto& suite : suites_)
    if (suite.name == table_or_name || suite.table == lower(table_or_name)) found.push_back(&suite);
  return found;
}

std::vector<Score> Quality::table_scores() {
  std::vector<Score> scores;
  std::map<std::string, std::pair<double, double>> parts;  // weight of all, of those that passed
  for (const auto& result : history_.newest()) {
    // A file that is gone has no say any more.
    if (result.suite.ends_with(".yaml") && !std::filesystem::exists(mesh_.folder / result.suite))
      continue;
    if (scores.empty() || scores.back().name != result.table)
      scores.push_back({.name = result.table});
    auto& [weight, good] = parts[result.table];
    count(scores.back(), result, weight, good);
    scores.back().score = 100 * good / weight;
  }
  return scores;
}

std::vector<Score> Quality::product_scores() {
  std::vector<Score> scores;
  const auto tables = table_scores();
  for (const auto& domain : mesh_.domains) {
    for (const auto& product : domain.products) {
      const std::string name = lower(domain.catalog + "." + product.table);
      const auto found = std::ranges::find(tables, name, &Score::name);
      if (found == tables.end()) continue;
      scores.push_back(*found);
      scores.back().name = product.name;
      scores.back().domain = domain.name;
    }
  }
  return scores;
}

}  // namespace meesh::quality
