// Types that values of two types can both be read as.
#include <algorithm>

#include "sql/resolve_types.h"
#include "sql/scope.h"

namespace meesh::sql {

bool is_orderable(const Type& type) {
  switch (type.kind) {
    case TypeKind::kMap:
    case TypeKind::kJson:
    case TypeKind::kColor:
    case TypeKind::kHyperLogLog:
    case TypeKind::kP4HyperLogLog:
    case TypeKind::kSetDigest:
    case TypeKind::kTdigest:
    case TypeKind::kQdigest:
      return false;
    default:
      return std::all_of(type.children.begin(), type.children.end(), is_orderable);
  }
}
bool is_integral(const Type& type) {
  return type.kind >= TypeKind::kTinyint && type.kind <= TypeKind::kBigint;
}
bool is_numeric(const Type& type) {
  return type.kind >= TypeKind::kTinyint && type.kind <= TypeKind::kDecimal;
}
bool is_text(const Type& t) { return t.kind == TypeKind::kVarchar || t.kind == TypeKind::kChar; }
bool is_dated(const Type& t) {
  return t.kind == TypeKind::kDate || t.kind == TypeKind::kTimestamp ||
         t.kind == TypeKind::kTimestampTz;
}
bool is_time(const Type& t) { return t.kind == TypeKind::kTime || t.kind == TypeKind::kTimeTz; }

std::optional<Type> as_decimal(const Type& type) {
  switch (type.kind) {
    case TypeKind::kTinyint:
      return Type::decimal(3, 0);
    case TypeKind::kSmallint:
      return Type::decimal(5, 0);
    case TypeKind::kInteger:
      return Type::decimal(10, 0);
    case TypeKind::kBigint:
      return Type::decimal(19, 0);
    case TypeKind::kDecimal:
      return type;
    default:
      return std::nullopt;
  }
}

std::optional<Type> common_numeric(const Type& a, const Type& b) {
  const Type& wide = a.kind >= b.kind ? a : b;
  const Type& narrow = a.kind >= b.kind ? b : a;
  if (a.kind == TypeKind::kDouble || b.kind == TypeKind::kDouble)
    return Type::of(TypeKind::kDouble);
  if (a.kind == TypeKind::kReal || b.kind == TypeKind::kReal) return Type::of(TypeKind::kReal);
  if (wide.kind != TypeKind::kDecimal) return wide;
  const Type other = *as_decimal(narrow);
  const int32_t scale = std::max(wide.scale, other.scale);
  const int32_t whole = std::max(wide.precision - wide.scale, other.precision - other.scale);
  return Type::decimal(std::min(38, whole + scale), scale);
}

namespace {

std::optional<Type> common_datetime(const Type& a, const Type& b) {
  const auto rank = [](const Type& t) {
    return t.kind == TypeKind::kDate ? 0 : t.kind == TypeKind::kTimestamp ? 1 : 2;
  };
  Type wide = rank(a) >= rank(b) ? a : b;
  wide.precision = std::max(a.kind == TypeKind::kDate ? 0 : a.precision,
                            b.kind == TypeKind::kDate ? 0 : b.precision);
  return wide;
}

std::optional<Type> common_nested(const Type& a, const Type& b) {
  if (a.children.size() != b.children.size()) return std::nullopt;
  Type out = a;
  for (size_t i = 0; i < a.children.size(); ++i) {
    auto child = common_type(a.children[i], b.children[i]);
    if (!child) return std::nullopt;
    out.children[i] = std::move(*child);
    if (a.kind == TypeKind::kRow && lower(a.field_names[i]) != lower(b.field_names[i]))
      out.field_names[i].clear();
  }
  return out;
}

}  // namespace

std::optional<Type> common_type(const Type& a, const Type& b) {
  if (a == b) return a;
  if (a.kind == TypeKind::kUnknown) return b;
  if (b.kind == TypeKind::kUnknown) return a;
  if (is_numeric(a) && is_numeric(b)) return common_numeric(a, b);
  if (is_text(a) && is_text(b)) {
    const bool both_char = a.kind == TypeKind::kChar && b.kind == TypeKind::kChar;
    const bool any_char = a.kind == TypeKind::kChar || b.kind == TypeKind::kChar;
    const int32_t length = std::max(a.precision, b.precision);
    if (both_char) return Type::of(TypeKind::kChar, length);
    // varchar(n) and char(m) meet as char; an unbounded varchar cannot.
    if (any_char && length != Type::kUnbounded) return Type::of(TypeKind::kChar, length);
    return Type::varchar(length);
  }
  if (is_dated(a) && is_dated(b)) return common_datetime(a, b);
  if (is_time(a) && is_time(b))
    return Type::of(std::max(a.kind, b.kind), std::max(a.precision, b.precision));
  if (a.kind != b.kind || a.children.empty()) return std::nullopt;
  return common_nested(a, b);
}

bool store_assignable(const Type& from, const Type& to) {
  // As Trino's analyzer: a type that both can be read as is enough, in whichever direction; the
  // cast that stores the value checks or rounds it.
  return (is_text(from) && is_text(to)) || common_type(from, to).has_value();
}

}  // namespace meesh::sql
