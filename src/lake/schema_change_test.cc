#include "lake/schema_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace meesh::lake {
namespace {

using Place = ColumnPosition::Place;

/// id 1, Day 2, address 3 {city 7, zip 8}, points 4 [9 {x 10}], tags 5 {11 → 12}, price 6.
TableMetadata table() {
  const Schema schema = parse_schema(R"json({"type":"struct","identifier-field-ids":[1],"fields":[
    {"id":1,"name":"id","required":true,"type":"int"},
    {"id":2,"name":"Day","required":false,"type":"date"},
    {"id":3,"name":"address","required":false,"type":{"type":"struct","fields":[
      {"id":7,"name":"city","required":false,"type":"string"},
      {"id":8,"name":"zip","required":true,"type":"string"}]}},
    {"id":4,"name":"points","required":false,"type":{"type":"list","element-id":9,
      "element-required":true,"element":{"type":"struct","fields":[
        {"id":10,"name":"x","required":true,"type":"float"}]}}},
    {"id":5,"name":"tags","required":false,"type":{"type":"map","key-id":11,"key":"string",
      "value-id":12,"value":"int","value-required":false}},
    {"id":6,"name":"price","required":false,"type":"decimal(9,2)"}]})json");
  PartitionSpec spec;
  spec.fields = {{2, 0, "Day", parse_transform("identity")}};
  SortOrder order;
  order.fields = {{.source_id = 6, .transform = parse_transform("identity")}};
  return new_table_metadata(schema, spec, order, "s3://t", {}, 1);
}

template <typename F>
std::string refused(Code code, F&& change) {
  SchemaChange schema(table());
  const Schema before = schema.schema();
  try {
    change(schema);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_EQ(schema.schema(), before);
    return error.message();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

std::string columns(const Schema& schema) {
  std::string text;
  for (const Field& field : schema.fields) text += field.name + " ";
  return text;
}

const Type kString = parse_type_name("string");

TEST(SchemaChange, AddedColumnsGetNewIdsWhereAsked) {
  SchemaChange change(table());
  const Type inner = struct_type({{0, "a", kString, true, ""}, {0, "b", kString, false, ""}});
  change.add("", "last", inner)
      .add("", "first", kString, "a comment", false, {Place::kFirst, ""})
      .add("address", "street", kString, "", false, {Place::kAfter, "CITY"})
      .add("points", "y", kString)
      .add("", "after", kString, "", false, {Place::kAfter, "day"});
  const Schema& schema = change.schema();
  EXPECT_EQ(columns(schema), "first id Day after address points tags price last ");
  EXPECT_EQ(find_field(schema, "last")->id, 13);
  EXPECT_EQ(find_field(schema, "last.a")->id, 14);
  EXPECT_EQ(find_field(schema, "last.b")->id, 15);
  EXPECT_EQ(find_field(schema, "first")->id, 16);
  EXPECT_EQ(find_field(schema, "first")->doc, "a comment");
  EXPECT_EQ(find_field(schema, "address")->type.fields[1].name, "street");
  EXPECT_EQ(find_field(schema, "points.element.y")->id, 18);
}

TEST(SchemaChange, WhatIsAddedMustFit) {
  EXPECT_EQ(refused(Code::kColumnAlreadyExists, [](auto& c) { c.add("", "DAY", kString); }),
            "Column 'DAY' already exists");
  EXPECT_EQ(refused(Code::kTypeMismatch, [](auto& c) { c.add("id", "x", kString); }),
            "Cannot add to non-struct column: id: int");
  EXPECT_EQ(refused(Code::kColumnNotFound, [](auto& c) { c.add("adress", "x", kString); }),
            "Column 'adress' does not exist");
  EXPECT_EQ(refused(Code::kNotSupported, [](auto& c) { c.add("", "x", kString, "", true); }),
            "Cannot add required column without a default value: x");
  refused(Code::kColumnNotFound,
          [](auto& c) { c.add("", "x", kString, "", false, {Place::kAfter, "nothing"}); });
  refused(Code::kMissingColumnName, [](auto& c) { c.add("", "", kString); });
  refused(Code::kColumnAlreadyExists, [](auto& c) {
    c.add("", "x", struct_type({{0, "a", kString, false, ""}, {0, "A", kString, false, ""}}));
  });
}

TEST(SchemaChange, DroppedColumnsAreNotUsed) {
  SchemaChange change(table());
  change.drop("ADDRESS.zip").drop("tags");
  EXPECT_EQ(columns(change.schema()), "id Day address points price ");
  EXPECT_EQ(find_field(change.schema(), 8), nullptr);
  EXPECT_EQ(refused(Code::kNotSupported, [](auto& c) { c.drop("day"); }),
            "Cannot drop partition field: day");
  EXPECT_EQ(refused(Code::kNotSupported, [](auto& c) { c.drop("price"); }),
            "Cannot drop sort field: price");
  EXPECT_EQ(refused(Code::kNotSupported, [](auto& c) { c.drop("id"); }),
            "Cannot drop identifier field: id");
  EXPECT_EQ(refused(Code::kNotSupported, [](auto& c) { c.drop("tags.value"); }),
            "Cannot drop the value of a list or map: tags.value");
  EXPECT_EQ(refused(Code::kNotSupported, [](auto& c) { c.drop("points.x"); }),
            "Cannot drop the only field of a struct: points.x");
  EXPECT_EQ(refused(Code::kColumnNotFound, [](auto& c) { c.drop("nothing"); }),
            "Column 'nothing' does not exist");
}

TEST(SchemaChange, SourcesOfOldSpecsStay) {
  TableMetadata metadata = table();
  metadata.partition_specs.push_back({.id = 1, .fields = {}});
  metadata.default_spec_id = 1;
  SchemaChange change(metadata);
  EXPECT_THROW(change.drop("day"), Error);
}

TEST(SchemaChange, RenamedColumnsKeepTheirIds) {
  SchemaChange change(table());
  change.rename("day", "DAY").rename("address.city", "town");
  EXPECT_EQ(find_field(change.schema(), 2)->name, "DAY");
  EXPECT_EQ(find_field(change.schema(), 7)->name, "town");
  refused(Code::kColumnAlreadyExists, [](auto& c) { c.rename("day", "ID"); });
  refused(Code::kMissingColumnName, [](auto& c) { c.rename("day", ""); });
  refused(Code::kNotSupported, [](auto& c) { c.rename("points.element", "e"); });
  EXPECT_EQ(refused(Code::kNotSupported, [](auto& c) { c.rename("tags.key", "k"); }),
            "Cannot alter map keys: tags.key");
}

TEST(SchemaChange, ColumnsMoveAmongTheirSiblings) {
  SchemaChange change(table());
  change.move("price", {Place::kFirst, ""}).move("id", {Place::kLast, ""});
  change.move("day", {Place::kAfter, "tags"}).move("address.zip", {Place::kFirst, ""});
  EXPECT_EQ(columns(change.schema()), "price address points tags Day id ");
  EXPECT_EQ(find_field(change.schema(), 3)->type.fields[0].name, "zip");
  refused(Code::kInvalidArguments, [](auto& c) { c.move("day", {Place::kAfter, "DAY"}); });
  refused(Code::kColumnNotFound, [](auto& c) { c.move("day", {Place::kAfter, "city"}); });
}

TEST(SchemaChange, TypesOnlyWiden) {
  SchemaChange change(table());
  change.widen("id", parse_type_name("long"))
      .widen("price", decimal_type(12, 2))
      .widen("points.x", parse_type_name("double"))
      .widen("tags.value", parse_type_name("long"));
  EXPECT_EQ(type_name(find_field(change.schema(), 1)->type), "long");
  EXPECT_EQ(type_name(find_field(change.schema(), 12)->type), "long");
  EXPECT_EQ(refused(Code::kTypeMismatch, [](auto& c) { c.widen("price", decimal_type(12, 3)); }),
            "Cannot change column type: price: decimal(9, 2) -> decimal(12, 3)");
  refused(Code::kTypeMismatch, [](auto& c) { c.widen("address", kString); });
}

TEST(SchemaChange, NullsCommentsAndKeys) {
  SchemaChange change(table());
  change.make_optional("address.zip").make_required("day").set_doc("day", "of the order");
  EXPECT_FALSE(find_field(change.schema(), 8)->required);
  EXPECT_TRUE(find_field(change.schema(), 2)->required);
  EXPECT_EQ(find_field(change.schema(), 2)->doc, "of the order");
  change.set_identifier_fields({"day"}).make_optional("id").drop("id");
  EXPECT_THAT(change.schema().identifier_field_ids, testing::ElementsAre(2));
  EXPECT_EQ(refused(Code::kNotSupported, [](auto& c) { c.make_optional("id"); }),
            "Cannot allow nulls in an identifier field: id");
  EXPECT_EQ(refused(Code::kNotSupported, [](auto& c) { c.set_identifier_fields({"price"}); }),
            "Cannot add field price as an identifier field: not a required field");
  refused(Code::kNotSupported, [](auto& c) { c.set_doc("points.element", "x"); });
}

TEST(SchemaChange, BecomesACommit) {
  const TableMetadata base = table();
  SchemaChange change(base);
  change.add("", "note", kString);
  const TableMetadata next = apply(change.updates(), &base, 2);
  EXPECT_EQ(next.current_schema_id, 1);
  EXPECT_EQ(next.last_column_id, 13);
  EXPECT_EQ(next.schema().fields.back().name, "note");
}

}  // namespace
}  // namespace meesh::lake
