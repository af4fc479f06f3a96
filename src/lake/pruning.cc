// Evaluating predicates on what is known about partitions and files.
#include "lake/pruning.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace meesh::lake {
namespace {

using Kind = Predicate::Kind;

/// What is known about the values of a column or partition field.
struct Range {
  bool may_null = true;
  bool may_nan = true;
  bool may_value = true;  // any that is neither null nor NaN
  Value lower, upper;     // of those; null: not known
};

bool is_nan(const Value& value) {
  const double* number = std::get_if<double>(&value);
  return number != nullptr && std::isnan(*number);
}

bool is_float(const Type& type) {
  return type.kind == TypeKind::kFloat || type.kind == TypeKind::kDouble;
}

/// Bounds that cannot be right say nothing.
void drop_senseless(Range& range) {
  if (is_nan(range.lower)) range.lower = {};
  if (is_nan(range.upper)) range.upper = {};
  if (is_null(range.lower) || is_null(range.upper)) return;
  if (range.lower.index() != range.upper.index() || range.upper < range.lower) {
    range.lower = {};
    range.upper = {};
  }
}

Value decode_bound(const Type& type, const std::optional<std::string_view>& bytes) {
  if (!bytes || type.nested()) return {};
  try {
    return from_bytes(type, *bytes);
  } catch (const Error&) {
    return {};  // not a value of this type: nothing is known
  }
}

/// Another kind of value than the bounds can only come from a broken manifest.
bool comparable(const Value& a, const Value& b) { return a.index() == b.index(); }

/// a is known, and below b (-0.0 and +0.0 are equal).
bool known_below(const Value& a, const Value& b) { return comparable(a, b) && a < b; }

bool may_equal(const Range& range, const Value& value) {
  return !known_below(range.upper, value) && !known_below(value, range.lower);
}

/// Every value equals this one.
bool always_equals(const Range& range, const Value& value) {
  return comparable(range.lower, value) && comparable(range.upper, value) && range.lower == value &&
         range.upper == value;
}

bool may_start_with(const Range& range, const std::string& prefix) {
  const auto* lower = std::get_if<std::string>(&range.lower);
  const auto* upper = std::get_if<std::string>(&range.upper);
  if (lower != nullptr && lower->compare(0, prefix.size(), prefix) > 0) return false;
  return upper == nullptr || upper->compare(0, prefix.size(), prefix) >= 0;
}

bool always_starts_with(const Range& range, const std::string& prefix) {
  const auto* lower = std::get_if<std::string>(&range.lower);
  const auto* upper = std::get_if<std::string>(&range.upper);
  return lower != nullptr && upper != nullptr && lower->starts_with(prefix) &&
         upper->starts_with(prefix);
}

bool may_compare(const Predicate& predicate, const Range& range) {
  const auto in_list = [&](auto&& test) {
    return std::ranges::any_of(predicate.values,
                               [&](const Value& value) { return !is_null(value) && test(value); });
  };
  const Value& value = predicate.values.front();
  switch (predicate.kind) {
    case Kind::kEqual:
    case Kind::kIn:
      return in_list([&](const Value& one) { return may_equal(range, one); });
    case Kind::kNotEqual:
    case Kind::kNotIn:
      return !in_list([&](const Value& one) { return always_equals(range, one); });
    case Kind::kLess:
      return !(comparable(range.lower, value) && !(range.lower < value));
    case Kind::kLessEqual:
      return !known_below(value, range.lower);
    case Kind::kGreater:
      return !(comparable(range.upper, value) && !(value < range.upper));
    case Kind::kGreaterEqual:
      return !known_below(range.upper, value);
    case Kind::kStartsWith:
    case Kind::kNotStartsWith: {
      const auto* prefix = std::get_if<std::string>(&value);
      if (prefix == nullptr) return true;
      return predicate.kind == Kind::kStartsWith ? may_start_with(range, *prefix)
                                                 : !always_starts_with(range, *prefix);
    }
    default:
      return true;
  }
}

/// Engines disagree on NaN: it may be above all numbers, or compare with nothing.
bool may_match_nan(Kind kind) {
  return kind == Kind::kGreater || kind == Kind::kGreaterEqual || kind == Kind::kNotEqual ||
         kind == Kind::kNotIn;
}

bool leaf_might_match(const Predicate& predicate, const Range& range) {
  if (predicate.kind == Kind::kIsNull) return range.may_null;
  // Not in an empty list is true even of null.
  if (predicate.kind == Kind::kNotIn && predicate.values.empty()) return true;
  if (!range.may_value && !range.may_nan) return false;
  if (predicate.kind == Kind::kNotNull) return true;
  if (predicate.values.empty()) return predicate.kind != Kind::kIn;
  if (std::ranges::any_of(predicate.values, is_nan)) return true;
  if (predicate.values.size() == 1 && is_null(predicate.values.front())) return true;
  if (range.may_nan && (predicate.or_nan || may_match_nan(predicate.kind))) return true;
  return range.may_value && may_compare(predicate, range);
}

template <typename Leaf>
bool evaluate(const Predicate& predicate, const Leaf& leaf) {
  const auto child = [&](const Predicate& one) { return evaluate(one, leaf); };
  switch (predicate.kind) {
    case Kind::kTrue:
      return true;
    case Kind::kFalse:
      return false;
    case Kind::kAnd:
      return std::ranges::all_of(predicate.children, child);
    case Kind::kOr:
      return std::ranges::any_of(predicate.children, child);
    case Kind::kNot:
      internal_error("without_not left a kNot");
    default:
      return leaf(predicate);
  }
}

Range range_of(const Value& value) {
  if (is_null(value)) return {.may_nan = false, .may_value = false};
  if (is_nan(value)) return {.may_null = false, .may_value = false};
  return {.may_null = false, .may_nan = false, .lower = value, .upper = value};
}

Range range_of(const FieldSummary& summary, const Type& type) {
  Range out;
  out.may_null = summary.contains_null;
  out.may_nan = is_float(type) && summary.contains_nan.value_or(true);
  out.lower = decode_bound(type, summary.lower);
  out.upper = decode_bound(type, summary.upper);
  // Bounds are missing where there is no value; but then there is a null or a NaN.
  out.may_value = summary.lower || summary.upper || !(out.may_null || out.may_nan);
  drop_senseless(out);
  return out;
}

Range range_of(const DataFile& file, int id, const Type& type) {
  Range out{.may_nan = is_float(type)};
  const std::optional<ColumnMetrics> column = file.metrics.find(id);
  if (!column) return out;
  out.may_null = column->nulls != 0;
  if (column->nans == 0) out.may_nan = false;
  const bool counted = column->values >= 0 && column->nulls >= 0;
  if (counted && column->nulls >= column->values) out.may_nan = out.may_value = false;
  out.lower = decode_bound(type, column->lower);
  out.upper = decode_bound(type, column->upper);
  drop_senseless(out);
  return out;
}

void collect(const Predicate& predicate, std::vector<int>& columns) {
  if (predicate.field_id != 0) columns.push_back(predicate.field_id);
  for (const Predicate& child : predicate.children) collect(child, columns);
}

/// Values of another type than their column's compare with nothing we know.
bool fits(const Predicate& predicate, const Type& type) {
  return std::ranges::all_of(predicate.values,
                             [&](const Value& value) { return value_fits(type, value); });
}

}  // namespace

bool value_fits(const Type& type, const Value& value) {
  if (is_null(value)) return true;
  switch (type.kind) {
    case TypeKind::kBoolean:
      return std::holds_alternative<bool>(value);
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return std::holds_alternative<double>(value);
    case TypeKind::kDecimal:
      return std::holds_alternative<Int128>(value);
    case TypeKind::kString:
    case TypeKind::kUuid:
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return std::holds_alternative<std::string>(value);
    default:
      return !type.nested() && std::holds_alternative<int64_t>(value);
  }
}

PartitionFilter::PartitionFilter(const Predicate& predicate, const PartitionSpec& spec,
                                 const Schema& schema)
    : projected_(project(predicate, spec, schema)) {
  for (Field& field : partition_type(spec, schema).fields) types_.push_back(std::move(field.type));
}

bool PartitionFilter::might_match(const ManifestFile& manifest) const {
  if (!manifest.may_have_live_files()) return false;
  if (!manifest.partitions || manifest.partitions->size() != types_.size()) return true;
  return evaluate(projected_, [&](const Predicate& leaf) {
    const auto place = static_cast<size_t>(leaf.field_id);
    return leaf_might_match(leaf, range_of((*manifest.partitions)[place], types_[place]));
  });
}

bool PartitionFilter::might_match(std::span<const Value> partition) const {
  if (partition.size() != types_.size()) return true;
  return evaluate(projected_, [&](const Predicate& leaf) {
    return leaf_might_match(leaf, range_of(partition[static_cast<size_t>(leaf.field_id)]));
  });
}

MetricsFilter::MetricsFilter(const Predicate& predicate, const Schema& schema)
    : predicate_(without_not(predicate)) {
  collect(predicate_, columns_);
  std::ranges::sort(columns_);
  columns_.erase(std::ranges::unique(columns_).begin(), columns_.end());
  // A column that the schema does not have is a nested one: nothing is known about it.
  for (const int id : columns_) {
    const Field* field = find_field(schema, id);
    types_.push_back(field == nullptr ? struct_type({}) : field->type);
  }
}

bool MetricsFilter::might_match(const DataFile& file) const {
  if (file.records == 0) return false;
  return evaluate(predicate_, [&](const Predicate& leaf) {
    const auto found = std::ranges::lower_bound(columns_, leaf.field_id);
    const Type& type = types_[static_cast<size_t>(found - columns_.begin())];
    return type.nested() || !fits(leaf, type) ||
           leaf_might_match(leaf, range_of(file, leaf.field_id, type));
  });
}

}  // namespace meesh::lake
