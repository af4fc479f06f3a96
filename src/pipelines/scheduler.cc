#include "pipelines/scheduler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"

namespace meesh::pipelines {
namespace {

using std::chrono_literals::operator""s;

constexpr const char* kLease = "pipelines";
constexpr auto kLeaseTime = 15s, kRenewal = 5s;
constexpr int64_t kDay = 24 * 3'600'000;
/// Changes that come together are answered by one run.
constexpr int64_t kUpstreamRest = 2'000;
/// Changes that nobody told of, made by other engines.
constexpr int64_t kUpstreamLook = 60'000;
/// A time is missed if no server ran for so long after it.
constexpr int64_t kGrace = 60'000;
constexpr size_t kMostMissed = 10'000;

Seconds seconds_of(int64_t ms) { return Seconds(std::chrono::seconds(ms / 1000)); }
int64_t ms_of(Seconds time) { return time.time_since_epoch().count() * 1000; }

}  // namespace

Scheduler::Scheduler(meta::Database& database, RunStore& store, Executor& executor,
                     SchedulerOptions options)
    : store_(store), executor_(executor), options_(std::move(options)), leases_(database) {}

Scheduler::~Scheduler() { stop(); }

void Scheduler::stop() {
  stop_.request();
  if (thread_.joinable()) thread_.join();
}

void Scheduler::release() {
  holding_ = false;
  try {
    if (lease_) leases_.release(*lease_);
  } catch (const std::exception& error) {
    log::debug("the lease on pipelines was not given back", {{"error", error.what()}});
  }
  lease_.reset();
}

void Scheduler::start() {
  thread_ = std::thread([this] { work(); });
}

void Scheduler::wake() {
  touched_ = true;
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void Scheduler::work() {
  while (!stop_.requested()) {
    int64_t next = base::now_ms() + std::chrono::milliseconds(kRenewal).count();
    try {
      keep_lease();
      if (holding_) next = std::min(next, go_round(base::now_ms()));
    } catch (const std::exception& error) {
      log::warn("schedules could not be looked at and will be again", {{"error", error.what()}});
    }
    std::unique_lock lock(mutex_);
    const auto wait = std::chrono::milliseconds(std::max<int64_t>(1, next - base::now_ms()));
    stop_.wait_for(changed_, lock, wait, [&] { return woken_; });
    woken_ = false;
  }
}

void Scheduler::keep_lease() {
  if (lease_ && Clock::now() - renewed_ < kRenewal) return;
  if (lease_) {
    if (leases_.renew(*lease_, kLeaseTime)) {
      renewed_ = Clock::now();
      executor_.catch_up();
      return;
    }
    log::warn("another server runs the pipelines now");
    holding_ = false;
    lease_.reset();
    executor_.abandon();
  }
  lease_ = leases_.acquire(kLease, options_.holder, kLeaseTime);
  if (!lease_) return;
  renewed_ = Clock::now();
  awake_since_ = base::now_ms();
  executor_.catch_up();
  RunStore::Query query;
  query.since_ms = awake_since_ - 7 * kDay;
  query.limit = 10'000;
  query.states = {RunState::kQueued, RunState::kRunning, RunState::kFailed};
  const auto set = options_.pipelines();
  for (const RunRecord& run : store_.runs(query)) {
    const Pipeline* pipeline = set->graph->pipeline(run.pipeline);
    if (pipeline != nullptr && run.scheduled_ms > 0) watch_late(*pipeline, run.scheduled_ms);
  }
  holding_ = true;
  executor_.catch_up();  // with what was asked for meanwhile
}

int64_t Scheduler::go_round(int64_t now) {
  const auto set = options_.pipelines();
  auto states = store_.schedules();
  int64_t next = INT64_MAX;
  std::map<std::string, AssetRecord> assets;
  bool upstream = false;
  for (const auto& pipeline : set->graph->pipelines()) {
    const auto& state = states[pipeline->name];
    if (state.paused) continue;
    if (pipeline->schedule.cron) next = std::min(next, by_clock(*pipeline, state, now));
    upstream |= pipeline->schedule.on_upstream;
  }
  if (upstream) {
    const int64_t due = looked_upstream_ + (touched_ ? kUpstreamRest : kUpstreamLook);
    if (now >= due) {
      looked_upstream_ = now;
      touched_ = false;
      for (AssetRecord& asset : store_.assets()) assets[asset.name] = std::move(asset);
      for (const auto& pipeline : set->graph->pipelines()) {
        const bool wanted = pipeline->schedule.on_upstream && !states[pipeline->name].paused;
        if (wanted) by_upstream(*set, *pipeline, assets);
      }
      next = std::min(next, now + kUpstreamLook);
    } else {
      next = std::min(next, due);
    }
  }
  if (now - tidied_ > kDay) {
    tidied_ = now;
    options_.tidy();
  }
  return std::min(next, tell_late(now));
}

int64_t Scheduler::by_clock(const Pipeline& pipeline, RunStore::ScheduleState state, int64_t now) {
  const TimeZone zone = TimeZone::find(pipeline.schedule.timezone);
  const Cron& cron = *pipeline.schedule.cron;
  if (state.last_ms == 0) {  // new: it begins with the next time
    store_.write([&](soci::session& sql) { RunStore::save_schedule(sql, pipeline.name, now); });
    state.last_ms = now;
  }
  std::vector<Seconds> due;
  auto at = cron.next(seconds_of(state.last_ms), zone);
  for (; at && ms_of(*at) <= now; at = cron.next(*at, zone)) {
    if (due.size() == kMostMissed) due.erase(due.begin());
    due.push_back(*at);
  }
  if (!due.empty()) launch_due(pipeline, due, now);
  return at ? ms_of(*at) : INT64_MAX;
}

void Scheduler::launch_due(const Pipeline& pipeline, const std::vector<Seconds>& due, int64_t now) {
  const CatchUp policy = pipeline.schedule.catch_up;
  std::vector<Seconds> wanted = due;
  if (policy == CatchUp::kNone) {
    std::erase_if(wanted, [&](Seconds at) { return ms_of(at) < awake_since_ - kGrace; });
  }
  if (policy != CatchUp::kAll && !wanted.empty()) wanted.erase(wanted.begin(), wanted.end() - 1);
  // Whose turn has not come yet stands for this one too.
  if (policy != CatchUp::kAll && executor_.waiting(pipeline.name)) wanted.clear();
  const TimeZone zone = TimeZone::find(pipeline.schedule.timezone);
  for (const Seconds at : wanted) {
    LaunchRequest request;
    request.pipeline = pipeline.name;
    request.trigger = "schedule";
    request.requested_by = "schedule";
    request.scheduled_ms = ms_of(at);
    const auto local = zone.local(at);
    request.partition = pipeline.partitions ? pipeline.partitions->key_at(local) : date_of(local);
    begin(request, [name = pipeline.name, at](soci::session& sql) {
      RunStore::save_schedule(sql, name, ms_of(at));
    });
    watch_late(pipeline, ms_of(at));
  }
  if (wanted.empty() || wanted.back() != due.back()) {
    log::info("times of a schedule passed without a run",
              {{"pipeline", pipeline.name}, {"times", due.size()}});
    store_.write([&](soci::session& sql) { RunStore::save_schedule(sql, pipeline.name, now); });
  }
}

void Scheduler::begin(LaunchRequest request, const RunStore::Change& also) {
  try {
    options_.launch(request, also);
  } catch (const Error& error) {
    if (error.code() == Code::kUnavailable || error.code() == Code::kIoError) throw;
    log::warn("a run could not begin", {{"pipeline", request.pipeline}, {"error", error.what()}});
    if (request.trigger == "upstream") return;
    options_.refuse(request, error.what(), also);
  }
}

void Scheduler::by_upstream(const PipelineSet& set, const Pipeline& pipeline,
                            const std::map<std::string, AssetRecord>& assets) {
  if (executor_.busy(pipeline.name)) return;
  const Graph& graph = *set.graph;
  LaunchRequest request;
  std::map<std::string, std::string> versions;
  for (const Graph::Node& node : graph.nodes()) {
    if (node.pipeline != &pipeline) continue;
    const auto record = assets.find(node.asset->name);
    bool differs = false;
    for (const TableUse& use : node.asset->asset->inputs()) {
      const Graph::Node* maker = graph.find(use.table);
      if (maker != nullptr && maker->pipeline == &pipeline) continue;
      // Not while it is being made.
      if (maker != nullptr && executor_.busy(maker->pipeline->name)) return;
      const std::string version = options_.version(use.table);
      if (version.empty()) continue;
      if (record != assets.end()) {
        const auto tried = record->second.tried.find(use.table);
        if (tried != record->second.tried.end() && tried->second == version) continue;
      }
      differs = true;
      versions[use.table] = version;
    }
    if (differs) request.select.push_back(node.asset->name + "+");
  }
  if (request.select.empty() || answered_[pipeline.name] == versions) return;
  answered_[pipeline.name] = versions;
  request.pipeline = pipeline.name;
  request.trigger = "upstream";
  request.requested_by = "upstream";
  begin(request, {});
}

void Scheduler::watch_late(const Pipeline& pipeline, int64_t scheduled_ms) {
  if (!pipeline.alerts.late) return;
  late_checks_[{scheduled_ms + pipeline.alerts.late_after.count(), pipeline.name}] = scheduled_ms;
}

int64_t Scheduler::tell_late(int64_t now) {
  while (!late_checks_.empty()) {
    const auto first = late_checks_.begin();
    const auto& [when, pipeline] = first->first;
    if (when > now) return when;
    RunStore::Query query;
    query.pipeline = pipeline;
    query.scheduled_ms = first->second;
    const auto runs = store_.runs(query);
    const bool good = std::ranges::any_of(
        runs, [](const RunRecord& run) { return run.state == RunState::kSucceeded; });
    if (!good && !runs.empty()) options_.late(runs.front());
    late_checks_.erase(first);
  }
  return INT64_MAX;
}

}  // namespace meesh::pipelines
