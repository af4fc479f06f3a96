#include "mesh/demo_rows.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/text.h"

namespace meesh::mesh {
namespace {

std::string digest(const DemoRows& rows, uint64_t from, uint64_t to) {
  std::string all;
  for (uint64_t i = from; i < to; ++i) {
    const CustomerRow c = rows.customer(i);
    const OrderRow o = rows.order(i);
    const CampaignRow k = rows.campaign(i);
    const LeadRow l = rows.lead(i);
    all += fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}\n", c.name, c.email, c.phone,
                       c.created_at, o.customer, o.cents, o.created_at, k.name, k.budget_cents,
                       k.start, k.end, l.email, l.campaign, l.source, l.created_at);
  }
  return all;
}

TEST(DemoRows, AreTheSameInAnyOrderOnAnyThread) {
  const DemoRows rows(42, DemoCounts::scaled(0.01));
  const std::string whole = digest(rows, 0, 1000);
  std::string parts[4];
  {
    std::vector<std::jthread> threads;
    for (uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        parts[3 - t] = digest(DemoRows(42, DemoCounts::scaled(0.01)), (3 - t) * 250, (4 - t) * 250);
      });
    }
  }
  EXPECT_EQ(parts[0] + parts[1] + parts[2] + parts[3], whole);
  EXPECT_NE(digest(DemoRows(43, rows.counts()), 0, 1000), whole);
  // Frozen: the same seed gives the same rows in every version.
  EXPECT_EQ(fmt::format("{:016x}", base::checksum(whole)), "2b5102cdc5cc47bd");
}

TEST(DemoRows, FitTheirColumns) {
  const DemoRows rows(1, DemoCounts::scaled(1));
  std::set<std::string> emails;
  for (uint64_t i = 0; i < 20'000; ++i) {
    const CustomerRow c = rows.customer(i);
    EXPECT_TRUE(base::valid_utf8(c.name));
    EXPECT_LE(base::code_points(c.name), 100u);
    EXPECT_LE(c.email.size(), 100u);
    EXPECT_LE(c.phone.size(), 20u);
    EXPECT_EQ(c.email.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.@"),
              std::string::npos)
        << c.email;
    EXPECT_TRUE(emails.insert(c.email).second) << c.email;
    const OrderRow o = rows.order(i);
    EXPECT_LT(o.customer, 200'000u);
    EXPECT_GE(o.cents, 500);
    EXPECT_LT(o.cents, 99'999'999'99);
    const LeadRow l = rows.lead(i);
    EXPECT_LT(l.campaign, 200);
    EXPECT_LE(l.email.size(), 100u);
  }
}

TEST(DemoRows, Scales) {
  EXPECT_EQ(DemoCounts::scaled(1).orders, 2'000'000u);
  EXPECT_EQ(DemoCounts::scaled(0.5).total(), 1'250'100u);
  EXPECT_EQ(DemoCounts::scaled(0.000001).campaigns, 1u);
  EXPECT_EQ(DemoCounts::scaled(0).total(), 0u);
  EXPECT_EQ(DemoCounts::scaled(-1).total(), 0u);
}

}  // namespace
}  // namespace meesh::mesh
