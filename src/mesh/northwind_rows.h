// Rows of a shop in the shape of the well-known Northwind database: the same tables and columns,
// other contents. Pure functions of seed and counts: the same rows everywhere, always.
//
//   const NorthwindRows rows(1, NorthwindCounts::scaled(1));
//   rows.each(NorthwindTable::kOrders, [&](const NorthwindRow& row) { … });
//
// What makes such data hard is in it: customers who never ordered and some who stopped, orders not
// shipped yet and orders without a customer, a product without a category, no region where a
// country has none, countries in several spellings and letter cases, customers without one, the
// same company twice.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::mesh {

struct NorthwindCounts {
  uint64_t customers = 0, orders = 0, products = 0, suppliers = 0, employees = 0;
  /// Scale 1 is Northwind's own size: 91 customers, 830 orders (some 2 155 lines), 77 products, 29
  /// suppliers, 9 employees; the last three grow with the square root. Never fewer than 10 of the
  /// first three.
  static NorthwindCounts scaled(double scale);
};

/// In the order of their foreign keys.
enum class NorthwindTable {
  kCategories,
  kSuppliers,
  kShippers,
  kEmployees,
  kCustomers,
  kProducts,
  kOrders,
  kOrderDetails
};
inline constexpr std::array kNorthwindTables{
    NorthwindTable::kCategories, NorthwindTable::kSuppliers,   NorthwindTable::kShippers,
    NorthwindTable::kEmployees,  NorthwindTable::kCustomers,   NorthwindTable::kProducts,
    NorthwindTable::kOrders,     NorthwindTable::kOrderDetails};

std::string_view table_name(NorthwindTable table);
std::string_view column_names(NorthwindTable table);  // "order_id, product_id, …"

/// One field as PostgreSQL reads it; nothing is NULL.
struct NorthwindField {
  std::optional<std::string> text;
  bool number = false;  // needs no quotes in SQL
};
using NorthwindRow = std::vector<NorthwindField>;

class NorthwindRows {
 public:
  NorthwindRows(uint64_t seed, const NorthwindCounts& counts) : seed_(seed), counts_(counts) {}

  const NorthwindCounts& counts() const { return counts_; }
  uint64_t seed() const { return seed_; }
  /// Every row of the table, by its key.
  void each(NorthwindTable table, const std::function<void(const NorthwindRow&)>& take) const;

 private:
  struct Customer;
  struct Order;
  NorthwindRow category(uint64_t index) const;
  NorthwindRow supplier(uint64_t index) const;
  NorthwindRow shipper(uint64_t index) const;
  NorthwindRow employee(uint64_t index) const;
  NorthwindRow customer_row(uint64_t index) const;
  NorthwindRow product(uint64_t index) const;
  NorthwindRow order_row(uint64_t index) const;
  void details(uint64_t index, const std::function<void(const NorthwindRow&)>& take) const;
  Customer customer(uint64_t index) const;
  Order order(uint64_t index) const;
  bool buys(uint64_t customer, uint64_t permille) const;
  int64_t list_price(uint64_t product) const;

  uint64_t seed_;
  NorthwindCounts counts_;
};

}  // namespace meesh::mesh
