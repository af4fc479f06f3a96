#include <gmock/gmock.h>

#include "streams/decode/decoder_fixture_test.h"

namespace meesh::streams {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

FormatConfig json() { return {.encoding = Encoding::kJson}; }

/// The cell that {"x": <text>} becomes in a column of this type, or "! …".
std::string cell(std::string_view type, const std::string& text,
                 TimeFormat time = TimeFormat::kText) {
  auto one = column("x", type);
  one.time = time;
  return outcomes(json(), {one}, {"{\"x\": " + text + "}"}).at(0);
}

struct Case {
  const char* type;
  const char* text;
  const char* expected;
};

class JsonCells : public testing::TestWithParam<Case> {};

TEST_P(JsonCells, Are) {
  EXPECT_EQ(cell(GetParam().type, GetParam().text), GetParam().expected) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Numbers, JsonCells,
    testing::Values(
        Case{"boolean", "true", "true"}, Case{"boolean", "false", "false"},
        Case{"boolean", "\"TRUE\"", "true"}, Case{"boolean", "null", "NULL"},
        Case{"boolean", "1", "! column 'x': expected boolean, found 1"},
        Case{"boolean", "\"yes\"", "! column 'x': expected boolean, found \"yes\""},
        Case{"tinyint", "-128", "-128"}, Case{"tinyint", "127", "127"},
        Case{"tinyint", "128", "! column 'x': expected tinyint, found 128"},
        Case{"smallint", "-32769", "! column 'x': expected smallint, found -32769"},
        Case{"integer", "2147483647", "2147483647"}, Case{"integer", "-0", "0"},
        Case{"integer", "2147483648", "! column 'x': expected integer, found 2147483648"},
        Case{"integer", "3.0", "3"}, Case{"integer", "1.5e1", "15"}, Case{"integer", "2E+2", "200"},
        Case{"integer", "3.5", "! column 'x': expected integer, found 3.5"},
        Case{"integer", "\"42\"", "42"},
        Case{"integer", "\"4 2\"", "! column 'x': expected integer, found \"4 2\""},
        Case{"integer", "true", "! column 'x': expected integer, found true"},
        Case{"integer", "{}", "! column 'x': expected integer, found {}"},
        Case{"bigint", "9223372036854775807", "9223372036854775807"},
        Case{"bigint", "-9223372036854775808", "-9223372036854775808"},
        Case{"bigint", "9223372036854775808",
             "! column 'x': expected bigint, found 9223372036854775808"},
        Case{"bigint", "1e999999999999", "! column 'x': expected bigint, found 1e999999999999"},
        Case{"bigint", "0e999999999999", "0"}, Case{"double", "0.1", "1.0E-1"},
        Case{"double", "1e308", "1.0E308"},
        Case{"double", "1e309", "! column 'x': expected double, found 1e309"},
        Case{"double", "\"NaN\"", "NaN"}, Case{"double", "\"-Infinity\"", "-Infinity"},
        Case{"double", "\"0x10\"", "! column 'x': expected double, found \"0x10\""},
        Case{"real", "1.5", "1.5E0"},
        Case{"real", "1e39", "! column 'x': expected real, found 1e39"},
        Case{"decimal(10,2)", "12.5", "12.50"}, Case{"decimal(10,2)", "\"12.50\"", "12.50"},
        Case{"decimal(10,2)", "-0.01", "-0.01"}, Case{"decimal(10,2)", "1e2", "100.00"},
        Case{"decimal(10,2)", "12.500", "12.50"},
        Case{"decimal(10,2)", "12.505", "! column 'x': expected decimal(10,2), found 12.505"},
        Case{"decimal(10,2)", "99999999.99", "99999999.99"},
        Case{"decimal(10,2)", "100000000", "! column 'x': expected decimal(10,2), found 100000000"},
        Case{"decimal(38,0)", "99999999999999999999999999999999999999",
             "99999999999999999999999999999999999999"},
        Case{"decimal(38,0)", "-99999999999999999999999999999999999999",
             "-99999999999999999999999999999999999999"},
        Case{"decimal(38,0)", "1e38", "! column 'x': expected decimal(38,0), found 1e38"},
        Case{"decimal(38,37)", "0.1234567890123456789012345678901234567",
             "0.1234567890123456789012345678901234567"},
        Case{"decimal(3,1)", "10.0000000000000000000000000000000000000000000", "10.0"},
        Case{"decimal(3,1)", "1e-1000000", "! column 'x': expected decimal(3,1), found 1e-1000000"},
        // What a double would have made 0.1 + 0.2 of.
        Case{"decimal(20,17)", "0.30000000000000004", "0.30000000000000004"}));

INSTANTIATE_TEST_SUITE_P(
    Texts, JsonCells,
    testing::Values(
        Case{"varchar", R"("a\"b\\c\/\b\f\n\r\tAé")", "a\"b\\c/\b\f\n\r\tAé"},
        Case{"varchar", R"("😀")", "😀"}, Case{"varchar", "\"\"", ""},
        Case{"varchar", "12.50", "12.50"}, Case{"varchar", "true", "true"},
        Case{"varchar", "null", "NULL"}, Case{"varchar", "\"null\"", "null"},
        Case{"varchar", R"( { "b" : [ 1 , 2.0 , "x y" ] , "a" : { } } )",
             R"({"b":[1,2.0,"x y"],"a":{}})"},
        Case{"varchar", "[ ]", "[]"}, Case{"varchar(3)", "\"héé\"", "héé"},
        Case{"varchar(3)", "\"abcd\"", "! column 'x': expected varchar(3), found \"abcd\""},
        Case{"varbinary", "\"SGVsbG8=\"", "48656C6C6F"},
        Case{"varbinary", "\"SGVsbG8\"", "! column 'x': expected varbinary, found \"SGVsbG8\""},
        Case{"varbinary", "1", "! column 'x': expected varbinary, found 1"},
        Case{"json", R"({"b": 1, "a": [true, null]})", R"({"a":[true,null],"b":1})"},
        Case{"json", "\"text\"", "\"text\""}, Case{"json", "12.50", "12.50"},
        Case{"json", "false", "false"}, Case{"json", "null", "NULL"},
        Case{"uuid", "\"F79C3E09-677c-4BBD-a479-512F87FE0001\"",
             "f79c3e09-677c-4bbd-a479-512f87fe0001"},
        Case{"uuid", "\"00000000-0000-0000-0000-000000000000\"",
             "00000000-0000-0000-0000-000000000000"},
        Case{"uuid", "\"f79c3e09677c4bbda479512f87fe0001\"",
             "! column 'x': expected uuid, found \"f79c3e09677c4bbda479512f87fe0001\""},
        Case{"array(integer)", "[1, 2]", "[1,2]"},
        Case{"array(integer)", "{}", "! column 'x': expected array(integer), found {}"},
        Case{"array(integer)", "\"[1]\"", "! column 'x': expected array(integer), found \"[1]\""},
        Case{"map(varchar,integer)", R"({"a": 1})", R"({"a":1})"},
        Case{"map(varchar,integer)", "[]",
             "! column 'x': expected map(varchar, integer), found []"},
        Case{"row(a integer)", R"({"a": 1})", R"({"a":1})"},
        Case{"row(a integer)", "7", "! column 'x': expected row(a integer), found 7"}));

INSTANTIATE_TEST_SUITE_P(
    Times, JsonCells,
    testing::Values(
        Case{"date", "\"2024-02-29\"", "2024-02-29"},
        Case{"date", "\"2023-02-29\"", "! column 'x': expected date, found \"2023-02-29\""},
        Case{"date", "\"2024-01-01T00:00:00\"",
             "! column 'x': expected date, found \"2024-01-01T00:00:00\""},
        Case{"date", "1705276800000", "2024-01-15"}, Case{"date", "-1", "1969-12-31"},
        Case{"time(3)", "\"10:15:30.1239\"", "10:15:30.124"},
        Case{"time(0)", "\"10:15\"", "10:15:00"},
        Case{"time(3)", "\"24:00:00\"", "! column 'x': expected time(3), found \"24:00:00\""},
        Case{"time(3)", "36930123", "10:15:30.123"},
        Case{"timestamp(3)", "\"2025-01-15T10:15:30.123Z\"", "2025-01-15 10:15:30.123"},
        Case{"timestamp(3)", "\"2025-01-15 10:15:30.123\"", "2025-01-15 10:15:30.123"},
        Case{"timestamp(3)", "\"2025-01-15T10:15:30+02:00\"", "2025-01-15 08:15:30.000"},
        Case{"timestamp(3)", "\"2025-01-15T10:15:30-0530\"", "2025-01-15 15:45:30.000"},
        Case{"timestamp(3)", "\"2025-01-15T10:15+01\"", "2025-01-15 09:15:00.000"},
        Case{"timestamp(3)", "\"2025-01-15\"", "2025-01-15 00:00:00.000"},
        Case{"timestamp(0)", "\"2025-12-31T23:59:59.5Z\"", "2026-01-01 00:00:00"},
        Case{"timestamp(0)", "\"2025-12-31T23:59:59.4999999Z\"", "2025-12-31 23:59:59"},
        Case{"timestamp(6)", "\"1969-12-31T23:59:59.9999995Z\"", "1970-01-01 00:00:00.000000"},
        Case{"timestamp(6)", "\"0001-01-01T00:00:00Z\"", "0001-01-01 00:00:00.000000"},
        Case{"timestamp(3)", "1736936130123", "2025-01-15 10:15:30.123"},
        Case{"timestamp(3)", "\"2025-1-5 9:05:07\"", "2025-01-05 09:05:07.000"},
        Case{"timestamp(3)", "\"2025-13-01T00:00:00Z\"",
             "! column 'x': expected timestamp(3), found \"2025-13-01T00:00:00Z\""},
        Case{"timestamp(3)", "\"2025-01-15T10:15:30Zulu\"",
             "! column 'x': expected timestamp(3), found \"2025-01-15T10:15:30Zulu\""},
        Case{"timestamp(3)", "\"1736936130123\"",
             "! column 'x': expected timestamp(3), found \"1736936130123\""},
        Case{"timestamp(3)", "1736936130123456",
             "! column 'x': expected timestamp(3), found 1736936130123456"},
        Case{"timestamp(3) with time zone", "\"2025-01-15T10:15:30.123+02:00\"",
             "2025-01-15 08:15:30.123 UTC"}));

TEST(JsonDecoder, NumbersAreTimesInTheUnitOfTheColumn) {
  EXPECT_EQ(cell("timestamp(6)", "1736936130.1234564", TimeFormat::kSeconds),
            "2025-01-15 10:15:30.123456");
  EXPECT_EQ(cell("timestamp(6)", "\"1736936130\"", TimeFormat::kSeconds),
            "2025-01-15 10:15:30.000000");
  EXPECT_EQ(cell("timestamp(6)", "1736936130123456", TimeFormat::kMicros),
            "2025-01-15 10:15:30.123456");
  EXPECT_EQ(cell("timestamp(3)", "1736936130123.4", TimeFormat::kMillis),
            "2025-01-15 10:15:30.123");
}

class NotJson : public testing::TestWithParam<std::pair<std::string, const char*>> {};

TEST_P(NotJson, IsMalformed) {
  const std::vector columns{column("x", "bigint")};
  EXPECT_THAT(outcomes(json(), columns, {GetParam().first}).at(0), StartsWith(GetParam().second))
      << GetParam().first;
}

std::string nested(size_t depth) {
  return "{\"y\":" + std::string(depth, '[') + std::string(depth, ']') + ",\"x\":1}";
}

INSTANTIATE_TEST_SUITE_P(
    Messages, NotJson,
    testing::Values(
        std::pair{"", "! not JSON: it is empty"}, std::pair{"  ", "! not JSON: it is empty"},
        std::pair{"{\"x\": 1", "! not JSON: "}, std::pair{"{\"x\": ", "! not JSON: "},
        std::pair{"{\"x", "! not JSON: a string has no end"},
        std::pair{"{\"x\": 1}}", "! not JSON: "}, std::pair{"{\"x\": 1} x", "! not JSON: "},
        std::pair{"{\"x\": 1}{\"x\": 2}", "! not JSON: something stands behind the object"},
        std::pair{"{\"x\": 1} {\"x\": 2}", "! not JSON: something stands behind the object"},
        std::pair{"[{\"x\": 1}]", "! expected a JSON object, found [{\"x\": 1}]"},
        std::pair{"1", "! expected a JSON object, found 1"},
        std::pair{"null", "! expected a JSON object, found null"}, std::pair{"x", "! not JSON: "},
        std::pair{"{x: 1}", "! not JSON: "}, std::pair{"{\"x\" 1}", "! not JSON: "},
        std::pair{"{\"x\": 1,}", "! not JSON: "}, std::pair{"{\"x\": 1 \"y\": 2}", "! not JSON: "},
        std::pair{"{\"x\":: 1}", "! not JSON: "}, std::pair{"{\"x\": NaN}", "! not JSON: "},
        std::pair{"{\"x\": Infinity}", "! not JSON: "},
        std::pair{"{\"x\": 01}", "! not JSON: 01 is no value"},
        std::pair{"{\"x\": +1}", "! not JSON: "}, std::pair{"{\"x\": 1.}", "! not JSON: "},
        std::pair{"{\"x\": .5}", "! not JSON: "},
        std::pair{std::string("{\"x\": 1\0}", 9), "! not JSON: 1? is no value"},
        std::pair{std::string("{\"x\": 1, \"y\": [2\1]}"), "! not JSON: 2? is no value"},
        std::pair{R"({"x": 1, "y": "z": 2})", "! not JSON: "},
        std::pair{R"({"y": "z" : !1, "x": 1})", "! not JSON: "},
        std::pair{R"({"x": 1, "y": ["z": 2]})", "! not JSON: "},
        std::pair{"{\"x\": truex}", "! not JSON: "},
        std::pair{"{\"x\": 1, \"y\": nul}", "! not JSON: nul is no value"},
        std::pair{"{\"x\": 1, \"y\": \"\\x\"}", "! not JSON: "},
        std::pair{"{\"x\": 1, \"y\": \"\\ud800\"}", "! not JSON: "},
        std::pair{"{\"x\": 1, \"y\": \"\\udc00\\ud800\"}", "! not JSON: "},
        std::pair{"{\"x\": 1, \"y\": {\"z\": [1, 2}}", "! not JSON: "},
        std::pair{"{\"x\": 1, \"y\": [1,]}", "! not JSON: "},
        std::pair{"{\"x\": 1, \"y\": \"a\tb\"}", "! not JSON: a string holds control characters"},
        std::pair{"{\"x\": 1, \"y\": \"\xFF\"}", "! not JSON: it is not UTF-8"},
        std::pair{"{\"x\": 1, \"y\": \"\xC3\"}", "! not JSON: it is not UTF-8"},
        std::pair{nested(100'000), "! it nests deeper than 200"},
        std::pair{std::string("{\"x\": 1}\0", 9), "! not JSON: "}));

TEST(JsonDecoder, FindsMembersByTheirNameThenWithoutRegardToCase) {
  const std::vector columns{column("userid", "bigint"), column("name", "varchar")};
  EXPECT_THAT(outcomes(json(), columns,
                       {R"({"userId": 1, "NAME": "a"})", R"({"NAME": "b", "userId": 2})",
                        R"({"name": "exact", "Name": "near"})",
                        R"({"Name": "near", "name": "exact"})", R"({"NAME": "a", "Name": "b"})",
                        R"({"name": "unicode"})", R"({"other": 1})", "{}"}),
              ElementsAre("1|a", "2|b", "NULL|exact", "NULL|exact", "NULL|b", "NULL|unicode",
                          "NULL|NULL", "NULL|NULL"));
}

TEST(JsonDecoder, TheLastOfTwoMembersCounts) {
  const std::vector columns{column("x", "bigint"), column("city", "varchar", {"a", "city"})};
  EXPECT_THAT(
      outcomes(json(), columns,
               {R"({"x": "bad", "x": 2})", R"({"x": 1, "x": null})",
                R"({"a": {"city": "p"}, "a": {"zip": 1}})", R"({"a": {"city": "p"}, "a": 3})",
                R"({"a": {"city": "p", "city": "q"}, "x": 1, "x": 2})"}),
      ElementsAre("2|NULL", "NULL|NULL", "NULL|NULL", "NULL|NULL", "2|q"));
}

TEST(JsonDecoder, FollowsPaths) {
  const std::vector columns{
      column("city", "varchar", {"customer", "address", "city"}),
      column("address", "json", {"customer", "address"}),
      column("customer", "row(name varchar)"),
      column("again", "varchar", {"customer", "address", "city"}),
      column("id", "bigint", {"Id"}),
  };
  EXPECT_THAT(
      outcomes(json(), columns,
               {R"({"Id": 7, "customer": {"name": "é", "address": {"zip": 1, "city": "Ly\non"}}})",
                R"({"customer": {"address": null}})", R"({"customer": {"address": []}})",
                R"({"customer": "none", "Id": 1})"}),
      ElementsAre("Ly\non|{\"city\":\"Ly\\non\",\"zip\":1}|"
                  "{\"name\":\"é\",\"address\":{\"zip\":1,\"city\":\"Ly\\non\"}}|Ly\non|7",
                  "NULL|NULL|{\"address\":null}|NULL|NULL", "NULL|[]|{\"address\":[]}|NULL|NULL",
                  "! column 'customer': expected row(name varchar), found \"none\""));
}

TEST(JsonDecoder, AValueFillsEveryColumnOfItsMember) {
  const std::vector columns{column("n", "decimal(5,1)", {"v"}), column("t", "varchar", {"v"}),
                            column("d", "double", {"v"})};
  EXPECT_THAT(outcomes(json(), columns, {R"({"v": 1.50})"}), ElementsAre("1.5|1.50|1.5E0"));
}

TEST(JsonDecoder, RequiredColumnsHaveAValue) {
  std::vector columns{column("x", "bigint"), column("y", "bigint")};
  columns[0].required = true;
  EXPECT_THAT(outcomes(json(), columns, {R"({"x": 1})", R"({"y": 1})", R"({"x": null, "y": 1})"}),
              ElementsAre("1|NULL", "! column 'x' is required and has no value",
                          "! column 'x' is required and has no value"));
}

TEST(JsonDecoder, ShortensWhatItFound) {
  const std::string word(200, 'w');
  const std::string found = cell("bigint", "\"" + word + "\"");
  EXPECT_EQ(found, "! column 'x': expected bigint, found \"" + std::string(59, 'w') + "…");
  EXPECT_EQ(cell("bigint", "\"é\\u0007\""), "! column 'x': expected bigint, found \"é\\u0007\"");
}

TEST(JsonDecoder, MessagesOfManyShapesAndSizesOneAfterTheOther) {
  std::vector<ColumnConfig> columns;
  for (int i = 0; i < 40; ++i) columns.push_back(column("c" + std::to_string(i), "bigint"));
  std::vector<std::string> messages, expected;
  for (int round = 0; round < 60; ++round) {
    std::string message = "\xEF\xBB\xBF{", row;
    for (int i = 0; i < 40; ++i) {
      const int at = (i * 7 + round) % 40;
      if (at % 5 == round % 5) continue;
      message += (message.back() == '{' ? "" : ", ") + ("\"C" + std::to_string(at) + "\": ") +
                 std::to_string(at + round);
    }
    for (int i = 0; i < 40; ++i)
      row += (i ? "|" : "") + (i % 5 == round % 5 ? "NULL" : std::to_string(i + round));
    message += ", \"" + std::string(static_cast<size_t>(round) * 5, 'k') + "\": \"" +
               std::string(static_cast<size_t>(round) * 50, 'v') + "\"}";
    messages.push_back(message);
    expected.push_back(row);
  }
  EXPECT_EQ(outcomes(json(), columns, messages), expected);
}

TEST(JsonDecoder, TypesWithoutAFormInMessagesAreRefused) {
  EXPECT_THAT(failure([] { make_decoder(json(), {column("x", "char(3)")}, nullptr); }),
              HasSubstr("CONFIG_INVALID column 'x': messages have no char(3)"));
}

}  // namespace
}  // namespace meesh::streams
