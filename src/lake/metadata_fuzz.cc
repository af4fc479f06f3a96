// Table and view metadata and commits from any bytes: what is accepted is written and read back
// equal, and commits make metadata that can be read.
//
// Input: what it is (one byte), then JSON.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "lake/metadata.h"
#include "lake/schema_change.h"
#include "lake/updates.h"
#include "lake/view_metadata.h"

namespace {

using namespace meesh::lake;  // NOLINT(build/namespaces)

constexpr std::string_view kTable = R"({"format-version":2,"table-uuid":"u","location":"s3://t",
  "last-sequence-number":2,"last-updated-ms":5,"last-column-id":3,"current-schema-id":0,
  "schemas":[{"type":"struct","schema-id":0,"fields":[
    {"id":1,"name":"a","required":true,"type":"long"},
    {"id":2,"name":"b","required":false,"type":"string"},
    {"id":3,"name":"c","required":false,"type":"date"}]}],
  "default-spec-id":0,"partition-specs":[{"spec-id":0,"fields":[
    {"name":"c","transform":"day","source-id":3,"field-id":1000}]}],"last-partition-id":1000,
  "default-sort-order-id":0,"sort-orders":[{"order-id":0,"fields":[]}],"properties":{},
  "current-snapshot-id":2,"snapshots":[
    {"snapshot-id":1,"sequence-number":1,"timestamp-ms":1,"manifest-list":"m"},
    {"snapshot-id":2,"sequence-number":2,"timestamp-ms":2,"manifest-list":"n"}],
  "snapshot-log":[{"snapshot-id":1,"timestamp-ms":1},{"snapshot-id":2,"timestamp-ms":2}]})";

constexpr std::string_view kView = R"({"view-uuid":"u","format-version":1,"location":"s3://v",
  "current-version-id":1,"versions":[{"version-id":1,"timestamp-ms":1,"schema-id":0,"summary":{},
  "default-namespace":[],"representations":[{"type":"sql","sql":"1","dialect":"trino"}]}],
  "schemas":[{"type":"struct","fields":[]}],"version-log":[]})";

void same_again(TableMetadata metadata) {
  if (metadata.uuid.empty()) metadata.uuid = "u";
  metadata.format_version = 2;
  if (!(parse_metadata(metadata_json(metadata)) == metadata)) std::abort();
}

void same_again(const ViewMetadata& metadata) {
  if (!(parse_view_metadata(view_metadata_json(metadata)) == metadata)) std::abort();
}

void table(std::string_view json) {
  const TableMetadata metadata = parse_metadata(json);
  same_again(metadata);
  for (const Snapshot& snapshot : metadata.snapshots) metadata.schema_of(snapshot);
  metadata.snapshot_at(metadata.last_updated_ms);
  partition_type(metadata.spec(), metadata.schema());
  for (const auto& [id, name] : field_names(metadata.schema())) {
    if (find_field(metadata.schema(), id) == nullptr) std::abort();
    if (find_field(metadata.schema(), name) == nullptr) std::abort();
  }
}

void commit(std::string_view json) {
  const TableMetadata base = parse_metadata(kTable);
  const Commit commit = parse_commit(json);
  try {
    check(commit.requirements, &base);
  } catch (const meesh::Error& error) {
    if (error.code() != meesh::Code::kIcebergCommitError) std::abort();
  }
  same_again(apply(commit.updates, &base, 7, "file"));
}

void create(std::string_view json) { same_again(apply(parse_updates(json), nullptr, 7)); }

void view_commit(std::string_view json) {
  const ViewMetadata base = parse_view_metadata(kView);
  const ViewCommit commit = parse_view_commit(json);
  same_again(apply(commit.updates, &base, 7));
}

void type(std::string_view json) {
  const Type type = parse_type_json(json);
  if (!(parse_type_json(type_json(type)) == type)) std::abort();
  type_name(type);
  SchemaChange change(parse_metadata(kTable));
  change.add("", "new", type);
}

void value(std::string_view input) {
  const size_t zero = std::min(input.find('\0'), input.size());
  const Type type = parse_type_name(input.substr(0, zero));
  const std::string_view rest = input.substr(std::min(zero + 1, input.size()));
  const Value parsed = parse_value_json(type, rest);
  if (is_null(parsed)) return;
  value_text(type, parsed);
  if (!(parse_value_json(type, value_json(type, parsed)) == parsed) && parsed == parsed) {
    if (type.kind != TypeKind::kFloat) std::abort();
  }
  for (const char* name :
       {"identity", "bucket[7]", "truncate[3]", "year", "month", "day", "hour"}) {
    const Transform transform = parse_transform(name);
    if (!can_transform(transform, type)) continue;
    transformed_text(transform, type, apply_transform(transform, type, parsed));
  }
}

void bytes(std::string_view input) {
  const size_t zero = std::min(input.find('\0'), input.size());
  const Type type = parse_type_name(input.substr(0, zero));
  const Value parsed = from_bytes(type, input.substr(std::min(zero + 1, input.size())));
  value_text(type, parsed);
  const Value again = from_bytes(type, to_bytes(type, parsed));
  if (!(again == parsed) && parsed == parsed) std::abort();
  for (const char* name :
       {"identity", "bucket[7]", "truncate[3]", "year", "month", "day", "hour"}) {
    const Transform transform = parse_transform(name);
    if (!can_transform(transform, type)) continue;
    transformed_text(transform, type, apply_transform(transform, type, parsed));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 8) {
      case 0:
        table(input);
        break;
      case 1:
        commit(input);
        break;
      case 2:
        create(input);
        break;
      case 3:
        same_again(parse_view_metadata(input));
        break;
      case 4:
        view_commit(input);
        break;
      case 5:
        type(input);
        break;
      case 6:
        value(input);
        break;
      default:
        bytes(input);
        break;
    }
  } catch (const meesh::Error& error) {
    if (error.message().empty() || error.code() == meesh::Code::kGenericInternalError) std::abort();
  }
  return 0;
}
