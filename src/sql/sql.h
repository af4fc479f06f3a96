// The SQL front end's whole surface: text → AST → resolved AST → text for DuckDB, Trino or
// PostgreSQL.
//
//   StatementPtr s = parse("SELECT name FROM sales.public.customers");
//   Analysis a = resolve(*s, context);          // names bound, views expanded, SHOW turned to
//   SELECT Printed p = print_duckdb(*s, options);      // engine runs p.text
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/ast.h"

namespace meesh::sql {

/// One statement; a trailing ';' is allowed. Throws SYNTAX_ERROR at line:column with what was
/// expected; nesting deeper than kMaxDepth is an error, never a stack overflow.
StatementPtr parse(std::string_view text);
ExprPtr parse_expression(std::string_view text);
inline constexpr int kMaxDepth = 1000;

/// Splits a script at top-level semicolons (comments and strings respected): offset, length pairs.
std::vector<std::string_view> split_statements(std::string_view script);

/// How many `?` the statement has.
int parameter_count(const Statement& statement);

/// The AST as one S-expression without positions: equality of trees, test output.
std::string dump(const Statement& statement);

/// Trino SQL that parses to the same AST.
std::string print_trino(const Statement& statement);
std::string print_trino(const Expr& expression);
std::string print_trino(const Query& query);

struct OutputColumn {
  std::string name;
  std::optional<Type> declared;  // when resolution knows better than DuckDB (varchar(100))
};

/// What resolution learnt of a statement.
struct Analysis {
  std::vector<OutputColumn> columns;  // of queries
  std::vector<TableInfo> reads;       // every table read, views included
  std::vector<TableInfo> writes;      // a schema that is created or dropped has no table name
  std::vector<Type> parameters;       // what the place of each `?` takes; unknown with values
  std::string update_type;            // "INSERT", "CREATE TABLE", "" for queries
};

struct ResolveContext {
  CatalogReader* catalogs = nullptr;
  std::string catalog, schema;  // session defaults, may be empty
  std::string path;             // SET PATH: where functions without a schema are looked for
  std::string user, time_zone = "UTC";
  std::vector<const Expr*> parameters;  // EXECUTE … USING, in order
  bool parameters_unknown = false;      // DESCRIBE INPUT/OUTPUT: `?` stays, printed as a NULL
  /// What SHOW SESSION shows beside the defaults; may be null.
  const std::map<std::string, std::string>* session_properties = nullptr;
};

/// Binds names to columns, expands `*` and views, names outputs (`_col0`), checks what exists.
/// Rewrites the statement in place (SHOW, DESCRIBE and friends become a QueryStatement, so it takes
/// the pointer). Throws CATALOG/SCHEMA/TABLE/COLUMN_NOT_FOUND, AMBIGUOUS_NAME … with positions.
Analysis resolve(StatementPtr& statement, const ResolveContext& context);

/// Printed text with a map back to the statement: entries (offset in text, position), ascending.
struct Printed {
  std::string text;
  std::vector<std::pair<size_t, Position>> map;
  /// Position of the innermost mapped node at or before the offset.
  Position position_at(size_t offset) const;
};

/// DuckDB SQL with Trino's meaning: operators and functions become calls to the `trino_…` functions
/// that src/engine/functions registers. Throws NOT_SUPPORTED for what has no equivalent.
Printed print_duckdb(const Statement& statement);

/// The query as PostgreSQL text when every table lives on one server, every expression means the
/// same there, and pushing it pays; nullopt otherwise. It pays (measured, see print_postgres.cc)
/// for global aggregates, LIMIT and top-n over one table, and for whole joins and groups over
/// tables that are small or filtered by equality with a constant. GROUP BY over more than 100 000
/// rows is not pushed: fetching the rows and grouping them in DuckDB is faster.
std::optional<std::string> print_postgres(const Query& query, const Analysis& analysis);

/// One function of the SQL surface: how it is called in DuckDB and how SHOW FUNCTIONS lists it.
struct FunctionInfo {
  enum class Kind { kScalar, kAggregate, kWindow };
  std::string_view name;  // Trino's
  Kind kind = Kind::kScalar;
  /// DuckDB's name ("trino_concat", "lower"), or a template with $1 … $9 and $* for the arguments
  /// ("regexp_matches($1, $2)").
  std::string_view duckdb;
  /// A scalar put around the whole call with its FILTER and OVER (aggregates, windows): "" = none.
  std::string_view wrapper;
  std::string_view return_type, argument_types, description;  // as SHOW FUNCTIONS prints them
  /// How the engine computes a scalar called by its trino_… name: DuckDB text over $1 … $9. Empty
  /// for those written in C++ (src/engine/functions) and for native names.
  std::string_view body = {};
};
/// Case-insensitive; null if there is none. Overloads share one entry for printing.
const FunctionInfo* find_function(std::string_view name);
const std::vector<FunctionInfo>& functions();

}  // namespace meesh::sql
