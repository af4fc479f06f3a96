#include "engine/lake/materialized_views.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "engine/lake/changes.h"
#include "engine/lake/fresh_table.h"
#include "engine/lake/values.h"
#include "engine/lake/views.h"
#include "engine/lake/write.h"
#include "engine/statement_runner.h"
#include "lake/maintenance.h"
#include "lake/refresh_state.h"
#include "lake/storage_tables.h"

namespace meesh::engine {
namespace {

using sql::as;
using sql::StatementKind;
using Kind = sql::TableInfo::Kind;

constexpr int kMostAttempts = 5;

lake::Identifier storage_of(const lake::ViewMetadata& view) {
  const auto& storage = view.version().storage_table;
  if (!storage) internal_error("a materialized view names no storage table");
  return {storage->space, storage->name};
}

const char* word(lake::Freshness::Kind kind) {
  switch (kind) {
    case lake::Freshness::Kind::kFresh:
      return "FRESH";
    case lake::Freshness::Kind::kStale:
      return "STALE";
    case lake::Freshness::Kind::kUnknown:
      return "UNKNOWN";
  }
  internal_error("unknown freshness");
}

bool reads_storage(const sql::Materialization& stored, int64_t now_ms) {
  if (stored.freshness == "FRESH") return true;
  if (!stored.last_fresh_ms) return false;
  if (!stored.grace_period_ms) return true;
  return *stored.grace_period_ms > 0 && now_ms - *stored.last_fresh_ms <= *stored.grace_period_ms;
}

/// The properties of the storage table, with errors in Trino's words for materialized views.
/// Takes storage_schema out, which may only be the view's own.
TableProperties read_view_properties(std::vector<sql::Property>& properties,
                                     const std::string& catalog, const std::string& schema) {
  std::erase_if(properties, [&](const sql::Property& property) {
    if (lower_case(property.name.value) != "storage_schema") return false;
    const std::string wanted =
        property.value ? literal_text(property.value.get(), "storage_schema") : schema;
    if (lower_case(wanted) == schema) return true;
    throw Error(Code::kNotSupported,
                "storage_schema must be the schema of the materialized view: " + schema,
                {property.name.pos.line, property.name.pos.column, {}});
  });
  try {
    return read_properties(properties, catalog);
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidTableProperty) throw;
    std::string message = error.message();
    constexpr std::string_view kTable = " table property ";
    if (const size_t at = message.find(kTable); at != std::string::npos)
      message.replace(at, kTable.size(), " materialized view property ");
    throw Error(Code::kInvalidMaterializedViewProperty, message, error.location());
  }
}

}  // namespace

void add_materialization(sql::TableInfo& info, LakeSource& source, const lake::View& view) {
  auto& stored = *info.materialization;
  const auto storage = source.catalog.find(storage_of(*view.metadata));
  const auto fresh =
      lake::freshness(source.catalog, *view.metadata, storage ? storage->metadata.get() : nullptr);
  stored.freshness = word(fresh.kind);
  stored.last_fresh_ms = fresh.last_fresh_ms;
  if (!storage) return;
  const auto& metadata = *storage->metadata;
  info.properties = shown_properties(metadata);
  if (!reads_storage(stored, base::now_ms())) return;
  source.keep(*storage);
  info.duckdb_source = scan_call(info.name.catalog, storage->metadata_location, metadata.schema(),
                                 metadata.current_snapshot());
  // What a view on this one was computed from.
  info.duckdb_target = storage->metadata_location;
}

std::vector<std::string> storage_tables(const lake::Catalog& catalog,
                                        const lake::Namespace& space) {
  std::vector<std::string> found;
  for (const auto& name : catalog.views(space)) {
    try {
      const auto view = catalog.find_view({space, name});
      if (!view) continue;
      const auto& storage = view->metadata->version().storage_table;
      if (storage && storage->space == space) found.push_back(storage->name);
    } catch (const Error& error) {
      log::warn("a view cannot be read", {{"view", name}, {"error", error.what()}});
    }
  }
  return found;
}

bool MaterializedViewChange::takes(const sql::Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kCreateView:
      return as<sql::CreateView>(statement).materialized;
    case StatementKind::kDropView:
      return as<sql::DropView>(statement).materialized;
    case StatementKind::kAlterView:
      return as<sql::AlterView>(statement).materialized;
    default:
      return statement.kind == StatementKind::kRefreshMaterializedView;
  }
}

std::optional<int64_t> MaterializedViewChange::run() {
  auto& statement = change_.statement;
  switch (statement.kind) {
    case StatementKind::kCreateView:
      create(as<sql::CreateView>(statement));
      return std::nullopt;
    case StatementKind::kDropView:
      drop(as<sql::DropView>(statement));
      return std::nullopt;
    case StatementKind::kAlterView:
      rename(as<sql::AlterView>(statement));
      return std::nullopt;
    default:
      return refresh(as<sql::RefreshMaterializedView>(statement));
  }
}

void MaterializedViewChange::allow(std::string_view action, const std::string& place) const {
  allow_below(source_, change_.user, action, place);
}

// ---------------------------------------------------------------- definition

void MaterializedViewChange::create(sql::CreateView& create) {
  auto& catalog = source_.catalog;
  const auto before = catalog.find_view(name());
  if (before && create.if_not_exists) return;
  const std::string location =
      before ? before->metadata->location : catalog.default_location(name());
  allow("s3:PutObject", location);
  sql::TableInfo view = target();
  sql::QueryStatement query;
  query.query = std::move(create.query);
  const auto given = change_.columns_of(query);
  for (size_t i = 0; i < view.columns.size(); ++i) view.columns[i].type = given.at(i).type;
  const auto asked = read_view_properties(create.properties, catalog_, view.name.schema);
  // Below the view, so that who may read or change the one may do so with the other.
  const auto fresh = fresh_table(
      source_, change_.user, view.columns, asked,
      fmt::format("{}/storage-{}", location, base::random_uuid().substr(0, 8)), std::nullopt);
  check_writable(fresh);
  // As they are stored: they are the same however the view is read.
  for (size_t i = 0; i < view.columns.size(); ++i)
    view.columns[i].type = sql_type(fresh.schema().fields.at(i).type);
  auto storage_name = lake::free_storage_name(catalog, name());
  if (before && before->metadata->version().storage_table) {
    allow("s3:DeleteObject", before->metadata->location);
    storage_name = storage_of(*before->metadata);
  }
  view.materialization->storage = {view.name.catalog, storage_name.space.at(0), storage_name.name};
  commit(view, lake::stage_table(catalog, storage_name, fresh), before);
}

void MaterializedViewChange::commit(const sql::TableInfo& view, const lake::Table& storage,
                                    const std::optional<lake::View>& before) {
  auto& catalog = source_.catalog;
  const auto replaced = before ? catalog.find(storage.name) : std::nullopt;
  try {
    if (before) {
      catalog.commit_view(
          name(),
          [&](const lake::ViewMetadata& base) { return view_metadata(view, base.location, &base); },
          [&](soci::session& sql) {
            lake::unname_table(sql, catalog, storage.name);
            lake::name_table(sql, catalog, storage);
          });
    } else {
      catalog.create_view(name(), view_metadata(view, catalog.default_location(name()), nullptr),
                          [&](soci::session& sql) { lake::name_table(sql, catalog, storage); });
    }
  } catch (const lake::CommitStateUnknown&) {
    throw;
  } catch (...) {
    try {
      catalog.files().remove({storage.metadata_location});
    } catch (const Error& error) {
      log::warn("a file of a failed statement stays",
                {{"file", storage.metadata_location}, {"error", error.what()}});
    }
    throw;
  }
  if (replaced) purge(*replaced);
}

void MaterializedViewChange::purge(const lake::Table& storage) const {
  try {
    lake::purge(source_.cache, storage);
  } catch (const Error& error) {
    log::warn("files of a dropped materialized view stay",
              {{"table", storage.name.display()}, {"error", error.what()}});
  }
}

void MaterializedViewChange::drop(const sql::DropView& drop) {
  auto& catalog = source_.catalog;
  const auto view = catalog.find_view(name());
  if (!view && drop.if_exists) return;
  if (!view) {
    throw Error(Code::kGenericUserError,
                fmt::format("Materialized view '{}' does not exist", target().name.display()));
  }
  allow("s3:DeleteObject", view->metadata->location);
  const auto storage = catalog.find(storage_of(*view->metadata));
  if (storage) allow("s3:DeleteObject", storage->metadata->location);
  catalog.drop_view(name(), [&](soci::session& sql) {
    if (storage) lake::unname_table(sql, catalog, storage->name);
  });
  if (storage) purge(*storage);
}

void MaterializedViewChange::rename(const sql::AlterView& alter) {
  auto& catalog = source_.catalog;
  const lake::Identifier to{{lower_case(alter.target.at(1).value)},
                            lower_case(alter.target.at(2).value)};
  if (to.space != name().space) {
    throw Error(Code::kNotSupported, "Materialized View rename across schemas is not supported",
                {alter.pos.line, alter.pos.column, {}});
  }
  const auto view = catalog.find_view(name());
  if (!view && alter.if_exists) return;
  if (view) allow("s3:PutObject", view->metadata->location);
  allow("s3:PutObject", catalog.default_location(to));
  catalog.rename_view(name(), to);
}

// ---------------------------------------------------------------- rows

lake::RefreshState MaterializedViewChange::state_of_sources(const lake::ViewMetadata& view) const {
  lake::RefreshState state;
  state.view_version_id = view.current_version_id;
  state.started_ms = base::now_ms();
  for (const auto& read : change_.analysis.reads) {
    if (read.name.catalog != catalog_ ||
        (read.kind == Kind::kTable && read.duckdb_target.empty())) {
      state.others = true;
      continue;
    }
    lake::Identifier name{{read.name.schema}, read.name.table};
    if (read.kind != Kind::kTable) {
      const auto used = source_.catalog.load_view(name);
      state.sources.push_back(
          {true, name, used.metadata->uuid, -1, used.metadata->current_version_id});
      if (read.duckdb_target.empty()) continue;  // its own sources are among the reads
      name = storage_of(*used.metadata);
    }
    const auto table = source_.metadata(read.duckdb_target);
    const auto* head = table->current_snapshot();
    state.sources.push_back({false, name, table->uuid, head ? head->id : -1, 0});
  }
  return state;
}

void MaterializedViewChange::check_columns(const std::vector<sql::ColumnInfo>& given,
                                           const lake::Schema& schema) const {
  std::vector<std::string> wanted, found;
  for (const auto& field : schema.fields) wanted.push_back(sql_type(field.type).display());
  for (const auto& column : given) found.push_back(column.type.display());
  if (wanted == found) return;
  throw Error(Code::kTypeMismatch,
              fmt::format("Insert query has mismatched column types: Table: [{}], Query: [{}]",
                          fmt::join(wanted, ", "), fmt::join(found, ", ")))
      .with_hint("CREATE OR REPLACE MATERIALIZED VIEW takes the columns that there are now");
}

int64_t MaterializedViewChange::refresh(sql::RefreshMaterializedView& refresh) {
  const auto view = source_.catalog.load_view(name());
  const auto storage_name = storage_of(*view.metadata);
  const auto state = state_of_sources(*view.metadata);
  sql::QueryStatement query;
  query.query = std::move(refresh.query);
  const auto columns = change_.columns_of(query);
  const auto printed = sql::print_duckdb(query);
  for (int attempt = 1;; ++attempt) {
    const auto storage = source_.catalog.find(storage_name);
    if (!storage) {
      throw Error(Code::kTableNotFound,
                  fmt::format("The storage table of materialized view '{}' is gone: {}",
                              target().name.display(), storage_name.display()))
          .with_hint("CREATE OR REPLACE MATERIALIZED VIEW makes it anew");
    }
    allow("s3:PutObject", storage->metadata->location);
    check_columns(columns, storage->metadata->schema());
    const auto fresh = lake::freshness(source_.catalog, *view.metadata, storage->metadata.get());
    if (fresh.kind == lake::Freshness::Kind::kFresh) return 0;
    // Another refresh that began later has been faster.
    const auto known = lake::refresh_state(*storage->metadata);
    if (attempt > 1 && known && known->started_ms >= state.started_ms) return 0;
    if (const auto rows = replace_rows(*storage, state, printed)) return *rows;
    if (attempt < kMostAttempts) continue;
    throw Error(
        Code::kIcebergCommitError,
        fmt::format("Cannot refresh '{}': its storage table was changed meanwhile, {} times",
                    target().name.display(), kMostAttempts));
  }
}

std::optional<int64_t> MaterializedViewChange::replace_rows(const lake::Table& storage,
                                                            const lake::RefreshState& state,
                                                            const sql::Printed& query) {
  const auto& metadata = *storage.metadata;
  const auto* head = metadata.current_snapshot();
  lake::SnapshotChange snapshot;
  snapshot.table_uuid = metadata.uuid;
  if (head) {
    snapshot.read_snapshot_id = head->id;
    for (const auto& file : lake::plan_scan(source_.cache, metadata, head, {}).files)
      snapshot.removed.push_back(file.file->path);
  }
  lake::Requirement unchanged{lake::RequirementKind::kRefSnapshotId, std::string(lake::kMainBranch),
                              std::nullopt};
  if (head) unchanged.id = head->id;
  snapshot.requirements.push_back(std::move(unchanged));
  snapshot.summary = lake::refresh_summary(state);
  snapshot.summary["engine-name"] = "meesh";
  snapshot.summary["trino_query_id"] = change_.query_id;
  snapshot.updates.emplace_back(lake::SetProperties{lake::refresh_properties(state)});
  auto written = write_data(metadata, source_.catalog.files(), {.query = query}, change_.run);
  change_.counted(written.rows);
  snapshot.data = std::move(written.files);
  std::vector<std::pair<lake::Identifier, lake::SnapshotChange>> changes;
  changes.emplace_back(storage.name, std::move(snapshot));
  try {
    lake::commit(source_.catalog, source_.cache, std::move(changes), change_.also,
                 audit_of(source_, catalog_, change_));
  } catch (const Error& error) {
    if (error.code() == Code::kIcebergCommitError) return std::nullopt;
    throw;
  }
  return written.rows;
}

}  // namespace meesh::engine
