// The Iceberg schemas of manifests and manifest lists, format version 2. Source: the Iceberg table
// spec, "Manifests" and "Manifest Lists".
#pragma once

#include <vector>

#include "lake/types.h"

namespace meesh::lake {

/// manifest_entry, with the table's partition struct inside.
std::vector<Field> manifest_entry_fields(const Type& partition);

/// manifest_file, the row of a manifest list.
std::vector<Field> manifest_file_fields();

}  // namespace meesh::lake
