// The launching half of pipelines.h.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "pipelines/executor.h"
#include "pipelines/pipelines.h"
#include "pipelines/scheduler.h"
#include "quality/parameters.h"

namespace meesh::pipelines {
namespace {

std::chrono::local_seconds local_now(const Pipeline& pipeline) {
  const Seconds now{std::chrono::seconds(base::now_ms() / 1000)};
  return TimeZone::find(pipeline.schedule.timezone).local(now);
}

/// What SQL and scripts see: the pipeline's, over them the run's, over them the partition's.
void fill_parameters(RunRecord& run, const Pipeline& pipeline, const LaunchRequest& request) {
  run.parameters = pipeline.parameters;
  std::string partition = request.partition;
  std::vector<std::string> known{"run_date", "partition", kFullRefresh};
  for (const auto& [name, value] : pipeline.parameters) known.push_back(name);
  quality::check_parameters(request.parameters);
  for (const auto& [name, value] : request.parameters) {
    if (std::ranges::find(known, name) == known.end()) {
      throw Error(Code::kBadRequest,
                  fmt::format("the pipeline '{}' has no parameter '{}'", pipeline.name, name))
          .with_hint(base::did_you_mean(name, known, "its parameters are "));
    }
    if (name == kFullRefresh && value != "true" && value != "false") {
      throw Error(Code::kBadRequest,
                  fmt::format("the parameter '{}' is true or false, not '{}'", name, value));
    }
    if (name == "run_date" || name == "partition") {
      partition = value;
    } else {
      run.parameters[name] = value;
    }
  }
  if (!pipeline.partitions) {
    run.parameters["run_date"] =
        partition.empty() ? date_of(local_now(pipeline)) : checked_date(partition);
    return;
  }
  const Partitions& partitions = *pipeline.partitions;
  run.partition =
      partitions.key(partition.empty() ? partitions.key_at(local_now(pipeline)) : partition);
  for (const auto& [name, value] : partitions.parameters(run.partition)) {
    run.parameters[name] = value;
  }
}

}  // namespace

std::string Pipelines::launch(const LaunchRequest& request) { return launch(request, {}); }

std::string Pipelines::launch(const LaunchRequest& request, const RunStore::Change& also) {
  const auto set = fresh_set();
  RunRecord run = plan(*set, request);
  const std::string id = run.id;
  put_in({std::move(run)}, also);
  return id;
}

RunRecord Pipelines::plan(const PipelineSet& set, const LaunchRequest& request) {
  const Graph& graph = *set.graph;
  const Pipeline* pipeline = graph.pipeline(request.pipeline);
  if (pipeline == nullptr) no_pipeline(graph, request.pipeline);
  RunRecord run;
  fill_parameters(run, *pipeline, request);
  const auto selection = graph.select(*pipeline, request.select, request.exclude);
  if (selection.nodes.empty()) {
    throw Error(Code::kBadRequest, "nothing is left to run after what was excluded");
  }
  check_tables(graph, selection.nodes);
  for (const size_t i : selection.nodes) {
    const std::string& name = graph.nodes()[i].asset->name;
    run.plan.push_back(name);
    const auto parts = selection.parts.find(i);
    if (parts == selection.parts.end()) continue;
    for (const std::string& part : parts->second) run.selected.push_back(name + "/" + part);
  }
  run.created_ms = base::now_ms();
  run.id = new_id(run.created_ms);
  run.pipeline = request.pipeline;
  run.trigger = request.trigger;
  run.requested_by = request.requested_by;
  run.scheduled_ms = request.scheduled_ms;
  run.rerun_of = request.rerun_of;
  return run;
}

void Pipelines::check_tables(const Graph& graph, const std::vector<size_t>& nodes) {
  if (!options_.exists) return;
  std::vector<Error> problems;
  std::set<std::string> missing;
  for (const size_t i : nodes) {
    for (const TableUse& use : graph.nodes()[i].external) {
      {
        const std::lock_guard lock(mutex_);
        if (existing_.contains(use.table)) continue;
      }
      if (!missing.contains(use.table)) {
        if (options_.exists(use.table)) {
          const std::lock_guard lock(mutex_);
          existing_.insert(use.table);
          continue;
        }
        missing.insert(use.table);
      }
      std::vector<std::string> makes;
      for (const Graph::Node& node : graph.nodes()) {
        std::ranges::copy(node.asset->asset->outputs(), std::back_inserter(makes));
      }
      const auto meant = base::closest(use.table, makes);
      Error error(Code::kConfigInvalid,
                  fmt::format("the table '{}' does not exist, and no asset makes it", use.table),
                  use.where);
      if (meant) error.with_hint(fmt::format("did you mean '{}'?", *meant));
      problems.push_back(std::move(error));
    }
  }
  if (!problems.empty()) throw mesh::ConfigError(std::move(problems));
}

void Pipelines::put_in(std::vector<RunRecord> runs, const RunStore::Change& also) {
  store_.write([&](soci::session& sql) {
    for (const RunRecord& run : runs) RunStore::save(sql, run);
    if (also) also(sql);
  });
  // Otherwise the server that holds the lease finds them.
  if (!scheduler_->holding()) return;
  for (RunRecord& run : runs) executor_->add(std::move(run));
}

void Pipelines::refuse(const LaunchRequest& request, const std::string& error,
                       const RunStore::Change& also) {
  Run run;
  run.record.created_ms = run.record.started_ms = run.record.ended_ms = base::now_ms();
  run.record.id = new_id(run.record.created_ms);
  run.record.pipeline = request.pipeline;
  run.record.trigger = request.trigger;
  run.record.requested_by = request.requested_by;
  run.record.scheduled_ms = request.scheduled_ms;
  run.record.state = RunState::kFailed;
  run.record.error = error;
  StepRecord step;
  step.name = "start";
  step.state = StepState::kFailed;
  step.error = error;
  run.steps.push_back(step);
  store_.write([&](soci::session& sql) {
    ending(sql, run);
    RunStore::save(sql, run.record);
    if (also) also(sql);
  });
  alerts_->wake();
}

std::string Pipelines::rerun(const std::string& run_id, bool from_failure,
                             const std::string& user) {
  const Run old = run(run_id);
  if (!ended(old.record.state)) {
    throw Error(Code::kBadRequest, fmt::format("the run '{}' has not ended", old.record.id));
  }
  RunRecord again;
  again.pipeline = old.record.pipeline;
  again.partition = old.record.partition;
  again.parameters = old.record.parameters;
  again.selected = old.record.selected;
  again.trigger = "rerun";
  again.requested_by = user;
  again.rerun_of = old.record.id;
  for (const StepRecord& step : old.steps) {
    if (!step.part_of.empty()) continue;
    if (!from_failure || step.state != StepState::kSucceeded) again.plan.push_back(step.name);
  }
  if (again.plan.empty()) {
    throw Error(Code::kBadRequest,
                fmt::format("every step of the run '{}' succeeded", old.record.id))
        .with_hint("to run all of them again, leave out from_failure (meesh run again)");
  }
  fresh_set();
  again.created_ms = base::now_ms();
  again.id = new_id(again.created_ms);
  const std::string id = again.id;
  put_in({std::move(again)}, {});
  return id;
}

std::string Pipelines::backfill(const BackfillRequest& request) {
  const auto set = fresh_set();
  const Pipeline* pipeline = set->graph->pipeline(request.pipeline);
  if (pipeline == nullptr) no_pipeline(*set->graph, request.pipeline);
  if (!pipeline->partitions) {
    throw Error(Code::kBadRequest,
                fmt::format("the pipeline '{}' has no partitions to fill", request.pipeline))
        .with_hint("partitions: { by: day, from: 2024-01-01 } in its file gives it some");
  }
  const auto keys = pipeline->partitions->range(request.first, request.last);
  for (const BackfillRecord& other : store_.backfills(request.pipeline)) {
    const bool open = other.runs.contains("queued") || other.runs.contains("running");
    if (open && other.first == keys.front() && other.last == keys.back()) return other.id;
  }
  LaunchRequest one;
  one.pipeline = request.pipeline;
  one.select = request.select;
  one.exclude = request.exclude;
  one.parameters = request.parameters;
  one.trigger = "backfill";
  one.requested_by = request.requested_by;
  one.partition = keys.front();
  const RunRecord model = plan(*set, one);
  BackfillRecord backfill;
  backfill.created_ms = base::now_ms();
  backfill.id = new_id(backfill.created_ms);
  backfill.pipeline = request.pipeline;
  backfill.first = keys.front();
  backfill.last = keys.back();
  backfill.requested_by = request.requested_by;
  backfill.concurrency = request.concurrency;
  std::vector<RunRecord> runs;
  for (size_t i = 0; i < keys.size(); ++i) {
    RunRecord run = model;
    run.created_ms = backfill.created_ms + static_cast<int64_t>(i);  // keeps their order
    run.id = new_id(backfill.created_ms);
    run.backfill = backfill.id;
    run.partition = keys[i];
    for (const auto& [name, value] : pipeline->partitions->parameters(keys[i])) {
      run.parameters[name] = value;
    }
    runs.push_back(std::move(run));
  }
  executor_->limit_backfill(backfill.id, request.concurrency);
  put_in(std::move(runs), [&](soci::session& sql) { RunStore::save(sql, backfill); });
  return backfill.id;
}

}  // namespace meesh::pipelines
