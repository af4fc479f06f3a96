// The cast functions of our own: between text and values, roundings. casts.cc chooses among them.
#pragma once

#include "duckdb.hpp"
#include "duckdb/function/cast/default_casts.hpp"
#include "engine/functions/build.h"
#include "sql/type.h"

namespace meesh::engine {

/// What a cast function needs to know of its types.
struct CastTypes : duckdb::BoundCastData {
  CastTypes(sql::Type f, sql::Type t) : from(std::move(f)), to(std::move(t)) {}
  sql::Type from, to;
  duckdb::unique_ptr<duckdb::BoundCastData> Copy() const override {
    return duckdb::make_uniq<CastTypes>(from, to);
  }
};

/// Our own function for the pair, to be bound with CastTypes; null where DuckDB's cast means the
/// same. ReinterpretCast stands for the same bits.
duckdb::cast_function_t own_cast_function(const sql::Type& from, const sql::Type& to);
/// From the text of a value of CastTypes::from to a bounded varchar.
bool written_to_text(duckdb::Vector& source, duckdb::Vector& result, duckdb::idx_t count,
                     duckdb::CastParameters& parameters);
/// The text of a value of another type as varchar(n): an error, or NULL, where it does not fit.
ExprPtr fitted(ExprPtr text, const sql::Type& from, const sql::Type& to, bool try_cast);
/// Whether the type is written as text by a function of ours.
bool has_text_cast(sql::TypeKind from);

}  // namespace meesh::engine
