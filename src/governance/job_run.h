// What a job did with which data: the one form in which lineage comes in, from statements, from our
// own rooms and from OpenLineage events, and in which it leaves again.
#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/lineage.h"

namespace meesh::governance {

using Time = std::chrono::system_clock::time_point;

/// Named as OpenLineage names data sets: "postgres://db:5432", "shop.public.orders". A table of the
/// mesh has no namespace and is called catalog.schema.table.
struct Dataset {
  std::string name_space, name;
  auto operator<=>(const Dataset&) const = default;

  static Dataset of(const sql::TableName& table) { return {"", table.display()}; }
  bool of_mesh() const { return name_space.empty(); }
  /// "lake.gold.rfm", "s3://bucket/path", "file:///path".
  std::string display() const {
    if (name_space == "file") return "file://" + name;
    return name_space.empty() ? name : name_space + (name.starts_with('/') ? "" : "/") + name;
  }
};

struct FieldSource {
  Dataset dataset;
  std::string field;
  std::set<sql::Influence> influences;  // none: it is not known how
};

struct FieldLineage {
  std::string field;
  std::vector<FieldSource> sources;
  std::string reason;  // why they are not known; "" = they are
};

struct InputData {
  Dataset dataset;
  std::vector<std::pair<std::string, std::string>> fields;  // name and type, as far as known
};

struct OutputData {
  Dataset dataset;
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<FieldLineage> lineage;  // none: only the data sets are known
  std::vector<FieldSource> rows;      // what decides over its rows
  std::string rows_reason;            // why that is not known
  bool replaced = false;              // nothing is left of what it held before
  std::optional<uint64_t> row_count, bytes;
};

enum class RunState { kStart, kRunning, kComplete, kAbort, kFail, kOther };
/// "START" …
std::string_view state_word(RunState state);
std::optional<RunState> state_of(std::string_view word);

/// One observation of a job. A job is known by namespace and name; what it is seen to move replaces
/// what it was seen to move before to the same output, unless it `adds`.
struct JobRun {
  std::string name_space;  // "" = the mesh's own
  std::string job;         // "northwind.orders", "shop.customers": stable from run to run
  std::string type;        // "QUERY", "MODEL", "INGESTION" …; "" = not said
  std::string integration = "MEESH";
  std::string run_id;  // a UUID; anything else is made one, the same every time; "" = a new one
  std::string parent_job, parent_run;  // of the mesh's own: the pipeline; "" = none
  RunState state = RunState::kComplete;
  Time started{}, time{};  // epoch: now
  std::vector<InputData> inputs;
  std::vector<OutputData> outputs;
  std::string sql, query_id, user, error;
  bool adds = false;  // what is not seen this time is not over: a statement somebody typed
};

}  // namespace meesh::governance
