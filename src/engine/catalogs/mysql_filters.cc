#include "engine/catalogs/mysql_filters.h"

#include <algorithm>
#include <optional>

#include "duckdb/common/types/timestamp.hpp"
#include "duckdb/planner/expression/list.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "engine/catalogs/mysql_connection.h"

namespace meesh::engine {
namespace {

using duckdb::Expression;
using duckdb::ExpressionClass;
using duckdb::ExpressionType;
using duckdb::LogicalTypeId;

bool is_whole_or_decimal(const duckdb::LogicalType& type) {
  return type.IsIntegral() || type.id() == LogicalTypeId::DECIMAL;
}

bool is_number(const MysqlColumn& column) {
  return column.cell == MysqlCell::kInteger || column.cell == MysqlCell::kDecimal;
}

bool is_zoned(const MysqlColumn& column) { return column.type.kind == sql::TypeKind::kTimestampTz; }

/// The column, seen through casts that change no value.
const MysqlColumn* column_of(const duckdb::LogicalGet& get, const Expression& expression,
                             const std::vector<MysqlColumn>& columns) {
  const Expression* at = &expression;
  std::vector<const duckdb::LogicalType*> casts;
  while (at->GetExpressionClass() == ExpressionClass::BOUND_CAST) {
    casts.push_back(&at->return_type);
    at = at->Cast<duckdb::BoundCastExpression>().child.get();
  }
  if (at->GetExpressionClass() != ExpressionClass::BOUND_COLUMN_REF) return nullptr;
  const auto& reference = at->Cast<duckdb::BoundColumnRefExpression>();
  const auto& ids = get.GetColumnIds();
  const auto number = static_cast<duckdb::idx_t>(reference.binding.column_index);
  if (reference.binding.table_index != get.table_index || number >= ids.size() ||
      ids[number].IsVirtualColumn() || ids[number].GetPrimaryIndex() >= columns.size())
    return nullptr;
  const MysqlColumn& column = columns[ids[number].GetPrimaryIndex()];
  const bool harmless = std::ranges::all_of(casts, [&](const auto* type) {
    if (type->id() == at->return_type.id() && type->id() != LogicalTypeId::DECIMAL) return true;
    if (is_number(column)) return type->IsIntegral();
    return (column.cell == MysqlCell::kDate || column.cell == MysqlCell::kDatetime) &&
           !is_zoned(column) && type->id() == LogicalTypeId::TIMESTAMP;
  });
  return harmless ? &column : nullptr;
}

std::optional<std::string> moment(duckdb::timestamp_t value) {
  if (!duckdb::Timestamp::IsFinite(value)) return std::nullopt;
  const auto date = duckdb::Timestamp::GetDate(value);
  const int year = duckdb::Date::ExtractYear(date);
  if (year < 1000 || year > 9999) return std::nullopt;
  return mysql_text(duckdb::Timestamp::ToString(value));
}

/// The constant as it may be compared with the column; nothing if MySQL might see it otherwise.
std::optional<std::string> literal(const MysqlColumn& column, const duckdb::Value& value) {
  if (value.IsNull()) return std::nullopt;
  const auto& type = value.type();
  if (is_number(column) && is_whole_or_decimal(type)) return value.ToString();
  const bool is_time = column.cell == MysqlCell::kDate || column.cell == MysqlCell::kDatetime;
  if (is_time && !is_zoned(column) && type.id() == LogicalTypeId::DATE) {
    const auto date = value.GetValueUnsafe<duckdb::date_t>();
    if (!duckdb::Date::IsFinite(date)) return std::nullopt;
    return moment(duckdb::Timestamp::FromDatetime(date, duckdb::dtime_t(0)));
  }
  if (is_time &&
      type.id() == (is_zoned(column) ? LogicalTypeId::TIMESTAMP_TZ : LogicalTypeId::TIMESTAMP))
    return moment(value.GetValueUnsafe<duckdb::timestamp_t>());
  return std::nullopt;
}

/// Equal text is equal in any collation; which is greater is the collation's business.
std::optional<std::string> equal_literal(const MysqlColumn& column, const duckdb::Value& value) {
  const bool is_text = column.cell == MysqlCell::kText && !column.charset.empty() &&
                       column.type.kind == sql::TypeKind::kVarchar;
  if (is_text && !value.IsNull() && value.type().id() == LogicalTypeId::VARCHAR)
    return mysql_text(duckdb::StringValue::Get(value));
  return literal(column, value);
}

const char* words(ExpressionType type) {
  switch (type) {
    case ExpressionType::COMPARE_EQUAL:
      return " = ";
    case ExpressionType::COMPARE_LESSTHAN:
      return " < ";
    case ExpressionType::COMPARE_LESSTHANOREQUALTO:
      return " <= ";
    case ExpressionType::COMPARE_GREATERTHAN:
      return " > ";
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO:
      return " >= ";
    default:
      return nullptr;
  }
}

const duckdb::Value* constant_of(const Expression& expression) {
  if (expression.GetExpressionClass() != ExpressionClass::BOUND_CONSTANT) return nullptr;
  return &expression.Cast<duckdb::BoundConstantExpression>().value;
}

/// Adds "column IN (…)".
void add_in(const duckdb::LogicalGet& get, const duckdb::BoundOperatorExpression& in,
            const std::vector<MysqlColumn>& columns, std::vector<std::string>& conditions) {
  const auto* column = column_of(get, *in.children.at(0), columns);
  if (!column || in.children.size() > 1000) return;
  std::string list;
  for (size_t i = 1; i < in.children.size(); ++i) {
    const auto* value = constant_of(*in.children[i]);
    const auto text = value ? equal_literal(*column, *value) : std::nullopt;
    if (!text) return;
    list += (list.empty() ? "" : ", ") + *text;
  }
  conditions.push_back(mysql_name(column->real_name) + " IN (" + list + ")");
}

void add_comparison(const duckdb::LogicalGet& get, const Expression& left, ExpressionType type,
                    const Expression& right, const std::vector<MysqlColumn>& columns,
                    std::vector<std::string>& conditions) {
  const auto* column = column_of(get, left, columns);
  const auto* value = constant_of(right);
  const char* compared = words(type);
  if (!column || !value || !compared) return;
  const auto text = type == ExpressionType::COMPARE_EQUAL ? equal_literal(*column, *value)
                                                          : literal(*column, *value);
  if (text) conditions.push_back(mysql_name(column->real_name) + compared + *text);
}

}  // namespace

void add_mysql_conditions(const duckdb::LogicalGet& get, const Expression& filter,
                          const std::vector<MysqlColumn>& columns,
                          std::vector<std::string>& conditions) {
  switch (filter.GetExpressionClass()) {
    case ExpressionClass::BOUND_CONJUNCTION:
      if (filter.GetExpressionType() != ExpressionType::CONJUNCTION_AND) return;
      for (const auto& part : filter.Cast<duckdb::BoundConjunctionExpression>().children)
        add_mysql_conditions(get, *part, columns, conditions);
      return;
    case ExpressionClass::BOUND_COMPARISON: {
      const auto& compared = filter.Cast<duckdb::BoundComparisonExpression>();
      const auto type = filter.GetExpressionType();
      if (constant_of(*compared.left))
        add_comparison(get, *compared.right, duckdb::FlipComparisonExpression(type), *compared.left,
                       columns, conditions);
      else
        add_comparison(get, *compared.left, type, *compared.right, columns, conditions);
      return;
    }
    case ExpressionClass::BOUND_BETWEEN: {
      const auto& between = filter.Cast<duckdb::BoundBetweenExpression>();
      add_comparison(get, *between.input, between.LowerComparisonType(), *between.lower, columns,
                     conditions);
      add_comparison(get, *between.input, between.UpperComparisonType(), *between.upper, columns,
                     conditions);
      return;
    }
    case ExpressionClass::BOUND_OPERATOR:
      if (filter.GetExpressionType() == ExpressionType::COMPARE_IN)
        add_in(get, filter.Cast<duckdb::BoundOperatorExpression>(), columns, conditions);
      return;
    default:
      return;
  }
}

}  // namespace meesh::engine
