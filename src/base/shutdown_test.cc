#include "base/shutdown.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"

namespace meesh {
namespace {

using namespace std::chrono_literals;

TEST(Gate, ClosedLetsNobodyIn) {
  Gate gate;
  {
    auto pass = gate.enter();
  }
  EXPECT_TRUE(gate.close(0ms));
  EXPECT_TRUE(gate.closed());
  EXPECT_FALSE(gate.try_enter());
  try {
    auto pass = gate.enter();
    ADD_FAILURE() << "entered";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kServerShuttingDown);
  }
}

TEST(Gate, CloseWaitsForThoseInside) {
  Gate gate;
  auto pass = gate.try_enter();
  ASSERT_TRUE(pass);
  EXPECT_EQ(gate.inside(), 1U);
  EXPECT_FALSE(gate.close(1ms));
  std::atomic<bool> done{false};
  std::thread closer([&] {
    EXPECT_TRUE(gate.close(30s));
    EXPECT_TRUE(done);
  });
  done = true;
  pass->leave();
  closer.join();
  EXPECT_EQ(gate.inside(), 0U);
}

TEST(Gate, PassMovesOnce) {
  Gate gate;
  {
    auto a = gate.enter();
    auto b = std::move(a);
    EXPECT_EQ(gate.inside(), 1U);
    b = gate.enter();
    EXPECT_EQ(gate.inside(), 1U);
  }
  EXPECT_EQ(gate.inside(), 0U);
}

TEST(Stop, EndsASleep) {
  Stop stop;
  EXPECT_FALSE(stop.sleep_for(1ms));
  std::thread sleeper([&] { EXPECT_TRUE(stop.sleep_for(1h)); });
  stop.request();
  sleeper.join();
  EXPECT_TRUE(stop.requested());
  EXPECT_THROW(stop.check(), Error);
}

TEST(Stop, EndsAWaitAndSeesReady) {
  Stop stop;
  std::mutex mutex;
  std::condition_variable_any changed;
  bool ready = false;
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(stop.wait(changed, lock, [&] { return ready; }));
    EXPECT_FALSE(stop.wait_for(changed, lock, 1h, [&] { return !ready; }));
  });
  {
    std::lock_guard lock(mutex);
    ready = true;
  }
  changed.notify_all();
  stop.request();
  waiter.join();
}

TEST(Stop, CallsBack) {
  Stop stop;
  int calls = 0;
  {
    OnStop gone(stop.token(), [&] { calls += 100; });
  }
  OnStop here(stop.token(), [&] { ++calls; });
  stop.request();
  stop.request();
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace meesh
