// CSV and raw messages.
#include <gmock/gmock.h>

#include "streams/decode/decoder_fixture_test.h"

namespace meesh::streams {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

FormatConfig csv(std::vector<std::string> header = {}, char delimiter = ',') {
  return {.encoding = Encoding::kCsv, .delimiter = delimiter, .csv_header = std::move(header)};
}

TEST(CsvDecoder, ReadsOneRecord) {
  const std::vector columns{column("a", "varchar"), column("b", "integer"),
                            column("c", "decimal(6,2)")};
  EXPECT_THAT(
      outcomes(csv(), columns,
               {"x,1,2.50", "x,1,2.5\n", "x,1,2.5\r\n", "\"x,\"\"y\"\"\n z\",\"1\",", ",,",
                "\"\",,", "x", "x,1,2,ignored", "\"a\"\"\",,"}),
      ElementsAre("x|1|2.50", "x|1|2.50", "x|1|2.50", "x,\"y\"\n z|1|NULL", "NULL|NULL|NULL",
                  "|NULL|NULL", "x|NULL|NULL", "x|1|2.00", "a\"|NULL|NULL"));
}

TEST(CsvDecoder, OtherRecordsAreMalformed) {
  const std::vector columns{column("a", "varchar"), column("b", "integer")};
  EXPECT_THAT(
      outcomes(csv({"a", "b"}), columns,
               {"", "\n", "x,y", "x,1,2", "x", "x\ny,1", "\"x,1", "\"x\"y,1", "x\"y,1", "\xFF,1",
                "\"x\"\n\"y\",1"}),
      ElementsAre("! not CSV: it is empty", "! not CSV: it is empty",
                  "! column 'b': expected integer, found y",
                  "! not CSV: 3 fields, the header has 2", "! not CSV: 1 fields, the header has 2",
                  "! not CSV: more than one record", "! not CSV: a quoted field has no end",
                  "! not CSV: text behind a quoted field", "! not CSV: a quote in x\"y,1",
                  "! not CSV: it is not UTF-8", "! not CSV: more than one record"));
}

TEST(CsvDecoder, ColumnsAreFoundByNameAndByNumber) {
  const std::vector columns{column("price", "double", {"Price"}), column("id", "bigint"),
                            column("first", "varchar", {"0"})};
  EXPECT_THAT(outcomes(csv({"ID", "name", "Price"}, ';'), columns, {"7;n;1.5"}),
              ElementsAre("1.5E0|7|7"));
  EXPECT_THAT(
      failure([] { make_decoder(csv({"id", "price"}), {column("prize", "double")}, nullptr); }),
      HasSubstr("column 'prize': the CSV has no field 'prize' (did you mean 'price'?)"));
}

TEST(CsvDecoder, EmptyFieldsOfRequiredColumnsAreMalformed) {
  std::vector columns{column("a", "varchar")};
  columns[0].required = true;
  EXPECT_THAT(outcomes(csv(), columns, {"\"\"", ",x"}),
              ElementsAre("", "! column 'a' is required and has no value"));
}

TEST(CsvDecoder, FieldsHoldJsonTimesAndBytes) {
  std::vector columns{column("j", "json"), column("t", "timestamp(3)"), column("b", "varbinary"),
                      column("l", "array(integer)")};
  columns[1].time = TimeFormat::kMillis;
  EXPECT_THAT(
      outcomes(csv(), columns,
               {"\"{\"\"b\"\": 1, \"\"a\"\": 2}\",1736936130123,SGk=,\"[1, 2]\"", "{,,,", ",,,7"}),
      ElementsAre("{\"a\":2,\"b\":1}|2025-01-15 10:15:30.123|4869|[1,2]",
                  "! column 'j': expected json, found {",
                  "! column 'l': expected array(integer), found 7"));
}

TEST(RawDecoder, TakesMessagesAsTheyAre) {
  const FormatConfig raw{.encoding = Encoding::kRaw};
  EXPECT_THAT(outcomes(raw, {column("v", "varbinary")}, {"a\xFF", "", std::string("\0", 1)}),
              ElementsAre("61FF", "", "00"));
  EXPECT_THAT(outcomes(raw, {column("v", "varchar")}, {"é", "a\xFF"}),
              ElementsAre("é", "! column 'v': it is not UTF-8: a?"));
  EXPECT_THAT(outcomes(raw, {column("v", "varchar(1)")}, {"ab"}),
              ElementsAre("! column 'v': expected varchar(1), found ab"));
  EXPECT_THAT(failure([&] { make_decoder(raw, {column("v", "bigint")}, nullptr); }),
              HasSubstr("CONFIG_INVALID"));
}

}  // namespace
}  // namespace meesh::streams
