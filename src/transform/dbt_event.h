// What dbt_driver.py tells while a command runs, a JSON object a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"

namespace meesh::transform {

/// A node's turn in a command.
struct DbtNodeRun {
  std::string id, resource_type, name;  // "model.shop.orders", "model", "orders"
  std::string relation;  // catalog.schema.table in lower case; "" for what makes none
  /// "started", then "success", "error", "skipped", "pass", "fail", "warn", "runtime error" …
  std::string status;
  std::string message;  // dbt's own words: "CREATE TABLE (5 rows)", the database's error
  double seconds = 0;
  std::optional<uint64_t> rows;      // written
  std::optional<uint64_t> failures;  // rows that a test found

  bool started() const { return status == "started"; }
  bool failed() const { return status == "error" || status == "fail" || status == "runtime error"; }
};

struct DbtEvent {
  enum class Kind { kPlan, kNode, kLine, kDone };
  Kind kind = Kind::kLine;
  uint64_t total = 0;                    // kPlan: nodes that will have their turn
  DbtNodeRun node;                       // kNode
  log::Level level = log::Level::kInfo;  // kLine
  std::string text;                      // kLine; kDone: why it could not be done, "" if it could
  bool good = false;                     // kDone
  std::string invocation;                // kDone
  double seconds = 0;                    // kDone
};

/// Nothing if the line is no such event.
std::optional<DbtEvent> read_dbt_event(std::string_view line);

}  // namespace meesh::transform
