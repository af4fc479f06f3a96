// Column metrics of a data file from plain statistics: which are kept, and bounds in the form of
// manifests. Sources: the Iceberg table spec, "Column Metrics" and appendix D; the table properties
// write.metadata.metrics.* of Iceberg's configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lake/manifest.h"
#include "lake/metadata.h"
#include "lake/types.h"

namespace meesh::lake {

/// Less than 0, 0 or more than 0. Both are of one type and neither is null nor NaN; text and bytes
/// go byte by byte, -0.0 comes before +0.0.
int compare_values(const Value& a, const Value& b);

struct MetricsMode {
  enum class Kind { kNone, kCounts, kTruncate, kFull };
  Kind kind = Kind::kTruncate;
  int length = 16;  // kTruncate: code points of text, bytes of binary

  bool operator==(const MetricsMode& other) const = default;
};

/// "none", "counts", "truncate(16)", "full". Others: Error(kInvalidTableProperty).
MetricsMode parse_metrics_mode(std::string_view text);

/// The mode of a column: of its property write.metadata.metrics.column.<dotted name>, else of
/// write.metadata.metrics.default, else truncate(16) for the first columns, up to
/// write.metadata.metrics.max-inferred-column-defaults (100), and none for the others.
MetricsMode metrics_mode(const Properties& properties, const Schema& schema, int field_id);

/// What is known about a column of a file. Negative counts and null values: not known.
struct ColumnStatistics {
  int id = 0;
  int64_t size = -1;    // bytes on disk
  int64_t values = -1;  // with nulls and NaNs
  int64_t nulls = -1;
  int64_t nans = -1;
  /// No value that is neither null nor NaN lies outside. NaN itself is taken as not known.
  Value min, max;
};

/// Bounds in bytes, shortened where the mode says so; nothing where there is none: no value, NaN,
/// text that is not UTF-8, or no longer text above it.
std::optional<std::string> lower_bound_bytes(const Type& type, const Value& min,
                                             const MetricsMode& mode);
std::optional<std::string> upper_bound_bytes(const Type& type, const Value& max,
                                             const MetricsMode& mode);

/// The first `length` code points (bytes), as they are: not above any text that starts with them.
std::string truncate_text(std::string_view text, int length);
std::string truncate_binary(std::string_view bytes, int length);

/// Short text (bytes) not below this: as it is if it is short, else its start with the last code
/// point (byte) that can be raised raised by one. Nothing if none can, or if it is not UTF-8.
std::optional<std::string> truncate_text_up(std::string_view text, int length);
std::optional<std::string> truncate_binary_up(std::string_view bytes, int length);

/// Adds a column's statistics to a file's metrics, as far as the mode lets it.
void add_metrics(FileMetrics& metrics, const Type& type, const ColumnStatistics& statistics,
                 const MetricsMode& mode);

}  // namespace meesh::lake
