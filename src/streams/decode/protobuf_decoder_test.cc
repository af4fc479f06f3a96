#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/util/json_util.h>

#include <random>

#include "base/text.h"
#include "streams/decode/decoder_fixture_test.h"
#include "streams/decode/protobuf_schema.h"

namespace meesh::streams {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kSale = R"(
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "confluent/type/decimal.proto";

enum Kind { UNKNOWN = 0; CARD = 1; CASH = 2; }
message Customer {
  string name = 1;
  optional string city = 2;
  repeated string phones = 3;
  Customer friend = 4;
}
message Sale {
  int64 id = 1;
  string country = 2;
  double amount = 3;
  float rate = 4;
  bool paid = 5;
  bytes raw = 6;
  Kind kind = 7;
  google.protobuf.Timestamp created_at = 8;
  Customer customer = 9;
  repeated int32 numbers = 10;
  map<string, int64> counts = 11;
  oneof means { string card = 12; uint32 voucher = 13; }
  optional int32 discount = 14;
  uint64 big = 15;
  google.protobuf.StringValue note = 16;
  google.protobuf.Duration took = 17;
  google.protobuf.Struct extra = 18;
  confluent.type.Decimal price = 19;
  sint32 delta = 20;
  fixed32 crc = 21;
  map<int32, Customer> by_number = 22;
  message Line { string product = 1; int32 quantity = 2; }
  repeated Line lines = 23;
}
message Other { string x = 1; }
)";

FormatConfig protobuf(std::string schema = kSale, std::string message = "shop.Sale") {
  return {
      .encoding = Encoding::kProtobuf, .schema = std::move(schema), .message = std::move(message)};
}

/// A message's bytes from its JSON, by Protobuf's own library.
std::string bytes(const std::string& json, const std::string& schema = kSale,
                  const std::string& message = "shop.Sale") {
  const ProtobufSchema parsed({.type = "PROTOBUF", .text = schema, .references = {}});
  const auto out = parsed.make(parsed.message(message));
  const auto status = google::protobuf::util::JsonStringToMessage(json, out.get());
  if (!status.ok()) throw std::runtime_error(status.ToString());
  return out->SerializeAsString();
}

const std::string kFull = R"({"id": "-7", "country": "France", "amount": 0.1, "rate": 0.1,
  "paid": true, "raw": "AP8=", "kind": "CASH", "createdAt": "2025-01-15T10:15:30.123456789Z",
  "customer": {"name": "Zoé", "phones": ["1", "\"2\""], "friend": {"name": "Li", "city": ""}},
  "numbers": [1, 2], "counts": {"b": "2"}, "voucher": 4000000000, "discount": 0,
  "big": "18446744073709551615", "note": "n", "took": "1.5s", "extra": {"a": [1, null]},
  "price": {"value": "+x4=", "precision": 12, "scale": 2}, "delta": -3, "crc": 7,
  "byNumber": {"5": {"name": "five"}}, "lines": [{"product": "p", "quantity": 2}]})";

std::vector<ColumnConfig> all_columns() { return columns_of_schema(protobuf(), "", nullptr); }

TEST(ProtobufDecoder, ReadsEveryKindOfField) {
  EXPECT_THAT(
      outcomes(protobuf(), all_columns(), {bytes(kFull), ""}),
      ElementsAre(
          "-7|France|1.0E-1|1.0E-1|true|00FF|CASH|2025-01-15 10:15:30.123456|"
          "{\"name\":\"Zoé\",\"phones\":[\"1\",\"\\\"2\\\"\"],\"friend\":{\"name\":\"Li\","
          "\"city\":\"\",\"phones\":[]}}|[1,2]|{\"b\":2}|NULL|4000000000|0|18446744073709551615|n|"
          "1.500s|{\"a\":[1,null]}|-12.50|-3|7|{\"5\":{\"name\":\"five\",\"phones\":[]}}|"
          "[{\"product\":\"p\",\"quantity\":2}]",
          "0||0.0E0|0.0E0|false||UNKNOWN|NULL|NULL|[]|{}|NULL|NULL|NULL|0|NULL|NULL|NULL|NULL|0|0|"
          "{}|[]"));
}

TEST(ProtobufColumns, AreTheFields) {
  std::vector<std::string> found;
  for (const auto& one : all_columns()) found.push_back(one.name + " " + one.type.display());
  EXPECT_THAT(
      found,
      ElementsAre("id bigint", "country varchar", "amount double", "rate real", "paid boolean",
                  "raw varbinary", "kind varchar", "created_at timestamp(6)",
                  "customer row(name varchar, city varchar, phones array(varchar), "
                  "friend json)",
                  "numbers array(integer)", "counts map(varchar, bigint)", "card varchar",
                  "voucher bigint", "discount integer", "big decimal(20,0)", "note varchar",
                  "took varchar", "extra json", "price varchar", "delta integer", "crc bigint",
                  "by_number map(integer, row(name varchar, city varchar, "
                  "phones array(varchar), friend json))",
                  "lines array(row(product varchar, quantity integer))"));
}

TEST(ProtobufDecoder, ColumnsMayBeOfOtherTypesThatLoseNothing) {
  const std::vector columns{column("id", "decimal(5,2)"),
                            column("kind", "integer"),
                            column("when", "bigint", {"createdAt", "seconds"}),
                            column("createdat", "timestamp(0)"),
                            column("city", "varchar", {"customer", "friend", "city"}),
                            column("nobody", "varchar", {"customer", "friend", "friend", "city"}),
                            column("price", "decimal(9,3)"),
                            column("rate", "decimal(9,1)"),
                            column("customer", "json")};
  EXPECT_THAT(
      outcomes(protobuf(), columns, {bytes(kFull)}),
      ElementsAre("-7.00|2|1736936130|2025-01-15 10:15:30||NULL|-12.500|0.1|"
                  "{\"friend\":{\"city\":\"\",\"name\":\"Li\",\"phones\":[]},\"name\":\"Zoé\","
                  "\"phones\":[\"1\",\"\\\"2\\\"\"]}"));
  EXPECT_THAT(outcomes(protobuf(), {column("big", "bigint")}, {bytes(kFull)}),
              ElementsAre("! column 'big': expected bigint, found 18446744073709551615"));
  EXPECT_THAT(outcomes(protobuf(), {column("customer", "varchar"), column("lines", "bigint")},
                       {bytes(kFull)}),
              ElementsAre("! column 'lines': expected bigint, found "
                          "[{\"product\":\"p\",\"quantity\":2}]"));
}

TEST(ProtobufDecoder, DamagedMessagesAreReadOrRefused) {
  const std::string whole = bytes(kFull);
  std::mt19937 random(1);
  std::vector<std::string> damaged{whole + "\xFF", "\x0A\xFF", "\x12\x02\xFF\xFE"};
  for (int i = 0; i < 2000; ++i) {
    std::string message = whole.substr(0, whole.size() - random() % 5);
    message[random() % message.size()] = static_cast<char>(random());
    damaged.push_back(std::move(message));
  }
  const auto found = outcomes(protobuf(), all_columns(), damaged);
  for (const auto& outcome : found) EXPECT_FALSE(outcome.empty());
  EXPECT_EQ(found[0], "! not Protobuf of shop.Sale");
  EXPECT_EQ(found[2], "! not Protobuf of shop.Sale");
  std::string deep;
  for (int i = 0; i < 1000; ++i) {
    std::string next = "\x22";
    size_t size = deep.size();
    for (; size >= 0x80; size >>= 7) next += static_cast<char>((size & 0x7F) | 0x80);
    next += static_cast<char>(size);
    deep = next + deep;
  }
  EXPECT_THAT(outcomes(protobuf(kSale, "shop.Customer"), {column("friend", "json")}, {deep}),
              ElementsAre("! not Protobuf of shop.Customer"));
}

TEST(ProtobufDecoder, TimesOutOfRangeAreMalformed) {
  const ProtobufSchema schema({.type = "PROTOBUF", .text = kSale, .references = {}});
  // created_at { seconds: 2^40 }
  const std::string message = *base::from_hex(
      "4207088080808080"
      "20");
  EXPECT_THAT(outcomes(protobuf(), {column("created_at", "timestamp(3)")}, {message}).at(0),
              HasSubstr("out of range"));
}

TEST(ProtobufDecoder, OldSyntaxHasDefaultsAndRequiredFields) {
  const std::string schema = R"(syntax = "proto2";
    message M { required int32 id = 1; optional string city = 2 [default = "Lyon"];
                optional string none = 3; })";
  const std::vector columns{column("id", "integer"), column("city", "varchar"),
                            column("none", "varchar")};
  EXPECT_THAT(outcomes(protobuf(schema, ""), columns,
                       {bytes(R"({"id": 1})", schema, "M"), "", *base::from_hex("08011201ff")}),
              ElementsAre("1|Lyon|NULL", "! not Protobuf of M: it lacks id",
                          "! column 'city': a string is not UTF-8"));
}

TEST(ProtobufDecoder, RequiredColumnsHaveAValue) {
  std::vector columns{column("discount", "integer")};
  columns[0].required = true;
  EXPECT_THAT(outcomes(protobuf(), columns, {bytes(R"({"discount": 0})"), ""}),
              ElementsAre("0", "! column 'discount' is required and has no value"));
}

TEST(ProtobufDecoder, MessagesOfARegistryNameTheirTypeByIndexes) {
  const ProtobufSchema schema({.type = "PROTOBUF", .text = kSale, .references = {}});
  google::protobuf::FileDescriptorProto file;
  schema.file().CopyTo(&file);
  TestRegistry registry({{1, kSale}, {2, base::to_base64(file.SerializeAsString())}, {3, "?"}},
                        "PROTOBUF");
  const std::string sale = bytes(R"({"id": 5})");
  const std::string customer = bytes(R"({"name": "Zoé"})", kSale, "shop.Customer");
  const std::string line = bytes(R"({"product": "p"})", kSale, "shop.Sale.Line");
  const std::vector columns{column("id", "bigint"), column("name", "varchar"),
                            column("product", "varchar")};
  const auto at = [](uint8_t id, std::string_view indexes, const std::string& message) {
    return framed(id, *base::from_hex(indexes) + message);
  };
  EXPECT_THAT(
      outcomes(
          protobuf("", ""), columns,
          {at(1, "0202", sale), at(2, "0202", sale), at(1, "00", customer), at(1, "0200", customer),
           at(2, "040200", line), at(2, "040204", line), at(1, "0208", sale), at(1, "020201", sale),
           at(1, "80", ""), at(3, "00", ""), at(4, "00", "")},
          registry.get()),
      ElementsAre("5|NULL|NULL", "5|NULL|NULL", "NULL|Zoé|NULL", "NULL|Zoé|NULL", "NULL|NULL|p",
                  "NULL|NULL|p", "! schema 1 of the registry has no such message",
                  StartsWith("! not Protobuf of shop.Sale"), "! its message indexes are cut short",
                  StartsWith("! schema 3 of the registry: the Protobuf schema is wrong: "
                             "line 1:1"),
                  "! the registry has no schema 4"));
  EXPECT_THAT(
      outcomes(protobuf("", "shop.Sale"), columns, {at(1, "0200", customer)}, registry.get()),
      ElementsAre("! expected a message shop.Sale, found shop.Customer"));
}

TEST(ProtobufSchema, MayImportWhatItBringsAlong) {
  const RegisteredSchema schema{
      .type = "PROTOBUF",
      .text = R"(syntax = "proto3"; import "shop/money.proto"; import "confluent/meta.proto";
                 message M { option (confluent.message_meta).doc = "x"; shop.Money m = 1; })",
      .references = {
          {"shop/currency.proto", "syntax = \"proto3\"; package shop; enum Currency { EUR = 0; }"},
          {"shop/money.proto", R"(syntax = "proto3"; package shop;
                        import "shop/currency.proto"; message Money { Currency c = 1; })"}}};
  EXPECT_EQ(columns_of_protobuf(schema, "").at(0).type.display(), "row(c varchar)");
}

TEST(ProtobufSchema, MistakesAreNamed) {
  const auto said = [](const std::string& schema, const std::string& message = "",
                       ColumnConfig one = column("x", "bigint")) {
    return failure([&] { make_decoder(protobuf(schema, message), {one}, nullptr); });
  };
  EXPECT_THAT(said(""), HasSubstr("CONFIG_INVALID Protobuf messages need a schema or a registry"));
  EXPECT_THAT(said("syntax = \"proto3\";\nmessage M { int32 }"),
              AllOf(HasSubstr("CONFIG_INVALID"), HasSubstr("line 2:")));
  EXPECT_THAT(said("syntax = \"proto3\"; message M { N n = 1; }"),
              HasSubstr("\"N\" is not defined"));
  EXPECT_THAT(said("syntax = \"proto3\"; import \"none.proto\"; message M { int32 x = 1; }"),
              HasSubstr("none.proto"));
  EXPECT_THAT(said("syntax = \"proto3\";"), HasSubstr("it has no message"));
  EXPECT_THAT(said(kSale, "shop.Sal"),
              HasSubstr("no message 'shop.Sal' (did you mean 'shop.Sale'?)"));
  EXPECT_THAT(said(kSale, "shop.Sale", column("countri", "varchar")),
              HasSubstr("no field 'countri' (did you mean 'country'?)"));
}

}  // namespace
}  // namespace meesh::streams
