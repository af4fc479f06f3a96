#include "engine/functions/cast_functions.h"

#include <fmt/format.h>

#include <cmath>

#include "duckdb/common/types/blob.hpp"
#include "duckdb/common/types/uuid.hpp"
#include "duckdb/common/vector_operations/unary_executor.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "engine/functions/addresses.h"
#include "engine/functions/build.h"
#include "engine/functions/coercion.h"
#include "engine/functions/json_casts.h"
#include "engine/functions/long_times.h"
#include "engine/functions/read_numbers.h"
#include "engine/functions/text.h"
#include "engine/functions/zones.h"

namespace meesh::engine {
namespace {

using duckdb::CastParameters;
using duckdb::string_t;
using duckdb::Vector;
using sql::Type;
using sql::TypeKind;

std::string_view view(const string_t& text) { return {text.GetData(), text.GetSize()}; }

/// Runs `convert(in, out, error) -> bool` over a vector; a failure raises, or under TRY_CAST is
/// NULL.
template <class From, class To, class F>
bool convert_all(Vector& source, Vector& result, duckdb::idx_t count, CastParameters& parameters,
                 F convert) {
  bool all = true;
  duckdb::UnaryExecutor::ExecuteWithNulls<From, To>(
      source, result, count, [&](From in, duckdb::ValidityMask& mask, duckdb::idx_t row) -> To {
        To out{};
        std::string error;
        if (convert(in, out, error)) return out;
        if (!parameters.error_message) {
          const bool range = error.starts_with("Out of range for ");
          raise(range ? Code::kNumericValueOutOfRange : Code::kInvalidCastArgument, error);
        }
        if (parameters.error_message->empty()) *parameters.error_message = error;
        all = false;
        mask.SetInvalid(row);
        return To{};
      });
  return all;
}

const CastTypes& types_of(CastParameters& parameters) {
  return parameters.cast_data->Cast<CastTypes>();
}

std::string cannot(const string_t& text, TypeKind kind) {
  return "Cannot cast '" + std::string(view(text)) + "' to " + cast_word(kind);
}

// ---------------------------------------------------------------- from text

template <class T, TypeKind K>
bool text_to_integer(Vector& source, Vector& result, duckdb::idx_t count,
                     CastParameters& parameters) {
  return convert_all<string_t, T>(source, result, count, parameters,
                                  [](string_t in, T& out, std::string& error) {
                                    if (read_integer(view(in), out)) return true;
                                    error = cannot(in, K);
                                    return false;
                                  });
}

bool text_to_boolean(Vector& source, Vector& result, duckdb::idx_t count,
                     CastParameters& parameters) {
  return convert_all<string_t, bool>(source, result, count, parameters,
                                     [](string_t in, bool& out, std::string& error) {
                                       if (read_boolean(view(in), out)) return true;
                                       error = cannot(in, TypeKind::kBoolean);
                                       return false;
                                     });
}

template <class T, TypeKind K>
bool text_to_floating(Vector& source, Vector& result, duckdb::idx_t count,
                      CastParameters& parameters) {
  return convert_all<string_t, T>(source, result, count, parameters,
                                  [](string_t in, T& out, std::string& error) {
                                    auto value = read_double(view(in));
                                    if (!value) {
                                      error = cannot(in, K);
                                      return false;
                                    }
                                    out = static_cast<T>(*value);
                                    return true;
                                  });
}

bool text_to_date(Vector& source, Vector& result, duckdb::idx_t count, CastParameters& parameters) {
  return convert_all<string_t, duckdb::date_t>(
      source, result, count, parameters, [](string_t in, duckdb::date_t& out, std::string& error) {
        auto moment = read_moment(view(in));
        if (!moment || moment->has_time || !moment->zone.empty()) {
          error = "Value cannot be cast to date: " + std::string(view(in));
          return false;
        }
        out = duckdb::date_t(moment->days);
        return true;
      });
}

bool text_to_time(Vector& source, Vector& result, duckdb::idx_t count, CastParameters& parameters) {
  const int precision = types_of(parameters).to.precision;
  return convert_all<string_t, duckdb::dtime_t>(
      source, result, count, parameters,
      [precision](string_t in, duckdb::dtime_t& out, std::string& error) {
        auto moment = read_clock(view(in));
        if (!moment || !moment->zone.empty()) {
          error = "Value cannot be cast to time: " + std::string(view(in));
          return false;
        }
        out = duckdb::dtime_t(round_fraction(moment->nanos, 9, precision) / 1000 % 86400000000);
        return true;
      });
}

bool text_to_timestamp(Vector& source, Vector& result, duckdb::idx_t count,
                       CastParameters& parameters) {
  const int precision = types_of(parameters).to.precision;
  const int64_t divisor = precision > 6 ? 1 : 1000;
  return convert_all<string_t, int64_t>(
      source, result, count, parameters, [=](string_t in, int64_t& out, std::string& error) {
        auto moment = read_moment(view(in));  // a zone is read over
        int64_t days = 0;
        if (!moment || !(moment->zone.empty() || find_zone(moment->zone)) ||
            __builtin_mul_overflow(int64_t{moment->days}, int64_t{86400000000000} / divisor,
                                   &days) ||
            __builtin_add_overflow(days, round_fraction(moment->nanos, 9, precision) / divisor,
                                   &out)) {
          error = "Value cannot be cast to timestamp: " + std::string(view(in));
          return false;
        }
        return true;
      });
}

/// `convert` gives the unscaled value; it is stored as the decimal's width wants it.
template <class From, class F>
bool write_decimals(Vector& source, Vector& result, duckdb::idx_t count, CastParameters& parameters,
                    F convert) {
  auto narrowed = [&](auto zero) {
    using T = decltype(zero);
    return convert_all<From, T>(source, result, count, parameters,
                                [&](From in, T& out, std::string& error) {
                                  duckdb::hugeint_t value;
                                  if (!convert(in, value, error)) return false;
                                  if constexpr (std::is_same_v<T, duckdb::hugeint_t>) {
                                    out = value;
                                  } else {
                                    out = static_cast<T>(static_cast<int64_t>(value.lower));
                                  }
                                  return true;
                                });
  };
  switch (result.GetType().InternalType()) {
    case duckdb::PhysicalType::INT16:
      return narrowed(int16_t{});
    case duckdb::PhysicalType::INT32:
      return narrowed(int32_t{});
    case duckdb::PhysicalType::INT64:
      return narrowed(int64_t{});
    default:
      return narrowed(duckdb::hugeint_t{});
  }
}

bool text_to_decimal(Vector& source, Vector& result, duckdb::idx_t count,
                     CastParameters& parameters) {
  const Type& to = types_of(parameters).to;
  auto convert = [&to](string_t in, duckdb::hugeint_t& out, std::string& error) {
    const char* why = "";
    if (read_decimal(view(in), to.precision, to.scale, out, why)) return true;
    error = "Cannot cast VARCHAR '" + std::string(view(in)) + "' to DECIMAL(" +
            std::to_string(to.precision) + ", " + std::to_string(to.scale) + "). " + why;
    return false;
  };
  return write_decimals<string_t>(source, result, count, parameters, convert);
}

/// By the shortest digits that tell the value, as Trino does.
template <class From>
bool floating_to_decimal(Vector& source, Vector& result, duckdb::idx_t count,
                         CastParameters& parameters) {
  const Type& to = types_of(parameters).to;
  const double power = std::pow(10.0, to.scale), limit = std::pow(10.0, to.precision);
  auto convert = [&](From in, duckdb::hugeint_t& out, std::string& error) {
    if constexpr (sizeof(From) == 8) {
      // Far enough from the middle of two decimals the product, exact to 1e-4, decides.
      const double scaled = in * power, whole = std::round(scaled);
      if (std::abs(scaled) < 1e12 && std::abs(whole) < limit &&
          std::abs(std::abs(scaled - std::trunc(scaled)) - 0.5) > 1e-3) {
        out = duckdb::hugeint_t(static_cast<int64_t>(whole));
        return true;
      }
    }
    const char* why = "";
    const std::string text = scientific(in);
    if (std::isfinite(in) && read_decimal(text, to.precision, to.scale, out, why)) return true;
    error = fmt::format("Cannot cast {} '{}' to DECIMAL({}, {})",
                        sizeof(From) == 4 ? "REAL" : "DOUBLE", text, to.precision, to.scale);
    return false;
  };
  return write_decimals<From>(source, result, count, parameters, convert);
}

// ---------------------------------------------------------------- to text

/// Types whose casts Trino does not check against a length: the error is then that of the value
/// which does not fit its type.
bool is_unchecked(TypeKind kind) {
  return kind == TypeKind::kBoolean || kind == TypeKind::kTime || kind == TypeKind::kTimeTz ||
         kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampTz ||
         kind == TypeKind::kIntervalDayToSecond || kind == TypeKind::kIntervalYearToMonth;
}

/// Floating numbers are shown as Java writes them, too.
std::string shown_value(const Type& type, std::string_view text) {
  const bool real = type.kind == TypeKind::kReal;
  if (!real && type.kind != TypeKind::kDouble) return std::string(text);
  const double value = read_double(text).value_or(0);
  return fmt::format("{} ({})", real ? java_real(static_cast<float>(value)) : java_double(value),
                     text);
}

/// Fits `text` into varchar(n) or char(n); numbers and dates that do not fit are an error.
bool fit(Vector& result, const CastTypes& types, std::string_view text, string_t& out,
         std::string& error) {
  const Type& to = types.to;
  const auto length = static_cast<size_t>(to.precision);
  if (to.kind == TypeKind::kChar) {
    out = duckdb::StringVector::AddString(result, padded(text, length));
    return true;
  }
  if (to.precision != Type::kUnbounded && count_points(text) > length) {
    if (is_unchecked(types.from.kind)) {
      raise(Code::kGenericInternalError,
            fmt::format(
                "Character count exceeds length limit {}: base64:{}", length,
                duckdb::Blob::ToBase64(string_t(text.data(), static_cast<uint32_t>(text.size())))));
    }
    if (!is_text(types.from)) {
      error =
          "Value " + shown_value(types.from, text) + " cannot be represented as " + to.display();
      return false;
    }
    text = first_points(text, length);
  }
  out = duckdb::StringVector::AddString(result, text.data(), text.size());
  return true;
}

template <class From, class F>
bool to_text(Vector& source, Vector& result, duckdb::idx_t count, CastParameters& parameters,
             F text_of) {
  const auto& types = types_of(parameters);
  return convert_all<From, string_t>(
      source, result, count, parameters, [&](From in, string_t& out, std::string& error) {
        return fit(result, types, text_of(in, types.from), out, error);
      });
}

bool text_to_text(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return to_text<string_t>(s, r, n, p,
                           [](const string_t& in, const Type&) { return std::string(view(in)); });
}
template <class T>
bool floating_to_text(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return to_text<T>(s, r, n, p, [](T in, const Type&) { return scientific(in); });
}
template <class T>
bool integer_to_text(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return to_text<T>(s, r, n, p, [](T in, const Type&) { return std::to_string(in); });
}
bool boolean_to_text(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return to_text<bool>(s, r, n, p,
                       [](bool in, const Type&) { return std::string(in ? "true" : "false"); });
}
bool date_to_text(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return to_text<duckdb::date_t>(s, r, n, p, [](duckdb::date_t in, const Type&) {
    int64_t year;
    int month, day;
    civil_of(in.days, year, month, day);
    return fmt::format("{}-{:02}-{:02}",
                       year < 0 || year > 9999
                           ? fmt::format("{}{:04}", year < 0 ? "-" : "+", std::abs(year))
                           : fmt::format("{:04}", year),
                       month, day);
  });
}
bool time_to_text(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return to_text<duckdb::dtime_t>(s, r, n, p, [](duckdb::dtime_t in, const Type& from) {
    return clock_text(in.micros, from.precision);
  });
}
bool timestamp_to_text(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return to_text<int64_t>(s, r, n, p, [](int64_t in, const Type& from) {
    return timestamp_text(in, from.precision > 6 ? 9 : 6, from.precision);
  });
}
bool interval_to_text(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return to_text<duckdb::interval_t>(s, r, n, p, [](duckdb::interval_t in, const Type& from) {
    return from.kind == TypeKind::kIntervalYearToMonth ? year_month_text(in.months)
                                                       : day_time_text(in.days, in.micros);
  });
}

// ---------------------------------------------------------------- numbers, times

template <class From, class To>
bool floating_to_integer(Vector& source, Vector& result, duckdb::idx_t count,
                         CastParameters& parameters) {
  return convert_all<From, To>(
      source, result, count, parameters, [](From in, To& out, std::string& error) {
        error = round_to_integer(static_cast<double>(in), sizeof(From) == 4, out);
        return error.empty();
      });
}

/// What is too large for a real is infinite.
bool double_to_real(Vector& source, Vector& result, duckdb::idx_t count, CastParameters&) {
  duckdb::UnaryExecutor::Execute<double, float>(source, result, count,
                                                [](double in) { return static_cast<float>(in); });
  return true;
}

// ---------------------------------------------------------------- addresses

bool put_address(Vector& result, const std::optional<AddressBytes>& bytes, string_t& out) {
  if (bytes)
    out = duckdb::StringVector::AddStringOrBlob(result, std::string(bytes->begin(), bytes->end()));
  return bytes.has_value();
}
bool text_to_address(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return convert_all<string_t, string_t>(
      s, r, n, p, [&r](string_t in, string_t& out, std::string& error) {
        error = "Cannot cast value to IPADDRESS: " + std::string(view(in));
        return put_address(r, read_address(view(in)), out);
      });
}
bool bytes_to_address(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return convert_all<string_t, string_t>(
      s, r, n, p, [&r](string_t in, string_t& out, std::string& error) {
        error = "Invalid IP address binary length: " + std::to_string(in.GetSize());
        return put_address(r, address_of_bytes(view(in)), out);
      });
}
bool address_to_text(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return to_text<string_t>(s, r, n, p,
                           [](const string_t& in, const Type&) { return address_text(view(in)); });
}
bool text_to_uuid(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return convert_all<string_t, duckdb::hugeint_t>(
      s, r, n, p, [](string_t in, duckdb::hugeint_t& out, std::string& error) {
        const auto text = view(in);
        bool fits = text.size() == 36;
        for (size_t i : {8, 13, 18, 23}) fits = fits && text[i] == '-';
        error = "Cannot cast value to UUID: " + std::string(text);
        return fits && duckdb::UUID::FromString(std::string(text), out);
      });
}

bool bytes_to_uuid(Vector& s, Vector& r, duckdb::idx_t n, CastParameters& p) {
  return convert_all<string_t, duckdb::hugeint_t>(
      s, r, n, p, [](string_t in, duckdb::hugeint_t& out, std::string& error) {
        const auto bytes = view(in);
        error = "Invalid UUID binary length: " + std::to_string(bytes.size());
        if (bytes.size() == 16)
          out = duckdb::BaseUUID::FromBlob(duckdb::const_data_ptr_cast(bytes.data()));
        return bytes.size() == 16;
      });
}

bool timestamp_to_timestamp(Vector& source, Vector& result, duckdb::idx_t count,
                            CastParameters& parameters) {
  const auto& types = types_of(parameters);
  const int from = types.from.precision > 6 ? 9 : 6, to = types.to.precision > 6 ? 9 : 6,
            precision = types.to.precision;
  return convert_all<int64_t, int64_t>(
      source, result, count, parameters, [=](int64_t in, int64_t& out, std::string& error) {
        out = in;
        if (from == 6 && to == 9 && __builtin_mul_overflow(in, int64_t{1000}, &out)) {
          error = "Timestamp out of the range of nanoseconds";
          return false;
        }
        out = round_fraction(out, std::max(from, to), precision);
        if (from == 9 && to == 6) out /= 1000;
        return true;
      });
}

/// Rounds half up. Before 1970 Trino's own rounding is off by a second, or fails; there the digits
/// that the time does not hold are cut off.
bool timestamp_to_time(Vector& source, Vector& result, duckdb::idx_t count,
                       CastParameters& parameters) {
  const auto& types = types_of(parameters);
  const int unit = types.from.precision > 6 ? 9 : 6, precision = types.to.precision;
  const int64_t micro = unit == 9 ? 1000 : 1, day = 86400000000 * micro;
  int64_t step = 1;
  for (int i = precision; i < unit; ++i) step *= 10;
  return convert_all<int64_t, int64_t>(
      source, result, count, parameters, [=](int64_t in, int64_t& out, std::string&) {
        const int64_t of_day = (in % day + day) % day;
        out = in < 0 ? of_day - of_day % step : round_fraction(of_day, unit, precision) % day;
        out /= micro;
        return true;
      });
}

bool time_to_time(Vector& source, Vector& result, duckdb::idx_t count, CastParameters& parameters) {
  const int precision = types_of(parameters).to.precision;
  return convert_all<int64_t, int64_t>(source, result, count, parameters,
                                       [=](int64_t in, int64_t& out, std::string&) {
                                         out = round_fraction(in, 6, precision) % 86400000000;
                                         return true;
                                       });
}

// ---------------------------------------------------------------- choosing

duckdb::cast_function_t from_text(TypeKind to) {
  switch (to) {
    case TypeKind::kBoolean:
      return text_to_boolean;
    case TypeKind::kTinyint:
      return text_to_integer<int8_t, TypeKind::kTinyint>;
    case TypeKind::kSmallint:
      return text_to_integer<int16_t, TypeKind::kSmallint>;
    case TypeKind::kInteger:
      return text_to_integer<int32_t, TypeKind::kInteger>;
    case TypeKind::kBigint:
      return text_to_integer<int64_t, TypeKind::kBigint>;
    case TypeKind::kReal:
      return text_to_floating<float, TypeKind::kReal>;
    case TypeKind::kDouble:
      return text_to_floating<double, TypeKind::kDouble>;
    case TypeKind::kDecimal:
      return text_to_decimal;
    case TypeKind::kDate:
      return text_to_date;
    case TypeKind::kTime:
      return text_to_time;
    case TypeKind::kTimestamp:
      return text_to_timestamp;
    case TypeKind::kVarchar:
    case TypeKind::kChar:
      return text_to_text;
    case TypeKind::kVarbinary:
      return duckdb::DefaultCasts::ReinterpretCast;
    case TypeKind::kIpaddress:
      return text_to_address;
    case TypeKind::kUuid:
      return text_to_uuid;
    default:
      return nullptr;
  }
}

duckdb::cast_function_t into_text(TypeKind from) {
  switch (from) {
    case TypeKind::kBoolean:
      return boolean_to_text;
    case TypeKind::kTinyint:
      return integer_to_text<int8_t>;
    case TypeKind::kSmallint:
      return integer_to_text<int16_t>;
    case TypeKind::kInteger:
      return integer_to_text<int32_t>;
    case TypeKind::kBigint:
      return integer_to_text<int64_t>;
    case TypeKind::kReal:
      return floating_to_text<float>;
    case TypeKind::kDouble:
      return floating_to_text<double>;
    case TypeKind::kDate:
      return date_to_text;
    case TypeKind::kTime:
      return time_to_text;
    case TypeKind::kTimestamp:
      return timestamp_to_text;
    case TypeKind::kIntervalDayToSecond:
    case TypeKind::kIntervalYearToMonth:
      return interval_to_text;
    case TypeKind::kIpaddress:
      return address_to_text;
    default:
      return nullptr;
  }
}

template <class From>
duckdb::cast_function_t floating_into(TypeKind to) {
  switch (to) {
    case TypeKind::kTinyint:
      return floating_to_integer<From, int8_t>;
    case TypeKind::kSmallint:
      return floating_to_integer<From, int16_t>;
    case TypeKind::kInteger:
      return floating_to_integer<From, int32_t>;
    case TypeKind::kBigint:
      return floating_to_integer<From, int64_t>;
    case TypeKind::kReal:
      return sizeof(From) == 8 ? double_to_real : nullptr;
    case TypeKind::kDecimal:
      return floating_to_decimal<From>;
    default:
      return nullptr;
  }
}

}  // namespace

bool written_to_text(Vector& source, Vector& result, duckdb::idx_t count,
                     CastParameters& parameters) {
  return text_to_text(source, result, count, parameters);
}

ExprPtr fitted(ExprPtr text, const Type& from, const Type& to, bool try_cast) {
  if (to.precision == Type::kUnbounded) return text;
  return duckdb::make_uniq<duckdb::BoundCastExpression>(
      std::move(text), to_duckdb(to),
      duckdb::BoundCastInfo(written_to_text, duckdb::make_uniq<CastTypes>(from, to)), try_cast);
}

bool has_text_cast(TypeKind from) { return into_text(from) != nullptr; }

duckdb::cast_function_t own_cast_function(const Type& from, const Type& to) {
  if (auto* function = long_cast_function(from, to)) return function;
  if (from.kind == TypeKind::kJson || to.kind == TypeKind::kJson)
    return json_cast_function(from, to);
  if (to.kind == TypeKind::kIpaddress && from.kind == TypeKind::kVarbinary) return bytes_to_address;
  if (from.kind == TypeKind::kIpaddress && to.kind == TypeKind::kVarbinary)
    return duckdb::DefaultCasts::ReinterpretCast;
  if (is_text(from))
    return to.kind == TypeKind::kVarchar && to.precision == Type::kUnbounded
               ? duckdb::DefaultCasts::ReinterpretCast
               : from_text(to.kind);
  if (is_text(to)) return into_text(from.kind);
  if (from.kind == TypeKind::kDouble) return floating_into<double>(to.kind);
  if (from.kind == TypeKind::kReal) return floating_into<float>(to.kind);
  if (from.kind == TypeKind::kTimestamp && to.kind == TypeKind::kTimestamp) {
    const bool widening =
        from.precision <= to.precision && (from.precision > 6) == (to.precision > 6);
    return widening ? duckdb::DefaultCasts::ReinterpretCast : timestamp_to_timestamp;
  }
  if (from.kind == TypeKind::kTimestamp && to.kind == TypeKind::kTime) return timestamp_to_time;
  if (from.kind == TypeKind::kTime && to.kind == TypeKind::kTime) return time_to_time;
  if (from.kind == TypeKind::kVarbinary && to.kind == TypeKind::kUuid) return bytes_to_uuid;
  return nullptr;
}

}  // namespace meesh::engine
