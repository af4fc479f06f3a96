// Aggregates: DuckDB's own under trino_… names, with Trino's argument checks and result types; an
// average of decimals that stays a decimal.
#include <cmath>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/aggregate_function_catalog_entry.hpp"
#include "duckdb/function/aggregate_function.hpp"
#include "duckdb/function/function_binder.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/functions/coercion.h"
#include "engine/functions/interval_aggregates.h"
#include "engine/functions/number_aggregates.h"
#include "engine/functions/rules.h"
#include "engine/functions/text.h"
#include "engine/functions/zones.h"
#include "engine/int128.h"

namespace meesh::engine {
namespace {

using duckdb::AggregateFunction;
using duckdb::ClientContext;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using sql::Type;
using sql::TypeKind;
using Bound = duckdb::unique_ptr<duckdb::FunctionData>;

[[noreturn]] void unexpected(const char* name, const Exprs& args, const std::string& expected) {
  std::string types;
  for (auto& arg : args) types += (types.empty() ? "" : ", ") + shown(type_of(*arg));
  raise(Code::kFunctionNotFound,
        "Unexpected parameters (" + types + ") for function " + name + ". Expected: " + expected,
        args.empty() ? nullptr : args[0].get());
}

/// Makes `function` DuckDB's aggregate for the arguments as they are now.
Bound become(ClientContext& context, AggregateFunction& function, Exprs& args, const char* native) {
  auto& entry =
      duckdb::Catalog::GetSystemCatalog(context).GetEntry<duckdb::AggregateFunctionCatalogEntry>(
          context, DEFAULT_SCHEMA, native);
  duckdb::vector<LogicalType> types;
  for (auto& arg : args) types.push_back(arg->return_type);
  duckdb::ErrorData error;
  duckdb::FunctionBinder binder(context);
  auto index = binder.BindFunction(native, entry.functions, types, error);
  if (!index.IsValid()) error.Throw();
  function = entry.functions.GetFunctionByOffset(index.GetIndex());
  binder.ResolveTemplateTypes(function, args);
  return function.HasBindCallback() ? function.GetBindCallback()(context, function, args) : nullptr;
}

/// An aggregate of ours instead of the function, of a labelled type.
Bound become_own(AggregateFunction& function, AggregateFunction own, const LogicalType& label) {
  own.name = function.name;
  function = std::move(own);
  function.SetReturnType(label);
  return nullptr;
}

void strip(const Build& build, Exprs& args) {
  for (auto& arg : args) arg = build.plain(std::move(arg));
}

void check_arity(const char* name, const Exprs& args, size_t least, size_t most) {
  if (args.size() < least || args.size() > most)
    unexpected(name, args, std::string(name) + " with " + std::to_string(least) + " arguments");
}

void numbers(const Build& build, const char* name, Exprs& args, size_t count, const Type& type) {
  check_arity(name, args, count, count);
  for (auto& arg : args) {
    if (!coercion_cost(type_of(*arg), type)) {
      unexpected(name, args,
                 std::string(name) + "(" + type.display() +
                     (count == 2 ? ", " + type.display() : "") + ")");
    }
  }
  for (auto& arg : args) arg = build.native_cast(std::move(arg), to_duckdb(type));
}

Bound bind_sum(ClientContext& context, AggregateFunction& function, Exprs& args) {
  const Build build(context);
  check_arity("sum", args, 1, 1);
  const Type type = type_of(*args[0]);
  const bool interval =
      type.kind == TypeKind::kIntervalDayToSecond || type.kind == TypeKind::kIntervalYearToMonth;
  if (type.kind == TypeKind::kUnknown)
    args[0] = build.native_cast(std::move(args[0]), LogicalType::BIGINT);
  else if (!is_numeric(type) && !interval) {
    unexpected("sum", args,
               "sum(bigint), sum(decimal(p,s)), sum(double), sum(interval day to second), "
               "sum(interval year to month), sum(real)");
  }
  const auto label = args[0]->return_type;
  strip(build, args);
  if (args[0]->return_type.id() == LogicalTypeId::HUGEINT)
    args[0] = build.native_cast(std::move(args[0]), LogicalType::DECIMAL(38, 0));
  if (interval) return become_own(function, interval_sum(type), label);
  auto data = become(context, function, args, "sum");
  if (type.kind == TypeKind::kReal) {
    auto real = LogicalType(LogicalType::DOUBLE);
    real.SetAlias("real");
    function.SetReturnType(real);
  }
  return data;
}

// ---------------------------------------------------------------- avg(decimal)

struct DecimalSum {
  duckdb::hugeint_t sum;
  int64_t count;
};

struct DecimalAverage {
  template <class STATE>
  static void Initialize(STATE& state) {
    state.sum = duckdb::hugeint_t(0);
    state.count = 0;
  }
  static void add(DecimalSum& state, __int128 value, int64_t count) {
    __int128 sum;
    if (__builtin_add_overflow(wide(state.sum), value, &sum))
      raise(Code::kNumericValueOutOfRange, "Decimal overflow");
    state.sum = narrow(sum);
    state.count += count;
  }
  template <class INPUT, class STATE, class OP>
  static void Operation(STATE& state, const INPUT& input, duckdb::AggregateUnaryInput&) {
    if constexpr (std::is_same_v<INPUT, duckdb::hugeint_t>) {
      add(state, wide(input), 1);
    } else {
      add(state, input, 1);
    }
  }
  template <class INPUT, class STATE, class OP>
  static void ConstantOperation(STATE& state, const INPUT& input,
                                duckdb::AggregateUnaryInput& unary, duckdb::idx_t count) {
    for (duckdb::idx_t i = 0; i < count; ++i) Operation<INPUT, STATE, OP>(state, input, unary);
  }
  template <class STATE, class OP>
  static void Combine(const STATE& source, STATE& target, duckdb::AggregateInputData&) {
    add(target, wide(source.sum), source.count);
  }
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.count == 0) {
      data.ReturnNull();
      return;
    }
    const __int128 sum = wide(state.sum), count = state.count;
    __int128 quotient = sum / count;
    const __int128 rest = sum % count;
    if ((rest < 0 ? -rest : rest) * 2 >= count) quotient += sum < 0 ? -1 : 1;
    if constexpr (std::is_same_v<T, duckdb::hugeint_t>) {
      target = narrow(quotient);
    } else {
      target = static_cast<T>(quotient);
    }
  }
  static bool IgnoreNull() { return true; }
};

template <class T>
AggregateFunction decimal_average(const LogicalType& type) {
  return AggregateFunction::UnaryAggregate<DecimalSum, T, T, DecimalAverage>(type, type);
}

Bound bind_avg(ClientContext& context, AggregateFunction& function, Exprs& args) {
  const Build build(context);
  check_arity("avg", args, 1, 1);
  const Type type = type_of(*args[0]);
  const bool interval =
      type.kind == TypeKind::kIntervalDayToSecond || type.kind == TypeKind::kIntervalYearToMonth;
  if (type.kind == TypeKind::kUnknown)
    args[0] = build.native_cast(std::move(args[0]), LogicalType::DOUBLE);
  else if (!is_numeric(type) && !interval) {
    unexpected("avg", args,
               "avg(bigint), avg(decimal(p,s)), avg(double), avg(interval day to second), "
               "avg(interval year to month), avg(real)");
  }
  const auto label = args[0]->return_type;
  if (type.kind == TypeKind::kDecimal) {
    if (label.id() != LogicalTypeId::DECIMAL)
      args[0] = build.native_cast(std::move(args[0]), LogicalType::DECIMAL(38, 0));
    const auto decimal = args[0]->return_type;
    switch (decimal.InternalType()) {
      case duckdb::PhysicalType::INT16:
        function = decimal_average<int16_t>(decimal);
        break;
      case duckdb::PhysicalType::INT32:
        function = decimal_average<int32_t>(decimal);
        break;
      case duckdb::PhysicalType::INT64:
        function = decimal_average<int64_t>(decimal);
        break;
      default:
        function = decimal_average<duckdb::hugeint_t>(decimal);
        break;
    }
    function.name = "trino_avg";
    return nullptr;
  }
  strip(build, args);
  if (interval) return become_own(function, interval_average(type), label);
  auto data = become(context, function, args, "avg");
  if (type.kind == TypeKind::kReal) {
    auto real = LogicalType(LogicalType::DOUBLE);
    real.SetAlias("real");
    function.SetReturnType(real);
  }
  return data;
}

// ---------------------------------------------------------------- the rest

/// Of min(x, n) and max(x, n); one that is no constant is the engine's to check.
void check_count(const Build& build, const duckdb::Expression& count, const char* name) {
  constexpr int64_t kMost = 10000;
  const auto constant = build.constant_value(count);
  if (constant.IsNull()) return;
  const auto n = constant.GetValue<int64_t>();
  const std::string start = std::string("second argument of ") + name + "_n must be ";
  if (n <= 0) raise(Code::kInvalidFunctionArgument, start + "positive");
  if (n > kMost)
    raise(Code::kInvalidFunctionArgument,
          start + "less than or equal to 10000; found " + std::to_string(n));
}

Bound bind_extreme(ClientContext& context, AggregateFunction& function, Exprs& args,
                   const char* name) {
  check_arity(name, args, 1, 2);
  const auto label = args[0]->return_type;
  const Type type = type_of(*args[0]);
  if (type.kind == TypeKind::kMap || type.kind == TypeKind::kJson)
    unexpected(name, args, std::string(name) + "(E) E:orderable");
  const Build build(context);
  strip(build, args);
  const auto id = args[0]->return_type.id();
  if (args.size() == 1 && (id == LogicalTypeId::DOUBLE || id == LogicalTypeId::FLOAT)) {
    const std::string own = function.name;
    function = floating_extreme(args[0]->return_type, name == std::string_view("max"));
    function.name = own;
    return nullptr;
  }
  // Of the same instants in several zones the first is taken.
  if (args.size() == 1 && is_zoned(label)) {
    args.push_back(comparable_instant(build, build.relabel(args[0]->Copy(), label)));
    auto data =
        become(context, function, args, name == std::string_view("max") ? "arg_max" : "arg_min");
    function.SetReturnType(label);
    return data;
  }
  if (args.size() == 2) args[1] = build.native_cast(std::move(args[1]), LogicalType::BIGINT);
  if (args.size() == 2) check_count(build, *args[1], name);
  auto data = become(context, function, args, name);
  function.SetReturnType(args.size() == 2 ? LogicalType::LIST(label) : label);
  return data;
}
Bound bind_min(ClientContext& c, AggregateFunction& f, Exprs& a) {
  return bind_extreme(c, f, a, "min");
}
Bound bind_max(ClientContext& c, AggregateFunction& f, Exprs& a) {
  return bind_extreme(c, f, a, "max");
}

Bound bind_by(ClientContext& context, AggregateFunction& function, Exprs& args, const char* name,
              const char* one, const char* many) {
  check_arity(name, args, 2, 3);
  const auto label = args[0]->return_type;
  const Build build(context);
  strip(build, args);
  if (args.size() == 3) args[2] = build.native_cast(std::move(args[2]), LogicalType::BIGINT);
  if (args.size() == 2) {
    auto data = become(context, function, args, one);
    function.SetReturnType(label);
    return data;
  }
  const auto count = build.constant_value(*args[2]);
  if (!count.IsNull() && count.GetValue<int64_t>() <= 0)
    raise(Code::kInvalidFunctionArgument,
          std::string("third argument of ") + name + " must be a positive integer");
  // A value that is NULL counts as well: within a row it is none to DuckDB.
  args[0] = build.relabel(build.call("row", std::move(args[0])),
                          LogicalType::STRUCT({{"by", plain_type(label)}}));
  auto data = become(context, function, args, many);
  function.SetReturnType(LogicalType::LIST(LogicalType::STRUCT({{"by", label}})));
  return data;
}
Bound bind_min_by(ClientContext& c, AggregateFunction& f, Exprs& a) {
  return bind_by(c, f, a, "min_by", "arg_min_null", "arg_min");
}
Bound bind_max_by(ClientContext& c, AggregateFunction& f, Exprs& a) {
  return bind_by(c, f, a, "max_by", "arg_max_null", "arg_max");
}

Bound bind_any_value(ClientContext& context, AggregateFunction& function, Exprs& args) {
  check_arity("any_value", args, 1, 1);
  const auto label = args[0]->return_type;
  strip(Build(context), args);
  auto data = become(context, function, args, "any_value");
  function.SetReturnType(label);
  return data;
}

Bound bind_array_agg(ClientContext& context, AggregateFunction& function, Exprs& args) {
  check_arity("array_agg", args, 1, 1);
  return become(context, function, args, "array_agg");
}

/// The arguments of each row as one value, for what computes a group from its rows: the fields are
/// p0, p1, …
Bound pack(ClientContext& context, AggregateFunction& function, Exprs& args) {
  duckdb::child_list_t<LogicalType> fields;
  for (auto& arg : args) fields.emplace_back("p" + std::to_string(fields.size()), arg->return_type);
  const Build build(context);
  auto row = build.relabel(build.call("row", std::move(args)), LogicalType::STRUCT(fields));
  args.clear();
  args.push_back(std::move(row));
  return become(context, function, args, "array_agg");
}

Bound bind_listagg(ClientContext& context, AggregateFunction& function, Exprs& args) {
  check_arity("listagg", args, 1, 4);
  const Build build(context);
  for (size_t i = 0; i < std::min<size_t>(args.size(), 3); ++i) {
    const Type type = type_of(*args[i]);
    if (!is_text(type) && type.kind != TypeKind::kUnknown)
      unexpected("listagg", args, "listagg(varchar, varchar)");
    args[i] = build.native_cast(build.plain(std::move(args[i])), LogicalType::VARCHAR);
  }
  if (args.size() == 4) return pack(context, function, args);  // ON OVERFLOW TRUNCATE
  if (args.size() == 1) args.push_back(build.constant(duckdb::Value("")));
  return become(context, function, args, "string_agg");
}

Bound bind_map_agg(ClientContext& context, AggregateFunction& function, Exprs& args) {
  check_arity("map_agg", args, 2, 2);
  const Build build(context);
  duckdb::child_list_t<LogicalType> fields = {{"key", args[0]->return_type},
                                              {"value", args[1]->return_type}};
  auto entry = build.call("row", std::move(args[0]), std::move(args[1]));
  args.clear();
  args.push_back(build.relabel(std::move(entry), LogicalType::STRUCT(std::move(fields))));
  return become(context, function, args, "array_agg");
}

Bound bind_histogram(ClientContext& context, AggregateFunction& function, Exprs& args) {
  check_arity("histogram", args, 1, 1);
  strip(Build(context), args);
  return become(context, function, args, "histogram");
}

Bound bind_approx_distinct(ClientContext& context, AggregateFunction& function, Exprs& args) {
  check_arity("approx_distinct", args, 1, 2);
  if (args.size() == 2) {  // the allowed error; ours is fixed
    const auto error = Build(context).constant_value(*args[1]);
    if (!error.IsNull() && error.type().IsNumeric()) {
      const double allowed = error.DefaultCastAs(LogicalType::DOUBLE).GetValue<double>();
      if (!(allowed >= 0.0040625 && allowed <= 0.26))
        raise(Code::kInvalidFunctionArgument,
              "Max standard error must be in [0.0040625, 0.26]: " + java_double(allowed));
    }
    args.pop_back();
  }
  strip(Build(context), args);
  return become(context, function, args, "approx_count_distinct");
}

/// Brings each argument to its type; false when one does not coerce.
bool coerce_all(const Build& build, Exprs& args, std::initializer_list<Type> types) {
  size_t i = 0;
  for (const Type& type : types)
    if (i < args.size() && !coercion_cost(type_of(*args[i++]), type)) return false;
  i = 0;
  for (const Type& type : types) {
    if (i == args.size()) break;
    args[i] = build.coerce(std::move(args[i]), to_duckdb(type));
    ++i;
  }
  return true;
}

Bound bind_numeric_histogram(ClientContext& context, AggregateFunction& function, Exprs& args) {
  check_arity("numeric_histogram", args, 2, 3);
  const bool real = type_of(*args[1]).kind != TypeKind::kDouble;  // as integers coerce
  const Type number = Type::of(TypeKind::kDouble);
  if (!coerce_all(Build(context), args,
                  {Type::of(TypeKind::kBigint), real ? Type::of(TypeKind::kReal) : number, number}))
    unexpected("numeric_histogram", args,
               "numeric_histogram(bigint, double), numeric_histogram(bigint, double, double), "
               "numeric_histogram(bigint, real), numeric_histogram(bigint, real, double)");
  return pack(context, function, args);
}

Bound bind_most_frequent(ClientContext& context, AggregateFunction& function, Exprs& args) {
  check_arity("approx_most_frequent", args, 3, 3);
  const Type bigint = Type::of(TypeKind::kBigint);
  const Build build(context);
  const bool text = is_text(type_of(*args[1]));
  if (text) args[1] = build.native_cast(build.plain(std::move(args[1])), LogicalType::VARCHAR);
  if (!coerce_all(build, args, {bigint, text ? Type::varchar() : bigint, bigint}))
    unexpected("approx_most_frequent", args,
               "approx_most_frequent(bigint, bigint, bigint), approx_most_frequent(bigint, "
               "varchar, bigint)");
  return pack(context, function, args);
}

// ---------------------------------------------------------------- skewness

/// Central moments of the values so far: sums of the powers of their distance from the mean.
struct Moments {
  double count, mean, second, third;
};

struct Skewness {
  template <class STATE>
  static void Initialize(STATE& state) {
    state = {0, 0, 0, 0};
  }
  static void merge(Moments& into, const Moments& from) {
    if (from.count == 0) return;
    const double count = into.count + from.count, apart = from.mean - into.mean;
    const double square = apart * apart, product = into.count * from.count;
    const double third = into.third + from.third +
                         square * apart * product * (into.count - from.count) / (count * count) +
                         3 * apart * (into.count * from.second - from.count * into.second) / count;
    into.second += from.second + square * product / count;
    into.mean += apart * from.count / count;
    into.third = third;
    into.count = count;
  }
  template <class INPUT, class STATE, class OP>
  static void Operation(STATE& state, const INPUT& input, duckdb::AggregateUnaryInput&) {
    merge(state, {1, input, 0, 0});
  }
  template <class INPUT, class STATE, class OP>
  static void ConstantOperation(STATE& state, const INPUT& input, duckdb::AggregateUnaryInput&,
                                duckdb::idx_t count) {
    merge(state, {static_cast<double>(count), input, 0, 0});
  }
  template <class STATE, class OP>
  static void Combine(const STATE& source, STATE& target, duckdb::AggregateInputData&) {
    merge(target, source);
  }
  /// Of the population; NULL below three values.
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.count < 3) {
      data.ReturnNull();
      return;
    }
    target = std::sqrt(state.count) * state.third / std::pow(state.second, 1.5);
  }
  static bool IgnoreNull() { return true; }
};

Bound bind_skewness(ClientContext& context, AggregateFunction& function, Exprs& args) {
  numbers(Build(context), "skewness", args, 1, Type::of(TypeKind::kDouble));
  function = AggregateFunction::UnaryAggregate<Moments, double, double, Skewness>(
      LogicalType::DOUBLE, LogicalType::DOUBLE);
  function.name = "trino_skewness";
  return nullptr;
}

Bound bind_geometric_mean(ClientContext& context, AggregateFunction& function, Exprs& args) {
  const Build build(context);
  numbers(build, "geometric_mean", args, 1, Type::of(TypeKind::kDouble));
  args[0] = build.call("meesh_ln", std::move(args[0]));
  return become(context, function, args, "avg");
}

template <TypeKind kKind, size_t kCount>
Bound bind_plain(ClientContext& context, AggregateFunction& function, Exprs& args, const char* name,
                 const char* native) {
  numbers(Build(context), name, args, kCount, Type::of(kKind));
  return become(context, function, args, native);
}
#define MEESH_AGGREGATE(id, kind, count, name, native)               \
  Bound id(ClientContext& c, AggregateFunction& f, Exprs& a) {       \
    return bind_plain<TypeKind::kind, count>(c, f, a, name, native); \
  }
MEESH_AGGREGATE(bind_bool_and, kBoolean, 1, "bool_and", "bool_and")
MEESH_AGGREGATE(bind_bool_or, kBoolean, 1, "bool_or", "bool_or")
MEESH_AGGREGATE(bind_kurtosis, kDouble, 1, "kurtosis", "kurtosis")
MEESH_AGGREGATE(bind_bit_and, kBigint, 1, "bitwise_and_agg", "bit_and")
MEESH_AGGREGATE(bind_bit_or, kBigint, 1, "bitwise_or_agg", "bit_or")
MEESH_AGGREGATE(bind_bit_xor, kBigint, 1, "bitwise_xor_agg", "bit_xor")
#undef MEESH_AGGREGATE

/// Of two doubles or of two reals; other numbers become reals.
template <const char* const& kName>
Bound bind_pair(ClientContext& context, AggregateFunction& function, Exprs& args) {
  const bool real = std::none_of(args.begin(), args.end(), [](const ExprPtr& arg) {
    return type_of(*arg).kind == TypeKind::kDouble;
  });
  numbers(Build(context), kName, args, 2, Type::of(TypeKind::kDouble));
  auto data = become(context, function, args, kName);
  if (real) {
    auto label = LogicalType(LogicalType::DOUBLE);
    label.SetAlias("real");
    function.SetReturnType(label);
  }
  return data;
}
constexpr const char* kCorr = "corr";
constexpr const char* kCovarSamp = "covar_samp";
constexpr const char* kCovarPop = "covar_pop";
constexpr const char* kRegrSlope = "regr_slope";
constexpr const char* kRegrIntercept = "regr_intercept";

template <bool kSample, bool kRoot>
Bound bind_spread(ClientContext& context, AggregateFunction& function, Exprs& args) {
  const std::string name = function.name;
  numbers(Build(context), name.c_str() + std::string_view("trino_").size(), args, 1,
          Type::of(TypeKind::kDouble));
  function = spread_aggregate(kSample, kRoot);
  function.name = name;
  return nullptr;
}

}  // namespace

void register_aggregates(duckdb::ExtensionLoader& loader) {
  const std::pair<const char*, duckdb::bind_aggregate_function_t> all[] = {
      {"trino_sum", bind_sum},
      {"trino_avg", bind_avg},
      {"trino_min", bind_min},
      {"trino_max", bind_max},
      {"trino_min_by", bind_min_by},
      {"trino_max_by", bind_max_by},
      {"trino_any_value", bind_any_value},
      {"trino_array_agg", bind_array_agg},
      {"trino_listagg", bind_listagg},
      {"trino_map_agg", bind_map_agg},
      {"trino_histogram", bind_histogram},
      {"trino_approx_distinct", bind_approx_distinct},
      {"trino_numeric_histogram", bind_numeric_histogram},
      {"trino_most_frequent", bind_most_frequent},
      {"trino_skewness", bind_skewness},
      {"trino_geometric_mean", bind_geometric_mean},
      {"trino_bool_and", bind_bool_and},
      {"trino_bool_or", bind_bool_or},
      {"trino_stddev_samp", bind_spread<true, true>},
      {"trino_stddev_pop", bind_spread<false, true>},
      {"trino_var_samp", bind_spread<true, false>},
      {"trino_var_pop", bind_spread<false, false>},
      {"trino_covar_samp", bind_pair<kCovarSamp>},
      {"trino_covar_pop", bind_pair<kCovarPop>},
      {"trino_corr", bind_pair<kCorr>},
      {"trino_regr_slope", bind_pair<kRegrSlope>},
      {"trino_regr_intercept", bind_pair<kRegrIntercept>},
      {"trino_kurtosis", bind_kurtosis},
      {"trino_bit_and", bind_bit_and},
      {"trino_bit_or", bind_bit_or},
      {"trino_bit_xor", bind_bit_xor},
  };
  for (auto& [name, bind] : all) {
    AggregateFunction function(name, {}, LogicalType::ANY, nullptr, nullptr, nullptr, nullptr,
                               nullptr, duckdb::FunctionNullHandling::DEFAULT_NULL_HANDLING,
                               nullptr, bind);
    function.varargs = LogicalType::ANY;
    loader.RegisterFunction(std::move(function));
  }
}

}  // namespace meesh::engine
