// What differs between two YAML documents, in words a person who decides about them reads.
#pragma once

#include <string>
#include <vector>

#include "base/yaml.h"

namespace meesh::governance {

struct Difference {
  std::string change;  // added, removed, changed
  std::string where;   // "schema[orders].properties[id].required"
  std::string before, after;
  bool operator==(const Difference&) const = default;
};

/// Items of lists are known by their id, name, property or column where they have one, else by
/// their place.
std::vector<Difference> differences(const yaml::Node& before, const yaml::Node& after);

}  // namespace meesh::governance
