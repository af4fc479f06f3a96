// A source's file as it could be, for a person to change.
#pragma once

#include <string>
#include <vector>

#include "ingest/source.h"

namespace meesh::ingest {

/// `file`, the text of sources/<name>.yaml, with tables for each stream instead of its own:
/// incremental where a column that is named like one tells what has changed, else whole. Of a kind
/// whose tables say where they come from, the file as it is.
std::string propose_source(const SourceConfig& config, const std::string& file,
                           const std::vector<Stream>& streams);

}  // namespace meesh::ingest
