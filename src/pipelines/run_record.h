// Runs and steps as the metadata database keeps them.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::pipelines {

enum class RunState { kQueued, kRunning, kSucceeded, kFailed, kCanceled };
enum class StepState {
  kPending,  // waits for others, or for its turn
  kRunning,
  kRetrying,  // failed, and will be tried again
  kSucceeded,
  kFailed,
  kUpstreamFailed,  // never ran: what it needs failed
  kSkipped,         // a part its asset chose not to run
  kCanceled,
};
std::string_view word(RunState state);   // "queued", …
std::string_view word(StepState state);  // "upstream_failed", …
std::optional<RunState> run_state(std::string_view word);
std::optional<StepState> step_state(std::string_view word);
bool ended(RunState state);
bool ended(StepState state);

struct StepRecord {
  std::string name, kind;
  std::string part_of;  // the step whose part this is; "" = a step itself
  StepState state = StepState::kPending;
  int attempt = 0;
  int64_t started_ms = 0, ended_ms = 0;  // of the last attempt; 0 = not yet
  std::optional<uint64_t> rows;
  std::string message, error;
  boost::json::object metadata;
  uint64_t done = 0, total = 0;  // progress while it runs; not kept
};

struct RunRecord {
  std::string id, pipeline;
  RunState state = RunState::kQueued;
  std::string trigger;  // manual, schedule, upstream, backfill, rerun
  std::string requested_by;
  std::string rerun_of, backfill;  // ids; "" = none
  std::string partition;           // "" = none
  std::map<std::string, std::string> parameters;
  std::vector<std::string> plan;      // names of its steps, in the graph's order
  std::vector<std::string> selected;  // parts wanted of steps in the plan: "step/part"
  int64_t scheduled_ms = 0;           // what the schedule said; 0 = not scheduled
  int64_t created_ms = 0, started_ms = 0, ended_ms = 0;
  bool cancel_requested = false;
  std::string error;
};

struct Run {
  RunRecord record;
  std::vector<StepRecord> steps;     // in the plan's order, parts after their step
  std::vector<StepRecord> attempts;  // that ended; where they were asked for
};

/// What is known of an asset (or a table it makes) beyond single runs.
struct AssetRecord {
  std::string name;
  std::string run_id;  // of the last attempt
  StepState state = StepState::kPending;
  int64_t ended_ms = 0;
  std::string succeeded_run;
  int64_t succeeded_ms = 0;                   // 0 = never
  std::map<std::string, std::string> inputs;  // table → version, as the last success read them
  std::map<std::string, std::string> tried;   // and as the last attempt did
  std::optional<uint64_t> rows;
};

struct BackfillRecord {
  std::string id, pipeline, first, last, requested_by;
  int concurrency = 1;
  int64_t created_ms = 0;
  std::map<std::string, int64_t> runs;  // state → number
};

}  // namespace meesh::pipelines
