#include "engine/lake/views.h"

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "base/error.h"
#include "base/uuid.h"
#include "engine/lake/values.h"
#include "engine/statement_runner.h"

namespace meesh::engine {
namespace {

constexpr const char* kDialect = "trino";
constexpr const char* kComment = "comment";
constexpr const char* kOwner = "trino.run-as-owner";
constexpr const char* kGracePeriod = "meesh.grace-period-ms";
constexpr const char* kWhenStale = "meesh.when-stale";  // "fail"

/// Types that Iceberg has not are text there; the view's query tells the real one.
lake::Type column_type(const sql::Type& type, int* next_id) {
  const int before = *next_id;
  try {
    return lake_type(type, next_id);
  } catch (const Error&) {
    *next_id = before;
    return lake::primitive_type(lake::TypeKind::kString);
  }
}

lake::Schema schema_of(const sql::TableInfo& view) {
  lake::Schema schema;
  int next_id = 1;
  for (const auto& column : view.columns) {
    lake::Field field;
    field.id = next_id++;
    field.name = column.name;
    field.doc = column.comment;
    schema.fields.push_back(std::move(field));
  }
  for (size_t i = 0; i < view.columns.size(); ++i)
    schema.fields[i].type = column_type(view.columns[i].type, &next_id);
  return schema;
}

std::string text_in(const lake::Properties& properties, const char* key) {
  const auto found = properties.find(key);
  return found == properties.end() ? "" : found->second;
}

/// A version like the current one over the schema that is added before it.
lake::ViewVersion next_version(const lake::ViewMetadata& base) {
  lake::ViewVersion version = base.version();
  version.id = 0;
  for (const auto& known : base.versions) version.id = std::max(version.id, known.id);
  ++version.id;
  version.timestamp_ms = std::max(base::now_ms(), base.version().timestamp_ms);
  version.schema_id = -1;
  return version;
}

}  // namespace

sql::TableInfo view_info(const std::string& catalog, const lake::View& view) {
  const auto& metadata = *view.metadata;
  sql::TableInfo info;
  info.name = {catalog, view.name.space.at(0), view.name.name};
  info.kind = sql::TableInfo::Kind::kView;
  info.comment = text_in(metadata.properties, kComment);
  info.view_owner = text_in(metadata.properties, kOwner);
  info.view_runs_as_invoker = info.view_owner.empty();
  if (const auto& storage = metadata.version().storage_table; storage && !storage->space.empty()) {
    info.kind = sql::TableInfo::Kind::kMaterializedView;
    info.materialization.emplace();
    info.materialization->storage = {catalog, storage->space[0], storage->name};
    const std::string grace = text_in(metadata.properties, kGracePeriod);
    int64_t ms = 0;
    if (std::from_chars(grace.data(), grace.data() + grace.size(), ms).ec == std::errc())
      info.materialization->grace_period_ms = ms;
    info.materialization->fails_when_stale = text_in(metadata.properties, kWhenStale) == "fail";
  }
  const auto& version = metadata.version();
  info.view_catalog = version.default_catalog.value_or(catalog);
  info.view_schema = version.default_namespace.empty() ? "" : version.default_namespace[0];
  if (const auto* text = metadata.sql(kDialect)) info.view_sql = text->sql;
  for (const auto& field : metadata.schema().fields) {
    sql::ColumnInfo column;
    column.name = lower_case(field.name);
    column.type = sql_type(field.type);
    column.comment = field.doc;
    info.columns.push_back(std::move(column));
  }
  return info;
}

lake::ViewMetadata view_metadata(const sql::TableInfo& view, const std::string& location,
                                 const lake::ViewMetadata* base) {
  lake::ViewVersion version;
  version.id = 1;
  version.timestamp_ms = base::now_ms();
  if (base) {
    const auto next = next_version(*base);
    version.id = next.id;
    version.timestamp_ms = next.timestamp_ms;
  }
  version.schema_id = -1;
  version.summary = {{"engine-name", "meesh"}};
  if (!view.view_catalog.empty()) version.default_catalog = view.view_catalog;
  if (!view.view_schema.empty()) version.default_namespace = {view.view_schema};
  lake::ViewRepresentation text;
  text.sql = view.view_sql;
  text.dialect = kDialect;
  version.representations.push_back(std::move(text));

  std::vector<lake::ViewUpdate> updates;
  lake::Properties properties;
  if (!base) {
    updates.emplace_back(lake::AssignUuid{base::random_uuid()});
    updates.emplace_back(lake::SetLocation{location});
  } else {
    lake::RemoveProperties gone;
    for (const char* key : {kComment, kOwner, kGracePeriod, kWhenStale})
      if (base->properties.contains(key)) gone.removals.emplace_back(key);
    if (!gone.removals.empty()) updates.emplace_back(std::move(gone));
    properties["replace.drop-dialect.allowed"] = "true";
  }
  if (!view.comment.empty()) properties[kComment] = view.comment;
  if (!view.view_runs_as_invoker) properties[kOwner] = view.view_owner;
  if (const auto& stored = view.materialization) {
    version.storage_table = lake::StorageTable{{stored->storage.schema}, stored->storage.table};
    if (stored->grace_period_ms)
      properties[kGracePeriod] = std::to_string(*stored->grace_period_ms);
    if (stored->fails_when_stale) properties[kWhenStale] = "fail";
  }
  if (!properties.empty()) updates.emplace_back(lake::SetProperties{properties});
  updates.emplace_back(lake::AddSchema{schema_of(view)});
  updates.emplace_back(lake::AddViewVersion{version});
  updates.emplace_back(lake::SetCurrentViewVersion{-1});
  return lake::apply(updates, base, version.timestamp_ms);
}

lake::ViewMetadata commented(const lake::ViewMetadata& base, const std::string& column,
                             const std::optional<std::string>& comment) {
  std::vector<lake::ViewUpdate> updates;
  if (column.empty()) {
    if (comment) {
      updates.emplace_back(lake::SetProperties{{{kComment, *comment}}});
    } else if (base.properties.contains(kComment)) {
      updates.emplace_back(lake::RemoveProperties{{kComment}});
    }
    return lake::apply(updates, &base, base::now_ms());
  }
  lake::Schema schema = base.schema();
  for (auto& field : schema.fields)
    if (lower_case(field.name) == column) field.doc = comment.value_or("");
  const auto version = next_version(base);
  updates.emplace_back(lake::AddSchema{std::move(schema)});
  updates.emplace_back(lake::AddViewVersion{version});
  updates.emplace_back(lake::SetCurrentViewVersion{-1});
  return lake::apply(updates, &base, version.timestamp_ms);
}

}  // namespace meesh::engine
