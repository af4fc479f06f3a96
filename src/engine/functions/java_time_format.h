// Dates and times in format(): what Java's Formatter writes for %s and %tY, %tm, ….
#pragma once

#include <optional>
#include <string>

#include "duckdb.hpp"

namespace meesh::engine {

/// A date, time or timestamp that is formatted, as java.time's classes hold it.
struct JavaTime {
  enum class Kind { kDate, kTime, kDateTime, kZoned };
  Kind kind = Kind::kDate;
  int64_t micros = 0;  // local, since the epoch
  int nanos = 0;       // beyond the microseconds
  std::string zone;
  int64_t offset = 0;  // seconds east of UTC

  /// From what format_function() makes of such an argument; nullopt for other values.
  static std::optional<JavaTime> of(const duckdb::Value& value);
  const char* java_class() const;
  /// toString().
  std::string text() const;
  /// %t and the letter. nullopt when there is no such conversion; throws when the value does not
  /// have what it asks for.
  std::optional<std::string> converted(char letter) const;

 private:
  std::optional<std::string> of_clock(char letter) const;
  std::optional<std::string> of_date(char letter) const;
  std::optional<std::string> of_instant(char letter) const;
  std::string all(const char* letters, char between) const;
};

}  // namespace meesh::engine
