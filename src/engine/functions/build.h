// Making bound DuckDB expressions at bind time: the means by which every trino_… function turns
// itself into native expressions (see register.cc). Nothing made here costs anything at run time
// beyond what the native expression costs.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "duckdb.hpp"
#include "duckdb/function/scalar_function.hpp"
#include "duckdb/planner/expression.hpp"
#include "engine/duck_types.h"

namespace meesh::engine {

using ExprPtr = duckdb::unique_ptr<duckdb::Expression>;
using Exprs = duckdb::vector<ExprPtr>;

/// Key in DuckDB's extra error info under which an error carries its Trino code to translate().
inline constexpr const char* kCodeKey = "trino_code";

/// Fails in Trino's words; `at` gives the position when known. Works at bind and at run time.
[[noreturn]] void raise(Code code, const std::string& message,
                        const duckdb::Expression* at = nullptr);

class Build {
 public:
  explicit Build(duckdb::ClientContext& client) : context(client) {}

  duckdb::ClientContext& context;

  ExprPtr constant(duckdb::Value value) const;
  /// A call of a function of DuckDB's catalog, or of a trino_… function, chosen by the exact types
  /// of the arguments.
  ExprPtr call(const std::string& name, Exprs arguments) const;
  template <class... E>
  ExprPtr call(const std::string& name, ExprPtr first, E... rest) const {
    Exprs arguments;
    arguments.push_back(std::move(first));
    (arguments.push_back(std::move(rest)), ...);
    return call(name, std::move(arguments));
  }
  /// A call of a function that is in no catalog; it must check its own types.
  ExprPtr kernel(duckdb::ScalarFunction function, Exprs arguments) const;
  /// DuckDB's own cast.
  ExprPtr native_cast(ExprPtr value, const duckdb::LogicalType& type, bool try_cast = false) const;
  /// The same bits under another type of the same physical type.
  ExprPtr relabel(ExprPtr value, const duckdb::LogicalType& type) const;
  /// Without varchar(n), timestamp(p)… label: what native functions take.
  ExprPtr plain(ExprPtr value) const;
  ExprPtr compare(duckdb::ExpressionType type, ExprPtr left, ExprPtr right) const;
  ExprPtr case_when(ExprPtr condition, ExprPtr then, ExprPtr otherwise) const;
  ExprPtr is_null(ExprPtr value) const;
  ExprPtr either(ExprPtr left, ExprPtr right) const;  // OR
  /// CAST as Trino does it, casts.cc. Throws TYPE_MISMATCH.
  ExprPtr trino_cast(ExprPtr value, const sql::Type& to, bool try_cast = false) const;
  /// An implicit coercion to a type that can_coerce() allows; keeps zones.
  ExprPtr coerce(ExprPtr value, const duckdb::LogicalType& to) const;
  /// The local time of a timestamp with time zone in its zone, a TIMESTAMP.
  ExprPtr local_time(ExprPtr value) const;
  /// The instant of a local TIMESTAMP in `zone` ("" = session), a plain TIMESTAMPTZ.
  ExprPtr instant(ExprPtr local, const std::string& zone) const;
  /// DuckDB's TimeZone setting.
  std::string session_zone() const;
  /// The value of a constant expression; NULL Value if it is none.
  duckdb::Value constant_value(const duckdb::Expression& value) const;
  bool is_constant(const duckdb::Expression& value) const;
  /// Parsed DuckDB text over $1 … $9 with its arguments put in.
  ExprPtr expand(const duckdb::ParsedExpression& body, const Exprs& arguments) const;
};

/// The plain type under a label; nested types recursively.
duckdb::LogicalType plain_type(const duckdb::LogicalType& type);
/// Checks a zone name (region or ±hh:mm) and gives its canonical form; throws
/// INVALID_FUNCTION_ARGUMENT "'x' is not a valid time zone".
std::string canonical_zone(const std::string& zone, const duckdb::Expression* at);
/// Seconds east of UTC when the zone is a fixed offset.
std::optional<int64_t> fixed_offset(const std::string& zone);
sql::Type type_of(const duckdb::Expression& value);

}  // namespace meesh::engine
