// Dates, times and timestamps plus and minus intervals, and what lies between two of them.
#pragma once

#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/functions/build.h"

namespace meesh::engine {

/// A date, time or timestamp of any kind plus or minus ("+", "-") an interval.
ExprPtr shift(const Build& build, const char* sign, ExprPtr value, ExprPtr interval);
/// The interval day to second between two dates, times or timestamps.
ExprPtr difference(const Build& build, Exprs args);
void register_moment_kernels(duckdb::ExtensionLoader& loader);

}  // namespace meesh::engine
