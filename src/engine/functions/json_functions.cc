// JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT and JSON_ARRAY. The printer calls the hooks here
// with the clauses as constant texts in front of the operands.
#include "engine/functions/json_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "duckdb/planner/expression/list.hpp"
#include "engine/functions/coercion.h"
#include "engine/functions/json_path.h"
#include "engine/functions/json_text.h"
#include "engine/functions/rules.h"
#include "engine/functions/text.h"
#include "engine/functions/value_kernels.h"

namespace meesh::engine {
namespace {

namespace json = boost::json;
using duckdb::LogicalType;
using duckdb::Value;
using sql::Type;
using sql::TypeKind;
using View = std::string_view;
using Text = std::optional<std::string>;

/// Parsed paths of this thread; a statement has few, so the cache is emptied when it grows.
const JsonPath& compiled(View text) {
  thread_local std::unordered_map<std::string, JsonPath> cache;
  if (auto found = cache.find(std::string(text)); found != cache.end()) return found->second;
  if (cache.size() > 64) cache.clear();
  return cache.emplace(std::string(text), parse_json_path(text)).first->second;
}

// ---------------------------------------------------------------- kernels

/// What the path found, or why it could not look.
struct Outcome {
  std::vector<json::value> items;
  Code code = Code::kPathEvaluationError;
  Text failure;
};

Outcome look(View input, View path, View variables) {
  Outcome out;
  const auto value = read_json(input);
  const auto given = read_json(variables);
  if (!value || !given) {
    out.code = Code::kJsonInputConversionError;
    out.failure = "conversion to JSON failed: ";
    return out;
  }
  try {
    out.items = find_items(compiled(path), *value, given->as_object());
  } catch (const PathFailure& failure) {
    out.failure = failure.message;
  }
  return out;
}

std::optional<bool> json_exists(View input, View path, View variables, View on_error) {
  const auto found = look(input, path, variables);
  if (!found.failure) return !found.items.empty();
  if (on_error == "ERROR") raise(found.code, *found.failure);
  if (on_error == "UNKNOWN") return std::nullopt;
  return on_error == "TRUE";
}

/// What JSON_VALUE gives instead: NULL, an error, or the mark ("e" or "r") of a default.
Text instead(View behavior, const char* mark, Code code, const std::string& message) {
  if (behavior == "ERROR") raise(code, message);
  return behavior == "DEFAULT" ? Text(mark) : std::nullopt;
}

/// A number as text that the cast to the declared type reads.
std::string number_text(const json::value& value, View style) {
  if (!value.is_double()) return json::serialize(value);
  const double number = value.get_double();
  if (style == "whole" && std::abs(number) < 0x1p63) return std::to_string(std::llround(number));
  if (style == "decimal") return fmt::format("{:.18f}", number);
  return scientific(number);
}

/// "v" and the scalar as text; or what stands for it.
Text json_value(View input, View path, View variables, View style, View on_empty, View on_error) {
  constexpr auto kCode = Code::kJsonValueResultError;
  const std::string cannot = "cannot extract SQL scalar from JSON: JSON path found ";
  const auto found = look(input, path, variables);
  if (found.failure) return instead(on_error, "r", found.code, *found.failure);
  if (found.items.empty()) return instead(on_empty, "e", kCode, cannot + "no items");
  if (found.items.size() > 1) return instead(on_error, "r", kCode, cannot + "multiple items");
  const auto& item = found.items[0];
  if (item.is_null()) return std::nullopt;
  if (item.is_array() || item.is_object())
    return instead(on_error, "r", kCode,
                   cannot + "an item that cannot be converted to an SQL value");
  if (item.is_string()) return "v" + std::string(item.get_string());
  if (item.is_bool()) return item.get_bool() ? "vtrue" : "vfalse";
  return "v" + number_text(item, style);
}

Text json_query(View input, View path, View variables, View wrapper, View quotes, View on_empty,
                View on_error) {
  const auto instead_of = [](View behavior, Code code, const std::string& message) -> Text {
    if (behavior == "ERROR") raise(code, message);
    if (behavior == "EMPTY ARRAY") return "[]";
    if (behavior == "EMPTY OBJECT") return "{}";
    return std::nullopt;
  };
  constexpr auto kCode = Code::kJsonOutputConversionError;
  auto found = look(input, path, variables);
  if (found.failure) return instead_of(on_error, found.code, *found.failure);
  if (found.items.empty())
    return instead_of(on_empty, kCode, "conversion from JSON failed: JSON path found no items");
  const bool single = found.items.size() == 1;
  const bool structured = single && (found.items[0].is_array() || found.items[0].is_object());
  if (wrapper == "UNCONDITIONAL" || (wrapper == "CONDITIONAL" && !structured)) {
    json::array all;
    for (auto& item : found.items) all.push_back(std::move(item));
    return json_text(all);
  }
  if (!single)
    return instead_of(on_error, kCode,
                      "conversion from JSON failed: JSON path found multiple items");
  if (quotes == "OMIT" && found.items[0].is_string())
    return std::string(found.items[0].get_string());
  return json_text(found.items[0]);
}

/// A value that is JSON already, read and written again.
std::string formatted(View text) {
  const auto value = read_json(text);
  if (!value) raise(Code::kJsonInputConversionError, "conversion to JSON failed: ");
  return json_text(*value);
}

/// Keys and values (JSON text, NULL for a NULL) as one object.
Value json_object(const Values& in, const LogicalType&) {
  const auto &keys = duckdb::ListValue::GetChildren(in[0]),
             &values = duckdb::ListValue::GetChildren(in[1]);
  const bool absent = in[2].GetValue<bool>(), unique = in[3].GetValue<bool>();
  ValueSet seen;
  std::string out = "{";
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].IsNull())
      raise(Code::kInvalidFunctionArgument,
            "null value passed for JSON object key to JSON_OBJECT function");
    if (values[i].IsNull() && absent) continue;
    if (!seen.insert(keys[i]).second) {
      if (unique)
        raise(Code::kInvalidFunctionArgument, "duplicate key passed to JSON_OBJECT function");
      raise(Code::kNotSupported, "cannot construct a JSON object with duplicate key");
    }
    if (out.size() > 1) out += ',';
    out += json_quoted(duckdb::StringValue::Get(keys[i])) + ":";
    out += values[i].IsNull() ? "null" : duckdb::StringValue::Get(values[i]);
  }
  return Value(out + '}');
}

Value json_array(const Values& in, const LogicalType&) {
  const bool absent = in[1].GetValue<bool>();
  std::string out = "[";
  for (const auto& value : duckdb::ListValue::GetChildren(in[0])) {
    if (value.IsNull() && absent) continue;
    if (out.size() > 1) out += ',';
    out += value.IsNull() ? "null" : duckdb::StringValue::Get(value);
  }
  return Value(out + ']');
}

// ---------------------------------------------------------------- json_extract's paths

/// One step of the path of json_extract and its like ("$.a[0]["b c"]"): a member or an element.
struct PlainStep {
  View key;
  bool index;
};

std::vector<PlainStep> plain_steps(View path) {
  const auto bad = [&]() {
    raise(Code::kInvalidFunctionArgument, "Invalid JSON path: '" + std::string(path) + "'");
  };
  const auto in_key = [](char c, bool dot) {
    return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80 ||
           View(dot ? "_-:$/@|#" : "_-").find(c) != View::npos;
  };
  if (!path.starts_with('$')) bad();
  std::vector<PlainStep> steps;
  for (size_t at = 1; at < path.size();) {
    const bool dot = path[at] == '.';
    if (!dot && path[at] != '[') bad();
    ++at;
    const bool quoted = !dot && at < path.size() && path[at] == '"';
    size_t end = quoted ? path.find('"', at + 1) : at;
    while (!quoted && end < path.size() && in_key(path[end], dot)) ++end;
    if (end == View::npos || end == at) bad();
    const View key = quoted ? path.substr(at + 1, end - at - 1) : path.substr(at, end - at);
    at = quoted ? end + 1 : end;
    const bool index = !dot && !quoted && key.find_first_not_of("0123456789") == View::npos;
    if (!dot && (at >= path.size() || path[at++] != ']')) bad();
    if (!dot && !quoted && !index && key[0] == '-') bad();
    steps.push_back({key, index});
  }
  return steps;
}

/// The path as DuckDB writes it: every key quoted.
std::string plain_path(View path) {
  std::string out = "$";
  for (const auto& [key, index] : plain_steps(path))
    out += index ? "[" + std::string(key) + "]" : ".\"" + std::string(key) + "\"";
  return out;
}

/// Moves to the member or element; false if there is none.
bool enter(JsonCursor& cursor, const PlainStep& step) {
  if (!cursor.take(step.index ? '[' : '{')) return false;
  size_t wanted = std::numeric_limits<size_t>::max();
  if (step.index) std::from_chars(step.key.data(), step.key.data() + step.key.size(), wanted);
  for (size_t i = 0; step.index || cursor.peek() == '"'; ++i) {
    if (step.index) {
      if (i == wanted) return cursor.peek() != ']';
    } else {
      const bool found = cursor.string() == step.key;
      cursor.take(':');
      if (found) return true;
    }
    cursor.value();
    if (!cursor.take(',')) return false;
  }
  return false;
}

/// What is at the path as it is written: 1.50 is not 1.5. `text` is valid JSON.
std::optional<std::string> written_at(View text, View path) {
  JsonCursor cursor(text);
  for (const auto& step : plain_steps(path))
    if (!enter(cursor, step)) return std::nullopt;
  return std::string(cursor.value());
}

// ---------------------------------------------------------------- hooks

/// A clause: a constant the printer wrote.
std::string clause(const Exprs& args, size_t i) {
  return args[i]->Cast<duckdb::BoundConstantExpression>().value.ToString();
}
ExprPtr text_of(const Build& build, const std::string& text) { return build.constant(Value(text)); }

}  // namespace

ExprPtr json_input(const Build& build, ExprPtr input, const std::string& format) {
  const Type type = type_of(*input);
  const bool utf8 = format.empty() || format == "FORMAT JSON" || format.ends_with("UTF8");
  if (type.kind == TypeKind::kVarbinary && !utf8)
    raise(Code::kNotSupported,
          "JSON in " + format.substr(format.rfind(' ') + 1) + " is not supported; UTF8 is",
          input.get());
  if (type.kind == TypeKind::kVarbinary) return build.call("meesh_from_utf8", std::move(input));
  if (!is_text(type) && type.kind != TypeKind::kUnknown)
    raise(Code::kTypeMismatch,
          "Cannot read input of type " + type.display() + " as JSON using formatting " +
              (format.empty() ? "JSON" : format.substr(7)),
          input.get());
  return build.native_cast(build.plain(std::move(input)), LogicalType::VARCHAR);
}

namespace {

/// An SQL value as JSON text; NULL stays NULL. `what` says where it stands, for errors.
ExprPtr member_text(const Build& build, ExprPtr value, const std::string& format,
                    const std::string& what) {
  if (!format.empty())
    return build.call("meesh_json_formatted", json_input(build, std::move(value), format));
  const Type type = type_of(*value);
  switch (type.kind) {
    case TypeKind::kUnknown:
    case TypeKind::kBoolean:
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDecimal:
      return build.native_cast(std::move(value), LogicalType::VARCHAR);
    case TypeKind::kReal:
    case TypeKind::kDouble:
      return build.call("meesh_json_double",
                        build.native_cast(std::move(value), LogicalType::DOUBLE));
    case TypeKind::kVarbinary:
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow:
    case TypeKind::kJson:
      raise(Code::kNotSupported, "Unsupported type of " + what + ": " + type.display(),
            value.get());
    default:
      return build.call("meesh_json_quoted",
                        build.plain(build.trino_cast(std::move(value), Type::varchar())));
  }
}

}  // namespace

ExprPtr json_variables(const Build& build, Exprs& args, size_t from, const JsonPath& path) {
  Exprs names, values;
  std::set<std::string> given;
  const auto* at = args[0].get();
  for (size_t i = from; i + 2 < args.size(); i += 3) {
    const std::string name = clause(args, i), format = clause(args, i + 2);
    given.insert(name);
    names.push_back(text_of(build, name));
    values.push_back(member_text(build, std::move(args[i + 1]), format, "JSON path parameter"));
  }
  for (const auto& name : path.variables) {
    if (given.contains(name)) continue;
    std::string upper = name;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](unsigned char c) { return std::toupper(c); });
    raise(Code::kInvalidPath,
          "no value passed for parameter " + name +
              (given.contains(upper)
                   ? ". Try quoting \"" + name + "\" in the PASSING clause to match case"
                   : ""),
          at);
  }
  if (names.empty()) return text_of(build, "{}");
  return build.call("meesh_json_object", build.call("list_value", std::move(names)),
                    build.call("list_value", std::move(values)),
                    build.constant(Value::BOOLEAN(false)), build.constant(Value::BOOLEAN(false)));
}

namespace {

/// input, path, format, on error, (name, value, format)*
ExprPtr exists_hook(const Build& build, Exprs args) {
  const std::string path = clause(args, 1);
  auto given = json_variables(build, args, 4, compiled(path));
  const std::string format = clause(args, 2);
  return build.call("meesh_json_exists", json_input(build, std::move(args[0]), format),
                    text_of(build, path), std::move(given), std::move(args[3]));
}

/// The value cast to its declared type. A cast that fails is what ON ERROR is for.
ExprPtr declared(const Build& build, const ExprPtr& found, const Type& type,
                 const std::string& on_error, ExprPtr otherwise) {
  auto text = build.call("substr", found->Copy(), build.constant(Value::BIGINT(2)));
  if (is_text(type)) return build.trino_cast(std::move(text), type);
  auto cast = build.trino_cast(text->Copy(), type, true);
  const auto label = cast->return_type;
  if (on_error == "NULL") return cast;
  if (on_error == "ERROR") {
    auto failed =
        build.call("meesh_json_cast_failed", std::move(text), text_of(build, type.display()));
    otherwise = build.case_when(std::move(failed), build.constant(Value(label)),
                                build.constant(Value(label)));
  }
  auto null = build.is_null(cast->Copy());
  return duckdb::make_uniq<duckdb::BoundCaseExpression>(std::move(null), std::move(otherwise),
                                                        std::move(cast));
}

/// input, path, format, type, on empty, on error, default on empty, default on error,
/// (name, value, format)*
ExprPtr value_hook(const Build& build, Exprs args) {
  const std::string path = clause(args, 1), format = clause(args, 2);
  const std::string on_empty = clause(args, 4), on_error = clause(args, 5);
  const Type type = Type::parse(clause(args, 3));
  if (!type.children.empty() || type.kind == TypeKind::kJson)
    raise(Code::kTypeMismatch, "Invalid return type of function JSON_VALUE: " + type.display(),
          args[0].get());
  const char* style = is_integral(type)                 ? "whole"
                      : type.kind == TypeKind::kDecimal ? "decimal"
                                                        : "text";
  auto given = json_variables(build, args, 8, compiled(path));
  auto found = build.call("meesh_json_value", json_input(build, std::move(args[0]), format),
                          text_of(build, path), std::move(given), text_of(build, style),
                          text_of(build, on_empty), text_of(build, on_error));
  const auto label = to_duckdb(type);
  const auto fallback = [&](size_t i) {
    return build.relabel(build.trino_cast(args[i]->Copy(), type), label);
  };
  auto out = build.relabel(declared(build, found, type, on_error, fallback(7)), label);
  const auto marked = [&](const char* mark, ExprPtr then, ExprPtr otherwise) -> ExprPtr {
    auto is =
        build.compare(duckdb::ExpressionType::COMPARE_EQUAL, found->Copy(), text_of(build, mark));
    return duckdb::make_uniq<duckdb::BoundCaseExpression>(std::move(is), std::move(then),
                                                          std::move(otherwise));
  };
  auto null = duckdb::make_uniq<duckdb::BoundCaseExpression>(
      build.is_null(found->Copy()), build.constant(Value(label)), std::move(out));
  ExprPtr result = std::move(null);
  if (on_error == "DEFAULT") result = marked("r", fallback(7), std::move(result));
  if (on_empty == "DEFAULT") result = marked("e", fallback(6), std::move(result));
  return result;
}

/// The JSON text as the type of RETURNING: text or UTF-8 bytes.
ExprPtr returned(const Build& build, ExprPtr text, const std::string& name, const char* function) {
  const Type type = Type::parse(name);
  if (type.kind == TypeKind::kVarbinary) return build.call("encode", std::move(text));
  if (!is_text(type))
    raise(Code::kTypeMismatch,
          "Cannot output JSON value as " + type.display() + " using formatting JSON in " + function,
          text.get());
  return build.trino_cast(std::move(text), type);
}

/// input, path, format, type, wrapper, quotes, on empty, on error, (name, value, format)*
ExprPtr query_hook(const Build& build, Exprs args) {
  const std::string path = clause(args, 1), format = clause(args, 2), type = clause(args, 3);
  auto given = json_variables(build, args, 8, compiled(path));
  Exprs all;
  all.push_back(json_input(build, std::move(args[0]), format));
  all.push_back(std::move(args[1]));
  all.push_back(std::move(given));
  for (size_t i = 4; i < 8; ++i) all.push_back(std::move(args[i]));
  return returned(build, build.call("meesh_json_query", std::move(all)), type, "JSON_QUERY");
}

ExprPtr text_list(const Build& build, Exprs items) {
  if (items.empty()) return build.constant(Value::LIST(kText, {}));
  for (auto& item : items) item = build.native_cast(std::move(item), kText);
  return build.call("list_value", std::move(items));
}

/// absent?, unique?, type, (key, value, format)*
ExprPtr object_hook(const Build& build, Exprs args) {
  const std::string type = clause(args, 2);
  Exprs keys, values;
  for (size_t i = 3; i + 2 < args.size(); i += 3) {
    const Type key = type_of(*args[i]);
    if (!is_text(key))
      raise(Code::kInvalidFunctionArgument, "Invalid type of JSON object key: " + key.display(),
            args[i].get());
    keys.push_back(build.plain(std::move(args[i])));
    const std::string format = clause(args, i + 2);
    values.push_back(
        member_text(build, std::move(args[i + 1]), format, "value passed to JSON_OBJECT function"));
  }
  return returned(
      build,
      build.call("meesh_json_object", text_list(build, std::move(keys)),
                 text_list(build, std::move(values)), std::move(args[0]), std::move(args[1])),
      type, "JSON_OBJECT");
}

/// absent?, type, (value, format)*
ExprPtr array_hook(const Build& build, Exprs args) {
  const std::string type = clause(args, 1);
  Exprs values;
  for (size_t i = 2; i + 1 < args.size(); i += 2) {
    const std::string format = clause(args, i + 1);
    values.push_back(
        member_text(build, std::move(args[i]), format, "value passed to JSON_ARRAY function"));
  }
  return returned(
      build,
      build.call("meesh_json_array", text_list(build, std::move(values)), std::move(args[0])), type,
      "JSON_ARRAY");
}

}  // namespace

void register_json_kernels(duckdb::ExtensionLoader& loader) {
  add_kernel<View, View, View, View>(loader, "meesh_json_exists", {kText, kText, kText, kText},
                                     kBool, json_exists);
  add_kernel<View, View, View, View, View, View>(
      loader, "meesh_json_value", {kText, kText, kText, kText, kText, kText}, kText, json_value);
  add_kernel<View, View, View, View, View, View, View>(
      loader, "meesh_json_query", {kText, kText, kText, kText, kText, kText, kText}, kText,
      json_query);
  add_kernel<View>(loader, "meesh_json_formatted", {kText}, kText, formatted);
  add_kernel<View>(loader, "meesh_json_plain_path", {kText}, kText, plain_path);
  add_kernel<View, View>(loader, "meesh_json_written_at", {kText, kText}, kText, written_at);
  add_kernel<View>(loader, "meesh_json_quoted", {kText}, kText, json_quoted);
  add_kernel<double>(loader, "meesh_json_double", {kDouble}, kText, json_number);
  add_kernel<View, View>(loader, "meesh_json_cast_failed", {kText, kText}, kBool,
                         [](View, View type) -> bool {
                           raise(Code::kJsonValueResultError,
                                 "cannot extract SQL scalar from JSON: Cannot cast value of type "
                                 "varchar to declared return type of function JSON_VALUE: " +
                                     std::string(type));
                         });
  const auto texts = LogicalType::LIST(kText);
  add_value_kernel(loader, "meesh_json_object", {texts, texts, kBool, kBool}, kText, nullptr,
                   json_object);
  add_value_kernel(loader, "meesh_json_array", {texts, kBool}, kText, nullptr, json_array);
}

const std::vector<NamedHook>& json_hooks() {
  static const std::vector<NamedHook> hooks = {
      {"trino_json_exists", exists_hook}, {"trino_json_value", value_hook},
      {"trino_json_query", query_hook},   {"trino_json_object", object_hook},
      {"trino_json_array", array_hook},   {"trino_json_table", json_table_hook},
  };
  return hooks;
}

}  // namespace meesh::engine
