// What each trino_… scalar does at bind time. A rule is either C++ (operators, casts, functions
// whose type depends on more than a signature) or the overloads of one Trino function from the
// table in sql/functions.cc, whose bodies are DuckDB text over $1 … $9.
#pragma once

#include <string>
#include <vector>

#include "engine/functions/build.h"

namespace meesh::engine {

/// Turns the call into an expression; may take the arguments apart. Never returns null.
using Hook = ExprPtr (*)(const Build& build, Exprs arguments);

struct Rule;
const Rule* find_rule(const std::string& name);  // "trino_add"; null if there is none
ExprPtr bind_rule(const Build& build, const Rule& rule, Exprs arguments);

/// DuckDB text over $1 … $9 bound with the arguments; the text is parsed once per call site.
ExprPtr expand_text(const Build& build, const char* body, const Exprs& arguments);

/// Name → hook, one list per theme; names with "trino_".
struct NamedHook {
  const char* name;
  Hook hook;
};
const std::vector<NamedHook>& operator_hooks();     // operators.cc
const std::vector<NamedHook>& cast_hooks();         // casts.cc
const std::vector<NamedHook>& time_hooks();         // time.cc
const std::vector<NamedHook>& value_hooks();        // values.cc
const std::vector<NamedHook>& collection_hooks();   // collections.cc
const std::vector<NamedHook>& json_hooks();         // json_functions.cc
const std::vector<NamedHook>& group_hooks();        // groups.cc
const std::vector<NamedHook>& rounding_hooks();     // rounding.cc
const std::vector<NamedHook>& routine_hooks();      // routines.cc
const std::vector<NamedHook>& row_pattern_hooks();  // row_pattern.cc
const std::vector<NamedHook>& window_hooks();       // window_offsets.cc

/// Native scalar functions ("meesh_…") that bodies and hooks call.
void register_math_kernels(duckdb::ExtensionLoader& loader);
void register_text_kernels(duckdb::ExtensionLoader& loader);
void register_time_kernels(duckdb::ExtensionLoader& loader);
void register_array_kernels(duckdb::ExtensionLoader& loader);
void register_regexp_kernels(duckdb::ExtensionLoader& loader);
void register_url_kernels(duckdb::ExtensionLoader& loader);
void register_statistics_kernels(duckdb::ExtensionLoader& loader);
void register_encoding_kernels(duckdb::ExtensionLoader& loader);
void register_language_kernels(duckdb::ExtensionLoader& loader);
void register_network_kernels(duckdb::ExtensionLoader& loader);
void register_sketch_kernels(duckdb::ExtensionLoader& loader);
void register_color_kernels(duckdb::ExtensionLoader& loader);
void register_collection_kernels(duckdb::ExtensionLoader& loader);
void register_json_kernels(duckdb::ExtensionLoader& loader);
void register_group_kernels(duckdb::ExtensionLoader& loader);
void register_query_kernels(duckdb::ExtensionLoader& loader);
void register_lambdas(duckdb::ExtensionLoader& loader);
void register_sequence_table(duckdb::ExtensionLoader& loader);
void register_aggregates(duckdb::ExtensionLoader& loader);
void register_sketch_aggregates(duckdb::ExtensionLoader& loader);
/// Casts between labelled types that DuckDB inserts by itself (INSERT, UNION, CASE).
void register_label_casts(duckdb::ExtensionLoader& loader);

}  // namespace meesh::engine
