// The demo's generated rows: pure functions of seed and index, so that any part can be made
// anywhere, in any order, by any number of threads, and is always the same.
#pragma once

#include <cstdint>
#include <string>

namespace meesh::mesh {

struct DemoCounts {
  uint64_t customers = 0, orders = 0, leads = 0, campaigns = 0;
  uint64_t total() const { return customers + orders + leads + campaigns; }
  /// Scale 1 is 200 000 customers, 2 000 000 orders, 300 000 leads and 200 campaigns. Above 0, a
  /// table has at least one row.
  static DemoCounts scaled(double scale);
};

/// Days since 2000-01-01 and microseconds since its midnight, as PostgreSQL counts.
using Day = int32_t;
using Moment = int64_t;

struct CustomerRow {
  std::string name, email, phone;
  Moment created_at = 0;
};
struct OrderRow {
  uint64_t customer = 0;  // index of a generated customer
  int64_t cents = 0;
  Moment created_at = 0;
};
struct CampaignRow {
  std::string name;
  int64_t budget_cents = 0;
  Day start = 0, end = 0;
};
struct LeadRow {
  std::string email;      // of a generated customer, two times in three; else of nobody known
  int64_t campaign = -1;  // index of a generated campaign; -1 = none
  std::string source;
  Moment created_at = 0;
};

class DemoRows {
 public:
  DemoRows(uint64_t seed, DemoCounts counts) : seed_(seed), counts_(counts) {}

  const DemoCounts& counts() const { return counts_; }
  CustomerRow customer(uint64_t index) const;
  std::string customer_email(uint64_t index) const { return customer(index).email; }
  OrderRow order(uint64_t index) const;
  CampaignRow campaign(uint64_t index) const;
  LeadRow lead(uint64_t index) const;

 private:
  uint64_t seed_;
  DemoCounts counts_;
};

}  // namespace meesh::mesh
