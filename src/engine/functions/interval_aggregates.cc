#include "engine/functions/interval_aggregates.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/functions/build.h"

namespace meesh::engine {
namespace {

using duckdb::AggregateFunction;
using duckdb::idx_t;
using duckdb::interval_t;

constexpr int64_t kDay = 86'400'000, kMicros = 1000;  // of milliseconds

struct Months {
  static int64_t units(const interval_t& value) { return value.months; }
  static interval_t interval(int64_t units) {
    if (units > INT32_MAX || units < INT32_MIN)
      raise(Code::kNumericValueOutOfRange, fmt::format("Out of range for integer: {}", units));
    return {static_cast<int32_t>(units), 0, 0};
  }
};

struct Milliseconds {
  static int64_t units(const interval_t& value) {
    return value.days * kDay + value.micros / kMicros;
  }
  static interval_t interval(int64_t units) {
    const int64_t days = units / kDay;
    if (days > INT32_MAX || days < INT32_MIN)
      raise(Code::kNumericValueOutOfRange, fmt::format("Out of range for interval: {}", units));
    return {0, static_cast<int32_t>(days), units % kDay * kMicros};
  }
};

struct Total {
  int64_t sum;
  bool set;
};

template <class Unit>
struct Sum {
  template <class STATE>
  static void Initialize(STATE& state) {
    state = {0, false};
  }
  static void add(Total& state, int64_t units) {
    int64_t sum;
    if (__builtin_add_overflow(state.sum, units, &sum))
      raise(Code::kNumericValueOutOfRange,
            fmt::format("bigint addition overflow: {} + {}", state.sum, units));
    state = {sum, true};
  }
  template <class INPUT, class STATE, class OP>
  static void Operation(STATE& state, const INPUT& input, duckdb::AggregateUnaryInput&) {
    add(state, Unit::units(input));
  }
  template <class INPUT, class STATE, class OP>
  static void ConstantOperation(STATE& state, const INPUT& input, duckdb::AggregateUnaryInput&,
                                idx_t count) {
    for (idx_t i = 0; i < count; ++i) add(state, Unit::units(input));
  }
  template <class STATE, class OP>
  static void Combine(const STATE& source, STATE& target, duckdb::AggregateInputData&) {
    if (source.set) add(target, source.sum);
  }
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.set) {
      target = Unit::interval(state.sum);
    } else {
      data.ReturnNull();
    }
  }
  static bool IgnoreNull() { return true; }
};

struct Mean {
  double sum;
  int64_t count;
};

template <class Unit>
struct Average {
  template <class STATE>
  static void Initialize(STATE& state) {
    state = {0, 0};
  }
  template <class INPUT, class STATE, class OP>
  static void Operation(STATE& state, const INPUT& input, duckdb::AggregateUnaryInput&) {
    state.sum += static_cast<double>(Unit::units(input));
    ++state.count;
  }
  template <class INPUT, class STATE, class OP>
  static void ConstantOperation(STATE& state, const INPUT& input, duckdb::AggregateUnaryInput&,
                                idx_t count) {
    state.sum += static_cast<double>(Unit::units(input)) * static_cast<double>(count);
    state.count += static_cast<int64_t>(count);
  }
  template <class STATE, class OP>
  static void Combine(const STATE& source, STATE& target, duckdb::AggregateInputData&) {
    target.sum += source.sum;
    target.count += source.count;
  }
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.count == 0) {
      data.ReturnNull();
      return;
    }
    // Halves are rounded up, negative ones, too.
    const double mean = state.sum / static_cast<double>(state.count);
    target = Unit::interval(static_cast<int64_t>(std::floor(mean + 0.5)));
  }
  static bool IgnoreNull() { return true; }
};

template <class State, template <class> class Operation>
AggregateFunction made(const sql::Type& type) {
  const auto interval = duckdb::LogicalType::INTERVAL;
  if (type.kind == sql::TypeKind::kIntervalYearToMonth)
    return AggregateFunction::UnaryAggregate<State, interval_t, interval_t, Operation<Months>>(
        interval, interval);
  return AggregateFunction::UnaryAggregate<State, interval_t, interval_t, Operation<Milliseconds>>(
      interval, interval);
}

}  // namespace

AggregateFunction interval_sum(const sql::Type& type) { return made<Total, Sum>(type); }
AggregateFunction interval_average(const sql::Type& type) { return made<Mean, Average>(type); }

}  // namespace meesh::engine
