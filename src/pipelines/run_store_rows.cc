#include "pipelines/run_store_rows.h"

#include <boost/json.hpp>

#include "base/error.h"

namespace meesh::pipelines {
namespace {

std::string json_text(const std::vector<std::string>& values) {
  boost::json::array array;
  for (const std::string& value : values) array.emplace_back(value);
  return boost::json::serialize(array);
}

std::vector<std::string> json_list(const std::string& text) {
  std::vector<std::string> values;
  const boost::json::value parsed = boost::json::parse(text);
  for (const auto& value : parsed.as_array()) {
    values.emplace_back(value.as_string());
  }
  return values;
}

std::optional<uint64_t> row_count(long long stored) {
  return stored < 0 ? std::nullopt : std::optional(static_cast<uint64_t>(stored));
}

constexpr std::string_view kRunWords[] = {"queued", "running", "succeeded", "failed", "canceled"};
constexpr std::string_view kStepWords[] = {"pending", "running",         "retrying", "succeeded",
                                           "failed",  "upstream_failed", "skipped",  "canceled"};

}  // namespace

std::string_view word(RunState state) { return kRunWords[static_cast<size_t>(state)]; }
std::string_view word(StepState state) { return kStepWords[static_cast<size_t>(state)]; }

std::optional<RunState> run_state(std::string_view word) {
  for (size_t i = 0; i < std::size(kRunWords); ++i) {
    if (kRunWords[i] == word) return static_cast<RunState>(i);
  }
  return std::nullopt;
}

std::optional<StepState> step_state(std::string_view word) {
  for (size_t i = 0; i < std::size(kStepWords); ++i) {
    if (kStepWords[i] == word) return static_cast<StepState>(i);
  }
  return std::nullopt;
}

bool ended(RunState state) { return state != RunState::kQueued && state != RunState::kRunning; }
bool ended(StepState state) {
  return state != StepState::kPending && state != StepState::kRunning &&
         state != StepState::kRetrying;
}

std::string json_text(const std::map<std::string, std::string>& values) {
  boost::json::object object;
  for (const auto& [key, value] : values) object[key] = value;
  return boost::json::serialize(object);
}

std::map<std::string, std::string> json_map(const std::string& text) {
  std::map<std::string, std::string> values;
  const boost::json::value parsed = boost::json::parse(text);
  for (const auto& [key, value] : parsed.as_object()) {
    values.emplace(key, value.as_string());
  }
  return values;
}

RunRow::RunRow(const RunRecord& run)
    : state(word(run.state)),
      parameters(json_text(run.parameters)),
      plan(json_text(run.plan)),
      selected(json_text(run.selected)),
      scheduled(run.scheduled_ms),
      created(run.created_ms),
      started(run.started_ms),
      ended(run.ended_ms),
      cancel(run.cancel_requested ? 1 : 0) {}

RunRecord run_of(const soci::row& row) {
  RunRecord run;
  run.id = row.get<std::string>(0);
  run.pipeline = row.get<std::string>(1);
  run.state = run_state(row.get<std::string>(2)).value_or(RunState::kFailed);
  run.trigger = row.get<std::string>(3);
  run.requested_by = row.get<std::string>(4);
  run.rerun_of = row.get<std::string>(5);
  run.backfill = row.get<std::string>(6);
  run.partition = row.get<std::string>(7);
  run.parameters = json_map(row.get<std::string>(8));
  run.plan = json_list(row.get<std::string>(9));
  run.selected = json_list(row.get<std::string>(10));
  run.scheduled_ms = row.get<long long>(11);
  run.created_ms = row.get<long long>(12);
  run.started_ms = row.get<long long>(13);
  run.ended_ms = row.get<long long>(14);
  run.cancel_requested = row.get<long long>(15) != 0;
  run.error = row.get<std::string>(16);
  return run;
}

StepRow::StepRow(const StepRecord& step)
    : state(word(step.state)),
      metadata(boost::json::serialize(step.metadata)),
      attempt(step.attempt),
      started(step.started_ms),
      ended(step.ended_ms),
      rows(step.rows ? static_cast<long long>(*step.rows) : -1) {}

StepRecord step_of(const soci::row& row) {
  StepRecord step;
  step.name = row.get<std::string>(0);
  step.part_of = row.get<std::string>(1);
  step.kind = row.get<std::string>(2);
  step.state = step_state(row.get<std::string>(3)).value_or(StepState::kFailed);
  step.attempt = static_cast<int>(row.get<long long>(4));
  step.started_ms = row.get<long long>(5);
  step.ended_ms = row.get<long long>(6);
  step.rows = row_count(row.get<long long>(7));
  step.message = row.get<std::string>(8);
  step.error = row.get<std::string>(9);
  step.metadata = boost::json::parse(row.get<std::string>(10)).as_object();
  return step;
}

AssetRecord asset_of(const soci::row& row) {
  AssetRecord asset;
  asset.name = row.get<std::string>(0);
  asset.run_id = row.get<std::string>(1);
  asset.state = step_state(row.get<std::string>(2)).value_or(StepState::kFailed);
  asset.ended_ms = row.get<long long>(3);
  asset.succeeded_run = row.get<std::string>(4);
  asset.succeeded_ms = row.get<long long>(5);
  asset.inputs = json_map(row.get<std::string>(6));
  asset.tried = json_map(row.get<std::string>(7));
  asset.rows = row_count(row.get<long long>(8));
  return asset;
}

AlertRecord alert_of(const soci::row& row) {
  AlertRecord alert;
  alert.id = row.get<std::string>(0);
  alert.pipeline = row.get<std::string>(1);
  alert.run_id = row.get<std::string>(2);
  alert.event = row.get<std::string>(3);
  alert.channel = row.get<std::string>(4);
  alert.body = boost::json::parse(row.get<std::string>(5)).as_object();
  alert.created_ms = row.get<long long>(6);
  alert.sent_ms = row.get<long long>(7);
  alert.next_ms = row.get<long long>(8);
  alert.attempts = static_cast<int>(row.get<long long>(9));
  alert.error = row.get<std::string>(10);
  return alert;
}

}  // namespace meesh::pipelines
