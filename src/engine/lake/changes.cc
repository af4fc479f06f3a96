#include "engine/lake/changes.h"

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "engine/lake/fresh_table.h"
#include "engine/lake/values.h"
#include "engine/statement_runner.h"
#include "lake/layout.h"
#include "lake/maintenance.h"
#include "lake/updates.h"
#include "sql/query_facts.h"

namespace meesh::engine {
namespace {

using sql::as;
using sql::StatementKind;

/// The updates that make `fresh` of the table `before`, with field ids that were never used.
std::vector<lake::Update> replacement(const lake::TableMetadata& before,
                                      const lake::TableMetadata& fresh) {
  int last_id = before.last_column_id;
  const auto schema = lake::with_fresh_ids(fresh.schema(), &last_id);
  const auto renamed = [&](int id) {
    return lake::find_field(schema, lake::field_name(fresh.schema(), id))->id;
  };
  auto spec = fresh.spec();
  for (auto& field : spec.fields) {
    field.source_id = renamed(field.source_id);
    field.field_id = 0;
  }
  auto order = fresh.sort_order();
  for (auto& field : order.fields) field.source_id = renamed(field.source_id);
  lake::RemoveProperties gone;
  for (const auto& [key, value] : before.properties)
    if (!fresh.properties.contains(key)) gone.removals.push_back(key);
  std::vector<lake::Update> updates = {
      lake::AddSchema{schema},      lake::SetCurrentSchema{lake::kLastAdded},
      lake::AddPartitionSpec{spec}, lake::SetDefaultSpec{lake::kLastAdded},
      lake::AddSortOrder{order},    lake::SetDefaultSortOrder{lake::kLastAdded}};
  if (!gone.removals.empty()) updates.emplace_back(std::move(gone));
  if (!fresh.properties.empty()) updates.emplace_back(lake::SetProperties{fresh.properties});
  return updates;
}

std::set<size_t> constant_columns(const sql::Query& query, size_t count) {
  std::set<size_t> constant;
  for (size_t i = 0; i < count; ++i)
    if (sql::constant_column(query, i)) constant.insert(i);
  return constant;
}

/// The value that a file's rows have in a column its partition spec takes as it is, as people write
/// it.
std::string partition_value(const lake::TableMetadata& table, const lake::PartitionSpec& spec,
                            const std::vector<lake::Value>& partition, const std::string& column) {
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const auto& field = spec.fields[i];
    const auto* source = lake::find_field(table.schema(), field.source_id);
    if (!source || lower_case(source->name) != lower_case(column)) continue;
    if (field.transform.kind != lake::TransformKind::kIdentity) continue;
    return lake::transformed_text(field.transform, source->type, partition.at(i));
  }
  throw Error(Code::kInvalidArguments,
              fmt::format("the table has files that are not partitioned by column '{}'", column))
      .with_hint(
          "ALTER TABLE … SET PROPERTIES partitioning changes new files only; EXECUTE optimize "
          "rewrites the others");
}

}  // namespace

lake::Audit audit_of(LakeSource& source, const std::string& catalog,
                     const ChangeStatement& change) {
  if (!change.commit || !change.commit->audit) return nullptr;
  return [&source, &catalog, &change](const lake::Table& table) {
    const LakeSource::Candidate candidate(source, table);
    change.commit->audit(fmt::format("{}.{}.{}", quote_ident(catalog),
                                     quote_ident(candidate.name().space.at(0)),
                                     quote_ident(candidate.name().name)));
  };
}

int64_t commit_time(const lake::TableMetadata& base) {
  return std::max(base::now_ms(), base.last_updated_ms);
}

void LakeChange::allow(std::string_view action, const std::string& place) const {
  allow_below(source_, change_.user, action, place);
}

lake::Properties LakeChange::summary() const {
  lake::Properties summary{{"engine-name", "meesh"}, {"trino_query_id", change_.query_id}};
  if (change_.commit)
    summary.insert(change_.commit->summary.begin(), change_.commit->summary.end());
  return summary;
}

void LakeChange::publish(lake::SnapshotChange snapshot) {
  std::vector<std::pair<lake::Identifier, lake::SnapshotChange>> changes;
  changes.emplace_back(name(), std::move(snapshot));
  lake::commit(source_.catalog, source_.cache, std::move(changes), change_.also, audit());
}

void LakeChange::publish_nothing() { source_.catalog.commit({}, change_.also); }

std::shared_ptr<const lake::TableMetadata> LakeChange::pinned() const {
  return source_.metadata(target().duckdb_target);
}

std::optional<int64_t> LakeChange::run() {
  auto& statement = change_.statement;
  switch (statement.kind) {
    case StatementKind::kCreateSchema:
      create_schema(as<sql::CreateSchema>(statement));
      return std::nullopt;
    case StatementKind::kDropSchema:
      drop_schema(as<sql::DropSchema>(statement));
      return std::nullopt;
    case StatementKind::kCreateTable:
      create_table(as<sql::CreateTable>(statement));
      return std::nullopt;
    case StatementKind::kCreateTableAs:
      return create_table_as(as<sql::CreateTableAs>(statement));
    case StatementKind::kDropTable:
      drop_table(as<sql::DropTable>(statement));
      return std::nullopt;
    case StatementKind::kAlterTable:
      alter_table(as<sql::AlterTable>(statement));
      return std::nullopt;
    case StatementKind::kTruncate:
      truncate();
      return std::nullopt;
    case StatementKind::kAnalyze:
      analyze(as<sql::Analyze>(statement));
      return std::nullopt;
    case StatementKind::kInsert:
      return insert(as<sql::Insert>(statement));
    case StatementKind::kDelete:
      return remove(as<sql::Delete>(statement));
    case StatementKind::kUpdate:
      return update(as<sql::Update>(statement));
    case StatementKind::kMerge:
      return merge(as<sql::Merge>(statement));
    default:
      throw Error(Code::kNotSupported, "This statement is not supported by Iceberg tables");
  }
}

// ---------------------------------------------------------------- schemas

void LakeChange::create_schema(const sql::CreateSchema& create) {
  const lake::Namespace space = {target().name.schema};
  if (create.if_not_exists && source_.catalog.has_namespace(space)) return;
  lake::Properties properties;
  for (const auto& property : create.properties) {
    const std::string key = lower_case(property.name.value);
    if (key != "location") {
      throw Error(Code::kInvalidSchemaProperty,
                  fmt::format("Catalog '{}' schema property '{}' does not exist", catalog_, key),
                  {property.name.pos.line, property.name.pos.column, {}});
    }
    if (property.value)
      properties["location"] = literal_text(property.value.get(), "Property value");
  }
  const auto location = properties.find("location");
  if (location != properties.end()) source_.catalog.files().check_folder(location->second);
  allow("s3:PutObject", location != properties.end()
                            ? location->second
                            : source_.catalog.warehouse().location + "/" + space[0]);
  try {
    source_.catalog.create_namespace(space, properties);
  } catch (const Error& error) {
    // Somebody else was faster.
    if (!create.if_not_exists || error.code() != Code::kSchemaAlreadyExists) throw;
  }
}

void LakeChange::drop_schema(const sql::DropSchema& drop) {
  const lake::Namespace space = {target().name.schema};
  auto& catalog = source_.catalog;
  if (!catalog.has_namespace(space)) return;  // IF EXISTS, or the resolver had refused it
  allow("s3:DeleteObject", catalog.location(space));
  if (drop.cascade) {
    for (const auto& view : catalog.views(space)) catalog.drop_view({space, view});
    for (const auto& table : catalog.tables(space)) {
      allow("s3:DeleteObject", catalog.load({space, table}).metadata->location);
      lake::purge(source_.cache, catalog.drop({space, table}));
    }
  }
  catalog.drop_namespace(space);
}

// ---------------------------------------------------------------- tables

lake::TableMetadata LakeChange::fresh(const std::vector<sql::ColumnInfo>& columns,
                                      const std::vector<sql::Property>& properties,
                                      const std::optional<std::string>& comment) const {
  return fresh_table(source_, change_.user, columns, read_properties(properties, catalog_),
                     source_.catalog.default_location(name()), comment);
}

int64_t LakeChange::create(const lake::TableMetadata& fresh, const RowsToWrite* query,
                           bool or_replace) {
  if (or_replace) {
    if (const auto before = source_.catalog.find(name())) return replace(*before, fresh, query);
  }
  check_writable(fresh);
  lake::SnapshotChange snapshot;
  snapshot.table_uuid = fresh.uuid;
  snapshot.summary = summary();
  int64_t rows = 0;
  if (query) {
    auto written = write_data(fresh, source_.catalog.files(), *query, change_.run);
    rows = written.rows;
    change_.counted(rows);
    snapshot.data = std::move(written.files);
  }
  lake::create_table_as(source_.catalog, source_.cache, name(), fresh, std::move(snapshot),
                        change_.also, audit(),
                        or_replace && change_.commit && change_.commit->instead_of_view);
  return rows;
}

int64_t LakeChange::replace(const lake::Table& before, const lake::TableMetadata& fresh,
                            const RowsToWrite* query) {
  lake::SnapshotChange snapshot;
  snapshot.table_uuid = before.metadata->uuid;
  snapshot.from_nothing = true;
  snapshot.summary = summary();
  snapshot.updates = replacement(*before.metadata, fresh);
  snapshot.requirements.push_back(
      {lake::RequirementKind::kLastAssignedFieldId, "", before.metadata->last_column_id});
  snapshot.requirements.push_back(
      {lake::RequirementKind::kLastAssignedPartitionId, "", before.metadata->last_partition_id});
  const auto planned =
      lake::apply(snapshot.updates, before.metadata.get(), commit_time(*before.metadata));
  int64_t rows = 0;
  if (query) {
    auto written = write_data(planned, source_.catalog.files(), *query, change_.run);
    rows = written.rows;
    change_.counted(rows);
    snapshot.data = std::move(written.files);
  }
  publish(std::move(snapshot));
  return rows;
}

void LakeChange::create_table(const sql::CreateTable& create_statement) {
  if (create_statement.if_not_exists && source_.catalog.find(name())) return;
  std::vector<sql::ColumnInfo> columns = target().columns;
  for (size_t i = 0; i < create_statement.elements.size(); ++i) {
    const auto& column = *create_statement.elements[i].column;
    if (!column.default_value) continue;
    throw Error(Code::kNotSupported,
                "Catalog '" + catalog_ + "' does not support default value for column name '" +
                    columns.at(i).name + "'",
                {column.pos.line, column.pos.column, {}});
  }
  create(fresh(columns, create_statement.properties, create_statement.comment), nullptr,
         create_statement.or_replace);
}

int64_t LakeChange::create_table_as(sql::CreateTableAs& create_statement) {
  if (create_statement.if_not_exists && source_.catalog.find(name())) return 0;
  sql::QueryStatement query;
  query.query = std::move(create_statement.query);
  auto columns = change_.columns_of(query);
  for (size_t i = 0; i < columns.size() && i < create_statement.columns.size(); ++i)
    columns[i].name = create_statement.columns[i].value;
  const RowsToWrite rows{sql::print_duckdb(query), constant_columns(*query.query, columns.size())};
  create_statement.query = std::move(query.query);
  return create(fresh(columns, create_statement.properties, create_statement.comment),
                create_statement.with_data ? &rows : nullptr, create_statement.or_replace);
}

void LakeChange::drop_table(const sql::DropTable& drop) {
  const auto table = source_.catalog.find(name());
  if (!table && drop.if_exists) return;
  if (table) allow("s3:DeleteObject", table->metadata->location);
  const auto dropped = source_.catalog.drop(name());
  try {
    lake::purge(source_.cache, dropped);
  } catch (const Error& error) {
    // The table is gone already; what is left of it is for remove_orphan_files.
    log::warn("files of a dropped table stay",
              {{"table", target().name.display()}, {"error", error.what()}});
  }
}

// ---------------------------------------------------------------- rows

int64_t LakeChange::insert(sql::Insert& insert) {
  const auto table = pinned();
  allow("s3:PutObject", table->location);
  sql::QueryStatement query;
  query.query = std::move(insert.query);
  const auto printed = sql::print_duckdb(query);
  const auto constant = constant_columns(*query.query, insert.columns.size());
  RowsToWrite rows;
  std::string given, stored;
  for (size_t i = 0; i < insert.columns.size(); ++i)
    given += fmt::format("{}i{}", i ? ", " : "", i);
  const auto& fields = table->schema().fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto found = std::ranges::find_if(insert.columns, [&](const sql::Ident& column) {
      return lower_case(column.value) == lower_case(fields[i].name);
    });
    const bool left_out = found == insert.columns.end();
    const auto at = static_cast<size_t>(found - insert.columns.begin());
    stored += (stored.empty() ? "" : ", ") + (left_out ? "NULL" : fmt::format("i{}", at));
    if (left_out || constant.contains(at)) rows.constant.insert(i);
  }
  rows.query = around("SELECT " + stored + " FROM (", printed, ") AS i(" + given + ")");
  auto written = write_data(*table, source_.catalog.files(), rows, change_.run);
  change_.counted(written.rows);
  lake::SnapshotChange snapshot;
  snapshot.table_uuid = table->uuid;
  snapshot.data = std::move(written.files);
  snapshot.summary = summary();
  leave_replaced_partition(*table, snapshot);
  if (snapshot.data.empty() && snapshot.removed.empty() && !audit()) {
    publish_nothing();
    return 0;
  }
  publish(std::move(snapshot));
  return written.rows;
}

void LakeChange::leave_replaced_partition(const lake::TableMetadata& table,
                                          lake::SnapshotChange& snapshot) {
  const auto* head = table.current_snapshot();
  if (!change_.commit || change_.commit->replaced_partition.empty() || !head) return;
  snapshot.read_snapshot_id = head->id;
  for (const auto& file : lake::plan_scan(source_.cache, table, head, {}).files) {
    const auto& spec = *table.find_spec(file.spec_id);
    const bool leaves =
        std::ranges::all_of(change_.commit->replaced_partition, [&](const auto& wanted) {
          return partition_value(table, spec, file.file->partition, wanted.first) == wanted.second;
        });
    if (leaves) snapshot.removed.push_back(file.file->path);
  }
}

void LakeChange::truncate() {
  const auto table = source_.catalog.load(name());
  allow("s3:DeleteObject", table.metadata->location);
  const auto* head = table.metadata->current_snapshot();
  const auto plan = lake::plan_scan(source_.cache, *table.metadata, head, {});
  if (plan.files.empty()) return publish_nothing();
  lake::SnapshotChange snapshot;
  snapshot.table_uuid = table.metadata->uuid;
  snapshot.read_snapshot_id = head->id;
  snapshot.summary = summary();
  for (const auto& file : plan.files) snapshot.removed.push_back(file.file->path);
  publish(std::move(snapshot));
}

}  // namespace meesh::engine
