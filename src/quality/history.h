// Results of checks and profiles as they were, in the metadata database.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "meta/database.h"
#include "quality/check.h"

namespace meesh::quality {

enum class Outcome {
  kPass,
  kFail,
  kError,  // it could not be measured
};
std::string_view outcome_name(Outcome outcome);  // "pass", "fail", "error"

/// A few rows, as text; nothing for NULL.
struct Sample {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
};

struct CheckResult {
  std::string table;  // catalog.schema.table
  std::string suite, check, kind, description;
  Severity severity = Severity::kError;
  Outcome outcome = Outcome::kPass;
  std::optional<double> value;  // what was measured
  uint64_t checked = 0, failing = 0;
  bool of_rows = false;  // checked and failing mean something
  std::string expected;  // "at most 1 %"
  std::string message;   // why it did not pass
  Sample sample;         // of failing rows
  std::string run_id;
  int64_t at_ms = 0;  // since 1970
};
boost::json::value to_json(const CheckResult& result);

/// Of the newest results of every suite of a table or product.
struct Score {
  std::string name;    // catalog.schema.table, or domain/product
  std::string domain;  // of a product
  double score = 0;    // 0 … 100
  int checks = 0, passed = 0, warnings = 0, failures = 0;
  int64_t at_ms = 0;  // of the newest result
};
boost::json::value to_json(const Score& score);

class History {
 public:
  explicit History(meta::Database& database);

  /// One run of a suite: what is newest is what the last call of a suite and table kept.
  void keep(const std::vector<CheckResult>& results);
  /// Newest first. "" = any.
  std::vector<CheckResult> results(const std::string& table, const std::string& suite, int limit);
  /// Of the newest run of each suite of each table, by table, suite and check.
  std::vector<CheckResult> newest();
  /// What a check measured, newest first, in runs whose table was published: those in which it
  /// failed with severity error are left out.
  std::vector<double> values(const std::string& table, const std::string& suite,
                             const std::string& check, int limit);

  void keep_profile(const std::string& table, int64_t at_ms, const boost::json::value& profile);
  /// Newest first.
  std::vector<boost::json::value> profiles(const std::string& table, int limit);

 private:
  meta::Database& database_;
};

int64_t now_ms();

}  // namespace meesh::quality
