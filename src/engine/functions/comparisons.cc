#include "engine/functions/comparisons.h"

#include <algorithm>
#include <cmath>

#include "duckdb/common/operator/comparison_operators.hpp"
#include "duckdb/planner/expression/list.hpp"
#include "engine/functions/rules.h"
#include "engine/functions/value_kernels.h"
#include "engine/functions/vector_tree.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::PhysicalType;
using duckdb::string_t;
using duckdb::Value;
using sql::Type;
using sql::TypeKind;

/// A value in a vector.
struct Place {
  const VectorTree& values;
  size_t row;
  bool is_null() const { return values.is_null(row); }
};

enum class Truth { kFalse, kTrue, kUnknown };

template <class T>
int order_of(const Place& a, const Place& b) {
  const T &x = a.values.at<T>(a.row), &y = b.values.at<T>(b.row);
  if (duckdb::Equals::Operation<T>(x, y)) return 0;
  return duckdb::GreaterThan::Operation<T>(x, y) ? 1 : -1;
}

int order_of_scalars(const LogicalType& type, const Place& a, const Place& b) {
  switch (type.InternalType()) {
    case PhysicalType::BOOL:
    case PhysicalType::INT8:
      return order_of<int8_t>(a, b);
    case PhysicalType::INT16:
      return order_of<int16_t>(a, b);
    case PhysicalType::INT32:
      return order_of<int32_t>(a, b);
    case PhysicalType::INT64:
      return order_of<int64_t>(a, b);
    case PhysicalType::UINT64:
      return order_of<uint64_t>(a, b);
    case PhysicalType::INT128:
      return order_of<duckdb::hugeint_t>(a, b);
    case PhysicalType::FLOAT:
      return order_of<float>(a, b);
    case PhysicalType::DOUBLE:
      return order_of<double>(a, b);
    case PhysicalType::INTERVAL:
      return order_of<duckdb::interval_t>(a, b);
    case PhysicalType::VARCHAR:
      return order_of<string_t>(a, b);
    default:
      internal_error("a type without an order: " + type.ToString());
  }
}

/// NaN equals nothing.
bool is_nan(const LogicalType& type, const Place& at) {
  if (type.id() == LogicalTypeId::DOUBLE) return std::isnan(at.values.at<double>(at.row));
  return type.id() == LogicalTypeId::FLOAT && std::isnan(at.values.at<float>(at.row));
}

Truth equal(const LogicalType& type, const Place& a, const Place& b);

/// Equality of parts: false if one pair differs, else unknown if one has a NULL.
class Parts {
 public:
  /// False when the answer is known to be false.
  bool add(const LogicalType& type, const Place& a, const Place& b) {
    if (a.is_null() || b.is_null()) {
      truth_ = Truth::kUnknown;
      return true;
    }
    const Truth one = equal(type, a, b);
    if (one != Truth::kTrue) truth_ = one;
    return one != Truth::kFalse;
  }
  Truth truth() const { return truth_; }

 private:
  Truth truth_ = Truth::kTrue;
};

Truth equal_lists(const LogicalType& type, const Place& a, const Place& b) {
  const auto x = a.values.entry(a.row), y = b.values.entry(b.row);
  if (x.length != y.length) return Truth::kFalse;
  const auto& element = duckdb::ListType::GetChildType(type);
  Parts parts;
  for (size_t i = 0; i < x.length; ++i)
    if (!parts.add(element, {a.values.child(0), x.offset + i}, {b.values.child(0), y.offset + i}))
      return Truth::kFalse;
  return parts.truth();
}

Truth equal_rows(const LogicalType& type, const Place& a, const Place& b) {
  const auto& fields = duckdb::StructType::GetChildTypes(type);
  Parts parts;
  for (size_t i = 0; i < fields.size(); ++i)
    if (!parts.add(fields[i].second, {a.values.child(i), a.row}, {b.values.child(i), b.row}))
      return Truth::kFalse;
  return parts.truth();
}

Truth equal_maps(const LogicalType& type, const Place& a, const Place& b) {
  const auto x = a.values.entry(a.row), y = b.values.entry(b.row);
  if (x.length != y.length) return Truth::kFalse;
  const auto &key = duckdb::MapType::KeyType(type), &value = duckdb::MapType::ValueType(type);
  const auto &left = a.values.child(0), &right = b.values.child(0);
  Parts parts;
  for (size_t i = x.offset; i < x.offset + x.length; ++i) {
    size_t j = y.offset;
    while (j < y.offset + y.length &&
           equal(key, {left.child(0), i}, {right.child(0), j}) != Truth::kTrue)
      ++j;
    if (j == y.offset + y.length || !parts.add(value, {left.child(1), i}, {right.child(1), j}))
      return Truth::kFalse;
  }
  return parts.truth();
}

/// Neither is NULL.
Truth equal(const LogicalType& type, const Place& a, const Place& b) {
  switch (type.id()) {
    case LogicalTypeId::LIST:
      return equal_lists(type, a, b);
    case LogicalTypeId::STRUCT:
      return equal_rows(type, a, b);
    case LogicalTypeId::MAP:
      return equal_maps(type, a, b);
    default:
      if (is_nan(type, a) || is_nan(type, b)) return Truth::kFalse;
      return order_of_scalars(type, a, b) == 0 ? Truth::kTrue : Truth::kFalse;
  }
}

int order(const LogicalType& type, const Place& a, const Place& b) {
  if (type.id() == LogicalTypeId::LIST) {
    const auto x = a.values.entry(a.row), y = b.values.entry(b.row);
    const auto& element = duckdb::ListType::GetChildType(type);
    for (size_t i = 0; i < std::min(x.length, y.length); ++i) {
      const Place left{a.values.child(0), x.offset + i}, right{b.values.child(0), y.offset + i};
      if (left.is_null() || right.is_null())
        raise(Code::kNotSupported, "ARRAY comparison not supported for arrays with null elements");
      if (const int found = order(element, left, right)) return found;
    }
    return x.length == y.length ? 0 : x.length < y.length ? -1 : 1;
  }
  if (type.id() != LogicalTypeId::STRUCT) return order_of_scalars(type, a, b);
  const auto& fields = duckdb::StructType::GetChildTypes(type);
  for (size_t i = 0; i < fields.size(); ++i) {
    const Place left{a.values.child(i), a.row}, right{b.values.child(i), b.row};
    if (left.is_null() || right.is_null())
      raise(Code::kNotSupported, "ROW comparison not supported for fields with null elements");
    if (const int found = order(fields[i].second, left, right)) return found;
  }
  return 0;
}

/// Whether the value has a NULL or NaN inside, so that it equals nothing.
bool equals_nothing(const LogicalType& type, const Place& at) {
  if (at.is_null() || is_nan(type, at)) return true;
  if (type.id() == LogicalTypeId::STRUCT) {
    const auto& fields = duckdb::StructType::GetChildTypes(type);
    for (size_t i = 0; i < fields.size(); ++i)
      if (equals_nothing(fields[i].second, {at.values.child(i), at.row})) return true;
  }
  if (type.id() != LogicalTypeId::LIST && type.id() != LogicalTypeId::MAP) return false;
  const auto& element = duckdb::ListType::GetChildType(type);
  const auto entry = at.values.entry(at.row);
  for (size_t i = entry.offset; i < entry.offset + entry.length; ++i)
    if (equals_nothing(element, {at.values.child(0), i})) return true;
  return false;
}

/// Calls `function(type, left, right)` for rows in which neither is NULL; nullopt gives NULL.
template <class R, class F>
duckdb::scalar_function_t pairwise(F function) {
  return [function](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
    if (args.size() == 0) return;
    const bool constant = args.AllConstant();
    const ReadVector a(args.data[0], args.size()), b(args.data[1], args.size());
    const LogicalType type = args.data[0].GetType();
    result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
    for (size_t row = 0; row < (constant ? 1 : args.size()); ++row) {
      const Place left{a.tree(), a.row(row)}, right{b.tree(), b.row(row)};
      std::optional<R> out;
      if (!left.is_null() && !right.is_null()) out = function(type, left, right);
      write_value(result, row, out);
    }
    if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  };
}

ExprPtr pair_kernel(const Build& build, const char* name, const LogicalType& result,
                    duckdb::scalar_function_t run, ExprPtr left, ExprPtr right) {
  duckdb::ScalarFunction function(name, {left->return_type, right->return_type}, result,
                                  std::move(run));
  function.SetFallible();
  function.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  Exprs args;
  args.push_back(std::move(left));
  args.push_back(std::move(right));
  return build.kernel(std::move(function), std::move(args));
}

bool has_map(const LogicalType& type) {
  if (type.id() == LogicalTypeId::MAP) return true;
  if (type.id() == LogicalTypeId::LIST) return has_map(duckdb::ListType::GetChildType(type));
  if (type.id() != LogicalTypeId::STRUCT) return false;
  const auto& fields = duckdb::StructType::GetChildTypes(type);
  return std::any_of(fields.begin(), fields.end(),
                     [](const auto& field) { return has_map(field.second); });
}

Value with_sorted_maps(const Value& value, const LogicalType& type) {
  if (value.IsNull() || !has_map(type)) return value;
  if (type.id() == LogicalTypeId::STRUCT) {
    const auto& fields = duckdb::StructType::GetChildTypes(type);
    Values children = duckdb::StructValue::GetChildren(value);
    for (size_t i = 0; i < children.size(); ++i)
      children[i] = with_sorted_maps(children[i], fields[i].second);
    return Value::STRUCT(type, std::move(children));
  }
  const auto& element = duckdb::ListType::GetChildType(type);
  Values children = duckdb::ListValue::GetChildren(value);
  for (auto& child : children) child = with_sorted_maps(child, element);
  if (type.id() == LogicalTypeId::LIST) return Value::LIST(element, std::move(children));
  std::sort(children.begin(), children.end(), [](const Value& a, const Value& b) {
    return ValueLess()(duckdb::StructValue::GetChildren(a)[0],
                       duckdb::StructValue::GetChildren(b)[0]);
  });
  Values keys, values;
  for (const auto& child : children) {
    keys.push_back(duckdb::StructValue::GetChildren(child)[0]);
    values.push_back(duckdb::StructValue::GetChildren(child)[1]);
  }
  return Value::MAP(duckdb::MapType::KeyType(type), duckdb::MapType::ValueType(type),
                    std::move(keys), std::move(values));
}

template <class T>
duckdb::scalar_function_t greater_number() {
  return [](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
    duckdb::BinaryExecutor::Execute<T, T, T>(args.data[0], args.data[1], result, args.size(),
                                             [](T a, T b) -> T {
                                               if (std::isnan(a) || std::isnan(b))
                                                 return std::isnan(a) ? b : a;
                                               return a < b ? b : a;
                                             });
  };
}

}  // namespace

bool is_orderable(const Type& type) {
  switch (type.kind) {
    case TypeKind::kJson:
    case TypeKind::kMap:
    case TypeKind::kColor:
    case TypeKind::kJsonPath:
    case TypeKind::kHyperLogLog:
    case TypeKind::kP4HyperLogLog:
    case TypeKind::kSetDigest:
    case TypeKind::kTdigest:
    case TypeKind::kQdigest:
      return false;
    default:
      return std::all_of(type.children.begin(), type.children.end(), is_orderable);
  }
}

ExprPtr nested_key(const Build& build, ExprPtr value) {
  const auto type = value->return_type;
  duckdb::ScalarFunction function(
      "meesh_equals_nothing", {type}, LogicalType::BOOLEAN,
      [](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
        if (args.size() == 0) return;
        const ReadVector in(args.data[0], args.size());
        const LogicalType read = args.data[0].GetType();
        result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
        for (size_t row = 0; row < (in.constant() ? 1 : args.size()); ++row)
          duckdb::FlatVector::GetData<bool>(result)[row] = equals_nothing(read, {in.tree(), row});
        if (in.constant()) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
      });
  function.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  Exprs args;
  args.push_back(value->Copy());
  auto null = build.kernel(std::move(function), std::move(args));
  return duckdb::make_uniq<duckdb::BoundCaseExpression>(
      std::move(null), build.constant(Value(type)), sorted_maps(build, std::move(value)));
}

/// A comparison of whole values, which joins can hash, and what decides where it is unknown.
ExprPtr nested_equal(const Build& build, ExprPtr left, ExprPtr right) {
  const auto decide = [&build](ExprPtr a, ExprPtr b) {
    return pair_kernel(build, "meesh_equal", LogicalType::BOOLEAN,
                       pairwise<bool>([](const LogicalType& type, const Place& a, const Place& b) {
                         const Truth truth = equal(type, a, b);
                         return truth == Truth::kUnknown ? std::nullopt
                                                         : std::optional(truth == Truth::kTrue);
                       }),
                       std::move(a), std::move(b));
  };
  // A subquery cannot be copied, and no join hashes it.
  if (left->HasSubquery() || right->HasSubquery()) return decide(std::move(left), std::move(right));
  auto decided = decide(left->Copy(), right->Copy());
  auto same =
      build.compare(duckdb::ExpressionType::COMPARE_EQUAL, nested_key(build, std::move(left)),
                    nested_key(build, std::move(right)));
  return duckdb::make_uniq<duckdb::BoundConjunctionExpression>(
      duckdb::ExpressionType::CONJUNCTION_AND, std::move(same), std::move(decided));
}

ExprPtr nested_order(const Build& build, ExprPtr left, ExprPtr right) {
  return pair_kernel(build, "meesh_order", LogicalType::INTEGER,
                     pairwise<int32_t>([](const LogicalType& type, const Place& a, const Place& b) {
                       return std::optional<int32_t>(order(type, a, b));
                     }),
                     std::move(left), std::move(right));
}

ExprPtr sorted_maps(const Build& build, ExprPtr value) {
  const auto type = value->return_type;
  if (!has_map(type)) return value;
  duckdb::ScalarFunction function(
      "meesh_sorted_maps", {type}, type,
      [](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
        const bool constant = args.AllConstant();
        for (size_t row = 0; row < (constant ? 1 : args.size()); ++row)
          result.SetValue(row, with_sorted_maps(args.data[0].GetValue(row), result.GetType()));
        if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
      });
  Exprs args;
  args.push_back(std::move(value));
  return build.kernel(std::move(function), std::move(args));
}

ExprPtr greatest_number(const Build& build, Exprs args) {
  const auto type = args[0]->return_type;
  ExprPtr out = std::move(args[0]);
  for (size_t i = 1; i < args.size(); ++i) {
    duckdb::ScalarFunction function(
        "meesh_greater", {type, type}, type,
        type.id() == LogicalTypeId::FLOAT ? greater_number<float>() : greater_number<double>());
    Exprs pair;
    pair.push_back(std::move(out));
    pair.push_back(std::move(args[i]));
    out = build.kernel(std::move(function), std::move(pair));
  }
  return out;
}

}  // namespace meesh::engine
