// What aggregates do with the rows of a group once they are one list: checksum, histograms,
// frequent values, weighted percentiles.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "engine/functions/coercion.h"
#include "engine/functions/rules.h"
#include "engine/functions/value_kernels.h"
#include "engine/int128.h"

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
/// The arguments of one row, as the aggregate packed them.
const Values& row_of(const Value& value) { return duckdb::StructValue::GetChildren(value); }

// ---------------------------------------------------------------- checksum

uint64_t hash_long(int64_t value) {
  char bytes[8];
  std::memcpy(bytes, &value, 8);
  return xxhash64({bytes, 8});
}

uint64_t hash_value(const Value& value);

/// What does not fit in 64 bits: a whole part and the picoseconds below it.
uint64_t hash_parts(int64_t whole, int64_t picos) { return hash_long(whole) ^ hash_long(picos); }

/// Sixteen bytes, as two numbers in little endian.
uint64_t hash_halves(const char* bytes) {
  int64_t halves[2];
  std::memcpy(halves, bytes, sizeof(halves));
  return hash_long(halves[0]) ^ hash_long(halves[1]);
}

/// Of microseconds since the epoch, or a smaller unit of which `units` are one.
uint64_t hash_timestamp(int64_t value, int64_t units) {
  constexpr int64_t kPicos = 1'000'000;  // in a microsecond
  const int64_t rest = (value % units + units) % units;
  return hash_parts((value - rest) / units, rest * (kPicos / units));
}

/// Of a moment in microseconds; in Trino milliseconds, and what is finer beside them.
uint64_t hash_moment(int64_t micros, int precision) {
  const int64_t rest = (micros % 1000 + 1000) % 1000, millis = (micros - rest) / 1000;
  return precision <= 3 ? hash_long(millis) : hash_parts(millis, rest * 1'000'000);
}

uint64_t hash_uuid(const Value& value) {
  const auto bits = value.GetValueUnsafe<duckdb::hugeint_t>();
  const uint64_t halves[2] = {
      __builtin_bswap64(static_cast<uint64_t>(bits.upper) ^ uint64_t{1} << 63),
      __builtin_bswap64(bits.lower)};
  char bytes[16];
  std::memcpy(bytes, halves, sizeof(bytes));
  return hash_halves(bytes);
}

uint64_t hash_interval(const Value& value) {
  const auto interval = value.GetValueUnsafe<duckdb::interval_t>();
  if (from_duckdb(value.type()).kind == sql::TypeKind::kIntervalYearToMonth)
    return hash_long(interval.months);
  constexpr int64_t kDay = 86'400'000;  // milliseconds
  return hash_long(interval.days * kDay + interval.micros / 1000);
}

/// Of the time in UTC, in nanoseconds.
uint64_t hash_zoned_time(const Value& value) {
  const auto time = value.GetValueUnsafe<duckdb::dtime_tz_t>();
  constexpr int64_t kDay = 86'400'000'000;  // microseconds
  const int64_t micros = time.time().micros - int64_t{time.offset()} * 1'000'000;
  return hash_long((micros % kDay + kDay) % kDay * 1000);
}

/// A text; that of a char without the spaces that fill it.
uint64_t hash_text(const Value& value) {
  std::string_view text = duckdb::StringValue::Get(value);
  const auto kind = from_duckdb(value.type()).kind;
  if (kind == sql::TypeKind::kChar) text = text.substr(0, text.find_last_not_of(' ') + 1);
  if (kind == sql::TypeKind::kIpaddress && text.size() == 16) return hash_halves(text.data());
  return xxhash64(text);
}

uint64_t hash_nested(const Value& value) {
  uint64_t out = 0;
  switch (value.type().id()) {
    case LogicalTypeId::MAP:
      for (const auto& entry : duckdb::MapValue::GetChildren(value))
        out += hash_value(row_of(entry)[0]) ^ hash_value(row_of(entry)[1]);
      return out;
    case LogicalTypeId::STRUCT:
      out = 1;
      for (const auto& field : row_of(value)) out = out * 31 + hash_value(field);
      return out;
    default:
      for (const auto& item : list_of(value)) out = out * 31 + hash_value(item);
      return out;
  }
}

/// Trino's hash of a value: xxHash64 of its 64 bits or of its bytes; 0 for NULL.
uint64_t hash_value(const Value& value) {
  if (value.IsNull()) return 0;
  switch (value.type().id()) {
    case LogicalTypeId::BOOLEAN:
      return hash_long(value.GetValue<bool>() ? 1 : 0);
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::BIGINT:
      return hash_long(value.GetValue<int64_t>());
    case LogicalTypeId::DATE:
      return hash_long(value.GetValueUnsafe<duckdb::date_t>().days);
    case LogicalTypeId::FLOAT: {
      const float v = value.GetValue<float>();
      return hash_long(std::bit_cast<int32_t>(v == 0 ? 0.0F : v));
    }
    case LogicalTypeId::DOUBLE: {
      const double v = value.GetValue<double>();
      return hash_long(std::bit_cast<int64_t>(v == 0 ? 0.0 : v));
    }
    case LogicalTypeId::TIME:
      return hash_long(value.GetValueUnsafe<duckdb::dtime_t>().micros * 1'000'000);
    case LogicalTypeId::TIMESTAMP:
      return hash_long(value.GetValueUnsafe<duckdb::timestamp_t>().value);
    case LogicalTypeId::TIMESTAMP_TZ:
      return hash_moment(value.GetValueUnsafe<duckdb::timestamp_t>().value,
                         from_duckdb(value.type()).precision);
    case LogicalTypeId::TIMESTAMP_NS:
      return hash_timestamp(value.GetValueUnsafe<duckdb::timestamp_t>().value, 1000);
    case LogicalTypeId::TIME_TZ:
      return hash_zoned_time(value);
    case LogicalTypeId::INTERVAL:
      return hash_interval(value);
    case LogicalTypeId::UUID:
      return hash_uuid(value);
    case LogicalTypeId::DECIMAL: {
      const auto whole = duckdb::IntegralValue::Get(value);
      if (duckdb::DecimalType::GetWidth(value.type()) <= 18)
        return hash_long(static_cast<int64_t>(whole.lower));
      return hash_long(whole.upper) ^ hash_long(static_cast<int64_t>(whole.lower));
    }
    case LogicalTypeId::HUGEINT: {  // picoseconds since the epoch
      constexpr int64_t kMicro = 1'000'000;
      const __int128 picos = wide(value.GetValueUnsafe<duckdb::hugeint_t>());
      const auto rest = static_cast<int64_t>((picos % kMicro + kMicro) % kMicro);
      return hash_parts(static_cast<int64_t>((picos - rest) / kMicro), rest);
    }
    case LogicalTypeId::LIST:
    case LogicalTypeId::MAP:
    case LogicalTypeId::STRUCT:
      return hash_nested(value);
    case LogicalTypeId::BLOB:
    case LogicalTypeId::VARCHAR:
      return hash_text(value);
    default:
      return xxhash64(value.ToString());
  }
}

/// The sum of the rows' hashes, least significant byte first.
Value checksum(const Values& in, const LogicalType&) {
  constexpr uint64_t kPrime = 0x9E3779B185EBCA87;
  uint64_t sum = 0;
  for (const auto& value : list_of(in[0]))
    sum += value.IsNull() ? kPrime : hash_value(value) * kPrime;
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &sum, 8);
  return Value::BLOB_RAW(bytes);
}

// ---------------------------------------------------------------- histograms

struct Bucket {
  double value, weight;
};

/// What joining two neighbours costs: the variance it hides.
double cost(const Bucket& a, const Bucket& b) {
  const double both = a.weight + b.weight, apart = a.value - b.value;
  return apart * apart * a.weight * b.weight / both;
}

/// Joins equal values, then the cheapest neighbours until `most` buckets are left.
std::vector<Bucket> narrowed(std::vector<Bucket> rows, size_t most) {
  std::sort(rows.begin(), rows.end(),
            [](const Bucket& a, const Bucket& b) { return a.value < b.value; });
  std::vector<Bucket> out;
  for (const auto& row : rows) {
    if (!out.empty() && out.back().value == row.value)
      out.back().weight += row.weight;
    else
      out.push_back(row);
  }
  while (out.size() > most) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < out.size(); ++i)
      if (cost(out[i], out[i + 1]) < cost(out[best], out[best + 1])) best = i;
    Bucket &left = out[best], &right = out[best + 1];
    const double weight = left.weight + right.weight;
    left.value = (left.value * left.weight + right.value * right.weight) / weight;
    left.weight = weight;
    out.erase(out.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
  return out;
}

Bound bind_histogram(duckdb::ClientContext&, duckdb::ScalarFunction& function, Arguments& args) {
  take_types(function, args);
  const auto& fields =
      duckdb::StructType::GetChildTypes(duckdb::ListType::GetChildType(args[0]->return_type));
  function.SetReturnType(LogicalType::MAP(fields[1].second, fields[1].second));
  return nullptr;
}

/// Rows of (buckets, value[, weight]). The buffer of a hundred rows keeps the joining cheap.
Value numeric_histogram(const Values& in, const LogicalType& type) {
  constexpr size_t kBuffer = 100;
  std::vector<Bucket> held;
  int64_t most = 0;
  for (const auto& packed : list_of(in[0])) {
    const auto& row = row_of(packed);
    if (std::any_of(row.begin(), row.end(), [](const Value& v) { return v.IsNull(); })) continue;
    if (most == 0) most = row[0].GetValue<int64_t>();
    if (most < 2) refuse("numeric_histogram bucket count must be greater than one");
    held.push_back({row[1].GetValue<double>(), row.size() > 2 ? row[2].GetValue<double>() : 1.0});
    if (held.size() >= static_cast<size_t>(most) + kBuffer)
      held = narrowed(std::move(held), static_cast<size_t>(most));
  }
  if (most == 0) return Value(type);
  Values keys, values;
  const auto kind = duckdb::MapType::KeyType(type);
  for (const auto& bucket : narrowed(std::move(held), static_cast<size_t>(most))) {
    keys.push_back(Value::DOUBLE(bucket.value).DefaultCastAs(kind));
    values.push_back(Value::DOUBLE(bucket.weight).DefaultCastAs(kind));
  }
  return Value::MAP(kind, kind, std::move(keys), std::move(values));
}

Bound bind_frequent(duckdb::ClientContext&, duckdb::ScalarFunction& function, Arguments& args) {
  take_types(function, args);
  const auto& fields =
      duckdb::StructType::GetChildTypes(duckdb::ListType::GetChildType(args[0]->return_type));
  function.SetReturnType(LogicalType::MAP(fields[1].second, kLong));
  return nullptr;
}

/// Rows of (buckets, value, capacity). Counted exactly, so that the capacity bounds nothing.
Value most_frequent(const Values& in, const LogicalType& type) {
  std::map<Value, int64_t, ValueLess> counts;
  int64_t most = 0;
  for (const auto& packed : list_of(in[0])) {
    const auto& row = row_of(packed);
    if (row[0].IsNull() || row[1].IsNull() || row[2].IsNull()) continue;
    most = row[0].GetValue<int64_t>();
    if (most < 2)
      refuse("approx_most_frequent bucket count must be greater than one, input bucket count: " +
             std::to_string(most));
    ++counts[row[1]];
  }
  if (most == 0) return Value(type);
  std::vector<std::pair<Value, int64_t>> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : ValueLess()(a.first, b.first);
  });
  if (sorted.size() > static_cast<size_t>(most)) sorted.resize(static_cast<size_t>(most));
  Values keys, values;
  for (auto& [value, count] : sorted) {
    keys.push_back(value);
    values.push_back(Value::BIGINT(count));
  }
  return Value::MAP(duckdb::MapType::KeyType(type), kLong, std::move(keys), std::move(values));
}

// ---------------------------------------------------------------- listagg, max_by

constexpr size_t kMostText = size_t{1} << 20;  // bytes that LISTAGG gives

std::string short_enough(std::string_view text) {
  if (text.size() > kMostText)
    raise(Code::kExceededFunctionMemoryLimit,
          "Concatenated string has the length in bytes larger than the maximum output length " +
              std::to_string(kMostText));
  return std::string(text);
}

/// Rows of (value, separator, filler, whether to count): what fits, then the filler and how many
/// values are left out.
Value truncated_list(const Values& in, const LogicalType&) {
  std::string out, separator, filler;
  int64_t left_out = 0;
  bool first = true, counted = false;
  for (const auto& packed : list_of(in[0])) {
    const auto& row = row_of(packed);
    if (row[0].IsNull()) continue;
    if (first) {
      separator = duckdb::StringValue::Get(row[1]);
      filler = duckdb::StringValue::Get(row[2]);
      counted = row[3].GetValue<bool>();
    }
    const auto& value = duckdb::StringValue::Get(row[0]);
    const size_t grown = out.size() + (first ? 0 : separator.size()) + value.size();
    if (left_out > 0 || grown > kMostText) {
      ++left_out;
    } else {
      out += (first ? "" : separator) + value;
    }
    first = false;
  }
  if (first) return Value(LogicalType::VARCHAR);
  if (left_out > 0) out += separator + filler;
  if (left_out > 0 && counted) out += "(" + std::to_string(left_out) + ")";
  return Value(out);
}

/// Entries of a map as they are; none may be NULL, nor its key.
Value whole_entries(const Values& in, const LogicalType&) {
  for (const auto& entry : list_of(in[0])) {
    if (entry.IsNull()) refuse("map entry cannot be null");
    if (row_of(entry)[0].IsNull()) refuse("map key cannot be null");
  }
  return in[0];
}

Bound bind_whole(duckdb::ClientContext&, duckdb::ScalarFunction& function, Arguments& args) {
  take_types(function, args);
  function.SetReturnType(args[0]->return_type);
  return nullptr;
}

/// Out of the rows that hold them.
Value unpacked_values(const Values& in, const LogicalType& type) {
  Values out;
  for (const auto& packed : list_of(in[0])) out.push_back(row_of(packed)[0]);
  return list_like(type, std::move(out));
}

Bound bind_unpacked(duckdb::ClientContext&, duckdb::ScalarFunction& function, Arguments& args) {
  take_types(function, args);
  const auto& row = duckdb::ListType::GetChildType(args[0]->return_type);
  function.SetReturnType(LogicalType::LIST(duckdb::StructType::GetChildType(row, 0)));
  return nullptr;
}

// ---------------------------------------------------------------- hooks

template <const char* kKernel>
ExprPtr by_kernel(const Build& build, Exprs args) {
  return build.call(kKernel, std::move(args));
}
constexpr char kChecksum[] = "meesh_checksum";
constexpr char kHistogram[] = "meesh_numeric_histogram";
constexpr char kFrequent[] = "meesh_most_frequent";

/// A list of rows is what must still be put together.
bool is_packed(const LogicalType& type, const char* field) {
  if (type.id() != LogicalTypeId::LIST) return false;
  const auto& row = duckdb::ListType::GetChildType(type);
  return row.id() == LogicalTypeId::STRUCT && duckdb::StructType::GetChildName(row, 0) == field;
}
ExprPtr listagg_result(const Build& build, Exprs args) {
  const bool packed = is_packed(args[0]->return_type, "p0");
  return build.call(packed ? "meesh_truncated_list" : "meesh_short_enough", std::move(args));
}
/// What has no value, as the slope through one point, is NULL.
ExprPtr finite_result(const Build& build, Exprs args) {
  args[0] = build.call("trino_sum_result", std::move(args[0]));
  return expand_text(build, "CASE WHEN isfinite($1) THEN $1 ELSE NULL END", args);
}
ExprPtr by_result(const Build& build, Exprs args) {
  if (!is_packed(args[0]->return_type, "by")) return std::move(args[0]);
  return build.call("meesh_unpacked_values", std::move(args));
}

}  // namespace

void register_group_kernels(duckdb::ExtensionLoader& loader) {
  const auto any = LogicalType(LogicalType::ANY);
  const auto any_list = LogicalType::LIST(any);
  const auto as_it_is = [](duckdb::ClientContext&, duckdb::ScalarFunction& function,
                           Arguments& args) -> Bound {
    take_types(function, args);
    return nullptr;
  };
  add_value_kernel(loader, kChecksum, {any_list}, kBytes, as_it_is, checksum);
  add_value_kernel(loader, kHistogram, {any_list}, any, bind_histogram, numeric_histogram);
  add_value_kernel(loader, kFrequent, {any_list}, any, bind_frequent, most_frequent);
  add_value_kernel(loader, "meesh_truncated_list", {any_list}, kText, as_it_is, truncated_list);
  add_value_kernel(loader, "meesh_unpacked_values", {any_list}, any, bind_unpacked,
                   unpacked_values);
  add_value_kernel(loader, "meesh_whole_entries", {any_list}, any, bind_whole, whole_entries);
  add_kernel<std::string_view>(loader, "meesh_short_enough", {kText}, kText, short_enough);
}

const std::vector<NamedHook>& group_hooks() {
  static const std::vector<NamedHook> hooks = {
      {"trino_checksum_result", by_kernel<kChecksum>},
      {"trino_listagg_result", listagg_result},
      {"trino_by_result", by_result},
      {"trino_finite_result", finite_result},
      {"trino_numeric_histogram_result", by_kernel<kHistogram>},
      {"trino_most_frequent_result", by_kernel<kFrequent>},
  };
  return hooks;
}

}  // namespace meesh::engine
