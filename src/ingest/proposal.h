// A source's file as it could be, for a person to change.
#pragma once

#include <string>
#include <vector>

#include "ingest/source.h"

namespace meesh::ingest {

/// The text of sources/<name>.yaml that takes each stream: incremental where a column that is named
/// like one tells what has changed, else whole.
std::string propose_source(const SourceConfig& config, const std::vector<Stream>& streams);

}  // namespace meesh::ingest
