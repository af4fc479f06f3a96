// One read of one stream: records into rows, cut into portions where the connector gives its state.
#pragma once

#include <memory>

#include "engine/catalogs/buffers.h"
#include "ingest/airbyte/connector.h"
#include "ingest/airbyte/stream_schema.h"
#include "ingest/source.h"
#include "ingest/source_config.h"

namespace meesh::ingest {

/// How much a portion of an incremental read has before the next state ends it.
struct PortionSize {
  uint64_t rows = 200'000;
  uint64_t bytes = 128 << 20;
  std::chrono::seconds time{60};
};

std::unique_ptr<Reader> make_airbyte_reader(ConnectorSettings settings, const SourceConfig& config,
                                            ReadRequest request, ConnectorStream stream,
                                            std::shared_ptr<engine::BufferTables> buffers,
                                            std::function<void()> forget_catalog,
                                            PortionSize size = {});

}  // namespace meesh::ingest
