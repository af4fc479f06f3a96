// The type of a call: the function table's signature, or a rule of its own where Trino computes
// lengths, precisions or the like.
#include <algorithm>
#include <unordered_map>

#include "sql/resolve_overload.h"
#include "sql/resolve_types.h"
#include "sql/scope.h"

namespace meesh::sql {
namespace {

using Types = std::vector<std::optional<Type>>;
/// The result of a call with these arguments; nullopt = as the signature says.
using Rule = std::optional<Type> (*)(const Types& args);

const Type* at(const Types& args, size_t i) {
  return i < args.size() && args[i] ? &*args[i] : nullptr;
}
bool is(const Types& args, size_t i, TypeKind kind) {
  const Type* type = at(args, i);
  return type && type->kind == kind;
}
Type varchar_of(int64_t length) {
  return Type::varchar(static_cast<int32_t>(std::min<int64_t>(length, Type::kUnbounded)));
}

// ---------------------------------------------------------------- text

/// A part of a text is as long as it at most, a part of NULL has no length.
std::optional<Type> part_of_text(const Types& args) {
  const Type* text = at(args, 0);
  if (!text) return std::nullopt;
  if (text->kind == TypeKind::kUnknown) return Type::varchar(0);
  return is_text(*text) ? std::optional(Type::varchar(text->precision)) : std::nullopt;
}

std::optional<Type> parts_of_text(const Types& args) {
  const auto part = part_of_text(args);
  return part ? std::optional(Type::array(*part)) : std::nullopt;
}

/// As part_of_text, but a char stays one.
std::optional<Type> same_text(const Types& args) {
  return is(args, 0, TypeKind::kChar) ? args[0] : part_of_text(args);
}

std::optional<Type> unbounded(const Types&) { return Type::varchar(); }
std::optional<Type> one_letter(const Types&) { return Type::varchar(1); }
std::optional<Type> four_letters(const Types&) { return Type::varchar(4); }
std::optional<Type> digits_of_base(const Types&) { return Type::varchar(64); }

/// The length of a text or of NULL as text; nullopt for other types.
std::optional<int64_t> length_of(const Types& args, size_t i) {
  const Type* type = at(args, i);
  if (!type) return std::nullopt;
  if (type->kind == TypeKind::kUnknown) return 0;
  return is_text(*type) ? std::optional<int64_t>(type->precision) : std::nullopt;
}

/// replace(x, y, z): room for z between all letters of x.
std::optional<Type> replaced(const Types& args) {
  const auto x = length_of(args, 0), z = args.size() > 2 ? length_of(args, 2) : 0;
  if (!x || !z) return std::nullopt;
  if (args.size() < 3) return varchar_of(*x);
  if (*x == Type::kUnbounded || *z == Type::kUnbounded) return Type::varchar();
  return varchar_of(*x + *z * (*x + 1));
}

std::optional<Type> replaced_by_pattern(const Types& args) {
  if (args.size() == 3 && !args[2]) return Type::varchar();  // a lambda
  const auto x = length_of(args, 0), z = args.size() > 2 ? length_of(args, 2) : 0;
  if (!x || !z) return std::nullopt;
  if (args.size() < 3) return varchar_of(*x);
  if (*x == Type::kUnbounded || *z == Type::kUnbounded) return Type::varchar();
  return varchar_of(*x + std::max(*x * *z / 2, *z) * (*x + 1));
}

std::optional<Type> url_encoded(const Types& args) {
  const auto x = length_of(args, 0);
  return x ? std::optional(varchar_of(12 * *x)) : std::nullopt;
}

/// Escape sequences for the color are 15 letters.
std::optional<Type> rendered(const Types& args) {
  const Type* text = at(args, 0);
  if (args.size() != 2 || !text || !is_text(*text)) return std::nullopt;
  return varchar_of(int64_t{text->precision} + 15);
}

std::optional<Type> iso8601(const Types& args) {
  const Type* moment = at(args, 0);
  if (!moment) return std::nullopt;
  if (moment->kind == TypeKind::kDate || moment->kind == TypeKind::kUnknown)
    return Type::varchar(16);
  const int32_t fraction = moment->precision > 0 ? moment->precision + 1 : 0;
  if (moment->kind == TypeKind::kTimestamp) return Type::varchar(22 + fraction);
  if (moment->kind == TypeKind::kTimestampTz) return Type::varchar(28 + fraction);
  return std::nullopt;
}

std::optional<Type> concatenated(const Types& args) {
  std::optional<Type> joined = args.empty() ? std::nullopt : args[0];
  for (size_t i = 1; i < args.size() && joined; ++i)
    joined = args[i] ? concat_type(*joined, *args[i]) : std::nullopt;
  return joined;
}

// ---------------------------------------------------------------- numbers

std::optional<Type> whole_above(const Types& args) {
  if (!is(args, 0, TypeKind::kDecimal)) return std::nullopt;
  const Type& x = *args[0];
  return Type::decimal(std::min(38, std::max(1, x.precision - x.scale + std::min(x.scale, 1))), 0);
}

std::optional<Type> rounded(const Types& args) {
  if (args.size() < 2) return whole_above(args);
  if (!is(args, 0, TypeKind::kDecimal)) return std::nullopt;
  return Type::decimal(std::min(38, args[0]->precision + 1), args[0]->scale);
}

std::optional<Type> truncated(const Types& args) {
  const Type* x = at(args, 0);
  if (!x) return std::nullopt;
  if (x->kind == TypeKind::kUnknown) return Type::decimal(1, 0);
  const auto decimal = as_decimal(*x);
  if (!decimal || args.size() > 1) return decimal;
  return Type::decimal(std::max(1, decimal->precision - decimal->scale), 0);
}

std::optional<Type> sign(const Types& args) {
  return is(args, 0, TypeKind::kDecimal) ? std::optional(Type::decimal(1, 0)) : std::nullopt;
}

std::optional<Type> remainder(const Types& args) {
  const Type *a = at(args, 0), *b = at(args, 1);
  if (!a || !b) return std::nullopt;
  if (a->kind == TypeKind::kUnknown && b->kind == TypeKind::kUnknown) return std::nullopt;
  // NULL beside a decimal is the shortest of them.
  const auto filled = [](const Type& type, const Type& other) {
    if (type.kind != TypeKind::kUnknown) return type;
    return other.kind == TypeKind::kDecimal ? Type::decimal(1, 0) : other;
  };
  return arithmetic_type(BinaryOperator::kModulus, filled(*a, *b), filled(*b, *a));
}

/// real when all arguments are read as such: of the overloads for real and double the narrower.
std::optional<Type> real_or_double(const Types& args) {
  for (const auto& arg : args)
    if (!arg || !is_numeric(*arg)) return std::nullopt;
  const auto is_double = [](const auto& arg) { return arg->kind == TypeKind::kDouble; };
  return Type::of(std::any_of(args.begin(), args.end(), is_double) ? TypeKind::kDouble
                                                                   : TypeKind::kReal);
}

std::optional<Type> geometric_mean(const Types& args) {
  const Type* x = at(args, 0);
  if (!x || !is_numeric(*x)) return std::nullopt;
  const bool real = x->kind == TypeKind::kReal || x->kind == TypeKind::kDecimal;
  return Type::of(real ? TypeKind::kReal : TypeKind::kDouble);
}

std::optional<Type> sum(const Types& args) {
  if (is(args, 0, TypeKind::kDecimal)) return Type::decimal(38, args[0]->scale);
  const Type* x = at(args, 0);
  if (!x || x->kind == TypeKind::kUnknown || !is_numeric(*x)) return std::nullopt;
  return is_integral(*x) ? Type::of(TypeKind::kBigint) : *x;
}

std::optional<Type> average(const Types& args) {
  const Type* x = at(args, 0);
  if (!x || !is_numeric(*x)) return std::nullopt;
  return is_integral(*x) ? Type::of(TypeKind::kDouble) : *x;
}

// ---------------------------------------------------------------- dates and times

std::optional<Type> second_argument(const Types& args) {
  return is(args, 1, TypeKind::kUnknown) || args.size() < 2 ? std::nullopt : args[1];
}
std::optional<Type> third_argument(const Types& args) {
  return is(args, 2, TypeKind::kUnknown) || args.size() < 3 ? std::nullopt : args[2];
}

std::optional<Type> zoned(const Types& args) {
  const Type* moment = at(args, 0);
  if (!moment) return std::nullopt;
  if (moment->kind == TypeKind::kTimeTz || moment->kind == TypeKind::kTimestampTz) return *moment;
  if (moment->kind == TypeKind::kTime) return Type::of(TypeKind::kTimeTz, moment->precision);
  if (moment->kind == TypeKind::kUnknown) return Type::of(TypeKind::kTimestampTz, 3);
  const int32_t precision = moment->kind == TypeKind::kDate ? 0 : moment->precision;
  return is_dated(*moment) ? std::optional(Type::of(TypeKind::kTimestampTz, precision))
                           : std::nullopt;
}

/// From the moment's type; numbers follow the signature.
std::optional<Type> sequence(const Types& args) {
  const Type *from = at(args, 0), *to = at(args, 1);
  if (!from || !to || !is_dated(*from) || !is_dated(*to)) return std::nullopt;
  const auto common = common_type(*from, *to);
  return common ? std::optional(Type::array(*common)) : std::nullopt;
}

// ---------------------------------------------------------------- any type, arrays, maps

std::optional<Type> first_argument(const Types& args) {
  return args.empty() ? std::nullopt : args[0];
}

std::optional<Type> common_of(const Types& args, size_t from) {
  std::optional<Type> out;
  for (size_t i = from; i < args.size(); ++i) {
    if (!args[i]) return std::nullopt;
    out = out ? common_type(*out, *args[i]) : args[i];
    if (!out) return std::nullopt;
  }
  return out;
}
std::optional<Type> common(const Types& args) { return common_of(args, 0); }
std::optional<Type> common_result(const Types& args) { return common_of(args, 1); }

std::optional<Type> zipped(const Types& args) {
  std::vector<Type> fields;
  for (const auto& arg : args) {
    if (!arg || (arg->kind != TypeKind::kArray && arg->kind != TypeKind::kUnknown))
      return std::nullopt;
    fields.push_back(arg->kind == TypeKind::kArray ? arg->children[0] : Type());
  }
  return Type::array(Type::row({}, std::move(fields)));
}

std::optional<Type> map_of(const Types& args) {
  return args.empty() ? std::optional(Type::map({}, {})) : std::nullopt;
}

/// The fields of the entries in array(row(K, V)).
const Type* entry_of(const Types& args) {
  if (!is(args, 0, TypeKind::kArray)) return nullptr;
  const Type& entry = args[0]->children[0];
  return entry.kind == TypeKind::kRow && entry.children.size() == 2 ? &entry : nullptr;
}
std::optional<Type> map_of_entries(const Types& args) {
  if (is(args, 0, TypeKind::kArray) && args[0]->children[0].kind == TypeKind::kUnknown)
    return Type::map({}, {});
  const Type* entry = entry_of(args);
  return entry ? std::optional(Type::map(entry->children[0], entry->children[1])) : std::nullopt;
}
std::optional<Type> multimap_of_entries(const Types& args) {
  const Type* entry = entry_of(args);
  return entry ? std::optional(Type::map(entry->children[0], Type::array(entry->children[1])))
               : std::nullopt;
}

/// Functions whose result a signature does not tell.
const std::unordered_map<std::string_view, Rule>& rules() {
  static const auto* map = new std::unordered_map<std::string_view, Rule>{
      {"upper", same_text},
      {"lower", same_text},
      {"reverse", same_text},
      {"substr", part_of_text},
      {"substring", part_of_text},
      {"trim", part_of_text},
      {"ltrim", part_of_text},
      {"rtrim", part_of_text},
      {"word_stem", part_of_text},
      {"split_part", part_of_text},
      {"regexp_extract", part_of_text},
      {"json_extract_scalar", part_of_text},
      {"url_decode", part_of_text},
      {"url_extract_host", part_of_text},
      {"url_extract_path", part_of_text},
      {"url_extract_query", part_of_text},
      {"url_extract_fragment", part_of_text},
      {"url_extract_protocol", part_of_text},
      {"url_extract_parameter", part_of_text},
      {"split", parts_of_text},
      {"regexp_split", parts_of_text},
      {"regexp_extract_all", parts_of_text},
      {"typeof", unbounded},
      {"chr", one_letter},
      {"soundex", four_letters},
      {"to_base", digits_of_base},
      {"replace", replaced},
      {"regexp_replace", replaced_by_pattern},
      {"url_encode", url_encoded},
      {"render", rendered},
      {"to_iso8601", iso8601},
      {"concat", concatenated},
      {"ceil", whole_above},
      {"ceiling", whole_above},
      {"floor", whole_above},
      {"round", rounded},
      {"truncate", truncated},
      {"sign", sign},
      {"mod", remainder},
      {"corr", real_or_double},
      {"covar_pop", real_or_double},
      {"covar_samp", real_or_double},
      {"regr_slope", real_or_double},
      {"regr_intercept", real_or_double},
      {"geometric_mean", geometric_mean},
      {"sum", sum},
      {"avg", average},
      {"date_trunc", second_argument},
      {"date_add", third_argument},
      {"at_timezone", zoned},
      {"with_timezone", zoned},
      {"sequence", sequence},
      {"try", first_argument},
      {"nullif", first_argument},
      {"array_sort", first_argument},
      {"coalesce", common},
      {"greatest", common},
      {"least", common},
      {"if", common_result},
      {"zip", zipped},
      {"map", map_of},
      {"map_from_entries", map_of_entries},
      {"multimap_from_entries", multimap_of_entries},
  };
  return *map;
}

}  // namespace

std::optional<Type> computed_result(std::string_view name, const Types& arguments) {
  const auto rule = rules().find(name);
  return rule == rules().end() ? std::nullopt : rule->second(arguments);
}

std::optional<Type> call_type(const FunctionCall& call) {
  Types types;
  for (const auto& arg : call.args) types.push_back(infer_type(*arg));
  const std::string name = lower(call.name.back().value);
  if (name == "position") return Type::of(TypeKind::kBigint);
  if (auto type = computed_result(name, types)) return type;
  const auto overload = overload_of(call, types);
  return overload ? overload->result : std::nullopt;
}

}  // namespace meesh::sql
