#include "pipelines/run_machine.h"

#include <algorithm>
#include <utility>

namespace meesh::pipelines {

RunMachine::RunMachine(std::vector<std::vector<size_t>> needs, std::vector<StepState> states)
    : needs_(std::move(needs)), feeds_(needs_.size()), states_(std::move(states)) {
  waits_.resize(needs_.size());
  open_ = needs_.size();
  for (size_t i = 0; i < needs_.size(); ++i) {
    waits_[i] = needs_[i].size();
    for (const size_t need : needs_[i]) feeds_[need].push_back(i);
  }
  const std::vector<StepState> before =
      std::exchange(states_, std::vector<StepState>(needs_.size(), StepState::kPending));
  for (size_t i = 0; i < needs_.size(); ++i) {
    if (waits_[i] == 0) ready_.push_back(i);
  }
  for (size_t i = 0; i < before.size(); ++i) {
    if (ended(before[i])) end(i, before[i]);
  }
}

std::vector<size_t> RunMachine::take_ready() {
  std::vector<size_t> ready = std::exchange(ready_, {});
  std::erase_if(ready, [&](size_t step) { return states_[step] != StepState::kPending; });
  std::ranges::sort(ready);
  return ready;
}

void RunMachine::begin(size_t step) { states_[step] = StepState::kRunning; }
void RunMachine::retry(size_t step) { states_[step] = StepState::kRetrying; }

std::vector<size_t> RunMachine::end(size_t step, StepState state) {
  std::vector<size_t> lost;
  if (ended(states_[step])) return lost;
  states_[step] = state;
  settle(step, lost);
  return lost;
}

void RunMachine::settle(size_t step, std::vector<size_t>& lost) {
  std::vector<size_t> edge{step};
  while (!edge.empty()) {
    const size_t at = edge.back();
    edge.pop_back();
    --open_;
    for (const size_t next : feeds_[at]) {
      if (states_[at] == StepState::kSucceeded) {
        if (--waits_[next] == 0) ready_.push_back(next);
      } else if (states_[next] == StepState::kPending) {
        states_[next] = StepState::kUpstreamFailed;
        lost.push_back(next);
        edge.push_back(next);
      }
    }
  }
}

std::vector<size_t> RunMachine::cancel_waiting() {
  std::vector<size_t> canceled;
  for (size_t i = 0; i < states_.size(); ++i) {
    if (states_[i] != StepState::kPending && states_[i] != StepState::kRetrying) continue;
    states_[i] = StepState::kCanceled;
    --open_;
    canceled.push_back(i);
  }
  return canceled;
}

RunState RunMachine::outcome() const {
  const auto any = [&](StepState state) {
    return std::ranges::find(states_, state) != states_.end();
  };
  if (any(StepState::kCanceled)) return RunState::kCanceled;
  if (any(StepState::kFailed) || any(StepState::kUpstreamFailed)) return RunState::kFailed;
  return RunState::kSucceeded;
}

}  // namespace meesh::pipelines
