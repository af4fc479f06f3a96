// Reading manifests.
#include "lake/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <unordered_map>

#include "base/error.h"
#include "lake/avro.h"
#include "lake/avro_record.h"

namespace meesh::lake {
namespace {

[[noreturn]] void fail(std::string message) {
  throw Error(Code::kIcebergInvalidMetadata, std::move(message));
}

enum EntryOp : int { kStatus, kSnapshot, kSequence, kFileSequence, kFile };

constexpr WantedField kEntryFields[] = {
    {kStatus, 0, "status", AvroShape::kInteger, true},
    {kSnapshot, 1, "snapshot_id", AvroShape::kInteger},
    {kSequence, 3, "sequence_number", AvroShape::kInteger},
    {kFileSequence, 4, "file_sequence_number", AvroShape::kInteger},
    {kFile, 2, "data_file", AvroShape::kRecord, true},
};

enum FileOp : int {
  kContent,
  kPath,
  kFormat,
  kPartition,
  kRecords,
  kBytes,
  kColumnSizes,  // from here to kUpperBounds: maps by column id
  kValueCounts,
  kNullCounts,
  kNanCounts,
  kLowerBounds,
  kUpperBounds,
  kKeyMetadata,
  kSplitOffsets,
  kEqualityIds,
  kSortOrder,
  kReferencedFile,
};
constexpr int kMaps = kUpperBounds - kColumnSizes + 1;

constexpr WantedField kFileFields[] = {
    {kContent, 134, "content", AvroShape::kInteger},
    {kPath, 100, "file_path", AvroShape::kBytes, true},
    {kFormat, 101, "file_format", AvroShape::kBytes, true},
    {kPartition, 102, "partition", AvroShape::kRecord, true},
    {kRecords, 103, "record_count", AvroShape::kInteger, true},
    {kBytes, 104, "file_size_in_bytes", AvroShape::kInteger, true},
    {kColumnSizes, 108, "column_sizes", AvroShape::kArray},
    {kValueCounts, 109, "value_counts", AvroShape::kArray},
    {kNullCounts, 110, "null_value_counts", AvroShape::kArray},
    {kNanCounts, 137, "nan_value_counts", AvroShape::kArray},
    {kLowerBounds, 125, "lower_bounds", AvroShape::kArray},
    {kUpperBounds, 128, "upper_bounds", AvroShape::kArray},
    {kKeyMetadata, 131, "key_metadata", AvroShape::kBytes},
    {kSplitOffsets, 132, "split_offsets", AvroShape::kArray},
    {kEqualityIds, 135, "equality_ids", AvroShape::kArray},
    {kSortOrder, 140, "sort_order_id", AvroShape::kInteger},
    {kReferencedFile, 143, "referenced_data_file", AvroShape::kBytes},
};

/// The field ids of each map's keys and values.
constexpr std::array<std::pair<int, int>, kMaps> kMapIds{
    {{117, 118}, {119, 120}, {121, 122}, {138, 139}, {126, 127}, {129, 130}}};

enum MapOp : int { kMapKey, kMapValue };

FileContent file_content(int64_t value) {
  if (value < 0 || value > 2) fail(fmt::format("unknown file content {}", value));
  return static_cast<FileContent>(value);
}

FileFormat file_format(std::string_view name) {
  for (FileFormat format :
       {FileFormat::kParquet, FileFormat::kAvro, FileFormat::kOrc, FileFormat::kPuffin}) {
    const std::string_view known = format_name(format);
    if (std::ranges::equal(name, known, [](char a, char b) { return a == b || a == (b | 0x20); })) {
      return format;
    }
  }
  fail(fmt::format("unknown file format '{}'", name));
}

/// A decimal's big-endian two's complement.
Int128 big_endian(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > 16) {
    fail(fmt::format("a decimal of {} bytes in a partition", bytes.size()));
  }
  auto out = static_cast<unsigned __int128>(static_cast<Int128>(static_cast<int8_t>(bytes[0])));
  for (const char byte : bytes.substr(1)) out = out << 8 | static_cast<uint8_t>(byte);
  return static_cast<Int128>(out);
}

int64_t natural(AvroCursor& in, std::string_view what) {
  const int64_t value = in.read_long();
  if (value < 0) fail(fmt::format("{} is {}", what, value));
  return value;
}

}  // namespace

/// One manifest's plan. Rows are decoded straight into their structs.
class ManifestDecoder {
 public:
  ManifestDecoder(const AvroSchema& schema, const ManifestFile& manifest, const PartitionSpec& spec,
                  const ManifestReadOptions& options)
      : schema_(schema), manifest_(manifest), options_(options) {
    entry_ = plan_record(schema, schema.root, kEntryFields, "manifest_entry");
    file_ = plan_record(schema, entry_.node_of(kFile), kFileFields, "data_file");
    if (options_.columns) std::ranges::sort(*options_.columns);
    plan_maps();
    plan_partition(spec);
  }

  /// False for a deleted file that is not wanted.
  bool decode(AvroCursor& in, ManifestEntry& out) {
    bool status_known = false;
    for (const RecordPlan::Step& step : entry_.steps) {
      if (step.op == RecordPlan::kSkip) {
        in.skip(schema_, step.node);
      } else if (!read_present(in, step)) {
        if (step.op == kStatus || step.op == kFile) fail("an entry has no status or no file");
      } else if (step.op == kStatus) {
        out.status = status(in);
        status_known = true;
      } else if (step.op == kFile) {
        if (status_known && !out.live() && options_.live_only) {
          in.skip(schema_, step.node);
        } else {
          decode_file(in, out.file);
        }
      } else {
        const int64_t number = in.read_long();
        if (step.op == kSnapshot) out.snapshot_id = number;
        if (step.op == kSequence) out.sequence_number = number;
        if (step.op == kFileSequence) out.file_sequence_number = number;
      }
    }
    if (!out.live() && options_.live_only) return false;
    inherit(out);
    check(out.file);
    return true;
  }

 private:
  struct MapPlan {
    RecordPlan plan;
    bool plain = false;  // key, value, and neither ever null
  };

  static EntryStatus status(AvroCursor& in) {
    const int64_t value = in.read_long();
    if (value < 0 || value > 2) fail(fmt::format("unknown entry status {}", value));
    return static_cast<EntryStatus>(value);
  }

  void plan_maps() {
    for (RecordPlan::Step& step : file_.steps) {
      if (step.op < kColumnSizes || step.op > kUpperBounds) continue;
      const auto index = static_cast<size_t>(step.op - kColumnSizes);
      const bool bound = step.op >= kLowerBounds;
      const WantedField wanted[] = {
          {kMapKey, kMapIds[index].first, "key", AvroShape::kInteger, true},
          {kMapValue, kMapIds[index].second, "value",
           bound ? AvroShape::kBytes : AvroShape::kInteger, true},
      };
      MapPlan& map = maps_[index];
      map.plan = plan_record(schema_, schema_[step.node].children[0], wanted, "a map by column id");
      const auto& steps = map.plan.steps;
      map.plain = steps.size() == 2 && steps[0].op == kMapKey && steps[0].branches == 0 &&
                  steps[1].branches == 0;
    }
    for (const int op : {kSplitOffsets, kEqualityIds}) {
      if (!file_.reads(op)) continue;
      const AvroKind items = schema_[schema_[file_.node_of(op)].children[0]].kind;
      if (items != AvroKind::kInt && items != AvroKind::kLong) {
        fail("split_offsets or equality_ids are no list of numbers");
      }
    }
  }

  void plan_partition(const PartitionSpec& spec) {
    std::vector<WantedField> wanted;
    for (const PartitionField& field : spec.fields) {
      wanted.push_back({.op = static_cast<int>(wanted.size()),
                        .id = field.field_id,
                        .name = field.name,
                        // A void field has nothing to say, and some writers leave it out.
                        .required = field.transform.kind != TransformKind::kVoid});
    }
    partition_ = plan_record(schema_, file_.node_of(kPartition), wanted, "the partition");
    partition_size_ = wanted.size();
    for (const RecordPlan::Step& step : partition_.steps) {
      const AvroKind kind = schema_[step.node].kind;
      if (step.op != RecordPlan::kSkip && kind > AvroKind::kFixed) {
        fail("a partition field is neither a number nor text");
      }
    }
  }

  Value partition_value(AvroCursor& in, const AvroNode& type) const {
    switch (type.kind) {
      case AvroKind::kBoolean:
        return in.read_boolean();
      case AvroKind::kInt:
      case AvroKind::kLong:
        return in.read_long();
      case AvroKind::kFloat:
        return static_cast<double>(in.read_float());
      case AvroKind::kDouble:
        return in.read_double();
      default:
        break;
    }
    const std::string_view bytes =
        type.kind == AvroKind::kFixed ? in.read_fixed(type.size) : in.read_bytes();
    if (type.logical == "decimal") return big_endian(bytes);
    return std::string(bytes);
  }

  void decode_partition(AvroCursor& in, std::vector<Value>& out) const {
    out.resize(partition_size_);
    for (const RecordPlan::Step& step : partition_.steps) {
      if (step.op == RecordPlan::kSkip) {
        in.skip(schema_, step.node);
      } else if (read_present(in, step)) {
        out[static_cast<size_t>(step.op)] = partition_value(in, schema_[step.node]);
      }
    }
  }

  void decode_file(AvroCursor& in, DataFile& out) {
    out.metrics.columns_.reserve(columns_before_);
    out.metrics.bounds_.reserve(bounds_before_);
    for (const RecordPlan::Step& step : file_.steps) {
      if (step.op == RecordPlan::kSkip) {
        in.skip(schema_, step.node);
      } else if (read_present(in, step)) {
        if (step.op >= kColumnSizes && step.op <= kUpperBounds) {
          decode_map(in, step.op, out.metrics);
        } else {
          decode_field(in, step.op, out);
        }
      }
    }
    if (!index_.empty()) {
      std::ranges::sort(out.metrics.columns_, {}, &FileMetrics::Column::id);
      index_.clear();
    }
    columns_before_ = out.metrics.columns_.size();
    bounds_before_ = out.metrics.bounds_.size();
  }

  void decode_field(AvroCursor& in, int op, DataFile& out) const {
    switch (op) {
      case kContent:
        out.content = file_content(in.read_long());
        break;
      case kPath:
        out.path = in.read_bytes();
        break;
      case kFormat:
        out.format = file_format(in.read_bytes());
        break;
      case kPartition:
        decode_partition(in, out.partition);
        break;
      case kRecords:
        out.records = natural(in, "record_count");
        break;
      case kBytes:
        out.bytes = natural(in, "file_size_in_bytes");
        break;
      case kKeyMetadata:
        out.key_metadata = in.read_bytes();
        break;
      case kSplitOffsets:
        while (const int64_t count = in.read_block()) {
          for (int64_t i = 0; i < count; ++i) out.split_offsets.push_back(in.read_long());
        }
        break;
      case kEqualityIds:
        while (const int64_t count = in.read_block()) {
          for (int64_t i = 0; i < count; ++i) out.equality_ids.push_back(in.read_int());
        }
        break;
      case kSortOrder:
        out.sort_order_id = in.read_int();
        break;
      default:
        out.referenced_data_file = in.read_bytes();
    }
  }

  bool wanted(int id) const {
    return !options_.columns || std::ranges::binary_search(*options_.columns, id);
  }

  void decode_map(AvroCursor& in, int op, FileMetrics& out) {
    const MapPlan& map = maps_[static_cast<size_t>(op - kColumnSizes)];
    size_t next = 0;
    while (const int64_t count = in.read_block()) {
      for (int64_t i = 0; i < count; ++i) {
        if (map.plain) {
          const int id = in.read_int();
          if (op >= kLowerBounds) {
            put_bound(out, op, id, in.read_bytes(), next);
          } else {
            put_count(out, op, id, in.read_long(), next);
          }
        } else {
          decode_pair(in, op, map.plan, out, next);
        }
      }
    }
  }

  void decode_pair(AvroCursor& in, int op, const RecordPlan& plan, FileMetrics& out, size_t& next) {
    std::optional<int> id;
    std::optional<int64_t> count;
    std::optional<std::string_view> bound;
    for (const RecordPlan::Step& step : plan.steps) {
      if (step.op == RecordPlan::kSkip) {
        in.skip(schema_, step.node);
      } else if (read_present(in, step)) {
        if (step.op == kMapKey) {
          id = in.read_int();
        } else if (op >= kLowerBounds) {
          bound = in.read_bytes();
        } else {
          count = in.read_long();
        }
      }
    }
    if (!id) fail("a map by column id has a key that is null");
    if (bound) put_bound(out, op, *id, *bound, next);
    if (count) put_count(out, op, *id, *count, next);
  }

  void put_bound(FileMetrics& out, int op, int id, std::string_view value, size_t& next) {
    if (!wanted(id)) return;
    FileMetrics::Column& column = column_of(out, id, next);
    if (op == kLowerBounds) {
      out.set_bound(column.lower_at, column.lower_size, value);
    } else {
      out.set_bound(column.upper_at, column.upper_size, value);
    }
  }

  void put_count(FileMetrics& out, int op, int id, int64_t value, size_t& next) {
    if (!wanted(id)) return;
    FileMetrics::Column& column = column_of(out, id, next);
    if (op == kColumnSizes) column.size = value;
    if (op == kValueCounts) column.values = value;
    if (op == kNullCounts) column.nulls = value;
    if (op == kNanCounts) column.nans = value;
  }

  /// Most writers keep the columns' order in all maps: `next` is where the one after the last one
  /// stands. Where ids do not rise, index_ finds them until the file is done.
  FileMetrics::Column& column_of(FileMetrics& out, int id, size_t& next) {
    std::vector<FileMetrics::Column>& columns = out.columns_;
    if (next < columns.size() && columns[next].id == id) return columns[next++];
    if (index_.empty()) {
      const auto found = std::ranges::lower_bound(columns, id, {}, &FileMetrics::Column::id);
      next = static_cast<size_t>(found - columns.begin()) + 1;
      if (found == columns.end()) return columns.emplace_back(FileMetrics::Column{.id = id});
      if (found->id == id) return *found;
      for (size_t i = 0; i < columns.size(); ++i) index_[columns[i].id] = i;
    }
    const auto [place, fresh] = index_.try_emplace(id, columns.size());
    if (fresh) columns.push_back({.id = id});
    next = place->second + 1;
    return columns[place->second];
  }

  void inherit(ManifestEntry& entry) const {
    if (!entry.snapshot_id) entry.snapshot_id = manifest_.added_snapshot_id;
    // Manifests of version 1 have no such column: all their files are of age 0.
    const bool version1 = !entry_.reads(kSequence);
    const int64_t number = version1 ? kInitialSequenceNumber : manifest_.sequence_number;
    const bool inherits =
        version1 || number == kInitialSequenceNumber || entry.status == EntryStatus::kAdded;
    if (!entry.sequence_number && !inherits && entry.live()) {
      fail(fmt::format("file '{}' was there before, but has no sequence number", entry.file.path));
    }
    if (!entry.sequence_number) entry.sequence_number = number;
    if (!entry.file_sequence_number && inherits) entry.file_sequence_number = number;
  }

  void check(const DataFile& file) const {
    if (file.path.empty()) fail("a file has no path");
    if ((file.content == FileContent::kData) != (manifest_.content == ManifestContent::kData)) {
      fail(fmt::format("'{}' is a {} file in a manifest of {}", file.path,
                       file.content == FileContent::kData ? "data" : "delete",
                       manifest_.content == ManifestContent::kData ? "data files" : "deletes"));
    }
    if (file.content == FileContent::kEqualityDeletes && file.equality_ids.empty()) {
      fail(fmt::format("equality deletes '{}' do not say which columns they compare", file.path));
    }
  }

  const AvroSchema& schema_;
  const ManifestFile& manifest_;
  ManifestReadOptions options_;
  RecordPlan entry_, file_, partition_;
  std::array<MapPlan, kMaps> maps_;
  size_t partition_size_ = 0;
  size_t columns_before_ = 0, bounds_before_ = 0;  // of the last file: about as many come again
  std::unordered_map<int, size_t> index_;
};

namespace {

int header_number(const AvroReader& reader, std::string_view key, int missing) {
  const std::string* text = reader.find(key);
  if (text == nullptr) return missing;
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) {
    fail(fmt::format("\"{}\" in its header is '{}', not a number", key, *text));
  }
  return value;
}

ManifestHeader header_of(const AvroReader& reader) {
  ManifestHeader out;
  out.format_version = header_number(reader, "format-version", 1);
  out.spec_id = header_number(reader, "partition-spec-id", 0);
  if (out.format_version < 1 || out.format_version > 2) {
    throw Error(Code::kNotSupported,
                fmt::format("format version {} cannot be read", out.format_version));
  }
  if (const std::string* content = reader.find("content")) {
    if (*content == "deletes") {
      out.content = ManifestContent::kDeletes;
    } else if (*content != "data") {
      fail(fmt::format("unknown content '{}' in its header", *content));
    }
  }
  if (const std::string* schema = reader.find("schema")) out.schema = *schema;
  if (const std::string* spec = reader.find("partition-spec")) out.partition_spec = *spec;
  return out;
}

}  // namespace

std::string_view format_name(FileFormat format) {
  switch (format) {
    case FileFormat::kAvro:
      return "AVRO";
    case FileFormat::kOrc:
      return "ORC";
    case FileFormat::kParquet:
      return "PARQUET";
    case FileFormat::kPuffin:
      return "PUFFIN";
  }
  internal_error("a file format without a name");
}

ManifestHeader read_manifest_header(std::string_view bytes, const std::string& path) {
  try {
    return header_of(AvroReader(bytes));
  } catch (Error& error) {
    error.prefixed(fmt::format("manifest '{}'", path));
    throw;
  }
}

std::vector<ManifestEntry> read_manifest(std::string_view bytes, const ManifestFile& file,
                                         const PartitionSpec& spec,
                                         const ManifestReadOptions& options) {
  try {
    AvroReader reader(bytes);
    const ManifestHeader header = header_of(reader);
    if (reader.find("content") != nullptr && header.content != file.content) {
      fail("its header says other content than the manifest list");
    }
    ManifestDecoder decoder(reader.schema(), file, spec, options);
    std::vector<ManifestEntry> out;
    AvroReader::Block block;
    while (reader.next(block)) {
      AvroCursor in(block.bytes);
      for (int64_t i = 0; i < block.records; ++i) {
        ManifestEntry& entry = out.emplace_back();
        if (!decoder.decode(in, entry)) out.pop_back();
      }
      if (!in.done()) fail("an Avro block is longer than its records");
    }
    return out;
  } catch (Error& error) {
    error.prefixed(fmt::format("manifest '{}'", file.path));
    throw;
  }
}

}  // namespace meesh::lake
