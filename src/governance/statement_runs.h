// Statements that wrote, as runs of jobs.
//
// A session says by client tags whose statements they are; see docs/lineage.md. dbt says it in the
// comment that it puts before each of its statements.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "engine/engine.h"
#include "governance/dataset_names.h"
#include "governance/job_run.h"

namespace meesh::governance {

/// Thread-safe. Asks no database.
class StatementRuns {
 public:
  /// `names` outlives it.
  explicit StatementRuns(const DatasetNames& names) : names_(names) {}

  /// Nothing if the statement is only a step towards another one that tells all.
  std::optional<JobRun> run_of(const engine::WriteEvent& event);

 private:
  /// "meesh-stand-in=TABLE": what is read into it waits here for the statement that passes it on.
  /// False if there is nothing to tell now.
  bool through_stand_in(const engine::WriteEvent& event, JobRun& run);
  /// Several statements of one run to one table add up.
  bool goes_on(const JobRun& run, const Dataset& output);

  const DatasetNames& names_;
  std::mutex mutex_;
  std::map<std::string, JobRun> stand_ins_;  // guarded
  /// The run that a job last wrote to a table in, and its first statement that did; guarded.
  std::map<std::pair<std::string, Dataset>, std::pair<std::string, std::string>> latest_;
};

/// DROP and RENAME, which change what is there without giving it values from elsewhere.
bool moves_nothing(const sql::Lineage& lineage);

}  // namespace meesh::governance
