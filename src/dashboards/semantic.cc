#include "dashboards/semantic.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <set>

#include "base/text.h"
#include "dashboards/dashboard_shape.h"
#include "dashboards/yaml_json.h"
#include "mesh/mesh_files.h"
#include "sql/sql.h"

namespace meesh::dashboards {

namespace json = boost::json;
using yaml::Node;

namespace {

std::string text_or(const Node& node, std::string_view key, std::string otherwise = "") {
  const Node* found = node.find(key);
  return found && found->is_scalar() ? found->text : otherwise;
}

json::value words(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  return found ? to_json(*found) : json::value(nullptr);
}

class Reader {
 public:
  Reader(const yaml::Document& document, std::vector<Error>& problems)
      : document_(document), problems_(problems) {}

  Model read(const std::string& name) {
    const Node& root = document_.root;
    Model model;
    model.name = name;
    model.owner = text_or(root, "owner");
    model.title = words(root, "title");
    model.description = words(root, "description");
    model.table = text_or(root, "table");
    model.sql = text_or(root, "sql");
    if (model.table.empty() == model.sql.empty())
      complain(root, "a model has one of 'table' and 'sql'");
    if (const Node* sql = root.find("sql")) check(*sql, false);
    for (const Node& node : root.find("dimensions")->items)
      model.dimensions.push_back(read_dimension(node));
    for (const Node& node : root.find("metrics")->items) model.metrics.push_back(read_metric(node));
    for (const auto& metric : model.metrics)
      for (const auto* part : {&metric.numerator, &metric.denominator})
        if (!part->empty() && (!model.metric(*part) || !model.metric(*part)->numerator.empty()))
          complain(*root.find("metrics"),
                   fmt::format("'{}' is a ratio of '{}', which is no metric with SQL of its own",
                               metric.name, *part));
    if (const Node* joins = root.find("joins"))
      for (const Node& node : joins->items) model.joins.push_back(read_join(node));
    return model;
  }

 private:
  void complain(const Node& at, std::string message, std::string hint = "") {
    Error error = document_.error(Code::kConfigInvalid, std::move(message), at.line, at.column);
    if (!hint.empty()) error.with_hint(std::move(hint));
    problems_.push_back(std::move(error));
  }

  /// An expression, or a query.
  void check(const Node& sql, bool expression) {
    try {
      if (expression) {
        sql::parse_expression(sql.text);
      } else if (sql::parse(sql.text)->kind != sql::StatementKind::kQuery) {
        complain(sql, "a model is a query (SELECT) alone");
      }
    } catch (const Error& error) {
      complain(sql, error.message());
    }
  }

  void once(const Node& node, const std::string& name) {
    if (!names_.insert(name).second) complain(node, fmt::format("'{}' is there twice", name));
  }

  Dimension read_dimension(const Node& node) {
    Dimension dimension;
    dimension.name = text_or(node, "name");
    dimension.kind = text_or(node, "kind", "text");
    dimension.sql = text_or(node, "sql");
    if (const Node* sql = node.find("sql")) check(*sql, true);
    dimension.title = words(node, "title");
    dimension.description = words(node, "description");
    once(node, dimension.name);
    return dimension;
  }

  Metric read_metric(const Node& node) {
    Metric metric;
    metric.name = text_or(node, "name");
    metric.sql = text_or(node, "sql");
    metric.filter = text_or(node, "filter");
    metric.format = text_or(node, "format");
    metric.unit = text_or(node, "unit");
    metric.title = words(node, "title");
    metric.description = words(node, "description");
    if (const Node* ratio = node.find("ratio")) {
      if (ratio->items.size() == 2) {
        metric.numerator = ratio->items[0].text;
        metric.denominator = ratio->items[1].text;
      } else {
        complain(*ratio, "a ratio is of two metrics");
      }
    }
    if (metric.sql.empty() == metric.numerator.empty())
      complain(node, fmt::format("the metric '{}' has one of 'sql' and 'ratio'", metric.name));
    if (const Node* sql = node.find("sql")) check(*sql, true);
    if (const Node* filter = node.find("filter")) {
      check(*filter, true);
      if (!is_call(metric.sql))
        complain(*filter, "'filter' is for metrics that are one aggregate: sum(amount)");
    }
    once(node, metric.name);
    return metric;
  }

  static bool is_call(const std::string& sql) {
    try {
      return !sql.empty() && sql::parse_expression(sql)->kind == sql::ExprKind::kFunction;
    } catch (const Error&) {
      return true;  // complained about already
    }
  }

  ModelJoin read_join(const Node& node) {
    ModelJoin join{text_or(node, "name"), text_or(node, "model"), {}};
    if (const Node* on = node.find("on"))
      for (size_t i = 0; i < on->keys.size(); ++i)
        join.on.emplace_back(on->keys[i].name, on->items[i].text);
    if (join.on.empty()) complain(node, "a join needs columns to compare: on: { customer_id: id }");
    once(node, join.name);
    return join;
  }

  const yaml::Document& document_;
  std::vector<Error>& problems_;
  std::set<std::string> names_;
};

json::object named(const std::string& name, const json::value& title,
                   const json::value& description) {
  json::object told{{"name", name}, {"title", title.is_null() ? json::value(name) : title}};
  if (!description.is_null()) told["description"] = description;
  return told;
}

void add_dimensions(json::array& to, const Model& model, const std::string& prefix) {
  for (const auto& dimension : model.dimensions) {
    json::object told = named(prefix + dimension.name, dimension.title, dimension.description);
    told["kind"] = dimension.kind;
    if (dimension.kind == "date" || dimension.kind == "time") {
      json::array grains{"day", "week", "month", "quarter", "year"};
      if (dimension.kind == "time") grains.insert(grains.begin(), {"minute", "hour"});
      told["grains"] = std::move(grains);
    }
    to.push_back(std::move(told));
  }
}

}  // namespace

const Dimension* Model::dimension(const std::string& dimension_name) const {
  for (const auto& one : dimensions)
    if (one.name == dimension_name) return &one;
  return nullptr;
}

const Metric* Model::metric(const std::string& metric_name) const {
  for (const auto& one : metrics)
    if (one.name == metric_name) return &one;
  return nullptr;
}

SemanticLayer::SemanticLayer(std::filesystem::path folder, std::filesystem::path shown)
    : folder_(std::move(folder)), shown_(std::move(shown)) {}

Models read_models(const std::map<std::string, std::string>& texts,
                   const std::filesystem::path& shown) {
  Models models;
  std::vector<Error> problems;
  std::map<std::string, yaml::Document> documents;
  for (const auto& [name, text] : texts) {
    const std::string file = (shown / (name + ".yaml")).string();
    try {
      yaml::Document document = yaml::parse(text, file);
      const size_t before = problems.size();
      base::check(model_shape(), document, problems);
      if (problems.size() > before) continue;
      models[name] = Reader(document, problems).read(name);
      documents.emplace(name, std::move(document));
    } catch (const Error& error) {
      problems.push_back(error);
    }
  }
  for (const auto& [name, model] : models) {
    for (const auto& join : model.joins) {
      if (models.contains(join.model)) continue;
      const Node& at = *documents.at(name).root.find("joins");
      problems.push_back(documents.at(name).error(Code::kConfigInvalid,
                                                  fmt::format("there is no model '{}'", join.model),
                                                  at.line, at.column));
    }
  }
  if (!problems.empty()) throw mesh::ConfigError(std::move(problems));
  return models;
}

ModelsPtr SemanticLayer::models() {
  mesh::MeshFiles files(folder_, shown_, [](const std::string&) { return std::nullopt; });
  std::map<std::string, std::string> texts;
  std::string all;
  for (const auto& file : files.list("semantic", ".yaml")) {
    if (!is_id(file.stem().string())) continue;
    const std::string text = files.text(file);
    all += file.string() + '\0' + text + '\0';
    texts[file.stem().string()] = text;
  }
  const uint64_t fingerprint = base::checksum(all);
  const std::lock_guard lock(mutex_);
  if (models_ && fingerprint == fingerprint_) return models_;
  models_ = std::make_shared<Models>(read_models(texts, shown_ / "semantic"));
  fingerprint_ = fingerprint;
  return models_;
}

json::object to_json(const Model& model, const Models& models) {
  json::object told = named(model.name, model.title, model.description);
  if (!model.owner.empty()) told["owner"] = model.owner;
  json::array dimensions, metrics;
  add_dimensions(dimensions, model, "");
  for (const auto& join : model.joins)
    if (const auto other = models.find(join.model); other != models.end())
      add_dimensions(dimensions, other->second, join.name + ".");
  for (const auto& metric : model.metrics) {
    json::object one = named(metric.name, metric.title, metric.description);
    one["format"] = metric.format.empty() ? "number" : metric.format;
    if (!metric.unit.empty()) one["unit"] = metric.unit;
    metrics.push_back(std::move(one));
  }
  told["dimensions"] = std::move(dimensions);
  told["metrics"] = std::move(metrics);
  return told;
}

}  // namespace meesh::dashboards
