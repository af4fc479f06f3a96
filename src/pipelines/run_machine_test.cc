#include "pipelines/run_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace meesh::pipelines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

RunMachine fresh(std::vector<std::vector<size_t>> needs) {
  const size_t count = needs.size();
  return {std::move(needs), std::vector<StepState>(count, StepState::kPending)};
}

TEST(RunMachine, StepsBecomeReadyWhenWhatTheyNeedHasSucceeded) {
  RunMachine machine = fresh({{}, {0}, {0}, {1, 2}});
  EXPECT_THAT(machine.take_ready(), ElementsAre(0));
  EXPECT_THAT(machine.take_ready(), IsEmpty());
  machine.begin(0);
  EXPECT_THAT(machine.end(0, StepState::kSucceeded), IsEmpty());
  EXPECT_THAT(machine.take_ready(), ElementsAre(1, 2));
  machine.end(2, StepState::kSucceeded);
  EXPECT_THAT(machine.take_ready(), IsEmpty());
  machine.end(1, StepState::kSucceeded);
  EXPECT_THAT(machine.take_ready(), ElementsAre(3));
  EXPECT_FALSE(machine.done());
  machine.end(3, StepState::kSucceeded);
  EXPECT_TRUE(machine.done());
  EXPECT_EQ(machine.outcome(), RunState::kSucceeded);
}

TEST(RunMachine, AFailureTakesWhatNeedsItAndNothingElse) {
  RunMachine machine = fresh({{}, {}, {0}, {2}, {1}, {3, 4}});
  EXPECT_THAT(machine.take_ready(), ElementsAre(0, 1));
  EXPECT_THAT(machine.end(0, StepState::kFailed), UnorderedElementsAre(2, 3, 5));
  machine.end(1, StepState::kSucceeded);
  EXPECT_THAT(machine.take_ready(), ElementsAre(4));
  EXPECT_THAT(machine.end(4, StepState::kFailed), IsEmpty());
  EXPECT_TRUE(machine.done());
  EXPECT_EQ(machine.outcome(), RunState::kFailed);
}

TEST(RunMachine, AResumedRunDoesNotRepeatWhatSucceeded) {
  using enum StepState;
  RunMachine machine({{}, {0}, {1}, {}, {3}},
                     {kSucceeded, kRunning, kPending, kFailed, kUpstreamFailed});
  EXPECT_THAT(machine.take_ready(), ElementsAre(1));
  machine.end(1, kSucceeded);
  EXPECT_THAT(machine.take_ready(), ElementsAre(2));
  machine.end(2, kSucceeded);
  EXPECT_TRUE(machine.done());
  EXPECT_EQ(machine.outcome(), RunState::kFailed);
}

TEST(RunMachine, AFailureBeforeTheCrashReachesWhatWasNotToldYet) {
  using enum StepState;
  RunMachine machine({{}, {0}, {1}}, {kFailed, kPending, kPending});
  EXPECT_THAT(machine.take_ready(), IsEmpty());
  EXPECT_EQ(machine.state(2), kUpstreamFailed);
  EXPECT_TRUE(machine.done());
}

TEST(RunMachine, CancellationEndsWhatWaits) {
  RunMachine machine = fresh({{}, {0}, {}});
  machine.take_ready();
  machine.begin(0);
  machine.retry(2);
  EXPECT_THAT(machine.cancel_waiting(), ElementsAre(1, 2));
  EXPECT_FALSE(machine.done());
  machine.end(0, StepState::kCanceled);
  EXPECT_TRUE(machine.done());
  EXPECT_EQ(machine.outcome(), RunState::kCanceled);
}

/// Graphs at random, a tenth of the steps failing: whatever the order of events, a step runs once,
/// after what it needs, and exactly those run that need no failed one.
TEST(RunMachine, AThousandStepsOfWhichATenthFail) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    constexpr size_t kCount = 1000;
    std::vector<std::vector<size_t>> needs(kCount);
    std::vector<bool> fails(kCount), reachable(kCount, true);
    for (size_t i = 1; i < kCount; ++i) {
      const size_t many = random() % 4;
      for (size_t n = 0; n < many; ++n) {
        const size_t need = i - 1 - random() % std::min<size_t>(i, 30);
        if (std::ranges::find(needs[i], need) == needs[i].end()) needs[i].push_back(need);
      }
    }
    for (size_t i = 0; i < kCount; ++i) {
      fails[i] = random() % 10 == 0;
      for (const size_t need : needs[i]) {
        reachable[i] = reachable[i] && reachable[need] && !fails[need];
      }
    }
    RunMachine machine = fresh(needs);
    std::vector<size_t> going;
    std::vector<int> ran(kCount);
    while (!machine.done()) {
      for (const size_t step : machine.take_ready()) {
        for (const size_t need : needs[step]) {
          ASSERT_EQ(machine.state(need), StepState::kSucceeded);
        }
        machine.begin(step);
        ++ran[step];
        going.push_back(step);
      }
      ASSERT_FALSE(going.empty()) << "stuck, seed " << seed;
      std::swap(going[random() % going.size()], going.back());
      const size_t step = going.back();
      going.pop_back();
      machine.end(step, fails[step] ? StepState::kFailed : StepState::kSucceeded);
    }
    for (size_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(ran[i], reachable[i] ? 1 : 0) << i << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace meesh::pipelines
