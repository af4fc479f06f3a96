// Types of foreign files as a table's.
#include <fmt/format.h>

#include <algorithm>

#include "engine/lake/adopt_files.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using lake::TypeKind;

lake::Field* field_named(lake::Type& type, const std::string& name) {
  const auto found = std::find_if(type.fields.begin(), type.fields.end(),
                                  [&](const auto& field) { return field.name == name; });
  return found == type.fields.end() ? nullptr : &*found;
}

std::optional<TypeKind> plain_kind(LogicalTypeId id) {
  switch (id) {
    case LogicalTypeId::BOOLEAN:
      return TypeKind::kBoolean;
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::UTINYINT:
    case LogicalTypeId::USMALLINT:
      return TypeKind::kInt;
    case LogicalTypeId::BIGINT:
    case LogicalTypeId::UINTEGER:
      return TypeKind::kLong;
    case LogicalTypeId::FLOAT:
      return TypeKind::kFloat;
    case LogicalTypeId::DOUBLE:
      return TypeKind::kDouble;
    case LogicalTypeId::VARCHAR:
    case LogicalTypeId::ENUM:
      return TypeKind::kString;
    case LogicalTypeId::BLOB:
      return TypeKind::kBinary;
    case LogicalTypeId::DATE:
      return TypeKind::kDate;
    case LogicalTypeId::TIME:
      return TypeKind::kTime;
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS:
      return TypeKind::kTimestamp;
    case LogicalTypeId::TIMESTAMP_TZ:
      return TypeKind::kTimestampTz;
    case LogicalTypeId::UUID:
      return TypeKind::kUuid;
    default:
      return std::nullopt;
  }
}

}  // namespace

lake::Type foreign_type(const std::string& column, const Shape& shape, const LogicalType& type,
                        int* next_id) {
  const auto inner = [&](const LogicalType& child) {
    return foreign_type(column, shape, child, next_id);
  };
  switch (type.id()) {
    case LogicalTypeId::DECIMAL:
      return lake::decimal_type(duckdb::DecimalType::GetWidth(type),
                                duckdb::DecimalType::GetScale(type));
    case LogicalTypeId::LIST: {
      const int id = (*next_id)++;
      return lake::list_type(id, inner(duckdb::ListType::GetChildType(type)));
    }
    case LogicalTypeId::MAP: {
      const int key = (*next_id)++, value = (*next_id)++;
      auto key_type = inner(duckdb::MapType::KeyType(type));
      return lake::map_type(key, std::move(key_type), value,
                            inner(duckdb::MapType::ValueType(type)));
    }
    case LogicalTypeId::STRUCT: {
      std::vector<lake::Field> fields;
      for (const auto& [name, child] : duckdb::StructType::GetChildTypes(type)) {
        lake::Field field;
        field.id = (*next_id)++;
        field.name = name;
        field.type = inner(child);
        fields.push_back(std::move(field));
      }
      return lake::struct_type(std::move(fields));
    }
    default:
      break;
  }
  if (const auto kind = plain_kind(type.id())) return lake::primitive_type(*kind);
  throw Error(Code::kNotSupported, fmt::format("Column '{}' of {} has the type {}, which Iceberg "
                                               "tables do not have",
                                               column, shape.example, type.ToString()));
}

bool readable_as(const lake::Type& file, const lake::Type& table) {
  if (!table.nested()) return !file.nested() && lake::can_promote(file, table);
  if (file.kind != table.kind) return false;
  if (table.kind != TypeKind::kStruct) {
    for (size_t i = 0; i < table.fields.size(); ++i)
      if (!readable_as(file.fields.at(i).type, table.fields[i].type)) return false;
    return true;
  }
  return std::all_of(file.fields.begin(), file.fields.end(), [&](const lake::Field& field) {
    const auto there = std::find_if(table.fields.begin(), table.fields.end(),
                                    [&](const auto& other) { return other.name == field.name; });
    return there == table.fields.end() || readable_as(field.type, there->type);
  });
}

bool unite(lake::Type& into, const lake::Type& more) {
  if (!into.nested() || !more.nested()) {
    if (into.nested() != more.nested()) return false;
    if (lake::can_promote(more, into)) return true;
    if (!lake::can_promote(into, more)) return false;
    into = more;
    return true;
  }
  if (into.kind != more.kind) return false;
  if (into.kind == TypeKind::kStruct) {
    for (const auto& field : more.fields) {
      auto* known = field_named(into, field.name);
      if (!known) {
        into.fields.push_back(field);
      } else if (!unite(known->type, field.type)) {
        return false;
      }
    }
    return true;
  }
  for (size_t i = 0; i < into.fields.size(); ++i)
    if (!unite(into.fields[i].type, more.fields.at(i).type)) return false;
  return true;
}

}  // namespace meesh::engine
