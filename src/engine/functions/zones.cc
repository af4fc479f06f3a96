#include "engine/functions/zones.h"

#include "base/calendar.h"
#include "duckdb/common/vector_operations/unary_executor.hpp"
#include "duckdb/planner/collation_binding.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "engine/batch.h"
#include "engine/functions/kernels.h"
#include "engine/functions/long_times.h"
#include "engine/functions/text.h"
#include "engine/int128.h"

namespace meesh::engine {
namespace {

using duckdb::hugeint_t;
using duckdb::LogicalType;
using duckdb::Value;
using sql::Type;
using sql::TypeKind;
using View = std::string_view;

constexpr __int128 kZones = 1 << 16;  // how many numbers a value has room for

hugeint_t packed(__int128 picos, int32_t zone) { return narrow(picos * kZones + zone); }
__int128 picos_of(hugeint_t value) { return floor_div(wide(value), kZones); }
int32_t zone_of_value(hugeint_t value) {
  return static_cast<int32_t>(static_cast<uint64_t>(wide(value)) & 0xFFFF);
}

/// The last zone this thread has asked for, and the stretch of time it asked about.
struct Recent {
  int32_t number = -1;
  std::string name;
  std::shared_ptr<const TimeZone> zone;
  TimeZone::Span span{0, 0, 0};

  void use(int32_t wanted) {
    if (number == wanted) return;
    number = wanted;
    name = numbered_zone(wanted);
    zone = find_zone(name);
    if (!zone) zone = TimeZone::utc();
    span = {0, 0, 0};
  }
  int32_t offset(int64_t utc_seconds) {
    if (utc_seconds < span.from || utc_seconds >= span.to) span = zone->span_at(utc_seconds);
    return span.offset;
  }
};
thread_local Recent recent;

/// The number of a named zone; the last name is remembered.
int32_t number_of(View name) {
  thread_local std::string last;
  thread_local int32_t number = -1;
  if (number >= 0 && last == name) return number;
  const std::string id = canonical_zone(std::string(name), nullptr);
  number = zone_number(id);
  last = std::string(name);
  return number;
}

__int128 local_picos(hugeint_t value) {
  const __int128 picos = picos_of(value);
  recent.use(zone_of_value(value));
  return picos +
         recent.offset(static_cast<int64_t>(floor_div(picos, kPicosOfSecond))) * kPicosOfSecond;
}

hugeint_t from_local(__int128 picos, int32_t zone) {
  recent.use(zone);
  const auto seconds = static_cast<int64_t>(floor_div(picos, kPicosOfSecond));
  const int64_t moved = recent.zone->utc_of(seconds) - seconds;
  return packed(picos + moved * kPicosOfSecond, zone);
}

std::optional<hugeint_t> from_text(View text, int64_t precision, View session, bool lenient) {
  const auto moment = read_moment(text);
  if (!moment || (!moment->zone.empty() && !find_zone(moment->zone))) {
    if (lenient) return std::nullopt;
    raise(Code::kInvalidCastArgument, "Value cannot be cast to timestamp: " + std::string(text));
  }
  const std::string name = moment->zone.empty() ? std::string(session) : moment->zone;
  const __int128 local = moment->days * kPicosOfDay + moment->picos;
  return from_local(round_picos(local, static_cast<int>(precision)), number_of(name));
}

ExprPtr session_number(const Build& build, const LogicalType& type) {
  const std::string zone = zone_of(type);
  return build.constant(Value::INTEGER(
      zone_number(canonical_zone(zone.empty() ? build.session_zone() : zone, nullptr))));
}

/// The bits of a zoned value.
ExprPtr bits(const Build& build, ExprPtr value) {
  return build.relabel(std::move(value), LogicalType::HUGEINT);
}

struct ZoneNumber : duckdb::BoundCastData {
  explicit ZoneNumber(int32_t n) : number(n) {}
  int32_t number;
  duckdb::unique_ptr<duckdb::BoundCastData> Copy() const override {
    return duckdb::make_uniq<ZoneNumber>(number);
  }
};

bool micros_to_zoned(duckdb::Vector& source, duckdb::Vector& result, duckdb::idx_t count,
                     duckdb::CastParameters& parameters) {
  const int32_t number = parameters.cast_data->Cast<ZoneNumber>().number;
  duckdb::UnaryExecutor::Execute<int64_t, hugeint_t>(
      source, result, count,
      [number](int64_t micros) { return packed(micros * kPicosOfMicro, number); });
  return true;
}
bool zoned_to_micros(duckdb::Vector& source, duckdb::Vector& result, duckdb::idx_t count,
                     duckdb::CastParameters&) {
  duckdb::UnaryExecutor::Execute<hugeint_t, int64_t>(source, result, count, [](hugeint_t value) {
    return static_cast<int64_t>(floor_div(picos_of(value), kPicosOfMicro));
  });
  return true;
}

/// Sorting, grouping, DISTINCT and joins of DuckDB's own making go by the instant. The binder still
/// looks at the expression it gave, which therefore stays whole inside the new one.
bool push_instant(duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::Expression>& source,
                  const LogicalType& type, duckdb::CollationType) {
  if (!is_zoned(type)) return false;
  ExprPtr bits = duckdb::make_uniq<duckdb::BoundCastExpression>(
      std::move(source), LogicalType::HUGEINT,
      duckdb::BoundCastInfo(duckdb::DefaultCasts::ReinterpretCast));
  source = Build(context).call("meesh_zoned_picos", std::move(bits));
  return true;
}

}  // namespace

std::shared_ptr<const TimeZone> find_zone(const std::string& name) {
  // Java knows these as short names only, and Trino not at all.
  if (name == "EST" || name == "MST" || name == "HST") return nullptr;
  return TimeZone::find(name == "utc" || name == "z" ? "UTC" : name);
}

hugeint_t zoned_value(__int128 local_picos, View zone) {
  return from_local(local_picos, number_of(zone));
}

bool has_zoned(const Exprs& args, size_t first) {
  return std::any_of(args.begin() + static_cast<ptrdiff_t>(first), args.end(),
                     [](const ExprPtr& arg) { return is_zoned(arg->return_type); });
}

LogicalType shared_zoned_type(const Exprs& args, size_t first, int precision) {
  std::optional<std::string> zone;
  if (has_zoned(args, first)) return zoned_type(precision);
  for (size_t i = first; i < args.size(); ++i) {
    if (type_of(*args[i]).kind == TypeKind::kUnknown) continue;
    const std::string one = zone_of(args[i]->return_type);
    if (zone && *zone != one) return zoned_type(precision);
    zone = one;
  }
  return timestamp_tz_type(precision, zone.value_or(""));
}

ExprPtr to_zoned_values(const Build& build, ExprPtr value) {
  if (is_zoned(value->return_type)) return value;
  const int precision = type_of(*value).precision;
  auto number = session_number(build, value->return_type);
  auto micros = build.relabel(build.plain(std::move(value)), LogicalType::BIGINT);
  return build.relabel(build.call("meesh_zoned", std::move(micros), std::move(number)),
                       zoned_type(precision));
}

ExprPtr instant_of_zoned(const Build& build, ExprPtr value) {
  return build.call("meesh_zoned_instant", bits(build, std::move(value)));
}

ExprPtr comparable_instant(const Build& build, ExprPtr value) {
  return build.call("meesh_zoned_picos", bits(build, to_zoned_values(build, std::move(value))));
}

ExprPtr local_of_zoned(const Build& build, ExprPtr value) {
  return build.relabel(build.call("meesh_zoned_local", bits(build, std::move(value))),
                       to_duckdb(Type::of(TypeKind::kTimestamp, 12)));
}

ExprPtr names_of_zoned(const Build& build, ExprPtr value) {
  return build.call("meesh_zoned_name", bits(build, std::move(value)));
}

ExprPtr offset_of_moment(const Build& build, ExprPtr value) {
  if (is_zoned(value->return_type))
    return build.call("meesh_zoned_offset", bits(build, std::move(value)));
  auto local = build.relabel(build.local_time(value->Copy()), LogicalType::BIGINT);
  auto utc = build.relabel(build.plain(std::move(value)), LogicalType::BIGINT);
  return build.call("//", build.call("-", std::move(local), std::move(utc)),
                    build.constant(Value::BIGINT(1000000)));
}

ExprPtr zoned_of_precision(const Build& build, ExprPtr value, int precision) {
  const int from = type_of(*value).precision;
  value = to_zoned_values(build, std::move(value));
  if (from <= precision) return build.relabel(std::move(value), zoned_type(precision));
  auto rounded = build.call("meesh_zoned_round", bits(build, std::move(value)),
                            build.constant(Value::BIGINT(precision)));
  return build.relabel(std::move(rounded), zoned_type(precision));
}

ExprPtr shown_in_zones(const Build& build, ExprPtr instants, ExprPtr names) {
  const int precision = type_of(*instants).precision;
  auto value = bits(build, to_zoned_values(build, std::move(instants)));
  return build.relabel(build.call("meesh_zoned_shown", std::move(value), std::move(names)),
                       zoned_type(precision));
}

ExprPtr local_in_zones(const Build& build, ExprPtr local, ExprPtr names) {
  const int precision = type_of(*local).precision;
  auto picos = build.trino_cast(std::move(local), Type::of(TypeKind::kTimestamp, 12));
  return build.relabel(
      build.call("meesh_zoned_from_local", build.relabel(std::move(picos), LogicalType::HUGEINT),
                 std::move(names)),
      zoned_type(precision));
}

ExprPtr text_to_zoned_values(const Build& build, ExprPtr text, int precision, bool try_cast) {
  Exprs args;
  args.push_back(build.native_cast(build.plain(std::move(text)), LogicalType::VARCHAR));
  args.push_back(build.constant(Value::BIGINT(precision)));
  args.push_back(build.constant(Value(build.session_zone())));
  args.push_back(build.constant(Value::BOOLEAN(try_cast)));
  return build.relabel(build.call("meesh_zoned_text", std::move(args)), zoned_type(precision));
}

duckdb::BoundCastInfo zoned_cast_info(duckdb::ClientContext& context, const LogicalType& source,
                                      const LogicalType& target) {
  if (is_zoned(source) == is_zoned(target))
    return duckdb::BoundCastInfo(is_zoned(source) ? duckdb::DefaultCasts::ReinterpretCast
                                                  : nullptr);
  if (is_zoned(source)) return duckdb::BoundCastInfo(zoned_to_micros);
  std::string zone = zone_of(source);
  if (zone.empty()) zone = Build(context).session_zone();
  return duckdb::BoundCastInfo(
      micros_to_zoned, duckdb::make_uniq<ZoneNumber>(zone_number(canonical_zone(zone, nullptr))));
}

void register_zone_kernels(duckdb::ExtensionLoader& loader) {
  const auto huge = LogicalType::HUGEINT, timestamp = LogicalType::TIMESTAMP;
  add_kernel<hugeint_t>(loader, "meesh_micros_of_picos", {huge}, timestamp, [](hugeint_t picos) {
    return duckdb::timestamp_t(static_cast<int64_t>(floor_div(wide(picos), kPicosOfMicro)));
  });
  add_kernel<int64_t, int32_t>(
      loader, "meesh_zoned", {kLong, kInt}, huge,
      [](int64_t micros, int32_t zone) { return packed(micros * kPicosOfMicro, zone); });
  add_kernel<hugeint_t>(loader, "meesh_zoned_instant", {huge}, LogicalType::TIMESTAMP_TZ,
                        [](hugeint_t value) {
                          return duckdb::timestamp_tz_t(
                              static_cast<int64_t>(floor_div(picos_of(value), kPicosOfMicro)));
                        });
  add_kernel<hugeint_t>(loader, "meesh_zoned_picos", {huge}, huge,
                        [](hugeint_t value) { return narrow(picos_of(value)); });
  add_kernel<hugeint_t>(loader, "meesh_zoned_of_nanos", {huge}, huge, [](hugeint_t nanos) {
    return packed(wide(nanos) * 1000, zone_number("UTC"));
  });
  add_kernel<hugeint_t>(loader, "meesh_zoned_local", {huge}, huge,
                        [](hugeint_t value) { return narrow(local_picos(value)); });
  add_kernel<hugeint_t>(loader, "meesh_zoned_offset", {huge}, kLong, [](hugeint_t value) {
    return static_cast<int64_t>((local_picos(value) - picos_of(value)) / kPicosOfSecond);
  });
  add_kernel<hugeint_t>(loader, "meesh_zoned_name", {huge}, kText,
                        [](hugeint_t value) { return numbered_zone(zone_of_value(value)); });
  add_kernel<hugeint_t, int64_t>(
      loader, "meesh_zoned_round", {huge, kLong}, huge, [](hugeint_t value, int64_t precision) {
        return packed(round_picos(picos_of(value), static_cast<int>(precision)),
                      zone_of_value(value));
      });
  add_kernel<hugeint_t, View>(
      loader, "meesh_zoned_shown", {huge, kText}, huge,
      [](hugeint_t value, View zone) { return packed(picos_of(value), number_of(zone)); });
  add_kernel<hugeint_t, View>(
      loader, "meesh_zoned_from_local", {huge, kText}, huge,
      [](hugeint_t local, View zone) { return from_local(wide(local), number_of(zone)); });
  add_kernel<View, int64_t, View, bool>(loader, "meesh_zoned_text", {kText, kLong, kText, kBool},
                                        huge, from_text);
  duckdb::CollationBinding::Get(loader.GetDatabaseInstance())
      .RegisterCollation(duckdb::CollationCallback(push_instant));
}

}  // namespace meesh::engine
