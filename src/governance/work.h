// What our own rooms tell lineage of their work: whose statements theirs are, by client tags, and
// that it failed, which no statement tells.
//
//   const Work work{.job = "northwind.orders", .type = "INGESTION", .output =
//   "lake.bronze.orders"}; session.client_tags = tags_of(work, context); … catch (const Error&
//   error) { lineage.record(failure_of(work, context, started, error.what())); }
#pragma once

#include <string>
#include <vector>

#include "base/task.h"
#include "governance/job_run.h"

namespace meesh::governance {

/// A piece of work that moves data, such as the ingestion of one table.
struct Work {
  std::string job;   // stable from run to run
  std::string type;  // "INGESTION", "MODEL" …
  std::string integration = "MEESH";
  std::string output;    // the table it makes, "lake.bronze.orders"; "" = not known
  std::string input;     // address of what is behind catalogs like "$files"; "" = not said
  std::string stand_in;  // a table that only passes its rows on to `output`; "" = none
  std::string target;    // address of what its tables are made for: an export's file; "" = none
};

/// Of a step of a pipeline whose statements are written by people: the job "pipeline.step".
Work work_of_step(const std::string& pipeline, const std::string& step);

/// Of a node of dbt, "model.shop.customers": the job "shop.customers" of type MODEL.
Work work_of_dbt(const std::string& node);

/// For the sessions of its statements. It is a part of the task's run.
std::vector<std::string> tags_of(const Work& work, const TaskContext& task);
/// That it failed, or was stopped.
JobRun failure_of(const Work& work, const TaskContext& task, Time started,
                  const std::string& error);

}  // namespace meesh::governance
