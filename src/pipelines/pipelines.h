// The service: pipelines read from the mesh's files, run, scheduled, and remembered.
//
//   Pipelines pipelines(database, mesh, std::move(kinds), options);  // throws ConfigError
//   pipelines.start();                       // resumes what a killed server left; schedules
//   std::string id = pipelines.launch({.pipeline = "northwind", .requested_by = "ana"});
//   Run run = pipelines.run(id);
//
// All runs of a mesh are executed by one server, the holder of a lease; others hand theirs over
// through the metadata database. Thread-safe.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mesh/mesh.h"
#include "meta/database.h"
#include "pipelines/alerts.h"
#include "pipelines/asset_kind.h"
#include "pipelines/pipeline_file.h"
#include "pipelines/run_record.h"
#include "pipelines/run_store.h"
#include "pipelines/step_logs.h"

namespace meesh::pipelines {

struct PipelinesOptions {
  std::filesystem::path logs;  // folder of the steps' logs
  std::string holder;          // this server's name, the same after a restart
  /// Where this server is, for links in alerts; may be empty.
  std::function<std::string()> address;
  int most_steps = 64;  // running at once, all runs together
  /// The version of a table as it is now (a lake table's snapshot id), "" if it has none. Must not
  /// throw. Without it, none has.
  std::function<std::string(const std::string& table)> version;
  /// Whether a table exists that no asset makes; must not throw: true if nobody can tell. Without
  /// it, all do.
  std::function<bool(const std::string& table)> exists;
};

struct LaunchRequest {
  std::string pipeline;
  std::vector<std::string> select, exclude;  // selectors; none = everything
  std::map<std::string, std::string> parameters;
  std::string partition;  // a partition, or run_date of a pipeline without partitions
  std::string trigger = "manual", requested_by;
  int64_t scheduled_ms = 0;
  std::string rerun_of;
};

struct BackfillRequest {
  std::string pipeline, first, last;
  std::vector<std::string> select, exclude;
  std::map<std::string, std::string> parameters;
  int concurrency = 1;
  std::string requested_by;
};

struct RunFilter {
  std::string pipeline, backfill;
  std::optional<RunState> state;
  size_t limit = 50;
};

struct ScheduleStatus {
  std::string pipeline, schedule, timezone;  // schedule: "0 6 * * *", "on upstream", "" = none
  bool paused = false;
  int64_t last_ms = 0;           // the last time that was taken care of; 0 = none
  std::vector<int64_t> next_ms;  // empty: paused, or not by the clock
};

struct AssetStatus {
  std::string name, kind, pipeline, step, description;
  std::vector<std::string> inputs, tags;
  std::string freshness;  // fresh, stale, failed, running, never
  std::vector<std::string> changed_inputs;
  AssetRecord record;
};

class Executor;
class Scheduler;
struct ExecutorOptions;
struct SchedulerOptions;

class Pipelines {
 public:
  /// Reads pipelines/*.yaml; throws mesh::ConfigError with every mistake. All outlive this.
  Pipelines(meta::Database& database, const mesh::Mesh& mesh, AssetKinds kinds,
            PipelinesOptions options);
  /// Stops. What runs is left to be resumed.
  ~Pipelines();
  Pipelines(const Pipelines&) = delete;
  Pipelines& operator=(const Pipelines&) = delete;

  void start();
  void stop();

  /// The pipelines as their files say now: read anew if a file changed. Throws ConfigError.
  std::shared_ptr<const PipelineSet> pipelines();

  /// Throws NOT_FOUND (pipeline, selector), BAD_REQUEST (parameters, partition), ConfigError (files
  /// changed and are wrong; a table that is read neither exists nor is made). The run's id.
  std::string launch(const LaunchRequest& request);
  /// The steps that did not succeed, once more, as a new run.
  std::string rerun(const std::string& run_id, bool from_failure, const std::string& user);
  void cancel(const std::string& run_id);
  /// The backfill's id. Partitions that an unfinished backfill of the same range has are not begun
  /// twice: its id is given back.
  std::string backfill(const BackfillRequest& request);
  void cancel_backfill(const std::string& id);

  std::vector<RunRecord> runs(const RunFilter& filter);
  Run run(const std::string& id);  // a prefix will do if it is unique; throws NOT_FOUND
  std::vector<BackfillRecord> backfills(const std::string& pipeline);
  std::vector<ScheduleStatus> schedules(size_t next);
  void pause(const std::string& pipeline, bool paused);
  std::vector<AssetStatus> assets(const std::string& pipeline);
  std::vector<AlertRecord> alerts(size_t limit);
  /// Numbers since a moment, by pipeline (runs by state, success rate, seconds) and by kind of
  /// asset (steps and parts by state, success rate, seconds, rows).
  boost::json::object metrics(int64_t since_ms);

  /// Waits until something about the run differs from `seen` (a counter, begin with 0), it ended,
  /// or the time is over; the counter now.
  uint64_t wait_for_change(const std::string& run_id, uint64_t seen, Millis at_most);
  /// Text of a step's log ("" = all steps) from `offset` on; `next` is where to go on.
  struct LogText {
    std::string text;
    uint64_t next = 0;
  };
  LogText log(const std::string& run_id, const std::string& step, uint64_t offset);

  /// A table changed: pipelines that run `on: upstream` look at their inputs. Quick.
  void tables_changed();

 private:
  /// The set after a look at the files; throws ConfigError if they changed and are wrong.
  std::shared_ptr<const PipelineSet> fresh_set(bool settled = true);
  std::shared_ptr<const PipelineSet> last_set();
  std::string launch(const LaunchRequest& request, const RunStore::Change& also);
  RunRecord plan(const PipelineSet& set, const LaunchRequest& request);
  void check_tables(const Graph& graph, const std::vector<size_t>& nodes);
  void put_in(std::vector<RunRecord> runs, const RunStore::Change& also);
  void refuse(const LaunchRequest& request, const std::string& error, const RunStore::Change& also);
  void ending(soci::session& sql, const Run& run);
  void tell_late(const RunRecord& run);
  std::string address() const;
  std::optional<std::string> alert_address(const AlertRecord& alert);
  ExecutorOptions executor_options();
  SchedulerOptions scheduler_options();
  boost::json::object kind_metrics(int64_t since_ms);
  AssetStatus status_of(const Graph& graph, const Graph::Node& node, const std::string& name,
                        const std::map<std::string, AssetRecord>& records,
                        const std::map<std::string, std::string>& running) const;

  meta::Database& database_;
  const mesh::Mesh& mesh_;
  const AssetKinds kinds_;
  const PipelinesOptions options_;
  RunStore store_;
  StepLogs logs_;

  std::mutex mutex_;
  std::shared_ptr<const PipelineSet> set_;  // guarded, as all here
  uint64_t fingerprint_ = 0;
  std::set<std::string> existing_;  // tables outside that were found
  std::mutex reading_;              // one thread reads the files

  std::unique_ptr<AlertSender> alerts_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace meesh::pipelines
