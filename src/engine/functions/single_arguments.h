// Arguments that rules must not copy, whereas rules use their arguments as often as they like: a
// bound subquery is planned once and cannot be copied, a random value would be another in each
// copy, and of a large expression two copies in each call around it are too many.
#pragma once

#include <functional>

#include "engine/functions/build.h"

namespace meesh::engine {

/// What `rule` makes of the arguments. It sees references in place of what must not be copied; that
/// is put back where its reference stands or, if a reference stands in several places, computed
/// once before what the rule made.
ExprPtr without_copies(const Build& build, Exprs arguments,
                       const std::function<ExprPtr(Exprs)>& rule);

}  // namespace meesh::engine
