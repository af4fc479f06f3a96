#include "engine/lake/metadata_rows.h"

#include <algorithm>
#include <set>

#include "engine/duck_types.h"
#include "engine/functions/build.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::Value;
using sql::Type;
using sql::TypeKind;

sql::ColumnInfo column(const char* name, Type type) {
  sql::ColumnInfo info;
  info.name = name;
  info.type = std::move(type);
  return info;
}
Type integer() { return Type::of(TypeKind::kInteger); }
Type bigint() { return Type::of(TypeKind::kBigint); }
Type boolean() { return Type::of(TypeKind::kBoolean); }
Type time() { return Type::of(TypeKind::kTimestampTz, 3); }
Type text() { return Type::varchar(); }

Value moment(int64_t ms) { return Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(ms * 1000)); }
template <class T>
Value big(const std::optional<T>& value) {
  return value ? Value::BIGINT(*value) : Value(LogicalType::BIGINT);
}
template <class T>
Value small(const std::optional<T>& value) {
  return value ? Value::INTEGER(static_cast<int32_t>(*value)) : Value(LogicalType::INTEGER);
}

Type summaries_type() {
  return Type::array(Type::row({"contains_null", "contains_nan", "lower_bound", "upper_bound"},
                               {boolean(), boolean(), text(), text()}));
}

std::vector<VirtualRow> snapshots(const lake::TableMetadata& table) {
  std::vector<VirtualRow> rows;
  for (const auto& snapshot : table.snapshots) {
    duckdb::vector<Value> keys, values;
    Value operation(LogicalType::VARCHAR);
    for (const auto& [key, value] : snapshot.summary) {
      if (key == "operation") {
        operation = Value(value);
        continue;
      }
      keys.emplace_back(key);
      values.emplace_back(value);
    }
    rows.push_back({moment(snapshot.timestamp_ms), Value::BIGINT(snapshot.id),
                    big(snapshot.parent_id), operation, Value(snapshot.manifest_list),
                    Value::MAP(LogicalType::VARCHAR, LogicalType::VARCHAR, std::move(keys),
                               std::move(values))});
  }
  return rows;
}

std::vector<VirtualRow> history(const lake::TableMetadata& table) {
  std::set<int64_t> ancestors;
  for (const auto* at = table.current_snapshot(); at && ancestors.insert(at->id).second;)
    at = at->parent_id ? table.find_snapshot(*at->parent_id) : nullptr;
  std::vector<VirtualRow> rows;
  for (const auto& entry : table.snapshot_log) {
    const auto* snapshot = table.find_snapshot(entry.snapshot_id);
    rows.push_back({moment(entry.timestamp_ms), Value::BIGINT(entry.snapshot_id),
                    big(snapshot ? snapshot->parent_id : std::nullopt),
                    Value::BOOLEAN(ancestors.contains(entry.snapshot_id))});
  }
  return rows;
}

std::vector<VirtualRow> metadata_log(const lake::TableMetadata& table,
                                     const std::string& location) {
  auto log = table.metadata_log;
  log.push_back({table.last_updated_ms, location});
  std::vector<VirtualRow> rows;
  for (const auto& entry : log) {
    const auto* snapshot = table.snapshot_at(entry.timestamp_ms);
    using Number = std::optional<int64_t>;
    rows.push_back({moment(entry.timestamp_ms), Value(entry.metadata_file),
                    big(snapshot ? Number(snapshot->id) : Number()),
                    small(snapshot ? snapshot->schema_id : std::optional<int>()),
                    big(snapshot ? Number(snapshot->sequence_number) : Number())});
  }
  return rows;
}

std::vector<VirtualRow> references(const lake::TableMetadata& table) {
  std::vector<VirtualRow> rows;
  for (const auto& [name, ref] : table.refs) {
    rows.push_back({Value(name), Value(ref.tag ? "TAG" : "BRANCH"), Value::BIGINT(ref.snapshot_id),
                    big(ref.max_ref_age_ms), small(ref.min_snapshots_to_keep),
                    big(ref.max_snapshot_age_ms)});
  }
  return rows;
}

std::vector<VirtualRow> properties(const lake::TableMetadata& table) {
  std::vector<VirtualRow> rows;
  const auto add = [&](const std::string& key, const std::string& value) {
    rows.push_back({Value(key), Value(value)});
  };
  const auto format = table.properties.find("write.format.default");
  std::string name = format == table.properties.end() ? "parquet" : format->second;
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  add("format", "iceberg/" + name);
  add("provider", "iceberg");
  add("current-snapshot-id",
      table.current_snapshot_id ? std::to_string(*table.current_snapshot_id) : "none");
  add("location", table.location);
  add("format-version", std::to_string(table.format_version));
  std::string order;
  for (const auto& field : table.sort_order().fields) {
    order += fmt::format("{}{} {} NULLS {}", order.empty() ? "" : ", ",
                         lake::field_name(table.schema(), field.source_id),
                         field.direction == lake::SortDirection::kAscending ? "ASC" : "DESC",
                         field.nulls == lake::NullOrder::kFirst ? "FIRST" : "LAST");
  }
  if (!order.empty()) add("sort-order", order);
  static const std::set<std::string> kReserved = {"provider", "format", "current-snapshot-id",
                                                  "location", "format-version"};
  for (const auto& [key, value] : table.properties)
    if (!kReserved.contains(key)) add(key, value);
  return rows;
}

/// One for each field of the manifest's spec.
Value summaries(const lake::TableMetadata& table, const lake::ManifestFile& manifest) {
  const auto type = to_duckdb(summaries_type());
  const auto& row_type = duckdb::ListType::GetChildType(type);
  const auto* spec = table.find_spec(manifest.spec_id);
  duckdb::vector<Value> out;
  if (!manifest.partitions || !spec) return Value::LIST(row_type, std::move(out));
  const auto fields = lake::partition_type(*spec, table.schema()).fields;
  for (size_t i = 0; i < manifest.partitions->size() && i < fields.size(); ++i) {
    const auto& summary = (*manifest.partitions)[i];
    const auto shown = [&](const std::optional<std::string>& bytes) {
      if (!bytes) return Value(LogicalType::VARCHAR);
      const auto& field = spec->fields[i];
      const auto* source = lake::find_field(table.schema(), field.source_id);
      if (!source) return bound_text(fields[i].type, std::string_view(*bytes));
      return Value(lake::transformed_text(field.transform, source->type,
                                          lake::from_bytes(fields[i].type, *bytes)));
    };
    out.push_back(Value::STRUCT(
        row_type,
        {Value::BOOLEAN(summary.contains_null),
         summary.contains_nan ? Value::BOOLEAN(*summary.contains_nan) : Value(LogicalType::BOOLEAN),
         shown(summary.lower), shown(summary.upper)}));
  }
  return Value::LIST(row_type, std::move(out));
}

std::vector<VirtualRow> manifests(lake::ManifestCache& cache, const lake::TableMetadata& table) {
  std::vector<VirtualRow> rows;
  if (!table.current_snapshot()) return rows;
  const auto list = cache.list(table, *table.current_snapshot());
  for (const auto& manifest : *list) {
    rows.push_back(
        {Value(manifest.path), Value::BIGINT(manifest.length), Value::INTEGER(manifest.spec_id),
         Value::BIGINT(manifest.added_snapshot_id), small(manifest.added_files),
         big(manifest.added_rows), small(manifest.existing_files), big(manifest.existing_rows),
         small(manifest.deleted_files), big(manifest.deleted_rows), summaries(table, manifest)});
  }
  return rows;
}

}  // namespace

Value bound_text(const lake::Type& type, const std::optional<std::string_view>& bytes) {
  if (!bytes) return Value(LogicalType::VARCHAR);
  const auto shown = lake::value_text(type, lake::from_bytes(type, *bytes));
  return Value(shown);
}

Value number_or_null(int64_t value) {
  return value < 0 ? Value(LogicalType::BIGINT) : Value::BIGINT(value);
}

std::vector<sql::ColumnInfo> metadata_columns(const lake::TableMetadata& table,
                                              const std::string& kind) {
  if (kind == "snapshots") {
    return {column("committed_at", time()),  column("snapshot_id", bigint()),
            column("parent_id", bigint()),   column("operation", text()),
            column("manifest_list", text()), column("summary", Type::map(text(), text()))};
  }
  if (kind == "history") {
    return {column("made_current_at", time()), column("snapshot_id", bigint()),
            column("parent_id", bigint()), column("is_current_ancestor", boolean())};
  }
  if (kind == "metadata_log_entries") {
    return {column("timestamp", time()), column("file", text()),
            column("latest_snapshot_id", bigint()), column("latest_schema_id", integer()),
            column("latest_sequence_number", bigint())};
  }
  if (kind == "refs") {
    return {column("name", text()),
            column("type", text()),
            column("snapshot_id", bigint()),
            column("max_reference_age_in_ms", bigint()),
            column("min_snapshots_to_keep", integer()),
            column("max_snapshot_age_in_ms", bigint())};
  }
  if (kind == "properties") return {column("key", text()), column("value", text())};
  if (kind == "manifests") {
    return {column("path", text()),
            column("length", bigint()),
            column("partition_spec_id", integer()),
            column("added_snapshot_id", bigint()),
            column("added_data_files_count", integer()),
            column("added_rows_count", bigint()),
            column("existing_data_files_count", integer()),
            column("existing_rows_count", bigint()),
            column("deleted_data_files_count", integer()),
            column("deleted_rows_count", bigint()),
            column("partition_summaries", summaries_type())};
  }
  if (kind == "files") return file_columns(table);
  if (kind == "entries") return entry_columns(table);
  if (kind == "partitions") return partition_columns_of(table);
  internal_error("no metadata table of kind " + kind);
}

std::vector<VirtualRow> metadata_rows(lake::ManifestCache& cache, const lake::TableMetadata& table,
                                      const std::string& location, const std::string& kind) {
  if (kind == "snapshots") return snapshots(table);
  if (kind == "history") return history(table);
  if (kind == "metadata_log_entries") return metadata_log(table, location);
  if (kind == "refs") return references(table);
  if (kind == "properties") return properties(table);
  if (kind == "manifests") return manifests(cache, table);
  if (kind == "files") return file_rows(cache, table);
  if (kind == "entries") return entry_rows(cache, table);
  if (kind == "partitions") return partition_rows(cache, table);
  internal_error("no metadata table of kind " + kind);
}

}  // namespace meesh::engine
