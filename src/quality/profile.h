// What is in a table: how many rows, and for each column nulls, different values, bounds, spread.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/task.h"
#include "engine/engine.h"

namespace meesh::quality {

struct ProfileOptions {
  /// Percent of the rows that are looked at, 0 < sample <= 100. What the files of a lake's table
  /// tell is of all rows nevertheless.
  double sample = 100;
  /// Only what files tell, without reading rows; for tables of a lake.
  bool files_only = false;
};

struct ColumnProfile {
  std::string name, type;
  std::optional<uint64_t> nulls;
  std::optional<uint64_t> distinct;  // about
  std::optional<std::string> min, max;
  std::optional<double> mean, deviation;  // of numbers, and of the length of texts
  bool of_length = false;                 // mean and deviation are of texts' lengths
  /// Rows in equal steps from min to max, of numbers and times.
  std::vector<uint64_t> histogram;
  std::vector<std::pair<std::string, uint64_t>> top;  // most frequent values
  bool from_files = false;                            // nulls, min and max
};

struct Profile {
  std::string table;
  int64_t at_ms = 0;
  uint64_t rows = 0;
  double sample = 100;
  bool rows_from_files = false;
  std::vector<ColumnProfile> columns;
};
boost::json::value to_json(const Profile& profile);

/// `table` as catalog.schema.table.
Profile take_profile(engine::Engine& engine, const std::string& user, const std::string& table,
                     const ProfileOptions& options, const TaskContext& context);

}  // namespace meesh::quality
