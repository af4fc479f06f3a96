#include "sql/type.h"

#include <gtest/gtest.h>

#include "sql/ast.h"

namespace meesh::sql {
namespace {

std::string again(std::string_view text) { return Type::parse(text).display(); }

std::string message_of(std::string_view text) {
  try {
    return "parsed as " + Type::parse(text).display();
  } catch (const Error& e) {
    return std::string(code_name(e.code())) + ": " + e.message();
  }
}

TEST(Type, DisplayIsTheInverseOfParse) {
  for (const char* text :
       {"unknown",
        "boolean",
        "tinyint",
        "smallint",
        "integer",
        "bigint",
        "real",
        "double",
        "decimal(10,2)",
        "decimal(38,0)",
        "varchar",
        "varchar(10)",
        "varchar(0)",
        "char(5)",
        "varbinary",
        "date",
        "time(3)",
        "time(0) with time zone",
        "timestamp(12)",
        "timestamp(3) with time zone",
        "interval year to month",
        "interval day to second",
        "uuid",
        "ipaddress",
        "json",
        "array(varchar)",
        "map(varchar, array(integer))",
        "row(x integer)",
        "row(x integer, y varchar(3))",
        "row(integer, varchar)",
        "row(\"A b\" integer, \"select\" row(x double, \"1\" char(1)))",
        "row(\"X\" bigint)",
        "array(map(date, row(timestamp timestamp(6) with time zone, double double)))"})
    EXPECT_EQ(again(text), text);
}

TEST(Type, AliasesAndDefaults) {
  EXPECT_EQ(again("INT"), "integer");
  EXPECT_EQ(again("double precision"), "double");
  EXPECT_EQ(again("decimal"), "decimal(38,0)");
  EXPECT_EQ(again("decimal(5)"), "decimal(5,0)");
  EXPECT_EQ(again("char"), "char(1)");
  EXPECT_EQ(again("time"), "time(3)");
  EXPECT_EQ(again("timestamp with time zone"), "timestamp(3) with time zone");
  EXPECT_EQ(again("timestamp(6) without time zone"), "timestamp(6)");
  EXPECT_EQ(again("Array<Varchar>"), "array(varchar)");
  EXPECT_EQ(again("integer array"), "array(integer)");
  EXPECT_EQ(again("ROW(Foo Integer)"), "row(foo integer)");
  EXPECT_EQ(again("row(order integer, from varchar)"), "row(\"order\" integer, \"from\" varchar)");
}

TEST(Type, BaseNames) {
  EXPECT_EQ(Type::parse("timestamp(6) with time zone").base_name(), "timestamp with time zone");
  EXPECT_EQ(Type::parse("varchar(3)").base_name(), "varchar");
  EXPECT_EQ(Type::parse("row(x integer)").base_name(), "row");
  EXPECT_EQ(Type::parse("interval day to second").base_name(), "interval day to second");
}

TEST(Type, ValuesCompare) {
  EXPECT_EQ(Type::parse("map(varchar, bigint)"),
            Type::map(Type::varchar(), Type::of(TypeKind::kBigint)));
  EXPECT_EQ(Type::parse("decimal(10,2)"), Type::decimal(10, 2));
  EXPECT_NE(Type::parse("varchar(10)"), Type::parse("varchar"));
  EXPECT_EQ(Type::parse("row(x integer)"), Type::row({"x"}, {Type::of(TypeKind::kInteger)}));
}

TEST(Type, WhatIsNoTypeIsSaid) {
  EXPECT_EQ(message_of("string"), "TYPE_NOT_FOUND: Unknown type: \"string\"");
  EXPECT_EQ(message_of("text(5)"), "TYPE_NOT_FOUND: Unknown type: \"text\"(5)");
  EXPECT_EQ(message_of("foo"), "TYPE_NOT_FOUND: Unknown type: foo");
  EXPECT_EQ(message_of("integer(3)"), "TYPE_NOT_FOUND: Unknown type: integer(3)");
  EXPECT_EQ(message_of("array"), "TYPE_NOT_FOUND: Unknown type: array");
  EXPECT_EQ(message_of("array(5)"), "TYPE_NOT_FOUND: Unknown type: array(5)");
  EXPECT_EQ(message_of("map(varchar)"), "TYPE_NOT_FOUND: Unknown type: map(varchar)");
  EXPECT_EQ(message_of("decimal(39)"), "TYPE_NOT_FOUND: Unknown type: decimal(39)");
  EXPECT_EQ(message_of("timestamp(13)"), "TYPE_NOT_FOUND: Unknown type: timestamp(13)");
  EXPECT_EQ(message_of(""), "TYPE_NOT_FOUND: Unknown type: ");
  EXPECT_EQ(message_of("array("), "TYPE_NOT_FOUND: Unknown type: array(");
  EXPECT_EQ(message_of("array(integer"), "TYPE_NOT_FOUND: Unknown type: array(integer");
}

TEST(Type, WrittenTypesKnowTheirPlaceAndRange) {
  try {
    to_type(*parse_type("  decimal(10, 11)"));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kInvalidFunctionArgument);
    EXPECT_EQ(e.sql_message(), "line 1:3: DECIMAL scale must be in range [0, precision (10)]: 11");
  }
}

TEST(Type, DeepTypesAreAnError) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "array(";
  EXPECT_NE(message_of(text).find("TYPE_NOT_FOUND"), std::string::npos);
}

}  // namespace
}  // namespace meesh::sql
