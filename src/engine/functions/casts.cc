// CAST and TRY_CAST with Trino's meaning. Where DuckDB means the same its own cast is used; the
// rest are cast functions of our own, so that nested types, TRY_CAST and constant folding work
// alike.
#include "duckdb/function/cast/bound_cast_data.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "engine/functions/cast_functions.h"
#include "engine/functions/coercion.h"
#include "engine/functions/comparisons.h"
#include "engine/functions/decimal_casts.h"
#include "engine/functions/json_casts.h"
#include "engine/functions/long_times.h"
#include "engine/functions/rules.h"
#include "engine/functions/text.h"
#include "engine/functions/time_tz.h"
#include "engine/functions/value_kernels.h"
#include "engine/functions/vector_tree.h"
#include "engine/functions/zones.h"

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

/// Under TRY_CAST a part that fails makes the whole NULL: the parts that are NULL only in `to`.
void fail_rows(Vector& result, duckdb::idx_t count, const std::vector<bool>& failed) {
  for (duckdb::idx_t row = 0; row < count; ++row)
    if (failed[row]) duckdb::FlatVector::SetNull(result, row, true);
}

bool list_by_element(Vector& source, Vector& result, duckdb::idx_t count,
                     CastParameters& parameters) {
  if (duckdb::ListCast::ListToListCast(source, result, count, parameters)) return true;
  if (result.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR) count = 1;
  result.Flatten(count);
  auto &from = duckdb::ListVector::GetEntry(source), &to = duckdb::ListVector::GetEntry(result);
  const auto size = duckdb::ListVector::GetListSize(result);
  duckdb::UnifiedVectorFormat before, after;
  from.ToUnifiedFormat(size, before);
  to.ToUnifiedFormat(size, after);
  std::vector<bool> failed(count);
  for (duckdb::idx_t row = 0; row < count; ++row) {
    if (duckdb::FlatVector::IsNull(result, row)) continue;
    const auto entry = duckdb::FlatVector::GetData<duckdb::list_entry_t>(result)[row];
    for (auto i = entry.offset; i < entry.offset + entry.length; ++i)
      failed[row] = failed[row] || (before.validity.RowIsValid(before.sel->get_index(i)) &&
                                    !after.validity.RowIsValid(after.sel->get_index(i)));
  }
  fail_rows(result, count, failed);
  return false;
}

bool struct_by_position(Vector& source, Vector& result, duckdb::idx_t count,
                        CastParameters& parameters) {
  auto& data = parameters.cast_data->Cast<duckdb::StructBoundCastData>();
  auto& states = parameters.local_state->Cast<duckdb::StructCastLocalState>().local_states;
  const bool constant = source.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
  if (!constant) source.Flatten(count);
  auto& from = duckdb::StructVector::GetEntries(source);
  auto& to = duckdb::StructVector::GetEntries(result);
  const auto rows = constant ? 1 : count;
  std::vector<bool> failed;
  for (size_t i = 0; i < from.size(); ++i) {
    CastParameters child(parameters, data.child_cast_info[i].cast_data, states[i]);
    if (data.child_cast_info[i].function(*from[i], *to[i], rows, child)) continue;
    failed.resize(rows);
    duckdb::UnifiedVectorFormat before, after;
    from[i]->ToUnifiedFormat(rows, before);
    to[i]->ToUnifiedFormat(rows, after);
    for (duckdb::idx_t row = 0; row < rows; ++row)
      failed[row] = failed[row] || (before.validity.RowIsValid(before.sel->get_index(row)) &&
                                    !after.validity.RowIsValid(after.sel->get_index(row)));
  }
  if (constant) {
    result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
    duckdb::ConstantVector::SetNull(result, duckdb::ConstantVector::IsNull(source));
  } else {
    for (auto& entry : to) entry->Flatten(count);
    duckdb::FlatVector::SetValidity(result, duckdb::FlatVector::Validity(source));
  }
  if (failed.empty()) return true;
  if (constant) {
    if (failed[0]) duckdb::ConstantVector::SetNull(result, true);
  } else {
    fail_rows(result, count, failed);
  }
  return false;
}

BoundCastInfo cast_info(duckdb::ClientContext& context, const LogicalType& source,
                        const LogicalType& target);

BoundCastInfo struct_info(duckdb::vector<BoundCastInfo> children, const LogicalType& target) {
  return BoundCastInfo(struct_by_position,
                       make_uniq<duckdb::StructBoundCastData>(std::move(children), target),
                       duckdb::StructBoundCastData::InitStructCastLocalState);
}

/// Whether keys that are different may be one key of the other type.
bool may_meet(const Type& from, const Type& to) {
  if (is_integral(from) && is_integral(to)) return false;
  return from.kind != to.kind || from.precision > to.precision || !from.children.empty();
}

/// A map whose keys may_meet().
bool map_by_entry(Vector& source, Vector& result, duckdb::idx_t count, CastParameters& parameters) {
  bool all = list_by_element(source, result, count, parameters);
  const ReadVector maps(result, count);
  for (size_t row = 0; row < (maps.constant() ? 1 : count); ++row) {
    if (maps.tree().is_null(row)) continue;
    const auto entry = maps.tree().entry(row);
    ValueSet seen;
    for (auto i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (seen.insert(duckdb::MapVector::GetKeys(result).GetValue(i)).second) continue;
      if (!parameters.error_message) raise(Code::kInvalidCastArgument, "duplicate keys");
      if (parameters.error_message->empty()) *parameters.error_message = "duplicate keys";
      result.SetValue(row, Value(result.GetType()));
      all = false;
      break;
    }
  }
  return all;
}

BoundCastInfo list_info(BoundCastInfo child) {
  return BoundCastInfo(list_by_element, make_uniq<duckdb::ListBoundCastData>(std::move(child)),
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
    auto info = list_info(struct_info(std::move(children), duckdb::ListType::GetChildType(target)));
    if (may_meet(from_duckdb(source).children[0], from_duckdb(target).children[0]))
      info.function = map_by_entry;
    return info;
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
  if (is_zoned(source) != is_zoned(target) && from.kind == to.kind)
    return zoned_cast_info(context, source, target);
  if (from == to && from.children.empty())
    return BoundCastInfo(duckdb::DefaultCasts::ReinterpretCast);
  if (auto function = own_cast_function(from, to))
    return BoundCastInfo(function, make_uniq<CastTypes>(from, to));
  if (auto nested = nested_info(context, source, target)) return std::move(*nested);
  duckdb::GetCastFunctionInput input(context);
  auto native = duckdb::CastFunctionSet::Get(context).GetCastFunction(plain_type(source),
                                                                      plain_type(target), input);
  return may_overflow_decimal(from, to) ? narrowing_decimal_cast(from, to, std::move(native))
                                        : std::move(native);
}

bool castable(const Type& from, const Type& to);

bool castable_nested(const Type& from, const Type& to) {
  if (from.children.size() != to.children.size()) return false;
  for (size_t i = 0; i < from.children.size(); ++i) {
    if (!castable(from.children[i], to.children[i])) return false;
  }
  return true;
}

bool is_sketch(const Type& type) {
  return type.kind >= TypeKind::kHyperLogLog && type.kind <= TypeKind::kQdigest;
}

/// A sketch is its bytes, and the two HyperLogLogs are one to the other.
bool sketch_castable(const Type& from, const Type& to) {
  const auto logs = [](const Type& type) {
    return type.kind == TypeKind::kHyperLogLog || type.kind == TypeKind::kP4HyperLogLog;
  };
  return from.kind == TypeKind::kVarbinary || to.kind == TypeKind::kVarbinary ||
         (logs(from) && logs(to));
}

/// Bytes are no text, and what has one length of text is not cut to another.
bool writable(const Type& from, const Type& to) {
  if (from.kind == TypeKind::kUuid || from.kind == TypeKind::kIpaddress)
    return to.precision == Type::kUnbounded;
  return from.kind != TypeKind::kVarbinary;
}

bool castable(const Type& from, const Type& to) {
  if (from == to || from.kind == TypeKind::kUnknown) return true;
  if (is_sketch(from) || is_sketch(to)) return sketch_castable(from, to);
  auto date_like = [](TypeKind k) {
    return k == TypeKind::kDate || k == TypeKind::kTimestamp || k == TypeKind::kTimestampTz;
  };
  auto time_like = [](TypeKind k) { return k == TypeKind::kTime || k == TypeKind::kTimeTz; };
  if (to.kind == TypeKind::kJson) return castable_to_json(from);
  if (from.kind == TypeKind::kJson) return castable_from_json(to);
  if (from.kind == TypeKind::kChar || to.kind == TypeKind::kChar)
    return is_text(from) && is_text(to);
  if (from.kind == TypeKind::kTimeTz || to.kind == TypeKind::kTimeTz) {
    const Type& other = from.kind == TypeKind::kTimeTz ? to : from;
    return other.kind == TypeKind::kVarchar || time_like(other.kind) ||
           (date_like(other.kind) && other.kind != TypeKind::kDate);
  }
  if (is_text(from))
    return to.children.empty() && to.kind != TypeKind::kIntervalDayToSecond &&
           to.kind != TypeKind::kIntervalYearToMonth;
  if (is_text(to)) return from.children.empty() && writable(from, to);
  if (is_numeric(from) || from.kind == TypeKind::kBoolean)
    return is_numeric(to) || to.kind == TypeKind::kBoolean;
  if (date_like(from.kind))
    return date_like(to.kind) || (from.kind != TypeKind::kDate && time_like(to.kind));
  if (time_like(from.kind))
    return time_like(to.kind) || to.kind == TypeKind::kTimestamp ||
           to.kind == TypeKind::kTimestampTz;
  if (from.kind == TypeKind::kUuid || from.kind == TypeKind::kIpaddress)
    return to.kind == TypeKind::kVarbinary;
  if (from.kind == TypeKind::kVarbinary)
    return to.kind == TypeKind::kUuid || to.kind == TypeKind::kIpaddress;
  if (from.kind != to.kind) return false;
  return !from.children.empty() && castable_nested(from, to);
}

/// `target` with the zones that the timestamps inside `source` have.
LogicalType with_zones_of(const LogicalType& source, const LogicalType& target) {
  if (source.id() != target.id() && !is_zoned(source)) return target;
  const Type to = from_duckdb(target);
  switch (to.kind) {
    case TypeKind::kTimestampTz:
      return is_zoned(source) ? zoned_type(to.precision)
                              : timestamp_tz_type(to.precision, zone_of(source));
    case TypeKind::kArray:
      return LogicalType::LIST(with_zones_of(duckdb::ListType::GetChildType(source),
                                             duckdb::ListType::GetChildType(target)));
    case TypeKind::kMap:
      return LogicalType::MAP(
          with_zones_of(duckdb::MapType::KeyType(source), duckdb::MapType::KeyType(target)),
          with_zones_of(duckdb::MapType::ValueType(source), duckdb::MapType::ValueType(target)));
    case TypeKind::kRow: {
      const auto& from = duckdb::StructType::GetChildTypes(source);
      auto fields = duckdb::StructType::GetChildTypes(target);
      for (size_t i = 0; i < fields.size(); ++i)
        fields[i].second = with_zones_of(from[i].second, fields[i].second);
      return LogicalType::STRUCT(std::move(fields));
    }
    default:
      return target;
  }
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

/// A time is rounded like any time, also before 1970.
ExprPtr from_local(const Build& build, ExprPtr local, const Type& from, const Type& to,
                   bool try_cast) {
  if (to.kind == TypeKind::kTime)
    local = build.trino_cast(std::move(local), Type::of(TypeKind::kTime, from.precision));
  return build.trino_cast(std::move(local), to, try_cast);
}

ExprPtr from_zoned(const Build& build, ExprPtr value, const Type& from, const Type& to,
                   bool try_cast) {
  if (is_zoned(value->return_type)) {
    auto local = build.trino_cast(local_of_zoned(build, value->Copy()),
                                  Type::of(TypeKind::kTimestamp, from.precision));
    if (!is_text(to)) return from_local(build, std::move(local), from, to, try_cast);
    Exprs parts;
    parts.push_back(build.trino_cast(std::move(local), Type::varchar()));
    parts.push_back(build.constant(Value(" ")));
    parts.push_back(names_of_zoned(build, std::move(value)));
    return fitted(build.call("concat", std::move(parts)), from, to, try_cast);
  }
  const std::string zone = zone_shown(build, value->return_type);
  auto local = build.local_time(std::move(value));
  local =
      build.relabel(std::move(local), to_duckdb(Type::of(TypeKind::kTimestamp, from.precision)));
  if (!is_text(to)) return from_local(build, std::move(local), from, to, try_cast);
  auto text = apply_info(build, std::move(local), LogicalType::VARCHAR, false);
  text = build.call("||", std::move(text), build.constant(Value(" " + zone)));
  return fitted(std::move(text), from, to, try_cast);
}

/// Of a constant text the type has the zone; of others each value.
ExprPtr text_to_zoned(const Build& build, ExprPtr value, const Type& to, bool try_cast) {
  auto constant = build.constant_value(*value);
  if (!constant.IsNull()) {
    const std::string text = constant.ToString();
    auto moment = read_moment(text);
    if (!moment || (!moment->zone.empty() && !find_zone(moment->zone))) {
      if (try_cast) return build.constant(Value(timestamp_tz_type(to.precision, "")));
      raise(Code::kInvalidCastArgument, "Value cannot be cast to timestamp: " + text, value.get());
    }
    const std::string zone = moment->zone.empty() ? "" : canonical_zone(moment->zone, value.get());
    if (to.precision > 6)
      return text_to_zoned_values(build, std::move(value), to.precision, try_cast);
    const int64_t micros =
        int64_t{moment->days} * 86400000000 + round_fraction(moment->nanos, 9, to.precision) / 1000;
    auto local = build.constant(Value::TIMESTAMP(duckdb::timestamp_t(micros)));
    local->SetQueryLocation(value->GetQueryLocation());
    return build.relabel(build.instant(std::move(local), zone),
                         timestamp_tz_type(to.precision, zone));
  }
  return text_to_zoned_values(build, std::move(value), to.precision, try_cast);
}

ExprPtr to_zoned(const Build& build, ExprPtr value, const Type& from, const Type& to,
                 bool try_cast) {
  if (from.kind == TypeKind::kTimestampTz) {
    if (is_zoned(value->return_type) || to.precision > 6)
      return zoned_of_precision(build, std::move(value), to.precision);
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
  if (to.precision > 6)
    return local_in_zones(build, std::move(local), build.constant(Value(build.session_zone())));
  return build.relabel(build.instant(std::move(local), ""), timestamp_tz_type(to.precision, ""));
}

ExprPtr time_to_moment(const Build& build, ExprPtr value, const Type& to, bool try_cast) {
  auto today = build.call("trino_current_date", Exprs());
  if (is_long(type_of(*value)) || is_long(to)) {
    const Type finest = Type::of(TypeKind::kTimestamp, 12);
    auto picos = build.relabel(build.trino_cast(std::move(value), Type::of(TypeKind::kTime, 12)),
                               LogicalType::BIGINT);
    auto midnight = build.relabel(build.trino_cast(std::move(today), finest), LogicalType::HUGEINT);
    auto sum = build.call("+", std::move(midnight),
                          build.native_cast(std::move(picos), LogicalType::HUGEINT));
    return build.trino_cast(build.relabel(std::move(sum), to_duckdb(finest)), to, try_cast);
  }
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

/// TYPE 'text': what cannot be read is an error of the literal.
ExprPtr typed_literal(const Build& build, Exprs args) {
  if (args.size() != 2) internal_error("trino_literal takes a text and a type");
  const Type type = Type::parse(build.constant_value(*args[1]).ToString());
  const std::string text = build.constant_value(*args[0]).ToString();
  ExprPtr made;
  if (type.kind == TypeKind::kJson) {
    auto json = canonical_json(text);
    if (json) made = build.relabel(build.constant(Value(*json)), LogicalType::JSON());
  } else {
    made = build.trino_cast(args[0]->Copy(), type, true);
    if (build.constant_value(*made).IsNull()) made = nullptr;
  }
  if (made) return made;
  std::string name = type.base_name();
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  raise(Code::kInvalidLiteral, "'" + text + "' is not a valid " + name + " literal", args[0].get());
}

/// json_parse(…) itself: also what Trino does not cast from JSON (times, uuid) is read inside of
/// arrays, maps and rows; ingestion and streams carry their nested columns so.
bool is_parsed_json(const duckdb::Expression& value) {
  return value.GetExpressionClass() == duckdb::ExpressionClass::BOUND_FUNCTION &&
         value.Cast<duckdb::BoundFunctionExpression>().function.name == "meesh_json_parse";
}

/// Labels are put on and taken off without touching the value: what DuckDB mixes by itself must not
/// lose digits to the label it happens to prefer.
BoundCastInfo label_cast(duckdb::BindCastInput&, const LogicalType&, const LogicalType&) {
  return BoundCastInfo(duckdb::DefaultCasts::ReinterpretCast);
}

}  // namespace

ExprPtr Build::trino_cast(ExprPtr value, const Type& to, bool try_cast) const {
  const Type from = type_of(*value);
  if (from == to) {
    if (from.children.empty()) return value;
    const auto type = with_zones_of(value->return_type, to_duckdb(to));
    return relabel(std::move(value), type);
  }
  if (from.kind == TypeKind::kUnknown) return native_cast(std::move(value), to_duckdb(to));
  if (!castable(from, to)) {
    if (is_parsed_json(*value) && !to.children.empty())
      return native_cast(std::move(value), to_duckdb(to), try_cast);
    raise(Code::kTypeMismatch, "Cannot cast " + shown(from) + " to " + to.display(), value.get());
  }
  if (to.kind == TypeKind::kTimeTz || from.kind == TypeKind::kTimeTz)
    return cast_time_tz(*this, std::move(value), to, try_cast);
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
  if (to.kind == TypeKind::kJson && is_zoned(value->return_type))
    value = trino_cast(std::move(value), Type::varchar());
  if (to.kind == TypeKind::kJson || from.kind == TypeKind::kJson)
    return apply_info(*this, std::move(value), to_duckdb(to), try_cast);
  if (is_text(to) && !is_text(from) &&
      !has_text_cast(from.kind)) {  // decimal, uuid: DuckDB's text, then its length
    return fitted(native_cast(plain(std::move(value)), LogicalType::VARCHAR), from, to, try_cast);
  }
  auto target = to_duckdb(to);
  if (!from.children.empty()) target = with_zones_of(value->return_type, target);
  return apply_info(*this, std::move(value), target, try_cast);
}

ExprPtr Build::coerce(ExprPtr value, const LogicalType& to) const {
  if (value->return_type == to) return value;
  if (type_of(*value).kind == TypeKind::kTimestampTz &&
      from_duckdb(to).kind == TypeKind::kTimestampTz &&
      (is_zoned(value->return_type) || is_zoned(to))) {
    value = zoned_of_precision(*this, std::move(value), from_duckdb(to).precision);
    return is_zoned(to) ? std::move(value) : relabel(instant_of_zoned(*this, std::move(value)), to);
  }
  if (type_of(*value) == from_duckdb(to)) return relabel(std::move(value), to);
  auto made = trino_cast(std::move(value), from_duckdb(to));
  if (is_zoned(made->return_type) && !is_zoned(to))
    return relabel(instant_of_zoned(*this, std::move(made)), to);
  return made->return_type == to ? std::move(made) : relabel(std::move(made), to);
}

const std::vector<NamedHook>& cast_hooks() {
  static const std::vector<NamedHook> hooks = {
      {"trino_cast", plain_cast}, {"trino_try_cast", try_cast}, {"trino_literal", typed_literal}};
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
  loader.RegisterType(kLongTimestampLabel, LogicalType::HUGEINT, label_type<kLongTimestampLabel>);
  loader.RegisterType(kLongTimeLabel, LogicalType::BIGINT, label_type<kLongTimeLabel>);
  loader.RegisterType(kZonedLabel, LogicalType::HUGEINT, label_type<kZonedLabel>);
  loader.RegisterType(kYearMonthLabel, LogicalType::INTERVAL, label_type<kYearMonthLabel>);
  loader.RegisterType(kAddressLabel, LogicalType::BLOB, label_type<kAddressLabel>);
  loader.RegisterType(kColorLabel, LogicalType::VARCHAR, label_type<kColorLabel>);
  loader.RegisterType(kJsonPathLabel, LogicalType::VARCHAR, label_type<kJsonPathLabel>);
  loader.RegisterType(kHyperLogLogLabel, LogicalType::BLOB, label_type<kHyperLogLogLabel>);
  loader.RegisterType(kP4HyperLogLogLabel, LogicalType::BLOB, label_type<kP4HyperLogLogLabel>);
  loader.RegisterType(kSetDigestLabel, LogicalType::BLOB, label_type<kSetDigestLabel>);
  loader.RegisterType(kTdigestLabel, LogicalType::BLOB, label_type<kTdigestLabel>);
  loader.RegisterType(kQdigestLabel, LogicalType::BLOB, label_type<kQdigestLabel>);
}

void register_label_casts(duckdb::ExtensionLoader& loader) {
  register_order_check(loader.GetDatabaseInstance());
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
  both(alias(LogicalType::BLOB, kAddressLabel), LogicalType::BLOB);
  for (const char* label : {kColorLabel, kJsonPathLabel})
    both(alias(LogicalType::VARCHAR, label), LogicalType::VARCHAR);
  for (const char* label :
       {kHyperLogLogLabel, kP4HyperLogLogLabel, kSetDigestLabel, kTdigestLabel, kQdigestLabel})
    both(alias(LogicalType::BLOB, label), LogicalType::BLOB);
  both(alias(LogicalType::TIMESTAMP, kTimestampLabel), LogicalType::TIMESTAMP);
  both(alias(LogicalType::TIMESTAMP_NS, kTimestampLabel), LogicalType::TIMESTAMP_NS);
  both(alias(LogicalType::TIMESTAMP_TZ, kMomentLabel), LogicalType::TIMESTAMP_TZ);
  both(alias(LogicalType::TIME, kTimeLabel), LogicalType::TIME);
  both(alias(LogicalType::TIME_TZ, kTimeTzLabel), LogicalType::TIME_TZ);
  for (const char* label : {kLongTimestampLabel, kZonedLabel})
    both(alias(LogicalType::HUGEINT, label), LogicalType::HUGEINT);
  both(alias(LogicalType::BIGINT, kLongTimeLabel), LogicalType::BIGINT);
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
  const auto zoned = alias(LogicalType::HUGEINT, kZonedLabel),
             moment = alias(LogicalType::TIMESTAMP_TZ, kMomentLabel);
  for (const auto& instant : {moment, LogicalType(LogicalType::TIMESTAMP_TZ)}) {
    loader.RegisterCastFunction(zoned, instant, other, 10);
    loader.RegisterCastFunction(instant, zoned, other, 10);
  }
  const auto picos = alias(LogicalType::HUGEINT, kLongTimestampLabel);
  for (const auto& local :
       {us, ns, LogicalType(LogicalType::TIMESTAMP), LogicalType(LogicalType::TIMESTAMP_NS),
        LogicalType(LogicalType::DATE)}) {
    loader.RegisterCastFunction(picos, local, other, 10);
    loader.RegisterCastFunction(local, picos, other, 10);
  }
  const auto clock = alias(LogicalType::BIGINT, kLongTimeLabel),
             time = alias(LogicalType::TIME, kTimeLabel);
  for (const auto& local : {time, LogicalType(LogicalType::TIME)}) {
    loader.RegisterCastFunction(clock, local, other, 10);
    loader.RegisterCastFunction(local, clock, other, 10);
  }
}

}  // namespace meesh::engine
