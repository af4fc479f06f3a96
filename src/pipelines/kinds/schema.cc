#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "pipelines/kinds/kinds.h"
#include "pipelines/pipeline_file.h"

namespace meesh::pipelines {

boost::json::value pipeline_schema() {
  boost::json::array kinds;
  for (auto keys :
       {ingest_keys(), stream_keys(), feed_keys(), transform::model_shape(), dbt_keys(),
        check_keys(), statement_keys(), maintenance_keys(), export_keys(), python_keys()}) {
    const std::string word = keys.front().key;
    for (base::Shape& key : asset_keys()) keys.push_back(std::move(key));
    auto schema =
        base::json_schema(base::object("An asset of kind " + word + ".", std::move(keys)), word);
    schema.as_object().erase("$schema");
    kinds.push_back(std::move(schema));
  }
  auto schema = base::json_schema(pipeline_shape(), "pipeline");
  auto& assets = schema.at("properties").at("assets").as_object();
  assets["additionalProperties"] = boost::json::object{{"anyOf", std::move(kinds)}};
  return schema;
}

}  // namespace meesh::pipelines
