#include "engine/functions/coercion.h"

#include <algorithm>

namespace meesh::engine {
namespace {

using sql::Type;
using sql::TypeKind;

int rank(const Type& type) {
  switch (type.kind) {
    case TypeKind::kTinyint:
      return 1;
    case TypeKind::kSmallint:
      return 2;
    case TypeKind::kInteger:
      return 3;
    case TypeKind::kBigint:
      return 4;
    case TypeKind::kDecimal:
      return 5;
    case TypeKind::kReal:
      return 6;
    case TypeKind::kDouble:
      return 7;
    default:
      return 0;
  }
}

std::optional<Type> common_decimal(const Type& a, const Type& b) {
  const int scale = std::max(a.scale, b.scale);
  const int whole = std::max(a.precision - a.scale, b.precision - b.scale);
  return Type::decimal(std::min(38, whole + scale), scale);
}

int datetime_rank(const Type& type) {
  switch (type.kind) {
    case TypeKind::kDate:
      return 1;
    case TypeKind::kTimestamp:
      return 2;
    case TypeKind::kTimestampTz:
      return 3;
    default:
      return 0;
  }
}

std::optional<Type> common_nested(const Type& a, const Type& b) {
  if (a.children.size() != b.children.size()) return std::nullopt;
  Type out = a;
  for (size_t i = 0; i < a.children.size(); ++i) {
    auto child = common_type(a.children[i], b.children[i]);
    if (!child) return std::nullopt;
    out.children[i] = *child;
    if (i < out.field_names.size() && i < b.field_names.size() &&
        out.field_names[i] != b.field_names[i]) {
      out.field_names[i] = "";
    }
  }
  return out;
}

}  // namespace

bool is_integral(const Type& type) { return rank(type) >= 1 && rank(type) <= 4; }
bool is_numeric(const Type& type) { return rank(type) != 0; }
bool is_text(const Type& type) {
  return type.kind == TypeKind::kVarchar || type.kind == TypeKind::kChar;
}

Type as_decimal(const Type& type) {
  switch (type.kind) {
    case TypeKind::kTinyint:
      return Type::decimal(3, 0);
    case TypeKind::kSmallint:
      return Type::decimal(5, 0);
    case TypeKind::kInteger:
      return Type::decimal(10, 0);
    case TypeKind::kBigint:
      return Type::decimal(19, 0);
    default:
      return type;
  }
}

std::string shown(const Type& type) {
  return type.kind == TypeKind::kVarchar ? "varchar" : type.display();
}

std::optional<Type> common_type(const Type& a, const Type& b) {
  if (a == b) return a;
  if (a.kind == TypeKind::kUnknown) return b;
  if (b.kind == TypeKind::kUnknown) return a;
  if (rank(a) && rank(b)) {
    const Type& low = rank(a) <= rank(b) ? a : b;
    const Type& high = rank(a) <= rank(b) ? b : a;
    return high.kind == TypeKind::kDecimal ? common_decimal(as_decimal(low), high) : high;
  }
  if (is_text(a) && is_text(b)) {
    if (a.kind == b.kind) return a.precision >= b.precision ? a : b;
    // varchar(n) meets char(m): char of the longer
    return Type::of(TypeKind::kChar, std::min(65536, std::max(a.precision, b.precision)));
  }
  if (datetime_rank(a) && datetime_rank(b)) {
    const Type& low = datetime_rank(a) <= datetime_rank(b) ? a : b;
    Type high = datetime_rank(a) <= datetime_rank(b) ? b : a;
    high.precision = std::max(high.precision, low.kind == TypeKind::kDate ? 0 : low.precision);
    return high;
  }
  if (a.kind != b.kind) {
    const bool times = (a.kind == TypeKind::kTime && b.kind == TypeKind::kTimeTz) ||
                       (a.kind == TypeKind::kTimeTz && b.kind == TypeKind::kTime);
    if (times) return Type::of(TypeKind::kTimeTz, std::max(a.precision, b.precision));
    return std::nullopt;
  }
  switch (a.kind) {
    case TypeKind::kTime:
    case TypeKind::kTimeTz:
      return a.precision >= b.precision ? a : b;
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow:
      return common_nested(a, b);
    case TypeKind::kQdigest:
      return std::nullopt;  // of other values
    default:
      return a;
  }
}

std::optional<int> coercion_cost(const Type& from, const Type& to) {
  if (from == to) return 0;
  if (from.kind == TypeKind::kUnknown) return 1;
  if (from.kind == TypeKind::kChar && to.kind == TypeKind::kVarchar) return 2;
  auto common = common_type(from, to);
  if (!common) return std::nullopt;
  if (rank(from) && rank(to)) {
    if (rank(from) > rank(to)) return std::nullopt;
    if (to.kind == TypeKind::kDecimal && *common != to) return std::nullopt;
    return 1 + rank(to) - rank(from);
  }
  if (from.kind == to.kind) return 1;
  return *common == to ? std::optional<int>(1 + datetime_rank(to) - datetime_rank(from))
                       : std::nullopt;
}

}  // namespace meesh::engine
