// Runs in the metadata database. What steps do while they run is written by a thread of its own,
// many changes in one transaction, so that a thousand steps do not wait for a thousand syncs.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "meta/database.h"
#include "pipelines/alerts.h"
#include "pipelines/run_record.h"

namespace meesh::pipelines {

class RunStore {
 public:
  using Change = std::function<void(soci::session&)>;

  explicit RunStore(meta::Database& database);
  ~RunStore() { stop(); }
  RunStore(const RunStore&) = delete;
  RunStore& operator=(const RunStore&) = delete;

  /// In order, soon, in a transaction with others; `after` runs on the writer's thread once it is
  /// durable. While the database is away it is tried again. `change` may run more than once.
  void write_soon(Change change, std::function<void()> after = {});
  /// Writes what is left; nothing more is written soon. Idempotent.
  void stop();
  /// Now, in a transaction of its own.
  void write(const Change& change);

  // Changes, to be put together in one transaction.
  static void save(soci::session& sql, const RunRecord& run);  // inserts or replaces
  /// An attempt that succeeded stays so, whatever is written later about how it began.
  static void save(soci::session& sql, const std::string& run_id, const StepRecord& step);
  static void save_attempt(soci::session& sql, const std::string& run_id, const StepRecord& step);
  static void save(soci::session& sql, const AssetRecord& asset);
  static void save(soci::session& sql, const BackfillRecord& backfill);
  /// One that is there already stays as it is.
  static void add(soci::session& sql, const AlertRecord& alert);
  static void save_schedule(soci::session& sql, const std::string& pipeline, int64_t last_ms);
  /// How the newest of its ended runs, backfills apart, ended; nothing if there is none.
  static std::optional<RunState> last_outcome(soci::session& sql, const std::string& pipeline);

  struct Query {
    std::string pipeline, backfill, id_prefix;
    std::vector<RunState> states;  // none = any
    int64_t since_ms = 0, scheduled_ms = 0;
    size_t limit = 50;
    bool oldest_first = false;
  };
  std::vector<RunRecord> runs(const Query& query);
  std::vector<StepRecord> steps(const std::string& run_id);
  std::vector<StepRecord> attempts(const std::string& run_id);
  /// When the attempt began that succeeded, if this one of the step or a later one has.
  static std::optional<int64_t> success(soci::session& sql, const std::string& run_id,
                                        const StepRecord& step);
  std::optional<int64_t> success(const std::string& run_id, const StepRecord& step);
  /// Steps and parts of one kind that ended alike, begun since a moment.
  struct StepSum {
    std::string kind;
    StepState state{};
    int64_t count = 0, ms = 0, rows = 0;
  };
  std::vector<StepSum> step_sums(int64_t since_ms);
  std::vector<AssetRecord> assets();
  std::vector<BackfillRecord> backfills(const std::string& pipeline);

  struct ScheduleState {
    bool paused = false;
    int64_t last_ms = 0;
  };
  std::map<std::string, ScheduleState> schedules();
  void pause(const std::string& pipeline, bool paused, int64_t now_ms);

  /// Unsent ones, the earliest first.
  std::vector<AlertRecord> unsent_alerts();
  std::vector<AlertRecord> alerts(size_t limit);
  void save(const AlertRecord& alert);

  /// Runs that ended before, with all that belongs to them, at most a thousand.
  size_t forget_before(int64_t ended_ms);

 private:
  struct Waiting {
    Change change;
    std::function<void()> after;
  };
  void work();

  meta::Database& database_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> queue_;  // guarded
  bool stopping_ = false;      // guarded
  std::thread thread_;
};

}  // namespace meesh::pipelines
