#include "lake/pruning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "lake/bounds.h"

namespace meesh::lake {
namespace {

using Kind = Predicate::Kind;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

enum Column : int { kInt = 1, kLong, kText, kDouble, kDate, kTime, kDecimal, kBytes, kFloat };
constexpr int kColumns = 9;

Schema schema(bool promoted = false) {
  const auto plain = [](TypeKind kind) { return primitive_type(kind); };
  Schema out;
  out.fields = {{kInt, "i", plain(promoted ? TypeKind::kLong : TypeKind::kInt), false, ""},
                {kLong, "l", plain(TypeKind::kLong), false, ""},
                {kText, "s", plain(TypeKind::kString), false, ""},
                {kDouble, "d", plain(TypeKind::kDouble), false, ""},
                {kDate, "day", plain(TypeKind::kDate), false, ""},
                {kTime, "at", plain(TypeKind::kTimestamp), false, ""},
                {kDecimal, "n", decimal_type(promoted ? 20 : 9, 2), false, ""},
                {kBytes, "b", plain(TypeKind::kBinary), false, ""},
                {kFloat, "f", plain(promoted ? TypeKind::kDouble : TypeKind::kFloat), false, ""}};
  return out;
}

const Type& type_of(const Schema& schema, int id) { return find_field(schema, id)->type; }

std::string cut(std::string_view prefix) { return std::string(prefix); }

PartitionSpec spec_of(int column, std::string_view transform) {
  return {.id = 1, .fields = {{column, 1000, "p", parse_transform(transform)}}};
}

DataFile file_of(int id, const Type& type, Value min, Value max, int64_t nulls = 0,
                 int64_t nans = 0) {
  DataFile out;
  out.records = 10;
  add_metrics(out.metrics, type,
              {.id = id, .values = 10, .nulls = nulls, .nans = nans, .min = min, .max = max}, {});
  return out;
}

bool file_matches(const Predicate& predicate, const DataFile& file) {
  return MetricsFilter(predicate, schema()).might_match(file);
}

bool tuple_matches(const Predicate& predicate, int column, std::string_view transform,
                   Value value) {
  const PartitionFilter filter(predicate, spec_of(column, transform), schema());
  return filter.might_match(std::span(&value, 1));
}

Predicate is(Kind kind, int column, Value value) {
  return Predicate::compare(kind, column, std::move(value));
}

// --- It prunes -----------------------------------------------------------------------------------

TEST(MetricsPruning, Comparisons) {
  const DataFile file = file_of(kLong, type_of(schema(), kLong), int64_t{10}, int64_t{20});
  const auto matches = [&](Kind kind, int64_t value) {
    return file_matches(is(kind, kLong, value), file);
  };
  EXPECT_FALSE(matches(Kind::kEqual, 9));
  EXPECT_TRUE(matches(Kind::kEqual, 10));
  EXPECT_TRUE(matches(Kind::kEqual, 20));
  EXPECT_FALSE(matches(Kind::kEqual, 21));
  EXPECT_FALSE(matches(Kind::kLess, 10));
  EXPECT_TRUE(matches(Kind::kLess, 11));
  EXPECT_FALSE(matches(Kind::kLessEqual, 9));
  EXPECT_TRUE(matches(Kind::kLessEqual, 10));
  EXPECT_FALSE(matches(Kind::kGreater, 20));
  EXPECT_TRUE(matches(Kind::kGreater, 19));
  EXPECT_FALSE(matches(Kind::kGreaterEqual, 21));
  EXPECT_TRUE(matches(Kind::kGreaterEqual, 20));
  EXPECT_TRUE(matches(Kind::kNotEqual, 10));
  EXPECT_FALSE(file_matches(Predicate::in(kLong, {int64_t{1}, int64_t{30}}), file));
  EXPECT_TRUE(file_matches(Predicate::in(kLong, {int64_t{1}, int64_t{15}}), file));
  EXPECT_FALSE(file_matches(Predicate::in(kLong, {}), file));
  EXPECT_FALSE(file_matches(Predicate::is_null(kLong), file));
  EXPECT_TRUE(file_matches(Predicate::not_null(kLong), file));
  EXPECT_TRUE(file_matches(is(Kind::kEqual, kInt, int64_t{9}), file)) << "no metrics";
  EXPECT_TRUE(file_matches(is(Kind::kEqual, kLong, 9.0), file)) << "another type's value";
  const DataFile one = file_of(kLong, type_of(schema(), kLong), int64_t{7}, int64_t{7}, 3);
  EXPECT_FALSE(file_matches(is(Kind::kNotEqual, kLong, int64_t{7}), one));
  EXPECT_FALSE(file_matches(Predicate::negated(is(Kind::kEqual, kLong, int64_t{7})), one));
  EXPECT_TRUE(file_matches(Predicate::is_null(kLong), one));
}

TEST(MetricsPruning, Trees) {
  const DataFile file = file_of(kLong, type_of(schema(), kLong), int64_t{10}, int64_t{20});
  const Predicate no = is(Kind::kLess, kLong, int64_t{10});
  const Predicate maybe = is(Kind::kLess, kLong, int64_t{15});
  EXPECT_FALSE(file_matches(Predicate::all_of({maybe, no}), file));
  EXPECT_TRUE(file_matches(Predicate::any_of({maybe, no}), file));
  EXPECT_FALSE(file_matches(Predicate::any_of({no, no}), file));
  EXPECT_TRUE(file_matches(Predicate::negated(no), file));
  EXPECT_FALSE(
      file_matches(Predicate::negated(Predicate::any_of({maybe, Predicate::negated(no)})), file));
  EXPECT_TRUE(file_matches({.kind = Kind::kTrue}, file));
  EXPECT_FALSE(file_matches({.kind = Kind::kFalse}, file));
}

TEST(MetricsPruning, NothingButNulls) {
  const DataFile nulls = file_of(kLong, type_of(schema(), kLong), {}, {}, 10);
  EXPECT_FALSE(file_matches(Predicate::not_null(kLong), nulls));
  EXPECT_FALSE(file_matches(is(Kind::kNotEqual, kLong, int64_t{1}), nulls));
  EXPECT_TRUE(file_matches(Predicate::is_null(kLong), nulls));
  DataFile empty;
  EXPECT_FALSE(file_matches(Predicate::is_null(kLong), empty)) << "a file without rows";
}

TEST(MetricsPruning, PrefixesOfCutText) {
  const Type& text = type_of(schema(), kText);
  const DataFile file = file_of(kText, text, std::string("mango and much more of it"),
                                std::string("melon and much more of it"));
  EXPECT_TRUE(file_matches(Predicate::starts_with(kText, "m"), file));
  EXPECT_TRUE(file_matches(Predicate::starts_with(kText, "mango and much more"), file));
  EXPECT_TRUE(file_matches(Predicate::starts_with(kText, "melon and much more of it all"), file));
  EXPECT_FALSE(file_matches(Predicate::starts_with(kText, "ma and"), file));
  EXPECT_FALSE(file_matches(Predicate::starts_with(kText, "n"), file));
  EXPECT_FALSE(file_matches(Predicate::negated(Predicate::starts_with(kText, "m")), file));
  EXPECT_TRUE(file_matches(Predicate::negated(Predicate::starts_with(kText, "ma")), file));
  EXPECT_TRUE(
      file_matches(is(Kind::kEqual, kText, std::string("melon and much more of it")), file));
}

// NaN is above everything for DuckDB: bounds say nothing about it.
TEST(MetricsPruning, NanIsOutsideTheBounds) {
  const Type& number = type_of(schema(), kDouble);
  const DataFile with = file_of(kDouble, number, 1.0, 2.0, 0, 1);
  const DataFile without = file_of(kDouble, number, 1.0, 2.0, 0, 0);
  const DataFile unknown = file_of(kDouble, number, 1.0, 2.0, 0, -1);
  EXPECT_TRUE(file_matches(is(Kind::kGreater, kDouble, 5.0), with));
  EXPECT_TRUE(file_matches(is(Kind::kGreater, kDouble, 5.0), unknown));
  EXPECT_FALSE(file_matches(is(Kind::kGreater, kDouble, 5.0), without));
  EXPECT_FALSE(file_matches(is(Kind::kLess, kDouble, 0.5), with));
  EXPECT_TRUE(file_matches(is(Kind::kEqual, kDouble, kNan), with));
  EXPECT_TRUE(file_matches(is(Kind::kLess, kDouble, kNan), without));
  DataFile broken = without;
  broken.metrics.set({.id = kDouble,
                      .values = 10,
                      .nulls = 0,
                      .nans = 0,
                      .lower = to_bytes(number, kNan),
                      .upper = to_bytes(number, kNan)});
  EXPECT_TRUE(file_matches(is(Kind::kEqual, kDouble, 1.0), broken));
}

// Where NaN compares with nothing, "not x >= 5" is true of it, unlike "x < 5".
TEST(MetricsPruning, NanBelongsToNegatedComparisons) {
  const DataFile file = file_of(kDouble, type_of(schema(), kDouble), 7.0, 8.0, 0, 1);
  EXPECT_FALSE(file_matches(is(Kind::kLess, kDouble, 5.0), file));
  EXPECT_TRUE(file_matches(Predicate::negated(is(Kind::kGreaterEqual, kDouble, 5.0)), file));
}

TEST(MetricsPruning, ZerosAreEqual) {
  DataFile file;
  file.records = 1;
  const std::string minus = to_bytes(type_of(schema(), kDouble), -0.0);
  file.metrics.set(
      {.id = kDouble, .values = 1, .nulls = 0, .nans = 0, .lower = minus, .upper = minus});
  EXPECT_TRUE(file_matches(is(Kind::kEqual, kDouble, 0.0), file));
  EXPECT_TRUE(file_matches(is(Kind::kGreaterEqual, kDouble, 0.0), file));
}

TEST(MetricsPruning, SenselessBoundsSayNothing) {
  DataFile file;
  file.records = 1;
  file.metrics.set({.id = kLong, .values = 1, .nulls = 0, .lower = "abc", .upper = "abc"});
  EXPECT_TRUE(file_matches(is(Kind::kEqual, kLong, int64_t{5}), file));
  const Type& number = type_of(schema(), kLong);
  file.metrics.set({.id = kLong,
                    .values = 1,
                    .nulls = 0,
                    .lower = to_bytes(number, int64_t{9}),
                    .upper = to_bytes(number, int64_t{1})});
  EXPECT_TRUE(file_matches(is(Kind::kEqual, kLong, int64_t{50}), file));
}

TEST(PartitionPruning, EachTransform) {
  const auto less = [](int column, Value value) { return is(Kind::kLess, column, value); };
  const auto equal = [](int column, Value value) { return is(Kind::kEqual, column, value); };
  EXPECT_FALSE(tuple_matches(equal(kLong, int64_t{1}), kLong, "identity", int64_t{2}));
  EXPECT_TRUE(tuple_matches(equal(kLong, int64_t{1}), kLong, "identity", int64_t{1}));
  const Value bucket =
      apply_transform(parse_transform("bucket[16]"), type_of(schema(), kLong), int64_t{34});
  const Value other = (std::get<int64_t>(bucket) + 1) % 16;
  EXPECT_TRUE(tuple_matches(equal(kLong, int64_t{34}), kLong, "bucket[16]", bucket));
  EXPECT_FALSE(tuple_matches(equal(kLong, int64_t{34}), kLong, "bucket[16]", other));
  EXPECT_TRUE(tuple_matches(less(kLong, int64_t{34}), kLong, "bucket[16]", other));
  EXPECT_FALSE(tuple_matches(less(kLong, int64_t{20}), kLong, "truncate[10]", int64_t{20}));
  EXPECT_TRUE(tuple_matches(less(kLong, int64_t{21}), kLong, "truncate[10]", int64_t{20}));
  EXPECT_FALSE(tuple_matches(equal(kText, cut("abc")), kText, "truncate[2]", cut("ac")));
  EXPECT_FALSE(tuple_matches(Predicate::starts_with(kText, "abc"), kText, "truncate[2]", cut("b")));
  EXPECT_TRUE(tuple_matches(Predicate::starts_with(kText, "a"), kText, "truncate[2]", cut("ac")));
  EXPECT_FALSE(tuple_matches(less(kDate, int64_t{31}), kDate, "month", int64_t{1}));
  EXPECT_TRUE(tuple_matches(less(kDate, int64_t{32}), kDate, "month", int64_t{1}));
  EXPECT_FALSE(tuple_matches(is(Kind::kGreater, kDate, int64_t{364}), kDate, "year", int64_t{-1}));
  EXPECT_FALSE(tuple_matches(equal(kTime, int64_t{0}), kTime, "day", int64_t{1}));
  EXPECT_FALSE(tuple_matches(equal(kTime, int64_t{0}), kTime, "hour", int64_t{1}));
  EXPECT_TRUE(tuple_matches(equal(kLong, int64_t{0}), kLong, "void", Value()));
  EXPECT_TRUE(tuple_matches(Predicate::not_null(kLong), kLong, "void", Value()));
  EXPECT_FALSE(tuple_matches(Predicate::not_null(kLong), kLong, "bucket[16]", Value()));
  EXPECT_FALSE(tuple_matches(Predicate::is_null(kLong), kLong, "bucket[16]", int64_t{1}));
}

// Old writers rounded times before 1970 towards zero.
TEST(PartitionPruning, BeforeTheEpochRoundedUp) {
  const Predicate equal = is(Kind::kEqual, kTime, int64_t{-1});
  EXPECT_TRUE(tuple_matches(equal, kTime, "day", int64_t{-1}));
  EXPECT_TRUE(tuple_matches(equal, kTime, "day", int64_t{0}));
  EXPECT_FALSE(tuple_matches(equal, kTime, "day", int64_t{1}));
  EXPECT_TRUE(tuple_matches(is(Kind::kLess, kTime, int64_t{-1}), kTime, "hour", int64_t{0}));
}

TEST(PartitionPruning, Summaries) {
  const Type number = primitive_type(TypeKind::kLong);
  ManifestFile manifest;
  manifest.partitions = {
      FieldSummary{false, false, to_bytes(number, int64_t{10}), to_bytes(number, int64_t{20})}};
  const auto matches = [&](const Predicate& predicate) {
    return PartitionFilter(predicate, spec_of(kLong, "identity"), schema()).might_match(manifest);
  };
  EXPECT_TRUE(matches(is(Kind::kEqual, kLong, int64_t{15})));
  EXPECT_FALSE(matches(is(Kind::kEqual, kLong, int64_t{25})));
  EXPECT_FALSE(matches(Predicate::is_null(kLong)));
  manifest.partitions = {FieldSummary{true, false, std::nullopt, std::nullopt}};
  EXPECT_FALSE(matches(is(Kind::kEqual, kLong, int64_t{15})));
  EXPECT_TRUE(matches(Predicate::is_null(kLong)));
  manifest.partitions = {FieldSummary{false, false, std::nullopt, std::nullopt}};
  EXPECT_TRUE(matches(is(Kind::kEqual, kLong, int64_t{15}))) << "bounds left out";
  manifest.partitions.reset();
  EXPECT_TRUE(matches(is(Kind::kEqual, kLong, int64_t{25})));
  manifest.added_files = manifest.existing_files = 0;
  EXPECT_FALSE(matches(is(Kind::kEqual, kLong, int64_t{15}))) << "only deleted files";
}

// --- It never prunes what matches ----------------------------------------------------------------

using Row = std::vector<Value>;  // by column id - 1

/// How engines compare NaN.
enum class NanRule { kHighest, kUnordered };

/// Small sets of values, so that rows, bounds and predicates meet; with the edges of each type.
const std::vector<Value>& domain(int column) {
  static const std::string kHigh = "\U0010FFFF";
  static const std::map<int, std::vector<Value>> kDomains = {
      {kInt,
       {int64_t{-2147483648}, int64_t{-2147483647}, int64_t{-101}, int64_t{-11}, int64_t{-10},
        int64_t{-1}, int64_t{0}, int64_t{1}, int64_t{9}, int64_t{10}, int64_t{100},
        int64_t{2147483640}, int64_t{2147483647}}},
      {kLong,
       {int64_t{-3000000000}, int64_t{-11}, int64_t{-10}, int64_t{-1}, int64_t{0}, int64_t{1},
        int64_t{9}, int64_t{10}, int64_t{34}, int64_t{3000000000}}},
      {kText,
       {cut(""), cut("a"), cut("ab"), cut("abc"), cut("abd"), cut("b"), cut("é"), cut("日本語"),
        cut("\uD7FF\uD7FF\uD7FF"), kHigh, kHigh + kHigh + kHigh, kHigh + "a", cut("zz")}},
      {kDouble, {-kInfinity, -1.5, -0.0, 0.0, 1.5, 2.5, kInfinity, kNan}},
      {kDate,
       {int64_t{-800}, int64_t{-366}, int64_t{-365}, int64_t{-31}, int64_t{-1}, int64_t{0},
        int64_t{1}, int64_t{30}, int64_t{31}, int64_t{365}, int64_t{19000}}},
      {kTime,
       {int64_t{-86400000001}, int64_t{-86400000000}, int64_t{-3600000001}, int64_t{-1}, int64_t{0},
        int64_t{1}, int64_t{3599999999}, int64_t{3600000000}, int64_t{86400000000},
        int64_t{1700000000000000}}},
      {kDecimal,
       {Int128{-12345}, Int128{-100}, Int128{-99}, Int128{-1}, Int128{0}, Int128{1}, Int128{99},
        Int128{100}, Int128{12345}}},
      {kBytes,
       {cut(""), cut("a"), cut("ab"), cut("abc"), cut("\x7F\x80"), cut("\xFF\xFF\xFF"), cut("\xFF"),
        cut("\xFE\xFF\xFF\x01")}},
      {kFloat, {-kInfinity, -1.5, -0.0, 0.0, 0.5, 2.5, kInfinity, kNan}}};
  return kDomains.at(column);
}

class Chance {
 public:
  explicit Chance(uint32_t seed) : random_(seed) {}
  int below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  bool one_in(int n) { return below(n) == 0; }
  template <typename T>
  const T& of(const std::vector<T>& all) {
    return all[static_cast<size_t>(below(static_cast<int>(all.size())))];
  }

 private:
  std::mt19937 random_;
};

Value some_value(Chance& chance, int column) { return chance.of(domain(column)); }

Predicate some_predicate(Chance& chance, int depth) {
  if (depth > 0 && chance.below(2) == 0) {
    std::vector<Predicate> children;
    for (int i = chance.below(3); i >= 0; --i)
      children.push_back(some_predicate(chance, depth - 1));
    if (chance.one_in(3)) return Predicate::negated(std::move(children[0]));
    return chance.one_in(2) ? Predicate::all_of(std::move(children))
                            : Predicate::any_of(std::move(children));
  }
  const int column = 1 + chance.below(kColumns);
  static const std::vector<Kind> kKinds = {Kind::kIsNull,    Kind::kNotNull,   Kind::kEqual,
                                           Kind::kEqual,     Kind::kNotEqual,  Kind::kLess,
                                           Kind::kLessEqual, Kind::kGreater,   Kind::kGreaterEqual,
                                           Kind::kIn,        Kind::kStartsWith};
  Kind kind = chance.of(kKinds);
  if (kind == Kind::kIsNull) return Predicate::is_null(column);
  if (kind == Kind::kNotNull) return Predicate::not_null(column);
  if (kind == Kind::kIn) {
    std::vector<Value> values;
    for (int i = chance.below(4); i > 0; --i) values.push_back(some_value(chance, column));
    return Predicate::in(column, std::move(values));
  }
  if (kind == Kind::kStartsWith && column != kText) kind = Kind::kEqual;
  return Predicate::compare(kind, column, some_value(chance, column));
}

/// Less than 0, 0, more than 0; nothing where NaN compares with nothing.
std::optional<int> order(const Value& a, const Value& b, NanRule rule) {
  if (const double* x = std::get_if<double>(&a)) {
    const double y = std::get<double>(b);
    if (std::isnan(*x) || std::isnan(y)) {
      if (rule == NanRule::kUnordered) return std::nullopt;
      return static_cast<int>(std::isnan(*x)) - static_cast<int>(std::isnan(y));
    }
    return *x < y ? -1 : *x > y ? 1 : 0;
  }
  return a < b ? -1 : a == b ? 0 : 1;
}

/// SQL's truth of a comparison of two values that are not null.
bool compares(Kind kind, const Value& a, const Value& b, NanRule rule) {
  const std::optional<int> sign = order(a, b, rule);
  switch (kind) {
    case Kind::kEqual:
      return sign == 0;
    case Kind::kNotEqual:
      return sign != 0;
    case Kind::kLess:
      return sign && *sign < 0;
    case Kind::kLessEqual:
      return sign && *sign <= 0;
    case Kind::kGreater:
      return sign && *sign > 0;
    case Kind::kGreaterEqual:
      return sign && *sign >= 0;
    default:
      return std::get<std::string>(a).starts_with(std::get<std::string>(b));
  }
}

/// Nothing is SQL's unknown.
std::optional<bool> truth(const Predicate& predicate, const Row& row, NanRule rule) {
  switch (predicate.kind) {
    case Kind::kNot: {
      const auto inner = truth(predicate.children[0], row, rule);
      return inner ? std::optional(!*inner) : std::nullopt;
    }
    case Kind::kAnd:
    case Kind::kOr: {
      const bool ends = predicate.kind == Kind::kOr;
      std::optional<bool> out = !ends;
      for (const Predicate& child : predicate.children) {
        const auto inner = truth(child, row, rule);
        if (inner == ends) return ends;
        if (!inner) out = std::nullopt;
      }
      return out;
    }
    default:
      break;
  }
  const Value& value = row[static_cast<size_t>(predicate.field_id - 1)];
  if (predicate.kind == Kind::kIsNull) return is_null(value);
  if (predicate.kind == Kind::kNotNull) return !is_null(value);
  if (is_null(value))
    return predicate.kind == Kind::kIn && predicate.values.empty() ? std::optional(false)
                                                                   : std::nullopt;
  if (predicate.kind != Kind::kIn) {
    return compares(predicate.kind, value, predicate.values[0], rule);
  }
  return std::ranges::any_of(
      predicate.values, [&](const Value& one) { return compares(Kind::kEqual, value, one, rule); });
}

PartitionSpec some_spec(Chance& chance) {
  static const std::vector<std::string> kTransforms = {
      "identity", "identity", "bucket[4]", "truncate[1]", "truncate[2]", "truncate[10]",
      "year",     "month",    "day",       "hour",        "void",        "mystery"};
  PartitionSpec out{.id = 1, .fields = {}};
  for (int i = 1 + chance.below(3); i > 0; --i) {
    const int column = 1 + chance.below(kColumns);
    const Transform transform = parse_transform(chance.of(kTransforms));
    if (transform.kind == TransformKind::kUnknown ||
        !can_transform(transform, type_of(schema(), column))) {
      continue;
    }
    const auto number = static_cast<int>(out.fields.size());
    out.fields.push_back({column, 1000 + number, "p" + std::to_string(number), transform});
  }
  return out;
}

std::vector<Value> partition_of(const PartitionSpec& spec, const Row& row) {
  std::vector<Value> out;
  for (const PartitionField& field : spec.fields) {
    out.push_back(apply_transform(field.transform, type_of(schema(), field.source_id),
                                  row[static_cast<size_t>(field.source_id - 1)]));
  }
  return out;
}

/// Like Value's ==, but NaN is NaN, and the zeros differ: what makes one partition.
std::string partition_key(const PartitionSpec& spec, const std::vector<Value>& tuple) {
  std::string out;
  for (size_t i = 0; i < tuple.size(); ++i) {
    const PartitionField& field = spec.fields[i];
    const Type type = result_type(field.transform, type_of(schema(), field.source_id));
    out += is_null(tuple[i]) ? "-" : "+" + to_bytes(type, tuple[i]) + ";";
  }
  return out;
}

Row some_row(Chance& chance) {
  Row out;
  for (int column = 1; column <= kColumns; ++column) {
    out.push_back(chance.one_in(6) ? Value() : some_value(chance, column));
  }
  return out;
}

bool nan(const Value& value) {
  const double* number = std::get_if<double>(&value);
  return number != nullptr && std::isnan(*number);
}

DataFile file_with(Chance& chance, const std::vector<Row>& rows) {
  static const std::vector<MetricsMode> kModes = {
      {.kind = MetricsMode::Kind::kFull},
      {.kind = MetricsMode::Kind::kCounts},
      {.kind = MetricsMode::Kind::kTruncate, .length = 1},
      {.kind = MetricsMode::Kind::kTruncate, .length = 2},
      {}};
  DataFile out;
  out.path = "f";
  out.records = static_cast<int64_t>(rows.size());
  for (int column = 1; column <= kColumns; ++column) {
    ColumnStatistics facts{.id = column, .values = out.records, .nulls = 0, .nans = 0};
    for (const Row& row : rows) {
      const Value& value = row[static_cast<size_t>(column - 1)];
      if (is_null(value)) {
        ++facts.nulls;
      } else if (nan(value)) {
        ++facts.nans;
      } else {
        if (is_null(facts.min) || value < facts.min) facts.min = value;
        if (is_null(facts.max) || facts.max < value) facts.max = value;
      }
    }
    if (chance.one_in(8)) facts.nulls = -1;
    if (chance.one_in(4)) facts.nans = -1;
    if (chance.one_in(12)) continue;
    add_metrics(out.metrics, type_of(schema(), column), facts, chance.of(kModes));
  }
  return out;
}

struct Tally {
  int matching = 0, pruned_by_partition = 0, pruned_by_metrics = 0, pruned_by_summary = 0;
};

void try_predicate(const Predicate& predicate, const PartitionSpec& spec, const Schema& reading,
                   const std::vector<std::vector<Row>>& groups, const WrittenManifest& manifest,
                   const std::vector<ManifestEntry>& files, Tally& tally) {
  const PartitionFilter by_partition(predicate, spec, reading);
  const MetricsFilter by_metrics(predicate, reading);
  const bool manifest_read = by_partition.might_match(manifest.file);
  if (!manifest_read) ++tally.pruned_by_summary;
  for (size_t i = 0; i < files.size(); ++i) {
    const DataFile& file = files[i].file;
    const bool partition_read = by_partition.might_match(file.partition);
    const bool metrics_read = by_metrics.might_match(file);
    tally.pruned_by_partition += partition_read ? 0 : 1;
    tally.pruned_by_metrics += metrics_read ? 0 : 1;
    const bool matches = std::ranges::any_of(groups[i], [&](const Row& row) {
      return truth(predicate, row, NanRule::kHighest) == true ||
             truth(predicate, row, NanRule::kUnordered) == true;
    });
    if (!matches) continue;
    ++tally.matching;
    ASSERT_TRUE(manifest_read);
    ASSERT_TRUE(partition_read);
    ASSERT_TRUE(metrics_read);
  }
}

TEST(PruningProperty, FilesWithMatchingRowsAreKept) {
  Tally tally;
  for (uint32_t seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE(seed);
    Chance chance(seed);
    const PartitionSpec spec = some_spec(chance);
    std::map<std::string, std::vector<Row>> partitions;
    for (int i = 1 + chance.below(30); i > 0; --i) {
      Row row = some_row(chance);
      std::vector<Row>& group = partitions[partition_key(spec, partition_of(spec, row))];
      if (group.size() < 4) group.push_back(std::move(row));
    }
    std::vector<std::vector<Row>> groups;
    std::vector<ManifestEntry> entries;
    for (auto& [key, rows] : partitions) {
      ManifestEntry& entry = entries.emplace_back();
      entry.file = file_with(chance, rows);
      entry.file.partition = partition_of(spec, rows[0]);
      groups.push_back(std::move(rows));
    }
    const WrittenManifest manifest =
        write_manifest(entries, schema(), spec, {.path = "m", .snapshot_id = 1});
    const auto files = read_manifest(manifest.bytes, manifest.file, spec);
    const Schema reading = schema(chance.one_in(2));
    for (int i = 0; i < 20; ++i) {
      const Predicate predicate = some_predicate(chance, 3);
      try_predicate(predicate, spec, reading, groups, manifest, files, tally);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(tally.matching, 10000);
  EXPECT_GT(tally.pruned_by_partition, 10000);
  EXPECT_GT(tally.pruned_by_metrics, 10000);
  EXPECT_GT(tally.pruned_by_summary, 100);
}

}  // namespace
}  // namespace meesh::lake
