#include "lake/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "lake/view_metadata.h"

namespace meesh::lake {
namespace {

using testing::HasSubstr;

constexpr std::string_view kVersion2 = R"({
  "format-version": 2, "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
  "location": "s3://lake/test/location/", "last-sequence-number": 34,
  "last-updated-ms": 1602638573590, "last-column-id": 3, "current-schema-id": 1,
  "schemas": [
    {"type": "struct", "schema-id": 0, "fields": [
      {"id": 1, "name": "x", "required": true, "type": "long"}]},
    {"type": "struct", "schema-id": 1, "identifier-field-ids": [2, 1], "fields": [
      {"id": 1, "name": "x", "required": true, "type": "long"},
      {"id": 2, "name": "y", "required": true, "type": "long", "doc": "comment"},
      {"id": 3, "name": "z", "required": true, "type": "long"}]}],
  "default-spec-id": 0,
  "partition-specs": [{"spec-id": 0, "fields": [
    {"name": "x", "transform": "identity", "source-id": 1, "field-id": 1000}]}],
  "last-partition-id": 1000, "default-sort-order-id": 3,
  "sort-orders": [{"order-id": 3, "fields": [
    {"transform": "identity", "source-id": 2, "direction": "asc", "null-order": "nulls-first"},
    {"transform": "bucket[4]", "source-id": 3, "direction": "desc", "null-order": "nulls-last"}]}],
  "properties": {"read.split.target.size": "134217728"},
  "current-snapshot-id": 3055729675574597004,
  "snapshots": [
    {"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770, "sequence-number": 0,
     "summary": {"operation": "append"}, "manifest-list": "s3://a/b/1.avro"},
    {"snapshot-id": 3055729675574597004, "parent-snapshot-id": 3051729675574597004,
     "timestamp-ms": 1555100955770, "sequence-number": 1, "summary": {"operation": "append"},
     "manifest-list": "s3://a/b/2.avro", "schema-id": 1}],
  "snapshot-log": [
    {"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770},
    {"snapshot-id": 3055729675574597004, "timestamp-ms": 1555100955770}],
  "metadata-log": [{"metadata-file": "s3://bucket/v1.json", "timestamp-ms": 1515100}],
  "refs": {
    "main": {"snapshot-id": 3055729675574597004, "type": "branch"},
    "audit": {"snapshot-id": 3051729675574597004, "type": "tag", "max-ref-age-ms": 10000000}},
  "statistics": [{"snapshot-id": 3055729675574597004, "statistics-path": "s3://a/b/stats.puffin",
    "file-size-in-bytes": 413, "file-footer-size-in-bytes": 42, "blob-metadata": [
      {"type": "ndv", "snapshot-id": 3055729675574597004, "sequence-number": 1, "fields": [1],
       "properties": {"ndv": "5"}}]}],
  "partition-statistics": [{"snapshot-id": 3055729675574597004,
    "statistics-path": "s3://a/b/partitions.parquet", "file-size-in-bytes": 43}],
  "some-later-member": {"a": [1, 2]}
})";

constexpr std::string_view kVersion1 = R"({
  "format-version": 1, "table-uuid": "d20125c8-7284-442c-9aea-15fee620737c",
  "location": "s3://bucket/test/location", "last-updated-ms": 1602638573874, "last-column-id": 3,
  "schema": {"type": "struct", "fields": [
    {"id": 1, "name": "x", "required": true, "type": "long"},
    {"id": 2, "name": "y", "required": true, "type": "long"}]},
  "partition-spec": [{"name": "x", "transform": "identity", "source-id": 1},
                     {"name": "y_bucket", "transform": "bucket[4]", "source-id": 2}],
  "properties": {}, "current-snapshot-id": 7,
  "snapshots": [{"snapshot-id": 7, "timestamp-ms": 5, "manifests": ["s3://m1", "s3://m2"]}]
})";

std::string with(std::string_view json, std::string_view from, std::string_view to) {
  std::string text(json);
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

Error refused(std::string_view json) {
  try {
    parse_metadata(json);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "accepted";
  return Error(Code::kGenericInternalError, "");
}

std::string message(std::string_view from, std::string_view to) {
  const Error error = refused(with(kVersion2, from, to));
  EXPECT_EQ(error.code(), Code::kIcebergInvalidMetadata);
  return error.message();
}

TEST(Metadata, Version2IsReadWhole) {
  const TableMetadata table = parse_metadata(kVersion2);
  EXPECT_EQ(table.format_version, 2);
  EXPECT_EQ(table.location, "s3://lake/test/location");
  EXPECT_EQ(table.schemas.size(), 2U);
  EXPECT_EQ(table.schema().fields[1].doc, "comment");
  EXPECT_THAT(table.schema().identifier_field_ids, testing::ElementsAre(1, 2));
  EXPECT_EQ(table.spec().fields[0].field_id, 1000);
  EXPECT_EQ(table.sort_order().fields[1].transform.argument, 4);
  EXPECT_EQ(table.sort_order().fields[1].direction, SortDirection::kDescending);
  EXPECT_EQ(table.sort_order().fields[1].nulls, NullOrder::kLast);
  EXPECT_EQ(table.current_snapshot()->parent_id, 3051729675574597004);
  EXPECT_EQ(table.schema_of(*table.current_snapshot()).id, 1);
  EXPECT_TRUE(table.find_ref("audit")->tag);
  EXPECT_EQ(table.find_ref("audit")->max_ref_age_ms, 10000000);
  EXPECT_EQ(table.find_ref("other"), nullptr);
  EXPECT_EQ(table.statistics[0].blobs[0].properties.at("ndv"), "5");
  EXPECT_EQ(table.partition_statistics[0].size, 43);
  EXPECT_EQ(table.metadata_log[0].metadata_file, "s3://bucket/v1.json");
}

TEST(Metadata, WrittenAndReadAgainIsEqual) {
  const TableMetadata table = parse_metadata(kVersion2);
  EXPECT_EQ(parse_metadata(metadata_json(table)), table);
}

TEST(Metadata, TimeTravelFollowsTheLog) {
  const TableMetadata table = parse_metadata(kVersion2);
  EXPECT_EQ(table.snapshot_at(1515100955769), nullptr);
  EXPECT_EQ(table.snapshot_at(1515100955770)->id, 3051729675574597004);
  EXPECT_EQ(table.snapshot_at(1900000000000)->id, 3055729675574597004);
}

TEST(Metadata, Version1IsReadAndWrittenAsVersion2) {
  TableMetadata table = parse_metadata(kVersion1);
  EXPECT_EQ(table.format_version, 1);
  EXPECT_EQ(table.spec().fields[1].field_id, 1001);
  EXPECT_EQ(table.last_partition_id, 1001);
  EXPECT_EQ(table.sort_order().id, 0);
  EXPECT_EQ(table.last_sequence_number, 0);
  EXPECT_EQ(table.refs.at("main").snapshot_id, 7);
  EXPECT_THAT(table.snapshots[0].manifests, testing::ElementsAre("s3://m1", "s3://m2"));
  const TableMetadata again = parse_metadata(metadata_json(table));
  EXPECT_EQ(again.format_version, 2);
  table.format_version = 2;
  EXPECT_EQ(again, table);
}

TEST(Metadata, NoSnapshotIsMinusOneOrNothing) {
  std::string text = with(kVersion1, R"("current-snapshot-id": 7)", R"("current-snapshot-id": -1)");
  EXPECT_EQ(parse_metadata(text).current_snapshot(), nullptr);
  EXPECT_TRUE(parse_metadata(text).refs.empty());
  text = with(kVersion1, R"("current-snapshot-id": 7)", R"("current-snapshot-id": null)");
  EXPECT_EQ(parse_metadata(text).current_snapshot_id, std::nullopt);
  EXPECT_THAT(metadata_json(parse_metadata(text)), HasSubstr(R"("current-snapshot-id":-1)"));
}

TEST(Metadata, Version3IsRefusedClearly) {
  const Error error = refused(with(kVersion2, R"("format-version": 2)", R"("format-version": 3)"));
  EXPECT_EQ(error.code(), Code::kNotSupported);
  EXPECT_EQ(error.message(),
            "format-version: Iceberg format version 3 is not supported (supported: 1 and 2)");
}

TEST(Metadata, MistakesNameTheirPlace) {
  EXPECT_EQ(message(R"("long", "doc")", R"("lonk", "doc")"),
            "schemas[1].fields[1].type: unknown type 'lonk'");
  EXPECT_EQ(message(R"("table-uuid")", R"("uuid")"), "table-uuid: is required and missing");
  EXPECT_EQ(message(R"("current-schema-id": 1)", R"("current-schema-id": 9)"),
            "current-schema-id: there is no schema with the id 9");
  EXPECT_EQ(message(R"("default-spec-id": 0)", R"("default-spec-id": 1)"),
            "default-spec-id: there is no partition spec with the id 1");
  EXPECT_EQ(message(R"("default-sort-order-id": 3)", R"("default-sort-order-id": 0)"),
            "default-sort-order-id: there is no sort order with the id 0");
  EXPECT_EQ(message(R"("current-snapshot-id": 3055729675574597004)", R"("current-snapshot-id": 1)"),
            "current-snapshot-id: there is no snapshot 1");
  EXPECT_EQ(message(R"("sequence-number": 1,)", R"("sequence-number": 35,)"),
            "snapshots[1].sequence-number: 35 is beyond last-sequence-number 34");
  EXPECT_EQ(message(R"("identifier-field-ids": [2, 1])", R"("identifier-field-ids": [2, 8])"),
            "schemas[1].identifier-field-ids[1]: there is no field with the id 8");
  EXPECT_EQ(message(R"("type": "branch")", R"("type": "twig")"),
            "refs.main.type: expected branch or tag, found 'twig'");
  EXPECT_EQ(message(R"("type": "branch")", R"("type": "tag")"),
            "refs.main: is not a branch at the current snapshot");
  EXPECT_EQ(message(R"("direction": "asc")", R"("direction": "up")"),
            "sort-orders[0].fields[0].direction: expected asc or desc, found 'up'");
  EXPECT_EQ(message(R"("bucket[4]")", R"("bucket[0]")"),
            "sort-orders[0].fields[1].transform: transform 'bucket[0]' needs a positive number in "
            "brackets");
  EXPECT_EQ(message(R"("134217728")", "134217728"),
            "properties.read.split.target.size: expected a text, found the number 134217728");
  EXPECT_EQ(message(R"("snapshot-id": 3051729675574597004, "timestamp-ms")",
                    R"("snapshot-id": 3055729675574597004, "timestamp-ms")"),
            "snapshots: two of them have the id 3055729675574597004");
  EXPECT_EQ(message(R"("manifest-list": "s3://a/b/1.avro")", R"("manifest": "s3://a/b/1.avro")"),
            "snapshots[0].manifest-list: is required and missing");
  EXPECT_EQ(message(R"("field-id": 1000)", R"("field": 1000)"),
            "partition-specs[0].fields[0].field-id: is required and missing");
  EXPECT_EQ(message(R"("max-ref-age-ms": 10000000)", R"("max-ref-age-ms": 0)"),
            "refs.audit.max-ref-age-ms: must be greater than 0");
  EXPECT_EQ(refused("[]").message(), "expected an object, found an array");
  EXPECT_THAT(refused(kVersion2.substr(0, 500)).message(), HasSubstr("not JSON"));
}

constexpr std::string_view kView = R"({
  "view-uuid": "fa6506c3-7681-40c8-86dc-e36561f83385", "format-version": 1,
  "location": "s3://bucket/warehouse/default.db/event_agg", "current-version-id": 1,
  "properties": {"comment": "Daily event counts"},
  "versions": [{"version-id": 1, "timestamp-ms": 1573518431292, "schema-id": 1,
    "default-catalog": "prod", "default-namespace": ["default"],
    "summary": {"engine-name": "Spark"},
    "representations": [
      {"type": "sql", "sql": "SELECT 1", "dialect": "spark"},
      {"type": "tree", "nodes": [1, {"a": null}]}]}],
  "schemas": [{"schema-id": 1, "type": "struct", "fields": [
    {"id": 1, "name": "event_count", "required": false, "type": "int"}]}],
  "version-log": [{"timestamp-ms": 1573518431292, "version-id": 1}]
})";

TEST(ViewMetadata, IsReadAndWritten) {
  const ViewMetadata view = parse_view_metadata(kView);
  EXPECT_EQ(view.schema().fields[0].name, "event_count");
  EXPECT_EQ(view.sql("SPARK")->sql, "SELECT 1");
  EXPECT_EQ(view.sql("trino"), nullptr);
  EXPECT_EQ(view.version().representations[1].other, R"({"type":"tree","nodes":[1,{"a":null}]})");
  EXPECT_EQ(parse_view_metadata(view_metadata_json(view)), view);
}

TEST(ViewMetadata, MistakesNameTheirPlace) {
  const auto text = [](std::string_view from, std::string_view to) -> std::string {
    try {
      parse_view_metadata(with(kView, from, to));
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  };
  EXPECT_EQ(text(R"("dialect")", R"("dielect")"),
            "versions[0].representations[0].dialect: is required and missing");
  EXPECT_EQ(text(R"("current-version-id": 1)", R"("current-version-id": 2)"),
            "current-version-id: there is no version with the id 2");
  EXPECT_EQ(text(R"("timestamp-ms": 1573518431292, "schema-id": 1)",
                 R"("timestamp-ms": 1573518431292, "schema-id": 2)"),
            "versions[0].schema-id: there is no schema with the id 2");
  EXPECT_THAT(text(R"("format-version": 1)", R"("format-version": 2)"), HasSubstr("not supported"));
}

ViewMetadata changed(const ViewMetadata& base, const std::string& updates) {
  const ViewCommit commit = parse_view_commit(R"({"updates":)" + updates + "}");
  return apply(commit.updates, &base, 1700000000000);
}

std::string add_version(const std::string& sql, const std::string& dialect) {
  return R"([{"action":"add-view-version","view-version":{"version-id":1,"timestamp-ms":5,
    "schema-id":1,"summary":{},"default-namespace":["default"],"representations":[
    {"type":"sql","sql":")" +
         sql + R"(","dialect":")" + dialect +
         R"("}]}},{"action":"set-current-view-version","view-version-id":-1}])";
}

TEST(ViewMetadata, NewVersionsBecomeCurrentAndAreLogged) {
  const ViewMetadata base = parse_view_metadata(kView);
  const ViewMetadata next = changed(base, add_version("SELECT 2", "Spark"));
  EXPECT_EQ(next.current_version_id, 2);
  EXPECT_EQ(next.sql("spark")->sql, "SELECT 2");
  EXPECT_EQ(next.version_log.back(), (ViewLogEntry{5, 2}));
  EXPECT_EQ(next.versions.size(), 2U);
  // The same again changes nothing.
  EXPECT_EQ(changed(next, add_version("SELECT 2", "Spark")), next);
}

TEST(ViewMetadata, LosingADialectIsRefusedUnlessAllowed) {
  const ViewMetadata base = parse_view_metadata(kView);
  EXPECT_THROW(changed(base, add_version("SELECT 2", "trino")), Error);
  ViewMetadata free = base;
  free.properties["replace.drop-dialect.allowed"] = "true";
  EXPECT_EQ(changed(free, add_version("SELECT 2", "trino")).sql("spark"), nullptr);
}

TEST(ViewMetadata, TwoQueriesInOneDialectAreRefused) {
  ViewVersion twice = parse_view_metadata(kView).version();
  twice.representations = {{"sql", "SELECT 1", "trino", ""}, {"sql", "SELECT 2", "Trino", ""}};
  const ViewMetadata base = parse_view_metadata(kView);
  try {
    apply(std::vector<ViewUpdate>{AddViewVersion{twice}}, &base, 1);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArguments);
    EXPECT_THAT(error.message(), HasSubstr("Cannot add multiple queries for dialect Trino"));
  }
}

TEST(ViewMetadata, OldVersionsAreForgotten) {
  ViewMetadata view = parse_view_metadata(kView);
  view.properties["version.history.num-entries"] = "2";
  view = changed(view, add_version("SELECT 2", "spark"));
  EXPECT_EQ(view.versions.size(), 2U);
  view = changed(view, add_version("SELECT 3", "spark"));
  EXPECT_EQ(view.versions.size(), 2U);
  EXPECT_EQ(view.find_version(1), nullptr);
  EXPECT_EQ(view.version_log.size(), 2U);
  EXPECT_EQ(parse_view_metadata(view_metadata_json(view)), view);
}

TEST(ViewMetadata, CommitsAreChecked) {
  const ViewMetadata view = parse_view_metadata(kView);
  const ViewCommit commit = parse_view_commit(
      R"({"requirements":[{"type":"assert-view-uuid","uuid":"other"}],"updates":[]})");
  try {
    check(commit.requirements, &view);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kIcebergCommitError);
    EXPECT_EQ(error.message(),
              "Requirement failed: view UUID does not match: expected "
              "fa6506c3-7681-40c8-86dc-e36561f83385 != other");
  }
  EXPECT_THROW(parse_view_commit(R"({"updates":[{"action":"add-snapshot"}]})"), Error);
}

TEST(ViewMetadata, ANewViewNeedsAVersionAndALocation) {
  const ViewCommit commit = parse_view_commit(R"({"updates":[
    {"action":"assign-uuid","uuid":"u"}, {"action":"set-location","location":"s3://x/"},
    {"action":"add-schema","schema":{"type":"struct","fields":[]}},
    {"action":"add-view-version","view-version":{"version-id":1,"timestamp-ms":5,"schema-id":-1,
      "summary":{},"default-namespace":[],"representations":[]}},
    {"action":"set-current-view-version","view-version-id":-1}]})");
  const ViewMetadata view = apply(commit.updates, nullptr, 1);
  EXPECT_EQ(view.location, "s3://x");
  EXPECT_EQ(view.version().schema_id, 0);
  EXPECT_THROW(apply(std::span(commit.updates).first(2), nullptr, 1), Error);
}

}  // namespace
}  // namespace meesh::lake
