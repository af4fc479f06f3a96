#include "serve/api/throttle.h"

#include <gtest/gtest.h>

namespace meesh::serve::api {
namespace {

using std::chrono::seconds;

class ThrottleTest : public ::testing::Test {
 protected:
  void fail(int times, const std::string& user, const std::string& address) {
    for (int i = 0; i < times; ++i) throttle_.failed(user, address);
  }
  Throttle::Clock::time_point now_{};
  Throttle throttle_{[this] { return now_; }};
};

TEST_F(ThrottleTest, SomeMistakesAreFreeThenItTakesLonger) {
  fail(4, "ann", "10.0.0.1");
  EXPECT_EQ(throttle_.wait("ann", "10.0.0.1"), seconds(0));
  fail(1, "ann", "10.0.0.1");
  EXPECT_EQ(throttle_.wait("ann", "10.0.0.1"), seconds(1));
  fail(3, "ann", "10.0.0.1");
  EXPECT_EQ(throttle_.wait("ann", "10.0.0.1"), seconds(8));
  now_ += seconds(8);
  EXPECT_EQ(throttle_.wait("ann", "10.0.0.1"), seconds(0));
  fail(60, "ann", "10.0.0.1");
  EXPECT_EQ(throttle_.wait("ann", "10.0.0.1"), seconds(900));
}

TEST_F(ThrottleTest, OthersDoNotWait) {
  fail(30, "ann", "127.0.0.1");
  EXPECT_GT(throttle_.wait("ann", "127.0.0.1"), seconds(100));
  EXPECT_EQ(throttle_.wait("bob", "127.0.0.1"), seconds(0)) << "everybody behind a proxy";
  EXPECT_EQ(throttle_.wait("ann", "10.0.0.2"), seconds(0));
}

TEST_F(ThrottleTest, ARightPasswordForgetsTheWrongOnes) {
  fail(5, "ann", "10.0.0.1");
  now_ += seconds(1);
  throttle_.succeeded("ann", "10.0.0.1");
  fail(4, "ann", "10.0.0.1");
  EXPECT_EQ(throttle_.wait("ann", "10.0.0.1"), seconds(0));
}

TEST_F(ThrottleTest, ManyUsersOfOneAddressWait) {
  for (int i = 0; i < 25; ++i) fail(1, "user" + std::to_string(i), "10.0.0.1");
  EXPECT_GT(throttle_.wait("new", "10.0.0.1"), seconds(10));
}

TEST_F(ThrottleTest, ManyAddressesForOneUserWaitALittle) {
  for (int i = 0; i < 200; ++i) fail(1, "ann", "10.0.1." + std::to_string(i));
  EXPECT_GT(throttle_.wait("ann", "10.9.9.9"), seconds(0));
  EXPECT_LE(throttle_.wait("ann", "10.9.9.9"), seconds(10)) << "nobody locks ann out";
}

TEST_F(ThrottleTest, OneNetworkIsOneAddress) {
  for (int i = 0; i < 8; ++i) fail(1, "ann", "2001:db8:1:2::" + std::to_string(i + 1));
  EXPECT_GT(throttle_.wait("ann", "2001:db8:1:2:ffff::9"), seconds(0));
  EXPECT_EQ(throttle_.wait("ann", "2001:db8:1:3::1"), seconds(0));
}

TEST_F(ThrottleTest, AFloodOfNamesTakesNoMoreMemory) {
  for (int i = 0; i < 100'000; ++i) fail(1, "user" + std::to_string(i), "127.0.0.1");
  EXPECT_EQ(throttle_.wait("ann", "127.0.0.1"), seconds(0));
}

}  // namespace
}  // namespace meesh::serve::api
