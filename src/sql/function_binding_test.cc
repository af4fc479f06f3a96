#include "sql/function_binding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meesh::sql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> ambiguous(std::string_view name, std::vector<const char*> types) {
  std::vector<Type> arguments;
  for (const char* type : types) arguments.push_back(Type::parse(type));
  return ambiguous_signatures(name, arguments);
}

TEST(FunctionBinding, NullThatSeveralSignaturesTake) {
  EXPECT_THAT(ambiguous("reverse", {"unknown"}),
              ElementsAre("(array(unknown)):array(unknown)", "(char(0)):char(0)",
                          "(varbinary):varbinary", "(varchar(0)):varchar(0)"));
  // Those that cast the NULL alone are more than the most specific ones.
  EXPECT_THAT(ambiguous("date_trunc", {"varchar(3)", "unknown"}),
              ElementsAre("(varchar(3),date):date",
                          "(varchar(3),time(3) with time zone):time(3) with time zone",
                          "(varchar(3),time(3)):time(3)",
                          "(varchar(3),timestamp(3) with time zone):timestamp(3) with time zone",
                          "(varchar(3),timestamp(3)):timestamp(3)"));
  EXPECT_THAT(ambiguous("date_add", {"varchar(3)", "integer", "unknown"}),
              ElementsAre("(varchar(3),bigint,date):date", "(varchar(3),bigint,time(3)):time(3)"));
  EXPECT_THAT(ambiguous("sum", {"unknown"}),
              ElementsAre("(bigint):bigint", "(decimal(1,0)):decimal(38,0)", "(double):double",
                          "(interval day to second):interval day to second",
                          "(interval year to month):interval year to month", "(real):real"));
}

TEST(FunctionBinding, ComputedResultsAreTold) {
  EXPECT_THAT(ambiguous("concat", {"char(3)", "unknown"}),
              ElementsAre("(char(3),array(char(3))):array(char(3))", "(char(3),char(0)):char(3)"));
  EXPECT_THAT(ambiguous("render", {"unknown", "color"}),
              ElementsAre("(bigint,color):varchar(35)", "(double,color):varchar(41)",
                          "(varchar(0),color):varchar(15)"));
}

TEST(FunctionBinding, EmptyArraysAreNoNulls) {
  EXPECT_THAT(ambiguous("concat", {"array(unknown)", "array(integer)"}),
              ElementsAre("(array(array(integer)),array(integer)):array(array(integer))",
                          "(array(integer),array(integer)):array(integer)"));
  EXPECT_THAT(ambiguous("concat", {"array(unknown)", "array(unknown)"}), IsEmpty());
}

TEST(FunctionBinding, OneIsMoreSpecific) {
  EXPECT_THAT(ambiguous("abs", {"unknown"}), IsEmpty());
  EXPECT_THAT(ambiguous("upper", {"unknown"}), IsEmpty());
  EXPECT_THAT(ambiguous("mod", {"unknown", "decimal(2,1)"}), IsEmpty());
  EXPECT_THAT(ambiguous("approx_distinct", {"unknown"}), IsEmpty());  // it has one of its own
}

TEST(FunctionBinding, AnyWillDoWhereNullGivesOneType) {
  EXPECT_THAT(ambiguous("year", {"unknown"}), IsEmpty());
  EXPECT_THAT(ambiguous("cardinality", {"unknown"}), IsEmpty());
  EXPECT_THAT(ambiguous("at_timezone", {"timestamp(0) with time zone", "unknown"}), IsEmpty());
  // Its values may be NULL, which does not make the text so.
  EXPECT_THAT(ambiguous("concat_ws", {"varchar(1)", "unknown"}),
              ElementsAre("(varchar,array(varchar)):varchar", "(varchar,varchar):varchar"));
}

TEST(FunctionBinding, NothingFits) {
  EXPECT_THAT(ambiguous("abs", {"boolean"}), IsEmpty());
  EXPECT_THAT(ambiguous("nosuch", {"unknown"}), IsEmpty());
  EXPECT_THAT(ambiguous("concat", {}), ElementsAre("():varbinary", "():varchar"));
}

}  // namespace
}  // namespace meesh::sql
