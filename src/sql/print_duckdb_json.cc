// DuckDB SQL: JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT, JSON_ARRAY. Each becomes a call of
// its trino_… function: the clauses as texts, defaults filled in, and the operands.
#include <algorithm>

#include "sql/print_duckdb_writer.h"
#include "sql/scope.h"

namespace meesh::sql {
namespace {

/// What stands before " ON EMPTY" or " ON ERROR" in the clauses: "NULL", "EMPTY ARRAY", "DEFAULT".
std::string behavior(const JsonFunction& json, const std::string& on, const char* otherwise) {
  for (const auto& clause : json.clauses)
    if (clause.ends_with(" ON " + on)) return clause.substr(0, clause.size() - 4 - on.size());
  for (const auto& [event, value] : json.defaults)
    if (event == on) return "DEFAULT";
  return otherwise;
}

bool has(const JsonFunction& json, const char* clause) {
  return std::find(json.clauses.begin(), json.clauses.end(), clause) != json.clauses.end();
}

/// The name a variable has in the path: upper case unless it was quoted.
std::string variable(const std::string& printed) {
  if (printed.size() > 1 && printed[0] == '"') {
    std::string out;
    for (size_t i = 1; i + 1 < printed.size(); ++i) {
      out += printed[i];
      if (printed[i] == '"') ++i;
    }
    return out;
  }
  std::string out = printed;
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  return out;
}

/// JSON that a JSON function made needs no FORMAT clause to be taken as JSON.
std::string member_format(const Expr& value, const std::string& written) {
  const auto* made = try_as<const JsonFunction>(&value);
  const bool is_json = made && made->name != "json_value" && made->name != "json_exists";
  return written.empty() && is_json ? "FORMAT JSON" : written;
}

}  // namespace

void DuckdbPrinter::json_member(const Expr& value, const std::string& format) {
  put(", ");
  expr(value);
  put(", " + duckdb_string(member_format(value, format)));
}

void DuckdbPrinter::json_passing(const JsonFunction& json) {
  for (size_t i = 0; i < json.passing.size(); ++i) {
    put(", " + duckdb_string(variable(json.passing[i].second)));
    json_member(*json.passing[i].first, json.passing_formats[i]);
  }
  put(")");
}

void DuckdbPrinter::json(const JsonFunction& json) {
  mark(json.pos);
  const std::string returning =
      duckdb_string((json.returning ? to_type(*json.returning) : Type::varchar()).display());
  const auto clause = [&](const std::string& text) { put(", " + duckdb_string(text)); };
  put("trino_" + json.name + "(");
  if (json.name == "json_object" || json.name == "json_array") {
    const bool object = json.name == "json_object";
    const bool absent = object ? has(json, "ABSENT ON NULL") : !has(json, "NULL ON NULL");
    put(absent ? "true" : "false");
    if (object) put(has(json, "WITH UNIQUE KEYS") ? ", true" : ", false");
    put(", " + returning);
    for (size_t i = 0; i < json.members.size(); ++i) {
      if (object) {
        put(", ");
        expr(*json.members[i].first);
      }
      json_member(*json.members[i].second, json.member_formats[i]);
    }
    return put(")");
  }
  expr(*json.input);
  clause(json.path);
  clause(json.input_format);
  if (json.name == "json_exists" || json.name == "json_table") {
    clause(behavior(json, "ERROR", json.name == "json_exists" ? "FALSE" : "EMPTY"));
    return json_passing(json);
  }
  put(", " + returning);
  if (json.name == "json_query") {
    clause(has(json, "WITH CONDITIONAL WRAPPER")     ? "CONDITIONAL"
           : has(json, "WITH UNCONDITIONAL WRAPPER") ? "UNCONDITIONAL"
                                                     : "WITHOUT");
    const bool omit = has(json, "OMIT QUOTES") || has(json, "OMIT QUOTES ON SCALAR STRING");
    clause(omit ? "OMIT" : "KEEP");
  }
  clause(behavior(json, "EMPTY", "NULL"));
  clause(behavior(json, "ERROR", "NULL"));
  if (json.name == "json_value") {
    for (const char* event : {"EMPTY", "ERROR"}) {
      put(", ");
      const Expr* otherwise = nullptr;
      for (const auto& [on, value] : json.defaults)
        if (on == event) otherwise = value.get();
      otherwise ? expr(*otherwise) : put("NULL");
    }
  }
  json_passing(json);
}

}  // namespace meesh::sql
