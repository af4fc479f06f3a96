// Questions about metrics as SQL.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "base/text.h"
#include "dashboards/semantic.h"
#include "dashboards/statement.h"
#include "engine/ask.h"
#include "sql/sql.h"

namespace meesh::dashboards {
namespace {

namespace json = boost::json;
using engine::quote_name;
using engine::quote_text;

constexpr const char* kBase = "base";

class Compiler {
 public:
  Compiler(const MetricQuery& query, const Models& models) : query_(query), models_(models) {
    const auto found = models.find(query.model);
    if (found == models.end()) {
      std::vector<std::string> names;
      for (const auto& [name, model] : models) names.push_back(name);
      throw wrong(fmt::format("there is no model '{}'", query.model),
                  base::did_you_mean(query.model, names, "models are "));
    }
    model_ = &found->second;
  }

  std::string run() {
    std::vector<std::string> items, keys;
    for (const auto& use : query_.dimensions) {
      items.push_back(fmt::format("{} AS {}", dimension(use), quote_name(use.name)));
      keys.push_back(std::to_string(items.size()));
    }
    for (const auto& name : query_.metrics)
      items.push_back(fmt::format("{} AS {}", metric(name), quote_name(name)));
    std::string where = conditions();
    std::string text = fmt::format("SELECT {}\nFROM {}", base::join(items, ", "), source());
    if (!where.empty()) text += "\nWHERE " + where;
    if (!keys.empty()) text += "\nGROUP BY " + base::join(keys, ", ");
    text += order(keys.empty());
    if (query_.limit) text += fmt::format("\nLIMIT {}", *query_.limit);
    return text;
  }

  bool knows(const std::string& name) const { return find(name).second != nullptr; }

 private:
  Error wrong(std::string message, std::string hint = "") const {
    Error error(Code::kConfigInvalid, std::move(message));
    if (query_.where.known()) error.at(query_.where.file, query_.where.line, query_.where.column);
    return hint.empty() ? error : error.with_hint(std::move(hint));
  }

  /// The join it comes through (null: the model's own) and the dimension; null if there is none.
  std::pair<const ModelJoin*, const Dimension*> find(const std::string& name) const {
    if (const auto* own = model_->dimension(name)) return {nullptr, own};
    const size_t dot = name.find('.');
    if (dot == std::string::npos) return {nullptr, nullptr};
    for (const auto& join : model_->joins)
      if (join.name == name.substr(0, dot))
        return {&join, models_.at(join.model).dimension(name.substr(dot + 1))};
    return {nullptr, nullptr};
  }

  const Dimension& need(const std::string& name) {
    const auto [join, found] = find(name);
    if (!found) {
      std::vector<std::string> names;
      for (const auto& one : model_->dimensions) names.push_back(one.name);
      throw wrong(fmt::format("the model '{}' has no dimension '{}'", model_->name, name),
                  base::did_you_mean(name, names, "its dimensions are "));
    }
    if (join) joins_.insert(join->name);
    return *found;
  }

  /// The dimension's value in a row of the source: joined ones are columns with a dot in the name.
  std::string value(const std::string& name) {
    const Dimension& found = need(name);
    if (name.find('.') != std::string::npos && !model_->dimension(name)) return quote_name(name);
    return found.sql.empty() ? quote_name(found.name) : fmt::format("({})", found.sql);
  }

  std::string dimension(const DimensionUse& use) {
    const Dimension& found = need(use.name);
    if (use.grain.empty()) return value(use.name);
    static const std::set<std::string> grains = {"minute", "hour",    "day", "week",
                                                 "month",  "quarter", "year"};
    if (!grains.contains(use.grain) || (found.kind != "date" && found.kind != "time"))
      throw wrong(fmt::format("'{}' has no grain '{}'", use.name, use.grain),
                  "dimensions of kind date and time have day, week, month, quarter and year");
    return fmt::format("date_trunc('{}', {})", use.grain, value(use.name));
  }

  std::string metric(const std::string& name) {
    const Metric* found = model_->metric(name);
    if (!found) {
      std::vector<std::string> names;
      for (const auto& one : model_->metrics) names.push_back(one.name);
      throw wrong(fmt::format("the model '{}' has no metric '{}'", model_->name, name),
                  base::did_you_mean(name, names, "its metrics are "));
    }
    if (!found->numerator.empty())
      return fmt::format("CAST({} AS double) / nullif({}, 0)", metric(found->numerator),
                         metric(found->denominator));
    if (found->filter.empty()) return found->sql;
    return fmt::format("{} FILTER (WHERE {})", found->sql, found->filter);
  }

  static std::string written(const json::value& value) { return sql::print_trino(*literal(value)); }

  /// Dates and moments are compared as such, whatever text the value is.
  std::string operand(const Dimension& dimension, const json::value& value) const {
    if (!value.is_string()) return written(value);
    const std::string text(value.get_string());
    if (dimension.kind == "date" || dimension.kind == "time") {
      const TimeRange moment = time_range(json::object{{"from", value}}, 0);
      if (moment.from.empty()) throw wrong(fmt::format("'{}' is no date", text));
      return fmt::format("timestamp {}", quote_text(moment.from));
    }
    if (dimension.kind == "number")
      return sql::print_trino(*literal(value, BoundValue::Kind::kNumber));
    return quote_text(text);
  }

  std::string condition(const FilterConfig& filter) {
    const Dimension& dimension = need(filter.dimension);
    const std::string left = value(filter.dimension);
    std::vector<std::string> values;
    for (const auto& one : filter.values) values.push_back(operand(dimension, one));
    const bool nothing = filter.op == "is null" || filter.op == "is not null";
    if (nothing)
      return fmt::format("{} {}", left, filter.op == "is null" ? "IS NULL" : "IS NOT NULL");
    if (values.empty())
      throw wrong(fmt::format("the filter on '{}' has no value", filter.dimension));
    if (filter.op == "in" || filter.op == "not in")
      return fmt::format("{} {} ({})", left, filter.op == "in" ? "IN" : "NOT IN",
                         base::join(values, ", "));
    if (filter.op == "between") {
      if (values.size() != 2) throw wrong("between takes two values");
      return fmt::format("{} BETWEEN {} AND {}", left, values[0], values[1]);
    }
    static const std::set<std::string> known = {"=", "!=", "<", "<=", ">", ">=", "like"};
    if (!known.contains(filter.op))
      throw wrong(fmt::format("there is no operator '{}'", filter.op));
    return fmt::format("{} {} {}", left, filter.op == "like" ? "LIKE" : filter.op, values[0]);
  }

  std::string conditions() {
    std::vector<std::string> all;
    for (const auto& filter : query_.filters) all.push_back(condition(filter));
    return base::join(all, " AND ");
  }

  static std::string relation(const Model& model) {
    if (!model.sql.empty()) {
      const size_t last = model.sql.find_last_not_of(" \t\r\n;");
      return fmt::format("(\n{}\n)", model.sql.substr(0, last + 1));
    }
    std::vector<std::string> parts;
    for (size_t from = 0; from <= model.table.size();) {
      const size_t dot = std::min(model.table.find('.', from), model.table.size());
      parts.push_back(quote_name(model.table.substr(from, dot - from)));
      from = dot + 1;
    }
    return base::join(parts, ".");
  }

  /// The model's rows beside those of the models it looks up. Their columns have names with a dot,
  /// so that none is there twice.
  std::string source() const {
    std::string text = fmt::format("{} AS {}", relation(*model_), kBase);
    for (const auto& join : model_->joins) {
      if (!joins_.contains(join.name)) continue;
      const Model& other = models_.at(join.model);
      std::vector<std::string> items, on;
      for (size_t i = 0; i < join.on.size(); ++i) {
        const std::string key = fmt::format("{}.$key{}", join.name, i);
        items.push_back(fmt::format("{} AS {}", quote_name(join.on[i].second), quote_name(key)));
        on.push_back(fmt::format("{}.{} = {}.{}", kBase, quote_name(join.on[i].first),
                                 quote_name(join.name), quote_name(key)));
      }
      for (const auto& dimension : other.dimensions)
        items.push_back(fmt::format(
            "{} AS {}", dimension.sql.empty() ? quote_name(dimension.name) : dimension.sql,
            quote_name(join.name + "." + dimension.name)));
      text +=
          fmt::format("\nLEFT JOIN (SELECT {} FROM {} AS {}) AS {} ON {}", base::join(items, ", "),
                      relation(other), kBase, quote_name(join.name), base::join(on, " AND "));
    }
    return text;
  }

  std::string order(bool one_row) const {
    std::vector<std::string> all;
    for (std::string name : query_.order) {
      const bool descending = name.starts_with('-');
      if (descending) name.erase(0, 1);
      const bool known = std::ranges::count(query_.metrics, name) > 0 ||
                         std::ranges::count(query_.dimensions, name, &DimensionUse::name) > 0;
      if (!known) throw wrong(fmt::format("the order names '{}', which is not asked for", name));
      all.push_back(quote_name(name) + (descending ? " DESC" : ""));
    }
    if (all.empty() && !one_row)
      for (size_t i = 1; i <= query_.dimensions.size(); ++i) all.push_back(std::to_string(i));
    return all.empty() ? "" : "\nORDER BY " + base::join(all, ", ");
  }

  const MetricQuery& query_;
  const Models& models_;
  const Model* model_ = nullptr;
  std::set<std::string> joins_;  // that the question needs
};

}  // namespace

std::string compile(const MetricQuery& query, const Models& models) {
  return Compiler(query, models).run();
}

bool has_dimension(const MetricQuery& query, const Models& models, const std::string& name) {
  if (!models.contains(query.model)) return false;
  return Compiler(query, models).knows(name);
}

}  // namespace meesh::dashboards
