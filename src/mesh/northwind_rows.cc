#include "mesh/northwind_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "mesh/demo_random.h"
#include "mesh/northwind_names.h"

namespace meesh::mesh {
namespace {

using Day = int64_t;  // since 1970-01-01

constexpr Day kFirstOrder = 19'359;         // 2023-01-02
constexpr uint64_t kDays = 910;             // to 2025-06-29
constexpr uint64_t kFirstOrderId = 10'248;  // where Northwind's own numbers begin
constexpr uint64_t kCodes = 26 * 26 * 26 * 26 * 26;
constexpr uint64_t kShippers = 3;
constexpr std::array<std::string_view, 3> kShipperNames{"Swift Parcel", "Unity Freight",
                                                        "Blue Heron Cargo"};
constexpr std::array<int, 6> kDiscounts{5, 10, 15, 20, 25, 30};  // percent

enum Kind : uint64_t { kSupplier = 16, kEmployee, kCustomer, kHabit, kProduct, kOrder, kLines };

NorthwindField text(std::string value) { return {std::move(value), false}; }
NorthwindField null() { return {std::nullopt, false}; }
NorthwindField text_or_null(std::string_view value) {
  return value.empty() ? null() : text(std::string(value));
}
NorthwindField number(auto value) { return {fmt::format("{}", value), true}; }
/// 1234 → 12.34
NorthwindField hundredths(int64_t value) {
  return {fmt::format("{}.{:02}", value / 100, value % 100), true};
}
NorthwindField date(Day day) {
  const std::chrono::year_month_day ymd{std::chrono::sys_days{std::chrono::days{day}}};
  return text(fmt::format("{:04}-{:02}-{:02}", static_cast<int>(ymd.year()),
                          static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day())));
}

const NorthwindCountry& pick_country(Random& random) {
  uint64_t all = 0;
  for (const auto& country : kNorthwindCountries) all += country.weight;
  uint64_t at = random.below(all);
  for (const auto& country : kNorthwindCountries) {
    if (at < country.weight) return country;
    at -= country.weight;
  }
  return kNorthwindCountries[0];
}

/// Three times in five the usual one.
std::string_view spelling(const NorthwindCountry& country, Random& random) {
  return random.below(5) < 3 ? country.spellings[0] : random.pick(country.spellings);
}

std::string address(const NorthwindCountry& country, Random& random) {
  const uint64_t house = 1 + random.below(180);
  const std::string_view street = random.pick(country.streets);
  return country.number_first ? fmt::format("{} {}", house, street)
                              : fmt::format("{} {}", street, house);
}

std::string phone(const NorthwindCountry& country, Random& random) {
  return fmt::format("{}{:04}", country.dialing, random.below(10'000));
}

/// Five letters; every number below 26⁵ has its own.
std::string customer_code(uint64_t index) {
  uint64_t value = (index * 7'654'321 + 1'234'567) % kCodes;
  std::string code(5, 'A');
  for (char& letter : code) {
    letter = static_cast<char>('A' + value % 26);
    value /= 26;
  }
  return code;
}

bool never_buys(uint64_t customer) { return customer % 31 == 30; }

}  // namespace

struct NorthwindRows::Customer {
  std::string company, contact, title, address, city, region, postal_code, country, phone, fax;
};

struct NorthwindRows::Order {
  std::optional<uint64_t> customer;
  uint64_t employee = 0, shipper = 0;
  Day ordered = 0, required = 0;
  std::optional<Day> shipped;
  int64_t freight = 0;  // cents
  uint64_t lines = 0, permille = 0;
};

NorthwindCounts NorthwindCounts::scaled(double scale) {
  if (!(scale > 0)) scale = 0;
  const auto of = [](double rows, double least, double most) {
    return static_cast<uint64_t>(std::llround(std::clamp(rows, least, most)));
  };
  const double root = std::sqrt(scale);
  return {of(91 * scale, 10, static_cast<double>(kCodes)), of(830 * scale, 10, 2e9),
          of(77 * root, 10, 30'000), of(29 * root, 3, 30'000), of(9 * root, 3, 30'000)};
}

std::string_view table_name(NorthwindTable table) {
  constexpr std::array<std::string_view, 8> kNames{"categories", "suppliers",    "shippers",
                                                   "employees",  "customers",    "products",
                                                   "orders",     "order_details"};
  return kNames[static_cast<size_t>(table)];
}

std::string_view column_names(NorthwindTable table) {
  constexpr std::array<std::string_view, 8> kColumns{
      "category_id, category_name, description, picture",
      "supplier_id, company_name, contact_name, contact_title, address, city, region, postal_code, "
      "country, phone, fax, homepage",
      "shipper_id, company_name, phone",
      "employee_id, last_name, first_name, title, title_of_courtesy, birth_date, hire_date, "
      "address, city, region, postal_code, country, home_phone, extension, photo, notes, "
      "reports_to, photo_path",
      "customer_id, company_name, contact_name, contact_title, address, city, region, postal_code, "
      "country, phone, fax",
      "product_id, product_name, supplier_id, category_id, quantity_per_unit, unit_price, "
      "units_in_stock, units_on_order, reorder_level, discontinued",
      "order_id, customer_id, employee_id, order_date, required_date, shipped_date, ship_via, "
      "freight, ship_name, ship_address, ship_city, ship_region, ship_postal_code, ship_country",
      "order_id, product_id, unit_price, quantity, discount"};
  return kColumns[static_cast<size_t>(table)];
}

void NorthwindRows::each(NorthwindTable table,
                         const std::function<void(const NorthwindRow&)>& take) const {
  const auto all = [&](uint64_t count, auto row) {
    for (uint64_t i = 0; i < count; ++i) take((this->*row)(i));
  };
  switch (table) {
    case NorthwindTable::kCategories:
      return all(kNorthwindCategories.size(), &NorthwindRows::category);
    case NorthwindTable::kSuppliers:
      return all(counts_.suppliers, &NorthwindRows::supplier);
    case NorthwindTable::kShippers:
      return all(kShippers, &NorthwindRows::shipper);
    case NorthwindTable::kEmployees:
      return all(counts_.employees, &NorthwindRows::employee);
    case NorthwindTable::kCustomers:
      return all(counts_.customers, &NorthwindRows::customer_row);
    case NorthwindTable::kProducts:
      return all(counts_.products, &NorthwindRows::product);
    case NorthwindTable::kOrders:
      return all(counts_.orders, &NorthwindRows::order_row);
    case NorthwindTable::kOrderDetails:
      for (uint64_t i = 0; i < counts_.orders; ++i) details(i, take);
  }
}

NorthwindRow NorthwindRows::category(uint64_t index) const {
  const NorthwindCategory& category = kNorthwindCategories[index];
  return {number(index + 1), text(std::string(category.name)),
          text(std::string(category.description)), text("\\x")};
}

NorthwindRow NorthwindRows::supplier(uint64_t index) const {
  Random random(seed_, kSupplier, index);
  const NorthwindCountry& country = pick_country(random);
  const NorthwindPlace place = random.pick(country.places);
  return {
      number(index + 1),
      text(fmt::format("{} {}", kNorthwindBrands[index % kNorthwindBrands.size()],
                       index < kNorthwindBrands.size() ? "Foods" : "Trading")),
      text(fmt::format("{} {}", random.pick(country.first_names), random.pick(country.last_names))),
      text(std::string(random.pick(kNorthwindTitles))),
      text(address(country, random)),
      text(std::string(place.city)),
      text_or_null(place.region),
      text(fmt::format("{:05}", 1000 + random.below(90'000))),
      text(std::string(spelling(country, random))),
      text(phone(country, random)),
      null(),
      null()};
}

NorthwindRow NorthwindRows::shipper(uint64_t index) const {
  return {number(index + 1), text(std::string(kShipperNames[index])),
          text(fmt::format("(503) 555-{:04}", 9831 + index))};
}

NorthwindRow NorthwindRows::employee(uint64_t index) const {
  Random random(seed_, kEmployee, index);
  const NorthwindCountry& country = kNorthwindCountries[index % 3 == 2 ? 3 : 0];
  const NorthwindPlace place = random.pick(country.places);
  const bool head = index == 0;
  const Day born = -3'650 + static_cast<Day>(random.below(10'000));
  return {number(index + 1),
          text(std::string(country.last_names[(index / 4 + index) % 4])),
          text(std::string(country.first_names[index % 4])),
          text(head ? "Vice President, Sales" : "Sales Representative"),
          text(index % 2 ? "Mr." : "Ms."),  // as the names alternate
          date(born),
          date(16'000 + static_cast<Day>(random.below(3'300))),
          text(address(country, random)),
          text(std::string(place.city)),
          text_or_null(place.region),
          text(fmt::format("{:05}", 1000 + random.below(90'000))),
          text(std::string(spelling(country, random))),
          text(phone(country, random)),
          text(fmt::format("{}", 100 + random.below(9'900))),
          null(),
          text(head ? "Leads the sales team." : "Knows the customers by name."),
          head ? null() : number(index < 5 ? 1 : 2),
          null()};
}

NorthwindRows::Customer NorthwindRows::customer(uint64_t index) const {
  Random random(seed_, kCustomer, index);
  const NorthwindCountry& country = pick_country(random);
  const NorthwindPlace place = random.pick(country.places);
  Customer row;
  row.company = random.pick(country.companies);
  // A few companies stand there twice; most have a name of their own.
  if (random.below(12) > 0) row.company += fmt::format(" {}", random.pick(country.last_names));
  if (index % 17 == 16) row.company = "  " + row.company + " ";
  row.contact =
      fmt::format("{} {}", random.pick(country.first_names), random.pick(country.last_names));
  row.title = random.pick(kNorthwindTitles);
  row.address = address(country, random);
  row.city = place.city;
  row.region = place.region;
  if (random.below(40) > 0) row.postal_code = fmt::format("{:05}", 1000 + random.below(90'000));
  if (index % 45 != 44) row.country = spelling(country, random);
  row.phone = phone(country, random);
  if (random.below(3) > 0) row.fax = phone(country, random);
  return row;
}

NorthwindRow NorthwindRows::customer_row(uint64_t index) const {
  const Customer row = customer(index);
  return {text(customer_code(index)), text(row.company),
          text(row.contact),          text(row.title),
          text(row.address),          text(row.city),
          text_or_null(row.region),   text_or_null(row.postal_code),
          text_or_null(row.country),  text(row.phone),
          text_or_null(row.fax)};
}

int64_t NorthwindRows::list_price(uint64_t product) const {
  Random random(seed_, kProduct, product);
  int64_t cents = 250 + static_cast<int64_t>(random.below(random.below(6'000) + 1));
  if (random.below(25) == 0) cents *= 4;
  return cents;
}

NorthwindRow NorthwindRows::product(uint64_t index) const {
  Random random(seed_, kProduct, index + (1ULL << 40));
  const uint64_t of = index % kNorthwindCategories.size();
  const NorthwindCategory& category = kNorthwindCategories[of];
  const uint64_t turn = index / kNorthwindCategories.size();
  std::string name =
      fmt::format("{} {}", kNorthwindBrands[(index * 5 + turn) % kNorthwindBrands.size()],
                  category.kinds[turn % category.kinds.size()]);
  if (index >= 78) name += fmt::format(" No. {}", index / 78 + 1);
  const bool discontinued = index % 10 == 7;
  return {number(index + 1),
          text(std::move(name)),
          number(1 + random.below(counts_.suppliers)),
          index == 58 ? null() : number(of + 1),
          text(std::string(random.pick(kNorthwindPackings))),
          hundredths(list_price(index)),
          number(discontinued ? 0 : random.below(125)),
          number(discontinued || random.below(4) > 0 ? 0 : 10 * random.below(10)),
          number(5 * random.below(7)),
          number(discontinued ? 1 : 0)};
}

/// Whether the customer is there at that time: some came later, some have left.
bool NorthwindRows::buys(uint64_t customer, uint64_t permille) const {
  if (never_buys(customer)) return false;
  Random random(seed_, kHabit, customer);
  const uint64_t since = random.below(10) < 6 ? 0 : random.below(800);
  const uint64_t until = random.below(10) < 4 ? since + 60 + random.below(600) : 1'001;
  return permille >= since && permille < until;
}

NorthwindRows::Order NorthwindRows::order(uint64_t index) const {
  Random random(seed_, kOrder, index);
  Order row;
  row.permille = index * 1'000 / counts_.orders;
  uint64_t customer = 0;
  // Earlier customers order more than later ones.
  for (int attempt = 0; attempt < 24; ++attempt) {
    customer = std::min(random.below(counts_.customers), random.below(counts_.customers));
    if (buys(customer, row.permille)) break;
  }
  if (never_buys(customer)) --customer;
  if (index % 400 != 399) row.customer = customer;
  row.employee = std::min(random.below(counts_.employees), random.below(counts_.employees));
  row.shipper = random.below(kShippers);
  row.ordered = kFirstOrder + static_cast<Day>(index * kDays / counts_.orders);
  row.required = row.ordered + (random.below(5) == 0 ? 14 : 28);
  const Day shipped = row.ordered + 1 + static_cast<Day>(random.below(random.below(30) + 3));
  const bool waiting = random.below(80) == 0;
  if (!waiting && shipped < kFirstOrder + static_cast<Day>(kDays)) row.shipped = shipped;
  row.freight = 15 + static_cast<int64_t>(random.below(random.below(24'000) + 1));
  constexpr std::array<uint64_t, 10> kLineCounts{1, 1, 2, 2, 2, 3, 3, 3, 4, 5};
  row.lines = random.pick(kLineCounts);
  return row;
}

NorthwindRow NorthwindRows::order_row(uint64_t index) const {
  const Order row = order(index);
  NorthwindRow fields{number(kFirstOrderId + index),
                      row.customer ? text(customer_code(*row.customer)) : null(),
                      number(row.employee + 1),
                      date(row.ordered),
                      date(row.required),
                      row.shipped ? date(*row.shipped) : null(),
                      number(row.shipper + 1),
                      hundredths(row.freight)};
  if (!row.customer) {
    fields.resize(14);
    return fields;
  }
  const Customer to = customer(*row.customer);
  for (const std::string* field :
       {&to.company, &to.address, &to.city, &to.region, &to.postal_code, &to.country}) {
    fields.push_back(text_or_null(*field));
  }
  return fields;
}

void NorthwindRows::details(uint64_t index,
                            const std::function<void(const NorthwindRow&)>& take) const {
  Random random(seed_, kLines, index);
  const Order of = order(index);
  const uint64_t first = random.below(counts_.products);
  const uint64_t step = 1 + random.below(std::max<uint64_t>(1, counts_.products / 5 - 1));
  for (uint64_t line = 0; line < of.lines; ++line) {
    const uint64_t product = (first + line * step) % counts_.products;
    // Prices rose by a quarter after the first year or so.
    const int64_t now = list_price(product), price = of.permille < 420 ? now * 4 / 5 : now;
    const bool reduced = random.below(5) < 2;
    const uint64_t quantity = 1 + random.below(random.below(110) + 4);
    take({number(kFirstOrderId + index), number(product + 1), hundredths(price), number(quantity),
          reduced ? hundredths(random.pick(kDiscounts)) : number(0)});
  }
}

}  // namespace meesh::mesh
