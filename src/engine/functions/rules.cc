// Overload resolution: which overload of a Trino function a call means, which coercions its
// arguments take, and the body bound with them.
#include "engine/functions/rules.h"

#include <mutex>
#include <unordered_map>

#include "duckdb/parser/parser.hpp"
#include "engine/functions/coercion.h"
#include "engine/functions/long_times.h"
#include "sql/sql.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using sql::Type;
using sql::TypeKind;

struct Pattern {
  std::string name;        // "T", "array", "varchar", …
  std::string constraint;  // of a variable
  std::optional<Type> concrete;
  std::vector<Pattern> children;
  bool variable() const { return name.size() == 1; }
};

struct Overload {
  const sql::FunctionInfo* info = nullptr;
  std::vector<Pattern> arguments;
  Pattern result;
  bool variadic = false;
  duckdb::unique_ptr<duckdb::ParsedExpression> body;
};

struct Binding {
  Type type;
  LogicalType duck;
};
using Bindings = std::map<std::string, Binding>;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split_arguments(std::string_view text) {
  std::vector<std::string_view> out;
  int depth = 0;
  size_t start = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      if (!trim(text.substr(start, i - start)).empty())
        out.push_back(trim(text.substr(start, i - start)));
      start = i + 1;
    } else {
      depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    }
  }
  return out;
}

Pattern parse_pattern(std::string_view text) {
  Pattern out;
  const auto open = text.find('(');
  if ((text.starts_with("array(") || text.starts_with("map(")) && text.back() == ')') {
    out.name = std::string(text.substr(0, open));
    for (auto part : split_arguments(text.substr(open + 1, text.size() - open - 2)))
      out.children.push_back(parse_pattern(part));
    return out;
  }
  const auto colon = text.find(':');
  out.name = std::string(text.substr(0, colon));
  if (colon != std::string_view::npos) out.constraint = std::string(text.substr(colon + 1));
  static const std::set<std::string_view> kLoose = {
      "varchar", "char", "decimal", "timestamp", "timestamptz", "local", "any", "row", "moment"};
  if (!out.variable() && !kLoose.contains(out.name)) out.concrete = Type::parse(out.name);
  return out;
}

bool satisfies(const Type& type, const std::string& constraint) {
  if (constraint.empty()) return true;
  if (constraint == "number") return is_numeric(type);
  if (constraint == "integral") return is_integral(type);
  if (constraint == "decimal") return type.kind == TypeKind::kDecimal;
  if (constraint == "orderable") return type.kind != TypeKind::kMap && type.kind != TypeKind::kJson;
  if (constraint == "moment") {
    return type.kind == TypeKind::kDate || type.kind == TypeKind::kTimestamp ||
           type.kind == TypeKind::kTimestampTz;
  }
  internal_error("unknown constraint " + constraint);
}

std::optional<int> match_variable(const Pattern& pattern, const Type& type, const LogicalType& duck,
                                  Bindings& bindings) {
  if (type.kind == TypeKind::kUnknown) return 1;
  if (!satisfies(type, pattern.constraint)) return std::nullopt;
  auto [it, fresh] = bindings.try_emplace(pattern.name, Binding{type, duck});
  if (fresh || it->second.type == type) return 0;
  auto common = common_type(it->second.type, type);
  if (!common) return std::nullopt;
  if (*common == type) {
    it->second = {type, duck};
  } else if (*common != it->second.type) {
    it->second = {*common, to_duckdb(*common)};
  }
  return 1;
}

std::optional<int> match_loose(const std::string& name, const Type& type) {
  if (name == "any") return 0;
  const auto kind = type.kind;
  if (name == "varchar")
    return kind == TypeKind::kVarchar ? std::optional(0)
           : kind == TypeKind::kChar  ? std::optional(2)
                                      : std::nullopt;
  if (name == "char") return kind == TypeKind::kChar ? std::optional(0) : std::nullopt;
  if (name == "row") return kind == TypeKind::kRow ? std::optional(0) : std::nullopt;
  if (name == "decimal")
    return kind == TypeKind::kDecimal ? std::optional(0)
           : is_integral(type)        ? std::optional(4)
                                      : std::nullopt;
  const int moment = kind == TypeKind::kDate          ? 2
                     : kind == TypeKind::kTimestamp   ? 1
                     : kind == TypeKind::kTimestampTz ? 0
                                                      : -1;
  if (moment < 0) return std::nullopt;
  if (name == "timestamptz") return moment;
  if (name == "timestamp") return moment >= 1 ? std::optional(moment - 1) : std::nullopt;
  return 0;  // local, moment
}

std::optional<int> match(const Pattern& pattern, const Type& type, const LogicalType& duck,
                         Bindings& bindings) {
  if (pattern.variable()) return match_variable(pattern, type, duck, bindings);
  if (type.kind == TypeKind::kUnknown) return 1;
  if (pattern.name == "array") {
    if (duck.id() != duckdb::LogicalTypeId::LIST) return std::nullopt;
    return match(pattern.children[0], type.children[0], duckdb::ListType::GetChildType(duck),
                 bindings);
  }
  if (pattern.name == "map") {
    if (duck.id() != duckdb::LogicalTypeId::MAP) return std::nullopt;
    auto key =
        match(pattern.children[0], type.children[0], duckdb::MapType::KeyType(duck), bindings);
    auto value =
        match(pattern.children[1], type.children[1], duckdb::MapType::ValueType(duck), bindings);
    return key && value ? std::optional(*key + *value) : std::nullopt;
  }
  if (pattern.concrete) return coercion_cost(type, *pattern.concrete);
  return match_loose(pattern.name, type);
}

/// DuckDB's type for a pattern once the variables are known; for loose names, that of the argument.
LogicalType resolved(const Pattern& pattern, const Bindings& bindings,
                     const LogicalType& argument) {
  if (pattern.variable()) {
    auto it = bindings.find(pattern.name);
    return it == bindings.end() ? LogicalType(LogicalType::SQLNULL) : it->second.duck;
  }
  if (pattern.name == "array")
    return LogicalType::LIST(resolved(pattern.children[0], bindings, LogicalType::SQLNULL));
  if (pattern.name == "map") {
    return LogicalType::MAP(resolved(pattern.children[0], bindings, LogicalType::SQLNULL),
                            resolved(pattern.children[1], bindings, LogicalType::SQLNULL));
  }
  if (pattern.concrete) return to_duckdb(*pattern.concrete);
  if (pattern.name == "varchar" || pattern.name == "char") return LogicalType::VARCHAR;
  if (pattern.name == "timestamp" || pattern.name == "local") return LogicalType::TIMESTAMP;
  if (pattern.name == "timestamptz") return LogicalType::TIMESTAMP_TZ;
  return argument;
}

ExprPtr prepare(const Build& build, const Pattern& pattern, const Bindings& bindings,
                ExprPtr argument) {
  const Type type = type_of(*argument);
  if (pattern.name == "any" || pattern.name == "moment" || pattern.name == "row")
    return build.plain(std::move(argument));
  if (pattern.name == "decimal")
    return build.coerce(std::move(argument), to_duckdb(as_decimal(type)));
  if (type.kind == TypeKind::kUnknown) {
    return build.native_cast(std::move(argument),
                             plain_type(resolved(pattern, bindings, LogicalType::SQLNULL)));
  }
  if (pattern.name == "local" && type.kind == TypeKind::kTimestampTz)
    return build.local_time(std::move(argument));
  if (pattern.name == "timestamptz") {
    if (type.kind == TypeKind::kTimestampTz && !is_zoned(argument->return_type))
      return build.plain(std::move(argument));
    return build.plain(build.coerce(std::move(argument), LogicalType::TIMESTAMP_TZ));
  }
  if (pattern.name == "timestamp" || pattern.name == "local")
    return in_micros(build, std::move(argument));
  // A time keeps the digits it has.
  if (type.kind == TypeKind::kTime && pattern.name == "time")
    return in_micros(build, std::move(argument));
  if (type.kind == TypeKind::kTimeTz && pattern.concrete) return build.plain(std::move(argument));
  if (pattern.name == "varchar" || pattern.name == "char") return build.plain(std::move(argument));
  const auto target = resolved(pattern, bindings, argument->return_type);
  return build.plain(build.coerce(std::move(argument), target));
}

std::string types_text(const Exprs& args) {
  std::string out;
  for (auto& arg : args) out += (out.empty() ? "" : ", ") + shown(type_of(*arg));
  return out;
}

std::string expectation(const Overload& overload) {
  std::string types(overload.info->argument_types);
  for (auto at = types.find(':'); at != std::string::npos; at = types.find(':')) {
    auto end = types.find_first_of(",).", at);
    types.erase(at, (end == std::string::npos ? types.size() : end) - at);
  }
  return std::string(overload.info->name) + "(" + types + ")";
}

}  // namespace

struct Rule {
  std::string name;  // Trino's
  Hook hook = nullptr;
  std::vector<Overload> overloads;
};

namespace {

void parse_overload(Overload& overload) {
  std::string_view types = overload.info->argument_types;
  if (types.ends_with("...")) {
    overload.variadic = true;
    types.remove_suffix(3);
  }
  for (auto part : split_arguments(types)) overload.arguments.push_back(parse_pattern(part));
  if (!overload.info->body.empty()) {
    overload.result = parse_pattern(overload.info->return_type);
    auto list = duckdb::Parser::ParseExpressionList(std::string(overload.info->body));
    overload.body = std::move(list.at(0));
  }
}

/// Built once per process; signatures and bodies are parsed when a name is first used.
struct Rules {
  std::unordered_map<std::string, Rule> by_name;
  std::unordered_map<std::string, std::once_flag> parsed;

  Rules() {
    for (auto& info : sql::functions()) {
      if (info.kind != sql::FunctionInfo::Kind::kScalar || !info.duckdb.starts_with("trino_") ||
          info.duckdb.find('(') != std::string_view::npos) {
        continue;
      }
      auto& rule = by_name[std::string(info.duckdb)];
      rule.name = std::string(info.name);
      rule.overloads.emplace_back().info = &info;
      parsed.try_emplace(rule.name);
    }
    for (auto* hooks : {&operator_hooks(), &cast_hooks(), &time_hooks(), &value_hooks(),
                        &collection_hooks(), &json_hooks(), &group_hooks(), &rounding_hooks(),
                        &routine_hooks(), &row_pattern_hooks(), &window_hooks()}) {
      for (auto& hook : *hooks) {
        auto& rule = by_name[hook.name];
        rule.hook = hook.hook;
        if (rule.name.empty()) rule.name = std::string(hook.name).substr(6);
        parsed.try_emplace(rule.name);
      }
    }
  }
};

Rules& rules() {
  static Rules* made = new Rules;
  return *made;
}

const std::vector<Overload>& overloads_of(const Rule& rule) {
  auto& flag = rules().parsed.at(rule.name);
  std::call_once(flag, [&] {
    for (auto& overload : const_cast<Rule&>(rule).overloads) parse_overload(overload);
  });
  return rule.overloads;
}

}  // namespace

const Rule* find_rule(const std::string& name) {
  auto& all = rules().by_name;
  auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

std::vector<std::string> rule_names() {
  std::vector<std::string> out;
  for (auto& [name, rule] : rules().by_name) out.push_back(name);
  return out;
}

ExprPtr expand_text(const Build& build, const char* body, const Exprs& arguments) {
  auto list = duckdb::Parser::ParseExpressionList(body);
  return build.expand(*list.at(0), arguments);
}

ExprPtr bind_rule(const Build& build, const Rule& rule, Exprs args) {
  auto& overloads = overloads_of(rule);
  const Overload* best = nullptr;
  Bindings bindings;
  int best_cost = 0;
  for (auto& overload : overloads) {
    const size_t declared = overload.arguments.size();
    if (overload.variadic ? args.size() + 1 < declared : args.size() != declared) continue;
    Bindings found;
    int cost = overload.variadic ? 1 : 0;
    bool fits = true;
    for (size_t i = 0; i < args.size() && fits; ++i) {
      auto& pattern = overload.arguments[std::min(i, declared - 1)];
      auto one = match(pattern, type_of(*args[i]), args[i]->return_type, found);
      fits = one.has_value();
      cost += one.value_or(0);
    }
    if (fits && (!best || cost < best_cost)) {
      best = &overload;
      best_cost = cost;
      bindings = std::move(found);
    }
  }
  if (!best) {
    if (overloads.empty()) return rule.hook(build, std::move(args));
    std::string expected;
    for (size_t i = 0; i < overloads.size() && i < 6; ++i)
      expected += (i ? ", " : "") + expectation(overloads[i]);
    raise(Code::kFunctionNotFound,
          "Unexpected parameters (" + types_text(args) + ") for function " + rule.name +
              ". Expected: " + expected,
          args.empty() ? nullptr : args[0].get());
  }
  if (!best->body) {
    if (!rule.hook) internal_error("function " + rule.name + " has neither body nor code");
    for (size_t i = 0; i < args.size();
         ++i) {  // a NULL where the code looks into a type gives NULL
      const auto& name = best->arguments[std::min(i, best->arguments.size() - 1)].name;
      const bool looked_into = name == "array" || name == "map" || name == "moment" ||
                               name == "timestamptz" || name == "timestamp";
      if (looked_into && type_of(*args[i]).kind == TypeKind::kUnknown)
        return build.constant(duckdb::Value());
    }
    return rule.hook(build, std::move(args));
  }
  const auto location = args.empty() ? duckdb::optional_idx() : args[0]->GetQueryLocation();
  const LogicalType first = args.empty() ? LogicalType(LogicalType::SQLNULL) : args[0]->return_type;
  for (size_t i = 0; i < args.size(); ++i) {
    args[i] = prepare(build, best->arguments[std::min(i, best->arguments.size() - 1)], bindings,
                      std::move(args[i]));
  }
  auto made = build.expand(*best->body, args);
  if (!made->GetQueryLocation().IsValid()) made->SetQueryLocation(location);
  if (best->result.name == "any") return made;
  auto result = resolved(best->result, bindings, first);
  if (result.id() == duckdb::LogicalTypeId::SQLNULL) return made;
  if (plain_type(made->return_type) == plain_type(result))
    return build.relabel(std::move(made), result);
  return build.relabel(build.native_cast(std::move(made), plain_type(result)), result);
}

}  // namespace meesh::engine
