#include "lake/updates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace meesh::lake {
namespace {

using testing::HasSubstr;

constexpr int64_t kNow = 1'700'000'000'000;

template <typename F>
Error error_of(F&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(Code::kGenericInternalError, "");
}

Schema schema_of(const std::string& fields) {
  return parse_schema(R"({"type":"struct","schema-id":0,"fields":)" + fields + "}");
}

/// Columns id (1) and day (2), partitioned by the day.
TableMetadata table() {
  const Schema schema = schema_of(R"([{"id":7,"name":"id","required":true,"type":"long"},
                                      {"id":8,"name":"day","required":false,"type":"date"}])");
  PartitionSpec spec;
  spec.fields = {{
      8,
      0,
      "day",
      parse_transform("identity"),
  }};
  return new_table_metadata(schema, spec, {}, "s3://lake/t/", {{"owner", "ann"}}, kNow);
}

TableMetadata changed(const TableMetadata& base, const std::string& updates,
                      std::string_view file = {}) {
  TableMetadata result = apply(parse_updates(updates), &base, kNow + 1, file);
  EXPECT_EQ(parse_metadata(metadata_json(result)), result);
  return result;
}

Error refused(const TableMetadata& base, const std::string& updates) {
  return error_of([&] { apply(parse_updates(updates), &base, kNow + 1); });
}

std::string snapshot(int64_t id, int64_t number, const std::string& more = "") {
  return R"({"action":"add-snapshot","snapshot":{"snapshot-id":)" + std::to_string(id) +
         R"(,"sequence-number":)" + std::to_string(number) + R"(,"timestamp-ms":)" +
         std::to_string(kNow + number) +
         R"(,"manifest-list":"s3://m","summary":{"operation":"append"})" + more + "}}";
}

std::string to_main(int64_t id) {
  return R"({"action":"set-snapshot-ref","ref-name":"main","type":"branch","snapshot-id":)" +
         std::to_string(id) + "}";
}

TableMetadata with_snapshots(int count) {
  TableMetadata result = table();
  for (int i = 1; i <= count; ++i) {
    const std::string parent =
        i == 1 ? "" : R"(,"parent-snapshot-id":)" + std::to_string(100 + i - 1);
    result = changed(result, "[" + snapshot(100 + i, i, parent) + "," + to_main(100 + i) + "]");
  }
  return result;
}

TEST(NewTable, IdsAreFreshAndBreadthFirst) {
  const Schema schema = schema_of(R"([
    {"id":30,"name":"a","required":true,"type":{"type":"struct","fields":[
      {"id":31,"name":"b","required":true,"type":"int"}]}},
    {"id":40,"name":"c","required":false,"type":{"type":"map","key-id":41,"key":"string",
      "value-id":42,"value":"string","value-required":false}},
    {"id":50,"name":"d","required":true,"type":"date"}])");
  PartitionSpec spec;
  spec.fields = {{50, 0, "d_month", parse_transform("month")},
                 {31, 77, "b", parse_transform("identity")}};
  SortOrder order;
  order.fields = {{.source_id = 50, .transform = parse_transform("identity")}};
  const TableMetadata made =
      new_table_metadata(schema, spec, order, "s3://lake/t//", {{"format-version", "2"}}, kNow);
  EXPECT_EQ(type_name(struct_type(made.schema().fields)),
            "struct<1: a: required struct<4: b: required int>, 2: c: optional map<string, string>, "
            "3: d: required date>");
  EXPECT_EQ(made.last_column_id, 6);
  EXPECT_EQ(made.schema().id, 0);
  EXPECT_EQ(made.spec().fields[0].source_id, 3);
  EXPECT_EQ(made.spec().fields[0].field_id, 1000);
  EXPECT_EQ(made.spec().fields[1].source_id, 4);
  EXPECT_EQ(made.spec().fields[1].field_id, 1001);
  EXPECT_EQ(made.last_partition_id, 1001);
  EXPECT_EQ(made.sort_order().id, 1);
  EXPECT_EQ(made.sort_order().fields[0].source_id, 3);
  EXPECT_EQ(made.location, "s3://lake/t");
  EXPECT_EQ(made.last_updated_ms, kNow);
  EXPECT_EQ(made.uuid.size(), 36U);
  EXPECT_EQ(made.properties, (Properties{{"write.parquet.compression-codec", "zstd"}}));
  EXPECT_EQ(parse_metadata(metadata_json(made)), made);
}

TEST(NewTable, WhatCannotBeIsRefused) {
  const Schema schema = schema_of(R"([{"id":1,"name":"x","required":true,"type":"double"}])");
  PartitionSpec spec;
  spec.fields = {{1, 0, "x_day", parse_transform("day")}};
  EXPECT_EQ(error_of([&] { new_table_metadata(schema, spec, {}, "s3://t", {}, kNow); }).message(),
            "Invalid source type double for transform: day");
  spec.fields = {{9, 0, "y", parse_transform("identity")}};
  EXPECT_THAT(error_of([&] { new_table_metadata(schema, spec, {}, "s3://t", {}, kNow); }).message(),
              HasSubstr("Cannot find source column"));
  spec.fields = {{1, 0, "x_z", parse_transform("zorder")}};
  EXPECT_EQ(error_of([&] { new_table_metadata(schema, spec, {}, "s3://t", {}, kNow); }).code(),
            Code::kNotSupported);
  EXPECT_EQ(error_of([&] {
              new_table_metadata(schema, {}, {}, "s3://t", {{"format-version", "3"}}, kNow);
            }).code(),
            Code::kNotSupported);
}

TEST(Updates, MistakesNameTheirPlace) {
  const auto message = [](const std::string& json) {
    const Error error = error_of([&] { parse_updates(json); });
    EXPECT_EQ(error.code(), Code::kBadRequest);
    return error.message();
  };
  EXPECT_EQ(message(R"([{"action":"add-shema"}])"),
            "updates[0].action: unknown update 'add-shema'");
  EXPECT_EQ(message(R"([{"action":"set-location"}])"),
            "updates[0].location: is required and missing");
  EXPECT_EQ(message(R"([{"action":"add-schema","schema":{"type":"struct","fields":[
              {"id":1,"name":"a","required":true,"type":"strin"}]}}])"),
            "updates[0].schema.fields[0].type: unknown type 'strin'");
  EXPECT_EQ(message("{}"), "updates: expected an array, found an object");
  EXPECT_EQ(error_of([] { parse_updates(R"([{"action":"add-encryption-key"}])"); }).code(),
            Code::kNotSupported);
  EXPECT_EQ(error_of([] {
              parse_commit(R"({"requirements":[{"type":"assert-x"}],"updates":[]})");
            }).message(),
            "requirements[0].type: unknown requirement 'assert-x'");
}

TEST(Updates, RequirementsSpeakJavasWords) {
  const TableMetadata base = with_snapshots(1);
  const auto message = [&](const std::string& json, const TableMetadata* metadata) {
    const Error error = error_of([&] { check(parse_requirements("[" + json + "]"), metadata); });
    EXPECT_EQ(error.code(), Code::kIcebergCommitError);
    return error.message();
  };
  EXPECT_EQ(message(R"({"type":"assert-create"})", &base),
            "Requirement failed: table already exists");
  EXPECT_EQ(message(R"({"type":"assert-table-uuid","uuid":"x"})", &base),
            "Requirement failed: UUID does not match: expected " + base.uuid + " != x");
  EXPECT_EQ(message(R"({"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":1})", &base),
            "Requirement failed: branch main has changed: expected id 1 != 101");
  EXPECT_EQ(message(R"({"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":null})", &base),
            "Requirement failed: branch main was created concurrently");
  EXPECT_EQ(message(R"({"type":"assert-ref-snapshot-id","ref":"b","snapshot-id":1})", &base),
            "Requirement failed: branch or tag b is missing, expected 1");
  EXPECT_EQ(
      message(R"({"type":"assert-last-assigned-field-id","last-assigned-field-id":9})", &base),
      "Requirement failed: last assigned field id changed: expected id 9 != 2");
  EXPECT_EQ(message(R"({"type":"assert-current-schema-id","current-schema-id":9})", &base),
            "Requirement failed: current schema changed: expected id 9 != 0");
  EXPECT_EQ(
      message(R"({"type":"assert-last-assigned-partition-id","last-assigned-partition-id":9})",
              &base),
      "Requirement failed: last assigned partition id changed: expected id 9 != 1000");
  EXPECT_EQ(message(R"({"type":"assert-default-spec-id","default-spec-id":9})", &base),
            "Requirement failed: default partition spec changed: expected id 9 != 0");
  EXPECT_EQ(message(R"({"type":"assert-default-sort-order-id","default-sort-order-id":9})", &base),
            "Requirement failed: default sort order changed: expected id 9 != 0");
  EXPECT_EQ(message(R"({"type":"assert-current-schema-id","current-schema-id":0})", nullptr),
            "Requirement failed: current table metadata is missing");
}

TEST(Updates, RequirementsThatHoldPass) {
  const TableMetadata base = with_snapshots(1);
  std::string upper = base.uuid;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  check(parse_requirements(R"([{"type":"assert-table-uuid","uuid":")" + upper + R"("},
    {"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":101},
    {"type":"assert-ref-snapshot-id","ref":"b"},
    {"type":"assert-last-assigned-field-id","last-assigned-field-id":2},
    {"type":"assert-current-schema-id","current-schema-id":0},
    {"type":"assert-last-assigned-partition-id","last-assigned-partition-id":1000},
    {"type":"assert-default-spec-id","default-spec-id":0},
    {"type":"assert-default-sort-order-id","default-sort-order-id":0}])"),
        &base);
  check(parse_requirements(R"([{"type":"assert-create"}])"), nullptr);
}

TEST(Updates, SchemasAreDeduplicatedAndNumbered) {
  const TableMetadata base = table();
  const std::string wider = R"({"type":"struct","schema-id":55,"fields":[
    {"id":1,"name":"id","required":true,"type":"long"},
    {"id":2,"name":"day","required":false,"type":"date"},
    {"id":3,"name":"note","required":false,"type":"string"}]})";
  const std::string add = R"({"action":"add-schema","schema":)" + wider + "}";
  const std::string set = R"({"action":"set-current-schema","schema-id":-1})";
  const TableMetadata next = changed(base, "[" + add + "," + set + "]");
  EXPECT_EQ(next.current_schema_id, 1);
  EXPECT_EQ(next.last_column_id, 3);
  EXPECT_EQ(next.schemas.size(), 2U);
  EXPECT_EQ(next.last_updated_ms, kNow + 1);
  EXPECT_EQ(changed(next, "[" + add + "," + set + "]"), next);
  EXPECT_EQ(refused(base, "[" + set + "]").message(),
            "Cannot set last added schema: no schema has been added");
  EXPECT_EQ(refused(base, R"([{"action":"set-current-schema","schema-id":9}])").message(),
            "Cannot set current schema to unknown schema: 9");
  EXPECT_EQ(refused(next, R"([{"action":"remove-schemas","schema-ids":[1]}])").message(),
            "Cannot remove the current schema");
  EXPECT_EQ(changed(next, R"([{"action":"remove-schemas","schema-ids":[0]}])").schemas.size(), 1U);
}

TEST(Updates, FieldIdsOfTheFormatItselfAreRefused) {
  const auto add = [](const std::string& id) {
    return R"([{"action":"add-schema","schema":{"type":"struct","schema-id":1,"fields":[
      {"id":)" +
           id + R"(,"name":"x","required":false,"type":"long"}]}}])";
  };
  EXPECT_EQ(refused(table(), add("2147483448")).message(),
            "Cannot add schema: field id 2147483448 is reserved (the highest is 2147483447)");
  EXPECT_EQ(changed(table(), add("2147483447")).last_column_id, 2147483447);
}

TEST(Updates, ASchemaWithoutThePartitionSourceIsRefused) {
  const Error error = refused(table(), R"([{"action":"add-schema","schema":{"type":"struct",
    "fields":[{"id":1,"name":"id","required":true,"type":"long"}]}},
    {"action":"set-current-schema","schema-id":-1}])");
  EXPECT_EQ(error.message(), "Cannot find source column for partition field 'day' (field id 2)");
}

TEST(Updates, SpecsGetIdsAndKeepThoseOfEqualFields) {
  const TableMetadata base = table();
  const std::string add = R"({"action":"add-spec","spec":{"fields":[
    {"source-id":1,"transform":"bucket[4]","name":"id_bucket"},
    {"source-id":2,"transform":"identity","name":"day"}]}})";
  const std::string set = R"({"action":"set-default-spec","spec-id":-1})";
  const TableMetadata next = changed(base, "[" + add + "," + set + "]");
  EXPECT_EQ(next.default_spec_id, 1);
  EXPECT_EQ(next.spec().fields[0].field_id, 1001);
  EXPECT_EQ(next.spec().fields[1].field_id, 1000);
  EXPECT_EQ(next.last_partition_id, 1001);
  EXPECT_EQ(changed(next, "[" + add + "," + set + "]"), next);
  EXPECT_EQ(changed(next, R"([{"action":"remove-partition-specs","spec-ids":[0]}])")
                .partition_specs.size(),
            1U);
  EXPECT_EQ(refused(next, R"([{"action":"remove-partition-specs","spec-ids":[1]}])").message(),
            "Cannot remove the default partition spec");
  EXPECT_EQ(refused(base, R"([{"action":"add-spec","spec":{"fields":[
              {"source-id":1,"transform":"bucket[4]","name":"day"}]}}])")
                .message(),
            "Cannot create partition from name that exists in schema: day");
}

TEST(Updates, SortOrdersAreNumberedFromOne) {
  const TableMetadata next = changed(table(), R"([{"action":"add-sort-order","sort-order":
    {"order-id":0,"fields":[{"source-id":1,"transform":"identity","direction":"desc",
     "null-order":"nulls-last"}]}},{"action":"set-default-sort-order","sort-order-id":-1}])");
  EXPECT_EQ(next.default_sort_order_id, 1);
  const TableMetadata back = changed(next, R"([{"action":"add-sort-order","sort-order":
    {"order-id":5,"fields":[]}},{"action":"set-default-sort-order","sort-order-id":-1}])");
  EXPECT_EQ(back.default_sort_order_id, 0);
  EXPECT_EQ(back.sort_orders.size(), 2U);
}

TEST(Updates, SnapshotsBecomeCurrentAndAreLogged) {
  const TableMetadata next = with_snapshots(2);
  EXPECT_EQ(next.current_snapshot_id, 102);
  EXPECT_EQ(next.last_sequence_number, 2);
  EXPECT_EQ(next.last_updated_ms, kNow + 2);
  EXPECT_EQ(next.snapshot_log, (std::vector<SnapshotLogEntry>{{kNow + 1, 101}, {kNow + 2, 102}}));
  const Error late = refused(next, "[" + snapshot(103, 2, R"(,"parent-snapshot-id":101)") + "]");
  EXPECT_EQ(late.code(), Code::kIcebergCommitError);
  EXPECT_EQ(late.message(),
            "Cannot add snapshot with sequence number 2 older than last sequence number 2");
  EXPECT_EQ(refused(next, "[" + snapshot(101, 3) + "]").message(),
            "Snapshot already exists for id: 101");
  EXPECT_EQ(refused(next, "[" + to_main(5) + "]").message(),
            "Cannot set main to unknown snapshot: 5");
}

TEST(Updates, SnapshotsOfTheMiddleOfACommitAreNotLogged) {
  const TableMetadata next =
      changed(table(), "[" + snapshot(1, 1) + "," + to_main(1) + "," +
                           snapshot(2, 2, R"(,"parent-snapshot-id":1)") + "," + to_main(2) + "]");
  EXPECT_EQ(next.snapshot_log, (std::vector<SnapshotLogEntry>{{kNow + 2, 2}}));
  EXPECT_EQ(next.snapshots.size(), 2U);
}

TEST(Updates, RemovingSnapshotsTrimsLogRefsAndStatistics) {
  TableMetadata base = with_snapshots(3);
  base = changed(base, R"([{"action":"set-snapshot-ref","ref-name":"old","type":"tag",
    "snapshot-id":102},{"action":"set-statistics","statistics":{"snapshot-id":102,
    "statistics-path":"s3://p","file-size-in-bytes":1,"file-footer-size-in-bytes":1,
    "blob-metadata":[]}},{"action":"set-partition-statistics","partition-statistics":{
    "snapshot-id":102,"statistics-path":"s3://q","file-size-in-bytes":1}}])");
  EXPECT_EQ(base.statistics.size(), 1U);
  const TableMetadata next =
      changed(base, R"([{"action":"remove-snapshots","snapshot-ids":[102]}])");
  EXPECT_EQ(next.snapshots.size(), 2U);
  EXPECT_EQ(next.find_ref("old"), nullptr);
  EXPECT_TRUE(next.statistics.empty());
  EXPECT_TRUE(next.partition_statistics.empty());
  // 101 is gone from the log with the gap after it.
  EXPECT_EQ(next.snapshot_log, (std::vector<SnapshotLogEntry>{{kNow + 3, 103}}));
  EXPECT_EQ(next.current_snapshot_id, 103);
}

TEST(Updates, StatisticsAreOneForASnapshot) {
  const TableMetadata base = with_snapshots(1);
  const std::string set = R"([{"action":"set-statistics","statistics":{"snapshot-id":101,
    "statistics-path":"s3://p","file-size-in-bytes":1,"file-footer-size-in-bytes":1,
    "blob-metadata":[]}}])";
  const TableMetadata next = changed(changed(base, set), set);
  EXPECT_EQ(next.statistics.size(), 1U);
  EXPECT_TRUE(
      changed(next, R"([{"action":"remove-statistics","snapshot-id":101}])").statistics.empty());
}

TEST(Updates, RefsComeAndGo) {
  const TableMetadata base = with_snapshots(2);
  const TableMetadata next = changed(base, R"([{"action":"set-snapshot-ref","ref-name":"audit",
    "type":"branch","snapshot-id":101,"min-snapshots-to-keep":3,"max-ref-age-ms":7}])");
  EXPECT_EQ(next.find_ref("audit")->min_snapshots_to_keep, 3);
  EXPECT_EQ(next.snapshot_log, base.snapshot_log);
  EXPECT_EQ(changed(next, R"([{"action":"remove-snapshot-ref","ref-name":"audit"}])").refs.size(),
            1U);
  const TableMetadata empty =
      changed(base, R"([{"action":"remove-snapshot-ref","ref-name":"main"}])");
  EXPECT_EQ(empty.current_snapshot_id, std::nullopt);
  EXPECT_EQ(refused(base, R"([{"action":"set-snapshot-ref","ref-name":"main","type":"tag",
              "snapshot-id":101}])")
                .message(),
            "Cannot make a tag of the branch main");
}

TEST(Updates, PropertiesLocationAndUuid) {
  const TableMetadata next = changed(table(), R"([
    {"action":"set-properties","updates":{"a":"1","owner":"bob"}},
    {"action":"remove-properties","removals":["write.parquet.compression-codec","x"]},
    {"action":"set-location","location":"s3://other/"},
    {"action":"assign-uuid","uuid":"u-2"}])");
  EXPECT_EQ(next.properties, (Properties{{"a", "1"}, {"owner", "bob"}}));
  EXPECT_EQ(next.location, "s3://other");
  EXPECT_EQ(next.uuid, "u-2");
}

TEST(Updates, FormatVersionsAboveTwoAreRefused) {
  const TableMetadata base = table();
  const Error error = refused(base, R"([{"action":"upgrade-format-version","format-version":3}])");
  EXPECT_EQ(error.code(), Code::kNotSupported);
  EXPECT_EQ(error.message(),
            "Cannot upgrade table to unsupported format version: v3 (supported: v2)");
  EXPECT_EQ(changed(base, R"([{"action":"upgrade-format-version","format-version":2}])"), base);
  EXPECT_EQ(refused(base, R"([{"action":"upgrade-format-version","format-version":1}])").message(),
            "Cannot downgrade v2 table to v1");
  TableMetadata old = base;
  old.format_version = 1;
  EXPECT_EQ(
      changed(old, R"([{"action":"upgrade-format-version","format-version":2}])").format_version,
      2);
}

TEST(Updates, ATableOfVersion1TakesSnapshotsWithoutNumbers) {
  TableMetadata old = table();
  old.format_version = 1;
  old.uuid = "";
  const TableMetadata next =
      changed(old, "[" + snapshot(1, 0) + "," + snapshot(2, 0, R"(,"parent-snapshot-id":1)") + "]");
  EXPECT_EQ(next.snapshots.size(), 2U);
  EXPECT_EQ(next.format_version, 2);
  EXPECT_EQ(next.uuid.size(), 36U);
}

TEST(Updates, TheMetadataLogIsBounded) {
  TableMetadata current = changed(table(), R"([{"action":"set-properties","updates":
                         {"write.metadata.previous-versions-max":"2"}}])",
                                  "s3://f0");
  for (int i = 1; i <= 3; ++i) {
    current = changed(
        current, R"([{"action":"set-properties","updates":{"n":")" + std::to_string(i) + "\"}}]",
        "s3://f" + std::to_string(i));
  }
  ASSERT_EQ(current.metadata_log.size(), 2U);
  EXPECT_EQ(current.metadata_log[0].metadata_file, "s3://f2");
  EXPECT_EQ(current.metadata_log[1], (MetadataLogEntry{kNow + 1, "s3://f3"}));
  EXPECT_THAT(apply(parse_updates(R"([{"action":"set-location","location":"s3://lake/t"}])"),
                    &current, kNow + 9, "s3://f4"),
              current);
}

TEST(Updates, CreatedByACommit) {
  const std::string updates = R"([{"action":"assign-uuid","uuid":"u"},
    {"action":"upgrade-format-version","format-version":2},
    {"action":"add-schema","schema":{"type":"struct","schema-id":0,"fields":[
      {"id":1,"name":"id","required":true,"type":"long"}]},"last-column-id":1},
    {"action":"set-current-schema","schema-id":-1},
    {"action":"add-spec","spec":{"spec-id":0,"fields":[]}},
    {"action":"set-default-spec","spec-id":-1},
    {"action":"add-sort-order","sort-order":{"order-id":0,"fields":[]}},
    {"action":"set-default-sort-order","sort-order-id":-1},
    {"action":"set-location","location":"s3://lake/new"},)" +
                              snapshot(5, 1) + "," + to_main(5) + "]";
  const TableMetadata made = apply(parse_updates(updates), nullptr, kNow);
  EXPECT_EQ(made.uuid, "u");
  EXPECT_EQ(made.current_snapshot_id, 5);
  EXPECT_TRUE(made.spec().unpartitioned());
  EXPECT_TRUE(made.metadata_log.empty());
  EXPECT_EQ(parse_metadata(metadata_json(made)), made);
  EXPECT_THAT(error_of([] {
                apply(parse_updates(R"([{"action":"assign-uuid","uuid":"u"}])"), nullptr, 1);
              }).message(),
              HasSubstr("needs a location"));
}

TEST(Updates, IdentifierFieldsMustBeKeys) {
  const auto message = [](const std::string& type, const std::string& required) {
    return refused(table(), R"([{"action":"add-schema","schema":{"type":"struct",
      "identifier-field-ids":[1],"fields":[{"id":1,"name":"id","required":)" +
                                required + R"(,"type":")" + type + "\"}]}}]")
        .message();
  };
  EXPECT_EQ(message("long", "false"),
            "Cannot add field id as an identifier field: not a required field");
  EXPECT_EQ(message("double", "true"),
            "Cannot add field id as an identifier field: must not be float or double field");
}

}  // namespace
}  // namespace meesh::lake
