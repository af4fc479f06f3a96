#include "lake/manifest_list.h"

#include <fmt/format.h>

#include <limits>

#include "base/error.h"
#include "lake/avro.h"
#include "lake/avro_record.h"
#include "lake/manifest_schema.h"

namespace meesh::lake {
namespace {

[[noreturn]] void fail(std::string message) {
  throw Error(Code::kIcebergInvalidMetadata, std::move(message));
}

enum ListOp : int {
  kPath,
  kLength,
  kSpecId,
  kContent,
  kSequence,
  kMinSequence,
  kSnapshot,
  kAddedFiles,
  kExistingFiles,
  kDeletedFiles,
  kAddedRows,
  kExistingRows,
  kDeletedRows,
  kPartitions,
  kKeyMetadata,
};

// Files without field ids are of format version 1, whose names these are.
constexpr WantedField kListFields[] = {
    {kPath, 500, "manifest_path", AvroShape::kBytes, true},
    {kLength, 501, "manifest_length", AvroShape::kInteger, true},
    {kSpecId, 502, "partition_spec_id", AvroShape::kInteger, true},
    {kContent, 517, "content", AvroShape::kInteger},
    {kSequence, 515, "sequence_number", AvroShape::kInteger},
    {kMinSequence, 516, "min_sequence_number", AvroShape::kInteger},
    {kSnapshot, 503, "added_snapshot_id", AvroShape::kInteger},
    {kAddedFiles, 504, "added_data_files_count", AvroShape::kInteger},
    {kExistingFiles, 505, "existing_data_files_count", AvroShape::kInteger},
    {kDeletedFiles, 506, "deleted_data_files_count", AvroShape::kInteger},
    {kAddedRows, 512, "added_rows_count", AvroShape::kInteger},
    {kExistingRows, 513, "existing_rows_count", AvroShape::kInteger},
    {kDeletedRows, 514, "deleted_rows_count", AvroShape::kInteger},
    {kPartitions, 507, "partitions", AvroShape::kArray},
    {kKeyMetadata, 519, "key_metadata", AvroShape::kBytes},
};

enum SummaryOp : int { kNull, kNan, kLower, kUpper };

constexpr WantedField kSummaryFields[] = {
    {kNull, 509, "contains_null", AvroShape::kBoolean, true},
    {kNan, 518, "contains_nan", AvroShape::kBoolean},
    {kLower, 510, "lower_bound", AvroShape::kBytes},
    {kUpper, 511, "upper_bound", AvroShape::kBytes},
};

class ListDecoder {
 public:
  explicit ListDecoder(const AvroSchema& schema) : schema_(schema) {
    row_ = plan_record(schema, schema.root, kListFields, "manifest_file");
    if (!row_.reads(kPartitions)) return;
    const AvroNode& array = schema[row_.node_of(kPartitions)];
    summary_ = plan_record(schema, array.children[0], kSummaryFields, "field_summary");
  }

  ManifestFile decode(AvroCursor& in) const {
    ManifestFile out;
    for (const RecordPlan::Step& step : row_.steps) {
      if (step.op == RecordPlan::kSkip) {
        in.skip(schema_, step.node);
      } else if (read_present(in, step)) {
        read(in, step.op, out);
      }
    }
    if (out.path.empty()) fail("a manifest has no path");
    if (out.length < 0) fail(fmt::format("manifest '{}' has a negative length", out.path));
    return out;
  }

 private:
  static int count(AvroCursor& in) {
    const int value = in.read_int();
    if (value < 0) fail(fmt::format("{} is no number of files", value));
    return value;
  }
  static int64_t rows(AvroCursor& in) {
    const int64_t value = in.read_long();
    if (value < 0) fail(fmt::format("{} is no number of rows", value));
    return value;
  }
  static ManifestContent content(AvroCursor& in) {
    const int64_t value = in.read_long();
    if (value == 0) return ManifestContent::kData;
    if (value == 1) return ManifestContent::kDeletes;
    fail(fmt::format("unknown manifest content {}", value));
  }

  void read(AvroCursor& in, int op, ManifestFile& out) const {
    switch (op) {
      case kPath:
        out.path = in.read_bytes();
        break;
      case kLength:
        out.length = in.read_long();
        break;
      case kSpecId:
        out.spec_id = in.read_int();
        break;
      case kContent:
        out.content = content(in);
        break;
      case kSequence:
        out.sequence_number = in.read_long();
        break;
      case kMinSequence:
        out.min_sequence_number = in.read_long();
        break;
      case kSnapshot:
        out.added_snapshot_id = in.read_long();
        break;
      case kAddedFiles:
        out.added_files = count(in);
        break;
      case kExistingFiles:
        out.existing_files = count(in);
        break;
      case kDeletedFiles:
        out.deleted_files = count(in);
        break;
      case kAddedRows:
        out.added_rows = rows(in);
        break;
      case kExistingRows:
        out.existing_rows = rows(in);
        break;
      case kDeletedRows:
        out.deleted_rows = rows(in);
        break;
      case kPartitions:
        out.partitions = summaries(in);
        break;
      default:
        out.key_metadata = in.read_bytes();
    }
  }

  std::vector<FieldSummary> summaries(AvroCursor& in) const {
    std::vector<FieldSummary> out;
    while (const int64_t items = in.read_block()) {
      for (int64_t i = 0; i < items; ++i) out.push_back(summary(in));
    }
    return out;
  }

  FieldSummary summary(AvroCursor& in) const {
    FieldSummary out;
    for (const RecordPlan::Step& step : summary_.steps) {
      if (step.op == RecordPlan::kSkip) {
        in.skip(schema_, step.node);
      } else if (read_present(in, step)) {
        if (step.op == kNull) out.contains_null = in.read_boolean();
        if (step.op == kNan) out.contains_nan = in.read_boolean();
        if (step.op == kLower) out.lower = in.read_bytes();
        if (step.op == kUpper) out.upper = in.read_bytes();
      }
    }
    return out;
  }

  const AvroSchema& schema_;
  RecordPlan row_;
  RecordPlan summary_;
};

template <typename T>
T known(const std::optional<T>& value, const ManifestFile& manifest) {
  if (value) return *value;
  throw Error(Code::kIcebergInvalidMetadata,
              fmt::format("it is not known how many files manifest '{}' has", manifest.path))
      .with_hint("rewrite the table's manifests with the engine that wrote them");
}

void put_optional(AvroEncoder out, const std::optional<std::string>& bytes) {
  if (!bytes) return out.put_null();
  out.put_present();
  out.put_bytes(*bytes);
}

void put_summaries(AvroEncoder out, const std::vector<FieldSummary>& summaries) {
  if (!summaries.empty()) out.put_long(static_cast<int64_t>(summaries.size()));
  for (const FieldSummary& summary : summaries) {
    out.put_boolean(summary.contains_null);
    if (summary.contains_nan) {
      out.put_present();
      out.put_boolean(*summary.contains_nan);
    } else {
      out.put_null();
    }
    put_optional(out, summary.lower);
    put_optional(out, summary.upper);
  }
  out.put_long(0);
}

void put_manifest(AvroEncoder out, const ManifestFile& file, int64_t snapshot_id,
                  int64_t sequence_number) {
  const auto assigned = [&](int64_t number) {
    if (number != kUnassignedSequenceNumber) return number;
    if (file.added_snapshot_id != snapshot_id) {
      internal_error(fmt::format("manifest '{}' of snapshot {} has no sequence number", file.path,
                                 file.added_snapshot_id));
    }
    return sequence_number;
  };
  out.put_bytes(file.path);
  out.put_long(file.length);
  out.put_long(file.spec_id);
  out.put_long(static_cast<int>(file.content));
  out.put_long(assigned(file.sequence_number));
  out.put_long(assigned(file.min_sequence_number));
  out.put_long(file.added_snapshot_id);
  out.put_long(known(file.added_files, file));
  out.put_long(known(file.existing_files, file));
  out.put_long(known(file.deleted_files, file));
  out.put_long(known(file.added_rows, file));
  out.put_long(known(file.existing_rows, file));
  out.put_long(known(file.deleted_rows, file));
  if (file.partitions) {
    out.put_present();
    put_summaries(out, *file.partitions);
  } else {
    out.put_null();
  }
  put_optional(out, file.key_metadata);
}

}  // namespace

std::vector<ManifestFile> read_manifest_list(std::string_view bytes, const std::string& path) {
  try {
    AvroReader reader(bytes);
    const ListDecoder decoder(reader.schema());
    std::vector<ManifestFile> out;
    AvroReader::Block block;
    while (reader.next(block)) {
      AvroCursor in(block.bytes);
      for (int64_t i = 0; i < block.records; ++i) out.push_back(decoder.decode(in));
      if (!in.done()) fail("an Avro block is longer than its records");
    }
    return out;
  } catch (Error& error) {
    error.prefixed(fmt::format("manifest list '{}'", path));
    throw;
  }
}

std::string write_manifest_list(std::span<const ManifestFile> manifests, int64_t snapshot_id,
                                std::optional<int64_t> parent_snapshot_id,
                                int64_t sequence_number) {
  const std::vector<Field> fields = manifest_file_fields();
  const std::string parent = parent_snapshot_id ? std::to_string(*parent_snapshot_id) : "null";
  AvroWriter writer(avro_schema_json(fields, "manifest_file"),
                    {{"snapshot-id", std::to_string(snapshot_id)},
                     {"parent-snapshot-id", parent},
                     {"sequence-number", std::to_string(sequence_number)},
                     {"format-version", "2"},
                     {"iceberg.schema", schema_json({.fields = fields})}});
  for (const ManifestFile& manifest : manifests) {
    put_manifest(writer.encoder(), manifest, snapshot_id, sequence_number);
    writer.end_record();
  }
  return writer.finish();
}

}  // namespace meesh::lake
