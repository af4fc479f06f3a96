#include "serve/api/service_probes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace meesh::serve::api {
namespace {

using namespace std::chrono_literals;

TEST(ServiceProbes, TellWhatWasFound) {
  ServiceProbes probes(10s);
  const size_t good = probes.add(
      1h, [](const std::stop_token&) { return Finding{ServiceState::kRunning, "15.4"}; });
  const size_t bad = probes.add(1h, [](const std::stop_token&) -> Finding {
    throw Error(Code::kUnavailable, "nobody listens");
  });
  const auto all = probes.read();
  EXPECT_EQ(all.at(good).state, ServiceState::kRunning);
  EXPECT_EQ(all.at(good).detail, "15.4");
  EXPECT_GE(all.at(good).latency_ms, 0);
  EXPECT_GT(all.at(good).checked_ms, 0);
  EXPECT_EQ(all.at(bad).state, ServiceState::kFailed);
  EXPECT_NE(all.at(bad).detail.find("nobody listens"), std::string::npos);
  EXPECT_EQ(all.at(bad).latency_ms, -1);
}

TEST(ServiceProbes, AskNoOftenerThanTheySay) {
  ServiceProbes probes(10s);
  std::atomic<int> seldom = 0, always = 0;
  probes.add(1h, [&](const std::stop_token&) {
    ++seldom;
    return Finding{};
  });
  probes.add(0ms, [&](const std::stop_token&) {
    ++always;
    return Finding{};
  });
  for (int i = 0; i < 3; ++i) probes.read();
  EXPECT_EQ(seldom, 1);
  EXPECT_EQ(always, 3);
}

TEST(ServiceProbes, NobodyWaitsForOneThatHangs) {
  std::promise<void> answer;
  auto answered = answer.get_future().share();
  ServiceProbes probes(20ms);
  std::atomic<int> asked = 0;
  probes.add(0ms, [&](const std::stop_token&) {
    ++asked;
    answered.wait();
    return Finding{};
  });
  EXPECT_EQ(probes.read().at(0).state, ServiceState::kUnknown);
  EXPECT_EQ(probes.read().at(0).state, ServiceState::kUnknown);
  EXPECT_EQ(asked, 1) << "it was asked again while it had not answered";
  answer.set_value();
}

TEST(ServiceProbes, AreStoppedAtTheEnd) {
  std::atomic<bool> stopped = false;
  {
    ServiceProbes probes(1ms);
    probes.add(0ms, [&](const std::stop_token& stop) {
      while (!stop.stop_requested()) std::this_thread::yield();
      stopped = true;
      return Finding{};
    });
    probes.read();
  }
  EXPECT_TRUE(stopped);
}

}  // namespace
}  // namespace meesh::serve::api
