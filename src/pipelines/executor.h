// Runs runs: starts steps as what they need has succeeded, within limits; tries again, times out,
// cancels; writes down how each ended before what depends on it begins.
//
// One thread decides, others run the steps. What was running when the process ends, however it
// ends, is still "running" in the database and is resumed by the next resume().
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "pipelines/pipeline_file.h"
#include "pipelines/run_machine.h"
#include "pipelines/run_store.h"
#include "pipelines/step_logs.h"
#include "pipelines/workers.h"

namespace meesh::pipelines {

struct ExecutorOptions {
  int most_steps = 64;
  std::function<std::string(const std::string& table)> version;   // see PipelinesOptions
  std::function<std::shared_ptr<const PipelineSet>()> pipelines;  // as they are now
  /// A run has ended; its record, the failed steps in it, and the transaction that says so.
  std::function<void(soci::session&, const Run&)> ending;
  std::function<void(const RunRecord&)> ended;  // afterwards
};

class Executor {
 public:
  Executor(RunStore& store, const StepLogs& logs, ExecutorOptions options);
  ~Executor() { stop(); }
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Takes runs that are queued or running in the database and are not here yet, and requests to
  /// cancel. Only while this server is the one that runs them.
  void catch_up();
  /// A queued run that is in the database.
  void add(RunRecord run);
  /// How many of a backfill's runs go at once.
  void limit_backfill(const std::string& id, int concurrency);
  /// False if it is not here.
  bool cancel(const std::string& run_id);
  /// Stops the steps under way and waits for them. Nothing begins any more. Idempotent.
  void stop();
  /// Stops everything without writing that it ended: another server goes on with it.
  void abandon();

  /// A run that has not ended, as it is this moment.
  std::optional<Run> find(const std::string& run_id);
  std::vector<RunRecord> current();
  bool busy(const std::string& pipeline);     // a run of it is queued or running
  bool waiting(const std::string& pipeline);  // a scheduled run of it is queued
  uint64_t wait_for_change(const std::string& run_id, uint64_t seen, Millis at_most);

 private:
  using Clock = std::chrono::steady_clock;

  /// Held by what may be called after the executor is gone.
  struct Life {
    std::mutex mutex;
    Executor* executor = nullptr;  // guarded; null: gone
  };
  struct Going {
    std::stop_source stop;
    Clock::time_point deadline = Clock::time_point::max();
    bool timed_out = false;
  };
  struct Active {
    RunRecord record;
    std::shared_ptr<const PipelineSet> set;
    int concurrency = 1;
    std::vector<const Graph::Node*> nodes;  // by step; null: gone
    std::unique_ptr<RunMachine> machine;
    std::vector<StepRecord> steps;
    std::map<size_t, std::map<std::string, StepRecord>> parts;
    std::deque<size_t> ready;
    std::map<size_t, Going> going;
    std::map<size_t, Clock::time_point> retries;
    bool closing = false, abandoned = false;
  };
  using ActivePtr = std::shared_ptr<Active>;
  /// What became of an attempt.
  struct Outcome {
    StepState state = StepState::kSucceeded;
    StepResult result;
    std::string error;
    bool may_retry = true;
    std::map<std::string, std::string> inputs;
  };

  void work();
  // Under mutex_:
  /// Until when nothing is due. What is to be stopped is added to `stops`, for after the lock.
  Clock::time_point advance(std::vector<std::stop_source>& stops);
  void advance(const ActivePtr& run, Clock::time_point now, Clock::time_point& next,
               std::vector<std::stop_source>& stops);
  void start_queued();
  bool may_start(const RunRecord& run) const;
  void activate(RunRecord run, const std::vector<StepRecord>& known);
  void put_together(Active& run, const std::vector<StepRecord>& known);
  bool may_launch(const Active& run, size_t step) const;
  void launch(const ActivePtr& run, size_t step);
  void close(const ActivePtr& run);
  void kick();

  // On the threads of steps and of the store:
  void run_step(const ActivePtr& run, size_t step, StepContext context);
  Outcome attempt(const ActivePtr& run, size_t step, StepContext& context, StepLogs::Writer& log);
  /// Whether the attempt published what it made; asked when it failed after that was under way.
  bool published(const StepContext& context);
  void finish(const ActivePtr& run, size_t step, Outcome outcome);
  void settle(const ActivePtr& run, size_t step, const Outcome& outcome);
  void end_step(const ActivePtr& run, size_t step, StepState state);
  void report_part(const ActivePtr& run, size_t step, const std::string& part, PartState state,
                   const StepResult& result);
  void save_all(Active& run, const std::vector<size_t>& steps);  // under mutex_
  void changed(const std::string& run_id);                       // under mutex_
  static Run reading(const Active& run);
  /// `work` with the executor, or nothing once it is gone.
  std::function<void()> while_alive(std::function<void(Executor&)> work) const;

  RunStore& store_;
  const StepLogs& logs_;
  const ExecutorOptions options_;

  std::mutex mutex_;
  std::condition_variable due_, changes_;
  std::deque<RunRecord> queued_;             // guarded, as all here
  std::map<std::string, ActivePtr> active_;  // by run id
  std::map<std::string, uint64_t> seen_;     // changes by run id, of those here
  std::set<std::string> just_ended_;         // since the last catch_up() began
  std::map<std::string, int> backfill_limits_;
  std::map<std::string, int> pool_running_;
  int running_ = 0;
  bool kicked_ = false, stopping_ = false;
  std::minstd_rand random_{std::random_device{}()};

  const std::shared_ptr<Life> life_ = std::make_shared<Life>();
  Workers workers_;
  std::thread thread_;
};

}  // namespace meesh::pipelines
