#include "serve/api/run_json.h"

#include <boost/json.hpp>

namespace meesh::serve::api {
namespace {

namespace json = boost::json;
using pipelines::word;

json::array list(const std::vector<std::string>& values) {
  json::array array;
  for (const std::string& value : values) array.emplace_back(value);
  return array;
}

void put(json::object& to, const char* key, int64_t value) {
  if (value != 0) to[key] = value;
}
void put(json::object& to, const char* key, const std::string& value) {
  if (!value.empty()) to[key] = value;
}

json::object step_json(const pipelines::StepRecord& step) {
  json::object object{{"name", step.name}, {"state", word(step.state)}, {"attempt", step.attempt}};
  put(object, "kind", step.kind);
  put(object, "part_of", step.part_of);
  put(object, "started_ms", step.started_ms);
  put(object, "ended_ms", step.ended_ms);
  put(object, "message", step.message);
  put(object, "error", step.error);
  if (step.rows) object["rows"] = *step.rows;
  if (!step.metadata.empty()) object["metadata"] = step.metadata;
  if (step.done > 0 || step.total > 0) object["progress"] = {step.done, step.total};
  return object;
}

}  // namespace

json::object to_json(const pipelines::RunRecord& run) {
  json::object object{{"id", run.id},
                      {"pipeline", run.pipeline},
                      {"state", word(run.state)},
                      {"trigger", run.trigger},
                      {"requested_by", run.requested_by},
                      {"created_ms", run.created_ms},
                      {"steps_planned", run.plan.size()}};
  put(object, "partition", run.partition);
  put(object, "backfill", run.backfill);
  put(object, "rerun_of", run.rerun_of);
  put(object, "scheduled_ms", run.scheduled_ms);
  put(object, "started_ms", run.started_ms);
  put(object, "ended_ms", run.ended_ms);
  put(object, "error", run.error);
  if (run.cancel_requested) object["cancel_requested"] = true;
  json::object parameters;
  for (const auto& [name, value] : run.parameters) parameters[name] = value;
  object["parameters"] = std::move(parameters);
  return object;
}

json::object to_json(const pipelines::Run& run) {
  json::object object = to_json(run.record);
  json::array steps, attempts;
  for (const auto& step : run.steps) steps.push_back(step_json(step));
  for (const auto& attempt : run.attempts) attempts.push_back(step_json(attempt));
  object["steps"] = std::move(steps);
  object["attempts"] = std::move(attempts);
  return object;
}

json::object to_json(const pipelines::Pipeline& pipeline) {
  json::object object{{"name", pipeline.name},
                      {"file", pipeline.file},
                      {"assets", pipeline.assets.size()},
                      {"concurrency", pipeline.concurrency},
                      {"max_runs", pipeline.max_runs}};
  put(object, "description", pipeline.description);
  if (pipeline.schedule.cron) {
    object["cron"] = pipeline.schedule.cron->text();
    object["timezone"] = pipeline.schedule.timezone;
  }
  if (pipeline.schedule.on_upstream) object["on_upstream"] = true;
  if (pipeline.partitions) object["partitions_from"] = pipeline.partitions->from;
  json::object parameters;
  for (const auto& [name, value] : pipeline.parameters) parameters[name] = value;
  object["parameters"] = std::move(parameters);
  return object;
}

json::object to_json(const pipelines::Graph& graph, const pipelines::Graph::Node& node) {
  std::vector<std::string> needs, external;
  for (const size_t need : node.needs) needs.push_back(graph.nodes()[need].asset->name);
  for (const auto& use : node.external) external.push_back(use.table);
  json::object object{{"name", node.asset->name},
                      {"kind", node.asset->kind},
                      {"needs", list(needs)},
                      {"reads", list(external)},
                      {"makes", list(node.asset->asset->outputs())},
                      {"tags", list(node.asset->tags)}};
  put(object, "description", node.asset->description);
  put(object, "pool", node.asset->pool);
  return object;
}

json::object to_json(const pipelines::BackfillRecord& backfill) {
  json::object runs;
  for (const auto& [state, count] : backfill.runs) runs[state] = count;
  return {{"id", backfill.id},
          {"pipeline", backfill.pipeline},
          {"from", backfill.first},
          {"to", backfill.last},
          {"requested_by", backfill.requested_by},
          {"concurrency", backfill.concurrency},
          {"created_ms", backfill.created_ms},
          {"runs", std::move(runs)}};
}

json::object to_json(const pipelines::ScheduleStatus& schedule) {
  json::array next;
  for (const int64_t at : schedule.next_ms) next.emplace_back(at);
  json::object object{{"pipeline", schedule.pipeline},
                      {"schedule", schedule.schedule},
                      {"timezone", schedule.timezone},
                      {"paused", schedule.paused},
                      {"next_ms", std::move(next)}};
  put(object, "last_ms", schedule.last_ms);
  return object;
}

json::object to_json(const pipelines::AssetStatus& asset) {
  json::object object{{"name", asset.name},
                      {"kind", asset.kind},
                      {"pipeline", asset.pipeline},
                      {"step", asset.step},
                      {"state", asset.freshness},
                      {"inputs", list(asset.inputs)},
                      {"changed_inputs", list(asset.changed_inputs)},
                      {"tags", list(asset.tags)}};
  put(object, "description", asset.description);
  put(object, "run_id", asset.record.run_id);
  put(object, "succeeded_run", asset.record.succeeded_run);
  put(object, "succeeded_ms", asset.record.succeeded_ms);
  put(object, "ended_ms", asset.record.ended_ms);
  if (asset.record.rows) object["rows"] = *asset.record.rows;
  return object;
}

json::object to_json(const pipelines::AlertRecord& alert) {
  json::object object{{"id", alert.id},
                      {"pipeline", alert.pipeline},
                      {"event", alert.event},
                      {"channel", alert.channel},
                      {"created_ms", alert.created_ms},
                      {"attempts", alert.attempts},
                      {"state", alert.sent_ms > 0   ? "sent"
                                : alert.next_ms > 0 ? "waiting"
                                                    : "given up"},
                      {"body", alert.body}};
  put(object, "run_id", alert.run_id);
  put(object, "sent_ms", alert.sent_ms);
  put(object, "error", alert.error);
  return object;
}

}  // namespace meesh::serve::api
