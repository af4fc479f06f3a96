// Manifests and manifest lists of any bytes. The first byte says how the rest stands in the file:
// as it is, as one record of a good manifest or list, or as a schema with records.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "lake/avro.h"
#include "lake/manifest.h"
#include "lake/manifest_schema.h"

namespace {

using namespace meesh::lake;  // NOLINT(build/namespaces)

PartitionSpec spec() {
  return {.id = 0,
          .fields = {{1, 1000, "day", parse_transform("identity")},
                     {2, 1001, "price", parse_transform("identity")},
                     {3, 1002, "name", parse_transform("identity")}}};
}

std::string schema_text(bool list) {
  if (list) return avro_schema_json(manifest_file_fields(), "manifest_file");
  return avro_schema_json(manifest_entry_fields(struct_type(
                              {{1000, "day", primitive_type(TypeKind::kDate), false, ""},
                               {1001, "price", decimal_type(20, 2), false, ""},
                               {1002, "name", primitive_type(TypeKind::kString), false, ""}})),
                          "manifest_entry");
}

std::string container(std::string_view schema, std::string_view record, AvroCodec codec) {
  AvroWriter writer(schema, {}, codec);
  writer.encoder().put_fixed(record);
  writer.end_record();
  return writer.finish();
}

void read(std::string_view bytes, int64_t sequence_number) {
  try {
    for (const ManifestEntry& entry :
         read_manifest(bytes, {.path = "m", .sequence_number = sequence_number}, spec())) {
      if (entry.file.path.empty() || entry.file.partition.size() != 3) std::abort();
      for (size_t i = 1; i < entry.file.metrics.size(); ++i) {
        if (entry.file.metrics.at(i - 1).id >= entry.file.metrics.at(i).id) std::abort();
      }
    }
  } catch (const meesh::Error&) {  // NOLINT(bugprone-empty-catch): bad bytes are refused
  }
  try {
    for (const ManifestFile& file : read_manifest_list(bytes, "l")) {
      if (file.path.empty()) std::abort();
    }
  } catch (const meesh::Error&) {  // NOLINT(bugprone-empty-catch): bad bytes are refused
  }
  try {
    AvroReader reader(bytes, {.unpacked = 1 << 20, .header = 1 << 16});
    AvroReader::Block block;
    while (reader.next(block)) AvroCursor(block.bytes).skip(reader.schema(), reader.schema().root);
  } catch (const meesh::Error&) {  // NOLINT(bugprone-empty-catch): bad bytes are refused
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string kEntry = schema_text(false);
  static const std::string kList = schema_text(true);
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto codec = static_cast<AvroCodec>(data[0] >> 4 & 3);
  switch (data[0] & 3) {
    case 0:
      read(text, 5);
      break;
    case 1:
      read(container(kEntry, text, codec), 0);
      break;
    case 2:
      read(container(kList, text, codec), 0);
      break;
    default: {
      const size_t end = text.find('\0');
      if (end == std::string_view::npos) return 0;
      read(container(text.substr(0, end), text.substr(end + 1), codec), 7);
    }
  }
  return 0;
}
