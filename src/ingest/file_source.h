// Files as a source: what a pattern names, as one stream a table. An incremental read takes files
// that are new or have changed.
#pragma once

#include <memory>

#include "engine/catalogs/files.h"
#include "ingest/source.h"

namespace meesh::ingest {

std::unique_ptr<Source> open_file_source(SourceConfig config,
                                         std::shared_ptr<engine::FileTables> files);

}  // namespace meesh::ingest
