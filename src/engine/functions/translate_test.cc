#include <gtest/gtest.h>

#include "duckdb.hpp"
#include "engine/duck.h"

namespace meesh::engine {
namespace {

using duckdb::ErrorData;
using duckdb::ExceptionType;

std::string said(ExceptionType type, const std::string& message) {
  const Error error = translate(ErrorData(type, message));
  return std::string(code_name(error.code())) + ": " + error.message();
}

TEST(Translate, ResourcesAndInterrupts) {
  const Error memory =
      translate(ErrorData(ExceptionType::OUT_OF_MEMORY, "failed to pin block of size 256 KiB"));
  EXPECT_EQ(memory.code(), Code::kExceededLocalMemoryLimit);
  EXPECT_NE(memory.hint().find("memory limit"), std::string::npos);
  EXPECT_EQ(translate(ErrorData(ExceptionType::OUT_OF_MEMORY,
                                "failed to offload data block (max_temp_directory_size exceeded)"))
                .code(),
            Code::kExceededSpillLimit);
  EXPECT_EQ(translate(ErrorData(ExceptionType::IO, "Could not write file: No space left on device"))
                .code(),
            Code::kDiskFull);
  EXPECT_EQ(said(ExceptionType::INTERRUPT, "Interrupted!"), "USER_CANCELED: Query was canceled");
}

TEST(Translate, LostServersAreExternal) {
  for (const char* message :
       {"Failed to execute query: server closed the connection unexpectedly",
        "Unable to connect to Postgres at \"x\": could not connect to server",
        "SSL SYSCALL error: EOF detected", "terminating connection due to administrator command"}) {
    const Error error = translate(ErrorData(ExceptionType::IO, message));
    EXPECT_EQ(error.code(), Code::kJdbcError) << message;
    EXPECT_EQ(error.kind(), ErrorKind::kExternal);
  }
}

TEST(Translate, WordsAreTrinos) {
  EXPECT_EQ(said(ExceptionType::OUT_OF_RANGE, "Overflow in addition of INT32 (2147483647 + 1)!"),
            "NUMERIC_VALUE_OUT_OF_RANGE: integer addition overflow: 2147483647 + 1");
  EXPECT_EQ(
      said(ExceptionType::CONVERSION, "Could not convert string 'abc' to INT32\n\nLINE 1: select"),
      "INVALID_CAST_ARGUMENT: Cannot cast 'abc' to INT");
  EXPECT_EQ(said(ExceptionType::CONVERSION,
                 "Type INT64 with value 300 can't be cast because the value is out of range for "
                 "the destination type INT8"),
            "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for tinyint: 300");
  EXPECT_EQ(
      said(ExceptionType::BINDER,
           "Cannot compare values of type INTEGER and type VARCHAR - an explicit cast is required"),
      "TYPE_MISMATCH: Cannot compare values of type INTEGER and type VARCHAR - an explicit cast is "
      "required");
  EXPECT_EQ(said(ExceptionType::CONSTRAINT, "NOT NULL constraint failed: t.x"),
            "CONSTRAINT_VIOLATION: NULL value not allowed for NOT NULL column: x");
  EXPECT_EQ(said(ExceptionType::INTERNAL, "Attempted to access index 3"),
            "GENERIC_INTERNAL_ERROR: Attempted to access index 3");
}

TEST(Translate, CatalogErrorsOfARealBinder) {
  duckdb::DuckDB db(nullptr);
  duckdb::Connection connection(db);
  auto error = [&](const char* sql) { return translate(connection.Query(sql)->GetErrorObject()); };
  EXPECT_EQ(error("SELECT * FROM nope").code(), Code::kTableNotFound);
  EXPECT_EQ(error("SELECT * FROM nope").message(), "Table 'nope' does not exist");
  EXPECT_EQ(error("SELECT x FROM (SELECT 1 a)").code(), Code::kColumnNotFound);
  EXPECT_EQ(error("SELECT nope(1)").code(), Code::kFunctionNotFound);
  EXPECT_EQ(error("SELECT nope(1)").message(), "Function 'nope' not registered");
  EXPECT_EQ(error("SELECT abs('a'::VARCHAR)").message(),
            "Unexpected parameters (varchar) for function abs");
  EXPECT_EQ(error("SELECT a, count(*) FROM (SELECT 1 a)").code(), Code::kExpressionNotAggregate);
  EXPECT_EQ(error("SELECT (SELECT * FROM range(2))").code(), Code::kSubqueryMultipleRows);
  EXPECT_EQ(error("SELECT 1 UNION SELECT 1, 2").code(), Code::kTypeMismatch);
  connection.Query("CREATE TABLE t (x INTEGER)");
  EXPECT_EQ(error("CREATE TABLE t (x INTEGER)").code(), Code::kTableAlreadyExists);
  for (const char* sql : {"SELECT * FROM nope", "SELECT abs('a'::VARCHAR)", "SELECT nope(1)"}) {
    const std::string message = error(sql).message();
    EXPECT_EQ(message.find("LINE 1"), std::string::npos) << message;
    EXPECT_EQ(message.find("Candidate"), std::string::npos) << message;
    EXPECT_EQ(message.find("Did you mean"), std::string::npos) << message;
  }
}

TEST(Translate, TypeErrorsKeepTheirPlace) {
  duckdb::DuckDB db(nullptr);
  register_functions(*db.instance);
  duckdb::Connection connection(db);
  const auto result = connection.Query("SELECT trino_add(1, 'a'::VARCHAR)");
  const auto& error = result->GetErrorObject();
  EXPECT_EQ(translate(error).message(), "Cannot apply operator: integer + varchar");
  EXPECT_EQ(error.ExtraInfo().count("trino_code"), 1u);
  connection.Query("SET errors_as_json = true");
  const auto placed = connection.Query("SELECT trino_add(1, 'a'::VARCHAR)");
  EXPECT_EQ(placed->GetErrorObject().ExtraInfo().count("position"), 1u);
}

TEST(Quote, NamesAndText) {
  EXPECT_EQ(quote_ident("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quote_string("it's"), "'it''s'");
}

}  // namespace
}  // namespace meesh::engine
