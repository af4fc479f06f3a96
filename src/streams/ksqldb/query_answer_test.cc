#include "streams/ksqldb/query_answer.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "streams/ksqldb/exact_json.h"
#include "streams/ksqldb/ksqldb_cells.h"
#include "streams/ksqldb/ksqldb_error.h"
#include "streams/ksqldb/ksqldb_types.h"

namespace meesh::streams {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using Shape = QueryAnswer::Shape;

std::string exact(std::string_view text) {
  std::string out;
  write_json(parse_exact_json(text, "it"), out);
  return out;
}

/// Runs it and gives the error, which is to be thrown.
template <typename F>
Error error_of(const F& run) {
  try {
    run();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Code::kGenericInternalError, "nothing was thrown");
}

TEST(ExactJson, KeepsTheDigitsOfNumbers) {
  EXPECT_EQ(exact("[12345678901234567.89, 487.90, 0.1, 10.00]"),
            R"(["12345678901234567.89",487.9,0.1,10.0])");
  EXPECT_EQ(exact("[0.30000000000000004, 0.3000000000000000444]"),
            R"([0.30000000000000004,"0.3000000000000000444"])");
  EXPECT_EQ(exact("[9223372036854775807, 18446744073709551615, 123456789012345678901]"),
            R"([9223372036854775807,18446744073709551615,"123456789012345678901"])");
  EXPECT_EQ(exact("[1e400, 2.0E10, -0.0, -1.5e-3]"), R"(["1e400",2e+10,-0.0,-0.0015])");
}

TEST(ExactJson, KeepsEverythingElse) {
  EXPECT_EQ(exact(R"({"a":[true,null,{"é\n\"":"\u20ac"}],"":[]})"),
            "{\"a\":[true,null,{\"é\\n\\\"\":\"€\"}],\"\":[]}");
  EXPECT_EQ(exact(" 1 "), "1");
}

TEST(ExactJson, RefusesWhatIsNone) {
  for (const char* text : {"", "{", "[1,]", "1 2", "nul", "\"\xff\"", "{\"a\":1}}"}) {
    EXPECT_EQ(error_of([&] { parse_exact_json(text, "it"); }).code(), Code::kGenericExternal)
        << text;
  }
  const std::string deep(100, '[');
  EXPECT_THROW(parse_exact_json(deep + std::string(100, ']'), "it"), Error);
}

TEST(KsqldbTypes, Parses) {
  const auto type = [](const std::string& text) { return type_of_ksqldb(text).display(); };
  EXPECT_EQ(type("DECIMAL(10, 2)"), "decimal(10,2)");
  EXPECT_EQ(type("STRING"), "varchar");
  EXPECT_EQ(type("varchar"), "varchar");
  EXPECT_EQ(type("INTEGER"), "integer");
  EXPECT_EQ(type("TIMESTAMP"), "timestamp(3)");
  EXPECT_EQ(type("TIME"), "time(3)");
  EXPECT_EQ(type("BYTES"), "varbinary");
  EXPECT_EQ(type("MAP<STRING, ARRAY<BIGINT>>"), "map(varchar, array(bigint))");
  EXPECT_EQ(type("ARRAY<STRUCT<`ID` STRING, `a ``b` DECIMAL(5,1), C STRUCT<D BOOLEAN>>>"),
            "array(row(id varchar, \"a `b\" decimal(5,1), c row(d boolean)))");
}

TEST(KsqldbTypes, RefusesWhatIsNone) {
  for (const char* text :
       {"", "TEXT", "DECIMAL", "DECIMAL(0, 0)", "DECIMAL(39, 0)", "DECIMAL(3, 4)", "ARRAY<INT",
        "MAP<STRING>", "STRUCT<>", "STRUCT<`a>", "STRUCT<A INT, `a` INT>", "INT INT", "ARRAY<>"}) {
    EXPECT_EQ(error_of([&] { type_of_ksqldb(text); }).code(), Code::kTypeNotFound) << text;
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "ARRAY<";
  EXPECT_THAT(error_of([&] { type_of_ksqldb(deep); }).message(), HasSubstr("nested"));
}

TEST(KsqldbTypes, SchemaOfAHeader) {
  const auto columns =
      columns_of_ksqldb("`ID` BIGINT KEY, `N, <``>` MAP<STRING, INT>, `P` INT PRIMARY KEY");
  ASSERT_EQ(columns.size(), 3);
  EXPECT_EQ(columns[0].name, "ID");
  EXPECT_EQ(columns[0].type, "BIGINT");
  EXPECT_TRUE(columns[0].key);
  EXPECT_EQ(columns[1].name, "N, <`>");
  EXPECT_EQ(columns[1].type, "MAP<STRING, INT>");
  EXPECT_FALSE(columns[1].key);
  EXPECT_TRUE(columns[2].key);
  EXPECT_TRUE(columns_of_ksqldb("").empty());
  EXPECT_EQ(error_of([] { columns_of_ksqldb("`ID`"); }).code(), Code::kGenericExternal);
}

TEST(KsqldbTypes, DescribedTypesAreParsedBack) {
  const auto text = [](const char* schema) {
    return ksqldb_type_text(json::parse(schema).as_object());
  };
  EXPECT_EQ(text(R"({"type":"DECIMAL","parameters":{"precision":20,"scale":2}})"),
            "DECIMAL(20, 2)");
  EXPECT_EQ(text(R"({"type":"MAP","memberSchema":{"type":"STRUCT","fields":[
              {"name":"a`b","schema":{"type":"INTEGER"}}]}})"),
            "MAP<STRING, STRUCT<`a``b` INTEGER>>");
  for (const char* bad : {"{}", R"({"type":"ARRAY"})", R"({"type":"STRUCT","fields":[{}]})",
                          R"({"type":"DECIMAL"})"}) {
    EXPECT_EQ(error_of([&] { text(bad); }).code(), Code::kGenericExternal) << bad;
  }
}

TEST(KsqldbCells, Decimals) {
  const auto unscaled = [](const char* text, int scale) -> std::string {
    const auto value = decimal_of_ksqldb(text, scale);
    return value ? std::to_string(static_cast<int64_t>(*value)) : "none";
  };
  EXPECT_EQ(unscaled("487.9", 2), "48790");
  EXPECT_EQ(unscaled("-12345678901234567.89", 2), "-1234567890123456789");
  EXPECT_EQ(unscaled("1.5e-3", 4), "15");
  EXPECT_EQ(unscaled("1500e-2", 0), "15");
  EXPECT_EQ(unscaled("2.0E10", 0), "20000000000");
  EXPECT_EQ(unscaled("1.500", 1), "15");
  EXPECT_EQ(unscaled("0.00", 0), "0");
  for (const char* text : {"1.55", "", "-", ".", "1.2.3", "abc", "1e", "1e9999", "0x1", "NaN"}) {
    EXPECT_EQ(unscaled(text, 1), "none") << text;
  }
  EXPECT_TRUE(decimal_of_ksqldb("99999999999999999999999999999999999999", 0).has_value());
  EXPECT_FALSE(decimal_of_ksqldb("100000000000000000000000000000000000000", 0).has_value());
  EXPECT_FALSE(decimal_of_ksqldb("9999999999999999999999999999999999999.9", 2).has_value());
}

TEST(KsqldbCells, Times) {
  EXPECT_EQ(date_of_ksqldb("1970-01-02"), 1);
  EXPECT_EQ(date_of_ksqldb("2024-02-29"), 19782);
  EXPECT_EQ(timestamp_of_ksqldb("1969-12-31T23:59:59.999"), -1000);
  EXPECT_EQ(timestamp_of_ksqldb("1970-01-01T00:01"), 60'000'000);
  EXPECT_EQ(time_of_ksqldb("10:30"), 37'800'000'000);
  EXPECT_EQ(time_of_ksqldb("00:00:01.5"), 1'500'000);
  for (const char* text : {"2023-02-29", "2023-13-01", "2023-1-1", "", "2023/01/01"}) {
    EXPECT_FALSE(date_of_ksqldb(text).has_value()) << text;
  }
  for (const char* text : {"24:00", "10:60", "10:30:60", "10:30:", "10:30:05.", "1:30", "10:30Z"}) {
    EXPECT_FALSE(time_of_ksqldb(text).has_value()) << text;
  }
}

TEST(KsqldbErrors, CarryWordsAndNumber) {
  const auto code = [](int number) {
    return ksqldb_error(json::object{{"error_code", number}, {"message", "m"}}).code();
  };
  EXPECT_EQ(code(40001), Code::kGenericUserError);
  EXPECT_EQ(code(40100), Code::kPermissionDenied);
  EXPECT_EQ(code(40300), Code::kPermissionDenied);
  EXPECT_EQ(code(40400), Code::kNotFound);
  EXPECT_EQ(code(50302), Code::kUnavailable);
  EXPECT_EQ(code(50000), Code::kGenericExternal);
  const Error page = ksqldb_error(502, "<html>Bad Gateway</html>", "ksqlDB at http://x");
  EXPECT_EQ(page.message(), "ksqlDB at http://x answered 502: <html>Bad Gateway</html>");
}

/// What came out of an answer, as text.
struct Heard {
  std::vector<std::string> columns, rows;
  size_t enough = 0;  // rows after which it is; 0: never

  QueryAnswer answer(Shape shape) {
    return QueryAnswer(
        shape,
        [this](const std::vector<KsqldbColumn>& header) {
          for (const KsqldbColumn& column : header)
            columns.push_back(column.name + " " + column.type);
        },
        [this](const KsqldbRow& row) {
          write_json(row, rows.emplace_back());
          return enough == 0 || rows.size() < enough;
        });
  }
};

constexpr std::string_view kDelimited =
    "{\"queryId\":null,\"columnNames\":[\"ID\",\"TAGS\"],\"columnTypes\":[\"BIGINT\",\"ARRAY<"
    "STRING>\"]}\n"
    "[1,[\"}]\\\"\",\"\\\\\"]]\n\n[2,null]\n";
constexpr std::string_view kArray =
    "[{\"header\":{\"queryId\":\"q\",\"schema\":\"`ID` BIGINT, `TAGS` ARRAY<STRING>\"}},\n"
    "{\"row\":{\"columns\":[1,[\"}]\\\"\",\"\\\\\"]]}},\n\n{\"row\":{\"columns\":[2,null]}},"
    "{\"row\":{\"key\":[2],\"tombstone\":true}},{\"finalMessage\":\"Query Completed\"}]\n";

TEST(QueryAnswer, IsReadInPiecesOfAnySize) {
  for (const auto& [shape, text] :
       {std::pair(Shape::kDelimited, kDelimited), std::pair(Shape::kArray, kArray)}) {
    for (size_t size = 1; size <= text.size(); ++size) {
      Heard heard;
      QueryAnswer answer = heard.answer(shape);
      for (size_t at = 0; at < text.size(); at += size) answer.add(text.substr(at, size));
      answer.end();
      EXPECT_THAT(heard.columns, ElementsAre("ID BIGINT", "TAGS ARRAY<STRING>"));
      ASSERT_THAT(heard.rows, ElementsAre(R"([1,["}]\"","\\"]])", "[2,null]")) << size;
    }
  }
}

TEST(QueryAnswer, EndsWhenThereAreEnough) {
  Heard heard{.enough = 1};
  QueryAnswer answer = heard.answer(Shape::kDelimited);
  EXPECT_FALSE(answer.add(kDelimited));
  EXPECT_FALSE(answer.add("rubbish"));
  answer.end();
  EXPECT_EQ(heard.rows.size(), 1);
}

TEST(QueryAnswer, EndsWithTheFinalMessage) {
  Heard heard;
  QueryAnswer answer = heard.answer(Shape::kArray);
  EXPECT_FALSE(answer.add(kArray));
}

TEST(QueryAnswer, ErrorsInTheMidst) {
  const std::string head = R"({"queryId":"q","columnNames":["ID"],"columnTypes":["INTEGER"]})";
  Heard heard;
  QueryAnswer answer = heard.answer(Shape::kDelimited);
  EXPECT_TRUE(answer.add(head + "\n[1]\n"));
  const Error error = error_of([&] {
    answer.add(R"({"@type":"generic_error","error_code":50000,"message":"out of memory"})");
  });
  EXPECT_EQ(error.message(), "ksqlDB: out of memory (error 50000)");
  EXPECT_EQ(heard.rows.size(), 1);

  Heard other;
  QueryAnswer array = other.answer(Shape::kArray);
  const Error text = error_of([&] { array.add(R"([{"row":null,"errorMessage":"broken"}])"); });
  EXPECT_EQ(text.message(), "ksqlDB: broken (error 50000)");
}

TEST(QueryAnswer, RefusesWhatIsNoAnswer) {
  for (const char* text : {"<html>", "[1]\n", R"({"columnNames":["A"]})", R"({"columnNames":1})",
                           R"({"columnNames":["A"],"columnTypes":["INT"]}[1,2])"}) {
    Heard heard;
    QueryAnswer answer = heard.answer(Shape::kDelimited);
    EXPECT_EQ(error_of([&] { answer.add(text); }).code(), Code::kGenericExternal) << text;
  }
  for (const char* text : {"", R"({"columnNames":["A"],"columnTypes":["INT"]}[1)"}) {
    Heard heard;
    QueryAnswer answer = heard.answer(Shape::kDelimited);
    answer.add(text);
    EXPECT_EQ(error_of([&] { answer.end(); }).code(), Code::kGenericExternal) << text;
  }
}

}  // namespace
}  // namespace meesh::streams
