// Airbyte's connectors as sources: any Python connector of the package index in an environment of
// its own, and manifests of the low-code kind through airbyte-cdk. Each read runs the connector
// once for one stream; rows become rows of the engine's memory, and are committed together with the
// connector's state.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/yaml.h"
#include "ingest/airbyte/environments.h"
#include "ingest/airbyte/stream_schema.h"
#include "ingest/kinds.h"

namespace meesh::ingest {

struct AirbyteOptions : KindOptions {
  ConnectorPackage package;  // of a manifest: airbyte-cdk
  std::string manifest;      // relative to the mesh's folder; "" = a connector of its own
  yaml::Node config, place;  // the node `config`, or nothing; where the connector is named
  std::string file;          // as messages name it
  uint64_t memory = 0;       // bytes
  std::chrono::seconds timeout{0};
  uint64_t commit_rows = 0;  // records after which the next state is committed
};

/// Of a source of kind airbyte.
const AirbyteOptions& airbyte_options(const SourceConfig& config);

/// The spec of a source's connector, as the protocol has it (connectionSpecification, …).
boost::json::object airbyte_spec(const SourceConfig& config, const Resources& resources);
/// Of a connector, installed if it is not.
boost::json::object airbyte_spec(const ConnectorPackage& package, const mesh::Mesh& mesh,
                                 const TaskContext& context);
/// The catalog that the connector told last, whenever that was; empty if it never did.
boost::json::object airbyte_last_catalog(const std::string& source, const mesh::Mesh& mesh);

}  // namespace meesh::ingest
