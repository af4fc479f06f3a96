// Events as they are kept.
#include "base/uuid.h"
#include "governance/lineage_tables.h"

namespace meesh::governance {
namespace {

constexpr const char* kKeptOfAJob = "100";

}  // namespace

void LineageTables::event(const Told& told, long long job, const std::set<long long>& datasets) {
  const long long id = base::random_id();
  const long long unsent = told.unsent ? 1 : 0;
  sql_ << "INSERT INTO lineage_event (id, time_ms, started_ms, job, run_id, state, unsent, event) "
          "VALUES (:id, :time, :started, :job, :run, :state, :unsent, :event)",
      soci::use(id, "id"), soci::use(told.time_ms, "time"), soci::use(told.started_ms, "started"),
      soci::use(job, "job"), soci::use(told.run_id, "run"), soci::use(told.state, "state"),
      soci::use(unsent, "unsent"), soci::use(told.text, "event");
  for (const long long dataset : datasets) {
    sql_ << "INSERT INTO lineage_event_dataset (event, dataset) VALUES (:event, :dataset)",
        soci::use(id, "event"), soci::use(dataset, "dataset");
  }
  const std::string old =
      std::string(
          "SELECT id FROM lineage_event WHERE job = :job AND unsent = 0 ORDER BY time_ms "
          "DESC, id LIMIT 1000000 OFFSET ") +
      kKeptOfAJob;
  sql_ << "DELETE FROM lineage_event_dataset WHERE event IN (" + old + ")", soci::use(job, "job");
  sql_ << "DELETE FROM lineage_event WHERE id IN (" + old + ")", soci::use(job, "job");
}

std::vector<std::string> LineageTables::events_of_run(const std::string& run_id) {
  std::vector<std::string> out;
  std::string text;
  soci::statement select = (sql_.prepare << "SELECT event FROM lineage_event WHERE run_id = :run "
                                            "ORDER BY time_ms, id",
                            soci::into(text), soci::use(run_id, "run"));
  select.execute();
  while (select.fetch()) out.push_back(text);
  return out;
}

void LineageTables::prune(long long most) {
  const std::string old =
      "SELECT id FROM lineage_event ORDER BY time_ms DESC, id LIMIT 1000000 "
      "OFFSET " +
      std::to_string(most);
  sql_ << "DELETE FROM lineage_event_dataset WHERE event IN (" + old + ")";
  sql_ << "DELETE FROM lineage_event WHERE id IN (" + old + ")";
  // A year of what was.
  const long long year = now_ms_ - 365LL * 24 * 3600 * 1000;
  sql_ << "DELETE FROM lineage_edge WHERE ended_ms > 0 AND ended_ms < :year",
      soci::use(year, "year");
  sql_ << "DELETE FROM lineage_dataset WHERE gone_ms > 0 AND "
          "NOT EXISTS (SELECT 1 FROM lineage_edge WHERE source = lineage_dataset.id) AND "
          "NOT EXISTS (SELECT 1 FROM lineage_edge WHERE target = lineage_dataset.id) AND "
          "NOT EXISTS (SELECT 1 FROM lineage_event_dataset WHERE dataset = lineage_dataset.id)";
  sql_ << "DELETE FROM lineage_job WHERE "
          "NOT EXISTS (SELECT 1 FROM lineage_event WHERE job = lineage_job.id) AND "
          "NOT EXISTS (SELECT 1 FROM lineage_edge WHERE job = lineage_job.id)";
}

}  // namespace meesh::governance
