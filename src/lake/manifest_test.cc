#include "lake/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <limits>

#include "base/error.h"
#include "lake/avro.h"

namespace meesh::lake {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

template <typename Function>
std::string error_of(Function&& function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kIcebergInvalidMetadata);
    return error.message();
  }
  return "no error";
}

Schema schema() {
  return {.id = 3,
          .fields = {{1, "id", primitive_type(TypeKind::kLong), true, ""},
                     {2, "day", primitive_type(TypeKind::kTimestamp), false, ""},
                     {3, "price", decimal_type(9, 2), false, ""},
                     {4, "ratio", primitive_type(TypeKind::kDouble), false, ""},
                     {5, "name", primitive_type(TypeKind::kString), false, ""},
                     {6, "key", primitive_type(TypeKind::kUuid), false, ""}},
          .identifier_field_ids = {}};
}

PartitionSpec spec() {
  return {.id = 2,
          .fields = {{2, 1000, "day", parse_transform("day")},
                     {3, 1001, "price", parse_transform("identity")},
                     {4, 1002, "ratio", parse_transform("identity")},
                     {5, 1003, "name cut", parse_transform("truncate[2]")},
                     {6, 1004, "key", parse_transform("identity")},
                     {1, 1005, "bucket", parse_transform("bucket[8]")}}};
}

std::string uuid(char last) { return std::string(15, '\0') + last; }

ManifestEntry entry(EntryStatus status, std::string path, int64_t records,
                    std::vector<Value> tuple) {
  ManifestEntry out{.status = status};
  out.file.path = std::move(path);
  out.file.records = records;
  out.file.bytes = records * 10;
  out.file.partition = std::move(tuple);
  return out;
}

std::vector<ManifestEntry> entries() {
  std::vector<ManifestEntry> out;
  out.push_back(
      entry(EntryStatus::kAdded, "s3://b/one.parquet", 10,
            {int64_t{19000}, Int128{-12345}, -0.0, std::string("ab"), uuid(1), int64_t{7}}));
  DataFile& file = out[0].file;
  file.metrics.set({.id = 5, .size = 50, .values = 10, .nulls = 2, .lower = "a", .upper = "z"});
  file.metrics.set({.id = 1,
                    .size = 80,
                    .values = 10,
                    .nulls = 0,
                    .nans = 0,
                    .lower = std::string_view("\0\0\0\0\0\0\0\0", 8),
                    .upper = ""});
  file.split_offsets = {4, 1000000};
  file.sort_order_id = 1;
  file.key_metadata = "secret";
  out.push_back(entry(EntryStatus::kExisting, "s3://b/two.orc", 5,
                      {Value(), Int128{99}, std::numeric_limits<double>::infinity(),
                       std::string("zz"), Value(), int64_t{0}}));
  out[1].file.format = FileFormat::kOrc;
  out[1].snapshot_id = 77;
  out[1].sequence_number = 4;
  out[1].file_sequence_number = 5;
  out.push_back(entry(EntryStatus::kDeleted, "s3://b/three.parquet", 3,
                      {int64_t{-5}, Value(), 0.0, Value(), uuid(9), int64_t{3}}));
  out[2].snapshot_id = 100;
  out[2].sequence_number = 2;
  out[2].file_sequence_number = 2;
  return out;
}

WrittenManifest written() {
  return write_manifest(entries(), schema(), spec(), {.path = "s3://b/m.avro", .snapshot_id = 100});
}

/// The row that a commit with this sequence number would put into its list.
ManifestFile listed(ManifestFile file, int64_t sequence_number) {
  const std::string list =
      write_manifest_list({&file, 1}, file.added_snapshot_id, 50, sequence_number);
  return read_manifest_list(list, "list.avro").at(0);
}

TEST(Manifest, RoundTripInheritsIdsAndNumbers) {
  const WrittenManifest manifest = written();
  const auto read = read_manifest(manifest.bytes, listed(manifest.file, 9), spec());
  std::vector<ManifestEntry> expected = entries();
  expected[0].snapshot_id = 100;
  expected[0].sequence_number = 9;
  expected[0].file_sequence_number = 9;
  EXPECT_EQ(read, expected);
  EXPECT_EQ(read[0].file.metrics.find(1)->nans, 0);
  EXPECT_EQ(read[0].file.metrics.find(5)->nans, -1);
  EXPECT_EQ(read[0].file.metrics.find(1)->upper, "");
  EXPECT_EQ(read[0].file.metrics.find(2), std::nullopt);
}

TEST(Manifest, ListRowCountsAndSummaries) {
  const WrittenManifest manifest = written();
  const ManifestFile& file = manifest.file;
  EXPECT_EQ(file.path, "s3://b/m.avro");
  EXPECT_EQ(file.length, static_cast<int64_t>(manifest.bytes.size()));
  EXPECT_EQ(file.spec_id, 2);
  EXPECT_EQ(file.sequence_number, kUnassignedSequenceNumber);
  EXPECT_EQ(file.min_sequence_number, 4) << "of live files only";
  EXPECT_EQ(file.added_files, 1);
  EXPECT_EQ(file.existing_files, 1);
  EXPECT_EQ(file.deleted_files, 1);
  EXPECT_EQ(file.added_rows, 10);
  EXPECT_EQ(file.existing_rows, 5);
  EXPECT_EQ(file.deleted_rows, 3);
  ASSERT_THAT(*file.partitions, SizeIs(6));
  const auto& sums = *file.partitions;
  const Type date = primitive_type(TypeKind::kDate);
  const Type number = primitive_type(TypeKind::kDouble);
  EXPECT_EQ(sums[0], (FieldSummary{true, false, to_bytes(date, int64_t{-5}),
                                   to_bytes(date, int64_t{19000})}));
  EXPECT_EQ(from_bytes(decimal_type(9, 2), *sums[1].lower), Value(Int128{-12345}));
  EXPECT_EQ(sums[2].lower, to_bytes(number, -0.0));
  EXPECT_EQ(sums[3], (FieldSummary{true, false, "ab", "zz"}));
  EXPECT_FALSE(sums[5].contains_null);
}

TEST(Manifest, NanInPartitionsIsNoBound) {
  const PartitionSpec only_ratio{.id = 1,
                                 .fields = {{4, 1000, "ratio", parse_transform("identity")}}};
  std::vector<ManifestEntry> one;
  one.push_back(entry(EntryStatus::kAdded, "x", 1, {std::numeric_limits<double>::quiet_NaN()}));
  const WrittenManifest manifest = write_manifest(one, schema(), only_ratio, {.path = "m"});
  EXPECT_THAT(*manifest.file.partitions,
              ElementsAre(FieldSummary{false, true, std::nullopt, std::nullopt}));
}

TEST(Manifest, HeaderIsAsTheSpecHasIt) {
  const WrittenManifest manifest = written();
  const AvroReader reader(manifest.bytes);
  EXPECT_EQ(*reader.find("format-version"), "2");
  EXPECT_EQ(*reader.find("content"), "data");
  EXPECT_EQ(*reader.find("partition-spec-id"), "2");
  EXPECT_EQ(*reader.find("schema-id"), "3");
  EXPECT_EQ(*reader.find("avro.codec"), "deflate");
  EXPECT_EQ(parse_schema(*reader.find("schema")), schema());
  EXPECT_EQ(json::parse(*reader.find("partition-spec")),
            json::parse(partition_spec_json(spec())).as_object().at("fields"));
  EXPECT_EQ(json::parse(*reader.find("iceberg.schema")).as_object().at("type"), "struct");
  const json::value avro = json::parse(*reader.find("avro.schema"));
  EXPECT_EQ(avro.at("name"), "manifest_entry");
  const json::value& file = avro.at("fields").at(4);
  EXPECT_EQ(file.at("name"), "data_file");
  EXPECT_EQ(file.at("type").at("name"), "r2");
  const json::value& partition = file.at("type").at("fields").at(3);
  EXPECT_EQ(partition.at("type").at("name"), "r102");
  EXPECT_EQ(partition.at("type").at("fields").at(3).at("name"), "name_x20cut");
  EXPECT_EQ(partition.at("type").at("fields").at(3).at("field-id"), 1003);
  EXPECT_EQ(partition.at("type").at("fields").at(0).at("type").at(1).at("logicalType"), "date");
  const ManifestHeader header = read_manifest_header(manifest.bytes, "m");
  EXPECT_EQ(header.format_version, 2);
  EXPECT_EQ(header.spec_id, 2);
}

TEST(Manifest, DeletesRoundTrip) {
  const PartitionSpec none{};
  std::vector<ManifestEntry> deletes;
  deletes.push_back(entry(EntryStatus::kAdded, "eq", 1, {}));
  deletes.push_back(entry(EntryStatus::kAdded, "pos", 1, {}));
  deletes[0].file.content = FileContent::kEqualityDeletes;
  deletes[0].file.equality_ids = {1, 5};
  deletes[1].file.content = FileContent::kPositionDeletes;
  deletes[1].file.referenced_data_file = "s3://b/one.parquet";
  const NewManifest target{.path = "m", .snapshot_id = 1, .content = ManifestContent::kDeletes};
  const WrittenManifest manifest = write_manifest(deletes, schema(), none, target);
  EXPECT_EQ(manifest.file.content, ManifestContent::kDeletes);
  EXPECT_EQ(*AvroReader(manifest.bytes).find("content"), "deletes");
  const auto read = read_manifest(manifest.bytes, listed(manifest.file, 2), none);
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_EQ(read[0].file, deletes[0].file);
  EXPECT_EQ(read[1].file, deletes[1].file);
  ManifestFile wrong = manifest.file;
  wrong.content = ManifestContent::kData;
  EXPECT_THAT(error_of([&] { read_manifest(manifest.bytes, wrong, none); }),
              AllOf(HasSubstr("manifest 'm'"), HasSubstr("content")));
}

TEST(Manifest, WantedColumnsAndLiveFilesOnly) {
  const WrittenManifest manifest = written();
  const auto read = read_manifest(manifest.bytes, listed(manifest.file, 9), spec(),
                                  {.columns = std::vector<int>{5}, .live_only = true});
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_EQ(read[0].file.metrics.size(), 1U);
  EXPECT_EQ(read[0].file.metrics.find(5)->upper, "z");
  EXPECT_EQ(read[1].file.path, "s3://b/two.orc");
}

TEST(Manifest, WhatMayNotBeWritten) {
  const auto write = [](const ManifestEntry& one) {
    write_manifest({&one, 1}, schema(), spec(), {.path = "m", .snapshot_id = 1});
  };
  ManifestEntry good = entries()[0];
  EXPECT_NO_THROW(write(good));
  ManifestEntry bad = good;
  bad.file.partition.pop_back();
  EXPECT_THROW(write(bad), Error);
  bad = good;
  bad.status = EntryStatus::kExisting;
  EXPECT_THROW(write(bad), Error) << "an existing file without sequence number";
  bad = good;
  bad.snapshot_id = 2;
  EXPECT_THROW(write(bad), Error) << "another snapshot's file without sequence number";
  bad = good;
  bad.file.content = FileContent::kPositionDeletes;
  EXPECT_THROW(write(bad), Error);
}

// --- Manifests of others -------------------------------------------------------------------------

constexpr std::string_view kV1Schema = R"({"type": "record", "name": "manifest_entry", "fields": [
    {"name": "status", "type": "int", "field-id": 0},
    {"name": "snapshot_id", "type": ["null", "long"], "field-id": 1},
    {"name": "data_file", "field-id": 2, "type": {"type": "record", "name": "r2", "fields": [
      {"name": "file_path", "type": "string", "field-id": 100},
      {"name": "file_format", "type": "string", "field-id": 101},
      {"name": "partition", "field-id": 102, "type": {"type": "record", "name": "r102", "fields": [
        {"name": "d", "type": [{"type": "int", "logicalType": "date"}, "null"], "field-id": 1000}
      ]}},
      {"name": "record_count", "type": "long", "field-id": 103},
      {"name": "file_size_in_bytes", "type": "long", "field-id": 104},
      {"name": "block_size_in_bytes", "type": "long", "field-id": 105},
      {"name": "unknown", "type": {"type": "map", "values": "double"}, "field-id": 999},
      {"name": "null_value_counts", "field-id": 110, "type": ["null", {"type": "array",
        "logicalType": "map", "items": {"type": "record", "name": "k121_v122", "fields": [
          {"name": "value", "type": ["null", "long"], "field-id": 122},
          {"name": "key", "type": "int", "field-id": 121}]}}]}
    ]}}]})";

const PartitionSpec kDaySpec{.id = 0, .fields = {{2, 1000, "d", parse_transform("day")}}};

std::string v1_manifest(std::string_view avro, std::string_view format = "parquet",
                        int status = 0) {
  AvroWriter writer(avro, {}, AvroCodec::kSnappy);
  AvroEncoder out = writer.encoder();
  out.put_long(status);
  out.put_null();
  out.put_bytes("file:/a.parquet");
  out.put_bytes(format);
  out.put_long(0);  // the date, before null
  out.put_long(31);
  out.put_long(8);
  out.put_long(1024);
  out.put_long(64);
  out.put_long(1);
  out.put_bytes("x");
  out.put_double(1);
  out.put_long(0);
  out.put_present();
  out.put_long(-3);  // three pairs with their size, ids not rising
  out.put_long(8);
  for (const int id : {7, 5}) {
    out.put_present();
    out.put_long(id * 2);
    out.put_long(id);
  }
  out.put_null();
  out.put_long(6);
  out.put_long(0);
  writer.end_record();
  return writer.finish();
}

TEST(ManifestOfOthers, Version1WithDefaults) {
  const ManifestFile row{.path = "v1.avro", .sequence_number = 0, .added_snapshot_id = 42};
  const auto read = read_manifest(v1_manifest(kV1Schema), row, kDaySpec);
  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(read[0].status, EntryStatus::kExisting);
  EXPECT_EQ(read[0].snapshot_id, 42);
  EXPECT_EQ(read[0].sequence_number, 0);
  const DataFile& file = read[0].file;
  EXPECT_EQ(file.content, FileContent::kData);
  EXPECT_EQ(file.path, "file:/a.parquet");
  EXPECT_THAT(file.partition, ElementsAre(Value(int64_t{31})));
  EXPECT_EQ(file.records, 8);
  EXPECT_EQ(file.bytes, 1024);
  ASSERT_EQ(file.metrics.size(), 2U);
  EXPECT_EQ(file.metrics.at(0).id, 5);
  EXPECT_EQ(file.metrics.at(0).nulls, 10);
  EXPECT_EQ(file.metrics.at(1).nulls, 14);
}

TEST(ManifestOfOthers, WithoutFieldIdsByName) {
  std::string avro(kV1Schema);
  for (size_t at = 0; (at = avro.find("\"field-id\"", at)) != std::string::npos;) {
    avro.replace(at, 10, "\"xfield-id\"");
  }
  const auto read = read_manifest(v1_manifest(avro), {.path = "v1"}, kDaySpec);
  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(read[0].file.metrics.size(), 2U);
}

TEST(ManifestOfOthers, WrongContentIsNamed) {
  const ManifestFile row{.path = "s3://b/bad.avro"};
  const auto read = [&](const std::string& bytes, const PartitionSpec& with = kDaySpec) {
    return error_of([&] { read_manifest(bytes, row, with); });
  };
  const auto changed = [](std::string_view from, std::string_view to) {
    std::string avro(kV1Schema);
    avro.replace(avro.find(from), from.size(), to);
    return v1_manifest(avro);
  };
  EXPECT_THAT(read("nothing"), AllOf(HasSubstr("'s3://b/bad.avro'"), HasSubstr("no Avro file")));
  EXPECT_THAT(read(v1_manifest(kV1Schema, "csv")), HasSubstr("unknown file format 'csv'"));
  EXPECT_THAT(read(v1_manifest(kV1Schema, "parquet", 3)), HasSubstr("unknown entry status 3"));
  EXPECT_THAT(
      read(changed(R"("type": "int", "field-id": 0)", R"("type": "string", "field-id": 0)")),
      HasSubstr("'status' (0)"));
  EXPECT_THAT(read(changed("\"field-id\": 100", "\"field-id\": 90")),
              HasSubstr("no field 'file_path' (100)"));
  EXPECT_THAT(read(v1_manifest(kV1Schema), {.fields = {{1, 1009, "x", {}}}}),
              HasSubstr("no field 'x' (1009)"));
  AvroWriter writer(R"("int")", {});
  EXPECT_THAT(read(writer.finish()), HasSubstr("manifest_entry is no Avro record"));
}

TEST(ManifestOfOthers, VoidFieldsMayBeMissing) {
  PartitionSpec with_void = kDaySpec;
  with_void.fields.push_back({1, 1001, "gone", parse_transform("void")});
  const auto read = read_manifest(v1_manifest(kV1Schema), {.path = "v1"}, with_void);
  EXPECT_THAT(read.at(0).file.partition, ElementsAre(Value(int64_t{31}), Value()));
}

// --- Manifest lists ------------------------------------------------------------------------------

TEST(ManifestList, RoundTrip) {
  ManifestFile first = written().file;
  ManifestFile second = first;
  second.path = "s3://b/older.avro";
  second.sequence_number = 3;
  second.min_sequence_number = 1;
  second.added_snapshot_id = 60;
  second.key_metadata = "k";
  second.partitions.reset();
  const std::vector<ManifestFile> files = {first, second};
  const std::string bytes = write_manifest_list(files, 100, std::nullopt, 9);
  const AvroReader reader(bytes);
  EXPECT_EQ(*reader.find("snapshot-id"), "100");
  EXPECT_EQ(*reader.find("parent-snapshot-id"), "null");
  EXPECT_EQ(*reader.find("sequence-number"), "9");
  EXPECT_EQ(*reader.find("format-version"), "2");
  first.sequence_number = 9;
  EXPECT_THAT(read_manifest_list(bytes, "l"), ElementsAre(first, second));
}

TEST(ManifestList, OnlyTheCommitsOwnManifestsAreNumbered) {
  const ManifestFile file = written().file;
  EXPECT_THROW(write_manifest_list({&file, 1}, 101, 100, 9), Error);
  ManifestFile uncounted = file;
  uncounted.added_rows.reset();
  EXPECT_THAT(error_of([&] { write_manifest_list({&uncounted, 1}, 100, 50, 9); }),
              HasSubstr("s3://b/m.avro"));
}

TEST(ManifestList, Version1) {
  AvroWriter writer(R"({"type": "record", "name": "manifest_file", "fields": [
      {"name": "manifest_path", "type": "string", "field-id": 500},
      {"name": "manifest_length", "type": "long", "field-id": 501},
      {"name": "partition_spec_id", "type": "int", "field-id": 502},
      {"name": "added_snapshot_id", "type": ["null", "long"], "field-id": 503},
      {"name": "added_data_files_count", "type": ["null", "int"], "field-id": 504},
      {"name": "existing_data_files_count", "type": ["null", "int"], "field-id": 505},
      {"name": "partitions", "field-id": 507, "type": ["null", {"type": "array", "element-id": 508,
       "items": {"type": "record", "name": "r508", "fields": [
         {"name": "contains_null", "type": "boolean", "field-id": 509},
         {"name": "lower_bound", "type": ["null", "bytes"], "field-id": 510},
         {"name": "upper_bound", "type": ["null", "bytes"], "field-id": 511}]}}]}]})",
                    {}, AvroCodec::kNull);
  AvroEncoder out = writer.encoder();
  out.put_bytes("m1.avro");
  out.put_long(123);
  out.put_long(0);
  out.put_present();
  out.put_long(42);
  out.put_null();
  out.put_present();
  out.put_long(0);
  out.put_present();
  out.put_long(1);
  out.put_boolean(true);
  out.put_present();
  out.put_bytes("a");
  out.put_null();
  out.put_long(0);
  writer.end_record();
  const auto read = read_manifest_list(writer.finish(), "v1");
  ManifestFile expected{.path = "m1.avro", .length = 123, .added_snapshot_id = 42};
  expected.existing_files = 0;
  expected.partitions = {FieldSummary{true, std::nullopt, "a", std::nullopt}};
  EXPECT_THAT(read, ElementsAre(expected));
  EXPECT_TRUE(read[0].may_have_live_files()) << "an unknown number may be any";
}

TEST(ManifestList, WrongContentIsNamed) {
  EXPECT_THAT(error_of([] { read_manifest_list(written().bytes, "s3://b/list.avro"); }),
              AllOf(HasSubstr("manifest list 's3://b/list.avro'"), HasSubstr("manifest_path")));
}

}  // namespace
}  // namespace meesh::lake
