#include "engine/functions/number_aggregates.h"

#include <cmath>

namespace meesh::engine {
namespace {

using duckdb::AggregateFunction;
using duckdb::AggregateUnaryInput;
using duckdb::idx_t;
using duckdb::LogicalType;

template <class T>
struct Held {
  T value;
  bool set;
};

template <bool kGreatest>
struct Extreme {
  template <class STATE>
  static void Initialize(STATE& state) {
    state.value = 0;
    state.set = false;
  }
  template <class T>
  static void take(Held<T>& state, T value) {
    const bool better = kGreatest ? value > state.value : value < state.value;
    if (!state.set || better || (std::isnan(state.value) && !std::isnan(value)))
      state = {value, true};
  }
  template <class INPUT, class STATE, class OP>
  static void Operation(STATE& state, const INPUT& input, AggregateUnaryInput&) {
    take(state, input);
  }
  template <class INPUT, class STATE, class OP>
  static void ConstantOperation(STATE& state, const INPUT& input, AggregateUnaryInput&, idx_t) {
    take(state, input);
  }
  template <class STATE, class OP>
  static void Combine(const STATE& source, STATE& target, duckdb::AggregateInputData&) {
    if (source.set) take(target, source.value);
  }
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.set) {
      target = state.value;
    } else {
      data.ReturnNull();
    }
  }
  static bool IgnoreNull() { return true; }
};

template <class T>
AggregateFunction extreme(const LogicalType& type, bool greatest) {
  auto made = greatest
                  ? AggregateFunction::UnaryAggregate<Held<T>, T, T, Extreme<true>>(type, type)
                  : AggregateFunction::UnaryAggregate<Held<T>, T, T, Extreme<false>>(type, type);
  made.SetOrderDependent(duckdb::AggregateOrderDependent::NOT_ORDER_DEPENDENT);
  made.SetDistinctDependent(duckdb::AggregateDistinctDependent::NOT_DISTINCT_DEPENDENT);
  return made;
}

/// How many values there were, their mean, and the sum of the squares of their distances from it.
struct Squares {
  uint64_t count;
  double mean, sum;
};

template <bool kSample, bool kRoot>
struct Spread {
  template <class STATE>
  static void Initialize(STATE& state) {
    state = {0, 0, 0};
  }
  template <class INPUT, class STATE, class OP>
  static void Operation(STATE& state, const INPUT& input, AggregateUnaryInput&) {
    const double apart = input - state.mean;
    state.mean += apart / static_cast<double>(++state.count);
    state.sum += apart * (input - state.mean);
  }
  template <class INPUT, class STATE, class OP>
  static void ConstantOperation(STATE& state, const INPUT& input, AggregateUnaryInput& unary,
                                idx_t count) {
    for (idx_t i = 0; i < count; ++i) Operation<INPUT, STATE, OP>(state, input, unary);
  }
  template <class STATE, class OP>
  static void Combine(const STATE& source, STATE& target, duckdb::AggregateInputData&) {
    if (target.count == 0)
      target = source;
    else if (source.count > 0) {
      const auto a = static_cast<double>(source.count), b = static_cast<double>(target.count);
      const double apart = source.mean - target.mean;
      target.mean = (a * source.mean + b * target.mean) / (a + b);
      target.sum += source.sum + apart * apart * a * b / (a + b);
      target.count += source.count;
    }
  }
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.count < (kSample ? 2 : 1)) {
      data.ReturnNull();
      return;
    }
    const double variance = state.sum / static_cast<double>(state.count - (kSample ? 1 : 0));
    target = kRoot ? std::sqrt(variance) : variance;
  }
  static bool IgnoreNull() { return true; }
};

template <bool kSample, bool kRoot>
AggregateFunction spread() {
  return AggregateFunction::UnaryAggregate<Squares, double, double, Spread<kSample, kRoot>>(
      LogicalType::DOUBLE, LogicalType::DOUBLE);
}

}  // namespace

AggregateFunction floating_extreme(const LogicalType& type, bool greatest) {
  return type.id() == duckdb::LogicalTypeId::FLOAT ? extreme<float>(type, greatest)
                                                   : extreme<double>(type, greatest);
}

AggregateFunction spread_aggregate(bool sample, bool root) {
  if (sample) return root ? spread<true, true>() : spread<true, false>();
  return root ? spread<false, true>() : spread<false, false>();
}

}  // namespace meesh::engine
