#include "engine/catalogs/postgres_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"

namespace meesh::engine {
namespace {

using sql::Type;
using sql::TypeKind;

struct Scalar {
  Type type;
  std::string expression;  // over a column the extension reads
  std::string duckdb;      // the type's name in DuckDB, for casts
};

int seconds_precision(int modifier) { return modifier < 0 ? 6 : std::min(modifier, 6); }

Scalar varchar_of(const std::string& expression) {
  return {Type::varchar(), expression, "VARCHAR"};
}

/// NUMERIC's modifier holds precision and scale; nothing for a negative scale.
std::optional<Scalar> numeric(int modifier) {
  constexpr int kDefaultScale = 10;
  constexpr int kMax = 38;
  int precision = 0, scale = kDefaultScale;
  if (modifier >= 4) {
    const int packed = modifier - 4;
    precision = packed >> 16 & 0xffff;
    scale = ((packed & 0x7ff) ^ 1024) - 1024;
    if (scale < 0) return std::nullopt;
    if (precision <= kMax && scale <= precision) {
      return Scalar{Type::decimal(precision, scale), "",
                    fmt::format("DECIMAL({},{})", precision, scale)};
    }
    if (scale > precision) {  // 0.00012: as many digits as there are behind the point
      scale = std::min(scale, kMax);
      precision = scale;
    } else {
      scale = std::min(scale, std::max(0, kMax - (precision - scale)));
      precision = kMax;
    }
  } else {
    precision = kMax;
  }
  const std::string duckdb = fmt::format("DECIMAL({},{})", precision, scale);
  // Through text: the shortest text of a double is what was stored, up to 15 significant digits.
  return Scalar{Type::decimal(precision, scale), "CAST(CAST({} AS VARCHAR) AS " + duckdb + ")",
                duckdb};
}

const std::map<std::string, Scalar, std::less<>>& plain_types() {
  static const std::map<std::string, Scalar, std::less<>> types = {
      {"bool", {Type::of(TypeKind::kBoolean), "", "BOOLEAN"}},
      {"int2", {Type::of(TypeKind::kSmallint), "", "SMALLINT"}},
      {"int4", {Type::of(TypeKind::kInteger), "", "INTEGER"}},
      {"int8", {Type::of(TypeKind::kBigint), "", "BIGINT"}},
      {"float4", {Type::of(TypeKind::kReal), "", "FLOAT"}},
      {"float8", {Type::of(TypeKind::kDouble), "", "DOUBLE"}},
      {"text", {Type::varchar(), "", "VARCHAR"}},
      {"date", {Type::of(TypeKind::kDate), "", "DATE"}},
      {"bytea", {Type::of(TypeKind::kVarbinary), "", "BLOB"}},
      {"uuid", {Type::of(TypeKind::kUuid), "", "UUID"}},
      {"json", {Type::of(TypeKind::kJson), "CAST({} AS JSON)", "JSON"}},
      {"jsonb", {Type::of(TypeKind::kJson), "CAST({} AS JSON)", "JSON"}},
      {"oid", {Type::of(TypeKind::kBigint), "CAST({} AS BIGINT)", "BIGINT"}},
  };
  return types;
}

/// Nothing: cannot be read. `known` tells whether the type is one of the table above.
std::optional<Scalar> scalar(const PostgresType& type, bool& known) {
  known = true;
  if (const auto found = plain_types().find(type.name); found != plain_types().end())
    return found->second;
  if (type.name == "numeric") return numeric(type.modifier);
  if (type.name == "varchar") {
    return Scalar{Type::varchar(type.modifier > 4 ? type.modifier - 4 : Type::kUnbounded), "",
                  "VARCHAR"};
  }
  if (type.name == "bpchar") {
    if (type.modifier <= 4) return varchar_of("");
    const int length = type.modifier - 4;
    return Scalar{Type::of(TypeKind::kChar, length), fmt::format("rpad({{}}, {}, ' ')", length),
                  "VARCHAR"};
  }
  if (type.name == "time")
    return Scalar{Type::of(TypeKind::kTime, seconds_precision(type.modifier)), "", "TIME"};
  if (type.name == "timestamp") {
    return Scalar{Type::of(TypeKind::kTimestamp, seconds_precision(type.modifier)), "",
                  "TIMESTAMP"};
  }
  if (type.name == "timestamptz") {
    return Scalar{Type::of(TypeKind::kTimestampTz, seconds_precision(type.modifier)), "",
                  "TIMESTAMPTZ"};
  }
  known = false;
  return varchar_of("CAST({} AS VARCHAR)");
}

std::optional<MappedType> map_array(const PostgresColumnType& column) {
  bool known = false;
  auto element = scalar(*column.element, known);
  if (!element) return std::nullopt;
  const bool is_enum = column.element->kind == 'e';
  if (!known && !is_enum) return MappedType{Type::varchar(), "CAST({} AS VARCHAR)"};
  if (element->type.kind == TypeKind::kChar) element = varchar_of("CAST({} AS VARCHAR)");
  const int dimensions = std::max(1, column.dimensions);
  MappedType mapped{element->type, ""};
  std::string brackets;
  for (int i = 0; i < dimensions; ++i) {
    mapped.type = Type::array(std::move(mapped.type));
    brackets += "[]";
  }
  if (element->expression.starts_with("CAST(CAST(")) {
    mapped.expression =
        "CAST(CAST({} AS VARCHAR" + brackets + ") AS " + element->duckdb + brackets + ")";
  } else if (!element->expression.empty() || element->type.kind == TypeKind::kDecimal) {
    mapped.expression = "CAST({} AS " + element->duckdb + brackets + ")";
  }
  return mapped;
}

/// The extension reads every domain as text.
std::optional<MappedType> map_domain(const PostgresType& base) {
  bool known = false;
  auto mapped = scalar(base, known);
  if (!mapped) return std::nullopt;
  if (!known || mapped->type.kind == TypeKind::kVarbinary)
    return MappedType{Type::varchar(), "CAST({} AS VARCHAR)"};
  if (mapped->type.kind == TypeKind::kVarchar || mapped->type.kind == TypeKind::kChar) {
    return MappedType{mapped->type, mapped->expression};
  }
  return MappedType{mapped->type, "CAST({} AS " + mapped->duckdb + ")"};
}

}  // namespace

std::optional<MappedType> map_postgres_type(const PostgresColumnType& column) {
  if (column.element) return map_array(column);
  if (column.base) return map_domain(*column.base);
  bool known = false;
  auto mapped = scalar(column.type, known);
  if (!mapped) return std::nullopt;
  return MappedType{mapped->type, mapped->expression};
}

std::string postgres_type_name(const sql::Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return "boolean";
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
      return "smallint";
    case TypeKind::kInteger:
      return "integer";
    case TypeKind::kBigint:
      return "bigint";
    case TypeKind::kReal:
      return "real";
    case TypeKind::kDouble:
      return "double precision";
    case TypeKind::kDecimal:
      return fmt::format("numeric({},{})", type.precision, type.scale);
    case TypeKind::kVarchar:
      return type.precision == Type::kUnbounded || type.precision > 10485760
                 ? "varchar"
                 : fmt::format("varchar({})", type.precision);
    case TypeKind::kChar:
      return fmt::format("char({})", type.precision);
    case TypeKind::kVarbinary:
      return "bytea";
    case TypeKind::kDate:
      return "date";
    case TypeKind::kTime:
      return fmt::format("time({})", std::min(type.precision, 6));
    case TypeKind::kTimestamp:
      return fmt::format("timestamp({})", std::min(type.precision, 6));
    case TypeKind::kTimestampTz:
      return fmt::format("timestamp({}) with time zone", std::min(type.precision, 6));
    case TypeKind::kUuid:
      return "uuid";
    case TypeKind::kJson:
      return "jsonb";
    case TypeKind::kIpaddress:
      return "inet";
    case TypeKind::kArray:
      return postgres_type_name(type.children.at(0)) + "[]";
    default:
      throw Error(Code::kNotSupported, "Unsupported column type: " + type.display());
  }
}

}  // namespace meesh::engine
