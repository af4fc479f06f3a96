// dbt's way of naming some of a graph's nodes: "+lake.gold.rfm", "tag:nightly,lake.silver.*".
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "pipelines/graph.h"

namespace meesh::pipelines {

class Selector {
 public:
  /// Node → parts of it; none = all of it.
  using Wanted = std::map<size_t, std::set<std::string>>;

  Selector(const Graph& graph, const Pipeline& pipeline) : graph_(graph), pipeline_(pipeline) {}

  Wanted all() const;
  /// What at least one selects. Throws NOT_FOUND for one that selects nothing, BAD_REQUEST for one
  /// that is none.
  Wanted any_of(const std::vector<std::string>& selectors) const;
  void remove(Wanted& from, const Wanted& what) const;

 private:
  Wanted one(const std::string& selector) const;   // with commas
  Wanted term(const std::string& selector) const;  // with plus signs
  Wanted matching(const std::string& pattern) const;
  void spread(Wanted& wanted, bool up, int depth) const;

  const Graph& graph_;
  const Pipeline& pipeline_;
};

}  // namespace meesh::pipelines
