#include "pipelines/alert_text.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "pipelines/step_logs.h"

namespace meesh::pipelines {
namespace {

constexpr size_t kMostSteps = 10;  // told of one by one

std::string headline(const std::string& event, const Run& run) {
  const std::string of =
      run.record.partition.empty()
          ? fmt::format("'{}'", run.record.pipeline)
          : fmt::format("'{}' for {}", run.record.pipeline, run.record.partition);
  if (event == "failure") return fmt::format("pipeline {} failed", of);
  if (event == "recovery") return fmt::format("pipeline {} succeeds again", of);
  return fmt::format("pipeline {} is late: what was due at {} has not succeeded", of,
                     time_text(run.record.scheduled_ms));
}

}  // namespace

std::vector<AlertRecord> alerts_for(const Alerts& receivers, const std::string& event,
                                    const Run& run, const std::string& mesh,
                                    const std::string& address, int64_t now_ms) {
  const std::string subject = fmt::format("[{}] {}", mesh, headline(event, run));
  std::string text = subject;
  boost::json::array failed;
  for (const StepRecord& step : run.steps) {
    if (step.state != StepState::kFailed || !step.part_of.empty()) continue;
    if (failed.size() < kMostSteps) text += fmt::format("\n• {}: {}", step.name, step.error);
    failed.push_back(boost::json::object{{"step", step.name}, {"error", step.error}});
  }
  if (failed.size() > kMostSteps) {
    text += fmt::format("\n… and {} more", failed.size() - kMostSteps);
  }
  if (!run.record.id.empty()) text += fmt::format("\nmeesh logs {}", run.record.id);
  boost::json::object body{{"text", text},
                           {"subject", subject},
                           {"event", event},
                           {"mesh", mesh},
                           {"pipeline", run.record.pipeline},
                           {"run_id", run.record.id},
                           {"state", word(run.record.state)},
                           {"trigger", run.record.trigger},
                           {"partition", run.record.partition},
                           {"failed_steps", failed}};
  if (run.record.scheduled_ms > 0) body["scheduled"] = time_text(run.record.scheduled_ms);
  if (run.record.started_ms > 0) body["started"] = time_text(run.record.started_ms);
  if (run.record.ended_ms > 0) body["ended"] = time_text(run.record.ended_ms);
  if (!address.empty() && !run.record.id.empty()) {
    body["url"] = fmt::format("{}/api/v1/runs/{}", address, run.record.id);
  }
  std::vector<std::string> channels;
  if (!receivers.webhook.empty()) channels.emplace_back("webhook");
  for (const std::string& email : receivers.email) channels.push_back("email:" + email);
  const std::string about = event == "late"
                                ? fmt::format("{}-{}", run.record.pipeline, run.record.scheduled_ms)
                                : run.record.id;
  std::vector<AlertRecord> alerts;
  for (const std::string& channel : channels) {
    AlertRecord alert;
    alert.id = fmt::format("{}/{}/{}", event, about, channel);
    alert.pipeline = run.record.pipeline;
    alert.run_id = run.record.id;
    alert.event = event;
    alert.channel = channel;
    alert.body = body;
    alert.created_ms = now_ms;
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

}  // namespace meesh::pipelines
