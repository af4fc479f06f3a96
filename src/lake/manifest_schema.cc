#include "lake/manifest_schema.h"

#include <utility>

namespace meesh::lake {
namespace {

Type plain(TypeKind kind) { return primitive_type(kind); }

Field required(int id, std::string name, Type type, std::string doc = "") {
  return {id, std::move(name), std::move(type), true, std::move(doc)};
}

Field optional(int id, std::string name, Type type, std::string doc = "") {
  return {id, std::move(name), std::move(type), false, std::move(doc)};
}

Type by_column(int key_id, int value_id, TypeKind value) {
  return map_type(key_id, plain(TypeKind::kInt), value_id, plain(value), true);
}

}  // namespace

std::vector<Field> manifest_entry_fields(const Type& partition) {
  const Type integer = plain(TypeKind::kInt);
  const Type number = plain(TypeKind::kLong);
  const Type text = plain(TypeKind::kString);
  const Type binary = plain(TypeKind::kBinary);
  Type file = struct_type({
      required(134, "content", integer, "0: data, 1: position deletes, 2: equality deletes"),
      required(100, "file_path", text, "Location URI with file system scheme"),
      required(101, "file_format", text, "avro, orc or parquet"),
      required(102, "partition", partition, "Values of the partition spec's fields"),
      required(103, "record_count", number, "Rows in the file"),
      required(104, "file_size_in_bytes", number, "Size of the file"),
      optional(108, "column_sizes", by_column(117, 118, TypeKind::kLong), "Bytes by column id"),
      optional(109, "value_counts", by_column(119, 120, TypeKind::kLong),
               "Values by column id, with nulls and NaNs"),
      optional(110, "null_value_counts", by_column(121, 122, TypeKind::kLong),
               "Nulls by column id"),
      optional(137, "nan_value_counts", by_column(138, 139, TypeKind::kLong), "NaNs by column id"),
      optional(125, "lower_bounds", by_column(126, 127, TypeKind::kBinary),
               "Lower bounds by column id"),
      optional(128, "upper_bounds", by_column(129, 130, TypeKind::kBinary),
               "Upper bounds by column id"),
      optional(131, "key_metadata", binary, "Encryption key metadata"),
      optional(132, "split_offsets", list_type(133, number, true), "Where the file may be split"),
      optional(135, "equality_ids", list_type(136, integer, true),
               "Columns that equality deletes compare"),
      optional(140, "sort_order_id", integer, "Sort order of the rows"),
      optional(143, "referenced_data_file", text, "The one data file that all deletes are for"),
  });
  return {
      required(0, "status", integer),
      optional(1, "snapshot_id", number),
      optional(3, "sequence_number", number),
      optional(4, "file_sequence_number", number),
      required(2, "data_file", std::move(file)),
  };
}

std::vector<Field> manifest_file_fields() {
  const Type integer = plain(TypeKind::kInt);
  const Type number = plain(TypeKind::kLong);
  const Type binary = plain(TypeKind::kBinary);
  Type summary = struct_type({
      required(509, "contains_null", plain(TypeKind::kBoolean), "Whether a file has null"),
      optional(518, "contains_nan", plain(TypeKind::kBoolean), "Whether a file has NaN"),
      optional(510, "lower_bound", binary, "Lower bound of all files"),
      optional(511, "upper_bound", binary, "Upper bound of all files"),
  });
  return {
      required(500, "manifest_path", plain(TypeKind::kString),
               "Location URI with file system scheme"),
      required(501, "manifest_length", number, "Size of the file in bytes"),
      required(502, "partition_spec_id", integer, "The partition spec it was written with"),
      required(517, "content", integer, "0: data, 1: deletes"),
      required(515, "sequence_number", number, "When the manifest was added"),
      required(516, "min_sequence_number", number, "The lowest of its files"),
      required(503, "added_snapshot_id", number, "The snapshot that added the manifest"),
      required(504, "added_files_count", integer, "Files that were added"),
      required(505, "existing_files_count", integer, "Files that were there before"),
      required(506, "deleted_files_count", integer, "Files that were deleted"),
      required(512, "added_rows_count", number, "Rows in added files"),
      required(513, "existing_rows_count", number, "Rows in files that were there before"),
      required(514, "deleted_rows_count", number, "Rows in deleted files"),
      optional(507, "partitions", list_type(508, std::move(summary), true),
               "One summary for each partition field"),
      optional(519, "key_metadata", binary, "Encryption key metadata"),
  };
}

}  // namespace meesh::lake
