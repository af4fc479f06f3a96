// Records as rows of the metadata database, there and back.
#pragma once

#include <soci/soci.h>

#include <map>
#include <string>
#include <vector>

#include "pipelines/alerts.h"
#include "pipelines/run_record.h"

namespace meesh::pipelines {

std::string json_text(const std::map<std::string, std::string>& values);
std::map<std::string, std::string> json_map(const std::string& text);

/// What a RunRecord's columns hold that are not its members as they are; outlives the statement
/// they are bound to.
struct RunRow {
  static constexpr const char* kColumns =
      "id, pipeline, state, cause, requested_by, rerun_of, backfill, partition_key, parameters, "
      "plan, selected, scheduled_ms, created_ms, started_ms, ended_ms, cancel_requested, error";
  explicit RunRow(const RunRecord& run);

  std::string state, parameters, plan, selected;
  long long scheduled, created, started, ended, cancel;
};
RunRecord run_of(const soci::row& row);  // of kColumns

struct StepRow {
  static constexpr const char* kColumns =
      "name, part_of, kind, state, attempt, started_ms, ended_ms, row_count, message, error, "
      "metadata";
  explicit StepRow(const StepRecord& step);

  std::string state, metadata;
  long long attempt, started, ended, rows;
};
StepRecord step_of(const soci::row& row);

constexpr const char* kAssetColumns =
    "name, run_id, state, ended_ms, succeeded_run, succeeded_ms, inputs, tried, row_count";
AssetRecord asset_of(const soci::row& row);

constexpr const char* kAlertColumns =
    "id, pipeline, run_id, event, channel, body, created_ms, sent_ms, next_ms, attempts, error";
AlertRecord alert_of(const soci::row& row);

}  // namespace meesh::pipelines
