// How long rows of two joined streams wait for each other, read off the join's condition.
#pragma once

#include "sql/ast.h"
#include "streams/stream_query.h"

namespace meesh::streams {

/// Of `SELECT … FROM a JOIN b ON a.id = b.id AND b.t BETWEEN a.t - INTERVAL '1' HOUR AND a.t`:
/// conditions on the two sources' event times in ON and WHERE, which must bound their distance on
/// both sides. Throws NOT_SUPPORTED at the join's position.
JoinInterval join_interval(const sql::Select& select, const SourceConfig& first,
                           const SourceConfig& second);

}  // namespace meesh::streams
