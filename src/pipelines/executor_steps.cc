// The steps' half of executor.h: an attempt, and what follows from how it ended.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "base/clock.h"
#include "base/log.h"
#include "pipelines/executor.h"

namespace meesh::pipelines {
namespace {

constexpr auto kLookAgain = std::chrono::milliseconds(500);

/// A second attempt would come to the same.
bool hopeless(Code code) {
  switch (code) {
    case Code::kSyntaxError:
    case Code::kConfigInvalid:
    case Code::kColumnNotFound:
    case Code::kFunctionNotFound:
    case Code::kTypeMismatch:
    case Code::kNotSupported:
    case Code::kPermissionDenied:
      return true;
    default:
      return false;
  }
}

StepState step_state_of(PartState state) {
  switch (state) {
    case PartState::kRunning:
      return StepState::kRunning;
    case PartState::kSucceeded:
      return StepState::kSucceeded;
    case PartState::kFailed:
      return StepState::kFailed;
    case PartState::kSkipped:
      return StepState::kSkipped;
  }
  return StepState::kFailed;
}

std::string seconds_text(Millis time) {
  return fmt::format("{:g} s", static_cast<double>(time.count()) / 1000);
}

/// What is remembered of an asset after a step: under its own name, and the tables it makes.
std::vector<AssetRecord> assets_of(const Graph::Node& node, const StepRecord& step,
                                   const std::string& run_id,
                                   const std::map<std::string, std::string>& inputs) {
  std::vector<AssetRecord> all;
  const auto parts = node.asset->asset->parts();
  const auto add = [&](const std::string& name) {
    // A part tells of itself.
    if (name.ends_with('*') || std::ranges::find(parts, name) != parts.end()) return;
    if (std::ranges::find(all, name, &AssetRecord::name) != all.end()) return;
    AssetRecord asset;
    asset.name = name;
    asset.run_id = run_id;
    asset.state = step.state;
    asset.ended_ms = step.ended_ms;
    asset.tried = inputs;
    if (step.state == StepState::kSucceeded) {
      asset.succeeded_run = run_id;
      asset.succeeded_ms = step.ended_ms;
      asset.inputs = inputs;
      asset.rows = step.rows;
    }
    all.push_back(std::move(asset));
  };
  add(node.asset->name);
  for (const std::string& table : node.asset->asset->outputs()) add(table);
  return all;
}

void save_end(soci::session& sql, const std::string& run_id, const StepRecord& step,
              const std::vector<AssetRecord>& assets) {
  RunStore::save(sql, run_id, step);
  StepRecord attempt = step;
  if (attempt.state == StepState::kRetrying) attempt.state = StepState::kFailed;
  RunStore::save_attempt(sql, run_id, attempt);
  for (const AssetRecord& asset : assets) RunStore::save(sql, asset);
}

}  // namespace

void Executor::run_step(const ActivePtr& run, size_t step, StepContext context) {
  const std::shared_ptr<StepLogs::Writer> log = logs_.writer(context.task.run_id, context.step);
  context.task.log = [log](log::Level level, const std::string& line) { log->line(level, line); };
  context.task.progress = [this, run, step](uint64_t done, uint64_t total) {
    const std::lock_guard lock(mutex_);
    run->steps[step].done = done;
    run->steps[step].total = total;
    changed(run->record.id);
  };
  context.part = [this, run, step](const std::string& part, PartState state,
                                   const StepResult& result) {
    report_part(run, step, part, state, result);
  };
  finish(run, step, attempt(run, step, context, *log));
}

Executor::Outcome Executor::attempt(const ActivePtr& run, size_t step, StepContext& context,
                                    StepLogs::Writer& log) {
  const Graph::Node& node = *run->nodes[step];
  Outcome outcome;
  log.line(log::Level::kInfo, context.attempt == 1
                                  ? std::string("started")
                                  : fmt::format("started, attempt {}", context.attempt));
  if (options_.version) {
    for (const TableUse& use : node.asset->asset->inputs()) {
      std::string version = options_.version(use.table);
      if (!version.empty()) outcome.inputs[use.table] = std::move(version);
    }
  }
  std::atomic<bool> publishing = false;
  context.succeeded = [&](soci::session& sql) {
    publishing = true;
    StepRecord record;
    {
      const std::lock_guard lock(mutex_);
      record = run->steps[step];
    }
    const std::string& run_id = run->record.id;
    const auto there = RunStore::success(sql, run_id, record);
    if (there && *there != record.started_ms) {
      throw Error(Code::kUnavailable, "another server has made it meanwhile");
    }
    record.state = StepState::kSucceeded;
    record.ended_ms = base::now_ms();
    record.message = "published";
    save_end(sql, run_id, record, assets_of(node, record, run_id, outcome.inputs));
  };
  try {
    outcome.result = node.asset->asset->run(context);
    log.line(log::Level::kInfo,
             outcome.result.message.empty() ? "succeeded" : "succeeded: " + outcome.result.message);
    return outcome;
  } catch (const Error& error) {
    outcome.error = error.what();
    outcome.may_retry = !hopeless(error.code());
  } catch (const std::exception& error) {
    outcome.error = error.what();
  }
  if (publishing && published(context)) {
    log.line(log::Level::kWarn, "succeeded, and after that: " + outcome.error);
    outcome.error.clear();
    outcome.result.message = "published";
    return outcome;
  }
  outcome.state = StepState::kFailed;
  log.line(log::Level::kError, "failed: " + outcome.error);
  return outcome;
}

bool Executor::published(const StepContext& context) {
  StepRecord step;
  step.name = context.step;
  step.attempt = context.attempt;
  while (true) {
    try {
      return store_.success(context.task.run_id, step).has_value();
    } catch (const std::exception& error) {
      // Until the database is back nobody knows; to make it once more might make it twice.
      log::warn("it is not known yet whether a step has succeeded",
                {{"run", context.task.run_id}, {"step", context.step}, {"error", error.what()}});
    }
    std::unique_lock lock(mutex_);
    if (changes_.wait_for(lock, kLookAgain, [&] { return stopping_; })) return false;
  }
}

void Executor::finish(const ActivePtr& run, size_t step, Outcome outcome) {
  const std::lock_guard lock(mutex_);
  const PipelineAsset& asset = *run->nodes[step]->asset;
  const auto going = run->going.extract(step);
  --running_;
  if (!asset.pool.empty()) --pool_running_[asset.pool];
  kick();
  if (outcome.state == StepState::kFailed) {
    // What stopped with the server goes on with the next one.
    if (stopping_ || run->abandoned) return;
    if (run->record.cancel_requested) {
      outcome.state = StepState::kCanceled;
    } else if (going.mapped().timed_out) {
      outcome.error = fmt::format("it took longer than its timeout, {}, and was stopped",
                                  seconds_text(asset.timeout));
      outcome.may_retry = true;
    }
    if (outcome.state == StepState::kFailed && outcome.may_retry &&
        run->steps[step].attempt < asset.retries.attempts) {
      outcome.state = StepState::kRetrying;
    }
  }
  settle(run, step, outcome);
}

void Executor::settle(const ActivePtr& run, size_t step, const Outcome& outcome) {
  StepRecord& record = run->steps[step];
  record.state = outcome.state;
  record.ended_ms = base::now_ms();
  record.rows = outcome.result.rows;
  record.message = outcome.result.message;
  record.metadata = outcome.result.metadata;
  record.error = outcome.error;
  const std::string& run_id = run->record.id;
  if (outcome.state == StepState::kRetrying) {
    const Retries& retries = run->nodes[step]->asset->retries;
    const double random = std::uniform_real_distribution<double>(0, 1)(random_);
    const Millis wait = retries.wait_before(record.attempt + 1, random);
    run->machine->retry(step);
    run->retries[step] = Clock::now() + wait;
    record.message = fmt::format("attempt {} of {} in {}", record.attempt + 1, retries.attempts,
                                 seconds_text(wait));
  }
  auto assets = assets_of(*run->nodes[step], record, run_id, outcome.inputs);
  changed(run_id);
  const auto change = [run_id, record, assets = std::move(assets)](soci::session& sql) {
    save_end(sql, run_id, record, assets);
  };
  if (outcome.state == StepState::kRetrying) {
    store_.write_soon(change);
    return;
  }
  store_.write_soon(change, while_alive([run, step, state = outcome.state](Executor& self) {
                      self.end_step(run, step, state);
                    }));
}

void Executor::end_step(const ActivePtr& run, size_t step, StepState state) {
  const std::lock_guard lock(mutex_);
  if (run->abandoned) return;
  save_all(*run, run->machine->end(step, state));
  changed(run->record.id);
  kick();
}

void Executor::save_all(Active& run, const std::vector<size_t>& steps) {
  if (steps.empty()) return;
  std::vector<StepRecord> records;
  for (const size_t i : steps) {
    StepRecord& record = run.steps[i];
    record.state = run.machine->state(i);
    if (ended(record.state) && record.ended_ms == 0) record.ended_ms = base::now_ms();
    records.push_back(record);
  }
  store_.write_soon([id = run.record.id, records = std::move(records)](soci::session& sql) {
    for (const StepRecord& record : records) RunStore::save(sql, id, record);
  });
}

void Executor::report_part(const ActivePtr& run, size_t step, const std::string& part,
                           PartState state, const StepResult& result) {
  const std::lock_guard lock(mutex_);
  if (run->abandoned) return;
  StepRecord& record = run->parts[step][part];
  const StepRecord& whole = run->steps[step];
  record.name = part;
  record.part_of = whole.name;
  record.kind = whole.kind;
  // A dbt project's parts are models, tests, seeds.
  if (const auto* type = result.metadata.if_contains("type"); type && type->is_string()) {
    record.kind += fmt::format(" {}", std::string_view(type->get_string()));
  }
  record.state = step_state_of(state);
  record.attempt = whole.attempt;
  if (state == PartState::kRunning) {
    record.started_ms = base::now_ms();
    record.ended_ms = 0;
    record.error.clear();
  } else {
    record.ended_ms = base::now_ms();
    if (record.started_ms == 0) record.started_ms = record.ended_ms;
  }
  record.rows = result.rows;
  record.metadata = result.metadata;
  (state == PartState::kFailed ? record.error : record.message) = result.message;
  changed(run->record.id);
  std::optional<AssetRecord> asset;
  if (state == PartState::kSucceeded || state == PartState::kFailed) {
    asset.emplace();
    asset->name = part;
    asset->run_id = run->record.id;
    asset->state = record.state;
    asset->ended_ms = record.ended_ms;
    if (state == PartState::kSucceeded) {
      asset->succeeded_run = run->record.id;
      asset->succeeded_ms = record.ended_ms;
      asset->rows = record.rows;
    }
  }
  store_.write_soon([id = run->record.id, record, asset](soci::session& sql) {
    RunStore::save(sql, id, record);
    if (asset) RunStore::save(sql, *asset);
  });
}

}  // namespace meesh::pipelines
