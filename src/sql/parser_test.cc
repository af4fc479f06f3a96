#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "sql/lexer.h"
#include "sql/sql.h"

namespace meesh::sql {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string dump_of(std::string_view text) { return dump(*parse(text)); }
std::string printed(std::string_view text) { return print_trino(*parse(text)); }

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Error error_of(std::string_view text) {
  try {
    parse(text);
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "parsed: " << text.substr(0, 200);
  return Error(Code::kGenericInternalError, "parsed");
}

std::string message_of(std::string_view text) { return error_of(text).sql_message(); }

/// Parses, prints, parses again; gtest failures name the statement.
void expect_round_trip(std::string_view text) {
  SCOPED_TRACE(std::string(text.substr(0, 300)));
  std::string again;
  try {
    StatementPtr first = parse(text);
    std::string before = dump(*first);
    again = print_trino(*first);
    StatementPtr second = parse(again);
    EXPECT_EQ(dump(*second), before) << "printed: " << again;
    EXPECT_EQ(print_trino(*second), again);
  } catch (const Error& e) {
    ADD_FAILURE() << e.what() << "\nprinted: " << again;
  }
}

TEST(ParserCorpus, EveryStatementPrintsBack) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("tests/sql/parser")) {
    if (entry.path().extension() != ".sql") continue;
    std::string script = read(entry.path());
    for (std::string_view statement : split_statements(script)) {
      expect_round_trip(statement);
      ++count;
    }
  }
  EXPECT_GT(count, 300u);
}

TEST(ParserCorpus, WindowsLineEndsAndCaseChangeNothing) {
  std::string script = read("tests/sql/parser/queries.sql");
  for (std::string_view statement : split_statements(script)) {
    std::string crlf;
    for (char c : statement) crlf += c == ' ' ? std::string("\r\n\t") : std::string(1, c);
    if (statement.find('\'') != std::string_view::npos) continue;  // spaces inside strings count
    EXPECT_EQ(dump_of(crlf), dump_of(statement)) << statement;
  }
}

// ---------------------------------------------------------------- shapes

TEST(Parser, OperatorsBindAsInTrino) {
  EXPECT_EQ(dump_of("SELECT 1 + 2 * 3"), dump_of("SELECT 1 + (2 * 3)"));
  EXPECT_EQ(dump_of("SELECT 1 - 2 - 3"), dump_of("SELECT (1 - 2) - 3"));
  EXPECT_EQ(dump_of("SELECT a || b + c"), dump_of("SELECT a || (b + c)"));
  EXPECT_EQ(dump_of("SELECT -a * b"), dump_of("SELECT (-a) * b"));
  EXPECT_EQ(dump_of("SELECT -a AT TIME ZONE 'UTC'"), dump_of("SELECT -(a AT TIME ZONE 'UTC')"));
  EXPECT_EQ(dump_of("SELECT NOT a = b AND c OR d"), dump_of("SELECT ((NOT (a = b)) AND c) OR d"));
  EXPECT_EQ(dump_of("SELECT a BETWEEN 1 AND 2 AND c"), dump_of("SELECT (a BETWEEN 1 AND 2) AND c"));
  EXPECT_EQ(dump_of("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3"),
            dump_of("SELECT 1 UNION (SELECT 2 INTERSECT SELECT 3)"));
}

TEST(Parser, DumpShowsTheTree) {
  EXPECT_EQ(dump_of("SELECT a.b, count(*) AS n FROM t x WHERE c >= 1.50 LIMIT 5"),
            "(query (select (item (. (id a) b)) (item (call (name count) (args (*))) (as n))"
            " (from (as (table (name t)) x)) (where (>= (id c) (decimal 1.50)))) (limit 5))");
}

TEST(Parser, AndOrAreFlat) {
  ExprPtr e = parse_expression("a OR b OR (c OR d) OR e AND f AND g");
  ASSERT_EQ(e->kind, ExprKind::kLogical);
  EXPECT_EQ(as<Logical>(*e).terms.size(), 4u);
}

TEST(Parser, LiteralsAreDecoded) {
  auto string_of = [](std::string_view text) {
    return as<StringLiteral>(*parse_expression(text)).value;
  };
  EXPECT_EQ(string_of("'it''s'"), "it's");
  EXPECT_EQ(string_of("U&'Hello winter \\2603 !'"), "Hello winter ☃ !");
  EXPECT_EQ(string_of("U&'d!0061t!+01F986!!' UESCAPE '!'"), "dat🦆!");
  EXPECT_EQ(as<IntegerLiteral>(*parse_expression("0xFF_ff")).value, 65535u);
  EXPECT_EQ(as<IntegerLiteral>(*parse_expression("0b101")).value, 5u);
  EXPECT_EQ(as<IntegerLiteral>(*parse_expression("0o17")).value, 15u);
  EXPECT_EQ(as<IntegerLiteral>(*parse_expression("1_000_000")).value, 1000000u);
  EXPECT_EQ(as<IntegerLiteral>(*parse_expression("00012")).value, 12u);
  EXPECT_EQ(as<BinaryLiteral>(*parse_expression("x'41 4a'")).bytes, "AJ");
  EXPECT_EQ(as<DecimalLiteral>(*parse_expression("1_0.50")).text, "10.50");
  EXPECT_EQ(as<DoubleLiteral>(*parse_expression("1.5e-3")).text, "1.5E-3");
  EXPECT_EQ(as<TypedLiteral>(*parse_expression("Double Precision '1'")).type, "double");
}

TEST(Parser, BigintRangeIsCheckedWhereItIsWritten) {
  EXPECT_EQ(printed("SELECT -9223372036854775808"), "SELECT -9223372036854775808");
  EXPECT_EQ(message_of("SELECT 1 + 9223372036854775808"),
            "line 1:12: Invalid numeric literal: 9223372036854775808");
  EXPECT_EQ(message_of("SELECT 99999999999999999999"),
            "line 1:8: Invalid numeric literal: 99999999999999999999");
}

TEST(Parser, WordsThatAreNotReservedAreNames) {
  StatementPtr s = parse("SELECT 1 limit, 2 AS offset FROM t window, u fetch LIMIT 3");
  const auto& select = as<Select>(*as<QueryStatement>(*s).query->body);
  EXPECT_EQ(select.items[0].alias->value, "limit");
  EXPECT_EQ(select.items[1].alias->value, "offset");
  EXPECT_EQ(as<IntegerLiteral>(*as<QueryStatement>(*s).query->limit).value, 3u);
}

TEST(Parser, ParametersAreNumberedInTextOrder) {
  StatementPtr s = parse("SELECT ? FROM t WHERE a IN (?, ?) OFFSET ? LIMIT ?");
  EXPECT_THAT(dump(*s), HasSubstr("(item ?0)"));
  EXPECT_THAT(dump(*s), HasSubstr("(list ?1 ?2)"));
  EXPECT_THAT(dump(*s), HasSubstr("(offset ?3) (limit ?4)"));
}

TEST(Parser, ParenthesesThatChangeNothingLeaveNoNode) {
  EXPECT_EQ(dump_of("((SELECT 1))"), dump_of("SELECT 1"));
  EXPECT_EQ(dump_of("(SELECT 1) UNION (SELECT 2)"), dump_of("SELECT 1 UNION SELECT 2"));
  EXPECT_NE(dump_of("(SELECT 1 LIMIT 1) UNION SELECT 2"),
            dump_of("SELECT 1 UNION SELECT 2 LIMIT 1"));
  EXPECT_NE(dump_of("SELECT a IN ((SELECT 1))"), dump_of("SELECT a IN (SELECT 1)"));
}

TEST(Parser, KeepsTextsAsWritten) {
  StatementPtr view = parse("CREATE VIEW v AS  SELECT 1 /* one */\n FROM t ; ");
  EXPECT_EQ(as<CreateView>(*view).query_text, "SELECT 1 /* one */\n FROM t");
  StatementPtr prepare = parse("PREPARE p FROM SELECT  ? ;");
  EXPECT_EQ(as<Prepare>(*prepare).text, "SELECT  ?");
}

TEST(Parser, PrintsOnlyTheParenthesesItNeeds) {
  EXPECT_EQ(printed("select (((a + (b * c)))) from (t) where ((a = 1) and (b or c))"),
            "SELECT a + b * c FROM t WHERE a = 1 AND (b OR c)");
  EXPECT_EQ(printed("SELECT - (-1), -(a + b), (1).x"), "SELECT - -1, -(a + b), (1).x");
  EXPECT_EQ(printed("SELECT (x -> x) = y"), "SELECT (x -> x) = y");
  EXPECT_EQ(printed("SELECT 1 EXCEPT (SELECT 2 EXCEPT SELECT 3)"),
            "SELECT 1 EXCEPT (SELECT 2 EXCEPT SELECT 3)");
  EXPECT_EQ(printed("SELECT \"a\", \"select\", B FROM \"T\""),
            "SELECT \"a\", \"select\", B FROM \"T\"");
}

TEST(Parser, PrintsResolvedNodes) {
  StatementPtr s = parse("SELECT a FROM t");
  auto& select = as<Select>(*as<QueryStatement>(*s).query->body);
  auto column = std::make_unique<ColumnRef>();
  column->relation = "t1";
  column->column = "a";
  select.items[0].value = std::move(column);
  auto& table = as<TableRef>(*select.from);
  table.resolved.emplace();
  table.resolved->name = {"c", "s", "t"};
  table.alias = "t1";
  EXPECT_EQ(print_trino(*s), "SELECT \"t1\".\"a\" FROM \"c\".\"s\".\"t\" AS \"t1\"");
}

// ---------------------------------------------------------------- positions and errors

TEST(ParserPositions, CountCodePointsAndLines) {
  ExprPtr e = parse_expression("'🦆é' = b");
  EXPECT_EQ(e->pos.column, 6);
  EXPECT_EQ(as<Comparison>(*e).right->pos.column, 8);
  e = parse_expression("a +\r\n\t b");
  EXPECT_EQ(e->pos.line, 1);
  EXPECT_EQ(e->pos.column, 3);
  EXPECT_EQ(as<BinaryOp>(*e).right->pos.line, 2);
  EXPECT_EQ(as<BinaryOp>(*e).right->pos.column, 3);
  StatementPtr s = parse("SELECT 1\nFROM c.s.t");
  const auto& select = as<Select>(*as<QueryStatement>(*s).query->body);
  EXPECT_EQ(select.from->pos.line, 2);
  EXPECT_EQ(select.from->pos.column, 6);
}

TEST(ParserErrors, NameThePlaceAndWhatWasExpected) {
  EXPECT_THAT(message_of("SELECT * FORM t"),
              StartsWith("line 1:10: mismatched input 'FORM'. Expecting: "));
  EXPECT_THAT(message_of("SELECT * FORM t"), HasSubstr("'FROM'"));
  EXPECT_EQ(error_of("SELECT * FORM t").hint(), "did you mean FROM?");
  EXPECT_EQ(error_of("SELCT 1").hint(), "did you mean SELECT?");
  EXPECT_THAT(message_of("SELCT 1"),
              StartsWith("line 1:1: mismatched input 'SELCT'. Expecting: 'ALTER', "));
  EXPECT_EQ(message_of("SELECT"),
            "line 1:7: mismatched input '<EOF>'. Expecting: '*', 'ALL', 'DISTINCT', <expression>");
  EXPECT_THAT(
      message_of("SELECT 1 FROM"),
      HasSubstr("line 1:14: mismatched input '<EOF>'. Expecting: '(', 'JSON_TABLE', 'LATERAL'"));
  EXPECT_EQ(message_of("SELECT 1 +"),
            "line 1:11: mismatched input '<EOF>'. Expecting: <expression>");
  EXPECT_EQ(
      message_of("SELECT a FROM t WHERE\n  (b = 1"),
      "line 2:9: mismatched input '<EOF>'. Expecting: '%', ')', '*', '+', ',', '-', '.', '/', "
      "'AND', 'AT', 'OR', '[', '||'");
  EXPECT_EQ(message_of("SELECT CAST(a AS)"), "line 1:17: mismatched input ')'. Expecting: <type>");
  EXPECT_EQ(message_of("DROP TABLE"),
            "line 1:11: mismatched input '<EOF>'. Expecting: 'IF', <identifier>");
  EXPECT_EQ(message_of("CREATE OR TABLE t"),
            "line 1:11: mismatched input 'TABLE'. Expecting: 'REPLACE'");
  EXPECT_EQ(message_of("SHOW COLUMNS"),
            "line 1:13: mismatched input '<EOF>'. Expecting: 'FROM', 'IN'");
  EXPECT_THAT(message_of(""), StartsWith("line 1:1: mismatched input '<EOF>'. Expecting: "));
  EXPECT_THAT(message_of("SELECT 1; SELECT 2"),
              ::testing::AllOf(StartsWith("line 1:9: mismatched input ';'. Expecting: '%', '*', "),
                               HasSubstr("<EOF>")));
  EXPECT_EQ(error_of("SELECT order FROM t").hint(), "");
  EXPECT_EQ(error_of("SELECT a AS order FROM t").hint(),
            "ORDER is a reserved word; as a name it goes in double quotes");
}

TEST(ParserErrors, RefusedWords) {
  EXPECT_EQ(
      message_of("SELECT `a` FROM t"),
      "line 1:8: backquoted identifiers are not supported; use double quotes to quote identifiers");
  EXPECT_EQ(message_of("SELECT 1 FROM 1abc"),
            "line 1:15: identifiers must not start with a digit; surround the identifier with "
            "double quotes");
  EXPECT_EQ(message_of("SELECT \"\" FROM t"),
            "line 1:8: Zero-length delimited identifier not allowed");
  EXPECT_THAT(message_of("SELECT é"), StartsWith("line 1:8: mismatched input 'é'."));
  EXPECT_THAT(error_of("SELECT é").hint(), HasSubstr("double quotes"));
  EXPECT_THAT(message_of("SELECT a = b = c"), StartsWith("line 1:14: mismatched input '='"));
  EXPECT_THAT(message_of("SELECT 1 LIMIT 1 OFFSET 1"),
              StartsWith("line 1:18: mismatched input 'OFFSET'"));
}

TEST(ParserErrors, UnclosedTexts) {
  EXPECT_EQ(message_of("SELECT 'abc"),
            "line 1:8: mismatched input '''. Expecting: '*', 'ALL', 'DISTINCT', <expression>");
  EXPECT_EQ(error_of("SELECT 'abc").hint(), "a string or a quoted name is not closed");
  EXPECT_THAT(message_of("SELECT \"abc"), StartsWith("line 1:8: mismatched input '\"'. Expecting"));
  EXPECT_EQ(message_of("SELECT 1 + /* x"),
            "line 1:12: mismatched input '/'. Expecting: <expression>");
  // As in Trino's grammar X is a name then, and a quote behind it is nothing.
  EXPECT_THAT(message_of("SELECT X'4"), StartsWith("line 1:9: mismatched input '''. Expecting"));
  EXPECT_EQ(message_of("SELECT '\xff'"), "line 1:9: statement is not valid UTF-8");
  EXPECT_EQ(message_of("SELECT \xc3"), "line 1:8: statement is not valid UTF-8");
}

TEST(ParserErrors, LiteralsThatMeanNothing) {
  EXPECT_EQ(message_of("SELECT X'414'"),
            "line 1:8: Binary literal must contain an even number of digits");
  EXPECT_EQ(message_of("SELECT X'4G'"),
            "line 1:8: Binary literal can only contain hexadecimal digits");
  EXPECT_EQ(message_of("SELECT U&'\\00'"), "line 1:8: Incomplete escape sequence: 00");
  EXPECT_EQ(message_of("SELECT U&'\\00zz'"), "line 1:8: Invalid hexadecimal digit: \\00zz");
  EXPECT_EQ(message_of("SELECT U&'\\+110000'"), "line 1:8: Invalid escaped character: \\+110000");
  EXPECT_THAT(message_of("SELECT U&'\\D83D'"), HasSubstr("Escaped character is a surrogate"));
  EXPECT_EQ(message_of("SELECT U&'a' UESCAPE '+'"),
            "line 1:8: Invalid Unicode escape character: +");
  EXPECT_EQ(message_of("SELECT current_timestamp(13)"),
            "TIMESTAMP WITH TIME ZONE precision must be in range [0, 12]: 13");
}

// ---------------------------------------------------------------- depth and size

std::string repeat(std::string_view text, size_t n) {
  std::string out;
  out.reserve(text.size() * n);
  for (size_t i = 0; i < n; ++i) out += text;
  return out;
}

/// Sanitizers make frames larger.
#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kSmallStack = 32 << 20;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr size_t kSmallStack = 32 << 20;
#else
constexpr size_t kSmallStack = 4 << 20;
#endif
#else
constexpr size_t kSmallStack = 4 << 20;
#endif

/// Runs on a stack of 4 MB, half of what a thread usually has.
void on_small_stack(const std::function<void()>& work) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kSmallStack);
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* arg) -> void* {
                  (*static_cast<const std::function<void()>*>(arg))();
                  return nullptr;
                },
                const_cast<std::function<void()>*>(&work)),
            0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

struct Nest {
  const char* name;
  std::string before, open, middle, close, after;
};

const std::vector<Nest>& nests() {
  static const std::vector<Nest> list = {
      {"parentheses", "SELECT ", "(", "1", ")", ""},
      {"parentheses with sums", "SELECT ", "(1 + ", "1", ")", ""},
      {"left parentheses", "SELECT ", "(", "1", " + 1)", ""},
      {"minus", "SELECT ", "- ", "1", "", ""},
      {"not", "SELECT ", "NOT ", "a", "", ""},
      {"calls", "SELECT ", "f(", "1", ")", ""},
      {"arrays", "SELECT ", "ARRAY[", "1", "]", ""},
      {"subscripts", "SELECT ", "a[", "1", "]", ""},
      {"subscript chain", "SELECT a", "[1]", "", "", ""},
      {"field chain", "SELECT a", ".b", "", "", ""},
      {"sum", "SELECT 1", " + 1", "", "", ""},
      {"concat", "SELECT 'a'", " || 'b'", "", "", ""},
      {"at time zone", "SELECT a", " AT TIME ZONE 'UTC'", "", "", ""},
      {"case", "SELECT ", "CASE WHEN ", "a", " THEN 1 END", ""},
      {"cast", "SELECT ", "CAST(", "1", " AS integer)", ""},
      {"lambda", "SELECT ", "x -> ", "1", "", ""},
      {"rows", "SELECT ", "(1, ", "1", ")", ""},
      {"exists", "", "SELECT EXISTS (", "SELECT 1", ")", ""},
      {"subqueries", "", "SELECT (", "SELECT 1", ")", ""},
      {"derived tables", "", "SELECT * FROM (", "SELECT 1", ")", ""},
      {"in subqueries", "", "SELECT a IN (", "SELECT 1", ")", ""},
      {"query parentheses", "", "(", "SELECT 1", ")", ""},
      {"union right", "", "SELECT 1 UNION (", "SELECT 1", ")", ""},
      {"except chain", "SELECT 1", " EXCEPT SELECT 1", "", "", ""},
      {"with", "", "WITH a AS (", "SELECT 1", ") SELECT 1", ""},
      {"join right", "SELECT * FROM ", "a JOIN ", "a", " ON true", ""},
      {"join chain", "SELECT * FROM a", " CROSS JOIN b", "", "", ""},
      {"comma chain", "SELECT * FROM a", ", b", "", "", ""},
      {"relation parentheses", "SELECT * FROM ", "(", "a", ")", ""},
      {"types", "SELECT CAST(1 AS ", "array(", "integer", ")", ")"},
      {"type arrays", "SELECT CAST(1 AS integer", " array", "", "", ")"},
      {"row types", "SELECT CAST(1 AS ", "row(a ", "integer", ")", ")"},
      {"explain", "", "EXPLAIN ", "SELECT 1", "", ""},
      {"prepare", "", "PREPARE p FROM ", "SELECT 1", "", ""},
      {"patterns", "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (", "(", "A", ")",
       ") DEFINE A AS true)"},
      {"windows", "SELECT ", "f() OVER (PARTITION BY ", "1", ")", ""},
      {"group sets", "SELECT 1 GROUP BY ", "(", "a", ")", ""},
      {"json", "SELECT ", "json_array(", "1", ")", ""},
      {"routines", "CREATE FUNCTION f() RETURNS integer ", "BEGIN ", "RETURN 1", "; END", ""},
      {"json tables", "SELECT * FROM JSON_TABLE(a, '$' ", "COLUMNS (NESTED '$' ",
       "COLUMNS (x integer)", ")", ")"},
      {"mixed", "SELECT ", "(SELECT - f(a[1 + (", "1", ")]) FROM (t) WHERE NOT a)", ""},
  };
  return list;
}

std::string nested(const Nest& n, size_t levels) {
  return n.before + repeat(n.open, levels) + n.middle + repeat(n.close, levels) + n.after;
}

TEST(ParserDepth, DeepNestingIsAnErrorAndNothingOverflows) {
  for (const Nest& nest : nests()) {
    SCOPED_TRACE(nest.name);
    for (size_t levels : {1001u, 5000u}) {
      std::string text = nested(nest, levels);
      on_small_stack([&] {
        Error e = error_of(text);
        EXPECT_EQ(e.code(), Code::kSyntaxError);
        EXPECT_THAT(e.message(),
                    StartsWith("statement is too large (nested more than 1000 levels"));
        EXPECT_TRUE(e.location().known());
      });
    }
  }
}

TEST(ParserDepth, TheDeepestTreesPrintAndDieSafely) {
  for (const Nest& nest : nests()) {
    SCOPED_TRACE(nest.name);
    // The largest number of levels this shape allows.
    size_t low = 1, high = 1001;
    while (low + 1 < high) {
      size_t middle = (low + high) / 2;
      bool fits = false;
      std::string text = nested(nest, middle);
      on_small_stack([&] {
        try {
          parse(text);
          fits = true;
        } catch (const Error&) {
        }
      });
      (fits ? low : high) = middle;
    }
    EXPECT_GE(low, 100u);
    std::string text = nested(nest, low);
    on_small_stack([&] { expect_round_trip(text); });
  }
}

TEST(ParserSize, LongChainsAreFlat) {
  constexpr size_t kMany = 20000;
  for (const char* link : {" OR a = 1", " AND a = 1", " OR a = 1 AND b = 2"}) {
    std::string text = "SELECT 1 FROM t WHERE a" + repeat(link, kMany);
    on_small_stack([&] { expect_round_trip(text); });
  }
  for (const char* link : {" UNION ALL SELECT 1", " UNION SELECT 1", " INTERSECT SELECT 1"}) {
    std::string text = "SELECT 1" + repeat(link, kMany);
    on_small_stack([&] { expect_round_trip(text); });
  }
  on_small_stack([] {
    expect_round_trip("(SELECT 1" + repeat(" UNION ALL SELECT 1", 100) + ") UNION ALL SELECT 2");
    expect_round_trip("SELECT 1" + repeat(" UNION SELECT 1", 100) + " EXCEPT SELECT 2" +
                      repeat(" UNION SELECT 3", 50));
    expect_round_trip("SELECT 2 UNION (SELECT 1" + repeat(" UNION SELECT 1", 100) + ")");
  });
}

TEST(ParserSize, LongListsAndMegabytes) {
  expect_round_trip("SELECT a IN (0" + repeat(", 12345", 10000) + ")");
  expect_round_trip("SELECT a" + repeat(", a.b AS c", 10000) + " FROM t");
  expect_round_trip("VALUES (1, 'a', NULL)" + repeat(", (2, 'some text', -1.5E0)", 40000));
  expect_round_trip("SELECT '" + repeat("x", 1 << 20) + "'");
  expect_round_trip("SELECT (" + repeat("a, ", 10000) + "b)");
  expect_round_trip("SELECT CASE a" + repeat(" WHEN 1 THEN 'x'", 10000) + " END");
  expect_round_trip("SELECT f(" + repeat("x -> x + 1, ", 10000) + "1)");
}

TEST(ParserSize, UnclosedParenthesesFailFast) {
  // Each level must be read once, not once for every way it might end.
  std::string text = "SELECT * FROM " + repeat("(", 900) + "SELECT 1" + repeat(")", 899);
  EXPECT_THAT(message_of(text), HasSubstr("'<EOF>'"));
  text = "SELECT " + repeat("(", 900) + "SELECT 1" + repeat(")", 899);
  EXPECT_THAT(message_of(text), HasSubstr("'<EOF>'"));
}

}  // namespace
}  // namespace meesh::sql
