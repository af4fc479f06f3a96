// A connector's configuration, checked against the JSON Schema of its spec, so that mistakes are
// told with the place in the source's file before the connector runs.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"

namespace meesh::ingest {

/// Texts that are never shown.
class Secrets {
 public:
  /// Short ones would be found everywhere; they are left out.
  void add(std::string text);
  /// The text with each of them as ******.
  std::string hide(std::string_view text) const;

 private:
  std::vector<std::string> texts_;
};

struct ConnectorConfig {
  boost::json::object value;  // what the connector gets
  Secrets secrets;            // values that the spec calls secret, and those of ${NAME}
};

/// Any YAML as JSON; of scalars, by what they are.
boost::json::value json_of(const yaml::Node& node);

/// Adds what is wrong to `problems`, named by `file`, line and column. Numbers where the schema has
/// text become text, required keys that are missing get the schema's default.
ConnectorConfig check_config(const boost::json::object& schema, const yaml::Node& node,
                             const std::string& file, std::vector<Error>& problems);

}  // namespace meesh::ingest
