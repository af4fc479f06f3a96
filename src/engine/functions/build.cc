#include "engine/functions/build.h"

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp"
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/function/function_binder.hpp"
#include "duckdb/main/client_config.hpp"
#include "duckdb/parser/expression/list.hpp"
#include "duckdb/planner/expression/list.hpp"
#include "engine/functions/long_times.h"
#include "engine/functions/rules.h"
#include "engine/functions/zones.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::make_uniq;

duckdb::unordered_map<std::string, std::string> no_info() { return {}; }

Exprs expand_all(const Build& build,
                 const duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>>& bodies,
                 const Exprs& arguments) {
  Exprs out;
  for (auto& body : bodies) out.push_back(build.expand(*body, arguments));
  return out;
}

ExprPtr expand_operator(const Build& build, const duckdb::OperatorExpression& body,
                        const Exprs& arguments) {
  auto children = expand_all(build, body.children, arguments);
  auto type = body.GetExpressionType();
  LogicalType result = LogicalType::BOOLEAN;
  switch (type) {
    case duckdb::ExpressionType::OPERATOR_IS_NULL:
    case duckdb::ExpressionType::OPERATOR_IS_NOT_NULL:
    case duckdb::ExpressionType::OPERATOR_NOT:
    case duckdb::ExpressionType::COMPARE_IN:
    case duckdb::ExpressionType::COMPARE_NOT_IN:
      break;
    case duckdb::ExpressionType::OPERATOR_COALESCE:
      result = children[0]->return_type;
      break;
    case duckdb::ExpressionType::ARRAY_CONSTRUCTOR:
      return build.call("list_value", std::move(children));
    case duckdb::ExpressionType::ARRAY_EXTRACT:
      return build.call("array_extract", std::move(children));
    case duckdb::ExpressionType::ARRAY_SLICE:
      return build.call("array_slice", std::move(children));
    default:
      internal_error("function body uses an operator without a rule: " + body.ToString());
  }
  auto made = make_uniq<duckdb::BoundOperatorExpression>(type, result);
  made->children = std::move(children);
  return made;
}

ExprPtr expand_case(const Build& build, const duckdb::CaseExpression& body,
                    const Exprs& arguments) {
  auto otherwise = build.expand(*body.else_expr, arguments);
  for (size_t i = body.case_checks.size(); i-- > 0;) {
    auto& check = body.case_checks[i];
    otherwise = build.case_when(build.expand(*check.when_expr, arguments),
                                build.expand(*check.then_expr, arguments), std::move(otherwise));
  }
  return otherwise;
}

ExprPtr with_children(ExprPtr expression, Exprs children, duckdb::vector<ExprPtr>& slot) {
  slot = std::move(children);
  return expression;
}

}  // namespace

void raise(Code code, const std::string& message, const duckdb::Expression* at) {
  auto extra = at ? duckdb::Exception::InitializeExtraInfo(*at) : no_info();
  extra[kCodeKey] = std::string(code_name(code));
  throw duckdb::Exception(
      extra, at ? duckdb::ExceptionType::BINDER : duckdb::ExceptionType::INVALID_INPUT, message);
}

LogicalType plain_type(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::LIST:
      return LogicalType::LIST(plain_type(duckdb::ListType::GetChildType(type)));
    case LogicalTypeId::MAP:
      return LogicalType::MAP(plain_type(duckdb::MapType::KeyType(type)),
                              plain_type(duckdb::MapType::ValueType(type)));
    case LogicalTypeId::STRUCT: {
      duckdb::child_list_t<LogicalType> fields;
      for (auto& field : duckdb::StructType::GetChildTypes(type))
        fields.emplace_back(field.first, plain_type(field.second));
      return LogicalType::STRUCT(std::move(fields));
    }
    case LogicalTypeId::VARCHAR:
      return type.HasAlias() && type.GetAlias() == "JSON" ? type
                                                          : LogicalType(LogicalTypeId::VARCHAR);
    case LogicalTypeId::BLOB:
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_NS:
    case LogicalTypeId::TIMESTAMP_TZ:
    case LogicalTypeId::TIME:
    case LogicalTypeId::TIME_TZ:
    case LogicalTypeId::INTERVAL:
    case LogicalTypeId::HUGEINT:
    case LogicalTypeId::BIGINT:
      return LogicalType(type.id());
    default:
      return type;
  }
}

sql::Type type_of(const duckdb::Expression& value) { return from_duckdb(value.return_type); }

ExprPtr Build::constant(duckdb::Value value) const {
  return make_uniq<duckdb::BoundConstantExpression>(std::move(value));
}

ExprPtr Build::call(const std::string& name, Exprs arguments) const {
  if (auto* rule = find_rule(name)) return bind_rule(*this, *rule, std::move(arguments));
  auto& entry =
      duckdb::Catalog::GetSystemCatalog(context).GetEntry<duckdb::ScalarFunctionCatalogEntry>(
          context, DEFAULT_SCHEMA, name);
  duckdb::vector<LogicalType> types;
  for (auto& argument : arguments) types.push_back(argument->return_type);
  duckdb::FunctionBinder binder(context);
  duckdb::ErrorData error;
  auto index = binder.BindFunction(name, entry.functions, types, error);
  if (!index.IsValid()) error.Throw();
  return binder.BindScalarFunction(entry.functions.GetFunctionByOffset(index.GetIndex()),
                                   std::move(arguments));
}

ExprPtr Build::kernel(duckdb::ScalarFunction function, Exprs arguments) const {
  return duckdb::FunctionBinder(context).BindScalarFunction(std::move(function),
                                                            std::move(arguments));
}

ExprPtr Build::native_cast(ExprPtr value, const LogicalType& type, bool try_cast) const {
  if (value->return_type == type) return value;
  return duckdb::BoundCastExpression::AddCastToType(context, std::move(value), type, try_cast);
}

ExprPtr Build::relabel(ExprPtr value, const LogicalType& type) const {
  if (value->return_type == type && value->return_type.HasAlias() == type.HasAlias()) return value;
  if (value->GetExpressionClass() == duckdb::ExpressionClass::BOUND_CONSTANT) {
    auto& held = value->Cast<duckdb::BoundConstantExpression>();
    held.value.Reinterpret(type);
    held.return_type = type;
    return value;
  }
  // A label over a label is one label.
  if (value->GetExpressionClass() == duckdb::ExpressionClass::BOUND_CAST) {
    auto& cast = value->Cast<duckdb::BoundCastExpression>();
    if (cast.bound_cast.function == duckdb::DefaultCasts::ReinterpretCast && !cast.try_cast) {
      if (cast.child->return_type == type && !cast.child->return_type.HasAlias() &&
          !type.HasAlias()) {
        return std::move(cast.child);
      }
      cast.return_type = type;
      return value;
    }
  }
  auto location = value->GetQueryLocation();
  auto made = make_uniq<duckdb::BoundCastExpression>(
      std::move(value), type, duckdb::BoundCastInfo(duckdb::DefaultCasts::ReinterpretCast));
  made->SetQueryLocation(location);
  return made;
}

ExprPtr Build::plain(ExprPtr value) const {
  auto type = plain_type(value->return_type);
  return type == value->return_type ? std::move(value) : relabel(std::move(value), type);
}

ExprPtr Build::compare(duckdb::ExpressionType type, ExprPtr left, ExprPtr right) const {
  return make_uniq<duckdb::BoundComparisonExpression>(type, std::move(left), std::move(right));
}

ExprPtr Build::case_when(ExprPtr condition, ExprPtr then, ExprPtr otherwise) const {
  if (then->return_type != otherwise->return_type) {
    if (then->return_type.id() == LogicalTypeId::SQLNULL) {
      then = native_cast(std::move(then), otherwise->return_type);
    } else if (otherwise->return_type.id() == LogicalTypeId::SQLNULL) {
      otherwise = native_cast(std::move(otherwise), then->return_type);
    } else {
      auto common = LogicalType::ForceMaxLogicalType(then->return_type, otherwise->return_type);
      then = native_cast(std::move(then), common);
      otherwise = native_cast(std::move(otherwise), common);
    }
  }
  return make_uniq<duckdb::BoundCaseExpression>(std::move(condition), std::move(then),
                                                std::move(otherwise));
}

ExprPtr Build::is_null(ExprPtr value) const {
  auto made = make_uniq<duckdb::BoundOperatorExpression>(duckdb::ExpressionType::OPERATOR_IS_NULL,
                                                         LogicalType::BOOLEAN);
  made->children.push_back(std::move(value));
  return made;
}

ExprPtr Build::either(ExprPtr left, ExprPtr right) const {
  return make_uniq<duckdb::BoundConjunctionExpression>(duckdb::ExpressionType::CONJUNCTION_OR,
                                                       std::move(left), std::move(right));
}

std::string Build::session_zone() const {
  duckdb::Value zone;
  // What the session says; DuckDB's own setting knows no offsets of half an hour.
  if (duckdb::ClientConfig::GetConfig(context).GetUserVariable("meesh_zone", zone) &&
      !zone.IsNull())
    return zone.ToString();
  if (!context.TryGetCurrentSetting("TimeZone", zone)) return "UTC";
  const auto known = find_zone(zone.ToString());
  return known ? known->id() : zone.ToString();
}

bool Build::is_constant(const duckdb::Expression& value) const { return value.IsFoldable(); }

duckdb::Value Build::constant_value(const duckdb::Expression& value) const {
  if (!value.IsFoldable()) return duckdb::Value();
  return duckdb::ExpressionExecutor::EvaluateScalar(context, value);
}

std::optional<int64_t> fixed_offset(const std::string& zone) {
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
  for (int i : {1, 2, 4, 5}) {
    if (zone[i] < '0' || zone[i] > '9') return std::nullopt;
  }
  const int64_t hours = (zone[1] - '0') * 10 + (zone[2] - '0');
  const int64_t minutes = (zone[4] - '0') * 10 + (zone[5] - '0');
  if (hours > 14 || minutes > 59) return std::nullopt;
  return (zone[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

std::string canonical_zone(const std::string& zone, const duckdb::Expression* at) {
  const auto known = find_zone(zone);
  if (!known) raise(Code::kInvalidFunctionArgument, "'" + zone + "' is not a valid time zone", at);
  return known->id();
}

ExprPtr Build::local_time(ExprPtr value) const {
  if (is_zoned(value->return_type))
    return in_micros(*this, local_of_zoned(*this, std::move(value)));
  std::string zone = zone_of(value->return_type);
  if (zone.empty()) zone = session_zone();
  value = plain(std::move(value));
  if (auto offset = fixed_offset(zone)) {
    value = relabel(std::move(value), LogicalType::TIMESTAMP);
    return call("+", std::move(value), constant(duckdb::Value::INTERVAL(0, 0, *offset * 1000000)));
  }
  if (zone == "UTC" || zone == "Etc/UTC") return relabel(std::move(value), LogicalType::TIMESTAMP);
  return call("timezone", constant(duckdb::Value(zone)), std::move(value));
}

ExprPtr Build::instant(ExprPtr local, const std::string& zone_name) const {
  const std::string zone = zone_name.empty() ? session_zone() : zone_name;
  local = in_micros(*this, std::move(local));
  if (auto offset = fixed_offset(zone)) {
    local = call("-", std::move(local), constant(duckdb::Value::INTERVAL(0, 0, *offset * 1000000)));
    return relabel(std::move(local), LogicalType::TIMESTAMP_TZ);
  }
  if (zone == "UTC" || zone == "Etc/UTC")
    return relabel(std::move(local), LogicalType::TIMESTAMP_TZ);
  return call("timezone", constant(duckdb::Value(zone)), std::move(local));
}

ExprPtr Build::expand(const duckdb::ParsedExpression& body, const Exprs& arguments) const {
  switch (body.GetExpressionClass()) {
    case duckdb::ExpressionClass::PARAMETER: {
      const size_t index = std::stoul(body.Cast<duckdb::ParameterExpression>().identifier);
      if (index == 0 || index > arguments.size())
        internal_error("function body asks for argument $" + std::to_string(index));
      return arguments[index - 1]->Copy();
    }
    case duckdb::ExpressionClass::CONSTANT:
      return constant(body.Cast<duckdb::ConstantExpression>().value);
    case duckdb::ExpressionClass::FUNCTION: {
      auto& function = body.Cast<duckdb::FunctionExpression>();
      return call(function.function_name, expand_all(*this, function.children, arguments));
    }
    case duckdb::ExpressionClass::OPERATOR:
      return expand_operator(*this, body.Cast<duckdb::OperatorExpression>(), arguments);
    case duckdb::ExpressionClass::COMPARISON: {
      auto& comparison = body.Cast<duckdb::ComparisonExpression>();
      auto left = expand(*comparison.left, arguments);
      auto right = expand(*comparison.right, arguments);
      if (left->return_type != right->return_type)
        right = native_cast(std::move(right), left->return_type);
      return compare(body.GetExpressionType(), std::move(left), std::move(right));
    }
    case duckdb::ExpressionClass::CONJUNCTION: {
      auto made = make_uniq<duckdb::BoundConjunctionExpression>(body.GetExpressionType());
      auto& slot = made->children;
      return with_children(
          std::move(made),
          expand_all(*this, body.Cast<duckdb::ConjunctionExpression>().children, arguments), slot);
    }
    case duckdb::ExpressionClass::CASE:
      return expand_case(*this, body.Cast<duckdb::CaseExpression>(), arguments);
    case duckdb::ExpressionClass::CAST: {
      auto& cast = body.Cast<duckdb::CastExpression>();
      auto type = duckdb::TransformStringToLogicalType(cast.cast_type.ToString(), context);
      return native_cast(expand(*cast.child, arguments), type, cast.try_cast);
    }
    default:
      internal_error("function body has no rule for: " + body.ToString());
  }
}

}  // namespace meesh::engine
