// Functions whose type follows from their arguments in ways a signature does not say: coalesce and
// its like, concat, arrays and maps; and the scalars put around aggregates.
#include "duckdb/planner/expression/list.hpp"
#include "engine/functions/coercion.h"
#include "engine/functions/comparisons.h"
#include "engine/functions/java_format.h"
#include "engine/functions/map_keys.h"
#include "engine/functions/regular_expression.h"
#include "engine/functions/rules.h"
#include "engine/functions/zones.h"

namespace meesh::engine {
namespace {

using duckdb::ExpressionType;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::make_uniq;
using duckdb::Value;
using sql::Type;
using sql::TypeKind;
using View = std::string_view;

[[noreturn]] void unexpected(const char* name, const Exprs& args, const char* expected) {
  std::string types;
  for (auto& arg : args) types += (types.empty() ? "" : ", ") + shown(type_of(*arg));
  raise(Code::kFunctionNotFound,
        "Unexpected parameters (" + types + ") for function " + name + ". Expected: " + expected,
        args.empty() ? nullptr : args[0].get());
}

/// Brings the arguments from `first` on to their common type.
LogicalType unify(const Build& build, Exprs& args, size_t first, const char* what) {
  Type common = type_of(*args[first]);
  LogicalType duck = args[first]->return_type;
  for (size_t i = first + 1; i < args.size(); ++i) {
    const Type type = type_of(*args[i]);
    auto next = common_type(common, type);
    if (!next) {
      raise(Code::kTypeMismatch,
            std::string(what) +
                " must be the same type or coercible to a common type. Cannot find common type "
                "between " +
                shown(common) + " and " + shown(type),
            args[i].get());
    }
    if (*next != common) duck = *next == type ? args[i]->return_type : to_duckdb(*next);
    common = *next;
  }
  if (common.kind == TypeKind::kTimestampTz)
    duck = shared_zoned_type(args, first, common.precision);
  for (size_t i = first; i < args.size(); ++i) args[i] = build.coerce(std::move(args[i]), duck);
  return duck;
}

ExprPtr coalesce(const Build& build, Exprs args) {
  const auto type = unify(build, args, 0, "All COALESCE operands");
  if (args.size() == 1) return std::move(args[0]);
  auto made = make_uniq<duckdb::BoundOperatorExpression>(ExpressionType::OPERATOR_COALESCE, type);
  made->children = std::move(args);
  return made;
}

ExprPtr null_if(const Build& build, Exprs args) {
  auto equal = build.call("trino_eq", args[0]->Copy(), std::move(args[1]));
  auto null = build.constant(Value(args[0]->return_type));
  return make_uniq<duckdb::BoundCaseExpression>(std::move(equal), std::move(null),
                                                std::move(args[0]));
}

ExprPtr if_function(const Build& build, Exprs args) {
  const Type condition = type_of(*args[0]);
  if (condition.kind != TypeKind::kBoolean && condition.kind != TypeKind::kUnknown) {
    raise(Code::kTypeMismatch,
          "IF condition must evaluate to a boolean (actual: " + shown(condition) + ")",
          args[0].get());
  }
  if (args.size() == 2) args.push_back(build.constant(Value(args[1]->return_type)));
  unify(build, args, 1, "Result types for IF");
  auto test = build.native_cast(std::move(args[0]), LogicalType::BOOLEAN);
  return make_uniq<duckdb::BoundCaseExpression>(std::move(test), std::move(args[1]),
                                                std::move(args[2]));
}

ExprPtr type_name(const Build& build, Exprs args) {
  return build.constant(Value(type_of(*args[0]).display()));
}

/// The greatest or least of what is not compared by its bits.
ExprPtr by_comparing(const Build& build, Exprs args, View name) {
  const char* better = name == "greatest" ? "trino_gt" : "trino_lt";
  ExprPtr best = std::move(args[0]);
  for (size_t i = 1; i < args.size(); ++i) {
    auto wins = build.call(better, args[i]->Copy(), best->Copy());
    best = make_uniq<duckdb::BoundCaseExpression>(std::move(wins), std::move(args[i]),
                                                  std::move(best));
  }
  return best;
}

/// All have one type, which has an order.
void check_ordered(const Exprs& args, const char* name) {
  std::optional<Type> common = args.empty() ? std::nullopt : std::optional(type_of(*args[0]));
  for (const auto& arg : args)
    if (common) common = common_type(*common, type_of(*arg));
  if (!common || !is_orderable(*common))
    unexpected(name, args, (std::string(name) + "(E) E:orderable").c_str());
}

ExprPtr extreme(const Build& build, Exprs args, const char* name) {
  check_ordered(args, name);
  const auto type = unify(build, args, 0, "All arguments");
  if (args.size() == 1) return std::move(args[0]);
  ExprPtr any_null;
  for (auto& arg : args) {
    auto null = build.is_null(arg->Copy());
    any_null = any_null ? build.either(std::move(any_null), std::move(null)) : std::move(null);
  }
  if (type.id() == LogicalTypeId::TIME_TZ || is_zoned(type) || type.IsNested())
    return make_uniq<duckdb::BoundCaseExpression>(std::move(any_null), build.constant(Value(type)),
                                                  by_comparing(build, std::move(args), name));
  for (auto& arg : args) arg = build.plain(std::move(arg));
  const bool floating = type.id() == LogicalTypeId::DOUBLE || type.id() == LogicalTypeId::FLOAT;
  auto value = floating && *name == 'g' ? greatest_number(build, std::move(args))
                                        : build.call(name, std::move(args));
  return make_uniq<duckdb::BoundCaseExpression>(std::move(any_null), build.constant(Value(type)),
                                                build.relabel(std::move(value), type));
}
ExprPtr greatest(const Build& build, Exprs args) {
  return extreme(build, std::move(args), "greatest");
}
ExprPtr least(const Build& build, Exprs args) { return extreme(build, std::move(args), "least"); }

// ---------------------------------------------------------------- concatenation

ExprPtr joined(const Build& build, Exprs args) {
  ExprPtr out = std::move(args[0]);
  for (size_t i = 1; i < args.size(); ++i)
    out = build.call("||", std::move(out), std::move(args[i]));
  return out;
}

/// Which of the arguments are arrays to put together, not elements of one: ARRAY[ARRAY[1]] ||
/// ARRAY[2] has one of each.
std::vector<bool> whole_arrays(const Exprs& args) {
  std::vector<bool> whole;
  std::vector<Type> types;
  for (const auto& arg : args) {
    types.push_back(type_of(*arg));
    whole.push_back(types.back().kind == TypeKind::kArray);
  }
  if (args.size() != 2 || !whole[0] || !whole[1] || common_type(types[0], types[1])) return whole;
  whole[0] = common_type(types[0].children[0], types[1]).has_value();
  whole[1] = !whole[0];
  return whole;
}

ExprPtr concat_arrays(const Build& build, Exprs args) {
  Type element;
  const auto whole = whole_arrays(args);
  for (size_t i = 0; i < args.size(); ++i) {
    const Type type = type_of(*args[i]);
    auto next = common_type(element, whole[i] ? type.children[0] : type);
    if (!next)
      unexpected("concat", args,
                 "concat(array(E)), concat(array(E), E), concat(E, array(E)), concat(varchar), "
                 "concat(varbinary)");
    element = *next;
  }
  const auto target = LogicalType::LIST(to_duckdb(element));
  ExprPtr any_null, out;
  for (size_t i = 0; i < args.size(); ++i) {
    auto& arg = args[i];
    if (whole[i]) {
      arg = build.coerce(std::move(arg), target);
      auto null = build.is_null(arg->Copy());
      any_null = any_null ? build.either(std::move(any_null), std::move(null)) : std::move(null);
    } else {
      arg = build.call("list_value",
                       build.coerce(std::move(arg), duckdb::ListType::GetChildType(target)));
    }
    out = out ? build.call("list_concat", std::move(out), std::move(arg)) : std::move(arg);
  }
  out = build.relabel(std::move(out), target);
  return make_uniq<duckdb::BoundCaseExpression>(std::move(any_null), build.constant(Value(target)),
                                                std::move(out));
}

ExprPtr concat(const Build& build, Exprs args) {
  static const char* kExpected =
      "concat(char(x), char(y)), concat(array(E), E), concat(E, array(E)), concat(array(E)), "
      "concat(varchar), concat(varbinary)";
  const bool array = args.size() == 1 && type_of(*args[0]).kind == TypeKind::kArray;
  if (args.size() < 2 && !array)
    raise(Code::kInvalidFunctionArgument, "There must be two or more concatenation arguments",
          args.empty() ? nullptr : args[0].get());
  bool arrays = false, binary = false, texts = true, chars = true;
  int32_t length = 0;
  for (auto& arg : args) {
    const Type type = type_of(*arg);
    arrays = arrays || type.kind == TypeKind::kArray;
    binary = binary || type.kind == TypeKind::kVarbinary;
    texts = texts && (is_text(type) || type.kind == TypeKind::kUnknown);
    chars = chars && type.kind == TypeKind::kChar;
    length += type.precision;
  }
  if (arrays) return concat_arrays(build, std::move(args));
  if (binary) {
    for (auto& arg : args) {
      const auto kind = type_of(*arg).kind;
      if (kind != TypeKind::kVarbinary && kind != TypeKind::kUnknown)
        unexpected("concat", args, kExpected);
      arg = build.native_cast(std::move(arg), LogicalType::BLOB);
    }
    return joined(build, std::move(args));
  }
  if (!texts) unexpected("concat", args, kExpected);
  for (auto& arg : args) arg = build.native_cast(build.plain(std::move(arg)), LogicalType::VARCHAR);
  auto out = joined(build, std::move(args));
  return chars ? build.relabel(std::move(out), to_duckdb(Type::of(TypeKind::kChar, length)))
               : std::move(out);
}

ExprPtr concat_ws(const Build& build, Exprs args) {
  for (auto& arg : args) arg = build.native_cast(build.plain(std::move(arg)), LogicalType::VARCHAR);
  auto null = build.is_null(args[0]->Copy());
  auto text = build.call("concat_ws", std::move(args));
  return build.case_when(std::move(null), build.constant(Value(LogicalType::VARCHAR)),
                         std::move(text));
}

// ---------------------------------------------------------------- arrays and maps

/// (array(E), E) with both at one element type; labels off.
void unify_element(const Build& build, Exprs& args) {
  const Type element =
      type_of(*args[0]).kind == TypeKind::kArray ? type_of(*args[0]).children[0] : Type();
  auto common = common_type(element, type_of(*args[1]));
  if (!common) unexpected("contains", args, "contains(array(E), E)");
  const auto duck = plain_type(to_duckdb(*common));
  args[0] = build.plain(build.coerce(std::move(args[0]), LogicalType::LIST(duck)));
  args[1] = build.plain(build.coerce(std::move(args[1]), duck));
}
void unify_arrays(const Build& build, Exprs& args) {
  auto common = common_type(type_of(*args[0]), type_of(*args[1]));
  if (!common) unexpected("array", args, "(array(E), array(E))");
  for (auto& arg : args) arg = build.plain(build.coerce(std::move(arg), to_duckdb(*common)));
}

ExprPtr contains(const Build& build, Exprs args) {
  unify_element(build, args);
  return expand_text(
      build,
      "CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL WHEN list_contains($1, $2) THEN true "
      "WHEN len($1) > list_aggregate($1, 'count') THEN NULL ELSE false END",
      args);
}

/// DuckDB's list_distinct drops NULL and order; ours keeps both.
ExprPtr array_distinct(const Build& build, Exprs args) {
  const auto type = args[0]->return_type;
  args[0] = build.plain(std::move(args[0]));
  return build.relabel(build.call("meesh_distinct", std::move(args[0])), type);
}

ExprPtr set_operation(const Build& build, Exprs args, const char* name) {
  unify_arrays(build, args);
  return build.call(name, std::move(args[0]), std::move(args[1]));
}
ExprPtr array_intersect(const Build& b, Exprs args) {
  return set_operation(b, std::move(args), "meesh_intersect");
}
ExprPtr array_except(const Build& b, Exprs args) {
  return set_operation(b, std::move(args), "meesh_except");
}
ExprPtr array_union(const Build& build, Exprs args) {
  unify_arrays(build, args);
  return expand_text(
      build,
      "CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL ELSE meesh_distinct(list_concat($1, $2)) END",
      args);
}
ExprPtr arrays_overlap(const Build& build, Exprs args) {
  unify_arrays(build, args);
  return expand_text(
      build,
      "CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL WHEN list_has_any($1, $2) THEN true "
      "WHEN (len($1) > list_aggregate($1, 'count') AND len($2) > 0) OR (len($2) > "
      "list_aggregate($2, 'count') AND len($1) > 0) "
      "THEN NULL ELSE false END",
      args);
}
ExprPtr array_remove(const Build& build, Exprs args) {
  unify_element(build, args);
  return build.call("meesh_remove", std::move(args[0]), std::move(args[1]));
}

ExprPtr array_join(const Build& build, Exprs args) {
  const Type element = type_of(*args[0]).children[0];
  if (!element.children.empty()) unexpected("array_join", args, "array_join(array(E), varchar)");
  args[0] = build.trino_cast(std::move(args[0]), Type::array(Type::varchar()));
  for (auto& arg : args) arg = build.plain(std::move(arg));
  if (args.size() == 2) {
    args.push_back(build.constant(Value(LogicalType::VARCHAR)));
    return build.call("meesh_array_join", std::move(args));
  }
  auto no_filler = build.is_null(args[2]->Copy());
  return build.case_when(std::move(no_filler), build.constant(Value(LogicalType::VARCHAR)),
                         build.call("meesh_array_join", std::move(args)));
}

ExprPtr slice(const Build& build, Exprs args) {
  const auto type = args[0]->return_type;
  for (size_t i = 1; i < 3; ++i) args[i] = build.coerce(std::move(args[i]), LogicalType::BIGINT);
  args[0] = build.plain(std::move(args[0]));
  return build.relabel(
      expand_text(
          build,
          "array_slice($1, meesh_slice_start($2, len($1)), meesh_slice_end($2, $3, len($1)))",
          args),
      type);
}

ExprPtr shuffle(const Build& build, Exprs args) {
  const auto type = args[0]->return_type;
  return build.relabel(
      build.call("meesh_shuffle", build.plain(std::move(args[0])), build.call("random", Exprs())),
      type);
}

ExprPtr zip(const Build& build, Exprs args) {
  static const char* kExpected =
      "zip(array(T1), array(T2)) T1, T2, zip(array(T1), array(T2), array(T3)) T1, T2, T3, "
      "zip(array(T1), array(T2), array(T3), array(T4)) T1, T2, T3, T4, "
      "zip(array(T1), array(T2), array(T3), array(T4), array(T5)) T1, T2, T3, T4, T5";
  duckdb::child_list_t<LogicalType> fields;
  if (args.size() < 2 || args.size() > 5) unexpected("zip", args, kExpected);
  ExprPtr any_null = build.constant(Value::BOOLEAN(false));
  for (size_t i = 0; i < args.size(); ++i) {
    if (type_of(*args[i]).kind == TypeKind::kUnknown)
      args[i] = build.constant(Value(LogicalType::LIST(LogicalType::SQLNULL)));
    if (args[i]->return_type.id() != LogicalTypeId::LIST) unexpected("zip", args, kExpected);
    fields.emplace_back("field" + std::to_string(i),
                        duckdb::ListType::GetChildType(args[i]->return_type));
    args[i] = build.plain(std::move(args[i]));
    any_null = build.either(std::move(any_null), build.is_null(args[i]->Copy()));
  }
  const auto type = LogicalType::LIST(LogicalType::STRUCT(std::move(fields)));
  auto rows = build.relabel(build.call("list_zip", std::move(args)), type);
  return build.case_when(std::move(any_null), build.constant(Value(type)), std::move(rows));
}

ExprPtr map_entries(const Build& build, Exprs args) {
  const auto type = args[0]->return_type;
  duckdb::child_list_t<LogicalType> fields = {{"field0", duckdb::MapType::KeyType(type)},
                                              {"field1", duckdb::MapType::ValueType(type)}};
  return build.relabel(build.call("map_entries", build.plain(std::move(args[0]))),
                       LogicalType::LIST(LogicalType::STRUCT(std::move(fields))));
}

void check_entries(const char* name, const Exprs& args) {
  const Type type = type_of(*args[0]);
  if (type.kind != TypeKind::kArray || type.children[0].kind != TypeKind::kRow ||
      type.children[0].children.size() != 2) {
    unexpected(name, args, (std::string(name) + "(array(row(K, V)))").c_str());
  }
}

/// Lists of two-field rows as DuckDB's map_from_entries wants them.
ExprPtr as_entries(const Build& build, const char* name, Exprs& args) {
  check_entries(name, args);
  const auto& row = duckdb::StructType::GetChildTypes(
      plain_type(duckdb::ListType::GetChildType(args[0]->return_type)));
  duckdb::child_list_t<LogicalType> fields = {{"key", row[0].second}, {"value", row[1].second}};
  return build.relabel(std::move(args[0]),
                       LogicalType::LIST(LogicalType::STRUCT(std::move(fields))));
}
ExprPtr map_from_entries(const Build& build, Exprs args) {
  const Type type = type_of(*args[0]);
  if (type.kind == TypeKind::kArray && type.children[0].kind == TypeKind::kUnknown)
    return map_of_unknown_entries(build, std::move(args[0]));
  return tell_duplicate_keys(
      build.call("map_from_entries", as_entries(build, "map_from_entries", args)));
}
ExprPtr multimap_from_entries(const Build& build, Exprs args) {
  check_entries("multimap_from_entries", args);
  auto entries = build.call("meesh_whole_entries", build.plain(std::move(args[0])));
  return build.call("meesh_multimap", std::move(entries));
}

/// An error of the rows, so that a NULL is one.
ExprPtr too_few_maps(const Build& build, Exprs args) {
  const auto type = args[0]->return_type;
  duckdb::ScalarFunction function(
      "meesh_one_map", {type}, type,
      [](duckdb::DataChunk& rows, duckdb::ExpressionState&, duckdb::Vector& result) {
        for (size_t row = 0; row < rows.size(); ++row) {
          if (!rows.data[0].GetValue(row).IsNull())
            raise(Code::kInvalidFunctionArgument,
                  "There must be two or more concatenation arguments to map_concat");
          result.SetValue(row, Value(result.GetType()));
        }
      });
  function.SetFallible();
  return build.kernel(std::move(function), std::move(args));
}

ExprPtr map_concat(const Build& build, Exprs args) {
  if (args.size() == 1) return too_few_maps(build, std::move(args));
  const auto type = unify(build, args, 0, "Maps");
  ExprPtr any_null;
  for (auto& arg : args) {
    auto null = build.is_null(arg->Copy());
    any_null = any_null ? build.either(std::move(any_null), std::move(null)) : std::move(null);
    arg = build.plain(std::move(arg));
  }
  auto value = build.relabel(build.call("map_concat", std::move(args)), type);
  return make_uniq<duckdb::BoundCaseExpression>(std::move(any_null), build.constant(Value(type)),
                                                std::move(value));
}

ExprPtr map_filter_result(const Build& build, Exprs args) {
  const auto type = args[0]->return_type;
  return build.relabel(
      build.call("meesh_map_filter", build.plain(std::move(args[0])), std::move(args[1])), type);
}

ExprPtr any_match_result(const Build& build, Exprs args) {
  return expand_text(build,
                     "CASE WHEN $1 IS NULL THEN NULL WHEN list_contains($1, true) THEN true "
                     "WHEN len($1) > list_aggregate($1, 'count') THEN NULL ELSE false END",
                     args);
}
ExprPtr all_match_result(const Build& build, Exprs args) {
  return expand_text(build,
                     "CASE WHEN $1 IS NULL THEN NULL WHEN list_contains($1, false) THEN false "
                     "WHEN len($1) > list_aggregate($1, 'count') THEN NULL ELSE true END",
                     args);
}

// ---------------------------------------------------------------- around aggregates

/// A sum of decimals has 38 digits; DuckDB's may have one more.
ExprPtr checked_decimal(const Build& build, ExprPtr sum) {
  const auto type = sum->return_type;
  duckdb::ScalarFunction kernel(
      "meesh_sum_decimal", {type}, type,
      [](duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
        duckdb::UnaryExecutor::Execute<duckdb::hugeint_t, duckdb::hugeint_t>(
            chunk.data[0], result, chunk.size(), [](const duckdb::hugeint_t& value) {
              const auto& limit = duckdb::Hugeint::POWERS_OF_TEN[38];
              if (value >= limit || value <= -limit)
                raise(Code::kNumericValueOutOfRange, "Decimal overflow");
              return value;
            });
      });
  kernel.SetFallible();
  Exprs args;
  args.push_back(std::move(sum));
  return build.kernel(std::move(kernel), std::move(args));
}

/// sum: HUGEINT back to bigint, checked; reals back to real.
ExprPtr sum_result(const Build& build, Exprs args) {
  const auto& type = args[0]->return_type;
  if (type.id() == LogicalTypeId::HUGEINT)
    return build.call("meesh_sum_bigint", std::move(args[0]));
  if (type.id() == LogicalTypeId::DOUBLE && type.HasAlias())
    return build.native_cast(build.relabel(std::move(args[0]), LogicalType::DOUBLE),
                             LogicalType::FLOAT);
  if (type.id() == LogicalTypeId::DECIMAL && type.InternalType() == duckdb::PhysicalType::INT128)
    return checked_decimal(build, std::move(args[0]));
  return std::move(args[0]);
}
/// count_if: of no rows and of NULLs alone 0.
ExprPtr to_bigint(const Build& build, Exprs args) {
  args[0] = build.native_cast(std::move(args[0]), LogicalType::BIGINT);
  return expand_text(build, "coalesce($1, CAST(0 AS BIGINT))", args);
}

/// Without labels: both sides of IN (subquery) must be, for DuckDB casts them by itself there.
ExprPtr plain_value(const Build& build, Exprs args) { return build.plain(std::move(args[0])); }

ExprPtr map_agg_result(const Build& build, Exprs args) {
  return build.call("meesh_map_agg", std::move(args[0]));
}
ExprPtr multimap_agg_result(const Build& build, Exprs args) {
  return build.call("meesh_multimap", std::move(args[0]));
}
ExprPtr histogram_result(const Build& build, Exprs args) {
  const auto key = duckdb::MapType::KeyType(args[0]->return_type);
  return build.native_cast(std::move(args[0]), LogicalType::MAP(key, LogicalType::BIGINT));
}

// ---------------------------------------------------------------- failing

ExprPtr fail_function(const Build& build, Exprs args) {
  return build.call("meesh_fail", build.plain(std::move(args[0])));
}

}  // namespace

const std::vector<NamedHook>& value_hooks() {
  static const std::vector<NamedHook> hooks = {
      {"trino_coalesce", coalesce},
      {"trino_nullif", null_if},
      {"trino_if", if_function},
      {"trino_typeof", type_name},
      {"trino_greatest", greatest},
      {"trino_least", least},
      {"trino_concat", concat},
      {"trino_concat_ws", concat_ws},
      {"trino_contains", contains},
      {"trino_array_distinct", array_distinct},
      {"trino_array_intersect", array_intersect},
      {"trino_array_except", array_except},
      {"trino_array_union", array_union},
      {"trino_arrays_overlap", arrays_overlap},
      {"trino_array_remove", array_remove},
      {"trino_array_join", array_join},
      {"trino_slice", slice},
      {"trino_shuffle", shuffle},
      {"trino_zip", zip},
      {"trino_map_entries", map_entries},
      {"trino_map_of", map_of},
      {"trino_regexp_like_of", regexp_like},
      {"trino_map_from_entries", map_from_entries},
      {"trino_multimap_from_entries", multimap_from_entries},
      {"trino_map_concat", map_concat},
      {"trino_map_filter_result", map_filter_result},
      {"trino_any_match_result", any_match_result},
      {"trino_all_match_result", all_match_result},
      {"trino_sum_result", sum_result},
      {"trino_avg_result", sum_result},
      {"trino_to_bigint", to_bigint},
      {"trino_plain", plain_value},
      {"trino_map_agg_result", map_agg_result},
      {"trino_multimap_agg_result", multimap_agg_result},
      {"trino_histogram_result", histogram_result},
      {"trino_fail", fail_function},
      {"trino_format", format_function},
  };
  return hooks;
}

}  // namespace meesh::engine
