#include "lake/refresh_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/error.h"
#include "lake/metadata_json.h"

namespace meesh::lake {
namespace {

namespace json = boost::json;

constexpr const char* kSummaryKey = "refresh-state";
constexpr const char* kPropertyKey = "meesh.refresh-state";
constexpr const char* kOthersKey = "meesh-other-sources";

json::object to_json(const SourceState& source) {
  json::array space;
  for (const auto& level : source.name.space) space.emplace_back(level);
  json::object out = {{"type", source.view ? "view" : "table"},
                      {"name", source.name.name},
                      {"namespace", std::move(space)},
                      {"uuid", source.uuid}};
  if (source.view) {
    out["version-id"] = source.version_id;
  } else {
    out["snapshot-id"] = source.snapshot_id;
  }
  return out;
}

SourceState read_source(const JsonNode& node) {
  SourceState out;
  out.view = node.text("type") == "view";
  out.name.name = node.text("name");
  for (const auto& level : node.items("namespace")) out.name.space.push_back(level.as_text());
  out.uuid = node.text("uuid");
  if (out.view) {
    out.version_id = node.integer("version-id");
  } else {
    out.snapshot_id = node.long_integer("snapshot-id");
  }
  return out;
}

/// Whether the snapshot only wrote the same rows anew.
bool rewrites(const Snapshot& snapshot) {
  const auto operation = snapshot.summary.find("operation");
  return operation != snapshot.summary.end() && operation->second == "replace";
}

const Snapshot* parent(const TableMetadata& table, const Snapshot& snapshot) {
  return snapshot.parent_id ? table.find_snapshot(*snapshot.parent_id) : nullptr;
}

/// Versions differ where only a column's comment was changed.
bool same_definition(const ViewMetadata& view, int version_id) {
  const auto* then = view.find_version(version_id);
  const auto& now = view.version();
  return then && then->representations == now.representations &&
         then->default_catalog == now.default_catalog &&
         then->default_namespace == now.default_namespace &&
         then->storage_table == now.storage_table;
}

/// When the table's rows first changed after the snapshot; nothing: they are the same.
std::optional<int64_t> first_change(const TableMetadata& table, int64_t snapshot_id,
                                    int64_t refreshed_ms) {
  std::optional<int64_t> changed;
  for (const auto* at = table.current_snapshot(); at; at = parent(table, *at)) {
    if (at->id == snapshot_id) return changed;
    if (!rewrites(*at)) changed = at->timestamp_ms;
    if (!at->parent_id && snapshot_id == -1) return changed;
  }
  if (!table.current_snapshot() && snapshot_id == -1) return std::nullopt;
  return refreshed_ms;  // rolled back, replaced, or the history in between has expired
}

std::optional<int64_t> changed_since(const Catalog& catalog, const SourceState& source,
                                     int64_t refreshed_ms) {
  if (source.view) {
    const auto view = catalog.find_view(source.name);
    const bool same = view && view->metadata->uuid == source.uuid &&
                      same_definition(*view->metadata, source.version_id);
    return same ? std::nullopt : std::optional(refreshed_ms);
  }
  const auto table = catalog.find(source.name);
  if (!table || table->metadata->uuid != source.uuid) return refreshed_ms;
  return first_change(*table->metadata, source.snapshot_id, refreshed_ms);
}

}  // namespace

std::string refresh_state_json(const RefreshState& state) {
  json::array sources;
  for (const auto& source : state.sources) sources.push_back(to_json(source));
  json::object out = {{"view-version-id", state.view_version_id},
                      {"source-states", std::move(sources)},
                      {"refresh-start-timestamp-ms", state.started_ms}};
  if (state.others) out[kOthersKey] = true;
  return json::serialize(out);
}

std::optional<RefreshState> parse_refresh_state(std::string_view text) {
  RefreshState out;
  try {
    read_json(text, Code::kBadRequest, [&](const JsonNode& node) {
      out.view_version_id = node.integer("view-version-id");
      out.started_ms = node.long_integer("refresh-start-timestamp-ms");
      for (const auto& item : node.items("source-states")) out.sources.push_back(read_source(item));
      out.others = node.has(kOthersKey) && node.boolean(kOthersKey);
    });
  } catch (const Error&) {
    return std::nullopt;
  }
  return out;
}

std::string depends_on_tables(const RefreshState& state) {
  if (state.others) return "UNKNOWN";
  std::string out;
  for (const auto& source : state.sources) {
    if (source.view) continue;
    out += fmt::format("{}{}={}", out.empty() ? "" : ",", source.name.display(),
                       source.snapshot_id == -1 ? "" : std::to_string(source.snapshot_id));
  }
  return out;
}

Properties refresh_summary(const RefreshState& state) {
  return {{kSummaryKey, refresh_state_json(state)}, {"dependsOnTables", depends_on_tables(state)}};
}

Properties refresh_properties(const RefreshState& state) {
  return {{kPropertyKey, refresh_state_json(state)}};
}

std::optional<RefreshState> refresh_state(const TableMetadata& storage) {
  const auto* at = storage.current_snapshot();
  if (!at) return std::nullopt;
  for (; at; at = parent(storage, *at)) {
    const auto found = at->summary.find(kSummaryKey);
    if (found != at->summary.end()) return parse_refresh_state(found->second);
    if (!rewrites(*at)) return std::nullopt;
    if (!at->parent_id) return std::nullopt;
  }
  // The snapshot has expired, and only compaction came after it.
  const auto kept = storage.properties.find(kPropertyKey);
  return kept == storage.properties.end() ? std::nullopt : parse_refresh_state(kept->second);
}

Freshness freshness(const Catalog& catalog, const ViewMetadata& view,
                    const TableMetadata* storage) {
  Freshness out;
  const auto state = storage ? refresh_state(*storage) : std::nullopt;
  if (!state || !same_definition(view, state->view_version_id)) return out;
  std::optional<int64_t> changed;
  for (const auto& source : state->sources) {
    const auto at = changed_since(catalog, source, state->started_ms);
    if (at) changed = std::min(changed.value_or(*at), *at);
  }
  if (state->others) {
    out.kind = changed ? Freshness::Kind::kStale : Freshness::Kind::kUnknown;
    out.last_fresh_ms = state->started_ms;
    return out;
  }
  out.kind = changed ? Freshness::Kind::kStale : Freshness::Kind::kFresh;
  if (changed) out.last_fresh_ms = std::max(*changed, state->started_ms);
  return out;
}

}  // namespace meesh::lake
