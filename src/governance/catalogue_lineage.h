// What the catalogue reads off the lineage of the whole mesh.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "governance/catalogue_propagation.h"
#include "meta/database.h"

namespace meesh::governance {

/// The lineage of columns as it is now: those whose values are, or are computed of, others. Columns
/// that only decide over rows or cases give their tags to nobody.
std::vector<ColumnEdge> column_edges(meta::Database& database);

/// Another number when that may have changed; cheap.
uint64_t lineage_version(meta::Database& database);

struct WrittenAsset {
  std::string asset;
  int64_t written_ms = 0;  // since 1970
};
/// Tables that something was written to, newest first; "" = of all, else of this one alone.
std::vector<WrittenAsset> recently_written(meta::Database& database, const std::string& asset,
                                           size_t limit);

}  // namespace meesh::governance
