// The reading half of run_store.h, and what people change in it.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "pipelines/run_store.h"
#include "pipelines/run_store_rows.h"

namespace meesh::pipelines {

std::vector<RunRecord> RunStore::runs(const Query& query) {
  // A name that is bound must be in the text, so that an absent filter stays there and lets all by.
  std::string states;
  for (const RunState state : query.states) {
    states += fmt::format("{}'{}'", states.empty() ? "" : ", ", word(state));
  }
  const std::string text = fmt::format(
      "SELECT {} FROM pipelines_run WHERE (:pipeline = '' OR pipeline = :pipeline2) AND (:backfill "
      "= '' OR backfill = :backfill2) AND id LIKE :prefix AND (CAST(:scheduled AS BIGINT) = "
      "0 OR scheduled_ms = :scheduled2) AND created_ms >= :since{} ORDER BY {} LIMIT {}",
      RunRow::kColumns, states.empty() ? "" : fmt::format(" AND state IN ({})", states),
      query.oldest_first ? "created_ms, id" : "created_ms DESC, id DESC", query.limit);
  std::string prefix = query.id_prefix;
  std::erase_if(prefix, [](char c) { return c == '%' || c == '_'; });  // ids have neither
  prefix += '%';
  const long long scheduled = query.scheduled_ms, since = query.since_ms;
  std::vector<RunRecord> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<soci::row> rows =
        (sql.prepare << text, soci::use(query.pipeline), soci::use(query.pipeline),
         soci::use(query.backfill), soci::use(query.backfill), soci::use(prefix),
         soci::use(scheduled), soci::use(scheduled), soci::use(since));
    for (const soci::row& row : rows) found.push_back(run_of(row));
  });
  return found;
}

std::vector<StepRecord> RunStore::steps(const std::string& run_id) {
  std::vector<StepRecord> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<soci::row> rows =
        (sql.prepare << fmt::format("SELECT {} FROM pipelines_step WHERE run_id = :run ORDER BY "
                                    "part_of, name",
                                    StepRow::kColumns),
         soci::use(run_id));
    for (const soci::row& row : rows) found.push_back(step_of(row));
  });
  return found;
}

std::optional<int64_t> RunStore::success(soci::session& sql, const std::string& run_id,
                                         const StepRecord& step) {
  const long long attempt = step.attempt;
  long long started = 0;
  sql << "SELECT started_ms FROM pipelines_step WHERE run_id = :run AND part_of = :whole AND name "
         "= :name AND state = 'succeeded' AND attempt >= :attempt",
      soci::use(run_id), soci::use(step.part_of), soci::use(step.name), soci::use(attempt),
      soci::into(started);
  return sql.got_data() ? std::optional<int64_t>(started) : std::nullopt;
}

std::optional<int64_t> RunStore::success(const std::string& run_id, const StepRecord& step) {
  std::optional<int64_t> found;
  database_.read([&](soci::session& sql) { found = success(sql, run_id, step); });
  return found;
}

std::vector<StepRecord> RunStore::attempts(const std::string& run_id) {
  std::vector<StepRecord> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT step, attempt, state, started_ms, ended_ms, error FROM "
                        "pipelines_attempt WHERE run_id = :run ORDER BY step, attempt",
         soci::use(run_id));
    for (const soci::row& row : rows) {
      StepRecord step;
      step.name = row.get<std::string>(0);
      step.attempt = static_cast<int>(row.get<long long>(1));
      step.state = step_state(row.get<std::string>(2)).value_or(StepState::kFailed);
      step.started_ms = row.get<long long>(3);
      step.ended_ms = row.get<long long>(4);
      step.error = row.get<std::string>(5);
      found.push_back(std::move(step));
    }
  });
  return found;
}

std::vector<RunStore::StepSum> RunStore::step_sums(int64_t since_ms) {
  const long long since = since_ms;
  std::vector<StepSum> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    std::string kind, state;
    long long count = 0, ms = 0, rows = 0;
    soci::statement select =
        (sql.prepare << "SELECT kind, state, CAST(count(*) AS BIGINT), CAST(sum(CASE WHEN ended_ms "
                        "> started_ms THEN ended_ms - started_ms ELSE 0 END) AS BIGINT), "
                        "CAST(sum(CASE WHEN row_count > 0 THEN row_count ELSE 0 END) AS BIGINT) "
                        "FROM pipelines_step WHERE started_ms >= :since GROUP BY kind, state ORDER "
                        "BY kind, state",
         soci::use(since), soci::into(kind), soci::into(state), soci::into(count), soci::into(ms),
         soci::into(rows));
    select.execute();
    while (select.fetch()) {
      found.push_back({kind, step_state(state).value_or(StepState::kFailed), count, ms, rows});
    }
  });
  return found;
}

std::vector<AssetRecord> RunStore::assets() {
  std::vector<AssetRecord> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<soci::row> rows =
        sql.prepare << fmt::format("SELECT {} FROM pipelines_asset", kAssetColumns);
    for (const soci::row& row : rows) found.push_back(asset_of(row));
  });
  return found;
}

std::vector<BackfillRecord> RunStore::backfills(const std::string& pipeline) {
  std::vector<BackfillRecord> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT id, pipeline, first_key, last_key, requested_by, concurrency, "
                        "created_ms FROM pipelines_backfill WHERE (:name = '' OR pipeline = "
                        ":name2) ORDER BY created_ms DESC LIMIT 100",
         soci::use(pipeline), soci::use(pipeline));
    for (const soci::row& row : rows) {
      BackfillRecord backfill;
      backfill.id = row.get<std::string>(0);
      backfill.pipeline = row.get<std::string>(1);
      backfill.first = row.get<std::string>(2);
      backfill.last = row.get<std::string>(3);
      backfill.requested_by = row.get<std::string>(4);
      backfill.concurrency = static_cast<int>(row.get<long long>(5));
      backfill.created_ms = row.get<long long>(6);
      found.push_back(std::move(backfill));
    }
    for (BackfillRecord& backfill : found) {
      const soci::rowset<std::string> states =
          (sql.prepare << "SELECT state FROM pipelines_run WHERE backfill = :id",
           soci::use(backfill.id));
      for (const std::string& state : states) ++backfill.runs[state];
    }
  });
  return found;
}

std::map<std::string, RunStore::ScheduleState> RunStore::schedules() {
  std::map<std::string, ScheduleState> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<soci::row> rows =
        sql.prepare << "SELECT pipeline, paused, last_ms FROM pipelines_schedule";
    for (const soci::row& row : rows) {
      found[row.get<std::string>(0)] = {row.get<long long>(1) != 0, row.get<long long>(2)};
    }
  });
  return found;
}

void RunStore::pause(const std::string& pipeline, bool paused, int64_t now_ms) {
  const long long value = paused ? 1 : 0, now = now_ms;
  write([&](soci::session& sql) {
    sql << "INSERT INTO pipelines_schedule VALUES (:pipeline, :paused, :now) ON CONFLICT "
           "(pipeline) DO UPDATE SET paused = excluded.paused, last_ms = excluded.last_ms",
        soci::use(pipeline), soci::use(value), soci::use(now);
  });
}

std::vector<AlertRecord> RunStore::unsent_alerts() {
  std::vector<AlertRecord> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<soci::row> rows =
        sql.prepare << fmt::format(
            "SELECT {} FROM pipelines_alert WHERE next_ms > 0 ORDER BY next_ms LIMIT 100",
            kAlertColumns);
    for (const soci::row& row : rows) found.push_back(alert_of(row));
  });
  return found;
}

std::vector<AlertRecord> RunStore::alerts(size_t limit) {
  std::vector<AlertRecord> found;
  database_.read([&](soci::session& sql) {
    found.clear();
    const soci::rowset<soci::row> rows =
        sql.prepare << fmt::format(
            "SELECT {} FROM pipelines_alert ORDER BY created_ms DESC, id LIMIT {}", kAlertColumns,
            limit);
    for (const soci::row& row : rows) found.push_back(alert_of(row));
  });
  return found;
}

void RunStore::save(const AlertRecord& alert) {
  const long long sent = alert.sent_ms, next = alert.next_ms, attempts = alert.attempts;
  write([&](soci::session& sql) {
    sql << "UPDATE pipelines_alert SET sent_ms = :sent, next_ms = :next, attempts = :attempts, "
           "error = :error WHERE id = :id",
        soci::use(sent), soci::use(next), soci::use(attempts), soci::use(alert.error),
        soci::use(alert.id);
  });
}

size_t RunStore::forget_before(int64_t ended_ms) {
  const long long before = ended_ms;
  size_t count = 0;
  write([&](soci::session& sql) {
    std::vector<std::string> ids;
    const soci::rowset<std::string> rows =
        (sql.prepare << "SELECT id FROM pipelines_run WHERE ended_ms > 0 AND ended_ms < :before "
                        "LIMIT 1000",
         soci::use(before));
    ids.assign(rows.begin(), rows.end());
    for (const std::string& id : ids) {
      sql << "DELETE FROM pipelines_step WHERE run_id = :id", soci::use(id);
      sql << "DELETE FROM pipelines_attempt WHERE run_id = :id", soci::use(id);
      sql << "DELETE FROM pipelines_run WHERE id = :id", soci::use(id);
    }
    sql << "DELETE FROM pipelines_alert WHERE next_ms = 0 AND created_ms < :before",
        soci::use(before);
    count = ids.size();
  });
  return count;
}

}  // namespace meesh::pipelines
