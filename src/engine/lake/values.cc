#include "engine/lake/values.h"

#include <cmath>

#include "base/error.h"
#include "duckdb/common/types/hugeint.hpp"
#include "duckdb/common/types/uuid.hpp"
#include "engine/duck_types.h"
#include "engine/int128.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalTypeId;
using lake::TypeKind;
using SqlKind = sql::TypeKind;

[[noreturn]] void not_stored(const sql::Type& type) {
  throw Error(Code::kNotSupported, "Type not supported for Iceberg: " + type.display());
}

std::string uuid_bytes(const duckdb::hugeint_t& value) {
  char text[duckdb::UUID::STRING_SIZE];
  duckdb::UUID::ToString(value, text);
  const auto parsed =
      lake::parse_value_json(lake::primitive_type(TypeKind::kUuid),
                             '"' + std::string(text, duckdb::UUID::STRING_SIZE) + '"');
  return std::get<std::string>(parsed);
}

/// The same instant, text or number in DuckDB's form of `type`, unless something would get lost.
std::optional<duckdb::Value> exact_cast(const duckdb::Value& value,
                                        const duckdb::LogicalType& type) {
  if (value.type().id() == type.id() && type.id() != LogicalTypeId::DECIMAL) return value;
  duckdb::Value there, back;
  std::string why_not;  // without a place for it, what cannot be cast throws
  if (!value.DefaultTryCastAs(type, there, &why_not, true)) return std::nullopt;
  if (!there.DefaultTryCastAs(value.type(), back, &why_not, true)) return std::nullopt;
  if (back.IsNull() || !duckdb::Value::NotDistinctFrom(back, value)) return std::nullopt;
  return there;
}

/// Families of types within which equal values look equal: nothing is compared across them.
int family(LogicalTypeId id) {
  switch (id) {
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::BIGINT:
    case LogicalTypeId::HUGEINT:
    case LogicalTypeId::UTINYINT:
    case LogicalTypeId::USMALLINT:
    case LogicalTypeId::UINTEGER:
    case LogicalTypeId::UBIGINT:
    case LogicalTypeId::DECIMAL:
      return 1;
    case LogicalTypeId::FLOAT:
    case LogicalTypeId::DOUBLE:
      return 2;
    case LogicalTypeId::DATE:
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS:
      return 3;
    default:
      return 100 + static_cast<int>(id);
  }
}

}  // namespace

sql::Type sql_type(const lake::Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return sql::Type::of(SqlKind::kBoolean);
    case TypeKind::kInt:
      return sql::Type::of(SqlKind::kInteger);
    case TypeKind::kLong:
      return sql::Type::of(SqlKind::kBigint);
    case TypeKind::kFloat:
      return sql::Type::of(SqlKind::kReal);
    case TypeKind::kDouble:
      return sql::Type::of(SqlKind::kDouble);
    case TypeKind::kDecimal:
      return sql::Type::decimal(type.precision, type.scale);
    case TypeKind::kDate:
      return sql::Type::of(SqlKind::kDate);
    case TypeKind::kTime:
      return sql::Type::of(SqlKind::kTime, 6);
    case TypeKind::kTimestamp:
      return sql::Type::of(SqlKind::kTimestamp, 6);
    case TypeKind::kTimestampTz:
      return sql::Type::of(SqlKind::kTimestampTz, 6);
    case TypeKind::kString:
      return sql::Type::varchar();
    case TypeKind::kUuid:
      return sql::Type::of(SqlKind::kUuid);
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return sql::Type::of(SqlKind::kVarbinary);
    case TypeKind::kList:
      return sql::Type::array(sql_type(type.fields.at(0).type));
    case TypeKind::kMap:
      return sql::Type::map(sql_type(type.fields.at(0).type), sql_type(type.fields.at(1).type));
    case TypeKind::kStruct: {
      std::vector<std::string> names;
      std::vector<sql::Type> types;
      for (const auto& field : type.fields) {
        names.push_back(field.name);
        types.push_back(sql_type(field.type));
      }
      return sql::Type::row(std::move(names), std::move(types));
    }
  }
  internal_error("an Iceberg type without a SQL type: " + lake::type_name(type));
}

lake::Type lake_type(const sql::Type& type, int* next_id) {
  switch (type.kind) {
    case SqlKind::kBoolean:
      return lake::primitive_type(TypeKind::kBoolean);
    case SqlKind::kTinyint:
    case SqlKind::kSmallint:
    case SqlKind::kInteger:
      return lake::primitive_type(TypeKind::kInt);
    case SqlKind::kBigint:
      return lake::primitive_type(TypeKind::kLong);
    case SqlKind::kReal:
      return lake::primitive_type(TypeKind::kFloat);
    case SqlKind::kDouble:
      return lake::primitive_type(TypeKind::kDouble);
    case SqlKind::kDecimal:
      return lake::decimal_type(type.precision, type.scale);
    case SqlKind::kVarchar:
    case SqlKind::kChar:
      return lake::primitive_type(TypeKind::kString);
    case SqlKind::kVarbinary:
      return lake::primitive_type(TypeKind::kBinary);
    case SqlKind::kDate:
      return lake::primitive_type(TypeKind::kDate);
    case SqlKind::kTime:
      return lake::primitive_type(TypeKind::kTime);
    case SqlKind::kTimestamp:
      return lake::primitive_type(TypeKind::kTimestamp);
    case SqlKind::kTimestampTz:
      return lake::primitive_type(TypeKind::kTimestampTz);
    case SqlKind::kUuid:
      return lake::primitive_type(TypeKind::kUuid);
    case SqlKind::kArray: {
      const int id = (*next_id)++;
      return lake::list_type(id, lake_type(type.children.at(0), next_id));
    }
    case SqlKind::kMap: {
      const int key = (*next_id)++, value = (*next_id)++;
      auto key_type = lake_type(type.children.at(0), next_id);
      return lake::map_type(key, std::move(key_type), value,
                            lake_type(type.children.at(1), next_id));
    }
    case SqlKind::kRow: {
      std::vector<lake::Field> fields;
      for (size_t i = 0; i < type.children.size(); ++i) {
        if (type.field_names.at(i).empty()) {
          throw Error(Code::kNotSupported, "Row type field does not have a name: " + type.display())
              .with_hint("name it: CAST(value AS row(name type, …))");
        }
        lake::Field field;
        field.id = (*next_id)++;
        field.name = type.field_names[i];
        fields.push_back(std::move(field));
      }
      for (size_t i = 0; i < fields.size(); ++i)
        fields[i].type = lake_type(type.children[i], next_id);
      return lake::struct_type(std::move(fields));
    }
    default:
      not_stored(type);
  }
}

duckdb::LogicalType duck_type(const lake::Type& type) { return to_duckdb(sql_type(type)); }

duckdb::Value duck_value(const lake::Type& type, const lake::Value& value) {
  const auto duck = duck_type(type);
  if (lake::is_null(value)) return duckdb::Value(duck);
  switch (type.kind) {
    case TypeKind::kBoolean:
      return duckdb::Value::BOOLEAN(std::get<bool>(value));
    case TypeKind::kInt:
      return duckdb::Value::INTEGER(static_cast<int32_t>(std::get<int64_t>(value)));
    case TypeKind::kLong:
      return duckdb::Value::BIGINT(std::get<int64_t>(value));
    case TypeKind::kFloat:
      return duckdb::Value::FLOAT(static_cast<float>(std::get<double>(value)));
    case TypeKind::kDouble:
      return duckdb::Value::DOUBLE(std::get<double>(value));
    case TypeKind::kDecimal: {
      const auto width = static_cast<uint8_t>(type.precision);
      const auto scale = static_cast<uint8_t>(type.scale);
      const auto unscaled = std::get<lake::Int128>(value);
      if (width > 18) return duckdb::Value::DECIMAL(narrow(unscaled), width, scale);
      return duckdb::Value::DECIMAL(static_cast<int64_t>(unscaled), width, scale);
    }
    case TypeKind::kDate:
      return duckdb::Value::DATE(duckdb::date_t(static_cast<int32_t>(std::get<int64_t>(value))));
    case TypeKind::kTime:
      return duckdb::Value::TIME(duckdb::dtime_t(std::get<int64_t>(value)));
    case TypeKind::kTimestamp:
      return duckdb::Value::TIMESTAMP(duckdb::timestamp_t(std::get<int64_t>(value)));
    case TypeKind::kTimestampTz:
      return duckdb::Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(std::get<int64_t>(value)));
    case TypeKind::kString:
      return duckdb::Value(std::get<std::string>(value));
    case TypeKind::kUuid:
      return duckdb::Value::UUID(lake::value_text(type, value));
    case TypeKind::kFixed:
    case TypeKind::kBinary: {
      const auto& bytes = std::get<std::string>(value);
      return duckdb::Value::BLOB(reinterpret_cast<duckdb::const_data_ptr_t>(bytes.data()),
                                 bytes.size());
    }
    default:
      internal_error("a single value of type " + lake::type_name(type));
  }
}

std::optional<lake::Value> lake_value(const lake::Type& type, const duckdb::Value& value) {
  if (type.nested()) return std::nullopt;
  if (value.IsNull()) return lake::Value();
  const auto duck = duck_type(type);
  if (family(value.type().id()) != family(duck.id())) return std::nullopt;
  const auto cast = exact_cast(value, duck);
  if (!cast) return std::nullopt;
  duckdb::Vector one(*cast);
  duckdb::UnifiedVectorFormat format;
  one.ToUnifiedFormat(1, format);
  return value_at(type, duck, format, 0);
}

std::optional<lake::Value> value_of_statistics(const lake::Type& type, const std::string& text) {
  if (type.nested()) return std::nullopt;
  if (type.kind == TypeKind::kString) return lake::Value(text);
  if (type.kind == TypeKind::kFixed || type.kind == TypeKind::kBinary) {
    // Bytes come as hexadecimal digits.
    try {
      return lake::parse_value_json(lake::primitive_type(TypeKind::kBinary), '"' + text + '"');
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  duckdb::Value parsed;
  std::string why_not;
  if (!duckdb::Value(text).DefaultTryCastAs(duck_type(type), parsed, &why_not) || parsed.IsNull())
    return std::nullopt;
  return lake_value(type, parsed);
}

lake::Value value_at(const lake::Type& type, const duckdb::LogicalType& duck,
                     const duckdb::UnifiedVectorFormat& column, size_t row) {
  const auto at = column.sel->get_index(row);
  if (!column.validity.RowIsValid(at)) return {};
  const auto get = [&]<class T>() { return duckdb::UnifiedVectorFormat::GetData<T>(column)[at]; };
  switch (type.kind) {
    case TypeKind::kBoolean:
      return get.template operator()<bool>();
    case TypeKind::kInt:
    case TypeKind::kDate:
      return static_cast<int64_t>(get.template operator()<int32_t>());
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return get.template operator()<int64_t>();
    case TypeKind::kFloat:
      return static_cast<double>(get.template operator()<float>());
    case TypeKind::kDouble:
      return get.template operator()<double>();
    case TypeKind::kDecimal:
      switch (duck.InternalType()) {
        case duckdb::PhysicalType::INT16:
          return static_cast<lake::Int128>(get.template operator()<int16_t>());
        case duckdb::PhysicalType::INT32:
          return static_cast<lake::Int128>(get.template operator()<int32_t>());
        case duckdb::PhysicalType::INT64:
          return static_cast<lake::Int128>(get.template operator()<int64_t>());
        default:
          return wide(get.template operator()<duckdb::hugeint_t>());
      }
    case TypeKind::kUuid:
      return uuid_bytes(get.template operator()<duckdb::hugeint_t>());
    case TypeKind::kString:
    case TypeKind::kFixed:
    case TypeKind::kBinary: {
      const auto& text = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(column)[at];
      return std::string(text.GetData(), text.GetSize());
    }
    default:
      internal_error("a single value of type " + lake::type_name(type));
  }
}

}  // namespace meesh::engine
