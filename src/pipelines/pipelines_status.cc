// What is known of assets and runs, for people and dashboards.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "pipelines/executor.h"
#include "pipelines/pipelines.h"
#include "pipelines/scheduler.h"

namespace meesh::pipelines {
namespace {

constexpr size_t kMostRuns = 100'000;

struct Sums {
  std::map<std::string, int64_t> states;
  double seconds = 0;
  int64_t timed = 0, good = 0, bad = 0;
};

/// `what`: whose states these are.
boost::json::object told(const char* what, const Sums& sum) {
  boost::json::object states;
  for (const auto& [state, count] : sum.states) states[state] = count;
  boost::json::object one{{what, states}};
  if (sum.good + sum.bad > 0) {
    one["success_rate"] = static_cast<double>(sum.good) / static_cast<double>(sum.good + sum.bad);
  }
  if (sum.timed > 0) one["mean_seconds"] = sum.seconds / static_cast<double>(sum.timed);
  return one;
}

}  // namespace

AssetStatus Pipelines::status_of(const Graph& graph, const Graph::Node& node,
                                 const std::string& name,
                                 const std::map<std::string, AssetRecord>& records,
                                 const std::map<std::string, std::string>& running) const {
  AssetStatus status;
  status.name = name;
  status.kind = node.asset->kind;
  status.pipeline = node.pipeline->name;
  status.step = node.asset->name;
  status.description = node.asset->description;
  status.tags = node.asset->tags;
  const auto record = records.find(name);
  if (record != records.end()) status.record = record->second;
  const auto newer = [&](const std::string& asset) {
    const auto other = records.find(asset);
    return other != records.end() && other->second.succeeded_ms > status.record.succeeded_ms;
  };
  const auto add_input = [&](const std::string& input, bool changed) {
    if (std::ranges::find(status.inputs, input) != status.inputs.end()) return;
    status.inputs.push_back(input);
    if (changed) status.changed_inputs.push_back(input);
  };
  for (const TableUse& use : node.asset->asset->inputs()) {
    const std::string version = options_.version ? options_.version(use.table) : "";
    const auto seen = status.record.inputs.find(use.table);
    const bool known = !version.empty() && seen != status.record.inputs.end();
    add_input(use.table, known ? seen->second != version : newer(use.table));
  }
  for (const size_t need : node.needs) {
    const Graph::Node& other = graph.nodes()[need];
    const auto outputs = other.asset->asset->outputs();
    const bool by_table = std::ranges::any_of(outputs, [&](const std::string& table) {
      return std::ranges::find(status.inputs, table) != status.inputs.end();
    });
    if (!by_table) add_input(other.asset->name, newer(other.asset->name));
  }
  if (running.contains(node.asset->name)) {
    status.freshness = "running";
  } else if (status.record.ended_ms > 0 && status.record.state == StepState::kFailed) {
    status.freshness = "failed";
  } else if (status.record.succeeded_ms == 0) {
    status.freshness = "never";
  } else {
    status.freshness = status.changed_inputs.empty() ? "fresh" : "stale";
  }
  return status;
}

std::vector<AssetStatus> Pipelines::assets(const std::string& pipeline) {
  const auto set = fresh_set();
  const Graph& graph = *set->graph;
  if (!pipeline.empty() && graph.pipeline(pipeline) == nullptr) no_pipeline(graph, pipeline);
  std::map<std::string, AssetRecord> records;
  for (AssetRecord& record : store_.assets()) records[record.name] = std::move(record);
  std::map<std::string, std::string> running;
  for (const RunRecord& run : executor_->current()) {
    const auto live = executor_->find(run.id);
    if (!live) continue;
    for (const StepRecord& step : live->steps) {
      if (step.state == StepState::kRunning) running[step.name] = run.id;
    }
  }
  std::vector<AssetStatus> all;
  for (const Graph::Node& node : graph.nodes()) {
    if (!pipeline.empty() && node.pipeline->name != pipeline) continue;
    all.push_back(status_of(graph, node, node.asset->name, records, running));
    for (const std::string& part : node.asset->asset->parts()) {
      all.push_back(status_of(graph, node, part, records, running));
    }
  }
  return all;
}

boost::json::object Pipelines::kind_metrics(int64_t since_ms) {
  std::map<std::string, Sums> sums;
  std::map<std::string, int64_t> rows;
  for (const auto& sum : store_.step_sums(since_ms)) {
    Sums& to = sums[sum.kind];
    to.states[std::string(word(sum.state))] += sum.count;
    if (sum.state != StepState::kSucceeded && sum.state != StepState::kFailed) continue;
    (sum.state == StepState::kSucceeded ? to.good : to.bad) += sum.count;
    to.seconds += static_cast<double>(sum.ms) / 1000;
    to.timed += sum.count;
    rows[sum.kind] += sum.rows;
  }
  boost::json::object all;
  for (const auto& [kind, sum] : sums) {
    boost::json::object one = told("steps", sum);
    one["rows"] = rows[kind];
    all[kind] = std::move(one);
  }
  return all;
}

boost::json::object Pipelines::metrics(int64_t since_ms) {
  RunStore::Query query;
  query.since_ms = std::max<int64_t>(since_ms, 1);
  query.limit = kMostRuns;
  std::map<std::string, Sums> sums;
  for (const RunRecord& run : store_.runs(query)) {
    Sums& to = sums[run.pipeline];
    ++to.states[std::string(word(run.state))];
    to.good += run.state == RunState::kSucceeded;
    to.bad += run.state == RunState::kFailed;
    if (run.ended_ms == 0 || run.started_ms == 0) continue;
    to.seconds += static_cast<double>(run.ended_ms - run.started_ms) / 1000;
    ++to.timed;
  }
  boost::json::object all;
  for (const auto& [pipeline, sum] : sums) all[pipeline] = told("runs", sum);
  return {{"since_ms", since_ms}, {"pipelines", std::move(all)}, {"kinds", kind_metrics(since_ms)}};
}

}  // namespace meesh::pipelines
