// Writing manifests.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <optional>

#include "base/error.h"
#include "lake/avro.h"
#include "lake/bounds.h"
#include "lake/manifest.h"
#include "lake/manifest_schema.h"

namespace meesh::lake {
namespace {

/// What the list says about one partition field.
class Summary {
 public:
  explicit Summary(const Type& type) : type_(type) {}

  void add(const Value& value) {
    const double* number = std::get_if<double>(&value);
    if (is_null(value)) {
      out_.contains_null = true;
    } else if (number != nullptr && std::isnan(*number)) {
      nan_ = true;
    } else {
      if (is_null(lower_) || compare_values(value, lower_) < 0) lower_ = value;
      if (is_null(upper_) || compare_values(value, upper_) > 0) upper_ = value;
    }
  }

  FieldSummary finish() {
    out_.contains_nan = nan_;
    if (!is_null(lower_)) out_.lower = to_bytes(type_, lower_);
    if (!is_null(upper_)) out_.upper = to_bytes(type_, upper_);
    return out_;
  }

 private:
  const Type& type_;
  FieldSummary out_;
  bool nan_ = false;
  Value lower_, upper_;
};

std::string decimal_fixed(Int128 value, int size) {
  std::string out(static_cast<size_t>(size), '\0');
  for (size_t i = out.size(); i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xFF);
  return out;
}

void put_value(AvroEncoder out, const Type& type, const Value& value) {
  if (is_null(value)) return out.put_null();
  out.put_present();
  switch (type.kind) {
    case TypeKind::kBoolean:
      return out.put_boolean(std::get<bool>(value));
    case TypeKind::kInt:
    case TypeKind::kLong:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return out.put_long(std::get<int64_t>(value));
    case TypeKind::kFloat:
      return out.put_float(static_cast<float>(std::get<double>(value)));
    case TypeKind::kDouble:
      return out.put_double(std::get<double>(value));
    case TypeKind::kDecimal:
      return out.put_fixed(decimal_fixed(std::get<Int128>(value), decimal_bytes(type.precision)));
    case TypeKind::kString:
    case TypeKind::kBinary:
      return out.put_bytes(std::get<std::string>(value));
    case TypeKind::kUuid:
    case TypeKind::kFixed: {
      const auto& bytes = std::get<std::string>(value);
      const int size = type.kind == TypeKind::kUuid ? 16 : type.length;
      if (bytes.size() != static_cast<size_t>(size)) {
        internal_error(fmt::format("a partition value of {} bytes, not {}", bytes.size(), size));
      }
      return out.put_fixed(bytes);
    }
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      internal_error("a nested partition value");
  }
}

void put_number(AvroEncoder out, const std::optional<int64_t>& value) {
  if (!value) return out.put_null();
  out.put_present();
  out.put_long(*value);
}

void put_counts(AvroEncoder out, const FileMetrics& metrics, int64_t ColumnMetrics::* count) {
  int64_t known = 0;
  for (size_t i = 0; i < metrics.size(); ++i) known += metrics.at(i).*count >= 0 ? 1 : 0;
  if (known == 0) return out.put_null();
  out.put_present();
  out.put_long(known);
  for (size_t i = 0; i < metrics.size(); ++i) {
    const ColumnMetrics column = metrics.at(i);
    if (column.*count < 0) continue;
    out.put_long(column.id);
    out.put_long(column.*count);
  }
  out.put_long(0);
}

void put_bounds(AvroEncoder out, const FileMetrics& metrics,
                std::optional<std::string_view> ColumnMetrics::* bound) {
  int64_t known = 0;
  for (size_t i = 0; i < metrics.size(); ++i) known += (metrics.at(i).*bound).has_value() ? 1 : 0;
  if (known == 0) return out.put_null();
  out.put_present();
  out.put_long(known);
  for (size_t i = 0; i < metrics.size(); ++i) {
    const ColumnMetrics column = metrics.at(i);
    if (!(column.*bound)) continue;
    out.put_long(column.id);
    out.put_bytes(*(column.*bound));
  }
  out.put_long(0);
}

template <typename T>
void put_list(AvroEncoder out, const std::vector<T>& values) {
  if (values.empty()) return out.put_null();
  out.put_present();
  out.put_long(static_cast<int64_t>(values.size()));
  for (const T value : values) out.put_long(value);
  out.put_long(0);
}

void put_text(AvroEncoder out, const std::optional<std::string>& value) {
  if (!value) return out.put_null();
  out.put_present();
  out.put_bytes(*value);
}

void put_file(AvroEncoder out, const DataFile& file, const Type& partition) {
  out.put_long(static_cast<int>(file.content));
  out.put_bytes(file.path);
  out.put_bytes(format_name(file.format));
  for (size_t i = 0; i < partition.fields.size(); ++i) {
    put_value(out, partition.fields[i].type, file.partition[i]);
  }
  out.put_long(file.records);
  out.put_long(file.bytes);
  put_counts(out, file.metrics, &ColumnMetrics::size);
  put_counts(out, file.metrics, &ColumnMetrics::values);
  put_counts(out, file.metrics, &ColumnMetrics::nulls);
  put_counts(out, file.metrics, &ColumnMetrics::nans);
  put_bounds(out, file.metrics, &ColumnMetrics::lower);
  put_bounds(out, file.metrics, &ColumnMetrics::upper);
  put_text(out, file.key_metadata);
  put_list(out, file.split_offsets);
  put_list(out, file.equality_ids);
  put_number(out, file.sort_order_id ? std::optional<int64_t>(*file.sort_order_id) : std::nullopt);
  put_text(out, file.referenced_data_file.empty() ? std::nullopt
                                                  : std::optional(file.referenced_data_file));
}

void put_entry(AvroEncoder out, const ManifestEntry& entry, const Type& partition) {
  out.put_long(static_cast<int>(entry.status));
  put_number(out, entry.snapshot_id);
  put_number(out, entry.sequence_number);
  put_number(out, entry.file_sequence_number);
  put_file(out, entry.file, partition);
}

/// An entry that may not be written is a broken promise of the caller.
void check(const ManifestEntry& entry, const Type& partition, const NewManifest& manifest) {
  const DataFile& file = entry.file;
  if (file.path.empty() || file.records < 0 || file.bytes < 0 ||
      file.partition.size() != partition.fields.size()) {
    internal_error(fmt::format("data file '{}' does not fit its manifest", file.path));
  }
  if ((file.content == FileContent::kData) != (manifest.content == ManifestContent::kData)) {
    internal_error(fmt::format("'{}' is in a manifest of other content", file.path));
  }
  if ((file.content == FileContent::kEqualityDeletes) == file.equality_ids.empty()) {
    internal_error(fmt::format("the equality ids of '{}' do not fit its content", file.path));
  }
  if (entry.sequence_number
          ? *entry.sequence_number < 0
          : entry.status != EntryStatus::kAdded ||
                entry.snapshot_id.value_or(manifest.snapshot_id) != manifest.snapshot_id) {
    internal_error(fmt::format("the entry of '{}' has no sequence number", file.path));
  }
  if (entry.status == EntryStatus::kExisting && !entry.snapshot_id) {
    internal_error(fmt::format("the entry of '{}' has no snapshot id", file.path));
  }
}

void count(const ManifestEntry& entry, ManifestFile& out) {
  switch (entry.status) {
    case EntryStatus::kAdded:
      ++*out.added_files;
      *out.added_rows += entry.file.records;
      break;
    case EntryStatus::kExisting:
      ++*out.existing_files;
      *out.existing_rows += entry.file.records;
      break;
    case EntryStatus::kDeleted:
      ++*out.deleted_files;
      *out.deleted_rows += entry.file.records;
      break;
  }
  if (entry.live() && entry.sequence_number &&
      (out.min_sequence_number == kUnassignedSequenceNumber ||
       *entry.sequence_number < out.min_sequence_number)) {
    out.min_sequence_number = *entry.sequence_number;
  }
}

std::string spec_fields_json(const PartitionSpec& spec) {
  return boost::json::serialize(
      boost::json::parse(partition_spec_json(spec)).as_object().at("fields"));
}

}  // namespace

WrittenManifest write_manifest(std::span<const ManifestEntry> entries, const Schema& schema,
                               const PartitionSpec& spec, const NewManifest& manifest) {
  const Type partition = partition_type(spec, schema);
  const std::vector<Field> fields = manifest_entry_fields(partition);
  AvroWriter writer(avro_schema_json(fields, "manifest_entry"),
                    {{"schema", schema_json(schema)},
                     {"schema-id", std::to_string(schema.id)},
                     {"partition-spec", spec_fields_json(spec)},
                     {"partition-spec-id", std::to_string(spec.id)},
                     {"format-version", "2"},
                     {"content", manifest.content == ManifestContent::kData ? "data" : "deletes"},
                     {"iceberg.schema", schema_json({.fields = fields})}});
  WrittenManifest out;
  out.file = {.path = manifest.path,
              .spec_id = spec.id,
              .content = manifest.content,
              .sequence_number = kUnassignedSequenceNumber,
              .min_sequence_number = kUnassignedSequenceNumber,
              .added_snapshot_id = manifest.snapshot_id,
              .added_files = 0,
              .existing_files = 0,
              .deleted_files = 0,
              .added_rows = 0,
              .existing_rows = 0,
              .deleted_rows = 0};
  std::vector<Summary> summaries;
  for (const Field& field : partition.fields) summaries.emplace_back(field.type);
  for (const ManifestEntry& entry : entries) {
    check(entry, partition, manifest);
    count(entry, out.file);
    for (size_t i = 0; i < summaries.size(); ++i) summaries[i].add(entry.file.partition[i]);
    put_entry(writer.encoder(), entry, partition);
    writer.end_record();
  }
  out.file.partitions.emplace();
  for (Summary& summary : summaries) out.file.partitions->push_back(summary.finish());
  out.bytes = writer.finish();
  out.file.length = static_cast<int64_t>(out.bytes.size());
  return out;
}

}  // namespace meesh::lake
