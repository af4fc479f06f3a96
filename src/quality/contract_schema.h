// The published JSON Schema of the Open Data Contract Standard, and the part of JSON Schema 2019-09
// that it is written in, checked against YAML so that every mistake has its line and column.
#pragma once

#include <boost/json/value.hpp>
#include <vector>

#include "base/yaml.h"

namespace meesh::quality {

/// The schema of ODCS 3.1.0 as published.
const boost::json::value& contract_schema();

/// Adds every mistake as CONFIG_INVALID at file:line:column. Of the keywords, those that the schema
/// above uses; a schema with another one is an internal error. `format` is not checked, as the
/// standard has it.
void check_schema(const boost::json::value& schema, const yaml::Document& document,
                  std::vector<Error>& problems);

}  // namespace meesh::quality
