#include "pipelines/run_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/log.h"
#include "pipelines/run_store_rows.h"

namespace meesh::pipelines {
namespace {

using std::chrono_literals::operator""ms;

/// Changes in one transaction at most: others want to write as well.
constexpr size_t kMostChanges = 500;
constexpr auto kAgain = 500ms;
/// Of so many failures in a row one is told: one a minute.
constexpr uint64_t kTold = 120;

const std::vector<meta::Migration>& migrations() {
  static const std::vector<meta::Migration> kMigrations = {
      {1,
       "runs, steps, assets, schedules, backfills and alerts",
       {"CREATE TABLE pipelines_run (id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, state TEXT NOT "
        "NULL, cause TEXT NOT NULL, requested_by TEXT NOT NULL, rerun_of TEXT NOT NULL, backfill "
        "TEXT NOT NULL, partition_key TEXT NOT NULL, parameters TEXT NOT NULL, plan TEXT NOT NULL, "
        "selected TEXT NOT NULL, scheduled_ms BIGINT NOT NULL, created_ms BIGINT NOT NULL, "
        "started_ms BIGINT NOT NULL, ended_ms BIGINT NOT NULL, cancel_requested BIGINT NOT NULL, "
        "error TEXT NOT NULL)",
        "CREATE INDEX pipelines_run_by_pipeline ON pipelines_run (pipeline, created_ms)",
        "CREATE INDEX pipelines_run_by_state ON pipelines_run (state)",
        "CREATE INDEX pipelines_run_by_backfill ON pipelines_run (backfill)",
        "CREATE TABLE pipelines_step (run_id TEXT NOT NULL, name TEXT NOT NULL, part_of TEXT NOT "
        "NULL, kind TEXT NOT NULL, state TEXT NOT NULL, attempt BIGINT NOT NULL, started_ms BIGINT "
        "NOT NULL, ended_ms BIGINT NOT NULL, row_count BIGINT NOT NULL, message TEXT NOT NULL, "
        "error TEXT NOT NULL, metadata TEXT NOT NULL, PRIMARY KEY (run_id, part_of, name))",
        "CREATE TABLE pipelines_attempt (run_id TEXT NOT NULL, step TEXT NOT NULL, attempt BIGINT "
        "NOT NULL, state TEXT NOT NULL, started_ms BIGINT NOT NULL, ended_ms BIGINT NOT NULL, "
        "error TEXT NOT NULL, PRIMARY KEY (run_id, step, attempt))",
        "CREATE TABLE pipelines_asset (name TEXT PRIMARY KEY, run_id TEXT NOT NULL, state TEXT NOT "
        "NULL, ended_ms BIGINT NOT NULL, succeeded_run TEXT NOT NULL, succeeded_ms BIGINT NOT "
        "NULL, inputs TEXT NOT NULL, tried TEXT NOT NULL, row_count BIGINT NOT NULL)",
        "CREATE TABLE pipelines_schedule (pipeline TEXT PRIMARY KEY, paused BIGINT NOT NULL, "
        "last_ms BIGINT NOT NULL)",
        "CREATE TABLE pipelines_backfill (id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, first_key "
        "TEXT NOT NULL, last_key TEXT NOT NULL, requested_by TEXT NOT NULL, concurrency BIGINT NOT "
        "NULL, created_ms BIGINT NOT NULL)",
        "CREATE TABLE pipelines_alert (id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, run_id TEXT "
        "NOT NULL, event TEXT NOT NULL, channel TEXT NOT NULL, body TEXT NOT NULL, created_ms "
        "BIGINT NOT NULL, sent_ms BIGINT NOT NULL, next_ms BIGINT NOT NULL, attempts BIGINT NOT "
        "NULL, error TEXT NOT NULL)",
        "CREATE INDEX pipelines_alert_by_next ON pipelines_alert (next_ms)"}}};
  return kMigrations;
}

}  // namespace

RunStore::RunStore(meta::Database& database) : database_(database) {
  meta::migrate(database_, "pipelines", migrations());
  thread_ = std::thread([this] { work(); });
}

void RunStore::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RunStore::write_soon(Change change, std::function<void()> after) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({std::move(change), std::move(after)});
  }
  changed_.notify_all();
}

void RunStore::write(const Change& change) { database_.write(change); }

void RunStore::work() {
  std::unique_lock lock(mutex_);
  uint64_t failures = 0;  // one after another
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const size_t count = std::min(queue_.size(), kMostChanges);
    const std::vector<Waiting> batch(queue_.begin(),
                                     queue_.begin() + static_cast<ptrdiff_t>(count));
    lock.unlock();
    bool written = false;
    try {
      database_.write([&](soci::session& sql) {
        for (const Waiting& one : batch) one.change(sql);
      });
      written = true;
    } catch (const std::exception& error) {
      if (failures++ % kTold == 0) {
        log::warn("the state of runs cannot be written now and will be tried again",
                  {{"changes", batch.size()}, {"error", error.what()}});
      }
    }
    if (written) {
      failures = 0;
      for (const Waiting& one : batch) {
        if (one.after) one.after();
      }
    }
    lock.lock();
    if (written) {
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(count));
      changed_.notify_all();
    } else if (stopping_) {
      return;  // what is lost is done again after the start
    } else {
      changed_.wait_for(lock, kAgain, [&] { return stopping_; });
    }
  }
}

void RunStore::save(soci::session& sql, const RunRecord& run) {
  const RunRow row(run);
  sql << "INSERT INTO pipelines_run VALUES (:id, :pipeline, :state, :cause, :user, :rerun, "
         ":backfill, :key, :parameters, :plan, :selected, :scheduled, :created, :started, :ended, "
         ":cancel, :error) ON CONFLICT (id) DO UPDATE SET state = excluded.state, started_ms = "
         "excluded.started_ms, ended_ms = excluded.ended_ms, cancel_requested = CASE WHEN "
         "pipelines_run.cancel_requested > excluded.cancel_requested THEN "
         "pipelines_run.cancel_requested ELSE excluded.cancel_requested END, error = "
         "excluded.error",
      soci::use(run.id), soci::use(run.pipeline), soci::use(row.state), soci::use(run.trigger),
      soci::use(run.requested_by), soci::use(run.rerun_of), soci::use(run.backfill),
      soci::use(run.partition), soci::use(row.parameters), soci::use(row.plan),
      soci::use(row.selected), soci::use(row.scheduled), soci::use(row.created),
      soci::use(row.started), soci::use(row.ended), soci::use(row.cancel), soci::use(run.error);
}

void RunStore::save(soci::session& sql, const std::string& run_id, const StepRecord& step) {
  const StepRow row(step);
  sql << "INSERT INTO pipelines_step VALUES (:run, :name, :part_of, :kind, :state, :attempt, "
         ":started, :ended, :rows, :message, :error, :metadata) ON CONFLICT (run_id, part_of, "
         "name) DO UPDATE SET state = excluded.state, attempt = excluded.attempt, started_ms = "
         "excluded.started_ms, ended_ms = excluded.ended_ms, row_count = excluded.row_count, "
         "message = excluded.message, error = excluded.error, metadata = excluded.metadata WHERE "
         "pipelines_step.state <> 'succeeded' OR excluded.state = 'succeeded' OR excluded.attempt "
         "> "
         "pipelines_step.attempt",
      soci::use(run_id), soci::use(step.name), soci::use(step.part_of), soci::use(step.kind),
      soci::use(row.state), soci::use(row.attempt), soci::use(row.started), soci::use(row.ended),
      soci::use(row.rows), soci::use(step.message), soci::use(step.error), soci::use(row.metadata);
}

void RunStore::save_attempt(soci::session& sql, const std::string& run_id, const StepRecord& step) {
  const StepRow row(step);
  sql << "INSERT INTO pipelines_attempt VALUES (:run, :step, :attempt, :state, :started, :ended, "
         ":error) ON CONFLICT (run_id, step, attempt) DO UPDATE SET state = excluded.state, "
         "started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, error = excluded.error",
      soci::use(run_id), soci::use(step.name), soci::use(row.attempt), soci::use(row.state),
      soci::use(row.started), soci::use(row.ended), soci::use(step.error);
}

void RunStore::save(soci::session& sql, const AssetRecord& asset) {
  const std::string state(word(asset.state)), inputs = json_text(asset.inputs),
                                              tried = json_text(asset.tried);
  const long long ended = asset.ended_ms, succeeded = asset.succeeded_ms;
  const long long rows = asset.rows ? static_cast<long long>(*asset.rows) : -1;
  const bool good = asset.state == StepState::kSucceeded;
  sql << fmt::format(
      "INSERT INTO pipelines_asset VALUES (:name, :run, :state, :ended, :good_run, :good_ms, "
      ":inputs, :tried, :rows) ON CONFLICT (name) DO UPDATE SET run_id = excluded.run_id, state = "
      "excluded.state, ended_ms = excluded.ended_ms, tried = excluded.tried{}",
      good ? ", succeeded_run = excluded.succeeded_run, succeeded_ms = excluded.succeeded_ms, "
             "inputs = excluded.inputs, row_count = excluded.row_count"
           : ""),
      soci::use(asset.name), soci::use(asset.run_id), soci::use(state), soci::use(ended),
      soci::use(asset.succeeded_run), soci::use(succeeded), soci::use(inputs), soci::use(tried),
      soci::use(rows);
}

void RunStore::save(soci::session& sql, const BackfillRecord& backfill) {
  const long long concurrency = backfill.concurrency, created = backfill.created_ms;
  sql << "INSERT INTO pipelines_backfill VALUES (:id, :pipeline, :first, :last, :user, "
         ":concurrency, :created)",
      soci::use(backfill.id), soci::use(backfill.pipeline), soci::use(backfill.first),
      soci::use(backfill.last), soci::use(backfill.requested_by), soci::use(concurrency),
      soci::use(created);
}

void RunStore::add(soci::session& sql, const AlertRecord& alert) {
  const std::string body = boost::json::serialize(alert.body);
  const long long created = alert.created_ms, next = alert.created_ms;
  sql << "INSERT INTO pipelines_alert VALUES (:id, :pipeline, :run, :event, :channel, :body, "
         ":created, 0, :next, 0, '') ON CONFLICT (id) DO NOTHING",
      soci::use(alert.id), soci::use(alert.pipeline), soci::use(alert.run_id),
      soci::use(alert.event), soci::use(alert.channel), soci::use(body), soci::use(created),
      soci::use(next);
}

void RunStore::save_schedule(soci::session& sql, const std::string& pipeline, int64_t last_ms) {
  const long long last = last_ms;
  sql << "INSERT INTO pipelines_schedule VALUES (:pipeline, 0, :last) ON CONFLICT (pipeline) DO "
         "UPDATE SET last_ms = excluded.last_ms",
      soci::use(pipeline), soci::use(last);
}

std::optional<RunState> RunStore::last_outcome(soci::session& sql, const std::string& pipeline) {
  std::string state;
  sql << "SELECT state FROM pipelines_run WHERE pipeline = :pipeline AND backfill = '' AND state "
         "IN ('succeeded', 'failed') ORDER BY ended_ms DESC LIMIT 1",
      soci::use(pipeline), soci::into(state);
  return sql.got_data() ? run_state(state) : std::nullopt;
}

}  // namespace meesh::pipelines
