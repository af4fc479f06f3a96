// CAST and TRY_CAST with Trino's meaning. Where DuckDB means the same its own cast is used; the
// rest are cast functions of our own, so that nested types, TRY_CAST and constant folding work
// alike.
#include "duckdb/function/cast/bound_cast_data.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "engine/functions/cast_functions.h"
#include "engine/functions/coercion.h"
#include "engine/functions/rules.h"
#include "engine/functions/text.h"

namespace meesh::engine {
namespace {

using duckdb::BoundCastInfo;
using duckdb::CastParameters;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::make_uniq;
using duckdb::Value;
using duckdb::Vector;
using sql::Type;
using sql::TypeKind;

// ---------------------------------------------------------------- nested

bool struct_by_position(Vector& source, Vector& result, duckdb::idx_t count,
                        CastParameters& parameters) {
  auto& data = parameters.cast_data->Cast<duckdb::StructBoundCastData>();
  auto& states = parameters.local_state->Cast<duckdb::StructCastLocalState>().local_states;
  const bool constant = source.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
  if (!constant) source.Flatten(count);
  auto& from = duckdb::StructVector::GetEntries(source);
  auto& to = duckdb::StructVector::GetEntries(result);
  bool all = true;
  for (size_t i = 0; i < from.size(); ++i) {
    CastParameters child(parameters, data.child_cast_info[i].cast_data, states[i]);
    if (!data.child_cast_info[i].function(*from[i], *to[i], constant ? 1 : count, child))
      all = false;
  }
  if (constant) {
    result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
    duckdb::ConstantVector::SetNull(result, duckdb::ConstantVector::IsNull(source));
  } else {
    for (auto& entry : to) entry->Flatten(count);
    duckdb::FlatVector::SetValidity(result, duckdb::FlatVector::Validity(source));
  }
  return all;
}

BoundCastInfo cast_info(duckdb::ClientContext& context, const LogicalType& source,
                        const LogicalType& target);

BoundCastInfo struct_info(duckdb::vector<BoundCastInfo> children, const LogicalType& target) {
  return BoundCastInfo(struct_by_position,
                       make_uniq<duckdb::StructBoundCastData>(std::move(children), target),
                       duckdb::StructBoundCastData::InitStructCastLocalState);
}

BoundCastInfo list_info(BoundCastInfo child) {
  return BoundCastInfo(duckdb::ListCast::ListToListCast,
                       make_uniq<duckdb::ListBoundCastData>(std::move(child)),
                       duckdb::ListBoundCastData::InitListLocalState);
}

std::optional<BoundCastInfo> nested_info(duckdb::ClientContext& context, const LogicalType& source,
                                         const LogicalType& target) {
  if (source.id() != target.id()) return std::nullopt;
  if (source.id() == LogicalTypeId::LIST) {
    return list_info(cast_info(context, duckdb::ListType::GetChildType(source),
                               duckdb::ListType::GetChildType(target)));
  }
  duckdb::vector<BoundCastInfo> children;
  if (source.id() == LogicalTypeId::MAP) {
    children.push_back(
        cast_info(context, duckdb::MapType::KeyType(source), duckdb::MapType::KeyType(target)));
    children.push_back(
        cast_info(context, duckdb::MapType::ValueType(source), duckdb::MapType::ValueType(target)));
    return list_info(struct_info(std::move(children), duckdb::ListType::GetChildType(target)));
  }
  if (source.id() == LogicalTypeId::STRUCT) {
    auto& from = duckdb::StructType::GetChildTypes(source);
    auto& to = duckdb::StructType::GetChildTypes(target);
    for (size_t i = 0; i < from.size(); ++i)
      children.push_back(cast_info(context, from[i].second, to[i].second));
    return struct_info(std::move(children), target);
  }
  return std::nullopt;
}

BoundCastInfo cast_info(duckdb::ClientContext& context, const LogicalType& source,
                        const LogicalType& target) {
  const Type from = from_duckdb(source), to = from_duckdb(target);
  if (from == to && from.children.empty())
    return BoundCastInfo(duckdb::DefaultCasts::ReinterpretCast);
  if (auto function = own_cast_function(from, to))
    return BoundCastInfo(function, make_uniq<CastTypes>(from, to));
  if (auto nested = nested_info(context, source, target)) return std::move(*nested);
  duckdb::GetCastFunctionInput input(context);
  return duckdb::CastFunctionSet::Get(context).GetCastFunction(plain_type(source),
                                                               plain_type(target), input);
}

bool castable(const Type& from, const Type& to);

bool castable_nested(const Type& from, const Type& to) {
  if (from.children.size() != to.children.size()) return false;
  for (size_t i = 0; i < from.children.size(); ++i) {
    if (!castable(from.children[i], to.children[i])) return false;
  }
  return true;
}

bool castable(const Type& from, const Type& to) {
  if (from == to || from.kind == TypeKind::kUnknown) return true;
  auto date_like = [](TypeKind k) {
    return k == TypeKind::kDate || k == TypeKind::kTimestamp || k == TypeKind::kTimestampTz;
  };
  auto time_like = [](TypeKind k) { return k == TypeKind::kTime || k == TypeKind::kTimeTz; };
  if (to.kind == TypeKind::kJson) return from.kind != TypeKind::kVarbinary;
  if (from.kind == TypeKind::kJson) {
    return is_text(to) || is_numeric(to) || to.kind == TypeKind::kBoolean ||
           to.kind == TypeKind::kArray || to.kind == TypeKind::kMap || to.kind == TypeKind::kRow ||
           date_like(to.kind);
  }
  if (is_text(from))
    return to.children.empty() && to.kind != TypeKind::kIntervalDayToSecond &&
           to.kind != TypeKind::kIntervalYearToMonth;
  if (is_text(to)) return from.children.empty() && from.kind != TypeKind::kVarbinary;
  if (is_numeric(from) || from.kind == TypeKind::kBoolean)
    return is_numeric(to) || to.kind == TypeKind::kBoolean;
  if (date_like(from.kind))
    return date_like(to.kind) || (from.kind != TypeKind::kDate && time_like(to.kind));
  if (time_like(from.kind))
    return time_like(to.kind) || to.kind == TypeKind::kTimestamp ||
           to.kind == TypeKind::kTimestampTz;
  if (from.kind == TypeKind::kUuid) return to.kind == TypeKind::kVarbinary;
  if (from.kind == TypeKind::kVarbinary)
    return to.kind == TypeKind::kUuid || to.kind == TypeKind::kIpaddress;
  if (from.kind != to.kind) return false;
  return !from.children.empty() && castable_nested(from, to);
}

ExprPtr apply_info(const Build& build, ExprPtr value, const LogicalType& target, bool try_cast) {
  auto info = cast_info(build.context, value->return_type, target);
  if (info.function == duckdb::DefaultCasts::ReinterpretCast)
    return build.relabel(std::move(value), target);
  const auto location = value->GetQueryLocation();
  auto made =
      make_uniq<duckdb::BoundCastExpression>(std::move(value), target, std::move(info), try_cast);
  made->SetQueryLocation(location);
  return made;
}

// ---------------------------------------------------------------- time zones

std::string zone_shown(const Build& build, const LogicalType& type) {
  const std::string zone = zone_of(type);
  return zone.empty() ? build.session_zone() : zone;
}

ExprPtr from_zoned(const Build& build, ExprPtr value, const Type& from, const Type& to,
                   bool try_cast) {
  const std::string zone = zone_shown(build, value->return_type);
  auto local = build.local_time(std::move(value));
  local =
      build.relabel(std::move(local), to_duckdb(Type::of(TypeKind::kTimestamp, from.precision)));
  if (!is_text(to)) return build.trino_cast(std::move(local), to, try_cast);
  auto text = apply_info(build, std::move(local), LogicalType::VARCHAR, false);
  text = build.call("||", std::move(text), build.constant(Value(" " + zone)));
  return build.trino_cast(std::move(text), to, try_cast);
}

/// A constant text keeps the zone it names; others are brought to the session's zone.
ExprPtr text_to_zoned(const Build& build, ExprPtr value, const Type& to, bool try_cast) {
  auto constant = build.constant_value(*value);
  if (!constant.IsNull()) {
    const std::string text = constant.ToString();
    auto moment = read_moment(text);
    if (!moment) {
      if (try_cast) return build.constant(Value(timestamp_tz_type(to.precision, "")));
      raise(Code::kInvalidCastArgument, "Value cannot be cast to timestamp with time zone: " + text,
            value.get());
    }
    const std::string zone = moment->zone.empty() ? "" : canonical_zone(moment->zone, value.get());
    const int64_t micros =
        int64_t{moment->days} * 86400000000 + round_fraction(moment->nanos, 9, to.precision) / 1000;
    auto local = build.constant(Value::TIMESTAMP(duckdb::timestamp_t(micros)));
    local->SetQueryLocation(value->GetQueryLocation());
    return build.relabel(build.instant(std::move(local), zone),
                         timestamp_tz_type(to.precision, zone));
  }
  value = build.plain(std::move(value));
  auto session = build.constant(Value(build.session_zone()));
  auto zone = build.call("meesh_zone_part", value->Copy(), std::move(session));
  auto local =
      build.call("meesh_local_part", std::move(value), build.constant(Value::BOOLEAN(try_cast)));
  return build.relabel(build.call("timezone", std::move(zone), std::move(local)),
                       timestamp_tz_type(to.precision, ""));
}

ExprPtr to_zoned(const Build& build, ExprPtr value, const Type& from, const Type& to,
                 bool try_cast) {
  if (from.kind == TypeKind::kTimestampTz) {
    const std::string zone = zone_of(value->return_type);
    if (from.precision <= to.precision)
      return build.relabel(std::move(value), timestamp_tz_type(to.precision, zone));
    auto local = build.relabel(build.plain(std::move(value)), LogicalType::TIMESTAMP);
    local = apply_info(build, std::move(local),
                       to_duckdb(Type::of(TypeKind::kTimestamp, to.precision)), false);
    return build.relabel(std::move(local), timestamp_tz_type(to.precision, zone));
  }
  if (is_text(from)) return text_to_zoned(build, std::move(value), to, try_cast);
  auto local =
      build.trino_cast(std::move(value), Type::of(TypeKind::kTimestamp, to.precision), try_cast);
  return build.relabel(build.instant(std::move(local), ""), timestamp_tz_type(to.precision, ""));
}

ExprPtr time_to_moment(const Build& build, ExprPtr value, const Type& to, bool try_cast) {
  auto today = build.call("trino_current_date", Exprs());
  auto moment = build.call("+", std::move(today), build.plain(std::move(value)));
  return build.trino_cast(std::move(moment), to, try_cast);
}

ExprPtr cast_hook(const Build& build, Exprs args, bool try_cast) {
  if (args.size() != 2) internal_error("trino_cast takes a value and a type");
  return build.trino_cast(std::move(args[0]),
                          Type::parse(build.constant_value(*args[1]).ToString()), try_cast);
}
ExprPtr plain_cast(const Build& build, Exprs args) {
  return cast_hook(build, std::move(args), false);
}
ExprPtr try_cast(const Build& build, Exprs args) { return cast_hook(build, std::move(args), true); }

/// Labels are put on and taken off without touching the value: what DuckDB mixes by itself must not
/// lose digits to the label it happens to prefer.
BoundCastInfo label_cast(duckdb::BindCastInput&, const LogicalType&, const LogicalType&) {
  return BoundCastInfo(duckdb::DefaultCasts::ReinterpretCast);
}

}  // namespace

ExprPtr Build::trino_cast(ExprPtr value, const Type& to, bool try_cast) const {
  const Type from = type_of(*value);
  if (from == to)
    return from.children.empty() ? std::move(value) : relabel(std::move(value), to_duckdb(to));
  if (from.kind == TypeKind::kUnknown) return native_cast(std::move(value), to_duckdb(to));
  if (!castable(from, to)) {
    raise(Code::kTypeMismatch, "Cannot cast " + shown(from) + " to " + to.display(), value.get());
  }
  if (to.kind == TypeKind::kTimeTz || from.kind == TypeKind::kTimeTz) {
    if (is_text(from) || is_text(to))
      return native_cast(plain(std::move(value)), plain_type(to_duckdb(to)), try_cast);
    raise(Code::kNotSupported,
          "Casting " + from.display() + " to " + to.display() + " is not supported", value.get());
  }
  if (to.kind == TypeKind::kTimestampTz && from.kind != TypeKind::kJson &&
      from.kind != TypeKind::kTime) {
    return to_zoned(*this, std::move(value), from, to, try_cast);
  }
  if (from.kind == TypeKind::kTimestampTz && to.kind != TypeKind::kJson) {
    return from_zoned(*this, std::move(value), from, to, try_cast);
  }
  if (from.kind == TypeKind::kTime && to.kind != TypeKind::kTime && !is_text(to) &&
      to.kind != TypeKind::kJson) {
    return time_to_moment(*this, std::move(value), to, try_cast);
  }
  if (to.kind == TypeKind::kJson) return call("to_json", plain(std::move(value)));
  if (from.kind == TypeKind::kJson && is_text(to)) {
    auto text = call("json_extract_string", std::move(value), constant(Value("$")));
    return trino_cast(std::move(text), to, try_cast);
  }
  if (from.kind == TypeKind::kJson)
    return relabel(native_cast(std::move(value), plain_type(to_duckdb(to)), try_cast),
                   to_duckdb(to));
  if (is_text(to) && !is_text(from) &&
      !has_text_cast(from.kind)) {  // decimal, uuid: DuckDB's text, then its length
    return trino_cast(native_cast(plain(std::move(value)), LogicalType::VARCHAR), to, try_cast);
  }
  return apply_info(*this, std::move(value), to_duckdb(to), try_cast);
}

ExprPtr Build::coerce(ExprPtr value, const LogicalType& to) const {
  if (value->return_type == to) return value;
  if (type_of(*value) == from_duckdb(to)) return relabel(std::move(value), to);
  auto made = trino_cast(std::move(value), from_duckdb(to));
  return made->return_type == to ? std::move(made) : relabel(std::move(made), to);
}

const std::vector<NamedHook>& cast_hooks() {
  static const std::vector<NamedHook> hooks = {{"trino_cast", plain_cast},
                                               {"trino_try_cast", try_cast}};
  return hooks;
}

/// Columns of any of Trino's types: CREATE TABLE t (c trino_type('varchar(20)')).
LogicalType named_type(duckdb::BindLogicalTypeInput& input) {
  if (input.modifiers.size() != 1) internal_error("trino_type takes the name of a type");
  try {
    return to_duckdb(Type::parse(input.modifiers[0].GetValue().ToString()));
  } catch (const Error& error) {
    raise(error.code(), error.message());
  }
}

/// One of the labels as a type, with its modifiers.
template <const char* const& kLabel>
LogicalType label_type(duckdb::BindLogicalTypeInput& input) {
  std::vector<int32_t> modifiers;
  for (const auto& modifier : input.modifiers) {
    modifiers.push_back(modifier.GetValue().GetValue<int32_t>());
  }
  return labelled_type(kLabel, modifiers);
}

void register_label_types(duckdb::ExtensionLoader& loader) {
  loader.RegisterType(kTimestampLabel, LogicalType::TIMESTAMP, label_type<kTimestampLabel>);
  loader.RegisterType(kMomentLabel, LogicalType::TIMESTAMP_TZ, label_type<kMomentLabel>);
  loader.RegisterType(kTimeLabel, LogicalType::TIME, label_type<kTimeLabel>);
  loader.RegisterType(kTimeTzLabel, LogicalType::TIME_TZ, label_type<kTimeTzLabel>);
  loader.RegisterType(kYearMonthLabel, LogicalType::INTERVAL, label_type<kYearMonthLabel>);
  loader.RegisterType(kAddressLabel, LogicalType::VARCHAR, label_type<kAddressLabel>);
}

void register_label_casts(duckdb::ExtensionLoader& loader) {
  loader.RegisterType("trino_type", LogicalType::VARCHAR, named_type);
  register_label_types(loader);
  auto alias = [](LogicalType type, const char* name) {
    type.SetAlias(name);
    return type;
  };
  auto both = [&](const LogicalType& label, const LogicalType& base) {
    loader.RegisterCastFunction(label, base, label_cast, 1);
    loader.RegisterCastFunction(base, label, label_cast, 1);
    loader.RegisterCastFunction(label, label, label_cast, 1);
  };
  both(alias(LogicalType::VARCHAR, "varchar"), LogicalType::VARCHAR);
  both(alias(LogicalType::VARCHAR, "char"), LogicalType::VARCHAR);
  both(alias(LogicalType::VARCHAR, kAddressLabel), LogicalType::VARCHAR);
  both(alias(LogicalType::TIMESTAMP, kTimestampLabel), LogicalType::TIMESTAMP);
  both(alias(LogicalType::TIMESTAMP_NS, kTimestampLabel), LogicalType::TIMESTAMP_NS);
  both(alias(LogicalType::TIMESTAMP_TZ, kMomentLabel), LogicalType::TIMESTAMP_TZ);
  both(alias(LogicalType::TIME, kTimeLabel), LogicalType::TIME);
  both(alias(LogicalType::TIME_TZ, kTimeTzLabel), LogicalType::TIME_TZ);
  both(alias(LogicalType::INTERVAL, kYearMonthLabel), LogicalType::INTERVAL);
  const auto varchar_n = alias(LogicalType::VARCHAR, "varchar"),
             char_n = alias(LogicalType::VARCHAR, "char");
  loader.RegisterCastFunction(varchar_n, char_n, label_cast, 1);
  loader.RegisterCastFunction(char_n, varchar_n, label_cast, 1);
  const auto us = alias(LogicalType::TIMESTAMP, kTimestampLabel),
             ns = alias(LogicalType::TIMESTAMP_NS, kTimestampLabel);
  auto other = [](duckdb::BindCastInput& input, const LogicalType& source,
                  const LogicalType& target) { return cast_info(*input.context, source, target); };
  for (auto& [from, to] : {std::pair{us, ns},
                           {ns, us},
                           {us, LogicalType(LogicalType::TIMESTAMP_NS)},
                           {ns, LogicalType(LogicalType::TIMESTAMP)},
                           {LogicalType(LogicalType::TIMESTAMP), ns},
                           {LogicalType(LogicalType::TIMESTAMP_NS), us},
                           {us, LogicalType(LogicalType::DATE)},
                           {LogicalType(LogicalType::DATE), us}}) {
    loader.RegisterCastFunction(from, to, other, 10);
  }
}

}  // namespace meesh::engine
