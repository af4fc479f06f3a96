// Lineage of the mesh: which data came from which, by table and by column, as statements,
// ingestion, dbt and OpenLineage events of others have shown it.
//
//   governance::LineageStore lineage(database, options);
//   engine.observe(lineage);
//   lineage.record({.job = "northwind.orders", .inputs = …, .outputs = …});
//   lineage.graph({.of = {"", "lake.gold.rfm"}, .up = 3});
//
// What is written is in the metadata database when the call returns; events for others wait there
// too, until they are taken, so that none is lost with the process.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "governance/dataset_names.h"
#include "governance/job_run.h"
#include "governance/statement_runs.h"
#include "meta/database.h"

namespace meesh::governance {

struct LineageOptions {
  std::string url;  // where events are POSTed to; "" = nowhere
  std::string api_key;
  std::string name_space;  // of the mesh's jobs
  Known known;             // what data sets of others are tables of ours
};

struct GraphQuery {
  Dataset of;
  std::string column;      // "": of whole tables
  int up = 0, down = 0;    // how far; 0 = not at all
  std::optional<Time> at;  // as it was then
};

struct EventQuery {
  std::optional<Dataset> of;
  std::string job, run_id;  // "" = any
  size_t limit = 100;
};

class LineageStore : public engine::StatementObserver {
 public:
  /// Makes its tables. Sends events from a thread of its own if there is a URL.
  LineageStore(meta::Database& database, LineageOptions options);
  ~LineageStore() override;

  // Statements, whose sessions may say by tags what job they are part of: governance/work.h.
  void committing(soci::session& sql, const engine::WriteEvent& event) override;
  void written(const engine::WriteEvent& event) override;

  /// What a room of our own did, or failed to do. Never throws: what cannot be kept is logged.
  void record(const JobRun& run) noexcept;
  /// The same within a transaction of the metadata database, of a run that resolved() gave; throws
  /// what the database throws.
  void record(soci::session& sql, const JobRun& run);
  /// With tables of the mesh under their own names. May read the metadata database: not to be
  /// called within a transaction.
  JobRun resolved(JobRun run) const;

  /// Takes an OpenLineage event. Throws EventError.
  void accept(const boost::json::value& event);

  /// See docs/lineage.md. Throws TABLE_NOT_FOUND if lineage has never heard of it,
  /// COLUMN_NOT_FOUND.
  boost::json::value graph(const GraphQuery& query);
  /// OpenLineage events, newest first.
  boost::json::value events(const EventQuery& query);
  /// Of a name as people write it: catalog.schema.table, or an OpenLineage URI.
  Dataset dataset_of(std::string_view written) const;

  /// The event that tells others of the run.
  boost::json::object event_of(const JobRun& run) const;

 private:
  struct Sender;
  void apply(soci::session& sql, const engine::WriteEvent& event);
  /// What the run's events say together with those before.
  JobRun with_earlier(const JobRun& run);

  meta::Database& database_;
  const LineageOptions options_;
  const DatasetNames names_;
  StatementRuns statements_{names_};
  std::unique_ptr<Sender> sender_;
};

}  // namespace meesh::governance
