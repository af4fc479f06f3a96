// Begins runs by the clock, by changes of tables and for what was missed, and tells of late ones;
// all while this server holds the lease on the mesh's pipelines.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/shutdown.h"
#include "meta/leases.h"
#include "pipelines/executor.h"
#include "pipelines/pipelines.h"
#include "pipelines/run_store.h"

namespace meesh::pipelines {

struct SchedulerOptions {
  std::string holder;
  std::function<std::shared_ptr<const PipelineSet>()> pipelines;
  /// The run, with `also` in the transaction that makes it.
  std::function<void(const LaunchRequest&, const RunStore::Change& also)> launch;
  /// A run that could not even begin, remembered as one that failed.
  std::function<void(const LaunchRequest&, const std::string& error, const RunStore::Change& also)>
      refuse;
  std::function<void(const RunRecord&)> late;
  std::function<std::string(const std::string& table)> version;
  std::function<void()> tidy;  // about once a day
};

class Scheduler {
 public:
  Scheduler(meta::Database& database, RunStore& store, Executor& executor,
            SchedulerOptions options);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  void start();
  /// Begins no runs any more. Idempotent.
  void stop();
  /// Gives the lease back: whoever takes it runs what is not at its end.
  void release();
  /// This server runs the runs.
  bool holding() const { return holding_; }
  /// A run ended, a schedule was paused or resumed.
  void wake();
  /// Of many at once, the first wakes it.
  void tables_changed() {
    if (!touched_) wake();
  }

 private:
  using Clock = std::chrono::steady_clock;

  void work();
  void keep_lease();
  /// Until when nothing is due.
  int64_t go_round(int64_t now);
  int64_t by_clock(const Pipeline& pipeline, RunStore::ScheduleState state, int64_t now);
  void launch_due(const Pipeline& pipeline, const std::vector<Seconds>& due, int64_t now);
  void begin(LaunchRequest request, const RunStore::Change& also);
  void by_upstream(const PipelineSet& set, const Pipeline& pipeline,
                   const std::map<std::string, AssetRecord>& assets);
  int64_t tell_late(int64_t now);
  void watch_late(const Pipeline& pipeline, int64_t scheduled_ms);

  RunStore& store_;
  Executor& executor_;
  const SchedulerOptions options_;
  meta::Leases leases_;
  std::optional<meta::Lease> lease_;
  std::atomic<bool> holding_ = false;
  Clock::time_point renewed_{};
  int64_t awake_since_ = 0, tidied_ = 0, looked_upstream_ = 0;
  std::map<std::pair<int64_t, std::string>, int64_t> late_checks_;  // (when, pipeline) → scheduled

  /// By pipeline: versions of the tables for which the last run `on: upstream` was begun. A run
  /// that failed is not begun again before something changes.
  std::map<std::string, std::map<std::string, std::string>> answered_;
  std::atomic<bool> touched_ = true;  // something changed since looked_upstream_

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool woken_ = false;  // guarded
  Stop stop_;
  std::thread thread_;
};

}  // namespace meesh::pipelines
