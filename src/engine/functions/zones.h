// Timestamps with time zone whose values carry each its zone (zoned_type in duck_types.h), and what
// is computed with zones that differ from row to row.
#pragma once

#include "base/time_zone.h"
#include "duckdb.hpp"
#include "duckdb/function/cast/default_casts.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/functions/build.h"

namespace meesh::engine {

/// The zone of a name; null if there is none of it.
std::shared_ptr<const TimeZone> find_zone(const std::string& name);

/// A timestamp with time zone with the zone in every value; what is one already stays it.
ExprPtr to_zoned_values(const Build& build, ExprPtr value);
/// The instants of such values, a plain TIMESTAMPTZ; finer digits than microseconds are cut off.
ExprPtr instant_of_zoned(const Build& build, ExprPtr value);
/// Whether one of the arguments from `first` on is such a value, or finer than microseconds.
bool has_zoned(const Exprs& args, size_t first);
/// The type for all of the arguments from `first` on, timestamps with time zone or what can be one:
/// with the zone in the type when it is the same for all.
duckdb::LogicalType shared_zoned_type(const Exprs& args, size_t first, int precision);
/// What timestamps with time zone are compared by when one of them has its zone in every value.
ExprPtr comparable_instant(const Build& build, ExprPtr value);
/// Local times of such values, a timestamp(12).
ExprPtr local_of_zoned(const Build& build, ExprPtr value);
/// The names of their zones.
ExprPtr names_of_zoned(const Build& build, ExprPtr value);
/// Seconds between the local time and UTC of any timestamp with time zone, a BIGINT.
ExprPtr offset_of_moment(const Build& build, ExprPtr value);
/// Rounds to the precision of the type, or widens it.
ExprPtr zoned_of_precision(const Build& build, ExprPtr value, int precision);
/// Instants (any timestamp with time zone) shown in the zones named by a text.
ExprPtr shown_in_zones(const Build& build, ExprPtr instants, ExprPtr names);
/// Local times (date, timestamp) in the zones named by a text.
ExprPtr local_in_zones(const Build& build, ExprPtr local, ExprPtr names);
/// Text that names its zones, else the session's.
ExprPtr text_to_zoned_values(const Build& build, ExprPtr text, int precision, bool try_cast);

/// The cast DuckDB makes by itself between timestamps with time zone of which one has its zones in
/// the values; null function if neither has.
duckdb::BoundCastInfo zoned_cast_info(duckdb::ClientContext& context,
                                      const duckdb::LogicalType& source,
                                      const duckdb::LogicalType& target);
/// A local time in a zone by name as such a value; throws INVALID_FUNCTION_ARGUMENT for no zone.
duckdb::hugeint_t zoned_value(__int128 local_picos, std::string_view zone);
void register_zone_kernels(duckdb::ExtensionLoader& loader);

}  // namespace meesh::engine
