#include "streams/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"

namespace meesh::streams {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds kContinuous{100};  // a continuous batch gathers at most so long
constexpr milliseconds kOnce{10'000};     // a batch of what is there already
constexpr milliseconds kLook{2000};

/// Whether the name stands in the SQL as a word of its own, in whatever case.
bool speaks_of(std::string_view sql, std::string_view name) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const auto word = [&](size_t at) {
    const char c = at < sql.size() ? lower(sql[at]) : ' ';
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (size_t at = 0; at + name.size() <= sql.size(); ++at) {
    const bool same = std::ranges::equal(sql.substr(at, name.size()), name, {}, lower);
    if (same && (at == 0 || !word(at - 1)) && !word(at + name.size())) return true;
  }
  return false;
}

/// Which of a message's own columns the stream speaks of.
std::set<std::string> message_columns_of(const StreamConfig& config, const SourceConfig& source) {
  std::set<std::string> with;
  for (const auto& column : message_columns()) {
    const bool keyed =
        config.deduplicate && std::ranges::count(config.deduplicate->columns, column.name) > 0;
    if (keyed || source.event_time == column.name || speaks_of(config.sql, column.name))
      with.insert(column.name);
  }
  return with;
}

}  // namespace

StreamSession::StreamSession(const StreamConfig& config, const WorkEnvironment& environment,
                             SessionOptions options, SessionEvents events)
    : config_(config),
      env_(environment),
      options_(std::move(options)),
      events_(std::move(events)) {}

StreamSession::~StreamSession() {
  {
    std::lock_guard lock(mutex_);
    leaving_ = true;
  }
  changed_.notify_all();
  for (auto& reader : readers_) reader->interrupt();
  if (reader_.joinable()) reader_.join();
}

void StreamSession::open(std::stop_token stop) {
  auto query = analyse(config_);
  progress_ = env_.progress.progress(config_.name);
  std::vector<SourceShape> shapes;
  for (const auto& source : config_.sources) {
    readers_.push_back(std::make_unique<SourceReader>(source, message_columns_of(config_, source),
                                                      options_.group, *env_.buffers));
    SourceShape shape;
    shape.columns = readers_.back()->columns();
    shape.stored = readers_.back()->buffer_columns();
    if (!source.event_time.empty()) shape.event_type = readers_.back()->event_type();
    shapes.push_back(std::move(shape));
  }
  work_ = std::make_unique<BatchWork>(config_, std::move(query), std::move(shapes), env_);
  work_->open(progress_, stop);
  open_readers();
  finish_plan(stop);
  if (!options_.once) return;
  for (auto& reader : readers_)
    ends_.push_back(options_.to_ms ? reader->at_time(*options_.to_ms) : reader->ends());
}

/// Where a source begins is decided once: "latest" is not another place after a restart.
void StreamSession::open_readers() {
  const Progress before = progress_;
  for (auto& reader : readers_) {
    auto& offsets = progress_.offsets[reader->config().name];
    reader->open(offsets);
    if (offsets.empty()) offsets = reader->positions();
  }
  if (progress_.offsets != before.offsets) {
    env_.progress.advance(config_.name, before, progress_);
    progress_.version = before.version + 1;
  }
  if (events_.opened) events_.opened(progress_);
}

/// The batch that was under way when the last session ended is read again as it was.
void StreamSession::finish_plan(std::stop_token stop) {
  const auto plan = env_.progress.plan(config_.name);
  if (!plan || plan->batch != progress_.batch + 1) return;
  MicroBatch batch = empty_batch();
  batch.planned = true;
  for (size_t i = 0; i < readers_.size(); ++i) {
    const auto ends = plan->ends.find(config_.sources[i].name);
    if (ends == plan->ends.end()) continue;
    BatchLimits limits;
    limits.messages = UINT64_MAX;
    limits.bytes = UINT64_MAX;
    limits.ends = ends->second;
    do {
      if (stop.stop_requested() || leaving())
        throw Error(Code::kServerShuttingDown, "A batch that is read again was given up");
      limits.until = steady_clock::now() + milliseconds(200);
    } while (!readers_[i]->read(limits, *batch.rejected, batch.sources[i]));
    readers_[i]->go_on_from(batch.sources[i].ends);
  }
  commit(std::move(batch), stop);
}

MicroBatch StreamSession::empty_batch() const {
  MicroBatch batch;
  batch.rejected = env_.buffers->buffer(rejected_columns());
  for (const auto& reader : readers_) {
    BatchSource source;
    source.rows = env_.buffers->buffer(reader->buffer_columns());
    batch.sources.push_back(std::move(source));
  }
  return batch;
}

void StreamSession::run(std::stop_token stop, const std::function<bool()>& ended) {
  const std::stop_callback interrupt(stop, [this] { changed_.notify_all(); });
  ended_ = &ended;
  open(stop);
  if (events_.state) events_.state(work_->state_rows(), work_->state_bytes());
  reader_ = std::thread([this] { read_loop(); });
  while (!stop.stop_requested() && !ended()) {
    auto batch = next(milliseconds(200));
    if (batch) {
      const Progress before = progress_;
      commit(std::move(*batch), stop);
      // Time that has passed may have closed groups: they need not wait for the next message.
      if (work_->time_has_come(before, progress_)) {
        std::unique_lock lock(mutex_);
        const bool more = ready_.has_value();
        lock.unlock();
        if (!more) commit(empty_batch(), stop);
      }
      std::lock_guard lock(mutex_);
      busy_ = false;
      continue;
    }
    std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    if (all_read_ && !ready_) return;
  }
}

std::optional<MicroBatch> StreamSession::next(milliseconds at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [&] { return ready_ || failure_ || all_read_ || leaving_; });
  auto batch = std::exchange(ready_, std::nullopt);
  busy_ = batch.has_value();
  changed_.notify_all();
  return batch;
}

void StreamSession::commit(MicroBatch batch, std::stop_token stop) {
  const int64_t begin = base::now_ms();
  batch.number = progress_.batch + 1;
  for (auto& source : batch.sources) source.rows->finish();
  const Progress before = progress_;
  progress_ = work_->run(batch, before, stop);
  {
    std::lock_guard lock(mutex_);
    to_tell_ = progress_.offsets;
  }
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - batch.begun);
  batch_time_ = std::max(took, (batch_time_.load() * 19 + took) / 20);
  if (events_.committed) events_.committed(before, progress_, batch, base::now_ms() - begin);
  if (events_.state) events_.state(work_->state_rows(), work_->state_bytes());
}

void StreamSession::read_loop() {
  try {
    auto tick = steady_clock::now();
    while (!leaving_) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !ready_ || leaving_; });
        if (config_.trigger.kind == Trigger::Kind::kEvery && !options_.once) {
          changed_.wait_until(lock, tick, [&] { return leaving_.load(); });
          tick = std::max(tick + gather_time(), steady_clock::now());
        }
      }
      if (leaving_) return;
      look_around();
      MicroBatch batch = empty_batch();
      const bool all = read_batch(batch);
      std::lock_guard lock(mutex_);
      if (batch.messages() > 0) {
        ready_ = std::move(batch);
      } else if (all && !busy_ && events_.caught_up) {
        std::vector<Offsets> reached;
        for (const auto& source : batch.sources) reached.push_back(source.ends);
        events_.caught_up(reached);
      }
      all_read_ = all && options_.once;
      changed_.notify_all();
      if (all_read_) return;
    }
  } catch (...) {
    std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

/// From one batch to the next. What a batch takes until it is committed, and a quarter more, is
/// left of the trigger's time, so that the row that came first is in the sinks when that time is
/// over.
milliseconds StreamSession::gather_time() const {
  if (config_.trigger.kind != Trigger::Kind::kEvery) return kContinuous;
  const milliseconds every = config_.trigger.every;
  return std::max(kContinuous, every - std::min(batch_time_.load() * 5 / 4, every / 2));
}

/// True if every source came to its end.
bool StreamSession::read_batch(MicroBatch& batch) {
  BatchLimits limits;
  limits.bytes = config_.max_bytes / readers_.size();
  limits.messages = std::max<uint64_t>(1, config_.max_messages / readers_.size());
  const auto gather = options_.once ? kOnce : gather_time();
  bool all = true;
  for (size_t i = 0; i < readers_.size(); ++i) {
    limits.until = steady_clock::now() + gather / static_cast<int>(readers_.size());
    if (options_.once) limits.ends = ends_[i];
    all = readers_[i]->read(limits, *batch.rejected, batch.sources[i]) && all;
  }
  return all;
}

/// New partitions, where they end, and the group: now and then, between two batches.
void StreamSession::look_around() {
  if (!options_.once)
    for (auto& reader : readers_) reader->look_for_partitions();
  std::map<std::string, Offsets> tell;
  {
    std::lock_guard lock(mutex_);
    tell.swap(to_tell_);
  }
  for (auto& reader : readers_)
    if (const auto found = tell.find(reader->config().name); found != tell.end())
      reader->tell_group(found->second);
  if (steady_clock::now() - last_look_ < kLook) return;
  last_look_ = steady_clock::now();
  std::vector<Offsets> ends;
  for (auto& reader : readers_) ends.push_back(reader->ends());
  if (events_.ends) events_.ends(ends);
}

}  // namespace meesh::streams
