// Configuration as JSON and JSON as configuration, keys in their order.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "base/yaml.h"

namespace meesh::dashboards {

/// Numbers beyond 64 bits become doubles; text stays text.
boost::json::value to_json(const yaml::Node& node);
/// As a person would write it: block style, small lists and maps of numbers on one line, text of
/// several lines as a literal block. Reading it gives the same value, except that text of several
/// lines ends with a line end then.
std::string to_yaml(const boost::json::value& value);

}  // namespace meesh::dashboards
