// Which steps of one run may go, as others end. Not thread-safe; knows no time and no threads.
#pragma once

#include <cstddef>
#include <vector>

#include "pipelines/run_record.h"

namespace meesh::pipelines {

class RunMachine {
 public:
  /// `needs[i]`: steps that must have succeeded before step i. `states`: where they stand (a run
  /// that is resumed); steps that were running begin again.
  RunMachine(std::vector<std::vector<size_t>> needs, std::vector<StepState> states);

  size_t size() const { return states_.size(); }
  StepState state(size_t step) const { return states_[step]; }

  /// Steps that have become ready and were not asked for yet, in order.
  std::vector<size_t> take_ready();
  void begin(size_t step);
  /// The attempt failed and will be repeated: the step waits for begin().
  void retry(size_t step);
  /// An end. Steps that can never run now: they are upstream_failed and come back.
  std::vector<size_t> end(size_t step, StepState state);
  /// All that has not begun. They are canceled and come back.
  std::vector<size_t> cancel_waiting();

  /// Nothing runs and nothing can.
  bool done() const { return open_ == 0; }
  /// Once done.
  RunState outcome() const;

 private:
  void settle(size_t step, std::vector<size_t>& lost);

  std::vector<std::vector<size_t>> needs_, feeds_;
  std::vector<StepState> states_;
  std::vector<size_t> waits_;  // needs that have not succeeded
  std::vector<size_t> ready_;
  size_t open_ = 0;  // steps without an end
};

}  // namespace meesh::pipelines
