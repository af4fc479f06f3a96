// Aggregates that keep a sketch of their rows: approx_set, tdigest_agg, qdigest_agg,
// make_set_digest, merge of each, and approx_percentile.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "duckdb/function/aggregate_function.hpp"
#include "engine/functions/coercion.h"
#include "engine/functions/kernels.h"
#include "engine/functions/text.h"
#include "engine/sketches/murmur3.h"
#include "engine/sketches/quantile_digest.h"
#include "engine/sketches/set_digest.h"
#include "engine/sketches/tdigest.h"
#include "sql/sql.h"

namespace meesh::engine {
namespace {

using duckdb::AggregateFunction;
using duckdb::AggregateInputData;
using duckdb::ClientContext;
using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::UnifiedVectorFormat;
using duckdb::Vector;
using sql::Type;
using sql::TypeKind;
using View = std::string_view;
using Bound = duckdb::unique_ptr<duckdb::FunctionData>;

// ---------------------------------------------------------------- the state of a group

/// A sketch whatever its kind; the state of a group is a pointer to one, null while it has no rows.
struct Summary {
  virtual ~Summary() = default;
  virtual std::unique_ptr<Summary> copy() const = 0;
  virtual void merge(const Summary& other) = 0;
  virtual void write(Vector& result, idx_t row) = 0;
};

template <class S>
struct Holding final : Summary {
  explicit Holding(S made) : sketch(std::move(made)) {}
  std::unique_ptr<Summary> copy() const override { return std::make_unique<Holding>(sketch); }
  void merge(const Summary& other) override {
    sketch.merge(static_cast<const Holding&>(other).sketch);
  }
  void write(Vector& result, idx_t row) override {
    if constexpr (requires { sketch.bytes(); }) {
      write_value(result, row, sketch.bytes());
    } else {
      sketch.write(result, row);
    }
  }
  S sketch;
};

using State = Summary*;

/// The sketch of a group, made by `make` when it has none.
template <class S, class F>
S& sketch_of(State& state, F make) {
  if (!state) state = new Holding<S>(make());
  return static_cast<Holding<S>*>(state)->sketch;
}
template <class S>
S& sketch_of(State& state) {
  return sketch_of<S>(state, [] { return S(); });
}

idx_t state_size(const AggregateFunction&) { return sizeof(State); }
void initialize(const AggregateFunction&, duckdb::data_ptr_t state) {
  *reinterpret_cast<State*>(state) = nullptr;
}

/// Calls kAdd(state, values…) for every row without a NULL.
template <auto kAdd, class... A, size_t... I>
void update_rows(Vector inputs[], Vector& states, idx_t count, std::index_sequence<I...>) {
  std::array<UnifiedVectorFormat, sizeof...(A)> columns;
  (inputs[I].ToUnifiedFormat(count, columns[I]), ...);
  UnifiedVectorFormat groups;
  states.ToUnifiedFormat(count, groups);
  const auto pointers = UnifiedVectorFormat::GetData<State*>(groups);
  for (idx_t row = 0; row < count; ++row) {
    const std::array<idx_t, sizeof...(A)> at = {columns[I].sel->get_index(row)...};
    if (!(columns[I].validity.RowIsValid(at[I]) && ...)) continue;
    kAdd(*pointers[groups.sel->get_index(row)],
         Stored<A>::get(
             UnifiedVectorFormat::GetData<typename Stored<A>::type>(columns[I])[at[I]])...);
  }
}
template <auto kAdd, class... A>
void update(Vector inputs[], AggregateInputData&, idx_t, Vector& states, idx_t count) {
  update_rows<kAdd, A...>(inputs, states, count, std::index_sequence_for<A...>());
}

void combine(Vector& sources, Vector& targets, AggregateInputData&, idx_t count) {
  UnifiedVectorFormat from, to;
  sources.ToUnifiedFormat(count, from);
  targets.ToUnifiedFormat(count, to);
  for (idx_t i = 0; i < count; ++i) {
    const State source = *UnifiedVectorFormat::GetData<State*>(from)[from.sel->get_index(i)];
    State& target = *UnifiedVectorFormat::GetData<State*>(to)[to.sel->get_index(i)];
    if (!source) continue;
    if (target) {
      target->merge(*source);
    } else {
      target = source->copy().release();
    }
  }
}

void finalize(Vector& states, AggregateInputData&, Vector& result, idx_t count, idx_t offset) {
  UnifiedVectorFormat groups;
  states.ToUnifiedFormat(count, groups);
  const bool constant = states.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (idx_t i = 0; i < (constant ? 1 : count); ++i) {
    const State state = *UnifiedVectorFormat::GetData<State*>(groups)[groups.sel->get_index(i)];
    if (state) {
      state->write(result, i + offset);
    } else {
      duckdb::FlatVector::SetNull(result, i + offset, true);
    }
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

void destroy(Vector& states, AggregateInputData&, idx_t count) {
  UnifiedVectorFormat groups;
  states.ToUnifiedFormat(count, groups);
  for (idx_t i = 0; i < count; ++i) {
    State& state = *UnifiedVectorFormat::GetData<State*>(groups)[groups.sel->get_index(i)];
    delete state;
    state = nullptr;
  }
}

/// Makes `function` the aggregate of type `result` that keeps a sketch of its rows.
void become(AggregateFunction& function, const Exprs& args, const LogicalType& result,
            duckdb::aggregate_update_t add) {
  duckdb::vector<LogicalType> types;
  for (const auto& arg : args) types.push_back(arg->return_type);
  const std::string name = function.name;
  function = AggregateFunction(name, types, result, state_size, initialize, add, combine, finalize,
                               nullptr, nullptr, destroy);
}
/// The same with rows added by `kAdd`.
template <auto kAdd, class... A>
void become(AggregateFunction& function, const Exprs& args, const Type& result) {
  become(function, args, to_duckdb(result), update<kAdd, A...>);
}

// ---------------------------------------------------------------- arguments

[[noreturn]] void unexpected(const char* name, const Exprs& args) {
  std::string types, expected;
  for (const auto& arg : args) types += (types.empty() ? "" : ", ") + shown(type_of(*arg));
  for (const auto& info : sql::functions()) {
    if (info.name != name) continue;
    expected += (expected.empty() ? "" : ", ") + std::string(name) + "(";
    expected += std::string(info.argument_types) + ")";
  }
  raise(Code::kFunctionNotFound,
        "Unexpected parameters (" + types + ") for function " + name + ". Expected: " + expected,
        args.empty() ? nullptr : args[0].get());
}

/// Brings the arguments from `first` on to these types.
void take(const Build& build, const char* name, Exprs& args, size_t first,
          std::initializer_list<TypeKind> kinds) {
  if (args.size() > first + kinds.size()) unexpected(name, args);
  for (size_t i = first; i < args.size(); ++i) {
    const Type type = Type::of(kinds.begin()[i - first]);
    if (!coercion_cost(type_of(*args[i]), type)) unexpected(name, args);
    args[i] = build.plain(build.coerce(std::move(args[i]), to_duckdb(type)));
  }
}

/// Of a number, the one of bigint, double and real that it becomes; kUnknown for what is none.
TypeKind number_kind(const Type& type) {
  if (is_integral(type) || type.kind == TypeKind::kUnknown) return TypeKind::kBigint;
  if (type.kind == TypeKind::kReal) return TypeKind::kReal;
  return is_numeric(type) ? TypeKind::kDouble : TypeKind::kUnknown;
}

// ---------------------------------------------------------------- approx_set

void log_long(State& state, int64_t value) {
  sketch_of<HyperLogLog>(state).add_hash(murmur3_64(value));
}
void log_double(State& state, double value) { log_long(state, std::bit_cast<int64_t>(value)); }
void log_text(State& state, View value) {
  sketch_of<HyperLogLog>(state).add_hash(murmur3_64(value));
}

Bound bind_approx_set(ClientContext& context, AggregateFunction& function, Exprs& args) {
  const Build build(context);
  if (args.size() != 1) unexpected("approx_set", args);
  const Type type = type_of(*args[0]), result = Type::of(TypeKind::kHyperLogLog);
  if (is_text(type)) {
    args[0] = build.native_cast(build.plain(std::move(args[0])), LogicalType::VARCHAR);
    become<log_text, View>(function, args, result);
    return nullptr;
  }
  const TypeKind kind = number_kind(type);
  if (kind == TypeKind::kUnknown) unexpected("approx_set", args);
  if (kind == TypeKind::kBigint) {
    take(build, "approx_set", args, 0, {TypeKind::kBigint});
    become<log_long, int64_t>(function, args, result);
  } else {
    take(build, "approx_set", args, 0, {TypeKind::kDouble});
    become<log_double, double>(function, args, result);
  }
  return nullptr;
}

// ---------------------------------------------------------------- make_set_digest

void digest_hash(State& state, uint64_t hash) { sketch_of<SetDigest>(state).add_hash(hash); }
void digest_long(State& state, int64_t value) { digest_hash(state, murmur3_64(value)); }
void digest_text(State& state, View value) { digest_hash(state, murmur3_64(value)); }

/// Values that are 64 bits at most are hashed as a bigint, others as their bytes.
Bound bind_make_set_digest(ClientContext& context, AggregateFunction& function, Exprs& args) {
  const Build build(context);
  if (args.size() != 1) unexpected("make_set_digest", args);
  const Type type = type_of(*args[0]), result = Type::of(TypeKind::kSetDigest);
  auto value = build.plain(std::move(args[0]));
  switch (type.kind) {
    case TypeKind::kDate:
      value = build.call("date_diff", build.constant(duckdb::Value("day")),
                         build.constant(duckdb::Value::DATE(duckdb::date_t(0))), std::move(value));
      break;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      value = build.call("epoch_us", std::move(value));
      break;
    case TypeKind::kDouble:
    case TypeKind::kReal:
      value = build.call("meesh_number_bits", std::move(value));
      break;
    default:
      break;
  }
  const auto from = type_of(*value);
  const bool number =
      is_integral(from) || from.kind == TypeKind::kBoolean || from.kind == TypeKind::kUnknown;
  if (!number && from.kind != TypeKind::kVarbinary)
    value = build.native_cast(std::move(value), LogicalType::VARCHAR);
  args[0] = number ? build.native_cast(std::move(value), LogicalType::BIGINT) : std::move(value);
  if (number) {
    become<digest_long, int64_t>(function, args, result);
  } else {
    become<digest_text, View>(function, args, result);
  }
  return nullptr;
}

// ---------------------------------------------------------------- tdigest_agg

void cluster_weighted(State& state, double value, double weight) {
  if (std::isnan(value)) raise(Code::kGenericInternalError, "value is NaN");
  if (std::isinf(value)) raise(Code::kGenericInternalError, "value must be finite");
  if (!(weight >= 1))
    raise(Code::kInvalidFunctionArgument, "weight must be >= 1, was " + java_double(weight));
  if (!std::isfinite(weight)) raise(Code::kGenericInternalError, "weight must be finite");
  sketch_of<Tdigest>(state).add(value, weight);
}
void cluster(State& state, double value) { cluster_weighted(state, value, 1); }

Bound bind_tdigest_agg(ClientContext& context, AggregateFunction& function, Exprs& args) {
  if (args.empty()) unexpected("tdigest_agg", args);
  take(Build(context), "tdigest_agg", args, 0, {TypeKind::kDouble, TypeKind::kDouble});
  const Type result = Type::of(TypeKind::kTdigest);
  if (args.size() == 1) {
    become<cluster, double>(function, args, result);
  } else {
    become<cluster_weighted, double, double>(function, args, result);
  }
  return nullptr;
}

// ---------------------------------------------------------------- approx_percentile

[[noreturn]] void refuse(const std::string& why) { raise(Code::kInvalidFunctionArgument, why); }

/// Math.round of Java.
int64_t rounded(double value) {
  const double whole = std::floor(value + 0.5);
  return whole >= 0x1p63 ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(whole);
}

/// The values of a group, and of which shares of them the percentiles are wanted: as the last row
/// says.
struct Percentiles {
  void merge(const Percentiles& other) {
    digest.merge(other.digest);
    shares = other.shares;
  }
  /// One value or a list of them, as `result` is.
  void write(Vector& result, idx_t row) {
    auto in_order = shares;
    std::sort(in_order.begin(), in_order.end());
    const auto found = digest.settled_values_at(in_order);
    const bool many = result.GetType().id() == duckdb::LogicalTypeId::LIST;
    const auto& type = many ? duckdb::ListType::GetChildType(result.GetType()) : result.GetType();
    duckdb::vector<duckdb::Value> values;
    for (const double share : shares) {
      const auto at = std::lower_bound(in_order.begin(), in_order.end(), share) - in_order.begin();
      const double value = found[static_cast<size_t>(at)];
      values.push_back(type.InternalType() == duckdb::PhysicalType::INT64
                           ? duckdb::Value::BIGINT(rounded(value))
                       : type.InternalType() == duckdb::PhysicalType::FLOAT
                           ? duckdb::Value::FLOAT(static_cast<float>(value))
                           : duckdb::Value::DOUBLE(value));
    }
    result.SetValue(row, many ? duckdb::Value::LIST(type, std::move(values)) : values.front());
  }

  Tdigest digest;
  std::vector<double> shares;
};

double exact_double(int64_t value) {
  const auto made = static_cast<double>(value);
  if (made < 0x1p63 && static_cast<int64_t>(made) != value)
    refuse("no exact double representation for long: " + std::to_string(value));
  return made;
}
double exact_double(double value) { return value; }
double exact_double(float value) { return value; }

double checked_share(double share) {
  if (!(share >= 0 && share <= 1)) refuse("Percentile must be between 0 and 1");
  return share;
}

/// Rows of (value, percentile or percentiles) or (value, weight, percentile or percentiles).
template <class T>
void add_percentiles(Vector inputs[], AggregateInputData&, idx_t columns, Vector& states,
                     idx_t count) {
  const bool weighted = columns == 3;
  Vector& wanted = inputs[columns - 1];
  const bool many = wanted.GetType().id() == duckdb::LogicalTypeId::LIST;
  UnifiedVectorFormat values, weights, shares, items, groups;
  inputs[0].ToUnifiedFormat(count, values);
  if (weighted) inputs[1].ToUnifiedFormat(count, weights);
  wanted.ToUnifiedFormat(count, shares);
  if (many)
    duckdb::ListVector::GetEntry(wanted).ToUnifiedFormat(duckdb::ListVector::GetListSize(wanted),
                                                         items);
  states.ToUnifiedFormat(count, groups);
  std::vector<double> told;
  for (idx_t row = 0; row < count; ++row) {
    const idx_t at = values.sel->get_index(row), share = shares.sel->get_index(row);
    const idx_t weight = weighted ? weights.sel->get_index(row) : 0;
    if (!values.validity.RowIsValid(at) || !shares.validity.RowIsValid(share) ||
        (weighted && !weights.validity.RowIsValid(weight)))
      continue;
    told.clear();
    if (many) {
      const auto entry = UnifiedVectorFormat::GetData<duckdb::list_entry_t>(shares)[share];
      for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
        const idx_t item = items.sel->get_index(i);
        if (!items.validity.RowIsValid(item)) refuse("Percentile cannot be null");
        told.push_back(checked_share(UnifiedVectorFormat::GetData<double>(items)[item]));
      }
    } else {
      told.push_back(checked_share(UnifiedVectorFormat::GetData<double>(shares)[share]));
    }
    const double value = exact_double(UnifiedVectorFormat::GetData<T>(values)[at]);
    if (!std::isfinite(value)) refuse("value must be finite; was " + java_double(value));
    const double heft = weighted ? UnifiedVectorFormat::GetData<double>(weights)[weight] : 1;
    if (!(heft >= 1)) refuse("weight must be >= 1, was " + java_double(heft));
    if (!std::isfinite(heft)) refuse("weight must be finite; was " + java_double(heft));
    const auto group = UnifiedVectorFormat::GetData<State*>(groups)[groups.sel->get_index(row)];
    auto& state = sketch_of<Percentiles>(*group);
    state.digest.add(value, heft);
    if (state.shares != told) state.shares = told;
  }
}

Bound bind_approx_percentile(ClientContext& context, AggregateFunction& function, Exprs& args) {
  const Build build(context);
  if (args.size() < 2 || args.size() > 4) unexpected("approx_percentile", args);
  if (args.size() == 4) args.pop_back();  // the accuracy, which a t-digest does not need
  TypeKind kind = number_kind(type_of(*args[0]));
  if (kind == TypeKind::kUnknown) unexpected("approx_percentile", args);
  if (type_of(*args[0]).kind == TypeKind::kDecimal) kind = TypeKind::kReal;  // as in Trino
  args[0] = build.native_cast(build.plain(std::move(args[0])), to_duckdb(Type::of(kind)));
  const Type number = Type::of(TypeKind::kDouble);
  const bool many = type_of(*args.back()).kind == TypeKind::kArray;
  for (size_t i = 1; i < args.size(); ++i) {
    const Type wanted = many && i + 1 == args.size() ? Type::array(number) : number;
    if (!coercion_cost(type_of(*args[i]), wanted)) unexpected("approx_percentile", args);
    args[i] = build.plain(build.coerce(std::move(args[i]), to_duckdb(wanted)));
  }
  const Type result = many ? Type::array(Type::of(kind)) : Type::of(kind);
  become(function, args, to_duckdb(result),
         kind == TypeKind::kBigint ? add_percentiles<int64_t>
         : kind == TypeKind::kReal ? add_percentiles<float>
                                   : add_percentiles<double>);
  return nullptr;
}

// ---------------------------------------------------------------- qdigest_agg

constexpr double kAccuracy = 0.01;

int64_t rank_of(int64_t value) { return value; }
int64_t rank_of(double value) { return ordered_bits(value); }
int64_t rank_of(float value) { return ordered_bits(value); }

template <class T>
void count_accurate(State& state, T value, int64_t weight, double accuracy) {
  if (weight <= 0)
    raise(Code::kInvalidFunctionArgument,
          "Percentile weight must be > 0, was " + std::to_string(weight));
  if (!(accuracy > 0 && accuracy < 1))
    raise(Code::kInvalidFunctionArgument,
          "Percentile accuracy must be exclusively between 0 and 1, was " + java_double(accuracy));
  sketch_of<QuantileDigest>(state, [accuracy] {
    return QuantileDigest(accuracy);
  }).add(rank_of(value), static_cast<double>(weight));
}
template <class T>
void count_weighted(State& state, T value, int64_t weight) {
  count_accurate(state, value, weight, kAccuracy);
}
template <class T>
void count_one(State& state, T value) {
  count_accurate(state, value, 1, kAccuracy);
}

template <class T>
void become_qdigest(AggregateFunction& function, const Exprs& args, const Type& result) {
  if (args.size() == 1) {
    become<count_one<T>, T>(function, args, result);
  } else if (args.size() == 2) {
    become<count_weighted<T>, T, int64_t>(function, args, result);
  } else {
    become<count_accurate<T>, T, int64_t, double>(function, args, result);
  }
}

Bound bind_qdigest_agg(ClientContext& context, AggregateFunction& function, Exprs& args) {
  const TypeKind kind = args.empty() ? TypeKind::kUnknown : number_kind(type_of(*args[0]));
  if (kind == TypeKind::kUnknown) unexpected("qdigest_agg", args);
  take(Build(context), "qdigest_agg", args, 0, {kind, TypeKind::kBigint, TypeKind::kDouble});
  Type result = Type::of(TypeKind::kQdigest);
  result.children.push_back(Type::of(kind));
  if (kind == TypeKind::kBigint) {
    become_qdigest<int64_t>(function, args, result);
  } else if (kind == TypeKind::kReal) {
    become_qdigest<float>(function, args, result);
  } else {
    become_qdigest<double>(function, args, result);
  }
  return nullptr;
}

// ---------------------------------------------------------------- merge

template <class S>
void merge_bytes(State& state, View bytes) {
  auto other = S::parse(bytes);
  if (state) {
    sketch_of<S>(state).merge(other);
  } else {
    sketch_of<S>(state, [&] { return std::move(other); });
  }
}

Bound bind_merge(ClientContext& context, AggregateFunction& function, Exprs& args) {
  if (args.size() != 1) unexpected("merge", args);
  const Type type = type_of(*args[0]);
  args[0] = Build(context).plain(std::move(args[0]));
  switch (type.kind) {
    case TypeKind::kHyperLogLog:
      become<merge_bytes<HyperLogLog>, View>(function, args, type);
      break;
    case TypeKind::kTdigest:
      become<merge_bytes<Tdigest>, View>(function, args, type);
      break;
    case TypeKind::kQdigest:
      become<merge_bytes<QuantileDigest>, View>(function, args, type);
      break;
    default:
      unexpected("merge", args);
  }
  return nullptr;
}

Bound bind_merge_set_digest(ClientContext& context, AggregateFunction& function, Exprs& args) {
  const Type type = Type::of(TypeKind::kSetDigest);
  if (args.size() != 1 || !coercion_cost(type_of(*args[0]), type))
    unexpected("merge_set_digest", args);
  args[0] = Build(context).plain(std::move(args[0]));
  become<merge_bytes<SetDigest>, View>(function, args, type);
  return nullptr;
}

}  // namespace

void register_sketch_aggregates(duckdb::ExtensionLoader& loader) {
  const std::pair<const char*, duckdb::bind_aggregate_function_t> all[] = {
      {"trino_approx_set", bind_approx_set},
      {"trino_make_set_digest", bind_make_set_digest},
      {"trino_merge_set_digest", bind_merge_set_digest},
      {"trino_tdigest_agg", bind_tdigest_agg},
      {"trino_approx_percentile", bind_approx_percentile},
      {"trino_qdigest_agg", bind_qdigest_agg},
      {"trino_merge", bind_merge},
  };
  for (const auto& [name, bind] : all) {
    AggregateFunction function(name, {}, LogicalType::ANY, nullptr, nullptr, nullptr, nullptr,
                               nullptr, duckdb::FunctionNullHandling::DEFAULT_NULL_HANDLING,
                               nullptr, bind);
    function.varargs = LogicalType::ANY;
    loader.RegisterFunction(std::move(function));
  }
}

}  // namespace meesh::engine
