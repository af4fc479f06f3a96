#include "objects/local/background.h"

#include "base/log.h"
#include "objects/crash_points.h"
#include "objects/local/lifecycle_run.h"
#include "objects/local/versions.h"

namespace meesh::objects {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kGarbagePeriod = 1s;
/// Not at once: a start has other things to do, and an operator who just noticed a wrong lifecycle
/// has the time to stop it.
constexpr auto kFirstRun = std::chrono::minutes(3);
constexpr auto kRunPeriod = std::chrono::hours(1);
constexpr auto kCompletionsKept = std::chrono::hours(24);
constexpr size_t kGarbageBatch = 1000;

uint64_t garbage_count(Core& core) {
  Index::Reading reading = core.index.read();
  sqlite::Query query(reading.db(), "SELECT count(*) FROM garbage");
  return query.next() ? static_cast<uint64_t>(query.number(0)) : 0;
}

}  // namespace

Background::Background(Core& core) : core_(core), thread_([this] { work(); }) {}

Background::~Background() {
  stop_.request();
  thread_.join();
}

std::chrono::milliseconds time_to_lifecycle(Time start, std::optional<Time> last) {
  // A last run in the future: the clock was set back.
  if (!last || *last > start) return kFirstRun;
  return std::max<std::chrono::milliseconds>(kFirstRun, *last + kRunPeriod - start);
}

void Background::work() {
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> due;
  while (!stop_.sleep_for(kGarbagePeriod)) {
    try {
      if (!due) due = Clock::now() + time_to_lifecycle(now(), last_run());
      collect_garbage(core_, going_on());
      if (Clock::now() < *due) continue;
      due = Clock::now() + kRunPeriod;
      work_hourly();
    } catch (const std::exception& error) {
      log::warn("housekeeping of the object store failed and will be tried again",
                {{"error", error.what()}});
    }
  }
}

Progress Background::going_on() {
  return [this](uint64_t, uint64_t) { return !stop_.requested(); };
}

std::optional<Time> Background::last_run() {
  Index::Reading reading = core_.index.read();
  sqlite::Query query(reading.db(), "SELECT value FROM meta WHERE name = 'lifecycle'");
  if (!query.next()) return std::nullopt;
  return Time(std::chrono::milliseconds(query.number(0)));
}

void Background::work_hourly() {
  forget_completions(core_, now());
  const LifecycleReport report = run_lifecycle(core_, now(), going_on());
  for (const std::string& problem : report.problems) {
    log::warn("a lifecycle document cannot be followed", {{"problem", problem}});
  }
  if (!report.complete) return;  // the next opening begins anew
  core_.index.change([](sqlite::Connection& db) {
    const int64_t ended = now().time_since_epoch().count();
    db.run("INSERT INTO meta VALUES ('lifecycle', ?) ON CONFLICT (name) DO UPDATE SET value = ?",
           ended, ended);
  });
}

size_t collect_garbage(Core& core, const Progress& progress) {
  const std::lock_guard removing(core.removing);
  size_t removed = 0;
  uint64_t seen = 0;
  const uint64_t total = progress ? garbage_count(core) : 0;
  uint64_t last = 0;
  while (true) {
    std::vector<uint64_t> found;
    {
      Index::Reading reading = core.index.read();
      for (sqlite::Query query(reading.db(),
                               "SELECT id FROM garbage WHERE id > ? ORDER BY id LIMIT ?", last,
                               kGarbageBatch);
           query.next();) {
        found.push_back(static_cast<uint64_t>(query.number(0)));
      }
    }
    if (found.empty() || (progress && !progress(seen, total))) return removed;
    last = found.back();
    seen += found.size();
    std::erase_if(found, [&](uint64_t id) { return core.files.pins.pinned(id); });
    crash_point("garbage.before_unlink");
    // Their rows go when no power cut can bring the files back: nobody would know them then.
    core.files.unlink_all(found);
    crash_point("garbage.after_unlink");
    if (found.empty()) continue;
    core.index.change([&](sqlite::Connection& db) {
      for (const uint64_t id : found) db.run("DELETE FROM garbage WHERE id = ?", id);
    });
    removed += found.size();
  }
}

void forget_completions(Core& core, Time time) {
  core.index.change([&](sqlite::Connection& db) {
    db.run("DELETE FROM completed WHERE at < ?",
           (time - kCompletionsKept).time_since_epoch().count());
  });
}

}  // namespace meesh::objects
