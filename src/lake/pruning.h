// Which files of a table may hold rows that a predicate selects. Source: the Iceberg table spec,
// "Scan Planning" (inclusive projection) and "Column Metrics".
//
// Everything here may say "might match" of a file without a matching row, never "cannot match" of
// one with such a row, whichever engine's rules for NaN apply.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lake/manifest.h"
#include "lake/metadata.h"
#include "lake/types.h"

namespace meesh::lake {

/// A predicate over columns, with SQL's logic of three values: a row is selected if it is true.
struct Predicate {
  enum class Kind {
    kTrue,
    kFalse,
    kAnd,
    kOr,
    kNot,
    kIsNull,
    kNotNull,
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kIn,
    kNotIn,
    kStartsWith,
    kNotStartsWith,
  };

  Kind kind = Kind::kTrue;
  int field_id = 0;                 // of a column, nested in structs at most
  std::vector<Value> values;        // one, or IN's; in the form of the column's type
  std::vector<Predicate> children;  // kAnd, kOr: any number; kNot: one
  /// Set by without_not: "not x >= 5" became "x < 5", but is also true of NaN where that compares
  /// with nothing.
  bool or_nan = false;

  static Predicate all_of(std::vector<Predicate> children);
  static Predicate any_of(std::vector<Predicate> children);
  static Predicate negated(Predicate child);
  static Predicate compare(Kind kind, int field_id, Value value);
  static Predicate in(int field_id, std::vector<Value> values);
  static Predicate is_null(int field_id);
  static Predicate not_null(int field_id);
  static Predicate starts_with(int field_id, std::string prefix);
};

/// Whether a value is null or in the form of the type's values.
bool value_fits(const Type& type, const Value& value);

/// The same without kNot.
Predicate without_not(const Predicate& predicate);

/// The inclusive projection of a predicate on a partition spec: a predicate over the spec's fields,
/// where field_id is a field's place in the spec, from 0. Rows that the predicate selects are in
/// partitions that it selects.
Predicate project(const Predicate& predicate, const PartitionSpec& spec, const Schema& schema);

/// Whether manifests and files of one partition spec might hold selected rows.
class PartitionFilter {
 public:
  PartitionFilter(const Predicate& predicate, const PartitionSpec& spec, const Schema& schema);

  /// By the manifest list's summaries alone.
  bool might_match(const ManifestFile& manifest) const;
  /// A file's partition tuple.
  bool might_match(std::span<const Value> partition) const;

 private:
  Predicate projected_;
  std::vector<Type> types_;
};

/// Whether a file might hold selected rows, by its metrics.
class MetricsFilter {
 public:
  MetricsFilter(const Predicate& predicate, const Schema& schema);

  bool might_match(const DataFile& file) const;
  /// The columns it looks at, for ManifestReadOptions.
  const std::vector<int>& columns() const { return columns_; }

 private:
  Predicate predicate_;
  std::vector<int> columns_;
  std::vector<Type> types_;  // of columns_
};

}  // namespace meesh::lake
