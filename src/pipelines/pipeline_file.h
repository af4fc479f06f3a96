// Reads the mesh's pipelines/*.yaml.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "mesh/mesh.h"
#include "pipelines/asset_kind.h"
#include "pipelines/graph.h"

namespace meesh::pipelines {

struct PipelineSet {
  std::unique_ptr<Graph> graph;
  std::map<std::string, int> pools;  // name → steps at once, of pipelines/pools.yaml
};

/// Throws mesh::ConfigError with every mistake of every file: of shape, of SQL, of references,
/// cycles.
PipelineSet read_pipelines(const mesh::Mesh& mesh, const AssetKinds& kinds);

/// Changes whenever a file changes that read_pipelines() would read.
uint64_t files_fingerprint(const mesh::Mesh& mesh, const AssetKinds& kinds);

/// The shape of pipelines/<name>.yaml; what stands under an asset's name is checked by its kind.
base::Shape pipeline_shape();
/// The keys that assets of all kinds have.
std::vector<base::Shape> asset_keys();
/// The shape of pipelines/pools.yaml.
base::Shape pools_shape();

/// "10s", "5m", "1h", "500ms", "1d"; the text fits the shape's pattern.
Millis parse_duration(const std::string& text);

}  // namespace meesh::pipelines
