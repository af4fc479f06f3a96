#include "engine/functions/java_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/functions/coercion.h"
#include "engine/functions/java_time_format.h"
#include "engine/functions/text.h"
#include "engine/functions/value_kernels.h"
#include "engine/functions/zones.h"
#include "sql/lexer.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::Value;
using sql::Type;
using sql::TypeKind;
using View = std::string_view;

[[noreturn]] void bad_format(const std::string& whole, const std::string& why) {
  raise(Code::kInvalidFunctionArgument, "Invalid format string: " + whole + " (" + why + ")");
}

/// Java's class of a value that is formatted.
const char* java_class(const Value& value) {
  if (const auto time = JavaTime::of(value)) return time->java_class();
  switch (value.type().id()) {
    case duckdb::LogicalTypeId::BIGINT:
      return "java.lang.Long";
    case duckdb::LogicalTypeId::DOUBLE:
      return "java.lang.Double";
    case duckdb::LogicalTypeId::DECIMAL:
      return "java.math.BigDecimal";
    default:
      return "java.lang.String";
  }
}

/// Java's %g: as many digits as asked for, zeros at the end among them; with an exponent only below
/// a ten-thousandth and where the digits end before the point.
std::string general_format(const std::string& flags, double value) {
  const auto dot = flags.find('.');
  const long asked =
      dot == std::string::npos ? 6 : std::strtol(flags.c_str() + dot + 1, nullptr, 10);
  const int digits = static_cast<int>(std::clamp(asked, 1L, 300L));
  const std::string start = "%" + flags.substr(0, dot) + ".";
  char buffer[512];
  std::snprintf(buffer, sizeof buffer, "%.*e", digits - 1, value);
  const char* exponent = std::strchr(buffer, 'e');
  const long power = exponent ? std::strtol(exponent + 1, nullptr, 10) : 0;
  const bool plain = value == 0 || (power >= -4 && power < digits);
  const long places = value == 0 ? digits - 1 : plain ? digits - 1 - power : digits - 1;
  const std::string spec = start + std::to_string(places) + (plain ? "f" : "e");
  std::snprintf(buffer, sizeof buffer, spec.c_str(), value);
  return buffer;
}

/// With spaces to the width in the flags; "-" puts them behind.
std::string to_width(std::string text, const std::string& flags) {
  const bool left = flags.starts_with("-");
  const long width = std::strtol(flags.c_str() + (left ? 1 : 0), nullptr, 10);
  const size_t have = count_points(text);
  const auto want = static_cast<size_t>(std::clamp(width, 0L, 1L << 20));
  if (have >= want) return text;
  return left ? text + std::string(want - have, ' ') : std::string(want - have, ' ') + text;
}

/// %tY and its like. A whole number stands for milliseconds since the epoch.
std::string format_time(const std::string& whole, const std::string& spec, const Value& value) {
  const char letter = spec.back(), prefix = spec[spec.size() - 2];
  auto time = JavaTime::of(value);
  if (!time && value.type().id() == duckdb::LogicalTypeId::BIGINT) {
    time.emplace();
    time->kind = JavaTime::Kind::kZoned;
    time->zone = "UTC";
    if (__builtin_mul_overflow(value.GetValue<int64_t>(), int64_t{1000}, &time->micros))
      raise(Code::kInvalidFunctionArgument, "Invalid format string: " + whole);
  }
  if (View("HIklMSLNpzZsQBbhAaCYyjmdeRTrDFc").find(letter) == View::npos)
    bad_format(whole, fmt::format("UnknownFormatConversion: Conversion = '{}{}'", prefix, letter));
  if (!value.IsNull() && !time)
    bad_format(whole, fmt::format("IllegalFormatConversion: {} != {}", letter, java_class(value)));
  std::string text = value.IsNull() ? "null" : time->converted(letter).value_or("");
  if (prefix == 'T') text = sql::upper(text);
  return to_width(std::move(text), spec.substr(1, spec.size() - 3));
}

/// One %… of Java's Formatter, of the format `whole`.
std::string format_one(const std::string& whole, const std::string& spec, const Value& value) {
  const char kind = spec.back();
  std::string flags = spec.substr(1, spec.size() - 2);
  const bool commas = flags.find(',') != std::string::npos;
  std::erase(flags, ',');
  const auto bad = [&] {
    bad_format(whole, std::string("IllegalFormatConversion: ") + kind + " != " + java_class(value));
  };
  constexpr View kKinds = "dxXofeEgsSbc";
  if (kKinds.find(kind) == View::npos)
    bad_format(whole, std::string("UnknownFormatConversion: Conversion = '") + kind + "'");
  if (value.IsNull()) return "null";
  const auto time = JavaTime::of(value);
  char buffer[512];
  std::string out;
  if (kind == 'd' || kind == 'x' || kind == 'X' || kind == 'o') {
    if (value.type().id() != duckdb::LogicalTypeId::BIGINT) bad();
    std::snprintf(buffer, sizeof buffer, ("%" + flags + "l" + kind).c_str(),
                  static_cast<long>(value.GetValue<int64_t>()));
    out = buffer;
  } else if (kind == 'f' || kind == 'e' || kind == 'E' || kind == 'g') {
    const auto id = value.type().id();
    if (id != duckdb::LogicalTypeId::DOUBLE && id != duckdb::LogicalTypeId::DECIMAL) bad();
    const auto number = value.GetValue<double>();
    std::snprintf(buffer, sizeof buffer, ("%" + flags + kind).c_str(), number);
    out = kind == 'g' ? general_format(flags, number) : buffer;
  } else if (kind == 's' || kind == 'S' || kind == 'b') {
    std::string text = value.type().id() == duckdb::LogicalTypeId::DOUBLE
                           ? java_double(value.GetValue<double>())
                       : time ? time->text()
                              : value.ToString();
    if (kind == 'S') text = sql::upper(text);
    const auto dot = flags.find('.');
    if (dot != std::string::npos)
      text = first_points(text, std::strtoul(flags.c_str() + dot + 1, nullptr, 10));
    return to_width(std::move(text), flags);
  } else {
    bad();
  }
  if (commas) {
    const size_t end = std::min(out.find('.'), out.size());
    const size_t begin = out.find_first_of("0123456789");
    for (size_t at = end; at > begin + 3;) out.insert(at -= 3, ",");
  }
  return out;
}

void format_rows(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  const bool constant = args.AllConstant();
  for (size_t row = 0; row < (constant ? 1 : args.size()); ++row) {
    const Value pattern = args.data[0].GetValue(row);
    if (pattern.IsNull()) {
      result.SetValue(row, Value(kText));
      continue;
    }
    const std::string& text = duckdb::StringValue::Get(pattern);
    std::string out;
    size_t next = 1, last = 0;  // last: what %< means
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        out += text[i];
        continue;
      }
      size_t end = text.find_first_not_of("-#+ 0,(.<123456789$", i + 1);
      const bool is_time = end != std::string::npos && (text[end] == 't' || text[end] == 'T');
      end += is_time;
      if (end >= text.size())
        raise(Code::kInvalidFunctionArgument, "Invalid format string: " + text);
      std::string spec = text.substr(i, end - i + 1);
      i = end;
      if (spec.back() == '%' || spec.back() == 'n') {
        out += spec.back() == '%' ? '%' : '\n';
        continue;
      }
      size_t index = next;
      if (auto dollar = spec.find('$'); dollar != std::string::npos) {
        index = std::strtoul(spec.c_str() + 1, nullptr, 10);
        spec = "%" + spec.substr(dollar + 1);
      } else if (spec[1] == '<') {
        index = last;
        spec.erase(1, 1);
      } else {
        ++next;
      }
      last = index;
      if (index == 0 || index >= args.ColumnCount())
        bad_format(text, "MissingFormatArgument: Format specifier '" + spec + "'");
      const Value value = args.data[index].GetValue(row);
      out += is_time ? format_time(text, spec, value) : format_one(text, spec, value);
    }
    result.SetValue(row, Value(out));
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

/// A date, time or timestamp as JavaTime::of() reads it; null for other types.
ExprPtr as_time(const Build& build, ExprPtr& value, const Type& type) {
  switch (type.kind) {
    case TypeKind::kDate:
      return std::move(value);
    case TypeKind::kTime:
      return build.plain(build.trino_cast(std::move(value), Type::of(TypeKind::kTime, 6)));
    case TypeKind::kTimestamp: {
      const int precision = type.precision > 6 ? 9 : 6;
      return build.plain(
          build.trino_cast(std::move(value), Type::of(TypeKind::kTimestamp, precision)));
    }
    case TypeKind::kTimestampTz: {
      auto null = build.is_null(value->Copy());
      Exprs parts;
      parts.push_back(build.local_time(value->Copy()));
      parts.push_back(names_of_zoned(build, to_zoned_values(build, value->Copy())));
      parts.push_back(offset_of_moment(build, std::move(value)));
      auto row = build.call("row", std::move(parts));
      const auto made = row->return_type;
      return build.case_when(std::move(null), build.constant(Value(made)), std::move(row));
    }
    default:
      return nullptr;
  }
}

}  // namespace

ExprPtr format_function(const Build& build, Exprs args) {
  for (size_t i = 1; i < args.size(); ++i) {
    const Type type = type_of(*args[i]);
    if (is_integral(type)) {
      args[i] = build.native_cast(std::move(args[i]), LogicalType::BIGINT);
    } else if (type.kind == TypeKind::kReal) {
      args[i] = build.native_cast(std::move(args[i]), LogicalType::DOUBLE);
    } else if (!type.children.empty()) {
      raise(Code::kNotSupported, "Type not supported for formatting: " + type.display(),
            args[i].get());
    } else if (auto time = as_time(build, args[i], type)) {
      args[i] = std::move(time);
    } else if (type.kind != TypeKind::kDouble && type.kind != TypeKind::kDecimal &&
               type.kind != TypeKind::kUnknown) {
      args[i] = build.plain(build.trino_cast(std::move(args[i]), Type::varchar()));
    }
  }
  if (type_of(*args[0]).kind == TypeKind::kUnknown)
    raise(Code::kTypeMismatch,
          "Type of first argument to format() must be VARCHAR (actual: unknown)", args[0].get());
  args[0] = build.plain(std::move(args[0]));
  return build.call("meesh_format", std::move(args));
}

void register_format_kernel(duckdb::ExtensionLoader& loader) {
  duckdb::ScalarFunction format("meesh_format", {kText}, kText, format_rows);
  format.varargs = LogicalType::ANY;
  format.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  format.SetFallible();
  loader.RegisterFunction(std::move(format));
}

}  // namespace meesh::engine
