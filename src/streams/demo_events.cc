#include "streams/demo_events.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "mesh/demo_random.h"

namespace meesh::streams {
namespace {

using mesh::Random;

// Of mesh::Random, beyond those of the demo's tables.
enum RandomKind : uint64_t { kOfEvent = 32, kOfKey, kOfFault };

constexpr int64_t kMinute = 60'000;
constexpr uint64_t kShareScale = 1'000'000;

constexpr std::string_view kCountries[] = {"France",     "Allemagne", "Espagne",  "Italie",
                                           "Belgique",   "Suisse",    "Portugal", "Pays-Bas",
                                           "Luxembourg", "Autriche"};
// One is drawn for each time it is named: larger countries sell more.
constexpr uint8_t kCountryWeights[] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2,
                                       2, 3, 3, 3, 4, 4, 5, 6, 7, 8, 9};

struct Product {
  std::string_view french, english, category;
  uint32_t cents;
};
constexpr Product kProducts[] = {
    {"Clavier", "Keyboard", "Electronics", 4990},
    {"Souris", "Mouse", "Electronics", 2490},
    {"Écran", "Monitor", "Electronics", 18900},
    {"Casque audio", "Headphones", "Electronics", 7950},
    {"Téléphone", "Phone", "Electronics", 59900},
    {"Livre", "Book", "Books", 1895},
    {"Cahier", "Notebook", "Office", 320},
    {"Stylo", "Pen", "Office", 199},
    {"Chaussures", "Shoes", "Fashion", 8990},
    {"Manteau", "Coat", "Fashion", 14900},
    {"Sac à dos", "Backpack", "Fashion", 5450},
    {"Cafetière", "Coffee maker", "Home", 6290},
    {"Lampe", "Lamp", "Home", 3475},
    {"Vélo", "Bicycle", "Sports", 42900},
    {"Ballon", "Ball", "Sports", 1599},
    {"Café", "Coffee", "Food", 749},
};

constexpr std::string_view kFirstNames[] = {"Alice",  "Bruno", "Chloé", "David", "Emma",  "Farid",
                                            "Giulia", "Hugo",  "Inès",  "Jonas", "Karim", "Léa",
                                            "Marta",  "Nadia", "Oscar", "Paula"};
constexpr std::string_view kFirstMails[] = {"alice",  "bruno", "chloe", "david", "emma",  "farid",
                                            "giulia", "hugo",  "ines",  "jonas", "karim", "lea",
                                            "marta",  "nadia", "oscar", "paula"};
constexpr std::string_view kLastNames[] = {"Martin", "Bernard", "Schmidt", "Rossi", "Garcia",
                                           "Dubois", "Janssen", "Moreau",  "Silva", "Weber",
                                           "Keller", "Lopez",   "Peeters", "Costa", "Novak"};
// Published by the card schemes and payment services for tests; they pay nothing.
constexpr std::string_view kCards[] = {"4242424242424242", "4111111111111111", "5555555555554444",
                                       "5105105105105100", "378282246310005",  "371449635398431",
                                       "6011111111111117", "3530111333300000", "30569309025904"};
constexpr std::string_view kMethods[] = {"credit_card", "credit_card",   "credit_card", "paypal",
                                         "paypal",      "bank_transfer", "crypto"};
constexpr std::string_view kStatuses[] = {"completed", "completed", "completed",
                                          "completed", "completed", "completed",
                                          "pending",   "failed",    "refunded"};
// For documentation (RFC 5737): no machine has one.
constexpr std::string_view kNetworks[] = {"192.0.2", "198.51.100", "203.0.113"};
constexpr std::string_view kStreets[] = {"Main Street",  "Rue de la Paix", "Hauptstraße",
                                         "Via Roma",     "Calle Mayor",    "High Street",
                                         "Station Road", "Rue Victor Hugo"};
struct Place {
  std::string_view country, city, zip, currency;
};
constexpr Place kPlaces[] = {
    {"US", "New York", "10001", "USD"}, {"US", "Chicago", "60601", "USD"},
    {"US", "Seattle", "98101", "USD"},  {"FR", "Paris", "75001", "EUR"},
    {"FR", "Lyon", "69001", "EUR"},     {"DE", "Berlin", "10115", "EUR"},
    {"DE", "Hamburg", "20095", "EUR"},  {"ES", "Madrid", "28001", "EUR"},
    {"IT", "Milano", "20121", "EUR"},   {"GB", "London", "SW1A 1AA", "GBP"},
    {"GB", "Leeds", "LS1 1UR", "GBP"},  {"CH", "Zürich", "8001", "CHF"},
    {"AU", "Sydney", "2000", "AUD"},    {"CA", "Montréal", "H2Y 1C6", "CAD"},
};

void add_money(std::string& out, uint64_t cents) {
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}.{:02}"), cents / 100, cents % 100);
}

// "2025-01-15T10:11:12.123Z"
void add_time(std::string& out, int64_t ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(ms)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto of_day = (time - day).count();
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z"),
                 int(date.year()), unsigned(date.month()), unsigned(date.day()), of_day / 3'600'000,
                 of_day / kMinute % 60, of_day / 1000 % 60, of_day % 1000);
}

// As a random UUID (version 4) looks. No two numbers of one seed have the same: mixed() is one to
// one, and the four bits that the version takes stand in the second half.
void add_uuid(std::string& out, uint64_t seed, uint64_t n) {
  const uint64_t head = mesh::mixed(n + mesh::mixed(seed + 0x9e3779b97f4a7c15ULL));
  const uint64_t tail = mesh::mixed(head ^ seed);
  const uint64_t high = (head & ~0xf000ULL) | 0x4000ULL;
  const uint64_t low = 0x8000000000000000ULL | (head & 0xf000ULL) << 46 | (tail >> 6);
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}"),
                 high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48,
                 low & 0xffff'ffff'ffffULL);
}

struct Spot {
  uint64_t n, key;  // the key's number
  int64_t moment_ms;
};

void add_sale(std::string& out, const DemoEventOptions& options, const Spot& spot) {
  Random random(options.seed, kOfEvent, spot.n);
  Random till(options.seed, kOfKey, spot.key);
  const Product& product = random.pick(kProducts);
  const uint64_t quantity = 1 + random.below(5);
  // From half the price to one and a half.
  const uint64_t cents = product.cents * quantity * (500 + random.below(1001)) / 1000;
  out += R"({"id":")";
  add_uuid(out, options.seed, spot.n);
  fmt::format_to(std::back_inserter(out), FMT_COMPILE(R"(","pays":"{}","montant":)"),
                 kCountries[till.pick(kCountryWeights)]);
  add_money(out, cents);
  fmt::format_to(std::back_inserter(out),
                 FMT_COMPILE(R"(,"produit":"{}","quantite":{},"moment":")"), product.french,
                 quantity);
  add_time(out, spot.moment_ms);
  out += R"("})";
}

// What was bought, as a JSON array; its price in all, in hundredths.
uint64_t add_products(std::string& out, Random& random) {
  uint64_t total = 0;
  const uint64_t count = 1 + random.below(3);
  out += '[';
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t index = random.below(std::size(kProducts));
    const Product& product = kProducts[index];
    const uint64_t quantity = 1 + random.below(3);
    total += product.cents * quantity;
    fmt::format_to(std::back_inserter(out),
                   FMT_COMPILE(R"({}{{"product_id":"P{:03}","name":"{}","category":"{}","price":)"),
                   i > 0 ? "," : "", index + 1, product.english, product.category);
    add_money(out, product.cents);
    fmt::format_to(std::back_inserter(out), FMT_COMPILE(R"(,"quantity":{}}})"), quantity);
  }
  out += ']';
  return total;
}

void add_payment(std::string& out, const DemoEventOptions& options, const Spot& spot) {
  Random random(options.seed, kOfEvent, spot.n);
  Random user(options.seed, kOfKey, spot.key);
  const uint64_t first = user.below(std::size(kFirstNames));
  const Place& place = user.pick(kPlaces);
  const auto to = std::back_inserter(out);
  out += R"({"transaction_id":")";
  add_uuid(out, options.seed, spot.n);
  fmt::format_to(to,
                 FMT_COMPILE(R"(","user_id":"user-{}","user_name":"{} {}",)"
                             R"("email":"{}.{}@example.com","card_number":"{}","products":)"),
                 spot.key, kFirstNames[first], user.pick(kLastNames), kFirstMails[first], spot.key,
                 user.pick(kCards));
  const uint64_t total = add_products(out, random);
  out += R"(,"amount":)";
  add_money(out, total);
  fmt::format_to(to,
                 FMT_COMPILE(R"(,"currency":"{}","payment_method":"{}","status":"{}",)"
                             R"("country":"{}","ip_address":"{}.{}","timestamp":")"),
                 place.currency, random.pick(kMethods), random.pick(kStatuses), place.country,
                 random.pick(kNetworks), 1 + random.below(254));
  add_time(out, spot.moment_ms);
  fmt::format_to(to,
                 FMT_COMPILE(R"(","address":{{"street":"{} {}","city":"{}","zip":"{}",)"
                             R"("country":"{}"}}}})"),
                 1 + user.below(200), user.pick(kStreets), place.city, place.zip, place.country);
}

// One of four ways in which a message is none.
void spoil(DemoKind kind, Random& random, std::string& value) {
  const std::string_view amount = kind == DemoKind::kSales ? "\"montant\":" : "\"amount\":";
  switch (random.below(4)) {
    case 0:
      value.resize(1 + random.below(value.size() - 1));
      return;
    case 1: {
      const size_t begin = value.find(amount) + amount.size();
      value.replace(begin, value.find(',', begin) - begin, "\"beaucoup\"");
      return;
    }
    case 2:
      value[value.find(":\"") + 2] = '\xff';
      return;
    default:
      value.clear();
  }
}

bool drawn(Random& random, double share) {
  return static_cast<double>(random.below(kShareScale)) < share * static_cast<double>(kShareScale);
}

}  // namespace

void DemoEvents::make(uint64_t n, int64_t at_ms, DemoEvent& out) const {
  Random random(options_.seed, kOfFault, n);
  Spot spot{n, random.below(std::max<uint64_t>(options_.keys, 1)), 0};
  out.timestamp_ms = at_ms + options_.clock_skew.count();
  out.late = drawn(random, options_.late);
  const auto delay = static_cast<int64_t>(random.below(9 * kMinute)) + kMinute;
  spot.moment_ms = out.timestamp_ms - (out.late ? delay : 0);
  out.malformed = drawn(random, options_.malformed);
  out.key.clear();
  out.value.clear();
  fmt::format_to(std::back_inserter(out.key), FMT_COMPILE("{}-{}"),
                 options_.kind == DemoKind::kSales ? "caisse" : "user", spot.key);
  if (options_.kind == DemoKind::kSales) {
    add_sale(out.value, options_, spot);
  } else {
    add_payment(out.value, options_, spot);
  }
  if (out.malformed) spoil(options_.kind, random, out.value);
}

}  // namespace meesh::streams
