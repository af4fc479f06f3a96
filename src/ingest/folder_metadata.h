// _metadata.json beside a landed table's folders: for people and programs that read folders, what
// is in them. Made from the table's manifests, without reading a row.
#pragma once

#include <string>

#include "engine/engine.h"
#include "ingest/landing.h"
#include "ingest/source_config.h"
#include "objects/store.h"

namespace meesh::ingest {

inline constexpr const char* kFolderMetadata = "_metadata.json";

/// Writes it anew. `origin`: "northwind.public.orders"; `moment`: "2026-01-31 12:00:00.000000 UTC".
void write_folder_metadata(engine::Engine& engine, objects::Store& store, const Landing& landing,
                           const std::string& kind, const std::string& origin, Mode mode,
                           const std::string& moment);

}  // namespace meesh::ingest
