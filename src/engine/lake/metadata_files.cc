// "t$files", "t$entries", "t$partitions".
#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <set>

#include "engine/duck_types.h"
#include "engine/lake/metadata_rows.h"
#include "engine/lake/values.h"
#include "lake/bounds.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::Value;
using sql::Type;
using sql::TypeKind;

sql::ColumnInfo column(std::string name, Type type) {
  sql::ColumnInfo info;
  info.name = std::move(name);
  info.type = std::move(type);
  return info;
}
Type integer() { return Type::of(TypeKind::kInteger); }
Type bigint() { return Type::of(TypeKind::kBigint); }
Type text() { return Type::varchar(); }

Type row_of(const std::vector<sql::ColumnInfo>& columns) {
  std::vector<std::string> names;
  std::vector<Type> types;
  for (const auto& one : columns) {
    names.push_back(one.name);
    types.push_back(one.type);
  }
  return Type::row(std::move(names), std::move(types));
}

/// What is told of a file, in "t$files" and in the rows of "t$entries".
std::vector<sql::ColumnInfo> described(const lake::TableMetadata& table) {
  std::vector<sql::ColumnInfo> columns = {column("content", integer()), column("file_path", text()),
                                          column("file_format", text()),
                                          column("spec_id", integer())};
  const auto partition = all_partition_fields(table);
  if (!partition.fields.empty()) columns.push_back(column("partition", sql_type(partition)));
  const Type counts = Type::map(integer(), bigint()), bounds = Type::map(integer(), text());
  columns.push_back(column("record_count", bigint()));
  columns.push_back(column("file_size_in_bytes", bigint()));
  for (const char* name : {"column_sizes", "value_counts", "null_value_counts", "nan_value_counts"})
    columns.push_back(column(name, counts));
  columns.push_back(column("lower_bounds", bounds));
  columns.push_back(column("upper_bounds", bounds));
  columns.push_back(column("key_metadata", Type::of(TypeKind::kVarbinary)));
  columns.push_back(column("split_offsets", Type::array(bigint())));
  columns.push_back(column("equality_ids", Type::array(integer())));
  columns.push_back(column("sort_order_id", integer()));
  return columns;
}

/// A file's partition as a value of all_partition_fields.
Value partition_value_of(const lake::TableMetadata& table, int spec_id,
                         const lake::DataFile& file) {
  const auto type = all_partition_fields(table);
  const auto* spec = table.find_spec(spec_id);
  duckdb::vector<Value> values;
  for (const auto& field : type.fields) {
    lake::Value value;
    for (size_t i = 0; spec && i < spec->fields.size() && i < file.partition.size(); ++i)
      if (spec->fields[i].field_id == field.id) value = file.partition[i];
    values.push_back(duck_value(field.type, value));
  }
  return Value::STRUCT(duck_type(type), std::move(values));
}

template <class F>
Value map_of(const lake::FileMetrics& metrics, const LogicalType& type, F&& value_of) {
  duckdb::vector<Value> keys, values;
  for (size_t i = 0; i < metrics.size(); ++i) {
    const auto metric = metrics.at(i);
    const Value value = value_of(metric);
    if (value.IsNull()) continue;
    keys.push_back(Value::INTEGER(metric.id));
    values.push_back(value);
  }
  if (keys.empty()) return Value(LogicalType::MAP(LogicalType::INTEGER, type));
  return Value::MAP(LogicalType::INTEGER, type, std::move(keys), std::move(values));
}

template <class T>
Value list_of(const std::vector<T>& items, const LogicalType& type) {
  if (items.empty()) return Value(LogicalType::LIST(type));
  duckdb::vector<Value> values;
  for (const auto item : items)
    values.push_back(Value::BIGINT(static_cast<int64_t>(item)).DefaultCastAs(type));
  return Value::LIST(type, std::move(values));
}

VirtualRow describe(const lake::TableMetadata& table, int spec_id, const lake::DataFile& file) {
  const auto bound = [&](int id, const std::optional<std::string_view>& bytes) {
    const auto* field = lake::find_field(table.schema(), id);
    return field && !field->type.nested() ? bound_text(field->type, bytes)
                                          : Value(LogicalType::VARCHAR);
  };
  VirtualRow row = {Value::INTEGER(static_cast<int32_t>(file.content)), Value(file.path),
                    Value(std::string(lake::format_name(file.format))), Value::INTEGER(spec_id)};
  if (!all_partition_fields(table).fields.empty())
    row.push_back(partition_value_of(table, spec_id, file));
  row.push_back(Value::BIGINT(file.records));
  row.push_back(Value::BIGINT(file.bytes));
  const auto& metrics = file.metrics;
  const LogicalType big = LogicalType::BIGINT, shown = LogicalType::VARCHAR;
  row.push_back(map_of(metrics, big, [](const auto& m) { return number_or_null(m.size); }));
  row.push_back(map_of(metrics, big, [](const auto& m) { return number_or_null(m.values); }));
  row.push_back(map_of(metrics, big, [](const auto& m) { return number_or_null(m.nulls); }));
  row.push_back(map_of(metrics, big, [](const auto& m) { return number_or_null(m.nans); }));
  row.push_back(map_of(metrics, shown, [&](const auto& m) { return bound(m.id, m.lower); }));
  row.push_back(map_of(metrics, shown, [&](const auto& m) { return bound(m.id, m.upper); }));
  row.push_back(file.key_metadata ? Value::BLOB(reinterpret_cast<duckdb::const_data_ptr_t>(
                                                    file.key_metadata->data()),
                                                file.key_metadata->size())
                                  : Value(LogicalType::BLOB));
  row.push_back(list_of(file.split_offsets, LogicalType::BIGINT));
  row.push_back(list_of(file.equality_ids, LogicalType::INTEGER));
  row.push_back(file.sort_order_id ? Value::INTEGER(*file.sort_order_id)
                                   : Value(LogicalType::INTEGER));
  return row;
}

boost::json::value json_number(int64_t value) {
  return value < 0 ? boost::json::value(nullptr) : boost::json::value(value);
}

boost::json::value json_bound(const lake::Type& type,
                              const std::optional<std::string_view>& bytes) {
  if (!bytes) return nullptr;
  const auto value = lake::from_bytes(type, *bytes);
  if (type.kind == lake::TypeKind::kDecimal) return lake::value_text(type, value).c_str();
  return boost::json::parse(lake::value_json(type, value));
}

/// The metrics by the names of columns, sorted.
Value readable_metrics(const lake::TableMetadata& table, const lake::DataFile& file) {
  std::map<std::string, boost::json::value> by_name;
  for (const auto& [id, name] : lake::field_names(table.schema())) {
    const auto* field = lake::find_field(table.schema(), id);
    if (field->type.nested()) continue;
    const auto metric = file.metrics.find(id).value_or(lake::ColumnMetrics{});
    boost::json::object one;
    one["column_size"] = json_number(metric.size);
    one["value_count"] = json_number(metric.values);
    one["null_value_count"] = json_number(metric.nulls);
    one["nan_value_count"] = json_number(metric.nans);
    one["lower_bound"] = json_bound(field->type, metric.lower);
    one["upper_bound"] = json_bound(field->type, metric.upper);
    by_name.emplace(name, std::move(one));
  }
  boost::json::object all;
  for (auto& [name, value] : by_name) all.emplace(name, std::move(value));
  return Value(boost::json::serialize(all));
}

/// Every entry of the current snapshot's manifests.
void for_each_entry(
    lake::ManifestCache& cache, const lake::TableMetadata& table,
    const std::function<void(const lake::ManifestFile&, const lake::ManifestEntry&)>& use) {
  if (!table.current_snapshot()) return;
  // Held by names: the cache may drop both at any time.
  const auto list = cache.list(table, *table.current_snapshot());
  for (const auto& manifest : *list) {
    const auto entries = cache.manifest(table, manifest);
    for (const auto& entry : *entries) use(manifest, entry);
  }
}

/// Plain columns that no identity partition has.
std::vector<const lake::Field*> measured_columns(const lake::TableMetadata& table) {
  std::set<int> identity;
  for (const auto& field : table.spec().fields)
    if (field.transform.kind == lake::TransformKind::kIdentity) identity.insert(field.source_id);
  std::vector<const lake::Field*> columns;
  for (const auto& field : table.schema().fields)
    if (!field.type.nested() && !identity.contains(field.id)) columns.push_back(&field);
  return columns;
}

Type measures(const lake::Field& field) {
  return Type::row({"min", "max", "null_count", "nan_count"},
                   {sql_type(field.type), sql_type(field.type), bigint(), bigint()});
}

/// One column over the files of one partition; nothing is known once a file does not say.
struct Measured {
  lake::Value min, max;
  bool bounded = true;
  int64_t nulls = 0, nans = 0;

  void add(const lake::Type& type, const lake::ColumnMetrics& metric) {
    nulls = nulls < 0 || metric.nulls < 0 ? -1 : nulls + metric.nulls;
    nans = nans < 0 || metric.nans < 0 ? -1 : nans + metric.nans;
    if (!metric.lower || !metric.upper) {
      const bool empty = metric.values >= 0 && metric.values == metric.nulls;
      bounded = bounded && empty;
      return;
    }
    const auto low = lake::from_bytes(type, *metric.lower);
    const auto high = lake::from_bytes(type, *metric.upper);
    if (lake::is_null(min) || lake::compare_values(low, min) < 0) min = low;
    if (lake::is_null(max) || lake::compare_values(high, max) > 0) max = high;
  }
};

struct Partition {
  Value value;
  int64_t records = 0, files = 0, bytes = 0;
  std::vector<Measured> columns;
};

/// The row "data" of "t$partitions".
Value measured(const std::vector<const lake::Field*>& columns, const Partition& partition) {
  duckdb::child_list_t<Value> data;
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& known = partition.columns[i];
    const auto& type = columns[i]->type;
    duckdb::child_list_t<Value> cells;
    cells.emplace_back("min", duck_value(type, known.bounded ? known.min : lake::Value()));
    cells.emplace_back("max", duck_value(type, known.bounded ? known.max : lake::Value()));
    cells.emplace_back("null_count", number_or_null(known.nulls));
    cells.emplace_back("nan_count", number_or_null(known.nans));
    data.emplace_back(columns[i]->name, Value::STRUCT(std::move(cells)));
  }
  return Value::STRUCT(std::move(data));
}

}  // namespace

lake::Type all_partition_fields(const lake::TableMetadata& table) {
  std::map<int, lake::Field> fields;
  for (const auto& spec : table.partition_specs) {
    const auto type = lake::partition_type(spec, table.schema());
    for (size_t i = 0; i < type.fields.size(); ++i) {
      if (spec.fields[i].transform.kind == lake::TransformKind::kVoid &&
          fields.contains(type.fields[i].id)) {
        continue;
      }
      fields[type.fields[i].id] = type.fields[i];
    }
  }
  std::vector<lake::Field> sorted;
  for (auto& [id, field] : fields) sorted.push_back(std::move(field));
  return lake::struct_type(std::move(sorted));
}

std::vector<sql::ColumnInfo> file_columns(const lake::TableMetadata& table) {
  auto columns = described(table);
  columns.push_back(column("readable_metrics", Type::of(TypeKind::kJson)));
  return columns;
}

std::vector<sql::ColumnInfo> entry_columns(const lake::TableMetadata& table) {
  return {column("status", integer()),
          column("snapshot_id", bigint()),
          column("sequence_number", bigint()),
          column("file_sequence_number", bigint()),
          column("data_file", row_of(described(table))),
          column("readable_metrics", Type::of(TypeKind::kJson))};
}

std::vector<sql::ColumnInfo> partition_columns_of(const lake::TableMetadata& table) {
  std::vector<sql::ColumnInfo> columns;
  const auto partition = all_partition_fields(table);
  if (!partition.fields.empty()) columns.push_back(column("partition", sql_type(partition)));
  columns.push_back(column("record_count", bigint()));
  columns.push_back(column("file_count", bigint()));
  columns.push_back(column("total_size", bigint()));
  std::vector<sql::ColumnInfo> data;
  for (const auto* field : measured_columns(table))
    data.push_back(column(field->name, measures(*field)));
  if (!data.empty()) columns.push_back(column("data", row_of(data)));
  return columns;
}

std::vector<VirtualRow> file_rows(lake::ManifestCache& cache, const lake::TableMetadata& table) {
  std::vector<VirtualRow> rows;
  for_each_entry(cache, table, [&](const auto& manifest, const auto& entry) {
    if (!entry.live()) return;
    rows.push_back(describe(table, manifest.spec_id, entry.file));
    rows.back().push_back(readable_metrics(table, entry.file));
  });
  return rows;
}

std::vector<VirtualRow> entry_rows(lake::ManifestCache& cache, const lake::TableMetadata& table) {
  std::vector<VirtualRow> rows;
  const auto type = to_duckdb(row_of(described(table)));
  const auto number = [](const std::optional<int64_t>& value) {
    return value ? Value::BIGINT(*value) : Value(LogicalType::BIGINT);
  };
  for_each_entry(cache, table, [&](const auto& manifest, const auto& entry) {
    auto cells = describe(table, manifest.spec_id, entry.file);
    rows.push_back({Value::INTEGER(static_cast<int32_t>(entry.status)), number(entry.snapshot_id),
                    number(entry.sequence_number), number(entry.file_sequence_number),
                    Value::STRUCT(type, {cells.begin(), cells.end()}),
                    readable_metrics(table, entry.file)});
  });
  return rows;
}

std::vector<VirtualRow> partition_rows(lake::ManifestCache& cache,
                                       const lake::TableMetadata& table) {
  const bool partitioned = !all_partition_fields(table).fields.empty();
  const auto columns = measured_columns(table);
  std::map<std::string, Partition> found;
  for_each_entry(cache, table, [&](const auto& manifest, const auto& entry) {
    if (!entry.live() || entry.file.content != lake::FileContent::kData) return;
    const Value value = partition_value_of(table, manifest.spec_id, entry.file);
    auto& partition = found[value.ToSQLString()];
    partition.value = value;
    partition.records += entry.file.records;
    partition.bytes += entry.file.bytes;
    ++partition.files;
    partition.columns.resize(columns.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      partition.columns[i].add(
          columns[i]->type,
          entry.file.metrics.find(columns[i]->id).value_or(lake::ColumnMetrics{}));
    }
  });
  std::vector<VirtualRow> rows;
  for (auto& [key, partition] : found) {
    VirtualRow row;
    if (partitioned) row.push_back(partition.value);
    row.push_back(Value::BIGINT(partition.records));
    row.push_back(Value::BIGINT(partition.files));
    row.push_back(Value::BIGINT(partition.bytes));
    if (!columns.empty()) row.push_back(measured(columns, partition));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace meesh::engine
