#include "engine/functions/decimal_casts.h"

#include <fmt/format.h>

#include "engine/functions/build.h"
#include "engine/functions/cast_functions.h"
#include "engine/functions/coercion.h"
#include "sql/lexer.h"

namespace meesh::engine {
namespace {

using duckdb::BoundCastInfo;
using duckdb::CastParameters;
using duckdb::Vector;
using sql::Type;
using sql::TypeKind;

struct NarrowingCast : CastTypes {
  NarrowingCast(const Type& f, const Type& t, BoundCastInfo n)
      : CastTypes(f, t), native(std::move(n)) {}
  BoundCastInfo native;
  duckdb::unique_ptr<duckdb::BoundCastData> Copy() const override {
    return duckdb::make_uniq<NarrowingCast>(from, to, native.Copy());
  }
};

std::string source_word(const Type& type) {
  return type.kind == TypeKind::kDecimal
             ? fmt::format("DECIMAL({}, {})", type.precision, type.scale)
             : sql::upper(type.base_name());
}

/// What the first value that was not cast fails with.
std::string failure(Vector& source, Vector& result, duckdb::idx_t count, const CastTypes& types) {
  duckdb::UnifiedVectorFormat before, after;
  source.ToUnifiedFormat(count, before);
  result.ToUnifiedFormat(count, after);
  duckdb::idx_t row = 0;
  while (row + 1 < count && (!before.validity.RowIsValid(before.sel->get_index(row)) ||
                             after.validity.RowIsValid(after.sel->get_index(row)))) {
    ++row;
  }
  return fmt::format("Cannot cast {} '{}' to DECIMAL({}, {})", source_word(types.from),
                     source.GetValue(row).ToString(), types.to.precision, types.to.scale);
}

bool narrow_decimals(Vector& source, Vector& result, duckdb::idx_t count,
                     CastParameters& parameters) {
  auto& data = parameters.cast_data->Cast<NarrowingCast>();
  std::string native_words;
  CastParameters inner(parameters, data.native.cast_data.get(), nullptr);
  inner.error_message = &native_words;
  if (data.native.function(source, result, count, inner)) return true;
  const std::string error = failure(source, result, count, data);
  if (!parameters.error_message) raise(Code::kInvalidCastArgument, error);
  if (parameters.error_message->empty()) *parameters.error_message = error;
  return false;
}

}  // namespace

bool may_overflow_decimal(const Type& from, const Type& to) {
  if (to.kind != TypeKind::kDecimal || (from.kind != TypeKind::kDecimal && !is_integral(from)))
    return false;
  const Type digits = as_decimal(from);
  const int before = digits.precision - digits.scale, after = to.precision - to.scale;
  // What is rounded may carry into one digit more.
  return before > after || (before == after && digits.scale > to.scale);
}

BoundCastInfo narrowing_decimal_cast(const Type& from, const Type& to, BoundCastInfo native) {
  return BoundCastInfo(narrow_decimals,
                       duckdb::make_uniq<NarrowingCast>(from, to, std::move(native)));
}

}  // namespace meesh::engine
