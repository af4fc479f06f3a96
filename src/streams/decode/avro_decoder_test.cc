#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

#include "base/text.h"
#include "lake/avro.h"
#include "streams/decode/avro_schema.h"
#include "streams/decode/decoder_fixture_test.h"

namespace meesh::streams {
namespace {

using lake::AvroEncoder;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kSale = R"({"type": "record", "name": "Sale", "namespace": "shop", "fields": [
  {"name": "id", "type": "long"},
  {"name": "Country", "type": ["null", "string"], "default": null},
  {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
  {"name": "tax", "type": {"type": "fixed", "name": "Tax", "size": 8, "logicalType": "decimal", "precision": 18, "scale": 4}},
  {"name": "day", "type": {"type": "int", "logicalType": "date"}},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
  {"name": "exact_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
  {"name": "clock", "type": {"type": "int", "logicalType": "time-millis"}},
  {"name": "key", "type": {"type": "string", "logicalType": "uuid"}},
  {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["CARD", "CASH"]}},
  {"name": "raw", "type": "bytes"},
  {"name": "ok", "type": "boolean"},
  {"name": "f", "type": "float"},
  {"name": "d", "type": "double"},
  {"name": "tags", "type": {"type": "array", "items": "string"}},
  {"name": "counts", "type": {"type": "map", "values": "int"}},
  {"name": "customer", "type": ["null", {"type": "record", "name": "Customer", "fields": [{"name": "name", "type": "string"}, {"name": "born", "type": ["null", {"type": "int", "logicalType": "date"}]}, {"name": "spent", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}}]}]}
]})";

/// Two sales as fastavro 1.13 writes them.
const std::string kFirst = *base::from_hex(
    "0e020c4672616e636504fb1e00000000000030398eba029699b0978d6580dbc4d0feee950696899c23486637396333"
    "6530392d363737632d346262642d613437392d353132663837666530303031020400ff01cdcccc3d9a9999999999b9"
    "3f0402610622622200020278020002085a6fc3a9028874040136");
const std::string kSecond = *base::from_hex(
    "01000c00e8d4a50fffffffffffffffffff010100004830303030303030302d303030302d303030302d303030302d30"
    "3030303030303030303030000000000020c09c7500883ce4377e000000");

FormatConfig avro(std::string schema = "") {
  return {.encoding = Encoding::kAvro, .schema = std::move(schema)};
}

std::string record_of(const std::string& fields) {
  return R"({"type": "record", "name": "r", "fields": [)" + fields + "]}";
}

/// What a record of one field "x" becomes in a column of this type.
std::string cell(const std::string& avro_type, std::string_view type,
                 const std::function<void(AvroEncoder&)>& write) {
  std::string bytes;
  AvroEncoder encoder(bytes);
  write(encoder);
  return outcomes(avro(record_of(R"({"name": "x", "type": )" + avro_type + "}")),
                  {column("x", type)}, {bytes})
      .at(0);
}

TEST(AvroDecoder, ReadsWhatAnotherLibraryWrote) {
  const std::vector columns{column("id", "bigint"),
                            column("country", "varchar"),
                            column("amount", "decimal(12,2)"),
                            column("tax", "decimal(18,4)"),
                            column("day", "date"),
                            column("at", "timestamp(3)"),
                            column("exact_at", "timestamp(6) with time zone"),
                            column("clock", "time(3)"),
                            column("key", "uuid"),
                            column("kind", "varchar"),
                            column("raw", "varbinary"),
                            column("ok", "boolean"),
                            column("f", "real"),
                            column("d", "double"),
                            column("tags", "array(varchar)"),
                            column("counts", "map(varchar,integer)"),
                            column("customer", "row(name varchar)"),
                            column("born", "date", {"customer", "born"})};
  EXPECT_THAT(
      outcomes(avro(kSale), columns, {kFirst, kSecond}),
      ElementsAre(
          "7|France|-12.50|1.2345|2025-01-15|2025-01-15 10:15:30.123|"
          "2025-01-15 10:15:30.123456 UTC|10:15:30.123|f79c3e09-677c-4bbd-a479-512f87fe0001|CASH|"
          "00FF|true|1.0E-1|1.0E-1|[\"a\",\"\\\"b\\\"\"]|{\"x\":1}|"
          "{\"name\":\"Zoé\",\"born\":\"1990-05-04\",\"spent\":3.10}|1990-05-04",
          "-1|NULL|9999999999.99|-0.0001|1969-12-31|1969-12-31 23:59:59.999|"
          "1970-01-01 00:00:00.000000 UTC|00:00:00.000|00000000-0000-0000-0000-000000000000|CARD||"
          "false|-2.5E0|1.0E300|[]|{}|NULL|NULL"));
}

TEST(AvroDecoder, ColumnsMayBeOfOtherTypesThatLoseNothing) {
  const std::vector columns{
      column("id", "varchar"), column("amount", "varchar"), column("day", "integer"),
      column("at", "bigint"),  column("key", "varchar"),    column("raw", "varbinary"),
      column("f", "varchar"),  column("customer", "json"),  column("exact_at", "varchar")};
  EXPECT_THAT(outcomes(avro(kSale), columns, {kFirst}),
              ElementsAre("7|-12.50|20103|1736936130123|f79c3e09-677c-4bbd-a479-512f87fe0001|00FF|"
                          "0.1|{\"born\":\"1990-05-04\",\"name\":\"Zoé\",\"spent\":3.1}|"
                          "2025-01-15T10:15:30.123456Z"));
  EXPECT_THAT(
      outcomes(avro(kSale), {column("amount", "decimal(12,1)")}, {kFirst, kSecond}),
      ElementsAre("-12.5", "! column 'amount': expected decimal(12,1), found 9999999999.99"));
}

TEST(AvroDecoder, EveryPieceOfAMessageIsMalformed) {
  const std::vector columns{column("id", "bigint"), column("customer", "json")};
  std::vector<std::string> pieces;
  for (size_t size = 0; size < kFirst.size(); ++size) pieces.push_back(kFirst.substr(0, size));
  EXPECT_THAT(outcomes(avro(kSale), columns, pieces), Each(StartsWith("! not Avro of its schema")));
  EXPECT_THAT(outcomes(avro(kSale), columns, {kFirst + "x"}),
              ElementsAre("! not Avro of its schema: 1 bytes stand behind the value"));
}

TEST(AvroDecoder, DamagedMessagesAreReadOrRefused) {
  std::mt19937 random(1);
  std::vector<std::string> damaged;
  for (int i = 0; i < 2000; ++i) {
    std::string message = i % 2 ? kFirst : kSecond;
    message[random() % message.size()] = static_cast<char>(random());
    damaged.push_back(std::move(message));
  }
  const auto columns = columns_of_schema(avro(kSale), "", nullptr);
  for (const auto& outcome : outcomes(avro(kSale), columns, damaged)) EXPECT_FALSE(outcome.empty());
}

TEST(AvroDecoder, ValuesOutOfRangeAreMalformed) {
  const auto put = [](int64_t value) { return [value](AvroEncoder& to) { to.put_long(value); }; };
  EXPECT_EQ(cell("\"long\"", "integer", put(1LL << 40)),
            "! column 'x': expected integer, found 1099511627776");
  EXPECT_THAT(cell("\"int\"", "bigint", put(1LL << 40)), HasSubstr("does not fit in an Avro int"));
  EXPECT_EQ(cell(R"({"type": "long", "logicalType": "timestamp-millis"})", "timestamp(3)",
                 put(INT64_MAX)),
            "! column 'x': expected timestamp(3), found 9223372036854775807");
  EXPECT_EQ(cell(R"({"type": "int", "logicalType": "time-millis"})", "time(3)", put(86'400'000)),
            "! column 'x': expected time(3), found 86400000");
  EXPECT_EQ(cell(R"({"type": "bytes", "logicalType": "decimal", "precision": 4})", "decimal(4,0)",
                 [](AvroEncoder& to) { to.put_bytes(std::string(17, '\x7F')); }),
            "! column 'x': expected decimal(4,0), found 17 bytes");
  EXPECT_EQ(cell(R"({"type": "bytes", "logicalType": "decimal", "precision": 4})", "decimal(4,0)",
                 [](AvroEncoder& to) { to.put_bytes(std::string(40, '\xFF')); }),
            "-1");
  EXPECT_THAT(cell("\"string\"", "varchar", [](AvroEncoder& to) { to.put_bytes("\xFF"); }),
              HasSubstr("is not UTF-8"));
  EXPECT_EQ(cell("\"double\"", "decimal(5,1)", [](AvroEncoder& to) { to.put_double(0.1); }), "0.1");
  EXPECT_EQ(cell("\"double\"", "double", [](AvroEncoder& to) { to.put_double(0.0 / 0.0); }), "NaN");
  EXPECT_EQ(cell("\"string\"", "bigint", [](AvroEncoder& to) { to.put_bytes("12"); }), "12");
  EXPECT_EQ(cell("\"boolean\"", "bigint", [](AvroEncoder& to) { to.put_boolean(true); }),
            "! column 'x': expected bigint, found true");
}

TEST(AvroDecoder, UnionsOfSeveralTypes) {
  const std::string schema = record_of(
      R"({"name": "x", "type": ["string", "null", "long", {"type": "array", "items": "int"}]})");
  const std::vector columns{column("x", "varchar"), column("same", "json", {"x"})};
  EXPECT_THAT(outcomes(avro(schema), columns,
                       {*base::from_hex("000261"), "\x02", *base::from_hex("040e"),
                        *base::from_hex("0604020400"), "\x08", "\x01"}),
              ElementsAre("! column 'same': expected json, found \"a\"", "NULL|NULL", "7|7",
                          "[1,2]|[1,2]", "! not Avro of its schema: branch 4 of an Avro union of 4",
                          "! not Avro of its schema: branch -1 of an Avro union of 4"));
}

TEST(AvroDecoder, NothingNestsForEverAndNothingIsCountedForEver) {
  const std::string list =
      R"({"type": "record", "name": "n", "fields": [{"name": "next", "type": ["null", "n"]}]})";
  EXPECT_THAT(outcomes(avro(list), {column("next", "json")},
                       {std::string(100'000, '\2'), *base::from_hex("020200")}),
              ElementsAre("! not Avro of its schema: it is nested too deeply",
                          "{\"next\":{\"next\":null}}"));
  const std::string nulls =
      record_of(R"({"name": "x", "type": {"type": "array", "items": "null"}})");
  std::string many;
  AvroEncoder encoder(many);
  encoder.put_long(1LL << 60);
  encoder.put_long(0);
  EXPECT_THAT(outcomes(avro(nulls), {column("x", "json")}, {many}).at(0),
              StartsWith("! not Avro of its schema"));
  // Each record holds two of the one before: 2^40 records in no byte at all.
  std::string fields = R"({"name": "f0", "type": {"type": "record", "name": "r0", "fields": []}})";
  for (int i = 1; i <= 40; ++i) {
    fields += fmt::format(
        R"(, {{"name": "f{0}", "type": {{"type": "record", "name": "r{0}", "fields": [
           {{"name": "a", "type": "r{1}"}}, {{"name": "b", "type": "r{1}"}}]}}}})",
        i, i - 1);
  }
  EXPECT_THAT(outcomes(avro(record_of(fields)), {column("f40", "json")}, {""}),
              ElementsAre("! not Avro of its schema: it has too many values without bytes"));
}

TEST(AvroDecoder, AnotherWritersSchemaIsResolvedToTheReaders) {
  const std::string reader = record_of(R"(
      {"name": "id", "type": "long"},
      {"name": "city", "type": "string", "default": "Lyon", "aliases": ["town"]},
      {"name": "score", "type": ["null", "double"], "default": null},
      {"name": "kind", "type": {"type": "enum", "name": "k", "symbols": ["a", "b"]}, "default": "b"},
      {"name": "blob", "type": "bytes", "default": "\u00ff"},
      {"name": "who", "type": {"type": "record", "name": "w", "fields": [
          {"name": "name", "type": "string", "default": "nobody"}, {"name": "age", "type": "int"}]},
       "default": {"age": 3}},
      {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 5,
       "scale": 1}, "default": "{"})");
  TestRegistry registry(
      {{1, record_of(R"({"name": "id", "type": "int"})")},
       {2, record_of(R"({"name": "town", "type": "string"}, {"name": "gone", "type": "long"},
                        {"name": "id", "type": "int"},
                        {"name": "who", "type": {"type": "record", "name": "w", "fields": [
                            {"name": "age", "type": "int"}]}})")},
       {3, "{\"type\": \"nothing\"}"}});
  const std::vector columns{column("id", "bigint"),
                            column("city", "varchar"),
                            column("score", "double"),
                            column("kind", "varchar"),
                            column("blob", "varbinary"),
                            column("name", "varchar", {"who", "name"}),
                            column("age", "bigint", {"who", "age"}),
                            column("price", "decimal(5,1)")};
  EXPECT_THAT(outcomes(avro(reader), columns,
                       {framed(1, "\x0E"), framed(2, *base::from_hex("0261020e08")), framed(3, "")},
                       registry.get()),
              ElementsAre("7|Lyon|NULL|b|FF|nobody|3|12.3", "7|a|NULL|b|FF|nobody|4|12.3",
                          "! schema 3 of the registry: the Avro schema is wrong: there is no type "
                          "'nothing'"));
  // Without a reader's schema what the writer has not is NULL.
  EXPECT_THAT(outcomes(avro(), columns, {framed(1, "\x0E")}, registry.get()),
              ElementsAre("7|NULL|NULL|NULL|NULL|NULL|NULL|NULL"));
}

TEST(AvroDecoder, RequiredColumnsHaveAValue) {
  std::vector columns{column("country", "varchar")};
  columns[0].required = true;
  EXPECT_THAT(outcomes(avro(kSale), columns, {kFirst, kSecond}),
              ElementsAre("France", "! column 'country' is required and has no value"));
}

TEST(AvroDecoder, WrongSchemasAndColumnsAreRefused) {
  const auto said = [](const std::string& schema, ColumnConfig one = column("x", "bigint")) {
    return failure([&] { make_decoder(avro(schema), {one}, nullptr); });
  };
  EXPECT_THAT(said(""), HasSubstr("CONFIG_INVALID Avro messages need a schema or a registry"));
  EXPECT_THAT(said("{"), HasSubstr("CONFIG_INVALID the Avro schema is wrong"));
  EXPECT_THAT(said(record_of(R"({"name": "a", "type": "txt"})")), HasSubstr("no type 'txt'"));
  EXPECT_THAT(said(record_of(R"({"name": "amount", "type": "int"})"), column("amuont", "bigint")),
              HasSubstr("no field 'amuont' (did you mean 'amount'?)"));
  std::string deep = "\"int\"";
  for (int i = 0; i < 1000; ++i) deep = R"({"type": "array", "items": )" + deep + "}";
  EXPECT_THAT(said(deep), HasSubstr("CONFIG_INVALID"));
}

TEST(AvroColumns, AreTheRecordsFields) {
  std::vector<std::string> found;
  for (const auto& one : columns_of_schema(avro(kSale), "", nullptr))
    found.push_back(one.name + " " + one.type.display());
  EXPECT_THAT(found, ElementsAre("id bigint", "country varchar", "amount decimal(12,2)",
                                 "tax decimal(18,4)", "day date", "at timestamp(3)",
                                 "exact_at timestamp(6)", "clock time(3)", "key uuid",
                                 "kind varchar", "raw varbinary", "ok boolean", "f real",
                                 "d double", "tags array(varchar)", "counts map(varchar, integer)",
                                 "customer row(name varchar, born date, spent decimal(9,2))"));
  EXPECT_THAT(failure([] { columns_of_schema(avro("\"string\""), "", nullptr); }),
              HasSubstr("only a record's fields are columns"));
  EXPECT_THAT(failure([] {
                columns_of_schema(avro(record_of(R"({"name": "a", "type": "int"},
                                                    {"name": "A", "type": "int"})")),
                                  "", nullptr);
              }),
              HasSubstr("two fields that are called 'a'"));
  EXPECT_THAT(failure([] { columns_of_schema({.encoding = Encoding::kJson}, "", nullptr); }),
              HasSubstr("CONFIG_INVALID"));
}

}  // namespace
}  // namespace meesh::streams
