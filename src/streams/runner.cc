#include "streams/runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"

namespace meesh::streams {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

constexpr seconds kRateOver{10};

std::string trigger_text(const Trigger& trigger) {
  switch (trigger.kind) {
    case Trigger::Kind::kAvailableNow:
      return "available-now";
    case Trigger::Kind::kContinuous:
      return "continuous";
    case Trigger::Kind::kEvery:
      break;
  }
  const int64_t ms = trigger.every.count();
  return ms % 1000 == 0 ? fmt::format("every {}s", ms / 1000) : fmt::format("every {}ms", ms);
}

std::string_view output_text(OutputMode mode) {
  return mode == OutputMode::kUpdate     ? "update"
         : mode == OutputMode::kComplete ? "complete"
                                         : "append";
}

uint64_t commit_number(int64_t generation, int64_t batch) {
  return (static_cast<uint64_t>(generation) << 40) + static_cast<uint64_t>(batch);
}

}  // namespace

class StreamRunner::Parked {
 public:
  explicit Parked(StreamRunner& runner) : runner_(runner) {
    std::unique_lock lock(runner_.mutex_);
    ++runner_.parked_;
    runner_.changed_.notify_all();
    runner_.changed_.wait(lock, [&] { return !runner_.working_; });
  }
  ~Parked() {
    std::lock_guard lock(runner_.mutex_);
    --runner_.parked_;
    runner_.changed_.notify_all();
  }
  Parked(const Parked&) = delete;
  Parked& operator=(const Parked&) = delete;

 private:
  StreamRunner& runner_;
};

StreamRunner::StreamRunner(StreamConfig config, WorkEnvironment environment, std::string group)
    : config_(std::move(config)), env_(std::move(environment)), group_(std::move(group)) {
  status_.name = config_.name;
  status_.description = config_.description;
  status_.output = output_text(config_.output);
  status_.trigger = trigger_text(config_.trigger);
  for (const auto& source : config_.sources)
    for (const auto& topic : source.topics) status_.sources.push_back("kafka " + topic);
  for (const auto& sink : config_.sinks) status_.sinks.push_back(sink.name());
  paused_ = env_.progress.paused(config_.name, config_.paused);
  take_over(env_.progress.progress(config_.name));
}

StreamRunner::~StreamRunner() { stop(); }

void StreamRunner::start() {
  thread_ = std::thread([this] { loop(); });
}

void StreamRunner::ask_to_stop() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  give_up_.request_stop();
  changed_.notify_all();
}

void StreamRunner::stop() {
  ask_to_stop();
  if (thread_.joinable()) thread_.join();
}

void StreamRunner::allow(bool allowed) {
  // Another server of the mesh may have been told to pause it.
  const std::lock_guard setting(setting_);
  std::optional<bool> paused;
  try {
    paused = env_.progress.paused(config_.name, config_.paused);
  } catch (const Error& error) {
    log::warn("whether a stream is paused is not known",
              {{"stream", config_.name}, {"error", error.what()}});
  }
  std::lock_guard lock(mutex_);
  allowed_ = allowed;
  if (paused) paused_ = *paused;
  if (!allowed) give_up_.request_stop();
  changed_.notify_all();
}

bool StreamRunner::wants_to_work() const {
  if (stopping_ || parked_ > 0 || !allowed_) return false;
  if (asked_runs_ > done_runs_) return true;
  if (paused_ || config_.trigger.kind == Trigger::Kind::kAvailableNow) return false;
  return steady_clock::now() >= retry_;
}

void StreamRunner::loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, seconds(1), [&] { return stopping_ || wants_to_work(); });
    if (!wants_to_work()) continue;
    const uint64_t asked = asked_runs_;
    const bool once =
        config_.trigger.kind == Trigger::Kind::kAvailableNow || (paused_ && asked > done_runs_);
    working_ = true;
    give_up_ = std::stop_source();
    lock.unlock();
    std::optional<Error> error;
    try {
      work(once);
    } catch (const Error& thrown) {
      error = thrown;
    } catch (const std::exception& thrown) {
      error = Error(Code::kGenericInternalError, thrown.what());
    }
    lock.lock();
    working_ = false;
    const bool given_up = give_up_.stop_requested();
    if (error && !given_up) failed(*error);
    last_run_error_ = error;
    if (!error) error_.reset(), failures_ = 0, retry_ms_ = 0;
    done_runs_ = std::max(done_runs_, asked);
    changed_.notify_all();
  }
}

void StreamRunner::work(bool once) {
  SessionOptions options;
  options.once = once;
  options.group = group_;
  StreamSession session(config_, env_, options, events());
  std::stop_token stop;
  {
    std::lock_guard lock(mutex_);
    stop = give_up_.get_token();
  }
  session.run(stop, [&] {
    std::lock_guard lock(mutex_);
    if (once) return stopping_ || parked_ > 0;
    // A run that was asked for ends a session that goes on by itself when it has caught up; see
    // run().
    return stopping_ || parked_ > 0 || paused_ || !allowed_;
  });
}

/// Under mutex_.
void StreamRunner::failed(const Error& error) {
  error_ = error;
  ++failures_;
  const seconds wait(std::min(60, 1 << std::min(failures_ - 1, 6)));
  retry_ = steady_clock::now() + wait;
  retry_ms_ = base::now_ms() + std::chrono::duration_cast<milliseconds>(wait).count();
  log::warn("a stream failed and is tried again", {{"stream", config_.name},
                                                   {"in", fmt::format("{} s", wait.count())},
                                                   {"error", error.what()}});
}

SessionEvents StreamRunner::events() {
  SessionEvents events;
  events.committed = [this](const Progress& before, const Progress& after, const MicroBatch& batch,
                            int64_t ms) { committed(before, after, batch, ms); };
  events.opened = [this](const Progress& progress) {
    std::lock_guard lock(mutex_);
    take_over(progress);
  };
  events.caught_up = [this](const std::vector<Offsets>& reached) {
    std::lock_guard lock(mutex_);
    for (const auto& offsets : reached)
      for (const auto& [where, offset] : offsets) {
        const auto found =
            std::ranges::find(status_.partitions, where, &PartitionStatus::partition);
        if (found == status_.partitions.end()) continue;
        found->committed = std::max(found->committed, offset);
        found->end = std::max(found->end, offset);
      }
    count_lag();
  };
  events.ends = [this](const std::vector<Offsets>& ends) {
    std::lock_guard lock(mutex_);
    status_.lag = 0;
    for (const auto& offsets : ends)
      for (const auto& [where, end] : offsets) {
        auto found = std::ranges::find(status_.partitions, where, &PartitionStatus::partition);
        if (found == status_.partitions.end())
          found = status_.partitions.insert(found, PartitionStatus{where, 0, 0});
        found->end = end;
        status_.lag += std::max<int64_t>(0, end - found->committed);
      }
  };
  events.state = [this](uint64_t rows, uint64_t bytes) {
    std::lock_guard lock(mutex_);
    status_.state_rows = rows;
    status_.state_bytes = bytes;
    error_.reset();
    failures_ = 0;
    retry_ms_ = 0;
  };
  return events;
}

void StreamRunner::take_over(const Progress& progress) {
  status_.generation = progress.generation;
  status_.batch = progress.batch;
  status_.messages = progress.messages;
  status_.rows = progress.rows;
  status_.malformed = progress.malformed;
  status_.late = progress.late;
  status_.duplicates = progress.duplicates;
  status_.watermark_ms = progress.watermark_ms;
  status_.last_commit_ms = progress.committed_ms;
  for (const auto& [source, offsets] : progress.offsets)
    for (const auto& [where, offset] : offsets) {
      auto found = std::ranges::find(status_.partitions, where, &PartitionStatus::partition);
      if (found == status_.partitions.end())
        found = status_.partitions.insert(found, PartitionStatus{where, 0, -1});
      // A position behind the last message may have been seen already.
      found->committed = std::max(found->committed, offset);
      found->end = std::max(found->end, offset);
    }
  if (status_.lag >= 0) count_lag();
}

void StreamRunner::count_lag() {
  status_.lag = 0;
  for (const auto& one : status_.partitions)
    status_.lag += std::max<int64_t>(0, one.end - one.committed);
}

void StreamRunner::committed(const Progress& before, const Progress& after, const MicroBatch& batch,
                             int64_t ms) {
  std::lock_guard lock(mutex_);
  (void)before;
  take_over(after);
  status_.last_batch_ms = ms;
  status_.last_batch_messages = batch.messages();
  const auto now = steady_clock::now();
  recent_.emplace_back(now, batch.messages());
  while (!recent_.empty() && now - recent_.front().first > kRateOver) recent_.pop_front();
  changed_.notify_all();
}

StreamStatus StreamRunner::status() const {
  std::lock_guard lock(mutex_);
  StreamStatus status = status_;
  const auto now = steady_clock::now();
  uint64_t messages = 0;
  for (const auto& [when, count] : recent_)
    if (now - when <= kRateOver) messages += count;
  status.messages_per_second =
      static_cast<double>(messages) / static_cast<double>(kRateOver.count());
  if (error_) {
    status.error = error_->what();
    status.retry_ms = retry_ms_;
  }
  status.state = !allowed_                                              ? StreamState::kElsewhere
                 : error_                                               ? StreamState::kFailed
                 : working_ || asked_runs_ > done_runs_                 ? StreamState::kRunning
                 : paused_                                              ? StreamState::kPaused
                 : config_.trigger.kind == Trigger::Kind::kAvailableNow ? StreamState::kFinished
                                                                        : StreamState::kRunning;
  return status;
}

void StreamRunner::pause(bool paused) {
  const std::lock_guard setting(setting_);
  env_.progress.pause(config_.name, paused);
  std::lock_guard lock(mutex_);
  paused_ = paused;
  if (!paused) retry_ = {}, failures_ = 0;
  changed_.notify_all();
}

Offsets StreamRunner::offsets_of(const SourceConfig& source, const ResetTo& to) const {
  ConsumerOptions options;
  options.topics = source.topics;
  KafkaConsumer consumer(source.kafka, options);
  switch (to.kind) {
    case ResetTo::Kind::kEarliest:
      return consumer.beginnings();
    case ResetTo::Kind::kLatest:
      return consumer.ends();
    case ResetTo::Kind::kTime:
      return consumer.at_time(to.time_ms);
    case ResetTo::Kind::kOffsets:
      break;
  }
  Offsets offsets = consumer.beginnings();
  for (const auto& [where, offset] : to.offsets)
    if (offsets.contains(where)) offsets[where] = offset;
  return offsets;
}

void StreamRunner::reset(const ResetTo& to, bool truncate) {
  std::map<std::string, Offsets> begin;
  for (const auto& source : config_.sources) begin[source.name] = offsets_of(source, to);
  for (const auto& [where, offset] : to.offsets) {
    const bool known = std::ranges::any_of(
        begin, [&](const auto& source) { return source.second.contains(where); });
    if (!known)
      throw Error(Code::kInvalidArguments, fmt::format("The stream '{}' reads no partition {} of a "
                                                       "topic '{}'",
                                                       config_.name, where.partition, where.topic));
  }
  const Parked parked(*this);
  if (truncate) BatchWork::truncate(config_, env_);
  BatchWork::forget(env_.engine, env_.folder, config_.name);
  env_.progress.reset(config_.name, begin);
  std::lock_guard lock(mutex_);
  status_.partitions.clear();
  status_.state_rows = status_.state_bytes = 0;
  take_over(env_.progress.progress(config_.name));
  error_.reset();
  retry_ = {};
  failures_ = 0;
}

boost::json::object StreamRunner::run(const TaskContext& context) {
  const Progress before = env_.progress.progress(config_.name);
  std::map<std::string, Offsets> ends;
  for (const auto& source : config_.sources)
    ends[source.name] = offsets_of(source, {ResetTo::Kind::kLatest, 0, {}});
  uint64_t mine = 0;
  bool by_itself = false;
  {
    std::lock_guard lock(mutex_);
    if (!allowed_)
      throw Error(
          Code::kInvalidArguments,
          fmt::format("The stream '{}' is run by another server of this mesh", config_.name));
    by_itself = !paused_ && config_.trigger.kind != Trigger::Kind::kAvailableNow;
    if (!by_itself) mine = ++asked_runs_;
    retry_ = {};
    changed_.notify_all();
  }
  const auto arrived = [&] {
    for (const auto& [source, offsets] : ends)
      for (const auto& [where, end] : offsets) {
        const auto found =
            std::ranges::find(status_.partitions, where, &PartitionStatus::partition);
        if (found == status_.partitions.end() ? end > 0 : found->committed < end) return false;
      }
    return true;
  };
  std::unique_lock lock(mutex_);
  while (by_itself ? !arrived() : done_runs_ < mine) {
    changed_.wait_for(lock, milliseconds(100));
    if (by_itself && error_) throw Error(*error_);
    if (by_itself && (paused_ || !allowed_))
      throw Error(Code::kInvalidArguments,
                  fmt::format("The stream '{}' was paused meanwhile", config_.name));
    if (stopping_) throw Error(Code::kServerShuttingDown, "The server is shutting down");
    const uint64_t done = status_.messages - before.messages;
    lock.unlock();
    context.check();
    context.progress(done, 0);
    lock.lock();
  }
  if (!by_itself && last_run_error_) throw Error(*last_run_error_);
  return {{"stream", config_.name},
          {"batches", status_.batch - before.batch},
          {"messages", status_.messages - before.messages},
          {"rows", status_.rows - before.rows},
          {"malformed", status_.malformed - before.malformed}};
}

uint64_t StreamRunner::wait_for_commit(uint64_t seen, milliseconds at_most) {
  std::unique_lock lock(mutex_);
  const auto number = [&] { return commit_number(status_.generation, status_.batch); };
  changed_.wait_for(lock, at_most, [&] { return number() > seen || stopping_; });
  return number();
}

}  // namespace meesh::streams
