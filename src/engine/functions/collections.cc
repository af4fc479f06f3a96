// Arrays and maps made of others: n-grams, combinations, counts, maps from text, maps put together,
// sorting by a comparator.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/functions/coercion.h"
#include "engine/functions/rules.h"
#include "engine/functions/value_kernels.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::Value;
using Bound = duckdb::unique_ptr<duckdb::FunctionData>;
using Arguments = duckdb::vector<ExprPtr>;

[[noreturn]] void refuse(const std::string& message) {
  raise(Code::kInvalidFunctionArgument, message);
}
const Values& list_of(const Value& value) { return duckdb::ListValue::GetChildren(value); }

Bound list_of_first(duckdb::ClientContext&, duckdb::ScalarFunction& function, Arguments& args) {
  take_types(function, args);
  function.SetReturnType(LogicalType::LIST(args[0]->return_type));
  return nullptr;
}
Bound counts_of_first(duckdb::ClientContext&, duckdb::ScalarFunction& function, Arguments& args) {
  take_types(function, args);
  function.SetReturnType(
      LogicalType::MAP(duckdb::ListType::GetChildType(args[0]->return_type), kLong));
  return nullptr;
}
Bound as_they_are(duckdb::ClientContext&, duckdb::ScalarFunction& function, Arguments& args) {
  take_types(function, args);
  return nullptr;
}
Bound element_of_first(duckdb::ClientContext&, duckdb::ScalarFunction& function, Arguments& args) {
  take_types(function, args);
  function.SetReturnType(duckdb::ListType::GetChildType(args[0]->return_type));
  return nullptr;
}
Bound like_first(duckdb::ClientContext&, duckdb::ScalarFunction& function, Arguments& args) {
  take_types(function, args);
  function.SetReturnType(args[0]->return_type);
  return nullptr;
}

// ---------------------------------------------------------------- arrays of arrays

Value ngrams(const Values& in, const LogicalType& type) {
  const auto& items = list_of(in[0]);
  const int32_t n = in[1].GetValue<int32_t>();
  if (n <= 0) refuse("N must be positive");
  const size_t width = std::min(items.size(), static_cast<size_t>(n));
  const auto inner = duckdb::ListType::GetChildType(type);
  Values out;
  for (size_t at = 0; at + width <= items.size(); ++at) {
    const auto first = items.begin() + static_cast<ptrdiff_t>(at);
    out.push_back(list_like(inner, Values(first, first + static_cast<ptrdiff_t>(width))));
  }
  return list_like(type, std::move(out));
}

void check_combinations(size_t items, int32_t n) {
  constexpr int64_t kMostElements = 100'000;
  __int128 count = 1;
  for (int32_t i = 1; i <= n; ++i) {
    count *= static_cast<int64_t>(items) - n + i;
    if (count > std::numeric_limits<int32_t>::max()) {
      refuse("Number of combinations too large for array of size " + std::to_string(items) +
             " and combination length " + std::to_string(n));
    }
    count /= i;
  }
  if (count * n > kMostElements) refuse("combinations exceed max size");
}

/// In Trino's order: the first positions change fastest.
Value combinations(const Values& in, const LogicalType& type) {
  const auto& items = list_of(in[0]);
  const int32_t n = in[1].GetValue<int32_t>();
  if (n < 0) refuse("combination size must not be negative: " + std::to_string(n));
  if (n > 5) refuse("combination size must not exceed 5: " + std::to_string(n));
  const auto size = static_cast<size_t>(n);
  if (size > items.size()) return list_like(type, {});
  check_combinations(items.size(), n);
  const auto inner = duckdb::ListType::GetChildType(type);
  std::vector<size_t> chosen(size + 1);
  for (size_t i = 0; i < size; ++i) chosen[i] = i;
  chosen[size] = items.size();
  Values out;
  for (size_t moved = 0; moved <= size;) {
    Values one;
    for (size_t i = 0; i < size; ++i) one.push_back(items[chosen[i]]);
    out.push_back(list_like(inner, std::move(one)));
    for (moved = 0; moved < size && chosen[moved] + 1 == chosen[moved + 1]; ++moved) {
    }
    if (moved == size) break;
    ++chosen[moved];
    for (size_t i = 0; i < moved; ++i) chosen[i] = i;
  }
  return list_like(type, std::move(out));
}

Value contains_sequence(const Values& in, const LogicalType&) {
  const auto &items = list_of(in[0]), &wanted = list_of(in[1]);
  const auto same = [](const Value& a, const Value& b) { return Value::NotDistinctFrom(a, b); };
  const auto found = std::search(items.begin(), items.end(), wanted.begin(), wanted.end(), same);
  return Value::BOOLEAN(wanted.empty() || found != items.end());
}

Value map_like(const LogicalType& type, Values keys, Values values) {
  return Value::MAP(duckdb::MapType::KeyType(type), duckdb::MapType::ValueType(type),
                    std::move(keys), std::move(values));
}

/// How often each element occurs, in the order of first occurrence; NULLs are not counted.
Value array_histogram(const Values& in, const LogicalType& type) {
  std::map<Value, size_t, ValueLess> places;
  Values keys;
  std::vector<int64_t> counts;
  for (const auto& item : list_of(in[0])) {
    if (item.IsNull()) continue;
    const auto [it, fresh] = places.try_emplace(item, keys.size());
    if (fresh) {
      keys.push_back(item);
      counts.push_back(0);
    }
    ++counts[it->second];
  }
  Values values;
  for (int64_t count : counts) values.push_back(Value::BIGINT(count));
  return map_like(type, std::move(keys), std::move(values));
}

// ---------------------------------------------------------------- maps from text

using Entries = std::vector<std::pair<std::string, std::string>>;

/// Calls `bad(entry)` for an entry that has not exactly one delimiter.
template <class F>
Entries split_entries(const Values& in, F bad) {
  const std::string &text = duckdb::StringValue::Get(in[0]), &by = duckdb::StringValue::Get(in[1]),
                    &equal = duckdb::StringValue::Get(in[2]);
  if (by.empty()) refuse("entryDelimiter is empty");
  if (equal.empty()) refuse("keyValueDelimiter is empty");
  if (by == equal) refuse("entryDelimiter and keyValueDelimiter must not be the same");
  Entries out;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(by, start), text.size());
    const std::string entry = text.substr(start, end - start);
    const size_t at = entry.find(equal);
    if (at == std::string::npos || entry.find(equal, at + equal.size()) != std::string::npos)
      bad(entry);
    out.emplace_back(entry.substr(0, at), entry.substr(at + equal.size()));
    start = end + by.size();
  }
  return out;
}

Value split_to_map(const Values& in, const LogicalType& type) {
  ValueSet seen;
  Values keys, values;
  for (auto& [key, value] : split_entries(in, [](const std::string& entry) {
         refuse("Key-value delimiter must appear exactly once in each entry. Bad input: '" + entry +
                "'");
       })) {
    if (!seen.insert(Value(key)).second) refuse("Duplicate keys (" + key + ") are not allowed");
    keys.emplace_back(key);
    values.emplace_back(value);
  }
  return map_like(type, std::move(keys), std::move(values));
}

Value split_to_multimap(const Values& in, const LogicalType& type) {
  std::map<std::string, size_t> places;
  Values keys;
  std::vector<Values> groups;
  for (auto& [key, value] : split_entries(in, [](const std::string& entry) {
         refuse("Key-value delimiter must appear exactly once in each entry. Bad input: " + entry);
       })) {
    const auto [it, fresh] = places.try_emplace(key, keys.size());
    if (fresh) {
      keys.emplace_back(key);
      groups.emplace_back();
    }
    groups[it->second].emplace_back(value);
  }
  Values values;
  for (auto& group : groups) values.push_back(Value::LIST(kText, std::move(group)));
  return map_like(type, std::move(keys), std::move(values));
}

// ---------------------------------------------------------------- several maps

using Entry = std::pair<Value, Value>;
std::vector<Entry> entries_of(const Value& map) {
  std::vector<Entry> out;
  for (const auto& entry : duckdb::MapValue::GetChildren(map)) {
    const auto& pair = duckdb::StructValue::GetChildren(entry);
    out.emplace_back(pair[0], pair[1]);
  }
  return out;
}

/// NaN when a vector has no length, NULL when one has a NULL.
Value sparse_cosine(const Values& in, const LogicalType& type) {
  std::map<Value, double, ValueLess> left;
  double product = 0, left_square = 0, right_square = 0;
  for (const auto& [key, value] : entries_of(in[0])) {
    if (value.IsNull()) return Value(type);
    left[key] = value.GetValue<double>();
    left_square += left[key] * left[key];
  }
  for (const auto& [key, value] : entries_of(in[1])) {
    if (value.IsNull()) return Value(type);
    const double v = value.GetValue<double>();
    right_square += v * v;
    if (auto found = left.find(key); found != left.end()) product += found->second * v;
  }
  const double length = std::sqrt(left_square) * std::sqrt(right_square);
  return Value::DOUBLE(length == 0 ? std::nan("") : product / length);
}

/// The maps of a group as one; of a key that several have, the first value.
Value map_union(const Values& in, const LogicalType& type) {
  ValueSet seen;
  Values keys, values;
  bool any = false;
  for (const auto& map : list_of(in[0])) {
    if (map.IsNull()) continue;
    any = true;
    for (auto& [key, value] : entries_of(map)) {
      if (!seen.insert(key).second) continue;
      keys.push_back(key);
      values.push_back(value);
    }
  }
  return any ? map_like(type, std::move(keys), std::move(values)) : Value(type);
}

Bound bind_zipped(duckdb::ClientContext&, duckdb::ScalarFunction& function, Arguments& args) {
  take_types(function, args);
  const auto &left = args[0]->return_type, &right = args[1]->return_type;
  function.SetReturnType(
      LogicalType::LIST(LogicalType::STRUCT({{"k", duckdb::MapType::KeyType(left)},
                                             {"a", duckdb::MapType::ValueType(left)},
                                             {"b", duckdb::MapType::ValueType(right)}})));
  return nullptr;
}

/// (key, value of the first map, value of the second) of every key: first those of the first map.
Value zip_maps(const Values& in, const LogicalType& type) {
  const auto& fields = duckdb::StructType::GetChildTypes(duckdb::ListType::GetChildType(type));
  std::map<Value, Value, ValueLess> second;
  for (auto& [key, value] : entries_of(in[1])) second.emplace(key, value);
  Values out;
  const auto add = [&](const Value& key, Value a, Value b) {
    out.push_back(Value::STRUCT({{"k", key}, {"a", std::move(a)}, {"b", std::move(b)}}));
  };
  ValueSet seen;
  for (auto& [key, value] : entries_of(in[0])) {
    const auto found = second.find(key);
    seen.insert(key);
    add(key, value, found == second.end() ? Value(fields[2].second) : found->second);
  }
  for (auto& [key, value] : entries_of(in[1]))
    if (!seen.contains(key)) add(key, Value(fields[1].second), value);
  return list_like(type, std::move(out));
}

/// Both maps with one type of keys.
void unify_keys(const Build& build, Exprs& args) {
  for (auto& arg : args) {
    if (arg->return_type.id() != LogicalTypeId::MAP)
      raise(Code::kFunctionNotFound,
            "Unexpected parameters (" + shown(type_of(*args[0])) + ", " + shown(type_of(*args[1])) +
                ", <function>) for function map_zip_with. Expected: map_zip_with(map(K,V1), "
                "map(K,V2), function(K,V1,V2,V3)) K, V1, V2, V3",
            arg.get());
  }
  const auto left = type_of(*args[0]), right = type_of(*args[1]);
  const auto key = common_type(left.children[0], right.children[0]);
  if (!key)
    raise(Code::kTypeMismatch,
          "The keys of both maps must have one type: " + shown(left.children[0]) + " and " +
              shown(right.children[0]),
          args[1].get());
  args[0] = build.plain(
      build.coerce(std::move(args[0]), to_duckdb(sql::Type::map(*key, left.children[1]))));
  args[1] = build.plain(
      build.coerce(std::move(args[1]), to_duckdb(sql::Type::map(*key, right.children[1]))));
}
ExprPtr zipped(const Build& build, Exprs args) {
  unify_keys(build, args);
  return build.call("meesh_zip_maps", std::move(args));
}
ExprPtr zipped_keys(const Build& build, Exprs args) {
  unify_keys(build, args);
  return expand_text(build,
                     "CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL ELSE "
                     "meesh_distinct(list_concat(map_keys($1), map_keys($2))) END",
                     args);
}

// ---------------------------------------------------------------- sorting by a comparator

Bound bind_pairs(duckdb::ClientContext&, duckdb::ScalarFunction& function, Arguments& args) {
  take_types(function, args);
  const auto element = duckdb::ListType::GetChildType(args[0]->return_type);
  function.SetReturnType(LogicalType::LIST(LogicalType::STRUCT({{"a", element}, {"b", element}})));
  return nullptr;
}

/// (items[i], items[j]) of all i < j, i outermost: what the comparator is asked.
Value all_pairs(const Values& in, const LogicalType& type) {
  constexpr size_t kMost = 2000;
  const auto& items = list_of(in[0]);
  if (items.size() > kMost)
    raise(Code::kNotSupported, "array_sort with a comparator takes at most 2000 elements, not " +
                                   std::to_string(items.size()));
  Values out;
  for (size_t i = 0; i < items.size(); ++i)
    for (size_t j = i + 1; j < items.size(); ++j)
      out.push_back(Value::STRUCT({{"a", items[i]}, {"b", items[j]}}));
  return list_like(type, std::move(out));
}

/// `in[1]` are the comparator's answers for all_pairs(in[0]).
Value sort_by_answers(const Values& in, const LogicalType& type) {
  const auto &items = list_of(in[0]), &answers = list_of(in[1]);
  const size_t n = items.size();
  std::vector<int> order(n * n);
  size_t next = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i + 1; j < n; ++j, ++next) {
      const int64_t answer = answers[next].IsNull() ? 2 : answers[next].GetValue<int64_t>();
      if (answer < -1 || answer > 1) refuse("Lambda comparator must return either -1, 0, or 1");
      order[i * n + j] = static_cast<int>(answer);
      order[j * n + i] = static_cast<int>(-answer);
    }
  }
  // By insertion: whatever a contradictory comparator says, this ends and loses nothing.
  std::vector<size_t> places;
  for (size_t i = 0; i < n; ++i) {
    size_t at = places.size();
    while (at > 0 && order[places[at - 1] * n + i] > 0) --at;
    places.insert(places.begin() + static_cast<ptrdiff_t>(at), i);
  }
  Values out;
  for (size_t place : places) out.push_back(items[place]);
  return list_like(type, std::move(out));
}

ExprPtr pairs_of_all(const Build& build, Exprs args) {
  if (args[0]->return_type.id() != LogicalTypeId::LIST)
    raise(Code::kFunctionNotFound,
          "Unexpected parameters (" + shown(type_of(*args[0])) +
              ", <function>) for function array_sort. Expected: array_sort(array(E)) E:orderable, "
              "array_sort(array(T), function(T,T,integer)) T",
          args[0].get());
  return build.call("meesh_all_pairs", std::move(args[0]));
}
ExprPtr sorted(const Build& build, Exprs args) {
  args[1] = build.native_cast(std::move(args[1]), LogicalType::LIST(LogicalType::BIGINT));
  return build.call("meesh_sorted", std::move(args));
}
/// regexp_replace by a lambda: text, pattern and the replacements, lengths taken off.
ExprPtr regexp_groups(const Build& build, Exprs args) {
  for (auto& arg : args) arg = build.native_cast(build.plain(std::move(arg)), LogicalType::VARCHAR);
  return build.call("meesh_regexp_groups", std::move(args));
}
ExprPtr regexp_joined(const Build& build, Exprs args) {
  args[2] = build.native_cast(build.plain(std::move(args[2])), LogicalType::LIST(kText));
  for (size_t i = 0; i < 2; ++i)
    args[i] = build.native_cast(build.plain(std::move(args[i])), LogicalType::VARCHAR);
  return build.call("meesh_regexp_joined", std::move(args));
}
ExprPtr map_union_result(const Build& build, Exprs args) {
  return build.call("meesh_map_union", std::move(args[0]));
}

}  // namespace

void register_collection_kernels(duckdb::ExtensionLoader& loader) {
  const auto any = LogicalType(LogicalType::ANY);
  const auto any_list = LogicalType::LIST(any), any_map = LogicalType::MAP(any, any);
  add_value_kernel(loader, "meesh_ngrams", {any_list, kInt}, any, list_of_first, ngrams);
  add_value_kernel(loader, "meesh_combinations", {any_list, kInt}, any, list_of_first,
                   combinations);
  add_value_kernel(loader, "meesh_contains_sequence", {any_list, any_list}, kBool, as_they_are,
                   contains_sequence);
  add_value_kernel(loader, "meesh_array_histogram", {any_list}, any, counts_of_first,
                   array_histogram);
  add_value_kernel(loader, "meesh_split_to_map", {kText, kText, kText},
                   LogicalType::MAP(kText, kText), nullptr, split_to_map);
  add_value_kernel(loader, "meesh_split_to_multimap", {kText, kText, kText},
                   LogicalType::MAP(kText, LogicalType::LIST(kText)), nullptr, split_to_multimap);
  const auto vector = LogicalType::MAP(kText, kDouble);
  add_value_kernel(loader, "meesh_sparse_cosine", {vector, vector}, kDouble, nullptr,
                   sparse_cosine);
  add_value_kernel(loader, "meesh_map_union", {any_list}, any, element_of_first, map_union);
  add_value_kernel(loader, "meesh_zip_maps", {any_map, any_map}, any, bind_zipped, zip_maps);
  add_value_kernel(loader, "meesh_all_pairs", {any_list}, any, bind_pairs, all_pairs);
  add_value_kernel(loader, "meesh_sorted", {any_list, LogicalType::LIST(kLong)}, any, like_first,
                   sort_by_answers);
}

const std::vector<NamedHook>& collection_hooks() {
  static const std::vector<NamedHook> hooks = {
      {"trino_zipped_maps", zipped},
      {"trino_zipped_keys", zipped_keys},
      {"trino_all_pairs", pairs_of_all},
      {"trino_sorted", sorted},
      {"trino_map_union_result", map_union_result},
      {"trino_regexp_groups", regexp_groups},
      {"trino_regexp_joined", regexp_joined},
  };
  return hooks;
}

}  // namespace meesh::engine
