#include "pipelines/pipelines.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "pipelines/alert_text.h"
#include "pipelines/executor.h"
#include "pipelines/scheduler.h"

namespace meesh::pipelines {
namespace {

constexpr int64_t kDay = int64_t{24} * 3'600'000;
constexpr int64_t kKeepRuns = 90 * kDay, kKeepLogs = 30 * kDay;

/// Steps that never came to have a row are as the run left them.
StepState unstarted(RunState run) {
  if (!ended(run)) return StepState::kPending;
  return run == RunState::kCanceled ? StepState::kCanceled : StepState::kUpstreamFailed;
}

std::vector<StepRecord> in_order(const RunRecord& run, std::vector<StepRecord> rows) {
  std::map<std::string, StepRecord> whole;
  std::multimap<std::string, StepRecord> parts;
  for (StepRecord& row : rows) {
    if (row.part_of.empty()) {
      whole.emplace(row.name, std::move(row));
    } else {
      parts.emplace(row.part_of, std::move(row));
    }
  }
  std::vector<StepRecord> steps;
  for (const std::string& name : run.plan) {
    StepRecord step;
    step.name = name;
    step.state = unstarted(run.state);
    if (const auto found = whole.find(name); found != whole.end()) step = found->second;
    steps.push_back(std::move(step));
    const auto [first, last] = parts.equal_range(name);
    for (auto part = first; part != last; ++part) steps.push_back(part->second);
  }
  return steps;
}

}  // namespace

Pipelines::Pipelines(meta::Database& database, const mesh::Mesh& mesh, AssetKinds kinds,
                     PipelinesOptions options)
    : database_(database),
      mesh_(mesh),
      kinds_(std::move(kinds)),
      options_(std::move(options)),
      store_(database),
      logs_(options_.logs) {
  // What takes a while to be known is waited for by whoever needs it, not by the start.
  fresh_set(false);
  alerts_ = std::make_unique<AlertSender>(
      store_, mesh_.smtp, [this](const AlertRecord& alert) { return alert_address(alert); });
  executor_ = std::make_unique<Executor>(store_, logs_, executor_options());
  scheduler_ = std::make_unique<Scheduler>(database_, store_, *executor_, scheduler_options());
}

Pipelines::~Pipelines() { stop(); }

void Pipelines::start() {
  alerts_->start();
  scheduler_->start();
}

void Pipelines::stop() {
  scheduler_->stop();
  executor_->stop();
  store_.stop();  // what it writes may ask for what this object has
  scheduler_->release();
  alerts_->stop();
}

std::shared_ptr<const PipelineSet> Pipelines::last_set() {
  const std::lock_guard lock(mutex_);
  return set_;
}

std::shared_ptr<const PipelineSet> Pipelines::fresh_set(bool settled) {
  const std::lock_guard one(reading_);
  if (settled) {
    for (const auto& kind : kinds_) kind->settle();
  }
  uint64_t print = files_fingerprint(mesh_, kinds_);
  {
    const std::lock_guard lock(mutex_);
    if (set_ && fingerprint_ == print) return set_;
  }
  auto set = std::make_shared<const PipelineSet>(read_pipelines(mesh_, kinds_));
  const auto known = [](const auto& kind) { return kind->settled(); };
  if (settled && !std::ranges::all_of(kinds_, known)) {
    for (const auto& kind : kinds_) kind->settle();
    print = files_fingerprint(mesh_, kinds_);
    set = std::make_shared<const PipelineSet>(read_pipelines(mesh_, kinds_));
  }
  const std::lock_guard lock(mutex_);
  set_ = set;
  fingerprint_ = print;
  existing_.clear();
  return set;
}

std::shared_ptr<const PipelineSet> Pipelines::pipelines() { return fresh_set(); }

std::string Pipelines::address() const { return options_.address ? options_.address() : ""; }

ExecutorOptions Pipelines::executor_options() {
  ExecutorOptions options;
  options.most_steps = options_.most_steps;
  options.version = options_.version;
  options.pipelines = [this] { return last_set(); };
  options.ending = [this](soci::session& sql, const Run& run) { ending(sql, run); };
  options.ended = [this](const RunRecord& run) {
    log::info("a run ended",
              {{"run", run.id},
               {"pipeline", run.pipeline},
               {"state", word(run.state)},
               {"seconds", static_cast<double>(run.ended_ms - run.started_ms) / 1000},
               {"error", run.error}});
    alerts_->wake();
    scheduler_->wake();
  };
  return options;
}

SchedulerOptions Pipelines::scheduler_options() {
  SchedulerOptions options;
  options.holder = options_.holder;
  options.pipelines = [this] {
    try {
      return fresh_set();
    } catch (const Error& error) {
      log::warn("the pipelines' files have mistakes; what they said before goes on",
                {{"error", error.what()}});
      return last_set();
    }
  };
  options.launch = [this](const LaunchRequest& request, const RunStore::Change& also) {
    launch(request, also);
  };
  options.refuse = [this](const LaunchRequest& request, const std::string& error,
                          const RunStore::Change& also) { refuse(request, error, also); };
  options.late = [this](const RunRecord& run) { tell_late(run); };
  options.version = [this](const std::string& table) {
    return options_.version ? options_.version(table) : std::string();
  };
  options.tidy = [this] {
    const int64_t now = base::now_ms();
    store_.forget_before(now - kKeepRuns);
    logs_.forget_before(time_text(now - kKeepLogs).substr(0, 10));
  };
  return options;
}

void Pipelines::ending(soci::session& sql, const Run& run) {
  const auto set = last_set();
  const Pipeline* pipeline = set->graph->pipeline(run.record.pipeline);
  if (pipeline == nullptr || !pipeline->alerts.any()) return;
  const Alerts& alerts = pipeline->alerts;
  std::string event;
  if (run.record.state == RunState::kFailed && alerts.failure) event = "failure";
  if (run.record.state == RunState::kSucceeded && alerts.recovery && run.record.backfill.empty() &&
      RunStore::last_outcome(sql, run.record.pipeline) == RunState::kFailed) {
    event = "recovery";
  }
  if (event.empty()) return;
  for (const auto& alert :
       alerts_for(alerts, event, run, mesh_.name, address(), run.record.ended_ms)) {
    RunStore::add(sql, alert);
  }
}

void Pipelines::tell_late(const RunRecord& record) {
  const auto set = last_set();
  const Pipeline* pipeline = set->graph->pipeline(record.pipeline);
  if (pipeline == nullptr || !pipeline->alerts.late) return;
  const auto alerts =
      alerts_for(pipeline->alerts, "late", {record, {}, {}}, mesh_.name, address(), base::now_ms());
  store_.write([&](soci::session& sql) {
    for (const auto& alert : alerts) RunStore::add(sql, alert);
  });
  alerts_->wake();
}

std::optional<std::string> Pipelines::alert_address(const AlertRecord& alert) {
  const auto set = last_set();
  const Pipeline* pipeline = set->graph->pipeline(alert.pipeline);
  if (pipeline == nullptr) return std::nullopt;
  if (alert.channel == "webhook") {
    const std::string& url = pipeline->alerts.webhook;
    return url.empty() ? std::nullopt : std::optional(url);
  }
  for (const std::string& email : pipeline->alerts.email) {
    if (alert.channel == "email:" + email) return email;
  }
  return std::nullopt;
}

std::vector<RunRecord> Pipelines::runs(const RunFilter& filter) {
  RunStore::Query query;
  query.pipeline = filter.pipeline;
  query.backfill = filter.backfill;
  if (filter.state) query.states = {*filter.state};
  query.limit = filter.limit;
  return store_.runs(query);
}

Run Pipelines::run(const std::string& id) {
  RunStore::Query query;
  query.id_prefix = id;
  query.limit = 2;
  const auto found = store_.runs(query);
  if (found.empty() || id.empty()) {
    throw Error(Code::kNotFound, fmt::format("there is no run '{}'", id))
        .with_hint("meesh runs lists them");
  }
  if (found.size() > 1 && found[0].id != id && found[1].id != id) {
    throw Error(Code::kBadRequest, fmt::format("several runs begin with '{}'", id));
  }
  const RunRecord& record = found.size() > 1 && found[1].id == id ? found[1] : found[0];
  Run run;
  if (auto live = executor_->find(record.id)) {
    run = std::move(*live);
  } else {
    run = {record, in_order(record, store_.steps(record.id)), {}};
  }
  run.attempts = store_.attempts(record.id);
  return run;
}

void Pipelines::cancel(const std::string& run_id) {
  const RunRecord record = run(run_id).record;
  if (ended(record.state)) {
    throw Error(Code::kBadRequest,
                fmt::format("the run '{}' has ended already: {}", record.id, word(record.state)));
  }
  // Written first, so that the request outlives this process, and reaches the one that runs it.
  store_.write([&](soci::session& sql) {
    sql << "UPDATE pipelines_run SET cancel_requested = 1 WHERE id = :id", soci::use(record.id);
  });
  executor_->cancel(record.id);
}

void Pipelines::cancel_backfill(const std::string& id) {
  RunFilter filter;
  filter.backfill = id;
  filter.limit = 100'000;
  const auto all = runs(filter);
  if (all.empty()) throw Error(Code::kNotFound, fmt::format("there is no backfill '{}'", id));
  // The newest first: none begins because another one ended.
  for (const RunRecord& run : all) {
    if (!ended(run.state)) cancel(run.id);
  }
}

std::vector<BackfillRecord> Pipelines::backfills(const std::string& pipeline) {
  return store_.backfills(pipeline);
}

std::vector<ScheduleStatus> Pipelines::schedules(size_t next) {
  const auto set = fresh_set();
  auto states = store_.schedules();
  std::vector<ScheduleStatus> all;
  for (const auto& pipeline : set->graph->pipelines()) {
    const Schedule& schedule = pipeline->schedule;
    const auto& state = states[pipeline->name];
    ScheduleStatus status;
    status.pipeline = pipeline->name;
    status.timezone = schedule.timezone;
    status.paused = state.paused;
    status.last_ms = state.last_ms;
    if (schedule.cron) status.schedule = schedule.cron->text();
    if (schedule.on_upstream) {
      status.schedule += status.schedule.empty() ? "on upstream" : ", on upstream";
    }
    if (schedule.cron && !state.paused) {
      const TimeZone zone = TimeZone::find(schedule.timezone);
      auto at = schedule.cron->next(Seconds(std::chrono::seconds(base::now_ms() / 1000)), zone);
      for (size_t i = 0; at && i < next; ++i) {
        status.next_ms.push_back(at->time_since_epoch().count() * 1000);
        at = schedule.cron->next(*at, zone);
      }
    }
    all.push_back(std::move(status));
  }
  return all;
}

void Pipelines::pause(const std::string& name, bool paused) {
  const auto set = fresh_set();
  if (set->graph->pipeline(name) == nullptr) no_pipeline(*set->graph, name);
  store_.pause(name, paused, base::now_ms());
  scheduler_->wake();
}

std::vector<AlertRecord> Pipelines::alerts(size_t limit) { return store_.alerts(limit); }

uint64_t Pipelines::wait_for_change(const std::string& run_id, uint64_t seen, Millis at_most) {
  return executor_->wait_for_change(run_id, seen, at_most);
}

Pipelines::LogText Pipelines::log(const std::string& run_id, const std::string& step,
                                  uint64_t offset) {
  const auto text = logs_.read(run_id, step, offset);
  return {text.text, text.next};
}

void Pipelines::tables_changed() { scheduler_->tables_changed(); }

}  // namespace meesh::pipelines
