#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/sql.h"

namespace meesh::sql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(SplitStatements, AtTopLevelSemicolons) {
  EXPECT_THAT(split_statements("SELECT 1; SELECT 2 ;\n\n SELECT 3"),
              ElementsAre("SELECT 1", "SELECT 2", "SELECT 3"));
  EXPECT_THAT(split_statements(""), IsEmpty());
  EXPECT_THAT(split_statements(" ;; ; -- nothing\n ;"), IsEmpty());
}

TEST(SplitStatements, TextsAndCommentsKeepTheirs) {
  EXPECT_THAT(split_statements("SELECT ';', \";\" /* ; */; -- ;\nSELECT 'a'';'"),
              ElementsAre("SELECT ';', \";\"", "SELECT 'a'';'"));
}

TEST(SplitStatements, PointsIntoTheScript) {
  std::string_view script = "  SELECT 1;\n  SELECT 2";
  auto statements = split_statements(script);
  ASSERT_THAT(statements, SizeIs(2));
  EXPECT_EQ(statements[1].data() - script.data(), 14);
}

TEST(SplitStatements, RoutinesKeepTheirSemicolons) {
  std::string_view routine =
      "CREATE OR REPLACE FUNCTION f(a integer) RETURNS integer BEGIN DECLARE x integer DEFAULT "
      "if(a > 1, 2, 3); IF a > 1 THEN SET x = CASE a WHEN 1 THEN 2 END; END IF; CASE a WHEN 1 THEN "
      "RETURN 1; END CASE; WHILE x > 1 DO SET x = x - 1; END WHILE; REPEAT SET x = 1; UNTIL true "
      "END "
      "REPEAT; LOOP LEAVE a; END LOOP; RETURN repeat('a', x); END";
  std::string script = std::string(routine) + "; SELECT 1";
  EXPECT_THAT(split_statements(script), ElementsAre(routine, "SELECT 1"));
  EXPECT_THAT(split_statements("WITH FUNCTION f() RETURNS integer BEGIN RETURN 1; END SELECT f(); "
                               "SELECT CASE WHEN a THEN b END; COMMIT"),
              SizeIs(3));
  EXPECT_THAT(split_statements("CREATE FUNCTION f() RETURNS integer RETURN if(a, b); SELECT 2"),
              SizeIs(2));
}

TEST(SplitStatements, WhatDoesNotEndIsOnePiece) {
  EXPECT_THAT(split_statements(" SELECT 1; SELECT 'a "), ElementsAre("SELECT 1; SELECT 'a"));
}

}  // namespace
}  // namespace meesh::sql
