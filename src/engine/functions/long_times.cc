#include "engine/functions/long_times.h"

#include <fmt/format.h>

#include "duckdb/common/vector_operations/unary_executor.hpp"
#include "engine/functions/cast_functions.h"
#include "engine/functions/coercion.h"
#include "engine/functions/text.h"
#include "engine/functions/zones.h"
#include "engine/int128.h"

namespace meesh::engine {
namespace {

using duckdb::CastParameters;
using duckdb::hugeint_t;
using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::string_t;
using duckdb::Vector;
using sql::Type;
using sql::TypeKind;

/// Picoseconds of one in the type's own counting.
__int128 unit_of(const Type& type) {
  if (type.kind == TypeKind::kDate) return kPicosOfDay;
  if (type.kind == TypeKind::kTime) return type.precision > 6 ? 1 : kPicosOfMicro;
  return type.precision > 9 ? 1 : type.precision > 6 ? 1000 : kPicosOfMicro;
}

__int128 power_of_ten(int n) {
  __int128 out = 1;
  for (int i = 0; i < n; ++i) out *= 10;
  return out;
}

/// Picoseconds as the type keeps them: rounded, and a time without its days.
__int128 kept_as(__int128 picos, const Type& to) {
  if (to.kind == TypeKind::kDate) return floor_div(picos, kPicosOfDay);
  picos = round_picos(picos, to.precision);
  if (to.kind == TypeKind::kTime) picos -= floor_div(picos, kPicosOfDay) * kPicosOfDay;
  return floor_div(picos, unit_of(to));
}

template <class T>
bool fits(__int128 value, T& out) {
  if constexpr (std::is_same_v<T, hugeint_t>) {
    out = narrow(value);
    return true;
  } else {
    out = static_cast<T>(value);
    return out == value;
  }
}

const CastTypes& types_of(CastParameters& parameters) {
  return parameters.cast_data->Cast<CastTypes>();
}

/// Runs `convert(in) -> optional<To>` over a vector; nullopt is the error `what(in)`, or NULL under
/// TRY_CAST.
template <class From, class To, class F, class W>
bool convert_all(Vector& source, Vector& result, idx_t count, CastParameters& parameters, F convert,
                 W what) {
  bool all = true;
  duckdb::UnaryExecutor::ExecuteWithNulls<From, To>(
      source, result, count, [&](From in, duckdb::ValidityMask& mask, idx_t row) -> To {
        const std::optional<To> out = convert(in);
        if (out) return *out;
        const std::string error = what(in);
        if (!parameters.error_message) raise(Code::kInvalidCastArgument, error);
        if (parameters.error_message->empty()) *parameters.error_message = error;
        all = false;
        mask.SetInvalid(row);
        return To{};
      });
  return all;
}

template <class From, class To>
bool between(Vector& source, Vector& result, idx_t count, CastParameters& parameters) {
  const auto& types = types_of(parameters);
  const __int128 unit = unit_of(types.from);
  return convert_all<From, To>(
      source, result, count, parameters,
      [&](From in) -> std::optional<To> {
        To out{};
        if (!fits(kept_as(wide(in) * unit, types.to), out)) return std::nullopt;
        return out;
      },
      [&](From) { return "Value is out of the range of " + types.to.display(); });
}

template <class From>
bool into_text(Vector& source, Vector& result, idx_t count, CastParameters& parameters) {
  const auto& types = types_of(parameters);
  const auto length = static_cast<size_t>(types.to.precision);
  auto text_of = [&](From in) {
    return types.from.kind == TypeKind::kTime
               ? clock_text_of_picos(static_cast<int64_t>(wide(in)), types.from.precision)
               : timestamp_text_of_picos(wide(in), types.from.precision);
  };
  return convert_all<From, string_t>(
      source, result, count, parameters,
      [&](From in) -> std::optional<string_t> {
        std::string text = text_of(in);
        if (types.to.kind == TypeKind::kChar) text = padded(text, length);
        if (types.to.precision != Type::kUnbounded && text.size() > length) return std::nullopt;
        return duckdb::StringVector::AddString(result, text);
      },
      [&](From in) {
        return "Value " + text_of(in) + " cannot be represented as " + types.to.display();
      });
}

template <class To>
bool from_text(Vector& source, Vector& result, idx_t count, CastParameters& parameters) {
  const Type& to = types_of(parameters).to;
  const bool clock = to.kind == TypeKind::kTime;
  return convert_all<string_t, To>(
      source, result, count, parameters,
      [&](string_t in) -> std::optional<To> {
        const std::string_view text(in.GetData(), in.GetSize());
        const auto moment = clock ? read_clock(text) : read_moment(text);
        if (!moment || !(moment->zone.empty() || (!clock && find_zone(moment->zone))))
          return std::nullopt;
        To out{};
        fits(kept_as(moment->days * kPicosOfDay + moment->picos, to), out);
        return out;
      },
      [&](string_t in) {
        return std::string("Value cannot be cast to ") + (clock ? "time: " : "timestamp: ") +
               std::string(in.GetData(), in.GetSize());
      });
}

/// How the type lies in a vector.
enum class Width { kDate, kLong, kHuge };
Width width_of(const Type& type) {
  if (type.kind == TypeKind::kDate) return Width::kDate;
  return type.kind == TypeKind::kTimestamp && type.precision > 9 ? Width::kHuge : Width::kLong;
}

template <class From>
duckdb::cast_function_t between_from(Width to) {
  switch (to) {
    case Width::kDate:
      return between<From, int32_t>;
    case Width::kLong:
      return between<From, int64_t>;
    default:
      return between<From, hugeint_t>;
  }
}

}  // namespace

bool is_long(const Type& type) {
  return (type.kind == TypeKind::kTimestamp && type.precision > 9) ||
         (type.kind == TypeKind::kTime && type.precision > 6);
}

duckdb::cast_function_t long_cast_function(const Type& from, const Type& to) {
  if (!is_long(from) && !is_long(to)) return nullptr;
  if (is_text(from))
    return width_of(to) == Width::kHuge ? from_text<hugeint_t> : from_text<int64_t>;
  if (is_text(to))
    return width_of(from) == Width::kHuge ? into_text<hugeint_t> : into_text<int64_t>;
  auto local = [](const Type& type) {
    return type.kind == TypeKind::kDate || type.kind == TypeKind::kTime ||
           type.kind == TypeKind::kTimestamp;
  };
  if (!local(from) || !local(to) || (from.kind == TypeKind::kTime && to.kind != TypeKind::kTime)) {
    return nullptr;
  }
  switch (width_of(from)) {
    case Width::kDate:
      return between_from<int32_t>(width_of(to));
    case Width::kLong:
      return between_from<int64_t>(width_of(to));
    default:
      return between_from<hugeint_t>(width_of(to));
  }
}

ExprPtr in_micros(const Build& build, ExprPtr value) {
  const Type type = type_of(*value);
  const auto micros = type.kind == TypeKind::kTime ? LogicalType::TIME : LogicalType::TIMESTAMP;
  if (!is_long(type)) return build.native_cast(build.plain(std::move(value)), micros);
  if (type.kind == TypeKind::kTime) {
    auto picos = build.relabel(std::move(value), LogicalType::BIGINT);
    auto cut = build.call("//", std::move(picos), build.constant(duckdb::Value::BIGINT(1000000)));
    return build.relabel(std::move(cut), micros);
  }
  return build.call("meesh_micros_of_picos", build.relabel(std::move(value), LogicalType::HUGEINT));
}

__int128 round_picos(__int128 picos, int precision) {
  if (precision >= 12) return picos;
  const __int128 step = power_of_ten(12 - precision);
  return floor_div(picos + step / 2, step) * step;
}

std::string clock_text_of_picos(int64_t picos, int precision) {
  const int64_t seconds = picos / 1000000000000;
  std::string out =
      fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (precision == 0) return out;
  std::string fraction = fmt::format("{:012}", picos % 1000000000000);
  fraction.resize(static_cast<size_t>(precision));
  return out + "." + fraction;
}

std::string timestamp_text_of_picos(__int128 picos, int precision, char separator) {
  const __int128 days = floor_div(picos, kPicosOfDay);
  const std::string midnight =
      timestamp_text(static_cast<int64_t>(days) * 86400000000, 6, 0, separator);
  return midnight.substr(0, midnight.size() - 8) +
         clock_text_of_picos(static_cast<int64_t>(picos - days * kPicosOfDay), precision);
}

}  // namespace meesh::engine
