// A column whose values are read out of messages and records: its type, and where in them it is.
#pragma once

#include <string>
#include <vector>

#include "sql/type.h"

namespace meesh::ingest {

/// How times are written in messages.
enum class TimeFormat { kText, kSeconds, kMillis, kMicros };

struct DecodedColumn {
  std::string name;  // lower case
  sql::Type type;
  /// Where in the message: names of members from the outside in ("customer", "address", "city").
  /// Of CSV, one: the column's name in `csv_header` or its number from 0. Empty: the column's name.
  std::vector<std::string> path;
  /// Of kText: ISO 8601, or what Trino's CAST takes. A number beside kText is milliseconds.
  TimeFormat time = TimeFormat::kText;
  bool required = false;  // a message without it (absent or null) is malformed

  /// What it is kept as in a buffer: arrays, maps and rows as JSON text in a varchar.
  sql::Type stored_type() const;
};

}  // namespace meesh::ingest
