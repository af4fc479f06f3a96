// Whether a change still fits a table that others changed since it was computed.
#pragma once

#include "lake/manifest_cache.h"
#include "lake/metadata.h"
#include "lake/transaction.h"

namespace meesh::lake {

/// Throws ICEBERG_COMMIT_ERROR with Java's texts if it does not, ALREADY_EXISTS for adopted files
/// that are the table's meanwhile. `parent` is the branch's head,
/// null if there is none. Whether removed files are live is not looked at.
void validate(ManifestCache& cache, const SnapshotChange& change, const TableMetadata& table,
              const Snapshot* parent);

/// "a = 5 and b is null", for messages.
std::string predicate_text(const Predicate& predicate, const Schema& schema);

}  // namespace meesh::lake
