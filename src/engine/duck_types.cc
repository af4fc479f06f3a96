#include "engine/duck_types.h"

#include <map>
#include <mutex>

#include "duckdb/common/extension_type_info.hpp"
#include "engine/batch.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using sql::Type;
using sql::TypeKind;

/// Zones by the numbers that types carry.
class Zones {
 public:
  int32_t number(const std::string& zone) {
    const std::lock_guard lock(mutex_);
    const auto [entry, fresh] = numbers_.emplace(zone, static_cast<int32_t>(names_.size()));
    if (fresh) names_.push_back(zone);
    return entry->second;
  }
  std::string name(int32_t number) {
    const std::lock_guard lock(mutex_);
    return names_.at(static_cast<size_t>(number));
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> names_ = {""};
  std::map<std::string, int32_t> numbers_ = {{"", 0}};
};

Zones& zones() {
  static Zones all;
  return all;
}

LogicalType labelled(LogicalType base, const char* alias,
                     std::vector<duckdb::Value> modifiers = {}) {
  base.SetAlias(alias);
  if (!modifiers.empty()) {
    auto info = duckdb::make_uniq<duckdb::ExtensionTypeInfo>();
    for (auto& modifier : modifiers) info->modifiers.emplace_back(std::move(modifier));
    base.SetExtensionInfo(std::move(info));
  }
  return base;
}

/// The integer in the label's first modifier, `otherwise` if the type has no such label.
int32_t label_number(const LogicalType& type, const char* alias, int32_t otherwise) {
  if (!type.HasAlias() || type.GetAlias() != alias || !type.HasExtensionInfo()) return otherwise;
  auto info = type.GetExtensionInfo();
  if (info->modifiers.empty()) return otherwise;
  return info->modifiers[0].value.GetValue<int32_t>();
}

Type from_varchar(const LogicalType& type) {
  if (!type.HasAlias()) return Type::varchar();
  const std::string alias = type.GetAlias();
  if (alias == "JSON") return Type::of(TypeKind::kJson);
  if (alias == kColorLabel) return Type::of(TypeKind::kColor);
  if (alias == kJsonPathLabel) return Type::of(TypeKind::kJsonPath);
  if (alias == "char") return Type::of(TypeKind::kChar, label_number(type, "char", 1));
  return Type::varchar(label_number(type, "varchar", Type::kUnbounded));
}

constexpr std::pair<TypeKind, const char*> kSketchLabels[] = {
    {TypeKind::kHyperLogLog, kHyperLogLogLabel}, {TypeKind::kP4HyperLogLog, kP4HyperLogLogLabel},
    {TypeKind::kSetDigest, kSetDigestLabel},     {TypeKind::kTdigest, kTdigestLabel},
    {TypeKind::kQdigest, kQdigestLabel},
};

/// A sketch, its label beside its bytes. That of a qdigest has the kind of its values.
Type from_blob(const LogicalType& type) {
  if (!type.HasAlias()) return Type::of(TypeKind::kVarbinary);
  const std::string alias = type.GetAlias();
  if (alias == kAddressLabel) return Type::of(TypeKind::kIpaddress);
  for (const auto& [kind, label] : kSketchLabels) {
    if (alias != label) continue;
    Type sketch = Type::of(kind);
    if (kind == TypeKind::kQdigest) {
      const auto of = label_number(type, label, static_cast<int32_t>(TypeKind::kBigint));
      sketch.children.push_back(Type::of(static_cast<TypeKind>(of)));
    }
    return sketch;
  }
  return Type::of(TypeKind::kVarbinary);
}

LogicalType to_blob(const Type& type) {
  for (const auto& [kind, label] : kSketchLabels) {
    if (kind != type.kind) continue;
    if (type.children.empty()) return labelled(LogicalType::BLOB, label);
    return labelled(LogicalType::BLOB, label,
                    {duckdb::Value::INTEGER(static_cast<int32_t>(type.children[0].kind))});
  }
  return LogicalType::BLOB;
}

Type from_struct(const LogicalType& type) {
  std::vector<std::string> names;
  std::vector<Type> types;
  const auto& fields = duckdb::StructType::GetChildTypes(type);
  for (size_t i = 0; i < fields.size(); ++i) {
    const bool anonymous =
        fields[i].first.empty() || fields[i].first == "field" + std::to_string(i);
    names.push_back(anonymous ? "" : fields[i].first);
    types.push_back(from_duckdb(fields[i].second));
  }
  return Type::row(std::move(names), std::move(types));
}

LogicalType to_struct(const Type& type) {
  duckdb::child_list_t<LogicalType> fields;
  for (size_t i = 0; i < type.children.size(); ++i) {
    const std::string& name = i < type.field_names.size() ? type.field_names[i] : std::string();
    fields.emplace_back(name.empty() ? "field" + std::to_string(i) : name,
                        to_duckdb(type.children[i]));
  }
  return LogicalType::STRUCT(std::move(fields));
}

LogicalType to_timestamp(const Type& type) {
  if (type.precision == 6) return LogicalType::TIMESTAMP;
  if (type.precision == 9) return LogicalType::TIMESTAMP_NS;
  if (type.precision > 9) {
    return labelled(LogicalType::HUGEINT, kLongTimestampLabel,
                    {duckdb::Value::INTEGER(type.precision)});
  }
  return labelled(type.precision > 6 ? LogicalType::TIMESTAMP_NS : LogicalType::TIMESTAMP,
                  kTimestampLabel, {duckdb::Value::INTEGER(type.precision)});
}

LogicalType to_time(const Type& type) {
  if (type.precision == 6) return LogicalType::TIME;
  if (type.precision > 6)
    return labelled(LogicalType::BIGINT, kLongTimeLabel, {duckdb::Value::INTEGER(type.precision)});
  return labelled(LogicalType::TIME, kTimeLabel, {duckdb::Value::INTEGER(type.precision)});
}

/// HUGEINT is DuckDB's own, or one of the labels.
Type from_hugeint(const LogicalType& type) {
  if (has_label(type, kLongTimestampLabel))
    return Type::of(TypeKind::kTimestamp, label_number(type, kLongTimestampLabel, 12));
  if (is_zoned(type)) return Type::of(TypeKind::kTimestampTz, label_number(type, kZonedLabel, 6));
  return Type::decimal(38, 0);
}

}  // namespace

Type from_duckdb(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::SQLNULL:
    case LogicalTypeId::UNKNOWN:
      return Type::of(TypeKind::kUnknown);
    case LogicalTypeId::BOOLEAN:
      return Type::of(TypeKind::kBoolean);
    case LogicalTypeId::TINYINT:
      return Type::of(TypeKind::kTinyint);
    case LogicalTypeId::UTINYINT:
    case LogicalTypeId::SMALLINT:
      return Type::of(TypeKind::kSmallint);
    case LogicalTypeId::USMALLINT:
    case LogicalTypeId::INTEGER:
      return Type::of(TypeKind::kInteger);
    case LogicalTypeId::BIGINT:
      if (has_label(type, kLongTimeLabel))
        return Type::of(TypeKind::kTime, label_number(type, kLongTimeLabel, 12));
      [[fallthrough]];
    case LogicalTypeId::UINTEGER:
      return Type::of(TypeKind::kBigint);
    case LogicalTypeId::UBIGINT:
      return Type::decimal(20, 0);
    case LogicalTypeId::HUGEINT:
      return from_hugeint(type);
    case LogicalTypeId::UHUGEINT:
      return Type::decimal(38, 0);
    case LogicalTypeId::FLOAT:
      return Type::of(TypeKind::kReal);
    case LogicalTypeId::DOUBLE:
      return Type::of(TypeKind::kDouble);
    case LogicalTypeId::DECIMAL:
      return Type::decimal(duckdb::DecimalType::GetWidth(type),
                           duckdb::DecimalType::GetScale(type));
    case LogicalTypeId::VARCHAR:
      return from_varchar(type);
    case LogicalTypeId::BLOB:
      return from_blob(type);
    case LogicalTypeId::DATE:
      return Type::of(TypeKind::kDate);
    case LogicalTypeId::TIME:
      return Type::of(TypeKind::kTime, label_number(type, kTimeLabel, 6));
    case LogicalTypeId::TIME_NS:
      return Type::of(TypeKind::kTime, 9);
    case LogicalTypeId::TIME_TZ:
      return Type::of(TypeKind::kTimeTz, label_number(type, kTimeTzLabel, 6));
    case LogicalTypeId::TIMESTAMP_SEC:
      return Type::of(TypeKind::kTimestamp, 0);
    case LogicalTypeId::TIMESTAMP_MS:
      return Type::of(TypeKind::kTimestamp, 3);
    case LogicalTypeId::TIMESTAMP:
      return Type::of(TypeKind::kTimestamp, label_number(type, kTimestampLabel, 6));
    case LogicalTypeId::TIMESTAMP_NS:
      return Type::of(TypeKind::kTimestamp, label_number(type, kTimestampLabel, 9));
    case LogicalTypeId::TIMESTAMP_TZ:
      return Type::of(TypeKind::kTimestampTz, label_number(type, kMomentLabel, 6));
    case LogicalTypeId::INTERVAL:
      return Type::of(type.HasAlias() && type.GetAlias() == kYearMonthLabel
                          ? TypeKind::kIntervalYearToMonth
                          : TypeKind::kIntervalDayToSecond);
    case LogicalTypeId::UUID:
      return Type::of(TypeKind::kUuid);
    case LogicalTypeId::LIST:
      return Type::array(from_duckdb(duckdb::ListType::GetChildType(type)));
    case LogicalTypeId::ARRAY:
      return Type::array(from_duckdb(duckdb::ArrayType::GetChildType(type)));
    case LogicalTypeId::MAP:
      return Type::map(from_duckdb(duckdb::MapType::KeyType(type)),
                       from_duckdb(duckdb::MapType::ValueType(type)));
    case LogicalTypeId::STRUCT:
      return from_struct(type);
    default:
      return Type::varchar();
  }
}

LogicalType to_duckdb(const Type& type) {
  switch (type.kind) {
    case TypeKind::kUnknown:
      return LogicalType::SQLNULL;
    case TypeKind::kBoolean:
      return LogicalType::BOOLEAN;
    case TypeKind::kTinyint:
      return LogicalType::TINYINT;
    case TypeKind::kSmallint:
      return LogicalType::SMALLINT;
    case TypeKind::kInteger:
      return LogicalType::INTEGER;
    case TypeKind::kBigint:
      return LogicalType::BIGINT;
    case TypeKind::kReal:
      return LogicalType::FLOAT;
    case TypeKind::kDouble:
      return LogicalType::DOUBLE;
    case TypeKind::kDecimal:
      return LogicalType::DECIMAL(static_cast<uint8_t>(type.precision),
                                  static_cast<uint8_t>(type.scale));
    case TypeKind::kVarchar:
      if (type.precision == Type::kUnbounded) return LogicalType::VARCHAR;
      return labelled(LogicalType::VARCHAR, "varchar", {duckdb::Value::INTEGER(type.precision)});
    case TypeKind::kChar:
      return labelled(LogicalType::VARCHAR, "char", {duckdb::Value::INTEGER(type.precision)});
    case TypeKind::kVarbinary:
    case TypeKind::kHyperLogLog:
    case TypeKind::kP4HyperLogLog:
    case TypeKind::kSetDigest:
    case TypeKind::kTdigest:
    case TypeKind::kQdigest:
      return to_blob(type);
    case TypeKind::kColor:
      return labelled(LogicalType::VARCHAR, kColorLabel);
    case TypeKind::kJsonPath:
      return labelled(LogicalType::VARCHAR, kJsonPathLabel);
    case TypeKind::kDate:
      return LogicalType::DATE;
    case TypeKind::kTime:
      return to_time(type);
    case TypeKind::kTimeTz:
      if (type.precision > 6) {
        throw Error(Code::kNotSupported,
                    "Type " + type.display() + " is not supported: times keep at most 6 digits");
      }
      if (type.precision == 6) return LogicalType::TIME_TZ;
      return labelled(LogicalType::TIME_TZ, kTimeTzLabel, {duckdb::Value::INTEGER(type.precision)});
    case TypeKind::kTimestamp:
      return to_timestamp(type);
    case TypeKind::kTimestampTz:
      return timestamp_tz_type(type.precision, "");
    case TypeKind::kIntervalYearToMonth:
      return labelled(LogicalType::INTERVAL, kYearMonthLabel);
    case TypeKind::kIntervalDayToSecond:
      return LogicalType::INTERVAL;
    case TypeKind::kUuid:
      return LogicalType::UUID;
    case TypeKind::kIpaddress:
      return labelled(LogicalType::BLOB, kAddressLabel);
    case TypeKind::kJson:
      return LogicalType::JSON();
    case TypeKind::kArray:
      return LogicalType::LIST(to_duckdb(type.children[0]));
    case TypeKind::kMap:
      return LogicalType::MAP(to_duckdb(type.children[0]), to_duckdb(type.children[1]));
    case TypeKind::kRow:
      return to_struct(type);
  }
  internal_error("type without a DuckDB form: " + type.display());
}

std::string zone_of(const LogicalType& type) {
  if (type.id() != LogicalTypeId::TIMESTAMP_TZ || !type.HasExtensionInfo()) return "";
  auto info = type.GetExtensionInfo();
  return info->modifiers.size() < 2 ? ""
                                    : zones().name(info->modifiers[1].value.GetValue<int32_t>());
}

int32_t zone_number(const std::string& zone) { return zones().number(zone); }
std::string numbered_zone(int32_t number) { return zones().name(number); }

LogicalType zoned_type(int precision) {
  return labelled(LogicalType::HUGEINT, kZonedLabel, {duckdb::Value::INTEGER(precision)});
}
bool is_zoned(const LogicalType& type) { return has_label(type, kZonedLabel); }
bool has_label(const LogicalType& type, const char* label) {
  return type.HasAlias() && type.GetAlias() == label;
}

LogicalType timestamp_tz_type(int precision, const std::string& zone) {
  if (precision > 6) return zoned_type(precision);
  if (precision == 6 && zone.empty()) return LogicalType::TIMESTAMP_TZ;
  return labelled(
      LogicalType::TIMESTAMP_TZ, kMomentLabel,
      {duckdb::Value::INTEGER(precision), duckdb::Value::INTEGER(zones().number(zone))});
}

LogicalType labelled_type(const std::string& label, const std::vector<int32_t>& modifiers) {
  const int32_t precision = modifiers.empty() ? 6 : modifiers.front();
  if (label == kMomentLabel) {
    return timestamp_tz_type(precision, modifiers.size() < 2 ? "" : zones().name(modifiers[1]));
  }
  if (label == kZonedLabel) return zoned_type(precision);
  if (label == kTimestampLabel || label == kLongTimestampLabel)
    return to_duckdb(Type::of(TypeKind::kTimestamp, precision));
  if (label == kTimeLabel || label == kLongTimeLabel)
    return to_duckdb(Type::of(TypeKind::kTime, precision));
  if (label == kTimeTzLabel) return to_duckdb(Type::of(TypeKind::kTimeTz, precision));
  if (label == kYearMonthLabel) return to_duckdb(Type::of(TypeKind::kIntervalYearToMonth));
  if (label == kAddressLabel) return to_duckdb(Type::of(TypeKind::kIpaddress));
  if (label == kColorLabel) return to_duckdb(Type::of(TypeKind::kColor));
  if (label == kJsonPathLabel) return to_duckdb(Type::of(TypeKind::kJsonPath));
  for (const auto& [kind, name] : kSketchLabels) {
    if (label != name) continue;
    Type sketch = Type::of(kind);
    if (kind == TypeKind::kQdigest)
      sketch.children.push_back(
          Type::of(modifiers.empty() ? TypeKind::kBigint : static_cast<TypeKind>(modifiers[0])));
    return to_blob(sketch);
  }
  internal_error("there is no type " + label);
}

}  // namespace meesh::engine
