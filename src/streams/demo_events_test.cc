#include "streams/demo_events.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

#include "base/text.h"

namespace meesh::streams {
namespace {

namespace json = boost::json;

constexpr int64_t kNow = 1'736'935'872'123;  // 2025-01-15T10:11:12.123Z

DemoEvent event(const DemoEventOptions& options, uint64_t n) {
  DemoEvent made;
  DemoEvents(options).make(n, kNow, made);
  return made;
}

std::string digest(const DemoEventOptions& options) {
  std::string all;
  for (uint64_t n = 0; n < 500; ++n) {
    const DemoEvent one = event(options, n);
    all += fmt::format("{}|{}|{}\n", one.key, one.value, one.timestamp_ms);
  }
  return fmt::format("{:016x}", base::checksum(all));
}

// Frozen: the same seed gives the same events in every version.
TEST(DemoEvents, DependOnSeedNumberAndTimeOnly) {
  EXPECT_EQ(digest({.malformed = 0.1, .late = 0.1}), "c0a386ab650ada63");
  EXPECT_EQ(digest({.kind = DemoKind::kPayments, .malformed = 0.1, .late = 0.1}),
            "d1eab50dae209ca2");
  EXPECT_NE(digest({}), digest({.seed = 2}));
  const DemoEvents events({});
  DemoEvent reused;
  events.make(8, kNow, reused);
  events.make(7, kNow, reused);
  EXPECT_EQ(reused.value, event({}, 7).value);
}

TEST(DemoEvents, SalesAreWhatTheySay) {
  std::set<std::string> ids, keys, countries;
  for (uint64_t n = 0; n < 5'000; ++n) {
    const DemoEvent one = event({.keys = 40}, n);
    const json::object sale = json::parse(one.value).as_object();
    ids.insert(sale.at("id").as_string().c_str());
    keys.insert(one.key);
    countries.insert(one.key + sale.at("pays").as_string().c_str());
    EXPECT_GT(sale.at("montant").to_number<double>(), 0);
    const size_t amount = one.value.find("\"montant\":");
    const size_t point = one.value.find('.', amount);
    EXPECT_EQ(one.value[point + 3], ',') << one.value;  // two digits
    EXPECT_GE(sale.at("quantite").as_int64(), 1);
    EXPECT_FALSE(sale.at("produit").as_string().empty());
    EXPECT_EQ(sale.at("moment").as_string(), "2025-01-15T10:11:12.123Z");
    EXPECT_EQ(one.timestamp_ms, kNow);
  }
  EXPECT_EQ(ids.size(), 5'000u);
  EXPECT_EQ(keys.size(), 40u);
  EXPECT_EQ(countries.size(), 40u);  // a cash register stands in one country
}

TEST(DemoEvents, PaymentsAreWhatTheySay) {
  for (uint64_t n = 0; n < 2'000; ++n) {
    const DemoEvent one = event({.kind = DemoKind::kPayments, .keys = 25}, n);
    const json::object payment = json::parse(one.value).as_object();
    EXPECT_EQ(payment.at("user_id").as_string(), one.key);
    int64_t cents = 0;
    for (const json::value& product : payment.at("products").as_array()) {
      cents += std::llround(product.at("price").to_number<double>() * 100) *
               product.at("quantity").as_int64();
    }
    EXPECT_EQ(std::llround(payment.at("amount").to_number<double>() * 100), cents);
    EXPECT_EQ(payment.at("country"), payment.at("address").at("country"));
    for (const char* name : {"transaction_id", "user_name", "email", "card_number", "currency",
                             "payment_method", "status", "ip_address", "timestamp"}) {
      EXPECT_FALSE(payment.at(name).as_string().empty()) << name;
    }
  }
}

bool readable(const std::string& value, const char* amount) {
  boost::system::error_code error;
  const json::value parsed = json::parse(value, error);
  return !error && parsed.is_object() && parsed.at(amount).is_number();
}

TEST(DemoEvents, MalformedOnesCannotBeRead) {
  for (const auto kind : {DemoKind::kSales, DemoKind::kPayments}) {
    const char* amount = kind == DemoKind::kSales ? "montant" : "amount";
    int malformed = 0, empty = 0, not_text = 0;
    for (uint64_t n = 0; n < 4'000; ++n) {
      const DemoEvent one = event({.kind = kind, .malformed = 0.25}, n);
      EXPECT_NE(readable(one.value, amount), one.malformed) << one.value;
      malformed += one.malformed ? 1 : 0;
      empty += one.value.empty() ? 1 : 0;
      not_text += one.value.find('\xff') != std::string::npos ? 1 : 0;
    }
    EXPECT_NEAR(malformed, 1'000, 150);
    EXPECT_NEAR(empty, 250, 80);
    EXPECT_NEAR(not_text, 250, 80);
  }
}

TEST(DemoEvents, LateOnesAndWrongClocksMoveTheMoment) {
  int late = 0;
  for (uint64_t n = 0; n < 2'000; ++n) {
    const DemoEvent one = event({.late = 0.5}, n);
    const json::value sale = json::parse(one.value);
    late += one.late ? 1 : 0;
    EXPECT_EQ(sale.at("moment").as_string() < "2025-01-15T10:10:12.124Z", one.late);
    EXPECT_GE(sale.at("moment").as_string(), "2025-01-15T10:01:12.123Z");
    EXPECT_EQ(one.timestamp_ms, kNow);
  }
  EXPECT_NEAR(late, 1'000, 150);
  const DemoEvent behind = event({.clock_skew = std::chrono::seconds(-12)}, 0);
  EXPECT_EQ(json::parse(behind.value).at("moment").as_string(), "2025-01-15T10:11:00.123Z");
  EXPECT_EQ(behind.timestamp_ms, kNow - 12'000);
}

}  // namespace
}  // namespace meesh::streams
