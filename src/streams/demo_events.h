// Events for the demo's topics and for benchmarks: the n-th is the same for the same options and
// time, whatever was made before it.
//
//   const DemoEvents events({.kind = DemoKind::kSales, .seed = 7});
//   DemoEvent event;
//   events.make(0, now_ms, event);
//   producer.send("ventes-temps-reel", event.key, event.value, event.timestamp_ms);
//
// Sales, of cash registers of one country each:
//   {"id":"…","pays":"France","montant":12.50,"produit":"Clavier","quantite":2,
//    "moment":"2025-01-15T10:11:12.123Z"}
// Payments, of users who keep name, address and card: transaction_id, user_id, user_name, email,
// card_number (numbers that card schemes publish for tests), amount, currency, payment_method,
// status, country, ip_address (of networks for documentation), timestamp, products, address.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace meesh::streams {

enum class DemoKind { kSales, kPayments };

struct DemoEventOptions {
  DemoKind kind = DemoKind::kSales;
  uint64_t seed = 1;
  uint64_t keys = 1000;  // different keys: cash registers, users; at least 1
  double malformed = 0;  // share of values that cannot be read: cut off, a text as the amount, not
                         // UTF-8, nothing at all
  double late = 0;       // share whose moment lies one to ten minutes before they are sent
  std::chrono::milliseconds clock_skew{0};  // by how much the producer's clock is ahead
};

struct DemoEvent {
  std::string key, value;
  int64_t timestamp_ms = 0;  // the message's: when it is sent, by the producer's clock
  bool malformed = false, late = false;
};

class DemoEvents {
 public:
  explicit DemoEvents(const DemoEventOptions& options) : options_(options) {}
  /// The n-th event, from 0, sent at that time (milliseconds since 1970). Reuses the memory of
  /// `out`.
  void make(uint64_t n, int64_t at_ms, DemoEvent& out) const;

 private:
  const DemoEventOptions options_;
};

}  // namespace meesh::streams
