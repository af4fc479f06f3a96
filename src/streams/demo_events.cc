#include "streams/demo_events.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>

#include "mesh/demo_random.h"

namespace meesh::streams {
namespace {

using mesh::Random;

// Of mesh::Random, beyond those of the demo's tables.
enum RandomKind : uint64_t { kOfEvent = 32, kOfKey, kOfFault };

constexpr uint64_t kMinute = 60'000;
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

// Where an event is written: the longest has about 1,200 bytes, all of tables and numbers here.
class Writer {
 public:
  Writer& operator+=(std::string_view text) {
    end_ = std::copy(text.begin(), text.end(), end_);
    return *this;
  }
  template <typename Format, typename... Values>
  void format(const Format& pattern, const Values&... values) {
    end_ = fmt::format_to(end_, pattern, values...);
  }
  Writer& operator+=(char letter) {
    *end_++ = letter;
    return *this;
  }
  /// The last so many digits, of base 10 or 16.
  template <unsigned kBase = 10>
  void digits(uint64_t number, int count) {
    for (int i = count; i > 0; --i, number /= kBase) {
      end_[i - 1] = "0123456789abcdef"[number % kBase];
    }
    end_ += count;
  }
  void move_to(std::string& out) {
    out.assign(buffer_.data(), end_);
    end_ = buffer_.data();
  }

 private:
  std::array<char, 4096> buffer_;
  char* end_ = buffer_.data();
};

void add_money(Writer& out, uint64_t cents) {
  out.format(FMT_COMPILE("{}."), cents / 100);
  out.digits(cents % 100, 2);
}

// "2025-01-15T10:11:12.123Z"
void add_time(Writer& out, int64_t ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(ms)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto of_day = static_cast<uint64_t>((time - day).count());
  const std::tuple<uint64_t, int, char> parts[] = {
      {static_cast<uint64_t>(int(date.year())), 4, '-'},
      {unsigned(date.month()), 2, '-'},
      {unsigned(date.day()), 2, 'T'},
      {of_day / 3'600'000, 2, ':'},
      {of_day / kMinute % 60, 2, ':'},
      {of_day / 1000 % 60, 2, '.'},
      {of_day % 1000, 3, 'Z'}};
  for (const auto& [number, digits, behind] : parts) {
    out.digits(number, digits);
    out += behind;
  }
}

// As a random UUID (version 4) looks. No two numbers of one seed have the same: mixed() is one to
// one, and the four bits that the version takes stand in the second half.
void add_uuid(Writer& out, uint64_t seed, uint64_t n) {
  const uint64_t head = mesh::mixed(n + mesh::mixed(seed + 0x9e3779b97f4a7c15ULL));
  const uint64_t tail = mesh::mixed(head ^ seed);
  const uint64_t high = (head & ~0xf000ULL) | 0x4000ULL;
  const uint64_t low = 0x8000000000000000ULL | (head & 0xf000ULL) << 46 | (tail >> 6);
  out.digits<16>(high >> 32, 8);
  out += '-';
  out.digits<16>(high >> 16, 4);
  out += '-';
  out.digits<16>(high, 4);
  out += '-';
  out.digits<16>(low >> 48, 4);
  out += '-';
  out.digits<16>(low, 12);
}

struct Spot {
  uint64_t n, key;  // the key's number
  int64_t moment_ms;
};

void add_sale(Writer& out, const DemoEventOptions& options, const Spot& spot) {
  Random random(options.seed, kOfEvent, spot.n);
  Random till(options.seed, kOfKey, spot.key);
  const Product& product = random.pick(kProducts);
  const uint64_t quantity = 1 + random.below(5);
  // From half the price to one and a half.
  const uint64_t cents = product.cents * quantity * (500 + random.below(1001)) / 1000;
  out += R"({"id":")";
  add_uuid(out, options.seed, spot.n);
  out.format(FMT_COMPILE(R"(","pays":"{}","montant":)"), kCountries[till.pick(kCountryWeights)]);
  add_money(out, cents);
  out.format(FMT_COMPILE(R"(,"produit":"{}","quantite":{},"moment":")"), product.french, quantity);
  add_time(out, spot.moment_ms);
  out += R"("})";
}

// What was bought, as a JSON array; its price in all, in hundredths.
uint64_t add_products(Writer& out, Random& random) {
  uint64_t total = 0;
  const uint64_t count = 1 + random.below(3);
  out += '[';
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t index = random.below(std::size(kProducts));
    const Product& product = kProducts[index];
    const uint64_t quantity = 1 + random.below(3);
    total += product.cents * quantity;
    out += i > 0 ? R"(,{"product_id":"P)" : R"({"product_id":"P)";
    out.digits(index + 1, 3);
    out.format(FMT_COMPILE(R"(","name":"{}","category":"{}","price":)"), product.english,
               product.category);
    add_money(out, product.cents);
    out.format(FMT_COMPILE(R"(,"quantity":{}}})"), quantity);
  }
  out += ']';
  return total;
}

void add_payment(Writer& out, const DemoEventOptions& options, const Spot& spot) {
  Random random(options.seed, kOfEvent, spot.n);
  Random user(options.seed, kOfKey, spot.key);
  const uint64_t first = user.below(std::size(kFirstNames));
  const Place& place = user.pick(kPlaces);
  out += R"({"transaction_id":")";
  add_uuid(out, options.seed, spot.n);
  out.format(FMT_COMPILE(R"(","user_id":"user-{}","user_name":"{} {}",)"
                         R"("email":"{}.{}@example.com","card_number":"{}","products":)"),
             spot.key, kFirstNames[first], user.pick(kLastNames), kFirstMails[first], spot.key,
             user.pick(kCards));
  const uint64_t total = add_products(out, random);
  out += R"(,"amount":)";
  add_money(out, total);
  out.format(FMT_COMPILE(R"(,"currency":"{}","payment_method":"{}","status":"{}",)"
                         R"("country":"{}","ip_address":"{}.{}","timestamp":")"),
             place.currency, random.pick(kMethods), random.pick(kStatuses), place.country,
             random.pick(kNetworks), 1 + random.below(254));
  add_time(out, spot.moment_ms);
  out.format(FMT_COMPILE(R"(","address":{{"street":"{} {}","city":"{}","zip":"{}",)"
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
  const auto delay = static_cast<int64_t>(random.below(9 * kMinute) + kMinute);
  spot.moment_ms = out.timestamp_ms - (out.late ? delay : 0);
  out.malformed = drawn(random, options_.malformed);
  Writer writer;
  writer += options_.kind == DemoKind::kSales ? "caisse-" : "user-";
  writer.format(FMT_COMPILE("{}"), spot.key);
  writer.move_to(out.key);
  if (options_.kind == DemoKind::kSales) {
    add_sale(writer, options_, spot);
  } else {
    add_payment(writer, options_, spot);
  }
  writer.move_to(out.value);
  if (out.malformed) spoil(options_.kind, random, out.value);
}

}  // namespace meesh::streams
