#include "mesh/northwind_rows.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "base/text.h"
#include "mesh/northwind_data.h"

namespace meesh::mesh {
namespace {

std::vector<NorthwindRow> all(const NorthwindRows& rows, NorthwindTable table) {
  std::vector<NorthwindRow> found;
  rows.each(table, [&](const NorthwindRow& row) { found.push_back(row); });
  return found;
}

/// The values of one column; "NULL" for none.
std::vector<std::string> column(const std::vector<NorthwindRow>& rows, size_t index) {
  std::vector<std::string> values;
  for (const NorthwindRow& row : rows) values.push_back(row[index].text.value_or("NULL"));
  return values;
}

std::string as_sql(const NorthwindRows& rows) {
  std::ostringstream out;
  write_northwind_sql(rows, out);
  return out.str();
}

TEST(NorthwindRows, AreNorthwindsSize) {
  const NorthwindRows rows(1, NorthwindCounts::scaled(1));
  const std::map<NorthwindTable, size_t> sizes{
      {NorthwindTable::kCategories, 8}, {NorthwindTable::kSuppliers, 29},
      {NorthwindTable::kShippers, 3},   {NorthwindTable::kEmployees, 9},
      {NorthwindTable::kCustomers, 91}, {NorthwindTable::kProducts, 77},
      {NorthwindTable::kOrders, 830}};
  for (const auto& [table, size] : sizes) {
    EXPECT_EQ(all(rows, table).size(), size) << table_name(table);
  }
  const size_t lines = all(rows, NorthwindTable::kOrderDetails).size();
  EXPECT_GT(lines, 2'000u);
  EXPECT_LT(lines, 2'300u);
}

TEST(NorthwindRows, DependOnSeedAndCountsAlone) {
  const NorthwindCounts counts = NorthwindCounts::scaled(2);
  EXPECT_EQ(as_sql(NorthwindRows(5, counts)), as_sql(NorthwindRows(5, counts)));
  EXPECT_NE(as_sql(NorthwindRows(5, counts)), as_sql(NorthwindRows(6, counts)));
}

TEST(NorthwindRows, KeysAreUniqueAndReferToRows) {
  for (const double scale : {0.0, 0.3, 1.0, 12.0}) {
    const NorthwindRows rows(3, NorthwindCounts::scaled(scale));
    std::map<NorthwindTable, std::set<std::string>> keys;
    for (const NorthwindTable table : kNorthwindTables) {
      const auto found = all(rows, table);
      for (const NorthwindRow& row : found) {
        std::string key = row[0].text.value();
        if (table == NorthwindTable::kOrderDetails) key += '/' + row[1].text.value();
        EXPECT_TRUE(keys[table].insert(key).second) << table_name(table) << ' ' << key;
      }
    }
    const auto refers = [&](NorthwindTable table, size_t index, NorthwindTable to) {
      for (const std::string& value : column(all(rows, table), index)) {
        EXPECT_TRUE(value == "NULL" || keys[to].contains(value))
            << table_name(table) << ' ' << value << " at scale " << scale;
      }
    };
    refers(NorthwindTable::kOrders, 1, NorthwindTable::kCustomers);
    refers(NorthwindTable::kOrders, 2, NorthwindTable::kEmployees);
    refers(NorthwindTable::kOrders, 6, NorthwindTable::kShippers);
    refers(NorthwindTable::kOrderDetails, 0, NorthwindTable::kOrders);
    refers(NorthwindTable::kOrderDetails, 1, NorthwindTable::kProducts);
    refers(NorthwindTable::kProducts, 2, NorthwindTable::kSuppliers);
    refers(NorthwindTable::kProducts, 3, NorthwindTable::kCategories);
    refers(NorthwindTable::kEmployees, 16, NorthwindTable::kEmployees);
  }
}

TEST(NorthwindRows, FitTheirColumns) {
  const NorthwindRows rows(1, NorthwindCounts::scaled(20));
  const std::map<std::string, size_t, std::less<>> widths{{"category_name", 15},
                                                          {"company_name", 40},
                                                          {"contact_name", 30},
                                                          {"contact_title", 30},
                                                          {"address", 60},
                                                          {"city", 15},
                                                          {"region", 15},
                                                          {"postal_code", 10},
                                                          {"country", 15},
                                                          {"phone", 24},
                                                          {"fax", 24},
                                                          {"last_name", 20},
                                                          {"first_name", 10},
                                                          {"title", 30},
                                                          {"extension", 4},
                                                          {"product_name", 40},
                                                          {"ship_name", 40},
                                                          {"ship_city", 15},
                                                          {"ship_country", 15},
                                                          {"customer_id", 5},
                                                          {"home_phone", 24},
                                                          {"ship_region", 15},
                                                          {"ship_address", 60},
                                                          {"ship_postal_code", 10},
                                                          {"quantity_per_unit", 20}};
  for (const NorthwindTable table : kNorthwindTables) {
    std::vector<std::string> names;
    std::istringstream list{std::string(column_names(table))};
    for (std::string name; std::getline(list >> std::ws, name, ',');) names.push_back(name);
    rows.each(table, [&](const NorthwindRow& row) {
      ASSERT_EQ(row.size(), names.size()) << table_name(table);
      for (size_t i = 0; i < row.size(); ++i) {
        if (!row[i].text) continue;
        EXPECT_TRUE(base::valid_utf8(*row[i].text));
        const auto width = widths.find(names[i]);
        if (width != widths.end()) {
          EXPECT_LE(base::code_points(*row[i].text), width->second) << names[i] << *row[i].text;
        }
      }
    });
  }
}

TEST(NorthwindRows, HoldTheTrapsOfRealData) {
  const NorthwindRows rows(1, NorthwindCounts::scaled(1));
  const auto customers = all(rows, NorthwindTable::kCustomers);
  const auto orders = all(rows, NorthwindTable::kOrders);
  const auto count = [](const std::vector<std::string>& values, const std::string& wanted) {
    return std::count(values.begin(), values.end(), wanted);
  };
  const auto buyers = column(orders, 1);
  size_t without = 0;
  for (const std::string& id : column(customers, 0)) without += count(buyers, id) == 0;
  EXPECT_GE(without, 2u);
  EXPECT_LE(without, 25u);
  EXPECT_EQ(count(buyers, "NULL"), 2);
  const auto shipped = count(column(orders, 5), "NULL");
  EXPECT_GT(shipped, 10);
  EXPECT_LT(shipped, 60);
  EXPECT_GT(count(column(customers, 6), "NULL"), 30);  // regions
  EXPECT_EQ(count(column(customers, 8), "NULL"), 2);   // countries
  const auto countries = column(customers, 8);
  EXPECT_GT(count(countries, "USA"), 0);
  EXPECT_GT(count(countries, "U.S.A.") + count(countries, "United States"), 0);
  EXPECT_EQ(count(column(all(rows, NorthwindTable::kProducts), 3), "NULL"), 1);
  EXPECT_GE(count(column(all(rows, NorthwindTable::kProducts), 9), "1"), 5);
  const auto dates = column(orders, 3);
  EXPECT_EQ(dates.front(), "2023-01-02");
  EXPECT_GT(dates.back(), "2025-06-01");
  EXPECT_TRUE(std::is_sorted(dates.begin(), dates.end()));
}

}  // namespace
}  // namespace meesh::mesh
