#include "ingest/cdc/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <set>
#include <thread>

#include "ingest/cdc/batch_queue.h"
#include "ingest/cdc/rejected_changes.h"
#include "ingest/sync.h"

namespace meesh::ingest {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr const char* kSourceStream = "#source";  // its position is that of all tables
constexpr auto kRememberEvery = std::chrono::seconds(5);
constexpr auto kLookEvery = std::chrono::seconds(5);  // at the lag
constexpr auto kFirstPause = std::chrono::seconds(1), kLongestPause = std::chrono::seconds(30);
constexpr int kTries = 5;            // of a batch, and of a source that is away
constexpr uint64_t kFewRows = 1000;  // before the share of rejected rows means something

constexpr uint64_t kSnapshotBytes = 256u << 20;  // of a snapshot in one commit
constexpr auto kHurry = milliseconds(200);       // of batches of a run that is to end

}  // namespace

/// One run: what it has open, and where it is.
struct Capture::Run {
  Run(Capture& capture, const TaskContext& context, const Landed& landed)
      : all(capture), context(context), landed(landed) {
    for (const auto& table : capture.tables_) {
      const auto add = [&](ChangeTarget::Kind kind, std::string stream) {
        targets.push_back(std::make_unique<ChangeTarget>(capture.environment_, capture.config_,
                                                         table, kind, std::move(stream), context));
      };
      if (table.write != Write::kMerge) add(ChangeTarget::Kind::kHistory, table.name);
      if (table.write == Write::kMerge) add(ChangeTarget::Kind::kCurrent, table.name);
      if (table.write == Write::kBoth) add(ChangeTarget::Kind::kCurrent, current_of(table.name));
    }
    for (const auto& target : targets) status(*target);
  }

  void begin();
  void take_snapshots();
  void take_snapshot(const TableConfig& table, const boost::json::value& resume);
  void follow(Until until);
  void caught_up(const StreamPosition& at);
  void land(ChangeBatch& batch);
  void land_table(const TableChanges& changes, const StreamPosition& end);
  void put_aside(const OfferedChanges& rows, const std::string& portion);
  void read_source_position();
  void remember(const StreamPosition& at, bool now);
  StreamPosition least() const;
  CapturedTable& status(const ChangeTarget& target);
  void tell(const ChangeTarget& target, uint64_t rows);

  Capture& all;
  const TaskContext& context;
  const Landed& landed;
  std::vector<std::unique_ptr<ChangeTarget>> targets;
  std::optional<StreamPosition> goal;  // of a run that is to end
  uint64_t rows = 0, rejected = 0;
  steady_clock::time_point remembered{};
};

// ---------------------------------------------------------------- where it is

CapturedTable& Capture::Run::status(const ChangeTarget& target) {
  const auto table = target.landed().display();
  auto& tables = all.status_.tables;
  auto found = std::ranges::find(tables, table, &CapturedTable::table);
  if (found == tables.end()) {
    tables.push_back({target.table().name, table, "", 0, 0});
    found = tables.end() - 1;
  }
  found->position = target.has_snapshot() ? all.source_->show(target.at()) : "";
  return *found;
}

void Capture::Run::tell(const ChangeTarget& target, uint64_t count) {
  {
    std::lock_guard lock(all.mutex_);
    status(target).rows += count;
  }
  rows += count;
  if (count > 0 && landed) landed(target.table().name, count, 0);
}

StreamPosition Capture::Run::least() const {
  StreamPosition least = targets.front()->at();
  for (const auto& target : targets)
    if (target->at().at < least.at) least = target->at();
  return least;
}

/// Tables without changes are as far as the source was when this was written down.
void Capture::Run::read_source_position() {
  const auto known = all.environment_.ledger.position(all.config_.name, kSourceStream);
  if (!known.value.is_object()) return;
  const auto& object = known.value.as_object();
  StreamPosition at;
  std::set<std::string> streams;
  try {
    at.at.major = static_cast<uint64_t>(object.at("at").as_array().at(0).as_int64());
    at.at.minor = static_cast<uint64_t>(object.at("at").as_array().at(1).as_int64());
    at.log = object.at("log");
    for (const auto& stream : object.at("tables").as_array())
      streams.insert(std::string(stream.as_string()));
  } catch (const std::exception&) {
    return;  // as if nothing had been written down: tables know themselves where they are
  }
  for (const auto& target : targets) {
    if (!target->has_snapshot()) continue;
    if (streams.contains(target->stream())) {
      target->advance(at);
    } else if (target->at().at < at.at) {
      context.warn(fmt::format("{} was not followed for a while, and is taken anew",
                               target->landed().display()));
      target->forget();
    }
  }
}

void Capture::Run::remember(const StreamPosition& at, bool now) {
  if (!now && steady_clock::now() - remembered < kRememberEvery) return;
  remembered = steady_clock::now();
  boost::json::array streams;
  for (const auto& target : targets)
    if (target->has_snapshot()) streams.emplace_back(target->stream());
  all.environment_.ledger.set(
      all.config_.name, kSourceStream,
      boost::json::object{{"at", boost::json::array{static_cast<int64_t>(at.at.major),
                                                    static_cast<int64_t>(at.at.minor)}},
                          {"log", at.log},
                          {"tables", std::move(streams)}});
}

void Capture::Run::begin() {
  for (auto& target : targets) target->look();
  read_source_position();
  std::vector<StreamPosition> known;
  for (const auto& target : targets)
    if (target->has_snapshot()) known.push_back(target->at());
  all.source_->begin(all.tables_, known);
}

// ---------------------------------------------------------------- snapshots

void Capture::Run::take_snapshots() {
  for (const auto& table : all.tables_) {
    while (true) {
      const auto open = std::ranges::find_if(targets, [&](const auto& target) {
        return target->table().name == table.name && !target->has_snapshot();
      });
      if (open == targets.end()) break;
      take_snapshot(table, (*open)->resume());
    }
  }
}

/// For all targets of the table that are at the same place.
void Capture::Run::take_snapshot(const TableConfig& table, const boost::json::value& resume) {
  all.set_phase("snapshot of " + table.name);
  std::vector<ChangeTarget*> taking;
  for (const auto& target : targets)
    if (target->table().name == table.name && !target->has_snapshot() && target->resume() == resume)
      taking.push_back(target.get());
  const auto reader = all.source_->snapshot(table, resume);
  context.info(fmt::format("{}: snapshot at {}{}", table.name,
                           all.source_->show(reader->position()),
                           resume.is_null() ? "" : ", going on where it was"));
  const auto total = reader->estimated_rows();
  uint64_t read = 0;
  bool first = true;
  BatchLimits limits;
  limits.changes = all.environment_.snapshot_rows;
  limits.bytes = kSnapshotBytes;
  while (auto portion = reader->next(limits, context.stop)) {
    context.check();
    read += portion->rows.rows->rows();
    {
      const OfferedChanges offered(*all.environment_.buffers, portion->rows);
      if (portion->rows.poison > 0)
        put_aside(offered, fmt::format("{}-{}", boost::json::serialize(resume), read));
      for (auto* target : taking)
        tell(*target, target->land_snapshot(offered, *portion, reader->position(), first));
    }
    first = false;
    context.progress(read, total > 0 ? static_cast<uint64_t>(total) : 0);
  }
}

// ---------------------------------------------------------------- changes

void Capture::Run::follow(Until until) {
  all.set_phase("following");
  const auto from = least();
  if (goal && from.at >= goal->at) return caught_up(from);
  all.source_->follow(from);
  context.info(fmt::format("following from {}", all.source_->show(from)));
  BatchLimits limits;
  if (until == Until::kCaughtUp) limits.time = kHurry;
  BatchQueue queue(*all.source_, limits);
  while (true) {
    context.check();
    auto batch = queue.take(milliseconds(500), context.stop);
    all.look_at_lag(false);
    if (!goal) all.set_caught_up(!batch || batch->changes == 0);
    if (!batch) continue;
    land(*batch);
    if (goal && batch->end.at >= goal->at) return caught_up(batch->end);
  }
}

void Capture::Run::caught_up(const StreamPosition& at) {
  remember(at, true);
  all.look_at_lag(true);
  std::lock_guard lock(all.mutex_);
  all.status_.caught_up = true;
}

void Capture::Run::land(ChangeBatch& batch) {
  for (const auto& changes : batch.tables) {
    for (int tries = 1;; ++tries) {
      try {
        land_table(changes, batch.end);
        break;
      } catch (const Error& error) {
        // Somebody else changed the table at the same time: once more, on its new state.
        const bool conflict =
            error.code() == Code::kTransactionConflict || error.code() == Code::kIcebergCommitError;
        if (!conflict || tries == kTries) throw;
        for (auto& target : targets)
          if (target->table().name == changes.shape->table) target->look();
      }
    }
  }
  for (auto& target : targets) target->advance(batch.end);
  remember(batch.end, false);
  all.source_->confirm(batch.end);
  context.progress(rows, 0);
}

void Capture::Run::land_table(const TableChanges& changes, const StreamPosition& end) {
  const OfferedChanges offered(*all.environment_.buffers, changes);
  if (changes.poison > 0) put_aside(offered, "");
  for (auto& target : targets)
    if (target->table().name == changes.shape->table)
      tell(*target, target->land_changes(offered, end));
}

/// Rows that make no sense: put aside, counted or the end, as the source's file says.
void Capture::Run::put_aside(const OfferedChanges& offered, const std::string& portion) {
  const auto& changes = offered.changes();
  const auto& config = all.config_;
  const auto table = std::ranges::find(all.tables_, changes.shape->table, &TableConfig::name);
  if (config.malformed == Malformed::kFail) {
    throw Error(Code::kInvalidCastArgument,
                fmt::format("{}: {} rows have values that the lake cannot hold",
                            changes.shape->origin, changes.poison))
        .with_hint(
            fmt::format("malformed: quarantine in {} puts them aside", config.file.string()));
  }
  rejected += changes.poison;
  if (rows + rejected >= kFewRows &&
      static_cast<double>(rejected) > config.max_malformed * static_cast<double>(rows + rejected)) {
    throw Error(
        Code::kInvalidCastArgument,
        fmt::format("{}: {} rows of {} have values that the lake cannot hold, more than {}%",
                    changes.shape->origin, rejected, rows + rejected, config.max_malformed * 100))
        .with_hint(fmt::format("max_malformed in {} says how many may be put aside",
                               config.file.string()));
  }
  if (config.malformed == Malformed::kQuarantine)
    RejectedChanges(all.environment_, config, *table, context)
        .land(offered, all.source_->show({changes.last, {}}), portion);
  context.warn(fmt::format("{}: {} rows have values that the lake cannot hold",
                           changes.shape->origin, changes.poison));
  if (landed) landed(table->name, 0, changes.poison);
}

// ---------------------------------------------------------------- the whole

Capture::Capture(CaptureEnvironment environment, SourceConfig config,
                 std::shared_ptr<ChangeSource> source, std::vector<TableConfig> tables)
    : environment_(std::move(environment)),
      config_(std::move(config)),
      source_(std::move(source)),
      tables_(std::move(tables)) {}
Capture::~Capture() = default;

void Capture::set_caught_up(bool caught_up) {
  std::lock_guard lock(mutex_);
  status_.caught_up = caught_up;
}

void Capture::set_phase(std::string phase) {
  std::lock_guard lock(mutex_);
  status_.phase = std::move(phase);
}

std::vector<std::string> Capture::check() { return source_->check(tables_); }

void Capture::look_at_lag(bool now) {
  if (!now && steady_clock::now() - looked_at_ < kLookEvery) return;
  looked_at_ = steady_clock::now();
  ChangeLag lag;
  try {
    lag = source_->lag();
  } catch (const Error&) {
    return;  // who follows notices too, and says it better
  }
  std::lock_guard lock(mutex_);
  for (const auto& warning : lag.warnings)
    if (std::ranges::count(status_.warnings, warning) == 0)
      log::warn(warning, {{"source", config_.name}});
  status_.lag_bytes = lag.bytes;
  status_.lag_seconds = lag.seconds;
  status_.warnings = std::move(lag.warnings);
}

CaptureStatus Capture::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

void Capture::resync(Ledger& ledger, const SourceConfig& config, const std::string& stream) {
  for (const auto& [known, position] : ledger.positions(config.name))
    if (stream.empty() || known == stream || known == current_of(stream))
      ledger.set(config.name, known, nullptr);
}

void Capture::run(Until until, const TaskContext& context, const Landed& landed) {
  if (tables_.empty()) return;
  {
    std::lock_guard lock(mutex_);
    status_ = {};
    status_.running = true;
  }
  const std::shared_ptr<void> ended(nullptr, [this](void*) {
    std::lock_guard lock(mutex_);
    status_.running = false;
  });
  Run run(*this, context, landed);
  bool checked = false;
  auto pause = std::chrono::duration_cast<milliseconds>(kFirstPause);
  for (int failures = 0;;) {
    const auto began = steady_clock::now();
    try {
      if (!checked)
        for (const auto& note : check()) context.warn(note);
      checked = true;
      run.begin();
      run.take_snapshots();
      if (until == Until::kCaughtUp && !run.goal) run.goal = source_->end();
      run.follow(until);
      return;
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      if (steady_clock::now() - began > kLongestPause) failures = 0;
      if (++failures >= kTries && until == Until::kCaughtUp) throw;
      context.warn(error.what());
      set_phase("waiting: " + error.message());
    }
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, context.stop, pause, [] { return false; });
    context.check();
    pause = std::min(pause * 2, std::chrono::duration_cast<milliseconds>(kLongestPause));
  }
}

}  // namespace meesh::ingest
