// What depends on what among the assets of all pipelines: from the tables they read and make, and
// from depends_on.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pipelines/pipeline.h"

namespace meesh::pipelines {

class Graph {
 public:
  struct Node {
    const Pipeline* pipeline = nullptr;
    const PipelineAsset* asset = nullptr;
    std::vector<size_t> needs, feeds;  // of all pipelines
    std::vector<TableUse> external;    // tables it reads that no asset makes
  };

  /// Cycles, names given twice and references to nothing are added to `problems`.
  Graph(std::vector<std::unique_ptr<Pipeline>> pipelines, std::vector<Error>& problems);

  const std::vector<std::unique_ptr<Pipeline>>& pipelines() const { return pipelines_; }
  const Pipeline* pipeline(const std::string& name) const;
  const std::vector<Node>& nodes() const { return nodes_; }
  /// By an asset's name, a table it makes, or a part's name; nothing if unknown.
  const Node* find(const std::string& name) const;
  size_t index(const Node& node) const { return static_cast<size_t>(&node - nodes_.data()); }

  /// What a run of this pipeline is about: its nodes in an order in which each comes after what it
  /// needs.
  struct Selection {
    std::vector<size_t> nodes;
    std::map<size_t, std::set<std::string>> parts;  // wanted of a node; none = all
  };
  /// Selectors as dbt writes them: name, table, +name, name+, 2+name+1, tag:x, kind:x, path globs
  /// (lake.gold.*); a comma intersects, several are united. Throws NOT_FOUND for one that matches
  /// nothing.
  Selection select(const Pipeline& pipeline, const std::vector<std::string>& select,
                   const std::vector<std::string>& exclude) const;

 private:
  std::optional<size_t> maker(const std::string& table) const;
  void connect(std::vector<Error>& problems);
  void sort(std::vector<Error>& problems);
  void complain_of_circle(std::vector<size_t> path, std::vector<Error>& problems) const;

  std::vector<std::unique_ptr<Pipeline>> pipelines_;
  std::vector<Node> nodes_;
  std::map<std::string, size_t> by_name_;                 // assets and parts
  std::map<std::string, size_t> by_table_;                // "lake.bronze.*" too
  std::map<std::pair<size_t, size_t>, Location> places_;  // where (a, b) says that a needs b
  std::vector<size_t> order_;                             // position → node
};

/// Throws NOT_FOUND that names those there are.
[[noreturn]] void no_pipeline(const Graph& graph, const std::string& name);

}  // namespace meesh::pipelines
