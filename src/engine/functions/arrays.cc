// Array and map kernels over any element type, and format().
#include <algorithm>
#include <cmath>
#include <cstring>

#include "duckdb/common/operator/comparison_operators.hpp"
#include "engine/functions/json_arrays.h"
#include "engine/functions/text.h"
#include "engine/functions/value_kernels.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::Value;
using View = std::string_view;

duckdb::unique_ptr<duckdb::FunctionData> like_first(duckdb::ClientContext&,
                                                    duckdb::ScalarFunction& function,
                                                    duckdb::vector<ExprPtr>& args) {
  take_types(function, args);
  function.SetReturnType(args[0]->return_type);
  return nullptr;
}

duckdb::unique_ptr<duckdb::FunctionData> map_of_entries(duckdb::ClientContext&,
                                                        duckdb::ScalarFunction& function,
                                                        duckdb::vector<ExprPtr>& args) {
  auto& fields =
      duckdb::StructType::GetChildTypes(duckdb::ListType::GetChildType(args[0]->return_type));
  function.arguments[0] = args[0]->return_type;
  function.SetReturnType(LogicalType::MAP(fields[0].second, fields[1].second));
  return nullptr;
}
duckdb::unique_ptr<duckdb::FunctionData> multimap_of_entries(duckdb::ClientContext&,
                                                             duckdb::ScalarFunction& function,
                                                             duckdb::vector<ExprPtr>& args) {
  auto& fields =
      duckdb::StructType::GetChildTypes(duckdb::ListType::GetChildType(args[0]->return_type));
  function.arguments[0] = args[0]->return_type;
  function.SetReturnType(LogicalType::MAP(fields[0].second, LogicalType::LIST(fields[1].second)));
  return nullptr;
}

Value distinct(const Values& in, const LogicalType& type) {
  ValueSet seen;
  Values out;
  for (auto& value : duckdb::ListValue::GetChildren(in[0])) {
    if (seen.insert(value).second) out.push_back(value);
  }
  return list_like(type, std::move(out));
}

/// Elements once each; but all of them, as in Trino, if there are none to leave out.
template <bool kKeep>
Value filter_by(const Values& in, const LogicalType& type) {
  const auto& other = duckdb::ListValue::GetChildren(in[1]);
  if (!kKeep && other.empty()) return in[0];
  const ValueSet wanted(other.begin(), other.end());
  ValueSet seen;
  Values out;
  for (auto& value : duckdb::ListValue::GetChildren(in[0])) {
    if (wanted.contains(value) == kKeep && seen.insert(value).second) out.push_back(value);
  }
  return list_like(type, std::move(out));
}

Value remove(const Values& in, const LogicalType& type) {
  Values out;
  for (auto& value : duckdb::ListValue::GetChildren(in[0])) {
    if (value.IsNull() || value != in[1]) out.push_back(value);
  }
  return list_like(type, std::move(out));
}

Value shuffle(const Values& in, const LogicalType& type) {
  Values out = duckdb::ListValue::GetChildren(in[0]);
  uint64_t state = static_cast<uint64_t>(in[1].GetValue<double>() * 9007199254740992.0) | 1;
  for (size_t i = out.size(); i > 1; --i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    std::swap(out[i - 1], out[(state >> 33) % i]);
  }
  return list_like(type, std::move(out));
}

/// First value of each key; entries without a key are left out.
Value map_agg(const Values& in, const LogicalType& type) {
  ValueSet seen;
  Values keys, values;
  for (auto& entry : duckdb::ListValue::GetChildren(in[0])) {
    auto& pair = duckdb::StructValue::GetChildren(entry);
    if (pair[0].IsNull() || !seen.insert(pair[0]).second) continue;
    keys.push_back(pair[0]);
    values.push_back(pair[1]);
  }
  if (keys.empty()) return Value(type);
  return Value::MAP(duckdb::MapType::KeyType(type), duckdb::MapType::ValueType(type),
                    std::move(keys), std::move(values));
}

Value map_filter(const Values& in, const LogicalType& type) {
  Values keys, values;
  auto& entries = duckdb::MapValue::GetChildren(in[0]);
  auto& wanted = duckdb::ListValue::GetChildren(in[1]);
  for (size_t i = 0; i < entries.size(); ++i) {
    if (wanted[i].IsNull() || !wanted[i].GetValue<bool>()) continue;
    auto& pair = duckdb::StructValue::GetChildren(entries[i]);
    keys.push_back(pair[0]);
    values.push_back(pair[1]);
  }
  return Value::MAP(duckdb::MapType::KeyType(type), duckdb::MapType::ValueType(type),
                    std::move(keys), std::move(values));
}

Value multimap(const Values& in, const LogicalType& type) {
  std::map<Value, size_t, ValueLess> places;
  Values keys;
  std::vector<Values> groups;
  for (auto& entry : duckdb::ListValue::GetChildren(in[0])) {
    auto& pair = duckdb::StructValue::GetChildren(entry);
    if (pair[0].IsNull()) continue;
    auto [it, fresh] = places.try_emplace(pair[0], keys.size());
    if (fresh) {
      keys.push_back(pair[0]);
      groups.emplace_back();
    }
    groups[it->second].push_back(pair[1]);
  }
  Values values;
  auto list = duckdb::MapType::ValueType(type);
  for (auto& group : groups) values.push_back(list_like(list, std::move(group)));
  return Value::MAP(duckdb::MapType::KeyType(type), list, std::move(keys), std::move(values));
}

int64_t array_index(int64_t index, int64_t length) {
  if (index == 0) raise(Code::kInvalidFunctionArgument, "SQL array indices start at 1");
  if (index < 0)
    raise(Code::kInvalidFunctionArgument, "Array subscript is negative: " + std::to_string(index));
  if (index > length) {
    raise(Code::kInvalidFunctionArgument,
          "Array subscript must be less than or equal to array length: " + std::to_string(index) +
              " > " + std::to_string(length));
  }
  return index;
}

int64_t check_step(int64_t start, int64_t stop, int64_t step) {
  if (step == 0) raise(Code::kInvalidFunctionArgument, "step must not be zero");
  if ((step > 0) != (stop >= start) && start != stop) {
    raise(Code::kInvalidFunctionArgument,
          "sequence stop value should be greater than or equal to start value if step is greater "
          "than zero otherwise stop should be less than or equal to start");
  }
  const __int128 count = (static_cast<__int128>(stop) - start) / step + 1;
  if (count > 10000)
    raise(Code::kInvalidFunctionArgument,
          "result of sequence function must not have more than 10000 entries");
  return static_cast<int64_t>(count);
}

Value sequence(const Values& in, const LogicalType&) {
  const int64_t start = in[0].GetValue<int64_t>(), stop = in[1].GetValue<int64_t>(),
                step = in[2].GetValue<int64_t>();
  const int64_t count = check_step(start, stop, step);
  Values out;
  for (int64_t i = 0; i < count; ++i) out.push_back(Value::BIGINT(start + i * step));
  return Value::LIST(kLong, std::move(out));
}

/// Steps from start to stop; months keep the day of the start where the month has it.
template <class Emit>
void step_times(int64_t start, int64_t stop, duckdb::interval_t step, Emit emit) {
  constexpr int64_t kDay = 86400000000;
  const int64_t micros = step.days * kDay + step.micros;
  if (step.months == 0) {
    const int64_t count = check_step(start, stop, micros);
    for (int64_t i = 0; i < count; ++i) emit(start + i * micros);
    return;
  }
  int64_t days = start / kDay, rest = start % kDay;
  if (rest < 0) rest += kDay, --days;
  int64_t year;
  int month, day;
  civil_of(days, year, month, day);
  for (int64_t i = 0;; ++i) {
    const int64_t total = year * 12 + month - 1 + i * step.months;
    const int64_t y = total >= 0 ? total / 12 : (total - 11) / 12;
    const int m = static_cast<int>(total - y * 12) + 1;
    const int64_t at = days_of(y, m, std::min(day, month_days(y, m))) * kDay + rest;
    if (step.months > 0 ? at > stop : at < stop) return;
    if (i >= 10000)
      raise(Code::kInvalidFunctionArgument,
            "result of sequence function must not have more than 10000 entries");
    emit(at);
  }
}

Value date_sequence(const Values& in, const LogicalType&) {
  Values out;
  const auto day = [](const Value& v) {
    return int64_t{v.GetValue<duckdb::date_t>().days} * 86400000000;
  };
  const auto step = in[2].GetValue<duckdb::interval_t>();
  if (step.micros % 86400000000 != 0)
    raise(Code::kInvalidFunctionArgument,
          "sequence step must be a day interval if start and end values are dates");
  step_times(day(in[0]), day(in[1]), step, [&](int64_t micros) {
    out.push_back(Value::DATE(duckdb::date_t(static_cast<int32_t>(micros / 86400000000))));
  });
  return Value::LIST(LogicalType::DATE, std::move(out));
}
Value time_sequence(const Values& in, const LogicalType&) {
  Values out;
  step_times(in[0].GetValue<duckdb::timestamp_t>().value,
             in[1].GetValue<duckdb::timestamp_t>().value, in[2].GetValue<duckdb::interval_t>(),
             [&](int64_t micros) { out.push_back(Value::TIMESTAMP(duckdb::timestamp_t(micros))); });
  return Value::LIST(LogicalType::TIMESTAMP, std::move(out));
}

int64_t slice_start(int64_t start, int64_t length) {
  if (start == 0) raise(Code::kInvalidFunctionArgument, "SQL array indices start at 1");
  if (start < 0) return -start > length ? length + 1 : length + start + 1;
  return start;
}
int64_t slice_end(int64_t start, int64_t count, int64_t length) {
  if (count < 0) raise(Code::kInvalidFunctionArgument, "length must be greater than or equal to 0");
  if (start < 0 && -start > length) return length;
  return slice_start(start, length) + std::min(count, length) - 1;
}

void array_join(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  const bool constant = args.AllConstant();
  for (size_t row = 0; row < (constant ? 1 : args.size()); ++row) {
    const Value list = args.data[0].GetValue(row), by = args.data[1].GetValue(row),
                null = args.data[2].GetValue(row);
    if (list.IsNull() || by.IsNull()) {
      result.SetValue(row, Value(kText));
      continue;
    }
    std::string out;
    bool first = true;
    for (auto& value : duckdb::ListValue::GetChildren(list)) {
      if (value.IsNull() && null.IsNull()) continue;
      if (!first) out += duckdb::StringValue::Get(by);
      first = false;
      out += duckdb::StringValue::Get(value.IsNull() ? null : value);
    }
    result.SetValue(row, Value(out));
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

/// A pattern of LIKE in which the escape stands only before %, _ and itself.
std::string like_pattern(View pattern, View escape) {
  for (size_t at = 0; !escape.empty() && at < pattern.size(); ++at) {
    if (!pattern.substr(at).starts_with(escape)) continue;
    at += escape.size();
    const View next = pattern.substr(std::min(at, pattern.size()));
    if (!next.starts_with('%') && !next.starts_with('_') && !next.starts_with(escape))
      raise(Code::kInvalidFunctionArgument,
            "Escape character must be followed by '%', '_' or the escape character itself");
  }
  return std::string(pattern);
}

void add_special(duckdb::ExtensionLoader& loader, duckdb::ScalarFunction function) {
  function.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  function.SetFallible();
  loader.RegisterFunction(std::move(function));
}

}  // namespace

void register_array_kernels(duckdb::ExtensionLoader& loader) {
  const auto any_list = LogicalType::LIST(LogicalType::ANY);
  add_value_kernel(loader, "meesh_distinct", {any_list}, LogicalType::ANY, like_first, distinct);
  add_value_kernel(loader, "meesh_intersect", {any_list, any_list}, LogicalType::ANY, like_first,
                   filter_by<true>);
  add_value_kernel(loader, "meesh_except", {any_list, any_list}, LogicalType::ANY, like_first,
                   filter_by<false>);
  add_value_kernel(loader, "meesh_remove", {any_list, LogicalType::ANY}, LogicalType::ANY,
                   like_first, remove);
  add_value_kernel(loader, "meesh_reverse_list", {any_list}, LogicalType::ANY, like_first,
                   [](const Values& in, const LogicalType& type) {
                     auto& values = duckdb::ListValue::GetChildren(in[0]);
                     return list_like(type, Values(values.rbegin(), values.rend()));
                   });
  add_value_kernel(loader, "meesh_map_filter",
                   {LogicalType::MAP(LogicalType::ANY, LogicalType::ANY), LogicalType::LIST(kBool)},
                   LogicalType::ANY, like_first, map_filter);
  add_value_kernel(loader, "meesh_shuffle", {any_list, kDouble}, LogicalType::ANY, like_first,
                   shuffle);
  add_value_kernel(loader, "meesh_map_agg", {any_list}, LogicalType::ANY, map_of_entries, map_agg);
  add_value_kernel(loader, "meesh_multimap", {any_list}, LogicalType::ANY, multimap_of_entries,
                   multimap);
  add_value_kernel(loader, "meesh_sequence", {kLong, kLong, kLong}, LogicalType::LIST(kLong),
                   nullptr, sequence);
  add_value_kernel(loader, "meesh_date_sequence",
                   {LogicalType::DATE, LogicalType::DATE, LogicalType::INTERVAL},
                   LogicalType::LIST(LogicalType::DATE), nullptr, date_sequence);
  add_value_kernel(loader, "meesh_time_sequence",
                   {LogicalType::TIMESTAMP, LogicalType::TIMESTAMP, LogicalType::INTERVAL},
                   LogicalType::LIST(LogicalType::TIMESTAMP), nullptr, time_sequence);
  add_kernel<int64_t, int64_t>(loader, "meesh_array_index", {kLong, kLong}, kLong, array_index);
  add_kernel<int64_t>(loader, "meesh_array_element", {kLong}, kLong, [](int64_t index) {
    if (index == 0) raise(Code::kInvalidFunctionArgument, "SQL array indices start at 1");
    return index;
  });
  add_kernel<bool, View>(
      loader, "meesh_key_found", {kBool, kText}, kBool, [](bool found, View key) {
        if (!found)
          raise(Code::kInvalidFunctionArgument, "Key not present in map: " + std::string(key));
        return true;
      });
  add_kernel<View>(loader, "meesh_fail", {kText}, kBool, [](View message) -> bool {
    raise(Code::kGenericUserError, std::string(message));
  });
  add_kernel<int64_t>(loader, "meesh_repeat_count", {kLong}, kLong, [](int64_t count) {
    if (count > 10000)
      raise(Code::kInvalidFunctionArgument,
            "count argument of repeat function must be less than or equal to 10000");
    if (count < 0)
      raise(Code::kInvalidFunctionArgument,
            "count argument of repeat function must be greater than or equal to 0");
    return count;
  });
  add_kernel<int64_t, int64_t>(
      loader, "meesh_trim_count", {kLong, kLong}, kLong, [](int64_t size, int64_t length) {
        if (size < 0)
          raise(Code::kInvalidFunctionArgument,
                "size must not be negative: " + std::to_string(size));
        if (size > length)
          raise(Code::kInvalidFunctionArgument, "size must not exceed array cardinality " +
                                                    std::to_string(length) + ": " +
                                                    std::to_string(size));
        return size;
      });
  add_kernel<int64_t, int64_t>(loader, "meesh_slice_start", {kLong, kLong}, kLong, slice_start);
  add_kernel<int64_t, int64_t, int64_t>(loader, "meesh_slice_end", {kLong, kLong, kLong}, kLong,
                                        slice_end);
  add_kernel<duckdb::hugeint_t>(
      loader, "meesh_sum_bigint", {LogicalType::HUGEINT}, kLong, [](duckdb::hugeint_t sum) {
        int64_t out;
        if (!duckdb::Hugeint::TryCast(sum, out))
          raise(Code::kNumericValueOutOfRange, "bigint addition overflow");
        return out;
      });
  register_json_array_kernels(loader);
  add_kernel<View, View>(loader, "meesh_like_pattern", {kText, kText}, kText, like_pattern);
  add_special(loader,
              duckdb::ScalarFunction("meesh_array_join", {LogicalType::LIST(kText), kText, kText},
                                     kText, array_join));
  duckdb::ScalarFunction json_size(
      "meesh_json_size", {kText, LogicalType::UBIGINT, kLong}, kLong,
      [](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
        const bool constant = args.AllConstant();
        for (size_t row = 0; row < (constant ? 1 : args.size()); ++row) {
          const Value type = args.data[0].GetValue(row);
          Value out(kLong);
          if (!type.IsNull()) {
            const std::string name = type.ToString();
            out = name == "ARRAY"    ? args.data[1].GetValue(row)
                  : name == "OBJECT" ? args.data[2].GetValue(row)
                                     : Value::BIGINT(0);
            out = out.DefaultCastAs(kLong);
          }
          result.SetValue(row, out);
        }
        if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
      });
  add_special(loader, std::move(json_size));
}

}  // namespace meesh::engine
