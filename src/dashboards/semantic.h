// The semantic layer: models (semantic/<name>.yaml) say what the rows of a table mean, so that
// charts ask for metrics by dimensions instead of writing SQL. A question becomes one statement:
//
//   {model: orders, metrics: [revenue], dimensions: [{name: ordered_at, grain: month}]}
//
//   SELECT date_trunc('month', "ordered_at") AS "ordered_at", sum(amount) AS "revenue"
//   FROM (SELECT *, … AS "ordered_at" FROM lake.gold.orders) GROUP BY 1 ORDER BY 1
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "dashboards/dashboard.h"
#include "mesh/mesh.h"

namespace meesh::dashboards {

struct Dimension {
  std::string name, sql, kind = "text";
  boost::json::value title, description;
};
struct Metric {
  std::string name, sql, filter, numerator, denominator;  // sql, or the two of a ratio
  std::string format, unit;
  boost::json::value title, description;
};
struct ModelJoin {
  std::string name, model;
  std::vector<std::pair<std::string, std::string>> on;  // this model's column, the other's
};

struct Model {
  std::string name, owner;
  std::string table, sql;  // one of both
  boost::json::value title, description;
  std::vector<Dimension> dimensions;
  std::vector<Metric> metrics;
  std::vector<ModelJoin> joins;

  const Dimension* dimension(const std::string& dimension_name) const;
  const Metric* metric(const std::string& metric_name) const;
};
using Models = std::map<std::string, Model>;
using ModelsPtr = std::shared_ptr<const Models>;

/// Reads semantic/*.yaml of a mesh again when a file changed.
class SemanticLayer {
 public:
  SemanticLayer(std::filesystem::path folder, std::filesystem::path shown);
  /// Throws ConfigError with every mistake of every file.
  ModelsPtr models();

 private:
  const std::filesystem::path folder_, shown_;
  std::mutex mutex_;
  uint64_t fingerprint_ = 0;  // guarded, as models_
  ModelsPtr models_;
};

/// Of files that are named by messages as `file`; used by SemanticLayer and its tests. Throws
/// ConfigError.
Models read_models(const std::map<std::string, std::string>& texts,
                   const std::filesystem::path& shown);

/// Trino SQL. Throws CONFIG_INVALID at the query's place for what the models do not have.
std::string compile(const MetricQuery& query, const Models& models);
/// Whether the query's model (or one it joins) has this dimension.
bool has_dimension(const MetricQuery& query, const Models& models, const std::string& name);

/// {name, title, description, owner, dimensions: […], metrics: […]}; dimensions of joined models
/// are "<join>.<dimension>".
boost::json::object to_json(const Model& model, const Models& models);

}  // namespace meesh::dashboards
