#include "pipelines/executor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

namespace meesh::pipelines {
namespace {

constexpr size_t kMostAtOnce = 100'000;  // runs that wait

}  // namespace

Executor::Executor(RunStore& store, const StepLogs& logs, ExecutorOptions options)
    : store_(store), logs_(logs), options_(std::move(options)) {
  life_->executor = this;
  thread_ = std::thread([this] { work(); });
}

void Executor::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    kicked_ = true;
  }
  due_.notify_all();
  changes_.notify_all();
  if (thread_.joinable()) thread_.join();
  abandon();
  workers_.join();
  const std::lock_guard lock(life_->mutex);
  life_->executor = nullptr;
}

void Executor::abandon() {
  std::vector<std::stop_source> stops;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, run] : active_) {
      run->abandoned = true;
      for (auto& [step, going] : run->going) stops.push_back(going.stop);
    }
    active_.clear();
    queued_.clear();
    seen_.clear();
  }
  for (std::stop_source& stop : stops) stop.request_stop();
  changes_.notify_all();
}

void Executor::catch_up() {
  RunStore::Query query;
  query.states = {RunState::kQueued, RunState::kRunning};
  query.oldest_first = true;
  query.limit = kMostAtOnce;
  std::vector<std::pair<RunRecord, std::vector<StepRecord>>> found;
  std::vector<std::string> cancel_these;
  {
    const std::lock_guard lock(mutex_);
    just_ended_.clear();
  }
  for (RunRecord& run : store_.runs(query)) {
    {
      const std::lock_guard lock(mutex_);
      if (seen_.contains(run.id)) {
        if (run.cancel_requested) cancel_these.push_back(run.id);
        continue;
      }
    }
    auto steps = run.state == RunState::kRunning ? store_.steps(run.id) : std::vector<StepRecord>{};
    if (run.cancel_requested) cancel_these.push_back(run.id);
    found.emplace_back(std::move(run), std::move(steps));
  }
  if (!found.empty()) {
    const auto backfills = store_.backfills("");
    const std::lock_guard lock(mutex_);
    for (const auto& backfill : backfills) backfill_limits_[backfill.id] = backfill.concurrency;
    for (auto& [run, steps] : found) {
      if (just_ended_.contains(run.id)) continue;  // after it was read
      if (!seen_.emplace(run.id, 1).second) continue;
      if (run.state == RunState::kQueued) {
        queued_.push_back(std::move(run));
        continue;
      }
      log::info("a run is resumed", {{"run", run.id}, {"pipeline", run.pipeline}});
      activate(std::move(run), steps);
    }
    kick();
  }
  for (const std::string& id : cancel_these) cancel(id);
}

void Executor::add(RunRecord run) {
  const std::lock_guard lock(mutex_);
  if (!seen_.emplace(run.id, 1).second) return;
  queued_.push_back(std::move(run));
  kick();
}

void Executor::limit_backfill(const std::string& id, int concurrency) {
  const std::lock_guard lock(mutex_);
  backfill_limits_[id] = concurrency;
}

bool Executor::cancel(const std::string& run_id) {
  std::vector<std::stop_source> stops;
  {
    const std::lock_guard lock(mutex_);
    const auto waiting = std::ranges::find(queued_, run_id, &RunRecord::id);
    if (waiting != queued_.end()) {
      RunRecord run = std::move(*waiting);
      queued_.erase(waiting);
      activate(std::move(run), {});
    }
    const auto found = active_.find(run_id);
    if (found == active_.end()) return false;
    Active& run = *found->second;
    run.record.cancel_requested = true;
    save_all(run, run.machine->cancel_waiting());
    run.ready.clear();
    run.retries.clear();
    for (auto& [step, going] : run.going) stops.push_back(going.stop);
    changed(run_id);
    kick();
  }
  // Not under the lock: whoever hears of it may report progress at once.
  for (std::stop_source& stop : stops) stop.request_stop();
  return true;
}

std::optional<Run> Executor::find(const std::string& run_id) {
  const std::lock_guard lock(mutex_);
  const auto found = active_.find(run_id);
  if (found == active_.end()) return std::nullopt;
  return reading(*found->second);
}

std::vector<RunRecord> Executor::current() {
  const std::lock_guard lock(mutex_);
  std::vector<RunRecord> all;
  for (const auto& [id, run] : active_) all.push_back(run->record);
  return all;
}

bool Executor::busy(const std::string& pipeline) {
  const std::lock_guard lock(mutex_);
  const auto of = [&](const RunRecord& run) { return run.pipeline == pipeline; };
  return std::ranges::any_of(queued_, of) ||
         std::ranges::any_of(active_, [&](const auto& one) { return of(one.second->record); });
}

bool Executor::waiting(const std::string& pipeline) {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(queued_, [&](const RunRecord& run) {
    return run.pipeline == pipeline && run.scheduled_ms > 0;
  });
}

uint64_t Executor::wait_for_change(const std::string& run_id, uint64_t seen, Millis at_most) {
  std::unique_lock lock(mutex_);
  const auto now = [&] {
    const auto found = seen_.find(run_id);
    return found == seen_.end() ? UINT64_MAX : found->second;
  };
  changes_.wait_for(lock, at_most, [&] { return stopping_ || now() != seen; });
  return now();
}

void Executor::changed(const std::string& run_id) {
  const auto found = seen_.find(run_id);
  if (found != seen_.end()) ++found->second;
  changes_.notify_all();
}

void Executor::kick() {
  kicked_ = true;
  due_.notify_one();
}

std::function<void()> Executor::while_alive(std::function<void(Executor&)> work) const {
  return [life = life_, work = std::move(work)] {
    const std::lock_guard lock(life->mutex);
    if (life->executor != nullptr) work(*life->executor);
  };
}

void Executor::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    kicked_ = false;
    std::vector<std::stop_source> stops;
    const auto next = advance(stops);
    if (!stops.empty()) {
      lock.unlock();
      for (std::stop_source& stop : stops) stop.request_stop();
      lock.lock();
    }
    const auto kicked = [&] { return kicked_ || stopping_; };
    if (next == Clock::time_point::max()) {
      due_.wait(lock, kicked);
    } else {
      due_.wait_until(lock, next, kicked);
    }
  }
}

Executor::Clock::time_point Executor::advance(std::vector<std::stop_source>& stops) {
  start_queued();
  auto next = Clock::time_point::max();
  const auto now = Clock::now();
  for (const auto& [id, run] : active_) {
    if (!run->closing) advance(run, now, next, stops);
  }
  return next;
}

void Executor::advance(const ActivePtr& run, Clock::time_point now, Clock::time_point& next,
                       std::vector<std::stop_source>& stops) {
  for (auto& [step, going] : run->going) {
    if (going.timed_out) continue;
    if (going.deadline <= now) {
      going.timed_out = true;
      stops.push_back(going.stop);
    } else {
      next = std::min(next, going.deadline);
    }
  }
  for (auto retry = run->retries.begin(); retry != run->retries.end();) {
    if (retry->second <= now) {
      run->ready.push_back(retry->first);
      retry = run->retries.erase(retry);
    } else {
      next = std::min(next, retry->second);
      ++retry;
    }
  }
  if (!run->record.cancel_requested)
    std::ranges::copy(run->machine->take_ready(), std::back_inserter(run->ready));
  for (auto step = run->ready.begin(); step != run->ready.end();) {
    if (static_cast<int>(run->going.size()) >= run->concurrency ||
        running_ >= options_.most_steps) {
      break;
    }
    if (may_launch(*run, *step)) {
      launch(run, *step);
      next = std::min(next, run->going[*step].deadline);
      step = run->ready.erase(step);
    } else {
      ++step;
    }
  }
  if (run->machine->done() && run->going.empty()) close(run);
}

void Executor::start_queued() {
  for (auto run = queued_.begin(); run != queued_.end();) {
    if (!may_start(*run)) {
      ++run;
      continue;
    }
    activate(std::move(*run), {});
    run = queued_.erase(run);
  }
}

bool Executor::may_start(const RunRecord& run) const {
  int of_backfill = 0, of_pipeline = 0, most = 1;
  for (const auto& [id, other] : active_) {
    const RunRecord& record = other->record;
    if (record.pipeline != run.pipeline) continue;
    // They would write the same.
    if (!run.partition.empty() && record.partition == run.partition) return false;
    of_backfill += !run.backfill.empty() && record.backfill == run.backfill;
    of_pipeline += record.backfill.empty();
  }
  if (!run.backfill.empty()) {
    const auto limit = backfill_limits_.find(run.backfill);
    return of_backfill < (limit == backfill_limits_.end() ? 1 : limit->second);
  }
  const auto set = options_.pipelines();
  if (const Pipeline* pipeline = set->graph->pipeline(run.pipeline)) {
    most = pipeline->max_runs;
  }
  return of_pipeline < most;
}

void Executor::activate(RunRecord record, const std::vector<StepRecord>& known) {
  auto run = std::make_shared<Active>();
  run->record = std::move(record);
  run->set = options_.pipelines();
  run->record.state = RunState::kRunning;
  if (run->record.started_ms == 0) run->record.started_ms = base::now_ms();
  put_together(*run, known);
  active_[run->record.id] = run;
  store_.write_soon([saved = run->record](soci::session& sql) { RunStore::save(sql, saved); });
  changed(run->record.id);
}

void Executor::put_together(Active& run, const std::vector<StepRecord>& known) {
  const Graph& graph = *run.set->graph;
  if (const Pipeline* pipeline = graph.pipeline(run.record.pipeline)) {
    run.concurrency = pipeline->concurrency;
  }
  std::map<std::string, const StepRecord*> before;
  for (const StepRecord& step : known) {
    if (step.part_of.empty()) before[step.name] = &step;
  }
  std::map<const Graph::Node*, size_t> places;
  std::vector<StepState> states;
  for (const std::string& name : run.record.plan) {
    const Graph::Node* node = graph.find(name);
    StepRecord step;
    if (const auto found = before.find(name); found != before.end()) step = *found->second;
    step.name = name;
    if (node != nullptr) step.kind = node->asset->kind;
    // The attempt that was cut short is made once more.
    if (step.state == StepState::kRunning && step.attempt > 0) --step.attempt;
    if (!ended(step.state)) step.state = StepState::kPending;
    if (node == nullptr && !ended(step.state)) {
      step.state = StepState::kFailed;
      step.error = "the pipelines have no such asset any more";
    }
    places.emplace(node, run.steps.size());
    states.push_back(step.state);
    run.nodes.push_back(node);
    run.steps.push_back(std::move(step));
  }
  std::vector<std::vector<size_t>> needs(run.steps.size());
  for (size_t i = 0; i < run.steps.size(); ++i) {
    if (run.nodes[i] == nullptr) continue;
    for (const size_t need : run.nodes[i]->needs) {
      const auto place = places.find(&graph.nodes()[need]);
      if (place != places.end()) needs[i].push_back(place->second);
    }
  }
  run.machine = std::make_unique<RunMachine>(std::move(needs), std::move(states));
  for (const StepRecord& step : known) {
    const auto whole = std::ranges::find(run.steps, step.part_of, &StepRecord::name);
    if (step.part_of.empty() || whole == run.steps.end()) continue;
    run.parts[static_cast<size_t>(whole - run.steps.begin())][step.name] = step;
  }
  std::vector<size_t> lost;
  for (size_t i = 0; i < run.steps.size(); ++i) {
    if (ended(run.machine->state(i)) && !ended(run.steps[i].state)) lost.push_back(i);
  }
  save_all(run, lost);
}

bool Executor::may_launch(const Active& run, size_t step) const {
  const std::string& pool = run.nodes[step]->asset->pool;
  if (pool.empty()) return true;
  const auto limit = run.set->pools.find(pool);
  const auto used = pool_running_.find(pool);
  return limit == run.set->pools.end() || used == pool_running_.end() ||
         used->second < limit->second;
}

void Executor::launch(const ActivePtr& run, size_t step) {
  const PipelineAsset& asset = *run->nodes[step]->asset;
  StepRecord& record = run->steps[step];
  Going& going = run->going[step];
  if (asset.timeout.count() > 0) going.deadline = Clock::now() + asset.timeout;
  run->machine->begin(step);
  ++running_;
  if (!asset.pool.empty()) ++pool_running_[asset.pool];
  record.state = StepState::kRunning;
  record.attempt += 1;
  record.started_ms = base::now_ms();
  record.ended_ms = 0;
  record.error.clear();
  record.message.clear();
  record.done = record.total = 0;

  StepContext context;
  context.pipeline = run->record.pipeline;
  context.step = record.name;
  context.attempt = record.attempt;
  context.task.run_id = run->record.id;
  context.task.pipeline = run->record.pipeline;
  context.task.parameters = run->record.parameters;
  context.task.stop = going.stop.get_token();
  for (const std::string& wanted : run->record.selected) {
    if (wanted.starts_with(record.name + "/")) {
      context.wanted_parts.insert(wanted.substr(record.name.size() + 1));
    }
  }
  for (const auto& [name, part] : run->parts[step]) {
    if (part.state == StepState::kSucceeded) context.finished_parts.insert(name);
  }
  save_all(*run, {step});
  changed(run->record.id);
  workers_.run([this, run, step, context = std::move(context)]() mutable {
    run_step(run, step, std::move(context));
  });
}

void Executor::close(const ActivePtr& run) {
  run->closing = true;
  // Others see it end once that is written down.
  Run done = reading(*run);
  RunRecord& record = done.record;
  record.state = run->machine->outcome();
  record.ended_ms = base::now_ms();
  std::vector<std::string> failed;
  for (const StepRecord& step : run->steps) {
    if (step.state == StepState::kFailed) failed.push_back(step.name);
  }
  if (record.state == RunState::kFailed) {
    const size_t count = failed.size();
    if (count > 5) {
      failed.resize(5);
      failed.emplace_back("…");
    }
    record.error = fmt::format("{} of {} steps failed: {}", count, run->steps.size(),
                               base::join(failed, ", "));
  }
  store_.write_soon(
      [ending = options_.ending, done](soci::session& sql) {
        if (ending) ending(sql, done);
        RunStore::save(sql, done.record);
      },
      while_alive([record](Executor& self) {
        {
          const std::lock_guard lock(self.mutex_);
          self.active_.erase(record.id);
          self.seen_.erase(record.id);
          self.just_ended_.insert(record.id);
          self.changes_.notify_all();
          self.kick();
        }
        if (self.options_.ended) self.options_.ended(record);
      }));
}

Run Executor::reading(const Active& run) {
  Run result{run.record, {}, {}};
  for (size_t i = 0; i < run.steps.size(); ++i) {
    result.steps.push_back(run.steps[i]);
    const auto parts = run.parts.find(i);
    if (parts == run.parts.end()) continue;
    for (const auto& [name, part] : parts->second) result.steps.push_back(part);
  }
  return result;
}

}  // namespace meesh::pipelines
