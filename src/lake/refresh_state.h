// What the rows of a materialized view were computed from, and whether they still are what its
// query would give. The state stands in the summary of the storage table's snapshot
// ("refresh-state", as proposed for the Iceberg spec) and once more in the table's properties, so
// that compaction and the expiry of snapshots do not lose it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lake/catalog.h"

namespace meesh::lake {

struct SourceState {
  bool view = false;  // else a table
  Identifier name;
  std::string uuid;
  int64_t snapshot_id = -1;  // tables; -1: no snapshot
  int version_id = 0;        // views

  bool operator==(const SourceState& other) const = default;
};

struct RefreshState {
  int view_version_id = 0;
  int64_t started_ms = 0;
  std::vector<SourceState> sources;
  /// The query also reads what has no snapshots: other catalogs, metadata tables, old versions.
  bool others = false;

  bool operator==(const RefreshState& other) const = default;
};

std::string refresh_state_json(const RefreshState& state);
/// Nothing for what is no state.
std::optional<RefreshState> parse_refresh_state(std::string_view json);

/// Trino's form of the same: "sales.orders=123,sales.customers=45", or "UNKNOWN".
std::string depends_on_tables(const RefreshState& state);

/// For the summary and for the properties of the commit that brings the rows.
Properties refresh_summary(const RefreshState& state);
Properties refresh_properties(const RefreshState& state);

/// Of the rows that the table holds now. Nothing if it was never refreshed, or if somebody has
/// changed its rows since.
std::optional<RefreshState> refresh_state(const TableMetadata& storage);

struct Freshness {
  enum class Kind { kFresh, kStale, kUnknown };
  Kind kind = Kind::kStale;
  /// Until when the rows were those of the query, as far as is known; nothing if they are fresh, or
  /// if there are none of this definition.
  std::optional<int64_t> last_fresh_ms;
};

/// Of the view's rows. Snapshots that only rewrite files (compaction) make nothing stale. `storage`
/// null: it is gone.
Freshness freshness(const Catalog& catalog, const ViewMetadata& view, const TableMetadata* storage);

}  // namespace meesh::lake
