// What a statement costs before the engine sees it: parsing, resolving against a catalog of TPC-H's
// tables, printing for DuckDB. Built and run by bench/latency/run.sh.
//   latency_parse_print FILE.sql… [--budget MICROSECONDS]
// Files hold statements separated by `;`. Exit code 1 if the median of one is over the budget.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "sql/sql.h"

namespace {

using Clock = std::chrono::steady_clock;
using meesh::sql::TableInfo;

/// name → columns as `name type, …`
const std::map<std::string, std::string> kTables = {
    {"customer",
     "custkey bigint,name varchar(25),address varchar(40),nationkey bigint,phone varchar(15),"
     "acctbal double,mktsegment varchar(10),comment varchar(117)"},
    {"lineitem",
     "orderkey bigint,partkey bigint,suppkey bigint,linenumber integer,quantity double,"
     "extendedprice double,discount double,tax double,returnflag varchar(1),"
     "linestatus varchar(1),shipdate date,commitdate date,receiptdate date,"
     "shipinstruct varchar(25),shipmode varchar(10),comment varchar(44)"},
    {"nation", "nationkey bigint,name varchar(25),regionkey bigint,comment varchar(152)"},
    {"orders",
     "orderkey bigint,custkey bigint,orderstatus varchar(1),totalprice double,orderdate date,"
     "orderpriority varchar(15),clerk varchar(15),shippriority integer,comment varchar(79)"},
    {"part",
     "partkey bigint,name varchar(55),mfgr varchar(25),brand varchar(10),type varchar(25),"
     "size integer,container varchar(10),retailprice double,comment varchar(23)"},
    {"partsupp",
     "partkey bigint,suppkey bigint,availqty integer,supplycost double,comment varchar(199)"},
    {"region", "regionkey bigint,name varchar(25),comment varchar(152)"},
    {"supplier",
     "suppkey bigint,name varchar(25),address varchar(40),nationkey bigint,phone varchar(15),"
     "acctbal double,comment varchar(101)"},
};

class Tables : public meesh::sql::CatalogReader {
 public:
  Tables() {
    for (const auto& [name, columns] : kTables) tables_.emplace(name, describe(name, columns));
  }
  bool catalog_exists(const std::string& catalog) override { return catalog == "tpch"; }
  bool schema_exists(const std::string&, const std::string& schema) override {
    return schema == "sf1";
  }
  std::optional<TableInfo> table(const meesh::sql::TableName& name) override {
    const auto found = tables_.find(name.table);
    return found == tables_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  static TableInfo describe(const std::string& name, const std::string& columns) {
    TableInfo info;
    info.name = {"tpch", "sf1", name};
    info.duckdb_source = "tpch.main." + name;
    for (size_t at = 0; at < columns.size();) {
      const size_t end = std::min(columns.find(",", at), columns.size());
      const std::string one = columns.substr(at, end - at);
      const size_t space = one.find(' ');
      meesh::sql::ColumnInfo column;
      column.name = one.substr(0, space);
      column.type = meesh::sql::Type::parse(one.substr(space + 1));
      info.columns.push_back(std::move(column));
      at = end + 1;
    }
    return info;
  }

  std::map<std::string, TableInfo> tables_;
};

/// Microseconds for one statement, from text to text.
double once(std::string_view text, Tables& tables) {
  const auto start = Clock::now();
  auto statement = meesh::sql::parse(text);
  meesh::sql::ResolveContext context;
  context.catalogs = &tables;
  context.catalog = "tpch";
  context.schema = "sf1";
  const auto analysis = meesh::sql::resolve(statement, context);
  const auto printed = meesh::sql::print_duckdb(*statement);
  const std::chrono::duration<double, std::micro> took = Clock::now() - start;
  return printed.text.empty() ? -1 : took.count();
}

/// The middle one of many rounds; prints a line.
double measure(std::string_view text, Tables& tables) {
  constexpr int kRounds = 501;
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) times.push_back(once(text, tables));
  std::sort(times.begin(), times.end());
  std::string shown(text.substr(0, 70));
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  const double median = times[kRounds / 2];
  fmt::print("{:8.1f} µs  p99 {:8.1f} µs  {:5} bytes  {}\n", median, times[kRounds * 99 / 100],
             text.size(), shown);
  return median;
}

}  // namespace

int main(int count, char** arguments) {
  double budget = 0, worst = 0;
  Tables tables;
  for (int i = 1; i < count; ++i) {
    if (std::string_view(arguments[i]) == "--budget" && i + 1 < count) {
      budget = std::strtod(arguments[++i], nullptr);
      continue;
    }
    std::ifstream file(arguments[i]);
    const std::string script((std::istreambuf_iterator<char>(file)), {});
    for (const auto text : meesh::sql::split_statements(script))
      worst = std::max(worst, measure(text, tables));
  }
  fmt::print("{:8.1f} µs  the slowest\n", worst);
  return budget > 0 && worst > budget ? 1 : 0;
}
